//! The messages that an application publishes.

use super::limited::encode_within;
use super::limits::{Limits, OWN_ALIAS};
use crate::connection::error::CommandError;
use crate::connection::outgoing::OutgoingMessage;
use crate::fan_out::TopicForm;
use crate::packet::fmt::{self, fields};
use crate::types::{Delivery, QoS, TopicName};
use crate::v5::{
    EditedAlias, EditedPublish, Publish, PublishProperties, SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS,
    V5,
};
#[cfg(feature = "alloc")]
use crate::v5::{Properties, WILL_DELAY_INTERVAL, Will};
use crate::wire::{EncodeError, OPTIMIZE_SIZE, Output, Sealed};

/// A message to publish. `T` is where the bytes of the Topic Name live, `P` those of the payload, `Q`
/// those of the properties.
///
/// ```
/// use mqtt_sansio::v5::{Message, Property, PublishProperties};
/// use mqtt_sansio::{QoS, TopicName};
///
/// let topic = TopicName::new("kitchen/temperature")?;
/// let mut buffer = [0; 16];
/// let properties = PublishProperties::encode_to_slice(&mut buffer, [
///     Property::MessageExpiryInterval(60),
/// ])?;
/// let message = Message::new(topic, "21.5").qos(QoS::AtLeastOnce).properties(properties);
/// assert_eq!(message.properties.message_expiry_interval(), Some(60));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct Message<T, P = T, Q = T> {
    /// The Topic Name.
    pub topic: TopicName<T>,
    /// The payload.
    pub payload: P,
    /// The QoS.
    pub qos: QoS,
    /// RETAIN: the server is to keep the message for later subscribers.
    pub retain: bool,
    /// The properties.
    pub properties: PublishProperties<Q>,
}

/// A message to publish whose payload follows in pieces, with `payload`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the fields are the standard's")]
pub struct MessageHeader<T, Q = T> {
    /// The Topic Name.
    pub topic: TopicName<T>,
    /// The number of bytes of payload that follow.
    pub payload_len: u32,
    /// The QoS.
    pub qos: QoS,
    /// RETAIN: the server is to keep the message for later subscribers.
    pub retain: bool,
    /// The properties.
    pub properties: PublishProperties<Q>,
}

impl<T, P> Message<T, P, &'static [u8]> {
    /// Creates a message at QoS 0 that is not retained, without properties.
    pub const fn new(topic: TopicName<T>, payload: P) -> Self {
        Self {
            topic,
            payload,
            qos: QoS::AtMostOnce,
            retain: false,
            properties: PublishProperties::EMPTY,
        }
    }
}

impl<T, P, Q> Message<T, P, Q> {
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

    /// Sets the properties.
    #[must_use]
    pub fn properties<R>(self, properties: PublishProperties<R>) -> Message<T, P, R> {
        Message {
            topic: self.topic,
            payload: self.payload,
            qos: self.qos,
            retain: self.retain,
            properties,
        }
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
            properties: self.properties.map(f),
        }
    }
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>> Message<T, P, Q> {
    /// Returns the same message, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> Message<&[u8]> {
        Message {
            topic: TopicName::as_ref(&self.topic),
            payload: self.payload.as_ref(),
            qos: self.qos,
            retain: self.retain,
            properties: self.properties.as_ref(),
        }
    }

    /// Returns the same message with its bytes in vectors of their own (feature `alloc`).
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_owned(&self) -> Message<alloc::vec::Vec<u8>> {
        self.as_ref().map(<[u8]>::to_vec)
    }

    /// Returns the PUBLISH, with the Topic Alias of `form` instead of one among the properties.
    pub(super) fn edited(&self, delivery: Delivery, form: TopicForm) -> EditedPublish<'_> {
        EditedPublish {
            delivery,
            retain: self.retain,
            topic: match form {
                TopicForm::Alias(_) => &[],
                _ => self.topic.as_bytes(),
            },
            properties: self.properties.as_ref(),
            alias: EditedAlias::Replaced(form.alias()),
            payload: self.payload.as_ref(),
            payload_left: 0,
        }
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

