//! CONNECT as a [`Packet`](super::Packet) holds it: validated, with its payload still encoded. The
//! payload has up to five strings and a second list of properties, which would double the size of
//! every packet.

use super::connect::{PROTOCOL_LEVEL, PROTOCOL_NAME, VariableHeader};
use super::{Connect, ConnectProperties, DecodeError, Properties, Reader, Will};
use crate::packet::connect_flags::{CLEAN, PASSWORD, USER_NAME, read_connect_flags, will};
use crate::packet::read_checked;
use crate::types::Text;
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, Output, PacketBody, ReadError, SliceOutput,
};

/// A [`Connect`] with its payload still encoded, as a [`Packet`](super::Packet) holds it. `B` is
/// where the bytes live. The fields have been validated, so [`to_connect`](Self::to_connect) cannot
/// fail.
///
/// ```
/// use mqtt_sansio::{Options, v5::{self, Packet}};
///
/// let mut src = &b"\x10\x15\x00\x04MQTT\x05\x82\x00\x3c\x00\x00\x03dev\x00\x03ann"[..];
/// let Some(Packet::Connect(connect)) = v5::decode(&mut src, &Options::new())? else { panic!() };
/// let fields = connect.to_connect();
/// assert_eq!(fields.client_id, "dev");
/// assert_eq!(fields.keep_alive, 60);
/// assert_eq!(fields.user_name.unwrap(), "ann");
/// # Ok::<(), mqtt_sansio::v5::DecodeError>(())
/// ```
///
/// To send a CONNECT, encode the [`Connect`]. This type is for code that handles any packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct EncodedConnect<B> {
    header: VariableHeader,
    properties: ConnectProperties<B>,
    payload: B,
}

crate::packet::storage!(EncodedConnect {
    header: value,
    properties: part,
    payload: bytes
});

impl<B: AsRef<[u8]>> EncodedConnect<B> {
    /// Returns the fields of the CONNECT. Each call reads the payload again.
    #[must_use]
    #[inline]
    pub fn to_connect(&self) -> Connect<&[u8]> {
        // By value, so that the packet can stay in registers.
        fields(self.header, self.properties.as_ref(), self.payload.as_ref())
    }

    /// Returns the properties, without reading the payload.
    #[must_use]
    #[inline]
    pub fn properties(&self) -> ConnectProperties<&[u8]> {
        self.properties.as_ref()
    }
}

#[inline(never)]
fn fields<'a>(
    header: VariableHeader,
    properties: ConnectProperties<&'a [u8]>,
    payload: &'a [u8],
) -> Connect<&'a [u8]> {
    let payload = header.read_payload(&mut Reader::again(payload));
    // The payload has been validated, so this is never an error.
    let payload = payload.unwrap_or_default();
    Connect {
        clean_start: header.flags & CLEAN != 0,
        keep_alive: header.keep_alive,
        properties,
        client_id: payload.client_id,
        will: payload.will,
        user_name: payload.user_name,
        password: payload.password,
    }
}

impl<'b> EncodedConnect<&'b [u8]> {
    /// Encodes properties and payload into a caller's buffer.
    ///
    /// # Errors
    ///
    /// As for encoding the [`Connect`] itself. [`EncodeError::NoRoom`] if the buffer is too small;
    /// the length of the whole CONNECT always suffices.
    pub fn encode_to_slice<B: AsRef<[u8]>>(
        buffer: &'b mut [u8],
        connect: &Connect<B>,
    ) -> Result<Self, EncodeError> {
        let header = VariableHeader::of(connect);
        let properties = connect.properties.as_bytes();
        let mut out = SliceOutput::new(buffer);
        out.reserve(connect.payload_len()?.saturating_add(properties.len()))?;
        out.put(properties)?;
        connect.write_payload(&mut out)?;
        let written: &[u8] = out.into_written();
        let (properties, payload) = written
            .split_at_checked(properties.len())
            .unwrap_or_default();
        Ok(Self {
            header,
            properties: Properties::from_valid(properties),
            payload,
        })
    }
}

