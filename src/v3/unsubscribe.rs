//! UNSUBSCRIBE (section 3.10).

use crate::packet::{Entry, List, read_checked, read_packet_id};
use crate::types::{PacketId, TopicFilter};
use crate::v3::{DecodeError, Reader};
use crate::wire::{
    Encode, EncodeError, Field, Options, Output, PacketBody, PacketType, ReadError, put_field,
};

/// UNSUBSCRIBE: ends subscriptions (section 3.10). The server answers UNSUBACK
/// [MQTT-3.10.4-4].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::vec::Vec<u8>>"
    ))
)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields are the standard's; a new one would be a new version of MQTT"
)]
#[cfg_attr(target_pointer_width = "64", repr(C))] // see `Packet`
pub struct Unsubscribe<B> {
    /// Packet Identifier.
    pub packet_id: PacketId,
    /// At least one Topic Filter [MQTT-3.10.3-2].
    pub topic_filters: TopicFilters<B>,
}

crate::packet::storage!(Unsubscribe {
    packet_id: value,
    topic_filters: part
});

/// The payload of [`Unsubscribe`].
pub type TopicFilters<B> = List<B, TopicFilterEntry>;

/// Makes a [`List`] one of [`TopicFilter`]s.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum TopicFilterEntry {}

impl Entry for TopicFilterEntry {
    type Item<'a> = TopicFilter<&'a [u8]>;
    const PACKET_TYPE: PacketType = PacketType::Unsubscribe;
    const FIELD: Field = Field::TopicFilter;

    #[expect(private_interfaces, private_bounds, reason = "as in the trait")]
    #[inline]
    fn read<'a, F: ReadError>(reader: &mut Reader<'a, F>) -> Result<Self::Item<'a>, F> {
        // [MQTT-3.10.3-1]. Some conforming servers accept a malformed filter here, because it
        // cannot match a subscription, but it violates section 4.7.
        read_checked(reader, Field::TopicFilter)
    }

    #[inline]
    fn write<O: Output + ?Sized>(item: Self::Item<'_>, out: &mut O) -> Result<(), EncodeError> {
        put_field(out, Field::TopicFilter, item.as_bytes())
    }
}

impl<'a> Unsubscribe<&'a [u8]> {
    pub(super) fn read(reader: &mut Reader<'a>, options: &Options) -> Result<Self, DecodeError> {
        Ok(Self {
            packet_id: read_packet_id(reader)?,
            topic_filters: List::read(reader, options.filter_limit())?,
        })
    }
}

impl<B: AsRef<[u8]>> PacketBody for Unsubscribe<B> {
    #[inline(always)]
    fn first_byte(&self) -> u8 {
        0xa2 // [MQTT-3.10.1-1]
    }

    #[inline(always)]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())
    }

    #[inline(always)]
    fn payload(&self) -> &[u8] {
        self.topic_filters.as_bytes()
    }

    #[inline(always)]
    fn likely_body_len(&self) -> usize {
        2
    }
}

impl<B: AsRef<[u8]>> Encode for Unsubscribe<B> {}

/// UNSUBSCRIBE with one Topic Filter, which need not be encoded into a list first.
pub(crate) struct UnsubscribeOne<'a> {
    pub(crate) packet_id: PacketId,
    pub(crate) topic_filter: TopicFilter<&'a [u8]>,
}

impl PacketBody for UnsubscribeOne<'_> {
    fn first_byte(&self) -> u8 {
        0xa2 // [MQTT-3.10.1-1]
    }

    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&self.packet_id.get().to_be_bytes())?;
        TopicFilterEntry::write(self.topic_filter, out)
    }
}

