//! From a stream that is cut anywhere to packets: whole ones are read where they are, only a
//! packet that is split is gathered.

mod buffer;
mod state;
mod step;

use core::marker::PhantomData;

pub use buffer::Buffer;
use state::{State, Taken, add, filled, gathering, small};

use crate::wire::{
    ACKNOWLEDGEMENT_LEN, DecodeError, Frame, Header, OPTIMIZE_SIZE, Options, PacketSet,
    try_acknowledgement, try_beginning, try_frame,
};

/// A streaming decoder: takes byte slices as they come from the transport, cut anywhere, and
/// yields packets. `P` is the version of MQTT ([`v3::Decoder`](crate::v3::Decoder) fills it in),
/// `M` the [`Buffer`] for a packet that is split between two slices.
///
/// A packet that lies whole in the input is decoded where it is and borrows from the input; one
/// that does not is gathered in `M`, each byte copied once, and borrows from the decoder. However
/// the stream is cut, the same packets come out, or the same error at the same place.
///
/// After an error the decoder gives the same error for ever: the connection is over, and the next
/// one begins with a new decoder.
///
/// ```
/// use mqtt_sansio::v3::{Decoder, Packet};
///
/// let mut decoder = Decoder::new([0; 512]);
/// for mut input in [&b"\xc0\x00\x30\x05"[..], b"\x00\x01", b"ahi\xe0\x00"] {
///     while let Some(packet) = decoder.decode(&mut input)? {
///         match packet {
///             Packet::Publish(publish) => assert_eq!(publish.payload, b"hi"),
///             other => println!("{other:?}"),
///         }
///     }
/// }
/// assert!(decoder.is_at_packet_boundary());
/// # Ok::<(), mqtt_sansio::v3::DecodeError>(())
/// ```
#[derive(Clone)]
pub struct StreamDecoder<P, M> {
    buffer: M,
    options: Options,
    state: State<P>,
    position: u64,
    packets: PhantomData<fn() -> P>,
}

/// What [`StreamDecoder::decode_in_pieces`] yields. With MQTT 3.1.1 filled in it is
/// [`v3::PieceRef`](crate::v3::PieceRef).
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a decoder that skipped a kind it did not know would lose bytes"
)]
pub enum Piece<'a, P, H> {
    /// A packet that fitted, whole.
    Packet(P),
    /// The start of a PUBLISH that did not fit: everything but its payload, which follows.
    PublishHeader(H),
    /// The next part of that payload, at least one byte, borrowed from the input.
    Payload {
        /// The bytes.
        bytes: &'a [u8],
        /// How many are still to come; 0 with the last piece.
        left: usize,
    },
}

/// A piece of a payload prints as its length: it is a part of something, and may be long.
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

/// The next packet, or the next piece of one, before it is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Located<'i> {
    header: Header,
    part: Part<'i>,
}

/// Where it is. What lies in the input comes with what follows it there.
#[derive(Debug, Clone, Copy)]
enum Part<'i> {
    FrameInInput(&'i [u8], &'i [u8]),
    FrameInBuffer,
    /// What comes before a payload in pieces.
    StartInInput(&'i [u8], &'i [u8]),
    StartInBuffer(usize),
    /// A piece of a payload, and how much of that is left. The decoder is past it.
    Payload(&'i [u8], usize),
}

/// A packet or a piece of one, from either of two places.
type PieceOf<'a, P> = Piece<'a, <P as PacketSet>::Packet<'a>, <P as PacketSet>::PayloadHeader<'a>>;

impl<P: PacketSet, M: Buffer> StreamDecoder<P, M> {
    /// A strict decoder with the default limits.
    pub const fn new(buffer: M) -> Self {
        Self::with_options(buffer, Options::new())
    }

    /// A decoder with other limits or leniencies.
    pub const fn with_options(buffer: M, options: Options) -> Self {
        Self {
            buffer,
            options,
            state: State::Boundary,
            position: 0,
            packets: PhantomData,
        }
    }

