use super::*;
use crate::v3::{DecodeError, Decoder, Delivery, Packet, PieceRef};
use crate::wire::{ErrorKind, Field, Options, PacketType, SentBy};
use std::format;

#[cfg(feature = "alloc")]
use alloc::vec::Vec;

const PINGREQ: &[u8] = b"\xc0\0";
/// PUBLISH of `hello` to `t`: ten bytes.
const PUBLISH: &[u8] = b"\x30\x08\0\x01thello";
/// A PUBLISH with a payload of 20 bytes to `t`: 25 bytes, 5 of them before the payload.
const LARGE: &[u8] = b"\x30\x17\0\x01t01234567890123456789";

/// Returns the packets in `input`, all of which is consumed.
fn decode_one<M: Buffer>(decoder: &mut Decoder<M>, mut input: &[u8]) -> Option<PacketType> {
    let packet = decoder.decode(&mut input).unwrap();
    let packet_type = packet.map(|packet| packet.packet_type());
    assert_eq!(input, b"");
    packet_type
}

fn refusal<M: Buffer>(decoder: &mut Decoder<M>, mut input: &[u8]) -> DecodeError {
    decoder.decode(&mut input).unwrap_err()
}

fn piece<'s, 'i: 's, M: Buffer>(
    decoder: &'s mut Decoder<M>,
    input: &mut &'i [u8],
) -> Option<PieceRef<'s>> {
    decoder.decode_in_pieces(input).unwrap()
}

#[test]
fn a_new_decoder_is_strict_at_the_start_and_at_a_boundary() {
    let decoder = Decoder::new([0; 4]);
    assert_eq!(decoder.position(), 0);
    assert!(decoder.is_at_packet_boundary());
    assert_eq!(*decoder.options(), Options::new());
}

#[test]
fn no_input_is_no_packet() {
    let mut decoder = Decoder::new([0; 4]);
    assert_eq!(decode_one(&mut decoder, b""), None);
    assert_eq!(piece(&mut decoder, &mut &b""[..]), None);
    assert!(decoder.is_at_packet_boundary());
}

#[test]
fn packets_come_out_one_at_a_time_until_the_input_is_used_up() {
    let mut decoder = Decoder::new([0; 4]);
    let mut input = &b"\xc0\0\x40\x02\0\x07\xd0\0"[..];
    assert_eq!(decoder.decode(&mut input), Ok(Some(Packet::PingReq)));
    assert_eq!(input, b"\x40\x02\0\x07\xd0\0");
    assert!(matches!(
        decoder.decode(&mut input),
        Ok(Some(Packet::PubAck(_)))
    ));
    assert_eq!(decoder.decode(&mut input), Ok(Some(Packet::PingResp)));
    assert_eq!(decoder.decode(&mut input), Ok(None));
    assert_eq!(input, b"");
}

#[test]
fn the_position_is_where_the_next_packet_starts() {
    let mut decoder = Decoder::new([0; 16]);
    decode_one(&mut decoder, PINGREQ);
    assert_eq!(decoder.position(), 2);
    // The first bytes of a packet are not decoded yet.
    decode_one(&mut decoder, &PUBLISH[..7]);
    assert_eq!(decoder.position(), 2);
    decode_one(&mut decoder, &PUBLISH[7..]);
    assert_eq!(decoder.position(), 12);
    decode_one(&mut decoder, PINGREQ);
    assert_eq!(decoder.position(), 14);
}

#[test]
fn the_position_goes_on_with_each_piece() {
    let mut decoder = Decoder::new([0; 8]);
    let mut input = LARGE;
    piece(&mut decoder, &mut input);
    assert_eq!(decoder.position(), 5);
    let mut part = &input[..12];
    piece(&mut decoder, &mut part);
    assert_eq!(decoder.position(), 17);
    let mut part = &input[12..];
    piece(&mut decoder, &mut part);
    assert_eq!(decoder.position(), 25);
}

