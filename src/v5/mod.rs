//! The packets of MQTT 5.
//!
//! Each packet has a file; the four acknowledgements of a message share one. [`Packet`] holds any
//! of them. [`decode`] decodes one from a slice, [`Decoder`] from a stream, however it is split.
//!
//! The [`Properties`] of a packet stay encoded. They are validated when the packet is decoded, and
//! have a method for each property that the packet can have.
//!
//! # Where conforming implementations differ
//!
//! Where the standard leaves a choice or contradicts itself, the decoder is strict:
//!
//! | packet or field | decoder |
//! |---|---|
//! | control characters and non-characters in strings (section 1.5.4) | accepted |
//! | DUP at QoS 0 | refused, unless [`Options::accept_dup_at_qos_0`](crate::Options::accept_dup_at_qos_0) |
//! | Packet Identifier 0 in an acknowledgement | refused, unless [`Options::accept_packet_id_0`](crate::Options::accept_packet_id_0) |
//! | Session Present with a refusal | refused |
//! | a malformed Topic Filter in UNSUBSCRIBE | refused |
//! | an empty Will Topic or Response Topic, or one with wildcards | refused |
//! | a Topic Name with wildcards, from a server too | refused |
//! | SUBACK or UNSUBACK without a Reason Code | refused |
//! | DISCONNECT with 0x8C, which is in Table 2-6 but not in Table 3-10 | accepted |
//! | a Reason Code or a property of DISCONNECT from the side that does not send it | accepted |
//! | the Topic Filter `$share` without `/` | accepted: an ordinary filter |
//! | a payload that is not UTF-8 although the Payload Format Indicator is 1 | accepted |
//! | a Password without a User Name | accepted |
//! | AUTH of Remaining Length 0, or 1 with 0x00 | accepted |
//! | another AUTH without an Authentication Method | refused |
//! | CONNACK with Authentication Data and without an Authentication Method | accepted |

mod ack;
#[cfg(feature = "arbitrary")]
mod arbitrary;
mod auth;
#[cfg(feature = "bytes")]
mod bytes;
mod connack;
mod connect;
mod decode;
mod disconnect;
mod edited_publish;
mod encoded_connect;
mod filter;
mod fmt;
mod getters;
#[cfg(any(feature = "arbitrary", all(feature = "serde", feature = "alloc")))]
mod owned_property;
mod packet;
mod properties;
mod property;
mod publish;
mod publish_header;
mod reason;
mod reason_code;
#[cfg(feature = "serde")]
mod serde;
mod statement;
mod suback;
mod subscribe;
#[cfg(test)]
mod testing;
mod unsuback;
mod unsubscribe;

pub use ack::{
    AckType, Acknowledgement, PubAck, PubAckType, PubComp, PubCompType, PubRec, PubRecType, PubRel,
    PubRelType,
};
pub use auth::Auth;
#[cfg(feature = "bytes")]
pub use bytes::decode_bytes;
pub use connack::ConnAck;
pub use connect::{Connect, Will};
pub(crate) use decode::try_read_publish;
pub use decode::{V5, decode, peek};
pub use disconnect::Disconnect;
pub(crate) use edited_publish::{EditedAlias, EditedPublish};
pub use encoded_connect::EncodedConnect;

pub use packet::{Packet, PacketRef};
pub use properties::{
    AckKind, AckProperties, AuthKind, AuthProperties, ConnAckKind, ConnAckProperties, ConnectKind,
    ConnectProperties, DisconnectKind, DisconnectProperties, Properties, PropertiesKind,
    PropertyIter, PublishKind, PublishProperties, SubscribeKind, SubscribeProperties,
    SubscriptionIdentifiers, SubscriptionIdentifiersKind, UnsubscribeKind, UnsubscribeProperties,
    WillKind, WillProperties,
};
#[cfg(feature = "alloc")]
pub(crate) use property::WILL_DELAY_INTERVAL;
pub use property::{InvalidSubscriptionIdentifier, Property, SubscriptionIdentifier};
pub(crate) use property::{
    MESSAGE_EXPIRY_INTERVAL, PropertySet, SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS,
};
pub use publish::Publish;
pub use publish_header::PublishHeader;
pub(crate) use reason::{PROBLEM_INFORMATION, Shortened};
pub use reason_code::{
    AuthReasonCode, ConnectReasonCode, DisconnectReasonCode, InvalidReasonCode, PubAckReasonCode,
    PubRelReasonCode, ReasonCode, SubscribeReasonCode, UnsubscribeReasonCode,
};
pub use statement::Reaction;
pub use suback::{
    ListedReasonCode, ReasonCodeEntry, ReasonCodes, RequestAck, SubAck, SubscribeReasonCodes,
};
pub(crate) use subscribe::SubscribeOne;
pub use subscribe::{RetainHandling, Subscribe, Subscription, SubscriptionEntry, Subscriptions};
pub use unsuback::{UnsubAck, UnsubscribeReasonCodes};
pub(crate) use unsubscribe::UnsubscribeOne;
pub use unsubscribe::{TopicFilterEntry, TopicFilters, Unsubscribe};

pub use crate::connection::v5::AliasArray;
#[cfg(feature = "alloc")]
pub use crate::connection::v5::AliasVec;
pub use crate::connection::v5::{
    Action, Capabilities, Client, CloseReason, Event, HandleError, Limits, Message, MessageHeader,
    OutboundAliases, PeerError, Refusal, Reply, Server, Step, TopicAliases, WithTopicAliases,
};
pub use crate::packet::{Entries, Entry, List};
pub use crate::types::Delivery;

/// A streaming decoder for MQTT 5: see [`crate::StreamDecoder`].
pub type Decoder<M> = crate::StreamDecoder<V5, M>;

/// A packet, or a piece of one, from
/// [`Decoder::decode_in_pieces`](crate::StreamDecoder::decode_in_pieces).
pub type PieceRef<'a> = crate::Piece<'a, PacketRef<'a>, PublishHeader<&'a [u8]>>;

/// A fault in bytes that a peer sent, with the statements and Reason Codes of MQTT 5.
pub type DecodeError = crate::DecodeError<V5>;

/// Reads the fields of a frame.
type Reader<'a, F = DecodeError> = crate::wire::Reader<'a, F>;
