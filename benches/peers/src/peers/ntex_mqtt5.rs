//! MQTT 5 of ntex-mqtt: its codec. See [`super::ntex_mqtt`].

use std::num::{NonZeroU16, NonZeroU32};
use std::rc::Rc;

use ::ntex_mqtt::QoS;
use ::ntex_mqtt::v5::codec::{
    Codec, Connect, ConnectAck, Decoded, Encoded, LastWill, Packet, Publish, PublishAck,
    PublishAckReason, PublishProperties, RetainHandling, Subscribe, SubscribeAck,
    SubscribeAckReason, SubscriptionOptions,
};
use ntex_bytes::{BytePages, ByteString, Bytes, BytesMut};
use ntex_codec::{Decoder as _, Encoder as _};

use super::ntex_mqtt::{self, NtexMqtt, Pieces};
use crate::job::{From, Peer, Work, Writer, decoding, feeding, writing};
use crate::workload::Seen;
use crate::workload::v5::{Fields, MessageProperties};

#[derive(Default)]
struct Reader {
    codec: Codec,
    pieces: Pieces,
}

impl Reader {
    fn read(&mut self, buffer: &mut BytesMut, seen: &mut Seen) {
        while let Some(decoded) = self.codec.decode(buffer).unwrap() {
            match decoded {
                Decoded::Publish(publish, payload, _) => {
                    let fields = (&publish.topic, publish.qos, publish.packet_id);
                    let size = publish.payload_size;
                    self.pieces.publish(fields, size, payload, seen);
                    see_properties(&publish.properties, seen);
                }
                Decoded::PayloadChunk(payload, last) => self.pieces.next(payload, last, seen),
                Decoded::Packet(packet, _) => see(&packet, seen),
            }
        }
    }
}

fn see_properties(properties: &PublishProperties, seen: &mut Seen) {
    let expiry = properties.message_expiry_interval;
    seen.long_number(expiry.map_or(0, NonZeroU32::get));
    seen.number(properties.topic_alias.map_or(0, NonZeroU16::get));
    if let Some(content_type) = &properties.content_type {
        seen.bytes(content_type.as_str().as_bytes());
    }
    for (name, value) in &properties.user_properties {
        seen.bytes(name.as_str().as_bytes());
        seen.bytes(value.as_str().as_bytes());
    }
}

fn see(packet: &Packet, seen: &mut Seen) {
    match packet {
        Packet::PublishAck(puback) => {
            seen.packet(puback.packet_id.get());
            seen.number(puback.reason_code as u16);
        }
        Packet::Subscribe(subscribe) => {
            seen.packet(subscribe.packet_id.get());
            seen.long_number(subscribe.id.map_or(0, NonZeroU32::get));
            for (filter, options) in &subscribe.topic_filters {
                seen.bytes(filter.as_str().as_bytes());
                seen.number(options.qos as u16);
            }
        }
        Packet::SubscribeAck(suback) => {
            seen.packet(suback.packet_id.get());
            for code in &suback.status {
                seen.number(*code as u16);
            }
        }
        Packet::Connect(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive);
            seen.number(connect.receive_max.map_or(0, NonZeroU16::get));
            seen.long_number(connect.session_expiry_interval_secs);
            seen.bytes(connect.client_id.as_str().as_bytes());
            if let Some(will) = &connect.last_will {
                seen.long_number(will.will_delay_interval_sec.unwrap_or(0));
                seen.bytes(will.topic.as_str().as_bytes());
                seen.bytes(&will.message);
            }
            let user_name = connect.username.as_ref().unwrap();
            seen.bytes(user_name.as_str().as_bytes());
            seen.bytes(connect.password.as_ref().unwrap());
        }
        Packet::ConnectAck(connack) => {
            seen.packet(0);
            seen.long_number(connack.session_expiry_interval_secs.unwrap_or(0));
            seen.long_number(connack.max_packet_size.unwrap_or(0));
            seen.number(connack.receive_max.get());
            seen.number(connack.topic_alias_max);
            seen.number(connack.server_keepalive_sec.unwrap_or(0));
            if let Some(client_id) = &connack.assigned_client_id {
                seen.bytes(client_id.as_str().as_bytes());
            }
        }
        _ => seen.packet(0),
    }
}

fn text(text: &str) -> ByteString {
    ByteString::from(text)
}

fn qos(number: u8) -> QoS {
    QoS::try_from(number).unwrap()
}

