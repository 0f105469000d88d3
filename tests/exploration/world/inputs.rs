//! Delivers bytes to a connection and handles the events that it returns.

use std::rc::Rc;

use mqtt_sansio::QoS;

use super::{Link, World};
use crate::exploration::Outcome;
use crate::exploration::app::{App, Held};
use crate::exploration::endpoint::{Arrival, Step};
use crate::exploration::plan::{Sessions, Side};
use crate::exploration::print::{Command, Line};
use crate::exploration::wire::{self, Sent, ensure};

impl World {
    pub(super) fn notice(&mut self, side: Side, link: &mut Link) -> Outcome {
        self.note(side, || Line::TransportCloses);
        link.endpoint.handle_transport_closed(self.now());
        self.drain(side, link, Vec::new())
    }

    pub(super) fn wake(&mut self, side: Side, link: &mut Link) -> Outcome {
        self.note(side, || Line::Wakes);
        self.receive(side, link, &[])?;
        ensure!(
            link.is_closed || !link.is_overdue(self.now),
            "the deadline of the {side:?} stays in the past"
        );
        Ok(())
    }

    pub(super) fn receive_next(&mut self, side: Side, link: &mut Link) -> Outcome {
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

    /// Handles received bytes. Returns false if the application has to act first.
    pub(super) fn receive(
        &mut self,
        side: Side,
        link: &mut Link,
        mut input: &[u8],
    ) -> Outcome<bool> {
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

    pub(super) fn happened(&mut self, side: Side, link: &mut Link, step: Step) -> Outcome {
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

    pub(super) fn message(&mut self, side: Side, link: &Link, arrival: Arrival) -> Outcome {
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

    /// The server accepts the client, and the client's earlier connection ends.
    pub(super) fn accept(&mut self, link: &mut Link) -> Outcome {
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
}
