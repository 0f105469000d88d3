//! The normative statements of MQTT 5: which one a fault violates, its Reason Code, and how the
//! receiver must react.

use super::{ConnectReasonCode, DecodeError, DisconnectReasonCode, ReasonCode};
use crate::wire::{ErrorKind, Field, PacketType};

/// The reaction that MQTT 5 requires of a receiver after a fault (section 4.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reaction {
    /// Close the Network Connection without sending anything: the peer does not speak MQTT.
    Close,
    /// A server sends CONNACK with this code, then closes; a client just closes.
    ConnAckThenClose(ConnectReasonCode),
    /// Send DISCONNECT with this code, then close. A server that has not sent an accepting CONNACK
    /// yet closes without it [MQTT5-3.14.0-1].
    DisconnectThenClose(DisconnectReasonCode),
}

impl Reaction {
    pub(super) fn to(error: &DecodeError) -> Self {
        let code = error.reason_code();
        match (error.packet_type(), error.kind()) {
            (_, ErrorKind::UnknownProtocolName) => Self::Close,
            (Some(PacketType::Connect), _) => {
                let code = ConnectReasonCode::try_from(code);
                Self::ConnAckThenClose(code.unwrap_or(ConnectReasonCode::MalformedPacket))
            }
            _ => {
                let code = DisconnectReasonCode::try_from(code);
                Self::DisconnectThenClose(code.unwrap_or(DisconnectReasonCode::MalformedPacket))
            }
        }
    }
}

impl DecodeError {
    /// Returns the Reason Code of the fault: 0x81 (Malformed Packet) if the packet cannot be
    /// parsed, 0x82 (Protocol Error) if it violates another rule, or a more specific one (section
    /// 4.13).
    #[must_use]
    pub const fn reason_code(&self) -> ReasonCode {
        match (self.kind(), self.field()) {
            // [MQTT5-3.3.2-8]
            (ErrorKind::ValueOutOfRange, Field::TopicAlias) => ReasonCode::TopicAliasInvalid,
            (ErrorKind::WildcardInTopicName, Field::ResponseTopic) => ReasonCode::ProtocolError,
            (kind, _) => of_kind(kind),
        }
    }
}

/// Returns the Reason Code of a fault, independent of the field.
const fn of_kind(kind: ErrorKind) -> ReasonCode {
    match kind {
        ErrorKind::DupAtQos0
        | ErrorKind::EmptyTopic
        | ErrorKind::ZeroPacketIdentifier
        | ErrorKind::SessionPresentWithRefusal
        | ErrorKind::EmptyList
        | ErrorKind::InvalidRequestedQos
        | ErrorKind::InvalidRetainHandling
        | ErrorKind::NoLocalOnSharedSubscription
        | ErrorKind::RepeatedProperty
        | ErrorKind::ValueOutOfRange
        | ErrorKind::MissingAuthenticationMethod
        | ErrorKind::InvalidReasonCode => ReasonCode::ProtocolError,
        // [MQTT5-3.1.2-1, MQTT5-3.1.2-2]
        ErrorKind::UnknownProtocolName | ErrorKind::UnsupportedProtocolLevel => {
            ReasonCode::UnsupportedProtocolVersion
        }
        ErrorKind::WildcardInTopicName => ReasonCode::TopicNameInvalid,
        ErrorKind::MisplacedMultiLevelWildcard
        | ErrorKind::MisplacedSingleLevelWildcard
        | ErrorKind::EmptyShareName
        | ErrorKind::WildcardInShareName
        | ErrorKind::MissingSharedFilter => ReasonCode::TopicFilterInvalid,
        ErrorKind::PacketTooLarge => ReasonCode::PacketTooLarge,
        ErrorKind::TooManyFilters | ErrorKind::OutOfMemory => ReasonCode::QuotaExceeded,
        _ => ReasonCode::MalformedPacket,
    }
}

