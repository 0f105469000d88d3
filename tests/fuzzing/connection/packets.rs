//! What the peer sends: packets that mostly mean something to the connection, and some that do not.

use arbitrary::Unstructured;
use mqtt_sansio::v3::{
    ConnAck, Connect, ConnectRefusal, Delivery, EncodedConnect, Packet, ProtocolLevel, PubAck,
    PubComp, PubRec, PubRel, Publish, ReturnCode, ReturnCodes, SubAck, Subscribe, Subscription,
    Subscriptions, TopicFilters, UnsubAck, Unsubscribe, Will,
};
use mqtt_sansio::{PacketId, QoS, Text, TopicFilter, TopicName};

use super::model::Model;
use crate::fuzzing::input::{bit, byte};

pub(super) fn qos(number: usize) -> QoS {
    match number % 3 {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// A few identifiers, so that they meet again; now and then any.
pub(super) fn id(u: &mut Unstructured<'_>) -> PacketId {
    let number = match byte(u) {
        number @ 0..200 => number % 9,
        200..230 => 65_535,
        _ => u.arbitrary::<u16>().unwrap_or_default().into(),
    };
    let number = u16::try_from(number).unwrap_or_default();
    PacketId::new(number).unwrap_or(PacketId::MIN)
}

/// One that is under way to the peer, if there is any.
pub(super) fn id_in_use(u: &mut Unstructured<'_>, model: &Model) -> PacketId {
    let at = byte(u);
    let in_use = model.outbound.iter().map(|message| message.id);
    let in_use: Vec<_> = in_use.chain(model.requests.keys().copied()).collect();
    match in_use.get(at % in_use.len().max(1)) {
        Some(id) if at < 224 => *id,
        _ => id(u),
    }
}

pub(super) fn topic(number: usize) -> TopicName<&'static [u8]> {
    let name: &[u8] = match number % 3 {
        0 => b"a",
        1 => b"b/c",
        _ => b"long/topic/name/of/several/levels",
    };
    TopicName::from_bytes(name).expect("a Topic Name")
}

fn filters(u: &mut Unstructured<'_>) -> Vec<TopicFilter<&'static [u8]>> {
    let filters = ["#", "b/+", "c"];
    let filters = filters[..1 + byte(u) % 3].iter();
    filters
        .map(|filter| TopicFilter::new(*filter).expect("a Topic Filter"))
        .collect()
}

pub(super) fn subscriptions(u: &mut Unstructured<'_>) -> Subscriptions<Vec<u8>> {
    let filters = filters(u);
    let subscriptions = filters.iter().map(|topic_filter| Subscription {
        topic_filter: *topic_filter,
        qos: QoS::ExactlyOnce,
    });
    Subscriptions::encode_to_vec(subscriptions).expect("a list")
}

pub(super) fn topic_filters(u: &mut Unstructured<'_>) -> TopicFilters<Vec<u8>> {
    TopicFilters::encode_to_vec(filters(u)).expect("a list")
}

pub(super) fn return_codes(count: usize) -> ReturnCodes<Vec<u8>> {
    let codes = (0..count).map(|at| match at % 2 {
        0 => ReturnCode::Success(QoS::ExactlyOnce),
        _ => ReturnCode::Failure,
    });
    ReturnCodes::encode_to_vec(codes).expect("a list")
}

pub(super) fn connect(u: &mut Unstructured<'_>) -> Connect<Vec<u8>> {
    let flags = byte(u);
    let mut connect = Connect::new(Text::from_bytes(b"fuzz".to_vec()).expect("a text"));
    connect.clean_session = flags & 3 == 0;
    connect.keep_alive = [0, 1, 5, 60][flags >> 2 & 3];
    if flags & 16 != 0 {
        connect.will = Some(Will {
            topic: topic(0).map(<[u8]>::to_vec),
            message: b"gone".to_vec(),
            qos: QoS::AtMostOnce,
            retain: false,
        });
    }
    if flags & 0xe0 == 0xe0 {
        connect.protocol_level = ProtocolLevel::V3_1;
    }
    connect
}

/// As it is in a packet.
pub(super) fn encoded(connect: &Connect<Vec<u8>>) -> EncodedConnect<Vec<u8>> {
    EncodedConnect::encode_to_vec(connect).expect("a CONNECT that may be sent")
}

pub(super) fn refusal(number: usize) -> ConnectRefusal {
    let code = u8::try_from(number % 5 + 1).unwrap_or(1);
    ConnectRefusal::from_return_code(code).expect("1 to 5")
}

fn connack(u: &mut Unstructured<'_>) -> ConnAck {
    match byte(u) {
        number @ 0..20 => ConnAck::Refused(refusal(number)),
        number => ConnAck::Accepted {
            session_present: number % 2 == 0,
        },
    }
}

fn publish(u: &mut Unstructured<'_>) -> Publish<Vec<u8>> {
    let kind = byte(u);
    let packet_id = id(u);
    Publish {
        delivery: Delivery::new(qos(kind), packet_id, kind & 64 != 0),
        retain: kind & 128 != 0,
        topic: topic(kind >> 3).map(<[u8]>::to_vec),
        payload: vec![0xaa; byte(u)],
    }
}

/// Any packet, with more weight on those that carry messages.
pub(super) fn packet(u: &mut Unstructured<'_>, model: &Model) -> Packet<Vec<u8>> {
    match byte(u) % 28 {
        0..8 => Packet::Publish(publish(u)),
        8..10 => Packet::PubAck(PubAck {
            packet_id: id_in_use(u, model),
        }),
        10..13 => Packet::PubRec(PubRec {
            packet_id: id_in_use(u, model),
        }),
        13..16 => Packet::PubRel(PubRel { packet_id: id(u) }),
        16..19 => Packet::PubComp(PubComp {
            packet_id: id_in_use(u, model),
        }),
        19 => Packet::Connect(encoded(&connect(u))),
        20 => Packet::ConnAck(connack(u)),
        21 => Packet::Subscribe(Subscribe {
            packet_id: id(u),
            subscriptions: subscriptions(u),
        }),
        22 => Packet::SubAck(SubAck {
            packet_id: id_in_use(u, model),
            return_codes: return_codes(1 + byte(u) % 3),
        }),
        23 => Packet::Unsubscribe(Unsubscribe {
            packet_id: id(u),
            topic_filters: topic_filters(u),
        }),
        24 => Packet::UnsubAck(UnsubAck {
            packet_id: id_in_use(u, model),
        }),
        25 => Packet::PingReq,
        26 => Packet::PingResp,
        _ if bit(u) => Packet::PingReq,
        _ => Packet::Disconnect,
    }
}
