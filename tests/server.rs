//! Conversations of a server with a client, as transcripts.

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

type ThisRole = AsServer;

use conversation::*;
use mqtt_sansio::v3::{
    self, Action, CloseReason, Connect, ConnectRefusal, Decoder, EncodedConnect, Event,
    HandleError, PeerError, ProtocolLevel, Server, Step,
};
use mqtt_sansio::{
    Blocked, Change, CommandError, Config, Encode, ErrorKind, Options, PacketType, ProtocolError,
    Session, Slot, State,
};

type Talk = conversation::Talk<Server<Vec<Slot>>>;

const CONFIG: Config = Config::new();

fn begins(config: Config) -> Talk {
    Talk::server(config)
}

/// Returns a server whose client connected without Clean Session and with this Keep Alive, at 0 ms.
fn connected(config: Config, keep_alive: u16) -> Talk {
    let mut s = begins(config);
    s.receives(connect_bytes(false, keep_alive))
        .connect_requested();
    s.accepts(None).sends("20 02 00 00");
    s
}

/// Returns a server whose client connected with a Will and a Keep Alive of 60 s.
fn with_will() -> Talk {
    let mut s = begins(CONFIG);
    s.receives(connect_with_will(false, 60)).connect_requested();
    s.accepts(None).sends("20 02 00 00");
    s
}

fn unexpected(packet_type: PacketType) -> PeerError {
    PeerError::Protocol(ProtocolError::Unexpected(packet_type))
}

fn with_received(number: u16) -> Session<Vec<Slot>> {
    let mut session = fresh();
    assert!(session.apply(Change::InboundReceived(id(number))));
    session
}

// Connecting

fn encoded(connect: &Connect<&[u8]>) -> EncodedConnect<Vec<u8>> {
    EncodedConnect::encode_to_vec(connect).unwrap()
}

/// [MQTT-3.1.4-4, MQTT-3.2.0-1]
#[test]
fn a_connect_is_accepted_with_connack() {
    let mut s = begins(CONFIG);
    s.state(State::Start);
    s.receives("10 0d 00 04 'MQTT' 04 02 00 3c 00 01 'c'")
        .event(Event::ConnectRequested(encoded(&connect_packet(true, 60))))
        .state(State::Requested);
    assert!(s.peer.session_ends());
    s.accepts(None).sends("20 02 00 00").state(State::Connected);
}

#[test]
fn a_client_of_mqtt_3_1_is_accepted_too() {
    let mut s = begins(CONFIG);
    s.receives("10 0f 00 06 'MQIsdp' 03 02 00 3c 00 01 'c'")
        .event(Event::ConnectRequested(encoded(&Connect {
            protocol_level: ProtocolLevel::V3_1,
            ..connect_packet(true, 60)
        })));
    s.accepts(None).sends("20 02 00 00");
}

#[test]
fn in_mqtt_3_1_a_session_goes_on_and_session_present_stays_0_as_it_is_reserved() {
    let mut s = begins(CONFIG);
    s.receives("10 0f 00 06 'MQIsdp' 03 00 00 00 00 01 'c'")
        .connect_requested();
    s.accepts(None).sends("20 02 00 00");
    s.publish(Q1, "a").sends(publish(Q1, 1, "a"));
    let session = s.breaks_off();

    let mut s = begins(CONFIG);
    s.receives("10 0f 00 06 'MQIsdp' 03 00 00 00 00 01 'c'")
        .connect_requested();
    s.accepts(Some(session)).sends("20 02 00 00").asks_for(1);
    s.resend(1, Q1, "a").sends(dup(Q1, 1, "a"));
}

/// [MQTT-3.1.2-24]: the client may have sent much that could not be handled.
#[test]
fn the_silence_of_a_client_that_had_to_wait_for_the_application_counts_from_the_acknowledgement() {
    let config = CONFIG.manual_acknowledgement(true).receive_maximum(1);
    let mut s = connected(config, 60);
    s.receives(publish(Q1, 7, "x"))
        .message(publish(Q1, 7, "x"))
        .no_deadline();
    s.at(200_000).acknowledge(7).sends(puback(7));
    s.wakes_at(200_000).nothing_more().deadline(290_000);
    s.wakes_at(290_000).closes(CloseReason::KeepAliveTimeout);
}

/// mqtt-protocol-core: PUBLISH before CONNECT delivered. The state is checked before the packet.
/// [MQTT-3.1.0-1]
#[test]
fn nothing_but_connect_may_come_first() {
    for (bytes, packet_type) in [
        (hex("20 02 00 00"), PacketType::ConnAck),
        (publish(Q0, 0, "x"), PacketType::Publish),
        (publish(Q2, 1, "x"), PacketType::Publish),
        (puback(1), PacketType::PubAck),
        (pubrec(1), PacketType::PubRec),
        (pubrel(1), PacketType::PubRel),
        (pubcomp(1), PacketType::PubComp),
        (hex("82 06 00 01 00 01 'a' 00"), PacketType::Subscribe),
        (hex("90 03 00 01 00"), PacketType::SubAck),
        (hex("a2 05 00 01 00 01 'a'"), PacketType::Unsubscribe),
        (unsuback(1), PacketType::UnsubAck),
        (hex(PINGREQ), PacketType::PingReq),
        (hex(PINGRESP), PacketType::PingResp),
        (hex(DISCONNECT), PacketType::Disconnect),
    ] {
        let mut s = begins(CONFIG);
        s.violates(bytes, unexpected(packet_type));
        s.closes(CloseReason::Violation(unexpected(packet_type)));
    }
}

/// sol#15, shenyu#6638: a second CONNECT is a violation [MQTT-3.1.0-2].
#[test]
fn a_second_connect_is_a_violation() {
    let mut s = connected(CONFIG, 0);
    s.violates(
        connect_bytes(false, 0),
        PeerError::Protocol(ProtocolError::SecondConnect),
    );
    s.closes(CloseReason::Violation(PeerError::Protocol(
        ProtocolError::SecondConnect,
    )));
    assert_eq!(
        PeerError::Protocol(ProtocolError::SecondConnect).statement(),
        Some("MQTT-3.1.0-2")
    );
}

