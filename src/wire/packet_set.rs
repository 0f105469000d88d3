//! The part of a version of MQTT that framing needs.

use core::fmt::Debug;
use core::hash::Hash;

use crate::wire::{DecodeError, ErrorKind, Field, Header, OPTIMIZE_SIZE, Options, PacketType};

/// Seals [`PacketSet`] to the versions that this crate implements.
#[expect(unnameable_types, reason = "seals `PacketSet`")]
pub trait Sealed {}

/// How many bytes come before a packet's payload, for a decoder that returns the payload in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(unnameable_types, reason = "only `PacketSet` and the decoder use it")]
pub enum PayloadStart {
    /// This packet has no payload that could arrive in pieces.
    Whole,
    /// It depends on more of the packet: at least this many bytes, from its first byte.
    Unknown(usize),
    /// The payload starts this many bytes after the packet's first byte.
    At(usize),
}

/// The side that has sent a packet. A connection knows it, so packets that only the other side sends are
/// not read: a program with clients alone is linked without the readers of CONNECT and SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    unnameable_types,
    reason = "only `PacketSet`, roles and the decoder use it"
)]
pub enum SentBy {
    Client,
    Server,
    /// It is not known.
    Either,
}

/// The longest packet that [`PacketSet::try_read_short`] reads.
const MAX_SHORT_LEN: u32 = 5;

/// [`PacketSet::try_read_short`] within `limit`, and the bytes after the packet. A shortcut: for `None` the
/// general route decides.
#[inline(always)]
pub(crate) fn try_short<'a, P: PacketSet>(
    src: &[u8],
    limit: u32,
) -> Option<(P::Packet<'a>, &[u8])> {
    if OPTIMIZE_SIZE || limit < MAX_SHORT_LEN {
        return None;
    }
    P::try_read_short(src)
}

/// The packets of one version of MQTT: how a frame is decoded, and what the standard of that
/// version requires after a fault. [`v3::V3`](crate::v3::V3) and [`v5::V5`](crate::v5::V5) are the
/// only implementations: the trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no version of MQTT",
    note = "use `V3` or `V5`, or the aliases `v3::Decoder` and `v5::Decoder`"
)]
pub trait PacketSet: Sealed + Copy + Eq + Hash + Debug + 'static {
    /// A packet that borrows from the frame it was read from.
    type Packet<'a>: Copy;
    /// The header of a packet whose payload arrives in pieces.
    type PayloadHeader<'a>: Copy;
    /// The reaction that the standard requires of a receiver after a fault.
    type Reaction;

    /// True if packets have properties.
    #[doc(hidden)]
    const HAS_PROPERTIES: bool = false;

    /// Returns the normative statement that a fault violates. Without packet type and field it is
    /// that of the kind alone.
    #[doc(hidden)]
    fn statement(
        packet_type: Option<PacketType>,
        field: Option<Field>,
        kind: ErrorKind,
    ) -> Option<&'static str>;

    /// Returns the reaction that the standard requires of a receiver after this fault.
    #[doc(hidden)]
    fn reaction(error: &DecodeError<Self>) -> Self::Reaction;

    /// Returns true if a Remaining Length with more bytes than it needs is refused.
    #[doc(hidden)]
    fn refuses_overlong_remaining_length(options: &Options) -> bool;

    /// Returns the fault that the first byte alone shows.
    #[doc(hidden)]
    fn check_first_byte(first_byte: u8, options: &Options) -> Result<(), DecodeError<Self>>;

    /// Returns the fault that the complete fixed header alone shows.
    #[doc(hidden)]
    fn check_header(header: &Header, options: &Options) -> Result<(), DecodeError<Self>>;

    /// Reads one complete frame, fixed header included. Also makes the checks of the two functions
    /// above, with the same outcome. Returns `None` for a packet that `sent_by` does not send.
    #[doc(hidden)]
    fn read<'a>(
        header: &Header,
        frame: &'a [u8],
        options: &Options,
        sent_by: SentBy,
    ) -> Result<Option<Self::Packet<'a>>, DecodeError<Self>>;

    /// [`read`](Self::read) for messages. `body` has the bytes after the fixed header. A shortcut:
    /// for `None`, `read` decides.
    #[doc(hidden)]
    fn try_read_publish<'a>(header: &Header, body: &'a [u8]) -> Option<Self::Packet<'a>>;

    /// The same for acknowledgements and pings of up to five bytes at the start of `src`. Also returns the
    /// bytes after the packet. It is a separate function: otherwise the compiler writes the first eight
    /// bytes of a packet in pieces, because an acknowledgement has only two of them, and the processor
    /// stalls when it reads them together.
    #[doc(hidden)]
    fn try_read_short<'a>(src: &[u8]) -> Option<(Self::Packet<'a>, &[u8])>;

    /// Returns where the payload starts, if the first bytes of the frame determine it.
    #[doc(hidden)]
    fn payload_start(header: &Header, frame: &[u8]) -> Result<PayloadStart, DecodeError<Self>>;

    /// Reads the header before the payload: `frame` ends where the payload starts.
    #[doc(hidden)]
    fn read_payload_header<'a>(
        header: &Header,
        frame: &'a [u8],
        options: &Options,
    ) -> Result<Self::PayloadHeader<'a>, DecodeError<Self>>;
}
