//! Packets as JSON objects, their keys always in the same order.

pub(crate) mod v3;
pub(crate) mod v5;

use mqtt_sansio::any::{DecodeError, Packet};
use mqtt_sansio::{Delivery, Encode};
use serde_json::{Value, json};

use crate::{Found, hexadecimal};

/// Keys and values of an object.
pub(crate) type Fields = Vec<(&'static str, Value)>;

/// Returns the object for a packet. `stream` is the name of its stream, if the input has several.
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
    match found {
        Found::Packet { bytes, packet, .. } => packet_object(offset, bytes.len(), packet),
        Found::Malformed { error, .. } => {
            let offset = offset.saturating_add(error.offset() as u64);
            let mut fields = vec![
                ("offset", json!(offset)),
                ("error", json!(error.to_string())),
                ("statement", json!(error.statement())),
            ];
            // MQTT 3.1.1 has none.
            if let DecodeError::V5(error) = error {
                fields.push(("reason_code", json!(error.reason_code().number())));
            }
            fields.into_iter().collect()
        }
        Found::Incomplete { .. } => json!({ "offset": offset, "incomplete": true }),
    }
}

/// Returns the object for a line that is not hexadecimal.
pub(crate) fn unreadable(error: String) -> Value {
    json!({ "offset": 0, "error": error, "statement": null })
}

fn packet_object(offset: u64, length: usize, packet: &Packet<'_>) -> Value {
    let start = [
        ("offset", json!(offset)),
        ("length", json!(length)),
        ("type", json!(packet.packet_type().name())),
    ];
    let encoded = match packet {
        Packet::V3(packet) => packet.encode_to_vec(),
        Packet::V5(packet) => packet.encode_to_vec(),
    };
    // A decoded packet can be encoded: `null` here would be a fault of the library.
    let encoded = encoded.ok().map(hexadecimal::encode);
    let end = [("encoded", json!(encoded))];
    start.into_iter().chain(fields(packet)).chain(end).collect()
}

/// Returns the fields that only this type of packet has.
fn fields(packet: &Packet<'_>) -> Fields {
    match packet {
        Packet::V3(packet) => v3::fields(packet),
        Packet::V5(packet) => v5::fields(packet),
    }
}

/// Returns the fields that CONNECT has in all versions. `clean` has two names.
#[expect(clippy::too_many_arguments, reason = "a CONNECT has as many fields")]
fn connect(
    protocol_name: &str,
    protocol_level: u8,
    clean: (&'static str, bool),
    keep_alive: u16,
    client_id: &str,
    will: Option<Value>,
    user_name: Option<&str>,
    password: Option<&[u8]>,
) -> Fields {
    vec![
        ("protocol_name", json!(protocol_name)),
        ("protocol_level", json!(protocol_level)),
        (clean.0, json!(clean.1)),
        ("keep_alive", json!(keep_alive)),
        ("client_id", json!(client_id)),
        ("will", json!(will)),
        ("username", json!(user_name)),
        ("password", json!(password.map(hexadecimal::encode))),
    ]
}

/// Returns the fields that PUBLISH has in all versions.
fn publish(delivery: Delivery, retain: bool, topic: &str, payload: &[u8]) -> Fields {
    vec![
        ("dup", json!(delivery.dup())),
        ("qos", json!(delivery.qos().number())),
        ("retain", json!(retain)),
        ("topic", json!(topic)),
        ("packet_id", json!(delivery.packet_id().map(u16::from))),
        ("payload", json!(hexadecimal::encode(payload))),
    ]
}
