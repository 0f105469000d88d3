//! flowsdk: packets of MQTT 3.1.1 and 5, and an engine for clients.

use std::rc::Rc;

use flowsdk::mqtt_client::commands::PublishCommand;
use flowsdk::mqtt_client::engine::{MqttEngine, MqttEvent};
use flowsdk::mqtt_client::opts::MqttClientOptions;
use flowsdk::mqtt_serde::control_packet::MqttPacket;
use flowsdk::mqtt_serde::mqttv3::{
    connectv3, pingreqv3, pubackv3, publishv3, subackv3, subscribev3,
};
use flowsdk::mqtt_serde::parser::stream::MqttParser;

use crate::job::{
    From, Idle, MESSAGE, Peer, SMALL_MESSAGE, Work, Writer, decoding, feeding, idle, repeating,
    writing,
};
use crate::workload::version::PacketFields;
use crate::workload::{Fields, Order, Seen};

pub const NAME: &str = "flowsdk 0.7.0";

/// The function that reads the fields of a packet.
type See = fn(&MqttPacket, &mut Seen);

pub fn decode(stream: Rc<[u8]>, version: u8, see: See) -> Work {
    // The parser has a buffer of its own, which is filled beforehand.
    let parser = move |stream: &[u8]| {
        let mut parser = MqttParser::new(stream.len(), version);
        parser.feed(stream);
        parser
    };
    decoding(stream, parser, move |parser, seen| read(parser, see, seen))
}

pub fn decode_chunks(stream: Rc<[u8]>, chunk: usize, version: u8, see: See) -> Work {
    let parser = move || MqttParser::new(16 * 1024, version);
    feeding(stream, chunk, parser, move |parser, chunk, seen| {
        parser.feed(chunk);
        read(parser, see, seen);
    })
}

fn read(parser: &mut MqttParser, see: See, seen: &mut Seen) {
    while let Some(packet) = parser.next_packet().unwrap() {
        see(&packet, seen);
    }
}

pub fn encode<F: PacketFields>(
    packets: &'static [F],
    from: From,
    build: fn(&'static F) -> MqttPacket,
) -> Work {
    let writer = Writer {
        build,
        output: Vec::with_capacity,
        clear: Vec::clear,
        write: |packet: &mut MqttPacket, out: &mut Vec<u8>| {
            out.extend_from_slice(&packet.to_bytes().unwrap());
        },
        read: |out: &mut Vec<u8>| out.clone(),
        consumes: false,
    };
    writing(packets, from, writer)
}

fn see(packet: &MqttPacket, seen: &mut Seen) {
    match packet {
        MqttPacket::Publish3(publish) => seen.publish(
            publish.topic_name.as_bytes(),
            &publish.payload,
            publish.qos,
            publish.message_id.unwrap_or(0),
        ),
        MqttPacket::PubAck3(puback) => seen.packet(puback.message_id),
        MqttPacket::PingReq3(_) => seen.packet(0),
        MqttPacket::Subscribe3(subscribe) => {
            seen.packet(subscribe.message_id);
            for subscription in &subscribe.subscriptions {
                seen.bytes(subscription.topic_filter.as_bytes());
                seen.number(u16::from(subscription.qos));
            }
        }
        MqttPacket::SubAck3(suback) => {
            seen.packet(suback.message_id);
            for code in &suback.return_codes {
                seen.number(u16::from(*code));
            }
        }
        MqttPacket::Connect3(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive);
            seen.bytes(connect.client_id.as_bytes());
            if let Some(will) = &connect.will {
                seen.bytes(will.topic.as_bytes());
                seen.bytes(&will.message);
            }
            seen.bytes(connect.username.as_ref().unwrap().as_bytes());
            seen.bytes(connect.password.as_ref().unwrap());
        }
        _ => seen.packet(0),
    }
}

