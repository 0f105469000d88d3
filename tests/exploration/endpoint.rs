//! Connections of both roles and all versions with one set of methods.

use mqtt_sansio::any::{self, ProtocolVersion};
use mqtt_sansio::v5::{
    ConnAckProperties, ConnectProperties, Property, PubAckReasonCode, PublishProperties,
    SubscribeReasonCode, SubscribeReasonCodes,
};
use mqtt_sansio::{
    Acknowledgement, Blocked, Change, CommandError, Config, Options, PacketId, QoS, Session, Slot,
    State, Text, Timestamp, TopicFilter, TopicName, v3, v5,
};

use super::plan::{Pair, Plan, Side};

/// The slots for the identifiers of one direction.
pub(crate) type Room = [Slot; 4];
/// Packets arrive whole, so the buffer collects nothing. Its size is the limit of a packet.
type Buffer = [u8; 32];

#[derive(Clone)]
pub(crate) enum Endpoint {
    V3Client(v3::Client<Room>, v3::Decoder<Buffer>),
    V3Server(v3::Server<Room>, v3::Decoder<Buffer>),
    V5Client(v5::Client<Room>, v5::Decoder<Buffer>),
    V5Server(v5::Server<Room>, v5::Decoder<Buffer>),
    AnyServer(any::Server<Room>, any::Decoder<Buffer>),
}

/// A message on the wire. Its payload is its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) number: u8,
    pub(crate) qos: QoS,
    pub(crate) id: Option<PacketId>,
}

/// The steps that `receive` returns, in one shape for all versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    ConnectRequested,
    Connected {
        session_present: bool,
    },
    Message(Arrival),
    AcceptedByPeer(PacketId),
    Delivered(PacketId),
    /// The peer refused this message.
    Rejected(PacketId),
    SubscribeRequested,
    Subscribed(PacketId),
    Disconnected,
    /// An event that must not happen in these worlds.
    Other(String),
    Act(Act),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Store(Change),
    Transmit(Vec<u8>),
    Resend(PacketId),
    Lost { id: PacketId, received: bool },
    Unanswered(PacketId),
    Close(String),
    Other(String),
}

impl From<any::Action> for Act {
    fn from(action: any::Action) -> Self {
        match action {
            any::Action::Store(change) => Self::Store(change),
            any::Action::Transmit(reply) => Self::Transmit(reply.as_bytes().to_vec()),
            any::Action::Resend(id) => Self::Resend(id),
            any::Action::Lost {
                packet_id: id,
                received,
            } => Self::Lost { id, received },
            any::Action::Close(reason) => {
                let shown = format!("{reason:?}");
                let inner = shown.trim_start_matches("V3(").trim_start_matches("V5(");
                Self::Close(inner.trim_end_matches(')').to_owned())
            }
            other => Self::Other(format!("{other:?}")),
        }
    }
}

macro_rules! either {
    ($self:expr, $connection:ident => $call:expr) => {
        match $self {
            Self::V3Client($connection, _) => $call,
            Self::V3Server($connection, _) => $call,
            Self::V5Client($connection, _) => $call,
            Self::V5Server($connection, _) => $call,
            Self::AnyServer($connection, _) => $call,
        }
    };
}

/// Converts an event of MQTT 5. `v5::Event` and `any::Event` have the same variants but different
/// types.
macro_rules! step_of_v5 {
    ($events:ident, $event:expr) => {
        match $event {
            $events::Event::ConnectRequested(_) => Step::ConnectRequested,
            $events::Event::Message(publish) => arrival(
                publish.payload,
                publish.delivery.qos(),
                publish.delivery.packet_id(),
            ),
            $events::Event::AcceptedByPeer { packet_id, .. } => Step::AcceptedByPeer(packet_id),
            $events::Event::Delivered { packet_id, .. } => Step::Delivered(packet_id),
            $events::Event::Rejected { packet_id, .. } => Step::Rejected(packet_id),
            $events::Event::SubscribeRequested(_) => Step::SubscribeRequested,
            $events::Event::Disconnected(_) => Step::Disconnected,
            other => other_of_v5!($events, other),
        }
    };
}

macro_rules! other_of_v5 {
    (v5, $event:expr) => {
        match $event {
            v5::Event::Connected {
                session_present, ..
            } => Step::Connected { session_present },
            v5::Event::Subscribed(suback) => Step::Subscribed(suback.packet_id),
            other => Step::Other(format!("{other:?}")),
        }
    };
    (any, $event:expr) => {
        Step::Other(format!("{:?}", $event))
    };
}

