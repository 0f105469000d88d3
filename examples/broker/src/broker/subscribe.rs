//! How subscriptions begin and end, and their retained messages.

use std::sync::Arc;

use mqtt_sansio::v5::{
    Property, RetainHandling, SubscribeReasonCode, Subscription, SubscriptionIdentifier,
    UnsubscribeReasonCode,
};
use mqtt_sansio::{QoS, Timestamp, TopicFilter};

use super::{Broker, ClientId};
use crate::retained::{Progress, Replay};
use crate::subscriptions::{Granted, cost, has_too_many_levels, identifiers};

/// The approximate memory limit for a client's subscriptions.
const MAX_SUBSCRIPTION_BYTES: usize = 32 * 1024 * 1024;

/// How many retained messages are searched for a client in one turn, in bytes of topics and their
/// overhead.
const REPLAY_EFFORT: usize = 256 * 1024;

impl Broker {
    /// Makes one subscription, and starts to send retained messages as Retain Handling requires: in MQTT 3.1.1 always
    /// [MQTT-3.3.1-6, MQTT-3.8.4-3, MQTT5-3.8.4-4]. If the client subscribes again before they were sent, they are sent once.
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
            identifiers: identifiers(identifier.map(Property::SubscriptionIdentifier)),
        };
        self.subscriptions
            .insert(&filter, Arc::clone(id), granted.clone());
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

    /// Appends further retained messages for a client's new subscriptions to its queue. Returns
    /// whether there are more.
    ///
    /// All of them could be many times what the queue holds, and take long to find. A message that
    /// was published meanwhile is in the queue already: its topic may be sent twice, but never the
    /// older message after the newer one.
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

    /// Ends one subscription: no more messages are queued for it [MQTT-3.10.4-2, MQTT5-3.10.4-2]. Those already
    /// queued are sent [MQTT-3.10.4-3, MQTT5-3.10.4-3].
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
