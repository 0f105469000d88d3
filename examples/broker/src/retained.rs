//! Messages that are kept for those who subscribe later.

use core::ops::Bound;
use std::collections::BTreeMap;
use std::sync::Arc;

use mqtt_sansio::{QoS, TopicFilter};

use crate::broker::Message;
use crate::queue::size;

/// What a message counts in addition to its bytes: many small ones take room too.
const OVERHEAD: usize = 256;

/// The last retained message of each topic, as far as there is room.
pub(crate) struct Retained {
    /// By topic. There are no empty ones [MQTT-3.3.1-11].
    messages: BTreeMap<Arc<[u8]>, Message>,
    bytes: usize,
    max_bytes: usize,
}

fn cost(message: &Message) -> usize {
    size(message).saturating_add(OVERHEAD)
}

/// How far a client has been sent what was retained for one of its subscriptions.
pub(crate) struct Replay {
    qos: QoS,
    /// The topic to go on from.
    from: Bound<Arc<[u8]>>,
}

impl Replay {
    pub(crate) fn new(filter: &TopicFilter<Arc<[u8]>>, qos: QoS) -> Self {
        let from = Bound::Included(Arc::from(common_prefix(filter)));
        Self { qos, from }
    }
}

/// What all topics that match start with: those are next to each other.
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

    /// Keeps a message instead of the one before [MQTT-3.3.1-5, MQTT-3.3.1-7]; an empty one only
    /// ends that [MQTT-3.3.1-10]. So does one that there is no room for: none is better than one
    /// that is out of date.
    pub(crate) fn set(&mut self, message: &Message) {
        let topic = message.topic.clone().into_inner();
        if let Some(before) = self.messages.remove(&topic) {
            self.bytes = self.bytes.saturating_sub(cost(&before));
        }
        let bytes = self.bytes.saturating_add(cost(message));
        if !message.payload.is_empty() && bytes <= self.max_bytes {
            self.bytes = bytes;
            self.messages.insert(topic, message.clone());
        }
    }

    /// Takes the next step of a replay: sends the next message for a filter with `send`, which may
    /// say no for now. Each topic that is looked at takes something off `effort`; when it is used
    /// up, the rest is for another time.
    pub(crate) fn replay(
        &self,
        filter: &TopicFilter<Arc<[u8]>>,
        replay: &mut Replay,
        effort: &mut usize,
        mut send: impl FnMut(Message) -> bool,
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
            if filter.matches(&message.topic) {
                let copy = Message {
                    qos: replay.qos.min(message.qos), // [MQTT-3.8.4-6]
                    retain: true,                     // [MQTT-3.3.1-8]
                    ..message.clone()
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

/// How far a replay has come.
#[derive(PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is over.
    Done,
    /// There is no room in the queue.
    NoRoom,
    /// It is somebody else's turn.
    Tired,
}
