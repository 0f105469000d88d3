//! Requirements on a server beyond its connections, for clients of MQTT 5.

use core::time::Duration;
use std::thread::sleep;

use crate::peer::{
    Broker, CLEAN_START, MESSAGE_EXPIRY, NEW, Peer, QOS_1, QOS_2, RESUMED, RETAIN, SESSION_EXPIRY,
    connect, four, packet, properties, publish, subscribe, text,
};

const DUP: u8 = 8;
/// Flags of CONNECT.
const WILL: u8 = 4;
const WILL_RETAIN: u8 = 0x20;

fn user_property(name: &str, value: &str) -> Vec<u8> {
    [&b"\x26"[..], &text(name), &text(value)].concat()
}

/// CONNECT with a Will to `w` with these properties.
fn with_will(client: &str, flags: u8, with: &[&[u8]]) -> Vec<u8> {
    let will = [properties(with), text("w"), text("gone")].concat();
    connect(client, CLEAN_START | WILL | flags, &[], &will)
}

fn acknowledge(first_byte: u8, id: u16) -> Vec<u8> {
    packet(first_byte, &[&id.to_be_bytes()])
}

impl Peer {
    /// Publishes with this QoS and the Packet Identifier 9, up to the last acknowledgement.
    fn publish_to_the_end(&mut self, flags: u8, topic: &str, payload: &str) {
        self.send(&publish(flags, topic, 9, &[], payload));
        // Success, or No matching subscribers.
        let mut next = || self.next().unwrap();
        if flags & QOS_2 == 0 {
            assert_eq!(next()[0], 0x40);
        } else {
            assert_eq!(next()[0], 0x50);
            self.send(&acknowledge(0x62, 9));
            self.expect(&acknowledge(0x70, 9));
        }
    }

    fn unsubscribe(&mut self, filter: &str) {
        self.send(&packet(0xa2, &[b"\0\x01\0", &text(filter)]));
        self.expect(b"\xb0\x04\0\x01\0\0");
    }
}

/// [MQTT5-3.1.2-14, MQTT5-3.1.2-15]
#[test]
fn a_will_is_retained_only_with_will_retain() {
    let broker = Broker::start(&[]);
    for (flags, is_retained) in [(0, false), (WILL_RETAIN, true)] {
        let mut peer = broker.send(&with_will("c", flags, &[]));
        peer.expect(NEW);
        let mut watcher = broker.clean("watcher");
        watcher.subscribe("w", 0);
        peer.break_off();
        watcher.expect(&publish(0, "w", 0, &[], "gone"));
        let mut late = broker.clean("late");
        late.subscribe("w", 0);
        if is_retained {
            late.expect(&publish(RETAIN, "w", 0, &[], "gone"));
        }
        late.expect_nothing();
    }
}

/// [MQTT5-3.1.3-10]
#[test]
fn user_properties_of_a_will_keep_their_order() {
    let broker = Broker::start(&[]);
    let with = [("b", "2"), ("a", "1"), ("b", "1")].map(|(name, value)| user_property(name, value));
    let with = [&with[0][..], &with[1], &with[2]];
    let mut peer = broker.send(&with_will("c", 0, &with));
    peer.expect(NEW);
    let mut watcher = broker.clean("watcher");
    watcher.subscribe("w", 0);
    peer.break_off();
    watcher.expect(&publish(0, "w", 0, &with, "gone"));
}

/// [MQTT5-3.1.3-2]
#[test]
fn each_client_identifier_has_a_session_of_its_own() {
    let broker = Broker::start(&[]);
    broker.kept("a", 60, NEW).subscribe("t", 1);
    broker.kept("b", 60, NEW);
    broker.clean("p").publish_to_the_end(QOS_1, "t", "1");
    broker.kept("b", 60, RESUMED).expect_nothing();
    let mut peer = broker.kept("a", 60, RESUMED);
    peer.expect(&publish(QOS_1, "t", 1, &[], "1"));
}

/// [MQTT5-3.1.3-5]
#[test]
fn client_identifiers_of_1_to_23_letters_and_digits_are_accepted() {
    let broker = Broker::start(&[]);
    let all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for client in ["0", &all[..23], &all[23..46], &all[39..]] {
        broker.clean(client).expect_nothing();
    }
}

