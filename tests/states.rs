//! What each packet and each command leads to in each state: the whole table, for both roles.
//!
//! A cell says what the call returned and what came out then:
//!
//! | cell | the call |
//! |---|---|
//! | `-` | was taken; nothing more |
//! | `Message` and the like | was taken, with this event |
//! | `> PUBACK` | then sent this |
//! | `!Unexpected` and the like | found a violation with this name, and ended the connection |
//! | `?AnswerPending` and the like | put the packet off, or refused the command, and changed nothing |
//! | `.` | did nothing, because the connection has ended, and changed nothing |

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
    reason = "a test stops at what it does not expect, and has std"
)]

mod conversation;

use conversation::*;
use mqtt_sansio::v3::ConnectRefusal;
use mqtt_sansio::{
    Action, Client, CloseReason, Config, HandleError, SendError, Server, Slot, State,
};

type ClientTalk = Talk<Client<Vec<Slot>>>;
type ServerTalk = Talk<Server<Vec<Slot>>>;

/// Each of the fourteen packets; acknowledgements also for identifiers that are not under way.
/// From this side 1 is under way at QoS 1, 2 at QoS 2, 3 is released, 4 is a SUBSCRIBE with one
/// filter and 5 an UNSUBSCRIBE; the peer's 6 awaits PUBREL. 9 is nothing.
fn packet(name: &str) -> Vec<u8> {
    match name {
        "CONNECT" => connect_bytes(false, 0),
        "CONNACK" => hex("20 02 00 00"),
        "CONNACK present" => hex("20 02 01 00"),
        "CONNACK refused" => hex("20 02 00 05"),
        "PUBLISH 0" => publish(Q0, 0, "x"),
        "PUBLISH 1" => publish(Q1, 9, "x"),
        "PUBLISH 2" => publish(Q2, 9, "x"),
        "PUBLISH 2 again" => dup(Q2, 6, "x"),
        "PUBLISH 1, used" => publish(Q1, 6, "x"),
        "PUBACK" => puback(9),
        "PUBACK 1" => puback(1),
        "PUBACK 2" => puback(2),
        "PUBACK 3" => puback(3),
        "PUBREC" => pubrec(9),
        "PUBREC 1" => pubrec(1),
        "PUBREC 2" => pubrec(2),
        "PUBREC 3" => pubrec(3),
        "PUBREL" => pubrel(9),
        "PUBREL 6" => pubrel(6),
        "PUBCOMP" => pubcomp(9),
        "PUBCOMP 1" => pubcomp(1),
        "PUBCOMP 2" => pubcomp(2),
        "PUBCOMP 3" => pubcomp(3),
        "PUBACK 4" => puback(4),
        "PUBREC 4" => pubrec(4),
        "PUBCOMP 5" => pubcomp(5),
        "SUBSCRIBE" => hex("82 06 00 09 00 01 'a' 00"),
        "SUBACK" => hex("90 03 00 09 00"),
        "SUBACK 1" => hex("90 03 00 01 00"),
        "SUBACK 4" => hex("90 03 00 04 00"),
        "SUBACK 4 of 2" => hex("90 04 00 04 00 00"),
        "SUBACK 5" => hex("90 03 00 05 00"),
        "UNSUBSCRIBE" => hex("a2 05 00 09 00 01 'a'"),
        "UNSUBACK" => unsuback(9),
        "UNSUBACK 1" => unsuback(1),
        "UNSUBACK 4" => unsuback(4),
        "UNSUBACK 5" => unsuback(5),
        "PINGREQ" => hex(PINGREQ),
        "PINGRESP" => hex(PINGRESP),
        "DISCONNECT" => hex(DISCONNECT),
        other => panic!("what is {other}?"),
    }
}

/// The name that the Debug of a value begins with.
fn name(value: &impl std::fmt::Debug) -> String {
    let shown = format!("{value:?}");
    let end = shown
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(shown.len());
    shown[..end].to_owned()
}

