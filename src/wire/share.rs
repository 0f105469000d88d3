//! References into reference-counted bytes (feature `bytes`).

use bytes::Bytes;

/// Returns the part of `whole` at the position of `part`, or a copy if `part` is elsewhere.
/// `Bytes::slice_ref` would panic then.
pub(crate) fn share(whole: &Bytes, part: &[u8]) -> Bytes {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    match start.checked_add(part.len()) {
        Some(end) if end <= whole.len() => whole.slice(start..end),
        _ => Bytes::copy_from_slice(part),
    }
}
