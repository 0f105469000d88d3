//! Packet Identifiers of messages from the peer whose delivery is not complete.
//!
//! The peer chooses these identifiers, so they are hashed: an identifier belongs to the slot with
//! its number modulo the number of slots, and identifiers of the same slot are chained. A chain has
//! at most 65,536 / slots entries, and never more than there are slots, so a hostile peer can make
//! a chain of at most 256. If the slot of a new identifier holds one that belongs elsewhere, that
//! one moves, so each chain begins in its own slot.
//!
//! Acknowledgements are sent in the order in which the messages were received
//! [MQTT-4.6.0-2, MQTT-4.6.0-3, MQTT5-4.6.0-2, MQTT5-4.6.0-3], so the messages that await one form a
//! queue.

use super::acknowledgement::Acknowledgement;
use super::slots::{self, Slot, Slots};
use crate::types::{PacketId, QoS};

/// The state of a message from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Receipt {
    /// Delivered to the application, which has not acknowledged it.
    Delivered(QoS),
    /// Acknowledged by the application; PUBACK or PUBREC has not been sent.
    Acknowledged(QoS),
    /// QoS 2: PUBREC was sent; PUBREL is awaited.
    Received,
}

impl Receipt {
    /// The QoS of the message.
    pub(crate) const fn qos(self) -> QoS {
        match self {
            Self::Delivered(qos) | Self::Acknowledged(qos) => qos,
            Self::Received => QoS::ExactlyOnce,
        }
    }
}

// `Slot::state`: one or more of these; 0 in a free slot.
const QOS_1: u16 = 1;
const QOS_2: u16 = 2;
const ACKNOWLEDGED: u16 = 4;
const RECEIVED: u16 = 8;
/// In the queue of messages that await an acknowledgement on this connection.
const QUEUED: u16 = 16;
/// From an earlier connection, and not sent again on this one. A client that lost its session starts
/// again at identifier 1: closing because 1 is still held would lock that client out.
const STALE: u16 = 32;
/// Delivered on an earlier connection.
const EARLIER: u16 = 64;
/// The upper byte holds the number of the delivery until it is acknowledged, then the Reason Code;
/// from 0x80 on it refuses the message.
const UPPER_SHIFT: u32 = 8;
const LOWER: u16 = 0xff;
const REFUSED: u16 = 1 << 15;

// In a slot in use, `previous` is the chain (the number of a slot, counted from 1; 0 ends it) and
// `next` the queue (an identifier). Free slots are linked both ways by numbers from 1.

/// Slots are numbered from 1, in 16 bits.
const MOST: usize = u16::MAX as usize;

#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Inbound<S> {
    slots: S,
    free: u16,
    first: u16,
    last: u16,
    count: u16,
    /// The number of [`STALE`] identifiers.
    stale: u16,
    /// Counts the connections of the session.
    generation: u16,
    /// The number of the last delivery that is to be acknowledged.
    serial: u8,
}

impl<S> Inbound<S> {
    /// Returns the number of identifiers held.
    pub(crate) const fn len(&self) -> u16 {
        self.count
    }

    /// Returns the number of those that the peer has sent on this connection.
    pub(crate) const fn current(&self) -> u16 {
        self.count.saturating_sub(self.stale)
    }

    /// Counts an entry in this state as one of this connection, or as removed.
    const fn count_as_current(&mut self, state: u16) {
        if state & STALE != 0 {
            self.stale = self.stale.saturating_sub(1);
        }
    }
}

