//! Finds which packet answers which, and what the standard forbids, by the identifiers and times of one
//! conversation.

use std::collections::{BTreeMap, VecDeque};

use mqtt_sansio::v3::Delivery;
use mqtt_sansio::{PacketId, PacketType};

use super::conversation::{Note, Side, Sides};
use super::ladder::seconds;
use super::version::{Meaning, Rule};

const NANOS: u64 = 1_000_000_000;

/// A message in flight, by the packet that is due next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the names of packets")]
enum Due {
    PubAck,
    PubRec,
    /// From the sender: PUBREC was sent.
    PubRel,
    PubComp,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    due: Due,
    /// When the packet was sent that is to be answered.
    since: u64,
}

/// A SUBSCRIBE or an UNSUBSCRIBE that has not been answered.
#[derive(Debug, Clone, Copy)]
enum Request {
    Subscribe { filters: usize },
    Unsubscribe { filters: usize },
}

/// A CONNECT that the capture has.
#[derive(Debug, Clone, Copy)]
struct Connect {
    since: u64,
    is_clean: bool,
    /// Nanoseconds; `None` if Keep Alive is off.
    keep_alive: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// Whether a message may be sent again on the connection on which it was sent first.
    may_resend: bool,
    /// Whether the capture has the first bytes that a side sent.
    opened: Sides<bool>,
    /// Whether a side has sent a packet.
    has_sent: Sides<bool>,
    /// Whether an identifier may be in use although the capture has no PUBLISH with it.
    knows_less: bool,
    connect: Option<Connect>,
    accepted: bool,
    refused: bool,
    disconnected: Sides<bool>,
    /// The end of the connection has been seen.
    closed: bool,
    /// When the client has sent its latest packet.
    heard: u64,
    /// Which of the client's deadlines have passed since.
    late: Late,
    flights: Sides<BTreeMap<PacketId, Flight>>,
    requests: BTreeMap<PacketId, (u64, Request)>,
    pings: VecDeque<u64>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Late {
    #[default]
    No,
    /// Keep Alive has passed.
    Once,
    /// One and a half times Keep Alive has passed.
    OnceAndAHalf,
}

fn remark(text: impl Into<String>) -> Note {
    Note::Remark(text.into())
}

const fn answers(what: String, since: u64, now: u64) -> Note {
    Note::Answers {
        what,
        after: now.saturating_sub(since),
    }
}

impl Exchange {
    pub(crate) fn new(may_resend: bool) -> Self {
        Self {
            may_resend,
            ..Self::default()
        }
    }

    /// Records that the capture has the SYN of this side.
    pub(crate) const fn opened(&mut self, side: Side) {
        *self.opened.of_mut(side) = true;
    }

    /// Records that bytes are missing in the capture.
    pub(crate) const fn miss(&mut self) {
        self.knows_less = true;
    }

    /// Returns the deadlines that have passed by `now`, each with its time.
    pub(crate) fn pass_time(&mut self, now: u64) -> Vec<(u64, Note)> {
        let mut passed = Vec::new();
        let keep_alive = self.connect.and_then(|connect| connect.keep_alive);
        let Some(keep_alive) =
            keep_alive.filter(|_| !self.closed && !*self.disconnected.of(Side::Client))
        else {
            return passed;
        };
        let once = self.heard.saturating_add(keep_alive);
        let half = keep_alive.checked_div(2).unwrap_or_default();
        let once_and_a_half = once.saturating_add(half);
        // A packet that was sent at the deadline arrives later by the delay of the network.
        let tolerance = NANOS.checked_div(10).unwrap_or_default();
        if self.late == Late::No && now > once.saturating_add(tolerance) {
            self.late = Late::Once;
            let what = format!(
                "the client has sent nothing for its Keep Alive, {}",
                seconds(keep_alive)
            );
            passed.push((once, Note::violation(Side::Client, Rule::KeepAlive, what)));
        }
        if self.late == Late::Once && now > once_and_a_half.saturating_add(NANOS) {
            self.late = Late::OnceAndAHalf;
            let what = "one and a half times the Keep Alive has passed: the server has to close the \
                        connection";
            passed.push((
                once_and_a_half,
                Note::violation(Side::Server, Rule::SilenceEnds, what),
            ));
        }
        passed
    }

    const fn has_disconnected(&self) -> bool {
        *self.disconnected.of(Side::Client) || *self.disconnected.of(Side::Server)
    }

