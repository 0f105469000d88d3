//! mqtt-proto. It decodes the fixed header, then the packet from a slice: its fastest interface.

use std::rc::Rc;

use bytes::Bytes;
use mqtt_proto::{Pid, PollHeader as _, Protocol, QoS, QosPid, TopicFilter, TopicName, v3, v5};

use super::mqttrs::packet_len;
use crate::job::{From, Peer, Work, Writer, decoding, writing};
use crate::workload::v5::{Fields as Fields5, MessageProperties};
use crate::workload::{Fields, Seen};

pub struct MqttProto;

fn pid(number: u16) -> Pid {
    Pid::try_from(number).unwrap()
}

fn qos(number: u8) -> QoS {
    QoS::from_u8(number).unwrap()
}

fn qos_pid(number: u8, packet_id: u16) -> QosPid {
    match number {
        0 => QosPid::Level0,
        1 => QosPid::Level1(pid(packet_id)),
        _ => QosPid::Level2(pid(packet_id)),
    }
}

fn topic(name: &str) -> TopicName {
    TopicName::try_from(name).unwrap()
}

fn filter(filter: &str) -> TopicFilter {
    TopicFilter::try_from(filter).unwrap()
}

/// Implements `Peer` for a version. The types of both versions have the same names.
macro_rules! version {
    ($v:ident, $Fields:ident, $see:ident, $build:ident) => {
        impl Peer<$Fields> for MqttProto {
            const NAME: &'static str = "mqtt-proto 0.4.0";

            fn decode(stream: Rc<[u8]>) -> Work {
                decoding(stream, <[u8]>::to_vec, |input, seen| {
                    let mut input = &input[..];
                    while !input.is_empty() {
                        let len = packet_len(input);
                        let (frame, rest) = input.split_at(len);
                        let header_len = mqtt_proto::header_len(len);
                        let remaining = (len - header_len) as u32;
                        let header = $v::Header::new_with(frame[0], remaining, len as u32).unwrap();
                        let packet = match header.build_empty_packet() {
                            Some(packet) => packet,
                            None => header.decode_buffer(&frame[header_len..], &mut 0).unwrap(),
                        };
                        $see(&packet, seen);
                        input = rest;
                    }
                })
            }

            fn encode(packets: &'static [$Fields], from: From) -> Work {
                let writer = Writer {
                    build: $build,
                    output: Vec::with_capacity,
                    clear: Vec::clear,
                    write: |packet: &mut $v::Packet, out: &mut Vec<u8>| {
                        out.extend_from_slice(packet.encode().unwrap().as_ref());
                    },
                    read: |out: &mut Vec<u8>| out.clone(),
                    consumes: false,
                };
                writing(packets, from, writer)
            }
        }
    };
}

version!(v3, Fields, see_v3, build_v3);
version!(v5, Fields5, see_v5, build_v5);

fn see_v3(packet: &v3::Packet, seen: &mut Seen) {
    use v3::{Packet, SubscribeReturnCode};
    match packet {
        Packet::Publish(publish) => seen.publish(
            publish.topic_name.as_bytes(),
            &publish.payload,
            publish.qos_pid.qos() as u8,
            publish.qos_pid.pid().map_or(0, Pid::value),
        ),
        Packet::Puback(packet_id) => seen.packet(packet_id.value()),
        Packet::Subscribe(subscribe) => {
            seen.packet(subscribe.pid.value());
            for (filter, qos) in &subscribe.topics {
                seen.bytes(filter.as_bytes());
                seen.number(*qos as u16);
            }
        }
        Packet::Suback(suback) => {
            seen.packet(suback.pid.value());
            for code in &suback.topics {
                seen.number(match code {
                    SubscribeReturnCode::MaxLevel0 => 0,
                    SubscribeReturnCode::MaxLevel1 => 1,
                    SubscribeReturnCode::MaxLevel2 => 2,
                    SubscribeReturnCode::Failure => 0x80,
                });
            }
        }
        Packet::Connect(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive);
            seen.bytes(connect.client_id.as_bytes());
            if let Some(will) = &connect.last_will {
                seen.bytes(will.topic_name.as_bytes());
                seen.bytes(&will.message);
            }
            seen.bytes(connect.username.as_deref().unwrap_or_default().as_bytes());
            seen.bytes(connect.password.as_deref().unwrap_or_default());
        }
        _ => seen.packet(0),
    }
}

