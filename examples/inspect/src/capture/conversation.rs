//! One MQTT conversation: the packets of both sides, in the order in which they were captured.

use core::net::SocketAddr;

use mqtt_sansio::any::{Protocol, ProtocolVersion};
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use mqtt_sansio::{Options, PacketSet, PacketType, StreamDecoder};

use super::Wanted;
use super::exchange::Exchange;
use super::stream::{Arrival, Network, Piece};
use super::version::{Meaning, Rule, Version};
use crate::json::Fields;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// A pair of values, one for each side.
#[derive(Debug, Default)]
pub(crate) struct Sides<T> {
    client: T,
    server: T,
}

impl<T> Sides<T> {
    pub(crate) const fn of(&self, side: Side) -> &T {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    pub(crate) const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// A note on an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// It answers a packet that the other side sent this many nanoseconds before.
    Answers { what: String, after: u64 },
    /// Something that the standard allows, but that deserves attention.
    Remark(String),
    /// Something that the standard forbids.
    Violation {
        by: Side,
        what: String,
        rule: Option<Broken>,
    },
}

/// The rule of the standard that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A rule about several packets.
    Rule(Rule),
    /// A rule about a single packet: its statement.
    Statement(&'static str),
}

impl Note {
    pub(crate) fn violation(by: Side, rule: Rule, what: impl Into<String>) -> Self {
        Self::Violation {
            by,
            what: what.into(),
            rule: Some(Broken::Rule(rule)),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Kind {
    Packet {
        name: &'static str,
        length: u64,
        /// Its contents, in a line of text.
        summary: String,
        /// Its contents, for JSON.
        fields: Fields,
    },
    /// A packet is malformed, so the rest of this side's bytes cannot be decoded.
    Malformed,
    /// An event of the transport.
    Transport(&'static str),
    /// This many bytes are missing.
    Missing(u64),
    /// This many bytes were skipped to find the beginning of a packet.
    Skipped(u64),
    /// A deadline has passed.
    Deadline,
}

/// An entry of the conversation.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Nanoseconds since the capture starts.
    pub(crate) time: u64,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) notes: Vec<Note>,
}

/// The decoders of both sides, by version.
enum Readers {
    /// MQTT 3.1 and 3.1.1.
    V3(Sides<Reader<V3>>),
    V5(Sides<Reader<V5>>),
    /// A Protocol Level that cannot be decoded.
    Unknown,
}

/// Decodes the packets of one side.
struct Reader<V: PacketSet> {
    decoder: StreamDecoder<V, Vec<u8>>,
    state: State,
    options: Options,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Decoding,
    /// Bytes are missing, or the capture starts within the connection: the next packet may begin
    /// with the next segment.
    Lost,
    /// A packet is malformed.
    Failed,
}

pub(crate) struct Conversation {
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
    /// The protocol that CONNECT names, if there is a CONNECT.
    pub(crate) protocol: Option<Protocol>,
    /// The version that is decoded; `None` for a Protocol Level that cannot be.
    pub(crate) version: Option<ProtocolVersion>,
    pub(crate) client_id: Option<String>,
    pub(crate) network: Network,
    pub(crate) entries: Vec<Entry>,
    /// The packets that were not answered by the end of the capture.
    pub(crate) unanswered: Vec<String>,
    readers: Readers,
    exchange: Exchange,
    start: u64,
}

impl Conversation {
    pub(crate) fn new(
        client: SocketAddr,
        server: SocketAddr,
        protocol: Option<Protocol>,
        wanted: &Wanted,
        start: u64,
    ) -> Self {
        // Without CONNECT: a capture that starts within a connection.
        let version = protocol.map_or(Some(wanted.version), Protocol::version);
        Self {
            client,
            server,
            protocol,
            version,
            client_id: None,
            network: Network::default(),
            entries: Vec::new(),
            unanswered: Vec::new(),
            readers: match version {
                Some(ProtocolVersion::V3) => Readers::V3(Reader::both(wanted.options)),
                Some(ProtocolVersion::V5) => Readers::V5(Reader::both(wanted.options)),
                None => Readers::Unknown,
            },
            // MQTT 5 forbids what MQTT 3.1.1 leaves open.
            exchange: Exchange::new(version != Some(ProtocolVersion::V5)),
            start,
        }
    }

    pub(crate) fn has_violations(&self) -> bool {
        let mut notes = self.entries.iter().flat_map(|entry| &entry.notes);
        notes.any(|note| matches!(note, Note::Violation { .. }))
    }

    pub(crate) fn arrive(&mut self, side: Side, arrival: Arrival) {
        let time = arrival.time.saturating_sub(self.start);
        self.pass_time(time);
        let kind = match arrival.piece {
            Piece::Opened => {
                self.readers.set_state(side, State::Decoding);
                self.exchange.opened(side);
                return;
            }
            Piece::Data(data) => {
                self.read(time, side, &data);
                return;
            }
            Piece::Missing(count) => {
                self.readers.set_state(side, State::Lost);
                self.exchange.miss();
                Kind::Missing(count)
            }
            Piece::Finished => Kind::Transport("closes the connection"),
            Piece::Reset => Kind::Transport("resets the connection"),
        };
        let notes = match kind {
            Kind::Transport(_) => self.exchange.closed(time, side),
            _ => Vec::new(),
        };
        self.push(time, side, kind, notes);
    }

    /// Handles the end of the capture.
    pub(crate) fn end(&mut self, time: u64) {
        self.pass_time(time.saturating_sub(self.start));
        self.unanswered = self.exchange.unanswered();
    }

    fn pass_time(&mut self, now: u64) {
        for (time, note) in self.exchange.pass_time(now) {
            self.push(time, Side::Client, Kind::Deadline, vec![note]);
        }
    }

    fn push(&mut self, time: u64, side: Side, kind: Kind, notes: Vec<Note>) {
        self.entries.push(Entry {
            time,
            side,
            kind,
            notes,
        });
    }

    fn read(&mut self, time: u64, side: Side, data: &[u8]) {
        let Self {
            readers,
            exchange,
            entries,
            client_id,
            ..
        } = self;
        let report = |kind, notes| {
            entries.push(Entry {
                time,
                side,
                kind,
                notes,
            });
        };
        let listen = |packet_type, meaning: &Meaning| {
            if let Meaning::Connect { client_id: id, .. } = meaning {
                *client_id = Some(id.clone());
            }
            exchange.packet(time, side, packet_type, meaning)
        };
        match readers {
            Readers::V3(readers) => readers.of_mut(side).read(side, data, listen, report),
            Readers::V5(readers) => readers.of_mut(side).read(side, data, listen, report),
            Readers::Unknown => {}
        }
    }

    /// Returns the statement that is broken.
    pub(crate) fn statement(&self, broken: Broken) -> Option<&'static str> {
        match (broken, &self.readers) {
            (Broken::Statement(statement), _) => Some(statement),
            (Broken::Rule(rule), Readers::V5(_)) => V5::statement_of(rule),
            (Broken::Rule(rule), _) => V3::statement_of(rule),
        }
    }
}

impl Readers {
    const fn set_state(&mut self, side: Side, state: State) {
        match self {
            Self::V3(readers) => readers.of_mut(side).state = state,
            Self::V5(readers) => readers.of_mut(side).state = state,
            Self::Unknown => {}
        }
    }
}

impl<V: Version> Reader<V> {
    fn both(options: Options) -> Sides<Self> {
        let reader = || Self {
            decoder: StreamDecoder::with_options(Vec::new(), options),
            state: State::Lost,
            options,
        };
        Sides {
            client: reader(),
            server: reader(),
        }
    }

