//! Locates a packet for callers that handle it before they remove it from the input.

use core::num::NonZeroU16;
use core::ops::Range;

use super::StreamDecoder;
use super::buffer::Buffer;
use super::piece::Piece;
use super::settle::{learn_level, settle_start};
use super::state::{State, Taken, add};
use crate::wire::{
    ACKNOWLEDGEMENT_LEN, DecodeError, Frame, Header, PacketSet, PacketType, SentBy,
    try_acknowledgement, try_frame,
};

/// The next packet, or the next piece of one, before it is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Located<'i> {
    header: Header,
    part: Part<'i>,
}

impl Located<'_> {
    /// Returns the packet type. A piece of a payload is one of a PUBLISH.
    pub(crate) fn packet_type(&self) -> PacketType {
        self.header.packet_type().unwrap_or(PacketType::Publish)
    }
}

/// Its position. A part in the input has the input that follows it.
#[derive(Debug, Clone, Copy)]
enum Part<'i> {
    FrameInInput(&'i [u8], &'i [u8]),
    FrameInBuffer,
    /// The header of a PUBLISH whose payload arrives in pieces.
    StartInInput(&'i [u8], &'i [u8]),
    StartInBuffer(usize),
    /// A piece of a payload, and the number of bytes that follow. The decoder has consumed it.
    Payload(&'i [u8], usize),
}

/// A packet or a piece of one, at one of two positions.
type PieceOf<'a, P> = Piece<'a, <P as PacketSet>::Packet<'a>, <P as PacketSet>::PayloadHeader<'a>>;

impl<P: PacketSet, M: Buffer> StreamDecoder<P, M> {
    /// Removes the acknowledgement of a message that `read` finds at the start of `input`. Only
    /// between two packets.
    #[inline(always)]
    pub(crate) fn take_acknowledgement<T>(
        &mut self,
        input: &mut &[u8],
        read: impl FnOnce([u8; ACKNOWLEDGEMENT_LEN]) -> Option<T>,
    ) -> Option<T> {
        let acknowledgement = try_acknowledgement(input, self.limit(), read)?;
        self.position = add(self.position, ACKNOWLEDGEMENT_LEN);
        Some(acknowledgement)
    }

