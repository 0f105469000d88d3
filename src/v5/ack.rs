//! PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7): a Packet Identifier, a Reason Code and
//! properties. Success and empty properties can be left out.

use core::fmt;
use core::hash::Hash;

use super::reason::{read_reason, write_reason};
use super::{AckProperties, DecodeError, Properties, PubAckReasonCode, PubRelReasonCode, Reader};
use crate::packet::read_packet_id;
use crate::types::PacketId;
use crate::wire::{Encode, EncodeError, Output, PacketBody, encode_bytes, encode_packet};

/// The type of an [`Acknowledgement`]. Implemented by this crate's markers only.
pub trait AckType: Copy + Eq + Hash + fmt::Debug + 'static {
    /// The Reason Codes that the packet can have.
    type ReasonCode: Copy + Eq + Hash + Default + fmt::Debug;

    /// The name of the packet in Rust.
    #[doc(hidden)]
    const NAME: &'static str;

    /// Packet type and flags.
    #[doc(hidden)]
    const FIRST_BYTE: u8;

    #[doc(hidden)]
    fn from_number(number: u8) -> Option<Self::ReasonCode>;

    #[doc(hidden)]
    fn number(code: Self::ReasonCode) -> u8;
}

/// The markers.
macro_rules! ack_types {
    ($($(#[$doc:meta])* $Marker:ident $name:literal $first_byte:literal $ReasonCode:ident)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
        pub enum $Marker {}

        impl AckType for $Marker {
            type ReasonCode = $ReasonCode;
            const NAME: &'static str = $name;
            const FIRST_BYTE: u8 = $first_byte;

            #[inline]
            fn from_number(number: u8) -> Option<$ReasonCode> {
                $ReasonCode::from_number(number)
            }

            #[inline]
            fn number(code: $ReasonCode) -> u8 {
                code.number()
            }
        }
    )+};
}

ack_types! {
    /// Makes an [`Acknowledgement`] a PUBACK.
    PubAckType "PubAck" 0x40 PubAckReasonCode
    /// Makes an [`Acknowledgement`] a PUBREC.
    PubRecType "PubRec" 0x50 PubAckReasonCode
    /// Makes an [`Acknowledgement`] a PUBREL. Its flags are 0010 [MQTT5-3.6.1-1].
    PubRelType "PubRel" 0x62 PubRelReasonCode
    /// Makes an [`Acknowledgement`] a PUBCOMP.
    PubCompType "PubComp" 0x70 PubRelReasonCode
}

/// PUBACK: a QoS 1 message was received, or is refused (section 3.4).
pub type PubAck<B> = Acknowledgement<B, PubAckType>;
/// PUBREC: a QoS 2 message was received, part 1 of its delivery, or is refused (section 3.5).
pub type PubRec<B> = Acknowledgement<B, PubRecType>;
/// PUBREL: the sender discards a QoS 2 message and releases it, part 2 of its delivery (section
/// 3.6).
pub type PubRel<B> = Acknowledgement<B, PubRelType>;
/// PUBCOMP: a QoS 2 message is complete, part 3 of its delivery (section 3.7).
pub type PubComp<B> = Acknowledgement<B, PubCompType>;

/// PUBACK, PUBREC, PUBREL or PUBCOMP (sections 3.4 to 3.7).
///
/// It has four bytes if it means success and has no properties. Encoding always writes the shortest
/// form.
///
/// ```
/// use mqtt_sansio::v5::{PubAck, PubAckReasonCode};
/// use mqtt_sansio::{Encode, PacketId};
///
/// let mut puback = PubAck::new(PacketId::MIN);
/// assert_eq!(puback.encode_to_slice(&mut [0; 8])?, b"\x40\x02\x00\x01");
/// puback.reason_code = PubAckReasonCode::QuotaExceeded;
/// assert_eq!(puback.encode_to_slice(&mut [0; 8])?, b"\x40\x03\x00\x01\x97");
/// # Ok::<(), mqtt_sansio::EncodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>, K::ReasonCode: serde::Serialize",
        deserialize = "B: From<alloc::vec::Vec<u8>>, K::ReasonCode: serde::Deserialize<'de>"
    ))
)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct Acknowledgement<B, K: AckType> {
    /// The Packet Identifier of the message [MQTT5-2.2.1-5].
    pub packet_id: PacketId,
    /// The outcome.
    pub reason_code: K::ReasonCode,
    /// Reason String and User Properties.
    pub properties: AckProperties<B>,
}

crate::packet::storage!(Acknowledgement[K: AckType] {
    packet_id: value, reason_code: value, properties: part
});

impl<K: AckType> Acknowledgement<&'static [u8], K> {
    /// Creates an acknowledgement with success and no properties.
    #[must_use]
    #[inline]
    pub fn new(packet_id: PacketId) -> Self {
        Self {
            packet_id,
            reason_code: K::ReasonCode::default(),
            properties: Properties::EMPTY,
        }
    }

    /// Creates an acknowledgement with the Reason Code of this number and no properties, or returns
    /// `None` if there is no such code.
    #[inline(always)]
    pub(super) fn with_code(packet_id: PacketId, code: u8) -> Option<Self> {
        Some(Self {
            packet_id,
            reason_code: K::from_number(code)?,
            properties: Properties::EMPTY,
        })
    }
}

