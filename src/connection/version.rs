//! The part of a version of MQTT that connections need.

use core::error::Error;
use core::fmt::Debug;
use core::num::NonZeroU16;

use super::close_reason::CloseReason;
use super::connection::Connection;
use super::error::{CommandError, HandleError, ProtocolError};
use super::reply::PendingReply;
use super::role::{ClientRole, ServerRole};
use super::state::State;
use crate::decoder::{Buffer, Piece};
use crate::session::Slots;
use crate::types::{Delivery, PacketId, QoS};
use crate::wire::{EncodeError, Header, PacketSet, PacketType};

/// A version of MQTT as a [`Connection`](crate::Connection) sees it: its packets, and what the
/// application gets of them. Implemented by [`v3::V3`](crate::v3::V3) and [`v5::V5`](crate::v5::V5); the trait is
/// sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no version of MQTT",
    note = "use the aliases `v3::Client`, `v3::Server`, `v5::Client` and `v5::Server`"
)]
pub trait Version: PacketSet {
    /// The events of this version. `B` is where their bytes live.
    type Event<B>;
    /// A packet that the connection sends by itself.
    type Reply: AsRef<[u8]> + Copy + Eq + Debug;
    /// The reason why a server refuses a connection.
    type Refusal: Copy + Eq + Debug + Error + 'static;
    /// The limits that CONNECT and CONNACK agree on in this version.
    type Limits: Clone + Debug + Default;

    /// The type of a packet.
    #[doc(hidden)]
    fn packet_type(packet: &Self::Packet<'_>) -> PacketType;

    /// Which flow a packet belongs to.
    #[doc(hidden)]
    fn classify(packet: &Self::Packet<'_>) -> Input;

    /// The event of a packet whose bytes the application gets. `None` for all others.
    #[doc(hidden)]
    fn event<'a>(packet: Self::Packet<'a>) -> Option<Self::Event<&'a [u8]>>;

    /// Reads a PUBLISH that lies whole in the input, as its event, in as few steps as possible. `body` is
    /// what follows its fixed header. `None` says nothing about the frame.
    #[doc(hidden)]
    fn try_read_message<'a>(
        header: &Header,
        body: &'a [u8],
        limits: &Self::Limits,
        is_server: bool,
    ) -> Option<(Delivery, Self::Event<&'a [u8]>)>;

    /// The delivery of a message in pieces, and the length of its payload.
    #[doc(hidden)]
    fn payload_header(header: &Self::PayloadHeader<'_>) -> (Delivery, u32);

    /// The event for the start of a message in pieces.
    #[doc(hidden)]
    fn header_event<'a>(header: Self::PayloadHeader<'a>) -> Self::Event<&'a [u8]>;

    /// The event for a message whose payload is skipped.
    #[doc(hidden)]
    fn skipped_event<'a>(header: Self::PayloadHeader<'a>) -> Self::Event<&'a [u8]>;

    /// The event for a piece of a payload.
    #[doc(hidden)]
    fn payload_event(bytes: &[u8], left: usize) -> Self::Event<&[u8]>;

    /// Moves the bytes of an event elsewhere.
    #[doc(hidden)]
    fn map_event<B, C>(event: Self::Event<B>, f: impl FnMut(B) -> C) -> Self::Event<C>;

    /// The event for an acknowledgement of a message. `packet` is `None` for one of four bytes.
    #[doc(hidden)]
    fn progress_event<'a>(
        progress: Progress,
        packet: Option<Self::Packet<'a>>,
    ) -> Self::Event<&'a [u8]>;

    /// Encodes a reply.
    #[doc(hidden)]
    fn encode_reply(reply: PendingReply) -> Self::Reply;

    /// Handles a packet that is neither a message nor an acknowledgement of one, at a client.
    #[doc(hidden)]
    fn handle_at_client<'a, S: Slots>(
        client: &mut Connection<Self, ClientRole, S>,
        packet: Self::Packet<'a>,
    ) -> Result<Option<Self::Event<&'a [u8]>>, HandleError<Self>>;

    /// The same at a server.
    #[doc(hidden)]
    fn handle_at_server<'a, S: Slots>(
        server: &mut Connection<Self, ServerRole, S>,
        packet: Self::Packet<'a>,
    ) -> Result<Option<Self::Event<&'a [u8]>>, HandleError<Self>>;

    /// The packet that is sent before the connection closes for this reason: CONNACK or DISCONNECT.
    /// `state` is how far the connection had come.
    #[doc(hidden)]
    fn closing_reply(
        reason: &CloseReason<Self>,
        state: State,
        is_server: bool,
    ) -> Option<PendingReply>;

    /// Whether a packet breaks what CONNECT and CONNACK have agreed on.
    #[doc(hidden)]
    fn check_agreed(
        _: &Self::Limits,
        _: &Self::Packet<'_>,
        _is_server: bool,
    ) -> Result<(), ProtocolError> {
        Ok(())
    }

    /// [`check_agreed`](Self::check_agreed) for a message whose payload comes in pieces.
    #[doc(hidden)]
    fn check_payload_header(
        _: &Self::Limits,
        _: &Self::PayloadHeader<'_>,
        _is_server: bool,
    ) -> Result<(), ProtocolError> {
        Ok(())
    }

    /// Whether the peer takes a PUBLISH of this QoS, RETAIN and length.
    #[doc(hidden)]
    fn check_publish(
        _: &Self::Limits,
        _: QoS,
        _retain: bool,
        _packet_len: Result<usize, EncodeError>,
    ) -> Result<(), CommandError> {
        Ok(())
    }

    /// The size of the largest packet that the peer takes.
    #[doc(hidden)]
    #[inline]
    fn maximum_packet_size(_: &Self::Limits) -> usize {
        usize::MAX
    }

    /// Whether messages can have a Topic Alias.
    #[doc(hidden)]
    const HAS_TOPIC_ALIASES: bool = false;

    /// The Topic Alias of a message, and its Topic Name.
    #[doc(hidden)]
    fn topic_alias<'a>(
        _: &Piece<'a, Self::Packet<'a>, Self::PayloadHeader<'a>>,
    ) -> Option<(NonZeroU16, &'a [u8])> {
        None
    }

    /// The largest Topic Alias that this side has announced to take.
    #[doc(hidden)]
    fn topic_alias_maximum(_: &Self::Limits) -> u16 {
        0
    }

    /// Puts the Topic Name into a message that came with a Topic Alias instead.
    #[doc(hidden)]
    fn resolve<'a, M: Buffer>(event: Self::Event<&'a [u8]>, _: &'a M) -> Self::Event<&'a [u8]> {
        event
    }

    /// The normative statement that a well-formed but unexpected packet breaks.
    #[doc(hidden)]
    fn protocol_statement(error: &ProtocolError) -> Option<&'static str>;
}

/// Which flow a packet belongs to.
#[derive(Debug, Clone, Copy)]
#[expect(unnameable_types, reason = "only `Version` and the connection use it")]
pub enum Input {
    /// PUBLISH.
    Message(Delivery),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Acknowledgement {
        /// Which of the four.
        packet_type: PacketType,
        /// Of which message.
        packet_id: PacketId,
        /// A PUBREC with which the receiver refuses the message.
        refused: bool,
    },
    /// Any other packet.
    Other,
}

/// What an acknowledgement means for a message that this side has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(unnameable_types, reason = "only `Version` and the connection use it")]
pub enum Progress {
    /// The peer has the message: PUBREC.
    AcceptedByPeer(PacketId),
    /// The exchange is complete: PUBACK, PUBCOMP, or a PUBREC that refuses the message.
    Completed(PacketId),
}
