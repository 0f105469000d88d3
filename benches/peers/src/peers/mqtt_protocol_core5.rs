//! MQTT 5 of mqtt-protocol-core: packets, and connections of clients and servers.

use std::io::Write as _;
use std::rc::Rc;

use mqtt_protocol_core::mqtt;

use mqtt::common::Cursor;
use mqtt::connection::{Event, PacketBuildResult, PacketBuilder, PacketData, RawPacket};
use mqtt::packet::{
    AssignedClientIdentifier, ContentType, MaximumPacketSize, MessageExpiryInterval,
    ReceiveMaximum, ServerKeepAlive, SessionExpiryInterval, SubscriptionIdentifier, TopicAlias,
    TopicAliasMaximum, UserProperty, WillDelayInterval,
};
use mqtt::packet::{
    GenericPacketTrait as _, Packet, Properties, Property, Qos, SubEntry, SubOpts, v5_0 as v5,
};
use mqtt::result_code::{ConnectReasonCode, PubackReasonCode, SubackReasonCode};
use mqtt::{Connection, Version, role};

use super::mqtt_protocol_core::{MqttProtocolCore, qos};
use crate::job::{
    From, Idle, MESSAGE, Peer, Work, Writer, decoding, feeding, idle, repeating, writing,
};
use crate::workload::Seen;
use crate::workload::v5::{Fields, MessageProperties, usual_properties};

fn see_properties(properties: &Properties, seen: &mut Seen) {
    for property in properties {
        match property {
            Property::MessageExpiryInterval(it) => seen.long_number(it.val()),
            Property::SessionExpiryInterval(it) => seen.long_number(it.val()),
            Property::WillDelayInterval(it) => seen.long_number(it.val()),
            Property::MaximumPacketSize(it) => seen.long_number(it.val()),
            Property::SubscriptionIdentifier(it) => seen.long_number(it.val()),
            Property::TopicAliasMaximum(it) => seen.number(it.val()),
            Property::ServerKeepAlive(it) => seen.number(it.val()),
            Property::ReceiveMaximum(it) => seen.number(it.val()),
            Property::TopicAlias(it) => seen.number(it.val()),
            Property::ContentType(it) => seen.bytes(it.val().as_bytes()),
            Property::AssignedClientIdentifier(it) => seen.bytes(it.val().as_bytes()),
            Property::UserProperty(it) => {
                seen.bytes(it.key().as_bytes());
                seen.bytes(it.val().as_bytes());
            }
            _ => {}
        }
    }
}

fn see(raw: RawPacket, seen: &mut Seen) {
    let (packet_type, flags) = (raw.packet_type(), raw.flags());
    let bytes = match raw.data {
        PacketData::Publish(bytes) => {
            let (publish, _) = v5::Publish::parse(flags, bytes).unwrap();
            seen.publish(
                publish.topic_name().as_bytes(),
                publish.payload().as_slice(),
                publish.qos() as u8,
                publish.packet_id().unwrap_or(0),
            );
            see_properties(publish.props(), seen);
            return;
        }
        PacketData::Normal(bytes) => bytes,
    };
    match packet_type {
        1 => {
            let (connect, _) = v5::Connect::parse(&bytes).unwrap();
            seen.packet(0);
            seen.number(connect.keep_alive());
            see_properties(connect.props(), seen);
            see_properties(connect.will_props(), seen);
            seen.bytes(connect.client_id().as_bytes());
            seen.bytes(connect.will_topic().unwrap_or_default().as_bytes());
            seen.bytes(connect.will_payload().unwrap_or_default());
            seen.bytes(connect.user_name().unwrap_or_default().as_bytes());
            seen.bytes(connect.password().unwrap_or_default());
        }
        2 => {
            let (connack, _) = v5::Connack::parse(&bytes).unwrap();
            seen.packet(0);
            see_properties(connack.props(), seen);
        }
        4 => {
            let (puback, _) = v5::Puback::parse(&bytes).unwrap();
            seen.packet(puback.packet_id());
            seen.number(puback.reason_code().map_or(0, |code| code as u16));
        }
        5 => v5::Pubrec::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        6 => v5::Pubrel::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        7 => v5::Pubcomp::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        8 => {
            let (subscribe, _) = v5::Subscribe::parse(&bytes).unwrap();
            seen.packet(subscribe.packet_id());
            see_properties(subscribe.props(), seen);
            for entry in subscribe.entries() {
                seen.bytes(entry.topic_filter().as_bytes());
                seen.number(entry.sub_opts().qos() as u16);
            }
        }
        9 => {
            let (suback, _) = v5::Suback::parse(&bytes).unwrap();
            seen.packet(suback.packet_id());
            for code in suback.reason_codes() {
                seen.number(code as u16);
            }
        }
        10 => v5::Unsubscribe::parse(&bytes)
            .map(|_| seen.packet(0))
            .unwrap(),
        11 => v5::Unsuback::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        12 => v5::Pingreq::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        13 => v5::Pingresp::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        14 => v5::Disconnect::parse(&bytes)
            .map(|_| seen.packet(0))
            .unwrap(),
        15 => v5::Auth::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        other => panic!("packet type {other}"),
    }
}

