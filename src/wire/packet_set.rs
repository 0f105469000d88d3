//! The part of a version of MQTT that framing needs.

use core::fmt::Debug;
use core::hash::Hash;

use crate::wire::{DecodeError, ErrorKind, Field, Header, Options, PacketType};

/// Keeps [`PacketSet`] to the versions that this crate implements.
#[expect(unnameable_types, reason = "seals `PacketSet`")]
pub trait Sealed {}

/// How many bytes come before a packet's payload, for a decoder that hands out the payload in
/// pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(unnameable_types, reason = "only `PacketSet` and the decoder use it")]
pub enum PayloadStart {
    /// This packet has no payload that could come in pieces.
    Whole,
    /// It depends on more of the packet: at least this many bytes, from its first byte.
    Unknown(usize),
    /// The payload starts this many bytes after the packet's first byte.
    At(usize),
}

/// The packets of one version of MQTT: how the frame that a fixed header announces is decoded,
/// and what the standard of that version says about a fault. [`v3::V3`](crate::v3::V3) and
/// [`v5::V5`](crate::v5::V5) are the only implementations: the trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no version of MQTT",
    note = "use `V3` or `V5`, or the aliases `v3::Decoder` and `v5::Decoder`"
)]
pub trait PacketSet: Sealed + Copy + Eq + Hash + Debug + 'static {
    /// A packet that borrows from the frame it was read from.
    type Packet<'a>: Copy;
    /// What comes before the payload of a packet whose payload comes in pieces.
    type PayloadHeader<'a>: Copy;
    /// What the standard asks a receiver to do after a fault.
    type Reaction;

    /// Whether packets have properties.
    #[doc(hidden)]
    const HAS_PROPERTIES: bool = false;

    /// The normative statement that a fault breaks. Without packet type and field it is that of the
    /// kind alone.
    #[doc(hidden)]
    fn statement(
        packet_type: Option<PacketType>,
        field: Option<Field>,
        kind: ErrorKind,
    ) -> Option<&'static str>;

    /// What the standard asks a receiver to do after this fault.
    #[doc(hidden)]
    fn reaction(error: &DecodeError<Self>) -> Self::Reaction;

    /// Whether a Remaining Length of more bytes than it needs is refused.
    #[doc(hidden)]
    fn refuses_overlong_remaining_length(options: &Options) -> bool;

    /// Refuses what the first byte alone gives away.
    #[doc(hidden)]
    fn check_first_byte(first_byte: u8, options: &Options) -> Result<(), DecodeError<Self>>;

    /// Refuses what the complete fixed header alone gives away.
    #[doc(hidden)]
    fn check_header(header: &Header, options: &Options) -> Result<(), DecodeError<Self>>;

    /// Reads one complete frame, fixed header included. Makes the checks of the two functions
    /// above too, with the same outcome. The packet is never `None`: it is in an `Option` because
    /// that is how decoders hand it out, and moving it there takes longer than reading some.
    #[doc(hidden)]
    fn read<'a>(
        header: &Header,
        frame: &'a [u8],
        options: &Options,
    ) -> Result<Option<Self::Packet<'a>>, DecodeError<Self>>;

    /// [`read`](Self::read) for messages, in as few steps as possible. `None` says nothing about the
    /// frame but that `read` has to look at it. `body` is what follows the fixed header.
    #[doc(hidden)]
    fn try_read_publish<'a>(header: &Header, body: &'a [u8]) -> Option<Self::Packet<'a>>;

    /// The same for packets of two or four bytes. Not together with messages: where one function
    /// may lead to either, the first eight bytes of a packet are written in pieces, as an
    /// acknowledgement has only two of them, and the processor has to wait until it can read them
    /// together.
    #[doc(hidden)]
    fn try_read_short<'a>(frame: &[u8]) -> Option<Self::Packet<'a>>;

    /// Where the payload starts, as far as the first bytes of the frame tell.
    #[doc(hidden)]
    fn payload_start(header: &Header, frame: &[u8]) -> Result<PayloadStart, DecodeError<Self>>;

    /// Reads what comes before the payload: `frame` ends where the payload starts.
    #[doc(hidden)]
    fn read_payload_header<'a>(
        header: &Header,
        frame: &'a [u8],
        options: &Options,
    ) -> Result<Self::PayloadHeader<'a>, DecodeError<Self>>;
}
