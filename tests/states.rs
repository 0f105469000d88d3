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

use std::collections::BTreeSet;

use conversation::*;
use mqtt_sansio::v3::{ConnectRefusal, PieceRef};
use mqtt_sansio::{
    Action, Client, CloseReason, CommandError, Config, HandleError, Server, Slot, State,
};

type ClientTalk = Talk<Client<Vec<Slot>>>;
type ServerTalk = Talk<Server<Vec<Slot>>>;

/// The rows of both tables of packets: each of the fourteen, and those of them whose outcome depends
/// on what else they say.
const PACKETS: [&str; 43] = [
    "CONNECT",
    "CONNACK",
    "CONNACK present",
    "CONNACK refused",
    "PUBLISH 0",
    "PUBLISH 1",
    "PUBLISH 2",
    "PUBLISH 2 again",
    "PUBLISH 1, used",
    "PUBLISH 1, 7",
    "PUBLISH 1, 7 again",
    "PUBACK",
    "PUBACK 1",
    "PUBACK 2",
    "PUBACK 3",
    "PUBACK 4",
    "PUBREC",
    "PUBREC 1",
    "PUBREC 2",
    "PUBREC 3",
    "PUBREC 4",
    "PUBREL",
    "PUBREL 6",
    "PUBREL 7",
    "PUBCOMP",
    "PUBCOMP 1",
    "PUBCOMP 2",
    "PUBCOMP 3",
    "PUBCOMP 5",
    "SUBSCRIBE",
    "SUBACK",
    "SUBACK 1",
    "SUBACK 4",
    "SUBACK 4 of 2",
    "SUBACK 5",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "UNSUBACK 1",
    "UNSUBACK 4",
    "UNSUBACK 5",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
];

/// Each of the fourteen packets; acknowledgements also for identifiers that are not under way.
/// From this side 1 is under way at QoS 1, 2 at QoS 2, 3 is released, 4 is a SUBSCRIBE with one
/// filter and 5 an UNSUBSCRIBE (a server has none of these); the peer's 6 awaits PUBREL. In one state its
/// 7 awaits the application. 9 is nothing.
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
        "PUBLISH 1, 7" => publish(Q1, 7, "x"),
        "PUBLISH 1, 7 again" => dup(Q1, 7, "x"),
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
        "PUBREL 7" => pubrel(7),
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

/// What an input led to, as the table writes it.
fn outcome<P: Peer>(
    talk: &mut Talk<P>,
    input: impl FnOnce(&mut Talk<P>) -> Result<(), HandleError>,
) -> String {
    let before = format!("{:?}", talk.peer);
    let result = input(talk);
    let after = format!("{:?}", talk.peer);
    match result {
        Err(HandleError::Ended) => {
            assert_eq!(before, after);
            return ".".to_owned();
        }
        Err(HandleError::Blocked(why)) => {
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
            Item::Action(Action::Close(reason)) => format!("> {}", name(&reason)),
            Item::Action(action) => format!("> {action:?}"),
        });
    }
    if cell.is_empty() {
        "-".to_owned()
    } else {
        cell.join(" ")
    }
}

fn outcome_of_packet<P: Peer>(mut talk: Talk<P>, name: &str) -> String {
    outcome(&mut talk, |talk| talk.try_receive(packet(name)))
}

/// What can happen beside whole packets: pieces of one, and what is no packet.
const OTHER_INPUTS: [&str; 9] = [
    "header 0",
    "header 1",
    "header 2 again",
    "payload",
    "last payload",
    "no packet",
    "closed",
    "close",
    "a day later",
];

fn outcome_of_other<P: Peer>(mut talk: Talk<P>, input: &str) -> String {
    let payload = |left| PieceRef::Payload { bytes: b"ab", left };
    outcome(&mut talk, |talk| {
        match input {
            "header 0" => return talk.try_piece(piece_header(at_qos(Q0, 0), 2)),
            "header 1" => return talk.try_piece(piece_header(at_qos(Q1, 9), 2)),
            "header 2 again" => return talk.try_piece(piece_header(again_at(Q2, 6), 2)),
            "payload" => return talk.try_piece(payload(1)),
            "last payload" => return talk.try_piece(payload(0)),
            "no packet" => talk.receives_malformed("00 00"),
            "closed" => talk.transport_closes(),
            "close" => talk.close(),
            "a day later" => talk.wakes_at(86_400_000),
            other => panic!("what is {other}?"),
        };
        talk.takes_actions();
        Ok(())
    })
}

