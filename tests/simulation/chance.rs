//! The source of decisions: a seed, or bytes from a fuzzer.

use std::ops::{Bound, RangeBounds};

use fastrand::Rng;

#[derive(Debug)]
pub(crate) struct Chance {
    /// Used first, as far as they go.
    bytes: Vec<u8>,
    rng: Rng,
}

macro_rules! number {
    ($($name:ident)+) => {$(
        pub(crate) fn $name(&mut self, range: impl RangeBounds<$name>) -> $name {
            if self.bytes.is_empty() {
                return self.rng.$name(range);
            }
            let first = match range.start_bound() {
                Bound::Included(first) => *first,
                Bound::Excluded(before) => before + 1,
                Bound::Unbounded => 0,
            };
            let last = match range.end_bound() {
                Bound::Included(last) => *last,
                Bound::Excluded(behind) => behind - 1,
                Bound::Unbounded => $name::MAX,
            };
            let span = u64::try_from(last - first).unwrap_or(u64::MAX);
            first + $name::try_from(self.up_to(span)).unwrap_or_default()
        }
    )+};
}

impl Chance {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self {
            bytes: Vec::new(),
            rng: Rng::with_seed(seed),
        }
    }

    /// After these bytes a fixed seed decides.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.iter().rev().copied().collect(),
            rng: Rng::with_seed(0),
        }
    }

    /// Uses as few bytes as the range needs.
    fn up_to(&mut self, last: u64) -> u64 {
        let mut number = 0;
        let mut reach = 0;
        while reach < last {
            number = number << 8 | u64::from(self.bytes.pop().unwrap_or_default());
            reach = reach << 8 | 0xff;
        }
        match last.checked_add(1) {
            Some(count) => number % count,
            None => number,
        }
    }

    pub(crate) fn bool(&mut self) -> bool {
        if self.bytes.is_empty() {
            self.rng.bool()
        } else {
            self.up_to(1) == 1
        }
    }

    number!(u16 u32 u64 usize);
}
