//! Conversations of MQTT 5. Packets to send and expected events are written as the packets
//! themselves: a step decodes them, and calls the command or compares the event.
//!
//! Each conversation runs twice: with whole input, and one byte at a time.

use std::cell::Cell;

use mqtt_sansio::v5::{
    self, AckProperties, Action, AliasVec, CloseReason, Connect, DecodeError, Event, Message,
    MessageHeader, OutboundAliases, Packet, PacketRef, PubAckReasonCode, Publish,
    PublishProperties, ReasonCode, TopicAliases, V5, WithTopicAliases,
};
use mqtt_sansio::{
    Blocked, ClientRole, CommandError, Config, Connection, Options, PacketId, ProtocolError,
    ServerRole, Session, Slot, State, Step, Timestamp, TopicName,
};

use super::{Drive, Item, Speaks, Talk, Wire, fresh, id, ms, to_hex};

/// Conversations, each run with whole input and with single bytes.
#[allow(unused_macros, reason = "as all of this module")]
macro_rules! v5_conversations {
    ($($(#[$meta:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn holds() $body

            #[test]
            fn whole() {
                crate::conversation::v5::cut_into_bytes(false);
                holds();
            }

            #[test]
            fn a_byte_at_a_time() {
                crate::conversation::v5::cut_into_bytes(true);
                holds();
            }
        }
    )*};
}
#[allow(unused_imports, reason = "as all of this module")]
pub(crate) use v5_conversations;

thread_local! {
    static IN_BYTES: Cell<bool> = const { Cell::new(false) };
}

pub fn cut_into_bytes(yes: bool) {
    IN_BYTES.set(yes);
}

impl Speaks for V5 {
    const NAME: &'static str = "MQTT 5";
    type Owned = Event<Vec<u8>>;
    fn owned(event: Event<&[u8]>) -> Event<Vec<u8>> {
        event.to_owned()
    }
}

/// A connection with its decoder, which has storage for Topic Aliases.
pub struct Side<R: mqtt_sansio::Role> {
    pub connection: Connection<V5, R, Vec<Slot>>,
    decoder: v5::Decoder<WithTopicAliases<Vec<u8>, AliasVec>>,
}

/// Prints the connection alone: received bytes do not count as a change.
impl<R: mqtt_sansio::Role> std::fmt::Debug for Side<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.connection.fmt(f)
    }
}

/// The largest Topic Alias that can be stored.
pub const ALIASES: u16 = 4;

impl<R: mqtt_sansio::Role> Side<R> {
    fn new(session: Session<Vec<Slot>>, config: Config, options: Options) -> Self {
        let buffer = WithTopicAliases::new(Vec::new(), AliasVec::new(ALIASES));
        Self {
            connection: Connection::new(session, config, ms(0)),
            decoder: v5::Decoder::with_options(buffer, options),
        }
    }
}

impl<R: mqtt_sansio::Role> Drive for Side<R> {
    type Version = V5;
    type Storage = Vec<Slot>;
    fn forget(&mut self, id: PacketId) -> Result<(), CommandError> {
        self.connection.forget(id)
    }
    fn acknowledge(&mut self, id: PacketId) -> Result<(), CommandError> {
        let acknowledgement = self.connection.acknowledgement(id);
        self.connection
            .acknowledge(acknowledgement.ok_or(CommandError::NotAwaited)?)
    }
    fn close(&mut self, now: Timestamp) {
        self.connection.close(now);
    }
    fn handle_timeout(&mut self, now: Timestamp) {
        self.connection.handle_timeout(now);
    }
    fn handle_transport_closed(&mut self, now: Timestamp) {
        self.connection.handle_transport_closed(now);
    }
    fn poll_action(&mut self) -> Option<Action> {
        self.connection.poll_action()
    }
    fn poll_timeout(&self) -> Option<Timestamp> {
        self.connection.poll_timeout()
    }
    fn state(&self) -> State {
        self.connection.state()
    }
    fn session(&self) -> &Session<Vec<Slot>> {
        self.connection.session()
    }
    fn into_session(self) -> Session<Vec<Slot>> {
        self.connection.into_session()
    }
    fn payload(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut dyn mqtt_sansio::Output,
    ) -> Result<u32, CommandError> {
        self.connection.payload(now, bytes, out)
    }
}

