//! The vectors in `testdata`, for each version: the fields of each packet, its encoding, and the
//! faults of malformed ones.

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

use core::any::TypeId;
use std::collections::BTreeSet;

use common::{
    Row, Version, as_written, cut, encode, expand, feed, fixed_header, for_each_version,
    json_lines, rows, unlimited,
};
use mqtt_sansio::v3::{self, V3};
use mqtt_sansio::v5::{self, ConnectReasonCode, DisconnectReasonCode, Reaction, ReasonCode, V5};
use mqtt_sansio::{
    DecodeError, Encode, EncodeError, ErrorKind, Field, Options, Output, PacketType, SliceOutput,
    StreamDecoder,
};
use serde_json::{Value, json};

for_each_version! {
    every_valid_packet_decodes_to_the_fields_that_its_row_states
    every_valid_packet_encodes_to_the_bytes_it_came_from
    encoded_len_is_the_number_of_bytes_that_encode_writes
    a_packet_is_the_same_bytes_where_there_is_room_to_spare
    a_slice_one_byte_too_small_has_no_room_and_nothing_is_written_to_it
    an_output_that_is_a_trait_object_gets_the_same_bytes
    a_publish_header_and_its_payload_written_by_themselves_are_the_whole_packet
    peek_reads_the_fixed_header_of_every_packet_once_it_is_there
    decode_leaves_what_is_behind_the_packet
    every_packet_of_the_sample_that_the_codec_must_refuse_is_refused
    where_conforming_receivers_differ_the_strict_choice_is_taken_unless_the_table_says_why_not
    the_error_of_a_malformed_packet_names_the_statement_that_the_sample_names
    every_malformed_packet_of_our_own_gives_exactly_the_error_that_its_row_states
    every_error_says_in_words_which_packet_which_field_what_and_where
    an_error_knows_the_packet_that_it_is_in
    what_is_wrong_only_for_the_role_or_the_moment_decodes
    the_start_of_a_packet_is_neither_a_packet_nor_an_error
    real_conversations_decode_to_their_packets_whole_and_as_they_were_sent
}

fn is<V: Version>(other: TypeId) -> bool {
    TypeId::of::<V>() == other
}

/// True for MQTT 5.
fn is_v5<V: Version>() -> bool {
    is::<V>(TypeId::of::<V5>())
}

/// Calls `test` with each valid row, its decoded packet, and the encoding of that packet.
fn for_each_valid<V: Version>(test: impl Fn(&Row, &V::Owned, &[u8])) {
    assert!(V::valid_rows().len() > 500);
    for row in V::valid_rows() {
        let mut src = &row.bytes[..];
        match V::decode(&mut src, &unlimited()) {
            Ok(Some(packet)) => {
                assert!(src.is_empty(), "{}", row.id);
                let packet = V::owned(packet);
                test(row, &packet, &as_written::<V>(&row.bytes, &packet));
            }
            Ok(None) => panic!("{}: incomplete", row.id),
            Err(error) => panic!("{}: {error}", row.id),
        }
    }
}

// Valid packets

/// [MQTT-1.5.3-3, MQTT-2.3.1-5, MQTT-3.1.3-1]
/// [MQTT5-1.5.4-3, MQTT5-2.2.1-2, MQTT5-3.1.3-1]
fn every_valid_packet_decodes_to_the_fields_that_its_row_states<V: Version>() {
    for_each_valid::<V>(|row, packet, _| {
        let name = V::packet_type(packet).name();
        assert_eq!(row.text("type"), Some(name), "{}", row.id);
        assert!(
            V::fields(packet) == expand(&row.json["fields"]),
            "{}: {packet:?}",
            row.id
        );
    });
}

/// [MQTT-2.2.2-1, MQTT-2.3.1-5, MQTT-3.1.3-1, MQTT-3.1.3-3, MQTT-3.3.2-1, MQTT-3.6.1-1]
/// [MQTT-3.8.1-1, MQTT-3.10.1-1]
/// [MQTT5-1.5.5-1, MQTT5-2.1.3-1, MQTT5-2.2.2-1, MQTT5-3.1.3-1, MQTT5-3.1.3-3, MQTT5-3.3.2-1]
fn every_valid_packet_encodes_to_the_bytes_it_came_from<V: Version>() {
    for_each_valid::<V>(|row, packet, expected| {
        let mut buffer = vec![0xEE; expected.len()];
        let written = packet.encode_to_slice(&mut buffer).unwrap();
        assert!(
            written == expected,
            "{}: {:02x?}",
            row.id,
            &written[..written.len().min(64)]
        );
    });
}