/// mqtt-protocol-core: wrong-role packets give an error without a close. [MQTT-4.8.0-1]
#[test]
fn a_packet_that_only_servers_send_is_a_violation() {
    for (bytes, packet_type) in [
        (hex("20 02 00 00"), PacketType::ConnAck),
        (hex("90 03 00 01 00"), PacketType::SubAck),
        (unsuback(1), PacketType::UnsubAck),
        (hex(PINGRESP), PacketType::PingResp),
        // Malformed: the type alone decides.
        (hex("20 02 02 00"), PacketType::ConnAck),
        (hex("90 02 00 01"), PacketType::SubAck),
        (hex("b0 02 00 00"), PacketType::UnsubAck),
    ] {
        let mut s = connected(CONFIG, 0);
        s.violates(bytes, unexpected(packet_type));
        s.closes(CloseReason::Violation(unexpected(packet_type)));
    }
}

/// [MQTT-3.2.0-1]
#[test]
fn commands_before_the_connection_is_accepted_are_refused() {
    let mut s = begins(CONFIG);
    assert_eq!(s.try_accept(None), Err(CommandError::NotConnected));
    assert_eq!(
        s.try_refuse(ConnectRefusal::NotAuthorized),
        Err(CommandError::NotConnected)
    );
    for request in [false, true] {
        if request {
            s.receives(connect_bytes(true, 0)).connect_requested();
        }
        assert_eq!(s.try_publish(Q0, "x"), Err(CommandError::NotConnected));
        assert_eq!(s.try_publish(Q1, "x"), Err(CommandError::NotConnected));
        assert_eq!(
            s.try_publish_in_pieces(Q1, 2),
            Err(CommandError::NotConnected)
        );
        assert_eq!(s.try_suback(&[0]), Err(CommandError::NotConnected));
        assert_eq!(s.try_unsuback(), Err(CommandError::NotConnected));
    }
}

/// A client may send before CONNACK, a server may not. [MQTT-3.2.0-1]
#[test]
fn commands_before_connack_are_refused_even_if_the_application_wants_them() {
    let mut s = begins(CONFIG.send_before_connack(true));
    s.receives(connect_bytes(true, 0)).connect_requested();
    for qos in [Q0, Q1, Q2] {
        assert_eq!(s.try_publish(qos, "x"), Err(CommandError::NotConnected));
    }
    s.accepts(None).sends("20 02 00 00");
}

#[test]
fn connect_is_answered_once() {
    let mut s = connected(CONFIG, 0);
    assert_eq!(s.try_accept(None), Err(CommandError::AlreadyConnected));
    assert_eq!(
        s.try_refuse(ConnectRefusal::NotAuthorized),
        Err(CommandError::AlreadyConnected)
    );
    s.transport_closes().closes(CloseReason::TransportClosed);
    assert_eq!(s.try_accept(None), Err(CommandError::Ended));
    assert_eq!(
        s.try_refuse(ConnectRefusal::NotAuthorized),
        Err(CommandError::Ended)
    );
}

#[test]
fn connack_that_does_not_fit_into_the_output_can_be_tried_again() {
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(true, 0)).connect_requested();
    s.room(3);
    assert!(matches!(s.try_accept(None), Err(CommandError::Encode(_))));
    assert!(matches!(
        s.try_refuse(ConnectRefusal::NotAuthorized),
        Err(CommandError::Encode(_))
    ));
    s.room(4).accepts(None).sends("20 02 00 00");
}

/// [MQTT-3.1.3-9, MQTT-3.2.2-4, MQTT-3.2.2-5]
#[test]
fn all_five_refusals_are_sent_and_end_the_connection() {
    for (code, refusal) in [
        (1, ConnectRefusal::UnacceptableProtocolVersion),
        (2, ConnectRefusal::IdentifierRejected),
        (3, ConnectRefusal::ServerUnavailable),
        (4, ConnectRefusal::BadUserNameOrPassword),
        (5, ConnectRefusal::NotAuthorized),
    ] {
        let mut s = begins(CONFIG);
        s.receives(connect_with_will(false, 60)).connect_requested();
        s.refuses(refusal)
            .sends(vec![0x20, 2, 0, code])
            .closes(CloseReason::Refused(refusal));
    }
}

/// [MQTT-3.2.2-6]
#[test]
fn a_connect_can_be_refused_without_connack() {
    let mut s = begins(CONFIG);
    s.receives(connect_with_will(false, 60)).connect_requested();
    s.close().closes(CloseReason::Aborted);
}

/// [MQTT-3.1.4-5]: a client may send right after CONNECT; after a refusal none of it is handled.
#[test]
fn packets_behind_connect_wait_for_the_answer_and_are_not_processed_after_a_refusal() {
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(true, 0)).connect_requested();
    for bytes in [
        publish(Q0, 0, "x"),
        publish(Q2, 1, "x"),
        hex("82 06 00 01 00 01 'a' 00"),
        hex(PINGREQ),
        hex(DISCONNECT),
        connect_bytes(true, 0),
    ] {
        s.not_now(bytes, Blocked::AnswerPending);
    }
    let refusal = ConnectRefusal::NotAuthorized;
    s.refuses(refusal)
        .sends("20 02 00 05")
        .closes(CloseReason::Refused(refusal));
    assert_eq!(s.try_receive(publish(Q1, 1, "x")), Err(HandleError::Ended));
    s.nothing_more();
}

/// Section 3.1.4.
#[test]
fn packets_behind_connect_are_processed_after_it_is_accepted() {
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(true, 0)).connect_requested();
    s.not_now(publish(Q1, 1, "x"), Blocked::AnswerPending);
    s.accepts(None).sends("20 02 00 00");
    s.receives(publish(Q1, 1, "x"))
        .message(publish(Q1, 1, "x"))
        .sends(puback(1));
}

/// [MQTT-3.1.3-6]: the application assigns one.
#[test]
fn an_empty_client_identifier_with_clean_session_reaches_the_application() {
    let mut s = begins(CONFIG);
    s.receives("10 0c 00 04 'MQTT' 04 02 00 00 00 00");
    let Some(Item::Event(Event::ConnectRequested(connect))) = s.log_pop() else {
        panic!("no CONNECT");
    };
    assert_eq!(connect.to_connect().client_id, "");
    s.accepts(None).sends("20 02 00 00");
}