pub type ClientTalk = Talk<Side<ClientRole>>;
pub type ServerTalk = Talk<Side<ServerRole>>;

/// `first`, Remaining Length, `body`.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, u8::try_from(body.len()).unwrap()];
    assert!(body.len() < 128, "one byte of Remaining Length");
    bytes.extend(body);
    bytes
}

/// Property Length and properties.
fn properties(properties: &str) -> Vec<u8> {
    let properties = properties.wire();
    let mut bytes = vec![u8::try_from(properties.len()).unwrap()];
    assert!(properties.len() < 128, "one byte of Property Length");
    bytes.extend(properties);
    bytes
}

/// CONNECT of the client `c` with these flags, Keep Alive, properties, and the fields after the
/// Client Identifier.
pub fn connect(flags: u8, keep_alive: u16, props: &str, rest: &str) -> Vec<u8> {
    let mut body = "00 04 'MQTT' 05".wire();
    body.push(flags);
    body.extend(keep_alive.to_be_bytes());
    body.extend(properties(props));
    body.extend("00 01 'c'".wire());
    body.extend(rest.wire());
    packet(0x10, &body)
}

/// CONNACK with this Reason Code and these properties.
pub fn connack(session_present: bool, code: u8, props: &str) -> Vec<u8> {
    let mut body = vec![u8::from(session_present), code];
    body.extend(properties(props));
    packet(0x20, &body)
}

/// Session Expiry Intervals of CONNECT, CONNACK and DISCONNECT, and the one in force after it, or
/// `None` if DISCONNECT must not have its interval (sections 3.2.2.3.2 and 3.14.2.2.2).
pub const EXPIRIES: [([Option<u32>; 3], Option<u32>); 16] = [
    ([None, None, None], Some(0)),
    ([None, None, Some(0)], Some(0)),
    ([None, None, Some(9)], None),
    ([Some(0), None, Some(9)], None),
    ([None, Some(10), None], Some(10)),
    ([None, Some(10), Some(0)], Some(0)),
    ([None, Some(10), Some(9)], None),
    ([Some(100), None, None], Some(100)),
    ([Some(100), None, Some(0)], Some(0)),
    ([Some(100), None, Some(9)], Some(9)),
    ([Some(100), None, Some(u32::MAX)], Some(u32::MAX)),
    ([Some(100), Some(10), None], Some(10)),
    ([Some(100), Some(10), Some(0)], Some(0)),
    ([Some(100), Some(10), Some(50)], Some(50)),
    ([Some(100), Some(0), None], Some(0)),
    ([Some(100), Some(0), Some(0)], Some(0)),
];

/// The Session Expiry Interval as a property.
pub fn expiry(interval: Option<u32>) -> String {
    interval.map_or_else(String::new, |seconds| format!("11 {seconds:08x}"))
}

/// DISCONNECT with Reason Code 0 and this Session Expiry Interval.
pub fn disconnect_after(interval: Option<u32>) -> Vec<u8> {
    match interval {
        None => disconnect(0),
        Some(_) => [vec![0xe0, 7, 0], properties(&expiry(interval))].concat(),
    }
}

/// DISCONNECT with this Reason Code and no properties.
pub fn disconnect(code: u8) -> Vec<u8> {
    match code {
        0 => vec![0xe0, 0],
        code => vec![0xe0, 1, code],
    }
}

fn decoded(bytes: &[u8]) -> PacketRef<'_> {
    let mut rest = bytes;
    let packet = v5::decode(&mut rest, &Options::new());
    match packet {
        Ok(Some(packet)) if rest.is_empty() => packet,
        other => panic!("not one packet in the test: {other:?}"),
    }
}

