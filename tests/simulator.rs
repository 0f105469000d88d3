//! Two peers of this library over a bad link: the promises of MQTT hold. Both speak MQTT 3.1.1 or
//! MQTT 5, and the server may be one of any version. Each group of four seeds is one plan, run for
//! each pair.
//!
//! ```text
//! cargo test --test simulator                         the default seeds
//! MQTT_SIM_SEEDS=1000000 cargo test --test simulator  this number of seeds
//! MQTT_SIM_SEED=17 cargo test --test simulator        this seed, with its transcript
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
    clippy::unreachable,
    reason = "a test fails by panicking"
)]

mod simulation;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use simulation::{Chance, Plan, Sabotage, Stats, Transcript, run_by};

/// How many seeds run by default.
const SEEDS: u64 = 3_000;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.replace('_', "").parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is not a number: {text}")))
}

/// Why the run failed, if it did. A panic of the library is a failure too.
fn run(plan: &Plan, transcript: Option<&Transcript>) -> Result<Stats, String> {
    let report = catch_unwind(AssertUnwindSafe(|| {
        simulation::run(plan.clone(), transcript)
    }));
    match report {
        Ok(report) => report.failure.map_or(Ok(report.stats), Err),
        Err(_) => Err("a panic".to_owned()),
    }
}

/// Runs one seed. If it fails, runs it again with a transcript.
fn check(seed: u64) -> Stats {
    let plan = Plan::new(seed);
    run(&plan, None).unwrap_or_else(|failure| {
        let transcript = Transcript::default();
        let again = run(&plan, Some(&transcript));
        println!("{}", transcript.borrow().join("\n"));
        assert_eq!(again.err().as_ref(), Some(&failure), "the same run again");
        panic!(
            "seed {seed} fails: {failure}\n\
             MQTT_SIM_SEED={seed} cargo test --test simulator"
        );
    })
}

