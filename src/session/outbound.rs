//! Packet Identifiers of the messages and requests of this side that await an acknowledgement.
//!
//! Messages are linked in the order in which they are to be sent again. The cost of an
//! acknowledgement depends neither on the number in flight nor on the order.

mod identifiers;

use self::identifiers::{Growth, Identifiers, following};
use super::slots::{Slot, Slots};
use crate::types::{PacketId, QoS};

/// The use of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Phase {
    /// PUBLISH was sent at this QoS, 1 or 2; PUBACK or PUBREC is awaited.
    Publish(QoS),
    /// PUBREL was sent; PUBCOMP is awaited.
    Released,
    /// SUBSCRIBE with this many filters was sent; SUBACK is awaited.
    Subscribe(u16),
    /// UNSUBSCRIBE with this many filters was sent; UNSUBACK is awaited.
    Unsubscribe(u16),
}

// `Slot::state`: one of these, and for messages the flags below. A free slot has 0.
const PUBLISH_1: u16 = 1;
const PUBLISH_2: u16 = 2;
const RELEASED: u16 = 3;
const SUBSCRIBE: u16 = 4;
const UNSUBSCRIBE: u16 = 5;
const PHASE: u16 = 7;
/// Not yet sent again on this connection.
const UNSENT: u16 = 8;
/// `Action::Resend` was returned for it.
const ASKED: u16 = 16;

#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Outbound<S> {
    identifiers: Identifiers<S>,
    /// The messages, linked in the order in which they are to be sent again: as they were
    /// sent [MQTT-4.6.0-1, MQTT5-4.6.0-1]; once PUBREC has come, as the PUBRECs came
    /// [MQTT-4.6.0-4, MQTT5-4.6.0-4].
    first: u16,
    last: u16,
    /// The position of the next packet to send again: first each PUBREL, then, from the start, the
    /// messages. Otherwise, in a smaller window than before, the PUBREL for a new PUBREC could overtake
    /// an older one.
    cursor: u16,
    only_messages_left: bool,
    messages: u16,
    unsent: u16,
    asked: u16,
    /// The number of SUBSCRIBE and UNSUBSCRIBE in flight.
    requests: u16,
}

impl<S> Outbound<S> {
    /// Returns the number of messages in flight.
    pub(crate) const fn messages(&self) -> u16 {
        self.messages
    }
}

