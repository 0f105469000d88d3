//! The packets of both versions in one shape. Fields that MQTT 3.1.1 lacks are 0 or empty.

use mqtt_sansio::any::{self, ProtocolVersion};
use mqtt_sansio::v3;
use mqtt_sansio::v5::{
    self, AckProperties, AckType, Acknowledgement, Auth, ConnAckProperties, DisconnectProperties,
    DisconnectReasonCode, Publish, PublishHeader, Subscribe, Unsubscribe,
};
use mqtt_sansio::{Encode, Options, PacketId, PacketType};

pub(in crate::fuzzing) type Connect = any::Connect<Vec<u8>>;

/// The fields of an acknowledgement except its Packet Identifier.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::fuzzing) struct Outcome {
    pub(in crate::fuzzing) code: u8,
    pub(in crate::fuzzing) properties: AckProperties<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::fuzzing) enum Packet {
    Connect(Connect),
    ConnAck {
        session_present: bool,
        /// The Reason Code, or the return code of MQTT 3.1.1.
        code: u8,
        properties: ConnAckProperties<Vec<u8>>,
    },
    Publish(Publish<Vec<u8>>),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack(PacketType, PacketId, Outcome),
    Subscribe(Subscribe<Vec<u8>>),
    SubAck {
        packet_id: PacketId,
        codes: Vec<u8>,
        properties: AckProperties<Vec<u8>>,
    },
    Unsubscribe(Unsubscribe<Vec<u8>>),
    UnsubAck {
        packet_id: PacketId,
        codes: Vec<u8>,
        properties: AckProperties<Vec<u8>>,
    },
    PingReq,
    PingResp,
    Disconnect {
        code: u8,
        properties: DisconnectProperties<Vec<u8>>,
    },
    Auth(Auth<Vec<u8>>),
}

impl Packet {
    pub(in crate::fuzzing) fn ack(packet_type: PacketType, packet_id: PacketId, code: u8) -> Self {
        let properties = AckProperties::default();
        Self::Ack(packet_type, packet_id, Outcome { code, properties })
    }

    /// CONNACK without properties.
    pub(in crate::fuzzing) fn connack(session_present: bool, code: u8) -> Self {
        Self::ConnAck {
            session_present,
            code,
            properties: ConnAckProperties::default(),
        }
    }

    /// DISCONNECT without properties.
    pub(in crate::fuzzing) fn disconnect(code: u8) -> Self {
        Self::Disconnect {
            code,
            properties: DisconnectProperties::default(),
        }
    }

