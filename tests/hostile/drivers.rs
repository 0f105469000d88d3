//! Applications that do not do what they must, and clocks that jump: nothing accumulates, and each
//! error names what has to be done first.

use mqtt_sansio::{Blocked, CommandError, QoS};

use crate::conversation::{fresh, id};
use crate::*;

/// Handles each packet a thousand times: each time the error is `why`, nothing changes, and no
/// memory is allocated.
fn put_off<V: Dialect, R: Role>(us: &mut Connection<V, R, Counted>, why: Blocked) {
    let before = format!("{us:?}");
    let held = heap(|| {
        for _ in 0..1000 {
            for mut bytes in V::PACKETS.iter().copied() {
                let packet = V::decode(&mut bytes, &Options::new()).unwrap().unwrap();
                let error = us.handle_packet(ms(0), packet).err();
                assert_eq!(error, Some(HandleError::Blocked(why)));
            }
        }
    });
    assert_eq!(held.count_total, 0);
    assert_eq!(format!("{us:?}"), before);
}

/// Handles a PUBREL for an unknown identifier without polling the reply.
fn hand_in_pubrel<V: Dialect, R: Role>(us: &mut Connection<V, R, Counted>) {
    let packet = V::decode(&mut &b"\x62\x02\0\x09"[..], &Options::new()).unwrap();
    assert!(matches!(us.handle_packet(ms(0), packet.unwrap()), Ok(None)));
}

for_each_version_and_role! {
    fn while_an_answer_is_not_polled_everything_is_put_off<Us>() {
        let mut us = connected::<Us>(CONFIG);
        hand_in_pubrel(&mut us);
        put_off(&mut us, Blocked::ActionsPending);
        assert!(matches!(us.poll_action(), Some(Action::Transmit(_))));
    }

    fn while_a_change_is_not_stored_everything_is_put_off<Us>() {
        let mut us = connected::<Us>(CONFIG.journal(true));
        us.publish(ms(0), &Us::Version::message(QoS::AtLeastOnce), &mut Vec::new()).unwrap();
        put_off(&mut us, Blocked::ActionsPending);
        let result = us.publish(ms(0), &Us::Version::message(QoS::AtMostOnce), &mut Vec::new());
        assert_eq!(result, Err(CommandError::ActionsPending));
        assert!(matches!(us.poll_action(), Some(Action::Store(_))));
    }

    /// The peer's packets are still handled; only new messages, which would overtake the old ones,
    /// wait.
    fn messages_that_are_not_sent_again_hold_back_new_ones_and_nothing_else<Us>() {
        let mut us = connected::<Us>(CONFIG);
        us.publish(ms(0), &Us::Version::message(QoS::AtLeastOnce), &mut Vec::new()).unwrap();
        us.handle_transport_closed(ms(0));
        while us.poll_action().is_some() {}
        let us = &mut Us::connected(CONFIG, us.into_session());
        assert_eq!(us.poll_action(), Some(Action::Resend(id(1))));
        let mut out = Vec::with_capacity(64);
        let held = heap(|| {
            for number in 1..=u16::MAX {
                assert_eq!(deal(us, &publish(QOS_1, number)), told_and_answered(puback(number)));
                let waits = us.publish(ms(0), &Us::Version::message(QoS::AtLeastOnce), &mut out);
                assert_eq!(waits, Err(CommandError::ResendPending));
                out.clear();
                let passes = us.publish(ms(0), &Us::Version::message(QoS::AtMostOnce), &mut out);
                assert_eq!(passes, Ok(None));
            }
        });
        assert_eq!(held.count_total, 0);
        assert_eq!(us.poll_action(), None, "asked once");
    }

    /// A payload that was announced and not sent: one reply is held, then the peer has to wait.
    fn a_payload_that_is_not_finished_holds_one_answer_back_and_then_everything<Us>() {
        let mut us = connected::<Us>(CONFIG);
        let header = Us::Version::header(QoS::AtMostOnce, 9);
        us.publish(ms(0), &header, &mut Vec::new()).unwrap();
        assert_eq!(deal(&mut us, &pubrel(9)), Dealt::NOTHING);
        put_off(&mut us, Blocked::SendingPayload);
        assert_eq!(us.poll_action(), None);
        assert_eq!(us.payload(ms(0), &[0; 9], &mut Vec::new()), Ok(0));
        assert!(matches!(us.poll_action(), Some(Action::Transmit(_))));
    }

    /// Lost messages are reported one by one, once each, also to an application that polls all the
    /// time.
    fn after_the_end_there_are_as_many_actions_as_there_is_to_say<Us>() {
        let mut us = Us::connected_clean(CONFIG);
        let mut out = Vec::new();
        for _ in 0..1000 {
            us.publish(ms(0), &Us::Version::message(QoS::AtLeastOnce), &mut out).unwrap();
        }
        us.close(ms(0));
        let mut actions = 0;
        let total = accesses(|| {
            for _ in 0..100_000 {
                actions += usize::from(us.poll_action().is_some());
            }
        });
        assert_eq!(actions, 1000 + 1);
        assert!(total <= 1000 * 40, "{total}");
    }

    /// Time does not go back, whatever the caller passes.
    fn a_clock_that_jumps_leads_to_nothing_but_what_is_due<Us>() {
        let mut us = connected::<Us>(CONFIG);
        let held = heap(|| {
            for turn in 0..20_000_u64 {
                let now = match turn % 4 {
                    0 => ms(0),
                    1 => ms(u64::MAX),
                    2 => ms(turn),
                    _ => ms(u64::MAX - turn),
                };
                let answer = answered(Us::Version::not_found(pubcomp(9)));
                assert_eq!(deal_at(&mut us, now, &pubrel(9)), answer);
                us.handle_timeout(now);
                assert_eq!(us.poll_action(), None);
                assert_eq!(us.poll_timeout(), None, "there is no Keep Alive");
            }
        });
        assert_eq!(held.count_total, 0);
    }
}

