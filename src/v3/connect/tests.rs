use super::*;
use crate::v3::testing::{ReadError, TOO_LONG, Vec, decoded, encoded, fault, framed, longest};
use crate::v3::{ConnectRefusal, EncodedConnect, Packet, Reaction, decode};
use crate::wire::ErrorKind::{self, *};
use crate::wire::Options;

/// Every valid flag, and every field that they announce.
const FULL: &[u8] = b"\x10\x1f\x00\x04MQTT\x04\xf6\x12\x34\
    \x00\x02id\x00\x03w/t\x00\x02\x00\xff\x00\x01u\x00\x03\x00p\xfe";

fn text(string: &str) -> Text<&[u8]> {
    Text::new(string).unwrap()
}

fn full() -> Connect<&'static [u8]> {
    Connect {
        protocol_level: ProtocolLevel::V3_1_1,
        clean_session: true,
        keep_alive: 0x1234,
        client_id: text("id"),
        will: Some(Will {
            topic: TopicName::new("w/t").unwrap(),
            message: b"\x00\xff",
            qos: QoS::ExactlyOnce,
            retain: true,
        }),
        credentials: Some(Credentials {
            user_name: text("u"),
            password: Some(b"\x00p\xfe"),
        }),
    }
}

/// Returns a CONNECT of MQTT 3.1.1 with these Connect Flags and this payload. The flags are
/// byte 9, the payload starts at byte 12.
fn connect(flags: u8, payload: &[u8]) -> Vec<u8> {
    framed(
        0x10,
        &[b"\x00\x04MQTT\x04", &[flags][..], b"\x00\x3c", payload].concat(),
    )
}

fn fault_in_flags(kind: ErrorKind, statement: &'static str) -> ReadError {
    (kind, Field::ConnectFlags, 9, Some(statement))
}

fn decoded_connect(bytes: &[u8]) -> EncodedConnect<&[u8]> {
    match decoded(bytes) {
        Packet::Connect(connect) => connect,
        other => panic!("not a CONNECT: {other:?}"),
    }
}

/// Checks that `bytes` decode to `connect`, and that `connect` encodes to `bytes`.
fn round_trip(connect: Connect<&[u8]>, bytes: &[u8]) {
    let in_packet = decoded_connect(bytes);
    assert_eq!(in_packet.to_connect(), connect);
    assert_eq!(encoded(&in_packet).as_deref(), Ok(bytes));
    assert_eq!(encoded(&connect).as_deref(), Ok(bytes));

    let mut buffer = [0; 64];
    let built = EncodedConnect::encode_to_slice(&mut buffer, &connect);
    assert_eq!(built, Ok(in_packet));
}

// Valid packets

#[test]
fn a_connect_with_every_field_is_these_bytes() {
    round_trip(full(), FULL);
}

#[test]
fn a_new_connect_has_clean_session_and_a_keep_alive_of_a_minute() {
    round_trip(
        Connect::new(text("c")),
        b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c",
    );
}

#[test]
fn mqtt_3_1_differs_in_name_and_level() {
    let connect = Connect {
        protocol_level: ProtocolLevel::V3_1,
        clean_session: false,
        keep_alive: 0xffff,
        ..Connect::new(text("c"))
    };
    round_trip(connect, b"\x10\x0f\x00\x06MQIsdp\x03\x00\xff\xff\x00\x01c");
}

#[test]
fn each_will_qos_has_its_two_bits() {
    for (flags, qos) in [
        (0x06, QoS::AtMostOnce),
        (0x0e, QoS::AtLeastOnce),
        (0x16, QoS::ExactlyOnce),
    ] {
        let connect_packet = Connect {
            keep_alive: 60,
            will: Some(Will {
                topic: TopicName::new("t").unwrap(),
                message: &b"m"[..],
                qos,
                retain: false,
            }),
            ..Connect::new(text("c"))
        };
        round_trip(
            connect_packet,
            &connect(flags, b"\x00\x01c\x00\x01t\x00\x01m"),
        );
    }
}

#[test]
fn a_user_name_may_come_without_a_password() {
    let connect_packet = Connect {
        keep_alive: 60,
        credentials: Some(Credentials {
            user_name: text("u"),
            password: None,
        }),
        ..Connect::new(text("c"))
    };
    round_trip(connect_packet, &connect(0x82, b"\x00\x01c\x00\x01u"));
}

