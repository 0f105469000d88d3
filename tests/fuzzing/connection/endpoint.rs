//! Connections of both versions and roles, and a server of any version, with one set of methods in
//! the shape of MQTT 5. Each has its own decoder, and receives bytes through `receive`.

use std::collections::VecDeque;

use mqtt_sansio::any::{self, ProtocolVersion};
use mqtt_sansio::v5::{
    AliasVec, ConnAckProperties, Disconnect, DisconnectReasonCode, OutboundAliases, Property,
    PublishProperties, WithTopicAliases,
};
use mqtt_sansio::{
    Blocked, CommandError, Config, Limit, PacketId, QoS, Session, State, Timestamp, TopicName, v3,
    v5,
};

use super::agreed::ALIASES_IN;
use super::reader::Setup;
use super::steps::{Action, Event, Reason, Step, any_action, any_step, v3_step, v5_step};
use super::steps::{v3_action, v5_action};
use super::wire::{
    Connect, lowered_filters, lowered_subscriptions, return_codes, subscribe_codes,
    unsubscribe_codes,
};
use crate::simulation::plan::{Side, Storage};

type Memory = WithTopicAliases<Box<[u8]>, AliasVec>;

/// The kind of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fuzzing) struct Kind {
    pub(in crate::fuzzing) side: Side,
    pub(in crate::fuzzing) version: ProtocolVersion,
    /// A server that learns the version from CONNECT.
    pub(in crate::fuzzing) any: bool,
}

/// The result of receiving bytes.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::fuzzing) enum Response {
    Event(Event),
    /// The bytes were handled without an event.
    Handled,
    Blocked(Blocked),
    /// The connection ended for this reason.
    Closed(Reason),
}

/// A message to publish.
#[derive(Debug, Clone)]
pub(in crate::fuzzing) struct Message {
    pub(in crate::fuzzing) topic: TopicName<Vec<u8>>,
    pub(in crate::fuzzing) payload: Vec<u8>,
    pub(in crate::fuzzing) qos: QoS,
    pub(in crate::fuzzing) retain: bool,
    /// The Topic Alias that the application chose.
    pub(in crate::fuzzing) alias: Option<u16>,
}

pub(in crate::fuzzing) struct Endpoint {
    connection: Connection,
    /// An action that `receive` returned.
    actions: VecDeque<Action>,
}

enum Connection {
    V3Client(v3::Client<Storage>, v3::Decoder<Memory>),
    V3Server(v3::Server<Storage>, v3::Decoder<Memory>),
    V5Client(v5::Client<Storage>, v5::Decoder<Memory>),
    V5Server(v5::Server<Storage>, v5::Decoder<Memory>),
    Any(any::Server<Storage>, any::Decoder<Memory>),
}

use Connection::{Any, V3Client, V3Server, V5Client, V5Server};

/// Calls the same method on every connection.
macro_rules! each {
    ($this:expr, $it:ident => $call:expr) => {
        match &mut $this.connection {
            V3Client($it, _) => $call,
            V3Server($it, _) => $call,
            V5Client($it, _) => $call,
            V5Server($it, _) => $call,
            Any($it, _) => $call,
        }
    };
}

/// For methods that the harness calls for one role only.
macro_rules! of_other_role {
    () => {
        unreachable!("only the other role does this")
    };
}

type Out<'a> = &'a mut Vec<u8>;

