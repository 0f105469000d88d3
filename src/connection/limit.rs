//! Limits of this side, and what to say when one is exceeded.

use core::fmt;

/// A limit of this side that the peer has exceeded. It is not the peer's fault, and not a violation.
///
/// A peer that is to send the same again after a reconnect exceeds the limit again. Each limit names the
/// ways out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Limit {
    /// The size of a packet, in bytes: the smaller of
    /// [`Options::max_packet_size`](crate::Options::max_packet_size) and the decoder's buffer, or
    /// [`Options::max_publish_size`](crate::Options::max_publish_size).
    ///
    /// Ways out: a larger limit; [`Options::payloads_in_pieces`](crate::Options::payloads_in_pieces),
    /// which needs no more memory; or
    /// [`Options::skip_large_messages`](crate::Options::skip_large_messages), which acknowledges the
    /// message without its payload, so that the peer does not send it again.
    PacketSize,
    /// The number of Topic Filters in one packet:
    /// [`Options::max_filters`](crate::Options::max_filters). Way out: a larger limit.
    TopicFilters,
    /// The number of QoS 2 messages that the peer has not released:
    /// [`Config::receive_maximum`](crate::Config::receive_maximum), or the inbound slots of the session.
    ///
    /// Those that were held have been finished, as far as the peer has released them in time; it sends
    /// the others again on the next connection. If all are from earlier connections, the peer may have
    /// lost its memory of them: a server that sees this again and again may drop the session. Way out:
    /// more slots.
    InboundMessages,
    /// The memory of the heap, which had no room for a packet, in bytes. Ways out: as for
    /// [`PacketSize`](Self::PacketSize).
    Memory,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PacketSize => "packet size in bytes",
            Self::TopicFilters => "Topic Filters in one packet",
            Self::InboundMessages => "QoS 2 messages that are not released",
            Self::Memory => "memory for a packet, in bytes",
        })
    }
}

/// Prints ` of 10`, or nothing.
pub(super) struct OfValue(pub(super) u32);

impl fmt::Display for OfValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            value => write!(f, " of {value}"),
        }
    }
}

/// Prints `: 11 came`, or nothing.
pub(super) struct Came(pub(super) u32);

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            actual => write!(f, ": {actual} came"),
        }
    }
}
