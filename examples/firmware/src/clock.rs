//! A clock of 64 bits, from a timer of 24 bits that interrupts a thousand times a second.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use mqtt_sansio::Timestamp;

/// The frequency of the processor after a reset: the internal oscillator.
const HERTZ: u32 = 12_000_000;

/// Milliseconds since the start. Only the exception writes it, so neither compare-and-swap nor a
/// critical section is needed, and a Cortex-M0 suffices.
static MILLIS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    let millis = MILLIS.load(Ordering::Relaxed);
    MILLIS.store(millis.wrapping_add(1), Ordering::Relaxed);
}

/// Milliseconds that do not wrap.
pub struct Clock {
    millis: u64,
}

impl Clock {
    pub fn start(mut timer: SYST) -> Self {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(HERTZ / 1_000 - 1);
        timer.clear_current();
        timer.enable_counter();
        timer.enable_interrupt();
        Self { millis: 0 }
    }

    /// Returns the time. Call it at least once in 49 days: it extends the 32 bits of the counter by
    /// the time since the last call.
    pub fn now(&mut self) -> Timestamp {
        let passed = MILLIS
            .load(Ordering::Relaxed)
            .wrapping_sub(self.millis as u32);
        self.millis += u64::from(passed);
        Timestamp::from_millis(self.millis)
    }
}
