//! Arbitrary sequences of commands, packets, bytes, clock moves, closings and resumptions, from a
//! peer that keeps to nothing, on one side of a connection. `model.rs` says what has to come of each
//! of them, and all of it is compared.
//!
//! The two peers of `tests/simulation` keep to the standard; there it is the link that is bad.

mod actions;
mod commands;
mod endpoint;
mod inputs;
mod model;
mod packets;

use std::collections::{BTreeMap, VecDeque};

use arbitrary::Unstructured;
use mqtt_sansio::v3::{
    Client, CloseReason, ConnAck, Connect, Decoder, Packet, PubAck, PubComp, PubRec, PubRel, Server,
};
use mqtt_sansio::{Config, Options, PacketId, QoS, Session, Text, Timestamp};

use super::input::{bit, byte};
use crate::simulation::check;
use crate::simulation::plan::{Room, Side, Storage};
use endpoint::{Endpoint, Incoming};
use model::{Model, Received, Sent, Setup, Stage, State};

pub fn client(data: &[u8]) {
    run(Side::Client, data);
}

pub fn server(data: &[u8]) {
    run(Side::Server, data);
}

/// More would take long and find little.
const MOST_STEPS: usize = 400;

fn run(side: Side, data: &[u8]) {
    let mut world = World::new(side, Unstructured::new(data));
    for _ in 0..MOST_STEPS {
        if world.u.is_empty() {
            break;
        }
        world.step();
    }
    world.finish();
}

/// What the server has kept for its client.
struct Kept {
    session: Session<Storage>,
    outbound: Vec<Sent>,
    inbound: BTreeMap<PacketId, Received>,
}

struct World<'a> {
    u: Unstructured<'a>,
    config: Config,
    rooms: (Room, Room),
    memory: usize,
    receives_pieces: bool,
    resends_late: bool,
    model: Model,
    kept: Option<Kept>,
    /// The session that the journal leads to.
    journal: Session<Storage>,

    // The connection
    endpoint: Endpoint,
    decoder: Decoder<Box<[u8]>>,
    /// Bytes that the peer has sent and that have not come.
    on_the_way: Vec<u8>,
    input: Vec<u8>,
    held: Option<Incoming>,
    /// What the connection has sent, read again strictly, and what it has to be.
    sent: Decoder<Vec<u8>>,
    out: Vec<u8>,
    expected: VecDeque<Packet<Vec<u8>>>,
    /// What is left of the payload that is being sent in pieces.
    sending: Vec<u8>,
    resends: VecDeque<PacketId>,
    reason: Option<CloseReason>,
    is_closed: bool,
    may_ping: bool,
    has_disconnected: bool,

    clock: u64,
    skew: u64,
    /// The latest time that the connection was given: its clock does not go back.
    given: Timestamp,
    last_received: u64,
    number: u8,
}

impl<'a> World<'a> {
    fn new(side: Side, mut u: Unstructured<'a>) -> Self {
        let u = &mut u;
        let switches = byte(u);
        let on = |bit: usize| switches & bit != 0;
        let window = window(byte(u));
        let receive_maximum = [1, 2, 4, 1024][byte(u) % 4];
        let rooms = (room(byte(u)), room(byte(u)));
        let setup = Setup {
            side,
            manual: on(1),
            journal: on(2),
            early: on(4),
            resends_without_dup: on(32),
            window,
            receive_maximum,
            outbound_slots: rooms.0.slots(),
            inbound_slots: rooms.1.slots(),
        };
        let config = Config::new()
            .max_inflight(window)
            .receive_maximum(receive_maximum)
            .manual_acknowledgement(setup.manual)
            .journal(setup.journal)
            .send_before_connack(setup.early)
            .accept_resend_without_dup(setup.resends_without_dup)
            .connect_timeout(core::time::Duration::from_millis(5_000))
            .ping_timeout(core::time::Duration::from_millis(3_000));
        let receives_pieces = on(8);
        let memory = if receives_pieces { 48 } else { 512 };
        let clock = 1_000_000;
        let session = empty(rooms);
        Self {
            u: std::mem::replace(u, Unstructured::new(&[])),
            config,
            rooms,
            memory,
            receives_pieces,
            resends_late: on(16),
            model: Model::new(setup),
            kept: None,
            journal: empty(rooms),
            endpoint: endpoint(side, session, config, Timestamp::from_millis(clock)),
            decoder: decoder(memory),
            on_the_way: Vec::new(),
            input: Vec::new(),
            held: None,
            sent: strict_decoder(),
            out: Vec::new(),
            expected: VecDeque::new(),
            sending: Vec::new(),
            resends: VecDeque::new(),
            reason: None,
            is_closed: false,
            may_ping: false,
            has_disconnected: false,
            clock,
            skew: 0,
            given: Timestamp::from_millis(clock),
            last_received: clock,
            number: 0,
        }
    }