/// [MQTT5-3.3.1-3]
#[test]
fn dup_is_not_passed_on() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe("t", 1);
    let mut publisher = broker.clean("p");
    publisher.publish_to_the_end(QOS_1 | DUP, "t", "1");
    peer.expect(&publish(QOS_1, "t", 1, &[], "1"));
}

/// [MQTT5-3.3.1-5, MQTT5-3.3.1-8]
#[test]
fn a_retained_message_replaces_the_one_before_and_others_change_nothing() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    publisher.publish_to_the_end(QOS_1 | RETAIN, "t", "1");
    publisher.publish_to_the_end(QOS_2 | RETAIN, "t", "2");
    publisher.publish_to_the_end(QOS_1, "t", "3");
    publisher.publish_to_the_end(QOS_1, "u", "4");
    let mut peer = broker.clean("c");
    peer.subscribe("+", 2);
    peer.expect(&publish(QOS_2 | RETAIN, "t", 1, &[], "2"));
    peer.send(&acknowledge(0x50, 1));
    peer.expect(&acknowledge(0x62, 1))
        .send(&acknowledge(0x70, 1));
    peer.expect_nothing();
}

/// [MQTT5-3.3.1-6, MQTT5-3.3.1-7]
#[test]
fn an_empty_retained_message_is_delivered_and_clears() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    publisher.publish_to_the_end(QOS_1 | RETAIN, "t", "1");
    let mut peer = broker.clean("c");
    peer.subscribe("t", 0);
    peer.expect(&publish(RETAIN, "t", 0, &[], "1"));
    publisher.publish_to_the_end(QOS_1 | RETAIN, "t", "");
    peer.expect(&publish(0, "t", 0, &[], ""));
    peer.subscribe("t", 0).expect_nothing();
}

/// [MQTT5-3.3.2-3, MQTT5-4.7.2-1]
#[test]
fn filters_get_the_topics_that_they_match_and_a_leading_wildcard_none_with_a_dollar_sign() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    for filter in ["#", "+/b", "a/+", "$a/+"] {
        peer.subscribe(filter, 0);
    }
    let mut publisher = broker.clean("p");
    publisher.publish_to_the_end(QOS_1, "$b/b", "1");
    publisher.publish_to_the_end(QOS_1, "$a/b", "2");
    publisher.publish_to_the_end(QOS_1, "a/b", "3");
    peer.expect(&publish(0, "$a/b", 0, &[], "2"));
    peer.expect(&publish(0, "a/b", 0, &[], "3"));
    peer.expect_nothing();
}

/// [MQTT5-4.7.3-4]
#[test]
fn topics_are_compared_as_they_are() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    // "é" in one code point, and in two.
    peer.subscribe("\u{e9}/A", 0);
    let mut publisher = broker.clean("p");
    for topic in ["e\u{301}/A", "\u{e9}/a", "\u{e9}/A/", "\u{e9}/A"] {
        publisher.publish_to_the_end(QOS_1, topic, "1");
    }
    peer.expect(&publish(0, "\u{e9}/A", 0, &[], "1"));
    peer.expect_nothing();
}

/// [MQTT5-3.8.4-3, MQTT5-3.8.4-4]
#[test]
fn a_subscription_to_the_same_filter_replaces_the_one_before_with_its_options() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    let mut publisher = broker.clean("p");
    publisher.publish_to_the_end(QOS_1 | RETAIN, "t", "1");
    peer.subscribe("t", 0);
    peer.expect(&publish(RETAIN, "t", 0, &[], "1"));
    // QoS 1, No Local and Retain As Published, with an identifier.
    peer.send(&subscribe(&[b"\x0b\x07"], "t", 1 | 4 | 8));
    peer.expect(b"\x90\x04\0\x01\0\x01");
    peer.expect(&publish(QOS_1 | RETAIN, "t", 1, &[b"\x0b\x07"], "1"));
    peer.send(&acknowledge(0x40, 1));
    publisher.publish_to_the_end(QOS_1 | RETAIN, "t", "2");
    peer.expect(&publish(QOS_1 | RETAIN, "t", 2, &[b"\x0b\x07"], "2"));
    peer.send(&acknowledge(0x40, 2));
    peer.publish_to_the_end(QOS_1, "t", "its own");
    peer.expect_nothing();
}

