use super::*;
use crate::types::{PacketId, QoS};
use crate::v3::testing::{
    ReadError, TOO_LONG, decoded, encoded, fault, fault_with, id, longest, round_trip,
};
use crate::v3::{Packet, decode, peek};
use crate::wire::ErrorKind::{self, *};
use crate::wire::Options;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;

fn topic(name: &str) -> TopicName<&[u8]> {
    TopicName::new(name).unwrap()
}

fn at_most_once(payload: &[u8]) -> Publish<&[u8]> {
    Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: topic("a"),
        payload,
    }
}

// Valid packets

#[test]
fn a_publish_with_every_flag_and_field_is_these_bytes() {
    round_trip(
        Publish {
            delivery: Delivery::ExactlyOnce {
                packet_id: id(0x1234),
                dup: true,
            },
            retain: true,
            topic: topic("a/b"),
            payload: b"\x00\xff",
        },
        b"\x3d\x09\x00\x03a/b\x12\x34\x00\xff",
    );
}

#[test]
fn a_publish_at_qos_1_has_an_identifier() {
    let packet_id = id(1);
    let publish = |dup| Publish {
        delivery: Delivery::AtLeastOnce { packet_id, dup },
        ..at_most_once(b"m")
    };
    round_trip(publish(false), b"\x32\x06\x00\x01a\x00\x01m");
    round_trip(publish(true), b"\x3a\x06\x00\x01a\x00\x01m");
}

#[test]
fn a_publish_at_qos_2_has_an_identifier() {
    let packet_id = PacketId::MAX;
    let publish = |dup| Publish {
        delivery: Delivery::ExactlyOnce { packet_id, dup },
        ..at_most_once(b"m")
    };
    round_trip(publish(false), b"\x34\x06\x00\x01a\xff\xffm");
    round_trip(publish(true), b"\x3c\x06\x00\x01a\xff\xffm");
}

#[test]
fn at_qos_0_the_payload_follows_the_topic() {
    // At the position of a Packet Identifier is the payload [MQTT-2.3.1-5].
    round_trip(at_most_once(b"\x00\x00m"), b"\x30\x06\x00\x01a\x00\x00m");
}

#[test]
fn retain_is_the_lowest_bit() {
    let publish = Publish {
        retain: true,
        ..at_most_once(b"m")
    };
    round_trip(publish, b"\x31\x04\x00\x01am");
}

#[test]
fn a_payload_may_be_empty() {
    round_trip(at_most_once(b""), b"\x30\x03\x00\x01a");
    let publish = Publish {
        delivery: Delivery::AtLeastOnce {
            packet_id: id(7),
            dup: false,
        },
        ..at_most_once(b"")
    };
    round_trip(publish, b"\x32\x05\x00\x01a\x00\x07");
}

#[test]
fn a_topic_is_kept_as_it_was_sent() {
    // U+FEFF is kept [MQTT-1.5.3-3], and empty levels are levels.
    let publish = Publish {
        topic: topic("/\u{feff}//"),
        ..at_most_once(b"m")
    };
    round_trip(publish, b"\x30\x09\x00\x06/\xef\xbb\xbf//m");
}

// Flags.

fn fault_in_flags(kind: ErrorKind, statement: &'static str) -> ReadError {
    (kind, Field::Flags, 0, Some(statement))
}

#[test]
fn qos_3_is_refused_whatever_the_other_flags() {
    for first_byte in [0x36, 0x37, 0x3e, 0x3f] {
        assert_eq!(
            fault(&[first_byte, 5, 0, 1, b'a', 0, 1]),
            fault_in_flags(InvalidQos, "MQTT-3.3.1-4")
        );
    }
}

#[test]
fn a_publish_at_qos_0_with_dup_is_refused() {
    for first_byte in [0x38, 0x39] {
        assert_eq!(
            fault(&[first_byte, 3, 0, 1, b'a']),
            fault_in_flags(DupAtQos0, "MQTT-3.3.1-2")
        );
    }
}