fn encoded_len_is_the_number_of_bytes_that_encode_writes<V: Version>() {
    for_each_valid::<V>(|row, packet, expected| {
        assert_eq!(packet.encoded_len(), Ok(expected.len()), "{}", row.id);
    });
}

fn a_packet_is_the_same_bytes_where_there_is_room_to_spare<V: Version>() {
    for_each_valid::<V>(|row, packet, expected| {
        let mut buffer = vec![0xEE; expected.len() + 64];
        let written = packet.encode_to_slice(&mut buffer).unwrap();
        assert!(written == expected, "{}", row.id);
    });
}

fn a_slice_one_byte_too_small_has_no_room_and_nothing_is_written_to_it<V: Version>() {
    for_each_valid::<V>(|row, packet, expected| {
        let needed = expected.len();
        let no_room = EncodeError::no_room(needed);

        let mut small = vec![0xEE; needed - 1];
        let result = packet.encode_to_slice(&mut small);
        assert_eq!(result, Err(no_room), "{}", row.id);
        assert!(small.iter().all(|&byte| byte == 0xEE), "{}", row.id);

        // After another packet, which is not changed.
        let mut buffer = vec![0xEE; needed + 1];
        let mut out = SliceOutput::new(&mut buffer);
        v3::Packet::<&[u8]>::PingReq.encode(&mut out).unwrap();
        assert_eq!(packet.encode(&mut out), Err(no_room), "{}", row.id);
        assert_eq!(out.written(), b"\xc0\x00", "{}", row.id);
    });
}

fn an_output_that_is_a_trait_object_gets_the_same_bytes<V: Version>() {
    for_each_valid::<V>(|row, packet, expected| {
        let mut buffer = vec![0; expected.len()];
        let mut out = SliceOutput::new(&mut buffer);
        packet.encode::<dyn Output>(&mut out).unwrap();
        assert!(out.written() == expected, "{}", row.id);
    });
}

fn a_publish_header_and_its_payload_written_by_themselves_are_the_whole_packet<V: Version>() {
    for_each_valid::<V>(|row, packet, expected| {
        if let Some((header, payload)) = V::split(packet) {
            assert!([&header, payload].concat() == expected, "{}", row.id);
        }
        assert_eq!(
            V::split(packet).is_some(),
            row.text("type") == Some("PUBLISH"),
            "{}",
            row.id
        );
    });
}

fn peek_reads_the_fixed_header_of_every_packet_once_it_is_there<V: Version>() {
    for row in V::valid_rows() {
        let (remaining_length, header_len) = fixed_header(&row.bytes).unwrap();
        for len in 0..header_len {
            let peeked = V::peek(&row.bytes[..len], &unlimited());
            assert_eq!(peeked, Ok(None), "{}", row.id);
        }
        let start = &row.bytes[..row.bytes.len().min(8)];
        let header = V::peek(start, &unlimited()).unwrap().unwrap();
        assert_eq!(
            header.packet_type().map(PacketType::name),
            row.text("type"),
            "{}",
            row.id
        );
        assert_eq!(header.first_byte(), row.bytes[0], "{}", row.id);
        let found = header.remaining_length();
        assert_eq!(found as usize, remaining_length, "{}", row.id);
        assert_eq!(json!(found), row.json["remaining_length"], "{}", row.id);
        assert_eq!(header.len(), header_len, "{}", row.id);
        assert_eq!(header.packet_len(), row.bytes.len(), "{}", row.id);
    }
}

