//! mqtt5-protocol: packets of MQTT 5. Its crate `mqtt5` splits streams into packets, in its own I/O.

use std::rc::Rc;
use std::time::Duration;

use ::mqtt5_protocol::packet::MqttPacket as _;
use ::mqtt5_protocol::packet::connack::ConnAckPacket;
use ::mqtt5_protocol::packet::connect::ConnectPacket;
use ::mqtt5_protocol::packet::pingreq::PingReqPacket;
use ::mqtt5_protocol::packet::puback::PubAckPacket;
use ::mqtt5_protocol::packet::publish::PublishPacket;
use ::mqtt5_protocol::packet::suback::{SubAckPacket, SubAckReasonCode};
use ::mqtt5_protocol::packet::subscribe::{
    RetainHandling, SubscribePacket, SubscriptionOptions, TopicFilter,
};
use ::mqtt5_protocol::types::{ConnectOptions, WillMessage};
use ::mqtt5_protocol::{
    FixedHeader, Packet, Properties, PropertyId, PropertyValue, QoS, ReasonCode,
};
use bytes::Bytes;

use crate::job::{From, Peer, Work, Writer, decoding, writing};
use crate::workload::Seen;
use crate::workload::v5::{Fields, MessageProperties};

fn read(input: &mut Bytes) -> Packet {
    let header = FixedHeader::decode(input).unwrap();
    let mut body = input.split_to(header.remaining_length as usize);
    Packet::decode_from_body(header.packet_type, &header, &mut body).unwrap()
}

fn see_properties(properties: &Properties, seen: &mut Seen) {
    for (id, value) in properties.iter() {
        match (id, value) {
            // A property that the workloads do not have.
            (PropertyId::RequestProblemInformation, _) => {}
            (
                _,
                PropertyValue::FourByteInteger(number) | PropertyValue::VariableByteInteger(number),
            ) => {
                seen.long_number(*number);
            }
            (_, PropertyValue::TwoByteInteger(number)) => seen.number(*number),
            (_, PropertyValue::Utf8String(text)) => seen.bytes(text.as_bytes()),
            (_, PropertyValue::Utf8StringPair(name, value)) => {
                seen.bytes(name.as_bytes());
                seen.bytes(value.as_bytes());
            }
            (_, PropertyValue::Byte(_) | PropertyValue::BinaryData(_)) => {}
        }
    }
}

fn see(packet: &Packet, seen: &mut Seen) {
    match packet {
        Packet::Publish(publish) => {
            seen.publish(
                publish.topic_name.as_bytes(),
                &publish.payload,
                publish.qos as u8,
                publish.packet_id.unwrap_or(0),
            );
            see_properties(&publish.properties, seen);
        }
        Packet::PubAck(puback) => {
            seen.packet(puback.packet_id);
            seen.number(u16::from(u8::from(puback.reason_code)));
        }
        Packet::Subscribe(subscribe) => {
            seen.packet(subscribe.packet_id);
            see_properties(&subscribe.properties, seen);
            for filter in &subscribe.filters {
                seen.bytes(filter.filter.as_bytes());
                seen.number(filter.options.qos as u16);
            }
        }
        Packet::SubAck(suback) => {
            seen.packet(suback.packet_id);
            for code in &suback.reason_codes {
                seen.number(*code as u16);
            }
        }
        Packet::Connect(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive);
            see_properties(&connect.properties, seen);
            see_properties(&connect.will_properties, seen);
            seen.bytes(connect.client_id.as_bytes());
            if let Some(will) = &connect.will {
                seen.bytes(will.topic.as_bytes());
                seen.bytes(&will.payload);
            }
            seen.bytes(connect.username.as_ref().unwrap().as_bytes());
            seen.bytes(connect.password.as_ref().unwrap());
        }
        Packet::ConnAck(connack) => {
            seen.packet(0);
            see_properties(&connack.properties, seen);
        }
        _ => seen.packet(0),
    }
}

/// A packet that is to be encoded. [`Packet`] cannot be.
enum Built {
    Publish(PublishPacket),
    PubAck(PubAckPacket),
    PingReq,
    Subscribe(SubscribePacket),
    SubAck(SubAckPacket),
    Connect(Box<ConnectPacket>),
    ConnAck(ConnAckPacket),
}

fn encode(packet: &Built, out: &mut Vec<u8>) {
    match packet {
        // Without a buffer for the body, as `encode` has it.
        Built::Publish(publish) => {
            let len = publish.body_encoded_size() as u32;
            let header = FixedHeader::new(publish.packet_type(), publish.flags(), len);
            header.encode(out).unwrap();
            publish.encode_body_direct(out).unwrap();
        }
        Built::PubAck(puback) => puback.encode(out).unwrap(),
        Built::PingReq => out.extend_from_slice(&PingReqPacket::default().encode_complete()),
        Built::Subscribe(subscribe) => subscribe.encode(out).unwrap(),
        Built::SubAck(suback) => suback.encode(out).unwrap(),
        Built::Connect(connect) => connect.encode(out).unwrap(),
        Built::ConnAck(connack) => connack.encode(out).unwrap(),
    }
}

