//! Who has subscribed to what.

use std::collections::HashMap;
use std::sync::Arc;

use mqtt_sansio::{FilterTree, QoS, TopicFilter, TopicName};

use crate::broker::ClientId;

/// Clients, each with the QoS that it was granted.
type Subscribers = HashMap<ClientId, QoS>;

/// How many levels a Topic Filter may have: each takes memory. Topics may have any number.
const MAX_LEVELS: usize = 128;

/// The subscriptions of all clients.
#[derive(Default)]
pub(crate) struct Subscriptions {
    /// At least one subscriber for each filter.
    filters: FilterTree<Subscribers>,
    /// Counts messages, so that those who share a subscription take turns.
    turn: usize,
}

/// Of a Topic Filter. There may be empty ones [MQTT-4.7.3-1].
fn levels<B: AsRef<[u8]>>(filter: &TopicFilter<B>) -> impl Iterator<Item = &[u8]> {
    filter.as_bytes().split(|&byte| byte == b'/')
}

pub(crate) fn has_too_many_levels<B: AsRef<[u8]>>(filter: &TopicFilter<B>) -> bool {
    levels(filter).nth(MAX_LEVELS).is_some()
}

/// How much memory a subscription takes, about: each level may need a node of its own.
pub(crate) fn cost<B: AsRef<[u8]>>(filter: &TopicFilter<B>) -> usize {
    let nodes = levels(filter).count();
    nodes
        .saturating_mul(400)
        .saturating_add(filter.as_bytes().len())
}

impl Subscriptions {
    /// Makes a subscription, or replaces the one to the same filter [MQTT-3.8.4-3].
    pub(crate) fn insert(&mut self, filter: &TopicFilter<Arc<[u8]>>, client: ClientId, qos: QoS) {
        let subscribers = self.filters.get_or_insert_with(filter, Subscribers::new);
        subscribers.insert(client, qos);
    }

    /// Ends the subscription to just this filter, whatever others match [MQTT-3.10.4-1].
    pub(crate) fn remove(&mut self, filter: &TopicFilter<Arc<[u8]>>, client: &ClientId) {
        if let Some(subscribers) = self.filters.get_mut(filter) {
            subscribers.remove(client);
            if subscribers.is_empty() {
                self.filters.remove(filter);
            }
        }
    }

    /// Who gets a message to this topic, once each, and with which QoS: of several subscriptions
    /// that match the highest counts [MQTT-3.3.5-1]. Of those who share a subscription, one.
    pub(crate) fn matching(&mut self, topic: &TopicName<Arc<[u8]>>) -> Subscribers {
        let mut all = Subscribers::new();
        self.turn = self.turn.wrapping_add(1);
        for found in self.filters.matches(topic) {
            let subscribers = found.value;
            let (skipped, taken) = match found.share_name {
                None => (0, subscribers.len()),
                Some(_) => (self.turn.checked_rem(subscribers.len()).unwrap_or(0), 1),
            };
            for (client, &qos) in subscribers.iter().skip(skipped).take(taken) {
                all.entry(Arc::clone(client))
                    .and_modify(|highest| *highest = qos.max(*highest))
                    .or_insert(qos);
            }
        }
        all
    }
}
