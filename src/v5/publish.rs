//! PUBLISH (section 3.3).

use super::{Properties, PropertySet, PublishHeader, PublishProperties, Reader, TOPIC_ALIAS};
use crate::packet::publish::{self, first_byte, put_packet_id, retain};
use crate::types::{Delivery, TopicName};
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, OPTIMIZE_SIZE, Output, PacketBody, ReadError, is_short,
    put_field,
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
    /// Topic Name. Empty if a Topic Alias replaces it: see [`Publish::aliased`].
    #[cfg_attr(
        all(feature = "serde", feature = "alloc"),
        serde(deserialize_with = "super::serde::topic_or_alias")
    )]
    pub topic: TopicName<B>,
    /// The properties.
    pub properties: PublishProperties<B>,
    /// The payload; may be empty.
    #[cfg_attr(feature = "serde", serde(with = "crate::packet::serde::message"))]
    pub payload: B,
}

crate::packet::storage!(Publish {
    delivery: value,
    retain: value,
    topic: part,
    properties: part,
    payload: bytes
});

impl<'a> Publish<&'a [u8]> {
    /// Creates a PUBLISH without a Topic Name, because the receiver knows it by the Topic Alias
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

impl<B: AsRef<[u8]>> Publish<B> {
    /// Returns everything but the payload, to encode it before the payload is sent separately.
    ///
    /// # Errors
    ///
    /// [`EncodeError::PacketTooLarge`] if the payload has more bytes than a `u32` holds. A shorter
    /// one that exceeds the largest packet is refused when the header is encoded.
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

/// The fields before the payload: Topic Name, Packet Identifier and properties, and the set of
/// properties.
pub(super) type Head<'a> = (
    Delivery,
    TopicName<&'a [u8]>,
    PublishProperties<&'a [u8]>,
    PropertySet,
);

/// Reads the fields before the payload. The flags were validated.
#[inline(always)]
pub(super) fn read_head<'a, F: ReadError>(
    first_byte: u8,
    reader: &mut Reader<'a, F>,
) -> Result<Head<'a>, F> {
    let start = reader.offset();
    // [MQTT5-3.3.2-1, MQTT5-3.3.2-2]
    let (delivery, topic) = publish::read_head(first_byte, reader, TopicName::check_v5)?;
    let (properties, set) = Properties::read_with_set(reader)?;
    // Section 3.3.2.1.
    if topic.as_bytes().is_empty() && !set.has(TOPIC_ALIAS) {
        return Err(reader.fault(Field::TopicName, ErrorKind::EmptyTopic, start));
    }
    Ok((delivery, topic, properties, set))
}

/// Writes the fields before the payload.
#[inline(always)]
pub(super) fn write_head<B: AsRef<[u8]>, O: Output + ?Sized>(
    delivery: &Delivery,
    topic: &[u8],
    properties: &PublishProperties<B>,
    out: &mut O,
) -> Result<(), EncodeError> {
    if topic.is_empty() {
        let is_aliased = if is_short(out) {
            properties.as_bytes().first() == Some(&TOPIC_ALIAS)
        } else {
            properties.has(TOPIC_ALIAS)
        };
        if !is_aliased {
            let field = Field::TopicName;
            return Err(EncodeError::EmptyTopicName { field });
        }
    }
    if topic.is_empty() && !OPTIMIZE_SIZE {
        out.put(&[0, 0])?;
    } else {
        put_field(out, Field::TopicName, topic)?;
    }
    put_packet_id(delivery, out)?;
    properties.write(out)
}

impl<'a> Publish<&'a [u8]> {
    #[inline(always)]
    pub(super) fn read<F: ReadError>(
        first_byte: u8,
        reader: &mut Reader<'a, F>,
    ) -> Result<Self, F> {
        Self::read_with_set(first_byte, reader).map(|(publish, _)| publish)
    }

    /// Reads the same, and the set of properties.
    #[inline(always)]
    pub(super) fn read_with_set<F: ReadError>(
        first_byte: u8,
        reader: &mut Reader<'a, F>,
    ) -> Result<(Self, PropertySet), F> {
        let (delivery, topic, properties, set) = read_head(first_byte, reader)?;
        let publish = Self {
            delivery,
            retain: retain(first_byte),
            topic,
            properties,
            payload: reader.remaining(),
        };
        Ok((publish, set))
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

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        publish::head_len(&self.delivery, self.topic.as_bytes())
            .wrapping_add(self.properties.likely_len())
    }
}

