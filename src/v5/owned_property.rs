//! A [`Property`] with bytes of its own, for deserializing and fuzzing.

use alloc::vec::Vec;
use core::num::{NonZeroU16, NonZeroU32};

use super::{Property, SubscriptionIdentifier};
use crate::types::{QoS, Text, TopicName};

/// The variants of [`Property`] in its order.
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename = "Property"))]
pub(super) enum OwnedProperty {
    PayloadFormatIndicator(bool),
    MessageExpiryInterval(u32),
    ContentType(Text<Vec<u8>>),
    ResponseTopic(TopicName<Vec<u8>>),
    CorrelationData(
        #[cfg_attr(feature = "serde", serde(with = "crate::packet::serde::message"))] Vec<u8>,
    ),
    SubscriptionIdentifier(SubscriptionIdentifier),
    SessionExpiryInterval(u32),
    AssignedClientIdentifier(Text<Vec<u8>>),
    ServerKeepAlive(u16),
    AuthenticationMethod(Text<Vec<u8>>),
    AuthenticationData(
        #[cfg_attr(feature = "serde", serde(with = "crate::packet::serde::message"))] Vec<u8>,
    ),
    RequestProblemInformation(bool),
    WillDelayInterval(u32),
    RequestResponseInformation(bool),
    ResponseInformation(Text<Vec<u8>>),
    ServerReference(Text<Vec<u8>>),
    ReasonString(Text<Vec<u8>>),
    ReceiveMaximum(NonZeroU16),
    TopicAliasMaximum(u16),
    TopicAlias(NonZeroU16),
    MaximumQos(QoS),
    RetainAvailable(bool),
    UserProperty {
        name: Text<Vec<u8>>,
        value: Text<Vec<u8>>,
    },
    MaximumPacketSize(NonZeroU32),
    WildcardSubscriptionAvailable(bool),
    SubscriptionIdentifierAvailable(bool),
    SharedSubscriptionAvailable(bool),
}

impl OwnedProperty {
    /// Returns the same value, borrowed.
    pub(super) fn as_ref(&self) -> Property<'_> {
        match self {
            Self::PayloadFormatIndicator(value) => Property::PayloadFormatIndicator(*value),
            Self::MessageExpiryInterval(value) => Property::MessageExpiryInterval(*value),
            Self::ContentType(value) => Property::ContentType(value.as_ref()),
            Self::ResponseTopic(value) => Property::ResponseTopic(value.as_ref()),
            Self::CorrelationData(value) => Property::CorrelationData(value),
            Self::SubscriptionIdentifier(value) => Property::SubscriptionIdentifier(*value),
            Self::SessionExpiryInterval(value) => Property::SessionExpiryInterval(*value),
            Self::AssignedClientIdentifier(value) => {
                Property::AssignedClientIdentifier(value.as_ref())
            }
            Self::ServerKeepAlive(value) => Property::ServerKeepAlive(*value),
            Self::AuthenticationMethod(value) => Property::AuthenticationMethod(value.as_ref()),
            Self::AuthenticationData(value) => Property::AuthenticationData(value),
            Self::RequestProblemInformation(value) => Property::RequestProblemInformation(*value),
            Self::WillDelayInterval(value) => Property::WillDelayInterval(*value),
            Self::RequestResponseInformation(value) => Property::RequestResponseInformation(*value),
            Self::ResponseInformation(value) => Property::ResponseInformation(value.as_ref()),
            Self::ServerReference(value) => Property::ServerReference(value.as_ref()),
            Self::ReasonString(value) => Property::ReasonString(value.as_ref()),
            Self::ReceiveMaximum(value) => Property::ReceiveMaximum(*value),
            Self::TopicAliasMaximum(value) => Property::TopicAliasMaximum(*value),
            Self::TopicAlias(value) => Property::TopicAlias(*value),
            Self::MaximumQos(value) => Property::MaximumQos(*value),
            Self::RetainAvailable(value) => Property::RetainAvailable(*value),
            Self::UserProperty { name, value } => Property::UserProperty {
                name: name.as_ref(),
                value: value.as_ref(),
            },
            Self::MaximumPacketSize(value) => Property::MaximumPacketSize(*value),
            Self::WildcardSubscriptionAvailable(value) => {
                Property::WildcardSubscriptionAvailable(*value)
            }
            Self::SubscriptionIdentifierAvailable(value) => {
                Property::SubscriptionIdentifierAvailable(*value)
            }
            Self::SharedSubscriptionAvailable(value) => {
                Property::SharedSubscriptionAvailable(*value)
            }
        }
    }
}