    pub(in crate::fuzzing) const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck { .. } => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::Ack(packet_type, ..) => *packet_type,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck { .. } => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck { .. } => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect { .. } => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }

    /// Encodes the packet, without the fields that the version lacks.
    pub(in crate::fuzzing) fn encoded(&self, version: ProtocolVersion) -> Vec<u8> {
        if let Self::Connect(connect) = self {
            return match connect {
                any::Connect::V3(connect) => bytes(connect),
                any::Connect::V5(connect) => bytes(connect),
            };
        }
        match version {
            ProtocolVersion::V3 => bytes(&self.lowered()),
            ProtocolVersion::V5 => bytes(&self.to_v5()),
        }
    }

    fn lowered(&self) -> v3::Packet<Vec<u8>> {
        match self.clone() {
            Self::ConnAck {
                session_present,
                code,
                ..
            } => v3::Packet::ConnAck(match v3::ConnectRefusal::from_return_code(code) {
                Some(refusal) => v3::ConnAck::Refused(refusal),
                None => v3::ConnAck::Accepted { session_present },
            }),
            Self::Publish(publish) => v3::Packet::Publish(v3::Publish {
                delivery: publish.delivery,
                retain: publish.retain,
                topic: publish.topic,
                payload: publish.payload,
            }),
            Self::Ack(PacketType::PubAck, packet_id, _) => v3::PubAck { packet_id }.into(),
            Self::Ack(PacketType::PubRec, packet_id, _) => v3::PubRec { packet_id }.into(),
            Self::Ack(PacketType::PubRel, packet_id, _) => v3::PubRel { packet_id }.into(),
            Self::Ack(_, packet_id, _) => v3::PubComp { packet_id }.into(),
            Self::Subscribe(subscribe) => v3::Packet::Subscribe(v3::Subscribe {
                packet_id: subscribe.packet_id,
                subscriptions: lowered_subscriptions(&subscribe.subscriptions),
            }),
            Self::SubAck {
                packet_id, codes, ..
            } => v3::Packet::SubAck(v3::SubAck {
                packet_id,
                return_codes: return_codes(&codes),
            }),
            Self::Unsubscribe(unsubscribe) => v3::Packet::Unsubscribe(v3::Unsubscribe {
                packet_id: unsubscribe.packet_id,
                topic_filters: lowered_filters(&unsubscribe.topic_filters),
            }),
            Self::UnsubAck { packet_id, .. } => v3::UnsubAck { packet_id }.into(),
            Self::PingReq => v3::Packet::PingReq,
            Self::PingResp => v3::Packet::PingResp,
            // MQTT 3.1.1 has no AUTH. Its peers send another invalid packet.
            Self::Disconnect { .. } | Self::Auth(_) => v3::Packet::Disconnect,
            Self::Connect(_) => unreachable!("it is encoded already"),
        }
    }

    fn to_v5(&self) -> v5::Packet<Vec<u8>> {
        match self.clone() {
            Self::ConnAck {
                session_present,
                code,
                properties,
            } => v5::Packet::ConnAck(v5::ConnAck {
                session_present,
                reason_code: v5::ConnectReasonCode::try_from(code).expect("a code of CONNACK"),
                properties,
            }),
            Self::Publish(publish) => v5::Packet::Publish(publish),
            Self::Ack(PacketType::PubAck, id, outcome) => v5::Packet::PubAck(v5_ack(id, outcome)),
            Self::Ack(PacketType::PubRec, id, outcome) => v5::Packet::PubRec(v5_ack(id, outcome)),
            Self::Ack(PacketType::PubRel, id, outcome) => v5::Packet::PubRel(v5_ack(id, outcome)),
            Self::Ack(_, id, outcome) => v5::Packet::PubComp(v5_ack(id, outcome)),
            Self::Subscribe(subscribe) => v5::Packet::Subscribe(subscribe),
            Self::SubAck {
                packet_id,
                codes,
                properties,
            } => v5::Packet::SubAck(v5::SubAck {
                packet_id,
                properties,
                reason_codes: subscribe_codes(&codes),
            }),
            Self::Unsubscribe(unsubscribe) => v5::Packet::Unsubscribe(unsubscribe),
            Self::UnsubAck {
                packet_id,
                codes,
                properties,
            } => v5::Packet::UnsubAck(v5::UnsubAck {
                packet_id,
                properties,
                reason_codes: unsubscribe_codes(&codes),
            }),
            Self::PingReq => v5::Packet::PingReq,
            Self::PingResp => v5::Packet::PingResp,
            Self::Disconnect { code, properties } => v5::Packet::Disconnect(v5::Disconnect {
                reason_code: DisconnectReasonCode::try_from(code).expect("a code of DISCONNECT"),
                properties,
            }),
            Self::Auth(auth) => v5::Packet::Auth(auth),
            Self::Connect(_) => unreachable!("it is encoded already"),
        }
    }
}

fn bytes(packet: &impl Encode) -> Vec<u8> {
    packet
        .encode_to_vec()
        .expect("a packet that can be written")
}

fn v5_ack<K: AckType<ReasonCode: TryFrom<u8>>>(
    packet_id: PacketId,
    outcome: Outcome,
) -> Acknowledgement<Vec<u8>, K> {
    let reason_code = K::ReasonCode::try_from(outcome.code).ok();
    Acknowledgement {
        packet_id,
        reason_code: reason_code.expect("a code of the packet"),
        properties: outcome.properties,
    }
}

pub(in crate::fuzzing) fn lowered_subscriptions(
    subscriptions: &v5::Subscriptions<Vec<u8>>,
) -> v3::Subscriptions<Vec<u8>> {
    let entries = subscriptions.iter().map(|entry| v3::Subscription {
        topic_filter: entry.topic_filter,
        qos: entry.qos,
    });
    v3::Subscriptions::encode_to_vec(entries).expect("a list")
}

