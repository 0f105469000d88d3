//! One property (section 2.2.2.2), and the table of all properties: the type of the value, the
//! packets that can have it, and whether it may be repeated.

use core::num::{NonZeroU16, NonZeroU32};

use crate::packet::read_checked;
use crate::types::{QoS, Text, TopicName};
use crate::wire::{
    EncodeError, ErrorKind, Field, MAX_REMAINING_LENGTH, Output, ReadError, Reader, Trusted,
    put_field, put_topic_name, put_variable_byte_integer,
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

// The packets that can have a property, one bit each.
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
/// The properties of PUBLISH that belong to one receiver: not a packet, so [`ANY`] excludes it.
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
    /// Its bit in the set of properties of a packet.
    bit: u8,
    allowed: u16,
    repeatable: u16,
}

impl Rule {
    pub(super) const fn is_allowed(&self, kind: u16) -> bool {
        self.allowed & kind != 0
    }

    /// Returns true if another one is allowed after those in the set, and adds it to the set.
    #[inline(always)]
    pub(super) const fn see(&self, kind: u16, seen: &mut PropertySet) -> bool {
        let before = seen.0;
        seen.0 |= 1 << self.bit;
        before != seen.0 || self.repeatable & kind != 0
    }
}

/// Identifier, field, type of the value, packets that can have it, packets in which it may be
/// repeated (Table 2-4). The field has the name of the property.
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

/// Returns the rule for the property with this identifier, if there is one.
#[inline(always)]
pub(super) fn rule(identifier: u8) -> Option<&'static Rule> {
    RULES.get(usize::from(identifier))?.as_ref()
}

/// The identifiers of the properties that connections read or leave out.
pub(crate) const MESSAGE_EXPIRY_INTERVAL: u8 = 0x02;
pub(crate) const SUBSCRIPTION_IDENTIFIER: u8 = 0x0b;
#[cfg(feature = "alloc")]
pub(crate) const WILL_DELAY_INTERVAL: u8 = 0x18;
pub(crate) const TOPIC_ALIAS: u8 = 0x23;

/// The set of properties of a packet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PropertySet(u32);

impl PropertySet {
    /// Returns true if the set has the property with this identifier.
    #[inline(always)]
    pub(crate) fn has(self, identifier: u8) -> bool {
        rule(identifier).is_some_and(|rule| self.0 >> rule.bit & 1 != 0)
    }
}

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

/// Moves the reader after the value of the property of this rule, and validates the value unless it
/// was validated before.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(super) fn skip_value<F: ReadError>(rule: &Rule, reader: &mut Reader<'_, F>) -> Result<(), F> {
    let field = rule.field;
    let start = reader.offset();
    let in_range = match rule.value {
        ValueType::Flag => reader.u8(field)? <= 1,
        ValueType::TwoBytes => reader.u16(field).map(|_| true)?,
        ValueType::NonZeroTwoBytes => reader.u16(field)? != 0,
        ValueType::FourBytes => reader.u32(field).map(|_| true)?,
        ValueType::NonZeroFourBytes => reader.u32(field)? != 0,
        ValueType::NonZeroVariable => reader.variable_byte_integer(field)? != 0,
        ValueType::Text => read_checked(reader, field).map(|_: Text<&[u8]>| true)?,
        ValueType::TopicName => read_checked(reader, field).map(|_: TopicName<&[u8]>| true)?,
        ValueType::Binary => reader.bytes(field).map(|_| true)?,
        ValueType::Pair => {
            let _: Text<&[u8]> = read_checked(reader, field)?;
            read_checked(reader, field).map(|_: Text<&[u8]>| true)?
        }
    };
    if F::CHECKED_BEFORE || in_range {
        Ok(())
    } else {
        Err(reader.fault(field, ErrorKind::ValueOutOfRange, start))
    }
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

    #[test]
    fn each_property_has_a_bit_of_its_own() {
        let mut seen = PropertySet::default();
        for (identifier, ..) in PROPERTIES {
            assert!(!seen.has(identifier));
            assert!(rule(identifier).unwrap().see(0, &mut seen));
            assert!(seen.has(identifier));
        }
        assert_eq!(seen.0.count_ones(), 27);
    }

    #[test]
    fn every_other_identifier_has_no_rule() {
        let known = PROPERTIES.map(|(identifier, ..)| identifier);
        for identifier in 0..=255 {
            assert_eq!(rule(identifier).is_some(), known.contains(&identifier));
        }
    }
}
