//! What every image has: the difference to this one is what MQTT takes.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, stack};

#[entry]
fn main() -> ! {
    console::print_count("stack", stack::deepest());
    exit(true)
}
