use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json, to_value};

use crate::types::{PacketId, QoS, Text, TopicFilter, TopicName};
use crate::v3::testing::decoded;
use crate::v3::{
    Connect, Delivery, Packet, Publish, PublishHeader, ReturnCodes, Subscribe, Subscriptions,
    TopicFilters, Unsubscribe,
};

/// Checks that `bytes` serialize to `json` and back.
fn round_trip(bytes: &[u8], json: Value) {
    let packet = decoded(bytes);
    assert_eq!(to_value(packet).unwrap(), json);
    assert_eq!(
        from_value::<Packet<Vec<u8>>>(json).unwrap(),
        packet.to_owned()
    );
}

/// Returns the error of deserializing `json` to a `T`.
fn refused<T: DeserializeOwned>(json: Value) -> String {
    match from_value::<T>(json) {
        Ok(_) => String::from("taken"),
        Err(error) => error.to_string(),
    }
}

// One packet of each type

/// Binary formats write the number of entries first.
#[test]
fn lists_go_where_their_number_is_written_first() {
    for bytes in [
        &b"\x82\x0a\x00\x07\x00\x01a\x01\x00\x01#\x00"[..],
        b"\x90\x04\x00\x07\x00\x80",
        b"\xa2\x08\x00\x07\x00\x01a\x00\x01#",
    ] {
        let packet = decoded(bytes).to_owned();
        let written = postcard::to_allocvec(&packet).unwrap();
        assert_eq!(postcard::from_bytes(&written), Ok(packet));
    }
}

#[test]
fn a_connect_with_every_field_goes_to_json_and_back() {
    round_trip(
        b"\x10\x1f\x00\x04MQTT\x04\xf6\x12\x34\
          \x00\x02id\x00\x03w/t\x00\x02\x00\xff\x00\x01u\x00\x03\x00p\xfe",
        json!({"Connect": {
            "protocol_level": "V3_1_1",
            "clean_session": true,
            "keep_alive": 0x1234,
            "client_id": "id",
            "will": {
                "topic": "w/t",
                "message": [0, 255],
                "qos": "ExactlyOnce",
                "retain": true
            },
            "credentials": {"user_name": "u", "password": [0, 112, 254]}
        }}),
    );
}

#[test]
fn a_connect_without_will_and_password_goes_to_json_and_back() {
    round_trip(
        b"\x10\x12\x00\x06MQIsdp\x03\x80\x00\x00\x00\x01c\x00\x01u",
        json!({"Connect": {
            "protocol_level": "V3_1",
            "clean_session": false,
            "keep_alive": 0,
            "client_id": "c",
            "will": null,
            "credentials": {"user_name": "u", "password": null}
        }}),
    );
}

#[test]
fn an_empty_password_is_not_the_same_as_none() {
    round_trip(
        b"\x10\x12\x00\x04MQTT\x04\xc2\x00\x00\x00\x01c\x00\x01u\x00\x00",
        json!({"Connect": {
            "protocol_level": "V3_1_1",
            "clean_session": true,
            "keep_alive": 0,
            "client_id": "c",
            "will": null,
            "credentials": {"user_name": "u", "password": []}
        }}),
    );
}

#[test]
fn a_connack_goes_to_json_and_back() {
    round_trip(
        b"\x20\x02\x01\x00",
        json!({"ConnAck": {"Accepted": {"session_present": true}}}),
    );
    round_trip(
        b"\x20\x02\x00\x05",
        json!({"ConnAck": {"Refused": "NotAuthorized"}}),
    );
}

#[test]
fn a_publish_of_each_qos_goes_to_json_and_back() {
    for (bytes, delivery) in [
        (&b"\x30\x05\x00\x03a/b"[..], json!("AtMostOnce")),
        (
            b"\x32\x07\x00\x03a/b\x00\x01",
            json!({"AtLeastOnce": {"packet_id": 1, "dup": false}}),
        ),
        (
            b"\x3c\x07\x00\x03a/b\xff\xff",
            json!({"ExactlyOnce": {"packet_id": 65535, "dup": true}}),
        ),
    ] {
        round_trip(
            bytes,
            json!({"Publish": {
                "delivery": delivery,
                "retain": false,
                "topic": "a/b",
                "payload": []
            }}),
        );
    }
}

