//! Faults of the peer, and reasons why a packet or command is refused.

use super::machine::Rejection;
use super::version::Version;
use crate::types::PacketId;
use crate::wire::{DecodeError, EncodeError, PacketType};

/// A violation of the protocol by the peer. The connection has ended [MQTT-4.8.0-1];
/// [`Action::Close`](crate::Action::Close) follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "bytes are no packet, or the packet must not come"
)]
pub enum PeerError<V: Version> {
    /// Bytes that are not an MQTT packet.
    #[error("{0}")]
    Malformed(#[source] DecodeError<V>),
    /// A well-formed packet that the peer must not send, or not in this state.
    #[error("{0}")]
    Protocol(#[source] ProtocolError),
}

impl<V: Version> PeerError<V> {
    /// Returns the normative statement that the peer violated, in the numbering of the version `V`,
    /// or `None` if the rule has no number.
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

/// A well-formed packet that the peer must not send, or not in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ProtocolError {
    /// A packet that this role never sends, or must not send in this state: for example any packet
    /// before CONNECT or CONNACK.
    #[error("{0} is not allowed here")]
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
    #[error("Session Present although the client asked for a new session")]
    SessionPresent,
    /// An acknowledgement of another kind than the one that its Packet Identifier awaits.
    #[error("{packet_type} for Packet Identifier {packet_id}, which awaits another packet")]
    WrongAcknowledgement {
        /// The received packet.
        packet_type: PacketType,
        /// Its Packet Identifier.
        packet_id: PacketId,
    },
    /// SUBACK or UNSUBACK without a request.
    #[error("{packet_type} for Packet Identifier {packet_id}, which no request uses")]
    NoSuchRequest {
        /// The received packet.
        packet_type: PacketType,
        /// Its Packet Identifier.
        packet_id: PacketId,
    },
    /// SUBACK or UNSUBACK with more or fewer codes than the request had filters.
    #[error("the acknowledgement does not have a code for each Topic Filter")]
    WrongNumberOfReturnCodes,
    /// A message with a Packet Identifier that is in use for another.
    #[error("Packet Identifier {0} is in use for another message")]
    PacketIdInUse(PacketId),
    /// A Topic Alias that exceeds this side's Topic Alias Maximum.
    #[error("the Topic Alias is above Topic Alias Maximum")]
    TopicAliasInvalid,
    /// A message without a Topic Name, whose Topic Alias has no Topic Name yet.
    #[error("the Topic Alias has no Topic Name")]
    TopicAliasUnknown,
    /// More messages above QoS 0 at once than this side's Receive Maximum.
    #[error("more messages in flight than Receive Maximum")]
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
    /// SUBSCRIBE with a Subscription Identifier, which the server does not support.
    #[error("Subscription Identifiers are not supported")]
    SubscriptionIdentifiersNotSupported,
    /// A message of a client with a Subscription Identifier, which only a server sends.
    #[error("a client must not send a Subscription Identifier with a message")]
    SubscriptionIdentifier,
    /// A Session Expiry Interval in DISCONNECT from a client whose CONNECT had none, or from a
    /// server.
    #[error("a Session Expiry Interval is not allowed here")]
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
    /// The peer must not send it. The connection has ended; the actions that follow close it.
    #[error("{0}")]
    Peer(#[source] PeerError<V>),
    /// The application has to do something first. Nothing has changed: do it, then pass the same
    /// packet again.
    #[error("blocked: {0}")]
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

/// The condition that blocks the next packet. Each variant names what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Blocked {
    /// Call `poll_action` until it returns `None`.
    #[error("poll the pending actions first")]
    ActionsPending,
    /// A reply waits for the end of a payload that is being sent in pieces: send the rest.
    #[error("send the rest of the payload first")]
    SendingPayload,
    /// All inbound slots hold messages that the application has not acknowledged. Until it does, stop
    /// reading from the transport.
    #[error("acknowledge received messages first")]
    InboundFull,
    /// A message is being received in pieces: pass the rest of its payload first.
    #[error("pass the rest of the received payload first")]
    ReceivingPayload,
    /// A piece of a payload whose header was not passed, or not handled: pass the header first.
    #[error("pass the header of the message first")]
    HeaderFirst,
    /// Server: answer CONNECT, SUBSCRIBE or UNSUBSCRIBE first.
    #[error("answer the pending request first")]
    AnswerPending,
    /// The decoder has decoded bytes of another stream. Begin each connection with a new decoder.
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
    #[error("a connection has only one CONNECT and one CONNACK")]
    AlreadyConnected,
    /// The connection has ended.
    #[error("the connection has ended")]
    Ended,
    /// As many messages as possible are in flight: by
    /// [`Config::max_inflight`](crate::Config::max_inflight) or by the number of slots.
    #[error("as many messages as possible are in flight")]
    WindowFull,
    /// Send the messages of an earlier connection again first
    /// ([`Action::Resend`](crate::Action::Resend)).
    #[error("send the messages of the earlier connection again first")]
    ResendPending,
    /// Call `poll_action` until it returns `None`.
    #[error("poll the pending actions first")]
    ActionsPending,
    /// A payload is being sent in pieces: send the rest first.
    #[error("send the rest of the payload first")]
    SendingPayload,
    /// The piece exceeds the announced length of the payload, or no payload was announced.
    #[error("the payload is longer than announced")]
    PayloadTooLong,
    /// The connection does not await this for this Packet Identifier.
    #[error("nothing awaits this for the Packet Identifier")]
    NotAwaited,
    /// The message was sent at another QoS before.
    #[error("the message was sent at another QoS before")]
    QosChanged,
    /// More than 65,535 Topic Filters in one SUBSCRIBE or UNSUBSCRIBE.
    #[error("more than 65535 Topic Filters")]
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
    /// Only a server publishes with Subscription Identifiers.
    #[error("a client cannot publish with Subscription Identifiers")]
    SubscriptionIdentifier,
    /// AUTH cannot be sent now: CONNECT had no Authentication Method or another one, or it is the
    /// peer's turn.
    #[error("AUTH cannot be sent now")]
    AuthenticationOrder,
    /// A server must not send a Session Expiry Interval in DISCONNECT, nor a client whose CONNECT had
    /// none.
    #[error("DISCONNECT cannot have this Session Expiry Interval")]
    SessionExpiryInterval,
    /// The Client Identifier is empty, so CONNACK needs an Assigned Client Identifier and a new session.
    #[error("CONNACK needs an Assigned Client Identifier and a new session")]
    AssignedClientIdentifier,
    /// The client has not asked for Response Information.
    #[error("the client did not ask for Response Information")]
    ResponseInformation,
    /// This side does not send this Reason Code.
    #[error("this side does not send this Reason Code")]
    ReasonCodeOfPeer,
}

impl From<EncodeError> for CommandError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}
