//! AUTH (section 3.15).

use super::reason::{read_reason, write_reason};
use super::{AuthProperties, AuthReasonCode, DecodeError, Reader};
use crate::wire::{Encode, EncodeError, ErrorKind, Field, Output, PacketBody};

/// AUTH: a step of enhanced authentication, from either side (section 3.15).
///
/// It needs an Authentication Method, with one exception: section 3.15.2.1 lets success without
/// properties be an AUTH of Remaining Length 0, which is read and written although
/// section 3.15.2.2.2 calls it a Protocol Error. A connection refuses it.
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
    /// How far the authentication is.
    pub reason_code: AuthReasonCode,
    /// The properties, with an Authentication Method.
    pub properties: AuthProperties<B>,
}

impl<B> Auth<B> {
    /// Moves the bytes elsewhere. `f` must keep them as they are: what it returns is not validated
    /// again.
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> Auth<C> {
        Auth {
            reason_code: self.reason_code,
            properties: self.properties.map(f),
        }
    }
}

impl<B: AsRef<[u8]>> Auth<B> {
    /// The same, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> Auth<&[u8]> {
        Auth {
            reason_code: self.reason_code,
            properties: self.properties.as_ref(),
        }
    }

    /// Whether it can be an AUTH: with an Authentication Method, or without anything at all.
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