/// Runs the seeds up to this one, on all cores.
fn check_all(seeds: u64) -> Stats {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut all = Stats::default();
    thread::scope(|scope| {
        let work = |first: usize| {
            let mut some = Stats::default();
            for seed in (first as u64..seeds).step_by(threads) {
                some.add(&check(seed));
            }
            some
        };
        let workers: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || work(first)))
            .collect();
        for worker in workers {
            match worker.join() {
                Ok(some) => all.add(&some),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    all
}

#[test]
fn what_mqtt_promises_holds_over_a_bad_link() {
    if let Some(seed) = number_from("MQTT_SIM_SEED") {
        let transcript = Transcript::default();
        let outcome = run(&Plan::new(seed), Some(&transcript));
        println!("{}", transcript.borrow().join("\n"));
        println!("seed {seed}: {outcome:#?}");
        assert!(outcome.is_ok(), "seed {seed} fails");
        return;
    }
    let seeds = number_from("MQTT_SIM_SEEDS").unwrap_or(SEEDS);
    let stats = check_all(seeds);
    println!("{seeds} seeds: {stats:#?}");
    if seeds >= SEEDS {
        check_that_much_has_happened(&stats);
    }
}

/// Checks that the link was bad: otherwise the run proves nothing.
fn check_that_much_has_happened(stats: &Stats) {
    // Destructured, so that no statistic is forgotten.
    let Stats {
        connections,
        drops,
        journal_restarts,
        snapshot_restarts,
        volatile_losses,
        delivered,
        resends,
        released_again,
        duplicates_suppressed,
        pieces_received,
        pieces_sent,
        lost_by_server,
        lost_messages,
        late_acknowledgements,
        acknowledged_while_away,
        inbound_full,
        window_full,
        resend_pending,
        held_back,
        early,
        takeovers,
        refusals,
        disconnects,
        requests,
        forgotten,
        pings,
        time_outs,
        wills_published,
        journals_compacted,
        delivered_qos_2,
        aliases_used,
        quota_full,
        rejected,
        expired,
        ended_by_client,
        expiry_shortened,
        dismissed,
    } = *stats;
    for (what, count, floor) in [
        ("connections", connections, 10_000),
        ("drops", drops, 5_000),
        ("restarts from a journal", journal_restarts, 2_000),
        ("restarts from a saved session", snapshot_restarts, 2_000),
        ("restarts that lost something", volatile_losses, 150),
        ("messages", delivered, 50_000),
        ("messages sent again", resends, 3_000),
        ("PUBRELs sent again", released_again, 200),
        ("duplicates suppressed", duplicates_suppressed, 400),
        ("messages received in pieces", pieces_received, 5_000),
        ("pieces sent", pieces_sent, 10_000),
        ("sessions lost by the server", lost_by_server, 200),
        ("messages lost with a session", lost_messages, 1_000),
        ("acknowledgements out of turn", late_acknowledgements, 500),
        ("acknowledgements while away", acknowledged_while_away, 50),
        ("inbound storage full", inbound_full, 500),
        ("windows full", window_full, 5_000),
        ("new messages behind resends", resend_pending, 800),
        ("packets held back", held_back, 5_000),
        ("packets before CONNACK", early, 1_000),
        ("takeovers", takeovers, 200),
        ("refusals", refusals, 100),
        ("disconnects", disconnects, 3_000),
        ("requests", requests, 500),
        ("messages forgotten", forgotten, 20),
        ("pings", pings, 5_000),
        ("deadlines", time_outs, 5_000),
        ("wills", wills_published, 300),
        ("journals compacted", journals_compacted, 1_000),
        ("messages at QoS 2", delivered_qos_2, 20_000),
        ("Topic Aliases used", aliases_used, 3_000),
        ("messages that waited for the quota", quota_full, 4_000),
        ("messages refused", rejected, 60),
        ("sessions expired", expired, 50),
        ("sessions ended by DISCONNECT", ended_by_client, 100),
        ("sessions kept for less time", expiry_shortened, 50),
        ("clients dismissed", dismissed, 150),
    ] {
        assert!(count >= floor, "only {count} {what}");
    }
}

/// The fuzz target `simulation` depends on this.
#[test]
fn bytes_decide_in_place_of_a_seed_and_the_same_bytes_are_the_same_run() {
    let run_of = |bytes: &[u8]| {
        let mut chance = Chance::from_bytes(bytes);
        let plan = Plan::chosen(&mut chance);
        let report = run_by(chance, plan.clone(), None);
        assert_eq!(report.failure, None);
        format!("{plan:?} {:?}", report.stats)
    };
    let (some, other) = (b"some bytes".repeat(50), b"other bytes".repeat(50));
    assert_eq!(run_of(&some), run_of(&some));
    assert_ne!(run_of(&some), run_of(&other));
}

// The checks detect faults

/// Commits the fault in run after run until one fails with this reason. It may also fail with
/// `another`, but with no third one.
fn is_noticed(sabotage: Sabotage, why: &str, another: &str) {
    for seed in 0..200 {
        let plan = Plan {
            sabotage: Some(sabotage),
            ..Plan::new(seed)
        };
        match run(&plan, None) {
            Err(failure) if failure.contains(why) => return,
            Err(failure) => assert!(
                failure.contains(another),
                "{sabotage:?} with seed {seed} is noticed otherwise: {failure}"
            ),
            Ok(_) => {}
        }
    }
    panic!("{sabotage:?} is never noticed");
}

#[test]
fn a_message_delivered_twice_is_noticed() {
    let why = "has come 2 times at ExactlyOnce";
    is_noticed(Sabotage::DeliverTwice, why, why);
}

#[test]
fn a_message_that_is_not_kept_is_noticed() {
    // Or the message is resent, and arrives after the next one.
    is_noticed(Sabotage::LoseDelivery, "has come 0 times", "MQTT-4.6.0-5");
}

#[test]
fn messages_out_of_order_are_noticed() {
    is_noticed(Sabotage::SwapDeliveries, "MQTT-4.6.0-5", "has come 0 times");
}

#[test]
fn an_acknowledgement_that_is_not_sent_is_noticed() {
    let next = "MQTT-4.6.0-2";
    is_noticed(Sabotage::DropAcknowledgement, "no progress", next);
}

#[test]
fn a_release_that_is_not_sent_is_noticed() {
    is_noticed(Sabotage::DropRelease, "no progress", "MQTT-4.6.0-4");
}

#[test]
fn a_resend_without_dup_is_noticed() {
    // Or the bytes were a piece of a payload that looks like a message.
    is_noticed(Sabotage::ClearDup, "MQTT-3.3.1-1", "sends another message");
}

#[test]
fn a_packet_sent_twice_is_noticed() {
    let why = "without DUP";
    is_noticed(Sabotage::SendTwice, why, "is sent again out of order");
}

#[test]
fn an_altered_payload_is_noticed() {
    let why = "sends another message";
    is_noticed(Sabotage::AlterPayload, why, why);
}

#[test]
fn a_change_that_is_not_stored_is_noticed() {
    // Or a crash reveals it.
    is_noticed(
        Sabotage::SkipStore,
        "the journal of the",
        "has come 2 times",
    );
}
