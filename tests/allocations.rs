//! Which calls allocate, and how much. The counter counts the allocations of the thread that a test
//! runs in.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;

use core::fmt::Write as _;

use allocation_counter::{AllocationInfo, measure};
use common::{Version as _, decode_whole, malformed_rows, rows, unlimited, valid_rows};
use mqtt_sansio::v3::{self, Decoder, Packet};
use mqtt_sansio::v5::{self, V5};
use mqtt_sansio::{Buffer, Encode, Options, Text, TopicFilter, TopicName};

/// Returns what `action` allocates.
fn heap<T>(action: impl FnOnce() -> T) -> AllocationInfo {
    measure(|| {
        let _ = action();
    })
}

/// Returns how often `action` allocates.
fn allocations<T>(action: impl FnOnce() -> T) -> u64 {
    heap(action).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(
        allocations(|| drop(core::hint::black_box(Box::new(1_u64)))),
        1
    );
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn decoding_in_place_allocates_nothing() {
    for row in valid_rows() {
        let mut packet = None;
        let count = allocations(|| {
            packet = v3::decode(&mut &row.bytes[..], &unlimited()).unwrap();
        });
        assert_eq!(count, 0, "{}", row.id);
        assert!(packet.is_some(), "{}", row.id);

        let mut decoder = Decoder::with_options([], unlimited());
        let count = allocations(|| decoder.decode(&mut &row.bytes[..]).is_ok());
        assert_eq!(count, 0, "{}", row.id);
    }
}

/// Counts the decoded packets, without keeping them.
fn drain<M: Buffer>(decoder: &mut Decoder<M>, mut input: &[u8]) -> usize {
    let mut packets = 0;
    while decoder.decode(&mut input).unwrap().is_some() {
        packets += 1;
    }
    packets
}

#[test]
fn decoding_a_split_packet_into_an_array_allocates_nothing() {
    for row in valid_rows().iter().filter(|row| row.bytes.len() <= 20_000) {
        for step in [1, 2, 100] {
            let mut decoder = Decoder::new([0; 20_000]);
            let mut packets = 0;
            let count = allocations(|| {
                for part in row.bytes.chunks(step) {
                    packets += drain(&mut decoder, part);
                }
            });
            assert_eq!((count, packets), (0, 1), "{} in parts of {step}", row.id);
        }
    }
}

#[test]
fn receiving_a_payload_in_pieces_allocates_nothing() {
    for row in valid_rows().iter().filter(|row| row.bytes.len() > 5000) {
        let mut decoder = Decoder::new([0; 512]);
        let mut pieces = 0;
        let count = allocations(|| {
            for mut part in row.bytes.chunks(100) {
                while let Ok(Some(_)) = decoder.decode_in_pieces(&mut part) {
                    pieces += 1;
                }
            }
        });
        assert_eq!(count, 0, "{}", row.id);
        assert_eq!(
            pieces > 50,
            row.text("type") == Some("PUBLISH"),
            "{}",
            row.id
        );
    }
}

#[test]
fn reading_the_fields_of_a_packet_allocates_nothing() {
    for row in valid_rows() {
        let packet = decode_whole(&row.bytes, &unlimited()).unwrap();
        let mut bytes = 0;
        let count = allocations(|| match &packet {
            Packet::Connect(connect) => bytes += connect.to_connect().client_id.as_str().len() + 1,
            Packet::Subscribe(subscribe) => {
                for entry in &subscribe.subscriptions {
                    bytes += entry.topic_filter.as_str().len();
                }
            }
            Packet::Unsubscribe(unsubscribe) => {
                for filter in &unsubscribe.topic_filters {
                    bytes += filter.as_str().len();
                }
            }
            Packet::SubAck(suback) => bytes += suback.return_codes.len(),
            other => bytes += usize::from(other.packet_type().number()),
        });
        assert_eq!(count, 0, "{}", row.id);
        assert!(bytes > 0, "{}", row.id);
    }
}

#[test]
fn a_packet_of_mqtt_5_and_its_properties_are_read_and_written_without_allocating() {
    let mut properties = 0;
    for row in V5::valid_rows() {
        let mut buffer = vec![0; row.bytes.len()];
        let count = allocations(|| {
            let mut src = &row.bytes[..];
            let packet = v5::decode(&mut src, &unlimited()).unwrap().unwrap();
            properties += match &packet {
                v5::Packet::Connect(connect) => connect.properties().iter().count(),
                v5::Packet::ConnAck(connack) => connack.properties.iter().count(),
                v5::Packet::Publish(publish) => publish.properties.iter().count(),
                _ => 0,
            };
            let len = packet.encoded_len().unwrap();
            assert_eq!(packet.encode_to_slice(&mut buffer).unwrap().len(), len);
        });
        assert_eq!(count, 0, "{}", row.id);
    }
    assert!(properties > 100, "{properties}");
}

#[test]
fn encoding_into_a_slice_allocates_nothing() {
    for row in valid_rows() {
        let packet = decode_whole(&row.bytes, &unlimited()).unwrap();
        let mut buffer = vec![0; row.bytes.len()];
        let count = allocations(|| {
            let len = packet.encoded_len().unwrap();
            assert_eq!(packet.encode_to_slice(&mut buffer).unwrap().len(), len);
        });
        assert_eq!(count, 0, "{}", row.id);
    }
}

#[cfg(feature = "alloc")]
#[test]
fn encoding_into_a_vec_with_capacity_allocates_nothing_and_into_an_empty_one_once() {
    for row in valid_rows() {
        let packet = decode_whole(&row.bytes, &unlimited()).unwrap();
        let expected = common::minimal(&row.bytes);
        for (capacity, count) in [(expected.len(), 0), (0, 1)] {
            let mut out = Vec::with_capacity(capacity);
            assert_eq!(
                allocations(|| packet.encode(&mut out).unwrap()),
                count,
                "{}",
                row.id
            );
            assert!(out == expected, "{}", row.id);
        }
    }
}

#[test]
fn errors_allocate_nothing_and_neither_do_their_sentences() {
    /// A buffer for a sentence.
    struct Line([u8; 256], usize);

    impl core::fmt::Write for Line {
        fn write_str(&mut self, text: &str) -> core::fmt::Result {
            self.0[self.1..][..text.len()].copy_from_slice(text.as_bytes());
            self.1 += text.len();
            Ok(())
        }
    }

    let mut errors = 0;
    for row in malformed_rows() {
        let mut line = Line([0; 256], 0);
        let count = allocations(|| {
            if let Err(error) = v3::decode(&mut &row.bytes[..], &Options::new()) {
                write!(
                    line,
                    "{error} {:?} {:?}",
                    error.statement(),
                    error.reaction()
                )
                .unwrap();
                errors += 1;
            }
        });
        assert_eq!(count, 0, "{}", row.id);

        let mut decoder = Decoder::new([0; 512]);
        let count = allocations(|| {
            for mut part in row.bytes.chunks(1) {
                while let Ok(Some(_)) = decoder.decode(&mut part) {}
            }
        });
        assert_eq!(count, 0, "{}", row.id);
    }
    assert!(errors > 600);
}

#[test]
fn topics_are_checked_and_matched_without_an_allocation() {
    let (filter, topic) = ("+/".repeat(1000) + "#", "é/".repeat(1000));
    let count = allocations(|| {
        let filter = TopicFilter::new(&filter).unwrap();
        let topic = TopicName::new(&topic).unwrap();
        assert!(filter.matches(&topic));
        assert!(TopicFilter::new("a#").is_err());
        assert!(TopicName::new("a/+").is_err());
        assert!(Text::new("\u{feff}").is_ok());
    });
    assert_eq!(count, 0);
}

#[test]
fn what_has_not_all_come_allocates_nothing_in_an_array() {
    for row in rows("conformance/incomplete.jsonl") {
        let mut decoder = Decoder::new([0; 64]);
        assert_eq!(
            allocations(|| assert_eq!(drain(&mut decoder, &row.bytes), 0)),
            0,
            "{}",
            row.id
        );
    }
}

#[cfg(feature = "alloc")]
mod vec_memory {
    use super::*;

    /// Returns the bytes on the heap of a decoder over a `Vec`, after each part.
    fn held_after_each(
        decoder: &mut Decoder<Vec<u8>>,
        parts: impl Iterator<Item = impl AsRef<[u8]>>,
        test: impl Fn(usize, usize),
    ) {
        let (mut held, mut received) = (0, 0);
        for part in parts {
            let part = part.as_ref();
            held += heap(|| drain(decoder, part)).bytes_current;
            received += part.len();
            test(usize::try_from(held).unwrap(), received);
        }
        assert!(received > 0);
    }

    /// The smallest allocation of a vector.
    const LEAST: usize = 8;

    #[test]
    fn five_bytes_that_announce_256_mib_take_no_more_memory_than_five_bytes_need() {
        for first_byte in [0x10, 0x30, 0x32, 0x82, 0x90, 0xa2] {
            let header = [first_byte, 0xff, 0xff, 0xff, 0x7f];
            for step in [1, 5] {
                let mut decoder = Decoder::with_options(Vec::new(), unlimited());
                held_after_each(&mut decoder, header.chunks(step), |held, received| {
                    assert!(
                        held <= LEAST,
                        "{held} bytes for {received} of {first_byte:#04x}"
                    );
                });
                assert!(!decoder.is_at_packet_boundary());
            }
            // Nor while it grows, nor with payloads in pieces.
            let mut decoder = Decoder::new(Vec::new());
            let mut input = &header[..];
            let info = heap(|| decoder.decode_in_pieces(&mut input).is_ok());
            assert!(info.bytes_max <= LEAST as u64, "{info:?}");
            assert_eq!(
                allocations(|| v3::decode(&mut &header[..], &unlimited()).is_ok()),
                0
            );
        }
    }

    #[test]
    fn memory_stays_within_twice_the_bytes_received() {
        let row = valid_rows()
            .iter()
            .find(|row| row.bytes.len() > 2_000_000)
            .unwrap();
        for step in [100, 1460, 65_536] {
            let mut decoder = Decoder::with_options(Vec::new(), unlimited());
            held_after_each(&mut decoder, row.bytes.chunks(step), |held, received| {
                assert!(
                    held <= (2 * received).max(LEAST),
                    "{held} bytes for {received}"
                );
            });
        }
        let small = valid_rows().iter().filter(|row| row.bytes.len() < 5000);
        for row in small {
            let mut decoder = Decoder::new(Vec::new());
            held_after_each(&mut decoder, row.bytes.chunks(1), |held, received| {
                assert!(
                    held <= (2 * received).max(LEAST),
                    "{}: {held} for {received}",
                    row.id
                );
            });
        }
    }

    #[test]
    fn a_packet_that_lies_whole_in_the_input_takes_no_memory() {
        let mut decoder = Decoder::with_options(Vec::new(), unlimited());
        for row in valid_rows() {
            assert_eq!(
                allocations(|| assert_eq!(drain(&mut decoder, &row.bytes), 1)),
                0,
                "{}",
                row.id
            );
        }
    }

    #[test]
    fn memory_is_used_again_until_it_is_given_back() {
        let packet = [&b"\x30\xe8\x07\0\x01t"[..], &[7; 997]].concat();
        let mut decoder = Decoder::new(Vec::new());
        let split = |decoder: &mut Decoder<Vec<u8>>| {
            heap(|| {
                assert_eq!(drain(decoder, &packet[..500]), 0);
                assert_eq!(drain(decoder, &packet[500..]), 1);
            })
        };
        let first = split(&mut decoder);
        assert!(first.bytes_current >= 1000, "{first:?}");
        assert_eq!(split(&mut decoder).count_total, 0);

        let given_back = heap(|| decoder.shrink()).bytes_current;
        assert_eq!(given_back, -first.bytes_current);
        assert_eq!(split(&mut decoder).bytes_current, first.bytes_current);
    }

    #[test]
    fn giving_memory_back_keeps_what_has_come_of_a_packet() {
        let mut decoder = Decoder::new(Vec::with_capacity(1000));
        assert_eq!(drain(&mut decoder, b"\x30\x05\0\x01a"), 0);
        let given_back = heap(|| decoder.shrink()).bytes_current;
        assert_eq!(given_back, -995);
        let mut rest = &b"hi"[..];
        let Ok(Some(Packet::Publish(publish))) = decoder.decode(&mut rest) else {
            panic!("the packet is lost");
        };
        assert_eq!(publish.payload, b"hi");
    }

    #[test]
    fn a_decoder_of_any_version_gives_memory_back() {
        use mqtt_sansio::any;
        for (name, connect) in [
            ("not known yet", &b"\x10"[..]),
            ("3.1.1", b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01c"),
            ("5", b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01c"),
        ] {
            let buffer = Vec::with_capacity(1000);
            let mut decoder =
                any::Decoder::with_options(buffer, Options::new(), any::ProtocolVersion::V3);
            assert!(decoder.decode(&mut &connect[..]).is_ok(), "{name}");
            let given_back = heap(|| decoder.shrink()).bytes_current;
            assert!(given_back <= -980, "{name}: {given_back}");
        }
    }

    #[test]
    fn a_large_payload_in_pieces_takes_memory_for_its_header_only() {
        let row = valid_rows().iter().find(|row| row.id == "v0352").unwrap();
        assert!(row.bytes.len() > 2_000_000);
        let mut decoder = Decoder::new(Vec::new());
        let info = heap(|| {
            for mut part in row.bytes.chunks(3) {
                while decoder.decode_in_pieces(&mut part).unwrap().is_some() {}
            }
        });
        assert!(decoder.is_at_packet_boundary());
        assert!(info.bytes_max <= 64, "{info:?}");
    }
}

#[cfg(feature = "bytes")]
#[test]
fn sharing_a_packet_costs_the_same_whatever_its_size() {
    let share = |payload_len: usize| {
        let body = [b"\0\x03a/b".to_vec(), vec![7; payload_len]].concat();
        let whole = bytes::Bytes::from(common::frame(0x30, &body));
        let packet = decode_whole(&whole, &unlimited()).unwrap();
        let mut shared = None;
        let info = heap(|| shared = Some(packet.share(&whole)));
        assert!(shared.is_some());
        info.bytes_total
    };
    assert_eq!(share(1_000_000), share(10));
    assert!(share(10) < 100);
}

mod connections {
    use super::allocations;
    #[cfg(feature = "alloc")]
    use super::heap;
    use mqtt_sansio::v3::{self, Action, Client, Connect, Decoder, Event, Message, Server};
    use mqtt_sansio::{Config, QoS, Session, SliceOutput, Slot, Text, Timestamp, TopicName};

    const NOW: Timestamp = Timestamp::from_millis(1);

    /// Returns a client and a server that are connected, without a heap.
    struct Pair {
        client: Client<[Slot; 4]>,
        server: Server<[Slot; 4]>,
        to_server: Decoder<[u8; 128]>,
        to_client: Decoder<[u8; 128]>,
    }

    impl Pair {
        fn connected() -> Self {
            let mut pair = Self {
                client: Client::new(Session::default(), Config::new(), NOW),
                server: Server::new(Session::default(), Config::new(), NOW),
                to_server: Decoder::new([0; 128]),
                to_client: Decoder::new([0; 128]),
            };
            let mut buffer = [0; 64];
            let mut out = SliceOutput::new(&mut buffer);
            let connect = Connect::new(Text::new("c").unwrap());
            pair.client.connect(NOW, &connect, &mut out).unwrap();
            let connect = v3::decode(&mut out.written(), pair.to_server.options());
            let connect = connect.unwrap().unwrap();
            pair.server.handle_packet(NOW, connect).unwrap();
            let mut connack = [0; 4];
            let mut out = SliceOutput::new(&mut connack);
            pair.server.accept_new(NOW, &mut out).unwrap();
            let connack = pair.to_client.decode(&mut out.written()).unwrap().unwrap();
            pair.client.handle_packet(NOW, connack).unwrap();
            pair
        }

        /// Sends one message from the client to the server, all of it through bytes. Returns how
        /// many times it was delivered and acknowledged.
        fn message(&mut self, qos: QoS) -> (usize, usize) {
            let message = Message {
                topic: TopicName::new("a/b").unwrap(),
                payload: &b"hi"[..],
                qos,
                retain: false,
            };
            let (mut arrived, mut delivered) = (0, 0);
            let mut buffers = [[0; 64]; 2];
            let [up, down] = &mut buffers;
            let (mut up, mut down) = (SliceOutput::new(up), SliceOutput::new(down));
            self.client.publish(NOW, &message, &mut up).unwrap();
            while !up.written().is_empty() {
                let mut received = up.written();
                while let Some(packet) = self.to_server.decode(&mut received).unwrap() {
                    let event = self.server.handle_packet(NOW, packet).unwrap();
                    arrived += usize::from(matches!(event, Some(Event::Message(_))));
                    while let Some(action) = self.server.poll_action() {
                        transmit(action, &mut down);
                    }
                }
                up.clear();
                let mut received = down.written();
                while let Some(packet) = self.to_client.decode(&mut received).unwrap() {
                    let event = self.client.handle_packet(NOW, packet).unwrap();
                    delivered += usize::from(matches!(event, Some(Event::Delivered(_))));
                    while let Some(action) = self.client.poll_action() {
                        transmit(action, &mut up);
                    }
                }
                down.clear();
            }
            (arrived, delivered)
        }
    }

    fn transmit(action: Action, out: &mut SliceOutput<'_>) {
        let Action::Transmit(packet) = action else {
            panic!("{action:?}");
        };
        mqtt_sansio::Output::put(out, packet.as_bytes()).unwrap();
    }

    #[test]
    fn a_whole_conversation_at_every_qos_allocates_nothing() {
        let count = allocations(|| {
            let mut pair = Pair::connected();
            for _ in 0..10 {
                assert_eq!(pair.message(QoS::AtMostOnce), (1, 0));
                assert_eq!(pair.message(QoS::AtLeastOnce), (1, 1));
                assert_eq!(pair.message(QoS::ExactlyOnce), (1, 1));
            }
        });
        assert_eq!(count, 0);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_connection_over_growing_slots_takes_no_heap_until_something_is_under_way() {
        let made = heap(|| {
            let session = Session::<Vec<Slot>>::default();
            let server = Server::new(session, Config::new(), NOW);
            let decoder = Decoder::new(Vec::new());
            (size_of_val(&server), size_of_val(&decoder))
        });
        assert_eq!(made.count_total, 0);
    }
}
