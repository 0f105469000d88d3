//! The encoder of every packet, and a client, of MQTT 3.1.1 and of MQTT 5.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, measured, stack};

#[entry]
fn main() -> ! {
    console::print_count("client_and_encode", measured::client_and_encode());
    console::print_count("client_and_encode_v5", measured::v5::client_and_encode());
    console::print_count("stack", stack::deepest());
    exit(true)
}
