//! CONNACK (section 3.2).

use crate::v3::{DecodeError, Reader};
use crate::wire::{Encode, EncodeError, ErrorKind, Field, Output, PacketBody};

/// CONNACK: the server accepts the connection or refuses it (section 3.2). Only a CONNACK that
/// accepts has Session Present [MQTT-3.2.2-4].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard knows no third outcome"
)]
pub enum ConnAck {
    /// Connect Return Code 0.
    Accepted {
        /// Session Present: the server resumes the session that it kept for this Client Identifier
        /// (section 3.2.2.2).
        session_present: bool,
    },
    /// Connect Return Codes 1 to 5. The server closes the connection after it [MQTT-3.2.2-5].
    Refused(ConnectRefusal),
}

/// Why a server refused a connection: Connect Return Codes 1 to 5 (Table 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard lists five and reserves the rest"
)]
#[repr(u8)]
pub enum ConnectRefusal {
    /// 0x01: the server does not support this Protocol Level.
    #[error("unacceptable protocol version")]
    UnacceptableProtocolVersion = 1,
    /// 0x02: the Client Identifier is correct UTF-8 but not allowed by the server.
    #[error("identifier rejected")]
    IdentifierRejected = 2,
    /// 0x03: the MQTT service is unavailable.
    #[error("server unavailable")]
    ServerUnavailable = 3,
    /// 0x04: the User Name or Password is malformed.
    #[error("bad user name or password")]
    BadUserNameOrPassword = 4,
    /// 0x05: the client is not authorized to connect.
    #[error("not authorized")]
    NotAuthorized = 5,
}

impl ConnectRefusal {
    /// Returns the refusal with this Connect Return Code, or `None` for 0 (accepted) and reserved
    /// codes.
    #[must_use]
    pub const fn from_return_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::UnacceptableProtocolVersion,
            2 => Self::IdentifierRejected,
            3 => Self::ServerUnavailable,
            4 => Self::BadUserNameOrPassword,
            5 => Self::NotAuthorized,
            _ => return None,
        })
    }

    /// Returns the Connect Return Code, 1 to 5.
    #[must_use]
    pub const fn return_code(self) -> u8 {
        self as u8
    }
}

impl ConnAck {
    /// Returns Session Present.
    #[must_use]
    pub const fn session_present(&self) -> bool {
        matches!(
            self,
            Self::Accepted {
                session_present: true
            }
        )
    }

    /// Returns the Connect Return Code, 0 to 5.
    #[must_use]
    pub const fn return_code(&self) -> u8 {
        match self {
            Self::Accepted { .. } => 0,
            Self::Refused(refusal) => refusal.return_code(),
        }
    }

    /// Returns the whole packet, which always has four bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 4] {
        [
            0x20,
            2,
            u8::from(self.session_present()),
            self.return_code(),
        ]
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let field = Field::ConnectAcknowledgeFlags;
        let flags = reader.u8(field)?;
        // Section 3.2.2.1: bits 7 to 1 are reserved and must be 0 [MQTT-2.2.2-2].
        if flags > 1 {
            return Err(reader.fault_in_last(field, ErrorKind::ReservedAcknowledgeFlags));
        }
        let session_present = flags == 1;
        let code = reader.u8(Field::ConnectReturnCode)?;
        reader.finish(Field::ConnectReturnCode)?;
        if code == 0 {
            return Ok(Self::Accepted { session_present });
        }
        let Some(refusal) = ConnectRefusal::from_return_code(code) else {
            // Table 3.1 reserves 6 to 255. Some clients accept them as a refusal, but a peer that
            // sends them does not speak MQTT 3.1.1.
            let kind = ErrorKind::InvalidConnectReturnCode;
            return Err(reader.fault_in_last(Field::ConnectReturnCode, kind));
        };
        if session_present {
            // [MQTT-3.2.2-4]
            let offset = reader.offset().saturating_sub(2);
            return Err(reader.fault(field, ErrorKind::SessionPresentWithRefusal, offset));
        }
        Ok(Self::Refused(refusal))
    }
}

impl PacketBody for ConnAck {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0x20
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&[u8::from(self.session_present()), self.return_code()])
    }
}

impl Encode for ConnAck {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::testing::{fault, round_trip};
    use std::format;

    const ALL: [(u8, ConnectRefusal); 5] = [
        (1, ConnectRefusal::UnacceptableProtocolVersion),
        (2, ConnectRefusal::IdentifierRejected),
        (3, ConnectRefusal::ServerUnavailable),
        (4, ConnectRefusal::BadUserNameOrPassword),
        (5, ConnectRefusal::NotAuthorized),
    ];