fn decode_leaves_what_is_behind_the_packet<V: Version>() {
    for_each_valid::<V>(|row, packet, _| {
        let bytes = [&row.bytes, &b"\xd0\x00rest"[..]].concat();
        let mut src = &bytes[..];
        let decoded = V::decode(&mut src, &unlimited()).unwrap().unwrap();
        assert!(V::owned(decoded) == *packet, "{}", row.id);
        assert_eq!(src, b"\xd0\x00rest", "{}", row.id);
    });
}

#[cfg(feature = "alloc")]
mod alloc_feature {
    use super::*;

    for_each_version! {
        every_valid_packet_is_appended_to_a_vec
    }

    fn every_valid_packet_is_appended_to_a_vec<V: Version>() {
        for_each_valid::<V>(|row, packet, expected| {
            assert!(packet.encode_to_vec().unwrap() == expected, "{}", row.id);
            let mut out = b"before".to_vec();
            packet.encode(&mut out).unwrap();
            assert!(out == [b"before", expected].concat(), "{}", row.id);
        });
    }
}

#[cfg(feature = "bytes")]
mod bytes_feature {
    use super::*;
    use bytes::BytesMut;
    use mqtt_sansio::BufMutOutput;

    for_each_version! {
        every_valid_packet_is_appended_to_bytes_mut
        a_bounded_buf_mut_takes_what_fits_and_nothing_of_what_does_not
    }

    fn every_valid_packet_is_appended_to_bytes_mut<V: Version>() {
        for_each_valid::<V>(|row, packet, expected| {
            let mut out = BytesMut::from(&b"before"[..]);
            packet.encode(&mut out).unwrap();
            assert!(out == [b"before", expected].concat(), "{}", row.id);
        });
    }

    fn a_bounded_buf_mut_takes_what_fits_and_nothing_of_what_does_not<V: Version>() {
        for_each_valid::<V>(|row, packet, expected| {
            let needed = expected.len();
            let mut buffer = vec![0xEE; needed];
            let mut room = &mut buffer[..];
            packet.encode(&mut BufMutOutput::new(&mut room)).unwrap();
            assert!(room.is_empty() && buffer == expected, "{}", row.id);

            let mut small = vec![0xEE; needed - 1];
            let mut room = &mut small[..];
            let result = packet.encode(&mut BufMutOutput::new(&mut room));
            assert_eq!(result, Err(EncodeError::no_room(needed)), "{}", row.id);
            assert_eq!(room.len(), needed - 1, "{}", row.id);
            assert!(small.iter().all(|&byte| byte == 0xEE), "{}", row.id);
        });
    }

    #[test]
    fn a_shared_packet_of_mqtt_5_refers_to_the_buffer_instead_of_copying() {
        for row in V5::valid_rows() {
            let mut received = BytesMut::from(&row.bytes[..]);
            let inside = received.as_ptr_range();
            let (start, end) = (inside.start as usize, inside.end as usize);
            let packet = v5::decode_bytes(&mut received, &unlimited());
            let packet = packet.unwrap().unwrap();
            assert_eq!(
                V5::fields(&V5::owned(packet.as_ref())),
                expand(&row.json["fields"]),
                "{}",
                row.id
            );
            let _ = packet.map(|part| {
                let at = part.as_ptr() as usize;
                assert!(part.is_empty() || (start..end).contains(&at), "{}", row.id);
            });
        }
    }

    #[test]
    fn decode_bytes_finds_the_same_faults_in_mqtt_5() {
        for row in V5::malformed_rows() {
            let mut received = BytesMut::from(&row.bytes[..]);
            let error = v5::decode_bytes(&mut received, &Options::new()).err();
            assert_eq!(error, fault::<V5>(row), "{}", row.id);
        }
    }
}

// Malformed packets

fn fault<V: Version>(row: &Row) -> Option<DecodeError<V>> {
    V::decode(&mut &row.bytes[..], &Options::new()).err()
}

/// Cases in which conforming receivers differ, with the default of this one and the reason.
type Choice = (&'static str, bool, &'static str);

