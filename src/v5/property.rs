//! One property (section 2.2.2.2), and the table of all of them: what its value is, which packets
//! have it, and where it may be repeated.

use core::num::{NonZeroU16, NonZeroU32};

use crate::packet::read_checked;
use crate::types::{QoS, Text, TopicName};
use crate::wire::{
    EncodeError, ErrorKind, Field, MAX_REMAINING_LENGTH, Output, ReadError, Reader, put_field,
    put_topic_name, put_variable_byte_integer,
};

/// One property of a packet or of a Will (section 2.2.2.2). Values that the standard excludes
/// cannot be written down, except for QoS 2 as Maximum QoS, which encoding refuses.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard lists these and reserves the rest"
)]
pub enum Property<'a> {
    /// 0x01: true if the payload is UTF-8 (section 3.3.2.3.2). Without it, it is just bytes.
    PayloadFormatIndicator(bool),
    /// 0x02: the seconds after which the message is of no use (section 3.3.2.3.3). Without it, the
    /// message does not expire.
    MessageExpiryInterval(u32),
    /// 0x03: what the payload is, often a MIME type (section 3.3.2.3.9).
    ContentType(Text<&'a [u8]>),
    /// 0x08: where the response to this message is to be published (section 3.3.2.3.5).
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
    /// 0x11: how long the session outlives the connection, in seconds; `u32::MAX` is without end
    /// (section 3.1.2.11.2).
    SessionExpiryInterval(u32),
    /// 0x12: the Client Identifier that the server has chosen (section 3.2.2.3.7).
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
    /// 0x17: whether the server may send Reason String and User Property with failures
    /// (section 3.1.2.11.7).
    RequestProblemInformation(bool),
    /// 0x18: the seconds between the end of the connection and the Will (section 3.1.3.2.2).
    WillDelayInterval(u32),
    /// 0x19: whether the server is asked for Response Information (section 3.1.2.11.6).
    RequestResponseInformation(bool),
    /// 0x1A: the basis for the client's Response Topics (section 3.2.2.3.15).
    ResponseInformation(Text<&'a [u8]>),
    /// 0x1C: another server to use (section 4.11).
    ServerReference(Text<&'a [u8]>),
    /// 0x1F: the reason in words, for people (section 3.2.2.3.9).
    ReasonString(Text<&'a [u8]>),
    /// 0x21: how many QoS 1 and QoS 2 messages the sender of this takes at a time
    /// (section 3.1.2.11.3).
    ReceiveMaximum(NonZeroU16),
    /// 0x22: the largest Topic Alias that the sender of this packet accepts (section 3.1.2.11.5).
    TopicAliasMaximum(u16),
    /// 0x23: a number that stands for the Topic Name (section 3.3.2.3.4).
    TopicAlias(NonZeroU16),
    /// 0x24: the largest QoS of a PUBLISH that the server accepts, 0 or 1 (section 3.2.2.3.4).
    MaximumQos(QoS),
    /// 0x25: whether the server keeps retained messages (section 3.2.2.3.5).
    RetainAvailable(bool),
    /// 0x26: a name and a value that the standard gives no meaning (section 3.1.2.11.8). May be
    /// repeated, with the same name too.
    UserProperty {
        /// The name.
        name: Text<&'a [u8]>,
        /// The value.
        value: Text<&'a [u8]>,
    },
    /// 0x27: the size of the largest packet that the sender of this takes, in bytes
    /// (section 3.1.2.11.4).
    MaximumPacketSize(NonZeroU32),
    /// 0x28: whether the server accepts Topic Filters with wildcards (section 3.2.2.3.11).
    WildcardSubscriptionAvailable(bool),
    /// 0x29: whether the server accepts Subscription Identifiers (section 3.2.2.3.12).
    SubscriptionIdentifierAvailable(bool),
    /// 0x2A: whether the server accepts Shared Subscriptions (section 3.2.2.3.13).
    SharedSubscriptionAvailable(bool),
}

/// A Subscription Identifier: 1 to 268,435,455 (section 3.8.2.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "u32", try_from = "u32"))]
pub struct SubscriptionIdentifier(NonZeroU32);

impl SubscriptionIdentifier {
    /// The largest: four bytes of a Variable Byte Integer hold no more.
    pub const MAX: u32 = MAX_REMAINING_LENGTH;

    /// `None` for 0 and for more than [`MAX`](Self::MAX).
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) if number.get() <= Self::MAX => Some(Self(number)),
            _ => None,
        }
    }

    /// The number.
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

/// A number that is no [`SubscriptionIdentifier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("a Subscription Identifier is between 1 and 268435455")]
#[non_exhaustive]
pub struct InvalidSubscriptionIdentifier;

// The packets that a property may be in, a bit each.
pub(super) const CONNECT: u16 = 1;
pub(super) const CONNACK: u16 = 1 << 1;
pub(super) const PUBLISH: u16 = 1 << 2;
pub(super) const WILL: u16 = 1 << 3;
/// PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK have the same properties.
pub(super) const ACK: u16 = 1 << 4;
pub(super) const SUBSCRIBE: u16 = 1 << 5;
pub(super) const UNSUBSCRIBE: u16 = 1 << 6;
pub(super) const DISCONNECT: u16 = 1 << 7;
pub(super) const AUTH: u16 = 1 << 8;
const MESSAGE: u16 = PUBLISH | WILL;
const ANY: u16 = (1 << 9) - 1;
/// What one receiver has of the properties of PUBLISH: no packet of its own, so [`ANY`] is without it.
pub(super) const RECEIVER: u16 = 1 << 9;

/// The type and the range of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueType {
    /// A byte that is 0 or 1.
    Flag,
    TwoBytes,
    NonZeroTwoBytes,
    FourBytes,
    NonZeroFourBytes,
    /// A Variable Byte Integer other than 0.
    NonZeroVariable,
    Text,
    TopicName,
    Binary,
    Pair,
}

