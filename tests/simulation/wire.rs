//! What goes over the wire, read again strictly and held against the standard: which packets a
//! side may send, seen from outside and across all of its connections.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mqtt_sansio::v3::{Decoder, Delivery, Packet};
use mqtt_sansio::{Options, PacketId, QoS};

use super::context::{Context, Outcome, ensure, fail};
use super::endpoint::Incoming;
use super::plan::{Side, number_of};

/// What an identifier is in use for.
#[derive(Debug, Clone, Copy)]
struct Use {
    number: u32,
    qos: QoS,
    /// When PUBREC came, counted in PUBRECs.
    recorded: Option<u64>,
    /// PUBREL has left.
    released: bool,
}

/// What one side has sent, on all of its connections.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    uses: BTreeMap<PacketId, Use>,
    /// The messages that have left, by number, and in which order.
    sent: BTreeMap<u32, u64>,
    /// Where in that order the messages were that are published once more.
    given_up: BTreeMap<u32, u64>,
    count: u64,
    recorded: u64,
    /// Lost with a session and published anew: these may arrive more than once.
    pub(crate) republished: BTreeSet<u32>,
    /// Given up by the application: these may never arrive.
    pub(crate) forgotten: BTreeSet<u32>,
}

impl Ledger {
    /// The application publishes the message once more, as a new one.
    pub(crate) fn republished(&mut self, number: u32) {
        self.republished.insert(number);
        if let Some(order) = self.sent.remove(&number) {
            self.given_up.insert(number, order);
        }
    }

    /// A crash has taken back that messages were to be published once more.
    pub(crate) fn roll_back(&mut self) {
        self.sent.append(&mut self.given_up);
    }

    /// No crash takes it back any more.
    pub(crate) fn commit(&mut self) {
        self.given_up.clear();
    }

    pub(crate) fn release(&mut self, id: PacketId) {
        self.uses.remove(&id);
    }

    /// The session has ended, and no identifier is in use any more.
    pub(crate) fn clear(&mut self) {
        self.uses.clear();
    }
}

/// One side of one connection.
pub(crate) struct Tap {
    side: Side,
    window: usize,
    decoder: Decoder<Vec<u8>>,
    packets: u64,
    /// CONNACK has come.
    accepted: bool,
    /// Identifiers of messages that are under way on this connection.
    in_flight: BTreeSet<PacketId>,
    requests: BTreeSet<PacketId>,
    /// The order of the message that was sent again last, and of the PUBREC released last.
    resent: Option<u64>,
    released: Option<u64>,
    new_messages: bool,
    /// What has come and is to be answered, in order.
    to_acknowledge: VecDeque<(QoS, PacketId)>,
    to_release: VecDeque<PacketId>,
    to_complete: VecDeque<PacketId>,
    /// The message that is coming in pieces.
    incoming: Option<Delivery>,
}

impl Tap {
    pub(crate) fn new(side: Side, window: u16) -> Self {
        let unlimited = Options::new()
            .max_packet_size(u32::MAX)
            .refuse_overlong_remaining_length(true);
        Self {
            side,
            window: usize::from(window),
            decoder: Decoder::with_options(Vec::new(), unlimited),
            packets: 0,
            accepted: false,
            in_flight: BTreeSet::new(),
            requests: BTreeSet::new(),
            resent: None,
            released: None,
            new_messages: false,
            to_acknowledge: VecDeque::new(),
            to_release: VecDeque::new(),
            to_complete: VecDeque::new(),
            incoming: None,
        }
    }

