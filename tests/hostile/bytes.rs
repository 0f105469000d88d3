//! Announced lengths without bytes, packets that never end, and packets of the largest size.

use mqtt_sansio::v3::{self, Client, Connect, Reaction, Server};
use mqtt_sansio::{
    CommandError, DecodeError, ErrorKind, Limit, MAX_REMAINING_LENGTH, ProtocolError, Text,
};

use crate::common::{frame, unlimited};
use crate::*;

/// The divisor of the largest packet size, 256 MB: 1 in optimized builds.
pub(crate) const SHARE: u32 = if cfg!(debug_assertions) { 64 } else { 1 };

// Packets that never end

/// The largest CONNECT: each field has its largest length, 327,693 bytes after the fixed header.
fn largest_connect() -> Vec<u8> {
    let string = [vec![0xff, 0xff], vec![b'x'; 65_535]].concat();
    let body = [b"\0\x04MQTT\x04\xc6\0\0".to_vec(), string.repeat(5)].concat();
    frame(0x10, &body)
}

/// MQTT-3.1.2-24 binds connected clients only. Before CONNECT the connection has a time limit of
/// its own.
#[test]
fn a_connect_that_never_ends_is_held_as_far_as_it_has_come_until_its_time_is_over() {
    let connect = largest_connect();
    assert!(v3::decode(&mut &connect[..], &Options::new()).is_ok());
    let mut server = Server::new(Session::<Vec<Slot>>::default(), CONFIG, ms(0));
    let mut decoder = decoder::<V3>(Options::new());
    // One byte each millisecond, and each is progress.
    let mut last = None;
    for (now, byte) in (0..).zip(&connect) {
        let received = usize::try_from(now).unwrap() + 1;
        assert_eq!(server.poll_timeout(), Some(ms(10_000)));
        server.handle_timeout(ms(now));
        last = server.poll_action();
        if last.is_some() {
            assert_eq!(now, 10_000);
            break;
        }
        let held = heap(|| {
            assert_eq!(decoder.decode(&mut &[*byte][..]), Ok(None));
            server.handle_progress(ms(now));
        });
        assert!(held.bytes_max <= (4 * received).max(16) as u64, "{held:?}");
    }
    assert_eq!(last, Some(Action::Close(CloseReason::ConnectTimeout)));
}

#[test]
fn a_connack_that_never_ends_is_waited_for_until_its_time_is_over() {
    let mut client = Client::new(Session::<Vec<Slot>>::default(), CONFIG, ms(0));
    let connect = Connect::new(Text::new("c").unwrap());
    client.connect(ms(0), &connect, &mut Vec::new()).unwrap();
    let mut decoder = decoder::<V3>(Options::new());
    for (now, byte) in [(1, 0x20), (5_000, 0x02), (9_999, 0)] {
        assert_eq!(decoder.decode(&mut &[byte][..]), Ok(None));
        client.handle_progress(ms(now));
        client.handle_timeout(ms(now));
        assert_eq!(client.poll_action(), None);
    }
    client.handle_timeout(ms(10_000));
    assert_eq!(
        client.poll_action(),
        Some(Action::Close(CloseReason::ConnectTimeout))
    );
}

/// A packet that is too large takes no memory, and is refused before the rest arrives.
#[test]
fn a_connect_that_announces_more_than_the_limit_is_refused_at_its_fixed_header() {
    let connect = largest_connect();
    let mut server = Server::new(Session::<Vec<Slot>>::default(), CONFIG, ms(0));
    let mut decoder = decoder::<V3>(Options::new().max_packet_size(4096));
    let mut error = None;
    let held = heap(|| {
        for (at, byte) in connect.iter().enumerate() {
            if let Err(refused) = decoder.decode(&mut &[*byte][..]) {
                assert_eq!(at, 3, "the last byte of the fixed header");
                error = Some(refused);
                break;
            }
        }
    });
    assert_eq!(held.count_total, 0);
    let error = error.unwrap();
    assert_eq!(
        (error.kind(), error.statement(), error.reaction()),
        (ErrorKind::PacketTooLarge, None, Reaction::Close)
    );
    server.handle_decode_error(ms(0), error);
    let reason = CloseReason::LimitExceeded {
        limit: Limit::PacketSize,
        value: 0,
        actual: u32::try_from(connect.len()).unwrap(),
    };
    assert_eq!(server.poll_action(), Some(Action::Close(reason)));
}

