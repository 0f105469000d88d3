//! Packets as JSON objects, their keys always in the same order.

use mqtt_sansio::Encode;
use mqtt_sansio::v3::{Packet, PacketRef};
use serde_json::{Value, json};

use crate::{Found, hexadecimal};

/// `stream`: whose packets these are, if the input has several streams.
pub(crate) fn object(stream: Option<&str>, offset: u64, found: &Found<'_>) -> Value {
    let object = object_of(offset, found);
    match (stream, object) {
        (Some(stream), Value::Object(rest)) => {
            let start = [("stream".to_owned(), json!(stream))];
            start.into_iter().chain(rest).collect()
        }
        (_, object) => object,
    }
}

fn object_of(offset: u64, found: &Found<'_>) -> Value {
    match *found {
        Found::Packet { bytes, packet, .. } => packet_object(offset, bytes.len(), &packet),
        Found::Malformed { error, .. } => json!({
            "offset": offset.saturating_add(error.offset() as u64),
            "error": error.to_string(),
            "statement": error.statement(),
        }),
        Found::Incomplete { .. } => json!({ "offset": offset, "incomplete": true }),
    }
}

/// In place of the packets of a line that is not hexadecimal.
pub(crate) fn unreadable(error: String) -> Value {
    json!({ "offset": 0, "error": error, "statement": null })
}

fn packet_object(offset: u64, length: usize, packet: &PacketRef<'_>) -> Value {
    let start = [
        ("offset", json!(offset)),
        ("length", json!(length)),
        ("type", json!(packet.packet_type().name())),
    ];
    // What was decoded can be encoded: a `null` here would be a fault of the library.
    let encoded = packet.encode_to_vec().ok().map(hexadecimal::encode);
    let end = [("encoded", json!(encoded))];
    start.into_iter().chain(fields(packet)).chain(end).collect()
}

/// What there is in this type of packet only.
pub(crate) fn fields(packet: &PacketRef<'_>) -> Vec<(&'static str, Value)> {
    match packet {
        Packet::Connect(connect) => {
            let connect = connect.to_connect();
            let will = connect.will.map(|will| {
                json!({
                    "topic": will.topic.as_str(),
                    "payload": hexadecimal::encode(will.message),
                    "qos": will.qos.number(),
                    "retain": will.retain,
                })
            });
            let credentials = connect.credentials.as_ref();
            let user_name = credentials.map(|credentials| credentials.user_name.as_str());
            let password = credentials.and_then(|credentials| credentials.password);
            vec![
                (
                    "protocol_name",
                    json!(connect.protocol_level.protocol_name()),
                ),
                ("protocol_level", json!(connect.protocol_level.number())),
                ("clean_session", json!(connect.clean_session)),
                ("keep_alive", json!(connect.keep_alive)),
                ("client_id", json!(connect.client_id.as_str())),
                ("will", json!(will)),
                ("username", json!(user_name)),
                ("password", json!(password.map(hexadecimal::encode))),
            ]
        }
        Packet::ConnAck(connack) => vec![
            ("session_present", json!(connack.session_present())),
            ("return_code", json!(connack.return_code())),
        ],
        Packet::Publish(publish) => vec![
            ("dup", json!(publish.delivery.dup())),
            ("qos", json!(publish.delivery.qos().number())),
            ("retain", json!(publish.retain)),
            ("topic", json!(publish.topic.as_str())),
            (
                "packet_id",
                json!(publish.delivery.packet_id().map(u16::from)),
            ),
            ("payload", json!(hexadecimal::encode(publish.payload))),
        ],
        Packet::PubAck(ack) => vec![("packet_id", json!(ack.packet_id.get()))],
        Packet::PubRec(ack) => vec![("packet_id", json!(ack.packet_id.get()))],
        Packet::PubRel(ack) => vec![("packet_id", json!(ack.packet_id.get()))],
        Packet::PubComp(ack) => vec![("packet_id", json!(ack.packet_id.get()))],
        Packet::UnsubAck(ack) => vec![("packet_id", json!(ack.packet_id.get()))],
        Packet::Subscribe(subscribe) => {
            let filters = subscribe.subscriptions.iter().map(|subscription| {
                json!({
                    "filter": subscription.topic_filter.as_str(),
                    "qos": subscription.qos.number(),
                })
            });
            vec![
                ("packet_id", json!(subscribe.packet_id.get())),
                ("filters", filters.collect()),
            ]
        }
        Packet::SubAck(suback) => {
            let return_codes = suback.return_codes.iter().map(|code| code.number());
            vec![
                ("packet_id", json!(suback.packet_id.get())),
                ("return_codes", return_codes.collect()),
            ]
        }
        Packet::Unsubscribe(unsubscribe) => {
            let filters = unsubscribe.topic_filters.iter();
            vec![
                ("packet_id", json!(unsubscribe.packet_id.get())),
                (
                    "filters",
                    filters.map(|filter| filter.as_str().to_owned()).collect(),
                ),
            ]
        }
        Packet::PingReq | Packet::PingResp | Packet::Disconnect => Vec::new(),
    }
}