/// Returns the header of this PUBLISH, with another payload length.
fn header_of(publish: &[u8], payload_len: u32) -> v5::PublishHeader<&[u8]> {
    let Packet::Publish(publish) = decoded(publish) else {
        panic!("not a PUBLISH in the test");
    };
    v5::PublishHeader {
        delivery: publish.delivery,
        retain: publish.retain,
        topic: publish.topic,
        properties: publish.properties,
        payload_len,
    }
}

/// Returns the event of a packet.
fn event_of(packet: PacketRef<'_>) -> Event<Vec<u8>> {
    match packet {
        Packet::Connect(connect) => Event::ConnectRequested(connect),
        Packet::ConnAck(connack) if connack.reason_code.is_error() => Event::Refused {
            reason_code: connack.reason_code,
            properties: connack.properties,
        },
        Packet::ConnAck(connack) => Event::Connected {
            session_present: connack.session_present,
            properties: connack.properties,
        },
        Packet::Publish(publish) => Event::Message(publish),
        Packet::PubAck(ack) => acknowledged(ack.packet_id, ack.reason_code.into(), ack.properties),
        Packet::PubRec(ack) if !ack.reason_code.is_error() => Event::AcceptedByPeer {
            packet_id: ack.packet_id,
            reason_code: ack.reason_code.into(),
            properties: ack.properties,
        },
        Packet::PubRec(ack) => acknowledged(ack.packet_id, ack.reason_code.into(), ack.properties),
        Packet::PubComp(ack) => Event::Delivered {
            packet_id: ack.packet_id,
            reason_code: ack.reason_code.into(),
            properties: ack.properties,
        },
        Packet::Subscribe(subscribe) => Event::SubscribeRequested(subscribe),
        Packet::SubAck(suback) => Event::Subscribed(suback),
        Packet::Unsubscribe(unsubscribe) => Event::UnsubscribeRequested(unsubscribe),
        Packet::UnsubAck(unsuback) => Event::Unsubscribed(unsuback),
        Packet::Disconnect(disconnect) => Event::Disconnected(disconnect),
        Packet::Auth(auth) => Event::Auth(auth),
        other => panic!("no event comes of {other:?}"),
    }
    .to_owned()
}

fn acknowledged(
    packet_id: PacketId,
    reason_code: ReasonCode,
    properties: AckProperties<&[u8]>,
) -> Event<&[u8]> {
    if reason_code.is_error() {
        Event::Rejected {
            packet_id,
            reason_code,
            properties,
        }
    } else {
        Event::Delivered {
            packet_id,
            reason_code,
            properties,
        }
    }
}

/// Returns the message of this PUBLISH, with its Topic Alias.
fn message_of(publish: Publish<&[u8]>) -> Message<&[u8]> {
    Message::new(publish.topic, publish.payload)
        .qos(publish.delivery.qos())
        .retain(publish.retain)
        .properties(publish.properties)
}

impl<R: mqtt_sansio::Role> Talk<Side<R>> {
    fn connection(session: Session<Vec<Slot>>, config: Config, options: Options) -> Self {
        let mut talk = Self::new(Side::new(session, config, options));
        talk.log
            .note(&format!("{}, {}", V5::NAME, std::any::type_name::<R>()));
        talk
    }

    // Commands of both roles

    fn try_common(&mut self, packet: PacketRef<'_>) -> Result<(), CommandError> {
        match packet {
            Packet::Publish(publish) => {
                let message = message_of(publish);
                self.command("publish", |side, now, out| {
                    side.connection.publish(now, &message, out).map(|_| ())
                })
            }
            Packet::PubAck(ack) => self.try_acknowledge_with(ack.packet_id, ack.reason_code),
            Packet::PubRec(ack) => self.try_acknowledge_with(ack.packet_id, ack.reason_code),
            Packet::Disconnect(disconnect) => self.command("disconnect", |side, now, out| {
                side.connection.disconnect_with(now, &disconnect, out)
            }),
            Packet::Auth(auth) => self.command("auth", |side, now, out| {
                side.connection.auth(now, &auth, out)
            }),
            other => panic!("this side does not send {other:?}"),
        }
    }

