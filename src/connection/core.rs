//! What client and server have in common: time, how a connection begins and ends, and what it asks
//! its driver to do. `commands.rs` and `inputs.rs` hold the rest.

use super::action::{Action, Answer, CloseReason, Reply};
use super::config::Config;
use super::error::{HandleError, PeerError};
use super::state::{Pending, State};
use crate::session::{Change, Phase, Session, Slots};
use crate::time::Timestamp;
use crate::types::QoS;
use crate::wire::OPTIMIZE_SIZE;

/// Which packets put off the end of Keep Alive.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum KeepAliveBasis {
    /// Those that this side sends: a client [MQTT-3.1.2-23].
    Sent,
    /// Those that come: a server [MQTT-3.1.2-24].
    Received,
}

#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Core<S> {
    pub(super) session: Session<S>,
    /// The latest time that was given.
    clock: Timestamp,
    /// The last packet of those that Keep Alive counts.
    last: Timestamp,
    keep_alive_counts: KeepAliveBasis,
    /// When an awaited answer is overdue.
    pub(super) deadline: Option<Timestamp>,
    pub(super) pending: Pending,
    /// For [`delivery::acknowledgement`](super::delivery::acknowledgement).
    pub(super) unmatched_pubrels: u16,
    pub(super) keep_alive: u16,
    pub(super) clean_session: bool,
    pub(super) is_v3_1: bool,
    /// The peer could not get through to this side until now: its silence counts from now, or at a
    /// client the time for PINGRESP.
    grace: bool,
    /// The change that belongs to the acknowledgement that is due has been said.
    due_stored: bool,
    pub(super) will: bool,
    pub(super) config: Config,
    reason: Option<CloseReason>,
}

impl<S: Slots> Core<S> {
    pub(super) const fn new(
        session: Session<S>,
        config: Config,
        keep_alive_counts: KeepAliveBasis,
        now: Timestamp,
    ) -> Self {
        Self {
            session,
            clock: now,
            last: now,
            keep_alive_counts,
            deadline: None,
            pending: Pending::new(),
            unmatched_pubrels: 0,
            keep_alive: 0,
            clean_session: false,
            is_v3_1: false,
            grace: false,
            due_stored: false,
            will: false,
            config,
            reason: None,
        }
    }

    // Time

