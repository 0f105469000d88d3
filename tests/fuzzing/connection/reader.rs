//! Decodes the bytes of the peer a second time, outside of the connection, for the model.

use mqtt_sansio::any::{self, Protocol, ProtocolVersion};
use mqtt_sansio::v5::PublishHeader;
use mqtt_sansio::{Options, Piece, v3, v5};

use super::wire::{Packet, lifted_header};

/// The next input of the connection.
#[derive(Debug, Clone)]
pub(super) enum Incoming {
    Packet(Packet),
    Header(PublishHeader<Vec<u8>>),
    Payload {
        bytes: Vec<u8>,
        left: usize,
    },
    Malformed(any::DecodeError),
    /// The start of an incomplete packet.
    Part,
}

/// The configuration of a decoder.
#[derive(Debug, Clone, Copy)]
pub(in crate::fuzzing) struct Setup {
    pub(in crate::fuzzing) memory: usize,
    pub(in crate::fuzzing) in_pieces: bool,
    pub(in crate::fuzzing) is_strict: bool,
}

impl Setup {
    pub(super) const fn options(self) -> Options {
        Options::new()
            .payloads_in_pieces(self.in_pieces)
            .refuse_overlong_remaining_length(self.is_strict)
    }
}

pub(super) struct Reader {
    setup: Setup,
    decoder: Decoder,
}

enum Decoder {
    /// The first bytes do not determine the version yet.
    Undecided {
        first: Vec<u8>,
        fallback: ProtocolVersion,
    },
    V3(v3::Decoder<Box<[u8]>>),
    V5(v5::Decoder<Box<[u8]>>),
}

impl Reader {
    pub(super) fn new(version: ProtocolVersion, setup: Setup) -> Self {
        let buffer = vec![0; setup.memory].into_boxed_slice();
        let options = setup.options();
        let decoder = match version {
            ProtocolVersion::V3 => Decoder::V3(v3::Decoder::with_options(buffer, options)),
            ProtocolVersion::V5 => Decoder::V5(v5::Decoder::with_options(buffer, options)),
        };
        Self { setup, decoder }
    }

    /// A reader for a server of any version.
    pub(super) const fn undecided(fallback: ProtocolVersion, setup: Setup) -> Self {
        let first = Vec::new();
        let decoder = Decoder::Undecided { first, fallback };
        Self { setup, decoder }
    }

    pub(super) const fn version(&self) -> Option<ProtocolVersion> {
        match self.decoder {
            Decoder::Undecided { .. } => None,
            Decoder::V3(_) => Some(ProtocolVersion::V3),
            Decoder::V5(_) => Some(ProtocolVersion::V5),
        }
    }

    /// Removes bytes from the front of `input` up to the end of the next packet, or all of them.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Option<Incoming> {
        if let Decoder::Undecided { first, fallback } = &mut self.decoder {
            let all = [first, *input].concat();
            let Some(protocol) = Protocol::of(&all) else {
                *first = all;
                *input = &[];
                return None;
            };
            let first = std::mem::take(first);
            *self = Self::new(protocol.version().unwrap_or(*fallback), self.setup);
            if let Some(early) = self.next(&mut &first[..]) {
                assert!(matches!(early, Incoming::Malformed(_)), "{early:?}");
                return Some(early);
            }
        }
        match &mut self.decoder {
            Decoder::V3(decoder) if self.setup.in_pieces => {
                let piece = decoder.decode_in_pieces(input);
                found(piece, |piece| match piece {
                    Piece::Packet(packet) => Incoming::Packet(packet.into()),
                    Piece::PublishHeader(header) => Incoming::Header(lifted_header(header)),
                    Piece::Payload { bytes, left } => payload(bytes, left),
                })
            }
            Decoder::V5(decoder) if self.setup.in_pieces => {
                let piece = decoder.decode_in_pieces(input);
                found(piece, |piece| match piece {
                    Piece::Packet(packet) => Incoming::Packet(packet.into()),
                    Piece::PublishHeader(header) => Incoming::Header(header.to_owned()),
                    Piece::Payload { bytes, left } => payload(bytes, left),
                })
            }
            Decoder::V3(decoder) => found(decoder.decode(input), |it| Incoming::Packet(it.into())),
            Decoder::V5(decoder) => found(decoder.decode(input), |it| Incoming::Packet(it.into())),
            Decoder::Undecided { .. } => unreachable!("it is decided"),
        }
    }
}

fn found<P, E: Into<any::DecodeError>>(
    decoded: Result<Option<P>, E>,
    incoming: impl FnOnce(P) -> Incoming,
) -> Option<Incoming> {
    match decoded {
        Ok(packet) => packet.map(incoming),
        Err(error) => Some(Incoming::Malformed(error.into())),
    }
}

fn payload(bytes: &[u8], left: usize) -> Incoming {
    let bytes = bytes.to_vec();
    Incoming::Payload { bytes, left }
}
