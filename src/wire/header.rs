//! The fixed header (section 2.2): packet type, flags and Remaining Length.

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
pub(super) enum Scan<'a> {
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
pub(super) fn scan(src: &[u8]) -> Scan<'_> {
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
pub(super) fn is_refused_as_overlong<P: PacketSet>(header: &Header, options: &Options) -> bool {
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

#[cfg(test)]
mod tests;
