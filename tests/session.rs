//! The state that outlives a connection: saved and restored sessions, golden files, journals, the
//! outbox.

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
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

use std::collections::{BTreeMap, VecDeque};

use conversation::*;
use mqtt_sansio::v3::{Action, Client, Decoder, Event, Message, Server};
use mqtt_sansio::{
    Change, CommandError, Config, InFlight, Outbox, PacketId, QoS, RestoreError, Session, Slot,
    Slots, Stage,
};

const AUTO: Config = Config::new();
const MANUAL: Config = Config::new().manual_acknowledgement(true);
const JOURNAL: Config = Config::new().journal(true);

fn restored<S: Storage>(saved: &[u8]) -> Session<S> {
    Session::restore(saved, S::fresh(), S::fresh()).unwrap()
}

fn stages<S: Slots>(session: &Session<S>) -> Vec<(u16, Stage)> {
    session
        .outbound()
        .map(
            |InFlight {
                 packet_id, stage, ..
             }| (packet_id.get(), stage),
        )
        .collect()
}

fn golden(name: &str) -> Vec<u8> {
    let path = format!(
        "{}/testdata/sessions/{name}.hex",
        env!("CARGO_MANIFEST_DIR")
    );
    hex(&std::fs::read_to_string(path).unwrap())
}

/// CRC-32, implemented a second time from the description of the format.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

fn with_check(content: &[u8]) -> Vec<u8> {
    [content, &crc32(content).to_be_bytes()].concat()
}

/// 1 at QoS 1 and 3 at QoS 2 in flight, 2 released, 4 a SUBSCRIBE; 9 received, 10 delivered at QoS
/// 2 and 11 at QoS 1, neither acknowledged.
fn busy<S: Storage>() -> Session<S> {
    let mut c = AsClient::begins::<S>(MANUAL);
    c.publish(Q1, "a").sends(publish(Q1, 1, "a"));
    c.publish(Q2, "b").sends(publish(Q2, 2, "b"));
    c.publish(Q2, "c").sends(publish(Q2, 3, "c"));
    c.subscribe(&["a"]).sends("82 06 00 04 00 01 'a' 02");
    c.receives(pubrec(2)).received(2).sends(pubrel(2));
    c.receives(publish(Q2, 9, "d")).message(publish(Q2, 9, "d"));
    c.acknowledge(9).sends(pubrec(9));
    c.receives(publish(Q2, 10, "e"))
        .message(publish(Q2, 10, "e"));
    c.receives(publish(Q1, 11, "f"))
        .message(publish(Q1, 11, "f"));
    c.breaks_off()
}

