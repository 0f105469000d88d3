use core::num::{NonZeroU16, NonZeroU32};
use std::format;
use std::vec::Vec;

use super::super::property::{CONNACK, CONNECT, WILL};
use super::*;
use crate::types::{QoS, Text, TopicName};
use crate::v5::SubscriptionIdentifier;
use crate::v5::testing::{fault, framed};
use crate::wire::ErrorKind;
use ErrorKind::{
    MisplacedProperty, MissingAuthenticationMethod, RepeatedProperty, Truncated, UnknownProperty,
};

fn text(text: &str) -> Text<&[u8]> {
    Text::new(text).unwrap()
}

fn number(number: u32) -> SubscriptionIdentifier {
    SubscriptionIdentifier::new(number).unwrap()
}

/// One of each, in the order of their identifiers.
fn all() -> [Property<'static>; 27] {
    [
        Property::PayloadFormatIndicator(true),
        Property::MessageExpiryInterval(0x0102_0304),
        Property::ContentType(text("text/plain")),
        Property::ResponseTopic(TopicName::new("answer").unwrap()),
        Property::CorrelationData(b"\x00\xff"),
        Property::SubscriptionIdentifier(number(268_435_455)),
        Property::SessionExpiryInterval(u32::MAX),
        Property::AssignedClientIdentifier(text("c-1")),
        Property::ServerKeepAlive(60),
        Property::AuthenticationMethod(text("SCRAM")),
        Property::AuthenticationData(b"step"),
        Property::RequestProblemInformation(false),
        Property::WillDelayInterval(5),
        Property::RequestResponseInformation(true),
        Property::ResponseInformation(text("info/")),
        Property::ServerReference(text("other:1883")),
        Property::ReasonString(text("why")),
        Property::ReceiveMaximum(NonZeroU16::MIN),
        Property::TopicAliasMaximum(10),
        Property::TopicAlias(NonZeroU16::MAX),
        Property::MaximumQos(QoS::AtLeastOnce),
        Property::RetainAvailable(false),
        Property::UserProperty {
            name: text("name"),
            value: text(""),
        },
        Property::MaximumPacketSize(NonZeroU32::MAX),
        Property::WildcardSubscriptionAvailable(false),
        Property::SubscriptionIdentifierAvailable(false),
        Property::SharedSubscriptionAvailable(true),
    ]
}

/// Returns the properties that this packet can have, by identifier.
fn allowed<K: PropertiesKind>() -> Vec<u8> {
    let mut allowed = Vec::new();
    for property in all() {
        // Authentication Data needs a method.
        let method = Property::AuthenticationMethod(text("m"));
        let with_method = [method, property];
        let properties = match property {
            Property::AuthenticationData(_) => &with_method[..],
            _ => core::slice::from_ref(&property),
        };
        let mut buffer = [0; 64];
        match Properties::<&[u8], K>::encode_to_slice(&mut buffer, properties) {
            Ok(encoded) => {
                assert!(encoded.iter().eq(properties.iter().copied()));
                allowed.push(property.identifier());
            }
            Err(error) => assert!(matches!(error, EncodeError::MisplacedProperty { .. })),
        }
    }
    allowed
}

#[test]
fn each_packet_has_the_properties_that_table_2_4_gives_it() {
    assert_eq!(
        allowed::<ConnectKind>(),
        [0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27]
    );
    assert_eq!(
        allowed::<WillKind>(),
        [0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26]
    );
    assert_eq!(
        allowed::<ConnAckKind>(),
        [
            0x11, 0x12, 0x13, 0x15, 0x16, 0x1a, 0x1c, 0x1f, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27,
            0x28, 0x29, 0x2a
        ]
    );
    assert_eq!(
        allowed::<PublishKind>(),
        [0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x23, 0x26]
    );
    assert_eq!(allowed::<AckKind>(), [0x1f, 0x26]);
    assert_eq!(allowed::<SubscribeKind>(), [0x0b, 0x26]);
    assert_eq!(allowed::<UnsubscribeKind>(), [0x26]);
    assert_eq!(allowed::<DisconnectKind>(), [0x11, 0x1c, 0x1f, 0x26]);
    assert_eq!(allowed::<AuthKind>(), [0x15, 0x16, 0x1f, 0x26]);
}

