//! The work that a hostile peer can cause in a connection or the codec. `work.rs` counts the
//! instructions.

use std::hint::black_box;

use mqtt_sansio::v5::{AliasVec, AuthReasonCode, Packet, Property, WithTopicAliases};
use mqtt_sansio::{Step, TopicFilter, TopicName};

use crate::agreed::agreed;
use crate::auth::{answer, authenticating};
use crate::common::{Version, frame};
use crate::properties::{user_properties, with_properties};
use crate::*;

/// Work that a hostile peer can cause with `size` bytes.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// Prepares the bytes, without being counted. Returns the counted part, which returns whether
    /// the result is right.
    pub(crate) prepare: fn(usize) -> Box<dyn FnMut() -> bool>,
}

fn matching(filter: String, topic: String, expected: bool) -> Box<dyn FnMut() -> bool> {
    Box::new(move || {
        let filter = TopicFilter::new(black_box(&filter)).unwrap();
        filter.matches(&TopicName::new(&topic).unwrap()) == expected
    })
}

fn decoding<V: Dialect>(bytes: Vec<u8>, expected: bool) -> Box<dyn FnMut() -> bool> {
    let options = common::unlimited();
    Box::new(move || V::decode(&mut black_box(&bytes[..]), &options).is_ok() == expected)
}

fn string(text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&len[..], text.as_bytes()].concat()
}

/// A PUBLISH with this topic.
fn topic(text: &str, expected: bool) -> Box<dyn FnMut() -> bool> {
    decoding::<V3>(frame(0x30, &string(text)), expected)
}

/// A list of entries after a Packet Identifier.
fn list<V: Dialect>(
    first_byte: u8,
    entry: &[u8],
    size: usize,
    last: &[u8],
    ok: bool,
) -> Box<dyn FnMut() -> bool> {
    let entries = entry.repeat(size / entry.len());
    let body = [b"\0\x01", V::NO_PROPERTIES, &entries[..], last].concat();
    decoding::<V>(frame(first_byte, &body), ok)
}

/// A stream from a peer, in parts of a size. The receiver accepts the negotiated Topic Aliases.
fn stream<V: Dialect, R: Role>(
    mut us: Connection<V, R, Counted>,
    packets: &[u8],
    size: usize,
    part: usize,
) -> Box<dyn FnMut() -> bool>
where
    Connection<V, R, Counted>: 'static,
{
    let stream = packets.repeat(size / packets.len());
    Box::new(move || {
        let aliases = WithTopicAliases::new(Vec::new(), AliasVec::new(u16::MAX));
        let mut decoder = StreamDecoder::new(aliases);
        for mut part in black_box(&stream).chunks(part) {
            loop {
                match us.receive(ms(0), &mut decoder, &mut part) {
                    Ok(None) => break,
                    Ok(Some(Step::Action(Action::Close(_)))) | Err(_) => return false,
                    Ok(Some(_)) => {}
                }
            }
        }
        decoder.is_at_packet_boundary()
    })
}

fn to_server<V: Dialect>(packets: &[u8], size: usize, part: usize) -> Box<dyn FnMut() -> bool> {
    let us = connected_with::<(V, ServerRole)>(CONFIG, 64);
    stream(us, packets, size, part)
}

fn to_client<V: Dialect>(packets: &[u8], size: usize, part: usize) -> Box<dyn FnMut() -> bool> {
    let us = connected_with::<(V, ClientRole)>(CONFIG, 64);
    stream(us, packets, size, part)
}

fn workload(name: &'static str, prepare: fn(usize) -> Box<dyn FnMut() -> bool>) -> Workload {
    Workload { name, prepare }
}

