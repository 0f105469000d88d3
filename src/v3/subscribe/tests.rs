use super::*;
use crate::v3::Packet;
use crate::v3::testing::{
    ReadError, TOO_LONG, decoded, encoded, fault, framed, id, longest, round_trip, vec,
};
use ErrorKind::*;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;

const BYTES: &[u8] = b"\x82\x10\x12\x34\x00\x01#\x02\x00\x03a/+\x01\x00\x01/\x00";

fn subscription(topic_filter: &str, qos: QoS) -> Subscription<&[u8]> {
    Subscription {
        topic_filter: TopicFilter::new(topic_filter).unwrap(),
        qos,
    }
}

/// Returns a filter of one level that exceeds the maximum of `TopicFilter`.
fn long(bytes: &'static [u8]) -> TopicFilter<&'static [u8]> {
    TopicFilter::new("x").unwrap().map(|_| bytes)
}

/// Returns the error of a SUBSCRIBE with these entries. They start at byte 4.
fn fault_in(entries: &[u8]) -> ReadError {
    fault(&framed(0x82, &[b"\x00\x01", entries].concat()))
}

#[test]
fn a_subscribe_with_each_qos_is_these_bytes() {
    let mut buffer = [0; 64];
    let subscriptions = Subscriptions::encode_to_slice(
        &mut buffer,
        [
            subscription("#", QoS::ExactlyOnce),
            subscription("a/+", QoS::AtLeastOnce),
            subscription("/", QoS::AtMostOnce),
        ],
    )
    .unwrap();
    round_trip(
        Subscribe {
            packet_id: id(0x1234),
            subscriptions,
        },
        BYTES,
    );
}

#[test]
fn requested_qos_3_is_refused() {
    assert_eq!(
        fault_in(b"\x00\x01a\x03"),
        (
            InvalidRequestedQos,
            Field::RequestedQos,
            7,
            Some("MQTT-3.8.3-4")
        )
    );
}

#[test]
fn each_reserved_bit_of_requested_qos_is_refused() {
    // They include the options that MQTT 5 puts into bits 2 to 5.
    for bit in 2..8 {
        for qos in 0..=2 {
            assert_eq!(
                fault_in(&[0, 1, b'a', qos | 1 << bit]),
                (
                    InvalidRequestedQos,
                    Field::RequestedQos,
                    7,
                    Some("MQTT-3.8.3-4")
                )
            );
        }
    }
}

#[test]
fn requested_qos_is_refused_in_the_entry_it_is_in() {
    assert_eq!(
        fault_in(b"\x00\x01a\x02\x00\x01b\x03"),
        (
            InvalidRequestedQos,
            Field::RequestedQos,
            11,
            Some("MQTT-3.8.3-4")
        )
    );
}

#[test]
fn a_subscribe_without_a_filter_is_refused() {
    assert_eq!(
        fault_in(b""),
        (EmptyList, Field::TopicFilter, 4, Some("MQTT-3.8.3-3"))
    );
}

#[test]
fn a_filter_without_requested_qos_is_refused() {
    assert_eq!(
        fault_in(b"\x00\x01a"),
        (Truncated, Field::RequestedQos, 7, Some("MQTT-4.8.0-1"))
    );
}

#[test]
fn a_filter_that_is_not_all_there_is_refused_where_it_starts() {
    for entries in [&b"\x00"[..], b"\x00\x01", b"\x00\x02a"] {
        assert_eq!(
            fault_in(entries),
            (Truncated, Field::TopicFilter, 4, Some("MQTT-4.8.0-1"))
        );
    }
}

#[test]
fn a_second_filter_that_is_not_all_there_is_refused_where_it_starts() {
    assert_eq!(
        fault_in(b"\x00\x01a\x00\x00"),
        (Truncated, Field::TopicFilter, 8, Some("MQTT-4.8.0-1"))
    );
}

#[test]
fn an_empty_filter_is_refused() {
    assert_eq!(
        fault_in(b"\x00\x00\x00"),
        (EmptyTopic, Field::TopicFilter, 6, Some("MQTT-4.7.3-1"))
    );
}

#[test]
fn a_filter_that_is_not_utf8_is_refused() {
    assert_eq!(
        fault_in(b"\x00\x02a\x80\x00"),
        (InvalidUtf8, Field::TopicFilter, 7, Some("MQTT-1.5.3-1"))
    );
}

#[test]
fn a_filter_with_u_0000_is_refused() {
    assert_eq!(
        fault_in(b"\x00\x02a\x00\x00"),
        (NullCharacter, Field::TopicFilter, 7, Some("MQTT-1.5.3-2"))
    );
}

#[test]
fn a_multi_level_wildcard_that_is_not_last_is_refused() {
    assert_eq!(
        fault_in(b"\x00\x03#/a\x00"),
        (
            MisplacedMultiLevelWildcard,
            Field::TopicFilter,
            6,
            Some("MQTT-4.7.1-2")
        )
    );
}

#[test]
fn a_multi_level_wildcard_that_shares_its_level_is_refused() {
    assert_eq!(
        fault_in(b"\x00\x04a/b#\x00"),
        (
            MisplacedMultiLevelWildcard,
            Field::TopicFilter,
            9,
            Some("MQTT-4.7.1-2")
        )
    );
}

#[test]
fn a_single_level_wildcard_that_shares_its_level_is_refused() {
    assert_eq!(
        fault_in(b"\x00\x03a/+\x00\x00\x04a/b+\x00"),
        (
            MisplacedSingleLevelWildcard,
            Field::TopicFilter,
            15,
            Some("MQTT-4.7.1-3")
        )
    );
}

#[test]
fn identifier_0_is_refused() {
    assert_eq!(
        fault(b"\x82\x06\x00\x00\x00\x01a\x00"),
        (
            ZeroPacketIdentifier,
            Field::PacketIdentifier,
            2,
            Some("MQTT-2.3.1-1")
        )
    );
}

#[test]
fn an_identifier_that_is_not_all_there_is_refused() {
    for bytes in [&b"\x82\x00"[..], b"\x82\x01\x00"] {
        assert_eq!(
            fault(bytes),
            (Truncated, Field::PacketIdentifier, 2, Some("MQTT-4.8.0-1"))
        );
    }
}

#[test]
fn a_filter_has_at_most_65535_bytes() {
    let qos = QoS::AtMostOnce;
    let entry = |bytes| Subscription {
        topic_filter: long(bytes),
        qos,
    };
    let mut buffer = vec![0; 70_000];
    let subscriptions = Subscriptions::encode_to_slice(&mut buffer, [entry(longest())]);
    let subscribe = Subscribe {
        packet_id: id(1),
        subscriptions: subscriptions.unwrap(),
    };
    let bytes = encoded(&subscribe).unwrap();
    assert_eq!(decoded(&bytes), Packet::Subscribe(subscribe));

    let mut buffer = vec![0; 70_000];
    let error = Subscriptions::encode_to_slice(&mut buffer, [entry(&TOO_LONG)]).unwrap_err();
    let field = Field::TopicFilter;
    assert_eq!(error, EncodeError::FieldTooLong { field });
    assert_eq!(error.statement(), Some("MQTT-4.7.3-3"));
}

#[test]
fn the_encoder_refuses_an_empty_list_of_subscriptions() {
    let error = Subscriptions::encode_to_slice(&mut [], []).unwrap_err();
    let packet_type = PacketType::Subscribe;
    assert_eq!(error, EncodeError::EmptyList { packet_type });
    assert_eq!(error.statement(), Some("MQTT-3.8.3-3"));
}

fn subscribe() -> Subscribe<&'static [u8]> {
    match decoded(BYTES) {
        Packet::Subscribe(subscribe) => subscribe,
        other => panic!("not a SUBSCRIBE: {other:?}"),
    }
}

#[test]
fn map_keeps_every_value() {
    let moved = subscribe().map(<[u8]>::to_vec);
    assert_eq!(encoded(&moved).as_deref(), Ok(BYTES));
}

#[cfg(feature = "alloc")]
#[test]
fn to_owned_keeps_every_value() {
    let owned: Subscribe<Vec<u8>> = subscribe().to_owned();
    assert_eq!(encoded(&owned).as_deref(), Ok(BYTES));
}
