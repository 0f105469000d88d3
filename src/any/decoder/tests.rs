use super::*;
use std::string::{String, ToString};
use std::{format, vec::Vec};

const V3_1: &[u8] = b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01c";
const V3_1_1: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c";
const V5_CONNECT: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c";

/// Returns the results of a decoder for `stream` in chunks, a line each.
fn outcome(stream: &[u8], chunk: usize, fallback: ProtocolVersion) -> Vec<String> {
    let mut decoder = Decoder::with_options([0; 64], Options::new(), fallback);
    let mut lines = Vec::new();
    for mut input in stream.chunks(chunk) {
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(packet)) => lines.push(format!("{packet:?}")),
                Ok(None) => break,
                Err(error) => {
                    // The same at each later call.
                    assert_eq!(decoder.decode(&mut input), Err(error));
                    lines.push(format!("{error} {:?}", error.statement()));
                    return lines;
                }
            }
        }
    }
    lines.push(format!("{:?} {}", decoder.protocol(), decoder.position()));
    lines
}

#[test]
fn the_connect_decides_the_version_however_the_stream_is_cut() {
    let streams = [
        [V3_1, b"\x40\x02\x00\x01"].concat(),
        [V3_1_1, b"\xe0\x00"].concat(),
        // Only MQTT 5 has a Reason Code in PUBACK, and AUTH.
        [V5_CONNECT, b"\x40\x03\x00\x01\x10\xf0\x00"].concat(),
        // Only MQTT 5 forbids a longer Remaining Length than necessary.
        b"\x10\x8d\x00\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c".to_vec(),
        b"\x10\x8e\x00\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c".to_vec(),
        b"\x10\x0e\x00\x04MQTT\x06\x02\x00\x3c\x00\x00\x01c".to_vec(),
        b"\x10\x02\x00\x04".to_vec(),
        b"\x20\x03\x00\x00\x00\x40\x02\x00\x01".to_vec(),
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01".to_vec(),
        b"\r\n\r\n\0\r\nQUIT\n".to_vec(),
    ];
    for stream in streams {
        for fallback in [ProtocolVersion::V3, ProtocolVersion::V5] {
            let whole = outcome(&stream, usize::MAX, fallback);
            for chunk in 1..stream.len() {
                assert_eq!(
                    outcome(&stream, chunk, fallback),
                    whole,
                    "{chunk} {stream:02x?}"
                );
            }
        }
    }
}

#[test]
fn each_version_is_decoded_as_its_own() {
    for (connect, protocol, version) in [
        (V3_1, Protocol::V3_1, ProtocolVersion::V3),
        (V3_1_1, Protocol::V3_1_1, ProtocolVersion::V3),
        (V5_CONNECT, Protocol::V5, ProtocolVersion::V5),
    ] {
        // The fallback is the other version.
        let fallback = match version {
            ProtocolVersion::V3 => ProtocolVersion::V5,
            ProtocolVersion::V5 => ProtocolVersion::V3,
        };
        let mut decoder = Decoder::with_options([0; 64], Options::new(), fallback);
        assert_eq!(decoder.version(), None);
        assert!(decoder.is_at_packet_boundary());
        let (start, rest) = connect.split_at(5);
        assert_eq!(decoder.decode(&mut &start[..]), Ok(None));
        assert!(!decoder.is_at_packet_boundary());
        assert_eq!(decoder.position(), 0);
        let packet = decoder.decode(&mut &rest[..]).unwrap().unwrap();
        assert_eq!(packet.packet_type(), PacketType::Connect);
        assert_eq!(
            matches!(packet, Packet::V3(_)),
            version == ProtocolVersion::V3
        );
        assert_eq!(decoder.protocol(), Some(protocol));
        assert_eq!(decoder.version(), Some(version));
        assert_eq!(decoder.position(), connect.len() as u64);
        assert!(decoder.is_at_packet_boundary());
    }
}

