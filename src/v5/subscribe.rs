//! SUBSCRIBE (section 3.8).

use super::{DecodeError, Properties, SubscribeProperties};
use crate::packet::{Entry, List, read_packet_id, read_string};
use crate::types::{PacketId, QoS, TopicFilter};
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, Options, Output, PacketBody, PacketType, ReadError,
    Reader, put_field,
};

/// SUBSCRIBE: requests messages (section 3.8). The server answers SUBACK, with a Reason Code for
/// each entry [MQTT5-3.8.4-1, MQTT5-3.8.4-6].
///
/// ```
/// use mqtt_sansio::v5::{Subscribe, SubscribeProperties, Subscription, Subscriptions};
/// use mqtt_sansio::{Encode, PacketId, QoS, TopicFilter};
///
/// let mut buffer = [0; 64];
/// let subscription = Subscription {
///     no_local: true,
///     ..Subscription::new(TopicFilter::new("a/#")?, QoS::ExactlyOnce)
/// };
/// let subscribe = Subscribe {
///     packet_id: PacketId::MIN,
///     properties: SubscribeProperties::EMPTY,
///     subscriptions: Subscriptions::encode_to_slice(&mut buffer, [subscription])?,
/// };
/// assert_eq!(subscribe.encode_to_slice(&mut [0; 64])?, b"\x82\x09\x00\x01\x00\x00\x03a/#\x06");
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
    /// The properties.
    pub properties: SubscribeProperties<B>,
    /// At least one Topic Filter with its options [MQTT5-3.8.3-2].
    pub subscriptions: Subscriptions<B>,
}

/// A Topic Filter and the Subscription Options (section 3.8.3.1).
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
    /// Maximum QoS: the largest QoS at which the server may send matching messages.
    pub qos: QoS,
    /// No Local: the server does not send the client's own messages. Not for a Shared Subscription
    /// [MQTT5-3.8.3-4].
    pub no_local: bool,
    /// Retain As Published: the server keeps the RETAIN flag of forwarded messages.
    pub retain_as_published: bool,
    /// Retain Handling.
    pub retain_handling: RetainHandling,
}

crate::packet::storage!(Subscription {
    topic_filter: part,
    qos: value,
    no_local: value,
    retain_as_published: value,
    retain_handling: value
});
crate::packet::storage!(Subscribe {
    packet_id: value,
    properties: part,
    subscriptions: part
});

/// When a server sends retained messages for a SUBSCRIBE (section 3.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard has three and forbids a fourth"
)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: for every SUBSCRIBE.
    #[default]
    Send = 0,
    /// 1: only if the subscription did not exist before.
    SendIfNew = 1,
    /// 2: never.
    DoNotSend = 2,
}

impl RetainHandling {
    /// Returns the Retain Handling with this number, or `None` above 2.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Send),
            1 => Some(Self::SendIfNew),
            2 => Some(Self::DoNotSend),
            _ => None,
        }
    }

    /// Returns 0, 1 or 2.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// The payload of [`Subscribe`].
pub type Subscriptions<B> = List<B, SubscriptionEntry>;

/// Makes a [`List`] one of [`Subscription`]s.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum SubscriptionEntry {}

// Subscription Options (section 3.8.3.1).
const QOS: u8 = 3;
const NO_LOCAL: u8 = 1 << 2;
const RETAIN_AS_PUBLISHED: u8 = 1 << 3;
const RETAIN_HANDLING: u8 = 3 << RETAIN_HANDLING_SHIFT;
const RETAIN_HANDLING_SHIFT: u32 = 4;
const RESERVED: u8 = 3 << 6;

impl Entry for SubscriptionEntry {
    type Item<'a> = Subscription<&'a [u8]>;
    const PACKET_TYPE: PacketType = PacketType::Subscribe;
    const FIELD: Field = Field::TopicFilter;

    #[expect(private_interfaces, private_bounds, reason = "as in the trait")]
    #[inline]
    fn read<'a, F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self::Item<'a>, F> {
        let topic_filter = read_filter(reader)?; // [MQTT5-3.8.3-1]
        read_options(reader, topic_filter)
    }