/// aedes#1095, rmqtt#461: the reaction the standard asks for. [MQTT-3.1.3-8]
#[test]
fn an_empty_client_identifier_without_clean_session_is_rejected_with_connack_2() {
    let mut s = begins(CONFIG);
    s.receives_malformed("10 0c 00 04 'MQTT' 04 00 00 00 00 00");
    s.sends("20 02 00 02");
    closes_as_malformed(&mut s, ErrorKind::ClientIdentifierRequired);
}

/// aedes#1095, rmqtt#461: the reaction the standard asks for. [MQTT-3.1.2-2]
#[test]
fn another_protocol_level_is_refused_with_connack_1() {
    let mut s = begins(CONFIG);
    s.receives_malformed("10 0d 00 04 'MQTT' 05 02 00 3c 00 01 'c'");
    s.sends("20 02 00 01");
    closes_as_malformed(&mut s, ErrorKind::UnsupportedProtocolLevel);
}

/// aedes#1095, rmqtt#461: or just close. [MQTT-3.1.2-1, MQTT-3.1.4-1]
#[test]
fn another_protocol_name_is_closed_without_connack() {
    let mut s = begins(CONFIG);
    s.receives_malformed("10 0d 00 04 'HTTP' 04 02 00 3c 00 01 'c'");
    closes_as_malformed(&mut s, ErrorKind::UnknownProtocolName);
}

/// [MQTT-3.1.2-3, MQTT-3.1.4-1]
#[test]
fn a_connect_that_is_malformed_is_closed_without_connack() {
    let mut s = begins(CONFIG);
    s.receives_malformed("10 0d 00 04 'MQTT' 04 03 00 3c 00 01 'c'");
    closes_as_malformed(&mut s, ErrorKind::ReservedConnectFlag);
}

/// A fault after an accepted CONNECT is not a fault of CONNECT.
#[test]
fn a_second_connect_with_another_level_is_closed_without_connack() {
    for answered in [false, true] {
        let mut s = begins(CONFIG);
        s.receives(connect_bytes(true, 0)).connect_requested();
        if answered {
            s.accepts(None).sends("20 02 00 00");
        }
        s.receives_malformed("10 0d 00 04 'MQTT' 05 02 00 3c 00 01 'c'");
        closes_as_malformed(&mut s, ErrorKind::UnsupportedProtocolLevel);
    }
}

fn closes_as_malformed(s: &mut Talk, kind: ErrorKind) {
    match s.log_pop() {
        Some(Item::Action(Action::Close(CloseReason::Violation(PeerError::Malformed(error))))) => {
            assert_eq!(error.kind(), kind);
        }
        other => panic!("no Close, but {other:?}"),
    }
    s.is_over();
}

// Session Present

/// [MQTT-3.2.2-1, MQTT-3.1.2-6]
#[test]
fn accepting_clean_session_says_session_not_present() {
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(true, 0)).connect_requested();
    s.accepts(None).sends("20 02 00 00");
    assert!(s.session().is_empty());
}

/// [MQTT-3.1.4-3, MQTT-3.2.2-1]
#[test]
fn accepting_clean_session_with_a_kept_session_is_refused() {
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(true, 0)).connect_requested();
    assert_eq!(
        s.try_accept(Some(with_received(4))),
        Err(CommandError::CleanSession)
    );
    assert_eq!(s.try_accept(Some(fresh())), Err(CommandError::CleanSession));
    s.accepts(None).sends("20 02 00 00");
}

/// [MQTT-3.2.2-2, MQTT-3.1.2-4]
#[test]
fn accepting_with_a_kept_session_says_session_present_even_if_it_is_empty() {
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(false, 0)).connect_requested();
    assert!(!s.peer.session_ends());
    s.accepts(Some(fresh())).sends("20 02 01 00");

    let mut s = begins(CONFIG);
    s.receives(connect_bytes(false, 0)).connect_requested();
    s.accepts(Some(with_received(4))).sends("20 02 01 00");
    s.receives(dup(Q2, 4, "x")).sends(pubrec(4));
}

/// [MQTT-3.2.2-3]
#[test]
fn accepting_without_a_kept_session_says_session_not_present() {
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(false, 0)).connect_requested();
    s.accepts(None).sends("20 02 00 00");
}

/// mqtt-protocol-core (QoS 2 set survives a lost session: new messages are acknowledged and
/// dropped).
#[test]
fn a_server_that_lost_the_session_delivers_new_messages_with_old_identifiers() {
    let mut s = connected(CONFIG, 0);
    s.receives(publish(Q2, 4, "x"))
        .message(publish(Q2, 4, "x"))
        .sends(pubrec(4));
    drop(s.breaks_off());
    let mut s = connected(CONFIG, 0);
    s.receives(publish(Q2, 4, "y"))
        .message(publish(Q2, 4, "y"))
        .sends(pubrec(4));
}

/// CONNACK is sent before the resent messages [MQTT-3.1.2-4, MQTT-3.2.0-1, MQTT-4.4.0-1].
#[test]
fn what_is_sent_again_comes_after_connack() {
    let mut s = connected(CONFIG, 0);
    s.publish(Q2, "a").sends(publish(Q2, 1, "a"));
    s.receives(pubrec(1)).received(1).sends(pubrel(1));
    let session = s.breaks_off();
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(false, 0)).connect_requested();
    s.accepts(Some(session))
        .sends("20 02 01 00")
        .sends(pubrel(1));
}

// Stale identifiers of a client that lost its session

/// A client that lost its session starts at 1 again. A message without DUP is new [MQTT-3.3.1-1], even
/// if all slots hold its earlier messages.
#[test]
fn a_client_that_lost_its_memory_is_not_locked_out() {
    let mut session = fresh();
    for number in 1..=3 {
        assert!(session.apply(Change::InboundReceived(id(number))));
    }
    let mut s = begins(CONFIG.receive_maximum(3));
    s.receives(connect_bytes(false, 0)).connect_requested();
    s.accepts(Some(session)).sends("20 02 01 00");
    s.receives(publish(Q2, 1, "x"))
        .message(publish(Q2, 1, "x"))
        .sends(pubrec(1));
    s.receives(pubrel(1)).sends(pubcomp(1));
    s.receives(publish(Q2, 1, "y"))
        .message(publish(Q2, 1, "y"))
        .sends(pubrec(1));
    s.receives(publish(Q1, 2, "z"))
        .message(publish(Q1, 2, "z"))
        .sends(puback(2));
    s.receives(publish(Q2, 2, "z"))
        .message(publish(Q2, 2, "z"))
        .sends(pubrec(2));
}

