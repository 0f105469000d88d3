//! The value with which the application acknowledges a message.

use crate::types::PacketId;

/// Acknowledges one delivery of a message, with
/// [`Config::manual_acknowledgement`](crate::Config::manual_acknowledgement).
/// [`Connection::acknowledgement`](crate::Connection::acknowledgement) returns it.
///
/// Packet Identifiers are reused. A late acknowledgement, after the connection was lost or the
/// message was acknowledged, is refused, and never acknowledges another message with the same
/// identifier. That of a QoS 2 message stays valid on later connections, because the message is not
/// delivered again.
///
/// It is valid for its own session only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "without it the message is not acknowledged"]
pub struct Acknowledgement {
    pub(super) packet_id: PacketId,
    /// The number of the connection of the session that delivered the message.
    pub(super) generation: u16,
    /// The number of the delivery.
    pub(super) serial: u8,
}

impl Acknowledgement {
    /// Returns the Packet Identifier of the message.
    #[must_use]
    pub const fn packet_id(&self) -> PacketId {
        self.packet_id
    }
}
