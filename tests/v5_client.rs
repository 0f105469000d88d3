//! Conversations of a client with a server that speak MQTT 5, as transcripts.

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_const_for_fn,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test fails by panicking, and has std"
)]

#[path = "conversation/v5_both.rs"]
mod both;
mod conversation;

use core::num::NonZeroU16;
use core::time::Duration;

use conversation::v5::{
    ClientTalk, EXPIRIES, PUBACK, PUBCOMP, PUBREC, PUBREL, ack, connack, connect, disconnect,
    disconnect_after, dup, expiry, packet, publish, publish_to, publish_with, restored,
    v5_conversations,
};
use conversation::*;
use mqtt_sansio::v5::{
    Action, AliasArray, AliasVec, CloseReason, ConnectReasonCode, Delivery, Message,
    OutboundAliases, Property, Publish, PublishProperties, ReasonCode, Refusal, WithTopicAliases,
};
use mqtt_sansio::{
    Buffer, Change, CommandError, Config, EncodeError, Field, Limit, Options, PacketType,
    ProtocolError, Session, Slot, State,
};

const CONFIG: Config = Config::new();
const MANUAL: Config = CONFIG.manual_acknowledgement(true);

/// Clean Start.
const CLEAN: u8 = 2;

/// Session Expiry Interval of 100 s.
const KEPT: &str = "11 00000064";

/// Returns a client that connected with Clean Start, a session kept for 100 s, and these properties
/// in CONNACK.
fn connected(config: Config, props: &str) -> ClientTalk {
    ClientTalk::connected(
        config,
        connect(CLEAN, 0, KEPT, ""),
        connack(false, 0, props),
    )
}

/// Returns a client that connected with these properties in CONNECT.
fn announces(config: Config, props: &str) -> ClientTalk {
    ClientTalk::connected(config, connect(CLEAN, 0, props, ""), connack(false, 0, ""))
}

v5_conversations! {

// Connecting

/// [MQTT5-3.1.0-1]
fn connect_is_sent_first_and_once() {
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    assert_eq!(c.try_transmit(publish(Q0, 0, "x")), Err(CommandError::NotConnected));
    assert_eq!(c.try_transmit("f0 05 18 03 15 00 00"), Err(CommandError::NotConnected));
    c.transmits("10 0e 00 04 'MQTT' 05 02 00 3c 00 00 01 'c'").state(State::Requested);
    assert_eq!(c.try_transmit(connect(CLEAN, 0, "", "")), Err(CommandError::AlreadyConnected));
    assert_eq!(c.try_transmit(publish(Q0, 0, "x")), Err(CommandError::NotConnected));
    c.receives("20 03 00 00 00").reports("20 03 00 00 00").state(State::Connected);
    assert_eq!(c.try_transmit(connect(CLEAN, 0, "", "")), Err(CommandError::AlreadyConnected));
}

fn what_connack_announces_can_be_read_and_lasts_for_the_connection() {
    let c = connected(CONFIG, "11 00000007 21 0003 24 01 25 00 27 00000040 22 0004 13 000a 28 00 29 00 2a 00");
    let limits = *c.peer.connection.limits();
    assert_eq!(limits.peer.receive_maximum, 3);
    assert_eq!(limits.peer.maximum_qos, Q1);
    assert!(!limits.peer.retain_available);
    assert_eq!(limits.peer.maximum_packet_size, 64);
    assert_eq!(limits.peer.topic_alias_maximum, 4);
    assert!(!limits.peer.wildcard_subscription_available);
    assert!(!limits.peer.subscription_identifier_available);
    assert!(!limits.peer.shared_subscription_available);
    assert_eq!(c.peer.connection.keep_alive(), 10);
    assert_eq!(limits.session_expiry_interval, 7);
    assert_eq!(c.peer.connection.session_expiry_interval(), 7);
    // The next CONNACK leaves them out, so the defaults of the standard apply again.
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(false, 0, "")).reports(connack(false, 0, ""));
    let limits = *c.peer.connection.limits();
    assert_eq!(limits.peer, mqtt_sansio::v5::Capabilities::default());
    assert_eq!(limits.peer.receive_maximum, 65_535);
    assert_eq!(limits.session_expiry_interval, 100);
    c.peer.connection.limits();
}

fn what_connect_announces_can_be_read() {
    let c = announces(CONFIG, "11 00000009 21 0005 27 00000080 22 0003 19 01 17 00");
    let limits = *c.peer.connection.limits();
    assert_eq!(limits.own.receive_maximum, 5);
    assert_eq!(limits.own.maximum_packet_size, 128);
    assert_eq!(limits.own.topic_alias_maximum, 3);
    assert_eq!(limits.session_expiry_interval, 9);
    assert!(limits.request_response_information);
    assert!(!limits.request_problem_information);
}

/// The limits of a refusing CONNACK have no effect, and the session is kept.
fn a_refusal_ends_the_connection_and_leaves_the_session() {
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q1, 1, "x"));
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    let refusal = connack(false, 0x9c, "1c 0001 'x' 21 0001");
    c.receives(refusal.clone()).reports(refusal);
    c.closes(CloseReason::Refused(Refusal(ConnectReasonCode::UseAnotherServer)));
    assert_eq!(c.peer.connection.limits().peer.receive_maximum, 65_535);
    assert_eq!(outbound(c.session()), [1]);
}

/// [MQTT5-3.2.0-1]
fn anything_but_auth_before_connack_is_a_violation() {
    for (bytes, packet_type) in [
        (publish(Q0, 0, "x"), PacketType::Publish),
        (ack(PUBACK, 1, 0), PacketType::PubAck),
        (hex("90 04 00 01 00 00"), PacketType::SubAck),
        (hex("d0 00"), PacketType::PingResp),
        (hex("f0 05 18 02 15 00 00"), PacketType::Auth),
    ] {
        if packet_type == PacketType::Auth {
            continue;
        }
        let mut c = ClientTalk::begins(fresh(), CONFIG);
        c.transmits(connect(CLEAN, 0, "", ""));
        c.receives(bytes).sends(disconnect(0x82));
        c.closes_for(ProtocolError::Unexpected(packet_type));
    }
}

/// The server closed the connection by it: an answer would be a packet after DISCONNECT
/// [MQTT5-3.14.0-1].
fn a_disconnect_before_connack_is_a_violation_that_is_not_answered() {
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    c.transmits(connect(CLEAN, 0, "", ""));
    c.receives(disconnect(0x89));
    c.closes_for(ProtocolError::Unexpected(PacketType::Disconnect));
}

/// [MQTT5-3.2.0-2]
fn a_second_connack_is_a_violation() {
    let mut c = connected(CONFIG, "");
    c.receives(connack(false, 0, "")).sends(disconnect(0x82));
    c.closes_for(ProtocolError::SecondConnAck { code: 0 });
}

fn a_peer_error_names_the_statement_that_is_broken() {
    for (bytes, statement) in [
        (connack(false, 0, ""), Some("MQTT-3.2.0-2")),
        (hex("90 04 00 01 00 00"), Some("MQTT-2.2.1-6")),
        (publish_to("", Q0, 0, "23 0001", "x"), None),
        (hex("c0 00"), None),
    ] {
        let mut c = connected(CONFIG, "");
        c.receives(bytes).sends_disconnect();
        match c.log_pop() {
            Some(Item::Action(Action::Close(CloseReason::Violation(error)))) => {
                assert_eq!(error.statement(), statement, "{error:?}");
            }
            other => panic!("not a violation: {other:?}"),
        }
    }
}

/// Packets that only a client sends. Their type alone decides: they are not read, and the last two are
/// malformed.
fn a_packet_of_a_client_is_a_violation() {
    for (bytes, packet_type) in [
        (connect(CLEAN, 0, "", ""), PacketType::Connect),
        (hex("82 07 00 01 00 00 01 'a' 00"), PacketType::Subscribe),
        (hex("a2 06 00 01 00 00 01 'a'"), PacketType::Unsubscribe),
        (hex("c0 00"), PacketType::PingReq),
        (hex("10 00"), PacketType::Connect),
        (hex("82 08 00 01 00 00 02 'a+' 00"), PacketType::Subscribe),
    ] {
        let mut c = connected(CONFIG, "");
        c.receives(bytes).sends(disconnect(0x82));
        c.closes_for(ProtocolError::Unexpected(packet_type));
    }
}

fn a_packet_that_only_a_client_sends_is_a_protocol_error_even_if_it_is_malformed() {
    for (bytes, packet_type) in [
        ("10 00", PacketType::Connect),
        ("82 00", PacketType::Subscribe),
        ("82 08 00 01 00 00 02 'a+' 00", PacketType::Subscribe),
        ("a2 02 00 01", PacketType::Unsubscribe),
    ] {
        let mut c = connected(CONFIG, "");
        c.receives(bytes).sends(disconnect(0x82));
        c.closes_for(ProtocolError::Unexpected(packet_type));
    }
}

