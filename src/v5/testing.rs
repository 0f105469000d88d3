//! What the tests of the packets share.

pub(super) use crate::packet::testing::{ReadError, encoded, framed, id};

use super::{PacketRef, V5};
use crate::packet::testing;
use crate::wire::Options;

/// The one packet that `bytes` are, for a strict decoder.
pub(super) fn decoded(bytes: &[u8]) -> PacketRef<'_> {
    testing::decoded_with::<V5>(bytes, &Options::new())
}

/// Why a strict decoder refuses `bytes`.
pub(super) fn fault(bytes: &[u8]) -> ReadError {
    testing::fault_with::<V5>(bytes, &Options::new())
}

/// `bytes` are `packet`, and `packet` is these bytes and no others.
pub(super) fn round_trip<'a>(packet: impl Into<PacketRef<'a>>, bytes: &'a [u8]) {
    testing::round_trip::<V5>(packet.into(), bytes);
}
