//! Two applications, their connections, and the bytes between them; what can happen next, and what
//! it leads to.

use std::collections::VecDeque;
use std::rc::Rc;

use mqtt_sansio::{PacketId, QoS, Session, State, Timestamp};

use super::app::{App, Held};
use super::endpoint::{Act, Arrival, Endpoint, Room, Step};
use super::plan::{Fault, Plan, Sessions, Side};
use super::print::{Command, Line, Log};
use super::wire::{self, Ledger, Sent, Tap, ensure};
use super::{Halt, Outcome};

/// Something that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// The client opens a connection and sends CONNECT.
    Connect,
    /// The next packet reaches the side and is handled.
    Deliver(Side),
    /// The next packet of a connection that is not accepted yet reaches the server.
    DeliverToNewcomer,
    Publish(Side),
    /// The message with this position among those that await it is acknowledged.
    Acknowledge(Side, u8),
    /// It is refused.
    Refuse(Side, u8),
    Resend(Side),
    Subscribe,
    /// The side learns that the transport is closed.
    Notice(Side),
    NoticeNewcomer,
    /// The side looks at its clock after a deadline has passed.
    Wake(Side),
    WakeNewcomer,
    /// The link breaks: nothing that is sent from here on arrives.
    Cut,
    /// The same, and neither side is told.
    Silence,
    Disconnect,
    Crash(Side),
    /// The side stops in order, and begins again with the session that it has saved.
    Restart(Side),
    /// The time goes on to the next deadline.
    Tick,
    /// The same, because nothing else happens.
    Wait,
}

/// A move, after whose first acts the side crashes, if that is not `None`.
pub(crate) type Choice = (Move, Option<u8>);