/// [MQTT5-3.8.4-5, MQTT5-3.8.4-7, MQTT5-3.10.4-6]
#[test]
fn many_filters_in_one_request_are_as_good_as_many_requests() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    let mut filters = b"\0\x01\0".to_vec();
    for (filter, options) in [("a", 0), ("b", 1), ("c", 2)] {
        filters.extend([text(filter), vec![options]].concat());
    }
    peer.send(&packet(0x82, &[&filters]));
    peer.expect(b"\x90\x06\0\x01\0\0\x01\x02");
    let mut publisher = broker.clean("p");
    for topic in ["a", "b", "c"] {
        publisher.publish_to_the_end(QOS_1, topic, "1");
    }
    peer.expect(&publish(0, "a", 0, &[], "1"));
    peer.expect(&publish(QOS_1, "b", 1, &[], "1"));
    peer.expect(&publish(QOS_1, "c", 2, &[], "1"));
    peer.send(&packet(
        0xa2,
        &[b"\0\x02\0", &text("a"), &text("x"), &text("c")],
    ));
    peer.expect(b"\xb0\x06\0\x02\0\0\x11\0");
    for topic in ["a", "b", "c"] {
        publisher.publish_to_the_end(QOS_1, topic, "2");
    }
    peer.expect(&publish(QOS_1, "b", 3, &[], "2"));
    peer.expect_nothing();
}

/// [MQTT5-3.8.4-8]
#[test]
fn the_qos_is_the_lower_of_what_was_published_and_what_was_granted() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    for granted in 0..3 {
        let mut peer = broker.clean("c");
        peer.subscribe("t", granted);
        let mut id = 0;
        for (qos, flags) in [(1, QOS_1), (2, QOS_2)] {
            publisher.publish_to_the_end(flags, "t", "1");
            let qos = granted.min(qos);
            id += u16::from(qos > 0);
            let id = if qos == 0 { 0 } else { id };
            peer.expect(&publish(qos << 1, "t", id, &[], "1"));
        }
        publisher.publish("t", "0");
        peer.expect(&publish(0, "t", 0, &[], "0"));
    }
}

/// [MQTT5-3.10.4-1, MQTT5-3.10.4-2, MQTT5-3.10.4-3]
#[test]
fn unsubscribe_ends_the_subscription_of_that_filter_but_not_what_is_under_way() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe("t", 2).subscribe("t/#", 0).subscribe("+", 0);
    let mut publisher = broker.clean("p");
    publisher.publish_to_the_end(QOS_2, "t", "1");
    peer.expect(&publish(QOS_2, "t", 1, &[], "1"));
    peer.unsubscribe("t");
    publisher.publish_to_the_end(QOS_2, "t", "2");
    peer.expect(&publish(0, "t", 0, &[], "2"));
    peer.unsubscribe("t/#");
    peer.unsubscribe("+");
    publisher.publish_to_the_end(QOS_2, "t", "3");
    peer.send(&acknowledge(0x50, 1));
    peer.expect(&acknowledge(0x62, 1))
        .send(&acknowledge(0x70, 1));
    peer.expect_nothing();
}

/// [MQTT5-4.3.3-7]
#[test]
fn a_qos_2_message_that_has_been_sent_does_not_expire() {
    let broker = Broker::start(&[]);
    let mut peer = broker.kept("c", 60, NEW);
    peer.subscribe("t", 2);
    let mut publisher = broker.clean("p");
    let with = four(MESSAGE_EXPIRY, 1);
    publisher.send(&publish(QOS_2, "t", 9, &[&with], "1"));
    publisher
        .expect(&acknowledge(0x50, 9))
        .send(&acknowledge(0x62, 9));
    publisher.expect(&acknowledge(0x70, 9));
    peer.expect(&publish(QOS_2, "t", 1, &[&with], "1"));
    peer.break_off();
    sleep(Duration::from_millis(1300));
    let mut peer = broker.kept("c", 60, RESUMED);
    let again = peer.next().unwrap();
    assert_eq!(again[0], 0x30 | QOS_2 | DUP);
    assert!(again.ends_with(b"1"), "{}", again.escape_ascii());
    peer.send(&acknowledge(0x50, 1));
    peer.expect(&acknowledge(0x62, 1));
}