impl Encode for UnsubscribeOne<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::Packet;
    use crate::v3::testing::{
        ReadError, TOO_LONG, decoded, encoded, fault, framed, id, longest, round_trip, vec,
    };
    use crate::wire::ErrorKind::*;
    #[cfg(feature = "alloc")]
    use alloc::vec::Vec;

    const BYTES: &[u8] = b"\xa2\x0d\x12\x34\x00\x04$S/#\x00\x03a/+";

    /// Returns the error of an UNSUBSCRIBE with these filters. They start at byte 4.
    fn fault_in(filters: &[u8]) -> ReadError {
        fault(&framed(0xa2, &[b"\x00\x01", filters].concat()))
    }

    #[test]
    fn an_unsubscribe_with_two_filters_is_these_bytes() {
        let mut buffer = [0; 64];
        let filters = ["$S/#", "a/+"].map(|filter| TopicFilter::new(filter).unwrap());
        let topic_filters = TopicFilters::encode_to_slice(&mut buffer, filters).unwrap();
        let packet_id = id(0x1234);
        round_trip(
            Unsubscribe {
                packet_id,
                topic_filters,
            },
            BYTES,
        );
    }

    #[test]
    fn an_unsubscribe_without_a_filter_is_refused() {
        assert_eq!(
            fault_in(b""),
            (EmptyList, Field::TopicFilter, 4, Some("MQTT-3.10.3-2"))
        );
    }

    #[test]
    fn a_filter_that_is_not_all_there_is_refused_where_it_starts() {
        for filters in [&b"\x00"[..], b"\x00\x01", b"\x00\x02a"] {
            assert_eq!(
                fault_in(filters),
                (Truncated, Field::TopicFilter, 4, Some("MQTT-4.8.0-1"))
            );
        }
    }

    #[test]
    fn a_requested_qos_behind_a_filter_is_refused() {
        // As in a SUBSCRIBE: the byte is read as the start of another filter.
        assert_eq!(
            fault_in(b"\x00\x01a\x00"),
            (Truncated, Field::TopicFilter, 7, Some("MQTT-4.8.0-1"))
        );
    }

    #[test]
    fn an_empty_filter_is_refused() {
        assert_eq!(
            fault_in(b"\x00\x00"),
            (EmptyTopic, Field::TopicFilter, 6, Some("MQTT-4.7.3-1"))
        );
    }

    #[test]
    fn a_filter_that_is_not_utf8_is_refused() {
        assert_eq!(
            fault_in(b"\x00\x01a\x00\x02b\xff"),
            (InvalidUtf8, Field::TopicFilter, 10, Some("MQTT-1.5.3-1"))
        );
    }

    #[test]
    fn a_filter_with_u_0000_is_refused() {
        assert_eq!(
            fault_in(b"\x00\x01\x00"),
            (NullCharacter, Field::TopicFilter, 6, Some("MQTT-1.5.3-2"))
        );
    }

    #[test]
    fn a_misplaced_multi_level_wildcard_is_refused() {
        assert_eq!(
            fault_in(b"\x00\x02a#"),
            (
                MisplacedMultiLevelWildcard,
                Field::TopicFilter,
                7,
                Some("MQTT-4.7.1-2")
            )
        );
    }

    #[test]
    fn a_misplaced_single_level_wildcard_is_refused() {
        assert_eq!(
            fault_in(b"\x00\x02+a"),
            (
                MisplacedSingleLevelWildcard,
                Field::TopicFilter,
                6,
                Some("MQTT-4.7.1-3")
            )
        );
    }

    #[test]
    fn identifier_0_is_refused() {
        assert_eq!(
            fault(b"\xa2\x05\x00\x00\x00\x01a"),
            (
                ZeroPacketIdentifier,
                Field::PacketIdentifier,
                2,
                Some("MQTT-2.3.1-1")
            )
        );
    }

    #[test]
    fn an_identifier_that_is_not_all_there_is_refused() {
        for bytes in [&b"\xa2\x00"[..], b"\xa2\x01\x00"] {
            assert_eq!(
                fault(bytes),
                (Truncated, Field::PacketIdentifier, 2, Some("MQTT-4.8.0-1"))
            );
        }
    }

    #[test]
    fn a_filter_has_at_most_65535_bytes() {
        // Only `map` can make a longer filter.
        let filter = |bytes| TopicFilter::new("x").unwrap().map(|_| bytes);
        let mut buffer = vec![0; 70_000];
        let topic_filters = TopicFilters::encode_to_slice(&mut buffer, [filter(longest())]);
        let unsubscribe = Unsubscribe {
            packet_id: id(1),
            topic_filters: topic_filters.unwrap(),
        };
        let bytes = encoded(&unsubscribe).unwrap();
        assert_eq!(decoded(&bytes), Packet::Unsubscribe(unsubscribe));

        let mut buffer = vec![0; 70_000];
        let error = TopicFilters::encode_to_slice(&mut buffer, [filter(&TOO_LONG)]).unwrap_err();
        let field = Field::TopicFilter;
        assert_eq!(error, EncodeError::FieldTooLong { field });
        assert_eq!(error.statement(), Some("MQTT-4.7.3-3"));
    }

    #[test]
    fn the_encoder_refuses_an_empty_list_of_filters() {
        let error = TopicFilters::encode_to_slice(&mut [], []).unwrap_err();
        let packet_type = PacketType::Unsubscribe;
        assert_eq!(error, EncodeError::EmptyList { packet_type });
        assert_eq!(error.statement(), Some("MQTT-3.10.3-2"));
    }

    fn unsubscribe() -> Unsubscribe<&'static [u8]> {
        match decoded(BYTES) {
            Packet::Unsubscribe(unsubscribe) => unsubscribe,
            other => panic!("not an UNSUBSCRIBE: {other:?}"),
        }
    }

    #[test]
    fn map_keeps_every_value() {
        let moved = unsubscribe().map(<[u8]>::to_vec);
        assert_eq!(encoded(&moved).as_deref(), Ok(BYTES));
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn to_owned_keeps_every_value() {
        let owned: Unsubscribe<Vec<u8>> = unsubscribe().to_owned();
        assert_eq!(encoded(&owned).as_deref(), Ok(BYTES));
    }
}
