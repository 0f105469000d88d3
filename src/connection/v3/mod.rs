//! Connections of MQTT 3.1 and 3.1.1.

mod client;
mod event;
mod message;
mod server;
mod version;

pub use event::Event;
pub use message::{Message, MessageHeader};

use super::connection::Connection;
use super::role::{ClientRole, ServerRole};
use super::{action, close_reason, error, reply, step};
use crate::v3::V3;

/// One connection of a client to a server that speaks MQTT 3.1.1 or 3.1: see
/// [`Connection`](crate::Connection).
#[cfg(feature = "alloc")]
pub type Client<S = alloc::vec::Vec<crate::Slot>> = Connection<V3, ClientRole, S>;
/// One connection of a client to a server that speaks MQTT 3.1.1 or 3.1: see
/// [`Connection`](crate::Connection).
#[cfg(not(feature = "alloc"))]
pub type Client<S> = Connection<V3, ClientRole, S>;

/// One connection of a server with a client that speaks MQTT 3.1.1 or 3.1: see
/// [`Connection`](crate::Connection).
///
/// - It begins with [`Event::ConnectRequested`]. The application decides by
///   [`accept_new`](Self::accept_new), [`accept_resumed`](Self::accept_resumed) or
///   [`refuse`](Self::refuse), and finds the session that belongs to the Client Identifier
///   [MQTT-3.1.3-2]. If the identifier is empty, it assigns one [MQTT-3.1.3-6].
/// - [`Event::SubscribeRequested`] and [`Event::UnsubscribeRequested`] are answered with
///   [`suback`](Self::suback) and [`unsuback`](Self::unsuback) before the next packet.
/// - When it ends, an action tells whether to publish or discard the Will.
///
/// Until CONNECT is accepted the client is unknown: give the decoder a small
/// [`Options::max_packet_size`](crate::Options::max_packet_size) until then.
#[cfg(feature = "alloc")]
pub type Server<S = alloc::vec::Vec<crate::Slot>> = Connection<V3, ServerRole, S>;
/// One connection of a server with a client that speaks MQTT 3.1.1 or 3.1: see
/// [`Connection`](crate::Connection).
#[cfg(not(feature = "alloc"))]
pub type Server<S> = Connection<V3, ServerRole, S>;

/// A task for the driver of a connection of MQTT 3.1.1.
pub type Action = action::Action<V3>;
/// The reason why a connection of MQTT 3.1.1 has ended.
pub type CloseReason = close_reason::CloseReason<V3>;
/// The reason why a packet of MQTT 3.1.1 was not handled.
pub type HandleError = error::HandleError<V3>;
/// A fault of a peer that speaks MQTT 3.1.1.
pub type PeerError = error::PeerError<V3>;
/// A packet of MQTT 3.1.1 that a connection sends by itself.
pub type Reply = reply::Reply<4>;
/// One step of a connection of MQTT 3.1.1.
pub type Step<B> = step::Step<V3, B>;

/// The fields of CONNECT that only this version has.
#[derive(Debug, Clone, Copy, Default)]
#[expect(unnameable_types, reason = "only connections of this version use it")]
pub struct Limits {
    /// CONNACK has Session Present, which MQTT 3.1 lacks.
    has_session_present: bool,
}
