//! The events of a connection of any version, in the shape of MQTT 5.

use super::Connect;
use crate::packet::fmt;
use crate::types::PacketId;
use crate::v3;
use crate::v5::{
    self, AckProperties, Auth, Disconnect, DisconnectReasonCode, Publish, PublishHeader,
    PublishProperties, ReasonCode, Subscribe, SubscribeProperties, Subscriptions, TopicFilters,
    Unsubscribe, UnsubscribeProperties,
};

/// An event of a [`Server`](super::Server), in the shape of MQTT 5. The packets of a client of MQTT
/// 3.1.1 have no properties, and its acknowledgements mean success.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<B> {
    /// CONNECT was received. Answer with `accept_new`, `accept_resumed` or `refuse`, or with `auth`
    /// if it has an Authentication Method, before any other packet is handled.
    ConnectRequested(Connect<B>),
    /// A message was received: see [`v5::Event::Message`].
    Message(Publish<B>),
    /// The start of a message in pieces was received; its payload follows.
    MessageHeader(PublishHeader<B>),
    /// The next piece of that payload.
    Payload {
        /// The bytes, at least one.
        bytes: B,
        /// The number of bytes still missing.
        left: usize,
    },
    /// A message larger than this side accepts was received; it is acknowledged without its
    /// payload: see [`v5::Event::MessageSkipped`].
    MessageSkipped(PublishHeader<B>),
    /// The client has this QoS 2 message (PUBREC): see [`v5::Event::AcceptedByPeer`].
    AcceptedByPeer {
        /// The Packet Identifier of the message.
        packet_id: PacketId,
        /// The outcome.
        reason_code: ReasonCode,
        /// Reason String and User Properties.
        properties: AckProperties<B>,
    },
    /// The delivery of this message is complete (PUBACK or PUBCOMP).
    Delivered {
        /// The Packet Identifier of the message.
        packet_id: PacketId,
        /// The outcome.
        reason_code: ReasonCode,
        /// Reason String and User Properties.
        properties: AckProperties<B>,
    },
    /// The client has refused this message. Its Packet Identifier is free again.
    Rejected {
        /// The Packet Identifier of the message.
        packet_id: PacketId,
        /// The reason.
        reason_code: ReasonCode,
        /// Reason String and User Properties.
        properties: AckProperties<B>,
    },
    /// SUBSCRIBE was received. Answer with `suback` before any other packet is handled.
    SubscribeRequested(Subscribe<B>),
    /// UNSUBSCRIBE was received. Answer with `unsuback` before any other packet is handled.
    UnsubscribeRequested(Unsubscribe<B>),
    /// A step of an enhanced authentication: see [`v5::Event::Auth`].
    Auth(Auth<B>),
    /// DISCONNECT was received. The connection has ended.
    Disconnected(Disconnect<B>),
}

/// Converts the event of a server of MQTT 5. Returns `None` for an event of clients.
pub(super) const fn from_v5(event: v5::Event<&[u8]>) -> Option<Event<&[u8]>> {
    Some(match event {
        v5::Event::ConnectRequested(connect) => Event::ConnectRequested(Connect::V5(connect)),
        v5::Event::Message(publish) => Event::Message(publish),
        v5::Event::MessageHeader(header) => Event::MessageHeader(header),
        v5::Event::MessageSkipped(header) => Event::MessageSkipped(header),
        v5::Event::Payload { bytes, left } => Event::Payload { bytes, left },
        v5::Event::AcceptedByPeer {
            packet_id,
            reason_code,
            properties,
        } => Event::AcceptedByPeer {
            packet_id,
            reason_code,
            properties,
        },
        v5::Event::Delivered {
            packet_id,
            reason_code,
            properties,
        } => Event::Delivered {
            packet_id,
            reason_code,
            properties,
        },
        v5::Event::Rejected {
            packet_id,
            reason_code,
            properties,
        } => Event::Rejected {
            packet_id,
            reason_code,
            properties,
        },
        v5::Event::SubscribeRequested(subscribe) => Event::SubscribeRequested(subscribe),
        v5::Event::UnsubscribeRequested(unsubscribe) => Event::UnsubscribeRequested(unsubscribe),
        v5::Event::Auth(auth) => Event::Auth(auth),
        v5::Event::Disconnected(disconnect) => Event::Disconnected(disconnect),
        v5::Event::Connected { .. }
        | v5::Event::Refused { .. }
        | v5::Event::Subscribed(_)
        | v5::Event::Unsubscribed(_) => return None,
    })
}

