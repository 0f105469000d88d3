//! A decoder for connections of any version.

use core::fmt;

use super::start::Start;
use super::{Protocol, ProtocolVersion};
use crate::decoder::{Buffer, StreamDecoder};
use crate::v3::{self, V3};
use crate::v5::{self, V5};
use crate::wire::{ErrorKind, Field, Options, PacketSet, PacketType};

/// A streaming decoder that begins without a version: the CONNECT at the start of the stream
/// determines it. `M` is the [`Buffer`] for a packet that is split, as with
/// [`StreamDecoder`](crate::StreamDecoder).
///
/// ```
/// use mqtt_sansio::any::{Decoder, Packet, Protocol, ProtocolVersion};
/// use mqtt_sansio::Options;
///
/// let mut decoder = Decoder::with_options([0; 512], Options::new(), ProtocolVersion::V3);
/// for mut input in [&b"\x10\x0d\x00\x04MQ"[..], b"TT\x05\x02\x00\x00\x00\x00\x00"] {
///     while let Some(packet) = decoder.decode(&mut input)? {
///         assert!(matches!(packet, Packet::V5(_)));
///     }
/// }
/// assert_eq!(decoder.protocol(), Some(Protocol::V5));
/// # Ok::<(), mqtt_sansio::any::DecodeError>(())
/// ```
#[derive(Clone)]
pub struct Decoder<M> {
    state: State<M>,
}

#[derive(Clone)]
pub(super) enum State<M> {
    Start {
        start: Start,
        buffer: M,
        options: Options,
        fallback: ProtocolVersion,
    },
    /// The second field is the protocol that the first bytes announced.
    V3(StreamDecoder<V3, M>, Option<Protocol>),
    V5(StreamDecoder<V5, M>, Option<Protocol>),
    /// While the buffer moves from the start to a version; never between two calls.
    Moving,
}

