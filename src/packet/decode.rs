//! Decodes a frame, and validates its first byte.

use super::publish;
use crate::wire::{
    DecodeError, ErrorKind, Field, Header, Options, PacketSet, PacketType, SentBy, checked_header,
    frame, too_large, try_frame, try_short,
};

/// Returns the fixed header at the start of `src`, if it is complete and within the limit.
pub(crate) fn peek<V: PacketSet>(
    src: &[u8],
    options: &Options,
) -> Result<Option<Header>, DecodeError<V>> {
    let header = checked_header::<V>(src, options)?;
    match header {
        Some(header) if header.packet_len() > options.packet_limit() as usize => {
            Err(too_large(&header))
        }
        header => Ok(header),
    }
}

/// Decodes the packet at the start of `src`, and moves `src` after it.
#[inline(always)]
pub(crate) fn decode<'a, V: PacketSet>(
    src: &mut &'a [u8],
    options: &Options,
) -> Result<Option<V::Packet<'a>>, DecodeError<V>> {
    if let Some(frame) = try_frame::<V>(src, options.packet_limit(), options) {
        if let Some(packet) = V::try_read_publish(&frame.header, frame.body) {
            *src = frame.rest;
            return Ok(Some(packet));
        }
    }
    decode_other(src, options)
}

/// [`decode`] for all packets but messages. Not inlined: then the compiler knows in the caller's
/// `match` that a message is one, which saves 6 % of the instructions of a small message.
#[inline(never)]
fn decode_other<'a, V: PacketSet>(
    src: &mut &'a [u8],
    options: &Options,
) -> Result<Option<V::Packet<'a>>, DecodeError<V>> {
    if let Some((packet, rest)) = try_short::<V>(src, options.packet_limit()) {
        *src = rest;
        return Ok(Some(packet));
    }
    decode_slow(src, options)
}

/// The general route of [`decode`].
#[inline(never)]
fn decode_slow<'a, V: PacketSet>(
    src: &mut &'a [u8],
    options: &Options,
) -> Result<Option<V::Packet<'a>>, DecodeError<V>> {
    let Some(frame) = frame::<V>(src, options.packet_limit(), options)? else {
        return Ok(None);
    };
    let packet = V::read(&frame.header, frame.bytes, options, SentBy::Either)?;
    *src = frame.rest;
    Ok(packet)
}

/// Refuses a type that the version reserves, and invalid flags.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline(always))]
pub(crate) fn check_first_byte<V: PacketSet>(
    packet_type: Option<PacketType>,
    first_byte: u8,
    options: &Options,
) -> Result<(), DecodeError<V>> {
    let Some(packet_type) = packet_type else {
        return Err(DecodeError::reserved_packet_type().with_byte_of(&[first_byte]));
    };
    match flag_fault(packet_type, first_byte, options) {
        None => Ok(()),
        Some(kind) => {
            let error = DecodeError::new(Some(packet_type), Field::Flags, kind, 0);
            Err(error.with_byte_of(&[first_byte]))
        }
    }
}

/// Returns the fault of the flags (Table 2.2) [MQTT-2.2.2-2] [MQTT5-2.1.3-1] of an existing type.
const fn flag_fault(
    packet_type: PacketType,
    first_byte: u8,
    options: &Options,
) -> Option<ErrorKind> {
    let flags = first_byte & 0x0f;
    let accepted = match packet_type {
        PacketType::Publish => return publish::flag_fault(first_byte, options),
        // [MQTT-3.6.1-1] [MQTT5-3.6.1-1]
        PacketType::PubRel => flags == 0b0010 || options.accepts_pubrel_flags(),
        // [MQTT-3.8.1-1, MQTT-3.10.1-1] [MQTT5-3.8.1-1, MQTT5-3.10.1-1]
        PacketType::Subscribe | PacketType::Unsubscribe => {
            flags == 0b0010
                || (flags == 0b1010 && options.accepts_dup_on_requests())
                || options.is_mqtt_3_1()
        }
        PacketType::PubAck
        | PacketType::PubRec
        | PacketType::PubComp
        | PacketType::SubAck
        | PacketType::UnsubAck => flags == 0 || options.accepts_acknowledgement_flags(),
        // [MQTT-3.14.1-1] [MQTT5-3.14.1-1, MQTT5-3.15.1-1]
        PacketType::Connect
        | PacketType::ConnAck
        | PacketType::PingReq
        | PacketType::PingResp
        | PacketType::Disconnect
        | PacketType::Auth => flags == 0 || options.is_mqtt_3_1(),
    };
    if accepted {
        None
    } else {
        Some(ErrorKind::InvalidFlags)
    }
}