/// Returns the message of a received PUBLISH, to forward or keep it, without what belongs to the
/// connection that the PUBLISH was received on: its Topic Alias [MQTT5-3.3.2-7] and Subscription
/// Identifiers. Without a heap, use [`EncodedMessage`](crate::EncodedMessage), which leaves them out too.
#[cfg(feature = "alloc")]
impl<B: AsRef<[u8]>> From<Publish<B>> for Message<B, B, alloc::vec::Vec<u8>> {
    fn from(publish: Publish<B>) -> Self {
        let properties = without(&publish.properties, &[TOPIC_ALIAS, SUBSCRIPTION_IDENTIFIER]);
        Self {
            qos: publish.delivery.qos(),
            retain: publish.retain,
            topic: publish.topic,
            payload: publish.payload,
            properties,
        }
    }
}

/// Returns the properties of a PUBLISH or a Will, except some, as those of a PUBLISH.
#[cfg(feature = "alloc")]
fn without<B: AsRef<[u8]>, K>(
    properties: &Properties<B, K>,
    identifiers: &[u8],
) -> PublishProperties<alloc::vec::Vec<u8>> {
    let mut bytes = alloc::vec::Vec::new();
    match properties.write_without(identifiers, &mut bytes) {
        // They were valid in the PUBLISH or Will, so they are valid here.
        Ok(()) => Properties::from_valid(bytes),
        Err(_) => Properties::default(),
    }
}

/// Returns the message that a server publishes for a client whose connection has broken. All Will
/// Properties except Will Delay Interval are properties of the PUBLISH (section 3.1.3.2).
#[cfg(feature = "alloc")]
impl<B: AsRef<[u8]>> From<Will<B>> for Message<B, B, alloc::vec::Vec<u8>> {
    fn from(will: Will<B>) -> Self {
        let properties = without(&will.properties, &[WILL_DELAY_INTERVAL]);
        Self {
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            properties,
        }
    }
}

/// Checks a message of this packet length against the limits of the peer.
pub(super) fn check(
    limits: &Limits,
    qos: QoS,
    retain: bool,
    packet_len: Result<usize, EncodeError>,
) -> Result<(), CommandError> {
    check_flags(limits, qos, retain)?;
    check_len(limits, packet_len)
}

/// Checks QoS and RETAIN of a message against the limits of the peer.
fn check_flags(limits: &Limits, qos: QoS, retain: bool) -> Result<(), CommandError> {
    let peer = &limits.peer;
    if qos > peer.maximum_qos {
        return Err(CommandError::QosNotSupported); // [MQTT5-3.2.2-11]
    }
    if retain && !peer.retain_available {
        return Err(CommandError::RetainNotSupported); // [MQTT5-3.2.2-14]
    }
    Ok(())
}

/// Checks a packet length against the peer's Maximum Packet Size [MQTT5-3.1.2-24, MQTT5-3.2.2-15].
pub(super) fn check_len(
    limits: &Limits,
    packet_len: Result<usize, EncodeError>,
) -> Result<(), CommandError> {
    let maximum = limits.peer.maximum_packet_size;
    if maximum != u32::MAX && packet_len? > maximum as usize {
        return Err(CommandError::PacketTooLarge);
    }
    Ok(())
}

/// Checks the properties of a message. Returns whether it has a Topic Alias: the application's own, within
/// the peer's maximum [MQTT5-3.1.2-26, MQTT5-3.2.2-17].
fn check_properties<Q: AsRef<[u8]>>(
    properties: &PublishProperties<Q>,
    delivery: &Delivery,
    limits: &Limits,
    is_server: bool,
) -> Result<bool, CommandError> {
    if !properties.has_any(&[SUBSCRIPTION_IDENTIFIER, TOPIC_ALIAS]) {
        return Ok(false);
    }
    // [MQTT5-3.3.4-6]
    if !is_server && properties.has(SUBSCRIPTION_IDENTIFIER) {
        return Err(CommandError::SubscriptionIdentifier);
    }
    match properties.topic_alias() {
        Some(alias) if alias.get() > limits.peer.topic_alias_maximum && !delivery.dup() => {
            Err(CommandError::TopicAliasInvalid)
        }
        alias => Ok(alias.is_some()),
    }
}