pub(crate) fn workloads() -> Vec<Workload> {
    let mut all = vec![
        // A Topic Filter with a Topic Name of the same length
        workload("`/` against `/`", |n| {
            matching("/".repeat(n), "/".repeat(n), true)
        }),
        workload("`/` against `/`, one fewer", |n| {
            matching("/".repeat(n), "/".repeat(n - 1), false)
        }),
        workload("`+/` against `a/`", |n| {
            matching("+/".repeat(n / 2), "a/".repeat(n / 2), true)
        }),
        workload("`+/` against `/`", |n| {
            matching("+/".repeat(n / 2), "/".repeat(n / 2), true)
        }),
        workload("`+/` and another end", |n| {
            let (filter, topic) = ("+/".repeat(n / 2), "a/".repeat(n / 2));
            matching(filter + "x", topic + "y", false)
        }),
        workload("one `+` against one level", |n| {
            matching("+/x".to_owned(), "a".repeat(n) + "/y", false)
        }),
        workload("seven equal bytes and one `+`", |n| {
            matching("aaaaaa/+/".repeat(n / 9), "aaaaaa/b/".repeat(n / 9), true)
        }),
        workload("levels, then `#`", |n| {
            matching("a/".repeat(n / 2) + "#", "a/".repeat(n / 2), true)
        }),
        // Validated strings
        workload("a topic of `/`", |n| topic(&"/".repeat(n), true)),
        workload("a topic of two-byte characters", |n| {
            topic(&"é".repeat(n / 2), true)
        }),
        workload("a topic of four-byte characters", |n| {
            topic(&"🐝".repeat(n / 4), true)
        }),
        workload("a topic of letters and others in turn", |n| {
            topic(&"aé".repeat(n / 3), true)
        }),
        workload("a topic with U+0000 at its end", |n| {
            topic(&("é".repeat(n / 2) + "\0"), false)
        }),
        workload("a topic with a wildcard at its end", |n| {
            topic(&("/".repeat(n) + "+"), false)
        }),
        workload("a filter of `+/`", |n| {
            let filter = [string(&"+/".repeat(n / 2)), vec![0]].concat();
            list::<V3>(0x82, &filter, filter.len(), b"", true)
        }),
        workload("a filter with a fault at its end", |n| {
            let filter = [string(&("+/".repeat(n / 2) + "a+")), vec![0]].concat();
            list::<V3>(0x82, &filter, filter.len(), b"", false)
        }),
        // Lists
        workload("SUBSCRIBE", |n| {
            list::<V3>(0x82, b"\0\x01a\0", n, b"", true)
        }),
        workload("SUBSCRIBE with a fault in its last byte", |n| {
            list::<V3>(0x82, b"\0\x01a\0", n, b"\0\x01a\x03", false)
        }),
        workload("UNSUBSCRIBE", |n| {
            list::<V3>(0xa2, b"\0\x01a", n, b"", true)
        }),
        workload("UNSUBSCRIBE that breaks off", |n| {
            list::<V3>(0xa2, b"\0\x01a", n, b"\0\x02a", false)
        }),
        workload("SUBACK", |n| list::<V3>(0x90, b"\x80", n, b"", true)),
        workload("SUBACK with a fault in its last byte", |n| {
            list::<V3>(0x90, b"\x80", n, b"\x03", false)
        }),
        workload("the filters of a SUBSCRIBE, read", |n| {
            let body = [&b"\0\x01"[..], &b"\0\x01a\0".repeat(n / 4)].concat();
            let bytes = frame(0x82, &body);
            Box::new(move || {
                let packet = V3::decode(&mut black_box(&bytes[..]), &Options::new());
                packet.is_ok_and(|packet| packet.is_some_and(|it| V3::entries(&it) == n / 4))
            })
        }),
        // Streams
        workload("SUBSCRIBE in single bytes", |n| {
            let mut bytes = frame(
                0x82,
                &[&b"\0\x01"[..], &b"\0\x01a\0".repeat(n / 4)].concat(),
            );
            let last = bytes.pop().unwrap();
            Box::new(move || {
                let mut decoder = decoder::<V3>(Options::new());
                let waits = black_box(&bytes)
                    .chunks(1)
                    .all(|mut byte| decoder.decode(&mut byte) == Ok(None));
                waits
                    && decoder
                        .decode(&mut &[last][..])
                        .is_ok_and(|packet| packet.is_some())
            })
        }),
        workload("PINGREQ", |n| to_server::<V3>(b"\xc0\0", n, n)),
        workload("PINGREQ in single bytes", |n| {
            to_server::<V3>(b"\xc0\0", n, 1)
        }),
        workload("PUBREC and PUBREL for nothing, to a client", |n| {
            to_client::<V3>(b"\x50\x02\0\x09\x62\x02\0\x09", n, 1460)
        }),
        workload("PUBREC and PUBREL for nothing, to a server", |n| {
            to_server::<V3>(b"\x50\x02\0\x09\x62\x02\0\x09", n, 1460)
        }),
        workload("one QoS 2 message again and again", |n| {
            to_server::<V3>(b"\x3c\x05\0\x01t\0\x07", n, 1460)
        }),
    ];
    all.extend(workloads_of_mqtt_5());
    all
}

/// User Properties, then `last`.
fn properties(first_byte: u8, size: usize, last: &[u8], ok: bool) -> Box<dyn FnMut() -> bool> {
    let bytes = with_properties(first_byte, &user_properties(size / 7), last);
    decoding::<V5>(bytes, ok)
}

