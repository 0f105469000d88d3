//! What happens at a certain time without a packet.

use std::collections::BTreeSet;
use std::sync::Arc;

use mqtt_sansio::Timestamp;
use tokio::sync::Notify;

use crate::broker::ClientId;

/// What happens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The session of a client that has not come back ends.
    SessionEnds(ClientId),
    /// The Will Delay Interval of a client is over.
    WillIsDue(ClientId),
    /// The Message Expiry Interval of the message that is retained for this topic is over.
    RetainedExpires(Arc<[u8]>),
}

/// All timers, the next first.
#[derive(Default)]
pub(crate) struct Timers {
    timers: BTreeSet<(Timestamp, Timer)>,
    /// Notified when there is another next timer.
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

    /// Removes a timer whose time has come.
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