fn a_malformed_packet_is_answered_with_disconnect_and_its_reason() {
    for (bytes, code) in [
        ("36 07 00 01 't' 00 01 00 'x'", 0x81),
        ("d1 00", 0x81),
        ("30 04 00 00 00 'x'", 0x82),
        ("30 07 00 01 't' 03 23 0000", 0x94),
        ("40 03 00 01 93", 0x82),
        ("60 02 00 01", 0x81),
        ("f1 00", 0x81),
    ] {
        let mut c = connected(CONFIG, "");
        c.receives(bytes).sends(disconnect(code)).closes_for_malformed();
    }
    // Before CONNACK too.
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    c.transmits(connect(CLEAN, 0, "", ""));
    c.receives("20 02 00 00").sends(disconnect(0x81)).closes_for_malformed();
    // [MQTT5-3.2.2-1, MQTT5-3.2.2-6, MQTT5-3.2.2-8]
    for (bytes, code) in [("20 03 02 00 00", 0x81), ("20 03 01 87 00", 0x82), ("20 03 00 01 00", 0x82)] {
        let mut c = ClientTalk::begins(fresh(), CONFIG);
        c.transmits(connect(CLEAN, 0, "", ""));
        c.receives(bytes).sends(disconnect(code)).closes_for_malformed();
    }
}

/// Codes that Table 3-10 gives to a server are replaced [MQTT5-3.14.2-1].
fn a_client_closes_with_a_code_that_a_client_may_send() {
    let mut c = ClientTalk::connected(
        CONFIG,
        connect(CLEAN, 0, "15 0001 'm'", ""),
        connack(false, 0, "15 0001 'm'"),
    );
    c.transmits("f0 06 19 04 15 0001 'm'");
    c.receives("f0 06 18 04 15 0001 'n'").sends(disconnect(0x82));
    c.closes_for(ProtocolError::AuthenticationMethod);
}

// Limits of the server

/// [MQTT5-3.2.2-11, MQTT5-3.2.2-14]
fn a_message_that_the_server_does_not_take_is_refused_before_it_is_sent() {
    let mut c = connected(CONFIG, "24 01 25 00");
    assert_eq!(c.try_transmit(publish(Q2, 1, "x")), Err(CommandError::QosNotSupported));
    assert_eq!(c.try_transmit("31 05 00 01 't' 00 'x'"), Err(CommandError::RetainNotSupported));
    c.transmits(publish(Q1, 1, "x"));
    let mut c = connected(CONFIG, "24 00");
    assert_eq!(c.try_transmit(publish(Q1, 1, "x")), Err(CommandError::QosNotSupported));
    c.transmits(publish(Q0, 0, "x"));
    c.transmits("31 05 00 01 't' 00 'x'");
}

/// [MQTT5-3.2.2-15]: neither an identifier nor the quota is used.
fn a_packet_larger_than_the_server_takes_is_refused_before_it_is_sent() {
    let mut c = connected(CONFIG, "27 00000009 21 0001");
    c.transmits(publish(Q1, 1, "x"));
    c.receives(ack(PUBACK, 1, 0)).delivered(1, 0);
    assert_eq!(c.try_transmit(publish(Q1, 2, "xy")), Err(CommandError::PacketTooLarge));
    assert_eq!(c.try_transmit("82 0a 00 02 00 00 04 'abcd' 00"), Err(CommandError::PacketTooLarge));
    assert_eq!(c.try_transmit("a2 0b 00 02 00 00 06 'abcdef'"), Err(CommandError::PacketTooLarge));
    c.transmits("82 07 00 02 00 00 01 'a' 00");
    c.receives("90 04 00 02 00 00").reports("90 04 00 02 00 00");
    c.transmits(publish(Q1, 3, "y"));
}

fn a_payload_in_pieces_counts_for_maximum_packet_size() {
    let mut c = connected(CONFIG, "27 00000009");
    assert_eq!(c.try_announce(Q1, 2), Err(CommandError::PacketTooLarge));
    c.announces(Q1, 1).sends("32 07 00 01 't' 00 01 00");
    c.payload("x").sends("'x'");
}

/// [MQTT5-3.14.2-3, MQTT5-3.14.2-4]
fn a_reason_string_too_large_for_the_server_is_left_out_of_disconnect() {
    let mut c = connected(CONFIG, "27 0000000a");
    assert_eq!(c.try_transmit("e0 0c 04 0a 1f 0007 'because'"), Ok(()));
    c.sends(disconnect(0x04)).closes(CloseReason::Disconnected);
    // 0xFFFFFFFF is unlimited.
    let mut c = connected(CONFIG, "27 00000006");
    assert_eq!(c.try_transmit("e0 07 00 05 11 00000001"), Err(CommandError::PacketTooLarge));
    // Even the shortest may be too large.
    let mut c = connected(CONFIG, "27 00000002");
    assert_eq!(c.try_transmit(disconnect(0x04)), Err(CommandError::PacketTooLarge));
    c.transmits(disconnect(0)).closes(CloseReason::Disconnected);
}

/// [MQTT5-3.2.2-15]
fn a_client_closes_if_the_server_takes_no_packet_as_large_as_the_reply_that_is_due() {
    let ends = |props: &str, config: Config, bytes: Vec<u8>| {
        let mut c = connected(config, props);
        c.receives(bytes.clone()).reports(bytes).closes(CloseReason::ReplyTooLarge);
    };
    ends("27 00000003", CONFIG, publish(Q1, 1, "x"));
    ends("27 00000003", CONFIG, publish(Q2, 1, "x"));
    let mut c = connected(CONFIG, "27 00000004");
    c.receives(publish(Q1, 1, "x")).reports(publish(Q1, 1, "x")).sends(ack(PUBACK, 1, 0));
    // With a Reason Code it has five bytes.
    let mut c = connected(MANUAL, "27 00000004");
    c.receives(publish(Q1, 1, "x")).reports(publish(Q1, 1, "x"));
    assert_eq!(c.try_transmit(ack(PUBACK, 1, 0x83)), Ok(()));
    c.closes(CloseReason::ReplyTooLarge);
}

/// [MQTT5-3.2.2-15]
fn a_disconnect_for_a_violation_is_left_out_if_it_is_larger_than_the_server_takes() {
    let unexpected = ProtocolError::Unexpected(PacketType::PingReq);
    let mut c = connected(CONFIG, "27 00000003");
    c.receives("c0 00").sends(disconnect(0x82)).closes_for(unexpected);
    let mut c = connected(CONFIG, "27 00000002");
    c.receives("c0 00").closes_for(unexpected);
}

fn user_properties_of_subscribe_and_unsubscribe_are_sent() {
    let mut c = connected(CONFIG, "");
    c.transmits("82 0e 00 01 07 26 0001 'n' 0001 'v' 00 01 'a' 00");
    c.transmits("a2 0d 00 02 07 26 0001 'n' 0001 'v' 00 01 'a'");
}

/// [MQTT5-3.3.4-6]
fn a_client_does_not_publish_with_a_subscription_identifier() {
    let mut c = connected(CONFIG, "");
    let refused = Err(CommandError::SubscriptionIdentifier);
    assert_eq!(c.try_transmit("30 07 00 01 't' 02 0b 05 'x'"), refused);
    assert_eq!(c.try_transmit("32 09 00 01 't' 00 01 02 0b 05 'x'"), refused);
    c.transmits(publish(Q1, 1, "x"));
}

fn a_subscription_that_the_server_does_not_take_is_refused_before_it_is_sent() {
    let mut c = connected(CONFIG, "28 00");
    assert_eq!(
        c.try_transmit("82 0b 00 01 00 00 01 'a' 00 00 01 '#' 00"),
        Err(CommandError::WildcardSubscriptionsNotSupported)
    );
    c.transmits("82 11 00 01 00 00 0b '$share/g/ab' 00");
    let mut c = connected(CONFIG, "2a 00");
    assert_eq!(
        c.try_transmit("82 10 00 01 00 00 0a '$share/g/a' 00"),
        Err(CommandError::SharedSubscriptionsNotSupported)
    );
    c.transmits("82 07 00 01 00 00 01 '#' 00");
    let mut c = connected(CONFIG, "29 00");
    assert_eq!(
        c.try_transmit("82 09 00 01 02 0b 05 00 01 'a' 00"),
        Err(CommandError::SubscriptionIdentifiersNotSupported)
    );
    c.transmits("82 07 00 01 00 00 01 'a' 00");
    // A shared one has wildcards as any other.
    let mut c = connected(CONFIG, "28 00");
    assert_eq!(
        c.try_transmit("82 10 00 01 00 00 0a '$share/g/+' 00"),
        Err(CommandError::WildcardSubscriptionsNotSupported)
    );
}

// Receive Maximum

/// [MQTT5-3.3.4-7, MQTT5-3.3.4-8, MQTT5-4.9.0-1, MQTT5-4.9.0-2, MQTT5-4.9.0-3]
fn no_more_messages_are_in_flight_than_the_server_takes() {
    let mut c = connected(CONFIG, "21 0002");
    c.transmits(publish(Q1, 1, "a")).transmits(publish(Q2, 2, "b"));
    assert_eq!(c.try_transmit(publish(Q1, 3, "c")), Err(CommandError::WindowFull));
    c.transmits(publish(Q0, 0, "-"));
    // PUBREC releases nothing, and is answered.
    c.receives(ack(PUBREC, 2, 0)).accepted_by_peer(2, 0).sends(ack(PUBREL, 2, 0));
    assert_eq!(c.try_transmit(publish(Q1, 3, "c")), Err(CommandError::WindowFull));
    c.receives(ack(PUBCOMP, 2, 0)).delivered(2, 0);
    c.transmits(publish(Q1, 3, "c"));
    assert_eq!(c.try_transmit(publish(Q1, 4, "d")), Err(CommandError::WindowFull));
    c.receives(ack(PUBACK, 1, 0x97)).rejected(1, ReasonCode::QuotaExceeded);
    c.transmits(publish(Q2, 4, "d"));
    assert_eq!(c.try_transmit(publish(Q1, 5, "e")), Err(CommandError::WindowFull));
    // A PUBREC that refuses the message releases its place once.
    c.receives(ack(PUBREC, 4, 0x97)).rejected(4, ReasonCode::QuotaExceeded);
    c.receives(ack(PUBREC, 4, 0x97)).nothing_more();
    c.transmits(publish(Q1, 5, "e"));
    assert_eq!(c.try_transmit(publish(Q1, 6, "f")), Err(CommandError::WindowFull));
    // Acknowledgements without a message in flight release nothing.
    c.receives(ack(PUBCOMP, 77, 0x92)).nothing_more();
    assert_eq!(c.try_transmit(publish(Q1, 6, "f")), Err(CommandError::WindowFull));
}

