//! The state of a decoder within a packet.

use crate::wire::{DecodeError, Header, OPTIMIZE_SIZE};

#[derive(Debug, Clone, Copy)]
pub(super) enum State<P> {
    /// The next byte is the first of a packet.
    Boundary,
    /// The first `filled` bytes of a packet were received, and its fixed header is incomplete. They
    /// are stored here, because it is not known yet whether the packet fits into the buffer.
    InHeader {
        start: [u8; 5],
        filled: u8,
    },
    /// The buffer holds a packet of `wanted` bytes except for the last ones, of which `missing`
    /// follow.
    Gathering {
        fixed: Fixed,
        remaining_length: u32,
        wanted: u32,
        missing: u32,
    },
    /// The same for the bytes that the next step towards a payload in pieces needs, to distinguish them
    /// by a shortcut.
    GatheringStart {
        fixed: Fixed,
        remaining_length: u32,
        wanted: u32,
        missing: u32,
    },
    /// The next `left` bytes, at least one, are payload that is decoded in pieces.
    InPayload {
        left: u32,
    },
    Failed(DecodeError<P>),
}

#[cfg(feature = "defmt")]
impl<P> defmt::Format for State<P> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Boundary => defmt::write!(f, "Boundary"),
            Self::InHeader { start, filled } => {
                defmt::write!(f, "InHeader {{ start: {}, filled: {=u8} }}", start, filled);
            }
            Self::Gathering {
                fixed,
                remaining_length,
                wanted,
                missing,
            } => defmt::write!(
                f,
                "Gathering {{ header: {}, wanted: {=u32}, missing: {=u32} }}",
                fixed.header(*remaining_length),
                wanted,
                missing
            ),
            Self::GatheringStart {
                fixed,
                remaining_length,
                wanted,
                missing,
            } => defmt::write!(
                f,
                "GatheringStart {{ header: {}, wanted: {=u32}, missing: {=u32} }}",
                fixed.header(*remaining_length),
                wanted,
                missing
            ),
            Self::InPayload { left } => defmt::write!(f, "InPayload {{ left: {=u32} }}", left),
            Self::Failed(error) => defmt::write!(f, "Failed({})", error),
        }
    }
}

/// The next step of the decoder.
pub(super) enum Taken<'i> {
    /// The input is used up.
    MoreInput,
    /// A complete frame in the input.
    FrameInInput(Header, &'i [u8]),
    /// A complete frame in the buffer.
    FrameInMemory(Header),
    /// The header before a payload in pieces, in the input.
    StartInInput(Header, &'i [u8]),
    /// The header before a payload in pieces, in the buffer: this many bytes.
    StartInMemory(Header, usize),
    /// A piece of payload, and the number of bytes that follow.
    Payload(&'i [u8], usize),
}

/// No packet is longer than fits into 32 bits.
#[inline(always)]
pub(super) fn small(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[inline(always)]
pub(super) fn gathering<P>(header: Header, filled: usize, wanted: usize) -> State<P> {
    let is_whole = wanted == header.packet_len();
    let (wanted, missing) = (small(wanted), small(wanted.wrapping_sub(filled)));
    let (fixed, remaining_length) = Fixed::of(header);
    if OPTIMIZE_SIZE || is_whole {
        return State::Gathering {
            fixed,
            remaining_length,
            wanted,
            missing,
        };
    }
    State::GatheringStart {
        fixed,
        remaining_length,
        wanted,
        missing,
    }
}

/// A fixed header without its Remaining Length, so that a [`State`] has 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed {
    first_byte: u8,
    len: u8,
}

impl Fixed {
    #[inline(always)]
    const fn of(header: Header) -> (Self, u32) {
        let (first_byte, len) = header.first_byte_and_len();
        (Self { first_byte, len }, header.remaining_length())
    }

    #[inline(always)]
    pub(super) const fn header(self, remaining_length: u32) -> Header {
        Header::of_parts(self.first_byte, self.len, remaining_length)
    }
}

/// Returns how many of the `wanted` bytes are in the buffer.
#[inline(always)]
pub(super) const fn filled(wanted: u32, missing: u32) -> usize {
    wanted.wrapping_sub(missing) as usize
}

/// Stream positions in 64 bits do not overflow: that would take centuries.
#[inline(always)]
pub(super) const fn add(position: u64, bytes: usize) -> u64 {
    position.wrapping_add(bytes as u64)
}
