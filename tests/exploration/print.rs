//! A counterexample, written as a test.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;

use super::plan::{Plan, Side};
use super::world::{Choice, World};

/// What the sides do and what comes out, line by line.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<(Side, u64, String)>);

pub(crate) type Log = Rc<RefCell<Lines>>;

impl Lines {
    pub(crate) fn push(&mut self, side: Side, now: u64, line: String) {
        self.0.push((side, now, line));
    }
}

pub(crate) fn transcript(plan: Plan, path: &[Choice]) -> String {
    let log = Log::default();
    let mut world = World::new(plan);
    world.log = Some(Rc::clone(&log));
    let mut shown = String::new();
    for choice in path {
        let before = log.borrow().0.len();
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.make(*choice)));
        writeln!(shown, "{choice:?}").unwrap();
        for (side, now, line) in &log.borrow().0[before..] {
            writeln!(shown, "    {now:>6} ms {side:?}: {line}").unwrap();
        }
    }
    shown
}
