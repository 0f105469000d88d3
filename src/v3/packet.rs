//! Any of the fourteen packets, and which one a fixed header announces.

use super::ack::acknowledgement;
use super::publish::{flag_fault as publish_flag_fault, is_publish};
use super::{
    ConnAck, EncodedConnect, PubAck, PubComp, PubRec, PubRel, Publish, PublishHeader, SubAck,
    Subscribe, UnsubAck, Unsubscribe,
};
#[cfg(feature = "alloc")]
use super::{Connect, Credentials, Subscription, Will};
use crate::wire::{
    DecodeError, Encode, EncodeError, ErrorKind, Field, Header, OPTIMIZE_SIZE, Options, Output,
    PacketBody, PacketSet, PacketType, PayloadStart, Reader, Rejected, checked_header,
    encode_bytes, frame, frame_at_hand,
};

/// One MQTT Control Packet. `B` is where its bytes live.
///
/// Decoding yields [`PacketRef`], which borrows from the input. [`map`](Self::map) moves the bytes
/// elsewhere, [`to_owned`](Self::to_owned) to the heap, `share` (feature `bytes`) to a reference
/// into the `Bytes` that the packet was decoded from.
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
    clippy::exhaustive_enums,
    reason = "the standard lists fourteen packets and reserves the rest"
)]
// Not for others to rely on. With a tag as wide as a pointer, and with the small fields of all
// packets in front of their pointers (`repr(C)`), bytes that are written one by one are never read
// as a part of eight: the processor would have to wait until they have gone through. What the
// compiler chooses otherwise costs a small PUBLISH twice the time.
#[cfg_attr(target_pointer_width = "64", repr(usize))]
pub enum Packet<B> {
    /// Client to server: asks for a connection. [`EncodedConnect::to_connect`] has the fields.
    Connect(EncodedConnect<B>),
    /// Server to client: accepts or refuses it.
    ConnAck(ConnAck),
    /// Either way: an application message.
    Publish(Publish<B>),
    /// Either way: a QoS 1 message has arrived.
    PubAck(PubAck),
    /// Either way: a QoS 2 message has arrived.
    PubRec(PubRec),
    /// Either way: a QoS 2 message is released.
    PubRel(PubRel),
    /// Either way: a QoS 2 message is complete.
    PubComp(PubComp),
    /// Client to server: asks for subscriptions.
    Subscribe(Subscribe<B>),
    /// Server to client: the answer to SUBSCRIBE.
    SubAck(SubAck<B>),
    /// Client to server: ends subscriptions.
    Unsubscribe(Unsubscribe<B>),
    /// Server to client: the answer to UNSUBSCRIBE.
    UnsubAck(UnsubAck),
    /// Client to server: are you there? (section 3.12)
    PingReq,
    /// Server to client: yes. (section 3.13)
    PingResp,
    /// Client to server: the connection ends cleanly. (section 3.14)
    Disconnect,
}

/// A packet that borrows from the bytes it was decoded from.
pub type PacketRef<'a> = Packet<&'a [u8]>;

impl<B> Packet<B> {
    /// Which of the fourteen it is.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect => PacketType::Disconnect,
        }
    }

    /// Moves the bytes elsewhere, field by field. `f` must keep them as they are: what it returns
    /// is not checked again.
    pub fn map<C>(self, f: impl FnMut(B) -> C) -> Packet<C> {
        match self {
            Self::Connect(packet) => Packet::Connect(packet.map(f)),
            Self::ConnAck(packet) => Packet::ConnAck(packet),
            Self::Publish(packet) => Packet::Publish(packet.map(f)),
            Self::PubAck(packet) => Packet::PubAck(packet),
            Self::PubRec(packet) => Packet::PubRec(packet),
            Self::PubRel(packet) => Packet::PubRel(packet),
            Self::PubComp(packet) => Packet::PubComp(packet),
            Self::Subscribe(packet) => Packet::Subscribe(packet.map(f)),
            Self::SubAck(packet) => Packet::SubAck(packet.map(f)),
            Self::Unsubscribe(packet) => Packet::Unsubscribe(packet.map(f)),
            Self::UnsubAck(packet) => Packet::UnsubAck(packet),
            Self::PingReq => Packet::PingReq,
            Self::PingResp => Packet::PingResp,
            Self::Disconnect => Packet::Disconnect,
        }
    }
}

