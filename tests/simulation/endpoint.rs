//! Connections of every version and role with one set of methods, so that one application can play
//! either role.

mod any_server;

pub(crate) use any_server::AnyServer;
use mqtt_sansio::v5::{AliasVec, OutboundAliases, WithTopicAliases};
use mqtt_sansio::{
    Blocked, ClientRole, CommandError, Config, Connection, HandleError, Options, PacketId, Piece,
    Role, ServerRole, Session, State, Step as StepOf, StreamDecoder, Timestamp, TopicFilter,
};

use super::plan::Storage;
use super::version::{Action, Content, Dialect, Event, Farewell, Opening, Terms};

/// The buffer for one packet, and for Topic Aliases.
pub(crate) type Memory = WithTopicAliases<Box<[u8]>, AliasVec>;

/// One step of a connection.
#[derive(Debug)]
pub(crate) enum Step {
    Event(Event),
    Action(Action),
}

/// Commands of one role. The harness calls only those of the endpoint's role.
pub(crate) trait Commands: Sized {
    fn connect(
        &mut self,
        _now: Timestamp,
        _opening: &Opening,
        _out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        unreachable!("only a client does this")
    }
    fn subscribe(
        &mut self,
        _now: Timestamp,
        _filters: &[TopicFilter<&[u8]>],
        _out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        unreachable!("only a client does this")
    }
    fn unsubscribe(
        &mut self,
        _now: Timestamp,
        _filters: &[TopicFilter<&[u8]>],
        _out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        unreachable!("only a client does this")
    }
    fn leave(
        &mut self,
        _now: Timestamp,
        _farewell: &Farewell,
        _out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        unreachable!("only a client does this")
    }
    fn accept(
        &mut self,
        _now: Timestamp,
        _session: Option<Session<Storage>>,
        _terms: &Terms,
        _out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        unreachable!("only a server does this")
    }
    fn refuse(&mut self, _now: Timestamp, _out: &mut Vec<u8>) -> Result<(), CommandError> {
        unreachable!("only a server does this")
    }
    fn suback(
        &mut self,
        _now: Timestamp,
        _filters: usize,
        _out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        unreachable!("only a server does this")
    }
    fn unsuback(
        &mut self,
        _now: Timestamp,
        _filters: usize,
        _out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        unreachable!("only a server does this")
    }
    fn dismiss(&mut self, _now: Timestamp, _out: &mut Vec<u8>) -> Result<(), CommandError> {
        unreachable!("only a server does this")
    }
}

/// A connection with its decoder.
pub(crate) trait Endpoint: Commands {
    /// The version on the wire.
    type Version: Dialect;

    /// True if payloads can be sent in pieces.
    const SENDS_PIECES: bool;

    fn new(
        session: Session<Storage>,
        config: Config,
        memory: Memory,
        in_pieces: bool,
        now: Timestamp,
    ) -> Self;

