//! Tests of `broker` with clients of MQTT 5 over real sockets. The clients consist of sockets and bytes,
//! so that the tests do not depend on the codec under test.

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

#[path = "../common/mod.rs"]
mod common;
mod duties;
mod peer;

use core::time::Duration;
use std::thread::sleep;
use std::time::Instant;

use peer::{
    Broker, CLEAN_START, MESSAGE_EXPIRY, NEW, Peer, QOS_1, QOS_2, RECEIVE_MAXIMUM, RESUMED, RETAIN,
    SESSION_EXPIRY, WILL_DELAY, connect, four, packet, properties, publish, subscribe, text,
};

#[test]
fn clients_of_all_versions_exchange_messages() {
    let broker = Broker::start(&[]);
    let mut five = broker.clean("5");
    five.subscribe("t", 1);
    let mut four = broker.send(b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x014");
    four.expect(b"\x20\x02\0\0");
    four.send(b"\x82\x06\0\x01\0\x01t\x01");
    four.expect(b"\x90\x03\0\x01\x01");
    let mut three = broker.send(b"\x10\x0f\0\x06MQIsdp\x03\x02\0\x3c\0\x013");
    three.expect(b"\x20\x02\0\0");
    three.send(b"\x32\x06\0\x01t\0\x07a");
    three.expect(b"\x40\x02\0\x07");
    five.expect(&publish(QOS_1, "t", 1, &[], "a"));
    four.expect(b"\x32\x06\0\x01t\0\x01a");
    five.send(&publish(0, "t", 0, &[&four_bytes_of_user_property()], "b"));
    five.expect(&publish(0, "t", 0, &[&four_bytes_of_user_property()], "b"));
    four.expect(b"\x30\x04\0\x01tb");
}

fn four_bytes_of_user_property() -> Vec<u8> {
    [&b"\x26"[..], &text("n"), &text("v")].concat()
}

/// [MQTT5-3.1.2-2]
#[test]
fn a_later_protocol_level_is_refused_with_the_code_of_mqtt_5() {
    let broker = Broker::start(&[]);
    for level in [6, 99, 0x7f] {
        let mut connect = connect("c", CLEAN_START, &[], &[]);
        connect[8] = level;
        let mut peer = broker.send(&connect);
        peer.expect(b"\x20\x03\0\x84\0");
        peer.expect_end();
    }
}

#[test]
fn connack_is_short_and_options_add_to_it() {
    let broker = Broker::start(&[]);
    broker.clean("c").expect_nothing();
    let broker = Broker::start(&[
        "--topic-alias-maximum=0",
        "--receive-maximum=65535",
        "--max-packet-size=1000",
        "--max-session-expiry=5",
        "--max-keep-alive=30",
    ]);
    let expiry = four(SESSION_EXPIRY, 6);
    let mut peer = broker.send(&connect("c", CLEAN_START, &[&expiry], &[]));
    let with = [
        b"\x13\0\x1e",
        &four(SESSION_EXPIRY, 5)[..],
        &four(0x27, 1000),
    ];
    peer.expect(&packet(0x20, &[b"\0\0", &properties(&with)]));
    let mut peer = broker.send(b"\x10\x13\0\x04MQTT\x05\x02\0\x1e\x05\x11\0\0\0\x05\0\x01d");
    peer.expect(&packet(0x20, &[b"\0\0", &properties(&[&four(0x27, 1000)])]));
}

/// [MQTT5-3.1.3-6, MQTT5-3.1.3-7]
#[test]
fn a_client_without_an_identifier_gets_one_that_it_can_come_back_with() {
    let broker = Broker::start(&[]);
    let expiry = four(SESSION_EXPIRY, 60);
    let mut peer = broker.send(&connect("", 0, &[&expiry], &[]));
    let connack = peer.next().unwrap();
    assert_eq!(connack[..8], b"\x20\x35\0\0\x32\x22\0\x0a"[..]);
    assert_eq!(connack[8..11], b"\x12\0\x29"[..]);
    assert_eq!(connack[52..], b"\x21\0\x14"[..]);
    let client = String::from_utf8(connack[11..52].to_vec()).unwrap();
    peer.disconnect();
    broker.kept(&client, 60, RESUMED);
}

/// [MQTT5-4.1.0-2]
#[test]
fn a_session_is_kept_for_its_expiry_interval() {
    let broker = Broker::start(&[]);
    // Without an interval, or with 0, the session ends with the connection.
    broker.send(&connect("c", 0, &[], &[])).expect(NEW);
    broker.kept("c", 0, NEW).disconnect();
    broker.kept("c", 1, NEW).subscribe("t", 1);
    let mut publisher = broker.clean("p");
    sleep(Duration::from_millis(200));
    publisher.publish("u", "no subscriber");
    broker.kept("c", 1, RESUMED).disconnect();
    sleep(Duration::from_millis(1300));
    let mut peer = broker.kept("c", u32::MAX, NEW);
    publisher.publish("t", "nobody has subscribed");
    peer.expect_nothing();
    peer.disconnect();
    broker.kept("c", 0, RESUMED).disconnect();
    broker.kept("c", 0, NEW);
}

#[test]
fn disconnect_changes_the_session_expiry_interval() {
    let broker = Broker::start(&[]);
    let mut peer = broker.kept("c", 1, NEW);
    peer.send(b"\xe0\x07\0\x05\x11\0\0\0\x3c");
    peer.expect_end();
    sleep(Duration::from_millis(1300));
    let mut peer = broker.kept("c", 60, RESUMED);
    peer.send(b"\xe0\x07\0\x05\x11\0\0\0\0");
    peer.expect_end();
    let mut peer = broker.kept("c", 0, NEW);
    // Section 3.14.2.2.2.
    peer.send(b"\xe0\x07\0\x05\x11\0\0\0\x3c");
    peer.expect(b"\xe0\x01\x82").next();
}

/// CONNECT with a Will to `w` that is published after `delay` seconds.
fn with_will(client: &str, flags: u8, expiry: u32, delay: u32) -> Vec<u8> {
    let will = [
        properties(&[&four(WILL_DELAY, delay)]),
        text("w"),
        text("gone"),
    ]
    .concat();
    connect(client, 4 | flags, &[&four(SESSION_EXPIRY, expiry)], &will)
}

/// [MQTT5-3.1.3-9]
#[test]
fn a_delayed_will_is_withdrawn_if_the_client_comes_back() {
    let broker = Broker::start(&[]);
    let mut watcher = broker.clean("watcher");
    watcher.subscribe("w", 0);
    let mut peer = broker.send(&with_will("c", 0, 60, 1));
    peer.expect(NEW);
    peer.break_off();
    broker.kept("c", 60, RESUMED);
    sleep(Duration::from_millis(1300));
    watcher.expect_nothing();
}

/// [MQTT5-3.1.2-7]
#[test]
fn a_delayed_will_is_published_after_the_delay_or_with_the_end_of_the_session() {
    let broker = Broker::start(&[]);
    let mut watcher = broker.clean("watcher");
    watcher.subscribe("w", 0);
    // The delay, the end of the session, and a new client with Clean Start end the wait.
    for (expiry, delay, wait) in [(60, 1, true), (1, 60, true), (60, 60, false)] {
        let mut peer = broker.send(&with_will("c", CLEAN_START, expiry, delay));
        peer.expect(NEW);
        peer.break_off();
        watcher.expect_nothing();
        let start = Instant::now();
        if !wait {
            broker.clean("c");
        }
        watcher.expect(&publish(0, "w", 0, &[], "gone"));
        let elapsed = start.elapsed();
        assert_eq!(elapsed > Duration::from_millis(800), wait, "{elapsed:?}");
    }
    // Without a session there is no delay.
    let mut peer = broker.send(&with_will("d", CLEAN_START, 0, 60));
    peer.expect(NEW);
    peer.send(b"\xe0\x01\x04"); // Disconnect with Will Message
    watcher.expect(&publish(0, "w", 0, &[], "gone"));
}

/// [MQTT5-3.3.2-5, MQTT5-3.3.2-6]
#[test]
fn the_message_expiry_interval_is_counted_down_and_ends_messages() {
    let broker = Broker::start(&[]);
    broker.kept("c", 60, NEW).subscribe("t", 1);
    let mut publisher = broker.clean("p");
    for (seconds, payload) in [(1, "short"), (60, "long")] {
        let expiry = four(MESSAGE_EXPIRY, seconds);
        publisher.send(&publish(QOS_1 | RETAIN, "t", 1, &[&expiry], payload));
        publisher.expect(b"\x40\x02\0\x01");
        publisher.send(&publish(QOS_1 | RETAIN, payload, 1, &[&expiry], payload));
        publisher.expect(b"\x40\x03\0\x01\x10");
    }
    sleep(Duration::from_millis(1300));
    let left = four(MESSAGE_EXPIRY, 59);
    let mut peer = broker.kept("c", 60, RESUMED);
    let packet = peer.next().unwrap();
    let (one, two) = (
        publish(QOS_1, "t", 1, &[&left], "long"),
        publish(QOS_1, "t", 1, &[&four(MESSAGE_EXPIRY, 58)], "long"),
    );
    assert!(packet == one || packet == two, "{}", packet.escape_ascii());
    peer.send(b"\x40\x02\0\x01");
    peer.expect_nothing();
    // Retained messages expire too.
    peer.subscribe("short", 0).expect_nothing();
    peer.subscribe("long", 0);
    let retained = peer.next().unwrap();
    assert_eq!(
        retained[..9],
        publish(RETAIN, "long", 0, &[&left], "long")[..9]
    );
}

/// [MQTT5-3.3.1-9, MQTT5-3.3.1-10, MQTT5-3.3.1-11]
#[test]
fn retain_handling_decides_whether_retained_messages_come() {
    let broker = Broker::start(&[]);
    broker.clean("p").send(&publish(RETAIN, "t", 0, &[], "r"));
    let retained = publish(RETAIN, "t", 0, &[], "r");
    let mut peer = broker.clean("c");
    while peer.subscribe("t", 0).next_is_ping() {
        sleep(Duration::from_millis(10));
    }
    peer.subscribe("t", 0).expect(&retained).expect_nothing();
    peer.subscribe("t", 0x10).expect_nothing();
    peer.subscribe("+", 0x10).expect(&retained).expect_nothing();
    peer.subscribe("#", 0x20).expect_nothing();
    peer.subscribe("$share/g/#", 0).expect_nothing();
}

impl Peer {
    /// Returns whether only PINGRESP arrives. Otherwise removes a message.
    fn next_is_ping(&mut self) -> bool {
        self.send(b"\xc0\0");
        let first = self.next().unwrap();
        if first == b"\xd0\0" {
            return true;
        }
        self.expect(b"\xd0\0");
        false
    }
}

/// [MQTT5-3.2.2-13, MQTT5-3.2.2-14]
#[test]
fn without_room_for_retained_messages_they_are_not_available() {
    let broker = Broker::start(&["--max-retained-bytes=0"]);
    let mut peer = broker.send(&connect("c", CLEAN_START, &[], &[]));
    peer.expect(b"\x20\x0b\0\0\x08\x22\0\x0a\x25\0\x21\0\x14");
    peer.send(&publish(RETAIN, "t", 0, &[], "x"));
    peer.expect(b"\xe0\x01\x9a").next();
    let retained_will = [properties(&[]), text("w"), text("gone")].concat();
    let mut peer = broker.send(&connect("c", 0x26, &[], &retained_will));
    peer.expect(b"\x20\x03\0\x9a\0");
}

/// [MQTT5-3.3.1-12, MQTT5-3.3.1-13]
#[test]
fn retain_as_published_keeps_the_flag() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe("t", 8);
    let mut other = broker.clean("d");
    other.subscribe("t", 0);
    for flags in [0, RETAIN] {
        peer.send(&publish(flags, "t", 0, &[], "x"));
        peer.expect(&publish(flags, "t", 0, &[], "x"));
        other.expect(&publish(0, "t", 0, &[], "x"));
    }
}

