//! The API besides the protocol: conversions, sizes, errors, threads.

#![cfg(feature = "alloc")]
#![allow(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    reason = "a test fails by panicking"
)]

use core::num::NonZeroU16;
use std::collections::BTreeSet;

use mqtt_sansio::v3::{
    self, Action, Client, CloseReason, Connect, ConnectRefusal, Credentials, DecodeError, Decoder,
    Delivery, Event, HandleError, Message, Packet, PeerError, Publish, Server, Step, Subscription,
    Will,
};
use mqtt_sansio::v5;
use mqtt_sansio::{
    Change, CommandError, Config, Encode, EncodeError, Options, Outbox, PacketId, PacketType,
    ProtocolError, QoS, RestoreError, Session, SliceOutput, Slot, Text, TextError, Timestamp,
    TopicFilter, TopicName,
};

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn publish() -> Publish<&'static [u8]> {
    Publish {
        delivery: Delivery::new(QoS::AtLeastOnce, PacketId::MIN, true),
        retain: true,
        topic: TopicName::new("a/b").unwrap(),
        payload: b"hi",
    }
}

/// Returns a client that the server has accepted, with Keep Alive 60.
fn connected(config: Config) -> Client<Vec<Slot>> {
    let mut client = Client::new(Session::default(), config, NOW);
    let mut connect = Connect::new(Text::new("c").unwrap());
    connect.keep_alive = 60;
    client.connect(NOW, &connect, &mut Vec::new()).unwrap();
    let connack = v3::decode(&mut &b"\x20\x02\0\0"[..], &Options::new());
    client
        .handle_packet(NOW, connack.unwrap().unwrap())
        .unwrap();
    client
}

fn message(qos: QoS) -> Message<&'static [u8]> {
    Message {
        qos,
        ..Message::from(publish())
    }
}

#[test]
fn owned_values_borrow_back_to_what_they_were_made_of() {
    let packet = Packet::Publish(publish());
    assert_eq!(packet.to_owned().as_ref(), packet);
    let credentials = Credentials {
        user_name: Text::new("u").unwrap(),
        password: Some(&b"p"[..]),
    };
    assert_eq!(credentials.to_owned().as_ref(), credentials);
    let will = Will {
        topic: TopicName::new("w").unwrap(),
        message: &b"gone"[..],
        qos: QoS::ExactlyOnce,
        retain: true,
    };
    assert_eq!(will.to_owned().as_ref(), will);
    let connect = Connect {
        will: Some(will),
        credentials: Some(credentials),
        ..Connect::new(Text::new("c").unwrap())
    };
    assert_eq!(connect.to_owned().as_ref(), connect);
    let subscription = Subscription {
        topic_filter: TopicFilter::new("a/+").unwrap(),
        qos: QoS::AtMostOnce,
    };
    assert_eq!(subscription.to_owned().as_ref(), subscription);
    assert_eq!(
        message(QoS::AtLeastOnce).to_owned().as_ref(),
        message(QoS::AtLeastOnce)
    );
}

#[test]
fn a_message_made_of_a_publish_passes_on_neither_identifier_nor_dup() {
    let message = Message::from(publish());
    assert_eq!((message.qos, message.retain), (QoS::AtLeastOnce, true));
    assert_eq!(message.topic, "a/b");
    assert_eq!(message.payload, b"hi");
}

/// [MQTT5-3.3.2-7]
#[test]
fn a_message_made_of_a_publish_of_mqtt_5_is_without_topic_alias_and_subscription_identifiers() {
    let others = [
        v5::Property::PayloadFormatIndicator(true),
        v5::Property::MessageExpiryInterval(60),
    ];
    let alias = v5::Property::TopicAlias(NonZeroU16::MAX);
    let identifier = v5::Property::SubscriptionIdentifier(7.try_into().unwrap());
    for place in 0..=others.len() {
        let mut properties = others.to_vec();
        properties.insert(place, alias);
        properties.insert(0, identifier);
        let properties = v5::PublishProperties::encode_to_vec(properties).unwrap();
        let message = v5::Message::from(v5::Publish {
            delivery: Delivery::new(QoS::ExactlyOnce, PacketId::MIN, true),
            retain: true,
            topic: TopicName::new("a/b").unwrap(),
            properties: properties.as_ref(),
            payload: b"hi",
        });
        assert_eq!(message.properties.iter().collect::<Vec<_>>(), others);
        assert_eq!((message.qos, message.retain), (QoS::ExactlyOnce, true));
        assert_eq!(
            (message.topic.as_str(), message.payload),
            ("a/b", &b"hi"[..])
        );
    }
}

