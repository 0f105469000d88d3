//! Properties of every packet, every sequence of bytes and every split.
//!
//! A failing case is printed and kept in the target directory, where the next run starts with it.
//! `PROPTEST_CASES` sets the number of cases.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    Item, as_written, cut, decode_at_once, encode, feed, fixed_header, frame, minimal, owned,
    receive, unlimited,
};
use mqtt_sansio::v3::{
    self, ConnAck, Connect, ConnectRefusal, Credentials, Decoder, Delivery, EncodedConnect, Packet,
    ProtocolLevel, PubAck, PubComp, PubRec, PubRel, Publish, ReturnCode, ReturnCodes, SubAck,
    Subscribe, Subscription, Subscriptions, TopicFilters, UnsubAck, Unsubscribe, V3, Will,
};
use mqtt_sansio::v5;
use mqtt_sansio::{
    Encode, EncodeError, ErrorKind, Options, PacketId, Piece, QoS, Text, TopicFilter, TopicName,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: cases.and_then(|n| n.parse().ok()).unwrap_or(500),
        // The default is a directory next to the sources.
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_TARGET_TMPDIR"),
            "/properties.txt"
        )))),
        ..ProptestConfig::default()
    }
}

// Packets

fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        4 => prop::char::range('\u{1}', '~'),
        2 => prop::sample::select(vec!['/', '$', '+', '#', ' ', '\u{feff}', '\u{80}', 'é', '€', '😀']),
        1 => any::<char>(),
    ]
    .prop_filter("U+0000", |&c| c != '\0')
}

fn text() -> impl Strategy<Value = Text<Vec<u8>>> {
    vec(character(), 0..40).prop_map(|chars| {
        Text::from_bytes(chars.into_iter().collect::<String>().into_bytes()).unwrap()
    })
}

fn level() -> impl Strategy<Value = String> {
    vec(character(), 0..12).prop_map(|chars| {
        let wanted = |c: &char| !matches!(c, '/' | '+' | '#');
        chars.into_iter().filter(wanted).collect()
    })
}

fn topic_name() -> impl Strategy<Value = TopicName<Vec<u8>>> {
    vec(level(), 1..6)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("empty", |name| !name.is_empty())
        .prop_map(|name| TopicName::from_bytes(name.into_bytes()).unwrap())
}

fn topic_filter() -> impl Strategy<Value = TopicFilter<Vec<u8>>> {
    let level = prop_oneof![3 => level(), 1 => Just("+".to_owned())];
    (vec(level, 0..5), any::<bool>())
        .prop_map(|(mut levels, everything_below)| {
            if everything_below {
                levels.push("#".to_owned());
            }
            levels.join("/")
        })
        .prop_filter("empty", |filter| !filter.is_empty())
        .prop_map(|filter| TopicFilter::from_bytes(filter.into_bytes()).unwrap())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![3 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 100..300)]
}

fn qos() -> impl Strategy<Value = QoS> {
    prop::sample::select(vec![QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|number| PacketId::new(number).unwrap())
}

fn connect() -> impl Strategy<Value = Connect<Vec<u8>>> {
    let will =
        (topic_name(), bytes(), qos(), any::<bool>()).prop_map(|(topic, message, qos, retain)| {
            Will {
                topic,
                message,
                qos,
                retain,
            }
        });
    let credentials =
        (text(), prop::option::of(bytes())).prop_map(|(user_name, password)| Credentials {
            user_name,
            password,
        });
    let level = prop::sample::select(vec![ProtocolLevel::V3_1, ProtocolLevel::V3_1_1]);
    (
        level,
        any::<bool>(),
        any::<u16>(),
        text(),
        prop::option::of(will),
        prop::option::of(credentials),
    )
        .prop_map(
            |(protocol_level, clean_session, keep_alive, client_id, will, credentials)| Connect {
                protocol_level,
                clean_session,
                keep_alive,
                client_id,
                will,
                credentials,
            },
        )
        .prop_filter("a client identifier is needed", |connect| {
            !connect.client_id.as_bytes().is_empty()
                || (connect.clean_session && connect.protocol_level == ProtocolLevel::V3_1_1)
        })
}

/// Its encoding in a packet, with and without the feature `alloc`.
fn encoded_connect(connect: &Connect<Vec<u8>>) -> EncodedConnect<Vec<u8>> {
    let mut buffer = vec![0; connect.encoded_len().unwrap()];
    let encoded = EncodedConnect::encode_to_slice(&mut buffer, connect);
    encoded.unwrap().map(<[u8]>::to_vec)
}

fn connack() -> impl Strategy<Value = ConnAck> {
    prop_oneof![
        any::<bool>().prop_map(|session_present| ConnAck::Accepted { session_present }),
        (1..=5_u8)
            .prop_map(|code| ConnAck::Refused(ConnectRefusal::from_return_code(code).unwrap())),
    ]
}

fn publish() -> impl Strategy<Value = Publish<Vec<u8>>> {
    let delivery =
        (qos(), packet_id(), any::<bool>()).prop_map(|(qos, packet_id, dup)| match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id, dup },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id, dup },
        });
    (delivery, any::<bool>(), topic_name(), bytes()).prop_map(
        |(delivery, retain, topic, payload)| Publish {
            delivery,
            retain,
            topic,
            payload,
        },
    )
}

