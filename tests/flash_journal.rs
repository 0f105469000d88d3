//! `examples/flash_journal`: loses the power at each operation of the flash in turn.

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::std_instead_of_core,
    reason = "a test fails by panicking"
)]

#[path = "../examples/flash_journal/broker.rs"]
mod broker;
#[path = "../examples/flash_journal/cuts.rs"]
mod cuts;
#[path = "../examples/flash_journal/device.rs"]
mod device;
#[path = "../examples/flash_journal/flash.rs"]
mod flash;
#[path = "../examples/flash_journal/journal.rs"]
mod journal;
#[path = "../examples/flash_journal/record.rs"]
mod record;

use broker::COMMANDS;
use cuts::{Report, run};
use device::{READINGS, qos_of};
use flash::LastOperation::{self, Complete, Torn};
use mqtt_sansio::QoS;
use record::State;

/// Runs through these losses of power. Checks that each QoS 1 message was delivered at least once, and
/// each QoS 2 message exactly once.
fn survives(cuts: &[u32], last: LastOperation) -> Report {
    let report = run(cuts, last).unwrap_or_else(|why| panic!("{cuts:?}, {last:?}: {why}"));
    let total = COMMANDS.iter().copied().map(u16::from).sum();
    let stored = State {
        published: READINGS,
        total,
    };
    assert_eq!(report.state, stored, "{cuts:?}, {last:?}");
    for (reading, times) in (0..READINGS).zip(report.readings) {
        let holds = match qos_of(reading) {
            QoS::ExactlyOnce => times == 1,
            _ => times >= 1,
        };
        assert!(
            holds,
            "{cuts:?}, {last:?}: reading {reading} came {times} times"
        );
    }
    report
}

/// Returns how many operations there are without a loss of power.
fn operations() -> u32 {
    let report = survives(&[], Complete);
    assert_eq!(report.cuts, 0);
    assert!(report.readings.iter().all(|times| *times == 1));
    assert!(report.flash.erased >= 3, "the journal is compacted");
    report.flash.operations
}

#[test]
fn messages_keep_their_promise_if_the_power_is_lost_after_any_write() {
    let mut again = 0;
    for cut in 1..=operations() {
        let report = survives(&[cut], Complete);
        assert_eq!(report.cuts, 1);
        again += u32::from(report.readings.iter().any(|times| *times > 1));
    }
    assert!(
        again > 0,
        "no message at QoS 1 was ever sent again to a broker that had it"
    );
}

#[test]
fn messages_keep_their_promise_if_the_power_is_lost_during_any_write() {
    for cut in 1..=operations() {
        assert_eq!(survives(&[cut], Torn).cuts, 1);
    }
}

#[test]
fn messages_keep_their_promise_if_the_power_is_lost_again_while_the_journal_is_read_or_goes_on() {
    let mut twice = 0;
    for cut in 1..=operations() {
        for next in [1, 4, 9, 30] {
            twice += u32::from(survives(&[cut, next, next], Torn).cuts == 3);
        }
    }
    assert!(twice > 500, "only {twice} runs lost the power three times");
}
