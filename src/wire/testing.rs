//! What the tests of fixed headers and frames share.

use crate::v3::DecodeError;
use crate::wire::{ErrorKind, Field, Options};

pub(super) const STRICT: Options = Options::new();
pub(super) const MINIMAL_ONLY: Options = Options::new().refuse_overlong_remaining_length(true);

pub(super) fn fault(
    result: Result<impl core::fmt::Debug, DecodeError>,
) -> (Field, ErrorKind, usize) {
    let error = result.unwrap_err();
    if error.field() == Field::RemainingLength {
        assert!(error.packet_type().is_some());
    }
    (error.field(), error.kind(), error.offset())
}
