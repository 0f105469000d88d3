//! MQTT 5 of flowsdk: its packets. See [`super::flowsdk`].

use std::rc::Rc;

use ::flowsdk::mqtt_serde::control_packet::MqttPacket;
use ::flowsdk::mqtt_serde::mqttv5::will::{Will, WillProperties};
use ::flowsdk::mqtt_serde::mqttv5::{
    Property, connackv5, connectv5, pingreqv5, pubackv5, publishv5, subackv5, subscribev5,
};

use super::flowsdk::{self, Flowsdk};
use crate::job::{From, Peer, Work};
use crate::workload::Seen;
use crate::workload::v5::{Fields, MessageProperties};

fn see_properties(properties: &[Property], seen: &mut Seen) {
    for property in properties {
        match property {
            Property::MessageExpiryInterval(number)
            | Property::SubscriptionIdentifier(number)
            | Property::SessionExpiryInterval(number)
            | Property::MaximumPacketSize(number) => seen.long_number(*number),
            Property::TopicAlias(number)
            | Property::ReceiveMaximum(number)
            | Property::TopicAliasMaximum(number)
            | Property::ServerKeepAlive(number) => seen.number(*number),
            Property::ContentType(text) | Property::AssignedClientIdentifier(text) => {
                seen.bytes(text.as_bytes());
            }
            Property::UserProperty(name, value) => {
                seen.bytes(name.as_bytes());
                seen.bytes(value.as_bytes());
            }
            _ => {}
        }
    }
}

fn see(packet: &MqttPacket, seen: &mut Seen) {
    match packet {
        MqttPacket::Publish5(publish) => {
            seen.publish(
                publish.topic_name.as_bytes(),
                &publish.payload,
                publish.qos,
                publish.packet_id.unwrap_or(0),
            );
            see_properties(&publish.properties, seen);
        }
        MqttPacket::PubAck5(puback) => {
            seen.packet(puback.packet_id);
            seen.number(u16::from(puback.reason_code));
        }
        MqttPacket::PingReq5(_) => seen.packet(0),
        MqttPacket::Subscribe5(subscribe) => {
            seen.packet(subscribe.packet_id);
            see_properties(&subscribe.properties, seen);
            for subscription in &subscribe.subscriptions {
                seen.bytes(subscription.topic_filter.as_bytes());
                seen.number(u16::from(subscription.qos));
            }
        }
        MqttPacket::SubAck5(suback) => {
            seen.packet(suback.packet_id);
            for code in &suback.reason_codes {
                seen.number(u16::from(*code));
            }
        }
        MqttPacket::Connect5(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive);
            see_properties(&connect.properties, seen);
            seen.bytes(connect.client_id.as_bytes());
            if let Some(will) = &connect.will {
                seen.long_number(will.properties.will_delay_interval.unwrap_or(0));
                seen.bytes(will.will_topic.as_bytes());
                seen.bytes(&will.will_message);
            }
            seen.bytes(connect.username.as_ref().unwrap().as_bytes());
            seen.bytes(connect.password.as_ref().unwrap());
        }
        MqttPacket::ConnAck5(connack) => {
            seen.packet(0);
            see_properties(connack.properties.as_deref().unwrap_or_default(), seen);
        }
        _ => seen.packet(0),
    }
}

fn build_properties(properties: &MessageProperties) -> Vec<Property> {
    match properties {
        MessageProperties::None => Vec::new(),
        MessageProperties::TopicAlias(alias) => vec![Property::TopicAlias(*alias)],
        MessageProperties::Usual {
            expiry,
            content_type,
            user_property: (name, value),
        } => vec![
            Property::MessageExpiryInterval(*expiry),
            Property::ContentType(content_type.clone()),
            Property::UserProperty(name.clone(), value.clone()),
        ],
    }
}

fn build(fields: &Fields) -> MqttPacket {
    match fields {
        Fields::Publish {
            topic,
            payload,
            qos,
            packet_id,
            properties,
        } => MqttPacket::Publish5(publishv5::MqttPublish::new_with_prop(
            *qos,
            topic.clone(),
            (*qos > 0).then_some(*packet_id),
            payload.clone(),
            false,
            false,
            build_properties(properties),
        )),
        Fields::PubAck {
            packet_id,
            reason_code,
        } => MqttPacket::PubAck5(pubackv5::MqttPubAck::new(
            *packet_id,
            *reason_code,
            Vec::new(),
        )),
        Fields::PingReq => MqttPacket::PingReq5(pingreqv5::MqttPingReq::new()),
        Fields::Subscribe {
            packet_id,
            identifier,
            filters,
        } => {
            let subscriptions = filters.iter().map(|(filter, options)| {
                subscribev5::TopicSubscription::new(
                    filter.clone(),
                    options & 3,
                    options & 4 != 0,
                    options & 8 != 0,
                    options >> 4,
                )
            });
            MqttPacket::Subscribe5(subscribev5::MqttSubscribe::new(
                *packet_id,
                subscriptions.collect(),
                vec![Property::SubscriptionIdentifier(*identifier)],
            ))
        }
        Fields::SubAck {
            packet_id,
            reason_codes,
        } => MqttPacket::SubAck5(subackv5::MqttSubAck::new_simple(
            *packet_id,
            reason_codes.clone(),
        )),
        Fields::Connect {
            client_id,
            keep_alive,
            session_expiry,
            receive_maximum,
            will_delay,
            will_topic,
            will_payload,
            user_name,
            password,
        } => {
            let mut will = Will::new(will_topic.clone(), will_payload.clone(), 1, true);
            will.properties = WillProperties {
                will_delay_interval: Some(*will_delay),
                ..WillProperties::new()
            };
            MqttPacket::Connect5(connectv5::MqttConnect::new(
                client_id.clone(),
                Some(user_name.clone()),
                Some(password.clone().into_bytes()),
                Some(will),
                *keep_alive,
                true,
                vec![
                    Property::SessionExpiryInterval(*session_expiry),
                    Property::ReceiveMaximum(*receive_maximum),
                ],
            ))
        }
        Fields::ConnAck {
            session_expiry,
            receive_maximum,
            maximum_packet_size,
            assigned_client_id,
            topic_alias_maximum,
            server_keep_alive,
        } => MqttPacket::ConnAck5(connackv5::MqttConnAck::new(
            false,
            0,
            Some(vec![
                Property::SessionExpiryInterval(*session_expiry),
                Property::ReceiveMaximum(*receive_maximum),
                Property::MaximumPacketSize(*maximum_packet_size),
                Property::AssignedClientIdentifier(assigned_client_id.clone()),
                Property::TopicAliasMaximum(*topic_alias_maximum),
                Property::ServerKeepAlive(*server_keep_alive),
            ]),
        )),
    }
}

impl Peer<Fields> for Flowsdk {
    const NAME: &'static str = flowsdk::NAME;

    fn decode(stream: Rc<[u8]>) -> Work {
        flowsdk::decode(stream, 5, see)
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        flowsdk::decode_chunks(stream, chunk, 5, see)
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        flowsdk::encode(packets, from, build)
    }
}