// Lists of the largest size

/// A list with `entry` as often as it fits, and a longer last entry that fills the packet.
struct Largest {
    bytes: Vec<u8>,
    entries: usize,
}

/// Returns the fixed header of a packet of the largest size.
pub(crate) fn largest_header(first_byte: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5 + REMAINING);
    bytes.push(first_byte);
    let mut left = REMAINING;
    for last in [false, false, false, true] {
        bytes.push(u8::try_from(left % 128).unwrap() | if last { 0 } else { 0x80 });
        left /= 128;
    }
    bytes
}

/// The Remaining Length of such a packet.
pub(crate) const REMAINING: usize = (MAX_REMAINING_LENGTH / SHARE) as usize;

/// Returns a list of the largest size. An entry is a string of one letter and `after_string`; the
/// last entry has as many letters as fill the packet.
fn largest<V: Dialect>(first_byte: u8, after_string: &[u8]) -> Largest {
    let mut bytes = largest_header(first_byte);
    bytes.extend([0, 1]);
    bytes.extend(V::NO_PROPERTIES);
    let entry = [b"\0\x01a", after_string].concat();
    let room = 5 + REMAINING - bytes.len();
    let (entries, rest) = (room / entry.len(), room % entry.len());
    for _ in 1..entries {
        bytes.extend(&entry);
    }
    bytes.extend([0, 1 + u8::try_from(rest).unwrap()]);
    bytes.extend(vec![b'a'; 1 + rest]);
    bytes.extend(after_string);
    assert_eq!(bytes.len(), 5 + REMAINING);
    Largest { bytes, entries }
}

fn largest_suback<V: Dialect>() -> Largest {
    let mut bytes = largest_header(0x90);
    bytes.extend([0, 1]);
    bytes.extend(V::NO_PROPERTIES);
    let entries = 5 + REMAINING - bytes.len();
    bytes.resize(5 + REMAINING, 0);
    Largest { bytes, entries }
}

pub(crate) fn refusal<V: Dialect>(bytes: &[u8], options: &Options) -> DecodeError<V> {
    V::decode(&mut &bytes[..], options).err().unwrap()
}

