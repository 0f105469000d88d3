//! MQTT 3.1.1 (and 3.1) and MQTT 5 as values and pure functions.
//!
//! The crate turns bytes into packets, packets into events, and commands into bytes, and does
//! nothing else: no sockets, no clock, no threads, no unsafe code, and without the feature `alloc`
//! no heap. It is strict: what the standard forbids is an error that names the field, the offending
//! byte and the normative statement.
//!
//! - [`v3::Packet`], [`v5::Packet`]: the MQTT Control Packets of each version, generic over where their
//!   bytes live.
//! - [`v3::Decoder`], [`v5::Decoder`]: take byte slices cut anywhere, yield packets; a large PUBLISH in pieces
//!   if asked to.
//! - [`Encode`]: writes packets to a slice, a `Vec`, a `BytesMut` or any other [`Output`].
//! - [`Client`], [`Server`]: one connection each. They are fed bytes or packets, and time, and answer
//!   with [`Event`]s, [`Action`]s and one deadline. [`Client`] says how to drive them.
//! - [`Session`]: what outlives a connection.
//! - [`TopicName`], [`TopicFilter`]: validated when made, and which matches which; [`FilterTree`] and
//!   [`TopicTree`] find what matches among many (feature `alloc`).
//! - [`embedding`]: how firmware uses all this.
//!
//! [`Options`] says what a decoder accepts, and lists where conforming implementations differ.
//! Statement ids such as `MQTT-3.1.2-24` are those of the OASIS standard of the version that an error
//! belongs to.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `std` (default) | `alloc`, and `std` in the optional dependencies |
//! | `alloc` | owned packets, `Vec<u8>` as decoder memory and as output |
//! | `bytes` | packets over `Bytes` without a copy, `BytesMut` and any `BufMut` as output |
//! | `serde` | `Serialize`, and with `alloc` `Deserialize` |
//! | `defmt` | `defmt::Format` |
//! | `arbitrary` | `arbitrary::Arbitrary` for owned packets |
//! | `tokio-util` | `std`, `bytes` and `Codec`, for `tokio_util::codec::Framed` |
//!
//! Without any of them the crate needs `core` only.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::std_instead_of_alloc,
        reason = "unit tests have std whatever the features"
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod any;
mod connection;
mod decoder;
#[doc = include_str!("embedding.md")]
pub mod embedding {}
mod packet;
mod session;
mod time;
#[cfg(feature = "tokio-util")]
mod tokio_util;
#[cfg(feature = "alloc")]
mod topics;
mod types;
pub mod v3;
pub mod v5;
mod wire;

// Remaining Length needs 28 bits, and lengths are counted in `usize`.
#[cfg(target_pointer_width = "16")]
compile_error!("addresses of 16 bits are too short for the lengths of MQTT");

#[cfg(feature = "tokio-util")]
pub use self::tokio_util::{Codec, CodecError};
pub use connection::{
    Action, Blocked, ClientRole, CloseReason, CommandError, Config, Connection, HandleError, Limit,
    OutgoingMessage, PeerError, ProtocolError, Reply, Role, ServerRole, State, Step, Version,
};
pub use decoder::{Buffer, Piece, StreamDecoder};
#[cfg(feature = "alloc")]
pub use session::Outbox;
pub use session::{Change, InFlight, RestoreError, Session, Slot, Slots, Stage};
pub use time::Timestamp;
#[cfg(feature = "alloc")]
pub use topics::{FilterMatch, FilterMatches, FilterTree, TopicMatches, TopicTree};
pub use types::{
    Checked, Delivery, InvalidQoS, PacketId, QoS, SharedFilter, StringKind, Text, TextKind,
    TopicFilter, TopicFilterKind, TopicName, TopicNameKind,
};
#[cfg(feature = "bytes")]
pub use wire::BufMutOutput;
pub use wire::{
    DecodeError, Encode, EncodeError, ErrorKind, Field, Header, MAX_REMAINING_LENGTH, Options,
    Output, PacketSet, PacketType, SliceOutput, TextError,
};

/// The examples of the README are compiled and run with those of the documentation.
#[cfg(all(doctest, feature = "alloc"))]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