impl<B: AsRef<[u8]>> Packet<B> {
    /// The same, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> PacketRef<'_> {
        match self {
            Self::Connect(packet) => Packet::Connect(packet.as_ref()),
            Self::ConnAck(packet) => Packet::ConnAck(*packet),
            Self::Publish(packet) => Packet::Publish(packet.as_ref()),
            Self::PubAck(packet) => Packet::PubAck(*packet),
            Self::PubRec(packet) => Packet::PubRec(*packet),
            Self::PubRel(packet) => Packet::PubRel(*packet),
            Self::PubComp(packet) => Packet::PubComp(*packet),
            Self::Subscribe(packet) => Packet::Subscribe(packet.as_ref()),
            Self::SubAck(packet) => Packet::SubAck(packet.as_ref()),
            Self::Unsubscribe(packet) => Packet::Unsubscribe(packet.as_ref()),
            Self::UnsubAck(packet) => Packet::UnsubAck(*packet),
            Self::PingReq => Packet::PingReq,
            Self::PingResp => Packet::PingResp,
            Self::Disconnect => Packet::Disconnect,
        }
    }
}

/// `to_owned` for what holds bytes, packets and their parts.
#[cfg(feature = "alloc")]
macro_rules! to_owned {
    ($($Type:ident)+) => {$(
        impl<B: AsRef<[u8]>> $Type<B> {
            /// The same with its bytes in vectors of their own (feature `alloc`).
            #[must_use]
            pub fn to_owned(&self) -> $Type<alloc::vec::Vec<u8>> {
                self.as_ref().map(<[u8]>::to_vec)
            }
        }
    )+};
}
#[cfg(feature = "alloc")]
to_owned!(Packet Connect EncodedConnect Will Credentials Publish PublishHeader Subscribe Subscription SubAck Unsubscribe);

/// MQTT 3.1.1 and MQTT 3.1, as a parameter of [`Decoder`](crate::Decoder).
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum V3 {}

/// Reads the fixed header at the start of `src` and nothing else: how long the packet is, before
/// it has arrived. `Ok(None)` means that more bytes are needed.
///
/// # Errors
///
/// What the fixed header alone gives away: a reserved type, wrong flags, a Remaining Length of
/// more than four bytes or one too large for a packet of a fixed size, and a packet over
/// [`Options::max_packet_size`].
pub fn peek(src: &[u8], options: &Options) -> Result<Option<Header>, DecodeError> {
    let header = checked_header::<V3>(src, options)?;
    match header {
        Some(header) if header.packet_len() > options.packet_limit() as usize => {
            Err(crate::wire::too_large(&header))
        }
        header => Ok(header),
    }
}

/// Decodes the packet at the start of `src` and moves `src` behind it. `Ok(None)` means that
/// more bytes are needed; `src` stays where it is then, and after an error.
///
/// This is for bytes that are all there: a datagram, a WebSocket message, a test. For a stream,
/// [`Decoder`](crate::Decoder) keeps what is incomplete.
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
/// # Ok::<(), mqtt_sansio::DecodeError>(())
/// ```
///
/// # Errors
///
/// The first thing that is wrong with the packet.
#[inline]
pub fn decode<'a>(
    src: &mut &'a [u8],
    options: &Options,
) -> Result<Option<PacketRef<'a>>, DecodeError> {
    if let Some(frame) = frame_at_hand(src, options.packet_limit(), options) {
        if let Some(packet) = V3::read_message_at_hand(&frame.header, frame.bytes) {
            *src = frame.rest;
            return Ok(Some(packet));
        }
        if let Some(packet) = V3::read_short_at_hand(frame.bytes) {
            *src = frame.rest;
            return Ok(Some(packet));
        }
    }
    decode_with_care(src, options)
}

/// [`decode`] for everything but the packets that most frames are.
#[inline(never)]
fn decode_with_care<'a>(
    src: &mut &'a [u8],
    options: &Options,
) -> Result<Option<PacketRef<'a>>, DecodeError> {
    let Some(frame) = frame::<V3>(src, options.packet_limit(), options)? else {
        return Ok(None);
    };
    let packet = V3::read(&frame.header, frame.bytes, options)?;
    *src = frame.rest;
    Ok(packet)
}

/// A message whose frame is complete, in as few steps as possible. `None` says nothing about the
/// frame.
#[inline(always)]
pub(crate) fn publish_at_hand<'a>(header: &Header, frame: &'a [u8]) -> Option<Publish<&'a [u8]>> {
    if !is_publish(header.first_byte()) {
        return None;
    }
    let reader = &mut Reader::<Rejected>::new(header, frame);
    Publish::read(header.first_byte(), reader).ok()
}

/// The Remaining Length of the packets that have only one (sections 3.2, 3.4 to 3.7, 3.11 to
/// 3.14).
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
        | PacketType::Unsubscribe => None,
    }
}

