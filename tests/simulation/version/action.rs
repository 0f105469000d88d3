//! The actions of the library, in one shape for all versions.

use mqtt_sansio::{Change, PacketId, Version, any};

/// An action of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Store(Change),
    Transmit(Vec<u8>),
    Resend(PacketId),
    Lost { packet_id: PacketId, received: bool },
    Unanswered(PacketId),
    PublishWill,
    DiscardWill,
    Close(Close, String),
}

/// Why a connection ends, as far as the harness distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    Violation,
    KeepAliveTimeout,
    ConnectTimeout,
    PingTimeout,
    Other,
}

impl<V: Version> From<mqtt_sansio::CloseReason<V>> for Close {
    fn from(reason: mqtt_sansio::CloseReason<V>) -> Self {
        use mqtt_sansio::CloseReason as Reason;
        match reason {
            Reason::Violation(_) => Self::Violation,
            Reason::KeepAliveTimeout => Self::KeepAliveTimeout,
            Reason::ConnectTimeout => Self::ConnectTimeout,
            Reason::PingTimeout => Self::PingTimeout,
            _ => Self::Other,
        }
    }
}

impl<V: Version> From<mqtt_sansio::Action<V>> for Action {
    fn from(action: mqtt_sansio::Action<V>) -> Self {
        use mqtt_sansio::Action as Of;
        match action {
            Of::Store(change) => Self::Store(change),
            Of::Transmit(reply) => Self::Transmit(reply.as_ref().to_vec()),
            Of::Resend(packet_id) => Self::Resend(packet_id),
            Of::Lost {
                packet_id,
                received,
            } => Self::Lost {
                packet_id,
                received,
            },
            Of::Unanswered(packet_id) => Self::Unanswered(packet_id),
            Of::PublishWill => Self::PublishWill,
            Of::DiscardWill => Self::DiscardWill,
            Of::Close(reason) => Self::Close(reason.into(), reason.to_string()),
        }
    }
}

impl From<any::Action> for Action {
    fn from(action: any::Action) -> Self {
        use any::Action as Of;
        match action {
            Of::Store(change) => Self::Store(change),
            Of::Transmit(reply) => Self::Transmit(reply.as_bytes().to_vec()),
            Of::Resend(packet_id) => Self::Resend(packet_id),
            Of::Lost {
                packet_id,
                received,
            } => Self::Lost {
                packet_id,
                received,
            },
            Of::PublishWill => Self::PublishWill,
            Of::DiscardWill => Self::DiscardWill,
            Of::Close(any::CloseReason::V3(reason)) => {
                Self::Close(reason.into(), reason.to_string())
            }
            Of::Close(any::CloseReason::V5(reason)) => {
                Self::Close(reason.into(), reason.to_string())
            }
        }
    }
}
