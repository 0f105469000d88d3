//! Carries out the actions of a connection.

use std::rc::Rc;

use super::{Link, World};
use crate::exploration::endpoint::Act;
use crate::exploration::plan::{Fault, Side};
use crate::exploration::print::Line;
use crate::exploration::wire::{self, Sent, ensure};
use crate::exploration::{Halt, Outcome};

impl World {
    /// Counts a complete act of a side.
    pub(super) fn act(&mut self, side: Side) -> Outcome {
        self.acts += 1;
        if self.fuse == Some(self.acts) {
            return Err(Halt::Crash(side));
        }
        Ok(())
    }

    /// Carries out all actions. The output of a command is sent after its changes are stored.
    pub(super) fn drain(&mut self, side: Side, link: &mut Link, out: Vec<u8>) -> Outcome {
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

    pub(super) fn perform(&mut self, side: Side, link: &mut Link, act: Act) -> Outcome {
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

    /// Sends a packet.
    pub(super) fn leaves(&mut self, side: Side, link: &mut Link, bytes: &[u8]) -> Outcome {
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
}