#[test]
fn after_an_error_the_position_is_where_the_packet_at_fault_starts() {
    for cut in 2..6 {
        let mut decoder = Decoder::new([0; 16]);
        let (mut start, mut rest) = b"\xc0\0\x40\x02\0\0".split_at(cut);
        decoder.decode(&mut start).unwrap();
        let _ = decoder.decode(&mut start);
        let error = decoder.decode(&mut rest).unwrap_err();
        assert_eq!(decoder.position(), 2);
        assert_eq!(error.offset(), 2);
    }
}

#[test]
fn a_packet_that_has_started_is_no_boundary_until_it_is_complete() {
    let mut decoder = Decoder::new([0; 16]);
    for at in 0..PUBLISH.len() {
        assert_eq!(decoder.is_at_packet_boundary(), at == 0, "before byte {at}");
        decode_one(&mut decoder, &PUBLISH[at..at.wrapping_add(1)]);
    }
    assert!(decoder.is_at_packet_boundary());
}

#[test]
fn a_payload_in_pieces_is_no_boundary_until_its_last_byte() {
    let mut decoder = Decoder::new([0; 8]);
    let mut input = &LARGE[..24];
    piece(&mut decoder, &mut input);
    assert!(!decoder.is_at_packet_boundary());
    piece(&mut decoder, &mut input);
    assert!(!decoder.is_at_packet_boundary());
    piece(&mut decoder, &mut &LARGE[24..]);
    assert!(decoder.is_at_packet_boundary());
}

#[test]
fn an_error_is_no_boundary() {
    let mut decoder = Decoder::new([0; 4]);
    refusal(&mut decoder, b"\0");
    assert!(!decoder.is_at_packet_boundary());
}

#[test]
fn an_error_is_given_again_whatever_comes() {
    let mut decoder = Decoder::new([0; 4]);
    let error = refusal(&mut decoder, b"\x40\x02\0\0");
    assert_eq!(error.kind(), ErrorKind::ZeroPacketIdentifier);
    assert_eq!(refusal(&mut decoder, PINGREQ), error);
    assert_eq!(refusal(&mut decoder, b""), error);
    assert_eq!(decoder.decode_in_pieces(&mut &PINGREQ[..]), Err(error));
    assert_eq!(decoder.position(), 0);
}

#[test]
fn an_error_in_a_gathered_packet_is_given_again_too() {
    let mut decoder = Decoder::new([0; 4]);
    decode_one(&mut decoder, b"\x40\x02\0");
    let error = refusal(&mut decoder, b"\0");
    assert_eq!(error.kind(), ErrorKind::ZeroPacketIdentifier);
    assert_eq!(refusal(&mut decoder, PINGREQ), error);
}

#[test]
fn an_error_before_pieces_is_given_again_too() {
    // An empty Topic Name.
    let mut decoder = Decoder::new([0; 8]);
    let mut input = &b"\x30\x17\0\0"[..];
    let error = decoder.decode_in_pieces(&mut input).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EmptyTopic);
    assert_eq!(decoder.decode_in_pieces(&mut &PINGREQ[..]), Err(error));
    assert_eq!(refusal(&mut decoder, PINGREQ), error);
}

#[test]
fn other_options_do_not_bring_a_decoder_back_from_an_error() {
    let mut decoder = Decoder::new([0; 4]);
    let error = refusal(&mut decoder, b"\x60\x02\0\x01");
    decoder.set_options(Options::new().accept_pubrel_flags(true));
    assert_eq!(refusal(&mut decoder, b"\x60\x02\0\x01"), error);
}

#[test]
fn options_that_are_set_between_two_packets_are_for_the_second() {
    let mut decoder = Decoder::with_options([0; 16], Options::new().max_packet_size(4));
    assert_eq!(decode_one(&mut decoder, PINGREQ), Some(PacketType::PingReq));
    decoder.set_options(Options::new().max_packet_size(10));
    assert_eq!(decode_one(&mut decoder, PUBLISH), Some(PacketType::Publish));
    decoder.set_options(decoder.options().max_packet_size(9));
    assert_eq!(
        refusal(&mut decoder, PUBLISH).kind(),
        ErrorKind::PacketTooLarge
    );
}

