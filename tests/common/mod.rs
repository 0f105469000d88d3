//! Shared by the tests: the vectors, the description of packets in the vectors, and decoders of
//! split streams.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::std_instead_of_alloc,
    reason = "a test has the standard library"
)]

use std::collections::BTreeMap;
mod version;

use std::path::PathBuf;

use mqtt_sansio::v3::{self, Packet, PacketRef, V3};
use mqtt_sansio::{Buffer, DecodeError, Encode, Options, PacketType, Piece, StreamDecoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub(crate) use version::{Version, fields};

/// Makes a test for each version from a function that is generic over the [`Version`].
#[allow(unused_macros, reason = "each test binary uses a part of it")]
macro_rules! for_each_version {
    ($($name:ident)+) => {
        mod v3_packets {
            $(#[test]
            fn $name() {
                super::$name::<mqtt_sansio::v3::V3>();
            })+
        }
        mod v5_packets {
            $(#[test]
            fn $name() {
                super::$name::<mqtt_sansio::v5::V5>();
            })+
        }
    };
}
#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub(crate) use for_each_version;

/// One line of a file in `testdata`.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) json: Value,
}

impl Row {
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.json[key].as_str()
    }

    /// True if Remaining Length is as short as possible.
    pub(crate) fn is_minimal(&self) -> bool {
        self.json["minimal"].as_bool().unwrap_or(true)
    }
}

pub(crate) fn testdata() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

pub(crate) fn read(path: &str) -> String {
    let path = testdata().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn json_lines(path: &str) -> Vec<Value> {
    let lines: Vec<_> = read(path)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect();
    assert!(!lines.is_empty(), "{path} is empty");
    lines
}

pub(crate) fn rows(path: &str) -> Vec<Row> {
    json_lines(path)
        .into_iter()
        .map(|json| Row {
            id: json["id"].as_str().expect("an id").to_owned(),
            bytes: bytes_of(&json),
            json,
        })
        .collect()
}

/// Returns every valid packet of MQTT 3.1.1.
pub(crate) fn valid_rows() -> &'static [Row] {
    V3::valid_rows()
}

/// Returns every packet that the codec of MQTT 3.1.1 alone has to refuse.
pub(crate) fn malformed_rows() -> &'static [Row] {
    V3::malformed_rows()
}

/// Returns the layer of each normative statement, by its id.
pub(crate) fn statements() -> BTreeMap<String, String> {
    read("conformance/normative.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            (columns[0].to_owned(), columns[2].to_owned())
        })
        .collect()
}

fn bytes_of(json: &Value) -> Vec<u8> {
    if let Some(text) = json["hex"].as_str() {
        return hex::decode(text).expect("hexadecimal digits");
    }
    let mut bytes = Vec::new();
    for part in json["gen"].as_array().expect("hex or gen") {
        let piece = hex::decode(part[0].as_str().unwrap()).expect("hexadecimal digits");
        let times = part[1].as_u64().unwrap_or(1);
        bytes.extend(piece.repeat(usize::try_from(times).unwrap()));
    }
    assert_eq!(Some(bytes.len() as u64), json["total_len"].as_u64());
    let digest = hex::encode(Sha256::digest(&bytes));
    assert_eq!(Some(&*digest), json["sha256"].as_str());
    bytes
}

/// Returns the same fields with `{"repeat": .., "n": ..}` expanded.
pub(crate) fn expand(value: &Value) -> Value {
    match value {
        Value::Object(map) => match (map.get("repeat"), map.get("n")) {
            (Some(Value::String(part)), Some(n)) => {
                json!(part.repeat(usize::try_from(n.as_u64().unwrap()).unwrap()))
            }
            _ => map
                .iter()
                .map(|(key, value)| (key.clone(), expand(value)))
                .collect(),
        },
        Value::Array(values) => values.iter().map(expand).collect(),
        other => other.clone(),
    }
}

/// `to_owned`, also without the feature `alloc`.
pub(crate) fn owned(packet: PacketRef<'_>) -> Packet<Vec<u8>> {
    V3::owned(packet)
}

