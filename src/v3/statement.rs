//! The normative statements of MQTT 3.1.1: which one a fault violates, and how the receiver must
//! react.

use super::ConnectRefusal;
use crate::wire::{ErrorKind, Field, PacketType};

/// The reaction that MQTT 3.1.1 requires of a receiver after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reaction {
    /// Close the Network Connection without sending anything (sections 3.1.4 and 4.8).
    Close,
    /// A server sends CONNACK with this return code, then closes; a client just closes.
    ConnAckThenClose(ConnectRefusal),
}

impl Reaction {
    pub(super) const fn to(kind: ErrorKind) -> Self {
        match kind {
            // [MQTT-3.1.2-2]
            ErrorKind::UnsupportedProtocolLevel => {
                Self::ConnAckThenClose(ConnectRefusal::UnacceptableProtocolVersion)
            }
            // [MQTT-3.1.3-8]
            ErrorKind::ClientIdentifierRequired => {
                Self::ConnAckThenClose(ConnectRefusal::IdentifierRejected)
            }
            _ => Self::Close,
        }
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
    Some(match (kind, packet_type) {
        (ErrorKind::InvalidFlags, Some(Type::PubRel)) => "MQTT-3.6.1-1",
        (ErrorKind::InvalidFlags, Some(Type::Subscribe)) => "MQTT-3.8.1-1",
        (ErrorKind::InvalidFlags, Some(Type::Unsubscribe)) => "MQTT-3.10.1-1",
        (ErrorKind::InvalidFlags, Some(Type::Disconnect)) => "MQTT-3.14.1-1",
        (ErrorKind::Truncated | ErrorKind::TrailingBytes, Some(Type::Connect)) => {
            match (kind, field) {
                (ErrorKind::TrailingBytes, Some(Field::UserName)) => "MQTT-3.1.2-18",
                (ErrorKind::TrailingBytes, Some(Field::Password)) => "MQTT-3.1.2-20",
                (ErrorKind::TrailingBytes, Some(Field::ConnectFlags)) => "MQTT-3.1.2-11",
                (ErrorKind::Truncated, Some(Field::WillTopic | Field::WillMessage)) => {
                    "MQTT-3.1.2-9"
                }
                (ErrorKind::Truncated, Some(Field::UserName)) => "MQTT-3.1.2-19",
                (ErrorKind::Truncated, Some(Field::Password)) => "MQTT-3.1.2-21",
                _ => "MQTT-3.1.4-1",
            }
        }
        (ErrorKind::EmptyList, Some(Type::Unsubscribe)) => "MQTT-3.10.3-2",
        (ErrorKind::EmptyList, Some(Type::SubAck)) => "MQTT-3.8.4-5",
        (
            ErrorKind::ZeroPacketIdentifier,
            Some(Type::Publish | Type::Subscribe | Type::Unsubscribe),
        ) => "MQTT-2.3.1-1",
        (ErrorKind::WildcardInTopicName, Some(Type::Connect)) => "MQTT-4.7.1-1",
        (kind, _) => return of_kind(kind),
    })
}

/// Returns the statement that this fault violates in any packet.
const fn of_kind(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::InvalidFlags | ErrorKind::ReservedAcknowledgeFlags => "MQTT-2.2.2-2",
        ErrorKind::InvalidQos => "MQTT-3.3.1-4",
        ErrorKind::DupAtQos0 => "MQTT-3.3.1-2",
        ErrorKind::InvalidUtf8 => "MQTT-1.5.3-1",
        ErrorKind::NullCharacter => "MQTT-1.5.3-2",
        ErrorKind::TooLong => "MQTT-4.7.3-3",
        ErrorKind::EmptyTopic => "MQTT-4.7.3-1",
        ErrorKind::WildcardInTopicName => "MQTT-3.3.2-2",
        ErrorKind::MisplacedMultiLevelWildcard => "MQTT-4.7.1-2",
        ErrorKind::MisplacedSingleLevelWildcard => "MQTT-4.7.1-3",
        ErrorKind::UnknownProtocolName => "MQTT-3.1.2-1",
        ErrorKind::UnsupportedProtocolLevel => "MQTT-3.1.2-2",
        ErrorKind::ReservedConnectFlag => "MQTT-3.1.2-3",
        ErrorKind::WillQosWithoutWill => "MQTT-3.1.2-13",
        ErrorKind::WillRetainWithoutWill => "MQTT-3.1.2-15",
        ErrorKind::InvalidWillQos => "MQTT-3.1.2-14",
        ErrorKind::PasswordWithoutUserName => "MQTT-3.1.2-22",
        ErrorKind::ClientIdentifierRequired => "MQTT-3.1.3-8",
        ErrorKind::SessionPresentWithRefusal => "MQTT-3.2.2-4",
        ErrorKind::EmptyList => "MQTT-3.8.3-3",
        ErrorKind::InvalidRequestedQos => "MQTT-3.8.3-4",
        ErrorKind::InvalidReturnCode => "MQTT-3.9.3-2",
        ErrorKind::ReservedPacketType | ErrorKind::Truncated | ErrorKind::TrailingBytes => {
            "MQTT-4.8.0-1"
        }
        ErrorKind::RemainingLengthTooLong
        | ErrorKind::RemainingLengthNotMinimal
        | ErrorKind::PacketTooLarge
        | ErrorKind::TooManyFilters
        | ErrorKind::OutOfMemory
        | ErrorKind::EmptyShareName
        | ErrorKind::WildcardInShareName
        | ErrorKind::MissingSharedFilter
        | ErrorKind::ZeroPacketIdentifier
        | ErrorKind::InvalidConnectReturnCode
        // Faults of MQTT 5 only.
        | ErrorKind::VariableByteIntegerTooLong
        | ErrorKind::VariableByteIntegerNotMinimal
        | ErrorKind::UnknownProperty
        | ErrorKind::MisplacedProperty
        | ErrorKind::RepeatedProperty
        | ErrorKind::ValueOutOfRange
        | ErrorKind::MissingAuthenticationMethod
        | ErrorKind::InvalidReasonCode
        | ErrorKind::ReservedSubscriptionOptions
        | ErrorKind::InvalidRetainHandling
        | ErrorKind::NoLocalOnSharedSubscription => return None,
    })
}

#[cfg(test)]
mod tests;
