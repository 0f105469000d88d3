//! The simulator with bytes instead of a seed: two peers that obey the standard, over a link whose
//! faults and crashes the bytes decide.

use crate::simulation::{Chance, Plan, run_by};

pub fn simulation(data: &[u8]) {
    let mut chance = Chance::from_bytes(data);
    let plan = Plan::chosen(&mut chance);
    let report = run_by(chance, plan, None);
    if let Some(failure) = report.failure {
        panic!("{failure}");
    }
}
