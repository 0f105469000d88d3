//! The decoder, and its errors in words.

#![no_std]
#![no_main]

use firmware::{console, entry, exit, measured, stack};

#[entry]
fn main() -> ! {
    console::print_count("decode", measured::decode());
    console::print_count("display", measured::display());
    console::print_count("stack", stack::deepest());
    exit(true)
}
