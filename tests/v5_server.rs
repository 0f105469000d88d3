//! Conversations of a server with a client that speak MQTT 5, as transcripts.

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

use core::time::Duration;

use conversation::v5::{
    EXPIRIES, PUBACK, PUBCOMP, PUBREC, PUBREL, ServerTalk, ack, connack, connect, disconnect,
    disconnect_after, dup, expiry, packet, publish, publish_to, publish_with, restored,
    v5_conversations,
};
use conversation::*;
use mqtt_sansio::v5::{
    self, Action, AliasVec, CloseReason, ConnectReasonCode, OutboundAliases, ReasonCode, Refusal,
};
use mqtt_sansio::{
    Blocked, Change, CommandError, Config, Options, PacketType, ProtocolError, State,
};

const CONFIG: Config = Config::new();
const MANUAL: Config = CONFIG.manual_acknowledgement(true);

/// Clean Start.
const CLEAN: u8 = 2;

/// Session Expiry Interval of 100 s.
const KEPT: &str = "11 00000064";

/// A Will: QoS 0, `bye` to `w`, with a Will Delay Interval of 30 s.
const WILL: u8 = 4;
const WILL_FIELDS: &str = "05 18 0000001e 00 01 'w' 00 03 'bye'";

/// Returns a server whose client connected with Clean Start, a session kept for 100 s, and these
/// properties in CONNACK.
fn connected(config: Config, props: &str) -> ServerTalk {
    ServerTalk::accepted(
        config,
        connect(CLEAN, 0, KEPT, ""),
        connack(false, 0, props),
    )
}

/// Returns a server whose client connected with these properties in CONNECT.
fn announced(config: Config, props: &str) -> ServerTalk {
    ServerTalk::accepted(config, connect(CLEAN, 0, props, ""), connack(false, 0, ""))
}

/// Returns a server whose client connected with a Will, and these properties in CONNECT.
fn with_will(props: &str) -> ServerTalk {
    let connect = connect(CLEAN | WILL, 0, props, WILL_FIELDS);
    ServerTalk::accepted(CONFIG, connect, connack(false, 0, ""))
}

v5_conversations! {

// Connecting

/// [MQTT5-3.1.2-6, MQTT5-3.1.4-4, MQTT5-3.1.4-5, MQTT5-3.2.2-2, MQTT5-3.2.2-3]
fn a_connect_is_accepted_with_connack() {
    let mut s = ServerTalk::begins(CONFIG);
    assert_eq!(s.try_transmit(connack(false, 0, "")), Err(CommandError::NotConnected));
    let bytes = connect(CLEAN, 60, "", "");
    s.receives(bytes.clone()).reports(bytes).state(State::Requested);
    assert_eq!(s.try_transmit(connack(true, 0, "")), Err(CommandError::CleanSession));
    s.transmits("20 03 00 00 00").state(State::Connected);
    assert_eq!(s.try_transmit(connack(false, 0, "")), Err(CommandError::AlreadyConnected));
}

fn what_connect_and_connack_announce_can_be_read() {
    let s = ServerTalk::accepted(
        CONFIG,
        connect(CLEAN | WILL, 60, "11 00000009 21 0005 27 00000080 22 0003 19 01 17 00", WILL_FIELDS),
        connack(false, 0, "11 00000007 13 000a 21 0003 22 0004 24 01 25 00 28 00 29 00 2a 00"),
    );
    let limits = *s.peer.connection.limits();
    assert_eq!(limits.peer.receive_maximum, 5);
    assert_eq!(limits.peer.maximum_packet_size, 128);
    assert_eq!(limits.peer.topic_alias_maximum, 3);
    assert_eq!(limits.own.receive_maximum, 3);
    assert_eq!(limits.own.topic_alias_maximum, 4);
    assert_eq!(limits.own.maximum_qos, Q1);
    assert!(!limits.own.retain_available);
    assert!(!limits.own.wildcard_subscription_available);
    assert!(!limits.own.subscription_identifier_available);
    assert!(!limits.own.shared_subscription_available);
    assert_eq!((s.peer.connection.keep_alive(), limits.session_expiry_interval), (10, 7));
    assert_eq!(limits.will_delay_interval, 30);
    assert!(limits.request_response_information);
    assert!(!limits.request_problem_information);
}

/// [MQTT5-3.1.3-8, MQTT5-3.1.4-2, MQTT5-4.13.2-1, MQTT5-3.2.2-6, MQTT5-3.2.2-7, MQTT5-3.1.4-6]
fn a_refused_client_is_told_why_and_nothing_else_of_it_is_handled() {
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(CLEAN | WILL, 0, KEPT, WILL_FIELDS)).reports(connect(CLEAN | WILL, 0, KEPT, WILL_FIELDS));
    s.transmits(connack(false, 0x9c, "1c 0001 'x' 1f 0003 'why'"));
    s.closes(CloseReason::Refused(Refusal(ConnectReasonCode::UseAnotherServer)));
    s.receives(publish(Q1, 1, "x")).nothing_more();
}

/// [MQTT5-3.2.2-19, MQTT5-3.2.2-20, MQTT5-3.1.2-24]
fn a_connack_is_no_larger_than_the_client_takes() {
    let request = |props: &str| {
        let mut s = ServerTalk::begins(CONFIG);
        s.receives(connect(CLEAN, 0, props, "")).reports(connect(CLEAN, 0, props, ""));
        s
    };
    let refused = CloseReason::Refused(Refusal(ConnectReasonCode::Banned));
    let mut s = request("27 00000008");
    assert_eq!(s.try_transmit(connack(false, 0, "1f 0003 'why'")), Err(CommandError::PacketTooLarge));
    assert_eq!(s.try_transmit(connack(false, 0x8a, "1f 0003 'why'")), Ok(()));
    s.sends(connack(false, 0x8a, "")).closes(refused);
    // Not even the shortest CONNACK.
    let mut s = request("27 00000004");
    assert_eq!(s.try_transmit(connack(false, 0, "")), Err(CommandError::PacketTooLarge));
    assert_eq!(s.try_transmit(connack(false, 0x8a, "")), Ok(()));
    s.closes(refused);
}

/// [MQTT5-3.1.2-24]
fn a_connack_for_a_violation_is_left_out_if_it_is_larger_than_the_client_takes() {
    let ends = |props: &str| {
        let mut s = ServerTalk::begins(CONFIG);
        s.receives(connect(CLEAN, 0, props, "")).reports(connect(CLEAN, 0, props, ""));
        // A driver that decodes itself may find a fault before it answers.
        let fault = v5::decode(&mut &hex("f1 00")[..], &Options::new()).unwrap_err();
        let server = &mut s.peer.connection;
        server.handle_decode_error(ms(0), fault);
        core::iter::from_fn(|| server.poll_action()).collect::<Vec<_>>()
    };
    let connack = |action: &Action| match action {
        Action::Transmit(reply) => reply.as_bytes() == hex("20 03 00 81 00"),
        _ => false,
    };
    let closes = |action: &Action| matches!(action, Action::Close(CloseReason::Violation(_)));
    let actions = ends("27 00000005");
    assert!(connack(&actions[0]) && closes(&actions[1]), "{actions:?}");
    let actions = ends("27 00000004");
    assert!(closes(&actions[0]), "{actions:?}");
    assert_eq!(actions.len(), 1);
}