fn in_each_storage(test: impl Fn(Vec<u8>)) {
    test(busy::<[Slot; 8]>().save_to_vec());
    test(busy::<&'static mut [Slot]>().save_to_vec());
    test(busy::<Vec<Slot>>().save_to_vec());
}

/// rumqtt#47, arduino-mqtt#294: durable sessions are part of the contract.
#[test]
fn a_session_saved_from_any_storage_is_restored_into_any() {
    fn check<S: Storage>(saved: &[u8]) {
        let session = restored::<S>(saved);
        assert_eq!(
            stages(&session),
            [
                (1, Stage::Sent(Q1)),
                (3, Stage::Sent(Q2)),
                (2, Stage::Released)
            ]
        );
        assert_eq!(inbound(&session), [9]);
        assert_eq!(session.saved_len(), saved.len());

        let mut c = AsClient::resumes::<S>(MANUAL, session);
        c.sends(pubrel(2)).asks_for(1).asks_for(3);
        c.resend(1, Q1, "a").sends(dup(Q1, 1, "a"));
        c.resend(3, Q2, "c").sends(dup(Q2, 3, "c"));
        // 9 was acknowledged; 10 was not, and after a restart the application may not have it.
        c.receives(dup(Q2, 9, "d")).sends(pubrec(9));
        c.receives(dup(Q2, 10, "e")).message(dup(Q2, 10, "e"));
        c.acknowledge(10).sends(pubrec(10));
        // 4 was a SUBSCRIBE: a used identifier is not the next one.
        c.publish(Q1, "g").sends(publish(Q1, 5, "g"));
    }
    in_each_storage(|saved| {
        check::<[Slot; 8]>(&saved);
        check::<&'static mut [Slot]>(&saved);
        check::<Vec<Slot>>(&saved);
    });
}

#[test]
fn a_session_can_be_saved_during_a_connection() {
    let mut c = AsClient::begins::<[Slot; 8]>(AUTO);
    c.publish(Q2, "a").sends(publish(Q2, 1, "a"));
    c.receives(publish(Q2, 9, "b"))
        .message(publish(Q2, 9, "b"))
        .sends(pubrec(9));
    let saved = c.session().save_to_vec();
    let mut c = AsClient::resumes::<[Slot; 8]>(AUTO, restored(&saved));
    c.asks_for(1);
    c.receives(dup(Q2, 9, "b")).sends(pubrec(9));
}

#[test]
fn a_session_that_was_acknowledged_between_connections_remembers_it() {
    let mut c = AsClient::begins::<[Slot; 8]>(MANUAL);
    c.receives(publish(Q2, 9, "b")).message(publish(Q2, 9, "b"));
    c.transport_closes()
        .closes(mqtt_sansio::v3::CloseReason::TransportClosed);
    c.acknowledge(9);
    let saved = c.peer.into_session().save_to_vec();
    let mut c = AsClient::resumes::<Vec<Slot>>(MANUAL, restored(&saved));
    c.receives(dup(Q2, 9, "b")).sends(pubrec(9));
}

/// Version 1 must stay readable.
#[test]
fn golden_files_of_version_1_are_read_by_every_storage_and_written_back() {
    type Golden<'a> = (&'a str, &'a [(u16, Stage)], &'a [u16], u16);
    const SENT_1: Stage = Stage::Sent(Q1);
    const SENT_2: Stage = Stage::Sent(Q2);
    const FILES: [Golden<'_>; 6] = [
        ("v1_empty", &[], &[], 1),
        (
            "v1_sending",
            &[(2, SENT_2), (4, SENT_1), (1, Stage::Released)],
            &[],
            5,
        ),
        ("v1_receiving", &[], &[8, 9, 18, 300], 1),
        ("v1_both", &[(3, SENT_1), (6, SENT_2)], &[2, 65_535], 7),
        (
            "v1_rolled_over",
            &[(65_534, SENT_1), (65_535, SENT_2), (1, Stage::Released)],
            &[1],
            2,
        ),
        (
            "v1_all_in_use",
            &[
                (1, SENT_1),
                (2, SENT_1),
                (3, SENT_1),
                (4, SENT_1),
                (5, SENT_1),
                (6, SENT_1),
                (7, SENT_1),
                (8, SENT_1),
            ],
            &[8, 9, 10, 11, 12, 13, 14, 15],
            0,
        ),
    ];
    fn check<S: Storage>((name, out, received, next): Golden<'_>) {
        let saved = golden(name);
        let session = restored::<S>(&saved);
        assert_eq!(stages(&session), out, "{name}");
        assert_eq!(inbound(&session), received, "{name}");
        // Received messages have no order. The next identifier is checked below.
        let again = session.save_to_vec();
        assert_eq!(again.len(), saved.len(), "{name}");
        let head = 9 + 3 * out.len() + 2;
        assert_eq!(again[..5], saved[..5], "{name}");
        assert_eq!(again[7..head], saved[7..head], "{name}");
        let mut entries: Vec<&[u8]> = again[head..again.len() - 4].chunks(3).collect();
        entries.sort_unstable();
        let mut expected: Vec<&[u8]> = saved[head..saved.len() - 4].chunks(3).collect();
        expected.sort_unstable();
        assert_eq!(entries, expected, "{name}");
        // And the next identifier.
        let mut peer = AsServer::resumes::<S>(AUTO.receive_maximum(9), session);
        // PUBREL first [MQTT-4.6.0-4].
        for (number, stage) in out {
            if let Stage::Released = stage {
                peer.sends(pubrel(*number));
            }
        }
        for (number, stage) in out {
            if let Stage::Sent(_) = stage {
                peer.asks_for(*number);
            }
        }
        for (number, stage) in out {
            if let Stage::Sent(_) = stage {
                peer.forget(*number);
            }
        }
        if next != 0 {
            assert_eq!(peer.try_publish(Q1, "x"), Ok(Some(id(next))), "{name}");
            while peer.log_pop().is_some() {}
        }
    }
    for file in FILES {
        check::<[Slot; 8]>(file);
        check::<&'static mut [Slot]>(file);
        check::<Vec<Slot>>(file);
    }
}