#[cfg(feature = "alloc")]
impl EncodedConnect<alloc::vec::Vec<u8>> {
    /// Encodes the payload to a new vector (feature `alloc`).
    ///
    /// # Errors
    ///
    /// As for encoding the [`Connect`] itself.
    pub fn encode_to_vec<B: AsRef<[u8]>>(connect: &Connect<B>) -> Result<Self, EncodeError> {
        let mut payload = alloc::vec::Vec::with_capacity(connect.payload_len()?);
        connect.write_payload(&mut payload)?;
        Ok(Self {
            header: VariableHeader::of(connect),
            properties: connect.properties.to_owned(),
            payload,
        })
    }
}

impl<'a> EncodedConnect<&'a [u8]> {
    /// [MQTT5-3.1.4-1]
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        read_protocol(reader)?;
        let header = VariableHeader {
            flags: read_connect_flags(reader, 0)?,
            keep_alive: reader.u16(Field::KeepAlive)?,
        };
        let properties = Properties::read(reader)?;
        let payload = reader.clone().remaining();
        let fields = header.read_payload(reader)?;
        // Bytes left over would be a field whose flag is 0 [MQTT5-3.1.2-16, MQTT5-3.1.2-18], if
        // there is one that could follow.
        reader.finish(match fields {
            PayloadFields {
                password: Some(_), ..
            } => Field::Payload,
            PayloadFields {
                user_name: Some(_), ..
            } => Field::Password,
            PayloadFields { will: Some(_), .. } => Field::UserName,
            _ => Field::WillTopic,
        })?;
        Ok(Self {
            header,
            properties,
            payload,
        })
    }
}

impl<B: AsRef<[u8]>> PacketBody for EncodedConnect<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0x10
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        self.header.write(out)?;
        self.properties.write(out)
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.payload.as_ref()
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        self.properties.likely_len().wrapping_add(10)
    }
}

impl<B: AsRef<[u8]>> Encode for EncodedConnect<B> {}

/// The fields of the payload (section 3.1.3).
#[derive(Default)]
struct PayloadFields<'a> {
    client_id: Text<&'a [u8]>,
    will: Option<Will<&'a [u8]>>,
    user_name: Option<Text<&'a [u8]>>,
    password: Option<&'a [u8]>,
}

impl VariableHeader {
    /// Reads the payload, in the order of [MQTT5-3.1.3-1].
    fn read_payload<'a, F: ReadError>(
        &self,
        reader: &mut crate::wire::Reader<'a, F>,
    ) -> Result<PayloadFields<'a>, F> {
        let flags = self.flags;
        let client_id = read_checked(reader, Field::ClientIdentifier)?; // [MQTT5-3.1.3-3, MQTT5-3.1.3-4]
        let will = match will(flags) {
            // [MQTT5-3.1.2-9, MQTT5-3.1.3-11]
            Some((qos, retain)) => Some(Will {
                properties: Properties::read(reader)?,
                topic: read_checked(reader, Field::WillTopic)?,
                payload: reader.bytes(Field::WillPayload)?,
                qos,
                retain,
            }),
            None => None,
        };
        let user_name = if flags & USER_NAME != 0 {
            Some(read_checked(reader, Field::UserName)?) // [MQTT5-3.1.2-17, MQTT5-3.1.3-12]
        } else {
            None
        };
        let password = if flags & PASSWORD != 0 {
            Some(reader.bytes(Field::Password)?) // [MQTT5-3.1.2-19]
        } else {
            None
        };
        Ok(PayloadFields {
            client_id,
            will,
            user_name,
            password,
        })
    }
}

/// Reads Protocol Name and Protocol Level. The fields after them are not read unless both are those
/// of MQTT 5, because their layout may differ.
fn read_protocol(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    let name_offset = reader.offset();
    let name: Text<&[u8]> = read_checked(reader, Field::ProtocolName)?;
    if name != PROTOCOL_NAME {
        // [MQTT5-3.1.2-1]
        let kind = ErrorKind::UnknownProtocolName;
        return Err(reader.fault(Field::ProtocolName, kind, name_offset));
    }
    if reader.u8(Field::ProtocolLevel)? != PROTOCOL_LEVEL {
        // [MQTT5-3.1.2-2]
        let kind = ErrorKind::UnsupportedProtocolLevel;
        return Err(reader.fault_in_last(Field::ProtocolLevel, kind));
    }
    Ok(())
}
