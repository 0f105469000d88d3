//! Reason Code and properties at the end of a packet. Success and empty properties may be left out.

use super::properties::{PropertiesKind, read_bytes};
use super::{DecodeError, Properties, Reader};
use crate::wire::{
    Counter, Encode, EncodeError, ErrorKind, Field, Output, PacketBody, put_variable_byte_integer,
};

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
    let properties = read_last_bytes(K::BIT, K::DATA_NEEDS_METHOD, reader)?;
    Ok((reason_code, properties.map(Properties::from_valid)))
}

/// Reads the properties at the end of a packet, if there are any: one function for packets of all types.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn read_last_bytes<'a>(
    kind: u16,
    data_needs_method: bool,
    reader: &mut Reader<'a>,
) -> Result<Option<&'a [u8]>, DecodeError> {
    if reader.is_empty() {
        return Ok(None);
    }
    let (bytes, _) = read_bytes(kind, data_needs_method, reader)?;
    reader.finish(Field::Properties)?;
    Ok(Some(bytes))
}

/// Writes both in the shortest form: without properties if there are none, and then also without
/// the code 0x00.
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

/// The properties that only explain a Reason Code to people, so that they can be left out: Reason String
/// and User Property.
pub(crate) const PROBLEM_INFORMATION: [u8; 2] = [0x1f, 0x26];

/// A DISCONNECT or AUTH without its Reason String and User Properties.
pub(crate) struct Shortened<'a, K> {
    pub(crate) first_byte: u8,
    pub(crate) code: u8,
    pub(crate) properties: Properties<&'a [u8], K>,
}

impl<K> PacketBody for Shortened<'_, K> {
    fn first_byte(&self) -> u8 {
        self.first_byte
    }

    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        let mut counter = Counter::default();
        self.properties
            .write_without(&PROBLEM_INFORMATION, &mut counter)?;
        if counter.get() == 0 {
            return write_reason(self.code, &Properties::<&[u8], K>::EMPTY, out);
        }
        out.put(&[self.code])?;
        put_variable_byte_integer(out, counter.get())?;
        self.properties.write_without(&PROBLEM_INFORMATION, out)
    }
}

impl<K> Encode for Shortened<'_, K> {}
