//! Functions for the tests of all packets.

#![expect(
    clippy::std_instead_of_alloc,
    reason = "without the feature `alloc` there is none"
)]

pub(crate) use std::{vec, vec::Vec};

use super::decode;
use crate::types::PacketId;
use crate::wire::{Encode, EncodeError, ErrorKind, Field, Options, PacketSet};

/// Kind, field and offset of a fault, and its statement.
pub(crate) type ReadError = (ErrorKind, Field, usize, Option<&'static str>);

/// One byte more than the maximum of a two-byte length.
pub(crate) static TOO_LONG: [u8; 65_536] = [b'x'; 65_536];

/// The maximum of a two-byte length.
pub(crate) fn longest() -> &'static [u8] {
    &TOO_LONG[1..]
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

/// Returns a packet of fewer than 128 bytes after the fixed header, so that a test need not count
/// them.
pub(crate) fn framed(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let remaining_length = u8::try_from(body.len()).unwrap();
    assert!(remaining_length < 0x80, "one length byte is all there is");
    [&[first_byte, remaining_length], body].concat()
}

/// Decodes `bytes`, which must be one packet.
pub(crate) fn decoded_with<'a, V: PacketSet>(bytes: &'a [u8], options: &Options) -> V::Packet<'a> {
    let mut src = bytes;
    let packet = decode::<V>(&mut src, options).unwrap().unwrap();
    assert!(src.is_empty(), "left over: {src:?}");
    packet
}

/// Returns the error of `bytes`.
pub(crate) fn fault_with<V>(bytes: &[u8], options: &Options) -> ReadError
where
    V: for<'a> PacketSet<Packet<'a>: core::fmt::Debug>,
{
    let mut src = bytes;
    let error = decode::<V>(&mut src, options).unwrap_err();
    assert_eq!(src, bytes, "what is refused stays where it is");
    (
        error.kind(),
        error.field(),
        error.offset(),
        error.statement(),
    )
}

/// Returns the bytes of a packet, with and without the feature `alloc`.
pub(crate) fn encoded<P: Encode>(packet: &P) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = vec![0; packet.encoded_len()?];
    let written = packet.encode_to_slice(&mut buffer)?;
    Ok(written.to_vec())
}

/// Checks that `bytes` decode to `packet`, and that `packet` encodes to `bytes`.
pub(crate) fn round_trip<'a, V: PacketSet>(packet: V::Packet<'a>, bytes: &'a [u8])
where
    V::Packet<'a>: PartialEq + core::fmt::Debug + Encode,
{
    assert_eq!(decoded_with::<V>(bytes, &Options::new()), packet);
    assert_eq!(encoded(&packet).as_deref(), Ok(bytes));
}