#[test]
fn only_user_property_and_in_publish_subscription_identifier_may_be_repeated() {
    fn repeated<K: PropertiesKind>(property: Property<'_>) -> Result<usize, EncodeError> {
        let mut buffer = [0; 64];
        let twice = [property; 2];
        Properties::<&[u8], K>::encode_to_slice(&mut buffer, twice).map(|it| it.iter().count())
    }
    let user_property = Property::UserProperty {
        name: text("n"),
        value: text("v"),
    };
    let identifier = Property::SubscriptionIdentifier(number(1));
    assert_eq!(repeated::<UnsubscribeKind>(user_property), Ok(2));
    assert_eq!(repeated::<PublishKind>(identifier), Ok(2));
    let property = Field::SubscriptionIdentifier;
    let error = EncodeError::RepeatedProperty { property };
    assert_eq!(repeated::<SubscribeKind>(identifier), Err(error));
    for property in all() {
        let once = [0x0b, 0x26].contains(&property.identifier());
        let result = repeated::<PublishKind>(property);
        let may_be_there = allowed::<PublishKind>().contains(&property.identifier());
        assert_eq!(result.is_ok(), once && may_be_there, "{property:?}");
    }
}

/// Returns the error of a PUBLISH with these properties, which start at byte 6.
fn fault_in_publish(properties: &[u8]) -> (ErrorKind, Field, usize) {
    let len = u8::try_from(properties.len()).unwrap();
    let body = [b"\x00\x01a", &[len][..], properties].concat();
    let (kind, field, offset, _) = fault(&framed(0x30, &body));
    (kind, field, offset)
}

#[test]
fn the_first_fault_is_the_one_that_is_found() {
    assert_eq!(
        fault_in_publish(b"\x01\x01\x01\x01\x7f"),
        (RepeatedProperty, Field::PayloadFormatIndicator, 8)
    );
    assert_eq!(
        fault_in_publish(b"\x01\x01\x7f\x01\x01"),
        (UnknownProperty, Field::PropertyIdentifier, 8)
    );
    assert_eq!(
        fault_in_publish(b"\x21\x00\x00"),
        (MisplacedProperty, Field::ReceiveMaximum, 6)
    );
}

#[test]
fn a_property_ends_with_the_properties_not_with_the_packet() {
    // The following bytes would be the rest of the value.
    let body = b"\x00\x01a\x03\x02\x00\x00\x00\x01";
    let (kind, field, offset, _) = fault(&framed(0x30, body));
    assert_eq!(
        (kind, field, offset),
        (Truncated, Field::MessageExpiryInterval, 7)
    );
    for properties in [
        &b"\x03\x00"[..],
        b"\x09\x00\x02a",
        b"\x26\x00\x01n",
        b"\x26\x00\x01n\x00\x02v",
        b"\x0b\x80",
        b"\x23\x00",
        b"\x01",
    ] {
        assert_eq!(fault_in_publish(properties).0, Truncated);
    }
}

#[test]
fn a_value_of_0_or_nothing_counts_as_the_first_one() {
    for properties in [
        &b"\x01\x00\x01\x00"[..],
        b"\x03\x00\x00\x03\x00\x00",
        b"\x02\x00\x00\x00\x00\x02\x00\x00\x00\x00",
    ] {
        assert_eq!(fault_in_publish(properties).0, RepeatedProperty);
    }
}

#[test]
fn authentication_data_needs_a_method_in_either_order() {
    let data = Property::AuthenticationData(b"");
    let method = Property::AuthenticationMethod(text("m"));
    let mut buffer = [0; 16];
    let mut encode = |properties: &[Property<'_>]| {
        ConnectProperties::encode_to_slice(&mut buffer, properties).map(|_| ())
    };
    assert_eq!(
        encode(&[data]),
        Err(EncodeError::MissingAuthenticationMethod)
    );
    assert_eq!(encode(&[data, method]), Ok(()));
    assert_eq!(encode(&[method, data]), Ok(()));
    let connect = b"\x10\x11\x00\x04MQTT\x05\x02\x00\x00\x03\x16\x00\x00\x00\x01c";
    let (kind, field, offset, _) = fault(connect);
    assert_eq!(
        (kind, field, offset),
        (MissingAuthenticationMethod, Field::AuthenticationData, 16)
    );
}

#[test]
fn maximum_qos_2_cannot_be_written() {
    let properties = [Property::MaximumQos(QoS::ExactlyOnce)];
    let field = Field::MaximumQos;
    assert_eq!(
        ConnAckProperties::<&[u8]>::encoded_len(properties),
        Err(EncodeError::ValueOutOfRange { field })
    );
}

