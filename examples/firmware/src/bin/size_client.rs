//! A client as a device has it.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, measured, stack};

#[entry]
fn main() -> ! {
    console::print_count("client", measured::client());
    console::print_count("stack", stack::deepest());
    exit(true)
}
