//! The frames of a stream, which the fixed header delimits: whole packets at the start of some bytes.

use core::num::NonZeroU16;

use super::header::{Scan, checked_header, is_refused_as_overlong, scan, too_large};
use crate::wire::{DecodeError, Header, OPTIMIZE_SIZE, Options, PacketSet, PacketType};

/// A complete packet, and the bytes after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    pub(crate) bytes: &'a [u8],
    /// The bytes after the fixed header.
    pub(crate) body: &'a [u8],
    pub(crate) rest: &'a [u8],
}

impl<'a> Frame<'a> {
    #[inline(always)]
    pub(crate) fn split(header: Header, src: &'a [u8]) -> Option<Self> {
        Self::split_behind(header, src, src.get(header.len()..)?)
    }

    /// `behind` has the bytes of `src` after the fixed header.
    #[inline(always)]
    fn split_behind(header: Header, src: &'a [u8], behind: &'a [u8]) -> Option<Self> {
        let (body, rest) = behind.split_at_checked(header.remaining_length() as usize)?;
        Some(Self {
            header,
            bytes: src.get(..header.packet_len()).unwrap_or_default(),
            body,
            rest,
        })
    }
}

/// Returns the fixed header at the start of `src` if it is complete and ordinary, and the packet within
/// `limit`. A shortcut: for `None`, [`frame`] decides.
///
/// The first byte and the fixed header are not validated: [`PacketSet::read`] does that, so that a
/// complete frame is examined once, and [`is_beginning`] does it for an incomplete one.
#[inline(always)]
pub(crate) fn try_header<P: PacketSet>(
    src: &[u8],
    limit: u32,
    options: &Options,
) -> Option<Header> {
    try_split_header::<P>(src, limit, options).map(|(header, _)| header)
}

/// [`try_header`] with the bytes after the header.
#[inline(always)]
fn try_split_header<'a, P: PacketSet>(
    src: &'a [u8],
    limit: u32,
    options: &Options,
) -> Option<(Header, &'a [u8])> {
    if OPTIMIZE_SIZE {
        return None; // the general route is linked anyway
    }
    match scan(src) {
        Scan::Header(header, behind)
            if header.packet_len() <= limit as usize
                && !is_refused_as_overlong::<P>(&header, options) =>
        {
            Some((header, behind))
        }
        _ => None,
    }
}

/// Returns the frame at the start of `src`, if its header is one of [`try_header`] and it is complete.
#[inline(always)]
pub(crate) fn try_frame<'a, P: PacketSet>(
    src: &'a [u8],
    limit: u32,
    options: &Options,
) -> Option<Frame<'a>> {
    let (header, behind) = try_split_header::<P>(src, limit, options)?;
    Frame::split_behind(header, src, behind)
}

/// Returns true if the fixed header of an incomplete packet is valid.
#[inline(always)]
pub(crate) fn is_beginning<P: PacketSet>(header: &Header, options: &Options) -> bool {
    P::check_first_byte(header.first_byte(), options).is_ok()
        && P::check_header(header, options).is_ok()
}

/// The length of the shortest acknowledgement of a message.
pub(crate) const ACKNOWLEDGEMENT_LEN: usize = 4;

/// Decodes an acknowledgement of four bytes, which is the same in all versions of MQTT.
#[inline(always)]
pub(crate) const fn acknowledgement(frame: [u8; 4]) -> Option<(PacketType, NonZeroU16)> {
    // Remaining Length first: it excludes most other packets.
    let [first_byte, 2, high, low] = frame else {
        return None;
    };
    let Some(packet_id) = NonZeroU16::new(u16::from_be_bytes([high, low])) else {
        return None;
    };
    let packet_type = match first_byte {
        0x40 => PacketType::PubAck,
        0x50 => PacketType::PubRec,
        0x62 => PacketType::PubRel,
        0x70 => PacketType::PubComp,
        _ => return None,
    };
    Some((packet_type, packet_id))
}

/// Removes the acknowledgement of a message from the start of `src`, if `read` finds one. A
/// shortcut, because a third to a half of all packets are acknowledgements: for `None` the general
/// route decides.
#[inline(always)]
pub(crate) fn try_acknowledgement<T>(
    src: &mut &[u8],
    limit: u32,
    read: impl FnOnce([u8; ACKNOWLEDGEMENT_LEN]) -> Option<T>,
) -> Option<T> {
    if OPTIMIZE_SIZE || (limit as usize) < ACKNOWLEDGEMENT_LEN {
        return None;
    }
    let (frame, rest) = src.split_first_chunk()?;
    let acknowledgement = read(*frame)?;
    *src = rest;
    Some(acknowledgement)
}

/// Returns the frame at the start of `src`, complete and within `limit`, or `Ok(None)` if more
/// bytes are needed.
pub(crate) fn frame<'a, P: PacketSet>(
    src: &'a [u8],
    limit: u32,
    options: &Options,
) -> Result<Option<Frame<'a>>, DecodeError<P>> {
    let Some(header) = checked_header::<P>(src, options)? else {
        return Ok(None);
    };
    if header.packet_len() > limit as usize {
        return Err(too_large(&header));
    }
    Ok(Frame::split(header, src))
}

#[cfg(test)]
mod tests;