#[test]
fn a_property_is_removed_and_another_added_without_a_heap() {
    let mut buffer = [0; 64];
    let received = PublishProperties::encode_to_slice(
        &mut buffer,
        [
            Property::TopicAlias(NonZeroU16::MIN),
            Property::MessageExpiryInterval(60),
            Property::UserProperty {
                name: text("a"),
                value: text("1"),
            },
            Property::UserProperty {
                name: text("a"),
                value: text("2"),
            },
        ],
    )
    .unwrap();
    let kept = received.iter().filter(|property| {
        !matches!(
            property,
            Property::TopicAlias(_) | Property::MessageExpiryInterval(_)
        )
    });
    let added = [
        Property::MessageExpiryInterval(55),
        Property::SubscriptionIdentifier(number(7)),
    ];
    let mut buffer = [0; 64];
    let sent = PublishProperties::encode_to_slice(&mut buffer, kept.chain(added)).unwrap();
    assert_eq!(sent.topic_alias(), None);
    assert_eq!(sent.message_expiry_interval(), Some(55));
    let values: Vec<_> = sent.user_properties().map(|(_, value)| value).collect();
    assert_eq!(values, ["1", "2"]);
    let numbers: Vec<_> = sent.subscription_identifiers().collect();
    assert_eq!(numbers, [number(7)]);
}

#[test]
fn re_encoding_what_was_iterated_gives_the_same_bytes() {
    let mut buffer = [0; 64];
    let properties = [
        Property::CorrelationData(b"x"),
        Property::PayloadFormatIndicator(false),
    ];
    let encoded = WillProperties::encode_to_slice(&mut buffer, properties).unwrap();
    assert_eq!(encoded.as_bytes(), b"\x09\x00\x01x\x01\x00");
    let mut buffer = [0; 64];
    let again = WillProperties::encode_to_slice(&mut buffer, &encoded).unwrap();
    assert_eq!(again, encoded);
    assert_eq!(WillProperties::<&[u8]>::encoded_len(&encoded), Ok(6));
    #[cfg(feature = "alloc")]
    assert_eq!(
        WillProperties::encode_to_vec(&encoded),
        Ok(encoded.to_owned())
    );
}

#[test]
fn a_buffer_that_is_too_small_is_no_room() {
    let mut buffer = [0; 4];
    let error =
        PublishProperties::encode_to_slice(&mut buffer, [Property::MessageExpiryInterval(1)]);
    assert!(matches!(error, Err(EncodeError::NoRoom { .. })));
}

#[test]
fn what_is_absent_has_the_default_of_the_standard() {
    let connect = ConnectProperties::EMPTY;
    assert_eq!(connect.session_expiry_interval(), 0);
    assert_eq!(connect.receive_maximum(), NonZeroU16::MAX);
    assert_eq!(connect.maximum_packet_size(), None);
    assert_eq!(connect.topic_alias_maximum(), 0);
    assert!(connect.request_problem_information());
    assert!(!connect.request_response_information());
    assert_eq!(connect.authentication_method(), None);
    assert_eq!(connect.authentication_data(), None);
    let connack = ConnAckProperties::EMPTY;
    assert_eq!(connack.session_expiry_interval(), None);
    assert_eq!(connack.maximum_qos(), QoS::ExactlyOnce);
    assert!(connack.retain_available());
    assert!(connack.wildcard_subscription_available());
    assert!(connack.subscription_identifier_available());
    assert!(connack.shared_subscription_available());
    assert_eq!(connack.server_keep_alive(), None);
    assert_eq!(connack.assigned_client_identifier(), None);
    assert_eq!(connack.response_information(), None);
    assert_eq!(connack.server_reference(), None);
    assert_eq!(connack.reason_string(), None);
    let will = WillProperties::EMPTY;
    assert_eq!(will.will_delay_interval(), 0);
    assert!(!will.payload_format_indicator());
    assert_eq!(will.message_expiry_interval(), None);
    assert_eq!(will.content_type(), None);
    assert_eq!(will.response_topic(), None);
    assert_eq!(will.correlation_data(), None);
    assert_eq!(PublishProperties::EMPTY.topic_alias(), None);
    assert_eq!(SubscribeProperties::EMPTY.subscription_identifier(), None);
    assert_eq!(DisconnectProperties::EMPTY.session_expiry_interval(), None);
    assert!(AckProperties::EMPTY.is_empty());
    assert_eq!(AuthProperties::<&[u8]>::default(), AuthProperties::EMPTY);
}