/// A later CONNACK may announce more, or nothing [MQTT5-4.9.0-1].
fn the_quota_begins_anew_with_each_connection() {
    let mut c = connected(CONFIG, "21 0001");
    c.transmits(publish(Q1, 1, "a"));
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "21 0002")).reports(connack(true, 0, "21 0002")).asks_for(1);
    c.resends(1, dup(publish(Q1, 1, "a")));
    c.transmits(publish(Q1, 2, "b"));
    assert_eq!(c.try_transmit(publish(Q1, 3, "c")), Err(CommandError::WindowFull));
}

/// Resent messages count [MQTT5-4.9.0-2]; PUBREL does not wait for the quota
/// [MQTT5-3.3.4-8, MQTT5-4.9.0-3].
fn messages_sent_again_wait_for_the_quota_and_pubrel_does_not() {
    let mut c = connected(CONFIG, "");
    for number in 1..=4 {
        c.transmits(publish(Q2, number, "x"));
    }
    for number in [1, 2] {
        c.receives(ack(PUBREC, number, 0)).accepted_by_peer(number, 0).sends(ack(PUBREL, number, 0));
    }
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "21 0001")).reports(connack(true, 0, "21 0001"));
    c.sends(ack(PUBREL, 1, 0)).sends(ack(PUBREL, 2, 0)).nothing_more();
    c.receives(ack(PUBCOMP, 1, 0)).delivered(1, 0).nothing_more();
    c.receives(ack(PUBCOMP, 2, 0x92)).delivered(2, 0x92).asks_for(3);
    c.resends(3, dup(publish(Q2, 3, "x"))).nothing_more();
    c.receives(ack(PUBREC, 3, 0x80)).rejected(3, ReasonCode::UnspecifiedError).asks_for(4);
}

/// [MQTT5-3.3.4-9]
fn a_server_that_exceeds_receive_maximum_by_one_is_disconnected() {
    let mut c = announces(CONFIG, "21 0002");
    for number in [1, 2] {
        c.receives(publish(Q2, number, "x")).reports(publish(Q2, number, "x")).sends(ack(PUBREC, number, 0));
    }
    // A duplicate does not count twice, and QoS 0 does not count.
    c.receives(dup(publish(Q2, 2, "x"))).sends(ack(PUBREC, 2, 0));
    c.receives(publish(Q0, 0, "x")).reports(publish(Q0, 0, "x"));
    c.receives(ack(PUBREL, 1, 0)).sends(ack(PUBCOMP, 1, 0));
    c.receives(publish(Q2, 3, "x")).reports(publish(Q2, 3, "x")).sends(ack(PUBREC, 3, 0));
    c.receives(publish(Q1, 4, "x")).sends(disconnect(0x93));
    c.closes_for(ProtocolError::ReceiveMaximumExceeded);
}

fn with_manual_acknowledgement_each_message_counts_until_it_is_acknowledged() {
    let mut c = announces(MANUAL, "21 0002");
    for number in [1, 2] {
        c.receives(publish(Q1, number, "x")).reports(publish(Q1, number, "x"));
    }
    c.acknowledge(1).sends(ack(PUBACK, 1, 0));
    c.receives(publish(Q2, 3, "x")).reports(publish(Q2, 3, "x"));
    // A refusal releases its place too [MQTT5-3.3.4-9].
    c.acknowledge(2).sends(ack(PUBACK, 2, 0));
    assert_eq!(c.try_transmit(ack(PUBREC, 3, 0x97)), Ok(()));
    c.sends(ack(PUBREC, 3, 0x97));
    for number in [4, 5] {
        c.receives(publish(Q2, number, "x")).reports(publish(Q2, number, "x"));
    }
    c.receives(publish(Q2, 6, "x")).sends(disconnect(0x93));
    c.closes_for(ProtocolError::ReceiveMaximumExceeded);
}

/// After a restart the application decides again, and the server does not learn that the message
/// was accepted.
fn a_refusal_that_was_not_sent_is_not_part_of_a_saved_session() {
    let mut c = connected(MANUAL, "");
    // Its PUBACK is sent first.
    c.receives(publish(Q1, 1, "x")).reports(publish(Q1, 1, "x"));
    c.receives(publish(Q2, 2, "y")).reports(publish(Q2, 2, "y"));
    assert_eq!(c.try_transmit(ack(PUBREC, 2, 0x97)), Ok(()));
    let session = restored(&c.breaks_off());
    assert_eq!(inbound(&session), []);
    let mut c = ClientTalk::begins(session, MANUAL);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).reports(connack(true, 0, ""));
    c.receives(dup(publish(Q2, 2, "y"))).reports(dup(publish(Q2, 2, "y")));
}

// Acknowledgements

/// [MQTT5-4.4.0-2]
fn a_puback_with_a_failure_completes_its_message() {
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q1, 1, "x"));
    let puback = "40 12 00 01 87 0e 1f 0003 'why' 26 0002 'ab' 0001 'c'";
    c.receives(puback).reports(puback);
    assert!(c.session().is_empty());
    // No matching subscribers is success.
    c.transmits(publish(Q1, 2, "x"));
    c.receives(ack(PUBACK, 2, 0x10)).delivered(2, 0x10);
}

/// [MQTT5-4.3.3-4, MQTT5-4.4.0-2]
fn a_pubrec_with_a_failure_ends_the_exchange() {
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q2, 1, "x"));
    let pubrec = "50 0a 00 01 97 06 1f 0003 'why'";
    c.receives(pubrec).reports(pubrec).nothing_more();
    assert!(c.session().is_empty());
    // Not resent.
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).reports(connack(true, 0, "")).nothing_more();
    // No matching subscribers is success, and PUBREL follows.
    c.transmits(publish(Q2, 2, "x"));
    c.receives(ack(PUBREC, 2, 0x10)).accepted_by_peer(2, 0x10).sends(ack(PUBREL, 2, 0));
    let pubcomp = "70 0a 00 02 00 06 1f 0003 'yes'";
    c.receives(pubcomp).reports(pubcomp);
}

/// Table 3-6 [MQTT5-3.6.2-1, MQTT5-3.6.2-2, MQTT5-3.6.2-3].
fn a_pubrec_for_an_unknown_identifier_is_answered_with_0x92() {
    let mut c = connected(CONFIG, "");
    c.receives(ack(PUBREC, 9, 0)).sends(ack(PUBREL, 9, 0x92));
    c.receives(ack(PUBCOMP, 9, 0x92)).nothing_more();
    // A refusal is followed by nothing.
    c.receives(ack(PUBREC, 9, 0x80)).nothing_more();
}

/// [MQTT5-3.7.2-1, MQTT5-3.7.2-2, MQTT5-3.7.2-3, MQTT5-4.3.3-11]
fn a_pubrel_for_an_unknown_identifier_is_answered_with_0x92() {
    let mut c = connected(CONFIG, "");
    c.receives(ack(PUBREL, 9, 0)).sends(ack(PUBCOMP, 9, 0x92));
    c.receives(publish(Q2, 9, "x")).reports(publish(Q2, 9, "x")).sends(ack(PUBREC, 9, 0));
    c.receives(ack(PUBREL, 9, 0x92)).sends(ack(PUBCOMP, 9, 0));
}

fn acknowledgements_may_spell_out_success() {
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q1, 1, "x"));
    c.receives("40 03 00 01 00").delivered(1, 0);
    c.transmits(publish(Q2, 2, "x"));
    c.receives("50 04 00 02 00 00").accepted_by_peer(2, 0).sends(ack(PUBREL, 2, 0));
    c.receives("70 04 00 02 00 00").delivered(2, 0);
}

/// [MQTT5-4.3.3-8, MQTT5-4.3.3-9]
fn a_refused_qos_2_message_is_forgotten() {
    let mut c = connected(MANUAL, "");
    c.receives(publish(Q2, 5, "x")).reports(publish(Q2, 5, "x"));
    assert_eq!(c.try_transmit(ack(PUBREC, 5, 0x83)), Ok(()));
    c.sends(ack(PUBREC, 5, 0x83));
    assert!(c.session().is_empty());
    // The next message with that identifier is a new one.
    c.receives(publish(Q2, 5, "y")).reports(publish(Q2, 5, "y"));
    c.acknowledge(5).sends(ack(PUBREC, 5, 0));
    c.receives(ack(PUBREL, 5, 0)).sends(ack(PUBCOMP, 5, 0));
}

