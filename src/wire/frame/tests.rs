use super::*;
use crate::v3::V3;
use crate::wire::testing::{MINIMAL_ONLY, STRICT, fault};
use crate::wire::{ErrorKind, Field, SentBy};

#[test]
fn a_fault_in_the_first_byte_comes_before_the_limit() {
    assert_eq!(
        fault(frame::<V3>(b"\x36\x02\x00\x00", 3, &STRICT)),
        (Field::Flags, ErrorKind::InvalidQos, 0)
    );
}

#[test]
fn a_fault_in_remaining_length_comes_before_the_limit() {
    assert_eq!(
        fault(frame::<V3>(b"\x30\x83\x00abc", 4, &MINIMAL_ONLY)),
        (
            Field::RemainingLength,
            ErrorKind::RemainingLengthNotMinimal,
            1
        )
    );
    assert_eq!(
        fault(frame::<V3>(b"\xc0\x01\x00", 2, &STRICT)),
        (Field::RemainingLength, ErrorKind::TrailingBytes, 2)
    );
}

#[test]
fn the_limit_includes_the_fixed_header() {
    let src = b"\x30\x05\0\x03abc";
    assert_eq!(frame::<V3>(src, 7, &STRICT).unwrap().unwrap().bytes, src);
    assert_eq!(
        fault(frame::<V3>(src, 6, &STRICT)),
        (Field::RemainingLength, ErrorKind::PacketTooLarge, 1)
    );
}

#[test]
fn the_limit_is_looked_at_before_the_packet_has_come() {
    assert_eq!(
        fault(frame::<V3>(b"\x30\xff\xff\xff\x7f", 268_435_459, &STRICT)),
        (Field::RemainingLength, ErrorKind::PacketTooLarge, 1)
    );
    assert!(
        frame::<V3>(b"\x30\xff\xff\xff\x7f", 268_435_460, &STRICT)
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_frame_ends_where_the_next_packet_begins() {
    let frame = frame::<V3>(b"\x40\x02\0\x07\xc0\0", 100, &STRICT)
        .unwrap()
        .unwrap();
    assert_eq!(frame.header.packet_len(), 4);
    assert_eq!(frame.bytes, b"\x40\x02\0\x07");
    assert_eq!(frame.rest, b"\xc0\0");
}

#[test]
fn what_is_refused_by_its_header_is_refused_as_an_incomplete_frame() {
    // Every first byte, with lengths that are short, right, wrong for the type, not minimal and
    // too long. The body is missing, so only an empty frame is complete.
    let lengths = [
        &b""[..],
        b"\x02",
        b"\x03",
        b"\x80",
        b"\x82\x00",
        b"\x80\x80\x01",
        b"\x80\x80\x80\x80",
    ];
    for first_byte in 0..=255 {
        for length in lengths {
            for options in [STRICT, MINIMAL_ONLY] {
                let src = [&[first_byte], length].concat();
                let header = checked_header::<V3>(&src, &options);
                let frame = frame::<V3>(&src, u32::MAX, &options);
                assert_eq!(
                    frame.map(|frame| frame.is_none()),
                    header.map(|_| true),
                    "{src:x?}"
                );
            }
        }
    }
}

#[test]
fn a_complete_frame_has_the_header_that_the_check_lets_through() {
    for number in 1..=14_u8 {
        let flags = if matches!(number, 6 | 8 | 10) { 2 } else { 0 };
        let len = if number < 12 { 2 } else { 0 };
        let src = [number << 4 | flags, len, 0, 1];
        for options in [STRICT, MINIMAL_ONLY] {
            let header = checked_header::<V3>(&src, &options).unwrap().unwrap();
            let frame = frame::<V3>(&src, u32::MAX, &options).unwrap().unwrap();
            assert_eq!(frame.header, header);
            assert_eq!(frame.bytes.len(), header.packet_len());
            assert_eq!(header.packet_type().map(PacketType::number), Some(number));
        }
    }
}

#[test]
fn reading_a_complete_frame_refuses_the_first_byte_that_the_check_refuses() {
    // `try_frame` does not validate a complete frame, because `read` does.
    let mut refused = 0;
    for first_byte in 0..=255 {
        let src = [first_byte, 0];
        let Err(error) = checked_header::<V3>(&src, &STRICT) else {
            continue;
        };
        let frame = try_frame::<V3>(&src, u32::MAX, &STRICT).unwrap();
        let read = V3::read(&frame.header, frame.bytes, &STRICT, SentBy::Either);
        assert_eq!(read.unwrap_err(), error, "{first_byte:x}");
        refused = u32::wrapping_add(refused, 1);
    }
    // All but one for each of 13 types, and for PUBLISH all but 3 QoS with RETAIN and, above
    // QoS 0, with DUP: 2 + 4 + 4.
    assert_eq!(refused, 256 - 13 - 10);
}