#[test]
fn each_property_is_found_by_its_name() {
    let mut buffer = [0; 256];
    let here = |bit: u16| {
        move |property: &Property<'_>| {
            rule(property.identifier()).is_some_and(|rule| rule.is_allowed(bit))
        }
    };
    let connack =
        ConnAckProperties::encode_to_slice(&mut buffer, all().into_iter().filter(here(CONNACK)))
            .unwrap();
    assert_eq!(connack.session_expiry_interval(), Some(u32::MAX));
    assert_eq!(connack.assigned_client_identifier(), Some(text("c-1")));
    assert_eq!(connack.server_keep_alive(), Some(60));
    assert_eq!(connack.authentication_method(), Some(text("SCRAM")));
    assert_eq!(connack.authentication_data(), Some(&b"step"[..]));
    assert_eq!(connack.response_information(), Some(text("info/")));
    assert_eq!(connack.server_reference(), Some(text("other:1883")));
    assert_eq!(connack.reason_string(), Some(text("why")));
    assert_eq!(connack.receive_maximum(), NonZeroU16::MIN);
    assert_eq!(connack.topic_alias_maximum(), 10);
    assert_eq!(connack.maximum_qos(), QoS::AtLeastOnce);
    assert!(!connack.retain_available());
    assert_eq!(connack.maximum_packet_size(), Some(NonZeroU32::MAX));
    assert!(!connack.wildcard_subscription_available());
    assert!(!connack.subscription_identifier_available());
    assert!(connack.shared_subscription_available());
    let mut buffer = [0; 256];
    let will =
        WillProperties::encode_to_slice(&mut buffer, all().into_iter().filter(here(WILL))).unwrap();
    assert!(will.payload_format_indicator());
    assert_eq!(will.message_expiry_interval(), Some(0x0102_0304));
    assert_eq!(will.content_type(), Some(text("text/plain")));
    assert_eq!(will.response_topic().unwrap(), "answer");
    assert_eq!(will.correlation_data(), Some(&b"\x00\xff"[..]));
    assert_eq!(will.will_delay_interval(), 5);
    let mut buffer = [0; 256];
    let connect =
        ConnectProperties::encode_to_slice(&mut buffer, all().into_iter().filter(here(CONNECT)))
            .unwrap();
    assert_eq!(connect.session_expiry_interval(), u32::MAX);
    assert!(!connect.request_problem_information());
    assert!(connect.request_response_information());
}

#[test]
fn properties_print_as_a_list_without_authentication_data() {
    let mut buffer = [0; 64];
    let properties = AuthProperties::encode_to_slice(
        &mut buffer,
        [
            Property::AuthenticationMethod(text("m")),
            Property::AuthenticationData(b"hush"),
        ],
    );
    assert_eq!(
        format!("{:?}", properties.unwrap()),
        r#"[AuthenticationMethod("m"), AuthenticationData(..)]"#
    );
}

#[test]
fn iterating_goes_on_yielding_none_at_the_end() {
    let mut buffer = [0; 8];
    let properties =
        WillProperties::encode_to_slice(&mut buffer, [Property::WillDelayInterval(1)]).unwrap();
    let mut iter = properties.iter();
    assert!(iter.next().is_some());
    let mut clone = iter.clone();
    assert_eq!((iter.next(), iter.next()), (None, None));
    assert_eq!(clone.next(), None);
}

#[cfg(all(feature = "serde", feature = "alloc"))]
#[test]
fn each_property_goes_where_its_number_is_written_first_and_to_json_and_back() {
    fn round_trip<K: PropertiesKind>() {
        for property in all() {
            let method = Property::AuthenticationMethod(text("m"));
            let properties = match property {
                Property::AuthenticationData(_) => std::vec![method, property],
                property => std::vec![property],
            };
            let Ok(encoded) = Properties::<Vec<u8>, K>::encode_to_vec(properties) else {
                continue;
            };
            let written = postcard::to_allocvec(&encoded).unwrap();
            assert_eq!(postcard::from_bytes(&written), Ok(encoded.clone()));
            let json = serde_json::to_value(&encoded).unwrap();
            let read: Properties<Vec<u8>, K> = serde_json::from_value(json).unwrap();
            assert_eq!(read, encoded);
        }
    }
    round_trip::<ConnectKind>();
    round_trip::<ConnAckKind>();
    round_trip::<PublishKind>();
    round_trip::<WillKind>();
    let misplaced = serde_json::json!([{"TopicAlias": 1}]);
    let read: Result<ConnectProperties<Vec<u8>>, _> = serde_json::from_value(misplaced);
    assert_eq!(
        format!("{}", read.unwrap_err()),
        "CONNECT cannot have the property Topic Alias"
    );
}

#[cfg(feature = "alloc")]
#[test]
fn properties_are_equal_and_have_one_hash_if_their_bytes_are_the_same() {
    use core::hash::{BuildHasher, BuildHasherDefault};
    use std::hash::DefaultHasher;
    let one = ConnectProperties::encode_to_vec([Property::ReceiveMaximum(NonZeroU16::MIN)]);
    let none = ConnectProperties::<Vec<u8>>::default();
    let one = one.unwrap();
    assert_eq!(one, one.clone());
    assert_ne!(one, none);
    let hashes = BuildHasherDefault::<DefaultHasher>::default();
    assert_eq!(hashes.hash_one(&one), hashes.hash_one(one.clone()));
    assert_ne!(hashes.hash_one(&one), hashes.hash_one(&none));
}