/// A connection and what belongs to it.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) endpoint: Endpoint,
    /// What was agreed when it began.
    pub(crate) plan: Rc<Plan>,
    pub(crate) tap: Tap,
    /// Packets on their way to this side.
    pub(crate) inbox: VecDeque<Rc<[u8]>>,
    /// When this side has sent and received the last packet.
    pub(crate) sent_at: u64,
    pub(crate) received_at: u64,
    /// What this side sends arrives.
    pub(crate) is_open: bool,
    /// Neither side is told that it is not.
    pub(crate) is_silent: bool,
    /// `Action::Close` has come.
    is_closed: bool,
    /// Server: the connection is accepted.
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
    /// Server: a connection that is not accepted yet; the one before may still be there.
    pub(crate) newcomer: Option<Link>,
    pub(crate) now: u64,
    pub(crate) cuts: u8,
    pub(crate) crashes: u8,
    pub(crate) ticks: u8,
    pub(crate) refusals: u8,
    /// There has been a connection.
    pub(crate) has_connected: bool,
    /// How many acts of a side the last move consisted of.
    pub(crate) acts: u8,
    /// After so many acts of the move the side crashes.
    fuse: Option<u8>,
    /// The CONNECT of the newcomer.
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

    // What can happen

    /// What goes on by itself, then what goes wrong and may or may not happen.
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

    fn may_subscribe(&self) -> bool {
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

    /// The side that a move is of.
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

    fn is_connected(&self, side: Side) -> bool {
        let link = self.peer(side).link.as_ref();
        link.is_some_and(|link| link.endpoint.state() == State::Connected)
    }

    fn next_deadline(&self) -> Option<u64> {
        let links = self.client.link.iter().chain(&self.server.link);
        links
            .chain(&self.newcomer)
            .filter_map(|link| link.endpoint.poll_timeout())
            .map(Timestamp::as_millis)
            .filter(|deadline| *deadline > self.now)
            .min()
    }

    // What it leads to

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
            Move::Deliver(side) => self.deliver(side),
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

    fn deliver(&mut self, side: Side) -> Outcome {
        self.with(side, Self::receive_next)
    }

    /// Nothing that is sent on the present connection arrives any more.
    fn sever(&mut self, is_silent: bool) {
        let newest = match &mut self.newcomer {
            Some(link) => Some(link),
            None => self.server.link.as_mut(),
        };
        for link in self.client.link.iter_mut().chain(newest) {
            (link.is_open, link.is_silent) = (false, is_silent);
        }
    }

    /// Does something with the connection of a side, and ends it if that has closed it.
    fn with(
        &mut self,
        side: Side,
        work: impl FnOnce(&mut Self, Side, &mut Link) -> Outcome,
    ) -> Outcome {
        let Some(mut link) = self.peer_mut(side).link.take() else {
            return Ok(());
        };
        work(self, side, &mut link)?;
        self.resend_at_once(side, &mut link)?;
        if link.is_closed {
            self.ended(side, link)?;
        } else {
            self.peer_mut(side).link = Some(link);
        }
        Ok(())
    }

    fn with_newcomer(
        &mut self,
        link: Option<Link>,
        work: impl FnOnce(&mut Self, Side, &mut Link) -> Outcome,
    ) -> Outcome {
        let Some(mut link) = link else {
            return Ok(());
        };
        work(self, Side::Server, &mut link)?;
        self.resend_at_once(Side::Server, &mut link)?;
        match (link.is_closed, link.is_accepted) {
            (true, true) => self.ended(Side::Server, link)?,
            (true, false) => self.closed(Side::Server, &link),
            (false, true) => self.server.link = Some(link),
            (false, false) => self.newcomer = Some(link),
        }
        Ok(())
    }

    /// The other side of this connection learns of its end.
    fn closed(&mut self, side: Side, link: &Link) {
        if link.is_open {
            let other = match side {
                Side::Client if self.newcomer.is_some() => self.newcomer.as_mut(),
                _ => self.peer_mut(side.peer()).link.as_mut(),
            };
            if let Some(other) = other {
                other.is_open = false;
            }
        }
    }

    fn ended(&mut self, side: Side, mut link: Link) -> Outcome {
        self.closed(side, &link);
        let plan = Rc::clone(&self.plan);
        let peer = self.peer_mut(side);
        let session = link.endpoint.take_session();
        peer.app.connection_ended(&plan);
        let request = peer.app.request;
        ensure!(request.is_none(), "SUBSCRIBE {request:?} has no answer");
        if plan.is_clean() {
            // The messages were lost one by one.
            peer.ledger.clear();
            peer.app.has_session = false;
        }
        let is_kept = side == Side::Client || !plan.is_clean();
        peer.session = is_kept.then_some(session);
        Ok(())
    }

    fn crash(&mut self, side: Side) -> Outcome {
        self.note(side, || Line::Crashes);
        if let Some(link) = self.peer_mut(side).link.take() {
            self.closed(side, &link);
        }
        if side == Side::Server {
            if let Some(link) = self.newcomer.take() {
                self.closed(side, &link);
            }
        }
        // Also a connection that was in use when its side crashed.
        if let Some(link) = &mut self.peer_mut(side.peer()).link {
            link.is_open = false;
        }
        if let (Side::Client, Some(link)) = (side, &mut self.newcomer) {
            link.is_open = false;
        }
        let plan = Rc::clone(&self.plan);
        let peer = self.peer_mut(side);
        peer.app.restart();
        peer.ledger.restored();
        let forgets = side == Side::Server && plan.sessions == Sessions::Forgotten;
        if plan.is_clean() || forgets || (side == Side::Server && !peer.app.has_session) {
            peer.app.drop_session(&mut peer.ledger);
        }
        peer.session = Some(restored(&peer.app.stored)?);
        if side == Side::Server && !peer.app.has_session {
            peer.session = None;
        }
        Ok(())
    }

    fn restart(&mut self, side: Side) -> Outcome {
        self.with(side, |world, side, link| {
            link.endpoint.close(world.now());
            world.note(side, || Line::Closes);
            world.drain(side, link, Vec::new())
        })?;
        if side == Side::Server {
            if let Some(link) = self.newcomer.take() {
                self.closed(side, &link);
            }
        }
        self.note(side, || Line::Restarts);
        let peer = self.peer_mut(side);
        peer.app.restart();
        if let Some(session) = peer.session.take() {
            peer.ledger.restored();
            peer.session = Some(saved_and_restored(&session)?);
        }
        Ok(())
    }

    /// An act of a side is complete.
    fn act(&mut self, side: Side) -> Outcome {
        self.acts += 1;
        if self.fuse == Some(self.acts) {
            return Err(Halt::Crash(side));
        }
        Ok(())
    }

    fn connect(&mut self) -> Outcome {
        if self.has_connected {
            self.plan = Rc::new(self.plan.later());
        }
        self.has_connected = true;
        let plan = Rc::clone(&self.plan);
        let now = self.now();
        let session = self.client.session.take().unwrap_or_default();
        let mut client = Link::new(&plan, Side::Client, session, now);
        let fresh = first_session(plan.first_id);
        if let Some(link) = &mut self.server.link {
            link.is_open = false;
        }
        self.newcomer = Some(Link::new(&plan, Side::Server, fresh, now));
        self.note(Side::Client, || Line::Begins);
        let mut out = Vec::new();
        let result = client.endpoint.connect(&plan, now, &mut out);
        self.note(Side::Client, || {
            Line::Command(Command::Connect, out.clone())
        });
        ensure!(result.is_ok(), "CONNECT: {result:?}");
        self.drain(Side::Client, &mut client, out)?;
        self.client.link = Some(client);
        Ok(())
    }

    fn notice(&mut self, side: Side, link: &mut Link) -> Outcome {
        self.note(side, || Line::TransportCloses);
        link.endpoint.handle_transport_closed(self.now());
        self.drain(side, link, Vec::new())
    }

    fn wake(&mut self, side: Side, link: &mut Link) -> Outcome {
        self.note(side, || Line::Wakes);
        self.receive(side, link, &[])?;
        ensure!(
            link.is_closed || !link.is_overdue(self.now),
            "the deadline of the {side:?} stays in the past"
        );
        Ok(())
    }

    fn publish(&mut self, side: Side, link: &mut Link) -> Outcome {
        let plan = Rc::clone(&self.plan);
        let Some((number, qos)) = self.peer(side).app.next_message(&plan, side) else {
            return Ok(());
        };
        let mut out = Vec::new();
        let result = link.endpoint.publish(self.now(), number, qos, &mut out);
        self.note(side, || {
            Line::Command(Command::Publish { number, qos }, out.clone())
        });
        let Ok(id) = result else {
            ensure!(false, "can_publish, but PUBLISH: {result:?}");
            return Ok(());
        };
        let journal = App::keeps_journal(&plan, side);
        let peer = self.peer_mut(side);
        peer.app.published(journal, id, number);
        if let Some(id) = id {
            peer.ledger.takes(id.get());
        }
        if plan.fault == Some(Fault::SendBeforeStore) {
            self.leaves(side, link, &core::mem::take(&mut out))?;
        }
        self.drain(side, link, out)
    }

    fn subscribe(&mut self, side: Side, link: &mut Link) -> Outcome {
        let mut out = Vec::new();
        let result = link.endpoint.subscribe(self.now(), &mut out);
        self.note(side, || Line::Command(Command::Subscribe, out.clone()));
        let Ok(id) = result else {
            ensure!(false, "SUBSCRIBE: {result:?}");
            return Ok(());
        };
        self.client.app.request = Some(id.get());
        self.client.ledger.takes(id.get());
        self.drain(side, link, out)
    }

    /// SUBSCRIBE has come, and is answered.
    fn subscribed(&mut self, side: Side, link: &mut Link) -> Outcome {
        let mut out = Vec::new();
        let result = link.endpoint.suback(self.now(), &mut out);
        self.note(side, || Line::Command(Command::SubAck, out.clone()));
        ensure!(result.is_ok(), "SUBACK: {result:?}");
        self.drain(side, link, out)
    }

    /// The SUBSCRIBE of the client is over, answered or not.
    fn request_ends(&mut self, id: PacketId, is_subscribed: bool) -> Outcome {
        let request = self.client.app.request.take();
        ensure!(
            request == Some(id.get()),
            "SUBSCRIBE {id} ends, and {request:?} was asked for"
        );
        self.client.app.is_subscribed = is_subscribed;
        self.client.ledger.frees(id.get());
        Ok(())
    }

    fn resend_at_once(&mut self, side: Side, link: &mut Link) -> Outcome {
        while !self.plan.resends_later && !link.is_closed {
            let Some(id) = self.peer_mut(side).app.resends.pop_front() else {
                return Ok(());
            };
            self.resend(side, link, id)?;
        }
        Ok(())
    }

    fn resend(&mut self, side: Side, link: &mut Link, id: PacketId) -> Outcome {
        let number = self.peer(side).app.number_of(id);
        let Some(number) = number else {
            ensure!(false, "{id:?} is to be sent again, and is not kept");
            return Ok(());
        };
        let qos = self.plan.side(side).messages[usize::from(number)];
        let mut out = Vec::new();
        let result = link.endpoint.resend(self.now(), id, number, qos, &mut out);
        self.note(side, || {
            Line::Command(Command::Resend { id, number, qos }, out.clone())
        });
        ensure!(result.is_ok(), "PUBLISH with DUP: {result:?}");
        if self.plan.fault == Some(Fault::ClearDup) {
            out[0] &= !8;
        }
        self.drain(side, link, out)
    }

    fn refuse(&mut self, side: Side, link: &mut Link, at: u8) -> Outcome {
        let app = &mut self.peer_mut(side).app;
        let Held {
            arrival,
            acknowledgement,
        } = app.unacknowledged.remove(usize::from(at));
        let result = link.endpoint.refuse(acknowledgement);
        if let Some(id) = arrival.id {
            let qos = arrival.qos;
            self.note(side, || {
                Line::Command(Command::Refuse { id, qos }, Vec::new())
            });
        }
        ensure!(result.is_ok(), "refusing {arrival:?}: {result:?}");
        let id = arrival.id.filter(|_| arrival.qos == QoS::ExactlyOnce);
        self.peer_mut(side).app.refusing.extend(id);
        self.act(side)?;
        self.drain(side, link, Vec::new())
    }

    fn acknowledge(&mut self, side: Side, link: &mut Link, at: u8) -> Outcome {
        let plan = Rc::clone(&self.plan);
        let app = &mut self.peer_mut(side).app;
        let held = app.unacknowledged.remove(usize::from(at));
        let arrival = held.arrival;
        let result = link.endpoint.acknowledge(held.acknowledgement);
        if let Some(id) = arrival.id {
            let command = Command::Acknowledge {
                id,
                qos: arrival.qos,
            };
            self.note(side, || Line::Command(command, Vec::new()));
        }
        ensure!(result.is_ok(), "acknowledging {arrival:?}: {result:?}");
        let app = &mut self.peer_mut(side).app;
        if App::keeps_journal(&plan, side) && arrival.qos == QoS::ExactlyOnce {
            app.unstored.push(arrival);
        } else {
            app.keep(&plan, side, arrival)?;
        }
        self.act(side)?;
        self.drain(side, link, Vec::new())
    }

    // Packets that come

    fn receive_next(&mut self, side: Side, link: &mut Link) -> Outcome {
        let Some(packet) = link.inbox.pop_front() else {
            return Ok(());
        };
        let before = (link.tap.clone(), self.peer(side).ledger.clone());
        let peer = self.peer_mut(side);
        link.tap.receives(&mut peer.ledger, &packet);
        link.received_at = self.now;
        if side == Side::Server && !link.is_accepted {
            self.request.clone_from(&packet);
        } else {
            self.note(side, || Line::Receives(packet.to_vec()));
        }
        if link.is_accepted && side == Side::Server {
            self.server.app.is_established = true;
        }
        let is_handled = self.receive(side, link, &packet)?;
        if wire::read(&packet) == Some(Sent::Other(13)) {
            link.tap.is_answered();
        }
        if !is_handled {
            self.note(side, || Line::PutOff);
            (link.tap, self.peer_mut(side).ledger) = before;
            link.inbox.push_front(packet);
        }
        Ok(())
    }

    /// Handles received bytes. False if the application has to do something first.
    fn receive(&mut self, side: Side, link: &mut Link, mut input: &[u8]) -> Outcome<bool> {
        loop {
            match link.endpoint.receive(self.now(), &mut input) {
                Ok(Some(Step::Act(act))) => self.perform(side, link, act)?,
                Ok(Some(step)) => self.happened(side, link, step)?,
                Ok(None) => return Ok(true),
                Err(why) => {
                    ensure!(
                        self.plan.side(side).manual && why == mqtt_sansio::Blocked::InboundFull,
                        "{why:?}"
                    );
                    return Ok(false);
                }
            }
        }
    }

    fn happened(&mut self, side: Side, link: &mut Link, step: Step) -> Outcome {
        if step == Step::ConnectRequested {
            return self.accept(link);
        }
        self.note(side, || Line::Step(step.clone()));
        let plan = Rc::clone(&self.plan);
        let journal = App::keeps_journal(&plan, side);
        match step {
            Step::Message(arrival) => self.message(side, link, arrival)?,
            Step::AcceptedByPeer(id) => self.peer_mut(side).app.peer_has(journal, id),
            Step::Delivered(id) | Step::Rejected(id) => {
                let peer = self.peer_mut(side);
                if matches!(step, Step::Rejected(_)) {
                    peer.app.is_rejected(id);
                }
                peer.app.peer_has(journal, id);
                peer.ledger.frees(id.get());
            }
            Step::SubscribeRequested => return self.subscribed(side, link),
            Step::Subscribed(id) => self.request_ends(id, true)?,
            Step::Connected { session_present } => {
                ensure!(
                    !session_present || !plan.is_clean(),
                    "Session Present with a clean session"
                );
            }
            Step::ConnectRequested | Step::Disconnected => {}
            Step::Other(what) => ensure!(false, "the {side:?} gets {what}"),
            Step::Act(_) => {}
        }
        self.act(side)
    }

    fn message(&mut self, side: Side, link: &Link, arrival: Arrival) -> Outcome {
        let plan = Rc::clone(&self.plan);
        let sent = plan
            .side(side.peer())
            .messages
            .get(usize::from(arrival.number));
        ensure!(
            sent == Some(&arrival.qos),
            "{arrival:?} was never published"
        );
        let app = &mut self.peer_mut(side).app;
        let acknowledgement = match arrival.id {
            Some(id) if plan.side(side).manual => link.endpoint.acknowledgement(id),
            _ => None,
        };
        let is_manual = plan.side(side).manual && arrival.id.is_some();
        ensure!(
            is_manual == acknowledgement.is_some(),
            "{arrival:?} can not be acknowledged"
        );
        if let Some(acknowledgement) = acknowledgement {
            app.unacknowledged.push(Held {
                arrival,
                acknowledgement,
            });
        } else if App::keeps_journal(&plan, side) && arrival.qos == QoS::ExactlyOnce {
            app.unstored.push(arrival);
        } else {
            app.keep(&plan, side, arrival)?;
        }
        Ok(())
    }

    /// The server accepts the client, whose earlier connection ends.
    fn accept(&mut self, link: &mut Link) -> Outcome {
        let plan = Rc::clone(&self.plan);
        self.act(Side::Server)?;
        if let Some(mut before) = self.server.link.take() {
            before.endpoint.close(self.now());
            self.note(Side::Server, || Line::Closes);
            self.drain(Side::Server, &mut before, Vec::new())?;
            self.ended(Side::Server, before)?;
        }
        self.note(Side::Server, || Line::Begins);
        self.note(Side::Server, || Line::Receives(self.request.to_vec()));
        self.note(Side::Server, || Line::Step(Step::ConnectRequested));
        let knows = plan.sessions != Sessions::Forgotten || self.server.app.is_established;
        let resumes = !plan.is_clean() && self.server.app.has_session && knows;
        let session = self.server.session.take();
        if !resumes {
            self.server.app.drop_session(&mut self.server.ledger);
        }
        self.server.app.has_session = true;
        let session = session.filter(|_| resumes);
        ensure!(
            resumes == session.is_some(),
            "the session of the server has gone"
        );
        let mut out = Vec::new();
        let result = link.endpoint.accept(&plan, self.now(), session, &mut out);
        let command = Command::Accept { resumes };
        self.note(Side::Server, || Line::Command(command, out.clone()));
        ensure!(result.is_ok(), "CONNACK: {result:?}");
        link.is_accepted = true;
        self.drain(Side::Server, link, out)
    }

    // What is to be done

    /// Carries out all actions; what a command has written leaves after the changes to be stored.
    fn drain(&mut self, side: Side, link: &mut Link, out: Vec<u8>) -> Outcome {
        let mut out = Some(out).filter(|out| !out.is_empty());
        while let Some(act) = link.endpoint.poll_action() {
            if !matches!(act, Act::Store(_)) {
                if let Some(out) = out.take() {
                    self.leaves(side, link, &out)?;
                }
            }
            self.perform(side, link, act)?;
        }
        out.map_or(Ok(()), |out| self.leaves(side, link, &out))
    }

    fn perform(&mut self, side: Side, link: &mut Link, act: Act) -> Outcome {
        let plan = Rc::clone(&self.plan);
        if let Act::Transmit(bytes) = &act {
            return self.leaves(side, link, bytes);
        }
        self.note(side, || Line::Act(act.clone()));
        let peer = self.peer_mut(side);
        match act {
            Act::Transmit(_) => {}
            Act::Store(change) => {
                ensure!(plan.side(side).journal, "{change:?} without a journal");
                peer.app.store(&plan, side, &mut peer.ledger, change)?;
            }
            Act::Resend(id) => peer.app.resends.push_back(id),
            Act::Lost { id, received } => {
                peer.app.lost(&mut peer.ledger, id, received)?;
                peer.ledger.frees(id.get());
            }
            Act::Unanswered(id) => self.request_ends(id, false)?,
            Act::Close(reason) => {
                let is_expected = ["TransportClosed", "Disconnected", "Aborted"]
                    .contains(&reason.as_str())
                    || (plan.keep_alive > 0 && reason.ends_with("Timeout"))
                    || (reason.contains("InboundMessages") && !plan.pair.is_v5());
                ensure!(is_expected, "the {side:?} closes: {reason}");
                link.is_closed = true;
            }
            Act::Other(what) => ensure!(false, "the {side:?} is to do {what}"),
        }
        self.act(side)
    }

    /// A packet leaves.
    fn leaves(&mut self, side: Side, link: &mut Link, bytes: &[u8]) -> Outcome {
        let copies = match (self.plan.fault, wire::read(bytes)) {
            (Some(Fault::DropPuback), Some(Sent::PubAck(_)))
            | (Some(Fault::DropPubrel), Some(Sent::PubRel(_))) => 0,
            (Some(Fault::SendTwice), Some(Sent::Publish { id: 1.., .. })) => 2,
            _ if bytes.is_empty() => return Ok(()),
            _ => 1,
        };
        self.note(side, || Line::Sends(bytes.to_vec()));
        let plan = Rc::clone(&link.plan);
        for _ in 0..copies {
            let peer = self.peer_mut(side);
            link.tap.sends(&mut peer.ledger, &plan, side, bytes)?;
            link.sent_at = self.now;
            if let Some(Sent::Refusal(id)) = wire::read(bytes) {
                let app = &mut self.peer_mut(side).app;
                app.refusing.retain(|refused| refused.get() != id);
            }
            let to = match side {
                Side::Client if self.newcomer.is_some() => self.newcomer.as_mut(),
                _ => self.peer_mut(side.peer()).link.as_mut(),
            };
            if let Some(to) = to.filter(|_| link.is_open) {
                to.inbox.push_back(bytes.into());
            }
        }
        self.act(side)
    }

    // What has to hold

    /// Between two moves.
    fn check(&self) -> Outcome {
        for side in Side::BOTH {
            let peer = self.peer(side);
            let session = match (&peer.link, &peer.session) {
                (Some(link), _) => link.endpoint.session(),
                (None, Some(session)) => session,
                (None, None) => continue,
            };
            super::check::application(&self.plan, side, &peer.app, session)?;
        }
        for (side, sender) in [(Side::Client, Side::Server), (Side::Server, Side::Client)] {
            let (receiver, sender_app) = (&self.peer(side).app, &self.peer(sender).app);
            super::check::deliveries(&self.plan, sender, sender_app, receiver)?;
        }
        Ok(())
    }
}

/// A session whose first identifier is `first_id`.
fn first_session(first_id: u16) -> Session<Room> {
    let mut session = Session::<Room>::default();
    if first_id > 1 {
        let id = PacketId::new(first_id - 1).unwrap();
        let qos = QoS::AtLeastOnce;
        let used = mqtt_sansio::Change::Sent { packet_id: id, qos };
        assert!(session.apply(used) && session.apply(mqtt_sansio::Change::Completed(id)));
    }
    session
}

/// The session as it comes back from a snapshot of what was stored, and is the same.
fn restored(stored: &Session<Room>) -> Outcome<Session<Room>> {
    let session = saved_and_restored(stored)?;
    ensure!(
        session.outbound().eq(stored.outbound())
            && session.inbound().count() == stored.inbound().count(),
        "a saved session is another one"
    );
    Ok(session)
}

fn saved_and_restored(session: &Session<Room>) -> Outcome<Session<Room>> {
    let mut buffer = [0; 64];
    let saved = session.save(&mut buffer).expect("a session of four slots");
    Session::restore(saved, Room::default(), Room::default())
        .map_err(|error| Halt::Failed(format!("the session can not be restored: {error}")))
}
