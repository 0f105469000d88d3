//! SUBACK (section 3.9).

use crate::packet::{Entry, List, read_packet_id};
use crate::types::{PacketId, QoS};
use crate::v3::{DecodeError, Reader};
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, Output, PacketBody, PacketType, ReadError,
};

/// SUBACK: the server's answer to SUBSCRIBE (section 3.9).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::vec::Vec<u8>>"
    ))
)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields are the standard's; a new one would be a new version of MQTT"
)]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct SubAck<B> {
    /// The Packet Identifier of the SUBSCRIBE [MQTT-3.8.4-2].
    pub packet_id: PacketId,
    /// One for each entry of the SUBSCRIBE, in its order [MQTT-3.8.4-5, MQTT-3.9.3-1].
    pub return_codes: ReturnCodes<B>,
}

crate::packet::storage!(SubAck {
    packet_id: value,
    return_codes: part
});

/// The server's answer to one entry of a SUBSCRIBE (section 3.9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard lists these and reserves the rest"
)]
pub enum ReturnCode {
    /// 0, 1 or 2: the Maximum QoS that was granted, which may be lower than requested.
    Success(QoS),
    /// 0x80: the server refused the subscription.
    Failure,
}

impl ReturnCode {
    /// Returns the code with this number, or `None` for a reserved one [MQTT-3.9.3-2].
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0x80 => Some(Self::Failure),
            _ => match QoS::from_number(number) {
                Some(qos) => Some(Self::Success(qos)),
                None => None,
            },
        }
    }

    /// Returns 0, 1, 2 or 0x80.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Success(qos) => qos.number(),
            Self::Failure => 0x80,
        }
    }
}

/// The payload of [`SubAck`].
pub type ReturnCodes<B> = List<B, SubAckEntry>;

/// Makes a [`List`] one of [`ReturnCode`]s.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum SubAckEntry {}

impl Entry for SubAckEntry {
    type Item<'a> = ReturnCode;
    const PACKET_TYPE: PacketType = PacketType::SubAck;
    const FIELD: Field = Field::ReturnCode;

    #[expect(private_interfaces, private_bounds, reason = "as in the trait")]
    #[inline]
    fn read<'a, F: ReadError>(reader: &mut Reader<'a, F>) -> Result<ReturnCode, F> {
        match ReturnCode::from_number(reader.u8(Field::ReturnCode)?) {
            Some(code) => Ok(code),
            // [MQTT-3.9.3-2]
            None => Err(reader.fault_in_last(Field::ReturnCode, ErrorKind::InvalidReturnCode)),
        }
    }

    #[inline]
    fn write<O: Output + ?Sized>(item: ReturnCode, out: &mut O) -> Result<(), EncodeError> {
        out.put(&[item.number()])
    }
}

impl<'a> SubAck<&'a [u8]> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            packet_id: read_packet_id(reader)?,
            // As many as the SUBSCRIBE of this client had filters.
            return_codes: List::read(reader, u32::MAX)?,
        })
    }
}

impl<B: AsRef<[u8]>> PacketBody for SubAck<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0x90
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.return_codes.as_bytes()
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        2
    }
}

impl<B: AsRef<[u8]>> Encode for SubAck<B> {}

/// SUBACK with return codes that need not be encoded into a list first.
pub(crate) struct SubAckOf<I> {
    pub(crate) packet_id: PacketId,
    pub(crate) return_codes: I,
}

impl<I: Iterator<Item = ReturnCode> + Clone> PacketBody for SubAckOf<I> {
    fn first_byte(&self) -> u8 {
        0x90
    }

    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        self.return_codes
            .clone()
            .try_for_each(|code| out.put(&[code.number()]))
    }
}

