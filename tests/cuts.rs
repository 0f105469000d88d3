//! However a stream is split, and whatever the decoder's buffer, the packets are the same, or the
//! error at the same offset.

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
    Outcome, Row, Version, cut, decode_at_once, encode, feed, field_boundaries, fixed_header,
    for_each_version, frame, rows, unlimited,
};
use mqtt_sansio::v3::{DecodeError, Decoder, Delivery, Packet, Publish, UnsubAck, V3};
use mqtt_sansio::{ErrorKind, Field, Options, PacketId, StreamDecoder, TopicName};

/// The size of a buffer for every vector except the long ones.
const ROOM: usize = 4096;

/// Decodes the same pieces with each kind of buffer.
fn check<V: Version>(
    options: Options,
    scratch: &mut [u8],
    pieces: &[&[u8]],
    expected: &Outcome<V>,
    name: &str,
) {
    let pieces = || pieces.iter().copied();
    let lens = || pieces().map(<[u8]>::len).collect::<Vec<_>>();
    let compare = |memory: &str, outcome: &Outcome<V>| {
        assert!(
            outcome == expected,
            "{name} through {memory} in pieces of {:?} bytes: {:.2000}, not {:.2000}",
            lens(),
            format!("{outcome:?}"),
            format!("{expected:?}"),
        );
    };
    if scratch.len() <= ROOM {
        compare(
            "[u8; N]",
            &feed(StreamDecoder::with_options([0; ROOM], options), pieces()),
        );
    }
    compare(
        "&mut [u8]",
        &feed(StreamDecoder::with_options(scratch, options), pieces()),
    );
    #[cfg(feature = "alloc")]
    compare(
        "Vec<u8>",
        &feed(StreamDecoder::with_options(Vec::new(), options), pieces()),
    );
}

/// Decodes one row with every split that its length allows: all splits in two, in three if it is
/// short, one byte at a time, with and without empty pieces. Long rows are split at the ends of
/// their fields and at regular distances.
fn check_all_cuts<V: Version>(row: &Row, boundaries: &[usize]) {
    let bytes = &row.bytes[..];
    let name = &row.id[..];
    let options = unlimited();
    let expected = decode_at_once::<V>(bytes, &options);
    // The final size of the packet.
    let announced = fixed_header(bytes).map_or(0, |(body, header)| header + body);
    let room = if announced > 1_000_000 { 0 } else { announced };
    let mut scratch = vec![0xEE; bytes.len().max(room).max(ROOM)];
    let mut check = |pieces: &[&[u8]]| check(options, &mut scratch, pieces, &expected, name);

    check(&[bytes]);
    let places: Vec<usize> = if bytes.len() <= 600 {
        (0..=bytes.len()).collect()
    } else {
        let steps = if bytes.len() < 20_000 { 100 } else { 10 };
        let mut places: Vec<_> = boundaries
            .iter()
            .flat_map(|&place| [place.saturating_sub(1), place, place + 1])
            .chain((0..steps).map(|n| n * bytes.len() / steps))
            .chain([bytes.len() - 1])
            .filter(|&place| place <= bytes.len())
            .collect();
        places.sort_unstable();
        places.dedup();
        // A packet of 300 filters has 600 ends of fields; every 7th is enough.
        if places.len() > 300 {
            places = places.into_iter().step_by(7).collect();
        }
        places
    };
    for &place in &places {
        check(&cut(bytes, &[place]));
    }
    check(&cut(bytes, &places));
    if bytes.len() <= 20 {
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                check(&cut(bytes, &[first, second]));
            }
        }
    }
    if bytes.len() <= 70_000 {
        check(&bytes.chunks(1).collect::<Vec<_>>());
    }
    if bytes.len() <= 600 {
        let singly = bytes.chunks(1).flat_map(|byte| [&[][..], byte, &[]]);
        check(&singly.collect::<Vec<_>>());
    }
}