/// A table that has each of these rows and each of these columns.
fn each_cell_of(
    rows: &[&str],
    columns: &[&str],
    table: &str,
    check: impl Fn(&str, &str) -> String,
) {
    let first_cells = table.lines().map(|line| line.trim().trim_matches('|'));
    let first_cells = first_cells.map(|line| line.split('|').next().unwrap().trim());
    let has_rows: Vec<&str> = first_cells.skip(1).collect();
    assert_eq!(has_rows, rows);
    let heading = table.lines().next().unwrap().trim().trim_matches('|');
    let has_columns: Vec<&str> = heading.split('|').skip(1).map(str::trim).collect();
    assert_eq!(has_columns, columns);
    each_cell(table, check);
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

/// The columns of the client's tables of inputs.
const CLIENT_STATES: [&str; 11] = [
    "Start",
    "Requested",
    "Connected",
    "unpolled",
    "in pieces",
    "out pieces",
    "resend",
    "manual",
    "full",
    "Ending",
    "Ended",
];

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
        // 1 and 2 are to be sent again; the requests have ended with the earlier connection.
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
        // 6 is all that is taken.
        "full" => client_connected(AUTO.receive_maximum(1)),
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
    each_cell_of(
        &PACKETS,
        &CLIENT_STATES,
        "| packet             | Start       | Requested         | Connected                 | unpolled        | in pieces         | out pieces                | resend                  | manual                    | full                      | Ending | Ended |
         | CONNECT            | !Unexpected | !Unexpected       | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |
         | CONNACK            | !Unexpected | Connected         | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |
         | CONNACK present    | !Unexpected | Connected         | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |
         | CONNACK refused    | !Unexpected | Refused > Refused | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |
         | PUBLISH 0          | !Unexpected | !Unexpected       | Message                   | ?ActionsPending | ?ReceivingPayload | Message                   | Message                 | Message                   | Message                   | .      | .     |
         | PUBLISH 1          | !Unexpected | !Unexpected       | Message > PUBACK          | ?ActionsPending | ?ReceivingPayload | Message                   | Message > PUBACK        | Message                   | Message > PUBACK          | .      | .     |
         | PUBLISH 2          | !Unexpected | !Unexpected       | Message > PUBREC          | ?ActionsPending | ?ReceivingPayload | Message                   | Message > PUBREC        | Message                   | !TooManyInbound           | .      | .     |
         | PUBLISH 2 again    | !Unexpected | !Unexpected       | > PUBREC                  | ?ActionsPending | ?ReceivingPayload | -                         | > PUBREC                | > PUBREC                  | > PUBREC                  | .      | .     |
         | PUBLISH 1, used    | !Unexpected | !Unexpected       | !PacketIdInUse            | ?ActionsPending | ?ReceivingPayload | !PacketIdInUse            | Message > PUBACK        | !PacketIdInUse            | !PacketIdInUse            | .      | .     |
         | PUBLISH 1, 7       | !Unexpected | !Unexpected       | Message > PUBACK          | ?ActionsPending | ?ReceivingPayload | Message                   | Message > PUBACK        | !PacketIdInUse            | Message > PUBACK          | .      | .     |
         | PUBLISH 1, 7 again | !Unexpected | !Unexpected       | Message > PUBACK          | ?ActionsPending | ?ReceivingPayload | Message                   | Message > PUBACK        | -                         | Message > PUBACK          | .      | .     |
         | PUBACK             | !Unexpected | !Unexpected       | -                         | ?ActionsPending | ?ReceivingPayload | -                         | -                       | -                         | -                         | .      | .     |
         | PUBACK 1           | !Unexpected | !Unexpected       | Delivered                 | ?ActionsPending | ?ReceivingPayload | Delivered                 | Delivered               | Delivered                 | Delivered                 | .      | .     |
         | PUBACK 2           | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !WrongAcknowledgement   | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | PUBACK 3           | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !WrongAcknowledgement   | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | PUBACK 4           | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | -                       | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | PUBREC             | !Unexpected | !Unexpected       | > PUBREL                  | ?ActionsPending | ?ReceivingPayload | -                         | > PUBREL                | > PUBREL                  | > PUBREL                  | .      | .     |
         | PUBREC 1           | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !WrongAcknowledgement   | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | PUBREC 2           | !Unexpected | !Unexpected       | AcceptedByPeer > PUBREL   | ?ActionsPending | ?ReceivingPayload | AcceptedByPeer            | AcceptedByPeer > PUBREL | AcceptedByPeer > PUBREL   | AcceptedByPeer > PUBREL   | .      | .     |
         | PUBREC 3           | !Unexpected | !Unexpected       | > PUBREL                  | ?ActionsPending | ?ReceivingPayload | -                         | > PUBREL                | > PUBREL                  | > PUBREL                  | .      | .     |
         | PUBREC 4           | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | > PUBREL                | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | PUBREL             | !Unexpected | !Unexpected       | > PUBCOMP                 | ?ActionsPending | ?ReceivingPayload | -                         | > PUBCOMP               | > PUBCOMP                 | > PUBCOMP                 | .      | .     |
         | PUBREL 6           | !Unexpected | !Unexpected       | > PUBCOMP                 | ?ActionsPending | ?ReceivingPayload | -                         | > PUBCOMP               | > PUBCOMP                 | > PUBCOMP                 | .      | .     |
         | PUBREL 7           | !Unexpected | !Unexpected       | > PUBCOMP                 | ?ActionsPending | ?ReceivingPayload | -                         | > PUBCOMP               | !WrongAcknowledgement     | > PUBCOMP                 | .      | .     |
         | PUBCOMP            | !Unexpected | !Unexpected       | -                         | ?ActionsPending | ?ReceivingPayload | -                         | -                       | -                         | -                         | .      | .     |
         | PUBCOMP 1          | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !WrongAcknowledgement   | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | PUBCOMP 2          | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !WrongAcknowledgement   | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | PUBCOMP 3          | !Unexpected | !Unexpected       | Delivered                 | ?ActionsPending | ?ReceivingPayload | Delivered                 | Delivered               | Delivered                 | Delivered                 | .      | .     |
         | PUBCOMP 5          | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | -                       | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | SUBSCRIBE          | !Unexpected | !Unexpected       | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |
         | SUBACK             | !Unexpected | !Unexpected       | !NoSuchRequest            | ?ActionsPending | ?ReceivingPayload | !NoSuchRequest            | !NoSuchRequest          | !NoSuchRequest            | !NoSuchRequest            | .      | .     |
         | SUBACK 1           | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !WrongAcknowledgement   | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | SUBACK 4           | !Unexpected | !Unexpected       | Subscribed                | ?ActionsPending | ?ReceivingPayload | Subscribed                | !NoSuchRequest          | Subscribed                | Subscribed                | .      | .     |
         | SUBACK 4 of 2      | !Unexpected | !Unexpected       | !WrongNumberOfReturnCodes | ?ActionsPending | ?ReceivingPayload | !WrongNumberOfReturnCodes | !NoSuchRequest          | !WrongNumberOfReturnCodes | !WrongNumberOfReturnCodes | .      | .     |
         | SUBACK 5           | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !NoSuchRequest          | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | UNSUBSCRIBE        | !Unexpected | !Unexpected       | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |
         | UNSUBACK           | !Unexpected | !Unexpected       | !NoSuchRequest            | ?ActionsPending | ?ReceivingPayload | !NoSuchRequest            | !NoSuchRequest          | !NoSuchRequest            | !NoSuchRequest            | .      | .     |
         | UNSUBACK 1         | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !WrongAcknowledgement   | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | UNSUBACK 4         | !Unexpected | !Unexpected       | !WrongAcknowledgement     | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement     | !NoSuchRequest          | !WrongAcknowledgement     | !WrongAcknowledgement     | .      | .     |
         | UNSUBACK 5         | !Unexpected | !Unexpected       | Unsubscribed              | ?ActionsPending | ?ReceivingPayload | Unsubscribed              | !NoSuchRequest          | Unsubscribed              | Unsubscribed              | .      | .     |
         | PINGREQ            | !Unexpected | !Unexpected       | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |
         | PINGRESP           | !Unexpected | !Unexpected       | -                         | ?ActionsPending | ?ReceivingPayload | -                         | -                       | -                         | -                         | .      | .     |
         | DISCONNECT         | !Unexpected | !Unexpected       | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |",
        |state, packet_name| outcome_of_packet(client_in(state), packet_name),
    );
}

