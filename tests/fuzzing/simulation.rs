//! The simulator, with bytes in place of a seed: two peers that keep to the standard over a link that
//! does what the bytes say, with crashes where they say so.

use crate::simulation::{Chance, Plan, run_by};

pub fn simulation(data: &[u8]) {
    let mut chance = Chance::from_bytes(data);
    let plan = Plan::chosen(&mut chance);
    let report = run_by(chance, plan, None);
    if let Some(failure) = report.failure {
        panic!("{failure}");
    }
}
