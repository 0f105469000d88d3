//! Instruction counts of fixed workloads under callgrind, which are reproducible:
//!
//! ```text
//! cargo bench --bench instructions                          # runs each once, without counting
//! cargo bench --bench instructions -- --check bench         # counts, and compares with the table
//! cargo bench --bench instructions -- --write bench         # counts, and writes the table
//! ```
//!
//! `bench` is the name of the build in the table, `instructions.tsv`. `.ci/guard` counts two
//! builds: that of `cargo bench`, and that of `--profile release`, a user's default, without
//! optimisation across crates.
//!
//! The counts include the instructions of this program, library and workload, and the number of
//! calls to the C library. They exclude the instructions of the C library, above all `memcpy`,
//! which depend on its version and the processor. The program itself is built for the oldest
//! processor of its architecture, so it runs the same instructions everywhere. The counts depend on
//! the compiler, so the table names it, and is compared only with counts of the same compiler.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
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

/// The function that callgrind measures, with everything that it calls.
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

/// Runs one workload, in the process that callgrind measures.
fn run(name: &str) {
    let workload = all().into_iter().find(|workload| workload.name == name);
    let mut work = (workload.expect("no such workload").work)();
    // The first run does not count.
    work.run();
    work.check();
    work.prepare();
    counted(&mut || work.run());
}

/// Exits because a required tool is missing.
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

/// Returns the counts of all workloads, or `None` without valgrind.
fn counts() -> Option<Vec<(String, Count)>> {
    all()
        .into_iter()
        .map(|workload| {
            let count = callgrind::count(workload.name)?.per(workload.packets);
            Some((workload.name.to_owned(), count))
        })
        .collect()
}
