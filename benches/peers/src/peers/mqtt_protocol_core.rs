//! mqtt-protocol-core: packets, and connections of clients and servers.

use std::io::Write as _;
use std::rc::Rc;

use mqtt_protocol_core::mqtt;

use mqtt::common::Cursor;
use mqtt::connection::{Event, PacketBuildResult, PacketBuilder, PacketData, RawPacket};
use mqtt::packet::{GenericPacketTrait as _, Packet, Qos, SubEntry, SubOpts, v3_1_1 as v3};
use mqtt::result_code::{ConnectReturnCode, SubackReturnCode};
use mqtt::{Connection, Version, role};

use crate::job::{
    From, Idle, MESSAGE, Peer, SMALL_MESSAGE, Work, Writer, decoding, feeding, idle, repeating,
    writing,
};
use crate::workload::{Fields, Order, Seen};

fn see(raw: RawPacket, seen: &mut Seen) {
    let (packet_type, flags) = (raw.packet_type(), raw.flags());
    let bytes = match raw.data {
        PacketData::Publish(bytes) => {
            let (publish, _) = v3::Publish::parse(flags, bytes).unwrap();
            seen.publish(
                publish.topic_name().as_bytes(),
                publish.payload().as_slice(),
                publish.qos() as u8,
                publish.packet_id().unwrap_or(0),
            );
            return;
        }
        PacketData::Normal(bytes) => bytes,
    };
    match packet_type {
        1 => {
            let (connect, _) = v3::Connect::parse(&bytes).unwrap();
            seen.packet(0);
            seen.number(connect.keep_alive());
            seen.bytes(connect.client_id().as_bytes());
            seen.bytes(connect.will_topic().unwrap_or_default().as_bytes());
            seen.bytes(connect.will_payload().unwrap_or_default());
            seen.bytes(connect.user_name().unwrap_or_default().as_bytes());
            seen.bytes(connect.password().unwrap_or_default());
        }
        4 => seen.packet(v3::Puback::parse(&bytes).unwrap().0.packet_id()),
        8 => {
            let (subscribe, _) = v3::Subscribe::parse(&bytes).unwrap();
            seen.packet(subscribe.packet_id());
            for entry in subscribe.entries() {
                seen.bytes(entry.topic_filter().as_bytes());
                seen.number(entry.sub_opts().qos() as u16);
            }
        }
        9 => {
            let (suback, _) = v3::Suback::parse(&bytes).unwrap();
            seen.packet(suback.packet_id());
            for code in suback.return_codes() {
                seen.number(code as u16);
            }
        }
        12 => {
            v3::Pingreq::parse(&bytes).unwrap();
            seen.packet(0);
        }
        2 => v3::Connack::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        5 => v3::Pubrec::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        6 => v3::Pubrel::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        7 => v3::Pubcomp::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        10 => v3::Unsubscribe::parse(&bytes)
            .map(|_| seen.packet(0))
            .unwrap(),
        11 => v3::Unsuback::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        13 => v3::Pingresp::parse(&bytes).map(|_| seen.packet(0)).unwrap(),
        14 => v3::Disconnect::parse(&bytes)
            .map(|_| seen.packet(0))
            .unwrap(),
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

pub fn qos(number: u8) -> Qos {
    match number {
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        _ => Qos::ExactlyOnce,
    }
}

fn publish(topic: &str, payload: &[u8], number: u8, packet_id: u16) -> v3::Publish {
    let mut builder = v3::Publish::builder()
        .topic_name(topic)
        .unwrap()
        .qos(qos(number))
        .payload(payload);
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
        } => publish(topic, payload, *qos, *packet_id).into(),
        Fields::PubAck { packet_id } => {
            let builder = v3::Puback::builder().packet_id(*packet_id);
            builder.build().unwrap().into()
        }
        Fields::PingReq => v3::Pingreq::new().into(),
        Fields::Subscribe { packet_id, filters } => {
            let entries = filters.iter().map(|(filter, number)| {
                SubEntry::new(filter.as_str(), SubOpts::new().set_qos(qos(*number))).unwrap()
            });
            let builder = v3::Subscribe::builder().packet_id(*packet_id);
            builder
                .entries(entries.collect::<Vec<_>>())
                .build()
                .unwrap()
                .into()
        }
        Fields::SubAck {
            packet_id,
            return_codes,
        } => {
            let codes = return_codes.iter().map(|code| match code {
                0 => SubackReturnCode::SuccessMaximumQos0,
                1 => SubackReturnCode::SuccessMaximumQos1,
                2 => SubackReturnCode::SuccessMaximumQos2,
                _ => SubackReturnCode::Failure,
            });
            let builder = v3::Suback::builder().packet_id(*packet_id);
            builder
                .return_codes(codes.collect::<Vec<_>>())
                .build()
                .unwrap()
                .into()
        }
        Fields::Connect {
            client_id,
            keep_alive,
            will_topic,
            will_message,
            user_name,
            password,
        } => v3::Connect::builder()
            .client_id(client_id.as_str())
            .unwrap()
            .clean_session(true)
            .keep_alive(*keep_alive)
            .will_message(
                will_topic.as_str(),
                will_message.clone(),
                Qos::AtLeastOnce,
                true,
            )
            .unwrap()
            .user_name(user_name.as_str())
            .unwrap()
            .password(password.as_str())
            .unwrap()
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
}

/// Carries out the events. Returns the number of received payload bytes.
fn act(events: Vec<Event>, out: &mut Vec<u8>) -> usize {
    let mut bytes = 0;
    for event in events {
        match event {
            Event::RequestSendPacket { packet, .. } => {
                out.extend_from_slice(&packet.to_continuous_buffer());
            }
            Event::NotifyPacketReceived(Packet::V3_1_1Publish(publish)) => {
                bytes += publish.payload().len();
            }
            Event::NotifyError(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    bytes
}

impl Pair {
    fn new() -> Self {
        let mut pair = Self {
            client: Connection::new(Version::V3_1_1),
            server: Connection::new(Version::V3_1_1),
            to_client: Vec::new(),
            to_server: Vec::new(),
        };
        pair.client.set_auto_pub_response(true);
        pair.server.set_auto_pub_response(true);
        let connect = v3::Connect::builder()
            .client_id("device-7")
            .unwrap()
            .clean_session(true)
            .build()
            .unwrap();
        act(pair.client.checked_send(connect), &mut pair.to_server);
        pair.server_reads();
        let connack = v3::Connack::builder()
            .return_code(ConnectReturnCode::Accepted)
            .session_present(false)
            .build()
            .unwrap();
        act(pair.server.checked_send(connack), &mut pair.to_client);
        pair.client_reads();
        pair
    }

    fn publish(&mut self, qos: u8, (topic, payload): (&str, &[u8])) {
        let packet_id = match qos {
            0 => 0,
            _ => self.client.acquire_packet_id().unwrap(),
        };
        let publish = publish(topic, payload, qos, packet_id);
        act(self.client.checked_send(publish), &mut self.to_server);
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
        self.publish(qos, MESSAGE);
        let mut bytes = 0;
        while !self.to_server.is_empty() {
            bytes += self.server_reads();
            self.client_reads();
        }
        bytes
    }
}

pub struct MqttProtocolCore;

impl Peer for MqttProtocolCore {
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
        let mut pair = Pair::new();
        repeating(messages, move || pair.deliver(qos))
    }

    fn window(messages: usize, order: Order) -> Work {
        let mut pair = Pair::new();
        repeating(1, move || {
            for _ in 0..messages {
                pair.publish(1, SMALL_MESSAGE);
            }
            let bytes = pair.server_reads();
            order.apply(&mut pair.to_client);
            pair.client_reads();
            bytes / SMALL_MESSAGE.1.len()
        })
    }

    fn idle() -> Option<Idle> {
        idle(|| {
            let mut pair = Pair::new();
            pair.deliver(1);
            pair.server
        })
    }
}