impl<S: Slots> Inbound<S> {
    pub(crate) fn new(slots: S) -> Self {
        let mut inbound = Self {
            slots,
            free: 0,
            first: 0,
            last: 0,
            count: 0,
            stale: 0,
            generation: 0,
            serial: 0,
        };
        inbound.clear();
        inbound
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns true if no message awaits an acknowledgement from the application or from this side.
    #[inline]
    pub(crate) const fn is_queue_empty(&self) -> bool {
        self.first == 0
    }

    pub(crate) fn clear(&mut self) {
        self.slots.as_mut_slice().fill(Slot::EMPTY);
        (self.first, self.last, self.count) = (0, 0, 0);
        self.link_free_slots();
        self.stale = 0;
        self.generation = self.generation.wrapping_add(1);
    }

    /// Returns the slot with this number, counted from 1.
    fn at(&self, number: u16) -> Slot {
        let index = usize::from(number).wrapping_sub(1);
        self.slots
            .as_slice()
            .get(index)
            .copied()
            .unwrap_or_default()
    }

    fn at_mut(&mut self, number: u16) -> Option<&mut Slot> {
        let index = usize::from(number).wrapping_sub(1);
        self.slots.as_mut_slice().get_mut(index)
    }

    /// Returns the number of the slot that `id` belongs to, or 0 if there are no slots.
    #[inline]
    fn home(&self, id: u16) -> u16 {
        match self.slots.as_slice().len().min(MOST) {
            0 => 0,
            slots => u16::try_from(slots::home(id, slots)).map_or(0, |index| index.wrapping_add(1)),
        }
    }

    /// Returns the number of the slot that holds `id`.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn find(&self, id: u16) -> Option<u16> {
        if self.count == 0 {
            return None;
        }
        let mut number = self.home(id);
        while number != 0 {
            let slot = self.at(number);
            if slot.state == 0 {
                return None;
            }
            if slot.id == id {
                return Some(number);
            }
            number = slot.previous;
        }
        None
    }

    /// Returns the state of `id`.
    pub(crate) fn receipt(&self, id: PacketId) -> Option<Receipt> {
        self.find(id.get()).map(|number| receipt(&self.at(number)))
    }

    /// Returns true if `id` is from an earlier connection and the peer has not sent it again.
    pub(crate) fn is_stale(&self, id: PacketId) -> bool {
        self.find(id.get())
            .is_some_and(|number| self.at(number).state & STALE != 0)
    }

    /// Returns true if no slot is free and no more can be added.
    pub(crate) fn is_full(&self, limit: u16) -> bool {
        self.count >= limit || (self.free == 0 && !self.slots.can_grow())
    }

    /// Returns the largest number of identifiers that can be held.
    pub(crate) fn limit(&self, limit: u16) -> u16 {
        if self.slots.can_grow() {
            return limit;
        }
        let slots = u16::try_from(self.slots.as_slice().len()).unwrap_or(u16::MAX);
        limit.min(slots)
    }

    /// Returns true if another identifier can be held.
    pub(crate) fn has_room(&mut self, limit: u16) -> bool {
        self.count < limit && (self.free != 0 || self.grow())
    }

    /// Adds an identifier, or changes the state of one that is held and not in the queue. Returns
    /// false if there is no free slot for a new one, or `limit` identifiers are held.
    pub(crate) fn hold(&mut self, id: PacketId, receipt: Receipt, limit: u16) -> bool {
        let state = match receipt {
            Receipt::Delivered(qos) => {
                self.serial = next_serial(self.serial);
                state_of(qos) | u16::from(self.serial) << UPPER_SHIFT
            }
            Receipt::Acknowledged(qos) => state_of(qos) | ACKNOWLEDGED,
            Receipt::Received => QOS_2 | RECEIVED,
        };
        if let Some(number) = self.find(id.get()) {
            if let Some(slot) = self.at_mut(number) {
                let before = core::mem::replace(&mut slot.state, state);
                self.count_as_current(before);
            }
            return true;
        }
        if !self.has_room(limit) {
            return false;
        }
        let new = Slot {
            id: id.get(),
            previous: 0,
            next: 0,
            state,
        };
        self.place(new);
        self.count = self.count.saturating_add(1);
        true
    }

    /// Inserts an entry into its chain. There is a free slot.
    fn place(&mut self, mut new: Slot) {
        let home = self.home(new.id);
        let resident = self.at(home);
        if resident.state == 0 {
            self.unlink_free(home);
            new.previous = 0;
        } else {
            let elsewhere = self.free;
            self.unlink_free(elsewhere);
            let resident_home = self.home(resident.id);
            if resident_home == home {
                // The new entry uses another slot, as the second of the chain.
                new.previous = resident.previous;
                if let Some(slot) = self.at_mut(home) {
                    slot.previous = elsewhere;
                }
                if let Some(slot) = self.at_mut(elsewhere) {
                    *slot = new;
                }
                return;
            }
            // The present entry moves, and the link to it follows.
            let mut before = resident_home;
            while self.at(before).previous != home && before != 0 {
                before = self.at(before).previous;
            }
            if let Some(slot) = self.at_mut(before) {
                slot.previous = elsewhere;
            }
            if let Some(slot) = self.at_mut(elsewhere) {
                *slot = resident;
            }
            new.previous = 0;
        }
        if let Some(slot) = self.at_mut(home) {
            *slot = new;
        }
    }

