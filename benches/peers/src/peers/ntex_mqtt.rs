//! The codec of ntex-mqtt. Its connections are part of its server and client, which do their own I/O.

use std::num::NonZeroU16;
use std::rc::Rc;

use ntex_bytes::{BufMut as _, BytePages, ByteString, Bytes, BytesMut};
use ntex_codec::{Decoder as _, Encoder as _};
use ntex_mqtt::v3::codec::{
    Codec, Connect, Decoded, Encoded, LastWill, Packet, Publish, SubscribeReturnCode,
};
use ntex_mqtt::{QoS, TopicFilter};

use crate::job::{From, Peer, Work, Writer, decoding, feeding, matching, writing};
use crate::workload::{Fields, Seen};

/// The payload that a codec is receiving in pieces.
#[derive(Default)]
pub struct Pieces(Vec<Bytes>);

impl Pieces {
    /// Reads a PUBLISH with a payload of `size` bytes, of which `payload` was received.
    pub fn publish(
        &mut self,
        (topic, qos, packet_id): (&ByteString, QoS, Option<NonZeroU16>),
        size: u32,
        payload: Bytes,
        seen: &mut Seen,
    ) {
        let (topic, qos) = (topic.as_str().as_bytes(), qos as u8);
        let packet_id = packet_id.map_or(0, NonZeroU16::get);
        if payload.len() == size as usize {
            seen.publish(topic, &payload, qos, packet_id);
        } else {
            seen.publish(topic, &[], qos, packet_id);
            self.0.push(payload);
        }
    }

    /// Reads the next piece.
    pub fn next(&mut self, payload: Bytes, is_last: bool, seen: &mut Seen) {
        self.0.push(payload);
        if is_last {
            let lengths = self.0.iter().map(|piece| piece.len() as u64);
            seen.bytes += lengths.sum::<u64>();
            let last = self.0.last().and_then(|piece| piece.last());
            seen.ends += u64::from(*last.unwrap_or(&0)) << 8;
            self.0.clear();
        }
    }
}

#[derive(Default)]
struct Reader {
    codec: Codec,
    pieces: Pieces,
}

impl Reader {
    fn read(&mut self, buffer: &mut BytesMut, seen: &mut Seen) {
        while let Some(decoded) = self.codec.decode(buffer).unwrap() {
            self.see(decoded, seen);
        }
    }

    fn see(&mut self, decoded: Decoded, seen: &mut Seen) {
        match decoded {
            Decoded::Publish(publish, payload, _) => {
                let fields = (&publish.topic, publish.qos, publish.packet_id);
                let size = publish.payload_size;
                self.pieces.publish(fields, size, payload, seen);
            }
            Decoded::PayloadChunk(payload, last) => self.pieces.next(payload, last, seen),
            Decoded::Packet(packet, _) => see_packet(&packet, seen),
        }
    }
}

fn see_packet(packet: &Packet, seen: &mut Seen) {
    match packet {
        Packet::PublishAck { packet_id } => seen.packet(packet_id.get()),
        Packet::PingRequest => seen.packet(0),
        Packet::Subscribe {
            packet_id,
            topic_filters,
        } => {
            seen.packet(packet_id.get());
            for (filter, qos) in topic_filters {
                seen.bytes(filter.as_str().as_bytes());
                seen.number(*qos as u16);
            }
        }
        Packet::SubscribeAck { packet_id, status } => {
            seen.packet(packet_id.get());
            for code in status {
                seen.number(match code {
                    SubscribeReturnCode::Success(qos) => *qos as u16,
                    SubscribeReturnCode::Failure => 0x80,
                });
            }
        }
        Packet::Connect(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive);
            seen.bytes(connect.client_id.as_str().as_bytes());
            if let Some(will) = &connect.last_will {
                seen.bytes(will.topic.as_str().as_bytes());
                seen.bytes(&will.message);
            }
            let user_name = connect.username.as_ref().unwrap();
            seen.bytes(user_name.as_str().as_bytes());
            seen.bytes(connect.password.as_ref().unwrap());
        }
        _ => seen.packet(0),
    }
}

