//! Peers that want to do harm, and drivers that do not do what they should. What is held is bounded
//! by the limits that were set, what is done by the bytes that came, and how it ends has a name: an
//! error, a reason to close, a statement of the standard. Everything is counted, nothing is timed.
//!
//! | file | whom it is about |
//! |---|---|
//! | `bytes.rs` | what is announced, begun, or as large as can be |
//! | `identifiers.rs` | Packet Identifiers: held for ever, colliding, unknown, in the worst order |
//! | `floods.rs` | one packet, again and again |
//! | `drivers.rs` | the application itself: actions not polled, requests not answered, wild clocks |
//! | `properties.rs` | MQTT 5: User Properties without end, 256 MB of properties |
//! | `agreed.rs` | MQTT 5: limits that were announced, at their edges and beyond; AUTH without end |
//! | `work.rs` | instructions, where nothing else can count |
//!
//! What holds in every version is tested for a client and a server of each: `sides.rs` has what the
//! tests need to know of a version.
//!
//! Elsewhere: single bytes and announced lengths in `tests/work.rs` and `tests/allocations.rs`, each
//! packet in each state in `tests/states.rs`, limits at their edges in `tests/cuts.rs` and
//! `tests/pieces.rs`.

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_const_for_fn,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test stops at what it does not expect, and has std"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../conversation/mod.rs"]
mod conversation;

mod agreed;
mod bytes;
mod drivers;
mod floods;
mod identifiers;
mod properties;
mod sides;
mod work;

use std::cell::Cell;

use allocation_counter::{AllocationInfo, measure};
use conversation::{Storage, ms};
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use mqtt_sansio::{
    Action, ClientRole, CloseReason, Config, Connection, HandleError, Options, PeerError, QoS,
    Role, ServerRole, Session, Slot, Slots, StreamDecoder, Timestamp,
};
use sides::{Dialect, Sent, Us, Wire};

/// Runs a test for a client that a server does harm to, and the other way round, in each version.
macro_rules! for_all_sides {
    ($($(#[$meta:meta])* fn $name:ident<$Us:ident>() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn holds<$Us: sides::Us>() $body

            #[test]
            fn of_a_client() {
                holds::<(V3, ClientRole)>();
            }

            #[test]
            fn of_a_server() {
                holds::<(V3, ServerRole)>();
            }

            #[test]
            fn of_a_client_of_mqtt_5() {
                holds::<(V5, ClientRole)>();
            }

            #[test]
            fn of_a_server_of_mqtt_5() {
                holds::<(V5, ServerRole)>();
            }
        }
    )*};
}
pub(crate) use for_all_sides;

/// Runs a test in each version.
macro_rules! for_all_versions {
    ($($(#[$meta:meta])* fn $name:ident<$V:ident>() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn holds<$V: sides::Dialect>() $body

            #[test]
            fn of_mqtt_3_1_1() {
                holds::<V3>();
            }

            #[test]
            fn of_mqtt_5() {
                holds::<V5>();
            }
        }
    )*};
}
pub(crate) use for_all_versions;

/// Runs a test of MQTT 5 for a client that a server does harm to, and the other way round.
macro_rules! for_both_roles_of_mqtt_5 {
    ($($(#[$meta:meta])* fn $name:ident<$R:ident>() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn holds<$R: crate::agreed::Agrees>() $body

            #[test]
            fn of_a_client() {
                holds::<ClientRole>();
            }

            #[test]
            fn of_a_server() {
                holds::<ServerRole>();
            }
        }
    )*};
}
pub(crate) use for_both_roles_of_mqtt_5;

/// What a [`Us`] is: a connection over slots that count.
type UsOf<U> = Connection<<U as Us>::Version, <U as Us>::Role, Counted>;

const CONFIG: Config = Config::new();

/// What `action` asks of the heap.
fn heap(action: impl FnOnce()) -> AllocationInfo {
    measure(action)
}

thread_local! {
    static ACCESSES: Cell<u64> = const { Cell::new(0) };
}

/// How often `action` goes to the slots of a session over [`Counted`].
fn accesses(action: impl FnOnce()) -> u64 {
    let before = ACCESSES.get();
    action();
    ACCESSES.get() - before
}

/// Slots that count how often they are gone to: for nearly all work that is one slot each time.
/// What goes through all of them at once counts as one time. That is done when a session is made or
/// cleared, when the slots double, and when a connection ends.
#[derive(Debug)]
struct Counted {
    slots: Vec<Slot>,
    may_grow: bool,
}

impl Counted {
    /// So many, and never more.
    fn fixed(slots: usize) -> Self {
        Self {
            slots: vec![Slot::EMPTY; slots],
            may_grow: false,
        }
    }
}

impl Storage for Counted {
    fn fresh() -> Self {
        Self {
            slots: Vec::new(),
            may_grow: true,
        }
    }
}

impl Slots for Counted {
    fn as_slice(&self) -> &[Slot] {
        ACCESSES.set(ACCESSES.get() + 1);
        &self.slots
    }

    fn as_mut_slice(&mut self) -> &mut [Slot] {
        ACCESSES.set(ACCESSES.get() + 1);
        &mut self.slots
    }

    fn grow(&mut self) -> bool {
        self.may_grow && self.slots.grow()
    }

