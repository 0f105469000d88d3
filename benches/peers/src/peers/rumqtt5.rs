//! MQTT 5 of mqttbytes and of rumqttc, whose codec comes from it.

use std::rc::Rc;

use bytes::BytesMut;
use rumqttc::v5::{MqttState, Request};

use crate::job::{From, Idle, MESSAGE, Peer, Work, idle, repeating};
use crate::peers::rumqtt::{decode_with, feed_with, write_with};
use crate::workload::v5::{Fields, MessageProperties, usual_properties};

/// Makes and reads packets with the codec of a crate. The types of both have nearly the same names
/// and fields; those for CONNECT, SUBSCRIBE and SUBACK differ.
macro_rules! codec {
    ($codec:path) => {
        use bytes::{Bytes, BytesMut};
        use $codec as codec;

        use codec::v5::{
            ConnAck, ConnAckProperties, ConnectReturnCode, Packet, PubAck, PubAckReason, Publish,
            PublishProperties, SubscribeProperties,
        };
        use codec::{QoS, qos};

        use crate::workload::Seen;
        use crate::workload::v5::{Fields, MessageProperties};

        pub fn see(packet: &Packet, seen: &mut Seen) {
            match packet {
                Packet::Publish(publish) => {
                    let topic: &[u8] = publish.topic.as_ref();
                    seen.publish(topic, &publish.payload, publish.qos as u8, publish.pkid);
                    let Some(properties) = &publish.properties else {
                        return;
                    };
                    seen.long_number(properties.message_expiry_interval.unwrap_or(0));
                    seen.number(properties.topic_alias.unwrap_or(0));
                    if let Some(content_type) = &properties.content_type {
                        seen.bytes(content_type.as_bytes());
                    }
                    for (name, value) in &properties.user_properties {
                        seen.bytes(name.as_bytes());
                        seen.bytes(value.as_bytes());
                    }
                }
                Packet::PubAck(puback) => {
                    seen.packet(puback.pkid);
                    seen.number(match puback.reason {
                        PubAckReason::Success => 0,
                        _ => 0x10,
                    });
                }
                Packet::ConnAck(connack) => {
                    seen.packet(0);
                    let Some(properties) = &connack.properties else {
                        return;
                    };
                    seen.long_number(properties.session_expiry_interval.unwrap_or(0));
                    seen.long_number(properties.max_packet_size.unwrap_or(0));
                    seen.number(properties.receive_max.unwrap_or(0));
                    seen.number(properties.topic_alias_max.unwrap_or(0));
                    seen.number(properties.server_keep_alive.unwrap_or(0));
                    if let Some(client_id) = &properties.assigned_client_identifier {
                        seen.bytes(client_id.as_bytes());
                    }
                }
                Packet::Subscribe(subscribe) => {
                    seen.packet(subscribe.pkid);
                    let properties = subscribe.properties.as_ref();
                    let identifier = properties.and_then(|properties| properties.id);
                    seen.long_number(identifier.unwrap_or(0) as u32);
                    for filter in &subscribe.filters {
                        seen.bytes(filter.path.as_bytes());
                        seen.number(filter.qos as u16);
                    }
                }
                other => see_other(other, seen),
            }
        }

        pub fn message_properties(properties: &MessageProperties) -> Option<PublishProperties> {
            let mut built = PublishProperties {
                payload_format_indicator: None,
                message_expiry_interval: None,
                topic_alias: None,
                response_topic: None,
                correlation_data: None,
                user_properties: Vec::new(),
                subscription_identifiers: Vec::new(),
                content_type: None,
            };
            match properties {
                MessageProperties::None => return None,
                MessageProperties::TopicAlias(alias) => built.topic_alias = Some(*alias),
                MessageProperties::Usual {
                    expiry,
                    content_type,
                    user_property,
                } => {
                    built.message_expiry_interval = Some(*expiry);
                    built.content_type = Some(content_type.clone());
                    built.user_properties.push(user_property.clone());
                }
            }
            Some(built)
        }

        pub fn build(fields: &Fields) -> Packet {
            match fields {
                Fields::Publish {
                    topic,
                    payload,
                    qos: number,
                    packet_id,
                    properties,
                } => Packet::Publish(Publish {
                    dup: false,
                    qos: quality(*number),
                    retain: false,
                    topic: topic.clone().into(),
                    pkid: *packet_id,
                    properties: message_properties(properties),
                    payload: Bytes::copy_from_slice(payload),
                }),
                Fields::PubAck {
                    packet_id,
                    reason_code,
                } => Packet::PubAck(PubAck {
                    pkid: *packet_id,
                    reason: match reason_code {
                        0 => PubAckReason::Success,
                        _ => PubAckReason::NoMatchingSubscribers,
                    },
                    properties: None,
                }),
                Fields::ConnAck {
                    session_expiry,
                    receive_maximum,
                    maximum_packet_size,
                    assigned_client_id,
                    topic_alias_maximum,
                    server_keep_alive,
                } => Packet::ConnAck(ConnAck {
                    session_present: false,
                    code: ConnectReturnCode::Success,
                    properties: Some(ConnAckProperties {
                        session_expiry_interval: Some(*session_expiry),
                        receive_max: Some(*receive_maximum),
                        max_qos: None,
                        retain_available: None,
                        max_packet_size: Some(*maximum_packet_size),
                        assigned_client_identifier: Some(assigned_client_id.clone()),
                        topic_alias_max: Some(*topic_alias_maximum),
                        reason_string: None,
                        user_properties: Vec::new(),
                        wildcard_subscription_available: None,
                        subscription_identifiers_available: None,
                        shared_subscription_available: None,
                        server_keep_alive: Some(*server_keep_alive),
                        response_information: None,
                        server_reference: None,
                        authentication_method: None,
                        authentication_data: None,
                    }),
                }),
                other => build_other(other),
            }
        }

        fn subscribe_properties(identifier: u32) -> Option<SubscribeProperties> {
            Some(SubscribeProperties {
                id: Some(identifier as usize),
                user_properties: Vec::new(),
            })
        }
    };
}

