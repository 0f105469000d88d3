//! Peers that use Packet Identifier 0, which the standard forbids
//! [MQTT-2.3.1-1, MQTT5-2.2.1-3, MQTT5-2.2.1-4], and the option that accepts them.

#![cfg(feature = "alloc")]
#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mqtt_sansio::any::{self, Action, Event, ProtocolVersion, Step};
use mqtt_sansio::v5::{SubscribeReasonCode, UnsubscribeReasonCode};
use mqtt_sansio::{
    Config, Encode, ErrorKind, Options, PacketId, QoS, Session, Slot, State, Text, Timestamp,
    TopicName, v3, v5,
};

const NOW: Timestamp = Timestamp::from_millis(0);
const ACCEPTING: Options = Options::new().accept_packet_id_0(true);

/// CONNECT, then packets of the client and the answers.
struct Conversation {
    connect: &'static [u8],
    packets: &'static [(&'static [u8], &'static [u8])],
}

const V3: Conversation = Conversation {
    connect: b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c",
    packets: &[
        (b"\x32\x06\0\x01t\0\0a", b"\x40\x02\0\0"),
        (b"\x82\x06\0\0\0\x01t\x01", b"\x90\x03\0\0\x01"),
        (b"\xa2\x05\0\0\0\x01t", b"\xb0\x02\0\0"),
        (b"\x62\x02\0\0", b"\x70\x02\0\0"),
        (b"\x40\x02\0\0", b""),
    ],
};

const V5: Conversation = Conversation {
    connect: b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01c",
    packets: &[
        (b"\x32\x07\0\x01t\0\0\0a", b"\x40\x02\0\0"),
        (b"\x82\x07\0\0\0\0\x01t\x01", b"\x90\x04\0\0\0\x01"),
        (b"\xa2\x06\0\0\0\0\x01t", b"\xb0\x04\0\0\0\0"),
        (b"\x62\x02\0\0", b"\x70\x03\0\0\x92"),
        (b"\x40\x02\0\0", b""),
    ],
};

struct Broker {
    server: any::Server<Vec<Slot>>,
    decoder: any::Decoder<Vec<u8>>,
    /// Messages with identifier 0.
    messages: usize,
}

impl Broker {
    fn accepts(connect: &[u8], options: Options, config: Config) -> Self {
        let mut broker = Self {
            server: any::Server::new(Session::default(), config, NOW),
            decoder: any::Decoder::with_options(Vec::new(), options, ProtocolVersion::V3),
            messages: 0,
        };
        assert!(broker.answers(connect).starts_with(b"\x20"));
        broker
    }

    /// Returns what is sent for these bytes.
    fn answers(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut sent = Vec::new();
        while let Some(step) = (self.server)
            .receive(NOW, &mut self.decoder, &mut bytes)
            .unwrap()
        {
            match step {
                Step::Event(Event::ConnectRequested(_)) => {
                    self.server.accept_new(NOW, &mut sent).unwrap();
                }
                Step::Event(Event::SubscribeRequested(_)) => {
                    let granted = [SubscribeReasonCode::GrantedQos1];
                    let codes = v5::SubscribeReasonCodes::encode_to_vec(granted).unwrap();
                    self.server.suback(NOW, &codes, &mut sent).unwrap();
                }
                Step::Event(Event::UnsubscribeRequested(_)) => {
                    let success = [UnsubscribeReasonCode::Success];
                    let codes = v5::UnsubscribeReasonCodes::encode_to_vec(success).unwrap();
                    self.server.unsuback(NOW, &codes, &mut sent).unwrap();
                }
                Step::Event(Event::Message(message)) => {
                    let packet_id = message.delivery.packet_id().unwrap();
                    self.messages += usize::from(packet_id.get() == 0);
                }
                Step::Action(Action::Transmit(reply)) => sent.extend_from_slice(reply.as_bytes()),
                Step::Event(event) => panic!("{event:?}"),
                Step::Action(action) => panic!("{action:?}"),
            }
        }
        sent
    }
}

