//! The interface to a version of MQTT, for tests of all versions.

use core::fmt::Debug;
use std::sync::LazyLock;

use mqtt_sansio::v3::{self, V3};
use mqtt_sansio::v5::{self, V5};
use mqtt_sansio::{DecodeError, Encode, Header, Options, PacketSet, PacketType};
use serde_json::{Map, Value, json};

use super::{Row, encode, rows, unlimited};

/// The parts of a version that the codec's tests need.
pub(crate) trait Version: PacketSet {
    /// A packet with bytes of its own.
    type Owned: Clone + PartialEq + Debug + Encode;
    /// The header of a PUBLISH, likewise.
    type OwnedHeader: Clone + PartialEq + Debug;

    /// Packets of sequences that real clients and servers sent.
    const STREAMS: &'static str;
    /// Starts of packets.
    const INCOMPLETE: &'static str;
    /// Packets that the standard forbids, and how other implementations handle them.
    const MALFORMED: &'static str;
    /// Packets with one fault, and the exact error.
    const MALFORMED_OWN: &'static str;

    /// Returns every valid packet.
    fn valid_rows() -> &'static [Row];
    /// Returns every packet that the codec alone has to refuse.
    fn malformed_rows() -> &'static [Row];

    fn decode<'a>(
        src: &mut &'a [u8],
        options: &Options,
    ) -> Result<Option<Self::Packet<'a>>, DecodeError<Self>>;
    fn peek(src: &[u8], options: &Options) -> Result<Option<Header>, DecodeError<Self>>;

    fn owned(packet: Self::Packet<'_>) -> Self::Owned;
    fn packet_type(packet: &Self::Owned) -> PacketType;
    /// Returns the fields in the notation of the vectors.
    fn fields(packet: &Self::Owned) -> Value;
    /// Changes the body of a packet to its canonical encoding.
    fn shorten(packet: &Self::Owned, body: &mut Vec<u8>);

    /// Calls `field` with each part of a valid packet that has a length of its own.
    fn for_each_field(bytes: &[u8], field: impl FnMut(&[u8]));

    fn owned_header(header: Self::PayloadHeader<'_>) -> Self::OwnedHeader;
    fn payload_len(header: &Self::OwnedHeader) -> usize;
    fn with_payload(header: Self::OwnedHeader, payload: Vec<u8>) -> Self::Owned;
    /// Returns the encoded header of a PUBLISH, and its payload.
    fn split(packet: &Self::Owned) -> Option<(Vec<u8>, &[u8])>;
}

/// The items that differ only in the module.
macro_rules! common {
    ($v:ident) => {
        type Owned = $v::Packet<Vec<u8>>;
        type OwnedHeader = $v::PublishHeader<Vec<u8>>;

        fn decode<'a>(
            src: &mut &'a [u8],
            options: &Options,
        ) -> Result<Option<$v::PacketRef<'a>>, $v::DecodeError> {
            $v::decode(src, options)
        }

        fn peek(src: &[u8], options: &Options) -> Result<Option<Header>, $v::DecodeError> {
            $v::peek(src, options)
        }

        fn owned(packet: $v::PacketRef<'_>) -> Self::Owned {
            packet.map(<[u8]>::to_vec)
        }

        fn packet_type(packet: &Self::Owned) -> PacketType {
            packet.packet_type()
        }

        fn for_each_field(mut bytes: &[u8], mut field: impl FnMut(&[u8])) {
            let packet = $v::decode(&mut bytes, &unlimited()).unwrap().unwrap();
            match &packet {
                $v::Packet::Subscribe(packet) => packet
                    .subscriptions
                    .iter()
                    .for_each(|entry| field(entry.topic_filter.as_bytes())),
                $v::Packet::Unsubscribe(packet) => packet
                    .topic_filters
                    .iter()
                    .for_each(|filter| field(filter.as_bytes())),
                _ => {}
            }
            let _ = packet.map(field);
        }

        fn owned_header(header: $v::PublishHeader<&[u8]>) -> Self::OwnedHeader {
            header.map(<[u8]>::to_vec)
        }

        fn payload_len(header: &Self::OwnedHeader) -> usize {
            header.payload_len as usize
        }

        fn with_payload(header: Self::OwnedHeader, payload: Vec<u8>) -> Self::Owned {
            $v::Packet::Publish(
                header
                    .with_payload(payload)
                    .expect("a payload of that length"),
            )
        }

        fn split(packet: &Self::Owned) -> Option<(Vec<u8>, &[u8])> {
            let $v::Packet::Publish(publish) = packet else {
                return None;
            };
            let header = publish.header().expect("a payload that is not too long");
            let longer = [&publish.payload, &b"x"[..]].concat();
            assert!(header.with_payload(&longer).is_none());
            assert!(header.with_payload(&publish.payload) == Some(publish.as_ref()));
            Some((encode(&header), &publish.payload))
        }
    };
}

