//! A getter for each property, for the packets that can have it, with the default of the standard
//! if there is one.

use core::num::{NonZeroU16, NonZeroU32};

use super::properties::{
    AckKind, AuthKind, ConnAckKind, ConnectKind, DisconnectKind, PublishKind, SubscribeKind,
    WillKind,
};
use super::{Properties, Property, SubscriptionIdentifier};
use crate::types::{QoS, Text, TopicName};

/// Groups of packets with common properties.
mod group {
    use super::*;

    /// PUBLISH and Will.
    pub(super) trait Message {}
    impl Message for PublishKind {}
    impl Message for WillKind {}

    /// CONNECT and CONNACK.
    pub(super) trait Limits {}
    impl Limits for ConnectKind {}
    impl Limits for ConnAckKind {}

    /// CONNECT, CONNACK and AUTH.
    pub(super) trait Authentication {}
    impl Authentication for ConnectKind {}
    impl Authentication for ConnAckKind {}
    impl Authentication for AuthKind {}

    /// Packets that answer a request, or end a connection.
    pub(super) trait Reason {}
    impl Reason for ConnAckKind {}
    impl Reason for AckKind {}
    impl Reason for DisconnectKind {}
    impl Reason for AuthKind {}

    /// CONNACK and DISCONNECT.
    pub(super) trait Reference {}
    impl Reference for ConnAckKind {}
    impl Reference for DisconnectKind {}
}

impl<B: AsRef<[u8]>, K> Properties<B, K> {
    /// Returns the User Properties, name and value, in order.
    pub fn user_properties(&self) -> impl Iterator<Item = (Text<&[u8]>, Text<&[u8]>)> + Clone {
        self.iter().filter_map(|property| match property {
            Property::UserProperty { name, value } => Some((name, value)),
            _ => None,
        })
    }
}

#[expect(
    private_bounds,
    reason = "the packets that have these properties are known"
)]
impl<B: AsRef<[u8]>, K: group::Message> Properties<B, K> {
    /// Returns Payload Format Indicator: true if the payload is UTF-8. Default false: unspecified
    /// bytes.
    #[must_use]
    pub fn payload_format_indicator(&self) -> bool {
        self.find_flag(0x01).unwrap_or(false)
    }

    /// Returns Message Expiry Interval in seconds. Without it the message does not expire.
    #[must_use]
    pub fn message_expiry_interval(&self) -> Option<u32> {
        self.find_u32(0x02)
    }

    /// Returns Content Type.
    #[must_use]
    pub fn content_type(&self) -> Option<Text<&[u8]>> {
        self.find_bytes(0x03).map(Text::from_valid)
    }

    /// Returns Response Topic. A message with it is a request.
    #[must_use]
    pub fn response_topic(&self) -> Option<TopicName<&[u8]>> {
        self.find_bytes(0x08).map(TopicName::from_valid)
    }

    /// Returns Correlation Data.
    #[must_use]
    pub fn correlation_data(&self) -> Option<&[u8]> {
        self.find_bytes(0x09)
    }
}

impl<B: AsRef<[u8]>> Properties<B, PublishKind> {
    /// Returns Topic Alias. Without it the Topic Name is used.
    #[must_use]
    pub fn topic_alias(&self) -> Option<NonZeroU16> {
        self.find_u16(0x23).and_then(NonZeroU16::new)
    }

    /// Returns the Subscription Identifiers: one for each matching subscription that has one.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = SubscriptionIdentifier> + Clone {
        self.iter().filter_map(|property| match property {
            Property::SubscriptionIdentifier(identifier) => Some(identifier),
            _ => None,
        })
    }
}

impl<B: AsRef<[u8]>> Properties<B, SubscribeKind> {
    /// Returns Subscription Identifier. Without it the subscriptions have none, and lose an earlier
    /// one.
    #[must_use]
    pub fn subscription_identifier(&self) -> Option<SubscriptionIdentifier> {
        self.find_variable(0x0b)
            .and_then(SubscriptionIdentifier::new)
    }
}

impl<B: AsRef<[u8]>> Properties<B, WillKind> {
    /// Returns Will Delay Interval in seconds. Default 0.
    #[must_use]
    pub fn will_delay_interval(&self) -> u32 {
        self.find_u32(0x18).unwrap_or(0)
    }
}

#[expect(
    private_bounds,
    reason = "the packets that have these properties are known"
)]
impl<B: AsRef<[u8]>, K: group::Limits> Properties<B, K> {
    /// Returns Receive Maximum: the number of QoS 1 and QoS 2 messages in flight that the sender of
    /// this packet accepts. Default 65,535.
    #[must_use]
    pub fn receive_maximum(&self) -> NonZeroU16 {
        self.find_u16(0x21)
            .and_then(NonZeroU16::new)
            .unwrap_or(NonZeroU16::MAX)
    }

    /// Returns Maximum Packet Size in bytes. Without it only the limit of the protocol applies.
    #[must_use]
    pub fn maximum_packet_size(&self) -> Option<NonZeroU32> {
        self.find_u32(0x27).and_then(NonZeroU32::new)
    }

