//! One message for many receivers: the parts that all of them share are encoded once.

use super::{Delivery, PublishHeader};
use crate::packet::publish::first_byte;
use crate::types::{PacketId, TopicName};
use crate::wire::{
    Encode, EncodeError, Field, MAX_REMAINING_LENGTH, Output, SliceOutput, put_header,
    put_topic_name,
};

/// A message whose Topic Name and payload are encoded once for any number of receivers. Each
/// receiver has its own QoS, Packet Identifier, DUP and RETAIN (section 3.3.5).
///
/// `T` is where the encoded Topic Name lives, `P` where the payload lives. The part of each
/// receiver is a [`SubscriberHeader`] of a few bytes. [`slices`](Self::slices) returns all parts in
/// order for a vectored write, which copies and allocates nothing.
///
/// ```
/// use mqtt_sansio::v3::{Delivery, EncodedMessage};
/// use mqtt_sansio::{PacketId, TopicName};
///
/// let mut buffer = [0; 64];
/// let message = EncodedMessage::encode_to_slice(&mut buffer, &TopicName::new("a/b")?, b"21.5")?;
///
/// let retained = message.subscriber_header(Delivery::AtMostOnce, true);
/// assert_eq!(message.slices(&retained).concat(), b"\x31\x09\x00\x03a/b21.5");
///
/// let packet_id = PacketId::new(7).unwrap();
/// let other = message.subscriber_header(Delivery::AtLeastOnce { packet_id, dup: false }, false);
/// assert_eq!(message.slices(&other).concat(), b"\x32\x0b\x00\x03a/b\x00\x0721.5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncodedMessage<T, P> {
    /// With its two bytes of length.
    topic: T,
    payload: P,
}

/// The part of a PUBLISH that belongs to one receiver: fixed header and Packet Identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SubscriberHeader {
    header: [u8; 5],
    header_len: u8,
    /// Big endian; 0 without one.
    packet_id: [u8; 2],
}

impl<'t, P: AsRef<[u8]>> EncodedMessage<&'t [u8], P> {
    /// Encodes the Topic Name to the start of `buffer`. It takes two bytes more than the name has.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`] if it does not fit; [`EncodeError::PacketTooLarge`] if a PUBLISH of
    /// this message would be larger than MQTT allows, at any QoS.
    pub fn encode_to_slice<B: AsRef<[u8]>>(
        buffer: &'t mut [u8],
        topic: &TopicName<B>,
        payload: P,
    ) -> Result<Self, EncodeError> {
        let mut out = SliceOutput::new(buffer);
        put_topic(&mut out, topic, &payload)?;
        Ok(Self {
            topic: out.into_written(),
            payload,
        })
    }
}

#[cfg(feature = "alloc")]
impl<P: AsRef<[u8]>> EncodedMessage<alloc::vec::Vec<u8>, P> {
    /// Encodes the Topic Name to a new vector (feature `alloc`).
    ///
    /// # Errors
    ///
    /// As [`encode_to_slice`](EncodedMessage::encode_to_slice), but for `NoRoom`.
    pub fn encode_to_vec<B: AsRef<[u8]>>(
        topic: &TopicName<B>,
        payload: P,
    ) -> Result<Self, EncodeError> {
        let mut out = alloc::vec::Vec::new();
        put_topic(&mut out, topic, &payload)?;
        Ok(Self {
            topic: out,
            payload,
        })
    }
}

fn put_topic<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output>(
    out: &mut O,
    topic: &TopicName<B>,
    payload: &P,
) -> Result<(), EncodeError> {
    // The larger of its two forms must be possible.
    PublishHeader {
        delivery: Delivery::AtLeastOnce {
            packet_id: PacketId::MIN,
            dup: false,
        },
        retain: false,
        topic: topic.as_ref(),
        payload_len: u32::try_from(payload.as_ref().len())
            .map_err(|_| EncodeError::PacketTooLarge)?,
    }
    .encoded_len()?;
    let topic = topic.as_bytes();
    out.reserve(topic.len().saturating_add(2))?;
    put_topic_name(out, Field::TopicName, topic)
}

impl<T, P> EncodedMessage<T, P> {
    /// The payload.
    pub const fn payload(&self) -> &P {
        &self.payload
    }

