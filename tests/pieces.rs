//! A payload larger than the buffer is received, and sent, in pieces.

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
    Item, Received, Version, cut, decode_at_once, encode, for_each_version, frame, owned, receive,
    unlimited,
};
use mqtt_sansio::v3::{Decoder, Delivery, Packet, Publish, PublishHeader, V3};
use mqtt_sansio::{
    Encode, ErrorKind, Field, MAX_REMAINING_LENGTH, Options, PacketId, Piece, StreamDecoder,
    TopicName,
};

const ROOM: u32 = 512;

/// Receives through 512 bytes, with each kind of buffer.
fn receive_by_each_memory(parts: &[&[u8]], test: impl Fn(Received)) {
    let parts = || parts.iter().copied();
    let mut memory = [0xEE; ROOM as usize];
    test(receive(Decoder::new([0; ROOM as usize]), parts()));
    test(receive(Decoder::new(&mut memory[..]), parts()));
    #[cfg(feature = "alloc")]
    {
        let options = Options::new().max_packet_size(ROOM);
        test(receive(Decoder::with_options(Vec::new(), options), parts()));
    }
}

/// The stream whole, split in two at every position up to `places` and then at every 50th, and in
/// equal parts.
fn each_cut(stream: &[u8], places: usize, test: impl Fn(&[&[u8]])) {
    for place in (0..stream.len()).filter(|place| *place < places || place % 50 == 0) {
        test(&cut(stream, &[place]));
    }
    for step in [1, 2, 3, 7, 100, 511, 512, 513, 1460] {
        test(&stream.chunks(step).collect::<Vec<_>>());
    }
}

