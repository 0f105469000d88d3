//! A client and a server that are connected with each other: each side encodes its packets, and the
//! other side decodes them.

use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use mqtt_sansio::{
    Action, ClientRole, Config, Connection, QoS, ServerRole, Session, Slot, Slots, Step,
    StreamDecoder, Timestamp, TopicName,
};

use super::version::{Happened, Version};
use super::{Order, TOPIC, v5};

const NOW: Timestamp = Timestamp::from_millis(0);

#[derive(Debug)]
pub struct Pair<V: Version, S> {
    client: Connection<V, ClientRole, S>,
    server: Connection<V, ServerRole, S>,
    at_client: StreamDecoder<V, Vec<u8>>,
    at_server: StreamDecoder<V, Vec<u8>>,
    to_client: Vec<u8>,
    to_server: Vec<u8>,
    /// The topic of every message.
    properties: V::Properties,
}

/// Up to 16 messages in each direction, without a heap block.
pub fn small_pair<V: Version>() -> Pair<V, [Slot; 16]> {
    Pair::new(Session::default(), Session::default())
}

/// [`small_pair`] for messages with the properties of [`v5::with_properties`].
pub fn pair_with_properties() -> Pair<V5, [Slot; 16]> {
    let properties = v5::usual_properties(60, 7).build();
    Pair {
        properties,
        ..small_pair()
    }
}

/// Returns a pair with slots for `messages` of them.
pub fn pair_for(messages: usize) -> Pair<V3, Vec<Slot>> {
    let session = || Session::new(vec![Slot::EMPTY; messages], Vec::new());
    Pair::new(session(), session())
}

impl<V: Version, S: Slots> Pair<V, S> {
    pub fn new(at_client: Session<S>, at_server: Session<S>) -> Self {
        let mut pair = Self {
            client: Connection::new(at_client, Config::new(), NOW),
            server: Connection::new(at_server, Config::new(), NOW),
            at_client: StreamDecoder::new(Vec::new()),
            at_server: StreamDecoder::new(Vec::new()),
            to_client: Vec::new(),
            to_server: Vec::new(),
            properties: V::Properties::default(),
        };
        pair.connect();
        pair
    }

    fn connect(&mut self) {
        V::connect(&mut self.client, &mut self.to_server);
        self.server_reads();
        self.client_reads();
    }

    /// The server's side, after a QoS 1 message.
    pub fn idle_server(mut self) -> impl Sized {
        self.deliver(QoS::AtLeastOnce, TOPIC, b"21.5");
        (self.server, self.at_server)
    }

    /// Lets the server handle received bytes. Returns the number of bytes in messages.
    #[inline]
    fn server_reads(&mut self) -> usize {
        let mut bytes = 0;
        let mut input = &self.to_server[..];
        let decoder = &mut self.at_server;
        while let Some(step) = self.server.receive(NOW, decoder, &mut input).unwrap() {
            match step {
                Step::Event(event) => match V::happened(&event) {
                    Happened::Message(len) => bytes += len,
                    Happened::ConnectRequested => {
                        V::accept(&mut self.server, &mut self.to_client);
                    }
                    _ => {}
                },
                Step::Action(Action::Transmit(answer)) => {
                    self.to_client.extend_from_slice(answer.as_ref());
                }
                Step::Action(_) => {}
            }
        }
        self.to_server.clear();
        bytes
    }

    /// Lets the client handle received bytes. Returns the number of delivered messages.
    #[inline]
    fn client_reads(&mut self) -> usize {
        let mut delivered = 0;
        let mut input = &self.to_client[..];
        let decoder = &mut self.at_client;
        while let Some(step) = self.client.receive(NOW, decoder, &mut input).unwrap() {
            match step {
                Step::Event(event) => {
                    if let Happened::Delivered = V::happened(&event) {
                        delivered += 1;
                    }
                }
                Step::Action(Action::Transmit(answer)) => {
                    self.to_server.extend_from_slice(answer.as_ref());
                }
                Step::Action(_) => {}
            }
        }
        self.to_client.clear();
        delivered
    }

    #[inline]
    fn publish(&mut self, qos: QoS, topic: &str, payload: &[u8]) {
        let topic = TopicName::new(topic).unwrap();
        let message = V::message(topic, payload, qos, &self.properties);
        let out = &mut self.to_server;
        self.client.publish(NOW, &message, out).unwrap();
        // As every driver does after every command.
        assert_eq!(self.client.poll_action(), None);
    }

    /// W6: sends one message from client to server until both have completed it. Returns the number
    /// of bytes in messages.
    #[inline]
    pub fn deliver(&mut self, qos: QoS, topic: &str, payload: &[u8]) -> usize {
        self.publish(qos, topic, payload);
        let bytes = self.server_reads();
        if qos == QoS::ExactlyOnce {
            self.client_reads();
            self.server_reads();
        }
        let delivered = self.client_reads();
        assert_eq!(delivered, usize::from(qos != QoS::AtMostOnce));
        bytes
    }

    /// Sends `messages` at QoS 1 at once, acknowledged in this order. Returns the number delivered.
    pub fn deliver_window(&mut self, messages: usize, order: Order) -> usize {
        for _ in 0..messages {
            self.publish(QoS::AtLeastOnce, TOPIC, b"0123456789abcdef");
        }
        self.server_reads();
        order.apply(&mut self.to_client);
        self.client_reads()
    }
}