/// `encode_to_vec`, also without the feature `alloc`.
pub(crate) fn encode(packet: &impl Encode) -> Vec<u8> {
    let mut buffer = vec![0; packet.encoded_len().expect("a packet that MQTT can write")];
    let written = packet.encode_to_slice(&mut buffer).expect("room").len();
    assert_eq!(written, buffer.len(), "encoded_len and encode differ");
    buffer
}

/// Options without limits.
pub(crate) const fn unlimited() -> Options {
    Options::new()
        .max_packet_size(u32::MAX)
        .max_filters(u32::MAX)
}

/// Decodes `bytes`, which must be one packet.
pub(crate) fn decode_whole<'a>(
    mut bytes: &'a [u8],
    options: &Options,
) -> Result<PacketRef<'a>, v3::DecodeError> {
    let packet = v3::decode(&mut bytes, options)?.expect("a whole packet");
    assert!(bytes.is_empty(), "{} bytes are left over", bytes.len());
    Ok(packet)
}

/// Returns Remaining Length and the length of the fixed header, by section 2.2.3.
pub(crate) fn fixed_header(bytes: &[u8]) -> Option<(usize, usize)> {
    let (mut value, mut multiplier) = (0, 1);
    for (at, byte) in bytes.iter().enumerate().skip(1).take(4) {
        value += usize::from(byte & 127) * multiplier;
        if byte & 128 == 0 {
            return Some((value, at + 1));
        }
        multiplier *= 128;
    }
    None
}

/// Returns a packet from its first byte and the bytes after Remaining Length, which is as short as
/// possible.
pub(crate) fn frame(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    let mut left = body.len();
    loop {
        let digit = u8::try_from(left % 128).unwrap();
        left /= 128;
        bytes.push(if left > 0 { digit | 128 } else { digit });
        if left == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// Returns the same packet with the shortest Remaining Length.
pub(crate) fn minimal(bytes: &[u8]) -> Vec<u8> {
    let (_, header_len) = fixed_header(bytes).expect("a whole fixed header");
    frame(bytes[0], &bytes[header_len..])
}

/// Returns the packet as the standard encodes it: with the flags of its type, the shortest Remaining
/// Length, and without the fields that the version allows to leave out.
pub(crate) fn as_written<V: Version>(bytes: &[u8], packet: &V::Owned) -> Vec<u8> {
    const DUP: u8 = 8;
    const QOS: u8 = 6;
    let (_, header_len) = fixed_header(bytes).expect("a whole packet");
    let first = bytes[0];
    let first = match PacketType::from_number(first >> 4) {
        Some(PacketType::Publish) if first & QOS == 0 => first & !DUP,
        Some(PacketType::Publish) => first,
        Some(PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe) => {
            first & 0xf0 | 2
        }
        _ => first & 0xf0,
    };
    let mut body = bytes[header_len..].to_vec();
    V::shorten(packet, &mut body);
    frame(first, &body)
}

/// Returns the starts and ends of the fields of a valid packet, where a split is most likely to
/// cause a fault.
pub(crate) fn field_boundaries<V: Version>(bytes: &[u8]) -> Vec<usize> {
    let mut places = vec![1, fixed_header(bytes).unwrap().1];
    let at = |part: &[u8]| {
        (part.as_ptr() as usize)
            .checked_sub(bytes.as_ptr() as usize)
            .unwrap()
    };
    V::for_each_field(bytes, |part| {
        // An empty field may be at any position.
        if !part.is_empty() {
            places.extend([at(part), at(part) + part.len()]);
        }
    });
    places.retain(|&place| place < bytes.len());
    places
}

/// The result of decoding a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome<V: Version = V3> {
    pub(crate) packets: Vec<V::Owned>,
    pub(crate) error: Option<DecodeError<V>>,
    pub(crate) position: u64,
    pub(crate) at_packet_boundary: bool,
}

/// Decodes a complete `stream` packet by packet, without a [`Decoder`], but with the rules that a decoder
/// learns from a CONNECT of MQTT 3.1 at the start.
pub(crate) fn decode_at_once<V: Version>(stream: &[u8], options: &Options) -> Outcome<V> {
    decode_one_by_one(stream, options, true)
}

/// [`decode_at_once`], with or without these rules.
pub(crate) fn decode_one_by_one<V: Version>(
    stream: &[u8],
    options: &Options,
    learns: bool,
) -> Outcome<V> {
    let mut options = *options;
    let mut rest = stream;
    let mut packets = Vec::new();
    let error = loop {
        match V::decode(&mut rest, &options) {
            Ok(Some(packet)) => packets.push(V::owned(packet)),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        let first = &stream[..stream.len() - rest.len()];
        let is_mqtt_3_1 = (2..=5).any(|len| {
            let body = first.get(len..).unwrap_or_default();
            first.first().is_some_and(|byte| byte >> 4 == 1) && body.starts_with(b"\0\x06MQIsdp")
        });
        if learns && packets.len() == 1 && is_mqtt_3_1 {
            options = options.mqtt_3_1(true);
        }
    };
    Outcome {
        packets,
        error,
        position: (stream.len() - rest.len()) as u64,
        at_packet_boundary: error.is_none() && rest.is_empty(),
    }
}

/// Decodes a stream that arrives in these pieces.
pub(crate) fn feed<'a, V: Version, M: Buffer>(
    mut decoder: StreamDecoder<V, M>,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome<V> {
    let mut packets = Vec::new();
    let mut error = None;
    'stream: for mut input in pieces {
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(packet)) => packets.push(V::owned(packet)),
                Ok(None) => break,
                Err(fault) => {
                    error = Some(fault);
                    break 'stream;
                }
            }
        }
        assert!(input.is_empty(), "None says that the input is used up");
    }
    Outcome {
        packets,
        error,
        position: decoder.position(),
        at_packet_boundary: decoder.is_at_packet_boundary(),
    }
}

