//! A client and a server that are connected with each other through bytes: whatever one side
//! sends is encoded, and decoded on the other side.

use mqtt_sansio::v3::{Action, Client, Connect, Decoder, Event, Message, Server, Step};
use mqtt_sansio::{Config, QoS, Session, Slot, Slots, Text, Timestamp, TopicName};

use super::{Order, TOPIC};

const NOW: Timestamp = Timestamp::from_millis(0);

#[derive(Debug, Clone)]
pub struct Pair<S> {
    client: Client<S>,
    server: Server<S>,
    at_client: Decoder<Vec<u8>>,
    at_server: Decoder<Vec<u8>>,
    to_client: Vec<u8>,
    to_server: Vec<u8>,
}

/// Up to 16 messages in each direction, without a heap block.
pub fn small_pair() -> Pair<[Slot; 16]> {
    Pair::new(Session::default(), Session::default())
}

/// Room for `messages` of them.
pub fn pair_for(messages: usize) -> Pair<Vec<Slot>> {
    let session = || Session::new(vec![Slot::EMPTY; messages], Vec::new());
    Pair::new(session(), session())
}

impl<S: Slots> Pair<S> {
    pub fn new(at_client: Session<S>, at_server: Session<S>) -> Self {
        let mut pair = Self {
            client: Client::new(at_client, Config::new(), NOW),
            server: Server::new(at_server, Config::new(), NOW),
            at_client: Decoder::new(Vec::new()),
            at_server: Decoder::new(Vec::new()),
            to_client: Vec::new(),
            to_server: Vec::new(),
        };
        pair.connect();
        pair
    }

    fn connect(&mut self) {
        let connect = Connect::new(Text::new("device-7").unwrap());
        self.client
            .connect(NOW, &connect, &mut self.to_server)
            .unwrap();
        self.server_reads();
        self.client_reads();
    }

    /// What the server does with what has come. How many bytes of messages that was.
    #[inline]
    fn server_reads(&mut self) -> usize {
        let mut bytes = 0;
        let mut input = &self.to_server[..];
        let decoder = &mut self.at_server;
        while let Some(step) = self.server.receive(NOW, decoder, &mut input).unwrap() {
            match step {
                Step::Event(Event::Message(publish)) => bytes += publish.payload.len(),
                Step::Event(Event::ConnectRequested(_)) => {
                    let out = &mut self.to_client;
                    self.server.accept_new(NOW, out).unwrap();
                }
                Step::Action(Action::Transmit(answer)) => {
                    self.to_client.extend_from_slice(answer.as_bytes());
                }
                _ => {}
            }
        }
        self.to_server.clear();
        bytes
    }

    /// What the client does with what has come. How many messages are delivered now.
    #[inline]
    fn client_reads(&mut self) -> usize {
        let mut delivered = 0;
        let mut input = &self.to_client[..];
        let decoder = &mut self.at_client;
        while let Some(step) = self.client.receive(NOW, decoder, &mut input).unwrap() {
            match step {
                Step::Event(Event::Delivered(_)) => delivered += 1,
                Step::Action(Action::Transmit(answer)) => {
                    self.to_server.extend_from_slice(answer.as_bytes());
                }
                _ => {}
            }
        }
        self.to_client.clear();
        delivered
    }

    #[inline]
    fn publish(&mut self, qos: QoS, topic: &str, payload: &[u8]) {
        let message = Message {
            topic: TopicName::new(topic).unwrap(),
            payload,
            qos,
            retain: false,
        };
        let out = &mut self.to_server;
        self.client.publish(NOW, &message, out).unwrap();
        // As every driver does after every command.
        assert_eq!(self.client.poll_action(), None);
    }

    /// W6: one message from client to server, until both are done with it. How many bytes of it
    /// came.
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

    /// `messages` under way at QoS 1 at once, acknowledged in this order. How many were delivered.
    pub fn deliver_window(&mut self, messages: usize, order: Order) -> usize {
        for _ in 0..messages {
            self.publish(QoS::AtLeastOnce, TOPIC, b"0123456789abcdef");
        }
        self.server_reads();
        order.apply(&mut self.to_client);
        self.client_reads()
    }
}