    /// Removes `id`: PUBREL was received, or PUBACK was sent. It must not be in the queue.
    pub(crate) fn remove(&mut self, id: PacketId) {
        let Some(number) = self.find(id.get()) else {
            return;
        };
        let gone = self.at(number);
        self.count_as_current(gone.state);
        let home = self.home(gone.id);
        let vacated = if number == home {
            match gone.previous {
                0 => home,
                // The next in the chain moves into the slot that the chain begins in.
                second => {
                    let moved = self.at(second);
                    if let Some(slot) = self.at_mut(home) {
                        *slot = moved;
                    }
                    second
                }
            }
        } else {
            let mut before = home;
            while self.at(before).previous != number && before != 0 {
                before = self.at(before).previous;
            }
            if let Some(slot) = self.at_mut(before) {
                slot.previous = gone.previous;
            }
            number
        };
        self.link_free(vacated);
        self.count = self.count.saturating_sub(1);
    }

    fn link_free(&mut self, number: u16) {
        let first = self.free;
        if let Some(slot) = self.at_mut(number) {
            *slot = Slot {
                next: first,
                ..Slot::EMPTY
            };
        }
        if let Some(slot) = self.at_mut(first) {
            slot.previous = number;
        }
        self.free = number;
    }

    fn unlink_free(&mut self, number: u16) {
        let Slot { previous, next, .. } = self.at(number);
        match self.at_mut(previous) {
            Some(slot) => slot.next = next,
            None => self.free = next,
        }
        if let Some(slot) = self.at_mut(next) {
            slot.previous = previous;
        }
    }

    fn link_free_slots(&mut self) {
        self.free = 0;
        let slots = u16::try_from(self.slots.as_slice().len()).unwrap_or(u16::MAX);
        for number in (1..=slots).rev() {
            if self.at(number).state == 0 {
                self.link_free(number);
            }
        }
    }

    /// Adds slots, and moves the entries to their slots. Called when no slot is free.
    #[cold]
    fn grow(&mut self) -> bool {
        let before = self.slots.as_slice().len();
        if before >= usize::from(u16::MAX) || !self.slots.grow() {
            return false;
        }
        for new in self.slots.as_mut_slice().iter_mut().skip(before) {
            *new = Slot::EMPTY;
        }
        // First each entry moves to its own slot if possible. Every swap moves one entry to its
        // final slot.
        for number in 1..=u16::try_from(before).unwrap_or(u16::MAX) {
            loop {
                let here = self.at(number);
                let home = self.home(here.id);
                let there = self.at(home);
                let at_home = there.state != 0 && self.home(there.id) == home;
                if here.state == 0 || home == number || at_home {
                    break;
                }
                if let Some(slot) = self.at_mut(home) {
                    *slot = here;
                }
                if let Some(slot) = self.at_mut(number) {
                    *slot = there;
                }
            }
        }
        // Then the other entries are chained to those.
        let slots = u16::try_from(self.slots.as_slice().len()).unwrap_or(u16::MAX);
        for number in 1..=slots {
            if let Some(slot) = self.at_mut(number) {
                slot.previous = 0;
            }
        }
        for number in 1..=slots {
            let here = self.at(number);
            let home = self.home(here.id);
            if here.state == 0 || home == number {
                continue;
            }
            let second = self.at(home).previous;
            if let Some(slot) = self.at_mut(home) {
                slot.previous = number;
            }
            if let Some(slot) = self.at_mut(number) {
                slot.previous = second;
            }
        }
        self.link_free_slots();
        self.free != 0
    }

    /// Records that the peer has sent `id` again on this connection.
    pub(crate) fn mark_current(&mut self, id: PacketId) {
        if let Some(slot) = self.find(id.get()).and_then(|number| self.at_mut(number)) {
            let before = slot.state;
            slot.state &= !STALE;
            self.count_as_current(before);
        }
    }

