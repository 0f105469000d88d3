//! CONNECT as a [`Packet`](super::Packet) holds it: validated, with its payload still encoded. The
//! payload has up to five strings, which would double the size of every packet.

use super::connect::VariableHeader;
use super::{Connect, Credentials, ProtocolLevel, Will};
use crate::packet::connect_flags::{
    CLEAN, PASSWORD, UNUSED_IN_3_1, USER_NAME, WILL_QOS, read_connect_flags, will,
};
use crate::packet::read_checked;
use crate::types::Text;
use crate::v3::{DecodeError, Reader};
use crate::wire::{
    Encode, EncodeError, ErrorKind, Field, Options, Output, PacketBody, ReadError, SliceOutput,
};

/// A [`Connect`] with its payload still encoded, as a [`Packet`](super::Packet) holds it. `B` is where
/// the bytes live. The fields have been validated, so [`to_connect`](Self::to_connect) cannot fail.
///
/// ```
/// use mqtt_sansio::{Options, v3::{self, Packet}};
///
/// let mut src = &b"\x10\x14\x00\x04MQTT\x04\x82\x00\x3c\x00\x03dev\x00\x03ann"[..];
/// let Some(Packet::Connect(connect)) = v3::decode(&mut src, &Options::new())? else { panic!() };
/// let fields = connect.to_connect();
/// assert_eq!(fields.client_id, "dev");
/// assert_eq!(fields.keep_alive, 60);
/// assert_eq!(fields.credentials.unwrap().user_name, "ann");
/// # Ok::<(), mqtt_sansio::v3::DecodeError>(())
/// ```
///
/// To send a CONNECT, encode the [`Connect`]. This type is for code that handles any packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct EncodedConnect<B> {
    header: VariableHeader,
    payload: B,
}

crate::packet::storage!(EncodedConnect {
    header: value,
    payload: bytes
});

impl<B: AsRef<[u8]>> EncodedConnect<B> {
    /// Returns the fields of the CONNECT. Each call reads the payload again.
    #[must_use]
    #[inline]
    pub fn to_connect(&self) -> Connect<&[u8]> {
        // By value, so that the packet can stay in registers.
        fields(self.header, self.payload.as_ref())
    }
}

#[inline(never)]
fn fields(header: VariableHeader, payload: &[u8]) -> Connect<&[u8]> {
    let (client_id, will, credentials) = header
        .read_payload(&mut Reader::again(payload))
        // The payload has been validated, so this is never an error.
        .unwrap_or((Text::EMPTY, None, None));
    Connect {
        protocol_level: header.protocol_level,
        clean_session: header.flags & CLEAN != 0,
        keep_alive: header.keep_alive,
        client_id,
        will,
        credentials,
    }
}

impl<'b> EncodedConnect<&'b [u8]> {
    /// Encodes the payload into a caller's buffer.
    ///
    /// ```
    /// use mqtt_sansio::{Encode, Text, v3::{Connect, EncodedConnect, Packet}};
    ///
    /// let connect = Connect::new(Text::new("dev")?);
    /// let mut buffer = [0; 64];
    /// let packet = Packet::from(EncodedConnect::encode_to_slice(&mut buffer, &connect)?);
    /// assert_eq!(packet.encode_to_slice(&mut [0; 64])?, connect.encode_to_slice(&mut [0; 64])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for encoding the [`Connect`] itself. [`EncodeError::NoRoom`] if the buffer is too small;
    /// the length of the whole CONNECT always suffices.
    pub fn encode_to_slice<B: AsRef<[u8]>>(
        buffer: &'b mut [u8],
        connect: &Connect<B>,
    ) -> Result<Self, EncodeError> {
        let header = connect.variable_header()?;
        let mut out = SliceOutput::new(buffer);
        out.reserve(connect.payload_len()?)?;
        connect.write_payload(&mut out)?;
        let payload = out.into_written();
        Ok(Self { header, payload })
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
        let header = connect.variable_header()?;
        let mut payload = alloc::vec::Vec::with_capacity(connect.payload_len()?);
        connect.write_payload(&mut payload)?;
        Ok(Self { header, payload })
    }
}

impl<'a> EncodedConnect<&'a [u8]> {
    pub(super) fn read(reader: &mut Reader<'a>, options: &Options) -> Result<Self, DecodeError> {
        let mut header = VariableHeader::read(reader, options)?;
        if header.protocol_level == ProtocolLevel::V3_1 {
            header.drop_missing_credentials(reader.clone());
        }
        let client_id_offset = reader.offset();
        let payload = reader.clone().remaining();
        let (client_id, will, credentials) = header.read_payload(reader)?;
        // Bytes left over would be a field whose flag is 0 [MQTT-3.1.2-11, -18, -20], if there is
        // only one that could follow.
        reader.finish(match (&will, &credentials) {
            (
                _,
                Some(Credentials {
                    password: Some(_), ..
                }),
            ) => Field::Payload,
            (_, Some(_)) => Field::Password,
            (Some(_), None) => Field::UserName,
            // That could be a Will Topic or a User Name: the flags announce neither.
            (None, None) => Field::ConnectFlags,
        })?;
        // Checked last, although it is the first field: this fault is answered with a CONNACK,
        // which a CONNECT with any other fault must not get [MQTT-3.1.4-1].
        if client_id.as_bytes().is_empty() && !header.allows_empty_client_id() {
            // [MQTT-3.1.3-8]
            return Err(reader.fault(
                Field::ClientIdentifier,
                ErrorKind::ClientIdentifierRequired,
                client_id_offset,
            ));
        }
        Ok(Self { header, payload })
    }
}