fn step_of_v3(event: v3::Event<&[u8]>) -> Step {
    match event {
        v3::Event::ConnectRequested(_) => Step::ConnectRequested,
        v3::Event::Connected { session_present } => Step::Connected { session_present },
        v3::Event::Message(publish) => arrival(
            publish.payload,
            publish.delivery.qos(),
            publish.delivery.packet_id(),
        ),
        v3::Event::AcceptedByPeer(id) => Step::AcceptedByPeer(id),
        v3::Event::Delivered(id) => Step::Delivered(id),
        v3::Event::SubscribeRequested(_) => Step::SubscribeRequested,
        v3::Event::Subscribed(suback) => Step::Subscribed(suback.packet_id),
        v3::Event::Disconnected => Step::Disconnected,
        other => Step::Other(format!("{other:?}")),
    }
}

fn arrival(payload: &[u8], qos: QoS, id: Option<PacketId>) -> Step {
    match payload {
        [letter] => Step::Message(Arrival {
            number: letter.wrapping_sub(b'a'),
            qos,
            id,
        }),
        other => Step::Other(format!("a message {other:?}")),
    }
}

impl From<v3::Action> for Act {
    fn from(action: v3::Action) -> Self {
        match action {
            v3::Action::Unanswered(id) => Self::Unanswered(id),
            other => Self::from(any::Action::from(other)),
        }
    }
}

impl From<v5::Action> for Act {
    fn from(action: v5::Action) -> Self {
        match action {
            v5::Action::Unanswered(id) => Self::Unanswered(id),
            other => Self::from(any::Action::from(other)),
        }
    }
}

fn step_of_action<A: Into<Act>>(action: A) -> Step {
    Step::Act(action.into())
}

pub(crate) const fn letter(number: u8) -> u8 {
    b'a'.wrapping_add(number)
}

fn topic() -> TopicName<&'static [u8]> {
    TopicName::new("t").unwrap()
}

const fn v3_message<'a>(
    payload: &'a [u8],
    qos: QoS,
    topic: TopicName<&'static [u8]>,
) -> v3::Message<&'static [u8], &'a [u8]> {
    v3::Message {
        topic,
        payload,
        qos,
        retain: false,
    }
}

const fn v5_message<'a>(
    payload: &'a [u8],
    qos: QoS,
    topic: TopicName<&'static [u8]>,
) -> v5::Message<&'static [u8], &'a [u8], &'static [u8]> {
    v5::Message {
        topic,
        payload,
        qos,
        retain: false,
        properties: PublishProperties::EMPTY,
    }
}

impl Endpoint {
    pub(crate) fn new(plan: &Plan, side: Side, session: Session<Room>, now: Timestamp) -> Self {
        let config = config(plan, side);
        let options = Options::new();
        match (plan.pair, side) {
            (Pair::V3 | Pair::V3Any, Side::Client) => Self::V3Client(
                v3::Client::new(session, config, now),
                v3::Decoder::new([0; 32]),
            ),
            (Pair::V3, Side::Server) => Self::V3Server(
                v3::Server::new(session, config, now),
                v3::Decoder::new([0; 32]),
            ),
            (Pair::V5 | Pair::V5Any, Side::Client) => Self::V5Client(
                v5::Client::new(session, config, now),
                v5::Decoder::new([0; 32]),
            ),
            (Pair::V5, Side::Server) => Self::V5Server(
                v5::Server::new(session, config, now),
                v5::Decoder::new([0; 32]),
            ),
            (Pair::V3Any | Pair::V5Any, Side::Server) => Self::AnyServer(
                any::Server::new(session, config, now),
                any::Decoder::with_options([0; 32], options, ProtocolVersion::V3),
            ),
        }
    }

    pub(crate) fn connect(
        &mut self,
        plan: &Plan,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let client_id = Text::new("c").unwrap();
        match self {
            Self::V3Client(client, _) => {
                let mut connect = v3::Connect::new(client_id);
                connect.clean_session = plan.is_clean();
                connect.keep_alive = plan.keep_alive;
                client.connect(now, &connect, out)
            }
            Self::V5Client(client, _) => {
                let mut buffer = [0; 16];
                let mut connect = v5::Connect::new(client_id);
                connect.clean_start = plan.is_clean();
                connect.keep_alive = plan.keep_alive;
                connect.properties = ConnectProperties::encode_to_slice(
                    &mut buffer,
                    [
                        Property::SessionExpiryInterval(if plan.is_clean() { 0 } else { u32::MAX }),
                        Property::ReceiveMaximum(maximum(plan.client.receive_maximum)),
                    ],
                )
                .unwrap();
                client.connect(now, &connect, out)
            }
            _ => Err(CommandError::NotAwaited),
        }
    }