for_each_version! {
    a_valid_packet_comes_out_the_same_however_it_is_cut
    a_malformed_packet_gives_the_same_error_at_the_same_place_however_it_is_cut
    a_packet_that_has_not_all_come_gives_neither_packet_nor_error_however_it_is_cut
    a_truncated_publish_is_never_handed_out_as_a_whole_one
    packets_behind_each_other_come_out_one_by_one_however_the_stream_is_cut
    packets_before_a_fault_come_out_and_the_position_is_where_the_fault_starts
    a_fatal_error_latches_and_later_input_gives_the_same_error_at_once
}

fn a_valid_packet_comes_out_the_same_however_it_is_cut<V: Version>() {
    assert!(V::valid_rows().len() > 500);
    for row in V::valid_rows() {
        let expected = decode_at_once::<V>(&row.bytes, &unlimited());
        assert_eq!(expected.packets.len(), 1, "{}", row.id);
        assert_eq!(expected.error, None, "{}", row.id);
        assert!(expected.at_packet_boundary, "{}", row.id);
        check_all_cuts::<V>(row, &field_boundaries::<V>(&row.bytes));
    }
}

fn a_malformed_packet_gives_the_same_error_at_the_same_place_however_it_is_cut<V: Version>() {
    assert!(V::malformed_rows().len() > 400);
    for row in V::malformed_rows() {
        check_all_cuts::<V>(row, &[]);
    }
}

fn a_packet_that_has_not_all_come_gives_neither_packet_nor_error_however_it_is_cut<V: Version>() {
    for row in rows(V::INCOMPLETE) {
        let expected = decode_at_once::<V>(&row.bytes, &unlimited());
        assert_eq!(
            (expected.packets.len(), expected.error),
            (0, None),
            "{}",
            row.id
        );
        assert_eq!(
            expected.at_packet_boundary,
            row.bytes.is_empty(),
            "{}",
            row.id
        );
        check_all_cuts::<V>(&row, &[]);
    }
}

fn a_truncated_publish_is_never_handed_out_as_a_whole_one<V: Version>() {
    let publishes = V::valid_rows()
        .iter()
        .filter(|row| row.text("type") == Some("PUBLISH") && row.bytes.len() < 300);
    for row in publishes {
        for len in 0..row.bytes.len() {
            let decoder = StreamDecoder::<V, _>::new([0; ROOM]);
            let outcome = feed(decoder, [&row.bytes[..len]]);
            assert_eq!(
                (outcome.packets.len(), outcome.error),
                (0, None),
                "{} to {len}",
                row.id
            );
            assert_eq!(outcome.position, 0, "{} to {len}", row.id);
        }
    }
}

/// Returns all the packets of the vectors one after another, except the long ones.
fn long_stream<V: Version>() -> (Vec<u8>, usize) {
    let rows = V::valid_rows();
    let short = || rows.iter().filter(|row| row.bytes.len() <= ROOM);
    (
        short().flat_map(|row| row.bytes.clone()).collect(),
        short().count(),
    )
}

fn packets_behind_each_other_come_out_one_by_one_however_the_stream_is_cut<V: Version>() {
    let (stream, count) = long_stream::<V>();
    let expected = decode_at_once::<V>(&stream, &Options::new());
    assert_eq!(expected.packets.len(), count);
    assert_eq!(expected.position, stream.len() as u64);
    let mut scratch = vec![0; ROOM];
    for step in [1, 2, 3, 4, 5, 7, 13, 64, 536, 1460, 4096, stream.len()] {
        let pieces: Vec<_> = stream.chunks(step).collect();
        check(
            Options::new(),
            &mut scratch,
            &pieces,
            &expected,
            "the whole stream",
        );
    }
}

/// Returns the rows that a decoder must refuse.
fn refused_rows<V: Version>() -> impl Iterator<Item = &'static Row> {
    V::malformed_rows()
        .iter()
        .filter(|row| V::decode(&mut &row.bytes[..], &Options::new()).is_err())
}

