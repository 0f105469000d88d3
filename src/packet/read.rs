//! Reads fields that several packets have.

use crate::types::{Checked, PacketId, StringKind};
use crate::wire::{ErrorKind, Field, ReadError, Reader, TextError};

/// Reads the Packet Identifier of a packet that is answered or is an answer. It is not zero, unless
/// the options allow that.
#[inline(always)]
pub(crate) fn read_packet_id<F: ReadError>(reader: &mut Reader<'_, F>) -> Result<PacketId, F> {
    read_id(reader, reader.accepts_packet_id_0())
}

/// Reads the Packet Identifier of a QoS 2 message, which is stored, so that it cannot be zero.
#[inline(always)]
pub(crate) fn read_stored_packet_id<F: ReadError>(
    reader: &mut Reader<'_, F>,
) -> Result<PacketId, F> {
    read_id(reader, false)
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn read_id<F: ReadError>(reader: &mut Reader<'_, F>, accepts_0: bool) -> Result<PacketId, F> {
    let field = Field::PacketIdentifier;
    match PacketId::new(reader.u16(field)?) {
        Some(id) => Ok(id),
        None if accepts_0 => Ok(PacketId::ZERO),
        // [MQTT-2.3.1-1]; for acknowledgements it follows from [MQTT-2.3.1-6] and [MQTT-2.3.1-7].
        // [MQTT5-2.2.1-3, MQTT5-2.2.1-4], and [MQTT5-2.2.1-5, MQTT5-2.2.1-6].
        None => Err(reader.fault(
            field,
            ErrorKind::ZeroPacketIdentifier,
            reader.offset().saturating_sub(2),
        )),
    }
}

/// Reads a length-prefixed string.
#[inline(always)]
pub(crate) fn read_checked<'a, K: StringKind, F: ReadError>(
    reader: &mut Reader<'a, F>,
    field: Field,
) -> Result<Checked<&'a [u8], K>, F> {
    read_string(reader, field, K::check).map(Checked::from_valid)
}

/// Reads the bytes of a string that passes `check`: one function for all kinds of strings.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn read_string<'a, F: ReadError>(
    reader: &mut Reader<'a, F>,
    field: Field,
    check: fn(&[u8]) -> Result<(), TextError>,
) -> Result<&'a [u8], F> {
    let bytes = reader.bytes(field)?;
    if F::CHECKED_BEFORE {
        return Ok(bytes);
    }
    match check(bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => {
            let start = reader.offset().saturating_sub(bytes.len());
            Err(reader.fault(field, error.kind(), start.saturating_add(error.offset())))
        }
    }
}
