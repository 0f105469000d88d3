//! Messages and subscription requests of a client.

use mqtt_sansio::v5::{
    AckProperties, PubAckReasonCode, Publish, Subscribe, SubscribeReasonCode, SubscribeReasonCodes,
    Unsubscribe, UnsubscribeReasonCodes,
};
use mqtt_sansio::{CommandError, Delivery};

use super::Connection;
use crate::arguments::MAX_FILTERS;
use crate::message::Message;

impl Connection {
    /// Publishes a received message. Returns whether its receivers should run next.
    pub(super) fn publish(&mut self, publish: &Publish<&[u8]>) -> bool {
        let Some(client) = &self.client else {
            return false;
        };
        let Ok(message) = Message::received(publish, client, self.now()) else {
            return false; // At QoS 1 it would exceed the largest packet of MQTT.
        };
        let published = self.shared.broker().publish(&message);
        // At QoS 2 the code is left out: only some clients take another success than 0x00 in PUBREC.
        if let (false, Delivery::AtLeastOnce { packet_id, .. }) =
            (published.has_subscribers, publish.delivery)
        {
            if let Some(acknowledgement) = self.server.acknowledgement(packet_id) {
                let reason_code = PubAckReasonCode::NoMatchingSubscribers;
                // MQTT 3.1.1 has no such Reason Code.
                let _ = self.server.acknowledge(acknowledgement, reason_code);
            }
        }
        published.is_crowded
    }

    /// Makes each subscription as if it were alone, and sends one answer in the same order
    /// [MQTT-3.8.4-4, MQTT-3.9.3-1, MQTT5-3.8.4-5, MQTT5-3.8.4-6, MQTT5-3.8.4-7].
    pub(super) fn subscribe(&mut self, subscribe: &Subscribe<&[u8]>) -> Result<(), CommandError> {
        let identifier = subscribe.properties.subscription_identifier();
        let mut left = MAX_FILTERS;
        let reason_codes = self.with_client(|broker, client| {
            let answer = |subscription| {
                if left == 0 {
                    return SubscribeReasonCode::QuotaExceeded;
                }
                left = left.saturating_sub(1);
                broker.subscribe(client, &subscription, identifier)
            };
            let subscriptions = subscribe.subscriptions.iter();
            subscriptions.map(answer).collect::<Vec<_>>()
        });
        let reason_codes = SubscribeReasonCodes::encode_to_vec(reason_codes)?;
        let properties = AckProperties::EMPTY;
        let now = self.now();
        self.server
            .suback_with(now, &reason_codes, &properties, &mut self.out)
    }

    /// Ends the subscriptions, and answers whether each existed
    /// [MQTT-3.10.4-5, MQTT-3.10.4-6, MQTT5-3.10.4-4, MQTT5-3.11.3-1, MQTT5-3.10.4-6].
    pub(super) fn unsubscribe(
        &mut self,
        unsubscribe: &Unsubscribe<&[u8]>,
    ) -> Result<(), CommandError> {
        let reason_codes = self.with_client(|broker, client| {
            let filters = unsubscribe.topic_filters.iter();
            filters
                .map(|filter| broker.unsubscribe(client, filter))
                .collect::<Vec<_>>()
        });
        let reason_codes = UnsubscribeReasonCodes::encode_to_vec(reason_codes)?;
        let properties = AckProperties::EMPTY;
        let now = self.now();
        self.server
            .unsuback_with(now, &reason_codes, &properties, &mut self.out)
    }
}
