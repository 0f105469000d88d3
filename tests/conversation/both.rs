//! Conversations that are the same for a client and for a server: delivery in both directions
//! (section 4.3), acknowledgement, resumption (section 4.4), order (section 4.6), pieces, journal.
//!
//! A test file includes this module and defines `crate::ThisRole`, its side. Each conversation runs
//! with each kind of storage.

use mqtt_sansio::v3::{self, Action, CloseReason, HandleError, PeerError, PieceRef};
use mqtt_sansio::{Blocked, Change, CommandError, Config, PacketType, ProtocolError, Slot, State};

use crate::ThisRole as Us;
use crate::conversation::*;

macro_rules! conversations {
    ($($(#[$meta:meta])* fn $name:ident<$S:ident>() $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;

            fn holds<$S: Storage>() $body

            #[test]
            fn in_an_array() {
                holds::<[Slot; 8]>();
            }

            #[test]
            fn in_a_slice() {
                holds::<&'static mut [Slot]>();
            }

            #[test]
            fn in_a_vector() {
                holds::<Vec<Slot>>();
            }
        }
    )*};
}

const AUTO: Config = Config::new();
const MANUAL: Config = Config::new().manual_acknowledgement(true);
const JOURNAL: Config = Config::new().journal(true);

fn wrong(packet_type: PacketType, number: u16) -> PeerError {
    PeerError::Protocol(ProtocolError::WrongAcknowledgement {
        packet_type,
        packet_id: id(number),
    })
}

// Sending

conversations! {
    /// [MQTT-4.3.1-1, MQTT-2.3.1-5]
    fn a_message_at_qos_0_has_no_identifier_and_awaits_no_answer<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q0, "x").sends("30 04 00 01 't' 'x'");
        assert!(us.session().is_empty());
    }

    /// [MQTT-4.3.2-1, MQTT-2.3.1-3]
    fn a_message_at_qos_1_is_delivered_when_puback_comes<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "x").sends("32 06 00 01 't' 00 01 'x'");
        assert_eq!(outbound(us.session()), [1]);
        us.receives("40 02 00 01").delivered(1);
        assert!(us.session().is_empty());
    }

    /// [MQTT-2.3.1-3, MQTT-2.3.1-6, MQTT-4.3.3-1]
    fn a_message_at_qos_2_is_released_when_pubrec_comes_and_delivered_when_pubcomp_does<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q2, "x").sends("34 06 00 01 't' 00 01 'x'");
        us.receives("50 02 00 01").received(1).sends("62 02 00 01");
        assert_eq!(outbound(us.session()), [1]);
        us.receives("70 02 00 01").delivered(1);
        assert!(us.session().is_empty());
    }

    fn each_message_has_its_own_identifier_and_they_count_up<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        us.publish(Q0, "-").sends(publish(Q0, 0, "-"));
        us.publish(Q1, "c").sends(publish(Q1, 3, "c"));
        assert_eq!(outbound(us.session()), [1, 2, 3]);
    }

    /// nats-server#8358: the lowest free identifier is not used again at once.
    fn an_identifier_that_becomes_free_is_not_the_next_one<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for number in 1..100 {
            us.publish(Q1, "x").sends(publish(Q1, number, "x"));
            us.receives(puback(number)).delivered(number);
        }
    }

    /// nats-server#8358: a rolling counter that skips identifiers in use
    /// [MQTT-2.3.1-2, MQTT-2.3.1-4].
    fn an_identifier_in_use_is_skipped_when_the_counter_comes_round<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "old").sends(publish(Q1, 1, "old"));
        let mut last = 1;
        let mut seen = std::collections::BTreeSet::from([1]);
        for _ in 0..70_000 {
            let now = ms(0);
            let mut out = Vec::new();
            let given = us.peer.publish(now, &message(Q1, "x"), &mut out).unwrap().unwrap();
            assert_ne!(given.get(), 1);
            assert_ne!(given.get(), last);
            last = given.get();
            seen.insert(last);
            us.receives(puback(last)).delivered(last);
            us.log = Log::default();
        }
        // While 1 is in use, identifiers of the same slot are not available.
        let slots = us.session_slots().max(8);
        assert!(seen.len() >= 65_535 - 65_535 / slots - 1, "{}", seen.len());
        us.receives(puback(1)).delivered(1);
    }

    /// [MQTT-4.3.3-1]; the window counts messages without their last acknowledgement.
    fn no_more_messages_are_under_way_than_the_window_allows<S>() {
        let mut us = Us::begins::<S>(AUTO.max_inflight(2));
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        assert_eq!(us.try_publish(Q1, "c"), Err(CommandError::WindowFull));
        assert_eq!(us.try_publish(Q2, "c"), Err(CommandError::WindowFull));
        assert_eq!(us.try_publish_in_pieces(Q2, 9), Err(CommandError::WindowFull));
        us.publish(Q0, "is no part of it").sends(publish(Q0, 0, "is no part of it"));
        us.receives(pubrec(2)).received(2).sends(pubrel(2));
        assert_eq!(us.try_publish(Q1, "c"), Err(CommandError::WindowFull));
        us.receives(pubcomp(2)).delivered(2);
        us.publish(Q1, "c").sends(publish(Q1, 3, "c"));
    }

    fn when_no_slot_is_free_a_message_is_refused_and_nothing_changes<S>() {
        let mut us = Us::begins::<S>(AUTO);
        if us.session_slots() != 8 {
            return; // a vector grows, so nothing is full
        }
        for number in 1..=8 {
            us.publish(Q1, "x").sends(publish(Q1, number, "x"));
        }
        assert_eq!(us.try_publish(Q1, "y"), Err(CommandError::WindowFull));
        us.receives(puback(3)).delivered(3);
        us.publish(Q1, "y").sends(publish(Q1, 11, "y"));
    }

    /// [MQTT-4.4.0-1]
    fn an_answer_to_a_message_that_was_not_sent_again_yet_makes_no_room_in_the_window<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for number in 1..=3 {
            us.publish(Q1, "x").sends(publish(Q1, number, "x"));
        }
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO.max_inflight(1), session);
        us.asks_for(1);
        // It answered a message of the earlier connection.
        us.receives(puback(2)).delivered(2).nothing_more();
        us.resend(1, Q1, "x").sends(dup(Q1, 1, "x")).nothing_more();
        us.receives(puback(1)).delivered(1).asks_for(3);
    }

    fn a_window_of_no_message_is_one_of_one_message<S>() {
        let mut us = Us::begins::<S>(AUTO.max_inflight(0));
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        assert_eq!(us.try_publish(Q1, "b"), Err(CommandError::WindowFull));
    }

    fn what_does_not_fit_into_the_output_is_not_sent_at_all<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.room(7);
        assert!(matches!(us.try_publish(Q2, "x"), Err(CommandError::Encode(_))));
        us.room(8).publish(Q2, "x").sends(publish(Q2, 2, "x"));
    }

    /// Resumed sessions in every broker: an acknowledgement for an identifier not in flight is
    /// tolerated, changes nothing and frees nothing.
    fn puback_and_pubcomp_for_an_identifier_not_in_flight_are_tolerated_and_free_nothing<S>() {
        let mut us = Us::begins::<S>(AUTO.max_inflight(1));
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.receives(puback(2)).nothing_more();
        us.receives(pubcomp(2)).nothing_more();
        us.receives(puback(65_535)).nothing_more();
        us.receives(pubcomp(9)).nothing_more();
        assert_eq!(outbound(us.session()), [1]);
        assert_eq!(us.try_publish(Q1, "b"), Err(CommandError::WindowFull));
        us.receives(puback(1)).delivered(1);
        us.receives(puback(1)).nothing_more();
        us.publish(Q1, "b").sends(publish(Q1, 2, "b"));
    }

    /// Resumed sessions in every broker: PUBREC for an identifier not in flight is answered with
    /// PUBREL, so that the peer can finish.
    fn pubrec_for_an_identifier_not_in_flight_is_answered_with_pubrel<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(pubrec(7)).sends(pubrel(7));
        us.receives(pubcomp(7)).nothing_more();
        assert!(us.session().is_empty());
    }

    /// A side that has lost its session starts with its own identifiers. An earlier PUBREL of the
    /// peer is still answered, and the answer does not concern the new message.
    fn pubcomp_for_such_a_pubrel_is_none_for_a_message_published_since<S>() {
        for qos in [Q1, Q2] {
            let mut us = Us::begins::<S>(AUTO);
            us.receives(pubrec(1)).sends(pubrel(1));
            us.publish(qos, "x").sends(publish(qos, 1, "x"));
            us.receives(pubcomp(1)).nothing_more();
            assert_eq!(outbound(us.session()), [1]);
            // PUBCOMP was received once; another one is a violation.
            us.violates(pubcomp(1), wrong(PacketType::PubComp, 1));
            us.closes(CloseReason::Violation(wrong(PacketType::PubComp, 1)));
        }
    }

    fn a_message_published_after_such_a_pubrel_is_delivered_as_any_other<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(pubrec(1)).sends(pubrel(1));
        us.publish(Q2, "x").sends(publish(Q2, 1, "x"));
        us.receives(pubcomp(1)).nothing_more();
        us.receives(pubrec(1)).received(1).sends(pubrel(1));
        us.receives(pubcomp(1)).delivered(1);
    }

    /// The answer arrived before the message was published.
    fn pubcomp_for_such_a_pubrel_is_awaited_once<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(pubrec(1)).sends(pubrel(1));
        us.receives(pubcomp(1)).nothing_more();
        us.publish(Q2, "x").sends(publish(Q2, 1, "x"));
        us.violates(pubcomp(1), wrong(PacketType::PubComp, 1));
        us.closes(CloseReason::Violation(wrong(PacketType::PubComp, 1)));
    }

    /// Packets do not outlive the connection, so neither do their effects.
    fn pubcomp_for_such_a_pubrel_is_not_awaited_on_the_next_connection<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(pubrec(7)).sends(pubrel(7));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.publish(Q2, "x").sends(publish(Q2, 1, "x"));
        us.violates(pubcomp(1), wrong(PacketType::PubComp, 1));
        us.closes(CloseReason::Violation(wrong(PacketType::PubComp, 1)));
    }

    /// The window is for messages: PUBREL does not wait for it, and one PUBCOMP follows for each.
    fn each_pubrel_is_sent_again_at_once_whatever_the_window<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for number in [1, 2] {
            us.publish(Q2, "x").sends(publish(Q2, number, "x"));
            us.receives(pubrec(number)).received(number).sends(pubrel(number));
        }
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO.max_inflight(1), session);
        us.sends(pubrel(1)).sends(pubrel(2));
        assert_eq!(us.try_publish(Q2, "x"), Err(CommandError::WindowFull));
        us.receives(pubcomp(2)).delivered(2);
        assert_eq!(us.try_publish(Q2, "x"), Err(CommandError::WindowFull));
        us.receives(pubcomp(1)).delivered(1);
        us.publish(Q2, "x").sends(publish(Q2, 3, "x"));
        us.violates(pubcomp(3), wrong(PacketType::PubComp, 3));
        us.closes(CloseReason::Violation(wrong(PacketType::PubComp, 3)));
    }

    /// [MQTT-4.3.3-1]
    fn pubrec_that_comes_twice_is_answered_twice_and_told_once<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q2, "x").sends(publish(Q2, 1, "x"));
        us.receives(pubrec(1)).received(1).sends(pubrel(1));
        us.receives(pubrec(1)).sends(pubrel(1));
        us.receives(pubcomp(1)).delivered(1);
    }

    /// The second PUBREL has a PUBCOMP of its own, and the identifier may be in use again by then.
    fn pubcomp_for_a_second_pubrel_is_none_for_a_message_published_since<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q2, "x").sends(publish(Q2, 1, "x"));
        us.receives(pubrec(1)).received(1).sends(pubrel(1));
        us.receives(pubrec(1)).sends(pubrel(1));
        us.receives(pubcomp(1)).delivered(1);
        let mut out = Vec::new();
        for _ in 0..70_000 {
            let given = us.peer.publish(ms(0), &message(Q1, "x"), &mut out).unwrap().unwrap();
            if given.get() == 1 {
                break;
            }
            us.receives(puback(given.get())).delivered(given.get());
            us.log = Log::default();
        }
        us.receives(pubcomp(1)).nothing_more();
        us.receives(puback(1)).delivered(1);
    }

    /// Resumed sessions in every broker: an acknowledgement of the wrong kind for an identifier in
    /// flight is a violation, and a violation always ends in Close [MQTT-4.8.0-1].
    fn an_acknowledgement_of_the_wrong_kind_is_a_violation<S>() {
        for (qos, released, comes, kind) in [
            (Q1, false, pubrec(1), PacketType::PubRec),
            (Q1, false, pubcomp(1), PacketType::PubComp),
            (Q2, false, puback(1), PacketType::PubAck),
            (Q2, false, pubcomp(1), PacketType::PubComp),
            (Q2, true, puback(1), PacketType::PubAck),
        ] {
            let mut us = Us::begins::<S>(AUTO);
            us.publish(qos, "x").sends(publish(qos, 1, "x"));
            if released {
                us.receives(pubrec(1)).received(1).sends(pubrel(1));
            }
            us.violates(comes, wrong(kind, 1));
            us.closes(CloseReason::Violation(wrong(kind, 1)));
            // The message still has to be delivered.
            assert_eq!(outbound(us.session()), [1]);
        }
    }

    /// Acknowledgements in another order than the messages are not violations.
    fn acknowledgements_in_any_order_complete_their_own_messages<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for number in 1..=6 {
            let qos = if number % 2 == 0 { Q2 } else { Q1 };
            us.publish(qos, "x").sends(publish(qos, number, "x"));
        }
        us.receives(pubrec(6)).received(6).sends(pubrel(6));
        us.receives(puback(3)).delivered(3);
        us.receives(pubrec(2)).received(2).sends(pubrel(2));
        us.receives(puback(5)).delivered(5);
        us.receives(pubcomp(2)).delivered(2);
        assert_eq!(outbound(us.session()), [1, 4, 6]);
        us.receives(puback(1)).delivered(1);
        us.receives(pubcomp(6)).delivered(6);
        us.receives(pubrec(4)).received(4).sends(pubrel(4));
        us.receives(pubcomp(4)).delivered(4);
        assert!(us.session().is_empty());
    }

    /// flowsdk 0.7.0: 3.1.1 resends only after a reconnect with the session present.
    fn nothing_is_sent_again_on_a_live_connection<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        for minute in 1..=60 {
            us.wakes_at(minute * 60_000).nothing_more();
        }
        assert_eq!(us.try_resend(1, Q1, "a"), Err(CommandError::NotAwaited));
    }
}