    #[track_caller]
    fn try_acknowledge_with(
        &mut self,
        packet_id: PacketId,
        code: PubAckReasonCode,
    ) -> Result<(), CommandError> {
        self.command("acknowledge with a code", |side, _, _| {
            let acknowledgement = side.connection.acknowledgement(packet_id);
            side.connection
                .acknowledge_with(acknowledgement.ok_or(CommandError::NotAwaited)?, code)
        })
    }

    /// Resends the message in these bytes.
    #[track_caller]
    pub fn resends(&mut self, number: u16, bytes: impl Wire) -> &mut Self {
        let bytes = bytes.wire();
        let result = self.try_resend(number, bytes.clone());
        self.is_ok(result).sends(bytes)
    }

    #[track_caller]
    pub fn try_resend(&mut self, number: u16, bytes: impl Wire) -> Result<(), CommandError> {
        let bytes = bytes.wire();
        let Packet::Publish(publish) = decoded(&bytes) else {
            panic!("not a PUBLISH in the test");
        };
        let message = message_of(publish);
        self.command(&format!("resend {number}"), |side, now, out| {
            side.connection.resend(now, id(number), &message, out)
        })
    }

    // Inputs

    /// Passes `bytes`, whole or one by one.
    fn hand_in(&mut self, bytes: &[u8]) -> Result<(), Blocked> {
        let len = if IN_BYTES.get() {
            1
        } else {
            bytes.len().max(1)
        };
        let mut parts = bytes.chunks(len);
        let mut input = parts.next().unwrap_or_default();
        loop {
            while let Some(step) =
                self.peer
                    .connection
                    .receive(ms(self.now), &mut self.peer.decoder, &mut input)?
            {
                let item = match step {
                    Step::Event(event) => Item::Event(event.to_owned()),
                    Step::Action(action) => Item::of(action),
                };
                let is_event = matches!(item, Item::Event(_));
                self.came(item);
                if self.held && is_event {
                    assert!(input.is_empty(), "one packet, while actions are held");
                    break;
                }
            }
            match parts.next() {
                Some(next) => input = next,
                None => return Ok(()),
            }
        }
    }

    /// Receives these bytes; each packet is handled.
    #[track_caller]
    pub fn receives(&mut self, bytes: impl Wire) -> &mut Self {
        let bytes = bytes.wire();
        self.begin(&format!("receives {}", to_hex(&bytes)));
        if let Err(why) = self.hand_in(&bytes) {
            self.log.fail(&format!("not dealt with: {why:?}"));
        }
        self
    }

    /// Receives a packet that is blocked.
    #[track_caller]
    pub fn not_now(&mut self, bytes: impl Wire, why: Blocked) -> &mut Self {
        let bytes = bytes.wire();
        self.begin(&format!("receives {}", to_hex(&bytes)));
        let result = self.hand_in(&bytes);
        if result != Err(why) {
            self.log.fail(&format!("{result:?}, and not {why:?}"));
        }
        self
    }

    // Comparing steps

    /// The next step is the event of this packet.
    #[track_caller]
    pub fn reports(&mut self, bytes: impl Wire) -> &mut Self {
        let bytes = bytes.wire();
        self.expect(Item::Event(event_of(decoded(&bytes))))
    }

    #[track_caller]
    pub fn delivered(&mut self, number: u16, code: u8) -> &mut Self {
        self.expect(Item::Event(Event::Delivered {
            packet_id: id(number),
            reason_code: ReasonCode::from_number(code).unwrap(),
            properties: AckProperties::default(),
        }))
    }

    #[track_caller]
    pub fn accepted_by_peer(&mut self, number: u16, code: u8) -> &mut Self {
        self.expect(Item::Event(Event::AcceptedByPeer {
            packet_id: id(number),
            reason_code: ReasonCode::from_number(code).unwrap(),
            properties: AckProperties::default(),
        }))
    }

    #[track_caller]
    pub fn rejected(&mut self, number: u16, reason_code: ReasonCode) -> &mut Self {
        self.expect(Item::Event(Event::Rejected {
            packet_id: id(number),
            reason_code,
            properties: AckProperties::default(),
        }))
    }

