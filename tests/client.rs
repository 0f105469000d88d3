//! Conversations of a client with a server, as transcripts.

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

#[path = "conversation/both.rs"]
mod both;
mod conversation;

type ThisRole = AsClient;

use conversation::*;
use mqtt_sansio::v3::{
    Action, Client, CloseReason, Connect, ConnectRefusal, Event, PeerError, ProtocolLevel,
    ReturnCode, ReturnCodes, SubAck,
};
use mqtt_sansio::{
    Blocked, Change, CommandError, Config, PacketType, ProtocolError, Session, Slot, State, Text,
};

type Talk = conversation::Talk<Client<Vec<Slot>>>;

const CONFIG: Config = Config::new();
const EARLY: Config = Config::new().send_before_connack(true);

fn begins(config: Config) -> Talk {
    Talk::client(fresh(), config)
}

/// Returns a client that connected with this Keep Alive at 0 ms.
fn connected(config: Config, keep_alive: u16) -> Talk {
    let mut c = begins(config);
    c.connect(false, keep_alive)
        .sends(connect_bytes(false, keep_alive));
    c.receives("20 02 00 00").connected(false);
    c
}

fn unexpected(packet_type: PacketType) -> PeerError {
    PeerError::Protocol(ProtocolError::Unexpected(packet_type))
}

fn subscribed(number: u16, codes: &[u8]) -> Event<Vec<u8>> {
    let codes = codes.iter().map(|c| ReturnCode::from_number(*c).unwrap());
    Event::Subscribed(SubAck {
        packet_id: id(number),
        return_codes: ReturnCodes::encode_to_vec(codes).unwrap(),
    })
}

/// Returns a session in which 1 was sent at QoS 1, 2 at QoS 2, 3 at QoS 2 and received by the
/// server, and in which 9 was received at QoS 2.
fn busy_session() -> Session<Vec<Slot>> {
    let mut c = connected(CONFIG, 0);
    c.publish(Q1, "a").sends(publish(Q1, 1, "a"));
    c.publish(Q2, "b").sends(publish(Q2, 2, "b"));
    c.publish(Q2, "c").sends(publish(Q2, 3, "c"));
    c.receives(pubrec(3)).received(3).sends(pubrel(3));
    c.receives(publish(Q2, 9, "d"))
        .message(publish(Q2, 9, "d"))
        .sends(pubrec(9));
    c.breaks_off()
}

// Connecting

/// [MQTT-3.1.0-1]
#[test]
fn connect_is_sent_first() {
    let mut c = begins(CONFIG);
    c.state(State::Start).no_deadline();
    assert_eq!(c.try_publish(Q0, "x"), Err(CommandError::NotConnected));
    c.connect(true, 60)
        .sends("10 0d 00 04 'MQTT' 04 02 00 3c 00 01 'c'")
        .state(State::Requested);
    c.receives("20 02 00 00")
        .connected(false)
        .state(State::Connected);
}

/// [MQTT-3.1.0-2]
#[test]
fn connect_is_sent_once() {
    let mut c = begins(CONFIG);
    c.connect(true, 0).sends(connect_bytes(true, 0));
    let again = connect_packet(true, 0);
    assert_eq!(c.try_connect(&again), Err(CommandError::AlreadyConnected));
    c.receives("20 02 00 00").connected(false);
    assert_eq!(c.try_connect(&again), Err(CommandError::AlreadyConnected));
    c.transport_closes().closes(CloseReason::TransportClosed);
    assert_eq!(c.try_connect(&again), Err(CommandError::Ended));
}

#[test]
fn connect_that_does_not_fit_into_the_output_can_be_tried_again() {
    let mut c = begins(CONFIG);
    c.room(14);
    assert!(matches!(
        c.try_connect(&connect_packet(true, 0)),
        Err(CommandError::Encode(_))
    ));
    c.room(15).connect(true, 0).sends(connect_bytes(true, 0));
}

/// [MQTT-3.1.3-7]
#[test]
fn an_empty_client_identifier_needs_clean_session() {
    let mut c = begins(CONFIG);
    let empty = Connect::new(Text::new("").unwrap());
    let keep = Connect {
        clean_session: false,
        ..empty
    };
    assert!(matches!(c.try_connect(&keep), Err(CommandError::Encode(_))));
    c.connect_as(&empty)
        .sends("10 0c 00 04 'MQTT' 04 02 00 3c 00 00");
    c.receives("20 02 00 00").connected(false);
}

#[test]
fn commands_before_connack_are_refused() {
    let mut c = begins(CONFIG);
    for connect in [false, true] {
        if connect {
            c.connect(true, 0).sends(connect_bytes(true, 0));
        }
        assert_eq!(c.try_publish(Q0, "x"), Err(CommandError::NotConnected));
        assert_eq!(c.try_publish(Q2, "x"), Err(CommandError::NotConnected));
        assert_eq!(
            c.try_publish_in_pieces(Q1, 5),
            Err(CommandError::NotConnected)
        );
        assert_eq!(c.try_subscribe(&["a"]), Err(CommandError::NotConnected));
        assert_eq!(c.try_unsubscribe(&["a"]), Err(CommandError::NotConnected));
        assert_eq!(c.try_disconnect(), Err(CommandError::NotConnected));
    }
}

/// Section 3.1.4: clients need not wait for CONNACK.
#[test]
fn commands_before_connack_are_sent_if_the_application_wants_it() {
    let mut c = begins(EARLY);
    assert_eq!(c.try_publish(Q0, "x"), Err(CommandError::NotConnected));
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    c.subscribe(&["a"]).sends("82 06 00 02 00 01 'a' 02");
    c.receives("20 02 00 00").connected(false).nothing_more();
    c.receives(puback(1)).delivered(1);
    c.receives("90 03 00 02 01").event(subscribed(2, &[1]));
}

/// The old messages come first [MQTT-4.6.0-1], and only CONNACK tells whether there are any.
#[test]
fn commands_before_connack_are_refused_if_something_is_under_way() {
    for session in [busy_session(), {
        let mut session = fresh();
        assert!(session.apply(Change::InboundReceived(id(4))));
        session
    }] {
        let mut c = Talk::client(session, EARLY);
        c.connect(false, 0).sends(connect_bytes(false, 0));
        assert_eq!(c.try_publish(Q0, "x"), Err(CommandError::NotConnected));
        assert_eq!(c.try_subscribe(&["a"]), Err(CommandError::NotConnected));
    }
}

