//! What client and server have in common: delivery, time, and how a connection ends.

use super::action::{Action, Answer, CloseReason, Control};
use super::config::Config;
use super::delivery::{self, Effect, Progress, Rejection, Verdict};
use super::error::{HandleError, NotNow, PeerError, SendError};
use super::event::{Event, Message, MessageHeader};
use crate::session::{Change, Phase, Session, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS, TopicName};
use crate::v3::{Delivery, EncodedMessage, Publish, PublishHeader, ReceiverPart};
use crate::wire::{Encode, Output, PacketType, SMALL};

/// How far a connection has come.
///
/// ```text
/// client:  Start --connect--> Requested --CONNACK 0--> Connected --+
/// server:  Start --CONNECT--> Requested --accept-----> Connected --+
///            |                    |                                |
///            +--------------------+---- any reason to close -------+--> Ending --Close--> Ended
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum State {
    /// A new connection: nothing has been sent or has come.
    Start,
    /// CONNECT was sent, or has come; it has not been answered.
    Requested,
    /// The connection is accepted.
    Connected,
    /// The connection is over, and actions that say so are to be polled.
    Ending,
    /// The last action has been polled. The session can be taken out.
    Ended,
}

/// Which packets put off the end of Keep Alive.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Counts {
    /// Those that this side sends: a client [MQTT-3.1.2-23].
    Sent,
    /// Those that come: a server [MQTT-3.1.2-24].
    Received,
}

/// A message that is coming in pieces.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Incoming {
    delivery: Delivery,
    duplicate: bool,
}

#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Core<S> {
    pub(super) session: Session<S>,
    /// The latest time that was given.
    clock: Timestamp,
    /// The last packet of those that Keep Alive counts.
    last: Timestamp,
    keep_alive_counts: Counts,
    /// When an awaited answer is overdue.
    pub(super) deadline: Option<Timestamp>,
    /// How many bytes of a payload in pieces are still to be sent.
    outgoing: u32,
    /// For [`delivery::acknowledgement`].
    extra_pubrels: u16,
    pub(super) keep_alive: u16,
    pub(super) clean_session: bool,
    pub(super) is_v3_1: bool,
    /// The peer could not get through to this side until now: its silence counts from now.
    grace: bool,
    /// The messages not sent on this connection are lost.
    losing: bool,
    /// The change that belongs to the acknowledgement that is due has been said.
    due_stored: bool,
    pub(super) will: bool,
    pub(super) state: State,
    pub(super) config: Config,
    store: Option<Change>,
    control: Option<Answer>,
    incoming: Option<Incoming>,
    reason: Option<CloseReason>,
}