    /// Handles a FIN or RST of this side.
    pub(crate) fn closed(&mut self, now: u64, side: Side) -> Vec<Note> {
        let mut notes = Vec::new();
        if !self.closed && side == Side::Client && self.accepted && !self.has_disconnected() {
            notes.push(remark(
                "without DISCONNECT: the server publishes the Will, if there is one",
            ));
        }
        if !self.closed && side == Side::Server && self.accepted && !self.has_disconnected() {
            let silent = now.saturating_sub(self.heard);
            let text = match self.late {
                Late::No => "the server ends a connection that the client still uses".to_owned(),
                _ => format!("after {} without a packet of the client", seconds(silent)),
            };
            notes.push(remark(text));
        }
        self.closed = true;
        notes
    }

    /// Returns the packets that have not been answered.
    pub(crate) fn unanswered(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.connect.is_some() && !self.accepted && !self.refused {
            all.push("CONNECT".to_owned());
        }
        for side in [Side::Client, Side::Server] {
            for (id, flight) in self.flights.of(side) {
                all.push(match flight.due {
                    Due::PubAck | Due::PubRec => format!("PUBLISH {id} of the {}", side.name()),
                    Due::PubRel => format!("PUBREC {id} of the {}", side.other().name()),
                    Due::PubComp => format!("PUBREL {id} of the {}", side.name()),
                });
            }
        }
        for (id, (_, request)) in &self.requests {
            all.push(match request {
                Request::Subscribe { .. } => format!("SUBSCRIBE {id}"),
                Request::Unsubscribe { .. } => format!("UNSUBSCRIBE {id}"),
            });
        }
        all.extend(self.pings.iter().map(|_| "PINGREQ".to_owned()));
        all
    }

    /// Handles a packet of one side. Returns what it answers, and what the standard forbids about it.
    pub(crate) fn packet(
        &mut self,
        now: u64,
        side: Side,
        packet_type: PacketType,
        meaning: &Meaning,
    ) -> Vec<Note> {
        let mut notes = Vec::from_iter(self.order(side, meaning));
        notes.extend(direction(side, packet_type, meaning));
        if side == Side::Client {
            self.heard = now;
            self.late = Late::No;
        }
        match *meaning {
            Meaning::Connect {
                is_clean,
                keep_alive,
                ..
            } => {
                self.connect = Some(Connect {
                    since: now,
                    is_clean,
                    keep_alive: nanoseconds(keep_alive),
                });
                // The capture does not show what an earlier connection has left in flight.
                self.knows_less = !is_clean;
            }
            Meaning::ConnAck {
                is_accepted,
                session_present,
                keep_alive,
            } => {
                if let (Some(connect), Some(keep_alive)) = (&mut self.connect, keep_alive) {
                    connect.keep_alive = nanoseconds(keep_alive);
                }
                notes.extend(self.connack(now, is_accepted, session_present));
            }
            Meaning::Publish(delivery) => notes.extend(self.publish(now, side, delivery)),
            Meaning::PubAck(id) => notes.extend(self.answer(now, side, id, Due::PubAck)),
            Meaning::PubRec {
                packet_id,
                is_error,
            } => {
                notes.extend(self.answer(now, side, packet_id, Due::PubRec));
                if is_error {
                    self.flights.of_mut(side.other()).remove(&packet_id);
                }
            }
            Meaning::PubComp(id) => notes.extend(self.answer(now, side, id, Due::PubComp)),
            Meaning::PubRel(id) => notes.extend(self.release(now, side, id)),
            Meaning::Subscribe { packet_id, filters } => {
                let request = Request::Subscribe { filters };
                notes.extend(self.request(now, packet_id, request));
            }
            Meaning::Unsubscribe { packet_id, filters } => {
                let request = Request::Unsubscribe { filters };
                notes.extend(self.request(now, packet_id, request));
            }
            Meaning::SubAck { packet_id, codes } => {
                notes.extend(self.suback(now, packet_id, codes));
            }
            Meaning::UnsubAck { packet_id, codes } => {
                notes.extend(self.unsuback(now, packet_id, codes));
            }
            Meaning::PingReq => self.pings.push_back(now),
            Meaning::PingResp => notes.push(match self.pings.pop_front() {
                Some(since) => answers("PINGREQ".to_owned(), since, now),
                None => remark("answers no PINGREQ of this capture"),
            }),
            Meaning::Disconnect => *self.disconnected.of_mut(side) = true,
            Meaning::Auth => {}
        }
        notes
    }