#[test]
fn all_but_the_will_topic_may_be_empty() {
    let connect_packet = Connect {
        keep_alive: 60,
        will: Some(Will {
            topic: TopicName::new("t").unwrap(),
            message: &b""[..],
            qos: QoS::AtMostOnce,
            retain: false,
        }),
        credentials: Some(Credentials {
            user_name: Text::EMPTY,
            password: Some(b""),
        }),
        ..Connect::new(Text::EMPTY)
    };
    round_trip(
        connect_packet,
        &connect(0xc6, b"\x00\x00\x00\x01t\x00\x00\x00\x00\x00\x00"),
    );
}

#[test]
fn u_feff_at_the_start_of_a_string_stays() {
    // [MQTT-1.5.3-3]
    let bytes = connect(0x02, b"\x00\x04\xef\xbb\xbfc");
    assert_eq!(decoded_connect(&bytes).to_connect().client_id, "\u{feff}c");
}

// Protocol Name and Protocol Level.

#[test]
fn an_unknown_protocol_name_is_refused_where_it_starts() {
    for name in [
        &b"\x00\x00"[..],
        b"\x00\x04mqtt",
        b"\x00\x04MQTX",
        b"\x00\x05MQTT\x00",
        b"\x00\x06MQISDP",
    ] {
        let bytes = framed(0x10, &[name, b"\x04\x02\x00\x00\x00\x01c"].concat());
        assert_eq!(
            fault(&bytes),
            (
                UnknownProtocolName,
                Field::ProtocolName,
                2,
                Some("MQTT-3.1.2-1")
            )
        );
    }
}

#[test]
fn mqtt_with_any_level_but_4_is_refused() {
    // Some bridges of MQTT 3.1.1 brokers use 0x84.
    for level in [0, 3, 5, 0x84, 0xff] {
        let bytes = framed(
            0x10,
            &[b"\x00\x04MQTT", &[level][..], b"\x02\x00\x00\x00\x01c"].concat(),
        );
        assert_eq!(
            fault(&bytes),
            (
                UnsupportedProtocolLevel,
                Field::ProtocolLevel,
                8,
                Some("MQTT-3.1.2-2")
            )
        );
    }
}

#[test]
fn mqisdp_with_any_level_but_3_is_refused() {
    for level in [2, 4, 0x83] {
        let bytes = framed(
            0x10,
            &[b"\x00\x06MQIsdp", &[level][..], b"\x02\x00\x00\x00\x01c"].concat(),
        );
        assert_eq!(
            fault(&bytes),
            (
                UnsupportedProtocolLevel,
                Field::ProtocolLevel,
                10,
                Some("MQTT-3.1.2-2")
            )
        );
    }
}

#[test]
fn what_follows_an_unsupported_level_is_not_looked_at() {
    // In MQTT 5 properties come before the Client Identifier; here they are missing.
    assert_eq!(
        fault(b"\x10\x07\x00\x04MQTT\x05"),
        (
            UnsupportedProtocolLevel,
            Field::ProtocolLevel,
            8,
            Some("MQTT-3.1.2-2")
        )
    );
}

#[test]
fn an_unsupported_level_is_answered_with_return_code_1() {
    let error = decode(&mut &b"\x10\x07\x00\x04MQTT\x05"[..], &Options::new()).unwrap_err();
    assert_eq!(
        error.reaction(),
        Reaction::ConnAckThenClose(ConnectRefusal::UnacceptableProtocolVersion)
    );
}

// Connect Flags.

#[test]
fn the_reserved_connect_flag_is_refused() {
    assert_eq!(
        fault(&connect(0x03, b"\x00\x01c")),
        fault_in_flags(ReservedConnectFlag, "MQTT-3.1.2-3")
    );
}

#[test]
fn will_qos_without_a_will_is_refused_whatever_it_is() {
    for will_qos in [0x08, 0x10, 0x18] {
        assert_eq!(
            fault(&connect(0x02 | will_qos, b"\x00\x01c")),
            fault_in_flags(WillQosWithoutWill, "MQTT-3.1.2-13")
        );
    }
}

#[test]
fn will_retain_without_a_will_is_refused() {
    assert_eq!(
        fault(&connect(0x22, b"\x00\x01c")),
        fault_in_flags(WillRetainWithoutWill, "MQTT-3.1.2-15")
    );
}

#[test]
fn will_qos_3_is_refused() {
    assert_eq!(
        fault(&connect(0x1e, b"\x00\x01c\x00\x01t\x00\x01m")),
        fault_in_flags(InvalidWillQos, "MQTT-3.1.2-14")
    );
}