impl<B: AsRef<[u8]>> PacketBody for EncodedConnect<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0x10
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        self.header.write(out)
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.payload.as_ref()
    }
}

impl<B: AsRef<[u8]>> Encode for EncodedConnect<B> {}

/// Client Identifier, Will, and User Name with Password (section 3.1.3).
type Payload<B> = (Text<B>, Option<Will<B>>, Option<Credentials<B>>);

impl VariableHeader {
    fn read(reader: &mut Reader<'_>, options: &Options) -> Result<Self, DecodeError> {
        let protocol_level = read_protocol(reader, options)?;
        let ignored = match protocol_level {
            ProtocolLevel::V3_1 => UNUSED_IN_3_1,
            ProtocolLevel::V3_1_1 if options.accepts_will_qos_without_will() => WILL_QOS,
            ProtocolLevel::V3_1_1 => 0,
        };
        let flags = read_connect_flags(reader, ignored)?;
        if flags & (USER_NAME | PASSWORD) == PASSWORD {
            // [MQTT-3.1.2-22]
            let kind = ErrorKind::PasswordWithoutUserName;
            return Err(reader.fault_in_last(Field::ConnectFlags, kind));
        }
        let keep_alive = reader.u16(Field::KeepAlive)?;
        Ok(Self {
            protocol_level,
            flags,
            keep_alive,
        })
    }

    /// In MQTT 3.1 a User Name or Password may be missing although its flag is 1; the connection then
    /// continues without it. `reader` is at the payload.
    fn drop_missing_credentials(&mut self, mut reader: Reader<'_>) {
        let mut skip = |field| reader.bytes(field).map(|_| reader.is_empty());
        let mut is_end = skip(Field::ClientIdentifier);
        if will(self.flags).is_some() {
            is_end = skip(Field::WillTopic).and_then(|_| skip(Field::WillMessage));
        }
        if matches!(is_end, Ok(true)) {
            self.flags &= !(USER_NAME | PASSWORD);
        } else if matches!(skip(Field::UserName), Ok(true)) {
            self.flags &= !PASSWORD;
        }
    }

    /// Reads the payload, in the order of [MQTT-3.1.3-1].
    fn read_payload<'a, F: ReadError>(
        &self,
        reader: &mut Reader<'a, F>,
    ) -> Result<Payload<&'a [u8]>, F> {
        let flags = self.flags;
        let client_id = read_checked(reader, Field::ClientIdentifier)?; // [MQTT-3.1.3-3, -4]
        let will = match will(flags) {
            // [MQTT-3.1.2-9, MQTT-3.1.3-10]
            Some((qos, retain)) => Some(Will {
                topic: read_checked(reader, Field::WillTopic)?,
                message: reader.bytes(Field::WillMessage)?,
                qos,
                retain,
            }),
            None => None,
        };
        let credentials = if flags & USER_NAME != 0 {
            Some(Credentials {
                user_name: read_checked(reader, Field::UserName)?, // [MQTT-3.1.2-19, MQTT-3.1.3-11]
                password: if flags & PASSWORD != 0 {
                    Some(reader.bytes(Field::Password)?) // [MQTT-3.1.2-21]
                } else {
                    None
                },
            })
        } else {
            None
        };
        Ok((client_id, will, credentials))
    }
}

/// The bit of Protocol Level that bridges set.
const BRIDGE: u8 = 0x80;

/// Reads Protocol Name and Protocol Level. The fields after them are not read unless both are
/// known, because their layout may differ.
fn read_protocol(reader: &mut Reader<'_>, options: &Options) -> Result<ProtocolLevel, DecodeError> {
    let name_offset = reader.offset();
    let expected = match reader.bytes(Field::ProtocolName)? {
        b"MQTT" => ProtocolLevel::V3_1_1,
        b"MQIsdp" => ProtocolLevel::V3_1,
        _ => {
            // [MQTT-3.1.2-1]
            let kind = ErrorKind::UnknownProtocolName;
            return Err(reader.fault(Field::ProtocolName, kind, name_offset));
        }
    };
    let level = match reader.u8(Field::ProtocolLevel)? {
        level if options.accepts_bridge_levels() => level & !BRIDGE,
        level => level,
    };
    if level != expected.number() {
        // [MQTT-3.1.2-2]
        let kind = ErrorKind::UnsupportedProtocolLevel;
        return Err(reader.fault_in_last(Field::ProtocolLevel, kind));
    }
    Ok(expected)
}
