//! One property (section 2.2.2.2).

mod rules;

use core::num::{NonZeroU16, NonZeroU32};

#[cfg(feature = "alloc")]
pub(crate) use rules::WILL_DELAY_INTERVAL;
pub(super) use rules::{
    ACK, AUTH, CONNACK, CONNECT, DISCONNECT, PUBLISH, RECEIVER, SUBSCRIBE, UNSUBSCRIBE, WILL, rule,
    skip_value,
};
pub(crate) use rules::{
    MESSAGE_EXPIRY_INTERVAL, PropertySet, SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS,
};

use crate::packet::read_checked;
use crate::types::{QoS, Text, TopicName};
use crate::wire::{
    EncodeError, Field, MAX_REMAINING_LENGTH, Output, Reader, Trusted, put_field, put_topic_name,
    put_variable_byte_integer,
};

/// One property of a packet or of a Will (section 2.2.2.2). The types exclude invalid values,
/// except QoS 2 as Maximum QoS, which encoding refuses.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard lists these and reserves the rest"
)]
pub enum Property<'a> {
    /// 0x01: true if the payload is UTF-8 (section 3.3.2.3.2). Without it the payload is
    /// unspecified bytes.
    PayloadFormatIndicator(bool),
    /// 0x02: the seconds after which the message expires (section 3.3.2.3.3). Without it the
    /// message does not expire.
    MessageExpiryInterval(u32),
    /// 0x03: the type of the payload, often a MIME type (section 3.3.2.3.9).
    ContentType(Text<&'a [u8]>),
    /// 0x08: the topic for the response to this message (section 3.3.2.3.5).
    ResponseTopic(TopicName<&'a [u8]>),
    /// 0x09: identifies the request that a response belongs to (section 3.3.2.3.6).
    CorrelationData(
        #[cfg_attr(
            feature = "serde",
            serde(serialize_with = "crate::packet::serde::message::serialize")
        )]
        &'a [u8],
    ),
    /// 0x0B: the number of a subscription (sections 3.3.2.3.8 and 3.8.2.1.2).
    SubscriptionIdentifier(SubscriptionIdentifier),
    /// 0x11: how long the session outlives the connection, in seconds; `u32::MAX` for ever (section
    /// 3.1.2.11.2).
    SessionExpiryInterval(u32),
    /// 0x12: the Client Identifier that the server has assigned (section 3.2.2.3.7).
    AssignedClientIdentifier(Text<&'a [u8]>),
    /// 0x13: replaces the client's Keep Alive (section 3.2.2.3.14).
    ServerKeepAlive(u16),
    /// 0x15: the method of enhanced authentication (section 3.1.2.11.9).
    AuthenticationMethod(Text<&'a [u8]>),
    /// 0x16: a step of enhanced authentication (section 3.1.2.11.10).
    AuthenticationData(
        #[cfg_attr(
            feature = "serde",
            serde(serialize_with = "crate::packet::serde::message::serialize")
        )]
        &'a [u8],
    ),
    /// 0x17: true if the server may send Reason String and User Property with failures (section
    /// 3.1.2.11.7).
    RequestProblemInformation(bool),
    /// 0x18: the seconds between the end of the connection and the Will (section 3.1.3.2.2).
    WillDelayInterval(u32),
    /// 0x19: true if the client requests Response Information (section 3.1.2.11.6).
    RequestResponseInformation(bool),
    /// 0x1A: the basis for the client's Response Topics (section 3.2.2.3.15).
    ResponseInformation(Text<&'a [u8]>),
    /// 0x1C: another server to use (section 4.11).
    ServerReference(Text<&'a [u8]>),
    /// 0x1F: the reason as text for people (section 3.2.2.3.9).
    ReasonString(Text<&'a [u8]>),
    /// 0x21: how many QoS 1 and QoS 2 messages in flight the sender of this packet accepts (section
    /// 3.1.2.11.3).
    ReceiveMaximum(NonZeroU16),
    /// 0x22: the largest Topic Alias that the sender of this packet accepts (section 3.1.2.11.5).
    TopicAliasMaximum(u16),
    /// 0x23: a number that replaces the Topic Name (section 3.3.2.3.4).
    TopicAlias(NonZeroU16),
    /// 0x24: the largest QoS of a PUBLISH that the server accepts, 0 or 1 (section 3.2.2.3.4).
    MaximumQos(QoS),
    /// 0x25: true if the server keeps retained messages (section 3.2.2.3.5).
    RetainAvailable(bool),
    /// 0x26: a name and a value without a meaning in the standard (section 3.1.2.11.8). May be
    /// repeated, with the same name too.
    UserProperty {
        /// The name.
        name: Text<&'a [u8]>,
        /// The value.
        value: Text<&'a [u8]>,
    },
    /// 0x27: the size of the largest packet that the sender of this packet accepts, in bytes
    /// (section 3.1.2.11.4).
    MaximumPacketSize(NonZeroU32),
    /// 0x28: true if the server accepts Topic Filters with wildcards (section 3.2.2.3.11).
    WildcardSubscriptionAvailable(bool),
    /// 0x29: true if the server accepts Subscription Identifiers (section 3.2.2.3.12).
    SubscriptionIdentifierAvailable(bool),
    /// 0x2A: true if the server accepts Shared Subscriptions (section 3.2.2.3.13).
    SharedSubscriptionAvailable(bool),
}

/// A Subscription Identifier: 1 to 268,435,455 (section 3.8.2.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "u32", try_from = "u32"))]
pub struct SubscriptionIdentifier(NonZeroU32);

impl SubscriptionIdentifier {
    /// The largest: the maximum of a four-byte Variable Byte Integer.
    pub const MAX: u32 = MAX_REMAINING_LENGTH;

    /// Returns the identifier with this number, or `None` for 0 and above [`MAX`](Self::MAX).
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) if number.get() <= Self::MAX => Some(Self(number)),
            _ => None,
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl From<SubscriptionIdentifier> for u32 {
    fn from(identifier: SubscriptionIdentifier) -> Self {
        identifier.get()
    }
}

impl TryFrom<u32> for SubscriptionIdentifier {
    type Error = InvalidSubscriptionIdentifier;

    fn try_from(number: u32) -> Result<Self, InvalidSubscriptionIdentifier> {
        Self::new(number).ok_or(InvalidSubscriptionIdentifier)
    }
}

/// A number that is not a [`SubscriptionIdentifier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("a Subscription Identifier is between 1 and 268435455")]
#[non_exhaustive]
pub struct InvalidSubscriptionIdentifier;

/// A value without its meaning, for encoding.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Flag(bool),
    TwoBytes(u16),
    FourBytes(u32),
    Variable(u32),
    Text(Text<&'a [u8]>),
    TopicName(TopicName<&'a [u8]>),
    Binary(&'a [u8]),
    Pair(Text<&'a [u8]>, Text<&'a [u8]>),
}

impl<'a> Property<'a> {
    /// Returns the Property Identifier.
    #[must_use]
    pub const fn identifier(&self) -> u8 {
        match self {
            Self::PayloadFormatIndicator(_) => 0x01,
            Self::MessageExpiryInterval(_) => 0x02,
            Self::ContentType(_) => 0x03,
            Self::ResponseTopic(_) => 0x08,
            Self::CorrelationData(_) => 0x09,
            Self::SubscriptionIdentifier(_) => 0x0b,
            Self::SessionExpiryInterval(_) => 0x11,
            Self::AssignedClientIdentifier(_) => 0x12,
            Self::ServerKeepAlive(_) => 0x13,
            Self::AuthenticationMethod(_) => 0x15,
            Self::AuthenticationData(_) => 0x16,
            Self::RequestProblemInformation(_) => 0x17,
            Self::WillDelayInterval(_) => 0x18,
            Self::RequestResponseInformation(_) => 0x19,
            Self::ResponseInformation(_) => 0x1a,
            Self::ServerReference(_) => 0x1c,
            Self::ReasonString(_) => 0x1f,
            Self::ReceiveMaximum(_) => 0x21,
            Self::TopicAliasMaximum(_) => 0x22,
            Self::TopicAlias(_) => 0x23,
            Self::MaximumQos(_) => 0x24,
            Self::RetainAvailable(_) => 0x25,
            Self::UserProperty { .. } => 0x26,
            Self::MaximumPacketSize(_) => 0x27,
            Self::WildcardSubscriptionAvailable(_) => 0x28,
            Self::SubscriptionIdentifierAvailable(_) => 0x29,
            Self::SharedSubscriptionAvailable(_) => 0x2a,
        }
    }

    /// Returns the field of the property, for errors.
    #[must_use]
    pub fn field(&self) -> Field {
        rule(self.identifier()).map_or(Field::Properties, |rule| rule.field)
    }

    /// Reads the value of the property with this identifier, which was validated. Returns `None` if
    /// there is no such property.
    #[inline(always)]
    pub(super) fn read_value(identifier: u8, reader: &mut Reader<'a, Trusted>) -> Option<Self> {
        Self::read_known(identifier, reader).unwrap_or(None)
    }

    #[inline(always)]
    fn read_known(
        identifier: u8,
        reader: &mut Reader<'a, Trusted>,
    ) -> Result<Option<Self>, Trusted> {
        let field = Field::Properties;
        Ok(Some(match identifier {
            0x01 => Self::PayloadFormatIndicator(read_flag(reader)?),
            0x02 => Self::MessageExpiryInterval(reader.u32(field)?),
            0x03 => Self::ContentType(read_checked(reader, field)?),
            0x08 => Self::ResponseTopic(read_checked(reader, field)?),
            0x09 => Self::CorrelationData(reader.bytes(field)?),
            0x0b => {
                let number = reader.variable_byte_integer(field)?;
                return Ok(SubscriptionIdentifier::new(number).map(Self::SubscriptionIdentifier));
            }
            0x11 => Self::SessionExpiryInterval(reader.u32(field)?),
            0x12 => Self::AssignedClientIdentifier(read_checked(reader, field)?),
            0x13 => Self::ServerKeepAlive(reader.u16(field)?),
            0x15 => Self::AuthenticationMethod(read_checked(reader, field)?),
            0x16 => Self::AuthenticationData(reader.bytes(field)?),
            0x17 => Self::RequestProblemInformation(read_flag(reader)?),
            0x18 => Self::WillDelayInterval(reader.u32(field)?),
            0x19 => Self::RequestResponseInformation(read_flag(reader)?),
            0x1a => Self::ResponseInformation(read_checked(reader, field)?),
            0x1c => Self::ServerReference(read_checked(reader, field)?),
            0x1f => Self::ReasonString(read_checked(reader, field)?),
            0x21 => return Ok(NonZeroU16::new(reader.u16(field)?).map(Self::ReceiveMaximum)),
            0x22 => Self::TopicAliasMaximum(reader.u16(field)?),
            0x23 => return Ok(NonZeroU16::new(reader.u16(field)?).map(Self::TopicAlias)),
            0x24 => Self::MaximumQos(if read_flag(reader)? {
                QoS::AtLeastOnce
            } else {
                QoS::AtMostOnce
            }),
            0x25 => Self::RetainAvailable(read_flag(reader)?),
            0x26 => Self::UserProperty {
                name: read_checked(reader, field)?,
                value: read_checked(reader, field)?,
            },
            0x27 => return Ok(NonZeroU32::new(reader.u32(field)?).map(Self::MaximumPacketSize)),
            0x28 => Self::WildcardSubscriptionAvailable(read_flag(reader)?),
            0x29 => Self::SubscriptionIdentifierAvailable(read_flag(reader)?),
            0x2a => Self::SharedSubscriptionAvailable(read_flag(reader)?),
            _ => return Ok(None),
        }))
    }

    /// Returns the value without its meaning.
    const fn value(&self) -> Result<Value<'a>, EncodeError> {
        Ok(match *self {
            Self::PayloadFormatIndicator(value)
            | Self::RequestProblemInformation(value)
            | Self::RequestResponseInformation(value)
            | Self::RetainAvailable(value)
            | Self::WildcardSubscriptionAvailable(value)
            | Self::SubscriptionIdentifierAvailable(value)
            | Self::SharedSubscriptionAvailable(value) => Value::Flag(value),
            Self::MaximumQos(QoS::AtMostOnce) => Value::Flag(false),
            Self::MaximumQos(QoS::AtLeastOnce) => Value::Flag(true),
            Self::MaximumQos(QoS::ExactlyOnce) => {
                return Err(EncodeError::ValueOutOfRange {
                    field: Field::MaximumQos,
                });
            }
            Self::ServerKeepAlive(value) | Self::TopicAliasMaximum(value) => Value::TwoBytes(value),
            Self::ReceiveMaximum(value) | Self::TopicAlias(value) => Value::TwoBytes(value.get()),
            Self::MessageExpiryInterval(value)
            | Self::SessionExpiryInterval(value)
            | Self::WillDelayInterval(value) => Value::FourBytes(value),
            Self::MaximumPacketSize(value) => Value::FourBytes(value.get()),
            Self::SubscriptionIdentifier(value) => Value::Variable(value.get()),
            Self::ContentType(value)
            | Self::AssignedClientIdentifier(value)
            | Self::AuthenticationMethod(value)
            | Self::ResponseInformation(value)
            | Self::ServerReference(value)
            | Self::ReasonString(value) => Value::Text(value),
            Self::ResponseTopic(value) => Value::TopicName(value),
            Self::CorrelationData(value) | Self::AuthenticationData(value) => Value::Binary(value),
            Self::UserProperty { name, value } => Value::Pair(name, value),
        })
    }

    /// Writes identifier and value.
    pub(super) fn write<O: Output + ?Sized>(
        &self,
        field: Field,
        out: &mut O,
    ) -> Result<(), EncodeError> {
        let value = self.value()?;
        out.put(&[self.identifier()])?;
        match value {
            Value::Flag(value) => out.put(&[value.into()]),
            Value::TwoBytes(value) => out.put(&value.to_be_bytes()),
            Value::FourBytes(value) => out.put(&value.to_be_bytes()),
            Value::Variable(value) => put_variable_byte_integer(out, value as usize),
            Value::Text(value) => put_field(out, field, value.as_bytes()),
            Value::TopicName(value) => put_topic_name(out, field, value.as_bytes()),
            Value::Binary(value) => put_field(out, field, value),
            Value::Pair(name, value) => {
                put_field(out, field, name.as_bytes())?;
                put_field(out, field, value.as_bytes())
            }
        }
    }
}

#[inline(always)]
fn read_flag(reader: &mut Reader<'_, Trusted>) -> Result<bool, Trusted> {
    Ok(reader.u8(Field::Properties)? != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_identifier_is_between_1_and_268435455() {
        for number in [1, 127, 128, 268_435_455] {
            let identifier = SubscriptionIdentifier::try_from(number).unwrap();
            assert_eq!(u32::from(identifier), number);
        }
        for number in [0, 268_435_456, u32::MAX] {
            assert_eq!(
                SubscriptionIdentifier::try_from(number),
                Err(InvalidSubscriptionIdentifier)
            );
        }
    }
}
