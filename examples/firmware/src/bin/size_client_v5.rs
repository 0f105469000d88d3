//! A client of MQTT 5.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, measured, stack};

#[entry]
fn main() -> ! {
    console::print_count("client_v5", measured::v5::client());
    console::print_count("stack", stack::deepest());
    exit(true)
}
