//! What a connection tells the application, and what the application tells it to publish.

use crate::types::{PacketId, QoS, TopicName};
use crate::v3::fmt::{self, fields};
use crate::v3::{
    ConnectRefusal, EncodedConnect, Publish, PublishHeader, SubAck, Subscribe, Unsubscribe,
};

/// What has happened, as far as the application has to know. It may borrow from the packet that
/// was handed in.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<B: AsRef<[u8]>> {
    /// Server: a client asks for a connection; [`EncodedConnect::to_connect`] is what it says. Answer
    /// with [`Server::accept`](crate::Server::accept) or [`Server::refuse`](crate::Server::refuse).
    /// Nothing else is dealt with before.
    ConnectRequested(EncodedConnect<B>),
    /// Client: the server has accepted the connection.
    Connected {
        /// The server goes on with the session that it kept. If not, what the client kept is lost
        /// too, message by message ([`Action::Lost`](crate::Action::Lost)). MQTT 3.1 does not say:
        /// there it is true unless Clean Session was asked for.
        session_present: bool,
    },
    /// Client: the server has refused the connection, which is over.
    Refused(ConnectRefusal),
    /// A message has come. With manual acknowledgement and a QoS above 0, call `acknowledge` when
    /// it is safe; otherwise it is acknowledged with the actions that follow.
    Message(Publish<B>),
    /// A message has begun to come in pieces; its payload follows.
    MessageHeader(PublishHeader<B>),
    /// The next piece of that payload.
    Payload {
        /// The bytes, at least one.
        bytes: B,
        /// How many are still to come; with 0 the message is complete, and acknowledged as any
        /// other.
        left: usize,
    },
    /// The peer has this QoS 2 message (PUBREC). It will not be asked for again, so it need not be
    /// kept, with a journal as soon as [`Change::Released`](crate::Change::Released) is stored; its
    /// identifier is still in use.
    AcceptedByPeer(PacketId),
    /// This message is delivered and done with (PUBACK or PUBCOMP).
    Delivered(PacketId),
    /// Server: the client asks for subscriptions. Answer with
    /// [`Server::suback`](crate::Server::suback). Nothing else is dealt with before.
    SubscribeRequested(Subscribe<B>),
    /// Server: the client ends subscriptions. Answer with
    /// [`Server::unsuback`](crate::Server::unsuback). Nothing else is dealt with before.
    UnsubscribeRequested(Unsubscribe<B>),
    /// Client: the answer to a SUBSCRIBE, with a return code for each of its filters.
    Subscribed(SubAck<B>),
    /// Client: the UNSUBSCRIBE with this identifier has been carried out.
    Unsubscribed(PacketId),
    /// Server: the client has disconnected of its own will. The connection is over.
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

/// A message to publish: what the application knows of a PUBLISH. Packet Identifier and DUP are
/// the connection's.
///
/// ```
/// use mqtt_sansio::{Message, QoS, TopicName};
///
/// let message = Message {
///     topic: TopicName::new("kitchen/temperature")?,
///     payload: &b"21.5"[..],
///     qos: QoS::AtLeastOnce,
///     retain: false,
/// };
/// # Ok::<(), mqtt_sansio::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct Message<B: AsRef<[u8]>> {
    /// Topic Name.
    pub topic: TopicName<B>,
    /// The message itself; may be empty.
    pub payload: B,
    /// Quality of Service.
    pub qos: QoS,
    /// RETAIN: the server keeps the message for later subscribers.
    pub retain: bool,
}

/// A [`Message`] whose payload is sent in pieces.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct MessageHeader<B: AsRef<[u8]>> {
    /// Topic Name.
    pub topic: TopicName<B>,
    /// How many bytes of payload follow.
    pub payload_len: u32,
    /// Quality of Service.
    pub qos: QoS,
    /// RETAIN: the server keeps the message for later subscribers.
    pub retain: bool,
}

impl<B: AsRef<[u8]>> Message<B> {
    /// Moves the bytes elsewhere. `f` must keep them as they are: what it returns is not checked
    /// again.
    pub fn map<C: AsRef<[u8]>>(self, mut f: impl FnMut(B) -> C) -> Message<C> {
        Message {
            topic: self.topic.map(&mut f),
            payload: f(self.payload),
            qos: self.qos,
            retain: self.retain,
        }
    }

    /// The same, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> Message<&[u8]> {
        Message {
            topic: self.topic.as_ref(),
            payload: self.payload.as_ref(),
            qos: self.qos,
            retain: self.retain,
        }
    }

    /// The same with its bytes in vectors of their own (feature `alloc`).
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_owned(&self) -> Message<alloc::vec::Vec<u8>> {
        self.as_ref().map(<[u8]>::to_vec)
    }
}

/// What came, to be published to others: without Packet Identifier and DUP, which are not passed
/// on [MQTT-3.3.1-3].
impl<B: AsRef<[u8]>> From<Publish<B>> for Message<B> {
    fn from(publish: Publish<B>) -> Self {
        Self {
            qos: publish.delivery.qos(),
            retain: publish.retain,
            topic: publish.topic,
            payload: publish.payload,
        }
    }
}

fields!(Message(this) {
    topic: this.topic,
    payload: fmt::Message(this.payload.as_ref()),
    qos: this.qos,
    retain: this.retain,
});
fields!(MessageHeader(this) {
    topic: this.topic,
    payload_len: this.payload_len,
    qos: this.qos,
    retain: this.retain,
});

/// The name of the event, and what it is about.
macro_rules! about {
    ($f:ident, $self:ident, $($Variant:ident)+) => {
        match $self {
            $(Self::$Variant(about) => $f.debug_tuple(stringify!($Variant)).field(about).finish(),)+
            Self::Connected { session_present } => $f
                .debug_struct("Connected")
                .field("session_present", session_present)
                .finish(),
            Self::Payload { bytes, left } => $f
                .debug_struct("Payload")
                .field("bytes", &fmt::Message(bytes.as_ref()))
                .field("left", left)
                .finish(),
            Self::Disconnected => $f.write_str("Disconnected"),
        }
    };
}

impl<B: AsRef<[u8]>> core::fmt::Debug for Event<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        about!(f, self, ConnectRequested Refused Message MessageHeader AcceptedByPeer Delivered
            SubscribeRequested UnsubscribeRequested Subscribed Unsubscribed)
    }
}
