//! The description of a small world.

use mqtt_sansio::QoS;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub(crate) const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The connections of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pair {
    V3,
    V5,
    /// A client of MQTT 3.1.1 and the server of any version.
    V3Any,
    /// A client of MQTT 5 and the server of any version.
    V5Any,
}

impl Pair {
    pub(crate) const fn is_v5(self) -> bool {
        matches!(self, Self::V5 | Self::V5Any)
    }
}

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    Kept,
    /// Each session ends with its connection.
    Clean,
    /// A crash of the server ends its sessions.
    Forgotten,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct SidePlan {
    /// The messages that it publishes, in order.
    pub(crate) messages: &'static [QoS],
    /// `Config::max_inflight`.
    pub(crate) window: u16,
    /// Receive Maximum in MQTT 5, and `Config::receive_maximum` in both versions.
    pub(crate) receive_maximum: u16,
    /// It stores a journal, and may crash. Otherwise it saves its session at an orderly stop.
    pub(crate) journal: bool,
    /// The application acknowledges messages, in any order.
    pub(crate) manual: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) pair: Pair,
    pub(crate) sessions: Sessions,
    pub(crate) client: SidePlan,
    pub(crate) server: SidePlan,
    /// How often the link breaks, or the client disconnects.
    pub(crate) cuts: u8,
    /// How often one of the sides crashes, or stops in order.
    pub(crate) crashes: u8,
    /// How often the clock advances to a deadline.
    pub(crate) ticks: u8,
    pub(crate) keep_alive: u16,
    /// The link may also become silent, without closing.
    pub(crate) silences: bool,
    /// From the second connection on, windows and Receive Maximum are 1.
    pub(crate) narrows: bool,
    /// How many messages an application that acknowledges manually may refuse (MQTT 5).
    pub(crate) refusals: u8,
    /// The client subscribes once, and repeats SUBSCRIBE until the server answers.
    pub(crate) subscribes: bool,
    /// The application may resend later than it is asked to.
    pub(crate) resends_later: bool,
    /// The identifier that each side uses first.
    pub(crate) first_id: u16,
    /// A fault that the checks must detect.
    pub(crate) fault: Option<Fault>,
}

/// A fault of a side, not of the library, that the checks must detect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A QoS 2 message is kept twice.
    KeepTwice,
    /// A QoS 1 message is acknowledged but not kept.
    LoseMessage,
    /// `Change::InboundReceived` is not stored.
    SkipStore,
    /// PUBACK is not sent.
    DropPuback,
    /// PUBREL is not sent.
    DropPubrel,
    /// A message is resent without DUP.
    ClearDup,
    /// QoS 1 messages are sent twice.
    SendTwice,
    /// A message is sent before its change is stored, and the process crashes in between.
    SendBeforeStore,
}

const QUIET: SidePlan = SidePlan {
    messages: &[],
    window: 4,
    receive_maximum: 4,
    journal: true,
    manual: false,
};

impl SidePlan {
    pub(crate) const fn publishes(messages: &'static [QoS]) -> Self {
        Self { messages, ..QUIET }
    }

    pub(crate) const fn window(self, window: u16) -> Self {
        Self { window, ..self }
    }

    pub(crate) const fn receive_maximum(self, receive_maximum: u16) -> Self {
        Self {
            receive_maximum,
            ..self
        }
    }

    pub(crate) const fn manual(self) -> Self {
        Self {
            manual: true,
            ..self
        }
    }

    pub(crate) const fn without_journal(self) -> Self {
        Self {
            journal: false,
            ..self
        }
    }
}

impl Plan {
    pub(crate) const fn new(
        name: &'static str,
        pair: Pair,
        client: SidePlan,
        server: SidePlan,
    ) -> Self {
        Self {
            name,
            pair,
            sessions: Sessions::Kept,
            client,
            server,
            cuts: 0,
            crashes: 0,
            ticks: 0,
            keep_alive: 0,
            silences: false,
            narrows: false,
            subscribes: false,
            refusals: 0,
            resends_later: false,
            first_id: 1,
            fault: None,
        }
    }

    pub(crate) const fn cuts(self, cuts: u8) -> Self {
        Self { cuts, ..self }
    }

    pub(crate) const fn crashes(self, crashes: u8) -> Self {
        Self { crashes, ..self }
    }

    pub(crate) const fn ticks(self, ticks: u8, keep_alive: u16) -> Self {
        Self {
            ticks,
            keep_alive,
            ..self
        }
    }

    pub(crate) const fn sessions(self, sessions: Sessions) -> Self {
        Self { sessions, ..self }
    }

    pub(crate) const fn silences(self) -> Self {
        Self {
            silences: true,
            ..self
        }
    }

    pub(crate) const fn narrows(self) -> Self {
        Self {
            narrows: true,
            ..self
        }
    }

    pub(crate) const fn refusals(self, refusals: u8) -> Self {
        Self { refusals, ..self }
    }

    pub(crate) const fn subscribes(self) -> Self {
        Self {
            subscribes: true,
            ..self
        }
    }

    pub(crate) const fn resends_later(self) -> Self {
        Self {
            resends_later: true,
            ..self
        }
    }

    pub(crate) const fn first_id(self, first_id: u16) -> Self {
        Self { first_id, ..self }
    }

    pub(crate) const fn fault(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }

    /// Returns the plan for the second connection and those after it.
    pub(crate) const fn later(self) -> Self {
        if !self.narrows {
            return self;
        }
        Self {
            client: self.client.window(1).receive_maximum(1),
            server: self.server.window(1).receive_maximum(1),
            ..self
        }
    }

    pub(crate) const fn side(&self, side: Side) -> &SidePlan {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    pub(crate) const fn is_clean(&self) -> bool {
        matches!(self.sessions, Sessions::Clean)
    }
}