for_all_versions! {
    /// [MQTT-3.1.4-5]: no packet is handled before the application accepts the client.
    fn a_connect_that_is_not_answered_holds_everything_back<V>() {
        let mut us = Connection::<V, ServerRole, Counted>::new(fresh(), CONFIG, ms(0));
        assert!(deal(&mut us, &V::CONNECT[1]).told);
        put_off(&mut us, Blocked::AnswerPending);
        us.handle_timeout(ms(u64::MAX));
        assert_eq!(us.poll_action(), None, "it is the application that is late");
    }

    fn a_request_that_is_not_answered_holds_everything_back<V>() {
        for (first, entry) in [(0x82, &b"\0\x01a\0"[..]), (0xa2, b"\0\x01a")] {
            let request = common::frame(first, &[b"\0\x01", V::NO_PROPERTIES, entry].concat());
            let mut us = connected::<(V, ServerRole)>(CONFIG);
            assert_eq!(deal(&mut us, &request), Dealt::TOLD);
            put_off(&mut us, Blocked::AnswerPending);
        }
    }

    /// Requests use slots as messages do, and end with the connection.
    fn requests_that_the_server_never_answers_are_bounded_by_the_slots<V>() {
        let mut us = connected_with::<(V, ClientRole)>(CONFIG, 100);
        let mut out = Vec::with_capacity(64);
        let mut sent = 0;
        let held = heap(|| {
            for _ in 0..1000 {
                out.clear();
                match V::subscribe(&mut us, &mut out) {
                    Ok(_) => sent += 1,
                    Err(error) => assert_eq!(error, CommandError::WindowFull),
                }
            }
        });
        assert_eq!((sent, held.count_total), (100, 0));
        us.handle_transport_closed(ms(0));
        while us.poll_action().is_some() {}
        assert!(us.into_session().is_empty());
    }
}