impl<I: Iterator<Item = ReturnCode> + Clone> Encode for SubAckOf<I> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::Packet;
    use crate::v3::testing::{decoded, encoded, fault, id, round_trip};
    #[cfg(feature = "alloc")]
    use alloc::vec::Vec;

    const ALL: [(u8, ReturnCode); 4] = [
        (0, ReturnCode::Success(QoS::AtMostOnce)),
        (1, ReturnCode::Success(QoS::AtLeastOnce)),
        (2, ReturnCode::Success(QoS::ExactlyOnce)),
        (0x80, ReturnCode::Failure),
    ];

    const BYTES: &[u8] = b"\x90\x06\x12\x34\x00\x01\x02\x80";

    #[test]
    fn a_suback_with_every_return_code_is_these_bytes() {
        let mut buffer = [0; 4];
        let codes = ALL.map(|(_, code)| code);
        let return_codes = ReturnCodes::encode_to_slice(&mut buffer, codes).unwrap();
        let packet_id = id(0x1234);
        round_trip(
            SubAck {
                packet_id,
                return_codes,
            },
            BYTES,
        );
    }

    #[test]
    fn every_other_return_code_is_refused() {
        for number in (3..=0x7f).chain(0x81..=0xff) {
            assert_eq!(
                fault(&[0x90, 3, 0, 1, number]),
                (
                    ErrorKind::InvalidReturnCode,
                    Field::ReturnCode,
                    4,
                    Some("MQTT-3.9.3-2")
                )
            );
        }
    }

    #[test]
    fn a_return_code_is_refused_where_it_is() {
        assert_eq!(
            fault(b"\x90\x05\x00\x01\x00\x80\x03"),
            (
                ErrorKind::InvalidReturnCode,
                Field::ReturnCode,
                6,
                Some("MQTT-3.9.3-2")
            )
        );
    }

    #[test]
    fn a_suback_without_a_return_code_is_refused() {
        assert_eq!(
            fault(b"\x90\x02\x00\x01"),
            (
                ErrorKind::EmptyList,
                Field::ReturnCode,
                4,
                Some("MQTT-3.8.4-5")
            )
        );
    }

    #[test]
    fn identifier_0_is_refused_by_a_rule_without_a_number() {
        assert_eq!(
            fault(b"\x90\x03\x00\x00\x00"),
            (
                ErrorKind::ZeroPacketIdentifier,
                Field::PacketIdentifier,
                2,
                None
            )
        );
    }

    #[test]
    fn an_identifier_that_is_not_all_there_is_refused() {
        for bytes in [&b"\x90\x00"[..], b"\x90\x01\x00"] {
            assert_eq!(
                fault(bytes),
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
    fn the_encoder_refuses_an_empty_list_of_return_codes() {
        let error = ReturnCodes::encode_to_slice(&mut [], []).unwrap_err();
        let packet_type = PacketType::SubAck;
        assert_eq!(error, EncodeError::EmptyList { packet_type });
        assert_eq!(error.statement(), Some("MQTT-3.8.4-5"));
    }

    #[test]
    fn return_codes_and_numbers_turn_into_each_other() {
        for (number, code) in ALL {
            assert_eq!(ReturnCode::from_number(number), Some(code));
            assert_eq!(code.number(), number);
        }
    }

    #[test]
    fn a_number_that_is_not_a_return_code_is_none() {
        for number in (3..=0x7f).chain(0x81..=0xff) {
            assert_eq!(ReturnCode::from_number(number), None);
        }
    }

    fn suback() -> SubAck<&'static [u8]> {
        match decoded(BYTES) {
            Packet::SubAck(suback) => suback,
            other => panic!("not a SUBACK: {other:?}"),
        }
    }

    #[test]
    fn map_keeps_every_value() {
        let moved = suback().map(<[u8]>::to_vec);
        assert_eq!(encoded(&moved).as_deref(), Ok(BYTES));
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn to_owned_keeps_every_value() {
        let owned: SubAck<Vec<u8>> = suback().to_owned();
        assert_eq!(encoded(&owned).as_deref(), Ok(BYTES));
    }
}
