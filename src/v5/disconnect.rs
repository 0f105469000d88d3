//! DISCONNECT (section 3.14).

use super::reason::{read_reason, write_reason};
use super::{DecodeError, DisconnectProperties, DisconnectReasonCode, Properties, Reader};
use crate::wire::{Encode, EncodeError, Output, PacketBody};

/// DISCONNECT: the last packet of a connection, from either side (section 3.14).
///
/// ```
/// use mqtt_sansio::Encode;
/// use mqtt_sansio::v5::{Disconnect, DisconnectReasonCode};
///
/// let normal = Disconnect::new(DisconnectReasonCode::NormalDisconnection);
/// assert_eq!(normal.encode_to_slice(&mut [0; 4])?, b"\xe0\x00");
/// let busy = Disconnect::new(DisconnectReasonCode::ServerBusy);
/// assert_eq!(busy.encode_to_slice(&mut [0; 4])?, b"\xe0\x01\x89");
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
pub struct Disconnect<B> {
    /// The reason to end the connection.
    pub reason_code: DisconnectReasonCode,
    /// The properties. Only a client sends Session Expiry Interval [MQTT5-3.14.2-2], only a server
    /// Server Reference; a decoder accepts both from either side.
    pub properties: DisconnectProperties<B>,
}

crate::packet::storage!(Disconnect {
    reason_code: value,
    properties: part
});

impl Disconnect<&'static [u8]> {
    /// Creates a DISCONNECT without properties.
    #[must_use]
    pub const fn new(reason_code: DisconnectReasonCode) -> Self {
        Self {
            reason_code,
            properties: Properties::EMPTY,
        }
    }
}

impl<'a> Disconnect<&'a [u8]> {
    /// Remaining Length 0: normal disconnection. 1: no properties (sections 3.14.2.1 and
    /// 3.14.2.2.1).
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        // [MQTT5-3.14.2-1]
        let (reason_code, properties) = read_reason(reader, DisconnectReasonCode::from_number)?;
        Ok(Self {
            reason_code,
            properties: properties.unwrap_or_default(),
        })
    }
}

impl<B: AsRef<[u8]>> PacketBody for Disconnect<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0xe0 // [MQTT5-3.14.1-1]
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        write_reason(self.reason_code.number(), &self.properties, out)
    }
}

impl<B: AsRef<[u8]>> Encode for Disconnect<B> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v5::Property;
    use crate::v5::testing::{decoded, encoded, fault, round_trip};
    use crate::wire::{ErrorKind, Field};

    #[test]
    fn what_says_nothing_is_left_out() {
        let normal = Disconnect::new(DisconnectReasonCode::NormalDisconnection);
        round_trip(normal, b"\xe0\x00");
        let with_will = Disconnect::new(DisconnectReasonCode::DisconnectWithWillMessage);
        round_trip(with_will, b"\xe0\x01\x04");
        for longer in [&b"\xe0\x01\x00"[..], b"\xe0\x02\x00\x00"] {
            assert_eq!(decoded(longer), normal.into());
            assert_eq!(encoded(&decoded(longer)).as_deref(), Ok(&b"\xe0\x00"[..]));
        }
    }

    #[test]
    fn session_expiry_interval_0_is_not_the_same_as_none() {
        let mut buffer = [0; 8];
        let zero = [Property::SessionExpiryInterval(0)];
        let disconnect = Disconnect {
            reason_code: DisconnectReasonCode::NormalDisconnection,
            properties: DisconnectProperties::encode_to_slice(&mut buffer, zero).unwrap(),
        };
        round_trip(disconnect, b"\xe0\x07\x00\x05\x11\x00\x00\x00\x00");
        assert_eq!(disconnect.properties.session_expiry_interval(), Some(0));
    }

    /// [MQTT5-3.14.2-1]
    #[test]
    fn each_code_of_table_3_10_passes_and_every_other_is_refused() {
        for code in 1..=255 {
            let bytes = [0xe0, 1, code];
            match DisconnectReasonCode::from_number(code) {
                Some(code) => round_trip(Disconnect::new(code), &bytes),
                None => assert_eq!(
                    fault(&bytes),
                    (
                        ErrorKind::InvalidReasonCode,
                        Field::ReasonCode,
                        2,
                        Some("MQTT-3.14.2-1")
                    )
                ),
            }
        }
    }
}
