//! Reason Codes (section 2.4): all of them, and those of each packet.

use core::fmt;

use crate::types::QoS;

/// Defines [`ReasonCode`] from its numbers and the names of the standard.
macro_rules! all_reason_codes {
    ($($number:literal $Variant:ident $name:literal)+) => {
        /// The result of a request, or the reason why a connection ends (section 2.4, Table 2-6).
        /// Each packet has an enum of its own Reason Codes, which converts into this one.
        ///
        /// ```
        /// use mqtt_sansio::v5::{PubAckReasonCode, ReasonCode};
        ///
        /// let code = ReasonCode::from(PubAckReasonCode::QuotaExceeded);
        /// assert_eq!(code, ReasonCode::QuotaExceeded);
        /// assert_eq!(code.number(), 0x97);
        /// assert!(code.is_error());
        /// assert_eq!(code.to_string(), "Quota exceeded");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[expect(
            clippy::exhaustive_enums,
            reason = "the standard lists these and reserves the rest"
        )]
        #[repr(u8)]
        pub enum ReasonCode {
            $(
                #[doc = concat!($name, ".")]
                $Variant = $number,
            )+
        }

        impl ReasonCode {
            /// Returns the code with this number, or `None` if there is none.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$Variant),)+
                    _ => None,
                }
            }

            /// Returns the name of the standard. In DISCONNECT and SUBACK 0x00 has other names.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)+
                }
            }
        }
    };
}

all_reason_codes! {
    0x00 Success "Success"
    0x01 GrantedQos1 "Granted QoS 1"
    0x02 GrantedQos2 "Granted QoS 2"
    0x04 DisconnectWithWillMessage "Disconnect with Will Message"
    0x10 NoMatchingSubscribers "No matching subscribers"
    0x11 NoSubscriptionExisted "No subscription existed"
    0x18 ContinueAuthentication "Continue authentication"
    0x19 ReAuthenticate "Re-authenticate"
    0x80 UnspecifiedError "Unspecified error"
    0x81 MalformedPacket "Malformed Packet"
    0x82 ProtocolError "Protocol Error"
    0x83 ImplementationSpecificError "Implementation specific error"
    0x84 UnsupportedProtocolVersion "Unsupported Protocol Version"
    0x85 ClientIdentifierNotValid "Client Identifier not valid"
    0x86 BadUserNameOrPassword "Bad User Name or Password"
    0x87 NotAuthorized "Not authorized"
    0x88 ServerUnavailable "Server unavailable"
    0x89 ServerBusy "Server busy"
    0x8a Banned "Banned"
    0x8b ServerShuttingDown "Server shutting down"
    0x8c BadAuthenticationMethod "Bad authentication method"
    0x8d KeepAliveTimeout "Keep Alive timeout"
    0x8e SessionTakenOver "Session taken over"
    0x8f TopicFilterInvalid "Topic Filter invalid"
    0x90 TopicNameInvalid "Topic Name invalid"
    0x91 PacketIdentifierInUse "Packet Identifier in use"
    0x92 PacketIdentifierNotFound "Packet Identifier not found"
    0x93 ReceiveMaximumExceeded "Receive Maximum exceeded"
    0x94 TopicAliasInvalid "Topic Alias invalid"
    0x95 PacketTooLarge "Packet too large"
    0x96 MessageRateTooHigh "Message rate too high"
    0x97 QuotaExceeded "Quota exceeded"
    0x98 AdministrativeAction "Administrative action"
    0x99 PayloadFormatInvalid "Payload format invalid"
    0x9a RetainNotSupported "Retain not supported"
    0x9b QosNotSupported "QoS not supported"
    0x9c UseAnotherServer "Use another server"
    0x9d ServerMoved "Server moved"
    0x9e SharedSubscriptionsNotSupported "Shared Subscriptions not supported"
    0x9f ConnectionRateExceeded "Connection rate exceeded"
    0xa0 MaximumConnectTime "Maximum connect time"
    0xa1 SubscriptionIdentifiersNotSupported "Subscription Identifiers not supported"
    0xa2 WildcardSubscriptionsNotSupported "Wildcard Subscriptions not supported"
}

impl ReasonCode {
    /// Returns the number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns true from 0x80 on: the request failed, or the connection ends because of an error.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.number() >= 0x80
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<u8> for ReasonCode {
    type Error = InvalidReasonCode;

    fn try_from(number: u8) -> Result<Self, InvalidReasonCode> {
        Self::from_number(number).ok_or(InvalidReasonCode { number })
    }
}

/// A number that is not a Reason Code, or not one of this packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("{number:#04x} is not a Reason Code of this packet")]
#[non_exhaustive]
pub struct InvalidReasonCode {
    /// The number that was converted.
    pub number: u8,
}

/// Defines the Reason Codes of one packet: the first, 0x00, with its name, then the others.
macro_rules! packet_reason_codes {
    ($(#[$doc:meta])* $Name:ident { $Zero:ident $zero:literal $($Variant:ident)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[expect(
            clippy::exhaustive_enums,
            reason = "the standard lists these and reserves the rest"
        )]
        #[repr(u8)]
        pub enum $Name {
            #[doc = concat!("0x00: ", $zero, ".")]
            #[default]
            $Zero = 0,
            $(
                #[doc = concat!("[`ReasonCode::", stringify!($Variant), "`].")]
                $Variant = ReasonCode::$Variant as u8,
            )*
        }

        impl $Name {
            /// Returns the code with this number, or `None` if this packet cannot have it.
            #[must_use]
            #[inline]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    0 => Some(Self::$Zero),
                    $(number if number == Self::$Variant as u8 => Some(Self::$Variant),)*
                    _ => None,
                }
            }

