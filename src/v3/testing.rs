//! What the tests of the packets share.

#![expect(
    clippy::std_instead_of_alloc,
    reason = "without the feature `alloc` there is none"
)]

pub(super) use std::vec;
pub(super) use std::vec::Vec;

use super::{PacketRef, decode};
use crate::types::PacketId;
use crate::wire::{Encode, EncodeError, ErrorKind, Field, Options};

/// What is wrong, in which field, at which byte of the packet, and the statement that says so.
pub(super) type ReadError = (ErrorKind, Field, usize, Option<&'static str>);

/// One byte more than a two-byte length can say.
pub(super) static TOO_LONG: [u8; 65_536] = [b'x'; 65_536];

/// The longest that a two-byte length can say.
pub(super) fn longest() -> &'static [u8] {
    &TOO_LONG[1..]
}

pub(super) fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

/// A packet of fewer than 128 bytes behind the fixed header, so that a test need not count them.
pub(super) fn framed(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let remaining_length = u8::try_from(body.len()).unwrap();
    assert!(remaining_length < 0x80, "one length byte is all there is");
    [&[first_byte, remaining_length], body].concat()
}

/// The one packet that `bytes` are, for a strict decoder.
pub(super) fn decoded(bytes: &[u8]) -> PacketRef<'_> {
    decoded_with(bytes, &Options::new())
}

pub(super) fn decoded_with<'a>(bytes: &'a [u8], options: &Options) -> PacketRef<'a> {
    let mut src = bytes;
    let packet = decode(&mut src, options).unwrap().unwrap();
    assert!(src.is_empty(), "left over: {src:?}");
    packet
}

/// Why a strict decoder refuses `bytes`.
pub(super) fn fault(bytes: &[u8]) -> ReadError {
    fault_with(bytes, &Options::new())
}

pub(super) fn fault_with(bytes: &[u8], options: &Options) -> ReadError {
    let mut src = bytes;
    let error = decode(&mut src, options).unwrap_err();
    assert_eq!(src, bytes, "what is refused stays where it is");
    (
        error.kind(),
        error.field(),
        error.offset(),
        error.statement(),
    )
}

/// The bytes of a packet, with and without the feature `alloc`.
pub(super) fn encoded<P: Encode>(packet: &P) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = vec![0; packet.encoded_len()?];
    let written = packet.encode_to_slice(&mut buffer)?;
    Ok(written.to_vec())
}

/// `bytes` are `packet`, and `packet` is these bytes and no others.
pub(super) fn round_trip<'a>(packet: impl Into<PacketRef<'a>>, bytes: &[u8]) {
    let packet = packet.into();
    assert_eq!(decoded(bytes), packet);
    assert_eq!(encoded(&packet).as_deref(), Ok(bytes));
}
