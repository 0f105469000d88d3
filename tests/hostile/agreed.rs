//! Connections of MQTT 5 that begin with properties, and Maximum Packet Size, which each side must
//! respect.

use std::num::NonZeroU32;

use mqtt_sansio::v5::{
    Client, ConnAckProperties, ConnectProperties, ConnectReasonCode, Event, Packet, Property,
    Server,
};
use mqtt_sansio::{Buffer, CommandError, Limit, Step};

use crate::common::frame;
use crate::conversation::fresh;
use crate::dialect::only;
use crate::properties::with_properties;
use crate::*;

pub(crate) const NO_LIMIT: &[Property<'_>] = &[];

/// A role of MQTT 5 whose connection begins with properties.
pub(crate) trait Agrees: Role + Sized {
    fn agree(
        config: Config,
        ours: &[Property<'_>],
        theirs: &[Property<'_>],
    ) -> Connection<V5, Self, Counted>;
}

/// Returns a connection on which each side announced these properties. The session is kept.
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

/// Returns a server that received CONNECT with these properties, and has not answered.
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

/// Returns the result of `receive` for one packet, which arrives whole or in single bytes.
pub(crate) fn receive<R: Role, M: Buffer>(
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

// Maximum Packet Size

for_both_roles_of_mqtt_5! {
    /// A packet of the announced size is accepted; one byte more is refused at its fixed header,
    /// with 0x95.
    fn packets_larger_than_announced_end_the_connection_at_their_fixed_header<R>() {
        for part in [1, usize::MAX] {
            let maximum = 100;
            let ours = [Property::MaximumPacketSize(NonZeroU32::new(maximum).unwrap())];
            let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
            let options = Options::new().max_packet_size(maximum);
            let mut decoder = decoder::<V5>(options);
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

    /// A message may also be skipped: its payload takes no memory, and the next packet is handled.
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

    /// A peer with a small Maximum Packet Size receives no larger packet, whatever the command
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

/// A server with a small Maximum Packet Size: a reply that exceeds it is not sent, and the
/// connection closes.
#[test]
fn an_answer_that_the_server_does_not_take_is_not_sent() {
    for maximum in 1..=5 {
        let theirs = [Property::MaximumPacketSize(
            NonZeroU32::new(maximum).unwrap(),
        )];
        let answers = [
            (pubrec(9).wire::<V5, _>(<[u8]>::to_vec), 5),
            (pubrel(9).wire::<V5, _>(<[u8]>::to_vec), 5),
            (publish(QOS_1, 9).wire::<V5, _>(<[u8]>::to_vec), 4),
            (publish(QOS_2, 9).wire::<V5, _>(<[u8]>::to_vec), 4),
        ];
        for (packet, len) in answers {
            let mut us = agreed::<ClientRole>(CONFIG, NO_LIMIT, &theirs);
            let held = heap(|| {
                let dealt = deal(&mut us, &packet);
                if len <= maximum {
                    assert!(dealt.sent.is_some() && dealt.closed.is_none());
                } else {
                    assert!(dealt.closed.is_some());
                }
                if let Some(sent) = dealt.sent {
                    sent.wire::<V5, _>(|bytes| assert!(bytes.len() <= maximum as usize));
                }
            });
            assert!(held.bytes_max <= 64, "{held:?}");
        }
    }
}

/// If even CONNACK exceeds the limit, the server can only refuse the connection.
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
        let code = ConnectReasonCode::PacketTooLarge;
        us.refuse(ms(0), code, &mut out).unwrap();
        assert!(out.is_empty());
        assert!(matches!(us.poll_action(), Some(Action::Close(_))));
    }
}