    fn can_grow(&self) -> bool {
        self.may_grow && self.slots.can_grow()
    }
}

/// One side, connected to a peer that is not to be trusted. The client keeps its session.
fn connected<U: Us>(config: Config) -> UsOf<U> {
    U::connected(config, Session::new(Counted::fresh(), Counted::fresh()))
}

/// The same with a session of this many slots in each direction.
fn connected_with<U: Us>(config: Config, slots: usize) -> UsOf<U> {
    U::connected(
        config,
        Session::new(Counted::fixed(slots), Counted::fixed(slots)),
    )
}

/// What a packet has led to. It owns nothing, so that the heap can be watched meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dealt<V: Dialect> {
    /// The application was told.
    told: bool,
    /// What was sent: one packet.
    sent: Option<Sent>,
    /// How many actions there were, each of which was carried out.
    actions: usize,
    error: Option<HandleError<V>>,
    closed: Option<CloseReason<V>>,
}

impl<V: Dialect> Dealt<V> {
    const NOTHING: Self = Self {
        told: false,
        sent: None,
        actions: 0,
        error: None,
        closed: None,
    };

    /// Told to the application, and nothing else.
    const TOLD: Self = Self {
        told: true,
        ..Self::NOTHING
    };
}

/// Hands in a packet, and does what is asked for then.
fn deal<V: Dialect, R: Role>(us: &mut Connection<V, R, Counted>, packet: &impl Wire) -> Dealt<V> {
    deal_at(us, ms(0), packet)
}

fn deal_at<V: Dialect, R: Role>(
    us: &mut Connection<V, R, Counted>,
    now: Timestamp,
    packet: &impl Wire,
) -> Dealt<V> {
    let options = Options::new();
    packet.wire::<V, _>(|mut bytes| {
        let packet = V::decode(&mut bytes, &options).unwrap().unwrap();
        assert!(bytes.is_empty(), "one packet only");
        let result = us.handle_packet(now, packet);
        carry_out(us, matches!(result, Ok(Some(_))), result.err())
    })
}

/// Does what is asked for.
fn carry_out<V: Dialect, R: Role>(
    us: &mut Connection<V, R, Counted>,
    told: bool,
    error: Option<HandleError<V>>,
) -> Dealt<V> {
    let mut dealt = Dealt {
        told,
        error,
        ..Dealt::NOTHING
    };
    while let Some(action) = us.poll_action() {
        dealt.actions += 1;
        match action {
            Action::Transmit(reply) => {
                let sent = Sent::of(reply.as_ref());
                assert_eq!(dealt.sent.replace(sent), None, "one answer to one packet");
            }
            Action::Close(reason) => dealt.closed = Some(reason),
            _ => {}
        }
    }
    dealt
}

/// Answered, and not told.
fn answered<V: Dialect>(sent: Sent) -> Dealt<V> {
    Dealt {
        sent: Some(sent),
        actions: 1,
        ..Dealt::NOTHING
    }
}

/// Answered, and told.
fn told_and_answered<V: Dialect>(sent: Sent) -> Dealt<V> {
    Dealt {
        told: true,
        ..answered(sent)
    }
}

/// The end of a connection.
fn closed_for<V: Dialect>(error: PeerError<V>) -> Dealt<V> {
    let disconnect = V::disconnect_for(&error);
    Dealt {
        error: Some(HandleError::Peer(error)),
        sent: disconnect,
        closed: Some(CloseReason::Violation(error)),
        actions: 1 + usize::from(disconnect.is_some()),
        ..Dealt::NOTHING
    }
}

/// What every packet leads to after the end of a connection.
fn ended<V: Dialect>() -> Dealt<V> {
    Dealt {
        error: Some(HandleError::Ended),
        ..Dealt::NOTHING
    }
}

const fn puback(number: u16) -> Sent {
    Sent::acknowledgement(0x40, number)
}

const fn pubrec(number: u16) -> Sent {
    Sent::acknowledgement(0x50, number)
}

const fn pubrel(number: u16) -> Sent {
    Sent::acknowledgement(0x62, number)
}

const fn pubcomp(number: u16) -> Sent {
    Sent::acknowledgement(0x70, number)
}

/// A PUBLISH with this first byte and identifier, to the topic `t`, without a payload.
const fn publish(first: u8, number: u16) -> sides::Publish {
    sides::Publish { first, number }
}

/// A message to the topic `t`, without a payload.
fn message<U: Us>(qos: QoS) -> <U::Version as Dialect>::Message {
    U::Version::message(qos)
}

const QOS_0: u8 = 0x30;
const QOS_1: u8 = 0x32;
const QOS_2: u8 = 0x34;
const DUP: u8 = 0x08;

/// Numbers in an order without pattern, the same each time: each from 1 to 65,535 once.
fn scattered() -> impl Iterator<Item = u16> {
    (0..=u16::MAX)
        .map(|step| step.wrapping_mul(40_503).wrapping_add(12_345))
        .filter(|&number| number != 0)
}

/// A decoder with memory that grows.
fn decoder<V: Dialect>(options: Options) -> StreamDecoder<V, Vec<u8>> {
    StreamDecoder::with_options(Vec::new(), options)
}
