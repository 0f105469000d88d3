use super::*;
use crate::v3::{DecodeError, V3};
use ErrorKind::*;
use PacketType as Type;
use std::format;

/// Each kind with its message.
const KINDS: [(ErrorKind, &str); 36] = [
    (ReservedPacketType, "packet types 0 and 15 are reserved"),
    (
        InvalidFlags,
        "the reserved flag bits differ from those that the standard prescribes",
    ),
    (InvalidQos, "QoS 3 does not exist"),
    (DupAtQos0, "DUP must be 0 at QoS 0"),
    (
        RemainingLengthTooLong,
        "Remaining Length has at most four bytes",
    ),
    (
        RemainingLengthNotMinimal,
        "Remaining Length is written with more bytes than it needs",
    ),
    (
        PacketTooLarge,
        "the packet is larger than this receiver takes",
    ),
    (
        TooManyFilters,
        "more Topic Filters in one packet than this receiver takes",
    ),
    (OutOfMemory, "there is no memory for the packet"),
    (Truncated, "the packet ends before this field does"),
    (TrailingBytes, "bytes follow the last field"),
    (InvalidUtf8, "not well-formed UTF-8"),
    (NullCharacter, "strings must not contain U+0000"),
    (TooLong, "a string has at most 65535 bytes"),
    (EmptyTopic, "at least one character is needed"),
    (
        WildcardInTopicName,
        "wildcards belong to Topic Filters, not to Topic Names",
    ),
    (
        MisplacedMultiLevelWildcard,
        "'#' must be the last character and alone in its level",
    ),
    (
        MisplacedSingleLevelWildcard,
        "'+' must be alone in its level",
    ),
    (EmptyShareName, "a share name has at least one character"),
    (
        WildcardInShareName,
        "a share name must not contain '+' or '#'",
    ),
    (
        MissingSharedFilter,
        "a share name is followed by '/' and a Topic Filter",
    ),
    (ZeroPacketIdentifier, "Packet Identifier 0 is not allowed"),
    (UnknownProtocolName, "the peer does not speak MQTT"),
    (
        UnsupportedProtocolLevel,
        "this Protocol Level is not supported",
    ),
    (ReservedConnectFlag, "the reserved Connect Flag must be 0"),
    (WillQosWithoutWill, "Will QoS must be 0 without a Will"),
    (
        WillRetainWithoutWill,
        "Will Retain must be 0 without a Will",
    ),
    (InvalidWillQos, "Will QoS 3 does not exist"),
    (PasswordWithoutUserName, "a Password needs a User Name"),
    (
        ClientIdentifierRequired,
        "an empty Client Identifier needs Clean Session 1 and MQTT 3.1.1",
    ),
    (ReservedAcknowledgeFlags, "the reserved bits must be 0"),
    (
        InvalidConnectReturnCode,
        "this Connect Return Code does not exist",
    ),
    (
        SessionPresentWithRefusal,
        "Session Present must be 0 when the connection is refused",
    ),
    (EmptyList, "at least one entry is needed"),
    (InvalidRequestedQos, "Requested QoS is 0, 1 or 2"),
    (InvalidReturnCode, "this Return Code does not exist"),
];

const FIELDS: [(Field, &str); 20] = [
    (Field::PacketType, "Packet Type"),
    (Field::Flags, "Flags"),
    (Field::RemainingLength, "Remaining Length"),
    (Field::ProtocolName, "Protocol Name"),
    (Field::ProtocolLevel, "Protocol Level"),
    (Field::ConnectFlags, "Connect Flags"),
    (Field::KeepAlive, "Keep Alive"),
    (Field::ClientIdentifier, "Client Identifier"),
    (Field::WillTopic, "Will Topic"),
    (Field::WillMessage, "Will Message"),
    (Field::UserName, "User Name"),
    (Field::Password, "Password"),
    (Field::ConnectAcknowledgeFlags, "Connect Acknowledge Flags"),
    (Field::ConnectReturnCode, "Connect Return Code"),
    (Field::PacketIdentifier, "Packet Identifier"),
    (Field::TopicName, "Topic Name"),
    (Field::Payload, "Payload"),
    (Field::TopicFilter, "Topic Filter"),
    (Field::RequestedQos, "Requested QoS"),
    (Field::ReturnCode, "Return Code"),
];

