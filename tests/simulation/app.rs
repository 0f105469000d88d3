//! The state of an application, and the part of it that survives a crash.

use std::collections::{BTreeMap, BTreeSet};

use mqtt_sansio::{Change, Outbox, PacketId, QoS, Session, Stage};

use super::context::{Context, Outcome, ensure, fail};
use super::plan::{Sabotage, Side, Spec, Storage};

/// A message that the peer's application published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) number: u32,
    pub(crate) topic: &'static str,
    pub(crate) qos: QoS,
}

/// The data of an application. With a journal this is its database, written at each change. Without
/// one it is in memory, and a copy is saved before bytes are sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffer {
    /// The number of its messages that were published.
    next: usize,
    /// Messages to publish again, as new ones.
    again: BTreeSet<u32>,
    pub(crate) outbox: Outbox<Spec>,
    pub(crate) delivered: Vec<Arrival>,
    /// Messages that it has not acknowledged yet.
    pub(crate) unacknowledged: Vec<(PacketId, QoS)>,
    /// The saved session, and the changes in the journal since then.
    saved: Vec<u8>,
    changes: Vec<Change>,
    /// Server: there is a session for the client.
    pub(crate) has_session: bool,
    /// Server: the client has shown that it knows this session. Until then a server that may lose
    /// sessions does not rely on it, because the client may not know yet that it is new.
    pub(crate) is_established: bool,
    /// The session ends with the connection.
    pub(crate) is_clean: bool,
    /// For how many seconds the session is kept after the connection.
    pub(crate) session_expiry: u32,
    /// When it expires, in milliseconds, once the connection has ended.
    pub(crate) expires: Option<u64>,
    /// Client: connect with Clean Session or Clean Start until the server has accepted that.
    pub(crate) starts_over: bool,
}

pub(crate) struct App {
    side: Side,
    pub(crate) journal: bool,
    manual: bool,
    messages: Vec<Spec>,
    pub(crate) memory: Buffer,
    /// Without a journal: the last saved copy.
    disk: Buffer,

    // In memory: lost in a crash, with a journal.
    /// A published message whose change is not stored yet.
    sending: Option<(PacketId, Spec)>,
    /// QoS 2 messages that were delivered and whose change is not stored yet.
    unstored: BTreeMap<PacketId, Arrival>,
    /// The second message of a `Sabotage::SwapDeliveries`.
    swapped: Option<Arrival>,
}

impl App {
    pub(crate) fn new(ctx: &Context, side: Side) -> Self {
        let plan = ctx.plan.side(side);
        Self {
            side,
            journal: plan.journal,
            manual: plan.manual,
            messages: plan.messages.clone(),
            memory: Buffer::default(),
            disk: Buffer::default(),
            sending: None,
            unstored: BTreeMap::new(),
            swapped: None,
        }
    }

    // Publishing

    pub(crate) fn next_message(&self) -> Option<Spec> {
        let number = match self.memory.again.first() {
            Some(number) => *number as usize,
            None => self.memory.next,
        };
        self.messages.get(number).copied()
    }

    /// Records that the next message was encoded.
    pub(crate) fn published(&mut self, id: Option<PacketId>, spec: Spec) {
        match id {
            Some(id) if self.keeps_journal() => self.sending = Some((id, spec)),
            _ => self.commit(id, spec),
        }
    }

    fn commit(&mut self, id: Option<PacketId>, spec: Spec) {
        if !self.memory.again.remove(&spec.number) {
            self.memory.next += 1;
        }
        if let Some(id) = id {
            self.memory.outbox.keep(id, spec);
        }
    }

    /// Marks every message in flight to be published again.
    fn publish_all_anew(&mut self, ctx: &mut Context) {
        let under_way: Vec<_> = self.memory.outbox.iter().map(|(id, _)| id).collect();
        for id in under_way {
            self.publish_anew(ctx, id);
        }
        ctx.ledger(self.side).clear();
    }