impl<S: Slots> Outbound<S> {
    pub(crate) fn new(slots: S) -> Self {
        Self {
            identifiers: Identifiers::new(slots),
            first: 0,
            last: 0,
            cursor: 0,
            only_messages_left: false,
            messages: 0,
            unsent: 0,
            asked: 0,
            requests: 0,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.messages == 0 && self.requests == 0
    }

    /// Returns the number of those that were not sent again since the connection began.
    pub(crate) const fn unsent(&self) -> u16 {
        self.unsent
    }

    /// Returns the number of those that were sent on this connection, or are about to be.
    pub(crate) const fn in_flight(&self) -> u16 {
        self.messages
            .saturating_sub(self.unsent)
            .saturating_add(self.asked)
    }

    /// Returns the next identifier: 1 at the start, 0 if all slots are in use.
    pub(super) const fn next_number(&self) -> u16 {
        match self.identifiers.next() {
            // There are no slots yet.
            0 if self.is_empty() => self.identifiers.start(),
            next => next,
        }
    }

    /// Removes everything in flight, but keeps the order of the identifiers.
    pub(crate) fn clear(&mut self) {
        let next = match self.identifiers.next() {
            // All slots were in use: the oldest identifier is used again first.
            0 => self.first.max(1),
            next => next,
        };
        (self.first, self.last, self.cursor) = (0, 0, 0);
        (self.messages, self.unsent, self.asked, self.requests) = (0, 0, 0, 0);
        self.identifiers.clear(next);
    }

    /// Returns the use of `id`.
    #[inline]
    pub(crate) fn phase(&self, id: PacketId) -> Option<Phase> {
        self.identifiers.get(id.get()).map(phase)
    }

    /// Returns the identifier for the next packet, or `None` if all slots are in use. Nothing is in
    /// use yet: that is for [`begin`](Self::begin), once the packet has been written.
    pub(crate) fn next_id(&mut self) -> Option<PacketId> {
        if self.identifiers.next() == 0 {
            self.grow();
        }
        PacketId::new(self.identifiers.next())
    }

    /// Starts to use the identifier from `next_id`.
    pub(crate) fn begin(&mut self, phase: Phase) {
        let Some(slot) = self.identifiers.take() else {
            return;
        };
        let id = slot.id;
        let state = match phase {
            Phase::Publish(QoS::ExactlyOnce) => PUBLISH_2,
            Phase::Publish(_) => PUBLISH_1,
            Phase::Released => RELEASED,
            Phase::Subscribe(filters) => {
                // Requests are in no list, so a link can hold their number of filters.
                slot.previous = filters;
                SUBSCRIBE
            }
            Phase::Unsubscribe(filters) => {
                slot.previous = filters;
                UNSUBSCRIBE
            }
        };
        if state <= RELEASED {
            self.messages = self.messages.saturating_add(1);
            self.append(id, state);
        } else {
            slot.state = state;
            self.requests = self.requests.saturating_add(1);
        }
    }

    /// Records PUBREC: the message is released, and on resumption PUBREL is sent, after those whose
    /// PUBREC was received earlier.
    pub(crate) fn release(&mut self, id: PacketId) {
        let Some(&slot) = self.identifiers.get(id.get()) else {
            return;
        };
        if slot.state & PHASE >= RELEASED {
            return;
        }
        self.count_as_sent(slot.state);
        if slot.next == 0 {
            // It is the last one already.
            if let Some(slot) = self.identifiers.get_mut(slot.id) {
                slot.state = RELEASED;
            }
            return;
        }
        self.unlink(&slot);
        self.append(slot.id, RELEASED);
    }

    /// Records the last acknowledgement: `id` is free again [MQTT-2.3.1-3].
    #[inline]
    pub(crate) fn complete(&mut self, id: PacketId) {
        let Some(&slot) = self.identifiers.get(id.get()) else {
            return;
        };
        if slot.state & PHASE > RELEASED {
            self.requests = self.requests.saturating_sub(1);
        } else {
            self.count_as_sent(slot.state);
            self.unlink(&slot);
            self.messages = self.messages.saturating_sub(1);
        }
        if !self.identifiers.free(slot.id) {
            self.free_in_next_round(slot.id);
        }
    }

    /// Frees an identifier that is the last of its slot.
    #[cold]
    fn free_in_next_round(&mut self, id: u16) {
        if id == u16::MAX && self.is_empty() {
            // With nothing in flight the next round can start in order, from 1 on.
            self.identifiers.clear(following(id));
        } else {
            self.identifiers.free_in_next_round(id);
        }
    }

    /// Adds slots.
    fn grow(&mut self) -> bool {
        match self.identifiers.grow() {
            None => return false,
            Some(Growth::Kept) => {}
            Some(Growth::Lost) => self.clear(),
        }
        self.identifiers.next() != 0
    }

    /// Appends a message to the list, with this state.
    #[inline]
    fn append(&mut self, id: u16, state: u16) {
        let last = self.last;
        if let Some(slot) = self.identifiers.slot_mut(id) {
            *slot = Slot {
                id,
                previous: last,
                next: 0,
                state,
            };
        }
        self.last = id;
        match last {
            0 => self.first = id,
            last => {
                if let Some(slot) = self.identifiers.slot_mut(last) {
                    slot.next = id;
                }
            }
        }
    }

    /// Removes the message in `slot` from the list. The slot itself does not change.
    #[inline]
    fn unlink(&mut self, slot: &Slot) {
        match slot.previous {
            0 => self.first = slot.next,
            previous => {
                if let Some(before) = self.identifiers.slot_mut(previous) {
                    before.next = slot.next;
                }
            }
        }
        match slot.next {
            0 => self.last = slot.previous,
            next => {
                if let Some(behind) = self.identifiers.slot_mut(next) {
                    behind.previous = slot.previous;
                }
            }
        }
        if self.cursor == slot.id {
            self.cursor = slot.next;
        }
    }

    /// Records that a connection resumes this session: everything has to be sent again
    /// [MQTT-4.4.0-1].
    pub(crate) fn resume(&mut self) {
        let mut id = self.first;
        while let Some(slot) = self.identifiers.get_mut(id) {
            slot.state = slot.state & PHASE | UNSENT;
            id = slot.next;
        }
        self.cursor = self.first;
        self.only_messages_left = false;
        self.unsent = self.messages;
        self.asked = 0;
    }

    /// Returns the next PUBREL to send again.
    pub(crate) fn next_unsent_pubrel(&mut self) -> Option<PacketId> {
        if self.only_messages_left {
            return None;
        }
        let found = self.seek(|state| state & (PHASE | UNSENT) == RELEASED | UNSENT);
        if found.is_none() {
            self.only_messages_left = true;
            self.cursor = self.first;
        }
        found
    }

    /// Returns the next message to send again for which `Action::Resend` was not returned. Call it
    /// after all PUBRELs.
    pub(crate) fn next_unsent_publish(&mut self) -> Option<PacketId> {
        self.seek(|state| state & (UNSENT | ASKED) == UNSENT)
    }

    /// Moves the cursor to the next slot whose state satisfies `is_it`.
    fn seek(&mut self, is_it: impl Fn(u16) -> bool) -> Option<PacketId> {
        loop {
            let slot = self.identifiers.get(self.cursor)?;
            if is_it(slot.state) {
                return PacketId::new(slot.id);
            }
            self.cursor = slot.next;
        }
    }

    /// Records that `Action::Resend` was returned for `id`.
    pub(crate) fn mark_asked(&mut self, id: PacketId) {
        if let Some(slot) = self.identifiers.get_mut(id.get()) {
            slot.state |= ASKED;
            self.asked = self.asked.saturating_add(1);
        }
    }

    /// Returns true if the application was asked to send `id` again and has not done so.
    pub(crate) fn is_asked(&self, id: PacketId) -> bool {
        self.identifiers
            .get(id.get())
            .is_some_and(|slot| slot.state & (UNSENT | ASKED) == UNSENT | ASKED)
    }

    /// Records that `id` was sent again. Returns false if it did not have to be.
    pub(crate) fn mark_sent(&mut self, id: PacketId) -> bool {
        let Some(slot) = self.identifiers.get_mut(id.get()) else {
            return false;
        };
        let before = slot.state;
        slot.state &= PHASE;
        self.count_as_sent(before);
        before & UNSENT != 0
    }

    /// Updates the counters when a message in this state need not be sent again any more.
    #[inline]
    const fn count_as_sent(&mut self, state: u16) {
        if state & UNSENT != 0 {
            self.unsent = self.unsent.saturating_sub(1);
            if state & ASKED != 0 {
                self.asked = self.asked.saturating_sub(1);
            }
        }
    }

    /// Returns the oldest message that was not sent on this connection: after a lost session, the
    /// next one to report as lost.
    pub(crate) fn first_not_sent(&self) -> Option<(PacketId, Phase)> {
        if self.unsent == 0 {
            return None;
        }
        self.messages_from(self.first)
            .find(|slot| slot.state & UNSENT != 0)
            .and_then(|slot| Some((PacketId::new(slot.id)?, phase(slot))))
    }

    /// Returns a SUBSCRIBE or UNSUBSCRIBE without an answer, in this slot or one after it.
    pub(crate) fn next_request(&self, from: u16) -> Option<(u16, PacketId)> {
        if self.requests == 0 {
            return None;
        }
        (from..)
            .zip(self.identifiers.slots().iter().skip(usize::from(from)))
            .find(|(_, slot)| slot.state & PHASE > RELEASED)
            .and_then(|(index, slot)| Some((index, PacketId::new(slot.id)?)))
    }

    /// Removes SUBSCRIBE and UNSUBSCRIBE without an answer. They belong to the connection, not to
    /// the session.
    pub(crate) fn drop_requests(&mut self) {
        for at in 0..self.identifiers.slots().len() {
            if self.requests == 0 {
                return;
            }
            if let Some(slot) = self.identifiers.slots().get(at) {
                if slot.state & PHASE > RELEASED {
                    if let Some(id) = PacketId::new(slot.id) {
                        self.complete(id);
                    }
                }
            }
        }
    }

    fn messages_from(&self, id: u16) -> impl Iterator<Item = &Slot> + '_ {
        core::iter::successors(self.identifiers.get(id), |slot| {
            self.identifiers.get(slot.next)
        })
    }