const V3_CHOICES: &[Choice] = &[
    (
        "remaining-length-overlong",
        true,
        "3.1.1 does not forbid it, and some encoders always write four bytes",
    ),
    (
        "remaining-length",
        false,
        "the fourth byte already says that a fifth follows; no packet can come of it",
    ),
    (
        "publish-dup-qos0",
        false,
        "MQTT-3.3.1-2 is a must; a named leniency takes it",
    ),
    (
        "will-topic",
        false,
        "MQTT-4.7.3-1 is about all Topic Names, and nobody could receive such a will",
    ),
    (
        "packet-id-0-ack",
        false,
        "no message has identifier 0, so nothing can be acknowledged by it",
    ),
    (
        "topic-wildcard",
        false,
        "MQTT-3.3.2-2 binds servers as well as clients",
    ),
    (
        "filter",
        false,
        "a malformed filter cannot name a subscription, in UNSUBSCRIBE either",
    ),
    (
        "suback-code",
        false,
        "MQTT-3.9.3-2 is a must; a code without a meaning cannot be acted on",
    ),
    (
        "connack-code",
        false,
        "Table 3.1 reserves it; a code without a meaning cannot be acted on",
    ),
    ("connack-flags", false, "MQTT-3.2.2-4 is a must"),
];

/// The documentation of `v5` lists them.
const V5_CHOICES: &[Choice] = &[
    (
        "empty-payload",
        false,
        "SUBACK has a code for each filter, and there is at least one",
    ),
    ("connack-flags", false, "MQTT5-3.2.2-6 is a must"),
    (
        "will-topic",
        false,
        "MQTT5-4.7.3-1 is about all Topic Names, and nobody could receive such a will",
    ),
    (
        "filter",
        false,
        "a malformed filter cannot name a subscription, in UNSUBSCRIBE either",
    ),
    (
        "shared-filter",
        false,
        "a malformed filter cannot name a subscription, in UNSUBSCRIBE either",
    ),
    (
        "packet-id-0-ack",
        false,
        "no message has identifier 0, so nothing can be acknowledged by it",
    ),
    (
        "topic-wildcard",
        false,
        "MQTT5-3.3.2-2 binds servers as well as clients",
    ),
    (
        "auth-method",
        false,
        "where there is a Property Length, section 3.15.2.2.2 asks for a method",
    ),
];

fn every_packet_of_the_sample_that_the_codec_must_refuse_is_refused<V: Version>() {
    let mut refused = 0;
    for row in rows(V::MALFORMED) {
        if row.text("kind") == Some("codec") && row.json["insist"] == true {
            assert!(
                fault::<V>(&row).is_some(),
                "{}: {}",
                row.id,
                row.json["why"]
            );
            refused += 1;
        }
    }
    assert!(refused >= 200, "{refused}");
}

fn where_conforming_receivers_differ_the_strict_choice_is_taken_unless_the_table_says_why_not<
    V: Version,
>() {
    let choices = if is_v5::<V>() { V5_CHOICES } else { V3_CHOICES };
    let mut used = BTreeSet::new();
    for row in rows(V::MALFORMED) {
        if row.text("kind") != Some("codec") || row.json["insist"] == true {
            continue;
        }
        let category = row.text("category").unwrap();
        let (name, taken, why) = choices
            .iter()
            .find(|(name, ..)| *name == category)
            .unwrap_or_else(|| panic!("{}: no choice made about {category}", row.id));
        assert_eq!(fault::<V>(&row).is_none(), *taken, "{}: {why}", row.id);
        used.insert(*name);
    }
    assert_eq!(used.len(), choices.len(), "only these are needed: {used:?}");
}

/// For MQTT 3.1.1 the sample names the general statement about CONNECT where the standard has a
/// statement for the missing field. The error names the latter.
const MORE_EXACT: &[(&str, Field, &str)] = &[
    ("MQTT-3.1.4-1", Field::WillTopic, "MQTT-3.1.2-9"),
    ("MQTT-3.1.4-1", Field::WillMessage, "MQTT-3.1.2-9"),
    ("MQTT-3.1.4-1", Field::UserName, "MQTT-3.1.2-19"),
];