for_all_versions! {
    /// SUBSCRIBE and UNSUBSCRIBE with as many filters as 256 MB hold, and SUBACK with as many
    /// codes. By default they are refused for their size, at the fixed header.
    fn lists_of_256_mb_are_refused_by_default_before_any_of_their_entries<V>() {
        for first_byte in [0x82, 0xa2, 0x90] {
            let start = [first_byte, 0xff, 0xff, 0xff, 0x7f];
            let mut decoder = decoder::<V>(Options::new());
            let held = heap(|| {
                let error = decoder.decode(&mut &start[..]).err().unwrap();
                assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
                assert_eq!(error, refusal(&start, &Options::new()));
            });
            assert_eq!(held.count_total, 0);
        }
    }

    /// A decoder that accepts large packets still limits the number of filters.
    fn more_than_65535_filters_are_refused_at_the_first_one_too_many<V>() {
        let options = Options::new().max_packet_size(u32::MAX);
        for (first_byte, after_string) in [(0x82, &b"\0"[..]), (0xa2, b"")] {
            let list = largest::<V>(first_byte, after_string);
            let held = heap(|| {
                let error = refusal::<V>(&list.bytes, &options);
                assert_eq!(
                    (error.kind(), error.statement()),
                    (ErrorKind::TooManyFilters, None)
                );
                let before = 5 + 2 + V::NO_PROPERTIES.len();
                let entry = 3 + after_string.len();
                assert_eq!(error.offset(), before + 65_535 * entry);
            });
            assert_eq!(held.count_total, 0);
        }
    }

    /// Without limits they are accepted, and take the memory of their bytes.
    fn a_subscribe_as_large_as_can_be_is_read_where_it_is_and_answered<V>() {
        let list = largest::<V>(0x82, b"\0");
        let mut us = connected::<(V, ServerRole)>(CONFIG);
        let held = heap(|| {
            let packet = V::decode(&mut &list.bytes[..], &unlimited()).unwrap().unwrap();
            assert_eq!(V::entries(&packet), list.entries);
            assert!(matches!(us.handle_packet(ms(0), packet), Ok(Some(_))));
        });
        assert_eq!(held.count_total, 0);
        let codes = list.entries;
        drop(list);
        // One missing code is an error, however many codes there are.
        let mut out = Vec::new();
        let short = V::suback(&mut us, codes - 1, &mut out);
        assert_eq!(short, Err(CommandError::WrongNumberOfReturnCodes));
        assert_eq!(V::suback(&mut us, codes, &mut out), Ok(()));
        let header = V::peek(&out, &unlimited()).unwrap().unwrap();
        let remaining = 2 + V::NO_PROPERTIES.len() + codes;
        assert_eq!(header.remaining_length() as usize, remaining);
        assert_eq!(header.packet_len(), out.len());
    }

    fn an_unsubscribe_as_large_as_can_be_is_read_where_it_is<V>() {
        let list = largest::<V>(0xa2, b"");
        let held = heap(|| {
            let packet = V::decode(&mut &list.bytes[..], &unlimited()).unwrap().unwrap();
            assert_eq!(V::entries(&packet), list.entries);
        });
        assert_eq!(held.count_total, 0);
    }

    /// [MQTT-3.8.4-5, MQTT5-3.8.4-6]
    fn a_suback_as_large_as_can_be_is_compared_with_the_request<V>() {
        let list = largest_suback::<V>();
        let mut us = connected::<(V, ClientRole)>(CONFIG);
        V::subscribe(&mut us, &mut Vec::new()).unwrap();
        let held = heap(|| {
            let packet = V::decode(&mut &list.bytes[..], &unlimited()).unwrap().unwrap();
            assert_eq!(V::entries(&packet), list.entries);
            let result = us.handle_packet(ms(0), packet);
            let error = PeerError::Protocol(ProtocolError::WrongNumberOfReturnCodes);
            assert_eq!(result.err(), Some(HandleError::Peer(error)));
        });
        assert_eq!(held.count_total, 0);
    }

    /// A split list takes the memory of the bytes received, and the spare capacity of the vector.
    fn a_list_as_large_as_can_be_that_comes_in_parts_takes_twice_its_bytes_at_most<V>() {
        for list in [largest::<V>(0x82, b"\0"), largest_suback::<V>()] {
            comes_in_parts::<V>(&list.bytes);
        }
    }

    /// An error in the last byte of a large packet costs no more work than the packet.
    fn a_fault_at_the_very_end_of_a_list_has_its_place_and_its_statement<V>() {
        let mut list = largest::<V>(0x82, b"\0");
        let last = list.bytes.len() - 1;
        list.bytes[last] = 3;
        let statement = V::either(Some("MQTT-3.8.3-4"), None);
        let held = heap(|| {
            let error = refusal::<V>(&list.bytes, &unlimited());
            assert_eq!(
                (error.kind(), error.offset(), error.statement()),
                (ErrorKind::InvalidRequestedQos, last, statement)
            );
        });
        assert_eq!(held.count_total, 0);
    }
}

/// A large split packet takes the memory of the bytes received, and the spare capacity of the
/// vector.
pub(crate) fn comes_in_parts<V: Dialect>(packet: &[u8]) {
    let mut decoder = decoder::<V>(unlimited());
    let mut packets = 0;
    let held = heap(|| {
        for mut part in packet.chunks(65_536) {
            packets += usize::from(decoder.decode(&mut part).unwrap().is_some());
        }
    });
    assert_eq!(packets, 1);
    // While the vector doubles, the old and the new block exist.
    assert!(held.bytes_max <= 3 * packet.len() as u64, "{held:?}");
    assert!(held.bytes_current <= 2 * i64::try_from(packet.len()).unwrap());
    assert!(held.count_total <= 32, "{held:?}");
}

// Between packets

for_all_versions! {
    /// The smallest packets in the smallest parts leave nothing in the buffer.
    fn a_stream_of_small_packets_in_single_bytes_takes_the_memory_of_one<V>() {
        let mut stream = Vec::new();
        for number in 1..=5_000 {
            puback(number).wire::<V, _>(|bytes| stream.extend(bytes));
            stream.extend(b"\xc0\0");
        }
        let mut decoder = decoder::<V>(Options::new());
        let mut packets = 0;
        let held = heap(|| {
            for mut byte in stream.chunks(1) {
                packets += usize::from(decoder.decode(&mut byte).unwrap().is_some());
            }
        });
        assert_eq!(packets, 10_000);
        assert!(held.bytes_max <= 8 && held.count_total == 1, "{held:?}");
    }
}
