//! A conversation as a transcript: input, output, events and deadlines, step by step, with a clock
//! that only the test moves.
//!
//! Bytes are written in hexadecimal with text in quotes: `"32 06 00 01 'a' 00 01 'x'"`. After each
//! command and each input all steps of the connection are put into a queue, and the following calls
//! remove them in order. The queue must be empty before the next input and at the end. A command
//! that fails, and a blocked packet, must have changed nothing: that is checked each time. A call
//! that fails prints the transcript so far.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "a module of several test files, each of which uses a part of it"
)]

pub mod v5;

use std::any::type_name;
use std::collections::VecDeque;
use std::fmt::{Debug, Write as _};

use mqtt_sansio::v3::{
    self, Action, Client, CloseReason, Connect, ConnectRefusal, DecodeError, Event, HandleError,
    Message, MessageHeader, Packet, PeerError, PieceRef, ReturnCode, ReturnCodes, Server, Step,
    Subscription, Subscriptions, TopicFilters, V3, Will,
};
use mqtt_sansio::v5::PublishProperties;
use mqtt_sansio::{
    Blocked, Change, CommandError, Config, Connection, EncodedMessage, Limit, Options, Output,
    PacketId, QoS, Receiver, Session, SliceOutput, Slot, Slots, State, Text, Timestamp,
    TopicFilter, TopicName, Version,
};

pub use QoS::{AtLeastOnce as Q1, AtMostOnce as Q0, ExactlyOnce as Q2};

pub fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

pub fn ms(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

// Bytes

/// Decodes hexadecimal digits, blanks, and text in single quotes.
pub fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, part) in text.split('\'').enumerate() {
        if number % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
        } else {
            let digits: String = part.split_whitespace().collect();
            bytes.extend(hex::decode(digits).expect("hexadecimal"));
        }
    }
    bytes
}

pub fn to_hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    shown.join(" ")
}

/// Bytes for a call: hexadecimal, or the bytes themselves.
pub trait Wire {
    fn wire(self) -> Vec<u8>;
}

impl Wire for &str {
    fn wire(self) -> Vec<u8> {
        hex(self)
    }
}

impl Wire for Vec<u8> {
    fn wire(self) -> Vec<u8> {
        self
    }
}

fn with_id(first: u8, id: u16) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    vec![first, 2, high, low]
}

pub fn puback(id: u16) -> Vec<u8> {
    with_id(0x40, id)
}

pub fn pubrec(id: u16) -> Vec<u8> {
    with_id(0x50, id)
}

pub fn pubrel(id: u16) -> Vec<u8> {
    with_id(0x62, id)
}

pub fn pubcomp(id: u16) -> Vec<u8> {
    with_id(0x70, id)
}

pub fn unsuback(id: u16) -> Vec<u8> {
    with_id(0xb0, id)
}

pub const PINGREQ: &str = "c0 00";
pub const PINGRESP: &str = "d0 00";
pub const DISCONNECT: &str = "e0 00";

/// PUBLISH to the topic `t`, encoded by hand, with one byte of Remaining Length.
pub fn publish(qos: QoS, id: u16, payload: &str) -> Vec<u8> {
    let mut bytes = vec![0x30 | (qos as u8) << 1, 0, 0, 1, b't'];
    if qos != Q0 {
        bytes.extend(id.to_be_bytes());
    }
    bytes.extend(payload.as_bytes());
    bytes[1] = u8::try_from(bytes.len() - 2).unwrap();
    assert!(bytes[1] < 128);
    bytes
}

/// The same with DUP.
pub fn dup(qos: QoS, id: u16, payload: &str) -> Vec<u8> {
    let mut bytes = publish(qos, id, payload);
    bytes[0] |= 8;
    bytes
}

/// CONNECT of the client `c`, with these fields only.
pub fn connect_bytes(clean: bool, keep_alive: u16) -> Vec<u8> {
    let mut bytes = hex("10 0d 00 04 'MQTT' 04 00 00 00 00 01 'c'");
    bytes[9] = u8::from(clean) << 1;
    bytes[10..12].copy_from_slice(&keep_alive.to_be_bytes());
    bytes
}

/// [`connect_bytes`] with a Will: `bye` to the topic `w`.
pub fn connect_with_will(clean: bool, keep_alive: u16) -> Vec<u8> {
    let mut bytes = connect_bytes(clean, keep_alive);
    bytes[9] |= 4;
    bytes.extend(hex("00 01 'w' 00 03 'bye'"));
    bytes[1] = u8::try_from(bytes.len() - 2).unwrap();
    bytes
}

// Expected events

pub fn message(qos: QoS, payload: &str) -> Message<&[u8]> {
    Message {
        topic: TopicName::new("t").unwrap(),
        payload: payload.as_bytes(),
        qos,
        retain: false,
    }
}

pub fn header(qos: QoS, payload_len: u32) -> MessageHeader<&'static [u8]> {
    MessageHeader {
        topic: TopicName::new("t").unwrap(),
        payload_len,
        qos,
        retain: false,
    }
}

pub fn connect_packet(clean: bool, keep_alive: u16) -> Connect<&'static [u8]> {
    Connect {
        clean_session: clean,
        keep_alive,
        ..Connect::new(Text::new("c").unwrap())
    }
}

pub fn subscriptions(filters: &[&str]) -> Subscriptions<Vec<u8>> {
    Subscriptions::encode_to_vec(filters.iter().map(|filter| Subscription {
        topic_filter: TopicFilter::new(*filter).unwrap(),
        qos: Q2,
    }))
    .unwrap()
}

pub fn filters(filters: &[&str]) -> TopicFilters<Vec<u8>> {
    TopicFilters::encode_to_vec(filters.iter().map(|f| TopicFilter::new(*f).unwrap())).unwrap()
}

// Storage

