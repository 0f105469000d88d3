//! PUBLISH (section 3.3).

use super::{DecodeError, Reader};
use crate::packet::publish::{first_byte, head_end, head_len, put_packet_id, read_head, retain};
use crate::types::{Delivery, TopicName};
use crate::wire::{
    Encode, EncodeError, Field, Header, Output, PacketBody, PayloadStart, ReadError, put_topic_name,
};

/// PUBLISH: an application message (section 3.3).
///
/// ```
/// use mqtt_sansio::{Encode, TopicName, v3::{Delivery, Publish}};
///
/// let publish = Publish {
///     delivery: Delivery::AtMostOnce,
///     retain: false,
///     topic: TopicName::new("a/b")?,
///     payload: &b"21.5"[..],
/// };
/// assert_eq!(publish.encode_to_slice(&mut [0; 64])?, b"\x30\x09\x00\x03a/b21.5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::string::String> + From<alloc::vec::Vec<u8>>"
    ))
)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields are the standard's; a new one would be a new version of MQTT"
)]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct Publish<B> {
    /// QoS, and with it Packet Identifier and DUP.
    pub delivery: Delivery,
    /// RETAIN. To a server: keep the message for later subscribers. From a server: this is such
    /// a kept message (section 3.3.1.3).
    pub retain: bool,
    /// Topic Name.
    pub topic: TopicName<B>,
    /// The payload; may be empty.
    #[cfg_attr(feature = "serde", serde(with = "crate::packet::serde::message"))]
    pub payload: B,
}

/// A PUBLISH without its payload. It is encoded when the payload is sent separately, and decoded
/// before a payload in pieces
/// ([`Decoder::decode_in_pieces`](crate::StreamDecoder::decode_in_pieces)).
///
/// Encoding writes everything before the payload, with a Remaining Length that includes it. The
/// packet is complete when `payload_len` bytes follow: in a vectored write, which does not copy a
/// large payload, or piece by piece, so that it is never in memory as a whole.
///
/// ```
/// use mqtt_sansio::{Encode, TopicName, v3::{Delivery, PublishHeader}};
///
/// let header = PublishHeader {
///     delivery: Delivery::AtMostOnce,
///     retain: false,
///     topic: TopicName::new("firmware")?,
///     payload_len: 100_000_000,
/// };
/// assert_eq!(header.encode_to_slice(&mut [0; 64])?.len(), 15); // then 100 MB, from wherever they are
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::string::String>"
    ))
)]
#[expect(clippy::exhaustive_structs, reason = "the fields are those of PUBLISH")]
pub struct PublishHeader<B> {
    /// QoS, and with it Packet Identifier and DUP.
    pub delivery: Delivery,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name.
    pub topic: TopicName<B>,
    /// How many bytes of payload follow.
    pub payload_len: u32,
}

crate::packet::storage!(Publish {
    delivery: value,
    retain: value,
    topic: part,
    payload: bytes
});
crate::packet::storage!(PublishHeader {
    delivery: value,
    retain: value,
    topic: part,
    payload_len: value
});

impl<B: AsRef<[u8]>> Publish<B> {
    /// Returns everything but the payload, to encode it before the payload is sent separately.
    ///
    /// # Errors
    ///
    /// [`EncodeError::PacketTooLarge`] if the payload has more bytes than a `u32` holds. A shorter
    /// one that exceeds the largest packet is refused when the header is encoded.
    #[inline]
    pub fn header(&self) -> Result<PublishHeader<&[u8]>, EncodeError> {
        let Ok(payload_len) = u32::try_from(self.payload.as_ref().len()) else {
            return Err(EncodeError::PacketTooLarge);
        };
        Ok(PublishHeader {
            delivery: self.delivery,
            retain: self.retain,
            topic: self.topic.as_ref(),
            payload_len,
        })
    }
}

impl<B: AsRef<[u8]>> PublishHeader<B> {
    /// Returns the whole packet, or `None` if the payload does not have `payload_len` bytes.
    #[must_use]
    pub fn with_payload(self, payload: B) -> Option<Publish<B>> {
        if u32::try_from(payload.as_ref().len()) != Ok(self.payload_len) {
            return None;
        }
        Some(Publish {
            delivery: self.delivery,
            retain: self.retain,
            topic: self.topic,
            payload,
        })
    }
}

impl<'a> Publish<&'a [u8]> {
    #[inline(always)]
    pub(super) fn read<F: ReadError>(
        first_byte: u8,
        reader: &mut Reader<'a, F>,
    ) -> Result<Self, F> {
        // [MQTT-3.3.2-1, MQTT-3.3.2-2]
        let (delivery, topic) = read_head(first_byte, reader, TopicName::check)?;
        Ok(Self {
            delivery,
            retain: retain(first_byte),
            topic,
            payload: reader.remaining(),
        })
    }
}

impl<'a> PublishHeader<&'a [u8]> {
    /// `reader` covers the part of the frame before the payload.
    pub(super) fn read(header: &Header, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let first_byte = header.first_byte();
        // [MQTT-3.3.2-1, MQTT-3.3.2-2]
        let (delivery, topic) = read_head(first_byte, reader, TopicName::check)?;
        let payload_len = header.packet_len().saturating_sub(reader.offset());
        Ok(Self {
            delivery,
            retain: retain(first_byte),
            topic,
            // At most the Remaining Length, so it never saturates.
            payload_len: u32::try_from(payload_len).unwrap_or(u32::MAX),
        })
    }

    /// Returns where the payload of a PUBLISH starts, whose first bytes are `frame`.
    pub(super) fn payload_start(
        header: &Header,
        frame: &[u8],
    ) -> Result<PayloadStart, DecodeError> {
        head_end(header, frame)
    }
}

/// Writes Topic Name and Packet Identifier.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
fn write_head<O: Output + ?Sized>(
    delivery: &Delivery,
    topic: &[u8],
    out: &mut O,
) -> Result<(), EncodeError> {
    put_topic_name(out, Field::TopicName, topic)?;
    put_packet_id(delivery, out)
}

impl<B: AsRef<[u8]>> PacketBody for Publish<B> {
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn first_byte(&self) -> u8 {
        first_byte(&self.delivery, self.retain)
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        write_head(&self.delivery, self.topic.as_bytes(), out)
    }

    #[inline]
    fn payload(&self) -> &[u8] {
        self.payload.as_ref()
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        head_len(&self.delivery, self.topic.as_bytes())
    }
}

impl<B: AsRef<[u8]>> Encode for Publish<B> {}

impl<B: AsRef<[u8]>> PacketBody for PublishHeader<B> {
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn first_byte(&self) -> u8 {
        first_byte(&self.delivery, self.retain)
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        write_head(&self.delivery, self.topic.as_bytes(), out)
    }

    #[inline]
    fn external_len(&self) -> usize {
        self.payload_len as usize
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        head_len(&self.delivery, self.topic.as_bytes())
    }
}

impl<B: AsRef<[u8]>> Encode for PublishHeader<B> {}

#[cfg(test)]
mod tests;