// Subscriptions

/// [MQTT-2.3.1-7, MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-5, MQTT-3.9.3-1]
#[test]
fn a_subscribe_is_answered_with_a_return_code_for_each_filter() {
    let mut s = connected(CONFIG, 0);
    s.receives("82 0c 01 02 00 01 'a' 02 00 03 'b/#' 00");
    let Some(Item::Event(Event::SubscribeRequested(subscribe))) = s.log_pop() else {
        panic!("no SUBSCRIBE");
    };
    assert_eq!(subscribe.packet_id, id(0x102));
    assert_eq!(subscribe.subscriptions.len(), 2);
    s.suback(&[2, 0x80]).sends("90 04 01 02 02 80");
}

/// [MQTT-3.8.4-5]
#[test]
fn a_suback_with_another_number_of_return_codes_is_refused() {
    let mut s = connected(CONFIG, 0);
    s.receives("82 0a 00 01 00 01 'a' 02 00 01 'b' 02")
        .subscribe_requested();
    for codes in [&[0][..], &[0, 0, 0]] {
        assert_eq!(
            s.try_suback(codes),
            Err(CommandError::WrongNumberOfReturnCodes)
        );
    }
    assert_eq!(s.try_unsuback(), Err(CommandError::NotAwaited));
    s.suback(&[1, 1]).sends("90 04 00 01 01 01");
    assert_eq!(s.try_suback(&[1, 1]), Err(CommandError::NotAwaited));
}

/// [MQTT-3.8.3-2]: the event contains all filters.
#[test]
fn a_server_without_wildcards_refuses_the_filters_that_have_them() {
    let mut s = connected(CONFIG, 0);
    s.receives("82 10 00 01 00 01 'a' 02 00 03 'a/+' 01 00 01 '#' 00");
    let Some(Item::Event(Event::SubscribeRequested(subscribe))) = s.log_pop() else {
        panic!("no SUBSCRIBE");
    };
    let codes: Vec<_> = subscribe
        .subscriptions
        .iter()
        .map(|asked| match asked.topic_filter.has_wildcards() {
            true => 0x80,
            false => asked.qos.number(),
        })
        .collect();
    s.suback(&codes).sends("90 05 00 01 02 80 80");
}

/// [MQTT-2.3.1-7, MQTT-3.10.4-4]
#[test]
fn an_unsubscribe_is_answered_with_its_identifier() {
    let mut s = connected(CONFIG, 0);
    s.receives("a2 05 00 09 00 01 'a'").unsubscribe_requested();
    assert_eq!(s.try_suback(&[0]), Err(CommandError::NotAwaited));
    s.unsuback().sends("b0 02 00 09");
    assert_eq!(s.try_unsuback(), Err(CommandError::NotAwaited));
}

/// [MQTT-3.8.4-1]
#[test]
fn a_request_is_answered_before_the_next_packet() {
    let mut s = connected(CONFIG, 0);
    s.receives("82 06 00 01 00 01 'a' 02").subscribe_requested();
    for bytes in [
        publish(Q1, 1, "x"),
        hex(PINGREQ),
        hex(DISCONNECT),
        hex("82 06 00 02 00 01 'a' 02"),
    ] {
        s.not_now(bytes, Blocked::AnswerPending);
    }
    // Retained messages may be sent before SUBACK (section 3.8.4).
    s.publish(Q1, "retained").sends(publish(Q1, 1, "retained"));
    s.suback(&[1]).sends("90 03 00 01 01");
    s.receives(publish(Q1, 1, "x"))
        .message(publish(Q1, 1, "x"))
        .sends(puback(1));
}

#[test]
fn the_identifiers_of_client_and_server_are_apart() {
    let mut s = connected(CONFIG, 0);
    s.publish(Q2, "a").sends(publish(Q2, 1, "a"));
    s.receives(publish(Q2, 1, "b"))
        .message(publish(Q2, 1, "b"))
        .sends(pubrec(1));
    s.receives("82 06 00 01 00 01 'a' 02").subscribe_requested();
    s.suback(&[1]).sends("90 03 00 01 01");
    s.receives(pubrec(1)).received(1).sends(pubrel(1));
    s.receives(pubrel(1)).sends(pubcomp(1));
    s.receives(pubcomp(1)).delivered(1);
}

#[test]
fn an_answer_that_does_not_fit_into_the_output_can_be_tried_again() {
    let mut s = connected(CONFIG, 0);
    s.receives("82 06 00 01 00 01 'a' 02").subscribe_requested();
    s.room(4);
    assert!(matches!(s.try_suback(&[0]), Err(CommandError::Encode(_))));
    s.room(5).suback(&[0]).sends("90 03 00 01 00");
}

/// A request without an answer ends with its connection.
#[test]
fn after_the_end_a_request_cannot_be_answered() {
    let mut s = connected(CONFIG, 0);
    s.receives("82 06 00 01 00 01 'a' 02").subscribe_requested();
    s.transport_closes().closes(CloseReason::TransportClosed);
    assert_eq!(s.try_suback(&[0]), Err(CommandError::Ended));
    assert_eq!(s.try_unsuback(), Err(CommandError::Ended));
}

#[test]
fn answers_wait_for_the_end_of_a_payload_that_is_being_sent() {
    let mut s = connected(CONFIG, 0);
    s.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
    s.receives("82 06 00 01 00 01 'a' 02").subscribe_requested();
    assert_eq!(s.try_suback(&[0]), Err(CommandError::SendingPayload));
    s.payload("ab").sends("'ab'");
    s.suback(&[0]).sends("90 03 00 01 00");
}

#[test]
fn requests_between_the_pieces_of_a_message_are_put_off() {
    let mut s = connected(CONFIG, 0);
    s.header(at_qos(Q0, 0), 1)
        .event(header_event(at_qos(Q0, 0), 1));
    for bytes in [
        hex("82 06 00 01 00 01 'a' 02"),
        hex("a2 05 00 09 00 01 'a'"),
        hex(PINGREQ),
        hex(DISCONNECT),
    ] {
        s.not_now(bytes, Blocked::ReceivingPayload);
    }
    s.piece("x", 0).event(payload_event("x", 0));
    s.receives(PINGREQ).sends(PINGRESP);
}

