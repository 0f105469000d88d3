//! A connection with the state that belongs to it alone.

use std::collections::{BTreeSet, VecDeque};

use mqtt_sansio::v5::{AliasVec, OutboundAliases, WithTopicAliases};
use mqtt_sansio::{Blocked, Config, PacketId, Session, Timestamp};

use super::context::{Context, Outcome};
use super::endpoint::{Endpoint, Step};
use super::link::Socket;
use super::plan::{Side, Storage};
use super::version::{Announced, Message, Opening, Seen};
use super::wire::Tap;

/// A request to the server's application that has no answer yet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request {
    Connect(Opening),
    Subscribe { filters: usize },
    Unsubscribe { filters: usize },
}

/// The result of handling received bytes.
pub(super) struct Received {
    pub(super) step: Result<Option<Step>, Blocked>,
    /// The packets that the library handled for it.
    pub(super) packets: Vec<Seen>,
}

pub(crate) struct Connection<E: Endpoint> {
    pub(super) endpoint: E,
    pub(super) socket: Socket,
    pub(super) tap: Tap<E::Version>,
    /// The limits of this side.
    pub(super) announced: Announced,
    /// The aliases of the messages that this side publishes.
    pub(super) aliases: OutboundAliases<AliasVec>,
    /// Received bytes that the endpoint has not consumed.
    pub(super) input: Vec<u8>,
    /// Received bytes that are not handled.
    unhandled: Vec<u8>,
    handled: u64,
    /// The next packet was blocked.
    pub(super) is_blocked: bool,
    /// Encoded bytes that were not sent.
    pub(super) out: Vec<u8>,
    /// The received part of a message that arrives in pieces.
    pub(super) gathering: Option<Message>,
    /// The rest of the payload that is being sent in pieces.
    pub(super) sending: Option<Vec<u8>>,
    pub(super) resends: VecDeque<PacketId>,
    pub(super) request: Option<Request>,
    /// Client: requests without an answer.
    pub(super) requests: BTreeSet<PacketId>,
    /// Server: whether the Will is to be published.
    pub(super) has_will: bool,
    pub(super) discards_will: bool,
    pub(super) last_received: Timestamp,
    pub(super) clock: Timestamp,
    pub(super) is_accepted: bool,
    /// Client: it asked for a new session.
    pub(super) clean_start: bool,
    pub(super) closed: bool,
    side: Side,
}

impl<E: Endpoint> Connection<E> {
    pub(super) fn new(
        ctx: &mut Context,
        side: Side,
        session: Session<Storage>,
        socket: Socket,
    ) -> Self {
        let plan = ctx.plan.side(side).clone();
        let up_to = |ctx: &mut Context, most: u16| match most {
            most if plan.window_varies => ctx.rng.u16(1..=most.min(8)),
            most => most,
        };
        let window = up_to(ctx, plan.window);
        let announced = Announced {
            receive_maximum: match plan.receive_maximum {
                u16::MAX => u16::MAX,
                most => up_to(ctx, most),
            },
            topic_alias_maximum: plan.topic_aliases,
        };
        let config = Config::new()
            .max_inflight(window)
            .manual_acknowledgement(plan.manual)
            .journal(plan.journal)
            .send_before_connack(plan.early)
            .connect_timeout(core::time::Duration::from_millis(5_000))
            .ping_timeout(core::time::Duration::from_millis(3_000));
        let now = ctx.now();
        let memory = vec![0; plan.memory].into_boxed_slice();
        let memory = WithTopicAliases::new(memory, AliasVec::new(plan.topic_aliases));
        ctx.stats.connections += 1;
        Self {
            endpoint: E::new(session, config, memory, plan.receives_pieces, now),
            socket,
            tap: Tap::new(side, window),
            announced,
            aliases: OutboundAliases::new(AliasVec::new(plan.outbound_aliases)),
            input: Vec::new(),
            unhandled: Vec::new(),
            handled: 0,
            is_blocked: false,
            out: Vec::new(),
            gathering: None,
            sending: None,
            resends: VecDeque::new(),
            request: None,
            requests: BTreeSet::new(),
            has_will: false,
            discards_will: false,
            last_received: now,
            clock: now,
            is_accepted: false,
            clean_start: false,
            closed: false,
            side,
        }
    }

    /// Returns the time for the next call. The library's clock does not go back.
    pub(super) fn now(&mut self, ctx: &mut Context) -> Timestamp {
        let now = ctx.now();
        self.clock = self.clock.max(now);
        now
    }

    pub(super) fn came(&mut self, bytes: &[u8]) {
        self.input.extend(bytes);
        self.unhandled.extend(bytes);
    }

    /// Returns the next result of handling received bytes.
    pub(super) fn receive(&mut self, ctx: &mut Context) -> Outcome<Received> {
        let now = self.now(ctx);
        let mut rest = &self.input[..];
        let step = self.endpoint.receive(now, &mut rest);
        let used = self.input.len() - rest.len();
        self.input.drain(..used);
        let handled = self.endpoint.handled();
        let len = usize::try_from(handled - self.handled).unwrap_or(usize::MAX);
        self.handled = handled;
        let bytes: Vec<u8> = self.unhandled.drain(..len).collect();
        let packets = self.tap.handed(ctx, &bytes)?;
        Ok(Received { step, packets })
    }

    pub(super) const fn owns_session(&self) -> bool {
        self.is_accepted || matches!(self.side, Side::Client)
    }
}
