use super::*;
use crate::v3::V3;
use crate::wire::testing::{MINIMAL_ONLY, STRICT, fault};

/// Returns the length of the fixed header and the Remaining Length of a PUBLISH with these
/// length bytes.
fn publish_with_length(length: &[u8], options: &Options) -> Option<(usize, u32)> {
    let src = [&[0x30], length].concat();
    let header = checked_header::<V3>(&src, options).unwrap()?;
    Some((header.len(), header.remaining_length()))
}

/// Table 2.4: the first and the last value of each length.
const TABLE_2_4: [(&[u8], u32); 8] = [
    (b"\x00", 0),
    (b"\x7f", 127),
    (b"\x80\x01", 128),
    (b"\xff\x7f", 16_383),
    (b"\x80\x80\x01", 16_384),
    (b"\xff\xff\x7f", 2_097_151),
    (b"\x80\x80\x80\x01", 2_097_152),
    (b"\xff\xff\xff\x7f", 268_435_455),
];

#[test]
fn remaining_length_is_read_at_both_ends_of_each_line_of_table_2_4() {
    for (length, value) in TABLE_2_4 {
        let len = length.len().wrapping_add(1);
        assert_eq!(publish_with_length(length, &STRICT), Some((len, value)));
    }
}

#[test]
fn the_largest_remaining_length_is_the_one_that_the_crate_names() {
    assert_eq!(
        publish_with_length(b"\xff\xff\xff\x7f", &STRICT),
        Some((5, MAX_REMAINING_LENGTH))
    );
}

#[test]
fn each_byte_of_remaining_length_counts_128_times_the_one_before() {
    assert_eq!(publish_with_length(b"\x81\x82\x83\x04", &STRICT), {
        let value = 1 | 2 << 7 | 3 << 14 | 4 << 21;
        Some((5, value))
    });
}

#[test]
fn a_fixed_header_read_in_a_loop_is_the_one_that_is_read_at_once() {
    fn outcome(scan: Scan<'_>) -> Option<Option<(Header, &[u8])>> {
        match scan {
            Scan::Short => None,
            Scan::Header(header, rest) => Some(Some((header, rest))),
            Scan::TooLong => Some(None),
        }
    }
    let bytes = [0x00, 0x01, 0x7f, 0x80, 0x81, 0xff];
    for a in bytes {
        for b in bytes {
            for c in bytes {
                for d in bytes {
                    let src = [0x30, a, b, c, d, 0x55];
                    for len in 0..=src.len() {
                        let src = &src[..len];
                        assert_eq!(outcome(scan_in_a_loop(src)), outcome(scan(src)), "{src:x?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_header_that_is_cut_short_anywhere_asks_for_more() {
    for (length, _) in TABLE_2_4 {
        let src = [b"\x30", length].concat();
        for cut in 0..src.len() {
            assert_eq!(checked_header::<V3>(&src[..cut], &STRICT), Ok(None));
        }
    }
}

#[test]
fn bytes_behind_the_header_are_not_part_of_it() {
    assert_eq!(
        publish_with_length(b"\x05\xff\xff\xff\xff", &STRICT),
        Some((2, 5))
    );
    assert_eq!(
        publish_with_length(b"\x80\x01\xff\xff\xff", &STRICT),
        Some((3, 128))
    );
}

const NOT_MINIMAL: [(&[u8], u32); 7] = [
    (b"\x80\x00", 0),
    (b"\x80\x80\x00", 0),
    (b"\x80\x80\x80\x00", 0),
    (b"\xff\x00", 127),
    (b"\xff\x80\x80\x00", 127),
    (b"\xff\xff\x00", 16_383),
    (b"\xff\xff\xff\x00", 2_097_151),
];

#[test]
fn a_remaining_length_in_more_bytes_than_it_needs_has_the_same_value() {
    for (length, value) in NOT_MINIMAL {
        let len = length.len().wrapping_add(1);
        assert_eq!(publish_with_length(length, &STRICT), Some((len, value)));
    }
}

#[test]
fn a_remaining_length_in_more_bytes_than_it_needs_is_refused_on_request() {
    for (length, _) in NOT_MINIMAL {
        let src = [b"\x30", length].concat();
        assert_eq!(
            fault(checked_header::<V3>(&src, &MINIMAL_ONLY)),
            (
                Field::RemainingLength,
                ErrorKind::RemainingLengthNotMinimal,
                1
            ),
            "{length:x?}"
        );
    }
}

#[test]
fn the_minimal_forms_pass_where_longer_ones_are_refused() {
    for (length, value) in TABLE_2_4 {
        let len = length.len().wrapping_add(1);
        assert_eq!(
            publish_with_length(length, &MINIMAL_ONLY),
            Some((len, value))
        );
    }
}

#[test]
fn a_fifth_length_byte_is_refused_when_the_fourth_announces_it() {
    // Three length bytes can still be valid. The top bit of the fourth is a fault, whether or
    // not the fifth was received.
    assert_eq!(checked_header::<V3>(b"\x30\x80\x80\x80", &STRICT), Ok(None));
    for src in [&b"\x30\x80\x80\x80\x80"[..], b"\x30\xff\xff\xff\xff\x01"] {
        assert_eq!(
            fault(checked_header::<V3>(src, &STRICT)),
            (Field::RemainingLength, ErrorKind::RemainingLengthTooLong, 1)
        );
    }
}

#[test]
fn a_fault_in_the_first_byte_is_found_before_a_second_byte_is_there() {
    assert_eq!(
        fault(checked_header::<V3>(b"\x00", &STRICT)),
        (Field::PacketType, ErrorKind::ReservedPacketType, 0)
    );
    assert_eq!(
        fault(checked_header::<V3>(b"\x80", &STRICT)),
        (Field::Flags, ErrorKind::InvalidFlags, 0)
    );
}

#[test]
fn a_fault_in_the_first_byte_comes_before_one_in_remaining_length() {
    assert_eq!(
        fault(checked_header::<V3>(b"\xf0\xff\xff\xff\xff", &STRICT)),
        (Field::PacketType, ErrorKind::ReservedPacketType, 0)
    );
    assert_eq!(
        fault(checked_header::<V3>(b"\x80\xff\xff\xff\xff", &STRICT)),
        (Field::Flags, ErrorKind::InvalidFlags, 0)
    );
    assert_eq!(
        fault(checked_header::<V3>(b"\x80\x80\x00", &MINIMAL_ONLY)),
        (Field::Flags, ErrorKind::InvalidFlags, 0)
    );
}

#[test]
fn a_packet_length_is_header_and_remaining_length_together() {
    let header = checked_header::<V3>(b"\x3b\x80\x01", &STRICT)
        .unwrap()
        .unwrap();
    assert_eq!(header.first_byte(), 0x3b);
    assert_eq!(header.packet_type(), Some(PacketType::Publish));
    assert_eq!(header.len(), 3);
    assert_eq!(header.remaining_length(), 128);
    assert_eq!(header.packet_len(), 131);
}

#[test]
fn a_header_with_a_reserved_type_has_none() {
    let header = Header {
        remaining_length: 0,
        first_byte: 0x00,
        len: 2,
    };
    assert_eq!(header.packet_type(), None);
}
