//! One packet, again and again: each is answered or ignored at the same cost, nothing piles up, and
//! the application is not told twice.

use mqtt_sansio::{Blocked, PacketType, ProtocolError, QoS};

use crate::conversation::{self, AsClient, AsServer, id, message};
use crate::*;

const FLOOD: usize = 20_000;

/// The same packet comes many times, with the same outcome and at the same cost each time.
fn flood<P: Peer<Storage = Counted>>(us: &mut P, packet: &[u8], expected: Dealt) {
    let first = accesses(|| assert_eq!(deal(us, packet), expected));
    assert!(first <= 40, "{first}");
    let before = format!("{:?}", us.session());
    let held = heap(|| {
        for _ in 0..FLOOD {
            let count = accesses(|| assert_eq!(deal(us, packet), expected));
            assert_eq!(count, first, "each costs what the first one cost");
        }
    });
    assert_eq!(held.count_total, 0);
    assert_eq!(format!("{:?}", us.session()), before);
}

for_both_roles! {
    fn acknowledgements_for_unknown_identifiers_change_nothing_and_are_answered_where_the_peer_needs_it<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        flood(&mut us, &puback(9), NOTHING);
        flood(&mut us, &pubcomp(9), NOTHING);
        flood(&mut us, &pubrec(9), answered(pubrel(9)));
        flood(&mut us, &pubrel(9), answered(pubcomp(9)));
    }

    /// The same with all 65,535 of them, and a session that has none.
    fn acknowledgements_for_every_identifier_there_is_take_no_slot<Us>() {
        let mut us = connected::<Us>(CONFIG);
        let held = heap(|| {
            for number in scattered() {
                assert_eq!(deal(&mut us, &puback(number)), NOTHING);
                assert_eq!(deal(&mut us, &pubcomp(number)), NOTHING);
                assert_eq!(deal(&mut us, &pubrec(number)), answered(pubrel(number)));
                assert_eq!(deal(&mut us, &pubrel(number)), answered(pubcomp(number)));
            }
        });
        assert_eq!(held.count_total, 0);
        assert!(us.session().is_empty());
    }

    /// [MQTT-4.3.3-2]: delivered once, however often it is sent again.
    fn a_qos_2_message_that_is_sent_again_and_again_is_delivered_once<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        let first = deal(&mut us, &publish(QOS_2, 7));
        assert_eq!(first, Dealt { told: true, ..answered(pubrec(7)) });
        flood(&mut us, &publish(QOS_2 | DUP, 7), answered(pubrec(7)));
        flood(&mut us, &publish(QOS_2, 7), answered(pubrec(7)));
    }

    fn a_message_that_awaits_the_application_is_not_told_again<Us>() {
        let mut us = connected_with::<Us>(CONFIG.manual_acknowledgement(true), 64);
        for (first, number) in [(QOS_1, 7), (QOS_2, 8)] {
            assert_eq!(deal(&mut us, &publish(first, number)), TOLD);
            flood(&mut us, &publish(first | DUP, number), NOTHING);
        }
    }

    /// Without a memory of it there is nothing to hold: each is a message of its own.
    fn a_qos_1_message_that_is_sent_again_and_again_takes_no_slot<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        let each = Dealt { told: true, ..answered(puback(7)) };
        flood(&mut us, &publish(QOS_1 | DUP, 7), each);
        flood(&mut us, &publish(QOS_1, 7), each);
    }

    /// [MQTT-2.3.1-2]
    fn a_second_message_with_the_identifier_of_one_that_is_not_done_ends_the_connection<Us>() {
        for (held, second) in [(QOS_2, QOS_1), (QOS_2, QOS_1 | DUP)] {
            let mut us = connected::<Us>(CONFIG);
            assert!(deal(&mut us, &publish(held, 7)).told);
            let error = PeerError::Protocol(ProtocolError::PacketIdInUse(id(7)));
            assert_eq!(deal(&mut us, &publish(second, 7)), closed_for(error));
            assert_eq!(error.statement(), Some("MQTT-2.3.1-2"));
        }
    }

    /// PUBREC for a message that has been released: PUBREL each time, and told once.
    fn pubrec_that_is_sent_again_and_again_is_answered_with_pubrel<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        us.publish(ms(0), &message(QoS::ExactlyOnce, ""), &mut Vec::new()).unwrap();
        let first = deal(&mut us, &pubrec(1));
        assert_eq!(first, Dealt { told: true, ..answered(pubrel(1)) });
        flood(&mut us, &pubrec(1), answered(pubrel(1)));
    }

    /// Whatever comes after the end is refused, and the end is said once.
    fn after_the_end_a_flood_leads_to_nothing<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        let mut out = Vec::new();
        us.publish(ms(0), &message(QoS::AtLeastOnce, ""), &mut out).unwrap();
        let error = PeerError::Protocol(ProtocolError::WrongAcknowledgement {
            packet_type: PacketType::PubRec,
            packet_id: id(1),
        });
        assert_eq!(deal(&mut us, &pubrec(1)), closed_for(error));
        assert_eq!(error.statement(), Some("MQTT-4.8.0-1"));
        let ended = Dealt { error: Some(HandleError::Ended), ..NOTHING };
        for packet in [&pubrec(1)[..], &puback(1), &publish(QOS_2, 7), b"\xc0\0", b"\xd0\0"] {
            flood(&mut us, packet, ended);
        }
    }
}