mod mqttbytes_codec {
    codec!(mqttbytes);

    use codec::v5::{
        Connect, ConnectProperties, LastWill, Login, PingReq, RetainForwardRule, SubAck, Subscribe,
        SubscribeFilter, SubscribeReasonCode, WillProperties,
    };

    fn quality(number: u8) -> QoS {
        qos(number).unwrap()
    }

    fn see_other(packet: &Packet, seen: &mut Seen) {
        match packet {
            Packet::SubAck(suback) => {
                seen.packet(suback.pkid);
                for code in &suback.return_codes {
                    seen.number(*code as u16);
                }
            }
            Packet::Connect(connect) => {
                seen.packet(0);
                seen.number(connect.keep_alive);
                if let Some(properties) = &connect.properties {
                    seen.number(properties.receive_maximum.unwrap_or(0));
                    seen.long_number(properties.session_expiry_interval.unwrap_or(0));
                }
                seen.bytes(connect.client_id.as_bytes());
                if let Some(will) = &connect.last_will {
                    let properties = will.properties.as_ref();
                    let delay = properties.and_then(|properties| properties.delay_interval);
                    seen.long_number(delay.unwrap_or(0));
                    seen.bytes(will.topic.as_bytes());
                    seen.bytes(&will.message);
                }
                if let Some(login) = &connect.login {
                    seen.bytes(login.username.as_bytes());
                    seen.bytes(login.password.as_bytes());
                }
            }
            _ => seen.packet(0),
        }
    }

    fn build_other(fields: &Fields) -> Packet {
        match fields {
            Fields::Subscribe {
                packet_id,
                identifier,
                filters,
            } => {
                let filters = filters.iter().map(|(path, options)| SubscribeFilter {
                    path: path.clone(),
                    qos: quality(options & 3),
                    nolocal: options & 4 != 0,
                    preserve_retain: options & 8 != 0,
                    retain_forward_rule: match options >> 4 {
                        0 => RetainForwardRule::OnEverySubscribe,
                        _ => RetainForwardRule::OnNewSubscribe,
                    },
                });
                Packet::Subscribe(Subscribe {
                    pkid: *packet_id,
                    filters: filters.collect(),
                    properties: subscribe_properties(*identifier),
                })
            }
            Fields::SubAck {
                packet_id,
                reason_codes,
            } => {
                let codes = reason_codes.iter().map(|code| match code {
                    0 => SubscribeReasonCode::QoS0,
                    _ => SubscribeReasonCode::QoS1,
                });
                Packet::SubAck(SubAck::new(*packet_id, codes.collect()))
            }
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
                let mut connect = Connect::new(client_id.as_str());
                connect.clean_session = true;
                connect.keep_alive = *keep_alive;
                connect.properties = Some(ConnectProperties {
                    session_expiry_interval: Some(*session_expiry),
                    receive_maximum: Some(*receive_maximum),
                    max_packet_size: None,
                    topic_alias_max: None,
                    request_response_info: None,
                    request_problem_info: None,
                    user_properties: Vec::new(),
                    authentication_method: None,
                    authentication_data: None,
                });
                connect.last_will = Some(LastWill {
                    topic: will_topic.clone(),
                    message: Bytes::copy_from_slice(will_payload),
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    properties: Some(WillProperties {
                        delay_interval: Some(*will_delay),
                        payload_format_indicator: None,
                        message_expiry_interval: None,
                        content_type: None,
                        response_topic: None,
                        correlation_data: None,
                        user_properties: Vec::new(),
                    }),
                });
                connect.login = Some(Login::new(user_name.as_str(), password.as_str()));
                Packet::Connect(connect)
            }
            _ => Packet::PingReq,
        }
    }

    pub fn write(packet: &mut Packet, out: &mut BytesMut) {
        match packet {
            Packet::Publish(publish) => publish.write(out),
            Packet::PubAck(puback) => puback.write(out),
            Packet::Subscribe(subscribe) => subscribe.write(out),
            Packet::SubAck(suback) => suback.write(out),
            Packet::ConnAck(connack) => connack.write(out),
            Packet::Connect(connect) => {
                // The encoder sets flags at an offset from the start of the buffer.
                let mut tail = out.split_off(out.len());
                let written = connect.write(&mut tail);
                out.unsplit(tail);
                written
            }
            _ => PingReq.write(out),
        }
        .unwrap();
    }
}

