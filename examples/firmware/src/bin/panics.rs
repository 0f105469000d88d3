//! An image that can panic: `images.py` has to find that out, or it would find it out of none.

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