impl Endpoint {
    pub(in crate::fuzzing) fn new(
        kind: Kind,
        session: Session<Storage>,
        config: Config,
        now: Timestamp,
        decoding: Setup,
    ) -> Self {
        let memory = vec![0; decoding.memory].into_boxed_slice();
        let memory = WithTopicAliases::new(memory, AliasVec::new(ALIASES_IN));
        let options = decoding.options();
        let v3 = |memory| v3::Decoder::with_options(memory, options);
        let v5 = |memory| v5::Decoder::with_options(memory, options);
        let connection = match (kind.side, kind.version) {
            (Side::Server, version) if kind.any => Any(
                any::Server::new(session, config, now),
                any::Decoder::with_options(memory, options, version),
            ),
            (Side::Client, ProtocolVersion::V3) => {
                V3Client(v3::Client::new(session, config, now), v3(memory))
            }
            (Side::Server, ProtocolVersion::V3) => {
                V3Server(v3::Server::new(session, config, now), v3(memory))
            }
            (Side::Client, ProtocolVersion::V5) => {
                V5Client(v5::Client::new(session, config, now), v5(memory))
            }
            (Side::Server, ProtocolVersion::V5) => {
                V5Server(v5::Server::new(session, config, now), v5(memory))
            }
        };
        Self {
            connection,
            actions: VecDeque::new(),
        }
    }

    // Commands of both roles

    pub(in crate::fuzzing) fn publish(
        &mut self,
        now: Timestamp,
        message: &Message,
        in_pieces: bool,
        out: Out<'_>,
    ) -> Result<Option<PacketId>, CommandError> {
        match &mut self.connection {
            V3Client(it, _) if in_pieces => it.publish(now, &message.v3_header(), out),
            V3Client(it, _) => it.publish(now, &message.to_v3(), out),
            V3Server(it, _) if in_pieces => it.publish(now, &message.v3_header(), out),
            V3Server(it, _) => it.publish(now, &message.to_v3(), out),
            V5Client(it, _) if in_pieces => it.publish(now, &message.v5_header(), out),
            V5Client(it, _) => it.publish(now, &message.to_v5(), out),
            V5Server(it, _) if in_pieces => it.publish(now, &message.v5_header(), out),
            V5Server(it, _) => it.publish(now, &message.to_v5(), out),
            Any(it, _) => it.publish(now, &message.to_v5(), out),
        }
    }

    /// Publishes; the connection chooses a Topic Alias if it can.
    pub(in crate::fuzzing) fn publish_aliased(
        &mut self,
        now: Timestamp,
        message: &Message,
        aliases: &mut OutboundAliases<AliasVec>,
        out: Out<'_>,
    ) -> Result<Option<PacketId>, CommandError> {
        let v5 = message.to_v5();
        match &mut self.connection {
            V5Client(client, _) => client.publish_aliased(now, &v5, aliases, out),
            V5Server(server, _) => server.publish_aliased(now, &v5, aliases, out),
            Any(server, _) => server.publish_aliased(now, &v5, aliases, out),
            V3Client(..) | V3Server(..) => self.publish(now, message, false, out),
        }
    }

    pub(in crate::fuzzing) fn payload(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: Out<'_>,
    ) -> Result<u32, CommandError> {
        match &mut self.connection {
            V3Client(client, _) => client.payload(now, bytes, out),
            V3Server(server, _) => server.payload(now, bytes, out),
            V5Client(client, _) => client.payload(now, bytes, out),
            V5Server(server, _) => server.payload(now, bytes, out),
            Any(..) => unreachable!("a server of any version sends messages whole"),
        }
    }

    pub(in crate::fuzzing) fn resend(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &Message,
        in_pieces: bool,
        out: Out<'_>,
    ) -> Result<(), CommandError> {
        match &mut self.connection {
            V3Client(it, _) if in_pieces => it.resend(now, id, &message.v3_header(), out),
            V3Client(it, _) => it.resend(now, id, &message.to_v3(), out),
            V3Server(it, _) if in_pieces => it.resend(now, id, &message.v3_header(), out),
            V3Server(it, _) => it.resend(now, id, &message.to_v3(), out),
            V5Client(it, _) if in_pieces => it.resend(now, id, &message.v5_header(), out),
            V5Client(it, _) => it.resend(now, id, &message.to_v5(), out),
            V5Server(it, _) if in_pieces => it.resend(now, id, &message.v5_header(), out),
            V5Server(it, _) => it.resend(now, id, &message.to_v5(), out),
            Any(it, _) => it.resend(now, id, &message.to_v5(), out),
        }
    }