    fn side(&self) -> Side {
        self.model.setup.side
    }

    /// The time for the next call, which may have been set back.
    fn now(&mut self) -> Timestamp {
        let skew = std::mem::take(&mut self.skew);
        let now = Timestamp::from_millis(self.clock - skew);
        self.given = self.given.max(now);
        now
    }

    /// Any one thing that may happen next.
    fn step(&mut self) {
        match byte(&mut self.u) % 40 {
            0..12 => {
                let packet = packets::packet(&mut self.u, &self.model);
                self.peer_sends(&packet);
            }
            12 => {
                let most = self.u.len().min(byte(&mut self.u) % 32);
                let bytes = self.u.bytes(most).unwrap_or_default();
                self.on_the_way.extend(bytes);
                self.arrive();
            }
            13 => self.arrive(),
            14..19 => self.publish(),
            19..21 => self.send_piece(),
            21 => self.resend_next(),
            22 => self.resend_any(),
            23..25 => self.acknowledge(),
            25 => self.forget(),
            26 => self.request(),
            27..29 => self.answer(),
            29 => self.open(),
            30 => self.end(),
            31 => self.clock += 1 << (byte(&mut self.u) % 18),
            32 => self.skew = byte(&mut self.u) as u64 * 2,
            33 => self.look_at_clock(),
            34 => self.go_to_deadline(),
            35..37 => {
                let restarts = bit(&mut self.u);
                self.renew(restarts);
            }
            37 => self.get_connected(),
            38 => self.progress(),
            _ => self.peer_acknowledges(),
        }
    }

    /// A new connection, with the session of the one before; `restarts`: by way of what is stored.
    fn renew(&mut self, restarts: bool) {
        if self.model.state != State::Over && bit(&mut self.u) {
            let now = self.now();
            self.endpoint.handle_transport_closed(now);
            self.is_over(CloseReason::TransportClosed);
            self.drain();
        }
        let owns_session = self.owns_session();
        self.model.end();
        self.reconfigure();
        let now = self.now();
        self.given = now;
        let next = endpoint(self.side(), empty(self.rooms), self.config, now);
        let session = std::mem::replace(&mut self.endpoint, next).into_session();
        let was_clean = self.model.is_clean;
        self.model.begin_connection();
        if owns_session {
            let session = self.next_session(session, restarts && !was_clean);
            let (outbound, inbound) = (&mut self.model.outbound, &mut self.model.inbound);
            self.kept = (self.model.setup.side == Side::Client || !was_clean).then(|| Kept {
                session,
                outbound: std::mem::take(outbound),
                inbound: std::mem::take(inbound),
            });
        }
        if self.side() == Side::Client {
            let kept = self.kept.take().expect("a client always has one");
            let now = self.now();
            self.endpoint = endpoint(Side::Client, kept.session, self.config, now);
            (self.model.outbound, self.model.inbound) = (kept.outbound, kept.inbound);
        }
        self.decoder = decoder(self.memory);
        self.sent = strict_decoder();
        self.on_the_way.clear();
        self.input.clear();
        self.held = None;
        self.out.clear();
        self.expected.clear();
        self.sending.clear();
        self.resends.clear();
        self.reason = None;
        self.is_closed = false;
        self.may_ping = false;
        self.has_disconnected = false;
        self.last_received = self.clock;
        self.drain();
    }

    /// Now and then the next connection has another window, or acknowledges otherwise.
    fn reconfigure(&mut self) {
        let choice = byte(&mut self.u);
        if choice >= 192 {
            let setup = &mut self.model.setup;
            setup.manual = choice & 1 != 0;
            setup.window = window(choice >> 1);
            let config = self.config.manual_acknowledgement(setup.manual);
            self.config = config.max_inflight(setup.window);
        }
    }

    /// The session for the next connection. A restart takes what was not stored.
    fn next_session(&mut self, session: Session<Storage>, restarts: bool) -> Session<Storage> {
        let (outbound, inbound) = self.rooms;
        if !restarts {
            return session;
        }
        let kept = |stage: Stage| match stage {
            Stage::Delivered => false,
            // Said by a saved session only: the journal speaks when PUBREC leaves.
            Stage::Acknowledged => !self.model.setup.journal,
            Stage::Received => true,
        };
        self.model.inbound.retain(|_, held| kept(held.stage));
        for message in &mut self.model.outbound {
            message.is_asked = false;
        }
        let saved = if self.model.setup.journal {
            self.journal.save_to_vec()
        } else {
            session.save_to_vec()
        };
        Session::restore(&saved, outbound.storage(), inbound.storage()).expect("it was saved")
    }

