use super::*;
use crate::types::PacketId;
use crate::v3::{Packet, PubAck};
use crate::wire::Encode;

const PINGREQ: Packet<&[u8]> = Packet::PingReq;
const PUBACK: PubAck = PubAck {
    packet_id: PacketId::MIN,
};

#[test]
fn a_new_slice_output_has_nothing_written() {
    let mut buffer = [0xee; 4];
    let output = SliceOutput::new(&mut buffer);
    assert_eq!(output.written(), b"");
    assert_eq!(output.into_written(), b"");
}

#[test]
fn packets_follow_each_other_in_a_slice_output() {
    let mut buffer = [0xee; 8];
    let mut output = SliceOutput::new(&mut buffer);
    PINGREQ.encode(&mut output).unwrap();
    assert_eq!(output.written(), b"\xc0\0");
    PUBACK.encode(&mut output).unwrap();
    assert_eq!(output.written(), b"\xc0\0\x40\x02\0\x01");
    assert_eq!(output.into_written(), b"\xc0\0\x40\x02\0\x01");
    assert_eq!(buffer, *b"\xc0\0\x40\x02\0\x01\xee\xee");
}

#[test]
fn what_was_written_can_be_changed_in_place_and_outlives_the_output() {
    let mut buffer = [0; 4];
    let written = {
        let mut output = SliceOutput::new(&mut buffer);
        PUBACK.encode(&mut output).unwrap();
        output.into_written()
    };
    written[3] = 9;
    assert_eq!(buffer, *b"\x40\x02\0\x09");
}

#[test]
fn a_cleared_slice_output_starts_again_at_the_first_byte() {
    let mut buffer = [0; 4];
    let mut output = SliceOutput::new(&mut buffer);
    PUBACK.encode(&mut output).unwrap();
    output.clear();
    assert_eq!(output.written(), b"");
    PINGREQ.encode(&mut output).unwrap();
    assert_eq!(output.written(), b"\xc0\0");
}

#[test]
fn a_slice_output_may_be_filled_to_the_last_byte() {
    let mut buffer = [0; 6];
    let mut output = SliceOutput::new(&mut buffer);
    PUBACK.encode(&mut output).unwrap();
    PINGREQ.encode(&mut output).unwrap();
    assert_eq!(output.written().len(), 6);
    let full = PINGREQ.encode(&mut output);
    assert_eq!(full, Err(EncodeError::NoRoom { needed: 2 }));
}

#[test]
fn a_slice_output_grants_what_it_has_left_and_no_more() {
    let mut buffer = [0; 3];
    let mut output = SliceOutput::new(&mut buffer);
    output.put(b"a").unwrap();
    assert_eq!(output.reserve(2), Ok(()));
    assert_eq!(output.reserve(3), Err(EncodeError::NoRoom { needed: 3 }));
    assert_eq!(
        output.reserve(usize::MAX),
        Err(EncodeError::NoRoom { needed: u32::MAX })
    );
    assert_eq!(output.put(b"bcd"), Err(EncodeError::NoRoom { needed: 3 }));
    assert_eq!(output.written(), b"a");
    assert_eq!(output.put(b"bc"), Ok(()));
    assert_eq!(output.written(), b"abc");
}

#[test]
fn a_mutable_reference_to_an_output_is_an_output() {
    fn encode_twice(mut output: impl Output) {
        PINGREQ.encode(&mut output).unwrap();
        PUBACK.encode(&mut output).unwrap();
    }
    let mut buffer = [0; 8];
    let mut output = SliceOutput::new(&mut buffer);
    encode_twice(&mut output);
    encode_twice(SliceOutput::new(&mut [0; 6]));
    assert_eq!(output.written(), b"\xc0\0\x40\x02\0\x01");
    assert_eq!(Output::reserve(&mut &mut output, 2), Ok(()));
    assert_eq!(
        Output::reserve(&mut &mut output, 3),
        Err(EncodeError::NoRoom { needed: 3 })
    );
}

