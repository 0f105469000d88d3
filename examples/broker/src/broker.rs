//! What outlives connections, and how messages get from one to another. Nothing here waits, and
//! nothing here knows of sockets.

use core::hash::BuildHasher;
use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use mqtt_sansio::v5::{
    RetainHandling, SubscribeReasonCode, Subscription, SubscriptionIdentifier,
    UnsubscribeReasonCode,
};
use mqtt_sansio::{QoS, Timestamp, TopicFilter};
use tokio::sync::Notify;

use crate::arguments::Settings;
use crate::client::{Absence, Client, Ending, InFlight, Link, Waker};
use crate::message::{Message, Outgoing};
use crate::queue::{Limits, Queue};
use crate::retained::{Progress, Replay, Retained};
use crate::subscriptions::{Copies, Granted, Recipient, Subscriptions, cost, has_too_many_levels};
use crate::timers::{Timer, Timers};

/// Any UTF-8, of any length; "" is replaced before it gets here.
pub(crate) type ClientId = Arc<str>;

/// How much memory a client's subscriptions may take, about.
const MAX_SUBSCRIPTION_BYTES: usize = 32 * 1024 * 1024;

/// How much of what is retained a client has looked through for it in one turn, in bytes of topics
/// and their overhead.
const REPLAY_EFFORT: usize = 256 * 1024;

/// All clients, and what they have published for later.
pub(crate) struct Broker {
    limits: Limits,
    denied: HashSet<TopicFilter<Vec<u8>>>,
    max_subscriptions: usize,
    max_connections: usize,
    copies: Copies,
    clients: HashMap<ClientId, Client>,
    subscriptions: Subscriptions,
    retained: Retained,
    timers: Timers,
    /// Clients that are not connected and whose sessions are kept, by when they left.
    absent: BTreeMap<u64, ClientId>,
    max_absent: usize,
    /// How often a client has left.
    departures: u64,
}

/// What has become of a client that wants to connect.
pub(crate) enum Attached {
    /// It has a new session.
    New,
    /// It goes on with the session that was kept for it.
    Kept(InFlight),
    /// It has another connection. Try again when this is closed.
    After(Waker),
    /// There are too many clients.
    Full,
}

/// What has become of a message that was published.
#[derive(Default)]
pub(crate) struct Published {
    /// Whether any client has a subscription to its topic.
    pub(crate) has_subscribers: bool,
    /// Whether it would be good to let the receivers have a turn before the next message.
    pub(crate) is_crowded: bool,
}

