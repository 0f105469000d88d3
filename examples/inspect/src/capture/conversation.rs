//! One MQTT conversation: what either side sends, in the order in which it was captured.

use core::net::SocketAddr;

use mqtt_sansio::Options;
use mqtt_sansio::any;
use mqtt_sansio::v3::{self, DecodeError};
use serde_json::Value;

use super::exchange::Exchange;
use super::ladder::summary;
use super::stream::{Arrival, Network, Piece};
use crate::json;

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

/// Of a pair, what belongs to each side.
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

/// What there is to say about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// It answers a packet of the other side, which had been sent this many nanoseconds before.
    Answers { what: String, after: u64 },
    /// What the standard allows, but deserves attention.
    Remark(String),
    /// What the standard forbids.
    Violation {
        by: Side,
        what: String,
        statement: Option<&'static str>,
    },
}

impl Note {
    pub(crate) fn violation(by: Side, statement: &'static str, what: impl Into<String>) -> Self {
        Self::Violation {
            by,
            what: what.into(),
            statement: Some(statement),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Kind {
    Packet {
        name: &'static str,
        length: u64,
        /// What is in it, in a line.
        summary: String,
        /// What is in it, for programs.
        fields: Vec<(&'static str, Value)>,
    },
    /// The decoder cannot read the rest of what this side sends.
    Malformed,
    /// What the transport does, or does not.
    Transport(&'static str),
    /// So many bytes are missing.
    Missing(u64),
    /// So many bytes were skipped to find the beginning of a packet.
    Skipped(u64),
    /// Time has passed.
    Deadline,
}

/// A rung of the ladder.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Nanoseconds since the capture starts.
    pub(crate) time: u64,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    pub(crate) notes: Vec<Note>,
}

/// Which set of packets a conversation is in.
enum Protocol {
    /// MQTT 3.1 and 3.1.1.
    V3(Sides<Reader>),
    /// A Protocol Level that cannot be decoded.
    Unknown,
}

/// What one side sends, as packets.
struct Reader {
    decoder: v3::Decoder<Vec<u8>>,
    state: State,
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
    /// The Protocol Level of CONNECT, if there is one.
    pub(crate) level: Option<u8>,
    pub(crate) client_id: Option<String>,
    pub(crate) network: Network,
    pub(crate) entries: Vec<Entry>,
    /// What nobody has answered by the end of the capture.
    pub(crate) unanswered: Vec<String>,
    protocol: Protocol,
    exchange: Exchange,
    options: Options,
    start: u64,
}

impl Conversation {
    pub(crate) fn new(
        client: SocketAddr,
        server: SocketAddr,
        level: Option<u8>,
        options: Options,
        start: u64,
    ) -> Self {
        let reader = || Reader {
            decoder: v3::Decoder::with_options(Vec::new(), options),
            state: State::Lost,
        };
        Self {
            client,
            server,
            level,
            client_id: None,
            network: Network::default(),
            entries: Vec::new(),
            unanswered: Vec::new(),
            protocol: match level {
                // Without CONNECT: a capture that starts within a connection.
                None | Some(3 | 4) => Protocol::V3(Sides {
                    client: reader(),
                    server: reader(),
                }),
                Some(_) => Protocol::Unknown,
            },
            exchange: Exchange::default(),
            options,
            start,
        }
    }

    pub(crate) fn has_violations(&self) -> bool {
        let mut notes = self.entries.iter().flat_map(|entry| &entry.notes);
        notes.any(|note| matches!(note, Note::Violation { .. }))
    }

    /// Whether the packets can be read.
    pub(crate) const fn is_decoded(&self) -> bool {
        matches!(self.protocol, Protocol::V3(_))
    }

    pub(crate) fn arrive(&mut self, side: Side, arrival: Arrival) {
        let time = arrival.time.saturating_sub(self.start);
        self.pass_time(time);
        let kind = match arrival.piece {
            Piece::Opened => {
                if let Protocol::V3(readers) = &mut self.protocol {
                    readers.of_mut(side).state = State::Decoding;
                }
                self.exchange.opened(side);
                return;
            }
            Piece::Data(data) => {
                self.read(time, side, &data);
                return;
            }
            Piece::Missing(count) => {
                if let Protocol::V3(readers) = &mut self.protocol {
                    readers.of_mut(side).state = State::Lost;
                }
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

    /// The end of the capture.
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

    fn read(&mut self, time: u64, side: Side, mut data: &[u8]) {
        let Protocol::V3(readers) = &mut self.protocol else {
            return;
        };
        let reader = readers.of_mut(side);
        match reader.state {
            State::Failed => return,
            State::Lost if !starts_with_a_packet(data, self.options) => {
                let count = data.len() as u64;
                self.push(time, side, Kind::Skipped(count), Vec::new());
                return;
            }
            State::Lost => {
                reader.decoder = v3::Decoder::with_options(Vec::new(), self.options);
                reader.state = State::Decoding;
            }
            State::Decoding => {}
        }
        loop {
            let before = reader.decoder.position();
            match reader.decoder.decode(&mut data) {
                Ok(Some(packet)) => {
                    if let v3::Packet::Connect(connect) = &packet {
                        let connect = connect.to_connect();
                        self.client_id = Some(connect.client_id.as_str().to_owned());
                    }
                    let notes = self.exchange.packet(time, side, &packet);
                    let name = packet.packet_type().name();
                    let (summary, fields) =
                        (summary(&packet), json::fields(&any::Packet::V3(packet)));
                    let length = reader.decoder.position().saturating_sub(before);
                    self.entries.push(Entry {
                        time,
                        side,
                        kind: Kind::Packet {
                            name,
                            length,
                            summary,
                            fields,
                        },
                        notes,
                    });
                }
                Ok(None) => return,
                Err(error) => {
                    reader.state = State::Failed;
                    let notes = vec![malformed(side, &error)];
                    self.push(time, side, Kind::Malformed, notes);
                    return;
                }
            }
        }
    }
}

fn malformed(by: Side, error: &DecodeError) -> Note {
    Note::Violation {
        by,
        what: error.to_string(),
        statement: error.statement(),
    }
}

/// Whether a packet can begin here. Bytes from the middle of a payload are seldom packets to their
/// end.
fn starts_with_a_packet(mut data: &[u8], options: Options) -> bool {
    let mut decoder = v3::Decoder::with_options(Vec::new(), options);
    loop {
        match decoder.decode(&mut data) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// The Protocol Level, if a stream starts with a CONNECT.
pub(crate) fn connect_level(stream: &[u8]) -> Option<u8> {
    let [0x10, rest @ ..] = stream else {
        return None;
    };
    // The last byte of a Remaining Length has its high bit clear.
    let length = rest.iter().take(4).position(|byte| byte & 0x80 == 0)?;
    match rest.get(length.saturating_add(1)..)? {
        [0, 4, b'M', b'Q', b'T', b'T', level, ..] => Some(*level),
        // The high bit is set by bridges.
        [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', level, ..] => Some(*level),
        _ => None,
    }
}
