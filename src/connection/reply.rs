//! Short packets that a connection sends by itself.

use core::num::NonZeroU32;

use crate::types::PacketId;
use crate::wire::PacketType;

/// A packet that a connection sends by itself, ready to be written to the transport: an
/// acknowledgement, PINGREQ, PINGRESP, or the CONNACK or DISCONNECT that closes a connection.
///
/// `N` is the length of the longest of them: 4 bytes in MQTT 3.1.1, 8 in MQTT 5.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reply<const N: usize>([u8; N]);

impl<const N: usize> Reply<N> {
    /// `bytes` begins with a packet whose Remaining Length has one byte.
    pub(crate) const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the packet.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        let len = match self.0.get(1) {
            Some(remaining) => usize::from(*remaining).saturating_add(2),
            None => 0,
        };
        self.0.get(..len).unwrap_or(&self.0)
    }
}

impl Reply<4> {
    /// Returns the same packet with a larger array.
    pub(crate) const fn widen(self) -> Reply<8> {
        let [a, b, c, d] = self.0;
        Reply([a, b, c, d, 0, 0, 0, 0])
    }
}

impl<const N: usize> AsRef<[u8]> for Reply<N> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Prints the packet's name and, where it has one, its Packet Identifier.
impl<const N: usize> core::fmt::Debug for Reply<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let bytes = self.as_bytes();
        let packet_type = bytes
            .first()
            .and_then(|first| PacketType::from_number(first >> 4));
        match (packet_type, bytes) {
            (
                Some(
                    PacketType::PubAck
                    | PacketType::PubRec
                    | PacketType::PubRel
                    | PacketType::PubComp,
                ),
                [_, _, high, low, ..],
            ) => {
                let (packet_type, bytes) =
                    (packet_type.map_or("", PacketType::name), [*high, *low]);
                write!(f, "{packet_type}({})", u16::from_be_bytes(bytes))
            }
            (Some(packet_type), _) => f.write_str(packet_type.name()),
            (None, _) => f.debug_list().entries(bytes).finish(),
        }
    }
}

#[cfg(feature = "defmt")]
impl<const N: usize> defmt::Format for Reply<N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=[u8]:02x}", self.as_bytes());
    }
}

/// A [`Reply`] before its version encodes it: first byte, reason or return code, and Packet
/// Identifier. It is one number, so that storing it and reading it back have the same width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(unnameable_types, reason = "only the versions of this crate encode it")]
pub struct PendingReply(NonZeroU32);

impl PendingReply {
    pub(super) const PINGREQ: Self = Self::new(0xc0, 0, [0; 2]);
    pub(super) const PINGRESP: Self = Self::new(0xd0, 0, [0; 2]);

    #[inline]
    const fn new(first_byte: u8, code: u8, [high, low]: [u8; 2]) -> Self {
        let number = u32::from_be_bytes([first_byte, code, high, low]);
        match NonZeroU32::new(number) {
            Some(number) => Self(number),
            // The first byte is never 0 in the constructors below.
            None => Self(NonZeroU32::MIN),
        }
    }

    #[inline]
    pub(super) const fn puback(packet_id: PacketId, code: u8) -> Self {
        Self::new(0x40, code, packet_id.get().to_be_bytes())
    }

    #[inline]
    pub(super) const fn pubrec(packet_id: PacketId, code: u8) -> Self {
        Self::new(0x50, code, packet_id.get().to_be_bytes())
    }

    /// PUBREL with its flags [MQTT-3.6.1-1].
    #[inline]
    pub(super) const fn pubrel(packet_id: PacketId, code: u8) -> Self {
        Self::new(0x62, code, packet_id.get().to_be_bytes())
    }

    #[inline]
    pub(super) const fn pubcomp(packet_id: PacketId, code: u8) -> Self {
        Self::new(0x70, code, packet_id.get().to_be_bytes())
    }

    /// CONNACK that refuses the connection.
    pub(super) const fn connack(code: u8) -> Self {
        Self::new(0x20, code, [0; 2])
    }

    /// DISCONNECT with a Reason Code: MQTT 5 only.
    pub(super) const fn disconnect(code: u8) -> Self {
        Self::new(0xe0, code, [0; 2])
    }

    /// Returns the same reply with another reason code.
    pub(super) const fn with_code(self, code: u8) -> Self {
        let [first, _, high, low] = self.parts();
        Self::new(first, code, [high, low])
    }

    /// Returns the first byte, reason or return code, and the two bytes of the Packet Identifier.
    #[inline]
    pub(super) const fn parts(self) -> [u8; 4] {
        self.0.get().to_be_bytes()
    }
}
