//! A session in a `Vec` keeps all its state when its slots grow. They double with the ninth
//! identifier: from 8 to 16.

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_const_for_fn,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test fails by panicking, and has std"
)]

mod conversation;

use conversation::*;
use mqtt_sansio::v3::{Client, CloseReason, Event, PeerError, ReturnCode, ReturnCodes, SubAck};
use mqtt_sansio::{CommandError, Config, ProtocolError, Slot};

type ClientTalk = Talk<Client<Vec<Slot>>>;

const AUTO: Config = Config::new();
const MANUAL: Config = Config::new().manual_acknowledgement(true);

fn subscribed(number: u16, codes: &[u8]) -> Event<Vec<u8>> {
    let codes = codes.iter().map(|c| ReturnCode::from_number(*c).unwrap());
    Event::Subscribed(SubAck {
        packet_id: id(number),
        return_codes: ReturnCodes::encode_to_vec(codes).unwrap(),
    })
}

fn begins() -> ClientTalk {
    AsClient::begins(AUTO)
}

/// Publishes messages, which get these identifiers.
fn sends_messages(c: &mut ClientTalk, numbers: impl Iterator<Item = u16>) {
    for number in numbers {
        c.publish(Q1, "x").sends(publish(Q1, number, "x"));
    }
}

// Outbound

/// [MQTT-2.3.1-2, MQTT-2.3.1-3]
#[test]
fn a_subscribe_under_way_keeps_its_identifier() {
    let mut c = begins();
    c.subscribe(&["a", "b"])
        .sends("82 0a 00 01 00 01 'a' 02 00 01 'b' 02");
    sends_messages(&mut c, 2..=40);
    c.receives("90 04 00 01 02 80")
        .event(subscribed(1, &[2, 0x80]));
}

/// Identifier 8 moves from the first of 8 slots to the ninth of 16.
#[test]
fn a_subscribe_whose_slot_moves_keeps_its_identifier_and_its_number_of_filters() {
    let mut c = begins();
    sends_messages(&mut c, 1..=7);
    c.subscribe(&["a", "b"])
        .sends("82 0a 00 08 00 01 'a' 02 00 01 'b' 02");
    sends_messages(&mut c, 9..=40);
    c.receives("90 04 00 08 02 80")
        .event(subscribed(8, &[2, 0x80]));
}

/// [MQTT-2.3.1-2, MQTT-2.3.1-3]
#[test]
fn an_unsubscribe_under_way_keeps_its_identifier() {
    for before in [0, 7] {
        let mut c = begins();
        sends_messages(&mut c, 1..=before);
        let number = before + 1;
        c.unsubscribe(&["a"])
            .sends(format!("a2 05 00 {number:02x} 00 01 'a'").as_str());
        sends_messages(&mut c, number + 1..=40);
        c.receives(unsuback(number))
            .event(Event::Unsubscribed(id(number)));
    }
}

/// [MQTT-4.4.0-1, MQTT-4.6.0-1]: a SUBSCRIBE uses the ninth identifier after `Action::Resend` was
/// returned for 1 only.
#[test]
fn messages_not_yet_sent_again_stay_so_and_the_connection_goes_on() {
    let mut c = begins();
    sends_messages(&mut c, 1..=8);
    let session = c.breaks_off();

    let mut c = AsClient::resumes(AUTO.max_inflight(1), session);
    c.asks_for(1);
    c.subscribe(&["a"]).sends("82 06 00 09 00 01 'a' 02");
    for number in 1..=8 {
        assert_eq!(c.try_publish(Q1, "y"), Err(CommandError::ResendPending));
        let next = number + 1;
        assert_eq!(c.try_resend(next, Q1, "x"), Err(CommandError::NotAwaited));
        c.resend(number, Q1, "x").sends(dup(Q1, number, "x"));
        c.receives(puback(number)).delivered(number);
        if number < 8 {
            c.asks_for(next);
        }
    }
    c.publish(Q1, "y").sends(publish(Q1, 10, "y"));
    c.receives("90 03 00 09 02").event(subscribed(9, &[2]));
}

/// [MQTT-4.4.0-1, MQTT-4.6.0-4]: SUBSCRIBE is sent before the actions are polled.
#[test]
fn pubrels_not_yet_sent_again_stay_so_and_keep_their_order() {
    let mut c = begins();
    for number in 1..=8 {
        c.publish(Q2, "x").sends(publish(Q2, number, "x"));
    }
    for number in [8, 3] {
        c.receives(pubrec(number))
            .received(number)
            .sends(pubrel(number));
    }
    let session = c.breaks_off();

    let mut c = Talk::client(session, AUTO);
    c.connect(false, 0).sends(connect_bytes(false, 0));
    c.holds_actions();
    c.receives("20 02 01 00").connected(true);
    c.subscribe(&["a"]).sends("82 06 00 09 00 01 'a' 02");
    c.takes_actions().sends(pubrel(8)).sends(pubrel(3));
    for number in [1, 2, 4, 5, 6, 7] {
        c.asks_for(number);
    }
}

