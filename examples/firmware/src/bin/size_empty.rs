//! The base of the size table: the other images are compared with this one.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, stack};

#[entry]
fn main() -> ! {
    console::print_count("stack", stack::deepest());
    exit(true)
}
