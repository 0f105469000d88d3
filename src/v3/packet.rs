//! An enum of the fourteen packets.

use super::{
    ConnAck, EncodedConnect, PubAck, PubComp, PubRec, PubRel, Publish, SubAck, Subscribe, UnsubAck,
    Unsubscribe,
};
use crate::wire::{
    Encode, EncodeError, OPTIMIZE_SIZE, Output, PacketBody, PacketType, encode_bytes,
};

/// One MQTT Control Packet. `B` is where its bytes live.
///
/// Decoding returns [`PacketRef`], which borrows from the input. [`map`](Self::map) moves the bytes
/// elsewhere, [`to_owned`](Self::to_owned) copies them to the heap, `share` (feature `bytes`) makes
/// references into the `Bytes` that the packet was decoded from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(all(feature = "serde", feature = "alloc"), derive(serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(bound(
        serialize = "B: AsRef<[u8]>",
        deserialize = "B: AsRef<[u8]> + From<alloc::string::String> + From<alloc::vec::Vec<u8>>"
    ))
)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the standard lists fourteen packets and reserves the rest"
)]
// The layout is not part of the API. With a tag as wide as a pointer, and the small fields of all
// packets before their pointers (`repr(C)`), no eight-byte load covers bytes that were just stored
// one by one, which would stall the processor. The compiler's own layout doubles the time for a
// small PUBLISH.
#[cfg_attr(target_pointer_width = "64", repr(usize))]
pub enum Packet<B> {
    /// Client to server: requests a connection. [`EncodedConnect::to_connect`] returns the fields.
    Connect(EncodedConnect<B>),
    /// Server to client: accepts or refuses the connection.
    ConnAck(ConnAck),
    /// Both directions: an application message.
    Publish(Publish<B>),
    /// Both directions: a QoS 1 message was received.
    PubAck(PubAck),
    /// Both directions: a QoS 2 message was received.
    PubRec(PubRec),
    /// Both directions: a QoS 2 message is released.
    PubRel(PubRel),
    /// Both directions: a QoS 2 message is complete.
    PubComp(PubComp),
    /// Client to server: requests subscriptions.
    Subscribe(Subscribe<B>),
    /// Server to client: the answer to SUBSCRIBE.
    SubAck(SubAck<B>),
    /// Client to server: ends subscriptions.
    Unsubscribe(Unsubscribe<B>),
    /// Server to client: the answer to UNSUBSCRIBE.
    UnsubAck(UnsubAck),
    /// Client to server: requests PINGRESP (section 3.12).
    PingReq,
    /// Server to client: the answer to PINGREQ (section 3.13).
    PingResp,
    /// Client to server: ends the connection without the Will (section 3.14).
    Disconnect,
}

/// A packet that borrows from the bytes it was decoded from.
pub type PacketRef<'a> = Packet<&'a [u8]>;

impl<B> Packet<B> {
    /// Returns the packet type.
    #[must_use]
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect => PacketType::Disconnect,
        }
    }

    /// Moves the bytes elsewhere, field by field. `f` must not change them: its results are not
    /// validated again.
    pub fn map<C>(self, f: impl FnMut(B) -> C) -> Packet<C> {
        match self {
            Self::Connect(packet) => Packet::Connect(packet.map(f)),
            Self::ConnAck(packet) => Packet::ConnAck(packet),
            Self::Publish(packet) => Packet::Publish(packet.map(f)),
            Self::PubAck(packet) => Packet::PubAck(packet),
            Self::PubRec(packet) => Packet::PubRec(packet),
            Self::PubRel(packet) => Packet::PubRel(packet),
            Self::PubComp(packet) => Packet::PubComp(packet),
            Self::Subscribe(packet) => Packet::Subscribe(packet.map(f)),
            Self::SubAck(packet) => Packet::SubAck(packet.map(f)),
            Self::Unsubscribe(packet) => Packet::Unsubscribe(packet.map(f)),
            Self::UnsubAck(packet) => Packet::UnsubAck(packet),
            Self::PingReq => Packet::PingReq,
            Self::PingResp => Packet::PingResp,
            Self::Disconnect => Packet::Disconnect,
        }
    }
}