#[test]
fn a_packet_is_encoded_to_an_output_that_is_known_at_run_time_only() {
    let mut buffer = [0; 8];
    let mut slice = SliceOutput::new(&mut buffer);
    let output: &mut dyn Output = &mut slice;
    PINGREQ.encode(output).unwrap();
    assert_eq!(slice.written(), b"\xc0\0");
}

/// Returns the length of the chunk that an output returns, which holds `ab`, when it is asked for
/// `len` bytes; and appends all of them but one.
fn after_chunk(mut output: impl Output + AsRef<[u8]>, len: usize) -> Option<usize> {
    let chunk = output.chunk(len).map(|chunk| {
        chunk.fill(b'x');
        chunk.len()
    });
    let used = chunk.unwrap_or(0).saturating_sub(1);
    if chunk.is_some() {
        output.advance(used);
    }
    let expected = [b"ab", &std::vec![b'x'; used][..]].concat();
    assert_eq!(output.as_ref(), expected);
    chunk
}

impl AsRef<[u8]> for SliceOutput<'_> {
    fn as_ref(&self) -> &[u8] {
        self.written()
    }
}

#[test]
fn a_chunk_of_a_slice_is_what_it_has_room_for() {
    for len in 0..=5 {
        let mut buffer = [0; 6];
        let mut output = SliceOutput::new(&mut buffer);
        output.put(b"ab").unwrap();
        assert_eq!(after_chunk(output, len), (len <= 4).then_some(len));
    }
}

#[cfg(any(feature = "alloc", feature = "bytes"))]
#[test]
fn a_chunk_of_a_vector_needs_room_for_the_longest() {
    for (room, len, chunk) in [
        (128, 0, Some(0)),
        (128, 1, Some(1)),
        (128, 128, Some(128)),
        (128, 129, None),
        (127, 1, None),
        (200, 129, None),
        (200, 128, Some(128)),
    ] {
        let capacity = usize::wrapping_add(room, 2);
        #[cfg(feature = "alloc")]
        {
            let mut vector = alloc::vec::Vec::with_capacity(capacity);
            assert_eq!(vector.capacity(), capacity);
            vector.extend_from_slice(b"ab");
            assert!(vector.has_room(room));
            assert!(!vector.has_room(usize::wrapping_add(room, 1)));
            assert_eq!(after_chunk(vector, len), chunk, "{room} {len}");
        }
        #[cfg(feature = "bytes")]
        {
            let mut bytes = bytes::BytesMut::with_capacity(capacity);
            bytes.extend_from_slice(b"ab");
            assert!(bytes.has_room(room));
            assert!(!bytes.has_room(usize::wrapping_add(room, 1)));
            assert_eq!(after_chunk(bytes, len), chunk, "{room} {len}");
        }
    }
}

#[test]
fn a_mutable_reference_hands_on_a_chunk() {
    let mut buffer = [0; 4];
    let mut output = SliceOutput::new(&mut buffer);
    let mut reference = &mut output;
    assert_eq!(Output::chunk(&mut reference, 5), None);
    assert_eq!(Output::chunk(&mut reference, 3), Some(&mut [0; 3][..]));
    Output::advance(&mut reference, 2);
    assert!(Output::has_room(&reference, 2));
    assert!(!Output::has_room(&reference, 3));
    assert_eq!(output.written(), [0; 2]);
}

#[test]
fn a_mutable_reference_takes_properties_of_any_length() {
    use crate::v5::{Property, Publish, PublishProperties};
    let mut buffer = [0; 256];
    let data = [Property::CorrelationData(&[b'x'; 200])];
    let publish = Publish {
        delivery: crate::Delivery::AtMostOnce,
        retain: false,
        topic: crate::TopicName::new("t").unwrap(),
        properties: PublishProperties::encode_to_slice(&mut buffer, data).unwrap(),
        payload: &b"hi"[..],
    };
    let mut buffer = [0; 256];
    let mut output = SliceOutput::new(&mut buffer);
    publish.encode(&mut &mut output).unwrap();
    let mut expected = [0; 256];
    assert_eq!(
        publish.encode_to_slice(&mut expected).unwrap(),
        output.written()
    );
    assert_eq!(output.written().len(), 3 + 3 + 2 + 203 + 2);
}