impl<B: AsRef<[u8]>> Encode for Publish<B> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PacketId;
    use crate::v5::testing::{decoded, encoded, fault, round_trip};
    use crate::v5::{Packet, Property};
    use core::num::NonZeroU16;

    fn aliased(buffer: &mut [u8]) -> PublishProperties<&[u8]> {
        let alias = Property::TopicAlias(NonZeroU16::MAX);
        PublishProperties::encode_to_slice(buffer, [alias]).unwrap()
    }

    fn publish(topic: &str) -> Publish<&[u8]> {
        Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: TopicName::new(topic).unwrap(),
            properties: Properties::EMPTY,
            payload: b"hi",
        }
    }

    #[test]
    fn a_publish_of_each_qos_is_these_bytes() {
        round_trip(publish("a"), b"\x30\x06\x00\x01a\x00hi");
        let packet_id = PacketId::new(0x0102).unwrap();
        let delivery = Delivery::AtLeastOnce {
            packet_id,
            dup: true,
        };
        round_trip(
            Publish {
                delivery,
                retain: true,
                ..publish("a")
            },
            b"\x3b\x08\x00\x01a\x01\x02\x00hi",
        );
        let delivery = Delivery::ExactlyOnce {
            packet_id,
            dup: false,
        };
        round_trip(
            Publish {
                delivery,
                ..publish("a")
            },
            b"\x34\x08\x00\x01a\x01\x02\x00hi",
        );
    }

    #[test]
    fn a_topic_name_may_be_left_out_where_a_topic_alias_stands_for_it() {
        let mut buffer = [0; 8];
        let properties = aliased(&mut buffer);
        round_trip(
            Publish::aliased(Delivery::AtMostOnce, false, properties, b"hi"),
            b"\x30\x08\x00\x00\x03\x23\xff\xffhi",
        );
        // Both properties set the alias.
        round_trip(
            Publish {
                properties,
                ..publish("a")
            },
            b"\x30\x09\x00\x01a\x03\x23\xff\xffhi",
        );
    }

    #[test]
    fn without_an_alias_a_topic_name_is_needed() {
        assert_eq!(
            fault(b"\x30\x05\x00\x00\x00hi"),
            (ErrorKind::EmptyTopic, Field::TopicName, 2, None)
        );
        let publish = Publish::aliased(Delivery::AtMostOnce, false, Properties::EMPTY, b"hi");
        let field = Field::TopicName;
        assert_eq!(
            encoded(&publish),
            Err(EncodeError::EmptyTopicName { field })
        );
        let header = publish.header().unwrap();
        assert_eq!(encoded(&header), Err(EncodeError::EmptyTopicName { field }));
        // Where it could be one chunk too, and whatever other properties it has.
        let mut buffer = [0; 16];
        let others = [Property::MessageExpiryInterval(1)];
        let properties = PublishProperties::encode_to_slice(&mut buffer, others).unwrap();
        for properties in [Properties::EMPTY, properties] {
            let publish = Publish {
                properties,
                ..publish
            };
            assert_eq!(
                publish.encode_to_slice(&mut [0; 256]),
                Err(EncodeError::EmptyTopicName { field })
            );
        }
    }

    #[test]
    fn a_publish_of_mqtt_5_without_a_topic_name_cannot_be_sent_as_one_of_mqtt_3_1_1() {
        let mut buffer = [0; 8];
        let aliased = Publish::aliased(
            Delivery::AtMostOnce,
            false,
            aliased(&mut buffer),
            &[b'x'; 100],
        );
        for payload in [&b""[..], b"hi", aliased.payload] {
            let publish = crate::v3::Publish {
                delivery: aliased.delivery,
                retain: aliased.retain,
                topic: aliased.topic,
                payload,
            };
            let error = EncodeError::EmptyTopicName {
                field: Field::TopicName,
            };
            assert_eq!(error.statement(), Some("MQTT-4.7.3-1"));
            assert_eq!(encoded(&publish), Err(error));
            let mut buffer = [0; 256];
            assert_eq!(publish.encode_to_slice(&mut buffer), Err(error));
            let header = publish.header().unwrap();
            assert_eq!(header.encode_to_slice(&mut buffer), Err(error));
        }
    }

    #[test]
    fn properties_of_128_bytes_and_more_have_a_length_of_two_bytes() {
        for len in [120, 121, 122, 123, 16_000] {
            let mut buffer = std::vec![0; 17_000];
            let data = std::vec![b'x'; len];
            let properties = PublishProperties::encode_to_slice(
                &mut buffer,
                [
                    Property::CorrelationData(&data),
                    Property::PayloadFormatIndicator(true),
                ],
            );
            let publish = Publish {
                properties: properties.unwrap(),
                ..publish("a")
            };
            let bytes = encoded(&publish).unwrap();
            assert_eq!(decoded(&bytes), Packet::Publish(publish));
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn map_and_to_owned_keep_every_value() {
        let bytes = b"\x30\x09\x00\x01a\x03\x23\xff\xffhi";
        let Packet::Publish(publish) = decoded(bytes) else {
            panic!("not a PUBLISH");
        };
        let owned = publish.to_owned();
        assert_eq!(owned.as_ref(), publish);
        assert_eq!(encoded(&owned).as_deref(), Ok(&bytes[..]));
        let header = owned.header().unwrap().to_owned();
        assert_eq!(header.with_payload(b"hi".to_vec()), Some(owned));
    }
}
