//! A message that is encoded once.

use super::subscriber_header::NO_NAME;
use super::{Receiver, SubscriberHeader, TopicForm};
use crate::packet::fmt::Message;
use crate::types::{Delivery, PacketId, QoS, TopicName};
use crate::v5::{
    MESSAGE_EXPIRY_INTERVAL, PublishProperties, SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS, V5,
};
use crate::wire::{
    EncodeError, Field, Output, PacketBody, PacketSet, SliceOutput, encode_packet, put_topic_name,
};

/// A message that is encoded once for any number of receivers, of every version. Each receiver has its
/// own QoS, Packet Identifier, DUP and RETAIN, and in MQTT 5 its own Subscription Identifiers and the
/// rest of the Message Expiry Interval.
///
/// `T` is where the encoded Topic Name and properties live, `P` where the payload lives. A
/// [`SubscriberHeader`] holds the bytes of one receiver. [`slices`](Self::slices) returns all parts
/// in order for a vectored write, without copying or allocating.
///
/// ```
/// use mqtt_sansio::v5::{Property, PublishProperties, SubscriptionIdentifiers};
/// use mqtt_sansio::{EncodedMessage, QoS, Receiver, TopicName};
/// # use mqtt_sansio::any::{Decoder, Event, ProtocolVersion, Server, Step};
/// # use mqtt_sansio::{Config, Options, Session, Slot, SliceOutput, Timestamp};
/// # let now = Timestamp::from_millis(0);
/// # let server = |connect: &[u8]| {
/// #     let mut server = Server::new(Session::<[Slot; 4]>::default(), Config::new(), now);
/// #     let mut decoder = Decoder::with_options([0; 64], Options::new(), ProtocolVersion::V3);
/// #     let mut received = connect;
/// #     let step = server.receive(now, &mut decoder, &mut received).unwrap();
/// #     assert!(matches!(step, Some(Step::Event(Event::ConnectRequested(_)))));
/// #     let mut out = [0; 8];
/// #     server.accept_new(now, &mut SliceOutput::new(&mut out)).unwrap();
/// #     server
/// # };
/// # let mut of_3_1_1 = server(b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0");
/// # let mut of_5 = server(b"\x10\x0e\0\x04MQTT\x05\x02\0\0\0\0\x01c");
///
/// let mut buffer = [0; 16];
/// let properties = PublishProperties::encode_to_slice(&mut buffer, [
///     Property::MessageExpiryInterval(60),
///     Property::PayloadFormatIndicator(true),
/// ])?;
/// let mut buffer = [0; 64];
/// let topic = TopicName::new("a/b")?;
/// let message = EncodedMessage::encode_to_slice(&mut buffer, &topic, &properties, "21.5")?;
///
/// // To a client of MQTT 3.1.1
/// let header = of_3_1_1.publish_encoded(now, &message, Receiver::new(QoS::AtLeastOnce))?;
/// assert_eq!(message.slices(&header).concat(), b"\x32\x0b\0\x03a/b\0\x0121.5");
///
/// // To a client of MQTT 5 with a Subscription Identifier, 10 seconds later
/// let mut buffer = [0; 8];
/// let number = Property::SubscriptionIdentifier(7.try_into()?);
/// let identifiers = SubscriptionIdentifiers::encode_to_slice(&mut buffer, [number])?;
/// let receiver = Receiver::new(QoS::AtMostOnce).waited(10).subscription_identifiers(identifiers);
/// let header = of_5.publish_encoded(now, &message, receiver)?;
/// assert_eq!(
///     message.slices(&header).concat(),
///     b"\x30\x13\0\x03a/b\x09\x02\0\0\0\x32\x0b\x07\x01\x0121.5"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncodedMessage<T, P> {
    /// The Topic Name with its two bytes of length, then the properties that all receivers get.
    head: T,
    payload: P,
    message_expiry_interval: Option<u32>,
}

