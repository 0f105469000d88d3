//! Packets over reference-counted [`Bytes`] (feature `bytes`).

use bytes::{Bytes, BytesMut};

use super::{Packet, PacketRef, V3};
use crate::packet::bytes::part;
use crate::v3::DecodeError;
use crate::wire::Options;

/// Removes the packet at the start of `src` and decodes it, as references into the bytes of `src`
/// (feature `bytes`). Returns `Ok(None)` if more bytes are needed: append received bytes and call
/// this again. Only the fixed header is examined before the packet is complete.
///
/// ```
/// use bytes::BytesMut;
/// use mqtt_sansio::{Options, v3::{self, Packet}};
///
/// let mut received = BytesMut::from(&b"\x30\x07\x00\x03a/bhi\xc0"[..]);
/// let packet = v3::decode_bytes(&mut received, &Options::new())?;
/// let Some(Packet::Publish(publish)) = packet else { panic!() };
/// assert_eq!(publish.payload, "hi");
/// assert_eq!(v3::decode_bytes(&mut received, &Options::new())?, None);
/// assert_eq!(received, &b"\xc0"[..]);
/// # Ok::<(), mqtt_sansio::v3::DecodeError>(())
/// ```
///
/// # Errors
///
/// The first fault of the packet. `src` keeps the packet, and the next call returns the same error.
pub fn decode_bytes(
    src: &mut BytesMut,
    options: &Options,
) -> Result<Option<Packet<Bytes>>, DecodeError> {
    crate::packet::bytes::decode_bytes::<V3, _, _>(
        src,
        options,
        without_bytes,
        |packet, place| packet.map(place),
        |packet, frame| packet.map(|place| part(frame, place)),
    )
}

#[cfg(feature = "tokio-util")]
impl crate::packet::bytes::SharedPackets for V3 {
    type Shared = Packet<Bytes>;

    fn decode_bytes(
        src: &mut BytesMut,
        options: &Options,
    ) -> Result<Option<Packet<Bytes>>, DecodeError> {
        decode_bytes(src, options)
    }
}

/// Returns the packet, if it has no strings or payload.
const fn without_bytes(packet: &PacketRef<'_>) -> Option<Packet<Bytes>> {
    Some(match *packet {
        Packet::ConnAck(packet) => Packet::ConnAck(packet),
        Packet::PubAck(packet) => Packet::PubAck(packet),
        Packet::PubRec(packet) => Packet::PubRec(packet),
        Packet::PubRel(packet) => Packet::PubRel(packet),
        Packet::PubComp(packet) => Packet::PubComp(packet),
        Packet::UnsubAck(packet) => Packet::UnsubAck(packet),
        Packet::PingReq => Packet::PingReq,
        Packet::PingResp => Packet::PingResp,
        Packet::Disconnect => Packet::Disconnect,
        Packet::Connect(_)
        | Packet::Publish(_)
        | Packet::Subscribe(_)
        | Packet::SubAck(_)
        | Packet::Unsubscribe(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_packet_refers_to_the_buffer_it_was_decoded_from() {
        let whole = Bytes::from_static(b"\x32\x0a\x00\x03a/b\x00\x01xyz");
        let packet = crate::v3::decode(&mut &whole[..], &Options::new()).unwrap();
        let Some(Packet::Publish(publish)) = packet else {
            panic!("{packet:?}")
        };
        let shared = publish.share(&whole);
        assert_eq!(shared.payload.as_ptr(), whole[9..].as_ptr());
        assert_eq!(shared.topic.as_bytes().as_ptr(), whole[4..].as_ptr());
    }

    #[test]
    fn a_field_that_is_not_in_the_buffer_is_copied() {
        let whole = Bytes::from_static(b"\x30\x05\x00\x01axy");
        let elsewhere = whole.to_vec();
        let packet = crate::v3::decode(&mut &elsewhere[..], &Options::new())
            .unwrap()
            .unwrap();
        assert_eq!(packet.share(&whole), packet.share(&Bytes::new()));
        assert_eq!(
            packet.share(&whole).map(|bytes| bytes.to_vec()),
            packet.to_owned()
        );
    }

    #[test]
    fn decode_bytes_leaves_a_malformed_packet_where_it_is() {
        let mut src = BytesMut::from(&b"\xc0\x00\x40\x02\x00\x00"[..]);
        assert_eq!(
            decode_bytes(&mut src, &Options::new()),
            Ok(Some(Packet::PingReq))
        );
        let error = decode_bytes(&mut src, &Options::new()).unwrap_err();
        assert_eq!(decode_bytes(&mut src, &Options::new()), Err(error));
        assert_eq!(src.len(), 4);
    }
}
