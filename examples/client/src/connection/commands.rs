//! What an application may ask of a connection.

use std::io::Read;
use std::net::Shutdown;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mqtt_sansio::State;
use mqtt_sansio::v3::{CloseReason, Message, Subscriptions, TopicFilters};

use super::{Connection, Kept};
use crate::Failure;

impl Connection {
    /// Publishes a message, as soon as the window has room for it.
    pub(crate) fn publish(&mut self, message: Rc<Message<Vec<u8>>>) -> Result<(), Failure> {
        self.queue.push_back(message);
        self.act()?;
        // At QoS 0 there is no window, and nothing else that would stop the buffer from growing.
        if self.out.len() > 64 * 1024 {
            self.send()?;
        }
        Ok(())
    }

    pub(crate) fn subscribe(&mut self, list: &Subscriptions<Vec<u8>>) -> Result<(), Failure> {
        self.client.subscribe(self.now(), list, &mut self.out)?;
        self.act()
    }

    pub(crate) fn unsubscribe(&mut self, list: &TopicFilters<Vec<u8>>) -> Result<(), Failure> {
        self.client.unsubscribe(self.now(), list, &mut self.out)?;
        self.act()
    }

    /// Ends the connection. The server discards the Will, unless it has not even accepted yet.
    pub(crate) fn disconnect(&mut self) {
        let now = self.now();
        if self.client.disconnect(now, &mut self.out).is_err() {
            self.client.close(now);
        }
    }

    /// Closes the socket and gives back what the next connection goes on with.
    pub(crate) fn finish(mut self) -> Kept {
        if self.closed == Some(CloseReason::Disconnected) {
            // If the socket were closed with something unread in it, the system might throw away
            // what it has not sent yet: let the server close first, but do not insist.
            let patience = Duration::from_secs(1);
            let until = Instant::now() + patience;
            let _ = self.socket.shutdown(Shutdown::Write);
            let _ = self.socket.set_read_timeout(Some(patience));
            let mut rest = [0; 4096];
            while Instant::now() < until && matches!(self.socket.read(&mut rest), Ok(1..)) {}
        }
        Kept {
            session: self.client.into_session(),
            outbox: self.outbox,
            queue: self.queue,
            store: self.store,
        }
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.client.state() == State::Connected
    }

    /// True if it is accepted, or was until it ended.
    pub(crate) const fn was_accepted(&self) -> bool {
        self.accepted
    }

    /// True if nothing waits to be sent.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.is_empty()
    }

    /// True if all that was published is delivered.
    pub(crate) fn is_delivered(&self) -> bool {
        self.queue.is_empty() && self.client.session().outbound().next().is_none()
    }

    /// True if no QoS 2 message waits for the server to release it.
    pub(crate) fn is_released(&self) -> bool {
        self.client.session().inbound().next().is_none()
    }
}
