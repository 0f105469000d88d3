use super::*;
use crate::types::{Delivery, PacketId, QoS, TopicName};
use crate::v3::{self, V3};
use crate::v5::{self, Property, PublishProperties, SubscriptionIdentifiers, V5};
use crate::wire::{Encode, EncodeError, Field, PacketSet, SliceOutput};
use core::num::NonZeroU16;
use std::format;
use std::vec::Vec;

const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// The deliveries of each QoS with the first and the last identifier, with and without DUP.
fn deliveries() -> impl Iterator<Item = Delivery> {
    QOS.into_iter().flat_map(|qos| {
        let ids = [(PacketId::MIN, false), (PacketId::MAX, true)];
        ids.map(|(packet_id, dup)| Delivery::new(qos, packet_id, dup))
    })
}

fn topic(name: &str) -> TopicName<&[u8]> {
    TopicName::new(name).unwrap()
}

fn plain<'t>(buffer: &'t mut [u8], payload: &'t [u8]) -> EncodedMessage<&'t [u8], &'t [u8]> {
    let properties = PublishProperties::EMPTY;
    EncodedMessage::encode_to_slice(buffer, &topic("a/b"), &properties, payload).unwrap()
}

/// Returns the PUBLISH of the version `V`, as slices and as written.
fn sent<V: PacketSet, B: AsRef<[u8]>>(
    message: &EncodedMessage<&[u8], &[u8]>,
    delivery: Delivery,
    receiver: Receiver<B>,
) -> Vec<u8> {
    let (header, packet_len) = message
        .subscriber_header::<V, B>(&delivery, receiver, TopicForm::Name)
        .unwrap();
    assert_eq!(header.packet_id(), delivery.packet_id());
    let bytes = message.slices(&header).concat();
    assert_eq!(bytes.len(), packet_len);
    let mut room = std::vec![0; bytes.len()];
    let mut out = SliceOutput::new(&mut room);
    message.write(&header, &mut out).unwrap();
    assert!(out.written() == bytes);
    bytes
}

fn numbers<'b>(buffer: &'b mut [u8], numbers: &[u32]) -> SubscriptionIdentifiers<&'b [u8]> {
    let numbers = numbers.iter().map(|&number| {
        let identifier = v5::SubscriptionIdentifier::new(number).unwrap();
        Property::SubscriptionIdentifier(identifier)
    });
    SubscriptionIdentifiers::encode_to_slice(buffer, numbers).unwrap()
}

#[test]
fn a_receiver_of_mqtt_3_1_1_gets_these_bytes() {
    let mut buffer = [0; 64];
    let mut room = [0; 64];
    let properties = [
        Property::MessageExpiryInterval(60),
        Property::PayloadFormatIndicator(true),
    ];
    let properties = PublishProperties::encode_to_slice(&mut room, properties).unwrap();
    let message =
        EncodedMessage::encode_to_slice(&mut buffer, &topic("a/b"), &properties, &b"21.5"[..]);
    let message = message.unwrap();
    let id = PacketId::new(7).unwrap();
    let send = |qos, dup, retain| {
        let mut room = [0; 8];
        let receiver = Receiver::new(qos)
            .retain(retain)
            .waited(5)
            .subscription_identifiers(numbers(&mut room, &[7]));
        sent::<V3, _>(&message, Delivery::new(qos, id, dup), receiver)
    };
    let (q0, q1, q2) = (QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce);
    assert_eq!(send(q0, false, true), b"\x31\x09\0\x03a/b21.5");
    assert_eq!(send(q1, false, false), b"\x32\x0b\0\x03a/b\0\x0721.5");
    assert_eq!(send(q2, true, true), b"\x3d\x0b\0\x03a/b\0\x0721.5");
}