/// Returns the rows of a sample that depend on bytes alone, and all of our own.
fn malformed(sample: &str, own: &str) -> Vec<Row> {
    let mut all = rows(sample);
    all.retain(|row| row.text("kind") == Some("codec"));
    all.extend(rows(own));
    all
}

impl Version for V3 {
    const STREAMS: &'static str = "conformance/streams.jsonl";
    const INCOMPLETE: &'static str = "conformance/incomplete.jsonl";
    const MALFORMED: &'static str = "conformance/malformed.jsonl";
    const MALFORMED_OWN: &'static str = "malformed_own.jsonl";

    fn valid_rows() -> &'static [Row] {
        static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
            ["conformance/valid.jsonl", "device.jsonl", "golden.jsonl"]
                .into_iter()
                .flat_map(rows)
                .collect()
        });
        &ROWS
    }

    fn malformed_rows() -> &'static [Row] {
        static ROWS: LazyLock<Vec<Row>> =
            LazyLock::new(|| malformed(V3::MALFORMED, V3::MALFORMED_OWN));
        &ROWS
    }

    fn fields(packet: &v3::Packet<Vec<u8>>) -> Value {
        fields(packet)
    }

    /// MQTT 3.1 allows a client to leave out a User Name or Password that its flags announce, and
    /// ignores the lowest flag and those of an absent Will.
    fn shorten(packet: &v3::Packet<Vec<u8>>, body: &mut Vec<u8>) {
        const USER_NAME: u8 = 0x80;
        const PASSWORD: u8 = 0x40;
        const WILL_QOS_AND_RETAIN: u8 = 0x38;
        const RESERVED: u8 = 1;
        if let v3::Packet::Connect(connect) = packet
            && body.starts_with(b"\0\x06MQIsdp")
        {
            let credentials = connect.to_connect().credentials;
            let password = credentials.is_some_and(|it| it.password.is_some());
            body[9] &= !(USER_NAME | PASSWORD | RESERVED);
            if connect.to_connect().will.is_none() {
                body[9] &= !WILL_QOS_AND_RETAIN;
            }
            body[9] |= if credentials.is_some() { USER_NAME } else { 0 };
            body[9] |= if password { PASSWORD } else { 0 };
        }
    }

    common!(v3);
}

impl Version for V5 {
    const STREAMS: &'static str = "mqtt5/streams.jsonl";
    const INCOMPLETE: &'static str = "mqtt5/incomplete.jsonl";
    const MALFORMED: &'static str = "mqtt5/malformed.jsonl";
    const MALFORMED_OWN: &'static str = "mqtt5/malformed_own.jsonl";

    fn valid_rows() -> &'static [Row] {
        static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| rows("mqtt5/valid.jsonl"));
        &ROWS
    }

    fn malformed_rows() -> &'static [Row] {
        static ROWS: LazyLock<Vec<Row>> =
            LazyLock::new(|| malformed(V5::MALFORMED, V5::MALFORMED_OWN));
        &ROWS
    }

    fn fields(packet: &v5::Packet<Vec<u8>>) -> Value {
        v5_fields(packet)
    }

    /// A Property Length of 0 and a Reason Code of 0 at the end are left out (sections 3.4.2.1, 3.14.2.1 and
    /// 3.15.2.1).
    fn shorten(packet: &v5::Packet<Vec<u8>>, body: &mut Vec<u8>) {
        let reason_code_at = match packet.packet_type() {
            PacketType::PubAck | PacketType::PubRec | PacketType::PubRel | PacketType::PubComp => 2,
            PacketType::Disconnect | PacketType::Auth => 0,
            _ => return,
        };
        for last in [reason_code_at + 1, reason_code_at] {
            if body.len() == last + 1 && body[last] == 0 {
                body.truncate(last);
            }
        }
    }

    common!(v5);
}

