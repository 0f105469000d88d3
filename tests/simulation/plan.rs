//! The description of a run: everything that the seed decides once.

use std::fmt;

use mqtt_sansio::{QoS, Slot, Slots};

use super::chance::Chance;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// The versions of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pair {
    /// Client and server of MQTT 3.1.1.
    V3,
    /// Client and server of MQTT 5.
    V5,
    /// A client of MQTT 5 and a server of any version.
    V5Any,
    /// A client of MQTT 3.1.1 and a server of any version.
    V3Any,
}

impl Pair {
    pub(crate) const ALL: [Self; 4] = [Self::V3, Self::V5, Self::V5Any, Self::V3Any];
}

/// What happens to the session between connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// Both sides keep it.
    Kept,
    /// The server sometimes loses it; in MQTT 5 it may also expire.
    LostByServer,
    /// Every connection has Clean Session, or Clean Start and a session that ends with it.
    Clean,
    /// The client sometimes starts a new session. In MQTT 5 this session may be kept, and a kept
    /// session may end with a connection, or by DISCONNECT.
    Mixed,
}

/// A message that a side has to publish. Its number determines the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) number: u32,
    pub(crate) topic: &'static str,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    len: usize,
}

impl Spec {
    pub(crate) fn payload(&self) -> Vec<u8> {
        let number = self.number.to_be_bytes();
        let filler = (0..=250).cycle().skip(self.number as usize);
        number.into_iter().chain(filler).take(self.len).collect()
    }
}

/// Returns the number of the message with this payload.
pub(crate) fn number_of(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().copied().map(u32::from_be_bytes)
}

/// The storage of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Room {
    Two,
    Eight,
    Slice(usize),
    Heap,
}

impl Room {
    /// Returns how many slots it can have.
    pub(crate) const fn slots(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Eight => 8,
            Self::Slice(slots) => slots,
            Self::Heap => 65_535,
        }
    }

    pub(crate) fn storage(self) -> Storage {
        match self {
            Self::Two => Storage::Two([Slot::EMPTY; 2]),
            Self::Eight => Storage::Eight([Slot::EMPTY; 8]),
            Self::Slice(slots) => Storage::Slice(vec![Slot::EMPTY; slots].into()),
            Self::Heap => Storage::Heap(Vec::new()),
        }
    }

    /// Returns a storage with room for `messages` and, except on the heap, little more.
    fn tight(rng: &mut Chance, messages: usize) -> Self {
        match rng.u32(0..4) {
            0 => Self::Heap,
            1 if messages <= 2 => Self::Two,
            2 if messages <= 8 => Self::Eight,
            _ => Self::Slice(messages),
        }
    }
}

/// The library's own kinds of storage, selected at run time.
#[derive(Debug, Clone)]
pub(crate) enum Storage {
    Two([Slot; 2]),
    Eight([Slot; 8]),
    /// Behaves as the library's slices, but owns its slots.
    Slice(Box<[Slot]>),
    Heap(Vec<Slot>),
}

impl Slots for Storage {
    fn as_slice(&self) -> &[Slot] {
        match self {
            Self::Two(slots) => slots.as_slice(),
            Self::Eight(slots) => slots.as_slice(),
            Self::Slice(slots) => slots,
            Self::Heap(slots) => Slots::as_slice(slots),
        }
    }

    fn as_mut_slice(&mut self) -> &mut [Slot] {
        match self {
            Self::Two(slots) => slots.as_mut_slice(),
            Self::Eight(slots) => slots.as_mut_slice(),
            Self::Slice(slots) => slots,
            Self::Heap(slots) => Slots::as_mut_slice(slots),
        }
    }

    fn grow(&mut self) -> bool {
        match self {
            Self::Two(slots) => slots.grow(),
            Self::Eight(slots) => slots.grow(),
            Self::Slice(slots) => (&mut slots[..]).grow(),
            Self::Heap(slots) => slots.grow(),
        }
    }

