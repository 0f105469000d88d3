//! Who has subscribed to what.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mqtt_sansio::{QoS, TopicFilter, TopicName};

use crate::broker::ClientId;

/// Clients, each with the QoS that it was granted.
type Subscribers = HashMap<ClientId, QoS>;

/// How many levels a Topic Filter may have: the tree is as deep. Topics may have any number.
const MAX_LEVELS: usize = 128;

/// The subscriptions of all clients, as a tree with a level of their Topic Filters for each step.
/// A topic meets only the filters that are like it so far, however many others there are.
#[derive(Default)]
pub(crate) struct Subscriptions {
    root: Node,
}

#[derive(Default)]
struct Node {
    /// Those whose filter ends here.
    subscribers: Subscribers,
    /// By the next level of the filter. No topic has a level `+` or `#`, so they need no place of
    /// their own. Not hashed: a level can be long, and may have to be looked up in many nodes.
    children: BTreeMap<Box<[u8]>, Box<Self>>,
}

/// Of a Topic Filter or a topic. There may be empty ones [MQTT-4.7.3-1].
fn levels(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'/')
}

pub(crate) fn has_too_many_levels<B: AsRef<[u8]>>(filter: &TopicFilter<B>) -> bool {
    levels(filter.as_bytes()).nth(MAX_LEVELS).is_some()
}

/// How much memory a subscription takes, about: each level may need a node of its own.
pub(crate) fn cost<B: AsRef<[u8]>>(filter: &TopicFilter<B>) -> usize {
    let nodes = levels(filter.as_bytes()).count();
    nodes
        .saturating_mul(400)
        .saturating_add(filter.as_bytes().len())
}

impl Subscriptions {
    /// Makes a subscription, or replaces the one to the same filter [MQTT-3.8.4-3].
    pub(crate) fn insert(&mut self, filter: &TopicFilter<Arc<[u8]>>, client: ClientId, qos: QoS) {
        let mut node = &mut self.root;
        for level in levels(filter.as_bytes()) {
            node = node.children.entry(level.into()).or_default();
        }
        node.subscribers.insert(client, qos);
    }

    /// Ends the subscription to just this filter, whatever others match [MQTT-3.10.4-1].
    pub(crate) fn remove(&mut self, filter: &TopicFilter<Arc<[u8]>>, client: &ClientId) {
        self.root.remove(levels(filter.as_bytes()), client);
    }

    /// Who gets a message to this topic, once each, and with which QoS: of several subscriptions
    /// that match the highest counts [MQTT-3.3.5-1].
    pub(crate) fn matching(&self, topic: &TopicName<Arc<[u8]>>) -> Subscribers {
        let mut all = Subscribers::new();
        // Where the filters are that match the topic so far.
        let mut nodes = vec![&self.root];
        for (depth, level) in levels(topic.as_bytes()).enumerate() {
            let mut next = Vec::new();
            // [MQTT-4.7.2-1]
            let is_for_wildcards = depth > 0 || !level.starts_with(b"$");
            for node in nodes {
                next.extend(node.child(level));
                if is_for_wildcards {
                    next.extend(node.child(b"+"));
                    add(&mut all, node.child(b"#"));
                }
            }
            if next.is_empty() {
                return all;
            }
            nodes = next;
        }
        for node in nodes {
            add(&mut all, Some(node));
            // `#` includes the level above it.
            add(&mut all, node.child(b"#"));
        }
        all
    }
}

fn add(all: &mut Subscribers, node: Option<&Node>) {
    for (client, &qos) in node.into_iter().flat_map(|node| &node.subscribers) {
        all.entry(Arc::clone(client))
            .and_modify(|highest| *highest = qos.max(*highest))
            .or_insert(qos);
    }
}

impl Node {
    /// The one for just this level, letter by letter [MQTT-4.7.3-4].
    fn child(&self, level: &[u8]) -> Option<&Self> {
        self.children.get(level).map(|child| &**child)
    }

    /// Follows the levels, and clears away what nobody needs any more on the way back.
    fn remove<'a>(&mut self, mut levels: impl Iterator<Item = &'a [u8]>, client: &ClientId) {
        let Some(level) = levels.next() else {
            self.subscribers.remove(client);
            return;
        };
        if let Some(child) = self.children.get_mut(level) {
            child.remove(levels, client);
            if child.subscribers.is_empty() && child.children.is_empty() {
                self.children.remove(level);
            }
        }
    }
}