fn the_error_of_a_malformed_packet_names_the_statement_that_the_sample_names<V: Version>() {
    let mut exceptions = BTreeSet::new();
    for row in rows(V::MALFORMED) {
        let (Some(error), Some(expected)) = (fault::<V>(&row), row.text("statement")) else {
            continue;
        };
        if error.statement() == Some(expected) {
            continue;
        }
        let exception = MORE_EXACT
            .iter()
            .find(|(catch_all, field, _)| *catch_all == expected && *field == error.field());
        let more_exact = exception.map(|(.., statement)| *statement);
        assert!(
            more_exact.is_some(),
            "{}: {:?}, not {expected}",
            row.id,
            error.statement()
        );
        assert_eq!(error.statement(), more_exact, "{}", row.id);
        assert_eq!(error.kind(), ErrorKind::Truncated, "{}", row.id);
        exceptions.insert(error.field().name());
    }
    let listed: BTreeSet<_> = MORE_EXACT
        .iter()
        .filter(|_| !is_v5::<V>())
        .map(|(_, field, _)| field.name())
        .collect();
    assert_eq!(exceptions, listed, "an exception that is not needed");
}

fn every_error_says_in_words_which_packet_which_field_what_and_where<V: Version>() {
    for row in V::malformed_rows() {
        let Some(error) = fault::<V>(row) else {
            continue;
        };
        let sentence = error.to_string();
        let packet_type = error.packet_type().map_or("", PacketType::name);
        let place = format!("at byte {} ", error.offset());
        assert!(sentence.starts_with(packet_type), "{}: {sentence}", row.id);
        for part in [error.field().name(), &error.kind().to_string(), &place] {
            assert!(sentence.contains(part), "{}: {sentence}", row.id);
        }
    }
}

fn an_error_knows_the_packet_that_it_is_in<V: Version>() {
    for row in V::malformed_rows() {
        let Some(error) = fault::<V>(row) else {
            continue;
        };
        let expected = PacketType::from_number(row.bytes[0] >> 4)
            .filter(|packet_type| is_v5::<V>() || *packet_type != PacketType::Auth);
        assert_eq!(error.packet_type(), expected, "{}", row.id);
    }
}

fn what_is_wrong_only_for_the_role_or_the_moment_decodes<V: Version>() {
    let mut seen = 0;
    for row in rows(V::MALFORMED) {
        if row.text("kind") == Some("state") {
            // Some rows have more than one packet.
            let outcome = feed(StreamDecoder::<V, _>::new([0; 512]), [&row.bytes[..]]);
            assert_eq!(outcome.error, None, "{}", row.id);
            assert!(outcome.at_packet_boundary, "{}", row.id);
            let encoded: Vec<_> = outcome.packets.iter().flat_map(encode).collect();
            assert_eq!(encoded, row.bytes, "{}", row.id);
            seen += 1;
        }
    }
    assert_eq!(seen, if is_v5::<V>() { 30 } else { 3 });
}

/// Kinds of error that need options or the machine, not the bytes alone, and one that has no
/// position in a packet.
const NOT_IN_VECTORS: &[&str] = &["PacketTooLarge", "TooManyFilters", "OutOfMemory", "TooLong"];

#[test]
fn every_kind_of_error_has_a_malformed_packet() {
    let source = std::fs::read_to_string(common::testdata().join("../src/wire/error.rs")).unwrap();
    let (_, list) = source.split_once("pub enum ErrorKind {").unwrap();
    let (list, _) = list.split_once("\n}").unwrap();
    let kinds: BTreeSet<_> = list
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect();
    assert!(kinds.len() > 30, "{kinds:?}");

    let mut seen: BTreeSet<_> = NOT_IN_VECTORS.iter().map(|&kind| kind.to_owned()).collect();
    for row in V3::malformed_rows() {
        seen.extend(fault::<V3>(row).map(|error| format!("{:?}", error.kind())));
    }
    for row in V5::malformed_rows() {
        seen.extend(fault::<V5>(row).map(|error| format!("{:?}", error.kind())));
    }
    let kinds: BTreeSet<_> = kinds.into_iter().map(str::to_owned).collect();
    assert_eq!(seen, kinds);
}