#[test]
fn dup_at_qos_0_that_was_let_in_is_dropped() {
    let options = Options::new().accept_dup_at_qos_0(true);
    let mut src = &b"\x39\x04\x00\x01am"[..];
    let Packet::Publish(publish) = decode(&mut src, &options).unwrap().unwrap() else {
        panic!("not a PUBLISH");
    };
    assert_eq!(publish.delivery, Delivery::AtMostOnce);
    assert_eq!(encoded(&publish).unwrap(), b"\x31\x04\x00\x01am");
}

#[test]
fn qos_3_is_refused_even_where_dup_at_qos_0_is_let_in() {
    let options = Options::new().accept_dup_at_qos_0(true);
    assert_eq!(
        fault_with(b"\x3e\x05\x00\x01a\x00\x01", &options),
        fault_in_flags(InvalidQos, "MQTT-3.3.1-4")
    );
}

// Topic Name and Packet Identifier.

#[test]
fn an_empty_topic_is_refused() {
    assert_eq!(
        fault(b"\x30\x03\x00\x00m"),
        (EmptyTopic, Field::TopicName, 4, Some("MQTT-4.7.3-1"))
    );
}

#[test]
fn a_topic_with_a_wildcard_is_refused() {
    for bytes in [b"\x30\x05\x00\x03a/+", b"\x30\x05\x00\x03a/#"] {
        assert_eq!(
            fault(bytes),
            (
                WildcardInTopicName,
                Field::TopicName,
                6,
                Some("MQTT-3.3.2-2")
            )
        );
    }
}

#[test]
fn a_topic_that_is_not_utf8_is_refused() {
    // An overlong `/`.
    assert_eq!(
        fault(b"\x30\x05\x00\x03a\xc0\xaf"),
        (InvalidUtf8, Field::TopicName, 5, Some("MQTT-1.5.3-1"))
    );
}

#[test]
fn a_topic_with_u_0000_is_refused() {
    assert_eq!(
        fault(b"\x30\x05\x00\x03ab\x00"),
        (NullCharacter, Field::TopicName, 6, Some("MQTT-1.5.3-2"))
    );
}

#[test]
fn a_topic_that_is_not_all_there_is_refused_where_it_starts() {
    for bytes in [
        &b"\x30\x00"[..],
        b"\x30\x01\x00",
        b"\x30\x02\x00\x01",
        b"\x30\x04\x00\x03ab",
    ] {
        assert_eq!(
            fault(bytes),
            (Truncated, Field::TopicName, 2, Some("MQTT-4.8.0-1"))
        );
    }
}

#[test]
fn an_identifier_that_is_not_all_there_is_refused_where_it_starts() {
    for bytes in [
        &b"\x32\x03\x00\x01a"[..],
        b"\x34\x03\x00\x01a",
        b"\x32\x04\x00\x01a\x01",
        b"\x34\x04\x00\x01a\x01",
    ] {
        assert_eq!(
            fault(bytes),
            (Truncated, Field::PacketIdentifier, 5, Some("MQTT-4.8.0-1"))
        );
    }
}

#[test]
fn identifier_0_is_refused_at_qos_1_and_2() {
    for bytes in [b"\x32\x05\x00\x01a\x00\x00", b"\x34\x05\x00\x01a\x00\x00"] {
        assert_eq!(
            fault(bytes),
            (
                ZeroPacketIdentifier,
                Field::PacketIdentifier,
                5,
                Some("MQTT-2.3.1-1")
            )
        );
    }
}

#[test]
fn the_topic_is_checked_before_the_identifier() {
    assert_eq!(
        fault(b"\x32\x05\x00\x01+\x00\x00"),
        (
            WildcardInTopicName,
            Field::TopicName,
            4,
            Some("MQTT-3.3.2-2")
        )
    );
}

// Packets that cannot be encoded

#[test]
fn a_topic_has_at_most_65535_bytes() {
    let publish = |bytes| Publish {
        topic: topic("a").map(|_| bytes),
        ..at_most_once(b"m")
    };
    let bytes = encoded(&publish(longest())).unwrap();
    assert_eq!(decoded(&bytes), Packet::Publish(publish(longest())));

    let error = encoded(&publish(&TOO_LONG)).unwrap_err();
    let field = Field::TopicName;
    assert_eq!(error, EncodeError::FieldTooLong { field });
    assert_eq!(error.statement(), Some("MQTT-4.7.3-3"));
}

