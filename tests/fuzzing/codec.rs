//! The parts of a version that the codec's targets need beyond those of other tests, and a second
//! implementation of the rules for strings, topics and lists.

use std::collections::BTreeSet;
use std::fmt::Debug;

use mqtt_sansio::v3::{self, V3};
use mqtt_sansio::v5::{self, PropertiesKind, Property, V5};
use mqtt_sansio::{DecodeError, Encode, Options, Text, TopicFilter, TopicName};

use crate::common::Version;

/// A packet that borrows from the bytes it was decoded from.
pub(super) trait Borrowed: Copy + PartialEq + Debug + Encode {}
impl<P: Copy + PartialEq + Debug + Encode> Borrowed for P {}

pub(super) trait Codec: Version {
    fn borrowed(packet: &Self::Owned) -> Self::Packet<'_>;
    /// `to_owned` of the library.
    fn to_owned(packet: Self::Packet<'_>) -> Self::Owned;

    /// Checks that strings, topics and lists obey the standard. `as_str` would leave out invalid
    /// UTF-8.
    fn check_rules(packet: &Self::Owned);

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<Self::Owned>;

    #[cfg(feature = "bytes")]
    fn decode_bytes(
        src: &mut bytes::BytesMut,
        options: &Options,
    ) -> Result<Option<Self::Owned>, DecodeError<Self>>;

    /// Returns a copy of the packet over `whole`.
    #[cfg(feature = "bytes")]
    fn share(packet: Self::Packet<'_>, whole: &bytes::Bytes) -> Self::Owned;
}

macro_rules! common {
    ($v:ident) => {
        fn borrowed(packet: &$v::Packet<Vec<u8>>) -> $v::PacketRef<'_> {
            packet.as_ref()
        }

        fn to_owned(packet: $v::PacketRef<'_>) -> $v::Packet<Vec<u8>> {
            packet.to_owned()
        }

        #[cfg(feature = "arbitrary")]
        fn arbitrary(
            u: &mut arbitrary::Unstructured<'_>,
        ) -> arbitrary::Result<$v::Packet<Vec<u8>>> {
            arbitrary::Arbitrary::arbitrary(u)
        }

        #[cfg(feature = "bytes")]
        fn decode_bytes(
            src: &mut bytes::BytesMut,
            options: &Options,
        ) -> Result<Option<$v::Packet<Vec<u8>>>, DecodeError<Self>> {
            let packet = $v::decode_bytes(src, options)?;
            Ok(packet.map(|packet| packet.map(|bytes| bytes.to_vec())))
        }

        #[cfg(feature = "bytes")]
        fn share(packet: $v::PacketRef<'_>, whole: &bytes::Bytes) -> $v::Packet<Vec<u8>> {
            packet.share(whole).map(|bytes| bytes.to_vec())
        }
    };
}

impl Codec for V3 {
    fn check_rules(packet: &v3::Packet<Vec<u8>>) {
        use v3::Packet;
        match packet {
            Packet::Connect(connect) => {
                let connect = connect.to_connect();
                text(connect.client_id);
                if let Some(will) = &connect.will {
                    topic(will.topic);
                }
                if let Some(credentials) = &connect.credentials {
                    text(credentials.user_name);
                }
            }
            Packet::Publish(publish) => topic(publish.topic.as_ref()),
            Packet::Subscribe(subscribe) => {
                let list = &subscribe.subscriptions;
                count(list.len(), list.iter().map(|it| filter(it.topic_filter)));
            }
            Packet::Unsubscribe(unsubscribe) => {
                let list = &unsubscribe.topic_filters;
                count(list.len(), list.iter().map(filter));
            }
            Packet::SubAck(suback) => {
                count(suback.return_codes.len(), suback.return_codes.iter());
            }
            _ => {}
        }
    }

    common!(v3);
}

impl Codec for V5 {
    fn check_rules(packet: &v5::Packet<Vec<u8>>) {
        use v5::Packet;
        const USER: u8 = 0x26;
        const REASON: &[u8] = &[0x1f, USER];
        match packet {
            Packet::Connect(connect) => {
                let connect = connect.to_connect();
                properties(
                    &connect.properties,
                    &[0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, USER, 0x27],
                );
                text(connect.client_id);
                if let Some(will) = &connect.will {
                    properties(&will.properties, &[1, 2, 3, 8, 9, 0x18, USER]);
                    topic(will.topic);
                }
                connect.user_name.into_iter().for_each(text);
            }
            Packet::ConnAck(connack) => properties(
                &connack.properties,
                &[
                    0x11, 0x12, 0x13, 0x15, 0x16, 0x1a, 0x1c, 0x1f, 0x21, 0x22, 0x24, 0x25, USER,
                    0x27, 0x28, 0x29, 0x2a,
                ],
            ),
            Packet::Publish(publish) => {
                properties(
                    &publish.properties,
                    &[1, 2, 3, 8, 9, SUBSCRIPTION_IDENTIFIER, 0x23, USER],
                );
                // Section 3.3.2.3.4.
                if publish.topic.as_bytes().is_empty() {
                    assert!(publish.properties.topic_alias().is_some(), "{publish:?}");
                } else {
                    topic(publish.topic.as_ref());
                }
            }
            Packet::PubAck(ack) => properties(&ack.properties, REASON),
            Packet::PubRec(ack) => properties(&ack.properties, REASON),
            Packet::PubRel(ack) => properties(&ack.properties, REASON),
            Packet::PubComp(ack) => properties(&ack.properties, REASON),
            Packet::Subscribe(subscribe) => {
                properties(&subscribe.properties, &[SUBSCRIPTION_IDENTIFIER, USER]);
                assert!(number_of(&subscribe.properties, SUBSCRIPTION_IDENTIFIER) <= 1);
                let list = &subscribe.subscriptions;
                let entries = list.iter().map(|it| {
                    v5_filter(it.topic_filter);
                    // [MQTT5-3.8.3-4]
                    assert!(!(it.no_local && it.topic_filter.as_str().starts_with("$share/")));
                });
                count(list.len(), entries);
            }
            Packet::SubAck(suback) => {
                properties(&suback.properties, REASON);
                count(suback.reason_codes.len(), suback.reason_codes.iter());
            }
            Packet::Unsubscribe(unsubscribe) => {
                properties(&unsubscribe.properties, &[USER]);
                let list = &unsubscribe.topic_filters;
                count(list.len(), list.iter().map(v5_filter));
            }
            Packet::UnsubAck(unsuback) => {
                properties(&unsuback.properties, REASON);
                count(unsuback.reason_codes.len(), unsuback.reason_codes.iter());
            }
            Packet::Disconnect(disconnect) => {
                properties(&disconnect.properties, &[0x11, 0x1c, 0x1f, USER]);
            }
            Packet::Auth(auth) => properties(&auth.properties, &[0x15, 0x16, 0x1f, USER]),
            Packet::PingReq | Packet::PingResp => {}
        }
    }