/// What a packet led to, as the table writes it.
fn outcome_of_packet<P: Peer>(talk: &mut Talk<P>, bytes: Vec<u8>) -> String {
    let before = format!("{:?}", talk.peer);
    let result = talk.try_receive(bytes);
    let after = format!("{:?}", talk.peer);
    match result {
        Err(HandleError::Ended) => {
            assert_eq!(before, after);
            return ".".to_owned();
        }
        Err(HandleError::NotNow(why)) => {
            assert_eq!(before, after);
            return format!("?{why:?}");
        }
        Err(HandleError::Peer(error)) => {
            talk.closes(CloseReason::Violation(error));
            return format!("!{}", name(&error));
        }
        Ok(()) => {}
    }
    let mut cell = Vec::new();
    while let Some(item) = talk.log_pop() {
        cell.push(match item {
            Item::Event(event) => name(&event),
            Item::Sent(bytes) => match bytes[0] {
                0x40 => "> PUBACK".to_owned(),
                0x50 => "> PUBREC".to_owned(),
                0x62 => "> PUBREL".to_owned(),
                0x70 => "> PUBCOMP".to_owned(),
                0xd0 => "> PINGRESP".to_owned(),
                other => panic!("{other}"),
            },
            Item::Action(Action::Close(_)) => "> close".to_owned(),
            Item::Action(action) => format!("> {action:?}"),
        });
    }
    if cell.is_empty() {
        "-".to_owned()
    } else {
        cell.join(" ")
    }
}