fn build(fields: &Fields) -> Option<Encoded> {
    let id = |number: u16| NonZeroU16::new(number).unwrap();
    let qos = |number: u8| QoS::try_from(number).unwrap();
    let text = |text: &String| ByteString::from(text.as_str());
    Some(Encoded::Packet(match fields {
        Fields::Publish {
            topic,
            payload,
            qos: number,
            packet_id,
        } => {
            let publish = Publish {
                dup: false,
                retain: false,
                qos: qos(*number),
                topic: text(topic),
                packet_id: NonZeroU16::new(*packet_id),
                payload_size: payload.len() as u32,
            };
            return Some(Encoded::Publish(
                publish,
                Some(Bytes::copy_from_slice(payload)),
            ));
        }
        Fields::PubAck { packet_id } => Packet::PublishAck {
            packet_id: id(*packet_id),
        },
        Fields::PingReq => Packet::PingRequest,
        Fields::Subscribe { packet_id, filters } => Packet::Subscribe {
            packet_id: id(*packet_id),
            topic_filters: filters
                .iter()
                .map(|(filter, number)| (text(filter), qos(*number)))
                .collect(),
        },
        Fields::SubAck {
            packet_id,
            return_codes,
        } => Packet::SubscribeAck {
            packet_id: id(*packet_id),
            status: return_codes
                .iter()
                .map(|code| SubscribeReturnCode::Success(qos(*code)))
                .collect(),
        },
        Fields::Connect {
            client_id,
            keep_alive,
            will_topic,
            will_message,
            user_name,
            password,
        } => Packet::Connect(Box::new(Connect {
            clean_session: true,
            keep_alive: *keep_alive,
            last_will: Some(LastWill {
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: text(will_topic),
                message: Bytes::copy_from_slice(will_message),
            }),
            client_id: text(client_id),
            username: Some(text(user_name)),
            password: Some(Bytes::copy_from_slice(password.as_bytes())),
        })),
    }))
}

fn encode(packets: &'static [Fields], from: From) -> Work {
    type Out = (BytePages, Codec);
    let writer = Writer {
        build,
        output: |_| -> Out { Default::default() },
        clear: |(pages, _): &mut Out| pages.clear(),
        write: |packet: &mut Option<Encoded>, (pages, codec): &mut Out| {
            codec.encodev(packet.take().unwrap(), pages).unwrap();
        },
        read: |(pages, _): &mut Out| pages.freeze().to_vec(),
        consumes: true,
    };
    writing(packets, from, writer)
}

pub const NAME: &str = "ntex-mqtt 9.0.0";

/// The size of payload pieces that its server sets, in bytes.
pub const MIN_PIECE: u32 = 32 * 1024;

/// How much the I/O of ntex grows a buffer.
const STEP: usize = 16 * 1024;

/// Returns the stream in a buffer. The codec reserves five bytes after each packet, and would copy a
/// full buffer.
pub fn input(stream: &[u8]) -> BytesMut {
    let mut buffer = BytesMut::with_capacity(stream.len() + 4096);
    buffer.extend_from_slice(stream);
    buffer
}

pub fn buffer() -> BytesMut {
    BytesMut::with_capacity(STEP)
}

/// Adds received bytes to a buffer, which grows as in the I/O of ntex.
pub fn receive(buffer: &mut BytesMut, chunk: &[u8]) {
    let room = buffer.remaining_mut();
    if room < 1024 || room < chunk.len() {
        let missing = chunk.len().max(STEP) - room;
        buffer.reserve_capacity(buffer.capacity() + missing.next_multiple_of(STEP));
    }
    buffer.extend_from_slice(chunk);
}

pub struct NtexMqtt;

impl Peer for NtexMqtt {
    const NAME: &'static str = NAME;

    fn decode(stream: Rc<[u8]>) -> Work {
        decoding(stream, input, |buffer, seen| {
            Reader::default().read(buffer, seen);
        })
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        let reader = || {
            let reader = Reader::default();
            reader.codec.set_min_chunk_size(MIN_PIECE);
            (reader, buffer())
        };
        feeding(stream, chunk, reader, |(reader, buffer), chunk, seen| {
            receive(buffer, chunk);
            reader.read(buffer, seen);
        })
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        // The codec never copies a large payload.
        let is_large = |fields: &Fields| matches!(fields, Fields::Publish { payload, .. } if payload.len() > 4096);
        if packets.iter().any(is_large) {
            return None;
        }
        encode(packets, from)
    }

    fn encode_by_reference(packets: &'static [Fields]) -> Work {
        encode(packets, From::Packets)
    }

    fn matching(repetitions: usize) -> Work {
        matching(
            repetitions,
            |filter| filter.parse::<TopicFilter>().unwrap(),
            |topic| topic,
            |filter, topic| filter.matches_topic(topic),
        )
    }
}
