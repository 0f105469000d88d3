//! The commands of `any::Server`, each with a client of MQTT 3.1.1 and one of MQTT 5.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use core::time::Duration;
use mqtt_sansio::any::{Action, Decoder, Event, ProtocolVersion, Server, Step};
use mqtt_sansio::v5::{
    AliasArray, Auth, AuthProperties, AuthReasonCode, ConnectReasonCode, Message, OutboundAliases,
    Property, PubAckReasonCode,
};
use mqtt_sansio::{
    Blocked, CommandError, Config, Options, PacketId, QoS, Session, SliceOutput, Slot, Text,
    Timestamp, TopicName,
};

const NOW: Timestamp = Timestamp::from_millis(0);

/// CONNECT with Keep Alive 60 and the Client Identifier "c", which keeps the session.
const CONNECT_3: &[u8] = b"\x10\x0d\0\x04MQTT\x04\0\0\x3c\0\x01c";
/// The same with Session Expiry Interval 9 and Topic Alias Maximum 1.
const CONNECT_5: &[u8] = b"\x10\x16\0\x04MQTT\x05\0\0\x3c\x08\x11\0\0\0\x09\x22\0\x01\0\x01c";
const BOTH: [&[u8]; 2] = [CONNECT_3, CONNECT_5];

struct Broker {
    server: Server<[Slot; 4]>,
    decoder: Decoder<[u8; 256]>,
}

impl Broker {
    fn new(config: Config) -> Self {
        Self {
            server: Server::new(Session::default(), config, NOW),
            decoder: Decoder::with_options([0; 256], Options::new(), ProtocolVersion::V3),
        }
    }

    /// Receives one packet; returns the name of its event.
    fn receives(&mut self, mut bytes: &[u8]) -> String {
        let step = self.server.receive(NOW, &mut self.decoder, &mut bytes);
        match step.expect("not blocked") {
            Some(Step::Event(event)) => {
                assert!(bytes.is_empty(), "one packet");
                let shown = format!("{event:?}");
                let end = shown.find(|c: char| !c.is_alphanumeric());
                shown[..end.unwrap_or(shown.len())].into()
            }
            other => panic!("{other:?}"),
        }
    }

    /// A connection that was accepted with a new session.
    fn accepted(config: Config, connect: &[u8]) -> Self {
        let mut broker = Self::new(config);
        assert_eq!(broker.receives(connect), "ConnectRequested");
        let connack = sent(|out| broker.server.accept_new(NOW, out)).unwrap();
        assert_eq!(connack[..3], [0x20, connack[1], 0]);
        broker
    }

    /// A connection of the client that resumes this session.
    fn resumed(connect: &[u8], session: &mut Session<[Slot; 4]>) -> Self {
        let mut broker = Self::new(Config::new());
        assert_eq!(broker.receives(connect), "ConnectRequested");
        let connack = sent(|out| broker.server.accept_resumed(NOW, session, out)).unwrap();
        assert_eq!(connack[2], 1, "Session Present");
        broker
    }

    fn transmits(&mut self) -> Vec<u8> {
        match self.server.poll_action() {
            Some(Action::Transmit(reply)) => reply.as_bytes().to_vec(),
            other => panic!("{other:?}"),
        }
    }
}

/// Returns what a command has written.
fn sent<T>(
    command: impl FnOnce(&mut SliceOutput<'_>) -> Result<T, CommandError>,
) -> Result<Vec<u8>, CommandError> {
    let mut room = [0; 64];
    let mut out = SliceOutput::new(&mut room);
    command(&mut out)?;
    Ok(out.written().to_vec())
}

fn message() -> Message<&'static [u8], &'static [u8], &'static [u8]> {
    const TOPIC: TopicName<&[u8]> = TopicName::from_static("a");
    Message::new(TOPIC, &b"x"[..]).qos(QoS::AtLeastOnce)
}

const fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("not 0")
}

/// Publishes at QoS 1, and loses the connection before PUBACK.
fn session_with_a_message(connect: &[u8]) -> Session<[Slot; 4]> {
    let mut broker = Broker::accepted(Config::new(), connect);
    sent(|out| broker.server.publish(NOW, &message(), out)).unwrap();
    broker.server.handle_transport_closed(NOW);
    broker.server.into_session().expect("a session")
}

/// [MQTT-4.4.0-1, MQTT5-4.4.0-1]
#[test]
fn a_message_of_the_session_is_sent_again_whatever_the_version_of_the_next_connection() {
    for first in BOTH {
        for (next, publish) in [
            (CONNECT_3, &b"\x3a\x06\0\x01a\0\x01x"[..]),
            (CONNECT_5, b"\x3a\x07\0\x01a\0\x01\0x"),
        ] {
            let mut broker = Broker::resumed(next, &mut session_with_a_message(first));
            assert_eq!(broker.server.poll_action(), Some(Action::Resend(id(1))));
            let again = sent(|out| broker.server.resend(NOW, id(1), &message(), out));
            assert_eq!(again.as_deref(), Ok(publish));
            assert_eq!(broker.server.poll_action(), None);
            assert_eq!(broker.receives(b"\x40\x02\0\x01"), "Delivered");
            assert!(broker.server.take_session().is_empty());
        }
    }
}

