//! Encodes a packet in two passes over its body, which is compiled once.

use crate::wire::encode::{PacketBody, put_header, remaining_length};
use crate::wire::header::header_len;
use crate::wire::{EncodeError, Output};

/// An output that counts the body of a packet in a first pass, and writes it in a second one, so that
/// the body is compiled once.
struct Passes<'o, O: ?Sized> {
    out: &'o mut O,
    counted: usize,
    writes: bool,
}

impl<O: Output + ?Sized> Output for Passes<'_, O> {
    fn reserve(&mut self, _: usize) -> Result<(), EncodeError> {
        Ok(())
    }

    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        if self.writes {
            return self.out.put(bytes);
        }
        self.counted = self.counted.saturating_add(bytes.len());
        Ok(())
    }
}

impl<O: Output + ?Sized> Passes<'_, O> {
    /// Begins the second pass with the fixed header of a packet whose body was counted.
    #[inline(never)]
    fn begin(&mut self, first: u8, payload: usize, external: usize) -> Result<(), EncodeError> {
        let here = self.counted.saturating_add(payload);
        let remaining = remaining_length(here.saturating_add(external))?;
        self.out
            .reserve(header_len(remaining).saturating_add(here))?;
        self.writes = true;
        put_header(self, first, remaining)
    }
}

/// [`encode_packet`](super::encode_packet) with less code.
#[inline]
pub(super) fn encode_in_passes<T: PacketBody + ?Sized, O: Output + ?Sized>(
    packet: &T,
    out: &mut O,
) -> Result<(), EncodeError> {
    let mut passes = Passes {
        out,
        counted: 0,
        writes: false,
    };
    loop {
        packet.write_body(&mut passes)?;
        let payload = packet.payload();
        if passes.writes {
            return passes.put(payload);
        }
        passes.begin(packet.first_byte(), payload.len(), packet.external_len())?;
    }
}
