//! The destination of encoded bytes: a caller's buffer, a vector, or a type of the caller.

#[cfg(feature = "bytes")]
mod buf_mut;
mod slice;
#[cfg(feature = "alloc")]
mod vec;

#[cfg(feature = "bytes")]
pub use buf_mut::BufMutOutput;
pub use slice::SliceOutput;

use crate::wire::EncodeError;

/// The destination of encoded bytes: [`SliceOutput`] (a caller's buffer), `Vec<u8>` (feature
/// `alloc`), `BytesMut` and `BufMutOutput` (feature `bytes`), or any type with the two required
/// methods.
///
/// ```
/// use mqtt_sansio::{Encode, EncodeError, Output, v3::Packet};
///
/// /// Prints the bytes of each packet.
/// struct Printer;
///
/// impl Output for Printer {
///     fn reserve(&mut self, _len: usize) -> Result<(), EncodeError> {
///         Ok(())
///     }
///
///     fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
///         println!("{bytes:02x?}");
///         Ok(())
///     }
/// }
///
/// Packet::<&[u8]>::PingReq.encode(&mut Printer)?;
/// # Ok::<(), EncodeError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "packets cannot be encoded to `{Self}`",
    note = "encode to a `SliceOutput`, a `Vec<u8>` (feature `alloc`), a `BytesMut` (feature `bytes`), or implement `Output`"
)]
pub trait Output {
    /// Reserves `len` more bytes. Encoding calls this once for each packet that it does not begin with a
    /// [`chunk`](Self::chunk), before it writes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`]; nothing has changed then.
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError>;

    /// Appends bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`] if they do not fit. This cannot happen for bytes that
    /// [`reserve`](Self::reserve) has reserved, or that [`has_room`](Self::has_room) has room for.
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError>;

    /// Returns room for `len` bytes after those that were appended, if there is room in one piece. The
    /// caller writes to its start, and then calls [`advance`](Self::advance).
    ///
    /// Encoding asks for a chunk for each short packet and, if there [is room](Self::has_room) for all of a
    /// longer packet, for the bytes before its payload. Without a chunk, it calls [`put`](Self::put) for each
    /// field. The provided method always returns `None`; an output without contiguous memory need not
    /// replace it. `None` means only that there is no chunk: `reserve` may still find room.
    fn chunk(&mut self, len: usize) -> Option<&mut [u8]> {
        let _ = len;
        None
    }

    /// Appends the first `len` bytes of the last [`chunk`](Self::chunk), which may be none. Encoding
    /// calls this once after each chunk. An output that returns chunks has to replace the provided
    /// method, which does nothing.
    fn advance(&mut self, len: usize) {
        let _ = len;
    }

    /// Returns true if `len` more bytes fit without a call of [`reserve`](Self::reserve). Encoding asks this
    /// before it writes the start of a long packet to a [`chunk`](Self::chunk). The provided method always
    /// returns false: then a long packet is written with [`put`](Self::put).
    fn has_room(&self, len: usize) -> bool {
        let _ = len;
        false
    }

    /// True if a packet with a field of 128 bytes does not fit, so that one byte has any length, and if no
    /// error is returned to the caller.
    #[doc(hidden)]
    fn is_short(&self) -> bool {
        false
    }
}

impl<O: Output + ?Sized> Output for &mut O {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        (**self).reserve(len)
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        (**self).put(bytes)
    }

    #[inline]
    fn chunk(&mut self, len: usize) -> Option<&mut [u8]> {
        (**self).chunk(len)
    }

    #[inline]
    fn advance(&mut self, len: usize) {
        (**self).advance(len);
    }

    #[inline]
    fn has_room(&self, len: usize) -> bool {
        (**self).has_room(len)
    }

    #[inline]
    fn is_short(&self) -> bool {
        (**self).is_short()
    }
}

/// The initial content of a chunk of a vector. It is also the maximum length of a chunk, because
/// safe code cannot append bytes without writing them first.
#[cfg(any(feature = "alloc", feature = "bytes"))]
const ZEROS: [u8; 128] = [0; 128];

#[cfg(test)]
mod tests;