            /// Returns the number on the wire.
            #[must_use]
            #[inline]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// Returns true from 0x80 on.
            #[must_use]
            #[inline]
            pub const fn is_error(self) -> bool {
                self.number() >= 0x80
            }
        }

        impl From<$Name> for ReasonCode {
            fn from(code: $Name) -> Self {
                match code {
                    $Name::$Zero => Self::Success,
                    $($Name::$Variant => Self::$Variant,)*
                }
            }
        }

        impl TryFrom<u8> for $Name {
            type Error = InvalidReasonCode;

            fn try_from(number: u8) -> Result<Self, InvalidReasonCode> {
                Self::from_number(number).ok_or(InvalidReasonCode { number })
            }
        }

        impl TryFrom<ReasonCode> for $Name {
            type Error = InvalidReasonCode;

            fn try_from(code: ReasonCode) -> Result<Self, InvalidReasonCode> {
                Self::try_from(code.number())
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::$Zero => f.write_str($zero),
                    other => ReasonCode::from(*other).fmt(f),
                }
            }
        }
    };
}

packet_reason_codes! {
    /// The Reason Codes of CONNACK (Table 3-1) [MQTT5-3.2.2-8].
    ConnectReasonCode {
        Success "Success"
        UnspecifiedError MalformedPacket ProtocolError ImplementationSpecificError
        UnsupportedProtocolVersion ClientIdentifierNotValid BadUserNameOrPassword NotAuthorized
        ServerUnavailable ServerBusy Banned BadAuthenticationMethod TopicNameInvalid
        PacketTooLarge QuotaExceeded PayloadFormatInvalid RetainNotSupported QosNotSupported
        UseAnotherServer ServerMoved ConnectionRateExceeded
    }
}

packet_reason_codes! {
    /// The Reason Codes of PUBACK and PUBREC (Tables 3-4 and 3-5)
    /// [MQTT5-3.4.2-1, MQTT5-3.5.2-1]. Only a server sends `NoMatchingSubscribers`, which is
    /// success.
    PubAckReasonCode {
        Success "Success"
        NoMatchingSubscribers UnspecifiedError ImplementationSpecificError NotAuthorized
        TopicNameInvalid PacketIdentifierInUse QuotaExceeded PayloadFormatInvalid
    }
}

packet_reason_codes! {
    /// The Reason Codes of PUBREL and PUBCOMP (Tables 3-6 and 3-7)
    /// [MQTT5-3.6.2-1, MQTT5-3.7.2-1].
    PubRelReasonCode {
        Success "Success"
        PacketIdentifierNotFound
    }
}

packet_reason_codes! {
    /// The Reason Codes of SUBACK (Table 3-8) [MQTT5-3.9.3-2, MQTT5-3.8.4-7].
    SubscribeReasonCode {
        GrantedQos0 "Granted QoS 0"
        GrantedQos1 GrantedQos2 UnspecifiedError ImplementationSpecificError NotAuthorized
        TopicFilterInvalid PacketIdentifierInUse QuotaExceeded SharedSubscriptionsNotSupported
        SubscriptionIdentifiersNotSupported WildcardSubscriptionsNotSupported
    }
}

packet_reason_codes! {
    /// The Reason Codes of UNSUBACK (Table 3-9) [MQTT5-3.11.3-2]. `NoSubscriptionExisted` is
    /// success.
    UnsubscribeReasonCode {
        Success "Success"
        NoSubscriptionExisted UnspecifiedError ImplementationSpecificError NotAuthorized
        TopicFilterInvalid PacketIdentifierInUse
    }
}

packet_reason_codes! {
    /// The Reason Codes of DISCONNECT (Table 3-10) [MQTT5-3.14.2-1].
    ///
    /// Only a client sends `DisconnectWithWillMessage`. Either side sends `NormalDisconnection`,
    /// `UnspecifiedError`, `MalformedPacket`, `ProtocolError`, `ImplementationSpecificError`,
    /// `TopicNameInvalid`, `ReceiveMaximumExceeded`, `TopicAliasInvalid`, `PacketTooLarge`,
    /// `MessageRateTooHigh`, `QuotaExceeded`, `AdministrativeAction` and `PayloadFormatInvalid`.
    /// Only a server sends the others. A decoder accepts each of them from either side.
    ///
    /// `BadAuthenticationMethod` is missing from Table 3-10, but Table 2-6 lists it for DISCONNECT,
    /// and servers send it when a re-authentication names another method.
    DisconnectReasonCode {
        NormalDisconnection "Normal disconnection"
        DisconnectWithWillMessage UnspecifiedError MalformedPacket ProtocolError
        ImplementationSpecificError NotAuthorized ServerBusy ServerShuttingDown
        BadAuthenticationMethod KeepAliveTimeout SessionTakenOver TopicFilterInvalid
        TopicNameInvalid ReceiveMaximumExceeded TopicAliasInvalid PacketTooLarge
        MessageRateTooHigh QuotaExceeded AdministrativeAction PayloadFormatInvalid
        RetainNotSupported QosNotSupported UseAnotherServer ServerMoved
        SharedSubscriptionsNotSupported ConnectionRateExceeded MaximumConnectTime
        SubscriptionIdentifiersNotSupported WildcardSubscriptionsNotSupported
    }
}