/// [MQTT5-3.1.3-6, MQTT5-3.1.3-7, MQTT5-3.2.2-16]
fn a_client_without_a_client_identifier_is_assigned_one() {
    let bytes = "10 0d 00 04 'MQTT' 05 02 0000 00 0000";
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(bytes).reports(bytes);
    assert_eq!(s.try_transmit(connack(false, 0, "")), Err(CommandError::AssignedClientIdentifier));
    s.transmits(connack(false, 0, "12 0002 'c1'"));
}

/// [MQTT5-3.2.2-16]: no session has the identifier that is assigned.
fn a_client_without_a_client_identifier_resumes_no_session() {
    let bytes = "10 0d 00 04 'MQTT' 05 00 0000 00 0000";
    let mut s = connected(CONFIG, "");
    s.transmits(publish(Q1, 1, "x"));
    let session = s.breaks_off();
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(bytes).reports(bytes);
    let resumed = s.try_transmit_with(connack(true, 0, "12 0002 'c1'"), session);
    assert_eq!(resumed, Err(CommandError::AssignedClientIdentifier));
    s.transmits(connack(false, 0, "12 0002 'c1'"));
    assert!(s.session().is_empty());
}

/// [MQTT5-3.1.2-28]
fn response_information_is_only_sent_if_the_client_asks_for_it() {
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(CLEAN, 0, "", "")).reports(connect(CLEAN, 0, "", ""));
    assert_eq!(s.try_transmit(connack(false, 0, "1a 0001 'r'")), Err(CommandError::ResponseInformation));
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(CLEAN, 0, "19 01", "")).reports(connect(CLEAN, 0, "19 01", ""));
    s.transmits(connack(false, 0, "1a 0001 'r'"));
}

/// [MQTT5-3.2.2-12, MQTT5-3.2.2-13]
fn a_client_with_a_will_that_the_server_does_not_take_is_refused() {
    for (flags, props, error, code) in [
        (WILL | 0x08, "24 00", CommandError::QosNotSupported, 0x9b),
        (WILL | 0x10, "24 00", CommandError::QosNotSupported, 0x9b),
        (WILL | 0x10, "24 01", CommandError::QosNotSupported, 0x9b),
        (WILL | 0x20, "25 00", CommandError::RetainNotSupported, 0x9a),
    ] {
        let bytes = connect(CLEAN | flags, 0, "", WILL_FIELDS);
        let mut s = ServerTalk::begins(CONFIG);
        s.receives(bytes.clone()).reports(bytes);
        assert_eq!(s.try_transmit(connack(false, 0, props)), Err(error));
        s.transmits(connack(false, code, ""));
        let refusal = Refusal(ConnectReasonCode::from_number(code).unwrap());
        s.closes(CloseReason::Refused(refusal));
    }
    // A supported Will has no effect.
    for (flags, props) in [(0x28, "24 01"), (0x20, "24 00"), (0x30, "")] {
        let bytes = connect(CLEAN | WILL | flags, 0, "", WILL_FIELDS);
        ServerTalk::accepted(CONFIG, bytes, connack(false, 0, props));
    }
}

/// [MQTT5-3.1.0-1]: the packet gets no answer.
fn a_first_packet_that_is_no_connect_ends_the_connection_without_a_packet() {
    for (bytes, packet_type) in [
        (hex("c0 00"), PacketType::PingReq),
        (publish(Q0, 0, "x"), PacketType::Publish),
        (disconnect(0), PacketType::Disconnect),
        (hex("f0 06 18 04 15 0001 'm'"), PacketType::Auth),
    ] {
        let mut s = ServerTalk::begins(CONFIG);
        s.receives(bytes).closes_for(ProtocolError::Unexpected(packet_type));
    }
    let mut s = ServerTalk::begins(CONFIG);
    s.receives("c1 00").closes_for_malformed();
}

/// [MQTT5-3.1.4-1, MQTT5-3.1.2-2, MQTT5-3.14.0-1, MQTT5-4.13.1-1]
fn a_malformed_connect_is_answered_with_connack_and_its_reason() {
    let mut reserved = connect(CLEAN | 1, 0, "", "");
    for (bytes, code) in [
        (core::mem::take(&mut reserved), 0x81),
        (connect(CLEAN, 0, "21 0000", ""), 0x82),
        (connect(CLEAN, 0, "27 00000000", ""), 0x82),
        (connect(CLEAN, 0, "11 00000000 11 00000000", ""), 0x82),
        (connect(CLEAN, 0, "16 0001 'd'", ""), 0x82),
        (hex("10 0d 00 04 'MQTT' 06 02 0000 00 00 00"), 0x84),
        (connect(CLEAN | 4, 0, "", "00 00 01 '#' 0000"), 0x90),
    ] {
        let mut s = ServerTalk::begins(CONFIG);
        s.receives(bytes).sends(connack(false, code, "")).closes_for_malformed();
    }
    // A peer that does not speak MQTT gets no answer [MQTT5-3.1.2-1].
    let mut s = ServerTalk::begins(CONFIG);
    s.receives("10 0d 00 04 'HTTP' 05 02 0000 00 00 00").closes_for_malformed();
}

/// [MQTT5-3.1.0-2]
fn a_second_connect_is_a_violation() {
    let mut s = connected(CONFIG, "");
    s.receives(connect(CLEAN, 0, "", "")).sends(disconnect(0x82));
    s.closes_for(ProtocolError::SecondConnect);
}

/// Section 3.1.4: a client need not wait for CONNACK.
fn what_comes_before_connack_is_handled_after_it() {
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(CLEAN, 0, "", "")).reports(connect(CLEAN, 0, "", ""));
    s.not_now(publish(Q0, 0, "x").get(..1).unwrap().to_vec(), Blocked::AnswerPending);
    s.transmits(connack(false, 0, ""));
}

// Limits of the server

