//! A session and its messages in two sectors of flash. The power is lost at each write and each erase in
//! turn. Each reading still arrives as its QoS promises, and each command counts once.
//!
//! ```text
//! cargo run --example flash_journal
//! ```
//!
//! A device can use `journal.rs` and `record.rs`. `device.rs` shows the order: first store, then send. `flash.rs`
//! simulates the flash, and `cuts.rs` the losses of power.

mod broker;
mod cuts;
mod device;
mod flash;
mod journal;
mod record;

use core::error::Error;

use broker::COMMANDS;
use cuts::run;
use device::{READINGS, qos_of};
use flash::LastOperation;

fn main() -> Result<(), Box<dyn Error>> {
    for reading in 0..READINGS {
        println!("reading {reading} is published at {:?}", qos_of(reading));
    }
    println!("the commands are {COMMANDS:?}, each at QoS 2");
    for last in [LastOperation::Complete, LastOperation::Torn] {
        println!("\nthe power is lost, and the last operation is {last:?}");
        let (mut first, mut end, mut before) = (1, 0, None);
        for cut in 1.. {
            let report = run(&[cut], last)?;
            let is_over = report.cuts == 0;
            let result = (report.readings, report.state.total);
            let (readings, total) = before.unwrap_or(result);
            if is_over || before.is_some_and(|before| before != result) {
                println!(
                    "at operation {first:3} to {end:3}: readings came {readings:?} times, commands make {total}"
                );
                first = cut;
            }
            if is_over {
                let (operations, erased) = (report.flash.operations, report.flash.erased);
                println!("never: {operations} operations, {erased} of them an erase");
                break;
            }
            (end, before) = (cut, Some(result));
        }
    }
    Ok(())
}
