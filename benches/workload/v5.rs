//! The packets of MQTT 5: their fields, how they are built, and their summary.

use core::num::{NonZeroU16, NonZeroU32};

use mqtt_sansio::v5::{
    self, ConnAck, ConnAckProperties, Connect, ConnectProperties, ConnectReasonCode, Delivery,
    Packet, PacketRef, Property, PubAck, PubAckReasonCode, Publish, PublishProperties,
    RetainHandling, SubAck, Subscribe, SubscribeProperties, SubscribeReasonCode,
    SubscribeReasonCodes, Subscription, Subscriptions, V5, Will, WillProperties,
};
use mqtt_sansio::{Encode, Options, Output, PacketId, QoS, Text, TopicFilter, TopicName};

use super::version::PacketFields;
use super::{Seen, bytes, topic};

/// The fields of a packet. See [`super::Fields`].
#[derive(Debug, Clone)]
pub enum Fields {
    Publish {
        /// Empty if a Topic Alias replaces it.
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        packet_id: u16,
        properties: MessageProperties,
    },
    PubAck {
        packet_id: u16,
        /// 0x00, or 0x10: no matching subscribers.
        reason_code: u8,
    },
    PingReq,
    Subscribe {
        packet_id: u16,
        identifier: u32,
        /// Topic Filters with Subscription Options.
        filters: Vec<(String, u8)>,
    },
    SubAck {
        packet_id: u16,
        reason_codes: Vec<u8>,
    },
    /// With Clean Start, a retained Will at QoS 1, User Name and Password.
    Connect {
        client_id: String,
        keep_alive: u16,
        session_expiry: u32,
        receive_maximum: u16,
        will_delay: u32,
        will_topic: String,
        will_payload: Vec<u8>,
        user_name: String,
        password: String,
    },
    /// Without an earlier session, accepted.
    ConnAck {
        session_expiry: u32,
        receive_maximum: u16,
        maximum_packet_size: u32,
        assigned_client_id: String,
        topic_alias_maximum: u16,
        server_keep_alive: u16,
    },
}

#[derive(Debug, Clone)]
pub enum MessageProperties {
    None,
    TopicAlias(u16),
    /// Message Expiry Interval, Content Type and one User Property.
    Usual {
        expiry: u32,
        content_type: String,
        user_property: (String, String),
    },
}

impl Seen {
    /// A number of four bytes.
    #[inline(always)]
    pub fn long_number(&mut self, number: u32) {
        self.numbers += u64::from(number) << 16;
    }
}

/// A: PUBLISH at QoS 0, 24 bytes of topic, 16 of payload, no properties.
pub fn small(count: usize) -> Vec<Fields> {
    let random = &mut fastrand::Rng::with_seed(1);
    (0..count).map(|_| small_publish(random)).collect()
}

/// B: PUBLISH at QoS 1, 24 bytes of topic, 64 of payload, with Message Expiry Interval, Content Type
/// of 16 bytes and a User Property of 8 and 16.
pub fn with_properties(count: usize) -> Vec<Fields> {
    let random = &mut fastrand::Rng::with_seed(2);
    (0..count)
        .map(|_| publish_with_properties(random))
        .collect()
}

/// C: PUBLISH at QoS 1 by Topic Alias only, 64 bytes of payload.
pub fn aliased(count: usize) -> Vec<Fields> {
    let random = &mut fastrand::Rng::with_seed(3);
    (0..count)
        .map(|_| Fields::Publish {
            topic: String::new(),
            payload: bytes(random, 64),
            qos: 1,
            packet_id: random.u16(1..),
            properties: MessageProperties::TopicAlias(random.u16(1..=16)),
        })
        .collect()
}