    /// Returns a violation if the packet may not be sent at this point.
    fn order(&mut self, side: Side, meaning: &Meaning) -> Option<Note> {
        let is_first = !core::mem::replace(self.has_sent.of_mut(side), true);
        let begins = is_first && *self.opened.of(side);
        let broken = |rule, what| Some(Note::violation(side, rule, what));
        match (side, meaning) {
            _ if *self.disconnected.of(side) => broken(
                Rule::DisconnectEnds,
                "nothing more is sent after DISCONNECT",
            ),
            (Side::Client, Meaning::Connect { .. }) if !is_first => {
                broken(Rule::ConnectOnce, "a second CONNECT on one connection")
            }
            (Side::Client, Meaning::Connect { .. }) => None,
            (Side::Client, _) if begins => broken(
                Rule::ConnectIsFirst,
                "the first packet of a client is CONNECT",
            ),
            (Side::Server, Meaning::ConnAck { .. }) if self.accepted || self.refused => {
                Some(Note::Violation {
                    by: side,
                    what: "a second CONNACK on one connection".to_owned(),
                    rule: None,
                })
            }
            (Side::Server, Meaning::ConnAck { .. } | Meaning::Auth) => None,
            (Side::Server, _) if begins => broken(
                Rule::ConnAckIsFirst,
                "the first packet of a server is CONNACK",
            ),
            (Side::Server, _) if self.refused => broken(
                Rule::RefusalEnds,
                "a server that has refused CONNECT closes the connection",
            ),
            _ if is_first => {
                self.knows_less = true;
                Some(remark("the capture starts within the connection"))
            }
            _ => None,
        }
    }

    fn connack(&mut self, now: u64, is_accepted: bool, session_present: bool) -> Vec<Note> {
        let mut notes = Vec::new();
        match self.connect {
            Some(connect) => notes.push(answers("CONNECT".to_owned(), connect.since, now)),
            None => notes.push(remark("answers no CONNECT of this capture")),
        }
        self.accepted |= is_accepted;
        self.refused |= !is_accepted;
        let is_clean = self.connect.is_some_and(|connect| connect.is_clean);
        if session_present && is_clean {
            notes.push(Note::violation(
                Side::Server,
                Rule::NoSessionAfterClean,
                "Session Present 1 although the client has asked for a new session",
            ));
        }
        if is_accepted && !session_present && self.connect.is_some() {
            self.knows_less = false;
        }
        notes
    }

    fn publish(&mut self, now: u64, side: Side, delivery: Delivery) -> Option<Note> {
        let (id, dup, due) = match delivery {
            Delivery::AtMostOnce => return None,
            Delivery::AtLeastOnce { packet_id, dup } => (packet_id, dup, Due::PubAck),
            Delivery::ExactlyOnce { packet_id, dup } => (packet_id, dup, Due::PubRec),
        };
        if side == Side::Client && self.requests.contains_key(&id) {
            return Some(in_use(side, id, "a request"));
        }
        let flights = self.flights.of_mut(side);
        let earlier = flights.insert(id, Flight { due, since: now });
        match earlier {
            Some(flight) if dup => {
                let after = seconds(now.saturating_sub(flight.since));
                let what = format!("sent again {after} after PUBLISH {id}");
                Some(if self.may_resend {
                    remark(what)
                } else {
                    Note::violation(side, Rule::ResendOnlyAfterReconnecting, what)
                })
            }
            Some(_) => Some(in_use(side, id, "a message in flight")),
            None if dup => Some(remark(
                "sent again: the first time is not in this conversation",
            )),
            None => None,
        }
    }

    /// Handles PUBACK, PUBREC or PUBCOMP, which the receiver of a message sends.
    fn answer(&mut self, now: u64, side: Side, id: PacketId, due: Due) -> Vec<Note> {
        let sender = side.other();
        let flights = self.flights.of_mut(sender);
        let flight = flights.get(&id).copied();
        let answered = match due {
            Due::PubAck | Due::PubRec => format!("PUBLISH {id}"),
            Due::PubRel | Due::PubComp => format!("PUBREL {id}"),
        };
        match flight {
            Some(flight) if flight.due == due => {
                if due == Due::PubRec {
                    let flight = Flight {
                        due: Due::PubRel,
                        since: now,
                    };
                    flights.insert(id, flight);
                } else {
                    flights.remove(&id);
                }
                vec![answers(answered, flight.since, now)]
            }
            // A message that was sent again is answered again.
            Some(Flight {
                due: Due::PubRel | Due::PubComp,
                ..
            }) if due == Due::PubRec => {
                vec![remark(format!("answers {answered} again"))]
            }
            Some(flight) => {
                let wanted = match flight.due {
                    Due::PubAck => "PUBACK",
                    Due::PubRec => "PUBREC",
                    Due::PubRel => "nothing before PUBREL",
                    Due::PubComp => "PUBCOMP",
                };
                let what = format!("the answer to the message with identifier {id} is {wanted}");
                vec![Note::Violation {
                    by: side,
                    what,
                    rule: None,
                }]
            }
            None => vec![self.unknown(answered)],
        }
    }

