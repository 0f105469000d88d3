//! Packets as the items of `tokio_util::codec::Framed` (feature `tokio-util`).

use std::io;

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use crate::connection::Reply;
use crate::packet::bytes::SharedPackets;
use crate::wire::{DecodeError, Encode, EncodeError, Options, PacketSet};
use crate::{v3, v5};

/// Packets for [`Framed`](tokio_util::codec::Framed), `FramedRead` and `FramedWrite` (feature
/// `tokio-util`). A decoded packet refers to the read buffer; nothing is copied.
///
/// A [`Connection`](crate::Connection) encodes its packets itself: pass
/// [`Framed::write_buffer_mut`](tokio_util::codec::Framed::write_buffer_mut) to its commands as output,
/// and flush.
///
/// ```
/// use bytes::BytesMut;
/// use mqtt_sansio::v5::{Packet, V5};
/// use mqtt_sansio::{Codec, Options};
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let mut codec = Codec::<V5>::new(Options::new());
/// let mut buffer = BytesMut::new();
/// codec.encode(Packet::<&[u8]>::PingReq, &mut buffer)?;
/// assert_eq!(buffer, &b"\xc0\x00"[..]);
/// assert_eq!(codec.decode(&mut buffer)?, Some(Packet::PingReq));
/// # Ok::<(), mqtt_sansio::CodecError<V5>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Codec<V> {
    options: Options,
    fault: Option<DecodeError<V>>,
}

#[cfg(feature = "defmt")]
impl<V> defmt::Format for Codec<V> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Codec {{ options: {}, fault: {} }}",
            self.options,
            self.fault
        );
    }
}

impl<V> Codec<V> {
    /// Creates a codec with the limits and leniencies of `options`.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self {
            options,
            fault: None,
        }
    }

    /// Changes the options from the next packet on: a server raises the limit once it has accepted
    /// a CONNECT.
    pub const fn set_options(&mut self, options: Options) {
        self.options = options;
    }
}

impl<V> Default for Codec<V> {
    fn default() -> Self {
        Self::new(Options::new())
    }
}

/// The error of a [`Codec`] or its transport (feature `tokio-util`).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError<V: PacketSet> {
    /// The peer sent bytes that are not an MQTT packet, or that exceed a limit. Pass the error to
    /// [`Connection::handle_decode_error`](crate::Connection::handle_decode_error), which ends the
    /// connection.
    #[error(transparent)]
    Decode(DecodeError<V>),
    /// The packet cannot be encoded. Nothing was written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The transport has failed, or ended in the middle of a packet
    /// ([`UnexpectedEof`](io::ErrorKind::UnexpectedEof)).
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// After an error the codec returns the same error at each call, because the connection has to
/// close.
impl<V: SharedPackets> Decoder for Codec<V> {
    type Item = V::Shared;
    type Error = CodecError<V>;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<V::Shared>, CodecError<V>> {
        if let Some(fault) = self.fault {
            return Err(CodecError::Decode(fault));
        }
        V::decode_bytes(src, &self.options).map_err(|fault| {
            self.fault = Some(fault);
            CodecError::Decode(fault)
        })
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<V::Shared>, CodecError<V>> {
        match self.decode(src)? {
            None if !src.is_empty() => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            packet => Ok(packet),
        }
    }
}

/// Writes the whole packet, or nothing and returns the reason.
impl<B: AsRef<[u8]>> Encoder<v3::Packet<B>> for Codec<v3::V3> {
    type Error = CodecError<v3::V3>;

    fn encode(&mut self, packet: v3::Packet<B>, dst: &mut BytesMut) -> Result<(), Self::Error> {
        Ok(packet.encode(dst)?)
    }
}

/// Writes the whole packet, or nothing and returns the reason.
impl<B: AsRef<[u8]>> Encoder<v5::Packet<B>> for Codec<v5::V5> {
    type Error = CodecError<v5::V5>;

    fn encode(&mut self, packet: v5::Packet<B>, dst: &mut BytesMut) -> Result<(), Self::Error> {
        Ok(packet.encode(dst)?)
    }
}

/// Writes the reply of [`Action::Transmit`](crate::Action::Transmit).
impl<V: PacketSet, const N: usize> Encoder<Reply<N>> for Codec<V> {
    type Error = CodecError<V>;

