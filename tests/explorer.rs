//! Visits every interleaving of small worlds, with the real connections. Each search prints how many
//! states and transitions it has visited.
//!
//! ```text
//! cargo test --test explorer                                            the small worlds
//! MQTT_EXPLORE=large cargo test --release --test explorer -- --nocapture    the large ones: minutes
//! MQTT_EXPLORE='Keep Alive' cargo test --release --test explorer -- --nocapture    those of this name
//! ```

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_ref_mut,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod exploration;

use std::time::Instant;

use exploration::explore;
use exploration::plan::Pair::{V3, V3Any, V5, V5Any};
use exploration::plan::{Fault, Plan, Sessions, SidePlan};
use mqtt_sansio::QoS::{self, AtLeastOnce as Q1, AtMostOnce as Q0, ExactlyOnce as Q2};

const fn sends(messages: &'static [QoS]) -> SidePlan {
    SidePlan::publishes(messages)
}

const SILENT: SidePlan = sends(&[]);

const fn mixed() -> SidePlan {
    sends(&[Q1, Q2, Q1, Q2]).window(2)
}

/// One in this number of the states reached again is compared with the state that it equals.
const COMPARE_EVERY: usize = 20;

fn check(plan: Plan, least: usize) {
    let start = Instant::now();
    match explore(plan, COMPARE_EVERY, 40_000_000) {
        Ok(found) => {
            println!(
                "{} ({:?}): {} states, {} transitions, {} ends, {} moves deep, {} compared, {:.1?}",
                plan.name,
                plan.pair,
                found.states,
                found.transitions,
                found.ends,
                found.depth,
                found.compared,
                start.elapsed()
            );
            // A world with few states proves nothing.
            assert!(found.states >= least, "{}: {found:?}", plan.name);
        }
        Err(counterexample) => panic!(
            "{}\n{}: {}",
            counterexample.transcript, plan.name, counterexample.why
        ),
    }
}

/// Runs these worlds, unless the large ones are selected.
fn check_all(plans: impl IntoIterator<Item = Plan>) {
    if std::env::var_os("MQTT_EXPLORE").is_none() {
        for plan in plans {
            check(plan, 500);
        }
    }
}

// Small worlds

#[test]
fn a_cut_and_a_crash_at_any_moment_lose_and_repeat_nothing() {
    check_all(
        [
            Plan::new("both ways", V3, sends(&[Q1]), sends(&[Q2])),
            Plan::new("both ways", V5, sends(&[Q2]), sends(&[Q1])),
            Plan::new("both ways", V3Any, sends(&[Q2]), sends(&[Q1])),
            Plan::new("both ways", V5Any, sends(&[Q1]), sends(&[Q2])),
        ]
        .map(|plan| plan.cuts(1).crashes(1)),
    );
}

#[test]
fn two_messages_at_each_qos_arrive_in_order() {
    let two = || sends(&[Q0, Q1, Q2, Q1, Q2]).window(2);
    check_all([
        Plan::new("two of each", V3, two(), SILENT).cuts(1),
        Plan::new("two of each", V5, SILENT, two()).cuts(1),
        Plan::new("sent again later", V3, two(), SILENT)
            .cuts(1)
            .resends_later(),
        Plan::new(
            "no journal",
            V5Any,
            sends(&[Q1, Q2]).without_journal(),
            sends(&[Q2]).without_journal(),
        )
        .cuts(1),
        Plan::new(
            "saved in order",
            V3,
            sends(&[Q2]).without_journal(),
            sends(&[Q2, Q1]).without_journal(),
        )
        .crashes(2),
    ]);
}

/// [MQTT5-3.3.4-7, MQTT5-3.3.4-9, MQTT5-4.9.0-1, MQTT5-4.9.0-2, MQTT5-4.9.0-3]
#[test]
fn a_narrow_window_is_kept_to_and_lets_everything_through() {
    check_all([
        Plan::new(
            "Receive Maximum 1",
            V5,
            sends(&[Q2, Q1, Q2]),
            SILENT.receive_maximum(1),
        )
        .cuts(2),
        Plan::new(
            "Receive Maximum 1",
            V5Any,
            SILENT.receive_maximum(1),
            sends(&[Q1, Q2]),
        )
        .cuts(1)
        .crashes(1),
        Plan::new(
            "window of 1",
            V3,
            sends(&[Q2, Q1]).window(1),
            sends(&[Q2]).window(1),
        )
        .cuts(1),
        Plan::new("narrower", V5, mixed(), SILENT).cuts(1).narrows(),
        Plan::new("narrower", V3Any, SILENT, mixed())
            .cuts(1)
            .narrows(),
        Plan::new(
            "no room for a message",
            V3,
            sends(&[Q2, Q2, Q1]),
            SILENT.receive_maximum(1),
        )
        .cuts(1),
    ]);
}