/// nats-server#8358, mqtt-protocol-core: a rolling counter that a restart does not reset.
#[test]
fn the_counter_of_identifiers_goes_on_after_a_restart() {
    fn check<S: Storage>() {
        let mut c = AsClient::begins::<S>(AUTO);
        for number in 1..=20 {
            c.publish(Q1, "x").sends(publish(Q1, number, "x"));
            c.receives(puback(number)).delivered(number);
        }
        let saved = c.breaks_off().save_to_vec();
        // Also after a session in which nothing was sent.
        let saved = restored::<S>(&saved).save_to_vec();
        let mut c = AsClient::resumes::<S>(AUTO, restored(&saved));
        c.publish(Q1, "x").sends(publish(Q1, 21, "x"));
    }
    check::<[Slot; 8]>();
    check::<&'static mut [Slot]>();
    check::<Vec<Slot>>();
}

#[test]
fn a_session_needs_saved_len_bytes_and_not_one_less() {
    let session = busy::<[Slot; 8]>();
    let len = session.saved_len();
    let mut buffer = vec![0xee; len + 5];
    assert!(session.save(&mut buffer[..len - 1]).is_none());
    assert_eq!(session.save(&mut buffer).unwrap().len(), len);
    assert_eq!(buffer[len..], [0xee; 5], "what is behind it is left alone");
    assert_eq!(buffer[..len], session.save_to_vec());
}