fn a_message_that_is_acknowledged_by_itself_can_be_refused_right_after_its_event() {
    let mut c = connected(CONFIG, "");
    for (qos, first) in [(Q1, PUBACK), (Q2, PUBREC)] {
        c.holds_actions();
        c.receives(publish(qos, 5, "x")).reports(publish(qos, 5, "x"));
        assert_eq!(c.try_transmit(ack(first, 6, 0x97)), Err(CommandError::NotAwaited));
        assert_eq!(c.try_transmit(ack(first, 5, 0x97)), Ok(()));
        c.takes_actions().sends(ack(first, 5, 0x97));
        assert!(c.session().is_empty());
        // After the acknowledgement was sent it is too late.
        assert_eq!(c.try_transmit(ack(first, 5, 0x97)), Err(CommandError::NotAwaited));
    }
}

/// [MQTT5-3.4.2-1, MQTT5-3.5.2-1]: only a server has subscribers.
fn a_client_does_not_acknowledge_with_no_matching_subscribers() {
    let mut c = connected(MANUAL, "");
    for (qos, first) in [(Q1, PUBACK), (Q2, PUBREC)] {
        c.receives(publish(qos, 5, "x")).reports(publish(qos, 5, "x"));
        assert_eq!(c.try_transmit(ack(first, 5, 0x10)), Err(CommandError::ReasonCodeOfPeer));
        c.acknowledge(5).sends(ack(first, 5, 0));
    }
}

/// [MQTT5-4.6.0-2, MQTT5-4.6.0-3]
fn acknowledgements_leave_in_order_with_their_own_codes() {
    let mut c = connected(MANUAL, "");
    c.receives(publish(Q1, 1, "x")).reports(publish(Q1, 1, "x"));
    c.receives(publish(Q2, 2, "x")).reports(publish(Q2, 2, "x"));
    assert_eq!(c.try_transmit(ack(PUBREC, 2, 0x99)), Ok(()));
    c.nothing_more();
    assert_eq!(c.try_transmit(ack(PUBACK, 1, 0x80)), Ok(()));
    c.sends(ack(PUBACK, 1, 0x80)).sends(ack(PUBREC, 2, 0x99));
}

/// [MQTT5-3.1.2-29]
fn problem_information_that_was_not_asked_for_is_a_violation() {
    for bytes in [
        "40 0a 00 01 80 06 1f 0003 'why'",
        "50 0a 00 01 80 06 1f 0003 'why'",
        "62 0a 00 01 00 06 1f 0003 'why'",
        "70 0a 00 01 00 06 1f 0003 'why'",
        "40 0b 00 01 00 07 26 0001 'a' 0001 'b'",
        "90 0a 00 01 06 1f 0003 'why' 80",
        "b0 0a 00 01 06 1f 0003 'why' 80",
        "f0 0c 18 0a 15 0001 'm' 1f 0003 'why'",
        "f0 0d 18 0b 15 0001 'm' 26 0001 'a' 0001 'b'",
    ] {
        let mut c = ClientTalk::connected(
            CONFIG,
            connect(CLEAN, 0, "17 00 15 0001 'm'", ""),
            connack(false, 0, "15 0001 'm'"),
        );
        c.transmits("f0 06 19 04 15 0001 'm'");
        c.receives(bytes).sends(disconnect(0x82));
        c.closes_for(ProtocolError::ProblemInformation);
    }
    // CONNACK, PUBLISH and DISCONNECT may contain it.
    let mut c = ClientTalk::connected(
        CONFIG,
        connect(CLEAN, 0, "17 00", ""),
        connack(false, 0, "1f 0003 'why'"),
    );
    let message = publish_with(Q0, 0, "26 0001 'a' 0001 'b'", "x");
    c.receives(message.clone()).reports(message);
    c.receives("e0 08 8b 06 1f 0003 'why'").reports("e0 08 8b 06 1f 0003 'why'");
    c.closes(CloseReason::Disconnected);
}

// Topic Aliases

/// [MQTT5-3.3.2-10, MQTT5-3.3.2-11]
fn a_topic_alias_is_replaced_by_its_topic_name() {
    let mut c = announces(CONFIG, "22 0004");
    let aliased = |topic, alias: &str| publish_to(topic, Q0, 0, &format!("23 {alias}"), "x");
    c.receives(aliased("a/b", "0001")).reports(aliased("a/b", "0001"));
    c.receives(aliased("", "0001")).reports_message("a/b", "23 0001", "x");
    c.receives(aliased("c", "0004")).reports(aliased("c", "0004"));
    c.receives(aliased("", "0001")).reports_message("a/b", "23 0001", "x");
    c.receives(aliased("", "0004")).reports_message("c", "23 0004", "x");
    // The alias gets another Topic Name.
    c.receives(aliased("d", "0001")).reports(aliased("d", "0001"));
    c.receives(aliased("", "0001")).reports_message("d", "23 0001", "x");
}

/// [MQTT5-3.3.2-8]; section 3.3.2.3.4.
fn a_topic_alias_that_is_0_or_too_large_is_answered_with_0x94_and_an_unknown_one_with_0x82() {
    let mut c = announces(CONFIG, "22 0004");
    c.receives(publish_to("a", Q0, 0, "23 0000", "x")).sends(disconnect(0x94)).closes_for_malformed();
    for (maximum, bytes) in [
        ("0004", publish_to("", Q0, 0, "23 0005", "x")),
        ("0004", publish_to("a", Q0, 0, "23 0005", "x")),
        ("0004", publish_to("a", Q0, 0, "23 ffff", "x")),
        ("0000", publish_to("a", Q0, 0, "23 0001", "x")),
        // The storage has four aliases, but two were announced.
        ("0002", publish_to("a", Q0, 0, "23 0003", "x")),
    ] {
        let mut c = announces(CONFIG, &format!("22 {maximum}"));
        c.receives(bytes).sends(disconnect(0x94));
        c.closes_for(ProtocolError::TopicAliasInvalid);
    }
    let mut c = announces(CONFIG, "22 0004");
    c.receives(publish_to("", Q0, 0, "23 0001", "x")).sends(disconnect(0x82));
    c.closes_for(ProtocolError::TopicAliasUnknown);
}

/// [MQTT5-3.3.2-7]
fn a_topic_alias_does_not_outlive_the_connection() {
    let mut c = announces(CONFIG, "22 0004 11 00000064");
    c.receives(publish_to("a", Q0, 0, "23 0001", "x")).reports(publish_to("a", Q0, 0, "23 0001", "x"));
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, "22 0004", ""));
    c.receives(connack(true, 0, "")).reports(connack(true, 0, ""));
    c.receives(publish_to("", Q0, 0, "23 0001", "x")).sends(disconnect(0x82));
    c.closes_for(ProtocolError::TopicAliasUnknown);
}

/// A duplicate, and a refused message, also set the alias.
fn every_message_sets_its_alias() {
    let mut c = announces(CONFIG, "22 0004");
    c.receives(publish_to("a", Q2, 1, "23 0001", "x")).reports(publish_to("a", Q2, 1, "23 0001", "x")).sends(ack(PUBREC, 1, 0));
    c.receives(dup(publish_to("a", Q2, 1, "23 0002", "x"))).sends(ack(PUBREC, 1, 0));
    c.receives(publish_to("", Q0, 0, "23 0002", "y")).reports_message("a", "23 0002", "y");
    c.receives(dup(publish_to("", Q2, 1, "23 0002", "x"))).sends(ack(PUBREC, 1, 0));
}

fn a_topic_alias_in_pieces_is_replaced_too() {
    let options = Options::new().max_packet_size(13).payloads_in_pieces(true);
    let mut c = ClientTalk::begins_with(CONFIG, options);
    c.transmits(connect(CLEAN, 0, "22 0004", ""));
    c.receives(connack(false, 0, "")).reports(connack(false, 0, ""));
    for topic in ["a/b", ""] {
        let bytes = publish_to(topic, Q1, 1, "23 0003", "xyz12345");
        let (start, rest) = bytes.split_at(bytes.len() - 7);
        c.receives(start.to_vec()).reports_header("a/b", Q1, 1, "23 0003", 8);
        c.reports_payload(1, 7);
        c.receives(rest.to_vec()).reports_payload(7, 0).sends(ack(PUBACK, 1, 0));
    }
}

/// A message that is too large is skipped, but its alias is learned.
fn a_topic_alias_of_a_skipped_message_is_replaced_too() {
    let options = Options::new().max_packet_size(16).skip_large_messages(true);
    let mut c = ClientTalk::begins_with(CONFIG, options);
    c.transmits(connect(CLEAN, 0, "22 0004", ""));
    c.receives(connack(false, 0, "")).reports(connack(false, 0, ""));
    for topic in ["a/b", ""] {
        c.receives(publish_to(topic, Q1, 1, "23 0003", "too long a payload"));
        c.reports_skipped("a/b", Q1, 1, "23 0003", 18).sends(ack(PUBACK, 1, 0));
    }
    c.receives(publish_to("", Q0, 0, "23 0003", "x")).reports_message("a/b", "23 0003", "x");
}

/// [MQTT5-3.2.2-17, MQTT5-3.2.2-18, MQTT5-3.3.2-9]
fn topic_aliases_are_used_as_far_as_the_server_takes_them() {
    let mut c = connected(CONFIG, "22 0002");
    let mut aliases = OutboundAliases::new(AliasVec::new(10));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("a", Q0, 0, "23 0001", "x"));
    c.publishes_aliased("b", Q1, &mut aliases).sends(publish_to("b", Q1, 1, "23 0002", "x"));
    c.publishes_aliased("c", Q0, &mut aliases).sends(publish_to("c", Q0, 0, "", "x"));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("", Q0, 0, "23 0001", "x"));
    c.publishes_aliased("b", Q1, &mut aliases).sends(publish_to("", Q1, 2, "23 0002", "x"));
    let mut c = connected(CONFIG, "");
    c.publishes_aliased("a", Q0, &mut OutboundAliases::new(AliasVec::new(10))).sends(publish_to("a", Q0, 0, "", "x"));
}