pub(in crate::fuzzing) fn lowered_filters(
    filters: &v5::TopicFilters<Vec<u8>>,
) -> v3::TopicFilters<Vec<u8>> {
    v3::TopicFilters::encode_to_vec(filters.iter()).expect("a list")
}

pub(in crate::fuzzing) fn return_codes(codes: &[u8]) -> v3::ReturnCodes<Vec<u8>> {
    let code = |code: &u8| v3::ReturnCode::from_number(*code);
    let codes = codes
        .iter()
        .map(|it| code(it).unwrap_or(v3::ReturnCode::Failure));
    v3::ReturnCodes::encode_to_vec(codes).expect("a list")
}

pub(in crate::fuzzing) fn subscribe_codes(codes: &[u8]) -> v5::SubscribeReasonCodes<Vec<u8>> {
    let code = |code: &u8| v5::SubscribeReasonCode::try_from(*code).expect("a code of SUBACK");
    v5::SubscribeReasonCodes::encode_to_vec(codes.iter().map(code)).expect("a list")
}

pub(in crate::fuzzing) fn unsubscribe_codes(codes: &[u8]) -> v5::UnsubscribeReasonCodes<Vec<u8>> {
    let code = |code: &u8| v5::UnsubscribeReasonCode::try_from(*code).expect("a code of UNSUBACK");
    v5::UnsubscribeReasonCodes::encode_to_vec(codes.iter().map(code)).expect("a list")
}

// Packets that a version decoded

impl From<v3::PacketRef<'_>> for Packet {
    fn from(packet: v3::PacketRef<'_>) -> Self {
        match packet {
            v3::Packet::Connect(connect) => Self::Connect(any::Connect::V3(connect.to_owned())),
            v3::Packet::ConnAck(connack) => {
                Self::connack(connack.session_present(), connack.return_code())
            }
            v3::Packet::Publish(publish) => Self::Publish(lifted_publish(publish)),
            v3::Packet::PubAck(ack) => Self::ack(PacketType::PubAck, ack.packet_id, 0),
            v3::Packet::PubRec(ack) => Self::ack(PacketType::PubRec, ack.packet_id, 0),
            v3::Packet::PubRel(ack) => Self::ack(PacketType::PubRel, ack.packet_id, 0),
            v3::Packet::PubComp(ack) => Self::ack(PacketType::PubComp, ack.packet_id, 0),
            v3::Packet::Subscribe(subscribe) => Self::Subscribe(lifted_subscribe(subscribe)),
            v3::Packet::SubAck(suback) => Self::SubAck {
                packet_id: suback.packet_id,
                codes: suback.return_codes.iter().map(|it| it.number()).collect(),
                properties: AckProperties::default(),
            },
            v3::Packet::Unsubscribe(unsubscribe) => {
                Self::Unsubscribe(lifted_unsubscribe(unsubscribe))
            }
            v3::Packet::UnsubAck(ack) => Self::UnsubAck {
                packet_id: ack.packet_id,
                codes: Vec::new(),
                properties: AckProperties::default(),
            },
            v3::Packet::PingReq => Self::PingReq,
            v3::Packet::PingResp => Self::PingResp,
            v3::Packet::Disconnect => Self::disconnect(0),
        }
    }
}

