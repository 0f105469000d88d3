//! Steps from one byte of the stream to the next packet or piece.

use super::StreamDecoder;
use super::buffer::Buffer;
use super::state::{State, Taken, add, filled, gathering, small};
use crate::wire::{
    DecodeError, ErrorKind, Header, PacketSet, PayloadStart, checked_header, too_large,
};

impl<P: PacketSet, M: Buffer> StreamDecoder<P, M> {
    /// Removes bytes from `input` up to the next packet or piece.
    pub(super) fn step<'i>(
        &mut self,
        input: &mut &'i [u8],
        in_pieces: bool,
    ) -> Result<Taken<'i>, DecodeError<P>> {
        loop {
            match self.state {
                State::Failed(error) => return Err(error),
                State::InPayload { left } => {
                    let bytes = take_up_to(input, left as usize);
                    if bytes.is_empty() {
                        return Ok(Taken::MoreInput);
                    }
                    let left = left.saturating_sub(small(bytes.len()));
                    self.position = add(self.position, bytes.len());
                    self.state = match left {
                        0 => State::Boundary,
                        left => State::InPayload { left },
                    };
                    return Ok(Taken::Payload(bytes, left as usize));
                }
                State::Boundary => {
                    let Some(header) = checked_header::<P>(input, &self.options)? else {
                        if input.is_empty() {
                            return Ok(Taken::MoreInput);
                        }
                        self.state = State::InHeader {
                            start: [0; 5],
                            filled: 0,
                        };
                        continue;
                    };
                    let wanted = self.wanted(&header, input, in_pieces)?;
                    // The comparison alone would do. `in_pieces` is constant in most callers, so
                    // the compiler can drop the other branch.
                    if !in_pieces || wanted == header.packet_len() {
                        if let Some((frame, rest)) = input.split_at_checked(wanted) {
                            *input = rest;
                            return Ok(Taken::FrameInInput(header, frame));
                        }
                    } else if let PayloadStart::At(start) = P::payload_start(&header, input)? {
                        if let Some((start, rest)) = input.split_at_checked(start) {
                            *input = rest;
                            return Ok(Taken::StartInInput(header, start));
                        }
                    }
                    self.state = gathering(header, 0, wanted);
                }
                State::InHeader { mut start, filled } => {
                    // One byte at a time, to stop before the next packet; at most four times.
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(Taken::MoreInput);
                    };
                    *input = rest;
                    if let Some(next) = start.get_mut(usize::from(filled)) {
                        *next = byte;
                    }
                    let filled = filled.saturating_add(1);
                    let come = start.get(..usize::from(filled)).unwrap_or(&start);
                    let Some(header) = checked_header::<P>(come, &self.options)? else {
                        self.state = State::InHeader { start, filled };
                        continue;
                    };
                    let wanted = self.wanted(&header, come, in_pieces)?;
                    self.append(&header, 0, come)?;
                    self.state = gathering(header, come.len(), wanted);
                }
                State::Gathering {
                    fixed,
                    remaining_length,
                    wanted,
                    missing,
                }
                | State::GatheringStart {
                    fixed,
                    remaining_length,
                    wanted,
                    missing,
                } => {
                    let header = fixed.header(remaining_length);
                    let (filled, wanted) = (filled(wanted, missing), wanted as usize);
                    if !in_pieces && wanted != header.packet_len() {
                        // It was begun in pieces, because it does not fit.
                        return Err(too_large(&header));
                    }
                    let bytes = take_up_to(input, missing as usize);
                    self.append(&header, filled, bytes)?;
                    let filled = filled.wrapping_add(bytes.len());
                    self.state = gathering(header, filled, wanted);
                    if filled < wanted {
                        return Ok(Taken::MoreInput);
                    }
                    if !in_pieces || wanted == header.packet_len() {
                        return Ok(Taken::FrameInMemory(header));
                    }
                    let start = self.buffer.filled(filled);
                    let wanted = match P::payload_start(&header, start)? {
                        PayloadStart::At(start) if start == filled => {
                            return Ok(Taken::StartInMemory(header, start));
                        }
                        _ => self.wanted(&header, start, in_pieces)?,
                    };
                    self.state = gathering(header, filled, wanted);
                }
            }
        }
    }

    /// Returns how many bytes of the packet the next step needs: all of them, or for a payload in
    /// pieces those before it. `start` has the bytes received.
    fn wanted(
        &self,
        header: &Header,
        start: &[u8],
        in_pieces: bool,
    ) -> Result<usize, DecodeError<P>> {
        let limit = self.limit() as usize;
        if header.packet_len() <= limit {
            return Ok(header.packet_len());
        }
        if !in_pieces || header.packet_len() > self.options.publish_limit() as usize {
            return Err(too_large(header));
        }
        // Checks the room for each step, however many bytes were received.
        let mut seen = header.len();
        loop {
            let wanted = match P::payload_start(header, start.get(..seen).unwrap_or(start))? {
                PayloadStart::Unknown(wanted) if wanted <= limit => wanted,
                PayloadStart::At(wanted) if wanted <= limit => return Ok(wanted),
                _ => return Err(too_large(header)),
            };
            if wanted > start.len() {
                return Ok(wanted);
            }
            seen = wanted;
        }
    }

    fn append(
        &mut self,
        header: &Header,
        filled: usize,
        bytes: &[u8],
    ) -> Result<(), DecodeError<P>> {
        if self.buffer.append(filled, bytes) {
            return Ok(());
        }
        Err(DecodeError::of_size(header, ErrorKind::OutOfMemory))
    }
}

#[inline(always)]
fn take_up_to<'i>(input: &mut &'i [u8], count: usize) -> &'i [u8] {
    let (taken, rest) = input.split_at_checked(count).unwrap_or((*input, &[]));
    *input = rest;
    taken
}
