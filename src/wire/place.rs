//! Where a part lies in the bytes that it is borrowed from.

use core::ops::Range;

/// Where `part` lies in `whole`, which it must be a part of.
#[inline]
pub(crate) fn place_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let from = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    from..from.saturating_add(part.len())
}
