//! The two sides of a connection, and their deadlines.

use crate::connection::config::SEND_BEFORE_CONNACK;
use core::fmt::Debug;

use super::connection::Connection;
use super::error::{Blocked, HandleError};
use super::machine::{KeepAliveBasis, Machine};
use super::state::State;
use super::version::{Outcome, Version};
use crate::session::Slots;
use crate::time::Timestamp;
use crate::types::PacketId;
use crate::wire::{Sealed, SentBy};

/// The side of a connection: [`ClientRole`] or [`ServerRole`]. The trait is sealed.
pub trait Role: Sealed + Copy + Debug + 'static {
    /// The state that only this role has.
    type State: Clone + Debug + Default;

    /// True for the server's side.
    #[doc(hidden)]
    const IS_SERVER: bool;

    /// The sender of received packets.
    #[doc(hidden)]
    const PEER: SentBy;

    /// The packets that restart Keep Alive.
    #[doc(hidden)]
    const KEEP_ALIVE_BASIS: KeepAliveBasis;

    /// Handles a packet that is neither a message nor an acknowledgement of one.
    #[doc(hidden)]
    fn handle<V: Version, S: Slots>(
        connection: &mut Connection<V, Self, S>,
        packet: &V::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError<V>>;

    /// Returns the state of a new connection.
    #[doc(hidden)]
    fn start<S: Slots>(machine: &mut Machine<S>);

    /// Checks whether the next packet has to wait for the application.
    #[doc(hidden)]
    fn check_may_handle<S: Slots>(state: &Self::State, machine: &Machine<S>)
    -> Result<(), Blocked>;

    /// Called before the connection ends.
    #[doc(hidden)]
    fn before_end<S: Slots>(state: &mut Self::State, machine: &mut Machine<S>);

    /// Handles the receipt of a part of a packet.
    #[doc(hidden)]
    fn progress<S: Slots>(machine: &mut Machine<S>);

    /// Returns the time for PINGREQ.
    #[doc(hidden)]
    fn ping_due<S: Slots>(machine: &Machine<S>) -> Option<Timestamp>;

    /// Returns the time at which the connection ends if nothing happens before.
    #[doc(hidden)]
    fn expiry<S: Slots>(state: &Self::State, machine: &Machine<S>) -> Option<Timestamp>;

    /// Handles the time of [`expiry`](Self::expiry). Returns `None` if the peer gets more time,
    /// because this side could not read until now.
    #[doc(hidden)]
    fn expire<S: Slots>(machine: &mut Machine<S>) -> Option<Expired>;
}

/// Which time limit has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(unnameable_types, reason = "only roles and the connection use it")]
pub enum Expired {
    Connect,
    KeepAlive,
    Ping,
}

/// The client's side of a connection.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum ClientRole {}

/// The server's side of a connection.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum ServerRole {}

impl Sealed for ClientRole {}
impl Sealed for ServerRole {}

impl Role for ClientRole {
    type State = ();

    const IS_SERVER: bool = false;
    const PEER: SentBy = SentBy::Server;
    const KEEP_ALIVE_BASIS: KeepAliveBasis = KeepAliveBasis::Sent;

    fn handle<V: Version, S: Slots>(
        client: &mut Connection<V, Self, S>,
        packet: &V::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        V::handle_at_client(client, packet)
    }

    fn start<S: Slots>(_: &mut Machine<S>) {}

    fn check_may_handle<S: Slots>((): &(), _: &Machine<S>) -> Result<(), Blocked> {
        Ok(())
    }

    fn before_end<S: Slots>((): &mut (), _: &mut Machine<S>) {}

    /// The server is alive but slow, so PINGRESP gets more time.
    fn progress<S: Slots>(machine: &mut Machine<S>) {
        machine.received_now();
    }

    /// Counted from the last packet *sent* [MQTT-3.1.2-23, MQTT5-3.1.2-20], and an eighth of the Keep
    /// Alive early, for a timer that is late.
    #[inline]
    fn ping_due<S: Slots>(machine: &Machine<S>) -> Option<Timestamp> {
        if machine.keep_alive == 0
            || machine.state() != State::Connected
            // PINGREQ cannot be sent between the pieces of a payload.
            || machine.is_sending_payload()
        {
            return None;
        }
        Some(machine.keep_alive_end(875))
    }

