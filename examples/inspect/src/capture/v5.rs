//! Conversations in MQTT 5.

use core::fmt::{Display, Write as _};

use mqtt_sansio::PacketType;
use mqtt_sansio::v5::{AckType, Acknowledgement, Packet, PacketRef, Properties, V5};

use super::ladder::{list, payload, string};
use super::version::{Meaning, Rule, Version};
use crate::json::{self, Fields};
use crate::property::PropertyValue;

impl Version for V5 {
    fn packet_type(packet: &PacketRef<'_>) -> PacketType {
        packet.packet_type()
    }

    fn meaning(packet: &PacketRef<'_>) -> Meaning {
        match packet {
            Packet::Connect(connect) => {
                let connect = connect.to_connect();
                Meaning::Connect {
                    client_id: connect.client_id.as_str().to_owned(),
                    is_clean: connect.clean_start,
                    keep_alive: connect.keep_alive,
                }
            }
            Packet::ConnAck(connack) => Meaning::ConnAck {
                is_accepted: !connack.reason_code.is_error(),
                session_present: connack.session_present,
                keep_alive: connack.properties.server_keep_alive(),
            },
            Packet::Publish(publish) => Meaning::Publish(publish.delivery),
            Packet::PubAck(ack) => Meaning::PubAck(ack.packet_id),
            Packet::PubRec(ack) => Meaning::PubRec {
                packet_id: ack.packet_id,
                is_error: ack.reason_code.is_error(),
            },
            Packet::PubRel(ack) => Meaning::PubRel(ack.packet_id),
            Packet::PubComp(ack) => Meaning::PubComp(ack.packet_id),
            Packet::Subscribe(subscribe) => Meaning::Subscribe {
                packet_id: subscribe.packet_id,
                filters: subscribe.subscriptions.iter().count(),
            },
            Packet::SubAck(suback) => Meaning::SubAck {
                packet_id: suback.packet_id,
                codes: suback.reason_codes.iter().count(),
            },
            Packet::Unsubscribe(unsubscribe) => Meaning::Unsubscribe {
                packet_id: unsubscribe.packet_id,
                filters: unsubscribe.topic_filters.iter().count(),
            },
            Packet::UnsubAck(unsuback) => Meaning::UnsubAck {
                packet_id: unsuback.packet_id,
                codes: Some(unsuback.reason_codes.iter().count()),
            },
            Packet::PingReq => Meaning::PingReq,
            Packet::PingResp => Meaning::PingResp,
            Packet::Disconnect(_) => Meaning::Disconnect,
            Packet::Auth(_) => Meaning::Auth,
        }
    }