    fn publish_anew(&mut self, ctx: &mut Context, id: PacketId) {
        if let Some(spec) = self.memory.outbox.remove(id) {
            ctx.stats.lost_messages += 1;
            ctx.ledger(self.side).republished(spec.number);
            self.memory.again.insert(spec.number);
        }
    }

    /// Records that the peer has this message.
    pub(crate) fn arrived(&mut self, id: PacketId) -> Outcome {
        if !self.keeps_journal() {
            let gone = self.memory.outbox.remove(id);
            ensure!(gone.is_some(), "{id:?} has arrived, and was not in flight");
        }
        Ok(())
    }

    /// Records that the peer refused this message.
    pub(crate) fn rejected(&mut self, ctx: &mut Context, id: PacketId) -> Outcome {
        let Some(spec) = self.memory.outbox.get(id).copied() else {
            fail!("{id:?} was refused, and was not in flight");
        };
        ctx.stats.rejected += 1;
        ctx.ledger(self.side).refused.insert(spec.number);
        if !self.keeps_journal() {
            self.memory.outbox.remove(id);
        }
        Ok(())
    }

    pub(crate) fn forgotten(&mut self, ctx: &mut Context, id: PacketId) {
        if let Some(spec) = self.memory.outbox.get(id).copied() {
            ctx.stats.forgotten += 1;
            ctx.ledger(self.side).forgotten.insert(spec.number);
            ctx.ledger(self.side).release(id);
            if !self.keeps_journal() {
                self.memory.outbox.remove(id);
            }
        }
    }

    /// Handles `Action::Lost`.
    pub(crate) fn lost(&mut self, ctx: &mut Context, id: PacketId, received: bool) -> Outcome {
        ctx.ledger(self.side).release(id);
        let awaited = self.memory.outbox.get(id).is_some();
        ensure!(
            awaited != received,
            "{id:?} is lost, received: {received}, awaited: {awaited}"
        );
        self.publish_anew(ctx, id);
        Ok(())
    }

    // Receiving

    pub(crate) fn delivered(&mut self, ctx: &mut Context, id: Option<PacketId>, arrival: Arrival) {
        match id {
            Some(id)
                if (self.keeps_journal() || self.manual) && arrival.qos == QoS::ExactlyOnce =>
            {
                self.unstored.insert(id, arrival);
            }
            _ => self.keep(ctx, arrival),
        }
        if let Some(id) = id.filter(|_| self.manual) {
            self.memory.unacknowledged.push((id, arrival.qos));
        }
    }

    /// Without a journal a message is kept when it is acknowledged, because a saved session has the
    /// acknowledgement. With a journal it is kept when it is stored, and in a session that is not
    /// stored when PUBREC is sent. A refused message is not kept.
    pub(crate) fn acknowledged(&mut self, ctx: &mut Context, id: PacketId, refuses: bool) {
        if refuses {
            if let Some(arrival) = self.unstored.remove(&id) {
                let sender = ctx.ledger(self.side.other());
                sender.declined.insert(arrival.number);
            }
        } else if !self.journal {
            self.keep_received(ctx, id);
        }
    }

    /// Keeps a QoS 2 message that has waited for its acknowledgement.
    pub(crate) fn keep_received(&mut self, ctx: &mut Context, id: PacketId) {
        if let Some(arrival) = self.unstored.remove(&id) {
            self.keep(ctx, arrival);
        }
    }

    fn keep(&mut self, ctx: &mut Context, arrival: Arrival) {
        ctx.stats.delivered += 1;
        let is_safe = arrival.qos != QoS::AtMostOnce;
        if is_safe && ctx.sabotage(Sabotage::LoseDelivery) {
            return;
        }
        if arrival.qos == QoS::ExactlyOnce && ctx.sabotage(Sabotage::DeliverTwice) {
            self.memory.delivered.push(arrival);
        }
        if is_safe && ctx.sabotage(Sabotage::SwapDeliveries) {
            self.swapped = Some(arrival);
            return;
        }
        self.memory.delivered.push(arrival);
        if self
            .swapped
            .is_some_and(|s| s.topic == arrival.topic && s.qos == arrival.qos)
        {
            self.memory.delivered.extend(self.swapped.take());
        }
    }

