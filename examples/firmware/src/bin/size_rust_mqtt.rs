//! The same program as `size_client`, with rust-mqtt.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, others, stack};

#[entry]
fn main() -> ! {
    console::print_count("rust_mqtt", others::rust_mqtt());
    console::print_count("stack", stack::deepest());
    exit(true)
}