    /// CONNACK or PINGRESP is overdue. There is no deadline while this side does not handle what
    /// the server sends.
    fn expiry<S: Slots>((): &(), machine: &Machine<S>) -> Option<Timestamp> {
        machine
            .deadline
            .filter(|_| !machine.is_stalled() && !machine.pending.is_over_limit())
    }

    fn expire<S: Slots>(machine: &mut Machine<S>) -> Option<Expired> {
        if machine.use_keep_alive_extension() {
            // PINGRESP may follow packets that were blocked until now.
            machine.expect_pingresp();
            return None;
        }
        Some(match machine.state() {
            State::Connected => Expired::Ping,
            _ => Expired::Connect,
        })
    }
}

/// A request of the client that the application has not answered yet.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(unnameable_types, reason = "only the server's side uses it")]
pub enum Request {
    Subscribe { packet_id: PacketId, filters: u32 },
    Unsubscribe { packet_id: PacketId, filters: u32 },
}

impl Role for ServerRole {
    type State = Option<Request>;

    const IS_SERVER: bool = true;
    const PEER: SentBy = SentBy::Client;
    const KEEP_ALIVE_BASIS: KeepAliveBasis = KeepAliveBasis::Received;

    fn handle<V: Version, S: Slots>(
        server: &mut Connection<V, Self, S>,
        packet: &V::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        V::handle_at_server(server, packet)
    }

    fn start<S: Slots>(machine: &mut Machine<S>) {
        machine.deadline = machine.after(machine.config.connect_timeout);
        // Only a client may send before CONNACK [MQTT-3.2.0-1].
        machine.config = machine.config.with(SEND_BEFORE_CONNACK, false);
    }

    /// Packets that a client sends after CONNECT wait until the connection is accepted, and are not
    /// handled if it is refused [MQTT-3.1.4-5].
    fn check_may_handle<S: Slots>(
        request: &Option<Request>,
        machine: &Machine<S>,
    ) -> Result<(), Blocked> {
        let awaits_answer = machine.state() == State::Requested && !machine.awaits_auth;
        if request.is_some() || awaits_answer {
            return Err(Blocked::AnswerPending);
        }
        Ok(())
    }

    fn before_end<S: Slots>(request: &mut Option<Request>, machine: &mut Machine<S>) {
        *request = None;
        machine.pending.set_request(false);
        if matches!(machine.state(), State::Start | State::Requested) {
            // A Will is valid once the connection is accepted.
            machine.has_will = false;
        }
    }

    /// The client is alive but slow.
    fn progress<S: Slots>(machine: &mut Machine<S>) {
        if machine.state() == State::Connected {
            machine.received_now();
        }
    }

    fn ping_due<S: Slots>(_: &Machine<S>) -> Option<Timestamp> {
        None
    }

    /// The time limit for CONNECT, then one and a half times the Keep Alive after the last packet
    /// *received* [MQTT-3.1.2-24, MQTT5-3.1.2-22]. While the client has to wait for this side there is none.
    fn expiry<S: Slots>(request: &Option<Request>, machine: &Machine<S>) -> Option<Timestamp> {
        match machine.state() {
            State::Start => machine.deadline,
            State::Requested if machine.awaits_auth => machine.deadline,
            State::Connected
                if machine.keep_alive > 0 && request.is_none() && !machine.is_stalled() =>
            {
                Some(machine.keep_alive_end(1500))
            }
            State::Requested | State::Connected | State::Ending | State::Ended => None,
        }
    }

    fn expire<S: Slots>(machine: &mut Machine<S>) -> Option<Expired> {
        if machine.use_keep_alive_extension() {
            // Packets that the client has sent meanwhile are still unread.
            machine.received_now();
            return None;
        }
        Some(match machine.state() {
            State::Connected => Expired::KeepAlive,
            _ => Expired::Connect,
        })
    }
}
