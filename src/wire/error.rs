//! The faults of bytes that a peer sent.

use core::marker::PhantomData;

use crate::wire::{Field, Header, PacketSet, PacketType};

/// The kind of a fault, without its place: see [`DecodeError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ErrorKind {
    /// Packet types 0 and 15 are reserved (Table 2.1).
    #[error("packet types 0 and 15 are reserved")]
    ReservedPacketType,
    /// The flags of the fixed header differ from Table 2.2.
    #[error("the reserved flag bits differ from those that the standard prescribes")]
    InvalidFlags,
    /// PUBLISH with both QoS bits set.
    #[error("QoS 3 does not exist")]
    InvalidQos,
    /// PUBLISH at QoS 0 with DUP set.
    #[error("DUP must be 0 at QoS 0")]
    DupAtQos0,
    /// The fourth byte of Remaining Length announces a fifth.
    #[error("Remaining Length has at most four bytes")]
    RemainingLengthTooLong,
    /// Remaining Length has more bytes than its value needs. MQTT 3.1.1 refuses it only with
    /// [`Options::refuse_overlong_remaining_length`](crate::Options::refuse_overlong_remaining_length).
    #[error("Remaining Length is written with more bytes than it needs")]
    RemainingLengthNotMinimal,
    /// The packet is larger than this decoder accepts: the smaller of
    /// [`Options::max_packet_size`](crate::Options::max_packet_size) and the decoder's buffer. With
    /// payloads in pieces: the part before the payload is, or the packet exceeds
    /// [`Options::max_publish_size`](crate::Options::max_publish_size). A limit of this receiver,
    /// not a fault by the standard.
    ///
    /// [`DecodeError::packet_size`] returns its size. If the peer sends it again on the next
    /// connection, raise the limit, or set
    /// [`Options::payloads_in_pieces`](crate::Options::payloads_in_pieces) or
    /// [`Options::skip_large_messages`](crate::Options::skip_large_messages).
    #[error("the packet is larger than this receiver takes")]
    PacketTooLarge,
    /// More filters in one packet than
    /// [`Options::max_filters`](crate::Options::max_filters) allows. A limit of this receiver.
    #[error("more Topic Filters in one packet than this receiver takes")]
    TooManyFilters,
    /// The heap had no memory for the packet.
    #[error("there is no memory for the packet")]
    OutOfMemory,
    /// The packet ends within the field.
    #[error("the packet ends before this field does")]
    Truncated,
    /// Bytes follow the last field.
    #[error("bytes follow the last field")]
    TrailingBytes,
    /// Not well-formed UTF-8: overlong, a surrogate, above U+10FFFF, or truncated.
    #[error("not well-formed UTF-8")]
    InvalidUtf8,
    /// A string that contains U+0000.
    #[error("strings must not contain U+0000")]
    NullCharacter,
    /// A string of more than 65,535 bytes, the maximum of its two-byte length.
    #[error("a string has at most 65535 bytes")]
    TooLong,
    /// An empty Topic Name or Topic Filter.
    #[error("at least one character is needed")]
    EmptyTopic,
    /// `+` or `#` in a Topic Name.
    #[error("wildcards belong to Topic Filters, not to Topic Names")]
    WildcardInTopicName,
    /// `#` not alone in its level, or not last.
    #[error("'#' must be the last character and alone in its level")]
    MisplacedMultiLevelWildcard,
    /// `+` not alone in its level.
    #[error("'+' must be alone in its level")]
    MisplacedSingleLevelWildcard,
    /// A Shared Subscription with an empty share name.
    #[error("a share name has at least one character")]
    EmptyShareName,
    /// `+` or `#` in the share name of a Shared Subscription.
    #[error("a share name must not contain '+' or '#'")]
    WildcardInShareName,
    /// A Shared Subscription that ends before its Topic Filter.
    #[error("a share name is followed by '/' and a Topic Filter")]
    MissingSharedFilter,
    /// Packet Identifier 0.
    #[error("Packet Identifier 0 is not allowed")]
    ZeroPacketIdentifier,
    /// A Protocol Name other than `MQTT` and `MQIsdp`.
    #[error("the peer does not speak MQTT")]
    UnknownProtocolName,
    /// A Protocol Level that does not belong to the Protocol Name: not 4 for `MQTT`, not 3 for
    /// `MQIsdp`.
    #[error("this Protocol Level is not supported")]
    UnsupportedProtocolLevel,
    /// Bit 0 of the Connect Flags is set.
    #[error("the reserved Connect Flag must be 0")]
    ReservedConnectFlag,
    /// Will QoS is not 0 although the Will Flag is 0.
    #[error("Will QoS must be 0 without a Will")]
    WillQosWithoutWill,
    /// Will Retain is set although the Will Flag is 0.
    #[error("Will Retain must be 0 without a Will")]
    WillRetainWithoutWill,
    /// Will QoS 3.
    #[error("Will QoS 3 does not exist")]
    InvalidWillQos,
    /// The Password Flag is set although the User Name Flag is 0.
    #[error("a Password needs a User Name")]
    PasswordWithoutUserName,
    /// An empty Client Identifier with Clean Session 0, or in MQTT 3.1.
    #[error("an empty Client Identifier needs Clean Session 1 and MQTT 3.1.1")]
    ClientIdentifierRequired,
    /// A reserved bit of the Connect Acknowledge Flags is set.
    #[error("the reserved bits must be 0")]
    ReservedAcknowledgeFlags,
    /// A Connect Return Code above 5.
    #[error("this Connect Return Code does not exist")]
    InvalidConnectReturnCode,
    /// Session Present is set although the connection was refused.
    #[error("Session Present must be 0 when the connection is refused")]
    SessionPresentWithRefusal,
    /// SUBSCRIBE or UNSUBSCRIBE without a Topic Filter, or SUBACK without a Return Code.
    #[error("at least one entry is needed")]
    EmptyList,
    /// A Requested QoS above 2, or with a reserved bit set.
    #[error("Requested QoS is 0, 1 or 2")]
    InvalidRequestedQos,
    /// A Return Code other than 0, 1, 2 and 0x80.
    #[error("this Return Code does not exist")]
    InvalidReturnCode,
    /// The fourth byte of a Variable Byte Integer announces a fifth.
    #[error("a Variable Byte Integer has at most four bytes")]
    VariableByteIntegerTooLong,
    /// A Variable Byte Integer has more bytes than its value needs.
    #[error("a Variable Byte Integer is written with more bytes than it needs")]
    VariableByteIntegerNotMinimal,
    /// A Property Identifier that MQTT 5 does not define.
    #[error("this Property Identifier does not exist")]
    UnknownProperty,
    /// A property that this packet cannot have.
    #[error("this packet cannot have this property")]
    MisplacedProperty,
    /// A second property of a kind that may occur once.
    #[error("this property comes a second time")]
    RepeatedProperty,
    /// A value that its field cannot have: 0 where that is excluded, or neither 0 nor 1.
    #[error("this value is not allowed here")]
    ValueOutOfRange,
    /// Authentication Data, or an AUTH, without an Authentication Method.
    #[error("an Authentication Method is needed")]
    MissingAuthenticationMethod,
    /// A Reason Code that this packet cannot have.
    #[error("this packet cannot have this Reason Code")]
    InvalidReasonCode,
    /// A reserved bit of the Subscription Options is set.
    #[error("the reserved Subscription Options must be 0")]
    ReservedSubscriptionOptions,
    /// Retain Handling 3.
    #[error("Retain Handling 3 does not exist")]
    InvalidRetainHandling,
    /// No Local on a Shared Subscription.
    #[error("a Shared Subscription cannot have No Local")]
    NoLocalOnSharedSubscription,
}