// Receiving

conversations! {
    /// [MQTT-3.3.4-1]
    fn a_message_at_qos_0_is_delivered_and_not_acknowledged<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives("30 04 00 01 't' 'x'").message("30 04 00 01 't' 'x'");
    }

    /// mosquitto#2884, chirpstack#1002: deliver first, acknowledge after.
    /// [MQTT-2.3.1-6, MQTT-3.3.4-1, MQTT-4.3.2-2, MQTT-4.5.0-2]
    fn a_message_at_qos_1_is_delivered_and_then_acknowledged_with_puback<S>() {
        let mut us = Us::begins::<S>(AUTO);
        let bytes = "32 06 00 01 't' 02 03 'x'";
        us.holds_actions();
        us.receives(bytes).message(bytes).nothing_more();
        us.takes_actions().sends("40 02 02 03");
        assert!(us.session().is_empty());
    }

    /// mosquitto#2884, chirpstack#1002: deliver first, acknowledge after.
    /// [MQTT-2.3.1-6, MQTT-3.3.4-1, MQTT-4.3.3-2]
    fn a_message_at_qos_2_is_delivered_once_and_acknowledged_in_two_steps<S>() {
        let mut us = Us::begins::<S>(AUTO);
        let bytes = "34 06 00 01 't' 02 03 'x'";
        us.holds_actions();
        us.receives(bytes).message(bytes).nothing_more();
        us.takes_actions().sends("50 02 02 03");
        assert_eq!(inbound(us.session()), [0x203]);
        us.receives("62 02 02 03").sends("70 02 02 03");
        assert!(us.session().is_empty());
    }

    /// [MQTT-4.3.3-2]
    fn a_qos_2_message_that_comes_again_before_pubrel_is_acknowledged_and_not_delivered<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(publish(Q2, 5, "x")).message(publish(Q2, 5, "x")).sends(pubrec(5));
        us.receives(dup(Q2, 5, "x")).sends(pubrec(5));
        // Whether or not the peer has set DUP.
        us.receives(publish(Q2, 5, "x")).sends(pubrec(5));
        us.receives(pubrel(5)).sends(pubcomp(5));
        // Now the identifier belongs to a new message, even with DUP.
        us.receives(dup(Q2, 5, "y")).message(dup(Q2, 5, "y")).sends(pubrec(5));
    }

    /// After PUBACK the identifier belongs to a new message, even with DUP [MQTT-4.3.2-2].
    fn a_qos_1_message_that_comes_again_after_puback_is_delivered_again<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for bytes in [publish(Q1, 5, "x"), dup(Q1, 5, "x"), publish(Q1, 5, "y")] {
            us.receives(bytes.clone()).message(bytes).sends(puback(5));
        }
    }

    /// rumqtt#1053, paho.python#284: PUBREL for an unknown identifier is answered with PUBCOMP; the
    /// connection continues.
    fn pubrel_for_an_unknown_identifier_is_answered_with_pubcomp<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(pubrel(77)).sends(pubcomp(77));
        us.receives(pubrel(77)).sends(pubcomp(77));
        us.state(State::Connected);
        us.publish(Q0, "alive").sends(publish(Q0, 0, "alive"));
    }

    /// A PUBREL implies a PUBREC, which was not sent.
    fn pubrel_for_a_message_that_awaits_the_application_is_a_violation<S>() {
        for qos in [Q1, Q2] {
            let mut us = Us::begins::<S>(MANUAL);
            us.receives(publish(qos, 5, "x")).message(publish(qos, 5, "x"));
            us.violates(pubrel(5), wrong(PacketType::PubRel, 5));
            us.closes(CloseReason::Violation(wrong(PacketType::PubRel, 5)));
        }
    }

    /// mosquitto#2884, chirpstack#1002: acknowledge on command. [MQTT-4.3.2-2, MQTT-4.3.3-2]
    fn with_manual_acknowledgement_nothing_is_acknowledged_before_the_application_does<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        us.receives(publish(Q1, 1, "a")).message(publish(Q1, 1, "a"));
        us.acknowledge(1).sends(puback(1));
        us.receives(publish(Q2, 2, "b")).message(publish(Q2, 2, "b"));
        us.acknowledge(2).sends(pubrec(2));
        us.receives(pubrel(2)).sends(pubcomp(2));
        us.receives(publish(Q0, 0, "c")).message(publish(Q0, 0, "c"));
        assert!(us.session().is_empty());
    }

    /// Acknowledgements are sent in the order in which the messages were received
    /// [MQTT-4.6.0-2, MQTT-4.6.0-3].
    fn manual_acknowledgements_out_of_order_leave_in_order<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        for (number, qos) in [(4, Q1), (9, Q2), (2, Q1), (7, Q2), (1, Q1)] {
            us.receives(publish(qos, number, "x")).message(publish(qos, number, "x"));
        }
        us.acknowledge(1).nothing_more();
        us.acknowledge(9).nothing_more();
        us.acknowledge(4).sends(puback(4)).sends(pubrec(9));
        us.acknowledge(7).nothing_more();
        us.acknowledge(2).sends(puback(2)).sends(pubrec(7)).sends(puback(1));
        assert_eq!(inbound(us.session()), [7, 9]);
    }

    fn an_acknowledgement_that_nothing_awaits_is_an_error<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        assert_eq!(us.try_acknowledge(1), Err(CommandError::NotAwaited));
        us.receives(publish(Q1, 1, "a")).message(publish(Q1, 1, "a"));
        us.receives(publish(Q2, 2, "b")).message(publish(Q2, 2, "b"));
        us.acknowledge(2).nothing_more();
        assert_eq!(us.try_acknowledge(2), Err(CommandError::NotAwaited));
        us.acknowledge(1).sends(puback(1)).sends(pubrec(2));
        assert_eq!(us.try_acknowledge(1), Err(CommandError::NotAwaited));
        assert_eq!(us.try_acknowledge(2), Err(CommandError::NotAwaited));
    }

    fn an_automatic_acknowledgement_leaves_nothing_to_acknowledge<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(publish(Q1, 1, "a")).message(publish(Q1, 1, "a")).sends(puback(1));
        us.receives(publish(Q2, 2, "b")).message(publish(Q2, 2, "b")).sends(pubrec(2));
        assert_eq!(us.try_acknowledge(1), Err(CommandError::NotAwaited));
        assert_eq!(us.try_acknowledge(2), Err(CommandError::NotAwaited));
    }

    fn a_message_that_comes_again_before_it_is_acknowledged_is_delivered_once<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        for (number, qos) in [(1, Q1), (2, Q2)] {
            us.receives(publish(qos, number, "x")).message(publish(qos, number, "x"));
            us.receives(dup(qos, number, "x")).nothing_more();
        }
        us.acknowledge(1).sends(puback(1));
        us.acknowledge(2).sends(pubrec(2));
    }

    /// [MQTT-2.3.1-2, MQTT-2.3.1-4]
    fn an_identifier_in_use_for_another_message_is_a_violation<S>() {
        for (config, first, second) in [
            (MANUAL, publish(Q1, 3, "a"), publish(Q2, 3, "b")),
            (MANUAL, publish(Q1, 3, "a"), publish(Q1, 3, "b")),
            (MANUAL, publish(Q2, 3, "a"), publish(Q1, 3, "b")),
            (MANUAL, publish(Q2, 3, "a"), publish(Q2, 3, "b")),
        ] {
            let mut us = Us::begins::<S>(config);
            us.receives(first.clone()).message(first);
            us.violates(second, PeerError::Protocol(ProtocolError::PacketIdInUse(id(3))));
            us.closes(CloseReason::Violation(PeerError::Protocol(ProtocolError::PacketIdInUse(id(3)))));
        }
        let mut us = Us::begins::<S>(AUTO);
        us.receives(publish(Q2, 3, "a")).message(publish(Q2, 3, "a")).sends(pubrec(3));
        us.violates(publish(Q1, 3, "b"), PeerError::Protocol(ProtocolError::PacketIdInUse(id(3))));
        us.closes(CloseReason::Violation(PeerError::Protocol(ProtocolError::PacketIdInUse(id(3)))));
    }

    fn when_all_slots_await_the_application_reading_stops_and_goes_on_after_it_acknowledged<S>() {
        let mut us = Us::begins::<S>(MANUAL.receive_maximum(2));
        us.receives(publish(Q1, 1, "a")).message(publish(Q1, 1, "a"));
        us.receives(publish(Q2, 2, "b")).message(publish(Q2, 2, "b"));
        us.not_now(publish(Q2, 3, "c"), Blocked::InboundFull);
        us.not_now(publish(Q1, 3, "c"), Blocked::InboundFull);
        us.acknowledge(2).nothing_more();
        us.not_now(publish(Q1, 3, "c"), Blocked::InboundFull);
        // Packets that need no slot are handled.
        us.receives(publish(Q0, 0, "d")).message(publish(Q0, 0, "d"));
        us.acknowledge(1).sends(puback(1)).sends(pubrec(2));
        us.receives(publish(Q1, 3, "c")).message(publish(Q1, 3, "c"));
        us.acknowledge(3).sends(puback(3));
    }

    fn when_the_slots_of_the_storage_are_full_it_is_the_same<S>() {
        let mut us = Us::begins::<S>(MANUAL.receive_maximum(8));
        for number in 1..=8 {
            us.receives(publish(Q1, number, "a")).message(publish(Q1, number, "a"));
        }
        us.not_now(publish(Q1, 9, "c"), Blocked::InboundFull);
        us.acknowledge(1).sends(puback(1));
        us.receives(publish(Q1, 9, "c")).message(publish(Q1, 9, "c"));
    }

    /// 65,535 unreleased QoS 2 messages from one hostile client: bounded. Messages that are left out
    /// are not acknowledged, and the connection ends once the held ones are released, whose PUBRELs
    /// may follow in the stream.
    fn more_unreleased_qos_2_messages_than_this_side_takes_are_left_out_until_the_others_are_released<S>() {
        let mut us = Us::begins::<S>(AUTO.receive_maximum(3));
        for number in [10, 20, 30] {
            us.receives(publish(Q2, number, "a")).message(publish(Q2, number, "a"));
            us.sends(pubrec(number));
        }
        // QoS 1 needs no slot, and neither does a duplicate.
        us.receives(publish(Q1, 40, "b")).message(publish(Q1, 40, "b")).sends(puback(40));
        us.receives(dup(Q2, 20, "a")).sends(pubrec(20));
        us.receives(publish(Q2, 40, "c")).nothing_more();
        us.receives(pubrel(10)).sends(pubcomp(10));
        // In order: not before the one that was left out.
        us.receives(publish(Q2, 50, "d")).nothing_more();
        us.receives(publish(Q0, 0, "e")).message(publish(Q0, 0, "e"));
        us.receives(pubrel(20)).sends(pubcomp(20));
        us.receives(pubrel(30)).sends(pubcomp(30)).closes(inbound_limit(3));
        let mut us = Us::resumes::<S>(AUTO.receive_maximum(3), us.peer.into_session());
        for number in [40, 50] {
            us.receives(dup(Q2, number, "c")).message(dup(Q2, number, "c")).sends(pubrec(number));
        }
    }

    /// Each connection makes progress, however many messages the peer has in flight: mosquitto with
    /// `max_inflight_messages 0`.
    fn a_peer_with_more_messages_under_way_than_slots_gets_through_over_several_connections<S>() {
        let config = AUTO.receive_maximum(2);
        let mut us = Us::begins::<S>(config);
        let mut left: Vec<u16> = (1..=7).collect();
        loop {
            for number in left.clone() {
                let taken = us.session().inbound().count() < 2;
                us.receives(dup(Q2, number, "x"));
                if taken {
                    us.message(dup(Q2, number, "x")).sends(pubrec(number));
                }
            }
            for number in left.drain(..left.len().min(2)) {
                us.receives(pubrel(number)).sends(pubcomp(number));
            }
            if left.is_empty() {
                break;
            }
            us.closes(inbound_limit(2));
            us = Us::resumes::<S>(config, us.peer.into_session());
        }
        us.state(State::Connected);
    }

    /// If nothing is released within the time limit, the connection ends too.
    fn a_peer_that_releases_nothing_after_a_message_was_left_out_is_given_up<S>() {
        let mut us = Us::begins::<S>(AUTO.receive_maximum(2));
        for number in [1, 2] {
            us.receives(publish(Q2, number, "a")).message(publish(Q2, number, "a")).sends(pubrec(number));
        }
        us.no_deadline();
        us.at(1_000).receives(publish(Q2, 3, "b")).nothing_more();
        us.deadline(11_000);
        us.at(5_000).receives(publish(Q2, 4, "b")).nothing_more();
        us.deadline(11_000);
        us.at(6_000).receives(pubrel(1)).sends(pubcomp(1));
        us.deadline(16_000).wakes_at(15_999).nothing_more();
        us.wakes_at(16_000).closes(inbound_limit(2));
    }

    /// In pieces too.
    fn a_message_in_pieces_that_there_is_no_slot_for_is_left_out<S>() {
        let mut us = Us::begins::<S>(AUTO.receive_maximum(1));
        us.receives(publish(Q2, 1, "a")).message(publish(Q2, 1, "a")).sends(pubrec(1));
        us.header(at_qos(Q2, 2), 3).nothing_more();
        us.piece("ab", 1).nothing_more();
        us.piece("c", 0).nothing_more();
        us.receives(pubrel(1)).sends(pubcomp(1)).closes(inbound_limit(1));
        us = Us::resumes::<S>(AUTO.receive_maximum(1), us.peer.into_session());
        us.header(again_at(Q2, 2), 0).event(header_event(again_at(Q2, 2), 0)).sends(pubrec(2));
    }
}

