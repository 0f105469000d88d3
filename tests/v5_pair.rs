//! A client and a server of MQTT 5 that agree on random limits, and then call random commands:
//! whatever the commands of one side allow, the other side accepts. In one of four runs the client
//! sends before CONNACK: it may exceed the limits that CONNACK announces, and nothing else.
//!
//! ```text
//! cargo test --test v5_pair                           the default seeds
//! MQTT_PAIR_SEEDS=100000 cargo test --test v5_pair    this number of seeds
//! MQTT_PAIR_SEED=17 cargo test --test v5_pair         this seed, with what happens
//! ```

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_const_for_fn,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and has std"
)]

use std::collections::{BTreeMap, VecDeque};
use std::num::{NonZeroU16, NonZeroU32};

use fastrand::Rng;
use mqtt_sansio::v5::{
    AckProperties, Action, AliasVec, Auth, AuthProperties, AuthReasonCode, CloseReason,
    ConnAckProperties, Connect, ConnectProperties, ConnectReasonCode, Decoder, Disconnect,
    DisconnectProperties, DisconnectReasonCode, Event, Message, MessageHeader, OutboundAliases,
    PeerError, Property, PubAckReasonCode, Publish, PublishProperties, Step, SubscribeProperties,
    SubscribeReasonCode, SubscribeReasonCodes, Subscription, Subscriptions, TopicFilters,
    UnsubscribeReasonCode, UnsubscribeReasonCodes, V5, Will, WillProperties, WithTopicAliases,
};
use mqtt_sansio::{
    ClientRole, CommandError, Config, Connection, Delivery, EncodedMessage, Limit, Options,
    PacketId, ProtocolError, QoS, Receiver, Role, ServerRole, Session, Slot, State, Text,
    Timestamp, TopicFilter, TopicName,
};

const NOW: Timestamp = Timestamp::from_millis(0);
const SEEDS: u64 = 2_000;
const METHOD: Property<'static> = Property::AuthenticationMethod(Text::from_static("m"));
const ASSIGNED: Property<'static> =
    Property::AssignedClientIdentifier(Text::from_static("assigned"));
const REASON: Property<'static> = Property::ReasonString(Text::from_static("a reason"));
const USER: Property<'static> = Property::UserProperty {
    name: Text::from_static("name"),
    value: Text::from_static("value"),
};

const IN_PIECES: Options = Options::new().payloads_in_pieces(true);
/// In bytes: all packets but some messages are shorter.
const LONGEST: u32 = 150;

/// A message in flight, to send it again.
type Kept = Message<Vec<u8>>;

/// The limits that one side announces.
struct Announced {
    properties: Vec<Property<'static>>,
    maximum_packet_size: u32,
    aliases: u16,
}

fn announced(rng: &mut Rng) -> Announced {
    let mut properties = Vec::new();
    if rng.bool() {
        let maximum = NonZeroU16::new(rng.u16(1..4)).unwrap();
        properties.push(Property::ReceiveMaximum(maximum));
    }
    let mut maximum_packet_size = u32::MAX;
    if rng.bool() {
        maximum_packet_size = match rng.u8(0..3) {
            0 => rng.u32(5..10),
            1 => rng.u32(10..30),
            _ => rng.u32(30..80),
        };
        let maximum = NonZeroU32::new(maximum_packet_size).unwrap();
        properties.push(Property::MaximumPacketSize(maximum));
    }
    let aliases = if rng.bool() { rng.u16(1..4) } else { 0 };
    if aliases > 0 {
        properties.push(Property::TopicAliasMaximum(aliases));
    }
    if rng.bool() {
        properties.push(Property::SessionExpiryInterval(rng.u32(0..8) * 100));
    }
    Announced {
        properties,
        maximum_packet_size,
        aliases,
    }
}

#[derive(Clone, Copy)]
struct Kind {
    /// What happens is printed.
    is_shown: bool,
    /// The client sends before CONNACK.
    is_early: bool,
}

