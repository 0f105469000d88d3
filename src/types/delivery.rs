//! The fields of a PUBLISH that depend on its QoS.

use super::{PacketId, QoS};

/// The QoS of a PUBLISH with the fields that depend on it: Packet Identifier [MQTT-2.3.1-1] and DUP
/// above QoS 0, neither at QoS 0 [MQTT-2.3.1-5, MQTT-3.3.1-2].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard has three QoS and forbids a fourth"
)]
pub enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1: the receiver answers PUBACK.
    AtLeastOnce {
        /// Packet Identifier.
        packet_id: PacketId,
        /// DUP: this may have been sent before (section 3.3.1.1).
        dup: bool,
    },
    /// QoS 2: the receiver answers PUBREC.
    ExactlyOnce {
        /// Packet Identifier.
        packet_id: PacketId,
        /// DUP: this may have been sent before (section 3.3.1.1).
        dup: bool,
    },
}

impl Delivery {
    /// Returns the delivery at this QoS. At QoS 0 identifier and DUP are ignored.
    #[must_use]
    #[inline]
    pub const fn new(qos: QoS, packet_id: PacketId, dup: bool) -> Self {
        match qos {
            QoS::AtMostOnce => Self::AtMostOnce,
            QoS::AtLeastOnce => Self::AtLeastOnce { packet_id, dup },
            QoS::ExactlyOnce => Self::ExactlyOnce { packet_id, dup },
        }
    }

    /// Returns the QoS.
    #[must_use]
    #[inline]
    pub const fn qos(&self) -> QoS {
        match self {
            Self::AtMostOnce => QoS::AtMostOnce,
            Self::AtLeastOnce { .. } => QoS::AtLeastOnce,
            Self::ExactlyOnce { .. } => QoS::ExactlyOnce,
        }
    }

    /// Returns the Packet Identifier, or `None` at QoS 0.
    #[must_use]
    #[inline]
    pub const fn packet_id(&self) -> Option<PacketId> {
        match *self {
            Self::AtMostOnce => None,
            Self::AtLeastOnce { packet_id, .. } | Self::ExactlyOnce { packet_id, .. } => {
                Some(packet_id)
            }
        }
    }

    /// Returns DUP; false at QoS 0.
    #[must_use]
    #[inline]
    pub const fn dup(&self) -> bool {
        match *self {
            Self::AtMostOnce => false,
            Self::AtLeastOnce { dup, .. } | Self::ExactlyOnce { dup, .. } => dup,
        }
    }
}