/// [MQTT5-3.8.3-3, MQTT5-3.8.3-4]
#[test]
fn no_local_leaves_out_the_clients_own_messages() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe("t", 4);
    peer.send(&publish(QOS_1, "t", 5, &[], "own"));
    // It is a subscriber all the same.
    peer.expect(b"\x40\x02\0\x05").expect_nothing();
    broker.clean("d").publish("t", "other's");
    peer.expect(&publish(0, "t", 0, &[], "other's"));
    peer.send(&subscribe(&[], "$share/g/t", 4));
    peer.expect(b"\xe0\x01\x82").next();
}

/// [MQTT5-3.3.4-2, MQTT5-3.3.4-3, MQTT5-3.3.4-4]
#[test]
fn all_subscription_identifiers_that_match_come_with_one_message() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    publisher.send(&publish(RETAIN, "a/r", 0, &[], "r"));
    publisher.expect_nothing();
    let mut peer = broker.clean("c");
    for (identifier, filter, qos) in [(1, "a/b", 0), (2, "a/+", 1), (3, "c", 0)] {
        peer.send(&subscribe(&[&[0x0b, identifier]], filter, qos));
        peer.expect(&packet(0x90, &[b"\0\x01\0", &[qos]]));
        if identifier == 2 {
            // A retained message has the identifier of the SUBSCRIBE that requested it.
            peer.expect(&publish(RETAIN, "a/r", 0, &[b"\x0b\x02"], "r"));
        }
    }
    publisher.send(&publish(QOS_1, "a/b", 1, &[], "x"));
    let message = peer.next().unwrap();
    let either =
        [[1, 2], [2, 1]].map(|[a, b]| publish(QOS_1, "a/b", 1, &[&[0x0b, a], &[0x0b, b]], "x"));
    assert!(either.contains(&message), "{}", message.escape_ascii());
}

