//! The state that has to survive more than one reconnect.

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
use mqtt_sansio::v3::{CloseReason, PeerError};
use mqtt_sansio::{Change, CommandError, Config, ProtocolError, Session, Slot};

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

/// [MQTT-4.4.0-1]: also after a connection on which all PUBRELs were sent, but one message was not.
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

/// A message for which `Action::Resend` was returned, but which was not resent, does not count as
/// in flight on the next connection: with a window of one, `Action::Resend` is returned for it
/// there.
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

/// A client that lost its session counts from 1 again. A resent message has DUP [MQTT-3.3.1-1], so
/// this one is new.
#[test]
fn a_qos_2_message_without_dup_on_a_later_connection_is_new_and_is_delivered() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let mut us = R::begins::<Slots>(AUTO);
        us.receives("34 08 00 01 'a' 00 01 'old'")
            .message("34 08 00 01 'a' 00 01 'old'");
        us.sends(pubrec(1));
        let session = us.breaks_off();

        let mut us = R::resumes(AUTO, session);
        us.receives("34 08 00 01 'a' 00 01 'new'")
            .message("34 08 00 01 'a' 00 01 'new'");
        us.sends(pubrec(1));
        // On this connection the identifier is in use.
        us.receives("34 08 00 01 'a' 00 01 'new'").sends(pubrec(1));
        let session = us.breaks_off();

        let mut us = R::resumes(AUTO, session);
        us.receives("3c 08 00 01 'a' 00 01 'new'").sends(pubrec(1));
        us.receives(pubrel(1)).sends(pubcomp(1));
    }
}

/// The same with manual acknowledgement: for a message that the application has acknowledged and
/// for one that it has not.
#[test]
fn a_qos_2_message_without_dup_on_a_later_connection_is_new_with_manual_acknowledgement() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let mut us = R::begins::<Slots>(MANUAL);
        us.receives(publish(Q2, 5, "old"))
            .message(publish(Q2, 5, "old"));
        us.receives(publish(Q2, 6, "old"))
            .message(publish(Q2, 6, "old"));
        us.acknowledge(5).sends(pubrec(5));
        let session = us.breaks_off();

        let mut us = R::resumes(MANUAL, session);
        for number in [5, 6] {
            us.receives(publish(Q2, number, "new"))
                .message(publish(Q2, number, "new"));
            us.acknowledge(number).sends(pubrec(number));
            us.receives(pubrel(number)).sends(pubcomp(number));
        }
        assert!(us.session().is_empty());
    }
}

/// In pieces the earlier message is given up with the header. After another reconnect, a message with
/// DUP is the new one.
#[test]
fn a_qos_2_message_in_pieces_without_dup_on_a_later_connection_is_new_and_stays_so() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let mut us = R::begins::<Slots>(JOURNAL);
        us.receives(publish(Q2, 5, "old"))
            .message(publish(Q2, 5, "old"));
        us.stores(Change::InboundReceived(id(5))).sends(pubrec(5));
        let session = us.breaks_off();

        let mut us = R::resumes(JOURNAL, session);
        us.header(at_qos(Q2, 5), 3)
            .event(header_event(at_qos(Q2, 5), 3));
        us.stores(Change::Forgotten(id(5)));
        us.piece("n", 2).event(payload_event("n", 2));
        let session = us.breaks_off();

        let mut us = R::resumes(JOURNAL, session);
        us.header(again_at(Q2, 5), 3)
            .event(header_event(again_at(Q2, 5), 3));
        us.piece("new", 0).event(payload_event("new", 0));
        us.stores(Change::InboundReceived(id(5))).sends(pubrec(5));
    }
}

/// The journal forgets the earlier message before it records the new one.
#[test]
fn a_qos_2_message_without_dup_on_a_later_connection_takes_the_earlier_one_out_of_the_journal() {
    holds::<AsClient>();
    holds::<AsServer>();

    fn holds<R: Role>() {
        let mut us = R::begins::<Slots>(JOURNAL);
        us.receives(publish(Q2, 5, "old"))
            .message(publish(Q2, 5, "old"));
        us.stores(Change::InboundReceived(id(5))).sends(pubrec(5));
        let session = us.breaks_off();

        let mut us = R::resumes(JOURNAL, session);
        us.receives(publish(Q2, 5, "new"))
            .message(publish(Q2, 5, "new"));
        us.stores(Change::Forgotten(id(5)));
        us.stores(Change::InboundReceived(id(5))).sends(pubrec(5));
    }
}

