//! Packets for structured fuzzing (feature `arbitrary`): every packet that can be encoded, unusual
//! ones more often than in real traffic.

use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use super::{
    Connect, Credentials, EncodedConnect, List, Packet, ProtocolLevel, Publish, ReturnCode, SubAck,
    Subscribe, Subscription, Unsubscribe, Will,
};
use crate::packet::arbitrary::{FALLBACK, entries, refused};
use crate::types::{QoS, Text, TopicFilter};

impl<'a> Arbitrary<'a> for Connect<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut client_id: Text<Vec<u8>> = u.arbitrary()?;
        let protocol_level: ProtocolLevel = u.arbitrary()?;
        let mut clean_session = u.arbitrary()?;
        if client_id.as_bytes().is_empty() {
            // [MQTT-3.1.3-7]
            match protocol_level {
                ProtocolLevel::V3_1_1 => clean_session = true,
                ProtocolLevel::V3_1 => {
                    client_id = Text::from_bytes(FALLBACK.to_vec()).unwrap_or_default();
                }
            }
        }
        let will = if u.arbitrary()? {
            Some(Will {
                topic: u.arbitrary()?,
                message: u.arbitrary()?,
                qos: u.arbitrary()?,
                retain: u.arbitrary()?,
            })
        } else {
            None
        };
        let credentials = if u.arbitrary()? {
            Some(Credentials {
                user_name: u.arbitrary()?,
                password: u.arbitrary()?,
            })
        } else {
            None
        };
        Ok(Self {
            protocol_level,
            clean_session,
            keep_alive: u.arbitrary()?,
            client_id,
            will,
            credentials,
        })
    }
}

impl<'a> Arbitrary<'a> for Publish<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            delivery: u.arbitrary()?,
            retain: u.arbitrary()?,
            topic: u.arbitrary()?,
            payload: u.arbitrary()?,
        })
    }
}

impl<'a> Arbitrary<'a> for Subscribe<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let entries: Vec<(TopicFilter<Vec<u8>>, QoS)> = entries(u)?;
        let subscriptions = List::encode_to_vec(entries.iter().map(|(filter, qos)| Subscription {
            topic_filter: filter.as_ref(),
            qos: *qos,
        }));
        Ok(Self {
            packet_id: u.arbitrary()?,
            subscriptions: subscriptions.map_err(refused)?,
        })
    }
}

impl<'a> Arbitrary<'a> for SubAck<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let entries: Vec<ReturnCode> = entries(u)?;
        Ok(Self {
            packet_id: u.arbitrary()?,
            return_codes: List::encode_to_vec(entries).map_err(refused)?,
        })
    }
}

impl<'a> Arbitrary<'a> for Unsubscribe<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let entries: Vec<TopicFilter<Vec<u8>>> = entries(u)?;
        let topic_filters = List::encode_to_vec(entries.iter().map(TopicFilter::as_ref));
        Ok(Self {
            packet_id: u.arbitrary()?,
            topic_filters: topic_filters.map_err(refused)?,
        })
    }
}

impl<'a> Arbitrary<'a> for EncodedConnect<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let connect: Connect<Vec<u8>> = u.arbitrary()?;
        Self::encode_to_vec(&connect).map_err(refused)
    }
}

impl<'a> Arbitrary<'a> for Packet<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(1..=14)? {
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
            _ => Self::Disconnect,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::decode;
    use crate::wire::{Encode, Options};
    use alloc::collections::BTreeSet;

    fn packets() -> impl Iterator<Item = Packet<Vec<u8>>> {
        crate::packet::arbitrary::samples()
    }

    #[test]
    fn client_identifiers_are_of_all_kinds() {
        let lengths: BTreeSet<usize> = packets()
            .filter_map(|packet| match packet {
                Packet::Connect(connect) => Some(connect.to_connect().client_id.as_bytes().len()),
                _ => None,
            })
            .collect();
        assert!(lengths.len() > 5, "{lengths:?}");
    }

    #[test]
    fn packets_of_all_fourteen_types_come_out() {
        let mut types = BTreeSet::new();
        for packet in packets() {
            types.insert(packet.packet_type().number());
        }
        assert_eq!(
            types.into_iter().collect::<Vec<_>>(),
            (1..=14).collect::<Vec<_>>()
        );
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
    fn no_bytes_at_all_make_a_packet() {
        let packet = Packet::arbitrary(&mut Unstructured::new(&[])).unwrap();
        assert!(packet.encode_to_vec().is_ok());
    }

    #[test]
    fn optional_fields_come_with_and_without() {
        let (mut bare, mut full) = (false, false);
        for packet in packets() {
            if let Packet::Connect(connect) = packet {
                let connect = connect.to_connect();
                let password = connect.credentials.as_ref().map(|it| it.password.is_some());
                bare |= connect.will.is_none() && password.is_none();
                full |= connect.will.is_some() && password == Some(true);
            }
        }
        assert!(bare);
        assert!(full);
    }

    #[test]
    fn filters_come_with_wildcards_and_lists_with_several_entries() {
        let (mut single, mut multi, mut several) = (false, false, false);
        for packet in packets() {
            if let Packet::Unsubscribe(unsubscribe) = packet {
                several |= unsubscribe.topic_filters.len() > 1;
                for filter in &unsubscribe.topic_filters {
                    single |= filter.as_str().contains('+');
                    multi |= filter.as_str().ends_with('#');
                }
            }
        }
        assert!(single);
        assert!(multi);
        assert!(several);
    }
}