/// One side of a connection.
struct Side<R: Role> {
    connection: Connection<V5, R, Vec<Slot>>,
    decoder: Decoder<WithTopicAliases<Vec<u8>, AliasVec>>,
    aliases: OutboundAliases<AliasVec>,
    /// Received, and not handled.
    input: Vec<u8>,
    out: Vec<u8>,
    kept: BTreeMap<PacketId, Kept>,
    to_acknowledge: Vec<PacketId>,
    /// The Topic Name of a message in pieces, and what has arrived of its payload.
    pieces: (Vec<u8>, Vec<u8>),
    /// The number of pieces.
    piece_count: u32,
    /// The number of filters in a SUBSCRIBE, or in an UNSUBSCRIBE.
    to_answer: Option<(bool, usize)>,
    /// The properties that CONNACK has to have.
    connect: Option<Vec<Property<'static>>>,
    to_resend: VecDeque<PacketId>,
    closed: Option<CloseReason>,
    kind: Kind,
}

impl<R: Role> Side<R> {
    fn new(rng: &mut Rng, session: Session<Vec<Slot>>, announced: &Announced, kind: Kind) -> Self {
        let config = Config::new()
            .send_before_connack(kind.is_early)
            .manual_acknowledgement(rng.bool())
            .journal(rng.bool())
            .max_inflight(rng.u16(1..9));
        let buffer = WithTopicAliases::new(Vec::new(), AliasVec::new(announced.aliases));
        let options = if rng.bool() {
            IN_PIECES
        } else {
            Options::new()
        };
        Self {
            connection: Connection::new(session, config, NOW),
            decoder: Decoder::with_options(buffer, options),
            aliases: OutboundAliases::new(AliasVec::new(2)),
            input: Vec::new(),
            out: Vec::new(),
            kept: BTreeMap::new(),
            to_acknowledge: Vec::new(),
            pieces: (Vec::new(), Vec::new()),
            piece_count: 0,
            to_answer: None,
            connect: None,
            to_resend: VecDeque::new(),
            closed: None,
            kind,
        }
    }

    /// From here on the peer knows the Maximum Packet Size.
    fn has_announced(&mut self, announced: &Announced) {
        let maximum = announced.maximum_packet_size;
        let options = *self.decoder.options();
        let whole = maximum.min(if options == IN_PIECES {
            LONGEST
        } else {
            u32::MAX
        });
        let options = options.max_packet_size(whole).max_publish_size(maximum);
        self.decoder.set_options(options);
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.kind.is_shown {
            println!("{} {}", std::any::type_name::<R>(), text());
        }
    }

    /// Handles the received bytes, up to a packet that has to wait.
    fn receive(&mut self) {
        let input = std::mem::take(&mut self.input);
        let mut rest = &input[..];
        while let Ok(Some(step)) = self.connection.receive(NOW, &mut self.decoder, &mut rest) {
            if self.kind.is_shown {
                println!("{}     {step:?}", std::any::type_name::<R>());
            }
            match step {
                Step::Action(action) => self.carry_out(action),
                Step::Event(event) => match event {
                    Event::ConnectRequested(connect) => {
                        let connect = connect.to_connect();
                        let method = connect.properties.authentication_method();
                        let is_nameless = connect.client_id.as_bytes().is_empty();
                        let properties = method.map(|_| METHOD).into_iter();
                        let properties = properties.chain(is_nameless.then_some(ASSIGNED));
                        self.connect = Some(properties.collect());
                    }
                    Event::MessageHeader(header) => {
                        let topic = header.topic.as_bytes().to_vec();
                        self.pieces = (topic, Vec::new());
                        self.to_acknowledge.extend(header.delivery.packet_id());
                    }
                    Event::Payload { bytes, left } => {
                        let (topic, payload) = &mut self.pieces;
                        payload.extend(bytes);
                        self.piece_count += 1;
                        assert!(left > 0 || payload.starts_with(topic), "{topic:?}");
                    }
                    Event::Message(publish) => {
                        // The payload begins with the Topic Name that was published.
                        let topic = publish.topic.as_bytes();
                        assert!(publish.payload.starts_with(topic), "{publish:?}");
                        self.to_acknowledge.extend(publish.delivery.packet_id());
                    }
                    Event::AcceptedByPeer { packet_id, .. }
                    | Event::Delivered { packet_id, .. }
                    | Event::Rejected { packet_id, .. } => {
                        self.kept.remove(&packet_id);
                    }
                    Event::SubscribeRequested(it) => {
                        self.to_answer = Some((true, it.subscriptions.len()));
                    }
                    Event::UnsubscribeRequested(it) => {
                        self.to_answer = Some((false, it.topic_filters.len()));
                    }
                    _ => {}
                },
            }
        }
        self.input = rest.to_vec();
        self.drain();
    }

