//! Puts the bytes that one side of a TCP connection sends in order. Segments may be captured out of
//! order, more than once, truncated, or not at all.

use std::collections::BTreeMap;

use super::segment::Segment;

/// What the capture shows of one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A SYN.
    Opened,
    Data(Vec<u8>),
    /// This many bytes are in no segment of the capture.
    Missing(u64),
    /// A FIN: this side sends nothing more.
    Finished,
    /// A RST.
    Reset,
}

/// A part of the stream, and when it and all bytes before it had been captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Nanoseconds since 1970.
    pub(crate) time: u64,
    /// The segment that completed it, counted over the whole capture.
    pub(crate) order: usize,
    pub(crate) piece: Piece,
}

/// Counts of what the network has done to a connection.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    /// Segments with bytes that earlier segments have too.
    pub(crate) repeated: u64,
    /// Segments that were captured after later ones.
    pub(crate) late: u64,
    /// Bytes that are missing.
    pub(crate) missing: u64,
}

impl Network {
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            repeated: self.repeated.saturating_add(other.repeated),
            late: self.late.saturating_add(other.late),
            missing: self.missing.saturating_add(other.missing),
        }
    }
}

/// Where a segment's payload lies in the stream. Sequence numbers wrap around, positions do not.
struct Placed<'a> {
    order: usize,
    segment: &'a Segment,
    start: i64,
    end: i64,
}

/// Joins the segments of one direction. The numbers are their positions in the capture.
pub(crate) fn assemble(segments: &[(usize, Segment)]) -> (Vec<Arrival>, Network) {
    let placed = place(segments);
    let captured = captured(&placed);
    let opened = placed.iter().find(|placed| placed.segment.syn);
    let first = captured.keys().next().copied();
    let Some(mut next) = opened.map(|placed| placed.start).or(first) else {
        return (ends(&placed), Network::default());
    };

    let mut network = Network::default();
    let mut arrivals = Vec::new();
    let mut highest = next;
    let mut waiting: BTreeMap<i64, &[u8]> = BTreeMap::new();
    let mut seen = Ranges::default();
    let (mut finished, mut reset) = (false, false);
    let mut finish = None;
    for Placed {
        order,
        segment,
        start,
        end,
    } in placed
    {
        let mut arrive = |piece| {
            arrivals.push(Arrival {
                time: segment.time,
                order,
                piece,
            });
        };
        if segment.syn && start == next && seen.is_empty() {
            arrive(Piece::Opened);
        }
        if start < end {
            if seen.is_touched_by(start, end) {
                network.repeated = network.repeated.saturating_add(1);
            } else if start < highest {
                network.late = network.late.saturating_add(1);
            }
            if !seen.contain(start, end) {
                // Of two segments that begin at the same position, the longer one counts.
                let payload = waiting.entry(start).or_insert(&segment.payload);
                if payload.len() < segment.payload.len() {
                    *payload = &segment.payload;
                }
                seen.insert(start, end);
                highest = highest.max(end);
            }
        }
        while let Some((&start, &payload)) = waiting.first_key_value() {
            if start > next {
                let missing = next..start;
                if captured.is_touched_by(missing.start, missing.end) {
                    break;
                }
                let count = start.abs_diff(next);
                network.missing = network.missing.saturating_add(count);
                arrive(Piece::Missing(count));
                next = start;
            }
            waiting.remove(&start);
            let known = usize::try_from(next.abs_diff(start)).unwrap_or(usize::MAX);
            let new = payload.get(known..).unwrap_or_default();
            if !new.is_empty() {
                next = position(start, payload);
                arrive(Piece::Data(new.to_vec()));
            }
        }
        if segment.fin {
            finish = Some(end);
        }
        if finish.is_some_and(|finish| finish <= next) && !finished {
            finished = true;
            arrive(Piece::Finished);
        }
        if segment.rst && !reset {
            reset = true;
            arrive(Piece::Reset);
        }
    }
    (arrivals, network)
}

/// Returns the FIN and the RST of a direction without data.
fn ends(placed: &[Placed<'_>]) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    for Placed { order, segment, .. } in placed {
        for (is_there, piece) in [(segment.fin, Piece::Finished), (segment.rst, Piece::Reset)] {
            let is_new = arrivals.iter().all(|arrival| arrival.piece != piece);
            if is_there && is_new {
                arrivals.push(Arrival {
                    time: segment.time,
                    order: *order,
                    piece,
                });
            }
        }
    }
    arrivals
}

const fn position(start: i64, payload: &[u8]) -> i64 {
    start.saturating_add_unsigned(payload.len() as u64)
}

fn place(segments: &[(usize, Segment)]) -> Vec<Placed<'_>> {
    let mut reference: Option<(u32, i64)> = None;
    segments
        .iter()
        .map(|(order, segment)| {
            // The distance to the last segment, in either direction, is less than half of all numbers.
            let at = reference.map_or(0, |(sequence, at)| {
                let distance = segment.sequence.wrapping_sub(sequence) as i32;
                at.saturating_add(i64::from(distance))
            });
            if !segment.rst {
                reference = Some((segment.sequence, at));
            }
            // A SYN uses a sequence number itself.
            let start = at.saturating_add(i64::from(segment.syn));
            Placed {
                order: *order,
                segment,
                start,
                end: position(start, &segment.payload),
            }
        })
        .collect()
}

fn captured(placed: &[Placed<'_>]) -> Ranges {
    let mut ranges = Ranges::default();
    for placed in placed {
        ranges.insert(placed.start, placed.end);
    }
    ranges
}

/// A set of positions, as ranges that do not touch: maps the start of each to its end.
#[derive(Default)]
struct Ranges(BTreeMap<i64, i64>);

impl Ranges {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn keys(&self) -> impl Iterator<Item = &i64> {
        self.0.keys()
    }

    fn insert(&mut self, mut start: i64, mut end: i64) {
        if start >= end {
            return;
        }
        while let Some((&from, &to)) = self.0.range(..=end).next_back() {
            if to < start {
                break;
            }
            self.0.remove(&from);
            start = start.min(from);
            end = end.max(to);
        }
        self.0.insert(start, end);
    }

    fn contain(&self, start: i64, end: i64) -> bool {
        let before = self.0.range(..=start).next_back();
        before.is_some_and(|(_, &to)| end <= to)
    }

    fn is_touched_by(&self, start: i64, end: i64) -> bool {
        let before = self.0.range(..end).next_back();
        before.is_some_and(|(_, &to)| start < to)
    }
}