#[test]
fn a_packet_that_is_whole_borrows_from_the_input() {
    let stream = [V5_CONNECT, b"\x30\x06\x00\x01t\x00hi"].concat();
    let mut input = &stream[..];
    // No room for a packet that is split.
    let mut decoder = Decoder::with_options([0; 16], Options::new(), ProtocolVersion::V3);
    assert!(decoder.decode(&mut input).unwrap().is_some());
    let Ok(Some(Packet::V5(v5::Packet::Publish(publish)))) = decoder.decode(&mut input) else {
        panic!("no PUBLISH");
    };
    let payload = stream.len() - 2;
    assert!(core::ptr::eq(publish.payload, &raw const stream[payload..]));
}

#[test]
fn an_unknown_protocol_level_is_an_error_of_the_fallback() {
    let connect = b"\x10\x0e\x00\x04MQTT\x06\x02\x00\x3c\x00\x00\x01c";
    for fallback in [ProtocolVersion::V3, ProtocolVersion::V5] {
        let mut decoder = Decoder::with_options([0; 64], Options::new(), fallback);
        let error = decoder.decode(&mut &connect[..]).unwrap_err();
        assert_eq!(error.version(), fallback);
        assert_eq!(error.kind(), ErrorKind::UnsupportedProtocolLevel);
        assert_eq!(error.field(), Field::ProtocolLevel);
        assert_eq!(error.packet_type(), Some(PacketType::Connect));
        assert_eq!(error.offset(), 8);
        assert_eq!(error.statement(), Some("MQTT-3.1.2-2"));
        assert_eq!(decoder.protocol(), Some(Protocol::UnsupportedLevel(6)));
    }
}

#[test]
fn a_known_version_needs_no_connect() {
    let mut decoder = Decoder::of_version([0; 16], Options::new(), ProtocolVersion::V5);
    assert_eq!(decoder.version(), Some(ProtocolVersion::V5));
    let packet = decoder.decode(&mut &b"\xf0\x00"[..]).unwrap().unwrap();
    assert_eq!(packet.packet_type(), PacketType::Auth);
    assert_eq!(decoder.protocol(), None);
}

#[cfg(target_pointer_width = "64")]
#[test]
fn a_decoder_that_has_not_begun_is_as_small_as_one_that_has() {
    type Buffer = [u8; 24];
    let decoder = size_of::<StreamDecoder<V5, Buffer>>();
    assert!(size_of::<Decoder<Buffer>>() <= decoder + 16);
}

#[test]
fn a_decoder_prints_its_state() {
    let mut decoder = Decoder::with_options([0; 16], Options::new(), ProtocolVersion::V3);
    assert_eq!(decoder.decode(&mut &b"\x10"[..]), Ok(None));
    assert!(format!("{decoder:?}").starts_with("Start"));
    let error = decoder.decode(&mut &b"\x02\x00\x04"[..]).unwrap_err();
    assert!(
        error.to_string().starts_with("CONNECT Protocol Name: "),
        "{error}"
    );
    assert!(format!("{decoder:?}").starts_with("StreamDecoder"));
}

#[test]
fn larger_packets_are_accepted_once_the_options_allow_them() {
    let publish = b"\x30\x14\0\x01a\x000123456789abcdef";
    for connect in [V3_1_1, V5_CONNECT] {
        for raises_before_connect in [false, true] {
            let small = Options::new().max_packet_size(16);
            let mut decoder = Decoder::with_options([0; 64], small, ProtocolVersion::V3);
            let larger = Options::new().max_packet_size(22);
            if raises_before_connect {
                decoder.set_options(larger);
            }
            assert!(decoder.decode(&mut &*connect).unwrap().is_some());
            let mut other = decoder.clone();
            let refused = other.decode(&mut &publish[..]).is_err();
            assert_eq!(refused, !raises_before_connect);
            decoder.set_options(larger);
            assert!(decoder.decode(&mut &publish[..]).unwrap().is_some());
        }
    }
}

#[cfg(feature = "alloc")]
#[test]
fn a_decoder_that_shrinks_keeps_what_it_has_of_a_packet() {
    for connect in [V3_1_1, V5_CONNECT] {
        let mut decoder = Decoder::with_options(Vec::new(), Options::new(), ProtocolVersion::V3);
        for part in connect.chunks(connect.len() - 1) {
            decoder.shrink();
            let complete = decoder.decode(&mut &part[..]).unwrap().is_some();
            assert_eq!(complete, part.len() == 1);
        }
        decoder.shrink();
        assert!(decoder.is_at_packet_boundary());
    }
}