/// The size of a buffer for any list that is built here.
const ENTRIES: usize = 4096;

fn subscribe() -> impl Strategy<Value = Subscribe<Vec<u8>>> {
    (packet_id(), vec((topic_filter(), qos()), 1..5)).prop_map(|(packet_id, entries)| {
        let entries = entries.iter().map(|(filter, qos)| Subscription {
            topic_filter: filter.as_ref(),
            qos: *qos,
        });
        let mut buffer = [0; ENTRIES];
        let list = Subscriptions::encode_to_slice(&mut buffer, entries).unwrap();
        Subscribe {
            packet_id,
            subscriptions: list.map(<[u8]>::to_vec),
        }
    })
}

fn unsubscribe() -> impl Strategy<Value = Unsubscribe<Vec<u8>>> {
    (packet_id(), vec(topic_filter(), 1..5)).prop_map(|(packet_id, filters)| {
        let mut buffer = [0; ENTRIES];
        let filters = filters.iter().map(TopicFilter::as_ref);
        let list = TopicFilters::encode_to_slice(&mut buffer, filters).unwrap();
        Unsubscribe {
            packet_id,
            topic_filters: list.map(<[u8]>::to_vec),
        }
    })
}

fn suback() -> impl Strategy<Value = SubAck<Vec<u8>>> {
    let code = prop::sample::select(vec![0, 1, 2, 0x80]);
    (packet_id(), vec(code, 1..150)).prop_map(|(packet_id, codes)| {
        let codes = codes
            .into_iter()
            .map(|code| ReturnCode::from_number(code).unwrap());
        let mut buffer = [0; ENTRIES];
        let list = ReturnCodes::encode_to_slice(&mut buffer, codes).unwrap();
        SubAck {
            packet_id,
            return_codes: list.map(<[u8]>::to_vec),
        }
    })
}

fn packet() -> impl Strategy<Value = Packet<Vec<u8>>> {
    prop_oneof![
        3 => connect().prop_map(|connect| Packet::Connect(encoded_connect(&connect))),
        1 => connack().prop_map(Packet::ConnAck),
        4 => publish().prop_map(Packet::Publish),
        1 => packet_id().prop_map(|packet_id| PubAck { packet_id }.into()),
        1 => packet_id().prop_map(|packet_id| PubRec { packet_id }.into()),
        1 => packet_id().prop_map(|packet_id| PubRel { packet_id }.into()),
        1 => packet_id().prop_map(|packet_id| PubComp { packet_id }.into()),
        2 => subscribe().prop_map(Packet::Subscribe),
        1 => suback().prop_map(Packet::SubAck),
        2 => unsubscribe().prop_map(Packet::Unsubscribe),
        1 => packet_id().prop_map(|packet_id| UnsubAck { packet_id }.into()),
        1 => prop::sample::select(vec![Packet::PingReq, Packet::PingResp, Packet::Disconnect]),
    ]
}

// Bytes

/// Bytes that may or may not be packets: arbitrary ones, or after a fixed header that fits them.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        (any::<u8>(), vec(any::<u8>(), 0..24)).prop_map(|(first, body)| frame(first, &body)),
        (
            any::<u8>(),
            vec(
                prop::sample::select(vec![0, 1, 2, 4, b'a', b'/', b'+']),
                0..12
            )
        )
            .prop_map(|(first, body)| frame(first, &body)),
    ]
}

