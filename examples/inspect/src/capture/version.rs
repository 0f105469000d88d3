//! What following a conversation needs from the packets of a version of MQTT.

use mqtt_sansio::v3::Delivery;
use mqtt_sansio::{PacketId, PacketSet, PacketType};

use crate::json::Fields;

/// A version of MQTT whose conversations are followed.
pub(crate) trait Version: PacketSet {
    fn packet_type(packet: &Self::Packet<'_>) -> PacketType;

    fn meaning(packet: &Self::Packet<'_>) -> Meaning;

    /// Describes the contents of a packet, to be printed after its name.
    fn summary(packet: &Self::Packet<'_>) -> String;

    /// Returns the contents of a packet for JSON.
    fn fields(packet: &Self::Packet<'_>) -> Fields;

    /// Returns the number of the statement for a rule.
    fn statement_of(rule: Rule) -> Option<&'static str>;
}

/// The effect of a packet on its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Connect {
        client_id: String,
        /// Clean Session or Clean Start.
        is_clean: bool,
        /// Seconds, 0 for none.
        keep_alive: u16,
    },
    ConnAck {
        is_accepted: bool,
        session_present: bool,
        /// Replaces the Keep Alive of CONNECT.
        keep_alive: Option<u16>,
    },
    Publish(Delivery),
    PubAck(PacketId),
    PubRec {
        packet_id: PacketId,
        /// The message has failed, so that there is nothing to release.
        is_error: bool,
    },
    PubRel(PacketId),
    PubComp(PacketId),
    Subscribe {
        packet_id: PacketId,
        filters: usize,
    },
    SubAck {
        packet_id: PacketId,
        codes: usize,
    },
    Unsubscribe {
        packet_id: PacketId,
        filters: usize,
    },
    UnsubAck {
        packet_id: PacketId,
        /// `None` in MQTT 3.1.1, which has no codes.
        codes: Option<usize>,
    },
    PingReq,
    PingResp,
    Disconnect,
    Auth,
}

/// A rule of the standard about several packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    ConnectIsFirst,
    ConnectOnce,
    ConnAckIsFirst,
    NoSessionAfterClean,
    RefusalEnds,
    DisconnectEnds,
    ClientIdentifiersAreFree,
    ServerIdentifiersAreFree,
    KeepAlive,
    SilenceEnds,
    CodeForEachSubscription,
    CodeForEachUnsubscription,
    ResendOnlyAfterReconnecting,
}
