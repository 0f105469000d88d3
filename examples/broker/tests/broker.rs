//! Tests of `broker` over real sockets. Its clients consist of sockets and the codec only, so that
//! they can violate the protocol.

#![allow(clippy::std_instead_of_alloc, reason = "sockets need std")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;

use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Instant;

use common::{PATIENCE, Process};
use mqtt_sansio::v3::{
    self, ConnAck, Connect, ConnectRefusal, Credentials, Delivery, Packet, ProtocolLevel, PubAck,
    PubComp, PubRec, PubRel, Publish, Subscribe, Subscription, Subscriptions, TopicFilters,
    Unsubscribe, Will,
};
use mqtt_sansio::{Encode, Options, PacketId, QoS, Text, TopicFilter, TopicName};

struct Broker(Process);

impl Broker {
    fn start(arguments: &[&str]) -> Self {
        Self(Process::start(arguments))
    }

    /// Returns a connection on which nothing was sent.
    fn open(&self) -> Peer {
        Peer {
            stream: self.0.open(),
            received: Vec::new(),
            inbox: VecDeque::new(),
            last_id: 0,
        }
    }

    /// Returns an accepted client, and whether its session was present.
    fn connect_with(&self, connect: &Connect<&[u8]>) -> (Peer, bool) {
        let mut peer = self.open();
        peer.send(connect);
        match peer.next() {
            Packet::ConnAck(ConnAck::Accepted { session_present }) => (peer, session_present),
            other => panic!("{other:?}"),
        }
    }

    /// Returns a client with Clean Session.
    fn clean(&self, id: &str) -> Peer {
        let (peer, session_present) = self.connect_with(&client(id, true));
        assert!(!session_present);
        peer
    }

    /// Returns a client whose session is kept, and whether it was present.
    fn persistent(&self, id: &str) -> (Peer, bool) {
        self.connect_with(&client(id, false))
    }
}

fn client(id: &str, clean_session: bool) -> Connect<&[u8]> {
    Connect {
        clean_session,
        ..Connect::new(Text::new(id).unwrap())
    }
}

fn with_will<'a>(id: &'a str, topic: &'a str, qos: QoS, retain: bool) -> Connect<&'a [u8]> {
    Connect {
        will: Some(Will {
            topic: TopicName::new(topic).unwrap(),
            message: b"gone",
            qos,
            retain,
        }),
        ..client(id, true)
    }
}

const fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

const Q0: QoS = QoS::AtMostOnce;
const Q1: QoS = QoS::AtLeastOnce;
const Q2: QoS = QoS::ExactlyOnce;

/// The client's side of a connection.
struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
    /// Packets that were received while another one was awaited.
    inbox: VecDeque<Packet<Vec<u8>>>,
    last_id: u16,
}

impl Peer {
    fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn send(&mut self, packet: &impl Encode) {
        self.send_bytes(&packet.encode_to_vec().unwrap());
    }

    /// Receives from the socket; returns `None` at its end.
    fn receive(&mut self) -> Option<Packet<Vec<u8>>> {
        let options = Options::new().max_packet_size(u32::MAX);
        loop {
            let mut src = &self.received[..];
            if let Some(packet) = v3::decode(&mut src, &options).unwrap() {
                let packet = packet.to_owned();
                let taken = self.received.len() - src.len();
                self.received.drain(..taken);
                return Some(packet);
            }
            let mut chunk = [0; 65_536];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(n) => self.received.extend(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn next(&mut self) -> Packet<Vec<u8>> {
        let packet = self.inbox.pop_front().or_else(|| self.receive());
        packet.expect("a packet, not the end of the connection")
    }

    /// Returns the first packet that matches. Others wait.
    fn wait_for(&mut self, is_it: impl Fn(&Packet<Vec<u8>>) -> bool) -> Packet<Vec<u8>> {
        loop {
            let packet = self.receive().expect("a packet, not the end");
            if is_it(&packet) {
                return packet;
            }
            self.inbox.push_back(packet);
        }
    }

    /// Checks that the server closes and sends nothing before.
    fn expect_end(mut self) {
        assert_eq!(self.inbox.pop_front(), None);
        assert_eq!(self.receive(), None);
    }

    /// Receives everything that the server has queued for this client. With the first answer the
    /// server empties the queue, so before the second answer all of it has arrived.
    fn settle(&mut self) {
        for _ in 0..2 {
            self.send(&Packet::<&[u8]>::PingReq);
            self.wait_for(|packet| *packet == Packet::PingResp);
        }
    }

    fn expect_nothing(&mut self) {
        self.settle();
        assert_eq!(self.inbox, []);
    }

    const fn next_id(&mut self) -> PacketId {
        self.last_id += 1;
        id(self.last_id)
    }

    /// Subscribes, and returns the return codes.
    fn subscribe(&mut self, subscriptions: &[(&str, QoS)]) -> Vec<u8> {
        let packet_id = self.next_id();
        let entries = subscriptions.iter().map(|&(filter, qos)| Subscription {
            topic_filter: TopicFilter::new(filter).unwrap(),
            qos,
        });
        let subscriptions = Subscriptions::encode_to_vec(entries).unwrap();
        self.send(&Subscribe {
            packet_id,
            subscriptions,
        });
        match self.wait_for(|packet| matches!(packet, Packet::SubAck(_))) {
            Packet::SubAck(suback) if suback.packet_id == packet_id => {
                suback.return_codes.as_bytes().to_vec()
            }
            other => panic!("{other:?}"),
        }
    }

    fn unsubscribe(&mut self, filters: &[&str]) {
        let packet_id = self.next_id();
        let entries = filters.iter().map(|f| TopicFilter::new(*f).unwrap());
        let topic_filters = TopicFilters::encode_to_vec(entries).unwrap();
        self.send(&Unsubscribe {
            packet_id,
            topic_filters,
        });
        let unsuback = self.wait_for(|packet| matches!(packet, Packet::UnsubAck(_)));
        assert_eq!(unsuback, Packet::UnsubAck(v3::UnsubAck { packet_id }));
    }

    /// Publishes, up to the last acknowledgement. At QoS 0, until the server has handled the
    /// message.
    fn publish(&mut self, topic: &str, payload: &str, qos: QoS, retain: bool) {
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce {
                packet_id: self.next_id(),
                dup: false,
            },
            QoS::ExactlyOnce => Delivery::ExactlyOnce {
                packet_id: self.next_id(),
                dup: false,
            },
        };
        self.send(&message(topic, payload, delivery, retain));
        match delivery {
            Delivery::AtMostOnce => self.settle(),
            Delivery::AtLeastOnce { packet_id, .. } => {
                self.wait_for(|packet| *packet == Packet::PubAck(PubAck { packet_id }));
            }
            Delivery::ExactlyOnce { packet_id, .. } => {
                self.wait_for(|packet| *packet == Packet::PubRec(PubRec { packet_id }));
                self.send(&PubRel { packet_id });
                self.wait_for(|packet| *packet == Packet::PubComp(PubComp { packet_id }));
            }
        }
    }

    /// Returns the next packet, which must be a message, without acknowledging it.
    fn message(&mut self) -> Publish<Vec<u8>> {
        match self.next() {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?}"),
        }
    }

    /// Acknowledges a message completely.
    fn acknowledge(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::AtMostOnce => {}
            Delivery::AtLeastOnce { packet_id, .. } => self.send(&PubAck { packet_id }),
            Delivery::ExactlyOnce { packet_id, .. } => {
                self.send(&PubRec { packet_id });
                self.wait_for(|packet| *packet == Packet::PubRel(PubRel { packet_id }));
                self.send(&PubComp { packet_id });
            }
        }
    }

