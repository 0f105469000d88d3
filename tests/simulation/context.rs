//! The state that everything in a run shares: chance, time, transcript and statistics.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use mqtt_sansio::Timestamp;

use super::chance::Chance;
use super::plan::{Plan, Sabotage, Side};
use super::wire::Ledger;

/// Why a run failed.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// The events of a run, a line each. Shared, so that it survives a panic.
pub(crate) type Transcript = Rc<RefCell<Vec<String>>>;

/// Returns from the function with a failure of the run.
macro_rules! fail {
    ($($why:tt)+) => {
        return Err($crate::simulation::context::Failure(format!($($why)+)))
    };
}

/// Fails the run unless this is true.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            $crate::simulation::context::fail!($($why)+);
        }
    };
}

pub(crate) use ensure;
pub(crate) use fail;

macro_rules! statistics {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// How often each kind of thing happened.
        #[derive(Debug, Clone, Copy, Default)]
        pub(crate) struct Stats {
            $($(#[$doc])* pub(crate) $name: u64,)+
        }

        impl Stats {
            pub(crate) const fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

statistics! {
    connections,
    drops,
    journal_restarts,
    snapshot_restarts,
    /// Restarts while a message was delivered but not acknowledged, or published but not stored.
    volatile_losses,
    delivered,
    /// PUBLISH with DUP.
    resends,
    /// PUBREL that is not the answer to a PUBREC on the same connection.
    released_again,
    /// QoS 2 messages that were received again and not delivered.
    duplicates_suppressed,
    delivered_qos_2,
    pieces_received,
    pieces_sent,
    lost_by_server,
    lost_messages,
    late_acknowledgements,
    acknowledged_while_away,
    inbound_full,
    window_full,
    resend_pending,
    held_back,
    early,
    takeovers,
    refusals,
    disconnects,
    requests,
    forgotten,
    pings,
    time_outs,
    wills_published,
    journals_compacted,
    /// MQTT 5: PUBLISH with a Topic Alias in place of its topic.
    aliases_used,
    /// MQTT 5: messages that waited for the peer's Receive Maximum.
    quota_full,
    /// MQTT 5: messages that the peer refused.
    rejected,
    /// MQTT 5: sessions that expired.
    expired,
    /// MQTT 5: sessions that a client ended with DISCONNECT.
    ended_by_client,
    /// MQTT 5: sessions that the server keeps for less time than the client asked for.
    expiry_shortened,
    /// MQTT 5: DISCONNECT from the server.
    dismissed,
}

pub(crate) struct Context {
    pub(crate) rng: Chance,
    pub(crate) plan: Rc<Plan>,
    pub(crate) millis: u64,
    /// The link is good and nobody crashes.
    pub(crate) calm: bool,
    pub(crate) stats: Stats,
    /// The sabotage was committed.
    pub(crate) sabotaged: bool,
    pub(crate) client: Ledger,
    pub(crate) server: Ledger,
    transcript: Option<Transcript>,
}

impl Context {
    pub(crate) fn new(plan: Rc<Plan>, rng: Chance, transcript: Option<Transcript>) -> Self {
        Self {
            rng,
            plan,
            millis: 1_000_000,
            calm: false,
            stats: Stats::default(),
            sabotaged: false,
            client: Ledger::default(),
            server: Ledger::default(),
            transcript,
        }
    }

    /// Returns the time on one side's clock, which sometimes goes back a little.
    pub(crate) fn now(&mut self) -> Timestamp {
        let back = if !self.calm && self.rng.u32(0..50) == 0 {
            self.rng.u64(0..500)
        } else {
            0
        };
        Timestamp::from_millis(self.millis - back)
    }

    /// Records packets that `side` sent.
    pub(crate) const fn ledger(&mut self, side: Side) -> &mut Ledger {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Returns true in `times` of 10,000 cases, and never once the run is calm.
    pub(crate) fn misfortune(&mut self, times: u32) -> bool {
        !self.calm && self.rng.u32(0..10_000) < times
    }

    /// Returns true in one of `times` cases, and never once the run is calm.
    pub(crate) fn whim(&mut self, times: u32) -> bool {
        !self.calm && self.rng.u32(0..times) == 0
    }

    /// Returns true once in a run, if this is its sabotage.
    pub(crate) fn sabotage(&mut self, sabotage: Sabotage) -> bool {
        let now = !self.sabotaged && self.plan.sabotage == Some(sabotage);
        if now {
            self.sabotaged = true;
            self.note("SABOTAGE", format_args!("{sabotage:?}"));
        }
        now
    }

    pub(crate) fn note(&mut self, who: impl fmt::Display, what: fmt::Arguments<'_>) {
        let millis = self.millis - 1_000_000;
        if let Some(transcript) = &self.transcript {
            transcript
                .borrow_mut()
                .push(format!("{millis:>7} ms  {who:<9} {what}"));
        }
    }
}
