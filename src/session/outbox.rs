//! Messages under way, for applications that do not keep them themselves (feature `alloc`).

use alloc::collections::BTreeMap;

use crate::types::PacketId;

/// Keeps what was published until it is delivered, and finds it again when it has to be sent again
/// (feature `alloc`). `T` is whatever the application publishes from: a
/// [`Message<Vec<u8>>`](crate::Message), an `Arc` of one, a file name.
///
/// A connection asks for messages in the right order
/// ([`Action::Resend`](crate::Action::Resend)), so here they are looked up by Packet Identifier.
///
/// ```
/// use mqtt_sansio::{Outbox, PacketId};
///
/// let mut outbox = Outbox::default();
/// outbox.keep(PacketId::MIN, "21.5");                        // `publish` returned this identifier
/// assert_eq!(outbox.get(PacketId::MIN), Some(&"21.5"));       // `Action::Resend` asks for it
/// assert_eq!(outbox.remove(PacketId::MIN), Some("21.5"));     // `Event::Delivered`
/// ```
#[derive(Debug, Clone)]
pub struct Outbox<T>(BTreeMap<PacketId, T>);

impl<T> Outbox<T> {
    /// Keeps the message that was published with this identifier.
    pub fn keep(&mut self, packet_id: PacketId, message: T) {
        self.0.insert(packet_id, message);
    }

    /// The message to send again.
    pub fn get(&self, packet_id: PacketId) -> Option<&T> {
        self.0.get(&packet_id)
    }

    /// Gives the message back: it was delivered, or will not be.
    pub fn remove(&mut self, packet_id: PacketId) -> Option<T> {
        self.0.remove(&packet_id)
    }

    /// How many messages are kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if none are.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All messages, by Packet Identifier.
    pub fn iter(&self) -> impl Iterator<Item = (PacketId, &T)> {
        self.0
            .iter()
            .map(|(&packet_id, message)| (packet_id, message))
    }
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

#[cfg(feature = "defmt")]
impl<T> defmt::Format for Outbox<T> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Outbox of {=usize}", self.0.len());
    }
}
