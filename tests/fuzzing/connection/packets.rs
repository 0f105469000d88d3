//! The packets of the peer: most are meaningful in the connection's state, some are not.

use arbitrary::Unstructured;
use mqtt_sansio::any::{self, ProtocolVersion};
use mqtt_sansio::v5::{
    self, AckProperties, Auth, AuthProperties, AuthReasonCode, ConnAckProperties,
    ConnectProperties, ConnectReasonCode, Delivery, DisconnectProperties, Property, Publish,
    PublishProperties, Subscribe, Subscription, Subscriptions, TopicFilters, Unsubscribe,
};
use mqtt_sansio::{PacketId, PacketType, QoS, Text, TopicFilter, TopicName, v3};

use super::model::{Model, Request};
use super::wire::{Connect, Outcome, Packet};
use crate::fuzzing::input::{bit, byte};

pub(super) fn qos(number: usize) -> QoS {
    match number % 3 {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// Returns one of few identifiers, so that they repeat; sometimes any.
pub(super) fn id(u: &mut Unstructured<'_>) -> PacketId {
    let number = match byte(u) {
        number @ 0..200 => number % 9,
        200..230 => 65_535,
        _ => u.arbitrary::<u16>().unwrap_or_default().into(),
    };
    let number = u16::try_from(number).unwrap_or_default();
    PacketId::new(number).unwrap_or(PacketId::MIN)
}

/// Returns an identifier in flight to the peer, if there is one.
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
    let subscriptions = filters
        .iter()
        .map(|filter| Subscription::new(*filter, QoS::ExactlyOnce));
    Subscriptions::encode_to_vec(subscriptions).expect("a list")
}

pub(super) fn topic_filters(u: &mut Unstructured<'_>) -> TopicFilters<Vec<u8>> {
    TopicFilters::encode_to_vec(filters(u)).expect("a list")
}

/// A code of SUBACK.
pub(super) fn codes(count: usize) -> Vec<u8> {
    (0..count).map(|at| [2, 0x80][at % 2]).collect()
}

/// A code of UNSUBACK.
pub(super) fn unsubscribe_codes(count: usize) -> Vec<u8> {
    (0..count).map(|at| [0, 0x11][at % 2]).collect()
}

/// Returns a value in some cases only.
fn one_of<T: Copy>(choice: usize, values: [Option<T>; 4]) -> Option<T> {
    values[choice & 3]
}

pub(super) fn connect(u: &mut Unstructured<'_>, version: ProtocolVersion) -> Connect {
    let flags = byte(u);
    let clean = flags & 3 == 0;
    let keep_alive = [0, 1, 5, 60][flags >> 2 & 3];
    let has_will = flags & 16 != 0;
    let is_v3_1 = flags & 0xe0 == 0xe0;
    match version {
        ProtocolVersion::V3 => any::Connect::V3(v3_connect(clean, keep_alive, has_will, is_v3_1)),
        ProtocolVersion::V5 => {
            let choice = byte(u);
            let expiry = one_of(choice, [Some(u32::MAX), Some(100), None, Some(u32::MAX)]);
            let maximum = one_of(choice >> 2, [None, None, Some(1), Some(2)]);
            let aliases = one_of(choice >> 4, [None, Some(1), Some(3), Some(5)]);
            let mut properties = limits(expiry, maximum, aliases);
            match choice >> 6 {
                2 => properties.push(Property::MaximumPacketSize(small(flags >> 2))),
                3 => properties.push(Property::RequestProblemInformation(false)),
                _ => {}
            }
            any::Connect::V5(v5_connect(clean, keep_alive, has_will, &properties))
        }
    }
}

/// The properties of a client whose session is kept.
pub(in crate::fuzzing) fn resuming(version: ProtocolVersion) -> Connect {
    match version {
        ProtocolVersion::V3 => any::Connect::V3(v3_connect(false, 0, false, false)),
        ProtocolVersion::V5 => {
            let properties = [Property::SessionExpiryInterval(u32::MAX)];
            any::Connect::V5(v5_connect(false, 0, false, &properties))
        }
    }
}

/// A Maximum Packet Size that some packets exceed, but no acknowledgement of a message does.
const fn small(choice: usize) -> std::num::NonZeroU32 {
    const SMALL: std::num::NonZeroU32 = std::num::NonZeroU32::new(40).unwrap();
    const SMALLER: std::num::NonZeroU32 = std::num::NonZeroU32::new(9).unwrap();
    if choice & 1 == 0 { SMALL } else { SMALLER }
}

/// Properties that CONNECT and CONNACK have in common.
fn limits(
    expiry: Option<u32>,
    receive_maximum: Option<u16>,
    aliases: Option<u16>,
) -> Vec<Property<'static>> {
    let maximum = receive_maximum.and_then(std::num::NonZeroU16::new);
    let mut properties = Vec::new();
    properties.extend(expiry.map(Property::SessionExpiryInterval));
    properties.extend(maximum.map(Property::ReceiveMaximum));
    properties.extend(aliases.map(Property::TopicAliasMaximum));
    properties
}

