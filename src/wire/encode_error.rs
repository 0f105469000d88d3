//! Why a packet could not be encoded.

use crate::wire::{Field, PacketType};

/// Why a packet could not be encoded. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The output has no room for the packet.
    #[error("the output has no room for another {needed} bytes")]
    NoRoom {
        /// How many bytes the packet needs, at most `u32::MAX`.
        needed: u32,
    },
    /// A field has more than 65,535 bytes, the maximum of its two-byte length.
    #[error("{field} has more than 65535 bytes")]
    FieldTooLong {
        /// The field.
        field: Field,
    },
    /// An empty Topic Name. In MQTT 5 only a PUBLISH with a Topic Alias may have one.
    #[error("{field} needs at least one character")]
    EmptyTopicName {
        /// The field.
        field: Field,
    },
    /// The packet would need a Remaining Length over 268,435,455.
    #[error("the packet is larger than MQTT allows")]
    PacketTooLarge,
    /// An empty Client Identifier with Clean Session 0, or in MQTT 3.1.
    #[error("an empty Client Identifier needs Clean Session 1 and MQTT 3.1.1")]
    ClientIdentifierRequired,
    /// A property that this packet cannot have.
    #[error("{packet_type} cannot have the property {property}")]
    MisplacedProperty {
        /// The packet.
        packet_type: PacketType,
        /// The property.
        property: Field,
    },
    /// A second property of a kind that may occur once.
    #[error("the property {property} occurs a second time")]
    RepeatedProperty {
        /// The property.
        property: Field,
    },
    /// A value that its field cannot have.
    #[error("{field} cannot have this value")]
    ValueOutOfRange {
        /// The field.
        field: Field,
    },
    /// Authentication Data, or an AUTH, without an Authentication Method.
    #[error("an Authentication Method is needed")]
    MissingAuthenticationMethod,
    /// Session Present in a CONNACK that refuses the connection.
    #[error("Session Present must be 0 when the connection is refused")]
    SessionPresentWithRefusal,
    /// No Local on a Shared Subscription.
    #[error("a Shared Subscription cannot have No Local")]
    NoLocalOnSharedSubscription,
    /// A list that needs at least one entry has none.
    #[error("{packet_type} needs at least one entry")]
    EmptyList {
        /// The packet that the list was for.
        packet_type: PacketType,
    },
}

impl EncodeError {
    /// Returns [`NoRoom`](Self::NoRoom) for a packet of this length.
    #[must_use]
    #[cold]
    pub fn no_room(needed: usize) -> Self {
        // Of 32 bits, so that an error has eight bytes, which are returned in a register: encoding takes
        // up to 5 % fewer instructions.
        let needed = u32::try_from(needed).unwrap_or(u32::MAX);
        Self::NoRoom { needed }
    }

    /// Returns the normative statement of MQTT 3.1.1 that the packet would have broken, if there is
    /// one; for MQTT 3.1 the closest one.
    #[must_use]
    pub const fn statement(&self) -> Option<&'static str> {
        match self {
            Self::FieldTooLong {
                field: Field::TopicName | Field::TopicFilter | Field::WillTopic,
            } => Some("MQTT-4.7.3-3"),
            Self::EmptyTopicName { .. } => Some("MQTT-4.7.3-1"),
            Self::ClientIdentifierRequired => Some("MQTT-3.1.3-7"),
            Self::EmptyList { packet_type } => Some(match packet_type {
                PacketType::Unsubscribe => "MQTT-3.10.3-2",
                PacketType::SubAck => "MQTT-3.8.4-5",
                _ => "MQTT-3.8.3-3",
            }),
            Self::NoRoom { .. }
            | Self::FieldTooLong { .. }
            | Self::PacketTooLarge
            | Self::MisplacedProperty { .. }
            | Self::RepeatedProperty { .. }
            | Self::ValueOutOfRange { .. }
            | Self::MissingAuthenticationMethod
            | Self::SessionPresentWithRefusal
            | Self::NoLocalOnSharedSubscription => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn statement_of_empty(packet_type: PacketType) -> Option<&'static str> {
        EncodeError::EmptyList { packet_type }.statement()
    }

    fn statement_of_too_long(field: Field) -> Option<&'static str> {
        EncodeError::FieldTooLong { field }.statement()
    }

    #[test]
    fn a_list_without_entries_breaks_the_statement_of_its_packet() {
        assert_eq!(
            statement_of_empty(PacketType::Subscribe),
            Some("MQTT-3.8.3-3")
        );
        assert_eq!(
            statement_of_empty(PacketType::Unsubscribe),
            Some("MQTT-3.10.3-2")
        );
        assert_eq!(statement_of_empty(PacketType::SubAck), Some("MQTT-3.8.4-5"));
    }

    #[test]
    fn a_topic_that_is_too_long_breaks_a_statement_and_other_fields_do_not() {
        for field in [Field::TopicName, Field::TopicFilter, Field::WillTopic] {
            assert_eq!(statement_of_too_long(field), Some("MQTT-4.7.3-3"));
        }
        for field in [
            Field::ClientIdentifier,
            Field::WillMessage,
            Field::UserName,
            Field::Password,
        ] {
            assert_eq!(statement_of_too_long(field), None);
        }
    }

    #[test]
    fn an_empty_client_id_without_clean_session_breaks_the_clients_statement() {
        assert_eq!(
            EncodeError::ClientIdentifierRequired.statement(),
            Some("MQTT-3.1.3-7")
        );
    }

    #[test]
    fn no_room_and_a_packet_too_large_break_no_statement() {
        assert_eq!(EncodeError::NoRoom { needed: 1 }.statement(), None);
        assert_eq!(EncodeError::PacketTooLarge.statement(), None);
    }

    #[test]
    fn encode_errors_say_what_is_wrong() {
        for (error, message) in [
            (
                EncodeError::NoRoom { needed: 7 },
                "the output has no room for another 7 bytes",
            ),
            (
                EncodeError::FieldTooLong {
                    field: Field::WillMessage,
                },
                "Will Message has more than 65535 bytes",
            ),
            (
                EncodeError::PacketTooLarge,
                "the packet is larger than MQTT allows",
            ),
            (
                EncodeError::ClientIdentifierRequired,
                "an empty Client Identifier needs Clean Session 1 and MQTT 3.1.1",
            ),
            (
                EncodeError::EmptyList {
                    packet_type: PacketType::Unsubscribe,
                },
                "UNSUBSCRIBE needs at least one entry",
            ),
        ] {
            assert_eq!(format!("{error}"), message);
        }
    }
}
