//! Which identifiers are free, and which one is next.
//!
//! An identifier belongs to the slot with its number modulo the number of slots. So each slot has
//! identifiers of its own, and a slot that becomes free goes to the end of the queue of free slots
//! with its next identifier. Used in order this gives 1, 2, 3 and so on up to 65,535, then 1 again,
//! and never an identifier in use [MQTT-2.3.1-2, MQTT-2.3.1-4].

use crate::session::slots::{self, MAX_SLOTS, Slot, Slots};

/// The slots, each of which is in use while its `state` is not 0. A free slot holds the identifier
/// that it will assign next, and `next` links it to the one that became free after it.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Identifiers<S> {
    slots: S,
    first_free: u16,
    last_free: u16,
    /// The first identifier, once there are slots.
    start: u16,
}

/// What became of the identifiers in use when slots were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    /// Each has a slot of its own.
    Kept,
    /// Two of them may belong to one slot: [`Identifiers::clear`] has to follow.
    Lost,
}

/// Returns the identifier after this one; 1 follows 65,535.
pub(super) const fn following(id: u16) -> u16 {
    match id.checked_add(1) {
        Some(id) => id,
        None => 1,
    }
}

impl<S: Slots> Identifiers<S> {
    pub(super) fn new(slots: S) -> Self {
        let mut identifiers = Self {
            slots,
            first_free: 0,
            last_free: 0,
            start: 1,
        };
        identifiers.clear(1);
        identifiers
    }

    /// Frees all slots; the next identifier is `next`.
    pub(super) fn clear(&mut self, next: u16) {
        self.slots.as_mut_slice().fill(Slot::EMPTY);
        self.link_free_slots(next);
    }

    /// Returns the next identifier, or 0 if no slot is free.
    pub(super) const fn next(&self) -> u16 {
        self.first_free
    }

    /// Returns the first identifier, once there are slots.
    pub(super) const fn start(&self) -> u16 {
        self.start
    }

    /// Returns all slots.
    pub(super) fn slots(&self) -> &[Slot] {
        self.slots.as_slice()
    }

    /// Removes the first slot from the queue of free slots. It has the next identifier, and is in use
    /// once it has a state.
    #[inline]
    pub(super) fn take(&mut self) -> Option<&mut Slot> {
        let index = self.index(self.first_free);
        let slot = self.slots.as_mut_slice().get_mut(index)?;
        self.first_free = core::mem::take(&mut slot.next);
        if self.first_free == 0 {
            self.last_free = 0;
        }
        Some(slot)
    }

    /// Numbers the free slots anew; the next identifier is `next`.
    pub(super) fn restart(&mut self, next: u16) {
        self.empty_free_slots();
        self.start = next;
        self.link_free_slots(next);
    }

    #[inline]
    fn index(&self, id: u16) -> usize {
        slots::home(id, self.slots.as_slice().len())
    }

    /// Returns the slot in use for `id`.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn get(&self, id: u16) -> Option<&Slot> {
        let slot = self.slot(id)?;
        (slot.id == id && slot.state != 0).then_some(slot)
    }

    /// Returns the slot in use for `id`, to change it.
    #[inline]
    pub(super) fn get_mut(&mut self, id: u16) -> Option<&mut Slot> {
        let slot = self.slot_mut(id)?;
        (slot.id == id && slot.state != 0).then_some(slot)
    }

    /// Returns the slot that `id` belongs to, in use or not.
    #[inline]
    pub(super) fn slot(&self, id: u16) -> Option<&Slot> {
        self.slots.as_slice().get(self.index(id))
    }

    /// Returns the slot that `id` belongs to, in use or not, to change it.
    #[inline]
    pub(super) fn slot_mut(&mut self, id: u16) -> Option<&mut Slot> {
        let index = self.index(id);
        self.slots.as_mut_slice().get_mut(index)
    }

    /// Appends the slot of `id` to the queue of free slots, with its next identifier. Returns false,
    /// and does nothing, if `id` is the last of its slot: then
    /// [`free_in_next_round`](Self::free_in_next_round) follows.
    #[inline]
    pub(super) fn free(&mut self, id: u16) -> bool {
        let slots = self.slots.as_slice().len().min(MAX_SLOTS);
        let next = match u16::try_from(usize::from(id).wrapping_add(slots)) {
            Ok(next) if id != u16::MAX => next,
            _ => return false,
        };
        self.free_with(id, next);
        true
    }

    /// Appends the slot of `id` to the queue of free slots, with its smallest identifier.
    #[cold]
    pub(super) fn free_in_next_round(&mut self, id: u16) {
        let slots = self.slots.as_slice().len();
        let smallest = match self.index(id) {
            0 => u16::try_from(slots).unwrap_or(id),
            index => u16::try_from(index).unwrap_or(id),
        };
        self.free_with(id, smallest);
    }

    #[inline]
    fn free_with(&mut self, id: u16, next: u16) {
        if let Some(slot) = self.slot_mut(id) {
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
                if let Some(slot) = self.slot_mut(last) {
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
            if let Some(slot) = self.slot_mut(id) {
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
    /// to its present one or to a new one. Returns `None` if there are no more.
    pub(super) fn grow(&mut self) -> Option<Growth> {
        let before = self.slots.as_slice().len();
        if before >= MAX_SLOTS || !self.slots.grow() {
            return None;
        }
        let slots = self.slots.as_slice().len();
        if slots < MAX_SLOTS && slots.checked_rem(before).is_some_and(|rest| rest != 0) {
            return Some(Growth::Lost);
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
        Some(Growth::Kept)
    }

    /// Clears the identifiers of free slots.
    pub(super) fn empty_free_slots(&mut self) {
        let slots = self.slots.as_mut_slice().iter_mut();
        slots
            .filter(|slot| slot.state == 0)
            .for_each(|slot| *slot = Slot::EMPTY);
    }
}