    /// Returns the frame at the start of `input`, if it is complete and ordinary. Only between two
    /// packets.
    #[inline(always)]
    pub(crate) fn try_frame<'i>(&self, input: &'i [u8]) -> Option<Frame<'i>> {
        try_frame::<P>(input, self.limit(), &self.options)
    }

    /// Removes such a frame.
    #[inline(always)]
    pub(crate) const fn take<'i>(&mut self, frame: &Frame<'i>, input: &mut &'i [u8]) {
        *input = frame.rest;
        self.position = add(self.position, frame.header.packet_len());
    }

    /// Locates the next packet, or with
    /// [`Options::payloads_in_pieces`](crate::Options::payloads_in_pieces) the next piece of one,
    /// and removes the bytes before it. It is located again until it is
    /// [consumed](Self::consume). Returns `None` if `input` is used up.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn locate<'i>(
        &mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Located<'i>>, DecodeError<P>> {
        let in_pieces = self.takes_pieces();
        loop {
            let before = *input;
            let (header, part) = match self.step(input, in_pieces) {
                Ok(Taken::FrameInInput(header, frame)) => {
                    let rest = core::mem::replace(input, before);
                    (header, Part::FrameInInput(frame, rest))
                }
                Ok(Taken::StartInInput(header, start)) if M::TAKES_PIECES => {
                    let rest = core::mem::replace(input, before);
                    (header, Part::StartInInput(start, rest))
                }
                Ok(Taken::FrameInMemory(header)) => (header, Part::FrameInBuffer),
                Ok(Taken::StartInMemory(header, len)) if M::TAKES_PIECES => {
                    (header, Part::StartInBuffer(len))
                }
                Ok(Taken::Payload(bytes, left)) if in_pieces => {
                    (Header::EMPTY, Part::Payload(bytes, left))
                }
                // The rest of a payload in pieces, which is skipped.
                Ok(Taken::Payload(..)) => continue,
                Ok(Taken::MoreInput | Taken::StartInInput(..) | Taken::StartInMemory(..)) => {
                    return Ok(None);
                }
                Err(error) => return Err(self.fail(error)),
            };
            return Ok(Some(Located { header, part }));
        }
    }

    /// Returns the bytes of a located packet or piece.
    pub(crate) fn bytes<'s, 'i: 's>(&'s self, located: &Located<'i>) -> &'s [u8] {
        match located.part {
            Part::FrameInInput(bytes, _)
            | Part::StartInInput(bytes, _)
            | Part::Payload(bytes, _) => bytes,
            Part::FrameInBuffer => self.buffer.filled(located.header.packet_len()),
            Part::StartInBuffer(len) => self.buffer.filled(len),
        }
    }

    /// Decodes a located packet or piece. Returns `None` for a packet that `sent_by` does not send.
    #[cfg_attr(not(target_pointer_width = "64"), inline(always))]
    pub(crate) fn read<'s, 'i: 's>(
        &'s self,
        located: &Located<'i>,
        sent_by: SentBy,
    ) -> Result<Option<PieceOf<'s, P>>, DecodeError<P>> {
        let (header, bytes) = (&located.header, self.bytes(located));
        match located.part {
            Part::StartInInput(..) | Part::StartInBuffer(_) if M::TAKES_PIECES => {
                let header = P::read_payload_header(header, bytes, &self.options)?;
                Ok(Some(Piece::PublishHeader(header)))
            }
            Part::Payload(_, left) if M::TAKES_PIECES => Ok(Some(Piece::Payload { bytes, left })),
            _ => {
                let packet = P::read(header, bytes, &self.options, sent_by)?;
                Ok(packet.map(Piece::Packet))
            }
        }
    }

    /// Learns a Topic Alias from a located message. `topic` is the position of the Topic Name in
    /// it.
    pub(crate) fn learn_topic(
        &mut self,
        located: &Located<'_>,
        alias: NonZeroU16,
        topic: Range<usize>,
    ) -> bool {
        match located.part {
            Part::FrameInInput(bytes, _) | Part::StartInInput(bytes, _) => {
                let topic = bytes.get(topic).unwrap_or_default();
                self.buffer.set_topic(alias, topic)
            }
            Part::FrameInBuffer | Part::StartInBuffer(_) => {
                let filled = self.bytes(located).len();
                self.buffer.set_topic_from_buffer(alias, filled, topic)
            }
            Part::Payload(..) => false,
        }
    }

    /// Removes a located packet or piece that was decoded.
    pub(crate) fn consume<'i>(&mut self, located: &Located<'i>, input: &mut &'i [u8]) {
        let outcome = Ok::<_, DecodeError<P>>(());
        let header = &located.header;
        let bytes = match located.part {
            Part::FrameInInput(bytes, rest) | Part::StartInInput(bytes, rest) => {
                *input = rest;
                bytes
            }
            Part::FrameInBuffer => self.buffer.filled(header.packet_len()),
            Part::StartInBuffer(len) => self.buffer.filled(len),
            Part::Payload(..) => return,
        };
        let (options, state, position) = (&mut self.options, &mut self.state, &mut self.position);
        learn_level(options, *position, header, bytes, &outcome);
        settle_start(state, position, header, bytes.len(), &outcome);
    }

    /// Returns true if the buffer holds a whole packet, or a PUBLISH header, that was not consumed.
    pub(crate) const fn holds_packet(&self) -> bool {
        matches!(
            self.state,
            State::Gathering { missing: 0, .. } | State::GatheringStart { missing: 0, .. }
        )
    }
}
