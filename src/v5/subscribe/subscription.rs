//! A Topic Filter of SUBSCRIBE with its Subscription Options (section 3.8.3.1).

use crate::packet::Entry;
use crate::types::{QoS, TopicFilter};
use crate::v5::filter::{put_filter, read_any_filter, read_filter};
use crate::wire::{EncodeError, ErrorKind, Field, Output, PacketType, ReadError, Reader};

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

/// Makes a [`List`](crate::v5::List) one of [`Subscription`]s.
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

/// Makes a [`List`](crate::v5::List) one of [`Subscription`]s whose `$share/` filters may violate the rules,
/// while it is decoded: see
/// [`Options::accept_invalid_shared_filters`](crate::Options::accept_invalid_shared_filters).
pub(super) enum AnySubscriptionEntry {}

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