#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Replace(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let byte = || {
        prop_oneof![
            any::<u8>(),
            prop::sample::select(vec![0, 1, 0x7f, 0x80, 0xff])
        ]
    };
    prop_oneof![
        3 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        2 => (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        1 => (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Truncate),
    ]
}

/// A valid packet with a change, mostly in its first bytes, which contain lengths and flags. Half
/// of them get a Remaining Length that fits again.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    (packet(), vec(change(), 1..4), any::<bool>(), any::<bool>()).prop_map(
        |(packet, changes, in_front, fit)| {
            let mut bytes = encode(&packet);
            for change in changes {
                let len = if in_front {
                    bytes.len().min(16)
                } else {
                    bytes.len()
                };
                if len == 0 {
                    break;
                }
                match change {
                    Change::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
                    Change::Replace(at, byte) => bytes[at.index(len)] = byte,
                    Change::Insert(at, byte) => bytes.insert(at.index(len), byte),
                    Change::Remove(at) => drop(bytes.remove(at.index(len))),
                    Change::Truncate(at) => bytes.truncate(at.index(bytes.len())),
                }
            }
            match fixed_header(&bytes) {
                Some((_, header_len)) if fit => frame(bytes[0], &bytes[header_len..]),
                _ => bytes,
            }
        },
    )
}

/// Bytes of a peer: mostly packets.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        6 => packet().prop_map(|packet| encode(&packet)),
        2 => mutated(),
        1 => noise(),
    ];
    vec(part, 1..6).prop_map(|parts| parts.concat())
}

/// Positions to split `len` bytes at, in order, some of them twice.
fn places(cuts: &[Index], len: usize) -> Vec<usize> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(len + 1)).collect();
    places.sort_unstable();
    places
}

fn cuts() -> impl Strategy<Value = Vec<Index>> {
    prop_oneof![vec(any::<Index>(), 0..6), vec(any::<Index>(), 30..60)]
}

/// Options whose limits are at least `smallest` bytes.
fn options(smallest: u32) -> impl Strategy<Value = Options> {
    let size = move || prop_oneof![smallest..400_u32, Just(1024 * 1024), Just(u32::MAX)];
    let filters = prop_oneof![0..4_u32, Just(65_535)];
    (size(), size(), filters, any::<[bool; 5]>()).prop_map(
        |(packet, publish, filters, [pubrel, acks, requests, qos_0, overlong])| {
            Options::new()
                .max_packet_size(packet)
                .max_publish_size(publish)
                .max_filters(filters)
                .accept_pubrel_flags(pubrel)
                .accept_acknowledgement_flags(acks)
                .accept_dup_on_requests(requests)
                .accept_dup_at_qos_0(qos_0)
                .refuse_overlong_remaining_length(overlong)
        },
    )
}