/// [MQTT5-3.3.4-5]
#[test]
fn with_a_copy_per_subscription_each_has_its_own_identifier_and_qos() {
    let broker = Broker::start(&["--copy-per-subscription"]);
    let mut peer = broker.clean("c");
    for (identifier, filter, qos) in [(1, "a/b", 0), (2, "a/+", 1)] {
        peer.send(&subscribe(&[&[0x0b, identifier]], filter, qos));
        peer.expect(&packet(0x90, &[b"\0\x01\0", &[qos]]));
    }
    peer.send(&publish(QOS_1, "a/b", 9, &[], "x"));
    peer.expect(b"\x40\x02\0\x09");
    let mut copies = [peer.next().unwrap(), peer.next().unwrap()];
    copies.sort();
    let expected = [
        publish(0, "a/b", 0, &[b"\x0b\x01"], "x"),
        publish(QOS_1, "a/b", 1, &[b"\x0b\x02"], "x"),
    ];
    assert_eq!(copies, expected);
    peer.expect_nothing();
}

/// [MQTT5-4.8.2-1, MQTT5-4.8.2-2]
#[test]
fn an_invalid_shared_subscription_is_refused_in_the_acknowledgement() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    for filter in ["$share/g", "$share/g/", "$share//t", "$share/+/t"] {
        peer.send(&subscribe(&[], filter, 0));
        peer.expect(b"\x90\x04\0\x01\0\x8f");
        peer.send(&packet(0xa2, &[b"\0\x01\0", &text(filter)]));
        peer.expect(b"\xb0\x04\0\x01\0\x8f");
    }
}

