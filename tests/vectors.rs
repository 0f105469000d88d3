//! The vectors in `testdata`: the fields of each packet, its encoding, and the faults of malformed
//! ones.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::BTreeSet;

use common::{
    Row, decode_whole, encode, feed, fields, frame, malformed_rows, minimal, owned, rows,
    statements, unlimited, valid_rows,
};
use mqtt_sansio::v3::{
    self, Connect, ConnectRefusal, Credentials, DecodeError, Decoder, Delivery, EncodedConnect,
    Packet, PacketRef, PublishHeader, Reaction, ReturnCode, ReturnCodes, Subscription,
    Subscriptions, TopicFilters, V3, Will,
};
use mqtt_sansio::v5::V5;
use mqtt_sansio::{
    Encode, EncodeError, ErrorKind, Field, MAX_REMAINING_LENGTH, Options, PacketId, QoS, Text,
    TopicFilter, TopicName,
};
use serde_json::Value;

/// Encodes a packet; CONNECT from its fields, because the packet holds them encoded.
fn encode_anew(packet: &PacketRef<'_>) -> Vec<u8> {
    match packet {
        Packet::Connect(connect) => encode(&connect.to_connect()),
        packet => encode(packet),
    }
}

/// Calls `test` with each valid row and its decoded packet.
fn for_each_valid(test: impl Fn(&Row, &PacketRef<'_>)) {
    assert!(valid_rows().len() > 700);
    for row in valid_rows() {
        match decode_whole(&row.bytes, &unlimited()) {
            Ok(packet) => test(row, &packet),
            Err(error) => panic!("{}: {error}", row.id),
        }
    }
}

// Valid packets

/// [MQTT-1.5.3-3]
#[test]
fn u_feff_is_an_ordinary_character_wherever_it_stands() {
    for string in ["\u{feff}", "\u{feff}a", "a\u{feff}b", "a\u{feff}"] {
        let topic = TopicName::new(string).unwrap();
        let packet = Packet::from(v3::Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: topic.as_ref(),
            payload: &b""[..],
        });
        let bytes = encode(&packet);
        assert_eq!(bytes[4..], *string.as_bytes());
        assert_eq!(decode_whole(&bytes, &Options::new()).unwrap(), packet);
        let mut buffer = [0; 16];
        let connect = EncodedConnect::encode_to_slice(&mut buffer, &connect(string));
        let packet = Packet::from(connect.unwrap());
        let bytes = encode(&packet);
        assert_eq!(bytes[14..], *string.as_bytes());
        assert_eq!(decode_whole(&bytes, &Options::new()).unwrap(), packet);
        assert!(!TopicFilter::new("a").unwrap().matches(&topic));
        assert!(TopicFilter::new(string).unwrap().matches(&topic));
    }
}

/// [MQTT-2.2.2-1, MQTT-2.3.1-5, MQTT-3.1.3-1, MQTT-3.1.3-3, MQTT-3.3.2-1, MQTT-3.6.1-1]
/// [MQTT-3.8.1-1, MQTT-3.10.1-1]
#[test]
fn every_valid_packet_encodes_to_the_bytes_it_came_from() {
    for_each_valid(|row, packet| {
        let mut buffer = vec![0xEE; row.bytes.len()];
        let written = packet.encode_to_slice(&mut buffer).unwrap();
        let expected = minimal(&row.bytes);
        assert!(
            written == expected,
            "{}: {:02x?}",
            row.id,
            &written[..written.len().min(64)]
        );
        assert!(encode_anew(packet) == expected, "{}", row.id);
        assert_eq!(row.is_minimal(), row.bytes == expected, "{}", row.id);
    });
}

#[test]
fn a_packet_is_the_same_bytes_where_there_is_room_to_spare() {
    for_each_valid(|row, packet| {
        let expected = minimal(&row.bytes);
        let mut buffer = vec![0xEE; expected.len() + 64];
        let written = packet.encode_to_slice(&mut buffer).unwrap();
        assert!(written == expected, "{}", row.id);
        if let Packet::Publish(publish) = packet {
            let header = publish.header().unwrap();
            let written = header.encode_to_slice(&mut buffer).unwrap();
            assert!(*written == expected[..written.len()], "{}", row.id);
            assert_eq!(written.len() + publish.payload.len(), expected.len());
        }
    });
}