#[test]
fn a_packet_that_has_started_keeps_the_limit_it_started_with() {
    let mut decoder = Decoder::new([0; 16]);
    decode_one(&mut decoder, &PUBLISH[..5]);
    decoder.set_options(Options::new().max_packet_size(4));
    assert_eq!(
        decode_one(&mut decoder, &PUBLISH[5..]),
        Some(PacketType::Publish)
    );
    assert_eq!(
        refusal(&mut decoder, PUBLISH).kind(),
        ErrorKind::PacketTooLarge
    );
}

#[test]
fn a_leniency_can_be_taken_back() {
    let lenient = Options::new().accept_pubrel_flags(true);
    let mut decoder = Decoder::with_options([0; 4], lenient);
    let pubrel = b"\x60\x02\0\x01";
    assert_eq!(decode_one(&mut decoder, pubrel), Some(PacketType::PubRel));
    decoder.set_options(Options::new());
    assert_eq!(*decoder.options(), Options::new());
    assert_eq!(
        refusal(&mut decoder, pubrel).kind(),
        ErrorKind::InvalidFlags
    );
}

#[test]
fn a_packet_may_fill_the_memory_and_not_exceed_it() {
    let mut decoder = Decoder::new([0; 10]);
    assert_eq!(decode_one(&mut decoder, &PUBLISH[..9]), None);
    assert_eq!(
        decode_one(&mut decoder, &PUBLISH[9..]),
        Some(PacketType::Publish)
    );
    let mut decoder = Decoder::new([0; 9]);
    assert_eq!(
        refusal(&mut decoder, &PUBLISH[..9]).kind(),
        ErrorKind::PacketTooLarge
    );
}

#[test]
fn a_packet_that_lies_whole_in_the_input_must_fit_into_the_memory_too() {
    let mut decoder = Decoder::new([0; 9]);
    let error = refusal(&mut decoder, PUBLISH);
    assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
    assert_eq!(error.offset(), 1);
}

#[test]
fn the_smaller_of_memory_and_option_is_the_limit() {
    let small = Options::new().max_packet_size(9);
    let mut decoder = Decoder::with_options([0; 64], small);
    assert_eq!(
        refusal(&mut decoder, PUBLISH).kind(),
        ErrorKind::PacketTooLarge
    );
    let large = Options::new().max_packet_size(64);
    let mut decoder = Decoder::with_options([0; 9], large);
    assert_eq!(
        refusal(&mut decoder, PUBLISH).kind(),
        ErrorKind::PacketTooLarge
    );
}

#[test]
fn a_whole_packet_borrows_from_the_input_and_a_split_one_from_the_memory() {
    fn payload_at<M: Buffer>(decoder: &mut Decoder<M>, mut input: &[u8]) -> *const u8 {
        match decoder.decode(&mut input) {
            Ok(Some(Packet::Publish(publish))) => publish.payload.as_ptr(),
            other => panic!("{other:?}"),
        }
    }
    let mut memory = [0; 16];
    let in_memory = memory[5..].as_ptr();
    let mut decoder = Decoder::new(&mut memory[..]);
    assert_eq!(payload_at(&mut decoder, PUBLISH), PUBLISH[5..].as_ptr());
    decode_one(&mut decoder, &PUBLISH[..1]);
    assert_eq!(payload_at(&mut decoder, &PUBLISH[1..]), in_memory);
}

#[test]
fn a_large_publish_comes_out_as_its_header_and_its_payload() {
    let mut decoder = Decoder::new([0; 8]);
    let mut input = LARGE;
    let Some(Piece::PublishHeader(header)) = piece(&mut decoder, &mut input) else {
        panic!("no header");
    };
    assert_eq!(header.topic, "t");
    assert_eq!(header.delivery, Delivery::AtMostOnce);
    assert_eq!(header.payload_len, 20);
    assert_eq!(
        piece(&mut decoder, &mut &input[..8]),
        Some(Piece::Payload {
            bytes: b"01234567",
            left: 12
        })
    );
    let mut input = &b"890123456789\xc0\0"[..];
    assert_eq!(
        piece(&mut decoder, &mut input),
        Some(Piece::Payload {
            bytes: b"890123456789",
            left: 0
        })
    );
    assert_eq!(
        piece(&mut decoder, &mut input),
        Some(Piece::Packet(Packet::PingReq))
    );
    assert_eq!(piece(&mut decoder, &mut input), None);
}