    pub(in crate::fuzzing) fn forget(&mut self, id: PacketId) -> Result<(), CommandError> {
        each!(self, it => it.forget(id))
    }

    pub(in crate::fuzzing) fn can_publish(&mut self, qos: QoS) -> bool {
        each!(self, it => it.can_publish(qos))
    }

    /// Acknowledges with a Reason Code, which MQTT 3.1.1 does not have.
    pub(in crate::fuzzing) fn acknowledge(
        &mut self,
        id: PacketId,
        code: u8,
    ) -> Result<(), CommandError> {
        let acknowledgement = each!(self, it => it.acknowledgement(id));
        let acknowledgement = acknowledgement.ok_or(CommandError::NotAwaited)?;
        let code = v5::PubAckReasonCode::try_from(code).expect("a code of PUBACK");
        match &mut self.connection {
            V3Client(client, _) => client.acknowledge(acknowledgement),
            V3Server(server, _) => server.acknowledge(acknowledgement),
            V5Client(client, _) => client.acknowledge_with(acknowledgement, code),
            V5Server(server, _) => server.acknowledge_with(acknowledgement, code),
            Any(server, _) => server.acknowledge(acknowledgement, code),
        }
    }

    pub(in crate::fuzzing) fn close(&mut self, now: Timestamp) {
        each!(self, it => it.close(now));
    }

    /// Sends DISCONNECT, which a server of MQTT 3.1.1 does not have.
    pub(in crate::fuzzing) fn disconnect(
        &mut self,
        now: Timestamp,
        code: u8,
        properties: &v5::DisconnectProperties<Vec<u8>>,
        out: Out<'_>,
    ) -> Result<(), CommandError> {
        let disconnect = Disconnect {
            reason_code: DisconnectReasonCode::try_from(code).expect("a code of DISCONNECT"),
            properties: properties.as_ref(),
        };
        match &mut self.connection {
            V3Client(client, _) => client.disconnect(now, out),
            V3Server(..) => of_other_role!(),
            V5Client(client, _) => client.disconnect_with(now, &disconnect, out),
            V5Server(server, _) => server.disconnect_with(now, &disconnect, out),
            Any(server, _) => server.disconnect_with(now, &disconnect, out),
        }
    }

    // Commands of one role

    pub(in crate::fuzzing) fn connect(
        &mut self,
        now: Timestamp,
        connect: &Connect,
        out: Out<'_>,
    ) -> Result<(), CommandError> {
        match (&mut self.connection, connect) {
            (V3Client(client, _), any::Connect::V3(connect)) => {
                client.connect(now, &connect.to_connect(), out)
            }
            (V5Client(client, _), any::Connect::V5(connect)) => {
                client.connect(now, &connect.to_connect(), out)
            }
            _ => of_other_role!(),
        }
    }

    pub(in crate::fuzzing) fn subscribe(
        &mut self,
        now: Timestamp,
        subscriptions: &v5::Subscriptions<Vec<u8>>,
        out: Out<'_>,
    ) -> Result<PacketId, CommandError> {
        match &mut self.connection {
            V3Client(client, _) => {
                client.subscribe(now, &lowered_subscriptions(subscriptions), out)
            }
            V5Client(client, _) => client.subscribe(now, subscriptions, out),
            _ => of_other_role!(),
        }
    }

    pub(in crate::fuzzing) fn unsubscribe(
        &mut self,
        now: Timestamp,
        filters: &v5::TopicFilters<Vec<u8>>,
        out: Out<'_>,
    ) -> Result<PacketId, CommandError> {
        match &mut self.connection {
            V3Client(client, _) => client.unsubscribe(now, &lowered_filters(filters), out),
            V5Client(client, _) => client.unsubscribe(now, filters, out),
            _ => of_other_role!(),
        }
    }

