//! Messages for their receivers.

use std::sync::Arc;

use mqtt_sansio::v5::{self, Publish, PublishProperties, Will};
use mqtt_sansio::{EncodeError, EncodedMessage, QoS, Receiver, Timestamp, TopicFilter, TopicName};

use crate::broker::ClientId;
use crate::subscriptions::Identifiers;

/// The encoded message.
pub(crate) type Encoded = EncodedMessage<Vec<u8>, Vec<u8>>;

/// A message that is encoded once for all receivers of every version, which share its bytes.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) encoded: Arc<Encoded>,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    /// When its Message Expiry Interval began.
    pub(crate) published: Timestamp,
    /// The publisher, for No Local.
    pub(crate) publisher: ClientId,
}

impl Message {
    /// Returns the message that a client published. Copies the bytes, so that a stored message does not
    /// keep the receive buffer.
    pub(crate) fn received(
        publish: &Publish<&[u8]>,
        publisher: &ClientId,
        now: Timestamp,
    ) -> Result<Self, EncodeError> {
        Ok(Self {
            encoded: encoded(&publish.topic, &publish.properties, publish.payload)?,
            qos: publish.delivery.qos(),
            retain: publish.retain,
            published: now,
            publisher: Arc::clone(publisher),
        })
    }

    /// Returns the Will of a client. Its Message Expiry Interval begins when it is published.
    pub(crate) fn will(
        will: Will<&[u8]>,
        publisher: &ClientId,
        now: Timestamp,
    ) -> Result<Self, EncodeError> {
        let message = v5::Message::<&[u8], &[u8], Vec<u8>>::from(will);
        Ok(Self {
            encoded: encoded(&message.topic, &message.properties, message.payload)?,
            qos: message.qos,
            // [MQTT-3.1.2-16, MQTT-3.1.2-17, MQTT5-3.1.2-14, MQTT5-3.1.2-15, MQTT5-3.1.2-7, MQTT5-3.1.3-10]
            retain: message.retain,
            published: now,
            publisher: Arc::clone(publisher),
        })
    }

    pub(crate) fn topic(&self) -> TopicName<&[u8]> {
        self.encoded.topic()
    }

    pub(crate) fn payload(&self) -> &[u8] {
        self.encoded.payload()
    }

    /// Returns when the Message Expiry Interval ends.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        let seconds = self.encoded.message_expiry_interval()?;
        let millis = u64::from(seconds).saturating_mul(1000);
        Some(self.published.plus_millis(millis))
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires().is_some_and(|expires| expires <= now)
    }

    /// Returns the number of bytes that the message occupies.
    pub(crate) fn size(&self) -> usize {
        let topic = self.topic().as_bytes().len();
        let properties = self.encoded.properties().as_bytes().len();
        topic
            .saturating_add(self.payload().len())
            .saturating_add(properties)
    }
}

fn encoded<Q: AsRef<[u8]>>(
    topic: &TopicName<&[u8]>,
    properties: &PublishProperties<Q>,
    payload: &[u8],
) -> Result<Arc<Encoded>, EncodeError> {
    EncodedMessage::encode_to_vec(topic, properties, payload.to_vec()).map(Arc::new)
}

/// A message for one client.
#[derive(Clone)]
pub(crate) struct Outgoing {
    /// The QoS and RETAIN for this client.
    pub(crate) message: Message,
    /// The Subscription Identifiers of all matching subscriptions of the client.
    pub(crate) identifiers: Identifiers,
    /// The Shared Subscription that the message belongs to, if any.
    pub(crate) group: Option<TopicFilter<Arc<[u8]>>>,
}

impl Outgoing {
    /// Returns the receiver: with the rest of the Message Expiry Interval [MQTT5-3.3.2-6], and with
    /// the Subscription Identifiers [MQTT5-3.3.4-3, MQTT5-3.3.4-4].
    pub(crate) fn receiver(&self, now: Timestamp) -> Receiver<&[u8]> {
        let waited = now.millis_since(self.message.published) / 1000;
        Receiver::new(self.message.qos)
            .retain(self.message.retain)
            .waited(u32::try_from(waited).unwrap_or(u32::MAX))
            .subscription_identifiers(self.identifiers.as_ref())
    }
}