fn connect_fields(connect: &v3::Connect<&[u8]>) -> Value {
    json!({
        "protocol_name": connect.protocol_level.protocol_name(),
        "protocol_level": connect.protocol_level.number(),
        "clean_session": connect.clean_session,
        "keep_alive": connect.keep_alive,
        "client_id": connect.client_id.as_str(),
        "will": connect.will.as_ref().map(|will| json!({
            "topic": will.topic.as_str(),
            "payload": hex::encode(will.message),
            "qos": will.qos.number(),
            "retain": will.retain,
        })),
        "username": connect.credentials.as_ref().map(|c| c.user_name.as_str()),
        "password": connect.credentials.as_ref().and_then(|c| c.password).map(hex::encode),
    })
}

/// Returns the fields of a packet of MQTT 3.1.1 in the notation of the vectors.
pub(crate) fn fields<B: AsRef<[u8]>>(packet: &v3::Packet<B>) -> Value {
    use v3::Packet;
    let id = |id: mqtt_sansio::PacketId| json!({ "packet_id": id.get() });
    match packet {
        Packet::Connect(connect) => connect_fields(&connect.to_connect()),
        Packet::ConnAck(connack) => json!({
            "session_present": connack.session_present(),
            "return_code": connack.return_code(),
        }),
        Packet::Publish(publish) => json!({
            "dup": publish.delivery.dup(),
            "qos": publish.delivery.qos().number(),
            "retain": publish.retain,
            "topic": publish.topic.as_str(),
            "packet_id": publish.delivery.packet_id().map(|id| id.get()),
            "payload": hex::encode(&publish.payload),
        }),
        Packet::PubAck(ack) => id(ack.packet_id),
        Packet::PubRec(ack) => id(ack.packet_id),
        Packet::PubRel(ack) => id(ack.packet_id),
        Packet::PubComp(ack) => id(ack.packet_id),
        Packet::UnsubAck(ack) => id(ack.packet_id),
        Packet::Subscribe(subscribe) => json!({
            "packet_id": subscribe.packet_id.get(),
            "filters": subscribe.subscriptions.iter().map(|subscription| json!({
                "filter": subscription.topic_filter.as_str(),
                "qos": subscription.qos.number(),
            })).collect::<Value>(),
        }),
        Packet::SubAck(suback) => json!({
            "packet_id": suback.packet_id.get(),
            "return_codes": suback.return_codes.iter().map(|code| code.number()).collect::<Value>(),
        }),
        Packet::Unsubscribe(unsubscribe) => json!({
            "packet_id": unsubscribe.packet_id.get(),
            "filters": unsubscribe.topic_filters.iter().map(|f| f.as_str().to_owned()).collect::<Value>(),
        }),
        Packet::PingReq | Packet::PingResp | Packet::Disconnect => json!({}),
    }
}

/// Returns properties in the notation of the vectors.
fn properties<B: AsRef<[u8]>, K>(properties: &v5::Properties<B, K>) -> Value {
    use v5::Property as P;
    let mut map = Map::new();
    for property in properties {
        let key = property.field().name().to_lowercase().replace(' ', "_");
        let value = match property {
            P::PayloadFormatIndicator(flag)
            | P::RequestProblemInformation(flag)
            | P::RequestResponseInformation(flag)
            | P::RetainAvailable(flag)
            | P::WildcardSubscriptionAvailable(flag)
            | P::SubscriptionIdentifierAvailable(flag)
            | P::SharedSubscriptionAvailable(flag) => json!(u8::from(flag)),
            P::MaximumQos(qos) => json!(qos.number()),
            P::MessageExpiryInterval(number)
            | P::SessionExpiryInterval(number)
            | P::WillDelayInterval(number) => json!(number),
            P::ServerKeepAlive(number) | P::TopicAliasMaximum(number) => json!(number),
            P::ReceiveMaximum(number) | P::TopicAlias(number) => json!(number.get()),
            P::MaximumPacketSize(number) => json!(number.get()),
            P::ContentType(text)
            | P::AssignedClientIdentifier(text)
            | P::AuthenticationMethod(text)
            | P::ResponseInformation(text)
            | P::ServerReference(text)
            | P::ReasonString(text) => json!(text.as_str()),
            P::ResponseTopic(topic) => json!(topic.as_str()),
            P::CorrelationData(data) | P::AuthenticationData(data) => json!(hex::encode(data)),
            P::SubscriptionIdentifier(number) => {
                push(&mut map, key, json!(number.get()));
                continue;
            }
            P::UserProperty { name, value } => {
                push(&mut map, key, json!([name.as_str(), value.as_str()]));
                continue;
            }
        };
        assert_eq!(map.insert(key, value), None);
    }
    Value::Object(map)
}