impl From<v5::PacketRef<'_>> for Packet {
    fn from(packet: v5::PacketRef<'_>) -> Self {
        match packet.to_owned() {
            v5::Packet::Connect(connect) => Self::Connect(any::Connect::V5(connect)),
            v5::Packet::ConnAck(connack) => Self::ConnAck {
                session_present: connack.session_present,
                code: connack.reason_code.number(),
                properties: connack.properties,
            },
            v5::Packet::Publish(publish) => Self::Publish(publish),
            v5::Packet::PubAck(ack) => lifted_ack(PacketType::PubAck, ack),
            v5::Packet::PubRec(ack) => lifted_ack(PacketType::PubRec, ack),
            v5::Packet::PubRel(ack) => lifted_ack(PacketType::PubRel, ack),
            v5::Packet::PubComp(ack) => lifted_ack(PacketType::PubComp, ack),
            v5::Packet::Subscribe(subscribe) => Self::Subscribe(subscribe),
            v5::Packet::SubAck(ack) => Self::SubAck {
                packet_id: ack.packet_id,
                codes: ack.reason_codes.iter().map(|it| it.number()).collect(),
                properties: ack.properties,
            },
            v5::Packet::Unsubscribe(unsubscribe) => Self::Unsubscribe(unsubscribe),
            v5::Packet::UnsubAck(ack) => Self::UnsubAck {
                packet_id: ack.packet_id,
                codes: ack.reason_codes.iter().map(|it| it.number()).collect(),
                properties: ack.properties,
            },
            v5::Packet::PingReq => Self::PingReq,
            v5::Packet::PingResp => Self::PingResp,
            v5::Packet::Disconnect(disconnect) => Self::Disconnect {
                code: disconnect.reason_code.number(),
                properties: disconnect.properties,
            },
            v5::Packet::Auth(auth) => Self::Auth(auth),
        }
    }
}

fn lifted_ack<K: AckType<ReasonCode: Into<v5::ReasonCode>>>(
    packet_type: PacketType,
    ack: Acknowledgement<Vec<u8>, K>,
) -> Packet {
    let outcome = Outcome {
        code: ack.reason_code.into().number(),
        properties: ack.properties,
    };
    Packet::Ack(packet_type, ack.packet_id, outcome)
}

pub(in crate::fuzzing) fn lifted_publish(publish: v3::Publish<&[u8]>) -> Publish<Vec<u8>> {
    Publish {
        delivery: publish.delivery,
        retain: publish.retain,
        topic: publish.topic.map(<[u8]>::to_vec),
        properties: v5::PublishProperties::default(),
        payload: publish.payload.to_vec(),
    }
}

pub(in crate::fuzzing) fn lifted_header(
    header: v3::PublishHeader<&[u8]>,
) -> PublishHeader<Vec<u8>> {
    PublishHeader {
        delivery: header.delivery,
        retain: header.retain,
        topic: header.topic.map(<[u8]>::to_vec),
        properties: v5::PublishProperties::default(),
        payload_len: header.payload_len,
    }
}

pub(in crate::fuzzing) fn lifted_subscribe(subscribe: v3::Subscribe<&[u8]>) -> Subscribe<Vec<u8>> {
    let entries = subscribe.subscriptions.as_bytes();
    match decoded(0x82, subscribe.packet_id, entries) {
        v5::Packet::Subscribe(subscribe) => subscribe,
        other => unreachable!("{other:?}"),
    }
}

pub(in crate::fuzzing) fn lifted_unsubscribe(
    unsubscribe: v3::Unsubscribe<&[u8]>,
) -> Unsubscribe<Vec<u8>> {
    let entries = unsubscribe.topic_filters.as_bytes();
    match decoded(0xa2, unsubscribe.packet_id, entries) {
        v5::Packet::Unsubscribe(unsubscribe) => unsubscribe,
        other => unreachable!("{other:?}"),
    }
}

/// Decodes a request with these entries and no properties. In MQTT 3.1.1 they may begin with `$share/`
/// and not be Shared Subscriptions of MQTT 5, for which no list can be built.
fn decoded(first_byte: u8, packet_id: PacketId, entries: &[u8]) -> v5::Packet<Vec<u8>> {
    let body = [&packet_id.get().to_be_bytes(), &[0][..], entries].concat();
    let mut packet = vec![first_byte];
    let mut rest = body.len();
    while rest > 0x7f {
        let [.., low] = rest.to_be_bytes();
        packet.push(0x80 | low);
        rest >>= 7;
    }
    let [.., low] = rest.to_be_bytes();
    packet.push(low);
    packet.extend(body);
    let options = Options::new()
        .max_packet_size(u32::MAX)
        .accept_invalid_shared_filters(true);
    let decoded = v5::decode(&mut &packet[..], &options).expect("a packet");
    decoded.expect("all of it").map(<[u8]>::to_vec)
}