fn read(builder: &mut PacketBuilder, bytes: &[u8], seen: &mut Seen) {
    let mut cursor = Cursor::new(bytes);
    loop {
        match builder.feed(&mut cursor) {
            PacketBuildResult::Complete(raw) => see(raw, seen),
            PacketBuildResult::Incomplete => return,
            PacketBuildResult::Error(error) => panic!("{error:?}"),
        }
    }
}

fn message_properties(properties: &MessageProperties) -> Properties {
    match properties {
        MessageProperties::None => Vec::new(),
        MessageProperties::TopicAlias(alias) => {
            vec![Property::TopicAlias(TopicAlias::new(*alias).unwrap())]
        }
        MessageProperties::Usual {
            expiry,
            content_type,
            user_property: (name, value),
        } => vec![
            Property::MessageExpiryInterval(MessageExpiryInterval::new(*expiry).unwrap()),
            Property::ContentType(ContentType::new(content_type.as_str()).unwrap()),
            Property::UserProperty(UserProperty::new(name.as_str(), value.as_str()).unwrap()),
        ],
    }
}

fn publish(
    topic: &str,
    payload: &[u8],
    number: u8,
    packet_id: u16,
    properties: Properties,
) -> v5::Publish {
    let mut builder = v5::Publish::builder().qos(qos(number)).payload(payload);
    if !topic.is_empty() {
        builder = builder.topic_name(topic).unwrap();
    }
    if !properties.is_empty() {
        builder = builder.props(properties);
    }
    if number > 0 {
        builder = builder.packet_id(packet_id);
    }
    builder.build().unwrap()
}

fn build(fields: &Fields) -> Packet {
    match fields {
        Fields::Publish {
            topic,
            payload,
            qos,
            packet_id,
            properties,
        } => publish(
            topic,
            payload,
            *qos,
            *packet_id,
            message_properties(properties),
        )
        .into(),
        Fields::PubAck {
            packet_id,
            reason_code,
        } => {
            let mut builder = v5::Puback::builder().packet_id(*packet_id);
            if *reason_code != 0 {
                builder = builder.reason_code(PubackReasonCode::NoMatchingSubscribers);
            }
            builder.build().unwrap().into()
        }
        Fields::PingReq => v5::Pingreq::new().into(),
        Fields::Subscribe {
            packet_id,
            identifier,
            filters,
        } => {
            let entries = filters.iter().map(|(filter, options)| {
                SubEntry::new(filter.as_str(), SubOpts::from_u8(*options).unwrap()).unwrap()
            });
            let identifier = SubscriptionIdentifier::new(*identifier).unwrap();
            let builder = v5::Subscribe::builder().packet_id(*packet_id);
            builder
                .entries(entries.collect::<Vec<_>>())
                .props(vec![Property::SubscriptionIdentifier(identifier)])
                .build()
                .unwrap()
                .into()
        }
        Fields::SubAck {
            packet_id,
            reason_codes,
        } => {
            let codes = reason_codes.iter().map(|code| match code {
                0 => SubackReasonCode::GrantedQos0,
                _ => SubackReasonCode::GrantedQos1,
            });
            let builder = v5::Suback::builder().packet_id(*packet_id);
            builder
                .reason_codes(codes.collect::<Vec<_>>())
                .build()
                .unwrap()
                .into()
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
        } => v5::Connect::builder()
            .client_id(client_id.as_str())
            .unwrap()
            .clean_start(true)
            .keep_alive(*keep_alive)
            .props(vec![
                Property::SessionExpiryInterval(
                    SessionExpiryInterval::new(*session_expiry).unwrap(),
                ),
                Property::ReceiveMaximum(ReceiveMaximum::new(*receive_maximum).unwrap()),
            ])
            .will_message(
                will_topic.as_str(),
                will_payload.clone(),
                Qos::AtLeastOnce,
                true,
            )
            .unwrap()
            .will_props(vec![Property::WillDelayInterval(
                WillDelayInterval::new(*will_delay).unwrap(),
            )])
            .user_name(user_name.as_str())
            .unwrap()
            .password(password.as_str())
            .unwrap()
            .build()
            .unwrap()
            .into(),
        Fields::ConnAck {
            session_expiry,
            receive_maximum,
            maximum_packet_size,
            assigned_client_id,
            topic_alias_maximum,
            server_keep_alive,
        } => v5::Connack::builder()
            .session_present(false)
            .reason_code(ConnectReasonCode::Success)
            .props(vec![
                Property::SessionExpiryInterval(
                    SessionExpiryInterval::new(*session_expiry).unwrap(),
                ),
                Property::ReceiveMaximum(ReceiveMaximum::new(*receive_maximum).unwrap()),
                Property::MaximumPacketSize(MaximumPacketSize::new(*maximum_packet_size).unwrap()),
                Property::AssignedClientIdentifier(
                    AssignedClientIdentifier::new(assigned_client_id.as_str()).unwrap(),
                ),
                Property::TopicAliasMaximum(TopicAliasMaximum::new(*topic_alias_maximum).unwrap()),
                Property::ServerKeepAlive(ServerKeepAlive::new(*server_keep_alive).unwrap()),
            ])
            .build()
            .unwrap()
            .into(),
    }
}

