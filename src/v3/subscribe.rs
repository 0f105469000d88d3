//! SUBSCRIBE (section 3.8).

use crate::packet::{Entry, List, read_checked, read_packet_id};
use crate::types::{PacketId, QoS, TopicFilter};
use crate::v3::{DecodeError, Reader};
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, Options, Output, PacketBody, PacketType, ReadError,
    put_field,
};

/// SUBSCRIBE: requests messages (section 3.8). The server answers SUBACK, with a Return Code for
/// each entry [MQTT-3.8.4-1, MQTT-3.8.4-5].
///
/// ```
/// use mqtt_sansio::{Encode, PacketId, QoS, TopicFilter};
/// use mqtt_sansio::v3::{Subscribe, Subscription, Subscriptions};
///
/// let mut buffer = [0; 64];
/// let subscribe = Subscribe {
///     packet_id: PacketId::MIN,
///     subscriptions: Subscriptions::encode_to_slice(&mut buffer, [Subscription {
///         topic_filter: TopicFilter::new("a/#")?,
///         qos: QoS::ExactlyOnce,
///     }])?,
/// };
/// assert_eq!(subscribe.encode_to_slice(&mut [0; 64])?, b"\x82\x08\x00\x01\x00\x03a/#\x02");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
pub struct Subscribe<B> {
    /// Packet Identifier.
    pub packet_id: PacketId,
    /// At least one Topic Filter with its Requested QoS [MQTT-3.8.3-3].
    pub subscriptions: Subscriptions<B>,
}

/// A Topic Filter and the largest QoS at which the server may send matching messages (section
/// 3.8.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::string::String>"
    ))
)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct Subscription<B> {
    /// Topic Filter.
    pub topic_filter: TopicFilter<B>,
    /// Requested QoS.
    pub qos: QoS,
}

crate::packet::storage!(Subscribe {
    packet_id: value,
    subscriptions: part
});
crate::packet::storage!(Subscription {
    topic_filter: part,
    qos: value
});

/// The payload of [`Subscribe`].
pub type Subscriptions<B> = List<B, SubscriptionEntry>;

/// Makes a [`List`] one of [`Subscription`]s.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum SubscriptionEntry {}

impl Entry for SubscriptionEntry {
    type Item<'a> = Subscription<&'a [u8]>;
    const PACKET_TYPE: PacketType = PacketType::Subscribe;
    const FIELD: Field = Field::TopicFilter;

    #[expect(private_interfaces, private_bounds, reason = "as in the trait")]
    #[inline]
    fn read<'a, F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self::Item<'a>, F> {
        // [MQTT-3.8.3-1]
        let topic_filter = read_checked(reader, Field::TopicFilter)?;
        match QoS::from_number(reader.u8(Field::RequestedQos)?) {
            Some(qos) => Ok(Subscription { topic_filter, qos }),
            // [MQTT-3.8.3-4]
            None => Err(reader.fault_in_last(Field::RequestedQos, ErrorKind::InvalidRequestedQos)),
        }
    }

    #[inline]
    fn write<O: Output + ?Sized>(item: Self::Item<'_>, out: &mut O) -> Result<(), EncodeError> {
        put_field(out, Field::TopicFilter, item.topic_filter.as_bytes())?;
        out.put(&[item.qos.number()])
    }
}

impl<B> Subscription<B> {
    /// Creates a subscription to this Topic Filter, for messages up to this QoS.
    pub const fn new(topic_filter: TopicFilter<B>, qos: QoS) -> Self {
        Self { topic_filter, qos }
    }
}

impl<'a> Subscribe<&'a [u8]> {
    pub(super) fn read(reader: &mut Reader<'a>, options: &Options) -> Result<Self, DecodeError> {
        Ok(Self {
            packet_id: read_packet_id(reader)?,
            subscriptions: List::read(reader, options.filter_limit())?,
        })
    }
}

impl<B: AsRef<[u8]>> PacketBody for Subscribe<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0x82 // [MQTT-3.8.1-1]
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.subscriptions.as_bytes()
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        2
    }
}

impl<B: AsRef<[u8]>> Encode for Subscribe<B> {}

/// SUBSCRIBE with one subscription, which need not be encoded into a list first.
pub(crate) struct SubscribeOne<'a> {
    pub(crate) packet_id: PacketId,
    pub(crate) subscription: Subscription<&'a [u8]>,
}

impl PacketBody for SubscribeOne<'_> {
    fn first_byte(&self) -> u8 {
        0x82 // [MQTT-3.8.1-1]
    }

    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        SubscriptionEntry::write(self.subscription, out)
    }
}

impl Encode for SubscribeOne<'_> {}

#[cfg(test)]
mod tests;
