//! What can be wrong with bytes that a peer sent, and what the standard says to do about it.

use crate::wire::PacketType;

/// The part of a packet that a fault was found in, named as in the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Field {
    /// The upper four bits of the first byte (section 2.2.1).
    PacketType,
    /// The lower four bits of the first byte (section 2.2.2).
    Flags,
    /// The one to four bytes that say how many more follow (section 2.2.3).
    RemainingLength,
    /// CONNECT: `MQTT`, or `MQIsdp` in MQTT 3.1 (section 3.1.2.1).
    ProtocolName,
    /// CONNECT: 4 for MQTT 3.1.1, 3 for MQTT 3.1 (section 3.1.2.2).
    ProtocolLevel,
    /// CONNECT: which fields follow (section 3.1.2.3).
    ConnectFlags,
    /// CONNECT: seconds, 0 for never (section 3.1.2.10).
    KeepAlive,
    /// CONNECT: Client Identifier (section 3.1.3.1).
    ClientIdentifier,
    /// CONNECT: Will Topic (section 3.1.3.2).
    WillTopic,
    /// CONNECT: Will Message (section 3.1.3.3).
    WillMessage,
    /// CONNECT: User Name (section 3.1.3.4).
    UserName,
    /// CONNECT: Password (section 3.1.3.5).
    Password,
    /// CONNACK: Session Present and seven reserved bits (section 3.2.2.1).
    ConnectAcknowledgeFlags,
    /// CONNACK: accepted, or why not (section 3.2.2.3).
    ConnectReturnCode,
    /// Packet Identifier (section 2.3.1).
    PacketIdentifier,
    /// PUBLISH: Topic Name (section 3.3.2.1).
    TopicName,
    /// PUBLISH: the application message (section 3.3.3). CONNECT: what follows its last field.
    Payload,
    /// SUBSCRIBE and UNSUBSCRIBE: Topic Filter (sections 3.8.3 and 3.10.3).
    TopicFilter,
    /// SUBSCRIBE: Requested QoS (section 3.8.3).
    RequestedQos,
    /// SUBACK: Return Code (section 3.9.3).
    ReturnCode,
}

impl Field {
    /// The field's name as the standard writes it, for example `Topic Filter`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PacketType => "Packet Type",
            Self::Flags => "Flags",
            Self::RemainingLength => "Remaining Length",
            Self::ProtocolName => "Protocol Name",
            Self::ProtocolLevel => "Protocol Level",
            Self::ConnectFlags => "Connect Flags",
            Self::KeepAlive => "Keep Alive",
            Self::ClientIdentifier => "Client Identifier",
            Self::WillTopic => "Will Topic",
            Self::WillMessage => "Will Message",
            Self::UserName => "User Name",
            Self::Password => "Password",
            Self::ConnectAcknowledgeFlags => "Connect Acknowledge Flags",
            Self::ConnectReturnCode => "Connect Return Code",
            Self::PacketIdentifier => "Packet Identifier",
            Self::TopicName => "Topic Name",
            Self::Payload => "Payload",
            Self::TopicFilter => "Topic Filter",
            Self::RequestedQos => "Requested QoS",
            Self::ReturnCode => "Return Code",
        }
    }
}

