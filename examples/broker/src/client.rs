//! The state of a client: while it is connected, and as long as its session is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mqtt_sansio::{Outbox, PacketId, QoS, Session, Slot, Timestamp, TopicFilter};
use tokio::sync::mpsc;

use crate::message::{Message, Outgoing};
use crate::queue::{Limits, Queue};
use crate::retained::Replay;

/// A client with its session.
#[derive(Default)]
pub(crate) struct Client {
    pub(crate) connection: Option<Link>,
    /// The state of an absent client.
    pub(crate) absence: Option<Absence>,
    /// Its subscriptions.
    pub(crate) filters: Filters,
    pub(crate) queue: Queue,
    /// Subscriptions whose retained messages are not all queued yet, for lack of space in the
    /// queue.
    pub(crate) replays: BTreeMap<TopicFilter<Arc<[u8]>>, Replay>,
    /// `None` while the client is connected: then the connection has it.
    pub(crate) in_flight: InFlight,
}

/// Topic Filters, with the memory that each counts.
#[derive(Default)]
pub(crate) struct Filters {
    costs: HashMap<TopicFilter<Arc<[u8]>>, usize>,
    cost: usize,
}

/// The channels to the task of a connection.
pub(crate) struct Link {
    pub(crate) wake: Waker,
    /// Why the connection must end.
    pub(crate) ending: Option<Ending>,
}

/// Why the broker ends a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The same client has opened another connection.
    TakenOver,
    /// The broker stops.
    ShuttingDown,
}

/// Wakes the task of a connection. It is closed when the task has released the client.
pub(crate) type Waker = mpsc::Sender<()>;

/// The state of a client that is not connected.
pub(crate) struct Absence {
    /// Its position among all absent clients.
    pub(crate) number: u64,
    /// When its session ends; `None` for never.
    pub(crate) session_ends: Option<Timestamp>,
    /// Its Will, and when to publish it.
    pub(crate) will: Option<(Timestamp, Message)>,
}

/// Messages with a Packet Identifier, and their state.
#[derive(Default)]
pub(crate) struct InFlight {
    pub(crate) session: Session<Vec<Slot>>,
    pub(crate) outbox: Outbox<Outgoing>,
}

impl InFlight {
    /// Removes the QoS 1 messages of Shared Subscriptions that the client has not acknowledged. A QoS 2
    /// message stays with the client that it was sent to [MQTT5-4.8.2-4, MQTT5-4.8.2-5].
    pub(crate) fn take_shared(&mut self) -> Vec<Outgoing> {
        let is_shared = |outgoing: &Outgoing| {
            outgoing.group.is_some() && outgoing.message.qos == QoS::AtLeastOnce
        };
        let shared = self.outbox.iter().filter(|&(_, it)| is_shared(it));
        let identifiers: Vec<PacketId> = shared.map(|(packet_id, _)| packet_id).collect();
        let mut taken = Vec::new();
        for packet_id in identifiers {
            taken.extend(self.outbox.remove(packet_id));
        }
        taken
    }
}

impl Client {
    pub(crate) const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Returns true if it is connected, and its connection is not about to end.
    pub(crate) fn is_live(&self) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.ending.is_none())
    }

    pub(crate) fn wake(&self) {
        if let Some(connection) = &self.connection {
            // If the channel is full, the task is about to run anyway.
            let _ = connection.wake.try_send(());
        }
    }

    /// Ends the connection. Returns its waker, which is closed when the connection has released the
    /// client, or `None` without a connection.
    pub(crate) fn end(&mut self, ending: Ending) -> Option<Waker> {
        let connection = self.connection.as_mut()?;
        connection.ending.get_or_insert(ending);
        let waker = connection.wake.clone();
        self.wake();
        Some(waker)
    }

    /// Messages above QoS 0 are kept for an absent client [MQTT-3.1.2-5].
    pub(crate) fn send(&mut self, outgoing: Outgoing, limits: Limits) {
        if self.is_connected() || outgoing.message.qos != QoS::AtMostOnce {
            self.queue.push(outgoing, limits);
            self.wake();
        }
    }
}

impl Filters {
    pub(crate) fn contains(&self, filter: &TopicFilter<Arc<[u8]>>) -> bool {
        self.costs.contains_key(filter)
    }

    pub(crate) fn len(&self) -> usize {
        self.costs.len()
    }

    pub(crate) const fn cost(&self) -> usize {
        self.cost
    }

    pub(crate) fn insert(&mut self, filter: TopicFilter<Arc<[u8]>>, cost: usize) {
        let before = self.costs.insert(filter, cost);
        let others = self.cost.saturating_sub(before.unwrap_or(0));
        self.cost = others.saturating_add(cost);
    }

    /// Returns false if there was none.
    pub(crate) fn remove(&mut self, filter: &TopicFilter<Arc<[u8]>>) -> bool {
        let Some(cost) = self.costs.remove(filter) else {
            return false;
        };
        self.cost = self.cost.saturating_sub(cost);
        true
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TopicFilter<Arc<[u8]>>> {
        self.costs.keys()
    }
}
