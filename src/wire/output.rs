//! Where encoded bytes go: a caller's buffer, a vector, or anything that takes bytes.

use crate::wire::{Field, PacketType};

/// Why a packet could not be encoded. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The output has no room for the packet.
    #[error("the output has no room for another {needed} bytes")]
    NoRoom {
        /// How many bytes it needs.
        needed: usize,
    },
    /// A field has more than 65,535 bytes, which its two-byte length cannot say.
    #[error("{field} has more than 65535 bytes")]
    FieldTooLong {
        /// The field.
        field: Field,
    },
    /// A Topic Name without a character. In MQTT 5 only a PUBLISH with a Topic Alias may have one.
    #[error("{field} needs at least one character")]
    EmptyTopicName {
        /// The field.
        field: Field,
    },
    /// The packet would need a Remaining Length over 268,435,455.
    #[error("the packet is larger than MQTT allows")]
    PacketTooLarge,
    /// An empty Client Identifier with Clean Session 0, or in MQTT 3.1.
    #[error("an empty Client Identifier needs Clean Session 1 and MQTT 3.1.1")]
    ClientIdentifierRequired,
    /// A property that this packet cannot have.
    #[error("{packet_type} cannot have the property {property}")]
    MisplacedProperty {
        /// The packet.
        packet_type: PacketType,
        /// The property.
        property: Field,
    },
    /// A property that may come once comes a second time.
    #[error("the property {property} comes a second time")]
    RepeatedProperty {
        /// The property.
        property: Field,
    },
    /// A value that its field cannot have.
    #[error("{field} cannot have this value")]
    ValueOutOfRange {
        /// The field.
        field: Field,
    },
    /// Authentication Data, or an AUTH, without an Authentication Method.
    #[error("an Authentication Method is needed")]
    MissingAuthenticationMethod,
    /// Session Present in a CONNACK that refuses the connection.
    #[error("Session Present must be 0 when the connection is refused")]
    SessionPresentWithRefusal,
    /// No Local on a Shared Subscription.
    #[error("a Shared Subscription cannot have No Local")]
    NoLocalOnSharedSubscription,
    /// A list that needs at least one entry has none.
    #[error("{packet_type} needs at least one entry")]
    EmptyList {
        /// The packet that the list was for.
        packet_type: PacketType,
    },
}

impl EncodeError {
    /// The normative statement of MQTT 3.1.1 that the packet would have broken, where there is
    /// one; for MQTT 3.1 that which comes nearest.
    #[must_use]
    pub const fn statement(&self) -> Option<&'static str> {
        match self {
            Self::FieldTooLong {
                field: Field::TopicName | Field::TopicFilter | Field::WillTopic,
            } => Some("MQTT-4.7.3-3"),
            Self::EmptyTopicName { .. } => Some("MQTT-4.7.3-1"),
            Self::ClientIdentifierRequired => Some("MQTT-3.1.3-7"),
            Self::EmptyList { packet_type } => Some(match packet_type {
                PacketType::Unsubscribe => "MQTT-3.10.3-2",
                PacketType::SubAck => "MQTT-3.8.4-5",
                _ => "MQTT-3.8.3-3",
            }),
            Self::NoRoom { .. }
            | Self::FieldTooLong { .. }
            | Self::PacketTooLarge
            | Self::MisplacedProperty { .. }
            | Self::RepeatedProperty { .. }
            | Self::ValueOutOfRange { .. }
            | Self::MissingAuthenticationMethod
            | Self::SessionPresentWithRefusal
            | Self::NoLocalOnSharedSubscription => None,
        }
    }
}

