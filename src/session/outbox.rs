//! Messages in flight, for applications that have no store of their own (feature `alloc`).

use alloc::collections::btree_map::{self, BTreeMap};

use crate::types::PacketId;

/// Keeps published messages until they are delivered, to send them again if the connection breaks
/// (feature `alloc`). `T` is the application's choice: a [`Message<Vec<u8>>`](crate::v3::Message), an
/// `Arc` of one, a file name.
///
/// [`Action::Resend`](crate::Action::Resend) asks for messages in the right order, so the outbox
/// finds them by Packet Identifier.
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
    /// Keeps the message that was published with this Packet Identifier. Returns the one that had it
    /// before, if there was one.
    pub fn keep(&mut self, packet_id: PacketId, message: T) -> Option<T> {
        self.0.insert(packet_id, message)
    }

    /// Returns the message with this Packet Identifier, to send it again.
    pub fn get(&self, packet_id: PacketId) -> Option<&T> {
        self.0.get(&packet_id)
    }

    /// Removes and returns the message with this Packet Identifier: it was delivered, or is given up.
    pub fn remove(&mut self, packet_id: PacketId) -> Option<T> {
        self.0.remove(&packet_id)
    }

    /// Returns the number of messages.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are no messages.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns an iterator over all messages, ordered by Packet Identifier.
    pub fn iter(&self) -> impl Iterator<Item = (PacketId, &T)> {
        self.0
            .iter()
            .map(|(&packet_id, message)| (packet_id, message))
    }
}

/// The messages, ordered by Packet Identifier.
impl<T> IntoIterator for Outbox<T> {
    type Item = (PacketId, T);
    type IntoIter = btree_map::IntoIter<PacketId, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Outbox<T> {
    type Item = (&'a PacketId, &'a T);
    type IntoIter = btree_map::Iter<'a, PacketId, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> Extend<(PacketId, T)> for Outbox<T> {
    fn extend<I: IntoIterator<Item = (PacketId, T)>>(&mut self, messages: I) {
        self.0.extend(messages);
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
