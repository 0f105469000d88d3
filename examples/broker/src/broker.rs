//! The state that outlives connections, and the distribution of messages. No method waits, and none
//! uses sockets.

mod sessions;
mod subscribe;

pub(crate) use sessions::Attached;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use mqtt_sansio::{Timestamp, TopicFilter};
use tokio::sync::Notify;

use crate::arguments::Settings;
use crate::client::Client;
use crate::message::{Message, Outgoing};
use crate::queue::{Limits, Queue};
use crate::retained::Retained;
use crate::subscriptions::{Copies, Recipient, Subscriptions};
use crate::timers::{Timer, Timers};

/// Any UTF-8 string, of any length. A client without an identifier is given one.
pub(crate) type ClientId = Arc<str>;

/// All clients, retained messages and subscriptions.
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
    /// Clients that are not connected and whose sessions are kept, in the order in which they left.
    absent: BTreeMap<u64, ClientId>,
    max_absent: usize,
    /// How many times a client has left.
    departures: u64,
}

/// The result of publishing a message.
#[derive(Default)]
pub(crate) struct Published {
    /// True if any client has a subscription to its topic.
    pub(crate) has_subscribers: bool,
    /// True if the receivers should run before the next message is handled.
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

    // Time

    /// When to call [`handle_time`](Self::handle_time), and the notification that this has changed.
    pub(crate) fn next_timer(&self) -> (Option<Timestamp>, Arc<Notify>) {
        (self.timers.next(), self.timers.changed())
    }

    /// Handles the timers that have expired.
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

    /// Returns the messages that wait for this client.
    pub(crate) fn queue(&mut self, id: &ClientId) -> Option<&mut Queue> {
        self.clients.get_mut(id).map(|client| &mut client.queue)
    }

    /// Publishes a Will: its Message Expiry Interval begins now.
    pub(crate) fn publish_will(&mut self, now: Timestamp, mut will: Message) {
        will.published = now;
        self.publish(&will);
    }

    /// Distributes a message to every client with a matching subscription, connected or not
    /// [MQTT-3.3.2-3, MQTT-4.5.0-1, MQTT5-4.5.0-1, MQTT5-3.3.2-3].
    ///
    /// Topics in `$SYS` are for information about the server (section 4.7.2). A client's message to
    /// them is acknowledged like any other [MQTT-3.3.5-2], but not distributed. Other topics that
    /// start with `$` have no special meaning here.
    pub(crate) fn publish(&mut self, message: &Message) -> Published {
        let mut published = Published::default();
        let topic = message.topic();
        if topic == "$SYS" || topic.as_str().starts_with("$SYS/") {
            return published;
        }
        // [MQTT-3.3.1-12, MQTT5-3.3.1-5, MQTT5-3.3.1-8]
        if message.retain {
            let topic = Arc::<[u8]>::from(topic.as_bytes());
            let before = self.retained.set(message);
            if let Some(expires) = before.and_then(|before| before.expires()) {
                let topic = Arc::clone(&topic);
                self.timers.cancel(expires, Timer::RetainedExpires(topic));
            }
            if let Some(expires) = self.retained.get(&topic).and_then(Message::expires) {
                self.timers.set(expires, Timer::RetainedExpires(topic));
            }
        }
        let is_live = |id: &ClientId| self.clients.get(id).is_some_and(Client::is_live);
        let recipients =
            self.subscriptions
                .recipients(&topic, &message.publisher, self.copies, is_live);
        published.has_subscribers = recipients.has_subscribers;
        for recipient in recipients.all {
            published.is_crowded |= self.send(recipient, message.clone());
        }
        published
    }

    /// Appends a message to the queue of a client. Returns whether the client should run soon.
    fn send(&mut self, recipient: Recipient, message: Message) -> bool {
        let Some(client) = self.clients.get_mut(&recipient.client) else {
            return false;
        };
        // No DUP: to the receiver a resent message is new [MQTT5-3.3.1-3].
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
}
