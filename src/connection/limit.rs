//! The limits of this side that a peer can exceed.

use core::fmt;

/// A limit of this side that the peer has exceeded. It is not the peer's fault, and not a violation.
///
/// A peer that sends the same packet again on the next connection exceeds the limit again. Each
/// limit names the remedies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Limit {
    /// The size of a packet, in bytes: the smaller of
    /// [`Options::max_packet_size`](crate::Options::max_packet_size) and the decoder's buffer, or
    /// [`Options::max_publish_size`](crate::Options::max_publish_size). In MQTT 5, announce it as Maximum
    /// Packet Size: a peer that has read that and exceeds it is at fault [MQTT5-3.1.2-24, MQTT5-3.2.2-15].
    ///
    /// Remedies: a larger limit;
    /// [`Options::payloads_in_pieces`](crate::Options::payloads_in_pieces), which needs no more
    /// memory; or [`Options::skip_large_messages`](crate::Options::skip_large_messages), which
    /// acknowledges the message without its payload, so that the peer does not send it again.
    PacketSize,
    /// The number of Topic Filters in one packet:
    /// [`Options::max_filters`](crate::Options::max_filters). Remedy: a larger limit.
    TopicFilters,
    /// The number of QoS 2 messages that the peer has not released:
    /// [`Config::receive_maximum`](crate::Config::receive_maximum), or the inbound slots of the session.
    ///
    /// The deliveries that the peer released in time are complete; it sends the others again on the
    /// next connection. If all are from earlier connections, the peer may have lost its session: a
    /// server that sees this repeatedly may delete the session. Remedy: more slots.
    InboundMessages,
    /// The storage for the peer's Topic Aliases ([`TopicAliases`](crate::v5::TopicAliases)) has no room
    /// for this Topic Name, whose length in bytes is given: the name is longer than the storage allows,
    /// or the storage has fewer aliases than were announced as Topic Alias Maximum.
    ///
    /// Remedies: storage for longer names; storage for as many aliases as are announced; or a smaller
    /// Topic Alias Maximum.
    TopicAliases,
    /// The heap had no memory for a packet; the size is in bytes. Remedies: as for
    /// [`PacketSize`](Self::PacketSize).
    Memory,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PacketSize => "packet size in bytes",
            Self::TopicFilters => "Topic Filters in one packet",
            Self::InboundMessages => "QoS 2 messages that are not released",
            Self::TopicAliases => "storage for the Topic Name of a Topic Alias, in bytes",
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

/// Prints the value that exceeded the limit, or nothing.
pub(super) struct Came(pub(super) u32);

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            actual => write!(f, ": {actual} came"),
        }
    }
}