fn build_v3(fields: &Fields) -> v3::Packet {
    use v3::Packet;
    match fields {
        Fields::Publish {
            topic: name,
            payload,
            qos,
            packet_id,
        } => Packet::Publish(v3::Publish {
            dup: false,
            retain: false,
            qos_pid: qos_pid(*qos, *packet_id),
            topic_name: topic(name),
            payload: Bytes::copy_from_slice(payload),
        }),
        Fields::PubAck { packet_id } => Packet::Puback(pid(*packet_id)),
        Fields::PingReq => Packet::Pingreq,
        Fields::Subscribe { packet_id, filters } => {
            let filters = filters
                .iter()
                .map(|(text, number)| (filter(text), qos(*number)));
            Packet::Subscribe(v3::Subscribe::new(pid(*packet_id), filters.collect()))
        }
        Fields::SubAck {
            packet_id,
            return_codes,
        } => {
            let codes = return_codes.iter().map(|code| qos(*code).into());
            Packet::Suback(v3::Suback::new(pid(*packet_id), codes.collect()))
        }
        Fields::Connect {
            client_id,
            keep_alive,
            will_topic,
            will_message,
            user_name,
            password,
        } => Packet::Connect(v3::Connect {
            protocol: Protocol::V311,
            clean_session: true,
            keep_alive: *keep_alive,
            client_id: client_id.as_str().into(),
            last_will: Some(v3::LastWill {
                qos: QoS::Level1,
                retain: true,
                topic_name: topic(will_topic),
                message: Bytes::copy_from_slice(will_message),
            }),
            username: Some(user_name.as_str().into()),
            password: Some(Bytes::copy_from_slice(password.as_bytes())),
        }),
    }
}

fn see_v5(packet: &v5::Packet, seen: &mut Seen) {
    use v5::Packet;
    match packet {
        Packet::Publish(publish) => {
            seen.publish(
                publish.topic_name.as_bytes(),
                &publish.payload,
                publish.qos_pid.qos() as u8,
                publish.qos_pid.pid().map_or(0, Pid::value),
            );
            let properties = &publish.properties;
            seen.long_number(properties.message_expiry_interval.unwrap_or(0));
            seen.number(properties.topic_alias.unwrap_or(0));
            seen.bytes(
                properties
                    .content_type
                    .as_deref()
                    .unwrap_or_default()
                    .as_bytes(),
            );
            for property in &properties.user_properties {
                seen.bytes(property.name.as_bytes());
                seen.bytes(property.value.as_bytes());
            }
        }
        Packet::Puback(puback) => {
            seen.packet(puback.pid.value());
            seen.number(puback.reason_code as u16);
        }
        Packet::Subscribe(subscribe) => {
            seen.packet(subscribe.pid.value());
            let identifier = subscribe.properties.subscription_id;
            seen.long_number(identifier.map_or(0, v5::VarByteInt::value));
            for (filter, options) in &subscribe.topics {
                seen.bytes(filter.as_bytes());
                seen.number(options.max_qos as u16);
            }
        }
        Packet::Suback(suback) => {
            seen.packet(suback.pid.value());
            for code in &suback.topics {
                seen.number(*code as u16);
            }
        }
        Packet::Connect(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive);
            seen.number(connect.properties.receive_max.unwrap_or(0));
            seen.long_number(connect.properties.session_expiry_interval.unwrap_or(0));
            seen.bytes(connect.client_id.as_bytes());
            if let Some(will) = &connect.last_will {
                seen.long_number(will.properties.delay_interval.unwrap_or(0));
                seen.bytes(will.topic_name.as_bytes());
                seen.bytes(&will.payload);
            }
            seen.bytes(connect.username.as_deref().unwrap_or_default().as_bytes());
            seen.bytes(connect.password.as_deref().unwrap_or_default());
        }
        Packet::Connack(connack) => {
            seen.packet(0);
            let properties = &connack.properties;
            seen.long_number(properties.session_expiry_interval.unwrap_or(0));
            seen.long_number(properties.max_packet_size.unwrap_or(0));
            seen.number(properties.receive_max.unwrap_or(0));
            seen.number(properties.topic_alias_max.unwrap_or(0));
            seen.number(properties.server_keep_alive.unwrap_or(0));
            let client_id = properties.assigned_client_id.as_deref();
            seen.bytes(client_id.unwrap_or_default().as_bytes());
        }
        _ => seen.packet(0),
    }
}

