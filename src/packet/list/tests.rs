use super::*;
use crate::packet::testing::{ReadError, TOO_LONG, Vec, fault_with, id, longest, vec};
use crate::types::{QoS, TopicFilter};
use crate::v3::{
    ReturnCode, ReturnCodes, SubAck, SubAckEntry, Subscription, SubscriptionEntry, Subscriptions,
    TopicFilterEntry, TopicFilters, V3, decode,
};
use crate::wire::Options;
use ErrorKind::*;
use std::collections::HashSet;
use std::format;

fn filter(filter: &str) -> TopicFilter<&[u8]> {
    TopicFilter::new(filter).unwrap()
}

fn subscription(topic_filter: &str, qos: QoS) -> Subscription<&[u8]> {
    Subscription {
        topic_filter: filter(topic_filter),
        qos,
    }
}

fn two() -> [Subscription<&'static [u8]>; 2] {
    [
        subscription("a/+", QoS::AtLeastOnce),
        subscription("#", QoS::ExactlyOnce),
    ]
}

const TWO: &[u8] = b"\x00\x03a/+\x01\x00\x01#\x02";

// Lists made from entries.

#[test]
fn entries_come_out_in_the_order_they_went_in() {
    let mut buffer = [0; 64];
    let list = Subscriptions::encode_to_slice(&mut buffer, two()).unwrap();
    assert_eq!(list.as_bytes(), TWO);
    assert_eq!(list.iter().collect::<Vec<_>>(), two());
    assert_eq!(list.into_iter().collect::<Vec<_>>(), two());
}

#[cfg(feature = "alloc")]
#[test]
fn a_list_on_the_heap_has_the_same_bytes() {
    let list = Subscriptions::encode_to_vec(two()).unwrap();
    assert_eq!(list.as_bytes(), TWO);
}

#[test]
fn an_entry_that_comes_twice_stays_twice() {
    let codes = [ReturnCode::Failure; 2];
    let mut buffer = [0; 2];
    let list = ReturnCodes::encode_to_slice(&mut buffer, codes).unwrap();
    assert_eq!(list.as_bytes(), b"\x80\x80");
    assert_eq!(list.len(), 2);
}