#[test]
fn a_packet_with_identifier_0_is_answered_with_the_same_where_that_is_asked_for() {
    for conversation in [V3, V5] {
        let mut broker = Broker::accepts(conversation.connect, ACCEPTING, Config::new());
        for (packet, answer) in conversation.packets {
            assert_eq!(broker.answers(packet), *answer, "to {packet:x?}");
        }
        assert_eq!(broker.messages, 1);
        assert!(broker.server.session().unwrap().is_empty());
    }
}

/// No two of them can be told apart.
#[test]
fn a_message_with_identifier_0_is_acknowledged_at_once_with_manual_acknowledgement_too() {
    let config = Config::new().manual_acknowledgement(true);
    for conversation in [V3, V5] {
        let mut broker = Broker::accepts(conversation.connect, ACCEPTING, config);
        let (message, puback) = conversation.packets[0];
        for count in 1..4 {
            assert_eq!(broker.answers(message), puback);
            assert_eq!(broker.messages, count);
        }
    }
}

#[test]
fn a_message_with_identifier_0_needs_no_room_beside_one_that_awaits_the_application() {
    let config = Config::new()
        .manual_acknowledgement(true)
        .receive_maximum(1);
    let with_identifier_1: [&[u8]; 2] = [b"\x32\x06\0\x01t\0\x01a", b"\x32\x07\0\x01t\0\x01\0a"];
    for (conversation, held) in [V3, V5].iter().zip(with_identifier_1) {
        let mut broker = Broker::accepts(conversation.connect, ACCEPTING, config);
        assert_eq!(broker.answers(held), b"");
        let (message, puback) = conversation.packets[0];
        for count in 1..4 {
            assert_eq!(broker.answers(message), puback);
            assert_eq!(broker.messages, count);
        }
    }
}

#[test]
fn a_message_at_qos_2_with_identifier_0_is_refused_because_it_would_have_to_be_stored() {
    let error = v3::decode(&mut &b"\x34\x06\0\x01t\0\0a"[..], &ACCEPTING).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ZeroPacketIdentifier);
    let error = v5::decode(&mut &b"\x34\x07\0\x01t\0\0\0a"[..], &ACCEPTING).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ZeroPacketIdentifier);
}

#[test]
fn identifier_0_is_refused_in_every_packet_by_default_and_encodes_as_it_was_decoded() {
    for (packet, _) in V3.packets {
        let error = v3::decode(&mut &packet[..], &Options::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ZeroPacketIdentifier);
        let packet_id_0 = v3::decode(&mut &packet[..], &ACCEPTING).unwrap().unwrap();
        assert_eq!(packet_id_0.encode_to_vec().unwrap(), *packet);
    }
    for (packet, _) in V5.packets {
        let error = v5::decode(&mut &packet[..], &Options::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ZeroPacketIdentifier);
        let packet_id_0 = v5::decode(&mut &packet[..], &ACCEPTING).unwrap().unwrap();
        assert_eq!(packet_id_0.encode_to_vec().unwrap(), *packet);
    }
}

/// SIOT acknowledges QoS 0 messages so.
#[test]
fn an_acknowledgement_with_identifier_0_is_for_no_message_of_a_client() {
    let mut client = v3::Client::<Vec<Slot>>::new(Session::default(), Config::new(), NOW);
    let mut decoder = v3::Decoder::with_options(Vec::new(), ACCEPTING);
    let mut sent = Vec::new();
    let connect = v3::Connect::new(Text::new("c").unwrap());
    client.connect(NOW, &connect, &mut sent).unwrap();
    client
        .receive(NOW, &mut decoder, &mut &b"\x20\x02\0\0"[..])
        .unwrap();
    let topic = TopicName::new("t").unwrap();
    let message = v3::Message::new(topic, "").qos(QoS::AtLeastOnce);
    let packet_id = client.publish(NOW, &message, &mut sent).unwrap();
    assert_eq!(packet_id, Some(PacketId::MIN));
    for puback in [&b"\x40\x02\0\0"[..], b"\x50\x02\0\0", b"\x70\x02\0\0"] {
        let mut input = puback;
        while client
            .receive(NOW, &mut decoder, &mut input)
            .unwrap()
            .is_some()
        {}
        assert!(input.is_empty());
    }
    assert_eq!(client.state(), State::Connected);
    assert_eq!(client.session().outbound().count(), 1);
}
