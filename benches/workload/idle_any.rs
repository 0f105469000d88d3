//! Idle connections of a broker for every version.

use mqtt_sansio::any::{Action, Decoder, Event, ProtocolVersion, Server, Step};
use mqtt_sansio::v5::{SubscribeReasonCode, SubscribeReasonCodes};
use mqtt_sansio::{Config, Options, Session, SliceOutput, Slots, Timestamp};

/// CONNECT with Keep Alive 60, SUBSCRIBE and a PUBLISH at QoS 1.
const OF_3_1_1: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c\
    \x82\x08\0\x01\0\x03a/b\x01\x32\x08\0\x02up\0\x0121";
const OF_5: &[u8] = b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01c\
    \x82\x0b\0\x01\x02\x0b\x07\0\x03a/b\x01\x32\x09\0\x02up\0\x01\x0021";

/// The state of a broker for each client: the connection and its decoder.
#[derive(Debug)]
pub struct Connection<S> {
    pub server: Server<S>,
    pub decoder: Decoder<Vec<u8>>,
}

impl<S: Slots> Connection<S> {
    /// Returns an idle connection, on which a client has connected, subscribed and published at QoS
    /// 1. Every other client speaks MQTT 5.
    pub fn idle(session: Session<S>, number: usize) -> Self {
        // The clients connected one after the other.
        let now = Timestamp::from_millis(number as u64);
        let mut connection = Self {
            server: Server::new(session, Config::new(), now),
            decoder: Decoder::with_options(Vec::new(), Options::new(), ProtocolVersion::V3),
        };
        let mut input = if number % 2 == 1 { OF_5 } else { OF_3_1_1 };
        let mut room = [0; 64];
        let mut out = SliceOutput::new(&mut room);
        let mut replies = 0;
        let Self { server, decoder } = &mut connection;
        while let Some(step) = server.receive(now, decoder, &mut input).unwrap() {
            match step {
                Step::Event(Event::ConnectRequested(_)) => {
                    server.accept_new(now, &mut out).unwrap();
                }
                Step::Event(Event::SubscribeRequested(_)) => {
                    let mut room = [0; 1];
                    let codes = [SubscribeReasonCode::GrantedQos1];
                    let codes = SubscribeReasonCodes::encode_to_slice(&mut room, codes).unwrap();
                    server.suback(now, &codes, &mut out).unwrap();
                }
                Step::Action(Action::Transmit(_)) => replies += 1,
                _ => {}
            }
        }
        // PUBACK.
        assert_eq!(replies, 1);
        connection
    }
}
