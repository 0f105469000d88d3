//! The server's side of a connection of any version.

use super::ProtocolVersion;
use super::action::Action;
use super::decoder::{Decoder, State as Decoding};
use super::event::{self, Event};
use super::lowered;
use crate::connection::{Blocked, CommandError, Config, State};
use crate::decoder::Buffer;
use crate::fan_out::{EncodedMessage, Receiver, SubscriberHeader};
use crate::session::{Acknowledgement, Session, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS};
use crate::v5::{
    AckProperties, Auth, ConnAckProperties, ConnectReasonCode, Disconnect, Limits, Message,
    OutboundAliases, PubAckReasonCode, SubscribeReasonCodes, TopicAliases, UnsubscribeReasonCodes,
};
use crate::wire::Output;
use crate::{v3, v5};

/// One connection of a server with a client that speaks MQTT 3.1, 3.1.1 or 5, without the transport.
///
/// It is driven as a [`Connection`](crate::Connection) is, with a [`Decoder`] of this module: the
/// client's CONNECT decides the version. Events and commands have the shape of MQTT 5, so that a broker
/// has one code path:
///
/// - Events of a client of MQTT 3.1.1 have no properties and mean success.
/// - Properties of commands are left out for it, and Reason Codes become its return codes:
///   [`refuse`](Self::refuse) lists them. What MQTT 3.1.1 cannot express, such as a DISCONNECT from the
///   server, closes the connection.
///
/// ```
/// use mqtt_sansio::any::{Action, Decoder, Event, ProtocolVersion, Server, Step};
/// use mqtt_sansio::v5::ConnAckProperties;
/// use mqtt_sansio::{Config, Options, Output, Session, Slot, SliceOutput, Timestamp};
///
/// let now = Timestamp::from_millis(0);
/// let mut server = Server::new(Session::<[Slot; 4]>::default(), Config::new(), now);
/// let mut decoder = Decoder::with_options([0; 256], Options::new(), ProtocolVersion::V3);
/// let mut buffer = [0; 64];
/// let mut out = SliceOutput::new(&mut buffer);
/// // CONNECT of MQTT 5, and PINGREQ
/// let mut input = &b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01c\xc0\0"[..];
/// while let Some(step) = server.receive(now, &mut decoder, &mut input)? {
///     match step {
///         Step::Event(Event::ConnectRequested(connect)) => {
///             assert!(connect.to_connect().clean_start);
///             server.accept_new(now, &ConnAckProperties::EMPTY, &mut out)?;
///         }
///         Step::Event(event) => println!("{event:?}"),
///         Step::Action(Action::Transmit(reply)) => out.put(reply.as_bytes())?,
///         Step::Action(action) => println!("{action:?}"),
///     }
/// }
/// assert_eq!(out.written(), b"\x20\x03\0\0\0\xd0\0"); // CONNACK and PINGRESP
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Server<S> {
    side: Side<S>,
}

#[derive(Debug, Clone)]
enum Side<S> {
    /// The client has not told its version. Nothing has happened yet, so either version would do.
    Undecided(v5::Server<S>),
    V3(v3::Server<S>),
    V5(v5::Server<S>),
    /// While a connection moves from undecided to a version; never between two calls.
    Moving,
}

/// One step of a connection: something has happened, or something is to be done. `B` is where the
/// bytes of the event live.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver has to handle both")]
#[must_use = "events and actions are to be handled"]
pub enum Step<B> {
    /// Something is to be done.
    Action(Action),
    /// Something has happened. It may borrow from the input or the decoder.
    Event(Event<B>),
}

impl<B> Step<B> {
    /// Moves the bytes of an event elsewhere. `f` must not change them: its results are not validated
    /// again.
    pub fn map<C>(self, f: impl FnMut(B) -> C) -> Step<C> {
        match self {
            Self::Action(action) => Step::Action(action),
            Self::Event(event) => Step::Event(event.map(f)),
        }
    }
}