/// The kinds of storage of a session. Fixed ones have eight slots.
pub trait Storage: Slots + Debug {
    fn fresh() -> Self;
}

impl Storage for [Slot; 8] {
    fn fresh() -> Self {
        [Slot::EMPTY; 8]
    }
}

impl Storage for &'static mut [Slot] {
    fn fresh() -> Self {
        Box::leak(Box::new([Slot::EMPTY; 8]))
    }
}

impl Storage for Vec<Slot> {
    fn fresh() -> Self {
        Self::new()
    }
}

pub fn fresh<S: Storage>() -> Session<S> {
    Session::new(S::fresh(), S::fresh())
}

/// Returns the identifiers in flight to the peer, in order.
pub fn outbound<S: Slots>(session: &Session<S>) -> Vec<u16> {
    session.outbound().map(|m| m.packet_id.get()).collect()
}

/// Returns the identifiers of the peer, sorted.
pub fn inbound<S: Slots>(session: &Session<S>) -> Vec<u16> {
    let mut ids: Vec<u16> = session.inbound().map(PacketId::get).collect();
    ids.sort_unstable();
    ids
}

// Both roles

/// The parts of a version that a transcript shows.
pub trait Speaks: Version {
    const NAME: &'static str;
    type Owned: Debug + Clone + PartialEq;
    fn owned(event: Self::Event<&[u8]>) -> Self::Owned;
}

impl Speaks for V3 {
    const NAME: &'static str = "MQTT 3.1.1";
    type Owned = Event<Vec<u8>>;
    fn owned(event: Event<&[u8]>) -> Event<Vec<u8>> {
        event.map(<[u8]>::to_vec)
    }
}

/// The methods of connections of every version and role.
pub trait Drive: Debug {
    type Version: Speaks;
    type Storage: Slots;
    fn forget(&mut self, id: PacketId) -> Result<(), CommandError>;
    fn acknowledge(&mut self, id: PacketId) -> Result<(), CommandError>;
    fn close(&mut self, now: Timestamp);
    fn handle_timeout(&mut self, now: Timestamp);
    fn handle_transport_closed(&mut self, now: Timestamp);
    fn poll_action(&mut self) -> Option<mqtt_sansio::Action<Self::Version>>;
    fn poll_timeout(&self) -> Option<Timestamp>;
    fn state(&self) -> State;
    fn session(&self) -> &Session<Self::Storage>;
    fn into_session(self) -> Session<Self::Storage>;
    fn payload(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut dyn Output,
    ) -> Result<u32, CommandError>;
}

impl<V: Speaks, R: mqtt_sansio::Role, S: Slots + Debug> Drive for Connection<V, R, S> {
    type Version = V;
    type Storage = S;
    fn forget(&mut self, id: PacketId) -> Result<(), CommandError> {
        Self::forget(self, id)
    }
    fn acknowledge(&mut self, id: PacketId) -> Result<(), CommandError> {
        let acknowledgement = self.acknowledgement(id).ok_or(CommandError::NotAwaited)?;
        Self::acknowledge(self, acknowledgement)
    }
    fn close(&mut self, now: Timestamp) {
        Self::close(self, now);
    }
    fn handle_timeout(&mut self, now: Timestamp) {
        Self::handle_timeout(self, now);
    }
    fn handle_transport_closed(&mut self, now: Timestamp) {
        Self::handle_transport_closed(self, now);
    }
    fn poll_action(&mut self) -> Option<mqtt_sansio::Action<V>> {
        Self::poll_action(self)
    }
    fn poll_timeout(&self) -> Option<Timestamp> {
        Self::poll_timeout(self)
    }
    fn state(&self) -> State {
        Self::state(self)
    }
    fn session(&self) -> &Session<S> {
        Self::session(self)
    }
    fn into_session(self) -> Session<S> {
        Self::into_session(self)
    }
    fn payload(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut dyn Output,
    ) -> Result<u32, CommandError> {
        Self::payload(self, now, bytes, out)
    }
}