/// aedes resends messages with DUP 0.
#[test]
fn a_message_of_an_earlier_connection_is_known_without_dup_where_that_is_accepted() {
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

        let mut us = R::resumes(MANUAL.accept_resend_without_dup(true), session);
        us.receives(publish(Q2, 5, "x")).sends(pubrec(5));
        us.receives(publish(Q2, 6, "y")).nothing_more();
        us.acknowledge(6).sends(pubrec(6));
        us.receives(pubrel(5)).sends(pubcomp(5));
        us.receives(pubrel(6)).sends(pubcomp(6));
    }
}

/// Once the message was resent on this connection, the next one without DUP is another message
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

        let mut us = R::resumes(MANUAL.accept_resend_without_dup(true), session);
        us.receives(publish(Q2, 5, "x")).nothing_more();
        let error = PeerError::Protocol(ProtocolError::PacketIdInUse(id(5)));
        us.violates(publish(Q2, 5, "x"), error);
        us.closes(CloseReason::Violation(error));
    }
}

/// A SUBSCRIBE is not in the journal, but uses an identifier.
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

// Late acknowledgements

/// `acknowledge` for message 7 of the last connection must not acknowledge another message 7: neither the
/// same one resent at QoS 1, nor a new one at QoS 2.
#[test]
fn an_acknowledgement_of_an_earlier_connection_does_not_answer_a_new_message() {
    for qos in [Q1, Q2] {
        let mut us = AsClient::begins::<Slots>(MANUAL);
        us.receives(publish(qos, 7, "old"))
            .message(publish(qos, 7, "old"));
        let late = us.peer.acknowledgement(id(7)).unwrap();
        let session = us.breaks_off();

        let mut us = AsClient::resumes(MANUAL, session);
        us.receives(publish(qos, 7, "new"))
            .message(publish(qos, 7, "new"));
        let right = us.peer.acknowledgement(id(7)).unwrap();
        assert_eq!(us.peer.acknowledge(late), Err(CommandError::NotAwaited));
        assert_eq!(us.peer.poll_action(), None);
        let session = us.breaks_off();

        // Nor on any later connection.
        let mut us = AsClient::resumes(MANUAL, session);
        us.receives(dup(qos, 7, "new"));
        if qos == Q1 {
            us.message(dup(qos, 7, "new"));
        }
        assert_eq!(us.peer.acknowledge(late), Err(CommandError::NotAwaited));
        let expected = match qos {
            Q1 => Err(CommandError::NotAwaited), // delivered anew
            _ => Ok(()),
        };
        assert_eq!(us.peer.acknowledge(right), expected);
        us.log_pop();
        us.takes_actions();
        while us.log_pop().is_some() {}
    }
}

/// On one connection an acknowledgement is valid for one delivery.
#[test]
fn an_acknowledgement_given_twice_does_not_answer_the_next_message_with_its_identifier() {
    let mut us = AsClient::begins::<Slots>(MANUAL);
    us.receives(publish(Q1, 7, "a"))
        .message(publish(Q1, 7, "a"));
    let first = us.peer.acknowledgement(id(7)).unwrap();
    us.acknowledge(7).sends(puback(7));
    assert_eq!(us.peer.acknowledgement(id(7)), None);
    us.receives(publish(Q1, 7, "b"))
        .message(publish(Q1, 7, "b"));
    assert_eq!(us.peer.acknowledge(first), Err(CommandError::NotAwaited));
    us.acknowledge(7).sends(puback(7));
}

/// A QoS 2 message is not delivered again, so its acknowledgement stays valid between connections
/// and on later ones.
#[test]
fn an_acknowledgement_of_a_qos_2_message_stays_good_over_connections() {
    let mut us = AsServer::begins::<Slots>(MANUAL);
    us.receives(publish(Q2, 7, "a"))
        .message(publish(Q2, 7, "a"));
    us.receives(publish(Q2, 8, "b"))
        .message(publish(Q2, 8, "b"));
    let seven = us.peer.acknowledgement(id(7)).unwrap();
    let eight = us.peer.acknowledgement(id(8)).unwrap();
    us.transport_closes().closes(CloseReason::TransportClosed);
    us.peer.acknowledge(seven).unwrap();
    let mut session = us.peer.into_session();
    for _ in 0..3 {
        let us = AsServer::resumes(MANUAL, session);
        session = us.breaks_off();
    }
    let mut us = AsServer::resumes(MANUAL, session);
    us.receives(dup(Q2, 7, "a")).sends(pubrec(7));
    us.receives(dup(Q2, 8, "b")).nothing_more();
    us.peer.acknowledge(eight).unwrap();
    us.takes_actions().sends(pubrec(8));
}