#[test]
fn a_password_without_a_user_name_is_refused() {
    assert_eq!(
        fault(&connect(0x42, b"\x00\x01c\x00\x01p")),
        fault_in_flags(PasswordWithoutUserName, "MQTT-3.1.2-22")
    );
}

#[test]
fn in_mqtt_3_1_will_qos_3_is_refused_as_well() {
    assert_eq!(
        fault(b"\x10\x0f\x00\x06MQIsdp\x03\x1e\x00\x00\x00\x01c"),
        (
            InvalidWillQos,
            Field::ConnectFlags,
            11,
            Some("MQTT-3.1.2-14")
        )
    );
}

// A field that is incomplete, or is followed by more bytes.

#[test]
fn a_connect_that_ends_early_is_refused_in_the_field_that_it_ends_in() {
    let body = &FULL[2..];
    let fields = [
        (6, Field::ProtocolName, "MQTT-3.1.4-1"),
        (1, Field::ProtocolLevel, "MQTT-3.1.4-1"),
        (1, Field::ConnectFlags, "MQTT-3.1.4-1"),
        (2, Field::KeepAlive, "MQTT-3.1.4-1"),
        (4, Field::ClientIdentifier, "MQTT-3.1.4-1"),
        (5, Field::WillTopic, "MQTT-3.1.2-9"),
        (4, Field::WillMessage, "MQTT-3.1.2-9"),
        (3, Field::UserName, "MQTT-3.1.2-19"),
        (5, Field::Password, "MQTT-3.1.2-21"),
    ];
    let mut cuts = 0..body.len();
    for (len, field, statement) in fields {
        let start = cuts.start;
        for cut in cuts.by_ref().take(len) {
            let offset = start.saturating_add(2);
            assert_eq!(
                fault(&framed(0x10, &body[..cut])),
                (Truncated, field, offset, Some(statement)),
                "{cut} bytes"
            );
        }
    }
    assert!(cuts.is_empty(), "every cut has been made");
}

#[test]
fn bytes_where_no_will_was_announced_are_refused() {
    assert_eq!(
        fault(&connect(0x02, b"\x00\x01c\x00\x01t")),
        (
            TrailingBytes,
            Field::ConnectFlags,
            15,
            Some("MQTT-3.1.2-11")
        )
    );
}

#[test]
fn bytes_where_no_user_name_was_announced_are_refused() {
    assert_eq!(
        fault(&connect(0x06, b"\x00\x01c\x00\x01t\x00\x01m\x00")),
        (TrailingBytes, Field::UserName, 21, Some("MQTT-3.1.2-18"))
    );
}

#[test]
fn bytes_where_no_password_was_announced_are_refused() {
    assert_eq!(
        fault(&connect(0x82, b"\x00\x01c\x00\x01u\x00\x01p")),
        (TrailingBytes, Field::Password, 18, Some("MQTT-3.1.2-20"))
    );
}

#[test]
fn a_byte_behind_the_password_is_refused() {
    assert_eq!(
        fault(&connect(0xc2, b"\x00\x01c\x00\x01u\x00\x01p\x00")),
        (TrailingBytes, Field::Payload, 21, Some("MQTT-3.1.4-1"))
    );
}

// Strings.

#[test]
fn a_client_identifier_that_is_not_utf8_is_refused() {
    assert_eq!(
        fault(&connect(0x02, b"\x00\x03ab\xff")),
        (
            InvalidUtf8,
            Field::ClientIdentifier,
            16,
            Some("MQTT-1.5.3-1")
        )
    );
}

#[test]
fn a_client_identifier_with_u_0000_is_refused() {
    assert_eq!(
        fault(&connect(0x02, b"\x00\x03a\x00b")),
        (
            NullCharacter,
            Field::ClientIdentifier,
            15,
            Some("MQTT-1.5.3-2")
        )
    );
}

#[test]
fn a_will_topic_that_is_not_utf8_is_refused() {
    // A surrogate.
    assert_eq!(
        fault(&connect(0x06, b"\x00\x01c\x00\x04t\xed\xa0\x80\x00\x01m")),
        (InvalidUtf8, Field::WillTopic, 18, Some("MQTT-1.5.3-1"))
    );
}

#[test]
fn a_will_topic_with_u_0000_is_refused() {
    assert_eq!(
        fault(&connect(0x06, b"\x00\x01c\x00\x02t\x00\x00\x01m")),
        (NullCharacter, Field::WillTopic, 18, Some("MQTT-1.5.3-2"))
    );
}

