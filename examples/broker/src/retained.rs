//! Retained messages.

use core::ops::Bound;
use std::collections::BTreeMap;
use std::sync::Arc;

use mqtt_sansio::{Timestamp, TopicFilter};

use crate::broker::ClientId;
use crate::message::{Message, Outgoing};
use crate::subscriptions::Granted;

/// The overhead that each message counts in addition to its bytes.
const OVERHEAD: usize = 256;

/// The last retained message of each topic, up to a limit.
pub(crate) struct Retained {
    /// Messages by topic. None is empty [MQTT-3.3.1-11, MQTT5-3.3.1-7].
    messages: BTreeMap<Arc<[u8]>, Message>,
    bytes: usize,
    max_bytes: usize,
}

fn cost(message: &Message) -> usize {
    message.size().saturating_add(OVERHEAD)
}

/// The progress of sending retained messages for one subscription.
pub(crate) struct Replay {
    granted: Granted,
    /// The topic to continue from.
    from: Bound<Arc<[u8]>>,
}

impl Replay {
    pub(crate) fn new(filter: &TopicFilter<Arc<[u8]>>, granted: Granted) -> Self {
        let from = Bound::Included(Arc::from(common_prefix(filter)));
        Self { granted, from }
    }
}

/// Returns the common prefix of all matching topics, which are adjacent in the map.
fn common_prefix(filter: &TopicFilter<Arc<[u8]>>) -> &[u8] {
    let filter = filter.as_bytes();
    let above = filter.strip_suffix(b"/#").unwrap_or(filter); // It matches too.
    let mut parts = above.split(|byte| b"+#".contains(byte));
    parts.next().unwrap_or_default()
}

impl Retained {
    pub(crate) const fn new(max_bytes: usize) -> Self {
        Self {
            messages: BTreeMap::new(),
            bytes: 0,
            max_bytes,
        }
    }

    /// Replaces the retained message of a topic [MQTT-3.3.1-5, MQTT-3.3.1-7, MQTT5-3.3.1-5]. An empty one only
    /// deletes it [MQTT-3.3.1-10, MQTT5-3.3.1-6], as does one that exceeds the limit: no message is better than
    /// an outdated one. Returns the earlier message.
    pub(crate) fn set(&mut self, message: &Message) -> Option<Message> {
        let topic = Arc::<[u8]>::from(message.topic().as_bytes());
        let before = self.remove(&topic);
        let bytes = self.bytes.saturating_add(cost(message));
        if !message.payload().is_empty() && bytes <= self.max_bytes {
            self.bytes = bytes;
            self.messages.insert(topic, message.clone());
        }
        before
    }

    pub(crate) fn get(&self, topic: &[u8]) -> Option<&Message> {
        self.messages.get(topic)
    }

    fn remove(&mut self, topic: &[u8]) -> Option<Message> {
        let message = self.messages.remove(topic)?;
        self.bytes = self.bytes.saturating_sub(cost(&message));
        Some(message)
    }

    /// Deletes a message whose Message Expiry Interval is over, unless another has replaced it.
    pub(crate) fn expire(&mut self, topic: &[u8], now: Timestamp) {
        if self
            .messages
            .get(topic)
            .is_some_and(|it| it.is_expired(now))
        {
            self.remove(topic);
        }
    }

    /// Takes a step of a replay: passes the next matching message to `send`, which may refuse it
    /// for the moment. Each topic that is compared reduces `effort`. When that is used up, the
    /// replay continues in another turn.
    pub(crate) fn replay(
        &self,
        now: Timestamp,
        (client, filter): (&ClientId, &TopicFilter<Arc<[u8]>>),
        replay: &mut Replay,
        effort: &mut usize,
        mut send: impl FnMut(Outgoing) -> bool,
    ) -> Progress {
        let prefix = common_prefix(filter);
        let to = if filter.has_wildcards() {
            Bound::Unbounded
        } else {
            Bound::Included(prefix)
        };
        let from = replay.from.clone();
        for (topic, message) in self
            .messages
            .range::<[u8], _>((from.as_ref().map(|t| &**t), to))
        {
            if !topic.starts_with(prefix) {
                break;
            }
            if *effort == 0 {
                return Progress::Tired;
            }
            *effort = effort.saturating_sub(topic.len().saturating_add(OVERHEAD));
            let granted = &replay.granted;
            let is_local = granted.no_local && message.publisher == *client;
            if filter.matches(&message.topic()) && !is_local && !message.is_expired(now) {
                let copy = Outgoing {
                    message: Message {
                        qos: granted.qos.min(message.qos), // [MQTT-3.8.4-6, MQTT5-3.8.4-8]
                        retain: true,                      // [MQTT-3.3.1-8]
                        ..message.clone()
                    },
                    identifiers: granted.identifiers.clone(),
                    group: None,
                };
                if !send(copy) {
                    return Progress::NoRoom;
                }
            }
            replay.from = Bound::Excluded(Arc::clone(topic));
        }
        Progress::Done
    }
}

/// The state of a replay.
#[derive(PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is complete.
    Done,
    /// The queue has no space.
    NoRoom,
    /// Other connections run first.
    Tired,
}
