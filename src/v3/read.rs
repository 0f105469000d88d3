//! Fields that several packets have.

use crate::types::{CheckedString, PacketId};
use crate::wire::{ErrorKind, Fault, Field, Reader};

/// A Packet Identifier that is not zero.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn read_packet_id<F: Fault>(reader: &mut Reader<'_, F>) -> Result<PacketId, F> {
    match PacketId::new(reader.u16(Field::PacketIdentifier)?) {
        Some(id) => Ok(id),
        // [MQTT-2.3.1-1]; for acknowledgements it follows from [MQTT-2.3.1-6] and [MQTT-2.3.1-7].
        None => Err(reader.fault(
            Field::PacketIdentifier,
            ErrorKind::ZeroPacketIdentifier,
            reader.offset().saturating_sub(2),
        )),
    }
}

/// A length-prefixed string.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn read_checked<'a, T: CheckedString<'a>, F: Fault>(
    reader: &mut Reader<'a, F>,
    field: Field,
) -> Result<T, F> {
    let bytes = reader.bytes(field)?;
    if F::CHECKED_BEFORE {
        return Ok(T::checked_before(bytes));
    }
    match T::check(bytes) {
        Ok(value) => Ok(value),
        Err(error) => {
            let start = reader.offset().saturating_sub(bytes.len());
            Err(reader.fault(field, error.kind(), start.saturating_add(error.offset())))
        }
    }
}