fn v3_connect(
    clean_session: bool,
    keep_alive: u16,
    has_will: bool,
    is_v3_1: bool,
) -> v3::EncodedConnect<Vec<u8>> {
    let mut connect = v3::Connect::new(Text::new("fuzz").expect("a text"));
    connect.clean_session = clean_session;
    connect.keep_alive = keep_alive;
    connect.will = has_will.then(|| v3::Will {
        topic: topic(0),
        message: b"gone",
        qos: QoS::AtMostOnce,
        retain: false,
    });
    if is_v3_1 {
        connect.protocol_level = v3::ProtocolLevel::V3_1;
    }
    v3::EncodedConnect::encode_to_vec(&connect).expect("a CONNECT that may be sent")
}

fn v5_connect(
    clean_start: bool,
    keep_alive: u16,
    has_will: bool,
    properties: &[Property<'_>],
) -> v5::EncodedConnect<Vec<u8>> {
    let properties = ConnectProperties::encode_to_vec(properties).expect("properties of CONNECT");
    let will = has_will.then(|| v5::Will {
        properties: v5::WillProperties::EMPTY,
        topic: topic(0),
        payload: &b"gone"[..],
        qos: QoS::AtMostOnce,
        retain: false,
    });
    let connect = v5::Connect {
        clean_start,
        keep_alive,
        properties: properties.as_ref(),
        client_id: Text::new("fuzz").expect("a text"),
        will,
        user_name: None,
        password: None,
    };
    v5::EncodedConnect::encode_to_vec(&connect).expect("a CONNECT that may be sent")
}

/// A Reason Code of CONNACK, and the corresponding return code of MQTT 3.1.1.
pub(super) fn refusal(number: usize) -> (ConnectReasonCode, v3::ConnectRefusal) {
    let reason_code = [
        ConnectReasonCode::UnsupportedProtocolVersion,
        ConnectReasonCode::ClientIdentifierNotValid,
        ConnectReasonCode::ServerUnavailable,
        ConnectReasonCode::BadUserNameOrPassword,
        ConnectReasonCode::NotAuthorized,
    ][number % 5];
    let return_code = u8::try_from(number % 5 + 1).unwrap_or(1);
    let refusal = v3::ConnectRefusal::from_return_code(return_code).expect("1 to 5");
    (reason_code, refusal)
}

/// Returns the code of a refusal in this version.
pub(super) fn refusal_code(number: usize, version: ProtocolVersion) -> u8 {
    let (reason_code, return_code) = refusal(number);
    match version {
        ProtocolVersion::V3 => return_code.return_code(),
        ProtocolVersion::V5 => reason_code.number(),
    }
}

pub(super) fn connack_properties(
    u: &mut Unstructured<'_>,
    version: ProtocolVersion,
) -> ConnAckProperties<Vec<u8>> {
    if version == ProtocolVersion::V3 {
        return ConnAckProperties::default();
    }
    let choice = byte(u);
    let expiry = one_of(choice, [None, None, Some(0), Some(50)]);
    let maximum = one_of(choice >> 2, [None, None, Some(1), Some(2)]);
    let aliases = one_of(choice >> 4, [None, Some(1), Some(3), Some(5)]);
    let mut properties = limits(expiry, maximum, aliases);
    let other = byte(u);
    if choice >> 6 == 1 {
        properties.push(Property::MaximumPacketSize(small(other >> 4)));
    }
    match other % 16 {
        1 => properties.push(Property::MaximumQos(QoS::AtLeastOnce)),
        2 => properties.push(Property::MaximumQos(QoS::AtMostOnce)),
        3 => properties.push(Property::RetainAvailable(false)),
        4 => properties.push(Property::WildcardSubscriptionAvailable(false)),
        5 => properties.push(Property::ServerKeepAlive(2)),
        6 => properties.push(Property::ServerKeepAlive(0)),
        _ => {}
    }
    ConnAckProperties::encode_to_vec(properties).expect("properties of CONNACK")
}

fn connack(u: &mut Unstructured<'_>, version: ProtocolVersion) -> Packet {
    match byte(u) {
        number @ 0..20 => Packet::connack(false, refusal_code(number, version)),
        number => Packet::ConnAck {
            session_present: number % 2 == 0,
            code: 0,
            properties: connack_properties(u, version),
        },
    }
}

fn publish(u: &mut Unstructured<'_>, version: ProtocolVersion) -> Packet {
    let kind = byte(u);
    let packet_id = id(u);
    let mut publish = Publish {
        delivery: Delivery::new(qos(kind), packet_id, kind & 64 != 0),
        retain: kind & 128 != 0,
        topic: topic(kind >> 3).map(<[u8]>::to_vec),
        properties: PublishProperties::default(),
        payload: vec![0xaa; byte(u)],
    };
    if version == ProtocolVersion::V5 {
        let choice = byte(u);
        // An alias without a Topic Name, or beyond the maximum, ends the connection.
        let alias = match choice % 8 {
            0..4 => None,
            4..6 => Some(1 + choice / 8 % 2),
            6 => Some(1),
            _ => Some(1 + choice / 8 % 7),
        };
        let number = alias.and_then(|alias| u16::try_from(alias).ok());
        let alias = number.and_then(std::num::NonZeroU16::new);
        publish.properties = PublishProperties::encode_to_vec(alias.map(Property::TopicAlias))
            .expect("a Topic Alias");
        if choice % 8 >= 6 {
            return Packet::Publish(without_topic(&publish));
        }
    }
    Packet::Publish(publish)
}

/// Returns the same message by its Topic Alias alone.
pub(super) fn without_topic(publish: &Publish<Vec<u8>>) -> Publish<Vec<u8>> {
    Publish::aliased(
        publish.delivery,
        publish.retain,
        publish.properties.as_ref(),
        &publish.payload,
    )
    .to_owned()
}

/// An acknowledgement, in MQTT 5 with one of these codes, and sometimes with a Reason String.
fn ack(
    u: &mut Unstructured<'_>,
    version: ProtocolVersion,
    packet_type: PacketType,
    packet_id: PacketId,
    codes: [u8; 2],
) -> Packet {
    let mut outcome = Outcome::default();
    if version == ProtocolVersion::V5 {
        let choice = byte(u);
        outcome.code = match choice % 8 {
            0..6 => 0,
            6 => codes[0],
            _ => codes[1],
        };
        if choice > 0xf0 {
            let reason = Property::ReasonString(Text::new("no").expect("a text"));
            outcome.properties = AckProperties::encode_to_vec([reason]).expect("a property");
        }
    }
    Packet::Ack(packet_type, packet_id, outcome)
}

/// The code and properties of a DISCONNECT of MQTT 5.
pub(super) fn disconnect(
    u: &mut Unstructured<'_>,
    version: ProtocolVersion,
) -> (u8, DisconnectProperties<Vec<u8>>) {
    if version == ProtocolVersion::V3 {
        return (0, DisconnectProperties::default());
    }
    let choice = byte(u);
    let code = [0, 0, 4, 0x81, 0x8b][choice % 5];
    let expiry = one_of(choice >> 4, [None, None, Some(0), Some(9)]);
    let properties = expiry.map(Property::SessionExpiryInterval);
    let properties = DisconnectProperties::encode_to_vec(properties);
    (code, properties.expect("properties of DISCONNECT"))
}

/// Returns any packet; those that carry messages are more frequent.
pub(super) fn packet(u: &mut Unstructured<'_>, model: &Model) -> Packet {
    let version = model.version;
    match byte(u) % 28 {
        0..8 => publish(u, version),
        8..10 => {
            let id = id_in_use(u, model);
            ack(u, version, PacketType::PubAck, id, [0x10, 0x97])
        }
        10..13 => {
            let id = id_in_use(u, model);
            ack(u, version, PacketType::PubRec, id, [0x10, 0x87])
        }
        13..16 => {
            let id = id(u);
            ack(u, version, PacketType::PubRel, id, [0, 0x92])
        }
        16..19 => {
            let id = id_in_use(u, model);
            ack(u, version, PacketType::PubComp, id, [0, 0x92])
        }
        19 => Packet::Connect(connect(u, version)),
        20 => connack(u, version),
        21 => Packet::Subscribe(Subscribe {
            packet_id: id(u),
            properties: v5::SubscribeProperties::default(),
            subscriptions: subscriptions(u),
        }),
        22 => Packet::SubAck {
            packet_id: id_in_use(u, model),
            codes: codes(1 + byte(u) % 3),
            properties: AckProperties::default(),
        },
        23 => Packet::Unsubscribe(Unsubscribe {
            packet_id: id(u),
            properties: v5::UnsubscribeProperties::default(),
            topic_filters: topic_filters(u),
        }),
        24 => unsuback(u, model),
        25 => Packet::PingReq,
        26 => Packet::PingResp,
        _ if bit(u) => match version {
            ProtocolVersion::V3 => Packet::PingReq,
            ProtocolVersion::V5 => Packet::Auth(Auth {
                reason_code: AuthReasonCode::Success,
                properties: AuthProperties::default(),
            }),
        },
        _ => {
            let (code, properties) = disconnect(u, version);
            Packet::Disconnect { code, properties }
        }
    }
}

/// With as many codes as the request has filters, or one more or less.
fn unsuback(u: &mut Unstructured<'_>, model: &Model) -> Packet {
    let packet_id = id_in_use(u, model);
    let asked = match model.requests.get(&packet_id) {
        Some(Request::Unsubscribe(filters)) => *filters,
        _ => 1,
    };
    let count = match model.version {
        ProtocolVersion::V3 => 0,
        ProtocolVersion::V5 if bit(u) => asked,
        ProtocolVersion::V5 => 1 + byte(u) % 3,
    };
    Packet::UnsubAck {
        packet_id,
        codes: unsubscribe_codes(count),
        properties: AckProperties::default(),
    }
}
