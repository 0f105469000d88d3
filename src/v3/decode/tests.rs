use super::*;
use crate::types::TopicName;
use crate::v3::testing::{Vec, decoded, decoded_with, encoded, fault, fault_with, id, round_trip};
use crate::v3::{ConnectRefusal, Delivery};
use crate::wire::{Encode, EncodeError, MAX_REMAINING_LENGTH};
use ErrorKind::*;

/// One packet of each type, in the order of their numbers.
const ALL: [&[u8]; 14] = [
    b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c",
    b"\x20\x02\x00\x05",
    b"\x33\x06\x00\x01a\x00\x0am",
    b"\x40\x02\x00\x0a",
    b"\x50\x02\x00\x0b",
    b"\x62\x02\x00\x0c",
    b"\x70\x02\x00\x0d",
    b"\x82\x06\x00\x0e\x00\x01a\x02",
    b"\x90\x03\x00\x0e\x80",
    b"\xa2\x05\x00\x0f\x00\x01a",
    b"\xb0\x02\x00\x0f",
    b"\xc0\x00",
    b"\xd0\x00",
    b"\xe0\x00",
];

/// The same packet with other flags.
fn with_flags(packet: &[u8], flags: u8) -> Vec<u8> {
    let mut bytes = packet.to_vec();
    bytes[0] = bytes[0] & 0xf0 | flags;
    bytes
}

/// The flags that a decoder accepts for the type of `packet`.
fn accepted_flags(packet: &[u8], options: &Options) -> Vec<u8> {
    (0..16)
        .filter(|&flags| {
            let first_byte = with_flags(packet, flags)[0];
            V3::check_first_byte(first_byte, options).is_ok()
        })
        .collect()
}

// Valid packets

#[test]
fn each_type_encodes_to_the_bytes_it_was_decoded_from() {
    for bytes in ALL {
        round_trip(decoded(bytes), bytes);
    }
}

#[test]
fn each_type_knows_its_number() {
    for (bytes, number) in ALL.into_iter().zip(1..) {
        let packet_type = decoded(bytes).packet_type();
        assert_eq!(packet_type.number(), number);
        assert_eq!(PacketType::from_number(number), Some(packet_type));
    }
}

#[test]
fn pings_and_disconnect_are_nothing_but_their_type() {
    round_trip(Packet::PingReq, b"\xc0\x00");
    round_trip(Packet::PingResp, b"\xd0\x00");
    round_trip(Packet::Disconnect, b"\xe0\x00");
}

#[test]
fn no_packet_is_written_in_part() {
    for bytes in ALL {
        for room in 0..bytes.len() {
            let mut buffer = [0xee; 32];
            let error = decoded(bytes)
                .encode_to_slice(&mut buffer[..room])
                .unwrap_err();
            let needed = bytes.len();
            assert_eq!(error, EncodeError::no_room(needed));
            assert_eq!(buffer, [0xee; 32]);
        }
    }
}

#[test]
fn encoded_len_is_the_number_of_bytes() {
    for bytes in ALL {
        assert_eq!(decoded(bytes).encoded_len(), Ok(bytes.len()));
    }
}

#[cfg(feature = "alloc")]
#[test]
fn encode_to_vec_is_the_same_bytes() {
    for bytes in ALL {
        assert_eq!(decoded(bytes).encode_to_vec().as_deref(), Ok(bytes));
    }
}

// The first byte

#[test]
fn reserved_packet_types_are_refused_whatever_the_flags() {
    for flags in 0..16 {
        for first_byte in [flags, 0xf0 | flags] {
            assert_eq!(
                fault(&[first_byte, 0]),
                (
                    ReservedPacketType,
                    Field::PacketType,
                    0,
                    Some("MQTT-4.8.0-1")
                )
            );
        }
    }
}

#[test]
fn a_reserved_packet_type_names_no_packet() {
    let error = decode(&mut &b"\xf0\x00"[..], &Options::new()).unwrap_err();
    assert_eq!(error.packet_type(), None);
}