fn payload(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

/// Returns a message with a topic of `topic_len` bytes and a payload of `payload_len`.
fn publish(delivery: Delivery, topic_len: usize, payload_len: usize) -> Publish<Vec<u8>> {
    Publish {
        delivery,
        retain: true,
        topic: TopicName::from_bytes(vec![b't'; topic_len]).unwrap(),
        payload: payload(payload_len),
    }
}

const fn deliveries() -> [Delivery; 3] {
    let packet_id = PacketId::new(0x0102).unwrap();
    [
        Delivery::AtMostOnce,
        Delivery::AtLeastOnce {
            packet_id,
            dup: true,
        },
        Delivery::ExactlyOnce {
            packet_id,
            dup: false,
        },
    ]
}

#[test]
fn a_publish_larger_than_the_memory_comes_as_header_and_payload_however_it_is_cut() {
    for delivery in deliveries() {
        let message = publish(delivery, 20, 2000);
        let header = PublishHeader {
            delivery,
            retain: true,
            topic: message.topic.clone(),
            payload_len: 2000,
        };
        let stream = encode(&message);
        each_cut(&stream, stream.len(), |parts| {
            receive_by_each_memory(parts, |received| {
                let expected = Item::InPieces(header.clone(), message.payload.clone());
                assert!(received.items == [expected], "{:?}", received.error);
                assert_eq!(received.error, None);
                assert_eq!(received.position, stream.len() as u64);
                assert!(received.at_packet_boundary);
            });
        });
    }
}

#[test]
fn a_publish_of_exactly_the_memory_comes_whole_and_one_byte_more_comes_in_pieces() {
    for (packet_len, in_pieces) in [(512, false), (513, true)] {
        let message = publish(Delivery::AtMostOnce, 20, packet_len - 25);
        let stream = encode(&message);
        assert_eq!(stream.len(), packet_len);
        each_cut(&stream, stream.len(), |parts| {
            receive_by_each_memory(parts, |received| match &received.items[..] {
                [Item::Whole(packet)] => {
                    assert!(!in_pieces && *packet == Packet::Publish(message.clone()));
                }
                [Item::InPieces(_, payload)] => assert!(in_pieces && *payload == message.payload),
                other => panic!("{other:?}"),
            });
        });
    }
}

for_each_version! {
    every_packet_of_the_vectors_comes_out_the_same_whole_or_in_pieces
    a_packet_comes_in_pieces_or_is_refused_for_the_same_reason_in_whatever_room_and_however_it_is_cut
}

fn every_packet_of_the_vectors_comes_out_the_same_whole_or_in_pieces<V: Version>() {
    let mut in_pieces = 0;
    let rows = V::valid_rows();
    for row in rows.iter().filter(|row| row.bytes.len() <= 70_000) {
        let expected = decode_at_once::<V>(&row.bytes, &unlimited()).packets;
        for step in [1, 13, row.bytes.len()] {
            let decoder = StreamDecoder::<V, _>::new([0; 64]);
            let received = receive(decoder, row.bytes.chunks(step));
            match received.error {
                None => {
                    let item = received.items.into_iter().next().unwrap();
                    in_pieces += usize::from(matches!(item, Item::InPieces(..)));
                    assert!([item.into_packet()] == expected[..], "{}", row.id);
                }
                // The header exceeds the buffer, or there is no payload.
                Some(error) => {
                    assert_eq!(error.kind(), ErrorKind::PacketTooLarge, "{}", row.id);
                    assert!(row.bytes.len() > 64, "{}", row.id);
                }
            }
        }
    }
    assert!(in_pieces > 10, "{in_pieces}");
}

fn a_packet_comes_in_pieces_or_is_refused_for_the_same_reason_in_whatever_room_and_however_it_is_cut<
    V: Version,
>() {
    let rows = V::valid_rows().iter().chain(V::malformed_rows());
    for row in rows.filter(|row| row.bytes.len() <= 100 && row.bytes[0] >> 4 == 3) {
        let mut memory = [0; 64];
        for room in 0..row.bytes.len().min(memory.len()) {
            let mut through =
                |parts: Vec<&[u8]>| receive(StreamDecoder::<V, _>::new(&mut memory[..room]), parts);
            let whole = through(vec![&row.bytes]);
            for place in 0..row.bytes.len() {
                let split = through(cut(&row.bytes, &[place]));
                assert_eq!(split, whole, "{} in {room}, cut at {place}", row.id);
            }
            let bytewise = through(row.bytes.chunks(1).collect());
            assert_eq!(bytewise, whole, "{} in {room}", row.id);
        }
    }
}

#[test]
fn what_comes_before_the_payload_has_to_fit_into_the_memory() {
    let too_large = |received: Received| {
        let error = received.error.unwrap();
        assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
        assert_eq!((error.field(), error.offset()), (Field::RemainingLength, 1));
        assert_eq!((received.items.len(), received.position), (0, 0));
    };
    for (delivery, id_len) in deliveries().into_iter().zip([0, 2, 2]) {
        // Fixed header, length of the topic, topic, identifier: 512 bytes, then 513.
        let fits = encode(&publish(delivery, 512 - 5 - id_len, 1000));
        let does_not = encode(&publish(delivery, 513 - 5 - id_len, 1000));
        each_cut(&fits, 530, |parts| {
            receive_by_each_memory(parts, |received| {
                assert!(matches!(&received.items[..], [Item::InPieces(_, p)] if p.len() == 1000));
            });
        });
        each_cut(&does_not, 530, |parts| {
            receive_by_each_memory(parts, too_large)
        });
    }
    // A topic that fills the packet, so that there is no payload.
    let no_payload = encode(&publish(Delivery::AtMostOnce, 600, 0));
    each_cut(&no_payload, 20, |parts| {
        receive_by_each_memory(parts, too_large)
    });
}

#[test]
fn a_header_that_does_not_fit_is_refused_once_the_length_of_the_topic_is_there() {
    let stream = encode(&publish(Delivery::AtMostOnce, 600, 600));
    for (len, refused) in [(4, false), (5, true)] {
        let received = receive(Decoder::new([0; 512]), [&stream[..len]]);
        assert_eq!(received.error.is_some(), refused, "{len} bytes");
    }
}

#[test]
fn no_packet_but_publish_comes_in_pieces() {
    let subscribe = frame(
        0x82,
        &[b"\0\x01".to_vec(), b"\0\x01a\0".repeat(200)].concat(),
    );
    let connect = frame(
        0x10,
        &[&b"\0\x04MQTT\x04\x02\0\0\x02\x58"[..], &[b'c'; 600]].concat(),
    );
    for stream in [subscribe, connect] {
        each_cut(&stream, 20, |parts| {
            receive_by_each_memory(parts, |received| {
                assert_eq!(received.error.unwrap().kind(), ErrorKind::PacketTooLarge);
            });
        });
    }
}

#[test]
fn a_publish_of_exactly_max_publish_size_passes_and_one_byte_more_is_refused_at_its_fixed_header() {
    let options = Options::new().max_publish_size(2000);
    for (len, passes) in [(2000, true), (2001, false)] {
        let stream = encode(&publish(Delivery::AtMostOnce, 20, len - 25));
        assert_eq!(stream.len(), len);
        each_cut(&stream, 30, |parts| {
            let decoder = Decoder::with_options([0; 512], options);
            let received = receive(decoder, parts.iter().copied());
            assert_eq!(received.items.len(), usize::from(passes));
            let expected = (!passes).then_some(ErrorKind::PacketTooLarge);
            assert_eq!(received.error.map(|error| error.kind()), expected);
        });
        let header = receive(Decoder::with_options([0; 512], options), [&stream[..3]]);
        assert_eq!(header.error.is_none(), passes);
    }
}

#[test]
fn max_publish_size_does_not_limit_what_fits_whole() {
    let options = Options::new().max_publish_size(0);
    let message = publish(Delivery::AtMostOnce, 20, 100);
    let received = receive(
        Decoder::with_options([0; 512], options),
        [&encode(&message)[..]],
    );
    assert_eq!(received.items, [Item::Whole(Packet::Publish(message))]);
}

#[test]
fn small_packets_around_and_between_large_ones_come_out_in_their_place() {
    let small = [
        &b"\xc0\x00"[..],
        b"\x40\x02\x00\x07",
        b"\x30\x05\x00\x01ahi",
        b"\xe0\x00",
    ];
    let large = deliveries().map(|delivery| publish(delivery, 30, 3000));
    let mut stream = small[0].to_vec();
    let mut expected = vec![
        decode_at_once::<V3>(small[0], &Options::new())
            .packets
            .remove(0),
    ];
    for (message, small) in large.iter().zip(&small[1..]) {
        stream.extend(encode(message));
        stream.extend(*small);
        expected.push(Packet::Publish(message.clone()));
        expected.push(
            decode_at_once::<V3>(small, &Options::new())
                .packets
                .remove(0),
        );
    }
    each_cut(&stream, 60, |parts| {
        receive_by_each_memory(parts, |received| {
            assert_eq!(received.error, None);
            assert_eq!(received.position, stream.len() as u64);
            let in_pieces = received
                .items
                .iter()
                .filter(|i| matches!(i, Item::InPieces(..)));
            assert_eq!(in_pieces.count(), 3);
            let packets: Vec<_> = received.items.into_iter().map(Item::into_packet).collect();
            assert!(packets == expected);
        });
    });
}

#[test]
fn two_large_ones_behind_each_other_do_not_run_into_each_other() {
    let messages = deliveries().map(|delivery| publish(delivery, 7, 1000));
    let stream: Vec<_> = messages.iter().flat_map(encode).collect();
    each_cut(&stream, 0, |parts| {
        receive_by_each_memory(parts, |received| {
            let packets = received.items.into_iter().map(Item::into_packet);
            assert!(packets.eq(messages.iter().cloned().map(Packet::Publish)));
        });
    });
}

#[test]
fn faults_in_a_header_are_those_of_the_whole_packet_at_the_same_place() {
    let body = |start: &[u8]| [start, &payload(2000)].concat();
    let faulty = [
        frame(0x32, &body(b"\0\x03a/b\0\0")),       // identifier 0
        frame(0x30, &body(b"\0\x03a/+")),           // a wildcard
        frame(0x30, &body(b"\0\x00")),              // no topic
        frame(0x30, &body(b"\0\x04ab\0c")),         // U+0000
        frame(0x34, &body(b"\0\x04ab\xc3(\0\x01")), // ill-formed UTF-8
        frame(0x36, &body(b"\0\x03a/b\0\x01")),     // QoS 3
        frame(0x38, &body(b"\0\x03a/b")),           // DUP at QoS 0
        frame(0x30, &body(b"\xff\xff")),            // a topic longer than the packet
        frame(0x32, &[&b"\x02\x58"[..], &[b't'; 600]].concat()), // no identifier
        frame(0x32, &[&b"\x02\x58"[..], &[b't'; 600], b"\0"].concat()), // half an identifier
    ];
    for stream in faulty {
        let expected = decode_at_once(&stream, &unlimited()).error;
        assert!(expected.is_some());
        each_cut(&stream, 30, |parts| {
            receive_by_each_memory(parts, |received| {
                assert_eq!(received.error, expected, "{:02x?}", &stream[..12]);
                assert_eq!((received.items.len(), received.position), (0, 0));
                assert!(!received.at_packet_boundary);
            });
        });
    }
}

#[test]
fn a_fault_behind_a_payload_in_pieces_is_found_where_it_is() {
    let stream = [
        encode(&publish(Delivery::AtMostOnce, 5, 1000)),
        b"\x40\x02\0\0".to_vec(),
    ]
    .concat();
    each_cut(&stream, 20, |parts| {
        receive_by_each_memory(parts, |received| {
            assert_eq!(received.items.len(), 1);
            assert_eq!(received.position, stream.len() as u64 - 4);
            let error = received.error.unwrap();
            assert_eq!(
                (error.kind(), error.offset()),
                (ErrorKind::ZeroPacketIdentifier, 2)
            );
        });
    });
}

#[test]
fn a_payload_that_breaks_off_leaves_the_decoder_off_a_packet_boundary() {
    let stream = encode(&publish(Delivery::AtMostOnce, 5, 1000));
    for len in [9, 10, 11, 500, stream.len() - 1] {
        let received = receive(Decoder::new([0; 64]), [&stream[..len]]);
        assert!(!received.at_packet_boundary, "{len}");
        let handed_out = if len < 10 { 0 } else { len as u64 };
        assert_eq!(
            (received.position, received.error),
            (handed_out, None),
            "{len}"
        );
    }
}

#[test]
fn decode_skips_the_rest_of_a_payload_that_was_left_in_pieces() {
    let stream = [
        encode(&publish(Delivery::AtMostOnce, 5, 1000)),
        b"\xd0\0\xe0\0".to_vec(),
    ]
    .concat();
    // After the header, or after the first bytes of payload; the rest in one part or one byte at a
    // time.
    for (taken, step) in [(10, 1), (10, 5000), (11, 1), (500, 7), (500, 5000)] {
        let mut decoder = Decoder::new([0; 64]);
        let mut input = &stream[..taken];
        while decoder.decode_in_pieces(&mut input).unwrap().is_some() {}
        assert_eq!(decoder.position(), taken as u64);

        let mut packets = Vec::new();
        for mut input in stream[taken..].chunks(step) {
            while let Some(packet) = decoder.decode(&mut input).unwrap() {
                packets.push(owned(packet));
            }
        }
        assert_eq!(packets, [Packet::PingResp, Packet::Disconnect]);
        assert_eq!(decoder.position(), stream.len() as u64);
        assert!(decoder.is_at_packet_boundary());
    }
}

#[test]
fn decode_refuses_what_decode_in_pieces_takes() {
    let stream = encode(&publish(Delivery::AtMostOnce, 5, 1000));
    for step in [1, 100, 5000] {
        let mut decoder = Decoder::new([0; 64]);
        let mut errors = stream
            .chunks(step)
            .map(|mut input| decoder.decode(&mut input).err());
        let error = errors.find_map(|error| error).unwrap();
        assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
    }
}

#[test]
fn decode_refuses_a_publish_of_which_decode_in_pieces_has_part_of_the_header() {
    let stream = encode(&publish(Delivery::AtMostOnce, 5, 1000));
    for taken in 1..10 {
        let mut decoder = Decoder::new([0; 64]);
        assert_eq!(decoder.decode_in_pieces(&mut &stream[..taken]), Ok(None));
        let mut rest = &stream[taken..];
        let error = decoder.decode(&mut rest).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::PacketTooLarge,
            "after {taken} bytes"
        );
        assert_eq!(
            (error.offset(), decoder.position()),
            (1, 0),
            "after {taken} bytes"
        );
    }
}

