//! The key of a state: two states with equal keys have the same future.
//!
//! The private state of a connection cannot be read from here. The key contains what is public,
//! what the side has sent and received on the connection, and the saved session. The search
//! compares the successors of some states with equal keys, to detect a key that lacks something.

use std::hash::{DefaultHasher, Hash, Hasher};

use mqtt_sansio::Session;

use super::app::App;
use super::endpoint::Room;
use super::plan::{Sessions, Side};
use super::world::{Link, World};

pub(crate) fn key(world: &World) -> u128 {
    let mut low = DefaultHasher::new();
    hash(world, &mut low);
    let mut high = low.clone();
    high.write_u8(1);
    u128::from(high.finish()) << 64 | u128::from(low.finish())
}

fn hash(world: &World, to: &mut DefaultHasher) {
    (world.cuts, world.crashes, world.ticks, world.refusals).hash(to);
    (world.has_connected && world.plan.narrows).hash(to);
    hash_link(world.newcomer.as_ref(), world.now, to);
    for side in Side::BOTH {
        let peer = world.peer(side);
        hash_link(peer.link.as_ref(), world.now, to);
        peer.session.is_some().hash(to);
        if let Some(session) = &peer.session {
            hash_session(session, to);
        }
        peer.ledger.hash(to);
        // The freed identifiers matter only if this side uses another identifier.
        let takes_more = world.plan.sessions != Sessions::Kept
            || peer.app.next_message(&world.plan, side).is_some()
            || (world.plan.subscribes && !peer.app.is_subscribed);
        if takes_more {
            peer.ledger.freed().hash(to);
        }
        hash_app(&peer.app, to);
    }
}

fn hash_link(link: Option<&Link>, now: u64, to: &mut DefaultHasher) {
    link.is_some().hash(to);
    let Some(link) = link else {
        return;
    };
    let state = link.endpoint.state();
    core::mem::discriminant(&state).hash(to);
    let deadline = link.endpoint.poll_timeout();
    let deadline = deadline.map(|at| at.as_millis().saturating_sub(now));
    deadline.hash(to);
    // Times longer ago than any deadline are equal.
    let ago = |at: u64| (now - at).min(60_000);
    (ago(link.sent_at), ago(link.received_at)).hash(to);
    (link.is_open, link.is_silent).hash(to);
    link.plan.client.window.hash(to);
    link.tap.hash(to);
    link.inbox.hash(to);
    hash_session(link.endpoint.session(), to);
}

fn hash_session(session: &Session<Room>, to: &mut DefaultHasher) {
    let mut buffer = [0; 64];
    session.save(&mut buffer).expect("four slots").hash(to);
    // With manual acknowledgement, also the identifiers that a saved session does not contain.
    let mut inbound: Vec<_> = session.inbound().collect();
    inbound.sort_unstable();
    inbound.hash(to);
}

fn hash_app(app: &App, to: &mut DefaultHasher) {
    (app.next, &app.again, &app.outbox, app.arrived).hash(to);
    (app.has_session, app.is_established, app.sending).hash(to);
    (app.is_subscribed, app.request).hash(to);
    for arrival in &app.unstored {
        (arrival.number, arrival.id).hash(to);
    }
    for held in &app.unacknowledged {
        (held.arrival.number, held.arrival.id).hash(to);
    }
    (app.unstored.len(), app.unacknowledged.len()).hash(to);
    (&app.refusing, &app.with_gaps).hash(to);
    (&app.resends, app.republished, app.rejected).hash(to);
    hash_session(&app.stored, to);
}
