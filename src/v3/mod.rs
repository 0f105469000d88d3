//! The packets of MQTT 3.1.1, and of MQTT 3.1, which differs from it only in CONNECT.
//!
//! Each packet has a file; the four acknowledgements and UNSUBACK share one. [`Packet`] holds any
//! of them. [`decode`] decodes one from a slice, [`Decoder`] from a stream, however it is split.

mod ack;
#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(feature = "bytes")]
mod bytes;
mod connack;
mod connect;
mod decode;
mod encoded_connect;
mod fmt;
mod packet;
mod publish;
#[cfg(feature = "serde")]
mod serde;
mod statement;
mod suback;
mod subscribe;
#[cfg(test)]
mod testing;
mod unsubscribe;

pub use ack::{PubAck, PubComp, PubRec, PubRel, UnsubAck};
#[cfg(feature = "bytes")]
pub use bytes::decode_bytes;
pub use connack::{ConnAck, ConnectRefusal};
pub use connect::{Connect, Credentials, ProtocolLevel, Will};
pub(crate) use decode::try_read_publish;
pub use decode::{V3, decode, peek};
pub use encoded_connect::EncodedConnect;
pub use packet::{Packet, PacketRef};
pub use publish::{Publish, PublishHeader};
pub use statement::Reaction;

pub use crate::connection::v3::{
    Action, Client, CloseReason, Event, HandleError, Message, MessageHeader, PeerError, Reply,
    Server, Step,
};
pub use crate::packet::{Entries, Entry, List};
pub use crate::types::Delivery;
pub(crate) use suback::SubAckOf;
pub use suback::{ReturnCode, ReturnCodes, SubAck, SubAckEntry};
pub(crate) use subscribe::SubscribeOne;
pub use subscribe::{Subscribe, Subscription, SubscriptionEntry, Subscriptions};
pub(crate) use unsubscribe::UnsubscribeOne;
pub use unsubscribe::{TopicFilterEntry, TopicFilters, Unsubscribe};

/// A streaming decoder for MQTT 3.1.1 and 3.1: see [`StreamDecoder`](crate::StreamDecoder).
pub type Decoder<M> = crate::StreamDecoder<V3, M>;

/// A packet, or a piece of one, from
/// [`Decoder::decode_in_pieces`](crate::StreamDecoder::decode_in_pieces).
pub type PieceRef<'a> = crate::Piece<'a, PacketRef<'a>, PublishHeader<&'a [u8]>>;

/// A fault in bytes that a peer sent, with the statements of MQTT 3.1.1.
pub type DecodeError = crate::DecodeError<V3>;

/// Reads the fields of a frame.
type Reader<'a, F = DecodeError> = crate::wire::Reader<'a, F>;
