//! Their faults and ours.

use crate::types::PacketId;
use crate::v3::DecodeError;
use crate::wire::{EncodeError, PacketType};

/// A fault of the peer: a packet that it must not send, or not now. The connection is over
/// [MQTT-4.8.0-1]; [`Action::Close`](crate::Action::Close) follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PeerError {
    /// Bytes that are no MQTT packet.
    #[error("{0}")]
    Malformed(DecodeError),
    /// A packet that this role never sends, or that must not come in this state: anything before
    /// CONNECT or CONNACK, for example.
    #[error("{0} must not come here")]
    Unexpected(PacketType),
    /// A second CONNECT [MQTT-3.1.0-2].
    #[error("a second CONNECT")]
    SecondConnect,
    /// Session Present although Clean Session was asked for [MQTT-3.2.2-1].
    #[error("Session Present although Clean Session was asked for")]
    SessionPresent,
    /// An acknowledgement that does not go with what its Packet Identifier is in use for.
    #[error("{packet_type} for Packet Identifier {packet_id}, which awaits another answer")]
    WrongAcknowledgement {
        /// What came.
        packet_type: PacketType,
        /// What for.
        packet_id: PacketId,
    },
    /// SUBACK or UNSUBACK for a request that was not made [MQTT-2.3.1-7].
    #[error("{packet_type} for Packet Identifier {packet_id}, which no request has")]
    NoSuchRequest {
        /// What came.
        packet_type: PacketType,
        /// What for.
        packet_id: PacketId,
    },
    /// SUBACK with more or fewer return codes than the SUBSCRIBE had filters [MQTT-3.8.4-5].
    #[error("SUBACK does not have a return code for each filter")]
    WrongNumberOfReturnCodes,
    /// A message with a Packet Identifier that is in use for another: by a client [MQTT-2.3.1-2], or by
    /// a server [MQTT-2.3.1-4].
    #[error("Packet Identifier {0} is in use for another message")]
    PacketIdInUse(PacketId),
    /// More QoS 2 messages than this side keeps, and none of them released: a limit of this side
    /// ([`Config::receive_maximum`](crate::Config::receive_maximum) and the session's slots), exceeded. If
    /// they are all from earlier connections, the client may have lost its memory of them: a server
    /// that sees this again and again may drop the session.
    #[error("more QoS 2 messages at once than this side takes, and none released")]
    TooManyInbound,
}

impl PeerError {
    /// The normative statement of MQTT 3.1.1 that is broken; `None` for this side's own limits.
    #[must_use]
    pub fn statement(&self) -> Option<&'static str> {
        Some(match self {
            Self::Malformed(error) => return error.statement(),
            Self::Unexpected(_) | Self::WrongAcknowledgement { .. } => "MQTT-4.8.0-1",
            Self::SecondConnect => "MQTT-3.1.0-2",
            Self::SessionPresent => "MQTT-3.2.2-1",
            Self::NoSuchRequest { .. } => "MQTT-2.3.1-7",
            Self::WrongNumberOfReturnCodes => "MQTT-3.8.4-5",
            Self::PacketIdInUse(_) => "MQTT-2.3.1-2",
            Self::TooManyInbound => return None,
        })
    }
}

impl From<DecodeError> for PeerError {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

/// Why a packet that came in was not dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "what to do depends on nothing else"
)]
pub enum HandleError {
    /// The peer's fault. The connection is over.
    #[error("{0}")]
    Peer(PeerError),
    /// Not now. Nothing has changed: do what it says, then hand in the same packet again.
    #[error("not now: {0}")]
    Blocked(Blocked),
    /// The connection has ended. Nothing has changed.
    #[error("the connection has ended")]
    Ended,
}

/// What has to be done before the next packet can be dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Blocked {
    /// Call `poll_action` until it returns `None`.
    #[error("actions are to be polled first")]
    ActionsPending,
    /// An answer waits until the payload has been sent that is being sent in pieces.
    #[error("the payload that is being sent is to be finished first")]
    SendingPayload,
    /// All inbound slots are taken by messages that the application has not acknowledged. Stop
    /// reading from the transport, which slows the peer down, until it has.
    #[error("messages are to be acknowledged first")]
    InboundFull,
    /// A message is coming in pieces: the rest of its payload is to be handed in first.
    #[error("the rest of a payload is to be handed in first")]
    ReceivingPayload,
    /// A piece of a payload whose header was not handed in, or not dealt with.
    #[error("the header of the message is to be handed in first")]
    HeaderFirst,
    /// The server's application has not answered CONNECT, SUBSCRIBE or UNSUBSCRIBE yet.
    #[error("a request is to be answered first")]
    AnswerPending,
}

impl From<PeerError> for HandleError {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

impl From<Blocked> for HandleError {
    fn from(later: Blocked) -> Self {
        Self::Blocked(later)
    }
}

/// Why a command was not carried out. Nothing has changed and nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CommandError {
    /// The packet could not be encoded, or the output has no room for it.
    #[error("{0}")]
    Encode(EncodeError),
    /// There is no accepted connection yet: CONNECT and CONNACK come first [MQTT-3.1.0-1].
    #[error("the connection is not accepted yet")]
    NotConnected,
    /// CONNECT was sent before, or no CONNECT is waiting to be answered.
    #[error("CONNECT comes once on each connection")]
    AlreadyConnected,
    /// The connection has ended.
    #[error("the connection has ended")]
    Ended,
    /// As many messages as the window and the session's slots allow are under way. One has to be
    /// acknowledged by the peer first.
    #[error("as many messages as possible are under way")]
    WindowFull,
    /// Messages of an earlier connection are to be sent again first, so that the order is kept
    /// [MQTT-4.6.0-1], or to be told to be lost: poll for
    /// [`Action::Resend`](crate::Action::Resend) or [`Action::Lost`](crate::Action::Lost).
    #[error("messages of an earlier connection are to be sent again first")]
    ResendPending,
    /// Call `poll_action` until it returns `None` first.
    #[error("actions are to be polled first")]
    ActionsPending,
    /// A payload is being sent in pieces; nothing may come between them.
    #[error("a payload is being sent in pieces")]
    SendingPayload,
    /// More payload than was announced, or none was.
    #[error("more payload than was announced")]
    PayloadTooLong,
    /// The Packet Identifier is not under way, or does not await this.
    #[error("this Packet Identifier does not await this")]
    NotAwaited,
    /// The message has another QoS than when it was sent first.
    #[error("the message was sent with another QoS before")]
    QosChanged,
    /// A SUBSCRIBE with more filters than can be counted: 65,535.
    #[error("a SUBSCRIBE has at most 65535 filters here")]
    TooManyFilters,
    /// Not one return code for each filter of the SUBSCRIBE [MQTT-3.8.4-5].
    #[error("SUBACK needs a return code for each filter")]
    WrongNumberOfReturnCodes,
    /// A client that asked for Clean Session cannot go on with a session [MQTT-3.2.2-1].
    #[error("the client asked for Clean Session")]
    CleanSession,
}

impl From<EncodeError> for CommandError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}
