//! Two applications, their connections and the packets between them; the moves that are possible,
//! and their effects.

mod actions;
mod commands;
mod inputs;
mod life;
mod moves;

use std::collections::VecDeque;
use std::rc::Rc;

use mqtt_sansio::{Change, PacketId, QoS, Session, Timestamp};

use super::app::App;
use super::check;
use super::endpoint::{Endpoint, Room};
use super::plan::{Plan, Side};
use super::print::{Command, Line, Log};
use super::wire::{Ledger, Tap, ensure};
use super::{Halt, Outcome};
pub(crate) use moves::{Choice, Move};

/// A connection with its state.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) endpoint: Endpoint,
    /// What was negotiated when it began.
    pub(crate) plan: Rc<Plan>,
    pub(crate) tap: Tap,
    /// Packets on their way to this side.
    pub(crate) inbox: VecDeque<Rc<[u8]>>,
    /// When this side sent and received its last packet.
    pub(crate) sent_at: u64,
    pub(crate) received_at: u64,
    /// Packets that this side sends arrive.
    pub(crate) is_open: bool,
    /// Packets do not arrive, but neither side is notified.
    pub(crate) is_silent: bool,
    /// `Action::Close` was returned.
    is_closed: bool,
    /// Server: the connection was accepted.
    is_accepted: bool,
}

#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) app: App,
    pub(crate) ledger: Ledger,
    pub(crate) link: Option<Link>,
    /// The session between connections.
    pub(crate) session: Option<Session<Room>>,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) plan: Rc<Plan>,
    pub(crate) client: Peer,
    pub(crate) server: Peer,
    /// Server: a connection that is not accepted yet. The earlier one may still exist.
    pub(crate) newcomer: Option<Link>,
    pub(crate) now: u64,
    pub(crate) cuts: u8,
    pub(crate) crashes: u8,
    pub(crate) ticks: u8,
    pub(crate) refusals: u8,
    /// There was a connection.
    pub(crate) has_connected: bool,
    /// The number of acts of a side in the last move.
    pub(crate) acts: u8,
    /// After this number of acts of the move the side crashes.
    fuse: Option<u8>,
    /// The CONNECT of the new connection.
    request: Rc<[u8]>,
    pub(crate) log: Option<Log>,
}

impl Link {
    fn new(plan: &Rc<Plan>, side: Side, session: Session<Room>, now: Timestamp) -> Self {
        Self {
            endpoint: Endpoint::new(plan, side, session, now),
            plan: Rc::clone(plan),
            tap: Tap::default(),
            inbox: VecDeque::new(),
            sent_at: now.as_millis(),
            received_at: now.as_millis(),
            is_open: true,
            is_silent: false,
            is_closed: false,
            is_accepted: false,
        }
    }

