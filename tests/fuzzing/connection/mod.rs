//! Arbitrary sequences of commands, packets, bytes, clock changes, closings and resumptions on one side of a
//! connection of MQTT 3.1.1, of MQTT 5, or of a server of any version. The peer obeys no rules. `model.rs`,
//! `expect.rs` and `agreed.rs` predict each effect, and everything is compared. Packets and events have one
//! shape for all versions (`wire.rs`, `steps.rs`).
//!
//! In `tests/simulation` both peers obey the standard, and the link is bad.

mod actions;
mod agreed;
mod commands;
pub(super) mod endpoint;
mod expect;
mod inputs;
mod model;
pub(super) mod packets;
pub(super) mod reader;
pub(super) mod steps;
pub(super) mod wire;

use std::collections::{BTreeMap, VecDeque};

use arbitrary::Unstructured;
use mqtt_sansio::any::ProtocolVersion;
use mqtt_sansio::v5::{AliasVec, ConnAckProperties, OutboundAliases};
use mqtt_sansio::{Config, PacketId, PacketType, QoS, Session, Timestamp};

use super::input::{bit, byte};
use crate::simulation::check;
use crate::simulation::plan::{Room, Side, Storage};
use agreed::ALIASES_OUT;
use endpoint::{Endpoint, Kind};
use model::{Model, Received, Sent, Setup, Stage, State};
use reader::{Incoming, Reader};
use steps::Reason;
use wire::Packet;

pub fn client(data: &[u8]) {
    run(Side::Client, data);
}

pub fn server(data: &[u8]) {
    run(Side::Server, data);
}

/// More steps take long and find little.
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

/// The session that the server has kept for its client.
struct Kept {
    session: Session<Storage>,
    outbound: Vec<Sent>,
    inbound: BTreeMap<PacketId, Received>,
}