#[test]
fn a_message_that_the_application_has_lost_is_forgotten() {
    for connect in BOTH {
        let mut broker = Broker::resumed(connect, &mut session_with_a_message(connect));
        assert_eq!(broker.server.forget(id(2)), Err(CommandError::NotAwaited));
        assert_eq!(broker.server.poll_action(), Some(Action::Resend(id(1))));
        assert_eq!(broker.server.forget(id(1)), Ok(()));
        assert_eq!(broker.server.poll_action(), None);
        assert!(broker.server.session().is_some_and(Session::is_empty));
    }
}

/// [`Server::accept_resumed`] leaves an empty session behind, whatever the server was created with.
#[test]
fn the_session_before_the_resumed_one_is_empty() {
    for connect in BOTH {
        let mut broker = Broker::new(Config::new());
        let session = session_with_a_message(connect);
        broker.server = Server::new(session, Config::new(), NOW);
        assert_eq!(broker.receives(connect), "ConnectRequested");
        let mut kept = session_with_a_message(connect);
        sent(|out| broker.server.accept_resumed(NOW, &mut kept, out)).unwrap();
        assert!(kept.is_empty());
        assert_eq!(broker.server.poll_action(), Some(Action::Resend(id(1))));
    }
}

#[test]
fn a_session_that_is_taken_has_the_messages_in_flight() {
    for connect in BOTH {
        let mut broker = Broker::accepted(Config::new(), connect);
        sent(|out| broker.server.publish(NOW, &message(), out)).unwrap();
        let session = broker.server.take_session();
        assert_eq!(session.outbound().count(), 1);
    }
}

/// With [`Config::manual_acknowledgement`] the application decides when, and in MQTT 5 with which
/// Reason Code.
#[test]
fn a_message_is_acknowledged_by_hand_once() {
    for (connect, publish, puback) in [
        (
            CONNECT_3,
            &b"\x32\x06\0\x01a\0\x07x"[..],
            &b"\x40\x02\0\x07"[..],
        ),
        (
            CONNECT_5,
            b"\x32\x07\0\x01a\0\x07\0x",
            b"\x40\x03\0\x07\x87",
        ),
    ] {
        let config = Config::new().manual_acknowledgement(true);
        let mut broker = Broker::accepted(config, connect);
        assert_eq!(broker.receives(publish), "Message");
        assert_eq!(broker.server.poll_action(), None, "not acknowledged yet");
        let acknowledgement = broker.server.acknowledgement(id(7)).expect("awaited");
        let refused = PubAckReasonCode::NotAuthorized;
        let done = broker.server.acknowledge(acknowledgement, refused);
        assert_eq!(done, Ok(()));
        assert_eq!(broker.transmits(), puback);
        let again = broker.server.acknowledge(acknowledgement, refused);
        assert_eq!(again, Err(CommandError::NotAwaited));
        assert_eq!(broker.server.acknowledgement(id(7)), None);
    }
}

/// [MQTT5-3.1.2-26]
#[test]
fn a_topic_alias_is_for_clients_that_accept_one() {
    for (connect, first, second) in [
        (
            CONNECT_3,
            &b"\x32\x06\0\x01a\0\x01x"[..],
            &b"\x32\x06\0\x01a\0\x02x"[..],
        ),
        (
            CONNECT_5,
            b"\x32\x0a\0\x01a\0\x01\x03\x23\0\x01x",
            b"\x32\x09\0\0\0\x02\x03\x23\0\x01x",
        ),
    ] {
        let mut broker = Broker::accepted(Config::new(), connect);
        let mut aliases = OutboundAliases::new(AliasArray::<1, 8>::default());
        for expected in [first, second] {
            let publish = sent(|out| {
                let server = &mut broker.server;
                server.publish_aliased(NOW, &message(), &mut aliases, out)
            });
            assert_eq!(publish.as_deref(), Ok(expected));
        }
    }
}

#[test]
fn a_refused_client_gets_connack_and_the_connection_ends() {
    for (connect, connack) in [
        (CONNECT_3, &b"\x20\x02\0\x05"[..]),
        (CONNECT_5, b"\x20\x03\0\x8a\0"),
    ] {
        let mut broker = Broker::new(Config::new());
        broker.receives(connect);
        let banned = ConnectReasonCode::Banned;
        let refused = sent(|out| broker.server.refuse(NOW, banned, out));
        assert_eq!(refused.as_deref(), Ok(connack));
        assert!(!broker.server.has_ended(), "the transport is to be closed");
        let close = broker.server.poll_action();
        assert!(matches!(close, Some(Action::Close(_))), "{close:?}");
        assert!(broker.server.has_ended());
    }
}