/// The methods that `Client` and `Server` of MQTT 3.1.1 share.
pub trait Peer: Drive<Version = V3> {
    fn publish(
        &mut self,
        now: Timestamp,
        message: &Message<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<Option<PacketId>, CommandError>;
    fn announce(
        &mut self,
        now: Timestamp,
        message: &MessageHeader<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<Option<PacketId>, CommandError>;
    fn announce_again(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &MessageHeader<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<(), CommandError>;
    fn resend(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &Message<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<(), CommandError>;
    fn publish_encoded(
        &mut self,
        now: Timestamp,
        message: &Message<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<Option<PacketId>, CommandError>;
    fn resend_encoded(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &Message<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<(), CommandError>;
    fn handle_packet<'a>(
        &mut self,
        now: Timestamp,
        packet: Packet<&'a [u8]>,
    ) -> Result<Option<Event<&'a [u8]>>, HandleError>;
    fn handle_piece<'a>(
        &mut self,
        now: Timestamp,
        piece: PieceRef<'a>,
    ) -> Result<Option<Event<&'a [u8]>>, HandleError>;
    fn receive<'d, 'i: 'd>(
        &mut self,
        now: Timestamp,
        decoder: &'d mut v3::Decoder<Vec<u8>>,
        input: &mut &'i [u8],
    ) -> Result<Option<Step<&'d [u8]>>, Blocked>;
    fn handle_decode_error(&mut self, now: Timestamp, error: DecodeError);
}

fn encoded<'a>(message: &Message<&'a [u8]>) -> EncodedMessage<Vec<u8>, &'a [u8]> {
    let properties = PublishProperties::EMPTY;
    EncodedMessage::encode_to_vec(&message.topic, &properties, message.payload).unwrap()
}

impl<R: mqtt_sansio::Role, S: Slots + Debug> Peer for Connection<V3, R, S> {
    fn publish(
        &mut self,
        now: Timestamp,
        message: &Message<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<Option<PacketId>, CommandError> {
        Self::publish(self, now, message, out)
    }
    fn announce(
        &mut self,
        now: Timestamp,
        message: &MessageHeader<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<Option<PacketId>, CommandError> {
        Self::publish(self, now, message, out)
    }
    fn announce_again(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &MessageHeader<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<(), CommandError> {
        Self::resend(self, now, id, message, out)
    }
    fn resend(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &Message<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<(), CommandError> {
        Self::resend(self, now, id, message, out)
    }
    fn publish_encoded(
        &mut self,
        now: Timestamp,
        message: &Message<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<Option<PacketId>, CommandError> {
        let encoded = encoded(message);
        let receiver = Receiver::new(message.qos).retain(message.retain);
        let part = Self::publish_encoded(self, now, &encoded, receiver)?;
        encoded.write(&part, out)?;
        Ok(part.packet_id())
    }
    fn resend_encoded(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &Message<&[u8]>,
        out: &mut dyn Output,
    ) -> Result<(), CommandError> {
        let encoded = encoded(message);
        let receiver = Receiver::new(message.qos).retain(message.retain);
        let part = Self::resend_encoded(self, now, id, &encoded, receiver)?;
        encoded.write(&part, out)?;
        Ok(())
    }
    fn handle_packet<'a>(
        &mut self,
        now: Timestamp,
        packet: Packet<&'a [u8]>,
    ) -> Result<Option<Event<&'a [u8]>>, HandleError> {
        Self::handle_packet(self, now, packet)
    }
    fn handle_piece<'a>(
        &mut self,
        now: Timestamp,
        piece: PieceRef<'a>,
    ) -> Result<Option<Event<&'a [u8]>>, HandleError> {
        Self::handle_piece(self, now, piece)
    }
    fn receive<'d, 'i: 'd>(
        &mut self,
        now: Timestamp,
        decoder: &'d mut v3::Decoder<Vec<u8>>,
        input: &mut &'i [u8],
    ) -> Result<Option<Step<&'d [u8]>>, Blocked> {
        Self::receive(self, now, decoder, input)
    }
    fn handle_decode_error(&mut self, now: Timestamp, error: DecodeError) {
        Self::handle_decode_error(self, now, error);
    }
}

/// One role, for conversations that are the same in both.
pub trait Role {
    type Peer<S: Storage>: Peer<Storage = S>;

    /// Returns a connection whose client keeps its session, which is empty. Keep Alive is off.
    fn begins<S: Storage>(config: Config) -> Talk<Self::Peer<S>>;

    /// Returns a connection that resumes a session.
    fn resumes<S: Storage>(config: Config, session: Session<S>) -> Talk<Self::Peer<S>>;

    /// Returns a connection with Clean Session.
    fn begins_clean<S: Storage>(config: Config) -> Talk<Self::Peer<S>>;
}

#[derive(Debug)]
pub struct AsClient;

impl Role for AsClient {
    type Peer<S: Storage> = Client<S>;

    fn begins<S: Storage>(config: Config) -> Talk<Client<S>> {
        let mut talk = Talk::client(fresh(), config);
        talk.connect(false, 0).sends(connect_bytes(false, 0));
        talk.receives("20 02 00 00").connected(false);
        talk
    }

    fn resumes<S: Storage>(config: Config, session: Session<S>) -> Talk<Client<S>> {
        let mut talk = Talk::client(session, config);
        talk.connect(false, 0).sends(connect_bytes(false, 0));
        talk.receives("20 02 01 00").connected(true);
        talk
    }

    fn begins_clean<S: Storage>(config: Config) -> Talk<Client<S>> {
        let mut talk = Talk::client(fresh(), config);
        talk.connect(true, 0).sends(connect_bytes(true, 0));
        talk.receives("20 02 00 00").connected(false);
        talk
    }
}

#[derive(Debug)]
pub struct AsServer;

impl Role for AsServer {
    type Peer<S: Storage> = Server<S>;

    fn begins<S: Storage>(config: Config) -> Talk<Server<S>> {
        let mut talk = Talk::server(config);
        talk.receives(connect_bytes(false, 0)).connect_requested();
        talk.accepts(None).sends("20 02 00 00");
        talk
    }

    fn resumes<S: Storage>(config: Config, session: Session<S>) -> Talk<Server<S>> {
        let mut talk = Talk::server(config);
        talk.receives(connect_bytes(false, 0)).connect_requested();
        talk.accepts(Some(session)).sends("20 02 01 00");
        talk
    }

    fn begins_clean<S: Storage>(config: Config) -> Talk<Server<S>> {
        let mut talk = Talk::server(config);
        talk.receives(connect_bytes(true, 0)).connect_requested();
        talk.accepts(None).sends("20 02 00 00");
        talk
    }
}

// The conversation

/// A step of the connection: `E` is an event, `A` an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<E = Event<Vec<u8>>, A = Action> {
    Sent(Vec<u8>),
    Event(E),
    Action(A),
}

/// The output of a connection.
pub type ItemOf<P> =
    Item<<<P as Drive>::Version as Speaks>::Owned, mqtt_sansio::Action<<P as Drive>::Version>>;

impl<V: Speaks> Item<V::Owned, mqtt_sansio::Action<V>> {
    fn of(action: mqtt_sansio::Action<V>) -> Self {
        match action {
            mqtt_sansio::Action::Transmit(reply) => Self::Sent(reply.as_ref().to_vec()),
            other => Self::Action(other),
        }
    }
}

impl<E: Debug, A: Debug> Item<E, A> {
    fn shown(&self) -> String {
        match self {
            Self::Sent(bytes) => format!("sends {}", to_hex(bytes)),
            Self::Event(event) => format!("event {event:?}"),
            Self::Action(action) => format!("action {action:?}"),
        }
    }
}

