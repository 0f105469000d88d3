//! Every byte is examined once, however the stream is split. Work is counted, not timed: bytes that
//! are copied into the buffer, and bytes that are read from it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;

use core::cell::Cell;

use common::{frame, unlimited, valid_rows};
use mqtt_sansio::v3::{Decoder, Packet};
use mqtt_sansio::{Buffer, Piece};

#[derive(Debug, Default)]
struct Work {
    appends: Cell<usize>,
    appended: Cell<usize>,
    looks: Cell<usize>,
    looked_at: Cell<usize>,
}

/// A buffer that counts.
struct Counting<'a> {
    bytes: Vec<u8>,
    work: &'a Work,
}

fn add(counter: &Cell<usize>, amount: usize) {
    counter.set(counter.get() + amount);
}

impl Buffer for Counting<'_> {
    fn capacity(&self) -> usize {
        usize::MAX
    }

    fn append(&mut self, filled: usize, bytes: &[u8]) -> bool {
        add(&self.work.appends, 1);
        add(&self.work.appended, bytes.len());
        self.bytes.truncate(filled);
        self.bytes.extend(bytes);
        true
    }

    fn filled(&self, filled: usize) -> &[u8] {
        add(&self.work.looks, 1);
        add(&self.work.looked_at, filled);
        &self.bytes[..filled]
    }
}

/// The bytes of a fixed header that are read again with each of its five bytes, and of a PUBLISH in
/// pieces with each byte of its topic's length.
const AGAIN: usize = 1 + 2 + 3 + 4 + 5;

