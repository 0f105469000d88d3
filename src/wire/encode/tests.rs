use super::packet::encode_counted;
use super::passes::encode_in_passes;
use super::*;
use crate::Field;
use crate::types::{PacketId, TopicName};
use crate::v3::{self, Connect, Delivery, Packet, PubAck, Publish, PublishHeader};

const PINGREQ: Packet<&[u8]> = Packet::PingReq;
const PUBACK: PubAck = PubAck {
    packet_id: PacketId::MIN,
};

/// PUBLISH to `t` at QoS 0: three bytes after the fixed header, then the payload.
fn publish(payload: &[u8]) -> Publish<&[u8]> {
    Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: TopicName::new("t").unwrap(),
        payload,
    }
}

fn publish_header(remaining_length: u32) -> PublishHeader<&'static [u8]> {
    PublishHeader {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: TopicName::new("t").unwrap(),
        payload_len: remaining_length.wrapping_sub(3),
    }
}

/// An output without chunks.
struct InParts(std::vec::Vec<u8>);

impl Output for InParts {
    fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend(bytes);
        Ok(())
    }
}

#[test]
fn a_packet_in_two_passes_is_the_one_that_is_encoded_at_once() {
    fn check<T: PacketBody>(packet: &T, room: usize) {
        let (mut buffers, whole) = ([[0; 400]; 2], 0..room);
        let [once, twice] = &mut buffers;
        let mut once = SliceOutput::new(&mut once[whole.clone()]);
        let mut twice = SliceOutput::new(&mut twice[whole]);
        let outcome = encode_counted(packet, &mut once);
        assert_eq!(encode_in_passes(packet, &mut twice), outcome);
        assert_eq!(twice.written(), once.written());
    }
    let long = [b'x'; 70_000];
    for payload in [0, 1, 120, 124, 125, 300] {
        for room in [0, 1, 6, 130, 400] {
            check(&publish(&long[..payload]), room);
        }
    }
    check(&publish_header(MAX_REMAINING_LENGTH), 400);
    check(&publish_header(MAX_REMAINING_LENGTH.saturating_add(1)), 400);
    let mut connect = Connect::new(crate::Text::new("id").unwrap());
    check(&connect, 400);
    connect.will = Some(v3::Will {
        topic: TopicName::new("t").unwrap(),
        message: &long[..],
        qos: crate::QoS::AtMostOnce,
        retain: false,
    });
    check(&connect, 400); // a field is too long
}

#[test]
fn a_packet_is_the_same_in_a_chunk_as_in_parts_whatever_its_fields_lengths() {
    let letters: std::vec::Vec<u8> = (0..140_u8).map(|n| b'A'.wrapping_add(n % 26)).collect();
    let deliveries = [
        Delivery::AtMostOnce,
        Delivery::new(crate::QoS::AtLeastOnce, PacketId::MIN, true),
    ];
    for topic in (1..70).chain([127, 140]) {
        for payload in (0..70).chain([127, 128, 140]) {
            for delivery in deliveries {
                let packet = Publish {
                    delivery,
                    retain: false,
                    topic: TopicName::from_bytes(&letters[..topic]).unwrap(),
                    payload: &letters[..payload],
                };
                let mut parts = InParts(std::vec::Vec::new());
                packet.encode(&mut parts).unwrap();
                let mut buffer = [0xee; 512];
                assert_eq!(packet.encode_to_slice(&mut buffer).unwrap(), parts.0);
                // The buffer has exactly the required room, and the bytes after it are not
                // changed.
                let (room, behind) = buffer.split_at_mut(parts.0.len());
                behind.fill(0xee);
                assert_eq!(packet.encode_to_slice(room).unwrap(), parts.0);
                assert!(behind.iter().all(|&byte| byte == 0xee));
                #[cfg(feature = "alloc")]
                for capacity in [0, 63, 64, 512] {
                    let mut vec = std::vec::Vec::with_capacity(capacity);
                    vec.push(0xee);
                    packet.encode(&mut vec).unwrap();
                    assert_eq!(vec[0], 0xee);
                    assert_eq!(vec[1..], parts.0);
                }
                #[cfg(feature = "bytes")]
                {
                    let mut bytes = bytes::BytesMut::with_capacity(200);
                    packet.encode(&mut bytes).unwrap();
                    assert_eq!(bytes, parts.0);
                }
            }
        }
    }
}