    /// Takes bytes off the front of `input` until a packet is complete. `Ok(None)`: `input` is
    /// used up, and what it held of an incomplete packet is kept. Call it until then.
    ///
    /// A packet must fit into the memory whole, even if it lies whole in the input, so that the
    /// outcome does not depend on how the stream is cut.
    ///
    /// If [`decode_in_pieces`](Self::decode_in_pieces) was left in the middle of a payload, this
    /// skips the rest of it. A connection that has been given the header waits for that rest.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with the stream, from then on at each call. `input` is of no
    /// use any more.
    #[inline(always)]
    pub fn decode<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Packet<'s>>, DecodeError<P>> {
        if !OPTIMIZE_SIZE {
            if let State::Boundary = self.state {
                if input.is_empty() {
                    return Ok(None);
                }
            } else if self.keep_all_of(input) {
                *input = &[];
                return Ok(None);
            }
        }
        self.decode_to_end(input)
    }

    /// [`decode`](Self::decode) for what is not the middle of a packet.
    #[inline(never)]
    fn decode_to_end<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Packet<'s>>, DecodeError<P>> {
        match self.state {
            State::Boundary => {
                if let Some(frame) = self.try_frame(input) {
                    if let Some(packet) = P::try_read_publish(&frame.header, frame.bytes) {
                        self.take(&frame, input);
                        return Ok(Some(packet));
                    }
                    if let Some(packet) = P::try_read_short(frame.bytes) {
                        self.take(&frame, input);
                        return Ok(Some(packet));
                    }
                } else if self.begin_with(input) {
                    *input = &[];
                    return Ok(None);
                }
            }
            State::InHeader { .. } => {}
            _ => {
                if let Some((header, rest)) = self.try_complete(input) {
                    *input = rest;
                    let frame = self.buffer.filled(header.packet_len());
                    let packet = read_frame::<P>(&header, frame, &self.options);
                    settle(&mut self.state, &mut self.position, &header, &packet);
                    return packet;
                }
            }
        }
        self.decode_split(input)
    }

    // For who deals with a packet before it is taken off the input.

    /// Takes the acknowledgement of a message that `read` finds at the start of `input`. For between
    /// two packets.
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

    /// A frame that lies whole at the start of `input`, if nothing is special about it. For between
    /// two packets.
    #[inline(always)]
    pub(crate) fn try_frame<'i>(&self, input: &'i [u8]) -> Option<Frame<'i>> {
        try_frame::<P>(input, self.limit(), &self.options)
    }

    /// Takes such a frame.
    #[inline(always)]
    pub(crate) const fn take<'i>(&mut self, frame: &Frame<'i>, input: &mut &'i [u8]) {
        *input = frame.rest;
        self.position = add(self.position, frame.bytes.len());
    }

    /// Locates the next packet, or with [`Options::payloads_in_pieces`] the next piece of one, and takes
    /// what comes before it. It is located again until it is [consumed](Self::consume). `None`: `input`
    /// is used up.
    pub(crate) fn locate<'i>(
        &mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Located<'i>>, DecodeError<P>> {
        let in_pieces = self.options.has_payloads_in_pieces();
        loop {
            let before = *input;
            let (header, part) = match self.step(input, in_pieces) {
                Ok(Taken::FrameInInput(header, frame)) => {
                    let rest = core::mem::replace(input, before);
                    (header, Part::FrameInInput(frame, rest))
                }
                Ok(Taken::StartInInput(header, start)) => {
                    let rest = core::mem::replace(input, before);
                    (header, Part::StartInInput(start, rest))
                }
                Ok(Taken::FrameInMemory(header)) => (header, Part::FrameInBuffer),
                Ok(Taken::StartInMemory(header, len)) => (header, Part::StartInBuffer(len)),
                Ok(Taken::Payload(bytes, left)) if in_pieces => {
                    (Header::EMPTY, Part::Payload(bytes, left))
                }
                // The rest of a payload in pieces that is to be skipped.
                Ok(Taken::Payload(..)) => continue,
                Ok(Taken::MoreInput) => return Ok(None),
                Err(error) => return Err(self.fail(error)),
            };
            return Ok(Some(Located { header, part }));
        }
    }

    /// Decodes what was located, if it lies in the input: what comes out borrows from that alone.
    pub(crate) fn read_from_input<'i>(
        &self,
        located: &Located<'i>,
    ) -> Option<Result<PieceOf<'i, P>, DecodeError<P>>> {
        match located.part {
            Part::FrameInInput(frame, _) => Some(self.read_frame(&located.header, frame)),
            Part::StartInInput(start, _) => Some(self.read_start(&located.header, start)),
            Part::Payload(bytes, left) => Some(Ok(Piece::Payload { bytes, left })),
            Part::FrameInBuffer | Part::StartInBuffer(_) => None,
        }
    }

    /// What was located, if it is in the buffer.
    pub(crate) fn buffered(&self, located: &Located<'_>) -> &[u8] {
        match located.part {
            Part::FrameInBuffer => self.buffer.filled(located.header.packet_len()),
            Part::StartInBuffer(len) => self.buffer.filled(len),
            Part::FrameInInput(..) | Part::StartInInput(..) | Part::Payload(..) => &[],
        }
    }

    /// Decodes what was located.
    pub(crate) fn read<'s, 'i: 's>(
        &'s self,
        located: &Located<'i>,
    ) -> Result<PieceOf<'s, P>, DecodeError<P>> {
        let header = &located.header;
        match located.part {
            Part::FrameInInput(frame, _) => self.read_frame(header, frame),
            Part::FrameInBuffer => self.read_frame(header, self.buffer.filled(header.packet_len())),
            Part::StartInInput(start, _) => self.read_start(header, start),
            Part::StartInBuffer(len) => self.read_start(header, self.buffer.filled(len)),
            Part::Payload(bytes, left) => Ok(Piece::Payload { bytes, left }),
        }
    }

    fn read_frame<'a>(
        &self,
        header: &Header,
        frame: &'a [u8],
    ) -> Result<PieceOf<'a, P>, DecodeError<P>> {
        match P::read(header, frame, &self.options)? {
            Some(packet) => Ok(Piece::Packet(packet)),
            // There is always a packet: see `PacketSet::read`.
            None => Err(crate::wire::too_large(header)),
        }
    }

    fn read_start<'a>(
        &self,
        header: &Header,
        start: &'a [u8],
    ) -> Result<PieceOf<'a, P>, DecodeError<P>> {
        P::read_payload_header(header, start, &self.options).map(Piece::PublishHeader)
    }

    /// Takes what was located and decoded.
    pub(crate) fn consume<'i>(
        &mut self,
        located: &Located<'i>,
        outcome: Result<(), DecodeError<P>>,
        input: &mut &'i [u8],
    ) {
        let header = &located.header;
        match located.part {
            Part::FrameInInput(_, rest) => {
                *input = rest;
                settle(&mut self.state, &mut self.position, header, &outcome);
            }
            Part::FrameInBuffer => settle(&mut self.state, &mut self.position, header, &outcome),
            Part::StartInInput(start, rest) => {
                *input = rest;
                settle_start(
                    &mut self.state,
                    &mut self.position,
                    header,
                    start.len(),
                    &outcome,
                );
            }
            Part::StartInBuffer(len) => {
                settle_start(&mut self.state, &mut self.position, header, len, &outcome)
            }
            Part::Payload(..) => {}
        }
    }

    /// True if a whole packet has been gathered, and not taken.
    pub(crate) const fn holds_packet(&self) -> bool {
        matches!(self.state, State::Gathering { missing: 0, .. })
    }

    /// Shortcut for the beginning of a packet that fits: true if its fixed header is complete and
    /// all of `input` has been kept.
    #[inline]
    fn begin_with(&mut self, input: &[u8]) -> bool {
        let Some(header) = try_beginning::<P>(input, self.limit(), &self.options) else {
            return false;
        };
        let kept = self.buffer.append(0, input);
        if kept {
            self.state = gathering(header, input.len(), header.packet_len());
        }
        kept
    }

    /// Gathers the rest of a packet whose end is in `input`. Returns what is behind it.
    #[inline(always)]
    fn try_complete<'i>(&mut self, input: &'i [u8]) -> Option<(Header, &'i [u8])> {
        let State::Gathering {
            header,
            wanted,
            missing,
        } = self.state
        else {
            return None;
        };
        if OPTIMIZE_SIZE {
            return None;
        }
        let (end, rest) = input.split_at_checked(missing as usize)?;
        self.buffer
            .append(filled(wanted, missing), end)
            .then_some((header, rest))
    }

    /// The short way for a packet that is being gathered and stays incomplete: true if all of
    /// `input` has been kept.
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

    /// [`decode`](Self::decode) for all but a whole packet in the input.
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
                // The rest of a payload in pieces that is to be skipped.
                Ok(Taken::Payload(..)) => {}
                Ok(Taken::MoreInput | Taken::StartInInput(..) | Taken::StartInMemory(..)) => {
                    return Ok(None);
                }
                Err(error) => return Err(self.fail(error)),
            }
        };
        let packet = P::read(&header, frame, &self.options);
        settle(&mut self.state, &mut self.position, &header, &packet);
        packet
    }

    /// As [`decode`](Self::decode), but a PUBLISH that is larger than the memory or than
    /// [`Options::max_packet_size`] is no error: it comes out as its header, followed by its
    /// payload in pieces as they arrive, up to [`Options::max_publish_size`]. What comes before
    /// the payload has to fit into the memory, and into `max_packet_size`.
    ///
    /// ```
    /// use mqtt_sansio::{Piece, v3::Decoder};
    ///
    /// // A firmware image of 80 bytes through a buffer of 16.
    /// let mut stream = b"\x30\x54\x00\x02fw".to_vec();
    /// stream.extend([0xEE; 80]);
    ///
    /// let mut decoder = Decoder::new([0; 16]);
    /// let mut written = 0;
    /// for mut input in stream.chunks(7) {
    ///     while let Some(piece) = decoder.decode_in_pieces(&mut input)? {
    ///         match piece {
    ///             Piece::PublishHeader(header) => assert_eq!(header.payload_len, 80),
    ///             Piece::Payload { bytes, .. } => written += bytes.len(), // to flash
    ///             Piece::Packet(packet) => println!("{packet:?}"),
    ///         }
    ///     }
    /// }
    /// assert_eq!(written, 80);
    /// # Ok::<(), mqtt_sansio::v3::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    #[expect(
        clippy::type_complexity,
        reason = "the parameters are the version's; `v3::PieceRef` is the short form"
    )]
    pub fn decode_in_pieces<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Piece<'s, P::Packet<'s>, P::PayloadHeader<'s>>>, DecodeError<P>> {
        let step = match self.step(input, true) {
            Ok(step) => step,
            Err(error) => return Err(self.fail(error)),
        };
        let (header, frame, start) = match step {
            Taken::MoreInput => return Ok(None),
            Taken::Payload(bytes, left) => return Ok(Some(Piece::Payload { bytes, left })),
            Taken::FrameInInput(header, frame) => (header, frame, None),
            Taken::FrameInMemory(header) => (header, self.buffer.filled(header.packet_len()), None),
            Taken::StartInInput(header, start) => (header, start, Some(start.len())),
            Taken::StartInMemory(header, len) => (header, self.buffer.filled(len), Some(len)),
        };
        let piece = match start {
            None => P::read(&header, frame, &self.options).map(|packet| packet.map(Piece::Packet)),
            Some(_) => P::read_payload_header(&header, frame, &self.options)
                .map(|header| Some(Piece::PublishHeader(header))),
        };
        let taken = start.unwrap_or_else(|| header.packet_len());
        settle_start(&mut self.state, &mut self.position, &header, taken, &piece);
        piece
    }

    /// The largest packet that is taken whole.
    #[inline(always)]
    fn limit(&self) -> u32 {
        let capacity = u32::try_from(self.buffer.capacity()).unwrap_or(u32::MAX);
        self.options.packet_limit().min(capacity)
    }

    #[cold]
    const fn fail(&mut self, error: DecodeError<P>) -> DecodeError<P> {
        self.state = State::Failed(error);
        error
    }
}