#[test]
fn a_client_of_mqtt_3_1_1_gets_no_auth() {
    let mut room = [0; 8];
    let method = [Property::AuthenticationMethod(Text::from_static("m"))];
    let auth = Auth {
        reason_code: AuthReasonCode::ContinueAuthentication,
        properties: AuthProperties::encode_to_slice(&mut room, method).unwrap(),
    };
    for connect in BOTH {
        let mut broker = Broker::accepted(Config::new(), connect);
        // A client of MQTT 5 without an Authentication Method gets none either [MQTT5-4.12.0-6].
        let result = sent(|out| broker.server.auth(NOW, &auth, out));
        assert_eq!(result, Err(CommandError::AuthenticationOrder));
    }
    let method = b"\x10\x12\0\x04MQTT\x05\0\0\x3c\x04\x15\0\x01m\0\x01c";
    let mut broker = Broker::new(Config::new());
    assert_eq!(broker.receives(method), "ConnectRequested");
    let result = sent(|out| broker.server.auth(NOW, &auth, out));
    assert!(result.is_ok_and(|auth| auth.starts_with(b"\xf0")));
}

#[test]
fn limits_and_intervals_are_those_of_mqtt_5() {
    let broker = Broker::accepted(Config::new(), CONNECT_3);
    assert!(broker.server.limits().is_none());
    assert_eq!(broker.server.session_expiry_interval(), u32::MAX);
    assert_eq!(broker.server.will_delay_interval(), 0);
    // Session Expiry Interval 9, Will Delay Interval 5.
    let connect =
        b"\x10\x1e\0\x04MQTT\x05\x04\0\x3c\x05\x11\0\0\0\x09\0\x01c\x05\x18\0\0\0\x05\0\x01w\0\0";
    let broker = Broker::accepted(Config::new(), connect);
    assert!(broker.server.limits().is_some());
    assert_eq!(broker.server.session_expiry_interval(), 9);
    assert_eq!(broker.server.will_delay_interval(), 5);
}

#[test]
fn progress_of_a_packet_starts_keep_alive_again() {
    for connect in BOTH {
        let mut broker = Broker::accepted(Config::new(), connect);
        let ninety = Duration::from_secs(90); // one and a half times 60
        assert_eq!(broker.server.poll_timeout(), Some(NOW + ninety));
        let later = NOW + Duration::from_secs(50);
        broker.server.handle_progress(later);
        assert_eq!(broker.server.poll_timeout(), Some(later + ninety));
    }
}

/// [MQTT-3.1.2-24, MQTT5-3.1.2-22]
#[test]
fn only_a_whole_packet_keeps_a_client_alive() {
    for connect in BOTH {
        let mut broker = Broker::accepted(Config::new(), connect);
        let ninety = Duration::from_secs(90);
        let later = NOW + Duration::from_secs(50);
        let (server, decoder) = (&mut broker.server, &mut broker.decoder);
        let step = server.receive(later, decoder, &mut &b"\xc0"[..]);
        assert_eq!(step, Ok(None), "half of PINGREQ");
        assert_eq!(server.poll_timeout(), Some(NOW + ninety));
        let step = server.receive(later, decoder, &mut &b"\0"[..]);
        assert!(matches!(step, Ok(Some(Step::Action(Action::Transmit(_))))));
        assert_eq!(server.poll_timeout(), Some(later + ninety));
    }
}

#[test]
fn a_message_arrives_with_its_event_in_either_version() {
    for (connect, publish) in [
        (CONNECT_3, &b"\x30\x04\0\x01ax"[..]),
        (CONNECT_5, b"\x30\x05\0\x01a\0x"),
    ] {
        let mut broker = Broker::accepted(Config::new(), connect);
        let step = broker
            .server
            .receive(NOW, &mut broker.decoder, &mut &publish[..]);
        let Ok(Some(Step::Event(Event::Message(message)))) = step else {
            panic!("{step:?}");
        };
        assert_eq!((message.topic.as_str(), message.payload), ("a", &b"x"[..]));
    }
}

#[test]
fn a_decoder_that_has_decoded_for_another_connection_is_refused() {
    for connect in BOTH {
        let mut used = Broker::new(Config::new());
        assert_eq!(used.receives(connect), "ConnectRequested");
        let mut new = Broker::new(Config::new());
        let mut input = connect;
        let step = new.server.receive(NOW, &mut used.decoder, &mut input);
        assert_eq!(step, Err(Blocked::UsedDecoder));
        assert_eq!(input, connect);
        assert_eq!(new.receives(connect), "ConnectRequested");
    }
}

/// A decoder that knows the version, and has not returned a packet, is at the start of its stream.
#[test]
fn the_first_bytes_of_connect_can_be_decoded_before_there_is_a_server() {
    for connect in BOTH {
        let mut broker = Broker::new(Config::new());
        let (mut first, rest) = connect.split_at(9);
        assert_eq!(broker.decoder.decode(&mut first), Ok(None));
        assert!(broker.decoder.version().is_some());
        assert_eq!(broker.receives(rest), "ConnectRequested");
    }
}