// Encoded once for many receivers

conversations! {
    /// [MQTT-4.3.1-1, MQTT-4.3.2-1, MQTT-4.3.3-1]
    fn a_message_that_is_encoded_once_goes_out_at_each_qos_as_any_other<S>() {
        let mut us = Us::begins::<S>(AUTO);
        assert_eq!(us.try_publish_encoded(Q0, "x"), Ok(None));
        us.sends("30 04 00 01 't' 'x'");
        assert_eq!(us.try_publish_encoded(Q1, "x"), Ok(Some(id(1))));
        us.sends("32 06 00 01 't' 00 01 'x'");
        assert_eq!(us.try_publish_encoded(Q2, "x"), Ok(Some(id(2))));
        us.sends("34 06 00 01 't' 00 02 'x'");
        us.receives(puback(1)).delivered(1);
        us.receives(pubrec(2)).received(2).sends(pubrel(2));
        us.receives(pubcomp(2)).delivered(2);
        assert!(us.session().is_empty());
    }

    fn a_message_that_is_encoded_once_waits_for_the_window_as_any_other<S>() {
        let mut us = Us::begins::<S>(AUTO.max_inflight(1));
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        assert_eq!(us.try_publish_encoded(Q1, "b"), Err(CommandError::WindowFull));
        assert_eq!(outbound(us.session()), [1]);
        us.receives(puback(1)).delivered(1);
        assert_eq!(us.try_publish_encoded(Q1, "b"), Ok(Some(id(2))));
        us.sends(publish(Q1, 2, "b"));
    }

    /// [MQTT-4.4.0-1, MQTT-3.3.1-1]
    fn a_message_that_is_encoded_once_is_sent_again_with_its_identifier_and_dup<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "x").sends(publish(Q1, 1, "x"));
        let session = us.breaks_off();

        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1);
        assert_eq!(us.try_resend_encoded(1, Q2, "x"), Err(CommandError::QosChanged));
        assert_eq!(us.try_publish_encoded(Q1, "y"), Err(CommandError::ResendPending));
        assert_eq!(us.try_resend_encoded(1, Q1, "x"), Ok(()));
        us.sends("3a 06 00 01 't' 00 01 'x'");
        assert_eq!(us.try_resend_encoded(1, Q1, "x"), Err(CommandError::NotAwaited));
        us.receives(puback(1)).delivered(1);
    }

    fn no_message_that_is_encoded_once_comes_between_the_pieces_of_a_payload<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
        assert_eq!(us.try_publish_encoded(Q0, "x"), Err(CommandError::SendingPayload));
        us.payload("hi").sends("'hi'");
        assert_eq!(us.try_publish_encoded(Q0, "x"), Ok(None));
        us.sends(publish(Q0, 0, "x"));
    }
}