// Inbound

/// Identifiers with different slots among 8, and identifiers with the same slot.
const APART: [u16; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const TOGETHER: [u16; 8] = [3, 11, 19, 27, 35, 43, 51, 59];
/// The ninth identifier.
const NINTH: u16 = 100;

/// [MQTT-4.3.3-2]
#[test]
fn a_message_that_awaits_pubrel_stays_known() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        for numbers in [APART, TOGETHER] {
            let mut us = R::begins::<Vec<Slot>>(AUTO);
            for number in numbers.into_iter().chain([NINTH]) {
                let packet = publish(Q2, number, "x");
                us.receives(packet.clone())
                    .message(packet)
                    .sends(pubrec(number));
            }
            for number in &numbers[..4] {
                us.receives(dup(Q2, *number, "x")).sends(pubrec(*number));
            }
            for number in numbers.into_iter().chain([NINTH]) {
                us.receives(pubrel(number)).sends(pubcomp(number));
            }
            assert!(us.session().is_empty());
        }
    }
}

/// [MQTT-4.6.0-2, MQTT-4.6.0-3]: every other message is acknowledged before the slots grow. The
/// first, for which the others wait, is acknowledged afterwards.
#[test]
fn acknowledgements_due_stay_due_and_leave_in_the_order_of_the_messages() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        for numbers in [APART, TOGETHER, [24, 3, 11, 8, 5, 16, 19, 1]] {
            let qos_of = |number: u16| if number % 3 == 0 { Q2 } else { Q1 };
            let mut us = R::begins::<Vec<Slot>>(MANUAL);
            for number in numbers {
                let packet = publish(qos_of(number), number, "x");
                us.receives(packet.clone()).message(packet);
            }
            for at in [1, 3, 5, 7] {
                us.acknowledge(numbers[at]).nothing_more();
            }
            let packet = publish(Q1, NINTH, "x");
            us.receives(packet.clone()).message(packet);
            for number in numbers {
                us.receives(dup(qos_of(number), number, "x")).nothing_more();
            }
            for at in [6, 4, 2] {
                us.acknowledge(numbers[at]).nothing_more();
            }
            us.acknowledge(numbers[0]);
            for number in numbers {
                us.sends(match qos_of(number) {
                    Q2 => pubrec(number),
                    _ => puback(number),
                });
            }
            us.acknowledge(NINTH).sends(puback(NINTH));
        }
    }
}

/// Of 8 messages of an earlier connection the peer resends the third. The identifiers of the others
/// may be used for new messages, that of the third may not [MQTT-2.3.1-2].
#[test]
fn what_an_earlier_connection_left_stays_apart_from_what_this_one_has_used() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        for numbers in [APART, TOGETHER] {
            let mut us = R::begins::<Vec<Slot>>(AUTO);
            for number in numbers {
                let packet = publish(Q2, number, "old");
                us.receives(packet.clone())
                    .message(packet)
                    .sends(pubrec(number));
            }
            let session = us.breaks_off();

            let mut us = R::resumes(AUTO, session);
            let third = numbers[2];
            us.receives(dup(Q2, third, "old")).sends(pubrec(third));
            let packet = publish(Q2, NINTH, "x");
            us.receives(packet.clone())
                .message(packet)
                .sends(pubrec(NINTH));
            for number in numbers.into_iter().filter(|number| *number != third) {
                let packet = publish(Q1, number, "new");
                us.receives(packet.clone())
                    .message(packet)
                    .sends(puback(number));
            }
            let error = PeerError::Protocol(ProtocolError::PacketIdInUse(id(third)));
            us.violates(publish(Q1, third, "new"), error);
            us.closes(CloseReason::Violation(error));
        }
    }
}

/// The same for messages that the application has not acknowledged: resent, they are not delivered
/// again [MQTT-4.3.3-2].
#[test]
fn what_was_delivered_on_an_earlier_connection_is_not_delivered_again() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        for numbers in [APART, TOGETHER] {
            let mut us = R::begins::<Vec<Slot>>(MANUAL);
            for number in numbers {
                let packet = publish(Q2, number, "x");
                us.receives(packet.clone()).message(packet);
            }
            us.acknowledge(numbers[7]);
            let session = us.breaks_off();

            let mut us = R::resumes(MANUAL, session);
            let packet = publish(Q2, NINTH, "x");
            us.receives(packet.clone()).message(packet);
            us.acknowledge(NINTH).sends(pubrec(NINTH));
            for number in numbers {
                us.receives(dup(Q2, number, "x"));
                if number != numbers[7] {
                    us.nothing_more().acknowledge(number);
                }
                us.sends(pubrec(number));
            }
        }
    }
}