impl<T, P, Q> Sealed for Message<T, P, Q> {}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>> OutgoingMessage<V5> for Message<T, P, Q> {
    #[inline]
    fn qos(&self) -> QoS {
        self.qos
    }

    #[inline]
    fn encode<O: Output + ?Sized>(
        &self,
        delivery: Delivery,
        limits: &mut Limits,
        is_server: bool,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let has_alias = check_properties(&self.properties, &delivery, limits, is_server)?;
        check_flags(limits, self.qos, self.retain)?;
        if OPTIMIZE_SIZE || (has_alias && delivery.dup()) {
            let publish = EditedPublish {
                delivery,
                retain: self.retain,
                topic: self.topic.as_bytes(),
                properties: self.properties.as_ref(),
                alias: alias_of(&delivery, has_alias),
                payload: self.payload.as_ref(),
                payload_left: 0,
            };
            encode_within(limits, &publish, out)?;
        } else {
            // A tenth of the instructions for a small message less.
            let publish = Publish {
                delivery,
                retain: self.retain,
                topic: TopicName::as_ref(&self.topic),
                properties: self.properties.as_ref(),
                payload: self.payload.as_ref(),
            };
            encode_within(limits, &publish, out)?;
        }
        limits.note(OWN_ALIAS, has_alias && !delivery.dup());
        Ok(())
    }

    #[inline]
    fn payload_left(&self) -> u32 {
        0
    }
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>> Message<T, P, Q> {
    /// Encodes the message in this form, if it keeps the rules for this side and the limits of the peer.
    pub(super) fn encode_edited<O: Output + ?Sized>(
        &self,
        publish: &EditedPublish<'_>,
        limits: &Limits,
        is_server: bool,
        out: &mut O,
    ) -> Result<(), CommandError> {
        if !is_server && self.properties.has(SUBSCRIPTION_IDENTIFIER) {
            return Err(CommandError::SubscriptionIdentifier); // [MQTT5-3.3.4-6]
        }
        check_flags(limits, self.qos, self.retain)?;
        encode_within(limits, publish, out)
    }
}

impl<T, Q> Sealed for MessageHeader<T, Q> {}

impl<T: AsRef<[u8]>, Q: AsRef<[u8]>> OutgoingMessage<V5> for MessageHeader<T, Q> {
    fn qos(&self) -> QoS {
        self.qos
    }

    fn encode<O: Output + ?Sized>(
        &self,
        delivery: Delivery,
        limits: &mut Limits,
        is_server: bool,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let has_alias = check_properties(&self.properties, &delivery, limits, is_server)?;
        check_flags(limits, self.qos, self.retain)?;
        let header = EditedPublish {
            delivery,
            retain: self.retain,
            topic: self.topic.as_bytes(),
            properties: self.properties.as_ref(),
            alias: alias_of(&delivery, has_alias),
            payload: &[],
            payload_left: self.payload_len,
        };
        encode_within(limits, &header, out)?;
        limits.note(OWN_ALIAS, has_alias && !delivery.dup());
        Ok(())
    }

    fn payload_left(&self) -> u32 {
        self.payload_len
    }
}

/// A resent message has no Topic Alias: its alias may be from an earlier connection.
const fn alias_of(delivery: &Delivery, has_alias: bool) -> EditedAlias {
    if has_alias && delivery.dup() {
        EditedAlias::Replaced(None)
    } else {
        EditedAlias::Kept
    }
}

impl<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>> core::fmt::Debug for Message<T, P, Q> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic)
            .field("payload", &fmt::Message(self.payload.as_ref()))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("properties", &self.properties)
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl<T: AsRef<[u8]>, P: AsRef<[u8]>, Q: AsRef<[u8]>> defmt::Format for Message<T, P, Q> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Message {{ topic: {}, payload: {}, qos: {}, retain: {=bool}, properties: {} }}",
            self.topic,
            fmt::Message(self.payload.as_ref()),
            self.qos,
            self.retain,
            self.properties
        );
    }
}

fields!(MessageHeader(this) {
    topic: this.topic,
    payload_len: this.payload_len,
    qos: this.qos,
    retain: this.retain,
    properties: this.properties,
});