/// The fault of a string that is not a valid [`Text`](crate::Text), [`TopicName`](crate::TopicName)
/// or [`TopicFilter`](crate::TopicFilter).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("{kind} (at byte {offset} of the string)")]
pub struct TextError {
    kind: ErrorKind,
    offset: usize,
}

impl TextError {
    pub(crate) const fn new(kind: ErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// Returns the kind of the fault.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the number of bytes of the string before the fault.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the normative statement that the string violates, in the numbering of the version
    /// `V`. A string that is too long has the statement about topics: the limit of other strings
    /// has no number.
    #[must_use]
    pub fn statement<V: PacketSet>(&self) -> Option<&'static str> {
        V::statement(None, None, self.kind)
    }
}

/// A fault in bytes that a peer sent, found while decoding the version `V` of MQTT. The stream
/// cannot be decoded any further.
///
/// Has eight bytes, and is `Copy`. `Display` prints one sentence with packet, field, fault and
/// offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}{field}: {kind} ({})", packet_prefix(.packet_type), shown_place(value(*.kind, *.packet_type, *.byte), .kind, *.place))]
pub struct DecodeError<V> {
    /// The offset, or for [`Self::packet_size`] the size.
    place: u32,
    kind: ErrorKind,
    field: Field,
    packet_type: Option<PacketType>,
    /// The offending byte.
    byte: u8,
    version: PhantomData<fn() -> V>,
}

#[cfg(feature = "defmt")]
impl<V> defmt::Format for DecodeError<V> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "DecodeError {{ place: {=u32}, kind: {}, field: {}, packet_type: {} }}",
            self.place,
            self.kind,
            self.field,
            self.packet_type
        );
    }
}

const fn packet_prefix(packet_type: &Option<PacketType>) -> PacketPrefix {
    PacketPrefix(*packet_type)
}

/// Returns true if an error of this kind has the packet's size. Its offset is always the same.
const fn has_size(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PacketTooLarge | ErrorKind::OutOfMemory)
}

