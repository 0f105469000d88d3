//! Quality of Service (section 4.3).

/// Quality of Service: the guarantee of a delivery (section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard has three and forbids a fourth"
)]
#[repr(u8)]
pub enum QoS {
    /// QoS 0: at most once. The message may be lost; there is no acknowledgement.
    #[default]
    AtMostOnce = 0,
    /// QoS 1: at least once, acknowledged by PUBACK. The message may be delivered twice.
    AtLeastOnce = 1,
    /// QoS 2: exactly once, with PUBREC, PUBREL and PUBCOMP.
    ExactlyOnce = 2,
}

impl QoS {
    /// Returns the QoS with this number, or `None` above 2.
    #[must_use]
    #[inline]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// Returns 0, 1 or 2.
    #[must_use]
    #[inline]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl From<QoS> for u8 {
    fn from(qos: QoS) -> Self {
        qos.number()
    }
}

/// A number or a string that is not a QoS: 0, 1 and 2 are [MQTT-3.3.1-4].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("QoS is 0, 1 or 2")]
#[non_exhaustive]
pub struct InvalidQoS;

/// ```
/// use mqtt_sansio::QoS;
///
/// assert_eq!(QoS::try_from(1), Ok(QoS::AtLeastOnce));
/// assert!(QoS::try_from(3).is_err());
/// ```
impl TryFrom<u8> for QoS {
    type Error = InvalidQoS;

    fn try_from(number: u8) -> Result<Self, InvalidQoS> {
        Self::from_number(number).ok_or(InvalidQoS)
    }
}

/// Parses `0`, `1` or `2`, which is what `Display` writes.
impl core::str::FromStr for QoS {
    type Err = InvalidQoS;

    fn from_str(text: &str) -> Result<Self, InvalidQoS> {
        match text {
            "0" => Ok(Self::AtMostOnce),
            "1" => Ok(Self::AtLeastOnce),
            "2" => Ok(Self::ExactlyOnce),
            _ => Err(InvalidQoS),
        }
    }
}

impl core::fmt::Display for QoS {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.number(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_qos_have_their_numbers_both_ways() {
        for (number, qos) in [
            (0, QoS::AtMostOnce),
            (1, QoS::AtLeastOnce),
            (2, QoS::ExactlyOnce),
        ] {
            assert_eq!(qos.number(), number);
            assert_eq!(u8::from(qos), number);
            assert_eq!(std::format!("{qos}"), std::format!("{number}"));
            assert_eq!(QoS::from_number(number), Some(qos));
            assert_eq!(QoS::try_from(number), Ok(qos));
        }
    }

    #[test]
    fn no_other_number_is_a_qos() {
        for number in 3..=255 {
            assert_eq!(QoS::from_number(number), None);
            assert_eq!(QoS::try_from(number), Err(InvalidQoS));
        }
    }

    #[test]
    fn a_higher_number_is_a_greater_qos() {
        assert!(QoS::AtMostOnce < QoS::AtLeastOnce);
        assert!(QoS::AtLeastOnce < QoS::ExactlyOnce);
    }

    #[test]
    fn the_lower_of_two_qos_is_the_one_to_deliver_at() {
        // [MQTT-3.8.4-6]
        assert_eq!(QoS::ExactlyOnce.min(QoS::AtLeastOnce), QoS::AtLeastOnce);
    }

    #[test]
    fn the_default_is_at_most_once() {
        assert_eq!(QoS::default(), QoS::AtMostOnce);
    }

    #[test]
    fn a_qos_is_parsed_from_what_it_prints_and_from_nothing_else() {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            assert_eq!(std::format!("{qos}").parse(), Ok(qos));
        }
        for text in ["", "3", "-1", "+1", "01", "1 ", "one"] {
            assert_eq!(text.parse::<QoS>(), Err(InvalidQoS), "{text:?}");
        }
    }
}
