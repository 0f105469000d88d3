//! Hostile peers, and applications that do not do what they must. Memory is bounded by the
//! configured limits, work by the bytes received, and each connection ends with a named reason: an
//! error, a reason to close, a statement of the standard. Tests count bytes and steps, and measure
//! no time.
//!
//! | file | subject |
//! |---|---|
//! | `bytes.rs` | announced lengths, unfinished packets, largest packets |
//! | `identifiers.rs` | Packet Identifiers: held for ever, colliding, unknown, in the worst order |
//! | `floods.rs` | one packet, again and again |
//! | `drivers.rs` | the application itself: actions not polled, requests not answered, wild clocks |
//! | `properties.rs` | MQTT 5: User Properties without end, 256 MB of properties |
//! | `agreed.rs` | MQTT 5: packets larger than announced |
//! | `quota.rs` | MQTT 5: Receive Maximum, exceeded by one and by all; PUBREC with errors |
//! | `aliases.rs` | MQTT 5: Topic Aliases at their limits and beyond |
//! | `auth.rs` | MQTT 5: AUTH without end |
//! | `work.rs`, `workloads.rs` | instructions, where no other measure exists |
//!
//! Each test that holds for every version runs for a client and a server of each, and for a server
//! of any version: `sides.rs`. `dialect.rs` has the parts of a version that the tests need.
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
    reason = "a test fails by panicking, and has std"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../conversation/mod.rs"]
mod conversation;

mod agreed;
mod aliases;
mod auth;
mod bytes;
mod dealt;
mod dialect;
mod drivers;
mod floods;
mod identifiers;
mod properties;
mod quota;
mod sides;
mod work;
mod workloads;

use std::cell::Cell;

use allocation_counter::{AllocationInfo, measure};
use conversation::{Storage, ms};
use dealt::{Dealt, answered, carry_out, closed_for, deal, deal_at, ended, told_and_answered};
use dialect::{Dialect, Sent, Wire};
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use mqtt_sansio::{
    Action, ClientRole, CloseReason, Config, Connection, HandleError, Options, PeerError, QoS,
    Role, ServerRole, Session, Slot, Slots, StreamDecoder,
};
use sides::{Side, Task, Us};

/// The tests of `holds` in each version and role.
macro_rules! sides_of_one_version {
    () => {
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
    };
}
pub(crate) use sides_of_one_version;

/// Runs a test in each version, for a client with a hostile server and for a server with a hostile
/// client.
macro_rules! for_each_version_and_role {
    ($($(#[$meta:meta])* fn $name:ident<$Us:ident>() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn holds<$Us: sides::OfOneVersion>() $body

            $crate::sides_of_one_version!();
        }
    )*};
}
pub(crate) use for_each_version_and_role;

/// The same, and for a server of any version with a client of each version.
macro_rules! for_all_sides {
    ($($(#[$meta:meta])* fn $name:ident<$Us:ident>() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn holds<$Us: sides::Us>() $body

            $crate::sides_of_one_version!();

            #[test]
            fn of_a_server_of_any_version() {
                holds::<sides::Any<V3>>();
            }

            #[test]
            fn of_a_server_of_any_version_to_a_client_of_mqtt_5() {
                holds::<sides::Any<V5>>();
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

            fn holds<$V: dialect::Dialect>() $body

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

/// Runs a test of MQTT 5 for a client with a hostile server, and for a server with a hostile
/// client.
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

const CONFIG: Config = Config::new();

/// Returns what `action` allocates.
fn heap(action: impl FnOnce()) -> AllocationInfo {
    measure(action)
}

thread_local! {
    static ACCESSES: Cell<u64> = const { Cell::new(0) };
}

/// Returns how often `action` accesses the slots of a session over [`Counted`].
fn accesses(action: impl FnOnce()) -> u64 {
    let before = ACCESSES.get();
    action();
    ACCESSES.get() - before
}

/// Slots that count accesses. Nearly every operation accesses one slot at a time. Loops over all
/// slots count as one access: they happen when a session is made or cleared, when the slots double,
/// and when a connection ends.
#[derive(Debug, Clone)]
struct Counted {
    slots: Vec<Slot>,
    may_grow: bool,
}

impl Counted {
    /// A fixed number of slots.
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

/// Returns one side, connected to a hostile peer. The client keeps its session.
fn connected<U: Us>(config: Config) -> U::Side {
    U::connected(config, Session::new(Counted::fresh(), Counted::fresh()))
}

/// The same with a session of this number of slots in each direction.
fn connected_with<U: Us>(config: Config, slots: usize) -> U::Side {
    U::connected(
        config,
        Session::new(Counted::fixed(slots), Counted::fixed(slots)),
    )
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
const fn publish(first: u8, number: u16) -> dialect::Publish {
    dialect::Publish { first, number }
}

const QOS_0: u8 = 0x30;
const QOS_1: u8 = 0x32;
const QOS_2: u8 = 0x34;
const DUP: u8 = 0x08;

/// Returns each number from 1 to 65,535 once, in a fixed order without a pattern.
fn scattered() -> impl Iterator<Item = u16> {
    (0..=u16::MAX)
        .map(|step| step.wrapping_mul(40_503).wrapping_add(12_345))
        .filter(|&number| number != 0)
}

/// Returns a decoder with a buffer that grows.
fn decoder<V: Dialect>(options: Options) -> StreamDecoder<V, Vec<u8>> {
    StreamDecoder::with_options(Vec::new(), options)
}