/// The application has used no alias of its own.
fn after_a_message_in_pieces_without_an_alias_topic_aliases_are_assigned() {
    let mut c = connected(CONFIG, "22 0002");
    let mut aliases = OutboundAliases::new(AliasVec::new(10));
    c.announces(Q0, 1).sends("30 05 00 01 't' 00");
    c.payload("x").sends("'x'");
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("a", Q0, 0, "23 0001", "x"));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("", Q0, 0, "23 0001", "x"));
}

/// [MQTT5-3.3.2-7]
fn the_topic_aliases_of_an_earlier_connection_are_not_used() {
    let mut c = connected(CONFIG, "22 0002");
    let mut aliases = OutboundAliases::new(AliasVec::new(10));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("a", Q0, 0, "23 0001", "x"));
    c.publishes_aliased("b", Q0, &mut aliases).sends(publish_to("b", Q0, 0, "23 0002", "x"));
    let mut c = connected(CONFIG, "22 0001");
    c.publishes_aliased("b", Q0, &mut aliases).sends(publish_to("b", Q0, 0, "23 0001", "x"));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("a", Q0, 0, "", "x"));
    c.publishes_aliased("b", Q0, &mut aliases).sends(publish_to("", Q0, 0, "23 0001", "x"));
}

fn a_topic_name_that_the_memory_has_no_room_for_is_sent_each_time() {
    let mut c = connected(CONFIG, "22 0004");
    let mut aliases = OutboundAliases::new(AliasArray::<2, 3>::new());
    for _ in 0..2 {
        c.publishes_aliased("a/long/name", Q0, &mut aliases);
        c.sends_publish_to("a/long/name");
    }
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("a", Q0, 0, "23 0001", "x"));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("", Q0, 0, "23 0001", "x"));
    // It leaves the next alias to a shorter name.
    c.publishes_aliased("a/long/name", Q0, &mut aliases);
    c.sends_publish_to("a/long/name");
    c.publishes_aliased("b", Q0, &mut aliases).sends(publish_to("b", Q0, 0, "23 0002", "x"));
}

/// [MQTT5-3.2.2-15]: PUBLISH has 7 bytes, and 10 with an alias.
fn a_message_that_a_topic_alias_would_make_too_large_is_sent_by_its_topic_name() {
    for (maximum, with_alias) in [("09", false), ("0a", true)] {
        let mut c = connected(CONFIG, &format!("22 0004 27 000000{maximum}"));
        let mut aliases = OutboundAliases::new(AliasVec::new(10));
        let props = if with_alias { "23 0001" } else { "" };
        c.publishes_aliased("t", Q0, &mut aliases).sends(publish_with(Q0, 0, props, "x"));
        // The alias alone is longer than such a short name.
        let name = if with_alias { "" } else { "t" };
        c.publishes_aliased("t", Q0, &mut aliases).sends(publish_to(name, Q0, 0, props, "x"));
    }
    let mut c = connected(CONFIG, "22 0004 27 00000006");
    let mut aliases = OutboundAliases::new(AliasVec::new(10));
    assert_eq!(c.try_publish_aliased("t", Q0, &mut aliases), Err(CommandError::PacketTooLarge));
}

/// Otherwise the server would take one Topic Name for the other.
fn after_an_alias_of_the_application_topic_names_are_sent_without_one() {
    let mut c = connected(CONFIG, "22 0004");
    let mut aliases = OutboundAliases::new(AliasVec::new(10));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("a", Q0, 0, "23 0001", "x"));
    assert_eq!(c.try_transmit(publish_to("b", Q0, 0, "23 0005", "x")), Err(CommandError::TopicAliasInvalid));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("", Q0, 0, "23 0001", "x"));
    c.transmits(publish_to("b", Q0, 0, "23 0001", "x"));
    c.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("a", Q0, 0, "", "x"));
    c.publishes_aliased("c", Q0, &mut aliases).sends(publish_to("c", Q0, 0, "", "x"));
    c.transmits(publish_to("", Q0, 0, "23 0001", "x"));
    // The next connection has other aliases.
    let mut c = connected(CONFIG, "22 0004");
    c.publishes_aliased("a", Q0, &mut OutboundAliases::new(AliasVec::new(10)));
    c.sends(publish_to("a", Q0, 0, "23 0001", "x"));
}

/// [MQTT5-4.7.3-1]: without its alias, nothing names the topic.
fn a_message_without_a_topic_name_is_only_sent_with_an_alias_of_the_application() {
    let mut c = connected(CONFIG, "22 0004");
    let field = Field::TopicName;
    let nameless = || publish_to("", Q1, 1, "23 0001", "x");
    let properties = PublishProperties::encode_to_vec([Property::TopicAlias(NonZeroU16::MIN)]);
    let publish = Publish::aliased(Delivery::AtMostOnce, false, PublishProperties::EMPTY, b"x");
    let message = Message::new(publish.topic, "x").properties(properties.unwrap());
    let refused = c.peer.connection.publish_aliased(
        ms(0),
        &message,
        &mut OutboundAliases::new(AliasVec::new(10)),
        &mut Vec::new(),
    );
    assert_eq!(refused, Err(CommandError::Encode(EncodeError::EmptyTopicName { field })));
    c.transmits(nameless());
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "22 0004")).reports(connack(true, 0, "22 0004")).asks_for(1);
    let refused = c.try_resend(1, nameless());
    assert_eq!(refused, Err(CommandError::Encode(EncodeError::EmptyTopicName { field })));
}

/// A command that fails has assigned no alias.
fn a_message_that_is_refused_takes_no_alias() {
    let mut c = connected(CONFIG, "22 0004 24 00");
    let mut aliases = OutboundAliases::new(AliasVec::new(10));
    assert_eq!(c.try_publish_aliased("a", Q1, &mut aliases), Err(CommandError::QosNotSupported));
    c.publishes_aliased("b", Q0, &mut aliases).sends(publish_to("b", Q0, 0, "23 0001", "x"));
}

fn an_alias_of_the_application_is_sent_if_the_server_takes_it() {
    let mut c = connected(CONFIG, "22 0002");
    c.transmits(publish_with(Q1, 1, "23 0002", "x"));
    assert_eq!(c.try_transmit(publish_with(Q1, 2, "23 0003", "x")), Err(CommandError::TopicAliasInvalid));
    let mut c = connected(CONFIG, "");
    assert_eq!(c.try_transmit(publish_with(Q1, 1, "23 0001", "x")), Err(CommandError::TopicAliasInvalid));
}

/// [MQTT5-3.3.2-7]
fn a_message_sent_again_has_its_topic_name_and_no_alias() {
    let mut c = connected(CONFIG, "22 0002");
    let mut aliases = OutboundAliases::new(AliasVec::new(10));
    c.publishes_aliased("t", Q1, &mut aliases).sends(publish_with(Q1, 1, "23 0001", "x"));
    c.publishes_aliased("t", Q1, &mut aliases).sends(publish_to("", Q1, 2, "23 0001", "x"));
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).reports(connack(true, 0, "")).asks_for(1).asks_for(2);
    assert_eq!(c.try_resend(1, publish_with(Q1, 1, "23 0001 01 01", "x")), Ok(()));
    c.sends(dup(publish_with(Q1, 1, "01 01", "x")));
    c.resends(2, dup(publish(Q1, 2, "x")));
}

/// [MQTT5-3.2.2-15]: of 12 bytes with its alias, and 9 without.
fn a_message_sent_again_is_as_large_as_it_is_without_its_alias() {
    let with_alias = publish_with(Q1, 1, "23 0001", "x");
    assert_eq!((with_alias.len(), publish(Q1, 1, "x").len()), (12, 9));
    for (maximum, result) in [("08", Err(CommandError::PacketTooLarge)), ("09", Ok(()))] {
        let mut c = connected(CONFIG, "22 0002");
        c.transmits(with_alias.clone());
        let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
        c.transmits(connect(0, 0, KEPT, ""));
        let connack = connack(true, 0, &format!("27 000000{maximum}"));
        c.receives(connack.clone()).reports(connack).asks_for(1);
        assert_eq!(c.try_resend(1, with_alias.clone()), result);
        if result.is_ok() {
            c.sends(dup(publish(Q1, 1, "x")));
        }
    }
}

// Sessions

/// [MQTT5-3.1.2-4]
fn clean_start_forgets_the_session_of_the_client() {
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q1, 1, "x"));
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    let bytes = connect(CLEAN, 0, KEPT, "");
    assert_eq!(c.try_transmit(bytes.clone()), Ok(()));
    c.sends(bytes).lost(1, false);
    c.receives(connack(false, 0, "")).reports(connack(false, 0, ""));
    assert!(c.session().is_empty());
}

/// [MQTT5-3.2.2-4]
fn session_present_to_a_client_that_has_no_session_is_a_violation() {
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    c.transmits(connect(CLEAN, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).sends(disconnect(0x82));
    c.closes_for(ProtocolError::SessionPresent);
    let mut c = ClientTalk::begins(fresh(), CONFIG.no_session_state(true));
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).sends(disconnect(0x82));
    c.closes_for(ProtocolError::SessionPresent);
    // A session with nothing in flight can still be resumed.
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).reports(connack(true, 0, ""));
}

