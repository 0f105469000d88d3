//! Checks of every state, and of the states in which nothing more happens by itself.

use mqtt_sansio::{QoS, Session, Stage};

use super::Outcome;
use super::app::App;
use super::endpoint::Room;
use super::plan::{Plan, Side};
use super::wire::ensure;
use super::world::World;

/// The application keeps each message that the session may ask for, and the stored data leads to the
/// session in memory.
pub(super) fn application(plan: &Plan, side: Side, app: &App, session: &Session<Room>) -> Outcome {
    let mut awaited: Vec<u16> = session
        .outbound()
        .filter(|message| matches!(message.stage, Stage::Sent(_)))
        .map(|message| message.packet_id.get())
        .collect();
    awaited.sort_unstable();
    ensure!(
        awaited.iter().eq(app.outbox.iter().map(|(id, _)| id)),
        "the session of the {side:?} awaits {awaited:?}, and the application keeps {:?}",
        app.outbox
    );
    for message in session.outbound() {
        let same = |other: &mqtt_sansio::InFlight| other.packet_id == message.packet_id;
        ensure!(
            session.outbound().filter(same).count() == 1,
            "[MQTT-2.3.1-2] {message:?} is there twice"
        );
    }
    if !App::keeps_journal(plan, side) {
        return Ok(());
    }
    ensure!(
        app.stored.outbound().eq(session.outbound()),
        "the journal of the {side:?} leads to {:?} instead of {:?}",
        app.stored.outbound().collect::<Vec<_>>(),
        session.outbound().collect::<Vec<_>>()
    );
    // With manual acknowledgement a message is stored when it is acknowledged.
    let is_stored = |id: &mqtt_sansio::PacketId| {
        let unstored = app.unstored.iter().map(|arrival| arrival.id);
        let held = app.unacknowledged.iter().map(|held| held.arrival.id);
        let refused = app.refusing.contains(id);
        !refused && !unstored.chain(held).any(|other| other == Some(*id))
    };
    let mut held: Vec<_> = session.inbound().filter(is_stored).collect();
    let mut stored: Vec<_> = app.stored.inbound().collect();
    held.sort_unstable();
    stored.sort_unstable();
    ensure!(
        held == stored,
        "the journal of the {side:?} holds {stored:?} instead of {held:?}"
    );
    Ok(())
}

/// No message was delivered more often than its QoS allows.
pub(super) fn deliveries(plan: &Plan, sender: Side, from: &App, receiver: &App) -> Outcome {
    for (number, qos) in plan.side(sender).messages.iter().enumerate() {
        let times = receiver.arrived[number];
        let most = match qos {
            QoS::AtMostOnce => 1,
            QoS::AtLeastOnce => 2,
            QoS::ExactlyOnce if from.republished[number] => 2,
            QoS::ExactlyOnce => 1,
        };
        ensure!(
            times <= most,
            "message {number} of the {sender:?} has come {times} times at {qos:?}"
        );
    }
    Ok(())
}

/// Nothing more happens by itself: everything must have arrived.
pub(super) fn end(world: &World) -> Outcome {
    let plan = &world.plan;
    ensure!(world.newcomer.is_none(), "a connection is not accepted");
    for side in Side::BOTH {
        let peer = world.peer(side);
        let Some(link) = &peer.link else {
            ensure!(false, "nobody can go on: the {side:?} has no connection");
            continue;
        };
        ensure!(
            peer.app.is_done(plan, side),
            "nobody can go on: the {side:?} has next {} again {:?} outbox {:?} unstored {:?}",
            peer.app.next,
            peer.app.again,
            peer.app.outbox,
            peer.app.unstored
        );
        let session = link.endpoint.session();
        ensure!(
            session.is_empty() && link.tap.is_quiet(),
            "nobody can go on: the session of the {side:?} is {session:?}, on the wire {:?}",
            link.tap
        );
        let receiver = &world.peer(side.peer()).app;
        let rejected = peer.app.rejected;
        for (number, qos) in plan.side(side).messages.iter().enumerate() {
            ensure!(
                *qos == QoS::AtMostOnce || receiver.arrived[number] > 0 || rejected[number],
                "message {number} of the {side:?} has come 0 times at {qos:?}"
            );
        }
    }
    Ok(())
}