    /// Returns the next message, formatted by `show`.
    fn take(&mut self) -> String {
        let publish = self.message();
        self.acknowledge(publish.delivery);
        show(&publish)
    }

    /// Returns all messages that have arrived.
    fn take_all(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            self.settle();
            if self.inbox.is_empty() {
                return all;
            }
            while !self.inbox.is_empty() {
                all.push(self.take());
            }
        }
    }

    fn disconnect(mut self) {
        self.send(&Packet::<&[u8]>::Disconnect);
        self.expect_end();
    }

    /// Breaks the connection. Returns once the server has noticed.
    fn break_off(mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
        while self.receive().is_some() {}
    }
}

fn message<'a>(
    topic: &'a str,
    payload: &'a str,
    delivery: Delivery,
    retain: bool,
) -> Publish<&'a [u8]> {
    Publish {
        delivery,
        retain,
        topic: TopicName::new(topic).unwrap(),
        payload: payload.as_bytes(),
    }
}

/// Topic, payload, QoS, and the flags that are set.
fn show(publish: &Publish<Vec<u8>>) -> String {
    let flag = |is_set, name| if is_set { name } else { "" };
    format!(
        "{} {} {}{}{}",
        publish.topic,
        String::from_utf8_lossy(&publish.payload),
        publish.delivery.qos().number(),
        flag(publish.delivery.dup(), " dup"),
        flag(publish.retain, " retained"),
    )
}

const fn packet_id(publish: &Publish<Vec<u8>>) -> PacketId {
    publish.delivery.packet_id().unwrap()
}

// Connecting

/// [MQTT-3.1.2-6]
#[test]
fn session_present_is_1_only_for_a_session_that_was_kept_and_is_wanted() {
    let broker = Broker::start(&[]);
    let (peer, present) = broker.persistent("c");
    assert!(!present);
    peer.disconnect();
    let (peer, present) = broker.persistent("c");
    assert!(present);
    peer.break_off();
    let (peer, present) = broker.persistent("c");
    assert!(present);
    peer.disconnect();
    broker.clean("c").disconnect();
    let (_peer, present) = broker.persistent("c");
    assert!(!present, "Clean Session has ended it [MQTT-3.1.2-6]");
}

/// [MQTT-3.1.3-2]
#[test]
fn each_client_identifier_has_a_session_of_its_own() {
    let broker = Broker::start(&[]);
    for (id, filter) in [("c", "t/c"), ("C", "t/C"), ("cc", "t/cc")] {
        let (mut peer, present) = broker.persistent(id);
        assert!(!present, "{id}");
        peer.subscribe(&[(filter, Q1)]);
        peer.disconnect();
    }
    let mut publisher = broker.clean("p");
    for topic in ["t/c", "t/C", "t/cc"] {
        publisher.publish(topic, "x", Q1, false);
    }
    for (id, expected) in [("cc", "t/cc x 1"), ("c", "t/c x 1"), ("C", "t/C x 1")] {
        let (mut peer, present) = broker.persistent(id);
        assert!(present, "{id}");
        assert_eq!(peer.take_all(), [expected]);
    }
}

#[test]
fn clean_session_forgets_subscriptions_and_what_was_queued() {
    let broker = Broker::start(&[]);
    let (mut peer, _) = broker.persistent("c");
    peer.subscribe(&[("t", Q1)]);
    peer.disconnect();
    let mut publisher = broker.clean("p");
    publisher.publish("t", "1", Q1, false);
    let mut peer = broker.clean("c");
    peer.expect_nothing();
    publisher.publish("t", "2", Q1, false);
    peer.expect_nothing();
    peer.disconnect();
    let (mut peer, _) = broker.persistent("c");
    publisher.publish("t", "3", Q1, false);
    peer.expect_nothing();
}

#[test]
fn an_unsupported_level_is_answered_1_and_an_unknown_name_not_at_all() {
    let broker = Broker::start(&[]);
    for (name, level, expected) in [
        ("MQTT", 0, &b"\x20\x02\0\x01"[..]),
        ("MQTT", 3, b"\x20\x02\0\x01"),
        ("MQIsdp", 4, b"\x20\x02\0\x01"),
        ("MQTX", 4, b""),
        ("mqtt", 4, b""),
    ] {
        let mut peer = broker.open();
        let len = name.len() as u8;
        let connect = [&[0x10, len + 9, 0, len], name.as_bytes(), &[level]].concat();
        peer.send_bytes(&[&connect, &b"\x02\0\x3c\0\x01c"[..]].concat());
        let mut answer = Vec::new();
        peer.stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, expected, "{name} {level}");
    }
}

/// [MQTT-3.1.3-6]
#[test]
fn an_empty_identifier_is_replaced_with_clean_session_and_refused_without() {
    let broker = Broker::start(&[]);
    let mut first = broker.clean("");
    let mut second = broker.clean("");
    first.expect_nothing();
    second.expect_nothing();
    for connect in [
        &b"\x10\x0c\0\x04MQTT\x04\0\0\0\0\0"[..],
        b"\x10\x0e\0\x06MQIsdp\x03\x02\0\0\0\0",
    ] {
        let mut peer = broker.open();
        peer.send_bytes(connect);
        let refused = ConnAck::Refused(ConnectRefusal::IdentifierRejected);
        assert_eq!(peer.next(), Packet::ConnAck(refused));
        peer.expect_end();
    }
}

/// Section 1.5.3: a server may close the connection.
#[test]
fn a_control_character_in_a_client_identifier_or_topic_ends_the_connection() {
    let broker = Broker::start(&[]);
    let mut peer = broker.open();
    peer.send(&client("a\u{9f}", true));
    peer.expect_end();
    let mut peer = broker.clean("a");
    // Without an acknowledgement, which would mean that it was delivered.
    peer.send_bytes(b"\x32\x06\0\x02t\x1f\0\x01");
    peer.expect_end();
}

/// [MQTT-3.1.3-5]
#[test]
fn any_utf_8_without_control_characters_is_a_client_identifier_however_long() {
    let broker = Broker::start(&[]);
    let long = "\u{1f980}".repeat(16_383);
    for name in [
        "0",
        "0123456789abcdefghijklm",
        "nopqrstuvwxyzABCDEFGHIJ",
        "KLMNOPQRSTUVWXYZ",
        "0123456789abcdefghijklmnopqrstuvwxyz",
        "\u{e9} /#+\u{a0}",
        &long,
    ] {
        broker.persistent(name).0.disconnect();
        let (_, present) = broker.persistent(name);
        assert!(present);
    }
}

#[test]
fn credentials_are_asked_for_and_nothing_behind_a_refused_connect_is_dealt_with() {
    let broker = Broker::start(&["--user", "u", "--password", "p"]);
    let login = |user_name, password| Connect {
        credentials: Some(Credentials {
            user_name: Text::new(user_name).unwrap(),
            password,
        }),
        ..client("c", true)
    };
    let bad = ConnectRefusal::BadUserNameOrPassword;
    for (connect, refusal) in [
        (client("c", true), ConnectRefusal::NotAuthorized),
        (login("u", Some(b"x")), bad),
        (login("x", Some(b"p")), bad),
        (login("u", None), bad),
    ] {
        let mut peer = broker.open();
        let publish = message("t", "no", Delivery::AtMostOnce, true);
        let bytes = [
            connect.encode_to_vec().unwrap(),
            publish.encode_to_vec().unwrap(),
        ];
        peer.send_bytes(&bytes.concat());
        assert_eq!(peer.next(), Packet::ConnAck(ConnAck::Refused(refusal)));
        peer.expect_end();
    }
    let (mut peer, _) = broker.connect_with(&login("u", Some(b"p")));
    peer.subscribe(&[("#", Q0)]);
    peer.expect_nothing();
}

