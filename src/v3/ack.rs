//! PUBACK, PUBREC, PUBREL, PUBCOMP (sections 3.4 to 3.7) and UNSUBACK (section 3.11): a fixed
//! header and a Packet Identifier.

use crate::packet::read_packet_id;
use crate::types::PacketId;
use crate::v3::{DecodeError, Reader};
use crate::wire::{Encode, EncodeError, Field, Output, PacketBody, encode_bytes};

/// Reads a Packet Identifier and the end of the packet.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
fn read_only_packet_id(reader: &mut Reader<'_>) -> Result<PacketId, DecodeError> {
    let packet_id = read_packet_id(reader)?;
    reader.finish(Field::PacketIdentifier)?;
    Ok(packet_id)
}

macro_rules! ack {
    ($(#[$doc:meta])* $Type:ident, $first_byte:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[expect(clippy::exhaustive_structs, reason = "its one field is the standard's")]
        pub struct $Type {
            /// The Packet Identifier that it acknowledges [MQTT-2.3.1-6, MQTT-2.3.1-7].
            pub packet_id: PacketId,
        }

        impl $Type {
            /// Returns the whole packet: four bytes, of which the last two are the identifier.
            #[must_use]
            #[inline]
            pub const fn to_bytes(self) -> [u8; 4] {
                let [high, low] = self.packet_id.get().to_be_bytes();
                [$first_byte, 2, high, low]
            }

            #[inline(always)]
            pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let packet_id = read_only_packet_id(reader)?;
                Ok(Self { packet_id })
            }
        }

        impl PacketBody for $Type {
            #[inline(always)]
            fn first_byte(&self) -> u8 {
                $first_byte
            }

            #[inline(always)]
            fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
                out.put(&self.packet_id.get().to_be_bytes())
            }
        }

        impl Encode for $Type {
            #[inline]
            fn encode<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
                encode_bytes(self.to_bytes(), out)
            }
        }
    };
}

ack! {
    /// PUBACK: a QoS 1 message was received (section 3.4).
    PubAck, 0x40
}
ack! {
    /// PUBREC: a QoS 2 message was received, part 1 of its delivery (section 3.5).
    PubRec, 0x50
}
ack! {
    /// PUBREL: the sender discards a QoS 2 message and releases it, part 2 of its delivery (section
    /// 3.6). Its flags are 0010 [MQTT-3.6.1-1].
    PubRel, 0x62
}
ack! {
    /// PUBCOMP: a QoS 2 message is complete, part 3 of its delivery (section 3.7).
    PubComp, 0x70
}
ack! {
    /// UNSUBACK: the subscriptions have ended (section 3.11).
    UnsubAck, 0xb0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::testing::{encoded, fault, id, round_trip};
    use crate::wire::ErrorKind;

    /// The first bytes of PUBACK, PUBREC, PUBREL, PUBCOMP and UNSUBACK.
    const FIRST_BYTES: [u8; 5] = [0x40, 0x50, 0x62, 0x70, 0xb0];

    #[test]
    fn each_acknowledgement_is_its_first_byte_and_the_identifier() {
        let packet_id = id(0x1234);
        round_trip(PubAck { packet_id }, b"\x40\x02\x12\x34");
        round_trip(PubRec { packet_id }, b"\x50\x02\x12\x34");
        round_trip(PubRel { packet_id }, b"\x62\x02\x12\x34");
        round_trip(PubComp { packet_id }, b"\x70\x02\x12\x34");
        round_trip(UnsubAck { packet_id }, b"\xb0\x02\x12\x34");
    }

    #[test]
    fn to_bytes_is_what_the_encoder_writes() {
        let packet_id = id(0xfffe);
        assert_eq!(PubAck { packet_id }.to_bytes(), *b"\x40\x02\xff\xfe");
        assert_eq!(PubRec { packet_id }.to_bytes(), *b"\x50\x02\xff\xfe");
        assert_eq!(PubRel { packet_id }.to_bytes(), *b"\x62\x02\xff\xfe");
        assert_eq!(PubComp { packet_id }.to_bytes(), *b"\x70\x02\xff\xfe");
        assert_eq!(UnsubAck { packet_id }.to_bytes(), *b"\xb0\x02\xff\xfe");
        let pub_rel = PubRel { packet_id };
        assert_eq!(encoded(&pub_rel).unwrap(), pub_rel.to_bytes());
    }

    #[test]
    fn the_smallest_and_the_largest_identifier_pass() {
        let (min, max) = (PacketId::MIN, PacketId::MAX);
        round_trip(PubAck { packet_id: min }, b"\x40\x02\x00\x01");
        round_trip(PubAck { packet_id: max }, b"\x40\x02\xff\xff");
    }

    #[test]
    fn identifier_0_is_refused_by_a_rule_without_a_number() {
        for first_byte in FIRST_BYTES {
            assert_eq!(
                fault(&[first_byte, 2, 0, 0]),
                (
                    ErrorKind::ZeroPacketIdentifier,
                    Field::PacketIdentifier,
                    2,
                    // [MQTT-2.3.1-1] binds PUBLISH, SUBSCRIBE and UNSUBSCRIBE only.
                    None
                )
            );
        }
    }

    #[test]
    fn offsets_count_every_byte_of_remaining_length() {
        assert_eq!(
            fault(b"\x40\x82\x80\x00\x00\x00"),
            (
                ErrorKind::ZeroPacketIdentifier,
                Field::PacketIdentifier,
                4,
                None
            )
        );
    }

    #[test]
    fn an_acknowledgement_without_an_identifier_is_refused() {
        for first_byte in FIRST_BYTES {
            assert_eq!(
                fault(&[first_byte, 0]),
                (
                    ErrorKind::Truncated,
                    Field::PacketIdentifier,
                    2,
                    Some("MQTT-4.8.0-1")
                )
            );
        }
    }

    #[test]
    fn half_an_identifier_is_refused_where_the_identifier_starts() {
        for first_byte in FIRST_BYTES {
            assert_eq!(
                fault(&[first_byte, 1, 1]),
                (
                    ErrorKind::Truncated,
                    Field::PacketIdentifier,
                    2,
                    Some("MQTT-4.8.0-1")
                )
            );
        }
    }

    #[test]
    fn a_byte_behind_the_identifier_is_refused() {
        for first_byte in FIRST_BYTES {
            assert_eq!(
                fault(&[first_byte, 3, 0, 1, 0]),
                (
                    ErrorKind::TrailingBytes,
                    Field::PacketIdentifier,
                    4,
                    Some("MQTT-4.8.0-1")
                )
            );
        }
    }
}