impl core::fmt::Display for Field {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong, without where: see [`DecodeError`].
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
    /// The fourth byte of Remaining Length says that a fifth follows.
    #[error("Remaining Length has at most four bytes")]
    RemainingLengthTooLong,
    /// Remaining Length takes more bytes than its value needs. Refused only with
    /// [`Options::refuse_overlong_remaining_length`](crate::Options::refuse_overlong_remaining_length).
    #[error("Remaining Length is written with more bytes than it needs")]
    RemainingLengthNotMinimal,
    /// The packet is larger than this decoder takes: the smaller of
    /// [`Options::max_packet_size`](crate::Options::max_packet_size) and the decoder's memory. Where
    /// payloads may come in pieces, what is before the payload is, or the packet is larger than
    /// [`Options::max_publish_size`](crate::Options::max_publish_size). A limit of this receiver, not
    /// a fault by the standard.
    #[error("the packet is larger than this receiver takes")]
    PacketTooLarge,
    /// More filters in one packet than
    /// [`Options::max_filters`](crate::Options::max_filters) allows. A limit of this receiver.
    #[error("more Topic Filters in one packet than this receiver takes")]
    TooManyFilters,
    /// The heap had no room for the packet.
    #[error("there is no memory for the packet")]
    OutOfMemory,
    /// The packet ends before the field does.
    #[error("the packet ends before this field does")]
    Truncated,
    /// Bytes are left over behind the last field.
    #[error("bytes are left over behind the last field")]
    TrailingBytes,
    /// Not well-formed UTF-8: overlong, a surrogate, above U+10FFFF, or cut short.
    #[error("not well-formed UTF-8")]
    InvalidUtf8,
    /// A string with U+0000 in it.
    #[error("strings must not contain U+0000")]
    NullCharacter,
    /// A string of more than 65,535 bytes; its length has no place on the wire.
    #[error("a string has at most 65535 bytes")]
    TooLong,
    /// A Topic Name or Topic Filter without a character.
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
    /// Packet Identifier 0.
    #[error("Packet Identifier 0 is not allowed")]
    ZeroPacketIdentifier,
    /// A Protocol Name other than `MQTT` and `MQIsdp`.
    #[error("the peer does not speak MQTT")]
    UnknownProtocolName,
    /// A Protocol Level that does not go with the Protocol Name: not 4 for `MQTT`, not 3 for
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
}

/// Why a string is not what it was taken for: a [`Text`](crate::Text), a
/// [`TopicName`](crate::TopicName) or a [`TopicFilter`](crate::TopicFilter).
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

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Where: the number of bytes of the string before the fault.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The normative statement that is broken. Of a string that is no topic and too long it is the one
    /// that says so of topics; section 1.5.3 has the same limit without a number.
    #[must_use]
    pub const fn statement(&self) -> Option<&'static str> {
        self.kind.statement()
    }
}

/// What the standard asks a receiver to do about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reaction {
    /// Close the Network Connection without sending anything (sections 3.1.4 and 4.8).
    Close,
    /// A server answers CONNACK with this return code, then closes; a client just closes.
    ConnAckThenClose {
        /// 0x01, unacceptable protocol version, or 0x02, identifier rejected (Table 3.1).
        return_code: u8,
    },
}

/// A fault in bytes that a peer sent. The Network Connection cannot go on behind it.
///
/// Small and `Copy`. Its `Display` is one sentence that names packet, field, fault and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("{}{field}: {kind} (at byte {offset} of the packet)", packet_prefix(.packet_type))]
pub struct DecodeError {
    offset: u32,
    kind: ErrorKind,
    field: Field,
    packet_type: Option<PacketType>,
}

