//! Who has subscribed to what.

use std::collections::HashMap;
use std::sync::Arc;

use mqtt_sansio::{QoS, TopicFilter, TopicName};

use crate::broker::ClientId;

/// Clients, each with the QoS that it was granted.
type Subscribers = HashMap<ClientId, QoS>;

/// The subscriptions of all clients, by Topic Filter: however many clients have the same, it is
/// compared with a topic once.
#[derive(Default)]
pub(crate) struct Subscriptions {
    /// Filters without wildcards. Each is the one topic that it matches, so they are looked up.
    literal: HashMap<Arc<[u8]>, Subscribers>,
    /// Those with wildcards, which are tried one by one.
    patterns: HashMap<TopicFilter<Arc<[u8]>>, Subscribers>,
}

impl Subscriptions {
    /// Makes a subscription, or replaces the one to the same filter [MQTT-3.8.4-3].
    pub(crate) fn insert(&mut self, filter: TopicFilter<Arc<[u8]>>, client: ClientId, qos: QoS) {
        let subscribers = if filter.has_wildcards() {
            self.patterns.entry(filter).or_default()
        } else {
            self.literal.entry(filter.into_inner()).or_default()
        };
        subscribers.insert(client, qos);
    }

    /// Ends the subscription to just this filter, whatever others match [MQTT-3.10.4-1].
    pub(crate) fn remove(&mut self, filter: &TopicFilter<Arc<[u8]>>, client: &ClientId) {
        if filter.has_wildcards() {
            if let Some(subscribers) = self.patterns.get_mut(filter) {
                subscribers.remove(client);
                if subscribers.is_empty() {
                    self.patterns.remove(filter);
                }
            }
        } else if let Some(subscribers) = self.literal.get_mut(filter.as_bytes()) {
            subscribers.remove(client);
            if subscribers.is_empty() {
                self.literal.remove(filter.as_bytes());
            }
        }
    }

    /// Who gets a message to this topic, once each, and with which QoS: of several subscriptions
    /// that match the highest counts [MQTT-3.3.5-1].
    pub(crate) fn matching(&self, topic: &TopicName<Arc<[u8]>>) -> Subscribers {
        let mut all = self
            .literal
            .get(topic.as_bytes())
            .cloned()
            .unwrap_or_default();
        for (filter, subscribers) in &self.patterns {
            if filter.matches(topic) {
                for (client, &qos) in subscribers {
                    all.entry(Arc::clone(client))
                        .and_modify(|highest| *highest = qos.max(*highest))
                        .or_insert(qos);
                }
            }
        }
        all
    }
}
