//! The fields of packets of MQTT 3.1 and 3.1.1.

use mqtt_sansio::v3::{Packet, PacketRef};
use serde_json::json;

use super::{Fields, connect, publish};
use crate::hexadecimal;

pub(crate) fn fields(packet: &PacketRef<'_>) -> Fields {
    match packet {
        Packet::Connect(packet) => {
            let packet = packet.to_connect();
            let will = packet.will.map(|will| {
                json!({
                    "topic": will.topic.as_str(),
                    "payload": hexadecimal::encode(will.message),
                    "qos": will.qos.number(),
                    "retain": will.retain,
                })
            });
            let credentials = packet.credentials.as_ref();
            connect(
                packet.protocol_level.protocol_name(),
                packet.protocol_level.number(),
                ("clean_session", packet.clean_session),
                packet.keep_alive,
                packet.client_id.as_str(),
                will,
                credentials.map(|credentials| credentials.user_name.as_str()),
                credentials.and_then(|credentials| credentials.password),
            )
        }
        Packet::ConnAck(connack) => vec![
            ("session_present", json!(connack.session_present())),
            ("return_code", json!(connack.return_code())),
        ],
        Packet::Publish(packet) => publish(
            packet.delivery,
            packet.retain,
            packet.topic.as_str(),
            packet.payload,
        ),
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