fn decode(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> (usize, Work) {
    let work = Work::default();
    let memory = Counting {
        bytes: Vec::new(),
        work: &work,
    };
    let mut decoder = Decoder::with_options(memory, unlimited());
    let mut packets = 0;
    for part in parts {
        let mut input = part.as_ref();
        while decoder.decode(&mut input).unwrap().is_some() {
            packets += 1;
        }
    }
    (packets, work)
}

fn check(bytes: &[u8], step: usize, name: &str) {
    let (packets, work) = decode(bytes.chunks(step));
    let parts = bytes.len().div_ceil(step);
    assert_eq!(packets, 1, "{name}");
    assert_eq!(
        work.appended.get(),
        bytes.len(),
        "{name}: each byte is kept once"
    );
    assert!(
        work.appends.get() <= parts + 5,
        "{name}: {work:?} for {parts} parts"
    );
    assert!(
        work.looked_at.get() <= bytes.len() + AGAIN,
        "{name}: {work:?}"
    );
    assert!(work.looks.get() <= 6, "{name}: {work:?}");
}

#[test]
fn a_packet_that_comes_byte_by_byte_is_kept_once_and_looked_at_once() {
    for row in valid_rows().iter().filter(|row| row.bytes.len() <= 70_000) {
        check(&row.bytes, 1, &row.id);
    }
}

#[test]
fn a_packet_that_comes_in_larger_parts_is_kept_once_and_looked_at_once() {
    for row in valid_rows() {
        for step in [2, 3, 7, 1460] {
            if row.bytes.len() > step && row.bytes.len() / step < 100_000 {
                check(&row.bytes, step, &row.id);
            }
        }
    }
}

#[test]
fn a_packet_of_one_mib_costs_per_byte_what_one_of_two_bytes_costs() {
    for len in [0, 100, 10_000, 1024 * 1024] {
        for (first_byte, start, repeated) in [
            (0x30, &b"\0\x01t"[..], &b"\x07"[..]),
            (0x82, b"\0\x01\0\x01a\0", b"\0\x01a\0"),
            (0xa2, b"\0\x01\0\x01a", b"\0\x01a"),
            (0x90, b"\0\x01\0", b"\x80"),
        ] {
            let body = [start, &repeated.repeat(len / repeated.len())].concat();
            check(
                &frame(first_byte, &body),
                1,
                &format!("{first_byte:02x}, {len}"),
            );
        }
    }
    check(b"\xc0\0", 1, "two bytes");
}

#[test]
fn a_packet_that_lies_whole_in_the_input_does_not_touch_the_memory() {
    for row in valid_rows() {
        let (packets, work) = decode([&row.bytes]);
        assert_eq!(packets, 1);
        assert_eq!((work.appends.get(), work.looks.get()), (0, 0), "{}", row.id);
    }
}

#[test]
fn of_a_stream_only_the_packets_that_are_split_are_kept() {
    // 1000 packets of 20 bytes in parts of 190: 9 whole ones, and one of which 10 bytes are
    // missing.
    let stream = frame(0x30, &[b"\0\x01t".to_vec(), vec![7; 15]].concat()).repeat(1000);
    let (packets, work) = decode(stream.chunks(190));
    assert_eq!(packets, 1000);
    let split = stream.len() / 190;
    assert!(work.appended.get() <= 20 * split, "{work:?}");
}

#[test]
fn a_refused_packet_costs_no_more_than_its_bytes() {
    let many = [
        b"\0\x01".to_vec(),
        b"\0\x01a\0".repeat(10_000),
        b"\0\x01a\x03".to_vec(),
    ]
    .concat();
    let bytes = frame(0x82, &many);
    let work = Work::default();
    let memory = Counting {
        bytes: Vec::new(),
        work: &work,
    };
    let mut decoder = Decoder::with_options(memory, unlimited());
    let mut errors = 0;
    for _ in 0..3 {
        for mut part in bytes.chunks(1) {
            errors += usize::from(decoder.decode(&mut part).is_err());
        }
    }
    assert_eq!(errors, 2 * bytes.len() + 1);
    assert_eq!(work.appended.get(), bytes.len());
    assert!(work.looked_at.get() <= bytes.len() + AGAIN);
}

#[test]
fn a_payload_in_pieces_does_not_go_through_the_memory() {
    let payload = vec![7; 1024 * 1024];
    let bytes = frame(0x32, &[&b"\0\x05topic\0\x01"[..], &payload].concat());
    let header_len = bytes.len() - payload.len();
    for step in [1, 2, 5, 100] {
        let work = Work::default();
        let memory = Counting {
            bytes: Vec::new(),
            work: &work,
        };
        let options = mqtt_sansio::Options::new().max_packet_size(64);
        let mut decoder = Decoder::with_options(memory, options);
        let mut received = 0;
        for mut part in bytes.chunks(step) {
            while let Some(piece) = decoder.decode_in_pieces(&mut part).unwrap() {
                if let Piece::Payload { bytes, .. } = piece {
                    received += bytes.len();
                }
            }
        }
        assert_eq!(received, payload.len());
        assert!(work.appended.get() <= header_len, "{work:?}");
        assert!(work.looked_at.get() <= AGAIN + 3 * header_len, "{work:?}");
    }
}

#[test]
fn skipping_a_payload_does_not_go_through_the_memory() {
    let payload = vec![7; 100_000];
    let bytes = frame(0x30, &[&b"\0\x05topic"[..], &payload].concat());
    let header_len = bytes.len() - payload.len();
    let work = Work::default();
    let memory = Counting {
        bytes: Vec::new(),
        work: &work,
    };
    let options = mqtt_sansio::Options::new().max_packet_size(64);
    let mut decoder = Decoder::with_options(memory, options);
    let (start, rest) = bytes.split_at(header_len);
    assert!(matches!(
        decoder.decode_in_pieces(&mut &start[..]),
        Ok(Some(Piece::PublishHeader(_)))
    ));
    for mut part in rest.chunks(10) {
        assert_eq!(decoder.decode(&mut part), Ok(None));
    }
    assert!(matches!(
        decoder.decode(&mut &b"\xd0\0"[..]),
        Ok(Some(Packet::PingResp))
    ));
    assert_eq!((work.appended.get(), work.looked_at.get()), (0, 0));
}