/// D: the traffic of a broker. 40 % B, 10 % A, 40 % PUBACK, of which half have 0x10, and 2 % each
/// of PINGREQ, SUBSCRIBE, SUBACK, CONNECT and CONNACK.
pub fn mix(count: usize) -> Vec<Fields> {
    let random = &mut fastrand::Rng::with_seed(4);
    (0..count)
        .map(|_| match random.u32(0..100) {
            0..40 => publish_with_properties(random),
            40..50 => small_publish(random),
            choice @ 50..90 => Fields::PubAck {
                packet_id: random.u16(1..),
                reason_code: if choice < 70 { 0 } else { 0x10 },
            },
            90..92 => Fields::PingReq,
            92..94 => Fields::Subscribe {
                packet_id: random.u16(1..),
                identifier: random.u32(1..1000),
                filters: vec![
                    // No Local, Retain As Published, Retain Handling 1.
                    (format!("sensors/+/temp/{}", random.u32(10..100)), 0x1d),
                    (format!("sensors/site-{:03}/#", random.u32(0..1000)), 0),
                ],
            },
            94..96 => Fields::SubAck {
                packet_id: random.u16(1..),
                reason_codes: vec![1, 0],
            },
            96..98 => Fields::Connect {
                client_id: format!("device-{:08x}", random.u32(..)),
                keep_alive: 60,
                session_expiry: 3600,
                receive_maximum: random.u16(10..100),
                will_delay: random.u32(5..60),
                will_topic: format!("status/device/{:03}", random.u32(0..1000)),
                will_payload: b"offline".to_vec(),
                user_name: format!("user-{:03}", random.u32(0..1000)),
                password: format!("secret-{:08x}", random.u32(..)),
            },
            _ => Fields::ConnAck {
                session_expiry: 3600,
                receive_maximum: random.u16(10..100),
                maximum_packet_size: 1024 * 1024,
                assigned_client_id: format!("device-{:08x}", random.u32(..)),
                topic_alias_maximum: 16,
                server_keep_alive: 120,
            },
        })
        .collect()
}

fn small_publish(random: &mut fastrand::Rng) -> Fields {
    Fields::Publish {
        topic: topic(random),
        payload: bytes(random, 16),
        qos: 0,
        packet_id: 0,
        properties: MessageProperties::None,
    }
}

fn publish_with_properties(random: &mut fastrand::Rng) -> Fields {
    Fields::Publish {
        topic: topic(random),
        payload: bytes(random, 64),
        qos: 1,
        packet_id: random.u16(1..),
        properties: usual_properties(random.u32(60..3600), random.u32(..)),
    }
}

/// The properties of B.
pub fn usual_properties(expiry: u32, trace: u32) -> MessageProperties {
    MessageProperties::Usual {
        expiry,
        content_type: "application/json".to_owned(),
        user_property: ("trace-id".to_owned(), format!("{trace:016x}")),
    }
}

impl MessageProperties {
    pub fn build(&self) -> PublishProperties<Vec<u8>> {
        let list: &[Property<'_>] = match self {
            Self::None => &[],
            Self::TopicAlias(alias) => &[Property::TopicAlias(NonZeroU16::new(*alias).unwrap())],
            Self::Usual {
                expiry,
                content_type,
                user_property: (name, value),
            } => &[
                Property::MessageExpiryInterval(*expiry),
                Property::ContentType(text(content_type)),
                Property::UserProperty {
                    name: text(name),
                    value: text(value),
                },
            ],
        };
        PublishProperties::encode_to_vec(list).unwrap()
    }
}