/// What is wrong with the flags (Table 2.2) [MQTT-2.2.2-2], given that the type exists.
const fn flag_fault(
    packet_type: PacketType,
    first_byte: u8,
    options: &Options,
) -> Option<ErrorKind> {
    let flags = first_byte & 0x0f;
    let accepted = match packet_type {
        PacketType::Publish => return publish_flag_fault(first_byte, options),
        // [MQTT-3.6.1-1]
        PacketType::PubRel => flags == 0b0010 || options.accepts_pubrel_flags(),
        // [MQTT-3.8.1-1, MQTT-3.10.1-1]
        PacketType::Subscribe | PacketType::Unsubscribe => {
            flags == 0b0010 || (flags == 0b1010 && options.accepts_dup_on_requests())
        }
        PacketType::PubAck
        | PacketType::PubRec
        | PacketType::PubComp
        | PacketType::SubAck
        | PacketType::UnsubAck => flags == 0 || options.accepts_acknowledgement_flags(),
        // [MQTT-3.14.1-1] for DISCONNECT
        PacketType::Connect
        | PacketType::ConnAck
        | PacketType::PingReq
        | PacketType::PingResp
        | PacketType::Disconnect => flags == 0,
    };
    if accepted {
        None
    } else {
        Some(ErrorKind::InvalidFlags)
    }
}

impl PacketSet for V3 {
    type Packet<'a> = PacketRef<'a>;
    type PayloadHeader<'a> = PublishHeader<&'a [u8]>;

    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn check_first_byte(first_byte: u8, options: &Options) -> Result<(), DecodeError> {
        let Some(packet_type) = PacketType::from_number(first_byte >> 4) else {
            let kind = ErrorKind::ReservedPacketType;
            return Err(DecodeError::new(None, Field::PacketType, kind, 0));
        };
        match flag_fault(packet_type, first_byte, options) {
            None => Ok(()),
            Some(kind) => Err(DecodeError::new(Some(packet_type), Field::Flags, kind, 0)),
        }
    }

    fn check_header(header: &Header, _: &Options) -> Result<(), DecodeError> {
        let Some(packet_type) = header.packet_type() else {
            return Ok(());
        };
        // Packets of a fixed size are refused for what is too much before anything behind the
        // fixed header is looked at, so that it need not be gathered; also by `read`, so that the
        // fault does not depend on how much has come.
        match only_remaining_length(packet_type) {
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
    ) -> Result<Option<PacketRef<'a>>, DecodeError> {
        let first_byte = header.first_byte();
        Self::check_first_byte(first_byte, options)?;
        Self::check_header(header, options)?;
        let reader = &mut Reader::new(header, frame);
        let empty = |packet| {
            reader.finish(Field::RemainingLength)?;
            Ok(packet)
        };
        let packet = match header.packet_type() {
            Some(PacketType::Connect) => EncodedConnect::read(reader).map(Packet::Connect),
            Some(PacketType::ConnAck) => ConnAck::read(reader).map(Packet::ConnAck),
            Some(PacketType::Publish) => Publish::read(first_byte, reader).map(Packet::Publish),
            Some(PacketType::PubAck) => PubAck::read(reader).map(Packet::PubAck),
            Some(PacketType::PubRec) => PubRec::read(reader).map(Packet::PubRec),
            Some(PacketType::PubRel) => PubRel::read(reader).map(Packet::PubRel),
            Some(PacketType::PubComp) => PubComp::read(reader).map(Packet::PubComp),
            Some(PacketType::Subscribe) => Subscribe::read(reader, options).map(Packet::Subscribe),
            Some(PacketType::SubAck) => SubAck::read(reader).map(Packet::SubAck),
            Some(PacketType::Unsubscribe) => {
                Unsubscribe::read(reader, options).map(Packet::Unsubscribe)
            }
            Some(PacketType::UnsubAck) => UnsubAck::read(reader).map(Packet::UnsubAck),
            Some(PacketType::PingReq) => empty(Packet::PingReq),
            Some(PacketType::PingResp) => empty(Packet::PingResp),
            Some(PacketType::Disconnect) => empty(Packet::Disconnect),
            None => Err(DecodeError::new(
                None,
                Field::PacketType,
                ErrorKind::ReservedPacketType,
                0,
            )),
        };
        packet.map(Some)
    }

    #[inline(always)]
    fn read_message_at_hand<'a>(header: &Header, frame: &'a [u8]) -> Option<PacketRef<'a>> {
        publish_at_hand(header, frame).map(Packet::Publish)
    }

    /// Acknowledgements and pings.
    #[inline(always)]
    fn read_short_at_hand<'a>(frame: &[u8]) -> Option<PacketRef<'a>> {
        match *frame {
            [0xc0, 0] => Some(Packet::PingReq),
            [0xd0, 0] => Some(Packet::PingResp),
            [a, b, c, d] => Self::read_acknowledgement([a, b, c, d]),
            _ => None,
        }
    }

    #[inline(always)]
    fn read_acknowledgement<'a>(frame: [u8; 4]) -> Option<PacketRef<'a>> {
        let (packet_type, packet_id) = acknowledgement(frame)?;
        match packet_type {
            PacketType::PubAck => Some(Packet::PubAck(PubAck { packet_id })),
            PacketType::PubRec => Some(Packet::PubRec(PubRec { packet_id })),
            PacketType::PubRel => Some(Packet::PubRel(PubRel { packet_id })),
            PacketType::PubComp => Some(Packet::PubComp(PubComp { packet_id })),
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
        _: &Options,
    ) -> Result<PublishHeader<&'a [u8]>, DecodeError> {
        PublishHeader::read(header, &mut Reader::new(header, frame))
    }
}

