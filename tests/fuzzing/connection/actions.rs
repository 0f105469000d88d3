//! What the connection asks for, compared with what it has to ask for.

use mqtt_sansio::v3::{Action, CloseReason, Packet, PubAck, PubComp, PubRec, PubRel};
use mqtt_sansio::{Encode, Limit, Options, PacketId, QoS, Stage, v3};

use super::World;
use super::model::State;
use crate::simulation::plan::Side;

/// The next action, but for what is to be stored.
#[derive(Debug, PartialEq)]
enum Next {
    Transmit(Packet<Vec<u8>>),
    Resend(PacketId),
    Lost(PacketId, bool),
    Will { publish: bool },
    Close(CloseReason),
}

impl World<'_> {
    /// The connection is over, for this reason, unless it was over before.
    pub(super) fn is_over(&mut self, reason: CloseReason) {
        if self.model.state != State::Over {
            self.model.end();
            self.reason = Some(reason);
            self.held = None;
            self.sending.clear();
            self.resends.clear();
        }
    }

    /// Carries out all actions, then looks at everything that can be seen.
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
            let action = action.map(|action| match action {
                Action::Store(_) | Action::Unanswered(_) => unreachable!("it was carried out"),
                Action::Transmit(control) => {
                    self.out.extend(control.as_bytes());
                    let packet = v3::decode(&mut control.as_bytes(), &Options::new());
                    let packet = packet.expect("a packet").expect("a whole one");
                    Next::Transmit(packet.to_owned())
                }
                Action::Resend(id) => {
                    self.resends.push_back(id);
                    Next::Resend(id)
                }
                Action::Lost {
                    packet_id,
                    received,
                } => Next::Lost(packet_id, received),
                Action::PublishWill => Next::Will { publish: true },
                Action::DiscardWill => Next::Will { publish: false },
                Action::Close(reason) => Next::Close(reason),
            });
            if action == Some(Next::Transmit(Packet::PingReq)) && next.is_none() && self.may_ping {
                self.may_ping = false;
                self.expected.push_back(Packet::PingReq);
                continue;
            }
            assert_eq!(action, next, "{:?}", self.model);
            match action {
                None => break,
                Some(Next::Transmit(packet)) => self.expected.push_back(packet),
                Some(Next::Close(_)) => {
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

    /// A message was left out, and what was held is finished: the connection is over once everything
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

    fn limit_exceeded(&self) -> CloseReason {
        let limit = u32::try_from(self.model.inbound_limit()).expect("at most 65,535");
        CloseReason::LimitExceeded {
            limit: Limit::InboundMessages,
            value: limit,
            actual: limit + 1,
        }
    }

    /// What the model asks for next, and has done.
    fn next_action(&mut self) -> Option<Next> {
        let model = &mut self.model;
        if model.is_sending {
            return None;
        }
        if let Some(answer) = model.answer.take() {
            return Some(Next::Transmit(answer));
        }
        if let Some(lost) = model.next_lost() {
            return Some(Next::Lost(lost.id, lost.released));
        }
        match model.state {
            State::Start | State::Requested => None,
            State::Connected => {
                if let Some((packet_id, qos)) = model.next_acknowledgement() {
                    model.acknowledgement_left();
                    return Some(Next::Transmit(match qos {
                        QoS::ExactlyOnce => Packet::PubRec(PubRec { packet_id }),
                        _ => Packet::PubAck(PubAck { packet_id }),
                    }));
                }
                let message = model.next_resend()?;
                let packet_id = message.id;
                if message.released {
                    message.is_sent = true;
                    return Some(Next::Transmit(Packet::PubRel(PubRel { packet_id })));
                }
                message.is_asked = true;
                Some(Next::Resend(packet_id))
            }
            State::Over if self.is_closed => None,
            State::Over if model.has_will => {
                model.has_will = false;
                let publish = !self.has_disconnected;
                Some(Next::Will { publish })
            }
            State::Over => self.reason.map(Next::Close),
        }
    }

    /// What is sent is what was meant, whole and in order.
    fn check_sent(&mut self) {
        let bytes = std::mem::take(&mut self.out);
        let mut bytes = &bytes[..];
        while let Some(packet) = self
            .sent
            .decode(&mut bytes)
            .expect("a packet as it should be")
        {
            let expected = self.expected.pop_front();
            assert_eq!(Some(packet.to_owned()), expected);
        }
        if !self.model.is_sending && self.model.state != State::Over {
            assert!(self.sent.is_at_packet_boundary(), "a part of a packet");
            assert!(self.expected.is_empty(), "not sent: {:?}", self.expected);
        }
    }

    /// The session is what it has to be, and so is what the journal says of it.
    fn check_session(&self) {
        let session = self.endpoint.session();
        let outbound = session.outbound().map(|m| (m.packet_id, m.stage));
        let expected = self.model.outbound.iter().map(|message| {
            let stage = if message.released {
                Stage::Released
            } else {
                Stage::Sent(message.qos)
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
        if self.model.is_clean {
            assert!(self.journal.is_empty(), "a Clean Session is stored");
            return;
        }
        assert!(
            self.journal.outbound().eq(session.outbound()),
            "the journal says {:?} instead of {:?}",
            self.journal.outbound().collect::<Vec<_>>(),
            session.outbound().collect::<Vec<_>>()
        );
        let received = self.model.inbound.iter().filter_map(|(id, held)| {
            use super::model::Stage::Received;
            (held.stage == Received).then_some(*id)
        });
        let mut stored: Vec<_> = self.journal.inbound().collect();
        stored.sort();
        assert!(
            received.eq(stored.iter().copied()),
            "the journal says {stored:?} instead of {:?}",
            self.model
        );
    }

    /// As long as there is something to wait for, there is a deadline.
    fn check_deadline(&self) {
        let deadline = self.endpoint.poll_timeout();
        let model = &self.model;
        let is_client = self.side() == Side::Client;
        let expects_one = match model.state {
            State::Start => !is_client,
            State::Requested => is_client,
            State::Over => false,
            State::Connected if model.release_by.is_some() && !model.is_stalled() => true,
            State::Connected if model.keep_alive == 0 => false,
            // A payload first, or it waits for PINGRESP.
            State::Connected if is_client && model.is_sending => return,
            State::Connected if is_client => true,
            // The client cannot get through.
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

    /// Too early a look must not matter; a deadline that has passed must not be left behind.
    pub(super) fn look_at_clock(&mut self) {
        let deadline = self.endpoint.poll_timeout();
        let now = self.now();
        let is_due = deadline.is_some_and(|deadline| deadline <= now);
        // Of a clock that was set back the connection may know: not if it has refused what came with
        // the later time.
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
        let is_client = self.side() == Side::Client;
        if ended {
            let is_given_up = self.model.release_by.is_some_and(|by| by <= self.given);
            let reason = match (self.model.state, is_client) {
                _ if is_given_up && !self.model.is_stalled() => self.limit_exceeded(),
                (State::Connected, true) => CloseReason::PingTimeout,
                (State::Connected, false) => CloseReason::KeepAliveTimeout,
                _ => CloseReason::ConnectTimeout,
            };
            if reason == CloseReason::KeepAliveTimeout {
                let silence = self.clock - self.last_received;
                let allowed = u64::from(self.model.keep_alive) * 1_500;
                // A clock that was set back in between.
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

    /// The connection answers CONNACK and PINGRESP by itself, with these.
    pub(super) fn encoded(packet: &Packet<Vec<u8>>) -> Vec<u8> {
        packet
            .encode_to_vec()
            .expect("the peer's packets are packets")
    }

    pub(super) const fn pubcomp(packet_id: PacketId) -> Packet<Vec<u8>> {
        Packet::PubComp(PubComp { packet_id })
    }
}