impl<'t, P: AsRef<[u8]>> EncodedMessage<&'t [u8], P> {
    /// Encodes Topic Name and properties to the start of `buffer`, with at most two bytes more than
    /// their own lengths.
    ///
    /// Leaves out a Topic Alias and Subscription Identifiers, which belong to the connection that
    /// the message was received on [MQTT5-3.3.2-7].
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`] if they do not fit; [`EncodeError::PacketTooLarge`] if the PUBLISH to a
    /// client of MQTT 5 would exceed the largest packet of MQTT, at any QoS.
    pub fn encode_to_slice<B: AsRef<[u8]>, Q: AsRef<[u8]>>(
        buffer: &'t mut [u8],
        topic: &TopicName<B>,
        properties: &PublishProperties<Q>,
        payload: P,
    ) -> Result<Self, EncodeError> {
        let mut out = SliceOutput::new(buffer);
        put_head(topic, properties, &mut out)?;
        Self::new(out.into_written(), properties, payload)
    }
}

#[cfg(feature = "alloc")]
impl<P: AsRef<[u8]>> EncodedMessage<alloc::vec::Vec<u8>, P> {
    /// Encodes Topic Name and properties to a new vector (feature `alloc`), without a Topic Alias and
    /// Subscription Identifiers.
    ///
    /// # Errors
    ///
    /// As [`encode_to_slice`](EncodedMessage::encode_to_slice), except `NoRoom`.
    pub fn encode_to_vec<B: AsRef<[u8]>, Q: AsRef<[u8]>>(
        topic: &TopicName<B>,
        properties: &PublishProperties<Q>,
        payload: P,
    ) -> Result<Self, EncodeError> {
        let len = topic.as_bytes().len();
        let len = len.saturating_add(properties.as_bytes().len());
        let mut out = alloc::vec::Vec::with_capacity(len.saturating_add(2));
        put_head(topic, properties, &mut out)?;
        Self::new(out, properties, payload)
    }
}

fn put_head<B: AsRef<[u8]>, Q: AsRef<[u8]>, O: Output>(
    topic: &TopicName<B>,
    properties: &PublishProperties<Q>,
    out: &mut O,
) -> Result<(), EncodeError> {
    let topic = topic.as_bytes();
    out.reserve(topic.len().saturating_add(2))?;
    put_topic_name(out, Field::TopicName, topic)?;
    // A Message Expiry Interval precedes these in the packet, so that they stay in one slice.
    properties.write_without(
        &[
            MESSAGE_EXPIRY_INTERVAL,
            SUBSCRIPTION_IDENTIFIER,
            TOPIC_ALIAS,
        ],
        out,
    )
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>> EncodedMessage<T, P> {
    fn new<Q: AsRef<[u8]>>(
        head: T,
        properties: &PublishProperties<Q>,
        payload: P,
    ) -> Result<Self, EncodeError> {
        let message = Self {
            head,
            payload,
            message_expiry_interval: properties.message_expiry_interval(),
        };
        // Even the largest form must be a valid packet.
        let receiver = Receiver::new(QoS::AtLeastOnce);
        let delivery = Delivery::new(receiver.qos, PacketId::MIN, false);
        message.subscriber_header::<V5, _>(&delivery, receiver, TopicForm::Name)?;
        Ok(message)
    }
}

impl<T, P> EncodedMessage<T, P> {
    /// Returns the payload.
    pub const fn payload(&self) -> &P {
        &self.payload
    }

    /// Returns the Message Expiry Interval of the publisher, in seconds. [`Receiver::waited`] subtracts
    /// the time that has passed. A server deletes a message that has waited for the whole interval
    /// [MQTT5-3.3.2-5].
    pub const fn message_expiry_interval(&self) -> Option<u32> {
        self.message_expiry_interval
    }

    /// Moves the bytes elsewhere: Topic Name and properties, and the payload. The functions must not
    /// change them: their results are not validated again.
    pub fn map<U, Q>(
        self,
        head: impl FnOnce(T) -> U,
        payload: impl FnOnce(P) -> Q,
    ) -> EncodedMessage<U, Q> {
        EncodedMessage {
            head: head(self.head),
            payload: payload(self.payload),
            message_expiry_interval: self.message_expiry_interval,
        }
    }
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>> EncodedMessage<T, P> {
    /// Returns the Topic Name with its length, and the properties.
    #[inline]
    pub(super) fn head(&self) -> (&[u8], &[u8]) {
        let head = self.head.as_ref();
        let len = head.first_chunk().map_or(0, |len| u16::from_be_bytes(*len));
        let end = usize::from(len).saturating_add(2);
        head.split_at_checked(end).unwrap_or_default()
    }

    /// Returns the Topic Name.
    ///
    /// ```
    /// use mqtt_sansio::v5::PublishProperties;
    /// use mqtt_sansio::{EncodedMessage, TopicName};
    ///
    /// let mut buffer = [0; 16];
    /// let topic = TopicName::new("kitchen/light")?;
    /// let properties = PublishProperties::EMPTY;
    /// let message = EncodedMessage::encode_to_slice(&mut buffer, &topic, &properties, "on")?;
    /// assert_eq!(message.topic(), "kitchen/light");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn topic(&self) -> TopicName<&[u8]> {
        TopicName::from_valid(self.head().0.get(2..).unwrap_or_default())
    }

    /// Returns the properties that all receivers of MQTT 5 get.
    pub fn properties(&self) -> PublishProperties<&[u8]> {
        PublishProperties::from_valid(self.head().1)
    }

    /// Returns the same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> EncodedMessage<&[u8], &[u8]> {
        EncodedMessage {
            head: self.head.as_ref(),
            payload: self.payload.as_ref(),
            message_expiry_interval: self.message_expiry_interval,
        }
    }

    /// Returns the bytes of one receiver of the version `V`, and the length of its PUBLISH.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn subscriber_header<V: PacketSet, B: AsRef<[u8]>>(
        &self,
        delivery: &Delivery,
        receiver: Receiver<B>,
        form: TopicForm,
    ) -> Result<(SubscriberHeader<B>, usize), EncodeError> {
        SubscriberHeader::new::<V, T, P>(self, delivery, receiver, form)
    }

    /// Returns the PUBLISH for a receiver as slices, in the order in which to send them. A part that
    /// the PUBLISH does not have is empty. `header` must be a header of this message.
    ///
    /// The parts are: fixed header, Topic Name, Packet Identifier with Property Length and Message
    /// Expiry Interval, Subscription Identifiers, the other properties, payload.
    #[must_use]
    #[inline]
    pub fn slices<'a, B: AsRef<[u8]>>(&'a self, header: &'a SubscriberHeader<B>) -> [&'a [u8]; 6] {
        let (topic, properties) = self.head();
        let (identifiers, properties) = if header.has_properties {
            (header.identifiers(), properties)
        } else {
            (&[][..], &[][..])
        };
        [
            header.fixed_header(),
            if header.has_name { topic } else { NO_NAME },
            header.fields(),
            identifiers,
            properties,
            self.payload.as_ref(),
        ]
    }

    /// Appends the PUBLISH for a receiver to `out`, for transports without vectored writes. `header`
    /// must be a header of this message.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NoRoom`] if it does not fit. Then nothing is written.
    #[inline]
    pub fn write<B: AsRef<[u8]>, O: Output + ?Sized>(
        &self,
        header: &SubscriberHeader<B>,
        out: &mut O,
    ) -> Result<(), EncodeError> {
        encode_packet(&Parts(self.slices(header)), out)
    }
}

