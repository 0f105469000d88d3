//! One message for many subscribers, each with its own connection, identifier and QoS.

use mqtt_sansio::v3::{Connect, EncodedConnect, Message, Packet, PubAck, Server};
use mqtt_sansio::v5::PublishProperties;
use mqtt_sansio::{
    Config, EncodedMessage, PacketId, QoS, Receiver, Session, Slot, SubscriberHeader, Text,
    Timestamp, TopicName,
};

use super::{Fields, TOPIC};

const NOW: Timestamp = Timestamp::from_millis(0);

/// The message that is published to all of them.
pub const PAYLOAD: [u8; 64] = [0x5a; 64];

#[derive(Debug)]
pub struct Subscriber {
    server: Server<[Slot; 4]>,
    qos: QoS,
    /// The bytes to write to its transport, if they are copied.
    out: Vec<u8>,
    /// The bytes to write to its transport besides the shared ones.
    part: Option<SubscriberHeader<&'static [u8]>>,
}

/// The QoS of a subscriber, and the next identifier on its connection.
const fn qos_and_id(n: usize) -> (QoS, u16) {
    let qos = match n % 3 {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    };
    (qos, 1 + (n % 7) as u16)
}

impl Subscriber {
    fn new(n: usize) -> Self {
        let (qos, next) = qos_and_id(n);
        let mut server = Server::new(Session::default(), Config::new(), NOW);
        let mut out = Vec::with_capacity(128);
        let connect = Connect::new(Text::new("s").unwrap());
        let connect = EncodedConnect::encode_to_vec(&connect).unwrap();
        let connect = Packet::Connect(connect);
        server.handle_packet(NOW, connect.as_ref()).unwrap();
        server.accept_new(NOW, &mut out).unwrap();
        for id in 1..next {
            let packet_id = PacketId::new(id).unwrap();
            let message = message(QoS::AtLeastOnce);
            assert_eq!(server.publish(NOW, &message, &mut out), Ok(Some(packet_id)));
            let puback = Packet::<&[u8]>::PubAck(PubAck { packet_id });
            server.handle_packet(NOW, puback).unwrap();
        }
        out.clear();
        Self {
            server,
            qos,
            out,
            part: None,
        }
    }
}

/// Returns subscribers with QoS 0, 1 and 2 in turn, without messages in flight.
pub fn subscribers(count: usize) -> Vec<Subscriber> {
    (0..count).map(Subscriber::new).collect()
}

/// Returns the packets of all these subscribers, for a library that has no connections.
pub fn packets(count: usize) -> Vec<Fields> {
    (0..count)
        .map(|n| {
            let (qos, packet_id) = qos_and_id(n);
            Fields::Publish {
                topic: TOPIC.to_owned(),
                payload: PAYLOAD.to_vec(),
                qos: qos.number(),
                packet_id: if qos == QoS::AtMostOnce { 0 } else { packet_id },
            }
        })
        .collect()
}

fn message(qos: QoS) -> Message<&'static [u8]> {
    Message {
        topic: TopicName::new(TOPIC).unwrap(),
        payload: &PAYLOAD,
        qos,
        retain: false,
    }
}

fn encoded_message() -> EncodedMessage<Vec<u8>, &'static [u8]> {
    let topic = TopicName::new(TOPIC).unwrap();
    EncodedMessage::encode_to_vec(&topic, &PublishProperties::EMPTY, &PAYLOAD[..]).unwrap()
}

/// A method to publish the message to all of them.
pub type Way = fn(&mut [Subscriber]);

/// Encodes a packet for each subscriber.
pub fn encoded_for_each(subscribers: &mut [Subscriber]) {
    let message = message(QoS::AtMostOnce);
    for subscriber in subscribers {
        let message = Message {
            qos: subscriber.qos,
            ..message
        };
        let out = &mut subscriber.out;
        subscriber.server.publish(NOW, &message, out).unwrap();
    }
}

/// Encodes the message once, and copies it for each subscriber.
pub fn copied(subscribers: &mut [Subscriber]) {
    let message = encoded_message();
    for subscriber in subscribers {
        let server = &mut subscriber.server;
        let part = server.publish_encoded(NOW, &message, Receiver::new(subscriber.qos));
        message.write(&part.unwrap(), &mut subscriber.out).unwrap();
    }
}

/// Encodes the message once; all subscribers share it.
pub fn shared(subscribers: &mut [Subscriber]) {
    let message = encoded_message();
    for subscriber in subscribers {
        let server = &mut subscriber.server;
        let part = server.publish_encoded(NOW, &message, Receiver::new(subscriber.qos));
        subscriber.part = Some(part.unwrap());
    }
}

/// Resets the subscribers to their state before publishing, and keeps their memory.
pub fn begin_anew(subscribers: &mut [Subscriber], fresh: &[Subscriber]) {
    for (subscriber, fresh) in subscribers.iter_mut().zip(fresh) {
        subscriber.server = fresh.server.clone();
        subscriber.out.clear();
        subscriber.part = None;
    }
}

/// Returns the bytes to write to all transports, one after the other.
pub fn written(subscribers: &[Subscriber]) -> Vec<u8> {
    let message = encoded_message();
    let mut written = Vec::new();
    for subscriber in subscribers {
        written.extend_from_slice(&subscriber.out);
        if let Some(part) = &subscriber.part {
            written.extend(message.slices(part).concat());
        }
    }
    written
}
