//! The sides that a hostile peer attacks: a client or a server of one version, or a server of any
//! version.

use std::fmt::Debug;

use mqtt_sansio::v5::{self, ConnAckProperties, PubAckReasonCode};
use mqtt_sansio::{
    Action, ClientRole, CloseReason, CommandError, Config, Connection, HandleError, Options,
    PacketId, PeerError, QoS, Role, ServerRole, Session, Timestamp, TopicName, any,
};

use crate::Counted;
use crate::conversation::{self, ms};
use crate::dialect::{Dialect, Sent};

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task<V: Dialect> {
    Transmit(Sent),
    Resend(PacketId),
    Close(CloseReason<V>),
    Other,
}

/// A connection with a hostile peer.
pub(crate) trait Side: Debug + Sized {
    type Version: Dialect;

    /// Handles one packet. Returns whether there was an event, or why it was not handled.
    fn hand_in(&mut self, now: Timestamp, bytes: &[u8])
    -> Result<bool, HandleError<Self::Version>>;
    fn poll(&mut self) -> Option<Task<Self::Version>>;
    /// Returns the error of the packet, if only the action reports it.
    fn error_of(_: &CloseReason<Self::Version>) -> Option<PeerError<Self::Version>> {
        None
    }

    /// Publishes a message to the topic `t`, without a payload.
    fn publishes(&mut self, qos: QoS, out: &mut Vec<u8>) -> Result<Option<PacketId>, CommandError>;
    fn resends(&mut self, id: PacketId, qos: QoS, out: &mut Vec<u8>) -> Result<(), CommandError>;
    fn acknowledges(&mut self, id: PacketId) -> Result<(), CommandError>;
    fn transport_closes(&mut self);
    /// Returns the session.
    fn slots(&self) -> &Session<Counted>;
    /// Returns the session after the end.
    fn take(self) -> Session<Counted>;
}

impl<V: Dialect, R: Role> Side for Connection<V, R, Counted> {
    type Version = V;

    fn hand_in(&mut self, now: Timestamp, mut bytes: &[u8]) -> Result<bool, HandleError<V>> {
        let packet = V::decode(&mut bytes, &Options::new()).unwrap().unwrap();
        assert!(bytes.is_empty(), "one packet only");
        Ok(self.handle_packet(now, packet)?.is_some())
    }
    fn poll(&mut self) -> Option<Task<V>> {
        Some(match self.poll_action()? {
            Action::Transmit(reply) => Task::Transmit(Sent::of(reply.as_ref())),
            Action::Resend(id) => Task::Resend(id),
            Action::Close(reason) => Task::Close(reason),
            _ => Task::Other,
        })
    }
    fn publishes(&mut self, qos: QoS, out: &mut Vec<u8>) -> Result<Option<PacketId>, CommandError> {
        self.publish(ms(0), &V::message(qos), out)
    }
    fn resends(&mut self, id: PacketId, qos: QoS, out: &mut Vec<u8>) -> Result<(), CommandError> {
        self.resend(ms(0), id, &V::message(qos), out)
    }
    fn acknowledges(&mut self, id: PacketId) -> Result<(), CommandError> {
        let acknowledgement = self.acknowledgement(id);
        self.acknowledge(acknowledgement.ok_or(CommandError::NotAwaited)?)
    }
    fn transport_closes(&mut self) {
        self.handle_transport_closed(ms(0));
    }
    fn slots(&self) -> &Session<Counted> {
        self.session()
    }
    fn take(self) -> Session<Counted> {
        self.into_session()
    }
}

/// A server of any version, whose client speaks the version `V`.
pub(crate) struct AnyServer<V> {
    server: any::Server<Counted>,
    decoder: any::Decoder<Vec<u8>>,
    /// An action that `receive` returned and that was not polled.
    next: Option<any::Action>,
    version: std::marker::PhantomData<V>,
}

/// Prints the server alone: the decoder's state does not count as a change.
impl<V> Debug for AnyServer<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(f)
    }
}

impl<V: Dialect> AnyServer<V> {
    fn requested(config: Config, connect: &[u8]) -> Self {
        let fallback = any::ProtocolVersion::V3;
        let mut us = Self {
            server: any::Server::new(conversation::fresh(), config, ms(0)),
            decoder: any::Decoder::with_options(Vec::new(), Options::new(), fallback),
            next: None,
            version: std::marker::PhantomData,
        };
        assert_eq!(us.hand_in(ms(0), connect), Ok(true));
        us
    }
}