struct Pair {
    client: Connection<role::Client>,
    server: Connection<role::Server>,
    to_client: Vec<u8>,
    to_server: Vec<u8>,
    properties: MessageProperties,
}

/// Carries out the events. Returns the number of received payload bytes.
fn act(events: Vec<Event>, out: &mut Vec<u8>) -> usize {
    let mut bytes = 0;
    for event in events {
        match event {
            Event::RequestSendPacket { packet, .. } => {
                out.extend_from_slice(&packet.to_continuous_buffer());
            }
            Event::NotifyPacketReceived(Packet::V5_0Publish(publish)) => {
                bytes += publish.payload().len();
            }
            Event::NotifyError(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    bytes
}

impl Pair {
    fn new(properties: MessageProperties) -> Self {
        let mut pair = Self {
            client: Connection::new(Version::V5_0),
            server: Connection::new(Version::V5_0),
            to_client: Vec::new(),
            to_server: Vec::new(),
            properties,
        };
        pair.client.set_auto_pub_response(true);
        pair.server.set_auto_pub_response(true);
        let connect = v5::Connect::builder().client_id("device-7").unwrap();
        let connect = connect.clean_start(true).build().unwrap();
        act(pair.client.checked_send(connect), &mut pair.to_server);
        pair.server_reads();
        let connack = v5::Connack::builder()
            .reason_code(ConnectReasonCode::Success)
            .session_present(false)
            .build()
            .unwrap();
        act(pair.server.checked_send(connack), &mut pair.to_client);
        pair.client_reads();
        pair
    }

    fn server_reads(&mut self) -> usize {
        let mut cursor = Cursor::new(&self.to_server[..]);
        let mut bytes = 0;
        while (cursor.position() as usize) < self.to_server.len() {
            bytes += act(self.server.recv(&mut cursor), &mut self.to_client);
        }
        self.to_server.clear();
        bytes
    }

    fn client_reads(&mut self) {
        let mut cursor = Cursor::new(&self.to_client[..]);
        while (cursor.position() as usize) < self.to_client.len() {
            act(self.client.recv(&mut cursor), &mut self.to_server);
        }
        self.to_client.clear();
    }

    fn deliver(&mut self, qos: u8) -> usize {
        let (topic, payload) = MESSAGE;
        let packet_id = self.client.acquire_packet_id().unwrap();
        let properties = message_properties(&self.properties);
        let publish = publish(topic, payload, qos, packet_id, properties);
        act(self.client.checked_send(publish), &mut self.to_server);
        let mut bytes = 0;
        while !self.to_server.is_empty() {
            bytes += self.server_reads();
            self.client_reads();
        }
        bytes
    }
}

impl Peer<Fields> for MqttProtocolCore {
    const NAME: &'static str = "mqtt-protocol-core 0.7.9";

    fn decode(stream: Rc<[u8]>) -> Work {
        decoding(stream, <[u8]>::to_vec, |input, seen| {
            read(&mut PacketBuilder::new(), input, seen);
        })
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        feeding(stream, chunk, PacketBuilder::new, read)
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        let writer = Writer {
            build,
            output: Vec::with_capacity,
            clear: Vec::clear,
            write: |packet: &mut Packet, out: &mut Vec<u8>| {
                out.write_vectored(&packet.to_buffers()).unwrap();
            },
            read: |out: &mut Vec<u8>| out.clone(),
            consumes: false,
        };
        writing(packets, from, writer)
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
            pair.server
        })
    }
}
