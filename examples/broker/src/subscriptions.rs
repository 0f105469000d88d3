//! The subscriptions of all clients.

use core::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use mqtt_sansio::v5::{Property, SubscriptionIdentifiers};
use mqtt_sansio::{FilterTree, QoS, TopicFilter, TopicName};

use crate::broker::ClientId;

/// The most levels of a Topic Filter, because each takes memory. Topics have no such limit.
pub(crate) const MAX_LEVELS: usize = 128;

/// A subscription of a client.
#[derive(Clone)]
pub(crate) struct Granted {
    pub(crate) qos: QoS,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    /// At most one identifier, encoded once for all messages.
    pub(crate) identifiers: Identifiers,
}

/// The Subscription Identifiers of a message for one client.
pub(crate) type Identifiers = SubscriptionIdentifiers<Arc<[u8]>>;

/// Encodes Subscription Identifiers.
pub(crate) fn identifiers<'a>(properties: impl IntoIterator<Item = Property<'a>>) -> Identifiers {
    let encoded = SubscriptionIdentifiers::encode_to_vec(properties).unwrap_or_default();
    encoded.map(Arc::from)
}

/// The subscribers of one Topic Filter.
struct Subscribers {
    filter: TopicFilter<Arc<[u8]>>,
    members: HashMap<ClientId, Granted>,
    /// The members of a Shared Subscription, in the order in which they subscribed. Others have none.
    order: Vec<ClientId>,
    /// Counts messages, so that the members of a Shared Subscription take turns.
    turn: Cell<usize>,
}

/// How a client with overlapping subscriptions receives messages (section 3.3.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copies {
    /// One message with the highest QoS and all Subscription Identifiers.
    One,
    /// A message for each subscription, with its identifier [MQTT5-3.3.4-5].
    EachSubscription,
}

/// A client that receives a message.
pub(crate) struct Recipient {
    pub(crate) client: ClientId,
    /// The highest QoS of the matching subscriptions [MQTT-3.3.5-1, MQTT5-3.3.4-2].
    pub(crate) qos: QoS,
    pub(crate) retain_as_published: bool,
    pub(crate) identifiers: Identifiers,
    /// The Shared Subscription that the message belongs to, if any.
    pub(crate) group: Option<TopicFilter<Arc<[u8]>>>,
}

/// The receivers of a message.
pub(crate) struct Recipients {
    /// True if any client has a subscription to the topic.
    pub(crate) has_subscribers: bool,
    pub(crate) all: Vec<Recipient>,
}

/// The subscriptions of all clients.
#[derive(Default)]
pub(crate) struct Subscriptions {
    /// Each filter has at least one subscriber.
    filters: FilterTree<Subscribers>,
}

/// The levels of a Topic Filter, some of which may be empty [MQTT-4.7.3-1].
fn levels<B: AsRef<[u8]>>(filter: &TopicFilter<B>) -> impl Iterator<Item = &[u8]> {
    filter.as_bytes().split(|&byte| byte == b'/')
}

pub(crate) fn has_too_many_levels<B: AsRef<[u8]>>(filter: &TopicFilter<B>) -> bool {
    levels(filter).nth(MAX_LEVELS).is_some()
}

/// Returns the approximate memory of a subscription: each level may need a node of its own.
pub(crate) fn cost<B: AsRef<[u8]>>(filter: &TopicFilter<B>) -> usize {
    let nodes = levels(filter).count();
    nodes
        .saturating_mul(400)
        .saturating_add(filter.as_bytes().len())
}

impl Recipient {
    fn new(client: &ClientId, granted: &Granted) -> Self {
        Self {
            client: Arc::clone(client),
            qos: granted.qos,
            retain_as_published: granted.retain_as_published,
            identifiers: granted.identifiers.clone(),
            group: None,
        }
    }

    /// Another subscription of the client matches.
    fn add(&mut self, granted: &Granted) {
        self.qos = self.qos.max(granted.qos);
        self.retain_as_published |= granted.retain_as_published;
        if !granted.identifiers.is_empty() {
            self.identifiers = identifiers(self.identifiers.iter().chain(&granted.identifiers));
        }
    }
}

