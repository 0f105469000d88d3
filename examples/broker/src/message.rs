//! Messages, and their properties on the way to a receiver.

use std::borrow::Cow;
use std::sync::Arc;

use mqtt_sansio::v5::{self, Property, Publish, PublishProperties, SubscriptionIdentifier, Will};
use mqtt_sansio::{QoS, Timestamp, TopicFilter, TopicName};

use crate::broker::ClientId;

/// A message whose bytes all of its receivers share.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) topic: TopicName<Arc<[u8]>>,
    pub(crate) payload: Arc<[u8]>,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// Those that go on to the receivers, as they came.
    pub(crate) properties: PublishProperties<Arc<[u8]>>,
    /// When the Message Expiry Interval is over.
    pub(crate) expires: Option<Timestamp>,
    /// For No Local.
    pub(crate) publisher: ClientId,
}

impl Message {
    /// A message that a client has published. The bytes are copied, so that a message that is kept does
    /// not keep the buffer that it came in.
    pub(crate) fn received(publish: &Publish<&[u8]>, publisher: &ClientId, now: Timestamp) -> Self {
        let mut message = Self {
            topic: publish.topic.map(Arc::from),
            payload: Arc::from(publish.payload),
            qos: publish.delivery.qos(),
            retain: publish.retain,
            properties: to_forward(&publish.properties),
            expires: None,
            publisher: Arc::clone(publisher),
        };
        message.published(now);
        message
    }

    /// The Will of a client, which is published later: see [`published`](Self::published).
    pub(crate) fn will(will: Will<&[u8]>, publisher: &ClientId) -> Self {
        let message = v5::Message::<&[u8], &[u8], Vec<u8>>::from(will);
        Self {
            topic: message.topic.map(Arc::from),
            payload: Arc::from(message.payload),
            qos: message.qos,
            // [MQTT-3.1.2-16, MQTT-3.1.2-17, MQTT5-3.1.2-14, MQTT5-3.1.2-15]
            retain: message.retain,
            properties: message.properties.map(Arc::from),
            expires: None,
            publisher: Arc::clone(publisher),
        }
    }

    /// The message has been published now: its Message Expiry Interval begins.
    pub(crate) fn published(&mut self, now: Timestamp) {
        self.expires = self
            .properties
            .message_expiry_interval()
            .map(|seconds| now.plus_millis(u64::from(seconds).saturating_mul(1000)));
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// The number of bytes that the message keeps.
    pub(crate) fn size(&self) -> usize {
        let topic = self.topic.as_bytes().len();
        let properties = self.properties.as_bytes().len();
        topic
            .saturating_add(self.payload.len())
            .saturating_add(properties)
    }
}

/// The properties of a PUBLISH without its Topic Alias, which belongs to the connection
/// [MQTT5-3.3.2-7].
fn to_forward(properties: &PublishProperties<&[u8]>) -> PublishProperties<Arc<[u8]>> {
    if properties.is_empty() {
        return properties.as_ref().map(|_| Arc::default()); // Allocates nothing.
    }
    if properties.topic_alias().is_none() {
        return properties.as_ref().map(Arc::from);
    }
    let others = properties
        .iter()
        .filter(|property| !matches!(property, Property::TopicAlias(_)));
    encoded(others).map(Arc::from)
}

/// Encodes properties that have been valid in another packet.
fn encoded<'a>(properties: impl Iterator<Item = Property<'a>>) -> PublishProperties<Vec<u8>> {
    PublishProperties::encode_to_vec(properties).unwrap_or_default()
}

/// A message on its way to one client.
#[derive(Clone)]
pub(crate) struct Outgoing {
    /// With the QoS and RETAIN for this client.
    pub(crate) message: Message,
    /// The Subscription Identifiers of all subscriptions of the client that match.
    pub(crate) identifiers: Vec<SubscriptionIdentifier>,
    /// The Shared Subscription that the client gets the message by.
    pub(crate) group: Option<TopicFilter<Arc<[u8]>>>,
}

/// A message in the form that it is sent in.
pub(crate) type ToSend<'a> = v5::Message<&'a [u8], &'a [u8], Cow<'a, [u8]>>;

impl Outgoing {
    /// The message as it is sent now: with what is left of its Message Expiry Interval
    /// [MQTT5-3.3.2-6], and with the Subscription Identifiers [MQTT5-3.3.4-3, MQTT5-3.3.4-4].
    pub(crate) fn to_send(&self, now: Timestamp) -> ToSend<'_> {
        let message = &self.message;
        v5::Message {
            topic: message.topic.as_ref(),
            payload: &message.payload,
            qos: message.qos,
            retain: message.retain,
            properties: self.properties(now),
        }
    }

    fn properties(&self, now: Timestamp) -> PublishProperties<Cow<'_, [u8]>> {
        let properties = self.message.properties.as_ref();
        let Some(expires) = self.message.expires else {
            if self.identifiers.is_empty() {
                return properties.map(Cow::Borrowed);
            }
            return encoded(self.message.properties.iter().chain(self.numbers())).map(Cow::Owned);
        };
        let left = expires.millis_since(now).div_ceil(1000);
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let counted_down = self
            .message
            .properties
            .iter()
            .map(|property| match property {
                Property::MessageExpiryInterval(_) => Property::MessageExpiryInterval(left),
                other => other,
            });
        encoded(counted_down.chain(self.numbers())).map(Cow::Owned)
    }

    fn numbers(&self) -> impl Iterator<Item = Property<'_>> {
        let identifiers = self.identifiers.iter();
        identifiers.map(|&identifier| Property::SubscriptionIdentifier(identifier))
    }
}