/// The same for what is not a whole packet, or comes from the transport, the clock and the
/// application.
#[test]
fn each_other_input_in_each_state_of_a_client() {
    each_cell_of(
        &OTHER_INPUTS,
        &CLIENT_STATES,
        "| input          | Start             | Requested         | Connected         | unpolled          | in pieces         | out pieces        | resend            | manual            | full              | Ending    | Ended |
         | header 0       | !Unexpected       | !Unexpected       | MessageHeader     | ?ActionsPending   | ?ReceivingPayload | MessageHeader     | MessageHeader     | MessageHeader     | MessageHeader     | .         | .     |
         | header 1       | !Unexpected       | !Unexpected       | MessageHeader     | ?ActionsPending   | ?ReceivingPayload | MessageHeader     | MessageHeader     | MessageHeader     | MessageHeader     | .         | .     |
         | header 2 again | !Unexpected       | !Unexpected       | -                 | ?ActionsPending   | ?ReceivingPayload | -                 | -                 | -                 | -                 | .         | .     |
         | payload        | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | ?ActionsPending   | Payload           | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | .         | .     |
         | last payload   | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | ?ActionsPending   | Payload > PUBACK  | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | .         | .     |
         | no packet      | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Aborted | -     |
         | closed         | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > Aborted | -     |
         | close          | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted | -     |
         | a day later    | -                 | > ConnectTimeout  | -                 | > PUBACK          | -                 | -                 | -                 | -                 | -                 | > Aborted | -     |",
        |state, input| outcome_of_other(client_in(state), input),
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

/// The columns of the server's tables of inputs.
const SERVER_STATES: [&str; 13] = [
    "Start",
    "Requested",
    "Connected",
    "asked",
    "asked to end",
    "unpolled",
    "in pieces",
    "out pieces",
    "resend",
    "manual",
    "full",
    "Ending",
    "Ended",
];

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
        "full" => server_connected(AUTO.receive_maximum(1)),
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
    each_cell_of(
        &PACKETS,
        &SERVER_STATES,
        "| packet             | Start            | Requested      | Connected                   | asked          | asked to end   | unpolled        | in pieces         | out pieces                  | resend                      | manual                      | full                        | Ending | Ended |
         | CONNECT            | ConnectRequested | ?AnswerPending | !SecondConnect              | ?AnswerPending | ?AnswerPending | ?ActionsPending | !SecondConnect    | !SecondConnect              | !SecondConnect              | !SecondConnect              | !SecondConnect              | .      | .     |
         | CONNACK            | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | CONNACK present    | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | CONNACK refused    | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | PUBLISH 0          | !Unexpected      | ?AnswerPending | Message                     | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Message                     | Message                     | Message                     | Message                     | .      | .     |
         | PUBLISH 1          | !Unexpected      | ?AnswerPending | Message > PUBACK            | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Message                     | Message > PUBACK            | Message                     | Message > PUBACK            | .      | .     |
         | PUBLISH 2          | !Unexpected      | ?AnswerPending | Message > PUBREC            | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Message                     | Message > PUBREC            | Message                     | !TooManyInbound             | .      | .     |
         | PUBLISH 2 again    | !Unexpected      | ?AnswerPending | > PUBREC                    | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | > PUBREC                    | > PUBREC                    | > PUBREC                    | .      | .     |
         | PUBLISH 1, used    | !Unexpected      | ?AnswerPending | !PacketIdInUse              | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | !PacketIdInUse              | Message > PUBACK            | !PacketIdInUse              | !PacketIdInUse              | .      | .     |
         | PUBLISH 1, 7       | !Unexpected      | ?AnswerPending | Message > PUBACK            | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Message                     | Message > PUBACK            | !PacketIdInUse              | Message > PUBACK            | .      | .     |
         | PUBLISH 1, 7 again | !Unexpected      | ?AnswerPending | Message > PUBACK            | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Message                     | Message > PUBACK            | -                           | Message > PUBACK            | .      | .     |
         | PUBACK             | !Unexpected      | ?AnswerPending | -                           | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | -                           | -                           | -                           | .      | .     |
         | PUBACK 1           | !Unexpected      | ?AnswerPending | Delivered                   | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Delivered                   | Delivered                   | Delivered                   | Delivered                   | .      | .     |
         | PUBACK 2           | !Unexpected      | ?AnswerPending | !WrongAcknowledgement       | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | .      | .     |
         | PUBACK 3           | !Unexpected      | ?AnswerPending | !WrongAcknowledgement       | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | .      | .     |
         | PUBACK 4           | !Unexpected      | ?AnswerPending | -                           | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | -                           | -                           | -                           | .      | .     |
         | PUBREC             | !Unexpected      | ?AnswerPending | > PUBREL                    | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | > PUBREL                    | > PUBREL                    | > PUBREL                    | .      | .     |
         | PUBREC 1           | !Unexpected      | ?AnswerPending | !WrongAcknowledgement       | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | .      | .     |
         | PUBREC 2           | !Unexpected      | ?AnswerPending | AcceptedByPeer > PUBREL     | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | AcceptedByPeer              | AcceptedByPeer > PUBREL     | AcceptedByPeer > PUBREL     | AcceptedByPeer > PUBREL     | .      | .     |
         | PUBREC 3           | !Unexpected      | ?AnswerPending | > PUBREL                    | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | > PUBREL                    | > PUBREL                    | > PUBREL                    | .      | .     |
         | PUBREC 4           | !Unexpected      | ?AnswerPending | > PUBREL                    | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | > PUBREL                    | > PUBREL                    | > PUBREL                    | .      | .     |
         | PUBREL             | !Unexpected      | ?AnswerPending | > PUBCOMP                   | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | > PUBCOMP                   | > PUBCOMP                   | > PUBCOMP                   | .      | .     |
         | PUBREL 6           | !Unexpected      | ?AnswerPending | > PUBCOMP                   | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | > PUBCOMP                   | > PUBCOMP                   | > PUBCOMP                   | .      | .     |
         | PUBREL 7           | !Unexpected      | ?AnswerPending | > PUBCOMP                   | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | > PUBCOMP                   | !WrongAcknowledgement       | > PUBCOMP                   | .      | .     |
         | PUBCOMP            | !Unexpected      | ?AnswerPending | -                           | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | -                           | -                           | -                           | .      | .     |
         | PUBCOMP 1          | !Unexpected      | ?AnswerPending | !WrongAcknowledgement       | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | .      | .     |
         | PUBCOMP 2          | !Unexpected      | ?AnswerPending | !WrongAcknowledgement       | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | !WrongAcknowledgement       | .      | .     |
         | PUBCOMP 3          | !Unexpected      | ?AnswerPending | Delivered                   | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Delivered                   | Delivered                   | Delivered                   | Delivered                   | .      | .     |
         | PUBCOMP 5          | !Unexpected      | ?AnswerPending | -                           | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | -                           | -                           | -                           | .      | .     |
         | SUBSCRIBE          | !Unexpected      | ?AnswerPending | SubscribeRequested          | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | SubscribeRequested          | SubscribeRequested          | SubscribeRequested          | SubscribeRequested          | .      | .     |
         | SUBACK             | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | SUBACK 1           | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | SUBACK 4           | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | SUBACK 4 of 2      | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | SUBACK 5           | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | UNSUBSCRIBE        | !Unexpected      | ?AnswerPending | UnsubscribeRequested        | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | UnsubscribeRequested        | UnsubscribeRequested        | UnsubscribeRequested        | UnsubscribeRequested        | .      | .     |
         | UNSUBACK           | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | UNSUBACK 1         | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | UNSUBACK 4         | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | UNSUBACK 5         | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | PINGREQ            | !Unexpected      | ?AnswerPending | > PINGRESP                  | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | -                           | > PINGRESP                  | > PINGRESP                  | > PINGRESP                  | .      | .     |
         | PINGRESP           | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | DISCONNECT         | !Unexpected      | ?AnswerPending | Disconnected > Disconnected | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Disconnected > Disconnected | Disconnected > Disconnected | Disconnected > Disconnected | Disconnected > Disconnected | .      | .     |",
        |state, packet_name| outcome_of_packet(server_in(state), packet_name),
    );
}

/// The same for what is not a whole packet, or comes from the transport, the clock and the
/// application.
#[test]
fn each_other_input_in_each_state_of_a_server() {
    each_cell_of(
        &OTHER_INPUTS,
        &SERVER_STATES,
        "| input          | Start             | Requested         | Connected         | asked             | asked to end      | unpolled          | in pieces         | out pieces        | resend            | manual            | full              | Ending    | Ended |
         | header 0       | !Unexpected       | ?AnswerPending    | MessageHeader     | ?AnswerPending    | ?AnswerPending    | ?ActionsPending   | ?ReceivingPayload | MessageHeader     | MessageHeader     | MessageHeader     | MessageHeader     | .         | .     |
         | header 1       | !Unexpected       | ?AnswerPending    | MessageHeader     | ?AnswerPending    | ?AnswerPending    | ?ActionsPending   | ?ReceivingPayload | MessageHeader     | MessageHeader     | MessageHeader     | MessageHeader     | .         | .     |
         | header 2 again | !Unexpected       | ?AnswerPending    | -                 | ?AnswerPending    | ?AnswerPending    | ?ActionsPending   | ?ReceivingPayload | -                 | -                 | -                 | -                 | .         | .     |
         | payload        | ?HeaderFirst      | ?AnswerPending    | ?HeaderFirst      | ?AnswerPending    | ?AnswerPending    | ?ActionsPending   | Payload           | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | .         | .     |
         | last payload   | ?HeaderFirst      | ?AnswerPending    | ?HeaderFirst      | ?AnswerPending    | ?AnswerPending    | ?ActionsPending   | Payload > PUBACK  | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | ?HeaderFirst      | .         | .     |
         | no packet      | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Violation       | > Aborted | -     |
         | closed         | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > TransportClosed | > Aborted | -     |
         | close          | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted         | > Aborted | -     |
         | a day later    | > ConnectTimeout  | -                 | -                 | -                 | -                 | > PUBACK          | -                 | -                 | -                 | -                 | -                 | > Aborted | -     |",
        |state, input| outcome_of_other(server_in(state), input),
    );
}

/// The tables are complete: each packet type that there is has a row, and each [`State`] a column.
#[test]
fn the_tables_have_a_row_for_each_packet_type_and_a_column_for_each_state() {
    let first_bytes: BTreeSet<u8> = PACKETS.iter().map(|name| packet(name)[0] >> 4).collect();
    assert_eq!(first_bytes, (1..=14).collect());

    let all = [
        State::Start,
        State::Requested,
        State::Connected,
        State::Ending,
        State::Ended,
    ];
    let of_clients = CLIENT_STATES.map(|state| client_in(state).peer.state());
    let of_servers = SERVER_STATES.map(|state| server_in(state).peer.state());
    for states in [&of_clients[..], &of_servers] {
        assert!(all.iter().all(|state| states.contains(state)));
        // A state that is new here belongs in `all`.
        assert!(states.iter().all(|state| all.contains(state)));
    }
}

// Commands

fn cell<T, P: Peer>(talk: &mut Talk<P>, result: Result<T, CommandError>) -> String {
    while talk.log_pop().is_some() {}
    match result {
        Ok(_) => "-".to_owned(),
        Err(CommandError::Ended) => ".".to_owned(),
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
            let mut c = client_requested(AUTO.max_inflight(1));
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
        other => client_in(other),
    }
}

/// mqtt-protocol-core (`release_packet_id(0)` and publishing an identifier twice panic): misuse is
/// an error value, never a panic, and changes nothing.
#[test]
fn each_command_in_each_state_of_a_client() {
    each_cell(
        "| command        | Start           | Requested         | early             | Connected         | window            | store             | unpolled          | resend            | manual            | in pieces         | out pieces        | Ending | Ended |
         | connect        | -               | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | .      | .     |
         | publish 0      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?ActionsPending   | -                 | -                 | -                 | -                 | ?SendingPayload   | .      | .     |
         | publish 1      | ?NotConnected   | ?NotConnected     | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | -                 | -                 | ?SendingPayload   | .      | .     |
         | publish 2      | ?NotConnected   | ?NotConnected     | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | -                 | -                 | ?SendingPayload   | .      | .     |
         | in pieces      | ?NotConnected   | ?NotConnected     | -                 | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | -                 | -                 | ?SendingPayload   | .      | .     |
         | payload        | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | -                 | .      | .     |
         | payload, long  | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | .      | .     |
         | resend 1       | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | -                 | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | .      | .     |
         | resend 1 at 2  | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?QosChanged       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | .      | .     |
         | resend 9       | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | .      | .     |
         | resend, pieces | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | -                 | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | .      | .     |
         | subscribe      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?ActionsPending   | -                 | -                 | -                 | -                 | ?SendingPayload   | .      | .     |
         | unsubscribe    | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?ActionsPending   | -                 | -                 | -                 | -                 | ?SendingPayload   | .      | .     |
         | disconnect     | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?ActionsPending   | ?ActionsPending   | -                 | -                 | -                 | ?SendingPayload   | .      | .     |",
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
            let mut s = server_requested(AUTO.max_inflight(1));
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
        other => server_in(other),
    }
}

/// mqtt-protocol-core (`release_packet_id(0)` and publishing an identifier twice panic): misuse is
/// an error value, never a panic, and changes nothing.
#[test]
fn each_command_in_each_state_of_a_server() {
    each_cell(
        "| command        | Start           | Requested       | Connected         | asked                     | asked to end      | window            | store             | unpolled          | resend            | out pieces        | Ending | Ended |
         | accept         | ?NotConnected   | -               | ?AlreadyConnected | ?AlreadyConnected         | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | .      | .     |
         | refuse         | ?NotConnected   | -               | ?AlreadyConnected | ?AlreadyConnected         | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | .      | .     |
         | publish 0      | ?NotConnected   | ?NotConnected   | -                 | -                         | -                 | -                 | ?ActionsPending   | -                 | -                 | ?SendingPayload   | .      | .     |
         | publish 1      | ?NotConnected   | ?NotConnected   | -                 | -                         | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | ?SendingPayload   | .      | .     |
         | publish 2      | ?NotConnected   | ?NotConnected   | -                 | -                         | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | ?SendingPayload   | .      | .     |
         | in pieces      | ?NotConnected   | ?NotConnected   | -                 | -                         | -                 | ?WindowFull       | ?ActionsPending   | -                 | ?ResendPending    | ?SendingPayload   | .      | .     |
         | payload        | ?PayloadTooLong | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong           | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | -                 | .      | .     |
         | payload, long  | ?PayloadTooLong | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong           | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | .      | .     |
         | resend 1       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | -                 | ?SendingPayload   | .      | .     |
         | resend 1 at 2  | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?QosChanged       | ?SendingPayload   | .      | .     |
         | resend 9       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | .      | .     |
         | resend, pieces | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | -                 | ?SendingPayload   | .      | .     |
         | suback         | ?NotConnected   | ?NotConnected   | ?NotAwaited       | -                         | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | .      | .     |
         | suback of 2    | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?WrongNumberOfReturnCodes | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | .      | .     |
         | unsuback       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | -                 | ?NotAwaited       | ?ActionsPending   | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | .      | .     |",
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
