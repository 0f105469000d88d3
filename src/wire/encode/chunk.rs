//! Encodes a packet, or the bytes before its payload, as one chunk of the output.

use super::cursor::{CHUNK, Cursor};
use crate::wire::Output;
use crate::wire::encode::{PacketBody, put_header, remaining_length};
use crate::wire::header::header_len;

/// The largest Remaining Length of a packet that is one chunk. One byte encodes it.
pub(super) const MAX_SHORT: usize = CHUNK.saturating_sub(2);

/// The largest body of a packet whose fixed header and body are one chunk.
pub(super) const MAX_BODY: usize = CHUNK.saturating_sub(5);

/// Encodes a short packet, all of which is here, as one chunk of the output, and counts it while it is
/// written. A shortcut: if it returns false, nothing was written, and
/// [`encode_counted`](super::packet::encode_counted) decides.
#[inline(always)]
pub(super) fn try_encode_short<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> bool {
    let Some(chunk) = out.chunk(CHUNK) else {
        return false;
    };
    let Some((header, body)) = chunk
        .first_chunk_mut::<CHUNK>()
        .and_then(|chunk| chunk.split_first_chunk_mut())
    else {
        out.advance(0);
        return false;
    };
    let mut rest = Cursor(body);
    let written = packet
        .write_body(&mut rest)
        .and_then(|()| rest.put(packet.payload()));
    if written.is_err() {
        out.advance(0);
        return false;
    }
    let len = MAX_SHORT.wrapping_sub(rest.0.len());
    let [.., remaining] = len.to_be_bytes();
    *header = [packet.first_byte(), remaining];
    out.advance(len.wrapping_add(2));
    true
}

/// Encodes the bytes before the payload as one chunk of an output that has room for the payload too. A
/// shortcut: if it returns false, nothing was written, and
/// [`encode_counted`](super::packet::encode_counted) decides.
#[inline(always)]
pub(super) fn try_encode_head<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
    body: usize,
    remaining: usize,
) -> bool {
    let Ok(remaining) = remaining_length(remaining) else {
        return false;
    };
    let head = header_len(remaining).wrapping_add(body);
    if !out.has_room(head.saturating_add(packet.payload().len())) {
        return false;
    }
    let Some(chunk) = out.chunk(head) else {
        return false;
    };
    let mut rest = Cursor(chunk);
    let written = put_header(&mut rest, packet.first_byte(), remaining)
        .and_then(|()| packet.write_body(&mut rest));
    // Otherwise Remaining Length is wrong.
    if rest.0.is_empty() && written.is_ok() {
        out.advance(head);
        return true;
    }
    out.advance(0);
    false
}
