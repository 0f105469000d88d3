//! What a conversation needs to know of packets, whichever version of MQTT they are in.

use mqtt_sansio::v3::Delivery;
use mqtt_sansio::{PacketId, PacketSet, PacketType};

use crate::json::Fields;

/// A version of MQTT whose conversations are followed.
pub(crate) trait Version: PacketSet {
    fn packet_type(packet: &Self::Packet<'_>) -> PacketType;

    fn meaning(packet: &Self::Packet<'_>) -> Meaning;

    /// What is in a packet, after its name.
    fn summary(packet: &Self::Packet<'_>) -> String;

    /// What is in a packet, for programs.
    fn fields(packet: &Self::Packet<'_>) -> Fields;

    /// The number of the statement that a rule is.
    fn statement_of(rule: Rule) -> Option<&'static str>;
}

/// What a packet does to its conversation.
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
        /// Replaces that of CONNECT.
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
        /// MQTT 3.1.1 has none.
        codes: Option<usize>,
    },
    PingReq,
    PingResp,
    Disconnect,
    Auth,
}

/// What the standard asks for between packets.
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