/// [MQTT5-3.3.2-6, MQTT5-3.3.4-3, MQTT5-3.3.4-5]
#[test]
fn a_receiver_of_mqtt_5_gets_these_bytes() {
    let mut buffer = [0; 64];
    let mut room = [0; 64];
    let properties = [
        Property::PayloadFormatIndicator(true),
        Property::MessageExpiryInterval(60),
    ];
    let properties = PublishProperties::encode_to_slice(&mut room, properties).unwrap();
    let message =
        EncodedMessage::encode_to_slice(&mut buffer, &topic("a/b"), &properties, &b"21.5"[..]);
    let message = message.unwrap();
    assert_eq!(message.message_expiry_interval(), Some(60));
    let id = PacketId::new(7).unwrap();
    let at = |qos, dup| Delivery::new(qos, id, dup);
    let (q0, q1, q2) = (QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce);

    assert_eq!(
        sent::<V5, _>(&message, at(q0, false), Receiver::new(q0).retain(true)),
        b"\x31\x11\0\x03a/b\x07\x02\0\0\0\x3c\x01\x0121.5"
    );
    let receiver = Receiver::new(q1).waited(10);
    let mut room = [0; 16];
    assert_eq!(
        sent::<V5, _>(
            &message,
            at(q1, true),
            receiver.subscription_identifiers(numbers(&mut room, &[7]))
        ),
        b"\x3a\x15\0\x03a/b\0\x07\x09\x02\0\0\0\x32\x0b\x07\x01\x0121.5"
    );
    let receiver = Receiver::new(q2).waited(61);
    assert_eq!(
        sent::<V5, _>(
            &message,
            at(q2, false),
            receiver.subscription_identifiers(numbers(&mut room, &[1, 300, 268_435_455]))
        ),
        b"\x34\x1d\0\x03a/b\0\x07\x11\x02\0\0\0\0\x0b\x01\x0b\xac\x02\x0b\xff\xff\xff\x7f\x01\x0121.5"
    );
}

#[test]
fn a_message_without_properties_has_property_length_0_in_mqtt_5_alone() {
    let mut buffer = [0; 8];
    let message = plain(&mut buffer, b"hi");
    let receiver = Receiver::new(QoS::AtMostOnce).waited(9);
    assert_eq!(
        sent::<V5, _>(&message, Delivery::AtMostOnce, receiver),
        b"\x30\x08\0\x03a/b\0hi"
    );
    assert_eq!(
        sent::<V3, _>(&message, Delivery::AtMostOnce, receiver),
        b"\x30\x07\0\x03a/bhi"
    );
}

/// [MQTT5-3.3.2-7]
#[test]
fn topic_alias_and_subscription_identifiers_of_the_sender_go_to_nobody() {
    let properties = [
        Property::TopicAlias(NonZeroU16::MIN),
        Property::ContentType(crate::types::Text::new("x").unwrap()),
        Property::SubscriptionIdentifier(7.try_into().unwrap()),
        Property::MessageExpiryInterval(3),
        Property::SubscriptionIdentifier(8.try_into().unwrap()),
    ];
    let mut room = [0; 32];
    let properties = PublishProperties::encode_to_slice(&mut room, properties).unwrap();
    // Properties that are left out need no room.
    let mut buffer = [0; 3 + 4];
    let message = EncodedMessage::encode_to_slice(&mut buffer, &topic("t"), &properties, "");
    let message = message.unwrap();
    assert_eq!(message.topic(), "t");
    assert_eq!(message.properties().as_bytes(), b"\x03\0\x01x");
    assert_eq!(message.message_expiry_interval(), Some(3));
}

/// [MQTT5-3.3.2-8]
#[test]
fn a_topic_alias_of_the_receiver_stands_with_the_topic_name_or_for_it() {
    let mut buffer = [0; 8];
    let message = plain(&mut buffer, b"hi");
    let alias = NonZeroU16::new(0x0102).unwrap();
    let sent = |form| {
        let receiver = Receiver::new(QoS::AtMostOnce);
        let header = message.subscriber_header::<V5, _>(&Delivery::AtMostOnce, receiver, form);
        message.slices(&header.unwrap().0).concat()
    };
    assert_eq!(
        sent(TopicForm::NameAndAlias(alias)),
        b"\x30\x0b\0\x03a/b\x03\x23\x01\x02hi"
    );
    assert_eq!(
        sent(TopicForm::Alias(alias)),
        b"\x30\x08\0\0\x03\x23\x01\x02hi"
    );
}

