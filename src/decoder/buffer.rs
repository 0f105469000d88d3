//! The buffer for a packet that is split.

use core::num::NonZeroU16;
use core::ops::Range;

/// The memory in which a [`Decoder`](crate::StreamDecoder) collects a split packet: `[u8; N]`,
/// `&mut [u8]`, `Box<[u8]>` or a growing `Vec<u8>` (the last two with feature `alloc`).
///
/// Your own implementation must return the bytes that were appended, in order.
pub trait Buffer {
    /// True if [`receive`](crate::Connection::receive) can deliver payloads in pieces, or skip them
    /// ([`Options::payloads_in_pieces`](crate::Options::payloads_in_pieces),
    /// [`Options::skip_large_messages`](crate::Options::skip_large_messages)). With a
    /// [`WholePackets`] it cannot.
    const TAKES_PIECES: bool = true;

    /// Returns the maximum number of bytes that it can hold.
    fn capacity(&self) -> usize;

    /// Keeps the first `filled` bytes, discards the rest and appends `bytes`. Returns false if
    /// there is no room; then it holds the first `filled` bytes. The decoder may call it again.
    fn append(&mut self, filled: usize, bytes: &[u8]) -> bool;

    /// Returns the first `filled` bytes.
    fn filled(&self, filled: usize) -> &[u8];

    /// Keeps the first `filled` bytes and releases unused memory. The provided method does nothing.
    fn shrink(&mut self, _filled: usize) {}

    /// Stores the Topic Name of a Topic Alias of the peer (MQTT 5, section 3.3.2.3.4). Returns
    /// false if there is no room: the announced Topic Alias Maximum is too large for this memory,
    /// or the peer exceeds it.
    ///
    /// The provided method has no room. [`WithTopicAliases`](crate::v5::WithTopicAliases) adds it
    /// to a buffer.
    fn set_topic(&mut self, _alias: NonZeroU16, _topic: &[u8]) -> bool {
        false
    }

    /// [`set_topic`](Self::set_topic) with a Topic Name that lies in this buffer: `place` in its first
    /// `filled` bytes.
    fn set_topic_from_buffer(
        &mut self,
        _alias: NonZeroU16,
        _filled: usize,
        _place: Range<usize>,
    ) -> bool {
        false
    }

    /// Returns the Topic Name of a Topic Alias.
    fn topic(&self, _alias: NonZeroU16) -> Option<&[u8]> {
        None
    }
}

/// A buffer for a program that receives whole packets only: it is linked without the code for payloads
/// in pieces. [`Options::payloads_in_pieces`](crate::Options::payloads_in_pieces) and
/// [`Options::skip_large_messages`](crate::Options::skip_large_messages) have no effect on
/// [`receive`](crate::Connection::receive) then: a packet that does not fit into the buffer ends the
/// connection.
///
/// ```
/// use mqtt_sansio::{WholePackets, v3::Decoder};
///
/// let decoder = Decoder::new(WholePackets([0; 512]));
/// # assert!(decoder.is_at_start());
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a wrapper of one value")]
pub struct WholePackets<M>(pub M);

impl<M: Buffer> Buffer for WholePackets<M> {
    const TAKES_PIECES: bool = false;

    #[inline]
    fn capacity(&self) -> usize {
        self.0.capacity()
    }

    #[inline]
    fn append(&mut self, filled: usize, bytes: &[u8]) -> bool {
        self.0.append(filled, bytes)
    }

    #[inline]
    fn filled(&self, filled: usize) -> &[u8] {
        self.0.filled(filled)
    }

    fn shrink(&mut self, filled: usize) {
        self.0.shrink(filled);
    }

    fn set_topic(&mut self, alias: NonZeroU16, topic: &[u8]) -> bool {
        self.0.set_topic(alias, topic)
    }

    fn set_topic_from_buffer(
        &mut self,
        alias: NonZeroU16,
        filled: usize,
        place: Range<usize>,
    ) -> bool {
        self.0.set_topic_from_buffer(alias, filled, place)
    }

    fn topic(&self, alias: NonZeroU16) -> Option<&[u8]> {
        self.0.topic(alias)
    }
}

fn append_to_slice(memory: &mut [u8], filled: usize, bytes: &[u8]) -> bool {
    let room = memory.get_mut(filled..).unwrap_or_default();
    let Some(room) = room.get_mut(..bytes.len()) else {
        return false;
    };
    room.copy_from_slice(bytes);
    true
}