    const RESUMED: ConnAck = ConnAck::Accepted {
        session_present: true,
    };
    const FRESH: ConnAck = ConnAck::Accepted {
        session_present: false,
    };

    #[test]
    fn acceptance_says_whether_there_is_a_session() {
        round_trip(RESUMED, b"\x20\x02\x01\x00");
        round_trip(FRESH, b"\x20\x02\x00\x00");
    }

    #[test]
    fn each_refusal_has_its_return_code() {
        for (code, refusal) in ALL {
            round_trip(ConnAck::Refused(refusal), &[0x20, 2, 0, code]);
        }
    }

    #[test]
    fn each_reserved_acknowledge_flag_is_refused() {
        for bit in 1..8 {
            assert_eq!(
                fault(&[0x20, 2, 1 << bit, 0]),
                (
                    ErrorKind::ReservedAcknowledgeFlags,
                    Field::ConnectAcknowledgeFlags,
                    2,
                    Some("MQTT-2.2.2-2")
                )
            );
        }
    }

    #[test]
    fn return_codes_above_5_are_refused() {
        for code in 6..=255 {
            assert_eq!(
                fault(&[0x20, 2, 0, code]),
                (
                    ErrorKind::InvalidConnectReturnCode,
                    Field::ConnectReturnCode,
                    3,
                    None
                )
            );
        }
    }

    #[test]
    fn session_present_with_a_refusal_is_refused() {
        for (code, _) in ALL {
            assert_eq!(
                fault(&[0x20, 2, 1, code]),
                (
                    ErrorKind::SessionPresentWithRefusal,
                    Field::ConnectAcknowledgeFlags,
                    2,
                    Some("MQTT-3.2.2-4")
                )
            );
        }
    }

    #[test]
    fn session_present_with_a_reserved_return_code_is_refused_for_the_code() {
        // Such a code may or may not be a refusal.
        assert_eq!(
            fault(b"\x20\x02\x01\x06"),
            (
                ErrorKind::InvalidConnectReturnCode,
                Field::ConnectReturnCode,
                3,
                None
            )
        );
    }

    #[test]
    fn a_connack_without_flags_is_refused() {
        assert_eq!(
            fault(b"\x20\x00"),
            (
                ErrorKind::Truncated,
                Field::ConnectAcknowledgeFlags,
                2,
                Some("MQTT-4.8.0-1")
            )
        );
    }

    #[test]
    fn a_connack_without_a_return_code_is_refused() {
        assert_eq!(
            fault(b"\x20\x01\x00"),
            (
                ErrorKind::Truncated,
                Field::ConnectReturnCode,
                3,
                Some("MQTT-4.8.0-1")
            )
        );
    }

    #[test]
    fn a_byte_behind_the_return_code_is_refused() {
        // A CONNACK of MQTT 5, which also has the length of its properties.
        assert_eq!(
            fault(b"\x20\x03\x00\x00\x00"),
            (
                ErrorKind::TrailingBytes,
                Field::ConnectReturnCode,
                4,
                Some("MQTT-4.8.0-1")
            )
        );
    }

    #[test]
    fn return_codes_and_refusals_turn_into_each_other() {
        for (code, refusal) in ALL {
            assert_eq!(ConnectRefusal::from_return_code(code), Some(refusal));
            assert_eq!(refusal.return_code(), code);
        }
    }

    #[test]
    fn neither_0_nor_a_reserved_return_code_is_a_refusal() {
        assert_eq!(ConnectRefusal::from_return_code(0), None);
        for code in 6..=255 {
            assert_eq!(ConnectRefusal::from_return_code(code), None);
        }
    }

    #[test]
    fn a_refusal_prints_its_reason() {
        let printed = format!("{}", ConnectRefusal::IdentifierRejected);
        assert_eq!(printed, "identifier rejected");
    }

    #[test]
    fn only_an_acceptance_can_have_a_session_present() {
        assert!(RESUMED.session_present());
        assert!(!FRESH.session_present());
        for (_, refusal) in ALL {
            assert!(!ConnAck::Refused(refusal).session_present());
        }
    }

    #[test]
    fn return_code_is_0_for_acceptance_and_the_refusals_own_otherwise() {
        assert_eq!(RESUMED.return_code(), 0);
        assert_eq!(FRESH.return_code(), 0);
        for (code, refusal) in ALL {
            assert_eq!(ConnAck::Refused(refusal).return_code(), code);
        }
    }

    #[test]
    fn to_bytes_is_the_whole_packet() {
        assert_eq!(RESUMED.to_bytes(), *b"\x20\x02\x01\x00");
        let refused = ConnAck::Refused(ConnectRefusal::NotAuthorized);
        assert_eq!(refused.to_bytes(), *b"\x20\x02\x00\x05");
    }
}