#[test]
fn a_client_may_send_on_without_waiting_for_connack_however_it_is_cut() {
    let broker = Broker::start(&[]);
    let bytes = [
        client("c", true).encode_to_vec().unwrap(),
        b"\x82\x06\0\x01\0\x01t\x01".to_vec(),
        b"\x32\x07\0\x01t\0\x02hi".to_vec(),
        b"\xc0\0".to_vec(),
    ]
    .concat();
    for chunk in [bytes.len(), 1] {
        let mut peer = broker.open();
        for chunk in bytes.chunks(chunk) {
            peer.send_bytes(chunk);
        }
        peer.wait_for(|packet| *packet == Packet::PingResp);
        peer.settle();
        let expected = [
            &b"\x20\x02\0\0"[..],
            b"\x90\x03\0\x01\x01",
            b"\x40\x02\0\x02",
            b"\x32\x07\0\x01t\0\x01hi",
        ];
        let all: BTreeSet<_> = peer
            .inbox
            .iter()
            .map(|packet| packet.encode_to_vec().unwrap())
            .collect();
        assert_eq!(all, expected.map(<[u8]>::to_vec).into());
    }
}

#[test]
fn what_no_client_may_send_ends_its_connection_and_no_other() {
    let broker = Broker::start(&[]);
    let mut other = broker.clean("other");
    for bytes in [
        &b"\xc0\0"[..],              // PINGREQ before CONNECT
        b"\x30\x03\0\x01t",          // PUBLISH before CONNECT
        b"\x20\x02\0\0",             // CONNACK
        b"\x00\x00",                 // no packet
        b"GET / HTTP/1.1\r\n\r\n",   // another protocol
        b"\x30\xff\xff\xff\xff\x7f", // no length
        b"\x10\xff\xff\xff\x7f",     // a CONNECT of 256 MiB
    ] {
        let mut peer = broker.open();
        peer.send_bytes(bytes);
        peer.expect_end();
    }
    for bytes in [
        &client("c", true).encode_to_vec().unwrap()[..], // a second CONNECT [MQTT-3.1.0-2]
        b"\x20\x02\0\0",                                 // CONNACK
        b"\xd0\0",                                       // PINGRESP
        b"\x90\x03\0\x01\0",                             // SUBACK
        b"\x82\x02\0\x01",                               // SUBSCRIBE without filters
        b"\x80\x06\0\x01\0\x01t\0",                      // SUBSCRIBE with other flags
        b"\x82\x06\0\x01\0\x01t\x03",                    // SUBSCRIBE at QoS 3
        b"\x30\x05\0\x03a/#",                            // PUBLISH to a filter
        b"\x30\x02\0\0",                                 // PUBLISH to nothing
        b"\x36\x05\0\x01t\0\x01",                        // PUBLISH at QoS 3
        b"\x32\x05\0\x01t\0\0",                          // Packet Identifier 0
        b"\x30\x04\0\x02\xc0\x80",                       // not UTF-8
        b"\xe1\0",                                       // DISCONNECT with flags
        b"\x30\xff\xff\xff\x7f",                         // PUBLISH of 256 MiB
    ] {
        let mut peer = broker.clean("c");
        peer.send_bytes(bytes);
        peer.expect_end();
    }
    other.expect_nothing();
}

#[test]
fn packets_are_small_until_the_client_is_let_in() {
    let broker = Broker::start(&["--max-packet-size", "300000"]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q0)]);
    let payload = "x".repeat(299_000);
    peer.publish("t", &payload, Q1, false);
    peer.settle();
    assert_eq!(peer.message().payload.len(), 299_000);
    // One byte of type, three of length, then as many bytes.
    peer.send_bytes(b"\x30\xde\xa7\x12");
    peer.expect_end();
    let mut peer = broker.open();
    peer.send_bytes(b"\x10\xff\xff\x08");
    peer.expect_end();
}

#[test]
fn whoever_never_sends_connect_is_given_up() {
    let broker = Broker::start(&["--connect-timeout", "1"]);
    let started = Instant::now();
    let idle = broker.open();
    let mut slow = broker.open();
    slow.send_bytes(b"\x10\x0d\0\x04");
    idle.expect_end();
    slow.expect_end();
    assert!(started.elapsed() >= Duration::from_millis(900));
}

#[test]
fn the_keep_alive_is_enforced_at_one_and_a_half_times() {
    let broker = Broker::start(&[]);
    let mut other = broker.clean("other");
    other.subscribe(&[("w", Q1)]);
    let (mut peer, _) = broker.connect_with(&Connect {
        keep_alive: 1,
        ..with_will("c", "w", Q1, false)
    });
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(700));
        peer.settle(); // A packet of any kind counts.
    }
    let silent_since = Instant::now();
    peer.expect_end();
    let silent_for = silent_since.elapsed();
    assert!(silent_for >= Duration::from_millis(1400), "{silent_for:?}");
    assert!(silent_for < Duration::from_secs(10), "{silent_for:?}");
    assert_eq!(other.take(), "w gone 1");
}

#[test]
fn mqtt_3_1_clients_are_served_and_may_set_dup_on_what_they_send_again() {
    let broker = Broker::start(&[]);
    let (mut peer, _) = broker.connect_with(&Connect {
        protocol_level: ProtocolLevel::V3_1,
        ..client("c", true)
    });
    peer.send_bytes(b"\x8a\x06\0\x63\0\x01t\x02");
    peer.wait_for(|packet| matches!(packet, Packet::SubAck(_)));
    peer.publish("t", "hi", Q2, false);
    peer.settle();
    assert_eq!(peer.take(), "t hi 2");
}

/// [MQTT-4.5.0-1, MQTT-7.1.1-1, MQTT5-4.2-1]
#[test]
fn many_clients_at_once() {
    let broker = Broker::start(&[]);
    let mut peers: Vec<_> = (0..300).map(|n| broker.clean(&format!("c{n}"))).collect();
    for peer in &mut peers {
        peer.subscribe(&[("all", Q1)]);
    }
    peers[0].publish("all", "hi", Q1, false);
    for peer in &mut peers {
        peer.settle();
        assert_eq!(peer.take(), "all hi 1");
    }
}

// A new connection of the same client

/// [MQTT-3.1.4-2]
#[test]
fn a_second_connection_ends_the_first_publishes_its_will_and_takes_over_the_session() {
    let broker = Broker::start(&[]);
    let mut other = broker.clean("other");
    other.subscribe(&[("w", Q2)]);
    let connect = Connect {
        clean_session: false,
        ..with_will("c", "w", Q2, false)
    };
    let (mut first, _) = broker.connect_with(&connect);
    first.subscribe(&[("t", Q1)]);
    other.publish("t", "1", Q1, false);
    first.settle();
    let not_acknowledged = first.message();
    let (mut second, present) = broker.persistent("c");
    assert!(present);
    assert_eq!(other.take(), "w gone 2");
    first.expect_end();
    let again = second.message();
    assert_eq!(show(&again), "t 1 1 dup");
    assert_eq!(packet_id(&again), packet_id(&not_acknowledged));
    second.acknowledge(again.delivery);
    other.publish("t", "2", Q1, false);
    assert_eq!(second.take(), "t 2 1");
    second.expect_nothing();
    other.expect_nothing();
}

#[test]
fn a_session_that_is_taken_over_from_a_clean_one_is_new() {
    let broker = Broker::start(&[]);
    let mut first = broker.clean("c");
    first.subscribe(&[("t", Q1)]);
    let (mut second, present) = broker.persistent("c");
    assert!(!present);
    first.expect_end();
    second.publish("t", "hi", Q1, false);
    second.expect_nothing();
}