/// [MQTT-3.1.4-5]: the server handled nothing of it.
#[test]
fn a_message_sent_before_a_refusal_is_still_to_be_sent() {
    let mut c = begins(EARLY);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    c.subscribe(&["a"]).sends("82 06 00 02 00 01 'a' 02");
    c.receives("20 02 00 03")
        .event(Event::Refused(ConnectRefusal::ServerUnavailable))
        .unanswered(2)
        .closes(CloseReason::Refused(ConnectRefusal::ServerUnavailable));
    let mut c = Talk::client(c.peer.into_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 01 00").connected(true).asks_for(1);
}

/// [MQTT-3.1.2-6]: state of a Clean Session must not be used in any other session. The server may
/// have accepted, and its CONNACK may be lost.
#[test]
fn a_message_sent_before_connack_with_clean_session_is_lost_with_the_connection() {
    let mut c = begins(EARLY);
    c.connect(true, 0).sends(connect_bytes(true, 0));
    c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    c.transport_closes().lost(1, false);
    c.closes(CloseReason::TransportClosed);
    assert!(c.peer.into_session().is_empty());
}

#[test]
fn a_client_gives_up_on_a_server_that_does_not_answer_connect() {
    let mut c = begins(CONFIG.connect_timeout(core::time::Duration::from_millis(5_000)));
    c.at(2_000).connect(true, 60).sends(connect_bytes(true, 60));
    c.deadline(7_000);
    c.wakes_at(6_999).nothing_more().deadline(7_000);
    c.wakes_at(7_000).closes(CloseReason::ConnectTimeout);
}

#[test]
fn the_time_for_connack_is_ten_seconds_if_nothing_else_is_said_and_can_be_without_end() {
    let mut c = begins(CONFIG);
    c.connect(true, 0)
        .sends(connect_bytes(true, 0))
        .deadline(10_000);
    let mut c = begins(CONFIG.connect_timeout(core::time::Duration::from_millis(0)));
    c.connect(true, 0)
        .sends(connect_bytes(true, 0))
        .no_deadline();
    c.wakes_at(1_000_000_000).nothing_more();
    c.receives("20 02 00 00").connected(false);
}

#[test]
fn all_five_refusals_end_the_connection() {
    for (code, refusal) in [
        (1, ConnectRefusal::UnacceptableProtocolVersion),
        (2, ConnectRefusal::IdentifierRejected),
        (3, ConnectRefusal::ServerUnavailable),
        (4, ConnectRefusal::BadUserNameOrPassword),
        (5, ConnectRefusal::NotAuthorized),
    ] {
        let mut c = begins(CONFIG);
        c.connect(true, 0).sends(connect_bytes(true, 0));
        c.receives(vec![0x20, 2, 0, code])
            .event(Event::Refused(refusal))
            .closes(CloseReason::Refused(refusal));
    }
}

#[test]
fn a_refusal_leaves_the_session_as_it_was() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 00 03")
        .event(Event::Refused(ConnectRefusal::ServerUnavailable))
        .closes(CloseReason::Refused(ConnectRefusal::ServerUnavailable));
    let session = c.peer.into_session();
    assert_eq!(outbound(&session), [1, 2, 3]);
    assert_eq!(inbound(&session), [9]);
}

/// mqtt-protocol-core: second CONNACK accepted; sol#15, shenyu#6638. It is reported with its code.
#[test]
fn a_second_connack_is_a_violation() {
    for (second, code) in [("20 02 00 00", 0), ("20 02 01 00", 0), ("20 02 00 05", 5)] {
        let error = PeerError::Protocol(ProtocolError::SecondConnAck { code });
        let mut c = connected(CONFIG, 0);
        c.violates(second, error);
        c.closes(CloseReason::Violation(error));
    }
}

/// mqtt-protocol-core: PUBLISH before CONNECT delivered. [MQTT-3.2.0-1]
#[test]
fn nothing_but_connack_may_come_first() {
    for (bytes, packet_type) in [
        (publish(Q0, 0, "x"), PacketType::Publish),
        (publish(Q2, 1, "x"), PacketType::Publish),
        (puback(1), PacketType::PubAck),
        (pubrec(1), PacketType::PubRec),
        (pubrel(1), PacketType::PubRel),
        (pubcomp(1), PacketType::PubComp),
        (hex("90 03 00 01 00"), PacketType::SubAck),
        (unsuback(1), PacketType::UnsubAck),
        (hex(PINGRESP), PacketType::PingResp),
    ] {
        for connect in [false, true] {
            let mut c = begins(EARLY);
            if connect {
                c.connect(true, 0).sends(connect_bytes(true, 0));
            }
            c.violates(bytes.clone(), unexpected(packet_type));
            c.closes(CloseReason::Violation(unexpected(packet_type)));
        }
    }
}

#[test]
fn connack_before_connect_is_a_violation() {
    let mut c = begins(CONFIG);
    c.violates("20 02 00 00", unexpected(PacketType::ConnAck));
    c.closes(CloseReason::Violation(unexpected(PacketType::ConnAck)));
}

/// mqtt-protocol-core: wrong-role packets give an error without a close. [MQTT-4.8.0-1]
/// Their type alone decides: they are not read, and the last three are malformed.
#[test]
fn a_packet_that_only_clients_send_is_a_violation() {
    for (bytes, packet_type) in [
        (connect_bytes(true, 0), PacketType::Connect),
        (hex("82 06 00 01 00 01 'a' 00"), PacketType::Subscribe),
        (hex("a2 05 00 01 00 01 'a'"), PacketType::Unsubscribe),
        (hex(PINGREQ), PacketType::PingReq),
        (hex(DISCONNECT), PacketType::Disconnect),
        (hex("a2 02 00 01"), PacketType::Unsubscribe),
        (hex("82 02 00 01"), PacketType::Subscribe),
        (hex("10 00"), PacketType::Connect),
    ] {
        let mut c = connected(CONFIG, 0);
        c.violates(bytes, unexpected(packet_type));
        c.closes(CloseReason::Violation(unexpected(packet_type)));
    }
}

/// [MQTT-3.2.2-1]
#[test]
fn session_present_although_clean_session_was_asked_for_is_a_violation() {
    let mut c = begins(CONFIG);
    c.connect(true, 0).sends(connect_bytes(true, 0));
    c.violates(
        "20 02 01 00",
        PeerError::Protocol(ProtocolError::SessionPresent),
    );
    c.closes(CloseReason::Violation(PeerError::Protocol(
        ProtocolError::SessionPresent,
    )));
}

