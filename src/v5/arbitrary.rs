//! Packets for structured fuzzing (feature `arbitrary`): every packet that can be encoded, unusual
//! ones more often than in real traffic.

use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use super::owned_property::OwnedProperty;
use super::{
    AckType, Acknowledgement, Auth, AuthReasonCode, ConnAck, Connect, ConnectReasonCode,
    Disconnect, EncodedConnect, List, ListedReasonCode, Packet, Properties, PropertiesKind,
    Property, Publish, RequestAck, RetainHandling, Subscribe, Subscription, SubscriptionIdentifier,
    Unsubscribe, Will,
};
use crate::packet::arbitrary::{entries, refused};
use crate::types::{QoS, TopicFilter, TopicName};

impl<'a> Arbitrary<'a> for SubscriptionIdentifier {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Self::new(u.int_in_range(1..=Self::MAX)?).ok_or(arbitrary::Error::IncorrectFormat)
    }
}

/// Returns those of the properties that the packet can have.
impl<'a, K: PropertiesKind> Arbitrary<'a> for Properties<Vec<u8>, K> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let all: Vec<OwnedProperty> = u.arbitrary()?;
        let mut kept: Vec<Property<'_>> = Vec::new();
        for property in all.iter().map(OwnedProperty::as_ref) {
            kept.push(property);
            let is_data = matches!(property, Property::AuthenticationData(_));
            if Self::encoded_len(&kept).is_err() || is_data {
                kept.pop();
            }
            // Authentication Data requires a method.
            if matches!(kept.last(), Some(Property::AuthenticationMethod(_))) && u.arbitrary()? {
                kept.push(Property::AuthenticationData(b"data"));
            }
        }
        Self::encode_to_vec(kept).map_err(refused)
    }
}

impl<'a> Arbitrary<'a> for Will<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            properties: u.arbitrary()?,
            topic: u.arbitrary()?,
            payload: u.arbitrary()?,
            qos: u.arbitrary()?,
            retain: u.arbitrary()?,
        })
    }
}

impl<'a> Arbitrary<'a> for Connect<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            clean_start: u.arbitrary()?,
            keep_alive: u.arbitrary()?,
            properties: u.arbitrary()?,
            client_id: u.arbitrary()?,
            will: u.arbitrary()?,
            user_name: u.arbitrary()?,
            password: u.arbitrary()?,
        })
    }
}

impl<'a> Arbitrary<'a> for EncodedConnect<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let connect: Connect<Vec<u8>> = u.arbitrary()?;
        Self::encode_to_vec(&connect).map_err(refused)
    }
}

impl<'a> Arbitrary<'a> for ConnAck<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let reason_code = u.arbitrary()?;
        let session_present: bool = u.arbitrary()?;
        Ok(Self {
            // [MQTT5-3.2.2-6]
            session_present: session_present && reason_code == ConnectReasonCode::Success,
            reason_code,
            properties: u.arbitrary()?,
        })
    }
}

impl<'a> Arbitrary<'a> for Publish<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut publish = Self {
            delivery: u.arbitrary()?,
            retain: u.arbitrary()?,
            topic: u.arbitrary()?,
            properties: u.arbitrary()?,
            payload: u.arbitrary()?,
        };
        if publish.properties.topic_alias().is_some() && u.arbitrary()? {
            publish.topic = TopicName::from_valid(Vec::new());
        }
        Ok(publish)
    }
}

impl<'a, K: AckType<ReasonCode: Arbitrary<'a>>> Arbitrary<'a> for Acknowledgement<Vec<u8>, K> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            packet_id: u.arbitrary()?,
            reason_code: u.arbitrary()?,
            properties: u.arbitrary()?,
        })
    }
}

impl<'a> Arbitrary<'a> for Subscribe<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        type Options = (QoS, bool, bool, RetainHandling);
        let entries: Vec<(TopicFilter<Vec<u8>>, Options)> = entries(u)?;
        let subscriptions = entries.iter().map(|(filter, options)| {
            let (qos, no_local, retain_as_published, retain_handling) = *options;
            Subscription {
                topic_filter: filter.as_ref(),
                qos,
                no_local,
                retain_as_published,
                retain_handling,
            }
        });
        Ok(Self {
            packet_id: u.arbitrary()?,
            properties: u.arbitrary()?,
            subscriptions: List::encode_to_vec(subscriptions).map_err(refused)?,
        })
    }
}