    fn summary(packet: &PacketRef<'_>) -> String {
        match packet {
            Packet::Connect(connect) => {
                let connect = connect.to_connect();
                let id = string(connect.client_id.as_str());
                let mut text = format!(" {id}, Keep Alive {}", connect.keep_alive);
                text.push_str(if connect.clean_start {
                    ", Clean Start"
                } else {
                    ", Clean Start 0"
                });
                if let Some(will) = &connect.will {
                    let retain = if will.retain { ", RETAIN" } else { "" };
                    let (qos, topic) = (will.qos.number(), string(will.topic.as_str()));
                    // Writing to a string does not fail.
                    let _ = write!(text, ", Will to {topic} at QoS {qos}{retain}");
                    text.push_str(&shown(&will.properties));
                }
                if let Some(user_name) = &connect.user_name {
                    let _ = write!(text, ", User Name {}", string(user_name.as_str()));
                }
                if connect.password.is_some() {
                    text.push_str(", Password");
                }
                text + &shown(&connect.properties)
            }
            Packet::ConnAck(connack) => {
                let present = u8::from(connack.session_present);
                let code = connack.reason_code;
                format!(" {code}, Session Present {present}") + &shown(&connack.properties)
            }
            Packet::Publish(publish) => {
                let mut text = String::new();
                if let Some(id) = publish.delivery.packet_id() {
                    let _ = write!(text, " {id}");
                }
                let _ = write!(text, " QoS {}", publish.delivery.qos().number());
                if publish.delivery.dup() {
                    text.push_str(" DUP");
                }
                if publish.retain {
                    text.push_str(" RETAIN");
                }
                let topic = string(publish.topic.as_str());
                let _ = write!(text, " {topic}: {}", payload(publish.payload));
                text + &shown(&publish.properties)
            }
            Packet::PubAck(ack) => acknowledgement(ack, ack.reason_code),
            Packet::PubRec(ack) => acknowledgement(ack, ack.reason_code),
            Packet::PubRel(ack) => acknowledgement(ack, ack.reason_code),
            Packet::PubComp(ack) => acknowledgement(ack, ack.reason_code),
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.subscriptions.iter().map(|subscription| {
                    let filter = string(subscription.topic_filter.as_str());
                    format!("{filter} at QoS {}", subscription.qos.number())
                });
                let filters = list(filters);
                format!(" {} {filters}", subscribe.packet_id) + &shown(&subscribe.properties)
            }
            Packet::SubAck(suback) => {
                let codes = list(suback.reason_codes.iter().map(|code| code.to_string()));
                format!(" {} {codes}", suback.packet_id) + &shown(&suback.properties)
            }
            Packet::Unsubscribe(unsubscribe) => {
                let filters = unsubscribe.topic_filters.iter();
                let filters = list(filters.map(|filter| string(filter.as_str())));
                format!(" {} {filters}", unsubscribe.packet_id) + &shown(&unsubscribe.properties)
            }
            Packet::UnsubAck(unsuback) => {
                let codes = list(unsuback.reason_codes.iter().map(|code| code.to_string()));
                format!(" {} {codes}", unsuback.packet_id) + &shown(&unsuback.properties)
            }
            Packet::Disconnect(disconnect) => {
                format!(" {}", disconnect.reason_code) + &shown(&disconnect.properties)
            }
            Packet::Auth(auth) => format!(" {}", auth.reason_code) + &shown(&auth.properties),
            Packet::PingReq | Packet::PingResp => String::new(),
        }
    }

    fn fields(packet: &PacketRef<'_>) -> Fields {
        json::v5::fields(packet)
    }

    fn statement_of(rule: Rule) -> Option<&'static str> {
        Some(match rule {
            Rule::ConnectIsFirst => "MQTT-3.1.0-1",
            Rule::ConnectOnce => "MQTT-3.1.0-2",
            Rule::ConnAckIsFirst => "MQTT-3.2.0-1",
            Rule::NoSessionAfterClean => "MQTT-3.2.2-2",
            Rule::RefusalEnds => "MQTT-3.2.2-7",
            Rule::DisconnectEnds => "MQTT-3.14.4-1",
            Rule::ClientIdentifiersAreFree => "MQTT-2.2.1-3",
            Rule::ServerIdentifiersAreFree => "MQTT-2.2.1-4",
            Rule::KeepAlive => "MQTT-3.1.2-20",
            Rule::SilenceEnds => "MQTT-3.1.2-22",
            Rule::CodeForEachSubscription => "MQTT-3.8.4-6",
            Rule::CodeForEachUnsubscription => "MQTT-3.11.3-2",
            Rule::ResendOnlyAfterReconnecting => "MQTT-4.4.0-1",
        })
    }
}

/// Describes identifier, Reason Code if it is not 0, and properties.
fn acknowledgement<K: AckType>(ack: &Acknowledgement<&[u8], K>, code: impl Display) -> String {
    let code = if ack.reason_code == K::ReasonCode::default() {
        String::new()
    } else {
        format!(" {code}")
    };
    format!(" {}{code}", ack.packet_id) + &shown(&ack.properties)
}

/// Describes the properties in a line, each after a comma.
fn shown<K>(properties: &Properties<&[u8], K>) -> String {
    let mut text = String::new();
    for property in properties {
        let value = PropertyValue::from(&property).show(string_or_bytes);
        let _ = write!(text, ", {} {value}", property.field());
    }
    text
}

/// Describes a string in quotes, or bytes that are not UTF-8.
fn string_or_bytes(bytes: &[u8]) -> String {
    core::str::from_utf8(bytes).map_or_else(|_| payload(bytes), string)
}