const fn packet_prefix(packet_type: &Option<PacketType>) -> PacketPrefix {
    PacketPrefix(*packet_type)
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

impl DecodeError {
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
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            kind,
            field,
            packet_type,
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The field that it is wrong in.
    #[must_use]
    pub const fn field(&self) -> Field {
        self.field
    }

    /// The packet that it is wrong in; `None` if the type itself is reserved.
    #[must_use]
    pub const fn packet_type(&self) -> Option<PacketType> {
        self.packet_type
    }

    /// The first offending byte, counted from the first byte of the packet's fixed header. For a
    /// field that its packet has no room for: where that field starts.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset as usize
    }

    /// The normative statement of MQTT 3.1.1 that is broken, for example `MQTT-3.8.3-4`. `None`
    /// where the standard gives the rule no number, and for this receiver's own limits.
    #[must_use]
    pub const fn statement(&self) -> Option<&'static str> {
        use PacketType as Type;
        Some(match (self.kind, self.packet_type) {
            (ErrorKind::InvalidFlags, Some(Type::PubRel)) => "MQTT-3.6.1-1",
            (ErrorKind::InvalidFlags, Some(Type::Subscribe)) => "MQTT-3.8.1-1",
            (ErrorKind::InvalidFlags, Some(Type::Unsubscribe)) => "MQTT-3.10.1-1",
            (ErrorKind::InvalidFlags, Some(Type::Disconnect)) => "MQTT-3.14.1-1",
            (ErrorKind::Truncated | ErrorKind::TrailingBytes, Some(Type::Connect)) => {
                match (self.kind, self.field) {
                    (ErrorKind::TrailingBytes, Field::UserName) => "MQTT-3.1.2-18",
                    (ErrorKind::TrailingBytes, Field::Password) => "MQTT-3.1.2-20",
                    (ErrorKind::TrailingBytes, Field::WillTopic) => "MQTT-3.1.2-11",
                    (ErrorKind::Truncated, Field::WillTopic | Field::WillMessage) => "MQTT-3.1.2-9",
                    (ErrorKind::Truncated, Field::UserName) => "MQTT-3.1.2-19",
                    (ErrorKind::Truncated, Field::Password) => "MQTT-3.1.2-21",
                    _ => "MQTT-3.1.4-1",
                }
            }
            (ErrorKind::EmptyList, Some(Type::Unsubscribe)) => "MQTT-3.10.3-2",
            (ErrorKind::EmptyList, Some(Type::SubAck)) => "MQTT-3.8.4-5",
            (
                ErrorKind::ZeroPacketIdentifier,
                Some(Type::Publish | Type::Subscribe | Type::Unsubscribe),
            ) => "MQTT-2.3.1-1",
            (ErrorKind::WildcardInTopicName, Some(Type::Connect)) => "MQTT-4.7.1-1",
            (kind, _) => return kind.statement(),
        })
    }

    /// What the standard asks the receiver to do.
    #[must_use]
    pub const fn reaction(&self) -> Reaction {
        match self.kind {
            // [MQTT-3.1.2-2]
            ErrorKind::UnsupportedProtocolLevel => Reaction::ConnAckThenClose { return_code: 0x01 },
            // [MQTT-3.1.3-8]
            ErrorKind::ClientIdentifierRequired => Reaction::ConnAckThenClose { return_code: 0x02 },
            _ => Reaction::Close,
        }
    }
}

