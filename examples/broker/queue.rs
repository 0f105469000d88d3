//! Messages that wait for a client.

use std::collections::VecDeque;

use mqtt_sansio::QoS;

use crate::broker::Message;

/// How much is kept for one client that is absent or slow.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    /// Of topics and payloads. They may be shared with other clients; a hostile one sees to it
    /// that they are not.
    pub(crate) bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            messages: 100_000,
            bytes: 64 * 1024 * 1024,
        }
    }
}

/// What is to be sent to a client, in order, and has no Packet Identifier yet.
#[derive(Default)]
pub(crate) struct Queue {
    messages: VecDeque<Message>,
    bytes: usize,
    /// How many of the messages have QoS 0.
    at_most_once: usize,
}

fn is_at_most_once(message: &Message) -> bool {
    message.qos == QoS::AtMostOnce
}

fn size(message: &Message) -> usize {
    let topic = message.topic.as_bytes().len();
    topic.saturating_add(message.payload.len())
}

impl Queue {
    /// Appends a message. If there is no room for it, a message with QoS 0 goes, since nothing is
    /// promised for those: this one, or else the oldest of them. If there is none, the oldest
    /// message goes, whose news is the least new.
    pub(crate) fn push(&mut self, message: Message, limits: Limits) {
        let size = size(&message);
        while self.messages.len() >= limits.messages
            || self.bytes.saturating_add(size) > limits.bytes
        {
            let victim = if is_at_most_once(&message) {
                None
            } else if self.at_most_once > 0 {
                self.messages.iter().position(is_at_most_once)
            } else {
                Some(0)
            };
            // If the queue is empty, the message is larger than all that may be kept.
            if victim.and_then(|victim| self.remove(victim)).is_none() {
                return;
            }
        }
        self.bytes = self.bytes.saturating_add(size);
        if is_at_most_once(&message) {
            self.at_most_once = self.at_most_once.saturating_add(1);
        }
        self.messages.push_back(message);
    }

    pub(crate) fn front(&self) -> Option<&Message> {
        self.messages.front()
    }

    pub(crate) fn pop(&mut self) -> Option<Message> {
        self.remove(0)
    }

    fn remove(&mut self, index: usize) -> Option<Message> {
        let message = self.messages.remove(index)?;
        self.bytes = self.bytes.saturating_sub(size(&message));
        if is_at_most_once(&message) {
            self.at_most_once = self.at_most_once.saturating_sub(1);
        }
        Some(message)
    }

    /// Whether it is so long that its client should have a turn.
    pub(crate) fn is_crowded(&self, limits: Limits) -> bool {
        self.messages.len() > limits.messages / 2 || self.bytes > limits.bytes / 2
    }

    /// The client has gone: what was sent with QoS 0 does not wait for it to come back.
    pub(crate) fn drop_at_most_once(&mut self) {
        self.messages.retain(|message| !is_at_most_once(message));
        self.bytes = self.messages.iter().map(size).sum();
        self.at_most_once = 0;
    }
}
