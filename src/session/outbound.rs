//! Packet Identifiers of the messages and requests of this side that await an acknowledgement.
//!
//! An identifier belongs to the slot with its number modulo the number of slots. So each slot has
//! identifiers of its own, and a slot that becomes free goes to the end of the queue of free slots
//! with its next identifier. Used in order this gives 1, 2, 3 and so on up to 65,535, then 1 again,
//! and never an identifier in use [MQTT-2.3.1-2, MQTT-2.3.1-4]. The cost of an acknowledgement
//! depends neither on the number in flight nor on the order.

use super::slots::{self, MAX_SLOTS, Slot, Slots};
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
    slots: S,
    /// The messages, linked in the order in which they are to be sent again: as they were
    /// sent [MQTT-4.6.0-1, MQTT5-4.6.0-1]; once PUBREC has come, as the PUBRECs came
    /// [MQTT-4.6.0-4, MQTT5-4.6.0-4].
    first: u16,
    last: u16,
    /// The free slots, linked in the order in which they became free. Each holds the identifier
    /// that it will assign next.
    first_free: u16,
    last_free: u16,
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
    /// The first identifier, once there are slots.
    start: u16,
}

/// Returns the identifier after this one; 1 follows 65,535.
const fn following(id: u16) -> u16 {
    match id.checked_add(1) {
        Some(id) => id,
        None => 1,
    }
}

impl<S> Outbound<S> {
    /// Returns the number of messages in flight.
    pub(crate) const fn messages(&self) -> u16 {
        self.messages
    }
}

impl<S: Slots> Outbound<S> {
    pub(crate) fn new(slots: S) -> Self {
        let mut outbound = Self {
            slots,
            first: 0,
            last: 0,
            first_free: 0,
            last_free: 0,
            cursor: 0,
            only_messages_left: false,
            messages: 0,
            unsent: 0,
            asked: 0,
            requests: 0,
            start: 1,
        };
        outbound.slots.as_mut_slice().fill(Slot::EMPTY);
        outbound.link_free_slots(1);
        outbound
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
        match self.first_free {
            // There are no slots yet.
            0 if self.is_empty() => self.start,
            next => next,
        }
    }

    /// Removes everything in flight, but keeps the order of the identifiers.
    pub(crate) fn clear(&mut self) {
        let next = match self.first_free {
            // All slots were in use: the oldest identifier is used again first.
            0 => self.first.max(1),
            next => next,
        };
        self.slots.as_mut_slice().fill(Slot::EMPTY);
        (self.first, self.last, self.cursor) = (0, 0, 0);
        (self.messages, self.unsent, self.asked, self.requests) = (0, 0, 0, 0);
        self.link_free_slots(next);
    }

    #[inline]
    fn index(&self, id: u16) -> usize {
        slots::home(id, self.slots.as_slice().len())
    }