#[test]
fn the_flags_of_each_type_are_those_of_table_2_2() {
    for bytes in ALL {
        let packet_type = decoded(bytes).packet_type();
        let accepted = accepted_flags(bytes, &Options::new());
        match packet_type {
            // Without QoS 3, and without DUP at QoS 0.
            PacketType::Publish => assert_eq!(accepted, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13]),
            PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => {
                assert_eq!(accepted, [0b0010], "{packet_type}");
            }
            _ => assert_eq!(accepted, [0], "{packet_type}"),
        }
    }
}

#[test]
fn other_flags_are_refused_by_the_statement_for_their_packet() {
    for bytes in ALL {
        let packet_type = decoded(bytes).packet_type();
        let statement = match packet_type {
            PacketType::Publish => continue,
            PacketType::PubRel => "MQTT-3.6.1-1",
            PacketType::Subscribe => "MQTT-3.8.1-1",
            PacketType::Unsubscribe => "MQTT-3.10.1-1",
            PacketType::Disconnect => "MQTT-3.14.1-1",
            _ => "MQTT-2.2.2-2",
        };
        for flags in (0..16).filter(|&flags| flags != bytes[0] & 0x0f) {
            assert_eq!(
                fault(&with_flags(bytes, flags)),
                (InvalidFlags, Field::Flags, 0, Some(statement)),
                "{packet_type}"
            );
        }
    }
}

#[test]
fn the_first_byte_alone_is_enough_to_refuse_it() {
    for first_byte in 0..=255 {
        let whole = V3::check_first_byte(first_byte, &Options::new());
        let bytes = [first_byte];
        let alone = decode(&mut &bytes[..], &Options::new());
        assert_eq!(alone, whole.map(|()| None));
    }
}

// Leniencies

/// The types whose flags `options` accepts beyond Table 2.2, and these flags.
fn let_in(options: Options) -> Vec<(PacketType, Vec<u8>)> {
    let mut all = Vec::new();
    for bytes in ALL {
        let strict = accepted_flags(bytes, &Options::new());
        let mut more = accepted_flags(bytes, &options);
        more.retain(|flags| !strict.contains(flags));
        if !more.is_empty() {
            all.push((decoded(bytes).packet_type(), more));
        }
    }
    all
}

#[test]
fn a_strict_decoder_lets_nothing_in() {
    assert_eq!(let_in(Options::new()), []);
    assert_eq!(let_in(Options::new().max_filters(1)), []);
}

#[test]
fn accept_pubrel_flags_lets_in_any_flags_of_pubrel() {
    let flags: Vec<u8> = (0..16).filter(|&flags| flags != 2).collect();
    assert_eq!(
        let_in(Options::new().accept_pubrel_flags(true)),
        [(PacketType::PubRel, flags)]
    );
}

#[test]
fn accept_acknowledgement_flags_lets_in_any_flags_of_acknowledgements() {
    let flags: Vec<u8> = (1..16).collect();
    assert_eq!(
        let_in(Options::new().accept_acknowledgement_flags(true)),
        [
            PacketType::PubAck,
            PacketType::PubRec,
            PacketType::PubComp,
            PacketType::SubAck,
            PacketType::UnsubAck
        ]
        .map(|packet_type| (packet_type, flags.clone()))
    );
}

#[test]
fn accept_dup_on_requests_lets_in_dup_and_nothing_else() {
    assert_eq!(
        let_in(Options::new().accept_dup_on_requests(true)),
        [PacketType::Subscribe, PacketType::Unsubscribe]
            .map(|packet_type| (packet_type, [0b1010].into()))
    );
}

#[test]
fn accept_dup_at_qos_0_lets_in_dup_at_qos_0() {
    assert_eq!(
        let_in(Options::new().accept_dup_at_qos_0(true)),
        [(PacketType::Publish, [0b1000, 0b1001].into())]
    );
}

#[test]
fn refusing_overlong_lengths_lets_nothing_in() {
    assert_eq!(
        let_in(Options::new().refuse_overlong_remaining_length(true)),
        []
    );
}

#[test]
fn a_leniency_can_be_taken_back() {
    let options = Options::new()
        .accept_pubrel_flags(true)
        .accept_acknowledgement_flags(true)
        .accept_pubrel_flags(false)
        .accept_acknowledgement_flags(false);
    assert_eq!(let_in(options), []);
}

