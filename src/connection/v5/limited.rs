//! Encodes packets within the peer's Maximum Packet Size.

use super::limits::Limits;
use crate::connection::error::CommandError;
use crate::wire::{Encode, EncodeError, OPTIMIZE_SIZE, Output};

/// An output that refuses a packet above a limit. A packet asks for all of its bytes at once before it
/// writes any, unless it is written to a chunk.
struct Limited<'o, O: ?Sized> {
    out: &'o mut O,
    /// The most bytes that are written here.
    maximum: usize,
    has_refused: bool,
}

impl<O: Output + ?Sized> Output for Limited<'_, O> {
    #[inline]
    fn reserve(&mut self, len: usize) -> Result<(), EncodeError> {
        if len > self.maximum {
            self.has_refused = true;
            return Err(EncodeError::PacketTooLarge);
        }
        self.out.reserve(len)
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.out.put(bytes)
    }

    #[inline]
    fn chunk(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > self.maximum {
            return None;
        }
        self.out.chunk(len)
    }

    #[inline]
    fn advance(&mut self, len: usize) {
        self.out.advance(len);
    }

    #[inline]
    fn has_room(&self, len: usize) -> bool {
        len <= self.maximum && self.out.has_room(len)
    }
}

/// Encodes a packet if the peer accepts its length [MQTT5-3.1.2-24, MQTT5-3.2.2-15].
#[inline]
pub(super) fn encode_within<E: Encode, O: Output + ?Sized>(
    limits: &Limits,
    packet: &E,
    out: &mut O,
) -> Result<(), CommandError> {
    let maximum = limits.peer.maximum_packet_size as usize;
    if !OPTIMIZE_SIZE && limits.peer.maximum_packet_size == u32::MAX {
        // Most peers have no limit. This saves 3 % of the instructions for a small message at QoS 1.
        return Ok(packet.encode(out)?);
    }
    let Some(maximum) = maximum.checked_sub(packet.external_len()) else {
        return Err(CommandError::PacketTooLarge);
    };
    let mut limited = Limited {
        out,
        maximum,
        has_refused: false,
    };
    match packet.encode(&mut limited) {
        Err(_) if limited.has_refused => Err(CommandError::PacketTooLarge),
        outcome => Ok(outcome?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PacketId;
    use crate::v5::PubAck;
    use crate::wire::SliceOutput;

    #[test]
    fn a_packet_is_refused_for_its_length_or_for_lack_of_room() {
        let puback = PubAck::<&[u8]>::new(PacketId::MIN);
        for (maximum, room, expected) in [
            (4, 4, Ok(())),
            (4, 256, Ok(())),
            (3, 4, Err(CommandError::PacketTooLarge)),
            (3, 256, Err(CommandError::PacketTooLarge)),
            (4, 3, Err(EncodeError::no_room(4).into())),
            (u32::MAX, 3, Err(EncodeError::no_room(4).into())),
        ] {
            let mut limits = Limits::default();
            limits.peer.maximum_packet_size = maximum;
            let mut buffer = [0; 256];
            let mut out = SliceOutput::new(&mut buffer[..room]);
            assert_eq!(encode_within(&limits, &puback, &mut out), expected);
        }
    }
}
