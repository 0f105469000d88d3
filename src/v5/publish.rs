//! PUBLISH (section 3.3).

use super::{Properties, PublishHeader, PublishProperties, Reader};
use crate::packet::publish::{first_byte, put_packet_id, read_delivery, retain};
use crate::packet::read_string;
use crate::types::{Delivery, TopicName};
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, Output, PacketBody, ReadError, put_field,
};

/// PUBLISH: an application message (section 3.3).
///
/// ```
/// use mqtt_sansio::v5::{Delivery, Property, Publish, PublishProperties};
/// use mqtt_sansio::{Encode, TopicName};
///
/// let mut buffer = [0; 16];
/// let publish = Publish {
///     delivery: Delivery::AtMostOnce,
///     retain: false,
///     topic: TopicName::new("a/b")?,
///     properties: PublishProperties::encode_to_slice(&mut buffer, [
///         Property::MessageExpiryInterval(60),
///     ])?,
///     payload: &b"21.5"[..],
/// };
/// let bytes = b"\x30\x0f\x00\x03a/b\x05\x02\x00\x00\x00\x3c21.5";
/// assert_eq!(publish.encode_to_slice(&mut [0; 64])?, bytes);
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
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct Publish<B> {
    /// QoS, and with it Packet Identifier and DUP.
    pub delivery: Delivery,
    /// RETAIN. To a server: keep the message for later subscribers. From a server: this is such
    /// a kept message (section 3.3.1.3).
    pub retain: bool,
    /// Topic Name. Empty if a Topic Alias stands for it: see [`Publish::aliased`].
    #[cfg_attr(
        all(feature = "serde", feature = "alloc"),
        serde(deserialize_with = "super::serde::topic_or_alias")
    )]
    pub topic: TopicName<B>,
    /// The properties.
    pub properties: PublishProperties<B>,
    /// The message itself; may be empty.
    #[cfg_attr(feature = "serde", serde(with = "crate::packet::serde::message"))]
    pub payload: B,
}

impl<'a> Publish<&'a [u8]> {
    /// A message whose Topic Name is left out, because the receiver knows it by the Topic Alias
    /// among the properties (section 3.3.2.3.4). Without a Topic Alias, encoding it is
    /// [`EncodeError::EmptyTopicName`].
    ///
    /// ```
    /// use mqtt_sansio::v5::{Delivery, Property, Publish, PublishProperties};
    /// use mqtt_sansio::Encode;
    ///
    /// let mut buffer = [0; 8];
    /// let properties = PublishProperties::encode_to_slice(&mut buffer, [
    ///     Property::TopicAlias(7.try_into()?),
    /// ])?;
    /// let publish = Publish::aliased(Delivery::AtMostOnce, false, properties, b"hi");
    /// let bytes = b"\x30\x08\x00\x00\x03\x23\x00\x07hi";
    /// assert_eq!(publish.encode_to_slice(&mut [0; 16])?, bytes);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn aliased(
        delivery: Delivery,
        retain: bool,
        properties: PublishProperties<&'a [u8]>,
        payload: &'a [u8],
    ) -> Self {
        Self {
            delivery,
            retain,
            topic: TopicName::from_valid(&[]),
            properties,
            payload,
        }
    }
}

impl<B> Publish<B> {
    /// Moves the bytes elsewhere. `f` must keep them as they are: what it returns is not validated
    /// again.
    pub fn map<C>(self, mut f: impl FnMut(B) -> C) -> Publish<C> {
        Publish {
            delivery: self.delivery,
            retain: self.retain,
            topic: self.topic.map(&mut f),
            properties: self.properties.map(&mut f),
            payload: f(self.payload),
        }
    }
}

impl<B: AsRef<[u8]>> Publish<B> {
    /// The same, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> Publish<&[u8]> {
        Publish {
            delivery: self.delivery,
            retain: self.retain,
            topic: self.topic.as_ref(),
            properties: self.properties.as_ref(),
            payload: self.payload.as_ref(),
        }
    }

    /// Everything but the payload, to be encoded on its own before the payload is written.
    ///
    /// # Errors
    ///
    /// [`EncodeError::PacketTooLarge`] if the payload has more bytes than a `u32` counts. One that
    /// is too long for a packet all the same is refused when the header is encoded.
    #[inline]
    pub fn header(&self) -> Result<PublishHeader<&[u8]>, EncodeError> {
        let Ok(payload_len) = u32::try_from(self.payload.as_ref().len()) else {
            return Err(EncodeError::PacketTooLarge);
        };
        Ok(PublishHeader {
            delivery: self.delivery,
            retain: self.retain,
            topic: self.topic.as_ref(),
            properties: self.properties.as_ref(),
            payload_len,
        })
    }
}

/// What comes before the payload: Topic Name, Packet Identifier and properties.
pub(super) type Head<'a> = (Delivery, TopicName<&'a [u8]>, PublishProperties<&'a [u8]>);

/// Reads what comes before the payload. The flags have been checked.
#[inline(always)]
pub(super) fn read_head<'a, F: ReadError>(
    first_byte: u8,
    reader: &mut Reader<'a, F>,
) -> Result<Head<'a>, F> {
    let start = reader.offset();
    // [MQTT5-3.3.2-1, MQTT5-3.3.2-2]
    let topic = read_string(reader, Field::TopicName, TopicName::check_v5)?;
    let delivery = read_delivery(first_byte, reader)?;
    let properties = Properties::read(reader)?;
    // Section 3.3.2.1.
    if topic.is_empty() && properties.topic_alias().is_none() {
        return Err(reader.fault(Field::TopicName, ErrorKind::EmptyTopic, start));
    }
    Ok((delivery, TopicName::from_valid(topic), properties))
}

/// Writes what comes before the payload.
#[inline(always)]
pub(super) fn write_head<B: AsRef<[u8]>, O: Output + ?Sized>(
    delivery: &Delivery,
    topic: &[u8],
    properties: &PublishProperties<B>,
    out: &mut O,
) -> Result<(), EncodeError> {
    if topic.is_empty() && properties.topic_alias().is_none() {
        return Err(EncodeError::EmptyTopicName {
            field: Field::TopicName,
        });
    }
    put_field(out, Field::TopicName, topic)?;
    put_packet_id(delivery, out)?;
    properties.write(out)
}

impl<'a> Publish<&'a [u8]> {
    #[inline(always)]
    pub(super) fn read<F: ReadError>(
        first_byte: u8,
        reader: &mut Reader<'a, F>,
    ) -> Result<Self, F> {
        let (delivery, topic, properties) = read_head(first_byte, reader)?;
        Ok(Self {
            delivery,
            retain: retain(first_byte),
            topic,
            properties,
            payload: reader.remaining(),
        })
    }
}

impl<B: AsRef<[u8]>> PacketBody for Publish<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        first_byte(&self.delivery, self.retain)
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        let topic = self.topic.as_bytes();
        write_head(&self.delivery, topic, &self.properties, out)
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.payload.as_ref()
    }
}

impl<B: AsRef<[u8]>> Encode for Publish<B> {}
