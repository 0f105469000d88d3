//! What the peer has done wrong, and what the application cannot do now.

use super::machine::Rejection;
use super::version::Version;
use crate::types::PacketId;
use crate::wire::{DecodeError, EncodeError, PacketType};

/// What the peer has done wrong. The connection is over [MQTT-4.8.0-1];
/// [`Action::Close`](crate::Action::Close) follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "bytes are no packet, or the packet must not come"
)]
pub enum PeerError<V: Version> {
    /// Bytes that are no MQTT packet.
    #[error("{0}")]
    Malformed(#[source] DecodeError<V>),
    /// A packet that is well formed, but must not come, or not now.
    #[error("{0}")]
    Protocol(#[source] ProtocolError),
}

impl<V: Version> PeerError<V> {
    /// The normative statement that the peer has broken, in the numbering of the version `V`; `None`
    /// where the rule has no number.
    #[must_use]
    pub fn statement(&self) -> Option<&'static str> {
        match self {
            Self::Malformed(error) => error.statement(),
            Self::Protocol(error) => V::protocol_statement(error),
        }
    }
}

impl<V: Version> From<DecodeError<V>> for PeerError<V> {
    fn from(error: DecodeError<V>) -> Self {
        Self::Malformed(error)
    }
}

impl<V: Version> From<ProtocolError> for PeerError<V> {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

/// A packet that is well formed, but must not come, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ProtocolError {
    /// A packet that this role never sends, or that must not come in this state: anything before
    /// CONNECT or CONNACK, for example.
    #[error("{0} must not come here")]
    Unexpected(PacketType),
    /// A second CONNECT.
    #[error("a second CONNECT")]
    SecondConnect,
    /// A second CONNACK, with this return or Reason Code.
    #[error("a second CONNACK, with code {code:#04x}")]
    SecondConnAck {
        /// The code.
        code: u8,
    },
    /// Session Present although the client asked for a new session.
    #[error("Session Present although Clean Session was asked for")]
    SessionPresent,
    /// An acknowledgement that does not go with what its Packet Identifier is in use for.
    #[error("{packet_type} for Packet Identifier {packet_id}, which awaits another answer")]
    WrongAcknowledgement {
        /// What came.
        packet_type: PacketType,
        /// For which Packet Identifier.
        packet_id: PacketId,
    },
    /// SUBACK or UNSUBACK for a request that was not made.
    #[error("{packet_type} for Packet Identifier {packet_id}, which no request has")]
    NoSuchRequest {
        /// What came.
        packet_type: PacketType,
        /// For which Packet Identifier.
        packet_id: PacketId,
    },
    /// SUBACK or UNSUBACK with more or fewer codes than the request had filters.
    #[error("the acknowledgement does not have a code for each Topic Filter")]
    WrongNumberOfReturnCodes,
    /// A message with a Packet Identifier that is in use for another.
    #[error("Packet Identifier {0} is in use for another message")]
    PacketIdInUse(PacketId),
    /// A Topic Alias that is larger than this side's Topic Alias Maximum.
    #[error("the Topic Alias is larger than Topic Alias Maximum")]
    TopicAliasInvalid,
    /// A message without a Topic Name, whose Topic Alias stands for none yet.
    #[error("the Topic Alias stands for no Topic Name")]
    TopicAliasUnknown,
    /// More messages above QoS 0 at once than this side's Receive Maximum.
    #[error("more messages at once than Receive Maximum")]
    ReceiveMaximumExceeded,
    /// A message at a QoS above the server's Maximum QoS.
    #[error("a QoS above Maximum QoS")]
    QosNotSupported,
    /// A message or Will with RETAIN, which the server does not support.
    #[error("RETAIN is not supported")]
    RetainNotSupported,
    /// A Topic Filter with wildcards, which the server does not support.
    #[error("wildcard subscriptions are not supported")]
    WildcardSubscriptionsNotSupported,
    /// A Shared Subscription, which the server does not support.
    #[error("Shared Subscriptions are not supported")]
    SharedSubscriptionsNotSupported,
    /// A Subscription Identifier, which the server does not support, or which a client must not send
    /// with a message.
    #[error("a Subscription Identifier must not come here")]
    SubscriptionIdentifiersNotSupported,
    /// A Session Expiry Interval in DISCONNECT from a client whose CONNECT had none, or from a server.
    #[error("a Session Expiry Interval must not come here")]
    SessionExpiryInterval,
    /// A Reason String or User Property although the client asked for no problem information.
    #[error("problem information although the client asked for none")]
    ProblemInformation,
    /// AUTH with another Authentication Method than CONNECT.
    #[error("AUTH with another Authentication Method than CONNECT")]
    AuthenticationMethod,
}

/// Why a packet was not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "what to do depends on nothing else"
)]
pub enum HandleError<V: Version> {
    /// The peer must not send it. The connection is over; the actions that follow close it.
    #[error("{0}")]
    Peer(#[source] PeerError<V>),
    /// Something has to be done first. Nothing has changed: do it, then hand in the same packet again.
    #[error("not now: {0}")]
    Blocked(#[source] Blocked),
    /// The connection has ended. Nothing has changed.
    #[error("the connection has ended")]
    Ended,
}

impl<V: Version> From<Rejection> for HandleError<V> {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Ended => Self::Ended,
            Rejection::Blocked(blocked) => Self::Blocked(blocked),
            Rejection::Protocol(error) => Self::Peer(PeerError::Protocol(error)),
        }
    }
}