#[test]
fn moving_a_packet_to_other_storage_keeps_its_fields_and_its_bytes() {
    for_each_valid(|row, packet| {
        let boxed = packet.map(Box::<[u8]>::from);
        assert!(fields(&boxed) == fields(packet), "{}", row.id);
        assert!(encode(&boxed) == minimal(&row.bytes), "{}", row.id);
        assert!(
            boxed.map(|bytes| bytes.into_vec()) == owned(*packet),
            "{}",
            row.id
        );
    });
}

#[cfg(feature = "alloc")]
#[test]
fn an_owned_packet_is_equal_to_the_one_it_was_made_from() {
    for_each_valid(|row, packet| {
        let copy = packet.to_owned();
        assert!(copy == owned(*packet), "{}", row.id);
        assert!(copy.to_owned() == copy, "{}", row.id);
        assert!(encode(&copy) == minimal(&row.bytes), "{}", row.id);
    });
}

#[cfg(feature = "bytes")]
mod bytes_feature {
    use super::*;
    use bytes::{Bytes, BytesMut};

    #[test]
    fn a_shared_packet_is_equal_and_refers_to_the_buffer_instead_of_copying() {
        for row in valid_rows() {
            let whole = Bytes::from(row.bytes.clone());
            let packet = decode_whole(&whole, &unlimited()).unwrap();
            let shared = packet.share(&whole);
            assert!(
                shared.map(|bytes| bytes.to_vec()) == owned(packet),
                "{}",
                row.id
            );
            let inside = whole.as_ptr_range();
            let _ = packet.share(&whole).map(|part| {
                assert!(
                    part.is_empty() || inside.contains(&part.as_ptr()),
                    "{}",
                    row.id
                );
            });
        }
    }

    #[test]
    fn decode_bytes_takes_one_packet_at_a_time_off_a_buffer_that_grows() {
        let rows: Vec<_> = valid_rows()
            .iter()
            .filter(|row| row.bytes.len() < 5000)
            .collect();
        let mut received = BytesMut::new();
        let mut packets = Vec::new();
        for piece in rows
            .iter()
            .flat_map(|row| row.bytes.clone())
            .collect::<Vec<_>>()
            .chunks(577)
        {
            received.extend_from_slice(piece);
            while let Some(packet) = v3::decode_bytes(&mut received, &unlimited()).unwrap() {
                packets.push(packet);
            }
        }
        assert!(received.is_empty());
        assert_eq!(packets.len(), rows.len());
        for (packet, row) in packets.iter().zip(&rows) {
            assert_eq!(
                fields(packet),
                common::expand(&row.json["fields"]),
                "{}",
                row.id
            );
        }
    }

    #[test]
    fn decode_bytes_finds_the_same_faults() {
        for row in malformed_rows() {
            let mut received = BytesMut::from(&row.bytes[..]);
            let result = v3::decode_bytes(&mut received, &Options::new());
            let expected = v3::decode(&mut &row.bytes[..], &Options::new());
            assert_eq!(
                result.map_err(Some),
                expected
                    .map(|p| p.map(|p| p.map(Bytes::copy_from_slice)))
                    .map_err(Some),
                "{}",
                row.id
            );
        }
    }
}

// Leniencies

/// A packet that the standard forbids and an option accepts.
#[derive(Clone)]
struct Lenient {
    received: Vec<u8>,
    breaks: &'static str,
    written: Vec<u8>,
}

/// An option and the packets that it accepts.
struct Leniency {
    name: &'static str,
    options: Options,
    packets: Vec<Lenient>,
}

/// Returns the same packet with all invalid flags.
fn with_wrong_flags(first_byte: u8, body: &[u8], breaks: &'static str) -> Vec<Lenient> {
    (first_byte & 0xf0..=first_byte | 0x0f)
        .filter(|&wrong| wrong != first_byte)
        .map(|wrong| lenient(wrong, first_byte, body, breaks))
        .collect()
}

fn lenient(received: u8, written: u8, body: &[u8], breaks: &'static str) -> Lenient {
    Lenient {
        received: frame(received, body),
        breaks,
        written: frame(written, body),
    }
}

