//! What a connection has to do next, kept beside it: sections 3 and 4 of the standard, and what the
//! library's documentation promises beyond them, as plain lists.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mqtt_sansio::any::{self, ProtocolVersion};
use mqtt_sansio::v5::{ConnAckProperties, Delivery};
use mqtt_sansio::{Blocked, CommandError, PacketId, PacketType, ProtocolError, QoS, Timestamp};

use super::agreed::Agreed;
use super::endpoint::{Kind, Message};
use super::steps::Event;
use super::wire::{Connect, Outcome, Packet};
use crate::simulation::plan::Side;

/// What a run is like, and how its connection behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    pub(super) kind: Kind,
    pub(super) manual: bool,
    pub(super) journal: bool,
    pub(super) early: bool,
    /// A message of an earlier connection may come again without DUP.
    pub(super) resends_without_dup: bool,
    pub(super) window: u16,
    pub(super) receive_maximum: u16,
    /// How many messages and requests fit.
    pub(super) outbound_slots: usize,
    pub(super) inbound_slots: usize,
}

/// A message on its way to the peer.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) id: PacketId,
    pub(super) message: Message,
    /// PUBREC has come.
    pub(super) released: bool,
    /// On this connection.
    pub(super) is_sent: bool,
    pub(super) is_asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Delivered,
    Acknowledged,
    /// QoS 2: PUBREC has left.
    Received,
}

/// A message that the peer has sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) qos: QoS,
    pub(super) stage: Stage,
    /// The Reason Code that the application has acknowledged it with.
    pub(super) code: u8,
    /// Of an earlier connection, and not come again on this one.
    pub(super) is_stale: bool,
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