/// [`DecodeError::value`]
const fn value(kind: ErrorKind, packet_type: Option<PacketType>, byte: u8) -> Option<u8> {
    match (kind, packet_type) {
        (
            ErrorKind::ReservedPacketType
            | ErrorKind::InvalidFlags
            | ErrorKind::UnsupportedProtocolLevel
            | ErrorKind::InvalidRequestedQos
            | ErrorKind::InvalidConnectReturnCode
            | ErrorKind::InvalidReturnCode
            | ErrorKind::InvalidReasonCode,
            _,
        ) => Some(byte),
        (ErrorKind::TrailingBytes, Some(PacketType::Disconnect)) if byte != 0 => Some(byte),
        _ => None,
    }
}

const fn shown_place(value: Option<u8>, kind: &ErrorKind, place: u32) -> Place {
    Place {
        value,
        kind: *kind,
        place,
    }
}

struct Place {
    value: Option<u8>,
    kind: ErrorKind,
    place: u32,
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if let Some(value) = self.value {
            write!(f, "0x{value:02x} ")?;
        }
        if has_size(self.kind) {
            write!(f, "{} bytes", self.place)
        } else {
            write!(f, "at byte {} of the packet", self.place)
        }
    }
}

struct PacketPrefix(Option<PacketType>);

impl core::fmt::Display for PacketPrefix {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(packet_type) => write!(f, "{packet_type} "),
            None => Ok(()),
        }
    }
}

impl<V: PacketSet> DecodeError<V> {
    #[cold]
    #[inline(never)]
    pub(crate) fn new(
        packet_type: Option<PacketType>,
        field: Field,
        kind: ErrorKind,
        offset: usize,
    ) -> Self {
        Self {
            // A packet has at most 268,435,460 bytes, so the conversion never saturates.
            place: u32::try_from(offset).unwrap_or(u32::MAX),
            kind,
            field,
            packet_type,
            byte: 0,
            version: PhantomData,
        }
    }

    /// Returns the fault of a packet that exceeds this receiver's limit or memory. The offset is
    /// that of Remaining Length.
    #[cold]
    pub(crate) fn of_size(header: &Header, kind: ErrorKind) -> Self {
        Self::new(
            header.packet_type(),
            Field::RemainingLength,
            kind,
            header.packet_len(),
        )
    }

    /// Returns the same fault, with its byte. `frame` is the packet, or the start of it.
    #[cold]
    pub(crate) fn with_byte_of(mut self, frame: &[u8]) -> Self {
        if value(self.kind, self.packet_type, u8::MAX).is_some() {
            self.byte = frame.get(self.offset()).copied().unwrap_or_default();
        }
        self
    }

    /// Returns the fault of a packet type that the version reserves.
    #[cold]
    pub(crate) fn reserved_packet_type() -> Self {
        Self::new(None, Field::PacketType, ErrorKind::ReservedPacketType, 0)
    }

    /// Returns the kind of the fault.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the field with the fault.
    #[must_use]
    pub const fn field(&self) -> Field {
        self.field
    }

    /// Returns the type of the packet with the fault, or `None` if the type itself is reserved.
    #[must_use]
    pub const fn packet_type(&self) -> Option<PacketType> {
        self.packet_type
    }

    /// Returns the offset of the first offending byte, counted from the first byte of the packet's
    /// fixed header. For a field that exceeds its packet: the start of the field.
    #[must_use]
    pub const fn offset(&self) -> usize {
        if has_size(self.kind) {
            1
        } else {
            self.place as usize
        }
    }

    /// Returns the size of the packet in bytes, fixed header included, if it exceeds this receiver's
    /// limit ([`ErrorKind::PacketTooLarge`]) or memory ([`ErrorKind::OutOfMemory`]).
    #[must_use]
    pub const fn packet_size(&self) -> Option<u32> {
        if has_size(self.kind) {
            Some(self.place)
        } else {
            None
        }
    }

    /// Returns the invalid value, if the fault is the value of one byte: the first byte of a packet with a
    /// reserved type or invalid flags, a Protocol Level, a Requested QoS, a return or Reason Code.
    ///
    /// For a DISCONNECT of MQTT 3.1.1 that is not empty, it is the byte at the position of the
    /// Reason Code in MQTT 5.
    #[must_use]
    pub const fn value(&self) -> Option<u8> {
        value(self.kind, self.packet_type, self.byte)
    }

    /// Returns the normative statement that the fault breaks, for example `MQTT-3.8.3-4`, in the
    /// numbering of the version `V`. Returns `None` if the standard gives the rule no number, and
    /// for limits of this receiver.
    #[must_use]
    pub fn statement(&self) -> Option<&'static str> {
        V::statement(self.packet_type, Some(self.field), self.kind)
    }

    /// Returns the reaction that the standard requires of the receiver.
    #[must_use]
    pub fn reaction(&self) -> V::Reaction {
        V::reaction(self)
    }
}

#[cfg(test)]
mod tests;