/// [MQTT5-3.2.2-5]
fn the_session_is_forgotten_if_the_server_has_none() {
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q1, 1, "x")).transmits(publish(Q2, 2, "x"));
    c.receives(ack(PUBREC, 2, 0)).accepted_by_peer(2, 0).sends(ack(PUBREL, 2, 0));
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(false, 0, "")).reports(connack(false, 0, "")).lost(1, false).lost(2, true);
}

/// Section 3.1.2.11.2: Clean Start 0 alone keeps nothing.
fn without_session_expiry_interval_the_session_ends_with_the_connection() {
    let mut c = ClientTalk::connected(CONFIG, connect(0, 0, "", ""), connack(false, 0, ""));
    assert!(c.peer.connection.session_ends());
    c.transmits(publish(Q1, 1, "x"));
    c.transport_closes().lost(1, false);
    c.closes(CloseReason::TransportClosed);
    assert!(c.peer.connection.into_session().is_empty());
}

/// [MQTT5-3.1.2-23]; section 3.2.2.3.2.
fn connack_replaces_the_session_expiry_interval() {
    let mut c = ClientTalk::connected(CONFIG, connect(0, 0, "", ""), connack(false, 0, KEPT));
    assert!(!c.peer.connection.session_ends());
    c.transmits(publish(Q1, 1, "x"));
    assert_eq!(outbound(&c.breaks_off()), [1]);
    let c = ClientTalk::connected(CONFIG, connect(0, 0, KEPT, ""), connack(false, 0, "11 00000000"));
    assert!(c.peer.connection.session_ends());
    assert_eq!(c.peer.connection.session_expiry_interval(), 0);
}

/// Section 3.14.2.2.2.
fn disconnect_replaces_the_session_expiry_interval() {
    for ([connect_has, connack_has, disconnect_has], in_force) in EXPIRIES {
        let connack = connack(false, 0, &expiry(connack_has));
        let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 0, &expiry(connect_has), ""), connack);
        c.transmits(publish(Q1, 1, "x"));
        let disconnect = disconnect_after(disconnect_has);
        let Some(in_force) = in_force else {
            assert_eq!(c.try_transmit(disconnect), Err(CommandError::SessionExpiryInterval));
            continue;
        };
        c.transmits(disconnect);
        if in_force == 0 {
            c.lost(1, false);
        }
        c.closes(CloseReason::Disconnected);
        assert_eq!(c.peer.connection.session_expiry_interval(), in_force);
        assert_eq!(c.peer.connection.session_ends(), in_force == 0);
    }
}

/// hivemq-mqtt-client#415: an absent interval and 0 differ. A value other than 0 after 0 is a
/// Protocol Error.
fn a_client_whose_connect_had_no_session_expiry_interval_sets_none_in_disconnect() {
    for (connect_props, connack_props) in [("", ""), ("11 00000000", ""), ("", KEPT), (KEPT, "11 00000000")] {
        let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 0, connect_props, ""), connack(false, 0, connack_props));
        assert_eq!(c.try_transmit("e0 07 00 05 11 00000001"), Err(CommandError::SessionExpiryInterval));
        c.transmits("e0 07 00 05 11 00000000").closes(CloseReason::Disconnected);
    }
}

/// [MQTT5-3.14.2-2]
fn a_session_expiry_interval_from_the_server_is_a_violation() {
    let mut c = connected(CONFIG, "");
    c.receives("e0 07 00 05 11 00000001").sends(disconnect(0x82));
    c.closes_for(ProtocolError::SessionExpiryInterval);
}

/// [MQTT5-3.3.1-1, MQTT5-4.3.3-6, MQTT5-4.4.0-1, MQTT5-4.6.0-1]
fn a_session_is_resumed_after_it_was_saved_and_restored() {
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q1, 1, "x")).transmits(publish(Q2, 2, "y")).transmits(publish(Q2, 3, "z"));
    c.receives(ack(PUBREC, 3, 0)).accepted_by_peer(3, 0).sends(ack(PUBREL, 3, 0));
    c.receives(publish(Q2, 9, "in")).reports(publish(Q2, 9, "in")).sends(ack(PUBREC, 9, 0));
    let session = restored(&c.breaks_off());
    let mut c = ClientTalk::begins(session, CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).reports(connack(true, 0, "")).sends(ack(PUBREL, 3, 0)).asks_for(1).asks_for(2);
    c.resends(1, dup(publish(Q1, 1, "x"))).resends(2, dup(publish(Q2, 2, "y")));
    c.receives(dup(publish(Q2, 9, "in"))).sends(ack(PUBREC, 9, 0));
}

/// [MQTT5-4.6.0-3]: the first message was refused, but the server does not know, and resends it.
fn a_pubrec_that_is_sent_again_waits_for_that_of_an_earlier_message() {
    let mut c = connected(MANUAL.journal(true), "");
    for number in [1, 2] {
        c.receives(publish(Q2, number, "x")).reports(publish(Q2, number, "x"));
    }
    assert_eq!(c.try_transmit(ack(PUBREC, 1, 0x97)), Ok(()));
    c.sends(ack(PUBREC, 1, 0x97));
    c.acknowledge(2).stores(Change::InboundReceived(id(2))).sends(ack(PUBREC, 2, 0));
    let mut c = ClientTalk::begins(c.breaks_off(), MANUAL);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).reports(connack(true, 0, ""));
    c.receives(dup(publish(Q2, 1, "x"))).reports(dup(publish(Q2, 1, "x")));
    c.receives(dup(publish(Q2, 2, "x"))).nothing_more();
    c.acknowledge(1).sends(ack(PUBREC, 1, 0)).sends(ack(PUBREC, 2, 0));
    for number in [1, 2] {
        c.receives(ack(PUBREL, number, 0)).sends(ack(PUBCOMP, number, 0));
    }
    assert!(c.session().is_empty());
}

/// A session does not depend on the version.
fn a_session_is_resumed_by_a_client_of_the_other_version() {
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q1, 1, "x"));
    let mut old = Talk::client(c.breaks_off(), CONFIG);
    old.connect(false, 0).sends(connect_bytes(false, 0));
    old.receives("20 02 01 00").connected(true).asks_for(1);
    old.resend(1, Q1, "x").sends("3a 06 00 01 't' 00 01 'x'");
    let mut c = ClientTalk::begins(old.breaks_off(), CONFIG);
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "")).reports(connack(true, 0, "")).asks_for(1);
    c.resends(1, dup(publish(Q1, 1, "x")));
    c.receives(ack(PUBACK, 1, 0)).delivered(1, 0);
}

fn the_journal_holds_what_the_session_is() {
    let mut c = connected(CONFIG.journal(true), "");
    assert_eq!(c.try_transmit(publish(Q2, 1, "x")), Ok(()));
    c.stores(Change::Sent { packet_id: id(1), qos: Q2 }).sends(publish(Q2, 1, "x"));
    c.receives(ack(PUBREC, 1, 0x97)).rejected(1, ReasonCode::QuotaExceeded).stores(Change::Completed(id(1)));
    // A refused message is not kept.
    c.holds_actions();
    c.receives(publish(Q2, 5, "x")).reports(publish(Q2, 5, "x"));
    assert_eq!(c.try_transmit(ack(PUBREC, 5, 0x97)), Ok(()));
    c.takes_actions().sends(ack(PUBREC, 5, 0x97));
    c.receives(publish(Q2, 5, "y")).reports(publish(Q2, 5, "y")).stores(Change::InboundReceived(id(5))).sends(ack(PUBREC, 5, 0));
}

/// The exchange ends, so no PUBREL follows.
fn a_message_that_is_stored_and_then_refused_is_forgotten_in_the_journal() {
    let mut c = connected(CONFIG.journal(true), "");
    c.holds_actions();
    c.receives(publish(Q2, 5, "x")).reports(publish(Q2, 5, "x"));
    let stored = Action::Store(Change::InboundReceived(id(5)));
    assert_eq!(c.peer.connection.poll_action(), Some(stored));
    assert_eq!(c.try_transmit(ack(PUBREC, 5, 0x97)), Ok(()));
    c.takes_actions().stores(Change::Forgotten(id(5))).sends(ack(PUBREC, 5, 0x97));
}

/// Otherwise the journal would outlive the session.
fn the_journal_is_cleared_when_the_session_turns_out_to_end_with_the_connection() {
    let mut c = connected(CONFIG.journal(true), "");
    assert_eq!(c.try_transmit(publish(Q1, 1, "x")), Ok(()));
    c.stores(Change::Sent { packet_id: id(1), qos: Q1 }).sends(publish(Q1, 1, "x"));
    assert_eq!(c.try_transmit("e0 07 00 05 11 00000000"), Ok(()));
    c.stores(Change::Cleared).sends("e0 07 00 05 11 00000000").lost(1, false);
    c.closes(CloseReason::Disconnected);
    // The same by CONNACK.
    let mut c = connected(CONFIG, "");
    c.transmits(publish(Q1, 1, "x"));
    let mut c = ClientTalk::begins(c.breaks_off(), CONFIG.journal(true));
    c.transmits(connect(0, 0, KEPT, ""));
    c.receives(connack(true, 0, "11 00000000")).reports(connack(true, 0, "11 00000000"));
    c.stores(Change::Cleared).asks_for(1);
}