/// [MQTT5-3.2.2-11, MQTT5-3.2.2-14, MQTT5-3.3.4-6, MQTT5-3.2.2-9]
fn a_message_that_the_server_does_not_take_ends_the_connection_with_its_reason() {
    for in_pieces in [false, true] {
        let payload = if in_pieces { "a payload that comes in pieces" } else { "x" };
        for (props, bytes, code, error) in [
            ("24 01", publish(Q2, 1, payload), 0x9b, ProtocolError::QosNotSupported),
            ("24 00", publish(Q1, 1, payload), 0x9b, ProtocolError::QosNotSupported),
            ("25 00", retained(payload), 0x9a, ProtocolError::RetainNotSupported),
            ("", publish_with(Q0, 0, "0b 05", payload), 0x82, ProtocolError::SubscriptionIdentifier),
            ("22 0001", publish_with(Q0, 0, "23 0002", payload), 0x94, ProtocolError::TopicAliasInvalid),
            ("", publish_with(Q0, 0, "23 0001", payload), 0x94, ProtocolError::TopicAliasInvalid),
        ] {
            let options = Options::new().max_packet_size(24).payloads_in_pieces(true);
            let mut s = ServerTalk::begins_with(CONFIG, options);
            s.receives(connect(CLEAN, 0, "", "")).reports(connect(CLEAN, 0, "", ""));
            s.transmits(connack(false, 0, props));
            s.receives(bytes).sends(disconnect(code));
            s.closes_for(error);
        }
    }
}

/// [MQTT5-3.2.2-11]
fn a_message_with_maximum_qos_is_taken() {
    for (props, qos, packet_id) in [("24 01", Q1, 1), ("24 01", Q0, 0), ("24 00", Q0, 0)] {
        let mut s = connected(CONFIG, props);
        s.receives(publish(qos, packet_id, "x")).reports(publish(qos, packet_id, "x"));
        if qos == Q1 {
            s.sends(ack(PUBACK, 1, 0));
        }
    }
}

/// A SUBSCRIBE of a kind that was announced as not available.
fn a_subscription_that_the_server_does_not_take_ends_the_connection_with_its_reason() {
    for (props, bytes, code, error) in [
        ("28 00", "82 07 00 01 00 00 01 '#' 00", 0xa2, ProtocolError::WildcardSubscriptionsNotSupported),
        ("2a 00", "82 10 00 01 00 00 0a '$share/g/a' 00", 0x9e, ProtocolError::SharedSubscriptionsNotSupported),
        ("29 00", "82 09 00 01 02 0b 05 00 01 'a' 00", 0xa1, ProtocolError::SubscriptionIdentifiersNotSupported),
    ] {
        let mut s = connected(CONFIG, props);
        s.receives("82 07 00 01 00 00 01 'a' 02").reports("82 07 00 01 00 00 01 'a' 02");
        s.transmits("90 04 00 01 00 01");
        s.receives(bytes).sends(disconnect(code));
        s.closes_for(error);
        let mut s = connected(CONFIG, "");
        s.receives(bytes).reports(bytes);
    }
}

/// [MQTT5-3.2.2-10]: the QoS of a subscription is not a violation.
fn a_subscription_above_maximum_qos_is_requested_as_any_other() {
    let mut s = connected(CONFIG, "24 00");
    s.receives("82 07 00 01 00 00 01 'a' 02").reports("82 07 00 01 00 00 01 'a' 02");
    s.transmits("90 04 00 01 00 00");
}

/// [MQTT5-3.3.4-7]
fn a_client_that_exceeds_receive_maximum_by_one_is_disconnected() {
    let mut s = connected(CONFIG, "21 0001");
    s.receives(publish(Q2, 1, "x")).reports(publish(Q2, 1, "x")).sends(ack(PUBREC, 1, 0));
    s.receives(dup(publish(Q2, 1, "x"))).sends(ack(PUBREC, 1, 0));
    s.receives(publish(Q2, 2, "x")).sends(disconnect(0x93));
    s.closes_for(ProtocolError::ReceiveMaximumExceeded);
    // Packets before CONNACK count from the accepted connection on, and QoS 1 messages are
    // acknowledged at once.
    let mut s = connected(CONFIG, "21 0001");
    for number in 1..=3 {
        s.receives(publish(Q1, number, "x")).reports(publish(Q1, number, "x")).sends(ack(PUBACK, number, 0));
    }
}

/// Identifiers of an earlier connection do not count until they are resent.
fn messages_of_an_earlier_connection_do_not_count_for_receive_maximum() {
    let mut s = connected(CONFIG, "");
    for number in [1, 2] {
        s.receives(publish(Q2, number, "x")).reports(publish(Q2, number, "x")).sends(ack(PUBREC, number, 0));
    }
    let session = s.breaks_off();
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(0, 0, KEPT, "")).reports(connect(0, 0, KEPT, ""));
    s.transmits_with(connack(true, 0, "21 0001"), session);
    s.receives(publish(Q2, 3, "x")).reports(publish(Q2, 3, "x")).sends(ack(PUBREC, 3, 0));
    s.receives(publish(Q2, 4, "x")).sends(disconnect(0x93));
    s.closes_for(ProtocolError::ReceiveMaximumExceeded);
}

/// Nor do they after a message of this connection is complete.
fn a_message_of_this_connection_makes_room_for_one_in_receive_maximum() {
    let mut s = connected(CONFIG, "");
    s.receives(publish(Q2, 1, "x")).reports(publish(Q2, 1, "x")).sends(ack(PUBREC, 1, 0));
    let session = s.breaks_off();
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(0, 0, KEPT, "")).reports(connect(0, 0, KEPT, ""));
    s.transmits_with(connack(true, 0, "21 0001"), session);
    for number in [2, 3] {
        s.receives(publish(Q2, number, "x")).reports(publish(Q2, number, "x")).sends(ack(PUBREC, number, 0));
        s.receives(ack(PUBREL, number, 0)).sends(ack(PUBCOMP, number, 0));
    }
    // Released, the first message takes no place of theirs either.
    s.receives(ack(PUBREL, 1, 0)).sends(ack(PUBCOMP, 1, 0));
    s.receives(publish(Q2, 4, "x")).reports(publish(Q2, 4, "x")).sends(ack(PUBREC, 4, 0));
    s.receives(publish(Q2, 5, "x")).sends(disconnect(0x93));
    s.closes_for(ProtocolError::ReceiveMaximumExceeded);
}

/// [MQTT5-3.3.4-7, MQTT5-4.9.0-2]: sent again, whether or not the server holds them.
fn messages_that_are_sent_again_count_for_receive_maximum() {
    for (config, replies) in [(CONFIG, true), (MANUAL, false)] {
        let mut s = connected(config, "");
        for number in [1, 2] {
            s.receives(publish(Q2, number, "x")).reports(publish(Q2, number, "x"));
            if replies {
                s.sends(ack(PUBREC, number, 0));
            }
        }
        let session = s.breaks_off();
        let mut s = ServerTalk::begins(config);
        s.receives(connect(0, 0, KEPT, "")).reports(connect(0, 0, KEPT, ""));
        s.transmits_with(connack(true, 0, "21 0001"), session);
        for _ in 0..2 {
            s.receives(dup(publish(Q2, 1, "x")));
            if replies {
                s.sends(ack(PUBREC, 1, 0));
            }
        }
        s.receives(dup(publish(Q2, 2, "x"))).sends(disconnect(0x93));
        s.closes_for(ProtocolError::ReceiveMaximumExceeded);
    }
}

