//! Packet types (section 2.2.1).

/// The fifteen MQTT Control Packet types (Table 2.1), with their numbers. MQTT 3.1 and 3.1.1 have
/// all but AUTH, whose number they reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "four bits hold no more, and 0 is reserved"
)]
#[repr(u8)]
pub enum PacketType {
    /// Client to server: requests a connection.
    Connect = 1,
    /// Server to client: accepts or refuses the connection.
    ConnAck = 2,
    /// Both directions: an application message.
    Publish = 3,
    /// Both directions: a QoS 1 message was received.
    PubAck = 4,
    /// Both directions: a QoS 2 message was received (part 1).
    PubRec = 5,
    /// Both directions: a QoS 2 message is released (part 2).
    PubRel = 6,
    /// Both directions: a QoS 2 message is complete (part 3).
    PubComp = 7,
    /// Client to server: requests subscriptions.
    Subscribe = 8,
    /// Server to client: the answer to SUBSCRIBE.
    SubAck = 9,
    /// Client to server: ends subscriptions.
    Unsubscribe = 10,
    /// Server to client: the answer to UNSUBSCRIBE.
    UnsubAck = 11,
    /// Client to server: requests PINGRESP.
    PingReq = 12,
    /// Server to client: the answer to PINGREQ.
    PingResp = 13,
    /// The connection ends: from the client, and in MQTT 5 from the server too.
    Disconnect = 14,
    /// Both directions, only MQTT 5: a step of enhanced authentication.
    Auth = 15,
}

impl PacketType {
    /// Returns the type with this number, or `None` for the reserved 0 and for numbers above 15.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Connect,
            2 => Self::ConnAck,
            3 => Self::Publish,
            4 => Self::PubAck,
            5 => Self::PubRec,
            6 => Self::PubRel,
            7 => Self::PubComp,
            8 => Self::Subscribe,
            9 => Self::SubAck,
            10 => Self::Unsubscribe,
            11 => Self::UnsubAck,
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// Returns the name as the standard writes it, for example `PUBLISH`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::ConnAck => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::PubAck => "PUBACK",
            Self::PubRec => "PUBREC",
            Self::PubRel => "PUBREL",
            Self::PubComp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubAck => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::UnsubAck => "UNSUBACK",
            Self::PingReq => "PINGREQ",
            Self::PingResp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }

    /// Returns the number in the upper half of a packet's first byte.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl core::fmt::Display for PacketType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const NAMES: [(u8, PacketType, &str); 15] = [
        (1, PacketType::Connect, "CONNECT"),
        (2, PacketType::ConnAck, "CONNACK"),
        (3, PacketType::Publish, "PUBLISH"),
        (4, PacketType::PubAck, "PUBACK"),
        (5, PacketType::PubRec, "PUBREC"),
        (6, PacketType::PubRel, "PUBREL"),
        (7, PacketType::PubComp, "PUBCOMP"),
        (8, PacketType::Subscribe, "SUBSCRIBE"),
        (9, PacketType::SubAck, "SUBACK"),
        (10, PacketType::Unsubscribe, "UNSUBSCRIBE"),
        (11, PacketType::UnsubAck, "UNSUBACK"),
        (12, PacketType::PingReq, "PINGREQ"),
        (13, PacketType::PingResp, "PINGRESP"),
        (14, PacketType::Disconnect, "DISCONNECT"),
        (15, PacketType::Auth, "AUTH"),
    ];

    #[test]
    fn packet_types_have_the_numbers_of_table_2_1_both_ways() {
        for (number, packet_type, _) in NAMES {
            assert_eq!(packet_type.number(), number);
            assert_eq!(PacketType::from_number(number), Some(packet_type));
        }
    }

    #[test]
    fn no_other_number_is_a_packet_type() {
        for number in 0..=255 {
            let listed = NAMES.iter().any(|(listed, ..)| *listed == number);
            assert_eq!(
                PacketType::from_number(number).is_some(),
                listed,
                "{number}"
            );
        }
    }

    #[test]
    fn packet_types_are_named_as_in_table_2_1() {
        for (_, packet_type, name) in NAMES {
            assert_eq!(packet_type.name(), name);
            assert_eq!(format!("{packet_type}"), name);
        }
    }
}
