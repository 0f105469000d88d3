//! A connection with everything that belongs to it and to no other.

use std::collections::{BTreeSet, VecDeque};

use mqtt_sansio::v3::{Decoder, PublishHeader};
use mqtt_sansio::{Config, Options, PacketId, Piece, Timestamp};

use super::context::Context;
use super::endpoint::{Endpoint, Incoming};
use super::link::Socket;
use super::plan::Side;
use super::wire::Tap;

/// What the server's application has been asked and has not answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request {
    Connect { clean: bool },
    Subscribe { filters: usize },
    Unsubscribe,
}

pub(crate) struct Connection {
    pub(super) endpoint: Endpoint,
    pub(super) decoder: Decoder<Box<[u8]>>,
    pub(super) socket: Socket,
    pub(super) tap: Tap,
    pub(super) window: u16,
    /// Bytes that have come and are not decoded.
    pub(super) input: Vec<u8>,
    /// What is decoded and could not be dealt with yet.
    pub(super) held: Option<Incoming>,
    /// Bytes that have been encoded and have not left.
    pub(super) out: Vec<u8>,
    /// The message that is coming in pieces, as far as it has come.
    pub(super) gathering: Option<(PublishHeader<Vec<u8>>, Vec<u8>)>,
    /// What is left of the payload that is being sent in pieces.
    pub(super) sending: Option<Vec<u8>>,
    pub(super) resends: VecDeque<PacketId>,
    pub(super) request: Option<Request>,
    /// Client: requests that have not been answered.
    pub(super) requests: BTreeSet<PacketId>,
    /// Server: what has to become of the Will.
    pub(super) has_will: bool,
    pub(super) disconnected: bool,
    pub(super) last_received: Timestamp,
    pub(super) clock: Timestamp,
    pub(super) is_accepted: bool,
    pub(super) closed: bool,
}

impl Connection {
    pub(super) fn new(
        ctx: &mut Context,
        side: Side,
        endpoint: impl FnOnce(Config, Timestamp) -> Endpoint,
        socket: Socket,
    ) -> Self {
        let plan = ctx.plan.side(side).clone();
        let window = match plan.window {
            most if plan.window_varies => ctx.rng.u16(1..=most.min(8)),
            most => most,
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
        ctx.stats.connections += 1;
        Self {
            endpoint: endpoint(config, now),
            decoder: Decoder::with_options(memory, Options::new()),
            socket,
            tap: Tap::new(side, window),
            window,
            input: Vec::new(),
            held: None,
            out: Vec::new(),
            gathering: None,
            sending: None,
            resends: VecDeque::new(),
            request: None,
            requests: BTreeSet::new(),
            has_will: false,
            disconnected: false,
            last_received: now,
            clock: now,
            is_accepted: false,
            closed: false,
        }
    }

    /// The time for the next call. The library's clock does not go back.
    pub(super) fn now(&mut self, ctx: &mut Context) -> Timestamp {
        let now = ctx.now();
        self.clock = self.clock.max(now);
        now
    }

    /// The next thing that the decoder makes of what has come.
    pub(super) fn decode(&mut self, ctx: &mut Context, in_pieces: bool) -> Option<Incoming> {
        let mut rest = &self.input[..];
        let decoded = if in_pieces {
            self.decoder.decode_in_pieces(&mut rest).map(|piece| {
                piece.map(|piece| match piece {
                    Piece::Packet(packet) => Incoming::Packet(packet.to_owned()),
                    Piece::PublishHeader(header) => Incoming::Header(header.to_owned()),
                    Piece::Payload { bytes, left } => Incoming::Payload {
                        bytes: bytes.to_vec(),
                        left,
                    },
                })
            })
        } else {
            let packet = self.decoder.decode(&mut rest);
            packet.map(|packet| packet.map(|packet| Incoming::Packet(packet.to_owned())))
        };
        let used = self.input.len() - rest.len();
        self.input.drain(..used);
        match decoded {
            Ok(incoming) => incoming,
            Err(error) => {
                ctx.note("", format_args!("{error}"));
                let now = self.now(ctx);
                self.endpoint.handle_decode_error(now, error);
                None
            }
        }
    }

    pub(super) const fn owns_session(&self) -> bool {
        self.is_accepted || matches!(self.endpoint, Endpoint::Client(_))
    }
}