// From one connection to the next

conversations! {
    /// sansio-mqtt, paho.python#492, paho.golang#520: resend in the original order, original
    /// identifiers, DUP set [MQTT-4.4.0-1, MQTT-4.6.0-1, MQTT-3.3.1-1].
    fn messages_are_sent_again_in_the_original_order_with_their_identifiers_and_dup<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for (number, qos) in [(1, Q1), (2, Q2), (3, Q2), (4, Q1)] {
            us.publish(qos, "x").sends(publish(qos, number, "x"));
        }
        us.receives(puback(1)).delivered(1);
        let session = us.breaks_off();

        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(2).asks_for(3).asks_for(4);
        us.resend(2, Q2, "x").sends("3c 06 00 01 't' 00 02 'x'");
        us.resend(3, Q2, "x").sends(dup(Q2, 3, "x"));
        us.resend(4, Q1, "x").sends("3a 06 00 01 't' 00 04 'x'");
        us.receives(puback(4)).delivered(4);
        us.receives(pubrec(2)).received(2).sends(pubrel(2));
    }

    /// sansio-mqtt (replays by identifier: wrong after wrap).
    fn the_original_order_is_kept_where_the_identifiers_have_rolled_over<S>() {
        let mut us = Us::begins::<S>(AUTO);
        let mut out = Vec::new();
        let mut sent = Vec::new();
        for step in 0..65_540_u32 {
            let given = us.peer.publish(ms(0), &message(Q1, "x"), &mut out).unwrap().unwrap();
            if step < 65_532 {
                us.receives(puback(given.get())).delivered(given.get());
                us.log = Log::default();
            } else {
                sent.push(given.get());
            }
        }
        assert!(!sent.is_sorted(), "{sent:?}");
        let session = us.breaks_off();
        assert_eq!(outbound(&session), sent);
        let mut us = Us::resumes::<S>(AUTO, session);
        for number in sent {
            us.asks_for(number);
        }
    }

    /// rmqtt#456, wolfMQTT#602, paho.golang#788: after PUBREC only PUBREL is ever sent again,
    /// never the PUBLISH [MQTT-4.3.3-1, MQTT-4.4.0-1].
    fn after_pubrec_only_pubrel_is_sent_again<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q2, "x").sends(publish(Q2, 1, "x"));
        us.receives(pubrec(1)).received(1).sends(pubrel(1));
        let mut session = us.breaks_off();
        for _ in 0..3 {
            let mut us = Us::resumes::<S>(AUTO, session);
            us.sends(pubrel(1));
            assert_eq!(us.try_resend(1, Q2, "x"), Err(CommandError::NotAwaited));
            session = us.breaks_off();
        }
        let mut us = Us::resumes::<S>(AUTO, session);
        us.sends(pubrel(1));
        us.receives(pubcomp(1)).delivered(1);
    }

    /// [MQTT-4.6.0-4]
    fn pubrels_are_sent_again_in_the_order_of_the_pubrecs<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for number in 1..=4 {
            us.publish(Q2, "x").sends(publish(Q2, number, "x"));
        }
        for number in [3, 1, 4] {
            us.receives(pubrec(number)).received(number).sends(pubrel(number));
        }
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.sends(pubrel(3)).sends(pubrel(1)).sends(pubrel(4)).asks_for(2);
    }

    /// sansio-mqtt, paho.golang#520: within the in-flight window.
    fn the_window_is_respected_when_messages_are_sent_again<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for (number, qos) in [(1, Q1), (2, Q2), (3, Q1), (4, Q1)] {
            us.publish(qos, "x").sends(publish(qos, number, "x"));
        }
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO.max_inflight(2), session);
        us.asks_for(1).asks_for(2);
        us.resend(1, Q1, "x").sends(dup(Q1, 1, "x"));
        us.resend(2, Q2, "x").sends(dup(Q2, 2, "x"));
        us.receives(puback(1)).delivered(1).asks_for(3);
        us.resend(3, Q1, "x").sends(dup(Q1, 3, "x"));
        us.receives(pubrec(2)).received(2).sends(pubrel(2));
        us.receives(pubcomp(2)).delivered(2).asks_for(4);
        us.resend(4, Q1, "x").sends(dup(Q1, 4, "x"));
        assert_eq!(us.try_publish(Q1, "y"), Err(CommandError::WindowFull));
        us.receives(puback(4)).delivered(4);
        us.publish(Q1, "y").sends(publish(Q1, 5, "y"));
    }

    /// [MQTT-4.6.0-1]
    fn new_messages_wait_until_the_old_ones_have_been_sent_again<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q1, "b").sends(publish(Q1, 2, "b"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1).asks_for(2);
        assert_eq!(us.try_publish(Q1, "c"), Err(CommandError::ResendPending));
        assert_eq!(us.try_publish_in_pieces(Q2, 5), Err(CommandError::ResendPending));
        us.resend(1, Q1, "a").sends(dup(Q1, 1, "a"));
        assert_eq!(us.try_publish(Q2, "c"), Err(CommandError::ResendPending));
        us.resend(2, Q1, "b").sends(dup(Q1, 2, "b"));
        us.publish(Q1, "c").sends(publish(Q1, 3, "c"));
    }

    fn a_message_that_the_application_does_not_have_any_more_is_forgotten<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        assert_eq!(us.try_forget(1), Err(CommandError::NotAwaited));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1).asks_for(2);
        us.forget(1).nothing_more();
        assert_eq!(us.try_forget(1), Err(CommandError::NotAwaited));
        us.forget(2).nothing_more();
        assert!(us.session().is_empty());
        us.publish(Q1, "c").sends(publish(Q1, 3, "c"));
    }

    fn a_message_cannot_change_its_qos_between_connections<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1).asks_for(2);
        for qos in [Q0, Q2] {
            assert_eq!(us.try_resend(1, qos, "a"), Err(CommandError::QosChanged));
        }
        assert_eq!(us.try_resend_in_pieces(2, Q1, 3), Err(CommandError::QosChanged));
        us.resend(1, Q1, "a").sends(dup(Q1, 1, "a"));
        us.resend(2, Q2, "b").sends(dup(Q2, 2, "b"));
        assert_eq!(us.try_resend(2, Q2, "b"), Err(CommandError::NotAwaited));
    }

    fn a_message_that_is_acknowledged_before_it_is_sent_again_is_not_awaited_any_more<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1).asks_for(2);
        us.receives(puback(1)).delivered(1);
        us.receives(pubrec(2)).received(2).sends(pubrel(2));
        assert_eq!(us.try_resend(1, Q1, "a"), Err(CommandError::NotAwaited));
        assert_eq!(us.try_resend(2, Q2, "b"), Err(CommandError::NotAwaited));
        us.receives(pubcomp(2)).delivered(2);
    }

    fn a_message_that_was_asked_for_and_not_sent_again_is_asked_for_on_the_next_connection<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1);
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1).resend(1, Q1, "a").sends(dup(Q1, 1, "a"));
    }

    /// A resent message is as large as the first time.
    fn a_message_is_sent_again_in_pieces<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q2, "abc").sends(publish(Q2, 1, "abc"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1);
        us.try_resend_in_pieces(1, Q2, 3).unwrap();
        us.sends("3c 08 00 01 't' 00 01");
        us.payload("ab").sends("'ab'");
        us.payload("c").sends("'c'");
        us.receives(pubrec(1)).received(1).sends(pubrel(1));
    }

    /// [MQTT-4.3.3-2] across reconnects.
    fn a_qos_2_message_is_delivered_once_over_any_number_of_connections<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(publish(Q2, 5, "x")).message(publish(Q2, 5, "x")).sends(pubrec(5));
        let mut session = us.breaks_off();
        for _ in 0..3 {
            assert_eq!(inbound(&session), [5]);
            let mut us = Us::resumes::<S>(AUTO, session);
            us.receives(dup(Q2, 5, "x")).sends(pubrec(5));
            session = us.breaks_off();
        }
        let mut us = Us::resumes::<S>(AUTO, session);
        us.receives(pubrel(5)).sends(pubcomp(5));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.receives(pubrel(5)).sends(pubcomp(5));
        us.receives(publish(Q2, 5, "y")).message(publish(Q2, 5, "y")).sends(pubrec(5));
    }

    fn a_qos_2_message_not_acknowledged_before_the_end_is_not_delivered_again<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        us.receives(publish(Q2, 5, "x")).message(publish(Q2, 5, "x"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(MANUAL, session);
        us.receives(dup(Q2, 5, "x")).nothing_more();
        us.acknowledge(5).sends(pubrec(5));
        us.receives(pubrel(5)).sends(pubcomp(5));
    }

    /// With automatic acknowledgement the application will not acknowledge it [MQTT-4.5.0-2].
    fn a_qos_2_message_left_unacknowledged_is_acknowledged_by_a_connection_that_does_it_itself<S>() {
        for journal in [false, true] {
            let mut us = Us::begins::<S>(MANUAL);
            us.receives(publish(Q2, 5, "x")).message(publish(Q2, 5, "x"));
            us.receives(publish(Q2, 6, "y")).message(publish(Q2, 6, "y"));
            let session = us.breaks_off();
            let mut us = Us::resumes::<S>(AUTO.journal(journal), session);
            for number in [5, 6] {
                us.receives(dup(Q2, number, "x"));
                if journal {
                    us.stores(Change::InboundReceived(id(number)));
                }
                us.sends(pubrec(number));
            }
            assert_eq!(inbound(us.session()), [5, 6]);
        }
    }

    /// PUBREC is sent in the order in which the messages were received [MQTT-4.6.0-3].
    fn a_message_left_unacknowledged_is_acknowledged_before_the_next_packet_is_dealt_with<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        us.receives(publish(Q2, 5, "x")).message(publish(Q2, 5, "x"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.holds_actions();
        us.receives(dup(Q2, 5, "x"));
        us.not_now(publish(Q2, 6, "y"), Blocked::ActionsPending);
        us.takes_actions().sends(pubrec(5));
        us.receives(publish(Q2, 6, "y")).message(publish(Q2, 6, "y")).sends(pubrec(6));
    }

    /// The peer lost its session, this side did not, and may have fewer slots than before.
    fn a_message_that_takes_the_place_of_an_earlier_one_is_held_whatever_the_limit<S>() {
        let mut us = Us::begins::<S>(AUTO);
        for number in [1, 2] {
            let bytes = publish(Q2, number, "x");
            us.receives(bytes.clone()).message(bytes).sends(pubrec(number));
        }
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(MANUAL.receive_maximum(1), session);
        us.receives(publish(Q1, 1, "new")).message(publish(Q1, 1, "new"));
        us.acknowledge(1).sends(puback(1));
        assert_eq!(inbound(us.session()), [2]);
    }

    fn a_qos_2_message_acknowledged_between_connections_is_answered_when_it_comes_again<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        us.receives(publish(Q2, 5, "x")).message(publish(Q2, 5, "x"));
        us.transport_closes().closes(CloseReason::TransportClosed);
        us.acknowledge(5).nothing_more();
        let session = us.peer.into_session();
        let mut us = Us::resumes::<S>(MANUAL, session);
        us.receives(dup(Q2, 5, "x")).sends(pubrec(5));
        us.receives(pubrel(5)).sends(pubcomp(5));
    }

    fn a_qos_1_message_not_acknowledged_before_the_end_is_delivered_again<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        us.receives(publish(Q1, 5, "x")).message(publish(Q1, 5, "x"));
        let session = us.breaks_off();
        assert!(session.is_empty());
        let mut us = Us::resumes::<S>(MANUAL, session);
        us.receives(dup(Q1, 5, "x")).message(dup(Q1, 5, "x"));
        us.acknowledge(5).sends(puback(5));
    }

    /// A peer that lost its session continues with its own counter, and is not locked out.
    fn an_identifier_that_the_peer_has_given_up_is_a_new_message_at_another_qos<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(publish(Q2, 1, "old")).message(publish(Q2, 1, "old")).sends(pubrec(1));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.receives(publish(Q1, 1, "new")).message(publish(Q1, 1, "new")).sends(puback(1));
        assert!(us.session().is_empty());
        us.receives(publish(Q2, 1, "newer")).message(publish(Q2, 1, "newer")).sends(pubrec(1));
    }

    /// Once it was resent, the peer knows it: another message with its identifier is a violation.
    fn an_identifier_that_the_peer_has_sent_again_is_not_given_up<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(publish(Q2, 1, "old")).message(publish(Q2, 1, "old")).sends(pubrec(1));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.receives(dup(Q2, 1, "old")).sends(pubrec(1));
        us.violates(publish(Q1, 1, "new"), PeerError::Protocol(ProtocolError::PacketIdInUse(id(1))));
        us.closes(CloseReason::Violation(PeerError::Protocol(ProtocolError::PacketIdInUse(id(1)))));
    }

    /// A peer that lost its session, and messages that the application has not acknowledged.
    fn a_message_not_acknowledged_whose_identifier_the_peer_has_given_up_is_given_up<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        us.receives(publish(Q2, 1, "old")).message(publish(Q2, 1, "old"));
        us.receives(publish(Q2, 2, "old")).message(publish(Q2, 2, "old"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(MANUAL, session);
        us.receives(publish(Q1, 1, "new")).message(publish(Q1, 1, "new"));
        us.acknowledge(1).sends(puback(1));
        // Its PUBREL implies PUBREC, so it does not expect an answer to this message either.
        us.receives(pubrel(2)).sends(pubcomp(2));
        assert!(us.session().is_empty());
    }

    /// Clean Session: the session ends with the connection [MQTT-3.1.2-6].
    fn with_clean_session_what_is_under_way_is_lost_when_the_connection_ends<S>() {
        let mut us = Us::begins_clean::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        us.publish(Q2, "c").sends(publish(Q2, 3, "c"));
        us.receives(pubrec(2)).received(2).sends(pubrel(2));
        us.receives(publish(Q2, 9, "d")).message(publish(Q2, 9, "d")).sends(pubrec(9));
        us.transport_closes();
        us.lost(1, false).lost(3, false).lost(2, true);
        us.closes(CloseReason::TransportClosed);
        assert!(us.peer.into_session().is_empty());
    }

    /// Clean Session does not end the session before its connection [MQTT-4.1.0-2].
    fn with_clean_session_the_session_lasts_as_long_as_the_connection<S>() {
        let mut us = Us::begins_clean::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        us.receives(publish(Q2, 9, "d")).message(publish(Q2, 9, "d")).sends(pubrec(9));
        us.wakes_at(1).nothing_more();
        assert_eq!((outbound(us.session()), inbound(us.session())), (vec![1, 2], vec![9]));
        us.receives(dup(Q2, 9, "d")).sends(pubrec(9));
        us.receives(pubrec(2)).received(2).sends(pubrel(2));
        us.receives(puback(1)).delivered(1);
        us.receives(pubcomp(2)).delivered(2);
        us.receives(pubrel(9)).sends(pubcomp(9));
        assert!(us.session().is_empty());
    }

    /// The same without polling.
    fn with_clean_session_nothing_is_left_to_take_out<S>() {
        let mut us = Us::begins_clean::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.receives(publish(Q2, 9, "d")).message(publish(Q2, 9, "d")).sends(pubrec(9));
        let session = us.peer.into_session();
        assert!(session.is_empty());
        assert_eq!((outbound(&session), inbound(&session)), (vec![], vec![]));
    }

    /// [MQTT-3.1.2-4, MQTT-4.1.0-1]: taking the session of an open connection ends the connection.
    fn a_session_is_taken_out_of_a_live_connection<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.receives(publish(Q2, 9, "d")).message(publish(Q2, 9, "d")).sends(pubrec(9));
        let session = us.peer.into_session();
        assert_eq!((outbound(&session), inbound(&session)), (vec![1], vec![9]));
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1);
        us.receives(dup(Q2, 9, "d")).sends(pubrec(9));
    }
}

