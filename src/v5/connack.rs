//! CONNACK (section 3.2).

use super::{ConnAckProperties, ConnectReasonCode, DecodeError, Properties, Reader};
use crate::wire::{Encode, EncodeError, ErrorKind, Field, Output, PacketBody};

/// CONNACK: the server accepts the connection or refuses it (section 3.2).
///
/// ```
/// use mqtt_sansio::v5::{ConnAck, ConnAckProperties, ConnectReasonCode, Property};
/// use mqtt_sansio::Encode;
///
/// let mut buffer = [0; 16];
/// let connack = ConnAck {
///     session_present: false,
///     reason_code: ConnectReasonCode::Success,
///     properties: ConnAckProperties::encode_to_slice(&mut buffer, [
///         Property::TopicAliasMaximum(10),
///     ])?,
/// };
/// assert_eq!(connack.encode_to_slice(&mut [0; 16])?, b"\x20\x06\x00\x00\x03\x22\x00\x0a");
/// # Ok::<(), mqtt_sansio::EncodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: From<alloc::vec::Vec<u8>>"
    ))
)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct ConnAck<B> {
    /// Session Present: the server resumes the session that it kept for this Client Identifier
    /// (section 3.2.2.1.1). Only with [`ConnectReasonCode::Success`] [MQTT5-3.2.2-6].
    pub session_present: bool,
    /// Whether the connection was accepted, or the reason of the refusal. After a refusal the
    /// server closes the connection [MQTT5-3.2.2-7].
    pub reason_code: ConnectReasonCode,
    /// The properties: the limits of the server, and its changes of the client's requests.
    pub properties: ConnAckProperties<B>,
}

crate::packet::storage!(ConnAck {
    session_present: value,
    reason_code: value,
    properties: part
});

impl<'a> ConnAck<&'a [u8]> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let field = Field::ConnectAcknowledgeFlags;
        let flags_offset = reader.offset();
        let flags = reader.u8(field)?;
        // [MQTT5-3.2.2-1]
        if flags > 1 {
            return Err(reader.fault_in_last(field, ErrorKind::ReservedAcknowledgeFlags));
        }
        // [MQTT5-3.2.2-8]
        let Some(reason_code) = ConnectReasonCode::from_number(reader.u8(Field::ReasonCode)?)
        else {
            return Err(reader.fault_in_last(Field::ReasonCode, ErrorKind::InvalidReasonCode));
        };
        let properties = Properties::read(reader)?;
        reader.finish(Field::Properties)?;
        let connack = Self {
            session_present: flags == 1,
            reason_code,
            properties,
        };
        if connack.has_session_with_refusal() {
            let kind = ErrorKind::SessionPresentWithRefusal;
            return Err(reader.fault(field, kind, flags_offset));
        }
        Ok(connack)
    }
}

impl<B> ConnAck<B> {
    /// [MQTT5-3.2.2-6]
    const fn has_session_with_refusal(&self) -> bool {
        self.session_present && self.reason_code.number() != 0
    }
}

impl<B: AsRef<[u8]>> PacketBody for ConnAck<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0x20
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        if self.has_session_with_refusal() {
            return Err(EncodeError::SessionPresentWithRefusal);
        }
        out.put(&[u8::from(self.session_present), self.reason_code.number()])?;
        self.properties.write(out)
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        self.properties.likely_len().wrapping_add(2)
    }
}

impl<B: AsRef<[u8]>> Encode for ConnAck<B> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v5::testing::{encoded, fault, round_trip};

    fn connack(session_present: bool, reason_code: ConnectReasonCode) -> ConnAck<&'static [u8]> {
        ConnAck {
            session_present,
            reason_code,
            properties: Properties::EMPTY,
        }
    }

    #[test]
    fn acceptance_says_whether_there_is_a_session() {
        let success = ConnectReasonCode::Success;
        round_trip(connack(true, success), b"\x20\x03\x01\x00\x00");
        round_trip(connack(false, success), b"\x20\x03\x00\x00\x00");
    }

    /// [MQTT5-3.2.2-1]
    #[test]
    fn each_reserved_acknowledge_flag_is_refused() {
        for bit in 1..8 {
            assert_eq!(
                fault(&[0x20, 3, 1 << bit, 0, 0]),
                (
                    ErrorKind::ReservedAcknowledgeFlags,
                    Field::ConnectAcknowledgeFlags,
                    2,
                    Some("MQTT-3.2.2-1")
                )
            );
        }
    }

    /// [MQTT5-3.2.2-8]
    #[test]
    fn each_code_of_table_3_1_passes_and_every_other_is_refused() {
        for code in 0..=255 {
            let bytes = [0x20, 3, 0, code, 0];
            match ConnectReasonCode::from_number(code) {
                Some(code) => round_trip(connack(false, code), &bytes),
                None => assert_eq!(
                    fault(&bytes),
                    (
                        ErrorKind::InvalidReasonCode,
                        Field::ReasonCode,
                        3,
                        Some("MQTT-3.2.2-8")
                    )
                ),
            }
        }
    }

    /// [MQTT5-3.2.2-6]
    #[test]
    fn session_present_with_a_refusal_is_neither_read_nor_written() {
        assert_eq!(
            fault(b"\x20\x03\x01\x87\x00"),
            (
                ErrorKind::SessionPresentWithRefusal,
                Field::ConnectAcknowledgeFlags,
                2,
                Some("MQTT-3.2.2-6")
            )
        );
        let refused = connack(true, ConnectReasonCode::NotAuthorized);
        assert_eq!(
            encoded(&refused),
            Err(EncodeError::SessionPresentWithRefusal)
        );
    }
}
