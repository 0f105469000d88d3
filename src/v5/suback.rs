//! SUBACK (section 3.9), and the part that UNSUBACK (section 3.11) shares: everything except the
//! Reason Codes.

use core::fmt;
use core::marker::PhantomData;

use super::{AckProperties, DecodeError, Properties, SubscribeReasonCode};
use crate::packet::{Entry, List, read_packet_id};
use crate::types::PacketId;
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, Output, PacketBody, PacketType, ReadError, Reader,
};

/// SUBACK: the server's answer to SUBSCRIBE (section 3.9).
pub type SubAck<B> = RequestAck<B, SubscribeReasonCode>;

/// The Reason Codes of [`SubAck`].
pub type SubscribeReasonCodes<B> = ReasonCodes<B, SubscribeReasonCode>;

impl ListedReasonCode for SubscribeReasonCode {
    const PACKET_TYPE: PacketType = PacketType::SubAck;
    const NAME: &'static str = "SubAck";
    const FIRST_BYTE: u8 = 0x90;

    #[inline]
    fn from_number(number: u8) -> Option<Self> {
        Self::from_number(number) // [MQTT5-3.9.3-2]
    }

    #[inline]
    fn number(self) -> u8 {
        self.number()
    }
}

/// SUBACK or UNSUBACK: the server's answer to SUBSCRIBE or UNSUBSCRIBE (sections 3.9 and 3.11).
///
/// ```
/// use mqtt_sansio::v5::{AckProperties, SubAck, SubscribeReasonCode, SubscribeReasonCodes};
/// use mqtt_sansio::{Encode, PacketId};
///
/// let mut buffer = [0; 2];
/// let suback = SubAck {
///     packet_id: PacketId::MIN,
///     properties: AckProperties::EMPTY,
///     reason_codes: SubscribeReasonCodes::encode_to_slice(&mut buffer, [
///         SubscribeReasonCode::GrantedQos1,
///         SubscribeReasonCode::NotAuthorized,
///     ])?,
/// };
/// assert_eq!(suback.encode_to_slice(&mut [0; 16])?, b"\x90\x05\x00\x01\x00\x01\x87");
/// # Ok::<(), mqtt_sansio::EncodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>, R: ListedReasonCode + serde::Serialize",
        deserialize = "B: AsRef<[u8]> + From<alloc::vec::Vec<u8>>, \
                       R: ListedReasonCode + serde::de::DeserializeOwned"
    ))
)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields are the standard's; a new one would be a new version of MQTT"
)]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct RequestAck<B, R> {
    /// The Packet Identifier of the request [MQTT5-2.2.1-6].
    pub packet_id: PacketId,
    /// The properties.
    pub properties: AckProperties<B>,
    /// One for each entry of the request, in its order [MQTT5-3.9.3-1, MQTT5-3.11.3-1].
    pub reason_codes: ReasonCodes<B, R>,
}

crate::packet::storage!(RequestAck[R: ListedReasonCode] {
    packet_id: value, properties: part, reason_codes: part
});

/// The payload of SUBACK or UNSUBACK.
pub type ReasonCodes<B, R> = List<B, ReasonCodeEntry<R>>;

/// Makes a [`List`] one of the Reason Codes `R`.
#[derive(Debug, Clone, Copy)]
pub struct ReasonCodeEntry<R>(PhantomData<fn() -> R>);

/// The Reason Codes of SUBACK or UNSUBACK. Implemented by this crate's enums only.
pub trait ListedReasonCode: Copy + fmt::Debug + 'static {
    /// The packet.
    #[doc(hidden)]
    const PACKET_TYPE: PacketType;

    /// The name of the packet in Rust.
    #[doc(hidden)]
    const NAME: &'static str;

    /// Packet type and flags.
    #[doc(hidden)]
    const FIRST_BYTE: u8;

    #[doc(hidden)]
    fn from_number(number: u8) -> Option<Self>;

    #[doc(hidden)]
    fn number(self) -> u8;
}

impl<R: ListedReasonCode> Entry for ReasonCodeEntry<R> {
    type Item<'a> = R;
    const PACKET_TYPE: PacketType = R::PACKET_TYPE;
    const FIELD: Field = Field::ReasonCode;

    #[expect(private_interfaces, private_bounds, reason = "as in the trait")]
    #[inline]
    fn read<F: ReadError>(reader: &mut Reader<'_, F>) -> Result<R, F> {
        match R::from_number(reader.u8(Field::ReasonCode)?) {
            Some(code) => Ok(code),
            None => Err(reader.fault_in_last(Field::ReasonCode, ErrorKind::InvalidReasonCode)),
        }
    }

    #[inline]
    fn write<O: Output + ?Sized>(item: R, out: &mut O) -> Result<(), EncodeError> {
        out.put(&[item.number()])
    }
}

impl<'a, R: ListedReasonCode> RequestAck<&'a [u8], R> {
    pub(super) fn read(reader: &mut Reader<'a, DecodeError>) -> Result<Self, DecodeError> {
        Ok(Self {
            packet_id: read_packet_id(reader)?,
            properties: Properties::read(reader)?,
            // As many as the request of this client had filters.
            reason_codes: List::read(reader, u32::MAX)?,
        })
    }
}

impl<B: AsRef<[u8]>, R: ListedReasonCode> PacketBody for RequestAck<B, R> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        R::FIRST_BYTE
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        self.properties.write(out)
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.reason_codes.as_bytes()
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        self.properties.likely_len().wrapping_add(2)
    }
}

impl<B: AsRef<[u8]>, R: ListedReasonCode> Encode for RequestAck<B, R> {}

impl<B: AsRef<[u8]>, R: ListedReasonCode> fmt::Debug for RequestAck<B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(R::NAME)
            .field("packet_id", &self.packet_id)
            .field("properties", &self.properties)
            .field("reason_codes", &self.reason_codes)
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>, R: ListedReasonCode + defmt::Format> defmt::Format for RequestAck<B, R> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "{=str} {{ packet_id: {}, properties: {}, reason_codes: {} }}",
            R::NAME,
            self.packet_id,
            self.properties,
            self.reason_codes
        );
    }
}