/// [MQTT-3.12.4-1]
#[test]
fn each_pingreq_of_a_flood_is_answered_with_one_pingresp() {
    let mut us = connected_with::<AsServer>(CONFIG, 64);
    flood(&mut us, b"\xc0\0", answered([0xd0, 0, 0, 0]));
}

#[test]
fn a_flood_of_pingresp_that_nobody_asked_for_changes_nothing() {
    let mut us = connected_with::<AsClient>(CONFIG, 64);
    flood(&mut us, b"\xd0\0", NOTHING);
}

/// Only the first CONNACK is one.
#[test]
fn a_second_connack_ends_the_connection_and_more_of_them_lead_to_nothing() {
    for connack in [b"\x20\x02\0\0", b"\x20\x02\x01\0", b"\x20\x02\0\x05"] {
        let mut us = connected_with::<AsClient>(CONFIG, 64);
        let error = PeerError::Protocol(ProtocolError::SecondConnAck { code: connack[3] });
        assert_eq!(deal(&mut us, connack), closed_for(error));
        let ended = Dealt {
            error: Some(HandleError::Ended),
            ..NOTHING
        };
        flood(&mut us, connack, ended);
    }
}

/// [MQTT-3.1.0-2]
#[test]
fn a_second_connect_ends_the_connection_and_more_of_them_lead_to_nothing() {
    let connect = conversation::connect_bytes(true, 0);
    let mut us = connected_with::<AsServer>(CONFIG, 64);
    assert_eq!(
        deal(&mut us, &connect),
        closed_for(PeerError::Protocol(ProtocolError::SecondConnect))
    );
    let ended = Dealt {
        error: Some(HandleError::Ended),
        ..NOTHING
    };
    flood(&mut us, &connect, ended);
}

/// [MQTT-2.3.1-7, MQTT-3.8.4-5]: answers to requests that were not made, or not like this.
#[test]
fn answers_to_requests_that_were_not_made_end_the_connection() {
    let no_such = |packet_type| {
        PeerError::Protocol(ProtocolError::NoSuchRequest {
            packet_type,
            packet_id: id(1),
        })
    };
    for (packet, error, statement) in [
        (
            &b"\x90\x03\0\x01\0"[..],
            no_such(PacketType::SubAck),
            "MQTT-2.3.1-7",
        ),
        (
            b"\xb0\x02\0\x01",
            no_such(PacketType::UnsubAck),
            "MQTT-2.3.1-7",
        ),
    ] {
        let mut us = connected::<AsClient>(CONFIG);
        assert_eq!(deal(&mut us, packet), closed_for(error));
        assert_eq!(error.statement(), Some(statement));
    }
    for codes in [0, 2, 3, 60_000] {
        let mut us = connected::<AsClient>(CONFIG);
        let list = conversation::subscriptions(&["a"]);
        us.subscribe(ms(0), &list, &mut Vec::new()).unwrap();
        let suback = common::frame(0x90, &[vec![0, 1], vec![0; codes]].concat());
        if codes == 0 {
            let error = v3::decode(&mut &suback[..], &Options::new()).unwrap_err();
            assert_eq!(error.kind(), mqtt_sansio::ErrorKind::EmptyList);
            continue;
        }
        let error = PeerError::Protocol(ProtocolError::WrongNumberOfReturnCodes);
        // The request is reported as unanswered before that.
        let closed = Dealt {
            actions: 2,
            ..closed_for(error)
        };
        let held = heap(|| assert_eq!(deal(&mut us, &suback), closed));
        assert_eq!(held.count_total, 0);
        assert_eq!(error.statement(), Some("MQTT-3.8.4-5"));
    }
}

/// One side cannot keep the other busy with itself: each answer is a step further in the flow, so
/// that whatever acknowledgement comes first, at most two follow it.
#[test]
fn no_acknowledgement_starts_an_exchange_without_end() {
    for first in [puback(9), pubrec(9), pubrel(9), pubcomp(9)] {
        for to_server in [false, true] {
            let mut client = connected::<AsClient>(CONFIG);
            let mut server = connected::<AsServer>(CONFIG);
            let mut turn = to_server;
            let mut next = Some(first);
            let mut packets = 0;
            while let Some(packet) = next {
                let dealt = if turn {
                    deal(&mut server, &packet)
                } else {
                    deal(&mut client, &packet)
                };
                assert_eq!(dealt.error, None);
                next = dealt.sent;
                turn = !turn;
                packets += 1;
                assert!(packets <= 3, "{first:?}");
            }
            assert!(client.session().is_empty() && server.session().is_empty());
        }
    }
}

/// Of a flood that is not answered because nobody polls, the first is all that is held.
#[test]
fn one_answer_at_most_waits_to_be_polled() {
    let mut us = connected::<AsServer>(CONFIG);
    let held = heap(|| {
        for turn in 0..FLOOD {
            let result = us.handle_packet(ms(0), v3::Packet::<&[u8]>::PingReq);
            if turn == 0 {
                assert_eq!(result, Ok(None));
            } else {
                assert_eq!(result, Err(HandleError::Blocked(Blocked::ActionsPending)));
            }
        }
    });
    assert_eq!(held.count_total, 0);
    assert!(matches!(us.poll_action(), Some(Action::Transmit(_))));
    assert_eq!(us.poll_action(), None);
}