    /// The next step is this message, without regard to an alias.
    #[track_caller]
    pub fn reports_message(&mut self, topic: &str, props: &str, payload: &str) -> &mut Self {
        self.reports(publish_to(topic, super::Q0, 0, props, payload))
    }

    /// The next step is the header of a message.
    #[track_caller]
    pub fn reports_header(
        &mut self,
        topic: &str,
        qos: super::QoS,
        number: u16,
        props: &str,
        payload_len: u32,
    ) -> &mut Self {
        let bytes = publish_to(topic, qos, number, props, "");
        let header = header_of(&bytes, payload_len);
        self.expect(Item::Event(Event::MessageHeader(header).to_owned()))
    }

    /// The next step is the header of a message whose payload is skipped.
    #[track_caller]
    pub fn reports_skipped(
        &mut self,
        topic: &str,
        qos: super::QoS,
        number: u16,
        props: &str,
        payload_len: u32,
    ) -> &mut Self {
        let bytes = publish_to(topic, qos, number, props, "");
        let header = header_of(&bytes, payload_len);
        self.expect(Item::Event(Event::MessageSkipped(header).to_owned()))
    }

    /// The next steps are pieces of a payload: `len` bytes together, after which `then_left` are
    /// missing.
    #[track_caller]
    pub fn reports_payload(&mut self, len: usize, then_left: usize) -> &mut Self {
        let mut missing = len;
        while missing > 0 {
            match self.log_pop() {
                Some(Item::Event(Event::Payload { bytes, left })) => {
                    missing = missing.checked_sub(bytes.len()).unwrap();
                    assert_eq!(left, missing + then_left);
                }
                other => self.log.fail(&format!("not a piece: {other:?}")),
            }
        }
        self
    }

    #[track_caller]
    pub fn announces(&mut self, qos: super::QoS, payload_len: u32) -> &mut Self {
        let result = self.try_announce(qos, payload_len);
        self.is_ok(result)
    }

    /// A message to `t`, whose payload follows in pieces.
    #[track_caller]
    pub fn try_announce(&mut self, qos: super::QoS, payload_len: u32) -> Result<(), CommandError> {
        let header = MessageHeader {
            topic: TopicName::new("t").unwrap(),
            payload_len,
            qos,
            retain: false,
            properties: PublishProperties::EMPTY,
        };
        self.command("publish in pieces", |side, now, out| {
            side.connection.publish(now, &header, out).map(|_| ())
        })
    }