impl<P, M> StreamDecoder<P, M> {
    /// How many bytes of the stream have come out as packets, or as pieces of one. This is where
    /// the next packet starts, and, after an error, the one at fault: the offending byte is
    /// [`DecodeError::offset`] further on.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// True if the next byte is the first of a packet: no packet would be cut if the transport
    /// ended here.
    pub const fn is_at_packet_boundary(&self) -> bool {
        matches!(self.state, State::Boundary)
    }

    /// True if nothing has been decoded yet: the next byte is the first of the stream.
    pub const fn is_at_start(&self) -> bool {
        self.position == 0 && self.is_at_packet_boundary()
    }

    /// The options in force.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Other limits or leniencies from now on: for example a larger
    /// [`Options::max_packet_size`] once CONNECT has been accepted. Of a packet that is half
    /// gathered the size has been judged already, the rest has not; the size of a PUBLISH in pieces is
    /// judged again until its header has come out.
    pub const fn set_options(&mut self, options: Options) {
        self.options = options;
    }
}

impl<P: PacketSet, M> core::fmt::Debug for StreamDecoder<P, M> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StreamDecoder")
            .field("state", &self.state)
            .field("position", &self.position)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<P: PacketSet, M> defmt::Format for StreamDecoder<P, M> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "StreamDecoder {{ state: {}, position: {=u64} }}",
            self.state,
            self.position
        );
    }
}

