//! PUBLISH without its payload.

use super::publish::{read_head, write_head};
use super::{DecodeError, Publish, PublishProperties, Reader};
use crate::packet::publish::{first_byte, head_end, head_len, retain};
use crate::types::{Delivery, TopicName};
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, Header, Output, PacketBody, PayloadStart,
    scan_variable_byte_integer,
};

/// A PUBLISH without its payload. It is encoded when the payload is sent separately, and decoded
/// before a payload in pieces
/// ([`Decoder::decode_in_pieces`](crate::StreamDecoder::decode_in_pieces)).
///
/// Encoding writes everything before the payload, with a Remaining Length that includes it. The
/// packet is complete when `payload_len` bytes follow.
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
#[expect(clippy::exhaustive_structs, reason = "the fields are those of PUBLISH")]
pub struct PublishHeader<B> {
    /// QoS, and with it Packet Identifier and DUP.
    pub delivery: Delivery,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name. Empty if a Topic Alias replaces it.
    #[cfg_attr(
        all(feature = "serde", feature = "alloc"),
        serde(deserialize_with = "super::serde::topic_or_alias")
    )]
    pub topic: TopicName<B>,
    /// The properties.
    pub properties: PublishProperties<B>,
    /// How many bytes of payload follow.
    pub payload_len: u32,
}

crate::packet::storage!(PublishHeader {
    delivery: value,
    retain: value,
    topic: part,
    properties: part,
    payload_len: value
});

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
            properties: self.properties,
            payload,
        })
    }
}

impl<'a> PublishHeader<&'a [u8]> {
    /// `reader` covers the part of the frame before the payload.
    pub(super) fn read(header: &Header, reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let first_byte = header.first_byte();
        let (delivery, topic, properties, _) = read_head(first_byte, reader)?;
        let payload_len = header.packet_len().saturating_sub(reader.offset());
        Ok(Self {
            delivery,
            retain: retain(first_byte),
            topic,
            properties,
            // At most the Remaining Length, so it never saturates.
            payload_len: u32::try_from(payload_len).unwrap_or(u32::MAX),
        })
    }

    /// Returns where the payload of a PUBLISH starts, whose first bytes are `frame`: after the
    /// properties, whose length follows Topic Name and Packet Identifier.
    pub(super) fn payload_start(
        header: &Header,
        frame: &[u8],
    ) -> Result<PayloadStart, DecodeError> {
        let head_end = match head_end(header, frame)? {
            PayloadStart::At(end) => end,
            other => return Ok(other),
        };
        let fault =
            |field, kind, offset| DecodeError::new(header.packet_type(), field, kind, offset);
        // At most as many as the packet has.
        let come = frame.len().min(header.packet_len());
        let property_length = frame.get(head_end..come).unwrap_or_default();
        let (len, len_len) = match scan_variable_byte_integer(property_length) {
            Ok(scanned) => scanned,
            Err(ErrorKind::Truncated) if come.max(head_end) < header.packet_len() => {
                return Ok(PayloadStart::Unknown(come.max(head_end).saturating_add(1)));
            }
            Err(kind) => return Err(fault(Field::PropertyLength, kind, head_end)),
        };
        let properties = head_end.saturating_add(usize::from(len_len));
        let start = properties.saturating_add(len as usize);
        if start > header.packet_len() {
            return Err(fault(Field::Properties, ErrorKind::Truncated, properties));
        }
        Ok(PayloadStart::At(start))
    }
}

impl<B: AsRef<[u8]>> PacketBody for PublishHeader<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        first_byte(&self.delivery, self.retain)
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        let topic = self.topic.as_bytes();
        write_head(&self.delivery, topic, &self.properties, out)
    }

    #[inline(always)]
    fn external_len(&self) -> usize {
        self.payload_len as usize
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        head_len(&self.delivery, self.topic.as_bytes()).wrapping_add(self.properties.likely_len())
    }
}

impl<B: AsRef<[u8]>> Encode for PublishHeader<B> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v5::peek;
    use crate::wire::Options;

    /// Returns where the payload starts, if the first `known` bytes of a packet determine it.
    fn payload_start(bytes: &[u8], known: usize) -> Result<PayloadStart, DecodeError> {
        let header = peek(bytes, &Options::new()).unwrap().unwrap();
        PublishHeader::payload_start(&header, &bytes[..known])
    }

    #[test]
    fn the_payload_starts_behind_the_properties() {
        let bytes = b"\x30\x08\0\x01a\x02\x01\x01m";
        assert_eq!(payload_start(bytes, 2), Ok(PayloadStart::Unknown(4)));
        assert_eq!(payload_start(bytes, 4), Ok(PayloadStart::Unknown(6)));
        assert_eq!(payload_start(bytes, 6), Ok(PayloadStart::At(8)));
        // A Property Length of two bytes.
        let bytes = b"\x30\x90\x01\0\x01a\x80";
        assert_eq!(payload_start(bytes, 7), Ok(PayloadStart::Unknown(8)));
    }

    #[test]
    fn a_packet_that_ends_before_its_property_length_is_refused_before_it_is_there() {
        for bytes in [&b"\x30\x03\0\x01a"[..], b"\x32\x05\0\x01a\0\x01"] {
            let error = payload_start(bytes, 4).unwrap_err();
            assert_eq!(
                (error.kind(), error.field(), error.offset()),
                (ErrorKind::Truncated, Field::PropertyLength, bytes.len())
            );
        }
    }
}