#[test]
fn of_many_connections_of_one_client_one_is_left() {
    let broker = Broker::start(&[]);
    let mut peers: Vec<_> = (0..50).map(|_| broker.open()).collect();
    for peer in &mut peers {
        peer.send(&client("c", false));
    }
    for peer in &mut peers {
        let connack = peer.next();
        assert!(matches!(connack, Packet::ConnAck(ConnAck::Accepted { .. })));
    }
    for peer in &mut peers {
        peer.send(&Packet::<&[u8]>::PingReq);
    }
    let answers: Vec<_> = peers.iter_mut().filter_map(Peer::receive).collect();
    assert_eq!(answers, [Packet::PingResp]);
}

#[test]
fn a_client_that_does_not_read_can_be_taken_over_too() {
    let broker = Broker::start(&[]);
    let (mut stuck, _) = broker.persistent("c");
    stuck.subscribe(&[("t", Q0)]);
    let mut publisher = broker.clean("p");
    let payload = "x".repeat(500_000);
    for _ in 0..40 {
        publisher.publish("t", &payload, Q0, false);
    }
    let started = Instant::now();
    let (mut peer, present) = broker.persistent("c");
    assert!(present);
    assert!(started.elapsed() < Duration::from_secs(5));
    peer.expect_nothing();
}

// Wills

/// [MQTT-3.1.2-8, MQTT-3.1.2-10, MQTT-3.14.4-3]
#[test]
fn the_will_is_published_at_every_end_but_disconnect() {
    let broker = Broker::start(&[]);
    let mut other = broker.clean("other");
    other.subscribe(&[("w", Q2)]);
    let new = |qos| broker.connect_with(&with_will("c", "w", qos, false)).0;
    new(Q1).disconnect();
    other.expect_nothing();
    new(Q0).break_off();
    assert_eq!(other.take(), "w gone 0");
    let mut violating = new(Q1);
    violating.send_bytes(b"\x20\x02\0\0");
    violating.expect_end();
    assert_eq!(other.take(), "w gone 1");
    drop(new(Q2)); // Without DISCONNECT.
    assert_eq!(other.take(), "w gone 2");
    other.expect_nothing();
}

#[test]
fn disconnect_counts_although_the_client_has_not_read_what_it_was_sent() {
    let broker = Broker::start(&[]);
    let mut other = broker.clean("other");
    other.subscribe(&[("w", Q1)]);
    let payload = "x".repeat(200_000);
    for _ in 0..5 {
        let (mut peer, _) = broker.connect_with(&with_will("c", "w", Q1, false));
        peer.subscribe(&[("t", Q0)]);
        for _ in 0..20 {
            other.publish("t", &payload, Q0, false);
        }
        peer.send(&Packet::<&[u8]>::Disconnect);
        drop(peer);
        // The next client has to wait until this one has gone.
        broker.clean("c").disconnect();
        other.expect_nothing();
    }
}

/// [MQTT-3.1.2-16, MQTT-3.1.2-17]
#[test]
fn a_retained_will_is_retained_and_another_is_not() {
    let broker = Broker::start(&[]);
    broker
        .connect_with(&with_will("c", "w/1", Q1, true))
        .0
        .break_off();
    broker
        .connect_with(&with_will("c", "w/2", Q1, false))
        .0
        .break_off();
    let mut other = broker.clean("other");
    other.subscribe(&[("w/#", Q2)]);
    assert_eq!(other.take_all(), ["w/1 gone 1 retained"]);
}

// Sessions

/// [MQTT-3.1.2-5, MQTT-4.6.0-5, MQTT-4.6.0-6]
#[test]
fn messages_wait_for_an_absent_client_in_order_and_those_with_qos_0_do_not() {
    let broker = Broker::start(&[]);
    let (mut peer, _) = broker.persistent("c");
    peer.subscribe(&[("t/#", Q2), ("low/#", Q0)]);
    peer.break_off();
    let mut publisher = broker.clean("p");
    for n in 0..300 {
        let qos = [Q0, Q1, Q2][n % 3];
        publisher.publish(&format!("t/{n}"), "x", qos, false);
        publisher.publish("low/t", "x", Q2, false);
    }
    let (mut peer, present) = broker.persistent("c");
    assert!(present);
    let expected: Vec<_> = (0..300)
        .filter(|n| n % 3 > 0)
        .map(|n| format!("t/{n} x {}", n % 3))
        .collect();
    assert_eq!(peer.take_all(), expected);
}

#[test]
fn of_too_many_sessions_the_one_goes_that_has_been_absent_for_the_longest() {
    let broker = Broker::start(&["--max-sessions", "2"]);
    let (mut connected, _) = broker.persistent("connected");
    connected.subscribe(&[("t", Q1)]);
    for id in ["a", "b", "c"] {
        let (mut peer, _) = broker.persistent(id);
        peer.subscribe(&[("t", Q1)]);
        peer.disconnect();
    }
    broker.clean("clean").disconnect(); // Nothing of it is kept.
    broker.clean("p").publish("t", "x", Q1, false);
    assert_eq!(connected.take_all(), ["t x 1"]);
    for id in ["c", "b"] {
        let (mut peer, present) = broker.persistent(id);
        assert!(present, "{id}");
        assert_eq!(peer.take_all(), ["t x 1"]);
        peer.disconnect();
    }
    let (mut peer, present) = broker.persistent("a");
    assert!(!present);
    peer.expect_nothing();
    peer.disconnect();
    assert!(!broker.persistent("c").1, "now it was the longest");
}

#[test]
fn messages_under_way_are_sent_again_with_dup_and_their_identifiers_before_others() {
    let broker = Broker::start(&[]);
    let (mut peer, _) = broker.persistent("c");
    peer.subscribe(&[("t", Q2)]);
    let mut publisher = broker.clean("p");
    for n in 1..=5 {
        publisher.publish("t", &n.to_string(), if n % 2 == 0 { Q1 } else { Q2 }, false);
    }
    let first: Vec<_> = (0..5).map(|_| peer.message()).collect();
    peer.acknowledge(first[1].delivery);
    peer.settle();
    peer.break_off();
    publisher.publish("t", "6", Q1, false);
    let (mut peer, _) = broker.persistent("c");
    for before in [&first[0], &first[2], &first[3], &first[4]] {
        let again = peer.message();
        assert_eq!(packet_id(&again), packet_id(before));
        assert_eq!(show(&again), format!("{} dup", show(before)));
    }
    assert_eq!(peer.take(), "t 6 1");
}

#[test]
fn after_pubrec_pubrel_is_sent_again_and_publish_is_not() {
    let broker = Broker::start(&[]);
    let (mut peer, _) = broker.persistent("c");
    peer.subscribe(&[("t", Q2)]);
    let mut publisher = broker.clean("p");
    publisher.publish("t", "1", Q2, false);
    let packet_id = packet_id(&peer.message());
    let pubrel = Packet::PubRel(PubRel { packet_id });
    peer.send(&PubRec { packet_id });
    assert_eq!(peer.next(), pubrel);
    peer.break_off();
    for _ in 0..2 {
        let (mut peer, _) = broker.persistent("c");
        assert_eq!(peer.next(), pubrel);
        peer.expect_nothing();
        peer.break_off();
    }
    let (mut peer, _) = broker.persistent("c");
    assert_eq!(peer.next(), pubrel);
    peer.send(&PubComp { packet_id });
    peer.settle();
    peer.break_off();
    broker.persistent("c").0.expect_nothing();
}

