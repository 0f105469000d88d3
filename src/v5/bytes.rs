//! Packets over reference-counted [`Bytes`] (feature `bytes`).

use bytes::{Bytes, BytesMut};

use super::{DecodeError, Packet, PacketRef, V5};
use crate::packet;
use crate::packet::bytes::part;
use crate::wire::Options;

/// Removes the packet at the start of `src` and decodes it, as references into the bytes of `src`
/// (feature `bytes`). Returns `Ok(None)` if more bytes are needed: append received bytes and call
/// this again. Only the fixed header is examined before the packet is complete.
///
/// ```
/// use bytes::BytesMut;
/// use mqtt_sansio::{Options, v5::{self, Packet}};
///
/// let mut received = BytesMut::from(&b"\x30\x08\x00\x03a/b\x00hi\xc0"[..]);
/// let packet = v5::decode_bytes(&mut received, &Options::new())?;
/// let Some(Packet::Publish(publish)) = packet else { panic!() };
/// assert_eq!(publish.payload, "hi");
/// assert_eq!(v5::decode_bytes(&mut received, &Options::new())?, None);
/// assert_eq!(received, &b"\xc0"[..]);
/// # Ok::<(), mqtt_sansio::v5::DecodeError>(())
/// ```
///
/// # Errors
///
/// The first fault of the packet. `src` keeps the packet, and the next call returns the same error.
pub fn decode_bytes(
    src: &mut BytesMut,
    options: &Options,
) -> Result<Option<Packet<Bytes>>, DecodeError> {
    packet::bytes::decode_bytes::<V5, _, _>(
        src,
        options,
        without_bytes,
        |packet, place| packet.map(place),
        |packet, frame| packet.map(|place| part(frame, place)),
    )
}

#[cfg(feature = "tokio-util")]
impl packet::bytes::SharedPackets for V5 {
    type Shared = Packet<Bytes>;

    fn decode_bytes(
        src: &mut BytesMut,
        options: &Options,
    ) -> Result<Option<Packet<Bytes>>, DecodeError> {
        decode_bytes(src, options)
    }
}

/// Returns the packet, if it has no strings or payload.
fn without_bytes(packet: &PacketRef<'_>) -> Option<Packet<Bytes>> {
    let mut has_none = true;
    let small = packet.map(|part| {
        has_none &= part.is_empty();
        Bytes::new()
    });
    has_none.then_some(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_packet_refers_to_the_buffer_it_was_decoded_from() {
        let mut src = BytesMut::from(&b"\x32\x0e\x00\x03a/b\x00\x01\x03\x23\x00\x07xyz"[..]);
        let start = src.as_ptr();
        let Some(Packet::Publish(publish)) = decode_bytes(&mut src, &Options::new()).unwrap()
        else {
            panic!("no PUBLISH");
        };
        assert_eq!(publish.topic.as_bytes().as_ptr(), start.wrapping_add(4));
        assert_eq!(
            publish.properties.as_bytes().as_ptr(),
            start.wrapping_add(10)
        );
        assert_eq!(publish.payload.as_ptr(), start.wrapping_add(13));
    }

    #[test]
    fn decode_bytes_leaves_a_malformed_packet_where_it_is() {
        let mut src = BytesMut::from(&b"\xe0\x00\x40\x02\x00\x00"[..]);
        assert!(matches!(
            decode_bytes(&mut src, &Options::new()),
            Ok(Some(Packet::Disconnect(_)))
        ));
        let error = decode_bytes(&mut src, &Options::new()).unwrap_err();
        assert_eq!(decode_bytes(&mut src, &Options::new()), Err(error));
        assert_eq!(src.len(), 4);
    }
}