#[test]
fn each_message_of_a_shared_subscription_goes_to_one_member() {
    let broker = Broker::start(&[]);
    let mut members = ["a", "b"].map(|client| broker.clean(client));
    for member in &mut members {
        member.subscribe("$share/g/t", 1);
    }
    let mut plain = broker.clean("plain");
    plain.subscribe("$share/g/t/#", 0).subscribe("t", 0);
    let mut publisher = broker.clean("p");
    for payload in ["1", "2"] {
        publisher.publish("t", payload);
        plain.expect(&publish(0, "t", 0, &[], payload));
        plain.expect(&publish(0, "t", 0, &[], payload));
    }
    let mut received = members.map(|mut member| member.next().unwrap());
    received.sort();
    assert_eq!(received, ["1", "2"].map(|it| publish(0, "t", 0, &[], it)));
}

#[test]
fn the_members_of_a_shared_subscription_take_turns_in_the_order_in_which_they_subscribed() {
    let broker = Broker::start(&[]);
    let mut members = ["b", "c", "a"].map(|client| broker.clean(client));
    for member in &mut members {
        member.subscribe("$share/g/t", 0);
    }
    // Again, which changes nothing.
    members[0].subscribe("$share/g/t", 0);
    let mut publisher = broker.clean("p");
    for round in ["1", "2"] {
        for member in &mut members {
            publisher.publish("t", round);
            member.expect(&publish(0, "t", 0, &[], round));
        }
    }
    let [first, mut second, mut third] = members;
    first.disconnect();
    for member in [&mut second, &mut third] {
        publisher.publish("t", "3");
        member.expect(&publish(0, "t", 0, &[], "3"));
    }
}

