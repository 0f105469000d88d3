//! `-W`: ends the program in time, even while it is blocked.

use std::io::Write;
use std::time::{Duration, Instant};
use std::{io, process, thread};

use crate::Failure;

/// The time for DISCONNECT and the end of the connection after the limit.
const GRACE: Duration = Duration::from_millis(1500);

/// When a program has to end.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimit(Option<Instant>);

impl TimeLimit {
    /// Starts the limit. Exits the process if it has not ended soon after the limit: it may be
    /// blocked by a name server, a slow peer, or a pipe without a reader.
    #[must_use]
    pub fn start(program: &'static str, limit: Option<Duration>) -> Self {
        if let Some(limit) = limit {
            thread::spawn(move || {
                thread::sleep(limit + GRACE);
                // Standard error may be a pipe without a reader.
                thread::spawn(move || {
                    let _ = writeln!(io::stderr(), "{program}: {}", Failure::Timeout);
                });
                thread::sleep(Duration::from_millis(100));
                process::exit(Failure::Timeout.exit_status().into());
            });
        }
        Self(limit.map(|limit| Instant::now() + limit))
    }

    /// Returns how much time is left; `None` for no limit.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        let end = self.0?;
        Some(end.saturating_duration_since(Instant::now()))
    }

    /// Returns true if no time is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}
