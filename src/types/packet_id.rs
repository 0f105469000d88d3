//! Packet Identifier (section 2.3.1).

use core::num::NonZeroU16;

/// The Packet Identifier of a message or request in flight: 1 to 65,535 (section 2.3.1). Zero is
/// not a Packet Identifier [MQTT-2.3.1-1, MQTT5-2.2.1-3, MQTT5-2.2.1-4]. Only a decoder that accepts
/// it ([`Options::accept_packet_id_0`](crate::Options::accept_packet_id_0)) returns one with 0, so
/// that the answer can have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "NonZeroU16", into = "u16"))]
pub struct PacketId(u16);

impl PacketId {
    /// 1.
    pub const MIN: Self = Self(1);
    /// 65,535.
    pub const MAX: Self = Self(u16::MAX);
    /// From a peer that uses it.
    pub(crate) const ZERO: Self = Self(0);

    /// Returns the identifier with this number, or `None` for 0.
    #[must_use]
    #[inline]
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            0 => None,
            _ => Some(Self(number)),
        }
    }

    /// Returns the number.
    #[must_use]
    #[inline]
    pub const fn get(self) -> u16 {
        self.0
    }

    #[inline]
    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<NonZeroU16> for PacketId {
    fn from(number: NonZeroU16) -> Self {
        Self(number.get())
    }
}

/// ```
/// use mqtt_sansio::PacketId;
///
/// assert_eq!(PacketId::try_from(7).map(PacketId::get), Ok(7));
/// assert!(PacketId::try_from(0).is_err());
/// ```
impl TryFrom<u16> for PacketId {
    type Error = core::num::TryFromIntError;

    fn try_from(number: u16) -> Result<Self, Self::Error> {
        NonZeroU16::try_from(number).map(Self::from)
    }
}

/// Parses a number from 1 to 65,535.
impl core::str::FromStr for PacketId {
    type Err = core::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<NonZeroU16>().map(Self::from)
    }
}

impl From<PacketId> for u16 {
    fn from(id: PacketId) -> Self {
        id.get()
    }
}

impl core::fmt::Debug for PacketId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PacketId({})", self.get())
    }
}

impl core::fmt::Display for PacketId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for PacketId {
    fn arbitrary(bytes: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        NonZeroU16::arbitrary(bytes).map(Self::from)
    }

    fn size_hint(depth: usize) -> (usize, Option<usize>) {
        NonZeroU16::size_hint(depth)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for PacketId {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "PacketId({=u16})", self.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn zero_is_not_a_packet_identifier() {
        assert_eq!(PacketId::new(0), None);
    }

    #[cfg(feature = "arbitrary")]
    #[test]
    fn an_arbitrary_one_takes_two_bytes() {
        use arbitrary::Arbitrary;
        assert_eq!(PacketId::size_hint(0), (2, Some(2)));
    }

    #[test]
    fn every_other_number_is_one_and_comes_back() {
        for number in 1..=u16::MAX {
            assert_eq!(PacketId::new(number).map(PacketId::get), Some(number));
        }
    }

    #[test]
    fn the_smallest_is_1_and_the_largest_65535() {
        assert_eq!(PacketId::new(1), Some(PacketId::MIN));
        assert_eq!(PacketId::new(65_535), Some(PacketId::MAX));
    }

    #[test]
    fn it_is_ordered_by_number() {
        assert!(PacketId::MIN < PacketId::new(256).unwrap());
        assert!(PacketId::new(256).unwrap() < PacketId::MAX);
    }

    #[test]
    fn it_is_displayed_as_its_number() {
        let id = PacketId::new(1883).unwrap();
        assert_eq!(format!("{id}"), "1883");
        assert_eq!(format!("{id:>6}|"), "  1883|");
    }

    #[test]
    fn debug_names_the_type_and_the_number() {
        assert_eq!(format!("{:?}", PacketId::MAX), "PacketId(65535)");
    }

    #[test]
    fn it_converts_to_a_number_and_to_and_from_a_number_that_is_not_zero() {
        let id = PacketId::new(7).unwrap();
        assert_eq!(u16::from(id), 7);
        let number = NonZeroU16::new(7).unwrap();
        assert_eq!(PacketId::from(number), id);
    }

    #[test]
    fn every_number_but_zero_is_tried_with_success() {
        assert_eq!(PacketId::try_from(1), Ok(PacketId::MIN));
        assert_eq!(PacketId::try_from(65_535), Ok(PacketId::MAX));
        assert!(PacketId::try_from(0).is_err());
    }

    #[test]
    fn it_is_parsed_from_what_it_prints() {
        for id in [PacketId::MIN, PacketId::MAX] {
            assert_eq!(format!("{id}").parse(), Ok(id));
        }
        for text in ["", "0", "65536", "-1", "x"] {
            assert!(text.parse::<PacketId>().is_err(), "{text:?}");
        }
    }
}