#[test]
fn a_header_before_connect_is_a_violation_and_behind_it_waits() {
    let mut s = begins(CONFIG);
    let error = unexpected(PacketType::Publish);
    assert_eq!(
        s.try_piece(piece_header(at_qos(Q0, 0), 5)),
        Err(HandleError::Peer(error))
    );
    s.closes(CloseReason::Violation(error));

    let mut s = begins(CONFIG);
    s.receives(connect_bytes(true, 0)).connect_requested();
    assert_eq!(
        s.try_piece(piece_header(at_qos(Q0, 0), 5)),
        Err(HandleError::Blocked(Blocked::AnswerPending))
    );
}

// Time

/// [MQTT-3.1.2-24]: a server also gives up on a client that never sends CONNECT.
#[test]
fn a_server_gives_up_on_a_client_that_never_sends_connect() {
    let mut s = begins(CONFIG);
    s.deadline(10_000);
    s.wakes_at(9_999).nothing_more();
    s.wakes_at(10_000).closes(CloseReason::ConnectTimeout);

    let mut s = begins(CONFIG.connect_timeout(core::time::Duration::from_millis(250)));
    s.deadline(250);
    s.wakes_at(250).closes(CloseReason::ConnectTimeout);

    begins(CONFIG.connect_timeout(core::time::Duration::from_millis(0))).no_deadline();
}

#[test]
fn while_the_application_has_not_answered_connect_no_time_runs() {
    let mut s = begins(CONFIG);
    s.receives(connect_bytes(true, 1)).connect_requested();
    s.no_deadline();
    s.wakes_at(60_000).nothing_more();
    s.accepts(None).sends("20 02 00 00").deadline(61_500);
}

/// [MQTT-3.1.2-24]: one and a half times the keep-alive after the last packet received.
#[test]
fn a_client_that_is_silent_for_one_and_a_half_times_its_keep_alive_is_given_up() {
    let mut s = connected(CONFIG, 60);
    s.deadline(90_000);
    s.at(10_000)
        .receives(PINGREQ)
        .sends(PINGRESP)
        .deadline(100_000);
    s.at(20_000)
        .receives(publish(Q0, 0, "x"))
        .message(publish(Q0, 0, "x"))
        .deadline(110_000);
    s.at(21_000).receives(puback(5)).deadline(111_000);
    s.at(22_000)
        .receives("82 06 00 01 00 01 'a' 02")
        .subscribe_requested()
        .no_deadline();
    s.suback(&[0]).sends("90 03 00 01 00").deadline(112_000);
    s.wakes_at(111_999).nothing_more();
    s.wakes_at(112_000).closes(CloseReason::KeepAliveTimeout);
}

/// [MQTT-3.1.2-24]: packets that the server sends do not count.
#[test]
fn sending_does_not_put_off_the_end_of_a_silent_client() {
    let mut s = connected(CONFIG, 60);
    s.at(50_000)
        .publish(Q1, "x")
        .sends(publish(Q1, 1, "x"))
        .deadline(90_000);
    s.at(80_000)
        .publish(Q0, "x")
        .sends(publish(Q0, 0, "x"))
        .deadline(90_000);
    s.wakes_at(90_000).closes(CloseReason::KeepAliveTimeout);
}

/// [MQTT-3.1.2-24]: 0 disables it.
#[test]
fn a_client_without_keep_alive_may_be_silent_for_ever() {
    let mut s = connected(CONFIG, 0);
    s.no_deadline();
    s.wakes_at(1 << 50).nothing_more().state(State::Connected);
}

#[test]
fn the_longest_keep_alive_is_more_than_a_day_for_the_server() {
    let mut s = connected(CONFIG, 65_535);
    s.deadline(98_302_500);
}

#[test]
fn pieces_of_a_payload_show_that_the_client_is_alive() {
    let mut s = connected(CONFIG, 10);
    s.at(14_000)
        .header(at_qos(Q1, 1), 2)
        .event(header_event(at_qos(Q1, 1), 2))
        .deadline(29_000);
    s.at(28_000)
        .piece("a", 1)
        .event(payload_event("a", 1))
        .deadline(43_000);
    s.at(42_000)
        .piece("b", 0)
        .event(payload_event("b", 0))
        .sends(puback(1))
        .deadline(57_000);
}

#[test]
fn early_timeouts_and_time_that_goes_backwards_do_no_harm() {
    let mut s = connected(CONFIG, 60);
    s.at(10_000)
        .receives(PINGREQ)
        .sends(PINGRESP)
        .deadline(100_000);
    for at in [0, 99_999, 5_000, 99_999] {
        s.wakes_at(at).nothing_more().deadline(100_000);
    }
    // A packet with an older time counts at the latest time of the clock.
    s.at(1_000)
        .receives(PINGREQ)
        .sends(PINGRESP)
        .deadline(189_999);
}

/// Slots that are all in use block a client only if no more can be added.
#[test]
fn a_client_whose_messages_fill_a_vector_of_slots_is_not_held_back() {
    let mut s = connected(CONFIG.manual_acknowledgement(true), 60);
    for number in 1..=8 {
        s.receives(publish(Q1, number, "x"))
            .message(publish(Q1, number, "x"));
    }
    s.deadline(90_000);
    let limited = CONFIG.manual_acknowledgement(true).receive_maximum(8);
    let mut s = connected(limited, 60);
    for number in 1..=8 {
        s.receives(publish(Q1, number, "x"))
            .message(publish(Q1, number, "x"));
    }
    s.no_deadline();
}

#[test]
fn a_client_whose_messages_fill_all_slots_is_held_back() {
    let mut s =
        conversation::Talk::<Server<[Slot; 8]>>::server(CONFIG.manual_acknowledgement(true));
    s.receives(connect_bytes(false, 60)).connect_requested();
    s.accepts(None).sends("20 02 00 00");
    for number in 1..=8 {
        s.deadline(90_000);
        s.receives(publish(Q1, number, "x"))
            .message(publish(Q1, number, "x"));
    }
    s.no_deadline();
}

