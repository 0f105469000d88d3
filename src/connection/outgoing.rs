//! The messages that a connection can publish.

use super::error::CommandError;
use super::version::Version;
use crate::types::{Delivery, QoS};
use crate::wire::{Output, Sealed};

/// A message that a [`Connection`](crate::Connection) of the version `V` can publish: its `Message`,
/// or its `MessageHeader` where the payload follows in pieces. The trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be published with this version of MQTT",
    note = "publish a `Message`, or a `MessageHeader` whose payload follows in pieces"
)]
pub trait OutgoingMessage<V: Version>: Sealed {
    /// Returns the QoS to publish it at.
    #[doc(hidden)]
    fn qos(&self) -> QoS;

    /// Encodes the PUBLISH, if it keeps the rules for this side and the limits of the peer, and records in
    /// `limits` what it changes.
    #[doc(hidden)]
    fn encode<O: Output + ?Sized>(
        &self,
        delivery: Delivery,
        limits: &mut V::Limits,
        is_server: bool,
        out: &mut O,
    ) -> Result<(), CommandError>;

    /// Returns how many bytes of payload follow in pieces.
    #[doc(hidden)]
    fn payload_left(&self) -> u32;
}