    /// Moves the bytes elsewhere. The functions must not change them: their results are not
    /// validated again.
    pub fn map<U, Q>(
        self,
        topic: impl FnOnce(T) -> U,
        payload: impl FnOnce(P) -> Q,
    ) -> EncodedMessage<U, Q> {
        EncodedMessage {
            topic: topic(self.topic),
            payload: payload(self.payload),
        }
    }
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>> EncodedMessage<T, P> {
    /// The Topic Name.
    ///
    /// ```
    /// use mqtt_sansio::TopicName;
    /// use mqtt_sansio::v3::EncodedMessage;
    ///
    /// let mut buffer = [0; 16];
    /// let topic = TopicName::new("kitchen/light")?;
    /// let message = EncodedMessage::encode_to_slice(&mut buffer, &topic, "on")?;
    /// assert_eq!(message.topic(), "kitchen/light");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn topic(&self) -> TopicName<&[u8]> {
        TopicName::from_valid(self.topic.as_ref().get(2..).unwrap_or_default())
    }

    /// Returns the same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> EncodedMessage<&[u8], &[u8]> {
        EncodedMessage {
            topic: self.topic.as_ref(),
            payload: self.payload.as_ref(),
        }
    }

    /// Returns the bytes that one receiver gets in addition to the shared ones.
    /// [`publish_encoded`](crate::Connection::publish_encoded) calls this, and chooses the Packet
    /// Identifier.
    #[must_use]
    #[inline]
    pub fn subscriber_header(&self, delivery: Delivery, retain: bool) -> SubscriberHeader {
        let packet_id = delivery
            .packet_id()
            .map_or([0; 2], |id| id.get().to_be_bytes());
        let id_len = if packet_id == [0; 2] { 0 } else { 2 };
        let topic_len = self.topic.as_ref().len();
        let remaining = topic_len
            .saturating_add(self.payload.as_ref().len())
            .saturating_add(id_len);
        // Checked when the message was made; only a wrong `map` could lead beyond it.
        let remaining = u32::try_from(remaining).unwrap_or(MAX_REMAINING_LENGTH);
        let mut header = [0; 5];
        let mut out = SliceOutput::new(&mut header);
        // Five bytes are room for any fixed header.
        let _ = put_header(&mut out, first_byte(&delivery, retain), remaining);
        let header_len = out.written().len();
        SubscriberHeader {
            header,
            header_len: u8::try_from(header_len).unwrap_or(5),
            packet_id,
        }
    }

    /// Returns the PUBLISH for a receiver, in the order in which to send it: fixed header, Topic
    /// Name, Packet Identifier (empty at QoS 0), payload. `part` must be a header of this message.
    #[must_use]
    #[inline]
    pub fn slices<'a>(&'a self, part: &'a SubscriberHeader) -> [&'a [u8]; 4] {
        [
            part.fixed_header(),
            self.topic.as_ref(),
            part.packet_id_bytes(),
            self.payload.as_ref(),
        ]
    }

    /// Appends the PUBLISH for a receiver to `out`, for transports without vectored writes. `part`
    /// must be a header of this message.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`] if it does not fit; nothing is written then.
    pub fn write<O: Output + ?Sized>(
        &self,
        part: &SubscriberHeader,
        out: &mut O,
    ) -> Result<(), EncodeError> {
        let slices = self.slices(part);
        out.reserve(
            slices
                .iter()
                .fold(0, |len, slice| len.saturating_add(slice.len())),
        )?;
        slices.into_iter().try_for_each(|slice| out.put(slice))
    }
}

impl SubscriberHeader {
    /// Returns the Packet Identifier, or `None` at QoS 0.
    #[must_use]
    pub const fn packet_id(&self) -> Option<PacketId> {
        PacketId::new(u16::from_be_bytes(self.packet_id))
    }

    /// Returns packet type, flags and Remaining Length: two to five bytes.
    #[must_use]
    #[inline]
    pub fn fixed_header(&self) -> &[u8] {
        self.header
            .get(..usize::from(self.header_len))
            .unwrap_or_default()
    }