/// Where encoded bytes go: [`SliceOutput`] (a caller's buffer), `Vec<u8>` (feature `alloc`),
/// `BytesMut` and `BufMutOutput` (feature `bytes`), or anything that implements these two
/// functions.
pub trait Output {
    /// Makes sure that `len` more bytes will fit, or says that they won't. Encoding asks once
    /// for each packet, before it writes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`]; nothing has changed then.
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError>;

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`] if they do not fit, which cannot happen within what
    /// [`reserve`](Self::reserve) has granted.
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError>;

    /// Whether there is room for `len` bytes without doing anything for it. False says nothing.
    #[doc(hidden)]
    fn has_room(&self, len: usize) -> bool {
        let _ = len;
        false
    }

    /// Lends a block to be written to, whatever is in it, if the output has one at hardly any
    /// cost, and room for `more` bytes behind it. Most of what is not payload goes there, without
    /// calling a function for each field.
    #[doc(hidden)]
    fn lend(&mut self, more: usize) -> Option<&mut [u8; BLOCK]> {
        let _ = more;
        None
    }

    /// Appends the first `used` bytes of the block that was lent; they are in place already.
    #[doc(hidden)]
    fn keep(&mut self, used: usize) {
        let _ = used;
    }
}

/// The size of the block that [`Output::lend`] lends.
pub(crate) const BLOCK: usize = 64;

impl<O: Output + ?Sized> Output for &mut O {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        (**self).reserve(len)
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        (**self).put(bytes)
    }

    #[inline]
    fn has_room(&self, len: usize) -> bool {
        (**self).has_room(len)
    }

    #[inline]
    fn lend(&mut self, more: usize) -> Option<&mut [u8; BLOCK]> {
        (**self).lend(more)
    }

    #[inline]
    fn keep(&mut self, used: usize) {
        (**self).keep(used);
    }
}

/// A caller's buffer, filled from the front.
///
/// ```
/// use mqtt_sansio::{Encode, SliceOutput, v3::Packet};
///
/// let mut buffer = [0; 8];
/// let mut output = SliceOutput::new(&mut buffer);
/// Packet::<&[u8]>::PingReq.encode(&mut output)?;
/// Packet::<&[u8]>::Disconnect.encode(&mut output)?;
/// assert_eq!(output.written(), [0xc0, 0, 0xe0, 0]);
/// # Ok::<(), mqtt_sansio::EncodeError>(())
/// ```
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SliceOutput<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> SliceOutput<'a> {
    /// Starts at the first byte of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// What has been written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// What has been written, for as long as the buffer lives.
    #[must_use]
    pub fn into_written(self) -> &'a mut [u8] {
        self.buffer.get_mut(..self.len).unwrap_or_default()
    }

    /// Starts again at the first byte.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    const fn room(&self) -> usize {
        // `len` is never more.
        self.buffer.len().wrapping_sub(self.len)
    }
}

impl Output for SliceOutput<'_> {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        if !self.has_room(len) {
            return Err(EncodeError::NoRoom { needed: len });
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let end = self.len.wrapping_add(bytes.len());
        let Some(room) = self.buffer.get_mut(self.len..end) else {
            return Err(EncodeError::NoRoom {
                needed: bytes.len(),
            });
        };
        room.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }

    #[inline]
    fn has_room(&self, len: usize) -> bool {
        self.room() >= len
    }

    #[inline]
    fn lend(&mut self, more: usize) -> Option<&mut [u8; BLOCK]> {
        if !self.has_room(BLOCK.wrapping_add(more)) {
            return None;
        }
        self.buffer.get_mut(self.len..)?.first_chunk_mut()
    }

    #[inline]
    fn keep(&mut self, used: usize) {
        // Within the buffer, as the block was.
        self.len = self.len.wrapping_add(used);
    }
}

/// How `Vec<u8>` and `BytesMut` are written to once there is room.
#[cfg(any(feature = "alloc", feature = "bytes"))]
macro_rules! append_at_the_end {
    () => {
        #[inline]
        fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            self.extend_from_slice(bytes);
            Ok(())
        }

        #[inline]
        fn has_room(&self, len: usize) -> bool {
            // The same sum as in `extend_from_slice`, which then need not look again.
            self.capacity().wrapping_sub(self.len()) >= len
        }

        #[inline]
        fn lend(&mut self, more: usize) -> Option<&mut [u8; BLOCK]> {
            if !self.has_room(BLOCK.wrapping_add(more)) {
                return None;
            }
            self.extend_from_slice(&[0; BLOCK]);
            self.last_chunk_mut()
        }

        #[inline]
        fn keep(&mut self, used: usize) {
            self.truncate(self.len().wrapping_sub(BLOCK).wrapping_add(used));
        }
    };
}