fn id(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

fn build_properties(properties: &MessageProperties) -> PublishProperties {
    match properties {
        MessageProperties::None => PublishProperties::default(),
        MessageProperties::TopicAlias(alias) => PublishProperties {
            topic_alias: NonZeroU16::new(*alias),
            ..PublishProperties::default()
        },
        MessageProperties::Usual {
            expiry,
            content_type,
            user_property: (name, value),
        } => PublishProperties {
            message_expiry_interval: NonZeroU32::new(*expiry),
            content_type: Some(text(content_type)),
            user_properties: vec![(text(name), text(value))],
            ..PublishProperties::default()
        },
    }
}

fn build(fields: &Fields) -> Option<Encoded> {
    Some(Encoded::Packet(match fields {
        Fields::Publish {
            topic,
            payload,
            qos: number,
            packet_id,
            properties,
        } => {
            let publish = Publish {
                dup: false,
                retain: false,
                qos: qos(*number),
                topic: text(topic),
                packet_id: NonZeroU16::new(*packet_id),
                payload_size: payload.len() as u32,
                properties: build_properties(properties),
            };
            let payload = Bytes::copy_from_slice(payload);
            return Some(Encoded::Publish(publish, Some(payload)));
        }
        Fields::PubAck {
            packet_id,
            reason_code,
        } => Packet::PublishAck(PublishAck {
            packet_id: id(*packet_id),
            reason_code: PublishAckReason::try_from(*reason_code).unwrap(),
            properties: Vec::new(),
            reason_string: None,
        }),
        Fields::PingReq => Packet::PingRequest,
        Fields::Subscribe {
            packet_id,
            identifier,
            filters,
        } => {
            let options = |number: u8| SubscriptionOptions {
                qos: qos(number & 3),
                no_local: number & 4 != 0,
                retain_as_published: number & 8 != 0,
                retain_handling: RetainHandling::try_from(number >> 4).unwrap(),
            };
            let filters = filters.iter();
            Packet::Subscribe(Subscribe {
                packet_id: id(*packet_id),
                id: NonZeroU32::new(*identifier),
                user_properties: Vec::new(),
                topic_filters: filters
                    .map(|(filter, number)| (text(filter), options(*number)))
                    .collect(),
            })
        }
        Fields::SubAck {
            packet_id,
            reason_codes,
        } => {
            let codes = reason_codes.iter();
            Packet::SubscribeAck(SubscribeAck {
                packet_id: id(*packet_id),
                properties: Vec::new(),
                reason_string: None,
                status: codes
                    .map(|code| SubscribeAckReason::try_from(*code).unwrap())
                    .collect(),
            })
        }
        Fields::Connect {
            client_id,
            keep_alive,
            session_expiry,
            receive_maximum,
            will_delay,
            will_topic,
            will_payload,
            user_name,
            password,
        } => Packet::Connect(Box::new(Connect {
            clean_start: true,
            keep_alive: *keep_alive,
            session_expiry_interval_secs: *session_expiry,
            receive_max: NonZeroU16::new(*receive_maximum),
            last_will: Some(LastWill {
                qos: QoS::AtLeastOnce,
                retain: true,
                topic: text(will_topic),
                message: Bytes::copy_from_slice(will_payload),
                will_delay_interval_sec: Some(*will_delay),
                correlation_data: None,
                message_expiry_interval: None,
                content_type: None,
                user_properties: Vec::new(),
                is_utf8_payload: None,
                response_topic: None,
            }),
            client_id: text(client_id),
            username: Some(text(user_name)),
            password: Some(Bytes::copy_from_slice(password.as_bytes())),
            ..Connect::default()
        })),
        Fields::ConnAck {
            session_expiry,
            receive_maximum,
            maximum_packet_size,
            assigned_client_id,
            topic_alias_maximum,
            server_keep_alive,
        } => Packet::ConnectAck(Box::new(ConnectAck {
            session_expiry_interval_secs: Some(*session_expiry),
            receive_max: id(*receive_maximum),
            max_packet_size: Some(*maximum_packet_size),
            assigned_client_id: Some(text(assigned_client_id)),
            topic_alias_max: *topic_alias_maximum,
            server_keepalive_sec: Some(*server_keep_alive),
            ..ConnectAck::default()
        })),
    }))
}

impl Peer<Fields> for NtexMqtt {
    const NAME: &'static str = ntex_mqtt::NAME;

    fn decode(stream: Rc<[u8]>) -> Work {
        decoding(stream, ntex_mqtt::input, |buffer, seen| {
            Reader::default().read(buffer, seen);
        })
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        let reader = || {
            let reader = Reader::default();
            reader.codec.set_min_chunk_size(ntex_mqtt::MIN_PIECE);
            (reader, ntex_mqtt::buffer())
        };
        feeding(stream, chunk, reader, |(reader, buffer), chunk, seen| {
            ntex_mqtt::receive(buffer, chunk);
            reader.read(buffer, seen);
        })
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
}