    /// Returns Topic Alias Maximum. Default 0: the sender of this packet accepts no Topic Alias.
    #[must_use]
    pub fn topic_alias_maximum(&self) -> u16 {
        self.find_u16(0x22).unwrap_or(0)
    }
}

#[expect(
    private_bounds,
    reason = "the packets that have these properties are known"
)]
impl<B: AsRef<[u8]>, K: group::Authentication> Properties<B, K> {
    /// Returns Authentication Method. A CONNECT without it starts no enhanced authentication.
    #[must_use]
    pub fn authentication_method(&self) -> Option<Text<&[u8]>> {
        self.find_bytes(0x15).map(Text::from_valid)
    }

    /// Returns Authentication Data.
    #[must_use]
    pub fn authentication_data(&self) -> Option<&[u8]> {
        self.find_bytes(0x16)
    }
}

#[expect(
    private_bounds,
    reason = "the packets that have these properties are known"
)]
impl<B: AsRef<[u8]>, K: group::Reason> Properties<B, K> {
    /// Returns Reason String.
    #[must_use]
    pub fn reason_string(&self) -> Option<Text<&[u8]>> {
        self.find_bytes(0x1f).map(Text::from_valid)
    }
}

#[expect(
    private_bounds,
    reason = "the packets that have these properties are known"
)]
impl<B: AsRef<[u8]>, K: group::Reference> Properties<B, K> {
    /// Returns Server Reference: which server to use instead.
    #[must_use]
    pub fn server_reference(&self) -> Option<Text<&[u8]>> {
        self.find_bytes(0x1c).map(Text::from_valid)
    }
}

impl<B: AsRef<[u8]>> Properties<B, ConnectKind> {
    /// Returns Session Expiry Interval in seconds. Default 0: the session ends with the connection.
    /// `u32::MAX`: it does not expire.
    #[must_use]
    pub fn session_expiry_interval(&self) -> u32 {
        self.find_u32(0x11).unwrap_or(0)
    }

    /// Returns Request Response Information. Default false.
    #[must_use]
    pub fn request_response_information(&self) -> bool {
        self.find_flag(0x19).unwrap_or(false)
    }

    /// Returns Request Problem Information. Default true: failures may have Reason String and User
    /// Property.
    #[must_use]
    pub fn request_problem_information(&self) -> bool {
        self.find_flag(0x17).unwrap_or(true)
    }
}

impl<B: AsRef<[u8]>> Properties<B, DisconnectKind> {
    /// Returns Session Expiry Interval in seconds. Without it that of CONNECT, or CONNACK, applies.
    #[must_use]
    pub fn session_expiry_interval(&self) -> Option<u32> {
        self.find_u32(0x11)
    }
}

impl<B: AsRef<[u8]>> Properties<B, ConnAckKind> {
    /// Returns Session Expiry Interval in seconds. Without it that of CONNECT applies.
    #[must_use]
    pub fn session_expiry_interval(&self) -> Option<u32> {
        self.find_u32(0x11)
    }

    /// Returns Maximum QoS of a PUBLISH to this server. Default 2.
    #[must_use]
    pub fn maximum_qos(&self) -> QoS {
        self.find_flag(0x24)
            .map(|is_1| {
                if is_1 {
                    QoS::AtLeastOnce
                } else {
                    QoS::AtMostOnce
                }
            })
            .unwrap_or(QoS::ExactlyOnce)
    }

    /// Returns Retain Available. Default true.
    #[must_use]
    pub fn retain_available(&self) -> bool {
        self.find_flag(0x25).unwrap_or(true)
    }

    /// Returns Assigned Client Identifier. Without it that of CONNECT is used.
    #[must_use]
    pub fn assigned_client_identifier(&self) -> Option<Text<&[u8]>> {
        self.find_bytes(0x12).map(Text::from_valid)
    }

    /// Returns Wildcard Subscription Available. Default true.
    #[must_use]
    pub fn wildcard_subscription_available(&self) -> bool {
        self.find_flag(0x28).unwrap_or(true)
    }

    /// Returns Subscription Identifier Available. Default true.
    #[must_use]
    pub fn subscription_identifier_available(&self) -> bool {
        self.find_flag(0x29).unwrap_or(true)
    }

    /// Returns Shared Subscription Available. Default true.
    #[must_use]
    pub fn shared_subscription_available(&self) -> bool {
        self.find_flag(0x2a).unwrap_or(true)
    }

    /// Returns Server Keep Alive in seconds, 0 for none. Without it the Keep Alive of CONNECT
    /// applies.
    #[must_use]
    pub fn server_keep_alive(&self) -> Option<u16> {
        self.find_u16(0x13)
    }

    /// Returns Response Information: the basis for the client's Response Topics.
    #[must_use]
    pub fn response_information(&self) -> Option<Text<&[u8]>> {
        self.find_bytes(0x1a).map(Text::from_valid)
    }
}
