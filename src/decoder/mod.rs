//! Splits a byte stream into packets. A packet that lies whole in the input is decoded in place;
//! only a split packet is copied.

mod buffer;
mod piece;
mod state;
mod step;

use core::marker::PhantomData;
use core::num::NonZeroU16;
use core::ops::Range;

pub use buffer::{Buffer, WholePackets};
pub use piece::Piece;
use state::{State, Taken, add, filled, gathering, small};

use crate::wire::{
    ACKNOWLEDGEMENT_LEN, DecodeError, ErrorKind, Frame, Header, OPTIMIZE_SIZE, Options, PacketSet,
    PacketType, SentBy, try_acknowledgement, try_beginning, try_frame,
};

/// A streaming decoder: it accepts byte slices from the transport, split anywhere, and returns
/// packets. `P` is the version of MQTT, which the aliases [`v3::Decoder`](crate::v3::Decoder) and
/// [`v5::Decoder`](crate::v5::Decoder) fill in. `M` is the [`Buffer`] for a packet that is split
/// between two slices.
///
/// A packet that lies whole in the input is decoded in place and borrows from the input. A split
/// packet is copied to `M`, each byte once, and borrows from the decoder. The packets, and the
/// error with its offset, do not depend on how the stream is split.
///
/// After an error the decoder returns the same error at each call. Close the connection, and begin
/// the next one with a new decoder.
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
    /// Creates a strict decoder with the default limits.
    pub const fn new(buffer: M) -> Self {
        Self::with_options(buffer, Options::new())
    }

    /// Creates a decoder with these limits and leniencies.
    pub const fn with_options(buffer: M, options: Options) -> Self {
        Self {
            buffer,
            options,
            state: State::Boundary,
            position: 0,
            packets: PhantomData,
        }
    }

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

    /// [`decode`](Self::decode) between two packets.
    #[inline(never)]
    fn decode_to_end<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<P::Packet<'s>>, DecodeError<P>> {
        match self.state {
            State::Boundary => {
                if let Some(frame) = self.try_frame(input) {
                    if let Some(packet) = P::try_read_publish(&frame.header, frame.body) {
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
                    learn_level(&mut self.options, self.position, &header, frame, &packet);
                    settle(&mut self.state, &mut self.position, &header, &packet);
                    return packet;
                }
            }
        }
        self.decode_split(input)
    }

    // For callers that handle a packet before they remove it from the input.

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

    /// Locates the next packet, or with [`Options::payloads_in_pieces`] the next piece of one, and
    /// removes the bytes before it. It is located again until it is [consumed](Self::consume). Returns
    /// `None` if `input` is used up.
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

    /// Shortcut for the beginning of a packet that fits: returns true if its fixed header is
    /// complete and all of `input` was copied.
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

    /// As [`decode`](Self::decode), but a PUBLISH that is larger than the buffer or than
    /// [`Options::max_packet_size`] is not an error: this returns its header, then its payload in
    /// pieces as they arrive, up to [`Options::max_publish_size`]. The part before the payload must
    /// fit into the buffer, and into `max_packet_size`.
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
            None => P::read(&header, frame, &self.options, SentBy::Either)
                .map(|packet| packet.map(Piece::Packet)),
            Some(_) => P::read_payload_header(&header, frame, &self.options)
                .map(|header| Some(Piece::PublishHeader(header))),
        };
        learn_level(&mut self.options, self.position, &header, frame, &piece);
        let taken = start.unwrap_or_else(|| header.packet_len());
        settle_start(&mut self.state, &mut self.position, &header, taken, &piece);
        piece
    }

    /// Returns true if [`locate`](Self::locate) returns pieces, to deliver or to skip.
    const fn takes_pieces(&self) -> bool {
        M::TAKES_PIECES
            && (self.options.has_payloads_in_pieces() || self.options.skips_large_messages())
    }

    /// Returns the largest packet that is decoded whole.
    #[inline(always)]
    fn limit(&self) -> u32 {
        let capacity = u32::try_from(self.buffer.capacity()).unwrap_or(u32::MAX);
        self.options.packet_limit().min(capacity)
    }

    /// Returns the value of the limit that `error` exceeds, or 0 if it is another error.
    #[cold]
    pub(crate) fn exceeded_limit(&self, error: &DecodeError<P>) -> u32 {
        match error.kind() {
            ErrorKind::PacketTooLarge => match error.packet_size() {
                Some(size) if self.takes_pieces() && size > self.options.publish_limit() => {
                    self.limit().max(self.options.publish_limit())
                }
                _ => self.limit(),
            },
            ErrorKind::TooManyFilters => self.options.filter_limit(),
            _ => 0,
        }
    }

    /// Ends the stream: after a fault the decoder returns it at each call.
    #[cold]
    pub(crate) const fn fail(&mut self, error: DecodeError<P>) -> DecodeError<P> {
        self.state = State::Failed(error);
        error
    }
}