impl ErrorKind {
    /// The statement that this fault breaks in whatever packet it is found.
    const fn statement(self) -> Option<&'static str> {
        Some(match self {
            Self::InvalidFlags | Self::ReservedAcknowledgeFlags => "MQTT-2.2.2-2",
            Self::InvalidQos => "MQTT-3.3.1-4",
            Self::DupAtQos0 => "MQTT-3.3.1-2",
            Self::InvalidUtf8 => "MQTT-1.5.3-1",
            Self::NullCharacter => "MQTT-1.5.3-2",
            Self::TooLong => "MQTT-4.7.3-3",
            Self::EmptyTopic => "MQTT-4.7.3-1",
            Self::WildcardInTopicName => "MQTT-3.3.2-2",
            Self::MisplacedMultiLevelWildcard => "MQTT-4.7.1-2",
            Self::MisplacedSingleLevelWildcard => "MQTT-4.7.1-3",
            Self::UnknownProtocolName => "MQTT-3.1.2-1",
            Self::UnsupportedProtocolLevel => "MQTT-3.1.2-2",
            Self::ReservedConnectFlag => "MQTT-3.1.2-3",
            Self::WillQosWithoutWill => "MQTT-3.1.2-13",
            Self::WillRetainWithoutWill => "MQTT-3.1.2-15",
            Self::InvalidWillQos => "MQTT-3.1.2-14",
            Self::PasswordWithoutUserName => "MQTT-3.1.2-22",
            Self::ClientIdentifierRequired => "MQTT-3.1.3-8",
            Self::SessionPresentWithRefusal => "MQTT-3.2.2-4",
            Self::EmptyList => "MQTT-3.8.3-3",
            Self::InvalidRequestedQos => "MQTT-3.8.3-4",
            Self::InvalidReturnCode => "MQTT-3.9.3-2",
            Self::ReservedPacketType | Self::Truncated | Self::TrailingBytes => "MQTT-4.8.0-1",
            Self::RemainingLengthTooLong
            | Self::RemainingLengthNotMinimal
            | Self::PacketTooLarge
            | Self::TooManyFilters
            | Self::OutOfMemory
            | Self::ZeroPacketIdentifier
            | Self::InvalidConnectReturnCode => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;
    use PacketType as Type;
    use std::format;

    /// Each kind with what it says and the statement that it breaks where its packet does not
    /// have one of its own.
    const KINDS: [(ErrorKind, &str, Option<&str>); 33] = [
        (
            ReservedPacketType,
            "packet types 0 and 15 are reserved",
            Some("MQTT-4.8.0-1"),
        ),
        (
            InvalidFlags,
            "the reserved flag bits differ from those that the standard prescribes",
            Some("MQTT-2.2.2-2"),
        ),
        (InvalidQos, "QoS 3 does not exist", Some("MQTT-3.3.1-4")),
        (DupAtQos0, "DUP must be 0 at QoS 0", Some("MQTT-3.3.1-2")),
        (
            RemainingLengthTooLong,
            "Remaining Length has at most four bytes",
            None,
        ),
        (
            RemainingLengthNotMinimal,
            "Remaining Length is written with more bytes than it needs",
            None,
        ),
        (
            PacketTooLarge,
            "the packet is larger than this receiver takes",
            None,
        ),
        (
            TooManyFilters,
            "more Topic Filters in one packet than this receiver takes",
            None,
        ),
        (OutOfMemory, "there is no memory for the packet", None),
        (
            Truncated,
            "the packet ends before this field does",
            Some("MQTT-4.8.0-1"),
        ),
        (
            TrailingBytes,
            "bytes are left over behind the last field",
            Some("MQTT-4.8.0-1"),
        ),
        (InvalidUtf8, "not well-formed UTF-8", Some("MQTT-1.5.3-1")),
        (
            NullCharacter,
            "strings must not contain U+0000",
            Some("MQTT-1.5.3-2"),
        ),
        (
            TooLong,
            "a string has at most 65535 bytes",
            Some("MQTT-4.7.3-3"),
        ),
        (
            EmptyTopic,
            "at least one character is needed",
            Some("MQTT-4.7.3-1"),
        ),
        (
            WildcardInTopicName,
            "wildcards belong to Topic Filters, not to Topic Names",
            Some("MQTT-3.3.2-2"),
        ),
        (
            MisplacedMultiLevelWildcard,
            "'#' must be the last character and alone in its level",
            Some("MQTT-4.7.1-2"),
        ),
        (
            MisplacedSingleLevelWildcard,
            "'+' must be alone in its level",
            Some("MQTT-4.7.1-3"),
        ),
        (
            ZeroPacketIdentifier,
            "Packet Identifier 0 is not allowed",
            None,
        ),
        (
            UnknownProtocolName,
            "the peer does not speak MQTT",
            Some("MQTT-3.1.2-1"),
        ),
        (
            UnsupportedProtocolLevel,
            "this Protocol Level is not supported",
            Some("MQTT-3.1.2-2"),
        ),
        (
            ReservedConnectFlag,
            "the reserved Connect Flag must be 0",
            Some("MQTT-3.1.2-3"),
        ),
        (
            WillQosWithoutWill,
            "Will QoS must be 0 without a Will",
            Some("MQTT-3.1.2-13"),
        ),
        (
            WillRetainWithoutWill,
            "Will Retain must be 0 without a Will",
            Some("MQTT-3.1.2-15"),
        ),
        (
            InvalidWillQos,
            "Will QoS 3 does not exist",
            Some("MQTT-3.1.2-14"),
        ),
        (
            PasswordWithoutUserName,
            "a Password needs a User Name",
            Some("MQTT-3.1.2-22"),
        ),
        (
            ClientIdentifierRequired,
            "an empty Client Identifier needs Clean Session 1 and MQTT 3.1.1",
            Some("MQTT-3.1.3-8"),
        ),
        (
            ReservedAcknowledgeFlags,
            "the reserved bits must be 0",
            Some("MQTT-2.2.2-2"),
        ),
        (
            InvalidConnectReturnCode,
            "this Connect Return Code does not exist",
            None,
        ),
        (
            SessionPresentWithRefusal,
            "Session Present must be 0 when the connection is refused",
            Some("MQTT-3.2.2-4"),
        ),
        (
            EmptyList,
            "at least one entry is needed",
            Some("MQTT-3.8.3-3"),
        ),
        (
            InvalidRequestedQos,
            "Requested QoS is 0, 1 or 2",
            Some("MQTT-3.8.3-4"),
        ),
        (
            InvalidReturnCode,
            "this Return Code does not exist",
            Some("MQTT-3.9.3-2"),
        ),
    ];

    const FIELDS: [(Field, &str); 20] = [
        (Field::PacketType, "Packet Type"),
        (Field::Flags, "Flags"),
        (Field::RemainingLength, "Remaining Length"),
        (Field::ProtocolName, "Protocol Name"),
        (Field::ProtocolLevel, "Protocol Level"),
        (Field::ConnectFlags, "Connect Flags"),
        (Field::KeepAlive, "Keep Alive"),
        (Field::ClientIdentifier, "Client Identifier"),
        (Field::WillTopic, "Will Topic"),
        (Field::WillMessage, "Will Message"),
        (Field::UserName, "User Name"),
        (Field::Password, "Password"),
        (Field::ConnectAcknowledgeFlags, "Connect Acknowledge Flags"),
        (Field::ConnectReturnCode, "Connect Return Code"),
        (Field::PacketIdentifier, "Packet Identifier"),
        (Field::TopicName, "Topic Name"),
        (Field::Payload, "Payload"),
        (Field::TopicFilter, "Topic Filter"),
        (Field::RequestedQos, "Requested QoS"),
        (Field::ReturnCode, "Return Code"),
    ];

    fn packet_types() -> impl Iterator<Item = Type> {
        (1..=14).filter_map(Type::from_number)
    }

    fn statement(packet_type: Type, field: Field, kind: ErrorKind) -> Option<&'static str> {
        DecodeError::new(Some(packet_type), field, kind, 0).statement()
    }

    #[test]
    fn a_decode_error_has_eight_bytes() {
        assert_eq!(size_of::<DecodeError>(), 8);
    }

    #[test]
    fn a_decode_error_gives_back_what_it_was_made_of() {
        let kind = InvalidRequestedQos;
        let error = DecodeError::new(
            Some(Type::Subscribe),
            Field::RequestedQos,
            kind,
            268_435_459,
        );
        assert_eq!(error.packet_type(), Some(Type::Subscribe));
        assert_eq!(error.field(), Field::RequestedQos);
        assert_eq!(error.kind(), InvalidRequestedQos);
        assert_eq!(error.offset(), 268_435_459);
    }

    #[test]
    fn a_decode_error_is_one_sentence_with_packet_field_fault_and_place() {
        for (packet_type, field, kind, offset, sentence) in [
            (
                Type::Subscribe,
                Field::TopicFilter,
                MisplacedMultiLevelWildcard,
                9,
                "SUBSCRIBE Topic Filter: '#' must be the last character and alone in its level \
                 (at byte 9 of the packet)",
            ),
            (
                Type::Connect,
                Field::ClientIdentifier,
                ClientIdentifierRequired,
                12,
                "CONNECT Client Identifier: an empty Client Identifier needs Clean Session 1 and \
                 MQTT 3.1.1 (at byte 12 of the packet)",
            ),
            (
                Type::PubRel,
                Field::Flags,
                InvalidFlags,
                0,
                "PUBREL Flags: the reserved flag bits differ from those that the standard \
                 prescribes (at byte 0 of the packet)",
            ),
            (
                Type::Publish,
                Field::RemainingLength,
                PacketTooLarge,
                1,
                "PUBLISH Remaining Length: the packet is larger than this receiver takes (at \
                 byte 1 of the packet)",
            ),
        ] {
            let error = DecodeError::new(Some(packet_type), field, kind, offset);
            assert_eq!(format!("{error}"), sentence);
        }
    }

    #[test]
    fn the_sentence_names_no_packet_if_its_type_is_reserved() {
        assert_eq!(
            format!(
                "{}",
                DecodeError::new(None, Field::PacketType, ReservedPacketType, 0)
            ),
            "Packet Type: packet types 0 and 15 are reserved (at byte 0 of the packet)"
        );
    }

    #[test]
    fn a_decode_error_is_an_error_without_a_cause() {
        let error = DecodeError::new(None, Field::PacketType, ReservedPacketType, 0);
        let error: &dyn core::error::Error = &error;
        assert!(error.source().is_none());
    }

    #[test]
    fn every_kind_says_what_is_wrong() {
        for (kind, message, _) in KINDS {
            assert_eq!(format!("{kind}"), message);
        }
    }

    #[test]
    fn every_kind_has_a_message_of_its_own() {
        for (i, (_, message, _)) in KINDS.iter().enumerate() {
            assert_eq!(
                KINDS.iter().position(|(_, other, _)| other == message),
                Some(i)
            );
        }
    }

    #[test]
    fn every_kind_names_the_statement_that_it_breaks() {
        for (kind, _, expected) in KINDS {
            // In a packet that has no statement of its own for any of them.
            assert_eq!(
                statement(Type::PubComp, Field::Flags, kind),
                expected,
                "{kind:?}"
            );
            assert_eq!(TextError::new(kind, 0).statement(), expected, "{kind:?}");
        }
    }

    #[test]
    fn wrong_flags_break_the_statement_of_their_packet() {
        for packet_type in packet_types() {
            let expected = match packet_type {
                Type::PubRel => "MQTT-3.6.1-1",
                Type::Subscribe => "MQTT-3.8.1-1",
                Type::Unsubscribe => "MQTT-3.10.1-1",
                Type::Disconnect => "MQTT-3.14.1-1",
                _ => "MQTT-2.2.2-2",
            };
            assert_eq!(
                statement(packet_type, Field::Flags, InvalidFlags),
                Some(expected)
            );
        }
    }

    #[test]
    fn packet_identifier_0_breaks_a_statement_in_packets_that_choose_one() {
        for packet_type in packet_types() {
            let expected = match packet_type {
                Type::Publish | Type::Subscribe | Type::Unsubscribe => Some("MQTT-2.3.1-1"),
                // That an answer has no 0 follows from what it answers.
                _ => None,
            };
            let field = Field::PacketIdentifier;
            assert_eq!(
                statement(packet_type, field, ZeroPacketIdentifier),
                expected
            );
        }
    }

    #[test]
    fn an_empty_list_breaks_the_statement_of_its_packet() {
        for (packet_type, field, expected) in [
            (Type::Subscribe, Field::TopicFilter, "MQTT-3.8.3-3"),
            (Type::Unsubscribe, Field::TopicFilter, "MQTT-3.10.3-2"),
            (Type::SubAck, Field::ReturnCode, "MQTT-3.8.4-5"),
        ] {
            assert_eq!(statement(packet_type, field, EmptyList), Some(expected));
        }
    }

    #[test]
    fn a_wildcard_breaks_one_statement_in_publish_and_another_in_a_will() {
        assert_eq!(
            statement(Type::Publish, Field::TopicName, WildcardInTopicName),
            Some("MQTT-3.3.2-2")
        );
        assert_eq!(
            statement(Type::Connect, Field::WillTopic, WildcardInTopicName),
            Some("MQTT-4.7.1-1")
        );
    }

    #[test]
    fn connect_is_truncated_in_a_field_that_its_flags_announce() {
        for (field, expected) in [
            (Field::ProtocolName, "MQTT-3.1.4-1"),
            (Field::ProtocolLevel, "MQTT-3.1.4-1"),
            (Field::ConnectFlags, "MQTT-3.1.4-1"),
            (Field::KeepAlive, "MQTT-3.1.4-1"),
            (Field::ClientIdentifier, "MQTT-3.1.4-1"),
            (Field::WillTopic, "MQTT-3.1.2-9"),
            (Field::WillMessage, "MQTT-3.1.2-9"),
            (Field::UserName, "MQTT-3.1.2-19"),
            (Field::Password, "MQTT-3.1.2-21"),
        ] {
            assert_eq!(
                statement(Type::Connect, field, Truncated),
                Some(expected),
                "{field}"
            );
        }
    }

    #[test]
    fn bytes_left_over_in_connect_are_a_field_that_its_flags_do_not_announce() {
        for (field, expected) in [
            (Field::WillTopic, "MQTT-3.1.2-11"),
            (Field::UserName, "MQTT-3.1.2-18"),
            (Field::Password, "MQTT-3.1.2-20"),
            (Field::Payload, "MQTT-3.1.4-1"),
        ] {
            assert_eq!(
                statement(Type::Connect, field, TrailingBytes),
                Some(expected),
                "{field}"
            );
        }
    }

    #[test]
    fn any_other_packet_of_the_wrong_length_is_a_protocol_violation() {
        for packet_type in packet_types().filter(|&packet_type| packet_type != Type::Connect) {
            for (field, _) in FIELDS {
                for kind in [Truncated, TrailingBytes] {
                    assert_eq!(statement(packet_type, field, kind), Some("MQTT-4.8.0-1"));
                }
            }
        }
    }

    #[test]
    fn every_statement_has_the_form_of_an_id_of_the_standard() {
        for (kind, ..) in KINDS {
            for packet_type in packet_types() {
                for (field, _) in FIELDS {
                    let Some(id) = statement(packet_type, field, kind) else {
                        continue;
                    };
                    let numbers = id.strip_prefix("MQTT-").unwrap_or_default();
                    let (section, number) = numbers.split_once('-').unwrap_or_default();
                    assert_eq!(section.split('.').count(), 3, "{id}");
                    assert!(
                        section.split('.').all(|part| part.parse::<u8>().is_ok()),
                        "{id}"
                    );
                    assert!(number.parse::<u8>().is_ok(), "{id}");
                }
            }
        }
    }

    #[test]
    fn a_reserved_type_breaks_a_statement_though_no_packet_is_known() {
        let error = DecodeError::new(None, Field::PacketType, ReservedPacketType, 0);
        assert_eq!(error.statement(), Some("MQTT-4.8.0-1"));
    }

    #[test]
    fn two_faults_ask_for_a_connack_and_all_others_to_close() {
        for (kind, ..) in KINDS {
            let error = DecodeError::new(Some(Type::Connect), Field::ConnectFlags, kind, 0);
            let expected = match kind {
                // [MQTT-3.1.2-2]
                UnsupportedProtocolLevel => Reaction::ConnAckThenClose { return_code: 1 },
                // [MQTT-3.1.3-8]
                ClientIdentifierRequired => Reaction::ConnAckThenClose { return_code: 2 },
                _ => Reaction::Close,
            };
            assert_eq!(error.reaction(), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_text_error_says_what_where_and_against_which_statement() {
        let error = TextError::new(NullCharacter, 7);
        assert_eq!(error.kind(), NullCharacter);
        assert_eq!(error.offset(), 7);
        assert_eq!(error.statement(), Some("MQTT-1.5.3-2"));
        assert_eq!(
            format!("{error}"),
            "strings must not contain U+0000 (at byte 7 of the string)"
        );
    }

    #[test]
    fn a_text_error_is_an_error_without_a_cause() {
        let error: &dyn core::error::Error = &TextError::new(TooLong, 65_535);
        assert!(error.source().is_none());
    }

    #[test]
    fn every_field_is_named_as_in_the_standard() {
        for (field, name) in FIELDS {
            assert_eq!(field.name(), name);
            assert_eq!(format!("{field}"), name);
        }
    }

    #[test]
    fn no_two_fields_have_the_same_name() {
        for (i, (field, _)) in FIELDS.iter().enumerate() {
            let first = FIELDS
                .iter()
                .position(|(other, _)| other.name() == field.name());
            assert_eq!(first, Some(i));
        }
    }
}
