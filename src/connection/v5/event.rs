//! The events of a connection of MQTT 5.

use crate::packet::fmt;
use crate::types::PacketId;
use crate::v5::{
    AckProperties, Auth, ConnAckProperties, ConnectReasonCode, Disconnect, EncodedConnect, Publish,
    PublishHeader, ReasonCode, SubAck, Subscribe, UnsubAck, Unsubscribe,
};

/// An event for the application. `B` is where its bytes live: an event of
/// [`receive`](crate::Connection::receive) borrows from the input or the decoder.
/// [`map`](Self::map), [`to_owned`](Self::to_owned) and `share` move the bytes elsewhere, for
/// example to send the event to another thread.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<B> {
    /// Server: CONNECT was received; [`EncodedConnect::to_connect`] returns its fields. Answer with
    /// `accept_new`, `accept_resumed` or `refuse`, or with `auth` if it has an Authentication Method,
    /// before any other packet is handled.
    ConnectRequested(EncodedConnect<B>),
    /// Client: the server has accepted the connection. `limits` returns the negotiated limits.
    Connected {
        /// The server resumes the session that it kept. If not, the messages that the client kept
        /// are lost too ([`Action::Lost`](crate::Action::Lost) for each).
        session_present: bool,
        /// The properties of CONNACK.
        properties: ConnAckProperties<B>,
    },
    /// Client: the server refused the connection, which has ended.
    Refused {
        /// The reason.
        reason_code: ConnectReasonCode,
        /// Reason String, Server Reference and others.
        properties: ConnAckProperties<B>,
    },
    /// A message was received. It has its Topic Name even if it was sent with a Topic Alias. With
    /// manual acknowledgement and a QoS above 0, ask for its
    /// [`acknowledgement`](crate::Connection::acknowledgement), and pass it to `acknowledge` when the
    /// application has processed the message. Otherwise the actions that follow acknowledge it.
    Message(Publish<B>),
    /// The start of a message in pieces was received; its payload follows.
    MessageHeader(PublishHeader<B>),
    /// A message larger than this side accepts was received, with
    /// [`Options::skip_large_messages`](crate::Options::skip_large_messages): its payload is
    /// skipped. The connection acknowledges it at its end, also with manual acknowledgement.
    MessageSkipped(PublishHeader<B>),
    /// The next piece of that payload.
    Payload {
        /// The bytes, at least one.
        bytes: B,
        /// The number of bytes still missing. With 0 the message is complete, and acknowledged as
        /// any other.
        left: usize,
    },
    /// The peer has this QoS 2 message: PUBREC was received. The connection will not ask for it
    /// again, so the application need not keep it; with a journal, as soon as
    /// [`Change::Released`](crate::Change::Released) is stored. Its Packet Identifier is still in
    /// use.
    AcceptedByPeer {
        /// The Packet Identifier of the message.
        packet_id: PacketId,
        /// Success, or No matching subscribers.
        reason_code: ReasonCode,
        /// Reason String and User Properties.
        properties: AckProperties<B>,
    },
    /// The delivery of this message is complete (PUBACK or PUBCOMP).
    Delivered {
        /// The Packet Identifier of the message.
        packet_id: PacketId,
        /// Success, or No matching subscribers; 0x92 in PUBCOMP if the peer had lost its session.
        reason_code: ReasonCode,
        /// Reason String and User Properties.
        properties: AckProperties<B>,
    },
    /// The peer has refused this message (PUBACK or PUBREC with a Reason Code from 0x80 on). Its Packet
    /// Identifier is free again.
    Rejected {
        /// The Packet Identifier of the message.
        packet_id: PacketId,
        /// The reason.
        reason_code: ReasonCode,
        /// Reason String and User Properties.
        properties: AckProperties<B>,
    },
    /// Server: SUBSCRIBE was received. Answer with `suback` before any other packet is handled.
    SubscribeRequested(Subscribe<B>),
    /// Server: UNSUBSCRIBE was received. Answer with `unsuback` before any other packet is handled.
    UnsubscribeRequested(Unsubscribe<B>),
    /// Client: SUBACK was received, with a Reason Code for each filter of the SUBSCRIBE.
    Subscribed(SubAck<B>),
    /// Client: UNSUBACK was received, with a Reason Code for each filter of the UNSUBSCRIBE.
    Unsubscribed(UnsubAck<B>),
    /// A step of an enhanced authentication (section 4.12). Answer with `auth`, or if it is the last
    /// step, as a server before the connection is accepted, with `accept_new` or `accept_resumed`.
    Auth(Auth<B>),
    /// DISCONNECT was received. The connection has ended.
    Disconnected(Disconnect<B>),
}