/// The rules of the standard for a property.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) field: Field,
    value: ValueType,
    /// Its bit among the properties that have been seen in a packet.
    bit: u8,
    allowed: u16,
    repeatable: u16,
}

impl Rule {
    pub(super) const fn is_allowed(&self, kind: u16) -> bool {
        self.allowed & kind != 0
    }

    /// Whether one more of them is allowed, given those that have been seen, to which this one is
    /// added.
    #[inline(always)]
    pub(super) const fn see(&self, kind: u16, seen: &mut u32) -> bool {
        let before = *seen;
        *seen |= 1 << self.bit;
        before != *seen || self.repeatable & kind != 0
    }
}

/// Identifier, field, type of the value, where it is allowed, where it may be repeated
/// (Table 2-4). The field has the name of the property.
const PROPERTIES: [(u8, Field, ValueType, u16, u16); 27] = {
    use ValueType as V;
    [
        (0x01, Field::PayloadFormatIndicator, V::Flag, MESSAGE, 0),
        (0x02, Field::MessageExpiryInterval, V::FourBytes, MESSAGE, 0),
        (0x03, Field::ContentType, V::Text, MESSAGE, 0), // [MQTT5-3.3.2-19]
        // [MQTT5-3.3.2-13, MQTT5-3.3.2-14]
        (0x08, Field::ResponseTopic, V::TopicName, MESSAGE, 0),
        (0x09, Field::CorrelationData, V::Binary, MESSAGE, 0),
        // [MQTT5-1.5.5-1, MQTT5-3.3.4-4]
        (
            0x0b,
            Field::SubscriptionIdentifier,
            V::NonZeroVariable,
            PUBLISH | SUBSCRIBE | RECEIVER,
            PUBLISH | RECEIVER,
        ),
        (
            0x11,
            Field::SessionExpiryInterval,
            V::FourBytes,
            CONNECT | CONNACK | DISCONNECT,
            0,
        ),
        (0x12, Field::AssignedClientIdentifier, V::Text, CONNACK, 0),
        (0x13, Field::ServerKeepAlive, V::TwoBytes, CONNACK, 0),
        (
            0x15,
            Field::AuthenticationMethod,
            V::Text,
            CONNECT | CONNACK | AUTH,
            0,
        ),
        (
            0x16,
            Field::AuthenticationData,
            V::Binary,
            CONNECT | CONNACK | AUTH,
            0,
        ),
        (0x17, Field::RequestProblemInformation, V::Flag, CONNECT, 0),
        (0x18, Field::WillDelayInterval, V::FourBytes, WILL, 0),
        (0x19, Field::RequestResponseInformation, V::Flag, CONNECT, 0),
        (0x1a, Field::ResponseInformation, V::Text, CONNACK, 0),
        (
            0x1c,
            Field::ServerReference,
            V::Text,
            CONNACK | DISCONNECT,
            0,
        ),
        (
            0x1f,
            Field::ReasonString,
            V::Text,
            CONNACK | ACK | DISCONNECT | AUTH,
            0,
        ),
        (
            0x21,
            Field::ReceiveMaximum,
            V::NonZeroTwoBytes,
            CONNECT | CONNACK,
            0,
        ),
        (
            0x22,
            Field::TopicAliasMaximum,
            V::TwoBytes,
            CONNECT | CONNACK,
            0,
        ),
        (0x23, Field::TopicAlias, V::NonZeroTwoBytes, PUBLISH, 0), // [MQTT5-3.3.2-8]
        (0x24, Field::MaximumQos, V::Flag, CONNACK, 0),
        (0x25, Field::RetainAvailable, V::Flag, CONNACK, 0),
        (0x26, Field::UserProperty, V::Pair, ANY, ANY), // [MQTT5-1.5.7-1]
        (
            0x27,
            Field::MaximumPacketSize,
            V::NonZeroFourBytes,
            CONNECT | CONNACK,
            0,
        ),
        (
            0x28,
            Field::WildcardSubscriptionAvailable,
            V::Flag,
            CONNACK,
            0,
        ),
        (
            0x29,
            Field::SubscriptionIdentifierAvailable,
            V::Flag,
            CONNACK,
            0,
        ),
        (
            0x2a,
            Field::SharedSubscriptionAvailable,
            V::Flag,
            CONNACK,
            0,
        ),
    ]
};