#[test]
fn len_counts_entries_and_not_bytes() {
    let mut buffer = [0; 64];
    let [one, _] = two();
    assert_eq!(
        Subscriptions::encode_to_slice(&mut buffer, [one])
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        Subscriptions::encode_to_slice(&mut buffer, two())
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn encoded_len_is_the_smallest_buffer_that_will_do() {
    let len = Subscriptions::<&[u8]>::encoded_len(two()).unwrap();
    assert_eq!(len, TWO.len());
    let mut buffer = vec![0; len];
    assert!(Subscriptions::encode_to_slice(&mut buffer, two()).is_ok());
    assert!(matches!(
        Subscriptions::encode_to_slice(&mut buffer[1..], two()),
        Err(EncodeError::NoRoom { .. })
    ));
}

#[test]
fn a_list_without_an_entry_cannot_be_built() {
    fn refused<E: Entry>() -> EncodeError
    where
        for<'a> E::Item<'a>: core::fmt::Debug,
    {
        let mut buffer = [0; 8];
        let error = List::<&[u8], E>::encode_to_slice(&mut buffer, []).unwrap_err();
        assert_eq!(List::<&[u8], E>::encoded_len([]), Err(error));
        #[cfg(feature = "alloc")]
        assert_eq!(List::<Vec<u8>, E>::encode_to_vec([]), Err(error));
        error
    }
    for (error, packet_type, statement) in [
        (
            refused::<SubscriptionEntry>(),
            PacketType::Subscribe,
            "MQTT-3.8.3-3",
        ),
        (refused::<SubAckEntry>(), PacketType::SubAck, "MQTT-3.8.4-5"),
        (
            refused::<TopicFilterEntry>(),
            PacketType::Unsubscribe,
            "MQTT-3.10.3-2",
        ),
    ] {
        assert_eq!(error, EncodeError::EmptyList { packet_type });
        assert_eq!(error.statement(), Some(statement));
    }
}

#[test]
fn an_entry_that_cannot_be_written_is_refused_in_any_place() {
    // Only `map` can make a filter of that length.
    let entries = |bytes| [filter("a"), filter("b").map(|_| bytes)];
    assert_eq!(
        TopicFilters::<&[u8]>::encoded_len(entries(longest())),
        Ok(65_540)
    );
    assert_eq!(
        TopicFilters::<&[u8]>::encoded_len(entries(&TOO_LONG)),
        Err(EncodeError::FieldTooLong {
            field: Field::TopicFilter
        })
    );
}

// Decoding

fn limit_of_two(bytes: &[u8]) -> ReadError {
    fault_with::<V3>(bytes, &Options::new().max_filters(2))
}

#[test]
fn as_many_filters_as_the_limit_allows_pass() {
    let options = Options::new().max_filters(2);
    for mut bytes in [
        &b"\x82\x0a\x00\x01\x00\x01a\x00\x00\x01b\x00"[..],
        b"\xa2\x08\x00\x01\x00\x01a\x00\x01b",
    ] {
        assert!(matches!(decode(&mut bytes, &options), Ok(Some(_))));
    }
}

#[test]
fn one_filter_more_than_the_limit_is_refused_where_it_starts() {
    assert_eq!(
        limit_of_two(b"\x82\x0e\x00\x01\x00\x01a\x00\x00\x01b\x00\x00\x01c\x00"),
        (TooManyFilters, Field::TopicFilter, 12, None)
    );
    assert_eq!(
        limit_of_two(b"\xa2\x0b\x00\x01\x00\x01a\x00\x01b\x00\x01c"),
        (TooManyFilters, Field::TopicFilter, 10, None)
    );
}

#[test]
fn a_limit_of_0_refuses_the_first_filter() {
    assert_eq!(
        fault_with::<V3>(b"\xa2\x05\x00\x01\x00\x01a", &Options::new().max_filters(0)),
        (TooManyFilters, Field::TopicFilter, 4, None)
    );
}

#[test]
fn the_limit_is_not_for_return_codes() {
    // A client has sent the filters that they answer itself.
    let options = Options::new().max_filters(0);
    let mut bytes = &b"\x90\x05\x00\x01\x00\x01\x80"[..];
    assert!(matches!(decode(&mut bytes, &options), Ok(Some(_))));
}

#[test]
fn iterating_goes_on_yielding_none_at_the_end() {
    let list = List::<&[u8], SubAckEntry>::from_checked(b"\x01");
    let mut entries = list.iter();
    assert_eq!(entries.next(), Some(ReturnCode::Success(QoS::AtLeastOnce)));
    assert_eq!(entries.next(), None);
    assert_eq!(entries.next(), None);
}

#[test]
fn a_clone_of_the_entries_starts_where_they_are() {
    let list = List::<&[u8], SubscriptionEntry>::from_checked(TWO);
    let mut entries = list.iter();
    assert_eq!(entries.next().unwrap().topic_filter, "a/+");
    let mut clone = entries.clone();
    assert_eq!(clone.next().unwrap().topic_filter, "#");
    assert_eq!(entries.next().unwrap().topic_filter, "#");
}

// The rest.

#[test]
fn map_and_as_ref_keep_the_entries() {
    let mut buffer = [0; 64];
    let list = Subscriptions::encode_to_slice(&mut buffer, two()).unwrap();
    let moved = list.map(<[u8]>::to_vec);
    assert_eq!(moved.as_ref(), list);
    assert_eq!(moved.iter().collect::<Vec<_>>(), two());
}

#[test]
fn lists_are_equal_if_their_entries_are() {
    let list = List::<_, SubAckEntry>::from_checked;
    assert_eq!(list(b"\x00\x01"), list(b"\x00\x01"));
    assert_ne!(list(b"\x00\x01"), list(b"\x01\x00"));
    let set = HashSet::from([list(b"\x00\x01"), list(b"\x00\x01"), list(b"\x01\x00")]);
    let hash = |list: &List<_, _>| {
        use core::hash::{BuildHasher, BuildHasherDefault};
        use std::hash::DefaultHasher;
        BuildHasherDefault::<DefaultHasher>::default().hash_one(list)
    };
    assert_ne!(hash(&list(b"\x00\x01")), hash(&list(b"\x01\x00")));
    assert_eq!(set.len(), 2);
}

#[test]
fn a_list_prints_as_its_entries() {
    let return_codes = List::from_checked(&b"\x80\x02"[..]);
    let suback = SubAck {
        packet_id: id(1),
        return_codes,
    };
    assert_eq!(
        format!("{suback:?}"),
        "SubAck { packet_id: PacketId(1), return_codes: [Failure, Success(ExactlyOnce)] }"
    );
    let mut entries = return_codes.iter();
    assert!(entries.next().is_some());
    assert_eq!(format!("{entries:?}"), "[Success(ExactlyOnce)]");
}
