//! The device with its serial port. `live.py` connects it with a broker.

#![no_std]
#![no_main]

use firmware::device::{self, Device};
use firmware::entry;
use mqtt_sansio::v3::V3;
use static_cell::StaticCell;

#[entry]
fn main() -> ! {
    static DEVICE: StaticCell<Device<V3>> = StaticCell::new();
    device::run(&DEVICE)
}
