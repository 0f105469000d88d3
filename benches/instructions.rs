//! Instruction counts of fixed workloads under callgrind, which are exact, unlike times:
//!
//! ```text
//! cargo bench --bench instructions                          # runs each once, without counting
//! cargo bench --bench instructions -- --check bench         # counts, and compares with the table
//! cargo bench --bench instructions -- --write bench         # counts, and writes the table
//! ```
//!
//! `bench` is the name of the build in the table, `instructions.tsv`. `.ci/guard` counts in two: as
//! `cargo bench` builds, and with `--profile release`, which is what a user gets who has set
//! nothing, without optimisation across crates.
//!
//! Counted are the instructions of this program alone, library and workload, and besides them the
//! calls that leave it. What the C library does, `memcpy` above all, depends on its version and on
//! the processor, for which it chooses among several; none of its instructions is in the table. The
//! program itself is built for the oldest processor of its architecture, so it runs the same
//! instructions everywhere. They depend on the compiler, so the table names it, and nothing is
//! compared with another one.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark stops at the first thing that is wrong"
)]

#[path = "instructions/callgrind.rs"]
mod callgrind;
#[path = "instructions/table.rs"]
mod table;
#[path = "instructions/workloads.rs"]
mod workloads;

use std::process::ExitCode;

use table::{Count, Table};
use workloads::all;

/// What callgrind counts: everything below this call.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--run", name, ..] => run(name),
        ["--check", build, ..] => return check(build),
        ["--write", build, ..] => return write(build),
        _ => {
            for workload in all() {
                run(workload.name);
            }
            println!("{} workloads run, none counted", all().len());
        }
    }
    ExitCode::SUCCESS
}

/// One workload, in the process that callgrind watches.
fn run(name: &str) {
    let workload = all().into_iter().find(|workload| workload.name == name);
    let mut work = (workload.expect("no such workload").work)();
    // What happens only the first time does not count.
    work.run();
    work.check();
    work.prepare();
    counted(&mut || work.run());
}

/// What there is no verdict without is not here.
fn skip(why: &str) -> ExitCode {
    println!("skipped: {why}");
    ExitCode::from(3)
}

const NO_VALGRIND: &str = "valgrind is not installed";

fn check(build: &str) -> ExitCode {
    let table = Table::read();
    let compiler = callgrind::compiler();
    if table.compiler != compiler {
        return skip(&format!(
            "the table is for {}, and this is {compiler}",
            table.compiler
        ));
    }
    let Some(counts) = counts() else {
        return skip(NO_VALGRIND);
    };
    let complaints = table.compare(build, &counts);
    if complaints.is_empty() {
        println!("{} counts are as in the table", counts.len());
        return ExitCode::SUCCESS;
    }
    for complaint in complaints {
        println!("{build}: {complaint}");
    }
    ExitCode::FAILURE
}

fn write(build: &str) -> ExitCode {
    let Some(counts) = counts() else {
        return skip(NO_VALGRIND);
    };
    let mut table = Table::read();
    table.set(callgrind::compiler(), build, counts);
    table.write();
    ExitCode::SUCCESS
}

/// The counts of all workloads, `None` without valgrind.
fn counts() -> Option<Vec<(String, Count)>> {
    all()
        .into_iter()
        .map(|workload| {
            let count = callgrind::count(workload.name)?.per(workload.packets);
            Some((workload.name.to_owned(), count))
        })
        .collect()
}