#[test]
fn events_and_messages_print_as_text() {
    let event = Event::Message(publish());
    assert!(
        format!("{event:?}").contains(r#"payload: b"hi""#),
        "{event:?}"
    );
    let piece = Event::Payload {
        bytes: &b"21.5"[..],
        left: 3,
    };
    assert_eq!(
        format!("{piece:?}"),
        r#"Payload { bytes: b"21.5", left: 3 }"#
    );
    let message = message(QoS::AtMostOnce);
    assert!(
        format!("{message:?}").contains(r#"payload: b"hi""#),
        "{message:?}"
    );
}

#[test]
fn at_qos_0_a_delivery_has_no_identifier_and_no_dup() {
    let delivery = Delivery::new(QoS::AtMostOnce, PacketId::MAX, true);
    assert_eq!(delivery, Delivery::AtMostOnce);
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let delivery = Delivery::new(qos, PacketId::MAX, true);
        assert_eq!(delivery.qos(), qos);
        assert_eq!(delivery.packet_id(), Some(PacketId::MAX));
        assert!(delivery.dup());
    }
}

#[test]
fn errors_are_errors_and_everything_goes_to_other_threads() {
    fn error<E: core::error::Error + Send + Sync + Copy + 'static>() {}
    fn sent<T: Send + Sync>() {}
    error::<DecodeError>();
    error::<EncodeError>();
    error::<TextError>();
    error::<PeerError>();
    error::<HandleError>();
    error::<CommandError>();
    error::<RestoreError>();
    error::<CloseReason>();
    error::<ConnectRefusal>();
    sent::<Decoder<Vec<u8>>>();
    sent::<Client<Vec<Slot>>>();
    sent::<Server<Vec<Slot>>>();
    sent::<Outbox<Message<Vec<u8>>>>();
    assert!(size_of::<DecodeError>() <= 8);
    assert!(size_of::<EncodeError>() <= 8);
    assert!(size_of::<CommandError>() <= 8);
    // The reason contains the limit and the value that exceeded it.
    assert!(size_of::<Action>() <= 12);
}

#[cfg(target_pointer_width = "64")]
#[test]
fn no_packet_needs_more_room_than_a_publish() {
    assert_eq!(size_of::<Publish<&[u8]>>(), 40);
    assert_eq!(size_of::<Packet<&[u8]>>(), 48);
    assert_eq!(size_of::<Option<Packet<&[u8]>>>(), 48);
    assert_eq!(size_of::<Event<&[u8]>>(), 40);
    assert_eq!(size_of::<Step<&[u8]>>(), 48);
}

#[test]
fn can_publish_says_whether_publish_would_have_room() {
    let mut client = connected(Config::new().max_inflight(1));
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        assert!(client.can_publish(qos));
    }
    let mut out = Vec::new();
    client
        .publish(NOW, &message(QoS::AtLeastOnce), &mut out)
        .unwrap();
    assert!(!client.can_publish(QoS::ExactlyOnce));
    assert!(client.can_publish(QoS::AtMostOnce));
    client.handle_transport_closed(NOW);
    assert!(!client.can_publish(QoS::AtMostOnce));
}

