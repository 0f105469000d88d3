//! The buffers of the crate bytes as outputs.

use super::{Output, ZEROS};
use crate::wire::EncodeError;

impl Output for bytes::BytesMut {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        Self::reserve(self, len);
        Ok(())
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn chunk(&mut self, len: usize) -> Option<&mut [u8]> {
        // As in `vec.rs`.
        let start = self.len();
        if len > ZEROS.len() || self.capacity().wrapping_sub(start) < ZEROS.len() {
            return None;
        }
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

/// Any [`bytes::BufMut`] as output (feature `bytes`). It writes within
/// [`remaining_mut`](bytes::BufMut::remaining_mut), so a bounded one refuses packets that do not
/// fit.
#[derive(Debug)]
pub struct BufMutOutput<'a, T: bytes::BufMut + ?Sized>(&'a mut T);

impl<'a, T: bytes::BufMut + ?Sized> BufMutOutput<'a, T> {
    /// Creates an output that appends to `buffer`.
    pub const fn new(buffer: &'a mut T) -> Self {
        Self(buffer)
    }
}

impl<T: bytes::BufMut + ?Sized> Output for BufMutOutput<'_, T> {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        if self.0.remaining_mut() < len {
            return Err(EncodeError::no_room(len));
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.reserve(bytes.len())?;
        self.0.put_slice(bytes);
        Ok(())
    }
}
