//! The tasks for the driver of a connection.

use super::close_reason::CloseReason;
use super::version::Version;
use crate::session::Change;
use crate::types::PacketId;

/// A task for the driver of a connection. Carry out actions in the order in which
/// [`receive`](crate::Connection::receive) and [`poll_action`](crate::Connection::poll_action)
/// return them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "a driver that skipped an action it did not know would be wrong"
)]
#[must_use = "actions are to be carried out"]
pub enum Action<V: Version> {
    /// Store this change of the session before carrying out the next action, and before sending the
    /// output of the last command. Only with a journal
    /// ([`Config::journal`](crate::Config::journal)).
    Store(Change),
    /// Send these bytes, after all output of earlier commands.
    Transmit(V::Reply),
    /// Send this message again with [`resend`](crate::Connection::resend), or give it up with
    /// [`forget`](crate::Connection::forget).
    ///
    /// Returned after a connection has resumed a session, in the original order
    /// [MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT5-4.4.0-1, MQTT5-4.6.0-1], for as many messages as may be
    /// in flight. The application may resend later, but in the order of the actions. Until then it
    /// cannot publish new messages above QoS 0.
    Resend(PacketId),
    /// The session has ended, and with it the delivery of this message. The application may publish
    /// it again.
    Lost {
        /// The Packet Identifier that the message had.
        packet_id: PacketId,
        /// True if the peer has the message: PUBREC was received. If false, it may or may not have
        /// arrived.
        received: bool,
    },
    /// Client: the connection ended before the server answered the SUBSCRIBE or UNSUBSCRIBE with this
    /// Packet Identifier. The server may or may not have carried it out. The application may repeat it
    /// on the next connection.
    Unanswered(PacketId),
    /// Server: publish the client's Will. The connection has ended without a DISCONNECT that
    /// discards it [MQTT-3.1.2-8].
    PublishWill,
    /// Server: discard the client's Will. The client has disconnected
    /// [MQTT-3.1.2-10, MQTT-3.14.4-3].
    DiscardWill,
    /// Send all pending output, then close the transport. This is the last action.
    Close(CloseReason<V>),
}
