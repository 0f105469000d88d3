//! The decoder of MQTT 3.1 and 3.1.1: packet types, flags, and the fixed sizes of packets.

use super::statement::{self, Reaction};
use super::{
    ConnAck, DecodeError, EncodedConnect, Packet, PacketRef, PubAck, PubComp, PubRec, PubRel,
    Publish, PublishHeader, Reader, SubAck, Subscribe, UnsubAck, Unsubscribe,
};
use crate::packet;
use crate::packet::publish::is_publish;
use crate::types::PacketId;
use crate::wire::{
    ErrorKind, Field, Header, OPTIMIZE_SIZE, Options, PacketSet, PacketType, PayloadStart,
    Rejected, Sealed, SentBy, acknowledgement,
};

/// MQTT 3.1.1 and MQTT 3.1, as a parameter of [`Decoder`](crate::StreamDecoder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum V3 {}

/// Reads only the fixed header at the start of `src`, for example for the length of a packet that
/// is incomplete. Returns `Ok(None)` if more bytes are needed.
///
/// # Errors
///
/// A fault of the fixed header: a reserved type, wrong flags, a Remaining Length of more than four
/// bytes or one that a packet of fixed size cannot have, or a packet over
/// [`Options::max_packet_size`].
pub fn peek(src: &[u8], options: &Options) -> Result<Option<Header>, DecodeError> {
    packet::peek(src, options)
}

/// Decodes the packet at the start of `src` and moves `src` past it. Returns `Ok(None)` if more bytes
/// are needed. Then, and after an error, `src` is unchanged.
///
/// For input that is complete: a file, a test. For a stream, use a
/// [`Decoder`](crate::StreamDecoder), which keeps an incomplete packet.
///
/// ```
/// use mqtt_sansio::{Options, v3::{self, Packet}};
///
/// let mut src = &b"\x30\x07\x00\x03a/bhi\xd0\x00\xd0"[..];
/// let Some(Packet::Publish(publish)) = v3::decode(&mut src, &Options::new())? else { panic!() };
/// assert_eq!(publish.topic, "a/b");
/// assert_eq!(publish.payload, b"hi");
/// assert_eq!(v3::decode(&mut src, &Options::new())?, Some(Packet::PingResp));
/// assert_eq!(v3::decode(&mut src, &Options::new())?, None);
/// assert_eq!(src, b"\xd0");
/// # Ok::<(), mqtt_sansio::v3::DecodeError>(())
/// ```
///
/// # Errors
///
/// The first fault of the packet.
#[inline]
pub fn decode<'a>(
    src: &mut &'a [u8],
    options: &Options,
) -> Result<Option<PacketRef<'a>>, DecodeError> {
    packet::decode(src, options)
}

/// Reads a PUBLISH whose frame is complete. A shortcut: `None` means that the general route
/// decides.
#[inline(always)]
pub(crate) fn try_read_publish<'a>(header: &Header, body: &'a [u8]) -> Option<Publish<&'a [u8]>> {
    if !is_publish(header.first_byte()) {
        return None;
    }
    let reader = &mut Reader::<Rejected>::of_body(header, body);
    Publish::read(header.first_byte(), reader).ok()
}

/// Returns the Remaining Length of the packets for which only one is valid (sections 3.2, 3.4 to
/// 3.7, 3.11 to 3.14).
const fn only_remaining_length(packet_type: PacketType) -> Option<(u32, Field)> {
    match packet_type {
        PacketType::ConnAck => Some((2, Field::ConnectReturnCode)),
        PacketType::PubAck
        | PacketType::PubRec
        | PacketType::PubRel
        | PacketType::PubComp
        | PacketType::UnsubAck => Some((2, Field::PacketIdentifier)),
        PacketType::PingReq | PacketType::PingResp | PacketType::Disconnect => {
            Some((0, Field::RemainingLength))
        }
        PacketType::Connect
        | PacketType::Publish
        | PacketType::Subscribe
        | PacketType::SubAck
        | PacketType::Unsubscribe
        | PacketType::Auth => None,
    }
}

/// Returns the packet type, unless MQTT 3.1.1 reserves it: 0 and 15 (Table 2.1).
const fn packet_type(first_byte: u8) -> Option<PacketType> {
    match PacketType::from_number(first_byte >> 4) {
        Some(PacketType::Auth) | None => None,
        known => known,
    }
}

impl Sealed for V3 {}

impl PacketSet for V3 {
    type Packet<'a> = PacketRef<'a>;
    type PayloadHeader<'a> = PublishHeader<&'a [u8]>;
    type Reaction = Reaction;