impl<B: AsRef<[u8]>> PacketBody for Packet<B> {
    #[inline]
    fn first_byte(&self) -> u8 {
        match self {
            Self::Connect(packet) => packet.first_byte(),
            Self::ConnAck(packet) => packet.first_byte(),
            Self::Publish(packet) => packet.first_byte(),
            Self::PubAck(packet) => packet.first_byte(),
            Self::PubRec(packet) => packet.first_byte(),
            Self::PubRel(packet) => packet.first_byte(),
            Self::PubComp(packet) => packet.first_byte(),
            Self::Subscribe(packet) => packet.first_byte(),
            Self::SubAck(packet) => packet.first_byte(),
            Self::Unsubscribe(packet) => packet.first_byte(),
            Self::UnsubAck(packet) => packet.first_byte(),
            Self::PingReq => 0xc0,
            Self::PingResp => 0xd0,
            Self::Disconnect => 0xe0,
        }
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        match self {
            Self::Connect(packet) => packet.write_body(out),
            Self::ConnAck(packet) => packet.write_body(out),
            Self::Publish(packet) => packet.write_body(out),
            Self::PubAck(packet) => packet.write_body(out),
            Self::PubRec(packet) => packet.write_body(out),
            Self::PubRel(packet) => packet.write_body(out),
            Self::PubComp(packet) => packet.write_body(out),
            Self::Subscribe(packet) => packet.write_body(out),
            Self::SubAck(packet) => packet.write_body(out),
            Self::Unsubscribe(packet) => packet.write_body(out),
            Self::UnsubAck(packet) => packet.write_body(out),
            Self::PingReq | Self::PingResp | Self::Disconnect => Ok(()),
        }
    }

    #[inline]
    fn payload(&self) -> &[u8] {
        match self {
            Self::Connect(packet) => packet.payload(),
            Self::Publish(packet) => packet.payload(),
            Self::Subscribe(packet) => packet.payload(),
            Self::SubAck(packet) => packet.payload(),
            Self::Unsubscribe(packet) => packet.payload(),
            _ => &[],
        }
    }
}

impl<B: AsRef<[u8]>> Encode for Packet<B> {
    #[inline]
    fn encode<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        match self {
            // Nearly all packets are one of these, and are known where they are encoded.
            Self::Publish(packet) if !OPTIMIZE_SIZE => packet.encode(out),
            Self::PubAck(packet) if !OPTIMIZE_SIZE => packet.encode(out),
            _ => self.encode_any(out),
        }
    }
}

impl<B: AsRef<[u8]>> Packet<B> {
    // Not the provided `encode`: one `match` that leads to each packet's own, instead of one for
    // the first byte, one for the length and one for the body.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn encode_any<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        let acknowledgement = match self {
            Self::PubAck(packet) => packet.to_bytes(),
            Self::PubRec(packet) => packet.to_bytes(),
            Self::PubRel(packet) => packet.to_bytes(),
            Self::PubComp(packet) => packet.to_bytes(),
            Self::UnsubAck(packet) => packet.to_bytes(),
            Self::Connect(packet) => return packet.encode(out),
            Self::ConnAck(packet) => return packet.encode(out),
            Self::Publish(packet) => return packet.encode(out),
            Self::Subscribe(packet) => return packet.encode(out),
            Self::SubAck(packet) => return packet.encode(out),
            Self::Unsubscribe(packet) => return packet.encode(out),
            Self::PingReq | Self::PingResp | Self::Disconnect => {
                return encode_bytes([self.first_byte(), 0], out);
            }
        };
        encode_bytes(acknowledgement, out)
    }
}

/// A packet becomes a [`Packet`].
macro_rules! from {
    ($($Variant:ident($Type:ty))+) => {$(
        impl<B> From<$Type> for Packet<B> {
            fn from(packet: $Type) -> Self {
                Self::$Variant(packet)
            }
        }
    )+};
}

