//! The common part of the images: start and end of a program, output, stack depth; and for the live
//! image its clock and its serial port.
//! Nothing here formats with `core::fmt`, and nothing can panic: `images.py` checks both in the
//! linked images.
//! linked images.

#![no_std]

#[cfg(target_arch = "arm")]
pub mod clock;
pub mod console;
pub mod conversation;
#[cfg(target_arch = "arm")]
pub mod device;
pub mod digest;
pub mod link;
pub mod measured;
#[cfg(target_arch = "arm")]
pub mod modem;
#[cfg(feature = "others")]
pub mod others;
pub mod outbox;
pub mod pieces;
pub mod stack;
pub mod vectors;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;
// Brings the implementation of critical sections into the image.
#[cfg(target_arch = "riscv32")]
use riscv as _;

/// Ends the program with a status that the emulator returns.
pub fn exit(success: bool) -> ! {
    semihosting::process::exit(if success { 0 } else { 1 })
}

/// `no_std` requires a handler. If anything could call it, it would be in the image, and
/// `images.py` would find it.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    console::print("panicked\n");
    exit(false)
}
