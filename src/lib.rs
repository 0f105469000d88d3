//! A codec, a streaming decoder and connection state machines for MQTT 3.1, 3.1.1 and 5, without I/O.
//!
//! The crate turns received bytes into events, and commands into bytes to send. Sockets, timers and
//! threads are the caller's: pass in bytes and the time, send the bytes that are returned, and call
//! again before the deadline that is returned. There is no unsafe code, no call panics, and without the
//! feature `alloc` there is no heap.
//!
//! ```
//! use mqtt_sansio::v3::{Client, Connect, Decoder, Event, Step};
//! use mqtt_sansio::{Config, QoS, Session, Slot, SliceOutput, Text, Timestamp, TopicFilter};
//!
//! let now = Timestamp::from_millis(0); // from the caller's clock
//! let mut client = Client::new(Session::<[Slot; 4]>::default(), Config::new(), now);
//! let mut decoder = Decoder::new([0; 256]);
//! let mut buffer = [0; 256];
//! let mut out = SliceOutput::new(&mut buffer);
//!
//! client.connect(now, &Connect::new(Text::new("device-7")?), &mut out)?;
//! assert_eq!(out.written()[0], 0x10); // CONNECT, to be sent
//! out.clear();
//!
//! let mut received = &b"\x20\x02\x00\x00"[..]; // CONNACK, from a socket
//! while let Some(step) = client.receive(now, &mut decoder, &mut received)? {
//!     if let Step::Event(Event::Connected { .. }) = step {
//!         client.subscribe_to(now, &TopicFilter::new("kitchen/+")?, QoS::AtLeastOnce, &mut out)?;
//!     }
//! }
//! assert_eq!(out.written()[0], 0x82); // SUBSCRIBE
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to start
//!
//! | you write | types | guide |
//! |---|---|---|
//! | an application | [`v3::Client`] or [`v5::Client`], which are [`Connection`]s; [`Outbox`] | [`guide::client`], [`guide::persistence`] |
//! | a broker | [`any::Server`] for all versions on one port; [`FilterTree`], [`TopicTree`], [`EncodedMessage`] | [`guide::broker`] |
//! | firmware | [`v3::Client`] over `[Slot; N]`, [`v3::Decoder`] over `[u8; N]`, [`SliceOutput`] | [`embedding`] |
//! | a tool | [`v3::decode`], [`v5::decode`], [`any::Decoder`], [`Encode`], [`DecodeError`] | [`v3`], [`v5`], [`Options`] |
//!
//! [`guide::mqtt5`] lists what MQTT 5 adds, [`guide::coming_from`] the names that other crates use.
//!
//! # The parts
//!
//! ![Layers from bytes to events: at the bottom the packets of each version, above them decoder, session and
//! fan-out, then the connection, then `any`; the trees of topics stand beside them.][layers]
//!
//! - [`Connection`] is one connection of a client or a server. Its documentation describes the loop that
//!   drives it: [`receive`](Connection::receive) for bytes, commands such as
//!   [`publish`](Connection::publish), [`poll_timeout`](Connection::poll_timeout) for the deadline.
//! - [`v3`] and [`v5`] have the packets of each version, its `Client` and `Server`, and their events.
//! - [`any`] recognises the version of a client by its first bytes.
//! - [`StreamDecoder`] (as `v3::Decoder` and `v5::Decoder`) splits a byte stream into packets;
//!   [`Encode`] writes packets to any [`Output`].
//! - [`Session`] holds the Packet Identifiers in flight, which outlive a connection.
//! - [`TopicName`], [`TopicFilter`] and [`Text`] are strings that have been validated. [`FilterTree`] and
//!   [`TopicTree`] find all that match (feature `alloc`).
//!
//! # What holds for all of them
//!
//! - Decoding checks every rule that bytes alone can break. A [`DecodeError`] names the packet, the field,
//!   the offset and the statement of the standard. [`Options`] has a leniency for each known kind of faulty
//!   peer; all are off by default.
//! - The same bytes give the same packets, or the same error at the same byte, however they are split.
//!   Memory follows the bytes received, never an announced length.
//! - Packets and events are generic over where their bytes live. Decoding borrows; `to_owned` copies into
//!   `Vec`s, `share` makes `Bytes` without copying the payload.
//! - A session stores eight bytes for each Packet Identifier in flight, and no messages.
//!
//! Statement ids such as `MQTT-3.1.2-24` are those of the OASIS standard; for MQTT 5 they are written
//! `MQTT5-3.1.2-24` in this documentation.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `std` (default) | `alloc`, and `std` in the optional dependencies |
//! | `alloc` | owned packets, `Vec<u8>` as decoder buffer and as output, topic trees, `Outbox` |
//! | `bytes` | packets over `Bytes` without a copy, `BytesMut` and any `BufMut` as output |
//! | `serde` | `Serialize`, and with `alloc` `Deserialize` |
//! | `defmt` | `defmt::Format` |
//! | `arbitrary` | `arbitrary::Arbitrary` for owned packets |
//! | `tokio-util` | `std`, `bytes` and `Codec`, for `tokio_util::codec::Framed` |
//!
//! Without any of them the crate needs `core` only.
//!
#![doc = include_str!("../doc/pictures/layers.uri")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    test,
    allow(
        clippy::std_instead_of_alloc,
        reason = "unit tests have std with any features"
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod any;
mod connection;
mod decoder;
#[doc = include_str!("../doc/pictures/firmware_loop.uri")]
#[doc = include_str!("embedding.md")]
pub mod embedding {}
mod fan_out;
pub mod guide;
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
pub use decoder::{Buffer, Piece, StreamDecoder, WholePackets};
pub use fan_out::{EncodedMessage, Receiver, SubscriberHeader};
#[cfg(feature = "alloc")]
pub use session::Outbox;
pub use session::{Acknowledgement, Change, InFlight, RestoreError, Session, Slot, Slots, Stage};
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