// Pieces

conversations! {
    /// mosquitto#1380, arduino-mqtt#145, esp-mqtt#209: a payload larger than the buffer can be
    /// received in pieces; the acknowledgement waits for the last.
    fn a_message_in_pieces_is_acknowledged_after_its_last_piece<S>() {
        for (qos, answer) in [(Q0, None), (Q1, Some(puback(3))), (Q2, Some(pubrec(3)))] {
            let mut us = Us::begins::<S>(AUTO);
            us.header(at_qos(qos, 3), 5).event(header_event(at_qos(qos, 3), 5));
            us.piece("ab", 3).event(payload_event("ab", 3));
            us.piece("c", 2).event(payload_event("c", 2));
            us.piece("de", 0).event(payload_event("de", 0));
            if let Some(answer) = answer {
                us.sends(answer);
            }
        }
    }

    fn a_message_in_pieces_with_manual_acknowledgement_waits_for_the_application<S>() {
        for (qos, answer) in [(Q1, puback(3)), (Q2, pubrec(3))] {
            let mut us = Us::begins::<S>(MANUAL);
            us.header(at_qos(qos, 3), 2).event(header_event(at_qos(qos, 3), 2));
            assert_eq!(us.try_acknowledge(3), Err(CommandError::NotAwaited));
            us.piece("a", 1).event(payload_event("a", 1));
            assert_eq!(us.try_acknowledge(3), Err(CommandError::NotAwaited));
            us.piece("b", 0).event(payload_event("b", 0));
            us.acknowledge(3).sends(answer);
        }
    }

    fn a_message_in_pieces_whose_payload_is_empty_is_complete_at_once<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.header(at_qos(Q1, 3), 0).event(header_event(at_qos(Q1, 3), 0)).sends(puback(3));
        us.receives(publish(Q1, 4, "x")).message(publish(Q1, 4, "x")).sends(puback(4));
    }

    fn a_message_whose_pieces_were_cut_off_is_delivered_again<S>() {
        for (qos, answer) in [(Q1, puback(3)), (Q2, pubrec(3))] {
            let mut us = Us::begins::<S>(AUTO);
            us.header(at_qos(qos, 3), 2).event(header_event(at_qos(qos, 3), 2));
            us.piece("a", 1).event(payload_event("a", 1));
            let session = us.breaks_off();
            assert!(session.is_empty());
            let mut us = Us::resumes::<S>(AUTO, session);
            us.header(again_at(qos, 3), 2).event(header_event(again_at(qos, 3), 2));
            us.piece("ab", 0).event(payload_event("ab", 0)).sends(answer);
        }
    }

    /// [MQTT-4.3.3-2]
    fn a_duplicate_in_pieces_is_acknowledged_and_not_delivered<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.receives(publish(Q2, 3, "ab")).message(publish(Q2, 3, "ab")).sends(pubrec(3));
        us.header(again_at(Q2, 3), 2).nothing_more();
        us.piece("a", 1).nothing_more();
        us.piece("b", 0).sends(pubrec(3));
        // The same in the other direction.
        us.header(at_qos(Q2, 4), 2).event(header_event(at_qos(Q2, 4), 2));
        us.piece("ab", 0).event(payload_event("ab", 0)).sends(pubrec(4));
        us.receives(dup(Q2, 4, "ab")).sends(pubrec(4));
    }

    fn a_duplicate_in_pieces_of_a_message_not_acknowledged_is_not_delivered<S>() {
        for (qos, answer) in [(Q1, puback(3)), (Q2, pubrec(3))] {
            let mut us = Us::begins::<S>(MANUAL);
            us.receives(publish(qos, 3, "ab")).message(publish(qos, 3, "ab"));
            us.header(again_at(qos, 3), 2).nothing_more();
            us.piece("ab", 0).nothing_more();
            us.acknowledge(3).sends(answer);
        }
    }

    fn pieces_out_of_place_are_put_off_and_change_nothing<S>() {
        let mut us = Us::begins::<S>(AUTO);
        let payload = PieceRef::Payload { bytes: b"a", left: 1 };
        let before = format!("{:?}", us.peer);
        assert_eq!(us.try_piece(payload), Err(HandleError::Blocked(Blocked::HeaderFirst)));
        assert_eq!(format!("{:?}", us.peer), before);

        us.header(at_qos(Q1, 3), 2).event(header_event(at_qos(Q1, 3), 2));
        let before = format!("{:?}", us.peer);
        let pending = Err(HandleError::Blocked(Blocked::ReceivingPayload));
        assert_eq!(us.try_piece(piece_header(at_qos(Q1, 4), 9)), pending);
        assert_eq!(format!("{:?}", us.peer), before);
        for packet in [publish(Q1, 4, "x"), puback(1), pubrec(1), pubrel(1), pubcomp(1)] {
            us.not_now(packet, Blocked::ReceivingPayload);
        }
        us.piece("ab", 0).event(payload_event("ab", 0)).sends(puback(3));
        assert_eq!(us.try_piece(payload), Err(HandleError::Blocked(Blocked::HeaderFirst)));
    }

    fn a_message_in_pieces_without_a_slot_is_put_off_before_its_payload<S>() {
        let mut us = Us::begins::<S>(MANUAL.receive_maximum(1));
        us.receives(publish(Q1, 1, "a")).message(publish(Q1, 1, "a"));
        let full = Err(HandleError::Blocked(Blocked::InboundFull));
        assert_eq!(us.try_piece(piece_header(at_qos(Q2, 2), 9)), full);
        us.acknowledge(1).sends(puback(1));
        us.header(at_qos(Q2, 2), 1).event(header_event(at_qos(Q2, 2), 1));
        us.piece("b", 0).event(payload_event("b", 0));
        us.acknowledge(2).sends(pubrec(2));
    }

    /// mosquitto#1380, aws-iot-device-sdk-embedded-C#1394: a payload larger than the buffer can be
    /// sent in pieces.
    fn a_message_is_sent_in_pieces<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish_in_pieces(Q1, 5).sends("32 0a 00 01 't' 00 01");
        assert_eq!(us.try_payload("ab"), Ok(3));
        us.sends("'ab'");
        assert_eq!(us.try_payload("c"), Ok(2));
        us.sends("'c'");
        assert_eq!(us.try_payload("de"), Ok(0));
        us.sends("'de'");
        us.publish(Q0, "next").sends(publish(Q0, 0, "next"));
        us.receives(puback(1)).delivered(1);
    }

    fn nothing_comes_between_the_pieces_of_a_payload<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish_in_pieces(Q2, 2).sends("34 07 00 01 't' 00 01");
        assert_eq!(us.try_publish(Q0, "x"), Err(CommandError::SendingPayload));
        assert_eq!(us.try_publish(Q1, "x"), Err(CommandError::SendingPayload));
        assert_eq!(us.try_publish_in_pieces(Q0, 1), Err(CommandError::SendingPayload));
        // An acknowledgement is held back until the payload is complete.
        us.receives(publish(Q1, 7, "y")).message(publish(Q1, 7, "y")).nothing_more();
        us.payload("a").sends("'a'");
        us.payload("b").sends("'b'").sends(puback(7));
    }

    fn acknowledgements_given_between_the_pieces_of_a_payload_come_after_it<S>() {
        let mut us = Us::begins::<S>(MANUAL);
        us.receives(publish(Q1, 7, "y")).message(publish(Q1, 7, "y"));
        us.receives(publish(Q2, 8, "z")).message(publish(Q2, 8, "z"));
        us.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
        us.acknowledge(7).nothing_more();
        us.acknowledge(8).nothing_more();
        us.payload("ab").sends("'ab'").sends(puback(7)).sends(pubrec(8));
    }

    fn more_payload_than_was_announced_is_an_error<S>() {
        let mut us = Us::begins::<S>(AUTO);
        assert_eq!(us.try_payload("a"), Err(CommandError::PayloadTooLong));
        us.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
        assert_eq!(us.try_payload("abc"), Err(CommandError::PayloadTooLong));
        us.payload("ab").sends("'ab'");
        assert_eq!(us.try_payload("c"), Err(CommandError::PayloadTooLong));
        us.publish_in_pieces(Q0, 0).sends("30 03 00 01 't'");
        assert_eq!(us.try_payload("c"), Err(CommandError::PayloadTooLong));
    }

    fn a_piece_that_does_not_fit_into_the_output_can_be_tried_again<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
        us.room(1);
        assert!(matches!(us.try_payload("ab"), Err(CommandError::Encode(_))));
        us.payload("a").sends("'a'");
        us.payload("b").sends("'b'");
    }

    /// A call in the wrong state is an error: no payload was announced.
    fn an_empty_piece_of_a_payload_that_was_not_announced_is_an_error<S>() {
        let mut us = Us::begins::<S>(AUTO);
        assert_eq!(us.try_payload(""), Err(CommandError::PayloadTooLong));
    }

    /// A message that was cut off in the middle was not received; it is resent as a whole.
    fn a_message_that_was_being_sent_in_pieces_is_sent_again<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish_in_pieces(Q1, 2).sends("32 07 00 01 't' 00 01");
        us.payload("a").sends("'a'");
        us.transport_closes().closes(CloseReason::TransportClosed);
        assert_eq!(us.try_payload("b"), Err(CommandError::Ended));
        let mut us = Us::resumes::<S>(AUTO, us.peer.into_session());
        us.asks_for(1).resend(1, Q1, "ab").sends(dup(Q1, 1, "ab"));
    }

    /// Packets received while a payload is being sent: the error tells the driver to send the
    /// payload, not to poll, which would return nothing.
    fn a_packet_that_has_to_wait_for_the_end_of_a_payload_does_not_ask_for_polling<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish_in_pieces(Q0, 2).sends("30 05 00 01 't'");
        us.receives(publish(Q1, 7, "y")).message(publish(Q1, 7, "y")).nothing_more();
        assert_eq!(us.peer.poll_action(), None);
        let result = us.try_receive(publish(Q1, 8, "z"));
        assert_ne!(
            result,
            Err(HandleError::Blocked(Blocked::ActionsPending)),
            "there are none to be polled"
        );
        us.log = Log::default();
    }
}

