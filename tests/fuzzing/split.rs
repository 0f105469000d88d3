//! One stream, split in arbitrary ways: the same packets, or the same error at the same offset,
//! whole and in pieces, with any kind of buffer.

use arbitrary::Unstructured;
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use mqtt_sansio::{DecodeError, Encode, ErrorKind, Field, Options, Piece, StreamDecoder};

use super::codec::{Borrowed, Codec};
use super::input;
use crate::common::{
    Item, Received, decode_at_once, decode_one_by_one, feed, fixed_header, receive,
};

/// The lengths of the parts of the stream, used over and over.
const LENS: usize = 6;

pub fn split(data: &[u8]) {
    split_as::<V3>(data);
    split_as::<V5>(data);
}

fn split_as<V: Codec>(data: &[u8])
where
    for<'a> V::Packet<'a>: Borrowed,
{
    let mut u = Unstructured::new(data);
    let (options, limit) = input::limited_options(&mut u);
    let room = match input::byte(&mut u) {
        size @ 0..128 => size,
        size => (size - 127) * 16,
    };
    let mut lens = [0; LENS];
    for len in &mut lens {
        *len = match input::byte(&mut u) {
            len @ 0..128 => len,
            len => (len - 127) * 8,
        };
    }
    let stream = u.take_rest();
    let parts = cut(stream, lens);

    check_whole::<V>(stream, &parts, room, options, limit);
    check_pieces::<V>(stream, &parts, room, options);
    #[cfg(feature = "bytes")]
    check_bytes::<V>(stream, &parts, &options);
    check_both_kinds::<V>(&parts, room, options);
}

/// Some lengths may be 0, but not all.
fn cut(stream: &[u8], lens: [usize; LENS]) -> Vec<&[u8]> {
    let lens = if lens == [0; LENS] { [1; LENS] } else { lens };
    let mut parts = Vec::new();
    let mut rest = stream;
    for len in lens.into_iter().cycle() {
        let (part, behind) = rest.split_at(len.min(rest.len()));
        parts.push(part);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    parts
}

/// `decode`, with each kind of buffer.
fn check_whole<V: Codec>(
    stream: &[u8],
    parts: &[&[u8]],
    room: usize,
    options: Options,
    limit: u32,
) {
    let parts = || parts.iter().copied();
    // The buffer is a limit as those of the options, also for a packet that lies whole in the
    // input.
    let expected = |room: usize| {
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        decode_at_once::<V>(stream, &options.max_packet_size(room.min(limit)))
    };
    let grown = feed(
        StreamDecoder::<V, _>::with_options(Vec::new(), options),
        parts(),
    );
    assert_eq!(grown, expected(usize::MAX));

    let mut memory = vec![0xee; room];
    let slice = feed(
        StreamDecoder::<V, _>::with_options(&mut memory[..], options),
        parts(),
    );
    assert_eq!(slice, expected(room), "in {room} bytes");
    let memory = vec![0; room].into_boxed_slice();
    let at_once = feed(
        StreamDecoder::<V, _>::with_options(memory, options),
        [stream],
    );
    assert_eq!(at_once, expected(room), "in {room} bytes, not cut");
    let array = feed(
        StreamDecoder::<V, _>::with_options([0; 16], options),
        parts(),
    );
    assert_eq!(array, expected(16), "in 16 bytes");
}

/// `decode_in_pieces`: the same however the stream is split, and the same packets as a decoder with
/// a buffer for everything.
fn check_pieces<V: Codec>(stream: &[u8], parts: &[&[u8]], room: usize, options: Options) {
    let memory = || vec![0xee; room].into_boxed_slice();
    let received = receive(
        StreamDecoder::<V, _>::with_options(memory(), options),
        parts.iter().copied(),
    );
    let at_once = receive(
        StreamDecoder::<V, _>::with_options(memory(), options),
        [stream],
    );
    assert_eq!(received, at_once, "in {room} bytes");

    let Received {
        mut items,
        error,
        position,
        at_packet_boundary,
    } = received;
    let all = decode_at_once::<V>(stream, &options.max_packet_size(u32::MAX));
    // The last payload may be incomplete.
    let is_unfinished = items.last().is_some_and(|item| match item {
        Item::InPieces(header, payload) => payload.len() < V::payload_len(header),
        Item::Whole(_) => false,
    });
    if is_unfinished {
        items.pop();
    }
    assert!(!is_unfinished || error.is_none() && !at_packet_boundary);
    let count = items.len();
    assert!(count <= all.packets.len(), "packets that are not there");
    for (item, packet) in items.into_iter().zip(&all.packets) {
        assert_eq!(item.into_packet(), *packet);
    }
    if error.is_none() {
        assert_eq!(count, all.packets.len());
    } else if is_found_early(error) {
        // Faults before the lengths come first where they are checked.
        let is_before = |fault: DecodeError<V>| {
            matches!(fault.field(), Field::TopicName | Field::PacketIdentifier)
        };
        assert!(all.error.is_none_or(is_before) || error == all.error);
        assert_eq!(position, all.position);
    } else if let (false, Some(completed)) = (is_limit(error), completed(stream, all.position)) {
        // Pieces are delivered before later bytes are validated.
        let all = decode_at_once::<V>(&completed, &options.max_packet_size(u32::MAX));
        assert_eq!((error, position), (all.error, all.position));
    }
}

/// Returns the stream with the rest of the packet at `position`, if that is incomplete and not too
/// long.
fn completed(stream: &[u8], position: u64) -> Option<Vec<u8>> {
    let start = usize::try_from(position).ok()?;
    let header = fixed_header(&stream[start..]);
    let end = header.map_or(start, |(remaining_length, len)| {
        start + len + remaining_length
    });
    if end > 10_000 {
        return None;
    }
    let mut completed = stream.to_vec();
    completed.resize(end.max(stream.len()), 0);
    Some(completed)
}

/// Returns an error that a decoder with a larger buffer does not return.
fn is_limit<V: Codec>(error: Option<DecodeError<V>>) -> bool {
    error.is_some_and(|error| error.kind() == ErrorKind::PacketTooLarge)
}

/// Returns true if the lengths in a PUBLISH in pieces leave no room for its Packet Identifier or its
/// properties, or if Property Length is invalid. This is found without the topic and the Packet
/// Identifier, which may not have arrived.
fn is_found_early<V: Codec>(error: Option<DecodeError<V>>) -> bool {
    error.is_some_and(|error| match error.field() {
        Field::PacketIdentifier | Field::Properties => error.kind() == ErrorKind::Truncated,
        field => field == Field::PropertyLength,
    })
}

/// `decode_bytes`, with the stream in the same parts.
#[cfg(feature = "bytes")]
fn check_bytes<V: Codec>(stream: &[u8], parts: &[&[u8]], options: &Options) {
    let mut src = bytes::BytesMut::new();
    let mut packets = Vec::new();
    let mut error = None;
    let mut come = 0;
    'stream: for part in parts {
        src.extend_from_slice(part);
        come += part.len();
        loop {
            match V::decode_bytes(&mut src, options) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(fault) => {
                    error = Some(fault);
                    break 'stream;
                }
            }
        }
    }
    let expected = decode_one_by_one::<V>(stream, options, false);
    assert_eq!((packets, error), (expected.packets, expected.error));
    assert_eq!((come - src.len()) as u64, expected.position);
}

