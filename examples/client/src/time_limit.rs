//! `-W`: the program ends in time, whatever it waits for.

use std::io::Write;
use std::time::{Duration, Instant};
use std::{io, process, thread};

use crate::Failure;

/// For DISCONNECT and the end of the connection, after the time is up.
const GRACE: Duration = Duration::from_millis(1500);

/// When a program has to end.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimit(Option<Instant>);

impl TimeLimit {
    /// Starts to count. A program that has not ended by itself soon after the limit is ended: it
    /// may wait for a name server, a slow peer, or a pipe that nobody reads.
    #[must_use]
    pub fn start(program: &'static str, limit: Option<Duration>) -> Self {
        if let Some(limit) = limit {
            thread::spawn(move || {
                thread::sleep(limit + GRACE);
                // It may be standard error that nobody reads.
                thread::spawn(move || {
                    let _ = writeln!(io::stderr(), "{program}: {}", Failure::Timeout);
                });
                thread::sleep(Duration::from_millis(100));
                process::exit(Failure::Timeout.exit_status().into());
            });
        }
        Self(limit.map(|limit| Instant::now() + limit))
    }

    /// How much time is left; `None` is without end.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let end = self.0?;
        Some(end.saturating_duration_since(Instant::now()))
    }

    /// True if no time is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}
