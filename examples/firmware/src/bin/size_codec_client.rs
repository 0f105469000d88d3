//! The encoder of every packet, and a client.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, measured, stack};

#[entry]
fn main() -> ! {
    console::print_count("client_and_encode", measured::client_and_encode());
    console::print_count("stack", stack::deepest());
    exit(true)
}
