//! The messages that an application publishes.

use super::Limits;
use crate::connection::error::CommandError;
use crate::connection::outgoing::OutgoingMessage;
use crate::packet::fmt::{self, fields};
use crate::types::{Delivery, QoS, TopicName};
use crate::v3::{Publish, PublishHeader, V3, Will};
use crate::wire::{Encode, Output, Sealed};

/// A message to publish. `T` is where the bytes of the Topic Name live, `P` those of the payload.
///
/// ```
/// use mqtt_sansio::{QoS, TopicName, v3::Message};
///
/// let topic = TopicName::new("kitchen/temperature")?;
/// let payload = format!("{:.1}", 21.5);
/// let message = Message::new(topic, payload).qos(QoS::AtLeastOnce).retain(true);
/// # assert!(message.retain);
/// # Ok::<(), mqtt_sansio::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct Message<T, P = T> {
    /// The Topic Name.
    pub topic: TopicName<T>,
    /// The payload.
    pub payload: P,
    /// The QoS.
    pub qos: QoS,
    /// RETAIN: the server is to keep the message for later subscribers.
    pub retain: bool,
}

/// A message to publish whose payload follows in pieces, with `payload`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct MessageHeader<T> {
    /// The Topic Name.
    pub topic: TopicName<T>,
    /// The number of bytes of payload that follow.
    pub payload_len: u32,
    /// The QoS.
    pub qos: QoS,
    /// RETAIN: the server is to keep the message for later subscribers.
    pub retain: bool,
}

impl<T, P> Message<T, P> {
    /// Creates a message at QoS 0 that is not retained.
    pub const fn new(topic: TopicName<T>, payload: P) -> Self {
        Self {
            topic,
            payload,
            qos: QoS::AtMostOnce,
            retain: false,
        }
    }

    /// Sets the QoS.
    #[must_use]
    pub const fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// Sets the RETAIN flag.
    #[must_use]
    pub const fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }
}

impl<B> Message<B> {
    /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
    pub fn map<C>(self, mut f: impl FnMut(B) -> C) -> Message<C> {
        Message {
            topic: self.topic.map(&mut f),
            payload: f(self.payload),
            qos: self.qos,
            retain: self.retain,
        }
    }
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>> Message<T, P> {
    /// Returns the same message, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> Message<&[u8]> {
        Message {
            topic: TopicName::as_ref(&self.topic),
            payload: self.payload.as_ref(),
            qos: self.qos,
            retain: self.retain,
        }
    }

    /// Returns the same message with its bytes in vectors of their own (feature `alloc`).
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_owned(&self) -> Message<alloc::vec::Vec<u8>> {
        self.as_ref().map(<[u8]>::to_vec)
    }
}

#[cfg(feature = "bytes")]
impl Message<&[u8]> {
    /// Returns the same message as references into `whole` (feature `bytes`). Bytes outside of
    /// `whole` are copied.
    #[must_use]
    pub fn share(self, whole: &bytes::Bytes) -> Message<bytes::Bytes> {
        self.map(|part| crate::wire::share(whole, part))
    }
}

/// Returns the message of a received PUBLISH, to forward or keep it.
impl<B> From<Publish<B>> for Message<B> {
    fn from(publish: Publish<B>) -> Self {
        Self {
            qos: publish.delivery.qos(),
            retain: publish.retain,
            topic: publish.topic,
            payload: publish.payload,
        }
    }
}

/// Returns the message that a server publishes for a client whose connection has broken.
impl<B> From<Will<B>> for Message<B> {
    fn from(will: Will<B>) -> Self {
        Self {
            topic: will.topic,
            payload: will.message,
            qos: will.qos,
            retain: will.retain,
        }
    }
}

impl<T, P> Sealed for Message<T, P> {}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>> OutgoingMessage<V3> for Message<T, P> {
    #[inline]
    fn qos(&self) -> QoS {
        self.qos
    }

    #[inline]
    fn encode<O: Output + ?Sized>(
        &self,
        delivery: Delivery,
        _: &mut Limits,
        _: bool,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let publish = Publish {
            delivery,
            retain: self.retain,
            topic: TopicName::as_ref(&self.topic),
            payload: self.payload.as_ref(),
        };
        Ok(publish.encode(out)?)
    }

    #[inline]
    fn payload_left(&self) -> u32 {
        0
    }
}

impl<T> Sealed for MessageHeader<T> {}

impl<T: AsRef<[u8]>> OutgoingMessage<V3> for MessageHeader<T> {
    fn qos(&self) -> QoS {
        self.qos
    }

    fn encode<O: Output + ?Sized>(
        &self,
        delivery: Delivery,
        _: &mut Limits,
        _: bool,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let header = PublishHeader {
            delivery,
            retain: self.retain,
            topic: TopicName::as_ref(&self.topic),
            payload_len: self.payload_len,
        };
        Ok(header.encode(out)?)
    }

    fn payload_left(&self) -> u32 {
        self.payload_len
    }
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>> core::fmt::Debug for Message<T, P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic)
            .field("payload", &fmt::Message(self.payload.as_ref()))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl<T: AsRef<[u8]>, P: AsRef<[u8]>> defmt::Format for Message<T, P> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Message {{ topic: {}, payload: {}, qos: {}, retain: {=bool} }}",
            self.topic,
            fmt::Message(self.payload.as_ref()),
            self.qos,
            self.retain
        );
    }
}

fields!(MessageHeader(this) {
    topic: this.topic,
    payload_len: this.payload_len,
    qos: this.qos,
    retain: this.retain,
});
