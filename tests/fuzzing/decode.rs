//! Arbitrary bytes and options: no panic, no more bytes consumed than there are, and each packet
//! encodes to the bytes that it was decoded from.

use std::fmt::Write;

use arbitrary::Unstructured;
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use mqtt_sansio::{DecodeError, Encode, EncodeError, Options, SliceOutput};

use super::codec::{Borrowed, Codec};
use super::input;
use crate::common::{as_written, fixed_header, minimal};

pub fn decode(data: &[u8]) {
    decode_as::<V3>(data);
    decode_as::<V5>(data);
}

fn decode_as<V: Codec>(data: &[u8])
where
    for<'a> V::Packet<'a>: Borrowed,
{
    let mut u = Unstructured::new(data);
    let options = input::options(&mut u);
    let stream = u.take_rest();
    let mut rest = stream;
    loop {
        let before = rest;
        let peeked = V::peek(before, &options);
        match V::decode(&mut rest, &options) {
            Ok(Some(packet)) => {
                let used = before.len() - rest.len();
                assert_eq!(before[used..].as_ptr_range(), rest.as_ptr_range());
                let header = peeked.expect("decode takes it").expect("decode takes it");
                assert_eq!(header.packet_len(), used);
                check_packet::<V>(&before[..used], packet, &options);
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
                assert_eq!(V::decode(&mut rest, &options), Err(error));
                check_error::<V>(before, error);
                break;
            }
        }
    }
}

fn check_error<V: Codec>(bytes: &[u8], error: DecodeError<V>) {
    // The error may be found before the packet is complete: missing bytes are missing at its end.
    let announced = fixed_header(bytes).map(|(remaining_length, len)| remaining_length + len);
    let len = announced.unwrap_or(bytes.len());
    assert!(error.offset() <= len, "{error:?} in {len} bytes");
    let statement = error.statement().unwrap_or("MQTT-");
    assert!(statement.starts_with("MQTT-"), "{statement}");
    assert_ne!(printed_len(format_args!("{error} {error:?}")), 0);
    let _ = error.reaction();
}

fn check_packet<'a, V: Codec>(frame: &'a [u8], packet: V::Packet<'a>, options: &Options)
where
    for<'b> V::Packet<'b>: Borrowed,
{
    let owned = V::owned(packet);
    let expected = as_written::<V>(frame, &owned);
    let encoded = packet.encode_to_vec().expect("it was decoded");
    assert_eq!(encoded, expected, "{packet:?}");
    if frame[0] != expected[0] {
        // Accepted only with a leniency.
        let refused = V::decode(&mut &frame[..], &Options::new());
        assert!(refused.is_err(), "{packet:?} from {:02x}", frame[0]);
    }
    assert_eq!(packet.encoded_len(), Ok(encoded.len()));
    if minimal(frame).len() < frame.len() {
        let strict = options.refuse_overlong_remaining_length(true);
        assert!(V::decode(&mut &frame[..], &strict).is_err());
    }
    V::check_rules(&owned);

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
    let decoded = V::decode(&mut again, options);
    assert_eq!(decoded.map(|it| it.map(V::owned)), Ok(Some(owned.clone())));
    assert!(again.is_empty());
    assert_eq!(V::to_owned(packet), owned);
    if frame.len() < 200 {
        assert_ne!(printed_len(format_args!("{packet:?}")), 0);
    }
}

/// Formats a value and discards the text.
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