/// Reads a table: names of columns first, then a row a line.
fn each_cell(table: &str, check: impl Fn(&str, &str) -> String) {
    let mut lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let columns = cells(lines.next().unwrap());
    let mut wrong = Vec::new();
    for line in lines {
        let row = cells(line);
        assert_eq!(row.len(), columns.len(), "{line}");
        for (column, expected) in columns.iter().zip(&row).skip(1) {
            let was = check(column, &row[0]);
            if was != *expected {
                wrong.push(format!("{} in {column}: {was}, not {expected}", row[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

// Client

fn client_requested(config: Config) -> ClientTalk {
    let mut c = Talk::client(fresh(), config);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c
}

fn client_connected(config: Config) -> ClientTalk {
    let mut c = client_requested(config);
    c.receives("20 02 00 00").connected(false);
    c.publish(Q1, "a").sends(publish(Q1, 1, "a"));
    c.publish(Q2, "b").sends(publish(Q2, 2, "b"));
    c.publish(Q2, "c").sends(publish(Q2, 3, "c"));
    c.receives(pubrec(3)).received(3).sends(pubrel(3));
    c.subscribe(&["a"]).sends("82 06 00 04 00 01 'a' 02");
    c.unsubscribe(&["a"]).sends("a2 05 00 05 00 01 'a'");
    c.receives(publish(Q2, 6, "d")).message(publish(Q2, 6, "d"));
    if config == MANUAL {
        c.acknowledge(6);
    }
    c.sends(pubrec(6));
    c
}

const AUTO: Config = Config::new();
const MANUAL: Config = Config::new().manual_acknowledgement(true);

fn client_in(state: &str) -> ClientTalk {
    match state {
        "Start" => Talk::client(fresh(), AUTO),
        "Requested" => client_requested(AUTO),
        "Connected" => client_connected(AUTO),
        // An acknowledgement waits to be polled.
        "unpolled" => {
            let mut c = client_connected(AUTO);
            c.holds_actions();
            c.receives(publish(Q1, 8, "x")).message(publish(Q1, 8, "x"));
            c
        }
        // A message is coming in pieces.
        "in pieces" => {
            let mut c = client_connected(AUTO);
            c.header(at_qos(Q1, 8), 2)
                .event(header_event(at_qos(Q1, 8), 2));
            c
        }
        // One is being sent in pieces.
        "out pieces" => {
            let mut c = client_connected(AUTO);
            c.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
            c
        }
        "Ending" => {
            let mut c = client_connected(AUTO);
            c.holds_actions();
            c.close().state(State::Ending);
            c
        }
        "Ended" => {
            let mut c = client_connected(AUTO);
            c.close().closes(CloseReason::Aborted).state(State::Ended);
            c
        }
        other => panic!("what is {other}?"),
    }
}

/// mqtt-protocol-core; sol#15, shenyu#6638: the state is checked before the packet is looked at; a
/// violation always ends in Close [MQTT-4.8.0-1], and after Close nothing comes out.
#[test]
fn each_packet_in_each_state_of_a_client() {
    each_cell(
        "| packet          | Start       | Requested       | Connected             | unpolled        | in pieces             | out pieces            | Ending | Ended |
         | CONNECT         | !Unexpected | !Unexpected     | !Unexpected           | ?ActionsPending | !Unexpected           | !Unexpected           | . | . |
         | CONNACK         | !Unexpected | Connected       | !Unexpected           | ?ActionsPending | !Unexpected           | !Unexpected           | . | . |
         | CONNACK present | !Unexpected | Connected       | !Unexpected           | ?ActionsPending | !Unexpected           | !Unexpected           | . | . |
         | CONNACK refused | !Unexpected | Refused > close | !Unexpected           | ?ActionsPending | !Unexpected           | !Unexpected           | . | . |
         | PUBLISH 0       | !Unexpected | !Unexpected     | Message               | ?ActionsPending | ?PayloadPending       | Message               | . | . |
         | PUBLISH 1       | !Unexpected | !Unexpected     | Message > PUBACK      | ?ActionsPending | ?PayloadPending       | Message               | . | . |
         | PUBLISH 2       | !Unexpected | !Unexpected     | Message > PUBREC      | ?ActionsPending | ?PayloadPending       | Message               | . | . |
         | PUBLISH 2 again | !Unexpected | !Unexpected     | > PUBREC              | ?ActionsPending | ?PayloadPending       | -                     | . | . |
         | PUBLISH 1, used | !Unexpected | !Unexpected     | !PacketIdInUse        | ?ActionsPending | ?PayloadPending       | !PacketIdInUse        | . | . |
         | PUBACK          | !Unexpected | !Unexpected     | -                     | ?ActionsPending | ?PayloadPending       | -                     | . | . |
         | PUBACK 1        | !Unexpected | !Unexpected     | Delivered             | ?ActionsPending | ?PayloadPending       | Delivered             | . | . |
         | PUBACK 2        | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | PUBACK 3        | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | PUBACK 4        | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | PUBREC          | !Unexpected | !Unexpected     | > PUBREL              | ?ActionsPending | ?PayloadPending       | -                     | . | . |
         | PUBREC 1        | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | PUBREC 2        | !Unexpected | !Unexpected     | Received > PUBREL     | ?ActionsPending | ?PayloadPending       | Received              | . | . |
         | PUBREC 3        | !Unexpected | !Unexpected     | > PUBREL              | ?ActionsPending | ?PayloadPending       | -                     | . | . |
         | PUBREC 4        | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | PUBREL          | !Unexpected | !Unexpected     | > PUBCOMP             | ?ActionsPending | ?PayloadPending       | -                     | . | . |
         | PUBREL 6        | !Unexpected | !Unexpected     | > PUBCOMP             | ?ActionsPending | ?PayloadPending       | -                     | . | . |
         | PUBCOMP         | !Unexpected | !Unexpected     | -                     | ?ActionsPending | ?PayloadPending       | -                     | . | . |
         | PUBCOMP 1       | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | PUBCOMP 2       | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | PUBCOMP 3       | !Unexpected | !Unexpected     | Delivered             | ?ActionsPending | ?PayloadPending       | Delivered             | . | . |
         | PUBCOMP 5       | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | SUBSCRIBE       | !Unexpected | !Unexpected     | !Unexpected           | ?ActionsPending | !Unexpected           | !Unexpected           | . | . |
         | SUBACK          | !Unexpected | !Unexpected     | !NoSuchRequest        | ?ActionsPending | ?PayloadPending       | !NoSuchRequest        | . | . |
         | SUBACK 1        | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | SUBACK 4        | !Unexpected | !Unexpected     | Subscribed            | ?ActionsPending | ?PayloadPending       | Subscribed            | . | . |
         | SUBACK 4 of 2   | !Unexpected | !Unexpected     | !WrongNumberOfReturnCodes | ?ActionsPending | ?PayloadPending   | !WrongNumberOfReturnCodes | . | . |
         | SUBACK 5        | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | UNSUBSCRIBE     | !Unexpected | !Unexpected     | !Unexpected           | ?ActionsPending | !Unexpected           | !Unexpected           | . | . |
         | UNSUBACK        | !Unexpected | !Unexpected     | !NoSuchRequest        | ?ActionsPending | ?PayloadPending       | !NoSuchRequest        | . | . |
         | UNSUBACK 1      | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | UNSUBACK 4      | !Unexpected | !Unexpected     | !WrongAcknowledgement | ?ActionsPending | ?PayloadPending       | !WrongAcknowledgement | . | . |
         | UNSUBACK 5      | !Unexpected | !Unexpected     | Unsubscribed          | ?ActionsPending | ?PayloadPending       | Unsubscribed          | . | . |
         | PINGREQ         | !Unexpected | !Unexpected     | !Unexpected           | ?ActionsPending | !Unexpected           | !Unexpected           | . | . |
         | PINGRESP        | !Unexpected | !Unexpected     | -                     | ?ActionsPending | ?PayloadPending       | -                     | . | . |
         | DISCONNECT      | !Unexpected | !Unexpected     | !Unexpected           | ?ActionsPending | !Unexpected           | !Unexpected           | . | . |",
        |state, packet_name| outcome_of_packet(&mut client_in(state), packet(packet_name)),
    );
}

// Server

fn server_requested(config: Config) -> ServerTalk {
    let mut s = Talk::server(config);
    s.receives(connect_bytes(false, 0)).connect_requested();
    s
}

/// 4 and 5 are not used here: a server makes no requests.
fn server_connected(config: Config) -> ServerTalk {
    let mut s = server_requested(config);
    s.accepts(None).sends("20 02 00 00");
    s.publish(Q1, "a").sends(publish(Q1, 1, "a"));
    s.publish(Q2, "b").sends(publish(Q2, 2, "b"));
    s.publish(Q2, "c").sends(publish(Q2, 3, "c"));
    s.receives(pubrec(3)).received(3).sends(pubrel(3));
    s.receives(publish(Q2, 6, "d")).message(publish(Q2, 6, "d"));
    if config == MANUAL {
        s.acknowledge(6);
    }
    s.sends(pubrec(6));
    s
}

fn server_in(state: &str) -> ServerTalk {
    match state {
        "Start" => Talk::server(AUTO),
        "Requested" => server_requested(AUTO),
        "Connected" => server_connected(AUTO),
        // A SUBSCRIBE, or an UNSUBSCRIBE, awaits its answer.
        "asked" => {
            let mut s = server_connected(AUTO);
            s.receives("82 06 00 01 00 01 'a' 00").subscribe_requested();
            s
        }
        "asked to end" => {
            let mut s = server_connected(AUTO);
            s.receives("a2 05 00 01 00 01 'a'").unsubscribe_requested();
            s
        }
        "unpolled" => {
            let mut s = server_connected(AUTO);
            s.holds_actions();
            s.receives(publish(Q1, 8, "x")).message(publish(Q1, 8, "x"));
            s
        }
        "in pieces" => {
            let mut s = server_connected(AUTO);
            s.header(at_qos(Q1, 8), 2)
                .event(header_event(at_qos(Q1, 8), 2));
            s
        }
        "out pieces" => {
            let mut s = server_connected(AUTO);
            s.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
            s
        }
        "Ending" => {
            let mut s = server_connected(AUTO);
            s.holds_actions();
            s.close().state(State::Ending);
            s
        }
        "Ended" => {
            let mut s = server_connected(AUTO);
            s.close().closes(CloseReason::Aborted).state(State::Ended);
            s
        }
        other => panic!("what is {other}?"),
    }
}

/// mqtt-protocol-core; sol#15, shenyu#6638: the same for a server. [MQTT-3.1.0-2, MQTT-4.8.0-1]
#[test]
fn each_packet_in_each_state_of_a_server() {
    each_cell(
        "| packet          | Start            | Requested      | Connected             | asked          | unpolled        | in pieces       | out pieces            | Ending | Ended |
         | CONNECT         | ConnectRequested | ?AnswerPending | !SecondConnect        | ?AnswerPending | ?ActionsPending | !SecondConnect  | !SecondConnect        | . | . |
         | CONNACK         | !Unexpected      | ?AnswerPending | !Unexpected           | ?AnswerPending | ?ActionsPending | !Unexpected     | !Unexpected           | . | . |
         | PUBLISH 0       | !Unexpected      | ?AnswerPending | Message               | ?AnswerPending | ?ActionsPending | ?PayloadPending | Message               | . | . |
         | PUBLISH 1       | !Unexpected      | ?AnswerPending | Message > PUBACK      | ?AnswerPending | ?ActionsPending | ?PayloadPending | Message               | . | . |
         | PUBLISH 2       | !Unexpected      | ?AnswerPending | Message > PUBREC      | ?AnswerPending | ?ActionsPending | ?PayloadPending | Message               | . | . |
         | PUBLISH 2 again | !Unexpected      | ?AnswerPending | > PUBREC              | ?AnswerPending | ?ActionsPending | ?PayloadPending | -                     | . | . |
         | PUBLISH 1, used | !Unexpected      | ?AnswerPending | !PacketIdInUse        | ?AnswerPending | ?ActionsPending | ?PayloadPending | !PacketIdInUse        | . | . |
         | PUBACK          | !Unexpected      | ?AnswerPending | -                     | ?AnswerPending | ?ActionsPending | ?PayloadPending | -                     | . | . |
         | PUBACK 1        | !Unexpected      | ?AnswerPending | Delivered             | ?AnswerPending | ?ActionsPending | ?PayloadPending | Delivered             | . | . |
         | PUBACK 2        | !Unexpected      | ?AnswerPending | !WrongAcknowledgement | ?AnswerPending | ?ActionsPending | ?PayloadPending | !WrongAcknowledgement | . | . |
         | PUBACK 3        | !Unexpected      | ?AnswerPending | !WrongAcknowledgement | ?AnswerPending | ?ActionsPending | ?PayloadPending | !WrongAcknowledgement | . | . |
         | PUBREC          | !Unexpected      | ?AnswerPending | > PUBREL              | ?AnswerPending | ?ActionsPending | ?PayloadPending | -                     | . | . |
         | PUBREC 1        | !Unexpected      | ?AnswerPending | !WrongAcknowledgement | ?AnswerPending | ?ActionsPending | ?PayloadPending | !WrongAcknowledgement | . | . |
         | PUBREC 2        | !Unexpected      | ?AnswerPending | Received > PUBREL     | ?AnswerPending | ?ActionsPending | ?PayloadPending | Received              | . | . |
         | PUBREC 3        | !Unexpected      | ?AnswerPending | > PUBREL              | ?AnswerPending | ?ActionsPending | ?PayloadPending | -                     | . | . |
         | PUBREL          | !Unexpected      | ?AnswerPending | > PUBCOMP             | ?AnswerPending | ?ActionsPending | ?PayloadPending | -                     | . | . |
         | PUBREL 6        | !Unexpected      | ?AnswerPending | > PUBCOMP             | ?AnswerPending | ?ActionsPending | ?PayloadPending | -                     | . | . |
         | PUBCOMP         | !Unexpected      | ?AnswerPending | -                     | ?AnswerPending | ?ActionsPending | ?PayloadPending | -                     | . | . |
         | PUBCOMP 1       | !Unexpected      | ?AnswerPending | !WrongAcknowledgement | ?AnswerPending | ?ActionsPending | ?PayloadPending | !WrongAcknowledgement | . | . |
         | PUBCOMP 2       | !Unexpected      | ?AnswerPending | !WrongAcknowledgement | ?AnswerPending | ?ActionsPending | ?PayloadPending | !WrongAcknowledgement | . | . |
         | PUBCOMP 3       | !Unexpected      | ?AnswerPending | Delivered             | ?AnswerPending | ?ActionsPending | ?PayloadPending | Delivered             | . | . |
         | SUBSCRIBE       | !Unexpected      | ?AnswerPending | SubscribeRequested    | ?AnswerPending | ?ActionsPending | ?PayloadPending | SubscribeRequested    | . | . |
         | SUBACK          | !Unexpected      | ?AnswerPending | !Unexpected           | ?AnswerPending | ?ActionsPending | !Unexpected     | !Unexpected           | . | . |
         | UNSUBSCRIBE     | !Unexpected      | ?AnswerPending | UnsubscribeRequested  | ?AnswerPending | ?ActionsPending | ?PayloadPending | UnsubscribeRequested  | . | . |
         | UNSUBACK        | !Unexpected      | ?AnswerPending | !Unexpected           | ?AnswerPending | ?ActionsPending | !Unexpected     | !Unexpected           | . | . |
         | PINGREQ         | !Unexpected      | ?AnswerPending | > PINGRESP            | ?AnswerPending | ?ActionsPending | ?PayloadPending | -                     | . | . |
         | PINGRESP        | !Unexpected      | ?AnswerPending | !Unexpected           | ?AnswerPending | ?ActionsPending | !Unexpected     | !Unexpected           | . | . |
         | DISCONNECT      | !Unexpected      | ?AnswerPending | Disconnected > close  | ?AnswerPending | ?ActionsPending | ?PayloadPending | Disconnected > close  | . | . |",
        |state, packet_name| outcome_of_packet(&mut server_in(state), packet(packet_name)),
    );
}

// Commands

fn cell<T, P: Peer>(talk: &mut Talk<P>, result: Result<T, SendError>) -> String {
    while talk.log_pop().is_some() {}
    match result {
        Ok(_) => "-".to_owned(),
        Err(SendError::Ended) => ".".to_owned(),
        Err(error) => format!("?{error:?}"),
    }
}

fn common_command<P: Peer>(talk: &mut Talk<P>, command: &str) -> Option<String> {
    Some(match command {
        "publish 0" => {
            let result = talk.try_publish(Q0, "x");
            cell(talk, result)
        }
        "publish 1" => {
            let result = talk.try_publish(Q1, "x");
            cell(talk, result)
        }
        "publish 2" => {
            let result = talk.try_publish(Q2, "x");
            cell(talk, result)
        }
        "in pieces" => {
            let result = talk.try_publish_in_pieces(Q1, 2);
            cell(talk, result)
        }
        "payload" => {
            let result = talk.try_payload("ab");
            cell(talk, result)
        }
        "payload, long" => {
            let result = talk.try_payload("abc");
            cell(talk, result)
        }
        "resend 1" => {
            let result = talk.try_resend(1, Q1, "a");
            cell(talk, result)
        }
        "resend 1 at 2" => {
            let result = talk.try_resend(1, Q2, "a");
            cell(talk, result)
        }
        "resend 9" => {
            let result = talk.try_resend(9, Q1, "a");
            cell(talk, result)
        }
        "resend, pieces" => {
            let result = talk.try_resend_in_pieces(1, Q1, 2);
            cell(talk, result)
        }
        "forget 1" => {
            let result = talk.try_forget(1);
            cell(talk, result)
        }
        "forget 9" => {
            let result = talk.try_forget(9);
            cell(talk, result)
        }
        "acknowledge 7" => {
            let result = talk.try_acknowledge(7);
            cell(talk, result)
        }
        "acknowledge 9" => {
            let result = talk.try_acknowledge(9);
            cell(talk, result)
        }
        _ => return None,
    })
}

fn client_for_commands(state: &str) -> ClientTalk {
    match state {
        "early" => client_requested(AUTO.send_before_connack(true)),
        "window" => {
            let mut c = client_requested(AUTO.window(1));
            c.receives("20 02 00 00").connected(false);
            c.publish(Q1, "a").sends(publish(Q1, 1, "a"));
            c
        }
        // A change is to be stored.
        "store" => {
            let mut c = client_requested(AUTO.journal(true));
            c.receives("20 02 00 00").connected(false);
            c.holds_actions();
            c.publish(Q1, "a").sends(publish(Q1, 1, "a"));
            c
        }
        // 1 is to be sent again.
        "resend" => {
            let session = client_connected(AUTO).breaks_off();
            let mut c = Talk::client(session, AUTO);
            c.connect(false, 0).sends(connect_bytes(false, 0));
            c.receives("20 02 01 00").connected(true);
            c.sends(pubrel(3)).asks_for(1).asks_for(2);
            c
        }
        // 7 awaits the application.
        "manual" => {
            let mut c = client_connected(MANUAL);
            c.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
            c
        }
        other => client_in(other),
    }
}

/// mqtt-protocol-core (`release_packet_id(0)` and publishing an identifier twice panic): misuse is
/// an error value, never a panic, and changes nothing.
#[test]
fn each_command_in_each_state_of_a_client() {
    each_cell(
        "| command        | Start           | Requested         | early             | Connected         | window            | store             | unpolled          | resend            | manual            | in pieces         | out pieces        | Ending | Ended |
         | connect        | -               | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | . | . |
         | publish 0      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?ActionsPending   | -                 | -                 | -                 | -                 | ?PayloadPending   | . | . |
         | publish 1      | ?NotConnected   | ?NotConnected     | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | -                 | -                 | ?PayloadPending   | . | . |
         | publish 2      | ?NotConnected   | ?NotConnected     | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | -                 | -                 | ?PayloadPending   | . | . |
         | in pieces      | ?NotConnected   | ?NotConnected     | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | -                 | -                 | ?PayloadPending   | . | . |
         | payload        | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | -                 | . | . |
         | payload, long  | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | . | . |
         | resend 1       | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | -                 | ?NotAwaited       | ?NotAwaited       | ?PayloadPending   | . | . |
         | resend 1 at 2  | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?QosChanged       | ?NotAwaited       | ?NotAwaited       | ?PayloadPending   | . | . |
         | resend 9       | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?PayloadPending   | . | . |
         | resend, pieces | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | -                 | ?NotAwaited       | ?NotAwaited       | ?PayloadPending   | . | . |
         | subscribe      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?ActionsPending   | -                 | -                 | -                 | -                 | ?PayloadPending   | . | . |
         | unsubscribe    | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?ActionsPending   | -                 | -                 | -                 | -                 | ?PayloadPending   | . | . |
         | disconnect     | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?ActionsPending   | ?ActionsPending   | -                 | -                 | -                 | ?PayloadPending   | . | . |",
        |state, command| {
            let mut c = client_for_commands(state);
            if let Some(cell) = common_command(&mut c, command) {
                return cell;
            }
            match command {
                "connect" => {
                    let result = c.try_connect(&connect_packet(false, 0));
                    cell(&mut c, result)
                }
                "subscribe" => {
                    let result = c.try_subscribe(&["a"]);
                    cell(&mut c, result)
                }
                "unsubscribe" => {
                    let result = c.try_unsubscribe(&["a"]);
                    cell(&mut c, result)
                }
                "disconnect" => {
                    let result = c.try_disconnect();
                    cell(&mut c, result)
                }
                other => panic!("what is {other}?"),
            }
        },
    );
}

/// These touch the session only; `acknowledge` also between connections.
#[test]
fn each_command_about_an_identifier_in_each_state_of_a_client() {
    each_cell(
        "| command       | Start       | Requested   | early       | Connected   | window      | unpolled    | resend      | manual      | in pieces   | out pieces  |
         | forget 1      | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | -           | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | forget 9      | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | acknowledge 7 | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | -           | ?NotAwaited | ?NotAwaited |
         | acknowledge 9 | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |",
        |state, command| common_command(&mut client_for_commands(state), command).unwrap(),
    );
}

fn server_for_commands(state: &str) -> ServerTalk {
    match state {
        "window" => {
            let mut s = server_requested(AUTO.window(1));
            s.accepts(None).sends("20 02 00 00");
            s.publish(Q1, "a").sends(publish(Q1, 1, "a"));
            s
        }
        "store" => {
            let mut s = server_requested(AUTO.journal(true));
            s.accepts(None).sends("20 02 00 00");
            s.holds_actions();
            s.publish(Q1, "a").sends(publish(Q1, 1, "a"));
            s
        }
        "resend" => {
            let session = server_connected(AUTO).breaks_off();
            let mut s = server_requested(AUTO);
            s.accepts(Some(session)).sends("20 02 01 00");
            s.sends(pubrel(3)).asks_for(1).asks_for(2);
            s
        }
        "manual" => {
            let mut s = server_connected(MANUAL);
            s.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
            s
        }
        other => server_in(other),
    }
}

/// mqtt-protocol-core (`release_packet_id(0)` and publishing an identifier twice panic): misuse is
/// an error value, never a panic, and changes nothing.
#[test]
fn each_command_in_each_state_of_a_server() {
    each_cell(
        "| command        | Start           | Requested       | Connected         | asked             | asked to end      | window            | store             | unpolled          | resend            | out pieces        | Ending | Ended |
         | accept         | ?NotConnected   | -               | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | . | . |
         | refuse         | ?NotConnected   | -               | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | . | . |
         | publish 0      | ?NotConnected   | ?NotConnected   | -                 | -                 | -                 | -                 | ?ActionsPending   | -                 | -                 | ?PayloadPending   | . | . |
         | publish 1      | ?NotConnected   | ?NotConnected   | -                 | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | ?PayloadPending   | . | . |
         | publish 2      | ?NotConnected   | ?NotConnected   | -                 | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | ?PayloadPending   | . | . |
         | in pieces      | ?NotConnected   | ?NotConnected   | -                 | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | ?PayloadPending   | . | . |
         | payload        | ?PayloadTooLong | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | -                 | . | . |
         | payload, long  | ?PayloadTooLong | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | . | . |
         | resend 1       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | -                 | ?PayloadPending   | . | . |
         | resend 1 at 2  | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?QosChanged       | ?PayloadPending   | . | . |
         | resend 9       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?PayloadPending   | . | . |
         | resend, pieces | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | -                 | ?PayloadPending   | . | . |
         | suback         | ?NotConnected   | ?NotConnected   | ?NotAwaited       | -                 | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?PayloadPending   | . | . |
         | suback of 2    | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?WrongNumberOfReturnCodes | ?NotAwaited | ?NotAwaited     | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?PayloadPending   | . | . |
         | unsuback       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited       | -                 | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?PayloadPending   | . | . |",
        |state, command| {
            let mut s = server_for_commands(state);
            if let Some(cell) = common_command(&mut s, command) {
                return cell;
            }
            match command {
                "accept" => {
                    let result = s.try_accept(None);
                    cell(&mut s, result)
                }
                "refuse" => {
                    let result = s.try_refuse(ConnectRefusal::NotAuthorized);
                    cell(&mut s, result)
                }
                "suback" => {
                    let result = s.try_suback(&[0]);
                    cell(&mut s, result)
                }
                "suback of 2" => {
                    let result = s.try_suback(&[0, 0]);
                    cell(&mut s, result)
                }
                "unsuback" => {
                    let result = s.try_unsuback();
                    cell(&mut s, result)
                }
                other => panic!("what is {other}?"),
            }
        },
    );
}

/// These touch the session only.
#[test]
fn each_command_about_an_identifier_in_each_state_of_a_server() {
    each_cell(
        "| command       | Start       | Requested   | Connected   | asked       | window      | unpolled    | resend      | manual      | in pieces   | out pieces  |
         | forget 1      | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | -           | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | forget 9      | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | acknowledge 7 | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | -           | ?NotAwaited | ?NotAwaited |
         | acknowledge 9 | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |",
        |state, command| common_command(&mut server_for_commands(state), command).unwrap(),
    );
}