    /// Resumes `session`, or begins with a new one.
    pub(crate) fn accept(
        &mut self,
        plan: &Plan,
        now: Timestamp,
        session: Option<Session<Room>>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let mut buffer = [0; 16];
        let properties = ConnAckProperties::encode_to_slice(
            &mut buffer,
            [Property::ReceiveMaximum(maximum(
                plan.server.receive_maximum,
            ))],
        )
        .unwrap();
        match (self, session) {
            (Self::V3Server(server, _), None) => server.accept_new(now, out),
            (Self::V3Server(server, _), Some(mut session)) => {
                server.accept_resumed(now, &mut session, out)
            }
            (Self::V5Server(server, _), None) => server.accept_new_with(now, &properties, out),
            (Self::V5Server(server, _), Some(mut session)) => {
                server.accept_resumed_with(now, &mut session, &properties, out)
            }
            (Self::AnyServer(server, _), None) => server.accept_new_with(now, &properties, out),
            (Self::AnyServer(server, _), Some(mut session)) => {
                server.accept_resumed_with(now, &mut session, &properties, out)
            }
            _ => Err(CommandError::NotAwaited),
        }
    }

    pub(crate) fn can_publish(&mut self, qos: QoS) -> bool {
        either!(self, connection => connection.can_publish(qos))
    }