    fn can_grow(&self) -> bool {
        match self {
            Self::Two(slots) => slots.can_grow(),
            Self::Eight(slots) => slots.can_grow(),
            Self::Slice(_) => false,
            Self::Heap(slots) => slots.can_grow(),
        }
    }
}

/// The description of one side.
#[derive(Debug, Clone)]
pub(crate) struct SidePlan {
    pub(crate) messages: Vec<Spec>,
    /// Keeps a journal; otherwise it saves its session before bytes are sent.
    pub(crate) journal: bool,
    /// Acknowledges late, and in any order.
    pub(crate) manual: bool,
    pub(crate) outbound: Room,
    pub(crate) inbound: Room,
    /// The largest window. If `window_varies`, each connection has a window up to it.
    pub(crate) window: u16,
    pub(crate) window_varies: bool,
    /// MQTT 5: the largest Receive Maximum. If `window_varies`, each connection has one up to it.
    pub(crate) receive_maximum: u16,
    /// MQTT 5: Topic Alias Maximum.
    pub(crate) topic_aliases: u16,
    /// MQTT 5: how many Topic Aliases this side uses, if the peer allows them.
    pub(crate) outbound_aliases: u16,
    /// MQTT 5, with manual acknowledgement: sometimes refuses messages.
    pub(crate) refuses: bool,
    /// The size of the decoder's buffer, and whether larger messages arrive in pieces.
    pub(crate) memory: usize,
    pub(crate) receives_pieces: bool,
    pub(crate) sends_pieces: bool,
    /// Handles `Resend` later instead of immediately.
    pub(crate) resends_late: bool,
    /// Has deleted some of the QoS 1 messages that it is asked to resend.
    pub(crate) forgets: bool,
    /// Client: sends before CONNACK.
    pub(crate) early: bool,
}

/// A fault of the application or of the transport that the checks must detect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// The application delivers a QoS 2 message twice.
    DeliverTwice,
    /// The application acknowledges a message that it does not keep.
    LoseDelivery,
    /// The application swaps two messages.
    SwapDeliveries,
    /// An acknowledgement is not sent.
    DropAcknowledgement,
    /// A message is resent without DUP.
    ClearDup,
    /// A message is sent twice on one connection.
    SendTwice,
    /// A byte of a payload is changed in transit.
    AlterPayload,
    /// A change is not stored.
    SkipStore,
    /// PUBREL is not sent.
    DropRelease,
}

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) pair: Pair,
    pub(crate) sessions: Sessions,
    /// MQTT 5: Session Expiry Interval, in seconds, of a session that is not kept for ever.
    pub(crate) session_expiry: u32,
    /// In seconds.
    pub(crate) keep_alive: u16,
    pub(crate) will: bool,
    /// Steps before the link becomes good.
    pub(crate) chaos: u32,
    /// In how many of 10,000 steps the connection is dropped.
    pub(crate) drops: u32,
    /// After how many of 10,000 actions the process crashes.
    pub(crate) crashes: u32,
    pub(crate) max_chunk: usize,
    /// The largest number of milliseconds between two steps.
    pub(crate) max_pause: u64,
    pub(crate) client: SidePlan,
    pub(crate) server: SidePlan,
    pub(crate) sabotage: Option<Sabotage>,
}

impl Plan {
    /// Returns the plan of a seed. Consecutive seeds are the same plan for each pair.
    pub(crate) fn new(seed: u64) -> Self {
        let pairs = Pair::ALL.len() as u64;
        let pair = Pair::ALL[usize::try_from(seed % pairs).unwrap_or_default()];
        Self {
            seed,
            ..Self::of(pair, &mut Chance::from_seed(seed / pairs))
        }
    }

    pub(crate) fn chosen(rng: &mut Chance) -> Self {
        let pair = pick(rng, &Pair::ALL);
        Self::of(pair, rng)
    }