/// The client's silence counts, not the application's [MQTT-3.1.2-24]: while a SUBSCRIBE awaits its
/// answer, packets of the client are not handled, but have arrived.
#[test]
fn a_client_that_waits_for_the_application_is_not_silent() {
    let mut s = connected(CONFIG, 10);
    s.at(1_000)
        .receives("82 06 00 01 00 01 'a' 02")
        .subscribe_requested();
    s.at(10_000).not_now(PINGREQ, Blocked::AnswerPending);
    s.wakes_at(16_000).nothing_more().state(State::Connected);
    s.at(16_400).suback(&[0]).sends("90 03 00 01 00");
    s.receives(PINGREQ).sends(PINGRESP).deadline(31_400);
}

/// [MQTT-3.2.2-3]: CONNACK reports the real state.
#[test]
fn a_session_given_at_the_start_is_not_the_clients_unless_it_is_accepted_with() {
    let mut s = connected(CONFIG, 0);
    s.publish(Q1, "old").sends(publish(Q1, 1, "old"));
    s.receives(publish(Q2, 5, "x"))
        .message(publish(Q2, 5, "x"))
        .sends(pubrec(5));
    let kept = s.breaks_off();

    let mut s = Talk::new(Server::new(kept, CONFIG, ms(0)));
    s.receives(connect_bytes(false, 0)).connect_requested();
    s.accepts(None).sends("20 02 00 00").nothing_more();
    assert!(s.session().is_empty());
    s.receives(publish(Q2, 5, "new"))
        .message(publish(Q2, 5, "new"))
        .sends(pubrec(5));
    s.publish(Q1, "new").sends(publish(Q1, 2, "new"));
}

/// [MQTT-3.1.2-24]: the client sends, but its packets are not handled.
#[test]
fn a_client_whose_packets_wait_for_the_end_of_a_payload_is_not_silent() {
    let mut s = connected(CONFIG, 10);
    s.publish_in_pieces(Q0, 4).sends("30 07 00 01 't'");
    s.at(1_000).receives(PINGREQ).no_deadline();
    s.at(2_000).not_now(PINGREQ, Blocked::SendingPayload);
    s.wakes_at(16_000).nothing_more().state(State::Connected);
    s.at(20_000).payload("ab").sends("'ab'").no_deadline();
    s.at(30_000).payload("cd").sends("'cd'").sends(PINGRESP);
    // Its silence counts from now.
    s.wakes_at(30_000).nothing_more().deadline(45_000);
    s.wakes_at(45_000).closes(CloseReason::KeepAliveTimeout);
}

/// Nothing waits for the payload of a client that is silent.
#[test]
fn a_client_that_is_silent_while_a_payload_is_sent_is_given_up() {
    let mut s = connected(CONFIG, 10);
    s.publish_in_pieces(Q0, 4).sends("30 07 00 01 't'");
    s.at(10_000).payload("ab").sends("'ab'").deadline(15_000);
    s.wakes_at(15_000).closes(CloseReason::KeepAliveTimeout);
}

// Ending, and the Will

/// [MQTT-3.1.2-10, MQTT-3.14.4-3]
#[test]
fn after_disconnect_the_will_is_discarded() {
    let mut s = with_will();
    s.receives(DISCONNECT)
        .event(Event::Disconnected)
        .action(Action::DiscardWill)
        .closes(CloseReason::Disconnected);
}

/// [MQTT-3.1.2-12]
#[test]
fn without_a_will_nothing_is_said_of_one() {
    let mut s = connected(CONFIG, 60);
    s.receives(DISCONNECT)
        .event(Event::Disconnected)
        .closes(CloseReason::Disconnected);
    let mut s = connected(CONFIG, 60);
    s.transport_closes().closes(CloseReason::TransportClosed);
}

/// [MQTT-3.1.2-8]
#[test]
fn when_the_transport_is_closed_the_will_is_published() {
    let mut s = with_will();
    s.transport_closes()
        .action(Action::PublishWill)
        .closes(CloseReason::TransportClosed);
}

/// [MQTT-3.1.2-8, MQTT-3.1.2-24]
#[test]
fn when_the_keep_alive_runs_out_the_will_is_published() {
    let mut s = with_will();
    s.wakes_at(90_000)
        .action(Action::PublishWill)
        .closes(CloseReason::KeepAliveTimeout);
}

/// [MQTT-3.1.2-8, MQTT-4.8.0-1]
#[test]
fn when_the_client_breaks_the_protocol_the_will_is_published() {
    let mut s = with_will();
    s.violates(
        connect_bytes(true, 0),
        PeerError::Protocol(ProtocolError::SecondConnect),
    )
    .action(Action::PublishWill)
    .closes(CloseReason::Violation(PeerError::Protocol(
        ProtocolError::SecondConnect,
    )));

    let mut s = with_will();
    s.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    let error = PeerError::Protocol(ProtocolError::WrongAcknowledgement {
        packet_type: PacketType::PubComp,
        packet_id: id(1),
    });
    s.violates(pubcomp(1), error)
        .action(Action::PublishWill)
        .closes(CloseReason::Violation(error));

    let mut s = with_will();
    s.receives_malformed("36 05 00 01 't' 00 01")
        .action(Action::PublishWill);
    closes_as_malformed(&mut s, ErrorKind::InvalidQos);
}

/// [MQTT-3.1.2-8, MQTT-3.1.4-2]
#[test]
fn when_the_server_closes_the_will_is_published() {
    let mut s = with_will();
    s.close()
        .action(Action::PublishWill)
        .closes(CloseReason::Aborted);
}

/// A Will is valid once the connection is accepted.
#[test]
fn the_will_of_a_connection_that_was_not_accepted_is_not_published() {
    for end in 0..3 {
        let mut s = begins(CONFIG);
        s.receives(connect_with_will(false, 60)).connect_requested();
        match end {
            0 => s.transport_closes().closes(CloseReason::TransportClosed),
            1 => s.close().closes(CloseReason::Aborted),
            _ => s
                .refuses(ConnectRefusal::NotAuthorized)
                .sends("20 02 00 05")
                .closes(CloseReason::Refused(ConnectRefusal::NotAuthorized)),
        };
    }
}

/// [MQTT-3.1.2-10]
#[test]
fn the_will_is_said_once_and_what_came_first_counts() {
    let mut s = with_will();
    s.holds_actions();
    s.receives(DISCONNECT).event(Event::Disconnected);
    s.transport_closes().nothing_more();
    s.close().nothing_more();
    s.takes_actions()
        .action(Action::DiscardWill)
        .closes(CloseReason::Disconnected);
}