fn leniencies() -> [Leniency; 4] {
    let acknowledgements = [
        with_wrong_flags(0x40, b"\x00\x01", "MQTT-2.2.2-2"),
        with_wrong_flags(0x50, b"\x00\x01", "MQTT-2.2.2-2"),
        with_wrong_flags(0x70, b"\x00\x01", "MQTT-2.2.2-2"),
        with_wrong_flags(0x90, b"\x00\x01\x80", "MQTT-2.2.2-2"),
        with_wrong_flags(0xb0, b"\x00\x01", "MQTT-2.2.2-2"),
    ];
    let requests = vec![
        lenient(0x8a, 0x82, b"\x00\x01\x00\x01a\x00", "MQTT-3.8.1-1"),
        lenient(0xaa, 0xa2, b"\x00\x01\x00\x01a", "MQTT-3.10.1-1"),
    ];
    let at_qos_0 = vec![
        lenient(0x38, 0x30, b"\x00\x01ax", "MQTT-3.3.1-2"),
        lenient(0x39, 0x31, b"\x00\x01ax", "MQTT-3.3.1-2"),
    ];
    [
        Leniency {
            name: "accept_pubrel_flags",
            options: Options::new().accept_pubrel_flags(true),
            packets: with_wrong_flags(0x62, b"\x00\x01", "MQTT-3.6.1-1"),
        },
        Leniency {
            name: "accept_acknowledgement_flags",
            options: Options::new().accept_acknowledgement_flags(true),
            packets: acknowledgements.concat(),
        },
        Leniency {
            name: "accept_dup_on_requests",
            options: Options::new().accept_dup_on_requests(true),
            packets: requests,
        },
        Leniency {
            name: "accept_dup_at_qos_0",
            options: Options::new().accept_dup_at_qos_0(true),
            packets: at_qos_0,
        },
    ]
}

/// [MQTT-7.0.0-2]: by default all are off, and an accepted packet encodes as the standard requires.
#[test]
fn each_leniency_takes_the_packets_that_it_names_and_writes_them_as_the_standard_says() {
    for Leniency {
        name,
        options,
        packets,
    } in leniencies()
    {
        for Lenient {
            received,
            breaks,
            written,
        } in packets
        {
            let refused = decode_whole(&received, &Options::new()).unwrap_err();
            assert_eq!(
                refused.statement(),
                Some(breaks),
                "{received:02x?} by default"
            );
            let accepted = decode_whole(&received, &options).unwrap();
            assert_eq!(encode(&accepted), written, "{received:02x?} with {name}");
            // The same through a stream.
            let outcome = feed(Decoder::with_options([0; 64], options), received.chunks(1));
            assert_eq!(
                outcome.packets,
                [owned(accepted)],
                "{received:02x?} with {name}"
            );
        }
    }
}

#[test]
fn no_leniency_takes_more_than_it_names() {
    let leniencies = leniencies();
    for Leniency { name, options, .. } in &leniencies {
        for other in leniencies.iter().filter(|other| other.name != *name) {
            for packet in &other.packets {
                let refused = decode_whole(&packet.received, options).unwrap_err();
                assert_eq!(
                    refused.statement(),
                    Some(packet.breaks),
                    "{name} is not {}",
                    other.name
                );
            }
        }
        for row in malformed_rows() {
            let by_default = v3::decode(&mut &row.bytes[..], &Options::new());
            let leniently = v3::decode(&mut &row.bytes[..], options);
            if by_default != leniently {
                let kind = by_default.unwrap_err().kind();
                assert!(
                    matches!(kind, ErrorKind::InvalidFlags | ErrorKind::DupAtQos0),
                    "{}",
                    row.id
                );
            }
        }
    }
}

#[test]
fn a_leniency_that_is_switched_off_again_is_off() {
    for off in [
        Options::new()
            .accept_pubrel_flags(true)
            .accept_pubrel_flags(false),
        Options::new()
            .accept_acknowledgement_flags(true)
            .accept_acknowledgement_flags(false),
        Options::new()
            .accept_dup_on_requests(true)
            .accept_dup_on_requests(false),
        Options::new()
            .accept_dup_at_qos_0(true)
            .accept_dup_at_qos_0(false),
        Options::new()
            .refuse_overlong_remaining_length(true)
            .refuse_overlong_remaining_length(false),
    ] {
        assert_eq!(off, Options::default());
    }
}