#[test]
fn an_empty_will_topic_is_refused() {
    assert_eq!(
        fault(&connect(0x06, b"\x00\x01c\x00\x00\x00\x01m")),
        (EmptyTopic, Field::WillTopic, 17, Some("MQTT-4.7.3-1"))
    );
}

#[test]
fn a_will_topic_with_a_wildcard_is_refused() {
    for topic in [b"\x00\x03t/+", b"\x00\x03t/#"] {
        let payload = [b"\x00\x01c", &topic[..], b"\x00\x01m"].concat();
        assert_eq!(
            fault(&connect(0x06, &payload)),
            (
                WildcardInTopicName,
                Field::WillTopic,
                19,
                // [MQTT-3.3.2-2] is about PUBLISH.
                Some("MQTT-4.7.1-1")
            )
        );
    }
}

#[test]
fn a_user_name_that_is_not_utf8_is_refused() {
    assert_eq!(
        fault(&connect(0x82, b"\x00\x01c\x00\x02u\xc3")),
        (InvalidUtf8, Field::UserName, 18, Some("MQTT-1.5.3-1"))
    );
}

#[test]
fn a_user_name_with_u_0000_is_refused() {
    assert_eq!(
        fault(&connect(0x82, b"\x00\x01c\x00\x01\x00")),
        (NullCharacter, Field::UserName, 17, Some("MQTT-1.5.3-2"))
    );
}

// A missing Client Identifier.

#[test]
fn an_empty_client_identifier_with_clean_session_passes() {
    round_trip(
        Connect::new(Text::EMPTY),
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00",
    );
}

#[test]
fn an_empty_client_identifier_without_clean_session_is_refused() {
    assert_eq!(
        fault(&connect(0x00, b"\x00\x00")),
        (
            ClientIdentifierRequired,
            Field::ClientIdentifier,
            12,
            Some("MQTT-3.1.3-8")
        )
    );
}

#[test]
fn an_empty_client_identifier_in_mqtt_3_1_is_refused_with_and_without_clean_session() {
    for flags in [0x00, 0x02] {
        let body = [b"\x00\x06MQIsdp\x03", &[flags][..], b"\x00\x00\x00\x00"].concat();
        assert_eq!(
            fault(&framed(0x10, &body)),
            (
                ClientIdentifierRequired,
                Field::ClientIdentifier,
                14,
                Some("MQTT-3.1.3-8")
            )
        );
    }
}

#[test]
fn a_missing_client_identifier_is_answered_with_return_code_2() {
    let bytes = connect(0x00, b"\x00\x00");
    let error = decode(&mut &bytes[..], &Options::new()).unwrap_err();
    assert_eq!(
        error.reaction(),
        Reaction::ConnAckThenClose(ConnectRefusal::IdentifierRejected)
    );
}

#[test]
fn a_malformed_connect_is_not_answered_for_its_client_identifier() {
    // [MQTT-3.1.4-1]: a server closes without CONNACK, so this fault has priority.
    assert_eq!(
        fault(&connect(0x00, b"\x00\x00\x00")),
        (
            TrailingBytes,
            Field::ConnectFlags,
            14,
            Some("MQTT-3.1.2-11")
        )
    );
}

#[test]
fn the_encoder_refuses_an_empty_client_identifier_where_a_decoder_would() {
    for (protocol_level, clean_session) in [
        (ProtocolLevel::V3_1_1, false),
        (ProtocolLevel::V3_1, false),
        (ProtocolLevel::V3_1, true),
    ] {
        let connect = Connect {
            protocol_level,
            clean_session,
            ..Connect::new(Text::EMPTY)
        };
        let error = encoded(&connect).unwrap_err();
        assert_eq!(error, EncodeError::ClientIdentifierRequired);
        assert_eq!(error.statement(), Some("MQTT-3.1.3-7"));
    }
}

// Fields that exceed their two-byte length. Only `map` can make such strings.

