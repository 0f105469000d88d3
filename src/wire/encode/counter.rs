//! Counts the bytes of a packet without writing them.

use crate::wire::encode::PacketBody;
use crate::wire::{EncodeError, Output};

/// Counts the bytes that are written to it.
#[derive(Debug, Default)]
pub(crate) struct Counter(usize);

impl Output for Counter {
    #[inline]
    fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
        Ok(())
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        // A list has as many entries as an iterator returns, which can exceed addresses of 32 bits.
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }
}

impl Counter {
    #[inline]
    pub(crate) const fn get(&self) -> usize {
        self.0
    }
}

/// Returns how many bytes [`PacketBody::write_body`] writes.
#[inline]
pub(super) fn body_len<T: PacketBody + ?Sized>(packet: &T) -> Result<usize, EncodeError> {
    let mut counter = Counter::default();
    packet.write_body(&mut counter)?;
    Ok(counter.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_takes_anything_and_counts_it() {
        let mut counter = Counter::default();
        assert_eq!(counter.get(), 0);
        assert_eq!(counter.reserve(usize::MAX), Ok(()));
        counter.put(b"abc").unwrap();
        counter.put(b"").unwrap();
        counter.put(b"d").unwrap();
        assert_eq!(counter.get(), 4);
    }
}