fn owned(event: Event<&[u8]>) -> Event<Vec<u8>> {
    V3::owned(event)
}

/// The transcript, and the steps that were not compared yet.
#[derive(Debug)]
pub struct Log<I: Shown = Item> {
    transcript: String,
    waiting: VecDeque<I>,
}

/// An entry of a transcript.
pub trait Shown: Debug {
    fn shown(&self) -> String;
}

impl<E: Debug, A: Debug> Shown for Item<E, A> {
    fn shown(&self) -> String {
        Self::shown(self)
    }
}

impl<I: Shown> Default for Log<I> {
    fn default() -> Self {
        Self {
            transcript: String::new(),
            waiting: VecDeque::new(),
        }
    }
}

impl<I: Shown> Log<I> {
    fn note(&mut self, line: &str) {
        let _ = writeln!(self.transcript, "{line}");
    }

    #[track_caller]
    fn fail(&mut self, why: &str) -> ! {
        self.waiting.clear();
        panic!("{why}\n\nThe conversation so far:\n{}", self.transcript);
    }
}

impl<I: Shown> Drop for Log<I> {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.waiting.is_empty() {
            let left: Vec<String> = self.waiting.iter().map(I::shown).collect();
            self.fail(&format!("not checked by the test: {left:#?}"));
        }
    }
}

#[derive(Debug)]
pub struct Talk<P: Drive> {
    pub peer: P,
    pub log: Log<ItemOf<P>>,
    now: u64,
    held: bool,
    room: Option<usize>,
}

impl<S: Slots + Debug> Talk<Client<S>> {
    pub fn client(session: Session<S>, config: Config) -> Self {
        Self::new(Client::new(session, config, ms(0)))
    }

    #[track_caller]
    pub fn connect(&mut self, clean: bool, keep_alive: u16) -> &mut Self {
        self.connect_as(&connect_packet(clean, keep_alive))
    }

