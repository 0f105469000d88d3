//! The position of a part in the bytes that it borrows from.

use core::ops::Range;

/// Returns the position of `part` in `whole`. The range lies outside of `whole` if `part` does.
#[inline]
pub(crate) fn place_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let from = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    from..from.saturating_add(part.len())
}
