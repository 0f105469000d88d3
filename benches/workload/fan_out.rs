//! One message for many subscribers, each with a connection, an identifier and a QoS of its own.

use mqtt_sansio::v3::{Connect, Packet, PubAck};
use mqtt_sansio::{
    Config, Message, MessageHeader, QoS, Server, Session, Slot, Text, Timestamp, TopicName,
};

use super::TOPIC;

const NOW: Timestamp = Timestamp::from_millis(0);

/// What is published to all of them.
pub const PAYLOAD: [u8; 64] = [0x5a; 64];

#[derive(Debug)]
pub struct Subscriber {
    server: Server<[Slot; 4]>,
    qos: QoS,
    /// What is to be written to its transport.
    pub out: Vec<u8>,
}

impl Subscriber {
    fn new(n: usize) -> Self {
        let mut server = Server::new(Session::default(), Config::new(), NOW);
        let mut out = Vec::with_capacity(128);
        let connect = Packet::Connect(Connect::new(Text::new("s").unwrap()));
        server.handle_packet(NOW, connect).unwrap();
        server.accept(NOW, &mut None, &mut out).unwrap();
        let mut subscriber = Self {
            server,
            qos: QoS::AtLeastOnce,
            out,
        };
        // So that the identifiers differ.
        for _ in 0..n % 7 {
            let packet_id = subscriber.publish(&message(QoS::AtLeastOnce)).unwrap();
            let puback = Packet::<&[u8]>::PubAck(PubAck { packet_id });
            subscriber.server.handle_packet(NOW, puback).unwrap();
        }
        subscriber.qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][n % 3];
        subscriber.out.clear();
        subscriber
    }

    #[inline]
    fn publish(&mut self, message: &Message<&[u8]>) -> Option<mqtt_sansio::PacketId> {
        self.server.publish(NOW, message, &mut self.out).unwrap()
    }
}

/// Subscribers with QoS 0, 1 and 2 in turn, to whom nothing is under way.
pub fn subscribers(count: usize) -> Vec<Subscriber> {
    (0..count).map(Subscriber::new).collect()
}

#[inline]
fn message(qos: QoS) -> Message<&'static [u8]> {
    Message {
        topic: TopicName::new(TOPIC).unwrap(),
        payload: &PAYLOAD,
        qos,
        retain: false,
    }
}

/// One way to publish the message to all of them.
pub type Way = fn(&mut [Subscriber]);

/// Each subscriber gets a copy of the message.
pub fn copies(subscribers: &mut [Subscriber]) {
    let message = message(QoS::AtMostOnce);
    for subscriber in subscribers {
        let qos = subscriber.qos;
        subscriber.publish(&Message { qos, ..message });
    }
}

/// Each subscriber gets a header, and the payload is shared by all of them.
pub fn shared_payload(subscribers: &mut [Subscriber]) {
    let Message { topic, payload, .. } = message(QoS::AtMostOnce);
    for subscriber in subscribers {
        let header = MessageHeader {
            topic,
            payload_len: payload.len() as u32,
            qos: subscriber.qos,
            retain: false,
        };
        let (server, out) = (&mut subscriber.server, &mut subscriber.out);
        server.publish_in_pieces(NOW, &header, out).unwrap();
        assert_eq!(server.payload_sent(NOW, payload.len()).unwrap(), 0);
    }
}

/// Makes them as they were, as if nothing had been published, without giving up their memory.
pub fn begin_anew(subscribers: &mut [Subscriber], fresh: &[Subscriber]) {
    for (subscriber, fresh) in subscribers.iter_mut().zip(fresh) {
        subscriber.server = fresh.server.clone();
        subscriber.out.clear();
    }
}

/// How many bytes were written for all of them.
pub fn written(subscribers: &[Subscriber]) -> usize {
    subscribers.iter().map(|each| each.out.len()).sum()
}