    // Storing

    /// Returns false if there is nothing to store: with Clean Session the session ends with the
    /// connection, also in a crash.
    pub(crate) const fn keeps_journal(&self) -> bool {
        self.journal && !self.memory.is_clean
    }

    /// Handles `Action::Store`: stores the change and its message together.
    pub(crate) fn store(&mut self, ctx: &mut Context, change: Change) -> Outcome {
        ensure!(self.journal, "a change to store without a journal");
        match change {
            Change::Sent { packet_id, qos } => {
                let sending = self.sending.take();
                let Some((id, spec)) = sending.filter(|(id, s)| (*id, s.qos) == (packet_id, qos))
                else {
                    fail!("{change:?} is not about {sending:?}");
                };
                self.commit(Some(id), spec);
            }
            Change::Released(id) => {
                let gone = self.memory.outbox.remove(id);
                ensure!(gone.is_some(), "{id:?} was not in flight");
            }
            Change::Completed(id) => {
                self.memory.outbox.remove(id);
            }
            Change::InboundReceived(id) => {
                // The change is returned again if the connection ended before PUBREC was sent.
                self.keep_received(ctx, id);
            }
            Change::Forgotten(_) => {}
            // The messages in flight are reported as lost one by one, or continue until the
            // connection ends.
            Change::Cleared => {}
        }
        if !matches!(change, Change::Forgotten(_)) && ctx.sabotage(Sabotage::SkipStore) {
            return Ok(());
        }
        self.memory.changes.push(change);
        Ok(())
    }

    pub(crate) fn is_stored(&self, id: PacketId) -> bool {
        !self.unstored.contains_key(&id)
    }

    /// Without a journal: saves everything before bytes are sent.
    pub(crate) fn save(&mut self, ctx: &mut Context, session: Option<&Session<Storage>>) {
        if !self.journal {
            ctx.ledger(self.side).commit();
            if let Some(session) = session {
                self.memory.saved = session.save_to_vec();
            }
            self.disk = self.memory.clone();
        }
    }

    /// Replaces a long journal by a saved session.
    pub(crate) fn compact(&mut self, ctx: &mut Context) -> Outcome {
        if self.keeps_journal() && self.memory.changes.len() > 8 && ctx.rng.u32(0..8) == 0 {
            ctx.stats.journals_compacted += 1;
            self.memory.saved = self.restored(ctx)?.save_to_vec();
            self.memory.changes.clear();
        }
        Ok(())
    }

    // The end of sessions

    /// Discards the messages received on this connection and not acknowledged. Those of QoS 1
    /// arrive again.
    pub(crate) fn connection_ended(&mut self, ctx: &Context) {
        self.expire_later(ctx);
        if self.memory.is_clean {
            self.end_receiving();
        } else {
            let is_kept = |(_, qos): &(PacketId, QoS)| *qos == QoS::ExactlyOnce;
            self.memory.unacknowledged.retain(is_kept);
        }
    }

    fn expire_later(&mut self, ctx: &Context) {
        let seconds = self.memory.session_expiry;
        self.memory.expires = (seconds < u32::MAX).then(|| ctx.millis + 1000 * u64::from(seconds));
    }

    /// Discards the messages received in the session that ended: they cannot be acknowledged any
    /// more.
    pub(crate) fn end_receiving(&mut self) {
        self.memory.unacknowledged.clear();
        self.unstored.clear();
    }

