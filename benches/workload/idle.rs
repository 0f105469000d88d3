//! Idle connections of a broker.

use mqtt_sansio::v3::{
    Action, Client, Connect, Decoder, Event, Message, ReturnCode, ReturnCodes, Server,
    Subscription, Subscriptions,
};
use mqtt_sansio::{Config, QoS, Session, Slots, Text, Timestamp, TopicFilter, TopicName};

const NOW: Timestamp = Timestamp::from_millis(0);

/// The state of a broker for each client: the connection and its decoder.
#[derive(Debug)]
pub struct Connection<S> {
    pub server: Server<S>,
    pub decoder: Decoder<Vec<u8>>,
}

impl<S: Slots> Connection<S> {
    /// Returns an idle connection, on which a client has connected, subscribed and published at QoS
    /// 0 and 1. `buffer` is for output, and not part of the connection's memory.
    pub fn idle(session: Session<S>, client: Session<S>, buffer: &mut Vec<u8>) -> Self {
        let mut client = Client::new(client, Config::new(), NOW);
        let mut connection = Self {
            server: Server::new(session, Config::new(), NOW),
            decoder: Decoder::new(Vec::new()),
        };
        let connect = Connect {
            keep_alive: 60,
            ..Connect::new(Text::new("device-7").unwrap())
        };
        buffer.clear();
        client.connect(NOW, &connect, buffer).unwrap();
        connection.talk(&mut client, buffer);

        let mut list = [0; 64];
        let subscription = Subscription {
            topic_filter: TopicFilter::new("commands/device-7/#").unwrap(),
            qos: QoS::AtLeastOnce,
        };
        let subscriptions = Subscriptions::encode_to_slice(&mut list, [subscription]).unwrap();
        client.subscribe(NOW, &subscriptions, buffer).unwrap();
        connection.talk(&mut client, buffer);

        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let message = Message {
                topic: TopicName::new("sensors/device-7").unwrap(),
                payload: &b"21.5"[..],
                qos,
                retain: false,
            };
            client.publish(NOW, &message, buffer).unwrap();
            connection.talk(&mut client, buffer);
        }
        connection
    }

    /// Passes the client's bytes to the server, and the answers to the client.
    fn talk(&mut self, client: &mut Client<S>, buffer: &mut Vec<u8>) {
        let mut answers = [0; 64];
        let mut out = mqtt_sansio::SliceOutput::new(&mut answers);
        let mut input = &buffer[..];
        while let Some(packet) = self.decoder.decode(&mut input).unwrap() {
            match self.server.handle_packet(NOW, packet).unwrap() {
                Some(Event::ConnectRequested(_)) => {
                    self.server.accept_new(NOW, &mut out).unwrap();
                }
                Some(Event::SubscribeRequested(_)) => {
                    let codes = [ReturnCode::Success(QoS::AtLeastOnce)];
                    let mut list = [0; 1];
                    let codes = ReturnCodes::encode_to_slice(&mut list, codes).unwrap();
                    self.server.suback(NOW, &codes, &mut out).unwrap();
                }
                _ => {}
            }
            while let Some(action) = self.server.poll_action() {
                if let Action::Transmit(answer) = action {
                    mqtt_sansio::Output::put(&mut out, answer.as_bytes()).unwrap();
                }
            }
        }
        buffer.clear();
        let mut decoder = Decoder::new([0; 64]);
        let mut input = out.written();
        while let Some(packet) = decoder.decode(&mut input).unwrap() {
            client.handle_packet(NOW, packet).unwrap();
            assert_eq!(client.poll_action(), None);
        }
    }
}
