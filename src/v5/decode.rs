//! The decoder of MQTT 5: packet types and flags.

use super::statement;
use super::{
    Auth, ConnAck, DecodeError, Disconnect, EncodedConnect, Packet, PacketRef, PropertySet, PubAck,
    PubComp, PubRec, PubRel, Publish, PublishHeader, Reaction, Reader, SubAck, Subscribe, UnsubAck,
    Unsubscribe,
};
use crate::packet;
use crate::packet::publish::is_publish;
use crate::types::PacketId;
use crate::wire::{
    ErrorKind, Field, Header, OPTIMIZE_SIZE, Options, PacketSet, PacketType, PayloadStart,
    Rejected, Sealed, SentBy, acknowledgement,
};

/// MQTT 5, as a parameter of [`Decoder`](crate::StreamDecoder).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum V5 {}

/// Reads only the fixed header at the start of `src`, for example for the length of a packet that
/// is incomplete. Returns `Ok(None)` if more bytes are needed.
///
/// # Errors
///
/// A fault of the fixed header: a reserved type, wrong flags, a Remaining Length of more than four
/// bytes or of more than its value needs, or a packet over [`Options::max_packet_size`].
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
/// use mqtt_sansio::{Options, v5::{self, Packet}};
///
/// let mut src = &b"\x30\x0d\x00\x03a/b\x05\x02\x00\x00\x00\x3chi\xd0\x00\xd0"[..];
/// let Some(Packet::Publish(publish)) = v5::decode(&mut src, &Options::new())? else { panic!() };
/// assert_eq!(publish.topic, "a/b");
/// assert_eq!(publish.properties.message_expiry_interval(), Some(60));
/// assert_eq!(publish.payload, b"hi");
/// assert_eq!(v5::decode(&mut src, &Options::new())?, Some(Packet::PingResp));
/// assert_eq!(v5::decode(&mut src, &Options::new())?, None);
/// assert_eq!(src, b"\xd0");
/// # Ok::<(), mqtt_sansio::v5::DecodeError>(())
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

impl Sealed for V5 {}

/// Reads a PUBLISH whose frame is complete, and which properties it has. A shortcut: `None` means that
/// the general route decides.
#[inline(always)]
pub(crate) fn try_read_publish<'a>(
    header: &Header,
    body: &'a [u8],
) -> Option<(Publish<&'a [u8]>, PropertySet)> {
    if !is_publish(header.first_byte()) {
        return None;
    }
    let reader = &mut crate::wire::Reader::<Rejected>::of_body(header, body);
    Publish::read_with_set(header.first_byte(), reader).ok()
}

/// Reads an acknowledgement in its shortest form, which may have this Reason Code.
#[inline(always)]
fn try_read_acknowledgement<'a>(frame: [u8; 4], code: u8) -> Option<PacketRef<'a>> {
    let (packet_type, packet_id) = acknowledgement(frame)?;
    let packet_id = PacketId::from(packet_id);
    match packet_type {
        PacketType::PubAck => PubAck::with_code(packet_id, code).map(Packet::PubAck),
        PacketType::PubRec => PubRec::with_code(packet_id, code).map(Packet::PubRec),
        PacketType::PubRel => PubRel::with_code(packet_id, code).map(Packet::PubRel),
        PacketType::PubComp => PubComp::with_code(packet_id, code).map(Packet::PubComp),
        _ => None,
    }
}

impl PacketSet for V5 {
    type Packet<'a> = PacketRef<'a>;
    type PayloadHeader<'a> = PublishHeader<&'a [u8]>;
    type Reaction = Reaction;

    const HAS_PROPERTIES: bool = true;

    fn statement(
        packet_type: Option<PacketType>,
        field: Option<Field>,
        kind: ErrorKind,
    ) -> Option<&'static str> {
        statement::of(packet_type, field, kind)
    }

    fn reaction(error: &DecodeError) -> Reaction {
        Reaction::to(error)
    }

    /// [MQTT5-1.5.5-1]
    #[inline(always)]
    fn refuses_overlong_remaining_length(_: &Options) -> bool {
        true
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn check_first_byte(first_byte: u8, options: &Options) -> Result<(), DecodeError> {
        if !OPTIMIZE_SIZE && is_publish(first_byte) {
            return Ok(());
        }
        let packet_type = PacketType::from_number(first_byte >> 4);
        packet::check_first_byte(packet_type, first_byte, options)
    }

    /// PINGREQ and PINGRESP that are too long are refused before the rest arrives, and by `read`
    /// too, so that the fault does not depend on how many bytes were received.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn check_header(header: &Header, _: &Options) -> Result<(), DecodeError> {
        let Some(packet_type @ (PacketType::PingReq | PacketType::PingResp)) = header.packet_type()
        else {
            return Ok(());
        };
        if header.remaining_length() == 0 {
            return Ok(());
        }
        let (field, kind) = (Field::RemainingLength, ErrorKind::TrailingBytes);
        Err(DecodeError::new(
            Some(packet_type),
            field,
            kind,
            header.len(),
        ))
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
        let (to_client, to_server) = (sent_by != SentBy::Client, sent_by != SentBy::Server);
        let packet = match header.packet_type() {
            Some(PacketType::Connect) if to_server => {
                EncodedConnect::read(reader).map(Packet::Connect)
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
            Some(PacketType::PingReq) => Ok(Packet::PingReq),
            Some(PacketType::PingResp) => Ok(Packet::PingResp),
            Some(PacketType::Disconnect) => Disconnect::read(reader).map(Packet::Disconnect),
            Some(PacketType::Auth) => Auth::read(reader).map(Packet::Auth),
            None => Err(DecodeError::reserved_packet_type()),
            Some(_) => return Ok(None),
        };
        match packet {
            Ok(packet) => Ok(Some(packet)),
            Err(error) => Err(error.with_byte_of(frame)),
        }
    }

    #[inline(always)]
    fn try_read_publish<'a>(header: &Header, body: &'a [u8]) -> Option<PacketRef<'a>> {
        try_read_publish(header, body).map(|(publish, _)| Packet::Publish(publish))
    }

    /// Reads acknowledgements without properties, and pings.
    #[inline(always)]
    fn try_read_short<'a>(src: &[u8]) -> Option<(PacketRef<'a>, &[u8])> {
        let (packet, rest) = match *src {
            [a, 2, c, d, ref rest @ ..] => (try_read_acknowledgement([a, 2, c, d], 0), rest),
            [a, 3, c, d, code, ref rest @ ..] => {
                (try_read_acknowledgement([a, 2, c, d], code), rest)
            }
            [0xc0, 0, ref rest @ ..] => (Some(Packet::PingReq), rest),
            [0xd0, 0, ref rest @ ..] => (Some(Packet::PingResp), rest),
            _ => return None,
        };
        Some((packet?, rest))
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
