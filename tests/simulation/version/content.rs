//! The messages that an application publishes.

use mqtt_sansio::TopicName;
use mqtt_sansio::v3;
use mqtt_sansio::v5::{self, Property, V5};

use super::Dialect;
use crate::simulation::plan::Spec;

/// How a message is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Whole,
    /// The payload is sent in pieces.
    InPieces,
    /// With a Topic Alias, if the version and the peer support it.
    Aliased,
}

/// A message, and how it is published.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) payload: &'a [u8],
    pub(crate) how: How,
    /// The properties, encoded.
    properties: v5::PublishProperties<Vec<u8>>,
}

impl<'a> Content<'a> {
    pub(crate) fn new(spec: &'a Spec, payload: &'a [u8], how: How) -> Self {
        let expiry = V5::expiry(spec).map(Property::MessageExpiryInterval);
        Self {
            spec,
            payload,
            how,
            properties: v5::PublishProperties::encode_to_vec(expiry).expect("short properties"),
        }
    }

    fn topic(&self) -> TopicName<&'a [u8]> {
        TopicName::new(self.spec.topic).expect("a Topic Name")
    }

    fn payload_len(&self) -> u32 {
        u32::try_from(self.payload.len()).expect("a short payload")
    }

    /// The message of MQTT 5, which [`any::Server`] publishes to clients of every version.
    pub(crate) fn v5(&self) -> v5::Message<&'a [u8], &'a [u8], &[u8]> {
        v5::Message::new(self.topic(), self.payload)
            .qos(self.spec.qos)
            .retain(self.spec.retain)
            .properties(self.properties.as_ref())
    }

    pub(super) fn v5_header(&self) -> v5::MessageHeader<&[u8]> {
        v5::MessageHeader {
            topic: self.topic(),
            payload_len: self.payload_len(),
            qos: self.spec.qos,
            retain: self.spec.retain,
            properties: self.properties.as_ref(),
        }
    }

    pub(super) fn v3(&self) -> v3::Message<&'a [u8]> {
        v3::Message::new(self.topic(), self.payload)
            .qos(self.spec.qos)
            .retain(self.spec.retain)
    }

    pub(super) fn v3_header(&self) -> v3::MessageHeader<&'a [u8]> {
        v3::MessageHeader {
            topic: self.topic(),
            payload_len: self.payload_len(),
            qos: self.spec.qos,
            retain: self.spec.retain,
        }
    }
}
