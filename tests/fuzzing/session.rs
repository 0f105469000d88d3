//! Arbitrary bytes as a saved session: no panic. A restored session saves to an equal session,
//! follows any journal, and can be used to its end.

use std::collections::BTreeSet;

use arbitrary::Unstructured;
use mqtt_sansio::any::ProtocolVersion;
use mqtt_sansio::{
    Change, Config, PacketId, PacketType, QoS, Session, Stage, Timestamp, TopicName,
};

use super::connection::endpoint::{Endpoint, Kind, Message, Response};
use super::connection::packets::resuming;
use super::connection::reader::Setup;
use super::connection::steps::{Action, Event};
use super::connection::wire::{Outcome, Packet};
use super::input;
use crate::simulation::check;
use crate::simulation::plan::{Room, Side, Storage};

pub fn session(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let room = match input::byte(&mut u) {
        0..64 => Room::Heap,
        64..96 => Room::Two,
        96..128 => Room::Eight,
        slots => Room::Slice((slots - 128) % 24),
    };
    let mut changes = Vec::new();
    for _ in 0..input::byte(&mut u) % 8 {
        changes.extend(change(&mut u));
    }
    let saved = u.take_rest();
    check_restored(saved, room, &changes);
    // The checksum rejects nearly all inputs, so each also gets a correct one.
    let mut checked = saved.to_vec();
    checked.extend(crc32(saved).to_be_bytes());
    check_restored(&checked, room, &changes);
}

fn change(u: &mut Unstructured<'_>) -> Option<Change> {
    let kind = input::byte(u);
    let packet_id = PacketId::new(u.arbitrary().ok()?)?;
    Some(match kind % 7 {
        0 => Change::Sent {
            packet_id,
            qos: QoS::AtLeastOnce,
        },
        1 => Change::Sent {
            packet_id,
            qos: QoS::ExactlyOnce,
        },
        2 => Change::Released(packet_id),
        3 => Change::Completed(packet_id),
        4 => Change::InboundReceived(packet_id),
        5 => Change::Forgotten(packet_id),
        _ => Change::Cleared,
    })
}

fn check_restored(saved: &[u8], room: Room, changes: &[Change]) {
    let restore = |saved: &[u8]| Session::restore(saved, room.storage(), room.storage());
    let Ok(mut session) = restore(saved) else {
        return;
    };
    assert_eq!(entries(&session.save_to_vec()), entries(saved));
    check_saved(&session, room);
    for change in changes {
        let before = session.save_to_vec();
        if !session.apply(*change) {
            assert_eq!(session.save_to_vec(), before, "{change:?} was made in part");
        }
        check_saved(&session, room);
    }
    for version in [ProtocolVersion::V3, ProtocolVersion::V5] {
        check_use(session.clone(), room, version);
    }
}

/// The contents of a saved session, as `src/session/snapshot.rs` describes them: messages to the
/// peer in order, and messages from the peer, whose order does not matter. Each identifier occurs
/// once.
fn entries(saved: &[u8]) -> (Vec<&[u8]>, BTreeSet<&[u8]>) {
    let count = |at: usize| usize::from(u16::from_be_bytes([saved[at], saved[at + 1]]));
    let list = |at: usize| -> Vec<_> { saved[at + 2..].chunks(3).take(count(at)).collect() };
    let ids = |list: &[&[u8]]| -> BTreeSet<_> { list.iter().map(|e| [e[0], e[1]]).collect() };
    let outbound = list(7);
    assert_eq!(ids(&outbound).len(), outbound.len(), "{saved:?}");
    let inbound = list(9 + 3 * outbound.len());
    assert_eq!(ids(&inbound).len(), inbound.len(), "{saved:?}");
    (outbound, inbound.into_iter().collect())
}

/// Checks that the session saves to an equal one.
fn check_saved(session: &Session<Storage>, room: Room) {
    let saved = session.save_to_vec();
    assert_eq!(session.saved_len(), saved.len());
    let mut short = vec![0; saved.len() - 1];
    assert!(session.save(&mut short).is_none());
    let again = Session::restore(&saved, room.storage(), room.storage());
    let again = again.expect("it has just been saved");
    assert!(again.outbound().eq(session.outbound()));
    let sorted = |session: &Session<Storage>| {
        let mut ids: Vec<_> = session.inbound().collect();
        ids.sort();
        ids
    };
    assert_eq!(sorted(&again), sorted(session));
    assert_eq!(again.is_empty(), session.is_empty());
}