// Ending

conversations! {
    /// mqtt-protocol-core: no terminal state. No action follows Close.
    fn after_the_transport_is_closed_nothing_comes_out<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.transport_closes().closes(CloseReason::TransportClosed);
        us.transport_closes().nothing_more();
        us.close().nothing_more();
        us.wakes_at(1_000_000).nothing_more();
        us.is_over();
    }

    /// [MQTT-4.8.0-2]
    fn closing_from_this_side_ends_the_connection<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.close().closes(CloseReason::Aborted);
    }

    /// mqtt-protocol-core: an error without a close. A violation always ends in Close
    /// [MQTT-4.8.0-1].
    fn bytes_that_are_no_packet_end_the_connection<S>() {
        for bytes in ["00 00", "f0 00", "36 05 00 01 't' 00 01", "60 02 00 01", "30 03 00 01 '#'"] {
            let mut us = Us::begins::<S>(AUTO);
            us.receives_malformed(bytes);
            let Some(Item::Action(Action::Close(CloseReason::Violation(
                PeerError::Malformed(error),
            )))) = us.log_pop()
            else {
                panic!("no Close after {bytes}");
            };
            assert!(error.statement().is_some(), "{error}");
            us.is_over();
        }
    }

    /// azure-iot-sdk-c#945 (endless error loop): a fatal error is permanent. Later input gives the
    /// same error at once, and the connection has ended.
    fn a_fault_in_the_bytes_ends_the_connection_once<S>() {
        let mut us = Us::begins::<S>(AUTO);
        let mut decoder = v3::Decoder::new([0; 64]);
        let first = decoder.decode(&mut &hex("f0 00")[..]).map(|_| ()).unwrap_err();
        us.peer.handle_decode_error(ms(0), first);
        let reason = CloseReason::Violation(PeerError::Malformed(first));
        assert_eq!(us.peer.poll_action(), Some(Action::Close(reason)));
        for bytes in ["f0 00", "d0 00", "30 04 00 01 't' 'x'"] {
            let error = decoder.decode(&mut &hex(bytes)[..]).map(|_| ()).unwrap_err();
            assert_eq!(error, first);
            us.peer.handle_decode_error(ms(0), error);
            assert_eq!(us.peer.poll_action(), None);
        }
        us.is_over();
    }

    /// espMqttClient#34; mqtt-protocol-core 0.7.9 (half a packet survives the close and swallows
    /// the next CONNACK): a new connection starts with an empty decoder, without half a message of
    /// the old one.
    fn half_a_message_does_not_survive_its_connection<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.header(at_qos(Q2, 3), 9).event(header_event(at_qos(Q2, 3), 9));
        us.piece("half", 5).event(payload_event("half", 5));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        let rest = PieceRef::Payload { bytes: b"other", left: 0 };
        let header_first = Err(HandleError::Blocked(Blocked::HeaderFirst));
        assert_eq!(us.try_piece(rest), header_first);
        us.receives(publish(Q1, 4, "x")).message(publish(Q1, 4, "x")).sends(puback(4));
    }

    /// An acknowledgement that was not polled before the end is not sent after it.
    fn what_was_not_polled_before_the_end_does_not_come_after_it<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.holds_actions();
        us.receives(publish(Q2, 3, "x")).message(publish(Q2, 3, "x"));
        us.transport_closes();
        us.takes_actions().closes(CloseReason::TransportClosed);
        let session = us.peer.into_session();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.receives(dup(Q2, 3, "x")).sends(pubrec(3));
    }

    fn every_command_after_the_end_is_an_error<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(AUTO, session);
        us.asks_for(1);
        us.transport_closes().closes(CloseReason::TransportClosed);
        assert_eq!(us.try_publish(Q0, "x"), Err(CommandError::Ended));
        assert_eq!(us.try_publish(Q1, "x"), Err(CommandError::Ended));
        assert_eq!(us.try_publish_in_pieces(Q1, 1), Err(CommandError::Ended));
        assert_eq!(us.try_payload("x"), Err(CommandError::Ended));
        assert_eq!(us.try_payload(""), Err(CommandError::Ended));
        assert_eq!(us.try_resend(1, Q1, "a"), Err(CommandError::Ended));
        assert_eq!(us.try_resend_in_pieces(1, Q1, 1), Err(CommandError::Ended));
        assert_eq!(us.try_acknowledge(1), Err(CommandError::NotAwaited));
    }

    /// After Close no action is returned, not even a change to be stored.
    fn forgetting_a_message_after_the_end_is_an_error_and_brings_nothing_out<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(JOURNAL, session);
        us.asks_for(1);
        us.transport_closes().closes(CloseReason::TransportClosed);
        assert_eq!(us.try_forget(1), Err(CommandError::Ended));
    }

    fn packets_wait_until_the_actions_have_been_polled<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.holds_actions();
        us.receives(publish(Q1, 3, "x")).message(publish(Q1, 3, "x"));
        for packet in [publish(Q0, 0, "y"), publish(Q1, 4, "y"), puback(9), pubrel(3)] {
            us.not_now(packet, Blocked::ActionsPending);
        }
        us.takes_actions().sends(puback(3));
        us.receives(publish(Q1, 4, "y")).message(publish(Q1, 4, "y")).sends(puback(4));
    }
}

