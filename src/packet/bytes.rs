//! Packets over reference-counted [`Bytes`] (feature `bytes`).

use core::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::wire::{DecodeError, Options, PacketSet, SentBy, frame, place_in};

/// A version of MQTT whose packets can be over [`Bytes`].
#[cfg(feature = "tokio-util")]
#[expect(unnameable_types, reason = "only `Codec` uses it")]
pub trait SharedPackets: PacketSet {
    /// A packet over `Bytes`.
    type Shared;

    /// The `decode_bytes` of the version.
    #[doc(hidden)]
    fn decode_bytes(
        src: &mut BytesMut,
        options: &Options,
    ) -> Result<Option<Self::Shared>, DecodeError<Self>>;
}

/// Returns this part of the bytes of a packet. An empty one, which need not lie in them, is of no buffer.
pub(crate) fn part(frame: &Bytes, place: Range<usize>) -> Bytes {
    if place.is_empty() {
        return Bytes::new();
    }
    frame.slice(place)
}

/// Decodes the packet at the start of `src` and removes it; the result refers to the bytes of `src`.
/// `without_bytes` converts a packet without bytes to one over `Bytes`. For other packets `locate`
/// records the positions of the fields, so that the packet is decoded once, and `fill` resolves them.
pub(crate) fn decode_bytes<V: PacketSet, L, P>(
    src: &mut BytesMut,
    options: &Options,
    without_bytes: impl FnOnce(&V::Packet<'_>) -> Option<P>,
    locate: impl FnOnce(V::Packet<'_>, &dyn Fn(&[u8]) -> Range<usize>) -> L,
    fill: impl FnOnce(L, &Bytes) -> P,
) -> Result<Option<P>, DecodeError<V>> {
    let Some(frame) = frame::<V>(src, options.packet_limit(), options)? else {
        return Ok(None);
    };
    let header = frame.header;
    // Before `src` is changed, so that an error leaves it unchanged.
    let Some(packet) = V::read(&header, frame.bytes, options, SentBy::Either)? else {
        return Ok(None);
    };
    // A packet without bytes needs no reference to `src`.
    if let Some(small) = without_bytes(&packet) {
        bytes::Buf::advance(src, header.packet_len());
        return Ok(Some(small));
    }
    let located = locate(packet, &|part| place_in(frame.bytes, part));
    let frame = src.split_to(header.packet_len()).freeze();
    Ok(Some(fill(located, &frame)))
}
