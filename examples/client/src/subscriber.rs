//! `client sub`: subscribes, and prints messages.

use std::mem::take;
use std::time::{Duration, Instant};

use client::Failure;
use client::arguments::Subscriber as Options;
use client::output::{is_granted, print};
use client::protocol::{Event, Protocol};

use crate::PROGRAM;
use crate::connection::{Application, Connection};

pub(crate) struct Subscriber {
    options: Options,
    received: u64,
    /// The next step is to subscribe,
    ask: bool,
    /// and to unsubscribe.
    ask_to_end: bool,
    granted: bool,
    denied: bool,
    unsubscribed: bool,
    satisfied_since: Option<Instant>,
}

/// How long to wait for the server to complete the last message.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

impl Subscriber {
    pub(crate) const fn new(options: Options) -> Self {
        Self {
            received: 0,
            ask: false,
            ask_to_end: false,
            granted: false,
            denied: false,
            unsubscribed: options.unsubscribe.is_none(),
            options,
            satisfied_since: None,
        }
    }

    pub(crate) const fn outcome(&self) -> Result<(), Failure> {
        if self.denied {
            Err(Failure::Denied)
        } else {
            Ok(())
        }
    }

    const fn is_done(&self) -> bool {
        let only_subscribe = self.options.only_subscribe;
        let is_full = match self.options.count {
            Some(count) => self.received >= count,
            None => false,
        };
        self.denied || is_full || (only_subscribe && self.granted && self.unsubscribed)
    }
}

impl<V: Protocol> Application<V> for Subscriber {
    fn event(&mut self, event: Event<'_>) -> Result<(), Failure> {
        match event {
            // A server that kept the session also kept its subscriptions: at least those made
            // earlier in this run.
            Event::Connected {
                session_present, ..
            } => {
                self.ask = !session_present || !self.granted;
                self.ask_to_end = !self.unsubscribed;
            }
            Event::Subscribed(_, codes) => {
                self.granted |= is_granted(PROGRAM.name(), &self.options.subscribe, &codes);
                self.denied = !self.granted;
            }
            Event::Unsubscribed(_) => self.unsubscribed = true,
            Event::Message(message) => {
                self.received += 1;
                print(&message.topic, message.payload, self.options.print_topic)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn is_satisfied(&self) -> bool {
        self.is_done()
    }

    fn act(&mut self, connection: &mut Connection<V>) -> Result<Option<Duration>, Failure> {
        if !self.is_done() {
            if take(&mut self.ask) {
                connection.subscribe(&self.options.subscribe)?;
            }
            if let (true, Some(filters)) = (take(&mut self.ask_to_end), &self.options.unsubscribe) {
                connection.unsubscribe(filters)?;
            }
            return Ok(None);
        }
        Ok(leave(&mut self.satisfied_since, connection))
    }
}

/// Disconnects when the server has completed the last message, or after [`PATIENCE`]. Returns how
/// long to wait.
pub(crate) fn leave<V: Protocol>(
    since: &mut Option<Instant>,
    connection: &mut Connection<V>,
) -> Option<Duration> {
    let since = since.get_or_insert_with(Instant::now);
    if connection.is_released() || since.elapsed() >= PATIENCE {
        connection.disconnect();
    }
    Some(PATIENCE.saturating_sub(since.elapsed()))
}
