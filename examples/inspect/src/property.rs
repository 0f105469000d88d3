//! The properties of MQTT 5, as text and JSON show them.

use mqtt_sansio::v5::Property;

/// The value of a property, by its type on the wire.
pub(crate) enum PropertyValue<'a> {
    Flag(bool),
    Byte(u8),
    TwoBytes(u16),
    FourBytes(u32),
    Variable(u32),
    Text(&'a str),
    Binary(&'a [u8]),
    Pair(&'a str, &'a str),
}

impl<'a> From<&'a Property<'_>> for PropertyValue<'a> {
    fn from(property: &'a Property<'_>) -> Self {
        match property {
            Property::PayloadFormatIndicator(flag)
            | Property::RequestProblemInformation(flag)
            | Property::RequestResponseInformation(flag)
            | Property::RetainAvailable(flag)
            | Property::WildcardSubscriptionAvailable(flag)
            | Property::SubscriptionIdentifierAvailable(flag)
            | Property::SharedSubscriptionAvailable(flag) => Self::Flag(*flag),
            Property::MaximumQos(qos) => Self::Byte(qos.number()),
            Property::ServerKeepAlive(number) | Property::TopicAliasMaximum(number) => {
                Self::TwoBytes(*number)
            }
            Property::ReceiveMaximum(number) | Property::TopicAlias(number) => {
                Self::TwoBytes(number.get())
            }
            Property::MessageExpiryInterval(number)
            | Property::SessionExpiryInterval(number)
            | Property::WillDelayInterval(number) => Self::FourBytes(*number),
            Property::MaximumPacketSize(number) => Self::FourBytes(number.get()),
            Property::SubscriptionIdentifier(number) => Self::Variable(number.get()),
            Property::ContentType(text)
            | Property::AssignedClientIdentifier(text)
            | Property::AuthenticationMethod(text)
            | Property::ResponseInformation(text)
            | Property::ServerReference(text)
            | Property::ReasonString(text) => Self::Text(text.as_str()),
            Property::ResponseTopic(topic) => Self::Text(topic.as_str()),
            Property::CorrelationData(data) | Property::AuthenticationData(data) => {
                Self::Binary(data)
            }
            Property::UserProperty { name, value } => Self::Pair(name.as_str(), value.as_str()),
        }
    }
}

impl PropertyValue<'_> {
    /// Returns the value as text; `quote` formats strings and bytes.
    pub(crate) fn show(&self, quote: impl Fn(&[u8]) -> String) -> String {
        match self {
            Self::Flag(flag) => u8::from(*flag).to_string(),
            Self::Byte(number) => number.to_string(),
            Self::TwoBytes(number) => number.to_string(),
            Self::FourBytes(number) | Self::Variable(number) => number.to_string(),
            Self::Text(text) => quote(text.as_bytes()),
            Self::Binary(data) => quote(data),
            Self::Pair(name, value) => {
                format!("{}: {}", quote(name.as_bytes()), quote(value.as_bytes()))
            }
        }
    }

    /// Returns its number of bytes on the wire.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Flag(_) | Self::Byte(_) => 1,
            Self::TwoBytes(_) => 2,
            Self::FourBytes(_) => 4,
            Self::Variable(number) => variable_len(*number as usize),
            Self::Text(text) => text.len().saturating_add(2),
            Self::Binary(data) => data.len().saturating_add(2),
            Self::Pair(name, value) => name.len().saturating_add(value.len()).saturating_add(4),
        }
    }
}

/// Returns the number of bytes of a Variable Byte Integer (section 1.5.5).
pub(crate) const fn variable_len(value: usize) -> usize {
    match value {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        _ => 4,
    }
}