/// The decoder knows the limit before the packet arrives.
fn a_packet_larger_than_the_server_takes_ends_the_connection_with_0x95() {
    let mut s = ServerTalk::begins_with(CONFIG, Options::new().max_packet_size(20));
    s.receives(connect(CLEAN, 0, "", "")).reports(connect(CLEAN, 0, "", ""));
    s.transmits(connack(false, 0, "27 00000014"));
    s.receives(publish(Q0, 0, "fourteen bytes")).reports(publish(Q0, 0, "fourteen bytes"));
    s.receives(publish(Q0, 0, "fifteen bytes!!")).sends(disconnect(0x95));
    assert!(matches!(s.log_pop(), Some(Item::Action(Action::Close(CloseReason::LimitExceeded { actual: 21, .. })))));
    // For a CONNECT the answer is CONNACK.
    let mut s = ServerTalk::begins_with(CONFIG, Options::new().max_packet_size(15));
    s.receives(connect(CLEAN, 0, "", "")).sends(connack(false, 0x95, ""));
    assert!(matches!(s.log_pop(), Some(Item::Action(Action::Close(CloseReason::LimitExceeded { .. })))));
}

// Limits of the client

/// [MQTT5-3.3.4-9, MQTT5-3.3.4-10, MQTT5-4.9.0-1, MQTT5-4.9.0-2, MQTT5-4.9.0-3]
fn no_more_messages_are_in_flight_than_the_client_takes() {
    let mut s = announced(CONFIG, "21 0001");
    s.transmits(publish(Q2, 1, "x"));
    assert_eq!(s.try_transmit(publish(Q1, 2, "x")), Err(CommandError::WindowFull));
    s.transmits(publish(Q0, 0, "x"));
    s.receives("c0 00").sends("d0 00");
    s.receives(publish(Q1, 1, "y")).reports(publish(Q1, 1, "y")).sends(ack(PUBACK, 1, 0));
    s.receives(ack(PUBREC, 1, 0)).accepted_by_peer(1, 0).sends(ack(PUBREL, 1, 0));
    assert_eq!(s.try_transmit(publish(Q1, 2, "x")), Err(CommandError::WindowFull));
    s.receives(ack(PUBCOMP, 1, 0)).delivered(1, 0);
    s.transmits(publish(Q2, 2, "x"));
    s.receives(ack(PUBREC, 2, 0x97)).rejected(2, ReasonCode::QuotaExceeded);
    s.transmits(publish(Q1, 3, "x"));
}

/// [MQTT5-3.1.2-24, MQTT5-3.1.2-25]: the application continues as if the message had been
/// delivered.
fn a_message_too_large_for_the_client_takes_no_identifier_and_no_quota() {
    let mut s = announced(CONFIG, "11 00000064 21 0001 27 00000009");
    assert_eq!(s.try_transmit(publish(Q1, 1, "xy")), Err(CommandError::PacketTooLarge));
    s.transmits(publish(Q1, 1, "x"));
    let session = s.breaks_off();
    assert_eq!(outbound(&session), [1]);
    // Nor is it resent to a client that now has a smaller limit.
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(0, 0, "27 00000008", "")).reports(connect(0, 0, "27 00000008", ""));
    s.transmits_with(connack(true, 0, ""), session).asks_for(1);
    assert_eq!(s.try_resend(1, publish(Q1, 1, "x")), Err(CommandError::PacketTooLarge));
    s.forget(1);
    assert!(s.session().is_empty());
}

/// [MQTT5-3.9.2-1, MQTT5-3.9.2-2, MQTT5-3.11.2-1, MQTT5-3.11.2-2]
fn a_reason_string_too_large_for_the_client_is_left_out() {
    let mut s = announced(CONFIG, "27 0000000a");
    s.receives("82 07 00 01 00 00 01 'a' 00").reports("82 07 00 01 00 00 01 'a' 00");
    assert_eq!(s.try_transmit("90 0a 00 01 06 1f 0003 'why' 87"), Ok(()));
    s.sends("90 04 00 01 00 87");
    s.receives("a2 06 00 02 00 00 01 'a'").reports("a2 06 00 02 00 00 01 'a'");
    assert_eq!(s.try_transmit("b0 0a 00 02 06 1f 0003 'why' 11"), Ok(()));
    s.sends("b0 04 00 02 00 11");
    assert_eq!(s.try_transmit("e0 0c 9d 0a 1c 0001 'x' 1f 0003 'why'"), Ok(()));
    s.sends("e0 06 9d 04 1c 0001 'x'").closes(CloseReason::Disconnected);
}

/// [MQTT5-3.1.2-24]: PUBLISH of 9 bytes fits, SUBACK and UNSUBACK for five filters of 10 do not.
fn an_answer_to_a_request_that_is_too_large_for_the_client_ends_the_connection() {
    let filters = "00 01 'a' 00 00 01 'b' 00 00 01 'c' 00 00 01 'd' 00 00 01 'e' 00";
    let subscribe = packet(0x82, &hex(&format!("00 01 00 {filters}")));
    let filters = filters.replace("' 00", "'");
    let unsubscribe = packet(0xa2, &hex(&format!("00 01 00 {filters}")));
    for (request, answer) in [
        (subscribe, "90 08 00 01 00 87 87 87 87 87"),
        (unsubscribe, "b0 08 00 01 00 00 00 00 00 00"),
    ] {
        let mut s = announced(CONFIG, "27 00000009 11 00000064");
        s.transmits(publish(Q1, 1, "x"));
        s.receives(request.clone()).reports(request.clone());
        assert_eq!(s.try_transmit(answer), Ok(()));
        s.closes(CloseReason::ReplyTooLarge);
        assert_eq!(outbound(s.session()), [1]);
        assert_eq!(s.try_transmit(answer), Err(CommandError::Ended));
        // One byte more, and it is sent.
        let mut s = announced(CONFIG, "27 0000000a 11 00000064");
        s.receives(request.clone()).reports(request);
        s.transmits(answer);
    }
}

/// [MQTT5-3.1.2-29]
fn problem_information_is_only_sent_to_a_client_that_takes_it() {
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 0, "17 00 15 0001 'm'", ""), connack(false, 0, "15 0001 'm' 1f 0003 'why'"));
    s.receives("82 07 00 01 00 00 01 'a' 00").reports("82 07 00 01 00 00 01 'a' 00");
    assert_eq!(s.try_transmit("90 0a 00 01 06 1f 0003 'why' 87"), Ok(()));
    s.sends("90 04 00 01 00 87");
    s.receives("a2 06 00 02 00 00 01 'a'").reports("a2 06 00 02 00 00 01 'a'");
    assert_eq!(s.try_transmit("b0 0b 00 02 07 26 0001 'a' 0001 'b' 11"), Ok(()));
    s.sends("b0 04 00 02 00 11");
    s.receives("f0 06 19 04 15 0001 'm'").reports("f0 06 19 04 15 0001 'm'");
    assert_eq!(s.try_transmit("f0 0c 18 0a 15 0001 'm' 1f 0003 'why'"), Ok(()));
    s.sends("f0 06 18 04 15 0001 'm'");
    // PUBLISH and DISCONNECT may contain it.
    s.transmits(publish_with(Q0, 0, "26 0001 'a' 0001 'b'", "x"));
    s.transmits("e0 08 8b 06 1f 0003 'why'").closes(CloseReason::Disconnected);
}