/// Decodes the start of `bytes`, and checks the properties of any bytes.
fn decode_anything(bytes: &[u8], options: &Options) -> Result<(), TestCaseError> {
    let mut rest = bytes;
    let result = v3::decode(&mut rest, options);
    let consumed = bytes.len() - rest.len();
    prop_assert!(bytes.ends_with(rest));
    prop_assert_eq!(
        rest.as_ptr(),
        bytes[consumed..].as_ptr(),
        "it moved elsewhere"
    );
    let header = fixed_header(bytes);
    match result {
        Ok(Some(packet)) => {
            let taken = &bytes[..consumed];
            let (remaining_length, header_len) = header.expect("a whole fixed header");
            prop_assert_eq!(consumed, remaining_length + header_len);
            let encoded = encode(&packet);
            // A packet that a leniency accepted encodes as the standard requires.
            prop_assert_eq!(&encoded, &as_written::<V3>(taken, &owned(packet)));
            let again = v3::decode(&mut &encoded[..], &unlimited());
            prop_assert_eq!(again, Ok(Some(packet)));
            if v3::peek(taken, &unlimited()).is_ok() {
                prop_assert_eq!(encoded[0], taken[0]);
            }
        }
        Ok(None) => {
            prop_assert_eq!(consumed, 0);
            if let Some((remaining_length, header_len)) = header {
                prop_assert!(bytes.len() < remaining_length + header_len);
            }
        }
        Err(error) => {
            prop_assert_eq!(consumed, 0);
            let end = header.map_or(5, |(remaining_length, len)| remaining_length + len);
            prop_assert!(error.offset() <= end, "{error} is not in the packet");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_packet_comes_back_as_it_was_through_any_cut(packet in packet(), cuts in cuts()) {
        let bytes = encode(&packet);
        prop_assert_eq!(&bytes[..], &minimal(&bytes)[..]);
        let places = places(&cuts, bytes.len());
        let outcome = feed(Decoder::new([0; ENTRIES]), cut(&bytes, &places));
        prop_assert_eq!(outcome.error, None);
        prop_assert_eq!(outcome.packets, [packet]);
        prop_assert_eq!(outcome.position, bytes.len() as u64);
    }

    #[test]
    fn a_connect_comes_back_with_the_fields_that_it_was_encoded_from(connect in connect()) {
        let bytes = encode(&connect);
        let packet = v3::decode(&mut &bytes[..], &Options::new()).unwrap().unwrap();
        let Packet::Connect(decoded) = packet else { panic!("{packet:?}") };
        prop_assert_eq!(decoded.to_connect(), connect.as_ref());
        let built = encoded_connect(&connect);
        prop_assert_eq!(built.as_ref(), decoded);
    }

    #[test]
    fn packets_behind_each_other_come_back_as_they_were_through_any_cut(
        packets in vec(packet(), 1..8),
        cuts in cuts(),
    ) {
        let bytes: Vec<_> = packets.iter().flat_map(encode).collect();
        let places = places(&cuts, bytes.len());
        let outcome = feed(Decoder::new([0; ENTRIES]), cut(&bytes, &places));
        prop_assert_eq!(outcome.error, None);
        prop_assert_eq!(outcome.packets, packets);
        prop_assert!(outcome.at_packet_boundary);
    }

    #[test]
    fn a_packet_is_written_whole_or_not_at_all(packet in packet(), room in 0..200_usize) {
        let bytes = encode(&packet);
        let mut buffer = [0xEE; 200];
        match packet.encode_to_slice(&mut buffer[..room]) {
            Ok(written) => prop_assert_eq!(&*written, &bytes[..]),
            Err(error) => {
                prop_assert_eq!(error, EncodeError::no_room(bytes.len()));
                prop_assert!(room < bytes.len());
                prop_assert_eq!(buffer, [0xEE; 200]);
            }
        }
    }

    #[test]
    fn the_start_of_a_packet_is_never_a_packet_or_an_error(packet in packet(), end in any::<Index>()) {
        let bytes = encode(&packet);
        let start = &bytes[..end.index(bytes.len())];
        prop_assert_eq!(v3::decode(&mut &start[..], &Options::new()), Ok(None));
        let outcome = feed(Decoder::new([0; ENTRIES]), [start]);
        prop_assert_eq!((outcome.packets.len(), outcome.error, outcome.position), (0, None, 0));
    }

    #[test]
    fn any_bytes_decode_or_do_not_without_a_panic(bytes in noise(), options in options(0)) {
        decode_anything(&bytes, &unlimited())?;
        decode_anything(&bytes, &options)?;
    }

    #[test]
    fn a_changed_packet_decodes_or_does_not_without_a_panic(bytes in mutated(), options in options(0)) {
        decode_anything(&bytes, &unlimited())?;
        decode_anything(&bytes, &options)?;
    }

    #[test]
    fn any_cut_of_any_stream_gives_the_same(
        stream in stream(),
        cuts in cuts(),
        options in options(0),
        room in 0..400_usize,
    ) {
        let mut memory = vec![0xEE; room];
        let capacity = u32::try_from(room).unwrap();
        let pieces = cut(&stream, &places(&cuts, stream.len()));
        for options in [unlimited(), options] {
            let mut through_memory = |pieces: &[&[u8]]| {
                feed(Decoder::with_options(&mut memory[..], options), pieces.iter().copied())
            };
            let whole = through_memory(&[&stream]);
            prop_assert_eq!(&through_memory(&pieces), &whole);
            prop_assert_eq!(&through_memory(&stream.chunks(1).collect::<Vec<_>>()), &whole);
        }
        // Without a `Decoder`, with the buffer's size as the limit.
        let mut memory = vec![0; room];
        let whole = feed(Decoder::new(&mut memory[..]), [&stream[..]]);
        prop_assert_eq!(decode_at_once(&stream, &Options::new().max_packet_size(capacity)), whole);
    }

    #[test]
    fn any_cut_of_any_stream_gives_the_same_in_pieces(
        stream in stream(),
        cuts in cuts(),
        options in options(0),
        room in 0_usize..400,
    ) {
        let mut memory = vec![0xEE; room];
        let pieces = cut(&stream, &places(&cuts, stream.len()));
        for options in [unlimited(), options] {
            let mut through_memory = |pieces: &[&[u8]]| {
                receive(Decoder::with_options(&mut memory[..], options), pieces.iter().copied())
            };
            let whole = through_memory(&[&stream]);
            prop_assert_eq!(&through_memory(&pieces), &whole);
            prop_assert_eq!(&through_memory(&stream.chunks(1).collect::<Vec<_>>()), &whole);
        }
    }

    #[test]
    fn a_stream_of_packets_says_the_same_whole_and_in_pieces(
        packets in vec(packet(), 1..6),
        cuts in cuts(),
        room in 0..400_usize,
    ) {
        let stream: Vec<_> = packets.iter().flat_map(encode).collect();
        let pieces = cut(&stream, &places(&cuts, stream.len()));
        let received = receive(Decoder::new(&mut vec![0; room][..]), pieces);
        let count = received.items.len();
        let found: Vec<_> = received.items.into_iter().map(Item::into_packet).collect();
        prop_assert_eq!(&found[..], &packets[..count]);
        match received.error {
            None => prop_assert_eq!(count, packets.len()),
            // It stops only at a packet that exceeds the buffer and cannot arrive in pieces.
            Some(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
                let len = match &packets[count] {
                    Packet::Publish(publish) => publish.header().unwrap().encoded_len().unwrap(),
                    packet => packet.encoded_len().unwrap(),
                };
                prop_assert!(len > room, "{} bytes into {}", len, room);
            }
        }
    }

    #[test]
    fn changing_between_whole_packets_and_pieces_never_loses_the_place(
        packets in vec(packet(), 1..8),
        cuts in cuts(),
        in_pieces in vec(any::<bool>(), 1..40),
        room in 0..400_usize,
    ) {
        let stream: Vec<_> = packets.iter().flat_map(encode).collect();
        let starts: Vec<u64> = packets
            .iter()
            .scan(0, |at, packet| {
                let start = *at;
                *at += packet.encoded_len().unwrap() as u64;
                Some(start)
            })
            .collect();
        let mut memory = vec![0; room];
        let mut decoder = Decoder::new(&mut memory[..]);
        let mut in_pieces = in_pieces.into_iter().cycle();
        'stream: for mut input in cut(&stream, &places(&cuts, stream.len())) {
            loop {
                let before = decoder.position();
                let found = if in_pieces.next().unwrap() {
                    decoder.decode_in_pieces(&mut input).map(|piece| match piece {
                        Some(Piece::Packet(packet)) => Some(Some(owned(packet))),
                        Some(_) => Some(None),
                        None => None,
                    })
                } else {
                    decoder.decode(&mut input).map(|packet| packet.map(|packet| Some(owned(packet))))
                };
                prop_assert!(decoder.position() >= before);
                match found {
                    Ok(Some(Some(packet))) => {
                        let start = decoder.position() - packet.encoded_len().unwrap() as u64;
                        let at = starts.iter().position(|&other| other == start);
                        prop_assert_eq!(at.map(|at| &packets[at]), Some(&packet));
                    }
                    Ok(Some(None)) => {}
                    Ok(None) => {
                        prop_assert!(input.is_empty(), "None says that the input is used up");
                        break;
                    }
                    Err(error) => {
                        prop_assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
                        prop_assert!(starts.contains(&decoder.position()));
                        break 'stream;
                    }
                }
            }
        }
    }

    #[test]
    fn an_owned_packet_and_the_borrowed_one_are_written_the_same(bytes in prop_oneof![stream(), mutated()]) {
        let mut rest = &bytes[..];
        while let Ok(Some(packet)) = v3::decode(&mut rest, &unlimited()) {
            let copy = owned(packet);
            prop_assert_eq!(encode(&copy), encode(&packet));
            prop_assert_eq!(format!("{copy:?}"), format!("{packet:?}"));
        }
    }
}

#[cfg(feature = "bytes")]
proptest! {
    #![proptest_config(config())]

    #[test]
    fn bytes_yield_the_packets_that_slices_yield(stream in stream(), options in options(0)) {
        let mut rest = &stream[..];
        let mut src = bytes::BytesMut::from(rest);
        loop {
            let expected = v3::decode(&mut rest, &options);
            let packet = v3::decode_bytes(&mut src, &options);
            let packet = packet.map(|packet| packet.map(|packet| packet.map(|b| b.to_vec())));
            let is_last = !matches!(expected, Ok(Some(_)));
            prop_assert_eq!(packet, expected.map(|packet| packet.map(owned)));
            prop_assert_eq!(&src[..], rest);
            if is_last {
                break;
            }
        }
    }
}

// MQTT 5

/// A property of some packet, more or less: often valid, sometimes truncated or unknown.
fn property_bytes() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        Just(vec![0]),
        Just(vec![1]),
        Just(vec![0, 7]),
        Just(vec![0, 0, 0, 9]),
        Just(vec![0xff, 0x7f]),
        vec(any::<u8>(), 0..6),
        text().prop_map(|text| v5_string(text.as_bytes())),
        (text(), text()).prop_map(|(name, value)| {
            [v5_string(name.as_bytes()), v5_string(value.as_bytes())].concat()
        }),
    ];
    (0_u8..0x2c, value).prop_map(|(identifier, value)| [vec![identifier], value].concat())
}

