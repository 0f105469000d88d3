//! Messages that an application refuses with a Reason Code of MQTT 5.

#![cfg(feature = "alloc")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mqtt_sansio::v5::{
    Action, Client, Connect, ConnectProperties, Decoder, Event, Message, Property,
    PubAckReasonCode, Step,
};
use mqtt_sansio::{Change, Config, PacketId, QoS, Session, Slot, Text, Timestamp, TopicName};

const NOW: Timestamp = Timestamp::from_millis(0);

const fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

/// A client whose session is kept and journalled, and which has been handed this message.
fn client_with(message: &[u8]) -> Client<Vec<Slot>> {
    let mut client = Client::new(Session::default(), Config::new().journal(true), NOW);
    let mut decoder = Decoder::new(Vec::new());
    let expiry = [Property::SessionExpiryInterval(100)];
    let properties = ConnectProperties::encode_to_vec(expiry).unwrap();
    let connect = Connect::new(Text::new("c").unwrap()).properties(properties.as_ref());
    client.connect(NOW, &connect, &mut Vec::new()).unwrap();
    let received = [b"\x20\x03\0\0\0", message].concat();
    let mut input = &received[..];
    let mut steps = Vec::new();
    while !input.is_empty() {
        steps.extend(
            client
                .receive(NOW, &mut decoder, &mut input)
                .unwrap()
                .map(Step::to_owned),
        );
    }
    assert!(
        matches!(steps[..], [_, Step::Event(Event::Message(_))]),
        "{steps:?}"
    );
    client
}

fn actions(client: &mut Client<Vec<Slot>>) -> Vec<Action> {
    core::iter::from_fn(|| client.poll_action()).collect()
}

fn publish(client: &mut Client<Vec<Slot>>) {
    let message = Message::new(TopicName::new("b").unwrap(), "y").qos(QoS::AtLeastOnce);
    client.publish(NOW, &message, &mut Vec::new()).unwrap();
}

const SENT: Action = Action::Store(Change::Sent {
    packet_id: PacketId::MIN,
    qos: QoS::AtLeastOnce,
});

#[test]
fn a_refusal_leaves_what_else_is_to_be_stored() {
    let mut client = client_with(b"\x32\x07\0\x01a\0\x07\0x");
    publish(&mut client);
    let message = client.acknowledgement(id(7)).unwrap();
    client
        .acknowledge_with(message, PubAckReasonCode::QuotaExceeded)
        .unwrap();
    let actions = actions(&mut client);
    assert!(
        matches!(actions[..], [SENT, Action::Transmit(_)]),
        "{actions:?}"
    );
}

#[test]
fn a_refused_message_whose_receipt_was_stored_is_forgotten_before_what_else_is_stored() {
    let mut client = client_with(b"\x34\x07\0\x01a\0\x07\0x");
    let message = client.acknowledgement(id(7)).unwrap();
    let stored = client.poll_action();
    assert_eq!(stored, Some(Action::Store(Change::InboundReceived(id(7)))));
    publish(&mut client);
    client
        .acknowledge_with(message, PubAckReasonCode::QuotaExceeded)
        .unwrap();
    let actions = actions(&mut client);
    let forgotten = Action::Store(Change::Forgotten(id(7)));
    assert_eq!(actions[..2], [forgotten, SENT]);
    assert!(matches!(actions[2..], [Action::Transmit(_)]), "{actions:?}");
}