    /// Returns the messages in the order in which they are sent again.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PacketId, Phase)> + '_ {
        self.messages_from(self.first)
            .filter_map(|slot| Some((PacketId::new(slot.id)?, phase(slot))))
    }

    /// Restores a message in flight, after the others. Returns false if there is no slot for this
    /// identifier. [`finish_restoring`](Self::finish_restoring) follows the last message.
    pub(super) fn restore(&mut self, id: PacketId, phase: Phase) -> bool {
        let state = match phase {
            Phase::Publish(QoS::AtLeastOnce) => PUBLISH_1,
            Phase::Publish(QoS::ExactlyOnce) => PUBLISH_2,
            Phase::Released => RELEASED,
            Phase::Publish(QoS::AtMostOnce) | Phase::Subscribe(_) | Phase::Unsubscribe(_) => {
                return false;
            }
        };
        loop {
            let taken = self.identifiers.slot(id.get());
            if taken.is_some_and(|slot| slot.state == 0) {
                break;
            }
            if taken.is_some_and(|slot| slot.id == id.get()) || !self.grow_empty() {
                return false;
            }
        }
        self.messages = self.messages.saturating_add(1);
        self.append(id.get(), state);
        true
    }

    /// [`grow`](Self::grow) while free slots have no identifiers.
    fn grow_empty(&mut self) -> bool {
        let grown = self.grow();
        self.identifiers.empty_free_slots();
        grown
    }

    /// Uses a particular identifier for a message, as a journal recorded it. Returns false if its
    /// slot is in use.
    pub(super) fn begin_with(&mut self, id: PacketId, qos: QoS) -> bool {
        if self.next_id() == Some(id) {
            self.begin(Phase::Publish(qos));
            return true;
        }
        let next = self.next_number().max(1);
        let restored = self.restore(id, Phase::Publish(qos));
        // A change that does not fit changes nothing, not even the next identifier.
        self.finish_restoring(if restored { following(id.get()) } else { next });
        restored
    }

    /// Empties the slots for [`restore`](Self::restore).
    pub(super) fn start_restoring(&mut self) {
        self.clear();
        self.identifiers.empty_free_slots();
    }

    pub(super) fn finish_restoring(&mut self, next: u16) {
        self.identifiers.restart(next);
    }
}

const fn phase(slot: &Slot) -> Phase {
    match slot.state & PHASE {
        PUBLISH_1 => Phase::Publish(QoS::AtLeastOnce),
        PUBLISH_2 => Phase::Publish(QoS::ExactlyOnce),
        RELEASED => Phase::Released,
        SUBSCRIBE => Phase::Subscribe(slot.previous),
        _ => Phase::Unsubscribe(slot.previous),
    }
}

#[cfg(test)]
mod tests;
