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
//! | `work.rs` | instructions, where nothing else can count |
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

mod bytes;
mod drivers;
mod floods;
mod identifiers;
mod work;

use std::cell::Cell;

use allocation_counter::{AllocationInfo, measure};
use conversation::{Drive, Peer, Role, Storage, ms};
use mqtt_sansio::v3::{self, Action, CloseReason, Decoder, HandleError, PeerError};
use mqtt_sansio::{Config, Options, Session, Slot, Slots, Timestamp};

/// Runs a test for a client that a server does harm to, and the other way round.
macro_rules! for_both_roles {
    ($($(#[$meta:meta])* fn $name:ident<$Us:ident>() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn holds<$Us: Role>() $body

            #[test]
            fn of_a_client() {
                holds::<conversation::AsClient>();
            }

            #[test]
            fn of_a_server() {
                holds::<conversation::AsServer>();
            }
        }
    )*};
}
pub(crate) use for_both_roles;

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

/// One side, connected to a peer that is not to be trusted.
fn connected<R: Role>(config: Config) -> R::Peer<Counted> {
    R::begins(config).peer
}

/// The same with a session of this many slots in each direction.
fn connected_with<R: Role>(config: Config, slots: usize) -> R::Peer<Counted> {
    let session = Session::new(Counted::fixed(slots), Counted::fixed(slots));
    R::resumes(config, session).peer
}

/// What a packet has led to. It owns nothing, so that the heap can be watched meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dealt {
    /// The application was told.
    told: bool,
    /// What was sent, as far as it fits: one packet.
    sent: Option<[u8; 4]>,
    /// How many actions there were, each of which was carried out.
    actions: usize,
    error: Option<HandleError>,
    closed: Option<CloseReason>,
}

const NOTHING: Dealt = Dealt {
    told: false,
    sent: None,
    actions: 0,
    error: None,
    closed: None,
};

/// Hands in the packet that `bytes` are, and does what is asked for then.
fn deal<P: Peer>(peer: &mut P, bytes: &[u8]) -> Dealt {
    deal_at(peer, ms(0), bytes)
}

fn deal_at<P: Peer>(peer: &mut P, now: Timestamp, mut bytes: &[u8]) -> Dealt {
    let options = Options::new();
    let packet = v3::decode(&mut bytes, &options).unwrap().unwrap();
    assert!(bytes.is_empty(), "one packet only");
    let result = peer.handle_packet(now, packet);
    let mut dealt = Dealt {
        told: matches!(result, Ok(Some(_))),
        error: result.err(),
        ..NOTHING
    };
    while let Some(action) = peer.poll_action() {
        dealt.actions += 1;
        match action {
            Action::Transmit(control) => {
                let mut sent = [0; 4];
                sent[..control.as_bytes().len()].copy_from_slice(control.as_bytes());
                assert_eq!(dealt.sent.replace(sent), None, "one answer to one packet");
            }
            Action::Close(reason) => dealt.closed = Some(reason),
            _ => {}
        }
    }
    dealt
}

/// Told to the application, and nothing else.
const TOLD: Dealt = Dealt {
    told: true,
    ..NOTHING
};

/// Answered, and not told.
fn answered(sent: [u8; 4]) -> Dealt {
    Dealt {
        sent: Some(sent),
        actions: 1,
        ..NOTHING
    }
}

/// The end of a connection.
fn closed_for(error: PeerError) -> Dealt {
    Dealt {
        error: Some(HandleError::Peer(error)),
        closed: Some(CloseReason::Violation(error)),
        actions: 1,
        ..NOTHING
    }
}

fn with_id(first: u8, number: u16) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    [first, 2, high, low]
}

fn puback(number: u16) -> [u8; 4] {
    with_id(0x40, number)
}

fn pubrec(number: u16) -> [u8; 4] {
    with_id(0x50, number)
}

fn pubrel(number: u16) -> [u8; 4] {
    with_id(0x62, number)
}

fn pubcomp(number: u16) -> [u8; 4] {
    with_id(0x70, number)
}

/// A PUBLISH with this first byte and identifier, to the topic `t`, without a payload.
fn publish(first: u8, number: u16) -> [u8; 7] {
    let [high, low] = number.to_be_bytes();
    [first, 5, 0, 1, b't', high, low]
}

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
fn decoder(options: Options) -> Decoder<Vec<u8>> {
    Decoder::with_options(Vec::new(), options)
}