impl Step<&[u8]> {
    /// The same step with its bytes in vectors of their own (feature `alloc`).
    #[cfg(feature = "alloc")]
    pub fn to_owned(self) -> Step<alloc::vec::Vec<u8>> {
        self.map(<[u8]>::to_vec)
    }

    /// The same step as references into `whole`, the buffer that was passed to
    /// [`receive`](Server::receive) (feature `bytes`). Bytes outside of it are copied.
    #[cfg(feature = "bytes")]
    pub fn share(self, whole: &bytes::Bytes) -> Step<bytes::Bytes> {
        self.map(|part| crate::wire::share(whole, part))
    }
}

impl<B: AsRef<[u8]>> core::fmt::Debug for Step<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Action(action) => f.debug_tuple("Action").field(action).finish(),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
        }
    }
}

/// Calls the same method of the server of either version.
macro_rules! either {
    ($self:expr, $server:ident => $call:expr, moving: $moving:expr) => {
        match &$self.side {
            Side::V3($server) => $call,
            Side::Undecided($server) | Side::V5($server) => $call,
            Side::Moving => $moving,
        }
    };
}

/// The same with `&mut`.
macro_rules! either_mut {
    ($self:expr, $server:ident => $call:expr, moving: $moving:expr) => {
        match &mut $self.side {
            Side::V3($server) => $call,
            Side::Undecided($server) | Side::V5($server) => $call,
            Side::Moving => $moving,
        }
    };
}

impl<S: Slots> Server<S> {
    /// The transport has been opened, and CONNECT is awaited. `session` is an empty one, for a client
    /// that has none.
    pub fn new(session: Session<S>, config: Config, now: Timestamp) -> Self {
        Self {
            side: Side::Undecided(v5::Server::new(session, config, now)),
        }
    }

    /// Returns the version of the client, or `None` until its first bytes were received.
    pub const fn version(&self) -> Option<ProtocolVersion> {
        match self.side {
            Side::V3(_) => Some(ProtocolVersion::V3),
            Side::V5(_) => Some(ProtocolVersion::V5),
            Side::Undecided(_) | Side::Moving => None,
        }
    }

