//! The destination of encoded bytes: a caller's buffer, a vector, or a type of the caller.

use crate::wire::{Field, PacketType};

/// Why a packet could not be encoded. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The output has no room for the packet.
    #[error("the output has no room for another {needed} bytes")]
    NoRoom {
        /// How many bytes the packet needs, at most `u32::MAX`.
        needed: u32,
    },
    /// A field has more than 65,535 bytes, the maximum of its two-byte length.
    #[error("{field} has more than 65535 bytes")]
    FieldTooLong {
        /// The field.
        field: Field,
    },
    /// An empty Topic Name. In MQTT 5 only a PUBLISH with a Topic Alias may have one.
    #[error("{field} needs at least one character")]
    EmptyTopicName {
        /// The field.
        field: Field,
    },
    /// The packet would need a Remaining Length over 268,435,455.
    #[error("the packet is larger than MQTT allows")]
    PacketTooLarge,
    /// An empty Client Identifier with Clean Session 0, or in MQTT 3.1.
    #[error("an empty Client Identifier needs Clean Session 1 and MQTT 3.1.1")]
    ClientIdentifierRequired,
    /// A property that this packet cannot have.
    #[error("{packet_type} cannot have the property {property}")]
    MisplacedProperty {
        /// The packet.
        packet_type: PacketType,
        /// The property.
        property: Field,
    },
    /// A second property of a kind that may occur once.
    #[error("the property {property} occurs a second time")]
    RepeatedProperty {
        /// The property.
        property: Field,
    },
    /// A value that its field cannot have.
    #[error("{field} cannot have this value")]
    ValueOutOfRange {
        /// The field.
        field: Field,
    },
    /// Authentication Data, or an AUTH, without an Authentication Method.
    #[error("an Authentication Method is needed")]
    MissingAuthenticationMethod,
    /// Session Present in a CONNACK that refuses the connection.
    #[error("Session Present must be 0 when the connection is refused")]
    SessionPresentWithRefusal,
    /// No Local on a Shared Subscription.
    #[error("a Shared Subscription cannot have No Local")]
    NoLocalOnSharedSubscription,
    /// A list that needs at least one entry has none.
    #[error("{packet_type} needs at least one entry")]
    EmptyList {
        /// The packet that the list was for.
        packet_type: PacketType,
    },
}

impl EncodeError {
    /// Returns [`NoRoom`](Self::NoRoom) for a packet of this length.
    #[must_use]
    #[cold]
    pub fn no_room(needed: usize) -> Self {
        // Of 32 bits, so that an error has eight bytes, which are returned in a register: encoding takes
        // up to 5 % fewer instructions.
        let needed = u32::try_from(needed).unwrap_or(u32::MAX);
        Self::NoRoom { needed }
    }

    /// Returns the normative statement of MQTT 3.1.1 that the packet would have broken, if there is
    /// one; for MQTT 3.1 the closest one.
    #[must_use]
    pub const fn statement(&self) -> Option<&'static str> {
        match self {
            Self::FieldTooLong {
                field: Field::TopicName | Field::TopicFilter | Field::WillTopic,
            } => Some("MQTT-4.7.3-3"),
            Self::EmptyTopicName { .. } => Some("MQTT-4.7.3-1"),
            Self::ClientIdentifierRequired => Some("MQTT-3.1.3-7"),
            Self::EmptyList { packet_type } => Some(match packet_type {
                PacketType::Unsubscribe => "MQTT-3.10.3-2",
                PacketType::SubAck => "MQTT-3.8.4-5",
                _ => "MQTT-3.8.3-3",
            }),
            Self::NoRoom { .. }
            | Self::FieldTooLong { .. }
            | Self::PacketTooLarge
            | Self::MisplacedProperty { .. }
            | Self::RepeatedProperty { .. }
            | Self::ValueOutOfRange { .. }
            | Self::MissingAuthenticationMethod
            | Self::SessionPresentWithRefusal
            | Self::NoLocalOnSharedSubscription => None,
        }
    }
}

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

/// The initial content of a chunk of a vector. It is also the maximum length of a chunk, because
/// safe code cannot append bytes without writing them first.
#[cfg(any(feature = "alloc", feature = "bytes"))]
const ZEROS: [u8; 128] = [0; 128];

#[cfg(feature = "alloc")]
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
#[cfg(feature = "alloc")]
#[cold]
#[inline(never)]
fn grow(vector: &mut alloc::vec::Vec<u8>, len: usize) -> Result<(), EncodeError> {
    vector
        .try_reserve(len.saturating_add(ZEROS.len()))
        .map_err(|_| EncodeError::no_room(len))
}

#[cfg(feature = "bytes")]
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
        // As in a vector.
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
#[cfg(feature = "bytes")]
#[derive(Debug)]
pub struct BufMutOutput<'a, T: bytes::BufMut + ?Sized>(&'a mut T);

#[cfg(feature = "bytes")]
impl<'a, T: bytes::BufMut + ?Sized> BufMutOutput<'a, T> {
    /// Creates an output that appends to `buffer`.
    pub const fn new(buffer: &'a mut T) -> Self {
        Self(buffer)
    }
}

#[cfg(feature = "bytes")]
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

#[cfg(test)]
mod tests;
