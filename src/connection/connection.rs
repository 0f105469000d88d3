//! A connection of any role and version: how it begins, and its state.

use super::close_reason::CloseReason;
use super::config::Config;
use super::machine::Machine;
use super::role::Role;
use super::state::State;
use super::version::Version;
use crate::session::{Session, Slots};
use crate::time::Timestamp;

/// One connection of a client or a server, without the transport: `V` is the version of MQTT, `R` the
/// role, `S` where the session's Packet Identifiers live. Users name it by its aliases,
/// [`v3::Client`](crate::v3::Client) and [`v3::Server`](crate::v3::Server).
///
/// # How to drive it
///
/// The methods are of four kinds. **Commands** write a packet to an [`Output`], whole, or return an
/// error. **Inputs** report received bytes, the time, or the end of the transport. **Outputs**
/// return events, actions and one deadline. **Views** change nothing.
///
/// 1. Wait until bytes arrive, the deadline of [`poll_timeout`](Self::poll_timeout) passes, or the
///    application wants to send something.
/// 2. Call [`receive`](Self::receive) until it returns `None`, with the received bytes, or with none
///    when the deadline has passed. Call commands.
/// 3. Carry out the actions that `receive` and [`poll_action`](Self::poll_action) return, in order.
///    Send the output of a command before the replies that follow it. Go back to 1.
/// 4. After [`Action::Close`], close the transport. [`take_session`](Self::take_session) returns the
///    session for the next connection, which begins with a new `Connection` and a new decoder.
///
/// No call blocks. A call that is not possible in the current state returns an error and changes
/// nothing.
///
/// ```
/// use mqtt_sansio::v3::{Action, Client, Connect, Decoder, Event, Message, Step};
/// use mqtt_sansio::{Config, QoS, Session, Slot, SliceOutput, Text, Timestamp, TopicName};
///
/// let now = Timestamp::from_millis(0); // from the caller's clock
/// let session = Session::<[Slot; 4]>::default();
/// let mut client = Client::new(session, Config::new(), now);
/// let mut decoder = Decoder::new([0; 256]);
/// let mut buffer = [0; 256];
/// let mut out = SliceOutput::new(&mut buffer); // what is to be sent
///
/// client.connect(now, &Connect::new(Text::new("device-7")?), &mut out)?;
/// assert_eq!(out.written()[..2], [0x10, 20]);
/// out.clear();
///
/// let mut received = &b"\x20\x02\x00\x00"[..]; // CONNACK, from the transport
/// while let Some(step) = client.receive(now, &mut decoder, &mut received)? {
///     match step {
///         Step::Event(Event::Connected { .. }) => {
///             let topic = TopicName::new("kitchen/temperature")?;
///             let message = Message::new(topic, b"21.5").qos(QoS::AtLeastOnce);
///             client.publish(now, &message, &mut out)?;
///         }
///         Step::Event(event) => println!("{event:?}"),
///         Step::Action(Action::Transmit(reply)) => println!("send {reply:?}"),
///         Step::Action(Action::Close(reason)) => println!("close: {reason}"),
///         Step::Action(action) => println!("{action:?}"),
///     }
/// }
/// assert_eq!(out.written()[..2], [0x32, 27]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Action::Close`]: super::action::Action::Close
/// [`Output`]: crate::wire::Output
#[derive(Clone)]
pub struct Connection<V: Version, R: Role, S> {
    pub(crate) machine: Machine<S>,
    pub(super) limits: V::Limits,
    pub(super) role: R::State,
    pub(super) reason: Option<CloseReason<V>>,
    /// True once the first bytes were received. The decoder was at the start of its stream then.
    pub(crate) has_decoder: bool,
}

impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Creates a connection that has not begun. `session` is empty, or at a client the session of
    /// its previous connection.
    pub fn new(session: Session<S>, config: Config, now: Timestamp) -> Self {
        let mut machine = Machine::new(session, config, R::KEEP_ALIVE_BASIS, now);
        R::start(&mut machine);
        Self::of_machine(machine, false)
    }

    /// Creates a connection that has not begun.
    pub(super) fn of_machine(machine: Machine<S>, has_decoder: bool) -> Self {
        Self {
            machine,
            limits: V::Limits::default(),
            role: R::State::default(),
            reason: None,
            has_decoder,
        }
    }

    /// Returns the state of the connection.
    pub const fn state(&self) -> State {
        self.machine.state()
    }

    /// Returns the Keep Alive in seconds; 0 disables it. In MQTT 5 the server may have changed it.
    pub const fn keep_alive(&self) -> u16 {
        self.machine.keep_alive
    }

    /// Returns the session, for example to save it.
    pub const fn session(&self) -> &Session<S> {
        &self.machine.session
    }

    /// Ends the connection, if it has not ended, and returns the session for the next one. Actions not
    /// polled yet are discarded: with a journal, end the connection with [`close`](Self::close) and drain
    /// [`poll_action`](Self::poll_action) first.
    ///
    /// A session that ends with its connection ([`session_ends`](Self::session_ends)) is empty.
    pub fn into_session(mut self) -> Session<S> {
        self.end_session();
        self.machine.session
    }

    /// [`into_session`](Self::into_session) through a mutable reference. Leaves an empty session.
    pub fn take_session(&mut self) -> Session<S>
    where
        Session<S>: Default,
    {
        self.end_session();
        core::mem::take(&mut self.machine.session)
    }

    fn end_session(&mut self) {
        self.end(CloseReason::Aborted);
        self.machine.forget_lost();
    }

    /// Returns true if the session ends with the connection: with Clean Session, or in MQTT 5 with
    /// a Session Expiry Interval of 0. A server does not keep it then [MQTT-3.1.2-6].
    pub const fn session_ends(&self) -> bool {
        self.machine.session_ends
    }
}

/// Prints the state and the number of messages in flight, not every Packet Identifier.
impl<V: Version, R: Role, S> core::fmt::Debug for Connection<V, R, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Connection")
            .field("state", &self.machine.pending.state())
            .field("keep_alive", &self.machine.keep_alive)
            .field("session", &self.machine.session)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<V: Version, R: Role, S> defmt::Format for Connection<V, R, S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Connection {{ state: {}, keep_alive: {=u16}, session: {} }}",
            self.machine.pending.state(),
            self.machine.keep_alive,
            self.machine.session
        );
    }
}
