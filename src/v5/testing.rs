//! Functions for the tests of the packets.

pub(super) use crate::packet::testing::{ReadError, encoded, framed, id};

use super::{PacketRef, V5};
use crate::packet::testing;
use crate::wire::Options;

/// Decodes `bytes`, which must be one packet, strictly.
pub(super) fn decoded(bytes: &[u8]) -> PacketRef<'_> {
    testing::decoded_with::<V5>(bytes, &Options::new())
}

/// Returns the error of a strict decoder for `bytes`.
pub(super) fn fault(bytes: &[u8]) -> ReadError {
    testing::fault_with::<V5>(bytes, &Options::new())
}

/// Checks that `bytes` decode to `packet`, and that `packet` encodes to `bytes`.
pub(super) fn round_trip<'a>(packet: impl Into<PacketRef<'a>>, bytes: &'a [u8]) {
    testing::round_trip::<V5>(packet.into(), bytes);
}