impl<V: Version> From<Blocked> for HandleError<V> {
    fn from(blocked: Blocked) -> Self {
        Self::Blocked(blocked)
    }
}

/// What has to be done before the next packet can be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Blocked {
    /// Call `poll_action` until it returns `None`.
    #[error("actions are to be polled first")]
    ActionsPending,
    /// A reply is to be sent, but a payload is being sent in pieces: finish the payload.
    #[error("the payload that is being sent is to be finished first")]
    SendingPayload,
    /// All inbound slots hold messages that the application has not acknowledged. Until it does, stop
    /// reading from the transport.
    #[error("messages are to be acknowledged first")]
    InboundFull,
    /// A message is coming in pieces: the rest of its payload is to be handed in first.
    #[error("the rest of a payload is to be handed in first")]
    ReceivingPayload,
    /// A piece of a payload whose header was not handed in, or not handled.
    #[error("the header of the message is to be handed in first")]
    HeaderFirst,
    /// Server: CONNECT, SUBSCRIBE or UNSUBSCRIBE is to be answered first.
    #[error("a request is to be answered first")]
    AnswerPending,
    /// The decoder has decoded a part of another stream. Each connection begins with a new decoder.
    #[error("the decoder is not at the start of a stream: begin with a new one")]
    UsedDecoder,
}

/// Why a command was not carried out. Nothing has changed, and nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CommandError {
    /// The packet could not be encoded, or the output has no room for it.
    #[error("{0}")]
    Encode(#[source] EncodeError),
    /// The connection is not accepted yet.
    #[error("the connection is not accepted yet")]
    NotConnected,
    /// CONNECT was sent or answered before.
    #[error("CONNECT comes once on each connection")]
    AlreadyConnected,
    /// The connection has ended.
    #[error("the connection has ended")]
    Ended,
    /// As many messages as possible are in flight: by
    /// [`Config::max_inflight`](crate::Config::max_inflight) or by the number of slots.
    #[error("as many messages as possible are in flight")]
    WindowFull,
    /// Messages of an earlier connection are to be sent again first.
    #[error("messages of an earlier connection are to be sent again first")]
    ResendPending,
    /// Call `poll_action` until it returns `None`.
    #[error("actions are to be polled first")]
    ActionsPending,
    /// A payload is being sent in pieces, and nothing may come between them.
    #[error("a payload is being sent in pieces")]
    SendingPayload,
    /// More payload than was announced, or none was.
    #[error("more payload than was announced")]
    PayloadTooLong,
    /// The connection has not asked for this Packet Identifier, or not for this.
    #[error("this Packet Identifier does not await this")]
    NotAwaited,
    /// The message was sent at another QoS before.
    #[error("the message was sent with another QoS before")]
    QosChanged,
    /// More Topic Filters than a SUBSCRIBE can have here.
    #[error("a SUBSCRIBE has at most 65535 filters here")]
    TooManyFilters,
    /// SUBACK needs a code for each Topic Filter.
    #[error("the acknowledgement needs a code for each Topic Filter")]
    WrongNumberOfReturnCodes,
    /// The client asked for a new session.
    #[error("the client asked for a new session")]
    CleanSession,
    /// The packet is larger than the peer's Maximum Packet Size.
    #[error("the packet is larger than the peer's Maximum Packet Size")]
    PacketTooLarge,
    /// The server does not support this QoS.
    #[error("the QoS is above the server's Maximum QoS")]
    QosNotSupported,
    /// The server does not support RETAIN.
    #[error("the server does not support RETAIN")]
    RetainNotSupported,
    /// The Topic Alias is above the peer's Topic Alias Maximum.
    #[error("the Topic Alias is above the peer's Topic Alias Maximum")]
    TopicAliasInvalid,
    /// The server does not support wildcards in Topic Filters.
    #[error("the server does not support wildcard subscriptions")]
    WildcardSubscriptionsNotSupported,
    /// The server does not support Shared Subscriptions.
    #[error("the server does not support Shared Subscriptions")]
    SharedSubscriptionsNotSupported,
    /// The server does not support Subscription Identifiers.
    #[error("the server does not support Subscription Identifiers")]
    SubscriptionIdentifiersNotSupported,
    /// AUTH is not to be sent now: CONNECT had no Authentication Method, another one, or it is the
    /// peer's turn.
    #[error("AUTH is not to be sent now")]
    AuthenticationOrder,
    /// A server must not send a Session Expiry Interval in DISCONNECT, nor a client whose CONNECT had
    /// none.
    #[error("DISCONNECT cannot have this Session Expiry Interval")]
    SessionExpiryInterval,
    /// This side does not send this Reason Code.
    #[error("this side does not send this Reason Code")]
    ReasonCodeOfPeer,
}

impl From<EncodeError> for CommandError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}
