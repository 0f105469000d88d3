//! What outlives connections, and how messages get from one to another. Nothing here waits, and
//! nothing here knows of sockets.

use core::hash::BuildHasher;
use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use mqtt_sansio::v3::{ReturnCode, Subscription};
use mqtt_sansio::{Outbox, QoS, Session, Slot, TopicFilter};
use tokio::sync::mpsc;

use crate::queue::{Limits, Queue};
use crate::subscriptions::Subscriptions;

/// A message whose bytes all of its receivers share.
pub(crate) type Message = mqtt_sansio::Message<Arc<[u8]>>;

/// Any UTF-8, of any length; "" is replaced before it gets here.
pub(crate) type ClientId = Arc<str>;

/// Beyond this a client's subscriptions are refused. Each one that has wildcards takes time
/// whenever anybody publishes.
const MAX_SUBSCRIPTIONS: usize = 10_000;

/// All clients, and what they have published for later.
pub(crate) struct Broker {
    limits: Limits,
    denied: HashSet<TopicFilter<Vec<u8>>>,
    clients: HashMap<ClientId, Client>,
    subscriptions: Subscriptions,
    /// By topic. There are no empty ones [MQTT-3.3.1-11].
    retained: BTreeMap<Arc<[u8]>, Message>,
}

/// What is known of a client: while it is connected, and after that if it wants its session kept.
struct Client {
    connection: Option<Link>,
    clean_session: bool,
    filters: HashSet<TopicFilter<Arc<[u8]>>>,
    queue: Queue,
    /// While it is connected, the connection has it.
    delivery: Delivery,
}

/// How to reach the task of a connection.
struct Link {
    wake: Waker,
    is_evicted: bool,
}

/// Wakes the task of a connection. It is closed when the task has let go of the client.
pub(crate) type Waker = mpsc::Sender<()>;

/// Messages that have a Packet Identifier, and how far each of them is.
#[derive(Default)]
pub(crate) struct Delivery {
    pub(crate) session: Session<Vec<Slot>>,
    pub(crate) outbox: Outbox<Message>,
}

impl Client {
    fn wake(&self) {
        if let Some(connection) = &self.connection {
            // If it is full, the task is about to wake up anyway.
            let _ = connection.wake.try_send(());
        }
    }

    fn send(&mut self, message: Message, limits: Limits) {
        if self.connection.is_some() || message.qos != QoS::AtMostOnce {
            self.queue.push(message, limits);
            self.wake();
        }
    }
}

impl Broker {
    pub(crate) fn new(limits: Limits, denied: HashSet<TopicFilter<Vec<u8>>>) -> Self {
        Self {
            limits,
            denied,
            clients: HashMap::new(),
            subscriptions: Subscriptions::default(),
            retained: BTreeMap::new(),
        }
    }

    /// A Client Identifier for a client that leaves it to the server [MQTT-3.1.3-6]. Nobody can
    /// guess it and take the client's place.
    pub(crate) fn unused_id(&self) -> ClientId {
        loop {
            let random = || RandomState::new().hash_one(0);
            let id = format!("auto-{:016x}{:016x}", random(), random()).into();
            if !self.clients.contains_key(&id) {
                return id;
            }
        }
    }

    /// A client has connected. Returns its session, if one was kept that it wants to go on with.
    ///
    /// If the client has another connection, that one is told to close [MQTT-3.1.4-2]. It comes
    /// back as an error, to wait for until it has given the session back.
    pub(crate) fn attach(
        &mut self,
        id: &ClientId,
        clean_session: bool,
        wake: &Waker,
    ) -> Result<Option<Delivery>, Waker> {
        if let Some(client) = self.clients.get_mut(id) {
            if let Some(older) = &mut client.connection {
                older.is_evicted = true;
                let older = older.wake.clone();
                client.wake();
                return Err(older);
            }
        }
        if clean_session {
            self.forget(id); // [MQTT-3.1.2-6]
        }
        let link = Some(Link {
            wake: wake.clone(),
            is_evicted: false,
        });
        Ok(match self.clients.entry(Arc::clone(id)) {
            Entry::Occupied(mut kept) => {
                let client = kept.get_mut();
                client.connection = link;
                Some(core::mem::take(&mut client.delivery))
            }
            Entry::Vacant(new) => {
                new.insert(Client {
                    connection: link,
                    clean_session,
                    filters: HashSet::new(),
                    queue: Queue::default(),
                    delivery: Delivery::default(),
                });
                None
            }
        })
    }

