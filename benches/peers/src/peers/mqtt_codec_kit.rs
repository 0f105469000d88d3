//! mqtt-codec-kit. Packets are read from a slice; a PUBLISH that borrows its fields can be written.

use std::rc::Rc;

use mqtt_codec_kit::common::qos::QoSWithPacketIdentifier;
use mqtt_codec_kit::common::{
    Decodable as _, Encodable as _, QualityOfService, TopicFilter, TopicName,
};
use mqtt_codec_kit::{v4, v5};

use crate::job::{From, Peer, Work, Writer, decoding, writing};
use crate::workload::v5::{Fields as Fields5, MessageProperties};
use crate::workload::{Fields, Seen};

pub struct MqttCodecKit;

fn qos(number: u8) -> QualityOfService {
    match number {
        0 => QualityOfService::Level0,
        1 => QualityOfService::Level1,
        _ => QualityOfService::Level2,
    }
}

fn publish_qos(number: u8, packet_id: u16) -> QoSWithPacketIdentifier {
    QoSWithPacketIdentifier::new(qos(number), packet_id)
}

fn filter(filter: &str) -> TopicFilter {
    TopicFilter::new(filter).unwrap()
}

/// Implements `Peer` for a version. The types of both versions have the same names.
macro_rules! version {
    ($v:ident, $Fields:ident, $see:ident, $build:ident, $faults:expr) => {
        impl Peer<$Fields> for MqttCodecKit {
            const NAME: &'static str = "mqtt-codec-kit 1.0.5";
            const FAULTS: &'static [&'static str] = &$faults;

            fn decode(stream: Rc<[u8]>) -> Work {
                decoding(stream, <[u8]>::to_vec, |input, seen| {
                    let mut input = &input[..];
                    while !input.is_empty() {
                        let packet = $v::packet::VariablePacket::decode(&mut input).unwrap();
                        $see(&packet, seen);
                    }
                })
            }

            fn encode(packets: &'static [$Fields], from: From) -> Work {
                let writer = Writer {
                    build: $build,
                    output: Vec::with_capacity,
                    clear: Vec::clear,
                    write: |packet: &mut $v::packet::VariablePacket, out: &mut Vec<u8>| {
                        packet.encode(out).unwrap();
                    },
                    read: |out: &mut Vec<u8>| out.clone(),
                    consumes: false,
                };
                writing(packets, from, writer)
            }
        }
    };
}

// mqtt-codec-kit adds four bytes to the Remaining Length of a CONNECT with a Will.
version!(v4, Fields, see_v4, build_v4, ["encode mix"]);
// The same, and it refuses a PUBLISH without a Topic Name.
version!(
    v5,
    Fields5,
    see_v5,
    build_v5,
    ["encode mix", "decode aliased", "encode aliased"]
);

fn see_v4(packet: &v4::packet::VariablePacket, seen: &mut Seen) {
    use v4::packet::VariablePacket as Packet;
    match packet {
        Packet::PublishPacket(publish) => {
            let (qos, packet_id) = publish.qos().split();
            let topic = publish.topic_name().as_bytes();
            seen.publish(topic, publish.payload(), qos as u8, packet_id.unwrap_or(0));
        }
        Packet::PubackPacket(puback) => seen.packet(puback.packet_identifier()),
        Packet::SubscribePacket(subscribe) => {
            seen.packet(subscribe.packet_identifier());
            for (filter, qos) in subscribe.subscribes() {
                seen.bytes(filter.as_bytes());
                seen.number(*qos as u16);
            }
        }
        Packet::SubackPacket(suback) => {
            seen.packet(suback.packet_identifier());
            for code in suback.return_codes() {
                seen.number(*code as u16);
            }
        }
        Packet::ConnectPacket(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive());
            seen.bytes(connect.client_identifier().as_bytes());
            if let Some(will) = connect.will() {
                seen.bytes(will.topic().as_bytes());
                seen.bytes(&will.message().0);
            }
            seen.bytes(connect.username().unwrap_or_default().as_bytes());
            seen.bytes(connect.password().unwrap_or_default().as_bytes());
        }
        _ => seen.packet(0),
    }
}