impl Broker {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            limits: settings.limits,
            denied: settings.denied.clone(),
            max_subscriptions: settings.max_subscriptions,
            max_connections: settings.max_connections,
            copies: settings.copies,
            clients: HashMap::new(),
            subscriptions: Subscriptions::default(),
            retained: Retained::new(settings.max_retained_bytes),
            timers: Timers::default(),
            absent: BTreeMap::new(),
            max_absent: settings.max_sessions,
            departures: 0,
        }
    }

    // Sessions

    /// A Client Identifier for a client that leaves it to the server [MQTT-3.1.3-6, MQTT5-3.1.3-6]. Nobody can
    /// guess it and take the client's place.
    pub(crate) fn unused_id(&self) -> ClientId {
        loop {
            let random = || u128::from(RandomState::new().hash_one(0));
            let number = format!("{:032x}", random() << 64 | random());
            // In the form of a UUID.
            let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32]
                .map(|part| number.get(part).unwrap_or_default());
            let id = format!("auto-{a}-{b}-{c}-{d}-{e}").into();
            if !self.clients.contains_key(&id) {
                return id;
            }
        }
    }

    /// A client has connected. If it has another connection, that one is told to close
    /// [MQTT-3.1.4-2, MQTT5-3.1.4-3].
    pub(crate) fn attach(
        &mut self,
        now: Timestamp,
        id: &ClientId,
        clean_start: bool,
        wake: &Waker,
    ) -> Attached {
        let older = self.clients.get_mut(id);
        if let Some(older) = older.and_then(|client| client.end(Ending::TakenOver)) {
            return Attached::After(older);
        }
        if self.connected() >= self.max_connections {
            return Attached::Full;
        }
        if clean_start {
            self.forget(now, id); // [MQTT-3.1.2-6, MQTT5-3.1.2-4]
        }
        let link = Some(Link {
            wake: wake.clone(),
            ending: None,
        });
        match self.clients.entry(Arc::clone(id)) {
            Entry::Occupied(mut kept) => {
                let client = kept.get_mut();
                client.connection = link;
                let in_flight = core::mem::take(&mut client.in_flight);
                // The Will is not published any more: the session goes on [MQTT5-3.1.3-9].
                self.end_absence(id);
                Attached::Kept(in_flight)
            }
            Entry::Vacant(new) => {
                new.insert(Client {
                    connection: link,
                    ..Client::default()
                });
                Attached::New
            }
        }
    }

    /// How many clients are connected.
    fn connected(&self) -> usize {
        self.clients.len().saturating_sub(self.absent.len())
    }

    /// The connection of this client is over. Its session is kept for `expiry` seconds, and `will` is
    /// published after as many seconds as it comes with. If there are too many sessions to keep, the
    /// one goes that nobody has come back for the longest.
    pub(crate) fn detach(
        &mut self,
        now: Timestamp,
        id: &ClientId,
        in_flight: InFlight,
        expiry: u32,
        will: Option<(u32, Message)>,
    ) {
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        let after = |seconds: u32| now.plus_millis(u64::from(seconds).saturating_mul(1000));
        self.departures = self.departures.wrapping_add(1); // In centuries.
        let session_ends = (expiry != u32::MAX).then(|| after(expiry));
        let will = will.map(|(delay, will)| (after(delay), will));
        if let Some(time) = session_ends {
            self.timers.set(time, Timer::SessionEnds(Arc::clone(id)));
        }
        if let Some((time, _)) = &will {
            self.timers.set(*time, Timer::WillIsDue(Arc::clone(id)));
        }
        self.absent.insert(self.departures, Arc::clone(id));
        client.connection = None;
        client.in_flight = in_flight;
        client.absence = Some(Absence {
            number: self.departures,
            session_ends,
            will,
        });
        if expiry == 0 {
            self.forget(now, id);
        } else {
            self.hand_over_shared(id);
            if let Some(client) = self.clients.get_mut(id) {
                client.queue.drop_at_most_once();
            }
        }
        while self.absent.len() > self.max_absent {
            if let Some((_, longest)) = self.absent.pop_first() {
                self.forget(now, &longest);
            }
        }
    }

    /// The client has come back, or its session is over. Returns the Will that has not been published.
    fn end_absence(&mut self, id: &ClientId) -> Option<Message> {
        let absence = self.clients.get_mut(id)?.absence.take()?;
        self.absent.remove(&absence.number);
        if let Some(time) = absence.session_ends {
            self.timers.cancel(time, Timer::SessionEnds(Arc::clone(id)));
        }
        let (time, will) = absence.will?;
        self.timers.cancel(time, Timer::WillIsDue(Arc::clone(id)));
        Some(will)
    }

    /// Ends a session: its subscriptions and messages go, and its Will is published if that was still to
    /// come. Retained messages are no part of it [MQTT-3.1.2-7].
    fn forget(&mut self, now: Timestamp, id: &ClientId) {
        let will = self.end_absence(id);
        let Some(mut client) = self.clients.remove(id) else {
            return;
        };
        for filter in client.filters.iter() {
            self.subscriptions.remove(filter, id);
        }
        let left_behind = client.in_flight.take_shared();
        for outgoing in left_behind.into_iter().chain(client.queue.take_shared()) {
            if let Some(recipient) = self.other_member(id, &outgoing) {
                self.send(recipient, outgoing);
            }
        }
        if let Some(will) = will {
            self.publish_will(now, will);
        }
    }

    /// The client has left, and its session stays: messages of its Shared Subscriptions that it has not
    /// acknowledged go to members that are connected, if there are any.
    fn hand_over_shared(&mut self, id: &ClientId) {
        let Some(client) = self.clients.get_mut(id) else {
            return;
        };
        let left_behind = client.in_flight.take_shared();
        let limits = self.limits;
        for outgoing in left_behind.into_iter().chain(client.queue.take_shared()) {
            let other = self.other_member(id, &outgoing);
            let live = other.filter(|it| self.clients.get(&it.client).is_some_and(Client::is_live));
            if let Some(recipient) = live {
                self.send(recipient, outgoing);
            } else if let Some(client) = self.clients.get_mut(id) {
                client.send(outgoing, limits);
            }
        }
    }

    fn other_member(&self, leaving: &ClientId, outgoing: &Outgoing) -> Option<Recipient> {
        let filter = outgoing.group.as_ref()?;
        let is_live = |id: &ClientId| self.clients.get(id).is_some_and(Client::is_live);
        self.subscriptions.other_member(filter, leaving, is_live)
    }

    /// Why this client's connection is to end, if it is.
    pub(crate) fn ending(&self, id: &ClientId) -> Option<Ending> {
        let connection = self.clients.get(id)?.connection.as_ref()?;
        connection.ending
    }

    /// Ends all connections. Returns wakers that are closed when the connections are over.
    pub(crate) fn shut_down(&mut self) -> Vec<Waker> {
        let clients = self.clients.values_mut();
        clients
            .filter_map(|client| client.end(Ending::ShuttingDown))
            .collect()
    }

    // Time

    /// When [`handle_time`](Self::handle_time) is to be called, and what tells that this has changed.
    pub(crate) fn next_timer(&self) -> (Option<Timestamp>, Arc<Notify>) {
        (self.timers.next(), self.timers.changed())
    }

    /// Does what is due.
    pub(crate) fn handle_time(&mut self, now: Timestamp) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::SessionEnds(id) => self.forget(now, &id), // [MQTT5-3.1.2-23]
                Timer::WillIsDue(id) => {
                    let client = self.clients.get_mut(&id);
                    let absence = client.and_then(|client| client.absence.as_mut());
                    if let Some((_, will)) = absence.and_then(|absence| absence.will.take()) {
                        self.publish_will(now, will);
                    }
                }
                Timer::RetainedExpires(topic) => self.retained.expire(&topic, now),
            }
        }
    }

    // Messages

    /// What waits to be sent to this client.
    pub(crate) fn queue(&mut self, id: &ClientId) -> Option<&mut Queue> {
        self.clients.get_mut(id).map(|client| &mut client.queue)
    }

    /// Publishes a Will: its Message Expiry Interval begins now.
    pub(crate) fn publish_will(&mut self, now: Timestamp, mut will: Message) {
        will.published(now);
        self.publish(&will);
    }

    /// Sends a message to everyone who has subscribed to its topic, connected or not
    /// [MQTT-3.3.2-3, MQTT-4.5.0-1, MQTT5-4.5.0-1].
    ///
    /// Topics in `$SYS` are for a server to tell of itself (section 4.7.2): what clients send there
    /// is acknowledged like all else [MQTT-3.3.5-2], so that they go on, and goes nowhere. Others that
    /// start with `$` have no such meaning and are for all that subscribe to them.
    pub(crate) fn publish(&mut self, message: &Message) -> Published {
        let mut published = Published::default();
        if message.topic == "$SYS" || message.topic.as_str().starts_with("$SYS/") {
            return published;
        }
        // [MQTT-3.3.1-12, MQTT5-3.3.1-5, MQTT5-3.3.1-8]
        if message.retain {
            let topic = message.topic.clone().into_inner();
            if let Some(expires) = self.retained.set(message).and_then(|before| before.expires) {
                let topic = Arc::clone(&topic);
                self.timers.cancel(expires, Timer::RetainedExpires(topic));
            }
            if let Some(expires) = self.retained.get(&topic).and_then(|it| it.expires) {
                self.timers.set(expires, Timer::RetainedExpires(topic));
            }
        }
        let is_live = |id: &ClientId| self.clients.get(id).is_some_and(Client::is_live);
        let recipients =
            self.subscriptions
                .recipients(&message.topic, &message.publisher, self.copies, is_live);
        for recipient in recipients {
            published.has_subscribers = true;
            let outgoing = Outgoing {
                message: message.clone(),
                identifiers: Vec::new(),
                group: None,
            };
            published.is_crowded |= self.send(recipient, outgoing);
        }
        published
    }

    /// Appends a message to the queue of a client. Returns whether the client should have a turn.
    fn send(&mut self, recipient: Recipient, outgoing: Outgoing) -> bool {
        let Some(client) = self.clients.get_mut(&recipient.client) else {
            return false;
        };
        let message = outgoing.message;
        let outgoing = Outgoing {
            message: Message {
                qos: recipient.qos.min(message.qos), // [MQTT-3.8.4-6, MQTT5-3.8.4-8]
                // [MQTT-3.3.1-9, MQTT5-3.3.1-12, MQTT5-3.3.1-13]
                retain: message.retain && recipient.retain_as_published,
                ..message
            },
            identifiers: recipient.identifiers,
            group: recipient.group,
        };
        client.send(outgoing, self.limits);
        client.is_connected() && client.queue.is_crowded(self.limits)
    }

    // Subscriptions

    /// Makes one subscription, and sees to it that the client is sent what was retained for it, as
    /// Retain Handling says: in MQTT 3.1.1 always [MQTT-3.3.1-6, MQTT-3.8.4-3]. If the client asks again before that has come, it comes once.
    pub(crate) fn subscribe(
        &mut self,
        id: &ClientId,
        subscription: &Subscription<&[u8]>,
        identifier: Option<SubscriptionIdentifier>,
    ) -> SubscribeReasonCode {
        let filter = subscription.topic_filter.map(Arc::from);
        let Some(client) = self.clients.get_mut(id) else {
            return SubscribeReasonCode::UnspecifiedError;
        };
        // [MQTT5-4.8.2-1, MQTT5-4.8.2-2]
        if filter.check_shared().is_err() {
            return SubscribeReasonCode::TopicFilterInvalid;
        }
        if self.denied.contains(&subscription.topic_filter.to_owned()) {
            return SubscribeReasonCode::UnspecifiedError;
        }
        if has_too_many_levels(&filter) {
            return SubscribeReasonCode::QuotaExceeded;
        }
        let is_new = !client.filters.contains(&filter);
        if is_new {
            let cost = cost(&filter);
            if client.filters.len() >= self.max_subscriptions
                || client.filters.cost().saturating_add(cost) > MAX_SUBSCRIPTION_BYTES
            {
                return SubscribeReasonCode::QuotaExceeded;
            }
            client.filters.insert(filter.clone(), cost);
        }
        let granted = Granted {
            qos: subscription.qos,
            no_local: subscription.no_local,
            retain_as_published: subscription.retain_as_published,
            identifier,
        };
        self.subscriptions.insert(&filter, Arc::clone(id), granted);
        // [MQTT5-3.3.1-9, MQTT5-3.3.1-10, MQTT5-3.3.1-11]
        let is_replayed = match subscription.retain_handling {
            RetainHandling::Send => true,
            RetainHandling::SendIfNew => is_new,
            RetainHandling::DoNotSend => false,
        };
        // Retained messages are not sent for a Shared Subscription (section 4.8.2).
        if is_replayed && filter.shared().is_none() {
            let replay = Replay::new(&filter, granted);
            client.replays.insert(filter, replay);
        }
        match subscription.qos {
            QoS::AtMostOnce => SubscribeReasonCode::GrantedQos0,
            QoS::AtLeastOnce => SubscribeReasonCode::GrantedQos1,
            QoS::ExactlyOnce => SubscribeReasonCode::GrantedQos2,
        }
    }

    /// Brings the next of what was retained for a client's new subscriptions into its queue.
    /// Returns whether there is more.
    ///
    /// All that there is at once could be many times what a queue holds, and take long to find. A
    /// message that has come in the meantime is in the queue already: its topic may be sent twice,
    /// but never the older after the newer.
    pub(crate) fn replay(&mut self, now: Timestamp, id: &ClientId) -> bool {
        let Some(client) = self.clients.get_mut(id) else {
            return false;
        };
        let mut effort = REPLAY_EFFORT;
        while let Some(mut next) = client.replays.first_entry() {
            let filter = next.key().clone();
            let progress = self.retained.replay(
                now,
                (id, &filter),
                next.get_mut(),
                &mut effort,
                |outgoing| {
                    let has_room = client.queue.has_room(&outgoing, self.limits);
                    if has_room {
                        client.queue.push(outgoing, self.limits);
                    }
                    has_room
                },
            );
            if progress != Progress::Done {
                return true;
            }
            next.remove();
        }
        false
    }

    /// Ends one subscription: nothing more is queued because of it [MQTT-3.10.4-2, MQTT5-3.10.4-2]; what has been
    /// still comes [MQTT-3.10.4-3, MQTT5-3.10.4-3].
    pub(crate) fn unsubscribe(
        &mut self,
        id: &ClientId,
        filter: TopicFilter<&[u8]>,
    ) -> UnsubscribeReasonCode {
        let filter = filter.map(Arc::from);
        let Some(client) = self.clients.get_mut(id) else {
            return UnsubscribeReasonCode::UnspecifiedError;
        };
        if filter.check_shared().is_err() {
            return UnsubscribeReasonCode::TopicFilterInvalid;
        }
        if !client.filters.remove(&filter) {
            return UnsubscribeReasonCode::NoSubscriptionExisted;
        }
        client.replays.remove(&filter);
        self.subscriptions.remove(&filter, id);
        UnsubscribeReasonCode::Success
    }
}