    fn encode(&mut self, reply: Reply<N>, dst: &mut BytesMut) -> Result<(), Self::Error> {
        dst.extend_from_slice(reply.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Config;
    use crate::session::{Session, Slot};
    use crate::time::Timestamp;
    use crate::types::{PacketId, Text, TopicName};
    use crate::v3::{
        Action, Connect, Delivery, EncodedConnect, Packet, PubAck, Publish, Reply, Server,
    };

    type Codec = super::Codec<v3::V3>;

    const PUBLISH: &[u8] = b"\x30\x07\x00\x03a/bhi";

    #[test]
    fn packets_come_out_whole_and_refer_to_the_buffer() {
        let mut codec = Codec::default();
        let mut src = BytesMut::with_capacity(64);
        for &byte in PUBLISH.split_last().unwrap().1 {
            src.extend_from_slice(&[byte]);
            assert_eq!(codec.decode(&mut src).unwrap(), None);
        }
        src.extend_from_slice(b"i\xd0\x00");
        let start = src.as_ptr();
        let Some(Packet::Publish(publish)) = codec.decode(&mut src).unwrap() else {
            panic!("no PUBLISH");
        };
        assert_eq!(publish.payload, "hi");
        assert_eq!(publish.payload.as_ptr(), start.wrapping_add(7));
        assert_eq!(codec.decode(&mut src).unwrap(), Some(Packet::PingResp));
        assert!(codec.decode_eof(&mut src).unwrap().is_none());
    }

    #[test]
    fn the_packets_of_mqtt_5_come_and_go_too() {
        let mut codec = super::Codec::<v5::V5>::default();
        let mut buffer = BytesMut::new();
        let puback = v5::PubAck::new(PacketId::MIN);
        codec.encode(v5::Packet::from(puback), &mut buffer).unwrap();
        let packet = codec.decode(&mut buffer).unwrap().unwrap();
        assert_eq!(packet.as_ref(), v5::Packet::from(puback));
    }

    #[test]
    fn a_fault_stays_whatever_comes_then() {
        let mut codec = Codec::default();
        let mut src = BytesMut::from(&b"\x40\x02\x00\x00"[..]);
        let CodecError::Decode(fault) = codec.decode(&mut src).unwrap_err() else {
            panic!("not a fault of the peer");
        };
        let mut src = BytesMut::from(PUBLISH);
        let again = codec.decode(&mut src).unwrap_err();
        assert!(matches!(again, CodecError::Decode(other) if other == fault));
        assert!(codec.decode_eof(&mut BytesMut::new()).is_err());
    }

    #[test]
    fn the_end_in_the_middle_of_a_packet_is_an_error_and_at_a_boundary_none() {
        let mut codec = Codec::default();
        let mut src = BytesMut::from(PUBLISH);
        assert!(codec.decode_eof(&mut src).unwrap().is_some());
        assert!(codec.decode_eof(&mut src).unwrap().is_none());
        src.extend_from_slice(b"\x30\x07\x00");
        let CodecError::Io(error) = codec.decode_eof(&mut src).unwrap_err() else {
            panic!("not an error of the transport");
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn the_options_bind_it_and_can_be_changed() {
        let mut codec = Codec::new(Options::new().max_packet_size(8));
        let mut src = BytesMut::from(PUBLISH);
        let mut other = codec.clone();
        assert!(codec.decode(&mut src).is_err());
        other.set_options(Options::new());
        assert!(other.decode(&mut src).unwrap().is_some());
    }

    /// The reply of a server to PINGREQ.
    fn pingresp() -> Reply {
        let now = Timestamp::from_millis(0);
        let mut server = Server::new(Session::<[Slot; 1]>::default(), Config::new(), now);
        let connect = EncodedConnect::encode_to_vec(&Connect::new(Text::EMPTY));
        let connect = Packet::Connect(connect.unwrap());
        server.handle_packet(now, connect.as_ref()).unwrap();
        server.accept_new(now, &mut BytesMut::new()).unwrap();
        server.handle_packet(now, Packet::<&[u8]>::PingReq).unwrap();
        match server.poll_action() {
            Some(Action::Transmit(control)) => control,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn packets_and_controls_are_appended() {
        let mut codec = Codec::default();
        let mut dst = BytesMut::new();
        let packet_id = PacketId::MIN;
        codec
            .encode(Packet::<&[u8]>::PubAck(PubAck { packet_id }), &mut dst)
            .unwrap();
        codec.encode(pingresp(), &mut dst).unwrap();
        assert_eq!(dst, &b"\x40\x02\x00\x01\xd0\x00"[..]);
    }

    #[test]
    fn what_cannot_be_encoded_leaves_no_byte() {
        let long = [b'a'; 65_536];
        let publish = Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: TopicName::new("a").unwrap().map(|_| &long[..]),
            payload: &b""[..],
        };
        let mut dst = BytesMut::new();
        let error = Codec::default()
            .encode(Packet::from(publish), &mut dst)
            .unwrap_err();
        assert!(matches!(error, CodecError::Encode(_)));
        assert!(dst.is_empty());
    }
}