    #[inline]
    fn write<O: Output + ?Sized>(item: Self::Item<'_>, out: &mut O) -> Result<(), EncodeError> {
        if item.is_local_and_shared() {
            return Err(EncodeError::NoLocalOnSharedSubscription);
        }
        put_filter(out, item.topic_filter)?;
        out.put(&[item.options()])
    }
}

/// Makes a [`List`] one of [`Subscription`]s whose `$share/` filters may violate the rules, while it
/// is decoded: see [`Options::accept_invalid_shared_filters`].
enum AnySubscriptionEntry {}

impl Entry for AnySubscriptionEntry {
    type Item<'a> = Subscription<&'a [u8]>;
    const PACKET_TYPE: PacketType = PacketType::Subscribe;
    const FIELD: Field = Field::TopicFilter;

    fn read<'a, F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self::Item<'a>, F> {
        let topic_filter = read_any_filter(reader)?;
        read_options(reader, topic_filter)
    }

    fn write<O: Output + ?Sized>(item: Self::Item<'_>, out: &mut O) -> Result<(), EncodeError> {
        SubscriptionEntry::write(item, out)
    }
}

/// Reads the options of a subscription.
#[inline]
fn read_options<'a, F: ReadError>(
    reader: &mut Reader<'a, F>,
    topic_filter: TopicFilter<&'a [u8]>,
) -> Result<Subscription<&'a [u8]>, F> {
    let field = Field::SubscriptionOptions;
    let options = reader.u8(field)?;
    if options & RESERVED != 0 {
        // [MQTT5-3.8.3-5]
        return Err(reader.fault_in_last(field, ErrorKind::ReservedSubscriptionOptions));
    }
    let Some(qos) = QoS::from_number(options & QOS) else {
        return Err(reader.fault_in_last(field, ErrorKind::InvalidRequestedQos));
    };
    let retain_handling = (options & RETAIN_HANDLING) >> RETAIN_HANDLING_SHIFT;
    let Some(retain_handling) = RetainHandling::from_number(retain_handling) else {
        return Err(reader.fault_in_last(field, ErrorKind::InvalidRetainHandling));
    };
    let subscription = Subscription {
        topic_filter,
        qos,
        no_local: options & NO_LOCAL != 0,
        retain_as_published: options & RETAIN_AS_PUBLISHED != 0,
        retain_handling,
    };
    if !F::CHECKED_BEFORE && subscription.is_local_and_shared() {
        return Err(reader.fault_in_last(field, ErrorKind::NoLocalOnSharedSubscription));
    }
    Ok(subscription)
}

#[inline]
pub(super) fn read_filter<'a, F: ReadError>(
    reader: &mut Reader<'a, F>,
) -> Result<TopicFilter<&'a [u8]>, F> {
    read_string(reader, Field::TopicFilter, TopicFilter::check_v5).map(TopicFilter::from_valid)
}

/// Reads a filter whose `$share/` may be invalid.
pub(super) fn read_any_filter<'a, F: ReadError>(
    reader: &mut Reader<'a, F>,
) -> Result<TopicFilter<&'a [u8]>, F> {
    read_string(reader, Field::TopicFilter, TopicFilter::check_unshared)
        .map(TopicFilter::from_valid)
}

/// Writes a Topic Filter, which MQTT 3.1.1 validates less than MQTT 5
/// [MQTT5-4.8.2-1, MQTT5-4.8.2-2].
pub(super) fn put_filter<O: Output + ?Sized>(
    out: &mut O,
    filter: TopicFilter<&[u8]>,
) -> Result<(), EncodeError> {
    let field = Field::TopicFilter;
    if filter.check_shared().is_err() {
        return Err(EncodeError::ValueOutOfRange { field });
    }
    put_field(out, field, filter.as_bytes())
}

impl<B> Subscription<B> {
    /// Creates a subscription without No Local and Retain As Published, which requests retained
    /// messages.
    pub const fn new(topic_filter: TopicFilter<B>, qos: QoS) -> Self {
        Self {
            topic_filter,
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
        }
    }

    /// Returns the byte after the Topic Filter.
    const fn options(&self) -> u8 {
        let mut options =
            self.qos.number() | self.retain_handling.number() << RETAIN_HANDLING_SHIFT;
        if self.no_local {
            options |= NO_LOCAL;
        }
        if self.retain_as_published {
            options |= RETAIN_AS_PUBLISHED;
        }
        options
    }
}