/// CONNACK decides whether the session ends with the connection.
fn a_stored_session_is_cleared_when_connect_ends_it_and_connack_does_not_keep_it() {
    let resumes = || {
        let mut c = connected(CONFIG, "");
        c.transmits(publish(Q1, 1, "x"));
        let mut c = ClientTalk::begins(c.breaks_off(), CONFIG.journal(true));
        c.transmits(connect(0, 0, "", ""));
        c
    };
    let mut c = resumes();
    c.receives(connack(true, 0, "")).reports(connack(true, 0, "")).stores(Change::Cleared).asks_for(1);
    c.transport_closes().lost(1, false).closes(CloseReason::TransportClosed);
    let mut c = resumes();
    c.receives(connack(true, 0, KEPT)).reports(connack(true, 0, KEPT)).asks_for(1);
    assert!(!c.breaks_off().is_empty());
}

/// The client gives it up itself, whatever the server would have answered (section 3.14.2.2.2).
fn disconnect_without_a_session_expiry_ends_the_session_before_connack_too() {
    let config = CONFIG.journal(true).send_before_connack(true);
    let mut c = ClientTalk::begins(fresh(), config);
    c.transmits(connect(0, 0, KEPT, ""));
    assert_eq!(c.try_transmit(publish(Q1, 1, "x")), Ok(()));
    c.stores(Change::Sent { packet_id: id(1), qos: Q1 }).sends(publish(Q1, 1, "x"));
    let ends = "e0 07 00 05 11 00000000";
    assert_eq!(c.try_transmit(ends), Ok(()));
    c.stores(Change::Cleared).sends(ends).lost(1, false).closes(CloseReason::Disconnected);
    assert!(c.session().is_empty());
}

/// Section 3.1.4, and 3.1.2.11.2: a session that the server has not resumed has not ended either.
fn a_connect_that_is_not_accepted_leaves_the_session() {
    let resumes = || {
        let mut c = connected(CONFIG, "");
        c.transmits(publish(Q1, 1, "x"));
        let mut c = ClientTalk::begins(c.breaks_off(), CONFIG.journal(true));
        c.transmits(connect(0, 0, "", ""));
        c
    };
    let mut c = resumes();
    c.receives("20 03 00 88 00").reports("20 03 00 88 00");
    c.closes(CloseReason::Refused(Refusal(ConnectReasonCode::ServerUnavailable)));
    assert!(!c.session().is_empty());
    let mut c = resumes();
    c.transport_closes().closes(CloseReason::TransportClosed);
    assert!(!c.session().is_empty());
}

/// Whether to store it is not known before.
fn with_a_journal_and_a_session_that_ends_nothing_is_published_before_connack() {
    let config = CONFIG.send_before_connack(true).journal(true);
    let mut c = ClientTalk::begins(fresh(), config);
    c.transmits(connect(CLEAN, 0, "", ""));
    assert_eq!(c.try_transmit(publish(Q1, 1, "x")), Err(CommandError::NotConnected));
    c.receives(connack(false, 0, KEPT)).reports(connack(false, 0, KEPT));
    assert_eq!(c.try_transmit(publish(Q1, 1, "x")), Ok(()));
    c.stores(Change::Sent { packet_id: id(1), qos: Q1 }).sends(publish(Q1, 1, "x"));
    let mut c = ClientTalk::begins(fresh(), config);
    c.transmits(connect(CLEAN, 0, KEPT, ""));
    assert_eq!(c.try_transmit(publish(Q1, 1, "x")), Ok(()));
    c.stores(Change::Sent { packet_id: id(1), qos: Q1 }).sends(publish(Q1, 1, "x"));
}

/// [MQTT5-3.3.4-7, MQTT5-4.9.0-1, MQTT5-4.9.0-2]: before CONNACK the default counts.
fn after_connack_the_next_message_waits_until_fewer_are_in_flight_than_receive_maximum() {
    let mut c = ClientTalk::begins(fresh(), CONFIG.send_before_connack(true));
    c.transmits(connect(CLEAN, 0, KEPT, ""));
    for number in 1..=3 {
        c.transmits(publish(Q1, number, "x"));
    }
    c.receives(connack(false, 0, "21 0002")).reports(connack(false, 0, "21 0002"));
    for number in 1..=2 {
        assert_eq!(c.try_transmit(publish(Q1, 4, "x")), Err(CommandError::WindowFull));
        c.receives(ack(PUBACK, number, 0)).delivered(number, 0);
    }
    c.transmits(publish(Q1, 4, "x"));
    assert_eq!(c.try_transmit(publish(Q1, 5, "x")), Err(CommandError::WindowFull));
}

/// Section 3.1.4.
fn commands_before_connack_are_sent_if_the_application_wants_it() {
    let mut c = ClientTalk::begins(fresh(), CONFIG.send_before_connack(true));
    c.transmits(connect(CLEAN, 0, KEPT, ""));
    c.transmits(publish(Q1, 1, "x")).transmits("82 07 00 02 00 00 01 'a' 00");
    // The server's limits are not known yet, so no alias is used.
    c.publishes_aliased("t", Q0, &mut OutboundAliases::new(AliasVec::new(4))).sends(publish(Q0, 0, "x"));
    c.receives(connack(false, 0, "21 0001")).reports(connack(false, 0, "21 0001")).nothing_more();
    assert_eq!(c.try_transmit(publish(Q1, 3, "y")), Err(CommandError::WindowFull));
    c.receives(ack(PUBACK, 1, 0)).delivered(1, 0);
    // [MQTT5-3.1.2-30]
    let mut c = ClientTalk::begins(fresh(), CONFIG.send_before_connack(true));
    c.transmits(connect(CLEAN, 0, "15 0001 'm'", ""));
    assert_eq!(c.try_transmit(publish(Q0, 0, "x")), Err(CommandError::NotConnected));
}

// Keep Alive

/// [MQTT5-3.1.2-20]
fn after_an_auth_pingreq_is_due_as_after_any_packet() {
    let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 8, "15 0001 'm'", ""), connack(false, 0, "15 0001 'm'"));
    c.deadline(7_000);
    c.at(4_000).transmits("f0 06 19 04 15 0001 'm'").deadline(11_000);
}

/// [MQTT5-3.1.2-20, MQTT5-3.1.2-21, MQTT5-3.2.2-21]
fn server_keep_alive_replaces_that_of_the_client() {
    let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 60, "", ""), connack(false, 0, "13 0008"));
    assert_eq!(c.peer.connection.keep_alive(), 8);
    c.deadline(7_000).wakes_at(7_000).sends(PINGREQ);
    c.receives(PINGRESP).nothing_more();
    let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 8, "", ""), connack(false, 0, "13 0010"));
    c.deadline(14_000);
    // 0 disables it.
    let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 8, "", ""), connack(false, 0, "13 0000"));
    c.no_deadline();
    let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 8, "", ""), connack(false, 0, ""));
    c.deadline(7_000);
}

// Enhanced authentication

/// [MQTT5-4.12.0-2, MQTT5-4.12.0-3, MQTT5-4.12.0-5, MQTT5-4.12.1-1]
fn an_authentication_goes_step_by_step_and_can_be_repeated() {
    let method = "15 0001 'm'";
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    c.transmits(connect(CLEAN, 0, method, ""));
    let auth = |code: u8| packet(0xf0, &[&[code, 8][..], &hex("15 0001 'm' 16 0001 'd'")].concat());
    // It is not the client's turn.
    assert_eq!(c.try_transmit(auth(0x18)), Err(CommandError::AuthenticationOrder));
    assert_eq!(c.try_transmit(auth(0x19)), Err(CommandError::AuthenticationOrder));
    for _ in 0..2 {
        c.receives(auth(0x18)).reports(auth(0x18));
        assert_eq!(c.try_transmit(auth(0x19)), Err(CommandError::AuthenticationOrder));
        assert_eq!(c.try_transmit("f0 06 18 04 15 0001 'n'"), Err(CommandError::AuthenticationOrder));
        c.transmits(auth(0x18));
    }
    c.receives(connack(false, 0, method)).reports(connack(false, 0, method));
    assert_eq!(c.try_transmit(auth(0x18)), Err(CommandError::AuthenticationOrder));
    c.transmits(auth(0x19));
    assert_eq!(c.try_transmit(auth(0x19)), Err(CommandError::AuthenticationOrder));
    // Other packets are allowed.
    c.transmits(publish(Q1, 1, "x"));
    c.receives(auth(0x18)).reports(auth(0x18));
    c.transmits(auth(0x18));
    c.receives(auth(0)).reports(auth(0));
    c.transmits(auth(0x19));
    c.receives(auth(0)).reports(auth(0));
}

/// [MQTT5-4.12.0-6, MQTT5-4.12.0-7]
fn without_an_authentication_method_there_is_no_auth() {
    let mut c = connected(CONFIG, "");
    assert_eq!(c.try_transmit("f0 06 19 04 15 0001 'm'"), Err(CommandError::AuthenticationOrder));
    c.receives("f0 06 18 04 15 0001 'm'").sends(disconnect(0x82));
    c.closes_for(ProtocolError::Unexpected(PacketType::Auth));
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    c.transmits(connect(CLEAN, 0, "", ""));
    c.receives(connack(false, 0, "15 0001 'm'")).sends(disconnect(0x82));
    c.closes_for(ProtocolError::AuthenticationMethod);
}