#[test]
fn a_qos_2_message_that_comes_again_is_not_passed_on_again() {
    let broker = Broker::start(&[]);
    let mut other = broker.clean("other");
    other.subscribe(&[("t", Q2)]);
    let packet_id = id(7);
    let publish = |dup| message("t", "1", Delivery::ExactlyOnce { packet_id, dup }, false);
    let pubrec = Packet::PubRec(PubRec { packet_id });
    let (mut peer, _) = broker.persistent("c");
    peer.send(&publish(false));
    assert_eq!(peer.next(), pubrec);
    assert_eq!(other.take(), "t 1 2", "at receipt, not at PUBREL");
    peer.send(&publish(true));
    assert_eq!(peer.next(), pubrec);
    peer.break_off();
    let (mut peer, _) = broker.persistent("c");
    peer.send(&publish(true));
    assert_eq!(peer.next(), pubrec);
    other.expect_nothing();
    for _ in 0..2 {
        peer.send(&PubRel { packet_id });
        assert_eq!(peer.next(), Packet::PubComp(PubComp { packet_id }));
    }
    peer.send(&publish(false));
    assert_eq!(peer.next(), pubrec);
    assert_eq!(other.take(), "t 1 2", "a new message now");
}

#[test]
fn acknowledgements_for_what_is_not_under_way_do_no_harm() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    let packet_id = id(99);
    peer.send(&PubAck { packet_id });
    peer.send(&PubComp { packet_id });
    peer.send(&PubRel { packet_id });
    assert_eq!(peer.next(), Packet::PubComp(PubComp { packet_id }));
    peer.expect_nothing();
}

// Queues

#[test]
fn a_client_that_does_not_acknowledge_gets_so_many_at_once_and_the_others_after_that() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q1)]);
    let mut publisher = broker.clean("p");
    for n in 0..1000 {
        publisher.publish("t", &n.to_string(), Q1, false);
    }
    peer.settle();
    assert_eq!(peer.inbox.len(), 100);
    let all: Vec<_> = (0..1000).map(|_| peer.take()).collect();
    let expected: Vec<_> = (0..1000).map(|n| format!("t {n} 1")).collect();
    assert_eq!(all, expected);
    peer.expect_nothing();
}

#[test]
fn a_client_that_does_not_read_keeps_nobody_waiting() {
    let broker = Broker::start(&[]);
    let mut stuck = broker.clean("stuck");
    stuck.subscribe(&[("t", Q1)]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q1)]);
    let mut publisher = broker.clean("p");
    let payload = "x".repeat(200_000);
    let started = Instant::now();
    for _ in 0..200 {
        publisher.publish("t", &payload, Q1, false);
        let publish = peer.message();
        assert_eq!(publish.payload.len(), payload.len());
        peer.acknowledge(publish.delivery);
    }
    assert!(started.elapsed() < PATIENCE);
    // Messages that it has not read yet are still queued.
    assert_eq!(stuck.message().payload.len(), payload.len());
}

#[test]
fn a_client_that_sends_and_does_not_read_is_not_read_from_for_ever() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    let timeout = Some(Duration::from_millis(500));
    peer.stream.set_write_timeout(timeout).unwrap();
    let pings = b"\xc0\0".repeat(32 * 1024);
    let sent = (0..2000).take_while(|_| peer.stream.write_all(&pings).is_ok());
    assert!(sent.count() < 2000);
    broker.clean("other").expect_nothing();
}

#[test]
fn when_the_queue_is_full_qos_0_goes_first_then_the_oldest() {
    let broker = Broker::start(&["--max-queued", "10"]);
    let (mut peer, _) = broker.persistent("c");
    peer.subscribe(&[("t", Q1)]);
    peer.break_off();
    let mut publisher = broker.clean("p");
    for n in 0..25 {
        publisher.publish("t", &n.to_string(), Q1, false);
    }
    let (mut peer, _) = broker.persistent("c");
    let expected: Vec<_> = (15..25).map(|n| format!("t {n} 1")).collect();
    assert_eq!(peer.take_all(), expected);

    // The window is full, so all others have to wait.
    for _ in 0..10 {
        for _ in 0..10 {
            publisher.publish("t", "x", Q1, false);
        }
        peer.settle();
    }
    assert_eq!(peer.inbox.len(), 100);
    publisher.publish("t", "oldest", Q1, false);
    for n in 1..=4 {
        publisher.publish("t", &n.to_string(), Q0, false);
    }
    for n in 5..=12 {
        publisher.publish("t", &n.to_string(), Q1, false);
    }
    publisher.publish("t", "too late", Q0, false);
    publisher.publish("t", "13", Q1, false);
    publisher.publish("t", "14", Q1, false);
    let expected: Vec<_> = (5..=14).map(|n| format!("t {n} 1")).collect();
    assert_eq!(peer.take_all()[100..], expected);
}

#[test]
fn a_burst_reaches_a_client_that_reads_in_full_although_little_is_queued() {
    let broker = Broker::start(&["--max-queued", "50"]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q0)]);
    let mut publisher = broker.clean("p");
    let publish = message("t", "x", Delivery::AtMostOnce, false);
    let burst = publish.encode_to_vec().unwrap().repeat(5000);
    publisher.send_bytes(&burst);
    for _ in 0..5000 {
        assert_eq!(peer.take(), "t x 0");
    }
}

#[test]
fn a_client_that_lags_behind_gets_everything_although_it_says_nothing() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q0)]);
    let mut publisher = broker.clean("p");
    let payload = "x".repeat(1000);
    let publish = message("t", &payload, Delivery::AtMostOnce, false);
    let burst = publish.encode_to_vec().unwrap().repeat(1000);
    for _ in 0..20 {
        publisher.send_bytes(&burst);
    }
    publisher.settle(); // Everything is in the queue, or in socket buffers.
    for _ in 0..20_000 {
        assert_eq!(peer.message().payload.len(), 1000);
    }
    peer.expect_nothing();
}

#[test]
fn what_is_left_of_a_full_queue_is_in_order_whatever_its_qos() {
    let broker = Broker::start(&["--max-queued", "100"]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q2)]);
    let mut publisher = broker.clean("p");
    for _ in 0..10 {
        for _ in 0..10 {
            publisher.publish("t", "first", Q1, false);
        }
        peer.settle();
    }
    assert_eq!(peer.inbox.len(), 100);
    // From here on messages wait. Half of them have QoS 0, and the oldest of those are dropped.
    for n in 0..100 {
        publisher.publish("t", &n.to_string(), [Q1, Q0, Q2, Q0][n % 4], false);
    }
    for n in 100..120 {
        publisher.publish("t", &n.to_string(), Q1, false);
    }
    let expected: Vec<_> = (0..120)
        .map(|n| (n, if n < 100 { [1, 0, 2, 0][n % 4] } else { 1 }))
        .filter(|&(n, qos)| qos > 0 || n >= 40)
        .map(|(n, qos)| format!("t {n} {qos}"))
        .collect();
    assert_eq!(expected.len(), 100);
    assert_eq!(peer.take_all()[100..], expected);
}

#[test]
fn what_a_large_packet_needed_is_not_kept_by_an_idle_connection() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let broker = Broker::start(&[]);
    let payload = "x".repeat(1_000_000);
    let _peers: Vec<_> = (0..100)
        .map(|n| {
            let mut peer = broker.clean(&format!("c{n}"));
            peer.publish("t", &payload, Q1, false);
            peer
        })
        .collect();
    let status = format!("/proc/{}/status", broker.0.child.id());
    let status = std::fs::read_to_string(status).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|resident| resident.trim().strip_suffix(" kB"));
    let kilobytes: u32 = kilobytes.unwrap().parse().unwrap();
    assert!(kilobytes < 50_000, "{kilobytes} kB");
}

// Retained messages