    fn is_overdue(&self, now: u64) -> bool {
        let deadline = self.endpoint.poll_timeout();
        deadline.is_some_and(|deadline| deadline.as_millis() <= now)
    }
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let peer = |side| {
            let session = first_session(plan.first_id);
            Peer {
                app: App::new(session.clone()),
                ledger: Ledger::default(),
                link: None,
                session: (side == Side::Client).then_some(session),
            }
        };
        Self {
            client: peer(Side::Client),
            server: peer(Side::Server),
            newcomer: None,
            now: 0,
            cuts: plan.cuts,
            crashes: plan.crashes,
            ticks: plan.ticks,
            refusals: plan.refusals,
            has_connected: false,
            acts: 0,
            fuse: None,
            request: Rc::default(),
            log: None,
            plan: Rc::new(plan),
        }
    }

    pub(crate) const fn peer(&self, side: Side) -> &Peer {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    const fn peer_mut(&mut self, side: Side) -> &mut Peer {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn note(&self, side: Side, line: impl FnOnce() -> Line) {
        if let Some(log) = &self.log {
            log.borrow_mut().push(side, self.now, line());
        }
    }

    pub(crate) fn make(&mut self, (what, fuse): Choice) -> Outcome {
        (self.acts, self.fuse) = (0, fuse);
        match self.attempt(what) {
            Err(Halt::Crash(side)) => {
                self.crashes -= 1;
                self.crash(side)?;
            }
            other => other?,
        }
        self.check()
    }

    fn attempt(&mut self, what: Move) -> Outcome {
        match what {
            Move::Connect => self.connect(),
            Move::Deliver(side) => self.with(side, Self::receive_next),
            Move::DeliverToNewcomer => {
                let link = self.newcomer.take();
                self.with_newcomer(link, Self::receive_next)
            }
            Move::NoticeNewcomer => {
                let link = self.newcomer.take();
                self.with_newcomer(link, Self::notice)
            }
            Move::WakeNewcomer => {
                let link = self.newcomer.take();
                self.with_newcomer(link, Self::wake)
            }
            Move::Publish(side) => self.with(side, Self::publish),
            Move::Acknowledge(side, at) => {
                self.with(side, |world, side, link| world.acknowledge(side, link, at))
            }
            Move::Refuse(side, at) => {
                self.refusals -= 1;
                self.with(side, |world, side, link| world.refuse(side, link, at))
            }
            Move::Resend(side) => self.with(side, |world, side, link| {
                let next = world.peer_mut(side).app.resends.pop_front();
                next.map_or(Ok(()), |id| world.resend(side, link, id))
            }),
            Move::Subscribe => self.with(Side::Client, Self::subscribe),
            Move::Notice(side) => self.with(side, Self::notice),
            Move::Wake(side) => self.with(side, Self::wake),
            Move::Cut => {
                self.cuts -= 1;
                self.sever(false);
                Ok(())
            }
            Move::Silence => {
                self.cuts -= 1;
                self.sever(true);
                Ok(())
            }
            Move::Disconnect => {
                self.cuts -= 1;
                self.with(Side::Client, |world, side, link| {
                    let mut out = Vec::new();
                    let result = link.endpoint.disconnect(world.now(), &mut out);
                    world.note(side, || Line::Command(Command::Disconnect, out.clone()));
                    ensure!(result.is_ok(), "DISCONNECT: {result:?}");
                    world.drain(side, link, out)
                })
            }
            Move::Crash(side) => {
                self.crashes -= 1;
                self.crash(side)
            }
            Move::Restart(side) => {
                self.crashes -= 1;
                self.restart(side)
            }
            Move::Tick => {
                self.ticks -= 1;
                self.now = self.next_deadline().unwrap_or(self.now);
                Ok(())
            }
            Move::Wait => {
                self.now = self.next_deadline().unwrap_or(self.now);
                Ok(())
            }
        }
    }

    // Checks

    /// Checks the state between two moves.
    fn check(&self) -> Outcome {
        for side in Side::BOTH {
            let peer = self.peer(side);
            let session = match (&peer.link, &peer.session) {
                (Some(link), _) => link.endpoint.session(),
                (None, Some(session)) => session,
                (None, None) => continue,
            };
            check::application(&self.plan, side, &peer.app, session)?;
        }
        for (side, sender) in [(Side::Client, Side::Server), (Side::Server, Side::Client)] {
            let (receiver, sender_app) = (&self.peer(side).app, &self.peer(sender).app);
            check::deliveries(&self.plan, sender, sender_app, receiver)?;
        }
        Ok(())
    }
}

/// Returns a session whose first identifier is `first_id`.
fn first_session(first_id: u16) -> Session<Room> {
    let mut session = Session::<Room>::default();
    if first_id > 1 {
        let id = PacketId::new(first_id - 1).unwrap();
        let qos = QoS::AtLeastOnce;
        let used = Change::Sent { packet_id: id, qos };
        assert!(session.apply(used) && session.apply(Change::Completed(id)));
    }
    session
}