impl<'a, R: ListedReasonCode + Arbitrary<'a>> Arbitrary<'a> for RequestAck<Vec<u8>, R> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let entries: Vec<R> = entries(u)?;
        Ok(Self {
            packet_id: u.arbitrary()?,
            properties: u.arbitrary()?,
            reason_codes: List::encode_to_vec(entries).map_err(refused)?,
        })
    }
}

impl<'a> Arbitrary<'a> for Unsubscribe<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let entries: Vec<TopicFilter<Vec<u8>>> = entries(u)?;
        let topic_filters = List::encode_to_vec(entries.iter().map(TopicFilter::as_ref));
        Ok(Self {
            packet_id: u.arbitrary()?,
            properties: u.arbitrary()?,
            topic_filters: topic_filters.map_err(refused)?,
        })
    }
}

impl<'a> Arbitrary<'a> for Disconnect<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            reason_code: u.arbitrary()?,
            properties: u.arbitrary()?,
        })
    }
}

impl<'a> Arbitrary<'a> for Auth<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let auth = Self {
            reason_code: u.arbitrary()?,
            properties: u.arbitrary()?,
        };
        if auth.properties.authentication_method().is_some() {
            return Ok(auth);
        }
        // The only AUTH without a method.
        Ok(Self {
            reason_code: AuthReasonCode::Success,
            properties: Properties::default(),
        })
    }
}

impl<'a> Arbitrary<'a> for Packet<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(1..=15)? {
            1 => Self::Connect(u.arbitrary()?),
            2 => Self::ConnAck(u.arbitrary()?),
            3 => Self::Publish(u.arbitrary()?),
            4 => Self::PubAck(u.arbitrary()?),
            5 => Self::PubRec(u.arbitrary()?),
            6 => Self::PubRel(u.arbitrary()?),
            7 => Self::PubComp(u.arbitrary()?),
            8 => Self::Subscribe(u.arbitrary()?),
            9 => Self::SubAck(u.arbitrary()?),
            10 => Self::Unsubscribe(u.arbitrary()?),
            11 => Self::UnsubAck(u.arbitrary()?),
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect(u.arbitrary()?),
            _ => Self::Auth(u.arbitrary()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v5::decode;
    use crate::wire::{Encode, Options};
    use alloc::collections::BTreeSet;

    fn packets() -> impl Iterator<Item = Packet<Vec<u8>>> {
        crate::packet::arbitrary::samples()
    }

    #[test]
    fn packets_of_all_fifteen_types_come_out() {
        let types: BTreeSet<_> = packets().map(|it| it.packet_type().number()).collect();
        assert!(types.into_iter().eq(1..=15));
    }

    #[test]
    fn every_packet_encodes_and_decodes_to_itself() {
        for packet in packets() {
            let bytes = packet.encode_to_vec().unwrap();
            let mut src = &bytes[..];
            let decoded = decode(&mut src, &Options::new()).unwrap().unwrap();
            assert_eq!(decoded.to_owned(), packet);
            assert!(src.is_empty());
        }
    }

    #[test]
    fn every_property_of_a_message_comes_and_topic_names_are_left_out() {
        let (mut seen, mut aliased) = (BTreeSet::new(), false);
        for packet in packets() {
            if let Packet::Publish(publish) = packet {
                seen.extend(publish.properties.iter().map(|it| it.identifier()));
                aliased |= publish.topic.as_bytes().is_empty();
            }
        }
        assert_eq!(seen.len(), 8, "{seen:?}");
        assert!(aliased);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn every_packet_goes_to_json_and_back() {
        for packet in packets().take(3_000) {
            let json = serde_json::to_value(&packet).unwrap();
            let read: Packet<Vec<u8>> = serde_json::from_value(json).unwrap();
            assert_eq!(read, packet);
            let written = postcard::to_allocvec(&packet).unwrap();
            assert_eq!(postcard::from_bytes(&written), Ok(packet));
        }
    }
}
