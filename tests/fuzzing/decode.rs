//! Arbitrary bytes, arbitrary options: no panic, nothing consumed that is not there, and what comes
//! out is written back as it came.

use std::fmt::Write;

use arbitrary::Unstructured;
use mqtt_sansio::v3::{self, DecodeError, Packet, PacketRef};
use mqtt_sansio::{Encode, EncodeError, Options, SliceOutput, TopicFilter, TopicName};

use super::input;
use crate::common::{as_written, fixed_header};

pub fn decode(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let options = input::options(&mut u);
    let stream = u.take_rest();
    let mut rest = stream;
    loop {
        let before = rest;
        let peeked = v3::peek(before, &options);
        match v3::decode(&mut rest, &options) {
            Ok(Some(packet)) => {
                let used = before.len() - rest.len();
                assert_eq!(before[used..].as_ptr_range(), rest.as_ptr_range());
                let header = peeked.expect("decode takes it").expect("decode takes it");
                assert_eq!(header.packet_len(), used);
                check_packet(&before[..used], packet, &options);
            }
            Ok(None) => {
                assert_eq!(before.as_ptr_range(), rest.as_ptr_range());
                let header = peeked.expect("decode does not mind");
                assert!(header.is_none_or(|header| header.packet_len() > before.len()));
                break;
            }
            Err(error) => {
                assert_eq!(before.as_ptr_range(), rest.as_ptr_range());
                assert!(peeked.is_ok() || peeked == Err(error));
                assert_eq!(v3::decode(&mut rest, &options), Err(error));
                check_error(before, error);
                break;
            }
        }
    }
}

fn check_error(bytes: &[u8], error: DecodeError) {
    // It may be found before all of the packet has come. What is missing is missing at its end.
    let announced = fixed_header(bytes).map(|(remaining_length, len)| remaining_length + len);
    let len = announced.unwrap_or(bytes.len());
    assert!(error.offset() <= len, "{error:?} in {len} bytes");
    let statement = error.statement().unwrap_or("MQTT-");
    assert!(statement.starts_with("MQTT-"), "{statement}");
    assert_ne!(printed_len(format_args!("{error} {error:?}")), 0);
    let _ = error.reaction();
}

fn check_packet(frame: &[u8], packet: PacketRef<'_>, options: &Options) {
    let expected = as_written(frame, &packet);
    let encoded = packet.encode_to_vec().expect("it was decoded");
    assert_eq!(encoded, expected, "{packet:?}");
    if frame[0] != expected[0] {
        // Only with a leniency.
        let refused = v3::decode(&mut &frame[..], &Options::new());
        assert!(refused.is_err(), "{packet:?} from {:02x}", frame[0]);
    }
    assert_eq!(packet.encoded_len(), Ok(encoded.len()));
    if encoded.len() < frame.len() {
        let minimal = options.refuse_overlong_remaining_length(true);
        assert!(v3::decode(&mut &frame[..], &minimal).is_err());
    }
    check_strings(&packet);

    let mut buffer = vec![0; encoded.len()];
    assert_eq!(
        packet.encode_to_slice(&mut buffer).as_deref(),
        Ok(&expected[..])
    );
    let mut short = SliceOutput::new(&mut buffer[1..]);
    let refused = packet.encode(&mut short);
    assert!(
        matches!(refused, Err(EncodeError::NoRoom { .. })),
        "{refused:?}"
    );
    assert_eq!(short.written(), b"", "a part of a packet");

    let mut again = &encoded[..];
    assert_eq!(v3::decode(&mut again, options), Ok(Some(packet)));
    assert!(again.is_empty());
    assert_eq!(packet.to_owned(), packet.map(<[u8]>::to_vec));
    if frame.len() < 200 {
        assert_ne!(printed_len(format_args!("{packet:?}")), 0);
    }
}

/// Every string is one: `as_str` would leave out what is not UTF-8 [MQTT-1.5.3-1, MQTT-1.5.3-2].
fn check_strings(packet: &PacketRef<'_>) {
    let check = |bytes: &[u8], text: &str| {
        assert_eq!(text.as_bytes(), bytes);
        assert!(!bytes.contains(&0), "U+0000 in {text:?}");
    };
    let topic = |topic: &TopicName<&[u8]>| {
        check(topic.as_bytes(), topic.as_str());
        assert!(!topic.as_bytes().is_empty());
        assert!(!topic.as_str().contains(['+', '#']), "{topic:?}");
    };
    let filter = |filter: &TopicFilter<&[u8]>| {
        let text = filter.as_str();
        check(filter.as_bytes(), text);
        // [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1]
        let mut levels = text.split('/').rev();
        assert!(
            !text.is_empty()
                && levels
                    .next()
                    .is_some_and(|last| is_level(last) || last == "#")
        );
        assert!(levels.all(is_level), "{filter:?}");
    };
    match packet {
        Packet::Connect(connect) => {
            let connect = connect.to_connect();
            check(connect.client_id.as_bytes(), connect.client_id.as_str());
            if let Some(will) = &connect.will {
                topic(&will.topic);
            }
            if let Some(credentials) = &connect.credentials {
                let user_name = &credentials.user_name;
                check(user_name.as_bytes(), user_name.as_str());
            }
        }
        Packet::Publish(publish) => topic(&publish.topic),
        Packet::Subscribe(subscribe) => {
            let mut entries = 0;
            for entry in &subscribe.subscriptions {
                filter(&entry.topic_filter);
                entries += 1;
            }
            assert!(entries > 0 && entries == subscribe.subscriptions.len());
        }
        Packet::Unsubscribe(unsubscribe) => {
            assert_ne!(unsubscribe.topic_filters.len(), 0);
            unsubscribe.topic_filters.iter().for_each(|it| filter(&it));
        }
        Packet::SubAck(suback) => assert_ne!(suback.return_codes.len(), 0),
        _ => {}
    }
}

/// A level of a Topic Filter, but for the last.
fn is_level(level: &str) -> bool {
    level == "+" || !level.contains(['+', '#'])
}

/// Prints, and throws away what is printed.
fn printed_len(what: std::fmt::Arguments<'_>) -> usize {
    struct Counter(usize);
    impl Write for Counter {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut counter = Counter(0);
    counter.write_fmt(what).expect("it can be printed");
    counter.0
}