#[test]
fn a_message_for_many_receivers_is_the_publish_that_each_of_them_would_get() {
    let payload: Vec<u8> = (0..=255).cycle().take(3 << 20).collect();
    let name = topic("kitchen/temperature");
    let lengths = [
        0, 1, 102, 103, 104, 105, 106, 107, 127, 128, 16_359, 16_360, 16_361, 16_362, 16_363,
        2_097_128, 2_097_129, 2_097_130, 2_097_131,
    ];
    for len in lengths {
        let mut buffer = [0; 32];
        let payload = &payload[..len];
        let properties = PublishProperties::EMPTY;
        let message =
            EncodedMessage::encode_to_slice(&mut buffer, &name, &properties, payload).unwrap();
        for (delivery, retain) in deliveries().flat_map(|it| [(it, false), (it, true)]) {
            let receiver = Receiver::new(delivery.qos()).retain(retain);
            let mut expected = std::vec![0; len + 64];
            let publish = v3::Publish {
                delivery,
                retain,
                topic: name,
                payload,
            };
            let expected = publish.encode_to_slice(&mut expected).unwrap();
            assert!(
                sent::<V3, _>(&message, delivery, receiver) == expected,
                "{publish:?}"
            );
            let mut expected = std::vec![0; len + 64];
            let publish = v5::Publish {
                delivery,
                retain,
                topic: name,
                properties,
                payload,
            };
            let expected = publish.encode_to_slice(&mut expected).unwrap();
            assert!(
                sent::<V5, _>(&message, delivery, receiver) == expected,
                "{publish:?}"
            );
        }
    }
}

#[test]
fn property_length_takes_as_many_bytes_as_it_needs() {
    for len in [100, 127, 128, 16_383, 16_384, 40_000] {
        let mut room = std::vec![0; 100_000];
        // Identifier, length of two bytes, data.
        let data = std::vec![7; len - 3];
        let properties =
            PublishProperties::encode_to_slice(&mut room, [Property::CorrelationData(&data)]);
        let properties = properties.unwrap();
        let mut buffer = std::vec![0; len + 3];
        let message =
            EncodedMessage::encode_to_slice(&mut buffer, &topic("t"), &properties, &b"hi"[..]);
        let publish = v5::Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: topic("t"),
            properties,
            payload: b"hi",
        };
        let mut expected = std::vec![0; len + 64];
        let expected = publish.encode_to_slice(&mut expected).unwrap();
        let receiver = Receiver::new(QoS::AtMostOnce);
        let bytes = sent::<V5, _>(&message.unwrap(), Delivery::AtMostOnce, receiver);
        assert!(bytes == expected, "{len}");
    }
}

#[test]
fn a_buffer_without_room_for_topic_name_and_properties_is_refused() {
    let mut room = [0; 8];
    let properties = [Property::PayloadFormatIndicator(true)];
    let properties = PublishProperties::encode_to_slice(&mut room, properties).unwrap();
    for room in 0..7 {
        let mut buffer = [0; 7];
        let buffer = &mut buffer[..room];
        let error = EncodedMessage::encode_to_slice(buffer, &topic("a/b"), &properties, "");
        assert!(
            matches!(error, Err(EncodeError::NoRoom { .. })),
            "{error:?}"
        );
    }
    let mut buffer = [0; 7];
    let message = EncodedMessage::encode_to_slice(&mut buffer, &topic("a/b"), &properties, "");
    assert_eq!(*message.unwrap().payload(), "");
}

#[test]
fn a_message_that_is_too_large_with_an_identifier_is_refused_though_it_would_fit_without() {
    // Topic Name, Packet Identifier and Property Length.
    let largest = 268_435_455 - 3 - 2 - 1;
    let payload = std::vec![0; largest + 1];
    let mut buffer = [0; 8];
    let mut encode = |len| {
        let properties = PublishProperties::EMPTY;
        let payload = &payload[..len];
        let message =
            EncodedMessage::encode_to_slice(&mut buffer, &topic("t"), &properties, payload);
        message.map(|message| {
            // With a Subscription Identifier it is too large.
            let mut room = [0; 8];
            let receiver = Receiver::new(QoS::AtMostOnce)
                .subscription_identifiers(numbers(&mut room, &[1, 2]));
            message
                .subscriber_header::<V5, _>(&Delivery::AtMostOnce, receiver, TopicForm::Name)
                .map(|_| ())
        })
    };
    assert_eq!(encode(largest + 1), Err(EncodeError::PacketTooLarge));
    assert_eq!(encode(largest), Ok(Err(EncodeError::PacketTooLarge)));
    assert_eq!(encode(largest - 2), Ok(Ok(())));
}

#[test]
fn a_topic_name_of_65536_bytes_and_an_empty_one_are_refused() {
    let long = [b'a'; 65_536];
    let mut buffer = std::vec![0; 70_000];
    let mut encode = |bytes| {
        let topic = topic("t").map(|_| bytes);
        let properties = PublishProperties::EMPTY;
        EncodedMessage::encode_to_slice(&mut buffer, &topic, &properties, "").map(|_| ())
    };
    let field = Field::TopicName;
    assert_eq!(encode(&long[..]), Err(EncodeError::FieldTooLong { field }));
    assert_eq!(encode(&[]), Err(EncodeError::EmptyTopicName { field }));
    assert_eq!(encode(&long[1..]), Ok(()));
}

