//! How sessions begin, wait for their clients, and end.

use core::hash::BuildHasher;
use std::collections::hash_map::{Entry, RandomState};
use std::sync::Arc;

use mqtt_sansio::Timestamp;

use super::{Broker, ClientId};
use crate::client::{Absence, Client, Ending, InFlight, Link, Waker};
use crate::message::{Message, Outgoing};
use crate::subscriptions::Recipient;
use crate::timers::Timer;

/// The result of a client's attempt to connect.
pub(crate) enum Attached {
    /// It has a new session.
    New,
    /// It resumes the session that was kept for it.
    Kept(InFlight),
    /// It has another connection. Try again when that one has closed.
    After(Waker),
    /// There are too many clients.
    Full,
}

impl Broker {
    /// Returns a Client Identifier for a client that sent none [MQTT-3.1.3-6, MQTT5-3.1.3-6]. It is random, so
    /// that no other client can guess it.
    pub(crate) fn unused_id(&self) -> ClientId {
        loop {
            let random = || u128::from(RandomState::new().hash_one(0));
            let number = format!("{:032x}", random() << 64 | random());
            // The form of a UUID.
            let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32]
                .map(|part| number.get(part).unwrap_or_default());
            let id = format!("auto-{a}-{b}-{c}-{d}-{e}").into();
            if !self.clients.contains_key(&id) {
                return id;
            }
        }
    }

    /// Registers a connected client. If the client has another connection, closes that one
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
                // The session continues, so the Will is not published [MQTT5-3.1.3-9].
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

    /// Returns how many clients are connected.
    fn connected(&self) -> usize {
        self.clients.len().saturating_sub(self.absent.len())
    }

    /// Registers the end of a client's connection. The session is kept for `expiry` seconds, and
    /// `will` is published after its Will Delay Interval. If there are too many kept sessions, the
    /// one that was left first is ended.
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
        self.departures = self.departures.wrapping_add(1); // Wraps after centuries.
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

    /// Removes the client from the absent ones. Returns the Will that has not been published.
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

    /// Ends a session: deletes its subscriptions and messages, and publishes its Will if that is
    /// pending. Retained messages are not part of it [MQTT-3.1.2-7].
    pub(super) fn forget(&mut self, now: Timestamp, id: &ClientId) {
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
                self.send(recipient, outgoing.message);
            }
        }
        if let Some(will) = will {
            self.publish_will(now, will);
        }
    }

    /// The client has left and its session is kept: unacknowledged messages of its Shared Subscriptions
    /// go to connected members, if there are any.
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
                self.send(recipient, outgoing.message);
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

    /// Returns why this client's connection must end, if it must.
    pub(crate) fn ending(&self, id: &ClientId) -> Option<Ending> {
        let connection = self.clients.get(id)?.connection.as_ref()?;
        connection.ending
    }

    /// Ends all connections. The returned wakers are closed once the connections have ended.
    pub(crate) fn shut_down(&mut self) -> Vec<Waker> {
        let clients = self.clients.values_mut();
        clients
            .filter_map(|client| client.end(Ending::ShuttingDown))
            .collect()
    }
}