#[test]
fn messages_acknowledged_in_any_order_are_acknowledged_in_their_order() {
    check_all([
        Plan::new("manual", V3, SILENT.manual(), sends(&[Q1, Q2, Q2])).cuts(1),
        Plan::new(
            "manual, narrow",
            V3,
            sends(&[Q1, Q2, Q2]),
            SILENT.manual().receive_maximum(1),
        )
        .cuts(1),
        Plan::new("manual, a crash", V5, sends(&[Q1, Q2]), SILENT.manual())
            .cuts(1)
            .crashes(1),
    ]);
}

#[test]
fn a_session_that_ends_takes_its_messages_along_and_they_are_published_anew() {
    check_all(
        [
            Plan::new("clean", V3, sends(&[Q1, Q2]), SILENT).sessions(Sessions::Clean),
            Plan::new("clean", V5Any, SILENT, sends(&[Q2, Q1])).sessions(Sessions::Clean),
            Plan::new("forgotten", V5, sends(&[Q2, Q1]), SILENT).sessions(Sessions::Forgotten),
            Plan::new("forgotten", V3Any, SILENT, sends(&[Q1, Q2])).sessions(Sessions::Forgotten),
        ]
        .map(|plan| plan.cuts(1).crashes(1)),
    );
}

/// [MQTT-3.1.2-23, MQTT-3.1.2-24]
#[test]
fn a_deadline_at_any_moment_loses_and_repeats_nothing() {
    check_all([
        Plan::new("Keep Alive", V3, sends(&[Q2]), SILENT)
            .cuts(1)
            .ticks(2, 10),
        Plan::new("Keep Alive", V5Any, SILENT, sends(&[Q1]))
            .cuts(1)
            .ticks(2, 10),
        Plan::new("silence", V3, sends(&[Q2]), sends(&[Q1]))
            .cuts(1)
            .ticks(0, 10)
            .silences(),
        Plan::new("silence", V5, sends(&[Q1]), sends(&[Q2]))
            .cuts(1)
            .ticks(0, 10)
            .silences(),
    ]);
}

/// [MQTT5-4.3.3-4, MQTT5-4.3.3-9, MQTT5-4.4.0-2]
#[test]
fn a_message_that_is_refused_gives_back_its_identifier_and_its_quota() {
    check_all([
        Plan::new(
            "refused",
            V5,
            sends(&[Q2, Q1, Q2]),
            SILENT.manual().receive_maximum(1),
        )
        .refusals(2)
        .cuts(1),
        Plan::new("refused", V5Any, sends(&[Q2]), SILENT.manual())
            .refusals(1)
            .cuts(1)
            .crashes(1),
        Plan::new(
            "refused, saved",
            V5,
            SILENT.manual().without_journal(),
            sends(&[Q1, Q2]),
        )
        .refusals(1)
        .cuts(1)
        .crashes(1),
    ]);
}

/// [MQTT-2.3.1-2, MQTT5-2.2.1-3]
#[test]
fn an_identifier_in_use_is_not_used_for_anything_else() {
    check_all([
        Plan::new("identifiers", V5, sends(&[Q1, Q2, Q1]), SILENT)
            .first_id(65_534)
            .cuts(1),
        Plan::new("SUBSCRIBE", V3, sends(&[Q1]), SILENT)
            .subscribes()
            .cuts(1)
            .crashes(1),
        Plan::new("SUBSCRIBE", V5Any, sends(&[Q2]), sends(&[Q1]))
            .subscribes()
            .cuts(1),
    ]);
}

// Large worlds

