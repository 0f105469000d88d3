//! Decodes a stream whose large payloads are returned in pieces.

use super::StreamDecoder;
use super::buffer::Buffer;
use super::piece::Piece;
use super::settle::{learn_level, settle_start};
use super::state::Taken;
use crate::wire::{DecodeError, PacketSet, SentBy};

impl<P: PacketSet, M: Buffer> StreamDecoder<P, M> {
    /// As [`decode`](Self::decode), but a PUBLISH that is larger than the buffer or than
    /// [`Options::max_packet_size`](crate::Options::max_packet_size) is not an error: this returns
    /// its header, then its payload in pieces as they arrive, up to
    /// [`Options::max_publish_size`](crate::Options::max_publish_size). The part before the payload
    /// must fit into the buffer, and into `max_packet_size`.
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
}