    /// Returns the slot in use for `id`.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn slot(&self, id: u16) -> Option<&Slot> {
        let slot = self.slots.as_slice().get(self.index(id))?;
        (slot.id == id && slot.state != 0).then_some(slot)
    }

    #[inline]
    fn slot_mut(&mut self, id: u16) -> Option<&mut Slot> {
        let slot = self.any_slot_mut(id)?;
        (slot.id == id && slot.state != 0).then_some(slot)
    }

    /// Returns the slot that `id` belongs to, in use or not.
    #[inline]
    fn any_slot_mut(&mut self, id: u16) -> Option<&mut Slot> {
        let index = self.index(id);
        self.slots.as_mut_slice().get_mut(index)
    }

    /// Returns the use of `id`.
    #[inline]
    pub(crate) fn phase(&self, id: PacketId) -> Option<Phase> {
        self.slot(id.get()).map(phase)
    }

    /// Returns the identifier for the next packet, or `None` if all slots are in use. Nothing is in
    /// use yet: that is for [`begin`](Self::begin), once the packet has been written.
    pub(crate) fn next_id(&mut self) -> Option<PacketId> {
        if self.first_free == 0 {
            self.grow()?;
        }
        PacketId::new(self.first_free)
    }

    /// Starts to use the identifier from `next_id`.
    pub(crate) fn begin(&mut self, phase: Phase) {
        let id = self.first_free;
        let Some(slot) = self.any_slot_mut(id) else {
            return;
        };
        let next_free = slot.next;
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
            (slot.next, slot.state) = (0, state);
            self.requests = self.requests.saturating_add(1);
        }
        self.first_free = next_free;
        if next_free == 0 {
            self.last_free = 0;
        }
    }

    /// Records PUBREC: the message is released, and on resumption PUBREL is sent, after those whose
    /// PUBREC was received earlier.
    pub(crate) fn release(&mut self, id: PacketId) {
        let Some(&slot) = self.slot(id.get()) else {
            return;
        };
        if slot.state & PHASE >= RELEASED {
            return;
        }
        self.count_as_sent(slot.state);
        if slot.next == 0 {
            // It is the last one already.
            if let Some(slot) = self.any_slot_mut(slot.id) {
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
        let Some(&slot) = self.slot(id.get()) else {
            return;
        };
        if slot.state & PHASE > RELEASED {
            self.requests = self.requests.saturating_sub(1);
        } else {
            self.count_as_sent(slot.state);
            self.unlink(&slot);
            self.messages = self.messages.saturating_sub(1);
        }
        self.free(slot.id);
    }

    /// Appends the slot of `id` to the queue of free slots, with its next identifier.
    #[inline]
    fn free(&mut self, id: u16) {
        let slots = self.slots.as_slice().len().min(MAX_SLOTS);
        let next = match u16::try_from(usize::from(id).wrapping_add(slots)) {
            Ok(next) if id != u16::MAX => next,
            _ => return self.free_in_next_round(id),
        };
        self.free_with(id, next);
    }

    /// [`free`](Self::free) for an identifier that is the last of its slot.
    #[cold]
    fn free_in_next_round(&mut self, id: u16) {
        if id == u16::MAX && self.is_empty() {
            // With nothing in flight the next round can start in order, from 1 on.
            self.slots.as_mut_slice().fill(Slot::EMPTY);
            self.link_free_slots(following(id));
            return;
        }
        // Wraps to the smallest identifier of this slot.
        let slots = self.slots.as_slice().len();
        let smallest = match self.index(id) {
            0 => u16::try_from(slots).unwrap_or(id),
            index => u16::try_from(index).unwrap_or(id),
        };
        self.free_with(id, smallest);
    }

    #[inline]
    fn free_with(&mut self, id: u16, next: u16) {
        if let Some(slot) = self.any_slot_mut(id) {
            *slot = Slot {
                id: next,
                ..Slot::EMPTY
            };
        }
        self.append_free(next);
    }

    #[inline]
    fn append_free(&mut self, id: u16) {
        match self.last_free {
            0 => self.first_free = id,
            last => {
                if let Some(slot) = self.any_slot_mut(last) {
                    slot.next = id;
                }
            }
        }
        self.last_free = id;
    }

    /// Gives each free slot an identifier, and queues the slots in the order of their identifiers,
    /// `from` first. Free slots must be empty.
    fn link_free_slots(&mut self, from: u16) {
        (self.first_free, self.last_free) = (0, 0);
        let is_unused = |slot: &&Slot| slot.state == 0;
        let mut unused = self.slots.as_slice().iter().filter(is_unused).count();
        let mut id = from;
        for _ in 0..u16::MAX {
            if unused == 0 {
                return;
            }
            if let Some(slot) = self.any_slot_mut(id) {
                if slot.state == 0 && slot.id == 0 {
                    slot.id = id;
                    unused = unused.saturating_sub(1);
                    self.append_free(id);
                }
            }
            id = following(id);
        }
    }

    /// Adds slots. An identifier in use may then belong to another slot: with twice as many slots,
    /// to its present one or to a new one.
    fn grow(&mut self) -> Option<()> {
        let before = self.slots.as_slice().len();
        if before >= MAX_SLOTS || !self.slots.grow() {
            return None;
        }
        let slots = self.slots.as_slice().len();
        if slots < MAX_SLOTS && slots.checked_rem(before).is_some_and(|rest| rest != 0) {
            // Two identifiers may belong to one slot now.
            self.clear();
            return (self.first_free != 0).then_some(());
        }
        for new in self.slots.as_mut_slice().iter_mut().skip(before) {
            *new = Slot::EMPTY;
        }
        let mut newest = 0;
        let mut next = self.start;
        for at in 0..before {
            let Some(slot) = self.slots.as_slice().get(at).copied() else {
                break;
            };
            if slot.state == 0 {
                continue;
            }
            newest = newest.max(slot.id);
            next = following(newest);
            let home = self.index(slot.id);
            if home != at {
                if let Some(old) = self.slots.as_mut_slice().get_mut(at) {
                    *old = Slot::EMPTY;
                }
                if let Some(new) = self.slots.as_mut_slice().get_mut(home) {
                    *new = slot;
                }
            }
        }
        self.link_free_slots(next);
        (self.first_free != 0).then_some(())
    }

    /// Appends a message to the list, with this state.
    #[inline]
    fn append(&mut self, id: u16, state: u16) {
        let last = self.last;
        if let Some(slot) = self.any_slot_mut(id) {
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
                if let Some(slot) = self.any_slot_mut(last) {
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
                if let Some(before) = self.any_slot_mut(previous) {
                    before.next = slot.next;
                }
            }
        }
        match slot.next {
            0 => self.last = slot.previous,
            next => {
                if let Some(behind) = self.any_slot_mut(next) {
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
        while let Some(slot) = self.slot_mut(id) {
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
            let slot = self.slot(self.cursor)?;
            if is_it(slot.state) {
                return PacketId::new(slot.id);
            }
            self.cursor = slot.next;
        }
    }

    /// Records that `Action::Resend` was returned for `id`.
    pub(crate) fn mark_asked(&mut self, id: PacketId) {
        if let Some(slot) = self.slot_mut(id.get()) {
            slot.state |= ASKED;
            self.asked = self.asked.saturating_add(1);
        }
    }

    /// Returns true if the application was asked to send `id` again and has not done so.
    pub(crate) fn is_asked(&self, id: PacketId) -> bool {
        self.slot(id.get())
            .is_some_and(|slot| slot.state & (UNSENT | ASKED) == UNSENT | ASKED)
    }

    /// Records that `id` was sent again. Returns false if it did not have to be.
    pub(crate) fn mark_sent(&mut self, id: PacketId) -> bool {
        let Some(slot) = self.slot_mut(id.get()) else {
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
            .zip(self.slots.as_slice().iter().skip(usize::from(from)))
            .find(|(_, slot)| slot.state & PHASE > RELEASED)
            .and_then(|(index, slot)| Some((index, PacketId::new(slot.id)?)))
    }

    /// Removes SUBSCRIBE and UNSUBSCRIBE without an answer. They belong to the connection, not to
    /// the session.
    pub(crate) fn drop_requests(&mut self) {
        for at in 0..self.slots.as_slice().len() {
            if self.requests == 0 {
                return;
            }
            if let Some(slot) = self.slots.as_slice().get(at) {
                if slot.state & PHASE > RELEASED {
                    if let Some(id) = PacketId::new(slot.id) {
                        self.complete(id);
                    }
                }
            }
        }
    }

    fn messages_from(&self, id: u16) -> impl Iterator<Item = &Slot> + '_ {
        core::iter::successors(self.slot(id), |slot| self.slot(slot.next))
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
            let taken = self.slots.as_slice().get(self.index(id.get()));
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
        let grown = self.grow().is_some();
        self.empty_free_slots();
        grown
    }

    /// Clears the identifiers of free slots.
    fn empty_free_slots(&mut self) {
        let slots = self.slots.as_mut_slice().iter_mut();
        slots
            .filter(|slot| slot.state == 0)
            .for_each(|slot| *slot = Slot::EMPTY);
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
        self.slots.as_mut_slice().fill(Slot::EMPTY);
    }

    pub(super) fn finish_restoring(&mut self, next: u16) {
        self.empty_free_slots();
        self.start = next;
        self.link_free_slots(next);
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
mod tests {
    use super::*;
    use std::vec::Vec;

    const Q1: Phase = Phase::Publish(QoS::AtLeastOnce);
    const Q2: Phase = Phase::Publish(QoS::ExactlyOnce);

    fn send(outbound: &mut Outbound<impl Slots>, phase: Phase) -> u16 {
        let id = outbound.next_id().expect("a free slot");
        outbound.begin(phase);
        id.get()
    }

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    fn order(outbound: &Outbound<impl Slots>) -> Vec<u16> {
        outbound.iter().map(|(id, _)| id.get()).collect()
    }

    #[test]
    fn identifiers_count_up_and_roll_over_to_1_whatever_the_number_of_slots() {
        for slots in [1, 2, 3, 4, 7, 8, 100] {
            let mut slots = std::vec![Slot::EMPTY; slots];
            let mut outbound = Outbound::new(&mut slots[..]);
            for round in 0..3 {
                for expected in 1..=u16::MAX {
                    assert_eq!(send(&mut outbound, Q1), expected, "round {round}");
                    outbound.complete(id(expected));
                }
            }
        }
    }

    #[test]
    fn free_slots_that_are_put_in_order_across_65535_get_identifiers_of_their_own() {
        for count in 1..=20 {
            for from in 65_500..=65_535 {
                let mut slots = std::vec![Slot::EMPTY; count];
                let mut outbound = Outbound::new(&mut slots[..]);
                outbound.start_restoring();
                outbound.finish_restoring(from);
                let mut given: Vec<u16> =
                    core::iter::from_fn(|| outbound.next_id().map(|_| send(&mut outbound, Q1)))
                        .collect();
                given.sort_unstable();
                given.dedup();
                assert_eq!(given.len(), count, "from {from}: {given:?}");
                assert_eq!(outbound.iter().count(), count);
            }
        }
    }

    #[test]
    fn an_identifier_in_use_is_never_given_out() {
        let mut outbound = Outbound::new([Slot::EMPTY; 5]);
        let kept = send(&mut outbound, Q1);
        for _ in 0..200_000 {
            let next = send(&mut outbound, Q2);
            assert_ne!(next, kept);
            assert_ne!(next, 0);
            outbound.complete(id(next));
        }
    }

    #[test]
    fn when_all_slots_are_in_use_there_is_no_identifier_and_nothing_changes() {
        let mut outbound = Outbound::new([Slot::EMPTY; 2]);
        assert_eq!(send(&mut outbound, Q1), 1);
        assert_eq!(send(&mut outbound, Phase::Subscribe(3)), 2);
        assert_eq!(outbound.next_id(), None);
        assert_eq!(outbound.phase(id(2)), Some(Phase::Subscribe(3)));
        outbound.complete(id(1));
        assert_eq!(send(&mut outbound, Q1), 3);
        assert_eq!(order(&outbound), [3]);
    }

    #[test]
    fn no_slots_at_all_are_simply_full() {
        let mut outbound = Outbound::new([Slot::EMPTY; 0]);
        assert_eq!(outbound.next_id(), None);
        assert_eq!(outbound.phase(id(1)), None);
        outbound.complete(id(1));
        outbound.resume();
        assert!(outbound.is_empty());
    }

    #[test]
    fn publish_is_sent_again_in_order_and_pubrel_in_the_order_of_the_pubrecs() {
        let mut outbound = Outbound::new([Slot::EMPTY; 8]);
        for phase in [Q2, Q1, Q2, Q2] {
            send(&mut outbound, phase);
        }
        outbound.release(id(4));
        outbound.release(id(1));
        assert_eq!(order(&outbound), [2, 3, 4, 1]);
        outbound.resume();
        let mut again = Vec::new();
        while let Some(id) = outbound.next_unsent_pubrel() {
            again.push((id.get(), outbound.phase(id).unwrap()));
            outbound.mark_sent(id);
        }
        while let Some(id) = outbound.next_unsent_publish() {
            again.push((id.get(), outbound.phase(id).unwrap()));
            outbound.mark_sent(id);
        }
        assert_eq!(
            again,
            [(4, Phase::Released), (1, Phase::Released), (2, Q1), (3, Q2)]
        );
        assert_eq!(outbound.unsent(), 0);
    }

    #[test]
    fn a_message_acknowledged_before_it_was_sent_again_is_not_sent_again() {
        let mut outbound = Outbound::new([Slot::EMPTY; 4]);
        for _ in 0..3 {
            send(&mut outbound, Q2);
        }
        outbound.resume();
        outbound.mark_asked(id(1));
        outbound.complete(id(1));
        outbound.release(id(2));
        assert_eq!(outbound.next_unsent_pubrel(), None);
        assert_eq!(outbound.next_unsent_publish(), Some(id(3)));
        assert_eq!((outbound.unsent(), outbound.in_flight()), (1, 1));
    }

    #[test]
    fn requests_end_with_the_connection_and_messages_do_not() {
        let mut outbound = Outbound::new([Slot::EMPTY; 4]);
        send(&mut outbound, Phase::Subscribe(1));
        send(&mut outbound, Q1);
        send(&mut outbound, Phase::Unsubscribe(1));
        outbound.drop_requests();
        assert_eq!(outbound.phase(id(1)), None);
        assert_eq!(outbound.phase(id(3)), None);
        assert_eq!(order(&outbound), [2]);
        assert_eq!(outbound.requests, 0);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_grows_to_all_65535_identifiers_and_no_further() {
        let mut outbound = Outbound::new(Vec::new());
        assert_eq!(outbound.slots.capacity(), 0);
        for expected in 1..=u16::MAX {
            assert_eq!(send(&mut outbound, Q1), expected);
        }
        assert_eq!(outbound.next_id(), None);
        assert_eq!(order(&outbound), (1..=u16::MAX).collect::<Vec<_>>());
        // Acknowledged in another order, each with the same few steps.
        for number in (1..=u16::MAX).rev() {
            outbound.complete(id(number));
        }
        assert!(outbound.is_empty());
        assert_eq!(
            send(&mut outbound, Q1),
            u16::MAX,
            "the one that was free first"
        );
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn growing_keeps_what_is_in_use_where_it_can_be_found() {
        let mut outbound = Outbound::new(Vec::new());
        for _ in 0..5 {
            let next = send(&mut outbound, Q1);
            outbound.complete(id(next));
        }
        let sent: Vec<u16> = (0..100).map(|_| send(&mut outbound, Q1)).collect();
        assert_eq!(order(&outbound), sent);
        for &number in &sent {
            assert_eq!(outbound.phase(id(number)), Some(Q1));
        }
        let unique: std::collections::BTreeSet<_> = sent.iter().collect();
        assert_eq!(unique.len(), 100);
    }

    /// Sends and completes messages in some order, and checks after each step that the messages in
    /// flight are those sent and not completed.
    #[cfg(feature = "alloc")]
    fn check_while_growing(slots: impl Slots, seed: u32) {
        let mut outbound = Outbound::new(slots);
        let mut under_way = Vec::new();
        let mut random = seed;
        for _ in 0..300 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (random >> 16) as usize;
            if number % 5 < 3 {
                let next = send(&mut outbound, Q1);
                assert!(!under_way.contains(&next), "{next} is in use");
                under_way.push(next);
            } else if let Some(at) = number.checked_rem(under_way.len()) {
                outbound.complete(id(under_way.remove(at)));
            }
            assert_eq!(order(&outbound), under_way, "seed {seed}");
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_grows_from_any_number_of_slots() {
        for slots in 0..=20 {
            for seed in 0..50 {
                check_while_growing(std::vec![Slot::EMPTY; slots], seed);
            }
        }
    }

    /// Grows by a number of slots.
    #[cfg(feature = "alloc")]
    struct By(Vec<Slot>, usize);

    #[cfg(feature = "alloc")]
    impl Slots for By {
        fn as_slice(&self) -> &[Slot] {
            &self.0
        }

        fn as_mut_slice(&mut self) -> &mut [Slot] {
            &mut self.0
        }

        fn grow(&mut self) -> bool {
            self.0
                .resize(self.0.len().saturating_add(self.1), Slot::EMPTY);
            true
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn slots_of_ones_own_may_grow_to_any_multiple_or_to_all() {
        for (slots, more) in [(1, 2), (2, 4), (3, 3), (3, 65_533), (4, 65_536)] {
            let mut outbound = Outbound::new(By(std::vec![Slot::EMPTY; slots], more));
            let sent: Vec<u16> = (0..=slots).map(|_| send(&mut outbound, Q1)).collect();
            assert_eq!(order(&outbound), sent);
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn slots_that_grow_to_another_number_make_the_session_forget_and_go_on() {
        let mut outbound = Outbound::new(By(std::vec![Slot::EMPTY; 3], 5));
        for expected in 1..=3 {
            assert_eq!(send(&mut outbound, Q1), expected);
        }
        let next = send(&mut outbound, Q1);
        assert_eq!(order(&outbound), [next]);
        outbound.complete(id(next));
        assert!(outbound.is_empty());
    }

    #[test]
    fn clearing_does_not_start_again_at_1() {
        let mut outbound = Outbound::new([Slot::EMPTY; 2]);
        assert_eq!([send(&mut outbound, Q1), send(&mut outbound, Q1)], [1, 2]);
        outbound.complete(id(1));
        outbound.clear();
        assert_eq!(send(&mut outbound, Q1), 3);
    }
}
