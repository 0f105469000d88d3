//! Which slot holds which identifier.
//!
//! The peer chooses these identifiers, so they are hashed: an identifier belongs to the slot with
//! its number modulo the number of slots, and identifiers of the same slot are chained. A chain has
//! at most 65,536 / slots entries, and never more than there are slots, so a hostile peer can make
//! a chain of at most 256. If the slot of a new identifier holds one that belongs elsewhere, that
//! one moves, so each chain begins in its own slot.

use crate::session::slots::{self, Slot, Slots};

/// Slots are numbered from 1, in 16 bits.
const MOST: usize = u16::MAX as usize;

/// Entries, found by their identifier, and a queue of some of them. An entry is a slot, and in use
/// while its `state` is not 0.
///
/// In use, `previous` is the next slot of the chain, by its number, and `next` the next entry of the
/// queue, by its identifier; 0 ends both. Free slots are linked both ways by their numbers.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Table<S> {
    slots: S,
    free: u16,
    count: u16,
    first: u16,
    last: u16,
}

impl<S> Table<S> {
    /// Returns the number of entries.
    pub(super) const fn len(&self) -> u16 {
        self.count
    }
}

impl<S: Slots> Table<S> {
    pub(super) fn new(slots: S) -> Self {
        let mut table = Self {
            slots,
            free: 0,
            count: 0,
            first: 0,
            last: 0,
        };
        table.clear();
        table
    }

    pub(super) fn clear(&mut self) {
        self.slots.as_mut_slice().fill(Slot::EMPTY);
        (self.count, self.first, self.last) = (0, 0, 0);
        self.link_free_slots();
    }

    /// Returns the entry of `id`.
    #[inline]
    pub(super) fn get(&self, id: u16) -> Option<Slot> {
        self.find(id).map(|number| self.at(number))
    }

    /// Returns the entry of `id`, to change its `state`.
    #[inline]
    pub(super) fn get_mut(&mut self, id: u16) -> Option<&mut Slot> {
        self.find(id).and_then(|number| self.at_mut(number))
    }

    /// Returns the identifier of the first entry of the queue, or 0 if it is empty.
    #[inline]
    pub(super) const fn first(&self) -> u16 {
        self.first
    }

    /// Appends the entry of `id`, which must not be there, to the queue.
    pub(super) fn push(&mut self, id: u16) {
        match self.last {
            0 => self.first = id,
            last => {
                if let Some(last) = self.get_mut(last) {
                    last.next = id;
                }
            }
        }
        self.last = id;
    }

    /// Removes the first entry from the queue, and returns it, to change its `state`.
    pub(super) fn pop(&mut self) -> Option<&mut Slot> {
        let number = self.find(self.first)?;
        self.first = self.at(number).next;
        if self.first == 0 {
            self.last = 0;
        }
        let slot = self.at_mut(number)?;
        slot.next = 0;
        Some(slot)
    }

    /// Returns all entries, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> + '_ {
        self.slots.as_slice().iter().filter(|slot| slot.state != 0)
    }

    /// Returns all entries, to change their `state`.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> + '_ {
        let slots = self.slots.as_mut_slice().iter_mut();
        slots.filter(|slot| slot.state != 0)
    }

    /// Returns true if no slot is free and no more can be added.
    pub(super) fn is_full(&self, limit: u16) -> bool {
        self.count >= limit || (self.free == 0 && !self.slots.can_grow())
    }

    /// Returns the largest number of identifiers that can be held.
    pub(super) fn limit(&self, limit: u16) -> u16 {
        if self.slots.can_grow() {
            return limit;
        }
        let slots = u16::try_from(self.slots.as_slice().len()).unwrap_or(u16::MAX);
        limit.min(slots)
    }

    /// Returns true if another identifier can be held.
    pub(super) fn has_room(&mut self, limit: u16) -> bool {
        self.count < limit && (self.free != 0 || self.grow())
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

    /// Adds an entry, whose identifier must not be in the table. [`has_room`](Self::has_room) has
    /// returned true.
    pub(super) fn insert(&mut self, mut new: Slot) {
        self.count = self.count.saturating_add(1);
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

    /// Removes the entry of `id`, which must not be in the queue, and returns it.
    pub(super) fn remove(&mut self, id: u16) -> Option<Slot> {
        let number = self.find(id)?;
        let gone = self.at(number);
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
        Some(gone)
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
}
