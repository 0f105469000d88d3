//! The same program as `size_client`, with minimq.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, others, stack};

#[entry]
fn main() -> ! {
    console::print_count("minimq", others::minimq());
    console::print_count("stack", stack::deepest());
    exit(true)
}
