//! Every interleaving of small worlds: nothing is sampled.
//!
//! ```text
//! cargo test --test explorer                                        the small worlds
//! MQTT_EXPLORE=large cargo test --release --test explorer           the large ones, for minutes
//! MQTT_EXPLORE='QoS 2 at v3' cargo test --release --test explorer   this one
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
    reason = "a test stops at what it does not expect"
)]

mod exploration;

use std::time::Instant;

use exploration::plan::{Pair, Plan, Sessions, SidePlan};
use exploration::{Found, explore};
use mqtt_sansio::QoS::{self, AtLeastOnce as Q1, AtMostOnce as Q0, ExactlyOnce as Q2};

const fn sends(messages: &'static [QoS]) -> SidePlan {
    SidePlan::publishes(messages)
}

const SILENT: SidePlan = sends(&[]);

fn small() -> Vec<Plan> {
    vec![
        Plan::new("both ways, v3", Pair::V3, sends(&[Q1, Q2]), sends(&[Q2])).cuts(1).crashes(1),
        Plan::new("both ways, v5", Pair::V5, sends(&[Q2]), sends(&[Q1, Q2])).cuts(1).crashes(1),
        Plan::new("both ways, v5 at any", Pair::V5Any, sends(&[Q2]), sends(&[Q2])).cuts(1).crashes(1),
        Plan::new("both ways, v3 at any", Pair::V3Any, sends(&[Q1]), sends(&[Q2])).cuts(1).crashes(1),
        Plan::new("two of each, v3", Pair::V3, sends(&[Q1, Q2, Q0, Q1, Q2]).window(2), SILENT).cuts(1),
        Plan::new("Receive Maximum 1", Pair::V5, sends(&[Q2, Q1, Q2]), SILENT.receive_maximum(1)).cuts(2),
        Plan::new("Receive Maximum 1 at any", Pair::V5Any, SILENT.receive_maximum(1), sends(&[Q1, Q2, Q2])).cuts(1).crashes(1),
        Plan::new("window of 1", Pair::V3, sends(&[Q2, Q1]).window(1), sends(&[Q2]).window(1)).cuts(2),
        Plan::new("manual, v3", Pair::V3, SILENT.manual(), sends(&[Q1, Q2, Q1, Q2])).cuts(1),
        Plan::new("manual with a crash, v5", Pair::V5, sends(&[Q1, Q2]), SILENT.manual()).cuts(1).crashes(1),
        Plan::new("manual, narrow", Pair::V3, sends(&[Q1, Q2, Q2]), SILENT.manual().receive_maximum(1)).cuts(1),
        Plan::new("no room for a message", Pair::V3, sends(&[Q2, Q2, Q1]), SILENT.receive_maximum(1)).cuts(1),
        Plan::new("clean, v3", Pair::V3, sends(&[Q1, Q2]), sends(&[Q2])).sessions(Sessions::Clean).cuts(1).crashes(1),
        Plan::new("clean, v5 at any", Pair::V5Any, sends(&[Q1, Q2]), sends(&[Q2])).sessions(Sessions::Clean).cuts(1).crashes(1),
        Plan::new("forgotten, v3", Pair::V3, sends(&[Q1, Q2]), sends(&[Q2])).sessions(Sessions::Forgotten).cuts(1).crashes(1),
        Plan::new("forgotten, v5 at any", Pair::V5Any, sends(&[Q1, Q2]), sends(&[Q2])).sessions(Sessions::Forgotten).cuts(1).crashes(1),
        Plan::new("Keep Alive, v3", Pair::V3, sends(&[Q1]), sends(&[Q2])).cuts(1).ticks(3, 10),
        Plan::new("Keep Alive, v5", Pair::V5, sends(&[Q2]), SILENT).cuts(1).ticks(4, 10),
        Plan::new("resends later, v3", Pair::V3, sends(&[Q1, Q2, Q1]), SILENT).cuts(2).resends_later(),
        Plan::new("identifiers begin again, v5", Pair::V5, sends(&[Q1, Q2, Q1]), sends(&[Q2])).cuts(1).first_id(65_534),
        Plan::new("memory only, v5", Pair::V5, sends(&[Q1, Q2]).without_journal(), sends(&[Q1, Q2]).without_journal()).cuts(1),
    ]
}

fn run(plan: Plan, compare_every: usize, most: usize) -> Found {
    let start = Instant::now();
    match explore(plan, compare_every, most) {
        Ok(found) => {
            println!("{}: {found:?} in {:?}", plan.name, start.elapsed());
            found
        }
        Err(counterexample) => panic!(
            "{}\n{}: {}",
            counterexample.transcript, plan.name, counterexample.why
        ),
    }
}

#[test]
fn first() {
    let mut bad = 0;
    for plan in small() {
        if std::env::var("W").is_ok_and(|w| !plan.name.contains(&w)) { continue; }
        if std::panic::catch_unwind(|| run(plan, 1, 3_000_000)).is_err() { bad += 1; println!("BAD {}", plan.name); }
    }
    assert_eq!(bad, 0);
}
