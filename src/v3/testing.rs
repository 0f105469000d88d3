//! Functions for the tests of the packets.

pub(super) use crate::packet::testing::{
    ReadError, TOO_LONG, Vec, encoded, framed, id, longest, vec,
};

use super::{PacketRef, V3};
use crate::packet::testing;
use crate::wire::Options;

/// Decodes `bytes`, which must be one packet, strictly.
pub(crate) fn decoded(bytes: &[u8]) -> PacketRef<'_> {
    testing::decoded_with::<V3>(bytes, &Options::new())
}

pub(super) fn decoded_with<'a>(bytes: &'a [u8], options: &Options) -> PacketRef<'a> {
    testing::decoded_with::<V3>(bytes, options)
}

/// Returns the error of a strict decoder for `bytes`.
pub(super) fn fault(bytes: &[u8]) -> ReadError {
    testing::fault_with::<V3>(bytes, &Options::new())
}

pub(super) fn fault_with(bytes: &[u8], options: &Options) -> ReadError {
    testing::fault_with::<V3>(bytes, options)
}

/// Checks that `bytes` decode to `packet`, and that `packet` encodes to `bytes`.
pub(super) fn round_trip<'a>(packet: impl Into<PacketRef<'a>>, bytes: &'a [u8]) {
    testing::round_trip::<V3>(packet.into(), bytes);
}