/// [MQTT5-4.5.0-1]
#[test]
fn a_message_is_added_to_each_session_that_has_a_matching_subscription() {
    let broker = Broker::start(&[]);
    broker.kept("absent", 60, NEW).subscribe("t", 1);
    let mut present = broker.clean("present");
    present.subscribe("+", 1);
    broker.clean("p").publish_to_the_end(QOS_1, "t", "1");
    present.expect(&publish(QOS_1, "t", 1, &[], "1"));
    broker
        .kept("absent", 60, RESUMED)
        .expect(&publish(QOS_1, "t", 1, &[], "1"));
}

/// [MQTT5-4.6.0-5, MQTT5-4.6.0-6]
#[test]
fn what_one_client_publishes_arrives_in_its_order() {
    let broker = Broker::start(&[]);
    let mut peer = broker.clean("c");
    peer.subscribe("t", 1);
    let mut publisher = broker.clean("p");
    let numbers = (1..=50).map(|number: u16| (number, number.to_string()));
    for (id, payload) in numbers.clone() {
        publisher.send(&publish(QOS_1, "t", id, &[], &payload));
    }
    for (id, payload) in numbers {
        peer.expect(&publish(QOS_1, "t", id, &[], &payload));
        peer.send(&acknowledge(0x40, id));
    }
}

/// [MQTT5-4.8.2-3]
#[test]
fn each_member_of_a_shared_subscription_gets_the_qos_granted_to_it() {
    let broker = Broker::start(&[]);
    let mut publisher = broker.clean("p");
    for granted in 0..3 {
        let mut member = broker.clean("c");
        member.subscribe("$share/g/t", granted);
        publisher.publish_to_the_end(QOS_2, "t", "1");
        let id = u16::from(granted > 0);
        member.expect(&publish(granted << 1, "t", id, &[], "1"));
    }
}

/// [MQTT5-4.8.2-4, MQTT5-4.8.2-5]
#[test]
fn a_qos_2_message_stays_with_the_member_that_it_was_sent_to() {
    let broker = Broker::start(&[]);
    let expiry = four(SESSION_EXPIRY, 60);
    for (expiry, connack) in [(&expiry[..], RESUMED), (&[], NEW)] {
        let mut leaving = broker.clean_with("leaving", &[expiry]);
        leaving.subscribe("$share/g/t", 2);
        broker.clean("p").publish_to_the_end(QOS_2, "t", "1");
        leaving.expect(&publish(QOS_2, "t", 1, &[], "1"));
        let mut other = broker.clean("other");
        other.subscribe("$share/g/t", 2);
        leaving.break_off();
        other.expect_nothing();
        let mut back = broker.kept("leaving", 0, connack);
        if connack == RESUMED {
            back.expect(&publish(QOS_2 | DUP, "t", 1, &[], "1"));
            back.send(&acknowledge(0x50, 1));
            back.expect(&acknowledge(0x62, 1))
                .send(&acknowledge(0x70, 1));
        }
        back.expect_nothing();
        other.expect_nothing();
    }
}

/// [MQTT5-4.8.2-6]
#[test]
fn a_message_that_a_member_refuses_goes_to_no_other_member() {
    let broker = Broker::start(&[]);
    for (granted, first_byte) in [(1, 0x40), (2, 0x50)] {
        let mut member = broker.clean("member");
        member.subscribe("$share/g/t", granted);
        broker.clean("p").publish_to_the_end(QOS_2, "t", "1");
        member.expect(&publish(granted << 1, "t", 1, &[], "1"));
        let mut other = broker.clean("other");
        other.subscribe("$share/g/t", granted);
        member.send(&packet(first_byte, &[b"\0\x01\x97"]));
        member.expect_nothing();
        other.expect_nothing();
        member.disconnect();
        other.expect_nothing();
    }
}
