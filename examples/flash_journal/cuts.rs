//! Runs of the device through losses of power.

use crate::broker::Broker;
use crate::device::{READINGS, Stopped, live};
use crate::flash::{FlashError, LastOperation, Nor};
use crate::journal::JournalError;
use crate::record::State;

/// What has become of everything after a run.
pub(crate) struct Report {
    /// What the device has stored.
    pub(crate) state: State,
    /// How often each reading has come to the broker.
    pub(crate) readings: [u32; READINGS as usize],
    pub(crate) flash: Nor,
    /// How often the power was lost.
    pub(crate) cuts: usize,
}

/// The device lives until the power is lost, and lives again until it has done everything. `cuts` are
/// the operations at which the power is lost, each counted from the power-up.
///
/// # Errors
///
/// Anything but a loss of power.
pub(crate) fn run(cuts: &[u32], last: LastOperation) -> Result<Report, Stopped> {
    let mut flash = Nor::new();
    let mut broker = Broker::new();
    let mut next = cuts.iter();
    let mut lost = 0_usize;
    loop {
        match next.next() {
            Some(cut) => flash.lose_power(*cut, last),
            None => flash.restore_power(),
        }
        match live(&mut flash, &mut broker) {
            Ok(state) => {
                return Ok(Report {
                    state,
                    readings: broker.readings,
                    flash,
                    cuts: lost,
                });
            }
            Err(Stopped::Journal(JournalError::Flash(FlashError::PowerLost))) => {
                lost = lost.saturating_add(1);
            }
            Err(other) => return Err(other),
        }
    }
}
