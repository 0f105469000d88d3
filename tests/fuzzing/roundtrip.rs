//! Packets that `arbitrary` makes up: every encoder writes the same bytes, and they are read as the
//! same packet.

use arbitrary::Unstructured;
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use mqtt_sansio::{Encode, Options, StreamDecoder};

use super::codec::{Borrowed, Codec};
use crate::common::{feed, receive};

pub fn roundtrip(data: &[u8]) {
    roundtrip_as::<V3>(data);
    roundtrip_as::<V5>(data);
}

fn roundtrip_as<V: Codec>(data: &[u8])
where
    for<'a> V::Packet<'a>: Borrowed,
{
    let mut u = Unstructured::new(data);
    // Behind each other, as far as the bytes go.
    let mut packets = Vec::new();
    let mut stream = Vec::new();
    while packets.len() < 8 && (packets.is_empty() || !u.is_empty()) {
        let packet = V::arbitrary(&mut u).expect("any bytes make a packet");
        let encoded = packet.encode_to_vec().expect("it is one");
        assert_eq!(packet.encoded_len(), Ok(encoded.len()));
        let mut rest = &encoded[..];
        let decoded = V::decode(&mut rest, &Options::new());
        assert_eq!(decoded, Ok(Some(V::borrowed(&packet))));
        assert!(rest.is_empty());
        V::check_rules(&packet);
        check_other_outputs::<V>(&packet, &encoded);
        stream.extend(encoded);
        packets.push(packet);
    }

    let outcome = feed(StreamDecoder::<V, _>::new(Vec::new()), stream.chunks(7));
    assert_eq!(outcome.packets, packets);
    assert_eq!((outcome.error, outcome.at_packet_boundary), (None, true));

    // Payloads in pieces, up to the first packet that does not fit otherwise.
    let received = receive(StreamDecoder::<V, _>::new([0; 64]), stream.chunks(50));
    assert_eq!(received.error.is_none(), received.at_packet_boundary);
    assert!(received.error.is_some() || received.items.len() == packets.len());
    for (item, packet) in received.items.into_iter().zip(packets) {
        assert_eq!(item.into_packet(), packet);
    }
}

/// A packet by way of each kind of output.
fn check_other_outputs<V: Codec>(packet: &V::Owned, encoded: &[u8])
where
    for<'a> V::Packet<'a>: Borrowed,
{
    let borrowed = V::borrowed(packet);
    let mut buffer = vec![0; encoded.len()];
    let written = borrowed.encode_to_slice(&mut buffer);
    assert_eq!(written.as_deref(), Ok(encoded));

    // What is in front of it stays.
    let mut behind = b"before".to_vec();
    packet.encode(&mut behind).expect("a vector has room");
    assert_eq!(behind.strip_prefix(b"before"), Some(encoded));

    #[cfg(feature = "bytes")]
    {
        let mut out = bytes::BytesMut::new();
        packet.encode(&mut out).expect("it has room");
        assert_eq!(out, encoded);
        let whole = out.freeze();
        let decoded = V::decode(&mut &whole[..], &Options::new());
        let decoded = decoded.expect("it is one").expect("it is whole");
        assert_eq!(V::share(decoded, &whole), *packet);
    }

    if let Some((header, payload)) = V::split(packet) {
        assert_eq!([&header, payload].concat(), encoded);
    }
}