fn build_v4(fields: &Fields) -> v4::packet::VariablePacket {
    use v4::packet::connect::LastWill;
    use v4::packet::suback::SubscribeReturnCode;
    use v4::packet::{
        ConnectPacket, PingreqPacket, PubackPacket, PublishPacket, SubackPacket, SubscribePacket,
    };
    match fields {
        Fields::Publish {
            topic,
            payload,
            qos,
            packet_id,
        } => {
            let topic = TopicName::new(topic.as_str()).unwrap();
            PublishPacket::new(topic, publish_qos(*qos, *packet_id), payload.as_slice()).into()
        }
        Fields::PubAck { packet_id } => PubackPacket::new(*packet_id).into(),
        Fields::PingReq => PingreqPacket::new().into(),
        Fields::Subscribe { packet_id, filters } => {
            let filters = filters
                .iter()
                .map(|(text, number)| (filter(text), qos(*number)));
            SubscribePacket::new(*packet_id, filters.collect()).into()
        }
        Fields::SubAck {
            packet_id,
            return_codes,
        } => {
            let codes = return_codes.iter();
            let codes = codes.map(|code| SubscribeReturnCode::from(qos(*code)));
            SubackPacket::new(*packet_id, codes.collect()).into()
        }
        Fields::Connect {
            client_id,
            keep_alive,
            will_topic,
            will_message,
            user_name,
            password,
        } => {
            let mut connect = ConnectPacket::new(client_id.as_str());
            connect.set_keep_alive(*keep_alive);
            connect.set_clean_session(true);
            let will = LastWill::new(will_topic.clone(), will_message.clone());
            connect.set_will(Some(will.unwrap()));
            connect.set_will_qos(1);
            connect.set_will_retain(true);
            connect.set_username(Some(user_name.clone()));
            connect.set_password(Some(password.clone()));
            connect.into()
        }
    }
}

fn see_v5(packet: &v5::packet::VariablePacket, seen: &mut Seen) {
    use v5::packet::VariablePacket as Packet;
    match packet {
        Packet::PublishPacket(publish) => {
            let (qos, packet_id) = publish.qos().split();
            let topic = publish.topic_name().as_bytes();
            seen.publish(topic, publish.payload(), qos as u8, packet_id.unwrap_or(0));
            let properties = publish.properties();
            seen.long_number(properties.message_expiry_interval().unwrap_or(0));
            seen.number(properties.topic_alias().unwrap_or(0));
            if let Some(content_type) = properties.content_type() {
                seen.bytes(content_type.as_bytes());
            }
            for (name, value) in properties.user_properties() {
                seen.bytes(name.as_bytes());
                seen.bytes(value.as_bytes());
            }
        }
        Packet::PubackPacket(puback) => {
            seen.packet(puback.packet_identifier());
            seen.number(u16::from(u8::from(puback.reason_code())));
        }
        Packet::SubscribePacket(subscribe) => {
            seen.packet(subscribe.packet_identifier());
            let identifier = subscribe.properties().identifier().unwrap_or(0);
            seen.long_number(identifier as u32);
            for (filter, options) in subscribe.subscribes() {
                seen.bytes(filter.as_bytes());
                seen.number(options.qos() as u16);
            }
        }
        Packet::SubackPacket(suback) => {
            seen.packet(suback.packet_identifier());
            for code in suback.reason_code() {
                seen.number(u16::from(u8::from(*code)));
            }
        }
        Packet::ConnectPacket(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive());
            let properties = connect.properties();
            seen.number(properties.receive_maximum().unwrap_or(0));
            seen.long_number(properties.session_expiry_interval().unwrap_or(0));
            seen.bytes(connect.client_identifier().as_bytes());
            if let Some(will) = connect.will() {
                seen.long_number(will.properties().delay_interval().unwrap_or(0));
                seen.bytes(will.topic().as_bytes());
                seen.bytes(&will.message().0);
            }
            seen.bytes(connect.username().unwrap_or_default().as_bytes());
            seen.bytes(connect.password().unwrap_or_default().as_bytes());
        }
        Packet::ConnackPacket(connack) => {
            seen.packet(0);
            let properties = connack.properties();
            seen.long_number(properties.session_expiry_interval().unwrap_or(0));
            seen.long_number(properties.max_packet_size().unwrap_or(0));
            seen.number(properties.receive_maximum().unwrap_or(0));
            seen.number(properties.topic_alias_max().unwrap_or(0));
            seen.number(properties.server_keep_alive().unwrap_or(0));
            if let Some(client_id) = properties.assigned_client_identifier() {
                seen.bytes(client_id.as_bytes());
            }
        }
        _ => seen.packet(0),
    }
}