fn build(fields: &Fields) -> Built {
    match fields {
        Fields::Publish {
            topic,
            payload,
            qos,
            packet_id,
            properties,
        } => {
            let payload = Bytes::copy_from_slice(payload);
            let mut publish = PublishPacket::new(topic.as_str(), payload, QoS::from(*qos));
            publish.packet_id = (*qos > 0).then_some(*packet_id);
            Built::Publish(match properties {
                MessageProperties::None => publish,
                MessageProperties::TopicAlias(alias) => publish.with_topic_alias(*alias),
                MessageProperties::Usual {
                    expiry,
                    content_type,
                    user_property: (name, value),
                } => publish
                    .with_message_expiry_interval(*expiry)
                    .with_content_type(content_type.clone())
                    .with_user_property(name.clone(), value.clone()),
            })
        }
        Fields::PubAck {
            packet_id,
            reason_code,
        } => {
            let code = ReasonCode::from_u8(*reason_code).unwrap();
            Built::PubAck(PubAckPacket::new_with_reason(*packet_id, code))
        }
        Fields::PingReq => Built::PingReq,
        Fields::Subscribe {
            packet_id,
            identifier,
            filters,
        } => {
            let subscribe = SubscribePacket::new(*packet_id);
            let subscribe = subscribe.with_subscription_identifier(*identifier);
            Built::Subscribe(
                filters
                    .iter()
                    .fold(subscribe, |subscribe, (filter, number)| {
                        let options = SubscriptionOptions {
                            qos: QoS::from(number & 3),
                            no_local: number & 4 != 0,
                            retain_as_published: number & 8 != 0,
                            retain_handling: match number >> 4 {
                                0 => RetainHandling::SendAtSubscribe,
                                _ => RetainHandling::SendAtSubscribeIfNew,
                            },
                        };
                        let filter = TopicFilter::with_options(filter.as_str(), options);
                        subscribe.add_filter_with_options(filter)
                    }),
            )
        }
        Fields::SubAck {
            packet_id,
            reason_codes,
        } => {
            let codes = reason_codes.iter();
            let suback = SubAckPacket::new(*packet_id);
            Built::SubAck(codes.fold(suback, |suback, code| {
                suback.add_reason_code(SubAckReasonCode::from_u8(*code).unwrap())
            }))
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
        } => {
            let mut will = WillMessage::new(will_topic.as_str(), will_payload.as_slice());
            will.qos = QoS::AtLeastOnce;
            will.retain = true;
            will.properties.will_delay_interval = Some(*will_delay);
            let options = ConnectOptions::new(client_id.as_str())
                .with_keep_alive(Duration::from_secs(u64::from(*keep_alive)))
                .with_clean_start(true)
                .with_credentials(user_name.as_str(), password.as_bytes())
                .with_will(will)
                .with_session_expiry_interval(*session_expiry)
                .with_receive_maximum(*receive_maximum);
            Built::Connect(Box::new(ConnectPacket::new(options)))
        }
        Fields::ConnAck {
            session_expiry,
            receive_maximum,
            maximum_packet_size,
            assigned_client_id,
            topic_alias_maximum,
            server_keep_alive,
        } => Built::ConnAck(
            ConnAckPacket::new(false, ReasonCode::Success)
                .with_session_expiry_interval(*session_expiry)
                .with_receive_maximum(*receive_maximum)
                .with_maximum_packet_size(*maximum_packet_size)
                .with_assigned_client_id(assigned_client_id.clone())
                .with_topic_alias_maximum(*topic_alias_maximum)
                .with_server_keep_alive(*server_keep_alive),
        ),
    }
}

pub struct Mqtt5Protocol;

impl Peer<Fields> for Mqtt5Protocol {
    const NAME: &'static str = "mqtt5-protocol 0.16.2";

    fn decode(stream: Rc<[u8]>) -> Work {
        decoding(stream, Bytes::copy_from_slice, |input, seen| {
            while !input.is_empty() {
                see(&read(input), seen);
            }
        })
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        let writer = Writer {
            build,
            output: Vec::with_capacity,
            clear: Vec::clear,
            write: |packet: &mut Built, out: &mut Vec<u8>| encode(packet, out),
            read: |out: &mut Vec<u8>| out.clone(),
            consumes: false,
        };
        writing(packets, from, writer)
    }
}