/// [MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-8, MQTT-3.3.1-12, MQTT-3.8.4-3]
#[test]
fn a_retained_message_comes_with_each_new_subscription_and_replaces_the_one_before() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    publisher.publish("r/1", "old", Q1, true);
    publisher.publish("r/1", "new", Q2, true);
    publisher.publish("r/2", "0", Q0, true);
    publisher.publish("r/3", "not retained", Q1, false);
    publisher.publish("r/1", "not retained", Q1, false);
    publisher.disconnect();
    for (granted, expected) in [
        (Q0, ["r/1 new 0 retained", "r/2 0 0 retained"]),
        (Q1, ["r/1 new 1 retained", "r/2 0 0 retained"]),
        (Q2, ["r/1 new 2 retained", "r/2 0 0 retained"]),
    ] {
        let mut peer = broker.clean("c");
        assert_eq!(peer.subscribe(&[("r/+", granted)]), [granted.number()]);
        assert_eq!(peer.take_all(), expected);
        peer.subscribe(&[("r/+", granted)]);
        assert_eq!(peer.take_all(), expected, "again [MQTT-3.8.4-3]");
        peer.subscribe(&[("r/1", granted)]);
        assert_eq!(peer.take_all(), expected[..1]);
    }
}

/// [MQTT-3.3.1-7]
#[test]
fn a_retained_message_with_qos_0_replaces_the_one_before() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    for (before, expected) in [(Q2, "r new 0 retained"), (Q0, "r new 0 retained")] {
        peer.publish("r", "old", before, true);
        peer.publish("r", "new", Q0, true);
        peer.subscribe(&[("r", Q2)]);
        assert_eq!(peer.take_all(), [expected]);
        peer.unsubscribe(&["r"]);
    }
}

/// [MQTT-3.3.1-9]
#[test]
fn retain_is_1_only_because_of_a_new_subscription() {
    let broker = Broker::start(&[]);
    let (mut peer, _) = broker.persistent("c");
    peer.subscribe(&[("r", Q1)]);
    peer.publish("r", "1", Q1, true);
    assert_eq!(peer.take_all(), ["r 1 1"]);
    peer.break_off();
    broker.clean("p").publish("r", "2", Q1, true);
    let (mut peer, _) = broker.persistent("c");
    assert_eq!(peer.take_all(), ["r 2 1"]);
}

/// [MQTT-3.3.1-10, MQTT-3.3.1-11]
#[test]
fn an_empty_retained_message_is_delivered_and_clears() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("r", Q1)]);
    peer.publish("r", "1", Q1, true);
    peer.publish("r", "", Q1, true);
    assert_eq!(peer.take_all(), ["r 1 1", "r  1"]);
    peer.subscribe(&[("r", Q1)]);
    peer.expect_nothing();
    peer.publish("r", "", Q1, true);
    assert_eq!(peer.take_all(), ["r  1"]);
}

/// [MQTT-3.1.2-7]
#[test]
fn retained_messages_outlive_the_session_that_they_came_from() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    publisher.publish("r", "1", Q1, true);
    publisher.disconnect();
    broker.clean("p").disconnect();
    let mut peer = broker.clean("c");
    peer.subscribe(&[("#", Q1)]);
    assert_eq!(peer.take_all(), ["r 1 1 retained"]);
}

#[test]
fn large_retained_messages_all_come_although_the_client_says_nothing() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    let payload = "x".repeat(100_000);
    for n in 10..50 {
        publisher.publish(&format!("r/{n}"), &payload, Q1, true);
    }
    for qos in [Q0, Q1] {
        let mut peer = broker.clean("c");
        peer.subscribe(&[("r/#", qos)]);
        for n in 10..50 {
            assert_eq!(peer.message().topic, *format!("r/{n}"));
        }
        peer.expect_nothing();
    }
}

/// Publishes retained messages to `r/1000`, `r/1001` and so on.
fn retain(broker: &Broker, count: usize, payload: &str) {
    let mut publisher = broker.clean("retain");
    let mut bytes = Vec::new();
    for n in 1000..1000 + count {
        let publish = format!("r/{n}");
        let publish = message(&publish, payload, Delivery::AtMostOnce, true);
        bytes.extend(publish.encode_to_vec().unwrap());
    }
    publisher.send_bytes(&bytes);
    publisher.settle();
    publisher.disconnect();
}

#[test]
fn what_is_retained_waits_for_room_in_the_queue() {
    let broker = Broker::start(&["--max-queued", "1"]);
    retain(&broker, 3000, "x");
    let mut peer = broker.clean("c");
    peer.subscribe(&[("r/+", Q0)]);
    for n in 1000..4000 {
        assert_eq!(peer.take(), format!("r/{n} x 0 retained"));
    }
    peer.expect_nothing();
}

#[test]
fn what_is_retained_comes_once_for_each_filter_of_a_request() {
    let broker = Broker::start(&[]);
    retain(&broker, 10, "x");
    let mut peer = broker.clean("c");
    let codes = peer.subscribe(&[("#", Q0); 1000]);
    assert_eq!(codes, [0; 1000]);
    assert_eq!(peer.take_all().len(), 10);
    peer.subscribe(&[("r/1003", Q0), ("#", Q0), ("r/1003", Q0), ("r/+", Q0)]);
    assert_eq!(peer.take_all().len(), 21);
}

#[test]
fn filters_beyond_the_limit_of_one_request_are_refused() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    let filters: Vec<String> = (0..1002).map(|n| format!("f/{n}")).collect();
    let codes = peer.subscribe(&filters.iter().map(|f| (&**f, Q1)).collect::<Vec<_>>());
    assert_eq!(codes[..1000], [1; 1000]);
    assert_eq!(codes[1000..], [0x80; 2]);
}

#[test]
fn a_request_for_millions_of_messages_keeps_nobody_waiting() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    for n in 0..2000 {
        let topic = format!("a/a/a/a/a/a/a/a/a/{n}");
        let publish = message(&topic, "x", Delivery::AtMostOnce, true);
        publisher.send(&publish);
    }
    publisher.settle();
    // All topics that replace some `a` by `+`.
    let filters: Vec<_> = (0..512)
        .map(|bits| {
            let levels = (0..9).map(|n| if bits >> n & 1 == 0 { "a/" } else { "+/" });
            levels.collect::<String>() + "+"
        })
        .collect();
    let filters: Vec<_> = filters.iter().map(|filter| (&**filter, Q1)).collect();
    let mut greedy = broker.clean("greedy");
    greedy.subscribe(&filters);
    let started = Instant::now();
    for _ in 0..100 {
        publisher.settle();
    }
    assert!(started.elapsed() < PATIENCE);
    for _ in 0..5000 {
        assert!(greedy.take().ends_with(" x 0 retained"));
    }
}

#[test]
fn what_is_retained_goes_on_in_the_next_connection_of_a_session() {
    let broker = Broker::start(&["--max-queued", "10"]);
    let mut publisher = broker.clean("p");
    for n in 1000..1500 {
        publisher.publish(&format!("r/{n}"), "x", Q1, true);
    }
    let (mut peer, _) = broker.persistent("c");
    peer.subscribe(&[("r/#", Q1)]);
    for _ in 0..100 {
        peer.message();
    }
    peer.expect_nothing(); // Before some of these are acknowledged.
    peer.break_off();
    let (mut peer, _) = broker.persistent("c");
    let all: Vec<_> = (0..500).map(|_| peer.take()).collect();
    let expected: Vec<_> = (1000..1500)
        .map(|n| format!("r/{n} x 1{} retained", if n < 1100 { " dup" } else { "" }))
        .collect();
    assert_eq!(all, expected);
    peer.expect_nothing();
}