#[test]
fn session_present_is_told_whatever_the_client_kept() {
    let mut c = begins(CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 01 00").connected(true).nothing_more();
    c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
}

// The session is lost

/// paho.c#640, paho.python#733: when the server lost the session, the application gets an action
/// for each message; it may publish the message again.
#[test]
fn when_the_server_lost_the_session_each_message_is_lost_and_the_application_learns_it() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 00 00").connected(false);
    c.lost(1, false).lost(2, false).lost(3, true).nothing_more();
    assert!(c.session().is_empty());
    for number in 1..=3 {
        assert_eq!(c.try_resend(number, Q2, "x"), Err(CommandError::NotAwaited));
        c.receives(puback(number)).nothing_more();
    }
    c.publish(Q1, "a").sends(publish(Q1, 4, "a"));
}

/// mqtt-protocol-core (QoS 2 set survives a lost session: new messages are acknowledged and
/// dropped): without Session Present, all dependent state is deleted.
#[test]
fn when_the_session_is_lost_a_new_message_with_an_old_identifier_is_delivered() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 00 00").connected(false);
    c.lost(1, false).lost(2, false).lost(3, true);
    c.receives(publish(Q2, 9, "new"))
        .message(publish(Q2, 9, "new"))
        .sends(pubrec(9));
}

#[test]
fn when_a_session_that_had_only_received_messages_is_lost_they_go_too() {
    let mut session = fresh::<Vec<Slot>>();
    assert!(session.apply(Change::InboundReceived(id(9))));
    let mut c = Talk::client(session, CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 00 00").connected(false).nothing_more();
    c.receives(publish(Q2, 9, "new"))
        .message(publish(Q2, 9, "new"))
        .sends(pubrec(9));
}

#[test]
fn new_messages_wait_until_the_fate_of_the_old_ones_is_told() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.holds_actions();
    c.receives("20 02 00 00").connected(false);
    assert_eq!(c.try_publish(Q1, "x"), Err(CommandError::ResendPending));
    c.takes_actions();
    c.lost(1, false).lost(2, false).lost(3, true);
    c.publish(Q1, "x").sends(publish(Q1, 4, "x"));
}

#[test]
fn the_fate_of_messages_is_told_even_if_the_connection_ends_first() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.holds_actions();
    c.receives("20 02 00 00").connected(false);
    c.transport_closes();
    c.takes_actions();
    c.lost(1, false).lost(2, false).lost(3, true);
    c.closes(CloseReason::TransportClosed);
    assert!(c.peer.into_session().is_empty());
}

/// MQTT 3.1 has no Session Present: the bit is reserved, and 0.
fn connect_of_mqtt_3_1(clean: bool) -> Connect<&'static [u8]> {
    Connect {
        protocol_level: ProtocolLevel::V3_1,
        ..connect_packet(clean, 0)
    }
}

#[test]
fn in_mqtt_3_1_a_session_without_clean_session_goes_on_although_connack_does_not_say_so() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect_as(&connect_of_mqtt_3_1(false))
        .sends("10 0f 00 06 'MQIsdp' 03 00 00 00 00 01 'c'");
    c.receives("20 02 00 00").connected(true);
    c.sends(pubrel(3)).asks_for(1).asks_for(2).nothing_more();
}

#[test]
fn in_mqtt_3_1_a_clean_session_is_not_present() {
    let mut c = begins(CONFIG);
    c.connect_as(&connect_of_mqtt_3_1(true))
        .sends("10 0f 00 06 'MQIsdp' 03 02 00 00 00 01 'c'");
    c.receives("20 02 00 00").connected(false);
    c.publish(Q1, "a").sends(publish(Q1, 1, "a"));
}

/// Messages published after the loss belong to a new session.
#[test]
fn a_message_sent_after_a_session_was_lost_is_kept_for_the_next_connection() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 00 00").connected(false);
    c.lost(1, false).lost(2, false).lost(3, true).nothing_more();
    c.publish(Q1, "new").sends(publish(Q1, 4, "new"));
    // Taken without polling further actions.
    let session = c.peer.into_session();

    let mut c = Talk::client(session, CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 01 00").connected(true).asks_for(4);
}

#[test]
fn a_message_sent_right_after_the_last_one_was_lost_is_kept() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.holds_actions();
    c.receives("20 02 00 00").connected(false);
    // Each action is polled, and none follows.
    for number in [1, 2, 3] {
        let received = number == 3;
        let packet_id = id(number);
        let lost = Action::Lost {
            packet_id,
            received,
        };
        assert_eq!(c.peer.poll_action(), Some(lost));
    }
    let given = c.peer.publish(ms(0), &message(Q1, "new"), &mut Vec::new());
    assert_eq!(given, Ok(Some(id(4))));
    assert_eq!(outbound(&c.peer.into_session()), [4]);
}

/// [MQTT-4.3.3-2]
#[test]
fn a_message_that_comes_before_the_old_ones_are_told_to_be_lost_is_kept() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.holds_actions();
    c.receives("20 02 00 00").connected(false);
    c.receives(publish(Q2, 5, "x")).message(publish(Q2, 5, "x"));
    let session = c.peer.into_session();
    assert_eq!(inbound(&session), [5]);
    assert!(outbound(&session).is_empty());
}

