//! The commands of the applications.

use std::rc::Rc;

use mqtt_sansio::{PacketId, QoS};

use super::{Link, World};
use crate::exploration::Outcome;
use crate::exploration::app::{App, Held};
use crate::exploration::plan::{Fault, Side};
use crate::exploration::print::{Command, Line};
use crate::exploration::wire::ensure;

impl World {
    pub(super) fn publish(&mut self, side: Side, link: &mut Link) -> Outcome {
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

    pub(super) fn subscribe(&mut self, side: Side, link: &mut Link) -> Outcome {
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

    /// Answers a received SUBSCRIBE.
    pub(super) fn subscribed(&mut self, side: Side, link: &mut Link) -> Outcome {
        let mut out = Vec::new();
        let result = link.endpoint.suback(self.now(), &mut out);
        self.note(side, || Line::Command(Command::SubAck, out.clone()));
        ensure!(result.is_ok(), "SUBACK: {result:?}");
        self.drain(side, link, out)
    }

    /// The client's SUBSCRIBE ended, with or without an answer.
    pub(super) fn request_ends(&mut self, id: PacketId, is_subscribed: bool) -> Outcome {
        let request = self.client.app.request.take();
        ensure!(
            request == Some(id.get()),
            "SUBSCRIBE {id} ends, and {request:?} was asked for"
        );
        self.client.app.is_subscribed = is_subscribed;
        self.client.ledger.frees(id.get());
        Ok(())
    }

    pub(super) fn resend_at_once(&mut self, side: Side, link: &mut Link) -> Outcome {
        while !self.plan.resends_later && !link.is_closed {
            let Some(id) = self.peer_mut(side).app.resends.pop_front() else {
                return Ok(());
            };
            self.resend(side, link, id)?;
        }
        Ok(())
    }

    pub(super) fn resend(&mut self, side: Side, link: &mut Link, id: PacketId) -> Outcome {
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

    pub(super) fn refuse(&mut self, side: Side, link: &mut Link, at: u8) -> Outcome {
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

    pub(super) fn acknowledge(&mut self, side: Side, link: &mut Link, at: u8) -> Outcome {
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
}
