//! How connections and processes begin and end.

use std::rc::Rc;

use mqtt_sansio::Session;

use super::{Link, World, first_session};
use crate::exploration::endpoint::Room;
use crate::exploration::plan::{Sessions, Side};
use crate::exploration::print::{Command, Line};
use crate::exploration::wire::ensure;
use crate::exploration::{Halt, Outcome};

impl World {
    /// Closes the link: nothing sent on the present connection arrives any more.
    pub(super) fn sever(&mut self, is_silent: bool) {
        let newest = match &mut self.newcomer {
            Some(link) => Some(link),
            None => self.server.link.as_mut(),
        };
        for link in self.client.link.iter_mut().chain(newest) {
            (link.is_open, link.is_silent) = (false, is_silent);
        }
    }

    /// Calls a function of a side's connection, and ends the connection if it was closed.
    pub(super) fn with(
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

    pub(super) fn with_newcomer(
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

    /// Notifies the other side of the end of this connection.
    pub(super) fn closed(&mut self, side: Side, link: &Link) {
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

    pub(super) fn ended(&mut self, side: Side, mut link: Link) -> Outcome {
        self.closed(side, &link);
        let plan = Rc::clone(&self.plan);
        let peer = self.peer_mut(side);
        let session = link.endpoint.take_session();
        peer.app.connection_ended(&plan);
        let request = peer.app.request;
        ensure!(request.is_none(), "SUBSCRIBE {request:?} has no answer");
        if plan.is_clean() {
            // `Action::Lost` reported each message.
            peer.ledger.clear();
            peer.app.has_session = false;
        }
        let is_kept = side == Side::Client || !plan.is_clean();
        peer.session = is_kept.then_some(session);
        Ok(())
    }

    pub(super) fn crash(&mut self, side: Side) -> Outcome {
        self.note(side, || Line::Crashes);
        if let Some(link) = self.peer_mut(side).link.take() {
            self.closed(side, &link);
        }
        if side == Side::Server {
            if let Some(link) = self.newcomer.take() {
                self.closed(side, &link);
            }
        }
        // Includes a connection that was in use when its side crashed.
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

    pub(super) fn restart(&mut self, side: Side) -> Outcome {
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

    pub(super) fn connect(&mut self) -> Outcome {
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
}

/// Saves the stored session and restores it. Both must be equal.
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
