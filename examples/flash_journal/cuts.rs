//! Runs of the device through losses of power.

use crate::broker::Broker;
use crate::device::{READINGS, Stopped, live};
use crate::flash::{FlashError, LastOperation, Nor};
use crate::journal::JournalError;
use crate::record::State;

/// The result of a run.
pub(crate) struct Report {
    /// The state that the device has stored.
    pub(crate) state: State,
    /// How often the broker received each reading.
    pub(crate) readings: [u32; READINGS as usize],
    pub(crate) flash: Nor,
    /// How often the power was lost.
    pub(crate) cuts: usize,
}

/// Runs the device until it has done everything, again after each loss of power. `cuts` are the
/// operations at which the power is lost, each counted from the last power-up.
///
/// # Errors
///
/// Any error other than a loss of power.
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