#[test]
fn what_was_let_in_is_written_as_the_standard_says() {
    let options = Options::new()
        .accept_pubrel_flags(true)
        .accept_acknowledgement_flags(true)
        .accept_dup_on_requests(true);
    for bytes in ALL.into_iter().filter(|bytes| bytes[0] >> 4 != 3) {
        for flags in accepted_flags(bytes, &options) {
            let lax = with_flags(bytes, flags);
            assert_eq!(encoded(&decoded_with(&lax, &options)).as_deref(), Ok(bytes));
        }
    }
}

#[test]
fn a_leniency_about_flags_is_none_about_the_rest() {
    let options = Options::new().accept_pubrel_flags(true);
    assert_eq!(
        fault_with(b"\x60\x02\x00\x00", &options),
        (ZeroPacketIdentifier, Field::PacketIdentifier, 2, None)
    );
}

// Remaining Length

#[test]
fn a_fifth_length_byte_is_refused() {
    assert_eq!(
        fault(b"\xc0\x80\x80\x80\x80\x00"),
        (RemainingLengthTooLong, Field::RemainingLength, 1, None)
    );
}

#[test]
fn a_length_may_take_more_bytes_than_it_needs() {
    for mut bytes in [
        &b"\xc0\x80\x00"[..],
        b"\xc0\x80\x80\x00",
        b"\xc0\x80\x80\x80\x00",
    ] {
        assert_eq!(
            decode(&mut bytes, &Options::new()),
            Ok(Some(Packet::PingReq))
        );
        assert!(bytes.is_empty());
    }
}

#[test]
fn a_length_may_not_if_that_is_refused() {
    let options = Options::new().refuse_overlong_remaining_length(true);
    assert_eq!(decoded_with(b"\xc0\x00", &options), Packet::PingReq);
    assert_eq!(
        fault_with(b"\xc0\x80\x00", &options),
        (RemainingLengthNotMinimal, Field::RemainingLength, 1, None)
    );
}

#[test]
fn a_ping_or_disconnect_with_a_body_is_refused() {
    for first_byte in [0xc0, 0xd0, 0xe0] {
        assert_eq!(
            fault(&[first_byte, 1, 0]),
            (
                TrailingBytes,
                Field::RemainingLength,
                2,
                Some("MQTT-4.8.0-1")
            )
        );
    }
}

#[test]
fn a_packet_of_a_fixed_size_is_refused_before_the_bytes_it_should_not_have() {
    // Otherwise a decoder would buffer up to 256 MiB first.
    for bytes in ALL.into_iter().filter(|bytes| bytes.len() <= 4) {
        let body = &bytes[2..];
        for header_only in [&[bytes[0], 0x7f][..], &[bytes[0], 0xff, 0xff, 0xff, 0x7f]] {
            let header = decode(&mut &*header_only, &Options::new()).unwrap_err();
            assert_eq!(header.kind(), TrailingBytes);
            let offset = header_only.len().saturating_add(body.len());
            assert_eq!(header.offset(), offset);
        }
        let header = peek(&[bytes[0], 0x7f], &Options::new()).unwrap_err();
        let mut whole = [bytes[0], 0x7f].to_vec();
        whole.extend(body);
        whole.resize(0x81, 0);
        let whole = decode(&mut &whole[..], &Options::new()).unwrap_err();
        assert_eq!(whole, header);
    }
}

#[test]
fn what_is_wrong_with_an_oversized_packet_does_not_depend_on_how_much_of_it_is_there() {
    for bytes in [
        &b"\x40\x03\x00\x00\x00"[..], // and its Packet Identifier is 0
        b"\x20\x03\x02\x00\x00",      // and a reserved flag is set
        b"\x20\x03\x01\x01\x00",      // and Session Present goes with a refusal
        b"\x20\x03\x00\x06\x00",      // and its return code does not exist
    ] {
        let whole = decode(&mut &*bytes, &Options::new()).unwrap_err();
        for len in 2..bytes.len() {
            assert_eq!(
                decode(&mut &bytes[..len], &Options::new()),
                Err(whole),
                "{len} bytes"
            );
        }
    }
}