    /// Reports the packets that end in `data`, with the notes that `listen` has on each.
    fn read(
        &mut self,
        side: Side,
        mut data: &[u8],
        mut listen: impl FnMut(PacketType, &Meaning) -> Vec<Note>,
        mut report: impl FnMut(Kind, Vec<Note>),
    ) {
        match self.state {
            State::Failed => return,
            State::Lost if !self.starts_with_a_packet(data) => {
                report(Kind::Skipped(data.len() as u64), Vec::new());
                return;
            }
            State::Lost => {
                self.decoder = StreamDecoder::with_options(Vec::new(), self.options);
                self.state = State::Decoding;
            }
            State::Decoding => {}
        }
        loop {
            let before = self.decoder.position();
            match self.decoder.decode(&mut data) {
                Ok(Some(packet)) => {
                    let packet_type = V::packet_type(&packet);
                    let notes = listen(packet_type, &V::meaning(&packet));
                    let (summary, fields) = (V::summary(&packet), V::fields(&packet));
                    let kind = Kind::Packet {
                        name: packet_type.name(),
                        length: self.decoder.position().saturating_sub(before),
                        summary,
                        fields,
                    };
                    report(kind, notes);
                }
                Ok(None) => return,
                Err(error) => {
                    self.state = State::Failed;
                    let note = Note::Violation {
                        by: side,
                        what: error.to_string(),
                        rule: error.statement().map(Broken::Statement),
                    };
                    report(Kind::Malformed, vec![note]);
                    return;
                }
            }
        }
    }

    /// Returns true if `data` decodes without an error, as bytes from the middle of a payload seldom do.
    fn starts_with_a_packet(&self, mut data: &[u8]) -> bool {
        let mut decoder: StreamDecoder<V, _> =
            StreamDecoder::with_options(Vec::new(), self.options);
        loop {
            match decoder.decode(&mut data) {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}