    /// Handles received bytes: see [`Connection::receive`](crate::Connection::receive).
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn receive<'d, 'i: 'd, M: Buffer>(
        &mut self,
        now: Timestamp,
        decoder: &'d mut Decoder<M>,
        input: &mut &'i [u8],
    ) -> Result<Option<Step<&'d [u8]>>, Blocked> {
        if let Side::Undecided(_) = self.side {
            self.decide(decoder, input)?;
        }
        match (&mut self.side, decoder.decoding()) {
            (Side::V3(server), Decoding::V3(decoder, _)) => {
                Ok(match server.receive(now, decoder, input)? {
                    Some(v3::Step::Event(event)) => event::from_v3(event).map(Step::Event),
                    Some(v3::Step::Action(action)) => Some(Step::Action(action.into())),
                    None => None,
                })
            }
            (Side::V5(server), Decoding::V5(decoder, _)) => {
                Ok(match server.receive(now, decoder, input)? {
                    Some(v5::Step::Event(event)) => event::from_v5(event).map(Step::Event),
                    Some(v5::Step::Action(action)) => Some(Step::Action(action.into())),
                    None => None,
                })
            }
            (Side::Undecided(server), _) => {
                if server
                    .poll_timeout()
                    .is_some_and(|deadline| deadline <= now)
                {
                    server.handle_timeout(now);
                }
                Ok(server
                    .poll_action()
                    .map(|action| Step::Action(action.into())))
            }
            // A decoder of another stream.
            _ => Err(Blocked::UsedDecoder),
        }
    }

    /// Becomes the server of the version that the first bytes announce.
    #[cold]
    fn decide<M: Buffer>(
        &mut self,
        decoder: &mut Decoder<M>,
        input: &mut &[u8],
    ) -> Result<(), Blocked> {
        if decoder.version().is_some() && decoder.position() > 0 {
            return Err(Blocked::UsedDecoder);
        }
        let Some(version) = decoder.decide(input) else {
            return Ok(());
        };
        let Side::Undecided(mut server) = core::mem::replace(&mut self.side, Side::Moving) else {
            return Ok(());
        };
        // The decoder has been checked, and holds the first bytes already.
        server.has_decoder = true;
        self.side = match version {
            ProtocolVersion::V3 => Side::V3(server.into_version()),
            ProtocolVersion::V5 => Side::V5(server),
        };
        Ok(())
    }

    /// The error of a command while the version of the client is not known.
    const fn not_connected(&self) -> CommandError {
        match self.state() {
            State::Ending | State::Ended => CommandError::Ended,
            State::Start | State::Requested | State::Connected => CommandError::NotConnected,
        }
    }

    // Commands

    /// Accepts the connection with a new session. The properties are sent to a client of MQTT 5 and hold
    /// for the connection: see [`accept_new_with`](crate::Connection::accept_new_with).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn accept_new<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.accept_new(now, out),
            Side::V5(server) => server.accept_new_with(now, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Accepts the connection and resumes the session that was kept for the client, of whichever
    /// version: see [`accept_resumed_with`](crate::Connection::accept_resumed_with).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn accept_resumed<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        session: &mut Session<S>,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.accept_resumed(now, session, out),
            Side::V5(server) => server.accept_resumed_with(now, session, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Refuses the connection. A client of MQTT 3.1.1 gets the return code that comes nearest:
    ///
    /// | Reason Code | return code |
    /// |---|---|
    /// | Unsupported Protocol Version | 0x01 |
    /// | Client Identifier not valid | 0x02 |
    /// | Bad User Name or Password, Bad authentication method | 0x04 |
    /// | Not authorized, Banned | 0x05 |
    /// | any other | 0x03, server unavailable |
    ///
    /// # Errors
    ///
    /// As [`refuse_with`](crate::Connection::refuse_with).
    pub fn refuse<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_code: ConnectReasonCode,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.refuse(now, lowered::refusal(reason_code)?, out),
            Side::V5(server) => server.refuse_with(now, reason_code, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Answers [`Event::SubscribeRequested`]. For a client of MQTT 3.1.1 each Reason Code from 0x80 on
    /// is 0x80.
    ///
    /// # Errors
    ///
    /// As [`suback_with`](crate::Connection::suback_with).
    pub fn suback<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &SubscribeReasonCodes<B>,
        properties: &AckProperties<P>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => {
                let codes = reason_codes.iter().map(lowered::return_code);
                server.suback_each(now, codes, out)
            }
            Side::V5(server) => server.suback_with(now, reason_codes, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Answers [`Event::UnsubscribeRequested`]. A client of MQTT 3.1.1 gets no codes.
    ///
    /// # Errors
    ///
    /// As [`unsuback_with`](crate::Connection::unsuback_with).
    pub fn unsuback<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &UnsubscribeReasonCodes<B>,
        properties: &AckProperties<P>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.unsuback(now, out),
            Side::V5(server) => server.unsuback_with(now, reason_codes, properties, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Publishes a message: see [`publish`](crate::Connection::publish). To a client of MQTT 3.1.1 it goes
    /// without its properties.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn publish<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        message: &Message<T, P, Q>,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError> {
        match &mut self.side {
            Side::V3(server) => server.publish(now, &lowered::message(message), out),
            Side::V5(server) => server.publish(now, message, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Publishes a message with a Topic Alias, to a client that takes them: see
    /// [`publish_aliased`](crate::Connection::publish_aliased).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn publish_aliased<T, P, Q, A, O>(
        &mut self,
        now: Timestamp,
        message: &Message<T, P, Q>,
        aliases: &mut OutboundAliases<A>,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError>
    where
        T: AsRef<[u8]>,
        P: AsRef<[u8]>,
        Q: AsRef<[u8]>,
        A: TopicAliases,
        O: Output + ?Sized,
    {
        match &mut self.side {
            Side::V5(server) => server.publish_aliased(now, message, aliases, out),
            _ => self.publish(now, message, out),
        }
    }

    /// Sends a message again that [`Action::Resend`] has asked for: see
    /// [`resend`](crate::Connection::resend).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn resend<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        packet_id: PacketId,
        message: &Message<T, P, Q>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.resend(now, packet_id, &lowered::message(message), out),
            Side::V5(server) => server.resend(now, packet_id, message, out),
            Side::Undecided(_) | Side::Moving => Err(self.not_connected()),
        }
    }

    /// Publishes a message that is encoded once for many connections, of any version: see
    /// [`publish_encoded`](crate::Connection::publish_encoded).
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn publish_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
    ) -> Result<SubscriberHeader<B>, CommandError> {
        match &mut self.side {
            Side::V3(server) => server.publish_encoded(now, message, receiver),
            Side::V5(server) => server.publish_encoded(now, message, receiver),
            Side::Undecided(_) | Side::Moving => Err(CommandError::NotConnected),
        }
    }

    /// Publishes a message that is encoded once, with a Topic Alias, to a client that takes them: see
    /// [`publish_encoded_aliased`](crate::Connection::publish_encoded_aliased).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn publish_encoded_aliased<T, P, B, A>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
        aliases: &mut OutboundAliases<A>,
    ) -> Result<SubscriberHeader<B>, CommandError>
    where
        T: AsRef<[u8]>,
        P: AsRef<[u8]>,
        B: AsRef<[u8]>,
        A: TopicAliases,
    {
        match &mut self.side {
            Side::V5(server) => server.publish_encoded_aliased(now, message, receiver, aliases),
            _ => self.publish_encoded(now, message, receiver),
        }
    }

    /// Sends a message again that is encoded once: see
    /// [`resend_encoded`](crate::Connection::resend_encoded).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn resend_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>, B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        packet_id: PacketId,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
    ) -> Result<SubscriberHeader<B>, CommandError> {
        match &mut self.side {
            Side::V3(server) => server.resend_encoded(now, packet_id, message, receiver),
            Side::V5(server) => server.resend_encoded(now, packet_id, message, receiver),
            Side::Undecided(_) | Side::Moving => Err(CommandError::NotConnected),
        }
    }

    /// Gives up a message that [`Action::Resend`] has asked for: see
    /// [`forget`](crate::Connection::forget).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn forget(&mut self, packet_id: PacketId) -> Result<(), CommandError> {
        either_mut!(self, server => server.forget(packet_id), moving: Err(CommandError::Ended))
    }

    /// Returns the value that acknowledges the message with this Packet Identifier: see
    /// [`acknowledgement`](crate::Connection::acknowledgement).
    pub fn acknowledgement(&self, packet_id: PacketId) -> Option<Acknowledgement> {
        either!(self, server => server.acknowledgement(packet_id), moving: None)
    }

    /// Acknowledges a message with a Reason Code: see
    /// [`acknowledge_with`](crate::Connection::acknowledge_with). A client of MQTT 3.1.1 gets no code: a
    /// message that is refused counts as delivered for it.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn acknowledge(
        &mut self,
        acknowledgement: Acknowledgement,
        reason_code: PubAckReasonCode,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V3(server) => server.machine.acknowledge(acknowledgement, 0),
            Side::Undecided(server) | Side::V5(server) => {
                server.acknowledge_with(acknowledgement, reason_code)
            }
            Side::Moving => Err(CommandError::Ended),
        }
    }

    /// Whether [`publish`](Self::publish) has room for a message of this QoS now: see
    /// [`can_publish`](crate::Connection::can_publish).
    pub fn can_publish(&mut self, qos: QoS) -> bool {
        either_mut!(self, server => server.can_publish(qos), moving: false)
    }

    /// Sends AUTH: see [`auth`](crate::Connection::auth).
    ///
    /// # Errors
    ///
    /// As there; [`CommandError::AuthenticationOrder`] to a client of MQTT 3.1.1, which has no AUTH.
    pub fn auth<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        auth: &Auth<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V5(server) => server.auth(now, auth, out),
            _ => Err(CommandError::AuthenticationOrder),
        }
    }

    /// Ends the connection and tells a client of MQTT 5 why: see
    /// [`disconnect_with`](crate::Connection::disconnect_with). A server of MQTT 3.1.1 has no
    /// DISCONNECT: the connection is closed.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        disconnect: &Disconnect<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match &mut self.side {
            Side::V5(server) => server.disconnect_with(now, disconnect, out),
            _ => {
                self.close(now);
                Ok(())
            }
        }
    }

    /// Ends the connection without DISCONNECT: see [`close`](crate::Connection::close).
    pub fn close(&mut self, now: Timestamp) {
        either_mut!(self, server => server.close(now), moving: ());
    }

    // Inputs

    /// Reports that bytes were received that do not complete a packet: see
    /// [`handle_progress`](crate::Connection::handle_progress).
    pub fn handle_progress(&mut self, now: Timestamp) {
        either_mut!(self, server => server.handle_progress(now), moving: ());
    }

    /// Handles a deadline that has passed: see
    /// [`handle_timeout`](crate::Connection::handle_timeout).
    pub fn handle_timeout(&mut self, now: Timestamp) {
        either_mut!(self, server => server.handle_timeout(now), moving: ());
    }

    /// Reports that the transport has been closed.
    pub fn handle_transport_closed(&mut self, now: Timestamp) {
        either_mut!(self, server => server.handle_transport_closed(now), moving: ());
    }

    // Outputs

    /// Returns the next action: see [`poll_action`](crate::Connection::poll_action).
    #[must_use = "actions are to be carried out"]
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action> {
        either_mut!(self, server => server.poll_action().map(Into::into), moving: None)
    }

    /// Returns the time at which to call [`handle_timeout`](Self::handle_timeout): see
    /// [`poll_timeout`](crate::Connection::poll_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        either!(self, server => server.poll_timeout(), moving: None)
    }

    // Views

    /// Returns the state of the connection.
    pub const fn state(&self) -> State {
        either!(self, server => server.state(), moving: State::Ended)
    }

    /// Returns the session. It is never `None`.
    pub const fn session(&self) -> Option<&Session<S>> {
        either!(self, server => Some(server.session()), moving: None)
    }

    /// Returns the limits that were agreed with a client of MQTT 5, or `None` for one of MQTT
    /// 3.1.1.
    pub const fn limits(&self) -> Option<&Limits> {
        match &self.side {
            Side::V5(server) => Some(server.limits()),
            Side::V3(_) | Side::Undecided(_) | Side::Moving => None,
        }
    }

    /// How long the session is to be kept after the connection, in seconds: 0 is not at all, `u32::MAX`
    /// for ever, as without Clean Session in MQTT 3.1.1.
    pub const fn session_expiry_interval(&self) -> u32 {
        match &self.side {
            Side::V3(server) if server.session_ends() => 0,
            Side::V3(_) => u32::MAX,
            Side::V5(server) | Side::Undecided(server) => server.session_expiry_interval(),
            Side::Moving => 0,
        }
    }

    /// How long to wait before the Will is published, in seconds: see
    /// [`will_delay_interval`](crate::Connection::will_delay_interval). 0 in MQTT 3.1.1.
    pub fn will_delay_interval(&self) -> u32 {
        match &self.side {
            Side::V5(server) => server.will_delay_interval(),
            Side::V3(_) | Side::Undecided(_) | Side::Moving => 0,
        }
    }

    /// Ends the connection, if it has not ended, and returns the session: see
    /// [`take_session`](crate::Connection::take_session).
    pub fn take_session(&mut self) -> Session<S>
    where
        Session<S>: Default,
    {
        either_mut!(self, server => server.take_session(), moving: Session::default())
    }

    /// Why the connection has ended is in [`Action::Close`]; this is true once that was returned.
    pub const fn has_ended(&self) -> bool {
        matches!(self.state(), State::Ended)
    }
}

#[cfg(test)]
mod tests;
