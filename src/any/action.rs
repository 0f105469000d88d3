//! The tasks for the driver of a connection of any version.

use crate::session::Change;
use crate::types::PacketId;
use crate::{v3, v5};

/// A task for the driver of a [`Server`](super::Server). Carry out actions in order: see
/// [`Action`](crate::Action).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(
    clippy::exhaustive_enums,
    reason = "a driver that skipped an action it did not know would be wrong"
)]
#[must_use = "actions are to be carried out"]
pub enum Action {
    /// Store this change of the session before carrying out the next action.
    Store(Change),
    /// Send these bytes, after all output of earlier commands.
    Transmit(v5::Reply),
    /// Send this message again with [`resend`](super::Server::resend), or give it up with
    /// [`forget`](super::Server::forget).
    Resend(PacketId),
    /// The session has ended, and with it the delivery of this message.
    Lost {
        /// The Packet Identifier that the message had.
        packet_id: PacketId,
        /// True if the client has the message: PUBREC was received.
        received: bool,
    },
    /// Publish the client's Will, when its
    /// [`will_delay_interval`](super::Server::will_delay_interval) is over.
    PublishWill,
    /// Discard the client's Will.
    DiscardWill,
    /// Send all pending output, then close the transport. This is the last action.
    Close(CloseReason),
}

/// Why a connection of either version has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error(transparent)]
#[expect(
    clippy::exhaustive_enums,
    reason = "another version would be another module"
)]
pub enum CloseReason {
    /// A connection of MQTT 3.1.1.
    V3(v3::CloseReason),
    /// A connection of MQTT 5, or one whose version is not known yet.
    V5(v5::CloseReason),
}

impl CloseReason {
    /// Returns true if the client, or the server, has sent DISCONNECT.
    #[must_use]
    pub const fn is_disconnected(&self) -> bool {
        matches!(
            self,
            Self::V3(v3::CloseReason::Disconnected) | Self::V5(v5::CloseReason::Disconnected)
        )
    }
}

impl From<v5::Action> for Action {
    #[inline]
    fn from(action: v5::Action) -> Self {
        match action {
            v5::Action::Store(change) => Self::Store(change),
            v5::Action::Transmit(reply) => Self::Transmit(reply),
            v5::Action::Resend(packet_id) => Self::Resend(packet_id),
            v5::Action::Lost {
                packet_id,
                received,
            } => Self::Lost {
                packet_id,
                received,
            },
            // Only a client has requests.
            v5::Action::Unanswered(packet_id) => Self::Lost {
                packet_id,
                received: false,
            },
            v5::Action::PublishWill => Self::PublishWill,
            v5::Action::DiscardWill => Self::DiscardWill,
            v5::Action::Close(reason) => Self::Close(CloseReason::V5(reason)),
        }
    }
}

impl From<v3::Action> for Action {
    #[inline]
    fn from(action: v3::Action) -> Self {
        match action {
            v3::Action::Store(change) => Self::Store(change),
            v3::Action::Transmit(reply) => Self::Transmit(reply.widen()),
            v3::Action::Resend(packet_id) => Self::Resend(packet_id),
            v3::Action::Lost {
                packet_id,
                received,
            } => Self::Lost {
                packet_id,
                received,
            },
            // Only a client has requests.
            v3::Action::Unanswered(packet_id) => Self::Lost {
                packet_id,
                received: false,
            },
            v3::Action::PublishWill => Self::PublishWill,
            v3::Action::DiscardWill => Self::DiscardWill,
            v3::Action::Close(reason) => Self::Close(CloseReason::V3(reason)),
        }
    }
}
