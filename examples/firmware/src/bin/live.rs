//! The device with its serial port. `live.py` connects it with a broker.

#![no_std]
#![no_main]

use firmware::clock::Clock;
use firmware::device::Device;
use firmware::modem::Modem;
use firmware::{console, entry, exit, stack};
use static_cell::StaticCell;

#[entry]
fn main() -> ! {
    static DEVICE: StaticCell<Device> = StaticCell::new();

    let peripherals = cortex_m::Peripherals::take();
    let (Some(peripherals), Some(modem)) = (peripherals, Modem::start()) else {
        exit(false);
    };
    let mut clock = Clock::start(peripherals.SYST);
    let now = clock.now();
    let Some(device) = DEVICE.try_init_with(|| Device::new(modem, now)) else {
        exit(false);
    };
    while let Some(busy) = device.step(clock.now()) {
        if !busy {
            cortex_m::asm::wfi(); // until the next millisecond
        }
    }
    device.print_summary();
    console::print_count("deepest stack", stack::deepest());
    exit(true)
}
