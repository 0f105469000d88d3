//! A caller's buffer as output.

use super::Output;
use crate::wire::EncodeError;

/// A caller's buffer, filled from the front.
///
/// ```
/// use mqtt_sansio::{Encode, SliceOutput, v3::Packet};
///
/// let mut buffer = [0; 8];
/// let mut output = SliceOutput::new(&mut buffer);
/// Packet::<&[u8]>::PingReq.encode(&mut output)?;
/// Packet::<&[u8]>::Disconnect.encode(&mut output)?;
/// assert_eq!(output.written(), [0xc0, 0, 0xe0, 0]);
/// # Ok::<(), mqtt_sansio::EncodeError>(())
/// ```
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SliceOutput<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> SliceOutput<'a> {
    /// Creates an output that starts at the first byte of `buffer`.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// Returns the bytes written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// Returns the bytes written, for the lifetime of the buffer.
    #[must_use]
    pub fn into_written(self) -> &'a mut [u8] {
        self.buffer.get_mut(..self.len).unwrap_or_default()
    }

    /// Starts again at the first byte.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    const fn room(&self) -> usize {
        // `len` never exceeds it.
        self.buffer.len().wrapping_sub(self.len)
    }
}

impl Output for SliceOutput<'_> {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        if self.room() < len {
            return Err(EncodeError::no_room(len));
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let end = self.len.wrapping_add(bytes.len());
        let Some(room) = self.buffer.get_mut(self.len..end) else {
            return Err(EncodeError::no_room(bytes.len()));
        };
        room.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }

    #[inline]
    fn chunk(&mut self, len: usize) -> Option<&mut [u8]> {
        self.buffer.get_mut(self.len..)?.get_mut(..len)
    }

    #[inline]
    fn has_room(&self, len: usize) -> bool {
        self.room() >= len
    }

    #[inline]
    fn advance(&mut self, len: usize) {
        self.len = self.len.saturating_add(len).min(self.buffer.len());
    }
}