/// Requests end with their connection, PUBREL does not [MQTT-4.4.0-1].
#[test]
fn a_subscribe_that_was_not_answered_leaves_the_session_and_a_pubrel_stays() {
    let mut c = connected(CONFIG, 0);
    c.publish(Q2, "x").sends(publish(Q2, 1, "x"));
    c.receives(pubrec(1)).received(1).sends(pubrel(1));
    c.subscribe(&["a"]).sends("82 06 00 02 00 01 'a' 02");
    c.leaves_requests();
    let session = c.breaks_off();
    assert_eq!(outbound(&session), [1]);
    let mut c = Talk::client(session, CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 01 00").connected(true).sends(pubrel(1));
    c.receives(pubcomp(1)).delivered(1);
}

/// Requests end with their connection, also for a copy of the session.
#[test]
fn a_copy_of_a_session_goes_on_without_the_requests_that_were_under_way() {
    let mut c = connected(CONFIG, 0);
    c.subscribe(&["a"]).sends("82 06 00 01 00 01 'a' 02");
    c.publish(Q1, "x").sends(publish(Q1, 2, "x"));
    let copy = c.session().clone();
    let mut c = Talk::client(copy, CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 01 00").connected(true).asks_for(2);
    let error = PeerError::Protocol(ProtocolError::NoSuchRequest {
        packet_type: PacketType::SubAck,
        packet_id: id(1),
    });
    c.violates("90 03 00 01 00", error)
        .closes(CloseReason::Violation(error));
}

/// [MQTT-3.1.2-6]
#[test]
fn with_clean_session_the_old_session_is_forgotten_when_connect_is_sent() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(true, 0).sends(connect_bytes(true, 0));
    c.lost(1, false).lost(2, false).lost(3, true);
    c.receives("20 02 00 00").connected(false).nothing_more();
    c.receives(publish(Q2, 9, "new"))
        .message(publish(Q2, 9, "new"))
        .sends(pubrec(9));
}

#[test]
fn a_session_forgotten_with_connect_stays_forgotten_if_the_connection_fails() {
    let mut c = Talk::client(busy_session(), CONFIG);
    c.connect(true, 0).sends(connect_bytes(true, 0));
    c.lost(1, false).lost(2, false).lost(3, true);
    c.transport_closes().closes(CloseReason::TransportClosed);
    assert!(c.peer.into_session().is_empty());

    // The same without polling.
    let mut c = Talk::client(busy_session(), CONFIG);
    c.holds_actions();
    c.connect(true, 0).sends(connect_bytes(true, 0));
    assert!(c.peer.into_session().is_empty());
}

#[test]
fn with_a_journal_a_lost_session_is_cleared_before_connect_is_sent() {
    let mut c = Talk::client(busy_session(), CONFIG.journal(true));
    c.connect(true, 0)
        .stores(Change::Cleared)
        .sends(connect_bytes(true, 0));
    c.lost(1, false).lost(2, false).lost(3, true);
    c.receives("20 02 00 00").connected(false).nothing_more();
}

#[test]
fn with_a_journal_a_session_that_the_server_lost_is_cleared() {
    let mut c = Talk::client(busy_session(), CONFIG.journal(true));
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 00 00")
        .connected(false)
        .stores(Change::Cleared);
    c.lost(1, false).lost(2, false).lost(3, true);
}

// Subscriptions

/// [MQTT-2.3.1-3]
#[test]
fn a_subscribe_is_answered_by_the_suback_with_its_identifier() {
    let mut c = connected(CONFIG, 0);
    c.subscribe(&["a", "b/#"])
        .sends("82 0c 00 01 00 01 'a' 02 00 03 'b/#' 02");
    c.subscribe(&["c"]).sends("82 06 00 02 00 01 'c' 02");
    c.receives("90 03 00 02 80").event(subscribed(2, &[0x80]));
    c.receives("90 04 00 01 00 02")
        .event(subscribed(1, &[0, 2]));
    assert!(c.session().is_empty());
}

/// [MQTT-2.3.1-3]
#[test]
fn an_unsubscribe_is_answered_by_the_unsuback_with_its_identifier() {
    let mut c = connected(CONFIG, 0);
    c.unsubscribe(&["a", "b"])
        .sends("a2 08 00 01 00 01 'a' 00 01 'b'");
    c.receives(unsuback(1)).event(Event::Unsubscribed(id(1)));
    assert!(c.session().is_empty());
}

/// rumqtt#1057, mosquitto#3601, esp-mqtt#176, qmqtt#262: one map of identifiers in use for
/// PUBLISH, SUBSCRIBE and UNSUBSCRIBE [MQTT-2.3.1-2].
#[test]
fn messages_and_requests_share_their_identifiers() {
    let mut c = connected(CONFIG, 0);
    c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    c.subscribe(&["a"]).sends("82 06 00 02 00 01 'a' 02");
    c.unsubscribe(&["a"]).sends("a2 05 00 03 00 01 'a'");
    c.publish(Q2, "x").sends(publish(Q2, 4, "x"));
    c.receives("90 03 00 02 00").event(subscribed(2, &[0]));
    c.receives(unsuback(3)).event(Event::Unsubscribed(id(3)));
    c.subscribe(&["a"]).sends("82 06 00 05 00 01 'a' 02");
}

/// rumqtt#1057, mosquitto#3601: also after the counter has wrapped.
#[test]
fn an_identifier_in_use_for_a_subscribe_is_not_given_to_a_message() {
    let mut c = connected(CONFIG, 0);
    c.subscribe(&["a"]).sends("82 06 00 01 00 01 'a' 02");
    let mut out = Vec::new();
    for _ in 0..70_000 {
        out.clear();
        let given = c
            .peer
            .publish(ms(0), &message(Q1, "x"), &mut out)
            .unwrap()
            .unwrap();
        assert_ne!(given, id(1));
        let ack =
            mqtt_sansio::v3::Packet::<&[u8]>::PubAck(mqtt_sansio::v3::PubAck { packet_id: given });
        assert_eq!(
            c.peer.handle_packet(ms(0), ack),
            Ok(Some(Event::Delivered(given)))
        );
    }
    c.receives("90 03 00 01 00").event(subscribed(1, &[0]));
}

#[test]
fn a_request_takes_a_slot_and_no_place_in_the_window() {
    let mut c = conversation::Talk::client(Session::<[Slot; 2]>::default(), CONFIG.max_inflight(1));
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 00 00").connected(false);
    c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    assert_eq!(c.try_publish(Q1, "x"), Err(CommandError::WindowFull));
    c.subscribe(&["a"]).sends("82 06 00 02 00 01 'a' 02");
    assert_eq!(c.try_subscribe(&["a"]), Err(CommandError::WindowFull));
    assert_eq!(c.try_unsubscribe(&["a"]), Err(CommandError::WindowFull));
}

/// [MQTT-2.3.1-7]
#[test]
fn an_answer_to_a_request_that_was_not_made_is_a_violation() {
    for (bytes, packet_type) in [
        (hex("90 03 00 05 00"), PacketType::SubAck),
        (unsuback(5), PacketType::UnsubAck),
    ] {
        let error = PeerError::Protocol(ProtocolError::NoSuchRequest {
            packet_type,
            packet_id: id(5),
        });
        let mut c = connected(CONFIG, 0);
        c.violates(bytes, error)
            .closes(CloseReason::Violation(error));
        assert_eq!(error.statement(), Some("MQTT-2.3.1-7"));
    }
}

#[test]
fn an_answer_of_the_wrong_kind_is_a_violation() {
    let wrong = |packet_type| {
        PeerError::Protocol(ProtocolError::WrongAcknowledgement {
            packet_type,
            packet_id: id(1),
        })
    };
    for (bytes, packet_type) in [
        (unsuback(1), PacketType::UnsubAck),
        (puback(1), PacketType::PubAck),
        (pubrec(1), PacketType::PubRec),
        (pubcomp(1), PacketType::PubComp),
    ] {
        let mut c = connected(CONFIG, 0);
        c.subscribe(&["a"]).sends("82 06 00 01 00 01 'a' 02");
        c.violates(bytes, wrong(packet_type))
            .unanswered(1)
            .closes(CloseReason::Violation(wrong(packet_type)));
    }
    for (bytes, packet_type) in [
        (hex("90 03 00 01 00"), PacketType::SubAck),
        (puback(1), PacketType::PubAck),
    ] {
        let mut c = connected(CONFIG, 0);
        c.unsubscribe(&["a"]).sends("a2 05 00 01 00 01 'a'");
        c.violates(bytes, wrong(packet_type))
            .unanswered(1)
            .closes(CloseReason::Violation(wrong(packet_type)));
    }
    for (bytes, packet_type) in [
        (hex("90 03 00 01 00"), PacketType::SubAck),
        (unsuback(1), PacketType::UnsubAck),
    ] {
        let mut c = connected(CONFIG, 0);
        c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
        c.violates(bytes, wrong(packet_type))
            .closes(CloseReason::Violation(wrong(packet_type)));
    }
}

/// [MQTT-3.8.4-5]
#[test]
fn a_suback_with_another_number_of_return_codes_is_a_violation() {
    for bytes in ["90 03 00 01 00", "90 05 00 01 00 00 00"] {
        let mut c = connected(CONFIG, 0);
        c.subscribe(&["a", "b"])
            .sends("82 0a 00 01 00 01 'a' 02 00 01 'b' 02");
        c.violates(
            bytes,
            PeerError::Protocol(ProtocolError::WrongNumberOfReturnCodes),
        )
        .unanswered(1)
        .closes(CloseReason::Violation(PeerError::Protocol(
            ProtocolError::WrongNumberOfReturnCodes,
        )));
    }
}

/// mqtt-protocol-core (all dependent state is deleted): a request ends with its connection.
#[test]
fn requests_end_with_the_connection() {
    let mut c = connected(CONFIG, 0);
    c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    c.subscribe(&["a"]).sends("82 06 00 02 00 01 'a' 02");
    c.unsubscribe(&["a"]).sends("a2 05 00 03 00 01 'a'");
    let session = c.breaks_off();
    let mut c = Talk::client(session, CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 01 00").connected(true).asks_for(1);
    c.resend(1, Q1, "x").sends(dup(Q1, 1, "x"));
    c.receives(puback(1)).delivered(1);
    assert!(c.session().is_empty());
    let error = PeerError::Protocol(ProtocolError::NoSuchRequest {
        packet_type: PacketType::SubAck,
        packet_id: id(2),
    });
    c.violates("90 03 00 02 00", error)
        .closes(CloseReason::Violation(error));
}

#[test]
fn more_filters_than_a_request_can_have_are_refused() {
    let mut c = connected(CONFIG, 0);
    let many = vec!["a"; 65_536];
    assert_eq!(c.try_subscribe(&many), Err(CommandError::TooManyFilters));
    c.subscribe(&["a"]).sends("82 06 00 01 00 01 'a' 02");
}

/// A SUBSCRIBE or UNSUBSCRIBE in flight when the connection ends is reported as unanswered, before the
/// end. Its identifier is free on the next connection.
#[test]
fn requests_under_way_when_the_connection_ends_are_reported_as_unanswered() {
    let mut c = connected(CONFIG, 0);
    c.subscribe(&["a"]).sends("82 06 00 01 00 01 'a' 02");
    c.publish(Q1, "x").sends(publish(Q1, 2, "x"));
    c.subscribe(&["b"]).sends("82 06 00 03 00 01 'b' 02");
    c.unsubscribe(&["a"]).sends("a2 05 00 04 00 01 'a'");
    c.receives("90 03 00 01 02").event(subscribed(1, &[2]));
    c.transport_closes()
        .unanswered(3)
        .unanswered(4)
        .closes(CloseReason::TransportClosed);
    let session = c.peer.into_session();
    assert_eq!(outbound(&session), [2]);

    let mut c = Talk::client(session, CONFIG);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 01 00").connected(true).asks_for(2);
    c.resend(2, Q1, "x").sends(dup(Q1, 2, "x"));
    c.receives(puback(2)).delivered(2);
    c.breaks_off();
}

/// With Clean Session, after the messages that are lost with it; and also if the client itself ends the
/// connection.
#[test]
fn requests_under_way_are_unanswered_however_the_connection_ends() {
    let mut c = begins(CONFIG);
    c.connect(true, 0).sends(connect_bytes(true, 0));
    c.receives("20 02 00 00").connected(false);
    c.subscribe(&["a"]).sends("82 06 00 01 00 01 'a' 02");
    c.publish(Q1, "x").sends(publish(Q1, 2, "x"));
    c.disconnect()
        .sends(DISCONNECT)
        .lost(2, false)
        .unanswered(1)
        .closes(CloseReason::Disconnected);
    assert!(c.peer.into_session().is_empty());
}

/// A caller that takes the session without polling gets no report, and the session contains nothing
/// of a request.
#[test]
fn a_session_that_is_taken_out_early_has_no_requests() {
    let mut c = connected(CONFIG, 0);
    c.subscribe(&["a"]).sends("82 06 00 01 00 01 'a' 02");
    assert!(c.peer.into_session().is_empty());
}

// Time

/// A client can check at any time whether its server is alive, also without Keep Alive.
#[test]
fn a_client_pings_on_demand_also_with_keep_alive_0() {
    let mut c = connected(CONFIG, 0);
    c.no_deadline();
    c.at(5_000).ping().sends(PINGREQ).deadline(15_000);
    c.at(6_000).receives(PINGRESP).no_deadline();
    c.at(7_000).ping().sends(PINGREQ).deadline(17_000);
    // A second PINGREQ does not change the deadline of the first answer.
    c.at(9_000).ping().sends(PINGREQ).deadline(17_000);
    c.wakes_at(17_000).closes(CloseReason::PingTimeout);
}

/// It postpones the PINGREQ of Keep Alive, as any other packet.
#[test]
fn a_ping_on_demand_counts_for_keep_alive() {
    let mut c = connected(CONFIG, 60);
    c.deadline(52_500);
    c.at(30_000).ping().sends(PINGREQ).deadline(40_000);
    c.at(30_100).receives(PINGRESP).deadline(82_500);
}

/// [MQTT-3.1.0-1]: not before CONNACK, nor between the pieces of a payload, nor after the end.
#[test]
fn a_ping_that_cannot_be_sent_now_is_an_error() {
    let mut c = begins(EARLY);
    assert_eq!(c.try_ping(), Err(CommandError::NotConnected));
    c.connect(false, 0).sends(connect_bytes(false, 0));
    assert_eq!(c.try_ping(), Err(CommandError::NotConnected));
    c.receives("20 02 00 00").connected(false);
    c.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
    assert_eq!(c.try_ping(), Err(CommandError::SendingPayload));
    c.payload("ab").sends("'ab'");
    c.holds_actions();
    c.receives(publish(Q1, 1, "x")).message(publish(Q1, 1, "x"));
    assert_eq!(c.try_ping(), Err(CommandError::ActionsPending));
    c.takes_actions().sends(puback(1));
    c.ping().sends(PINGREQ);
    c.close().closes(CloseReason::Aborted);
    assert_eq!(c.try_ping(), Err(CommandError::Ended));
}

/// paho.c#1277, MQTT.js#1861: only packets sent postpone the next PINGREQ. [MQTT-3.1.2-23]
#[test]
fn receiving_does_not_put_off_the_next_pingreq() {
    let mut c = connected(CONFIG, 60);
    c.deadline(52_500);
    c.at(20_000)
        .receives(publish(Q0, 0, "x"))
        .message(publish(Q0, 0, "x"))
        .deadline(52_500);
    c.at(30_000).receives(puback(9)).deadline(52_500);
    c.at(40_000).receives(PINGRESP).deadline(52_500);
    c.wakes_at(52_500).sends(PINGREQ);
}

/// paho.c#1277, MQTT.js#1861: only packets sent postpone the next PINGREQ.
#[test]
fn sending_puts_off_the_next_pingreq() {
    let mut c = connected(CONFIG, 60);
    c.at(1_000)
        .publish(Q0, "x")
        .sends(publish(Q0, 0, "x"))
        .deadline(53_500);
    c.at(2_000)
        .publish(Q1, "x")
        .sends(publish(Q1, 1, "x"))
        .deadline(54_500);
    c.at(3_000)
        .subscribe(&["a"])
        .sends("82 06 00 02 00 01 'a' 02")
        .deadline(55_500);
    c.at(4_000)
        .unsubscribe(&["a"])
        .sends("a2 05 00 03 00 01 'a'")
        .deadline(56_500);
    c.at(5_000)
        .receives(publish(Q1, 7, "x"))
        .message(publish(Q1, 7, "x"))
        .sends(puback(7))
        .deadline(57_500);
    c.at(6_000)
        .receives(pubrel(8))
        .sends(pubcomp(8))
        .deadline(58_500);
    c.at(7_000)
        .publish_in_pieces(Q0, 2)
        .sends("30 05 00 01 't'")
        // No other packet may be sent between the pieces.
        .no_deadline();
    c.at(8_000).payload("a").sends("'a'").no_deadline();
    c.at(9_000).payload("b").sends("'b'").deadline(61_500);
    c.wakes_at(61_500).sends(PINGREQ);
}

/// paho.c#1277, MQTT.js#1861: only packets sent postpone the next PINGREQ; an empty piece does not.
#[test]
fn a_piece_without_a_byte_is_nothing_sent() {
    let mut c = connected(CONFIG, 60);
    c.publish_in_pieces(Q0, 2)
        .sends("30 05 00 01 't'")
        .no_deadline();
    c.at(50_000);
    assert_eq!(c.try_payload(""), Ok(2));
    c.nothing_more().no_deadline();
    c.at(51_000).payload("ab").sends("'ab'").deadline(103_500);
}

/// `acknowledge` has no time, so the deadline counts from the last call with one: never too late.
#[test]
fn manual_acknowledgements_put_off_the_next_pingreq() {
    let mut c = connected(CONFIG.manual_acknowledgement(true), 60);
    c.at(1_000)
        .receives(publish(Q1, 7, "x"))
        .message(publish(Q1, 7, "x"))
        .deadline(52_500);
    c.wakes_at(2_000).nothing_more();
    c.at(2_500).acknowledge(7).sends(puback(7)).deadline(54_500);
}

/// hivemq-mqtt-client-dotnet#357, MQTT.js#144, coreMQTT#163: a PINGRESP deadline, on by default.
#[test]
fn a_server_that_does_not_answer_pingreq_is_given_up() {
    let mut c = connected(CONFIG, 60);
    c.wakes_at(52_500).sends(PINGREQ).deadline(62_500);
    c.wakes_at(62_499).nothing_more();
    c.wakes_at(62_500).closes(CloseReason::PingTimeout);
}

/// A server that is busy sending is alive: PINGRESP waits its turn.
#[test]
fn every_packet_from_the_server_gives_pingresp_more_time() {
    let mut c = connected(CONFIG, 60);
    c.wakes_at(52_500).sends(PINGREQ).deadline(62_500);
    for step in 1..200 {
        let now = 52_500 + step * 100;
        c.at(now)
            .receives(publish(Q1, 7, "x"))
            .message(publish(Q1, 7, "x"))
            .sends(puback(7))
            .deadline(now + 10_000);
    }
}

/// esp-idf#8550, coreMQTT#223: a server that stops sending is noticed in time all the same.
#[test]
fn a_server_that_falls_silent_after_a_packet_is_given_up_when_pingresp_is_overdue() {
    let mut c = connected(CONFIG, 60);
    c.wakes_at(52_500).sends(PINGREQ).deadline(62_500);
    c.at(60_000)
        .receives(publish(Q0, 0, "x"))
        .message(publish(Q0, 0, "x"))
        .deadline(70_000);
    c.wakes_at(69_999).nothing_more();
    c.wakes_at(70_000).closes(CloseReason::PingTimeout);
}

#[test]
fn every_piece_of_a_payload_gives_pingresp_more_time() {
    let mut c = connected(CONFIG, 60);
    c.at(52_400)
        .header(at_qos(Q0, 0), 1_000)
        .event(header_event(at_qos(Q0, 0), 1_000))
        .deadline(52_500);
    c.wakes_at(52_500).sends(PINGREQ).deadline(62_500);
    c.at(62_000)
        .piece("ab", 998)
        .event(payload_event("ab", 998));
    c.deadline(72_000);
    c.wakes_at(72_000).closes(CloseReason::PingTimeout);
}

/// PINGRESP may follow a message for which no slot is free.
#[test]
fn the_time_for_pingresp_does_not_run_while_no_message_can_be_taken() {
    let mut c = connected(CONFIG.manual_acknowledgement(true).receive_maximum(1), 60);
    c.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
    c.wakes_at(52_500).sends(PINGREQ).deadline(105_000);
    c.not_now(publish(Q1, 8, "y"), Blocked::InboundFull);
    c.wakes_at(62_500).nothing_more();
    c.wakes_at(105_000).sends(PINGREQ).deadline(157_500);

    // From now on it can be handled.
    c.at(110_000).acknowledge(7).sends(puback(7));
    c.wakes_at(110_000).nothing_more().deadline(120_000);
    c.receives(publish(Q1, 8, "y")).message(publish(Q1, 8, "y"));
    c.acknowledge(8).sends(puback(8));
    c.receives(PINGRESP).deadline(162_500);

    let mut c = connected(CONFIG.manual_acknowledgement(true).receive_maximum(1), 60);
    c.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
    c.wakes_at(52_500).sends(PINGREQ);
    c.at(80_000).acknowledge(7).sends(puback(7));
    c.wakes_at(80_000).nothing_more().deadline(90_000);
    c.wakes_at(90_000).closes(CloseReason::PingTimeout);
}

/// Bytes that are not read any more arrived before PINGREQ was sent.
#[test]
fn the_time_for_pingresp_runs_as_ever_when_messages_could_be_taken_before_pingreq() {
    let mut c = connected(CONFIG.manual_acknowledgement(true).receive_maximum(1), 60);
    c.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
    c.acknowledge(7).sends(puback(7));
    c.wakes_at(52_500).sends(PINGREQ).deadline(62_500);
    c.wakes_at(62_500).closes(CloseReason::PingTimeout);
}

/// PINGRESP cannot be handled while the reply to an earlier packet waits.
#[test]
fn the_time_for_pingresp_does_not_run_while_an_answer_waits_for_the_end_of_a_payload() {
    let mut c = connected(CONFIG, 60);
    c.wakes_at(52_500).sends(PINGREQ).deadline(62_500);
    c.publish_in_pieces(Q0, 4).sends("30 07 00 01 't'");
    c.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
    c.not_now(PINGRESP, Blocked::SendingPayload).no_deadline();
    c.wakes_at(62_500).nothing_more();
    c.at(70_000).payload("ab").sends("'ab'").no_deadline();
    c.at(71_000).payload("cd").sends("'cd'").sends(puback(7));
    c.wakes_at(71_000).nothing_more().deadline(81_000);
    c.receives(PINGRESP).deadline(123_500);
}

#[test]
fn pingresp_in_time_keeps_the_connection() {
    let mut c = connected(CONFIG, 60);
    c.wakes_at(52_500).sends(PINGREQ).deadline(62_500);
    c.at(53_000).receives(PINGRESP).deadline(105_000);
    c.wakes_at(105_000).sends(PINGREQ).deadline(115_000);
}

#[test]
fn the_time_for_pingresp_can_be_without_end() {
    let mut c = connected(
        CONFIG.ping_timeout(core::time::Duration::from_millis(0)),
        60,
    );
    c.wakes_at(52_500).sends(PINGREQ).deadline(105_000);
    c.wakes_at(105_000).sends(PINGREQ).deadline(157_500);
}

#[test]
fn a_keep_alive_shorter_than_the_time_for_pingresp_is_still_kept() {
    let mut c = connected(CONFIG, 4);
    c.wakes_at(3_500).sends(PINGREQ).deadline(7_000);
    c.wakes_at(7_000).sends(PINGREQ).deadline(10_500);
    c.wakes_at(10_500).sends(PINGREQ).deadline(13_500);
    c.wakes_at(13_500).closes(CloseReason::PingTimeout);
}

/// A PINGREQ that is held back between the pieces of a payload was not sent, so the server cannot
/// have answered it: the time for the answer does not run.
#[test]
fn a_pingreq_held_back_by_a_payload_does_not_time_out() {
    let mut c = connected(CONFIG, 60);
    c.publish_in_pieces(Q0, 3).sends("30 06 00 01 't'");
    c.wakes_at(52_500).nothing_more();
    c.at(60_000).payload("a").sends("'a'");
    c.wakes_at(62_500).nothing_more().state(State::Connected);
}

/// [MQTT-3.1.2-24]; Keep Alive 0 disables it.
#[test]
fn without_keep_alive_there_is_no_deadline() {
    let mut c = connected(CONFIG, 0);
    c.no_deadline();
    c.wakes_at(u64::from(u32::MAX)).nothing_more().no_deadline();
}

#[test]
fn the_longest_keep_alive_is_more_than_eighteen_hours() {
    let mut c = connected(CONFIG, 65_535);
    c.deadline(57_343_125);
}

#[test]
fn early_and_repeated_timeouts_do_no_harm() {
    let mut c = connected(CONFIG, 60);
    for at in [0, 1, 52_499, 52_499, 3] {
        c.wakes_at(at).nothing_more().deadline(52_500);
    }
    c.wakes_at(52_500).sends(PINGREQ);
    c.wakes_at(52_500).nothing_more().deadline(62_500);
}

#[test]
fn a_timer_that_is_late_sends_one_pingreq() {
    let mut c = connected(CONFIG, 60);
    c.wakes_at(500_000).sends(PINGREQ).deadline(510_000);
}

/// arduino-mqtt#144, esp-mqtt#23: the clock's width and wrap are specified. Time that goes
/// backwards counts as no time.
#[test]
fn time_that_goes_backwards_changes_no_deadline() {
    let mut c = connected(CONFIG, 60);
    c.at(10_000)
        .publish(Q0, "x")
        .sends(publish(Q0, 0, "x"))
        .deadline(62_500);
    c.at(2_000)
        .publish(Q0, "x")
        .sends(publish(Q0, 0, "x"))
        .deadline(62_500);
    c.wakes_at(0).nothing_more().deadline(62_500);
    c.wakes_at(62_500).sends(PINGREQ).deadline(72_500);
}

/// arduino-mqtt#144, esp-mqtt#23: the clock of 64 bits does not wrap, and its last value is valid.
#[test]
fn at_the_end_of_time_deadlines_stay_there() {
    let end = u64::MAX - 1;
    let mut c = conversation::Talk::new(Client::new(fresh::<Vec<Slot>>(), CONFIG, ms(end)));
    c.at(end).connect(false, 60).sends(connect_bytes(false, 60));
    c.deadline(end);
    c.receives("20 02 00 00").connected(false).deadline(end);
    c.wakes_at(end).sends(PINGREQ);
    // A clock of 32 bits that the caller extends gives the same deadlines before and after its
    // wrap.
    let start = u64::from(u32::MAX) - 5_000;
    let mut c = conversation::Talk::new(Client::new(fresh::<Vec<Slot>>(), CONFIG, ms(start)));
    c.at(start)
        .connect(false, 60)
        .sends(connect_bytes(false, 60));
    c.receives("20 02 00 00")
        .connected(false)
        .deadline(start + 52_500);
}

/// mqtt-protocol-core arms three timers and asks for a reset for each packet. Here there is one
/// deadline, read on demand.
#[test]
fn there_is_one_deadline_the_earlier_of_those_that_there_are() {
    let mut c = begins(CONFIG);
    c.no_deadline();
    c.connect(true, 20)
        .sends(connect_bytes(true, 20))
        .deadline(10_000);
    c.at(1_000)
        .receives("20 02 00 00")
        .connected(false)
        .deadline(17_500);
    c.wakes_at(17_500).sends(PINGREQ).deadline(27_500);
    c.at(18_000).receives(PINGRESP).deadline(35_000);
    c.disconnect()
        .sends(DISCONNECT)
        .closes(CloseReason::Disconnected);
    c.no_deadline();
}

// Ending

/// [MQTT-3.14.4-1, MQTT-3.14.4-2]
#[test]
fn after_disconnect_the_client_closes_and_sends_nothing_more() {
    let mut c = connected(CONFIG, 60);
    c.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    c.disconnect()
        .sends(DISCONNECT)
        .closes(CloseReason::Disconnected);
    assert_eq!(c.try_disconnect(), Err(CommandError::Ended));
    assert_eq!(c.try_subscribe(&["a"]), Err(CommandError::Ended));
    assert_eq!(c.try_unsubscribe(&["a"]), Err(CommandError::Ended));
    assert_eq!(outbound(&c.peer.into_session()), [1]);
}

#[test]
fn disconnect_between_the_pieces_of_a_payload_is_refused() {
    let mut c = connected(CONFIG, 0);
    c.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
    c.payload("a").sends("'a'");
    assert_eq!(c.try_disconnect(), Err(CommandError::SendingPayload));
    assert_eq!(c.try_subscribe(&["a"]), Err(CommandError::SendingPayload));
    assert_eq!(c.try_unsubscribe(&["a"]), Err(CommandError::SendingPayload));
    c.payload("b").sends("'b'");
    c.disconnect()
        .sends(DISCONNECT)
        .closes(CloseReason::Disconnected);
}

#[test]
fn close_is_possible_between_the_pieces_of_a_payload() {
    let mut c = connected(CONFIG, 0);
    c.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
    c.close().closes(CloseReason::Aborted);
}

#[test]
fn disconnect_waits_for_an_acknowledgement_that_is_to_be_polled() {
    let mut c = connected(CONFIG, 0);
    c.holds_actions();
    c.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
    assert_eq!(c.try_disconnect(), Err(CommandError::ActionsPending));
    c.takes_actions().sends(puback(7));
    c.disconnect()
        .sends(DISCONNECT)
        .closes(CloseReason::Disconnected);
}

#[test]
fn a_connection_that_has_not_begun_can_be_closed() {
    let mut c = begins(CONFIG);
    c.close().closes(CloseReason::Aborted);
    let mut c = begins(CONFIG);
    c.transport_closes().closes(CloseReason::TransportClosed);
}

#[test]
fn subscribe_answers_between_the_pieces_of_a_message_are_put_off() {
    let mut c = connected(CONFIG, 0);
    c.subscribe(&["a"]).sends("82 06 00 01 00 01 'a' 02");
    c.unsubscribe(&["a"]).sends("a2 05 00 02 00 01 'a'");
    c.header(at_qos(Q0, 0), 1)
        .event(header_event(at_qos(Q0, 0), 1));
    c.not_now("90 03 00 01 00", Blocked::ReceivingPayload);
    c.not_now(unsuback(2), Blocked::ReceivingPayload);
    c.piece("x", 0).event(payload_event("x", 0));
    c.receives("90 03 00 01 00").event(subscribed(1, &[0]));
}

#[test]
fn a_header_before_connack_is_a_violation() {
    let mut c = begins(CONFIG);
    c.connect(true, 0).sends(connect_bytes(true, 0));
    let error = unexpected(PacketType::Publish);
    assert_eq!(
        c.try_piece(piece_header(at_qos(Q0, 0), 5)),
        Err(mqtt_sansio::v3::HandleError::Peer(error))
    );
    c.closes(CloseReason::Violation(error));
}

// Many messages

/// 65,535 messages in flight, acknowledged in order, in reverse and shuffled.
#[test]
fn all_65535_identifiers_can_be_under_way_and_each_is_completed_in_whatever_order() {
    let orders: [fn(u32) -> u32; 3] = [
        |step| step,
        |step| 65_534 - step,
        // A stride that has no divisor in common with 65,535.
        |step| (step * 7_919) % 65_535,
    ];
    for order in orders {
        let mut client = Client::new(fresh::<Vec<Slot>>(), CONFIG, ms(0));
        let mut out = Vec::new();
        let connack = hex("20 02 00 00");
        client
            .connect(ms(0), &connect_packet(false, 0), &mut out)
            .unwrap();
        let packet = mqtt_sansio::v3::decode(&mut &connack[..], &mqtt_sansio::Options::new());
        client
            .handle_packet(ms(0), packet.unwrap().unwrap())
            .unwrap();
        for number in 1..=65_535 {
            out.clear();
            let qos = if number % 2 == 0 { Q2 } else { Q1 };
            let given = client.publish(ms(0), &message(qos, "x"), &mut out);
            assert_eq!(given, Ok(Some(id(number))));
        }
        assert_eq!(
            client.publish(ms(0), &message(Q1, "x"), &mut out),
            Err(CommandError::WindowFull)
        );
        let mut deal = |bytes: Vec<u8>| {
            let packet = mqtt_sansio::v3::decode(&mut &bytes[..], &mqtt_sansio::Options::new());
            let event = client
                .handle_packet(ms(0), packet.unwrap().unwrap())
                .unwrap();
            let shown = format!("{event:?}");
            let mut actions = 0;
            while client.poll_action().is_some() {
                actions += 1;
            }
            (shown, actions)
        };
        let mut completed = 0;
        for step in 0..65_535 {
            let number = u16::try_from(order(step) + 1).unwrap();
            if number % 2 == 0 {
                let (shown, actions) = deal(pubrec(number));
                assert_eq!(shown, format!("Some(AcceptedByPeer(PacketId({number})))"));
                assert_eq!(actions, 1);
                deal(pubcomp(number));
            } else {
                let (shown, actions) = deal(puback(number));
                assert_eq!(shown, format!("Some(Delivered(PacketId({number})))"));
                assert_eq!(actions, 0);
            }
            completed += 1;
        }
        assert_eq!(completed, 65_535);
        assert!(client.session().is_empty());
        assert!(client.publish(ms(0), &message(Q1, "x"), &mut out).is_ok());
    }
}

// Size

/// The state of an idle connection, without the decoder's buffer, has at most 256 bytes.
#[test]
fn an_idle_connection_takes_at_most_256_bytes() {
    let decoder = size_of::<mqtt_sansio::v3::Decoder<Vec<u8>>>() - size_of::<Vec<u8>>();
    let client = size_of::<Client<Vec<Slot>>>();
    assert!(client + decoder <= 256, "{client} + {decoder}");
}