#[test]
fn a_publish_that_fits_comes_out_whole_even_where_pieces_are_asked_for() {
    let mut decoder = Decoder::new([0; 10]);
    assert_eq!(piece(&mut decoder, &mut &PUBLISH[..6]), None);
    assert!(matches!(
        piece(&mut decoder, &mut &PUBLISH[6..]),
        Some(Piece::Packet(Packet::Publish(_)))
    ));
}

#[test]
fn the_start_of_a_large_publish_is_gathered_if_it_is_split() {
    let mut decoder = Decoder::new([0; 8]);
    for at in 0..4 {
        assert_eq!(piece(&mut decoder, &mut &LARGE[at..][..1]), None);
    }
    let mut input = &LARGE[4..];
    assert!(matches!(
        piece(&mut decoder, &mut input),
        Some(Piece::PublishHeader(_))
    ));
    assert_eq!(input, b"01234567890123456789");
}

#[test]
fn a_publish_over_the_limit_for_pieces_is_too_large() {
    for (limit, accepted) in [(25, true), (24, false)] {
        let options = Options::new().max_publish_size(limit);
        let mut decoder = Decoder::with_options([0; 8], options);
        let piece = decoder.decode_in_pieces(&mut &LARGE[..]);
        assert_eq!(piece.is_ok(), accepted);
    }
}

#[test]
fn what_comes_before_the_payload_has_to_fit_into_the_memory() {
    for memory_len in 1..=8 {
        let mut memory = [0; 8];
        let mut decoder = Decoder::new(&mut memory[..memory_len]);
        match decoder.decode_in_pieces(&mut &LARGE[..]) {
            Ok(piece) => {
                assert!(memory_len >= 5);
                assert!(matches!(piece, Some(Piece::PublishHeader(_))));
            }
            Err(error) => {
                assert!(memory_len < 5);
                assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
            }
        }
    }
}

#[test]
fn only_publish_comes_in_pieces() {
    let mut decoder = Decoder::new([0; 4]);
    let mut subscribe = &b"\x82\x06\0\x01\0\x01a\0"[..];
    let error = decoder.decode_in_pieces(&mut subscribe).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
    assert_eq!(error.packet_type(), Some(PacketType::Subscribe));
}

#[test]
fn decode_skips_the_rest_of_a_payload_that_came_in_pieces() {
    let mut decoder = Decoder::new([0; 8]);
    let mut input = LARGE;
    piece(&mut decoder, &mut input);
    piece(&mut decoder, &mut &input[..3]);
    assert_eq!(decode_one(&mut decoder, &input[3..10]), None);
    assert!(!decoder.is_at_packet_boundary());
    let rest = [&input[10..], PINGREQ].concat();
    assert_eq!(decode_one(&mut decoder, &rest), Some(PacketType::PingReq));
    assert_eq!(decoder.position(), 27);
}

#[test]
fn decode_skips_a_whole_payload_whose_header_came_alone() {
    let mut decoder = Decoder::new([0; 8]);
    let stream = [LARGE, PUBLISH[..2].as_ref()].concat();
    let mut input = &stream[..];
    piece(&mut decoder, &mut input);
    assert_eq!(
        decoder.decode(&mut input).unwrap_err().kind(),
        ErrorKind::PacketTooLarge
    );
    assert_eq!(decoder.position(), 25);
}

/// A buffer whose heap is exhausted after some bytes.
struct Exhausted {
    bytes: [u8; 16],
    room: usize,
}

impl Exhausted {
    const fn after(room: usize) -> Self {
        Self {
            bytes: [0; 16],
            room,
        }
    }
}

impl Buffer for Exhausted {
    fn capacity(&self) -> usize {
        usize::MAX
    }
    fn append(&mut self, filled: usize, bytes: &[u8]) -> bool {
        (&mut self.bytes[..self.room]).append(filled, bytes)
    }
    fn filled(&self, filled: usize) -> &[u8] {
        &self.bytes[..filled]
    }
}