#[test]
fn what_was_in_the_slots_before_is_of_no_importance() {
    let saved = golden("v1_both");
    let mut used = [Slot::EMPTY; 8];
    {
        let mut client = Client::new(
            Session::new(&mut used[..], <&'static mut [Slot]>::fresh()),
            AUTO,
            ms(0),
        );
        let mut out = Vec::new();
        client
            .connect(ms(0), &connect_packet(false, 0), &mut out)
            .unwrap();
        let connack = hex("20 02 00 00");
        let mut decoder = Decoder::new(Vec::new());
        let packet = decoder.decode(&mut &connack[..]).unwrap().unwrap();
        client.handle_packet(ms(0), packet).unwrap();
        for _ in 0..5 {
            client.publish(ms(0), &message(Q1, "x"), &mut out).unwrap();
        }
    }
    assert_ne!(used, [Slot::EMPTY; 8]);
    let session = Session::restore(&saved, used, used).unwrap();
    assert_eq!(outbound(&session), [3, 6]);
    assert_eq!(inbound(&session), [2, 65_535]);
    let empty = Session::new(used, used);
    assert!(empty.is_empty());
    assert_eq!(empty.save_to_vec(), golden("v1_empty"));
}

// Invalid saved sessions

#[test]
fn foreign_bytes_are_refused() {
    for (bytes, error) in [
        (&b""[..], RestoreError::NotASession),
        (b"M", RestoreError::NotASession),
        (b"MQS", RestoreError::NotASession),
        (b"MQTT\x01\0\x01\0\0\0\0\0\0\0\0", RestoreError::NotASession),
        (b"{\"session\": 1}", RestoreError::NotASession),
        (&[0; 100], RestoreError::NotASession),
        (&[0xff; 100], RestoreError::NotASession),
        (b"MQSN", RestoreError::Damaged),
        (b"MQSN\x00", RestoreError::UnknownVersion(0)),
        (b"MQSN\x02 and whatever", RestoreError::UnknownVersion(2)),
        (b"MQSN\xff", RestoreError::UnknownVersion(255)),
        (b"MQSN\x01", RestoreError::Damaged),
    ] {
        let result = Session::restore(bytes, Vec::new(), Vec::new());
        assert_eq!(result.unwrap_err(), error, "{bytes:?}");
    }
}

#[test]
fn every_altered_byte_every_cut_and_every_byte_too_many_is_noticed() {
    for name in ["v1_empty", "v1_both", "v1_receiving", "v1_all_in_use"] {
        let saved = golden(name);
        for at in 0..saved.len() {
            for flip in 1..=255 {
                let mut damaged = saved.clone();
                damaged[at] ^= flip;
                assert!(Session::restore(&damaged, Vec::new(), Vec::new()).is_err());
            }
            assert!(Session::restore(&saved[..at], Vec::new(), Vec::new()).is_err());
            assert!(Session::restore(&saved[at + 1..], Vec::new(), Vec::new()).is_err());
        }
        for more in [&[0][..], &[0; 4], &[0xff; 3], &saved] {
            let longer = [&saved[..], more].concat();
            assert!(Session::restore(&longer, Vec::new(), Vec::new()).is_err());
        }
    }
}

/// A program that computed a new checksum for altered bytes: refused, or a session that works.
#[test]
fn altered_bytes_with_the_right_check_are_refused_or_make_a_session_that_works() {
    fn check<S: Storage>(bytes: &[u8]) {
        let Ok(session) = Session::restore(bytes, S::fresh(), S::fresh()) else {
            return;
        };
        let saved = session.save_to_vec();
        assert_eq!(saved.len(), bytes.len());
        let again = restored::<S>(&saved);
        assert_eq!(stages(&again), stages(&session));
        assert_eq!(inbound(&again), inbound(&session));
        let expected = stages(&session);
        let mut peer = AsServer::resumes::<S>(AUTO, session);
        // PUBREL first [MQTT-4.6.0-4].
        for (number, stage) in &expected {
            if let Stage::Released = stage {
                peer.sends(pubrel(*number));
            }
        }
        for (number, stage) in &expected {
            if let Stage::Sent(_) = stage {
                peer.asks_for(*number);
            }
        }
        for (number, stage) in expected {
            match stage {
                Stage::Released => peer.receives(pubcomp(number)).delivered(number),
                Stage::Sent(_) => peer.forget(number),
            };
        }
        for number in inbound(&again) {
            peer.receives(pubrel(number)).sends(pubcomp(number));
        }
        assert!(peer.session().is_empty());
        let given = peer.try_publish(Q2, "x").unwrap();
        assert!(given.is_some());
        while peer.log_pop().is_some() {}
    }
    for name in ["v1_empty", "v1_both", "v1_sending", "v1_receiving"] {
        let saved = golden(name);
        let content = &saved[..saved.len() - 4];
        for at in 5..content.len() {
            for flip in (0..8).map(|bit| 1 << bit).chain([0xff, 0x7f, 0x55]) {
                let mut altered = content.to_vec();
                altered[at] ^= flip;
                let altered = with_check(&altered);
                check::<Vec<Slot>>(&altered);
                check::<[Slot; 8]>(&altered);
            }
        }
    }
}

#[test]
fn a_session_that_does_not_fit_is_refused_and_left_intact() {
    let saved = golden("v1_all_in_use");
    let before = saved.clone();
    for slots in [1, 2, 4, 7] {
        let (mut a, mut b) = (vec![Slot::EMPTY; slots], vec![Slot::EMPTY; slots]);
        let result = Session::restore(&saved, &mut a[..], &mut b[..]);
        assert_eq!(result.unwrap_err(), RestoreError::DoesNotFit);
    }
    // In one direction it may fit.
    let (mut a, mut b) = ([Slot::EMPTY; 8], [Slot::EMPTY; 1]);
    let result = Session::restore(&saved, &mut a[..], &mut b[..]);
    assert_eq!(result.unwrap_err(), RestoreError::DoesNotFit);
    assert_eq!(saved, before);
    assert!(Session::restore(&saved, [Slot::EMPTY; 8], [Slot::EMPTY; 8]).is_ok());
    assert!(Session::restore(&saved, [Slot::EMPTY; 16], [Slot::EMPTY; 16]).is_ok());
    // An empty session needs no slots.
    assert!(Session::restore(&golden("v1_empty"), [], []).is_ok());
}

#[test]
fn the_largest_session_is_saved_and_restored() {
    let mut session = fresh::<Vec<Slot>>();
    for number in 1..=65_535 {
        let qos = if number % 3 == 0 { Q2 } else { Q1 };
        assert!(session.apply(Change::Sent {
            packet_id: id(number),
            qos
        }));
        assert!(session.apply(Change::InboundReceived(id(number))));
    }
    let saved = session.save_to_vec();
    assert_eq!(saved.len(), 15 + 2 * 3 * 65_535);
    let again = restored::<Vec<Slot>>(&saved);
    assert_eq!(stages(&again), stages(&session));
    assert_eq!(inbound(&again).len(), 65_535);
}

#[test]
fn a_session_without_slots_lets_nothing_above_qos_0_through() {
    let mut c = Talk::client(Session::<[Slot; 0]>::default(), AUTO);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.receives("20 02 00 00").connected(false);
    c.publish(Q0, "x").sends(publish(Q0, 0, "x"));
    assert_eq!(c.try_publish(Q1, "x"), Err(CommandError::WindowFull));
    assert_eq!(c.try_subscribe(&["a"]), Err(CommandError::WindowFull));
    c.receives(publish(Q1, 1, "x"))
        .message(publish(Q1, 1, "x"))
        .sends(puback(1));
}

// Changes

#[test]
fn changes_of_identifiers_that_are_not_under_way_do_nothing() {
    let mut session = fresh::<[Slot; 8]>();
    for change in [
        Change::Released(id(1)),
        Change::Completed(id(1)),
        Change::Forgotten(id(1)),
        Change::Cleared,
    ] {
        assert!(session.apply(change));
        assert!(session.is_empty());
    }
}

#[test]
fn a_change_that_comes_twice_is_made_once() {
    let mut session = fresh::<[Slot; 8]>();
    let changes = [
        Change::Sent {
            packet_id: id(1),
            qos: Q2,
        },
        Change::InboundReceived(id(5)),
        Change::Released(id(1)),
    ];
    for change in changes {
        assert!(session.apply(change) && session.apply(change));
    }
    assert_eq!(stages(&session), [(1, Stage::Released)]);
    assert_eq!(inbound(&session), [5]);
}

// Crashes

type Letter = (QoS, String);

/// One side with a journal and a store: `disk` survives a crash.
#[derive(Debug)]
struct Node<P> {
    peer: P,
    disk: Disk,
    /// The output of commands, which is not sent before the changes are stored.
    written: Vec<u8>,
    /// In transit to the other side.
    wire: Vec<u8>,
    /// A delivered QoS 2 message whose change is not stored.
    told: Option<String>,
    asked: VecDeque<PacketId>,
    manual: bool,
    /// The number of actions until the next crash.
    fuse: Option<usize>,
}

#[derive(Debug, Clone)]
struct Disk {
    session: Session<Vec<Slot>>,
    outbox: BTreeMap<PacketId, Letter>,
    to_send: VecDeque<Letter>,
    got: Vec<String>,
}

struct Crash;

impl<P: Peer<Storage = Vec<Slot>>> Node<P> {
    fn new(peer: P, disk: Disk, manual: bool, fuse: Option<usize>) -> Self {
        Self {
            peer,
            disk,
            written: Vec::new(),
            wire: Vec::new(),
            told: None,
            asked: VecDeque::new(),
            manual,
            fuse,
        }
    }

    /// Carries out the actions; may crash between any two.
    fn burn(&mut self) -> Result<(), Crash> {
        match &mut self.fuse {
            Some(0) => Err(Crash),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn act(&mut self) -> Result<(), Crash> {
        while let Some(action) = self.peer.poll_action() {
            self.burn()?;
            match action {
                Action::Store(change) => {
                    assert!(self.disk.session.apply(change));
                    match change {
                        Change::Sent { packet_id, .. } => {
                            let letter = self.disk.to_send.pop_front().unwrap();
                            self.disk.outbox.insert(packet_id, letter);
                        }
                        Change::Completed(packet_id) => {
                            self.disk.outbox.remove(&packet_id);
                        }
                        Change::InboundReceived(_) => self.disk.got.extend(self.told.take()),
                        Change::Released(_) | Change::Forgotten(_) => {}
                        Change::Cleared => panic!("the session is not lost"),
                    }
                }
                Action::Transmit(control) => {
                    self.wire.append(&mut self.written);
                    self.wire.extend_from_slice(control.as_bytes());
                }
                Action::Resend(packet_id) => self.asked.push_back(packet_id),
                other => panic!("{other:?}"),
            }
        }
        self.burn()?;
        self.wire.append(&mut self.written);
        // The stored changes lead to the session in memory.
        let session = self.peer.session();
        assert_eq!(stages(&self.disk.session), stages(session));
        assert_eq!(inbound(&self.disk.session), inbound(session));
        Ok(())
    }

    /// Resends, then publishes; returns false if there was nothing to do.
    fn speak(&mut self) -> Result<bool, Crash> {
        let mut spoke = false;
        while let Some(packet_id) = self.asked.pop_front() {
            let Some((qos, text)) = self.disk.outbox.get(&packet_id) else {
                continue; // it was acknowledged meanwhile
            };
            let result =
                self.peer
                    .resend(ms(0), packet_id, &message(*qos, text), &mut self.written);
            assert!(matches!(result, Ok(()) | Err(CommandError::NotAwaited)));
            self.act()?;
            spoke = true;
        }
        while let Some((qos, text)) = self.disk.to_send.front().cloned() {
            match self
                .peer
                .publish(ms(0), &message(qos, &text), &mut self.written)
            {
                Ok(_) => self.act()?,
                Err(CommandError::WindowFull | CommandError::ResendPending) => break,
                Err(error) => panic!("{error}"),
            }
            spoke = true;
        }
        Ok(spoke)
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<bool, Crash> {
        let mut decoder = Decoder::new(Vec::new());
        let mut input = bytes;
        while let Some(packet) = decoder.decode(&mut input).unwrap() {
            let event = self.peer.handle_packet(ms(0), packet).unwrap();
            let mut to_acknowledge = None;
            if let Some(Event::Message(publish)) = event {
                to_acknowledge = publish.delivery.packet_id();
                let text = String::from_utf8(publish.payload.to_vec()).unwrap();
                match publish.delivery.qos() {
                    Q2 => self.told = Some(text),
                    _ => self.disk.got.push(text),
                }
            }
            if let Some(packet_id) = to_acknowledge.filter(|_| self.manual) {
                self.peer.acknowledge(packet_id).unwrap();
            }
            self.act()?;
        }
        Ok(!bytes.is_empty())
    }
}

fn new_disk(name: &str) -> Disk {
    Disk {
        session: fresh(),
        outbox: BTreeMap::new(),
        to_send: [Q1, Q2, Q2, Q1, Q2]
            .iter()
            .enumerate()
            .map(|(number, qos)| (*qos, format!("{name}{number} at {}", *qos as u8)))
            .collect(),
        got: Vec::new(),
    }
}

/// Runs one connection, to its end or to a crash of either side; returns true if everything is
/// done.
fn converse(
    client_disk: Disk,
    server_disk: Disk,
    first: bool,
    manual: bool,
    fuses: (Option<usize>, Option<usize>),
) -> (Disk, Disk, bool) {
    let config = JOURNAL.max_inflight(2).manual_acknowledgement(manual);
    let client = Client::new(client_disk.session.clone(), config, ms(0));
    let server = Server::new(fresh(), config, ms(0));
    let mut client = Node::new(client, client_disk, manual, fuses.0);
    let mut server = Node::new(server, server_disk, manual, fuses.1);

    // CONNECT and CONNACK.
    let connect = connect_packet(false, 0);
    client
        .peer
        .connect(ms(0), &connect, &mut client.written)
        .unwrap();
    let bytes = core::mem::take(&mut client.written);
    let mut decoder = Decoder::new(Vec::new());
    let packet = decoder.decode(&mut &bytes[..]).unwrap().unwrap();
    server.peer.handle_packet(ms(0), packet).unwrap();
    let mut session = (!first).then(|| server.disk.session.clone());
    let mut connack = Vec::new();
    match &mut session {
        Some(session) => server.peer.accept_resumed(ms(0), session, &mut connack),
        None => server.peer.accept_new(ms(0), &mut connack),
    }
    .unwrap();
    let packet = decoder.decode(&mut &connack[..]).unwrap().unwrap();
    client.peer.handle_packet(ms(0), packet).unwrap();

    let mut run = || -> Result<(), Crash> {
        client.act()?;
        server.act()?;
        loop {
            let mut busy = client.speak()? | server.speak()?;
            let bytes = core::mem::take(&mut client.wire);
            busy |= server.hear(&bytes)?;
            let bytes = core::mem::take(&mut server.wire);
            busy |= client.hear(&bytes)?;
            if !busy {
                return Ok(());
            }
        }
    };
    let done = run().is_ok();
    if done {
        assert!(client.peer.session().is_empty() && server.peer.session().is_empty());
    }
    (client.disk, server.disk, done)
}

fn check_got(got: &[String], from: &str, why: &str) {
    for (number, qos) in [Q1, Q2, Q2, Q1, Q2].iter().enumerate() {
        let text = format!("{from}{number} at {}", *qos as u8);
        let times = got.iter().filter(|g| **g == text).count();
        if *qos == Q2 {
            assert_eq!(times, 1, "{text}, {why}");
        } else {
            assert!(times >= 1, "{text}, {why}");
        }
    }
}

/// Crashes in each connection at the given action, then runs one connection without a crash.
fn with_crashes(fuses: &[(Option<usize>, Option<usize>)]) -> bool {
    acknowledging(false, fuses) | acknowledging(true, fuses)
}

fn acknowledging(manual: bool, fuses: &[(Option<usize>, Option<usize>)]) -> bool {
    let why = format!("with crashes at {fuses:?}, manual acknowledgement: {manual}");
    let (mut client, mut server) = (new_disk("c"), new_disk("s"));
    let mut first = true;
    let mut crashed = true;
    for fuse in fuses {
        let done;
        (client, server, done) = converse(client, server, first, manual, *fuse);
        first = false;
        crashed &= !done;
    }
    let done;
    (client, server, done) = converse(client, server, first, manual, (None, None));
    assert!(done, "{why}");
    check_got(&client.got, "s", &why);
    check_got(&server.got, "c", &why);
    assert!(
        client.outbox.is_empty() && server.outbox.is_empty(),
        "{why}"
    );
    crashed
}

/// rumqtt#47, arduino-mqtt#294: changes are stored before packets are sent. A crash between any two
/// actions loses no message at QoS 1 or 2 and delivers no QoS 2 message twice.
#[test]
fn a_client_that_crashes_between_any_two_actions_loses_nothing_and_repeats_no_qos_2_message() {
    let mut at = 0;
    while with_crashes(&[(Some(at), None)]) {
        at += 1;
    }
    assert!(at > 30, "{at}");
}

/// rumqtt#47, arduino-mqtt#294: the same for a server.
#[test]
fn a_server_that_crashes_between_any_two_actions_loses_nothing_and_repeats_no_qos_2_message() {
    let mut at = 0;
    while with_crashes(&[(None, Some(at))]) {
        at += 1;
    }
    assert!(at > 30, "{at}");
}

#[test]
fn crashes_of_both_sides_one_after_the_other_lose_and_repeat_nothing() {
    for one in 0..40 {
        for two in 0..40 {
            with_crashes(&[(Some(one), None), (None, Some(two))]);
            with_crashes(&[(Some(one), None), (Some(two), None)]);
            with_crashes(&[(None, Some(one)), (Some(two), None), (Some(one), None)]);
        }
    }
}

// Outbox

fn letter(text: &str) -> Message<Vec<u8>> {
    message(Q1, text).to_owned()
}

#[test]
fn an_outbox_gives_back_what_it_keeps_by_identifier() {
    let mut outbox = Outbox::default();
    assert!(outbox.is_empty());
    for number in [65_535, 3, 1] {
        outbox.keep(id(number), letter(&number.to_string()));
    }
    assert_eq!((outbox.len(), outbox.is_empty()), (3, false));
    assert_eq!(outbox.get(id(3)), Some(&letter("3")));
    assert_eq!(outbox.get(id(2)), None);
    assert_eq!(outbox.remove(id(3)), Some(letter("3")));
    assert_eq!(outbox.remove(id(3)), None);
    let ids: Vec<u16> = outbox
        .iter()
        .map(|(packet_id, _)| packet_id.get())
        .collect();
    assert_eq!(ids, [1, 65_535]);
    outbox.keep(id(1), letter("another"));
    assert_eq!(outbox.len(), 2);
    assert_eq!(outbox.get(id(1)), Some(&letter("another")));
}

#[test]
fn an_outbox_can_be_filled_from_another_and_emptied() {
    let mut stored = Outbox::default();
    stored.keep(id(3), "c");
    stored.keep(id(1), "a");
    let mut outbox = Outbox::default();
    outbox.keep(id(1), "old");
    outbox.extend(stored);
    let borrowed: Vec<_> = (&outbox).into_iter().collect();
    assert_eq!(borrowed, [(&id(1), &"a"), (&id(3), &"c")]);
    let owned: Vec<_> = outbox.into_iter().collect();
    assert_eq!(owned, [(id(1), "a"), (id(3), "c")]);
}

#[test]
fn an_outbox_answers_resends_until_the_messages_are_delivered() {
    let mut outbox = Outbox::default();
    let mut c = AsClient::begins::<[Slot; 8]>(AUTO);
    for (number, qos) in [(1, Q1), (2, Q2), (3, Q2)] {
        let given = c.try_publish(qos, "x").unwrap().unwrap();
        outbox.keep(given, message(qos, "x").to_owned());
        c.sends(publish(qos, number, "x"));
    }
    c.receives(pubrec(2)).received(2).sends(pubrel(2));
    // The peer has it: the application need not keep it.
    outbox.remove(id(2));
    let session = c.breaks_off();

    let mut c = AsClient::resumes::<[Slot; 8]>(AUTO, session);
    c.sends(pubrel(2));
    for number in [1, 3] {
        c.asks_for(number);
    }
    for number in [1, 3] {
        let kept = outbox.get(id(number)).unwrap();
        let result = c.command("resend", |peer, now, out| {
            peer.resend(now, id(number), kept, out)
        });
        assert_eq!(result, Ok(()));
        c.sends(dup(kept.qos, number, "x"));
    }
    c.receives(puback(1)).delivered(1);
    outbox.remove(id(1));
    c.receives(pubcomp(2)).delivered(2);
    c.receives(pubrec(3)).received(3).sends(pubrel(3));
    outbox.remove(id(3));
    c.receives(pubcomp(3)).delivered(3);
    assert!(outbox.is_empty() && c.session().is_empty());
}