/// [MQTT5-3.1.2-29]
fn problem_information_in_auth_is_sent_to_a_client_that_takes_it() {
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 0, "15 0001 'm'", ""), connack(false, 0, "15 0001 'm'"));
    s.receives("f0 06 19 04 15 0001 'm'").reports("f0 06 19 04 15 0001 'm'");
    s.transmits("f0 0c 18 0a 15 0001 'm' 1f 0003 'why'");
}

/// [MQTT5-3.1.2-26, MQTT5-3.1.2-27, MQTT5-3.3.2-11]
fn topic_aliases_are_used_as_far_as_the_client_takes_them() {
    let mut s = announced(CONFIG, "22 0001");
    let mut aliases = OutboundAliases::new(AliasVec::new(10));
    s.publishes_aliased("a", Q0, &mut aliases).sends(publish_to("a", Q0, 0, "23 0001", "x"));
    s.publishes_aliased("a", Q1, &mut aliases).sends(publish_to("", Q1, 1, "23 0001", "x"));
    s.publishes_aliased("b", Q0, &mut aliases).sends(publish_to("b", Q0, 0, "", "x"));
    assert_eq!(s.try_transmit(publish_with(Q0, 0, "23 0002", "x")), Err(CommandError::TopicAliasInvalid));
    let mut s = announced(CONFIG, "");
    s.publishes_aliased("a", Q0, &mut OutboundAliases::new(AliasVec::new(10))).sends(publish_to("a", Q0, 0, "", "x"));
}

/// [MQTT5-3.3.2-12]
fn a_topic_alias_of_the_client_is_replaced_by_its_topic_name() {
    let mut s = connected(CONFIG, "22 0004");
    s.receives(publish_to("a/b", Q1, 1, "23 0004", "x")).reports(publish_to("a/b", Q1, 1, "23 0004", "x")).sends(ack(PUBACK, 1, 0));
    s.receives(publish_to("", Q0, 0, "23 0004", "x")).reports(publish_to("a/b", Q0, 0, "23 0004", "x"));
    s.receives(publish_to("", Q0, 0, "23 0003", "x")).sends(disconnect(0x82));
    s.closes_for(ProtocolError::TopicAliasUnknown);
}

/// A message that waits for the answer to a request keeps its alias.
fn a_message_that_is_put_off_sets_its_alias_once() {
    let mut s = connected(CONFIG, "22 0004");
    s.receives("82 07 00 01 00 00 01 'a' 00").reports("82 07 00 01 00 00 01 'a' 00");
    s.transmits("90 04 00 01 00 00");
    s.receives(publish_to("a", Q0, 0, "23 0001", "x")).reports(publish_to("a", Q0, 0, "23 0001", "x"));
    s.receives(publish_to("", Q0, 0, "23 0001", "y")).reports(publish_to("a", Q0, 0, "23 0001", "y"));
}

// Acknowledgements

/// Without Reason String and User Property, so that it is never too large
/// [MQTT5-3.4.2-2, MQTT5-3.4.2-3, MQTT5-3.5.2-2, MQTT5-3.5.2-3].
fn a_server_acknowledges_with_a_reason() {
    let mut s = connected(MANUAL, "");
    s.receives(publish(Q1, 1, "x")).reports(publish(Q1, 1, "x"));
    s.receives(publish(Q2, 2, "x")).reports(publish(Q2, 2, "x"));
    assert_eq!(s.try_transmit(ack(PUBREC, 2, 0x10)), Ok(()));
    assert_eq!(s.try_transmit(ack(PUBACK, 1, 0x87)), Ok(()));
    s.sends(ack(PUBACK, 1, 0x87)).sends(ack(PUBREC, 2, 0x10));
    // Success: the identifier is held.
    assert_eq!(inbound(s.session()), [2]);
    s.receives(dup(publish(Q2, 2, "x"))).sends(ack(PUBREC, 2, 0));
    s.receives(ack(PUBREL, 2, 0)).sends(ack(PUBCOMP, 2, 0));
}

/// [MQTT5-4.3.3-9]: only an identifier that stays in use is stored.
fn a_message_refused_at_qos_2_is_not_in_the_journal() {
    for code in [0x80, 0x97] {
        let mut s = connected(MANUAL.journal(true), "");
        s.receives(publish(Q2, 7, "x")).reports(publish(Q2, 7, "x"));
        assert_eq!(s.try_transmit(ack(PUBREC, 7, code)), Ok(()));
        s.sends(ack(PUBREC, 7, code));
        assert!(s.session().is_empty());
    }
}

/// [MQTT5-4.3.3-9]
fn a_message_refused_with_journal_leaves_nothing_in_it() {
    let mut s = connected(CONFIG.journal(true), "");
    s.receives(publish(Q2, 7, "x")).reports(publish(Q2, 7, "x")).stores(Change::InboundReceived(id(7))).sends(ack(PUBREC, 7, 0));
    let session = s.breaks_off();
    let mut s = ServerTalk::begins(CONFIG.journal(true));
    s.receives(connect(0, 0, KEPT, "")).reports(connect(0, 0, KEPT, ""));
    s.transmits_with(connack(true, 0, ""), session);
    // The client uses the identifier for another message, which is refused: the first one is
    // forgotten.
    s.holds_actions();
    s.receives(publish(Q1, 7, "y")).reports(publish(Q1, 7, "y"));
    assert_eq!(s.try_transmit(ack(PUBACK, 7, 0x97)), Ok(()));
    s.takes_actions().stores(Change::Forgotten(id(7))).sends(ack(PUBACK, 7, 0x97));
    assert!(s.session().is_empty());
}

/// [MQTT5-3.8.4-1, MQTT5-3.8.4-2, MQTT5-3.8.4-6, MQTT5-3.10.4-4, MQTT5-3.10.4-5, MQTT5-3.11.3-1]
/// [MQTT5-3.9.3-1]
fn suback_and_unsuback_have_a_code_for_each_filter() {
    let mut s = connected(CONFIG, "");
    assert_eq!(s.try_transmit("90 04 00 01 00 00"), Err(CommandError::NotAwaited));
    let subscribe = "82 0d 00 07 02 0b 05 00 01 'a' 2e 00 01 'b' 00";
    s.receives(subscribe).reports(subscribe);
    assert_eq!(s.try_transmit("90 04 00 07 00 00"), Err(CommandError::WrongNumberOfReturnCodes));
    assert_eq!(s.try_transmit("b0 05 00 07 00 00 00"), Err(CommandError::NotAwaited));
    s.transmits("90 0b 00 07 06 1f 0003 'why' 02 87");
    s.receives("a2 09 00 08 00 00 01 'a' 00 01 'b'").reports("a2 09 00 08 00 00 01 'a' 00 01 'b'");
    assert_eq!(s.try_transmit("b0 04 00 08 00 00"), Err(CommandError::WrongNumberOfReturnCodes));
    s.transmits("b0 05 00 08 00 00 11");
}