fn large() -> Vec<Plan> {
    let two = || sends(&[Q0, Q1, Q2, Q1, Q2]).window(2);
    let mut plans = vec![
        Plan::new("two of each both ways, a cut", V5, two(), two()).cuts(1),
        Plan::new("two of each, two cuts, two crashes", V5, mixed(), SILENT)
            .cuts(2)
            .crashes(2),
        Plan::new(
            "two of each back, two cuts, two crashes",
            V5Any,
            SILENT,
            mixed(),
        )
        .cuts(2)
        .crashes(2),
        Plan::new("two of each both ways, a cut, a crash", V3, two(), mixed())
            .cuts(1)
            .crashes(1),
        Plan::new(
            "two of each both ways, a cut, a crash, Receive Maximum 1",
            V5,
            mixed().receive_maximum(1),
            mixed().receive_maximum(1),
        )
        .cuts(1)
        .crashes(1),
        Plan::new(
            "manual both ways, a cut, a crash",
            V5,
            sends(&[Q1, Q2]).manual(),
            sends(&[Q1, Q2]).manual(),
        )
        .cuts(1)
        .crashes(1),
        Plan::new(
            "refused both ways, a cut, a crash",
            V5,
            sends(&[Q1, Q2]).manual(),
            sends(&[Q2]).manual(),
        )
        .refusals(2)
        .cuts(1)
        .crashes(1),
        Plan::new("manual, three cuts", V3, SILENT.manual(), mixed()).cuts(3),
        Plan::new("identifiers both ways, a cut", V3, mixed(), mixed())
            .first_id(65_534)
            .cuts(1),
    ];
    for pair in [V3, V5, V3Any, V5Any] {
        let both = Plan::new(
            "both ways, two cuts, a crash",
            pair,
            sends(&[Q1, Q2]),
            sends(&[Q2, Q1]),
        );
        let clean = Plan::new("clean", pair, sends(&[Q1, Q2]), sends(&[Q2]));
        let forgotten = Plan::new("forgotten", pair, sends(&[Q1, Q2]), sends(&[Q2]));
        let time = Plan::new("Keep Alive", pair, sends(&[Q1]), sends(&[Q2]));
        plans.extend([
            both.cuts(2).crashes(1),
            Plan {
                name: "sent again later",
                ..both
            }
            .cuts(1)
            .crashes(1)
            .resends_later(),
            clean.sessions(Sessions::Clean).cuts(1).crashes(1),
            forgotten.sessions(Sessions::Forgotten).cuts(1).crashes(1),
            time.cuts(1).ticks(3, 10),
            Plan::new("SUBSCRIBE", pair, sends(&[Q1, Q2]).window(2), sends(&[Q2]))
                .subscribes()
                .cuts(1)
                .crashes(1),
        ]);
    }
    plans
}

#[test]
fn the_large_worlds_that_are_asked_for_hold() {
    let Ok(name) = std::env::var("MQTT_EXPLORE") else {
        return;
    };
    let mut plans = large();
    plans.retain(|plan| name == "large" || plan.name.contains(&name));
    assert!(!plans.is_empty(), "no world is called {name}");
    for plan in plans {
        check(plan, 1_000);
    }
}

// The checks detect faults

fn is_noticed(fault: Fault, why: &str) {
    let plan = Plan::new("a fault", V3, sends(&[Q1, Q2]), SILENT)
        .cuts(1)
        .crashes(1);
    match explore(plan.fault(fault), COMPARE_EVERY, 100_000) {
        Ok(found) => panic!("{fault:?} is not noticed in {found:?}"),
        Err(counterexample) => {
            assert!(
                counterexample.why.contains(why),
                "{fault:?} is noticed otherwise: {}",
                counterexample.why
            );
            assert!(counterexample.transcript.contains("us.publish("));
        }
    }
}

#[test]
fn a_message_that_is_kept_twice_is_noticed() {
    is_noticed(Fault::KeepTwice, "has come 2 times at ExactlyOnce");
}

#[test]
fn a_message_that_is_acknowledged_and_not_kept_is_noticed() {
    is_noticed(Fault::LoseMessage, "has come 0 times at AtLeastOnce");
}

#[test]
fn a_change_that_is_not_stored_is_noticed() {
    is_noticed(Fault::SkipStore, "the journal of the Server holds");
}

#[test]
fn an_acknowledgement_that_does_not_leave_is_noticed() {
    is_noticed(Fault::DropPuback, "nobody can go on");
}

#[test]
fn a_release_that_does_not_leave_is_noticed() {
    is_noticed(Fault::DropPubrel, "nobody can go on");
}

#[test]
fn a_message_sent_again_without_dup_is_noticed() {
    is_noticed(Fault::ClearDup, "MQTT-3.3.1-1");
}

#[test]
fn a_message_that_leaves_twice_is_noticed() {
    is_noticed(Fault::SendTwice, "MQTT-2.3.1-2");
}

#[test]
fn a_message_that_leaves_before_it_is_stored_is_noticed() {
    is_noticed(Fault::SendBeforeStore, "message 0 has no DUP");
}
