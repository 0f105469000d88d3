//! When to connect again, and when to give up.

use std::time::{Duration, Instant};

/// The first pause before connecting again. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause by default.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After a connection that lasted this number of longest pauses, the pauses start at the first one
/// again. Two clients with one Client Identifier end each other's connections too soon for that.
const LASTING: u32 = 6;

/// The most attempts in a row without a CONNACK.
const MOST_ATTEMPTS: u32 = 20;

/// The most connections that may be lost before the server acknowledges the first message in
/// flight. Then that message is the likely cause.
pub const MOST_SENDS: u32 = 5;

/// The pauses between attempts to connect.
#[derive(Debug)]
pub struct Retry {
    pause: Duration,
    longest: Duration,
    attempts: u32,
    accepted: Option<Instant>,
    was_accepted: bool,
}

impl Retry {
    /// Returns pauses up to this one.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        Self {
            pause: FIRST_PAUSE.min(longest),
            longest,
            attempts: 0,
            accepted: None,
            was_accepted: false,
        }
    }

    /// The server accepted the connection.
    pub fn accepted(&mut self) {
        self.accepted = Some(Instant::now());
        self.was_accepted = true;
        self.attempts = 0;
    }

    /// Returns true if the server accepted the connection that is open, or was lost last.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        self.accepted.is_some()
    }

    /// Returns how long to wait after a failed attempt or a lost connection, or `None` to give up.
    /// It is `None` after the very first attempt: the user may have made a mistake.
    pub fn pause(&mut self) -> Option<Duration> {
        let lasted = self.accepted.take().map(|since| since.elapsed());
        self.pause_after(lasted)
    }

    fn pause_after(&mut self, lasted: Option<Duration>) -> Option<Duration> {
        self.attempts += 1;
        if !self.was_accepted || self.attempts > MOST_ATTEMPTS {
            return None;
        }
        if lasted.is_some_and(|lasted| lasted >= self.longest * LASTING) {
            self.pause = FIRST_PAUSE.min(self.longest);
        }
        let pause = self.pause;
        self.pause = self.longest.min(pause * 2);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_until_a_connection_has_lasted() {
        let mut retry = Retry::new(LONGEST_PAUSE);
        let lasting = Duration::from_secs(30);
        let short = Some(lasting - Duration::from_millis(1));
        let mut pauses = Vec::new();
        for lasted in [
            short,
            None,
            short,
            short,
            short,
            short,
            short,
            Some(lasting),
        ] {
            if lasted.is_some() {
                retry.accepted();
            }
            let pause = retry.pause_after(lasted);
            pauses.push(pause.map_or(0, |pause| pause.as_millis()));
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 100]);
    }

    #[test]
    fn two_clients_that_end_each_others_connections_settle_at_the_longest_pause() {
        let mut retry = Retry::new(LONGEST_PAUSE);
        let mut last = None;
        for _ in 0..100 {
            retry.accepted();
            last = retry.pause_after(Some(LONGEST_PAUSE));
        }
        assert_eq!(last, Some(LONGEST_PAUSE));
    }

    #[test]
    fn twenty_attempts_in_a_row_are_the_most() {
        let mut retry = Retry::new(LONGEST_PAUSE);
        assert_eq!(retry.pause(), None);
        retry.accepted();
        assert_eq!((0..).take_while(|_| retry.pause().is_some()).count(), 20);
    }
}