impl<S: Slots> Core<S> {
    pub(super) const fn new(
        session: Session<S>,
        config: Config,
        keep_alive_counts: Counts,
        now: Timestamp,
    ) -> Self {
        Self {
            session,
            clock: now,
            last: now,
            keep_alive_counts,
            deadline: None,
            outgoing: 0,
            extra_pubrels: 0,
            keep_alive: 0,
            clean_session: false,
            is_v3_1: false,
            grace: false,
            losing: false,
            due_stored: false,
            will: false,
            state: State::Start,
            config,
            store: None,
            control: None,
            incoming: None,
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

    pub(super) const fn sent_now(&mut self) {
        if matches!(self.keep_alive_counts, Counts::Sent) {
            self.last = self.clock;
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

    /// The connection is accepted.
    pub(super) const fn begin(&mut self) {
        self.state = State::Connected;
        self.deadline = None;
    }

    /// What is under way in the session is to be sent again on this connection.
    pub(super) fn resume(&mut self) {
        self.session.outbound.resume();
        // A session may come from a journal rather than from a connection that has ended.
        self.session.inbound.end_connection();
    }

    /// The session is lost, or to be forgotten: what was not sent on this connection is lost, and
    /// what was received may come again as something else. `was_stored`: it may be in a journal.
    pub(super) fn lose_session(&mut self, was_stored: bool) {
        let losing = self.session.outbound.unsent() > 0;
        if !losing && self.session.inbound.is_empty() {
            return;
        }
        self.losing = losing;
        self.session.inbound.clear();
        self.due_stored = false;
        if self.config.journal && was_stored {
            self.store = Some(Change::Cleared);
        }
    }

    /// The connection is over. The session is not, unless it is one with Clean Session
    /// [MQTT-3.1.2-4, MQTT-4.1.0-1, MQTT-4.1.0-2].
    pub(super) fn end(&mut self, reason: CloseReason) {
        if matches!(self.state, State::Ending | State::Ended) {
            return;
        }
        self.state = State::Ending;
        self.deadline = None;
        self.control = None;
        self.incoming = None;
        self.outgoing = 0;
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
    pub(super) fn end_with(&mut self, control: Control, reason: CloseReason) {
        self.end(reason);
        self.control = Answer::of(control);
    }

    pub(super) fn violation(&mut self, error: PeerError) -> HandleError {
        self.end(CloseReason::Violation(error));
        HandleError::Peer(error)
    }

    // Output

    #[inline]
    pub(super) fn poll_action(&mut self) -> Option<Action> {
        if !SMALL && self.is_flowing() && self.is_quiet() {
            return None;
        }
        self.poll_pending()
    }

    /// [`poll_action`](Self::poll_action) when there may be something.
    #[inline(never)]
    fn poll_pending(&mut self) -> Option<Action> {
        if let Some(change) = self.store.take() {
            return Some(Action::Store(change));
        }
        if let Some(action) = self.poll_answer() {
            return Some(action);
        }
        if self.outgoing > 0 {
            return None;
        }
        if self.losing {
            if let Some((packet_id, phase)) = self.session.outbound.first_not_sent() {
                self.session.outbound.complete(packet_id);
                return Some(Action::Lost {
                    packet_id,
                    received: phase == Phase::Released,
                });
            }
            self.losing = false;
        }
        match self.state {
            State::Connected => self.poll_delivery(),
            State::Ending => Some(self.poll_end()),
            State::Start | State::Requested | State::Ended => None,
        }
    }

    /// The answer that is to be sent, if nothing has to be done before that.
    #[inline]
    pub(super) const fn poll_answer(&mut self) -> Option<Action> {
        // Nothing may come between the pieces of a payload.
        if self.store.is_some() || self.outgoing > 0 {
            return None;
        }
        match self.control.take() {
            Some(answer) => {
                self.sent_now();
                Some(Action::Transmit(answer.control()))
            }
            None => None,
        }
    }

    /// Acknowledgements that the application has given, and what is to be sent again.
    fn poll_delivery(&mut self) -> Option<Action> {
        if let Some((id, qos)) = self.session.inbound.due() {
            if qos == QoS::ExactlyOnce && self.keeps_journal() && !self.due_stored {
                self.due_stored = true;
                return Some(Action::Store(Change::Received(id)));
            }
            self.due_stored = false;
            self.grace |= self.is_stalled();
            self.session.inbound.acknowledged();
            self.sent_now();
            return Some(Action::Transmit(match qos {
                QoS::ExactlyOnce => Control::pubrec(id),
                QoS::AtLeastOnce | QoS::AtMostOnce => Control::puback(id),
            }));
        }
        self.poll_resend()
    }

    /// What is to be sent again, as much as the window allows: first each PUBREL, before another
    /// PUBREC can come [MQTT-4.6.0-4], then the messages.
    fn poll_resend(&mut self) -> Option<Action> {
        let outbound = &mut self.session.outbound;
        if outbound.unsent() == 0 || outbound.in_flight() >= self.config.window {
            return None;
        }
        // After PUBREC only PUBREL is sent again, never PUBLISH [MQTT-4.3.3-1].
        if let Some(id) = outbound.next_unsent_pubrel() {
            outbound.mark_sent(id);
            self.sent_now();
            return Some(Action::Transmit(Control::pubrel(id)));
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
        self.state = State::Ended;
        Action::Close(self.reason.unwrap_or(CloseReason::Aborted))
    }

    const fn set_change(&mut self, change: Option<Change>) {
        if self.keeps_journal() {
            self.store = change;
        }
    }

    /// A session with Clean Session ends with the connection, also if that ends by a crash: there
    /// is nothing to store of it [MQTT-3.1.2-6].
    const fn keeps_journal(&self) -> bool {
        self.config.journal && !self.clean_session
    }

    // Commands

    /// Whether anything may be sent now: after CONNECT or CONNACK [MQTT-3.1.0-1, MQTT-3.2.0-1], and
    /// not after the end [MQTT-3.14.4-2].
    pub(super) const fn check_may_send(&self) -> Result<(), SendError> {
        match self.state {
            State::Connected => {}
            // Only what came before it is under way on this connection, or nothing at all.
            State::Requested if self.config.early && self.session.outbound.unsent() == 0 => {}
            State::Start | State::Requested => return Err(SendError::NotConnected),
            State::Ending | State::Ended => return Err(SendError::Ended),
        }
        if self.outgoing > 0 {
            return Err(SendError::PayloadPending);
        }
        if self.store.is_some() {
            return Err(SendError::ActionsPending);
        }
        Ok(())
    }

    /// The identifier and QoS for a new message.
    fn next_delivery(&mut self, qos: QoS) -> Result<Delivery, SendError> {
        if qos == QoS::AtMostOnce {
            return Ok(Delivery::AtMostOnce); // [MQTT-4.3.1-1]
        }
        let outbound = &mut self.session.outbound;
        if outbound.unsent() > 0 {
            return Err(SendError::ResendPending);
        }
        if outbound.in_flight() >= self.config.window {
            return Err(SendError::WindowFull);
        }
        let packet_id = outbound.next_id().ok_or(SendError::WindowFull)?;
        // [MQTT-4.3.2-1, MQTT-4.3.3-1]
        Ok(Delivery::new(qos, packet_id, false))
    }

    pub(super) fn can_publish(&mut self, qos: QoS) -> bool {
        self.check_may_send().is_ok() && self.next_delivery(qos).is_ok()
    }

    /// A new message has been encoded.
    fn commit(&mut self, delivery: Delivery) -> Option<PacketId> {
        self.sent_now();
        let packet_id = delivery.packet_id()?;
        let qos = delivery.qos();
        self.session.outbound.begin(Phase::Publish(qos));
        self.set_change(Some(Change::Sent { packet_id, qos }));
        Some(packet_id)
    }

    pub(super) fn publish<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        message: &Message<B>,
        out: &mut O,
    ) -> Result<Option<PacketId>, SendError> {
        self.check_may_send()?;
        let delivery = self.next_delivery(message.qos)?;
        publish(message, delivery).encode(out)?;
        self.tick(now);
        Ok(self.commit(delivery))
    }

    #[inline]
    pub(super) fn publish_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        qos: QoS,
        retain: bool,
    ) -> Result<ReceiverPart, SendError> {
        self.check_may_send()?;
        let delivery = self.next_delivery(qos)?;
        self.tick(now);
        self.commit(delivery);
        Ok(message.receiver_part(delivery, retain))
    }

    pub(super) fn publish_in_pieces<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        message: &MessageHeader<B>,
        out: &mut O,
    ) -> Result<Option<PacketId>, SendError> {
        self.check_may_send()?;
        let delivery = self.next_delivery(message.qos)?;
        publish_header(message, delivery).encode(out)?;
        self.tick(now);
        self.outgoing = message.payload_len;
        Ok(self.commit(delivery))
    }

    pub(super) fn payload<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut O,
    ) -> Result<u32, SendError> {
        self.payload_left(bytes.len())?;
        out.reserve(bytes.len())?;
        out.put(bytes)?;
        self.payload_sent(now, bytes.len())
    }

    pub(super) fn payload_sent(&mut self, now: Timestamp, len: usize) -> Result<u32, SendError> {
        let left = self.payload_left(len)?;
        if len > 0 {
            self.tick(now);
            self.sent_now();
            self.outgoing = left;
        }
        Ok(left)
    }

    /// How many bytes of payload are still to be sent after `len` more.
    fn payload_left(&self, len: usize) -> Result<u32, SendError> {
        if matches!(self.state, State::Ending | State::Ended) {
            return Err(SendError::Ended);
        }
        u32::try_from(len)
            .ok()
            .filter(|_| self.outgoing > 0)
            .and_then(|len| self.outgoing.checked_sub(len))
            .ok_or(SendError::PayloadTooLong)
    }

    /// The message with this identifier, as far as the connection has asked for it.
    fn asked(&self, id: PacketId, qos: QoS) -> Result<Delivery, SendError> {
        self.check_may_send()?;
        if !self.session.outbound.is_asked(id) {
            return Err(SendError::NotAwaited);
        }
        if self.session.outbound.phase(id) != Some(Phase::Publish(qos)) {
            return Err(SendError::QosChanged);
        }
        Ok(Delivery::new(qos, id, true)) // [MQTT-3.3.1-1]
    }

    pub(super) fn resend<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &Message<B>,
        out: &mut O,
    ) -> Result<(), SendError> {
        let delivery = self.asked(id, message.qos)?;
        publish(message, delivery).encode(out)?;
        self.tick(now);
        self.sent_now();
        self.session.outbound.mark_sent(id);
        Ok(())
    }

    pub(super) fn resend_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &EncodedMessage<T, P>,
        qos: QoS,
        retain: bool,
    ) -> Result<ReceiverPart, SendError> {
        let delivery = self.asked(id, qos)?;
        self.tick(now);
        self.sent_now();
        self.session.outbound.mark_sent(id);
        Ok(message.receiver_part(delivery, retain))
    }