#[test]
fn what_is_retained_is_never_older_than_what_came_before_it() {
    let broker = Broker::start(&["--max-queued", "10"]);
    let mut publisher = broker.clean("p");
    for n in 1000..1200 {
        publisher.publish(&format!("r/{n}"), "old", Q1, true);
    }
    let mut peer = broker.clean("c");
    peer.subscribe(&[("r/#", Q1)]);
    let first: Vec<_> = (0..100).map(|_| peer.message()).collect();
    peer.expect_nothing(); // The others wait, most of them not in the queue yet.
    publisher.publish("r/1199", "new", Q1, true);
    publisher.publish("r/1198", "", Q1, true);
    for publish in first {
        peer.acknowledge(publish.delivery);
    }
    let mut all = Vec::new();
    while all.len() < 101 {
        all.push(peer.take());
    }
    peer.expect_nothing();
    let of = |topic| all.iter().filter(move |shown| shown.starts_with(topic));
    let expected = ["r/1199 new 1", "r/1199 new 1 retained"];
    assert_eq!(of("r/1199").collect::<Vec<_>>(), expected);
    assert_eq!(of("r/1198").collect::<Vec<_>>(), ["r/1198  1"]);
}

#[test]
fn beyond_the_limit_messages_are_delivered_and_not_retained() {
    let broker = Broker::start(&["--max-retained-bytes", "10000"]);
    let mut other = broker.clean("other");
    other.subscribe(&[("r/#", Q0)]);
    let payload = "x".repeat(738); // 1,000 with the topic and what is counted for each.
    retain(&broker, 100, &payload);
    assert_eq!(other.take_all().len(), 100);
    let retained = || {
        let mut peer = broker.clean("c");
        peer.subscribe(&[("r/#", Q0)]);
        let all = peer.take_all().into_iter();
        all.map(|shown| shown[..6].to_owned()).collect::<Vec<_>>()
    };
    let expected: Vec<_> = (1000..1010).map(|n| format!("r/{n}")).collect();
    assert_eq!(retained(), expected);
    // A larger one exceeds the limit, and the earlier message is outdated.
    let larger = "x".repeat(739);
    other.publish("r/1003", &larger, Q1, true);
    assert_eq!(retained().len(), 9);
    // Now there is space for another.
    other.publish("r/2000", &payload, Q1, true);
    other.publish("r/2001", &payload, Q1, true);
    assert_eq!(retained().last().unwrap(), "r/2000");
    other.publish("r/1000", "", Q1, true);
    other.publish("r/2001", &payload, Q1, true);
    assert_eq!(retained().last().unwrap(), "r/2001");
}

// Subscriptions

/// [MQTT-3.8.4-6]
#[test]
fn the_qos_is_the_lower_of_what_was_published_and_what_was_granted() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    let codes = peer.subscribe(&[("0", Q0), ("1", Q1), ("2", Q2)]);
    assert_eq!(codes, [0, 1, 2]);
    for published in [Q0, Q1, Q2] {
        for granted in 0..3 {
            peer.publish(&granted.to_string(), "x", published, false);
            let expected = published.number().min(granted);
            assert_eq!(peer.take_all(), [format!("{granted} x {expected}")]);
        }
    }
}

/// [MQTT-3.3.5-1]
#[test]
fn overlapping_subscriptions_give_one_copy_with_the_highest_qos() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("a/#", Q0), ("a/+", Q2), ("a/b", Q1), ("#", Q0)]);
    peer.publish("a/b", "x", Q2, false);
    assert_eq!(peer.take_all(), ["a/b x 2"]);
    peer.publish("a/b/c", "x", Q2, false);
    assert_eq!(peer.take_all(), ["a/b/c x 0"]);
}

/// [MQTT-3.8.4-3, MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-5]
#[test]
fn a_subscription_to_the_same_filter_replaces_and_unsubscribe_ends_just_that_one() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("a/+", Q2)]);
    peer.subscribe(&[("a/+", Q0)]);
    peer.publish("a/b", "1", Q2, false);
    assert_eq!(peer.take_all(), ["a/b 1 0"]);
    peer.unsubscribe(&["a/b", "a/#", "#", "never"]);
    peer.publish("a/b", "2", Q2, false);
    assert_eq!(peer.take_all(), ["a/b 2 0"]);
    peer.unsubscribe(&["never", "a/+"]);
    peer.publish("a/b", "3", Q2, false);
    peer.expect_nothing();
}

/// [MQTT-3.8.4-3]
#[test]
fn a_subscription_to_the_same_filter_does_not_interrupt_what_is_coming() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q1)]);
    let mut publisher = broker.clean("p");
    // More than the window holds: the others are in the queue.
    for n in 0..150 {
        publisher.publish("t", &n.to_string(), Q1, false);
    }
    peer.subscribe(&[("t", Q1)]);
    publisher.publish("t", "150", Q1, false);
    let expected: Vec<_> = (0..=150).map(|n| format!("t {n} 1")).collect();
    assert_eq!(peer.take_all(), expected);
}

/// [MQTT-3.8.4-4, MQTT-3.10.4-6]
#[test]
fn many_filters_in_one_request_are_as_good_as_many_requests() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.publish("b", "retained", Q1, true);
    assert_eq!(
        peer.subscribe(&[("a", Q0), ("b", Q1), ("c", Q2)]),
        [0, 1, 2]
    );
    assert_eq!(peer.take_all(), ["b retained 1 retained"]);
    for topic in ["a", "b", "c", "d"] {
        peer.publish(topic, "x", Q2, false);
    }
    assert_eq!(peer.take_all(), ["a x 0", "b x 1", "c x 2"]);
    peer.unsubscribe(&["c", "a"]);
    for topic in ["a", "b", "c", "d"] {
        peer.publish(topic, "y", Q2, false);
    }
    assert_eq!(peer.take_all(), ["b y 1"]);
}

/// [MQTT-3.10.4-2, MQTT-3.10.4-3]
#[test]
fn what_is_under_way_or_queued_is_carried_through_after_unsubscribe() {
    let broker = Broker::start(&[]);
    let (mut peer, _) = broker.persistent("c");
    peer.subscribe(&[("t", Q2)]);
    let mut publisher = broker.clean("p");
    // More than the window holds: the others are in the queue.
    for n in 0..150 {
        publisher.publish("t", &n.to_string(), Q2, false);
    }
    peer.unsubscribe(&["t"]);
    publisher.publish("t", "too late", Q2, false);
    let expected: Vec<_> = (0..150).map(|n| format!("t {n} 2")).collect();
    assert_eq!(peer.take_all(), expected);
}

/// [MQTT-3.9.3-1]
#[test]
fn suback_answers_each_filter_in_order_and_0x80_to_those_denied() {
    let broker = Broker::start(&["--deny", "no/#", "--deny", "test/nosubscribe"]);
    let mut peer = broker.clean("c");
    let codes = peer.subscribe(&[
        ("a", Q2),
        ("no/#", Q1),
        ("b", Q0),
        ("test/nosubscribe", Q0),
        ("no/+", Q1),
    ]);
    assert_eq!(codes, [2, 0x80, 0, 0x80, 1]);
    peer.publish("test/nosubscribe", "x", Q1, false);
    peer.publish("no", "x", Q1, false);
    peer.expect_nothing();
}

/// [MQTT-4.7.2-1]
#[test]
fn a_leading_wildcard_does_not_match_a_topic_that_starts_with_a_dollar_sign() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("#", Q0), ("+/a", Q0)]);
    peer.publish("$other/a", "1", Q1, true);
    peer.expect_nothing();
    peer.subscribe(&[("+/#", Q0)]);
    peer.expect_nothing();
    peer.subscribe(&[("$other/#", Q0)]);
    assert_eq!(peer.take_all(), ["$other/a 1 0 retained"]);
    peer.publish("$other/a", "2", Q1, false);
    assert_eq!(peer.take_all(), ["$other/a 2 0"]);
}

/// [MQTT-4.7.3-4]
#[test]
fn empty_levels_and_letters_are_compared_as_they_are() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("/+", Q0), ("+/+/b", Q0), ("A", Q0), ("e\u{301}", Q0)]);
    for topic in ["/f", "//b", "a", "\u{e9}", "f/", "/"] {
        peer.publish(topic, "x", Q0, false);
    }
    assert_eq!(peer.take_all(), ["/f x 0", "//b x 0", "/ x 0"]);
}