#[test]
fn a_packet_that_decode_began_to_gather_is_handed_out_by_decode_in_pieces() {
    let mut decoder = Decoder::new([0; 64]);
    assert_eq!(decoder.decode(&mut &b"\x30\x05\0\x01a"[..]), Ok(None));
    let mut input = &b"hi"[..];
    match decoder.decode_in_pieces(&mut input) {
        Ok(Some(Piece::Packet(Packet::Publish(publish)))) => assert_eq!(publish.payload, b"hi"),
        other => panic!("{other:?}"),
    }
}

/// A payload of any length that is never in memory: a pattern whose period is a prime, so that
/// parts from a wrong position differ.
struct Pattern(Vec<u8>);

const PERIOD: usize = 65_521;

impl Pattern {
    /// Works for parts of up to `longest` bytes.
    fn new(longest: usize) -> Self {
        let mut state = 1_u32;
        let mut period = vec![0; PERIOD];
        for byte in &mut period {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = state.to_be_bytes()[0];
        }
        period.extend_from_within(..longest);
        Self(period)
    }

    fn at(&self, offset: usize, len: usize) -> &[u8] {
        let start = offset % PERIOD;
        &self.0[start..start + len]
    }
}

#[test]
fn the_largest_publish_there_is_is_sent_in_pieces_and_received_through_512_bytes() {
    const CHUNK: usize = 1460;
    const HEADER_LEN: usize = 5 + 2 + 8 + 2;
    let payload_len = MAX_REMAINING_LENGTH as usize - (HEADER_LEN - 5);
    let pattern = Pattern::new(CHUNK);
    let sent = PublishHeader {
        delivery: Delivery::ExactlyOnce {
            packet_id: PacketId::MAX,
            dup: false,
        },
        retain: false,
        topic: TopicName::new("firmware").unwrap(),
        payload_len: u32::try_from(payload_len).unwrap(),
    };

    // Sending: the header from a small buffer, the payload from another one
    let mut buffer = [0; 64];
    let header = &*sent.encode_to_slice(&mut buffer).unwrap();
    assert_eq!(header, b"\x34\xff\xff\xff\x7f\0\x08firmware\xff\xff");
    assert_eq!(header.len(), HEADER_LEN);

    let mut decoder = Decoder::new([0; 512]);
    let (mut headers, mut received) = (0, 0);
    let mut receive = |mut input: &[u8]| {
        while let Some(piece) = decoder.decode_in_pieces(&mut input).unwrap() {
            match piece {
                Piece::PublishHeader(header) => {
                    assert_eq!(header, sent);
                    headers += 1;
                }
                Piece::Payload { bytes, left } => {
                    assert!(bytes == pattern.at(received, bytes.len()), "at {received}");
                    received += bytes.len();
                    assert_eq!(left, payload_len - received);
                }
                Piece::Packet(packet) => panic!("{packet:?}"),
            }
        }
    };

    // The network: segments of 1460 bytes, of which the first contains the header.
    let first = CHUNK - HEADER_LEN;
    receive(&[header, pattern.at(0, first)].concat());
    let mut sent_len = first;
    while sent_len < payload_len {
        let len = CHUNK.min(payload_len - sent_len);
        receive(pattern.at(sent_len, len));
        sent_len += len;
    }
    assert_eq!((headers, received), (1, payload_len));
    assert_eq!(decoder.position(), u64::from(MAX_REMAINING_LENGTH) + 5);
    assert!(decoder.is_at_packet_boundary());
    assert!(matches!(
        decoder.decode(&mut &b"\xd0\0"[..]),
        Ok(Some(Packet::PingResp))
    ));
}

#[test]
fn a_payload_written_in_pieces_behind_its_header_is_the_packet_written_at_once() {
    for delivery in deliveries() {
        let message = publish(delivery, 20, 3000);
        let mut stream = encode(&message.header().unwrap());
        for piece in message.payload.chunks(77) {
            stream.extend(piece);
        }
        assert!(stream == encode(&message));
    }
}

#[test]
fn a_large_publish_with_a_topic_past_its_end_gives_the_same_error_in_any_memory_however_it_is_cut()
{
    for room in 0..7 {
        let mut seen = Vec::new();
        for step in [1, 2, 4] {
            let mut memory = [0; 8];
            let mut d = Decoder::new(&mut memory[..room]);
            let error = b"\x30\x02\x00\x01"
                .chunks(step)
                .find_map(|mut i| d.decode_in_pieces(&mut i).err());
            seen.push(error);
        }
        assert!(seen.windows(2).all(|w| w[0] == w[1]), "{room}: {seen:?}");
    }
}