// The journal

conversations! {
    /// rumqtt#47, arduino-mqtt#294: changes are stored before packets are sent.
    fn a_change_is_stored_before_the_packet_that_depends_on_it<S>() {
        let mut us = Us::begins::<S>(JOURNAL);
        us.publish(Q0, "-").sends(publish(Q0, 0, "-"));
        us.publish(Q1, "a");
        us.stores(Change::Sent { packet_id: id(1), qos: Q1 }).sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b");
        us.stores(Change::Sent { packet_id: id(2), qos: Q2 }).sends(publish(Q2, 2, "b"));
        us.publish_in_pieces(Q2, 1);
        us.stores(Change::Sent { packet_id: id(3), qos: Q2 }).sends("34 06 00 01 't' 00 03");
        us.payload("c").sends("'c'");

        us.receives(puback(1)).delivered(1).stores(Change::Completed(id(1)));
        us.receives(pubrec(2)).received(2).stores(Change::Released(id(2))).sends(pubrel(2));
        us.receives(pubrec(2)).sends(pubrel(2));
        us.receives(pubcomp(2)).delivered(2).stores(Change::Completed(id(2)));

        us.receives(publish(Q1, 9, "d")).message(publish(Q1, 9, "d")).sends(puback(9));
        us.receives(publish(Q2, 9, "e")).message(publish(Q2, 9, "e"));
        us.stores(Change::InboundReceived(id(9))).sends(pubrec(9));
        us.receives(dup(Q2, 9, "e")).sends(pubrec(9));
        us.receives(pubrel(9)).stores(Change::Forgotten(id(9))).sends(pubcomp(9));
        us.receives(pubrel(9)).sends(pubcomp(9));
    }

    /// rumqtt#47, arduino-mqtt#294: changes are stored before packets are sent.
    fn with_manual_acknowledgement_the_change_is_stored_before_pubrec<S>() {
        let mut us = Us::begins::<S>(JOURNAL.manual_acknowledgement(true));
        us.receives(publish(Q2, 8, "x")).message(publish(Q2, 8, "x"));
        us.receives(publish(Q1, 7, "y")).message(publish(Q1, 7, "y"));
        us.receives(publish(Q2, 6, "z")).message(publish(Q2, 6, "z"));
        us.acknowledge(7).nothing_more();
        us.acknowledge(6).nothing_more();
        us.acknowledge(8);
        us.stores(Change::InboundReceived(id(8))).sends(pubrec(8)).sends(puback(7));
        us.stores(Change::InboundReceived(id(6))).sends(pubrec(6));
    }

    fn a_change_waits_to_be_stored_before_anything_else_happens<S>() {
        let mut us = Us::begins::<S>(JOURNAL);
        us.holds_actions();
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        assert_eq!(us.try_publish(Q1, "b"), Err(CommandError::ActionsPending));
        assert_eq!(us.try_publish(Q0, "b"), Err(CommandError::ActionsPending));
        us.not_now(puback(1), Blocked::ActionsPending);
        us.takes_actions().stores(Change::Sent { packet_id: id(1), qos: Q1 });
        us.receives(puback(1)).delivered(1).stores(Change::Completed(id(1)));
    }

    fn a_forgotten_message_is_completed_in_the_journal<S>() {
        let mut us = Us::begins::<S>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(JOURNAL, session);
        us.asks_for(1);
        us.forget(1).stores(Change::Completed(id(1)));
    }

    /// [MQTT-3.1.2-6]: after a crash the session must not be resumed, so nothing of it is stored.
    fn a_session_that_ends_with_its_connection_is_not_in_the_journal<S>() {
        let mut us = Us::begins_clean::<S>(JOURNAL);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.receives(publish(Q2, 7, "b")).message(publish(Q2, 7, "b")).sends(pubrec(7));
        us.transport_closes().lost(1, false);
        us.closes(CloseReason::TransportClosed);
    }

    /// "Applied in order to the session that the journal began with, the changes lead to the
    /// session that they came from": also when an identifier was given up by the peer.
    fn an_identifier_that_the_peer_has_given_up_is_forgotten_in_the_journal_too<S>() {
        let mut us = Us::begins::<S>(JOURNAL);
        us.receives(publish(Q2, 1, "old")).message(publish(Q2, 1, "old"));
        us.stores(Change::InboundReceived(id(1))).sends(pubrec(1));
        let mut replayed = fresh::<S>();
        assert!(replayed.apply(Change::InboundReceived(id(1))));
        let session = us.breaks_off();
        let mut us = Us::resumes::<S>(JOURNAL, session);
        us.try_receive(publish(Q1, 1, "new")).unwrap();
        while let Some(item) = us.log_pop() {
            if let Item::Action(Action::Store(change)) = item {
                assert!(replayed.apply(change));
            }
        }
        assert_eq!(inbound(&replayed), inbound(us.session()));
    }
}
