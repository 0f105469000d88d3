//! Decodes whole packets, whether they lie in the input or are collected in the buffer.

use super::StreamDecoder;
use super::buffer::Buffer;
use super::settle::{learn_level, settle};
use super::state::{State, Taken, add, filled, gathering, small};
use crate::wire::{
    DecodeError, Frame, Header, OPTIMIZE_SIZE, Options, PacketSet, SentBy, is_beginning,
    try_header, try_short,
};

impl<P: PacketSet, M: Buffer> StreamDecoder<P, M> {
    /// Removes bytes from the front of `input` until a packet is complete. Returns `Ok(None)` if
    /// `input` is empty; the decoder keeps the start of an incomplete packet. Call this until it
    /// returns `None`.
    ///
    /// A packet must fit into the buffer even if it lies whole in the input, so that the outcome
    /// does not depend on how the stream is split.
    ///
    /// In the middle of a payload from [`decode_in_pieces`](Self::decode_in_pieces), this skips the
    /// rest of the payload. A connection that was passed the header still waits for that rest.
    ///
    /// # Errors
    ///
    /// The first fault of the stream, then at each call. Discard `input`.
    #[inline(always)]
    pub fn decode<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Packet<'s>>, DecodeError<P>> {
        if OPTIMIZE_SIZE {
            return self.decode_split(input);
        }
        if let State::Boundary = self.state {
            return match input.first() {
                None => Ok(None),
                Some(0x30..=0x3f) => self.decode_message(input), // PUBLISH
                Some(_) => self.decode_other(input),
            };
        }
        if self.keep_all_of(input) {
            *input = &[];
            return Ok(None);
        }
        self.decode_end(input)
    }

    /// [`decode`](Self::decode) for a PUBLISH, between two packets.
    #[inline(never)]
    fn decode_message<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Packet<'s>>, DecodeError<P>> {
        if let Some(frame) = self.try_frame(input) {
            if let Some(packet) = P::try_read_publish(&frame.header, frame.body) {
                self.take(&frame, input);
                return Ok(Some(packet));
            }
        }
        self.decode_other(input)
    }

    /// The same for all other packets, and for a packet that is incomplete. A separate function, so that a
    /// message needs fewer registers.
    #[inline(never)]
    fn decode_other<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Packet<'s>>, DecodeError<P>> {
        if let Some((packet, rest)) = try_short::<P>(input, self.limit()) {
            self.position = add(self.position, input.len().saturating_sub(rest.len()));
            *input = rest;
            return Ok(Some(packet));
        }
        let Some(header) = try_header::<P>(input, self.limit(), &self.options) else {
            return self.decode_split(input);
        };
        if let Some(frame) = Frame::split(header, input) {
            *input = frame.rest;
            let Self {
                options,
                state,
                position,
                ..
            } = self;
            return read_uncommon(header, frame.bytes, options, state, position);
        }
        if is_beginning::<P>(&header, &self.options) && self.buffer.append(0, input) {
            self.state = gathering(header, input.len(), header.packet_len());
            *input = &[];
            return Ok(None);
        }
        self.decode_split(input)
    }

    /// [`decode`](Self::decode) within a packet that `input` completes.
    #[inline(never)]
    fn decode_end<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Packet<'s>>, DecodeError<P>> {
        let Some((header, rest)) = self.try_complete(input) else {
            return self.decode_split(input);
        };
        *input = rest;
        let frame = self.buffer.filled(header.packet_len());
        let body = frame.get(header.len()..).unwrap_or_default();
        let packet = P::try_read_publish(&header, body)
            .or_else(|| P::try_read_short(frame).map(|(packet, _)| packet));
        if let Some(packet) = packet {
            self.state = State::Boundary;
            self.position = add(self.position, header.packet_len());
            return Ok(Some(packet));
        }
        let Self {
            options,
            state,
            position,
            ..
        } = self;
        read_uncommon(header, frame, options, state, position)
    }

    /// [`decode`](Self::decode) for everything except a whole packet in the input.
    #[inline(never)]
    fn decode_split<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Packet<'s>>, DecodeError<P>> {
        let (header, frame) = loop {
            match self.step(input, false) {
                Ok(Taken::FrameInInput(header, frame)) => break (header, frame),
                Ok(Taken::FrameInMemory(header)) => {
                    break (header, self.buffer.filled(header.packet_len()));
                }
                // The rest of a payload in pieces, which is skipped.
                Ok(Taken::Payload(..)) => {}
                Ok(Taken::MoreInput | Taken::StartInInput(..) | Taken::StartInMemory(..)) => {
                    return Ok(None);
                }
                Err(error) => return Err(self.fail(error)),
            }
        };
        let packet = P::read(&header, frame, &self.options, SentBy::Either);
        learn_level(&mut self.options, self.position, &header, frame, &packet);
        settle(&mut self.state, &mut self.position, &header, &packet);
        packet
    }

    /// Copies the rest of a packet whose end is in `input`. Returns the bytes after it.
    #[inline(always)]
    fn try_complete<'i>(&mut self, input: &'i [u8]) -> Option<(Header, &'i [u8])> {
        let State::Gathering {
            fixed,
            remaining_length,
            wanted,
            missing,
        } = self.state
        else {
            return None;
        };
        if OPTIMIZE_SIZE {
            return None;
        }
        let header = fixed.header(remaining_length);
        let (end, rest) = input.split_at_checked(missing as usize)?;
        self.buffer
            .append(filled(wanted, missing), end)
            .then_some((header, rest))
    }

    /// Shortcut for a split packet that stays incomplete: returns true if all of `input` was
    /// copied.
    #[inline(always)]
    fn keep_all_of(&mut self, input: &[u8]) -> bool {
        let State::Gathering {
            wanted, missing, ..
        } = &mut self.state
        else {
            return false;
        };
        if input.len() >= *missing as usize {
            return false;
        }
        let filled = filled(*wanted, *missing);
        keep(&mut self.buffer, filled, missing, input)
    }
}

/// Decodes a frame by the general route, and updates the state. The packet may borrow from the decoder's
/// buffer, so this function gets only the decoder's other fields.
#[inline(never)]
fn read_uncommon<'a, P: PacketSet>(
    header: Header,
    frame: &'a [u8],
    options: &mut Options,
    state: &mut State<P>,
    position: &mut u64,
) -> Result<Option<P::Packet<'a>>, DecodeError<P>> {
    let packet = P::read(&header, frame, options, SentBy::Either);
    learn_level(options, *position, &header, frame, &packet);
    settle(state, position, &header, &packet);
    packet
}

/// Records bytes of which less than `missing` were received.
#[inline(never)]
fn keep<M: Buffer>(memory: &mut M, filled: usize, missing: &mut u32, bytes: &[u8]) -> bool {
    let kept = memory.append(filled, bytes);
    if kept {
        *missing = missing.wrapping_sub(small(bytes.len()));
    }
    kept
}
