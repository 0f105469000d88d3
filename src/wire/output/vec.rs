//! A vector as output.

use super::{Output, ZEROS};
use crate::wire::EncodeError;

impl Output for alloc::vec::Vec<u8> {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        if self.capacity().wrapping_sub(self.len()) < len {
            return grow(self, len);
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn chunk(&mut self, len: usize) -> Option<&mut [u8]> {
        let start = self.len();
        if len > ZEROS.len() || self.capacity().wrapping_sub(start) < ZEROS.len() {
            return None;
        }
        // All of them, because copying a constant number of bytes needs no call.
        self.extend_from_slice(&ZEROS);
        self.get_mut(start..)?.get_mut(..len)
    }

    #[inline]
    fn advance(&mut self, len: usize) {
        let unused = ZEROS.len().wrapping_sub(len);
        self.truncate(self.len().wrapping_sub(unused));
    }

    #[inline]
    fn has_room(&self, len: usize) -> bool {
        self.capacity().wrapping_sub(self.len()) >= len
    }
}

/// Reserves room in a vector, and for a chunk after it. Not inlined, because it is rare.
#[cold]
#[inline(never)]
fn grow(vector: &mut alloc::vec::Vec<u8>, len: usize) -> Result<(), EncodeError> {
    vector
        .try_reserve(len.saturating_add(ZEROS.len()))
        .map_err(|_| EncodeError::no_room(len))
}