fn v5_string(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap();
    [&len.to_be_bytes(), bytes].concat()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn properties_that_decode_are_iterated_to_the_same_bytes_and_others_cannot_be_built(
        all in vec(property_bytes(), 0..5),
    ) {
        let all = all.concat();
        // A Property Length of one byte.
        let all = if all.len() < 128 { all } else { Vec::new() };
        let len = u8::try_from(all.len()).unwrap();
        let publish = frame(0x30, &[b"\x00\x01t", &[len][..], &all].concat());
        if let Ok(Some(v5::Packet::Publish(publish))) =
            v5::decode(&mut &publish[..], &unlimited())
        {
            let properties = publish.properties;
            prop_assert_eq!(properties.as_bytes(), &all[..]);
            let mut buffer = [0; 128];
            let again = v5::PublishProperties::encode_to_slice(&mut buffer, properties.iter());
            prop_assert_eq!(again, Ok(properties));
            let twice = properties.iter().chain(&properties);
            let repeated = v5::PublishProperties::<&[u8]>::encoded_len(twice);
            let may_be_repeated = properties.iter().all(|property| matches!(
                property,
                v5::Property::UserProperty { .. } | v5::Property::SubscriptionIdentifier(_)
            ));
            prop_assert_eq!(repeated.is_ok(), may_be_repeated);
            // Only PUBLISH has the properties that a Will cannot have.
            let as_will = v5::WillProperties::<&[u8]>::encoded_len(properties.iter());
            let only_publish = properties.iter().any(|property| matches!(
                property,
                v5::Property::TopicAlias(_) | v5::Property::SubscriptionIdentifier(_)
            ));
            prop_assert_eq!(as_will.is_err(), only_publish);
        }
    }

    #[test]
    fn no_bytes_that_follow_a_fixed_header_of_mqtt_5_panic_and_what_decodes_comes_back(
        first_byte in any::<u8>(),
        body in vec(any::<u8>(), 0..40),
        properties in vec(property_bytes(), 0..3),
    ) {
        let properties = properties.concat();
        let properties = if properties.len() < 60 { properties } else { Vec::new() };
        let len = u8::try_from(properties.len()).unwrap();
        for body in [
            body.clone(),
            [b"\x00\x01\x00", &[len][..], &properties, &body].concat(),
            [b"\x00\x00", &[len][..], &properties, &body].concat(),
            [b"\x00\x04MQTT\x05\xc2\x00\x00", &[len][..], &properties, &body].concat(),
        ] {
            let bytes = frame(first_byte, &body);
            if let Ok(Some(packet)) = v5::decode(&mut &bytes[..], &unlimited()) {
                let written = encode(&packet);
                prop_assert!(written.len() <= bytes.len());
                let again = v5::decode(&mut &written[..], &unlimited());
                prop_assert_eq!(again, Ok(Some(packet)));
            }
        }
    }
}