struct World<'a> {
    u: Unstructured<'a>,
    config: Config,
    rooms: (Room, Room),
    decoding: reader::Setup,
    resends_late: bool,
    model: Model,
    kept: Option<Kept>,
    /// The session after all journalled changes.
    journal: Session<Storage>,

    // The connection
    endpoint: Endpoint,
    /// Bytes that the peer sent and that were not delivered.
    on_the_way: Vec<u8>,
    /// Delivered bytes that are not decoded, and decoded bytes for the connection.
    input: Vec<u8>,
    fed: Vec<u8>,
    reader: Reader,
    /// The decoded form of `fed`.
    held: Option<Incoming>,
    /// The bytes that the connection sent, decoded strictly: those of an incomplete packet, and the
    /// complete packets.
    strict: Reader,
    sent: Vec<u8>,
    out: Vec<u8>,
    expected: VecDeque<Vec<u8>>,
    aliases: OutboundAliases<AliasVec>,
    /// The rest of the payload that is being sent in pieces.
    sending: Vec<u8>,
    resends: VecDeque<PacketId>,
    reason: Option<Reason>,
    is_closed: bool,
    may_ping: bool,
    discards_will: bool,

    clock: u64,
    skew: u64,
    /// The latest time that the connection was given. Its clock does not go back.
    given: Timestamp,
    /// The time of the last call. The connection's clock is between the two: it has not seen the time of a
    /// call that it refused.
    called: Timestamp,
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
        let kind = Kind {
            side,
            version: if (switches + 64) & 128 == 0 {
                ProtocolVersion::V3
            } else {
                ProtocolVersion::V5
            },
            any: on(128) && side == Side::Server,
        };
        let setup = Setup {
            kind,
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
        let decoding = reader::Setup {
            memory: if receives_pieces { 48 } else { 512 },
            in_pieces: receives_pieces,
            is_strict: false,
        };
        let clock = 1_000_000;
        let session = empty(rooms);
        Self {
            u: std::mem::replace(u, Unstructured::new(&[])),
            config,
            rooms,
            decoding,
            resends_late: on(16),
            model: Model::new(setup),
            kept: None,
            journal: empty(rooms),
            endpoint: Endpoint::new(
                kind,
                session,
                config,
                Timestamp::from_millis(clock),
                decoding,
            ),
            on_the_way: Vec::new(),
            input: Vec::new(),
            fed: Vec::new(),
            reader: reader(kind, decoding),
            held: None,
            strict: strict(kind.version),
            sent: Vec::new(),
            out: Vec::new(),
            expected: VecDeque::new(),
            aliases: outbound_aliases(),
            sending: Vec::new(),
            resends: VecDeque::new(),
            reason: None,
            is_closed: false,
            may_ping: false,
            discards_will: false,
            clock,
            skew: 0,
            given: Timestamp::from_millis(clock),
            called: Timestamp::from_millis(clock),
            last_received: clock,
            number: 0,
        }
    }

    fn kind(&self) -> Kind {
        self.model.setup.kind
    }

    /// Returns the time for the next call, which may have been set back.
    fn now(&mut self) -> Timestamp {
        let skew = std::mem::take(&mut self.skew);
        let now = Timestamp::from_millis(self.clock - skew);
        self.given = self.given.max(now);
        self.called = now;
        now
    }

    /// Performs one arbitrary step.
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

    /// Begins a connection with the session of the one before. If it `restarts`, the session comes
    /// from storage.
    fn renew(&mut self, restarts: bool) {
        // Changes at the end of the connection are to be stored.
        let clears = self.model.setup.journal
            && self.model.session_ends
            && self.model.state == State::Requested;
        if self.model.state != State::Over && (bit(&mut self.u) || clears) {
            let now = self.now();
            self.endpoint.handle_transport_closed(now);
            self.is_over(Reason::TransportClosed);
            self.drain();
        }
        let owns_session = self.owns_session();
        let mut restarts = restarts;
        if self.kind().any {
            // The session comes from storage only.
            let now = self.now();
            self.endpoint.close(now);
            restarts = true;
        }
        self.model.end();
        self.reconfigure();
        let now = self.now();
        self.given = now;
        let next = self.new_endpoint(empty(self.rooms), now);
        let before = std::mem::replace(&mut self.endpoint, next);
        let session_ended = self.model.session_ends;
        self.model.begin_connection();
        if owns_session {
            let session = self.next_session(before, restarts && !session_ended);
            let is_kept = !self.model.is_server() || !session_ended;
            let (outbound, inbound) = (&mut self.model.outbound, &mut self.model.inbound);
            self.kept = is_kept.then(|| Kept {
                session,
                outbound: std::mem::take(outbound),
                inbound: std::mem::take(inbound),
            });
        }
        if !self.model.is_server() {
            let kept = self.kept.take().expect("a client always has one");
            let now = self.now();
            self.endpoint = self.new_endpoint(kept.session, now);
            (self.model.outbound, self.model.inbound) = (kept.outbound, kept.inbound);
        }
        self.on_the_way.clear();
        self.input.clear();
        self.fed.clear();
        self.reader = reader(self.kind(), self.decoding);
        self.held = None;
        self.strict = strict(self.kind().version);
        self.sent.clear();
        self.out.clear();
        self.expected.clear();
        self.aliases = outbound_aliases();
        self.sending.clear();
        self.resends.clear();
        self.reason = None;
        self.is_closed = false;
        self.may_ping = false;
        self.discards_will = false;
        self.last_received = self.clock;
        self.drain();
    }

    fn new_endpoint(&self, session: Session<Storage>, now: Timestamp) -> Endpoint {
        Endpoint::new(self.kind(), session, self.config, now, self.decoding)
    }

    /// Sometimes the next connection has another window, or acknowledges in another way.
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

    /// Returns the session for the next connection. A restart loses what was not stored.
    fn next_session(&mut self, before: Endpoint, restarts: bool) -> Session<Storage> {
        let (outbound, inbound) = self.rooms;
        if !restarts {
            return before.into_session().unwrap_or_else(|| empty(self.rooms));
        }
        let kept = |stage: Stage, code: u8| match stage {
            Stage::Delivered => false,
            // Only a saved session contains the acknowledgement: the journal records it when PUBREC is
            // sent. A refused message arrives again.
            Stage::Acknowledged => !self.model.setup.journal && code < 0x80,
            Stage::Received => true,
        };
        let has_journal = self.model.setup.journal;
        for held in self.model.inbound.values_mut() {
            if has_journal && held.is_in_journal() {
                held.stage = Stage::Received;
            }
        }
        self.model
            .inbound
            .retain(|_, held| kept(held.stage, held.code));
        for held in self.model.inbound.values_mut() {
            held.code = 0;
        }
        for message in &mut self.model.outbound {
            message.is_asked = false;
        }
        let saved = if self.model.setup.journal {
            self.journal.save_to_vec()
        } else {
            match self.kind().any {
                true => before.session().save_to_vec(),
                false => before.into_session().expect("it has one").save_to_vec(),
            }
        };
        Session::restore(&saved, outbound.storage(), inbound.storage()).expect("it was saved")
    }

    /// The session belongs to the client only once the client was accepted.
    fn owns_session(&self) -> bool {
        !self.model.is_server() || self.was_accepted()
    }

    /// True after CONNACK, also once the connection has ended.
    fn was_accepted(&self) -> bool {
        self.model.was_accepted
    }

    /// Establishes a connection in the fewest steps.
    fn get_connected(&mut self) {
        if self.model.state == State::Over {
            self.renew(false);
        }
        if self.model.is_server() {
            let connect = packets::connect(&mut self.u, self.model.version);
            self.peer_sends(&Packet::Connect(connect));
            self.open();
        } else {
            self.open();
            let session_present = !self.model.clean_start && byte(&mut self.u) < 200;
            let properties = packets::connack_properties(&mut self.u, self.model.version);
            self.peer_sends(&Packet::ConnAck {
                session_present,
                code: 0,
                properties,
            });
        }
    }

    /// Acknowledges whatever the peer has to acknowledge next.
    fn peer_acknowledges(&mut self) {
        let Some(message) = self.model.outbound.iter().find(|message| message.is_sent) else {
            return;
        };
        let packet_type = match (message.released, message.message.qos) {
            (true, _) => PacketType::PubComp,
            (_, QoS::ExactlyOnce) => PacketType::PubRec,
            _ => PacketType::PubAck,
        };
        self.peer_sends(&Packet::ack(packet_type, message.id, 0));
    }

    /// In any state, a peer that obeys the standard completes everything.
    fn finish(mut self) {
        self.u = Unstructured::new(&[]);
        self.renew(false);
        let connect = packets::resuming(self.model.version);
        if self.model.is_server() {
            self.peer_sends(&Packet::Connect(connect));
            self.accept(true, &ConnAckProperties::default());
        } else {
            self.connect(&connect);
            self.peer_sends(&Packet::connack(true, 0));
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
                let pubrel = Packet::ack(PacketType::PubRel, *id, 0);
                self.peer_sends(&pubrel);
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
        let side = self.kind().side;
        if let Some(session) = self.endpoint.into_session() {
            check::slots(side, session, outbound, inbound)
                .unwrap_or_else(|failure| panic!("{}", failure.0));
        }
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

fn reader(kind: Kind, setup: reader::Setup) -> Reader {
    if kind.any {
        Reader::undecided(kind.version, setup)
    } else {
        Reader::new(kind.version, setup)
    }
}

/// A decoder for the bytes that the connection sends.
fn strict(version: ProtocolVersion) -> Reader {
    let setup = reader::Setup {
        memory: 512,
        in_pieces: true,
        is_strict: true,
    };
    Reader::new(version, setup)
}

const fn outbound_aliases() -> OutboundAliases<AliasVec> {
    OutboundAliases::new(AliasVec::new(ALIASES_OUT))
}