#[test]
fn what_a_device_sent_against_the_standard_is_taken_with_the_option_that_its_row_names() {
    let rows = rows("device_lenient.jsonl");
    for row in &rows {
        let refused = decode_whole(&row.bytes, &Options::new()).unwrap_err();
        assert_eq!(refused.statement(), row.text("statement"), "{}", row.id);
        let named = |leniency: &Leniency| row.text("option") == Some(leniency.name);
        let Leniency { options, .. } = leniencies().into_iter().find(named).unwrap();
        let packet = decode_whole(&row.bytes, &options).unwrap();
        assert_eq!(fields(&packet), row.json["fields"], "{}", row.id);
        assert_eq!(
            Some(&*hex::encode(encode(&packet))),
            row.text("encodes_as"),
            "{}",
            row.id
        );
    }
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_longer_remaining_length_than_needed_is_taken_by_default_and_refused_if_asked_to() {
    let strict = unlimited().refuse_overlong_remaining_length(true);
    for_each_valid(|row, packet| match decode_whole(&row.bytes, &strict) {
        Ok(same) => assert!(row.is_minimal() && same == *packet, "{}", row.id),
        Err(error) => {
            assert!(!row.is_minimal(), "{}", row.id);
            assert_eq!(
                error.kind(),
                ErrorKind::RemainingLengthNotMinimal,
                "{}",
                row.id
            );
            assert_eq!(
                (error.field(), error.offset()),
                (Field::RemainingLength, 1),
                "{}",
                row.id
            );
            assert_eq!(error.statement(), None, "{}", row.id);
        }
    });
}

// Malformed packets

fn fault(row: &Row) -> Result<Option<PacketRef<'_>>, DecodeError> {
    v3::decode(&mut &row.bytes[..], &Options::new())
}