    pub(in crate::fuzzing) fn accept(
        &mut self,
        now: Timestamp,
        session: Option<&mut Session<Storage>>,
        properties: &ConnAckProperties<Vec<u8>>,
        out: Out<'_>,
    ) -> Result<(), CommandError> {
        match (&mut self.connection, session) {
            (V3Server(server, _), Some(session)) => server.accept_resumed(now, session, out),
            (V3Server(server, _), None) => server.accept_new(now, out),
            (V5Server(server, _), Some(session)) => {
                server.accept_resumed_with(now, session, properties, out)
            }
            (V5Server(server, _), None) => server.accept_new_with(now, properties, out),
            (Any(server, _), Some(session)) => {
                server.accept_resumed_with(now, session, properties, out)
            }
            (Any(server, _), None) => server.accept_new_with(now, properties, out),
            _ => of_other_role!(),
        }
    }

    /// Refuses with a Reason Code, or the return code of MQTT 3.1.1.
    pub(in crate::fuzzing) fn refuse(
        &mut self,
        now: Timestamp,
        code: v5::ConnectReasonCode,
        return_code: v3::ConnectRefusal,
        out: Out<'_>,
    ) -> Result<(), CommandError> {
        match &mut self.connection {
            V3Server(server, _) => server.refuse(now, return_code, out),
            V5Server(server, _) => server.refuse(now, code, out),
            Any(server, _) => server.refuse(now, code, out),
            _ => of_other_role!(),
        }
    }

    pub(in crate::fuzzing) fn suback(
        &mut self,
        now: Timestamp,
        codes: &[u8],
        out: Out<'_>,
    ) -> Result<(), CommandError> {
        match &mut self.connection {
            V3Server(server, _) => server.suback(now, &return_codes(codes), out),
            V5Server(server, _) => server.suback(now, &subscribe_codes(codes), out),
            Any(server, _) => server.suback(now, &subscribe_codes(codes), out),
            _ => of_other_role!(),
        }
    }

    pub(in crate::fuzzing) fn unsuback(
        &mut self,
        now: Timestamp,
        codes: &[u8],
        out: Out<'_>,
    ) -> Result<(), CommandError> {
        match &mut self.connection {
            V3Server(server, _) => server.unsuback(now, out),
            V5Server(server, _) => server.unsuback(now, &unsubscribe_codes(codes), out),
            Any(server, _) => server.unsuback(now, &unsubscribe_codes(codes), out),
            _ => of_other_role!(),
        }
    }

    // Receiving

    /// Passes bytes up to the first event. Actions are kept for `poll_action`.
    pub(in crate::fuzzing) fn receive(&mut self, now: Timestamp, bytes: &mut Vec<u8>) -> Response {
        loop {
            let mut input = &bytes[..];
            let step = match &mut self.connection {
                V3Client(it, decoder) => it.receive(now, decoder, &mut input).map(v3_step),
                V3Server(it, decoder) => it.receive(now, decoder, &mut input).map(v3_step),
                V5Client(it, decoder) => it.receive(now, decoder, &mut input).map(v5_step),
                V5Server(it, decoder) => it.receive(now, decoder, &mut input).map(v5_step),
                Any(it, decoder) => it.receive(now, decoder, &mut input).map(any_step),
            };
            let used = bytes.len() - input.len();
            bytes.drain(..used);
            match step {
                Err(blocked) => return Response::Blocked(blocked),
                Ok(Some(Step::Event(event))) => return Response::Event(event),
                Ok(Some(Step::Action(action))) => self.actions.push_back(action),
                Ok(None) => break,
            }
        }
        assert!(bytes.is_empty(), "None says that the input is used up");
        match self.actions.back() {
            // The end of the connection is an action, not a fault of the bytes received.
            Some(Action::Close(Reason::LimitExceeded {
                limit: Limit::InboundMessages,
                ..
            })) => Response::Handled,
            Some(Action::Close(reason)) => Response::Closed(*reason),
            _ => Response::Handled,
        }
    }