mod rumqttc_codec {
    codec!(rumqttc::v5::mqttbytes);

    use codec::v5::{
        Connect, ConnectProperties, Filter, LastWill, LastWillProperties, Login, PingReq,
        RetainForwardRule, SubAck, Subscribe, SubscribeReasonCode,
    };

    fn quality(number: u8) -> QoS {
        qos(number).unwrap()
    }

    fn see_other(packet: &Packet, seen: &mut Seen) {
        match packet {
            Packet::SubAck(suback) => {
                seen.packet(suback.pkid);
                for code in &suback.return_codes {
                    seen.number(match code {
                        SubscribeReasonCode::Success(qos) => *qos as u16,
                        _ => 0x80,
                    });
                }
            }
            Packet::Connect(connect, will, login) => {
                seen.packet(0);
                seen.number(connect.keep_alive);
                if let Some(properties) = &connect.properties {
                    seen.number(properties.receive_maximum.unwrap_or(0));
                    seen.long_number(properties.session_expiry_interval.unwrap_or(0));
                }
                seen.bytes(connect.client_id.as_bytes());
                if let Some(will) = will {
                    let properties = will.properties.as_ref();
                    let delay = properties.and_then(|properties| properties.delay_interval);
                    seen.long_number(delay.unwrap_or(0));
                    seen.bytes(&will.topic);
                    seen.bytes(&will.message);
                }
                if let Some(login) = login {
                    seen.bytes(login.username.as_bytes());
                    seen.bytes(login.password.as_bytes());
                }
            }
            _ => seen.packet(0),
        }
    }

    fn build_other(fields: &Fields) -> Packet {
        match fields {
            Fields::Subscribe {
                packet_id,
                identifier,
                filters,
            } => {
                let filters = filters.iter().map(|(path, options)| Filter {
                    path: path.clone(),
                    qos: quality(options & 3),
                    nolocal: options & 4 != 0,
                    preserve_retain: options & 8 != 0,
                    retain_forward_rule: match options >> 4 {
                        0 => RetainForwardRule::OnEverySubscribe,
                        _ => RetainForwardRule::OnNewSubscribe,
                    },
                });
                Packet::Subscribe(Subscribe {
                    pkid: *packet_id,
                    filters: filters.collect(),
                    properties: subscribe_properties(*identifier),
                })
            }
            Fields::SubAck {
                packet_id,
                reason_codes,
            } => {
                let codes = reason_codes.iter();
                let codes = codes.map(|code| SubscribeReasonCode::Success(quality(*code)));
                Packet::SubAck(SubAck {
                    pkid: *packet_id,
                    return_codes: codes.collect(),
                    properties: None,
                })
            }
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
                let mut properties = ConnectProperties::new();
                properties.session_expiry_interval = Some(*session_expiry);
                properties.receive_maximum = Some(*receive_maximum);
                let connect = Connect {
                    keep_alive: *keep_alive,
                    client_id: client_id.clone(),
                    clean_start: true,
                    properties: Some(properties),
                };
                let will = LastWill {
                    topic: will_topic.clone().into(),
                    message: Bytes::copy_from_slice(will_payload),
                    qos: QoS::AtLeastOnce,
                    retain: true,
                    properties: Some(LastWillProperties {
                        delay_interval: Some(*will_delay),
                        payload_format_indicator: None,
                        message_expiry_interval: None,
                        content_type: None,
                        response_topic: None,
                        correlation_data: None,
                        user_properties: Vec::new(),
                    }),
                };
                let login = Login::new(user_name.as_str(), password.as_str());
                Packet::Connect(connect, Some(will), Some(login))
            }
            _ => Packet::PingReq(PingReq),
        }
    }

    pub fn write(packet: &mut Packet, out: &mut BytesMut) {
        if let Packet::Connect(..) = packet {
            // The encoder sets flags at an offset from the start of the buffer.
            let mut tail = out.split_off(out.len());
            packet.write(&mut tail, None).unwrap();
            out.unsplit(tail);
        } else {
            packet.write(out, None).unwrap();
        }
    }
}