/// A PUBLISH as its [`slices`](EncodedMessage::slices).
struct Parts<'a>([&'a [u8]; 6]);

impl PacketBody for Parts<'_> {
    #[inline]
    fn first_byte(&self) -> u8 {
        let [fixed_header, ..] = self.0;
        fixed_header.first().copied().unwrap_or_default()
    }

    #[inline]
    fn write_body<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), EncodeError> {
        let [_, body @ .., _] = self.0;
        body.into_iter().try_for_each(|slice| out.put(slice))
    }

    #[inline]
    fn payload(&self) -> &[u8] {
        let [.., payload] = self.0;
        payload
    }

    #[inline]
    fn likely_body_len(&self) -> usize {
        let [_, body @ .., _] = self.0;
        body.into_iter()
            .fold(0, |len, slice| slice.len().wrapping_add(len))
    }
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>> core::fmt::Debug for EncodedMessage<T, P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EncodedMessage")
            .field("topic", &self.topic())
            .field("message_expiry_interval", &self.message_expiry_interval)
            .field("properties", &self.properties())
            .field("payload", &Message(self.payload.as_ref()))
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl<T: AsRef<[u8]>, P: AsRef<[u8]>> defmt::Format for EncodedMessage<T, P> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "EncodedMessage {{ topic: {}, message_expiry_interval: {}, properties: {}, payload: {} }}",
            self.topic(),
            self.message_expiry_interval,
            self.properties(),
            Message(self.payload.as_ref())
        );
    }
}
