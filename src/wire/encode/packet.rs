//! Encodes a packet by the shortest route that it allows.

use super::chunk::{MAX_BODY, MAX_SHORT, try_encode_head, try_encode_short};
use super::counter::body_len;
use super::passes::encode_in_passes;
use crate::wire::encode::{PacketBody, put_header, remaining_length};
use crate::wire::header::header_len;
use crate::wire::{EncodeError, OPTIMIZE_SIZE, Output};

/// Encodes a packet: if possible, the bytes before its payload as one chunk of the output.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
pub(crate) fn encode_packet<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> Result<(), EncodeError> {
    if OPTIMIZE_SIZE {
        return encode_in_passes(packet, out);
    }
    let body = packet.likely_body_len();
    let external = packet.external_len();
    let follows = packet.payload().len().wrapping_add(external);
    let remaining = body.wrapping_add(follows);
    if remaining <= MAX_SHORT && external == 0 {
        encode_short(packet, out)
    } else {
        encode_long(packet, out, body, remaining)
    }
}

/// [`encode_packet`] for a packet that is likely to be short.
#[inline(never)]
fn encode_short<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> Result<(), EncodeError> {
    if try_encode_short(packet, out) {
        return Ok(());
    }
    encode_counted(packet, out)
}

/// [`encode_packet`] for another one.
#[inline(never)]
fn encode_long<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
    body: usize,
    remaining: usize,
) -> Result<(), EncodeError> {
    if body <= MAX_BODY && try_encode_head(packet, out, body, remaining) {
        let payload = packet.payload();
        return if payload.is_empty() {
            Ok(())
        } else {
            out.put(payload)
        };
    }
    encode_counted(packet, out)
}

/// Counts the packet, reserves as many bytes and writes it field by field.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
pub(super) fn encode_counted<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> Result<(), EncodeError> {
    let body = body_len(packet)?;
    let payload = packet.payload();
    let here = body.saturating_add(payload.len());
    let remaining = remaining_length(here.saturating_add(packet.external_len()))?;
    out.reserve(header_len(remaining).saturating_add(here))?;
    put_header(out, packet.first_byte(), remaining)?;
    packet.write_body(out)?;
    out.put(payload)
}

/// Encodes a packet with exactly these bytes.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
pub(crate) fn encode_bytes<const N: usize, O: Output + ?Sized>(
    bytes: [u8; N],
    out: &mut O,
) -> Result<(), EncodeError> {
    if !OPTIMIZE_SIZE && out.has_room(N) {
        return out.put(&bytes);
    }
    reserve_and_put(bytes, out)
}

/// [`encode_bytes`] where there may be no room yet. Not inlined, so that callers save no registers for it.
#[cfg_attr(target_pointer_width = "64", inline(never))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
fn reserve_and_put<const N: usize, O: Output + ?Sized>(
    bytes: [u8; N],
    out: &mut O,
) -> Result<(), EncodeError> {
    out.reserve(N)?;
    out.put(&bytes)
}