fn packets_before_a_fault_come_out_and_the_position_is_where_the_fault_starts<V: Version>() {
    let before = b"\xc0\x00\x30\x05\x00\x01a\x00i\x40\x02\x00\x07";
    let behind = b"\xd0\x00";
    let mut scratch = vec![0; ROOM];
    assert!(refused_rows::<V>().count() > 400);
    for row in refused_rows::<V>() {
        let stream = [before, &row.bytes[..], behind].concat();
        let expected = decode_at_once::<V>(&stream, &Options::new());
        assert_eq!(expected.packets.len(), 3, "{}", row.id);
        assert_eq!(expected.position, before.len() as u64, "{}", row.id);
        assert!(expected.error.is_some(), "{}", row.id);
        for step in [1, 2, 5, stream.len()] {
            let pieces: Vec<_> = stream.chunks(step).collect();
            check(Options::new(), &mut scratch, &pieces, &expected, &row.id);
        }
    }
}

#[test]
fn the_offset_of_an_error_counts_from_the_position_to_the_offending_byte() {
    let stream = b"\xc0\x00\x82\x0a\x00\x01\x00\x01a\x00\x00\x01b\x03";
    for step in [1, 3, stream.len()] {
        let mut decoder = Decoder::new([0; 64]);
        let mut error = None;
        for mut input in stream.chunks(step) {
            while error.is_none() && !input.is_empty() {
                error = decoder.decode(&mut input).err();
            }
        }
        let error = error.unwrap();
        let at = usize::try_from(decoder.position()).unwrap() + error.offset();
        assert_eq!((at, stream[at]), (13, 3), "in pieces of {step}");
    }
}

fn a_fatal_error_latches_and_later_input_gives_the_same_error_at_once<V: Version>() {
    for row in refused_rows::<V>() {
        for step in [1, row.bytes.len()] {
            let mut decoder = StreamDecoder::<V, _>::new([0; ROOM]);
            let mut error = None;
            for mut input in row.bytes.chunks(step) {
                while error.is_none() && !input.is_empty() {
                    error = decoder.decode(&mut input).err();
                }
            }
            let error = error.unwrap();
            let position = decoder.position();
            for mut later in [&b"\xc0\x00"[..], b"", b"\x00", b"\x30\x05\x00\x01ahi"] {
                assert_eq!(decoder.decode(&mut later).err(), Some(error), "{}", row.id);
                let again = decoder.decode_in_pieces(&mut later).err();
                assert_eq!(again, Some(error), "{}", row.id);
            }
            assert_eq!(decoder.position(), position, "{}", row.id);
            assert!(!decoder.is_at_packet_boundary(), "{}", row.id);
        }
    }
}

#[test]
fn half_a_packet_of_the_last_connection_does_not_swallow_the_connack_of_the_next() {
    let mut memory = [0; 64];
    let closed = feed(Decoder::new(&mut memory[..]), [&b"\x30\x14\x00\x03a/b"[..]]);
    assert!(!closed.at_packet_boundary);

    let next = feed(Decoder::new(&mut memory[..]), [&b"\x20\x02\x01\x00"[..]]);
    assert_eq!(next.packets.len(), 1);
    assert_eq!(encode(&next.packets[0]), b"\x20\x02\x01\x00");
    assert_eq!(next.position, 4);
}

#[test]
fn a_new_decoder_is_at_a_packet_boundary_at_position_0() {
    let decoder = Decoder::new([0; 1]);
    assert!(decoder.is_at_packet_boundary());
    assert_eq!(decoder.position(), 0);
    assert_eq!(decoder.options(), &Options::new());
}

#[test]
fn empty_input_is_none_and_changes_nothing() {
    let mut decoder = Decoder::new([0; 64]);
    for byte in b"\x30\x05\x00\x01ah" {
        assert_eq!(decoder.decode(&mut &[][..]), Ok(None));
        assert_eq!(decoder.decode(&mut &[*byte][..]), Ok(None));
    }
    assert_eq!(decoder.decode(&mut &[][..]), Ok(None));
    let mut last = &b"i"[..];
    assert!(
        matches!(decoder.decode(&mut last), Ok(Some(Packet::Publish(p))) if p.payload == b"hi")
    );
    assert_eq!(decoder.decode(&mut last), Ok(None));
}