#[test]
fn what_a_member_has_not_acknowledged_goes_to_another_one_when_it_leaves() {
    let broker = Broker::start(&[]);
    let one_at_a_time = [RECEIVE_MAXIMUM, 0, 1];
    let expiry = four(SESSION_EXPIRY, 60);
    for with in [&[&one_at_a_time[..]][..], &[&one_at_a_time[..], &expiry]] {
        let mut leaving = broker.clean_with("leaving", with);
        leaving.subscribe("$share/g/t", 1);
        let mut publisher = broker.clean("p");
        for (id, payload) in [(1, "sent"), (2, "queued")] {
            publisher.send(&publish(QOS_1, "t", id, &[], payload));
            publisher.expect(&packet(0x40, &[&id.to_be_bytes()]));
        }
        leaving.expect(&publish(QOS_1, "t", 1, &[], "sent"));
        let mut other = broker.clean("other");
        other.subscribe("$share/g/t", 1).expect_nothing();
        leaving.break_off();
        other.expect(&publish(QOS_1, "t", 1, &[], "sent"));
        other.expect(&publish(QOS_1, "t", 2, &[], "queued"));
        // Messages go to connected members.
        for payload in ["3", "4"] {
            publisher.publish("t", payload);
            other.expect(&publish(0, "t", 0, &[], payload));
        }
        other.send(b"\x40\x02\0\x01\x40\x02\0\x02");
        other.disconnect();
    }
    let mut back = broker.kept("leaving", 0, RESUMED);
    back.expect_nothing();
}

/// [MQTT5-3.3.2-7]
#[test]
fn topic_aliases_are_taken_and_used() {
    let broker = Broker::start(&[]);
    let mut receiver = broker.clean_with("r", &[b"\x22\0\x01"]);
    receiver.subscribe("#", 0);
    let mut plain = broker.clean("plain");
    plain.subscribe("#", 0);
    let mut publisher = broker.clean("p");
    let alias = &b"\x23\0\x0a"[..];
    publisher.send(&publish(0, "a", 0, &[alias], "1"));
    publisher.send(&publish(0, "", 0, &[alias], "2"));
    publisher.send(&publish(0, "b", 0, &[], "3"));
    receiver.expect(&publish(0, "a", 0, &[b"\x23\0\x01"], "1"));
    receiver.expect(&publish(0, "", 0, &[b"\x23\0\x01"], "2"));
    receiver.expect(&publish(0, "b", 0, &[], "3"));
    for (topic, payload) in [("a", "1"), ("a", "2"), ("b", "3")] {
        plain.expect(&publish(0, topic, 0, &[], payload));
    }
    publisher.send(&publish(0, "c", 0, &[b"\x23\0\x0b"], "too large"));
    publisher.expect(b"\xe0\x01\x94").next();
    let mut publisher = broker.clean("p");
    publisher.send(&publish(0, "", 0, &[alias], "unknown on this connection"));
    publisher.expect(b"\xe0\x01\x82").next();
}

