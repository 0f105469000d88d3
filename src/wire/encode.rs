//! Writes a packet to an output, whole or not at all.

mod chunk;
mod counter;
mod cursor;
mod packet;
mod passes;
mod put;

pub(crate) use counter::Counter;
use counter::body_len;
pub(crate) use packet::{encode_bytes, encode_packet};
pub(crate) use put::{
    is_short, put_field, put_header, put_topic_name, put_variable_byte_integer, remaining_length,
};

use crate::wire::header::header_len;
use crate::wire::{EncodeError, MAX_REMAINING_LENGTH, Output, SliceOutput};

/// A packet as its first byte and the bytes after Remaining Length. [`Encode`] follows from it: the
/// bytes are counted where they are written, or by writing the body to a counter first, so length
/// and bytes cannot differ.
#[expect(unnameable_types, reason = "keeps `Encode` to this crate's packets")]
pub trait PacketBody {
    /// Packet type and flags [MQTT-2.2.2-1].
    fn first_byte(&self) -> u8;

    /// Writes the bytes after the fixed header, up to [`payload`](Self::payload).
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError>;

    /// The last bytes of the packet: its payload, of any length.
    #[inline]
    fn payload(&self) -> &[u8] {
        &[]
    }

    /// The number of bytes of the packet that the caller writes itself.
    #[inline]
    fn external_len(&self) -> usize {
        0
    }

    /// The number of bytes that [`write_body`](Self::write_body) writes, if that is quickly known, or a
    /// number that selects no shortcut. Shortcuts check it: another number costs time only. A packet with
    /// a quickly known length is refused before its first field is written.
    #[inline]
    fn likely_body_len(&self) -> usize {
        MAX_REMAINING_LENGTH as usize
    }
}

/// Encodes a packet as the bytes of one MQTT Control Packet. Only the packets of this crate
/// implement it.
pub trait Encode: PacketBody {
    /// Appends the whole packet to `out`, or returns an error.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`] if it does not fit. The others if MQTT does not allow a value of the
    /// packet. Nothing is written then.
    #[inline]
    fn encode<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        encode_packet(self, out)
    }

    /// Returns the number of bytes that [`encode`](Self::encode) appends.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode), except for `NoRoom`.
    #[inline]
    fn encoded_len(&self) -> Result<usize, EncodeError> {
        let here = body_len(self)?.saturating_add(self.payload().len());
        let remaining = remaining_length(here.saturating_add(self.external_len()))?;
        Ok(header_len(remaining).saturating_add(here))
    }

    /// Encodes to the start of `buffer` and returns the written part.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    #[inline]
    fn encode_to_slice<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], EncodeError> {
        let mut out = SliceOutput::new(buffer);
        self.encode(&mut out)?;
        Ok(out.into_written())
    }

    /// Encodes to a new vector (feature `alloc`).
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    #[cfg(feature = "alloc")]
    fn encode_to_vec(&self) -> Result<alloc::vec::Vec<u8>, EncodeError> {
        let mut out = alloc::vec::Vec::new();
        self.encode(&mut out)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
