//! The commands of the application, in any state.

use mqtt_sansio::v5::{
    AckProperties, ConnAckProperties, Delivery, Property, Publish, PublishProperties, Subscribe,
    SubscribeProperties, Unsubscribe, UnsubscribeProperties,
};
use mqtt_sansio::{CommandError, PacketId, QoS};

use super::endpoint::Message;
use super::model::{Request, Sent, Stage, State};
use super::steps::Reason;
use super::wire::{Connect, Packet};
use super::{World, bit, byte, empty, packets};

impl World<'_> {
    fn next_payload(&mut self) -> Vec<u8> {
        self.number = self.number.wrapping_add(1);
        vec![self.number; byte(&mut self.u) % 40]
    }

    pub(super) fn publish(&mut self) {
        let kind = byte(&mut self.u);
        let (qos, retain) = (packets::qos(kind), kind & 64 != 0);
        let in_pieces = kind & 128 != 0 && !self.model.setup.kind.any;
        let payload = self.next_payload();
        let choice = if self.model.is_v5() {
            byte(&mut self.u)
        } else {
            0
        };
        // Two names for which the connection may choose an alias, and one more.
        let number = if choice < 64 { 0 } else { choice % 3 };
        let is_aliased = choice >= 128 && !in_pieces;
        let explicit = (64..128).contains(&choice).then_some(1 + choice % 4);
        let message = Message {
            topic: packets::topic(number).map(<[u8]>::to_vec),
            payload,
            qos,
            retain,
            alias: explicit.and_then(|alias| u16::try_from(alias).ok()),
        };
        let id_like = PacketId::MAX;
        let delivery = |id| Delivery::new(qos, id, false);
        let (alias, has_name) = if is_aliased {
            let (alias, has_name) = self.model.agreed.choose(message.topic.as_bytes());
            let aliased = sent_as(&message, delivery(id_like), alias, has_name);
            let len = self.encoded(&Packet::Publish(aliased)).len();
            if self.model.agreed.may_send(len).is_ok() {
                (alias, has_name)
            } else {
                (None, true)
            }
        } else {
            (message.alias, true)
        };
        let as_sent = |id| sent_as(&message, delivery(id), alias, has_name);
        let len = self.encoded(&Packet::Publish(as_sent(id_like))).len();
        let is_too_large = |alias| alias > self.model.agreed.peer.topic_alias_maximum;
        let can_publish = self.model.may_publish(qos);
        let expected = can_publish.and_then(|()| {
            if message.alias.is_some_and(is_too_large) && !is_aliased && self.model.is_v5() {
                return Err(CommandError::TopicAliasInvalid);
            }
            self.model.agreed.may_publish(qos, retain, len)
        });
        assert_eq!(self.endpoint.can_publish(qos), can_publish.is_ok());
        let (now, before) = (self.now(), self.out.len());
        let result = if is_aliased {
            let (endpoint, aliases) = (&mut self.endpoint, &mut self.aliases);
            endpoint.publish_aliased(now, &message, aliases, &mut self.out)
        } else {
            self.endpoint
                .publish(now, &message, in_pieces, &mut self.out)
        };
        match (result, expected) {
            (Ok(id), Ok(())) => {
                assert_eq!(id.is_some(), qos != QoS::AtMostOnce);
                let id = id.inspect(|id| {
                    assert!(!self.model.is_in_use(*id), "[MQTT-2.3.1-2] {id:?}");
                });
                if is_aliased && alias.is_some() && has_name {
                    let name = message.topic.as_bytes().to_vec();
                    self.model.agreed.chosen.push(name);
                }
                self.model.agreed.has_own_alias |= !is_aliased && alias.is_some();
                self.writes(&as_sent(id.unwrap_or(PacketId::MIN)), in_pieces);
                self.model.outbound.extend(id.map(|id| Sent {
                    id,
                    message,
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

    /// Sends a message, or its header.
    fn writes(&mut self, publish: &Publish<Vec<u8>>, in_pieces: bool) {
        self.expects(&Packet::Publish(publish.clone()));
        if in_pieces && !publish.payload.is_empty() {
            self.model.is_sending = true;
            self.sending = publish.payload.clone();
        }
    }

    /// Sends the next piece, which may be longer than the rest of the payload.
    pub(super) fn send_piece(&mut self) {
        let len = byte(&mut self.u) % 48;
        if self.model.setup.kind.any {
            return;
        }
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

    /// Handles `Action::Resend`.
    pub(super) fn resend_next(&mut self) {
        if let Some(id) = self.resends.pop_front() {
            let qos = self
                .model
                .sent(id)
                .map_or(QoS::AtLeastOnce, |m| m.message.qos);
            self.resend(id, qos);
        }
    }

    /// Resends a message, which may not have been asked for, at a QoS that may differ.
    pub(super) fn resend_any(&mut self) {
        let id = packets::id_in_use(&mut self.u, &self.model);
        let qos = match packets::qos(byte(&mut self.u)) {
            QoS::AtMostOnce => self
                .model
                .sent(id)
                .map_or(QoS::AtMostOnce, |m| m.message.qos),
            qos => qos,
        };
        self.resend(id, qos);
    }

    fn resend(&mut self, id: PacketId, qos: QoS) {
        let in_pieces = bit(&mut self.u) && !self.model.setup.kind.any;
        let held = self.model.sent(id).cloned();
        let asked = held.filter(|held| held.is_asked && !held.is_sent);
        let message = asked.as_ref().map(|held| held.message.clone());
        let message = message.unwrap_or_else(|| Message {
            topic: packets::topic(0).map(<[u8]>::to_vec),
            payload: Vec::new(),
            qos,
            retain: false,
            alias: None,
        });
        let message = Message { qos, ..message };
        // A Topic Alias belongs to the connection on which the message was sent first
        // [MQTT5-3.3.2-7].
        let as_sent = sent_as(&message, Delivery::new(qos, id, true), None, true);
        let len = self.encoded(&Packet::Publish(as_sent.clone())).len();
        let expected = self.model.may_send().and_then(|()| match &asked {
            None => Err(CommandError::NotAwaited),
            Some(held) if held.message.qos != qos => Err(CommandError::QosChanged),
            Some(_) => self.model.agreed.may_publish(qos, message.retain, len),
        });
        let (now, before) = (self.now(), self.out.len());
        let result = self
            .endpoint
            .resend(now, id, &message, in_pieces, &mut self.out);
        match (result, expected) {
            (Ok(()), Ok(())) => {
                self.writes(&as_sent, in_pieces);
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

    /// Chooses a received message, or any other identifier.
    pub(super) fn acknowledge(&mut self) {
        let at = byte(&mut self.u);
        let held: Vec<_> = self.model.inbound.keys().copied().collect();
        let id = match held.get(at % held.len().max(1)) {
            Some(id) if at < 240 => *id,
            _ => packets::id(&mut self.u),
        };
        let code = match self.model.is_v5() {
            true => [0, 0, 0, 0x10, 0x87][byte(&mut self.u) % 5],
            false => 0,
        };
        self.acknowledge_one(id, code);
    }

    pub(super) fn acknowledge_all(&mut self) {
        let held: Vec<_> = self.model.inbound.keys().copied().collect();
        for id in held {
            self.acknowledge_one(id, 0);
        }
    }

    fn acknowledge_one(&mut self, id: PacketId, code: u8) {
        let expected = self.model.acknowledge(id, code);
        let result = self.endpoint.acknowledge(id, code);
        assert_eq!(result, expected, "{id:?}: {:?}", self.model);
        self.drain();
        self.work_off();
    }

    /// Client: sends SUBSCRIBE or UNSUBSCRIBE.
    pub(super) fn request(&mut self) {
        if self.model.is_server() {
            return self.answer();
        }
        let (now, before) = (self.now(), self.out.len());
        let mut expected = self.model.may_request();
        // Encoded with the identifier that the command returns.
        let (result, request, packet) = if bit(&mut self.u) {
            let subscriptions = packets::subscriptions(&mut self.u);
            let has_wildcards = subscriptions
                .iter()
                .any(|entry| entry.topic_filter.has_wildcards());
            if expected.is_ok() && has_wildcards && !self.model.agreed.peer.wildcards {
                expected = Err(CommandError::WildcardSubscriptionsNotSupported);
            }
            let result = self.endpoint.subscribe(now, &subscriptions, &mut self.out);
            let request = Request::Subscribe(subscriptions.len());
            let subscribe = Subscribe {
                packet_id: result.unwrap_or(PacketId::MIN),
                properties: SubscribeProperties::default(),
                subscriptions,
            };
            (result, request, Packet::Subscribe(subscribe))
        } else {
            let topic_filters = packets::topic_filters(&mut self.u);
            let result = self
                .endpoint
                .unsubscribe(now, &topic_filters, &mut self.out);
            let request = Request::Unsubscribe(topic_filters.len());
            let unsubscribe = Unsubscribe {
                packet_id: result.unwrap_or(PacketId::MIN),
                properties: UnsubscribeProperties::default(),
                topic_filters,
            };
            (result, request, Packet::Unsubscribe(unsubscribe))
        };
        let len = self.encoded(&packet).len();
        match (
            result,
            expected.and_then(|()| self.model.agreed.may_send(len)),
        ) {
            (Ok(id), Ok(())) => {
                assert!(!self.model.is_in_use(id), "[MQTT-2.3.1-2] {id:?}");
                self.model.requests.insert(id, request);
                self.expects(&packet);
            }
            (Err(error), Err(expected)) => self.is_refused(error, expected, before),
            (result, expected) => panic!("{result:?} instead of {expected:?}: {:?}", self.model),
        }
        self.drain();
    }

    /// Server: answers a request, which may not exist, or may have more filters.
    pub(super) fn answer(&mut self) {
        if !self.model.is_server() {
            return;
        }
        let kind = byte(&mut self.u);
        let request = self.model.to_answer;
        let (now, before) = (self.now(), self.out.len());
        let unsubscribes = match request {
            Some((_, Request::Unsubscribe(_))) => kind < 240,
            _ => kind >= 240,
        };
        let asked = match request {
            Some((_, Request::Subscribe(count) | Request::Unsubscribe(count))) => count,
            None => 1,
        };
        let count = if kind < 224 { asked } else { 1 + kind % 4 };
        let properties = AckProperties::default();
        let packet_id = request.map_or(PacketId::MIN, |(id, _)| id);
        let (result, packet) = if unsubscribes {
            let codes = packets::unsubscribe_codes(count);
            let result = self.endpoint.unsuback(now, &codes, &mut self.out);
            let packet = Packet::UnsubAck {
                packet_id,
                codes,
                properties,
            };
            (result, packet)
        } else {
            let codes = packets::codes(count);
            let result = self.endpoint.suback(now, &codes, &mut self.out);
            let packet = Packet::SubAck {
                packet_id,
                codes,
                properties,
            };
            (result, packet)
        };
        let expected = self.model.may_send().and_then(|()| {
            let fits = match request {
                // UNSUBACK of MQTT 3.1.1 has no codes.
                Some((_, Request::Unsubscribe(filters))) if unsubscribes => {
                    filters == count || !self.model.is_v5()
                }
                Some((_, Request::Subscribe(filters))) if !unsubscribes => filters == count,
                _ => return Err(CommandError::NotAwaited),
            };
            if fits {
                Ok(())
            } else {
                Err(CommandError::WrongNumberOfReturnCodes)
            }
        });
        let len = self.encoded(&packet).len();
        match (result, expected) {
            (Ok(()), Ok(())) if self.model.agreed.may_send(len).is_err() => {
                self.is_over(Reason::ReplyTooLarge);
            }
            (Ok(()), Ok(())) => {
                self.expects(&packet);
                self.model.to_answer = None;
                self.last_received = self.clock;
            }
            (Err(error), Err(expected)) => self.is_refused(error, expected, before),
            (result, expected) => panic!("{result:?} instead of {expected:?}: {:?}", self.model),
        }
        self.drain();
        self.work_off();
    }

    /// Client: sends CONNECT. Server: answers it.
    pub(super) fn open(&mut self) {
        if !self.model.is_server() {
            let connect = packets::connect(&mut self.u, self.model.version);
            return self.connect(&connect);
        }
        match byte(&mut self.u) {
            number @ 0..24 => self.refuse(number),
            number => {
                let properties = packets::connack_properties(&mut self.u, self.model.version);
                self.accept(number % 8 > 0, &properties);
            }
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

    pub(super) fn connect(&mut self, connect: &Connect) {
        let expected = match self.model.state {
            State::Start => Ok(()),
            State::Requested | State::Connected => Err(CommandError::AlreadyConnected),
            State::Over => Err(CommandError::Ended),
        };
        let (now, before) = (self.now(), self.out.len());
        let result = self.endpoint.connect(now, connect, &mut self.out);
        assert_eq!(result, expected, "{:?}", self.model);
        if result.is_err() {
            assert_eq!(self.out.len(), before, "an error, and bytes");
            return self.drain();
        }
        self.expects(&Packet::Connect(connect.clone()));
        let model = &mut self.model;
        model.requested(connect);
        let is_new = model.outbound.is_empty() && model.inbound.is_empty();
        // CONNACK decides whether messages have to be stored.
        let is_undecided = model.is_v5() && model.session_ends && model.setup.journal;
        model.is_early = model.setup.early && is_new && !is_undecided;
        model.resume();
        if model.clean_start {
            model.lose();
        }
        self.drain();
    }

    /// Accepts with the session that was kept, if there is one and it is not lost.
    pub(super) fn accept(&mut self, keeps: bool, properties: &ConnAckProperties<Vec<u8>>) {
        let mut expected = self.may_answer_connect();
        let clean_start = self.model.clean_start;
        if expected.is_ok() && clean_start && !keeps {
            // The client asked for a new session, so resuming one is refused.
            expected = Err(CommandError::CleanSession);
        }
        let has_kept = self.kept.is_some() && keeps && !clean_start;
        let session_present = has_kept && !self.model.is_v3_1;
        let connack = Packet::ConnAck {
            session_present,
            code: 0,
            properties: properties.clone(),
        };
        if self.model.is_v5() {
            if expected.is_ok() && has_kept && self.model.agreed.has_no_client_id {
                expected = Err(CommandError::AssignedClientIdentifier); // [MQTT5-3.2.2-16]
            }
            let len = self.encoded(&connack).len();
            expected = expected.and_then(|()| self.model.agreed.may_accept(properties, len));
        }
        let (now, before) = (self.now(), self.out.len());
        let mut kept = if expected.is_ok() && has_kept {
            self.kept.take()
        } else {
            None
        };
        let mut other = empty(self.rooms);
        let session = match &mut kept {
            Some(kept) => Some(&mut kept.session),
            None if has_kept || clean_start && !keeps => Some(&mut other),
            None => None,
        };
        let result = self
            .endpoint
            .accept(now, session, properties, &mut self.out);
        assert_eq!(result, expected, "{:?}", self.model);
        if result.is_err() {
            assert_eq!(self.out.len(), before, "an error, and bytes");
            return self.drain();
        }
        if let Some(kept) = kept {
            (self.model.outbound, self.model.inbound) = (kept.outbound, kept.inbound);
            self.model.resume();
        } else {
            // The application deletes any earlier session and its journal.
            self.kept = None;
            self.journal = empty(self.rooms);
        }
        self.model.connack(properties);
        self.model.accepted();
        self.last_received = self.clock;
        self.expects(&connack);
        self.drain();
        self.work_off();
    }

    fn refuse(&mut self, number: usize) {
        let expected = self.may_answer_connect();
        let (reason_code, return_code) = packets::refusal(number);
        let (now, before) = (self.now(), self.out.len());
        let result = self
            .endpoint
            .refuse(now, reason_code, return_code, &mut self.out);
        assert_eq!(result, expected, "{:?}", self.model);
        if result.is_ok() {
            let code = packets::refusal_code(number, self.model.version);
            let connack = Packet::connack(false, code);
            // A client whose limit is smaller than this packet is sent nothing [MQTT5-3.1.2-24].
            if self
                .model
                .agreed
                .may_send(self.encoded(&connack).len())
                .is_ok()
            {
                self.expects(&connack);
            }
            self.is_over(Reason::Refused(code));
        } else {
            assert_eq!(self.out.len(), before, "an error, and bytes");
        }
        self.drain();
    }

    /// Ends the connection with DISCONNECT, without one, or from the other side.
    pub(super) fn end(&mut self) {
        let kind = byte(&mut self.u);
        let now = self.now();
        let is_server = self.model.is_server();
        match kind % 4 {
            0 => {
                self.endpoint.close(now);
                self.is_over(Reason::Aborted);
            }
            1 => {
                self.endpoint.handle_transport_closed(now);
                self.is_over(Reason::TransportClosed);
            }
            _ if !is_server || self.model.is_v5() && self.is_decided() => self.disconnect(),
            _ => {}
        }
        self.drain();
    }

    /// A server of any version cannot send DISCONNECT before it knows the version.
    const fn is_decided(&self) -> bool {
        self.reader.version().is_some()
    }

    fn disconnect(&mut self) {
        let is_server = self.model.is_server();
        let (code, properties) = packets::disconnect(&mut self.u, self.model.version);
        let expiry = properties.session_expiry_interval();
        let agreed = &self.model.agreed;
        let is_kept = agreed.had_expiry && !self.model.session_ends;
        let is_wrong_expiry = expiry.is_some_and(|expiry| is_server || expiry > 0 && !is_kept);
        // Table 3-10.
        let is_wrong_code = if is_server { code == 4 } else { code == 0x8b };
        let packet = Packet::Disconnect { code, properties };
        let expected = self.model.may_send().and_then(|()| {
            if is_wrong_code {
                return Err(CommandError::ReasonCodeOfPeer);
            }
            if is_wrong_expiry {
                return Err(CommandError::SessionExpiryInterval);
            }
            agreed.may_send(self.encoded(&packet).len())
        });
        let Packet::Disconnect { properties, .. } = &packet else {
            unreachable!("it is one");
        };
        let (now, before) = (self.now(), self.out.len());
        let result = self
            .endpoint
            .disconnect(now, code, properties, &mut self.out);
        assert_eq!(result, expected, "{:?}", self.model);
        if result.is_ok() {
            self.expects(&packet);
            if let Some(expiry) = expiry {
                self.model.clean_start |= expiry == 0;
                self.model.expires(expiry);
            }
            self.is_over(Reason::Disconnected);
        } else {
            assert_eq!(self.out.len(), before, "an error, and bytes");
        }
    }
}

/// Returns the PUBLISH of a message.
fn sent_as(
    message: &Message,
    delivery: Delivery,
    alias: Option<u16>,
    has_name: bool,
) -> Publish<Vec<u8>> {
    let alias = alias.and_then(std::num::NonZeroU16::new);
    let publish = Publish {
        delivery,
        retain: message.retain,
        topic: message.topic.clone(),
        properties: PublishProperties::encode_to_vec(alias.map(Property::TopicAlias))
            .expect("a Topic Alias"),
        payload: message.payload.clone(),
    };
    if has_name {
        publish
    } else {
        packets::without_topic(&publish)
    }
}