#[test]
fn a_packet_that_lacks_one_byte_of_room_is_not_written_at_all() {
    let packet = publish(b"21.5");
    let needed = packet.encoded_len().unwrap();
    let mut buffer = [0xee; 16];
    let mut output = SliceOutput::new(&mut buffer[..needed.wrapping_sub(1)]);
    assert_eq!(
        packet.encode(&mut output),
        Err(EncodeError::no_room(needed))
    );
    assert_eq!(output.written(), b"");
    assert_eq!(buffer, [0xee; 16]);
}

#[test]
fn a_packet_without_room_leaves_those_before_it() {
    let mut buffer = [0xee; 5];
    let mut output = SliceOutput::new(&mut buffer);
    PINGREQ.encode(&mut output).unwrap();
    let refused = PUBACK.encode(&mut output);
    assert_eq!(refused, Err(EncodeError::NoRoom { needed: 4 }));
    assert_eq!(output.written(), b"\xc0\0");
    PINGREQ.encode(&mut output).unwrap();
    assert_eq!(output.written(), b"\xc0\0\xc0\0");
}

#[test]
fn every_kind_of_packet_without_room_is_all_or_nothing() {
    let packets: [&[u8]; 14] = [
        b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0",
        b"\x20\x02\0\0",
        b"\x30\x03\0\x01a",
        b"\x40\x02\0\x01",
        b"\x50\x02\0\x01",
        b"\x62\x02\0\x01",
        b"\x70\x02\0\x01",
        b"\x82\x06\0\x01\0\x01a\0",
        b"\x90\x03\0\x01\0",
        b"\xa2\x05\0\x01\0\x01a",
        b"\xb0\x02\0\x01",
        b"\xc0\0",
        b"\xd0\0",
        b"\xe0\0",
    ];
    for bytes in packets {
        let packet = v3::decode(&mut &*bytes, &crate::Options::new());
        let packet = packet.unwrap().unwrap();
        for room in 0..bytes.len() {
            let mut buffer = [0xee; 14];
            assert_eq!(
                packet.encode_to_slice(&mut buffer[..room]).map(|_| ()),
                Err(EncodeError::no_room(bytes.len()))
            );
            assert_eq!(buffer, [0xee; 14]);
        }
        assert_eq!(packet.encode_to_slice(&mut [0; 14]).unwrap(), bytes);
    }
}

#[test]
fn encode_to_slice_returns_the_part_that_was_written() {
    let mut buffer = [0xee; 5];
    assert_eq!(
        PUBACK.encode_to_slice(&mut buffer).unwrap(),
        b"\x40\x02\0\x01"
    );
    assert_eq!(buffer, *b"\x40\x02\0\x01\xee");
}

#[test]
fn encode_to_slice_says_how_many_bytes_it_needs() {
    assert_eq!(
        PUBACK.encode_to_slice(&mut [0; 3]),
        Err(EncodeError::NoRoom { needed: 4 })
    );
    assert_eq!(
        PINGREQ.encode_to_slice(&mut []),
        Err(EncodeError::NoRoom { needed: 2 })
    );
}

#[test]
fn room_is_asked_for_once_and_for_exactly_what_is_written() {
    /// Records what was reserved.
    #[derive(Default)]
    struct Recorder {
        reserved: Option<usize>,
        written: usize,
    }
    impl Output for Recorder {
        fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
            assert_eq!(self.written, 0, "asked after something was written");
            assert_eq!(self.reserved.replace(len), None, "asked twice");
            Ok(())
        }
        fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            assert!(self.reserved.is_some(), "written without asking");
            self.written = self.written.saturating_add(bytes.len());
            Ok(())
        }
    }
    for short in [Packet::PubAck(PUBACK), PINGREQ] {
        let mut output = Recorder::default();
        short.encode(&mut output).unwrap();
        assert_eq!(output.reserved, Some(output.written));
    }
    let long = std::vec![0; 2_097_152];
    for payload_len in [0, 124, 125, 16_380, 16_381, 2_097_148, 2_097_149] {
        let mut output = Recorder::default();
        publish(&long[..payload_len]).encode(&mut output).unwrap();
        assert_eq!(output.reserved, Some(output.written));
    }
}

#[cfg(feature = "alloc")]
#[test]
fn encode_to_vec_is_the_packet_and_nothing_else() {
    assert_eq!(PUBACK.encode_to_vec().unwrap(), b"\x40\x02\0\x01");
    assert_eq!(
        publish(b"hi").encode_to_vec().unwrap(),
        b"\x30\x05\0\x01thi"
    );
}

