//! AUTH (section 3.15).

use super::reason::{read_reason, write_reason};
use super::{AuthProperties, AuthReasonCode, DecodeError, Reader};
use crate::wire::{Encode, EncodeError, ErrorKind, Field, Output, PacketBody};

/// AUTH: a step of enhanced authentication, from either side (section 3.15).
///
/// It needs an Authentication Method, with one exception: section 3.15.2.1 allows success without
/// properties as an AUTH of Remaining Length 0, which is decoded and encoded although section
/// 3.15.2.2.2 calls it a Protocol Error. A connection refuses it.
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
pub struct Auth<B> {
    /// The step of the authentication.
    pub reason_code: AuthReasonCode,
    /// The properties, with an Authentication Method.
    pub properties: AuthProperties<B>,
}

crate::packet::storage!(Auth {
    reason_code: value,
    properties: part
});

impl<B: AsRef<[u8]>> Auth<B> {
    /// Returns true if it can be an AUTH: with an Authentication Method, or completely empty.
    fn has_what_it_needs(&self) -> bool {
        let says_nothing =
            matches!(self.reason_code, AuthReasonCode::Success) && self.properties.is_empty();
        says_nothing || self.properties.authentication_method().is_some()
    }
}

impl<'a> Auth<&'a [u8]> {
    /// Remaining Length 0, or 1: no properties.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        // [MQTT5-3.15.2-1]
        let (reason_code, properties) = read_reason(reader, AuthReasonCode::from_number)?;
        let has_property_length = properties.is_some();
        let auth = Self {
            reason_code,
            properties: properties.unwrap_or_default(),
        };
        if auth.has_what_it_needs() && !(has_property_length && auth.properties.is_empty()) {
            return Ok(auth);
        }
        // Section 3.15.2.2.2.
        let kind = ErrorKind::MissingAuthenticationMethod;
        Err(reader.fault(Field::AuthenticationMethod, kind, reader.offset()))
    }
}

impl<B: AsRef<[u8]>> PacketBody for Auth<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0xf0 // [MQTT5-3.15.1-1]
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        if !self.has_what_it_needs() {
            return Err(EncodeError::MissingAuthenticationMethod);
        }
        write_reason(self.reason_code.number(), &self.properties, out)
    }
}

impl<B: AsRef<[u8]>> Encode for Auth<B> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Text;
    use crate::v5::testing::{decoded, encoded, fault, round_trip};
    use crate::v5::{Properties, Property};

    const NOTHING: Auth<&[u8]> = Auth {
        reason_code: AuthReasonCode::Success,
        properties: Properties::EMPTY,
    };

    #[test]
    fn an_auth_with_a_method_is_these_bytes() {
        let mut buffer = [0; 16];
        let properties = [
            Property::AuthenticationMethod(Text::new("M").unwrap()),
            Property::AuthenticationData(b"\x00\xff"),
        ];
        let auth = Auth {
            reason_code: AuthReasonCode::ContinueAuthentication,
            properties: AuthProperties::encode_to_slice(&mut buffer, properties).unwrap(),
        };
        round_trip(auth, b"\xf0\x0b\x18\x09\x15\x00\x01M\x16\x00\x02\x00\xff");
    }

    #[test]
    fn success_without_properties_is_an_auth_without_anything() {
        round_trip(NOTHING, b"\xf0\x00");
        assert_eq!(decoded(b"\xf0\x01\x00"), NOTHING.into());
    }

    #[test]
    fn every_other_auth_needs_a_method() {
        for bytes in [
            &b"\xf0\x01\x18"[..],
            b"\xf0\x02\x00\x00",
            b"\xf0\x02\x19\x00",
            b"\xf0\x06\x00\x04\x1f\x00\x01r",
        ] {
            assert_eq!(
                fault(bytes),
                (
                    ErrorKind::MissingAuthenticationMethod,
                    Field::AuthenticationMethod,
                    bytes.len(),
                    None
                )
            );
        }
        let auth = Auth {
            reason_code: AuthReasonCode::ReAuthenticate,
            ..NOTHING
        };
        assert_eq!(
            encoded(&auth),
            Err(EncodeError::MissingAuthenticationMethod)
        );
    }
}