/// [MQTT5-3.3.4-9, MQTT5-4.9.0-3]
#[test]
fn receive_maximum_holds_messages_back_but_not_those_with_qos_0() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean_with("c", &[&[RECEIVE_MAXIMUM, 0, 1]]);
    peer.subscribe("t", 2);
    let mut publisher = broker.clean("p");
    for (flags, id, payload) in [(QOS_1, 1, "1"), (QOS_1, 2, "2"), (0, 0, "3")] {
        publisher.send(&publish(flags, "t", id, &[], payload));
    }
    peer.expect(&publish(QOS_1, "t", 1, &[], "1"));
    peer.expect(&publish(0, "t", 0, &[], "3")).expect_nothing();
    peer.send(b"\x40\x02\0\x01");
    peer.expect(&publish(QOS_1, "t", 2, &[], "2"));
}

/// [MQTT5-3.3.4-7]
#[test]
fn a_client_that_exceeds_the_receive_maximum_is_disconnected() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    for id in 1..=20 {
        peer.send(&publish(QOS_2, "t", id, &[], ""));
        peer.expect(&packet(0x50, &[&id.to_be_bytes()]));
    }
    peer.send(&publish(QOS_2, "t", 21, &[], ""));
    peer.expect(b"\xe0\x01\x93").next();
}

/// [MQTT5-3.1.2-24, MQTT5-3.1.2-25]
#[test]
fn a_message_that_is_too_large_for_a_client_is_left_out() {
    let broker = Broker::start(&["--max-packet-size=100"]);
    let with = four(0x27, 20);
    let mut peer = broker.send(&connect("c", CLEAN_START, &[&with], &[]));
    peer.next();
    peer.subscribe("t", 1);
    let mut publisher = broker.send(&connect("p", CLEAN_START, &[], &[]));
    publisher.next();
    for (id, len) in [(1, 20), (2, 12), (3, 5)] {
        publisher.send(&publish(QOS_1, "t", id, &[], &"x".repeat(len)));
        publisher.expect(&packet(0x40, &[&id.to_be_bytes()]));
    }
    // 20 bytes are within the limit.
    peer.expect(&publish(QOS_1, "t", 1, &[], &"x".repeat(12)));
    peer.expect(&publish(QOS_1, "t", 2, &[], &"x".repeat(5)));
    publisher.send(&publish(0, "t", 0, &[], &"x".repeat(100)));
    publisher.expect(b"\xe0\x01\x95").next();
}

/// [MQTT5-3.3.2-4, MQTT5-3.3.2-15, MQTT5-3.3.2-16, MQTT5-3.3.2-17, MQTT5-3.3.2-18, MQTT5-3.3.2-20]
#[test]
fn properties_of_a_message_are_passed_on_unchanged_and_in_order() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe("t", 0);
    let user = |value: &str| [&b"\x26"[..], &text("k"), &text(value)].concat();
    let with = [
        user("1"),
        b"\x01\x01".to_vec(),
        [&b"\x08"[..], &text("answer/here")].concat(),
        user("2"),
        [&b"\x09"[..], &text("correlation")].concat(),
        [&b"\x03"[..], &text("text/plain")].concat(),
        user("1"),
    ];
    let message = publish(0, "t", 0, &with.each_ref().map(|it| &it[..]), "x");
    peer.send(&message);
    peer.expect(&message);
    // Properties of a Will too.
    let will = [
        properties(&with.each_ref().map(|it| &it[..])),
        text("t"),
        text("x"),
    ]
    .concat();
    broker.send(&connect("w", 4, &[], &will)).expect(NEW);
    peer.expect(&message);
}

/// [MQTT5-3.1.4-3]
#[test]
fn a_second_connection_takes_the_session_over() {
    let broker = Broker::start(&[]);
    let mut watcher = broker.clean("watcher");
    watcher.subscribe("w", 0);
    let mut first = broker.send(&with_will("c", 0, 60, 0));
    first.expect(NEW);
    let mut second = broker.kept("c", 60, RESUMED);
    first.expect(b"\xe0\x01\x8e");
    first.expect_end();
    watcher.expect(&publish(0, "w", 0, &[], "gone"));
    second.expect_nothing();
}