fn v5_message(qos: QoS) -> v5::Message<&'static [u8]> {
    v5::Message::new(TopicName::new("t").unwrap(), &b""[..]).qos(qos)
}

impl<V: Dialect> Side for AnyServer<V> {
    type Version = V;

    fn hand_in(&mut self, now: Timestamp, mut bytes: &[u8]) -> Result<bool, HandleError<V>> {
        if self.server.has_ended() {
            return Err(HandleError::Ended);
        }
        match self.server.receive(now, &mut self.decoder, &mut bytes)? {
            Some(any::Step::Event(_)) => Ok(true),
            Some(any::Step::Action(action)) => {
                self.next = Some(action);
                Ok(false)
            }
            None => Ok(false),
        }
    }
    fn poll(&mut self) -> Option<Task<V>> {
        let action = self.next.take().or_else(|| self.server.poll_action())?;
        Some(match action {
            any::Action::Transmit(reply) => Task::Transmit(Sent::of(reply.as_bytes())),
            any::Action::Resend(id) => Task::Resend(id),
            any::Action::Close(reason) => Task::Close(V::close_reason(reason)),
            _ => Task::Other,
        })
    }
    fn error_of(reason: &CloseReason<V>) -> Option<PeerError<V>> {
        match reason {
            CloseReason::Violation(error) => Some(*error),
            _ => None,
        }
    }
    fn publishes(&mut self, qos: QoS, out: &mut Vec<u8>) -> Result<Option<PacketId>, CommandError> {
        self.server.publish(ms(0), &v5_message(qos), out)
    }
    fn resends(&mut self, id: PacketId, qos: QoS, out: &mut Vec<u8>) -> Result<(), CommandError> {
        self.server.resend(ms(0), id, &v5_message(qos), out)
    }
    fn acknowledges(&mut self, id: PacketId) -> Result<(), CommandError> {
        let acknowledgement = self.server.acknowledgement(id);
        let acknowledgement = acknowledgement.ok_or(CommandError::NotAwaited)?;
        let success = PubAckReasonCode::Success;
        self.server.acknowledge(acknowledgement, success)
    }
    fn transport_closes(&mut self) {
        self.server.handle_transport_closed(ms(0));
    }
    fn slots(&self) -> &Session<Counted> {
        self.server.session().unwrap()
    }
    fn take(self) -> Session<Counted> {
        assert!(self.server.has_ended());
        self.slots().clone()
    }
}

/// How a [`Side`] is connected.
pub(crate) trait Us {
    type Version: Dialect;
    type Side: Side<Version = Self::Version>;

    /// Returns a connection that resumes this session. The session is kept, and Keep Alive is off.
    fn connected(config: Config, session: Session<Counted>) -> Self::Side;
}

/// A client or a server of one version.
pub(crate) trait OfOneVersion:
    Us<Side = Connection<<Self as Us>::Version, Self::Role, Counted>>
{
    type Role: Role;

    /// Returns a connection whose session ends with it.
    fn connected_clean(config: Config) -> Self::Side;
}

impl<V: Dialect> Us for (V, ClientRole) {
    type Version = V;
    type Side = Connection<V, ClientRole, Counted>;

    fn connected(config: Config, session: Session<Counted>) -> Self::Side {
        V::client(config, session, false)
    }
}

impl<V: Dialect> OfOneVersion for (V, ClientRole) {
    type Role = ClientRole;

    fn connected_clean(config: Config) -> Self::Side {
        V::client(config, conversation::fresh(), true)
    }
}

impl<V: Dialect> Us for (V, ServerRole) {
    type Version = V;
    type Side = Connection<V, ServerRole, Counted>;

    fn connected(config: Config, session: Session<Counted>) -> Self::Side {
        V::server(config, session, false)
    }
}

impl<V: Dialect> OfOneVersion for (V, ServerRole) {
    type Role = ServerRole;

    fn connected_clean(config: Config) -> Self::Side {
        V::server(config, conversation::fresh(), true)
    }
}

/// A server of any version with a client of this version.
pub(crate) struct Any<V>(std::marker::PhantomData<V>);

impl<V: Dialect> Us for Any<V> {
    type Version = V;
    type Side = AnyServer<V>;

    fn connected(config: Config, mut session: Session<Counted>) -> AnyServer<V> {
        let mut us = AnyServer::requested(config, V::CONNECT[0]);
        let properties = ConnAckProperties::EMPTY;
        us.server
            .accept_resumed_with(ms(0), &mut session, &properties, &mut Vec::new())
            .unwrap();
        us
    }
}
