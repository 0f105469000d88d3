//! A model of a connection: sections 3 and 4 of the standard, and the promises of the library's
//! documentation, with plain lists.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mqtt_sansio::any::{self, ProtocolVersion};
use mqtt_sansio::v5::{ConnAckProperties, Delivery};
use mqtt_sansio::{Blocked, CommandError, PacketId, PacketType, ProtocolError, QoS, Timestamp};

use super::agreed::Agreed;
use super::endpoint::{Kind, Message};
use super::steps::Event;
use super::wire::{Connect, Outcome, Packet};
use crate::simulation::plan::Side;

/// The configuration of a run and of its connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    pub(super) kind: Kind,
    pub(super) manual: bool,
    pub(super) journal: bool,
    pub(super) early: bool,
    /// A message of an earlier connection may be resent without DUP.
    pub(super) resends_without_dup: bool,
    pub(super) window: u16,
    pub(super) receive_maximum: u16,
    /// How many messages and requests have a slot.
    pub(super) outbound_slots: usize,
    pub(super) inbound_slots: usize,
}

/// A message in flight to the peer.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) id: PacketId,
    pub(super) message: Message,
    /// PUBREC was received.
    pub(super) released: bool,
    /// Sent on this connection.
    pub(super) is_sent: bool,
    pub(super) is_asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Delivered,
    Acknowledged,
    /// QoS 2: PUBREC was sent.
    Received,
}

/// A message from the peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) qos: QoS,
    pub(super) stage: Stage,
    /// The Reason Code with which the application acknowledged it.
    pub(super) code: u8,
    /// Received on an earlier connection, and not resent on this one.
    pub(super) is_stale: bool,
    /// The journal has it, although its PUBREC is to be sent again.
    pub(super) is_stored: bool,
}

impl Received {
    pub(super) fn is_in_journal(&self) -> bool {
        self.stage == Stage::Received || self.is_stored
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Subscribe(usize),
    Unsubscribe(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Start,
    Requested,
    Connected,
    Over,
}

/// The effect that a packet must have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    Blocked(Blocked),
    Fault(ProtocolError),
    /// The message is delivered, or is a duplicate that is not.
    Message {
        duplicate: bool,
    },
    /// Another event, or none.
    Handled,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) setup: Setup,
    // The session
    /// In the order in which they would be resent.
    pub(super) outbound: Vec<Sent>,
    pub(super) inbound: BTreeMap<PacketId, Received>,
    // The connection
    pub(super) version: ProtocolVersion,
    pub(super) state: State,
    /// Clean Start, or Clean Session.
    pub(super) clean_start: bool,
    /// The session ends with the connection.
    pub(super) session_ends: bool,
    pub(super) is_early: bool,
    pub(super) is_v3_1: bool,
    pub(super) keep_alive: u16,
    pub(super) has_will: bool,
    pub(super) agreed: Agreed,
    /// True also once the connection has ended.
    pub(super) was_accepted: bool,
    pub(super) requests: BTreeMap<PacketId, Request>,
    /// Server: the request that the application has to answer.
    pub(super) to_answer: Option<(PacketId, Request)>,
    /// The acknowledgements to send, in order, once the application has given them.
    pub(super) queue: VecDeque<PacketId>,
    /// The reply to the last packet received.
    pub(super) answer: Option<Packet>,
    /// The number of PUBRELs sent on this connection that no message needed, minus the PUBCOMPs
    /// received for them.
    pub(super) unmatched_pubrels: usize,
    /// Messages that were not sent on this connection are lost.
    pub(super) is_losing: bool,
    /// A message was left out. By this time the peer must have released another one.
    pub(super) release_by: Option<Timestamp>,
    /// Requests without an answer when the connection ended.
    pub(super) unanswered: BTreeSet<PacketId>,
    /// A payload is being sent in pieces.
    pub(super) is_sending: bool,
    /// A message is being received in pieces.
    pub(super) receiving: Option<(Delivery, bool)>,
}