    #[track_caller]
    pub fn publishes_aliased<A: TopicAliases>(
        &mut self,
        topic: &str,
        qos: super::QoS,
        aliases: &mut OutboundAliases<A>,
    ) -> &mut Self {
        let result = self.try_publish_aliased(topic, qos, aliases);
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_publish_aliased<A: TopicAliases>(
        &mut self,
        topic: &str,
        qos: super::QoS,
        aliases: &mut OutboundAliases<A>,
    ) -> Result<(), CommandError> {
        let message = Message::new(TopicName::new(topic).unwrap(), "x").qos(qos);
        self.command("publish with an alias", |side, now, out| {
            side.connection
                .publish_aliased(now, &message, aliases, out)
                .map(|_| ())
        })
    }

    /// The next step sends a PUBLISH with this Topic Name.
    #[track_caller]
    pub fn sends_publish_to(&mut self, topic: &str) -> &mut Self {
        match self.log_pop() {
            Some(Item::Sent(bytes)) => match decoded(&bytes) {
                Packet::Publish(publish) => assert_eq!(publish.topic, topic),
                other => panic!("not a PUBLISH: {other:?}"),
            },
            other => self.log.fail(&format!("nothing sent: {other:?}")),
        }
        self
    }

    /// The next step sends a DISCONNECT with any Reason Code.
    #[track_caller]
    pub fn sends_disconnect(&mut self) -> &mut Self {
        match self.log_pop() {
            Some(Item::Sent(bytes)) if bytes[0] == 0xe0 => self,
            other => self.log.fail(&format!("not a DISCONNECT: {other:?}")),
        }
    }

    /// All requests in flight end without an answer.
    pub fn leaves_requests(&mut self) -> &mut Self {
        while let Some(Item::Action(Action::Unanswered(_))) = self.log.waiting.front() {
            self.log.waiting.pop_front();
        }
        self
    }

    #[track_caller]
    pub fn action(&mut self, action: Action) -> &mut Self {
        self.expect(Item::Action(action))
    }

    #[track_caller]
    pub fn closes(&mut self, reason: CloseReason) -> &mut Self {
        self.action(Action::Close(reason)).nothing_more();
        self.state(State::Ended).no_deadline()
    }

    /// The connection ends because of a violation by the peer.
    #[track_caller]
    pub fn closes_for(&mut self, error: ProtocolError) -> &mut Self {
        self.closes(CloseReason::Violation(error.into()))
    }

    /// The connection ends because of bytes that are not a packet.
    #[track_caller]
    pub fn closes_for_malformed(&mut self) -> DecodeError {
        let reason = match self.log_pop() {
            Some(Item::Action(Action::Close(CloseReason::Violation(
                v5::PeerError::Malformed(error),
            )))) => error,
            other => self
                .log
                .fail(&format!("not closed as malformed: {other:?}")),
        };
        self.nothing_more().state(State::Ended);
        reason
    }

    /// The network fails. Returns the session.
    #[track_caller]
    pub fn breaks_off(mut self) -> Session<Vec<Slot>> {
        self.transport_closes();
        self.closes(CloseReason::TransportClosed);
        self.peer.into_session()
    }
}

impl ClientTalk {
    pub fn begins(session: Session<Vec<Slot>>, config: Config) -> Self {
        Self::connection(session, config, Options::new())
    }

    pub fn begins_with(config: Config, options: Options) -> Self {
        Self::connection(fresh(), config, options)
    }

    /// Connects with this CONNECT and this CONNACK.
    #[track_caller]
    pub fn connected(config: Config, connect: Vec<u8>, connack: Vec<u8>) -> Self {
        let mut talk = Self::begins(fresh(), config);
        talk.transmits(connect);
        talk.receives(connack.clone()).reports(connack);
        talk
    }

    /// Calls the command of this packet.
    #[track_caller]
    pub fn try_transmit(&mut self, bytes: impl Wire) -> Result<(), CommandError> {
        let bytes = bytes.wire();
        match decoded(&bytes) {
            Packet::Connect(connect) => {
                let connect: Connect<&[u8]> = connect.to_connect();
                self.command("connect", |side, now, out| {
                    side.connection.connect(now, &connect, out)
                })
            }
            Packet::Subscribe(subscribe) => self.command("subscribe", |side, now, out| {
                let (list, properties) = (&subscribe.subscriptions, &subscribe.properties);
                side.connection
                    .subscribe_with(now, list, properties, out)
                    .map(|_| ())
            }),
            Packet::Unsubscribe(unsubscribe) => self.command("unsubscribe", |side, now, out| {
                let properties = &unsubscribe.properties;
                side.connection
                    .unsubscribe_with(now, &unsubscribe.topic_filters, properties, out)
                    .map(|_| ())
            }),
            other => self.try_common(other),
        }
    }

    /// Calls the command of this packet, which is then sent.
    #[track_caller]
    pub fn transmits(&mut self, bytes: impl Wire) -> &mut Self {
        let bytes = bytes.wire();
        let result = self.try_transmit(bytes.clone());
        self.is_ok(result).sends(bytes)
    }
}

impl ServerTalk {
    pub fn begins(config: Config) -> Self {
        Self::connection(fresh(), config, Options::new())
    }

    pub fn begins_with(config: Config, options: Options) -> Self {
        Self::connection(fresh(), config, options)
    }