const LAST_IDENTIFIER: usize = 0x2a;

/// [`PROPERTIES`] by identifier.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when this is compiled, which fails then"
)]
static RULES: [Option<Rule>; LAST_IDENTIFIER + 1] = {
    let mut rules = [None; LAST_IDENTIFIER + 1];
    let mut bit: u8 = 0;
    while (bit as usize) < PROPERTIES.len() {
        let (identifier, field, value, allowed, repeatable) = PROPERTIES[bit as usize];
        rules[identifier as usize] = Some(Rule {
            field,
            value,
            bit,
            allowed,
            repeatable,
        });
        bit += 1;
    }
    rules
};

/// The rule for the property with this identifier, if there is one.
#[inline(always)]
pub(super) fn rule(identifier: u32) -> Option<&'static Rule> {
    RULES.get(identifier as usize)?.as_ref()
}

/// Whether the property with this identifier has been seen.
pub(super) fn has_seen(seen: u32, identifier: u32) -> bool {
    rule(identifier).is_some_and(|rule| seen >> rule.bit & 1 != 0)
}

/// A value without its meaning.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Flag(bool),
    TwoBytes(u16),
    FourBytes(u32),
    Variable(u32),
    Text(Text<&'a [u8]>),
    TopicName(TopicName<&'a [u8]>),
    Binary(&'a [u8]),
    Pair(Text<&'a [u8]>, Text<&'a [u8]>),
}

/// Reads and validates the value of the property that has this rule.
#[inline(always)]
pub(super) fn read_value<'a, F: ReadError>(
    rule: &Rule,
    reader: &mut Reader<'a, F>,
) -> Result<Value<'a>, F> {
    let field = rule.field;
    let start = reader.offset();
    let (value, in_range) = match rule.value {
        ValueType::Flag => {
            let byte = reader.u8(field)?;
            (Value::Flag(byte != 0), byte <= 1)
        }
        ValueType::TwoBytes => (Value::TwoBytes(reader.u16(field)?), true),
        ValueType::NonZeroTwoBytes => {
            let number = reader.u16(field)?;
            (Value::TwoBytes(number), number != 0)
        }
        ValueType::FourBytes => (Value::FourBytes(reader.u32(field)?), true),
        ValueType::NonZeroFourBytes => {
            let number = reader.u32(field)?;
            (Value::FourBytes(number), number != 0)
        }
        ValueType::NonZeroVariable => {
            let number = reader.variable_byte_integer(field)?;
            (Value::Variable(number), number != 0)
        }
        ValueType::Text => (Value::Text(read_checked(reader, field)?), true),
        ValueType::TopicName => (Value::TopicName(read_checked(reader, field)?), true),
        ValueType::Binary => (Value::Binary(reader.bytes(field)?), true),
        ValueType::Pair => {
            let name = read_checked(reader, field)?;
            (Value::Pair(name, read_checked(reader, field)?), true)
        }
    };
    if in_range {
        Ok(value)
    } else {
        Err(reader.fault(field, ErrorKind::ValueOutOfRange, start))
    }
}