#[cfg(feature = "alloc")]
impl Output for alloc::vec::Vec<u8> {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        if !self.has_room(len) {
            return grow(self, len);
        }
        Ok(())
    }

    append_at_the_end!();
}

/// Makes room in a vector, for a block too, as it is made larger anyway. Out of line, as that is
/// rare.
#[cfg(feature = "alloc")]
#[cold]
#[inline(never)]
fn grow(vector: &mut alloc::vec::Vec<u8>, len: usize) -> Result<(), EncodeError> {
    vector
        .try_reserve(len.saturating_add(BLOCK))
        .map_err(|_| EncodeError::NoRoom { needed: len })
}

#[cfg(feature = "bytes")]
impl Output for bytes::BytesMut {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        Self::reserve(self, len);
        Ok(())
    }

    append_at_the_end!();
}

/// Any [`bytes::BufMut`] as output (feature `bytes`). It writes within
/// [`remaining_mut`](bytes::BufMut::remaining_mut), so a bounded one refuses what does not fit.
#[cfg(feature = "bytes")]
#[derive(Debug)]
pub struct BufMutOutput<'a, T: bytes::BufMut + ?Sized>(&'a mut T);

#[cfg(feature = "bytes")]
impl<'a, T: bytes::BufMut + ?Sized> BufMutOutput<'a, T> {
    /// Appends to `buffer`.
    pub const fn new(buffer: &'a mut T) -> Self {
        Self(buffer)
    }
}