fn every_malformed_packet_of_our_own_gives_exactly_the_error_that_its_row_states<V: Version>() {
    for row in rows(V::MALFORMED_OWN) {
        let error = fault::<V>(&row).expect(&row.id);
        let found = json!({
            "statement": error.statement(),
            "kind": format!("{:?}", error.kind()),
            "field": format!("{:?}", error.field()),
            "offset": error.offset(),
        });
        for key in ["statement", "kind", "field", "offset"] {
            assert_eq!(found[key], row.json[key], "{}: {}", row.id, row.json["why"]);
        }
    }
}

// Reason Codes of MQTT 5

/// The first Reason Code of the row, and the others that it allows.
fn reason_codes(row: &Row) -> Vec<u64> {
    let also = row.json["reason_also"].as_array().into_iter().flatten();
    [&row.json["reason"]]
        .into_iter()
        .chain(also)
        .map(|code| code.as_u64().unwrap())
        .collect()
}

/// The library follows the sample even where several codes are allowed.
#[test]
fn the_error_of_a_malformed_packet_of_mqtt_5_has_the_reason_code_that_the_sample_names() {
    for row in V5::malformed_rows() {
        let error = fault::<V5>(row).unwrap();
        let code = u64::from(error.reason_code().number());
        let allowed = reason_codes(row);
        assert_eq!(code, allowed[0], "{}: {}", row.id, row.json["why"]);
    }
}

/// [MQTT5-3.1.2-1, MQTT5-3.1.2-2, MQTT5-3.1.4-1, MQTT5-4.13.1-1]
#[test]
fn a_fault_in_connect_is_answered_by_connack_and_others_by_disconnect_with_its_reason_code() {
    let mut codes = BTreeSet::new();
    for row in V5::malformed_rows() {
        let error = fault::<V5>(row).unwrap();
        let reason = error.reason_code();
        codes.insert(reason);
        let expected = match error.packet_type() {
            Some(PacketType::Connect) if error.kind() == ErrorKind::UnknownProtocolName => {
                Reaction::Close
            }
            Some(PacketType::Connect) => {
                Reaction::ConnAckThenClose(ConnectReasonCode::try_from(reason).unwrap())
            }
            _ => Reaction::DisconnectThenClose(DisconnectReasonCode::try_from(reason).unwrap()),
        };
        assert_eq!(error.reaction(), expected, "{}", row.id);
    }
    let expected = BTreeSet::from([
        ReasonCode::MalformedPacket,
        ReasonCode::ProtocolError,
        ReasonCode::UnsupportedProtocolVersion,
        ReasonCode::TopicFilterInvalid,
        ReasonCode::TopicNameInvalid,
        ReasonCode::TopicAliasInvalid,
    ]);
    assert_eq!(codes, expected);
}

#[test]
fn limits_of_this_receiver_have_reason_codes_too() {
    let limited = Options::new().max_packet_size(64).max_filters(1);
    let error = v5::decode(&mut &b"\x30\x80\x01"[..], &limited).unwrap_err();
    assert_eq!(error.reason_code(), ReasonCode::PacketTooLarge);
    let two = b"\x82\x0b\x00\x01\x00\x00\x01a\x00\x00\x01b\x00";
    let error = v5::decode(&mut &two[..], &limited).unwrap_err();
    assert_eq!(error.reason_code(), ReasonCode::QuotaExceeded);
    let connect = b"\x10\x80\x01\x00";
    let error = v5::decode(&mut &connect[..], &limited).unwrap_err();
    let reaction = Reaction::ConnAckThenClose(ConnectReasonCode::PacketTooLarge);
    assert_eq!(error.reaction(), reaction);
}

// Incomplete packets and streams

fn the_start_of_a_packet_is_neither_a_packet_nor_an_error<V: Version>() {
    for row in rows(V::INCOMPLETE) {
        let mut src = &row.bytes[..];
        assert!(
            matches!(V::decode(&mut src, &unlimited()), Ok(None)),
            "{}",
            row.id
        );
        assert_eq!(src, row.bytes, "{}: it stays where it is", row.id);
        let mut memory = vec![0; 300_000];
        let outcome = feed(
            StreamDecoder::<V, _>::with_options(&mut memory[..], unlimited()),
            [&row.bytes[..]],
        );
        assert!(outcome.packets.is_empty(), "{}", row.id);
        if outcome.error.is_some() {
            // It announces more than the limit.
            assert_eq!(
                outcome.error.map(|e| e.kind()),
                Some(ErrorKind::PacketTooLarge)
            );
            assert!(fixed_header(&row.bytes).unwrap().0 > 299_000, "{}", row.id);
            continue;
        }
        assert_eq!(
            outcome.at_packet_boundary,
            row.bytes.is_empty(),
            "{}",
            row.id
        );
    }
}

