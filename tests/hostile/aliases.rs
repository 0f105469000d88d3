//! Topic Aliases of MQTT 5, at their limits and beyond them.

use mqtt_sansio::v5::{AliasArray, AliasVec, Property, TopicAliases, WithTopicAliases};
use mqtt_sansio::{CloseReason, Limit, ProtocolError};

use crate::agreed::{NO_LIMIT, agreed, receive};
use crate::bytes::refusal;
use crate::common::frame;
use crate::dialect::Sent;
use crate::*;

/// PUBLISH at QoS 0 to this topic, which may be empty, with this Topic Alias.
fn aliased(topic: &[u8], alias: u16) -> Vec<u8> {
    let len = u16::try_from(topic.len()).unwrap().to_be_bytes();
    frame(
        0x30,
        &[&len, topic, b"\x03\x23", &alias.to_be_bytes()].concat(),
    )
}

fn with_aliases<T: TopicAliases>(
    options: Options,
    aliases: T,
) -> StreamDecoder<V5, WithTopicAliases<Vec<u8>, T>> {
    StreamDecoder::with_options(WithTopicAliases::new(Vec::new(), aliases), options)
}

/// Returns how the connection ends, from the steps of `receive`.
fn received_end(error: PeerError<V5>) -> Dealt<V5> {
    Dealt {
        error: None,
        ..closed_for(error)
    }
}

for_both_roles_of_mqtt_5! {
    /// [MQTT5-3.3.2-8, MQTT5-3.3.2-9, MQTT5-3.3.2-10, MQTT5-3.3.2-11, MQTT5-3.3.2-12]
    fn topic_aliases_are_taken_up_to_the_maximum_and_no_further<R>() {
        for maximum in [1, 2, 4096, 65_534] {
            for part in [1, usize::MAX] {
                let ours = [Property::TopicAliasMaximum(maximum)];
                let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
                let mut decoder = with_aliases(Options::new(), AliasVec::new(maximum));
                for alias in [1, maximum] {
                    for topic in [&b"t"[..], b""] {
                        let packet = aliased(topic, alias);
                        let dealt = receive(&mut us, &mut decoder, &packet, part, |it| assert_eq!(it, b"t"));
                        assert_eq!(dealt, Dealt::TOLD);
                    }
                }
                let packet = aliased(b"t", maximum + 1);
                let error = PeerError::Protocol(ProtocolError::TopicAliasInvalid);
                let dealt = receive(&mut us, &mut decoder, &packet, part, |_| panic!("a message"));
                assert_eq!(dealt, received_end(error));
            }
        }
    }

    /// Without a Topic Alias Maximum no alias is valid; alias 0 is never valid.
    fn a_topic_alias_that_was_not_agreed_on_ends_the_connection<R>() {
        for alias in [1, 2, 65_535] {
            let mut us = agreed::<R>(CONFIG, NO_LIMIT, NO_LIMIT);
            let mut decoder = with_aliases(Options::new(), AliasVec::new(u16::MAX));
            let error = PeerError::Protocol(ProtocolError::TopicAliasInvalid);
            let held = heap(|| {
                let packet = aliased(b"t", alias);
                let dealt = receive(&mut us, &mut decoder, &packet, usize::MAX, |_| panic!("a message"));
                assert_eq!(dealt, received_end(error));
            });
            // The packet itself.
            assert!(held.bytes_max <= 64, "{held:?}");
        }
        let error = refusal::<V5>(&aliased(b"t", 0), &Options::new());
        assert_eq!(error.reason_code().number(), 0x94);
    }

    /// A Topic Alias that has no Topic Name yet, while another one has.
    fn a_topic_alias_that_stands_for_nothing_ends_the_connection<R>() {
        let ours = [Property::TopicAliasMaximum(65_535)];
        for alias in [1, 3, 65_535] {
            let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
            let mut decoder = with_aliases(Options::new(), AliasVec::new(65_535));
            let told = receive(&mut us, &mut decoder, &aliased(b"t", 2), usize::MAX, |_| ());
            assert_eq!(told, Dealt::TOLD);
            let error = PeerError::Protocol(ProtocolError::TopicAliasUnknown);
            let dealt = receive(&mut us, &mut decoder, &aliased(b"", alias), usize::MAX, |_| ());
            assert_eq!(dealt, received_end(error));
        }
    }

    /// Topic Aliases that change with every packet: the decoder holds the last names only.
    fn topic_aliases_that_change_with_each_packet_take_the_memory_of_their_names<R>() {
        const MAXIMUM: u16 = 16;
        let ours = [Property::TopicAliasMaximum(MAXIMUM)];
        let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
        let packets: Vec<Vec<u8>> = (0..64_u8)
            .map(|number| aliased(&vec![b'a' + number % 26; 60_000], 1 + u16::from(number) % MAXIMUM))
            .collect();
        let mut decoder = with_aliases(Options::new(), AliasVec::new(MAXIMUM));
        let held = heap(|| {
            for packet in &packets {
                assert_eq!(receive(&mut us, &mut decoder, packet, usize::MAX, |_| ()), Dealt::TOLD);
            }
        });
        // The names, one more while it replaces another, and the table.
        let names = (u64::from(MAXIMUM) + 1) * 60_000;
        assert!(held.bytes_max <= names + 64 * u64::from(MAXIMUM), "{held:?}");
        assert!(held.count_total < 64 + 8, "{held:?}");
    }

    /// One packet makes the decoder allocate the whole table: 16 bytes for each alias that was
    /// announced.
    fn the_last_topic_alias_alone_takes_no_more_than_the_table<R>() {
        let ours = [Property::TopicAliasMaximum(65_535)];
        let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
        let mut decoder = with_aliases(Options::new(), AliasVec::new(65_535));
        let packet = aliased(b"t", 65_535);
        let held = heap(|| {
            for _ in 0..1000 {
                assert_eq!(receive(&mut us, &mut decoder, &packet, usize::MAX, |_| ()), Dealt::TOLD);
            }
        });
        assert!(held.bytes_max <= 65_535 * 16 + 8, "{held:?}");
    }

    /// Without a heap the buffer is fixed. A name that exceeds it is no violation by the peer, but ends
    /// the connection.
    fn topic_aliases_in_an_array_take_nothing_and_end_the_connection_where_it_is_too_small<R>() {
        let ours = [Property::TopicAliasMaximum(8)];
        for (alias, len) in [(8, 33), (1, 60_000), (5, 1)] {
            let mut us = agreed::<R>(CONFIG, &ours, NO_LIMIT);
            let mut decoder = with_aliases(Options::new(), AliasArray::<4, 32>::new());
            let small = aliased(&[b'x'; 32], 4);
            let large = aliased(&vec![b'x'; len], alias);
            let reason = CloseReason::LimitExceeded {
                limit: Limit::TopicAliases,
                value: 0,
                actual: u32::try_from(len).unwrap(),
            };
            // Quota exceeded, because there was no violation.
            let end = Dealt {
                sent: Some(Sent::of(&[0xe0, 1, 0x97])),
                closed: Some(reason),
                actions: 2,
                ..Dealt::NOTHING
            };
            let held = heap(|| {
                for _ in 0..1000 {
                    assert_eq!(receive(&mut us, &mut decoder, &small, usize::MAX, |_| ()), Dealt::TOLD);
                }
                assert_eq!(receive(&mut us, &mut decoder, &large, usize::MAX, |_| ()), end);
            });
            assert_eq!(held.count_total, 0);
        }
    }
}
