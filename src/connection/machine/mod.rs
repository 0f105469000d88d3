//! The state machine of every connection: time, the session, the flows of QoS 1 and 2, and how a
//! connection begins and ends. It depends neither on role nor version, nor on the layout of
//! packets.

mod delivery;
mod handshake;
mod incoming;
mod outgoing;
mod pending;

pub(super) use delivery::Disposition;
pub(super) use incoming::Rejection;
pub(super) use pending::Pending;

use super::config::Config;
use super::reply::PendingReply;
use super::state::State;
use crate::connection::config::JOURNAL;
use crate::session::{Change, Phase, Session, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS};
use crate::wire::OPTIMIZE_SIZE;

/// The packets that restart Keep Alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(unnameable_types, reason = "only roles and the machine use it")]
pub enum KeepAliveBasis {
    /// Sent packets: a client [MQTT-3.1.2-23].
    Sent,
    /// Received packets: a server [MQTT-3.1.2-24].
    Received,
}

#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(unnameable_types, reason = "only roles and the connection use it")]
pub struct Machine<S> {
    pub(super) session: Session<S>,
    /// The latest time that the caller has passed.
    clock: Timestamp,
    /// The time of the last packet that counts for Keep Alive.
    last: Timestamp,
    keep_alive_basis: KeepAliveBasis,
    /// When an awaited packet is overdue: CONNECT, CONNACK or PINGRESP, or, once a message was left out
    /// for lack of a slot, PUBREL.
    pub(super) deadline: Option<Timestamp>,
    pub(super) pending: Pending,
    /// For [`delivery::acknowledgement`].
    unmatched_pubrels: u16,
    /// In seconds; 0 for none.
    pub(super) keep_alive: u16,
    /// The session ends with the connection.
    pub(super) session_ends: bool,
    /// The client has asked for a new session, or has ended its own before CONNACK.
    pub(super) clean_start: bool,
    /// Server: CONNECT was received, and AUTH of the client is awaited.
    pub(super) awaits_auth: bool,
    /// The peer could not send to this side until now. Its silence counts from now, or at a client
    /// the time for PINGRESP.
    keep_alive_extension: bool,
    /// True once [`Action::Store`](crate::Action::Store) was returned for the acknowledgement that is
    /// due.
    due_stored: bool,
    pub(super) has_will: bool,
    /// The connection ended with a DISCONNECT that discards the Will.
    discards_will: bool,
    /// Where to continue the search for unanswered requests.
    first_request: u16,
    pub(super) config: Config,
    /// The Receive Maximum that this side announced; 65,535 if the version has none.
    pub(super) announced_receive_maximum: u16,
}

/// An [`Action`](crate::Action) before its version encodes it.
#[derive(Debug, Clone, Copy)]
pub(super) enum MachineAction {
    Store(Change),
    Transmit(PendingReply),
    Resend(PacketId),
    Lost {
        packet_id: PacketId,
        received: bool,
    },
    Unanswered(PacketId),
    PublishWill,
    DiscardWill,
    /// After a message was left out: everything that could be completed is complete.
    LimitReached,
    Close,
}

impl<S: Slots> Machine<S> {
    pub(super) const fn new(
        session: Session<S>,
        config: Config,
        keep_alive_basis: KeepAliveBasis,
        now: Timestamp,
    ) -> Self {
        Self {
            session,
            clock: now,
            last: now,
            keep_alive_basis,
            deadline: None,
            pending: Pending::new(),
            unmatched_pubrels: 0,
            keep_alive: 0,
            session_ends: false,
            clean_start: false,
            awaits_auth: false,
            keep_alive_extension: false,
            due_stored: false,
            has_will: false,
            discards_will: false,
            first_request: 0,
            config,
            announced_receive_maximum: u16::MAX,
        }
    }

    // Time