#[test]
fn payload_that_the_caller_sends_itself_is_counted_and_not_copied() {
    let mut client = connected(Config::new());
    let header = v3::MessageHeader {
        topic: TopicName::new("firmware").unwrap(),
        payload_len: 1_000,
        qos: QoS::AtMostOnce,
        retain: false,
    };
    let mut out = Vec::new();
    assert_eq!(
        client.payload_sent(NOW, 1),
        Err(CommandError::PayloadTooLong)
    );
    client.publish(NOW, &header, &mut out).unwrap();
    assert_eq!(out.len(), 3 + 2 + 8);
    assert_eq!(client.payload_sent(NOW, 0), Ok(1_000));
    assert_eq!(client.payload_sent(NOW, 600), Ok(400));
    assert_eq!(
        client.payload_sent(NOW, 401),
        Err(CommandError::PayloadTooLong)
    );
    assert!(!client.can_publish(QoS::AtMostOnce));
    assert_eq!(client.payload_sent(NOW, 400), Ok(0));
    assert!(client.can_publish(QoS::AtMostOnce));
}

#[test]
fn progress_puts_off_the_time_limit_for_pingresp_and_nothing_else() {
    let mut client =
        connected(Config::new().ping_timeout(core::time::Duration::from_millis(5_000)));
    let due = client.poll_timeout().unwrap();
    client.handle_progress(NOW.plus_millis(10));
    assert_eq!(
        client.poll_timeout(),
        Some(due),
        "no PINGREQ awaits its PINGRESP"
    );
    client.handle_timeout(due);
    assert!(matches!(client.poll_action(), Some(Action::Transmit(_))));
    assert_eq!(client.poll_timeout(), Some(due.plus_millis(5_000)));
    client.handle_progress(due.plus_millis(4_000));
    assert_eq!(client.poll_timeout(), Some(due.plus_millis(9_000)));
}

#[test]
fn progress_is_a_sign_of_life_of_a_client() {
    let mut server = Server::new(Session::<Vec<Slot>>::default(), Config::new(), NOW);
    server.handle_progress(NOW.plus_millis(9_000));
    assert_eq!(
        server.poll_timeout(),
        Some(NOW.plus_millis(10_000)),
        "not before CONNECT"
    );
    let mut connect = &b"\x10\x0d\0\x04MQTT\x04\x02\0\x02\0\x01c"[..];
    let connect = v3::decode(&mut connect, &Options::new()).unwrap().unwrap();
    server.handle_packet(NOW, connect).unwrap();
    let accepted = NOW.plus_millis(9_000);
    server.accept_new(accepted, &mut Vec::new()).unwrap();
    assert_eq!(server.poll_timeout(), Some(accepted.plus_millis(3_000)));
    server.handle_progress(accepted.plus_millis(2_000));
    assert_eq!(server.poll_timeout(), Some(accepted.plus_millis(5_000)));
}

#[test]
fn an_accept_that_fails_leaves_the_session_with_the_caller() {
    let mut server = Server::new(Session::<Vec<Slot>>::default(), Config::new(), NOW);
    let mut kept = Session::<Vec<Slot>>::default();
    assert!(kept.apply(Change::InboundReceived(PacketId::MIN)));
    assert_eq!(
        server.accept_resumed(NOW, &mut kept, &mut Vec::new()),
        Err(CommandError::NotConnected)
    );
    assert_eq!(kept.inbound().count(), 1);
}

#[test]
fn qos_prints_and_converts_to_its_number() {
    let numbers: BTreeSet<u8> = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]
        .into_iter()
        .map(u8::from)
        .collect();
    assert_eq!(numbers, BTreeSet::from([0, 1, 2]));
    assert_eq!(QoS::ExactlyOnce.to_string(), "2");
}

/// The `Debug` output of the defaults contains every limit, so a limit that SECURITY.md omits, or
/// lists with another default, is found.
#[test]
fn the_limits_in_security_md_are_those_that_there_are() {
    let security = include_str!("../SECURITY.md");
    let documented: BTreeSet<(String, u32)> = security
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            let limit = cells.next()?.trim_end_matches('`').to_owned();
            Some((limit, cells.next()?.parse().ok()?))
        })
        .collect();
    let mut defaults = BTreeSet::new();
    for shown in [
        format!("{:?}", Options::new()),
        format!("{:?}", Config::new()),
    ] {
        let (name, fields) = shown.split_once(" { ").unwrap();
        for field in fields.trim_end_matches(" }").split(", ") {
            let (field, value) = field.split_once(": ").unwrap();
            // Switches are not limits.
            if field != "leniency" && value != "false" {
                defaults.insert((format!("{name}::{field}"), value.parse().unwrap()));
            }
        }
    }
    assert_eq!(documented, defaults);
    assert_eq!(defaults.len(), 7);
}