impl<B: AsRef<[u8]>> Packet<B> {
    /// Returns the same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> PacketRef<'_> {
        match self {
            Self::Connect(packet) => Packet::Connect(packet.as_ref()),
            Self::ConnAck(packet) => Packet::ConnAck(*packet),
            Self::Publish(packet) => Packet::Publish(packet.as_ref()),
            Self::PubAck(packet) => Packet::PubAck(*packet),
            Self::PubRec(packet) => Packet::PubRec(*packet),
            Self::PubRel(packet) => Packet::PubRel(*packet),
            Self::PubComp(packet) => Packet::PubComp(*packet),
            Self::Subscribe(packet) => Packet::Subscribe(packet.as_ref()),
            Self::SubAck(packet) => Packet::SubAck(packet.as_ref()),
            Self::Unsubscribe(packet) => Packet::Unsubscribe(packet.as_ref()),
            Self::UnsubAck(packet) => Packet::UnsubAck(*packet),
            Self::PingReq => Packet::PingReq,
            Self::PingResp => Packet::PingResp,
            Self::Disconnect => Packet::Disconnect,
        }
    }
}

crate::packet::owned_and_shared!(Packet);

impl<B: AsRef<[u8]>> PacketBody for Packet<B> {
    #[inline]
    fn first_byte(&self) -> u8 {
        match self {
            Self::Connect(packet) => packet.first_byte(),
            Self::ConnAck(packet) => packet.first_byte(),
            Self::Publish(packet) => packet.first_byte(),
            Self::PubAck(packet) => packet.first_byte(),
            Self::PubRec(packet) => packet.first_byte(),
            Self::PubRel(packet) => packet.first_byte(),
            Self::PubComp(packet) => packet.first_byte(),
            Self::Subscribe(packet) => packet.first_byte(),
            Self::SubAck(packet) => packet.first_byte(),
            Self::Unsubscribe(packet) => packet.first_byte(),
            Self::UnsubAck(packet) => packet.first_byte(),
            Self::PingReq => 0xc0,
            Self::PingResp => 0xd0,
            Self::Disconnect => 0xe0,
        }
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        match self {
            Self::Connect(packet) => packet.write_body(out),
            Self::ConnAck(packet) => packet.write_body(out),
            Self::Publish(packet) => packet.write_body(out),
            Self::PubAck(packet) => packet.write_body(out),
            Self::PubRec(packet) => packet.write_body(out),
            Self::PubRel(packet) => packet.write_body(out),
            Self::PubComp(packet) => packet.write_body(out),
            Self::Subscribe(packet) => packet.write_body(out),
            Self::SubAck(packet) => packet.write_body(out),
            Self::Unsubscribe(packet) => packet.write_body(out),
            Self::UnsubAck(packet) => packet.write_body(out),
            Self::PingReq | Self::PingResp | Self::Disconnect => Ok(()),
        }
    }

    #[inline]
    fn payload(&self) -> &[u8] {
        match self {
            Self::Connect(packet) => packet.payload(),
            Self::Publish(packet) => packet.payload(),
            Self::Subscribe(packet) => packet.payload(),
            Self::SubAck(packet) => packet.payload(),
            Self::Unsubscribe(packet) => packet.payload(),
            _ => &[],
        }
    }
}

// Replaces the provided method: one `match` that calls each packet's own method, instead of one for
// the first byte, one for the length and one for the body.
impl<B: AsRef<[u8]>> Encode for Packet<B> {
    #[inline]
    fn encode<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        match self {
            // Most packets are one of these two, and a comparison is predicted better than a jump
            // through a table.
            Self::Publish(packet) if !OPTIMIZE_SIZE => packet.encode(out),
            Self::PubAck(packet) if !OPTIMIZE_SIZE => packet.encode(out),
            _ => self.encode_any(out),
        }
    }
}

impl<B: AsRef<[u8]>> Packet<B> {
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn encode_any<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        match self {
            Self::Connect(packet) => packet.encode(out),
            Self::ConnAck(packet) => packet.encode(out),
            Self::Publish(packet) => packet.encode(out),
            Self::PubAck(packet) => packet.encode(out),
            Self::PubRec(packet) => packet.encode(out),
            Self::PubRel(packet) => packet.encode(out),
            Self::PubComp(packet) => packet.encode(out),
            Self::Subscribe(packet) => packet.encode(out),
            Self::SubAck(packet) => packet.encode(out),
            Self::Unsubscribe(packet) => packet.encode(out),
            Self::UnsubAck(packet) => packet.encode(out),
            Self::PingReq | Self::PingResp | Self::Disconnect => {
                encode_bytes([self.first_byte(), 0], out)
            }
        }
    }
}

crate::packet::into_packet! {
    Connect(EncodedConnect<B>)
    ConnAck(ConnAck)
    Publish(Publish<B>)
    PubAck(PubAck)
    PubRec(PubRec)
    PubRel(PubRel)
    PubComp(PubComp)
    Subscribe(Subscribe<B>)
    SubAck(SubAck<B>)
    Unsubscribe(Unsubscribe<B>)
    UnsubAck(UnsubAck)
}
