//! A message that is encoded once reaches each receiver as `publish` would send it.

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use core::num::{NonZeroU16, NonZeroU32};

use allocation_counter::measure;
use mqtt_sansio::any::{Action, Decoder, Event, ProtocolVersion, Server, Step};
use mqtt_sansio::v5::{
    self, AliasVec, ConnectProperties, Message, OutboundAliases, Packet, Property,
    PublishProperties, SubscriptionIdentifiers,
};
use mqtt_sansio::{
    CommandError, Config, EncodedMessage, Options, PacketId, QoS, Receiver, Session, Slot, Text,
    Timestamp, TopicName,
};
use proptest::collection::vec;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(0);

/// The limits of a client, and the window of the server.
#[derive(Debug, Clone, Copy)]
struct Client {
    version: ProtocolVersion,
    receive_maximum: NonZeroU16,
    maximum_packet_size: Option<NonZeroU32>,
    topic_alias_maximum: u16,
    max_inflight: u16,
}

impl Client {
    /// CONNECT without Clean Session, whose session outlives the connection.
    fn connect(&self) -> Vec<u8> {
        let client_id = Text::new("c").unwrap();
        let mut out = Vec::new();
        match self.version {
            ProtocolVersion::V3 => {
                let connect = mqtt_sansio::v3::Connect {
                    clean_session: false,
                    ..mqtt_sansio::v3::Connect::new(client_id)
                };
                let config = Config::new();
                let mut client =
                    mqtt_sansio::v3::Client::<Vec<Slot>>::new(Session::default(), config, NOW);
                client.connect(NOW, &connect, &mut out).unwrap();
            }
            _ => {
                let mut properties = vec![
                    Property::SessionExpiryInterval(100),
                    Property::ReceiveMaximum(self.receive_maximum),
                    Property::TopicAliasMaximum(self.topic_alias_maximum),
                ];
                properties.extend(self.maximum_packet_size.map(Property::MaximumPacketSize));
                let mut room = [0; 32];
                let properties = ConnectProperties::encode_to_slice(&mut room, properties);
                let connect = v5::Connect {
                    clean_start: false,
                    properties: properties.unwrap(),
                    ..v5::Connect::new(client_id)
                };
                let mut client =
                    v5::Client::<Vec<Slot>>::new(Session::default(), Config::new(), NOW);
                client.connect(NOW, &connect, &mut out).unwrap();
            }
        }
        out
    }

    /// Returns the server's connection with this client, which resumes `session` if there is one.
    fn server(&self, session: Option<Session<Vec<Slot>>>) -> Server<Vec<Slot>> {
        let config = Config::new().max_inflight(self.max_inflight);
        let mut server = Server::new(Session::default(), config, NOW);
        let mut decoder = Decoder::with_options([0; 128], Options::new(), ProtocolVersion::V3);
        let connect = self.connect();
        let step = server.receive(NOW, &mut decoder, &mut &connect[..]);
        assert!(matches!(
            step,
            Ok(Some(Step::Event(Event::ConnectRequested(_))))
        ));
        let mut out = Vec::new();
        let accepted = match session {
            Some(mut session) => server.accept_resumed(NOW, &mut session, &mut out),
            None => server.accept_new(NOW, &mut out),
        };
        assert_eq!(accepted, Ok(()));
        server
    }
}

/// A message and one of its receivers.
#[derive(Debug, Clone)]
struct Sent {
    topic: String,
    payload: Vec<u8>,
    qos: QoS,
    retain: bool,
    expiry: Option<u32>,
    waited: u32,
    identifiers: Vec<u32>,
    /// Properties that belong to the publisher's connection.
    alias: Option<u16>,
    content_type: Option<String>,
    user_properties: Vec<String>,
    is_aliased: bool,
}

impl Sent {
    fn topic(&self) -> TopicName<&[u8]> {
        TopicName::new(&self.topic).unwrap()
    }