#[test]
fn a_connect_that_a_server_answers_before_it_closes_says_with_which_return_code() {
    let mut answered = BTreeSet::new();
    for row in rows("conformance/malformed.jsonl") {
        if row.text("kind") != Some("semantic") {
            continue;
        }
        let allowed: Vec<_> = row.json["expect"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        match fault(&row) {
            // MQTT 3.1 is accepted, as the sample allows.
            Ok(_) => assert!(allowed.contains(&"accept"), "{}", row.id),
            Err(error) => {
                let Reaction::ConnAckThenClose(refusal) = error.reaction() else {
                    panic!("{}: {error}", row.id);
                };
                let return_code = refusal.return_code();
                assert!(
                    allowed.contains(&&*format!("connack:{return_code}")),
                    "{}",
                    row.id
                );
                answered.insert(return_code);
            }
        }
    }
    assert_eq!(answered, BTreeSet::from([1, 2]));
}

#[test]
fn everything_else_that_is_wrong_is_answered_by_closing() {
    for row in malformed_rows() {
        let Err(error) = fault(row) else { continue };
        let expected = match error.kind() {
            ErrorKind::UnsupportedProtocolLevel => {
                Reaction::ConnAckThenClose(ConnectRefusal::UnacceptableProtocolVersion)
            }
            ErrorKind::ClientIdentifierRequired => {
                Reaction::ConnAckThenClose(ConnectRefusal::IdentifierRejected)
            }
            _ => Reaction::Close,
        };
        assert_eq!(error.reaction(), expected, "{}", row.id);
    }
}

/// Statements for codecs that no received bytes can violate, and the tests that show them.
const NOT_BY_BYTES: &[(&str, &str)] = &[
    (
        "MQTT-1.5.3-3",
        "a receiver breaks it, by dropping U+FEFF: golden.jsonl has it in every kind of string",
    ),
    (
        "MQTT-2.3.1-5",
        "an identifier at QoS 0 would be payload: golden.jsonl has that",
    ),
    (
        "MQTT-4.7.3-3",
        "a length of two bytes cannot say more than 65,535: see what cannot be built",
    ),
];

#[test]
fn every_statement_that_binds_a_codec_has_a_malformed_packet_that_breaks_it() {
    let mut broken: BTreeSet<String> = NOT_BY_BYTES
        .iter()
        .map(|(id, _)| (*id).to_owned())
        .collect();
    for row in malformed_rows() {
        let also = row.json["also"].as_array().into_iter().flatten();
        let ids = also
            .chain([&row.json["statement"]])
            .filter_map(Value::as_str);
        for id in ids {
            let _ = broken.insert(id.to_owned());
        }
    }
    let statements = statements();
    let missing: Vec<_> = statements
        .iter()
        .filter(|(id, layer)| *layer == "codec" && !broken.contains(*id))
        .collect();
    assert_eq!(missing, [] as [(&String, &String); 0]);
    assert!(
        statements
            .values()
            .filter(|layer| *layer == "codec")
            .count()
            > 40
    );
}

/// Valid flags of each packet type (Table 2.2); types 0 and 15 have none.
const FLAGS: [&[u8]; 16] = [
    &[],
    &[0],
    &[0],
    &[0, 1, 2, 3, 4, 5, 10, 11, 12, 13],
    &[0],
    &[0],
    &[2],
    &[0],
    &[2],
    &[0],
    &[2],
    &[0],
    &[0],
    &[0],
    &[0],
    &[],
];

/// [MQTT-2.2.2-2, MQTT-3.14.1-1]
#[test]
fn every_first_byte_but_those_of_table_2_2_is_refused_before_anything_else_has_come() {
    for first_byte in 0..=u8::MAX {
        let (packet_type, flags) = (first_byte >> 4, first_byte & 15);
        let legal = FLAGS[usize::from(packet_type)].contains(&flags);
        let result = v3::peek(&[first_byte], &Options::new());
        assert_eq!(result.is_ok(), legal, "{first_byte:#04x}");
        let outcome = feed(Decoder::new([0; 8]), [&[first_byte][..]]);
        assert_eq!(outcome.error, result.err(), "{first_byte:#04x}");
        if let Some(error) = outcome.error {
            let kind = match (packet_type, flags) {
                (0 | 15, _) => ErrorKind::ReservedPacketType,
                (3, 8 | 9) => ErrorKind::DupAtQos0,
                (3, _) => ErrorKind::InvalidQos,
                _ => ErrorKind::InvalidFlags,
            };
            assert_eq!(
                (error.kind(), error.offset()),
                (kind, 0),
                "{first_byte:#04x}"
            );
        }
    }
}

/// [MQTT-3.1.2-3, -9, -11, -13, -14, -15, -18, -19, -20, -21, -22]
#[test]
fn every_connect_flags_byte_is_taken_or_refused_as_section_3_1_2_3_says() {
    for flags in 0..=u8::MAX {
        let bit = |n: u8| flags >> n & 1 == 1;
        let will_qos = flags >> 3 & 3;
        let fields = [bit(2), bit(2), bit(7), bit(6)];
        let mut body = [&b"\x00\x04MQTT\x04"[..], &[flags, 0, 10], b"\x00\x01c"].concat();
        for _ in fields.iter().filter(|field| **field) {
            body.extend(b"\x00\x01f");
        }
        let bytes = frame(0x10, &body);
        let expected = if bit(0) {
            Some(ErrorKind::ReservedConnectFlag)
        } else if !bit(2) && will_qos != 0 {
            Some(ErrorKind::WillQosWithoutWill)
        } else if !bit(2) && bit(5) {
            Some(ErrorKind::WillRetainWithoutWill)
        } else if will_qos == 3 {
            Some(ErrorKind::InvalidWillQos)
        } else if bit(6) && !bit(7) {
            Some(ErrorKind::PasswordWithoutUserName)
        } else {
            None
        };
        match decode_whole(&bytes, &Options::new()) {
            Ok(packet) => {
                assert_eq!(
                    (None, &encode_anew(&packet)),
                    (expected, &bytes),
                    "{flags:08b}"
                );
            }
            Err(error) => {
                assert_eq!(
                    (Some(error.kind()), error.offset()),
                    (expected, 9),
                    "{flags:08b}"
                );
            }
        }
    }
}

/// [MQTT-3.2.2-4]
#[test]
fn every_connack_is_taken_or_refused_as_section_3_2_2_says() {
    for flags in 0..=u8::MAX {
        for code in 0..=u8::MAX {
            let bytes = [0x20, 2, flags, code];
            let expected = match (flags, code) {
                (2.., _) => Some((ErrorKind::ReservedAcknowledgeFlags, 2)),
                (_, 6..) => Some((ErrorKind::InvalidConnectReturnCode, 3)),
                (1, 1..) => Some((ErrorKind::SessionPresentWithRefusal, 2)),
                _ => None,
            };
            let result = decode_whole(&bytes, &Options::new());
            let found = result.err().map(|error| (error.kind(), error.offset()));
            assert_eq!(found, expected, "{bytes:02x?}");
            if let Ok(Packet::ConnAck(connack)) = result {
                assert_eq!(connack.to_bytes(), bytes);
            }
        }
    }
}

/// [MQTT-3.8.3-4, MQTT-3.9.3-2]
#[test]
fn every_requested_qos_and_return_code_but_those_of_the_standard_is_refused() {
    for code in 0..=u8::MAX {
        let subscribe = [0x82, 6, 0, 1, 0, 1, b'a', code];
        let suback = [0x90, 3, 0, 1, code];
        let kind = |bytes: &[u8]| decode_whole(bytes, &Options::new()).err().map(|e| e.kind());
        let qos = (code > 2).then_some(ErrorKind::InvalidRequestedQos);
        assert_eq!(kind(&subscribe), qos, "{code:#04x}");
        let return_code = (code > 2 && code != 0x80).then_some(ErrorKind::InvalidReturnCode);
        assert_eq!(kind(&suback), return_code, "{code:#04x}");
    }
}

// Values that cannot be built or encoded

/// [MQTT-4.7.3-3] [MQTT5-4.7.3-3]
#[test]
fn a_string_of_more_than_65535_bytes_cannot_be_made() {
    let long = "x".repeat(65_536);
    for error in [
        Text::new(&long).unwrap_err(),
        TopicName::new(&long).unwrap_err(),
        TopicFilter::new(&long).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.offset()), (ErrorKind::TooLong, 65_535));
        assert_eq!(error.statement::<V3>(), Some("MQTT-4.7.3-3"));
        assert_eq!(error.statement::<V5>(), Some("MQTT-4.7.3-3"));
    }
    assert!(Text::new(&long[1..]).is_ok());
    assert!(TopicName::new(&long[1..]).is_ok());
    assert!(TopicFilter::new(&long[1..]).is_ok());
}

