//! References into reference-counted bytes (feature `bytes`).

use bytes::Bytes;

use super::place_in;

/// Returns the part of `whole` at the position of `part`, or a copy if `part` is elsewhere.
/// `Bytes::slice_ref` would panic then.
pub(crate) fn share(whole: &Bytes, part: &[u8]) -> Bytes {
    let place = place_in(whole, part);
    if whole.get(place.clone()).is_none() {
        return Bytes::copy_from_slice(part);
    }
    whole.slice(place)
}