// Sessions

/// [MQTT5-3.1.2-5, MQTT5-3.2.2-3, MQTT5-3.3.1-1, MQTT5-4.3.3-6, MQTT5-4.4.0-1]
fn a_session_is_resumed_after_it_was_saved_and_restored() {
    let mut s = connected(CONFIG, "");
    s.transmits(publish(Q1, 1, "x")).transmits(publish(Q2, 2, "y"));
    s.receives(ack(PUBREC, 2, 0)).accepted_by_peer(2, 0).sends(ack(PUBREL, 2, 0));
    let session = restored(&s.breaks_off());
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(0, 0, KEPT, "")).reports(connect(0, 0, KEPT, ""));
    s.transmits_with(connack(true, 0, ""), session).sends(ack(PUBREL, 2, 0)).asks_for(1);
    s.resends(1, dup(publish(Q1, 1, "x")));
}

/// The session of a client of MQTT 3.1.1 is resumed with MQTT 5, and back.
fn a_session_is_resumed_for_a_client_of_the_other_version() {
    let mut old = Talk::server(CONFIG);
    old.receives(connect_bytes(false, 0)).connect_requested();
    old.accepts(None).sends("20 02 00 00");
    old.publish(Q1, "x").sends("32 06 00 01 't' 00 01 'x'");
    let session = old.breaks_off();
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(0, 0, KEPT, "")).reports(connect(0, 0, KEPT, ""));
    s.transmits_with(connack(true, 0, ""), session).asks_for(1);
    s.resends(1, dup(publish(Q1, 1, "x")));
    let session = s.breaks_off();
    let mut old = Talk::server(CONFIG);
    old.receives(connect_bytes(false, 0)).connect_requested();
    old.accepts(Some(session)).sends("20 02 01 00").asks_for(1);
}

/// Section 3.14.2.2.2: CONNECT decides, not a default of the server.
fn a_session_expiry_interval_in_disconnect_after_none_in_connect_is_a_violation() {
    for (props, answer) in [("", ""), ("11 00000000", ""), ("", KEPT)] {
        let connect = connect(CLEAN | WILL, 0, props, WILL_FIELDS);
        let mut s = ServerTalk::accepted(CONFIG, connect, connack(false, 0, answer));
        let before = s.peer.connection.session_expiry_interval();
        s.receives("e0 07 00 05 11 00000001").sends(disconnect(0x82));
        // The DISCONNECT is invalid, so it does not discard the Will.
        s.action(Action::PublishWill);
        s.closes_for(ProtocolError::SessionExpiryInterval);
        assert_eq!(s.peer.connection.session_expiry_interval(), before);
    }
}

fn whether_the_session_ends_with_the_connection_is_known_from_connect_on() {
    for (props, ends) in [("", true), ("11 00000000", true), (KEPT, false)] {
        let mut s = ServerTalk::begins(CONFIG);
        s.receives(connect(CLEAN, 0, props, "")).reports(connect(CLEAN, 0, props, ""));
        assert_eq!(s.peer.connection.session_ends(), ends);
        s.transmits(connack(false, 0, ""));
        assert_eq!(s.peer.connection.session_ends(), ends);
    }
}

/// Section 3.14.2.2.2.
fn a_session_expiry_interval_in_disconnect_replaces_that_of_connect() {
    for ([connect_has, connack_has, disconnect_has], in_force) in EXPIRIES {
        let connack = connack(false, 0, &expiry(connack_has));
        let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 0, &expiry(connect_has), ""), connack);
        s.transmits(publish(Q1, 1, "x"));
        s.receives(disconnect_after(disconnect_has));
        let Some(in_force) = in_force else {
            s.sends(disconnect(0x82));
            if s.peer.connection.session_ends() {
                s.lost(1, false);
            }
            s.closes_for(ProtocolError::SessionExpiryInterval);
            continue;
        };
        s.reports(disconnect_after(disconnect_has));
        if in_force == 0 {
            s.lost(1, false);
        }
        s.closes(CloseReason::Disconnected);
        assert_eq!(s.peer.connection.session_ends(), in_force == 0);
        assert_eq!(s.peer.connection.session_expiry_interval(), in_force);
    }
}

/// [MQTT5-4.1.0-1]
fn the_journal_is_cleared_when_disconnect_ends_the_session() {
    let mut s = connected(CONFIG.journal(true), "");
    assert_eq!(s.try_transmit(publish(Q1, 1, "x")), Ok(()));
    s.stores(Change::Sent { packet_id: id(1), qos: Q1 }).sends(publish(Q1, 1, "x"));
    s.receives("e0 07 00 05 11 00000000").reports("e0 07 00 05 11 00000000");
    s.stores(Change::Cleared).lost(1, false);
    s.closes(CloseReason::Disconnected);
}

/// [MQTT5-4.1.0-1]
fn the_journal_is_cleared_when_a_session_is_resumed_that_ends_with_the_connection() {
    let mut s = connected(CONFIG, "");
    s.transmits(publish(Q1, 1, "x"));
    let session = s.breaks_off();
    let mut s = ServerTalk::begins(CONFIG.journal(true));
    s.receives(connect(0, 0, "", "")).reports(connect(0, 0, "", ""));
    let result = s.try_transmit_with(connack(true, 0, ""), session);
    assert_eq!(result, Ok(()));
    s.stores(Change::Cleared).sends(connack(true, 0, "")).asks_for(1);
}

/// Nothing of it was stored.
fn a_session_that_the_server_does_not_keep_does_not_come_back_with_disconnect() {
    let mut s = connected(CONFIG, "11 00000000");
    s.receives("e0 07 00 05 11 00000009").reports("e0 07 00 05 11 00000009");
    s.closes(CloseReason::Disconnected);
    assert!(s.peer.connection.session_ends());
    assert_eq!(s.peer.connection.session_expiry_interval(), 0);
}

// The Will

/// [MQTT5-3.1.2-8, MQTT5-3.1.2-10, MQTT5-3.14.4-3]
fn only_a_normal_disconnect_discards_the_will() {
    let mut s = with_will(KEPT);
    s.receives(disconnect(0)).reports(disconnect(0)).action(Action::DiscardWill);
    s.closes(CloseReason::Disconnected);
    for code in [0x04, 0x80, 0x83] {
        let mut s = with_will(KEPT);
        s.receives(disconnect(code)).reports(disconnect(code)).action(Action::PublishWill);
        s.closes(CloseReason::Disconnected);
    }
    let mut s = with_will(KEPT);
    s.transport_closes().action(Action::PublishWill).closes(CloseReason::TransportClosed);
    let mut s = with_will(KEPT);
    s.close().action(Action::PublishWill).closes(CloseReason::Aborted);
}

