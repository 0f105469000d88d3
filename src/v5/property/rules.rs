//! The rules of the standard for each property: the type of the value, the packets that can have it, and
//! whether it may be repeated.

use crate::packet::read_checked;
use crate::types::{Text, TopicName};
use crate::wire::{ErrorKind, Field, ReadError, Reader};

// The packets that can have a property, one bit each.
pub(crate) const CONNECT: u16 = 1;
pub(crate) const CONNACK: u16 = 1 << 1;
pub(crate) const PUBLISH: u16 = 1 << 2;
pub(crate) const WILL: u16 = 1 << 3;
/// PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK have the same properties.
pub(crate) const ACK: u16 = 1 << 4;
pub(crate) const SUBSCRIBE: u16 = 1 << 5;
pub(crate) const UNSUBSCRIBE: u16 = 1 << 6;
pub(crate) const DISCONNECT: u16 = 1 << 7;
pub(crate) const AUTH: u16 = 1 << 8;
const MESSAGE: u16 = PUBLISH | WILL;
const ANY: u16 = (1 << 9) - 1;
/// The properties of PUBLISH that belong to one receiver: not a packet, so [`ANY`] excludes it.
pub(crate) const RECEIVER: u16 = 1 << 9;

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
pub(crate) struct Rule {
    pub(crate) field: Field,
    value: ValueType,
    /// Its bit in the set of properties of a packet.
    bit: u8,
    allowed: u16,
    repeatable: u16,
}

impl Rule {
    pub(crate) const fn is_allowed(&self, kind: u16) -> bool {
        self.allowed & kind != 0
    }

    /// Returns true if another one is allowed after those in the set, and adds it to the set.
    #[inline(always)]
    pub(crate) const fn see(&self, kind: u16, seen: &mut PropertySet) -> bool {
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
pub(crate) fn rule(identifier: u8) -> Option<&'static Rule> {
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

/// Moves the reader after the value of the property of this rule, and validates the value unless it
/// was validated before.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn skip_value<F: ReadError>(rule: &Rule, reader: &mut Reader<'_, F>) -> Result<(), F> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