/// What has to come of a packet.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
    Blocked(Blocked),
    Fault(ProtocolError),
    /// The message is handed over, or not because it was before.
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
    /// In the order in which they would be sent again.
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
    /// Also once the connection is over.
    pub(super) was_accepted: bool,
    pub(super) requests: BTreeMap<PacketId, Request>,
    /// Server: what the application has to answer.
    pub(super) to_answer: Option<(PacketId, Request)>,
    /// Which acknowledgements are to be sent, in order, once the application has given them.
    pub(super) queue: VecDeque<PacketId>,
    /// The answer to the packet that has come last.
    pub(super) answer: Option<Packet>,
    /// How many PUBRELs were sent on this connection although no message needed them, less the
    /// PUBCOMPs that have come for them.
    pub(super) unmatched_pubrels: usize,
    /// The messages that were not sent on this connection are lost.
    pub(super) is_losing: bool,
    /// A message was left out, and this is when the peer must have released another.
    pub(super) release_by: Option<Timestamp>,
    /// Requests that the end of the connection has left without an answer.
    pub(super) unanswered: BTreeSet<PacketId>,
    /// A payload in pieces is on its way to the peer.
    pub(super) is_sending: bool,
    /// A message is coming in pieces.
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

    /// The last acknowledgement has come.
    pub(super) fn complete(&mut self, id: PacketId) -> bool {
        let at = self.outbound.iter().position(|message| message.id == id);
        at.map(|at| self.outbound.remove(at)).is_some()
    }

    /// PUBACK has come, or a PUBREC that refuses the message [MQTT5-4.3.3-4].
    pub(super) fn answered(&mut self, id: PacketId, outcome: Outcome) -> Option<Event> {
        let is_error = outcome.code >= 0x80;
        self.complete(id).then_some(if is_error {
            Event::Rejected(id, outcome)
        } else {
            Event::Delivered(id, outcome)
        })
    }

    /// PUBCOMP has come.
    pub(super) fn finish(&mut self, id: PacketId, outcome: Outcome) -> Option<Event> {
        if self.sent(id).is_some_and(|message| message.released) {
            self.complete(id);
            return Some(Event::Delivered(id, outcome));
        }
        self.unmatched_pubrels = self.unmatched_pubrels.saturating_sub(1);
        None
    }

    /// PUBREC has come. PUBRELs are sent again in the order of the PUBRECs [MQTT-4.6.0-4].
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
            // What was to be sent again anyway is not sent twice.
            self.unmatched_pubrels += usize::from(was_sent);
            return None;
        }
        message.released = true;
        let at = self.outbound.iter().position(|message| message.id == id)?;
        let message = self.outbound.remove(at);
        self.outbound.push(message);
        Some(Event::AcceptedByPeer(id, outcome))
    }

    /// Everything is to be sent again [MQTT-4.4.0-1].
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

    /// The session is not there any more: what was not sent on this connection is lost.
    pub(super) fn lose(&mut self) {
        self.is_losing = self.unsent() > 0;
        self.inbound.clear();
        self.queue.clear();
    }

    /// Between connections.
    pub(super) fn begin_connection(&mut self) {
        self.forget_queue();
        if self.session_ends {
            self.outbound.clear();
            self.inbound.clear();
        }
        if self.is_losing {
            // Whoever takes the session out early is not told.
            self.outbound.clear();
            self.inbound.clear();
        }
        *self = Self {
            outbound: std::mem::take(&mut self.outbound),
            inbound: std::mem::take(&mut self.inbound),
            ..Self::new(self.setup)
        };
    }

    /// The connection is over.
    pub(super) fn end(&mut self) {
        if self.state == State::Over {
            return;
        }
        if self.state != State::Connected {
            self.has_will = false;
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

    /// What the peer sends cannot be handled.
    pub(super) fn is_stalled(&self) -> bool {
        (self.answer.is_some() && self.is_sending)
            || (!self.queue.is_empty() && self.inbound.len() >= self.inbound_limit())
    }

    pub(super) fn inbound_limit(&self) -> usize {
        usize::from(self.setup.receive_maximum).min(self.setup.inbound_slots)
    }

    /// How many messages may be in flight: no more than the peer's Receive Maximum [MQTT5-4.9.0-2].
    fn window(&self) -> usize {
        usize::from(self.setup.window.min(self.agreed.peer.receive_maximum))
    }

    /// How many messages the peer has in flight on this connection.
    fn current(&self) -> usize {
        self.inbound.values().filter(|held| !held.is_stale).count()
    }

    // What CONNECT and CONNACK say

    /// CONNECT was sent, or has come.
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

    /// CONNACK was sent, or has come.
    pub(super) fn connack(&mut self, properties: &ConnAckProperties<Vec<u8>>) {
        let is_server = self.is_server();
        if let Some(keep_alive) = self.agreed.connack(is_server, properties) {
            self.keep_alive = keep_alive;
        }
        self.expires(self.agreed.session_expiry);
    }

    /// The Session Expiry Interval is this from now on.
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

    // What commands may do

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

    /// The application acknowledges a message, and has done so if it may.
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
        // Only a server says that there are no matching subscribers.
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
        // What is acknowledged automatically takes another code as long as it waits to be sent.
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

    // What may come

    /// Why nothing that comes is handled now, whatever it is.
    pub(super) fn blocked(&self) -> Option<Blocked> {
        if self.answer.is_some() && self.is_sending {
            return Some(Blocked::SendingPayload);
        }
        let awaits_answer = self.is_server() && self.state == State::Requested;
        (self.to_answer.is_some() || awaits_answer).then_some(Blocked::AnswerPending)
    }

    /// What has to come of this packet, or header of one, in the state that the connection is in.
    pub(super) fn expect(&self, packet: &Packet) -> Expected {
        let unexpected = || Expected::Fault(ProtocolError::Unexpected(packet.packet_type()));
        let is_client = !self.is_server();
        if let Some(blocked) = self.blocked() {
            return Expected::Blocked(blocked);
        }
        if let Some(error) = self.agreed.fault(self.is_server(), packet) {
            return Expected::Fault(error);
        }
        match (self.state, packet) {
            (State::Start, Packet::Connect(_)) if !is_client => Expected::Handled,
            (
                State::Requested,
                Packet::ConnAck {
                    session_present,
                    code,
                    properties,
                },
            ) => {
                if *session_present && self.clean_start {
                    Expected::Fault(ProtocolError::SessionPresent)
                } else if *code == 0 && properties.authentication_method().is_some() {
                    // [MQTT5-4.12.0-6]
                    Expected::Fault(ProtocolError::AuthenticationMethod)
                } else {
                    Expected::Handled
                }
            }
            (State::Start | State::Requested | State::Over, _) => unexpected(),
            (State::Connected, packet) => match packet {
                Packet::Publish(publish) => self.expect_delivery(publish.delivery),
                Packet::Ack(PacketType::PubRel, id, _) => self.expect_pubrel(*id),
                Packet::Ack(packet_type, id, _) => self.expect_ack(*packet_type, *id),
                Packet::SubAck {
                    packet_id, codes, ..
                } if is_client => self.expect_answer(
                    PacketType::SubAck,
                    *packet_id,
                    Request::Subscribe(codes.len()),
                ),
                Packet::UnsubAck {
                    packet_id, codes, ..
                } if is_client => self.expect_answer(
                    PacketType::UnsubAck,
                    *packet_id,
                    Request::Unsubscribe(codes.len()),
                ),
                Packet::PingResp if is_client => Expected::Handled,
                Packet::ConnAck { code, .. } if is_client => {
                    Expected::Fault(ProtocolError::SecondConnAck { code: *code })
                }
                Packet::Connect(_) if !is_client => Expected::Fault(ProtocolError::SecondConnect),
                Packet::Disconnect { properties, .. } if self.is_v5() => {
                    let expiry = properties.session_expiry_interval();
                    let is_allowed = match expiry {
                        None => true,
                        Some(expiry) => !is_client && (expiry == 0 || self.agreed.had_expiry),
                    };
                    if is_allowed {
                        Expected::Handled
                    } else {
                        Expected::Fault(ProtocolError::SessionExpiryInterval)
                    }
                }
                Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::PingReq
                | Packet::Disconnect { .. }
                    if !is_client =>
                {
                    Expected::Handled
                }
                _ => unexpected(),
            },
        }
    }

    /// What has to come of a piece of a payload.
    pub(super) fn expect_payload(&self) -> Expected {
        self.blocked().map_or(Expected::Handled, Expected::Blocked)
    }

    /// [MQTT-4.3.2-2, MQTT-4.3.3-2]
    fn expect_delivery(&self, delivery: Delivery) -> Expected {
        let new = Expected::Message { duplicate: false };
        let again = Expected::Message { duplicate: true };
        let Some(id) = delivery.packet_id() else {
            return new;
        };
        let qos = delivery.qos();
        if let Some(held) = self.inbound.get(&id) {
            let same = held.qos == qos;
            let in_use = Expected::Fault(ProtocolError::PacketIdInUse(id));
            let sent_again = if held.is_stale {
                delivery.dup() || self.setup.resends_without_dup
            } else {
                delivery.dup() || held.stage == Stage::Received
            };
            return match held.is_stale {
                _ if same && sent_again => again,
                true => new,
                false => in_use,
            };
        }
        // [MQTT5-3.3.4-9]
        if self.current() >= usize::from(self.agreed.own.receive_maximum) {
            return Expected::Fault(ProtocolError::ReceiveMaximumExceeded);
        }
        let most = self.inbound_limit();
        let needs_room = self.setup.manual || qos == QoS::ExactlyOnce;
        if needs_room && (self.inbound.len() >= most || self.release_by.is_some()) {
            return if self.queue.is_empty() || self.release_by.is_some() {
                again // It is left out.
            } else {
                Expected::Blocked(Blocked::InboundFull)
            };
        }
        new
    }

    fn expect_ack(&self, packet_type: PacketType, packet_id: PacketId) -> Expected {
        let wrong = || {
            if packet_type == PacketType::PubComp && self.unmatched_pubrels > 0 {
                return Expected::Handled;
            }
            Expected::Fault(ProtocolError::WrongAcknowledgement {
                packet_type,
                packet_id,
            })
        };
        if self.requests.contains_key(&packet_id) {
            return wrong();
        }
        let Some(held) = self.sent(packet_id) else {
            return Expected::Handled;
        };
        let qos = held.message.qos;
        let fits = match packet_type {
            PacketType::PubAck => qos == QoS::AtLeastOnce,
            PacketType::PubRec => qos == QoS::ExactlyOnce,
            _ => held.released,
        };
        if fits { Expected::Handled } else { wrong() }
    }

    fn expect_pubrel(&self, packet_id: PacketId) -> Expected {
        let fits = self.inbound.get(&packet_id).is_none_or(|held| {
            held.qos == QoS::ExactlyOnce && (held.stage == Stage::Received || held.is_stale)
        });
        if fits {
            Expected::Handled
        } else {
            Expected::Fault(ProtocolError::WrongAcknowledgement {
                packet_type: PacketType::PubRel,
                packet_id,
            })
        }
    }

    fn expect_answer(
        &self,
        packet_type: PacketType,
        packet_id: PacketId,
        answer: Request,
    ) -> Expected {
        let in_use = self.sent(packet_id).is_some();
        let has_codes = answer != Request::Unsubscribe(0);
        Expected::Fault(match (self.requests.get(&packet_id), answer) {
            (Some(request), answer) if *request == answer => return Expected::Handled,
            // UNSUBACK of MQTT 3.1.1 has no codes.
            (Some(Request::Unsubscribe(_)), _) if !has_codes => return Expected::Handled,
            (Some(Request::Subscribe(_)), Request::Subscribe(_))
            | (Some(Request::Unsubscribe(_)), Request::Unsubscribe(_)) => {
                ProtocolError::WrongNumberOfReturnCodes
            }
            (None, _) if !in_use => ProtocolError::NoSuchRequest {
                packet_type,
                packet_id,
            },
            _ => ProtocolError::WrongAcknowledgement {
                packet_type,
                packet_id,
            },
        })
    }

    /// A message to be delivered has come, or its header: the peer has given up what it used the
    /// identifier for before.
    pub(super) fn give_up(&mut self, delivery: Delivery) {
        if let Some(id) = delivery.packet_id() {
            self.inbound.remove(&id);
        }
    }

    /// A message has come to its end.
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
            held.is_stale = false;
            if held.stage == Stage::Received {
                self.answer = Some(pubrec);
                return;
            }
            // Otherwise it was left from a connection on which the application was to acknowledge it.
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

    // What has to be done

    /// The next acknowledgement that the application has given, and that is next in order
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

    /// What is to be sent again next: first each PUBREL, which waits for no window, then messages as
    /// far as that allows [MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT-4.6.0-4].
    pub(super) fn next_resend(&mut self) -> Option<&mut Sent> {
        let is_full = self.in_flight() >= self.window();
        let pubrel = self.outbound.iter().position(|m| m.released && !m.is_sent);
        let next = pubrel.or_else(|| {
            let waits = |m: &Sent| !is_full && !m.is_sent && !m.is_asked;
            self.outbound.iter().position(waits)
        });
        self.outbound.get_mut(next?)
    }

    /// The message that is lost next.
    pub(super) fn next_lost(&mut self) -> Option<Sent> {
        if !self.is_losing {
            return None;
        }
        let next = self.outbound.iter().position(|m| !m.is_sent);
        self.is_losing = next.is_some();
        next.map(|at| self.outbound.remove(at))
    }
}

/// The Reason Code of PUBREL and PUBCOMP: Success, or Packet Identifier not found.
pub(super) const fn found(is_in_use: bool) -> u8 {
    if is_in_use { 0 } else { 0x92 }
}