    /// Handles PUBREL, which the sender of a message sends.
    fn release(&mut self, now: u64, side: Side, id: PacketId) -> Vec<Note> {
        let flight = Flight {
            due: Due::PubComp,
            since: now,
        };
        match self.flights.of_mut(side).insert(id, flight) {
            Some(Flight {
                due: Due::PubRel,
                since,
            }) => vec![answers(format!("PUBREC {id}"), since, now)],
            Some(Flight {
                due: Due::PubComp, ..
            }) => vec![remark("sent again")],
            Some(_) => vec![Note::Violation {
                by: side,
                what: format!("PUBREL before PUBREC {id}"),
                rule: None,
            }],
            None => vec![self.unknown(format!("PUBREC {id}"))],
        }
    }

    fn request(&mut self, now: u64, id: PacketId, request: Request) -> Option<Note> {
        let is_used = self.requests.insert(id, (now, request)).is_some()
            || self.flights.of(Side::Client).contains_key(&id);
        is_used.then(|| in_use(Side::Client, id, "another packet"))
    }

    fn suback(&mut self, now: u64, id: PacketId, codes: usize) -> Vec<Note> {
        let answered = format!("SUBSCRIBE {id}");
        let Some(&(since, Request::Subscribe { filters })) = self.requests.get(&id) else {
            return vec![self.unknown(answered)];
        };
        self.requests.remove(&id);
        let mut notes = vec![answers(answered, since, now)];
        if filters != codes {
            let what = format!("{codes} codes for {filters} Topic Filters");
            let rule = Rule::CodeForEachSubscription;
            notes.push(Note::violation(Side::Server, rule, what));
        }
        notes
    }

    fn unsuback(&mut self, now: u64, id: PacketId, codes: Option<usize>) -> Vec<Note> {
        let answered = format!("UNSUBSCRIBE {id}");
        let Some(&(since, Request::Unsubscribe { filters })) = self.requests.get(&id) else {
            return vec![self.unknown(answered)];
        };
        self.requests.remove(&id);
        let mut notes = vec![answers(answered, since, now)];
        if let Some(codes) = codes.filter(|codes| *codes != filters) {
            let what = format!("{codes} codes for {filters} Topic Filters");
            let rule = Rule::CodeForEachUnsubscription;
            notes.push(Note::violation(Side::Server, rule, what));
        }
        notes
    }

    /// Returns the note on an answer to a packet that the capture does not have.
    fn unknown(&self, answered: String) -> Note {
        if self.knows_less {
            remark(format!(
                "answers {answered}, which is not in this conversation"
            ))
        } else {
            remark(format!(
                "answers {answered}, which has not been sent or is answered already"
            ))
        }
    }
}

fn in_use(by: Side, id: PacketId, what: &str) -> Note {
    let rule = match by {
        Side::Client => Rule::ClientIdentifiersAreFree,
        Side::Server => Rule::ServerIdentifiersAreFree,
    };
    Note::violation(
        by,
        rule,
        format!("Packet Identifier {id} is in use for {what}"),
    )
}

/// Returns a violation if this side may not send such a packet.
fn direction(side: Side, packet_type: PacketType, meaning: &Meaning) -> Option<Note> {
    let is_wrong = match meaning {
        Meaning::Connect { .. }
        | Meaning::Subscribe { .. }
        | Meaning::Unsubscribe { .. }
        | Meaning::PingReq => side == Side::Server,
        Meaning::ConnAck { .. }
        | Meaning::SubAck { .. }
        | Meaning::UnsubAck { .. }
        | Meaning::PingResp => side == Side::Client,
        _ => false,
    };
    is_wrong.then(|| Note::Violation {
        by: side,
        what: format!("a {} does not send {}", side.name(), packet_type.name()),
        rule: None,
    })
}

/// Converts a Keep Alive in seconds. Returns `None` if it is off.
fn nanoseconds(keep_alive: u16) -> Option<u64> {
    (keep_alive > 0).then(|| u64::from(keep_alive).saturating_mul(NANOS))
}
