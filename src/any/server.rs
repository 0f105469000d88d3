//! The server's side of a connection of any version.

use super::ProtocolVersion;
use super::action::Action;
use super::decoder::{Decoder, State as Decoding};
use super::event;
use super::step::Step;
use crate::connection::{Blocked, CommandError, Config, State};
use crate::decoder::Buffer;
use crate::session::{Session, Slots};
use crate::time::Timestamp;
use crate::v5::Limits;
use crate::{v3, v5};

/// One connection of a server with a client that speaks MQTT 3.1, 3.1.1 or 5, without the transport.
///
/// It is driven as a [`Connection`](crate::Connection) is, with a [`Decoder`] of this module: the
/// client's CONNECT decides the version. Events and commands have the shape of MQTT 5, so that a broker
/// has one code path:
///
/// - Events of a client of MQTT 3.1.1 have no properties and mean success.
/// - Properties of commands are left out for it, and Reason Codes become its return codes:
///   [`refuse_with`](Self::refuse_with) lists them. What MQTT 3.1.1 cannot express, such as a DISCONNECT from the
///   server, closes the connection.
///
/// ```
/// use mqtt_sansio::any::{Action, Decoder, Event, ProtocolVersion, Server, Step};
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
///             server.accept_new(now, &mut out)?;
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
    pub(super) side: Side<S>,
}

#[derive(Debug, Clone)]
pub(super) enum Side<S> {
    /// The version is not known yet. No bytes were handled, so this server can still become one of
    /// either version.
    Undecided(v5::Server<S>),
    V3(v3::Server<S>),
    V5(v5::Server<S>),
    /// While a connection moves from undecided to a version; never between two calls.
    Moving,
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

pub(super) use either;

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

pub(super) use either_mut;

impl<S: Slots> Server<S> {
    /// Creates a connection whose transport is open, and which waits for CONNECT. `session` is an
    /// empty one, for a client without a session.
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
    /// As [`Connection::receive`](crate::Connection::receive).
    #[inline]
    pub fn receive<'d, 'i: 'd, M: Buffer>(
        &mut self,
        now: Timestamp,
        decoder: &'d mut Decoder<M>,
        input: &mut &'i [u8],
    ) -> Result<Option<Step<&'d [u8]>>, Blocked> {
        // One that has ended stays what it is, with its reason.
        if matches!(&self.side, Side::Undecided(server) if server.state() == State::Start) {
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
                let mut action = server.poll_action();
                if action.is_none() {
                    action = server.expire(now);
                }
                if server.state() != State::Start {
                    *input = &[]; // after the end nothing is handled
                }
                Ok(action.map(|action| Step::Action(action.into())))
            }
            // The decoder belongs to another stream.
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
        // `decide` has checked the decoder, which holds the first bytes already.
        server.has_decoder = true;
        self.side = match version {
            ProtocolVersion::V3 => Side::V3(server.into_version()),
            ProtocolVersion::V5 => Side::V5(server),
        };
        Ok(())
    }

    /// Returns the error of a command while the version of the client is not known.
    pub(super) const fn not_connected(&self) -> CommandError {
        match self.state() {
            State::Ending | State::Ended => CommandError::Ended,
            State::Start | State::Requested | State::Connected => CommandError::NotConnected,
        }
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

    /// Returns the limits that CONNECT and CONNACK negotiated with a client of MQTT 5, or `None`
    /// for a client of MQTT 3.1.1.
    pub const fn limits(&self) -> Option<&Limits> {
        match &self.side {
            Side::V5(server) => Some(server.limits()),
            Side::V3(_) | Side::Undecided(_) | Side::Moving => None,
        }
    }

    /// Returns for how many seconds to keep the session after the connection. 0 means not at all,
    /// `u32::MAX` for ever, as without Clean Session in MQTT 3.1.1.
    pub const fn session_expiry_interval(&self) -> u32 {
        match &self.side {
            Side::V3(server) if server.session_ends() => 0,
            Side::V3(_) => u32::MAX,
            Side::V5(server) | Side::Undecided(server) => server.session_expiry_interval(),
            Side::Moving => 0,
        }
    }

    /// Returns how many seconds to wait before the Will is published: see
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

    /// [`take_session`](Self::take_session) for storage of any kind. It is never `None`.
    pub fn into_session(self) -> Option<Session<S>> {
        match self.side {
            Side::V3(server) => Some(server.into_session()),
            Side::V5(server) | Side::Undecided(server) => Some(server.into_session()),
            Side::Moving => None,
        }
    }

    /// Returns true once [`Action::Close`], which has the reason, was returned.
    pub const fn has_ended(&self) -> bool {
        matches!(self.state(), State::Ended)
    }
}

#[cfg(test)]
mod tests;
