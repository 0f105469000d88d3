use super::*;
use crate::v3::{DecodeError, V3};
use crate::wire::TextError;
use ErrorKind::*;
use PacketType as Type;

const FIELDS: [Field; 20] = [
    Field::PacketType,
    Field::Flags,
    Field::RemainingLength,
    Field::ProtocolName,
    Field::ProtocolLevel,
    Field::ConnectFlags,
    Field::KeepAlive,
    Field::ClientIdentifier,
    Field::WillTopic,
    Field::WillMessage,
    Field::UserName,
    Field::Password,
    Field::ConnectAcknowledgeFlags,
    Field::ConnectReturnCode,
    Field::PacketIdentifier,
    Field::TopicName,
    Field::Payload,
    Field::TopicFilter,
    Field::RequestedQos,
    Field::ReturnCode,
];

/// Each kind with the statement that it violates in a packet without a statement of its own.
const KINDS: [(ErrorKind, Option<&str>); 36] = [
    (ReservedPacketType, Some("MQTT-4.8.0-1")),
    (InvalidFlags, Some("MQTT-2.2.2-2")),
    (InvalidQos, Some("MQTT-3.3.1-4")),
    (DupAtQos0, Some("MQTT-3.3.1-2")),
    (RemainingLengthTooLong, None),
    (RemainingLengthNotMinimal, None),
    (PacketTooLarge, None),
    (TooManyFilters, None),
    (OutOfMemory, None),
    (Truncated, Some("MQTT-4.8.0-1")),
    (TrailingBytes, Some("MQTT-4.8.0-1")),
    (InvalidUtf8, Some("MQTT-1.5.3-1")),
    (NullCharacter, Some("MQTT-1.5.3-2")),
    (TooLong, Some("MQTT-4.7.3-3")),
    (EmptyTopic, Some("MQTT-4.7.3-1")),
    (WildcardInTopicName, Some("MQTT-3.3.2-2")),
    (MisplacedMultiLevelWildcard, Some("MQTT-4.7.1-2")),
    (MisplacedSingleLevelWildcard, Some("MQTT-4.7.1-3")),
    (EmptyShareName, None),
    (WildcardInShareName, None),
    (MissingSharedFilter, None),
    (ZeroPacketIdentifier, None),
    (UnknownProtocolName, Some("MQTT-3.1.2-1")),
    (UnsupportedProtocolLevel, Some("MQTT-3.1.2-2")),
    (ReservedConnectFlag, Some("MQTT-3.1.2-3")),
    (WillQosWithoutWill, Some("MQTT-3.1.2-13")),
    (WillRetainWithoutWill, Some("MQTT-3.1.2-15")),
    (InvalidWillQos, Some("MQTT-3.1.2-14")),
    (PasswordWithoutUserName, Some("MQTT-3.1.2-22")),
    (ClientIdentifierRequired, Some("MQTT-3.1.3-8")),
    (ReservedAcknowledgeFlags, Some("MQTT-2.2.2-2")),
    (InvalidConnectReturnCode, None),
    (SessionPresentWithRefusal, Some("MQTT-3.2.2-4")),
    (EmptyList, Some("MQTT-3.8.3-3")),
    (InvalidRequestedQos, Some("MQTT-3.8.3-4")),
    (InvalidReturnCode, Some("MQTT-3.9.3-2")),
];

fn packet_types() -> impl Iterator<Item = Type> {
    (1..=14).filter_map(Type::from_number)
}

fn statement(packet_type: Type, field: Field, kind: ErrorKind) -> Option<&'static str> {
    DecodeError::new(Some(packet_type), field, kind, 0).statement()
}

#[test]
fn every_kind_names_the_statement_that_it_breaks() {
    for (kind, expected) in KINDS {
        // In a packet that has no statement of its own for any of them.
        assert_eq!(
            statement(Type::PubComp, Field::Flags, kind),
            expected,
            "{kind:?}"
        );
        assert_eq!(
            TextError::new(kind, 0).statement::<V3>(),
            expected,
            "{kind:?}"
        );
    }
}

#[test]
fn wrong_flags_break_the_statement_of_their_packet() {
    for packet_type in packet_types() {
        let expected = match packet_type {
            Type::PubRel => "MQTT-3.6.1-1",
            Type::Subscribe => "MQTT-3.8.1-1",
            Type::Unsubscribe => "MQTT-3.10.1-1",
            Type::Disconnect => "MQTT-3.14.1-1",
            _ => "MQTT-2.2.2-2",
        };
        assert_eq!(
            statement(packet_type, Field::Flags, InvalidFlags),
            Some(expected)
        );
    }
}