#[test]
fn a_payload_is_its_bytes() {
    round_trip(
        b"\x31\x07\x00\x03a/b\x00\xff",
        json!({"Publish": {
            "delivery": "AtMostOnce",
            "retain": true,
            "topic": "a/b",
            "payload": [0, 255]
        }}),
    );
}

#[test]
fn each_acknowledgement_goes_to_json_and_back() {
    for (first_byte, name) in [
        (0x40, "PubAck"),
        (0x50, "PubRec"),
        (0x62, "PubRel"),
        (0x70, "PubComp"),
        (0xb0, "UnsubAck"),
    ] {
        round_trip(&[first_byte, 2, 1, 0], json!({name: {"packet_id": 256}}));
    }
}

#[test]
fn a_subscribe_goes_to_json_and_back() {
    round_trip(
        b"\x82\x0c\x00\x01\x00\x03a/+\x01\x00\x01#\x02",
        json!({"Subscribe": {
            "packet_id": 1,
            "subscriptions": [
                {"topic_filter": "a/+", "qos": "AtLeastOnce"},
                {"topic_filter": "#", "qos": "ExactlyOnce"}
            ]
        }}),
    );
}

#[test]
fn a_suback_goes_to_json_and_back() {
    round_trip(
        b"\x90\x04\x00\x01\x02\x80",
        json!({"SubAck": {
            "packet_id": 1,
            "return_codes": [{"Success": "ExactlyOnce"}, "Failure"]
        }}),
    );
}

#[test]
fn an_unsubscribe_goes_to_json_and_back() {
    round_trip(
        b"\xa2\x0a\x00\x01\x00\x03a/+\x00\x01#",
        json!({"Unsubscribe": {"packet_id": 1, "topic_filters": ["a/+", "#"]}}),
    );
}

#[test]
fn packets_without_fields_are_their_names() {
    round_trip(b"\xc0\x00", json!("PingReq"));
    round_trip(b"\xd0\x00", json!("PingResp"));
    round_trip(b"\xe0\x00", json!("Disconnect"));
}

#[test]
fn the_header_of_a_publish_goes_to_json_and_back() {
    let header = PublishHeader {
        delivery: Delivery::AtMostOnce,
        retain: true,
        topic: TopicName::new("a").unwrap(),
        payload_len: 268_435_452,
    };
    let json = json!({
        "delivery": "AtMostOnce",
        "retain": true,
        "topic": "a",
        "payload_len": 268_435_452
    });
    assert_eq!(to_value(header).unwrap(), json);
    assert_eq!(
        from_value::<PublishHeader<Vec<u8>>>(json).unwrap(),
        header.to_owned()
    );
}

// Refused values

#[test]
fn a_topic_name_with_a_wildcard_is_refused() {
    let refused = refused::<TopicName<Vec<u8>>>(json!("a/+"));
    assert!(
        refused.contains("wildcards belong to Topic Filters"),
        "{refused}"
    );
}

#[test]
fn an_empty_topic_name_or_filter_is_refused() {
    for refused in [
        refused::<TopicName<Vec<u8>>>(json!("")),
        refused::<TopicFilter<Vec<u8>>>(json!("")),
    ] {
        assert!(
            refused.contains("at least one character is needed"),
            "{refused}"
        );
    }
}

#[test]
fn a_filter_with_a_misplaced_wildcard_is_refused() {
    let refused = refused::<TopicFilter<Vec<u8>>>(json!("a/#/b"));
    assert!(
        refused.contains("'#' must be the last character"),
        "{refused}"
    );
}

#[test]
fn a_string_with_u_0000_is_refused() {
    let refused = refused::<Text<Vec<u8>>>(json!("a\u{0}"));
    assert!(refused.contains("U+0000"), "{refused}");
}

