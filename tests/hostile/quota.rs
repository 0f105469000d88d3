//! Receive Maximum of MQTT 5, exceeded by one and by all, and PUBREC with errors.

use std::num::NonZeroU16;

use mqtt_sansio::v5::{Property, PubAckReasonCode};
use mqtt_sansio::{CommandError, PacketType, ProtocolError};

use crate::agreed::{NO_LIMIT, agreed};
use crate::conversation::id;
use crate::identifiers::bytes_for;
use crate::*;

fn receive_maximum(messages: u16) -> Property<'static> {
    Property::ReceiveMaximum(NonZeroU16::new(messages).unwrap())
}

// Receive Maximum

for_both_roles_of_mqtt_5! {
    /// [MQTT5-3.3.4-7, MQTT5-3.3.4-9]: exceeded by one message, then by all identifiers.
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
                    // A resent message does not count twice.
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

    /// Each acknowledgement releases its place in the quota, also an error [MQTT5-4.9.0-1].
    fn messages_that_come_and_go_never_exceed_receive_maximum<R>() {
        let manual = CONFIG.manual_acknowledgement(true);
        let mut us = agreed::<R>(manual, &[receive_maximum(2)], NO_LIMIT);
        assert_eq!(deal(&mut us, &publish(QOS_2, 60_000)), Dealt::TOLD);
        let mut round = |number: u16| {
            let first = if number % 2 == 0 { QOS_1 } else { QOS_2 };
            assert_eq!(deal(&mut us, &publish(first, number)), Dealt::TOLD);
            let ack = us.acknowledgement(id(number)).unwrap();
            us.acknowledge_with(ack, PubAckReasonCode::QuotaExceeded).unwrap();
            // The acknowledgement waits for that of the first message.
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

    /// A peer with Receive Maximum 1 receives one message at a time, however it answers: a second
    /// acknowledgement releases nothing [MQTT5-4.9.0-2].
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
    /// A refused message needs no release, so no PUBREL is sent.
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

    /// [MQTT5-4.3.3-4]: before PUBREL and after it, with one event.
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

    /// For a QoS 1 message PUBREC is the wrong acknowledgement, also with an error.
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