#[test]
fn a_decode_error_has_eight_bytes() {
    assert_eq!(size_of::<DecodeError>(), 8);
}

#[test]
fn a_decode_error_gives_back_what_it_was_made_of() {
    let kind = InvalidRequestedQos;
    let error = DecodeError::new(
        Some(Type::Subscribe),
        Field::RequestedQos,
        kind,
        268_435_459,
    );
    assert_eq!(error.packet_type(), Some(Type::Subscribe));
    assert_eq!(error.field(), Field::RequestedQos);
    assert_eq!(error.kind(), InvalidRequestedQos);
    assert_eq!(error.offset(), 268_435_459);
}

#[test]
fn a_decode_error_is_one_sentence_with_packet_field_fault_and_place() {
    for (packet_type, field, kind, offset, sentence) in [
        (
            Type::Subscribe,
            Field::TopicFilter,
            MisplacedMultiLevelWildcard,
            9,
            "SUBSCRIBE Topic Filter: '#' must be the last character and alone in its level \
             (at byte 9 of the packet)",
        ),
        (
            Type::Connect,
            Field::ClientIdentifier,
            ClientIdentifierRequired,
            12,
            "CONNECT Client Identifier: an empty Client Identifier needs Clean Session 1 and \
             MQTT 3.1.1 (at byte 12 of the packet)",
        ),
        (
            Type::PubRel,
            Field::Flags,
            InvalidFlags,
            0,
            "PUBREL Flags: the reserved flag bits differ from those that the standard \
             prescribes (0x00 at byte 0 of the packet)",
        ),
        (
            Type::Publish,
            Field::RemainingLength,
            PacketTooLarge,
            107,
            "PUBLISH Remaining Length: the packet is larger than this receiver takes (107 \
             bytes)",
        ),
    ] {
        let error = DecodeError::new(Some(packet_type), field, kind, offset);
        assert_eq!(format!("{error}"), sentence);
    }
}

#[test]
fn the_sentence_names_no_packet_if_its_type_is_reserved() {
    assert_eq!(
        format!(
            "{}",
            DecodeError::new(None, Field::PacketType, ReservedPacketType, 0)
        ),
        "Packet Type: packet types 0 and 15 are reserved (0x00 at byte 0 of the packet)"
    );
}

#[test]
fn a_decode_error_is_an_error_without_a_cause() {
    let error = DecodeError::new(None, Field::PacketType, ReservedPacketType, 0);
    let error: &dyn core::error::Error = &error;
    assert!(error.source().is_none());
}

#[test]
fn every_kind_says_what_is_wrong() {
    for (kind, message) in KINDS {
        assert_eq!(format!("{kind}"), message);
    }
}

#[test]
fn every_kind_has_a_message_of_its_own() {
    for (i, (_, message)) in KINDS.iter().enumerate() {
        assert_eq!(
            KINDS.iter().position(|(_, other)| other == message),
            Some(i)
        );
    }
}

#[test]
fn a_text_error_says_what_where_and_against_which_statement() {
    let error = TextError::new(NullCharacter, 7);
    assert_eq!(error.kind(), NullCharacter);
    assert_eq!(error.offset(), 7);
    assert_eq!(error.statement::<V3>(), Some("MQTT-1.5.3-2"));
    assert_eq!(
        format!("{error}"),
        "strings must not contain U+0000 (at byte 7 of the string)"
    );
}

#[test]
fn a_text_error_is_an_error_without_a_cause() {
    let error: &dyn core::error::Error = &TextError::new(TooLong, 65_535);
    assert!(error.source().is_none());
}

#[test]
fn every_field_is_named_as_in_the_standard() {
    for (field, name) in FIELDS {
        assert_eq!(field.name(), name);
        assert_eq!(format!("{field}"), name);
    }
}

#[test]
fn no_two_fields_have_the_same_name() {
    for (i, (field, _)) in FIELDS.iter().enumerate() {
        let first = FIELDS
            .iter()
            .position(|(other, _)| other.name() == field.name());
        assert_eq!(first, Some(i));
    }
}
