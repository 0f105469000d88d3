//! What outlives connections, and how messages get from one to another. Nothing here waits, and
//! nothing here knows of sockets.

use core::hash::BuildHasher;
use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use mqtt_sansio::v3::{ReturnCode, Subscription};
use mqtt_sansio::{Outbox, QoS, Session, Slot, TopicFilter};
use tokio::sync::mpsc;

use crate::arguments::Settings;
use crate::queue::{Limits, Queue};
use crate::retained::{Progress, Replay, Retained};
use crate::subscriptions::{Subscriptions, cost, has_too_many_levels};

/// A message whose bytes all of its receivers share.
pub(crate) type Message = mqtt_sansio::v3::Message<Arc<[u8]>>;

/// Any UTF-8, of any length; "" is replaced before it gets here.
pub(crate) type ClientId = Arc<str>;

/// Beyond this a client's subscriptions are refused.
const MAX_SUBSCRIPTIONS: usize = 10_000;
/// Beyond this too: how much memory they may take, about.
const MAX_SUBSCRIPTION_BYTES: usize = 32 * 1024 * 1024;

/// How much of what is retained a client has looked through for it in one turn, in bytes of topics
/// and their overhead.
const REPLAY_EFFORT: usize = 256 * 1024;

/// All clients, and what they have published for later.
pub(crate) struct Broker {
    limits: Limits,
    denied: HashSet<TopicFilter<Vec<u8>>>,
    clients: HashMap<ClientId, Client>,
    subscriptions: Subscriptions,
    retained: Retained,
    /// Clients that are not connected and whose sessions are kept, by when they left.
    absent: BTreeMap<u64, ClientId>,
    max_absent: usize,
    /// How often a client has left.
    departures: u64,
}

/// What is known of a client: while it is connected, and after that if it wants its session kept.
struct Client {
    connection: Option<Link>,
    /// Its place among those that are absent, unless it is connected.
    absent_since: u64,
    clean_session: bool,
    filters: HashSet<TopicFilter<Arc<[u8]>>>,
    /// What the filters cost.
    filter_bytes: usize,
    queue: Queue,
    /// Subscriptions for which there may be more retained messages, which come into the queue as
    /// far as there is room.
    replays: BTreeMap<TopicFilter<Arc<[u8]>>, Replay>,
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

    /// A client that is absent has its messages above QoS 0 kept [MQTT-3.1.2-5].
    fn send(&mut self, message: Message, limits: Limits) {
        if self.connection.is_some() || message.qos != QoS::AtMostOnce {
            self.queue.push(message, limits);
            self.wake();
        }
    }
}

impl Broker {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            limits: settings.limits,
            denied: settings.denied.clone(),
            clients: HashMap::new(),
            subscriptions: Subscriptions::default(),
            retained: Retained::new(settings.max_retained_bytes),
            absent: BTreeMap::new(),
            max_absent: settings.max_sessions,
            departures: 0,
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
                self.absent.remove(&client.absent_since);
                Some(core::mem::take(&mut client.delivery))
            }
            Entry::Vacant(new) => {
                new.insert(Client {
                    connection: link,
                    absent_since: 0,
                    clean_session,
                    filters: HashSet::new(),
                    filter_bytes: 0,
                    queue: Queue::default(),
                    replays: BTreeMap::new(),
                    delivery: Delivery::default(),
                });
                None
            }
        })
    }

    /// The connection of this client is over. If there are too many sessions to keep, the one goes
    /// that nobody has come back for the longest.
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
            self.departures = self.departures.wrapping_add(1); // In centuries.
            client.absent_since = self.departures;
            self.absent.insert(self.departures, Arc::clone(id));
        }
        while self.absent.len() > self.max_absent {
            if let Some((_, longest)) = self.absent.pop_first() {
                self.forget(&longest);
            }
        }
    }

    /// Ends a session. Retained messages are no part of it [MQTT-3.1.2-7].
    fn forget(&mut self, id: &ClientId) {
        if let Some(client) = self.clients.remove(id) {
            self.absent.remove(&client.absent_since);
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

    /// Sends a message to everyone who has subscribed to its topic, connected or not
    /// [MQTT-3.3.2-3, MQTT-4.5.0-1]. True if it would be good to let them have a turn before the
    /// next.
    ///
    /// Topics in `$SYS` are for a server to tell of itself (section 4.7.2): what clients send there
    /// is acknowledged like all else [MQTT-3.3.5-2], so that they go on, and goes nowhere. Others that
    /// start with `$` have no such meaning and are for whoever subscribes to them.
    pub(crate) fn publish(&mut self, message: &Message) -> bool {
        if message.topic == "$SYS" || message.topic.as_str().starts_with("$SYS/") {
            return false;
        }
        // [MQTT-3.3.1-12]
        if message.retain {
            self.retained.set(message);
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

    /// Makes one subscription, and sees to it that the client is sent what was retained for it:
    /// also if it only replaces another [MQTT-3.3.1-6, MQTT-3.8.4-3], but once if the client asks
    /// again before it has come.
    pub(crate) fn subscribe(
        &mut self,
        id: &ClientId,
        subscription: &Subscription<&[u8]>,
    ) -> ReturnCode {
        let filter = subscription.topic_filter.map(Arc::from);
        let Some(client) = self.clients.get_mut(id) else {
            return ReturnCode::Failure;
        };
        if self.denied.contains(&subscription.topic_filter.to_owned())
            || has_too_many_levels(&filter)
        {
            return ReturnCode::Failure;
        }
        if !client.filters.contains(&filter) {
            let bytes = client.filter_bytes.saturating_add(cost(&filter));
            if client.filters.len() >= MAX_SUBSCRIPTIONS || bytes > MAX_SUBSCRIPTION_BYTES {
                return ReturnCode::Failure;
            }
            client.filter_bytes = bytes;
            client.filters.insert(filter.clone());
        }
        self.subscriptions
            .insert(&filter, Arc::clone(id), subscription.qos);
        let replay = Replay::new(&filter, subscription.qos);
        client.replays.insert(filter, replay);
        ReturnCode::Success(subscription.qos)
    }

    /// Brings the next of what was retained for a client's new subscriptions into its queue.
    /// Returns whether there is more.
    ///
    /// All that there is at once could be many times what a queue holds, and take long to find. A
    /// message that has come in the meantime is in the queue already: its topic may be sent twice,
    /// but never the older after the newer.
    pub(crate) fn replay(&mut self, id: &ClientId) -> bool {
        let Some(client) = self.clients.get_mut(id) else {
            return false;
        };
        let mut effort = REPLAY_EFFORT;
        while let Some(mut next) = client.replays.first_entry() {
            let filter = next.key().clone();
            let progress = self
                .retained
                .replay(&filter, next.get_mut(), &mut effort, |message| {
                    let has_room = client.queue.has_room(&message, self.limits);
                    if has_room {
                        client.queue.push(message, self.limits);
                    }
                    has_room
                });
            if progress != Progress::Done {
                return true;
            }
            next.remove();
        }
        false
    }

    /// Ends one subscription: nothing more is queued because of it [MQTT-3.10.4-2]; what has been
    /// still comes [MQTT-3.10.4-3].
    pub(crate) fn unsubscribe(&mut self, id: &ClientId, filter: TopicFilter<&[u8]>) {
        let filter = filter.map(Arc::from);
        if let Some(client) = self.clients.get_mut(id) {
            if client.filters.remove(&filter) {
                client.filter_bytes = client.filter_bytes.saturating_sub(cost(&filter));
                client.replays.remove(&filter);
                self.subscriptions.remove(&filter, id);
            }
        }
    }
}