/// Each of them violates [MQTT-4.8.0-1], most also a more specific statement. A limit of this side
/// violates none.
#[test]
fn each_fault_of_a_peer_names_the_statement_that_it_breaks() {
    let malformed = v3::decode(&mut &b"\x60\x02\0\x01"[..], &Options::new()).unwrap_err();
    let packet_id = PacketId::MIN;
    for (fault, statement) in [
        (PeerError::from(malformed), malformed.statement()),
        (
            PeerError::Protocol(ProtocolError::Unexpected(PacketType::ConnAck)),
            Some("MQTT-4.8.0-1"),
        ),
        (
            PeerError::Protocol(ProtocolError::SecondConnect),
            Some("MQTT-3.1.0-2"),
        ),
        (
            PeerError::Protocol(ProtocolError::SessionPresent),
            Some("MQTT-3.2.2-1"),
        ),
        (
            PeerError::Protocol(ProtocolError::WrongAcknowledgement {
                packet_type: PacketType::PubAck,
                packet_id,
            }),
            Some("MQTT-4.8.0-1"),
        ),
        (
            PeerError::Protocol(ProtocolError::NoSuchRequest {
                packet_type: PacketType::SubAck,
                packet_id,
            }),
            Some("MQTT-2.3.1-7"),
        ),
        (
            PeerError::Protocol(ProtocolError::WrongNumberOfReturnCodes),
            Some("MQTT-3.8.4-5"),
        ),
        (
            PeerError::Protocol(ProtocolError::PacketIdInUse(packet_id)),
            Some("MQTT-2.3.1-2"),
        ),
    ] {
        assert_eq!(fault.statement(), statement, "{fault:?}");
    }
    assert_eq!(malformed.statement(), Some("MQTT-3.6.1-1"));
}

/// The statements of MQTT 5. A rule without a number has none.
#[test]
fn each_fault_of_a_peer_at_mqtt_5_names_the_statement_that_it_breaks() {
    let packet_id = PacketId::MIN;
    let packet_type = PacketType::PubAck;
    for (fault, statement) in [
        (ProtocolError::SecondConnect, "MQTT-3.1.0-2"),
        (ProtocolError::SecondConnAck { code: 0 }, "MQTT-3.2.0-2"),
        (ProtocolError::SessionPresent, "MQTT-3.2.2-4"),
        (ProtocolError::WrongNumberOfReturnCodes, "MQTT-3.8.4-6"),
        (ProtocolError::PacketIdInUse(packet_id), "MQTT-2.2.1-3"),
        (
            ProtocolError::NoSuchRequest {
                packet_type,
                packet_id,
            },
            "MQTT-2.2.1-6",
        ),
        (
            ProtocolError::WrongAcknowledgement {
                packet_type,
                packet_id,
            },
            "MQTT-2.2.1-5",
        ),
        (ProtocolError::ReceiveMaximumExceeded, "MQTT-4.9.0-2"),
        (ProtocolError::QosNotSupported, "MQTT-3.2.2-11"),
        (ProtocolError::RetainNotSupported, "MQTT-3.2.2-14"),
        (ProtocolError::SubscriptionIdentifier, "MQTT-3.3.4-6"),
        (ProtocolError::ProblemInformation, "MQTT-3.1.2-29"),
        (ProtocolError::AuthenticationMethod, "MQTT-4.12.0-5"),
        (
            ProtocolError::Unexpected(PacketType::Disconnect),
            "MQTT-3.14.0-1",
        ),
    ] {
        let error = v5::PeerError::Protocol(fault);
        assert_eq!(error.statement(), Some(statement), "{fault:?}");
    }
    let error = v5::PeerError::Protocol(ProtocolError::Unexpected(PacketType::PingReq));
    assert_eq!(error.statement(), None);
}