/// Conversations of MQTT 3.1.1 that end with a refused packet, which the lists of packets do not
/// contain.
const ENDS_WITH_A_FAULT: &[(&str, &str, ErrorKind)] = &[
    ("connect-badname", "c2s", ErrorKind::UnknownProtocolName),
    (
        "connect-reserved-flag",
        "c2s",
        ErrorKind::ReservedConnectFlag,
    ),
];

fn real_conversations_decode_to_their_packets_whole_and_as_they_were_sent<V: Version>() {
    let streams = json_lines(V::STREAMS);
    for stream in &streams {
        let name = stream["name"].as_str().unwrap();
        for direction in ["c2s", "s2c"] {
            let bytes = hex::decode(stream[direction].as_str().unwrap()).unwrap();
            let mut expected: Vec<_> = stream[format!("packets_{direction}")]
                .as_array()
                .unwrap()
                .clone();
            // A list of MQTT 5 may end with an error.
            let refused = expected
                .last()
                .filter(|it| it.get("error").is_some())
                .cloned();
            expected.truncate(expected.len() - usize::from(refused.is_some()));
            let fault = ENDS_WITH_A_FAULT
                .iter()
                .find(|(stream, at, _)| *stream == name && *at == direction);
            let mut places = Vec::new();
            let mut end = 0;
            for turn in stream["turns"].as_array().unwrap() {
                if turn[0] == direction {
                    end += usize::try_from(turn[1].as_u64().unwrap()).unwrap();
                    places.push(end);
                }
            }
            assert_eq!(end, bytes.len(), "{name} {direction}");
            for pieces in [
                vec![&bytes[..]],
                cut(&bytes, &places),
                bytes.chunks(1).collect(),
                bytes.chunks(3).collect(),
                bytes.chunks(17).collect(),
            ] {
                let mut memory = vec![0; 300_000];
                let outcome = feed(StreamDecoder::<V, _>::new(&mut memory[..]), pieces);
                let found: Vec<_> = outcome.packets.iter().map(with_type::<V>).collect();
                assert_eq!(found, expected, "{name} {direction}");
                if let Some((.., kind)) = fault {
                    let error = outcome.error.unwrap();
                    assert_eq!(error.kind(), *kind, "{name} {direction}");
                }
                if let Some(statement) = refused.as_ref().and_then(|it| it.get("error_statement")) {
                    let error = outcome.error.unwrap();
                    assert_eq!(json!(error.statement()), *statement, "{name} {direction}");
                }
                let ends_with_a_fault = fault.is_some() || refused.is_some();
                assert_eq!(
                    outcome.error.is_some(),
                    ends_with_a_fault,
                    "{name} {direction}"
                );
                if outcome.error.is_none() {
                    assert_eq!(outcome.position, bytes.len() as u64, "{name} {direction}");
                    assert!(outcome.at_packet_boundary, "{name} {direction}");
                }
            }
        }
    }
    assert_eq!(streams.len(), if is_v5::<V>() { 60 } else { 40 });
}

fn with_type<V: Version>(packet: &V::Owned) -> Value {
    let mut all = json!({ "type": V::packet_type(packet).name() });
    let fields = V::fields(packet).as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(fields);
    all
}

/// The two versions have the same fixed header, but different contents.
#[test]
fn a_packet_of_one_version_is_not_taken_for_one_of_the_other_where_it_shows() {
    let connect = V3::decode(
        &mut &b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c"[..],
        &unlimited(),
    );
    assert!(matches!(connect, Ok(Some(v3::Packet::Connect(_)))));
    let error = v5::decode(
        &mut &b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c"[..],
        &unlimited(),
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedProtocolLevel);
    assert_eq!(error.offset(), 8);
}