/// Returns the statement that a fault in this field of this packet violates, or `None` if the
/// standard gives the rule no number, and for limits of the receiver.
pub(super) const fn of(
    packet_type: Option<PacketType>,
    field: Option<Field>,
    kind: ErrorKind,
) -> Option<&'static str> {
    use PacketType as Type;
    Some(match (kind, packet_type, field) {
        (ErrorKind::InvalidFlags, Some(Type::PubRel), _) => "MQTT-3.6.1-1",
        (ErrorKind::InvalidFlags, Some(Type::Subscribe), _) => "MQTT-3.8.1-1",
        (ErrorKind::InvalidFlags, Some(Type::Unsubscribe), _) => "MQTT-3.10.1-1",
        (ErrorKind::InvalidFlags, Some(Type::Disconnect), _) => "MQTT-3.14.1-1",
        (ErrorKind::InvalidFlags, Some(Type::Auth), _) => "MQTT-3.15.1-1",
        (ErrorKind::Truncated, packet_type, Some(field)) => {
            return truncated(packet_type, field);
        }
        (ErrorKind::TrailingBytes, ..) => return None,
        (ErrorKind::EmptyList, Some(Type::Subscribe), _) => "MQTT-3.8.3-2",
        (ErrorKind::EmptyList, Some(Type::Unsubscribe), _) => "MQTT-3.10.3-2",
        (
            ErrorKind::ZeroPacketIdentifier,
            Some(Type::Publish | Type::Subscribe | Type::Unsubscribe),
            _,
        ) => "MQTT-2.2.1-3",
        (ErrorKind::ZeroPacketIdentifier, Some(Type::SubAck | Type::UnsubAck), _) => "MQTT-2.2.1-6",
        (ErrorKind::ZeroPacketIdentifier, Some(_), _) => "MQTT-2.2.1-5",
        (ErrorKind::InvalidReasonCode, Some(packet_type), _) => return reason_code(packet_type),
        (ErrorKind::ValueOutOfRange, _, Some(Field::TopicAlias)) => "MQTT-3.3.2-8",
        // A Topic Name may be left out. The rule that a Topic Alias is then needed has no number.
        (ErrorKind::EmptyTopic, _, Some(Field::TopicName)) => return None,
        (ErrorKind::WildcardInTopicName, _, Some(Field::WillTopic)) => "MQTT-4.7.0-1",
        (ErrorKind::WildcardInTopicName, _, Some(Field::ResponseTopic)) => "MQTT-3.3.2-14",
        (kind, ..) => return of_kind_alone(kind),
    })
}

/// Returns the statement about the codes of a packet.
const fn reason_code(packet_type: PacketType) -> Option<&'static str> {
    Some(match packet_type {
        PacketType::ConnAck => "MQTT-3.2.2-8",
        PacketType::PubAck => "MQTT-3.4.2-1",
        PacketType::PubRec => "MQTT-3.5.2-1",
        PacketType::PubRel => "MQTT-3.6.2-1",
        PacketType::PubComp => "MQTT-3.7.2-1",
        PacketType::SubAck => "MQTT-3.9.3-2",
        PacketType::UnsubAck => "MQTT-3.11.3-2",
        PacketType::Disconnect => "MQTT-3.14.2-1",
        PacketType::Auth => "MQTT-3.15.2-1",
        _ => return None,
    })
}

/// Returns the statement about a field that the packet is too short for.
const fn truncated(packet_type: Option<PacketType>, field: Field) -> Option<&'static str> {
    Some(match (field, packet_type) {
        (Field::PropertyLength, _) => "MQTT-2.2.2-1",
        (Field::ClientIdentifier, _) => "MQTT-3.1.3-3",
        (Field::WillTopic | Field::WillPayload, _) => "MQTT-3.1.2-9",
        (Field::UserName, _) => "MQTT-3.1.2-17",
        (Field::Password, _) => "MQTT-3.1.2-19",
        (Field::TopicName, _) => "MQTT-3.3.2-1",
        (Field::TopicFilter, Some(PacketType::Subscribe)) => "MQTT-3.8.3-1",
        (Field::TopicFilter, Some(PacketType::Unsubscribe)) => "MQTT-3.10.3-1",
        _ => return None,
    })
}

/// Returns the statement that this fault violates in any packet.
const fn of_kind_alone(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::InvalidFlags => "MQTT-2.1.3-1",
        ErrorKind::InvalidQos => "MQTT-3.3.1-4",
        ErrorKind::DupAtQos0 => "MQTT-3.3.1-2",
        ErrorKind::RemainingLengthNotMinimal | ErrorKind::VariableByteIntegerNotMinimal => {
            "MQTT-1.5.5-1"
        }
        ErrorKind::InvalidUtf8 => "MQTT-1.5.4-1",
        ErrorKind::NullCharacter => "MQTT-1.5.4-2",
        ErrorKind::TooLong => "MQTT-4.7.3-3",
        ErrorKind::EmptyTopic => "MQTT-4.7.3-1",
        ErrorKind::WildcardInTopicName => "MQTT-3.3.2-2",
        ErrorKind::MisplacedMultiLevelWildcard => "MQTT-4.7.1-1",
        ErrorKind::MisplacedSingleLevelWildcard => "MQTT-4.7.1-2",
        ErrorKind::EmptyShareName => "MQTT-4.8.2-1",
        ErrorKind::WildcardInShareName | ErrorKind::MissingSharedFilter => "MQTT-4.8.2-2",
        ErrorKind::UnknownProtocolName => "MQTT-3.1.2-1",
        ErrorKind::UnsupportedProtocolLevel => "MQTT-3.1.2-2",
        ErrorKind::ReservedConnectFlag => "MQTT-3.1.2-3",
        ErrorKind::WillQosWithoutWill => "MQTT-3.1.2-11",
        ErrorKind::WillRetainWithoutWill => "MQTT-3.1.2-13",
        ErrorKind::InvalidWillQos => "MQTT-3.1.2-12",
        ErrorKind::ReservedAcknowledgeFlags => "MQTT-3.2.2-1",
        ErrorKind::SessionPresentWithRefusal => "MQTT-3.2.2-6",
        ErrorKind::ReservedSubscriptionOptions => "MQTT-3.8.3-5",
        ErrorKind::NoLocalOnSharedSubscription => "MQTT-3.8.3-4",
        _ => return None,
    })
}