#[test]
fn a_packet_whose_body_finds_no_memory_is_named() {
    let mut decoder = Decoder::new(Exhausted::after(2));
    assert_eq!(decode_one(&mut decoder, &PUBLISH[..1]), None);
    let error = refusal(&mut decoder, &PUBLISH[1..]);
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert_eq!(error.field(), Field::RemainingLength);
    assert_eq!(error.packet_type(), Some(PacketType::Publish));
    assert_eq!(error.statement(), None);
}

#[test]
fn a_fixed_header_that_finds_no_memory_ends_the_stream_too() {
    let mut decoder = Decoder::new(Exhausted::after(0));
    assert_eq!(decode_one(&mut decoder, &PUBLISH[..1]), None);
    let error = refusal(&mut decoder, &PUBLISH[1..2]);
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    assert_eq!(error.packet_type(), Some(PacketType::Publish));
    assert_eq!(refusal(&mut decoder, PINGREQ), error);
}

#[test]
fn whole_packets_need_no_memory() {
    let mut decoder = Decoder::new(Exhausted::after(0));
    assert_eq!(decode_one(&mut decoder, PUBLISH), Some(PacketType::Publish));
    assert_eq!(decode_one(&mut decoder, PINGREQ), Some(PacketType::PingReq));
}

#[test]
fn memory_of_no_bytes_takes_no_packet() {
    let mut decoder = Decoder::new([0; 0]);
    assert_eq!(decode_one(&mut decoder, b""), None);
    assert_eq!(
        refusal(&mut decoder, PINGREQ).kind(),
        ErrorKind::PacketTooLarge
    );
}

/// Appends, overwrites from the middle, and overflows.
#[cfg(feature = "alloc")]
#[test]
fn a_vector_grows_with_what_has_come_and_not_with_what_was_announced() {
    let mut decoder = Decoder::new(Vec::new());
    // A PUBLISH of almost 1 MiB, of which a few bytes were received.
    assert_eq!(decode_one(&mut decoder, b"\x30\xf0\xff\x3f\0\x01t"), None);
    assert_eq!(decoder.buffer.len(), 7);
    assert!(decoder.buffer.capacity() < 1024);
}

#[cfg(feature = "alloc")]
#[test]
fn the_option_is_the_limit_of_a_vector() {
    let mut decoder = Decoder::with_options(Vec::new(), Options::new().max_packet_size(9));
    assert_eq!(
        refusal(&mut decoder, PUBLISH).kind(),
        ErrorKind::PacketTooLarge
    );
}

#[cfg(feature = "alloc")]
#[test]
fn shrink_gives_everything_back_at_a_boundary() {
    let mut decoder = Decoder::new(Vec::new());
    decode_one(&mut decoder, &PUBLISH[..9]);
    decode_one(&mut decoder, &PUBLISH[9..]);
    assert!(decoder.buffer.capacity() >= 10);
    decoder.shrink();
    assert_eq!(decoder.buffer.capacity(), 0);
    assert_eq!(decode_one(&mut decoder, PUBLISH), Some(PacketType::Publish));
}

#[cfg(feature = "alloc")]
#[test]
fn shrink_keeps_a_packet_of_which_a_part_has_come() {
    for cut in 1..PUBLISH.len() {
        let mut decoder = Decoder::new(Vec::with_capacity(4096));
        decode_one(&mut decoder, &PUBLISH[..cut]);
        decoder.shrink();
        // An incomplete fixed header is not in the buffer yet.
        let gathered = if cut < 2 { 0 } else { cut };
        assert_eq!(decoder.buffer, &PUBLISH[..gathered]);
        assert!(decoder.buffer.capacity() < 4096);
        assert_eq!(
            decode_one(&mut decoder, &PUBLISH[cut..]),
            Some(PacketType::Publish)
        );
    }
}

