//! Arbitrary bytes as a saved session: no panic; what is restored saves to an equal session, follows
//! any journal, and can be used to its end.

use std::collections::BTreeSet;

use arbitrary::Unstructured;
use mqtt_sansio::v3::{
    Action, Client, ConnAck, Connect, Event, Message, Packet, PubAck, PubComp, PubRec, PubRel,
};
use mqtt_sansio::{Change, Config, PacketId, QoS, Session, Stage, Text, Timestamp, TopicName};

use super::input;
use crate::simulation::check;
use crate::simulation::plan::{Room, Side, Storage};

pub fn session(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let room = match input::byte(&mut u) {
        0..64 => Room::Heap,
        64..96 => Room::Two,
        96..128 => Room::Eight,
        slots => Room::Slice(slots - 128),
    };
    let mut changes = Vec::new();
    for _ in 0..input::byte(&mut u) % 8 {
        changes.extend(change(&mut u));
    }
    let saved = u.take_rest();
    check_restored(saved, room, &changes);
    // The check at the end keeps all but a few inputs out, so they get a right one too.
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
    check_use(session, room);
}

/// What a saved session holds, as `src/session/snapshot.rs` describes it: messages to the peer in
/// order, and messages from the peer, whose order does not matter. No identifier comes twice.
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

/// It saves to an equal session.
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

/// It goes on: everything is sent again in order and done with, and then all slots are free.
fn check_use(session: Session<Storage>, room: Room) {
    let now = Timestamp::from_millis(0);
    let under_way: Vec<_> = session.outbound().collect();
    let received: Vec<_> = session.inbound().collect();
    let mut out = Vec::new();
    let mut client = Client::new(session, Config::new(), now);
    let connect = Connect {
        clean_session: false,
        ..Connect::new(Text::new("fuzz").expect("a text"))
    };
    client.connect(now, &connect, &mut out).expect("a new one");
    let handle = |client: &mut Client<Storage>, packet: Packet<Vec<u8>>| {
        let event = client.handle_packet(now, packet.as_ref());
        event
            .map(|event| event.map(Event::to_owned))
            .unwrap_or_else(|error| panic!("{packet:?}: {error}"))
    };
    let connack = ConnAck::Accepted {
        session_present: true,
    };
    handle(&mut client, Packet::ConnAck(connack));

    let mut again = Vec::new();
    let mut pubrels = 0;
    while let Some(action) = client.poll_action() {
        match action {
            Action::Resend(id) => again.push(id),
            Action::Transmit(control) => {
                assert_eq!(control.as_bytes()[0], 0x62, "{control:?}");
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
        let packet_id = message.packet_id;
        let (topic, payload) = (TopicName::new("t").expect("a name"), &b""[..]);
        if let Stage::Sent(qos) = message.stage {
            let message = Message {
                topic,
                payload,
                qos,
                retain: false,
            };
            let resent = client.resend(now, packet_id, &message, &mut out);
            assert_eq!(resent, Ok(()), "{packet_id:?}");
        }
        let delivered = Some(Event::Delivered(packet_id));
        match message.stage {
            Stage::Sent(QoS::ExactlyOnce) => {
                let pubrec = Packet::PubRec(PubRec { packet_id });
                let event = handle(&mut client, pubrec);
                assert_eq!(event, Some(Event::AcceptedByPeer(packet_id)));
                assert!(matches!(client.poll_action(), Some(Action::Transmit(_))));
            }
            Stage::Sent(_) => {
                let puback = Packet::PubAck(PubAck { packet_id });
                assert_eq!(handle(&mut client, puback), delivered);
                continue;
            }
            Stage::Released => {}
        }
        let pubcomp = Packet::PubComp(PubComp { packet_id });
        assert_eq!(handle(&mut client, pubcomp), delivered);
    }
    for packet_id in received {
        handle(&mut client, Packet::PubRel(PubRel { packet_id }));
        assert!(matches!(client.poll_action(), Some(Action::Transmit(_))));
    }
    assert_eq!(client.poll_action(), None);
    check::slots(Side::Client, client.into_session(), room, room)
        .unwrap_or_else(|failure| panic!("{}", failure.0));
}

/// As `src/session/snapshot.rs` describes it.
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
