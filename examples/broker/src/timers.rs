//! Events at a given time.

use std::collections::BTreeSet;
use std::sync::Arc;

use mqtt_sansio::Timestamp;
use tokio::sync::Notify;

use crate::broker::ClientId;

/// A timed event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The session of an absent client ends.
    SessionEnds(ClientId),
    /// The Will Delay Interval of a client is over.
    WillIsDue(ClientId),
    /// The Message Expiry Interval of the message retained for this topic is over.
    RetainedExpires(Arc<[u8]>),
}

/// All timers, in order of time.
#[derive(Default)]
pub(crate) struct Timers {
    timers: BTreeSet<(Timestamp, Timer)>,
    /// Notified when the next timer changes.
    changed: Arc<Notify>,
}

impl Timers {
    pub(crate) fn set(&mut self, time: Timestamp, timer: Timer) {
        if self.next().is_none_or(|next| time < next) {
            self.changed.notify_one();
        }
        self.timers.insert((time, timer));
    }

    pub(crate) fn cancel(&mut self, time: Timestamp, timer: Timer) {
        self.timers.remove(&(time, timer));
    }

    /// Removes a timer that has expired.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.timers.pop_first().map(|(_, timer)| timer)
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.timers.first().map(|&(time, _)| time)
    }

    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }
}
