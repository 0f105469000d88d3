//! CONNECT (section 3.1).

use crate::packet::connect_flags::{CLEAN, PASSWORD, USER_NAME, will_flags};
use crate::types::{QoS, Text, TopicName};
use crate::wire::{
    Counter, Encode, EncodeError, Field, Output, PacketBody, put_field, put_topic_name,
};

/// CONNECT: the first packet of a client on a connection (section 3.1). A
/// [`Packet`](super::Packet) holds it as an [`EncodedConnect`](super::EncodedConnect).
///
/// ```
/// use mqtt_sansio::{Encode, Text, v3::{Connect, Credentials}};
///
/// let mut connect = Connect::new(Text::new("device-7")?);
/// connect.keep_alive = 60;
/// connect.credentials = Some(Credentials {
///     user_name: Text::new("device")?,
///     password: Some(b"secret"),
/// });
/// assert_eq!(connect.encode_to_slice(&mut [0; 64])?[..2], [0x10, 36]);
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
    /// MQTT 3.1.1 or MQTT 3.1.
    pub protocol_level: ProtocolLevel,
    /// Clean Session: both sides delete the session of this client, now and when the connection
    /// ends (section 3.1.2.4).
    pub clean_session: bool,
    /// Keep Alive in seconds: the longest time between two packets of the client. 0 turns it off
    /// (section 3.1.2.10).
    pub keep_alive: u16,
    /// Client Identifier. If it is empty, the server assigns one, which needs Clean Session and
    /// MQTT 3.1.1 [MQTT-3.1.3-6, MQTT-3.1.3-7].
    pub client_id: Text<B>,
    /// The Will: the message that the server publishes for the client when the connection breaks.
    pub will: Option<Will<B>>,
    /// User Name and Password.
    pub credentials: Option<Credentials<B>>,
}

/// The version of MQTT that a client speaks: Protocol Name and Protocol Level together
/// (sections 3.1.2.1 and 3.1.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "other levels are other versions with other packets"
)]
#[repr(u8)]
pub enum ProtocolLevel {
    /// MQTT 3.1: `MQIsdp`, level 3.
    V3_1 = 3,
    /// MQTT 3.1.1: `MQTT`, level 4.
    #[default]
    V3_1_1 = 4,
}

impl ProtocolLevel {
    /// Returns the Protocol Name of the level.
    #[must_use]
    pub const fn protocol_name(self) -> &'static str {
        match self {
            Self::V3_1 => "MQIsdp",
            Self::V3_1_1 => "MQTT",
        }
    }

    /// Returns the level's byte on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// The Will of a client (section 3.1.2.5): published by the server when the connection ends
/// without a DISCONNECT.
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
    /// Will Topic. Not empty and without wildcards, like any Topic Name.
    pub topic: TopicName<B>,
    /// Will Message: at most 65,535 bytes.
    #[cfg_attr(feature = "serde", serde(with = "crate::packet::serde::message"))]
    pub message: B,
    /// Will QoS.
    pub qos: QoS,
    /// Will Retain: the message is published as a retained one.
    pub retain: bool,
}

/// User Name and Password (section 3.1.3.4). There is no Password without a User Name
/// [MQTT-3.1.2-22]. `Debug` leaves the Password out.
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
pub struct Credentials<B> {
    /// User Name.
    pub user_name: Text<B>,
    /// Password: at most 65,535 bytes of any value.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::packet::serde::optional_message")
    )]
    pub password: Option<B>,
}

crate::packet::storage!(Connect {
    protocol_level: value,
    clean_session: value,
    keep_alive: value,
    client_id: part,
    will: optional_part,
    credentials: optional_part
});
crate::packet::storage!(Will {
    topic: part,
    message: bytes,
    qos: value,
    retain: value
});
crate::packet::storage!(Credentials {
    user_name: part,
    password: optional_bytes
});

