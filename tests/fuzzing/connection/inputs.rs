//! Receiving.

use mqtt_sansio::any::DecodeError;
use mqtt_sansio::v5::{Publish, PublishHeader};
use mqtt_sansio::{CommandError, ErrorKind, Field, Limit, PacketType, ProtocolError, Timestamp};

use super::endpoint::Response;
use super::model::{Expected, Request, State, found};
use super::reader::Incoming;
use super::steps::{Event, Reason};
use super::wire::Packet;
use super::{World, byte};

impl World<'_> {
    pub(super) fn peer_sends(&mut self, packet: &Packet) {
        self.on_the_way.extend(self.encoded(packet));
        self.arrive();
    }

    /// Delivers bytes that the peer sent, or some of them.
    pub(super) fn arrive(&mut self) {
        let len = self.on_the_way.len();
        let len = match byte(&mut self.u) {
            0..180 => len,
            some => len.min(some - 180),
        };
        self.input.extend(self.on_the_way.drain(..len));
        self.work_off();
    }

    /// A part of a packet was received. It changes only a deadline, which it postpones.
    pub(super) fn progress(&mut self) {
        let before = self.endpoint.poll_timeout();
        let now = self.now();
        self.endpoint.handle_progress(now);
        if self.model.state == State::Connected {
            self.last_received = self.clock;
        }
        let after = self.endpoint.poll_timeout();
        assert!(after >= before, "{before:?}, then {after:?}");
        self.drain();
    }

    pub(super) fn work_off(&mut self) {
        while self.decode() {
            self.expire_first();
            let Some(incoming) = self.held.take() else {
                // The connection had ended.
                continue;
            };
            if !self.handle(incoming) {
                return;
            }
        }
    }

    /// `receive` handles a deadline that has passed before it handles the bytes.
    fn expire_first(&mut self) {
        let clock = Timestamp::from_millis(self.clock).max(self.given);
        let deadline = self.endpoint.poll_timeout();
        if deadline.is_some_and(|deadline| deadline <= clock) {
            self.skew = 0;
            self.look_at_clock();
        }
    }

    /// Decodes the next packet and passes its bytes to the connection. Returns false if nothing is
    /// left.
    fn decode(&mut self) -> bool {
        if !matches!(self.held, None | Some(Incoming::Part)) {
            return true;
        }
        if self.model.state == State::Over {
            self.fed.append(&mut self.input);
            if !self.fed.is_empty() {
                let now = self.now();
                let outcome = self.endpoint.receive(now, &mut self.fed);
                assert_eq!(outcome, Response::Handled, "after the end");
                self.drain();
            }
            return false;
        }
        let mut rest = &self.input[..];
        let next = self.reader.next(&mut rest);
        if let Some(Incoming::Malformed(_)) = next {
            // The packet stays in the input, with all that follows.
            rest = &[];
        }
        let used = self.input.len() - rest.len();
        self.fed.extend(self.input.drain(..used));
        if let Some(version) = self.reader.version()
            && version != self.model.version
        {
            assert!(self.model.setup.kind.any, "a connection has one version");
            self.model.version = version;
            self.strict = super::strict(version);
        }
        let is_complete = next.is_some();
        self.held = next
            .or(Some(Incoming::Part))
            .filter(|_| is_complete || !self.fed.is_empty());
        self.held.is_some()
    }

    /// Returns false if the packet was blocked, or is incomplete.
    fn handle(&mut self, incoming: Incoming) -> bool {
        let expected = match &incoming {
            Incoming::Packet(packet) => self.model.expect(packet),
            Incoming::Header(header) => self.model.expect(&Packet::Publish(head(header))),
            Incoming::Payload { .. } | Incoming::Part => self.model.expect_payload(),
            Incoming::Malformed(error) => match self.model.blocked() {
                Some(blocked) => Expected::Blocked(blocked),
                None => {
                    self.malformed(*error);
                    return false;
                }
            },
        };
        let now = self.now();
        let outcome = self.endpoint.receive(now, &mut self.fed);
        match (expected, outcome) {
            (Expected::Blocked(expected), Response::Blocked(reason)) => {
                assert_eq!(reason, expected, "{incoming:?}: {:?}", self.model);
                self.held = Some(incoming);
                self.drain();
                return false;
            }
            (Expected::Fault(expected), Response::Closed(reason)) => {
                let expected = Reason::Violation(expected);
                assert_eq!(reason, expected, "{incoming:?}: {:?}", self.model);
                self.is_over(reason);
            }
            (Expected::Message { duplicate }, Response::Handled) => {
                self.last_received = self.clock;
                self.message(incoming, duplicate, None);
            }
            (Expected::Message { duplicate }, Response::Event(event)) => {
                self.last_received = self.clock;
                self.message(incoming, duplicate, Some(event));
            }
            (Expected::Handled, Response::Handled) => return self.has_come(incoming, None),
            (Expected::Handled, Response::Event(event)) => {
                return self.has_come(incoming, Some(event));
            }
            (expected, outcome) => panic!(
                "{incoming:?} leads to {outcome:?} instead of {expected:?}: {:?}",
                self.model
            ),
        }
        self.drain();
        true
    }

    /// Handles bytes that are no packet, or that exceed a limit.
    fn malformed(&mut self, error: DecodeError) {
        let actual = match error {
            DecodeError::V3(error) => error.packet_size(),
            DecodeError::V5(error) => error.packet_size(),
        };
        let reason = match error.kind() {
            ErrorKind::PacketTooLarge => Reason::LimitExceeded {
                limit: Limit::PacketSize,
                value: u32::try_from(self.decoding.memory).expect("a small one"),
                actual: actual.expect("it has one"),
            },
            _ => match self.unread(&error) {
                Some(packet_type) => Reason::Violation(ProtocolError::Unexpected(packet_type)),
                None => Reason::Malformed(error),
            },
        };
        let now = self.now();
        let outcome = self.endpoint.receive(now, &mut self.fed);
        assert_eq!(outcome, Response::Closed(reason), "{:?}", self.model);
        self.input.clear();
        self.on_the_way.clear();
        self.is_over_by(
            reason,
            Some(error).filter(|error| self.unread(error).is_none()),
        );
        self.drain();
    }

    /// Returns the type of a packet that the peer's side does not send: the connection refuses it by its
    /// type, unless its fixed header has a fault.
    fn unread(&self, error: &DecodeError) -> Option<PacketType> {
        let packet_type = error.packet_type()?;
        let to_server = [
            PacketType::Connect,
            PacketType::Subscribe,
            PacketType::Unsubscribe,
        ];
        let to_client = [
            PacketType::ConnAck,
            PacketType::SubAck,
            PacketType::UnsubAck,
        ];
        let unread = if self.model.is_server() {
            to_client
        } else {
            to_server
        };
        let is_of_fixed_header = match error.kind() {
            ErrorKind::OutOfMemory => true,
            // In MQTT 3.1.1 both have one Remaining Length.
            ErrorKind::TrailingBytes if !self.model.is_v5() => {
                matches!(packet_type, PacketType::ConnAck | PacketType::UnsubAck)
            }
            _ => matches!(error.field(), Field::Flags | Field::RemainingLength),
        };
        (unread.contains(&packet_type) && !is_of_fixed_header).then_some(packet_type)
    }

    /// Handles a packet other than a message, or a piece of a payload.
    fn has_come(&mut self, incoming: Incoming, event: Option<Event>) -> bool {
        match incoming {
            Incoming::Packet(packet) => {
                self.last_received = self.clock;
                let expected = self.handled(packet);
                assert_eq!(event, expected, "{:?}", self.model);
            }
            Incoming::Payload { bytes, left } => {
                self.last_received = self.clock;
                let (delivery, duplicate) = self.model.receiving.expect("a header came");
                let piece = Event::Payload { bytes, left };
                assert_eq!(event, (!duplicate).then_some(piece));
                if left == 0 {
                    self.model.receiving = None;
                    self.model.delivered(delivery, duplicate);
                }
            }
            Incoming::Part => {
                assert_eq!(event, None, "of a part of a packet");
                self.drain();
                return false;
            }
            Incoming::Header(_) | Incoming::Malformed(_) => {
                unreachable!("a header is a message")
            }
        }
        self.drain();
        true
    }

    /// Records that a message, or its header, was accepted.
    fn message(&mut self, incoming: Incoming, duplicate: bool, event: Option<Event>) {
        let (delivery, is_complete, expected) = match incoming {
            Incoming::Packet(Packet::Publish(mut publish)) => {
                self.model.agreed.resolve(&mut publish);
                (publish.delivery, true, Event::Message(publish))
            }
            Incoming::Header(mut header) => {
                let mut publish = head(&header);
                self.model.agreed.resolve(&mut publish);
                header.topic = publish.topic;
                let is_complete = header.payload_len == 0;
                (header.delivery, is_complete, Event::MessageHeader(header))
            }
            other => unreachable!("{other:?} is no message"),
        };
        assert_eq!(event, (!duplicate).then_some(expected), "{:?}", self.model);
        if duplicate {
            let id = delivery
                .packet_id()
                .expect("it was known, or needed a slot");
            if !self.model.inbound.contains_key(&id) && self.model.release_by.is_none() {
                self.model.release_by = Some(self.release_time());
            }
        } else {
            self.model.give_up(delivery);
        }
        if is_complete {
            self.model.delivered(delivery, duplicate);
        } else {
            self.model.receiving = Some((delivery, duplicate));
        }
    }

    /// Returns how long the peer has at least to release a message.
    fn release_time(&self) -> Timestamp {
        Timestamp::from_millis(self.called.as_millis() + 3_000)
    }

    /// Applies a valid packet to the model; returns the event that it must cause.
    fn handled(&mut self, packet: Packet) -> Option<Event> {
        let release_time = self.release_time();
        let model = &mut self.model;
        match packet {
            Packet::Connect(connect) => {
                model.requested(&connect);
                Some(Event::ConnectRequested(connect))
            }
            Packet::ConnAck {
                session_present,
                code: 0,
                properties,
            } => {
                // MQTT 3.1 does not specify it.
                let session_present = session_present || model.is_v3_1 && !model.clean_start;
                model.connack(&properties);
                model.accepted();
                if !session_present {
                    model.lose();
                }
                Some(Event::Connected { session_present })
            }
            Packet::ConnAck { code, .. } => {
                self.is_over(Reason::Refused(code));
                Some(Event::Refused(code))
            }
            Packet::Ack(PacketType::PubAck, id, outcome) => model.answered(id, outcome),
            Packet::Ack(PacketType::PubRec, id, outcome) => model.release(id, outcome),
            Packet::Ack(PacketType::PubComp, id, outcome) => model.finish(id, outcome),
            Packet::Ack(_, id, _) => {
                let was_held = model.inbound.remove(&id).is_some();
                if was_held && model.release_by.is_some() {
                    model.release_by = Some(release_time);
                }
                model.answer = Some(Packet::ack(PacketType::PubComp, id, found(was_held)));
                None
            }
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.subscriptions.len();
                let request = Request::Subscribe(filters);
                model.to_answer = Some((subscribe.packet_id, request));
                Some(Event::SubscribeRequested(subscribe))
            }
            Packet::Unsubscribe(unsubscribe) => {
                let filters = unsubscribe.topic_filters.len();
                let request = Request::Unsubscribe(filters);
                model.to_answer = Some((unsubscribe.packet_id, request));
                Some(Event::UnsubscribeRequested(unsubscribe))
            }
            Packet::SubAck {
                packet_id, codes, ..
            } => {
                model.requests.remove(&packet_id);
                Some(Event::Subscribed(packet_id, codes))
            }
            Packet::UnsubAck {
                packet_id, codes, ..
            } => {
                model.requests.remove(&packet_id);
                Some(Event::Unsubscribed(packet_id, codes))
            }
            Packet::PingReq => {
                model.answer = Some(Packet::PingResp);
                None
            }
            Packet::PingResp => None,
            Packet::Disconnect { code, properties } => {
                let expiry = properties.session_expiry_interval();
                // A session that the server does not keep cannot be resumed.
                if let Some(expiry) = expiry.filter(|_| !model.session_ends) {
                    model.expires(expiry);
                }
                self.is_over(Reason::Disconnected);
                self.discards_will = code == 0;
                Some(Event::Disconnected(code))
            }
            Packet::Publish(_) | Packet::Auth(_) => unreachable!("it is handled elsewhere"),
        }
    }

    /// Checks that the command was refused for the right reason, and wrote nothing.
    pub(super) fn is_refused(&self, error: CommandError, expected: CommandError, before: usize) {
        assert_eq!(error, expected, "{:?}", self.model);
        assert_eq!(self.out.len(), before, "an error, and bytes");
    }
}

/// Returns the message of a header, without its payload.
fn head(header: &PublishHeader<Vec<u8>>) -> Publish<Vec<u8>> {
    Publish {
        delivery: header.delivery,
        retain: header.retain,
        topic: header.topic.clone(),
        properties: header.properties.clone(),
        payload: Vec::new(),
    }
}