    /// Sends a message again, or gives it up if the peer does not accept it on this connection.
    fn resend(&mut self, id: PacketId) {
        // The session may have ended since.
        let Some(message) = self.kept.get(&id).cloned() else {
            return;
        };
        let result = self.connection.resend(NOW, id, &message, &mut self.out);
        self.say(|| format!("resends {id:?}: {result:?}"));
        match result {
            Ok(()) | Err(CommandError::Ended) => {}
            Err(
                CommandError::PacketTooLarge
                | CommandError::QosNotSupported
                | CommandError::RetainNotSupported,
            ) => {
                self.connection.forget(id).unwrap();
                self.kept.remove(&id);
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Carries out all actions. A message is sent again as soon as it is asked for.
    fn drain(&mut self) {
        loop {
            while let Some(action) = self.connection.poll_action() {
                self.say(|| format!("    {action:?}"));
                self.carry_out(action);
            }
            let Some(id) = self.to_resend.pop_front() else {
                return;
            };
            self.resend(id);
        }
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Transmit(reply) => self.out.extend(reply.as_bytes()),
            Action::Resend(id) => self.to_resend.push_back(id),
            Action::Lost { packet_id, .. } => {
                self.kept.remove(&packet_id);
            }
            Action::Close(reason) => self.closed = Some(reason),
            _ => {}
        }
    }

    // Commands

    fn message(&self, rng: &mut Rng) -> Kept {
        let topic = *rng.choice(&["a", "b", "long/name"]).unwrap();
        let mut properties = Vec::new();
        if rng.u8(0..4) == 0 {
            properties.push(Property::TopicAlias(
                NonZeroU16::new(rng.u16(1..4)).unwrap(),
            ));
        }
        if rng.u8(0..4) == 0 {
            properties.push(Property::SubscriptionIdentifier(7.try_into().unwrap()));
        }
        if rng.u8(0..4) == 0 {
            properties.push(USER);
        }
        let len = if rng.u8(0..8) > 0 {
            rng.usize(0..30)
        } else {
            rng.usize(100..300)
        };
        let payload = [topic.as_bytes(), &vec![b'x'; len]].concat();
        Message {
            topic: TopicName::new(topic).unwrap().to_owned(),
            payload,
            qos: [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][rng.usize(0..3)],
            retain: rng.bool(),
            properties: PublishProperties::encode_to_vec(properties).unwrap(),
        }
    }

    fn publish(&mut self, rng: &mut Rng) {
        let message = self.message(rng);
        let (connection, out) = (&mut self.connection, &mut self.out);
        let result = match rng.u8(0..4) {
            0 => connection.publish(NOW, &message, out),
            1 => connection.publish_aliased(NOW, &message, &mut self.aliases, out),
            2 => {
                let header = MessageHeader {
                    topic: TopicName::as_ref(&message.topic),
                    payload_len: message.payload.len() as u32,
                    qos: message.qos,
                    retain: message.retain,
                    properties: message.properties.as_ref(),
                };
                let result = connection.publish(NOW, &header, out);
                if result.is_ok() {
                    connection.payload(NOW, &message.payload, out).unwrap();
                }
                result
            }
            _ => {
                let encoded = EncodedMessage::encode_to_vec(
                    &message.topic,
                    &message.properties,
                    &message.payload,
                );
                let encoded = encoded.unwrap();
                let receiver = Receiver::new(message.qos).retain(message.retain);
                let aliases = &mut self.aliases;
                let header = if rng.bool() {
                    connection.publish_encoded_aliased(NOW, &encoded, receiver, aliases)
                } else {
                    connection.publish_encoded(NOW, &encoded, receiver)
                };
                header.map(|header| {
                    encoded.write(&header, out).unwrap();
                    header.packet_id()
                })
            }
        };
        self.say(|| format!("publishes {message:?}: {result:?}"));
        if let Ok(Some(id)) = result {
            // A message sent again has neither Subscription Identifier nor Topic Alias here.
            let kept = Message::from(publish_of(&message)).qos(message.qos);
            assert!(self.kept.insert(id, kept.as_ref().to_owned()).is_none());
        }
    }

    fn acknowledge(&mut self, rng: &mut Rng) {
        if self.to_acknowledge.is_empty() {
            return;
        }
        let at = rng.usize(0..self.to_acknowledge.len());
        let id = self.to_acknowledge.swap_remove(at);
        let Some(acknowledgement) = self.connection.acknowledgement(id) else {
            return;
        };
        let codes = [
            PubAckReasonCode::Success,
            PubAckReasonCode::NoMatchingSubscribers,
            PubAckReasonCode::QuotaExceeded,
        ];
        let code = codes[rng.usize(0..3)];
        let result = self.connection.acknowledge_with(acknowledgement, code);
        self.say(|| format!("acknowledges {id:?} with {code:?}: {result:?}"));
    }

    fn auth(&mut self, rng: &mut Rng) {
        let codes = [
            AuthReasonCode::Success,
            AuthReasonCode::ContinueAuthentication,
            AuthReasonCode::ReAuthenticate,
        ];
        let auth = Auth {
            reason_code: codes[rng.usize(0..3)],
            properties: AuthProperties::encode_to_vec([METHOD, REASON, USER]).unwrap(),
        };
        let result = self.connection.auth(NOW, &auth, &mut self.out);
        self.say(|| format!("{auth:?}: {result:?}"));
    }

    fn disconnect(&mut self, rng: &mut Rng) {
        if rng.u8(0..3) == 0 {
            self.say(|| "closes".to_owned());
            return self.connection.close(NOW);
        }
        let codes = [
            DisconnectReasonCode::NormalDisconnection,
            DisconnectReasonCode::DisconnectWithWillMessage,
            DisconnectReasonCode::ServerShuttingDown,
        ];
        let expiry = (rng.bool()).then(|| Property::SessionExpiryInterval(rng.u32(0..2) * 50));
        let properties = expiry.into_iter().chain([REASON]);
        let disconnect = Disconnect {
            reason_code: codes[rng.usize(0..3)],
            properties: DisconnectProperties::encode_to_vec(properties).unwrap(),
        };
        let connection = &mut self.connection;
        let result = connection.disconnect_with(NOW, &disconnect, &mut self.out);
        self.say(|| format!("{disconnect:?}: {result:?}"));
    }

    /// Ends the connection, if it has not ended. Returns the session, unless it has ended too.
    fn end(&mut self, peer_is_early: bool) -> Session<Vec<Slot>> {
        self.connection.handle_transport_closed(NOW);
        self.drain();
        match self.closed {
            Some(reason) if peer_is_early && is_announced_in_connack(&reason) => {
                self.connection.take_session()
            }
            // The peer was wrong, or exceeded what was announced.
            Some(CloseReason::Violation(_) | CloseReason::LimitExceeded { .. }) | None => {
                panic!("{:?}", self.closed)
            }
            Some(_) => self.connection.take_session(),
        }
    }
}

/// Returns true if the client has exceeded a limit that CONNACK announces.
fn is_announced_in_connack(reason: &CloseReason) -> bool {
    matches!(
        reason,
        CloseReason::Violation(PeerError::Protocol(
            ProtocolError::ReceiveMaximumExceeded
                | ProtocolError::QosNotSupported
                | ProtocolError::RetainNotSupported
                | ProtocolError::WildcardSubscriptionsNotSupported
                | ProtocolError::SharedSubscriptionsNotSupported
                | ProtocolError::SubscriptionIdentifiersNotSupported
        )) | CloseReason::LimitExceeded {
            limit: Limit::PacketSize,
            ..
        }
    )
}

/// Returns the PUBLISH of a message.
fn publish_of(message: &Kept) -> Publish<&[u8]> {
    Publish {
        delivery: Delivery::AtMostOnce,
        retain: message.retain,
        topic: TopicName::as_ref(&message.topic),
        properties: message.properties.as_ref(),
        payload: &message.payload,
    }
}

impl Side<ClientRole> {
    fn connect(
        &mut self,
        rng: &mut Rng,
        announced: &Announced,
        clean_start: bool,
        client_id: &str,
    ) {
        let mut properties = announced.properties.clone();
        if rng.bool() {
            properties.push(Property::RequestProblemInformation(rng.bool()));
        }
        if rng.bool() {
            properties.push(Property::RequestResponseInformation(rng.bool()));
        }
        if rng.bool() {
            properties.push(METHOD);
        }
        let properties = ConnectProperties::encode_to_vec(properties).unwrap();
        let connect = Connect {
            clean_start,
            keep_alive: rng.u16(0..3),
            properties: properties.as_ref(),
            will: rng.bool().then(|| Will {
                properties: WillProperties::default(),
                topic: TopicName::new("w").unwrap(),
                payload: &b"bye"[..],
                qos: [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][rng.usize(0..3)],
                retain: rng.bool(),
            }),
            ..Connect::new(Text::new(client_id).unwrap())
        };
        self.connection
            .connect(NOW, &connect, &mut self.out)
            .unwrap();
        self.has_announced(announced);
        self.say(|| format!("{connect:?}"));
        self.drain();
    }

    fn request(&mut self, rng: &mut Rng) {
        let filters = ["a", "b/#", "$share/g/c", "+"];
        let filters: Vec<_> = (0..rng.usize(1..7))
            .map(|_| TopicFilter::new(*rng.choice(&filters).unwrap()).unwrap())
            .collect();
        let (connection, out) = (&mut self.connection, &mut self.out);
        let result = if rng.bool() {
            let subscriptions = filters
                .iter()
                .map(|filter| Subscription::new(TopicFilter::as_ref(filter), QoS::ExactlyOnce));
            let subscriptions = Subscriptions::encode_to_vec(subscriptions).unwrap();
            let number = Property::SubscriptionIdentifier(7.try_into().unwrap());
            let properties = SubscribeProperties::encode_to_vec(rng.bool().then_some(number));
            connection.subscribe_with(NOW, &subscriptions, &properties.unwrap(), out)
        } else {
            let filters = filters.iter().map(TopicFilter::as_ref);
            connection.unsubscribe(NOW, &TopicFilters::encode_to_vec(filters).unwrap(), out)
        };
        self.say(|| format!("requests {filters:?}: {result:?}"));
    }
}

impl Side<ServerRole> {
    /// Accepts or refuses the connection, or asks for another step of authentication.
    fn answer_connect(
        &mut self,
        rng: &mut Rng,
        announced: &Announced,
        session: Option<&mut Session<Vec<Slot>>>,
    ) {
        let mut properties = announced.properties.clone();
        let needed = self.connect.clone().unwrap_or_default();
        let is_right = rng.u8(0..8) > 0;
        properties.extend(needed.iter().copied().filter(|_| is_right));
        let rarely = rng.u8(2..12);
        for property in [
            METHOD,
            ASSIGNED,
            REASON,
            Property::ResponseInformation(Text::from_static("r")),
            Property::ServerKeepAlive(9),
            Property::MaximumQos(QoS::AtMostOnce),
            Property::MaximumQos(QoS::AtLeastOnce),
            Property::RetainAvailable(false),
            Property::WildcardSubscriptionAvailable(false),
            Property::SharedSubscriptionAvailable(false),
            Property::SubscriptionIdentifierAvailable(false),
        ] {
            let is_maximum_qos = |it: &Property<'_>| matches!(it, Property::MaximumQos(_));
            let repeats = properties.contains(&property)
                || is_maximum_qos(&property) && properties.iter().any(is_maximum_qos)
                || is_right && property == METHOD;
            if rng.u8(0..rarely) == 0 && !repeats {
                properties.push(property);
            }
        }
        let properties = ConnAckProperties::encode_to_vec(properties).unwrap();
        let out = &mut self.out;
        let result = match rng.u8(0..8) {
            0 => {
                self.connection
                    .refuse_with(NOW, ConnectReasonCode::NotAuthorized, &properties, out)
            }
            1 => return self.auth(rng),
            _ => match session {
                Some(session) => {
                    let connection = &mut self.connection;
                    connection.accept_resumed_with(NOW, session, &properties, out)
                }
                None => self.connection.accept_new_with(NOW, &properties, out),
            },
        };
        self.say(|| format!("answers CONNECT with {properties:?}: {result:?}"));
        if result.is_ok() {
            self.has_announced(announced);
        }
    }

    fn answer(&mut self, rng: &mut Rng) {
        let Some((subscribes, filters)) = self.to_answer else {
            return;
        };
        let properties = [REASON, USER].into_iter().take(rng.usize(0..3));
        let properties = AckProperties::encode_to_vec(properties).unwrap();
        let (connection, out) = (&mut self.connection, &mut self.out);
        let result = if subscribes {
            let codes = (0..filters).map(|_| SubscribeReasonCode::NotAuthorized);
            let codes = SubscribeReasonCodes::encode_to_vec(codes).unwrap();
            connection.suback_with(NOW, &codes, &properties, out)
        } else {
            let codes = (0..filters).map(|_| UnsubscribeReasonCode::NotAuthorized);
            let codes = UnsubscribeReasonCodes::encode_to_vec(codes).unwrap();
            connection.unsuback_with(NOW, &codes, &properties, out)
        };
        self.say(|| format!("answers a request: {result:?}"));
        if result.is_ok() {
            self.to_answer = None;
        }
    }
}

/// The network delivers what was sent, or a part of it that may end anywhere.
fn deliver(rng: &mut Rng, sent: &mut Vec<u8>, received: &mut Vec<u8>) {
    let len = if rng.bool() {
        sent.len()
    } else {
        rng.usize(0..=sent.len())
    };
    received.extend(sent.drain(..len));
}

/// How often each kind of connection occurred.
#[derive(Debug, Default)]
struct Seen {
    accepted: u32,
    resumed: u32,
    refused: u32,
    disconnected: u32,
    too_large: u32,
    pieces: u32,
    exceeded: u32,
}

/// Three connections, which may resume the session of the one before.
fn run(seed: u64, is_shown: bool, seen: &mut Seen) {
    let kind = Kind {
        is_shown,
        is_early: seed % 4 == 3,
    };
    let mut rng = Rng::with_seed(seed);
    let mut sessions: (Session<Vec<Slot>>, Option<Session<Vec<Slot>>>) = Default::default();
    let mut kept = (BTreeMap::new(), BTreeMap::new());
    for _ in 0..3 {
        let limits = (announced(&mut rng), announced(&mut rng));
        let mut client = Side::<ClientRole>::new(&mut rng, sessions.0, &limits.0, kind);
        let mut server = Side::<ServerRole>::new(&mut rng, Session::default(), &limits.1, kind);
        client.kept = kept.0;
        let clean_start = rng.u8(0..3) == 0;
        let client_id = if rng.u8(0..8) == 0 { "" } else { "c" };
        client.connect(&mut rng, &limits.0, clean_start, client_id);
        let mut resumed = false;
        for _ in 0..80 {
            match rng.u8(0..20) {
                0..4 => client.publish(&mut rng),
                4..8 => server.publish(&mut rng),
                8 => client.acknowledge(&mut rng),
                9 => server.acknowledge(&mut rng),
                10 => client.request(&mut rng),
                11 => client.auth(&mut rng),
                12 if server.connection.state() == State::Connected => server.auth(&mut rng),
                13..16
                    if server.connect.is_some()
                        && server.connection.state() == State::Requested =>
                {
                    let has_session = !clean_start && sessions.1.is_some();
                    let session = if has_session {
                        sessions.1.as_mut()
                    } else {
                        None
                    };
                    server.answer_connect(&mut rng, &limits.1, session);
                    if server.connection.state() == State::Connected {
                        resumed = has_session;
                        seen.accepted += 1;
                        seen.resumed += u32::from(resumed);
                        if resumed {
                            server.kept = std::mem::take(&mut kept.1);
                        }
                    }
                }
                13 if rng.u8(0..12) == 0 => client.disconnect(&mut rng),
                14 if rng.u8(0..20) == 0 => server.disconnect(&mut rng),
                16 => server.answer(&mut rng),
                _ => {
                    client.receive();
                    server.receive();
                }
            }
            client.drain();
            server.drain();
            deliver(&mut rng, &mut client.out, &mut server.input);
            deliver(&mut rng, &mut server.out, &mut client.input);
        }
        let was_accepted = server.connection.state() == State::Connected || resumed;
        for _ in 0..4 {
            client.receive();
            server.receive();
            server.input.append(&mut client.out);
            client.input.append(&mut server.out);
        }
        sessions.0 = client.end(false);
        let session = server.end(kind.is_early);
        for reason in [client.closed, server.closed] {
            match reason {
                Some(CloseReason::Refused(_)) => seen.refused += 1,
                Some(CloseReason::Disconnected) => seen.disconnected += 1,
                Some(CloseReason::ReplyTooLarge) => seen.too_large += 1,
                Some(CloseReason::Violation(_) | CloseReason::LimitExceeded { .. }) => {
                    seen.exceeded += 1;
                }
                _ => {}
            }
        }
        seen.pieces += client.piece_count + server.piece_count;
        kept.0 = client.kept;
        if was_accepted || !session.is_empty() {
            let is_kept = server.connection.session_expiry_interval() > 0;
            sessions.1 = is_kept.then_some(session);
            kept.1 = server.kept;
        }
    }
}

#[test]
fn whatever_the_commands_of_one_side_allow_the_other_side_accepts() {
    let number = |name| std::env::var(name).ok().map(|it| it.parse().unwrap());
    let mut seen = Seen::default();
    if let Some(seed) = number("MQTT_PAIR_SEED") {
        return run(seed, true, &mut seen);
    }
    let seeds = number("MQTT_PAIR_SEEDS").unwrap_or(SEEDS);
    for seed in 0..seeds {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(seed, false, &mut seen);
        }));
        if let Err(why) = result {
            println!("MQTT_PAIR_SEED={seed} cargo test --test v5_pair");
            std::panic::resume_unwind(why);
        }
    }
    println!("{seeds} seeds: {seen:?}");
    for (count, floor) in [
        (seen.accepted, 2_000),
        (seen.resumed, 300),
        (seen.refused, 1_000),
        (seen.disconnected, 400),
        (seen.too_large, 5),
        (seen.pieces, 500),
        (seen.exceeded, 50),
    ] {
        assert!(count >= floor, "{seen:?}");
    }
}