from! {
    Connect(EncodedConnect<B>)
    ConnAck(ConnAck)
    Publish(Publish<B>)
    PubAck(PubAck)
    PubRec(PubRec)
    PubRel(PubRel)
    PubComp(PubComp)
    Subscribe(Subscribe<B>)
    SubAck(SubAck<B>)
    Unsubscribe(Unsubscribe<B>)
    UnsubAck(UnsubAck)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TopicName;
    use crate::v3::testing::{
        Vec, decoded, decoded_with, encoded, fault, fault_with, id, round_trip,
    };
    use crate::v3::{ConnectRefusal, Delivery};
    use crate::wire::MAX_REMAINING_LENGTH;
    use ErrorKind::*;

    /// One packet of each type, in the order of their numbers.
    const ALL: [&[u8]; 14] = [
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c",
        b"\x20\x02\x00\x05",
        b"\x33\x06\x00\x01a\x00\x0am",
        b"\x40\x02\x00\x0a",
        b"\x50\x02\x00\x0b",
        b"\x62\x02\x00\x0c",
        b"\x70\x02\x00\x0d",
        b"\x82\x06\x00\x0e\x00\x01a\x02",
        b"\x90\x03\x00\x0e\x80",
        b"\xa2\x05\x00\x0f\x00\x01a",
        b"\xb0\x02\x00\x0f",
        b"\xc0\x00",
        b"\xd0\x00",
        b"\xe0\x00",
    ];

    /// The same packet with other flags.
    fn with_flags(packet: &[u8], flags: u8) -> Vec<u8> {
        let mut bytes = packet.to_vec();
        bytes[0] = bytes[0] & 0xf0 | flags;
        bytes
    }

    /// The flags that a decoder takes for the type of `packet`.
    fn accepted_flags(packet: &[u8], options: &Options) -> Vec<u8> {
        (0..16)
            .filter(|&flags| {
                let first_byte = with_flags(packet, flags)[0];
                V3::check_first_byte(first_byte, options).is_ok()
            })
            .collect()
    }

    // What is taken and written.

    #[test]
    fn each_type_encodes_to_the_bytes_it_was_decoded_from() {
        for bytes in ALL {
            round_trip(decoded(bytes), bytes);
        }
    }

    #[test]
    fn each_type_knows_its_number() {
        for (bytes, number) in ALL.into_iter().zip(1..) {
            let packet_type = decoded(bytes).packet_type();
            assert_eq!(packet_type.number(), number);
            assert_eq!(PacketType::from_number(number), Some(packet_type));
        }
    }

    #[test]
    fn pings_and_disconnect_are_nothing_but_their_type() {
        round_trip(Packet::PingReq, b"\xc0\x00");
        round_trip(Packet::PingResp, b"\xd0\x00");
        round_trip(Packet::Disconnect, b"\xe0\x00");
    }

    #[test]
    fn no_packet_is_written_in_part() {
        for bytes in ALL {
            for room in 0..bytes.len() {
                let mut buffer = [0xee; 32];
                let error = decoded(bytes)
                    .encode_to_slice(&mut buffer[..room])
                    .unwrap_err();
                let needed = bytes.len();
                assert_eq!(error, EncodeError::NoRoom { needed });
                assert_eq!(buffer, [0xee; 32]);
            }
        }
    }

    #[test]
    fn encoded_len_is_the_number_of_bytes() {
        for bytes in ALL {
            assert_eq!(decoded(bytes).encoded_len(), Ok(bytes.len()));
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn encode_to_vec_is_the_same_bytes() {
        for bytes in ALL {
            assert_eq!(decoded(bytes).encode_to_vec().as_deref(), Ok(bytes));
        }
    }

    // The first byte.

    #[test]
    fn reserved_packet_types_are_refused_whatever_the_flags() {
        for flags in 0..16 {
            for first_byte in [flags, 0xf0 | flags] {
                assert_eq!(
                    fault(&[first_byte, 0]),
                    (
                        ReservedPacketType,
                        Field::PacketType,
                        0,
                        Some("MQTT-4.8.0-1")
                    )
                );
            }
        }
    }

    #[test]
    fn a_reserved_packet_type_names_no_packet() {
        let error = decode(&mut &b"\xf0\x00"[..], &Options::new()).unwrap_err();
        assert_eq!(error.packet_type(), None);
    }

    #[test]
    fn the_flags_of_each_type_are_those_of_table_2_2() {
        for bytes in ALL {
            let packet_type = decoded(bytes).packet_type();
            let accepted = accepted_flags(bytes, &Options::new());
            match packet_type {
                // Without QoS 3, and without DUP at QoS 0.
                PacketType::Publish => assert_eq!(accepted, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13]),
                PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => {
                    assert_eq!(accepted, [0b0010], "{packet_type}");
                }
                _ => assert_eq!(accepted, [0], "{packet_type}"),
            }
        }
    }

    #[test]
    fn other_flags_are_refused_by_the_statement_for_their_packet() {
        for bytes in ALL {
            let packet_type = decoded(bytes).packet_type();
            let statement = match packet_type {
                PacketType::Publish => continue,
                PacketType::PubRel => "MQTT-3.6.1-1",
                PacketType::Subscribe => "MQTT-3.8.1-1",
                PacketType::Unsubscribe => "MQTT-3.10.1-1",
                PacketType::Disconnect => "MQTT-3.14.1-1",
                _ => "MQTT-2.2.2-2",
            };
            for flags in (0..16).filter(|&flags| flags != bytes[0] & 0x0f) {
                assert_eq!(
                    fault(&with_flags(bytes, flags)),
                    (InvalidFlags, Field::Flags, 0, Some(statement)),
                    "{packet_type}"
                );
            }
        }
    }

    #[test]
    fn the_first_byte_alone_is_enough_to_refuse_it() {
        for first_byte in 0..=255 {
            let whole = V3::check_first_byte(first_byte, &Options::new());
            let bytes = [first_byte];
            let alone = decode(&mut &bytes[..], &Options::new());
            assert_eq!(alone, whole.map(|()| None));
        }
    }

    // Leniencies.

    /// The types whose flags `options` takes beyond Table 2.2, and these flags.
    fn let_in(options: Options) -> Vec<(PacketType, Vec<u8>)> {
        let mut all = Vec::new();
        for bytes in ALL {
            let strict = accepted_flags(bytes, &Options::new());
            let mut more = accepted_flags(bytes, &options);
            more.retain(|flags| !strict.contains(flags));
            if !more.is_empty() {
                all.push((decoded(bytes).packet_type(), more));
            }
        }
        all
    }

    #[test]
    fn a_strict_decoder_lets_nothing_in() {
        assert_eq!(let_in(Options::new()), []);
        assert_eq!(let_in(Options::new().max_filters(1)), []);
    }

    #[test]
    fn accept_pubrel_flags_lets_in_any_flags_of_pubrel() {
        let flags: Vec<u8> = (0..16).filter(|&flags| flags != 2).collect();
        assert_eq!(
            let_in(Options::new().accept_pubrel_flags(true)),
            [(PacketType::PubRel, flags)]
        );
    }

    #[test]
    fn accept_acknowledgement_flags_lets_in_any_flags_of_acknowledgements() {
        let flags: Vec<u8> = (1..16).collect();
        assert_eq!(
            let_in(Options::new().accept_acknowledgement_flags(true)),
            [
                PacketType::PubAck,
                PacketType::PubRec,
                PacketType::PubComp,
                PacketType::SubAck,
                PacketType::UnsubAck
            ]
            .map(|packet_type| (packet_type, flags.clone()))
        );
    }

    #[test]
    fn accept_dup_on_requests_lets_in_dup_and_nothing_else() {
        assert_eq!(
            let_in(Options::new().accept_dup_on_requests(true)),
            [PacketType::Subscribe, PacketType::Unsubscribe]
                .map(|packet_type| (packet_type, [0b1010].into()))
        );
    }

    #[test]
    fn accept_dup_at_qos_0_lets_in_dup_at_qos_0() {
        assert_eq!(
            let_in(Options::new().accept_dup_at_qos_0(true)),
            [(PacketType::Publish, [0b1000, 0b1001].into())]
        );
    }

    #[test]
    fn refusing_overlong_lengths_lets_nothing_in() {
        assert_eq!(
            let_in(Options::new().refuse_overlong_remaining_length(true)),
            []
        );
    }

    #[test]
    fn a_leniency_can_be_taken_back() {
        let options = Options::new()
            .accept_pubrel_flags(true)
            .accept_acknowledgement_flags(true)
            .accept_pubrel_flags(false)
            .accept_acknowledgement_flags(false);
        assert_eq!(let_in(options), []);
    }

    #[test]
    fn what_was_let_in_is_written_as_the_standard_says() {
        let options = Options::new()
            .accept_pubrel_flags(true)
            .accept_acknowledgement_flags(true)
            .accept_dup_on_requests(true);
        for bytes in ALL.into_iter().filter(|bytes| bytes[0] >> 4 != 3) {
            for flags in accepted_flags(bytes, &options) {
                let lax = with_flags(bytes, flags);
                assert_eq!(encoded(&decoded_with(&lax, &options)).as_deref(), Ok(bytes));
            }
        }
    }

    #[test]
    fn a_leniency_about_flags_is_none_about_the_rest() {
        let options = Options::new().accept_pubrel_flags(true);
        assert_eq!(
            fault_with(b"\x60\x02\x00\x00", &options),
            (ZeroPacketIdentifier, Field::PacketIdentifier, 2, None)
        );
    }

    // Remaining Length.

    #[test]
    fn a_fifth_length_byte_is_refused() {
        assert_eq!(
            fault(b"\xc0\x80\x80\x80\x80\x00"),
            (RemainingLengthTooLong, Field::RemainingLength, 1, None)
        );
    }

    #[test]
    fn a_length_may_take_more_bytes_than_it_needs() {
        for mut bytes in [
            &b"\xc0\x80\x00"[..],
            b"\xc0\x80\x80\x00",
            b"\xc0\x80\x80\x80\x00",
        ] {
            assert_eq!(
                decode(&mut bytes, &Options::new()),
                Ok(Some(Packet::PingReq))
            );
            assert!(bytes.is_empty());
        }
    }

    #[test]
    fn a_length_may_not_if_that_is_refused() {
        let options = Options::new().refuse_overlong_remaining_length(true);
        assert_eq!(decoded_with(b"\xc0\x00", &options), Packet::PingReq);
        assert_eq!(
            fault_with(b"\xc0\x80\x00", &options),
            (RemainingLengthNotMinimal, Field::RemainingLength, 1, None)
        );
    }

    #[test]
    fn a_ping_or_disconnect_with_a_body_is_refused() {
        for first_byte in [0xc0, 0xd0, 0xe0] {
            assert_eq!(
                fault(&[first_byte, 1, 0]),
                (
                    TrailingBytes,
                    Field::RemainingLength,
                    2,
                    Some("MQTT-4.8.0-1")
                )
            );
        }
    }

    #[test]
    fn a_packet_of_a_fixed_size_is_refused_before_the_bytes_it_should_not_have() {
        // Otherwise a decoder would gather up to 256 MiB first.
        for bytes in ALL.into_iter().filter(|bytes| bytes.len() <= 4) {
            let body = &bytes[2..];
            for header_only in [&[bytes[0], 0x7f][..], &[bytes[0], 0xff, 0xff, 0xff, 0x7f]] {
                let header = decode(&mut &*header_only, &Options::new()).unwrap_err();
                assert_eq!(header.kind(), TrailingBytes);
                let offset = header_only.len().saturating_add(body.len());
                assert_eq!(header.offset(), offset);
            }
            let header = peek(&[bytes[0], 0x7f], &Options::new()).unwrap_err();
            let mut whole = [bytes[0], 0x7f].to_vec();
            whole.extend(body);
            whole.resize(0x81, 0);
            let whole = decode(&mut &whole[..], &Options::new()).unwrap_err();
            assert_eq!(whole, header);
        }
    }

    #[test]
    fn what_is_wrong_with_an_oversized_packet_does_not_depend_on_how_much_of_it_is_there() {
        for bytes in [
            &b"\x40\x03\x00\x00\x00"[..], // and its Packet Identifier is 0
            b"\x20\x03\x02\x00\x00",      // and a reserved flag is set
            b"\x20\x03\x01\x01\x00",      // and Session Present goes with a refusal
            b"\x20\x03\x00\x06\x00",      // and its return code does not exist
        ] {
            let whole = decode(&mut &*bytes, &Options::new()).unwrap_err();
            for len in 2..bytes.len() {
                assert_eq!(
                    decode(&mut &bytes[..len], &Options::new()),
                    Err(whole),
                    "{len} bytes"
                );
            }
        }
    }

    #[test]
    fn a_packet_of_a_fixed_size_that_is_too_short_is_refused_once_it_is_there() {
        assert_eq!(
            fault(b"\x40\x01\x00"),
            (Truncated, Field::PacketIdentifier, 2, Some("MQTT-4.8.0-1"))
        );
        assert_eq!(decode(&mut &b"\x40\x01"[..], &Options::new()), Ok(None));
    }

    // Limits.

    #[test]
    fn a_packet_of_the_largest_size_passes_and_one_byte_more_does_not() {
        let publish = b"\x30\x08\x00\x01a12345";
        assert_eq!(
            decoded_with(publish, &Options::new().max_packet_size(10)),
            decoded(publish)
        );
        assert_eq!(
            fault_with(publish, &Options::new().max_packet_size(9)),
            (PacketTooLarge, Field::RemainingLength, 1, None)
        );
    }

    #[test]
    fn a_packet_over_the_limit_is_refused_by_its_fixed_header() {
        assert_eq!(
            fault_with(b"\x30\x09", &Options::new().max_packet_size(10)),
            (PacketTooLarge, Field::RemainingLength, 1, None)
        );
    }

    // Decoding.

    #[test]
    fn a_packet_that_is_not_all_there_stays_where_it_is() {
        for bytes in ALL {
            for len in 0..bytes.len() {
                let mut src = &bytes[..len];
                assert_eq!(decode(&mut src, &Options::new()), Ok(None));
                assert_eq!(src.len(), len);
            }
        }
    }

    #[test]
    fn decoding_stops_behind_the_packet() {
        let all = ALL.concat();
        let mut src = &all[..];
        for bytes in ALL {
            let packet = decode(&mut src, &Options::new()).unwrap();
            assert_eq!(packet, Some(decoded(bytes)));
        }
        assert_eq!(decode(&mut src, &Options::new()), Ok(None));
    }

    // Peeking.

    #[test]
    fn peek_tells_how_long_a_packet_is_before_it_is_there() {
        let options = Options::new().max_packet_size(u32::MAX);
        let header = peek(b"\x3d\xff\xff\xff\x7f", &options).unwrap().unwrap();
        assert_eq!(header.packet_type(), Some(PacketType::Publish));
        assert_eq!(header.first_byte(), 0x3d);
        assert_eq!(header.remaining_length(), MAX_REMAINING_LENGTH);
        assert_eq!(header.len(), 5);
        assert_eq!(header.packet_len(), 268_435_460);
    }

    #[test]
    fn peek_asks_for_more_until_the_fixed_header_is_there() {
        for src in [&b""[..], b"\x30", b"\x30\x80", b"\x30\x80\x80\x80"] {
            assert_eq!(peek(src, &Options::new()), Ok(None));
        }
    }

    #[test]
    fn peek_looks_at_nothing_behind_the_fixed_header() {
        // Its Packet Identifier is 0.
        let header = peek(b"\x40\x02\x00\x00", &Options::new()).unwrap();
        assert_eq!(header.map(|header| header.packet_len()), Some(4));
    }

    #[test]
    fn peek_refuses_what_the_fixed_header_gives_away() {
        for (src, kind, field, offset) in [
            (&b"\xf0"[..], ReservedPacketType, Field::PacketType, 0),
            (b"\x41", InvalidFlags, Field::Flags, 0),
            (
                b"\x30\xff\xff\xff\xff",
                RemainingLengthTooLong,
                Field::RemainingLength,
                1,
            ),
            (b"\xc0\x01", TrailingBytes, Field::RemainingLength, 2),
            (
                b"\x30\xff\xff\x7f",
                PacketTooLarge,
                Field::RemainingLength,
                1,
            ),
        ] {
            let error = peek(src, &Options::new()).unwrap_err();
            assert_eq!(
                (error.kind(), error.field(), error.offset()),
                (kind, field, offset)
            );
        }
    }

    #[test]
    fn peek_has_the_limit_of_decode() {
        let limit = |bytes| Options::new().max_packet_size(bytes);
        assert!(peek(b"\x30\x08", &limit(10)).unwrap().is_some());
        let error = peek(b"\x30\x08", &limit(9)).unwrap_err();
        assert_eq!(decode(&mut &b"\x30\x08"[..], &limit(9)), Err(error));
    }

    // Conversions.

    #[test]
    fn every_packet_with_a_type_of_its_own_becomes_a_packet() {
        for bytes in ALL {
            let packet = decoded(bytes);
            let again = match packet {
                Packet::Connect(packet) => packet.into(),
                Packet::ConnAck(packet) => packet.into(),
                Packet::Publish(packet) => packet.into(),
                Packet::PubAck(packet) => packet.into(),
                Packet::PubRec(packet) => packet.into(),
                Packet::PubRel(packet) => packet.into(),
                Packet::PubComp(packet) => packet.into(),
                Packet::Subscribe(packet) => packet.into(),
                Packet::SubAck(packet) => packet.into(),
                Packet::Unsubscribe(packet) => packet.into(),
                Packet::UnsubAck(packet) => packet.into(),
                Packet::PingReq | Packet::PingResp | Packet::Disconnect => packet,
            };
            assert_eq!(again, packet);
        }
    }

    #[test]
    fn from_puts_a_packet_into_the_variant_of_its_name() {
        let packet_id = id(10);
        let publish = Publish {
            delivery: Delivery::AtLeastOnce {
                packet_id,
                dup: false,
            },
            retain: true,
            topic: TopicName::new("a").unwrap(),
            payload: &b"m"[..],
        };
        let refused = ConnAck::Refused(ConnectRefusal::NotAuthorized);
        assert_eq!(Packet::from(publish), decoded(ALL[2]));
        assert_eq!(Packet::from(refused), decoded(ALL[1]));
        assert_eq!(Packet::from(PubAck { packet_id }), decoded(ALL[3]));
    }

    #[test]
    fn map_keeps_every_packet() {
        for bytes in ALL {
            let moved = decoded(bytes).map(<[u8]>::to_vec);
            assert_eq!(encoded(&moved).as_deref(), Ok(bytes));
            assert_eq!(moved.packet_type(), decoded(bytes).packet_type());
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn to_owned_keeps_every_packet() {
        for bytes in ALL {
            let owned: Packet<Vec<u8>> = decoded(bytes).to_owned();
            assert_eq!(encoded(&owned).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn only_a_publish_has_a_payload_that_could_come_in_pieces() {
        for bytes in ALL {
            let header = peek(bytes, &Options::new()).unwrap().unwrap();
            let start = V3::payload_start(&header, bytes);
            match header.packet_type() {
                Some(PacketType::Publish) => assert_eq!(start, Ok(PayloadStart::At(7))),
                _ => assert_eq!(start, Ok(PayloadStart::Whole)),
            }
        }
    }

    #[test]
    fn the_header_of_a_payload_in_pieces_is_that_of_the_publish() {
        let bytes = ALL[2];
        let header = peek(bytes, &Options::new()).unwrap().unwrap();
        let Packet::Publish(publish) = decoded(bytes) else {
            panic!("not a PUBLISH");
        };
        assert_eq!(
            V3::read_payload_header(&header, &bytes[..7], &Options::new()),
            Ok(publish.header().unwrap())
        );
    }
}