    /// The connection of this client is over.
    pub(crate) fn detach(&mut self, id: &ClientId, delivery: Delivery) {
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        if client.clean_session {
            self.forget(id);
        } else {
            client.connection = None;
            client.delivery = delivery;
            client.queue.drop_at_most_once();
        }
    }

    /// Ends a session. Retained messages are no part of it [MQTT-3.1.2-7].
    fn forget(&mut self, id: &ClientId) {
        if let Some(client) = self.clients.remove(id) {
            for filter in &client.filters {
                self.subscriptions.remove(filter, id);
            }
        }
    }

    /// Whether another connection has taken this client's place.
    pub(crate) fn is_evicted(&self, id: &ClientId) -> bool {
        let connection = self.clients.get(id).and_then(|c| c.connection.as_ref());
        connection.is_some_and(|connection| connection.is_evicted)
    }

    /// What waits to be sent to this client.
    pub(crate) fn queue(&mut self, id: &ClientId) -> Option<&mut Queue> {
        self.clients.get_mut(id).map(|client| &mut client.queue)
    }

    /// Sends a message to everyone who has subscribed to its topic, connected or not. True if it
    /// would be good to let them have a turn before the next.
    pub(crate) fn publish(&mut self, message: &Message) -> bool {
        if message.retain {
            // [MQTT-3.3.1-5, MQTT-3.3.1-7, MQTT-3.3.1-10]
            let topic = message.topic.clone().into_inner();
            if message.payload.is_empty() {
                self.retained.remove(&topic);
            } else {
                self.retained.insert(topic, message.clone());
            }
        }
        let mut is_crowded = false;
        for (id, granted) in self.subscriptions.matching(&message.topic) {
            if let Some(client) = self.clients.get_mut(&id) {
                let copy = Message {
                    qos: granted.min(message.qos), // [MQTT-3.8.4-6]
                    retain: false,                 // [MQTT-3.3.1-9]
                    ..message.clone()
                };
                client.send(copy, self.limits);
                is_crowded |= client.connection.is_some() && client.queue.is_crowded(self.limits);
            }
        }
        is_crowded
    }

    /// Makes one subscription, and sends the client what was retained for it: also if it only
    /// replaces another [MQTT-3.3.1-6, MQTT-3.8.4-3].
    pub(crate) fn subscribe(
        &mut self,
        id: &ClientId,
        subscription: &Subscription<&[u8]>,
    ) -> ReturnCode {
        let filter = subscription.topic_filter.map(Arc::from);
        let Some(client) = self.clients.get_mut(id) else {
            return ReturnCode::Failure;
        };
        let is_full = client.filters.len() >= MAX_SUBSCRIPTIONS;
        if self.denied.contains(&subscription.topic_filter.to_owned())
            || (is_full && !client.filters.contains(&filter))
        {
            return ReturnCode::Failure;
        }
        // What is retained is limited elsewhere, and does not take room from other messages.
        let limits = Limits {
            messages: self.limits.messages.saturating_add(self.retained.len()),
            ..self.limits
        };
        let send = |message: &Message| {
            client.send(
                Message {
                    qos: subscription.qos.min(message.qos),
                    retain: true, // [MQTT-3.3.1-8]
                    ..message.clone()
                },
                limits,
            );
        };
        if filter.has_wildcards() {
            let matching = |message: &&Message| filter.matches(&message.topic);
            self.retained.values().filter(matching).for_each(send);
        } else {
            self.retained
                .get(filter.as_bytes())
                .into_iter()
                .for_each(send);
        }
        client.filters.insert(filter.clone());
        self.subscriptions
            .insert(filter, Arc::clone(id), subscription.qos);
        ReturnCode::Success(subscription.qos)
    }

    /// Ends one subscription. What has been queued because of it still comes [MQTT-3.10.4-3].
    pub(crate) fn unsubscribe(&mut self, id: &ClientId, filter: TopicFilter<&[u8]>) {
        let filter = filter.map(Arc::from);
        if let Some(client) = self.clients.get_mut(id) {
            client.filters.remove(&filter);
            self.subscriptions.remove(&filter, id);
        }
    }
}