#[test]
fn a_packet_of_a_fixed_size_that_is_too_short_is_refused_once_it_is_there() {
    assert_eq!(
        fault(b"\x40\x01\x00"),
        (Truncated, Field::PacketIdentifier, 2, Some("MQTT-4.8.0-1"))
    );
    assert_eq!(decode(&mut &b"\x40\x01"[..], &Options::new()), Ok(None));
}

// Limits

#[test]
fn a_packet_of_the_largest_size_passes_and_one_byte_more_does_not() {
    let publish = b"\x30\x08\x00\x01a12345";
    assert_eq!(
        decoded_with(publish, &Options::new().max_packet_size(10)),
        decoded(publish)
    );
    assert_eq!(
        fault_with(publish, &Options::new().max_packet_size(9)),
        (PacketTooLarge, Field::RemainingLength, 1, None)
    );
}

#[test]
fn a_short_packet_over_the_limit_is_refused_too() {
    for packet in ALL.iter().filter(|packet| packet.len() <= 4) {
        let len = u32::try_from(packet.len()).unwrap();
        let (exact, less) = (
            Options::new().max_packet_size(len),
            Options::new().max_packet_size(len.wrapping_sub(1)),
        );
        assert_eq!(decoded_with(packet, &exact), decoded(packet));
        let refused = (PacketTooLarge, Field::RemainingLength, 1, None);
        assert_eq!(fault_with(packet, &less), refused, "{packet:x?}");

        let mut decoder = crate::v3::Decoder::with_options([0; 8], less);
        let error = decoder.decode(&mut &packet[..]).unwrap_err();
        assert_eq!(error.kind(), PacketTooLarge, "{packet:x?}");
    }
}

#[test]
fn a_packet_over_the_limit_is_refused_by_its_fixed_header() {
    assert_eq!(
        fault_with(b"\x30\x09", &Options::new().max_packet_size(10)),
        (PacketTooLarge, Field::RemainingLength, 1, None)
    );
}

// Decoding

#[test]
fn a_packet_that_is_not_all_there_stays_where_it_is() {
    for bytes in ALL {
        for len in 0..bytes.len() {
            let mut src = &bytes[..len];
            assert_eq!(decode(&mut src, &Options::new()), Ok(None));
            assert_eq!(src.len(), len);
        }
    }
}

#[test]
fn decoding_stops_behind_the_packet() {
    let all = ALL.concat();
    let mut src = &all[..];
    for bytes in ALL {
        let packet = decode(&mut src, &Options::new()).unwrap();
        assert_eq!(packet, Some(decoded(bytes)));
    }
    assert_eq!(decode(&mut src, &Options::new()), Ok(None));
}

// Peeking

#[test]
fn peek_tells_how_long_a_packet_is_before_it_is_there() {
    let options = Options::new().max_packet_size(u32::MAX);
    let header = peek(b"\x3d\xff\xff\xff\x7f", &options).unwrap().unwrap();
    assert_eq!(header.packet_type(), Some(PacketType::Publish));
    assert_eq!(header.first_byte(), 0x3d);
    assert_eq!(header.remaining_length(), MAX_REMAINING_LENGTH);
    assert_eq!(header.len(), 5);
    assert_eq!(header.packet_len(), 268_435_460);
}

#[test]
fn peek_asks_for_more_until_the_fixed_header_is_there() {
    for src in [&b""[..], b"\x30", b"\x30\x80", b"\x30\x80\x80\x80"] {
        assert_eq!(peek(src, &Options::new()), Ok(None));
    }
}

#[test]
fn peek_looks_at_nothing_behind_the_fixed_header() {
    // Its Packet Identifier is 0.
    let header = peek(b"\x40\x02\x00\x00", &Options::new()).unwrap();
    assert_eq!(header.map(|header| header.packet_len()), Some(4));
}

