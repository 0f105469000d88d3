//! Limits of MQTT 5 that CONNECT and CONNACK have announced, at their edges and beyond: Receive Maximum,
//! Topic Alias Maximum, Maximum Packet Size; PUBREC with errors; AUTH without end.

use std::num::{NonZeroU16, NonZeroU32};

use mqtt_sansio::v5::{
    AliasArray, AliasVec, Auth, AuthProperties, AuthReasonCode, Client, ConnAckProperties,
    ConnectProperties, Event, Packet, Property, PubAckReasonCode, Server, TopicAliases,
    WithTopicAliases,
};
use mqtt_sansio::{Blocked, Buffer, CommandError, Limit, PacketType, ProtocolError, Step, Text};

use crate::bytes::refusal;
use crate::common::frame;
use crate::conversation::{fresh, id};
use crate::identifiers::bytes_for;
use crate::properties::with_properties;
use crate::sides::only;
use crate::*;

const NO_LIMIT: &[Property<'_>] = &[];

/// A role of MQTT 5 whose connection begins with properties.
pub(crate) trait Agrees: Role + Sized {
    fn agree(
        config: Config,
        ours: &[Property<'_>],
        theirs: &[Property<'_>],
    ) -> Connection<V5, Self, Counted>;
}

/// A connection on which each side has announced this. The session is kept.
pub(crate) fn agreed<R: Agrees>(
    config: Config,
    ours: &[Property<'_>],
    theirs: &[Property<'_>],
) -> Connection<V5, R, Counted> {
    R::agree(config, ours, theirs)
}

fn connect_with(properties: &[Property<'_>]) -> Vec<u8> {
    let kept = [Property::SessionExpiryInterval(u32::MAX)];
    let all = kept.iter().chain(properties).copied();
    let properties = ConnectProperties::encode_to_vec(all).unwrap();
    with_properties(0x10, properties.as_bytes(), b"")
}

/// A server that has CONNECT with these properties, and has not answered.
pub(crate) fn requested(config: Config, theirs: &[Property<'_>]) -> Server<Counted> {
    let mut us = Server::new(fresh(), config, ms(0));
    assert!(deal(&mut us, &connect_with(theirs)).told);
    us
}

impl Agrees for ServerRole {
    fn agree(config: Config, ours: &[Property<'_>], theirs: &[Property<'_>]) -> Server<Counted> {
        let mut us = requested(config, theirs);
        let properties = ConnAckProperties::encode_to_vec(ours.iter().copied()).unwrap();
        us.accept_new_with(ms(0), &properties, &mut Vec::new())
            .unwrap();
        us
    }
}

impl Agrees for ClientRole {
    fn agree(config: Config, ours: &[Property<'_>], theirs: &[Property<'_>]) -> Client<Counted> {
        let mut us = Client::new(fresh(), config, ms(0));
        let connect = connect_with(ours);
        let Packet::Connect(connect) = only::<V5>(&connect) else {
            panic!("not a CONNECT");
        };
        let connect = connect.to_connect();
        us.connect(ms(0), &connect, &mut Vec::new()).unwrap();
        let properties = ConnAckProperties::encode_to_vec(theirs.iter().copied()).unwrap();
        let connack = with_properties(0x20, properties.as_bytes(), b"");
        assert!(deal(&mut us, &connack).told);
        us
    }
}

fn receive_maximum(messages: u16) -> Property<'static> {
    Property::ReceiveMaximum(NonZeroU16::new(messages).unwrap())
}

// Receive Maximum

for_both_roles_of_mqtt_5! {
    /// [MQTT5-3.3.4-7, MQTT5-3.3.4-9]: by one, and then by all that there are.
    fn messages_beyond_receive_maximum_end_the_connection<R>() {
        for maximum in [1, 2, 100, 65_534] {
            for (config, first, answer) in [
                (CONFIG, QOS_2, Some(pubrec as fn(u16) -> Sent)),
                (CONFIG.manual_acknowledgement(true), QOS_1, None),
                (CONFIG.manual_acknowledgement(true), QOS_2, None),
            ] {
                let mut us = agreed::<R>(config, &[receive_maximum(maximum)], NO_LIMIT);
                let error = PeerError::Protocol(ProtocolError::ReceiveMaximumExceeded);
                let held = heap(|| {
                    for number in 1..=maximum {
                        let taken = answer.map_or(Dealt::TOLD, |answer| told_and_answered(answer(number)));
                        assert_eq!(deal(&mut us, &publish(first, number)), taken);
                    }
                    // What is sent again takes no second place.
                    let again = answer.map_or(Dealt::NOTHING, |answer| answered(answer(maximum)));
                    assert_eq!(deal(&mut us, &publish(first | DUP, maximum)), again);
                    assert!(deal(&mut us, &publish(QOS_0, 0)).told);
                    for number in maximum + 1..=u16::MAX {
                        let dealt = deal(&mut us, &publish(first, number));
                        let expected = if number == maximum + 1 { closed_for(error) } else { ended() };
                        assert_eq!(dealt, expected, "{number}");
                    }
                });
                assert!(held.bytes_max <= bytes_for(u64::from(maximum)), "{maximum}: {held:?}");
            }
        }
    }

    /// Each message that is acknowledged gives its place back, also by an error [MQTT5-4.9.0-1].
    fn messages_that_come_and_go_never_exceed_receive_maximum<R>() {
        let manual = CONFIG.manual_acknowledgement(true);
        let mut us = agreed::<R>(manual, &[receive_maximum(2)], NO_LIMIT);
        assert_eq!(deal(&mut us, &publish(QOS_2, 60_000)), Dealt::TOLD);
        let mut round = |number: u16| {
            let first = if number % 2 == 0 { QOS_1 } else { QOS_2 };
            assert_eq!(deal(&mut us, &publish(first, number)), Dealt::TOLD);
            let ack = us.acknowledgement(id(number)).unwrap();
            us.acknowledge_with(ack, PubAckReasonCode::QuotaExceeded).unwrap();
            // It waits for the one that came first.
            assert_eq!(us.poll_action(), None);
        };
        round(1);
        let ack = us.acknowledgement(id(60_000)).unwrap();
        us.acknowledge(ack).unwrap();
        while us.poll_action().is_some() {}
        assert_eq!(deal(&mut us, &pubrel(60_000)), answered(pubcomp(60_000)));
        let held = heap(|| {
            for number in 2..=50_000 {
                let first = if number % 2 == 0 { QOS_1 } else { QOS_2 };
                let answer = if number % 2 == 0 { puback(number) } else { pubrec(number) };
                assert_eq!(deal(&mut us, &publish(first, number)), Dealt::TOLD);
                let ack = us.acknowledgement(id(number)).unwrap();
                us.acknowledge_with(ack, PubAckReasonCode::QuotaExceeded).unwrap();
                assert_eq!(carry_out(&mut us, false, None), answered(answer.with_code(0x97)));
            }
        });
        assert_eq!(held.count_total, 0);
        assert!(us.session().is_empty());
    }

    /// The peer that takes one message at a time gets one at a time, however it answers: a second
    /// acknowledgement gives no second place [MQTT5-4.9.0-2].
    fn no_acknowledgement_gives_more_places_than_there_are_messages<R>() {
        let mut us = agreed::<R>(CONFIG, NO_LIMIT, &[receive_maximum(1)]);
        let mut out = Vec::with_capacity(64);
        let publish = |us: &mut Connection<V5, R, Counted>, out: &mut Vec<u8>| {
            out.clear();
            us.publish(ms(0), &V5::message(QoS::ExactlyOnce), out)
        };
        let mut given = publish(&mut us, &mut out).unwrap().unwrap().get();
        let held = heap(|| {
            for _ in 0..20_000 {
                let full = Err(CommandError::WindowFull);
                for other in [given % 60_000 + 1, given % 60_000 + 2] {
                    for flood in [pubrec(other).with_code(0x97), puback(other), pubcomp(other)] {
                        assert_eq!(deal(&mut us, &flood), Dealt::NOTHING);
                    }
                    assert_eq!(publish(&mut us, &mut out), full);
                }
                assert!(deal(&mut us, &pubrec(given).with_code(0x97)).told);
                assert_eq!(deal(&mut us, &pubrec(given).with_code(0x97)), Dealt::NOTHING);
                given = publish(&mut us, &mut out).unwrap().unwrap().get();
                assert_eq!(publish(&mut us, &mut out), full);
            }
        });
        assert_eq!(held.count_total, 0);
    }
}

// PUBREC with errors

/// The Reason Codes of PUBREC from 0x80 on.
const ERRORS: [u8; 7] = [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];

for_both_roles_of_mqtt_5! {
    /// There is nothing to release, so there is no PUBREL.
    fn pubrec_with_an_error_for_every_identifier_there_is_leads_to_nothing<R>() {
        let mut us = agreed::<R>(CONFIG, NO_LIMIT, NO_LIMIT);
        let before = format!("{us:?}");
        let held = heap(|| {
            for number in scattered() {
                let code = ERRORS[usize::from(number) % ERRORS.len()];
                let count = accesses(|| {
                    assert_eq!(deal(&mut us, &pubrec(number).with_code(code)), Dealt::NOTHING);
                });
                assert!(count <= 40, "{count}");
            }
        });
        assert_eq!(held.count_total, 0);
        assert_eq!(format!("{us:?}"), before);
    }

    /// [MQTT5-4.3.3-4]: before PUBREL and after it, told once.
    fn pubrec_with_an_error_ends_the_exchange_once<R>() {
        for (code, is_released) in ERRORS.into_iter().flat_map(|code| [(code, false), (code, true)]) {
            let mut us = agreed::<R>(CONFIG, NO_LIMIT, NO_LIMIT);
            us.publish(ms(0), &V5::message(QoS::ExactlyOnce), &mut Vec::new()).unwrap();
            if is_released {
                assert_eq!(deal(&mut us, &pubrec(1)), told_and_answered(pubrel(1)));
            }
            assert_eq!(deal(&mut us, &pubrec(1).with_code(code)), Dealt::TOLD);
            assert!(us.session().is_empty());
            let held = heap(|| {
                for _ in 0..1000 {
                    assert_eq!(deal(&mut us, &pubrec(1).with_code(code)), Dealt::NOTHING);
                    assert_eq!(deal(&mut us, &pubcomp(1)), Dealt::NOTHING);
                }
            });
            assert_eq!(held.count_total, 0);
        }
    }

    /// For a message at QoS 1 it is the wrong acknowledgement, with an error too.
    fn pubrec_with_an_error_for_a_message_at_qos_1_ends_the_connection<R>() {
        let mut us = agreed::<R>(CONFIG, NO_LIMIT, NO_LIMIT);
        us.publish(ms(0), &V5::message(QoS::AtLeastOnce), &mut Vec::new()).unwrap();
        let error = PeerError::Protocol(ProtocolError::WrongAcknowledgement {
            packet_type: PacketType::PubRec,
            packet_id: id(1),
        });
        assert_eq!(deal(&mut us, &pubrec(1).with_code(0x97)), closed_for(error));
    }
}

// Topic Aliases

/// PUBLISH at QoS 0 to this topic, which may be empty, with this Topic Alias.
fn aliased(topic: &[u8], alias: u16) -> Vec<u8> {
    let len = u16::try_from(topic.len()).unwrap().to_be_bytes();
    frame(
        0x30,
        &[&len, topic, b"\x03\x23", &alias.to_be_bytes()].concat(),
    )
}

/// What `receive` makes of one packet, which comes whole or in single bytes.
fn receive<R: Role, M: Buffer>(
    us: &mut Connection<V5, R, Counted>,
    decoder: &mut StreamDecoder<V5, M>,
    packet: &[u8],
    part: usize,
    mut message: impl FnMut(&[u8]),
) -> Dealt<V5> {
    let mut dealt = Dealt::NOTHING;
    for mut part in packet.chunks(part) {
        loop {
            match us.receive(ms(0), decoder, &mut part).unwrap() {
                Some(Step::Event(Event::Message(publish))) => {
                    message(publish.topic.as_bytes());
                    dealt.told = true;
                }
                Some(Step::Event(event)) => panic!("{event:?}"),
                Some(Step::Action(action)) => {
                    dealt.actions += 1;
                    match action {
                        Action::Transmit(reply) => dealt.sent = Some(Sent::of(reply.as_ref())),
                        Action::Close(reason) => dealt.closed = Some(reason),
                        other => panic!("{other:?}"),
                    }
                }
                None => break,
            }
        }
    }
    dealt
}

fn with_aliases<T: TopicAliases>(
    options: Options,
    aliases: T,
) -> StreamDecoder<V5, WithTopicAliases<Vec<u8>, T>> {
    StreamDecoder::with_options(WithTopicAliases::new(Vec::new(), aliases), options)
}

/// The end of a connection, as `receive` shows it.
fn received_end(error: PeerError<V5>) -> Dealt<V5> {
    Dealt {
        error: None,
        ..closed_for(error)
    }
}

for_both_roles_of_mqtt_5! {
    /// [MQTT5-3.3.2-8, MQTT5-3.3.2-9, MQTT5-3.3.2-10, MQTT5-3.3.2-11, MQTT5-3.3.2-12]
    fn topic_aliases_are_taken_up_to_the_maximum_and_no_further<R>() {
        for maximum in [1, 2, 4096, 65_534] {
            for part in [1, usize::MAX] {
                let ours = [Property::TopicAliasMaximum(maximum)];
                let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
                let mut decoder = with_aliases(Options::new(), AliasVec::new(maximum));
                for alias in [1, maximum] {
                    for topic in [&b"t"[..], b""] {
                        let packet = aliased(topic, alias);
                        let dealt = receive(&mut us, &mut decoder, &packet, part, |it| assert_eq!(it, b"t"));
                        assert_eq!(dealt, Dealt::TOLD);
                    }
                }
                let packet = aliased(b"t", maximum + 1);
                let error = PeerError::Protocol(ProtocolError::TopicAliasInvalid);
                let dealt = receive(&mut us, &mut decoder, &packet, part, |_| panic!("a message"));
                assert_eq!(dealt, received_end(error));
            }
        }
    }

    /// Without a Topic Alias Maximum there is none; and one of 0 never.
    fn a_topic_alias_that_was_not_agreed_on_ends_the_connection<R>() {
        for alias in [1, 2, 65_535] {
            let mut us = agreed::<R>(CONFIG, NO_LIMIT, NO_LIMIT);
            let mut decoder = with_aliases(Options::new(), AliasVec::new(u16::MAX));
            let error = PeerError::Protocol(ProtocolError::TopicAliasInvalid);
            let held = heap(|| {
                let packet = aliased(b"t", alias);
                let dealt = receive(&mut us, &mut decoder, &packet, usize::MAX, |_| panic!("a message"));
                assert_eq!(dealt, received_end(error));
            });
            // The packet itself.
            assert!(held.bytes_max <= 64, "{held:?}");
        }
        let error = refusal::<V5>(&aliased(b"t", 0), &Options::new());
        assert_eq!(error.reason_code().number(), 0x94);
    }

    /// A Topic Alias without a Topic Name that has none yet, and one in the name of another.
    fn a_topic_alias_that_stands_for_nothing_ends_the_connection<R>() {
        let ours = [Property::TopicAliasMaximum(65_535)];
        for alias in [1, 3, 65_535] {
            let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
            let mut decoder = with_aliases(Options::new(), AliasVec::new(65_535));
            let told = receive(&mut us, &mut decoder, &aliased(b"t", 2), usize::MAX, |_| ());
            assert_eq!(told, Dealt::TOLD);
            let error = PeerError::Protocol(ProtocolError::TopicAliasUnknown);
            let dealt = receive(&mut us, &mut decoder, &aliased(b"", alias), usize::MAX, |_| ());
            assert_eq!(dealt, received_end(error));
        }
    }

    /// Topic Aliases that change with every packet: what is held are the last names.
    fn topic_aliases_that_change_with_each_packet_take_the_memory_of_their_names<R>() {
        const MAXIMUM: u16 = 16;
        let ours = [Property::TopicAliasMaximum(MAXIMUM)];
        let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
        let packets: Vec<Vec<u8>> = (0..64_u8)
            .map(|number| aliased(&vec![b'a' + number % 26; 60_000], 1 + u16::from(number) % MAXIMUM))
            .collect();
        let mut decoder = with_aliases(Options::new(), AliasVec::new(MAXIMUM));
        let held = heap(|| {
            for packet in &packets {
                assert_eq!(receive(&mut us, &mut decoder, packet, usize::MAX, |_| ()), Dealt::TOLD);
            }
        });
        // The names, one more while it takes the place of another, and the table.
        let names = (u64::from(MAXIMUM) + 1) * 60_000;
        assert!(held.bytes_max <= names + 64 * u64::from(MAXIMUM), "{held:?}");
        assert!(held.count_total < 64 + 8, "{held:?}");
    }

    /// The table of all of them, for one packet: 16 bytes for each alias that was announced.
    fn the_last_topic_alias_alone_takes_no_more_than_the_table<R>() {
        let ours = [Property::TopicAliasMaximum(65_535)];
        let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
        let mut decoder = with_aliases(Options::new(), AliasVec::new(65_535));
        let packet = aliased(b"t", 65_535);
        let held = heap(|| {
            for _ in 0..1000 {
                assert_eq!(receive(&mut us, &mut decoder, &packet, usize::MAX, |_| ()), Dealt::TOLD);
            }
        });
        assert!(held.bytes_max <= 65_535 * 16 + 8, "{held:?}");
    }

    /// Without a heap the room is what there is: a name that is too long ends the connection.
    fn topic_aliases_in_an_array_take_nothing_and_end_the_connection_where_it_is_too_small<R>() {
        let ours = [Property::TopicAliasMaximum(8)];
        for (alias, len) in [(8, 33), (1, 60_000), (5, 1)] {
            let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
            let mut decoder = with_aliases(Options::new(), AliasArray::<4, 32>::new());
            let small = aliased(&[b'x'; 32], 4);
            let large = aliased(&vec![b'x'; len], alias);
            let error = PeerError::Protocol(ProtocolError::TopicAliasInvalid);
            let held = heap(|| {
                for _ in 0..1000 {
                    assert_eq!(receive(&mut us, &mut decoder, &small, usize::MAX, |_| ()), Dealt::TOLD);
                }
                assert_eq!(receive(&mut us, &mut decoder, &large, usize::MAX, |_| ()), received_end(error));
            });
            assert_eq!(held.count_total, 0);
        }
    }
}

// Maximum Packet Size

for_both_roles_of_mqtt_5! {
    /// A packet of the size that was announced passes; one byte more is refused at its fixed header,
    /// with 0x95.
    fn packets_larger_than_announced_end_the_connection_at_their_fixed_header<R>() {
        for part in [1, usize::MAX] {
            let maximum = 100;
            let ours = [Property::MaximumPacketSize(NonZeroU32::new(maximum).unwrap())];
            let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
            let options = Options::new().max_packet_size(maximum);
            let mut decoder = with_aliases(options, AliasVec::new(0));
            let [fits, too_large] = [94, 95].map(|len| frame(0x30, &[&b"\0\x01t\0"[..], &vec![b'x'; len]].concat()));
            assert_eq!((fits.len(), too_large.len()), (100, 101));
            assert_eq!(receive(&mut us, &mut decoder, &fits, part, |_| ()), Dealt::TOLD);
            let end = Dealt {
                sent: Some(Sent::of(b"\xe0\x01\x95")),
                closed: Some(CloseReason::LimitExceeded {
                    limit: Limit::PacketSize,
                    value: maximum,
                    actual: 101,
                }),
                actions: 2,
                ..Dealt::NOTHING
            };
            let held = heap(|| {
                assert_eq!(receive(&mut us, &mut decoder, &too_large[..2], part, |_| ()), end);
                for _ in 0..100 {
                    let after = receive(&mut us, &mut decoder, &too_large, usize::MAX, |_| ());
                    assert_eq!(after, Dealt::NOTHING);
                }
            });
            assert_eq!(held.count_total, 0);
        }
    }

    /// Or it is skipped, if it is a message: its payload takes no memory, and the next packet is
    /// handled.
    fn messages_larger_than_announced_are_skipped_without_memory<R>() {
        let ours = [Property::MaximumPacketSize(NonZeroU32::new(100).unwrap())];
        let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
        let options = Options::new().max_packet_size(100).skip_large_messages(true);
        let mut decoder = decoder::<V5>(options);
        let mut stream = frame(0x32, &[&b"\0\x01t\0\x07\0"[..], &vec![b'x'; 300_000]].concat());
        stream.extend(b"\x40\x02\0\x09");
        let mut skipped = 0;
        let held = heap(|| {
            for mut part in stream.chunks(1460) {
                while let Some(step) = us.receive(ms(0), &mut decoder, &mut part).unwrap() {
                    match step {
                        Step::Event(Event::MessageSkipped(header)) => {
                            assert_eq!(header.payload_len, 300_000);
                            skipped += 1;
                        }
                        Step::Action(Action::Transmit(reply)) => {
                            assert_eq!(Sent::of(reply.as_ref()), puback(7));
                            skipped += 1;
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
        });
        assert_eq!(skipped, 2);
        assert!(held.bytes_max <= 100, "{held:?}");
    }

    /// A peer that takes hardly anything gets nothing that is larger, whatever is asked for
    /// [MQTT5-3.1.2-24, MQTT5-3.2.2-15].
    fn nothing_is_sent_that_is_larger_than_the_peer_takes<R>() {
        let theirs = [Property::MaximumPacketSize(NonZeroU32::new(5).unwrap())];
        let mut us = agreed::<R>(CONFIG, NO_LIMIT, &theirs);
        let mut out = Vec::new();
        let refused = us.publish(ms(0), &V5::message(QoS::AtMostOnce), &mut out);
        assert_eq!(refused, Err(CommandError::PacketTooLarge));
        let header = us.publish(ms(0), &V5::header(QoS::ExactlyOnce, 1), &mut out);
        assert_eq!(header, Err(CommandError::PacketTooLarge));
        assert!(out.is_empty());
        for packet in [pubrec(9), pubrel(9)] {
            let sent = deal(&mut us, &packet).sent.unwrap();
            sent.wire::<V5, _>(|bytes| assert!(bytes.len() <= 5, "{bytes:x?}"));
        }
        assert_eq!(deal(&mut us, &publish(QOS_1, 1)), told_and_answered(puback(1)));
        us.disconnect(ms(0), &mut out).unwrap();
        assert_eq!(out, b"\xe0\0");
    }
}

/// Not even CONNACK fits: the connection can only be refused.
#[test]
fn a_client_that_does_not_take_a_connack_is_not_accepted() {
    for maximum in 1..5 {
        let theirs = [Property::MaximumPacketSize(
            NonZeroU32::new(maximum).unwrap(),
        )];
        let mut us = requested(CONFIG, &theirs);
        let mut out = Vec::new();
        let accepted = us.accept_new(ms(0), &mut out);
        assert_eq!(accepted, Err(CommandError::PacketTooLarge));
        let code = mqtt_sansio::v5::ConnectReasonCode::PacketTooLarge;
        us.refuse(ms(0), code, &mut out).unwrap();
        assert!(out.is_empty());
        assert!(matches!(us.poll_action(), Some(Action::Close(_))));
    }
}

// AUTH

const METHOD: [Property<'static>; 1] = [Property::AuthenticationMethod(Text::from_static("m"))];
/// AUTH with Reason Code 0x18 and the method `m`.
const AUTH: &[u8] = b"\xf0\x06\x18\x04\x15\0\x01m";

/// A server whose client wants to be authenticated, and has sent CONNECT.
pub(crate) fn authenticating() -> Server<Counted> {
    let mut us = requested(CONFIG, &METHOD);
    answer(&mut us, AuthReasonCode::ContinueAuthentication).unwrap();
    us
}

/// Sends AUTH.
pub(crate) fn answer<R: Role>(
    us: &mut Connection<V5, R, Counted>,
    reason_code: AuthReasonCode,
) -> Result<(), CommandError> {
    let mut buffer = [0; 8];
    let properties = AuthProperties::encode_to_slice(&mut buffer, METHOD).unwrap();
    let mut out = [0; 16];
    let mut out = mqtt_sansio::SliceOutput::new(&mut out);
    us.auth(
        ms(0),
        &Auth {
            reason_code,
            properties,
        },
        &mut out,
    )
}

/// One AUTH for each of the other side's; and its data, as large as it can be, is not kept.
#[test]
fn auth_again_and_again_is_answered_one_by_one_and_takes_no_memory() {
    let mut us = authenticating();
    let data = [b"\x16\xff\xff", &[b'x'; 65_535][..], b"\x15\0\x01m"].concat();
    let body = [b"\x18\x86\x80\x04", &data[..]].concat();
    let large = frame(0xf0, &body);
    let held = heap(|| {
        for turn in 0..20_000 {
            let auth = if turn % 100 == 0 { &large[..] } else { AUTH };
            assert_eq!(deal(&mut us, &auth), Dealt::TOLD);
            // Nothing else is handled before the answer.
            let early = deal(&mut us, &&b"\xc0\0"[..]);
            assert_eq!(
                early.error,
                Some(HandleError::Blocked(Blocked::AnswerPending))
            );
            answer(&mut us, AuthReasonCode::ContinueAuthentication).unwrap();
        }
    });
    assert_eq!(held.count_total, 0);
    let properties = ConnAckProperties::encode_to_vec(METHOD).unwrap();
    let mut out = Vec::new();
    let early = us.accept_new_with(ms(0), &properties, &mut out);
    assert_eq!(early, Err(CommandError::AuthenticationOrder));
    assert_eq!(deal(&mut us, &AUTH), Dealt::TOLD);
    us.accept_new_with(ms(0), &properties, &mut out).unwrap();
}

/// It has to come in time each time.
#[test]
fn an_auth_that_does_not_come_ends_the_connection_in_time() {
    let mut us = authenticating();
    for turn in 1..=3 {
        let now = turn * 9_999;
        us.handle_timeout(ms(now));
        assert_eq!(us.poll_action(), None);
        assert_eq!(deal_at(&mut us, ms(now), &AUTH), Dealt::TOLD);
        answer(&mut us, AuthReasonCode::ContinueAuthentication).unwrap();
        assert_eq!(us.poll_timeout(), Some(ms(now + 10_000)));
    }
    us.handle_timeout(ms(40_000));
    assert_eq!(
        us.poll_action(),
        Some(Action::Close(CloseReason::ConnectTimeout))
    );
}

for_both_roles_of_mqtt_5! {
    /// [MQTT5-4.12.0-6, MQTT5-4.12.0-7]: in a connection without an Authentication Method.
    fn auth_that_nobody_asked_for_ends_the_connection_and_more_of_them_lead_to_nothing<R>() {
        let error = PeerError::Protocol(ProtocolError::Unexpected(PacketType::Auth));
        let mut us = agreed::<R>(CONFIG, NO_LIMIT, NO_LIMIT);
        assert_eq!(deal(&mut us, &AUTH), closed_for(error));
        let held = heap(|| {
            for _ in 0..1000 {
                assert_eq!(deal(&mut us, &AUTH), ended());
            }
        });
        assert_eq!(held.count_total, 0);
    }

    /// A second AUTH before the first is answered, and one with another method [MQTT5-4.12.0-5].
    fn auth_out_of_turn_or_with_another_method_ends_the_connection<R>() {
        let other = b"\xf0\x06\x18\x04\x15\0\x01n";
        for (packet, error) in [
            (AUTH, ProtocolError::Unexpected(PacketType::Auth)),
            (other, ProtocolError::Unexpected(PacketType::Auth)),
            // Not from this side, or not in this state.
            (b"\xf0\0", ProtocolError::Unexpected(PacketType::Auth)),
        ] {
            let mut us = agreed::<R>(CONFIG, &METHOD, &METHOD);
            assert_eq!(deal(&mut us, &packet), closed_for(error.into()));
        }
    }
}

/// [MQTT5-4.12.0-5]: while AUTH is awaited.
#[test]
fn auth_with_another_method_ends_the_connection() {
    let mut us = authenticating();
    let error = PeerError::Protocol(ProtocolError::AuthenticationMethod);
    let dealt = deal(&mut us, &&b"\xf0\x06\x18\x04\x15\0\x01n"[..]);
    let connack = Some(Sent::of(b"\x20\x03\0\x8c\0"));
    assert_eq!(
        dealt,
        Dealt {
            sent: connack,
            ..closed_for(error)
        }
    );
    assert_eq!(error.statement(), Some("MQTT-4.12.0-5"));
}

/// A client may ask again as often as it likes, one at a time [MQTT5-4.12.1-1].
#[test]
fn re_authentication_again_and_again_takes_no_memory() {
    let mut us = agreed::<ServerRole>(CONFIG, &METHOD, &METHOD);
    let again = &b"\xf0\x06\x19\x04\x15\0\x01m"[..];
    let held = heap(|| {
        for _ in 0..20_000 {
            assert_eq!(deal(&mut us, &again), Dealt::TOLD);
            answer(&mut us, AuthReasonCode::Success).unwrap();
        }
    });
    assert_eq!(held.count_total, 0);
}