#[cfg(feature = "bytes")]
impl<T: bytes::BufMut + ?Sized> Output for BufMutOutput<'_, T> {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        if self.0.remaining_mut() < len {
            return Err(EncodeError::NoRoom { needed: len });
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.reserve(bytes.len())?;
        self.0.put_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PacketId;
    use crate::v3::{Packet, PubAck};
    use crate::wire::Encode;
    use std::format;

    const PINGREQ: Packet<&[u8]> = Packet::PingReq;
    const PUBACK: PubAck = PubAck {
        packet_id: PacketId::MIN,
    };

    #[test]
    fn a_new_slice_output_has_nothing_written() {
        let mut buffer = [0xee; 4];
        let output = SliceOutput::new(&mut buffer);
        assert_eq!(output.written(), b"");
        assert_eq!(output.into_written(), b"");
    }

    #[test]
    fn packets_follow_each_other_in_a_slice_output() {
        let mut buffer = [0xee; 8];
        let mut output = SliceOutput::new(&mut buffer);
        PINGREQ.encode(&mut output).unwrap();
        assert_eq!(output.written(), b"\xc0\0");
        PUBACK.encode(&mut output).unwrap();
        assert_eq!(output.written(), b"\xc0\0\x40\x02\0\x01");
        assert_eq!(output.into_written(), b"\xc0\0\x40\x02\0\x01");
        assert_eq!(buffer, *b"\xc0\0\x40\x02\0\x01\xee\xee");
    }

    #[test]
    fn what_was_written_can_be_changed_in_place_and_outlives_the_output() {
        let mut buffer = [0; 4];
        let written = {
            let mut output = SliceOutput::new(&mut buffer);
            PUBACK.encode(&mut output).unwrap();
            output.into_written()
        };
        written[3] = 9;
        assert_eq!(buffer, *b"\x40\x02\0\x09");
    }

    #[test]
    fn a_cleared_slice_output_starts_again_at_the_first_byte() {
        let mut buffer = [0; 4];
        let mut output = SliceOutput::new(&mut buffer);
        PUBACK.encode(&mut output).unwrap();
        output.clear();
        assert_eq!(output.written(), b"");
        PINGREQ.encode(&mut output).unwrap();
        assert_eq!(output.written(), b"\xc0\0");
    }

    #[test]
    fn a_slice_output_may_be_filled_to_the_last_byte() {
        let mut buffer = [0; 6];
        let mut output = SliceOutput::new(&mut buffer);
        PUBACK.encode(&mut output).unwrap();
        PINGREQ.encode(&mut output).unwrap();
        assert_eq!(output.written().len(), 6);
        let full = PINGREQ.encode(&mut output);
        assert_eq!(full, Err(EncodeError::NoRoom { needed: 2 }));
    }

    #[test]
    fn a_slice_output_grants_what_it_has_left_and_no_more() {
        let mut buffer = [0; 3];
        let mut output = SliceOutput::new(&mut buffer);
        output.put(b"a").unwrap();
        assert_eq!(output.reserve(2), Ok(()));
        assert_eq!(output.reserve(3), Err(EncodeError::NoRoom { needed: 3 }));
        assert_eq!(
            output.reserve(usize::MAX),
            Err(EncodeError::NoRoom { needed: usize::MAX })
        );
        assert_eq!(output.put(b"bcd"), Err(EncodeError::NoRoom { needed: 3 }));
        assert_eq!(output.written(), b"a");
        assert_eq!(output.put(b"bc"), Ok(()));
        assert_eq!(output.written(), b"abc");
    }

    #[test]
    fn a_mutable_reference_to_an_output_is_an_output() {
        fn encode_twice(mut output: impl Output) {
            PINGREQ.encode(&mut output).unwrap();
            PUBACK.encode(&mut output).unwrap();
        }
        let mut buffer = [0; 8];
        let mut output = SliceOutput::new(&mut buffer);
        encode_twice(&mut output);
        encode_twice(SliceOutput::new(&mut [0; 6]));
        assert_eq!(output.written(), b"\xc0\0\x40\x02\0\x01");
        assert_eq!(Output::reserve(&mut &mut output, 2), Ok(()));
        assert_eq!(
            Output::reserve(&mut &mut output, 3),
            Err(EncodeError::NoRoom { needed: 3 })
        );
    }

    #[test]
    fn a_packet_is_encoded_to_an_output_that_is_known_at_run_time_only() {
        let mut buffer = [0; 8];
        let mut slice = SliceOutput::new(&mut buffer);
        let output: &mut dyn Output = &mut slice;
        PINGREQ.encode(output).unwrap();
        assert_eq!(slice.written(), b"\xc0\0");
    }

    /// Whether an output with room for `room` bytes lends a block with `more` behind it.
    fn lends(room: usize, more: usize) -> bool {
        let mut buffer = std::vec![0; room];
        let lends = SliceOutput::new(&mut buffer).lend(more).is_some();
        #[cfg(feature = "alloc")]
        assert_eq!(
            alloc::vec::Vec::with_capacity(room).lend(more).is_some(),
            lends
        );
        #[cfg(feature = "bytes")]
        assert_eq!(
            bytes::BytesMut::with_capacity(room).lend(more).is_some(),
            lends
        );
        lends
    }

    #[test]
    fn a_block_is_lent_where_there_is_room_for_it_and_for_what_follows() {
        assert!(lends(BLOCK, 0));
        assert!(!lends(BLOCK.wrapping_sub(1), 0));
        assert!(lends(100, 100_usize.wrapping_sub(BLOCK)));
        assert!(!lends(100, 101_usize.wrapping_sub(BLOCK)));
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_grows_behind_what_it_held() {
        let mut output = b"ab".to_vec();
        PINGREQ.encode(&mut output).unwrap();
        PUBACK.encode(&mut output).unwrap();
        assert_eq!(output, b"ab\xc0\0\x40\x02\0\x01");
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_that_cannot_grow_has_no_room() {
        let mut output = b"ab".to_vec();
        assert_eq!(
            Output::reserve(&mut output, usize::MAX),
            Err(EncodeError::NoRoom { needed: usize::MAX })
        );
        assert_eq!(output, b"ab");
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn bytes_mut_grows_behind_what_it_held() {
        let mut output = bytes::BytesMut::from(&b"ab"[..]);
        PINGREQ.encode(&mut output).unwrap();
        PUBACK.encode(&mut output).unwrap();
        assert_eq!(output, &b"ab\xc0\0\x40\x02\0\x01"[..]);
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn a_bounded_buf_mut_is_written_from_the_front_and_moves_on() {
        let mut buffer = [0xee; 6];
        let mut rest = &mut buffer[..];
        PUBACK.encode(&mut BufMutOutput::new(&mut rest)).unwrap();
        assert_eq!(rest.len(), 2);
        PINGREQ.encode(&mut BufMutOutput::new(&mut rest)).unwrap();
        assert_eq!(rest.len(), 0);
        assert_eq!(buffer, *b"\x40\x02\0\x01\xc0\0");
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn a_bounded_buf_mut_that_lacks_one_byte_is_not_written_at_all() {
        let mut buffer = [0xee; 3];
        let mut rest = &mut buffer[..];
        assert_eq!(
            PUBACK.encode(&mut BufMutOutput::new(&mut rest)),
            Err(EncodeError::NoRoom { needed: 4 })
        );
        assert_eq!(rest.len(), 3);
        assert_eq!(buffer, [0xee; 3]);
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn a_bounded_buf_mut_refuses_bytes_that_nobody_reserved_room_for() {
        let mut buffer = [0xee; 3];
        let mut rest = &mut buffer[..];
        let mut output = BufMutOutput::new(&mut rest);
        assert_eq!(output.put(b"abcd"), Err(EncodeError::NoRoom { needed: 4 }));
        assert_eq!(output.put(b"abc"), Ok(()));
        assert_eq!(buffer, *b"abc");
    }

    #[cfg(feature = "bytes")]
    #[test]
    fn a_buf_mut_that_grows_takes_what_comes() {
        let mut vector = b"ab".to_vec();
        PUBACK.encode(&mut BufMutOutput::new(&mut vector)).unwrap();
        assert_eq!(vector, b"ab\x40\x02\0\x01");
    }

    fn statement_of_empty(packet_type: PacketType) -> Option<&'static str> {
        EncodeError::EmptyList { packet_type }.statement()
    }

    fn statement_of_too_long(field: Field) -> Option<&'static str> {
        EncodeError::FieldTooLong { field }.statement()
    }

    #[test]
    fn a_list_without_entries_breaks_the_statement_of_its_packet() {
        assert_eq!(
            statement_of_empty(PacketType::Subscribe),
            Some("MQTT-3.8.3-3")
        );
        assert_eq!(
            statement_of_empty(PacketType::Unsubscribe),
            Some("MQTT-3.10.3-2")
        );
        assert_eq!(statement_of_empty(PacketType::SubAck), Some("MQTT-3.8.4-5"));
    }

    #[test]
    fn a_topic_that_is_too_long_breaks_a_statement_and_other_fields_do_not() {
        for field in [Field::TopicName, Field::TopicFilter, Field::WillTopic] {
            assert_eq!(statement_of_too_long(field), Some("MQTT-4.7.3-3"));
        }
        for field in [
            Field::ClientIdentifier,
            Field::WillMessage,
            Field::UserName,
            Field::Password,
        ] {
            assert_eq!(statement_of_too_long(field), None);
        }
    }

    #[test]
    fn an_empty_client_id_without_clean_session_breaks_the_clients_statement() {
        assert_eq!(
            EncodeError::ClientIdentifierRequired.statement(),
            Some("MQTT-3.1.3-7")
        );
    }

    #[test]
    fn no_room_and_a_packet_too_large_break_no_statement() {
        assert_eq!(EncodeError::NoRoom { needed: 1 }.statement(), None);
        assert_eq!(EncodeError::PacketTooLarge.statement(), None);
    }

    #[test]
    fn encode_errors_say_what_is_wrong() {
        for (error, message) in [
            (
                EncodeError::NoRoom { needed: 7 },
                "the output has no room for another 7 bytes",
            ),
            (
                EncodeError::FieldTooLong {
                    field: Field::WillMessage,
                },
                "Will Message has more than 65535 bytes",
            ),
            (
                EncodeError::PacketTooLarge,
                "the packet is larger than MQTT allows",
            ),
            (
                EncodeError::ClientIdentifierRequired,
                "an empty Client Identifier needs Clean Session 1 and MQTT 3.1.1",
            ),
            (
                EncodeError::EmptyList {
                    packet_type: PacketType::Unsubscribe,
                },
                "UNSUBSCRIBE needs at least one entry",
            ),
        ] {
            assert_eq!(format!("{error}"), message);
        }
    }
}