fn build_v5(fields: &Fields5) -> v5::packet::VariablePacket {
    use v5::control::{
        ConnackProperties, ConnectReasonCode, PubackReasonCode, PublishProperties,
        SubscribeProperties,
    };
    use v5::packet::connect::{ConnectProperties, LastWill, LastWillProperties};
    use v5::packet::subscribe::{RetainHandling, SubscribeOptions};
    use v5::packet::{
        ConnackPacket, ConnectPacket, PingreqPacket, PubackPacket, PublishPacket, SubackPacket,
        SubscribePacket,
    };
    match fields {
        Fields5::Publish {
            topic,
            payload,
            qos,
            packet_id,
            properties,
        } => {
            let topic = TopicName::new(topic.as_str()).unwrap();
            let qos = publish_qos(*qos, *packet_id);
            let mut publish = PublishPacket::new(topic, qos, payload.as_slice());
            if let MessageProperties::Usual {
                expiry,
                content_type,
                user_property: (name, value),
            } = properties
            {
                let mut properties = PublishProperties::default();
                properties.set_message_expiry_interval(Some(*expiry));
                properties.set_content_type(Some(content_type.clone()));
                properties.add_user_property(name.as_str(), value.as_str());
                publish.set_properties(properties);
            }
            publish.into()
        }
        Fields5::PubAck {
            packet_id,
            reason_code,
        } => {
            let code = match reason_code {
                0 => PubackReasonCode::Success,
                _ => PubackReasonCode::NoMatchingSubscribers,
            };
            PubackPacket::new(*packet_id, code).into()
        }
        Fields5::PingReq => PingreqPacket::new().into(),
        Fields5::Subscribe {
            packet_id,
            identifier,
            filters,
        } => {
            let filters = filters.iter().map(|(text, number)| {
                let mut options = SubscribeOptions::default();
                options.set_qos(qos(number & 3));
                options.set_no_local(number & 4 != 0);
                options.set_retain_as_published(number & 8 != 0);
                options.set_retain_handling(match number >> 4 {
                    0 => RetainHandling::SendAtSubscribe,
                    _ => RetainHandling::SendAtSubscribeIfNotExist,
                });
                (filter(text), options)
            });
            let mut subscribe = SubscribePacket::new(*packet_id, filters.collect());
            let mut properties = SubscribeProperties::default();
            properties.set_identifier(Some(*identifier as usize));
            subscribe.set_properties(properties);
            subscribe.into()
        }
        Fields5::SubAck {
            packet_id,
            reason_codes,
        } => {
            let codes = reason_codes.iter().map(|code| (*code).try_into().unwrap());
            SubackPacket::new(*packet_id, codes.collect()).into()
        }
        Fields5::Connect {
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
            let mut connect = ConnectPacket::new(client_id.as_str());
            connect.set_keep_alive(*keep_alive);
            connect.set_clean_session(true);
            let mut properties = ConnectProperties::default();
            properties.set_session_expiry_interval(Some(*session_expiry));
            properties.set_receive_maximum(Some(*receive_maximum));
            connect.set_properties(properties);
            let mut properties = LastWillProperties::default();
            properties.set_delay_interval(Some(*will_delay));
            let mut will = LastWill::new(will_topic.clone(), will_payload.clone()).unwrap();
            will.set_properties(properties);
            connect.set_will(Some(will));
            connect.set_will_qos(1);
            connect.set_will_retain(true);
            connect.set_username(Some(user_name.clone()));
            connect.set_password(Some(password.clone()));
            connect.into()
        }
        Fields5::ConnAck {
            session_expiry,
            receive_maximum,
            maximum_packet_size,
            assigned_client_id,
            topic_alias_maximum,
            server_keep_alive,
        } => {
            let mut connack = ConnackPacket::new(false, ConnectReasonCode::Success);
            let mut properties = ConnackProperties::default();
            properties.set_session_expiry_interval(Some(*session_expiry));
            properties.set_receive_maximum(Some(*receive_maximum));
            properties.set_max_packet_size(Some(*maximum_packet_size));
            properties.set_assigned_client_identifier(Some(assigned_client_id.clone()));
            properties.set_topic_alias_max(Some(*topic_alias_maximum));
            properties.set_server_keep_alive(Some(*server_keep_alive));
            connack.set_properties(properties);
            connack.into()
        }
    }
}