#[cfg(unix)]
#[test]
fn a_broker_that_stops_disconnects_its_clients() {
    let mut broker = Broker::start(&[]);
    let mut five = broker.clean("5");
    let mut four = broker.send(b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x014");
    four.expect(b"\x20\x02\0\0");
    let pid = broker.0.child.id().to_string();
    let killed = std::process::Command::new("kill").arg(&pid).status();
    assert!(killed.unwrap().success());
    five.expect(b"\xe0\x01\x8b");
    five.expect_end();
    four.expect_end();
    assert!(broker.0.child.wait().unwrap().success());
}

#[test]
fn puback_tells_that_nobody_has_subscribed_and_pubrec_does_not() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.send(&publish(QOS_1, "t", 1, &[], ""));
    peer.expect(b"\x40\x03\0\x01\x10");
    peer.send(&publish(QOS_2, "t", 2, &[], ""));
    peer.expect(b"\x50\x02\0\x02");
    peer.send(b"\x62\x02\0\x02");
    peer.expect(b"\x70\x02\0\x02");
    broker.kept("d", 60, NEW).subscribe("t", 0);
    peer.send(&publish(QOS_1, "t", 1, &[], ""));
    peer.expect(b"\x40\x02\0\x01");
}

#[test]
fn unsuback_tells_which_subscriptions_did_not_exist() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe("a", 0);
    peer.send(b"\xa2\x09\0\x02\0\0\x01b\0\x01a");
    peer.expect(b"\xb0\x05\0\x02\0\x11\0");
}

#[test]
fn credentials_and_authentication_methods_are_refused_by_their_codes() {
    let broker = Broker::start(&["--user=u", "--password=p"]);
    let credentials = |password: &str| [text("u"), text(password)].concat();
    let mut peer = broker.send(&connect("c", 0xc2, &[], &credentials("p")));
    peer.expect(NEW);
    for (connect, code) in [
        (connect("c", 0xc2, &[], &credentials("q")), 0x86),
        (connect("c", CLEAN_START, &[], &[]), 0x87),
        (connect("c", 2, &[b"\x15\0\x03XYZ"], &[]), 0x8c),
    ] {
        let mut peer = broker.send(&connect);
        peer.expect(&[0x20, 3, 0, code, 0]);
        peer.expect_end();
    }
}

#[cfg(unix)]
#[test]
fn while_a_client_is_authenticated_others_are_served() {
    use std::os::unix::fs::PermissionsExt as _;
    let command = std::env::temp_dir().join(format!("authenticate-{}", std::process::id()));
    let script = "#!/bin/sh\nread -r password\nsleep 1\n\
        test \"$MQTT_USER_NAME $password\" = 'u p'\n";
    std::fs::write(&command, script).unwrap();
    std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o700)).unwrap();
    let broker = Broker::start(&["--auth-command", command.to_str().unwrap()]);
    let credentials = |password: &str| [text("u"), text(password)].concat();
    let start = Instant::now();
    // Packets after CONNECT wait for the answer.
    let mut first = broker.send(&connect("a", 0xc2, &[], &credentials("p")));
    first.send(b"\xc0\0");
    let mut others = ["p", "q", "p"]
        .map(|password| broker.send(&connect(password, 0xc2, &[], &credentials(password))));
    let mut anonymous = broker.send(&connect("c", CLEAN_START, &[], &[]));
    anonymous.expect(b"\x20\x03\0\x87\0");
    assert!(start.elapsed() < Duration::from_millis(900));
    first.expect(NEW).expect(b"\xd0\0");
    others[1].expect(b"\x20\x03\0\x86\0");
    others[2].expect(NEW);
    assert!(start.elapsed() < Duration::from_millis(1900));
    std::fs::remove_file(command).unwrap();
}