impl<'a> Property<'a> {
    /// The Property Identifier.
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

    /// The name in the standard's words, as the field of an error.
    #[must_use]
    pub fn field(&self) -> Field {
        rule(self.identifier().into()).map_or(Field::Properties, |rule| rule.field)
    }

    /// `None` if there is no such property, or if it has no such value.
    pub(super) fn new(identifier: u8, value: Value<'a>) -> Option<Self> {
        Some(match (identifier, value) {
            (0x01, Value::Flag(value)) => Self::PayloadFormatIndicator(value),
            (0x02, Value::FourBytes(value)) => Self::MessageExpiryInterval(value),
            (0x03, Value::Text(value)) => Self::ContentType(value),
            (0x08, Value::TopicName(value)) => Self::ResponseTopic(value),
            (0x09, Value::Binary(value)) => Self::CorrelationData(value),
            (0x0b, Value::Variable(value)) => {
                Self::SubscriptionIdentifier(SubscriptionIdentifier::new(value)?)
            }
            (0x11, Value::FourBytes(value)) => Self::SessionExpiryInterval(value),
            (0x12, Value::Text(value)) => Self::AssignedClientIdentifier(value),
            (0x13, Value::TwoBytes(value)) => Self::ServerKeepAlive(value),
            (0x15, Value::Text(value)) => Self::AuthenticationMethod(value),
            (0x16, Value::Binary(value)) => Self::AuthenticationData(value),
            (0x17, Value::Flag(value)) => Self::RequestProblemInformation(value),
            (0x18, Value::FourBytes(value)) => Self::WillDelayInterval(value),
            (0x19, Value::Flag(value)) => Self::RequestResponseInformation(value),
            (0x1a, Value::Text(value)) => Self::ResponseInformation(value),
            (0x1c, Value::Text(value)) => Self::ServerReference(value),
            (0x1f, Value::Text(value)) => Self::ReasonString(value),
            (0x21, Value::TwoBytes(value)) => Self::ReceiveMaximum(NonZeroU16::new(value)?),
            (0x22, Value::TwoBytes(value)) => Self::TopicAliasMaximum(value),
            (0x23, Value::TwoBytes(value)) => Self::TopicAlias(NonZeroU16::new(value)?),
            (0x24, Value::Flag(false)) => Self::MaximumQos(QoS::AtMostOnce),
            (0x24, Value::Flag(true)) => Self::MaximumQos(QoS::AtLeastOnce),
            (0x25, Value::Flag(value)) => Self::RetainAvailable(value),
            (0x26, Value::Pair(name, value)) => Self::UserProperty { name, value },
            (0x27, Value::FourBytes(value)) => Self::MaximumPacketSize(NonZeroU32::new(value)?),
            (0x28, Value::Flag(value)) => Self::WildcardSubscriptionAvailable(value),
            (0x29, Value::Flag(value)) => Self::SubscriptionIdentifierAvailable(value),
            (0x2a, Value::Flag(value)) => Self::SharedSubscriptionAvailable(value),
            _ => return None,
        })
    }

    /// The value without its meaning.
    pub(super) const fn value(&self) -> Result<Value<'a>, EncodeError> {
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

    /// Identifier and value.
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

    #[test]
    fn each_property_has_a_bit_of_its_own() {
        let mut seen = 0;
        for (identifier, ..) in PROPERTIES {
            assert!(rule(identifier.into()).unwrap().see(0, &mut seen));
        }
        assert_eq!(seen.count_ones(), 27);
    }

    #[test]
    fn every_other_identifier_has_no_rule() {
        let known = PROPERTIES.map(|(identifier, ..)| u32::from(identifier));
        for identifier in (0..=300).chain([u32::MAX]) {
            assert_eq!(rule(identifier).is_some(), known.contains(&identifier));
        }
    }
}