impl<'a, K: AckType> Acknowledgement<&'a [u8], K> {
    /// Remaining Length 2: success. 3: no properties (sections 3.4.2.1 and 3.4.2.2.1).
    #[inline]
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let packet_id = read_packet_id(reader)?;
        // [MQTT5-3.4.2-1, MQTT5-3.5.2-1, MQTT5-3.6.2-1, MQTT5-3.7.2-1]
        let (reason_code, properties) = read_reason(reader, K::from_number)?;
        Ok(Self {
            packet_id,
            reason_code,
            properties: properties.unwrap_or_default(),
        })
    }
}

impl<B: AsRef<[u8]>, K: AckType> PacketBody for Acknowledgement<B, K> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        K::FIRST_BYTE
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        write_reason(K::number(self.reason_code), &self.properties, out)
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        // Packet Identifier and Reason Code.
        self.properties.likely_len().wrapping_add(3)
    }
}

impl<B: AsRef<[u8]>, K: AckType> Encode for Acknowledgement<B, K> {
    #[inline]
    fn encode<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        // Nearly all mean success and have no properties.
        if K::number(self.reason_code) == 0 && self.properties.is_empty() {
            let [high, low] = self.packet_id.get().to_be_bytes();
            return encode_bytes([K::FIRST_BYTE, 2, high, low], out);
        }
        encode_packet(self, out)
    }
}

impl<B: AsRef<[u8]>, K: AckType> fmt::Debug for Acknowledgement<B, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(K::NAME)
            .field("packet_id", &self.packet_id)
            .field("reason_code", &self.reason_code)
            .field("properties", &self.properties)
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>, K: AckType<ReasonCode: defmt::Format>> defmt::Format
    for Acknowledgement<B, K>
{
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "{=str} {{ packet_id: {}, reason_code: {}, properties: {} }}",
            K::NAME,
            self.packet_id,
            self.reason_code,
            self.properties
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Text;
    use crate::v5::testing::{decoded, encoded, fault, id, round_trip};
    use crate::v5::{Packet, Property};
    use crate::wire::{ErrorKind, Field};
    use std::format;

    /// The first bytes of PUBACK, PUBREC, PUBREL and PUBCOMP.
    const FIRST_BYTES: [u8; 4] = [0x40, 0x50, 0x62, 0x70];

    #[test]
    fn success_without_properties_is_the_packet_of_mqtt_3_1_1() {
        let packet_id = id(0x1234);
        round_trip(PubAck::new(packet_id), b"\x40\x02\x12\x34");
        round_trip(PubRec::new(packet_id), b"\x50\x02\x12\x34");
        round_trip(PubRel::new(packet_id), b"\x62\x02\x12\x34");
        round_trip(PubComp::new(packet_id), b"\x70\x02\x12\x34");
    }

    #[test]
    fn a_reason_code_without_properties_has_no_property_length() {
        let puback = PubAck {
            reason_code: PubAckReasonCode::NoMatchingSubscribers,
            ..PubAck::new(id(1))
        };
        round_trip(puback, b"\x40\x03\x00\x01\x10");
        let pubcomp = PubComp {
            reason_code: PubRelReasonCode::PacketIdentifierNotFound,
            ..PubComp::new(id(1))
        };
        round_trip(pubcomp, b"\x70\x03\x00\x01\x92");
    }

    #[test]
    fn properties_come_with_a_reason_code_and_a_length() {
        let mut buffer = [0; 16];
        let why = [Property::ReasonString(Text::new("no").unwrap())];
        let pubrec = PubRec {
            properties: AckProperties::encode_to_slice(&mut buffer, why).unwrap(),
            ..PubRec::new(id(1))
        };
        round_trip(pubrec, b"\x50\x09\x00\x01\x00\x05\x1f\x00\x02no");
    }

    /// The four forms of the same packet.
    #[test]
    fn a_longer_form_is_read_and_written_as_the_shortest() {
        for first_byte in FIRST_BYTES {
            let shortest = [first_byte, 2, 0, 1];
            for longer in [&[first_byte, 3, 0, 1, 0][..], &[first_byte, 4, 0, 1, 0, 0]] {
                let packet = decoded(longer);
                assert_eq!(packet, decoded(&shortest));
                assert_eq!(encoded(&packet).unwrap(), shortest);
            }
        }
    }

    #[test]
    fn a_reason_code_of_another_packet_is_refused() {
        for (first_byte, statement) in [
            (0x40, "MQTT-3.4.2-1"),
            (0x50, "MQTT-3.5.2-1"),
            (0x62, "MQTT-3.6.2-1"),
            (0x70, "MQTT-3.7.2-1"),
        ] {
            assert_eq!(
                fault(&[first_byte, 3, 0, 1, 0x93]),
                (
                    ErrorKind::InvalidReasonCode,
                    Field::ReasonCode,
                    4,
                    Some(statement)
                )
            );
        }
    }

    #[test]
    fn an_acknowledgement_prints_as_the_packet_that_it_is() {
        let packet = Packet::from(PubRel::new(id(7)));
        assert_eq!(
            format!("{packet:?}"),
            "PubRel { packet_id: PacketId(7), reason_code: Success, properties: [] }"
        );
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn map_and_to_owned_keep_every_value() {
        let bytes = b"\x50\x09\x00\x01\x97\x05\x1f\x00\x02no";
        let Packet::PubRec(pubrec) = decoded(bytes) else {
            panic!("not a PUBREC");
        };
        assert_eq!(encoded(&pubrec.to_owned()).as_deref(), Ok(&bytes[..]));
        assert_eq!(pubrec.to_owned().as_ref(), pubrec);
    }
}
