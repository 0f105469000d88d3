//! One packet, again and again: each is answered or ignored at the same cost, nothing accumulates,
//! and the application gets one event.

use mqtt_sansio::{Blocked, PacketType, ProtocolError, QoS};

use crate::conversation::id;
use crate::*;

const FLOOD: usize = 20_000;

/// Handles the same packet many times: each time with the same effects, at the same cost.
fn flood<S: Side>(us: &mut S, packet: &impl Wire, expected: Dealt<S::Version>) {
    let first = accesses(|| assert_eq!(deal(us, packet), expected));
    assert!(first <= 40, "{first}");
    let before = format!("{:?}", us.slots());
    let held = heap(|| {
        for _ in 0..FLOOD {
            let count = accesses(|| assert_eq!(deal(us, packet), expected));
            assert_eq!(count, first, "each costs what the first one cost");
        }
    });
    assert_eq!(held.count_total, 0);
    assert_eq!(format!("{:?}", us.slots()), before);
}

for_all_sides! {
    fn acknowledgements_for_unknown_identifiers_change_nothing_and_are_answered_where_the_peer_needs_it<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        flood(&mut us, &puback(9), Dealt::NOTHING);
        flood(&mut us, &pubcomp(9), Dealt::NOTHING);
        flood(&mut us, &pubrec(9), answered(Us::Version::not_found(pubrel(9))));
        flood(&mut us, &pubrel(9), answered(Us::Version::not_found(pubcomp(9))));
    }

    /// The same with all 65,535 identifiers, and an empty session.
    fn acknowledgements_for_every_identifier_there_is_take_no_slot<Us>() {
        let mut us = connected::<Us>(CONFIG);
        let held = heap(|| {
            for number in scattered() {
                assert_eq!(deal(&mut us, &puback(number)), Dealt::NOTHING);
                assert_eq!(deal(&mut us, &pubcomp(number)), Dealt::NOTHING);
                let release = Us::Version::not_found(pubrel(number));
                assert_eq!(deal(&mut us, &pubrec(number)), answered(release));
                let complete = Us::Version::not_found(pubcomp(number));
                assert_eq!(deal(&mut us, &pubrel(number)), answered(complete));
            }
        });
        assert_eq!(held.count_total, 0);
        assert!(us.slots().is_empty());
    }

    /// [MQTT-4.3.3-2, MQTT5-4.3.3-10]: delivered once, however often it is sent.
    fn a_qos_2_message_that_is_sent_again_and_again_is_delivered_once<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        let first = deal(&mut us, &publish(QOS_2, 7));
        assert_eq!(first, told_and_answered(pubrec(7)));
        flood(&mut us, &publish(QOS_2 | DUP, 7), answered(pubrec(7)));
        flood(&mut us, &publish(QOS_2, 7), answered(pubrec(7)));
    }

    fn a_message_that_awaits_the_application_is_not_told_again<Us>() {
        let mut us = connected_with::<Us>(CONFIG.manual_acknowledgement(true), 64);
        for (first, number) in [(QOS_1, 7), (QOS_2, 8)] {
            assert_eq!(deal(&mut us, &publish(first, number)), Dealt::TOLD);
            flood(&mut us, &publish(first | DUP, number), Dealt::NOTHING);
        }
    }

    /// A QoS 1 message is not remembered after its PUBACK: each one is delivered.
    fn a_qos_1_message_that_is_sent_again_and_again_takes_no_slot<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        let each = told_and_answered(puback(7));
        flood(&mut us, &publish(QOS_1 | DUP, 7), each);
        flood(&mut us, &publish(QOS_1, 7), each);
    }

    /// [MQTT-2.3.1-2, MQTT5-2.2.1-3]
    fn a_second_message_with_the_identifier_of_one_that_is_not_done_ends_the_connection<Us>() {
        for (held, second) in [(QOS_2, QOS_1), (QOS_2, QOS_1 | DUP)] {
            let mut us = connected::<Us>(CONFIG);
            assert!(deal(&mut us, &publish(held, 7)).told);
            let error = PeerError::Protocol(ProtocolError::PacketIdInUse(id(7)));
            assert_eq!(deal(&mut us, &publish(second, 7)), closed_for(error));
            let statement = Us::Version::either("MQTT-2.3.1-2", "MQTT-2.2.1-3");
            assert_eq!(error.statement(), Some(statement));
        }
    }

    /// PUBREC for a released message: PUBREL each time, one event.
    fn pubrec_that_is_sent_again_and_again_is_answered_with_pubrel<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        us.publishes(QoS::ExactlyOnce, &mut Vec::new()).unwrap();
        let first = deal(&mut us, &pubrec(1));
        assert_eq!(first, told_and_answered(pubrel(1)));
        flood(&mut us, &pubrec(1), answered(pubrel(1)));
    }

    /// Packets after the end are refused, and the end is reported once.
    fn after_the_end_a_flood_leads_to_nothing<Us>() {
        let mut us = connected_with::<Us>(CONFIG, 64);
        let mut out = Vec::new();
        us.publishes(QoS::AtLeastOnce, &mut out).unwrap();
        let error = PeerError::Protocol(ProtocolError::WrongAcknowledgement {
            packet_type: PacketType::PubRec,
            packet_id: id(1),
        });
        assert_eq!(deal(&mut us, &pubrec(1)), closed_for(error));
        let statement = Us::Version::either("MQTT-4.8.0-1", "MQTT-2.2.1-5");
        assert_eq!(error.statement(), Some(statement));
        flood(&mut us, &publish(QOS_2, 7), ended());
        for packet in Us::Version::PACKETS {
            flood(&mut us, packet, ended());
        }
    }
}