    /// Returns the encoded Packet Identifier: two bytes, or none at QoS 0.
    #[must_use]
    #[inline]
    pub const fn packet_id_bytes(&self) -> &[u8] {
        match &self.packet_id {
            [0, 0] => &[],
            bytes => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::Publish;
    use crate::v3::testing::{TOO_LONG, id};
    use std::vec::Vec;

    const DELIVERIES: [Delivery; 5] = [
        Delivery::AtMostOnce,
        Delivery::AtLeastOnce {
            packet_id: PacketId::MIN,
            dup: false,
        },
        Delivery::AtLeastOnce {
            packet_id: PacketId::MAX,
            dup: true,
        },
        Delivery::ExactlyOnce {
            packet_id: PacketId::MIN,
            dup: false,
        },
        Delivery::ExactlyOnce {
            packet_id: PacketId::MAX,
            dup: true,
        },
    ];

    #[test]
    fn a_message_for_many_receivers_is_the_publish_that_each_of_them_would_get() {
        let payload: Vec<u8> = (0..=255).cycle().take(3 << 20).collect();
        let topic = TopicName::new("kitchen/temperature").unwrap();
        let lengths = [
            0, 1, 103, 104, 105, 106, 107, 127, 128, 16_361, 16_362, 16_363, 2_097_129, 2_097_130,
            2_097_131,
        ];
        for len in lengths {
            let mut buffer = [0; 32];
            let message =
                EncodedMessage::encode_to_slice(&mut buffer, &topic, &payload[..len]).unwrap();
            for delivery in DELIVERIES {
                for retain in [false, true] {
                    let publish = Publish {
                        delivery,
                        retain,
                        topic,
                        payload: &payload[..len],
                    };
                    let mut expected = std::vec![0; len + 64];
                    let expected = publish.encode_to_slice(&mut expected).unwrap();
                    let part = message.subscriber_header(delivery, retain);
                    assert_eq!(part.packet_id(), delivery.packet_id());
                    assert!(message.slices(&part).concat() == expected, "{publish:?}");
                    let mut written = std::vec![0; len + 64];
                    let mut out = SliceOutput::new(&mut written);
                    message.write(&part, &mut out).unwrap();
                    assert!(out.written() == expected, "{publish:?}");
                }
            }
        }
    }

    #[test]
    fn a_topic_name_without_room_for_its_length_is_refused() {
        let topic = TopicName::new("a/b").unwrap();
        for room in 0..5 {
            let mut buffer = [0; 5];
            assert_eq!(
                EncodedMessage::encode_to_slice(&mut buffer[..room], &topic, b""),
                Err(EncodeError::NoRoom { needed: 5 })
            );
        }
        let mut buffer = [0; 5];
        let message = EncodedMessage::encode_to_slice(&mut buffer, &topic, b"").unwrap();
        assert_eq!(*message.payload(), b"");
    }

    #[test]
    fn a_message_that_is_too_large_with_an_identifier_is_refused_though_it_would_fit_without() {
        let topic = TopicName::new("t").unwrap();
        let largest = 268_435_455 - 3;
        let payload = std::vec![0; largest];
        let too_large = Err(EncodeError::PacketTooLarge);
        let encode =
            |len| EncodedMessage::encode_to_slice(&mut [0; 8], &topic, &payload[..len]).map(|_| ());
        assert_eq!(encode(largest), too_large);
        assert_eq!(encode(largest - 1), too_large);
        assert_eq!(encode(largest - 2), Ok(()));
    }

    #[test]
    fn a_topic_name_of_65536_bytes_is_refused() {
        let topic = TopicName::new("t").unwrap().map(|_| &TOO_LONG[..]);
        let mut buffer = std::vec![0; 70_000];
        assert_eq!(
            EncodedMessage::encode_to_slice(&mut buffer, &topic, b""),
            Err(EncodeError::FieldTooLong {
                field: Field::TopicName
            })
        );
    }

    #[test]
    fn writing_to_an_output_without_room_writes_nothing() {
        let mut buffer = [0; 8];
        let topic = TopicName::new("t").unwrap();
        let message = EncodedMessage::encode_to_slice(&mut buffer, &topic, b"hi").unwrap();
        let delivery = Delivery::AtLeastOnce {
            packet_id: id(5),
            dup: false,
        };
        let part = message.subscriber_header(delivery, false);
        let mut room = [0xee; 8];
        let mut out = SliceOutput::new(&mut room);
        let refused = message.write(&part, &mut out);
        assert_eq!(refused, Err(EncodeError::NoRoom { needed: 9 }));
        assert_eq!(room, [0xee; 8]);
    }

    #[test]
    fn the_bytes_may_move() {
        let mut buffer = [0; 8];
        let topic = TopicName::new("t").unwrap();
        let message = EncodedMessage::encode_to_slice(&mut buffer, &topic, *b"hi").unwrap();
        let moved = message.map(<[u8]>::to_vec, Vec::from);
        let part = moved.subscriber_header(Delivery::AtMostOnce, false);
        assert_eq!(moved.slices(&part).concat(), b"\x30\x05\0\x01thi");
        assert_eq!(moved.as_ref(), message.as_ref());
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_takes_the_topic_name_as_a_slice_does() {
        let topic = TopicName::new("a/b").unwrap();
        let vec = EncodedMessage::encode_to_vec(&topic, b"x").unwrap();
        let mut buffer = [0; 5];
        let slice = EncodedMessage::encode_to_slice(&mut buffer, &topic, b"x").unwrap();
        assert_eq!(vec.as_ref(), slice.as_ref());
    }
}