#[test]
fn a_split_packet_takes_none_of_the_next_one() {
    let mut decoder = Decoder::new([0; 64]);
    assert_eq!(decoder.decode(&mut &b"\x40"[..]), Ok(None));
    let mut input = &b"\x02\x00\x07\xd0\x00\xe0"[..];
    assert!(matches!(
        decoder.decode(&mut input),
        Ok(Some(Packet::PubAck(_)))
    ));
    assert_eq!(input, b"\xd0\x00\xe0");
    assert_eq!(decoder.decode(&mut input), Ok(Some(Packet::PingResp)));
    assert_eq!(decoder.decode(&mut input), Ok(None));
    assert_eq!(
        (decoder.position(), decoder.is_at_packet_boundary()),
        (6, false)
    );
}

// Limits

/// Returns a PUBLISH of `len` bytes.
fn publish(len: usize) -> Vec<u8> {
    let header_len = match len {
        0..=129 => 2,
        130..=16_386 => 3,
        _ => 4,
    };
    let mut body = b"\0\x01t".to_vec();
    body.resize(len - header_len, b'x');
    let packet = frame(0x30, &body);
    assert_eq!(packet.len(), len);
    packet
}

fn too_large(decode: Outcome) -> bool {
    let expected = |error: DecodeError| {
        (
            error.kind(),
            error.field(),
            error.offset(),
            error.statement(),
        ) == (ErrorKind::PacketTooLarge, Field::RemainingLength, 1, None)
    };
    decode.packets.is_empty() && decode.position == 0 && decode.error.is_some_and(expected)
}

/// Decodes `bytes` whole, in two parts at each of the first positions, and one byte at a time.
fn each_cut(
    bytes: &[u8],
    mut decode: impl FnMut(&[&[u8]]) -> Outcome,
    test: impl Fn(Outcome) -> bool,
) {
    for pieces in [
        vec![bytes],
        bytes.chunks(1).collect(),
        bytes.chunks(100).collect(),
    ] {
        assert!(test(decode(&pieces)), "in {} pieces", pieces.len());
    }
    for place in 1..bytes.len().min(8) {
        assert!(test(decode(&cut(bytes, &[place]))), "cut at {place}");
    }
}

#[test]
fn a_packet_of_exactly_the_limit_passes_and_one_byte_more_is_refused_in_every_memory() {
    let exactly = |outcome: Outcome| outcome.packets.len() == 1 && outcome.at_packet_boundary;
    let options = Options::new().max_packet_size(300);

    let mut room = [0; 400];
    for (len, test) in [
        (300, &exactly as &dyn Fn(Outcome) -> bool),
        (301, &too_large),
    ] {
        let bytes = publish(len);
        // The buffer is the limit.
        each_cut(
            &bytes,
            |p| feed(Decoder::new([0; 300]), p.iter().copied()),
            test,
        );
        each_cut(
            &bytes,
            |p| feed(Decoder::new(&mut room[..300]), p.iter().copied()),
            test,
        );
        // The option is the limit.
        let limited =
            |p: &[&[u8]]| feed(Decoder::with_options([0; 400], options), p.iter().copied());
        each_cut(&bytes, limited, test);
        #[cfg(feature = "alloc")]
        each_cut(
            &bytes,
            |p| {
                feed(
                    Decoder::with_options(Vec::new(), options),
                    p.iter().copied(),
                )
            },
            test,
        );
        #[cfg(feature = "alloc")]
        each_cut(
            &bytes,
            |p| {
                feed(
                    Decoder::new(vec![0; 300].into_boxed_slice()),
                    p.iter().copied(),
                )
            },
            test,
        );
    }
}

#[test]
fn a_packet_over_the_limit_is_refused_as_soon_as_its_fixed_header_is_there() {
    let options = Options::new().max_packet_size(300);
    for len in [2, 3] {
        let header = &publish(301)[..len];
        for step in [1, len] {
            let outcome = feed(
                Decoder::with_options([0; 400], options),
                header.chunks(step),
            );
            assert_eq!(too_large(outcome), len == 3, "{len} bytes of it");
        }
    }
}

