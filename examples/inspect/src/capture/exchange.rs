//! What answers what, and what the standard forbids: the identifiers and times of one conversation
//! in MQTT 3.1 and 3.1.1.

use std::collections::{BTreeMap, VecDeque};

use mqtt_sansio::PacketId;
use mqtt_sansio::v3::{ConnAck, Delivery, Packet, PacketRef};

use super::conversation::{Note, Side, Sides};
use super::ladder::seconds;

const NANOS: u64 = 1_000_000_000;

/// A message on its way, by the packet that is due next.
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
    Unsubscribe,
}

/// A CONNECT that the capture has.
#[derive(Debug, Clone, Copy)]
struct Connect {
    since: u64,
    clean_session: bool,
    /// Nanoseconds; none if Keep Alive is off.
    keep_alive: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// Whether the capture has the beginning of what a side sends.
    opened: Sides<bool>,
    /// Whether a side has sent a packet.
    has_sent: Sides<bool>,
    /// Whether an identifier may be in use of which the capture has no PUBLISH.
    knows_less: bool,
    connect: Option<Connect>,
    accepted: bool,
    refused: bool,
    disconnected: bool,
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
    /// The capture has the SYN of this side.
    pub(crate) const fn opened(&mut self, side: Side) {
        *self.opened.of_mut(side) = true;
    }

    /// Bytes are missing in the capture.
    pub(crate) const fn miss(&mut self) {
        self.knows_less = true;
    }

    /// The deadlines that have passed by `now`, each with its time.
    pub(crate) fn pass_time(&mut self, now: u64) -> Vec<(u64, Note)> {
        let mut passed = Vec::new();
        let keep_alive = self.connect.and_then(|connect| connect.keep_alive);
        let Some(keep_alive) = keep_alive.filter(|_| !self.closed && !self.disconnected) else {
            return passed;
        };
        let once = self.heard.saturating_add(keep_alive);
        let half = keep_alive.checked_div(2).unwrap_or_default();
        let once_and_a_half = once.saturating_add(half);
        // What is sent at the deadline is late by the time on its way at most.
        let tolerance = NANOS.checked_div(10).unwrap_or_default();
        if self.late == Late::No && now > once.saturating_add(tolerance) {
            self.late = Late::Once;
            let what = format!(
                "the client has sent nothing for its Keep Alive, {}",
                seconds(keep_alive)
            );
            passed.push((once, Note::violation(Side::Client, "MQTT-3.1.2-23", what)));
        }
        if self.late == Late::Once && now > once_and_a_half.saturating_add(NANOS) {
            self.late = Late::OnceAndAHalf;
            let what = "one and a half times the Keep Alive has passed: the server has to close the \
                        connection";
            passed.push((
                once_and_a_half,
                Note::violation(Side::Server, "MQTT-3.1.2-24", what),
            ));
        }
        passed
    }

