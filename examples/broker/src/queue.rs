//! Messages that wait for a client.

use std::collections::VecDeque;

use mqtt_sansio::{QoS, Timestamp};

use crate::message::Outgoing;

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

/// What is to be sent to a client, in order [MQTT-4.6.0-5, MQTT-4.6.0-6, MQTT5-4.6.0-5, MQTT5-4.6.0-6], and has no Packet
/// Identifier yet.
#[derive(Default)]
pub(crate) struct Queue {
    /// With QoS 0. They are apart from the others because they can be dropped first.
    at_most_once: Line,
    /// With QoS 1 or 2.
    promised: Line,
    bytes: usize,
    /// The number of the next message.
    next: u64,
}

/// Messages, each with a number that says which of the two lines it is in comes first.
type Line = VecDeque<(u64, Outgoing)>;

impl Queue {
    /// Appends a message. If there is no room for it, a message with QoS 0 goes, since nothing is
    /// promised for those: this one, or else the oldest of them. If there is none, the oldest
    /// message goes, whose news is the least new.
    pub(crate) fn push(&mut self, outgoing: Outgoing, limits: Limits) {
        let is_at_most_once = outgoing.message.qos == QoS::AtMostOnce;
        let size = outgoing.message.size();
        while self.len() >= limits.messages || self.bytes.saturating_add(size) > limits.bytes {
            // If the queue is empty, the message is larger than all that may be kept.
            if is_at_most_once || (!self.drop_first(true) && !self.drop_first(false)) {
                return;
            }
        }
        self.bytes = self.bytes.saturating_add(size);
        let number = self.next;
        self.next = self.next.wrapping_add(1); // In centuries.
        self.line(is_at_most_once).push_back((number, outgoing));
    }

    /// The next message; with `only_at_most_once` the next with QoS 0. Those whose Message Expiry
    /// Interval is over are dropped [MQTT5-3.3.2-5]; one that has been sent is no longer here [MQTT5-4.3.3-7].
    pub(crate) fn pop(&mut self, now: Timestamp, only_at_most_once: bool) -> Option<Outgoing> {
        loop {
            let next = self.pop_from(only_at_most_once || self.is_at_most_once_first())?;
            if !next.message.is_expired(now) {
                return Some(next);
            }
        }
    }

    /// Puts a message back that has just been popped, as the first of its line.
    pub(crate) fn put_back(&mut self, outgoing: Outgoing) {
        self.bytes = self.bytes.saturating_add(outgoing.message.size());
        let line = self.line(outgoing.message.qos == QoS::AtMostOnce);
        line.push_front((0, outgoing)); // Before all that are numbered.
    }

    /// Removes what the client gets by Shared Subscriptions, in order.
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

    /// False if there was none.
    fn drop_first(&mut self, is_at_most_once: bool) -> bool {
        self.pop_from(is_at_most_once).is_some()
    }

    fn len(&self) -> usize {
        self.promised.len().saturating_add(self.at_most_once.len())
    }

    /// Whether it is so long that its client should have a turn.
    pub(crate) fn is_crowded(&self, limits: Limits) -> bool {
        self.len() > limits.messages / 2 || self.bytes > limits.bytes / 2
    }

    /// Whether a message that can come later should be appended now: nothing is dropped for it,
    /// unless no queue has room for it, and there is still room for others.
    pub(crate) fn has_room(&self, outgoing: &Outgoing, limits: Limits) -> bool {
        let bytes = self.bytes.saturating_add(outgoing.message.size());
        self.len() == 0 || (self.len() < limits.messages / 2 && bytes <= limits.bytes / 2)
    }

    /// The client has gone: what was sent with QoS 0 does not wait for it to come back.
    pub(crate) fn drop_at_most_once(&mut self) {
        while self.drop_first(true) {}
        self.at_most_once.shrink_to_fit();
    }
}