/// Makes a packet with a field of 65,535 bytes, which is valid, and one with a byte more, which
/// is the error.
fn too_long(make: impl Fn(&'static [u8]) -> Connect<&'static [u8]>) -> EncodeError {
    let connect = make(longest());
    let bytes = encoded(&connect).unwrap();
    assert_eq!(decoded_connect(&bytes).to_connect(), connect);
    encoded(&make(&TOO_LONG)).unwrap_err()
}

#[test]
fn a_client_identifier_has_at_most_65535_bytes() {
    let error = too_long(|bytes| Connect::new(text("c").map(|_| bytes)));
    let field = Field::ClientIdentifier;
    assert_eq!(error, EncodeError::FieldTooLong { field });
    assert_eq!(error.statement(), None);
}

#[test]
fn a_will_topic_has_at_most_65535_bytes() {
    let error = too_long(|bytes| Connect {
        will: full().will.map(|will| Will {
            topic: will.topic.map(|_| bytes),
            ..will
        }),
        ..full()
    });
    let field = Field::WillTopic;
    assert_eq!(error, EncodeError::FieldTooLong { field });
    assert_eq!(error.statement(), Some("MQTT-4.7.3-3"));
}

#[test]
fn a_will_message_has_at_most_65535_bytes() {
    let error = too_long(|message| Connect {
        will: full().will.map(|will| Will { message, ..will }),
        ..full()
    });
    let field = Field::WillMessage;
    assert_eq!(error, EncodeError::FieldTooLong { field });
    assert_eq!(error.statement(), None);
}

#[test]
fn a_user_name_has_at_most_65535_bytes() {
    let error = too_long(|bytes| Connect {
        credentials: Some(Credentials {
            user_name: text("u").map(|_| bytes),
            password: None,
        }),
        ..full()
    });
    let field = Field::UserName;
    assert_eq!(error, EncodeError::FieldTooLong { field });
    assert_eq!(error.statement(), None);
}

#[test]
fn a_password_has_at_most_65535_bytes() {
    let error = too_long(|password| Connect {
        credentials: Some(Credentials {
            user_name: text("u"),
            password: Some(password),
        }),
        ..full()
    });
    let field = Field::Password;
    assert_eq!(error, EncodeError::FieldTooLong { field });
    assert_eq!(error.statement(), None);
}

// In a packet.

#[test]
fn a_payload_that_lacks_room_is_not_written_in_part() {
    // After the ten bytes of the variable header.
    let needed = FULL.len().wrapping_sub(12);
    let mut buffer = [0xee; 64];
    for room in 0..needed {
        assert_eq!(
            EncodedConnect::encode_to_slice(&mut buffer[..room], &full()),
            Err(EncodeError::no_room(needed))
        );
        assert_eq!(buffer, [0xee; 64]);
    }
    assert!(EncodedConnect::encode_to_slice(&mut buffer[..needed], &full()).is_ok());
}

#[test]
fn what_cannot_be_sent_cannot_be_put_into_a_packet() {
    let long = Connect {
        credentials: Some(Credentials {
            user_name: text("u"),
            password: Some(&TOO_LONG[..]),
        }),
        ..full()
    };
    let unnamed = Connect {
        clean_session: false,
        ..Connect::new(Text::EMPTY)
    };
    for connect in [long, unnamed] {
        let error = encoded(&connect).unwrap_err();
        let mut buffer = [0xee; 64];
        assert_eq!(
            EncodedConnect::encode_to_slice(&mut buffer, &connect),
            Err(error)
        );
        assert_eq!(buffer, [0xee; 64]);
        #[cfg(feature = "alloc")]
        assert_eq!(EncodedConnect::encode_to_vec(&connect), Err(error));
    }
}

// Other tests

#[test]
fn map_keeps_every_value() {
    let moved = full().map(<[u8]>::to_vec);
    assert_eq!(encoded(&moved).as_deref(), Ok(FULL));
    assert_eq!(moved.keep_alive, 0x1234);
    assert_eq!(moved.credentials.unwrap().password.unwrap(), b"\x00p\xfe");
}

#[test]
fn a_will_maps_on_its_own() {
    let will = full().will.unwrap().map(<[u8]>::to_vec);
    assert_eq!(will.topic, "w/t");
    assert_eq!(will.message, b"\x00\xff");
    assert_eq!(will.qos, QoS::ExactlyOnce);
    assert!(will.retain);
}

#[cfg(feature = "alloc")]
#[test]
fn to_owned_keeps_every_value() {
    let owned: Connect<Vec<u8>> = full().to_owned();
    assert_eq!(encoded(&owned).as_deref(), Ok(FULL));
}

#[test]
fn a_protocol_level_has_a_name_and_a_number() {
    assert_eq!(ProtocolLevel::V3_1_1.protocol_name(), "MQTT");
    assert_eq!(ProtocolLevel::V3_1_1.number(), 4);
    assert_eq!(ProtocolLevel::V3_1.protocol_name(), "MQIsdp");
    assert_eq!(ProtocolLevel::V3_1.number(), 3);
}

#[test]
fn mqtt_3_1_1_is_the_default() {
    assert_eq!(ProtocolLevel::default(), ProtocolLevel::V3_1_1);
}