/// A packet of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "another version would be another module"
)]
pub enum Packet<'a> {
    /// Of MQTT 3.1 or 3.1.1.
    V3(v3::PacketRef<'a>),
    /// Of MQTT 5.
    V5(v5::PacketRef<'a>),
}

/// A fault in bytes that a peer sent, with the statements of the version that they were decoded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error(transparent)]
#[expect(
    clippy::exhaustive_enums,
    reason = "another version would be another module"
)]
pub enum DecodeError {
    /// Decoded as MQTT 3.1.1.
    V3(#[from] v3::DecodeError),
    /// Decoded as MQTT 5.
    V5(#[from] v5::DecodeError),
}

impl<M: Buffer> Decoder<M> {
    /// Creates a decoder with these limits and leniencies. It decodes a stream that does not begin
    /// with a CONNECT of MQTT 3.1, 3.1.1 or 5 as `fallback`. The server then gets the error of that
    /// version, whose CONNACK it sends for an unknown Protocol Level.
    pub const fn with_options(buffer: M, options: Options, fallback: ProtocolVersion) -> Self {
        Self {
            state: State::Start {
                start: Start::new(),
                buffer,
                options,
                fallback,
            },
        }
    }

    /// Creates a decoder for a stream whose version is known.
    pub const fn of_version(buffer: M, options: Options, version: ProtocolVersion) -> Self {
        Self {
            state: State::of_version(buffer, options, version, None),
        }
    }

    /// Removes bytes from the front of `input` until a packet is complete. Returns `Ok(None)` if
    /// `input` is empty; the decoder keeps the start of an incomplete packet. The packets and the
    /// error do not depend on how the stream is split.
    ///
    /// # Errors
    ///
    /// The first fault in the stream, then at each call, as
    /// [`StreamDecoder::decode`](crate::StreamDecoder::decode) of that version.
    pub fn decode<'s, 'i: 's>(
        &'s mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Packet<'s>>, DecodeError> {
        if let State::Start { start, .. } = &mut self.state {
            let Some(protocol) = start.add(input) else {
                *input = &[];
                return Ok(None);
            };
            self.leave_start(protocol)?;
        }
        match &mut self.state {
            State::V3(decoder, _) => Ok(decoder.decode(input)?.map(Packet::V3)),
            State::V5(decoder, _) => Ok(decoder.decode(input)?.map(Packet::V5)),
            State::Start { .. } | State::Moving => Ok(None),
        }
    }

    /// Releases unused memory of the buffer: see
    /// [`StreamDecoder::shrink`](crate::StreamDecoder::shrink).
    pub fn shrink(&mut self) {
        match &mut self.state {
            State::V3(decoder, _) => decoder.shrink(),
            State::V5(decoder, _) => decoder.shrink(),
            State::Start { buffer, .. } => buffer.shrink(0),
            State::Moving => {}
        }
    }

    /// Returns the decoder of the version, once that is known.
    pub(super) const fn decoding(&mut self) -> &mut State<M> {
        &mut self.state
    }

    /// Collects bytes until the version is known, and passes them to the decoder of that version. A
    /// fault in them is returned with the next bytes.
    pub(super) fn decide(&mut self, input: &mut &[u8]) -> Option<ProtocolVersion> {
        if let State::Start { start, .. } = &mut self.state {
            let Some(protocol) = start.add(input) else {
                *input = &[];
                return None;
            };
            // The decoder returns the same error at each call.
            let _ = self.leave_start(protocol);
        }
        self.version()
    }

    /// Creates the decoder of a version, and passes the collected bytes to it.
    #[cold]
    fn leave_start(&mut self, protocol: Protocol) -> Result<(), DecodeError> {
        let State::Start {
            start,
            buffer,
            options,
            fallback,
        } = core::mem::replace(&mut self.state, State::Moving)
        else {
            return Ok(());
        };
        let version = protocol.version().unwrap_or(fallback);
        self.state = State::of_version(buffer, options, version, Some(protocol));
        match &mut self.state {
            State::V3(decoder, _) => feed(decoder, start.kept())?,
            State::V5(decoder, _) => feed(decoder, start.kept())?,
            State::Start { .. } | State::Moving => {}
        }
        Ok(())
    }
}

/// Passes the collected bytes to a decoder. They are never a whole packet: the rest of a CONNECT is
/// longer, and all other protocols begin with a longer packet.
fn feed<P: PacketSet, M: Buffer>(
    decoder: &mut StreamDecoder<P, M>,
    mut kept: &[u8],
) -> Result<(), crate::DecodeError<P>> {
    decoder.decode(&mut kept).map(|_| ())
}

impl<M: Buffer> State<M> {
    const fn of_version(
        buffer: M,
        options: Options,
        version: ProtocolVersion,
        protocol: Option<Protocol>,
    ) -> Self {
        match version {
            ProtocolVersion::V3 => Self::V3(StreamDecoder::with_options(buffer, options), protocol),
            ProtocolVersion::V5 => Self::V5(StreamDecoder::with_options(buffer, options), protocol),
        }
    }
}

impl<M> Decoder<M> {
    /// Returns the protocol of the stream, or `None` until its first bytes determine it, and for a
    /// decoder of a [known version](Self::of_version).
    pub const fn protocol(&self) -> Option<Protocol> {
        match self.state {
            State::V3(_, protocol) | State::V5(_, protocol) => protocol,
            State::Start { .. } | State::Moving => None,
        }
    }

    /// Changes the limits and leniencies: see
    /// [`StreamDecoder::set_options`](crate::StreamDecoder::set_options).
    pub const fn set_options(&mut self, options: Options) {
        match &mut self.state {
            State::Start { options: own, .. } => *own = options,
            State::V3(decoder, _) => decoder.set_options(options),
            State::V5(decoder, _) => decoder.set_options(options),
            State::Moving => {}
        }
    }

    /// Returns the version that the stream is decoded as, or `None` until the first bytes determine
    /// it.
    pub const fn version(&self) -> Option<ProtocolVersion> {
        match self.state {
            State::V3(..) => Some(ProtocolVersion::V3),
            State::V5(..) => Some(ProtocolVersion::V5),
            State::Start { .. } | State::Moving => None,
        }
    }

    /// Returns the number of bytes of the stream that were decoded: see
    /// [`StreamDecoder::position`](crate::StreamDecoder::position).
    pub const fn position(&self) -> u64 {
        match &self.state {
            State::V3(decoder, _) => decoder.position(),
            State::V5(decoder, _) => decoder.position(),
            State::Start { .. } | State::Moving => 0,
        }
    }

    /// Returns true if the next byte is the first of a packet.
    pub const fn is_at_packet_boundary(&self) -> bool {
        match &self.state {
            State::V3(decoder, _) => decoder.is_at_packet_boundary(),
            State::V5(decoder, _) => decoder.is_at_packet_boundary(),
            State::Start { start, .. } => start.is_empty(),
            State::Moving => true,
        }
    }
}

impl<M> fmt::Debug for Decoder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Start { start, .. } => start.fmt(f),
            State::V3(decoder, _) => decoder.fmt(f),
            State::V5(decoder, _) => decoder.fmt(f),
            State::Moving => f.write_str("Moving"),
        }
    }
}

impl Packet<'_> {
    /// The packet's type.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::V3(packet) => packet.packet_type(),
            Self::V5(packet) => packet.packet_type(),
        }
    }
}

/// Returns a value of the error of either version.
macro_rules! of_either {
    ($($(#[$doc:meta])* $name:ident: $Type:ty)+) => {$(
        $(#[$doc])*
        #[must_use]
        pub const fn $name(&self) -> $Type {
            match self {
                Self::V3(error) => error.$name(),
                Self::V5(error) => error.$name(),
            }
        }
    )+};
}

impl DecodeError {
    of_either! {
        /// Returns the kind of the fault.
        kind: ErrorKind
        /// Returns the field that has the fault.
        field: Field
        /// Returns the type of the packet that has the fault, or `None` if the type itself is
        /// reserved.
        packet_type: Option<PacketType>
        /// Returns the offset of the first offending byte from the first byte of the packet's fixed
        /// header.
        offset: usize
    }

    /// Returns the version that the bytes were decoded as.
    #[must_use]
    pub const fn version(&self) -> ProtocolVersion {
        match self {
            Self::V3(_) => ProtocolVersion::V3,
            Self::V5(_) => ProtocolVersion::V5,
        }
    }

    /// Returns the normative statement that the fault violates, in the numbering of that version.
    #[must_use]
    pub fn statement(&self) -> Option<&'static str> {
        match self {
            Self::V3(error) => error.statement(),
            Self::V5(error) => error.statement(),
        }
    }
}

#[cfg(test)]
mod tests;