#[test]
fn a_string_of_65536_bytes_is_refused_and_one_byte_less_is_not() {
    let longest = json!("x".repeat(65_535));
    assert!(from_value::<Text<Vec<u8>>>(longest).is_ok());
    let refused = refused::<Text<Vec<u8>>>(json!("x".repeat(65_536)));
    assert!(refused.contains("at most 65535 bytes"), "{refused}");
}

#[test]
fn a_publish_with_an_invalid_topic_is_refused() {
    let refused = refused::<Publish<Vec<u8>>>(json!({
        "delivery": "AtMostOnce", "retain": false, "topic": "a/#", "payload": []
    }));
    assert!(
        refused.contains("wildcards belong to Topic Filters"),
        "{refused}"
    );
}

#[test]
fn a_subscribe_with_an_invalid_filter_is_refused() {
    let refused = refused::<Subscribe<Vec<u8>>>(json!({
        "packet_id": 1,
        "subscriptions": [{"topic_filter": "a+", "qos": "AtMostOnce"}]
    }));
    assert!(
        refused.contains("'+' must be alone in its level"),
        "{refused}"
    );
}

#[test]
fn an_empty_list_is_refused() {
    for (refused, packet_type) in [
        (refused::<Subscriptions<Vec<u8>>>(json!([])), "SUBSCRIBE"),
        (refused::<ReturnCodes<Vec<u8>>>(json!([])), "SUBACK"),
        (refused::<TopicFilters<Vec<u8>>>(json!([])), "UNSUBSCRIBE"),
    ] {
        assert!(refused.contains("needs at least one entry"), "{refused}");
        assert!(refused.contains(packet_type), "{refused}");
    }
}

#[test]
fn an_unsubscribe_without_a_filter_is_refused() {
    let refused = refused::<Unsubscribe<Vec<u8>>>(json!({"packet_id": 1, "topic_filters": []}));
    assert!(refused.contains("needs at least one entry"), "{refused}");
}

#[test]
fn what_is_not_a_list_is_refused() {
    let refused = refused::<TopicFilters<Vec<u8>>>(json!("a/+"));
    assert!(
        refused.contains("a list with at least one entry"),
        "{refused}"
    );
}

#[test]
fn identifier_0_is_refused() {
    assert_eq!(from_value::<PacketId>(json!(1)).unwrap(), PacketId::MIN);
    let refused = refused::<PacketId>(json!(0));
    assert!(refused.contains("nonzero"), "{refused}");
}

#[test]
fn a_packet_with_identifier_0_is_refused() {
    let refused = refused::<Packet<Vec<u8>>>(json!({"PubAck": {"packet_id": 0}}));
    assert!(refused.contains("nonzero"), "{refused}");
}

#[test]
fn qos_3_is_refused() {
    assert_eq!(
        from_value::<QoS>(json!("ExactlyOnce")).unwrap(),
        QoS::ExactlyOnce
    );
    let refused = refused::<QoS>(json!(3));
    assert_ne!(refused, "taken");
}

#[test]
fn a_message_that_is_not_bytes_is_refused() {
    let publish = |payload| {
        refused::<Publish<Vec<u8>>>(json!({
            "delivery": "AtMostOnce", "retain": false, "topic": "a", "payload": payload
        }))
    };
    assert!(publish(json!([256])).contains("256"));
    assert!(publish(json!(null)).contains("expected bytes"));
}

#[test]
fn a_connect_that_cannot_be_encoded_comes_back_all_the_same() {
    // A program can also build an empty Client Identifier without Clean Session. The encoder
    // refuses it.
    let connect: Connect<Vec<u8>> = from_value(json!({
        "protocol_level": "V3_1_1",
        "clean_session": false,
        "keep_alive": 0,
        "client_id": "",
        "will": null,
        "credentials": null
    }))
    .unwrap();
    assert_eq!(
        crate::Encode::encoded_len(&connect),
        Err(crate::EncodeError::ClientIdentifierRequired)
    );
}