impl<B: AsRef<[u8]>> Subscription<B> {
    /// [MQTT5-3.8.3-4]
    fn is_local_and_shared(&self) -> bool {
        self.no_local && self.topic_filter.is_shared()
    }
}

impl<'a> Subscribe<&'a [u8]> {
    pub(super) fn read(
        reader: &mut Reader<'a, DecodeError>,
        options: &Options,
    ) -> Result<Self, DecodeError> {
        let packet_id = read_packet_id(reader)?;
        let properties = Properties::read(reader)?;
        let limit = options.filter_limit();
        let subscriptions = if options.accepts_invalid_shared_filters() {
            let any = List::<_, AnySubscriptionEntry>::read(reader, limit)?;
            List::from_checked(any.into_bytes())
        } else {
            List::read(reader, limit)?
        };
        Ok(Self {
            packet_id,
            properties,
            subscriptions,
        })
    }
}

impl<B: AsRef<[u8]>> PacketBody for Subscribe<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0x82 // [MQTT5-3.8.1-1]
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        self.properties.write(out)
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.subscriptions.as_bytes()
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        self.properties.as_bytes().len().wrapping_add(3)
    }
}

impl<B: AsRef<[u8]>> Encode for Subscribe<B> {}

/// SUBSCRIBE with one subscription and no properties, which need not be encoded into a list first.
pub(crate) struct SubscribeOne<'a> {
    pub(crate) packet_id: PacketId,
    pub(crate) subscription: Subscription<&'a [u8]>,
}

impl PacketBody for SubscribeOne<'_> {
    fn first_byte(&self) -> u8 {
        0x82 // [MQTT5-3.8.1-1]
    }

    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        out.put(&[0])?;
        SubscriptionEntry::write(self.subscription, out)
    }
}