    /// A FIN or RST of this side.
    pub(crate) fn closed(&mut self, now: u64, side: Side) -> Vec<Note> {
        let mut notes = Vec::new();
        if !self.closed && side == Side::Client && self.accepted && !self.disconnected {
            notes.push(remark(
                "without DISCONNECT: the server publishes the Will, if there is one",
            ));
        }
        if !self.closed && side == Side::Server && self.accepted && !self.disconnected {
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

    /// What has not been answered.
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
                Request::Unsubscribe => format!("UNSUBSCRIBE {id}"),
            });
        }
        all.extend(self.pings.iter().map(|_| "PINGREQ".to_owned()));
        all
    }

    /// A packet of one side: what it answers, and what is wrong with it here.
    pub(crate) fn packet(&mut self, now: u64, side: Side, packet: &PacketRef<'_>) -> Vec<Note> {
        let mut notes = Vec::from_iter(self.order(side, packet));
        notes.extend(self.direction(side, packet));
        if side == Side::Client {
            self.heard = now;
            self.late = Late::No;
        }
        match packet {
            Packet::Connect(connect) => {
                let connect = connect.to_connect();
                let keep_alive = u64::from(connect.keep_alive).saturating_mul(NANOS);
                self.connect = Some(Connect {
                    since: now,
                    clean_session: connect.clean_session,
                    keep_alive: (keep_alive > 0).then_some(keep_alive),
                });
                // What an earlier connection has left is in no capture of this one.
                self.knows_less = !connect.clean_session;
            }
            Packet::ConnAck(connack) => notes.extend(self.connack(now, *connack)),
            Packet::Publish(publish) => notes.extend(self.publish(now, side, publish.delivery)),
            Packet::PubAck(ack) => notes.extend(self.answer(now, side, ack.packet_id, Due::PubAck)),
            Packet::PubRec(ack) => notes.extend(self.answer(now, side, ack.packet_id, Due::PubRec)),
            Packet::PubComp(ack) => {
                notes.extend(self.answer(now, side, ack.packet_id, Due::PubComp));
            }
            Packet::PubRel(ack) => notes.extend(self.release(now, side, ack.packet_id)),
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.subscriptions.iter().count();
                let request = Request::Subscribe { filters };
                notes.extend(self.request(now, subscribe.packet_id, request));
            }
            Packet::Unsubscribe(unsubscribe) => {
                notes.extend(self.request(now, unsubscribe.packet_id, Request::Unsubscribe));
            }
            Packet::SubAck(suback) => {
                let codes = suback.return_codes.iter().count();
                notes.extend(self.answer_request(now, suback.packet_id, Some(codes)));
            }
            Packet::UnsubAck(ack) => notes.extend(self.answer_request(now, ack.packet_id, None)),
            Packet::PingReq => self.pings.push_back(now),
            Packet::PingResp => notes.push(match self.pings.pop_front() {
                Some(since) => answers("PINGREQ".to_owned(), since, now),
                None => remark("answers no PINGREQ of this capture"),
            }),
            Packet::Disconnect => self.disconnected |= side == Side::Client,
        }
        notes
    }

    /// Whether the packet may come now.
    fn order(&mut self, side: Side, packet: &PacketRef<'_>) -> Option<Note> {
        let is_first = !core::mem::replace(self.has_sent.of_mut(side), true);
        let begins = is_first && *self.opened.of(side);
        match (side, packet) {
            (Side::Client, Packet::Connect(_)) if !is_first => Some(Note::violation(
                side,
                "MQTT-3.1.0-2",
                "a second CONNECT on one connection",
            )),
            (Side::Client, Packet::Connect(_)) => None,
            (Side::Client, _) if begins => Some(Note::violation(
                side,
                "MQTT-3.1.0-1",
                "the first packet of a client is CONNECT",
            )),
            (Side::Client, _) if self.disconnected => Some(Note::violation(
                side,
                "MQTT-3.14.4-2",
                "the client sends nothing more after DISCONNECT",
            )),
            (Side::Server, Packet::ConnAck(_)) if !is_first => Some(Note::Violation {
                by: side,
                what: "a second CONNACK on one connection".to_owned(),
                statement: None,
            }),
            (Side::Server, Packet::ConnAck(_)) => None,
            (Side::Server, _) if begins => Some(Note::violation(
                side,
                "MQTT-3.2.0-1",
                "the first packet of a server is CONNACK",
            )),
            (Side::Server, _) if self.refused => Some(Note::violation(
                side,
                "MQTT-3.2.2-5",
                "a server that has refused CONNECT closes the connection",
            )),
            _ if is_first => {
                self.knows_less = true;
                Some(remark("the capture starts within the connection"))
            }
            _ => None,
        }
    }

    /// Whether this side may send such a packet.
    fn direction(&self, side: Side, packet: &PacketRef<'_>) -> Option<Note> {
        let is_wrong = match packet {
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq
            | Packet::Disconnect => side == Side::Server,
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => {
                side == Side::Client
            }
            _ => false,
        };
        is_wrong.then(|| Note::Violation {
            by: side,
            what: format!(
                "a {} does not send {}",
                side.name(),
                packet.packet_type().name()
            ),
            statement: None,
        })
    }

    fn connack(&mut self, now: u64, connack: ConnAck) -> Vec<Note> {
        let mut notes = Vec::new();
        match self.connect {
            Some(connect) => notes.push(answers("CONNECT".to_owned(), connect.since, now)),
            None => notes.push(remark("answers no CONNECT of this capture")),
        }
        match connack {
            ConnAck::Accepted { session_present } => {
                self.accepted = true;
                let is_clean = self.connect.is_some_and(|connect| connect.clean_session);
                if session_present && is_clean {
                    notes.push(Note::violation(
                        Side::Server,
                        "MQTT-3.2.2-1",
                        "Session Present 1 in answer to Clean Session 1",
                    ));
                }
                if !session_present && self.connect.is_some() {
                    self.knows_less = false;
                }
            }
            ConnAck::Refused(_) => self.refused = true,
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
                Some(remark(format!("sent again {after} after PUBLISH {id}")))
            }
            Some(_) => Some(in_use(side, id, "a message that is under way")),
            None if dup => Some(remark(
                "sent again: the first time is not in this conversation",
            )),
            None => None,
        }
    }

    /// PUBACK, PUBREC or PUBCOMP, sent by the receiver of a message.
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
                    statement: None,
                }]
            }
            None => vec![self.unknown(answered)],
        }
    }

    /// PUBREL, sent by the sender of a message.
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
                statement: None,
            }],
            None => vec![self.unknown(format!("PUBREC {id}"))],
        }
    }

    fn request(&mut self, now: u64, id: PacketId, request: Request) -> Option<Note> {
        let is_used = self.requests.insert(id, (now, request)).is_some()
            || self.flights.of(Side::Client).contains_key(&id);
        is_used.then(|| in_use(Side::Client, id, "another packet"))
    }

    /// SUBACK with so many return codes, or UNSUBACK.
    fn answer_request(&mut self, now: u64, id: PacketId, codes: Option<usize>) -> Vec<Note> {
        let name = if codes.is_some() {
            "SUBSCRIBE"
        } else {
            "UNSUBSCRIBE"
        };
        let answered = format!("{name} {id}");
        match (self.requests.get(&id).copied(), codes) {
            (Some((since, Request::Subscribe { filters })), Some(codes)) => {
                self.requests.remove(&id);
                let mut notes = vec![answers(answered, since, now)];
                if filters != codes {
                    let what = format!("{codes} return codes for {filters} Topic Filters");
                    notes.push(Note::violation(Side::Server, "MQTT-3.8.4-5", what));
                }
                notes
            }
            (Some((since, Request::Unsubscribe)), None) => {
                self.requests.remove(&id);
                vec![answers(answered, since, now)]
            }
            _ => vec![self.unknown(answered)],
        }
    }

    /// What answers a packet that is not there.
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
    let statement = match by {
        Side::Client => "MQTT-2.3.1-2",
        Side::Server => "MQTT-2.3.1-4",
    };
    Note::violation(
        by,
        statement,
        format!("Packet Identifier {id} is in use for {what}"),
    )
}
