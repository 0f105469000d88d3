//! The events of a connection of MQTT 3.1.1.

use crate::packet::fmt;
use crate::types::PacketId;
use crate::v3::{
    ConnectRefusal, EncodedConnect, Publish, PublishHeader, SubAck, Subscribe, Unsubscribe,
};

/// An event for the application. `B` is where its bytes live: an event of
/// [`receive`](crate::Connection::receive) borrows from the input or the decoder.
/// [`map`](Self::map), [`to_owned`](Self::to_owned) and `share` move the bytes elsewhere, for
/// example to send the event to another thread.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<B> {
    /// Server: CONNECT was received; [`EncodedConnect::to_connect`] returns its fields. Answer with
    /// `accept_new`, `accept_resumed` or `refuse` before any other packet is handled.
    ConnectRequested(EncodedConnect<B>),
    /// Client: the server has accepted the connection.
    Connected {
        /// The server resumes the session that it kept. If not, the messages that the client kept
        /// are lost too ([`Action::Lost`](crate::Action::Lost) for each). MQTT 3.1 has no such
        /// flag: there it is true unless the client asked for Clean Session.
        session_present: bool,
    },
    /// Client: the server refused the connection, which has ended.
    Refused(ConnectRefusal),
    /// A message was received. With manual acknowledgement and a QoS above 0, ask for its
    /// [`acknowledgement`](crate::Connection::acknowledgement), and pass it to `acknowledge` when the
    /// application has processed the message. Otherwise the actions that follow acknowledge it.
    Message(Publish<B>),
    /// The start of a message in pieces was received; its payload follows.
    MessageHeader(PublishHeader<B>),
    /// A message larger than this side accepts was received, with
    /// [`Options::skip_large_messages`](crate::Options::skip_large_messages): its payload is
    /// skipped. The connection acknowledges it at its end, also with manual acknowledgement.
    MessageSkipped(PublishHeader<B>),
    /// The next piece of the payload of a [`MessageHeader`](Self::MessageHeader).
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
    AcceptedByPeer(PacketId),
    /// The delivery of this message is complete (PUBACK or PUBCOMP).
    Delivered(PacketId),
    /// Server: SUBSCRIBE was received. Answer with `suback` before any other packet is handled.
    SubscribeRequested(Subscribe<B>),
    /// Server: UNSUBSCRIBE was received. Answer with `unsuback` before any other packet is handled.
    UnsubscribeRequested(Unsubscribe<B>),
    /// Client: SUBACK was received, with a return code for each filter of the SUBSCRIBE.
    Subscribed(SubAck<B>),
    /// Client: UNSUBACK was received for the UNSUBSCRIBE with this identifier.
    Unsubscribed(PacketId),
    /// Server: DISCONNECT was received. The connection has ended.
    Disconnected,
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>> defmt::Format for Event<B> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::ConnectRequested(connect) => defmt::write!(f, "ConnectRequested({})", connect),
            Self::Connected { session_present } => {
                defmt::write!(
                    f,
                    "Connected {{ session_present: {=bool} }}",
                    *session_present
                );
            }
            Self::Refused(refusal) => defmt::write!(f, "Refused({})", refusal),
            Self::Message(publish) => defmt::write!(f, "Message({})", publish),
            Self::MessageHeader(header) => defmt::write!(f, "MessageHeader({})", header),
            Self::MessageSkipped(header) => defmt::write!(f, "MessageSkipped({})", header),
            Self::Payload { bytes, left } => {
                defmt::write!(
                    f,
                    "Payload {{ {=usize} bytes, left: {=usize} }}",
                    bytes.as_ref().len(),
                    *left
                );
            }
            Self::AcceptedByPeer(packet_id) => defmt::write!(f, "AcceptedByPeer({})", packet_id),
            Self::Delivered(packet_id) => defmt::write!(f, "Delivered({})", packet_id),
            Self::SubscribeRequested(packet) => defmt::write!(f, "SubscribeRequested({})", packet),
            Self::UnsubscribeRequested(packet) => {
                defmt::write!(f, "UnsubscribeRequested({})", packet);
            }
            Self::Subscribed(suback) => defmt::write!(f, "Subscribed({})", suback),
            Self::Unsubscribed(packet_id) => defmt::write!(f, "Unsubscribed({})", packet_id),
            Self::Disconnected => defmt::write!(f, "Disconnected"),
        }
    }
}

impl<B> Event<B> {
    /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
    pub fn map<C>(self, mut f: impl FnMut(B) -> C) -> Event<C> {
        match self {
            Self::ConnectRequested(connect) => Event::ConnectRequested(connect.map(f)),
            Self::Connected { session_present } => Event::Connected { session_present },
            Self::Refused(refusal) => Event::Refused(refusal),
            Self::Message(publish) => Event::Message(publish.map(f)),
            Self::MessageHeader(header) => Event::MessageHeader(header.map(f)),
            Self::MessageSkipped(header) => Event::MessageSkipped(header.map(f)),
            Self::Payload { bytes, left } => Event::Payload {
                bytes: f(bytes),
                left,
            },
            Self::AcceptedByPeer(packet_id) => Event::AcceptedByPeer(packet_id),
            Self::Delivered(packet_id) => Event::Delivered(packet_id),
            Self::SubscribeRequested(subscribe) => Event::SubscribeRequested(subscribe.map(f)),
            Self::UnsubscribeRequested(unsubscribe) => {
                Event::UnsubscribeRequested(unsubscribe.map(f))
            }
            Self::Subscribed(suback) => Event::Subscribed(suback.map(f)),
            Self::Unsubscribed(packet_id) => Event::Unsubscribed(packet_id),
            Self::Disconnected => Event::Disconnected,
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
        let (name, value): (_, &dyn core::fmt::Debug) = match self {
            Self::ConnectRequested(connect) => ("ConnectRequested", connect),
            Self::Connected { session_present } => {
                return f
                    .debug_struct("Connected")
                    .field("session_present", session_present)
                    .finish();
            }
            Self::Refused(refusal) => ("Refused", refusal),
            Self::Message(publish) => ("Message", publish),
            Self::MessageHeader(header) => ("MessageHeader", header),
            Self::MessageSkipped(header) => ("MessageSkipped", header),
            Self::Payload { bytes, left } => {
                return f
                    .debug_struct("Payload")
                    .field("bytes", &fmt::Message(bytes.as_ref()))
                    .field("left", left)
                    .finish();
            }
            Self::AcceptedByPeer(packet_id) => ("AcceptedByPeer", packet_id),
            Self::Delivered(packet_id) => ("Delivered", packet_id),
            Self::SubscribeRequested(subscribe) => ("SubscribeRequested", subscribe),
            Self::UnsubscribeRequested(unsubscribe) => ("UnsubscribeRequested", unsubscribe),
            Self::Subscribed(suback) => ("Subscribed", suback),
            Self::Unsubscribed(packet_id) => ("Unsubscribed", packet_id),
            Self::Disconnected => return f.write_str("Disconnected"),
        };
        f.debug_tuple(name).field(value).finish()
    }
}
