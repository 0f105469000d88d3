//! The fixed header (section 2.2): packet type, flags and Remaining Length; and the frames of a
//! stream, which it delimits.

use core::num::NonZeroU16;

use crate::wire::{DecodeError, ErrorKind, Field, OPTIMIZE_SIZE, Options, PacketSet, PacketType};

/// The largest Remaining Length that four bytes can encode: 256 MiB less one byte (Table 2.4).
pub const MAX_REMAINING_LENGTH: u32 = 268_435_455;

/// A packet's first two to five bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    remaining_length: u32,
    first_byte: u8,
    len: u8,
}

impl Header {
    /// For a piece of a payload, which has no fixed header of its own.
    pub(crate) const EMPTY: Self = Self {
        remaining_length: 0,
        first_byte: 0,
        len: 0,
    };

    pub(crate) const fn of_parts(first_byte: u8, len: u8, remaining_length: u32) -> Self {
        Self {
            remaining_length,
            first_byte,
            len,
        }
    }

    pub(crate) const fn first_byte_and_len(self) -> (u8, u8) {
        (self.first_byte, self.len)
    }

    /// Returns the packet type, or `None` if the number is reserved.
    #[must_use]
    pub const fn packet_type(&self) -> Option<PacketType> {
        PacketType::from_number(self.first_byte >> 4)
    }

    /// Returns the first byte: packet type in the upper four bits, flags in the lower four.
    #[must_use]
    pub const fn first_byte(&self) -> u8 {
        self.first_byte
    }

    /// Returns the Remaining Length: the number of bytes after the fixed header.
    #[must_use]
    pub const fn remaining_length(&self) -> u32 {
        self.remaining_length
    }

    /// Returns the length of the fixed header: 2 to 5.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a fixed header is never empty")]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Returns the length of the whole packet, fixed header included.
    #[must_use]
    pub const fn packet_len(&self) -> usize {
        (self.len as usize).saturating_add(self.remaining_length as usize)
    }
}

/// The result of scanning bytes for a fixed header.
enum Scan<'a> {
    /// Fewer bytes than the fixed header has.
    Short,
    /// The header, and the bytes after it.
    Header(Header, &'a [u8]),
    /// The fourth length byte announces a fifth.
    TooLong,
}

/// The top bit of a byte of Remaining Length: another byte follows.
const MORE: u8 = 0x80;

/// Returns the seven bits of one byte of Remaining Length at their position.
const fn part(byte: u8, shift: u32) -> u32 {
    ((byte & 0x7f) as u32) << shift
}

/// Scans the fixed header in one pass (section 2.2.3).
#[inline(always)]
fn scan(src: &[u8]) -> Scan<'_> {
    if OPTIMIZE_SIZE {
        return scan_in_a_loop(src);
    }
    let (first_byte, remaining_length, len, rest) = match *src {
        [first, a, ref rest @ ..] if a & MORE == 0 => (first, part(a, 0), 2, rest),
        [first, a, b, ref rest @ ..] if b & MORE == 0 => (first, part(a, 0) | part(b, 7), 3, rest),
        [first, a, b, c, ref rest @ ..] if c & MORE == 0 => {
            (first, part(a, 0) | part(b, 7) | part(c, 14), 4, rest)
        }
        [first, a, b, c, d, ref rest @ ..] if d & MORE == 0 => (
            first,
            part(a, 0) | part(b, 7) | part(c, 14) | part(d, 21),
            5,
            rest,
        ),
        [_, _, _, _, _, ..] => return Scan::TooLong,
        _ => return Scan::Short,
    };
    let header = Header {
        remaining_length,
        first_byte,
        len,
    };
    Scan::Header(header, rest)
}

/// [`scan`] with less code.
#[inline(always)]
fn scan_in_a_loop(src: &[u8]) -> Scan<'_> {
    let mut remaining_length = 0;
    let mut bytes = src.iter();
    let Some(&first_byte) = bytes.next() else {
        return Scan::Short;
    };
    for (len, shift) in [(2, 0), (3, 7), (4, 14), (5, 21)] {
        let Some(&byte) = bytes.next() else {
            return Scan::Short;
        };
        remaining_length |= part(byte, shift);
        if byte & MORE == 0 {
            let header = Header {
                remaining_length,
                first_byte,
                len,
            };
            return Scan::Header(header, bytes.as_slice());
        }
    }
    Scan::TooLong
}

/// Returns the fixed header at the start of `src`, validated as far as received, or `Ok(None)` if
/// more bytes are needed. Does not check the size limit.
pub(crate) fn checked_header<P: PacketSet>(
    src: &[u8],
    options: &Options,
) -> Result<Option<Header>, DecodeError<P>> {
    // The first byte is validated first, so that its fault does not depend on how many bytes were
    // received.
    let Some(&first_byte) = src.first() else {
        return Ok(None);
    };
    P::check_first_byte(first_byte, options)?;
    let fault = |kind| {
        let packet_type = PacketType::from_number(first_byte >> 4);
        DecodeError::new(packet_type, Field::RemainingLength, kind, 1)
    };
    match scan(src) {
        Scan::Short => Ok(None),
        Scan::TooLong => Err(fault(ErrorKind::RemainingLengthTooLong)),
        Scan::Header(header, _) => {
            if is_refused_as_overlong::<P>(&header, options) {
                return Err(fault(ErrorKind::RemainingLengthNotMinimal));
            }
            P::check_header(&header, options)?;
            Ok(Some(header))
        }
    }
}

/// Returns true if Remaining Length has more bytes than it needs, and the version or the options
/// forbid it.
#[inline(always)]
fn is_refused_as_overlong<P: PacketSet>(header: &Header, options: &Options) -> bool {
    header.len != 2
        && P::refuses_overlong_remaining_length(options)
        && header.len() > header_len(header.remaining_length)
}

/// Returns how many bytes the fixed header with this Remaining Length needs (Table 2.4).
#[inline(always)]
pub(super) const fn header_len(remaining: u32) -> usize {
    match remaining {
        0..=0x7f => 2,
        0x80..=0x3fff => 3,
        0x4000..=0x1f_ffff => 4,
        _ => 5,
    }
}

/// Returns the fault of a packet over the limit.
#[cold]
pub(crate) fn too_large<P: PacketSet>(header: &Header) -> DecodeError<P> {
    DecodeError::of_size(header, ErrorKind::PacketTooLarge)
}

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
        let (body, rest) = behind.split_at_checked(header.remaining_length as usize)?;
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
    P::check_first_byte(header.first_byte, options).is_ok()
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