#[test]
fn a_packet_over_one_mib_is_refused_by_default() {
    let mut header = publish(1024 * 1024);
    header.truncate(4);
    assert_eq!(feed(Decoder::new([0; 5]), [&header[..]]).packets.len(), 0);
    let mut memory = vec![0; 2 * 1024 * 1024];
    let mut limited = |header: &[u8]| feed(Decoder::new(&mut memory[..]), [header]);
    assert_eq!(limited(&header).error, None);
    assert!(too_large(limited(&publish(1024 * 1024 + 1)[..4])));
    assert!(too_large(limited(b"\x30\xff\xff\xff\x7f")));
}

#[test]
fn a_smaller_limit_before_connect_can_be_raised_once_it_is_accepted() {
    let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c";
    let first = Options::new().max_packet_size(64);

    let mut decoder = Decoder::with_options([0; 512], first);
    assert!(matches!(
        decoder.decode(&mut &connect[..]),
        Ok(Some(Packet::Connect(_)))
    ));
    decoder.set_options(first.max_packet_size(512));
    assert!(matches!(
        decoder.decode(&mut &publish(500)[..]),
        Ok(Some(Packet::Publish(_)))
    ));

    let mut decoder = Decoder::with_options([0; 512], first);
    let error = decoder.decode(&mut &publish(500)[..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
}

/// Returns SUBSCRIBE with this number of filters, and the same as UNSUBSCRIBE.
fn requests(filters: usize) -> [Vec<u8>; 2] {
    let subscribe = [b"\x00\x01".to_vec(), b"\x00\x01a\x00".repeat(filters)].concat();
    let unsubscribe = [b"\x00\x01".to_vec(), b"\x00\x01a".repeat(filters)].concat();
    [frame(0x82, &subscribe), frame(0xa2, &unsubscribe)]
}

#[test]
fn as_many_filters_as_the_limit_pass_and_one_more_is_refused_where_it_starts() {
    let options = Options::new().max_filters(3);
    for bytes in requests(3) {
        each_cut(
            &bytes,
            |p| feed(Decoder::with_options([0; 64], options), p.iter().copied()),
            |outcome| outcome.packets.len() == 1,
        );
    }
    for (bytes, entry_len) in requests(4).into_iter().zip([4, 3]) {
        each_cut(
            &bytes,
            |p| feed(Decoder::with_options([0; 64], options), p.iter().copied()),
            |outcome| {
                let error = outcome.error.unwrap();
                assert_eq!(error.kind(), ErrorKind::TooManyFilters);
                assert_eq!(error.field(), Field::TopicFilter);
                assert_eq!(error.offset(), 4 + 3 * entry_len);
                assert_eq!(error.statement(), None);
                outcome.packets.is_empty()
            },
        );
    }
}

#[test]
fn there_is_no_silent_capacity_for_filters() {
    for (bytes, counted) in requests(65_535).into_iter().zip([65_535; 2]) {
        let mut memory = vec![0; bytes.len()];
        let outcome = feed(Decoder::new(&mut memory[..]), bytes.chunks(1000));
        let len = match &outcome.packets[..] {
            [Packet::Subscribe(packet)] => packet.subscriptions.len(),
            [Packet::Unsubscribe(packet)] => packet.topic_filters.len(),
            _ => panic!("{:?}", outcome.error),
        };
        assert_eq!(len, counted);
    }
    for bytes in requests(65_536) {
        let error = decode_at_once::<V3>(&bytes, &Options::new()).error.unwrap();
        assert_eq!(error.kind(), ErrorKind::TooManyFilters);
    }
}

#[test]
fn the_caller_chooses_the_size_of_the_memory_down_to_what_the_packets_need() {
    let ack = encode(&UnsubAck {
        packet_id: PacketId::MAX,
    });
    assert_eq!(feed(Decoder::new([0; 4]), ack.chunks(1)).packets.len(), 1);

    let publish = encode(&Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: TopicName::new("t").unwrap(),
        payload: &b"21.5"[..],
    });
    for step in 1..publish.len() {
        assert_eq!(
            feed(Decoder::new([0; 9]), publish.chunks(step))
                .packets
                .len(),
            1
        );
    }
    assert!(too_large(feed(Decoder::new([0; 8]), publish.chunks(3))));
}

#[test]
fn memory_that_was_used_before_does_not_show_in_what_comes_next() {
    let mut decoder = Decoder::new([0xEE; 64]);
    let long = publish(60);
    let short = b"\x32\x07\x00\x01t\x00\x09hi";
    for packet in [&long[..], short, &long, b"\x40\x02\x00\x01", short] {
        let mut out = Vec::new();
        for mut piece in packet.chunks(2) {
            if let Some(packet) = decoder.decode(&mut piece).unwrap() {
                out.push(encode(&packet));
            }
        }
        assert_eq!(out, [packet]);
    }
}

#[test]
fn a_packet_with_two_faults_reports_the_same_one_however_it_is_cut() {
    for bytes in [
        &b"\x20\x03\x02\x00\x00"[..], // CONNACK: a reserved flag, a byte too many
        b"\x20\x03\x00\x06\x00",      // a return code that does not exist, a byte too many
        b"\x40\x03\x00\x00\x00",      // PUBACK: identifier 0, a byte too many
        b"\x62\x03\x00\x00\x00",
        b"\xb0\x83\x00\x00\x00\x00",
        b"\x61\x03\x00\x00\x00", // and wrong flags
        b"\x32\x05\x00\x01+\x00\x00",
        b"\x82\x06\x00\x00\x00\x01#\x03",
    ] {
        let whole = feed(Decoder::new([0; 16]), [bytes]);
        assert!(whole.error.is_some(), "{bytes:02x?}");
        for place in 0..bytes.len() {
            let outcome = feed(Decoder::new([0; 16]), cut(bytes, &[place]));
            assert_eq!(outcome, whole, "{bytes:02x?} cut at {place}");
        }
    }
}

#[test]
fn a_memory_smaller_than_a_fixed_header_refuses_the_same_packets_however_they_are_cut() {
    let streams = [
        &b"\xc0\x00\xd0\x00"[..],
        b"\x40\x02\x00\x01",
        b"\x30\x80\x01",
        b"\x30\xff\xff\xff\x7f",
        b"\x30\xff\xff\xff\xff",
        b"\xc0\x80\x80\x80\x00",
        b"\x00\x00",
    ];
    for (stream, room) in streams
        .into_iter()
        .flat_map(|s| (0..6).map(move |room| (s, room)))
    {
        let mut memory = [0; 6];
        let mut through = |pieces| feed(Decoder::new(&mut memory[..room]), pieces);
        let whole = through(vec![stream]);
        for place in 0..stream.len() {
            let outcome = through(cut(stream, &[place]));
            assert_eq!(
                outcome, whole,
                "{room} bytes for {stream:02x?} cut at {place}"
            );
        }
        let bytewise = through(stream.chunks(1).collect());
        assert_eq!(bytewise, whole, "{room} bytes for {stream:02x?}");
    }
}

#[test]
fn no_short_byte_sequence_panics_and_every_cut_of_it_ends_the_same() {
    let known = [
        &b"\xa2\x00"[..],
        b"\x20\x00",
        b"\x90\x01\x02",
        b"\x30\x02\x00\x05\x61",
    ];
    let all_of_two = (0..=u16::MAX).map(u16::to_be_bytes);
    let with_body = (0..=u16::MAX).map(|n| {
        let [first, body] = n.to_be_bytes();
        [first, 3, body, body >> 4, body & 3]
    });
    let check = |bytes: &[u8]| {
        let whole = feed(Decoder::new([0; 16]), [bytes]);
        let bytewise = feed(Decoder::new([0; 16]), bytes.chunks(1));
        assert_eq!(whole, bytewise, "{bytes:02x?}");
        assert_eq!(
            whole,
            decode_at_once(bytes, &Options::new().max_packet_size(16))
        );
    };
    known.into_iter().for_each(check);
    all_of_two.for_each(|bytes| check(&bytes));
    with_body.for_each(|bytes| check(&bytes));
}
