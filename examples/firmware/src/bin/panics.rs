//! An image that can panic, to test that `images.py` detects it.

#![no_std]
#![no_main]

use firmware::{console, entry, exit};

#[entry]
fn main() -> ! {
    let numbers = core::hint::black_box([1, 2, 3]);
    let index = core::hint::black_box(1);
    console::print_count("indexed", numbers[index]);
    exit(true)
}
