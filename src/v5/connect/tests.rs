use super::*;
use crate::v5::testing::{ReadError, decoded, encoded, fault, framed, round_trip};
use crate::v5::{EncodedConnect, Packet, Property, Reaction, decode};
use crate::wire::ErrorKind::{
    InvalidWillQos, ReservedConnectFlag, TrailingBytes, Truncated, UnknownProtocolName,
    UnsupportedProtocolLevel, WillQosWithoutWill, WillRetainWithoutWill,
};
use crate::wire::Options;
use std::format;
use std::vec::Vec;

/// Every valid flag, and every field that they announce.
const FULL: &[u8] = b"\x10\x2b\x00\x04MQTT\x05\xf6\x12\x34\x05\x11\x00\x00\x00\x07\
    \x00\x02id\x05\x18\x00\x00\x00\x09\x00\x03w/t\x00\x02\x00\xff\x00\x01u\x00\x03\x00p\xfe";

fn text(string: &str) -> Text<&[u8]> {
    Text::new(string).unwrap()
}

fn will(qos: QoS, retain: bool) -> Will<&'static [u8]> {
    Will {
        properties: Properties::EMPTY,
        topic: TopicName::new("t").unwrap(),
        payload: b"m",
        qos,
        retain,
    }
}

/// Checks that `bytes` decode to `connect`, and that `connect` encodes to `bytes`.
fn check(connect: Connect<&[u8]>, bytes: &[u8]) {
    let mut buffer = [0; 64];
    let built = EncodedConnect::encode_to_slice(&mut buffer, &connect).unwrap();
    assert_eq!(built.to_connect(), connect);
    assert_eq!(built.properties(), connect.properties);
    round_trip(built, bytes);
    assert_eq!(encoded(&connect).as_deref(), Ok(bytes));
    #[cfg(feature = "alloc")]
    {
        let owned = EncodedConnect::encode_to_vec(&connect).unwrap();
        assert_eq!(owned.as_ref(), built);
        assert_eq!(connect.to_owned().as_ref(), connect);
    }
}

/// A CONNECT with these Connect Flags and this payload. The flags are byte 9, the payload starts at
/// byte 13.
fn connect(flags: u8, payload: &[u8]) -> Vec<u8> {
    framed(
        0x10,
        &[b"\x00\x04MQTT\x05", &[flags][..], b"\x00\x3c\x00", payload].concat(),
    )
}

#[test]
fn a_connect_with_every_field_is_these_bytes() {
    let mut buffer = [0; 8];
    let properties = [Property::SessionExpiryInterval(7)];
    let properties = ConnectProperties::encode_to_slice(&mut buffer, properties).unwrap();
    let mut buffer = [0; 8];
    let will_properties = [Property::WillDelayInterval(9)];
    let will_properties = WillProperties::encode_to_slice(&mut buffer, will_properties).unwrap();
    let full = Connect {
        clean_start: true,
        keep_alive: 0x1234,
        properties,
        client_id: text("id"),
        will: Some(Will {
            properties: will_properties,
            topic: TopicName::new("w/t").unwrap(),
            payload: b"\x00\xff",
            qos: QoS::ExactlyOnce,
            retain: true,
        }),
        user_name: Some(text("u")),
        password: Some(b"\x00p\xfe"),
    };
    check(full, FULL);
}

#[test]
fn a_new_connect_has_clean_start_and_a_keep_alive_of_a_minute() {
    check(
        Connect::new(text("c")),
        b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c",
    );
}

#[test]
fn an_empty_client_identifier_needs_no_clean_start() {
    let connect = Connect {
        clean_start: false,
        ..Connect::new(Text::EMPTY)
    };
    check(connect, b"\x10\x0d\x00\x04MQTT\x05\x00\x00\x3c\x00\x00\x00");
}

#[test]
fn each_will_qos_has_its_two_bits() {
    for (flags, qos, retain) in [
        (0x06, QoS::AtMostOnce, false),
        (0x0e, QoS::AtLeastOnce, false),
        (0x36, QoS::ExactlyOnce, true),
    ] {
        let connect_packet = Connect {
            keep_alive: 60,
            will: Some(will(qos, retain)),
            ..Connect::new(text("c"))
        };
        let bytes = connect(flags, b"\x00\x01c\x00\x00\x01t\x00\x01m");
        check(connect_packet, &bytes);
    }
}

