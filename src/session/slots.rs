//! Where the Packet Identifiers of a session live.

/// Storage for one Packet Identifier and its state: eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Slot {
    pub(super) id: u16,
    /// Two links to other slots, by identifier or number as `outbound` and `inbound` define it; 0
    /// is none.
    pub(super) previous: u16,
    pub(super) next: u16,
    /// The state of the identifier, as `outbound` or `inbound` defines it; 0 in a free slot.
    pub(super) state: u16,
}

impl Slot {
    /// A free slot.
    pub const EMPTY: Self = Self {
        id: 0,
        previous: 0,
        next: 0,
        state: 0,
    };
}

/// Storage for the identifiers of one direction of a [`Session`](crate::Session): `[Slot; N]`,
/// `&mut [Slot]`, or `Vec<Slot>` with feature `alloc`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no storage for Packet Identifiers",
    note = "use `[Slot; N]`, `&mut [Slot]`, or `Vec<Slot>` with the feature `alloc`"
)]
pub trait Slots {
    /// Returns the slots. Their number changes only with [`grow`](Self::grow).
    fn as_slice(&self) -> &[Slot];

    /// Returns the slots, mutable.
    fn as_mut_slice(&mut self) -> &mut [Slot];

    /// Adds slots after the present ones; returns false if that is not possible. The content of new
    /// slots does not matter. The new number must be a multiple of the old one, or at least 65,536, so
    /// that each identifier in use still has a slot of its own. A session whose slots grow to any other
    /// number loses the messages in flight.
    fn grow(&mut self) -> bool {
        false
    }

    /// Returns true if [`grow`](Self::grow) may add slots.
    fn can_grow(&self) -> bool {
        false
    }
}

impl<const N: usize> Slots for [Slot; N] {
    #[inline]
    fn as_slice(&self) -> &[Slot] {
        self
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [Slot] {
        self
    }
}

impl Slots for &mut [Slot] {
    #[inline]
    fn as_slice(&self) -> &[Slot] {
        self
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [Slot] {
        self
    }
}

/// Allocates on first use, then doubles.
#[cfg(feature = "alloc")]
impl Slots for alloc::vec::Vec<Slot> {
    #[inline]
    fn as_slice(&self) -> &[Slot] {
        self
    }

    #[inline]
    fn as_mut_slice(&mut self) -> &mut [Slot] {
        self
    }

    fn grow(&mut self) -> bool {
        let len = match self.len() {
            0 => 8,
            len => len.saturating_mul(2).min(MAX_SLOTS),
        };
        let more = len.saturating_sub(self.len());
        if more == 0 || self.try_reserve_exact(more).is_err() {
            return false;
        }
        self.resize(len, Slot::EMPTY);
        true
    }

    fn can_grow(&self) -> bool {
        self.len() < MAX_SLOTS
    }
}

/// Returns the index of the slot that an identifier belongs to. Without slots it is out of range.
#[inline]
pub(super) fn home(id: u16, slots: usize) -> usize {
    let before_last = slots.wrapping_sub(1);
    if slots & before_last == 0 {
        // A power of two, which is common: computes the remainder without a division.
        return usize::from(id) & before_last;
    }
    match u32::try_from(slots).map(|slots| u32::from(id).checked_rem(slots)) {
        Ok(Some(index)) => index as usize,
        // There are more slots than identifiers: each identifier has its own.
        _ => usize::from(id),
    }
}

/// One for each 16-bit number. There is no identifier 0, but with one slot more than there are
/// identifiers the number of slots can double up to it.
pub(super) const MAX_SLOTS: usize = 65_536;
