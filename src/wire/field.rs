//! The parts of a packet that can have a fault.

/// The part of a packet that a fault was found in, named as in the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Field {
    /// The upper four bits of the first byte (section 2.2.1).
    PacketType,
    /// The lower four bits of the first byte (section 2.2.2).
    Flags,
    /// Remaining Length, one to four bytes (section 2.2.3).
    RemainingLength,
    /// CONNECT: `MQTT`, or `MQIsdp` in MQTT 3.1 (section 3.1.2.1).
    ProtocolName,
    /// CONNECT: 4 for MQTT 3.1.1, 3 for MQTT 3.1 (section 3.1.2.2).
    ProtocolLevel,
    /// CONNECT: Connect Flags (section 3.1.2.3).
    ConnectFlags,
    /// CONNECT: Keep Alive in seconds (section 3.1.2.10).
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
    /// CONNACK: Connect Return Code (section 3.2.2.3).
    ConnectReturnCode,
    /// Packet Identifier (section 2.3.1).
    PacketIdentifier,
    /// PUBLISH: Topic Name (section 3.3.2.1).
    TopicName,
    /// PUBLISH: the payload (section 3.3.3). CONNECT: bytes after its last field.
    Payload,
    /// SUBSCRIBE and UNSUBSCRIBE: Topic Filter (sections 3.8.3 and 3.10.3).
    TopicFilter,
    /// SUBSCRIBE: Requested QoS (section 3.8.3).
    RequestedQos,
    /// SUBACK: Return Code (section 3.9.3).
    ReturnCode,
    /// The number of bytes of properties that follow (section 2.2.2.1). MQTT 5.
    PropertyLength,
    /// All properties of a packet together (section 2.2.2). MQTT 5.
    Properties,
    /// Property Identifier (section 2.2.2.2). MQTT 5.
    PropertyIdentifier,
    /// CONNECT: Will Payload (section 3.1.3.4). MQTT 5.
    WillPayload,
    /// Reason Code (section 2.4). MQTT 5.
    ReasonCode,
    /// SUBSCRIBE: Subscription Options (section 3.8.3.1). MQTT 5.
    SubscriptionOptions,
    /// Property 0x01 (section 2.2.2.2). MQTT 5.
    PayloadFormatIndicator,
    /// Property 0x02 (section 2.2.2.2). MQTT 5.
    MessageExpiryInterval,
    /// Property 0x03 (section 2.2.2.2). MQTT 5.
    ContentType,
    /// Property 0x08 (section 2.2.2.2). MQTT 5.
    ResponseTopic,
    /// Property 0x09 (section 2.2.2.2). MQTT 5.
    CorrelationData,
    /// Property 0x0B (section 2.2.2.2). MQTT 5.
    SubscriptionIdentifier,
    /// Property 0x11 (section 2.2.2.2). MQTT 5.
    SessionExpiryInterval,
    /// Property 0x12 (section 2.2.2.2). MQTT 5.
    AssignedClientIdentifier,
    /// Property 0x13 (section 2.2.2.2). MQTT 5.
    ServerKeepAlive,
    /// Property 0x15 (section 2.2.2.2). MQTT 5.
    AuthenticationMethod,
    /// Property 0x16 (section 2.2.2.2). MQTT 5.
    AuthenticationData,
    /// Property 0x17 (section 2.2.2.2). MQTT 5.
    RequestProblemInformation,
    /// Property 0x18 (section 2.2.2.2). MQTT 5.
    WillDelayInterval,
    /// Property 0x19 (section 2.2.2.2). MQTT 5.
    RequestResponseInformation,
    /// Property 0x1A (section 2.2.2.2). MQTT 5.
    ResponseInformation,
    /// Property 0x1C (section 2.2.2.2). MQTT 5.
    ServerReference,
    /// Property 0x1F (section 2.2.2.2). MQTT 5.
    ReasonString,
    /// Property 0x21 (section 2.2.2.2). MQTT 5.
    ReceiveMaximum,
    /// Property 0x22 (section 2.2.2.2). MQTT 5.
    TopicAliasMaximum,
    /// Property 0x23 (section 2.2.2.2). MQTT 5.
    TopicAlias,
    /// Property 0x24 (section 2.2.2.2). MQTT 5.
    MaximumQos,
    /// Property 0x25 (section 2.2.2.2). MQTT 5.
    RetainAvailable,
    /// Property 0x26 (section 2.2.2.2). MQTT 5.
    UserProperty,
    /// Property 0x27 (section 2.2.2.2). MQTT 5.
    MaximumPacketSize,
    /// Property 0x28 (section 2.2.2.2). MQTT 5.
    WildcardSubscriptionAvailable,
    /// Property 0x29 (section 2.2.2.2). MQTT 5.
    SubscriptionIdentifierAvailable,
    /// Property 0x2A (section 2.2.2.2). MQTT 5.
    SharedSubscriptionAvailable,
}

impl Field {
    /// Returns the field's name as the standard writes it, for example `Topic Filter`.
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
            Self::PropertyLength => "Property Length",
            Self::Properties => "Properties",
            Self::PropertyIdentifier => "Property Identifier",
            Self::WillPayload => "Will Payload",
            Self::ReasonCode => "Reason Code",
            Self::SubscriptionOptions => "Subscription Options",
            Self::PayloadFormatIndicator => "Payload Format Indicator",
            Self::MessageExpiryInterval => "Message Expiry Interval",
            Self::ContentType => "Content Type",
            Self::ResponseTopic => "Response Topic",
            Self::CorrelationData => "Correlation Data",
            Self::SubscriptionIdentifier => "Subscription Identifier",
            Self::SessionExpiryInterval => "Session Expiry Interval",
            Self::AssignedClientIdentifier => "Assigned Client Identifier",
            Self::ServerKeepAlive => "Server Keep Alive",
            Self::AuthenticationMethod => "Authentication Method",
            Self::AuthenticationData => "Authentication Data",
            Self::RequestProblemInformation => "Request Problem Information",
            Self::WillDelayInterval => "Will Delay Interval",
            Self::RequestResponseInformation => "Request Response Information",
            Self::ResponseInformation => "Response Information",
            Self::ServerReference => "Server Reference",
            Self::ReasonString => "Reason String",
            Self::ReceiveMaximum => "Receive Maximum",
            Self::TopicAliasMaximum => "Topic Alias Maximum",
            Self::TopicAlias => "Topic Alias",
            Self::MaximumQos => "Maximum QoS",
            Self::RetainAvailable => "Retain Available",
            Self::UserProperty => "User Property",
            Self::MaximumPacketSize => "Maximum Packet Size",
            Self::WildcardSubscriptionAvailable => "Wildcard Subscription Available",
            Self::SubscriptionIdentifierAvailable => "Subscription Identifier Available",
            Self::SharedSubscriptionAvailable => "Shared Subscription Available",
        }
    }
}

impl core::fmt::Display for Field {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