/// A driver that uses `decode_in_pieces` gets whole packets in the same way.
#[test]
fn a_whole_packet_among_pieces_is_dealt_with_like_any_other() {
    let mut client = connected(Config::default());
    let mut decoder = Decoder::new([0; 16]);
    let mut input = &b"\x62\x02\0\x07"[..];
    let piece = decoder.decode_in_pieces(&mut input).unwrap().unwrap();
    assert_eq!(client.handle_piece(NOW, piece), Ok(None));
    let Some(Action::Transmit(pubcomp)) = client.poll_action() else {
        panic!("no PUBCOMP");
    };
    assert_eq!(AsRef::<[u8]>::as_ref(&pubcomp), b"\x70\x02\0\x07");
}

/// A reference to an output is an output, with the same chunks.
#[test]
fn a_packet_is_written_the_same_through_a_reference_to_an_output() {
    let mut direct = [0; 64];
    let mut by_reference = [0; 64];
    let mut out = SliceOutput::new(&mut direct);
    publish().encode(&mut out).unwrap();
    let mut inner = SliceOutput::new(&mut by_reference);
    let mut outer: &mut SliceOutput<'_> = &mut inner;
    publish().encode(&mut outer).unwrap();
    assert_eq!(inner.written(), out.written());
    assert_eq!(inner.written().len(), 11);
}

#[test]
fn a_request_with_one_filter_is_the_request_with_a_list_of_one() {
    let filter = TopicFilter::new("a/+").unwrap();
    let [mut one, mut list] = [(); 2].map(|()| (connected(Config::new()), Vec::new()));
    let (client, out) = &mut one;
    client
        .subscribe_to(NOW, &filter, QoS::ExactlyOnce, out)
        .unwrap();
    client.unsubscribe_from(NOW, &filter, out).unwrap();
    let (client, out) = &mut list;
    let subscription = Subscription {
        topic_filter: filter,
        qos: QoS::ExactlyOnce,
    };
    let subscriptions = v3::Subscriptions::encode_to_vec([subscription]).unwrap();
    client.subscribe(NOW, &subscriptions, out).unwrap();
    let filters = v3::TopicFilters::encode_to_vec([filter]).unwrap();
    client.unsubscribe(NOW, &filters, out).unwrap();
    assert_eq!(one.1, b"\x82\x08\0\x01\0\x03a/+\x02\xa2\x07\0\x02\0\x03a/+");
    assert_eq!(one.1, list.1);
}

#[test]
fn a_request_of_mqtt_5_with_one_filter_is_the_request_with_a_list_of_one() {
    let filter = TopicFilter::new("a/+").unwrap();
    let [mut one, mut list] = [(); 2].map(|()| {
        let mut client = v5::Client::new(Session::<Vec<Slot>>::default(), Config::new(), NOW);
        let connect = v5::Connect::new(Text::new("c").unwrap());
        client.connect(NOW, &connect, &mut Vec::new()).unwrap();
        let connack = v5::decode(&mut &b"\x20\x03\0\0\0"[..], &Options::new());
        client
            .handle_packet(NOW, connack.unwrap().unwrap())
            .unwrap();
        (client, Vec::new())
    });
    let (client, out) = &mut one;
    client
        .subscribe_to(NOW, &filter, QoS::ExactlyOnce, out)
        .unwrap();
    client.unsubscribe_from(NOW, &filter, out).unwrap();
    let (client, out) = &mut list;
    let subscription = v5::Subscription::new(filter, QoS::ExactlyOnce);
    let subscriptions = v5::Subscriptions::encode_to_vec([subscription]).unwrap();
    client.subscribe(NOW, &subscriptions, out).unwrap();
    let filters = v5::TopicFilters::encode_to_vec([filter]).unwrap();
    client.unsubscribe(NOW, &filters, out).unwrap();
    assert_eq!(
        one.1,
        b"\x82\x09\0\x01\0\0\x03a/+\x02\xa2\x08\0\x02\0\0\x03a/+"
    );
    assert_eq!(one.1, list.1);
}
