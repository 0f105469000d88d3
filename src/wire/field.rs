//! The parts of a packet that a fault can be found in.

/// The part of a packet that a fault was found in, named as in the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Field {
    /// The upper four bits of the first byte (section 2.2.1).
    PacketType,
    /// The lower four bits of the first byte (section 2.2.2).
    Flags,
    /// The one to four bytes that say how many more follow (section 2.2.3).
    RemainingLength,
    /// CONNECT: `MQTT`, or `MQIsdp` in MQTT 3.1 (section 3.1.2.1).
    ProtocolName,
    /// CONNECT: 4 for MQTT 3.1.1, 3 for MQTT 3.1 (section 3.1.2.2).
    ProtocolLevel,
    /// CONNECT: which fields follow (section 3.1.2.3).
    ConnectFlags,
    /// CONNECT: seconds, 0 for never (section 3.1.2.10).
    KeepAlive,
    /// CONNECT: Client Identifier (section 3.1.3.1).
    ClientIdentifier,
    /// CONNECT: Will Topic (section 3.1.3.2).
    WillTopic,
    /// CONNECT: Will Message (section 3.1.3.3).
    WillMessage,
    /// CONNECT: User Name (section 3.1.3.4).
    UserName,
    /// CONNECT: Password (section 3.1.3.5).
    Password,
    /// CONNACK: Session Present and seven reserved bits (section 3.2.2.1).
    ConnectAcknowledgeFlags,
    /// CONNACK: accepted, or why not (section 3.2.2.3).
    ConnectReturnCode,
    /// Packet Identifier (section 2.3.1).
    PacketIdentifier,
    /// PUBLISH: Topic Name (section 3.3.2.1).
    TopicName,
    /// PUBLISH: the application message (section 3.3.3). CONNECT: what follows its last field.
    Payload,
    /// SUBSCRIBE and UNSUBSCRIBE: Topic Filter (sections 3.8.3 and 3.10.3).
    TopicFilter,
    /// SUBSCRIBE: Requested QoS (section 3.8.3).
    RequestedQos,
    /// SUBACK: Return Code (section 3.9.3).
    ReturnCode,
}

impl Field {
    /// The field's name as the standard writes it, for example `Topic Filter`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PacketType => "Packet Type",
            Self::Flags => "Flags",
            Self::RemainingLength => "Remaining Length",
            Self::ProtocolName => "Protocol Name",
            Self::ProtocolLevel => "Protocol Level",
            Self::ConnectFlags => "Connect Flags",
            Self::KeepAlive => "Keep Alive",
            Self::ClientIdentifier => "Client Identifier",
            Self::WillTopic => "Will Topic",
            Self::WillMessage => "Will Message",
            Self::UserName => "User Name",
            Self::Password => "Password",
            Self::ConnectAcknowledgeFlags => "Connect Acknowledge Flags",
            Self::ConnectReturnCode => "Connect Return Code",
            Self::PacketIdentifier => "Packet Identifier",
            Self::TopicName => "Topic Name",
            Self::Payload => "Payload",
            Self::TopicFilter => "Topic Filter",
            Self::RequestedQos => "Requested QoS",
            Self::ReturnCode => "Return Code",
        }
    }
}

impl core::fmt::Display for Field {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
