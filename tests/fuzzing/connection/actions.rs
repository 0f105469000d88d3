//! Compares the actions of the connection with those of the model.

use mqtt_sansio::any;
use mqtt_sansio::{Limit, PacketId, PacketType, QoS, Stage};

use super::World;
use super::agreed::closing;
use super::model::State;
use super::steps::{Action, Reason};
use super::wire::Packet;

impl World<'_> {
    /// The connection ends with this reason, unless it had ended before.
    pub(super) fn is_over(&mut self, reason: Reason) {
        self.is_over_by(reason, None);
    }

    /// Calls [`is_over`](Self::is_over) for a fault that exceeds a limit of this side.
    pub(super) fn is_over_by(&mut self, reason: Reason, cause: Option<any::DecodeError>) {
        let model = &mut self.model;
        if model.state == State::Over {
            return;
        }
        // No other packet may be sent between the pieces of a payload.
        let closing = if model.is_sending {
            None
        } else {
            closing(
                model.is_v5(),
                model.is_server(),
                model.state,
                &reason,
                cause,
            )
        };
        model.end();
        model.answer = closing;
        self.reason = Some(reason);
        self.held = None;
        self.sending.clear();
        self.resends.clear();
    }

    /// Carries out all actions, then compares all that is public.
    pub(super) fn drain(&mut self) {
        loop {
            let action = self.endpoint.poll_action();
            if let Some(Action::Store(change)) = action {
                assert!(self.model.setup.journal, "{change:?} without a journal");
                assert!(self.journal.apply(change), "no slot for {change:?}");
                continue;
            }
            if self.has_released_all() {
                self.is_over(self.limit_exceeded());
            }
            if let Some(Action::Unanswered(id)) = action {
                let is_waiting = self.model.unanswered.remove(&id);
                assert!(is_waiting, "{id:?} is no request without an answer");
                continue;
            }
            let next = self.next_action();
            match &action {
                Some(Action::Transmit(bytes)) => self.out.extend(bytes),
                Some(Action::Resend(id)) => self.resends.push_back(*id),
                _ => {}
            }
            let is_ping =
                matches!(&action, Some(Action::Transmit(bytes)) if bytes[..] == [0xc0, 0]);
            if is_ping && next.is_none() && self.may_ping {
                self.may_ping = false;
                self.expects(&Packet::PingReq);
                continue;
            }
            assert_eq!(action, next, "{:?}", self.model);
            match action {
                None => break,
                Some(Action::Transmit(bytes)) => self.expected.push_back(bytes),
                Some(Action::Close(_)) => {
                    assert!(self.model.unanswered.is_empty(), "{:?}", self.model);
                    self.is_closed = true;
                }
                Some(_) => {}
            }
        }
        self.may_ping = false;
        self.check_sent();
        self.check_session();
        self.check_deadline();
        if !self.resends_late {
            while self.model.state == State::Connected
                && !self.model.is_sending
                && !self.resends.is_empty()
            {
                self.resend_next();
            }
        }
    }

    /// The model expects this packet as the next one sent.
    pub(super) fn expects(&mut self, packet: &Packet) {
        self.expected.push_back(self.encoded(packet));
    }

    /// A message was left out, and the packet held is complete: the connection ends once everything
    /// is sent.
    fn has_released_all(&self) -> bool {
        let model = &self.model;
        model.state == State::Connected
            && model.release_by.is_some()
            && model.inbound.is_empty()
            && model.answer.is_none()
            && !model.is_sending
            && !(model.is_losing && model.outbound.iter().any(|m| !m.is_sent))
    }

    fn limit_exceeded(&self) -> Reason {
        let limit = u32::try_from(self.model.inbound_limit()).expect("at most 65,535");
        Reason::LimitExceeded {
            limit: Limit::InboundMessages,
            value: limit,
            actual: limit + 1,
        }
    }

    /// Returns the next action of the model, which then counts as carried out.
    fn next_action(&mut self) -> Option<Action> {
        let version = self.model.version;
        let model = &mut self.model;
        if model.is_sending {
            return None;
        }
        if let Some(answer) = model.answer.take() {
            return Some(Action::Transmit(answer.encoded(version)));
        }
        if let Some(lost) = model.next_lost() {
            return Some(Action::Lost(lost.id, lost.released));
        }
        match model.state {
            State::Start | State::Requested => None,
            State::Connected => {
                if let Some(acknowledgement) = model.next_acknowledgement() {
                    model.acknowledgement_left();
                    return Some(Action::Transmit(acknowledgement.encoded(version)));
                }
                let message = model.next_resend()?;
                let packet_id = message.id;
                if message.released {
                    message.is_sent = true;
                    let pubrel = Packet::ack(PacketType::PubRel, packet_id, 0);
                    return Some(Action::Transmit(pubrel.encoded(version)));
                }
                message.is_asked = true;
                Some(Action::Resend(packet_id))
            }
            State::Over if self.is_closed => None,
            State::Over if model.has_will => {
                model.has_will = false;
                let publish = !self.discards_will;
                Some(Action::Will { publish })
            }
            State::Over => self.reason.map(Action::Close),
        }
    }

    /// Checks that the bytes sent are the expected ones, whole and in order, and that a strict
    /// decoder accepts them.
    fn check_sent(&mut self) {
        let bytes = std::mem::take(&mut self.out);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let Some(expected) = self.expected.front() else {
                panic!("nothing is to be sent, but {rest:02x?} is");
            };
            let missing = expected.len() - self.sent.len();
            let (next, behind) = rest.split_at(missing.min(rest.len()));
            rest = behind;
            self.sent.extend(next);
            assert!(
                expected.starts_with(&self.sent),
                "{:02x?} instead of {expected:02x?}",
                self.sent
            );
            if next.len() == missing {
                self.expected.pop_front();
                self.sent.clear();
            }
        }
        let mut bytes = &bytes[..];
        while self.strict.next(&mut bytes).is_some_and(|packet| {
            assert!(
                !matches!(packet, super::reader::Incoming::Malformed(_)),
                "{packet:?}"
            );
            true
        }) {}
        if !self.model.is_sending && self.model.state != State::Over {
            assert!(self.sent.is_empty(), "a part of a packet");
            assert!(self.expected.is_empty(), "not sent: {:02x?}", self.expected);
        }
    }

    /// Compares the session and its journal with the model.
    fn check_session(&self) {
        let session = self.endpoint.session();
        let outbound = session.outbound().map(|m| (m.packet_id, m.stage));
        let expected = self.model.outbound.iter().map(|message| {
            let stage = if message.released {
                Stage::Released
            } else {
                Stage::Sent(message.message.qos)
            };
            (message.id, stage)
        });
        assert!(
            outbound.eq(expected),
            "{:?} instead of {:?}",
            session.outbound().collect::<Vec<_>>(),
            self.model
        );
        let mut inbound: Vec<_> = session.inbound().collect();
        inbound.sort();
        let held = self.model.inbound.iter();
        let held = held.filter(|(_, held)| held.qos == QoS::ExactlyOnce);
        assert!(
            held.map(|(id, _)| *id).eq(inbound.iter().copied()),
            "{inbound:?} instead of {:?}",
            self.model
        );
        if !self.model.setup.journal || !self.owns_session() {
            return;
        }
        // Until CONNACK the session may still be kept.
        let is_decided = self.model.state != State::Requested || self.model.clean_start;
        if self.model.session_ends && is_decided {
            assert!(self.journal.is_empty(), "a session that ends is stored");
            return;
        }
        assert!(
            self.journal.outbound().eq(session.outbound()),
            "the journal says {:?} instead of {:?}",
            self.journal.outbound().collect::<Vec<_>>(),
            self.model
        );
        let inbound = self.model.inbound.iter();
        let received = inbound.filter_map(|(id, held)| held.is_in_journal().then_some(*id));
        let mut stored: Vec<_> = self.journal.inbound().collect();
        stored.sort();
        assert!(
            received.eq(stored.iter().copied()),
            "the journal says {stored:?} instead of {:?}",
            self.model
        );
    }

    /// While the connection waits for something, it has a deadline.
    fn check_deadline(&mut self) {
        let deadline = self.endpoint.poll_timeout();
        let model = &self.model;
        let is_client = !self.model.is_server();
        let expects_one = match model.state {
            State::Start => !is_client,
            State::Requested => is_client,
            State::Over => false,
            State::Connected if model.release_by.is_some() && !model.is_stalled() => true,
            State::Connected if model.keep_alive == 0 => false,
            // The payload comes first, or PINGRESP is awaited.
            State::Connected if is_client && model.is_sending => return,
            State::Connected if is_client => true,
            // The client cannot send PINGREQ.
            State::Connected => {
                model.to_answer.is_none()
                    && (model.queue.is_empty() || !self.is_inbound_full())
                    && (model.answer.is_none() || !model.is_sending)
            }
        };
        assert_eq!(deadline.is_some(), expects_one, "{deadline:?}: {model:?}");
        let longest = 5_000 + u64::from(model.keep_alive) * 1_500;
        let is_near = |at: mqtt_sansio::Timestamp| at.as_millis() <= self.clock + longest;
        assert!(deadline.is_none_or(is_near), "{deadline:?}");
    }

    fn is_inbound_full(&self) -> bool {
        let setup = self.model.setup;
        self.model.inbound.len() >= usize::from(setup.receive_maximum).min(setup.inbound_slots)
    }

    /// Calls `handle_timeout`. Before a deadline it must have no effect; a deadline that has passed
    /// must be handled.
    pub(super) fn look_at_clock(&mut self) {
        let deadline = self.endpoint.poll_timeout();
        let now = self.now();
        let is_due = deadline.is_some_and(|deadline| deadline <= now);
        // The connection may have seen a later time before the clock was set back, but not if it
        // refused that call.
        let may_be_due = deadline.is_some_and(|deadline| deadline <= self.given);
        self.endpoint.handle_timeout(now);
        let is_unchanged = self.endpoint.poll_timeout() == deadline;
        if !is_due && (!may_be_due || is_unchanged) {
            assert!(is_unchanged, "it was too early");
            self.drain();
            return;
        }
        let ended = matches!(
            self.endpoint.state(),
            mqtt_sansio::State::Ending | mqtt_sansio::State::Ended
        );
        let is_client = !self.model.is_server();
        if ended {
            let is_given_up = self.model.release_by.is_some_and(|by| by <= self.given);
            let reason = match (self.model.state, is_client) {
                _ if is_given_up && !self.model.is_stalled() => self.limit_exceeded(),
                (State::Connected, true) => Reason::PingTimeout,
                (State::Connected, false) => Reason::KeepAliveTimeout,
                _ => Reason::ConnectTimeout,
            };
            if reason == Reason::KeepAliveTimeout {
                let silence = self.clock - self.last_received;
                let allowed = u64::from(self.model.keep_alive) * 1_500;
                // The clock was set back in between.
                assert!(silence + 1_000 >= allowed, "[MQTT-3.1.2-24] {silence} ms");
            }
            self.is_over(reason);
        } else if is_client {
            self.may_ping = self.model.state == State::Connected;
        }
        self.drain();
        let next = self.endpoint.poll_timeout();
        assert!(
            next.is_none_or(|next| next > self.given),
            "{deadline:?}, then {next:?}"
        );
    }

    pub(super) fn go_to_deadline(&mut self) {
        if let Some(deadline) = self.endpoint.poll_timeout() {
            self.clock = self.clock.max(deadline.as_millis());
            self.look_at_clock();
        }
    }

    /// Returns the bytes of a packet in the version of the connection.
    pub(super) fn encoded(&self, packet: &Packet) -> Vec<u8> {
        packet.encoded(self.model.version)
    }
}