/// [MQTT-3.1.2-6, MQTT-3.1.4-3]
#[test]
fn with_clean_session_messages_are_lost_before_the_will_is_published() {
    let mut s = begins(CONFIG);
    s.receives(connect_with_will(true, 60)).connect_requested();
    s.accepts(None).sends("20 02 00 00");
    s.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    s.transport_closes()
        .lost(1, false)
        .action(Action::PublishWill)
        .closes(CloseReason::TransportClosed);
    assert!(s.peer.into_session().is_empty());
}

#[test]
fn the_session_is_kept_after_disconnect() {
    let mut s = connected(CONFIG, 0);
    s.publish(Q1, "x").sends(publish(Q1, 1, "x"));
    s.receives(publish(Q2, 7, "y"))
        .message(publish(Q2, 7, "y"))
        .sends(pubrec(7));
    s.receives(DISCONNECT)
        .event(Event::Disconnected)
        .closes(CloseReason::Disconnected);
    let session = s.peer.into_session();
    assert_eq!((outbound(&session), inbound(&session)), (vec![1], vec![7]));
}

/// [MQTT-3.12.4-1]
#[test]
fn pingreq_is_answered_with_pingresp() {
    let mut s = connected(CONFIG, 0);
    s.receives(PINGREQ).sends(PINGRESP);
    s.receives(PINGREQ).sends(PINGRESP);
}

#[test]
fn several_packets_at_once_are_answered_in_their_order() {
    let mut s = connected(CONFIG, 0);
    let stream = [
        publish(Q1, 1, "a"),
        publish(Q2, 2, "b"),
        hex(PINGREQ),
        pubrel(2),
    ];
    s.receives(stream.concat());
    s.message(publish(Q1, 1, "a")).sends(puback(1));
    s.message(publish(Q2, 2, "b")).sends(pubrec(2));
    s.sends(PINGRESP).sends(pubcomp(2));
}

// A hostile client

/// 65,535 unreleased QoS 2 messages from one hostile client: memory is bounded, and a client that does
/// not release them is disconnected, with the limit as the reason. `tests/hostile/identifiers.rs` counts
/// the cost.
#[test]
fn a_client_that_never_releases_is_bounded_and_given_up() {
    let mut s = connected(CONFIG.receive_maximum(1_024), 0);
    for number in 1..=1_024 {
        s.receives(publish(Q2, number, "x"))
            .message(publish(Q2, number, "x"))
            .sends(pubrec(number));
        s.log = Log::default();
    }
    for number in 1_025..1_030 {
        s.receives(publish(Q2, number, "x")).nothing_more();
    }
    s.deadline(10_000).wakes_at(10_000);
    s.closes(inbound_limit(1_024));
}

// Size

/// The state of an idle connection, without the decoder's buffer, has at most 256 bytes.
#[test]
fn an_idle_connection_takes_at_most_256_bytes() {
    let decoder = size_of::<Decoder<Vec<u8>>>() - size_of::<Vec<u8>>();
    let server = size_of::<Server<Vec<Slot>>>();
    assert!(server + decoder <= 256, "{server} + {decoder}");
}

/// [MQTT-3.1.2-8]: a driver that learns of the closed transport before it has polled the last
/// actions.
#[test]
fn a_will_that_is_to_be_published_is_published_whatever_comes_next() {
    let ends: [fn(&mut Talk); 3] = [
        |s| {
            s.wakes_at(90_000);
        },
        |s| {
            s.violates(
                connect_bytes(true, 0),
                PeerError::Protocol(ProtocolError::SecondConnect),
            );
        },
        |s| {
            s.close();
        },
    ];
    for end in ends {
        let mut s = with_will();
        s.holds_actions();
        end(&mut s);
        s.transport_closes();
        s.takes_actions().action(Action::PublishWill);
        assert!(matches!(s.log_pop(), Some(Item::Action(Action::Close(_)))));
        s.is_over();
    }
}

// MQTT 3.1, and clients that violate the standard

/// Returns a stream that begins with this CONNECT, and the decoder that has decoded it.
fn begun(connect: &[u8], options: Options) -> (Server<Vec<Slot>>, Decoder<Vec<u8>>) {
    let mut server = Server::new(fresh(), CONFIG, ms(0));
    let mut decoder = Decoder::with_options(Vec::new(), options);
    let mut input = connect;
    let step = server.receive(ms(0), &mut decoder, &mut input).unwrap();
    assert!(
        matches!(step, Some(Step::Event(Event::ConnectRequested(_)))),
        "{step:?}"
    );
    server.accept_new(ms(0), &mut Vec::new()).unwrap();
    (server, decoder)
}

/// MQTT 3.1: "if the flag is set and the User Name is missing, the connection goes on".
#[test]
fn in_mqtt_3_1_credentials_may_be_missing_although_their_flags_are_set() {
    for (connect, user_name, password) in [
        ("10 0f 00 06 'MQIsdp' 03 82 00 3c 00 01 'c'", None, None),
        ("10 0f 00 06 'MQIsdp' 03 c2 00 3c 00 01 'c'", None, None),
        (
            "10 12 00 06 'MQIsdp' 03 c2 00 3c 00 01 'c' 00 01 'u'",
            Some("u"),
            None,
        ),
        (
            "10 15 00 06 'MQIsdp' 03 c2 00 3c 00 01 'c' 00 01 'u' 00 01 'p'",
            Some("u"),
            Some(&b"p"[..]),
        ),
        (
            "10 14 00 06 'MQIsdp' 03 86 00 3c 00 01 'c' 00 01 't' 00 00",
            None,
            None,
        ),
    ] {
        let bytes = hex(connect);
        let packet = v3::decode(&mut &bytes[..], &Options::new()).unwrap();
        let Some(v3::Packet::Connect(connect)) = packet else {
            panic!("{packet:?}");
        };
        let credentials = connect.to_connect().credentials;
        assert_eq!(
            credentials.map(|c| c.user_name.into_inner()),
            user_name.map(str::as_bytes)
        );
        assert_eq!(credentials.and_then(|c| c.password), password);
        // An accepted packet encodes as the standard requires.
        let encoded = connect.encode_to_vec().unwrap();
        assert!(v3::decode(&mut &encoded[..], &Options::new()).is_ok());
    }
    // Not in MQTT 3.1.1 [MQTT-3.1.2-19].
    let bytes = hex("10 0d 00 04 'MQTT' 04 82 00 3c 00 01 'c'");
    let error = v3::decode(&mut &bytes[..], &Options::new()).unwrap_err();
    assert_eq!(error.statement(), Some("MQTT-3.1.2-19"));
}