    pub(crate) fn is_in_flight(&self, id: PacketId) -> bool {
        self.in_flight.contains(&id)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// These bytes leave.
    pub(crate) fn sent(&mut self, ctx: &mut Context, mut bytes: &[u8]) -> Outcome {
        loop {
            let packet = match self.decoder.decode(&mut bytes) {
                Ok(Some(packet)) => packet.to_owned(),
                Ok(None) => return Ok(()),
                Err(error) => fail!("the {} has sent {error}", self.side),
            };
            ctx.note(self.side, format_args!("--> {packet:?}"));
            self.check(ctx, &packet)?;
            self.packets += 1;
        }
    }

    fn check(&mut self, ctx: &mut Context, packet: &Packet<Vec<u8>>) -> Outcome {
        let side = self.side;
        let begins = match side {
            Side::Client => matches!(packet, Packet::Connect(_)),
            Side::Server => matches!(packet, Packet::ConnAck(_)),
        };
        ensure!(
            begins == (self.packets == 0),
            "[MQTT-3.1.0-1, MQTT-3.1.0-2, MQTT-3.2.0-1] the {side} begins once, and with it"
        );
        let early = side == Side::Client && !begins && !self.accepted;
        ensure!(
            !early || ctx.plan.client.early,
            "the client sends before CONNACK"
        );
        ctx.stats.early += u64::from(early);
        match packet {
            Packet::Publish(publish) => {
                let number = number_of(&publish.payload);
                let spec = number
                    .and_then(|number| ctx.plan.side(side).messages.get(number as usize).copied());
                ensure!(spec.is_some(), "the {side} sends a message of nobody");
                let spec = spec.filter(|spec| {
                    publish.payload == spec.payload()
                        && publish.topic == *spec.topic
                        && publish.retain == spec.retain
                        && publish.delivery.qos() == spec.qos
                });
                ensure!(spec.is_some(), "the {side} sends another message");
                self.check_publish(ctx, publish.delivery, number.unwrap_or_default())
            }
            Packet::PubAck(ack) => self.check_acknowledgement(QoS::AtLeastOnce, ack.packet_id),
            Packet::PubRec(ack) => self.check_acknowledgement(QoS::ExactlyOnce, ack.packet_id),
            Packet::PubRel(ack) => self.check_pubrel(ctx, ack.packet_id),
            Packet::PubComp(ack) => {
                ensure!(
                    self.to_complete.pop_front() == Some(ack.packet_id),
                    "{packet:?} is not the answer to the next PUBREL"
                );
                Ok(())
            }
            Packet::Subscribe(subscribe) => self.check_request(ctx, subscribe.packet_id),
            Packet::Unsubscribe(unsubscribe) => self.check_request(ctx, unsubscribe.packet_id),
            Packet::PingReq => {
                ctx.stats.pings += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_publish(&mut self, ctx: &mut Context, delivery: Delivery, number: u32) -> Outcome {
        let side = self.side;
        let ledger = ctx.ledger(side);
        let order = ledger.sent.get(&number).copied();
        ensure!(
            delivery.dup() || order.is_none(),
            "[MQTT-3.3.1-1] message {number} is sent again without DUP"
        );
        let order = order.unwrap_or(ledger.count);
        ledger.count += 1;
        ledger.sent.insert(number, order);
        let Some(id) = delivery.packet_id() else {
            return Ok(());
        };
        let qos = delivery.qos();
        ensure!(
            !self.in_flight.contains(&id) && !self.requests.contains(&id),
            "[MQTT-2.3.1-2] {id:?} is in use on this connection"
        );
        match ledger.uses.get(&id) {
            Some(held) if !delivery.dup() => fail!(
                "[MQTT-2.3.1-2] {id:?} is in use for message {}",
                held.number
            ),
            Some(held) => {
                ensure!(
                    !held.released,
                    "[MQTT-4.3.3-1] PUBLISH {id:?} after its PUBREL"
                );
                ensure!(
                    (held.number, held.qos) == (number, qos),
                    "[MQTT-4.4.0-1] {id:?} was message {}",
                    held.number
                );
            }
            // Sent for the first time, or it did not leave or was acknowledged before a crash.
            None => {
                let held = Use {
                    number,
                    qos,
                    recorded: None,
                    released: false,
                };
                ledger.uses.insert(id, held);
            }
        }
        if delivery.dup() {
            ensure!(
                !self.new_messages,
                "[MQTT-4.6.0-1] message {number} is sent again behind new ones"
            );
            ensure!(
                self.resent < Some(order),
                "[MQTT-4.6.0-1] message {number} is sent again out of order"
            );
            self.resent = Some(order);
            ctx.stats.resends += 1;
        } else {
            self.new_messages = true;
        }
        self.goes_out(id)
    }

    fn goes_out(&mut self, id: PacketId) -> Outcome {
        self.in_flight.insert(id);
        ensure!(
            self.in_flight.len() <= self.window,
            "{} messages under way with a window of {}",
            self.in_flight.len(),
            self.window
        );
        Ok(())
    }

    fn check_pubrel(&mut self, ctx: &mut Context, id: PacketId) -> Outcome {
        let answers = self.to_release.front() == Some(&id);
        ensure!(
            answers || !self.to_release.contains(&id),
            "[MQTT-4.6.0-4] PUBREL {id:?} is not the answer to the next PUBREC"
        );
        if answers {
            self.to_release.pop_front();
        } else {
            ctx.stats.released_again += 1;
            ensure!(
                !self.in_flight.contains(&id),
                "PUBREL {id:?} is sent twice on one connection"
            );
        }
        // Not known: PUBCOMP had come, and was forgotten in a crash.
        if let Some(held) = ctx.ledger(self.side).uses.get_mut(&id) {
            ensure!(
                held.recorded.is_some(),
                "[MQTT-4.3.3-1] PUBREL {id:?} without a PUBREC"
            );
            held.released = true;
            ensure!(
                self.released < held.recorded,
                "[MQTT-4.6.0-4] PUBREL {id:?} is not in the order of the PUBRECs"
            );
            self.released = held.recorded;
        }
        // It does not wait for the window, but takes a place in it.
        self.in_flight.insert(id);
        Ok(())
    }

    fn check_acknowledgement(&mut self, qos: QoS, id: PacketId) -> Outcome {
        let next = self.to_acknowledge.iter().position(|due| due.0 == qos);
        let next = next.and_then(|at| self.to_acknowledge.remove(at));
        ensure!(
            next == Some((qos, id)),
            "[MQTT-4.6.0-2, MQTT-4.6.0-3] {id:?} at {qos:?} is acknowledged, and not {next:?}"
        );
        Ok(())
    }

    fn check_request(&mut self, ctx: &mut Context, id: PacketId) -> Outcome {
        ctx.stats.requests += 1;
        let in_use = ctx.ledger(self.side).uses.contains_key(&id);
        ensure!(
            !in_use && self.requests.insert(id),
            "[MQTT-2.3.1-2] a request takes {id:?}, which is in use"
        );
        Ok(())
    }

    /// This has come, and the library has dealt with it.
    pub(crate) fn handed(&mut self, ctx: &mut Context, incoming: &Incoming) {
        let ledger = ctx.ledger(self.side);
        match incoming {
            Incoming::Packet(packet) => match packet {
                Packet::ConnAck(_) => self.accepted = true,
                Packet::Publish(publish) => self.is_complete(publish.delivery),
                Packet::PubAck(ack) => {
                    self.in_flight.remove(&ack.packet_id);
                    ledger.release(ack.packet_id);
                }
                Packet::PubRec(ack) => {
                    self.to_release.push_back(ack.packet_id);
                    ledger.recorded += 1;
                    if let Some(held) = ledger.uses.get_mut(&ack.packet_id) {
                        held.recorded = Some(ledger.recorded);
                    }
                }
                Packet::PubComp(ack) => {
                    self.in_flight.remove(&ack.packet_id);
                    ledger.release(ack.packet_id);
                }
                Packet::PubRel(ack) => self.to_complete.push_back(ack.packet_id),
                Packet::SubAck(suback) => {
                    self.requests.remove(&suback.packet_id);
                }
                Packet::UnsubAck(unsuback) => {
                    self.requests.remove(&unsuback.packet_id);
                }
                _ => {}
            },
            Incoming::Header(header) => self.incoming = Some(header.delivery),
            Incoming::Payload { left: 0, .. } => {
                if let Some(delivery) = self.incoming.take() {
                    self.is_complete(delivery);
                }
            }
            Incoming::Payload { .. } => {}
        }
    }

    fn is_complete(&mut self, delivery: Delivery) {
        if let Some(id) = delivery.packet_id() {
            self.to_acknowledge.push_back((delivery.qos(), id));
        }
    }
}
