//! Finds a property by its identifier.

use super::super::property::{rule, skip_value};
use crate::wire::{Field, Reader, Trusted};

/// Returns a reader of the value of the first property with this identifier.
#[inline(never)]
pub(super) fn find(bytes: &[u8], identifier: u8) -> Option<Reader<'_, Trusted>> {
    find_one_of(bytes, &[identifier])
}

/// Returns a reader of the value of the first property with one of these identifiers.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn find_one_of<'a>(bytes: &'a [u8], identifiers: &[u8]) -> Option<Reader<'a, Trusted>> {
    let mut reader = Reader::again(bytes);
    loop {
        let next = reader.u8(Field::PropertyIdentifier).ok()?;
        if is_one_of(identifiers, next) {
            return Some(reader);
        }
        skip_value(rule(next)?, &mut reader).ok()?;
    }
}

// Functions without type parameters, so that a getter is little more than a call.

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn find_flag(bytes: &[u8], identifier: u8) -> Option<bool> {
    let byte = find(bytes, identifier)?.u8(Field::Properties).ok()?;
    Some(byte != 0)
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn find_u16(bytes: &[u8], identifier: u8) -> Option<u16> {
    find(bytes, identifier)?.u16(Field::Properties).ok()
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn find_u32(bytes: &[u8], identifier: u8) -> Option<u32> {
    find(bytes, identifier)?.u32(Field::Properties).ok()
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn find_bytes(bytes: &[u8], identifier: u8) -> Option<&[u8]> {
    find(bytes, identifier)?.bytes(Field::Properties).ok()
}

/// Returns the identifier of each property, and its bytes with the identifier.
pub(super) fn encoded_properties(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let (identifier, property, after) = split_property(rest)?;
        rest = after;
        Some((identifier, property))
    })
}

#[expect(
    clippy::manual_contains,
    reason = "`contains` searches bytes with a call"
)]
#[inline(always)]
pub(super) fn is_one_of(identifiers: &[u8], identifier: u8) -> bool {
    identifiers.iter().any(|one| *one == identifier)
}

/// Returns the identifier of the first property, its bytes with the identifier, and the bytes after it.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn split_property(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let mut reader = Reader::again(bytes);
    let identifier = reader.u8(Field::PropertyIdentifier).ok()?;
    skip_value(rule(identifier)?, &mut reader).ok()?;
    let (property, after) = bytes.split_at_checked(reader.offset())?;
    Some((identifier, property, after))
}