    fn of(pair: Pair, rng: &mut Chance) -> Self {
        let sessions = match rng.u32(0..10) {
            0..=4 => Sessions::Kept,
            5..=6 => Sessions::LostByServer,
            7 => Sessions::Clean,
            _ => Sessions::Mixed,
        };
        let (client, server) = sides(rng, sessions);
        Self {
            seed: 0,
            pair,
            sessions,
            session_expiry: pick(rng, &[1, 2, 5, u32::MAX]),
            keep_alive: pick(rng, &[0, 1, 5, 60]),
            will: rng.bool(),
            chaos: rng.u32(100..400),
            drops: pick(rng, &[0, 50, 100, 200, 400]),
            crashes: pick(rng, &[0, 25, 50, 100, 200]),
            max_chunk: pick(rng, &[1, 20, 60, 200, 1000]),
            max_pause: pick(rng, &[1, 5, 30, 200]),
            client,
            server,
            sabotage: None,
        }
    }

    pub(crate) const fn side(&self, side: Side) -> &SidePlan {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }
}

fn pick<T: Copy>(rng: &mut Chance, choices: &[T]) -> T {
    choices[rng.usize(0..choices.len())]
}

fn sides(rng: &mut Chance, sessions: Sessions) -> (SidePlan, SidePlan) {
    let mut client = side(rng);
    let mut server = side(rng);
    client.early = sessions != Sessions::Clean && rng.u32(0..4) == 0;
    if client.early {
        // Packets sent before CONNACK cannot follow limits that CONNACK announces.
        server.receive_maximum = u16::MAX;
        server.topic_aliases = 0;
    }
    // The receiver has slots for everything that the sender may have in flight. Without QoS 2
    // messages it may have fewer: then it stops reading while no slot is free.
    client.inbound = inbound(rng, &client, &server);
    server.inbound = inbound(rng, &server, &client);
    (client, server)
}

fn inbound(rng: &mut Chance, receiver: &SidePlan, sender: &SidePlan) -> Room {
    let most = usize::from(sender.window)
        .min(sender.outbound.slots())
        .min(sender.messages.len())
        .max(1);
    let any_qos_2 = sender.messages.iter().any(|m| m.qos == QoS::ExactlyOnce);
    if receiver.manual && !any_qos_2 && rng.bool() {
        return Room::Slice(rng.usize(1..=most));
    }
    Room::tight(rng, most)
}

fn side(rng: &mut Chance) -> SidePlan {
    let in_pieces = rng.u32(0..3) == 0;
    let largest = if in_pieces || rng.bool() { 250 } else { 20 };
    let levels: &[QoS] = match rng.u32(0..6) {
        0 => &[QoS::ExactlyOnce],
        1 => &[QoS::AtLeastOnce],
        2 => &[QoS::AtMostOnce, QoS::AtLeastOnce],
        _ => &[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce],
    };
    let topics: &[&str] = pick(
        rng,
        &[&["a"], &["a", "b/c"], &["a", "b/c", "long/topic/name"]],
    );
    let messages = (0..rng.u32(0..=25))
        .map(|number| Spec {
            number,
            topic: pick(rng, topics),
            qos: pick(rng, levels),
            retain: rng.u32(0..5) == 0,
            len: rng.usize(4..=largest),
        })
        .collect();
    SidePlan {
        messages,
        journal: rng.bool(),
        manual: rng.bool(),
        outbound: {
            let slots = rng.usize(1..=8);
            Room::tight(rng, slots)
        },
        inbound: Room::Heap,
        window: pick(rng, &[1, 2, 3, 5, 8, 65_535]),
        window_varies: rng.u32(0..4) == 0,
        receive_maximum: pick(rng, &[1, 2, 3, 5, 65_535, 65_535]),
        topic_aliases: pick(rng, &[0, 0, 1, 2, 5]),
        outbound_aliases: pick(rng, &[0, 1, 3, 10]),
        refuses: rng.bool(),
        memory: if in_pieces { 64 } else { 512 },
        receives_pieces: in_pieces,
        sends_pieces: rng.u32(0..3) == 0,
        resends_late: rng.u32(0..4) == 0,
        forgets: rng.u32(0..12) == 0,
        early: false,
    }
}