    common!(v5);
}

const SUBSCRIPTION_IDENTIFIER: u8 = 0x0b;

/// [MQTT-1.5.3-1, -2] [MQTT5-1.5.4-1, -2]
fn string(bytes: &[u8], text: &str) {
    assert_eq!(text.as_bytes(), bytes);
    assert!(!bytes.contains(&0), "U+0000 in {text:?}");
}

fn text(text: Text<&[u8]>) {
    string(text.as_bytes(), text.as_str());
}

/// [MQTT-3.3.2-2, MQTT-4.7.3-1] [MQTT5-3.3.2-2, MQTT5-4.7.3-1]
fn topic(topic: TopicName<&[u8]>) {
    string(topic.as_bytes(), topic.as_str());
    assert!(!topic.as_bytes().is_empty());
    assert!(!topic.as_str().contains(['+', '#']), "{topic:?}");
}

/// [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1] [MQTT5-4.7.1-1, MQTT5-4.7.1-2, MQTT5-4.7.3-1]
fn filter(filter: TopicFilter<&[u8]>) {
    string(filter.as_bytes(), filter.as_str());
    check_levels(filter.as_str());
}

fn check_levels(filter: &str) {
    let mut levels = filter.split('/').rev();
    let last = levels.next().expect("at least one");
    assert!(!filter.is_empty() && (is_level(last) || last == "#"));
    assert!(levels.all(is_level), "{filter:?}");
}

/// Checks a level of a Topic Filter other than the last.
fn is_level(level: &str) -> bool {
    level == "+" || !level.contains(['+', '#'])
}

/// [MQTT5-4.8.2-1, MQTT5-4.8.2-2]
fn v5_filter(topic_filter: TopicFilter<&[u8]>) {
    filter(topic_filter);
    if let Some(shared) = topic_filter.as_str().strip_prefix("$share/") {
        let (name, rest) = shared.split_once('/').expect("a filter after the name");
        assert!(!name.is_empty() && !name.contains(['+', '#']), "{shared:?}");
        check_levels(rest);
    }
}

/// A list has as many entries as it announces, and at least one.
fn count(len: usize, entries: impl Iterator) {
    assert!(len > 0);
    assert_eq!(entries.count(), len);
}

fn number_of<K: PropertiesKind>(all: &v5::Properties<Vec<u8>, K>, identifier: u8) -> usize {
    let same = |it: &Property<'_>| it.identifier() == identifier;
    all.iter().filter(same).count()
}

/// Each property belongs to the packet, and occurs once unless it may be repeated (table 2-4).
fn properties<B: AsRef<[u8]>, K: PropertiesKind>(all: &v5::Properties<B, K>, allowed: &[u8]) {
    let mut seen = BTreeSet::new();
    let (mut has_method, mut has_data) = (false, false);
    for property in all {
        let identifier = property.identifier();
        assert!(allowed.contains(&identifier), "{property:?}");
        let may_repeat = matches!(
            property,
            Property::UserProperty { .. } | Property::SubscriptionIdentifier(_)
        );
        assert!(seen.insert(identifier) || may_repeat, "{property:?} again");
        match property {
            Property::ContentType(it)
            | Property::AssignedClientIdentifier(it)
            | Property::ResponseInformation(it)
            | Property::ServerReference(it)
            | Property::ReasonString(it) => text(it),
            Property::AuthenticationMethod(it) => {
                has_method = true;
                text(it);
            }
            Property::AuthenticationData(_) => has_data = true,
            Property::ResponseTopic(it) => topic(it),
            Property::UserProperty { name, value } => {
                text(name);
                text(value);
            }
            Property::MaximumQos(qos) => assert!(qos.number() < 2),
            _ => {}
        }
    }
    // Section 3.1.2.11.10; in CONNACK it is accepted.
    let is_connect = allowed.contains(&0x17);
    assert!(has_method || !has_data || !is_connect);
}