packet_reason_codes! {
    /// The Reason Codes of AUTH (Table 3-11) [MQTT5-3.15.2-1]. Only a server sends `Success`, only
    /// a client `ReAuthenticate`.
    AuthReasonCode {
        Success "Success"
        ContinueAuthentication ReAuthenticate
    }
}

/// Returns the Reason Code that grants this QoS.
impl From<QoS> for SubscribeReasonCode {
    fn from(granted: QoS) -> Self {
        match granted {
            QoS::AtMostOnce => Self::GrantedQos0,
            QoS::AtLeastOnce => Self::GrantedQos1,
            QoS::ExactlyOnce => Self::GrantedQos2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::ToString as _;

    /// Returns how many of the 256 numbers are codes of a packet.
    fn count(from_number: impl Fn(u8) -> bool) -> usize {
        (0..=255).filter(|&number| from_number(number)).count()
    }

    /// [MQTT5-3.2.2-8, MQTT5-3.4.2-1, MQTT5-3.5.2-1, MQTT5-3.6.2-1, MQTT5-3.7.2-1, MQTT5-3.9.3-2]
    /// [MQTT5-3.11.3-2, MQTT5-3.14.2-1, MQTT5-3.15.2-1]
    #[test]
    fn each_packet_has_as_many_codes_as_its_table() {
        assert_eq!(count(|n| ReasonCode::from_number(n).is_some()), 43);
        assert_eq!(count(|n| ConnectReasonCode::from_number(n).is_some()), 22);
        assert_eq!(count(|n| PubAckReasonCode::from_number(n).is_some()), 9);
        assert_eq!(count(|n| PubRelReasonCode::from_number(n).is_some()), 2);
        assert_eq!(count(|n| SubscribeReasonCode::from_number(n).is_some()), 12);
        assert_eq!(
            count(|n| UnsubscribeReasonCode::from_number(n).is_some()),
            7
        );
        // 29 in Table 3-10, and 0x8C.
        assert_eq!(
            count(|n| DisconnectReasonCode::from_number(n).is_some()),
            30
        );
        assert_eq!(count(|n| AuthReasonCode::from_number(n).is_some()), 3);
    }

    #[test]
    fn a_code_of_a_packet_has_the_number_that_it_has_among_all() {
        for number in 0..=255 {
            if let Some(code) = DisconnectReasonCode::from_number(number) {
                assert_eq!(code.number(), number);
                assert_eq!(ReasonCode::from(code).number(), number);
                assert_eq!(
                    DisconnectReasonCode::try_from(ReasonCode::from(code)),
                    Ok(code)
                );
                assert_eq!(code.is_error(), number >= 0x80);
            }
        }
    }

    #[test]
    fn a_number_that_a_packet_cannot_carry_is_refused() {
        let error = PubAckReasonCode::try_from(0x93).unwrap_err();
        assert_eq!(error.number, 0x93);
        assert_eq!(
            format!("{error}"),
            "0x93 is not a Reason Code of this packet"
        );
        assert!(ReasonCode::try_from(0x03).is_err());
        assert!(AuthReasonCode::try_from(ReasonCode::ProtocolError).is_err());
    }

    #[test]
    fn codes_print_in_the_words_of_the_standard() {
        assert_eq!(ReasonCode::NotAuthorized.to_string(), "Not authorized");
        assert_eq!(
            DisconnectReasonCode::default().to_string(),
            "Normal disconnection"
        );
        assert_eq!(
            SubscribeReasonCode::GrantedQos0.to_string(),
            "Granted QoS 0"
        );
        assert_eq!(
            SubscribeReasonCode::GrantedQos1.to_string(),
            "Granted QoS 1"
        );
        assert_eq!(PubAckReasonCode::Success.to_string(), "Success");
    }

    #[test]
    fn only_codes_from_0x80_on_are_errors() {
        assert!(!PubAckReasonCode::NoMatchingSubscribers.is_error());
        assert!(!UnsubscribeReasonCode::NoSubscriptionExisted.is_error());
        assert!(!ReasonCode::ReAuthenticate.is_error());
        assert!(ReasonCode::UnspecifiedError.is_error());
    }

    #[test]
    fn a_granted_qos_has_the_reason_code_of_its_number() {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            assert_eq!(SubscribeReasonCode::from(qos).number(), qos.number());
        }
    }
}
