//! Why a connection has ended.

use super::error::PeerError;
use super::limit::{Came, Limit, OfValue};
use super::version::Version;

/// Why a connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CloseReason<V: Version> {
    /// DISCONNECT was sent or received.
    #[error("disconnected")]
    Disconnected,
    /// The transport was closed, by the peer or by the network.
    #[error("the transport was closed")]
    TransportClosed,
    /// The application has closed the connection with `close`.
    #[error("closed by this side")]
    Aborted,
    /// The server has refused the connection.
    #[error("the server refused the connection: {0}")]
    Refused(#[source] V::Refusal),
    /// The peer violated the protocol [MQTT-4.8.0-1].
    #[error("protocol violation: {0}")]
    Violation(#[source] PeerError<V>),
    /// The peer has exceeded a limit of this side, which is not a fault of the peer. The [`Limit`]
    /// names the remedies.
    #[error("limit of this side: {limit}{}{}", OfValue(*.value), Came(*.actual))]
    LimitExceeded {
        /// The limit.
        limit: Limit,
        /// Its value; 0 where that is not known: for the heap, for Topic Aliases, and for an error that
        /// was passed to [`handle_decode_error`](crate::Connection::handle_decode_error).
        value: u32,
        /// The value that exceeded it: the size of the packet in bytes, or a number; 0 if it is not
        /// known.
        actual: u32,
    },
    /// CONNECT, or CONNACK, was not received within
    /// [`Config::connect_timeout`](crate::Config::connect_timeout).
    #[error("no CONNECT or CONNACK in time")]
    ConnectTimeout,
    /// The client has sent nothing for one and a half times its Keep Alive [MQTT-3.1.2-24].
    #[error("nothing received within one and a half times the Keep Alive")]
    KeepAliveTimeout,
    /// The peer's Maximum Packet Size is smaller than the reply that is due. MQTT 5 forbids to send the
    /// reply, and the exchange needs it, so this side closes [MQTT5-3.1.2-24, MQTT5-3.2.2-15].
    #[error("a reply is larger than the Maximum Packet Size of the peer")]
    ReplyTooLarge,
    /// The server has not sent PINGRESP within [`Config::ping_timeout`](crate::Config::ping_timeout)
    /// (section 3.1.2.10).
    #[error("no PINGRESP in time")]
    PingTimeout,
}
