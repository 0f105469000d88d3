//! The fields of packets of MQTT 5.

use mqtt_sansio::v5::{Packet, PacketRef, Properties};
use serde_json::{Map, Value, json};

use super::{Fields, connect, publish};
use crate::hexadecimal;
use crate::property::PropertyValue;

pub(crate) fn fields(packet: &PacketRef<'_>) -> Fields {
    let (mut fields, properties) = match packet {
        Packet::Connect(packet) => {
            let packet = packet.to_connect();
            let will = packet.will.map(|will| {
                json!({
                    "topic": will.topic.as_str(),
                    "payload": hexadecimal::encode(will.payload),
                    "qos": will.qos.number(),
                    "retain": will.retain,
                    "properties": properties(&will.properties),
                })
            });
            let fields = connect(
                "MQTT",
                5,
                ("clean_start", packet.clean_start),
                packet.keep_alive,
                packet.client_id.as_str(),
                will,
                packet
                    .user_name
                    .as_ref()
                    .map(|user_name| user_name.as_str()),
                packet.password,
            );
            (fields, properties(&packet.properties))
        }
        Packet::ConnAck(connack) => {
            let fields = vec![
                ("session_present", json!(connack.session_present)),
                ("reason_code", json!(connack.reason_code.number())),
            ];
            (fields, properties(&connack.properties))
        }
        Packet::Publish(packet) => {
            let fields = publish(
                packet.delivery,
                packet.retain,
                packet.topic.as_str(),
                packet.payload,
            );
            (fields, properties(&packet.properties))
        }
        Packet::PubAck(ack) => (
            acknowledgement(ack.packet_id.get(), ack.reason_code.number()),
            properties(&ack.properties),
        ),
        Packet::PubRec(ack) => (
            acknowledgement(ack.packet_id.get(), ack.reason_code.number()),
            properties(&ack.properties),
        ),
        Packet::PubRel(ack) => (
            acknowledgement(ack.packet_id.get(), ack.reason_code.number()),
            properties(&ack.properties),
        ),
        Packet::PubComp(ack) => (
            acknowledgement(ack.packet_id.get(), ack.reason_code.number()),
            properties(&ack.properties),
        ),
        Packet::Subscribe(subscribe) => {
            let filters = subscribe.subscriptions.iter().map(|subscription| {
                json!({
                    "filter": subscription.topic_filter.as_str(),
                    "qos": subscription.qos.number(),
                    "no_local": subscription.no_local,
                    "retain_as_published": subscription.retain_as_published,
                    "retain_handling": subscription.retain_handling.number(),
                })
            });
            let fields = request(subscribe.packet_id.get(), "filters", filters.collect());
            (fields, properties(&subscribe.properties))
        }
        Packet::SubAck(suback) => {
            let codes = suback.reason_codes.iter().map(|code| code.number());
            let fields = request(suback.packet_id.get(), "reason_codes", codes.collect());
            (fields, properties(&suback.properties))
        }
        Packet::Unsubscribe(unsubscribe) => {
            let filters = unsubscribe.topic_filters.iter();
            let filters = filters.map(|filter| filter.as_str().to_owned());
            let fields = request(unsubscribe.packet_id.get(), "filters", filters.collect());
            (fields, properties(&unsubscribe.properties))
        }
        Packet::UnsubAck(unsuback) => {
            let codes = unsuback.reason_codes.iter().map(|code| code.number());
            let fields = request(unsuback.packet_id.get(), "reason_codes", codes.collect());
            (fields, properties(&unsuback.properties))
        }
        Packet::Disconnect(disconnect) => {
            let code = disconnect.reason_code.number();
            let fields = vec![("reason_code", json!(code))];
            (fields, properties(&disconnect.properties))
        }
        Packet::Auth(auth) => {
            let fields = vec![("reason_code", json!(auth.reason_code.number()))];
            (fields, properties(&auth.properties))
        }
        Packet::PingReq | Packet::PingResp => return Vec::new(),
    };
    fields.push(("properties", properties));
    fields
}

fn acknowledgement(packet_id: u16, reason_code: u8) -> Fields {
    vec![
        ("packet_id", json!(packet_id)),
        ("reason_code", json!(reason_code)),
    ]
}

fn request(packet_id: u16, list: &'static str, entries: Value) -> Fields {
    vec![("packet_id", json!(packet_id)), (list, entries)]
}

/// Returns an object with the properties that are present. A property that may repeat is a list.
fn properties<B: AsRef<[u8]>, K>(properties: &Properties<B, K>) -> Value {
    let mut object = Map::new();
    for property in properties {
        let name = property.field().name().to_lowercase().replace(' ', "_");
        let (value, is_list) = match PropertyValue::from(&property) {
            PropertyValue::Flag(flag) => (json!(u8::from(flag)), false),
            PropertyValue::Byte(number) => (json!(number), false),
            PropertyValue::TwoBytes(number) => (json!(number), false),
            PropertyValue::FourBytes(number) => (json!(number), false),
            PropertyValue::Variable(number) => (json!(number), true),
            PropertyValue::Text(text) => (json!(text), false),
            PropertyValue::Binary(data) => (json!(hexadecimal::encode(data)), false),
            PropertyValue::Pair(name, value) => (json!([name, value]), true),
        };
        match object.get_mut(&name) {
            Some(Value::Array(list)) => list.push(value),
            _ if is_list => {
                object.insert(name, json!([value]));
            }
            _ => {
                object.insert(name, value);
            }
        }
    }
    Value::Object(object)
}