#[cfg(feature = "alloc")]
impl<P> StreamDecoder<P, alloc::vec::Vec<u8>> {
    /// Gives memory back to the heap that is not in use now (feature `alloc`). A decoder keeps
    /// what its largest split packet needed; a server with many idle connections may not want
    /// that.
    pub fn shrink(&mut self) {
        let filled = match self.state {
            State::Gathering {
                wanted, missing, ..
            }
            | State::GatheringStart {
                wanted, missing, ..
            } => filled(wanted, missing),
            State::Boundary
            | State::InHeader { .. }
            | State::InPayload { .. }
            | State::Failed(_) => 0,
        };
        self.buffer.truncate(filled);
        self.buffer.shrink_to_fit();
    }
}

/// The state after the first bytes of a packet, `taken` of them: all of it, or what comes before a
/// payload in pieces.
fn settle_start<P: PacketSet, T>(
    state: &mut State<P>,
    position: &mut u64,
    header: &Header,
    taken: usize,
    outcome: &Result<T, DecodeError<P>>,
) {
    *state = match outcome {
        Ok(_) => {
            *position = add(*position, taken);
            match header.packet_len().saturating_sub(taken) {
                0 => State::Boundary,
                left => State::InPayload { left: small(left) },
            }
        }
        Err(error) => State::Failed(*error),
    };
}

/// Reads a frame, in few steps if it is what most are.
#[inline(always)]
fn read_frame<'a, P: PacketSet>(
    header: &Header,
    frame: &'a [u8],
    options: &Options,
) -> Result<Option<P::Packet<'a>>, DecodeError<P>> {
    if let Some(packet) = P::try_read_publish(header, frame) {
        return Ok(Some(packet));
    }
    if let Some(packet) = P::try_read_short(frame) {
        return Ok(Some(packet));
    }
    P::read(header, frame, options)
}

/// What a frame that has been read leads to. The packet may borrow from the decoder's memory, so that
/// only the decoder's other fields can be written to.
#[inline(always)]
const fn settle<P: PacketSet, T>(
    state: &mut State<P>,
    position: &mut u64,
    header: &Header,
    packet: &Result<T, DecodeError<P>>,
) {
    *state = match packet {
        Ok(_) => {
            *position = add(*position, header.packet_len());
            State::Boundary
        }
        Err(error) => State::Failed(*error),
    };
}

