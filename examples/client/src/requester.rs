//! `client rr`: sends a request, and ends with the response.

use std::mem::take;
use std::rc::Rc;
use std::time::{Duration, Instant};

use client::Failure;
use client::arguments::Request;
use client::outgoing::Finished;
use client::output::{is_granted, print};
use client::protocol::{Event, Message, Protocol};

use crate::PROGRAM;
use crate::connection::{Application, Connection};
use crate::publisher::report;
use crate::subscriber::leave;

pub(crate) struct Requester {
    request: Request,
    /// The next step is to subscribe to the response.
    ask: bool,
    granted: bool,
    denied: bool,
    is_published: bool,
    is_answered: bool,
    not_delivered: bool,
    satisfied_since: Option<Instant>,
}

impl Requester {
    pub(crate) fn new(mut request: Request) -> Result<Self, Failure> {
        request.publish.message.payload = request.publish.source.read()?.unwrap_or_default();
        Ok(Self {
            request,
            ask: false,
            granted: false,
            denied: false,
            is_published: false,
            is_answered: false,
            not_delivered: false,
            satisfied_since: None,
        })
    }

    pub(crate) const fn outcome(&self) -> Result<(), Failure> {
        if self.denied {
            Err(Failure::Denied)
        } else if self.not_delivered {
            Err(Failure::NotDelivered(1))
        } else {
            Ok(())
        }
    }

    const fn is_done(&self) -> bool {
        self.denied || self.is_answered || self.not_delivered
    }
}

impl<V: Protocol> Application<V> for Requester {
    fn event(&mut self, event: Event<'_>) -> Result<(), Failure> {
        match event {
            Event::Connected {
                session_present, ..
            } => self.ask = !session_present || !self.granted,
            Event::Subscribed(_, codes) => {
                self.granted = is_granted(PROGRAM.name(), &self.request.subscribe, &codes);
                self.denied = !self.granted;
            }
            Event::Message(message) if self.request.is_answered_by(&message.properties) => {
                self.is_answered = true;
                print(&message.topic, message.payload, self.request.print_topic)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn finished(&mut self, finished: Finished<Rc<Message>>) {
        self.not_delivered |= report(finished);
    }

    fn is_satisfied(&self) -> bool {
        self.is_done()
    }

    fn act(&mut self, connection: &mut Connection<V>) -> Result<Option<Duration>, Failure> {
        if self.is_done() {
            return Ok(leave(&mut self.satisfied_since, connection));
        }
        if take(&mut self.ask) {
            self.granted = false;
            connection.subscribe(&self.request.subscribe)?;
        }
        if self.granted && !self.is_published {
            self.is_published = true;
            connection.publish(Rc::new(self.request.publish.message.clone()))?;
        }
        Ok(None)
    }
}