macro_rules! slice_memory {
    ($(#[$attribute:meta])* impl[$($generics:tt)*] $Type:ty) => {
        $(#[$attribute])*
        impl<$($generics)*> Buffer for $Type {
            fn capacity(&self) -> usize {
                self.len()
            }

            #[inline]
            fn append(&mut self, filled: usize, bytes: &[u8]) -> bool {
                append_to_slice(&mut self[..], filled, bytes)
            }

            #[inline]
            fn filled(&self, filled: usize) -> &[u8] {
                self.get(..filled).unwrap_or_default()
            }
        }
    };
}

slice_memory!(impl[const N: usize] [u8; N]);
slice_memory!(impl[] &mut [u8]);
slice_memory!(#[cfg(feature = "alloc")] impl[] alloc::boxed::Box<[u8]>);

/// Grows with the bytes received, never with an announced length, up to
/// [`Options::max_packet_size`](crate::Options::max_packet_size).
#[cfg(feature = "alloc")]
impl Buffer for alloc::vec::Vec<u8> {
    fn capacity(&self) -> usize {
        usize::MAX
    }

    #[inline]
    fn append(&mut self, filled: usize, bytes: &[u8]) -> bool {
        self.truncate(filled);
        if self.capacity().wrapping_sub(self.len()) < bytes.len() {
            return grow(self, bytes);
        }
        self.extend_from_slice(bytes);
        true
    }

    #[inline]
    fn filled(&self, filled: usize) -> &[u8] {
        self.get(..filled).unwrap_or_default()
    }

    fn shrink(&mut self, filled: usize) {
        self.truncate(filled);
        self.shrink_to_fit();
    }
}

/// Appends bytes that exceed the capacity. Not inlined, so that callers that append a few bytes at a
/// time save no registers.
#[cfg(feature = "alloc")]
#[cold]
#[inline(never)]
fn grow(memory: &mut alloc::vec::Vec<u8>, bytes: &[u8]) -> bool {
    if memory.try_reserve(bytes.len()).is_err() {
        return false;
    }
    memory.extend_from_slice(bytes);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "alloc")]
    use alloc::{boxed::Box, vec::Vec};

    fn check_memory_of_four_bytes(mut memory: impl Buffer) {
        assert_eq!(memory.capacity(), 4);
        assert!(memory.append(0, b"ab"));
        assert!(memory.append(2, b"cd"));
        assert_eq!(memory.filled(4), b"abcd");
        assert_eq!(memory.filled(2), b"ab");
        assert!(memory.append(1, b"xy"));
        assert_eq!(memory.filled(3), b"axy");
        assert!(memory.append(4, b""));
        assert!(!memory.append(4, b"e"));
        assert!(!memory.append(2, b"efg"));
        assert_eq!(memory.filled(0), b"");
        assert_eq!(memory.filled(5), b"");
    }

    #[test]
    fn an_array_is_memory_of_its_length() {
        check_memory_of_four_bytes([0; 4]);
    }

    #[test]
    fn memory_for_whole_packets_is_the_memory_inside() {
        check_memory_of_four_bytes(WholePackets([0; 4]));
    }

    /// Section 3.3.2.3.4.
    #[cfg(feature = "alloc")]
    #[test]
    fn memory_for_whole_packets_stores_the_topic_names_that_the_memory_inside_stores() {
        use crate::v5::{AliasArray, WithTopicAliases};
        let first = NonZeroU16::MIN;
        let second = first.saturating_add(1);
        let inside = WithTopicAliases::new(Vec::with_capacity(100), AliasArray::<2, 2>::new());
        let mut memory = WholePackets(inside);
        assert_eq!(memory.topic(first), None);
        assert!(memory.set_topic(first, b"ab"));
        assert!(!memory.set_topic(first, b"abc"));
        assert!(memory.append(0, b"..cd."));
        assert!(memory.set_topic_from_buffer(second, 5, 2..4));
        assert!(!memory.set_topic_from_buffer(second, 5, 2..5));
        assert_eq!(memory.topic(first), Some(&b"ab"[..]));
        assert_eq!(memory.topic(second), Some(&b"cd"[..]));
        memory.shrink(3);
        assert_eq!(memory.filled(3), b"..c");
        assert_eq!(memory.filled(5), b"");
    }

    #[test]
    fn memory_without_topic_aliases_stores_no_topic_name() {
        let mut memory = [0; 4];
        assert!(!memory.set_topic(NonZeroU16::MIN, b"a"));
        assert!(!memory.set_topic_from_buffer(NonZeroU16::MIN, 1, 0..1));
        assert_eq!(memory.topic(NonZeroU16::MIN), None);
    }

    #[test]
    fn a_mutable_slice_is_memory_of_its_length() {
        check_memory_of_four_bytes(&mut [0; 4][..]);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_boxed_slice_is_memory_of_its_length() {
        let memory: Box<[u8]> = Box::new([0; 4]);
        check_memory_of_four_bytes(memory);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_is_memory_that_grows() {
        let mut memory = Vec::new();
        assert_eq!(Buffer::capacity(&memory), usize::MAX);
        assert!(Buffer::append(&mut memory, 0, b"ab"));
        assert!(Buffer::append(&mut memory, 2, b"cd"));
        assert_eq!(memory.filled(4), b"abcd");
        assert!(Buffer::append(&mut memory, 1, b"xy"));
        assert_eq!(memory, b"axy");
        assert_eq!(memory.filled(2), b"ax");
        assert_eq!(memory.filled(4), b"");
    }
}