impl<P, M> StreamDecoder<P, M> {
    /// Returns the number of bytes of the stream that were decoded. The next packet starts there,
    /// or after an error the faulty one: the offending byte is [`DecodeError::offset`] bytes later.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Returns true if the next byte is the first of a packet, so that the end of the transport
    /// would truncate no packet.
    pub const fn is_at_packet_boundary(&self) -> bool {
        matches!(self.state, State::Boundary)
    }

    /// Returns true if nothing has been decoded: the next byte is the first of the stream.
    pub const fn is_at_start(&self) -> bool {
        self.position == 0 && self.is_at_packet_boundary()
    }

    /// Returns the buffer.
    pub(crate) const fn buffer(&self) -> &M {
        &self.buffer
    }

    /// Returns the current options.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Changes the limits and leniencies, for example to a larger [`Options::max_packet_size`] once
    /// CONNECT is accepted. The size of an incomplete packet was checked already, its fields were
    /// not. The size of a PUBLISH in pieces is checked until its header was returned.
    pub const fn set_options(&mut self, options: Options) {
        self.options = options.mqtt_3_1(options.is_mqtt_3_1() || self.options.is_mqtt_3_1());
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

impl<P, M: Buffer> StreamDecoder<P, M> {
    /// Releases unused memory of the buffer: see [`Buffer::shrink`]. A decoder over a `Vec` keeps
    /// the memory of its largest split packet, which may be too much for a server with many idle
    /// connections.
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
        self.buffer.shrink(filled);
    }
}

/// A stream that begins with a CONNECT of MQTT 3.1 continues by the rules of that version.
fn learn_level<T, P: PacketSet>(
    options: &mut Options,
    position: u64,
    header: &Header,
    frame: &[u8],
    outcome: &Result<T, DecodeError<P>>,
) {
    if position > 0 || outcome.is_err() || header.packet_type() != Some(PacketType::Connect) {
        return;
    }
    let body = frame.get(header.len()..).unwrap_or_default();
    if body.starts_with(b"\0\x06MQIsdp") {
        *options = options.mqtt_3_1(true);
    }
}

/// Returns the state after the first bytes of a packet, `taken` of them: the whole packet, or the
/// header before a payload in pieces.
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

/// Reads a frame, by a shortcut if it is a common one.
#[inline(always)]
fn read_frame<'a, P: PacketSet>(
    header: &Header,
    frame: &'a [u8],
    options: &Options,
) -> Result<Option<P::Packet<'a>>, DecodeError<P>> {
    let body = frame.get(header.len()..).unwrap_or_default();
    if let Some(packet) = P::try_read_publish(header, body) {
        return Ok(Some(packet));
    }
    if let Some(packet) = P::try_read_short(frame) {
        return Ok(Some(packet));
    }
    P::read(header, frame, options, SentBy::Either)
}

/// Updates the state after reading a frame. The packet may borrow from the decoder's buffer, so this
/// function gets only the decoder's other fields.
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

/// Records bytes of which less than `missing` were received.
#[inline(never)]
fn keep<M: Buffer>(memory: &mut M, filled: usize, missing: &mut u32, bytes: &[u8]) -> bool {
    let kept = memory.append(filled, bytes);
    if kept {
        *missing = missing.wrapping_sub(small(bytes.len()));
    }
    kept
}

#[cfg(test)]
mod tests;