const LIMIT: usize = 268_435_455;

pub struct Mqttbytes;

/// Decodes a packet. Returns false if more bytes are needed.
fn read_mqttbytes(buffer: &mut BytesMut, seen: &mut crate::workload::Seen) -> bool {
    match mqttbytes::v5::read(buffer, LIMIT) {
        Ok(packet) => mqttbytes_codec::see(&packet, seen),
        Err(mqttbytes::Error::InsufficientBytes(missing)) => {
            buffer.reserve(missing);
            return false;
        }
        Err(error) => panic!("{error:?}"),
    }
    true
}

impl Peer<Fields> for Mqttbytes {
    const NAME: &'static str = "mqttbytes 0.6.0";

    fn decode(stream: Rc<[u8]>) -> Work {
        decode_with(stream, read_mqttbytes)
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        feed_with(stream, chunk, read_mqttbytes)
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        write_with(
            packets,
            from,
            mqttbytes_codec::build,
            mqttbytes_codec::write,
        )
    }
}

pub struct Rumqttc;

/// Decodes a packet. Returns false if more bytes are needed.
fn read_rumqttc(buffer: &mut BytesMut, seen: &mut crate::workload::Seen) -> bool {
    match rumqttc::v5::mqttbytes::v5::Packet::read(buffer, None) {
        Ok(packet) => rumqttc_codec::see(&packet, seen),
        Err(rumqttc::v5::mqttbytes::Error::InsufficientBytes(missing)) => {
            buffer.reserve(missing);
            return false;
        }
        Err(error) => panic!("{error:?}"),
    }
    true
}

/// A pair of clients: rumqttc has the state of a client only, which also receives and acknowledges
/// messages.
struct Pair {
    sender: MqttState,
    receiver: MqttState,
    to_sender: BytesMut,
    to_receiver: BytesMut,
    properties: MessageProperties,
}

impl Pair {
    fn new(properties: MessageProperties) -> Self {
        Self {
            sender: MqttState::new(100, false),
            receiver: MqttState::new(100, false),
            to_sender: BytesMut::new(),
            to_receiver: BytesMut::new(),
            properties,
        }
    }

    /// Decodes the received bytes and encodes the replies. Returns the number of payload bytes.
    fn read(state: &mut MqttState, input: &mut BytesMut, out: &mut BytesMut) -> usize {
        use rumqttc::v5::mqttbytes::v5::Packet;
        let mut bytes = 0;
        while !input.is_empty() {
            let packet = Packet::read(input, None).unwrap();
            if let Packet::Publish(publish) = &packet {
                bytes += publish.payload.len();
            }
            if let Some(answer) = state.handle_incoming_packet(packet).unwrap() {
                answer.write(out, None).unwrap();
            }
        }
        // The event loop would remove these.
        state.events.clear();
        bytes
    }

    fn deliver(&mut self, qos: u8) -> usize {
        let (topic, payload) = MESSAGE;
        let qos = rumqttc::v5::mqttbytes::qos(qos).unwrap();
        let properties = rumqttc_codec::message_properties(&self.properties);
        let publish =
            rumqttc::v5::mqttbytes::v5::Publish::new(topic, qos, payload.to_vec(), properties);
        let request = Request::Publish(publish);
        let packet = self.sender.handle_outgoing_packet(request).unwrap();
        packet.unwrap().write(&mut self.to_receiver, None).unwrap();
        let mut bytes = 0;
        while !self.to_receiver.is_empty() {
            bytes += Self::read(
                &mut self.receiver,
                &mut self.to_receiver,
                &mut self.to_sender,
            );
            Self::read(&mut self.sender, &mut self.to_sender, &mut self.to_receiver);
        }
        assert_eq!(self.sender.inflight(), 0);
        bytes
    }
}

impl Peer<Fields> for Rumqttc {
    const NAME: &'static str = "rumqttc 0.25.1";

    fn decode(stream: Rc<[u8]>) -> Work {
        decode_with(stream, read_rumqttc)
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        feed_with(stream, chunk, read_rumqttc)
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        write_with(packets, from, rumqttc_codec::build, rumqttc_codec::write)
    }

    fn deliver(qos: u8, messages: usize) -> Work {
        let mut pair = Pair::new(MessageProperties::None);
        repeating(messages, move || pair.deliver(qos))
    }

    fn deliver_properties(qos: u8, messages: usize) -> Work {
        let mut pair = Pair::new(usual_properties(60, 7));
        repeating(messages, move || pair.deliver(qos))
    }

    fn idle() -> Option<Idle> {
        idle(|| {
            let mut pair = Pair::new(MessageProperties::None);
            pair.deliver(1);
            pair.receiver
        })
    }
}
