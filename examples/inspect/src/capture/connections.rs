//! TCP connections, and which of them speak MQTT.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use mqtt_sansio::any::Protocol;

use super::Wanted;
use super::conversation::{Conversation, Side};
use super::segment::Segment;
use super::stream::{Arrival, Piece, assemble};

/// One TCP connection: the segments of either end, numbered through the capture.
struct Connection {
    ends: [SocketAddr; 2],
    segments: [Vec<(usize, Segment)>; 2],
}

/// All TCP connections of a capture, in the order of their first segments.
#[derive(Default)]
pub(crate) struct Connections {
    all: Vec<Connection>,
    /// The latest connection between two ends, by number.
    latest: BTreeMap<[SocketAddr; 2], usize>,
    segments: usize,
    start: Option<u64>,
    end: u64,
}

impl Connections {
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds a frame, which may contain no segment. `time` is when it was captured.
    pub(crate) fn add(&mut self, time: u64, segment: Option<Segment>) {
        self.start = Some(self.start.map_or(time, |start| start.min(time)));
        self.end = self.end.max(time);
        let Some(segment) = segment else { return };
        let mut ends = [segment.from, segment.to];
        ends.sort_unstable();
        let from = usize::from(ends.first() != Some(&segment.from));
        let latest = self.latest.get(&ends).copied();
        let latest = latest.filter(|&number| {
            let connection = self.all.get(number);
            connection.is_some_and(|connection| !connection.is_followed_by(from, &segment))
        });
        let number = latest.unwrap_or_else(|| {
            self.all.push(Connection {
                ends,
                segments: [Vec::new(), Vec::new()],
            });
            self.all.len().saturating_sub(1)
        });
        self.latest.insert(ends, number);
        let connection = self.all.get_mut(number);
        if let Some(segments) = connection.and_then(|all| all.segments.get_mut(from)) {
            segments.push((self.segments, segment));
        }
        self.segments = self.segments.saturating_add(1);
    }

    /// Returns the bytes that each end sends to the other, and the number of missing bytes.
    pub(crate) fn streams(self) -> impl Iterator<Item = (SocketAddr, SocketAddr, Vec<u8>, u64)> {
        self.all.into_iter().flat_map(|connection| {
            let [a, b] = connection.ends;
            let [of_a, of_b] = connection.segments;
            [(a, b, of_a), (b, a, of_b)]
                .into_iter()
                .filter_map(|(from, to, segments)| {
                    let (arrivals, network) = assemble(&segments);
                    let data = arrivals
                        .into_iter()
                        .filter_map(|arrival| match arrival.piece {
                            Piece::Data(data) => Some(data),
                            _ => None,
                        });
                    let bytes: Vec<u8> = data.flatten().collect();
                    (!bytes.is_empty()).then_some((from, to, bytes, network.missing))
                })
        })
    }

    /// Returns the connections with a wanted port, or whose first bytes are those of MQTT.
    pub(crate) fn conversations(self, wanted: &Wanted) -> Vec<Conversation> {
        let start = self.start.unwrap_or_default();
        let end = self.end;
        self.all
            .into_iter()
            .filter_map(|connection| connection.conversation(wanted, start, end))
            .collect()
    }
}

impl Connection {
    /// Returns true if a segment opens another connection between the same ends.
    fn is_followed_by(&self, from: usize, segment: &Segment) -> bool {
        let earlier = self
            .segments
            .get(from)
            .and_then(|segments| segments.first());
        segment.syn
            && !segment.ack
            && match earlier {
                Some((_, first)) => !first.syn || first.sequence != segment.sequence,
                None => self.segments.iter().any(|segments| !segments.is_empty()),
            }
    }

    /// Returns the conversation, or `None` if nothing shows that the connection carries MQTT.
    fn conversation(self, wanted: &Wanted, start: u64, end: u64) -> Option<Conversation> {
        let [a, b] = self.ends;
        let [of_a, of_b] = &self.segments;
        let (arrivals_a, network_a) = assemble(of_a);
        let (arrivals_b, network_b) = assemble(of_b);
        let [protocol_a, protocol_b] = [&arrivals_a, &arrivals_b].map(|arrivals| {
            Protocol::of(&beginning(arrivals))
                .filter(|protocol| !matches!(protocol, Protocol::NotMqtt(_)))
        });
        let has_syn = |segments: &[(usize, Segment)]| {
            segments
                .iter()
                .any(|(_, segment)| segment.syn && !segment.ack)
        };
        let is_server = |end: SocketAddr| wanted.ports.contains(&end.port());
        // The first packets decide, then the end that opened the connection, then the port.
        let a_is_client = match [protocol_a, protocol_b] {
            [Some(_), None] => true,
            [None, Some(_)] => false,
            _ if !is_server(a) && !is_server(b) => return None,
            _ if has_syn(of_a) != has_syn(of_b) => has_syn(of_a),
            _ => is_server(b),
        };
        let (client, server, protocol) = if a_is_client {
            (a, b, protocol_a)
        } else {
            (b, a, protocol_b)
        };
        let side_of_a = if a_is_client {
            Side::Client
        } else {
            Side::Server
        };
        let mut arrivals: Vec<(Side, Arrival)> = arrivals_a
            .into_iter()
            .map(|arrival| (side_of_a, arrival))
            .chain(
                arrivals_b
                    .into_iter()
                    .map(|arrival| (side_of_a.other(), arrival)),
            )
            .collect();
        let has_data = arrivals
            .iter()
            .any(|(_, arrival)| matches!(arrival.piece, Piece::Data(_)));
        if !has_data {
            return None;
        }
        arrivals.sort_by_key(|(_, arrival)| arrival.order);
        let mut conversation = Conversation::new(client, server, protocol, wanted, start);
        conversation.network = network_a.plus(network_b);
        for (side, arrival) in arrivals {
            conversation.arrive(side, arrival);
        }
        conversation.end(end);
        Some(conversation)
    }
}

/// Returns the first bytes of a stream if the capture has them.
fn beginning(arrivals: &[Arrival]) -> Vec<u8> {
    let data = arrivals.iter().map_while(|arrival| match &arrival.piece {
        Piece::Opened => Some(&[][..]),
        Piece::Data(data) => Some(data),
        Piece::Missing(_) | Piece::Finished | Piece::Reset => None,
    });
    data.flatten().copied().take(Protocol::MAX_LEN).collect()
}
