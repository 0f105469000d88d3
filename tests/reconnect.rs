//! What a second reconnect must still do, and what the first one has to remember.

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
    reason = "a test stops at what it does not expect, and has std"
)]

mod conversation;

use conversation::*;
use mqtt_sansio::v3::{CloseReason, PeerError};
use mqtt_sansio::{Change, Config, ProtocolError, Session, Slot};

const AUTO: Config = Config::new();
const MANUAL: Config = Config::new().manual_acknowledgement(true);
const JOURNAL: Config = Config::new().journal(true);

type Slots = Vec<Slot>;

/// [MQTT-3.3.1-1, MQTT-4.4.0-1]
#[test]
fn a_message_has_dup_each_time_that_it_is_sent_again() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let mut us = R::begins::<Slots>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q2, "b").sends(publish(Q2, 2, "b"));
        let mut session = us.breaks_off();
        for _ in 0..3 {
            let mut us = R::resumes(AUTO, session);
            us.asks_for(1).asks_for(2);
            us.resend(1, Q1, "a").sends(dup(Q1, 1, "a"));
            us.resend(2, Q2, "b").sends(dup(Q2, 2, "b"));
            session = us.breaks_off();
        }
    }
}

/// [MQTT-4.4.0-1]: also after a connection on which all PUBRELs were sent and a message was not.
#[test]
fn a_pubrel_is_sent_again_on_each_connection() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let mut us = R::begins::<Slots>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        for number in [2, 3] {
            us.publish(Q2, "b").sends(publish(Q2, number, "b"));
            us.receives(pubrec(number))
                .received(number)
                .sends(pubrel(number));
        }
        let mut session = us.breaks_off();
        for _ in 0..3 {
            let mut us = R::resumes(AUTO, session);
            us.sends(pubrel(2)).sends(pubrel(3)).asks_for(1);
            session = us.breaks_off();
        }
        let mut us = R::resumes(AUTO, session);
        us.sends(pubrel(2)).sends(pubrel(3)).asks_for(1);
        us.receives(pubcomp(2)).delivered(2);
        us.receives(pubcomp(3)).delivered(3);
    }
}

/// A message that was asked for and not sent again does not count as in flight on the next
/// connection: with room for one message, it is asked for there.
#[test]
fn a_message_that_was_asked_for_leaves_the_window_with_its_connection() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let one = AUTO.max_inflight(1);
        let mut us = R::begins::<Slots>(AUTO);
        us.publish(Q1, "a").sends(publish(Q1, 1, "a"));
        us.publish(Q1, "b").sends(publish(Q1, 2, "b"));
        let mut session = us.breaks_off();
        for _ in 0..3 {
            let mut us = R::resumes(one, session);
            us.asks_for(1);
            session = us.breaks_off();
        }
        let mut us = R::resumes(one, session);
        us.asks_for(1).resend(1, Q1, "a").sends(dup(Q1, 1, "a"));
        us.receives(puback(1)).delivered(1).asks_for(2);
        us.resend(2, Q1, "b").sends(dup(Q1, 2, "b"));
        us.receives(puback(2)).delivered(2);
        us.publish(Q1, "c").sends(publish(Q1, 3, "c"));
    }
}

/// A peer that sends a message again without DUP means the message all the same [MQTT-4.3.3-2].
#[test]
fn a_message_of_an_earlier_connection_is_known_without_dup() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let mut us = R::begins::<Slots>(MANUAL);
        us.receives(publish(Q2, 5, "x"))
            .message(publish(Q2, 5, "x"));
        us.receives(publish(Q2, 6, "y"))
            .message(publish(Q2, 6, "y"));
        us.acknowledge(5).sends(pubrec(5));
        let session = us.breaks_off();

        let mut us = R::resumes(MANUAL, session);
        us.receives(publish(Q2, 5, "x")).sends(pubrec(5));
        us.receives(publish(Q2, 6, "y")).nothing_more();
        us.acknowledge(6).sends(pubrec(6));
        us.receives(pubrel(5)).sends(pubcomp(5));
        us.receives(pubrel(6)).sends(pubcomp(6));
    }
}

/// Once it was sent again on this connection, the next one without DUP is another message
/// [MQTT-2.3.1-2].
#[test]
fn a_message_known_without_dup_is_known_so_once() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let mut us = R::begins::<Slots>(MANUAL);
        us.receives(publish(Q2, 5, "x"))
            .message(publish(Q2, 5, "x"));
        let session = us.breaks_off();

        let mut us = R::resumes(MANUAL, session);
        us.receives(publish(Q2, 5, "x")).nothing_more();
        let error = PeerError::Protocol(ProtocolError::PacketIdInUse(id(5)));
        us.violates(publish(Q2, 5, "x"), error);
        us.closes(CloseReason::Violation(error));
    }
}

/// A SUBSCRIBE is not in the journal, and takes an identifier all the same.
#[test]
fn a_replayed_journal_leads_to_the_same_next_identifier_after_a_subscribe() {
    holds::<[Slot; 8]>();
    holds::<Vec<Slot>>();

    fn holds<S: Storage>() {
        let mut c = Talk::client(fresh::<S>(), JOURNAL);
        c.connect(false, 0).sends(connect_bytes(false, 0));
        c.receives("20 02 00 00").connected(false);
        let sent = |packet_id| Change::Sent { packet_id, qos: Q1 };
        c.publish(Q1, "a")
            .stores(sent(id(1)))
            .sends(publish(Q1, 1, "a"));
        c.subscribe(&["a"]).sends("82 06 00 02 00 01 'a' 02");
        c.publish(Q1, "b")
            .stores(sent(id(3)))
            .sends(publish(Q1, 3, "b"));
        let kept = c.breaks_off();

        let mut replayed: Session<S> = fresh();
        for packet_id in [id(1), id(3)] {
            assert!(replayed.apply(sent(packet_id)));
        }
        for session in [kept, replayed] {
            assert_eq!(outbound(&session), [1, 3]);
            let mut c = Talk::client(session, AUTO);
            c.connect(false, 0).sends(connect_bytes(false, 0));
            c.receives("20 02 01 00").connected(true);
            c.asks_for(1).asks_for(3);
            c.resend(1, Q1, "a").sends(dup(Q1, 1, "a"));
            c.resend(3, Q1, "b").sends(dup(Q1, 3, "b"));
            c.publish(Q1, "c").sends(publish(Q1, 4, "c"));
        }
    }
}