fn text(text: &str) -> Text<&[u8]> {
    Text::new(text).unwrap()
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn connect_to_packet(connect: &Connect<&[u8]>) -> Packet<Vec<u8>> {
    Packet::Connect(v5::EncodedConnect::encode_to_vec(connect).unwrap())
}

fn subscription(filter: &str, options: u8) -> Subscription<&[u8]> {
    Subscription {
        topic_filter: TopicFilter::new(filter).unwrap(),
        qos: QoS::from_number(options & 3).unwrap(),
        no_local: options & 4 != 0,
        retain_as_published: options & 8 != 0,
        retain_handling: RetainHandling::from_number(options >> 4).unwrap(),
    }
}

impl PacketFields for Fields {
    type Version = V5;
    type Built<'a> = Packet<Vec<u8>>;

    fn see(&self, seen: &mut Seen) {
        match self {
            Self::Publish {
                topic,
                payload,
                qos,
                packet_id,
                properties,
            } => {
                seen.publish(topic.as_bytes(), payload, *qos, *packet_id);
                match properties {
                    MessageProperties::None => {}
                    MessageProperties::TopicAlias(alias) => seen.number(*alias),
                    MessageProperties::Usual {
                        expiry,
                        content_type,
                        user_property: (name, value),
                    } => {
                        seen.long_number(*expiry);
                        for text in [content_type, name, value] {
                            seen.bytes(text.as_bytes());
                        }
                    }
                }
            }
            Self::PubAck {
                packet_id,
                reason_code,
            } => {
                seen.packet(*packet_id);
                seen.number(u16::from(*reason_code));
            }
            Self::PingReq => seen.packet(0),
            Self::Subscribe {
                packet_id,
                identifier,
                filters,
            } => {
                seen.packet(*packet_id);
                seen.long_number(*identifier);
                for (filter, options) in filters {
                    seen.bytes(filter.as_bytes());
                    seen.number(u16::from(options & 3));
                }
            }
            Self::SubAck {
                packet_id,
                reason_codes,
            } => {
                seen.packet(*packet_id);
                for code in reason_codes {
                    seen.number(u16::from(*code));
                }
            }
            Self::Connect {
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
                seen.packet(0);
                seen.number(*keep_alive);
                seen.number(*receive_maximum);
                seen.long_number(*session_expiry);
                seen.long_number(*will_delay);
                for text in [client_id, will_topic, user_name, password] {
                    seen.bytes(text.as_bytes());
                }
                seen.bytes(will_payload);
            }
            Self::ConnAck {
                session_expiry,
                receive_maximum,
                maximum_packet_size,
                assigned_client_id,
                topic_alias_maximum,
                server_keep_alive,
            } => {
                seen.packet(0);
                seen.long_number(*session_expiry);
                seen.long_number(*maximum_packet_size);
                for number in [receive_maximum, topic_alias_maximum, server_keep_alive] {
                    seen.number(*number);
                }
                seen.bytes(assigned_client_id.as_bytes());
            }
        }
    }

    fn build(&self) -> Packet<Vec<u8>> {
        match self {
            Self::Publish {
                topic,
                payload,
                qos,
                packet_id,
                properties,
            } => {
                let (retain, payload) = (false, &payload[..]);
                let delivery = match qos {
                    0 => Delivery::AtMostOnce,
                    qos => Delivery::new(QoS::from_number(*qos).unwrap(), id(*packet_id), false),
                };
                let properties = properties.build();
                let properties = properties.as_ref();
                let publish = if topic.is_empty() {
                    Publish::aliased(delivery, retain, properties, payload)
                } else {
                    Publish {
                        delivery,
                        retain,
                        topic: TopicName::new(topic).unwrap(),
                        properties,
                        payload,
                    }
                };
                Packet::Publish(publish.to_owned())
            }
            Self::PubAck {
                packet_id,
                reason_code,
            } => {
                let mut puback = PubAck::new(id(*packet_id));
                puback.reason_code = PubAckReasonCode::from_number(*reason_code).unwrap();
                Packet::PubAck(puback.map(<[u8]>::to_vec))
            }
            Self::PingReq => Packet::PingReq,
            Self::Subscribe {
                packet_id,
                identifier,
                filters,
            } => {
                let identifier =
                    Property::SubscriptionIdentifier((*identifier).try_into().unwrap());
                let subscriptions = filters
                    .iter()
                    .map(|(filter, options)| subscription(filter, *options));
                Packet::Subscribe(Subscribe {
                    packet_id: id(*packet_id),
                    properties: SubscribeProperties::encode_to_vec([identifier]).unwrap(),
                    subscriptions: Subscriptions::encode_to_vec(subscriptions).unwrap(),
                })
            }
            Self::SubAck {
                packet_id,
                reason_codes,
            } => {
                let codes = reason_codes.iter();
                let codes = codes.map(|&code| SubscribeReasonCode::from_number(code).unwrap());
                Packet::SubAck(SubAck {
                    packet_id: id(*packet_id),
                    properties: Default::default(),
                    reason_codes: SubscribeReasonCodes::encode_to_vec(codes).unwrap(),
                })
            }
            Self::Connect {
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
                let properties = ConnectProperties::encode_to_vec([
                    Property::SessionExpiryInterval(*session_expiry),
                    Property::ReceiveMaximum(NonZeroU16::new(*receive_maximum).unwrap()),
                ]);
                let delay = [Property::WillDelayInterval(*will_delay)];
                let delay = WillProperties::encode_to_vec(delay).unwrap();
                let will = Will {
                    properties: delay.as_ref(),
                    topic: TopicName::new(will_topic).unwrap(),
                    payload: &will_payload[..],
                    qos: QoS::AtLeastOnce,
                    retain: true,
                };
                connect_to_packet(
                    &Connect::new(text(client_id))
                        .keep_alive(*keep_alive)
                        .properties(properties.unwrap().as_ref())
                        .will(will)
                        .credentials(text(user_name), password.as_bytes()),
                )
            }
            Self::ConnAck {
                session_expiry,
                receive_maximum,
                maximum_packet_size,
                assigned_client_id,
                topic_alias_maximum,
                server_keep_alive,
            } => {
                let properties = ConnAckProperties::encode_to_vec([
                    Property::SessionExpiryInterval(*session_expiry),
                    Property::ReceiveMaximum(NonZeroU16::new(*receive_maximum).unwrap()),
                    Property::MaximumPacketSize(NonZeroU32::new(*maximum_packet_size).unwrap()),
                    Property::AssignedClientIdentifier(text(assigned_client_id)),
                    Property::TopicAliasMaximum(*topic_alias_maximum),
                    Property::ServerKeepAlive(*server_keep_alive),
                ]);
                Packet::ConnAck(ConnAck {
                    session_present: false,
                    reason_code: ConnectReasonCode::Success,
                    properties: properties.unwrap(),
                })
            }
        }
    }

    #[inline]
    fn encode<O: Output>(built: &Packet<Vec<u8>>, out: &mut O) {
        built.encode(out).unwrap();
    }

    #[inline]
    fn decode<'a>(
        src: &mut &'a [u8],
        options: &Options,
    ) -> Result<Option<PacketRef<'a>>, v5::DecodeError> {
        v5::decode(src, options)
    }

    #[inline(always)]
    fn see_packet(packet: &PacketRef<'_>, seen: &mut Seen) {
        see(packet, seen);
    }
}