/// A server sends only 0x18 before CONNACK, never 0x19, and no AUTH without one of the client.
fn an_auth_out_of_order_is_a_violation() {
    for code in ["00", "19"] {
        let mut c = ClientTalk::begins(fresh(), CONFIG);
        c.transmits(connect(CLEAN, 0, "15 0001 'm'", ""));
        c.receives(format!("f0 06 {code} 04 15 0001 'm'").as_str()).sends(disconnect(0x82));
        c.closes_for(ProtocolError::Unexpected(PacketType::Auth));
    }
    for code in ["00", "18", "19"] {
        let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 0, "15 0001 'm'", ""), connack(false, 0, "15 0001 'm'"));
        c.receives(format!("f0 06 {code} 04 15 0001 'm'").as_str()).sends(disconnect(0x82));
        c.closes_for(ProtocolError::Unexpected(PacketType::Auth));
    }
    // Twice.
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    c.transmits(connect(CLEAN, 0, "15 0001 'm'", ""));
    c.receives("f0 06 18 04 15 0001 'm'").reports("f0 06 18 04 15 0001 'm'");
    c.receives("f0 06 18 04 15 0001 'm'").sends(disconnect(0x82));
    c.closes_for(ProtocolError::Unexpected(PacketType::Auth));
}

/// [MQTT5-4.12.0-5]
fn the_accepting_connack_has_the_same_method() {
    for props in ["", "15 0001 'n'"] {
        let mut c = ClientTalk::begins(fresh(), CONFIG);
        c.transmits(connect(CLEAN, 0, "15 0001 'm'", ""));
        c.receives(connack(false, 0, props)).sends(disconnect(0x82));
        c.closes_for(ProtocolError::AuthenticationMethod);
    }
    // A refusal need not contain it.
    let mut c = ClientTalk::begins(fresh(), CONFIG);
    c.transmits(connect(CLEAN, 0, "15 0001 'm'", ""));
    c.receives(connack(false, 0x8c, "")).reports(connack(false, 0x8c, ""));
    c.closes(CloseReason::Refused(Refusal(ConnectReasonCode::BadAuthenticationMethod)));
}

fn each_step_of_an_authentication_has_the_time_for_connack() {
    let mut c = ClientTalk::begins(fresh(), CONFIG.connect_timeout(Duration::from_secs(5)));
    c.transmits(connect(CLEAN, 0, "15 0001 'm'", "")).deadline(5_000);
    c.at(4_000).receives("f0 06 18 04 15 0001 'm'").reports("f0 06 18 04 15 0001 'm'");
    c.at(6_000).transmits("f0 06 18 04 15 0001 'm'").deadline(11_000);
    c.wakes_at(11_000).closes(CloseReason::ConnectTimeout);
}

/// [MQTT5-3.15.2-2, MQTT5-3.15.2-3]
fn a_reason_string_too_large_for_the_server_is_left_out_of_auth() {
    let method = "15 0001 'm'";
    let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 0, method, ""), connack(false, 0, &format!("{method} 27 0000000c")));
    assert_eq!(c.try_transmit("f0 10 19 0e 15 0001 'm' 16 0001 'd' 1f 0003 'why'"), Ok(()));
    c.sends("f0 0a 19 08 15 0001 'm' 16 0001 'd'");
    let mut c = ClientTalk::connected(CONFIG, connect(CLEAN, 0, method, ""), connack(false, 0, &format!("{method} 27 0000000b")));
    assert_eq!(c.try_transmit("f0 0a 19 08 15 0001 'm' 16 0001 'd'"), Err(CommandError::PacketTooLarge));
}

// The end

/// [MQTT5-3.14.4-1, MQTT5-3.14.4-2]
fn nothing_follows_disconnect() {
    let mut c = connected(CONFIG, "");
    c.transmits("e0 00").closes(CloseReason::Disconnected);
    assert_eq!(c.try_transmit(publish(Q0, 0, "x")), Err(CommandError::Ended));
    assert_eq!(c.try_transmit("e0 00"), Err(CommandError::Ended));
    c.receives(publish(Q0, 0, "x")).nothing_more();
}

/// [MQTT5-3.14.2-1]: Table 3-10.
fn a_client_sends_only_the_codes_of_a_client_in_disconnect() {
    let codes = [
        0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
    ];
    let mut c = connected(CONFIG, "");
    for code in codes {
        assert_eq!(c.try_transmit(disconnect(code)), Err(CommandError::ReasonCodeOfPeer), "{code:#x}");
    }
    for code in [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99] {
        let mut c = connected(CONFIG, "");
        c.transmits(disconnect(code)).closes(CloseReason::Disconnected);
    }
}

/// [MQTT5-4.13.2-1]
fn the_disconnect_of_the_server_ends_the_connection_and_reaches_the_application() {
    let mut c = connected(CONFIG, "");
    let bytes = "e0 0c 9d 0a 1c 0001 'x' 1f 0003 'why'";
    c.receives(bytes).reports(bytes).closes(CloseReason::Disconnected);
}

/// No other packet may be sent between the pieces of a payload.
fn a_connection_that_ends_in_the_middle_of_a_payload_sends_nothing_more() {
    let mut c = connected(CONFIG, "");
    c.announces(Q0, 3).sends("30 07 00 01 't' 00");
    c.payload("x").sends("'x'");
    assert_eq!(c.try_transmit("e0 00"), Err(CommandError::SendingPayload));
    c.receives(connack(false, 0, ""));
    c.closes_for(ProtocolError::SecondConnAck { code: 0 });
}

/// [MQTT5-2.2.1-6, MQTT5-3.8.4-6, MQTT5-3.9.3-2, MQTT5-3.11.3-2]
fn suback_and_unsuback_have_a_code_for_each_filter() {
    let mut c = connected(CONFIG, "");
    c.transmits("82 0b 00 01 00 00 01 'a' 00 00 01 'b' 01");
    c.receives("90 0b 00 01 06 1f 0003 'why' 00 87").reports("90 0b 00 01 06 1f 0003 'why' 00 87");
    c.transmits("a2 09 00 02 00 00 01 'a' 00 01 'b'");
    c.receives("b0 05 00 02 00 00 11").reports("b0 05 00 02 00 00 11");
    c.transmits("82 0b 00 03 00 00 01 'a' 00 00 01 'b' 01");
    c.receives("90 04 00 03 00 00").sends(disconnect(0x82));
    c.leaves_requests();
    c.closes_for(ProtocolError::WrongNumberOfReturnCodes);
}

}

/// Receives messages to these topics, all with Topic Alias 1. Returns how many were delivered, the packet that
/// is sent then, and the next action.
fn receives_aliased<M: Buffer>(
    buffer: M,
    alias_maximum: u16,
    topics: &[&str],
) -> (usize, Vec<u8>, Action) {
    use mqtt_sansio::v5::{Client, Connect, ConnectProperties, Decoder, Event, Step};
    let mut client = Client::new(Session::<Vec<Slot>>::default(), CONFIG, ms(0));
    let mut decoder = Decoder::new(buffer);
    let mut connect_packet = Connect::new(mqtt_sansio::Text::new("c").unwrap());
    let mut room = [0; 3];
    let announced = (alias_maximum > 0).then_some(Property::TopicAliasMaximum(alias_maximum));
    connect_packet.properties = ConnectProperties::encode_to_slice(&mut room, announced).unwrap();
    client
        .connect(ms(0), &connect_packet, &mut Vec::new())
        .unwrap();
    let mut bytes = connack(false, 0, "");
    for topic in topics {
        bytes.extend(publish_to(topic, Q0, 0, "23 0001", "x"));
    }
    let mut input = &bytes[..];
    let step = client.receive(ms(0), &mut decoder, &mut input).unwrap();
    assert!(matches!(step, Some(Step::Event(Event::Connected { .. }))));
    let mut delivered = 0;
    loop {
        match client.receive(ms(0), &mut decoder, &mut input).unwrap() {
            Some(Step::Event(Event::Message(_))) => delivered += 1,
            Some(Step::Action(Action::Transmit(reply))) => {
                let sent = reply.as_ref().to_vec();
                let step = client.receive(ms(0), &mut decoder, &mut input).unwrap();
                let Some(Step::Action(action)) = step else {
                    panic!("{step:?}");
                };
                return (delivered, sent, action);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_client_without_room_for_topic_aliases_takes_none() {
    let (delivered, sent, _) = receives_aliased(Vec::new(), 0, &["a"]);
    assert_eq!((delivered, sent), (0, disconnect(0x94)));
}

/// The Topic Alias is within Topic Alias Maximum, so the client has announced more than it can store.
#[test]
fn a_topic_name_too_long_for_its_alias_ends_the_connection_at_that_limit() {
    let buffer = WithTopicAliases::new(Vec::new(), AliasArray::<1, 3>::new());
    let (delivered, sent, action) = receives_aliased(buffer, 1, &["abc", "abcd"]);
    assert_eq!((delivered, sent), (1, disconnect(0x97)));
    let reason = CloseReason::LimitExceeded {
        limit: Limit::TopicAliases,
        value: 0,
        actual: 4,
    };
    assert_eq!(action, Action::Close(reason));
}

/// Section 3.3.2.3.4.
#[test]
fn a_topic_alias_can_get_another_topic_name_in_every_storage() {
    fn check<T: mqtt_sansio::v5::TopicAliases>(mut aliases: T) {
        let alias = NonZeroU16::MIN;
        for topic in ["abc", "d", "ef"] {
            assert!(aliases.set(alias, topic.as_bytes()));
            assert_eq!(aliases.get(alias), Some(topic.as_bytes()));
        }
    }
    check(AliasVec::new(2));
    check(AliasArray::<2, 3>::new());
}