    /// Sets the clock, which never goes back.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn tick(&mut self, now: Timestamp) -> Timestamp {
        self.clock = self.clock.max(now);
        self.clock
    }

    /// Returns when Keep Alive is over, with this number of milliseconds for each of its seconds.
    pub(super) fn keep_alive_end(&self, millis_a_second: u64) -> Timestamp {
        let millis = u64::from(self.keep_alive).saturating_mul(millis_a_second);
        self.last.plus_millis(millis)
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) const fn sent_now(&mut self) {
        if matches!(self.keep_alive_basis, KeepAliveBasis::Sent) {
            self.last = self.clock;
        }
    }

    /// Records that a packet was received and is handled. It shows that the peer is alive: a server
    /// counts Keep Alive from it, and a client gives PINGRESP more time.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) const fn received_now(&mut self) {
        match self.keep_alive_basis {
            KeepAliveBasis::Received => {
                self.last = self.clock;
                self.keep_alive_extension = false;
            }
            KeepAliveBasis::Sent if self.deadline.is_some() => self.expect_pingresp_later(),
            KeepAliveBasis::Sent => {}
        }
    }

    /// On an accepted connection the deadline is that of PINGRESP.
    #[inline(never)]
    const fn expect_pingresp_later(&mut self) {
        if matches!(self.state(), State::Connected) {
            self.expect_pingresp();
        }
    }

    /// Returns the time this long from now; `None` for 0.
    pub(super) const fn after(&self, millis: u32) -> Option<Timestamp> {
        match millis {
            0 => None,
            millis => Some(self.clock.plus_millis(millis as u64)),
        }
    }

    /// Sends PINGREQ.
    pub(super) const fn ping(&mut self) {
        self.reply(PendingReply::PINGREQ);
        self.sent_now();
        if self.deadline.is_none() {
            self.use_keep_alive_extension();
            self.expect_pingresp();
        }
    }

    /// Starts the time limit for PINGRESP.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) const fn expect_pingresp(&mut self) {
        if self.pending.is_over_limit() {
            return;
        }
        self.deadline = self.after(self.config.ping_timeout);
    }

    /// Starts the time limit for PUBREL.
    pub(super) const fn expect_pubrel(&mut self) {
        self.deadline = self.after(self.config.ping_timeout);
    }

    /// Returns when a connection that has left a message out ends. `None` while this side does not
    /// handle what the peer sends.
    pub(super) fn release_deadline(&self) -> Option<Timestamp> {
        if !self.pending.is_over_limit() || self.is_stalled() {
            return None;
        }
        self.deadline
    }

    /// Returns how many inbound messages can be held.
    pub(super) fn inbound_limit(&self) -> u16 {
        self.session.inbound.limit(self.config.receive_maximum)
    }

    // How a connection begins and ends

    #[inline]
    pub(super) const fn state(&self) -> State {
        self.pending.state()
    }

    /// Returns true if the connection is accepted and nothing is pending before the next packet.
    #[inline]
    pub(super) const fn is_idle(&self) -> bool {
        self.pending.is_nothing() && self.session.is_quiet()
    }

    /// Records that the connection is accepted.
    pub(super) const fn begin(&mut self) {
        self.pending.set_state(State::Connected);
        self.deadline = None;
    }

    /// Records that the messages in flight have to be sent again on this connection.
    pub(super) fn resume(&mut self) {
        // The session may be from a journal, or a copy, instead of from a connection that has
        // ended.
        self.session.outbound.drop_requests();
        self.session.outbound.resume();
        self.session.inbound.end_connection();
    }

    /// Discards the session. Messages not sent on this connection are lost, and received
    /// identifiers can be used for other messages. `was_stored`: a journal may have it.
    pub(super) fn lose_session(&mut self, was_stored: bool) {
        let losing = self.session.outbound.unsent() > 0;
        if !losing && self.session.inbound.is_empty() {
            return;
        }
        self.pending.set_losing(losing);
        self.session.inbound.clear();
        self.due_stored = false;
        if self.config.has(JOURNAL) && was_stored {
            self.pending.set_store(Some(Change::Cleared));
        }
    }

    /// Ends the connection, and the session if it ends with its connection
    /// [MQTT-3.1.2-4, MQTT-4.1.0-1, MQTT-4.1.0-2, MQTT5-3.1.2-23, MQTT5-4.1.0-1].
    /// Returns false if the connection had ended before.
    pub(super) fn end(&mut self, discards_will: bool) -> bool {
        if self.pending.is_over() {
            return false;
        }
        // A CONNECT that was not accepted has ended no session: the next one decides.
        if !self.clean_start && matches!(self.state(), State::Requested) {
            self.session_ends = false;
        }
        self.pending.set_state(State::Ending);
        self.pending.set_reply(None);
        self.pending.set_incoming(None);
        self.pending.set_outgoing(0);
        self.deadline = None;
        self.due_stored = false;
        self.discards_will = discards_will;
        self.session.inbound.end_connection();
        if self.session_ends {
            // [MQTT-3.1.2-6]
            self.session.outbound.resume();
            self.lose_session(false);
        }
        true
    }

    // Output

    #[inline]
    pub(super) fn poll_action(&mut self) -> Option<MachineAction> {
        if !OPTIMIZE_SIZE && self.is_idle() {
            return None;
        }
        self.poll_pending()
    }

    /// Returns the next action, if anything is pending.
    #[inline(never)]
    fn poll_pending(&mut self) -> Option<MachineAction> {
        if let Some(change) = self.pending.take_store() {
            return Some(MachineAction::Store(change));
        }
        if let Some(reply) = self.take_reply() {
            return Some(MachineAction::Transmit(reply));
        }
        if self.is_sending_payload() {
            return None;
        }
        if self.pending.is_losing() {
            if let Some((packet_id, phase)) = self.session.outbound.first_not_sent() {
                self.session.outbound.complete(packet_id);
                return Some(MachineAction::Lost {
                    packet_id,
                    received: matches!(phase, Phase::Released),
                });
            }
            self.pending.set_losing(false);
        }
        match self.state() {
            State::Connected => {
                if self.pending.is_over_limit() && self.session.inbound.is_empty() {
                    return Some(MachineAction::LimitReached);
                }
                self.poll_delivery()
            }
            State::Ending => Some(self.poll_end()),
            State::Start | State::Requested | State::Ended => None,
        }
    }

    /// Returns the pending reply, unless something has to be done before it.
    #[inline]
    pub(super) const fn take_reply(&mut self) -> Option<PendingReply> {
        match self.pending.take_reply() {
            Some(reply) => {
                self.sent_now();
                Some(reply)
            }
            None => None,
        }
    }

    /// Returns the acknowledgements of the application, then what is to be sent again.
    fn poll_delivery(&mut self) -> Option<MachineAction> {
        if let Some((id, qos, reason)) = self.session.inbound.due() {
            let is_kept = qos == QoS::ExactlyOnce && reason < 0x80;
            if is_kept && self.keeps_journal() && !self.due_stored {
                self.due_stored = true;
                return Some(MachineAction::Store(Change::InboundReceived(id)));
            }
            self.due_stored = false;
            self.mark_backpressure();
            self.session.inbound.acknowledged();
            self.sent_now();
            return Some(MachineAction::Transmit(match qos {
                QoS::ExactlyOnce => PendingReply::pubrec(id, reason),
                QoS::AtLeastOnce | QoS::AtMostOnce => PendingReply::puback(id, reason),
            }));
        }
        self.poll_resend()
    }

    /// Returns what is to be sent again, within the window: first each PUBREL, before another
    /// PUBREC can arrive [MQTT-4.6.0-4, MQTT5-4.6.0-4], then the messages.
    fn poll_resend(&mut self) -> Option<MachineAction> {
        let outbound = &mut self.session.outbound;
        if outbound.unsent() == 0 {
            return None;
        }
        // A message that was sent is completed, even if its subscription or its expiry has ended
        // [MQTT5-3.10.4-3, MQTT5-4.3.3-7, MQTT5-4.8.2-4].
        // After PUBREC only PUBREL is sent again, never PUBLISH [MQTT-4.3.3-1, MQTT5-4.3.3-6]. It does
        // not wait for the peer's Receive Maximum [MQTT5-3.3.4-8, MQTT5-3.3.4-10, MQTT5-4.9.0-3].
        if let Some(id) = outbound.next_unsent_pubrel() {
            outbound.mark_sent(id);
            self.sent_now();
            return Some(MachineAction::Transmit(PendingReply::pubrel(id, 0)));
        }
        if outbound.in_flight() >= self.config.max_inflight {
            return None;
        }
        let id = outbound.next_unsent_publish()?;
        outbound.mark_asked(id);
        Some(MachineAction::Resend(id))
    }

    /// Returns the unanswered requests, then the action for the Will, once
    /// [MQTT-3.1.2-10, MQTT-3.14.4-3], then the end.
    fn poll_end(&mut self) -> MachineAction {
        if let Some((index, packet_id)) = self.session.outbound.next_request(self.first_request) {
            self.first_request = index;
            self.session.outbound.complete(packet_id);
            return MachineAction::Unanswered(packet_id);
        }
        if self.has_will {
            self.has_will = false;
            return if self.discards_will {
                MachineAction::DiscardWill
            } else {
                MachineAction::PublishWill
            };
        }
        self.pending.set_state(State::Ended);
        MachineAction::Close
    }

    pub(super) const fn set_change(&mut self, change: Option<Change>) {
        if self.keeps_journal() {
            self.pending.set_store(change);
        }
    }

    /// Gives up an earlier message with this identifier. That change is stored before any other.
    pub(super) const fn set_forgotten(&mut self, id: Option<PacketId>) {
        if let (Some(id), true) = (id, self.keeps_journal()) {
            self.pending.set_forgotten(id);
        }
    }

    /// A session that ends with the connection also ends in a crash, so nothing of it is stored
    /// [MQTT-3.1.2-6].
    const fn keeps_journal(&self) -> bool {
        self.config.has(JOURNAL) && !self.session_ends
    }

    /// Returns true, once, if the peer could not send to this side until a moment ago.
    pub(super) const fn use_keep_alive_extension(&mut self) -> bool {
        core::mem::replace(&mut self.keep_alive_extension, false)
    }

    /// Returns true if this side cannot handle what the peer sends: until the application has
    /// acknowledged a message, or because a reply waits for the end of a payload.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn is_stalled(&self) -> bool {
        let inbound = &self.session.inbound;
        (self.pending.has_reply() && self.is_sending_payload())
            || (!inbound.is_queue_empty() && inbound.is_full(self.config.receive_maximum))
    }

    /// Records that the condition that stalls the peer is about to end.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn mark_backpressure(&mut self) {
        self.keep_alive_extension |= self.is_stalled();
    }

    #[inline]
    pub(super) const fn is_sending_payload(&self) -> bool {
        self.pending.outgoing() > 0
    }

    pub(super) const fn is_receiving_payload(&self) -> bool {
        self.pending.incoming().is_some()
    }

    /// Removes requests and lost messages from the session of a connection that has ended. While a
    /// lost message is left, no other message was sent.
    pub(super) fn forget_lost(&mut self) {
        self.session.outbound.drop_requests();
        if self.pending.is_losing() && self.session.outbound.unsent() > 0 {
            self.session.outbound.clear();
        }
    }

    /// Returns true if this is the next packet to be sent.
    pub(super) const fn reply(&mut self, reply: PendingReply) {
        self.pending.set_reply(Some(reply));
    }
}