/// [MQTT5-3.1.2-16, MQTT5-3.1.2-18]
#[test]
fn a_password_needs_no_user_name() {
    let connect_packet = Connect {
        keep_alive: 60,
        password: Some(&b"p"[..]),
        ..Connect::new(text("c"))
    };
    check(connect_packet, &connect(0x42, b"\x00\x01c\x00\x01p"));
}

#[test]
fn connect_flags_that_contradict_each_other_are_refused() {
    for (flags, kind, statement) in [
        (0x01, ReservedConnectFlag, "MQTT-3.1.2-3"),
        (0x08, WillQosWithoutWill, "MQTT-3.1.2-11"),
        (0x20, WillRetainWithoutWill, "MQTT-3.1.2-13"),
        (0x1c, InvalidWillQos, "MQTT-3.1.2-12"),
    ] {
        assert_eq!(
            fault(&connect(flags, b"\x00\x01c")),
            (kind, Field::ConnectFlags, 9, Some(statement))
        );
    }
}

#[test]
fn a_field_that_the_flags_announce_and_that_is_not_there_is_truncated() {
    let missing = |flags, payload: &[u8]| -> ReadError { fault(&connect(flags, payload)) };
    for (error, field, offset, statement) in [
        (missing(2, b""), Field::ClientIdentifier, 13, "MQTT-3.1.3-3"),
        (
            missing(6, b"\x00\x01c"),
            Field::PropertyLength,
            16,
            "MQTT-2.2.2-1",
        ),
        (
            missing(6, b"\x00\x01c\x00"),
            Field::WillTopic,
            17,
            "MQTT-3.1.2-9",
        ),
        (
            missing(6, b"\x00\x01c\x00\x00\x01t"),
            Field::WillPayload,
            20,
            "MQTT-3.1.2-9",
        ),
        (
            missing(0x82, b"\x00\x01c"),
            Field::UserName,
            16,
            "MQTT-3.1.2-17",
        ),
        (
            missing(0x42, b"\x00\x01c"),
            Field::Password,
            16,
            "MQTT-3.1.2-19",
        ),
    ] {
        assert_eq!(error, (Truncated, field, offset, Some(statement)));
    }
}

#[test]
fn bytes_left_over_are_a_field_that_the_flags_do_not_announce() {
    for (flags, payload, field) in [
        (2, &b"\x00\x01c\x00"[..], Field::WillTopic),
        (6, b"\x00\x01c\x00\x00\x01t\x00\x01m\x00", Field::UserName),
        (0x82, b"\x00\x01c\x00\x01u\x00", Field::Password),
        (0x42, b"\x00\x01c\x00\x01p\x00", Field::Payload),
    ] {
        let (kind, found, offset, statement) = fault(&connect(flags, payload));
        assert_eq!((kind, found), (TrailingBytes, field));
        assert_eq!(offset, payload.len().wrapping_add(12));
        assert_eq!(statement, None);
    }
}

#[test]
fn another_version_is_refused_before_anything_else_is_looked_at() {
    for (bytes, kind, reaction) in [
        (
            &b"\x10\x09\x00\x04MQTT\x04\xff\xff"[..],
            UnsupportedProtocolLevel,
            Reaction::ConnAckThenClose(crate::v5::ConnectReasonCode::UnsupportedProtocolVersion),
        ),
        (
            b"\x10\x0a\x00\x06MQIsdp\x03\xff",
            UnknownProtocolName,
            Reaction::Close,
        ),
    ] {
        let error = decode(&mut &bytes[..], &Options::new()).unwrap_err();
        assert_eq!((error.kind(), error.reaction()), (kind, reaction));
    }
}

#[test]
fn a_password_does_not_print() {
    let printed = format!("{:?}", decoded(FULL));
    assert!(
        printed.contains(r#"user_name: Some("u"), password: Some(..)"#),
        "{printed}"
    );
}

#[test]
fn the_packet_holds_the_payload_as_it_came() {
    let Packet::Connect(connect) = decoded(FULL) else {
        panic!("not a CONNECT");
    };
    let moved = connect.map(std::boxed::Box::<[u8]>::from);
    assert_eq!(encoded(&moved).as_deref(), Ok(FULL));
    assert_eq!(moved.as_ref(), connect);
}