    /// Appends `id` to the queue for acknowledgements, unless it is there.
    pub(crate) fn enqueue(&mut self, id: PacketId) {
        let id = id.get();
        let Some(number) = self.find(id) else {
            return;
        };
        let Some(slot) = self.at_mut(number) else {
            return;
        };
        if slot.state & QUEUED != 0 {
            return;
        }
        let before = slot.state;
        slot.state = (before | QUEUED) & !STALE;
        slot.next = 0;
        self.count_as_current(before);
        match self.find(self.last) {
            Some(last) if self.last != 0 => {
                if let Some(slot) = self.at_mut(last) {
                    slot.next = id;
                }
            }
            _ => self.first = id,
        }
        self.last = id;
    }

    /// Returns the acknowledgement of the delivery of `id`, if that awaits one.
    pub(crate) fn acknowledgement(&self, id: PacketId) -> Option<Acknowledgement> {
        let slot = self.at(self.find(id.get())?);
        if slot.state & (ACKNOWLEDGED | RECEIVED) != 0 {
            return None;
        }
        let [serial, _] = slot.state.to_be_bytes();
        let is_earlier = slot.state & EARLIER != 0;
        Some(Acknowledgement {
            packet_id: id,
            generation: self.generation.wrapping_sub(u16::from(is_earlier)),
            serial,
        })
    }

    /// Returns the acknowledgement of a message that takes no slot.
    pub(crate) const fn acknowledgement_of_unheld(&self, id: PacketId) -> Acknowledgement {
        Acknowledgement {
            packet_id: id,
            generation: self.generation,
            serial: 0,
        }
    }

    /// Records that the application has acknowledged a delivery, with a Reason Code. Returns false
    /// if the delivery does not await it.
    pub(crate) fn acknowledge(&mut self, acknowledgement: Acknowledgement, reason: u8) -> bool {
        let Acknowledgement {
            packet_id,
            generation,
            serial,
        } = acknowledgement;
        let is_earlier = generation != self.generation;
        let Some(slot) = self
            .find(packet_id.get())
            .and_then(|number| self.at_mut(number))
        else {
            return false;
        };
        let [held_serial, _] = slot.state.to_be_bytes();
        if slot.state & (ACKNOWLEDGED | RECEIVED) != 0
            || held_serial != serial
            || (slot.state & EARLIER != 0) != is_earlier
        {
            return false;
        }
        slot.state = (slot.state & LOWER) | ACKNOWLEDGED | u16::from(reason) << UPPER_SHIFT;
        true
    }

    /// Returns the message at the head of the queue, if the application has acknowledged it: PUBACK
    /// or PUBREC is due, with this Reason Code.
    pub(crate) fn due(&self) -> Option<(PacketId, QoS, u8)> {
        let id = PacketId::new(self.first)?;
        let slot = self.at(self.find(self.first)?);
        match receipt(&slot) {
            Receipt::Acknowledged(qos) => {
                let [reason, _] = slot.state.to_be_bytes();
                Some((id, qos, reason))
            }
            Receipt::Delivered(_) | Receipt::Received => None,
        }
    }

    /// Returns true if the application has refused the message with this identifier.
    pub(crate) fn is_refused(&self, id: PacketId) -> bool {
        const REFUSAL: u16 = ACKNOWLEDGED | REFUSED;
        self.find(id.get())
            .is_some_and(|number| self.at(number).state & REFUSAL == REFUSAL)
    }

    /// Records that the acknowledgement from [`due`](Self::due) was sent.
    pub(crate) fn acknowledged(&mut self) {
        let Some(id) = PacketId::new(self.first) else {
            return;
        };
        let Some(number) = self.find(id.get()) else {
            return;
        };
        let slot = self.at(number);
        self.first = slot.next;
        if self.first == 0 {
            self.last = 0;
        }
        // A refused QoS 2 message has no PUBREL [MQTT5-4.3.3-9].
        if slot.state & QOS_2 == 0 || slot.state & REFUSED != 0 {
            self.remove(id);
        } else if let Some(slot) = self.at_mut(number) {
            slot.state = QOS_2 | RECEIVED;
            slot.next = 0;
        }
    }

