//! Converts fields to packets of this crate, and decoded packets to their summary.

use mqtt_sansio::v3::{
    Connect, Credentials, Delivery, EncodedConnect, Packet, PacketRef, PubAck, Publish, ReturnCode,
    ReturnCodes, SubAck, Subscribe, Subscription, Subscriptions, Will,
};
use mqtt_sansio::{Encode, Options, Output, PacketId, QoS, Text, TopicFilter, TopicName};

use super::version::PacketFields;
use super::{Fields, Seen};

/// No limit except that of the standard.
pub const UNLIMITED: Options = Options::new().max_packet_size(u32::MAX);

#[inline(always)]
pub fn see(packet: &PacketRef<'_>, seen: &mut Seen) {
    match packet {
        Packet::Publish(publish) => seen.publish(
            publish.topic.as_bytes(),
            publish.payload,
            publish.delivery.qos().number(),
            publish.delivery.packet_id().map_or(0, PacketId::get),
        ),
        Packet::PubAck(puback) => seen.packet(puback.packet_id.get()),
        Packet::PingReq => seen.packet(0),
        Packet::Subscribe(subscribe) => {
            seen.packet(subscribe.packet_id.get());
            for entry in &subscribe.subscriptions {
                seen.bytes(entry.topic_filter.as_bytes());
                seen.number(u16::from(entry.qos.number()));
            }
        }
        Packet::SubAck(suback) => {
            seen.packet(suback.packet_id.get());
            for code in &suback.return_codes {
                seen.number(u16::from(code.number()));
            }
        }
        Packet::Connect(connect) => {
            let connect = connect.to_connect();
            seen.packet(0);
            seen.number(connect.keep_alive);
            seen.bytes(connect.client_id.as_bytes());
            if let Some(will) = &connect.will {
                seen.bytes(will.topic.as_bytes());
                seen.bytes(will.message);
            }
            if let Some(credentials) = &connect.credentials {
                seen.bytes(credentials.user_name.as_bytes());
                seen.bytes(credentials.password.unwrap_or_default());
            }
        }
        _ => seen.packet(0),
    }
}

/// A packet that borrows its fields, except those that hold encoded lists.
#[derive(Debug)]
pub enum Built<'a> {
    Whole(PacketRef<'a>),
    Connect(EncodedConnect<Vec<u8>>),
    Subscribe(Subscribe<Vec<u8>>),
    SubAck(SubAck<Vec<u8>>),
}

impl Built<'_> {
    #[inline]
    pub fn encode<O: Output>(&self, out: &mut O) {
        match self {
            Self::Whole(packet) => packet.encode(out),
            Self::Connect(connect) => connect.encode(out),
            Self::Subscribe(subscribe) => subscribe.encode(out),
            Self::SubAck(suback) => suback.encode(out),
        }
        .unwrap();
    }
}

#[inline]
fn qos(number: u8) -> QoS {
    QoS::from_number(number).unwrap()
}

#[inline]
fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

/// Makes a PUBLISH from its fields, with all checks that an application's call has.
#[inline]
pub fn publish<'a>(
    topic: &'a str,
    payload: &'a [u8],
    qos: u8,
    packet_id: u16,
) -> Publish<&'a [u8]> {
    Publish {
        delivery: match qos {
            0 => Delivery::AtMostOnce,
            1 => Delivery::AtLeastOnce {
                packet_id: id(packet_id),
                dup: false,
            },
            _ => Delivery::ExactlyOnce {
                packet_id: id(packet_id),
                dup: false,
            },
        },
        retain: false,
        topic: TopicName::new(topic).unwrap(),
        payload,
    }
}

#[inline]
pub fn build(fields: &Fields) -> Built<'_> {
    Built::Whole(match fields {
        Fields::Publish {
            topic,
            payload,
            qos,
            packet_id,
        } => Packet::Publish(publish(topic, payload, *qos, *packet_id)),
        Fields::PubAck { packet_id } => Packet::PubAck(PubAck {
            packet_id: id(*packet_id),
        }),
        Fields::PingReq => Packet::PingReq,
        Fields::Subscribe { packet_id, filters } => {
            let subscriptions = filters.iter().map(|(filter, number)| Subscription {
                topic_filter: TopicFilter::new(filter).unwrap(),
                qos: qos(*number),
            });
            return Built::Subscribe(Subscribe {
                packet_id: id(*packet_id),
                subscriptions: Subscriptions::encode_to_vec(subscriptions).unwrap(),
            });
        }
        Fields::SubAck {
            packet_id,
            return_codes,
        } => {
            let codes = return_codes
                .iter()
                .map(|&code| ReturnCode::from_number(code).unwrap());
            return Built::SubAck(SubAck {
                packet_id: id(*packet_id),
                return_codes: ReturnCodes::encode_to_vec(codes).unwrap(),
            });
        }
        Fields::Connect {
            client_id,
            keep_alive,
            will_topic,
            will_message,
            user_name,
            password,
        } => {
            let connect = Connect {
                keep_alive: *keep_alive,
                will: Some(Will {
                    topic: TopicName::new(will_topic).unwrap(),
                    message: will_message,
                    qos: QoS::AtLeastOnce,
                    retain: true,
                }),
                credentials: Some(Credentials {
                    user_name: Text::new(user_name).unwrap(),
                    password: Some(password.as_bytes()),
                }),
                ..Connect::new(Text::new(client_id).unwrap())
            };
            return Built::Connect(EncodedConnect::encode_to_vec(&connect).unwrap());
        }
    })
}

/// Returns the encoded packets.
pub fn stream<F: PacketFields>(packets: &[F]) -> Vec<u8> {
    let mut stream = Vec::new();
    for packet in packets {
        F::encode(&packet.build(), &mut stream);
    }
    stream
}