    pub(in crate::fuzzing) fn handle_progress(&mut self, now: Timestamp) {
        each!(self, it => it.handle_progress(now));
    }

    pub(in crate::fuzzing) fn handle_timeout(&mut self, now: Timestamp) {
        each!(self, it => it.handle_timeout(now));
    }

    pub(in crate::fuzzing) fn handle_transport_closed(&mut self, now: Timestamp) {
        each!(self, it => it.handle_transport_closed(now));
    }

    // Outputs and state

    pub(in crate::fuzzing) fn poll_action(&mut self) -> Option<Action> {
        if let Some(action) = self.actions.pop_front() {
            return Some(action);
        }
        match &mut self.connection {
            V3Client(client, _) => client.poll_action().map(v3_action),
            V3Server(server, _) => server.poll_action().map(v3_action),
            V5Client(client, _) => client.poll_action().map(v5_action),
            V5Server(server, _) => server.poll_action().map(v5_action),
            Any(server, _) => server.poll_action().map(any_action),
        }
    }

    pub(in crate::fuzzing) fn poll_timeout(&mut self) -> Option<Timestamp> {
        each!(self, it => it.poll_timeout())
    }

    pub(in crate::fuzzing) fn state(&mut self) -> State {
        each!(self, it => it.state())
    }

    /// Returns how long the session is kept, if the version has an expiry.
    pub(in crate::fuzzing) fn session_expiry_interval(&self) -> Option<u32> {
        match &self.connection {
            V3Client(..) | V3Server(..) => None,
            V5Client(client, _) => Some(client.session_expiry_interval()),
            V5Server(server, _) => Some(server.session_expiry_interval()),
            Any(server, _) => Some(server.session_expiry_interval()),
        }
    }

    pub(in crate::fuzzing) fn session(&self) -> &Session<Storage> {
        match &self.connection {
            V3Client(client, _) => client.session(),
            V3Server(server, _) => server.session(),
            V5Client(client, _) => client.session(),
            V5Server(server, _) => server.session(),
            Any(server, _) => server.session().expect("it is never None"),
        }
    }

    /// Returns `None` for a server of any version, which lacks this method for some storages.
    pub(in crate::fuzzing) fn into_session(self) -> Option<Session<Storage>> {
        match self.connection {
            V3Client(client, _) => Some(client.into_session()),
            V3Server(server, _) => Some(server.into_session()),
            V5Client(client, _) => Some(client.into_session()),
            V5Server(server, _) => Some(server.into_session()),
            Any(..) => None,
        }
    }
}

impl Message {
    fn properties(&self) -> PublishProperties<Vec<u8>> {
        let alias = self.alias.and_then(std::num::NonZeroU16::new);
        PublishProperties::encode_to_vec(alias.map(Property::TopicAlias)).expect("a Topic Alias")
    }

    fn to_v3(&self) -> v3::Message<&[u8]> {
        v3::Message {
            topic: self.topic.as_ref(),
            payload: &self.payload,
            qos: self.qos,
            retain: self.retain,
        }
    }

    fn to_v5(&self) -> v5::Message<&[u8], &[u8], Vec<u8>> {
        v5::Message {
            topic: self.topic.as_ref(),
            payload: &self.payload,
            qos: self.qos,
            retain: self.retain,
            properties: self.properties(),
        }
    }

    fn v3_header(&self) -> v3::MessageHeader<&[u8]> {
        v3::MessageHeader {
            topic: self.topic.as_ref(),
            payload_len: u32::try_from(self.payload.len()).expect("a short one"),
            qos: self.qos,
            retain: self.retain,
        }
    }

    fn v5_header(&self) -> v5::MessageHeader<&[u8], Vec<u8>> {
        v5::MessageHeader {
            topic: self.topic.as_ref(),
            payload_len: u32::try_from(self.payload.len()).expect("a short one"),
            qos: self.qos,
            retain: self.retain,
            properties: self.properties(),
        }
    }
}
