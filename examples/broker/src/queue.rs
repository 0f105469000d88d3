//! Messages that wait for a client.

use std::collections::VecDeque;

use mqtt_sansio::{QoS, Timestamp};

use crate::message::Outgoing;

/// The limits of the queue of one client.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    /// The bytes of topics and payloads. Other clients may share them, but a hostile client can
    /// avoid that.
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

/// Messages without a Packet Identifier that wait for a client, in order
/// [MQTT-4.6.0-5, MQTT-4.6.0-6, MQTT5-4.6.0-5, MQTT5-4.6.0-6].
#[derive(Default)]
pub(crate) struct Queue {
    /// Messages at QoS 0. They are separate because they are dropped first.
    at_most_once: Line,
    /// Messages at QoS 1 and 2.
    promised: Line,
    bytes: usize,
    /// The number of the next message.
    next: u64,
}

/// Messages, each with a number that gives its order among both lines.
type Line = VecDeque<(u64, Outgoing)>;

impl Queue {
    /// Appends a message. If the queue is full, it drops a message at QoS 0: this one, or else the
    /// oldest. Without one it drops the oldest message.
    pub(crate) fn push(&mut self, outgoing: Outgoing, limits: Limits) {
        let is_at_most_once = outgoing.message.qos == QoS::AtMostOnce;
        let size = outgoing.message.size();
        while self.len() >= limits.messages || self.bytes.saturating_add(size) > limits.bytes {
            // If the queue is empty, the message alone exceeds the limit.
            if is_at_most_once || (!self.drop_first(true) && !self.drop_first(false)) {
                return;
            }
        }
        self.bytes = self.bytes.saturating_add(size);
        let number = self.next;
        self.next = self.next.wrapping_add(1); // Wraps after centuries.
        self.line(is_at_most_once).push_back((number, outgoing));
    }

    /// Removes the next message; with `only_at_most_once` the next at QoS 0. Messages whose Message Expiry
    /// Interval is over are dropped [MQTT5-3.3.2-5]. A message that was sent is not in the queue
    /// [MQTT5-4.3.3-7].
    pub(crate) fn pop(&mut self, now: Timestamp, only_at_most_once: bool) -> Option<Outgoing> {
        loop {
            let next = self.pop_from(only_at_most_once || self.is_at_most_once_first())?;
            if !next.message.is_expired(now) {
                return Some(next);
            }
        }
    }

    /// Puts a removed message back as the first of its line.
    pub(crate) fn put_back(&mut self, outgoing: Outgoing) {
        self.bytes = self.bytes.saturating_add(outgoing.message.size());
        let line = self.line(outgoing.message.qos == QoS::AtMostOnce);
        line.push_front((0, outgoing)); // Before all numbered messages.
    }

    /// Removes the messages of Shared Subscriptions, in order.
    pub(crate) fn take_shared(&mut self) -> Vec<Outgoing> {
        let mut shared = Vec::new();
        let mut kept = Self::default();
        core::mem::swap(self, &mut kept);
        for (line, is_at_most_once) in [(kept.promised, false), (kept.at_most_once, true)] {
            for (number, outgoing) in line {
                if outgoing.group.is_some() {
                    shared.push((number, outgoing));
                } else {
                    self.bytes = self.bytes.saturating_add(outgoing.message.size());
                    self.line(is_at_most_once).push_back((number, outgoing));
                }
            }
        }
        self.next = kept.next;
        shared.sort_by_key(|&(number, _)| number);
        shared.into_iter().map(|(_, outgoing)| outgoing).collect()
    }

    fn is_at_most_once_first(&self) -> bool {
        match (self.at_most_once.front(), self.promised.front()) {
            (Some((a, _)), Some((b, _))) => a < b,
            (first, _) => first.is_some(),
        }
    }

    const fn line(&mut self, is_at_most_once: bool) -> &mut Line {
        if is_at_most_once {
            &mut self.at_most_once
        } else {
            &mut self.promised
        }
    }

    fn pop_from(&mut self, is_at_most_once: bool) -> Option<Outgoing> {
        let (_, outgoing) = self.line(is_at_most_once).pop_front()?;
        self.bytes = self.bytes.saturating_sub(outgoing.message.size());
        Some(outgoing)
    }

    /// Returns false if there was none.
    fn drop_first(&mut self, is_at_most_once: bool) -> bool {
        self.pop_from(is_at_most_once).is_some()
    }

    fn len(&self) -> usize {
        self.promised.len().saturating_add(self.at_most_once.len())
    }

    /// Returns true if the queue is so long that its client should run next.
    pub(crate) fn is_crowded(&self, limits: Limits) -> bool {
        self.len() > limits.messages / 2 || self.bytes > limits.bytes / 2
    }

    /// Returns whether to append a message that can also be appended later: if the queue is empty,
    /// or at most half full with the message.
    pub(crate) fn has_room(&self, outgoing: &Outgoing, limits: Limits) -> bool {
        let bytes = self.bytes.saturating_add(outgoing.message.size());
        self.len() == 0 || (self.len() < limits.messages / 2 && bytes <= limits.bytes / 2)
    }

    /// Deletes the messages at QoS 0, because the client has left.
    pub(crate) fn drop_at_most_once(&mut self) {
        while self.drop_first(true) {}
        self.at_most_once.shrink_to_fit();
    }
}
