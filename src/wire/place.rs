//! The position of a part in the bytes that it borrows from.

use core::ops::Range;

/// Returns the position of `part` in `whole`. If it is not a part of it, the range lies outside of `whole`.
#[inline]
pub(crate) fn place_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let from = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    from..from.saturating_add(part.len())
}