#[test]
fn peek_refuses_what_the_fixed_header_gives_away() {
    for (src, kind, field, offset) in [
        (&b"\xf0"[..], ReservedPacketType, Field::PacketType, 0),
        (b"\x41", InvalidFlags, Field::Flags, 0),
        (
            b"\x30\xff\xff\xff\xff",
            RemainingLengthTooLong,
            Field::RemainingLength,
            1,
        ),
        (b"\xc0\x01", TrailingBytes, Field::RemainingLength, 2),
        (
            b"\x30\xff\xff\x7f",
            PacketTooLarge,
            Field::RemainingLength,
            1,
        ),
    ] {
        let error = peek(src, &Options::new()).unwrap_err();
        assert_eq!(
            (error.kind(), error.field(), error.offset()),
            (kind, field, offset)
        );
    }
}

#[test]
fn peek_has_the_limit_of_decode() {
    let limit = |bytes| Options::new().max_packet_size(bytes);
    assert!(peek(b"\x30\x08", &limit(10)).unwrap().is_some());
    let error = peek(b"\x30\x08", &limit(9)).unwrap_err();
    assert_eq!(decode(&mut &b"\x30\x08"[..], &limit(9)), Err(error));
}

// Conversions

#[test]
fn every_packet_with_a_type_of_its_own_becomes_a_packet() {
    for bytes in ALL {
        let packet = decoded(bytes);
        let again = match packet {
            Packet::Connect(packet) => packet.into(),
            Packet::ConnAck(packet) => packet.into(),
            Packet::Publish(packet) => packet.into(),
            Packet::PubAck(packet) => packet.into(),
            Packet::PubRec(packet) => packet.into(),
            Packet::PubRel(packet) => packet.into(),
            Packet::PubComp(packet) => packet.into(),
            Packet::Subscribe(packet) => packet.into(),
            Packet::SubAck(packet) => packet.into(),
            Packet::Unsubscribe(packet) => packet.into(),
            Packet::UnsubAck(packet) => packet.into(),
            Packet::PingReq | Packet::PingResp | Packet::Disconnect => packet,
        };
        assert_eq!(again, packet);
    }
}

#[test]
fn from_puts_a_packet_into_the_variant_of_its_name() {
    let packet_id = id(10);
    let publish = Publish {
        delivery: Delivery::AtLeastOnce {
            packet_id,
            dup: false,
        },
        retain: true,
        topic: TopicName::new("a").unwrap(),
        payload: &b"m"[..],
    };
    let refused = ConnAck::Refused(ConnectRefusal::NotAuthorized);
    assert_eq!(Packet::from(publish), decoded(ALL[2]));
    assert_eq!(Packet::from(refused), decoded(ALL[1]));
    assert_eq!(Packet::from(PubAck { packet_id }), decoded(ALL[3]));
}

#[test]
fn map_keeps_every_packet() {
    for bytes in ALL {
        let moved = decoded(bytes).map(<[u8]>::to_vec);
        assert_eq!(encoded(&moved).as_deref(), Ok(bytes));
        assert_eq!(moved.packet_type(), decoded(bytes).packet_type());
    }
}

#[cfg(feature = "alloc")]
#[test]
fn to_owned_keeps_every_packet() {
    for bytes in ALL {
        let owned: Packet<Vec<u8>> = decoded(bytes).to_owned();
        assert_eq!(encoded(&owned).as_deref(), Ok(bytes));
    }
}

#[test]
fn only_a_publish_has_a_payload_that_could_come_in_pieces() {
    for bytes in ALL {
        let header = peek(bytes, &Options::new()).unwrap().unwrap();
        let start = V3::payload_start(&header, bytes);
        match header.packet_type() {
            Some(PacketType::Publish) => assert_eq!(start, Ok(PayloadStart::At(7))),
            _ => assert_eq!(start, Ok(PayloadStart::Whole)),
        }
    }
}

#[test]
fn the_header_of_a_payload_in_pieces_is_that_of_the_publish() {
    let bytes = ALL[2];
    let header = peek(bytes, &Options::new()).unwrap().unwrap();
    let Packet::Publish(publish) = decoded(bytes) else {
        panic!("not a PUBLISH");
    };
    assert_eq!(
        V3::read_payload_header(&header, &bytes[..7], &Options::new()),
        Ok(publish.header().unwrap())
    );
}