fn workloads_of_mqtt_5() -> Vec<Workload> {
    vec![
        // Properties
        workload("User Properties in CONNECT", |n| {
            properties(0x10, n, b"", true)
        }),
        workload("User Properties in PUBLISH", |n| {
            properties(0x30, n, b"", true)
        }),
        workload("User Properties in PUBACK", |n| {
            properties(0x40, n, b"", true)
        }),
        workload("User Properties in AUTH", |n| {
            properties(0xf0, n, b"\x15\0\x01m", true)
        }),
        workload("User Properties, and one that breaks off", |n| {
            properties(0x30, n, b"\x26\0\x01a\0\x02b", false)
        }),
        workload("User Properties, and one that does not belong there", |n| {
            properties(0x30, n, b"\x21\0\x01", false)
        }),
        workload("User Properties, and one that comes twice", |n| {
            properties(0x30, n, b"\x02\0\0\0\0\x02\0\0\0\0", false)
        }),
        workload("Subscription Identifiers", |n| {
            decoding::<V5>(with_properties(0x30, &b"\x0b\x01".repeat(n / 2), b""), true)
        }),
        workload("Subscription Identifiers, and one of 0", |n| {
            decoding::<V5>(
                with_properties(0x30, &b"\x0b\x01".repeat(n / 2), b"\x0b\0"),
                false,
            )
        }),
        workload("User Properties, read", |n| {
            let bytes = with_properties(0x30, &user_properties(n / 7), b"\x02\0\0\0\x3c");
            Box::new(move || {
                let packet = V5::decode(&mut black_box(&bytes[..]), &Options::new());
                let Ok(Some(Packet::Publish(publish))) = packet else {
                    return false;
                };
                let users = publish.properties.iter();
                let users = users.filter(|it| matches!(it, Property::UserProperty { .. }));
                publish.properties.message_expiry_interval() == Some(60) && users.count() == n / 7
            })
        }),
        // Lists
        workload("SUBSCRIBE of MQTT 5", |n| {
            list::<V5>(0x82, b"\0\x01a\0", n, b"", true)
        }),
        workload("SUBSCRIBE of MQTT 5 with a fault in its last byte", |n| {
            list::<V5>(0x82, b"\0\x01a\0", n, b"\0\x01a\xc0", false)
        }),
        workload("SUBSCRIBE to what the server does not support", |n| {
            let us = agreed::<ServerRole>(
                CONFIG,
                &[Property::WildcardSubscriptionAvailable(false)],
                &[],
            );
            let body = [b"\0\x01\0", &b"\0\x01a\0".repeat(n / 4)[..], b"\0\x01#\0"].concat();
            refused(us, frame(0x82, &body))
        }),
        workload("SUBACK of MQTT 5", |n| {
            list::<V5>(0x90, b"\x80", n, b"", true)
        }),
        workload("SUBACK of MQTT 5 with a fault in its last byte", |n| {
            list::<V5>(0x90, b"\x80", n, b"\x03", false)
        }),
        // Streams
        workload("PINGREQ of MQTT 5 in single bytes", |n| {
            to_server::<V5>(b"\xc0\0", n, 1)
        }),
        workload("PUBREC and PUBREL for nothing, in MQTT 5", |n| {
            to_client::<V5>(b"\x50\x02\0\x09\x62\x02\0\x09", n, 1460)
        }),
        workload("PUBREC with an error for nothing", |n| {
            to_server::<V5>(b"\x50\x03\0\x09\x97", n, 1460)
        }),
        workload("Topic Aliases that change with each packet", |n| {
            let us = agreed::<ServerRole>(CONFIG, &[Property::TopicAliasMaximum(2)], &[]);
            let packets = b"\x30\x07\0\x01a\x03\x23\0\x01\x30\x07\0\x01b\x03\x23\0\x01";
            stream(us, packets, n, 1460)
        }),
        workload("Topic Aliases in single bytes", |n| {
            let us = agreed::<ServerRole>(CONFIG, &[Property::TopicAliasMaximum(2)], &[]);
            let packets = b"\x30\x07\0\x01a\x03\x23\0\x02\x30\x06\0\0\x03\x23\0\x02";
            stream(us, packets, n, 1)
        }),
        workload("AUTH that is answered again and again", |n| {
            let mut us = authenticating();
            let auth = b"\xf0\x06\x18\x04\x15\0\x01m";
            let stream = auth.repeat(n / auth.len());
            Box::new(move || {
                let mut decoder = decoder::<V5>(Options::new());
                let mut input = black_box(&stream[..]);
                loop {
                    match us.receive(ms(0), &mut decoder, &mut input) {
                        Ok(Some(Step::Event(_))) => {}
                        Ok(None) => return input.is_empty(),
                        Ok(Some(Step::Action(_))) | Err(_) => return false,
                    }
                    let code = AuthReasonCode::ContinueAuthentication;
                    if answer(&mut us, code).is_err() {
                        return false;
                    }
                }
            })
        }),
    ]
}

/// A packet that ends the connection.
fn refused<R: Role + 'static>(
    mut us: Connection<V5, R, Counted>,
    packet: Vec<u8>,
) -> Box<dyn FnMut() -> bool> {
    Box::new(move || {
        let packet = V5::decode(&mut black_box(&packet[..]), &common::unlimited());
        let result = us.handle_packet(ms(0), packet.unwrap().unwrap());
        matches!(result, Err(HandleError::Peer(_)))
    })
}