impl Encode for SubscribeOne<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v5::testing::{encoded, fault, framed, id, round_trip};
    use crate::v5::{Property, SubscriptionIdentifier};

    fn filter(filter: &str) -> TopicFilter<&[u8]> {
        TopicFilter::new(filter).unwrap()
    }

    #[test]
    fn each_subscription_option_has_its_bits() {
        for options in 0..=0xff_u8 {
            let body = [&b"\x00\x01\x00\x00\x01a"[..], &[options]].concat();
            let bytes = framed(0x82, &body);
            let qos = QoS::from_number(options & 3);
            let retain_handling = RetainHandling::from_number(options >> 4 & 3);
            let (Some(qos), Some(retain_handling), 0) = (qos, retain_handling, options >> 6) else {
                assert_eq!(fault(&bytes).2, 8, "{options:08b}");
                continue;
            };
            let mut buffer = [0; 8];
            let subscriptions = Subscriptions::encode_to_slice(
                &mut buffer,
                [Subscription {
                    topic_filter: filter("a"),
                    qos,
                    no_local: options & 4 != 0,
                    retain_as_published: options & 8 != 0,
                    retain_handling,
                }],
            );
            let subscribe = Subscribe {
                packet_id: id(1),
                properties: Properties::EMPTY,
                subscriptions: subscriptions.unwrap(),
            };
            round_trip(subscribe, &bytes);
        }
    }

    #[test]
    fn a_subscription_identifier_is_for_all_filters_of_the_packet() {
        let mut buffer = [0; 8];
        let identifier = SubscriptionIdentifier::new(200).unwrap();
        let properties = SubscribeProperties::encode_to_slice(
            &mut buffer,
            [Property::SubscriptionIdentifier(identifier)],
        );
        let mut buffer = [0; 32];
        let subscribe = Subscribe {
            packet_id: id(1),
            properties: properties.unwrap(),
            subscriptions: Subscriptions::encode_to_slice(
                &mut buffer,
                ["a", "$share/g/b"].map(|it| Subscription::new(filter(it), QoS::AtMostOnce)),
            )
            .unwrap(),
        };
        round_trip(
            subscribe,
            b"\x82\x17\x00\x01\x03\x0b\xc8\x01\x00\x01a\x00\x00\x0a$share/g/b\x00",
        );
        let found = subscribe.properties.subscription_identifier();
        assert_eq!(found, Some(identifier));
    }

    /// [MQTT5-3.8.3-4]
    #[test]
    fn no_local_on_a_shared_subscription_is_neither_read_nor_written() {
        assert_eq!(
            fault(b"\x82\x10\x00\x01\x00\x00\x0a$share/g/a\x04"),
            (
                ErrorKind::NoLocalOnSharedSubscription,
                Field::SubscriptionOptions,
                17,
                Some("MQTT-3.8.3-4")
            )
        );
        let shared = Subscription {
            no_local: true,
            ..Subscription::new(filter("$share/g/a"), QoS::AtMostOnce)
        };
        let error = Subscriptions::encode_to_slice(&mut [0; 32], [shared]).unwrap_err();
        assert_eq!(error, EncodeError::NoLocalOnSharedSubscription);
    }

    /// [MQTT5-4.8.2-1, MQTT5-4.8.2-2]
    #[test]
    fn a_malformed_shared_subscription_is_neither_read_nor_written() {
        for malformed in ["$share//a", "$share/+/a", "$share/g", "$share/g/"] {
            let len = u8::try_from(malformed.len()).unwrap();
            let body = [
                b"\x00\x01\x00\x00",
                &[len][..],
                malformed.as_bytes(),
                b"\x00",
            ]
            .concat();
            assert_eq!(fault(&framed(0x82, &body)).1, Field::TopicFilter);
            // MQTT 3.1.1 allows it.
            let subscription = Subscription::new(filter(malformed), QoS::AtMostOnce);
            let error = Subscriptions::encode_to_slice(&mut [0; 32], [subscription]).unwrap_err();
            let field = Field::TopicFilter;
            assert_eq!(error, EncodeError::ValueOutOfRange { field });
        }
        let plain = Subscription::new(filter("$share"), QoS::AtMostOnce);
        assert!(Subscriptions::encode_to_slice(&mut [0; 32], [plain]).is_ok());
    }

    #[test]
    fn a_malformed_shared_subscription_is_left_to_the_application_on_request() {
        let options = Options::new().accept_invalid_shared_filters(true);
        for malformed in ["$share//a", "$share/+/a", "$share/g", "$share/g/"] {
            let len = u8::try_from(malformed.len()).unwrap();
            let filter = [&[0, len], malformed.as_bytes()].concat();
            let subscribe = framed(0x82, &[b"\x00\x01\x00", &filter[..], b"\x01"].concat());
            let Ok(Some(crate::v5::Packet::Subscribe(subscribe))) =
                crate::v5::decode(&mut &subscribe[..], &options)
            else {
                panic!("{malformed}");
            };
            let subscription = subscribe.subscriptions.iter().next().unwrap();
            assert!(subscription.topic_filter.check_shared().is_err());
            assert_eq!(subscription.qos, QoS::AtLeastOnce);
            let unsubscribe = framed(0xa2, &[b"\x00\x01\x00", &filter[..]].concat());
            assert!(crate::v5::decode(&mut &unsubscribe[..], &options).is_ok());
            assert!(crate::v5::decode(&mut &unsubscribe[..], &Options::new()).is_err());
        }
        // Other rules still apply.
        for malformed in [
            &b"\x00\x03a/#b\x00"[..],
            b"\x00\x00\x00",
            b"\x00\x08$share/+\x04",
        ] {
            let subscribe = framed(0x82, &[b"\x00\x01\x00", malformed].concat());
            assert!(crate::v5::decode(&mut &subscribe[..], &options).is_err());
        }
    }

    #[test]
    fn subscriptions_that_are_moved_are_the_same() {
        let bytes = b"\x82\x09\x00\x01\x00\x00\x03a/#\x06";
        let crate::v5::Packet::Subscribe(subscribe) = crate::v5::testing::decoded(bytes) else {
            panic!("not a SUBSCRIBE");
        };
        let moved = subscribe.map(std::boxed::Box::<[u8]>::from);
        assert_eq!(encoded(&moved).as_deref(), Ok(&bytes[..]));
        assert_eq!(moved.as_ref(), subscribe);
    }
}
