//! The device in MQTT 5, with its serial port. `live.py` connects it with a broker.

#![no_std]
#![no_main]

use firmware::device::{self, Device};
use firmware::entry;
use mqtt_sansio::v5::V5;
use static_cell::StaticCell;

#[entry]
fn main() -> ! {
    static DEVICE: StaticCell<Device<V5>> = StaticCell::new();
    device::run(&DEVICE)
}
