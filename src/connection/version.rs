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

/// A version of MQTT: the packets and events of a [`Connection`](crate::Connection). Implemented by
/// [`v3::V3`](crate::v3::V3) and [`v5::V5`](crate::v5::V5); the trait is sealed.
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
    /// The limits that CONNECT and CONNACK negotiate in this version.
    type Limits: Clone + Debug + Default;

    /// The type of a packet.
    #[doc(hidden)]
    fn packet_type(packet: &Self::Packet<'_>) -> PacketType;

    /// Returns the flow that a packet belongs to.
    #[doc(hidden)]
    fn classify(packet: &Self::Packet<'_>) -> Input;

    /// Returns the event of a packet that was handled with this outcome.
    #[doc(hidden)]
    fn event<'a>(packet: Self::Packet<'a>, outcome: Outcome) -> Option<Self::Event<&'a [u8]>>;

    /// Reads a PUBLISH that lies whole in the input, as its event. `body` has the bytes after its fixed
    /// header. A shortcut: for `None`, the general route decides.
    #[doc(hidden)]
    fn try_read_message<'a>(
        header: &Header,
        body: &'a [u8],
        limits: &Self::Limits,
        is_server: bool,
    ) -> Option<(Delivery, Self::Event<&'a [u8]>)>;

    /// Returns the delivery of a message in pieces, and the length of its payload.
    #[doc(hidden)]
    fn payload_header(header: &Self::PayloadHeader<'_>) -> (Delivery, u32);

    /// Returns the event for the header of a message in pieces.
    #[doc(hidden)]
    fn header_event<'a>(header: Self::PayloadHeader<'a>) -> Self::Event<&'a [u8]>;

    /// Returns the event for a message whose payload is skipped.
    #[doc(hidden)]
    fn skipped_event<'a>(header: Self::PayloadHeader<'a>) -> Self::Event<&'a [u8]>;

    /// Returns the event for a piece of a payload.
    #[doc(hidden)]
    fn payload_event(bytes: &[u8], left: usize) -> Self::Event<&[u8]>;

    /// Moves the bytes of an event elsewhere.
    #[doc(hidden)]
    fn map_event<B, C>(event: Self::Event<B>, f: impl FnMut(B) -> C) -> Self::Event<C>;

    /// Returns the event for an acknowledgement of a message. `packet` is `None` for one of four
    /// bytes.
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
    fn handle_at_client<S: Slots>(
        client: &mut Connection<Self, ClientRole, S>,
        packet: &Self::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError<Self>>;

    /// Handles a packet that is neither a message nor an acknowledgement of one, at a server.
    #[doc(hidden)]
    fn handle_at_server<S: Slots>(
        server: &mut Connection<Self, ServerRole, S>,
        packet: &Self::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError<Self>>;

    /// Returns the packet that is sent before the connection closes for this reason: CONNACK or
    /// DISCONNECT. `state` is the state before the end.
    #[doc(hidden)]
    fn closing_reply(
        reason: &CloseReason<Self>,
        state: State,
        is_server: bool,
    ) -> Option<PendingReply>;

    /// Checks a packet against the limits that CONNECT and CONNACK negotiated.
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

    /// Checks a PUBLISH of this QoS, RETAIN and length against the limits of the peer.
    #[doc(hidden)]
    fn check_publish(
        _: &Self::Limits,
        _: QoS,
        _retain: bool,
        _packet_len: Result<usize, EncodeError>,
    ) -> Result<(), CommandError> {
        Ok(())
    }

    /// Returns the Maximum Packet Size of the peer.
    #[doc(hidden)]
    #[inline]
    fn maximum_packet_size(_: &Self::Limits) -> usize {
        usize::MAX
    }

    /// True if messages can have a Topic Alias.
    #[doc(hidden)]
    const HAS_TOPIC_ALIASES: bool = false;

    /// Returns the Topic Alias of a message, and its Topic Name.
    #[doc(hidden)]
    fn topic_alias<'a>(
        _: &Piece<'a, Self::Packet<'a>, Self::PayloadHeader<'a>>,
    ) -> Option<(NonZeroU16, &'a [u8])> {
        None
    }

    /// Returns the Topic Alias Maximum of this side.
    #[doc(hidden)]
    fn topic_alias_maximum(_: &Self::Limits) -> u16 {
        0
    }

    /// Sets the Topic Name of a message that was received with a Topic Alias.
    #[doc(hidden)]
    fn resolve<'a, M: Buffer>(_: &mut Self::Event<&'a [u8]>, _: &'a M) {}

    /// Returns the normative statement that a well-formed but unexpected packet violates.
    #[doc(hidden)]
    fn protocol_statement(error: &ProtocolError) -> Option<&'static str>;
}

/// The flow that a packet belongs to.
#[derive(Debug, Clone, Copy)]
#[expect(unnameable_types, reason = "only `Version` and the connection use it")]
pub enum Input {
    /// PUBLISH.
    Message(Delivery),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Acknowledgement {
        /// Its type.
        packet_type: PacketType,
        /// The Packet Identifier of the message.
        packet_id: PacketId,
        /// True for a PUBREC that refuses the message.
        refused: bool,
    },
    /// Any other packet.
    Other,
}

/// The part of an event that its packet does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(unnameable_types, reason = "only `Version` and the connection use it")]
pub enum Outcome {
    /// None: the packet type determines the event.
    Received,
    /// The header of a message whose payload is skipped.
    Skipped,
    /// An acknowledgement of a message.
    Progress(Progress),
    /// A CONNACK that accepts the connection. `session_present`: the session is resumed.
    Connected { session_present: bool },
}

/// The effect of an acknowledgement on a message that this side has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(unnameable_types, reason = "only `Version` and the connection use it")]
pub enum Progress {
    /// The peer has the message: PUBREC.
    AcceptedByPeer(PacketId),
    /// The exchange is complete: PUBACK, PUBCOMP, or a PUBREC that refuses the message.
    Completed(PacketId),
}