    #[track_caller]
    pub fn connect_as(&mut self, connect: &Connect<&[u8]>) -> &mut Self {
        let result = self.try_connect(connect);
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_connect(&mut self, connect: &Connect<&[u8]>) -> Result<(), CommandError> {
        self.command("connect", |peer, now, out| peer.connect(now, connect, out))
    }

    #[track_caller]
    pub fn subscribe(&mut self, filters: &[&str]) -> &mut Self {
        let result = self.try_subscribe(filters).map(|_| ());
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_subscribe(&mut self, filters: &[&str]) -> Result<PacketId, CommandError> {
        let list = subscriptions(filters);
        self.command("subscribe", |peer, now, out| {
            peer.subscribe(now, &list, out)
        })
    }

    #[track_caller]
    pub fn unsubscribe(&mut self, topics: &[&str]) -> &mut Self {
        let result = self.try_unsubscribe(topics).map(|_| ());
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_unsubscribe(&mut self, topics: &[&str]) -> Result<PacketId, CommandError> {
        let list = filters(topics);
        self.command("unsubscribe", |peer, now, out| {
            peer.unsubscribe(now, &list, out)
        })
    }

    #[track_caller]
    pub fn disconnect(&mut self) -> &mut Self {
        let result = self.try_disconnect();
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_disconnect(&mut self) -> Result<(), CommandError> {
        self.command("disconnect", |peer, now, out| peer.disconnect(now, out))
    }

    /// Checks that PINGREQ is sent.
    #[track_caller]
    pub fn ping(&mut self) -> &mut Self {
        let result = self.try_ping();
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_ping(&mut self) -> Result<(), CommandError> {
        self.command("ping", |peer, now, _| peer.ping(now))
    }

    /// The next step reports that this request was not answered.
    #[track_caller]
    pub fn unanswered(&mut self, number: u16) -> &mut Self {
        self.action(Action::Unanswered(id(number)))
    }

    #[track_caller]
    pub fn connected(&mut self, session_present: bool) -> &mut Self {
        self.event(Event::Connected { session_present })
    }
}

impl<S: Storage> Talk<Server<S>> {
    pub fn server(config: Config) -> Self {
        Self::new(Server::new(fresh(), config, ms(0)))
    }

    #[track_caller]
    pub fn accepts(&mut self, session: Option<Session<S>>) -> &mut Self {
        let result = self.try_accept(session);
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_accept(&mut self, mut session: Option<Session<S>>) -> Result<(), CommandError> {
        self.command("accept", |peer, now, out| match &mut session {
            Some(session) => peer.accept_resumed(now, session, out),
            None => peer.accept_new(now, out),
        })
    }

    #[track_caller]
    pub fn refuses(&mut self, refusal: ConnectRefusal) -> &mut Self {
        let result = self.try_refuse(refusal);
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_refuse(&mut self, refusal: ConnectRefusal) -> Result<(), CommandError> {
        self.command("refuse", |peer, now, out| peer.refuse(now, refusal, out))
    }

    #[track_caller]
    pub fn suback(&mut self, codes: &[u8]) -> &mut Self {
        let result = self.try_suback(codes);
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_suback(&mut self, codes: &[u8]) -> Result<(), CommandError> {
        let codes = codes
            .iter()
            .map(|code| ReturnCode::from_number(*code).unwrap());
        let list = ReturnCodes::encode_to_vec(codes).unwrap();
        self.command("suback", |peer, now, out| peer.suback(now, &list, out))
    }

    #[track_caller]
    pub fn unsuback(&mut self) -> &mut Self {
        let result = self.try_unsuback();
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_unsuback(&mut self) -> Result<(), CommandError> {
        self.command("unsuback", |peer, now, out| peer.unsuback(now, out))
    }

    /// The next step sends a CONNECT with any fields.
    #[track_caller]
    pub fn connect_requested(&mut self) -> &mut Self {
        match self.log.waiting.pop_front() {
            Some(Item::Event(Event::ConnectRequested(_))) => self,
            other => self.log.fail(&format!("not a CONNECT: {other:?}")),
        }
    }

    /// The next step sends a SUBSCRIBE.
    #[track_caller]
    pub fn subscribe_requested(&mut self) -> &mut Self {
        match self.log.waiting.pop_front() {
            Some(Item::Event(Event::SubscribeRequested(_))) => self,
            other => self.log.fail(&format!("not a SUBSCRIBE: {other:?}")),
        }
    }

    /// The next step sends an UNSUBSCRIBE.
    #[track_caller]
    pub fn unsubscribe_requested(&mut self) -> &mut Self {
        match self.log.waiting.pop_front() {
            Some(Item::Event(Event::UnsubscribeRequested(_))) => self,
            other => self.log.fail(&format!("not an UNSUBSCRIBE: {other:?}")),
        }
    }
}

impl<P: Drive> Talk<P> {
    pub fn new(peer: P) -> Self {
        Self {
            peer,
            log: Log::default(),
            now: 0,
            held: false,
            room: None,
        }
    }

    // The frame

    #[track_caller]
    fn begin(&mut self, what: &str) {
        self.nothing_more();
        self.log.note(&format!("{:>7} ms  {what}", self.now));
    }

    fn came(&mut self, item: ItemOf<P>) {
        self.log.note(&format!("{:12}{}", "", item.shown()));
        self.log.waiting.push_back(item);
    }

    /// Collects all steps, with the output of a command in its place: after the changes that have
    /// to be stored first, before everything else.
    fn take_actions(&mut self, mut written: Vec<u8>) {
        if self.held {
            if !written.is_empty() {
                self.came(Item::Sent(written));
            }
            return;
        }
        while let Some(action) = self.peer.poll_action() {
            if !matches!(action, mqtt_sansio::Action::Store(_)) && !written.is_empty() {
                self.came(Item::Sent(core::mem::take(&mut written)));
            }
            self.came(Item::of(action));
        }
        if !written.is_empty() {
            self.came(Item::Sent(written));
        }
    }

    fn snapshot(&self) -> String {
        format!("{:?}", self.peer)
    }

    /// Calls a command. If it fails it must have changed nothing.
    #[track_caller]
    pub fn command<T: Debug>(
        &mut self,
        name: &str,
        command: impl FnOnce(&mut P, Timestamp, &mut dyn Output) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        self.begin(name);
        let before = self.snapshot();
        let now = ms(self.now);
        let mut memory = vec![0; self.room.unwrap_or(70_000)];
        let mut out = SliceOutput::new(&mut memory);
        let result = command(&mut self.peer, now, &mut out);
        let written = out.written().to_vec();
        if let Err(error) = &result {
            self.log.note(&format!("{:12}refused: {error:?}", ""));
            if self.snapshot() != before {
                let after = self.snapshot();
                self.log.fail(&format!(
                    "{name} failed and changed something\nbefore: {before}\nafter:  {after}"
                ));
            }
            if !written.is_empty() {
                self.log.fail(&format!("{name} failed and wrote something"));
            }
        } else {
            self.take_actions(written);
        }
        result
    }

    #[track_caller]
    pub fn is_ok(&mut self, result: Result<(), CommandError>) -> &mut Self {
        if let Err(error) = result {
            self.log.fail(&format!("the command failed: {error:?}"));
        }
        self
    }

    // Time

    pub fn at(&mut self, millis: u64) -> &mut Self {
        self.now = millis;
        self
    }

    /// Sets the clock and handles the deadline.
    #[track_caller]
    pub fn wakes_at(&mut self, millis: u64) -> &mut Self {
        self.at(millis).begin("timeout");
        self.peer.handle_timeout(ms(millis));
        self.take_actions(Vec::new());
        self
    }

    #[track_caller]
    pub fn deadline(&mut self, millis: u64) -> &mut Self {
        let deadline = self.peer.poll_timeout();
        if deadline != Some(ms(millis)) {
            self.log
                .fail(&format!("the deadline is {deadline:?}, not {millis} ms"));
        }
        self
    }

    #[track_caller]
    pub fn no_deadline(&mut self) -> &mut Self {
        if let Some(deadline) = self.peer.poll_timeout() {
            self.log.fail(&format!("there is a deadline: {deadline:?}"));
        }
        self
    }

    /// Limits the output of later commands to this size.
    pub fn room(&mut self, bytes: usize) -> &mut Self {
        self.room = Some(bytes);
        self
    }

    #[track_caller]
    pub fn payload(&mut self, bytes: &str) -> &mut Self {
        let result = self.try_payload(bytes).map(|_| ());
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_payload(&mut self, bytes: &str) -> Result<u32, CommandError> {
        self.command("payload", |peer, now, out| {
            peer.payload(now, bytes.as_bytes(), out)
        })
    }

    #[track_caller]
    pub fn forget(&mut self, number: u16) -> &mut Self {
        let result = self.try_forget(number);
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_forget(&mut self, number: u16) -> Result<(), CommandError> {
        self.command(&format!("forget {number}"), |peer, _, _| {
            peer.forget(id(number))
        })
    }

    #[track_caller]
    pub fn acknowledge(&mut self, number: u16) -> &mut Self {
        let result = self.try_acknowledge(number);
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_acknowledge(&mut self, number: u16) -> Result<(), CommandError> {
        self.command(&format!("acknowledge {number}"), |peer, _, _| {
            peer.acknowledge(id(number))
        })
    }

    #[track_caller]
    pub fn close(&mut self) -> &mut Self {
        self.begin("close");
        self.peer.close(ms(self.now));
        self.take_actions(Vec::new());
        self
    }

    #[track_caller]
    pub fn transport_closes(&mut self) -> &mut Self {
        self.begin("the transport is closed");
        self.peer.handle_transport_closed(ms(self.now));
        self.take_actions(Vec::new());
        self
    }

    #[track_caller]
    pub fn expect(&mut self, expected: ItemOf<P>) -> &mut Self {
        let next = self.log.waiting.pop_front();
        if next.as_ref() != Some(&expected) {
            let next = next.map_or_else(|| "nothing".to_owned(), |item| item.shown());
            self.log
                .fail(&format!("expected: {}\nwas:      {next}", expected.shown()));
        }
        self
    }

    #[track_caller]
    pub fn sends(&mut self, bytes: impl Wire) -> &mut Self {
        self.expect(Item::Sent(bytes.wire()))
    }

    #[track_caller]
    fn did(&mut self, action: mqtt_sansio::Action<P::Version>) -> &mut Self {
        self.expect(Item::Action(action))
    }

    #[track_caller]
    pub fn asks_for(&mut self, number: u16) -> &mut Self {
        self.did(mqtt_sansio::Action::Resend(id(number)))
    }

    #[track_caller]
    pub fn lost(&mut self, number: u16, received: bool) -> &mut Self {
        self.did(mqtt_sansio::Action::Lost {
            packet_id: id(number),
            received,
        })
    }

    #[track_caller]
    pub fn stores(&mut self, change: Change) -> &mut Self {
        self.did(mqtt_sansio::Action::Store(change))
    }

    #[track_caller]
    pub fn nothing_more(&mut self) -> &mut Self {
        if !self.log.waiting.is_empty() {
            let left: Vec<String> = self.log.waiting.iter().map(Item::shown).collect();
            self.log
                .fail(&format!("not checked by the test: {left:#?}"));
        }
        self
    }

    #[track_caller]
    pub fn state(&mut self, state: State) -> &mut Self {
        if self.peer.state() != state {
            let is = self.peer.state();
            self.log
                .fail(&format!("the state is {is:?}, not {state:?}"));
        }
        self
    }

    /// Stops polling actions.
    pub fn holds_actions(&mut self) -> &mut Self {
        self.held = true;
        self
    }

    /// Polls actions again.
    #[track_caller]
    pub fn takes_actions(&mut self) -> &mut Self {
        self.held = false;
        self.log.note("            actions are taken");
        self.take_actions(Vec::new());
        self
    }

    pub fn session(&self) -> &Session<P::Storage> {
        self.peer.session()
    }

    /// The number of slots of a fresh session.
    pub fn session_slots(&self) -> usize
    where
        P::Storage: Storage,
    {
        P::Storage::fresh().as_slice().len()
    }

    /// Returns the next step.
    pub fn log_pop(&mut self) -> Option<ItemOf<P>> {
        self.log.waiting.pop_front()
    }
}

impl<P: Peer> Talk<P> {
    // Commands of both roles

    #[track_caller]
    pub fn publish(&mut self, qos: QoS, payload: &str) -> &mut Self {
        let result = self.try_publish(qos, payload).map(|_| ());
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_publish(
        &mut self,
        qos: QoS,
        payload: &str,
    ) -> Result<Option<PacketId>, CommandError> {
        self.command(&format!("publish {qos:?} {payload:?}"), |peer, now, out| {
            peer.publish(now, &message(qos, payload), out)
        })
    }

    #[track_caller]
    pub fn publish_in_pieces(&mut self, qos: QoS, len: u32) -> &mut Self {
        let result = self.try_publish_in_pieces(qos, len).map(|_| ());
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_publish_in_pieces(
        &mut self,
        qos: QoS,
        len: u32,
    ) -> Result<Option<PacketId>, CommandError> {
        self.command("publish in pieces", |peer, now, out| {
            peer.announce(now, &header(qos, len), out)
        })
    }

    #[track_caller]
    pub fn resend(&mut self, number: u16, qos: QoS, payload: &str) -> &mut Self {
        let result = self.try_resend(number, qos, payload);
        self.is_ok(result)
    }

    #[track_caller]
    pub fn try_resend(&mut self, number: u16, qos: QoS, payload: &str) -> Result<(), CommandError> {
        self.command(&format!("resend {number}"), |peer, now, out| {
            peer.resend(now, id(number), &message(qos, payload), out)
        })
    }

    #[track_caller]
    pub fn try_resend_in_pieces(
        &mut self,
        number: u16,
        qos: QoS,
        len: u32,
    ) -> Result<(), CommandError> {
        self.command(&format!("resend {number} in pieces"), |peer, now, out| {
            peer.announce_again(now, id(number), &header(qos, len), out)
        })
    }

    #[track_caller]
    pub fn try_publish_encoded(
        &mut self,
        qos: QoS,
        payload: &str,
    ) -> Result<Option<PacketId>, CommandError> {
        self.command(&format!("publish {qos:?}, encoded"), |peer, now, out| {
            peer.publish_encoded(now, &message(qos, payload), out)
        })
    }

    #[track_caller]
    pub fn try_resend_encoded(
        &mut self,
        number: u16,
        qos: QoS,
        payload: &str,
    ) -> Result<(), CommandError> {
        self.command(&format!("resend {number}, encoded"), |peer, now, out| {
            peer.resend_encoded(now, id(number), &message(qos, payload), out)
        })
    }

    // Inputs

    /// Whether input is passed as bytes instead of packets. The outcome is the same, and the kind of
    /// storage decides, so each conversation runs in both ways. While actions are held back it is
    /// packets, because `receive` would return the actions.
    fn takes_bytes(&self) -> bool {
        type_name::<P::Storage>() == type_name::<Vec<Slot>>() && !self.held
    }

    /// Passes `bytes`: at once, or every other time one by one.
    fn hand_in(&mut self, bytes: &[u8]) -> Result<(), Blocked> {
        let mut decoder = v3::Decoder::new(Vec::new());
        let at_once = self.log.transcript.len() % 2 == 0;
        for mut input in bytes.chunks(if at_once { bytes.len() } else { 1 }) {
            while let Some(step) = self.peer.receive(ms(self.now), &mut decoder, &mut input)? {
                match step {
                    Step::Event(event) => self.came(Item::Event(owned(event))),
                    Step::Action(action) => self.came(Item::of(action)),
                }
            }
            assert!(input.is_empty(), "not all was taken");
        }
        if self.peer.state() != State::Ended {
            assert!(decoder.is_at_packet_boundary(), "half a packet in the test");
        }
        Ok(())
    }

    /// Receives these packets, each of which must be handled.
    #[track_caller]
    pub fn receives(&mut self, bytes: impl Wire) -> &mut Self {
        let bytes = bytes.wire();
        if self.takes_bytes() {
            self.begin(&format!("receives {}", to_hex(&bytes)));
            if let Err(why) = self.hand_in(&bytes) {
                self.log.fail(&format!("not dealt with: {why:?}"));
            }
            return self;
        }
        let mut decoder = v3::Decoder::new(Vec::new());
        let mut input = &bytes[..];
        let mut any = false;
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(packet)) => {
                    if !any {
                        self.begin(&format!("receives {}", to_hex(&bytes)));
                        any = true;
                    }
                    match self.peer.handle_packet(ms(self.now), packet) {
                        Ok(event) => {
                            if let Some(event) = event {
                                self.came(Item::Event(owned(event)));
                            }
                            self.take_actions(Vec::new());
                        }
                        Err(error) => self.log.fail(&format!("not dealt with: {error:?}")),
                    }
                }
                Ok(None) => break,
                Err(error) => self
                    .log
                    .fail(&format!("the test's bytes are wrong: {error}")),
            }
        }
        assert!(decoder.is_at_packet_boundary(), "half a packet in the test");
        self
    }

    /// Receives one packet.
    #[track_caller]
    pub fn try_receive(&mut self, bytes: impl Wire) -> Result<(), HandleError> {
        let bytes = bytes.wire();
        self.begin(&format!("receives {}", to_hex(&bytes)));
        let mut rest = &bytes[..];
        let packet = v3::decode(&mut rest, &Options::new()).unwrap().unwrap();
        assert!(rest.is_empty(), "one packet only");
        let result = self.peer.handle_packet(ms(self.now), packet);
        match result {
            Ok(event) => {
                if let Some(event) = event {
                    self.came(Item::Event(owned(event)));
                }
                self.take_actions(Vec::new());
                Ok(())
            }
            Err(error) => {
                self.log.note(&format!("{:12}error: {error:?}", ""));
                if let HandleError::Peer(_) = error {
                    self.take_actions(Vec::new());
                }
                Err(error)
            }
        }
    }

    /// Receives one packet that violates the protocol: the connection ends.
    #[track_caller]
    pub fn violates(&mut self, bytes: impl Wire, error: PeerError) -> &mut Self {
        if self.takes_bytes() {
            self.receives(bytes);
            let close = Item::Action(Action::Close(CloseReason::Violation(error)));
            if !self.log.waiting.contains(&close) {
                self.log.fail(&format!("not closed because of {error:?}"));
            }
            return self;
        }
        let result = self.try_receive(bytes);
        if result != Err(HandleError::Peer(error)) {
            self.log.fail(&format!("{result:?}, and not {error:?}"));
        }
        self
    }

    /// Receives one packet that is blocked: nothing changes.
    #[track_caller]
    pub fn not_now(&mut self, bytes: impl Wire, why: Blocked) -> &mut Self {
        let before = self.snapshot();
        let result = if self.takes_bytes() {
            let bytes = bytes.wire();
            self.begin(&format!("receives {}", to_hex(&bytes)));
            self.hand_in(&bytes).map_err(HandleError::Blocked)
        } else {
            self.try_receive(bytes)
        };
        if result != Err(HandleError::Blocked(why)) {
            self.log.fail(&format!("{result:?}, and not {why:?}"));
        }
        let after = self.snapshot();
        if without_clock(&before) != without_clock(&after) {
            self.log.fail(&format!(
                "put off, and changed something\nbefore: {before}\nafter:  {after}"
            ));
        }
        self
    }

    /// Receives bytes that are not a packet.
    #[track_caller]
    pub fn receives_malformed(&mut self, bytes: impl Wire) -> &mut Self {
        let bytes = bytes.wire();
        self.begin(&format!("receives {} (malformed)", to_hex(&bytes)));
        if self.takes_bytes() {
            match self.hand_in(&bytes) {
                Ok(()) => return self,
                // Bytes after a request are not decoded before the answer.
                Err(Blocked::AnswerPending) => {}
                Err(why) => self.log.fail(&format!("not dealt with: {why:?}")),
            }
        }
        let error = v3::decode(&mut &bytes[..], &Options::new()).unwrap_err();
        self.peer.handle_decode_error(ms(self.now), error);
        self.take_actions(Vec::new());
        self
    }

    /// Receives one piece.
    #[track_caller]
    pub fn try_piece(&mut self, piece: PieceRef<'_>) -> Result<(), HandleError> {
        self.begin(&format!("receives {piece:?}"));
        match self.peer.handle_piece(ms(self.now), piece) {
            Ok(event) => {
                if let Some(event) = event {
                    self.came(Item::Event(owned(event)));
                }
                self.take_actions(Vec::new());
                Ok(())
            }
            Err(error) => {
                self.log.note(&format!("{:12}error: {error:?}", ""));
                if let HandleError::Peer(_) = error {
                    self.take_actions(Vec::new());
                }
                Err(error)
            }
        }
    }

    /// Receives the header of a PUBLISH to `t`, whose payload arrives in pieces.
    #[track_caller]
    pub fn header(&mut self, delivery: v3::Delivery, payload_len: u32) -> &mut Self {
        let result = self.try_piece(piece_header(delivery, payload_len));
        if let Err(error) = result {
            self.log.fail(&format!("not dealt with: {error:?}"));
        }
        self
    }

    #[track_caller]
    pub fn piece(&mut self, bytes: &str, left: usize) -> &mut Self {
        let result = self.try_piece(PieceRef::Payload {
            bytes: bytes.as_bytes(),
            left,
        });
        if let Err(error) = result {
            self.log.fail(&format!("not dealt with: {error:?}"));
        }
        self
    }

    // Comparing steps

    #[track_caller]
    pub fn event(&mut self, event: Event<Vec<u8>>) -> &mut Self {
        self.expect(Item::Event(event))
    }

    #[track_caller]
    pub fn action(&mut self, action: Action) -> &mut Self {
        self.expect(Item::Action(action))
    }

    /// The next step is the message in `bytes`.
    #[track_caller]
    pub fn message(&mut self, bytes: impl Wire) -> &mut Self {
        let bytes = bytes.wire();
        match v3::decode(&mut &bytes[..], &Options::new()) {
            Ok(Some(Packet::Publish(publish))) => {
                self.event(Event::Message(publish.map(<[u8]>::to_vec)))
            }
            other => panic!("not a PUBLISH in the test: {other:?}"),
        }
    }

    #[track_caller]
    pub fn delivered(&mut self, number: u16) -> &mut Self {
        self.event(Event::Delivered(id(number)))
    }

    #[track_caller]
    pub fn received(&mut self, number: u16) -> &mut Self {
        self.event(Event::AcceptedByPeer(id(number)))
    }

    #[track_caller]
    pub fn closes(&mut self, reason: CloseReason) -> &mut Self {
        self.action(Action::Close(reason)).is_over()
    }

    /// The connection has ended: there is no deadline, and no call has an effect.
    #[track_caller]
    pub fn is_over(&mut self) -> &mut Self {
        self.nothing_more();
        self.state(State::Ended).no_deadline();
        let before = self.snapshot();
        let now = ms(self.now);
        assert_eq!(
            self.peer.handle_packet(now, Packet::PingResp),
            Err(HandleError::Ended)
        );
        assert_eq!(
            self.peer.handle_packet(now, Packet::PingReq),
            Err(HandleError::Ended)
        );
        assert_eq!(
            self.try_publish(Q0, "after the end"),
            Err(CommandError::Ended)
        );
        self.peer.handle_timeout(now);
        self.peer.handle_transport_closed(now);
        self.peer.close(now);
        assert_eq!(self.peer.poll_action(), None);
        if self.snapshot() != before {
            self.log.fail("something has changed after the end");
        }
        self
    }

    // From one connection to the next

    /// All requests in flight end without an answer.
    pub fn leaves_requests(&mut self) -> &mut Self {
        let is_request = |item: &Item| matches!(item, Item::Action(Action::Unanswered(_)));
        while self.log.waiting.front().is_some_and(is_request) {
            self.log.waiting.pop_front();
        }
        self
    }

    /// The network fails. Returns the session.
    #[track_caller]
    pub fn breaks_off(mut self) -> Session<P::Storage> {
        self.transport_closes()
            .leaves_requests()
            .closes(CloseReason::TransportClosed);
        self.peer.into_session()
    }
}

/// The time of the last call does not count as a change.
fn without_clock(shown: &str) -> String {
    let Some(start) = shown.find("clock: ") else {
        return shown.to_owned();
    };
    let end = shown[start..]
        .find(',')
        .map_or(shown.len(), |at| start + at);
    format!("{}{}", &shown[..start], &shown[end..])
}

/// The reason of a connection without a slot for a QoS 2 message.
pub fn inbound_limit<V: Version>(slots: u32) -> mqtt_sansio::CloseReason<V> {
    mqtt_sansio::CloseReason::LimitExceeded {
        limit: Limit::InboundMessages,
        value: slots,
        actual: slots + 1,
    }
}

pub fn piece_header(delivery: v3::Delivery, payload_len: u32) -> PieceRef<'static> {
    PieceRef::PublishHeader(v3::PublishHeader {
        delivery,
        retain: false,
        topic: TopicName::new("t").unwrap(),
        payload_len,
    })
}

pub fn header_event(delivery: v3::Delivery, payload_len: u32) -> Event<Vec<u8>> {
    Event::MessageHeader(v3::PublishHeader {
        delivery,
        retain: false,
        topic: TopicName::new("t").unwrap().to_owned(),
        payload_len,
    })
}

pub fn payload_event(bytes: &str, left: usize) -> Event<Vec<u8>> {
    Event::Payload {
        bytes: bytes.as_bytes().to_vec(),
        left,
    }
}

pub fn at_qos(qos: QoS, number: u16) -> v3::Delivery {
    match qos {
        Q0 => v3::Delivery::AtMostOnce,
        Q1 => v3::Delivery::AtLeastOnce {
            packet_id: id(number),
            dup: false,
        },
        Q2 => v3::Delivery::ExactlyOnce {
            packet_id: id(number),
            dup: false,
        },
    }
}

pub fn again_at(qos: QoS, number: u16) -> v3::Delivery {
    match qos {
        Q0 => v3::Delivery::AtMostOnce,
        Q1 => v3::Delivery::AtLeastOnce {
            packet_id: id(number),
            dup: true,
        },
        Q2 => v3::Delivery::ExactlyOnce {
            packet_id: id(number),
            dup: true,
        },
    }
}

/// The Will that [`connect_with_will`] has.
pub fn will() -> Will<&'static [u8]> {
    Will {
        topic: TopicName::new("w").unwrap(),
        message: b"bye",
        qos: Q0,
        retain: false,
    }
}