fn header(delivery: Delivery, payload_len: u32) -> PublishHeader<&'static [u8]> {
    PublishHeader {
        delivery,
        retain: false,
        topic: topic("a"),
        payload_len,
    }
}

#[test]
fn the_largest_packet_at_qos_0_has_a_remaining_length_of_268435455() {
    // Three bytes are the topic.
    let largest = header(Delivery::AtMostOnce, 268_435_452);
    assert_eq!(encoded(&largest).unwrap(), b"\x30\xff\xff\xff\x7f\x00\x01a");
    for payload_len in [268_435_453, u32::MAX] {
        let error = encoded(&header(Delivery::AtMostOnce, payload_len)).unwrap_err();
        assert_eq!(error, EncodeError::PacketTooLarge);
        assert_eq!(error.statement(), None);
    }
}

#[test]
fn the_identifier_counts_towards_the_largest_packet() {
    let packet_id = id(1);
    let delivery = Delivery::AtLeastOnce {
        packet_id,
        dup: false,
    };
    assert_eq!(
        encoded(&header(delivery, 268_435_450)).unwrap(),
        b"\x32\xff\xff\xff\x7f\x00\x01a\x00\x01"
    );
    assert_eq!(
        encoded(&header(delivery, 268_435_451)),
        Err(EncodeError::PacketTooLarge)
    );
}

#[test]
fn remaining_length_takes_as_many_bytes_as_it_needs() {
    for (payload_len, length) in [
        (0, &b"\x03"[..]),
        (124, b"\x7f"),
        (125, b"\x80\x01"),
        (16_380, b"\xff\x7f"),
        (16_381, b"\x80\x80\x01"),
        (2_097_148, b"\xff\xff\x7f"),
        (2_097_149, b"\x80\x80\x80\x01"),
    ] {
        assert_eq!(
            encoded(&header(Delivery::AtMostOnce, payload_len)).unwrap(),
            [b"\x30", length, b"\x00\x01a"].concat()
        );
    }
}

// The header alone

fn qos_2() -> Publish<&'static [u8]> {
    Publish {
        delivery: Delivery::ExactlyOnce {
            packet_id: id(9),
            dup: true,
        },
        retain: true,
        topic: topic("a/b"),
        payload: b"xyz",
    }
}

#[test]
fn a_header_and_the_payload_are_the_whole_packet() {
    let publish = qos_2();
    let mut bytes = encoded(&publish.header().unwrap()).unwrap();
    assert_eq!(bytes, b"\x3d\x0a\x00\x03a/b\x00\x09");
    bytes.extend(publish.payload);
    assert_eq!(encoded(&publish).unwrap(), bytes);
}

#[test]
fn a_header_with_the_right_payload_is_the_packet() {
    let publish = qos_2();
    let header = publish.header().unwrap();
    assert_eq!(header.payload_len, 3);
    assert_eq!(header.with_payload(b"xyz"), Some(publish));
}

#[test]
fn a_header_takes_no_payload_of_another_length() {
    let publish = qos_2();
    let header = publish.header().unwrap();
    assert_eq!(header.with_payload(b"xy"), None);
    assert_eq!(header.with_payload(b"xyz!"), None);
}

/// Returns where the payload starts, if the first `known` bytes of a packet determine it.
fn payload_start(bytes: &[u8], known: usize) -> Result<PayloadStart, DecodeError> {
    let header = peek(bytes, &Options::new()).unwrap().unwrap();
    PublishHeader::payload_start(&header, &bytes[..known])
}

#[test]
fn the_payload_starts_where_the_length_of_the_topic_says() {
    let bytes = b"\x30\x06\x00\x03a/bm";
    assert_eq!(payload_start(bytes, 2), Ok(PayloadStart::Unknown(4)));
    assert_eq!(payload_start(bytes, 3), Ok(PayloadStart::Unknown(4)));
    assert_eq!(payload_start(bytes, 4), Ok(PayloadStart::At(7)));
    assert_eq!(payload_start(bytes, 8), Ok(PayloadStart::At(7)));
}

