//! The application that does not do what it should, and a clock that does what it wants: nothing
//! piles up, and what is refused says what has to come first.

use mqtt_sansio::v3::{Packet, Server};
use mqtt_sansio::{Blocked, CommandError, QoS};

use crate::conversation::{self, AsClient, AsServer, id, message};
use crate::*;

/// One of each kind that a connected peer may send, and some that it may not.
const PACKETS: [&[u8]; 14] = [
    b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01c",
    b"\x20\x02\0\0",
    b"\x30\x03\0\x01t",
    b"\x32\x05\0\x01t\0\x01",
    b"\x34\x05\0\x01t\0\x02",
    b"\x40\x02\0\x01",
    b"\x50\x02\0\x01",
    b"\x62\x02\0\x01",
    b"\x70\x02\0\x01",
    b"\x82\x06\0\x01\0\x01a\0",
    b"\x90\x03\0\x01\0",
    b"\xa2\x05\0\x01\0\x01a",
    b"\xc0\0",
    b"\xe0\0",
];

/// Each of the packets comes a thousand times: each time the answer is `why`, nothing changes and
/// nothing is asked of the heap.
fn put_off<P: Peer>(us: &mut P, why: Blocked) {
    let before = format!("{us:?}");
    let held = heap(|| {
        for _ in 0..1000 {
            for mut bytes in PACKETS {
                let packet = v3::decode(&mut bytes, &Options::new());
                let result = us.handle_packet(ms(0), packet.unwrap().unwrap());
                assert_eq!(result, Err(HandleError::Blocked(why)));
            }
        }
    });
    assert_eq!(held.count_total, 0);
    assert_eq!(format!("{us:?}"), before);
}

for_both_roles! {
    fn while_an_answer_is_not_polled_everything_is_put_off<Us>() {
        let mut us = connected::<Us>(CONFIG);
        let answer = us.handle_packet(ms(0), Packet::PubRel(v3::PubRel { packet_id: id(9) }));
        assert_eq!(answer, Ok(None));
        put_off(&mut us, Blocked::ActionsPending);
        assert!(matches!(us.poll_action(), Some(Action::Transmit(_))));
    }

    fn while_a_change_is_not_stored_everything_is_put_off<Us>() {
        let mut us = connected::<Us>(CONFIG.journal(true));
        us.publish(ms(0), &message(QoS::AtLeastOnce, ""), &mut Vec::new()).unwrap();
        put_off(&mut us, Blocked::ActionsPending);
        let result = us.publish(ms(0), &message(QoS::AtMostOnce, ""), &mut Vec::new());
        assert_eq!(result, Err(CommandError::ActionsPending));
        assert!(matches!(us.poll_action(), Some(Action::Store(_))));
    }

    /// The peer is served on; only what would overtake the old messages waits.
    fn messages_that_are_not_sent_again_hold_back_new_ones_and_nothing_else<Us>() {
        let mut us = connected::<Us>(CONFIG);
        us.publish(ms(0), &message(QoS::AtLeastOnce, ""), &mut Vec::new()).unwrap();
        us.handle_transport_closed(ms(0));
        while us.poll_action().is_some() {}
        let mut talk = Us::resumes(CONFIG, us.into_session());
        talk.asks_for(1);
        let us = &mut talk.peer;
        let mut out = Vec::with_capacity(64);
        let held = heap(|| {
            for number in 1..=u16::MAX {
                assert_eq!(deal(us, &publish(QOS_1, number)), Dealt { told: true, ..answered(puback(number)) });
                let waits = us.publish(ms(0), &message(QoS::AtLeastOnce, ""), &mut out);
                assert_eq!(waits, Err(CommandError::ResendPending));
                out.clear();
                let passes = us.publish(ms(0), &message(QoS::AtMostOnce, ""), &mut out);
                assert_eq!(passes, Ok(None));
            }
        });
        assert_eq!(held.count_total, 0);
        assert_eq!(us.poll_action(), None, "asked once");
    }

    /// A payload that is announced and not sent: one answer waits, and then the peer does.
    fn a_payload_that_is_not_finished_holds_one_answer_back_and_then_everything<Us>() {
        let mut us = connected::<Us>(CONFIG);
        us.announce(ms(0), &conversation::header(QoS::AtMostOnce, 9), &mut Vec::new()).unwrap();
        assert_eq!(deal(&mut us, &pubrel(9)), NOTHING);
        put_off(&mut us, Blocked::SendingPayload);
        assert_eq!(us.poll_action(), None);
        assert_eq!(us.payload(ms(0), &[0; 9], &mut Vec::new()), Ok(0));
        assert!(matches!(us.poll_action(), Some(Action::Transmit(_))));
    }

    /// Lost messages are said one by one, each once, also to an application that asks all the time.
    fn after_the_end_there_are_as_many_actions_as_there_is_to_say<Us>() {
        let mut us = Us::begins_clean::<Counted>(CONFIG).peer;
        let mut out = Vec::new();
        for _ in 0..1000 {
            us.publish(ms(0), &message(QoS::AtLeastOnce, ""), &mut out).unwrap();
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

    /// Time only goes forward, whatever the caller says.
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
                assert_eq!(deal_at(&mut us, now, &pubrel(9)), answered(pubcomp(9)));
                us.handle_timeout(now);
                assert_eq!(us.poll_action(), None);
                assert_eq!(us.poll_timeout(), None, "there is no Keep Alive");
            }
        });
        assert_eq!(held.count_total, 0);
    }
}

/// [MQTT-3.1.4-5]: nothing is dealt with before the application has said yes.
#[test]
fn a_connect_that_is_not_answered_holds_everything_back() {
    let mut us = Server::new(Session::<Vec<Slot>>::default(), CONFIG, ms(0));
    assert!(deal(&mut us, PACKETS[0]).told);
    put_off(&mut us, Blocked::AnswerPending);
    us.handle_timeout(ms(u64::MAX));
    assert_eq!(us.poll_action(), None, "it is the application that is late");
}

#[test]
fn a_request_that_is_not_answered_holds_everything_back() {
    for request in [&b"\x82\x06\0\x01\0\x01a\0"[..], b"\xa2\x05\0\x01\0\x01a"] {
        let mut us = connected::<AsServer>(CONFIG);
        assert_eq!(deal(&mut us, request), TOLD);
        put_off(&mut us, Blocked::AnswerPending);
    }
}

/// Requests take slots as messages do, and end with the connection.
#[test]
fn requests_that_the_server_never_answers_are_bounded_by_the_slots() {
    let mut us = connected_with::<AsClient>(CONFIG, 100);
    let list = conversation::subscriptions(&["a"]);
    let mut out = Vec::with_capacity(64);
    let mut sent = 0;
    let held = heap(|| {
        for _ in 0..1000 {
            out.clear();
            match us.subscribe(ms(0), &list, &mut out) {
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
