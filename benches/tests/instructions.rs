//! Tests of the guard against slowdowns (`benches/instructions.rs`): reading callgrind's output,
//! and comparing counts with the table.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![allow(
    dead_code,
    reason = "writing the table and running valgrind are for the benchmark"
)]

#[path = "../instructions/callgrind.rs"]
mod callgrind;
#[path = "../instructions/table.rs"]
mod table;

use std::path::Path;

use callgrind::{Counted, sum};
use table::{Count, Table};

const TABLE: &str = "\
# rustc 1.0.0 somewhere
build\tworkload\tinstructions\tcalls
bench\tdecode\t100.0\t2.00
bench\tencode\t200.0\t0.00
release\tdecode\t300.0\t0.00
";

/// Returns the complaints about these counts of `decode` and `encode`.
fn complaints(decode: (f64, f64), encode: (f64, f64)) -> Vec<String> {
    let count = |name: &str, (instructions, calls)| {
        let count = Count {
            instructions,
            calls,
        };
        (name.to_owned(), count)
    };
    let counts = [count("decode", decode), count("encode", encode)];
    Table::parse(TABLE).compare("bench", &counts)
}

#[test]
fn counts_within_three_in_a_hundred_are_accepted() {
    assert_eq!(complaints((100.0, 2.0), (200.0, 0.0)), [""; 0]);
    assert_eq!(complaints((102.9, 2.05), (194.1, 0.0)), [""; 0]);
}

#[test]
fn more_instructions_are_a_slowdown() {
    let complaints = complaints((103.2, 2.0), (200.0, 0.0));
    assert_eq!(
        complaints,
        ["decode: 100.00 instructions before, 103.20 now: slower, more than may be"]
    );
}

#[test]
fn fewer_instructions_ask_for_a_new_table() {
    let complaints = complaints((100.0, 2.0), (193.0, 0.0));
    assert_eq!(complaints.len(), 1);
    assert!(complaints.iter().all(|text| text.starts_with("encode:")));
    assert!(
        complaints
            .iter()
            .all(|text| text.contains(".ci/guard --write"))
    );
}

#[test]
fn a_call_of_the_c_library_where_there_was_none_is_a_slowdown() {
    let complaints = complaints((100.0, 2.0), (200.0, 1.0));
    assert_eq!(
        complaints,
        ["encode: 0.00 calls of the C library before, 1.00 now: slower, more than may be"]
    );
}

#[test]
fn a_workload_that_only_one_side_knows_is_a_complaint() {
    let count = Count {
        instructions: 100.0,
        calls: 2.0,
    };
    let counts = [("decode".to_owned(), count), ("match".to_owned(), count)];
    let complaints = Table::parse(TABLE).compare("bench", &counts);
    assert_eq!(complaints.len(), 2);
    assert!(
        complaints
            .iter()
            .any(|text| text.starts_with("match is not"))
    );
    assert!(
        complaints
            .iter()
            .any(|text| text.starts_with("encode is in the table only"))
    );
}

/// The guard can read the table in the repository.
#[test]
fn the_table_has_both_builds_and_names_its_compiler() {
    let table = Table::read();
    assert!(table.compiler.starts_with("rustc "), "{}", table.compiler);
    let unknown = Count {
        instructions: 0.0,
        calls: 0.0,
    };
    for build in ["bench", "release"] {
        let complaints = table.compare(build, &[("unknown".to_owned(), unknown)]);
        assert!(complaints.len() > 20, "{build}: {complaints:?}");
    }
}

/// The example of the Valgrind manual, "Callgrind Format Specification".
#[test]
fn instructions_of_the_program_are_counted_and_its_calls_of_others() {
    let profile = "\
events: Ir
ob=(1) /program
fl=(1) main.rs
fn=(1) main
16 20
+1 2
cob=(2) /lib/libc.so.6
cfn=(2) memcpy
calls=3 0
* 400
cfn=(3) inner
calls=1 16
16 50
fn=(3)
* 50
ob=(2)
fn=(2)
0 400
calls=7 0
0 70
";
    let counted = sum(profile, Path::new("/program"));
    let expected = Counted {
        instructions: 20 + 2 + 50,
        calls: 3,
    };
    assert_eq!(counted, expected);
}
