//! The program of [`client`](super::client), for MQTT 5.

use core::hint::black_box;

use mqtt_sansio::v5::{
    Client, Connect, ConnectProperties, Decoder, Event, Message, Property, Step,
};
use mqtt_sansio::{Config, QoS, Session, Slot, Text, TopicFilter, TopicName, WholePackets};
use static_cell::{ConstStaticCell, StaticCell};

use super::{BUFFER, Buffer, SLOTS, Transport, act, carry_out, encode_again, now};

/// The bytes of the server: a Receive Maximum, a Reason String, and messages with properties.
const FROM_SERVER: &[u8] = b"\x20\x06\x00\x00\x03\x21\x00\x0a\
    \x90\x04\x00\x01\x00\x02\
    \x40\x02\x00\x02\
    \x50\x02\x00\x03\
    \x70\x02\x00\x03\
    \x30\x08\x00\x03a/b\x00on\
    \x32\x0f\x00\x03a/b\x00\x09\x05\x02\x00\x00\x00\x3con\
    \x34\x0a\x00\x03a/b\x00\x0a\x00on\
    \x62\x02\x00\x0a\
    \xb0\x04\x00\x04\x00\x00\
    \xd0\x00";

/// The bytes of the client.
const FROM_CLIENT: &[u8] = b"\x10\x13\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\x00\x00\x00\x78\x00\x01c\
    \x82\x09\x00\x01\x00\x00\x03a/b\x02\
    \x40\x02\x00\x01\
    \x30\x08\x00\x03a/b\x00on\
    \x34\x0a\x00\x03a/b\x00\x0a\x00on\
    \x62\x02\x00\x0a\
    \xa2\x08\x00\x02\x00\x00\x03a/b\
    \xc0\x00\
    \xe0\x00";

/// The decoder of the only connection. `None` in the second call.
fn decoder() -> Option<Decoder<Buffer>> {
    static MEMORY: ConstStaticCell<[u8; BUFFER]> = ConstStaticCell::new([0; BUFFER]);
    Some(Decoder::new(WholePackets(MEMORY.try_take()?)))
}

/// A client as a device has it. Returns the number of events.
#[inline(never)]
pub fn client() -> usize {
    decoder()
        .and_then(|mut decoder| converse(&mut decoder))
        .unwrap_or(0)
}

/// The same in a program that also encodes packets of every kind.
#[inline(never)]
pub fn client_and_encode() -> usize {
    let Some(mut decoder) = decoder() else {
        return 0;
    };
    let events = converse(&mut decoder).unwrap_or(0);
    events + encode_again(&mut decoder, FROM_CLIENT)
}

fn message(qos: QoS, topic: TopicName<&[u8]>) -> Message<&[u8]> {
    Message::new(topic, &b"21.5"[..]).qos(qos)
}

fn converse(decoder: &mut Decoder<Buffer>) -> Option<usize> {
    static CLIENT: StaticCell<Client<[Slot; SLOTS]>> = StaticCell::new();
    let client = CLIENT.try_init_with(|| {
        let config = Config::new().send_before_connack(false);
        Client::new(Session::default(), config, now())
    })?;
    let transport = &mut Transport::new(FROM_SERVER);
    let topic = TopicName::new(black_box(&b"a/b"[..])).ok()?;
    let filter = TopicFilter::new(black_box(&b"a/#"[..])).ok()?;
    let again = message(QoS::AtLeastOnce, topic);
    let mut buffer = [0; 16];
    let expiry = [Property::SessionExpiryInterval(black_box(120))];
    let mut connect = Connect::new(Text::new(black_box(&b"device-7"[..])).ok()?);
    connect.clean_start = false;
    connect.keep_alive = 60;
    connect.properties = ConnectProperties::encode_to_slice(&mut buffer, expiry).ok()?;
    // A refused packet leads to fewer events than expected.
    let _ = client.connect(now(), &connect, transport);
    let mut events = 0;
    loop {
        let mut input = transport.receive();
        if input.is_empty() {
            break;
        }
        while let Ok(Some(step)) = client.receive(now(), decoder, &mut input) {
            events += usize::from(matches!(step, Step::Event(_)));
            match step {
                Step::Action(action) => carry_out(client, action, &again, transport),
                Step::Event(Event::Connected { .. }) => {
                    let _ = client.subscribe_to(now(), &filter, QoS::ExactlyOnce, transport);
                }
                Step::Event(Event::Subscribed(_)) => {
                    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                        let _ = client.publish(now(), &message(qos, topic), transport);
                    }
                    let _ = client.unsubscribe_from(now(), &filter, transport);
                }
                Step::Event(Event::Message(publish)) => {
                    black_box((
                        publish.payload,
                        publish.properties.message_expiry_interval(),
                    ));
                }
                Step::Event(_) => {}
            }
        }
    }
    if client.poll_timeout().is_some() {
        client.handle_timeout(now().plus_millis(black_box(60_000)));
        act(client, &again, transport);
    }
    let _ = client.disconnect(now(), transport);
    act(client, &again, transport);
    Some(events)
}