#[test]
fn a_slice_is_filled_to_its_end_at_most() {
    let mut buffer = [0; 4];
    let mut output = SliceOutput::new(&mut buffer);
    output.advance(5);
    assert_eq!(output.written(), [0; 4]);
}

#[cfg(feature = "alloc")]
#[test]
fn an_output_whose_chunk_is_shorter_than_asked_for_gets_the_packet_in_parts() {
    /// Returns a chunk of one byte.
    struct Short(std::vec::Vec<u8>, [u8; 1]);
    impl Output for Short {
        fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
            Ok(())
        }
        fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            self.0.put(bytes)
        }
        fn chunk(&mut self, len: usize) -> Option<&mut [u8]> {
            (len == 128).then_some(&mut self.1)
        }
        fn advance(&mut self, len: usize) {
            assert_eq!(len, 0);
        }
    }
    let packet = crate::v3::Publish {
        delivery: crate::Delivery::AtMostOnce,
        retain: false,
        topic: crate::TopicName::new("t").unwrap(),
        payload: &b"hi"[..],
    };
    let mut output = Short(std::vec::Vec::new(), [0]);
    packet.encode(&mut output).unwrap();
    assert_eq!(output.0, b"\x30\x05\0\x01thi");
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_grows_behind_what_it_held() {
    let mut output = b"ab".to_vec();
    PINGREQ.encode(&mut output).unwrap();
    PUBACK.encode(&mut output).unwrap();
    assert_eq!(output, b"ab\xc0\0\x40\x02\0\x01");
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_that_cannot_grow_has_no_room() {
    let mut output = b"ab".to_vec();
    assert_eq!(
        Output::reserve(&mut output, usize::MAX),
        Err(EncodeError::NoRoom { needed: u32::MAX })
    );
    assert_eq!(output, b"ab");
}

#[cfg(feature = "bytes")]
#[test]
fn bytes_mut_grows_behind_what_it_held() {
    let mut output = bytes::BytesMut::from(&b"ab"[..]);
    PINGREQ.encode(&mut output).unwrap();
    PUBACK.encode(&mut output).unwrap();
    assert_eq!(output, &b"ab\xc0\0\x40\x02\0\x01"[..]);
}

#[cfg(feature = "bytes")]
#[test]
fn a_bounded_buf_mut_is_written_from_the_front_and_moves_on() {
    let mut buffer = [0xee; 6];
    let mut rest = &mut buffer[..];
    PUBACK.encode(&mut BufMutOutput::new(&mut rest)).unwrap();
    assert_eq!(rest.len(), 2);
    PINGREQ.encode(&mut BufMutOutput::new(&mut rest)).unwrap();
    assert_eq!(rest.len(), 0);
    assert_eq!(buffer, *b"\x40\x02\0\x01\xc0\0");
}

#[cfg(feature = "bytes")]
#[test]
fn a_bounded_buf_mut_that_lacks_one_byte_is_not_written_at_all() {
    let mut buffer = [0xee; 3];
    let mut rest = &mut buffer[..];
    assert_eq!(
        PUBACK.encode(&mut BufMutOutput::new(&mut rest)),
        Err(EncodeError::NoRoom { needed: 4 })
    );
    assert_eq!(rest.len(), 3);
    assert_eq!(buffer, [0xee; 3]);
}

#[cfg(feature = "bytes")]
#[test]
fn a_bounded_buf_mut_refuses_bytes_that_nobody_reserved_room_for() {
    let mut buffer = [0xee; 3];
    let mut rest = &mut buffer[..];
    let mut output = BufMutOutput::new(&mut rest);
    assert_eq!(output.put(b"abcd"), Err(EncodeError::NoRoom { needed: 4 }));
    assert_eq!(output.put(b"abc"), Ok(()));
    assert_eq!(buffer, *b"abc");
}

#[cfg(feature = "bytes")]
#[test]
fn a_buf_mut_that_grows_takes_what_comes() {
    let mut vector = b"ab".to_vec();
    PUBACK.encode(&mut BufMutOutput::new(&mut vector)).unwrap();
    assert_eq!(vector, b"ab\x40\x02\0\x01");
}