#[test]
fn writing_to_an_output_without_room_writes_nothing() {
    let mut buffer = [0; 8];
    let message = plain(&mut buffer, b"hi");
    let delivery = Delivery::new(QoS::AtLeastOnce, PacketId::MIN, false);
    let receiver = Receiver::new(QoS::AtLeastOnce);
    let header = message.subscriber_header::<V5, _>(&delivery, receiver, TopicForm::Name);
    let (header, _) = header.unwrap();
    let mut room = [0xee; 11];
    let mut out = SliceOutput::new(&mut room);
    let refused = message.write(&header, &mut out);
    assert_eq!(refused, Err(EncodeError::NoRoom { needed: 12 }));
    assert_eq!(room, [0xee; 11]);
}

#[cfg(feature = "alloc")]
#[test]
fn receiver_and_header_keep_their_values_in_every_storage() {
    let mut room = [0; 8];
    let receiver = Receiver::new(QoS::ExactlyOnce)
        .retain(true)
        .waited(3)
        .subscription_identifiers(numbers(&mut room, &[7, 300]));
    assert_eq!(receiver.to_owned().as_ref(), receiver);
    let mut buffer = [0; 8];
    let message = plain(&mut buffer, b"hi");
    let delivery = Delivery::new(QoS::ExactlyOnce, PacketId::MIN, false);
    let header = message.subscriber_header::<V5, _>(&delivery, receiver, TopicForm::Name);
    let (header, _) = header.unwrap();
    let owned = header.to_owned();
    assert_eq!(owned.as_ref(), header);
    assert_eq!(
        message.slices(&owned).concat(),
        message.slices(&header).concat()
    );
}

#[test]
fn only_subscription_identifiers_are_of_one_receiver() {
    let mut buffer = [0; 8];
    for property in [
        Property::MessageExpiryInterval(1),
        Property::TopicAlias(NonZeroU16::MIN),
        Property::PayloadFormatIndicator(true),
    ] {
        let refused = SubscriptionIdentifiers::encode_to_slice(&mut buffer, [property]);
        assert!(
            matches!(refused, Err(EncodeError::MisplacedProperty { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(numbers(&mut buffer, &[1, 1]).as_bytes(), [0x0b, 1, 0x0b, 1]);
}

#[test]
fn the_bytes_may_move() {
    let mut buffer = [0; 8];
    let message = plain(&mut buffer, b"hi");
    let moved = message.map(<[u8]>::to_vec, Vec::from);
    assert_eq!(moved.as_ref(), message);
    assert_eq!(moved.topic(), "a/b");
    assert_eq!(moved.payload(), b"hi");
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_takes_topic_name_and_properties_as_a_slice_does() {
    let mut room = [0; 8];
    let properties = [Property::PayloadFormatIndicator(true)];
    let properties = PublishProperties::encode_to_slice(&mut room, properties).unwrap();
    let vec = EncodedMessage::encode_to_vec(&topic("a/b"), &properties, b"x").unwrap();
    let mut buffer = [0; 7];
    let slice = EncodedMessage::encode_to_slice(&mut buffer, &topic("a/b"), &properties, b"x");
    assert_eq!(vec.as_ref(), slice.unwrap().as_ref());
}

#[test]
fn message_receiver_and_header_print_what_they_are() {
    let mut buffer = [0; 8];
    let message = plain(&mut buffer, b"hi");
    assert_eq!(
        format!("{message:?}"),
        r#"EncodedMessage { topic: "a/b", message_expiry_interval: None, properties: [], payload: b"hi" }"#
    );
    let receiver = Receiver::new(QoS::AtLeastOnce);
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { qos: AtLeastOnce, retain: false, waited: 0, subscription_identifiers: [] }"
    );
    let delivery = Delivery::new(QoS::AtLeastOnce, PacketId::MIN, false);
    let header = message.subscriber_header::<V5, _>(&delivery, receiver, TopicForm::Name);
    assert_eq!(
        format!("{:?}", header.unwrap().0),
        "SubscriberHeader { packet_id: Some(PacketId(1)), subscription_identifiers: [], .. }"
    );
}
