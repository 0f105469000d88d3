//! One message for many subscribers of both versions. Every other one speaks MQTT 5 and has a
//! Subscription Identifier.

use mqtt_sansio::any::{Decoder, Event, ProtocolVersion, Server, Step};
use mqtt_sansio::v5::{Message, Property, PublishProperties, SubscriptionIdentifiers};
use mqtt_sansio::{
    Config, EncodedMessage, Options, QoS, Receiver, Session, Slot, SubscriberHeader, Timestamp,
    TopicName,
};

use super::TOPIC;
use super::fan_out::PAYLOAD;

const NOW: Timestamp = Timestamp::from_millis(0);
const CONNECT_3: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c";
const CONNECT_5: &[u8] = b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01c";

/// The Subscription Identifiers 1 to 100, each encoded once.
static IDENTIFIERS: [[u8; 2]; 100] = {
    let mut identifiers = [[0x0b, 0]; 100];
    let mut n = 0;
    while n < identifiers.len() {
        identifiers[n][1] = 1 + n as u8;
        n += 1;
    }
    identifiers
};

#[derive(Debug, Clone)]
pub struct Subscriber {
    server: Server<[Slot; 4]>,
    qos: QoS,
    identifiers: SubscriptionIdentifiers<&'static [u8]>,
    /// The bytes to write to its transport, if they are copied.
    out: Vec<u8>,
    /// The bytes to write to its transport besides the shared ones.
    header: Option<SubscriberHeader<&'static [u8]>>,
}

impl Subscriber {
    fn new(n: usize) -> Self {
        let is_v5 = n % 2 == 1;
        let mut server = Server::new(Session::default(), Config::new(), NOW);
        let mut decoder = Decoder::with_options([0; 64], Options::new(), ProtocolVersion::V3);
        let mut input = if is_v5 { CONNECT_5 } else { CONNECT_3 };
        let step = server.receive(NOW, &mut decoder, &mut input).unwrap();
        assert!(matches!(
            step,
            Some(Step::Event(Event::ConnectRequested(_)))
        ));
        let mut out = Vec::with_capacity(128);
        server.accept_new(NOW, &mut out).unwrap();
        out.clear();
        let identifiers = if is_v5 {
            // They are valid: a number from 1 to 100 is one byte.
            SubscriptionIdentifiers::EMPTY.map(|_| &IDENTIFIERS[n % 100][..])
        } else {
            SubscriptionIdentifiers::EMPTY
        };
        Self {
            server,
            qos: [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][n % 3],
            identifiers,
            out,
            header: None,
        }
    }

    fn receiver(&self) -> Receiver<&'static [u8]> {
        Receiver::new(self.qos).subscription_identifiers(self.identifiers)
    }
}

/// Returns subscribers with QoS 0, 1 and 2 in turn, without messages in flight.
pub fn subscribers(count: usize) -> Vec<Subscriber> {
    (0..count).map(Subscriber::new).collect()
}

/// The properties that the publisher set.
fn properties() -> PublishProperties<Vec<u8>> {
    let properties = [
        Property::PayloadFormatIndicator(true),
        Property::MessageExpiryInterval(60),
    ];
    PublishProperties::encode_to_vec(properties).unwrap()
}

/// The part that all of them share.
pub fn encoded_message() -> EncodedMessage<Vec<u8>, &'static [u8]> {
    let topic = TopicName::new(TOPIC).unwrap();
    EncodedMessage::encode_to_vec(&topic, &properties(), &PAYLOAD[..]).unwrap()
}

/// A method to publish the message to all of them.
pub type Way = fn(&EncodedMessage<Vec<u8>, &'static [u8]>, &mut [Subscriber]);

/// Encodes a packet with its properties for each subscriber.
pub fn encoded_for_each(
    _: &EncodedMessage<Vec<u8>, &'static [u8]>,
    subscribers: &mut [Subscriber],
) {
    let shared = properties();
    let topic = TopicName::new(TOPIC).unwrap();
    for subscriber in subscribers {
        let mut room = [0; 64];
        let all = shared.iter().chain(&subscriber.identifiers);
        let properties = PublishProperties::encode_to_slice(&mut room, all).unwrap();
        let message = Message::new(topic, &PAYLOAD[..])
            .qos(subscriber.qos)
            .properties(properties);
        let out = &mut subscriber.out;
        subscriber.server.publish(NOW, &message, out).unwrap();
    }
}

/// Copies the message for each subscriber.
pub fn copied(message: &EncodedMessage<Vec<u8>, &'static [u8]>, subscribers: &mut [Subscriber]) {
    for subscriber in subscribers {
        let receiver = subscriber.receiver();
        let server = &mut subscriber.server;
        let header = server.publish_encoded(NOW, message, receiver).unwrap();
        message.write(&header, &mut subscriber.out).unwrap();
    }
}

/// All subscribers share the message.
pub fn shared(message: &EncodedMessage<Vec<u8>, &'static [u8]>, subscribers: &mut [Subscriber]) {
    for subscriber in subscribers {
        let receiver = subscriber.receiver();
        let server = &mut subscriber.server;
        subscriber.header = Some(server.publish_encoded(NOW, message, receiver).unwrap());
    }
}

/// The output of [`copied`] alone, to measure the time without the library.
pub fn output_only(
    message: &EncodedMessage<Vec<u8>, &'static [u8]>,
    subscribers: &mut [Subscriber],
) {
    let payload = message.payload();
    for subscriber in subscribers {
        subscriber.out.extend_from_slice(TOPIC.as_bytes());
        subscriber.out.extend_from_slice(payload);
    }
}

/// Resets the subscribers to their state before publishing, and keeps their memory.
pub fn begin_anew(subscribers: &mut [Subscriber], fresh: &[Subscriber]) {
    for (subscriber, fresh) in subscribers.iter_mut().zip(fresh) {
        subscriber.server = fresh.server.clone();
        subscriber.out.clear();
        subscriber.header = None;
    }
}

/// Returns the bytes to write to all transports, one after the other.
pub fn written(subscribers: &[Subscriber]) -> Vec<u8> {
    let message = encoded_message();
    let mut written = Vec::new();
    for subscriber in subscribers {
        written.extend_from_slice(&subscriber.out);
        if let Some(header) = &subscriber.header {
            written.extend(message.slices(header).concat());
        }
    }
    written
}
