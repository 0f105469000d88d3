//! What comes in.

use mqtt_sansio::v3::{
    CloseReason, ConnAck, Event, HandleError, Packet, PeerError, PubRel, Publish, Reaction,
};
use mqtt_sansio::{CommandError, ErrorKind, Limit, Piece, Timestamp};

use super::endpoint::{Endpoint, Incoming};
use super::model::{Expected, Request, State};
use super::{World, byte};
use crate::simulation::plan::Side;

impl World<'_> {
    pub(super) fn peer_sends(&mut self, packet: &Packet<Vec<u8>>) {
        self.on_the_way.extend(Self::encoded(packet));
        self.arrive();
    }

    /// What the peer has sent comes, or some of it.
    pub(super) fn arrive(&mut self) {
        let len = self.on_the_way.len();
        let len = match byte(&mut self.u) {
            0..180 => len,
            some => len.min(some - 180),
        };
        self.input.extend(self.on_the_way.drain(..len));
        self.work_off();
    }

    /// A part of something has come. It changes nothing but a deadline, which it puts off.
    pub(super) fn progress(&mut self) {
        let before = self.endpoint.poll_timeout();
        let now = self.now();
        match &mut self.endpoint {
            Endpoint::Client(client) => client.handle_progress(now),
            Endpoint::Server(server) => server.handle_progress(now),
        }
        if self.model.state == State::Connected {
            self.last_received = self.clock;
        }
        let after = self.endpoint.poll_timeout();
        assert!(after >= before, "{before:?}, then {after:?}");
        self.drain();
    }

    pub(super) fn work_off(&mut self) {
        loop {
            let incoming = match self.held.take() {
                Some(held) => held,
                None => match self.decode() {
                    Some(incoming) => incoming,
                    None => return,
                },
            };
            if self.model.state == State::Over {
                let now = self.now();
                let result = self.endpoint.handle(now, &incoming);
                assert_eq!(result, Err(HandleError::Ended));
                self.drain();
                continue;
            }
            if !self.handle(incoming) {
                return;
            }
        }
    }

    fn decode(&mut self) -> Option<Incoming> {
        let mut rest = &self.input[..];
        let decoded = if self.receives_pieces {
            self.decoder.decode_in_pieces(&mut rest).map(|piece| {
                piece.map(|piece| match piece {
                    Piece::Packet(packet) => Incoming::Packet(packet.to_owned()),
                    Piece::PublishHeader(header) => Incoming::Header(header.to_owned()),
                    Piece::Payload { bytes, left } => Incoming::Payload {
                        bytes: bytes.to_vec(),
                        left,
                    },
                })
            })
        } else {
            let packet = self.decoder.decode(&mut rest);
            packet.map(|packet| packet.map(|packet| Incoming::Packet(packet.to_owned())))
        };
        let used = self.input.len() - rest.len();
        self.input.drain(..used);
        match decoded {
            Ok(incoming) => incoming,
            Err(error) => {
                self.input.clear();
                self.on_the_way.clear();
                let was_at_start = self.model.state == State::Start;
                let was_over = self.model.state == State::Over;
                let now = self.now();
                self.endpoint.handle_decode_error(now, error);
                self.is_over(match error.kind() {
                    ErrorKind::PacketTooLarge => CloseReason::LimitExceeded {
                        limit: Limit::PacketSize,
                        value: 0,
                        actual: error.packet_size().expect("it has one"),
                    },
                    _ => CloseReason::Violation(PeerError::Malformed(error)),
                });
                let asks_for_connack = match error.reaction() {
                    Reaction::ConnAckThenClose(refusal) => Some(refusal),
                    _ => None,
                };
                if was_at_start && !was_over && self.side() == Side::Server {
                    let connack = asks_for_connack.map(ConnAck::Refused);
                    self.model.answer = connack.map(Packet::ConnAck);
                }
                self.drain();
                None
            }
        }
    }

    /// False if it could not be dealt with yet.
    fn handle(&mut self, incoming: Incoming) -> bool {
        let expected = match &incoming {
            Incoming::Packet(packet) => self.model.expect(packet),
            Incoming::Header(header) => self.model.expect(&Packet::Publish(Publish {
                delivery: header.delivery,
                retain: header.retain,
                topic: header.topic.clone(),
                payload: Vec::new(),
            })),
            Incoming::Payload { .. } => self.model.expect_payload(),
        };
        let now = self.now();
        let result = self.endpoint.handle(now, &incoming);
        let event = match (expected, result) {
            (Expected::Blocked(expected), Err(HandleError::Blocked(reason))) => {
                assert_eq!(reason, expected, "{incoming:?}: {:?}", self.model);
                self.held = Some(incoming);
                self.drain();
                return false;
            }
            (Expected::Fault(expected), Err(HandleError::Peer(error))) => {
                assert_eq!(error, expected, "{incoming:?}: {:?}", self.model);
                self.is_over(CloseReason::Violation(error));
                self.drain();
                return true;
            }
            (Expected::Message { duplicate }, Ok(event)) => {
                self.last_received = self.clock;
                self.message(incoming, duplicate, event);
                self.drain();
                return true;
            }
            (Expected::Handled, Ok(event)) => event,
            (expected, result) => panic!(
                "{incoming:?} leads to {result:?} instead of {expected:?}: {:?}",
                self.model
            ),
        };
        self.last_received = self.clock;
        match incoming {
            Incoming::Packet(packet) => {
                let expected = self.handled(packet);
                assert_eq!(event, expected, "{:?}", self.model);
            }
            Incoming::Payload { bytes, left } => {
                let (delivery, duplicate) = self.model.receiving.expect("a header came");
                let piece = Event::Payload { bytes, left };
                assert_eq!(event, (!duplicate).then_some(piece));
                if left == 0 {
                    self.model.receiving = None;
                    self.model.delivered(delivery, duplicate);
                }
            }
            Incoming::Header(_) => unreachable!("a header is a message"),
        }
        self.drain();
        true
    }

    /// A message, or the start of one, was taken.
    fn message(&mut self, incoming: Incoming, duplicate: bool, event: Option<Event<Vec<u8>>>) {
        let (delivery, is_complete, expected) = match incoming {
            Incoming::Packet(Packet::Publish(publish)) => {
                (publish.delivery, true, Event::Message(publish))
            }
            Incoming::Header(header) => {
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

    /// How long the peer has to release a message.
    fn release_time(&self) -> Timestamp {
        Timestamp::from_millis(self.given.as_millis() + 3_000)
    }

    /// What a packet changes that is as it should be; returns the event that it has to cause.
    fn handled(&mut self, packet: Packet<Vec<u8>>) -> Option<Event<Vec<u8>>> {
        let release_time = self.release_time();
        let model = &mut self.model;
        match packet {
            Packet::Connect(connect) => {
                model.state = State::Requested;
                let fields = connect.to_connect();
                model.is_clean = fields.clean_session;
                model.is_v3_1 = fields.protocol_level.number() == 3;
                model.keep_alive = fields.keep_alive;
                model.has_will = fields.will.is_some();
                Some(Event::ConnectRequested(connect))
            }
            Packet::ConnAck(ConnAck::Refused(refusal)) => {
                self.is_over(CloseReason::Refused(refusal));
                Some(Event::Refused(refusal))
            }
            Packet::ConnAck(ConnAck::Accepted { session_present }) => {
                // MQTT 3.1 does not say.
                let session_present = session_present || model.is_v3_1 && !model.is_clean;
                model.accepted();
                if !session_present {
                    model.lose();
                }
                Some(Event::Connected { session_present })
            }
            Packet::PubAck(ack) => model.complete(ack.packet_id),
            Packet::PubComp(ack) => model.finish(ack.packet_id),
            Packet::PubRec(ack) => {
                let packet_id = ack.packet_id;
                model.answer = Some(Packet::PubRel(PubRel { packet_id }));
                model.release(packet_id)
            }
            Packet::PubRel(ack) => {
                let was_held = model.inbound.remove(&ack.packet_id).is_some();
                if was_held && model.release_by.is_some() {
                    model.release_by = Some(release_time);
                }
                model.answer = Some(Self::pubcomp(ack.packet_id));
                None
            }
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.subscriptions.len();
                let request = Request::Subscribe(filters);
                model.to_answer = Some((subscribe.packet_id, request));
                Some(Event::SubscribeRequested(subscribe))
            }
            Packet::Unsubscribe(unsubscribe) => {
                model.to_answer = Some((unsubscribe.packet_id, Request::Unsubscribe));
                Some(Event::UnsubscribeRequested(unsubscribe))
            }
            Packet::SubAck(suback) => {
                model.requests.remove(&suback.packet_id);
                Some(Event::Subscribed(suback))
            }
            Packet::UnsubAck(ack) => {
                model.requests.remove(&ack.packet_id);
                Some(Event::Unsubscribed(ack.packet_id))
            }
            Packet::PingReq => {
                model.answer = Some(Packet::PingResp);
                None
            }
            Packet::PingResp => None,
            Packet::Disconnect => {
                self.is_over(CloseReason::Disconnected);
                self.has_disconnected = true;
                Some(Event::Disconnected)
            }
            Packet::Publish(_) => unreachable!("it is a message"),
        }
    }

    /// The command was refused for the reason that there is, and nothing was written.
    pub(super) fn is_refused(&self, error: CommandError, expected: CommandError, before: usize) {
        assert_eq!(error, expected, "{:?}", self.model);
        assert_eq!(self.out.len(), before, "an error, and bytes");
    }
}
