//! Places of parts in the bytes that they are borrowed from.

use core::ops::Range;

/// Where `part` lies in the bytes that start at the address `start`. It must be a part of them.
#[inline]
pub(crate) fn place_from(start: usize, part: &[u8]) -> Range<usize> {
    let from = (part.as_ptr() as usize).saturating_sub(start);
    from..from.saturating_add(part.len())
}
