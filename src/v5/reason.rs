//! Reason Code and properties at the end of a packet, of which what says nothing may be left out.

use super::properties::PropertiesKind;
use super::{DecodeError, Properties, Reader};
use crate::wire::{EncodeError, ErrorKind, Field, Output};

type ReasonAndProperties<'a, R, K> = (R, Option<Properties<&'a [u8], K>>);

/// Reads a Reason Code, and properties; without them there is no Property Length (sections
/// 3.4.2.2.1 and 3.14.2.2.1). An empty packet means 0x00.
pub(super) fn read_reason<'a, R: Default, K: PropertiesKind>(
    reader: &mut Reader<'a>,
    from_number: fn(u8) -> Option<R>,
) -> Result<ReasonAndProperties<'a, R, K>, DecodeError> {
    if reader.is_empty() {
        return Ok((R::default(), None));
    }
    let Some(reason_code) = from_number(reader.u8(Field::ReasonCode)?) else {
        return Err(reader.fault_in_last(Field::ReasonCode, ErrorKind::InvalidReasonCode));
    };
    if reader.is_empty() {
        return Ok((reason_code, None));
    }
    let properties = Properties::read(reader)?;
    reader.finish(Field::Properties)?;
    Ok((reason_code, Some(properties)))
}

/// Writes both in the shortest form: no properties if there are none, and then not the code 0x00.
#[inline(always)]
pub(super) fn write_reason<B: AsRef<[u8]>, K, O: Output + ?Sized>(
    code: u8,
    properties: &Properties<B, K>,
    out: &mut O,
) -> Result<(), EncodeError> {
    if !properties.is_empty() {
        out.put(&[code])?;
        return properties.write(out);
    }
    if code != 0 {
        return out.put(&[code]);
    }
    Ok(())
}