/// Protocol Name, Protocol Level, Connect Flags and Keep Alive (section 3.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct VariableHeader {
    pub(super) protocol_level: ProtocolLevel,
    /// Connect Flags.
    pub(super) flags: u8,
    pub(super) keep_alive: u16,
}

impl VariableHeader {
    const fn of<B>(connect: &Connect<B>) -> Self {
        let mut flags = 0;
        if connect.clean_session {
            flags |= CLEAN;
        }
        if let Some(will) = &connect.will {
            flags |= will_flags(will.qos, will.retain);
        }
        if let Some(credentials) = &connect.credentials {
            flags |= USER_NAME;
            if credentials.password.is_some() {
                flags |= PASSWORD;
            }
        }
        Self {
            protocol_level: connect.protocol_level,
            flags,
            keep_alive: connect.keep_alive,
        }
    }

    /// True if the Client Identifier may be empty: MQTT 3.1.1 with Clean Session
    /// [MQTT-3.1.3-7, MQTT-3.1.3-8]. MQTT 3.1 requires at least one character.
    pub(super) const fn allows_empty_client_id(&self) -> bool {
        self.flags & CLEAN != 0 && matches!(self.protocol_level, ProtocolLevel::V3_1_1)
    }

    pub(super) fn write<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        let name = self.protocol_level.protocol_name().as_bytes();
        put_field(out, Field::ProtocolName, name)?;
        let [high, low] = self.keep_alive.to_be_bytes();
        out.put(&[self.protocol_level.number(), self.flags, high, low])
    }
}

impl<B> Connect<B> {
    /// Creates a CONNECT of MQTT 3.1.1 with Clean Session, Keep Alive 60 seconds, no Will and no
    /// User Name.
    pub const fn new(client_id: Text<B>) -> Self {
        Self {
            protocol_level: ProtocolLevel::V3_1_1,
            clean_session: true,
            keep_alive: 60,
            client_id,
            will: None,
            credentials: None,
        }
    }

    /// Sets the Clean Session flag.
    #[must_use]
    pub const fn clean_session(mut self, clean_session: bool) -> Self {
        self.clean_session = clean_session;
        self
    }

    /// Sets the Keep Alive in seconds; 0 disables it.
    #[must_use]
    pub const fn keep_alive(mut self, seconds: u16) -> Self {
        self.keep_alive = seconds;
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
        self.credentials = Some(Credentials {
            user_name,
            password: Some(password),
        });
        self
    }
}

impl<B: AsRef<[u8]>> Connect<B> {
    /// Returns the variable header, if a CONNECT with it may have this Client Identifier. The
    /// lengths of the fields are validated when they are encoded.
    pub(super) fn variable_header(&self) -> Result<VariableHeader, EncodeError> {
        let header = VariableHeader::of(self);
        if self.client_id.as_bytes().is_empty() && !header.allows_empty_client_id() {
            return Err(EncodeError::ClientIdentifierRequired); // [MQTT-3.1.3-7]
        }
        Ok(header)
    }

    /// Returns the length of the payload.
    pub(super) fn payload_len(&self) -> Result<usize, EncodeError> {
        let mut counter = Counter::default();
        self.write_payload(&mut counter)?;
        Ok(counter.get())
    }

    /// Writes the fields of the flags, in the order of [MQTT-3.1.3-1].
    pub(super) fn write_payload<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        put_field(out, Field::ClientIdentifier, self.client_id.as_bytes())?;
        if let Some(will) = &self.will {
            put_topic_name(out, Field::WillTopic, will.topic.as_bytes())?;
            put_field(out, Field::WillMessage, will.message.as_ref())?;
        }
        if let Some(credentials) = &self.credentials {
            put_field(out, Field::UserName, credentials.user_name.as_bytes())?;
            if let Some(password) = &credentials.password {
                put_field(out, Field::Password, password.as_ref())?;
            }
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
        self.variable_header()?.write(out)?;
        self.write_payload(out)
    }
}

impl<B: AsRef<[u8]>> Encode for Connect<B> {}

#[cfg(test)]
mod tests;
