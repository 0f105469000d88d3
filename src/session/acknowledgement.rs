//! What the application acknowledges a message with.

use crate::types::PacketId;

/// The right to acknowledge one delivery of a message, with
/// [`Config::manual_acknowledgement`](crate::Config::manual_acknowledgement). Comes from
/// [`Connection::acknowledgement`](crate::Connection::acknowledgement).
///
/// Packet Identifiers are used again and again. An acknowledgement that comes late, after the connection
/// was lost or the message was acknowledged, is refused instead of acknowledging another message that
/// has the same identifier by then. One for a QoS 2 message stays good over connections, as that message
/// is not delivered again.
///
/// It belongs to its session. Use it with no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "without it the message is not acknowledged"]
pub struct Acknowledgement {
    pub(super) packet_id: PacketId,
    /// Which connection of the session the message was delivered on.
    pub(super) generation: u16,
    /// Which delivery.
    pub(super) serial: u8,
}

impl Acknowledgement {
    /// The Packet Identifier of the message.
    #[must_use]
    pub const fn packet_id(&self) -> PacketId {
        self.packet_id
    }
}