/// Every property that a packet has.
#[inline(always)]
fn see_properties<K>(properties: &v5::Properties<&[u8], K>, seen: &mut Seen) {
    for property in properties {
        match property {
            Property::MessageExpiryInterval(number)
            | Property::SessionExpiryInterval(number)
            | Property::WillDelayInterval(number) => seen.long_number(number),
            Property::MaximumPacketSize(number) => seen.long_number(number.get()),
            Property::SubscriptionIdentifier(number) => seen.long_number(number.get()),
            Property::TopicAliasMaximum(number) | Property::ServerKeepAlive(number) => {
                seen.number(number);
            }
            Property::ReceiveMaximum(number) | Property::TopicAlias(number) => {
                seen.number(number.get());
            }
            Property::ContentType(text) | Property::AssignedClientIdentifier(text) => {
                seen.bytes(text.as_bytes());
            }
            Property::UserProperty { name, value } => {
                seen.bytes(name.as_bytes());
                seen.bytes(value.as_bytes());
            }
            _ => {}
        }
    }
}

#[inline(always)]
pub fn see(packet: &PacketRef<'_>, seen: &mut Seen) {
    match packet {
        Packet::Publish(publish) => {
            seen.publish(
                publish.topic.as_bytes(),
                publish.payload,
                publish.delivery.qos().number(),
                publish.delivery.packet_id().map_or(0, PacketId::get),
            );
            see_properties(&publish.properties, seen);
        }
        Packet::PubAck(puback) => {
            seen.packet(puback.packet_id.get());
            seen.number(u16::from(puback.reason_code.number()));
        }
        Packet::PingReq => seen.packet(0),
        Packet::Subscribe(subscribe) => {
            seen.packet(subscribe.packet_id.get());
            see_properties(&subscribe.properties, seen);
            for entry in &subscribe.subscriptions {
                seen.bytes(entry.topic_filter.as_bytes());
                seen.number(u16::from(entry.qos.number()));
            }
        }
        Packet::SubAck(suback) => {
            seen.packet(suback.packet_id.get());
            for code in &suback.reason_codes {
                seen.number(u16::from(code.number()));
            }
        }
        Packet::Connect(connect) => {
            let connect = connect.to_connect();
            seen.packet(0);
            seen.number(connect.keep_alive);
            see_properties(&connect.properties, seen);
            seen.bytes(connect.client_id.as_bytes());
            if let Some(will) = &connect.will {
                see_properties(&will.properties, seen);
                seen.bytes(will.topic.as_bytes());
                seen.bytes(will.payload);
            }
            seen.bytes(
                connect
                    .user_name
                    .as_ref()
                    .map_or(&[], |name| name.as_bytes()),
            );
            seen.bytes(connect.password.unwrap_or_default());
        }
        Packet::ConnAck(connack) => {
            seen.packet(0);
            see_properties(&connack.properties, seen);
        }
        _ => seen.packet(0),
    }
}
