//! CONNECT (section 3.1).

use super::{ConnectProperties, Properties, WillProperties};
use crate::packet::connect_flags::{CLEAN, PASSWORD, USER_NAME, will_flags};
use crate::types::{QoS, Text, TopicName};
use crate::wire::{
    Counter, Encode, EncodeError, Field, Output, PacketBody, put_field, put_topic_name,
};

/// CONNECT: the first packet of a client on a connection (section 3.1). A
/// [`Packet`](super::Packet) holds it as an [`EncodedConnect`](super::EncodedConnect).
///
/// ```
/// use mqtt_sansio::v5::{Connect, ConnectProperties, Property};
/// use mqtt_sansio::{Encode, Text};
///
/// let mut buffer = [0; 16];
/// let mut connect = Connect::new(Text::new("device-7")?);
/// connect.keep_alive = 60;
/// connect.properties = ConnectProperties::encode_to_slice(&mut buffer, [
///     Property::SessionExpiryInterval(3600),
/// ])?;
/// assert_eq!(connect.encode_to_slice(&mut [0; 64])?[..2], [0x10, 26]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::string::String> + From<alloc::vec::Vec<u8>>"
    ))
)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields are the standard's; a new one would be a new version of MQTT"
)]
pub struct Connect<B> {
    /// Clean Start: both sides delete the earlier session of this client. The Session Expiry
    /// Interval decides how long the new one lasts (section 3.1.2.4).
    pub clean_start: bool,
    /// Keep Alive in seconds: the longest time between two packets of the client. 0 disables it
    /// (section 3.1.2.10).
    pub keep_alive: u16,
    /// The properties.
    pub properties: ConnectProperties<B>,
    /// Client Identifier. If it is empty, the server assigns one and returns it as Assigned Client
    /// Identifier [MQTT5-3.1.3-6, MQTT5-3.1.3-7].
    pub client_id: Text<B>,
    /// The Will: the message that the server publishes for the client when the connection breaks.
    pub will: Option<Will<B>>,
    /// User Name.
    pub user_name: Option<Text<B>>,
    /// Password: at most 65,535 bytes of any value. It does not need a User Name. `Debug` leaves it
    /// out.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::packet::serde::optional_message")
    )]
    pub password: Option<B>,
}

/// The Will of a client (section 3.1.2.5): published by the server when the connection ends
/// without a DISCONNECT, after the Will Delay Interval.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::string::String> + From<alloc::vec::Vec<u8>>"
    ))
)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct Will<B> {
    /// Will Properties.
    pub properties: WillProperties<B>,
    /// Will Topic. Not empty and without wildcards, like any Topic Name.
    pub topic: TopicName<B>,
    /// Will Payload: at most 65,535 bytes.
    #[cfg_attr(feature = "serde", serde(with = "crate::packet::serde::message"))]
    pub payload: B,
    /// Will QoS.
    pub qos: QoS,
    /// Will Retain: the message is published as a retained one.
    pub retain: bool,
}

crate::packet::storage!(Connect {
    clean_start: value,
    keep_alive: value,
    properties: part,
    client_id: part,
    will: optional_part,
    user_name: optional_part,
    password: optional_bytes
});
crate::packet::storage!(Will {
    properties: part,
    topic: part,
    payload: bytes,
    qos: value,
    retain: value
});

/// Connect Flags and Keep Alive (section 3.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct VariableHeader {
    /// Connect Flags.
    pub(super) flags: u8,
    pub(super) keep_alive: u16,
}

/// Protocol Name and Protocol Level (sections 3.1.2.1 and 3.1.2.2).
pub(super) const PROTOCOL_NAME: &str = "MQTT";
pub(super) const PROTOCOL_LEVEL: u8 = 5;

impl VariableHeader {
    pub(super) const fn of<B>(connect: &Connect<B>) -> Self {
        let mut flags = 0;
        if connect.clean_start {
            flags |= CLEAN;
        }
        if let Some(will) = &connect.will {
            flags |= will_flags(will.qos, will.retain);
        }
        if connect.user_name.is_some() {
            flags |= USER_NAME;
        }
        if connect.password.is_some() {
            flags |= PASSWORD;
        }
        Self {
            flags,
            keep_alive: connect.keep_alive,
        }
    }

    pub(super) fn write<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        put_field(out, Field::ProtocolName, PROTOCOL_NAME.as_bytes())?;
        let [high, low] = self.keep_alive.to_be_bytes();
        out.put(&[PROTOCOL_LEVEL, self.flags, high, low])
    }
}

impl<'a> Connect<&'a [u8]> {
    /// Creates a CONNECT with Clean Start, Keep Alive 60 seconds, no properties, no Will, no User
    /// Name and no Password.
    #[must_use]
    pub const fn new(client_id: Text<&'a [u8]>) -> Self {
        Self {
            clean_start: true,
            keep_alive: 60,
            properties: Properties::EMPTY,
            client_id,
            will: None,
            user_name: None,
            password: None,
        }
    }
}

impl<B> Connect<B> {
    /// Sets the Clean Start flag.
    #[must_use]
    pub const fn clean_start(mut self, clean_start: bool) -> Self {
        self.clean_start = clean_start;
        self
    }

    /// Sets the Keep Alive in seconds; 0 disables it.
    #[must_use]
    pub const fn keep_alive(mut self, seconds: u16) -> Self {
        self.keep_alive = seconds;
        self
    }

    /// Sets the properties.
    #[must_use]
    pub fn properties(mut self, properties: ConnectProperties<B>) -> Self {
        self.properties = properties;
        self
    }

    /// Sets the Will.
    #[must_use]
    pub fn will(mut self, will: Will<B>) -> Self {
        self.will = Some(will);
        self
    }

    /// Sets User Name and Password.
    #[must_use]
    pub fn credentials(mut self, user_name: Text<B>, password: B) -> Self {
        self.user_name = Some(user_name);
        self.password = Some(password);
        self
    }
}

impl<B: AsRef<[u8]>> Connect<B> {
    /// Returns the length of the payload.
    pub(super) fn payload_len(&self) -> Result<usize, EncodeError> {
        let mut counter = Counter::default();
        self.write_payload(&mut counter)?;
        Ok(counter.get())
    }

    /// Writes the fields of the flags, in the order of [MQTT5-3.1.3-1].
    pub(super) fn write_payload<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        put_field(out, Field::ClientIdentifier, self.client_id.as_bytes())?;
        if let Some(will) = &self.will {
            will.properties.write(out)?;
            put_topic_name(out, Field::WillTopic, will.topic.as_bytes())?;
            put_field(out, Field::WillPayload, will.payload.as_ref())?;
        }
        if let Some(user_name) = &self.user_name {
            put_field(out, Field::UserName, user_name.as_bytes())?;
        }
        if let Some(password) = &self.password {
            put_field(out, Field::Password, password.as_ref())?;
        }
        Ok(())
    }
}

impl<B: AsRef<[u8]>> PacketBody for Connect<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0x10
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        VariableHeader::of(self).write(out)?;
        self.properties.write(out)?;
        self.write_payload(out)
    }
}

impl<B: AsRef<[u8]>> Encode for Connect<B> {}

#[cfg(test)]
mod tests;