/// The result of `decode_in_pieces`, with the pieces of a payload joined.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item<V: Version = V3> {
    Whole(V::Owned),
    InPieces(V::OwnedHeader, Vec<u8>),
}

impl<V: Version> Item<V> {
    pub(crate) fn into_packet(self) -> V::Owned {
        match self {
            Self::Whole(packet) => packet,
            Self::InPieces(header, payload) => V::with_payload(header, payload),
        }
    }
}

/// The result of decoding a stream in pieces.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Received<V: Version = V3> {
    pub(crate) items: Vec<Item<V>>,
    pub(crate) error: Option<DecodeError<V>>,
    pub(crate) position: u64,
    pub(crate) at_packet_boundary: bool,
}

/// Decodes a stream in these parts, and checks every piece.
pub(crate) fn receive<'a, V: Version, M: Buffer>(
    mut decoder: StreamDecoder<V, M>,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Received<V> {
    let mut items = Vec::new();
    let mut error = None;
    'stream: for part in parts {
        let mut input = part;
        loop {
            match decoder.decode_in_pieces(&mut input) {
                Ok(Some(Piece::Packet(packet))) => items.push(Item::Whole(V::owned(packet))),
                Ok(Some(Piece::PublishHeader(header))) => {
                    items.push(Item::InPieces(V::owned_header(header), Vec::new()));
                }
                Ok(Some(Piece::Payload { bytes, left })) => {
                    let Some(Item::InPieces(header, payload)) = items.last_mut() else {
                        panic!("a payload without a header");
                    };
                    assert!(!bytes.is_empty(), "an empty piece");
                    assert!(
                        part.as_ptr_range().contains(&bytes.as_ptr()),
                        "a copied piece"
                    );
                    payload.extend(bytes);
                    assert_eq!(payload.len() + left, V::payload_len(header));
                }
                Ok(None) => break,
                Err(fault) => {
                    error = Some(fault);
                    break 'stream;
                }
            }
        }
        assert!(input.is_empty(), "None says that the input is used up");
    }
    Received {
        items,
        error,
        position: decoder.position(),
        at_packet_boundary: decoder.is_at_packet_boundary(),
    }
}

/// Splits `bytes` at these positions, which are in order.
pub(crate) fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::with_capacity(places.len() + 1);
    let mut start = 0;
    for &place in places {
        pieces.push(&bytes[start..place]);
        start = place;
    }
    pieces.push(&bytes[start..]);
    pieces
}
