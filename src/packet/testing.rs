//! What the tests of the packets share, whatever the version.

#![expect(
    clippy::std_instead_of_alloc,
    reason = "without the feature `alloc` there is none"
)]

pub(crate) use std::{vec, vec::Vec};

use super::decode;
use crate::types::PacketId;
use crate::wire::{Encode, EncodeError, ErrorKind, Field, Options, PacketSet};

/// What is wrong, in which field, at which byte of the packet, and the statement that says so.
pub(crate) type ReadError = (ErrorKind, Field, usize, Option<&'static str>);

/// One byte more than a two-byte length can say.
pub(crate) static TOO_LONG: [u8; 65_536] = [b'x'; 65_536];

/// The longest that a two-byte length can say.
pub(crate) fn longest() -> &'static [u8] {
    &TOO_LONG[1..]
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

/// A packet of fewer than 128 bytes behind the fixed header, so that a test need not count them.
pub(crate) fn framed(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let remaining_length = u8::try_from(body.len()).unwrap();
    assert!(remaining_length < 0x80, "one length byte is all there is");
    [&[first_byte, remaining_length], body].concat()
}

/// The one packet that `bytes` are.
pub(crate) fn decoded_with<'a, V: PacketSet>(bytes: &'a [u8], options: &Options) -> V::Packet<'a> {
    let mut src = bytes;
    let packet = decode::<V>(&mut src, options).unwrap().unwrap();
    assert!(src.is_empty(), "left over: {src:?}");
    packet
}

/// Why `bytes` are refused.
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

/// The bytes of a packet, with and without the feature `alloc`.
pub(crate) fn encoded<P: Encode>(packet: &P) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = vec![0; packet.encoded_len()?];
    let written = packet.encode_to_slice(&mut buffer)?;
    Ok(written.to_vec())
}

/// `bytes` are `packet`, and `packet` is these bytes and no others.
pub(crate) fn round_trip<'a, V: PacketSet>(packet: V::Packet<'a>, bytes: &'a [u8])
where
    V::Packet<'a>: PartialEq + core::fmt::Debug + Encode,
{
    assert_eq!(decoded_with::<V>(bytes, &Options::new()), packet);
    assert_eq!(encoded(&packet).as_deref(), Ok(bytes));
}