    fn statement(
        packet_type: Option<PacketType>,
        field: Option<Field>,
        kind: ErrorKind,
    ) -> Option<&'static str> {
        statement::of(packet_type, field, kind)
    }

    fn reaction(error: &DecodeError) -> Reaction {
        Reaction::to(error.kind())
    }

    /// MQTT 3.1.1 allows a longer form.
    #[inline(always)]
    fn refuses_overlong_remaining_length(options: &Options) -> bool {
        options.refuses_overlong_remaining_length()
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn check_first_byte(first_byte: u8, options: &Options) -> Result<(), DecodeError> {
        if !OPTIMIZE_SIZE && is_publish(first_byte) {
            return Ok(());
        }
        packet::check_first_byte(packet_type(first_byte), first_byte, options)
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn check_header(header: &Header, _: &Options) -> Result<(), DecodeError> {
        let Some(packet_type) = header.packet_type() else {
            return Ok(());
        };
        // A packet of fixed size with a larger Remaining Length is refused by its fixed header, so
        // that the rest need not be buffered; also by `read`, so that the fault does not depend on
        // how many bytes were received.
        match only_remaining_length(packet_type) {
            // As in MQTT 5: `read` reports the Reason Code that follows.
            _ if packet_type == PacketType::Disconnect
                && matches!(header.remaining_length(), 1 | 2) =>
            {
                Ok(())
            }
            Some((only, field)) if header.remaining_length() > only => {
                let offset = header.len().saturating_add(only as usize);
                let kind = ErrorKind::TrailingBytes;
                Err(DecodeError::new(Some(packet_type), field, kind, offset))
            }
            _ => Ok(()),
        }
    }

    #[inline(never)]
    fn read<'a>(
        header: &Header,
        frame: &'a [u8],
        options: &Options,
        sent_by: SentBy,
    ) -> Result<Option<PacketRef<'a>>, DecodeError> {
        let first_byte = header.first_byte();
        Self::check_first_byte(first_byte, options)?;
        Self::check_header(header, options)?;
        let reader = &mut Reader::new(header, frame).with_options(options);
        let empty = |packet| {
            reader.finish(Field::RemainingLength)?;
            Ok(packet)
        };
        let (to_client, to_server) = (sent_by != SentBy::Client, sent_by != SentBy::Server);
        let packet = match header.packet_type() {
            Some(PacketType::Connect) if to_server => {
                EncodedConnect::read(reader, options).map(Packet::Connect)
            }
            Some(PacketType::ConnAck) if to_client => ConnAck::read(reader).map(Packet::ConnAck),
            Some(PacketType::Publish) => Publish::read(first_byte, reader).map(Packet::Publish),
            Some(PacketType::PubAck) => PubAck::read(reader).map(Packet::PubAck),
            Some(PacketType::PubRec) => PubRec::read(reader).map(Packet::PubRec),
            Some(PacketType::PubRel) => PubRel::read(reader).map(Packet::PubRel),
            Some(PacketType::PubComp) => PubComp::read(reader).map(Packet::PubComp),
            Some(PacketType::Subscribe) if to_server => {
                Subscribe::read(reader, options).map(Packet::Subscribe)
            }
            Some(PacketType::SubAck) if to_client => SubAck::read(reader).map(Packet::SubAck),
            Some(PacketType::Unsubscribe) if to_server => {
                Unsubscribe::read(reader, options).map(Packet::Unsubscribe)
            }
            Some(PacketType::UnsubAck) if to_client => UnsubAck::read(reader).map(Packet::UnsubAck),
            Some(PacketType::PingReq) => empty(Packet::PingReq),
            Some(PacketType::PingResp) => empty(Packet::PingResp),
            Some(PacketType::Disconnect) => empty(Packet::Disconnect),
            Some(PacketType::Auth) | None => Err(DecodeError::reserved_packet_type()),
            Some(_) => return Ok(None),
        };
        match packet {
            Ok(packet) => Ok(Some(packet)),
            Err(error) => Err(error.with_byte_of(frame)),
        }
    }

    #[inline(always)]
    fn try_read_publish<'a>(header: &Header, body: &'a [u8]) -> Option<PacketRef<'a>> {
        try_read_publish(header, body).map(Packet::Publish)
    }

    /// Reads acknowledgements and pings.
    #[inline(always)]
    fn try_read_short<'a>(src: &[u8]) -> Option<(PacketRef<'a>, &[u8])> {
        match *src {
            [a, 2, c, d, ref rest @ ..] => {
                let (packet_type, packet_id) = acknowledgement([a, 2, c, d])?;
                let packet_id = PacketId::from(packet_id);
                let packet = match packet_type {
                    PacketType::PubAck => Packet::PubAck(PubAck { packet_id }),
                    PacketType::PubRec => Packet::PubRec(PubRec { packet_id }),
                    PacketType::PubRel => Packet::PubRel(PubRel { packet_id }),
                    PacketType::PubComp => Packet::PubComp(PubComp { packet_id }),
                    _ => return None,
                };
                Some((packet, rest))
            }
            [0xc0, 0, ref rest @ ..] => Some((Packet::PingReq, rest)),
            [0xd0, 0, ref rest @ ..] => Some((Packet::PingResp, rest)),
            _ => None,
        }
    }

    fn payload_start(header: &Header, frame: &[u8]) -> Result<PayloadStart, DecodeError> {
        match header.packet_type() {
            Some(PacketType::Publish) => PublishHeader::payload_start(header, frame),
            _ => Ok(PayloadStart::Whole),
        }
    }

    fn read_payload_header<'a>(
        header: &Header,
        frame: &'a [u8],
        options: &Options,
    ) -> Result<PublishHeader<&'a [u8]>, DecodeError> {
        let reader = &mut Reader::new(header, frame).with_options(options);
        PublishHeader::read(header, reader)
    }
}

#[cfg(test)]
mod tests;