    /// The properties that every receiver gets.
    fn shared(&self) -> impl Iterator<Item = Property<'_>> {
        let content_type = self.content_type.iter();
        let content_type = content_type.map(|it| Property::ContentType(Text::new(it).unwrap()));
        content_type.chain(self.user_properties.iter().map(|name| {
            let name = Text::new(name).unwrap();
            Property::UserProperty { name, value: name }
        }))
    }

    fn numbers(&self) -> impl Iterator<Item = Property<'_>> {
        let numbers = self.identifiers.iter().copied();
        numbers.map(|number| Property::SubscriptionIdentifier(number.try_into().unwrap()))
    }

    /// Returns the message of the publisher.
    fn received(&self) -> PublishProperties<Vec<u8>> {
        let alias = self.alias.and_then(NonZeroU16::new);
        let shared = self.shared().chain(alias.map(Property::TopicAlias));
        let all = shared.chain(self.expiry.map(Property::MessageExpiryInterval));
        PublishProperties::encode_to_vec(all).unwrap()
    }

    /// Returns the message for this receiver, for `publish`.
    fn message(&self) -> Message<&[u8], &[u8], Vec<u8>> {
        let left = self.expiry.map(|expiry| expiry.saturating_sub(self.waited));
        let own = left.map(Property::MessageExpiryInterval).into_iter();
        let properties = own.chain(self.numbers()).chain(self.shared());
        Message::new(self.topic(), &self.payload[..])
            .qos(self.qos)
            .retain(self.retain)
            .properties(PublishProperties::encode_to_vec(properties).unwrap())
    }

    fn encoded(&self) -> EncodedMessage<Vec<u8>, &[u8]> {
        let properties = self.received();
        EncodedMessage::encode_to_vec(&self.topic(), &properties, &self.payload[..]).unwrap()
    }

    fn receiver(&self) -> Receiver<Vec<u8>> {
        let identifiers = SubscriptionIdentifiers::encode_to_vec(self.numbers()).unwrap();
        Receiver::new(self.qos)
            .retain(self.retain)
            .waited(self.waited)
            .subscription_identifiers(identifiers)
    }
}

type Outcome = Result<(Option<PacketId>, Vec<u8>), CommandError>;

/// Sends the message with `publish`, and encoded once.
struct Both {
    plain: (Server<Vec<Slot>>, OutboundAliases<AliasVec>),
    encoded: (Server<Vec<Slot>>, OutboundAliases<AliasVec>),
}

impl Both {
    fn new(server: Server<Vec<Slot>>) -> Self {
        let aliases = OutboundAliases::new(AliasVec::new(2));
        Self {
            plain: (server.clone(), aliases.clone()),
            encoded: (server, aliases),
        }
    }

    fn publish(&mut self, sent: &Sent) -> (Outcome, Outcome) {
        let mut out = Vec::new();
        let (server, aliases) = &mut self.plain;
        let message = sent.message();
        let plain = if sent.is_aliased {
            server.publish_aliased(NOW, &message, aliases, &mut out)
        } else {
            server.publish(NOW, &message, &mut out)
        };
        let (server, aliases) = &mut self.encoded;
        let message = sent.encoded();
        let encoded = if sent.is_aliased {
            server.publish_encoded_aliased(NOW, &message, sent.receiver(), aliases)
        } else {
            server.publish_encoded(NOW, &message, sent.receiver())
        };
        (
            plain.map(|id| (id, out)),
            encoded.map(|it| (it.packet_id(), message.slices(&it).concat())),
        )
    }

    fn resend(&mut self, id: PacketId, sent: &Sent) -> (Outcome, Outcome) {
        let mut out = Vec::new();
        let plain = self.plain.0.resend(NOW, id, &sent.message(), &mut out);
        let message = sent.encoded();
        let encoded = self
            .encoded
            .0
            .resend_encoded(NOW, id, &message, sent.receiver());
        (
            plain.map(|()| (Some(id), out)),
            encoded.map(|it| (it.packet_id(), message.slices(&it).concat())),
        )
    }
}

/// Sorts the properties of a PUBLISH: the position of the alias is not specified.
fn sorted(
    outcome: Outcome,
    version: ProtocolVersion,
) -> Result<(Option<PacketId>, String), CommandError> {
    outcome.map(|(id, bytes)| {
        if version == ProtocolVersion::V3 {
            return (id, format!("{bytes:?}"));
        }
        let packet = v5::decode(&mut &bytes[..], &Options::new()).unwrap();
        let Some(Packet::Publish(publish)) = packet else {
            panic!("not a PUBLISH");
        };
        let mut properties: Vec<_> = publish.properties.iter().collect();
        properties.sort_by_key(|property| matches!(property, Property::TopicAlias(_)));
        let others = v5::Publish {
            properties: PublishProperties::EMPTY,
            ..publish
        };
        (id, format!("{} {others:?} {properties:?}", bytes.len()))
    })
}

fn client() -> impl Strategy<Value = Client> {
    (
        any::<bool>(),
        1..4_u16,
        prop::option::of(20..120_u32),
        0..4_u16,
        1..5_u16,
    )
        .prop_map(
            |(is_v5, receive_maximum, maximum_packet_size, topic_alias_maximum, max_inflight)| {
                Client {
                    version: if is_v5 {
                        ProtocolVersion::V5
                    } else {
                        ProtocolVersion::V3
                    },
                    receive_maximum: NonZeroU16::new(receive_maximum).unwrap(),
                    maximum_packet_size: maximum_packet_size.and_then(NonZeroU32::new),
                    topic_alias_maximum,
                    max_inflight,
                }
            },
        )
}