    /// The session ends without a change from the library.
    pub(crate) fn drop_session(&mut self, ctx: &mut Context) {
        self.publish_all_anew(ctx);
        self.end_receiving();
        self.memory.saved.clear();
        self.memory.changes.clear();
        self.memory.has_session = false;
        self.memory.is_established = false;
    }

    /// Restarts the process.
    pub(crate) fn crash(&mut self, ctx: &mut Context) {
        if self.journal {
            ctx.stats.journal_restarts += 1;
            let lost = self.sending.take().is_some() || !self.unstored.is_empty();
            ctx.stats.volatile_losses += u64::from(lost);
            self.end_receiving();
        } else {
            ctx.stats.snapshot_restarts += 1;
            let before = self.disk.delivered.len() < self.memory.delivered.len();
            ctx.stats.volatile_losses += u64::from(before);
            ctx.ledger(self.side).roll_back();
            self.memory = self.disk.clone();
            // Messages not acknowledged are not in the saved session, and arrive again.
            self.end_receiving();
        }
        if self.memory.expires.is_none() {
            self.expire_later(ctx);
        }
    }

    /// Restarts the process with this session. Messages that the session does not await are
    /// published again.
    pub(crate) fn begin_again(&mut self, ctx: &mut Context, session: &Session<Storage>) {
        let awaited: BTreeSet<_> = session
            .outbound()
            .map(|message| message.packet_id)
            .collect();
        let kept: Vec<_> = self.memory.outbox.iter().map(|(id, _)| id).collect();
        for id in kept {
            if !awaited.contains(&id) {
                self.publish_anew(ctx, id);
            }
        }
        ctx.ledger(self.side).keep_only(&awaited);
    }

    /// Returns the session as it was stored.
    pub(crate) fn restored(&self, ctx: &Context) -> Outcome<Session<Storage>> {
        let plan = ctx.plan.side(self.side);
        let (outbound, inbound) = (plan.outbound.storage(), plan.inbound.storage());
        let mut session = if self.memory.saved.is_empty() {
            Session::new(outbound, inbound)
        } else {
            match Session::restore(&self.memory.saved, outbound, inbound) {
                Ok(session) => session,
                Err(error) => fail!("the {} can not be restored: {error}", self.side),
            }
        };
        for change in &self.memory.changes {
            ensure!(session.apply(*change), "{change:?} does not fit");
        }
        Ok(session)
    }

    /// Checked between two rounds of actions: the application keeps the messages that the session
    /// may ask for, and the stored data leads to the session in memory.
    pub(crate) fn check(&self, ctx: &mut Context, session: &Session<Storage>) -> Outcome {
        let mut awaited: Vec<_> = session
            .outbound()
            .filter(|message| matches!(message.stage, Stage::Sent(_)))
            .map(|message| message.packet_id)
            .collect();
        awaited.sort();
        ensure!(
            awaited
                .iter()
                .copied()
                .eq(self.memory.outbox.iter().map(|(id, _)| id)),
            "the session awaits {awaited:?}, the application keeps {:?}",
            self.memory.outbox
        );
        if self.keeps_journal() && ctx.rng.u32(0..4) == 0 {
            let restored = self.restored(ctx)?;
            ensure!(
                restored.outbound().eq(session.outbound()),
                "the journal of the {} leads to {:?} instead of {:?}",
                self.side,
                restored.outbound().collect::<Vec<_>>(),
                session.outbound().collect::<Vec<_>>()
            );
            let mut held: BTreeSet<_> = session.inbound().collect();
            held.retain(|id| self.is_stored(*id));
            ensure!(
                self.manual || held == restored.inbound().collect(),
                "the journal of the {} holds {:?} instead of {held:?}",
                self.side,
                restored.inbound().collect::<Vec<_>>()
            );
        }
        Ok(())
    }

    pub(crate) fn is_done(&self) -> bool {
        self.next_message().is_none()
            && self.memory.outbox.is_empty()
            && self.memory.unacknowledged.is_empty()
            && self.unstored.is_empty()
    }
}
