//! Messages to publish, across connections.

use std::borrow::Borrow;
use std::collections::VecDeque;

use mqtt_sansio::v5::ReasonCode;
use mqtt_sansio::{CommandError, Outbox, PacketId, Session, Slot, Stage, Timestamp};

use crate::protocol::{Client, Message, Protocol};
use crate::retry::MOST_SENDS;

/// No message is added while this many bytes wait to be sent.
pub const MAX_OUT: usize = 64 * 1024;

/// Why a message was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "a program, not a library")]
pub enum Undelivered {
    /// The server refused it.
    #[error("the server has refused it: {0}")]
    Refused(ReasonCode),
    /// This server does not accept it.
    #[error("{0}")]
    Command(#[from] CommandError),
    /// The server closed the connection several times instead of acknowledging it.
    #[error("given up after {MOST_SENDS} connections that were lost before it was acknowledged")]
    GivenUp,
}

/// A message that is complete, with its result.
pub type Finished<T> = (T, Result<(), Undelivered>);

/// Messages that wait, and messages in flight.
#[derive(Debug)]
pub struct Outgoing<T> {
    queue: VecDeque<Entry<T>>,
    outbox: Outbox<Entry<T>>,
    /// How many messages at the front of the queue are from a session that has ended.
    lost: usize,
}

#[derive(Debug)]
struct Entry<T> {
    message: T,
    was_sent: bool,
    /// How many connections were lost while this was the first message without an acknowledgement.
    losses: u32,
}

impl<T> Entry<T> {
    const fn new(message: T) -> Self {
        Self {
            message,
            was_sent: false,
            losses: 0,
        }
    }
}

impl<T> Default for Outgoing<T> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            outbox: Outbox::default(),
            lost: 0,
        }
    }
}

impl<T: Borrow<Message>> Outgoing<T> {
    /// Appends a message to the queue.
    pub fn push(&mut self, message: T) {
        self.queue.push_back(Entry::new(message));
    }

    /// Adds a message that an earlier run left in flight.
    pub fn restore(&mut self, packet_id: PacketId, message: T) {
        self.outbox.keep(packet_id, Entry::new(message));
    }

    /// Returns true if messages wait to be published.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Returns the messages in flight.
    pub fn in_flight(&self) -> impl Iterator<Item = (PacketId, &Message)> {
        let outbox = self.outbox.iter();
        outbox.map(|(packet_id, entry)| (packet_id, entry.message.borrow()))
    }

    /// Publishes waiting messages as far as the connection allows. Call it until it returns `None`.
    /// It returns messages that are complete, because they were sent at QoS 0 or cannot be sent.
    pub fn publish<V: Protocol>(
        &mut self,
        client: &mut Client<V>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Option<Finished<T>> {
        self.lost = 0;
        loop {
            let message = self.queue.front()?.message.borrow();
            if out.len() >= MAX_OUT || !client.can_publish(message.qos) {
                return None;
            }
            let sent = client.publish(now, &V::outgoing(message), out);
            let mut entry = self.queue.pop_front()?;
            match sent {
                Ok(Some(packet_id)) => {
                    entry.was_sent = true;
                    self.outbox.keep(packet_id, entry);
                }
                Ok(None) => return Some((entry.message, Ok(()))),
                Err(error) => return Some((entry.message, Err(error.into()))),
            }
        }
    }

    /// Carries out [`Action::Resend`](mqtt_sansio::Action::Resend). Returns a message that cannot
    /// be sent on this connection.
    ///
    /// # Errors
    ///
    /// As for [`Connection::forget`](mqtt_sansio::Connection::forget).
    pub fn resend<V: Protocol>(
        &mut self,
        client: &mut Client<V>,
        now: Timestamp,
        packet_id: PacketId,
        out: &mut Vec<u8>,
    ) -> Result<Option<Finished<T>>, CommandError> {
        let Some(entry) = self.outbox.get(packet_id) else {
            client.forget(packet_id)?; // it was given up
            return Ok(None);
        };
        let message = entry.message.borrow();
        let resent = client.resend(now, packet_id, &V::outgoing(message), out);
        let Err(error) = resent else {
            return Ok(None);
        };
        client.forget(packet_id)?;
        let entry = self.outbox.remove(packet_id);
        Ok(entry.map(|entry| (entry.message, Err(error.into()))))
    }

    /// Removes a message that the server has acknowledged.
    pub fn finish(&mut self, packet_id: PacketId, code: ReasonCode) -> Option<Finished<T>> {
        let entry = self.outbox.remove(packet_id)?;
        let result = if code.is_error() {
            Err(Undelivered::Refused(code))
        } else {
            Ok(())
        };
        Some((entry.message, result))
    }

    /// Carries out [`Action::Lost`](mqtt_sansio::Action::Lost): unless the server has received the
    /// message, it is published again, before the waiting ones. If that is uncertain, it may arrive
    /// twice, which is better than never.
    pub fn lose(&mut self, packet_id: PacketId, received: bool) -> Option<Finished<T>> {
        let entry = self.outbox.remove(packet_id)?;
        if received {
            return Some((entry.message, Ok(())));
        }
        self.queue.insert(self.lost, entry);
        self.lost = self.lost.saturating_add(1);
        None
    }

    /// Counts a connection that was lost after the server had accepted it. The first message
    /// without an acknowledgement may be the cause. Returns the message if it is given up.
    pub fn blame(&mut self, session: &Session<Vec<Slot>>) -> Option<Finished<T>> {
        let mut in_flight = session.outbound();
        let first = in_flight.find(|message| matches!(message.stage, Stage::Sent(_)));
        let first = first.map(|message| message.packet_id);
        let mut entry = match first {
            Some(packet_id) => self.outbox.remove(packet_id)?,
            // From a session that ended with the connection.
            None if self.queue.front()?.was_sent => self.queue.pop_front()?,
            None => return None,
        };
        entry.losses = entry.losses.saturating_add(1);
        if entry.losses >= MOST_SENDS {
            return Some((entry.message, Err(Undelivered::GivenUp)));
        }
        match first {
            Some(packet_id) => drop(self.outbox.keep(packet_id, entry)),
            None => self.queue.push_front(entry),
        }
        None
    }
}