    /// Connects with this CONNECT and this CONNACK.
    #[track_caller]
    pub fn accepted(config: Config, connect: Vec<u8>, connack: Vec<u8>) -> Self {
        let mut talk = Self::begins(config);
        talk.receives(connect.clone()).reports(connect);
        talk.transmits(connack);
        talk
    }

    /// Calls the command of this packet.
    #[track_caller]
    pub fn try_transmit(&mut self, bytes: impl Wire) -> Result<(), CommandError> {
        self.try_transmit_with(bytes, fresh())
    }

    /// The same; a CONNACK with Session Present resumes `session`.
    #[track_caller]
    pub fn try_transmit_with(
        &mut self,
        bytes: impl Wire,
        mut session: Session<Vec<Slot>>,
    ) -> Result<(), CommandError> {
        let bytes = bytes.wire();
        match decoded(&bytes) {
            Packet::ConnAck(connack) if connack.reason_code.is_error() => {
                let (code, properties) = (connack.reason_code, &connack.properties);
                self.command("refuse", |side, now, out| {
                    side.connection.refuse_with(now, code, properties, out)
                })
            }
            Packet::ConnAck(connack) => self.command("accept", |side, now, out| {
                let properties = &connack.properties;
                if connack.session_present {
                    side.connection
                        .accept_resumed_with(now, &mut session, properties, out)
                } else {
                    side.connection.accept_new_with(now, properties, out)
                }
            }),
            Packet::SubAck(suback) => self.command("suback", |side, now, out| {
                let (codes, properties) = (&suback.reason_codes, &suback.properties);
                side.connection.suback_with(now, codes, properties, out)
            }),
            Packet::UnsubAck(unsuback) => self.command("unsuback", |side, now, out| {
                let (codes, properties) = (&unsuback.reason_codes, &unsuback.properties);
                side.connection.unsuback_with(now, codes, properties, out)
            }),
            other => self.try_common(other),
        }
    }

    /// Calls the command of this packet, which is then sent.
    #[track_caller]
    pub fn transmits(&mut self, bytes: impl Wire) -> &mut Self {
        let bytes = bytes.wire();
        let result = self.try_transmit(bytes.clone());
        self.is_ok(result).sends(bytes)
    }

    /// The same; a CONNACK with Session Present resumes `session`.
    #[track_caller]
    pub fn transmits_with(&mut self, bytes: impl Wire, session: Session<Vec<Slot>>) -> &mut Self {
        let bytes = bytes.wire();
        let result = self.try_transmit_with(bytes.clone(), session);
        self.is_ok(result).sends(bytes)
    }
}

/// PUBLISH to the topic `t` without properties.
pub fn publish(qos: super::QoS, id: u16, payload: &str) -> Vec<u8> {
    publish_with(qos, id, "", payload)
}

/// PUBLISH to the topic `t` with these properties.
pub fn publish_with(qos: super::QoS, id: u16, props: &str, payload: &str) -> Vec<u8> {
    publish_to("t", qos, id, props, payload)
}

/// PUBLISH to this topic, which may be empty.
pub fn publish_to(topic: &str, qos: super::QoS, id: u16, props: &str, payload: &str) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    if qos != super::Q0 {
        body.extend(id.to_be_bytes());
    }
    body.extend(properties(props));
    body.extend(payload.as_bytes());
    packet(0x30 | (qos as u8) << 1, &body)
}

/// The same PUBLISH with DUP.
pub fn dup(mut publish: Vec<u8>) -> Vec<u8> {
    publish[0] |= 8;
    publish
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP with a Reason Code.
pub fn ack(first: u8, id: u16, code: u8) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    match code {
        0 => vec![first, 2, high, low],
        code => vec![first, 3, high, low, code],
    }
}

pub const PUBACK: u8 = 0x40;
pub const PUBREC: u8 = 0x50;
pub const PUBREL: u8 = 0x62;
pub const PUBCOMP: u8 = 0x70;

/// The session as it comes back from storage.
pub fn restored(session: &Session<Vec<Slot>>) -> Session<Vec<Slot>> {
    Session::restore(&session.save_to_vec(), Vec::new(), Vec::new()).unwrap()
}