/// Returns all sequences of up to three of these.
fn up_to_three_levels(levels: &[&str]) -> Vec<String> {
    let mut all: Vec<_> = levels.iter().map(|&level| level.to_owned()).collect();
    for at in 0..all.len() + levels.len() * levels.len() {
        let extended = levels.iter().map(|level| format!("{}/{level}", all[at]));
        all.extend(extended.collect::<Vec<_>>());
    }
    all
}

/// [MQTT-3.3.2-3]
#[test]
fn every_filter_gets_the_topics_that_it_matches_and_no_others() {
    let topics = up_to_three_levels(&["", "a", "$b", "c"]);
    let topics: Vec<_> = topics.iter().filter(|topic| !topic.is_empty()).collect();
    let filters = up_to_three_levels(&["", "a", "$b", "+", "#"]);
    let broker = Broker::start(&[]);
    let mut peers = Vec::new();
    for filter in &filters {
        if let Ok(filter) = TopicFilter::new(&**filter) {
            let mut peer = broker.clean(&filter.to_string());
            peer.subscribe(&[(filter.as_str(), Q0)]);
            peers.push((filter, peer));
        }
    }
    assert_eq!((topics.len(), peers.len()), (83, 104));
    let mut publisher = broker.clean("p");
    let mut publish_all_and_compare = |peers: &mut Vec<(TopicFilter<&[u8]>, Peer)>| {
        for topic in &topics {
            publisher.send(&message(topic, "x", Delivery::AtMostOnce, false));
        }
        publisher.settle();
        for (filter, peer) in peers {
            let matching = |topic: &&&String| filter.matches(&TopicName::new(&***topic).unwrap());
            let expected = topics.iter().filter(matching).map(|t| format!("{t} x 0"));
            assert_eq!(peer.take_all(), expected.collect::<Vec<_>>(), "{filter}");
        }
    };
    publish_all_and_compare(&mut peers);
    // The remaining subscriptions do not depend on the others.
    for removed in [2, 3] {
        let mut index = 0;
        peers.retain_mut(|(filter, peer)| {
            index += 1;
            if index % removed == 0 {
                peer.unsubscribe(&[filter.as_str()]);
            }
            index % removed != 0
        });
        publish_all_and_compare(&mut peers);
    }
}

#[test]
fn those_who_share_a_subscription_take_turns_and_others_get_all() {
    let broker = Broker::start(&[]);
    let mut sharing = ["1", "2", "3"].map(|id| broker.clean(id));
    for peer in &mut sharing {
        peer.subscribe(&[("$share/g/a/+", Q0)]);
    }
    let mut other = broker.clean("other");
    other.subscribe(&[("$share/h/a/+", Q0)]);
    let mut publisher = broker.clean("p");
    for _ in 0..6 {
        publisher.publish("a/b", "x", Q1, false);
    }
    for peer in &mut sharing {
        assert_eq!(peer.take_all(), ["a/b x 0"; 2]);
    }
    assert_eq!(other.take_all(), ["a/b x 0"; 6]);
    let [mut left, ..] = sharing;
    left.unsubscribe(&["$share/g/a/+"]);
    publisher.publish("a/b", "y", Q1, false);
    left.expect_nothing();
}

#[test]
fn topics_have_any_number_of_levels_and_filters_up_to_128() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    let [most, too_many] = [127, 128].map(|slashes| "+/".repeat(slashes));
    let below = "/".repeat(127) + "#";
    let codes = peer.subscribe(&[(&most, Q0), (&too_many, Q0), (&below, Q1)]);
    assert_eq!(codes, [0, 0x80, 1]);
    peer.publish(&"a/".repeat(127), "x", Q2, false);
    assert_eq!(show(&peer.message()), format!("{} x 0", "a/".repeat(127)));
    let longest = "/".repeat(65_535);
    peer.publish(&longest, "x", Q2, false);
    assert_eq!(peer.take_all(), [format!("{longest} x 1")]);
    peer.publish(&too_many.replace('+', "a"), "x", Q2, false);
    peer.expect_nothing();
}

#[test]
fn many_filters_that_do_not_match_cost_nothing() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    for thousand in 0..10 {
        let filters: Vec<_> = (0..1000).map(|n| format!("+/a{thousand}{n}")).collect();
        let filters: Vec<_> = filters.iter().map(|filter| (&**filter, Q0)).collect();
        assert_eq!(peer.subscribe(&filters), [0; 1000]);
    }
    assert_eq!(peer.subscribe(&[("one more", Q0)]), [0x80]);
    let mut publisher = broker.clean("p");
    let long = "x".repeat(65_000);
    for _ in 0..100 {
        publisher.publish(&long, "", Q1, false);
    }
    publisher.publish("x/a42", "x", Q1, false);
    assert_eq!(peer.take_all(), ["x/a42 x 0"]);
}

// Publishing

/// [MQTT-3.3.1-3]
#[test]
fn dup_is_not_passed_on() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q2)]);
    let delivery = |packet_id| Delivery::AtLeastOnce {
        packet_id,
        dup: true,
    };
    peer.send(&message("t", "x", delivery(id(9)), false));
    assert_eq!(peer.wait_for(|p| matches!(p, Packet::PubAck(_))), {
        Packet::PubAck(PubAck { packet_id: id(9) })
    });
    peer.settle();
    assert_eq!(peer.take(), "t x 1");
}

/// [MQTT-3.3.5-2]
#[test]
fn what_clients_publish_in_sys_is_acknowledged_and_goes_nowhere() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("$SYS/#", Q2), ("$SYS", Q2), ("$SYSTEM/a", Q2)]);
    for qos in [Q0, Q1, Q2] {
        peer.publish("$SYS/a", "x", qos, true);
        peer.publish("$SYS", "x", qos, true);
    }
    let (will, _) = broker.connect_with(&with_will("w", "$SYS/will", Q1, true));
    will.break_off();
    peer.subscribe(&[("$SYS/#", Q2)]);
    peer.expect_nothing();
    peer.publish("$SYSTEM/a", "x", Q1, false);
    assert_eq!(peer.take_all(), ["$SYSTEM/a x 1"]);
}

/// [MQTT-4.6.0-5, MQTT-4.6.0-6]
#[test]
fn what_one_client_publishes_arrives_in_its_order() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe(&[("t", Q2)]);
    let mut publisher = broker.clean("p");
    let mut bytes = Vec::new();
    for n in 1..=900 {
        let packet_id = id(n);
        let dup = false;
        let delivery = match n % 3 {
            0 => Delivery::AtMostOnce,
            1 => Delivery::AtLeastOnce { packet_id, dup },
            _ => Delivery::ExactlyOnce { packet_id, dup },
        };
        let payload = n.to_string();
        let publish = message("t", &payload, delivery, false);
        bytes.extend(publish.encode_to_vec().unwrap());
    }
    publisher.send_bytes(&bytes);
    let expected: Vec<_> = (1..=900).map(|n| format!("t {n} {}", n % 3)).collect();
    let all: Vec<_> = (1..=900).map(|_| peer.take()).collect();
    assert_eq!(all, expected);
    // The acknowledgements arrive in the order of the messages too [MQTT-4.6.0-2, MQTT-4.6.0-3].
    for n in (1..=900).filter(|n| n % 3 > 0) {
        let packet_id = id(n);
        let expected = match n % 3 {
            1 => Packet::PubAck(PubAck { packet_id }),
            _ => Packet::PubRec(PubRec { packet_id }),
        };
        assert_eq!(publisher.next(), expected);
    }
}
