//! The position of a part in the bytes that it borrows from.

use core::ops::Range;

/// Returns the position of `part` in `whole`. The range lies outside of `whole` if `part` does.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn place_in(whole: &[u8], part: &[u8]) -> Range<usize> {
    let from = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    from..from.saturating_add(part.len())
}

/// Returns the part of `whole` at a position that [`place_in`] has returned.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn part_at(whole: &[u8], place: Range<usize>) -> &[u8] {
    whole.get(place).unwrap_or_default()
}
