//! The commands that an application can call.

use std::rc::Rc;
use std::time::{Duration, Instant};

use client::Failure;
use client::outgoing::Finished;
use client::protocol::{Message, Protocol, Subscribe};
use mqtt_sansio::v5::TopicFilters;
use mqtt_sansio::{PacketId, State};

use super::{Closed, Connection, Kept};
use crate::transport::{Inbox, Input};

impl<V: Protocol> Connection<V> {
    /// Publishes a message as soon as the window has room for it.
    pub(crate) fn publish(&mut self, message: Rc<Message>) -> Result<(), Failure> {
        self.kept.outgoing.push(message);
        self.publish_waiting();
        // QoS 0 has no window, so this limit alone keeps the buffer from growing.
        if self.kept.outgoing.is_waiting() && self.client.state() == State::Connected {
            self.send()?;
            self.publish_waiting();
        }
        self.has_queued = self.kept.outgoing.is_waiting();
        Ok(())
    }

    pub(crate) fn subscribe(&mut self, subscribe: &Subscribe) -> Result<PacketId, Failure> {
        let now = self.now();
        Ok(V::subscribe(
            &mut self.client,
            now,
            subscribe,
            &mut self.out,
        )?)
    }

    pub(crate) fn unsubscribe(&mut self, filters: &TopicFilters<Vec<u8>>) -> Result<(), Failure> {
        let now = self.now();
        V::unsubscribe(&mut self.client, now, filters, &mut self.out)?;
        Ok(())
    }

    /// Ends the connection. The server discards the Will, unless it has not accepted the connection
    /// yet.
    pub(crate) fn disconnect(&mut self) {
        let now = self.now();
        if V::disconnect(&mut self.client, now, &self.disconnect, &mut self.out).is_err() {
            self.client.close(now);
        }
    }

    /// Closes the socket. Returns the state for the next connection, and a message that was given
    /// up.
    pub(crate) fn finish(mut self, inbox: &Inbox) -> (Kept, Option<Finished<Rc<Message>>>) {
        let is_ours = self.closed.as_ref().is_some_and(Closed::is_ours);
        if is_ours && self.transport.close().is_ok() {
            // If a socket is closed with unread bytes, the system may discard bytes that it has not
            // sent yet. So wait for the server to close first, but not for long.
            let until = Instant::now() + Duration::from_secs(1);
            let left = || until.saturating_duration_since(Instant::now());
            while let Ok(input) = inbox.receiver.recv_timeout(left()) {
                if matches!(input, Input::Received(number, bytes) if number == self.number && bytes.is_empty())
                {
                    break;
                }
            }
        }
        self.kept.session = self.client.take_session();
        let given_up = if self.kept.retry.is_accepted() && !is_ours {
            self.kept.outgoing.blame(&self.kept.session)
        } else {
            None
        };
        (self.kept, given_up)
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.client.state() == State::Connected
    }

    /// Returns true if no message waits to be sent.
    pub(crate) fn has_room(&self) -> bool {
        !self.kept.outgoing.is_waiting()
    }

    /// Returns true if every published message is delivered.
    pub(crate) fn is_delivered(&self) -> bool {
        !self.kept.outgoing.is_waiting() && self.client.session().outbound().next().is_none()
    }

    /// Returns true if no QoS 2 message waits for the server's PUBREL.
    pub(crate) fn is_released(&self) -> bool {
        self.client.session().inbound().next().is_none()
    }
}
