//! `client sub`: subscribes, and prints what comes.

use std::io::{self, Write};
use std::mem::take;
use std::time::{Duration, Instant};

use mqtt_sansio::TopicFilter;
use mqtt_sansio::v3::{Event, Publish, ReturnCode, SubAck, Subscriptions, TopicFilters};

use crate::Failure;
use crate::connection::{Application, Connection};

/// What the user asks for.
pub(crate) struct Options {
    pub(crate) subscribe: Subscriptions<Vec<u8>>,
    pub(crate) unsubscribe: Option<TopicFilters<Vec<u8>>>,
    /// End after so many messages.
    pub(crate) count: Option<u64>,
    /// End after SUBACK.
    pub(crate) only_subscribe: bool,
    pub(crate) print_topic: bool,
}

pub(crate) struct Subscriber {
    options: Options,
    received: u64,
    /// The next thing to do is to ask for the subscriptions.
    ask: bool,
    granted: bool,
    denied: bool,
    /// UNSUBACK is awaited.
    unsubscribing: bool,
    satisfied_since: Option<Instant>,
}

/// How long to wait for the server to finish with the last message.
const PATIENCE: Duration = Duration::from_secs(1);

impl Subscriber {
    pub(crate) const fn new(options: Options) -> Self {
        Self {
            options,
            received: 0,
            ask: false,
            granted: false,
            denied: false,
            unsubscribing: false,
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

    fn print(&mut self, message: &Publish<&[u8]>) -> io::Result<()> {
        self.received += 1;
        let mut out = io::stdout().lock();
        if self.options.print_topic {
            write!(out, "{} ", message.topic)?;
        }
        out.write_all(message.payload)?;
        out.write_all(b"\n")
    }

    fn subscribed(&mut self, suback: &SubAck<&[u8]>) {
        for (asked, code) in self.options.subscribe.iter().zip(&suback.return_codes) {
            match code {
                ReturnCode::Success(_) => self.granted = true,
                ReturnCode::Failure => report_denied(&asked.topic_filter),
            }
        }
        self.denied = !self.granted;
    }
}

fn report_denied(filter: &TopicFilter<&[u8]>) {
    eprintln!("client: the server does not grant a subscription to {filter}");
}

impl Application for Subscriber {
    fn event(&mut self, event: Event<&[u8]>) -> Result<(), Failure> {
        match event {
            // If the server has kept the session it has kept the subscriptions too: at least
            // those that were made earlier in this run.
            Event::Connected { session_present } => {
                self.ask = !(session_present && self.granted && !self.unsubscribing);
            }
            Event::Subscribed(suback) => self.subscribed(&suback),
            Event::Unsubscribed(_) => self.unsubscribing = false,
            Event::Message(message) => self.print(&message).map_err(Failure::Output)?,
            _ => {}
        }
        Ok(())
    }

    fn is_satisfied(&self) -> bool {
        let Options {
            count,
            only_subscribe,
            ..
        } = self.options;
        self.denied
            || count.is_some_and(|count| self.received >= count)
            || (only_subscribe && self.granted && !self.unsubscribing)
    }

    fn act(&mut self, connection: &mut Connection) -> Result<Option<Duration>, Failure> {
        if !self.is_satisfied() {
            if take(&mut self.ask) {
                connection.subscribe(&self.options.subscribe)?;
                if let Some(filters) = &self.options.unsubscribe {
                    connection.unsubscribe(filters)?;
                    self.unsubscribing = true;
                }
            }
            return Ok(None);
        }
        let since = *self.satisfied_since.get_or_insert_with(Instant::now);
        if connection.is_released() || since.elapsed() >= PATIENCE {
            connection.disconnect();
        }
        Ok(Some(PATIENCE.saturating_sub(since.elapsed())))
    }
}