#[test]
fn a_counter_counts_the_bytes_of_a_packet_with_each_size_of_header() {
    let long = std::vec![0; 2_097_152];
    let mut buffer = std::vec![0; 2_097_200];
    for (remaining_length, header_len) in [
        (3, 2),
        (127, 2),
        (128, 3),
        (16_383, 3),
        (16_384, 4),
        (2_097_151, 4),
        (2_097_152, 5),
    ] {
        let packet = publish(&long[..usize::wrapping_sub(remaining_length, 3)]);
        let mut counter = Counter::default();
        packet.encode(&mut counter).unwrap();
        let written = packet.encode_to_slice(&mut buffer).unwrap().len();
        assert_eq!(counter.get(), written);
        assert_eq!(packet.encoded_len(), Ok(written));
        assert_eq!(written, usize::wrapping_add(remaining_length, header_len));
    }
}

#[test]
fn remaining_length_is_written_as_in_table_2_4() {
    for (remaining_length, start) in [
        (3, &b"\x30\x03"[..]),
        (127, b"\x30\x7f"),
        (128, b"\x30\x80\x01"),
        (16_383, b"\x30\xff\x7f"),
        (16_384, b"\x30\x80\x80\x01"),
        (2_097_151, b"\x30\xff\xff\x7f"),
        (2_097_152, b"\x30\x80\x80\x80\x01"),
        (268_435_455, b"\x30\xff\xff\xff\x7f"),
    ] {
        let header = publish_header(remaining_length);
        let mut buffer = [0; 8];
        let written = header.encode_to_slice(&mut buffer).unwrap();
        assert_eq!(written, [start, b"\0\x01t"].concat());
    }
}

#[test]
fn what_is_written_elsewhere_counts_for_remaining_length_only() {
    for remaining_length in [3, 127, 128, 16_384, 2_097_152, 268_435_455] {
        let header = publish_header(remaining_length);
        let mut counter = Counter::default();
        header.encode(&mut counter).unwrap();
        assert_eq!(header.encoded_len(), Ok(counter.get()));
        assert!(counter.get() <= 8);
    }
}

#[test]
fn the_largest_remaining_length_is_written_and_one_more_is_refused() {
    let mut buffer = [0xee; 8];
    let largest = publish_header(MAX_REMAINING_LENGTH);
    assert_eq!(
        largest.encode_to_slice(&mut buffer).unwrap(),
        b"\x30\xff\xff\xff\x7f\0\x01t"
    );
    let mut buffer = [0xee; 8];
    let larger = publish_header(MAX_REMAINING_LENGTH.wrapping_add(1));
    assert_eq!(
        larger.encode_to_slice(&mut buffer),
        Err(EncodeError::PacketTooLarge)
    );
    assert_eq!(larger.encoded_len(), Err(EncodeError::PacketTooLarge));
    assert_eq!(buffer, [0xee; 8]);
}

#[test]
fn a_payload_length_that_no_packet_has_is_refused() {
    let header = publish_header(2);
    assert_eq!(header.payload_len, u32::MAX);
    assert_eq!(header.encoded_len(), Err(EncodeError::PacketTooLarge));
}

#[test]
fn a_field_that_is_too_long_is_found_before_anything_is_written() {
    let long = [0; 65_536];
    let mut connect = Connect::new(crate::Text::new("c").unwrap());
    connect.credentials = Some(v3::Credentials {
        user_name: crate::Text::new("u").unwrap(),
        password: Some(&long[..]),
    });
    let error = EncodeError::FieldTooLong {
        field: Field::Password,
    };
    let mut buffer = [0xee; 64];
    assert_eq!(connect.encode_to_slice(&mut buffer), Err(error));
    assert_eq!(connect.encoded_len(), Err(error));
    assert_eq!(buffer, [0xee; 64]);
}

#[test]
fn an_empty_client_id_is_found_before_anything_is_written() {
    let mut connect = Connect::new(crate::Text::EMPTY);
    connect.clean_session = false;
    let mut buffer = [0xee; 64];
    assert_eq!(
        connect.encode_to_slice(&mut buffer),
        Err(EncodeError::ClientIdentifierRequired)
    );
    assert_eq!(buffer, [0xee; 64]);
}