impl Subscribers {
    /// Returns the member whose turn it is: a connected one, if there is any.
    fn next_member(
        &self,
        is_eligible: impl Fn(&ClientId) -> bool,
        is_live: impl Fn(&ClientId) -> bool,
    ) -> Option<Recipient> {
        let count = self.order.len();
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let in_turn = || {
            let skipped = turn.checked_rem(count).unwrap_or(0);
            let members = self.order.iter().cycle().skip(skipped).take(count);
            members.filter(|client| is_eligible(client))
        };
        let live = in_turn().find(|client| is_live(client));
        let client = live.or_else(|| in_turn().next())?;
        let granted = self.members.get(client)?;
        Some(Recipient {
            group: Some(self.filter.clone()),
            ..Recipient::new(client, granted)
        })
    }
}

impl Subscriptions {
    /// Makes a subscription, or replaces the one to the same filter [MQTT-3.8.4-3, MQTT5-3.8.4-3].
    pub(crate) fn insert(
        &mut self,
        filter: &TopicFilter<Arc<[u8]>>,
        client: ClientId,
        granted: Granted,
    ) {
        let subscribers = self.filters.get_or_insert_with(filter, || Subscribers {
            filter: filter.clone(),
            members: HashMap::new(),
            order: Vec::new(),
            turn: Cell::new(0),
        });
        let before = subscribers.members.insert(Arc::clone(&client), granted);
        if before.is_none() && filter.shared().is_some() {
            subscribers.order.push(client);
        }
    }

    /// Ends the subscription with exactly this filter [MQTT-3.10.4-1, MQTT5-3.10.4-1].
    pub(crate) fn remove(&mut self, filter: &TopicFilter<Arc<[u8]>>, client: &ClientId) {
        if let Some(subscribers) = self.filters.get_mut(filter) {
            subscribers.members.remove(client);
            subscribers.order.retain(|member| member != client);
            if subscribers.members.is_empty() {
                self.filters.remove(filter);
            }
        }
    }

    /// Returns the receivers of a topic: each client once, or once for each of its matching
    /// subscriptions, and one member of each Shared Subscription (section 4.8.2), with the granted
    /// QoS [MQTT5-4.8.2-3]. A subscription with No Local counts even if it adds no receiver.
    pub(crate) fn recipients(
        &self,
        topic: &TopicName<&[u8]>,
        publisher: &ClientId,
        copies: Copies,
        is_live: impl Fn(&ClientId) -> bool,
    ) -> Recipients {
        let mut has_subscribers = false;
        let mut all = Vec::new();
        let mut merged = HashMap::<&ClientId, Recipient>::new();
        for found in self.filters.matches(topic) {
            has_subscribers = true;
            if found.share_name.is_some() {
                all.extend(found.value.next_member(|_| true, &is_live));
                continue;
            }
            for (client, granted) in &found.value.members {
                // [MQTT5-3.8.3-3]
                if granted.no_local && client == publisher {
                    continue;
                }
                if copies == Copies::EachSubscription {
                    all.push(Recipient::new(client, granted));
                    continue;
                }
                merged
                    .entry(client)
                    .and_modify(|recipient| recipient.add(granted))
                    .or_insert_with(|| Recipient::new(client, granted));
            }
        }
        all.extend(merged.into_values());
        Recipients {
            has_subscribers,
            all,
        }
    }

    /// Returns a member of a Shared Subscription other than `leaving`, for a message that it has
    /// not acknowledged.
    pub(crate) fn other_member(
        &self,
        filter: &TopicFilter<Arc<[u8]>>,
        leaving: &ClientId,
        is_live: impl Fn(&ClientId) -> bool,
    ) -> Option<Recipient> {
        let subscribers = self.filters.get(filter)?;
        subscribers.next_member(|client| client != leaving, is_live)
    }
}