fn connect(client_id: &str) -> Connect<&[u8]> {
    Connect::new(Text::new(client_id).unwrap())
}

#[test]
fn a_field_longer_than_its_length_can_say_is_an_error_from_encode_not_a_cut_packet() {
    let long = vec![b'x'; 65_536];
    let mut with_will = connect("c");
    with_will.will = Some(Will {
        topic: TopicName::new("t").unwrap(),
        message: &long,
        qos: QoS::AtMostOnce,
        retain: false,
    });
    let mut with_password = connect("c");
    with_password.credentials = Some(Credentials {
        user_name: Text::new("u").unwrap(),
        password: Some(&long),
    });
    let mut buffer = vec![0; 70_000];
    for (packet, field) in [
        (with_will, Field::WillMessage),
        (with_password, Field::Password),
    ] {
        let error = EncodeError::FieldTooLong { field };
        assert_eq!(packet.encode_to_slice(&mut buffer), Err(error));
        assert_eq!(packet.encoded_len(), Err(error));
        assert_eq!(error.statement(), None);
    }
    assert!(buffer.iter().all(|&byte| byte == 0));
}

#[test]
fn a_string_that_was_made_too_long_after_its_check_is_an_error_from_encode_too() {
    let long = vec![b'x'; 65_536];
    let text = Text::new("x").unwrap().map(|_| &long[..]);
    let topic = TopicName::new("x").unwrap().map(|_| &long[..]);
    let mut with_will = connect("c");
    with_will.will = Some(Will {
        topic,
        message: &b""[..],
        qos: QoS::AtMostOnce,
        retain: false,
    });
    let mut with_user_name = connect("c");
    with_user_name.credentials = Some(Credentials {
        user_name: text,
        password: None,
    });
    let publish = v3::Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic,
        payload: &b""[..],
    };
    fn refused(packet: &impl Encode) -> EncodeError {
        packet.encode_to_slice(&mut [0; 100]).unwrap_err()
    }
    for (error, field, statement) in [
        (refused(&Connect::new(text)), Field::ClientIdentifier, None),
        (refused(&with_will), Field::WillTopic, Some("MQTT-4.7.3-3")),
        (refused(&with_user_name), Field::UserName, None),
        (refused(&publish), Field::TopicName, Some("MQTT-4.7.3-3")),
    ] {
        assert_eq!(error, EncodeError::FieldTooLong { field });
        assert_eq!(error.statement(), statement);
    }
}

#[test]
fn an_empty_client_identifier_is_written_only_with_clean_session_in_mqtt_3_1_1() {
    let anonymous = connect("");
    assert_eq!(
        encode(&anonymous),
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"
    );
    let mut with_session = anonymous;
    with_session.clean_session = false;
    let mut in_3_1 = anonymous;
    in_3_1.protocol_level = v3::ProtocolLevel::V3_1;
    for packet in [with_session, in_3_1] {
        let error = packet.encode_to_slice(&mut [0; 64]).unwrap_err();
        assert_eq!(error, EncodeError::ClientIdentifierRequired);
        assert_eq!(error.statement(), Some("MQTT-3.1.3-7"));
    }
}