#[test]
fn above_qos_0_the_payload_starts_behind_the_identifier() {
    assert_eq!(
        payload_start(b"\x32\x06\x00\x01a\x00\x01m", 4),
        Ok(PayloadStart::At(7))
    );
    assert_eq!(
        payload_start(b"\x34\x06\x00\x01a\x00\x01m", 4),
        Ok(PayloadStart::At(7))
    );
}

#[test]
fn a_payload_may_start_at_the_end_of_the_packet() {
    assert_eq!(
        payload_start(b"\x30\x03\x00\x01a", 4),
        Ok(PayloadStart::At(5))
    );
    assert_eq!(
        payload_start(b"\x32\x05\x00\x01a\x00\x01", 4),
        Ok(PayloadStart::At(7))
    );
}

#[test]
fn a_topic_longer_than_the_packet_is_refused_before_it_is_there() {
    let bytes = b"\x30\x04\x00\x03ab";
    let error = payload_start(bytes, 4).unwrap_err();
    assert_eq!(
        (error.kind(), error.field(), error.offset()),
        (Truncated, Field::TopicName, 2)
    );
    assert_eq!(error.statement(), Some("MQTT-4.8.0-1"));
    assert_eq!(decode(&mut &bytes[..], &Options::new()), Err(error));
}

#[test]
fn an_identifier_outside_of_the_packet_is_refused_before_it_is_there() {
    let bytes = b"\x32\x04\x00\x01a\x01";
    let error = payload_start(bytes, 4).unwrap_err();
    assert_eq!(
        (error.kind(), error.field(), error.offset()),
        (Truncated, Field::PacketIdentifier, 5)
    );
    assert_eq!(error.statement(), Some("MQTT-4.8.0-1"));
    assert_eq!(decode(&mut &bytes[..], &Options::new()), Err(error));
}

#[test]
fn the_bytes_before_the_payload_are_the_header() {
    let bytes = encoded(&qos_2()).unwrap();
    let fixed = peek(&bytes, &Options::new()).unwrap().unwrap();
    let PayloadStart::At(start) = payload_start(&bytes, 4).unwrap() else {
        panic!("the length of the topic is known");
    };
    let mut reader = Reader::new(&fixed, &bytes[..start]);
    let header = PublishHeader::read(&fixed, &mut reader);
    assert_eq!(header, Ok(qos_2().header().unwrap()));
}

// Other tests

#[test]
fn map_keeps_every_value() {
    let moved = qos_2().map(<[u8]>::to_vec);
    assert_eq!(moved.payload, b"xyz");
    assert_eq!(encoded(&moved), encoded(&qos_2()));

    let publish = qos_2();
    let header = publish.header().unwrap().map(<[u8]>::to_vec);
    assert_eq!(header.payload_len, 3);
    assert_eq!(encoded(&header).unwrap(), b"\x3d\x0a\x00\x03a/b\x00\x09");
}

#[cfg(feature = "alloc")]
#[test]
fn to_owned_keeps_every_value() {
    let owned: Publish<Vec<u8>> = qos_2().to_owned();
    assert_eq!(encoded(&owned), encoded(&qos_2()));
    let header: PublishHeader<Vec<u8>> = qos_2().header().unwrap().to_owned();
    assert_eq!(header.with_payload(b"xyz".to_vec()), Some(owned));
}

#[test]
fn a_delivery_at_qos_0_has_neither_identifier_nor_dup() {
    assert_eq!(Delivery::AtMostOnce.qos(), QoS::AtMostOnce);
    assert_eq!(Delivery::AtMostOnce.packet_id(), None);
    assert!(!Delivery::AtMostOnce.dup());
}

#[test]
fn a_delivery_above_qos_0_has_both() {
    let packet_id = id(5);
    for dup in [false, true] {
        let delivery = Delivery::AtLeastOnce { packet_id, dup };
        assert_eq!(delivery.qos(), QoS::AtLeastOnce);
        assert_eq!(delivery.packet_id(), Some(packet_id));
        assert_eq!(delivery.dup(), dup);
        let delivery = Delivery::ExactlyOnce { packet_id, dup };
        assert_eq!(delivery.qos(), QoS::ExactlyOnce);
        assert_eq!(delivery.packet_id(), Some(packet_id));
        assert_eq!(delivery.dup(), dup);
    }
}