    pub(super) fn resend_in_pieces<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &MessageHeader<B>,
        out: &mut O,
    ) -> Result<(), SendError> {
        let delivery = self.asked(id, message.qos)?;
        publish_header(message, delivery).encode(out)?;
        self.tick(now);
        self.sent_now();
        self.outgoing = message.payload_len;
        self.session.outbound.mark_sent(id);
        Ok(())
    }

    pub(super) fn forget(&mut self, id: PacketId) -> Result<(), SendError> {
        if !self.session.outbound.is_asked(id) {
            return Err(SendError::NotAwaited);
        }
        self.check_may_send()?;
        self.session.outbound.complete(id);
        self.set_change(Some(Change::Completed(id)));
        Ok(())
    }

    pub(super) fn acknowledge(&mut self, id: PacketId) -> Result<(), SendError> {
        if self.session.inbound.acknowledge(id) {
            Ok(())
        } else {
            Err(SendError::NotAwaited)
        }
    }

    // Input

    /// True if messages and acknowledgements can come, and nothing else has to be done first: what
    /// nearly every packet finds.
    #[inline]
    pub(super) const fn is_flowing(&self) -> bool {
        matches!(self.state, State::Connected)
            && self.store.is_none()
            && self.control.is_none()
            && self.incoming.is_none()
    }

    /// True if no action comes from the session.
    #[inline]
    pub(super) const fn is_quiet(&self) -> bool {
        self.session.is_quiet() && !self.losing
    }

    /// Whether the next packet can be dealt with, whatever it is.
    pub(super) fn check_may_handle(&self) -> Result<(), HandleError> {
        if matches!(self.state, State::Ending | State::Ended) {
            return Err(HandleError::Ended);
        }
        if self.control.is_some() && self.outgoing > 0 {
            return Err(NotNow::SendingPayload.into());
        }
        if self.store.is_some() || self.control.is_some() {
            return Err(NotNow::ActionsPending.into());
        }
        Ok(())
    }

    /// A packet that is dealt with has come.
    pub(super) const fn received_now(&mut self) {
        if matches!(self.keep_alive_counts, Counts::Received) {
            self.last = self.clock;
        }
        self.grace = false;
    }

    /// PUBACK, PUBREC, PUBREL or PUBCOMP has come.
    #[inline(always)]
    pub(super) fn handle_acknowledgement<B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        packet_type: PacketType,
        id: PacketId,
    ) -> Result<Option<Event<B>>, HandleError> {
        Ok(match self.take_acknowledgement(now, packet_type, id)? {
            Some(Progress::Received(id)) => Some(Event::Received(id)),
            Some(Progress::Delivered(id)) => Some(Event::Delivered(id)),
            None => None,
        })
    }

    /// [`handle_acknowledgement`](Self::handle_acknowledgement) without the event, which is larger
    /// than what fits into registers.
    #[inline(never)]
    fn take_acknowledgement(
        &mut self,
        now: Timestamp,
        packet_type: PacketType,
        id: PacketId,
    ) -> Result<Option<Progress>, HandleError> {
        self.tick(now);
        let effect = match packet_type {
            PacketType::PubRel => delivery::released(&mut self.session, id),
            _ => {
                let extra_pubrels = &mut self.extra_pubrels;
                delivery::acknowledgement(&mut self.session, extra_pubrels, packet_type, id)
            }
        };
        match effect {
            Some(effect) => Ok(self.take_effect(effect)),
            None => Err(self.violation(PeerError::WrongAcknowledgement {
                packet_type,
                packet_id: id,
            })),
        }
    }

    const fn take_effect(&mut self, effect: Effect) -> Option<Progress> {
        self.set_change(effect.change);
        self.control = effect.answer;
        self.received_now();
        effect.progress
    }

    fn judge(&mut self, delivery: Delivery) -> Result<Verdict, HandleError> {
        let Config {
            manual,
            max_inbound,
            ..
        } = self.config;
        match delivery::judge(&mut self.session, delivery, manual, max_inbound) {
            Ok(verdict) => Ok(verdict),
            Err(Rejection::NotNow(later)) => Err(later.into()),
            Err(Rejection::Peer(error)) => Err(self.violation(error)),
        }
    }

    fn deliver(&mut self, delivery: Delivery, verdict: Verdict) {
        let Config {
            manual,
            max_inbound,
            ..
        } = self.config;
        let effect = delivery::delivered(&mut self.session, delivery, verdict, manual, max_inbound);
        self.take_effect(effect);
    }

    /// PUBLISH has come.
    #[inline(always)]
    pub(super) fn handle_publish<B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        publish: Publish<B>,
    ) -> Result<Option<Event<B>>, HandleError> {
        Ok(match self.take_message(now, publish.delivery)? {
            Verdict::Deliver => Some(Event::Message(publish)),
            Verdict::Duplicate => None,
        })
    }

    /// [`handle_publish`](Self::handle_publish) without what the application gets of it, so that
    /// it need not be moved.
    #[inline(never)]
    pub(super) fn take_message(
        &mut self,
        now: Timestamp,
        delivery: Delivery,
    ) -> Result<Verdict, HandleError> {
        self.tick(now);
        let verdict = self.judge(delivery)?;
        self.deliver(delivery, verdict);
        Ok(verdict)
    }

    pub(super) fn handle_publish_header<B: AsRef<[u8]>>(
        &mut self,
        header: PublishHeader<B>,
    ) -> Result<Option<Event<B>>, HandleError> {
        if self.state != State::Connected {
            return Err(self.violation(PeerError::Unexpected(PacketType::Publish)));
        }
        if self.incoming.is_some() {
            return Err(NotNow::PayloadPending.into());
        }
        let verdict = self.judge(header.delivery)?;
        self.received_now();
        if header.payload_len == 0 {
            self.deliver(header.delivery, verdict);
        } else {
            self.incoming = Some(Incoming {
                delivery: header.delivery,
                duplicate: verdict == Verdict::Duplicate,
            });
        }
        Ok(match verdict {
            Verdict::Deliver => Some(Event::MessageHeader(header)),
            Verdict::Duplicate => None,
        })
    }

    pub(super) fn handle_payload<B: AsRef<[u8]>>(
        &mut self,
        bytes: B,
        left: usize,
    ) -> Result<Option<Event<B>>, HandleError> {
        let Some(Incoming {
            delivery,
            duplicate,
        }) = self.incoming
        else {
            return Err(NotNow::HeaderFirst.into());
        };
        self.received_now();
        if left == 0 {
            self.incoming = None;
            let verdict = if duplicate {
                Verdict::Duplicate
            } else {
                Verdict::Deliver
            };
            self.deliver(delivery, verdict);
        }
        Ok((!duplicate).then_some(Event::Payload { bytes, left }))
    }

    /// True, once, if the peer could not get through until a moment ago.
    pub(super) const fn take_grace(&mut self) -> bool {
        core::mem::replace(&mut self.grace, false)
    }

    /// True if no message of the peer can be taken before the application has acknowledged one.
    pub(super) fn is_stalled(&self) -> bool {
        let inbound = &self.session.inbound;
        !inbound.is_queue_empty() && inbound.is_full(self.config.max_inbound)
    }

    pub(super) const fn is_sending_payload(&self) -> bool {
        self.outgoing > 0
    }

    pub(super) const fn is_receiving_payload(&self) -> bool {
        self.incoming.is_some()
    }

    /// The session for the next connection. Nothing of this one is left in it.
    pub(super) fn into_session(mut self) -> Session<S> {
        if self.losing {
            self.session.clear();
        }
        self.session
    }

    /// An answer that is only that.
    pub(super) const fn answer(&mut self, control: Control) {
        self.control = Answer::of(control);
    }

    /// True if something waits to be polled that the next answer would overwrite.
    pub(super) const fn has_control(&self) -> bool {
        self.control.is_some()
    }
}

#[inline]
fn publish<B: AsRef<[u8]>>(message: &Message<B>, delivery: Delivery) -> Publish<&[u8]> {
    Publish {
        delivery,
        retain: message.retain,
        topic: TopicName::as_ref(&message.topic),
        payload: message.payload.as_ref(),
    }
}

fn publish_header<B: AsRef<[u8]>>(
    message: &MessageHeader<B>,
    delivery: Delivery,
) -> PublishHeader<&[u8]> {
    PublishHeader {
        delivery,
        retain: message.retain,
        topic: TopicName::as_ref(&message.topic),
        payload_len: message.payload_len,
    }
}
