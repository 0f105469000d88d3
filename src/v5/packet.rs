//! An enum of the fifteen packets.

use super::{
    Auth, ConnAck, Disconnect, EncodedConnect, PubAck, PubComp, PubRec, PubRel, Publish, SubAck,
    Subscribe, UnsubAck, Unsubscribe,
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
    reason = "the standard lists fifteen packets and reserves the rest"
)]
// The layout is not part of the API: see `v3::Packet`.
#[cfg_attr(target_pointer_width = "64", repr(usize))]
pub enum Packet<B> {
    /// Client to server: requests a connection. [`EncodedConnect::to_connect`] returns the fields.
    Connect(EncodedConnect<B>),
    /// Server to client: accepts or refuses the connection.
    ConnAck(ConnAck<B>),
    /// Both directions: an application message.
    Publish(Publish<B>),
    /// Both directions: a QoS 1 message was received.
    PubAck(PubAck<B>),
    /// Both directions: a QoS 2 message was received.
    PubRec(PubRec<B>),
    /// Both directions: a QoS 2 message is released.
    PubRel(PubRel<B>),
    /// Both directions: a QoS 2 message is complete.
    PubComp(PubComp<B>),
    /// Client to server: requests subscriptions.
    Subscribe(Subscribe<B>),
    /// Server to client: the answer to SUBSCRIBE.
    SubAck(SubAck<B>),
    /// Client to server: ends subscriptions.
    Unsubscribe(Unsubscribe<B>),
    /// Server to client: the answer to UNSUBSCRIBE.
    UnsubAck(UnsubAck<B>),
    /// Client to server: requests PINGRESP (section 3.12).
    PingReq,
    /// Server to client: the answer to PINGREQ (section 3.13).
    PingResp,
    /// Both directions: the connection ends.
    Disconnect(Disconnect<B>),
    /// Both directions: a step of enhanced authentication.
    Auth(Auth<B>),
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
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }

    /// Moves the bytes elsewhere, field by field. `f` must not change them: its results are not
    /// validated again.
    pub fn map<C>(self, f: impl FnMut(B) -> C) -> Packet<C> {
        match self {
            Self::Connect(packet) => Packet::Connect(packet.map(f)),
            Self::ConnAck(packet) => Packet::ConnAck(packet.map(f)),
            Self::Publish(packet) => Packet::Publish(packet.map(f)),
            Self::PubAck(packet) => Packet::PubAck(packet.map(f)),
            Self::PubRec(packet) => Packet::PubRec(packet.map(f)),
            Self::PubRel(packet) => Packet::PubRel(packet.map(f)),
            Self::PubComp(packet) => Packet::PubComp(packet.map(f)),
            Self::Subscribe(packet) => Packet::Subscribe(packet.map(f)),
            Self::SubAck(packet) => Packet::SubAck(packet.map(f)),
            Self::Unsubscribe(packet) => Packet::Unsubscribe(packet.map(f)),
            Self::UnsubAck(packet) => Packet::UnsubAck(packet.map(f)),
            Self::PingReq => Packet::PingReq,
            Self::PingResp => Packet::PingResp,
            Self::Disconnect(packet) => Packet::Disconnect(packet.map(f)),
            Self::Auth(packet) => Packet::Auth(packet.map(f)),
        }
    }
}

impl<B: AsRef<[u8]>> Packet<B> {
    /// Returns the same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> PacketRef<'_> {
        match self {
            Self::Connect(packet) => Packet::Connect(packet.as_ref()),
            Self::ConnAck(packet) => Packet::ConnAck(packet.as_ref()),
            Self::Publish(packet) => Packet::Publish(packet.as_ref()),
            Self::PubAck(packet) => Packet::PubAck(packet.as_ref()),
            Self::PubRec(packet) => Packet::PubRec(packet.as_ref()),
            Self::PubRel(packet) => Packet::PubRel(packet.as_ref()),
            Self::PubComp(packet) => Packet::PubComp(packet.as_ref()),
            Self::Subscribe(packet) => Packet::Subscribe(packet.as_ref()),
            Self::SubAck(packet) => Packet::SubAck(packet.as_ref()),
            Self::Unsubscribe(packet) => Packet::Unsubscribe(packet.as_ref()),
            Self::UnsubAck(packet) => Packet::UnsubAck(packet.as_ref()),
            Self::PingReq => Packet::PingReq,
            Self::PingResp => Packet::PingResp,
            Self::Disconnect(packet) => Packet::Disconnect(packet.as_ref()),
            Self::Auth(packet) => Packet::Auth(packet.as_ref()),
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
            Self::Disconnect(packet) => packet.first_byte(),
            Self::Auth(packet) => packet.first_byte(),
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
            Self::Disconnect(packet) => packet.write_body(out),
            Self::Auth(packet) => packet.write_body(out),
            Self::PingReq | Self::PingResp => Ok(()),
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
            Self::UnsubAck(packet) => packet.payload(),
            _ => &[],
        }
    }
}

impl<B: AsRef<[u8]>> Encode for Packet<B> {
    #[inline]
    fn encode<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        match self {
            // Nearly all packets are one of these, and the compiler knows which where they are
            // encoded.
            Self::Publish(packet) if !OPTIMIZE_SIZE => packet.encode(out),
            Self::PubAck(packet) if !OPTIMIZE_SIZE => packet.encode(out),
            _ => self.encode_any(out),
        }
    }
}

impl<B: AsRef<[u8]>> Packet<B> {
    // Replaces the provided method: one `match` that calls each packet's own method, instead of one
    // for the first byte, one for the length and one for the body.
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
            Self::Disconnect(packet) => packet.encode(out),
            Self::Auth(packet) => packet.encode(out),
            Self::PingReq | Self::PingResp => encode_bytes([self.first_byte(), 0], out),
        }
    }
}

crate::packet::into_packet! {
    Connect(EncodedConnect<B>)
    ConnAck(ConnAck<B>)
    Publish(Publish<B>)
    PubAck(PubAck<B>)
    PubRec(PubRec<B>)
    PubRel(PubRel<B>)
    PubComp(PubComp<B>)
    Subscribe(Subscribe<B>)
    SubAck(SubAck<B>)
    Unsubscribe(Unsubscribe<B>)
    UnsubAck(UnsubAck<B>)
    Disconnect(Disconnect<B>)
    Auth(Auth<B>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn a_packet_is_three_slices_and_two_words() {
        assert_eq!(size_of::<PacketRef<'_>>(), 64);
        assert_eq!(size_of::<crate::v5::DecodeError>(), 8);
    }
}