/// Section 3.1.2.5: a server that closes publishes the Will, whatever its Reason Code.
fn the_disconnect_of_the_server_does_not_discard_the_will() {
    for code in [0x00, 0x8b, 0x8e, 0x98] {
        let mut s = with_will(KEPT);
        s.transmits(disconnect(code)).action(Action::PublishWill);
        s.closes(CloseReason::Disconnected);
    }
}

/// [MQTT5-3.1.3-9]; section 3.1.3.2.2: at the end of the delay or of the session.
fn the_will_is_due_after_its_delay_or_with_the_end_of_the_session() {
    for (props, delay) in [("", 0), ("11 0000000a", 10), ("11 0000001e", 30), ("11 ffffffff", 30)] {
        let mut s = with_will(props);
        assert_eq!(s.peer.connection.will_delay_interval(), delay);
        s.close().action(Action::PublishWill).closes(CloseReason::Aborted);
    }
    // DISCONNECT 0x04 may shorten it.
    let mut s = with_will(KEPT);
    s.receives("e0 07 04 05 11 00000005").reports("e0 07 04 05 11 00000005").action(Action::PublishWill);
    s.closes(CloseReason::Disconnected);
    assert_eq!(s.peer.connection.will_delay_interval(), 5);
}

fn a_will_counts_once_the_connection_is_accepted() {
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(CLEAN | WILL, 0, KEPT, WILL_FIELDS)).reports(connect(CLEAN | WILL, 0, KEPT, WILL_FIELDS));
    s.transport_closes().closes(CloseReason::TransportClosed);
}

// Keep Alive

/// [MQTT5-3.1.2-22, MQTT5-3.2.2-22]
fn a_silent_client_is_disconnected_with_0x8d() {
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN | WILL, 10, KEPT, WILL_FIELDS), connack(false, 0, ""));
    s.deadline(15_000).wakes_at(14_999).nothing_more();
    s.wakes_at(15_000).sends(disconnect(0x8d)).action(Action::PublishWill);
    s.closes(CloseReason::KeepAliveTimeout);
}

/// AUTH counts as any other packet; PINGREQ is answered with PINGRESP [MQTT5-3.12.4-1].
fn every_packet_of_the_client_puts_off_the_end_of_keep_alive() {
    let method = "15 0001 'm'";
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 10, method, ""), connack(false, 0, method));
    s.at(9_000).receives("f0 06 19 04 15 0001 'm'").reports("f0 06 19 04 15 0001 'm'").deadline(24_000);
    s.at(10_000).transmits("f0 06 00 04 15 0001 'm'").deadline(24_000);
    s.at(20_000).receives("c0 00").sends("d0 00").deadline(35_000);
}

/// [MQTT5-3.2.2-21]
fn server_keep_alive_is_what_counts() {
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 10, "", ""), connack(false, 0, "13 0014"));
    s.deadline(30_000);
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 10, "", ""), connack(false, 0, "13 0000"));
    s.no_deadline();
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 0, "", ""), connack(false, 0, "13 0002"));
    s.deadline(3_000);
}

// Enhanced authentication

/// [MQTT5-4.12.0-2, MQTT5-4.12.0-3, MQTT5-4.12.0-5, MQTT5-4.12.1-1, MQTT5-4.12.1-2]
fn an_authentication_goes_step_by_step_and_can_be_repeated() {
    let method = "15 0001 'm'";
    let auth = |code: &str| hex(&format!("f0 0a {code} 08 {method} 16 0001 'd'"));
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(CLEAN, 0, method, "")).reports(connect(CLEAN, 0, method, "")).no_deadline();
    assert_eq!(s.try_transmit(auth("00")), Err(CommandError::AuthenticationOrder));
    for _ in 0..2 {
        s.transmits(auth("18")).deadline(10_000);
        assert_eq!(s.try_transmit(auth("18")), Err(CommandError::AuthenticationOrder));
        assert_eq!(s.try_transmit(connack(false, 0, method)), Err(CommandError::AuthenticationOrder));
        s.receives(auth("18")).reports(auth("18")).no_deadline();
    }
    for props in ["", "15 0001 'n'"] {
        assert_eq!(s.try_transmit(connack(false, 0, props)), Err(CommandError::AuthenticationOrder));
    }
    s.transmits(connack(false, 0, method));
    assert_eq!(s.try_transmit(auth("18")), Err(CommandError::AuthenticationOrder));
    s.receives(auth("19")).reports(auth("19"));
    s.transmits(auth("18"));
    s.receives(publish(Q0, 0, "x")).reports(publish(Q0, 0, "x"));
    s.receives(auth("18")).reports(auth("18"));
    s.transmits(auth("00"));
    s.receives(auth("19")).reports(auth("19"));
    s.transmits(disconnect(0x87)).closes(CloseReason::Disconnected);
}

/// [MQTT5-3.1.2-30, MQTT5-4.12.0-1, MQTT5-4.12.0-4]
fn during_an_authentication_only_auth_and_disconnect_come() {
    let method = "15 0001 'm'";
    let begins = || {
        let mut s = ServerTalk::begins(CONFIG);
        s.receives(connect(CLEAN | WILL, 0, method, WILL_FIELDS)).reports(connect(CLEAN | WILL, 0, method, WILL_FIELDS));
        s.transmits("f0 06 18 04 15 0001 'm'");
        s
    };
    let mut s = begins();
    s.receives(publish(Q0, 0, "x")).sends(connack(false, 0x82, ""));
    s.closes_for(ProtocolError::Unexpected(PacketType::Publish));
    let mut s = begins();
    s.receives(connect(CLEAN, 0, "", "")).sends(connack(false, 0x82, ""));
    s.closes_for(ProtocolError::SecondConnect);
    let mut s = begins();
    s.receives("f0 06 19 04 15 0001 'm'").sends(connack(false, 0x82, ""));
    s.closes_for(ProtocolError::Unexpected(PacketType::Auth));
    let mut s = begins();
    s.receives("f0 06 18 04 15 0001 'n'").sends(connack(false, 0x8c, ""));
    s.closes_for(ProtocolError::AuthenticationMethod);
    let mut s = begins();
    s.receives("c1 00").sends(connack(false, 0x81, "")).closes_for_malformed();
    let mut s = begins();
    s.receives(disconnect(0)).reports(disconnect(0)).closes(CloseReason::Disconnected);
    let mut s = begins();
    s.transmits(connack(false, 0x87, "")).closes(CloseReason::Refused(Refusal(ConnectReasonCode::NotAuthorized)));
    let mut s = begins();
    s.wakes_at(10_000).closes(CloseReason::ConnectTimeout);
}