    /// Time only goes forward.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn tick(&mut self, now: Timestamp) -> Timestamp {
        self.clock = self.clock.max(now);
        self.clock
    }

    /// When Keep Alive is over, so many milliseconds for each of its seconds.
    pub(super) fn keep_alive_end(&self, millis_a_second: u64) -> Timestamp {
        let millis = u64::from(self.keep_alive).saturating_mul(millis_a_second);
        self.last.plus_millis(millis)
    }

    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) const fn sent_now(&mut self) {
        if matches!(self.keep_alive_counts, KeepAliveBasis::Sent) {
            self.last = self.clock;
        }
    }

    /// A packet that is dealt with has come.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) const fn received_now(&mut self) {
        if matches!(self.keep_alive_counts, KeepAliveBasis::Received) {
            self.last = self.clock;
            self.grace = false;
        }
    }

    /// This long from now; `None` for 0.
    pub(super) const fn after(&self, millis: u32) -> Option<Timestamp> {
        match millis {
            0 => None,
            millis => Some(self.clock.plus_millis(millis as u64)),
        }
    }

    // How a connection begins and ends

    pub(super) const fn state(&self) -> State {
        self.pending.state()
    }

    /// The connection is accepted.
    pub(super) const fn begin(&mut self) {
        self.pending.set_state(State::Connected);
        self.note_delivery();
        self.deadline = None;
    }

    /// What is under way in the session is to be sent again on this connection.
    pub(super) fn resume(&mut self) {
        // A session may come from a journal, or be a copy, rather than from a connection that has ended.
        self.session.outbound.drop_requests();
        self.session.outbound.resume();
        self.session.inbound.end_connection();
    }

    /// The session is lost, or to be forgotten: what was not sent on this connection is lost, and
    /// what was received may come again as something else. `was_stored`: it may be in a journal.
    pub(super) fn lose_session(&mut self, was_stored: bool) {
        let losing = self.session.outbound.unsent() > 0;
        if !losing && self.session.inbound.is_empty() {
            return;
        }
        self.pending.set_losing(losing);
        self.session.inbound.clear();
        self.due_stored = false;
        if self.config.journal && was_stored {
            self.pending.set_store(Some(Change::Cleared));
        }
    }

    /// The connection is over. The session is not, unless it is one with Clean Session
    /// [MQTT-3.1.2-4, MQTT-4.1.0-1, MQTT-4.1.0-2].
    pub(super) fn end(&mut self, reason: CloseReason) {
        if self.pending.is_over() {
            return;
        }
        self.pending.set_state(State::Ending);
        self.pending.set_answer(None);
        self.pending.set_incoming(None);
        self.pending.set_outgoing(0);
        self.deadline = None;
        self.due_stored = false;
        self.reason = Some(reason);
        self.session.outbound.drop_requests();
        self.session.inbound.end_connection();
        if self.clean_session {
            // The session ends with the connection [MQTT-3.1.2-6].
            self.session.outbound.resume();
            self.lose_session(false);
        }
    }

    /// The connection is over, and this is the last thing to be sent.
    pub(super) fn end_with(&mut self, control: Reply, reason: CloseReason) {
        self.end(reason);
        self.answer(control);
    }

    pub(super) fn violation(&mut self, error: PeerError) -> HandleError {
        self.end(CloseReason::Violation(error));
        HandleError::Peer(error)
    }

    // Output

    #[inline]
    pub(super) fn poll_action(&mut self) -> Option<Action> {
        if !OPTIMIZE_SIZE && self.pending.is_idle() {
            return None;
        }
        self.poll_pending()
    }

    /// [`poll_action`](Self::poll_action) when there may be something.
    #[inline(never)]
    fn poll_pending(&mut self) -> Option<Action> {
        if let Some(change) = self.pending.take_store() {
            return Some(Action::Store(change));
        }
        if let Some(action) = self.poll_answer() {
            return Some(action);
        }
        if self.is_sending_payload() {
            return None;
        }
        if self.pending.is_losing() {
            if let Some((packet_id, phase)) = self.session.outbound.first_not_sent() {
                self.session.outbound.complete(packet_id);
                return Some(Action::Lost {
                    packet_id,
                    received: phase == Phase::Released,
                });
            }
            self.pending.set_losing(false);
        }
        match self.state() {
            State::Connected => {
                let action = self.poll_delivery();
                self.note_delivery();
                action
            }
            State::Ending => Some(self.poll_end()),
            State::Start | State::Requested | State::Ended => None,
        }
    }

    /// The answer that is to be sent, if nothing has to be done before that.
    #[inline]
    pub(super) const fn poll_answer(&mut self) -> Option<Action> {
        match self.pending.take_answer() {
            Some(answer) => {
                self.sent_now();
                Some(Action::Transmit(answer.control()))
            }
            None => None,
        }
    }

    /// Notes whether anything may come of [`poll_delivery`](Self::poll_delivery). For the short ways
    /// only.
    #[inline]
    pub(super) const fn note_delivery(&mut self) {
        if !OPTIMIZE_SIZE {
            self.pending.set_delivery(!self.session.is_quiet());
        }
    }

    /// Acknowledgements that the application has given, and what is to be sent again.
    fn poll_delivery(&mut self) -> Option<Action> {
        if let Some((id, qos)) = self.session.inbound.due() {
            if qos == QoS::ExactlyOnce && self.keeps_journal() && !self.due_stored {
                self.due_stored = true;
                return Some(Action::Store(Change::InboundReceived(id)));
            }
            self.due_stored = false;
            self.mark_backpressure();
            self.session.inbound.acknowledged();
            self.sent_now();
            return Some(Action::Transmit(match qos {
                QoS::ExactlyOnce => Reply::pubrec(id),
                QoS::AtLeastOnce | QoS::AtMostOnce => Reply::puback(id),
            }));
        }
        self.poll_resend()
    }

    /// What is to be sent again, as much as the window allows: first each PUBREL, before another
    /// PUBREC can come [MQTT-4.6.0-4], then the messages.
    fn poll_resend(&mut self) -> Option<Action> {
        let outbound = &mut self.session.outbound;
        if outbound.unsent() == 0 || outbound.in_flight() >= self.config.max_inflight {
            return None;
        }
        // After PUBREC only PUBREL is sent again, never PUBLISH [MQTT-4.3.3-1].
        if let Some(id) = outbound.next_unsent_pubrel() {
            outbound.mark_sent(id);
            self.sent_now();
            return Some(Action::Transmit(Reply::pubrel(id)));
        }
        let id = outbound.next_unsent_publish()?;
        outbound.mark_asked(id);
        Some(Action::Resend(id))
    }

    /// The Will is spoken of once [MQTT-3.1.2-10, MQTT-3.14.4-3], then the end.
    fn poll_end(&mut self) -> Action {
        if self.will {
            self.will = false;
            return match self.reason {
                Some(CloseReason::Disconnected) => Action::DiscardWill,
                _ => Action::PublishWill,
            };
        }
        self.pending.set_state(State::Ended);
        Action::Close(self.reason.unwrap_or(CloseReason::Aborted))
    }

    pub(super) const fn set_change(&mut self, change: Option<Change>) {
        if self.keeps_journal() {
            self.pending.set_store(change);
        }
    }

    /// A session with Clean Session ends with the connection, also if that ends by a crash: there
    /// is nothing to store of it [MQTT-3.1.2-6].
    const fn keeps_journal(&self) -> bool {
        self.config.journal && !self.clean_session
    }

    /// True, once, if the peer could not get through until a moment ago.
    pub(super) const fn use_keep_alive_extension(&mut self) -> bool {
        core::mem::replace(&mut self.grace, false)
    }

    /// True if what the peer sends cannot be taken at the moment: before the application has
    /// acknowledged a message, or because an answer waits for the end of a payload.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn is_stalled(&self) -> bool {
        let inbound = &self.session.inbound;
        (self.has_answer() && self.is_sending_payload())
            || (!inbound.is_queue_empty() && inbound.is_full(self.config.receive_maximum))
    }

    /// Something is done about that.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn mark_backpressure(&mut self) {
        self.grace |= self.is_stalled();
    }

    pub(super) const fn is_sending_payload(&self) -> bool {
        self.pending.outgoing() > 0
    }

    pub(super) const fn is_receiving_payload(&self) -> bool {
        self.pending.incoming().is_some()
    }

    /// The session for the next connection, without what is lost: nothing else has been sent as long
    /// as any of that is left.
    pub(super) fn into_session(mut self) -> Session<S> {
        if self.pending.is_losing() && self.session.outbound.unsent() > 0 {
            self.session.outbound.clear();
        }
        self.session
    }

    /// An answer that is only that.
    pub(super) const fn answer(&mut self, control: Reply) {
        self.pending.set_answer(Answer::of(control));
    }

    /// True if something waits to be polled that the next answer would overwrite.
    pub(super) const fn has_answer(&self) -> bool {
        self.pending.has_answer()
    }
}