    /// Records that the connection has ended. QoS 1 messages are removed, because the peer sends
    /// them again. QoS 2 messages are kept, so that they are not delivered twice, and enter the
    /// queue when the peer sends them again.
    pub(crate) fn end_connection(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        let mut id = self.first;
        (self.first, self.last) = (0, 0);
        while let Some(number) = self.find(id) {
            let slot = self.at(number);
            if let Some(slot) = self.at_mut(number) {
                slot.state &= !QUEUED;
                slot.next = 0;
            }
            if slot.state & QOS_2 == 0 {
                if let Some(id) = PacketId::new(slot.id) {
                    self.remove(id);
                }
            }
            id = slot.next;
        }
        if self.count == 0 {
            return;
        }
        for slot in self.slots.as_mut_slice() {
            if slot.state != 0 {
                slot.state |= STALE | EARLIER;
            }
        }
        self.stale = self.count;
    }

    /// Returns the QoS 2 identifiers, which belong to the session.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (PacketId, Receipt)> + '_ {
        self.slots
            .as_slice()
            .iter()
            .filter(|slot| slot.state & QOS_2 != 0)
            .filter_map(|slot| Some((PacketId::new(slot.id)?, receipt(slot))))
    }
}

/// Never 0, which stands for no delivery. The period is no power of two, as windows often are.
const fn next_serial(serial: u8) -> u8 {
    if serial >= 251 {
        1
    } else {
        serial.saturating_add(1)
    }
}

const fn state_of(qos: QoS) -> u16 {
    match qos {
        QoS::ExactlyOnce => QOS_2,
        QoS::AtLeastOnce | QoS::AtMostOnce => QOS_1,
    }
}

