//! All tests that need no peer, on the device.

#![no_std]
#![no_main]

use firmware::{console, conversation, entry, exit, pieces, vectors};

#[entry]
fn main() -> ! {
    let mut passed = true;
    for (name, test) in [
        ("vectors", vectors::run as fn() -> bool),
        ("conversation", conversation::run),
        ("pieces", pieces::run),
    ] {
        console::print(name);
        console::print(":\n");
        let success = test();
        console::print(if success { "passed\n" } else { "FAILED\n" });
        passed &= success;
    }
    console::print(if passed { "all passed\n" } else { "failed\n" });
    exit(passed)
}