fn push(map: &mut Map<String, Value>, key: String, value: Value) {
    let list = map.entry(key).or_insert_with(|| json!([]));
    list.as_array_mut().expect("a list").push(value);
}

fn v5_connect_fields(connect: &v5::Connect<&[u8]>) -> Value {
    json!({
        "protocol_name": "MQTT",
        "protocol_level": 5,
        "clean_start": connect.clean_start,
        "keep_alive": connect.keep_alive,
        "client_id": connect.client_id.as_str(),
        "will": connect.will.as_ref().map(|will| json!({
            "topic": will.topic.as_str(),
            "payload": hex::encode(will.payload),
            "qos": will.qos.number(),
            "retain": will.retain,
            "properties": properties(&will.properties),
        })),
        "username": connect.user_name.as_ref().map(|user_name| user_name.as_str()),
        "password": connect.password.map(hex::encode),
        "properties": properties(&connect.properties),
    })
}

/// Returns the fields of a packet of MQTT 5 in the notation of the vectors.
fn v5_fields(packet: &v5::Packet<Vec<u8>>) -> Value {
    use v5::Packet;
    fn ack<K: v5::AckType>(ack: &v5::Acknowledgement<Vec<u8>, K>, code: u8) -> Value {
        json!({
            "packet_id": ack.packet_id.get(),
            "reason_code": code,
            "properties": properties(&ack.properties),
        })
    }
    fn request_ack<R: v5::ListedReasonCode>(
        ack: &v5::RequestAck<Vec<u8>, R>,
        number: impl Fn(R) -> u8,
    ) -> Value {
        json!({
            "packet_id": ack.packet_id.get(),
            "properties": properties(&ack.properties),
            "reason_codes": ack.reason_codes.iter().map(number).collect::<Value>(),
        })
    }
    match packet {
        Packet::Connect(connect) => v5_connect_fields(&connect.to_connect()),
        Packet::ConnAck(connack) => json!({
            "session_present": connack.session_present,
            "reason_code": connack.reason_code.number(),
            "properties": properties(&connack.properties),
        }),
        Packet::Publish(publish) => json!({
            "dup": publish.delivery.dup(),
            "qos": publish.delivery.qos().number(),
            "retain": publish.retain,
            "topic": publish.topic.as_str(),
            "packet_id": publish.delivery.packet_id().map(|id| id.get()),
            "payload": hex::encode(&publish.payload),
            "properties": properties(&publish.properties),
        }),
        Packet::PubAck(it) => ack(it, it.reason_code.number()),
        Packet::PubRec(it) => ack(it, it.reason_code.number()),
        Packet::PubRel(it) => ack(it, it.reason_code.number()),
        Packet::PubComp(it) => ack(it, it.reason_code.number()),
        Packet::Subscribe(subscribe) => json!({
            "packet_id": subscribe.packet_id.get(),
            "properties": properties(&subscribe.properties),
            "filters": subscribe.subscriptions.iter().map(|it| json!({
                "filter": it.topic_filter.as_str(),
                "qos": it.qos.number(),
                "no_local": it.no_local,
                "retain_as_published": it.retain_as_published,
                "retain_handling": it.retain_handling.number(),
            })).collect::<Value>(),
        }),
        Packet::SubAck(it) => request_ack(it, v5::SubscribeReasonCode::number),
        Packet::UnsubAck(it) => request_ack(it, v5::UnsubscribeReasonCode::number),
        Packet::Unsubscribe(unsubscribe) => json!({
            "packet_id": unsubscribe.packet_id.get(),
            "properties": properties(&unsubscribe.properties),
            "filters": unsubscribe.topic_filters.iter().map(|f| f.as_str().to_owned()).collect::<Value>(),
        }),
        Packet::PingReq | Packet::PingResp => json!({}),
        Packet::Disconnect(disconnect) => json!({
            "reason_code": disconnect.reason_code.number(),
            "properties": properties(&disconnect.properties),
        }),
        Packet::Auth(auth) => json!({
            "reason_code": auth.reason_code.number(),
            "properties": properties(&auth.properties),
        }),
    }
}