    /// The session of the connection is the client's, not that of somebody who has not been let in.
    fn owns_session(&self) -> bool {
        self.side() == Side::Client || self.was_accepted()
    }

    /// After CONNACK, also once the connection is over.
    fn was_accepted(&self) -> bool {
        self.model.was_accepted
    }

    /// The shortest way to an accepted connection.
    fn get_connected(&mut self) {
        if self.model.state == State::Over {
            self.renew(false);
        }
        if self.side() == Side::Client {
            self.open();
            let session_present = !self.model.is_clean && byte(&mut self.u) < 200;
            let connack = ConnAck::Accepted { session_present };
            self.peer_sends(&Packet::ConnAck(connack));
        } else {
            let connect = packets::connect(&mut self.u);
            self.peer_sends(&Packet::Connect(packets::encoded(&connect)));
            self.open();
        }
    }

    /// Whatever the peer has to acknowledge next.
    fn peer_acknowledges(&mut self) {
        let Some(message) = self.model.outbound.iter().find(|message| message.is_sent) else {
            return;
        };
        let packet_id = message.id;
        let packet = match (message.released, message.qos) {
            (true, _) => Packet::PubComp(PubComp { packet_id }),
            (_, QoS::ExactlyOnce) => Packet::PubRec(PubRec { packet_id }),
            _ => Packet::PubAck(PubAck { packet_id }),
        };
        self.peer_sends(&packet);
    }

    /// However it was left: a peer that keeps to the standard brings it all to its end.
    fn finish(mut self) {
        self.u = Unstructured::new(&[]);
        self.renew(false);
        let connect = Connect {
            clean_session: false,
            ..Connect::new(Text::from_bytes(b"fuzz".to_vec()).expect("a text"))
        };
        if self.side() == Side::Client {
            self.connect(&connect);
            let session_present = true;
            self.peer_sends(&Packet::ConnAck(ConnAck::Accepted { session_present }));
        } else {
            self.peer_sends(&Packet::Connect(packets::encoded(&connect)));
            self.accept(true);
        }
        assert_eq!(self.model.state, State::Connected);
        loop {
            while !self.resends.is_empty() {
                self.resend_next();
            }
            self.acknowledge_all();
            let before = self.model.outbound.len() + self.model.inbound.len();
            if before == 0 {
                break;
            }
            let releases = self.model.outbound.iter().filter(|m| m.released).count();
            self.peer_acknowledges();
            if let Some((id, _)) = self.model.inbound.first_key_value() {
                let packet_id = *id;
                self.peer_sends(&Packet::PubRel(PubRel { packet_id }));
            }
            let after = self.model.outbound.len() + self.model.inbound.len();
            let releases_after = self.model.outbound.iter().filter(|m| m.released).count();
            assert!(
                after < before || releases_after > releases,
                "no progress: {:?}",
                self.model
            );
        }
        assert!(self.endpoint.session().is_empty());
        let (outbound, inbound) = self.rooms;
        check::slots(self.side(), self.endpoint.into_session(), outbound, inbound)
            .unwrap_or_else(|failure| panic!("{}", failure.0));
    }
}

fn window(number: usize) -> u16 {
    [1, 2, 5, u16::MAX][number % 4]
}

fn room(number: usize) -> Room {
    match number {
        0..64 => Room::Heap,
        64..96 => Room::Two,
        96..128 => Room::Eight,
        slots => Room::Slice(1 + slots % 7),
    }
}

fn empty((outbound, inbound): (Room, Room)) -> Session<Storage> {
    Session::new(outbound.storage(), inbound.storage())
}

fn endpoint(side: Side, session: Session<Storage>, config: Config, now: Timestamp) -> Endpoint {
    match side {
        Side::Client => Endpoint::Client(Client::new(session, config, now)),
        Side::Server => Endpoint::Server(Server::new(session, config, now)),
    }
}

fn decoder(memory: usize) -> Decoder<Box<[u8]>> {
    Decoder::new(vec![0; memory].into_boxed_slice())
}

fn strict_decoder() -> Decoder<Vec<u8>> {
    let strict = Options::new().refuse_overlong_remaining_length(true);
    Decoder::with_options(Vec::new(), strict)
}
