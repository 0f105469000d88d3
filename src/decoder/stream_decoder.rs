//! The decoder of a stream: its state, options and position.

use core::marker::PhantomData;

use super::buffer::Buffer;
use super::state::{State, filled};
use crate::wire::{DecodeError, ErrorKind, Options, PacketSet};

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
    pub(super) buffer: M,
    pub(super) options: Options,
    pub(super) state: State<P>,
    pub(super) position: u64,
    packets: PhantomData<fn() -> P>,
}

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

    /// Returns true if [`locate`](Self::locate) returns pieces, to deliver or to skip.
    pub(super) const fn takes_pieces(&self) -> bool {
        M::TAKES_PIECES
            && (self.options.has_payloads_in_pieces() || self.options.skips_large_messages())
    }

    /// Returns the largest packet that is decoded whole.
    #[inline(always)]
    pub(super) fn limit(&self) -> u32 {
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
