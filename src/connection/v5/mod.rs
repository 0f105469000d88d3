//! Connections of MQTT 5.

mod aliases;
mod both;
mod client;
mod event;
mod limited;
mod limits;
mod message;
mod server;
mod version;

#[cfg(feature = "alloc")]
pub use aliases::AliasVec;
pub use aliases::{AliasArray, OutboundAliases, TopicAliases, WithTopicAliases};
pub use event::Event;
pub use limits::{Capabilities, Limits};
pub use message::{Message, MessageHeader};

use super::connection::Connection;
use super::role::{ClientRole, ServerRole};
use super::{action, close_reason, error, reply, step};
use crate::v5::{ConnectReasonCode, ReasonCode, V5};
use version::protocol_reason_code;

/// One connection of a client to a server that speaks MQTT 5: see
/// [`Connection`](crate::Connection).
#[cfg(feature = "alloc")]
pub type Client<S = alloc::vec::Vec<crate::Slot>> = Connection<V5, ClientRole, S>;
/// One connection of a client to a server that speaks MQTT 5: see
/// [`Connection`](crate::Connection).
#[cfg(not(feature = "alloc"))]
pub type Client<S> = Connection<V5, ClientRole, S>;

/// One connection of a server with a client that speaks MQTT 5: see
/// [`Connection`](crate::Connection).
///
/// - It begins with [`Event::ConnectRequested`]. The application decides by
///   [`accept_new`](Self::accept_new), [`accept_resumed`](Self::accept_resumed) or
///   [`refuse`](Self::refuse), and finds the session that belongs to the Client Identifier
///   [MQTT5-3.1.3-2]. If the identifier is empty, it assigns one and returns it as Assigned Client
///   Identifier [MQTT5-3.1.3-6, MQTT5-3.1.3-7].
/// - [`Event::SubscribeRequested`] and [`Event::UnsubscribeRequested`] are answered with
///   [`suback`](Self::suback) and [`unsuback`](Self::unsuback) before the next packet.
/// - When it ends, an action tells whether to publish or discard the Will;
///   [`will_delay_interval`](Self::will_delay_interval) and
///   [`session_expiry_interval`](Self::session_expiry_interval) return when.
///
/// The application, which knows all clients, has to do the rest:
///
/// - give the decoder the Maximum Packet Size that it announces as
///   [`Options::max_packet_size`](crate::Options::max_packet_size), room for the aliases of its Topic Alias
///   Maximum, and [`Config::receive_maximum`](crate::Config::receive_maximum) no less than its Receive
///   Maximum;
/// - disconnect the earlier connection of a client with 0x8E [MQTT5-3.1.4-3], publish the Will when it is
///   due unless the client has resumed its session [MQTT5-3.1.3-9], and drop the session when its Session
///   Expiry Interval has passed [MQTT5-4.1.0-2];
/// - skip a message that is [too large](crate::CommandError::PacketTooLarge) for a client, or
///   [forget](Self::forget) it when it is to be sent again [MQTT5-3.1.2-25];
/// - keep retained messages and subscriptions with their options, count down Message Expiry Interval, and
///   choose the member of a Shared Subscription.
#[cfg(feature = "alloc")]
pub type Server<S = alloc::vec::Vec<crate::Slot>> = Connection<V5, ServerRole, S>;
/// One connection of a server with a client that speaks MQTT 5: see
/// [`Connection`](crate::Connection).
#[cfg(not(feature = "alloc"))]
pub type Server<S> = Connection<V5, ServerRole, S>;

/// A task for the driver of a connection of MQTT 5.
pub type Action = action::Action<V5>;
/// The reason why a connection of MQTT 5 has ended.
pub type CloseReason = close_reason::CloseReason<V5>;
/// The reason why a packet of MQTT 5 was not handled.
pub type HandleError = error::HandleError<V5>;
/// A fault of a peer that speaks MQTT 5.
pub type PeerError = error::PeerError<V5>;
/// A packet of MQTT 5 that a connection sends by itself.
pub type Reply = reply::Reply<8>;
/// One step of a connection of MQTT 5.
pub type Step<B> = step::Step<V5, B>;

/// The reason why a server refuses a connection, in a [`CloseReason::Refused`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("{0}")]
#[expect(clippy::exhaustive_structs, reason = "a Reason Code and nothing else")]
pub struct Refusal(pub ConnectReasonCode);

impl PeerError {
    /// Returns the Reason Code of the fault, with which the connection is closed (section 4.13).
    #[must_use]
    pub const fn reason_code(&self) -> ReasonCode {
        match self {
            Self::Malformed(error) => error.reason_code(),
            Self::Protocol(error) => protocol_reason_code(error),
        }
    }
}
