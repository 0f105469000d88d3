//! The decoder, and the encoder of every packet.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, measured, stack};

#[entry]
fn main() -> ! {
    console::print_count("decode_and_encode", measured::decode_and_encode());
    console::print_count("stack", stack::deepest());
    exit(true)
}