/// Keeps less than is `missing`.
#[inline(never)]
fn keep<M: Buffer>(memory: &mut M, filled: usize, missing: &mut u32, bytes: &[u8]) -> bool {
    let kept = memory.append(filled, bytes);
    if kept {
        *missing = missing.wrapping_sub(small(bytes.len()));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::{DecodeError, Decoder, Delivery, Packet, PieceRef};
    use crate::wire::{ErrorKind, Field, PacketType};
    use std::format;

    #[cfg(feature = "alloc")]
    use alloc::vec::Vec;

    const PINGREQ: &[u8] = b"\xc0\0";
    /// PUBLISH of `hello` to `t`: ten bytes.
    const PUBLISH: &[u8] = b"\x30\x08\0\x01thello";
    /// A PUBLISH with a payload of 20 bytes to `t`: 25 bytes, 5 of them before the payload.
    const LARGE: &[u8] = b"\x30\x17\0\x01t01234567890123456789";

    /// What comes out of `input`, which is used up.
    fn decode_one<M: Buffer>(decoder: &mut Decoder<M>, mut input: &[u8]) -> Option<PacketType> {
        let packet = decoder.decode(&mut input).unwrap();
        let packet_type = packet.map(|packet| packet.packet_type());
        assert_eq!(input, b"");
        packet_type
    }

    fn refusal<M: Buffer>(decoder: &mut Decoder<M>, mut input: &[u8]) -> DecodeError {
        decoder.decode(&mut input).unwrap_err()
    }

    fn piece<'s, 'i: 's, M: Buffer>(
        decoder: &'s mut Decoder<M>,
        input: &mut &'i [u8],
    ) -> Option<PieceRef<'s>> {
        decoder.decode_in_pieces(input).unwrap()
    }

    #[test]
    fn a_new_decoder_is_strict_at_the_start_and_at_a_boundary() {
        let decoder = Decoder::new([0; 4]);
        assert_eq!(decoder.position(), 0);
        assert!(decoder.is_at_packet_boundary());
        assert_eq!(*decoder.options(), Options::new());
    }

    #[test]
    fn no_input_is_no_packet() {
        let mut decoder = Decoder::new([0; 4]);
        assert_eq!(decode_one(&mut decoder, b""), None);
        assert_eq!(piece(&mut decoder, &mut &b""[..]), None);
        assert!(decoder.is_at_packet_boundary());
    }

    #[test]
    fn packets_come_out_one_at_a_time_until_the_input_is_used_up() {
        let mut decoder = Decoder::new([0; 4]);
        let mut input = &b"\xc0\0\x40\x02\0\x07\xd0\0"[..];
        assert_eq!(decoder.decode(&mut input), Ok(Some(Packet::PingReq)));
        assert_eq!(input, b"\x40\x02\0\x07\xd0\0");
        assert!(matches!(
            decoder.decode(&mut input),
            Ok(Some(Packet::PubAck(_)))
        ));
        assert_eq!(decoder.decode(&mut input), Ok(Some(Packet::PingResp)));
        assert_eq!(decoder.decode(&mut input), Ok(None));
        assert_eq!(input, b"");
    }

    #[test]
    fn the_position_is_where_the_next_packet_starts() {
        let mut decoder = Decoder::new([0; 16]);
        decode_one(&mut decoder, PINGREQ);
        assert_eq!(decoder.position(), 2);
        // The first bytes of a packet have not come out yet.
        decode_one(&mut decoder, &PUBLISH[..7]);
        assert_eq!(decoder.position(), 2);
        decode_one(&mut decoder, &PUBLISH[7..]);
        assert_eq!(decoder.position(), 12);
        decode_one(&mut decoder, PINGREQ);
        assert_eq!(decoder.position(), 14);
    }

    #[test]
    fn the_position_goes_on_with_each_piece() {
        let mut decoder = Decoder::new([0; 8]);
        let mut input = LARGE;
        piece(&mut decoder, &mut input);
        assert_eq!(decoder.position(), 5);
        let mut part = &input[..12];
        piece(&mut decoder, &mut part);
        assert_eq!(decoder.position(), 17);
        let mut part = &input[12..];
        piece(&mut decoder, &mut part);
        assert_eq!(decoder.position(), 25);
    }

    #[test]
    fn after_an_error_the_position_is_where_the_packet_at_fault_starts() {
        for cut in 2..6 {
            let mut decoder = Decoder::new([0; 16]);
            let (mut start, mut rest) = b"\xc0\0\x40\x02\0\0".split_at(cut);
            decoder.decode(&mut start).unwrap();
            let _ = decoder.decode(&mut start);
            let error = decoder.decode(&mut rest).unwrap_err();
            assert_eq!(decoder.position(), 2);
            assert_eq!(error.offset(), 2);
        }
    }

    #[test]
    fn a_packet_that_has_started_is_no_boundary_until_it_is_complete() {
        let mut decoder = Decoder::new([0; 16]);
        for at in 0..PUBLISH.len() {
            assert_eq!(decoder.is_at_packet_boundary(), at == 0, "before byte {at}");
            decode_one(&mut decoder, &PUBLISH[at..at.wrapping_add(1)]);
        }
        assert!(decoder.is_at_packet_boundary());
    }

    #[test]
    fn a_payload_in_pieces_is_no_boundary_until_its_last_byte() {
        let mut decoder = Decoder::new([0; 8]);
        let mut input = &LARGE[..24];
        piece(&mut decoder, &mut input);
        assert!(!decoder.is_at_packet_boundary());
        piece(&mut decoder, &mut input);
        assert!(!decoder.is_at_packet_boundary());
        piece(&mut decoder, &mut &LARGE[24..]);
        assert!(decoder.is_at_packet_boundary());
    }

    #[test]
    fn an_error_is_no_boundary() {
        let mut decoder = Decoder::new([0; 4]);
        refusal(&mut decoder, b"\0");
        assert!(!decoder.is_at_packet_boundary());
    }

    #[test]
    fn an_error_is_given_again_whatever_comes() {
        let mut decoder = Decoder::new([0; 4]);
        let error = refusal(&mut decoder, b"\x40\x02\0\0");
        assert_eq!(error.kind(), ErrorKind::ZeroPacketIdentifier);
        assert_eq!(refusal(&mut decoder, PINGREQ), error);
        assert_eq!(refusal(&mut decoder, b""), error);
        assert_eq!(decoder.decode_in_pieces(&mut &PINGREQ[..]), Err(error));
        assert_eq!(decoder.position(), 0);
    }

    #[test]
    fn an_error_in_a_gathered_packet_is_given_again_too() {
        let mut decoder = Decoder::new([0; 4]);
        decode_one(&mut decoder, b"\x40\x02\0");
        let error = refusal(&mut decoder, b"\0");
        assert_eq!(error.kind(), ErrorKind::ZeroPacketIdentifier);
        assert_eq!(refusal(&mut decoder, PINGREQ), error);
    }

    #[test]
    fn an_error_before_pieces_is_given_again_too() {
        // An empty Topic Name.
        let mut decoder = Decoder::new([0; 8]);
        let mut input = &b"\x30\x17\0\0"[..];
        let error = decoder.decode_in_pieces(&mut input).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EmptyTopic);
        assert_eq!(decoder.decode_in_pieces(&mut &PINGREQ[..]), Err(error));
        assert_eq!(refusal(&mut decoder, PINGREQ), error);
    }

    #[test]
    fn other_options_do_not_bring_a_decoder_back_from_an_error() {
        let mut decoder = Decoder::new([0; 4]);
        let error = refusal(&mut decoder, b"\x60\x02\0\x01");
        decoder.set_options(Options::new().accept_pubrel_flags(true));
        assert_eq!(refusal(&mut decoder, b"\x60\x02\0\x01"), error);
    }

    #[test]
    fn options_that_are_set_between_two_packets_are_for_the_second() {
        let mut decoder = Decoder::with_options([0; 16], Options::new().max_packet_size(4));
        assert_eq!(decode_one(&mut decoder, PINGREQ), Some(PacketType::PingReq));
        decoder.set_options(Options::new().max_packet_size(10));
        assert_eq!(decode_one(&mut decoder, PUBLISH), Some(PacketType::Publish));
        decoder.set_options(decoder.options().max_packet_size(9));
        assert_eq!(
            refusal(&mut decoder, PUBLISH).kind(),
            ErrorKind::PacketTooLarge
        );
    }

    #[test]
    fn a_packet_that_has_started_keeps_the_limit_it_started_with() {
        let mut decoder = Decoder::new([0; 16]);
        decode_one(&mut decoder, &PUBLISH[..5]);
        decoder.set_options(Options::new().max_packet_size(4));
        assert_eq!(
            decode_one(&mut decoder, &PUBLISH[5..]),
            Some(PacketType::Publish)
        );
        assert_eq!(
            refusal(&mut decoder, PUBLISH).kind(),
            ErrorKind::PacketTooLarge
        );
    }

    #[test]
    fn a_leniency_can_be_taken_back() {
        let lenient = Options::new().accept_pubrel_flags(true);
        let mut decoder = Decoder::with_options([0; 4], lenient);
        let pubrel = b"\x60\x02\0\x01";
        assert_eq!(decode_one(&mut decoder, pubrel), Some(PacketType::PubRel));
        decoder.set_options(Options::new());
        assert_eq!(*decoder.options(), Options::new());
        assert_eq!(
            refusal(&mut decoder, pubrel).kind(),
            ErrorKind::InvalidFlags
        );
    }

    #[test]
    fn a_packet_may_fill_the_memory_and_not_exceed_it() {
        let mut decoder = Decoder::new([0; 10]);
        assert_eq!(decode_one(&mut decoder, &PUBLISH[..9]), None);
        assert_eq!(
            decode_one(&mut decoder, &PUBLISH[9..]),
            Some(PacketType::Publish)
        );
        let mut decoder = Decoder::new([0; 9]);
        assert_eq!(
            refusal(&mut decoder, &PUBLISH[..9]).kind(),
            ErrorKind::PacketTooLarge
        );
    }

    #[test]
    fn a_packet_that_lies_whole_in_the_input_must_fit_into_the_memory_too() {
        let mut decoder = Decoder::new([0; 9]);
        let error = refusal(&mut decoder, PUBLISH);
        assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
        assert_eq!(error.offset(), 1);
    }

    #[test]
    fn the_smaller_of_memory_and_option_is_the_limit() {
        let small = Options::new().max_packet_size(9);
        let mut decoder = Decoder::with_options([0; 64], small);
        assert_eq!(
            refusal(&mut decoder, PUBLISH).kind(),
            ErrorKind::PacketTooLarge
        );
        let large = Options::new().max_packet_size(64);
        let mut decoder = Decoder::with_options([0; 9], large);
        assert_eq!(
            refusal(&mut decoder, PUBLISH).kind(),
            ErrorKind::PacketTooLarge
        );
    }

    #[test]
    fn a_whole_packet_borrows_from_the_input_and_a_split_one_from_the_memory() {
        fn payload_at<M: Buffer>(decoder: &mut Decoder<M>, mut input: &[u8]) -> *const u8 {
            match decoder.decode(&mut input) {
                Ok(Some(Packet::Publish(publish))) => publish.payload.as_ptr(),
                other => panic!("{other:?}"),
            }
        }
        let mut memory = [0; 16];
        let in_memory = memory[5..].as_ptr();
        let mut decoder = Decoder::new(&mut memory[..]);
        assert_eq!(payload_at(&mut decoder, PUBLISH), PUBLISH[5..].as_ptr());
        decode_one(&mut decoder, &PUBLISH[..1]);
        assert_eq!(payload_at(&mut decoder, &PUBLISH[1..]), in_memory);
    }

    #[test]
    fn a_large_publish_comes_out_as_its_header_and_its_payload() {
        let mut decoder = Decoder::new([0; 8]);
        let mut input = LARGE;
        let Some(Piece::PublishHeader(header)) = piece(&mut decoder, &mut input) else {
            panic!("no header");
        };
        assert_eq!(header.topic, "t");
        assert_eq!(header.delivery, Delivery::AtMostOnce);
        assert_eq!(header.payload_len, 20);
        assert_eq!(
            piece(&mut decoder, &mut &input[..8]),
            Some(Piece::Payload {
                bytes: b"01234567",
                left: 12
            })
        );
        let mut input = &b"890123456789\xc0\0"[..];
        assert_eq!(
            piece(&mut decoder, &mut input),
            Some(Piece::Payload {
                bytes: b"890123456789",
                left: 0
            })
        );
        assert_eq!(
            piece(&mut decoder, &mut input),
            Some(Piece::Packet(Packet::PingReq))
        );
        assert_eq!(piece(&mut decoder, &mut input), None);
    }

    #[test]
    fn a_publish_that_fits_comes_out_whole_even_where_pieces_are_asked_for() {
        let mut decoder = Decoder::new([0; 10]);
        assert_eq!(piece(&mut decoder, &mut &PUBLISH[..6]), None);
        assert!(matches!(
            piece(&mut decoder, &mut &PUBLISH[6..]),
            Some(Piece::Packet(Packet::Publish(_)))
        ));
    }

    #[test]
    fn the_start_of_a_large_publish_is_gathered_if_it_is_split() {
        let mut decoder = Decoder::new([0; 8]);
        for at in 0..4 {
            assert_eq!(piece(&mut decoder, &mut &LARGE[at..][..1]), None);
        }
        let mut input = &LARGE[4..];
        assert!(matches!(
            piece(&mut decoder, &mut input),
            Some(Piece::PublishHeader(_))
        ));
        assert_eq!(input, b"01234567890123456789");
    }

    #[test]
    fn a_publish_over_the_limit_for_pieces_is_too_large() {
        for (limit, accepted) in [(25, true), (24, false)] {
            let options = Options::new().max_publish_size(limit);
            let mut decoder = Decoder::with_options([0; 8], options);
            let piece = decoder.decode_in_pieces(&mut &LARGE[..]);
            assert_eq!(piece.is_ok(), accepted);
        }
    }

    #[test]
    fn what_comes_before_the_payload_has_to_fit_into_the_memory() {
        for memory_len in 1..=8 {
            let mut memory = [0; 8];
            let mut decoder = Decoder::new(&mut memory[..memory_len]);
            match decoder.decode_in_pieces(&mut &LARGE[..]) {
                Ok(piece) => {
                    assert!(memory_len >= 5);
                    assert!(matches!(piece, Some(Piece::PublishHeader(_))));
                }
                Err(error) => {
                    assert!(memory_len < 5);
                    assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
                }
            }
        }
    }

    #[test]
    fn only_publish_comes_in_pieces() {
        let mut decoder = Decoder::new([0; 4]);
        let mut subscribe = &b"\x82\x06\0\x01\0\x01a\0"[..];
        let error = decoder.decode_in_pieces(&mut subscribe).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
        assert_eq!(error.packet_type(), Some(PacketType::Subscribe));
    }

    #[test]
    fn decode_skips_the_rest_of_a_payload_that_came_in_pieces() {
        let mut decoder = Decoder::new([0; 8]);
        let mut input = LARGE;
        piece(&mut decoder, &mut input);
        piece(&mut decoder, &mut &input[..3]);
        assert_eq!(decode_one(&mut decoder, &input[3..10]), None);
        assert!(!decoder.is_at_packet_boundary());
        let rest = [&input[10..], PINGREQ].concat();
        assert_eq!(decode_one(&mut decoder, &rest), Some(PacketType::PingReq));
        assert_eq!(decoder.position(), 27);
    }

    #[test]
    fn decode_skips_a_whole_payload_whose_header_came_alone() {
        let mut decoder = Decoder::new([0; 8]);
        let stream = [LARGE, PUBLISH[..2].as_ref()].concat();
        let mut input = &stream[..];
        piece(&mut decoder, &mut input);
        assert_eq!(
            decoder.decode(&mut input).unwrap_err().kind(),
            ErrorKind::PacketTooLarge
        );
        assert_eq!(decoder.position(), 25);
    }

    /// Buffer with a heap that is exhausted after some bytes.
    struct Exhausted {
        bytes: [u8; 16],
        room: usize,
    }

    impl Exhausted {
        const fn after(room: usize) -> Self {
            Self {
                bytes: [0; 16],
                room,
            }
        }
    }

    impl Buffer for Exhausted {
        fn capacity(&self) -> usize {
            usize::MAX
        }
        fn append(&mut self, filled: usize, bytes: &[u8]) -> bool {
            (&mut self.bytes[..self.room]).append(filled, bytes)
        }
        fn filled(&self, filled: usize) -> &[u8] {
            &self.bytes[..filled]
        }
    }

    #[test]
    fn a_packet_whose_body_finds_no_memory_is_named() {
        let mut decoder = Decoder::new(Exhausted::after(2));
        assert_eq!(decode_one(&mut decoder, &PUBLISH[..1]), None);
        let error = refusal(&mut decoder, &PUBLISH[1..]);
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!(error.field(), Field::RemainingLength);
        assert_eq!(error.packet_type(), Some(PacketType::Publish));
        assert_eq!(error.statement(), None);
    }

    #[test]
    fn a_fixed_header_that_finds_no_memory_ends_the_stream_too() {
        let mut decoder = Decoder::new(Exhausted::after(0));
        assert_eq!(decode_one(&mut decoder, &PUBLISH[..1]), None);
        let error = refusal(&mut decoder, &PUBLISH[1..2]);
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!(error.packet_type(), Some(PacketType::Publish));
        assert_eq!(refusal(&mut decoder, PINGREQ), error);
    }

    #[test]
    fn whole_packets_need_no_memory() {
        let mut decoder = Decoder::new(Exhausted::after(0));
        assert_eq!(decode_one(&mut decoder, PUBLISH), Some(PacketType::Publish));
        assert_eq!(decode_one(&mut decoder, PINGREQ), Some(PacketType::PingReq));
    }

    #[test]
    fn memory_of_no_bytes_takes_no_packet() {
        let mut decoder = Decoder::new([0; 0]);
        assert_eq!(decode_one(&mut decoder, b""), None);
        assert_eq!(
            refusal(&mut decoder, PINGREQ).kind(),
            ErrorKind::PacketTooLarge
        );
    }

    /// Appends, overwrites from the middle, and overflows.
    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_grows_with_what_has_come_and_not_with_what_was_announced() {
        let mut decoder = Decoder::new(Vec::new());
        // A PUBLISH of almost 1 MiB, of which a few bytes are there.
        assert_eq!(decode_one(&mut decoder, b"\x30\xf0\xff\x3f\0\x01t"), None);
        assert_eq!(decoder.buffer.len(), 7);
        assert!(decoder.buffer.capacity() < 1024);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn the_option_is_the_limit_of_a_vector() {
        let mut decoder = Decoder::with_options(Vec::new(), Options::new().max_packet_size(9));
        assert_eq!(
            refusal(&mut decoder, PUBLISH).kind(),
            ErrorKind::PacketTooLarge
        );
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn shrink_gives_everything_back_at_a_boundary() {
        let mut decoder = Decoder::new(Vec::new());
        decode_one(&mut decoder, &PUBLISH[..9]);
        decode_one(&mut decoder, &PUBLISH[9..]);
        assert!(decoder.buffer.capacity() >= 10);
        decoder.shrink();
        assert_eq!(decoder.buffer.capacity(), 0);
        assert_eq!(decode_one(&mut decoder, PUBLISH), Some(PacketType::Publish));
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn shrink_keeps_a_packet_of_which_a_part_has_come() {
        for cut in 1..PUBLISH.len() {
            let mut decoder = Decoder::new(Vec::with_capacity(4096));
            decode_one(&mut decoder, &PUBLISH[..cut]);
            decoder.shrink();
            // An incomplete fixed header is not in memory yet.
            let gathered = if cut < 2 { 0 } else { cut };
            assert_eq!(decoder.buffer, &PUBLISH[..gathered]);
            assert!(decoder.buffer.capacity() < 4096);
            assert_eq!(
                decode_one(&mut decoder, &PUBLISH[cut..]),
                Some(PacketType::Publish)
            );
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn shrink_gives_everything_back_within_a_payload_in_pieces_and_after_an_error() {
        let options = Options::new().max_packet_size(8);
        let mut decoder = Decoder::with_options(Vec::new(), options);
        assert_eq!(piece(&mut decoder, &mut &LARGE[..3]), None);
        // What comes before the payload is kept as long as it is not all there.
        decoder.shrink();
        assert_eq!(decoder.buffer, &LARGE[..3]);
        assert!(matches!(
            piece(&mut decoder, &mut &LARGE[3..5]),
            Some(Piece::PublishHeader(_))
        ));
        decoder.shrink();
        assert_eq!(decoder.buffer.capacity(), 0);
        assert_eq!(
            piece(&mut decoder, &mut &LARGE[5..])
                .map(|piece| matches!(piece, Piece::Payload { left: 0, .. })),
            Some(true)
        );

        decode_one(&mut decoder, b"\x40\x02\0");
        let error = refusal(&mut decoder, b"\0");
        decoder.shrink();
        assert_eq!(decoder.buffer.capacity(), 0);
        assert_eq!(refusal(&mut decoder, b""), error);
    }

    #[test]
    fn debug_shows_state_and_position_and_not_what_is_in_memory() {
        let mut decoder = Decoder::new([0; 64]);
        decode_one(&mut decoder, PINGREQ);
        decode_one(
            &mut decoder,
            b"\x10\x20\0\x04MQTT\x04\xc2\0\0\0\0\0\x01u\0\x06secre",
        );
        let shown = format!("{decoder:?}");
        assert!(
            shown.starts_with("StreamDecoder { state: Gathering { header: Header {"),
            "{shown}"
        );
        assert!(shown.contains("missing: 10"), "{shown}");
        assert!(shown.contains("position: 2, options: Options {"), "{shown}");
        assert!(shown.ends_with(", .. }"), "{shown}");
        // Neither as text nor as numbers.
        assert!(!shown.contains("secre"), "{shown}");
        assert!(!shown.contains("115, 101"), "{shown}");
    }

    #[test]
    fn a_piece_of_a_payload_prints_as_its_length() {
        let piece = PieceRef::Payload {
            bytes: b"hello",
            left: 3,
        };
        assert_eq!(format!("{piece:?}"), "Payload { len: 5, left: 3 }");
    }

    #[test]
    fn a_cloned_decoder_goes_on_by_itself() {
        let mut decoder = Decoder::new([0; 16]);
        decode_one(&mut decoder, &PUBLISH[..6]);
        let mut clone = decoder.clone();
        assert_eq!(
            decode_one(&mut decoder, &PUBLISH[6..]),
            Some(PacketType::Publish)
        );
        assert!(!clone.is_at_packet_boundary());
        assert_eq!(
            decode_one(&mut clone, &PUBLISH[6..]),
            Some(PacketType::Publish)
        );
    }

    #[test]
    fn decode_refuses_a_large_publish_whose_start_was_gathered_for_pieces() {
        let mut decoder = Decoder::new([0; 8]);
        assert_eq!(piece(&mut decoder, &mut &LARGE[..4]), None);
        let mut input = &LARGE[4..];
        let error = decoder.decode(&mut input).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
    }

    #[test]
    fn a_packet_of_fixed_size_that_is_too_long_has_the_same_fault_however_it_is_cut() {
        for bytes in [
            &b"\x20\x03\xff\0\0"[..],
            b"\x20\x03\0\x06\0",
            b"\x40\x03\0\0\0",
        ] {
            let whole = refusal(&mut Decoder::new([0; 16]), bytes);
            let mut decoder = Decoder::new([0; 16]);
            decode_one(&mut decoder, &bytes[..1]);
            assert_eq!(refusal(&mut decoder, &bytes[1..]), whole);
        }
    }

    #[test]
    fn memory_shorter_than_a_fixed_header_gives_the_same_fault_however_the_stream_is_cut() {
        for bytes in [&b"\x10\x80\x80\x80\x80"[..], b"\x30\xff\xff\x7f"] {
            let whole = refusal(&mut Decoder::new([0; 3]), bytes);
            let mut decoder = Decoder::new([0; 3]);
            decode_one(&mut decoder, &bytes[..1]);
            assert_eq!(refusal(&mut decoder, &bytes[1..]), whole);
        }
    }

    #[test]
    fn an_overlong_remaining_length_is_refused_with_the_fixed_header_if_asked_for() {
        let options = Options::new().refuse_overlong_remaining_length(true);
        // PUBLISH of `hello` to `t`, with one byte of Remaining Length too many.
        let overlong = b"\x30\x88\0\0\x01thello";
        for len in 3..=overlong.len() {
            let mut decoder = Decoder::with_options([0; 16], options);
            let error = refusal(&mut decoder, &overlong[..len]);
            assert_eq!(error.kind(), ErrorKind::RemainingLengthNotMinimal, "{len}");
        }
    }

    #[test]
    fn a_packet_begun_in_pieces_is_too_large_for_decode_whatever_comes_next() {
        let mut decoder = Decoder::new([0; 16]);
        // PUBLISH with a topic of ten bytes: 14 have to come before the payload begins.
        let mut start = &b"\x30\x50\0\x0a"[..];
        assert_eq!(decoder.decode_in_pieces(&mut start), Ok(None));
        let error = refusal(&mut decoder, b"t");
        assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
    }

    #[test]
    fn memory_for_no_more_than_the_length_of_a_topic_is_enough_to_see_that_it_is_empty() {
        for step in [1, 2, 4] {
            let mut decoder = Decoder::new([0; 4]);
            let outcome = b"\x30\x50\0\0"
                .chunks(step)
                .find_map(|mut input| decoder.decode_in_pieces(&mut input).err());
            let kind = outcome.map(|error| error.kind());
            assert_eq!(kind, Some(ErrorKind::EmptyTopic), "{step}");
        }
    }
}
