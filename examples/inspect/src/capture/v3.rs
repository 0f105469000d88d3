//! Conversations in MQTT 3.1 and 3.1.1.

use core::fmt::Write as _;

use mqtt_sansio::PacketType;
use mqtt_sansio::v3::{ConnAck, Packet, PacketRef, V3};

use super::ladder::{list, payload, string};
use super::version::{Meaning, Rule, Version};
use crate::json::{self, Fields};

impl Version for V3 {
    fn packet_type(packet: &PacketRef<'_>) -> PacketType {
        packet.packet_type()
    }

    fn meaning(packet: &PacketRef<'_>) -> Meaning {
        match packet {
            Packet::Connect(connect) => {
                let connect = connect.to_connect();
                Meaning::Connect {
                    client_id: connect.client_id.as_str().to_owned(),
                    is_clean: connect.clean_session,
                    keep_alive: connect.keep_alive,
                }
            }
            Packet::ConnAck(connack) => Meaning::ConnAck {
                is_accepted: matches!(connack, ConnAck::Accepted { .. }),
                session_present: connack.session_present(),
                keep_alive: None,
            },
            Packet::Publish(publish) => Meaning::Publish(publish.delivery),
            Packet::PubAck(ack) => Meaning::PubAck(ack.packet_id),
            Packet::PubRec(ack) => Meaning::PubRec {
                packet_id: ack.packet_id,
                is_error: false,
            },
            Packet::PubRel(ack) => Meaning::PubRel(ack.packet_id),
            Packet::PubComp(ack) => Meaning::PubComp(ack.packet_id),
            Packet::Subscribe(subscribe) => Meaning::Subscribe {
                packet_id: subscribe.packet_id,
                filters: subscribe.subscriptions.iter().count(),
            },
            Packet::SubAck(suback) => Meaning::SubAck {
                packet_id: suback.packet_id,
                codes: suback.return_codes.iter().count(),
            },
            Packet::Unsubscribe(unsubscribe) => Meaning::Unsubscribe {
                packet_id: unsubscribe.packet_id,
                filters: unsubscribe.topic_filters.iter().count(),
            },
            Packet::UnsubAck(ack) => Meaning::UnsubAck {
                packet_id: ack.packet_id,
                codes: None,
            },
            Packet::PingReq => Meaning::PingReq,
            Packet::PingResp => Meaning::PingResp,
            Packet::Disconnect => Meaning::Disconnect,
        }
    }

    fn summary(packet: &PacketRef<'_>) -> String {
        match packet {
            Packet::Connect(connect) => {
                let connect = connect.to_connect();
                let mut text = format!(" {}", string(connect.client_id.as_str()));
                let _ = write!(text, ", Keep Alive {}", connect.keep_alive);
                text.push_str(if connect.clean_session {
                    ", Clean Session"
                } else {
                    ", Clean Session 0"
                });
                if let Some(will) = &connect.will {
                    let retain = if will.retain { ", RETAIN" } else { "" };
                    let (qos, topic) = (will.qos.number(), string(will.topic.as_str()));
                    let _ = write!(text, ", Will to {topic} at QoS {qos}{retain}");
                }
                if let Some(credentials) = &connect.credentials {
                    let _ = write!(
                        text,
                        ", User Name {}",
                        string(credentials.user_name.as_str())
                    );
                    if credentials.password.is_some() {
                        text.push_str(", Password");
                    }
                }
                text
            }
            Packet::ConnAck(ConnAck::Accepted { session_present }) => {
                let present = u8::from(*session_present);
                format!(" accepted, Session Present {present}")
            }
            Packet::ConnAck(ConnAck::Refused(refusal)) => format!(" refused: {refusal}"),
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
                text
            }
            Packet::PubAck(ack) => format!(" {}", ack.packet_id),
            Packet::PubRec(ack) => format!(" {}", ack.packet_id),
            Packet::PubRel(ack) => format!(" {}", ack.packet_id),
            Packet::PubComp(ack) => format!(" {}", ack.packet_id),
            Packet::UnsubAck(ack) => format!(" {}", ack.packet_id),
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.subscriptions.iter().map(|subscription| {
                    let filter = string(subscription.topic_filter.as_str());
                    format!("{filter} at QoS {}", subscription.qos.number())
                });
                format!(" {} {}", subscribe.packet_id, list(filters))
            }
            Packet::SubAck(suback) => {
                let codes = suback.return_codes.iter().map(|code| match code.number() {
                    0x80 => "failure".to_owned(),
                    qos => format!("QoS {qos}"),
                });
                format!(" {} {}", suback.packet_id, list(codes))
            }
            Packet::Unsubscribe(unsubscribe) => {
                let filters = unsubscribe.topic_filters.iter();
                let filters = filters.map(|filter| string(filter.as_str()));
                format!(" {} {}", unsubscribe.packet_id, list(filters))
            }
            Packet::PingReq | Packet::PingResp | Packet::Disconnect => String::new(),
        }
    }

    fn fields(packet: &PacketRef<'_>) -> Fields {
        json::v3::fields(packet)
    }

    fn statement_of(rule: Rule) -> Option<&'static str> {
        Some(match rule {
            Rule::ConnectIsFirst => "MQTT-3.1.0-1",
            Rule::ConnectOnce => "MQTT-3.1.0-2",
            Rule::ConnAckIsFirst => "MQTT-3.2.0-1",
            Rule::NoSessionAfterClean => "MQTT-3.2.2-1",
            Rule::RefusalEnds => "MQTT-3.2.2-5",
            Rule::DisconnectEnds => "MQTT-3.14.4-2",
            Rule::ClientIdentifiersAreFree => "MQTT-2.3.1-2",
            Rule::ServerIdentifiersAreFree => "MQTT-2.3.1-4",
            Rule::KeepAlive => "MQTT-3.1.2-23",
            Rule::SilenceEnds => "MQTT-3.1.2-24",
            Rule::CodeForEachSubscription => "MQTT-3.8.4-5",
            // Resending at any time is allowed, and UNSUBACK has no codes.
            Rule::CodeForEachUnsubscription | Rule::ResendOnlyAfterReconnecting => return None,
        })
    }
}