    pub(crate) fn publish(
        &mut self,
        now: Timestamp,
        number: u8,
        qos: QoS,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, CommandError> {
        let payload = [letter(number)];
        let (of_v3, of_v5) = (
            v3_message(&payload, qos, topic()),
            v5_message(&payload, qos, topic()),
        );
        match self {
            Self::V3Client(client, _) => client.publish(now, &of_v3, out),
            Self::V3Server(server, _) => server.publish(now, &of_v3, out),
            Self::V5Client(client, _) => client.publish(now, &of_v5, out),
            Self::V5Server(server, _) => server.publish(now, &of_v5, out),
            Self::AnyServer(server, _) => server.publish(now, &of_v5, out),
        }
    }

    pub(crate) fn resend(
        &mut self,
        now: Timestamp,
        id: PacketId,
        number: u8,
        qos: QoS,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let payload = [letter(number)];
        let (of_v3, of_v5) = (
            v3_message(&payload, qos, topic()),
            v5_message(&payload, qos, topic()),
        );
        match self {
            Self::V3Client(client, _) => client.resend(now, id, &of_v3, out),
            Self::V3Server(server, _) => server.resend(now, id, &of_v3, out),
            Self::V5Client(client, _) => client.resend(now, id, &of_v5, out),
            Self::V5Server(server, _) => server.resend(now, id, &of_v5, out),
            Self::AnyServer(server, _) => server.resend(now, id, &of_v5, out),
        }
    }

    pub(crate) fn acknowledgement(&self, id: PacketId) -> Option<Acknowledgement> {
        either!(self, connection => connection.acknowledgement(id))
    }

    pub(crate) fn acknowledge(&mut self, value: Acknowledgement) -> Result<(), CommandError> {
        match self {
            Self::V3Client(client, _) => client.acknowledge(value),
            Self::V3Server(server, _) => server.acknowledge(value),
            Self::V5Client(client, _) => client.acknowledge(value),
            Self::V5Server(server, _) => server.acknowledge(value),
            Self::AnyServer(server, _) => server.acknowledge(value, PubAckReasonCode::Success),
        }
    }

    /// Acknowledges a message with a Reason Code that refuses it.
    pub(crate) fn refuse(&mut self, value: Acknowledgement) -> Result<(), CommandError> {
        let code = PubAckReasonCode::UnspecifiedError;
        match self {
            Self::V3Client(..) | Self::V3Server(..) => Err(CommandError::NotAwaited),
            Self::V5Client(client, _) => client.acknowledge_with(value, code),
            Self::V5Server(server, _) => server.acknowledge_with(value, code),
            Self::AnyServer(server, _) => server.acknowledge(value, code),
        }
    }

    pub(crate) fn subscribe(
        &mut self,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        let filter = TopicFilter::new("t").unwrap();
        match self {
            Self::V3Client(client, _) => client.subscribe_to(now, &filter, QoS::ExactlyOnce, out),
            Self::V5Client(client, _) => client.subscribe_to(now, &filter, QoS::ExactlyOnce, out),
            _ => Err(CommandError::NotAwaited),
        }
    }

    pub(crate) fn suback(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), CommandError> {
        let of_v3 =
            v3::ReturnCodes::encode_to_vec([v3::ReturnCode::Success(QoS::ExactlyOnce)]).unwrap();
        let code = SubscribeReasonCode::GrantedQos2;
        let of_v5 = SubscribeReasonCodes::encode_to_vec([code]).unwrap();
        match self {
            Self::V3Server(server, _) => server.suback(now, &of_v3, out),
            Self::V5Server(server, _) => server.suback(now, &of_v5, out),
            Self::AnyServer(server, _) => server.suback(now, &of_v5, out),
            _ => Err(CommandError::NotAwaited),
        }
    }

    pub(crate) fn disconnect(
        &mut self,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        match self {
            Self::V3Client(client, _) => client.disconnect(now, out),
            Self::V5Client(client, _) => client.disconnect(now, out),
            _ => Err(CommandError::NotAwaited),
        }
    }

    pub(crate) fn close(&mut self, now: Timestamp) {
        either!(self, connection => connection.close(now));
    }

    pub(crate) fn handle_transport_closed(&mut self, now: Timestamp) {
        either!(self, connection => connection.handle_transport_closed(now));
    }

    /// Returns the next step for the received bytes.
    pub(crate) fn receive(
        &mut self,
        now: Timestamp,
        input: &mut &[u8],
    ) -> Result<Option<Step>, Blocked> {
        Ok(match self {
            Self::V3Client(client, decoder) => {
                client.receive(now, decoder, input)?.map(|step| match step {
                    v3::Step::Event(event) => step_of_v3(event),
                    v3::Step::Action(action) => step_of_action(action),
                })
            }
            Self::V3Server(server, decoder) => {
                server.receive(now, decoder, input)?.map(|step| match step {
                    v3::Step::Event(event) => step_of_v3(event),
                    v3::Step::Action(action) => step_of_action(action),
                })
            }
            Self::V5Client(client, decoder) => {
                client.receive(now, decoder, input)?.map(|step| match step {
                    v5::Step::Event(event) => step_of_v5!(v5, event),
                    v5::Step::Action(action) => step_of_action(action),
                })
            }
            Self::V5Server(server, decoder) => {
                server.receive(now, decoder, input)?.map(|step| match step {
                    v5::Step::Event(event) => step_of_v5!(v5, event),
                    v5::Step::Action(action) => step_of_action(action),
                })
            }
            Self::AnyServer(server, decoder) => {
                server.receive(now, decoder, input)?.map(|step| match step {
                    any::Step::Event(event) => step_of_v5!(any, event),
                    any::Step::Action(action) => step_of_action(action),
                })
            }
        })
    }

    pub(crate) fn poll_action(&mut self) -> Option<Act> {
        either!(self, connection => connection.poll_action().map(Act::from))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        either!(self, connection => connection.poll_timeout())
    }

    pub(crate) const fn state(&self) -> State {
        either!(self, connection => connection.state())
    }

    pub(crate) fn session(&self) -> &Session<Room> {
        match self {
            Self::V3Client(client, _) => client.session(),
            Self::V3Server(server, _) => server.session(),
            Self::V5Client(client, _) => client.session(),
            Self::V5Server(server, _) => server.session(),
            Self::AnyServer(server, _) => server.session().expect("never None"),
        }
    }

    pub(crate) fn take_session(&mut self) -> Session<Room> {
        either!(self, connection => connection.take_session())
    }
}

fn config(plan: &Plan, side: Side) -> Config {
    let side = plan.side(side);
    Config::new()
        .max_inflight(side.window)
        .receive_maximum(side.receive_maximum)
        .manual_acknowledgement(side.manual)
        .journal(side.journal)
}

const fn maximum(messages: u16) -> core::num::NonZeroU16 {
    match core::num::NonZeroU16::new(messages) {
        Some(messages) => messages,
        None => core::num::NonZeroU16::MIN,
    }
}