const fn receipt(slot: &Slot) -> Receipt {
    let qos = if slot.state & QOS_2 != 0 {
        QoS::ExactlyOnce
    } else {
        QoS::AtLeastOnce
    };
    if slot.state & RECEIVED != 0 {
        Receipt::Received
    } else if slot.state & ACKNOWLEDGED != 0 {
        Receipt::Acknowledged(qos)
    } else {
        Receipt::Delivered(qos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    fn kept(inbound: &Inbound<impl Slots>) -> BTreeSet<u16> {
        inbound.kept().map(|(id, _)| id.get()).collect()
    }

    /// Inserts and removes identifiers as a model set says, and compares after each step.
    fn against_a_set(mut inbound: Inbound<impl Slots>, room: usize, choose: impl Fn(u32) -> u16) {
        let mut model = BTreeSet::new();
        for step in 0..20_000_u32 {
            let number = choose(step);
            if model.contains(&number) {
                assert_eq!(inbound.receipt(id(number)), Some(Receipt::Received));
                inbound.remove(id(number));
                model.remove(&number);
            } else {
                assert_eq!(inbound.receipt(id(number)), None);
                let fits = model.len() < room;
                assert_eq!(
                    inbound.hold(id(number), Receipt::Received, u16::MAX),
                    fits,
                    "{} of {room}",
                    model.len()
                );
                if fits {
                    model.insert(number);
                }
            }
            assert_eq!(usize::from(inbound.count), model.len());
            if step % 97 == 0 {
                assert_eq!(kept(&inbound), model);
                for &number in &model {
                    assert_eq!(inbound.receipt(id(number)), Some(Receipt::Received));
                }
            }
        }
    }

    /// A sequence without pattern, the same each time.
    fn scattered(step: u32) -> u32 {
        let mut x = step.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
        x ^= x >> 15;
        x = x.wrapping_mul(0x85eb_ca6b);
        x ^ (x >> 13)
    }

    fn acknowledge(inbound: &mut Inbound<impl Slots>, number: u16) -> bool {
        let acknowledgement = inbound.acknowledgement(id(number));
        acknowledgement.is_some_and(|it| inbound.acknowledge(it, 0))
    }

    #[test]
    fn it_holds_what_a_set_would_hold_however_the_identifiers_collide() {
        for slots in [1_u16, 2, 3, 8, 16, 61] {
            let small = |step| u16::try_from(scattered(step) % 100).unwrap().max(1);
            let colliding = |step| {
                let n = u16::try_from(scattered(step) % 40).unwrap();
                n.wrapping_mul(slots).max(slots)
            };
            let any = |step| u16::try_from(scattered(step) % 0xffff).unwrap().max(1);
            let new = || Inbound::new(std::vec![Slot::EMPTY; usize::from(slots)].leak());
            against_a_set(new(), usize::from(slots), small);
            against_a_set(new(), usize::from(slots), colliding);
            against_a_set(new(), usize::from(slots), any);
        }
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn a_vector_grows_and_finds_everything_again() {
        against_a_set(Inbound::new(Vec::new()), 65_535, |step| {
            u16::try_from(scattered(step) % 3000).unwrap().max(1)
        });
        against_a_set(Inbound::new(Vec::new()), 65_535, |step| {
            u16::try_from(scattered(step) % 60)
                .unwrap()
                .max(1)
                .wrapping_mul(1024)
                .max(1)
        });
        let mut inbound = Inbound::new(Vec::new());
        for number in 1..=u16::MAX {
            assert!(inbound.hold(id(number), Receipt::Received, u16::MAX));
        }
        assert_eq!(kept(&inbound).len(), 65_535);
        for number in 1..=u16::MAX {
            inbound.remove(id(number));
        }
        assert!(inbound.is_empty());
    }

    #[test]
    fn the_limit_counts_even_where_there_are_slots() {
        let mut inbound = Inbound::new([Slot::EMPTY; 4]);
        assert!(inbound.hold(id(1), Receipt::Received, 1));
        assert!(!inbound.hold(id(2), Receipt::Received, 1));
    }

    #[test]
    fn acknowledgements_are_due_in_the_order_in_which_the_messages_came() {
        let mut inbound = Inbound::new([Slot::EMPTY; 4]);
        for (number, qos) in [
            (9, QoS::AtLeastOnce),
            (5, QoS::ExactlyOnce),
            (1, QoS::AtLeastOnce),
        ] {
            assert!(inbound.hold(id(number), Receipt::Delivered(qos), 4));
            inbound.enqueue(id(number));
        }
        assert!(acknowledge(&mut inbound, 1));
        assert!(acknowledge(&mut inbound, 5));
        assert!(!acknowledge(&mut inbound, 5), "once is enough");
        assert_eq!(inbound.due(), None, "9 came first");
        assert!(acknowledge(&mut inbound, 9));
        let mut due = Vec::new();
        while let Some((id, ..)) = inbound.due() {
            due.push(id.get());
            inbound.acknowledged();
        }
        assert_eq!(due, [9, 5, 1]);
        assert_eq!(kept(&inbound), BTreeSet::from([5]), "QoS 2 awaits PUBREL");
    }

    #[test]
    fn when_the_connection_ends_qos_1_is_forgotten_and_qos_2_is_not() {
        let mut inbound = Inbound::new([Slot::EMPTY; 4]);
        for (number, qos) in [
            (1, QoS::AtLeastOnce),
            (2, QoS::ExactlyOnce),
            (3, QoS::ExactlyOnce),
        ] {
            assert!(inbound.hold(id(number), Receipt::Delivered(qos), 4));
            inbound.enqueue(id(number));
        }
        assert!(acknowledge(&mut inbound, 3));
        inbound.end_connection();
        assert!(inbound.is_queue_empty());
        assert_eq!(inbound.receipt(id(1)), None);
        assert_eq!(
            inbound.receipt(id(2)),
            Some(Receipt::Delivered(QoS::ExactlyOnce))
        );
        assert_eq!(
            inbound.receipt(id(3)),
            Some(Receipt::Acknowledged(QoS::ExactlyOnce))
        );
        // Sent again in another order, they queue in that order.
        inbound.enqueue(id(3));
        inbound.enqueue(id(2));
        assert_eq!(inbound.due(), Some((id(3), QoS::ExactlyOnce, 0)));
    }

    #[test]
    fn without_slots_nothing_fits() {
        let mut inbound = Inbound::new([Slot::EMPTY; 0]);
        assert!(!inbound.hold(id(1), Receipt::Received, 10));
        assert_eq!(inbound.receipt(id(1)), None);
        inbound.remove(id(1));
    }
}