/// Unused bits of the Connect Flags are ignored in MQTT 3.1, and refused in MQTT 3.1.1.
#[test]
fn in_mqtt_3_1_unused_connect_flags_are_ignored() {
    for flags in [0x03, 0x0a, 0x12, 0x22, 0x3b] {
        let mut bytes = hex("10 0f 00 06 'MQIsdp' 03 02 00 3c 00 01 'c'");
        bytes[11] = flags;
        begun(&bytes, Options::new());
        let mut bytes = hex("10 0d 00 04 'MQTT' 04 02 00 3c 00 01 'c'");
        bytes[9] = flags;
        assert!(v3::decode(&mut &bytes[..], &Options::new()).is_err());
    }
}

/// The decoder learns from CONNECT that its stream is MQTT 3.1, however that is split, and keeps this
/// with other options.
#[test]
fn in_mqtt_3_1_unused_bits_of_fixed_headers_are_ignored() {
    let packets = [
        "8b 06 00 01 00 01 'a' 00",
        "a0 05 00 01 00 01 'a'",
        "c1 00",
        "6a 02 00 07",
        "ef 00",
    ];
    for packet in packets {
        let packet = hex(packet);
        let connect = hex("10 0f 00 06 'MQIsdp' 03 02 00 3c 00 01 'c'");
        let (mut server, mut decoder) = begun(&connect, Options::new());
        decoder.set_options(Options::new().max_packet_size(100));
        let step = server
            .receive(ms(0), &mut decoder, &mut &packet[..])
            .unwrap();
        let is_closed = matches!(
            step,
            Some(Step::Action(Action::Close(CloseReason::Violation(_))))
        );
        assert!(!is_closed, "{step:?}");

        let mut decoder = Decoder::new(Vec::new());
        for byte in &connect {
            decoder.decode(&mut &[*byte][..]).unwrap();
        }
        assert!(decoder.decode(&mut &packet[..]).unwrap().is_some());

        let connect = hex("10 0d 00 04 'MQTT' 04 02 00 3c 00 01 'c'");
        let (_, mut decoder) = begun(&connect, Options::new());
        assert!(decoder.decode(&mut &packet[..]).is_err());
    }
    // A client sets the option of its decoder.
    let options = Options::new().mqtt_3_1(true);
    assert!(v3::decode(&mut &hex("9f 03 00 01 00")[..], &options).is_ok());
}

/// A bridge of mosquitto sends 0x83 or 0x84.
#[test]
fn a_bridge_is_let_in_where_that_is_asked_for() {
    for connect in [
        "10 0f 00 06 'MQIsdp' 83 02 00 3c 00 01 'c'",
        "10 0d 00 04 'MQTT' 84 02 00 3c 00 01 'c'",
    ] {
        let bytes = hex(connect);
        begun(&bytes, Options::new().accept_bridge_levels(true));
        let error = v3::decode(&mut &bytes[..], &Options::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedProtocolLevel);
        assert!(matches!(error.value(), Some(0x83 | 0x84)), "{error}");
    }
}

#[test]
fn a_will_qos_without_a_will_is_ignored_where_that_is_asked_for() {
    let bytes = hex("10 0d 00 04 'MQTT' 04 0a 00 3c 00 01 'c'");
    begun(&bytes, Options::new().accept_will_qos_without_will(true));
    let error = v3::decode(&mut &bytes[..], &Options::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WillQosWithoutWill);
}

/// Some devices answer every message with PUBACK.
#[test]
fn a_puback_for_a_qos_2_message_ends_its_delivery_where_that_is_asked_for() {
    let mut s = connected(CONFIG.accept_puback_at_qos_2(true), 0);
    s.publish(Q2, "a").sends(publish(Q2, 1, "a"));
    s.receives(puback(1)).delivered(1);
    assert!(s.session().is_empty());
    // Not after PUBREC.
    s.publish(Q2, "b").sends(publish(Q2, 2, "b"));
    s.receives(pubrec(2)).received(2).sends(pubrel(2));
    let error = PeerError::Protocol(ProtocolError::WrongAcknowledgement {
        packet_type: PacketType::PubAck,
        packet_id: id(2),
    });
    s.violates(puback(2), error)
        .closes(CloseReason::Violation(error));
}

// Error messages

/// The error and its message contain the invalid value.
#[test]
fn an_error_has_the_value_that_it_is_about() {
    for (bytes, value) in [
        ("20 02 00 06", 0x06),    // unknown Connect Return Code
        ("90 03 00 01 03", 0x03), // unknown return code in SUBACK
        ("10 0d 00 04 'MQTT' 05 02 00 3c 00 01 'c'", 0x05), // a level of another version
        ("82 06 00 01 00 01 'a' 03", 0x03), // Requested QoS
        ("60 02 00 01", 0x60),    // flags
        ("f0 00", 0xf0),          // reserved packet type
        ("e0 02 8e 00", 0x8e),    // a DISCONNECT of MQTT 5: session taken over
        ("e0 01 8e", 0x8e),
    ] {
        let bytes = hex(bytes);
        let error = v3::decode(&mut &bytes[..], &Options::new()).unwrap_err();
        assert_eq!(error.value(), Some(value), "{error}");
        assert!(
            error.to_string().contains(&format!("0x{value:02x}")),
            "{error}"
        );
    }
    assert_eq!(size_of::<v3::DecodeError>(), 8);
    // A DISCONNECT of MQTT 5 with 0 says no more than its length.
    for bytes in ["32 05 00 01 't' 00 00", "e0 01 00"] {
        let error = v3::decode(&mut &hex(bytes)[..], &Options::new()).unwrap_err();
        assert_eq!(error.value(), None);
    }
}

/// The bytes left over could be a Will Topic or a User Name.
#[test]
fn bytes_left_over_in_a_connect_without_flags_have_no_name() {
    let connect = hex("10 10 00 04 'MQTT' 04 02 00 3c 00 01 'c' 00 01 'u'");
    let error = v3::decode(&mut &connect[..], &Options::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TrailingBytes);
    assert!(!error.to_string().contains("Will Topic"), "{error}");
}
