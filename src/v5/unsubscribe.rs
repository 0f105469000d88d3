//! UNSUBSCRIBE (section 3.10).

use super::filter::{put_filter, read_any_filter, read_filter};
use super::{DecodeError, Properties, UnsubscribeProperties};
use crate::packet::{Entry, List, read_packet_id};
use crate::types::{PacketId, TopicFilter};
use crate::wire::{
    Encode, EncodeError, Field, Options, Output, PacketBody, PacketType, ReadError, Reader,
};

/// UNSUBSCRIBE: ends subscriptions (section 3.10). The server answers UNSUBACK
/// [MQTT5-3.10.4-4].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::vec::Vec<u8>>"
    ))
)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields are the standard's; a new one would be a new version of MQTT"
)]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct Unsubscribe<B> {
    /// Packet Identifier.
    pub packet_id: PacketId,
    /// User Properties.
    pub properties: UnsubscribeProperties<B>,
    /// At least one Topic Filter [MQTT5-3.10.3-2].
    pub topic_filters: TopicFilters<B>,
}

crate::packet::storage!(Unsubscribe {
    packet_id: value,
    properties: part,
    topic_filters: part
});

/// The payload of [`Unsubscribe`].
pub type TopicFilters<B> = List<B, TopicFilterEntry>;

/// Makes a [`List`] one of [`TopicFilter`]s.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum TopicFilterEntry {}

impl Entry for TopicFilterEntry {
    type Item<'a> = TopicFilter<&'a [u8]>;
    const PACKET_TYPE: PacketType = PacketType::Unsubscribe;
    const FIELD: Field = Field::TopicFilter;

    #[expect(private_interfaces, private_bounds, reason = "as in the trait")]
    #[inline]
    fn read<'a, F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self::Item<'a>, F> {
        // [MQTT5-3.10.3-1]. Some conforming servers accept a malformed filter here, because it
        // cannot match a subscription, but it violates section 4.7.
        read_filter(reader)
    }

    #[inline]
    fn write<O: Output + ?Sized>(item: Self::Item<'_>, out: &mut O) -> Result<(), EncodeError> {
        put_filter(out, item)
    }
}

/// Makes a [`List`] one of [`TopicFilter`]s whose `$share/` may be invalid, while it is decoded.
enum AnyTopicFilterEntry {}

impl Entry for AnyTopicFilterEntry {
    type Item<'a> = TopicFilter<&'a [u8]>;
    const PACKET_TYPE: PacketType = PacketType::Unsubscribe;
    const FIELD: Field = Field::TopicFilter;

    fn read<'a, F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self::Item<'a>, F> {
        read_any_filter(reader)
    }

    fn write<O: Output + ?Sized>(item: Self::Item<'_>, out: &mut O) -> Result<(), EncodeError> {
        TopicFilterEntry::write(item, out)
    }
}

impl<'a> Unsubscribe<&'a [u8]> {
    pub(super) fn read(
        reader: &mut Reader<'a, DecodeError>,
        options: &Options,
    ) -> Result<Self, DecodeError> {
        let packet_id = read_packet_id(reader)?;
        let properties = Properties::read(reader)?;
        let limit = options.filter_limit();
        let topic_filters = if options.accepts_invalid_shared_filters() {
            let any = List::<_, AnyTopicFilterEntry>::read(reader, limit)?;
            List::from_checked(any.into_bytes())
        } else {
            List::read(reader, limit)?
        };
        Ok(Self {
            packet_id,
            properties,
            topic_filters,
        })
    }
}

impl<B: AsRef<[u8]>> PacketBody for Unsubscribe<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0xa2 // [MQTT5-3.10.1-1]
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        self.properties.write(out)
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.topic_filters.as_bytes()
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        self.properties.likely_len().wrapping_add(2)
    }
}

impl<B: AsRef<[u8]>> Encode for Unsubscribe<B> {}

/// UNSUBSCRIBE with one Topic Filter and no properties, which need not be encoded into a list first.
pub(crate) struct UnsubscribeOne<'a> {
    pub(crate) packet_id: PacketId,
    pub(crate) topic_filter: TopicFilter<&'a [u8]>,
}

impl PacketBody for UnsubscribeOne<'_> {
    fn first_byte(&self) -> u8 {
        0xa2 // [MQTT5-3.10.1-1]
    }

    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        out.put(&[0])?;
        TopicFilterEntry::write(self.topic_filter, out)
    }
}

impl Encode for UnsubscribeOne<'_> {}
