//! What the tests of the packets share.

pub(super) use crate::packet::testing::{
    ReadError, TOO_LONG, Vec, encoded, framed, id, longest, vec,
};

use super::{PacketRef, V3};
use crate::packet::testing;
use crate::wire::Options;

/// The one packet that `bytes` are, for a strict decoder.
pub(crate) fn decoded(bytes: &[u8]) -> PacketRef<'_> {
    testing::decoded_with::<V3>(bytes, &Options::new())
}

pub(super) fn decoded_with<'a>(bytes: &'a [u8], options: &Options) -> PacketRef<'a> {
    testing::decoded_with::<V3>(bytes, options)
}

/// Why a strict decoder refuses `bytes`.
pub(super) fn fault(bytes: &[u8]) -> ReadError {
    testing::fault_with::<V3>(bytes, &Options::new())
}

pub(super) fn fault_with(bytes: &[u8], options: &Options) -> ReadError {
    testing::fault_with::<V3>(bytes, options)
}

/// `bytes` are `packet`, and `packet` is these bytes and no others.
pub(super) fn round_trip<'a>(packet: impl Into<PacketRef<'a>>, bytes: &'a [u8]) {
    testing::round_trip::<V3>(packet.into(), bytes);
}