/// Uses the session in either version: everything is resent in order and completed, then all slots
/// are free.
fn check_use(session: Session<Storage>, room: Room, version: ProtocolVersion) {
    let under_way: Vec<_> = session.outbound().collect();
    let received: Vec<_> = session.inbound().collect();
    let mut client = Resumed::new(session, version);

    let mut again = Vec::new();
    let mut pubrels = 0;
    while let Some(action) = client.endpoint.poll_action() {
        match action {
            Action::Resend(id) => again.push(id),
            Action::Transmit(bytes) => {
                assert_eq!(bytes[0], 0x62, "{bytes:?}");
                pubrels += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    let of_stage = |released: bool| {
        let stage =
            move |message: &&mqtt_sansio::InFlight| (message.stage == Stage::Released) == released;
        under_way.iter().filter(stage)
    };
    assert_eq!(pubrels, of_stage(true).count());
    assert!(
        again
            .iter()
            .eq(of_stage(false).map(|message| &message.packet_id))
    );

    for message in &under_way {
        let id = message.packet_id;
        if let Stage::Sent(qos) = message.stage {
            client.resends(id, qos);
        }
        let delivered = Response::Event(Event::Delivered(id, Outcome::default()));
        match message.stage {
            Stage::Sent(QoS::ExactlyOnce) => {
                let event = Event::AcceptedByPeer(id, Outcome::default());
                assert_eq!(
                    client.receives(PacketType::PubRec, id),
                    Response::Event(event)
                );
                client.transmits();
            }
            Stage::Sent(_) => {
                assert_eq!(client.receives(PacketType::PubAck, id), delivered);
                continue;
            }
            Stage::Released => {}
        }
        assert_eq!(client.receives(PacketType::PubComp, id), delivered);
    }
    for id in received {
        assert_eq!(client.receives(PacketType::PubRel, id), Response::Handled);
        client.transmits();
    }
    assert_eq!(client.endpoint.poll_action(), None);
    let session = client.endpoint.into_session().expect("it has one");
    check::slots(Side::Client, session, room, room)
        .unwrap_or_else(|failure| panic!("{}", failure.0));
}

/// Returns a client that resumed its session.
struct Resumed {
    endpoint: Endpoint,
    version: ProtocolVersion,
}

impl Resumed {
    const NOW: Timestamp = Timestamp::from_millis(0);

    fn new(session: Session<Storage>, version: ProtocolVersion) -> Self {
        let kind = Kind {
            side: Side::Client,
            version,
            any: false,
        };
        let decoding = Setup {
            memory: 64,
            in_pieces: false,
            is_strict: false,
        };
        let endpoint = Endpoint::new(kind, session, Config::new(), Self::NOW, decoding);
        let mut client = Self { endpoint, version };
        let connect = resuming(version);
        let connected = client
            .endpoint
            .connect(Self::NOW, &connect, &mut Vec::new());
        assert_eq!(connected, Ok(()));
        let session_present = true;
        assert_eq!(
            client.is_given(&Packet::connack(session_present, 0)),
            Response::Event(Event::Connected { session_present })
        );
        client
    }

    fn is_given(&mut self, packet: &Packet) -> Response {
        let mut bytes = packet.encoded(self.version);
        self.endpoint.receive(Self::NOW, &mut bytes)
    }

    fn receives(&mut self, packet_type: PacketType, id: PacketId) -> Response {
        self.is_given(&Packet::ack(packet_type, id, 0))
    }

    fn resends(&mut self, id: PacketId, qos: QoS) {
        let message = Message {
            topic: TopicName::from_bytes(b"t".to_vec()).expect("a name"),
            payload: Vec::new(),
            qos,
            retain: false,
            alias: None,
        };
        let resent = self
            .endpoint
            .resend(Self::NOW, id, &message, false, &mut Vec::new());
        assert_eq!(resent, Ok(()), "{id:?}");
    }

    fn transmits(&mut self) {
        let action = self.endpoint.poll_action();
        assert!(matches!(action, Some(Action::Transmit(_))), "{action:?}");
    }
}

/// The format, as `src/session/snapshot.rs` describes it.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}