#[cfg(feature = "alloc")]
#[test]
fn shrink_gives_everything_back_within_a_payload_in_pieces_and_after_an_error() {
    let options = Options::new().max_packet_size(8);
    let mut decoder = Decoder::with_options(Vec::new(), options);
    assert_eq!(piece(&mut decoder, &mut &LARGE[..3]), None);
    // The buffer keeps an incomplete header of a PUBLISH.
    decoder.shrink();
    assert_eq!(decoder.buffer, &LARGE[..3]);
    assert!(matches!(
        piece(&mut decoder, &mut &LARGE[3..5]),
        Some(Piece::PublishHeader(_))
    ));
    decoder.shrink();
    assert_eq!(decoder.buffer.capacity(), 0);
    assert_eq!(
        piece(&mut decoder, &mut &LARGE[5..])
            .map(|piece| matches!(piece, Piece::Payload { left: 0, .. })),
        Some(true)
    );

    decode_one(&mut decoder, b"\x40\x02\0");
    let error = refusal(&mut decoder, b"\0");
    decoder.shrink();
    assert_eq!(decoder.buffer.capacity(), 0);
    assert_eq!(refusal(&mut decoder, b""), error);
}

#[test]
fn debug_shows_state_and_position_and_not_what_is_in_memory() {
    let mut decoder = Decoder::new([0; 64]);
    decode_one(&mut decoder, PINGREQ);
    decode_one(
        &mut decoder,
        b"\x10\x20\0\x04MQTT\x04\xc2\0\0\0\0\0\x01u\0\x06secre",
    );
    let shown = format!("{decoder:?}");
    assert!(
        shown.starts_with("StreamDecoder { state: Gathering { fixed: Fixed {"),
        "{shown}"
    );
    assert!(shown.contains("missing: 10"), "{shown}");
    assert!(shown.contains("position: 2, options: Options {"), "{shown}");
    assert!(shown.ends_with(", .. }"), "{shown}");
    // Neither as text nor as numbers.
    assert!(!shown.contains("secre"), "{shown}");
    assert!(!shown.contains("115, 101"), "{shown}");
}

#[test]
fn a_piece_of_a_payload_prints_as_its_length() {
    let piece = PieceRef::Payload {
        bytes: b"hello",
        left: 3,
    };
    assert_eq!(format!("{piece:?}"), "Payload { len: 5, left: 3 }");
}

#[test]
fn a_cloned_decoder_goes_on_by_itself() {
    let mut decoder = Decoder::new([0; 16]);
    decode_one(&mut decoder, &PUBLISH[..6]);
    let mut clone = decoder.clone();
    assert_eq!(
        decode_one(&mut decoder, &PUBLISH[6..]),
        Some(PacketType::Publish)
    );
    assert!(!clone.is_at_packet_boundary());
    assert_eq!(
        decode_one(&mut clone, &PUBLISH[6..]),
        Some(PacketType::Publish)
    );
}

#[test]
fn decode_refuses_a_large_publish_whose_start_was_gathered_for_pieces() {
    let mut decoder = Decoder::new([0; 8]);
    assert_eq!(piece(&mut decoder, &mut &LARGE[..4]), None);
    let mut input = &LARGE[4..];
    let error = decoder.decode(&mut input).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
}

#[test]
fn a_packet_of_fixed_size_that_is_too_long_has_the_same_fault_however_it_is_cut() {
    for bytes in [
        &b"\x20\x03\xff\0\0"[..],
        b"\x20\x03\0\x06\0",
        b"\x40\x03\0\0\0",
    ] {
        let whole = refusal(&mut Decoder::new([0; 16]), bytes);
        let mut decoder = Decoder::new([0; 16]);
        decode_one(&mut decoder, &bytes[..1]);
        assert_eq!(refusal(&mut decoder, &bytes[1..]), whole);
    }
}

#[test]
fn memory_shorter_than_a_fixed_header_gives_the_same_fault_however_the_stream_is_cut() {
    for bytes in [&b"\x10\x80\x80\x80\x80"[..], b"\x30\xff\xff\x7f"] {
        let whole = refusal(&mut Decoder::new([0; 3]), bytes);
        let mut decoder = Decoder::new([0; 3]);
        decode_one(&mut decoder, &bytes[..1]);
        assert_eq!(refusal(&mut decoder, &bytes[1..]), whole);
    }
}

