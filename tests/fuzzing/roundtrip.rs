//! Packets that `arbitrary` makes up: every encoder writes the same bytes, and they are read as the
//! same packet.

use arbitrary::{Arbitrary, Unstructured};
use mqtt_sansio::v3::{self, Decoder, Packet};
use mqtt_sansio::{Encode, Options};

use crate::common::{decode_whole, feed, receive};

pub fn roundtrip(data: &[u8]) {
    let mut u = Unstructured::new(data);
    // Behind each other, as far as the bytes go.
    let mut packets = Vec::new();
    let mut stream = Vec::new();
    while packets.len() < 8 && (packets.is_empty() || !u.is_empty()) {
        let packet = Packet::<Vec<u8>>::arbitrary(&mut u).expect("any bytes make a packet");
        let encoded = packet.encode_to_vec().expect("it is one");
        assert_eq!(packet.encoded_len(), Ok(encoded.len()));
        assert_eq!(decode_whole(&encoded, &Options::new()), Ok(packet.as_ref()));
        check_other_outputs(&packet, &encoded);
        stream.extend(encoded);
        packets.push(packet);
    }

    let outcome = feed(Decoder::new(Vec::new()), stream.chunks(7));
    assert_eq!(outcome.packets, packets);
    assert_eq!((outcome.error, outcome.at_packet_boundary), (None, true));

    // Payloads in pieces, up to the first packet that does not fit otherwise.
    let received = receive(Decoder::new([0; 64]), stream.chunks(50));
    assert_eq!(received.error.is_none(), received.at_packet_boundary);
    assert!(received.error.is_some() || received.items.len() == packets.len());
    for (item, packet) in received.items.into_iter().zip(packets) {
        assert_eq!(item.into_packet(), packet);
    }
}

/// A packet by way of each kind of output.
fn check_other_outputs(packet: &Packet<Vec<u8>>, encoded: &[u8]) {
    let mut buffer = vec![0; encoded.len()];
    let written = packet.encode_to_slice(&mut buffer);
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
        let shared = v3::decode(&mut &whole[..], &Options::new());
        let shared = shared
            .expect("it is one")
            .expect("it is whole")
            .share(&whole);
        assert_eq!(shared.map(|bytes| bytes.to_vec()), *packet);
    }

    if let Packet::Publish(publish) = packet {
        let header = publish.header().expect("it was encoded");
        let mut in_pieces = header.encode_to_vec().expect("it was encoded");
        in_pieces.extend(&publish.payload);
        assert_eq!(in_pieces, encoded);
    }
}