fn sent() -> impl Strategy<Value = Sent> {
    let qos = prop::sample::select(vec![QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]);
    let message = (
        "[a-c]{1,3}",
        vec(any::<u8>(), 0..60),
        qos,
        any::<bool>(),
        any::<bool>(),
    );
    let number = prop_oneof![1..4_u32, Just(128), Just(16_384), Just(268_435_455)];
    let own = (prop::option::of(0..100_u32), 0..100_u32, vec(number, 0..4));
    let shared = (
        prop::option::of(1..9_u16),
        prop::option::of("[a-z]{0,9}"),
        vec("[a-z]{0,9}", 0..3),
    );
    (message, own, shared).prop_map(|(message, own, shared)| {
        let (topic, payload, qos, retain, is_aliased) = message;
        let (expiry, waited, identifiers) = own;
        let (alias, content_type, user_properties) = shared;
        Sent {
            topic,
            payload,
            qos,
            retain,
            expiry,
            waited,
            identifiers,
            alias,
            content_type,
            user_properties,
            is_aliased,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// [MQTT-3.3.1-1, MQTT5-3.1.2-24, MQTT5-3.3.1-1, MQTT5-4.9.0-2]
    #[test]
    fn fan_out_is_what_publish_gives_errors_included(client in client(), messages in vec(sent(), 1..8)) {
        let mut both = Both::new(client.server(None));
        let mut in_flight = Vec::new();
        for message in &messages {
            let by_name = both.plain.0.clone().publish(NOW, &message.message(), &mut Vec::new());
            let (plain, encoded) = both.publish(message);
            // A Topic Alias never makes a message too large.
            prop_assert_eq!(plain.as_ref().map(|(id, _)| *id), by_name.as_ref().map(|id| *id));
            if let Ok((Some(id), _)) = plain {
                in_flight.push((id, message));
            }
            if message.is_aliased {
                prop_assert_eq!(sorted(plain, client.version), sorted(encoded, client.version));
            } else {
                prop_assert_eq!(plain, encoded);
            }
        }
        // The connection breaks, and all messages in flight are resent.
        let session = both.encoded.0.take_session();
        prop_assert_eq!(
            format!("{:?}", both.plain.0.take_session()),
            format!("{session:?}")
        );
        let mut both = Both::new(client.server(Some(session)));
        for (id, message) in in_flight {
            prop_assert_eq!(both.plain.0.poll_action(), Some(Action::Resend(id)));
            prop_assert_eq!(both.encoded.0.poll_action(), Some(Action::Resend(id)));
            let (plain, encoded) = both.resend(id, message);
            prop_assert!(plain.is_ok());
            prop_assert_eq!(plain, encoded);
        }
    }
}

#[test]
fn sending_to_a_receiver_of_either_version_allocates_nothing() {
    let numbers =
        [1, 300].map(|number| Property::SubscriptionIdentifier(number.try_into().unwrap()));
    let identifiers = SubscriptionIdentifiers::encode_to_vec(numbers).unwrap();
    let properties = PublishProperties::encode_to_vec([Property::MessageExpiryInterval(9)]);
    let topic = TopicName::new("a/b").unwrap();
    let message = EncodedMessage::encode_to_vec(&topic, &properties.unwrap(), [7; 64]).unwrap();
    for version in [ProtocolVersion::V3, ProtocolVersion::V5] {
        let client = Client {
            version,
            receive_maximum: NonZeroU16::MAX,
            maximum_packet_size: None,
            topic_alias_maximum: 0,
            max_inflight: 9,
        };
        let mut server = client.server(None);
        assert!(server.can_publish(QoS::ExactlyOnce));
        let mut out = Vec::with_capacity(1024);
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let heap = measure(|| {
                let receiver = Receiver::new(qos).subscription_identifiers(identifiers.as_ref());
                let header = server.publish_encoded(NOW, &message, receiver).unwrap();
                assert_eq!(message.slices(&header).len(), 6);
                message.write(&header, &mut out).unwrap();
            });
            assert_eq!(heap.count_total, 0, "{version:?}, {qos:?}");
        }
        assert!(out.len() > 3 * 64);
    }
}

#[test]
fn a_server_that_knows_no_version_yet_sends_no_message() {
    let mut server = Server::new(Session::<[Slot; 2]>::default(), Config::new(), NOW);
    let topic = TopicName::new("a").unwrap();
    let message = EncodedMessage::encode_to_vec(&topic, &PublishProperties::EMPTY, "x").unwrap();
    let receiver = Receiver::new(QoS::AtMostOnce);
    let refused = server.publish_encoded(NOW, &message, receiver);
    assert_eq!(refused, Err(CommandError::NotConnected));
    let refused = server.resend_encoded(NOW, PacketId::MIN, &message, receiver);
    assert_eq!(refused, Err(CommandError::NotConnected));
}
