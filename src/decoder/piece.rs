//! The packets and pieces of a stream whose payloads are decoded in pieces.

/// The result of [`StreamDecoder::decode_in_pieces`](crate::StreamDecoder::decode_in_pieces). For MQTT 3.1.1 it is
/// [`v3::PieceRef`](crate::v3::PieceRef).
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a decoder that skipped a kind it did not know would lose bytes"
)]
pub enum Piece<'a, P, H> {
    /// A whole packet.
    Packet(P),
    /// The start of a PUBLISH that exceeds the buffer: everything but its payload, which follows.
    PublishHeader(H),
    /// The next piece of that payload, at least one byte, borrowed from the input.
    Payload {
        /// The bytes.
        bytes: &'a [u8],
        /// The number of bytes still missing; 0 with the last piece.
        left: usize,
    },
}

/// A piece of a payload prints as its length, because it is incomplete and may be long.
impl<P: core::fmt::Debug, H: core::fmt::Debug> core::fmt::Debug for Piece<'_, P, H> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Packet(packet) => f.debug_tuple("Packet").field(packet).finish(),
            Self::PublishHeader(header) => f.debug_tuple("PublishHeader").field(header).finish(),
            Self::Payload { bytes, left } => f
                .debug_struct("Payload")
                .field("len", &bytes.len())
                .field("left", left)
                .finish(),
        }
    }
}

#[cfg(feature = "defmt")]
impl<P: defmt::Format, H: defmt::Format> defmt::Format for Piece<'_, P, H> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Packet(packet) => defmt::write!(f, "Packet({})", packet),
            Self::PublishHeader(header) => defmt::write!(f, "PublishHeader({})", header),
            Self::Payload { bytes, left } => defmt::write!(
                f,
                "Payload {{ len: {=usize}, left: {=usize} }}",
                bytes.len(),
                left
            ),
        }
    }
}
