//! The start of a PUBLISH in every version: flags, Topic Name and Packet Identifier.

use super::read::{read_packet_id, read_stored_packet_id, read_string};
use crate::types::{Delivery, TopicName};
use crate::wire::{
    DecodeError, EncodeError, ErrorKind, Field, Header, Options, Output, PacketSet, PayloadStart,
    ReadError, Reader, TextError,
};

const RETAIN: u8 = 1;
const QOS: u8 = 3 << 1;
const DUP: u8 = 1 << 3;
const PUBLISH: u8 = 0x30;

/// Validates the flags of a PUBLISH (section 3.3.1): QoS 3 [MQTT-3.3.1-4] [MQTT5-3.3.1-4], DUP at
/// QoS 0 [MQTT-3.3.1-2] [MQTT5-3.3.1-2, MQTT5-4.3.1-1].
#[inline(always)]
pub(crate) const fn flag_fault(first_byte: u8, options: &Options) -> Option<ErrorKind> {
    if first_byte & QOS == QOS {
        Some(ErrorKind::InvalidQos)
    } else if first_byte & (QOS | DUP) == DUP && !options.accepts_dup_at_qos_0() {
        Some(ErrorKind::DupAtQos0)
    } else {
        None
    }
}

/// Returns true for the first byte of a PUBLISH that is valid with any options.
#[inline(always)]
pub(crate) const fn is_publish(first_byte: u8) -> bool {
    /// Bit n is set if flags n are valid: DUP, two bits of QoS, and RETAIN.
    const RIGHT: u16 = 0b0011_1100_0011_1111;
    let flags = first_byte.wrapping_sub(PUBLISH);
    flags < 16 && RIGHT >> flags & 1 != 0
}

/// Returns true if a PUBLISH with this first byte has a Packet Identifier.
#[inline(always)]
pub(crate) const fn has_packet_id(first_byte: u8) -> bool {
    first_byte & QOS != 0
}

/// Returns RETAIN.
#[inline(always)]
pub(crate) const fn retain(first_byte: u8) -> bool {
    first_byte & RETAIN != 0
}

/// Reads the Topic Name, validated by `check`, and above QoS 0 the Packet Identifier [MQTT-2.3.1-5]
/// [MQTT5-2.2.1-2]. The flags are valid.
// One function, because a `Delivery` that is returned alone moves in one register, and packing and
// unpacking its fields costs instructions.
#[inline(always)]
pub(crate) fn read_head<'a, F: ReadError>(
    first_byte: u8,
    reader: &mut Reader<'a, F>,
    check: fn(&[u8]) -> Result<(), TextError>,
) -> Result<(Delivery, TopicName<&'a [u8]>), F> {
    let topic = read_string(reader, Field::TopicName, check).map(TopicName::from_valid)?;
    let dup = first_byte & DUP != 0;
    let delivery = match first_byte & QOS {
        0 => Delivery::AtMostOnce,
        0b010 => Delivery::AtLeastOnce {
            packet_id: read_packet_id(reader)?,
            dup,
        },
        _ => Delivery::ExactlyOnce {
            packet_id: read_stored_packet_id(reader)?,
            dup,
        },
    };
    Ok((delivery, topic))
}

/// Returns where Topic Name and Packet Identifier of a PUBLISH end, whose first bytes are `frame`.
pub(crate) fn head_end<V: PacketSet>(
    header: &Header,
    frame: &[u8],
) -> Result<PayloadStart, DecodeError<V>> {
    let topic_end_known = header.len().saturating_add(2);
    let Some(&[high, low]) = frame
        .get(header.len()..topic_end_known)
        .and_then(|bytes| bytes.first_chunk())
    else {
        return Ok(PayloadStart::Unknown(topic_end_known));
    };
    let topic_len = usize::from(u16::from_be_bytes([high, low]));
    let id_len = if has_packet_id(header.first_byte()) {
        2
    } else {
        0
    };
    let topic_end = topic_end_known.saturating_add(topic_len);
    let fault =
        |field, offset| DecodeError::new(header.packet_type(), field, ErrorKind::Truncated, offset);
    if topic_end > header.packet_len() {
        return Err(fault(Field::TopicName, header.len()));
    }
    let end = topic_end.saturating_add(id_len);
    if end > header.packet_len() {
        return Err(fault(Field::PacketIdentifier, topic_end));
    }
    Ok(PayloadStart::At(end))
}

/// Returns the first byte of a PUBLISH.
#[inline(always)]
pub(crate) fn first_byte(delivery: &Delivery, retain: bool) -> u8 {
    PUBLISH | u8::from(delivery.dup()) << 3 | delivery.qos().number() << 1 | u8::from(retain)
}

/// Returns the length of Topic Name and Packet Identifier with the length of the Topic Name.
#[inline(always)]
pub(crate) const fn head_len(delivery: &Delivery, topic: &[u8]) -> usize {
    let packet_id = if delivery.packet_id().is_some() { 2 } else { 0 };
    topic.len().wrapping_add(2).wrapping_add(packet_id)
}

/// Writes the Packet Identifier, if there is one.
#[inline(always)]
pub(crate) fn put_packet_id<O: Output + ?Sized>(
    delivery: &Delivery,
    out: &mut O,
) -> Result<(), EncodeError> {
    match delivery.packet_id() {
        Some(packet_id) => out.put(&packet_id.get().to_be_bytes()),
        None => Ok(()),
    }
}
