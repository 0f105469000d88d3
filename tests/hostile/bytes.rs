//! What is announced and does not come, what never ends, and what is as large as can be.

use mqtt_sansio::v3::{
    Client, Connect, DecodeError, Event, Packet, PubAck, Reaction, ReturnCode, ReturnCodes, Server,
};
use mqtt_sansio::{ErrorKind, Limit, MAX_REMAINING_LENGTH, PacketId, ProtocolError, Text};

use crate::common::unlimited;
use crate::*;

/// How small a part of the 256 MB that a packet can have: all of it where the code is optimized.
const SHARE: u32 = if cfg!(debug_assertions) { 64 } else { 1 };

// What never ends

/// CONNECT with the longest of everything that it has: 327,693 bytes behind its fixed header.
fn largest_connect() -> Vec<u8> {
    let string = [vec![0xff, 0xff], vec![b'x'; 65_535]].concat();
    let body = [b"\0\x04MQTT\x04\xc6\0\0".to_vec(), string.repeat(5)].concat();
    common::frame(0x10, &body)
}

/// MQTT-3.1.2-24 is about connected clients; before CONNECT it is this side's own limit of time.
#[test]
fn a_connect_that_never_ends_is_held_as_far_as_it_has_come_until_its_time_is_over() {
    let connect = largest_connect();
    assert!(v3::decode(&mut &connect[..], &Options::new()).is_ok());
    let mut server = Server::new(Session::<Vec<Slot>>::default(), CONFIG, ms(0));
    let mut decoder = decoder(Options::new());
    // A byte a millisecond, each of which is progress.
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
    let mut decoder = decoder(Options::new());
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

/// Nothing is kept of a packet that is too large, and nothing is waited for.
#[test]
fn a_connect_that_announces_more_than_the_limit_is_refused_at_its_fixed_header() {
    let connect = largest_connect();
    let mut server = Server::new(Session::<Vec<Slot>>::default(), CONFIG, ms(0));
    let mut decoder = decoder(Options::new().max_packet_size(4096));
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

// As many entries as there can be

/// A list of so many entries: `entry` as often as it fits, and a last one of what is left.
struct Largest {
    bytes: Vec<u8>,
    entries: usize,
}

/// `entry` is a string of one letter and what follows it; the last one has as many letters as it
/// takes to fill the packet.
fn largest(first_byte: u8, after_string: &[u8]) -> Largest {
    let remaining = MAX_REMAINING_LENGTH / SHARE;
    let mut bytes = Vec::with_capacity(5 + remaining as usize);
    bytes.push(first_byte);
    let mut left = remaining;
    for last in [false, false, false, true] {
        bytes.push((left % 128) as u8 | if last { 0 } else { 0x80 });
        left /= 128;
    }
    bytes.extend([0, 1]);
    let entry = [b"\0\x01a", after_string].concat();
    let room = remaining as usize - 2;
    let (entries, rest) = (room / entry.len(), room % entry.len());
    for _ in 1..entries {
        bytes.extend(&entry);
    }
    bytes.extend([0, 1 + u8::try_from(rest).unwrap()]);
    bytes.extend(vec![b'a'; 1 + rest]);
    bytes.extend(after_string);
    assert_eq!(bytes.len(), 5 + remaining as usize);
    Largest { bytes, entries }
}

fn largest_suback() -> Largest {
    let remaining = MAX_REMAINING_LENGTH / SHARE;
    let mut bytes = largest(0x90, b"").bytes;
    bytes.truncate(7);
    bytes.resize(5 + remaining as usize, 0);
    Largest {
        bytes,
        entries: remaining as usize - 2,
    }
}

fn refusal(bytes: &[u8], options: &Options) -> DecodeError {
    v3::decode(&mut &bytes[..], options).unwrap_err()
}

/// SUBSCRIBE and UNSUBSCRIBE with as many filters as fit into 256 MB, and SUBACK with as many return
/// codes: refused by default for their size, and at the first byte of them that is too much.
#[test]
fn lists_of_256_mb_are_refused_by_default_before_any_of_their_entries() {
    for first_byte in [0x82, 0xa2, 0x90] {
        let start = [first_byte, 0xff, 0xff, 0xff, 0x7f];
        let mut decoder = decoder(Options::new());
        let held = heap(|| {
            let error = decoder.decode(&mut &start[..]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PacketTooLarge);
            assert_eq!(error, refusal(&start, &Options::new()));
        });
        assert_eq!(held.count_total, 0);
    }
}

/// Where large packets are wanted, the number of filters is limited all the same.
#[test]
fn more_than_65535_filters_are_refused_at_the_first_one_too_many() {
    let options = Options::new().max_packet_size(u32::MAX);
    for (first_byte, after_string) in [(0x82, &b"\0"[..]), (0xa2, b"")] {
        let list = largest(first_byte, after_string);
        let held = heap(|| {
            let error = refusal(&list.bytes, &options);
            assert_eq!(
                (error.kind(), error.statement()),
                (ErrorKind::TooManyFilters, None)
            );
            let entry = 3 + after_string.len();
            assert_eq!(error.offset(), 5 + 2 + 65_535 * entry);
        });
        assert_eq!(held.count_total, 0);
    }
}

/// With every limit lifted they are taken, for the bytes that they have and no more.
#[test]
fn a_subscribe_as_large_as_can_be_is_read_where_it_is_and_answered() {
    let list = largest(0x82, b"\0");
    let mut us = connected::<conversation::AsServer>(CONFIG);
    let mut told = 0;
    let held = heap(|| {
        let packet = v3::decode(&mut &list.bytes[..], &unlimited());
        let event = us.handle_packet(ms(0), packet.unwrap().unwrap());
        let Ok(Some(Event::SubscribeRequested(subscribe))) = event else {
            panic!("{event:?}");
        };
        for entry in &subscribe.subscriptions {
            told += usize::from(!entry.topic_filter.as_bytes().is_empty());
        }
    });
    assert_eq!((told, held.count_total), (list.entries, 0));
    drop(list);
    // One return code too few is noticed, however many there are.
    let codes = |count| ReturnCodes::encode_to_vec((0..count).map(|_| ReturnCode::Failure));
    let mut out = Vec::new();
    let short = codes(told - 1).unwrap();
    assert_eq!(
        us.suback(ms(0), &short, &mut out),
        Err(mqtt_sansio::CommandError::WrongNumberOfReturnCodes)
    );
    assert_eq!(us.suback(ms(0), &codes(told).unwrap(), &mut out), Ok(()));
    let header = v3::peek(&out, &unlimited()).unwrap().unwrap();
    assert_eq!(header.remaining_length() as usize, 2 + told);
    assert_eq!(header.packet_len(), out.len());
}

#[test]
fn an_unsubscribe_as_large_as_can_be_is_read_where_it_is() {
    let list = largest(0xa2, b"");
    let mut told = 0;
    let held = heap(|| {
        let packet = v3::decode(&mut &list.bytes[..], &unlimited());
        let Ok(Some(Packet::Unsubscribe(unsubscribe))) = packet else {
            panic!("{:?}", packet.map(|_| ()));
        };
        told = unsubscribe.topic_filters.iter().count();
    });
    assert_eq!((told, held.count_total), (list.entries, 0));
}

/// [MQTT-3.8.4-5]
#[test]
fn a_suback_as_large_as_can_be_is_compared_with_the_request() {
    let list = largest_suback();
    let mut us = connected::<conversation::AsClient>(CONFIG);
    us.subscribe(ms(0), &conversation::subscriptions(&["a"]), &mut Vec::new())
        .unwrap();
    let held = heap(|| {
        let packet = v3::decode(&mut &list.bytes[..], &unlimited());
        let Ok(Some(Packet::SubAck(suback))) = packet else {
            panic!("{:?}", packet.map(|_| ()));
        };
        assert_eq!(suback.return_codes.len(), list.entries);
        let result = us.handle_packet(ms(0), Packet::SubAck(suback));
        let error = PeerError::Protocol(ProtocolError::WrongNumberOfReturnCodes);
        assert_eq!(result, Err(HandleError::Peer(error)));
    });
    assert_eq!(held.count_total, 0);
}

/// In parts, they take the bytes that have come, and what a vector has to spare.
#[test]
fn a_list_as_large_as_can_be_that_comes_in_parts_takes_twice_its_bytes_at_most() {
    for list in [largest(0x82, b"\0"), largest_suback()] {
        let mut decoder = decoder(unlimited());
        let mut packets = 0;
        let held = heap(|| {
            for mut part in list.bytes.chunks(65_536) {
                packets += usize::from(decoder.decode(&mut part).unwrap().is_some());
            }
        });
        assert_eq!(packets, 1);
        // While it doubles there are the old and the new one.
        assert!(held.bytes_max <= 3 * list.bytes.len() as u64, "{held:?}");
        assert!(held.bytes_current <= 2 * i64::try_from(list.bytes.len()).unwrap());
        assert!(held.count_total <= 32, "{held:?}");
    }
}

/// The last byte of a large packet is wrong, and found for no more than what the packet costs.
#[test]
fn a_fault_at_the_very_end_of_a_list_has_its_place_and_its_statement() {
    let mut list = largest(0x82, b"\0");
    let last = list.bytes.len() - 1;
    list.bytes[last] = 3;
    let held = heap(|| {
        let error = refusal(&list.bytes, &unlimited());
        assert_eq!(
            (error.kind(), error.offset(), error.statement()),
            (ErrorKind::InvalidRequestedQos, last, Some("MQTT-3.8.3-4"))
        );
    });
    assert_eq!(held.count_total, 0);
}

// Between packets

/// The smallest packets there are, in the smallest parts: nothing is left of any of them.
#[test]
fn a_stream_of_small_packets_in_single_bytes_takes_the_memory_of_one() {
    let mut stream = Vec::new();
    for number in 1..=5_000 {
        let packet_id = PacketId::new(number).unwrap();
        stream.extend(PubAck { packet_id }.to_bytes());
        stream.extend(b"\xc0\0");
    }
    let mut decoder = decoder(Options::new());
    let mut packets = 0;
    let held = heap(|| {
        for mut byte in stream.chunks(1) {
            packets += usize::from(decoder.decode(&mut byte).unwrap().is_some());
        }
    });
    assert_eq!(packets, 10_000);
    assert!(held.bytes_max <= 8 && held.count_total == 1, "{held:?}");
}