fn build_v5(fields: &Fields5) -> v5::Packet {
    use v5::Packet;
    match fields {
        Fields5::Publish {
            topic: name,
            payload,
            qos,
            packet_id,
            properties,
        } => {
            let mut built = v5::PublishProperties::default();
            match properties {
                MessageProperties::None => {}
                MessageProperties::TopicAlias(alias) => built.topic_alias = Some(*alias),
                MessageProperties::Usual {
                    expiry,
                    content_type,
                    user_property: (name, value),
                } => {
                    built.message_expiry_interval = Some(*expiry);
                    built.content_type = Some(content_type.as_str().into());
                    built.user_properties.push(v5::UserProperty {
                        name: name.as_str().into(),
                        value: value.as_str().into(),
                    });
                }
            }
            Packet::Publish(v5::Publish {
                dup: false,
                retain: false,
                qos_pid: qos_pid(*qos, *packet_id),
                topic_name: topic(name),
                payload: Bytes::copy_from_slice(payload),
                properties: built,
            })
        }
        Fields5::PubAck {
            packet_id,
            reason_code,
        } => {
            let code = match reason_code {
                0 => v5::PubackReasonCode::Success,
                _ => v5::PubackReasonCode::NoMatchingSubscribers,
            };
            Packet::Puback(v5::Puback::new(pid(*packet_id), code))
        }
        Fields5::PingReq => Packet::Pingreq,
        Fields5::Subscribe {
            packet_id,
            identifier,
            filters,
        } => {
            let filters = filters.iter().map(|(text, number)| {
                let mut options = v5::SubscriptionOptions::new(qos(number & 3));
                options.no_local = number & 4 != 0;
                options.retain_as_published = number & 8 != 0;
                options.retain_handling = v5::RetainHandling::from_u8(number >> 4).unwrap();
                (filter(text), options)
            });
            let mut subscribe = v5::Subscribe::new(pid(*packet_id), filters.collect());
            subscribe.properties.subscription_id = Some((*identifier).try_into().unwrap());
            Packet::Subscribe(subscribe)
        }
        Fields5::SubAck {
            packet_id,
            reason_codes,
        } => {
            let codes = reason_codes.iter();
            let codes = codes.map(|code| v5::SubscribeReasonCode::from_u8(*code).unwrap());
            Packet::Suback(v5::Suback::new(pid(*packet_id), codes.collect()))
        }
        Fields5::Connect {
            client_id,
            keep_alive,
            session_expiry,
            receive_maximum,
            will_delay,
            will_topic,
            will_payload,
            user_name,
            password,
        } => Packet::Connect(v5::Connect {
            protocol: Protocol::V500,
            clean_start: true,
            keep_alive: *keep_alive,
            properties: v5::ConnectProperties {
                session_expiry_interval: Some(*session_expiry),
                receive_max: Some(*receive_maximum),
                ..Default::default()
            },
            client_id: client_id.as_str().into(),
            last_will: Some(v5::LastWill {
                qos: QoS::Level1,
                retain: true,
                topic_name: topic(will_topic),
                payload: Bytes::copy_from_slice(will_payload),
                properties: v5::WillProperties {
                    delay_interval: Some(*will_delay),
                    ..Default::default()
                },
            }),
            username: Some(user_name.as_str().into()),
            password: Some(Bytes::copy_from_slice(password.as_bytes())),
        }),
        Fields5::ConnAck {
            session_expiry,
            receive_maximum,
            maximum_packet_size,
            assigned_client_id,
            topic_alias_maximum,
            server_keep_alive,
        } => {
            let mut connack = v5::Connack::new(false, v5::ConnectReasonCode::Success);
            connack.properties = v5::ConnackProperties {
                session_expiry_interval: Some(*session_expiry),
                receive_max: Some(*receive_maximum),
                max_packet_size: Some(*maximum_packet_size),
                assigned_client_id: Some(assigned_client_id.as_str().into()),
                topic_alias_max: Some(*topic_alias_maximum),
                server_keep_alive: Some(*server_keep_alive),
                ..Default::default()
            };
            Packet::Connack(connack)
        }
    }
}
