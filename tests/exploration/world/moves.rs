//! The moves that are possible in a state.

use mqtt_sansio::{State, Timestamp};

use super::World;
use crate::exploration::plan::{Sessions, Side};

/// A possible move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// The client opens a connection and sends CONNECT.
    Connect,
    /// The side receives the next packet and handles it.
    Deliver(Side),
    /// The server receives the next packet of a connection that is not accepted yet.
    DeliverToNewcomer,
    Publish(Side),
    /// The application acknowledges the message at this position of those that await it.
    Acknowledge(Side, u8),
    /// The application refuses the message at this position.
    Refuse(Side, u8),
    Resend(Side),
    Subscribe,
    /// The side is notified that the transport is closed.
    Notice(Side),
    NoticeNewcomer,
    /// The side handles a deadline that has passed.
    Wake(Side),
    WakeNewcomer,
    /// The link breaks: nothing that is sent from here on arrives.
    Cut,
    /// The link breaks, but neither side is notified.
    Silence,
    Disconnect,
    Crash(Side),
    /// The side stops in order, and restarts with the session that it saved.
    Restart(Side),
    /// The clock advances to the next deadline.
    Tick,
    /// The clock advances because nothing else can happen.
    Wait,
}

/// A move, and the number of its acts after which the side crashes, if it does.
pub(crate) type Choice = (Move, Option<u8>);

impl World {
    /// Returns the moves that happen by themselves, then the faults that are still allowed.
    pub(crate) fn moves(&self) -> (Vec<Move>, Vec<Move>) {
        let mut moves = Vec::new();
        if self.client.link.is_none() {
            moves.push(Move::Connect);
        }
        for side in Side::BOTH {
            let peer = self.peer(side);
            let Some(link) = &peer.link else {
                continue;
            };
            if !link.inbox.is_empty() {
                moves.push(Move::Deliver(side));
            }
            if !link.is_open && !link.is_silent {
                moves.push(Move::Notice(side));
            }
            if link.is_overdue(self.now) {
                moves.push(Move::Wake(side));
            }
            if let Some((_, qos)) = peer.app.next_message(&self.plan, side) {
                if link.endpoint.clone().can_publish(qos) {
                    moves.push(Move::Publish(side));
                }
            }
            if !peer.app.resends.is_empty() {
                moves.push(Move::Resend(side));
            }
            for at in 0..peer.app.unacknowledged.len() {
                let at = u8::try_from(at).unwrap();
                moves.push(Move::Acknowledge(side, at));
                if self.refusals > 0 {
                    moves.push(Move::Refuse(side, at));
                }
            }
        }
        if self.may_subscribe() {
            moves.push(Move::Subscribe);
        }
        if let Some(link) = &self.newcomer {
            if !link.inbox.is_empty() {
                moves.push(Move::DeliverToNewcomer);
            }
            if !link.is_open && !link.is_silent {
                moves.push(Move::NoticeNewcomer);
            }
            if link.is_overdue(self.now) {
                moves.push(Move::WakeNewcomer);
            }
        }
        let mut links = self.client.link.iter().chain(&self.server.link);
        let is_silent = links.any(|link| link.is_silent);
        if moves.is_empty() && is_silent && self.next_deadline().is_some() {
            moves.push(Move::Wait);
        }
        let mut mishaps = Vec::new();
        if self.cuts > 0 && self.client.link.as_ref().is_some_and(|link| link.is_open) {
            mishaps.push(Move::Cut);
            if self.plan.silences {
                mishaps.push(Move::Silence);
            }
            if self.is_connected(Side::Client) {
                mishaps.push(Move::Disconnect);
            }
        }
        if self.crashes > 0 {
            for side in Side::BOTH {
                if self.may_crash(side) {
                    mishaps.push(Move::Crash(side));
                } else if !self.plan.is_clean() {
                    mishaps.push(Move::Restart(side));
                }
            }
        }
        if self.ticks > 0 && self.next_deadline().is_some() {
            mishaps.push(Move::Tick);
        }
        (moves, mishaps)
    }

    pub(super) fn may_subscribe(&self) -> bool {
        let app = &self.client.app;
        let wants_to = self.plan.subscribes && !app.is_subscribed && app.request.is_none();
        let mut copy = self.client.link.clone().filter(|_| wants_to);
        copy.as_mut().is_some_and(|link| {
            let result = link.endpoint.subscribe(self.now(), &mut Vec::new());
            result.is_ok()
        })
    }

    pub(crate) fn may_crash(&self, side: Side) -> bool {
        let forgets = side == Side::Server && self.plan.sessions == Sessions::Forgotten;
        self.plan.side(side).journal || forgets
    }

    /// Returns the side that makes a move.
    pub(crate) const fn side_of(choice: Move) -> Option<Side> {
        match choice {
            Move::Connect | Move::Subscribe | Move::Disconnect => Some(Side::Client),
            Move::Deliver(side)
            | Move::Publish(side)
            | Move::Acknowledge(side, _)
            | Move::Refuse(side, _)
            | Move::Resend(side)
            | Move::Notice(side)
            | Move::Wake(side) => Some(side),
            Move::DeliverToNewcomer | Move::NoticeNewcomer | Move::WakeNewcomer => {
                Some(Side::Server)
            }
            Move::Cut
            | Move::Silence
            | Move::Crash(_)
            | Move::Restart(_)
            | Move::Tick
            | Move::Wait => None,
        }
    }

    pub(super) fn is_connected(&self, side: Side) -> bool {
        let link = self.peer(side).link.as_ref();
        link.is_some_and(|link| link.endpoint.state() == State::Connected)
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        let links = self.client.link.iter().chain(&self.server.link);
        links
            .chain(&self.newcomer)
            .filter_map(|link| link.endpoint.poll_timeout())
            .map(Timestamp::as_millis)
            .filter(|deadline| *deadline > self.now)
            .min()
    }
}