/// Converts the event of a server of MQTT 3.1.1 to the shape of MQTT 5.
pub(super) fn from_v3(event: v3::Event<&[u8]>) -> Option<Event<&[u8]>> {
    Some(match event {
        v3::Event::ConnectRequested(connect) => Event::ConnectRequested(Connect::V3(connect)),
        v3::Event::Message(publish) => Event::Message(Publish {
            delivery: publish.delivery,
            retain: publish.retain,
            topic: publish.topic,
            properties: PublishProperties::EMPTY,
            payload: publish.payload,
        }),
        v3::Event::MessageHeader(header) => Event::MessageHeader(header_from_v3(header)),
        v3::Event::MessageSkipped(header) => Event::MessageSkipped(header_from_v3(header)),
        v3::Event::Payload { bytes, left } => Event::Payload { bytes, left },
        v3::Event::AcceptedByPeer(packet_id) => Event::AcceptedByPeer {
            packet_id,
            reason_code: ReasonCode::Success,
            properties: AckProperties::EMPTY,
        },
        v3::Event::Delivered(packet_id) => Event::Delivered {
            packet_id,
            reason_code: ReasonCode::Success,
            properties: AckProperties::EMPTY,
        },
        v3::Event::SubscribeRequested(subscribe) => Event::SubscribeRequested(Subscribe {
            packet_id: subscribe.packet_id,
            properties: SubscribeProperties::EMPTY,
            // A Requested QoS is a byte of Subscription Options whose other bits are 0.
            subscriptions: Subscriptions::from_checked(subscribe.subscriptions.into_bytes()),
        }),
        v3::Event::UnsubscribeRequested(unsubscribe) => Event::UnsubscribeRequested(Unsubscribe {
            packet_id: unsubscribe.packet_id,
            properties: UnsubscribeProperties::EMPTY,
            topic_filters: TopicFilters::from_checked(unsubscribe.topic_filters.into_bytes()),
        }),
        v3::Event::Disconnected => {
            let code = DisconnectReasonCode::NormalDisconnection;
            Event::Disconnected(Disconnect::new(code))
        }
        v3::Event::Connected { .. }
        | v3::Event::Refused(_)
        | v3::Event::Subscribed(_)
        | v3::Event::Unsubscribed(_) => return None,
    })
}

const fn header_from_v3(header: v3::PublishHeader<&[u8]>) -> PublishHeader<&[u8]> {
    PublishHeader {
        delivery: header.delivery,
        retain: header.retain,
        topic: header.topic,
        properties: PublishProperties::EMPTY,
        payload_len: header.payload_len,
    }
}

impl<B> Event<B> {
    /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
    pub fn map<C>(self, mut f: impl FnMut(B) -> C) -> Event<C> {
        match self {
            Self::ConnectRequested(connect) => Event::ConnectRequested(connect.map(f)),
            Self::Message(publish) => Event::Message(publish.map(f)),
            Self::MessageHeader(header) => Event::MessageHeader(header.map(f)),
            Self::MessageSkipped(header) => Event::MessageSkipped(header.map(f)),
            Self::Payload { bytes, left } => Event::Payload {
                bytes: f(bytes),
                left,
            },
            Self::AcceptedByPeer {
                packet_id,
                reason_code,
                properties,
            } => Event::AcceptedByPeer {
                packet_id,
                reason_code,
                properties: properties.map(f),
            },
            Self::Delivered {
                packet_id,
                reason_code,
                properties,
            } => Event::Delivered {
                packet_id,
                reason_code,
                properties: properties.map(f),
            },
            Self::Rejected {
                packet_id,
                reason_code,
                properties,
            } => Event::Rejected {
                packet_id,
                reason_code,
                properties: properties.map(f),
            },
            Self::SubscribeRequested(subscribe) => Event::SubscribeRequested(subscribe.map(f)),
            Self::UnsubscribeRequested(unsubscribe) => {
                Event::UnsubscribeRequested(unsubscribe.map(f))
            }
            Self::Auth(auth) => Event::Auth(auth.map(f)),
            Self::Disconnected(disconnect) => Event::Disconnected(disconnect.map(f)),
        }
    }
}

#[cfg(feature = "alloc")]
impl Event<&[u8]> {
    /// Returns the same event with its bytes in vectors of their own (feature `alloc`).
    #[must_use]
    pub fn to_owned(self) -> Event<alloc::vec::Vec<u8>> {
        self.map(<[u8]>::to_vec)
    }
}

#[cfg(feature = "bytes")]
impl Event<&[u8]> {
    /// Returns the same event as references into `whole`, the buffer that was passed to
    /// [`receive`](super::Server::receive) (feature `bytes`). Bytes outside of it are copied.
    #[must_use]
    pub fn share(self, whole: &bytes::Bytes) -> Event<bytes::Bytes> {
        self.map(|part| crate::wire::share(whole, part))
    }
}

impl<B: AsRef<[u8]>> core::fmt::Debug for Event<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tuple = |f: &mut core::fmt::Formatter<'_>, name: &str, value: &dyn core::fmt::Debug| {
            f.debug_tuple(name).field(value).finish()
        };
        match self {
            Self::ConnectRequested(connect) => tuple(f, "ConnectRequested", connect),
            Self::Message(publish) => tuple(f, "Message", publish),
            Self::MessageHeader(header) => tuple(f, "MessageHeader", header),
            Self::MessageSkipped(header) => tuple(f, "MessageSkipped", header),
            Self::Payload { bytes, left } => f
                .debug_struct("Payload")
                .field("bytes", &fmt::Message(bytes.as_ref()))
                .field("left", left)
                .finish(),
            Self::AcceptedByPeer {
                packet_id,
                reason_code,
                properties,
            }
            | Self::Delivered {
                packet_id,
                reason_code,
                properties,
            }
            | Self::Rejected {
                packet_id,
                reason_code,
                properties,
            } => f
                .debug_struct(match self {
                    Self::AcceptedByPeer { .. } => "AcceptedByPeer",
                    Self::Delivered { .. } => "Delivered",
                    _ => "Rejected",
                })
                .field("packet_id", packet_id)
                .field("reason_code", reason_code)
                .field("properties", properties)
                .finish(),
            Self::SubscribeRequested(subscribe) => tuple(f, "SubscribeRequested", subscribe),
            Self::UnsubscribeRequested(request) => tuple(f, "UnsubscribeRequested", request),
            Self::Auth(auth) => tuple(f, "Auth", auth),
            Self::Disconnected(disconnect) => tuple(f, "Disconnected", disconnect),
        }
    }
}