fn build(fields: &Fields) -> MqttPacket {
    match fields {
        Fields::Publish {
            topic,
            payload,
            qos,
            packet_id,
        } => MqttPacket::Publish3(publishv3::MqttPublish::new(
            topic.clone(),
            *qos,
            payload.clone(),
            (*qos > 0).then_some(*packet_id),
            false,
            false,
        )),
        Fields::PubAck { packet_id } => MqttPacket::PubAck3(pubackv3::MqttPubAck::new(*packet_id)),
        Fields::PingReq => MqttPacket::PingReq3(pingreqv3::MqttPingReq::new()),
        Fields::Subscribe { packet_id, filters } => {
            let subscriptions =
                filters
                    .iter()
                    .map(|(filter, qos)| subscribev3::SubscriptionTopic {
                        topic_filter: filter.clone(),
                        qos: *qos,
                    });
            let subscriptions = subscriptions.collect();
            MqttPacket::Subscribe3(subscribev3::MqttSubscribe::new(*packet_id, subscriptions))
        }
        Fields::SubAck {
            packet_id,
            return_codes,
        } => MqttPacket::SubAck3(subackv3::MqttSubAck::new(*packet_id, return_codes.clone())),
        Fields::Connect {
            client_id,
            keep_alive,
            will_topic,
            will_message,
            user_name,
            password,
        } => {
            let mut connect = connectv3::MqttConnect::new(client_id.clone(), *keep_alive, true);
            connect.will = Some(connectv3::Will {
                retain: true,
                qos: 1,
                topic: will_topic.clone(),
                message: will_message.clone(),
            });
            connect.username = Some(user_name.clone());
            connect.password = Some(password.clone().into_bytes());
            MqttPacket::Connect3(connect)
        }
    }
}

/// A pair of clients: flowsdk has an engine for clients only, which also receives and acknowledges
/// messages.
struct Pair {
    sender: MqttEngine,
    receiver: MqttEngine,
}

/// Returns a client with a received CONNACK.
fn engine(window: u16) -> MqttEngine {
    let options = MqttClientOptions::builder()
        .client_id("device-7")
        .mqtt_version(4)
        .keep_alive(0)
        .reconnect(false)
        .receive_maximum(window)
        .max_outgoing_packet_count(usize::from(window) + 1)
        .max_event_count(4 * usize::from(window) + 16)
        // The engine resends what is not acknowledged in time, even on a healthy connection.
        .retransmission_timeout_ms(3_600_000)
        .build();
    let mut engine = MqttEngine::new(options);
    engine.connect().unwrap();
    assert!(!engine.take_outgoing().is_empty());
    engine.handle_incoming(&[0x20, 2, 0, 0]);
    assert!(engine.is_connected());
    engine
}

/// Returns the number of payload bytes, and the number of deliveries, in these events.
fn sum(events: &[MqttEvent]) -> (usize, usize) {
    let (mut bytes, mut delivered) = (0, 0);
    for event in events {
        match event {
            MqttEvent::MessageReceived(message) => bytes += message.payload.len(),
            MqttEvent::Published(_) => delivered += 1,
            MqttEvent::Error(error) => panic!("{error}"),
            _ => {}
        }
    }
    (bytes, delivered)
}

impl Pair {
    fn new(window: u16) -> Self {
        Self {
            sender: engine(window),
            receiver: engine(window),
        }
    }

    fn publish(&mut self, qos: u8, (topic, payload): (&str, &[u8])) {
        let command = PublishCommand::simple(topic, payload.to_vec(), qos, false);
        self.sender.publish(command).unwrap();
    }

    fn deliver(&mut self, qos: u8) -> usize {
        self.publish(qos, MESSAGE);
        let (mut bytes, mut delivered) = (0, 0);
        loop {
            let input = self.sender.take_outgoing();
            if input.is_empty() {
                break;
            }
            bytes += sum(&self.receiver.handle_incoming(&input)).0;
            let input = self.receiver.take_outgoing();
            delivered += sum(&self.sender.handle_incoming(&input)).1;
        }
        assert!(qos == 0 || delivered == 1);
        self.sender.take_events();
        bytes
    }
}

pub struct Flowsdk;

impl Peer for Flowsdk {
    const NAME: &'static str = NAME;

    fn decode(stream: Rc<[u8]>) -> Work {
        decode(stream, 4, see)
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        decode_chunks(stream, chunk, 4, see)
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        encode(packets, from, build)
    }

    fn deliver(qos: u8, messages: usize) -> Work {
        let mut pair = Pair::new(100);
        repeating(messages, move || pair.deliver(qos))
    }

    fn window(messages: usize, order: Order) -> Work {
        // The time grows with the square of the number: 10,000 take 0.3 s, 65,535 would take 20 s.
        if messages > 10_000 {
            return None;
        }
        let mut pair = Pair::new(u16::try_from(messages).unwrap());
        repeating(1, move || {
            for _ in 0..messages {
                pair.publish(1, SMALL_MESSAGE);
            }
            let input = pair.sender.take_outgoing();
            pair.receiver.handle_incoming(&input);
            let mut acknowledgements = pair.receiver.take_outgoing();
            order.apply(&mut acknowledgements);
            sum(&pair.sender.handle_incoming(&acknowledgements)).1
        })
    }

    fn idle() -> Option<Idle> {
        idle(|| {
            let mut pair = Pair::new(100);
            pair.deliver(1);
            pair.receiver
        })
    }
}