#[test]
fn packet_identifier_0_breaks_a_statement_in_packets_that_choose_one() {
    for packet_type in packet_types() {
        let expected = match packet_type {
            Type::Publish | Type::Subscribe | Type::Unsubscribe => Some("MQTT-2.3.1-1"),
            // That an acknowledgement has no 0 follows from the request.
            _ => None,
        };
        let field = Field::PacketIdentifier;
        assert_eq!(
            statement(packet_type, field, ZeroPacketIdentifier),
            expected
        );
    }
}

#[test]
fn an_empty_list_breaks_the_statement_of_its_packet() {
    for (packet_type, field, expected) in [
        (Type::Subscribe, Field::TopicFilter, "MQTT-3.8.3-3"),
        (Type::Unsubscribe, Field::TopicFilter, "MQTT-3.10.3-2"),
        (Type::SubAck, Field::ReturnCode, "MQTT-3.8.4-5"),
    ] {
        assert_eq!(statement(packet_type, field, EmptyList), Some(expected));
    }
}

#[test]
fn a_wildcard_breaks_one_statement_in_publish_and_another_in_a_will() {
    assert_eq!(
        statement(Type::Publish, Field::TopicName, WildcardInTopicName),
        Some("MQTT-3.3.2-2")
    );
    assert_eq!(
        statement(Type::Connect, Field::WillTopic, WildcardInTopicName),
        Some("MQTT-4.7.1-1")
    );
}

#[test]
fn connect_is_truncated_in_a_field_that_its_flags_announce() {
    for (field, expected) in [
        (Field::ProtocolName, "MQTT-3.1.4-1"),
        (Field::ProtocolLevel, "MQTT-3.1.4-1"),
        (Field::ConnectFlags, "MQTT-3.1.4-1"),
        (Field::KeepAlive, "MQTT-3.1.4-1"),
        (Field::ClientIdentifier, "MQTT-3.1.4-1"),
        (Field::WillTopic, "MQTT-3.1.2-9"),
        (Field::WillMessage, "MQTT-3.1.2-9"),
        (Field::UserName, "MQTT-3.1.2-19"),
        (Field::Password, "MQTT-3.1.2-21"),
    ] {
        assert_eq!(
            statement(Type::Connect, field, Truncated),
            Some(expected),
            "{field}"
        );
    }
}

#[test]
fn bytes_left_over_in_connect_are_a_field_that_its_flags_do_not_announce() {
    for (field, expected) in [
        (Field::ConnectFlags, "MQTT-3.1.2-11"),
        (Field::UserName, "MQTT-3.1.2-18"),
        (Field::Password, "MQTT-3.1.2-20"),
        (Field::Payload, "MQTT-3.1.4-1"),
    ] {
        assert_eq!(
            statement(Type::Connect, field, TrailingBytes),
            Some(expected),
            "{field}"
        );
    }
}

#[test]
fn any_other_packet_of_the_wrong_length_is_a_protocol_violation() {
    for packet_type in packet_types().filter(|&packet_type| packet_type != Type::Connect) {
        for field in FIELDS {
            for kind in [Truncated, TrailingBytes] {
                assert_eq!(statement(packet_type, field, kind), Some("MQTT-4.8.0-1"));
            }
        }
    }
}

#[test]
fn every_statement_has_the_form_of_an_id_of_the_standard() {
    for (kind, ..) in KINDS {
        for packet_type in packet_types() {
            for field in FIELDS {
                let Some(id) = statement(packet_type, field, kind) else {
                    continue;
                };
                let numbers = id.strip_prefix("MQTT-").unwrap_or_default();
                let (section, number) = numbers.split_once('-').unwrap_or_default();
                assert_eq!(section.split('.').count(), 3, "{id}");
                assert!(
                    section.split('.').all(|part| part.parse::<u8>().is_ok()),
                    "{id}"
                );
                assert!(number.parse::<u8>().is_ok(), "{id}");
            }
        }
    }
}

#[test]
fn a_reserved_type_breaks_a_statement_though_no_packet_is_known() {
    let error = DecodeError::new(None, Field::PacketType, ReservedPacketType, 0);
    assert_eq!(error.statement(), Some("MQTT-4.8.0-1"));
}

#[test]
fn two_faults_ask_for_a_connack_and_all_others_to_close() {
    for (kind, ..) in KINDS {
        let error = DecodeError::new(Some(Type::Connect), Field::ConnectFlags, kind, 0);
        let expected = match kind {
            // [MQTT-3.1.2-2]
            UnsupportedProtocolLevel => {
                Reaction::ConnAckThenClose(ConnectRefusal::UnacceptableProtocolVersion)
            }
            // [MQTT-3.1.3-8]
            ClientIdentifierRequired => {
                Reaction::ConnAckThenClose(ConnectRefusal::IdentifierRejected)
            }
            _ => Reaction::Close,
        };
        assert_eq!(error.reaction(), expected, "{kind:?}");
    }
}