/// [MQTT5-4.12.0-6, MQTT5-4.12.0-7]
fn without_an_authentication_method_there_is_no_auth() {
    let mut s = ServerTalk::begins(CONFIG);
    s.receives(connect(CLEAN, 0, "", "")).reports(connect(CLEAN, 0, "", ""));
    assert_eq!(s.try_transmit("f0 06 18 04 15 0001 'm'"), Err(CommandError::AuthenticationOrder));
    assert_eq!(s.try_transmit(connack(false, 0, "15 0001 'm'")), Err(CommandError::AuthenticationOrder));
    s.transmits(connack(false, 0, ""));
    s.receives("f0 06 19 04 15 0001 'm'").sends(disconnect(0x82));
    s.closes_for(ProtocolError::Unexpected(PacketType::Auth));
}

/// [MQTT5-4.12.0-5]
fn another_method_is_answered_with_0x8c() {
    let method = "15 0001 'm'";
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 0, method, ""), connack(false, 0, method));
    s.receives("f0 06 19 04 15 0001 'n'").sends(disconnect(0x8c));
    s.closes_for(ProtocolError::AuthenticationMethod);
    // AUTH of Remaining Length 0 is success without a method, which a client does not send.
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 0, method, ""), connack(false, 0, method));
    s.receives("f0 00").sends(disconnect(0x82));
    s.closes_for(ProtocolError::Unexpected(PacketType::Auth));
    // Nor an AUTH without one of the server.
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 0, method, ""), connack(false, 0, method));
    s.receives("f0 06 18 04 15 0001 'm'").sends(disconnect(0x82));
    s.closes_for(ProtocolError::Unexpected(PacketType::Auth));
}

fn the_time_for_an_auth_is_that_for_connect() {
    let mut s = ServerTalk::begins(CONFIG.connect_timeout(Duration::from_secs(3)));
    let bytes = connect(CLEAN, 0, "15 0001 'm'", "");
    s.at(1_000).receives(bytes.clone()).reports(bytes).no_deadline();
    s.at(2_000).transmits("f0 06 18 04 15 0001 'm'").deadline(5_000);
    s.wakes_at(5_000).closes(CloseReason::ConnectTimeout);
}

// The end

/// [MQTT5-3.14.0-1, MQTT5-3.14.2-1, MQTT5-3.14.2-2]
fn a_server_sends_only_what_a_server_may_in_disconnect() {
    let mut s = ServerTalk::begins(CONFIG);
    assert_eq!(s.try_transmit(disconnect(0x8b)), Err(CommandError::NotConnected));
    s.receives(connect(CLEAN, 0, KEPT, "")).reports(connect(CLEAN, 0, KEPT, ""));
    assert_eq!(s.try_transmit(disconnect(0x8b)), Err(CommandError::NotConnected));
    s.transmits(connack(false, 0, ""));
    assert_eq!(s.try_transmit(disconnect(0x04)), Err(CommandError::ReasonCodeOfPeer));
    assert_eq!(s.try_transmit("e0 07 00 05 11 00000001"), Err(CommandError::SessionExpiryInterval));
    s.transmits("e0 0c 9d 0a 1c 0001 'x' 1f 0003 'why'").closes(CloseReason::Disconnected);
    // [MQTT5-3.14.4-1]
    s.receives(publish(Q0, 0, "x")).nothing_more();
}

/// [MQTT5-4.13.1-1, MQTT5-3.14.1-1]
fn a_violation_is_answered_with_disconnect_and_publishes_the_will() {
    for (bytes, code) in [
        ("e1 00", 0x81),
        ("36 07 00 01 't' 00 01 00 'x'", 0x81),
        ("82 07 00 01 00 00 01 'a' 03", 0x82),
        ("82 07 00 01 00 00 01 'a' 40", 0x81),
        ("82 10 00 01 00 00 0a '$share/g/a' 04", 0x82),
        ("82 03 00 01 00", 0x82),
    ] {
        let mut s = with_will(KEPT);
        s.receives(bytes).sends(disconnect(code)).action(Action::PublishWill).closes_for_malformed();
    }
    for (bytes, packet_type) in [
        ("20 03 00 00 00", PacketType::ConnAck),
        ("90 04 00 01 00 00", PacketType::SubAck),
        ("b0 04 00 01 00 00", PacketType::UnsubAck),
        ("d0 00", PacketType::PingResp),
    ] {
        let mut s = with_will(KEPT);
        s.receives(bytes).sends(disconnect(0x82)).action(Action::PublishWill);
        s.closes_for(ProtocolError::Unexpected(packet_type));
    }
}

fn a_packet_that_only_a_server_sends_is_a_protocol_error_even_if_it_is_malformed() {
    for (bytes, packet_type) in [
        ("20 02 00 00", PacketType::ConnAck),
        ("90 03 00 01 00", PacketType::SubAck),
        ("b0 01 00", PacketType::UnsubAck),
    ] {
        let mut s = connected(CONFIG, "");
        s.receives(bytes).sends(disconnect(0x82));
        s.closes_for(ProtocolError::Unexpected(packet_type));
    }
    // Invalid flags come first [MQTT5-2.1.3-1], and both sides send PUBACK.
    for bytes in ["21 03 00 00 00", "d1 00", "40 01 00"] {
        let mut s = connected(CONFIG, "");
        s.receives(bytes).sends(disconnect(0x81)).closes_for_malformed();
    }
}

/// No other packet may be sent between the pieces of a payload.
fn a_connection_that_ends_in_the_middle_of_a_payload_sends_nothing_more() {
    let mut s = with_will(KEPT);
    s.announces(Q0, 3).sends("30 07 00 01 't' 00");
    s.payload("x").sends("'x'");
    s.receives("d0 00").action(Action::PublishWill);
    s.closes_for(ProtocolError::Unexpected(PacketType::PingResp));
    let mut s = ServerTalk::accepted(CONFIG, connect(CLEAN, 10, "", ""), connack(false, 0, ""));
    s.announces(Q0, 3).sends("30 07 00 01 't' 00");
    s.wakes_at(15_000).closes(CloseReason::KeepAliveTimeout);
}

fn a_peer_error_names_the_statement_that_is_broken() {
    for (props, bytes, statement) in [
        ("", connect(CLEAN, 0, "", ""), Some("MQTT-3.1.0-2")),
        ("24 00", publish(Q1, 1, "x"), Some("MQTT-3.2.2-11")),
        ("25 00", retained("x"), Some("MQTT-3.2.2-14")),
        ("", publish_with(Q0, 0, "0b 05", "x"), Some("MQTT-3.3.4-6")),
        ("29 00", hex("82 09 00 01 02 0b 05 00 01 'a' 00"), None),
    ] {
        let mut s = connected(CONFIG, props);
        s.receives(bytes).sends_disconnect();
        match s.log_pop() {
            Some(Item::Action(Action::Close(CloseReason::Violation(error)))) => {
                assert_eq!(error.statement(), statement, "{error:?}");
            }
            other => panic!("not a violation: {other:?}"),
        }
    }
}

}

/// A retained message to `t` at QoS 0.
fn retained(payload: &str) -> Vec<u8> {
    let mut bytes = publish(Q0, 0, payload);
    bytes[0] |= 1;
    bytes
}