impl Model {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            outbound: Vec::new(),
            inbound: BTreeMap::new(),
            version: setup.kind.version,
            state: State::Start,
            clean_start: false,
            session_ends: false,
            is_early: false,
            is_v3_1: false,
            keep_alive: 0,
            has_will: false,
            agreed: Agreed::default(),
            was_accepted: false,
            requests: BTreeMap::new(),
            to_answer: None,
            queue: VecDeque::new(),
            answer: None,
            unmatched_pubrels: 0,
            is_losing: false,
            release_by: None,
            unanswered: BTreeSet::new(),
            is_sending: false,
            receiving: None,
        }
    }

    // The session

    pub(super) fn sent(&self, id: PacketId) -> Option<&Sent> {
        self.outbound.iter().find(|message| message.id == id)
    }

    pub(super) fn sent_mut(&mut self, id: PacketId) -> Option<&mut Sent> {
        self.outbound.iter_mut().find(|message| message.id == id)
    }

    fn unsent(&self) -> usize {
        self.outbound.iter().filter(|m| !m.is_sent).count()
    }

    fn in_flight(&self) -> usize {
        let counts = |m: &&Sent| m.is_sent || m.is_asked;
        self.outbound.iter().filter(counts).count()
    }

    pub(super) const fn accepted(&mut self) {
        self.state = State::Connected;
        self.was_accepted = true;
    }

    /// The last acknowledgement of a message was received.
    pub(super) fn complete(&mut self, id: PacketId) -> bool {
        let at = self.outbound.iter().position(|message| message.id == id);
        at.map(|at| self.outbound.remove(at)).is_some()
    }

    /// PUBACK was received, or a PUBREC that refuses the message [MQTT5-4.3.3-4].
    pub(super) fn answered(&mut self, id: PacketId, outcome: Outcome) -> Option<Event> {
        let is_error = outcome.code >= 0x80;
        self.complete(id).then_some(if is_error {
            Event::Rejected(id, outcome)
        } else {
            Event::Delivered(id, outcome)
        })
    }

    /// PUBCOMP was received.
    pub(super) fn finish(&mut self, id: PacketId, outcome: Outcome) -> Option<Event> {
        if self.sent(id).is_some_and(|message| message.released) {
            self.complete(id);
            return Some(Event::Delivered(id, outcome));
        }
        self.unmatched_pubrels = self.unmatched_pubrels.saturating_sub(1);
        None
    }

    /// PUBREC was received. PUBRELs are resent in the order of the PUBRECs [MQTT-4.6.0-4].
    pub(super) fn release(&mut self, id: PacketId, outcome: Outcome) -> Option<Event> {
        if outcome.code >= 0x80 {
            return self.answered(id, outcome);
        }
        let is_in_use = self.sent(id).is_some();
        self.answer = Some(Packet::ack(PacketType::PubRel, id, found(is_in_use)));
        let Some(message) = self.sent_mut(id) else {
            self.unmatched_pubrels += 1;
            return None;
        };
        let was_sent = message.is_sent;
        (message.is_sent, message.is_asked) = (true, false);
        if message.released {
            // A message that was to be resent anyway is not sent twice.
            self.unmatched_pubrels += usize::from(was_sent);
            return None;
        }
        message.released = true;
        let at = self.outbound.iter().position(|message| message.id == id)?;
        let message = self.outbound.remove(at);
        self.outbound.push(message);
        Some(Event::AcceptedByPeer(id, outcome))
    }

    /// Everything is to be resent [MQTT-4.4.0-1].
    pub(super) fn resume(&mut self) {
        for message in &mut self.outbound {
            (message.is_sent, message.is_asked) = (false, false);
        }
        self.unmatched_pubrels = 0;
        self.forget_queue();
    }

    fn forget_queue(&mut self) {
        self.queue.clear();
        self.inbound.retain(|_, held| held.qos == QoS::ExactlyOnce);
        for held in self.inbound.values_mut() {
            held.is_stale = true;
        }
    }

    /// The session was lost: messages not sent on this connection are lost.
    pub(super) fn lose(&mut self) {
        self.is_losing = self.unsent() > 0;
        self.inbound.clear();
        self.queue.clear();
    }

    /// The state between connections.
    pub(super) fn begin_connection(&mut self) {
        self.forget_queue();
        if self.session_ends {
            self.outbound.clear();
            self.inbound.clear();
        }
        if self.is_losing {
            // An application that takes the session early gets no notice.
            self.outbound.clear();
            self.inbound.clear();
        }
        *self = Self {
            outbound: std::mem::take(&mut self.outbound),
            inbound: std::mem::take(&mut self.inbound),
            ..Self::new(self.setup)
        };
    }

    /// The connection has ended.
    pub(super) fn end(&mut self) {
        if self.state == State::Over {
            return;
        }
        if self.state != State::Connected {
            self.has_will = false;
        }
        // A CONNECT that was not accepted has ended no session.
        if self.state == State::Requested && !self.clean_start {
            self.session_ends = false;
        }
        self.state = State::Over;
        self.unanswered
            .extend(core::mem::take(&mut self.requests).into_keys());
        self.release_by = None;
        self.to_answer = None;
        self.answer = None;
        self.receiving = None;
        self.is_sending = false;
        self.forget_queue();
        if self.session_ends {
            self.resume();
            self.lose();
        }
    }

    /// Returns why a packet of the peer cannot be handled.
    pub(super) fn is_stalled(&self) -> bool {
        (self.answer.is_some() && self.is_sending)
            || (!self.queue.is_empty() && self.inbound.len() >= self.inbound_limit())
    }

    pub(super) fn inbound_limit(&self) -> usize {
        usize::from(self.setup.receive_maximum).min(self.setup.inbound_slots)
    }

    /// Returns how many messages may be in flight: at most the peer's Receive Maximum
    /// [MQTT5-4.9.0-2].
    fn window(&self) -> usize {
        usize::from(self.setup.window.min(self.agreed.peer.receive_maximum))
    }

    /// Returns how many messages the peer has in flight on this connection.
    pub(super) fn current(&self) -> usize {
        self.inbound.values().filter(|held| !held.is_stale).count()
    }

    // CONNECT and CONNACK

    /// CONNECT was sent or received.
    pub(super) fn requested(&mut self, connect: &Connect) {
        let fields = connect.to_connect();
        self.state = State::Requested;
        self.clean_start = fields.clean_start;
        self.is_v3_1 = match connect {
            any::Connect::V3(connect) => connect.to_connect().protocol_level.number() == 3,
            any::Connect::V5(_) => false,
        };
        self.keep_alive = fields.keep_alive;
        self.has_will = self.is_server() && fields.will.is_some();
        self.agreed.connect(self.is_server(), &fields);
        self.session_ends = self.agreed.session_expiry == 0;
    }

    /// CONNACK was sent or received.
    pub(super) fn connack(&mut self, properties: &ConnAckProperties<Vec<u8>>) {
        let is_server = self.is_server();
        if let Some(keep_alive) = self.agreed.connack(is_server, properties) {
            self.keep_alive = keep_alive;
        }
        self.expires(self.agreed.session_expiry);
    }

    /// Sets the Session Expiry Interval.
    pub(super) const fn expires(&mut self, expiry: u32) {
        self.agreed.session_expiry = expiry;
        self.session_ends = expiry == 0;
    }

    pub(super) fn is_server(&self) -> bool {
        self.setup.kind.side == Side::Server
    }

    pub(super) fn is_v5(&self) -> bool {
        self.version == ProtocolVersion::V5
    }

    // Commands

    pub(super) fn may_send(&self) -> Result<(), CommandError> {
        match self.state {
            State::Connected => {}
            State::Requested if self.is_early && self.unsent() == 0 => {}
            State::Start | State::Requested => return Err(CommandError::NotConnected),
            State::Over => return Err(CommandError::Ended),
        }
        if self.is_sending {
            return Err(CommandError::SendingPayload);
        }
        Ok(())
    }

    fn has_slot(&self) -> bool {
        self.outbound.len() + self.requests.len() < self.setup.outbound_slots
    }

    pub(super) fn may_publish(&self, qos: QoS) -> Result<(), CommandError> {
        self.may_send()?;
        if qos == QoS::AtMostOnce {
            return Ok(());
        }
        if self.unsent() > 0 {
            return Err(CommandError::ResendPending);
        }
        if self.in_flight() >= self.window() || !self.has_slot() {
            return Err(CommandError::WindowFull);
        }
        Ok(())
    }

    /// The application acknowledges a message. Has no effect if that is refused.
    pub(super) fn acknowledge(&mut self, id: PacketId, code: u8) -> Result<(), CommandError> {
        let held = self.inbound.get_mut(&id);
        let waits = held.filter(|held| held.stage == Stage::Delivered);
        let is_answered = self.answer.as_ref().is_some_and(|answer| {
            let acknowledged = match answer {
                Packet::Ack(PacketType::PubAck | PacketType::PubRec, id, _) => Some(*id),
                _ => None,
            };
            acknowledged == Some(id)
        });
        if waits.is_none() && !is_answered {
            return Err(CommandError::NotAwaited);
        }
        // Only a server may report that there are no matching subscribers.
        if code == 0x10 && !self.is_server() {
            return Err(CommandError::ReasonCodeOfPeer);
        }
        if let Some(held) = self.inbound.get_mut(&id)
            && held.stage == Stage::Delivered
        {
            held.stage = Stage::Acknowledged;
            held.code = code;
            return Ok(());
        }
        // An automatic acknowledgement can get another code until it is sent.
        if code == 0 {
            return Err(CommandError::NotAwaited);
        }
        if let Some(Packet::Ack(_, _, outcome)) = &mut self.answer {
            outcome.code = code;
        }
        if code >= 0x80 {
            self.inbound.remove(&id);
        }
        Ok(())
    }

    pub(super) fn may_request(&self) -> Result<(), CommandError> {
        self.may_send()?;
        if self.has_slot() {
            Ok(())
        } else {
            Err(CommandError::WindowFull)
        }
    }

    pub(super) fn is_in_use(&self, id: PacketId) -> bool {
        self.sent(id).is_some() || self.requests.contains_key(&id)
    }

    // Receiving

    /// A message to be delivered was received, or its header: the peer has given up the earlier use
    /// of the identifier.
    pub(super) fn give_up(&mut self, delivery: Delivery) {
        if let Some(id) = delivery.packet_id() {
            self.inbound.remove(&id);
        }
    }

    /// A message is complete.
    pub(super) fn delivered(&mut self, delivery: Delivery, duplicate: bool) {
        let Some(packet_id) = delivery.packet_id() else {
            return;
        };
        let qos = delivery.qos();
        let pubrec = Packet::ack(PacketType::PubRec, packet_id, 0);
        if duplicate {
            let is_queued = self.queue.contains(&packet_id);
            let Some(held) = self.inbound.get_mut(&packet_id) else {
                return;
            };
            let was_stale = std::mem::replace(&mut held.is_stale, false);
            if held.stage == Stage::Received {
                // PUBRECs are sent in the order of the messages [MQTT-4.6.0-3].
                if was_stale && !self.queue.is_empty() {
                    (held.stage, held.is_stored) = (Stage::Acknowledged, true);
                    self.queue.push_back(packet_id);
                } else {
                    self.answer = Some(pubrec);
                }
                return;
            }
            // Otherwise it is from a connection with manual acknowledgement.
            if self.setup.manual {
                if !is_queued {
                    self.queue.push_back(packet_id);
                }
                return;
            }
        }
        let mut held = Received {
            qos,
            stage: Stage::Delivered,
            code: 0,
            is_stale: false,
            is_stored: false,
        };
        if self.setup.manual {
            self.queue.push_back(packet_id);
        } else if qos == QoS::ExactlyOnce {
            held.stage = Stage::Received;
            self.answer = Some(pubrec);
        } else {
            self.inbound.remove(&packet_id);
            self.answer = Some(Packet::ack(PacketType::PubAck, packet_id, 0));
            return;
        }
        self.inbound.insert(packet_id, held);
    }

    // Actions

    /// Returns the next acknowledgement that the application has given and whose turn it is
    /// [MQTT-4.6.0-2, MQTT-4.6.0-3].
    pub(super) fn next_acknowledgement(&self) -> Option<Packet> {
        let id = *self.queue.front()?;
        let held = self.inbound.get(&id)?;
        let packet_type = match held.qos {
            QoS::ExactlyOnce => PacketType::PubRec,
            _ => PacketType::PubAck,
        };
        let is_given = held.stage == Stage::Acknowledged;
        is_given.then(|| Packet::ack(packet_type, id, held.code))
    }

    pub(super) fn acknowledgement_left(&mut self) {
        let Some(id) = self.queue.pop_front() else {
            return;
        };
        if let Some(held) = self.inbound.get_mut(&id) {
            held.stage = Stage::Received;
            // [MQTT5-4.3.3-9]
            if held.qos == QoS::AtLeastOnce || held.code >= 0x80 {
                self.inbound.remove(&id);
            }
        }
    }

    /// Returns the next packet to resend: first each PUBREL, without regard to the window, then
    /// messages within the window [MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT-4.6.0-4].
    pub(super) fn next_resend(&mut self) -> Option<&mut Sent> {
        let is_full = self.in_flight() >= self.window();
        let pubrel = self.outbound.iter().position(|m| m.released && !m.is_sent);
        let next = pubrel.or_else(|| {
            let waits = |m: &Sent| !is_full && !m.is_sent && !m.is_asked;
            self.outbound.iter().position(waits)
        });
        self.outbound.get_mut(next?)
    }

    /// Returns the next message to report as lost.
    pub(super) fn next_lost(&mut self) -> Option<Sent> {
        if !self.is_losing {
            return None;
        }
        let next = self.outbound.iter().position(|m| !m.is_sent);
        self.is_losing = next.is_some();
        next.map(|at| self.outbound.remove(at))
    }
}

/// Returns the Reason Code of PUBREL and PUBCOMP: Success, or Packet Identifier not found.
pub(super) const fn found(is_in_use: bool) -> u8 {
    if is_in_use { 0 } else { 0x92 }
}
