//! SUBSCRIBE (section 3.8).

mod subscription;

pub use subscription::{RetainHandling, Subscription, SubscriptionEntry};

use subscription::AnySubscriptionEntry;

use super::{DecodeError, Properties, SubscribeProperties};
use crate::packet::{Entry, List, read_packet_id};
use crate::types::PacketId;
use crate::wire::{Encode, EncodeError, Options, Output, PacketBody, Reader};

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

crate::packet::storage!(Subscribe {
    packet_id: value,
    properties: part,
    subscriptions: part
});

/// The payload of [`Subscribe`].
pub type Subscriptions<B> = List<B, SubscriptionEntry>;

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
        self.properties.likely_len().wrapping_add(2)
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
    use crate::types::{QoS, TopicFilter};
    use crate::v5::testing::{encoded, fault, framed, id, round_trip};
    use crate::v5::{Property, SubscriptionIdentifier};
    use crate::wire::{ErrorKind, Field};

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