/// `decode` and `decode_in_pieces` in turn: every packet returned is in the stream, and none is
/// returned twice.
fn check_both_kinds<V: Codec>(parts: &[&[u8]], room: usize, options: Options)
where
    for<'a> V::Packet<'a>: Borrowed,
{
    let mut decoder =
        StreamDecoder::<V, _>::with_options(vec![0; room].into_boxed_slice(), options);
    let mut turn = 0_u32;
    let mut come = 0;
    for part in parts {
        let mut input = *part;
        come += part.len() as u64;
        loop {
            let before = decoder.position();
            turn += 1;
            let outcome = if turn % 3 == 0 {
                decoder
                    .decode(&mut input)
                    .map(|packet| packet.map(packet_len))
            } else {
                decoder.decode_in_pieces(&mut input).map(|piece| {
                    piece.map(|piece| match piece {
                        Piece::Packet(packet) => packet_len(packet),
                        // First byte, Remaining Length, and the length of the Topic Name.
                        Piece::PublishHeader(_) => 4,
                        Piece::Payload { bytes, .. } => bytes.len(),
                    })
                })
            };
            let after = decoder.position();
            match outcome {
                Ok(Some(len)) => assert!(after - before >= len as u64, "{len} bytes"),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.decode(&mut input), Err(error), "it latches");
                    assert_eq!(decoder.decode_in_pieces(&mut input).err(), Some(error));
                    assert_eq!(decoder.position(), after);
                    return;
                }
            }
        }
        assert!(input.is_empty());
        assert!(decoder.position() <= come);
        let is_all_out = decoder.position() == come;
        assert!(is_all_out || !decoder.is_at_packet_boundary());
    }
}

/// A lower bound.
fn packet_len(packet: impl Borrowed) -> usize {
    packet.encoded_len().expect("it was decoded")
}