/// [MQTT-3.8.3-3, MQTT-3.8.4-5, MQTT-3.10.3-2]
#[test]
fn a_list_without_an_entry_cannot_be_built() {
    let subscriptions = Subscriptions::encode_to_slice(&mut [0; 8], []).unwrap_err();
    let filters = TopicFilters::encode_to_slice(&mut [0; 8], []).unwrap_err();
    let codes = ReturnCodes::encode_to_slice(&mut [0; 8], []).unwrap_err();
    assert_eq!(subscriptions.statement(), Some("MQTT-3.8.3-3"));
    assert_eq!(filters.statement(), Some("MQTT-3.10.3-2"));
    assert_eq!(codes.statement(), Some("MQTT-3.8.4-5"));
    for error in [subscriptions, filters, codes] {
        assert!(matches!(error, EncodeError::EmptyList { .. }), "{error}");
    }
}

#[test]
fn a_list_is_built_from_any_number_of_entries_in_a_buffer_of_the_right_size() {
    let names: Vec<_> = (0..5000).map(|n| format!("t/{n}")).collect();
    let entries = || {
        names.iter().map(|name| Subscription {
            topic_filter: TopicFilter::new(name).unwrap(),
            qos: QoS::ExactlyOnce,
        })
    };
    let len = Subscriptions::<&[u8]>::encoded_len(entries()).unwrap();
    let mut buffer = vec![0; len];
    let list = Subscriptions::encode_to_slice(&mut buffer, entries()).unwrap();
    assert_eq!(list.as_bytes().len(), len);
    assert!(list.iter().eq(entries()));

    let mut small = vec![0; len - 1];
    let no_room = Subscriptions::encode_to_slice(&mut small, entries());
    assert!(matches!(no_room, Err(EncodeError::NoRoom { .. })));
}

/// [MQTT-3.9.3-1]
#[test]
fn return_codes_are_built_and_read_back_in_order() {
    let codes = [0, 1, 2, 0x80].map(|n| ReturnCode::from_number(n).unwrap());
    let mut buffer = [0; 4];
    let list = ReturnCodes::encode_to_slice(&mut buffer, codes).unwrap();
    assert_eq!(list.as_bytes(), [0, 1, 2, 0x80]);
    assert!(list.iter().eq(codes));
}

#[test]
fn remaining_length_takes_one_byte_more_from_each_of_its_steps_on_and_ends_at_268435455() {
    let header = |remaining_length: u32| {
        let header = PublishHeader {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: TopicName::new("a").unwrap(),
            payload_len: remaining_length - 3,
        };
        let mut buffer = [0; 16];
        header
            .encode_to_slice(&mut buffer)
            .map(|written| written[1..written.len() - 3].to_vec())
    };
    for (n, bytes) in [
        (3, &[3][..]),
        (127, &[0x7f]),
        (128, &[0x80, 1]),
        (16_383, &[0xff, 0x7f]),
        (16_384, &[0x80, 0x80, 1]),
        (2_097_151, &[0xff, 0xff, 0x7f]),
        (2_097_152, &[0x80, 0x80, 0x80, 1]),
        (MAX_REMAINING_LENGTH, &[0xff, 0xff, 0xff, 0x7f]),
    ] {
        assert_eq!(header(n).as_deref(), Ok(bytes));
        let peeked = v3::peek(&[&[0x30], bytes].concat(), &unlimited())
            .unwrap()
            .unwrap();
        assert_eq!(
            (peeked.remaining_length(), peeked.len()),
            (n, bytes.len() + 1)
        );
    }
    assert_eq!(
        header(MAX_REMAINING_LENGTH + 1),
        Err(EncodeError::PacketTooLarge)
    );
    assert_eq!(EncodeError::PacketTooLarge.statement(), None);
}

#[test]
fn a_packet_identifier_is_never_zero() {
    assert_eq!(PacketId::new(0), None);
    for number in 1..=u16::MAX {
        let id = PacketId::new(number).unwrap();
        assert_eq!(
            v3::PubAck { packet_id: id }.to_bytes()[2..],
            number.to_be_bytes()
        );
    }
}