impl<B> Event<B> {
    /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
    pub fn map<C>(self, mut f: impl FnMut(B) -> C) -> Event<C> {
        match self {
            Self::ConnectRequested(connect) => Event::ConnectRequested(connect.map(f)),
            Self::Connected {
                session_present,
                properties,
            } => Event::Connected {
                session_present,
                properties: properties.map(f),
            },
            Self::Refused {
                reason_code,
                properties,
            } => Event::Refused {
                reason_code,
                properties: properties.map(f),
            },
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
            Self::Subscribed(suback) => Event::Subscribed(suback.map(f)),
            Self::Unsubscribed(unsuback) => Event::Unsubscribed(unsuback.map(f)),
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
    /// [`receive`](crate::Connection::receive) (feature `bytes`). Bytes outside of it, such as a
    /// packet in the decoder's buffer, are copied.
    #[must_use]
    pub fn share(self, whole: &bytes::Bytes) -> Event<bytes::Bytes> {
        self.map(|part| crate::wire::share(whole, part))
    }
}

impl<B: AsRef<[u8]>> core::fmt::Debug for Event<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let tuple = |f: &mut core::fmt::Formatter<'_>, name, value: &dyn core::fmt::Debug| {
            f.debug_tuple(name).field(value).finish()
        };
        match self {
            Self::ConnectRequested(connect) => tuple(f, "ConnectRequested", connect),
            Self::Connected {
                session_present,
                properties,
            } => f
                .debug_struct("Connected")
                .field("session_present", session_present)
                .field("properties", properties)
                .finish(),
            Self::Refused {
                reason_code,
                properties,
            } => f
                .debug_struct("Refused")
                .field("reason_code", reason_code)
                .field("properties", properties)
                .finish(),
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
            Self::UnsubscribeRequested(unsubscribe) => {
                tuple(f, "UnsubscribeRequested", unsubscribe)
            }
            Self::Subscribed(suback) => tuple(f, "Subscribed", suback),
            Self::Unsubscribed(unsuback) => tuple(f, "Unsubscribed", unsuback),
            Self::Auth(auth) => tuple(f, "Auth", auth),
            Self::Disconnected(disconnect) => tuple(f, "Disconnected", disconnect),
        }
    }
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>> defmt::Format for Event<B> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::ConnectRequested(connect) => defmt::write!(f, "ConnectRequested({})", connect),
            Self::Connected {
                session_present,
                properties,
            } => defmt::write!(
                f,
                "Connected {{ session_present: {=bool}, properties: {} }}",
                *session_present,
                properties
            ),
            Self::Refused {
                reason_code,
                properties,
            } => defmt::write!(f, "Refused {{ {}, {} }}", reason_code, properties),
            Self::Message(publish) => defmt::write!(f, "Message({})", publish),
            Self::MessageHeader(header) => defmt::write!(f, "MessageHeader({})", header),
            Self::MessageSkipped(header) => defmt::write!(f, "MessageSkipped({})", header),
            Self::Payload { bytes, left } => defmt::write!(
                f,
                "Payload {{ {=usize} bytes, left: {=usize} }}",
                bytes.as_ref().len(),
                *left
            ),
            Self::AcceptedByPeer {
                packet_id,
                reason_code,
                ..
            } => defmt::write!(f, "AcceptedByPeer({}, {})", packet_id, reason_code),
            Self::Delivered {
                packet_id,
                reason_code,
                ..
            } => defmt::write!(f, "Delivered({}, {})", packet_id, reason_code),
            Self::Rejected {
                packet_id,
                reason_code,
                ..
            } => defmt::write!(f, "Rejected({}, {})", packet_id, reason_code),
            Self::SubscribeRequested(packet) => defmt::write!(f, "SubscribeRequested({})", packet),
            Self::UnsubscribeRequested(packet) => {
                defmt::write!(f, "UnsubscribeRequested({})", packet);
            }
            Self::Subscribed(suback) => defmt::write!(f, "Subscribed({})", suback),
            Self::Unsubscribed(unsuback) => defmt::write!(f, "Unsubscribed({})", unsuback),
            Self::Auth(auth) => defmt::write!(f, "Auth({})", auth),
            Self::Disconnected(disconnect) => defmt::write!(f, "Disconnected({})", disconnect),
        }
    }
}