/// The other fields of a second CONNECT or CONNACK do not matter.
fn ends_and_leads_to_nothing<V: Dialect, R: Role>(
    us: &mut Connection<V, R, Counted>,
    packet: &[u8],
    error: ProtocolError,
) {
    assert_eq!(deal(us, &packet), closed_for(error.into()));
    flood(us, &packet, ended());
}

for_all_versions! {
    /// [MQTT-3.12.4-1, MQTT5-3.12.4-1]
    fn each_pingreq_of_a_flood_is_answered_with_one_pingresp<V>() {
        let mut us = connected_with::<(V, ServerRole)>(CONFIG, 64);
        flood(&mut us, &&b"\xc0\0"[..], answered(Sent::of(b"\xd0\0")));
    }

    fn a_flood_of_pingresp_that_nobody_asked_for_changes_nothing<V>() {
        let mut us = connected_with::<(V, ClientRole)>(CONFIG, 64);
        flood(&mut us, &&b"\xd0\0"[..], Dealt::NOTHING);
    }

    /// Only one CONNACK is valid [MQTT5-3.2.0-2].
    fn a_second_connack_ends_the_connection_and_more_of_them_lead_to_nothing<V>() {
        let refusal = V::either(0x05, 0x87);
        for (session_present, code) in [(0, 0), (1, 0), (0, refusal)] {
            let connack = [&[session_present, code], V::NO_PROPERTIES].concat();
            let mut us = connected_with::<(V, ClientRole)>(CONFIG, 64);
            let error = ProtocolError::SecondConnAck { code };
            ends_and_leads_to_nothing(&mut us, &common::frame(0x20, &connack), error);
        }
    }

    /// [MQTT-3.1.0-2, MQTT5-3.1.0-2]
    fn a_second_connect_ends_the_connection_and_more_of_them_lead_to_nothing<V>() {
        for connect in V::CONNECT {
            let mut us = connected_with::<(V, ServerRole)>(CONFIG, 64);
            ends_and_leads_to_nothing(&mut us, connect, ProtocolError::SecondConnect);
        }
    }

    /// Answers to requests that this side did not send [MQTT-2.3.1-7, MQTT5-2.2.1-6].
    fn answers_to_requests_that_were_not_made_end_the_connection<V>() {
        let code = V::either(&b""[..], b"\0");
        for (packet_type, first, codes) in [
            (PacketType::SubAck, 0x90, &b"\0"[..]),
            (PacketType::UnsubAck, 0xb0, code),
        ] {
            let packet = common::frame(first, &[b"\0\x01", V::NO_PROPERTIES, codes].concat());
            let mut us = connected::<(V, ClientRole)>(CONFIG);
            let error = PeerError::Protocol(ProtocolError::NoSuchRequest {
                packet_type,
                packet_id: id(1),
            });
            assert_eq!(deal(&mut us, &packet), closed_for(error));
            let statement = V::either("MQTT-2.3.1-7", "MQTT-2.2.1-6");
            assert_eq!(error.statement(), Some(statement));
        }
    }

    /// Answers with the wrong number of codes [MQTT-3.8.4-5, MQTT5-3.8.4-6].
    fn answers_with_too_few_or_too_many_codes_end_the_connection<V>() {
        for codes in [0, 2, 3, 60_000] {
            let mut us = connected::<(V, ClientRole)>(CONFIG);
            V::subscribe(&mut us, &mut Vec::new()).unwrap();
            let body = [b"\0\x01", V::NO_PROPERTIES, &vec![0; codes]].concat();
            let suback = common::frame(0x90, &body);
            if codes == 0 {
                let error = V::decode(&mut &suback[..], &Options::new()).err().unwrap();
                assert_eq!(error.kind(), mqtt_sansio::ErrorKind::EmptyList);
                continue;
            }
            let error = PeerError::Protocol(ProtocolError::WrongNumberOfReturnCodes);
            let closed = closed_for(error);
            // Before that, the request is reported as unanswered.
            let actions = closed.actions + 1;
            let held = heap(|| assert_eq!(deal(&mut us, &suback), Dealt { actions, ..closed }));
            assert_eq!(held.count_total, 0);
            let statement = V::either("MQTT-3.8.4-5", "MQTT-3.8.4-6");
            assert_eq!(error.statement(), Some(statement));
        }
    }

    /// Two connections cannot keep each other busy: each reply is a step further in the flow, so at
    /// most two packets follow any acknowledgement.
    fn no_acknowledgement_starts_an_exchange_without_end<V>() {
        for first in [puback(9), pubrec(9), pubrel(9), pubcomp(9)] {
            for to_server in [false, true] {
                let mut client = connected::<(V, ClientRole)>(CONFIG);
                let mut server = connected::<(V, ServerRole)>(CONFIG);
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

    /// If nobody polls, the connection holds only the first reply of a flood.
    fn one_answer_at_most_waits_to_be_polled<V>() {
        let mut us = connected::<(V, ServerRole)>(CONFIG);
        let held = heap(|| {
            for turn in 0..FLOOD {
                let packet = V::decode(&mut &b"\xc0\0"[..], &Options::new()).unwrap();
                let result = us.handle_packet(ms(0), packet.unwrap());
                match (turn, result) {
                    (0, Ok(None)) => {}
                    (1.., Err(HandleError::Blocked(Blocked::ActionsPending))) => {}
                    (_, other) => panic!("{:?}", other.map(|_| ())),
                }
            }
        });
        assert_eq!(held.count_total, 0);
        assert!(matches!(us.poll_action(), Some(Action::Transmit(_))));
        assert_eq!(us.poll_action(), None);
    }
}
