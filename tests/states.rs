//! The effect of each packet and each command in each state, as tables for both roles.
//!
//! A cell has the result of the call, and the output:
//!
//! | cell | the call |
//! |---|---|
//! | `-` | was accepted, without an effect |
//! | `Message` and the like | was accepted, with this event |
//! | `> PUBACK` | then this packet was sent |
//! | `!Unexpected` and the like | found this violation, and ended the connection |
//! | `?AnswerPending` and the like | blocked the packet, or refused the command, and changed nothing |
//! | `.` | had no effect, because the connection has ended |

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

mod conversation;

use std::collections::BTreeSet;

use conversation::*;
use mqtt_sansio::v3::{
    Action, Client, CloseReason, ConnectRefusal, HandleError, PeerError, PieceRef, Server,
};
use mqtt_sansio::{CommandError, Config, Slot, State};

type ClientTalk = Talk<Client<Vec<Slot>>>;
type ServerTalk = Talk<Server<Vec<Slot>>>;

/// A column of a table: its heading, and a connection in that state.
type Column<P> = (&'static str, fn() -> Talk<P>);

/// A row of a table: its heading, and the packet, the input or the command.
type PacketRow = (&'static str, fn() -> Vec<u8>);
type Input<P> = (&'static str, fn(&mut Talk<P>) -> Result<(), HandleError>);
type Command<P> = (&'static str, fn(&mut Talk<P>) -> Result<(), CommandError>);

/// The rows of both tables of packets: each of the fourteen types, with variants whose effect
/// differs; acknowledgements also for identifiers that are not in flight.
///
/// This side has 1 in flight at QoS 1, 2 at QoS 2, 3 is released, 4 is a SUBSCRIBE with one filter and 5
/// an UNSUBSCRIBE (a server has none of these). The peer's 6 awaits PUBREL. In one state its 7 awaits the
/// application. 9 is not in use.
const PACKETS: [PacketRow; 43] = [
    ("CONNECT", || connect_bytes(false, 0)),
    ("CONNACK", || hex("20 02 00 00")),
    ("CONNACK present", || hex("20 02 01 00")),
    ("CONNACK refused", || hex("20 02 00 05")),
    ("PUBLISH 0", || publish(Q0, 0, "x")),
    ("PUBLISH 1", || publish(Q1, 9, "x")),
    ("PUBLISH 2", || publish(Q2, 9, "x")),
    ("PUBLISH 2 again", || dup(Q2, 6, "x")),
    ("PUBLISH 1, used", || publish(Q1, 6, "x")),
    ("PUBLISH 1, 7", || publish(Q1, 7, "x")),
    ("PUBLISH 1, 7 again", || dup(Q1, 7, "x")),
    ("PUBACK", || puback(9)),
    ("PUBACK 1", || puback(1)),
    ("PUBACK 2", || puback(2)),
    ("PUBACK 3", || puback(3)),
    ("PUBACK 4", || puback(4)),
    ("PUBREC", || pubrec(9)),
    ("PUBREC 1", || pubrec(1)),
    ("PUBREC 2", || pubrec(2)),
    ("PUBREC 3", || pubrec(3)),
    ("PUBREC 4", || pubrec(4)),
    ("PUBREL", || pubrel(9)),
    ("PUBREL 6", || pubrel(6)),
    ("PUBREL 7", || pubrel(7)),
    ("PUBCOMP", || pubcomp(9)),
    ("PUBCOMP 1", || pubcomp(1)),
    ("PUBCOMP 2", || pubcomp(2)),
    ("PUBCOMP 3", || pubcomp(3)),
    ("PUBCOMP 5", || pubcomp(5)),
    ("SUBSCRIBE", || hex("82 06 00 09 00 01 'a' 00")),
    ("SUBACK", || hex("90 03 00 09 00")),
    ("SUBACK 1", || hex("90 03 00 01 00")),
    ("SUBACK 4", || hex("90 03 00 04 00")),
    ("SUBACK 4 of 2", || hex("90 04 00 04 00 00")),
    ("SUBACK 5", || hex("90 03 00 05 00")),
    ("UNSUBSCRIBE", || hex("a2 05 00 09 00 01 'a'")),
    ("UNSUBACK", || unsuback(9)),
    ("UNSUBACK 1", || unsuback(1)),
    ("UNSUBACK 4", || unsuback(4)),
    ("UNSUBACK 5", || unsuback(5)),
    ("PINGREQ", || hex(PINGREQ)),
    ("PINGRESP", || hex(PINGRESP)),
    ("DISCONNECT", || hex(DISCONNECT)),
];

/// Returns the name of the peer's fault.
fn violated(error: &PeerError) -> String {
    match error {
        PeerError::Protocol(error) => name(error),
        PeerError::Malformed(error) => name(error),
    }
}

/// Returns the first word of the `Debug` output of a value.
fn name(value: &impl std::fmt::Debug) -> String {
    let shown = format!("{value:?}");
    let end = shown
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(shown.len());
    shown[..end].to_owned()
}

/// Returns the effect of an input as the table writes it.
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
            talk.leaves_requests().closes(CloseReason::Violation(error));
            return format!("!{}", violated(&error));
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
            Item::Action(Action::Unanswered(_)) => continue,
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

fn outcome_of_packet<P: Peer>(mut talk: Talk<P>, packet: Vec<u8>) -> String {
    outcome(&mut talk, |talk| talk.try_receive(packet))
}

/// Inputs other than whole packets: pieces of one, and invalid bytes.
fn other_inputs<P: Peer>() -> [Input<P>; 9] {
    const fn payload(left: usize) -> PieceRef<'static> {
        PieceRef::Payload { bytes: b"ab", left }
    }
    [
        ("header 0", |talk| {
            talk.try_piece(piece_header(at_qos(Q0, 0), 2))
        }),
        ("header 1", |talk| {
            talk.try_piece(piece_header(at_qos(Q1, 9), 2))
        }),
        ("header 2 again", |talk| {
            talk.try_piece(piece_header(again_at(Q2, 6), 2))
        }),
        ("payload", |talk| talk.try_piece(payload(1))),
        ("last payload", |talk| talk.try_piece(payload(0))),
        ("no packet", |talk| {
            talk.receives_malformed("00 00").takes_actions();
            Ok(())
        }),
        ("closed", |talk| {
            talk.transport_closes().takes_actions();
            Ok(())
        }),
        ("close", |talk| {
            talk.close().takes_actions();
            Ok(())
        }),
        ("a day later", |talk| {
            talk.wakes_at(86_400_000).takes_actions();
            Ok(())
        }),
    ]
}

/// Compares each cell of a table with the library. The table has a heading for each of `columns`
/// and a row for each of `rows`, in their order.
fn each_cell<C, R>(
    columns: &[(&str, C)],
    rows: &[(&str, R)],
    table: &str,
    outcome: impl Fn(&C, &R) -> String,
) {
    let mut lines = table.lines().map(|line| {
        let cells = line.trim().trim_matches('|').split('|');
        cells.map(str::trim).collect::<Vec<_>>()
    });
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    assert_eq!(lines.next().unwrap()[1..], names);
    let lines: Vec<_> = lines.collect();
    let names: Vec<_> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(lines.iter().map(|line| line[0]).collect::<Vec<_>>(), names);

    let mut wrong = Vec::new();
    for (line, (row, input)) in lines.iter().zip(rows) {
        assert_eq!(line.len(), columns.len() + 1, "{row}");
        for (expected, (column, state)) in line[1..].iter().zip(columns) {
            let was = outcome(state, input);
            if was != *expected {
                wrong.push(format!("{row} in {column}: {was}, not {expected}"));
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
const CLIENT_STATES: [Column<Client<Vec<Slot>>>; 11] = [
    ("Start", || Talk::client(fresh(), AUTO)),
    ("Requested", || client_requested(AUTO)),
    ("Connected", || client_connected(AUTO)),
    // An acknowledgement waits to be polled.
    ("unpolled", || {
        let mut c = client_connected(AUTO);
        c.holds_actions();
        c.receives(publish(Q1, 8, "x")).message(publish(Q1, 8, "x"));
        c
    }),
    // A message is being received in pieces.
    ("in pieces", || {
        let mut c = client_connected(AUTO);
        c.header(at_qos(Q1, 8), 2)
            .event(header_event(at_qos(Q1, 8), 2));
        c
    }),
    // A message is being sent in pieces.
    ("out pieces", || {
        let mut c = client_connected(AUTO);
        c.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
        c
    }),
    // 1 and 2 have to be resent; the requests have ended with the earlier connection.
    ("resend", || {
        let session = client_connected(AUTO).breaks_off();
        let mut c = Talk::client(session, AUTO);
        c.connect(false, 0).sends(connect_bytes(false, 0));
        c.receives("20 02 01 00").connected(true);
        c.sends(pubrel(3)).asks_for(1).asks_for(2);
        c
    }),
    // 7 awaits the application.
    ("manual", || {
        let mut c = client_connected(MANUAL);
        c.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
        c
    }),
    // All slots are in use: 6 is held.
    ("full", || client_connected(AUTO.receive_maximum(1))),
    ("Ending", || {
        let mut c = client_connected(AUTO);
        c.holds_actions();
        c.close().state(State::Ending);
        c
    }),
    ("Ended", || {
        let mut c = client_connected(AUTO);
        c.close().leaves_requests();
        c.closes(CloseReason::Aborted).state(State::Ended);
        c
    }),
];

/// mqtt-protocol-core; sol#15, shenyu#6638: the state is checked before the packet. A violation
/// always ends in Close [MQTT-4.8.0-1], and no action follows Close.
#[test]
fn each_packet_in_each_state_of_a_client() {
    each_cell(
        &CLIENT_STATES,
        &PACKETS,
        "| packet             | Start       | Requested         | Connected                 | unpolled        | in pieces         | out pieces                | resend                  | manual                    | full                      | Ending | Ended |
         | CONNECT            | !Unexpected | !Unexpected       | !Unexpected               | ?ActionsPending | !Unexpected       | !Unexpected               | !Unexpected             | !Unexpected               | !Unexpected               | .      | .     |
         | CONNACK            | !Unexpected | Connected         | !SecondConnAck            | ?ActionsPending | !SecondConnAck    | !SecondConnAck            | !SecondConnAck          | !SecondConnAck            | !SecondConnAck            | .      | .     |
         | CONNACK present    | !Unexpected | Connected         | !SecondConnAck            | ?ActionsPending | !SecondConnAck    | !SecondConnAck            | !SecondConnAck          | !SecondConnAck            | !SecondConnAck            | .      | .     |
         | CONNACK refused    | !Unexpected | Refused > Refused | !SecondConnAck            | ?ActionsPending | !SecondConnAck    | !SecondConnAck            | !SecondConnAck          | !SecondConnAck            | !SecondConnAck            | .      | .     |
         | PUBLISH 0          | !Unexpected | !Unexpected       | Message                   | ?ActionsPending | ?ReceivingPayload | Message                   | Message                 | Message                   | Message                   | .      | .     |
         | PUBLISH 1          | !Unexpected | !Unexpected       | Message > PUBACK          | ?ActionsPending | ?ReceivingPayload | Message                   | Message > PUBACK        | Message                   | Message > PUBACK          | .      | .     |
         | PUBLISH 2          | !Unexpected | !Unexpected       | Message > PUBREC          | ?ActionsPending | ?ReceivingPayload | Message                   | Message > PUBREC        | Message                   | -                         | .      | .     |
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
        |state, packet| outcome_of_packet(state(), packet()),
    );
}

/// The same for inputs other than whole packets, and for inputs from the transport, the clock and
/// the application.
#[test]
fn each_other_input_in_each_state_of_a_client() {
    each_cell(
        &CLIENT_STATES,
        &other_inputs(),
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
        |state, input| outcome(&mut state(), input),
    );
}

// Server

fn server_requested(config: Config) -> ServerTalk {
    let mut s = Talk::server(config);
    s.receives(connect_bytes(false, 0)).connect_requested();
    s
}

/// A server sends no requests, so 4 and 5 are not used.
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
const SERVER_STATES: [Column<Server<Vec<Slot>>>; 13] = [
    ("Start", || Talk::server(AUTO)),
    ("Requested", || server_requested(AUTO)),
    ("Connected", || server_connected(AUTO)),
    // A SUBSCRIBE, or an UNSUBSCRIBE, awaits its answer.
    ("asked", || {
        let mut s = server_connected(AUTO);
        s.receives("82 06 00 01 00 01 'a' 00").subscribe_requested();
        s
    }),
    ("asked to end", || {
        let mut s = server_connected(AUTO);
        s.receives("a2 05 00 01 00 01 'a'").unsubscribe_requested();
        s
    }),
    ("unpolled", || {
        let mut s = server_connected(AUTO);
        s.holds_actions();
        s.receives(publish(Q1, 8, "x")).message(publish(Q1, 8, "x"));
        s
    }),
    ("in pieces", || {
        let mut s = server_connected(AUTO);
        s.header(at_qos(Q1, 8), 2)
            .event(header_event(at_qos(Q1, 8), 2));
        s
    }),
    ("out pieces", || {
        let mut s = server_connected(AUTO);
        s.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
        s
    }),
    ("resend", || {
        let session = server_connected(AUTO).breaks_off();
        let mut s = server_requested(AUTO);
        s.accepts(Some(session)).sends("20 02 01 00");
        s.sends(pubrel(3)).asks_for(1).asks_for(2);
        s
    }),
    ("manual", || {
        let mut s = server_connected(MANUAL);
        s.receives(publish(Q1, 7, "x")).message(publish(Q1, 7, "x"));
        s
    }),
    ("full", || server_connected(AUTO.receive_maximum(1))),
    ("Ending", || {
        let mut s = server_connected(AUTO);
        s.holds_actions();
        s.close().state(State::Ending);
        s
    }),
    ("Ended", || {
        let mut s = server_connected(AUTO);
        s.close().closes(CloseReason::Aborted).state(State::Ended);
        s
    }),
];

/// mqtt-protocol-core; sol#15, shenyu#6638: the same for a server. [MQTT-3.1.0-2, MQTT-4.8.0-1]
#[test]
fn each_packet_in_each_state_of_a_server() {
    each_cell(
        &SERVER_STATES,
        &PACKETS,
        "| packet             | Start            | Requested      | Connected                   | asked          | asked to end   | unpolled        | in pieces         | out pieces                  | resend                      | manual                      | full                        | Ending | Ended |
         | CONNECT            | ConnectRequested | ?AnswerPending | !SecondConnect              | ?AnswerPending | ?AnswerPending | ?ActionsPending | !SecondConnect    | !SecondConnect              | !SecondConnect              | !SecondConnect              | !SecondConnect              | .      | .     |
         | CONNACK            | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | CONNACK present    | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | CONNACK refused    | !Unexpected      | ?AnswerPending | !Unexpected                 | ?AnswerPending | ?AnswerPending | ?ActionsPending | !Unexpected       | !Unexpected                 | !Unexpected                 | !Unexpected                 | !Unexpected                 | .      | .     |
         | PUBLISH 0          | !Unexpected      | ?AnswerPending | Message                     | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Message                     | Message                     | Message                     | Message                     | .      | .     |
         | PUBLISH 1          | !Unexpected      | ?AnswerPending | Message > PUBACK            | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Message                     | Message > PUBACK            | Message                     | Message > PUBACK            | .      | .     |
         | PUBLISH 2          | !Unexpected      | ?AnswerPending | Message > PUBREC            | ?AnswerPending | ?AnswerPending | ?ActionsPending | ?ReceivingPayload | Message                     | Message > PUBREC            | Message                     | -                           | .      | .     |
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
        |state, packet| outcome_of_packet(state(), packet()),
    );
}

/// The same for inputs other than whole packets, and for inputs from the transport, the clock and
/// the application.
#[test]
fn each_other_input_in_each_state_of_a_server() {
    each_cell(
        &SERVER_STATES,
        &other_inputs(),
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
        |state, input| outcome(&mut state(), input),
    );
}

/// The tables are complete: each packet type has a row, and each [`State`] a column.
#[test]
fn the_tables_have_a_row_for_each_packet_type_and_a_column_for_each_state() {
    let first_bytes: BTreeSet<u8> = PACKETS.iter().map(|(_, packet)| packet()[0] >> 4).collect();
    assert_eq!(first_bytes, (1..=14).collect());

    let all = [
        State::Start,
        State::Requested,
        State::Connected,
        State::Ending,
        State::Ended,
    ];
    let of_clients = CLIENT_STATES.map(|(_, state)| state().peer.state());
    let of_servers = SERVER_STATES.map(|(_, state)| state().peer.state());
    for states in [&of_clients[..], &of_servers] {
        assert!(all.iter().all(|state| states.contains(state)));
        // A new state has to be added to `all`.
        assert!(states.iter().all(|state| all.contains(state)));
    }
}

// Commands

fn outcome_of_command<P: Peer>(
    mut talk: Talk<P>,
    command: impl FnOnce(&mut Talk<P>) -> Result<(), CommandError>,
) -> String {
    let result = command(&mut talk);
    while talk.log_pop().is_some() {}
    match result {
        Ok(()) => "-".to_owned(),
        Err(CommandError::Ended) => ".".to_owned(),
        Err(error) => format!("?{error:?}"),
    }
}

/// The commands that both roles have.
fn common_commands<P: Peer>() -> [Command<P>; 10] {
    [
        ("publish 0", |talk| talk.try_publish(Q0, "x").map(|_| ())),
        ("publish 1", |talk| talk.try_publish(Q1, "x").map(|_| ())),
        ("publish 2", |talk| talk.try_publish(Q2, "x").map(|_| ())),
        ("in pieces", |talk| {
            talk.try_publish_in_pieces(Q1, 2).map(|_| ())
        }),
        ("payload", |talk| talk.try_payload("ab").map(|_| ())),
        ("payload, long", |talk| talk.try_payload("abc").map(|_| ())),
        ("resend 1", |talk| talk.try_resend(1, Q1, "a")),
        ("resend 1 at 2", |talk| talk.try_resend(1, Q2, "a")),
        ("resend 9", |talk| talk.try_resend(9, Q1, "a")),
        ("resend, pieces", |talk| talk.try_resend_in_pieces(1, Q1, 2)),
    ]
}

/// The commands that concern the session only; `acknowledge` also between connections.
fn identifier_commands<P: Peer>() -> [Command<P>; 4] {
    [
        ("forget 1", |talk| talk.try_forget(1)),
        ("forget 9", |talk| talk.try_forget(9)),
        ("acknowledge 7", |talk| talk.try_acknowledge(7)),
        ("acknowledge 9", |talk| talk.try_acknowledge(9)),
    ]
}

/// The columns of the client's tables of commands.
fn client_states() -> Vec<Column<Client<Vec<Slot>>>> {
    let more: [Column<_>; 3] = [
        ("early", || client_requested(AUTO.send_before_connack(true))),
        ("window", || {
            let mut c = client_requested(AUTO.max_inflight(1));
            c.receives("20 02 00 00").connected(false);
            c.publish(Q1, "a").sends(publish(Q1, 1, "a"));
            c
        }),
        // A change has to be stored.
        ("store", || {
            let mut c = client_requested(AUTO.journal(true));
            c.receives("20 02 00 00").connected(false);
            c.holds_actions();
            c.publish(Q1, "a").sends(publish(Q1, 1, "a"));
            c
        }),
    ];
    [&CLIENT_STATES[..], &more].concat()
}

/// mqtt-protocol-core (`release_packet_id(0)` and publishing an identifier twice panic): misuse is
/// an error value, never a panic, and changes nothing.
#[test]
fn each_command_in_each_state_of_a_client() {
    let own: [Command<Client<Vec<Slot>>>; 4] = [
        ("connect", |c| c.try_connect(&connect_packet(false, 0))),
        ("subscribe", |c| c.try_subscribe(&["a"]).map(|_| ())),
        ("unsubscribe", |c| c.try_unsubscribe(&["a"]).map(|_| ())),
        ("disconnect", |c| c.try_disconnect()),
    ];
    each_cell(
        &client_states(),
        &[&own[..], &common_commands()].concat(),
        "| command        | Start           | Requested         | Connected         | unpolled          | in pieces         | out pieces        | resend            | manual            | full              | Ending | Ended | early             | window            | store             |
         | connect        | -               | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | .      | .     | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected |
         | subscribe      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?SendingPayload   | -                 | -                 | -                 | .      | .     | -                 | -                 | ?ActionsPending   |
         | unsubscribe    | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?SendingPayload   | -                 | -                 | -                 | .      | .     | -                 | -                 | ?ActionsPending   |
         | disconnect     | ?NotConnected   | ?NotConnected     | -                 | ?ActionsPending   | -                 | ?SendingPayload   | -                 | -                 | -                 | .      | .     | -                 | -                 | ?ActionsPending   |
         | publish 0      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?SendingPayload   | -                 | -                 | -                 | .      | .     | -                 | -                 | ?ActionsPending   |
         | publish 1      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?SendingPayload   | ?ResendPending    | -                 | -                 | .      | .     | -                 | ?WindowFull       | ?ActionsPending   |
         | publish 2      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?SendingPayload   | ?ResendPending    | -                 | -                 | .      | .     | -                 | ?WindowFull       | ?ActionsPending   |
         | in pieces      | ?NotConnected   | ?NotConnected     | -                 | -                 | -                 | ?SendingPayload   | ?ResendPending    | -                 | -                 | .      | .     | -                 | ?WindowFull       | ?ActionsPending   |
         | payload        | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | -                 | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | .      | .     | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   |
         | payload, long  | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | .      | .     | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   |
         | resend 1       | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | -                 | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   |
         | resend 1 at 2  | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | ?QosChanged       | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   |
         | resend 9       | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   |
         | resend, pieces | ?NotConnected   | ?NotConnected     | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | -                 | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?NotAwaited       | ?ActionsPending   |",
        |state, command| outcome_of_command(state(), command),
    );
}

#[test]
fn each_command_about_an_identifier_in_each_state_of_a_client() {
    each_cell(
        &client_states(),
        &identifier_commands(),
        "| command       | Start       | Requested   | Connected   | unpolled    | in pieces   | out pieces  | resend      | manual      | full        | Ending      | Ended       | early       | window      | store       |
         | forget 1      | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | -           | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | forget 9      | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | acknowledge 7 | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | -           | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | acknowledge 9 | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |",
        |state, command| outcome_of_command(state(), command),
    );
}

/// The columns of the server's tables of commands.
fn server_states() -> Vec<Column<Server<Vec<Slot>>>> {
    let more: [Column<_>; 2] = [
        ("window", || {
            let mut s = server_requested(AUTO.max_inflight(1));
            s.accepts(None).sends("20 02 00 00");
            s.publish(Q1, "a").sends(publish(Q1, 1, "a"));
            s
        }),
        ("store", || {
            let mut s = server_requested(AUTO.journal(true));
            s.accepts(None).sends("20 02 00 00");
            s.holds_actions();
            s.publish(Q1, "a").sends(publish(Q1, 1, "a"));
            s
        }),
    ];
    [&SERVER_STATES[..], &more].concat()
}

/// mqtt-protocol-core (`release_packet_id(0)` and publishing an identifier twice panic): misuse is
/// an error value, never a panic, and changes nothing.
#[test]
fn each_command_in_each_state_of_a_server() {
    let own: [Command<Server<Vec<Slot>>>; 5] = [
        ("accept", |s| s.try_accept(None)),
        ("refuse", |s| s.try_refuse(ConnectRefusal::NotAuthorized)),
        ("suback", |s| s.try_suback(&[0])),
        ("suback of 2", |s| s.try_suback(&[0, 0])),
        ("unsuback", |s| s.try_unsuback()),
    ];
    each_cell(
        &server_states(),
        &[&own[..], &common_commands()].concat(),
        "| command        | Start           | Requested       | Connected         | asked                     | asked to end      | unpolled          | in pieces         | out pieces        | resend            | manual            | full              | Ending | Ended | window            | store             |
         | accept         | ?NotConnected   | -               | ?AlreadyConnected | ?AlreadyConnected         | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | .      | .     | ?AlreadyConnected | ?AlreadyConnected |
         | refuse         | ?NotConnected   | -               | ?AlreadyConnected | ?AlreadyConnected         | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | ?AlreadyConnected | .      | .     | ?AlreadyConnected | ?AlreadyConnected |
         | suback         | ?NotConnected   | ?NotConnected   | ?NotAwaited       | -                         | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?ActionsPending   |
         | suback of 2    | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?WrongNumberOfReturnCodes | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?ActionsPending   |
         | unsuback       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | -                 | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?ActionsPending   |
         | publish 0      | ?NotConnected   | ?NotConnected   | -                 | -                         | -                 | -                 | -                 | ?SendingPayload   | -                 | -                 | -                 | .      | .     | -                 | ?ActionsPending   |
         | publish 1      | ?NotConnected   | ?NotConnected   | -                 | -                         | -                 | -                 | -                 | ?SendingPayload   | ?ResendPending    | -                 | -                 | .      | .     | ?WindowFull       | ?ActionsPending   |
         | publish 2      | ?NotConnected   | ?NotConnected   | -                 | -                         | -                 | -                 | -                 | ?SendingPayload   | ?ResendPending    | -                 | -                 | .      | .     | ?WindowFull       | ?ActionsPending   |
         | in pieces      | ?NotConnected   | ?NotConnected   | -                 | -                         | -                 | -                 | -                 | ?SendingPayload   | ?ResendPending    | -                 | -                 | .      | .     | ?WindowFull       | ?ActionsPending   |
         | payload        | ?PayloadTooLong | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong           | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | -                 | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | .      | .     | ?PayloadTooLong   | ?PayloadTooLong   |
         | payload, long  | ?PayloadTooLong | ?PayloadTooLong | ?PayloadTooLong   | ?PayloadTooLong           | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | ?PayloadTooLong   | .      | .     | ?PayloadTooLong   | ?PayloadTooLong   |
         | resend 1       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | -                 | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?ActionsPending   |
         | resend 1 at 2  | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | ?QosChanged       | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?ActionsPending   |
         | resend 9       | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?ActionsPending   |
         | resend, pieces | ?NotConnected   | ?NotConnected   | ?NotAwaited       | ?NotAwaited               | ?NotAwaited       | ?NotAwaited       | ?NotAwaited       | ?SendingPayload   | -                 | ?NotAwaited       | ?NotAwaited       | .      | .     | ?NotAwaited       | ?ActionsPending   |",
        |state, command| outcome_of_command(state(), command),
    );
}

#[test]
fn each_command_about_an_identifier_in_each_state_of_a_server() {
    each_cell(
        &server_states(),
        &identifier_commands(),
        "| command       | Start       | Requested   | Connected   | asked       | asked to end | unpolled    | in pieces   | out pieces  | resend      | manual      | full        | Ending      | Ended       | window      | store       |
         | forget 1      | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited  | ?NotAwaited | ?NotAwaited | ?NotAwaited | -           | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | forget 9      | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited  | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | acknowledge 7 | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited  | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | -           | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |
         | acknowledge 9 | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited  | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited | ?NotAwaited |",
        |state, command| outcome_of_command(state(), command),
    );
}
