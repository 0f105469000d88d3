//! What the application asks for, in any state.

use mqtt_sansio::v3::{
    CloseReason, ConnAck, Connect, Delivery, Message, MessageHeader, Packet, Publish, SubAck,
    Subscribe, UnsubAck, Unsubscribe,
};
use mqtt_sansio::{CommandError, PacketId, QoS, Session};

use super::endpoint::Endpoint;
use super::model::{Request, Sent, Stage, State};
use super::{World, bit, byte, empty, packets};
use crate::simulation::plan::{Side, Storage};

impl World<'_> {
    fn next_payload(&mut self) -> Vec<u8> {
        self.number = self.number.wrapping_add(1);
        vec![self.number; byte(&mut self.u) % 40]
    }

    pub(super) fn publish(&mut self) {
        let kind = byte(&mut self.u);
        let (qos, retain, in_pieces) = (packets::qos(kind), kind & 64 != 0, kind & 128 != 0);
        let payload = self.next_payload();
        let expected = self.model.may_publish(qos);
        if let Endpoint::Client(client) = &mut self.endpoint {
            assert_eq!(client.can_publish(qos), expected.is_ok());
        }
        let (now, before) = (self.now(), self.out.len());
        let (message, header) = messages(qos, retain, &payload);
        let result = if in_pieces {
            self.endpoint.publish(now, &header, &mut self.out)
        } else {
            self.endpoint.publish(now, &message, &mut self.out)
        };
        match (result, expected) {
            (Ok(id), Ok(())) => {
                assert_eq!(id.is_some(), qos != QoS::AtMostOnce);
                let id = id.inspect(|id| {
                    assert!(!self.model.is_in_use(*id), "[MQTT-2.3.1-2] {id:?}");
                });
                let delivery = Delivery::new(qos, id.unwrap_or(PacketId::MIN), false);
                self.writes(delivery, retain, &payload, in_pieces);
                self.model.outbound.extend(id.map(|id| Sent {
                    id,
                    qos,
                    retain,
                    payload,
                    released: false,
                    is_sent: true,
                    is_asked: false,
                }));
            }
            (Err(error), Err(expected)) => self.is_refused(error, expected, before),
            (result, expected) => {
                panic!("{result:?} instead of {expected:?}: {:?}", self.model)
            }
        }
        self.drain();
    }

    /// A message is sent, or the start of it.
    fn writes(&mut self, delivery: Delivery, retain: bool, payload: &[u8], in_pieces: bool) {
        self.expected.push_back(Packet::Publish(Publish {
            delivery,
            retain,
            topic: packets::topic(0).map(<[u8]>::to_vec),
            payload: payload.to_vec(),
        }));
        if in_pieces && !payload.is_empty() {
            self.model.is_sending = true;
            self.sending = payload.to_vec();
        }
    }

    /// The next piece, which may be longer than what is left.
    pub(super) fn send_piece(&mut self) {
        let len = byte(&mut self.u) % 48;
        let left = self.sending.len();
        let mut piece = self.sending.clone();
        piece.resize(len, 0);
        let expected = if self.model.state == State::Over {
            Err(CommandError::Ended)
        } else if left == 0 || len > left {
            Err(CommandError::PayloadTooLong)
        } else {
            Ok(left - len)
        };
        let (now, before) = (self.now(), self.out.len());
        let result = self.endpoint.payload(now, &piece, &mut self.out);
        match (result, expected) {
            (Ok(rest), Ok(expected)) => {
                assert_eq!(rest as usize, expected);
                self.sending.drain(..len);
                self.model.is_sending = expected > 0;
            }
            (Err(error), Err(expected)) => self.is_refused(error, expected, before),
            (result, expected) => panic!("{result:?} instead of {expected:?}"),
        }
        self.drain();
        self.work_off();
    }

    /// The answer to `Action::Resend`.
    pub(super) fn resend_next(&mut self) {
        if let Some(id) = self.resends.pop_front() {
            let qos = self.model.sent(id).map_or(QoS::AtLeastOnce, |m| m.qos);
            self.resend(id, qos);
        }
    }

    /// One that may not have been asked for, at a QoS that may be another.
    pub(super) fn resend_any(&mut self) {
        let id = packets::id_in_use(&mut self.u, &self.model);
        let qos = match packets::qos(byte(&mut self.u)) {
            QoS::AtMostOnce => self.model.sent(id).map_or(QoS::AtMostOnce, |m| m.qos),
            qos => qos,
        };
        self.resend(id, qos);
    }

    fn resend(&mut self, id: PacketId, qos: QoS) {
        let in_pieces = bit(&mut self.u);
        let held = self.model.sent(id).cloned();
        let asked = held.filter(|held| held.is_asked && !held.is_sent);
        let expected = self.model.may_send().and_then(|()| match &asked {
            None => Err(CommandError::NotAwaited),
            Some(held) if held.qos != qos => Err(CommandError::QosChanged),
            Some(_) => Ok(()),
        });
        let (payload, retain) = asked.map_or((Vec::new(), false), |m| (m.payload, m.retain));
        let (now, before) = (self.now(), self.out.len());
        let (message, header) = messages(qos, retain, &payload);
        let result = if in_pieces {
            self.endpoint.resend(now, id, &header, &mut self.out)
        } else {
            self.endpoint.resend(now, id, &message, &mut self.out)
        };
        match (result, expected) {
            (Ok(()), Ok(())) => {
                self.writes(Delivery::new(qos, id, true), retain, &payload, in_pieces);
                let message = self.model.sent_mut(id).expect("it was asked for");
                (message.is_sent, message.is_asked) = (true, false);
            }
            (Err(error), Err(expected)) => self.is_refused(error, expected, before),
            (result, expected) => panic!("{result:?} instead of {expected:?}: {:?}", self.model),
        }
        self.drain();
    }

    pub(super) fn forget(&mut self) {
        let id = packets::id_in_use(&mut self.u, &self.model);
        let is_asked = self
            .model
            .sent(id)
            .is_some_and(|m| m.is_asked && !m.is_sent);
        let expected = if is_asked {
            self.model.may_send()
        } else {
            Err(CommandError::NotAwaited)
        };
        assert_eq!(
            self.endpoint.forget(id),
            expected,
            "{id:?}: {:?}",
            self.model
        );
        if expected.is_ok() {
            self.model.outbound.retain(|message| message.id != id);
        }
        self.drain();
    }

    /// A message that has come, or any other number.
    pub(super) fn acknowledge(&mut self) {
        let at = byte(&mut self.u);
        let held: Vec<_> = self.model.inbound.keys().copied().collect();
        let id = match held.get(at % held.len().max(1)) {
            Some(id) if at < 240 => *id,
            _ => packets::id(&mut self.u),
        };
        self.acknowledge_one(id);
    }

    pub(super) fn acknowledge_all(&mut self) {
        let held: Vec<_> = self.model.inbound.keys().copied().collect();
        for id in held {
            self.acknowledge_one(id);
        }
    }

    fn acknowledge_one(&mut self, id: PacketId) {
        let held = self.model.inbound.get_mut(&id);
        let expected = match held {
            Some(held) if held.stage == Stage::Delivered => {
                held.stage = Stage::Acknowledged;
                Ok(())
            }
            _ => Err(CommandError::NotAwaited),
        };
        assert_eq!(self.endpoint.acknowledge(id), expected, "{id:?}");
        self.drain();
        self.work_off();
    }

    /// Client: SUBSCRIBE or UNSUBSCRIBE.
    pub(super) fn request(&mut self) {
        if self.side() == Side::Server {
            return self.answer();
        }
        let (now, before) = (self.now(), self.out.len());
        let expected = self.model.may_request();
        // Written with the identifier that it gets.
        let (result, request, packet) = if bit(&mut self.u) {
            let subscriptions = packets::subscriptions(&mut self.u);
            let result = self.endpoint.subscribe(now, &subscriptions, &mut self.out);
            let request = Request::Subscribe(subscriptions.len());
            let packet_id = result.unwrap_or(PacketId::MIN);
            let subscribe = Subscribe {
                packet_id,
                subscriptions,
            };
            (result, request, Packet::Subscribe(subscribe))
        } else {
            let topic_filters = packets::topic_filters(&mut self.u);
            let result = self
                .endpoint
                .unsubscribe(now, &topic_filters, &mut self.out);
            let packet_id = result.unwrap_or(PacketId::MIN);
            let unsubscribe = Unsubscribe {
                packet_id,
                topic_filters,
            };
            (
                result,
                Request::Unsubscribe,
                Packet::Unsubscribe(unsubscribe),
            )
        };
        match (result, expected) {
            (Ok(id), Ok(())) => {
                assert!(!self.model.is_in_use(id), "[MQTT-2.3.1-2] {id:?}");
                self.model.requests.insert(id, request);
                self.expected.push_back(packet);
            }
            (Err(error), Err(expected)) => self.is_refused(error, expected, before),
            (result, expected) => panic!("{result:?} instead of {expected:?}: {:?}", self.model),
        }
        self.drain();
    }

    /// Server: the answer to a request, which may not have come, or have had more filters.
    pub(super) fn answer(&mut self) {
        if self.side() == Side::Client {
            return;
        }
        let kind = byte(&mut self.u);
        let request = self.model.to_answer;
        let (now, before) = (self.now(), self.out.len());
        let allowed = self.model.may_send();
        let unsubscribes = match request {
            Some((_, Request::Unsubscribe)) => kind < 240,
            _ => kind >= 240,
        };
        let (result, expected, packet) = if unsubscribes {
            let result = self.endpoint.unsuback(now, &mut self.out);
            let expected = match request {
                Some((packet_id, Request::Unsubscribe)) => Ok(packet_id),
                _ => Err(CommandError::NotAwaited),
            };
            let packet = expected.map(|packet_id| Packet::UnsubAck(UnsubAck { packet_id }));
            (result, expected, packet)
        } else {
            let count = match request {
                Some((_, Request::Subscribe(count))) if kind < 224 => count,
                _ => 1 + kind % 4,
            };
            let return_codes = packets::return_codes(count);
            let result = self.endpoint.suback(now, &return_codes, &mut self.out);
            let expected = match request {
                Some((packet_id, Request::Subscribe(filters))) if filters == count => Ok(packet_id),
                Some((_, Request::Subscribe(_))) => Err(CommandError::WrongNumberOfReturnCodes),
                _ => Err(CommandError::NotAwaited),
            };
            let packet = expected.map(|packet_id| {
                Packet::SubAck(SubAck {
                    packet_id,
                    return_codes,
                })
            });
            (result, expected, packet)
        };
        match (result, allowed.and_then(|()| expected.map(drop))) {
            (Ok(()), Ok(())) => {
                self.expected.extend(packet);
                self.model.to_answer = None;
                self.last_received = self.clock;
            }
            (Err(error), Err(expected)) => self.is_refused(error, expected, before),
            (result, expected) => panic!("{result:?} instead of {expected:?}: {:?}", self.model),
        }
        self.drain();
        self.work_off();
    }

    /// Client: CONNECT; server: the answer to it.
    pub(super) fn open(&mut self) {
        if self.side() == Side::Client {
            let connect = packets::connect(&mut self.u);
            return self.connect(&connect);
        }
        match byte(&mut self.u) {
            number @ 0..24 => self.refuse(number),
            number => self.accept(number % 8 > 0),
        }
    }

    fn may_answer_connect(&self) -> Result<(), CommandError> {
        match self.model.state {
            State::Requested => Ok(()),
            State::Start => Err(CommandError::NotConnected),
            State::Connected => Err(CommandError::AlreadyConnected),
            State::Over => Err(CommandError::Ended),
        }
    }

    pub(super) fn connect(&mut self, connect: &Connect<Vec<u8>>) {
        let expected = match self.model.state {
            State::Start => Ok(()),
            State::Requested | State::Connected => Err(CommandError::AlreadyConnected),
            State::Over => Err(CommandError::Ended),
        };
        let (now, before) = (self.now(), self.out.len());
        let result = self.endpoint.connect(now, &connect.as_ref(), &mut self.out);
        assert_eq!(result, expected, "{:?}", self.model);
        if result.is_err() {
            assert_eq!(self.out.len(), before, "an error, and bytes");
            return self.drain();
        }
        self.expected
            .push_back(Packet::Connect(packets::encoded(connect)));
        let model = &mut self.model;
        model.state = State::Requested;
        model.is_clean = connect.clean_session;
        model.is_v3_1 = connect.protocol_level.number() == 3;
        model.keep_alive = connect.keep_alive;
        let is_new = model.outbound.is_empty() && model.inbound.is_empty();
        model.is_early = model.setup.early && is_new;
        model.resume();
        if model.is_clean {
            model.lose();
        }
        self.drain();
    }

    /// With the session that was kept, if there is one and it is not lost.
    pub(super) fn accept(&mut self, keeps: bool) {
        let mut expected = self.may_answer_connect();
        let is_clean = self.model.is_clean;
        if expected.is_ok() && is_clean && !keeps {
            // Not what it was asked for: a session all the same.
            expected = Err(CommandError::CleanSession);
        }
        let (now, before) = (self.now(), self.out.len());
        let offers_none = expected.is_err() || is_clean || !keeps;
        let kept = if offers_none { None } else { self.kept.take() };
        let session_present = kept.is_some();
        let (session, lists): (Option<Session<Storage>>, _) = match kept {
            Some(kept) => (Some(kept.session), Some((kept.outbound, kept.inbound))),
            None if is_clean && !keeps => (Some(empty(self.rooms)), None),
            None => (None, None),
        };
        let result = self.endpoint.accept(now, session, &mut self.out);
        assert_eq!(result, expected, "{:?}", self.model);
        if result.is_err() {
            assert_eq!(self.out.len(), before, "an error, and bytes");
            return self.drain();
        }
        if let Some((outbound, inbound)) = lists {
            (self.model.outbound, self.model.inbound) = (outbound, inbound);
            self.model.resume();
        } else {
            // Whatever there was, the application drops it and its journal.
            self.kept = None;
            self.journal = empty(self.rooms);
        }
        self.model.accepted();
        self.last_received = self.clock;
        let session_present = session_present && !self.model.is_v3_1;
        let connack = ConnAck::Accepted { session_present };
        self.expected.push_back(Packet::ConnAck(connack));
        self.drain();
        self.work_off();
    }

    fn refuse(&mut self, number: usize) {
        let expected = self.may_answer_connect();
        let refusal = packets::refusal(number);
        let (now, before) = (self.now(), self.out.len());
        let result = self.endpoint.refuse(now, refusal, &mut self.out);
        assert_eq!(result, expected, "{:?}", self.model);
        if result.is_ok() {
            let connack = ConnAck::Refused(refusal);
            self.expected.push_back(Packet::ConnAck(connack));
            self.is_over(CloseReason::Refused(refusal));
        } else {
            assert_eq!(self.out.len(), before, "an error, and bytes");
        }
        self.drain();
    }

    /// DISCONNECT, or without any, or from the other side.
    pub(super) fn end(&mut self) {
        let kind = byte(&mut self.u);
        let (now, before) = (self.now(), self.out.len());
        match kind % 4 {
            0 => {
                self.endpoint.close(now);
                self.is_over(CloseReason::Aborted);
            }
            1 => {
                self.endpoint.handle_transport_closed(now);
                self.is_over(CloseReason::TransportClosed);
            }
            _ if self.side() == Side::Client => {
                let expected = self.model.may_send();
                let result = self.endpoint.disconnect(now, &mut self.out);
                assert_eq!(result, expected, "{:?}", self.model);
                if result.is_ok() {
                    self.expected.push_back(Packet::Disconnect);
                    self.is_over(CloseReason::Disconnected);
                } else {
                    assert_eq!(self.out.len(), before, "an error, and bytes");
                }
            }
            _ => {}
        }
        self.drain();
    }
}

/// A message, and the same to be published in pieces.
fn messages(qos: QoS, retain: bool, payload: &[u8]) -> (Message<&[u8]>, MessageHeader<&[u8]>) {
    let topic = packets::topic(0);
    let whole = Message {
        topic,
        payload,
        qos,
        retain,
    };
    let header = MessageHeader {
        topic,
        payload_len: u32::try_from(payload.len()).expect("a short one"),
        qos,
        retain,
    };
    (whole, header)
}