#[test]
fn limits_are_named_quota_exceeded() {
    let broker = Broker::start(&["--max-connections=1", "--max-subscriptions=1"]);
    let mut peer = broker.clean("c");
    peer.subscribe("a", 0).subscribe("a", 1);
    peer.send(&subscribe(&[], "b", 0));
    peer.expect(b"\x90\x04\0\x01\0\x97");
    let mut other = broker.send(&connect("d", CLEAN_START, &[], &[]));
    other.expect(b"\x20\x03\0\x97\0");
    broker.clean("c");
}

/// [MQTT5-4.13.1-1]
#[test]
fn a_violation_is_answered_with_its_reason_code() {
    let broker = Broker::start(&[]);
    for (bytes, code) in [
        (&connect("c", CLEAN_START, &[], &[])[..], 0x82),
        (b"\x80\x06\0\x01\0\0\x01a\0", 0x81),
        (b"\xf0\0", 0x82),
        (b"\x36\x05\0\x01a\0\x01", 0x81),
    ] {
        let mut peer = broker.clean("c");
        peer.send(bytes);
        peer.expect(&[0xe0, 1, code]);
        peer.expect_end();
    }
}

/// Section 1.5.4: a server may refuse U+0001 to U+001F and U+007F to U+009F.
#[test]
fn control_characters_in_names_are_refused() {
    let broker = Broker::start(&[]);
    for (first, last) in [('\u{1}', '\u{1f}'), ('\u{7f}', '\u{9f}')] {
        let [first, last] = [first, last].map(|character| format!("a{character}"));
        for bytes in [
            publish(0, &first, 0, &[], ""),
            publish(0, &last, 0, &[], ""),
            subscribe(&[], &first, 0),
            packet(0xa2, &[b"\0\x01\0", &text(&last)]),
        ] {
            let mut peer = broker.clean("c");
            peer.send(&bytes);
            peer.expect(b"\xe0\x01\x81");
            peer.expect_end();
        }
        let mut peer = broker.clean("c");
        peer.send(&publish(QOS_1, &last, 1, &[], ""));
        peer.expect(b"\x40\x03\0\x01\x90");
        peer.expect(b"\xe0\x01\x81");
        peer.expect_end();
        let mut peer = broker.send(&connect(&last, CLEAN_START, &[], &[]));
        peer.expect(b"\x20\x03\0\x85\0");
        let user_name = connect("c", CLEAN_START | 0x80, &[], &text(&first));
        broker.send(&user_name).expect_end();
        let will = [&b"\0"[..], &text(&last), b"\0\0"].concat();
        let will = connect("c", CLEAN_START | 4, &[], &will);
        broker.send(&will).expect_end();
    }
    let mut peer = broker.clean(" ~\u{a0}");
    peer.subscribe(" ~\u{a0}", 0);
    peer.send(&publish(0, " ~\u{a0}", 0, &[], ""));
    peer.expect(&publish(0, " ~\u{a0}", 0, &[], ""));
}

#[test]
fn a_slow_upload_is_a_sign_of_life() {
    let broker = Broker::start(&[]);
    let mut peer = broker.send(b"\x10\x0e\0\x04MQTT\x05\x02\0\x01\0\0\x01c");
    peer.expect(NEW);
    for byte in b"\x30\x06\0\x01t\0" {
        peer.send(&[*byte]);
        sleep(Duration::from_millis(400));
    }
    peer.send(b"xy\xc0\0");
    peer.expect(b"\xd0\0");
    // Silence does not.
    peer.expect(b"\xe0\x01\x8d").next();
}

#[test]
fn messages_are_numbered_from_1_in_each_session() {
    let broker = Broker::start(&[]);
    for _ in 0..2 {
        let mut peer = broker.clean("c");
        peer.subscribe("t", 1);
        for id in 1..3 {
            peer.send(&publish(QOS_1, "t", id, &[], ""));
            peer.expect(&packet(0x40, &[&id.to_be_bytes()]));
            peer.expect(&publish(QOS_1, "t", id, &[], ""));
            peer.send(&packet(0x40, &[&id.to_be_bytes()]));
        }
        peer.disconnect();
    }
}