#[test]
fn an_overlong_remaining_length_is_refused_with_the_fixed_header_if_asked_for() {
    let options = Options::new().refuse_overlong_remaining_length(true);
    // PUBLISH of `hello` to `t`, with one byte of Remaining Length too many.
    let overlong = b"\x30\x88\0\0\x01thello";
    for len in 3..=overlong.len() {
        let mut decoder = Decoder::with_options([0; 16], options);
        let error = refusal(&mut decoder, &overlong[..len]);
        assert_eq!(error.kind(), ErrorKind::RemainingLengthNotMinimal, "{len}");
    }
}

#[test]
fn a_packet_begun_in_pieces_is_too_large_for_decode_whatever_comes_next() {
    let mut decoder = Decoder::new([0; 16]);
    // PUBLISH with a topic of ten bytes: the payload begins after 14 bytes.
    let mut start = &b"\x30\x50\0\x0a"[..];
    assert_eq!(decoder.decode_in_pieces(&mut start), Ok(None));
    let error = refusal(&mut decoder, b"t");
    assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
}

#[test]
fn memory_for_no_more_than_the_length_of_a_topic_is_enough_to_see_that_it_is_empty() {
    for step in [1, 2, 4] {
        let mut decoder = Decoder::new([0; 4]);
        let outcome = b"\x30\x50\0\0"
            .chunks(step)
            .find_map(|mut input| decoder.decode_in_pieces(&mut input).err());
        let kind = outcome.map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::EmptyTopic), "{step}");
    }
}

#[test]
fn a_located_packet_or_piece_can_be_read_again_after_it_was_consumed() {
    let stream = [PUBLISH, PINGREQ, LARGE, b"\x62\x02\0\x09"].concat();
    for cut in 0..=stream.len() {
        let options = Options::new().payloads_in_pieces(true);
        let mut decoder = Decoder::with_options([0; 12], options);
        let (first, second) = stream.split_at(cut);
        let mut read = 0;
        for mut input in [first, second] {
            while let Some(located) = decoder.locate(&mut input).unwrap() {
                let before = format!("{:?}", decoder.read(&located, SentBy::Either).unwrap());
                decoder.consume(&located, &mut input);
                let after = format!("{:?}", decoder.read(&located, SentBy::Either).unwrap());
                assert_eq!(before, after, "cut at {cut}");
                read += 1;
            }
        }
        assert!(read > 4, "cut at {cut}");
        assert_eq!(decoder.position(), stream.len() as u64);
    }
}

#[test]
fn a_decoder_is_at_the_start_of_its_stream_until_a_byte_of_it_came() {
    let mut decoder = Decoder::new([0; 8]);
    assert!(decoder.is_at_start());
    assert_eq!(decoder.decode(&mut &b"\xc0"[..]), Ok(None));
    assert!(!decoder.is_at_start());
    assert!(matches!(decoder.decode(&mut &b"\0"[..]), Ok(Some(_))));
    assert!(decoder.is_at_packet_boundary() && !decoder.is_at_start());
}

#[test]
fn a_stream_is_of_mqtt_3_1_only_if_it_begins_with_such_a_connect() {
    const CONNECT: &[u8] = b"\x10\x0f\0\x06MQIsdp\x03\x02\0\x3c\0\x01c";
    const PUBLISH: &[u8] = b"\x30\x0a\0\x06MQIsdphi";
    // A bit of the fixed header that MQTT 3.1 does not use.
    const WITH_DUP: &[u8] = b"\xc8\0";

    let mut decoder = Decoder::new([0; 32]);
    decode_one(&mut decoder, CONNECT);
    assert_eq!(
        decode_one(&mut decoder, WITH_DUP),
        Some(PacketType::PingReq)
    );
    for before in [&[PUBLISH][..], &[PINGREQ, CONNECT]] {
        let mut decoder = Decoder::new([0; 32]);
        // In pieces, because other messages take a shortcut that learns nothing.
        let before = before.concat();
        let mut input = &before[..];
        while piece(&mut decoder, &mut input).is_some() {}
        assert_eq!(
            refusal(&mut decoder, WITH_DUP).kind(),
            ErrorKind::InvalidFlags
        );
    }
}