    fn publish(
        &mut self,
        now: Timestamp,
        content: &Content<'_>,
        aliases: &mut OutboundAliases<AliasVec>,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, CommandError>;
    fn payload(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<u32, CommandError>;
    fn resend(
        &mut self,
        now: Timestamp,
        id: PacketId,
        content: &Content<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
    fn forget(&mut self, id: PacketId) -> Result<(), CommandError>;
    /// Acknowledges a message, with an error if it `refuses` the message.
    fn acknowledge(&mut self, id: PacketId, refuses: bool) -> Result<(), CommandError>;
    fn close(&mut self, now: Timestamp);

    // Inputs

    fn receive(&mut self, now: Timestamp, input: &mut &[u8]) -> Result<Option<Step>, Blocked>;
    fn handle_timeout(&mut self, now: Timestamp);
    fn handle_transport_closed(&mut self, now: Timestamp);

    // Outputs and views

    fn poll_action(&mut self) -> Option<Action>;
    fn poll_timeout(&self) -> Option<Timestamp>;
    fn state(&self) -> State;
    fn session(&self) -> &Session<Storage>;
    fn into_session(self) -> Session<Storage>;
    /// The session ends with the connection.
    fn session_ends(&self) -> bool;
    /// Otherwise: for how many seconds it is kept.
    fn session_expiry(&self) -> u32;
    /// How many bytes of the stream were handled.
    fn handled(&self) -> u64;
}

fn options(in_pieces: bool) -> Options {
    Options::new().payloads_in_pieces(in_pieces)
}

/// A connection of one version.
#[derive(Clone)]
pub(crate) struct Of<V: Dialect, R: Role> {
    connection: Connection<V, R, Storage>,
    decoder: StreamDecoder<V, Memory>,
    in_pieces: bool,
}

pub(crate) type ClientOf<V> = Of<V, ClientRole>;
pub(crate) type ServerOf<V> = Of<V, ServerRole>;

impl<V: Dialect, R: Role> Endpoint for Of<V, R>
where
    Self: Commands,
{
    type Version = V;
    const SENDS_PIECES: bool = true;

    fn new(
        session: Session<Storage>,
        config: Config,
        memory: Memory,
        in_pieces: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            connection: Connection::new(session, config, now),
            decoder: StreamDecoder::with_options(memory, options(in_pieces)),
            in_pieces,
        }
    }
    fn publish(
        &mut self,
        now: Timestamp,
        content: &Content<'_>,
        aliases: &mut OutboundAliases<AliasVec>,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, CommandError> {
        V::publish(&mut self.connection, now, content, aliases, out)
    }
    fn payload(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<u32, CommandError> {
        self.connection.payload(now, bytes, out)
    }
    fn resend(
        &mut self,
        now: Timestamp,
        id: PacketId,
        content: &Content<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        V::resend(&mut self.connection, now, id, content, out)
    }
    fn forget(&mut self, id: PacketId) -> Result<(), CommandError> {
        self.connection.forget(id)
    }
    fn acknowledge(&mut self, id: PacketId, refuses: bool) -> Result<(), CommandError> {
        let acknowledgement = self.connection.acknowledgement(id);
        let acknowledgement = acknowledgement.ok_or(CommandError::NotAwaited)?;
        V::acknowledge(&mut self.connection, acknowledgement, refuses)
    }
    fn close(&mut self, now: Timestamp) {
        self.connection.close(now);
    }
    fn receive(&mut self, now: Timestamp, input: &mut &[u8]) -> Result<Option<Step>, Blocked> {
        self.receive_and_check(now, input)
    }
    fn handle_timeout(&mut self, now: Timestamp) {
        self.connection.handle_timeout(now);
    }
    fn handle_transport_closed(&mut self, now: Timestamp) {
        self.connection.handle_transport_closed(now);
    }
    fn poll_action(&mut self) -> Option<Action> {
        self.connection.poll_action().map(Into::into)
    }
    fn poll_timeout(&self) -> Option<Timestamp> {
        self.connection.poll_timeout()
    }
    fn state(&self) -> State {
        self.connection.state()
    }
    fn session(&self) -> &Session<Storage> {
        self.connection.session()
    }
    fn into_session(self) -> Session<Storage> {
        self.connection.into_session()
    }
    fn session_ends(&self) -> bool {
        self.connection.session_ends()
    }
    fn session_expiry(&self) -> u32 {
        V::session_expiry(&self.connection)
    }
    fn handled(&self) -> u64 {
        self.decoder.position()
    }
}

impl<V: Dialect> Commands for ClientOf<V> {
    fn connect(
        &mut self,
        now: Timestamp,
        opening: &Opening,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        V::connect(&mut self.connection, now, opening, out)
    }
    fn subscribe(
        &mut self,
        now: Timestamp,
        filters: &[TopicFilter<&[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        V::subscribe(&mut self.connection, now, filters, out)
    }
    fn unsubscribe(
        &mut self,
        now: Timestamp,
        filters: &[TopicFilter<&[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        V::unsubscribe(&mut self.connection, now, filters, out)
    }
    fn leave(
        &mut self,
        now: Timestamp,
        farewell: &Farewell,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        V::leave(&mut self.connection, now, farewell, out)
    }
}

impl<V: Dialect> Commands for ServerOf<V> {
    fn accept(
        &mut self,
        now: Timestamp,
        session: Option<Session<Storage>>,
        terms: &Terms,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        V::accept(&mut self.connection, now, session, terms, out)
    }
    fn refuse(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), CommandError> {
        V::refuse(&mut self.connection, now, out)
    }
    fn suback(
        &mut self,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        V::suback(&mut self.connection, now, filters, out)
    }
    fn unsuback(
        &mut self,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        V::unsuback(&mut self.connection, now, filters, out)
    }
    fn dismiss(&mut self, now: Timestamp, out: &mut Vec<u8>) -> Result<(), CommandError> {
        V::dismiss(&mut self.connection, now, out)
    }
}

impl<V: Dialect, R: Role> Of<V, R> {
    /// Checks that [`Connection::receive`] handles the bytes as `handle_piece` handles the packets.
    fn receive_and_check(
        &mut self,
        now: Timestamp,
        input: &mut &[u8],
    ) -> Result<Option<Step>, Blocked> {
        // This takes longer than all the rest.
        let is_checked = !input.is_empty() && now.as_millis() % 8 == 0;
        let before = is_checked.then(|| (self.clone(), *input));
        let step = self.connection.receive(now, &mut self.decoder, input);
        let shown = before.is_some().then(|| match &step {
            Ok(Some(StepOf::Event(event))) => V::shown(event),
            Ok(Some(StepOf::Action(action))) => format!("{action:?}"),
            Ok(None) => String::new(),
            Err(why) => format!("{why:?}"),
        });
        let step = step.map(|step| {
            step.map(|step| match step {
                StepOf::Event(event) => Step::Event(V::told(event)),
                StepOf::Action(action) => Step::Action(action.into()),
            })
        });
        if let (Some((before, input)), Some(shown)) = (before, shown) {
            before.check_handle(now, input, &shown, step.is_err(), self);
        }
        step
    }

    /// Checks a connection that received `input` and became `after`.
    fn check_handle(
        mut self,
        now: Timestamp,
        mut input: &[u8],
        step: &str,
        is_blocked: bool,
        after: &Self,
    ) {
        // A pending action comes first, even if it can wait; so do PINGREQ and the end of the
        // connection.
        let mut due = self.connection.clone();
        due.handle_timeout(now);
        if self.connection.clone().poll_action().is_some() || due.poll_action().is_some() {
            return;
        }
        let expected = loop {
            let piece = if self.in_pieces {
                self.decoder.decode_in_pieces(&mut input)
            } else {
                let packet = self.decoder.decode(&mut input);
                packet.map(|packet| packet.map(Piece::Packet))
            };
            let piece = match piece {
                Ok(Some(piece)) => piece,
                // `receive` is blocked before a packet is complete.
                Ok(None) if is_blocked => return,
                Ok(None) => break String::new(),
                Err(error) => panic!("{step} without a fault, and with one: {error}"),
            };
            // Only `receive` knows the topic of a Topic Alias.
            if V::is_without_topic(&piece) {
                return;
            }
            match self.connection.handle_piece(now, piece) {
                Ok(Some(event)) => break V::shown(&event),
                Err(HandleError::Blocked(why)) => break format!("{why:?}"),
                Ok(None) | Err(_) => {}
            }
            if let Some(action) = self.connection.poll_action() {
                break format!("{action:?}");
            }
        };
        assert_eq!(step, expected);
        let (handled, received) = (&self.connection, &after.connection);
        assert_eq!(format!("{handled:?}"), format!("{received:?}"), "{step}");
    }
}
