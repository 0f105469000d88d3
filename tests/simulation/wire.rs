//! Decodes the packets of a side strictly and checks them against the standard, without access to
//! the library's state, and across all connections of the side.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mqtt_sansio::v3::Delivery;
use mqtt_sansio::{Options, PacketId, PacketType, QoS, StreamDecoder};

use super::context::{Context, Outcome, ensure, fail};
use super::plan::{Side, number_of};
use super::version::{Announced, Dialect, Message, Seen};

/// The use of an identifier.
#[derive(Debug, Clone, Copy)]
struct Use {
    number: u32,
    qos: QoS,
    /// The number of PUBRECs received until this one.
    recorded: Option<u64>,
    /// PUBREL was sent.
    released: bool,
}

/// What one side has sent on all its connections.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    uses: BTreeMap<PacketId, Use>,
    /// The messages that were sent, by number, with their order.
    sent: BTreeMap<u32, u64>,
    /// The order of messages that are published again.
    given_up: BTreeMap<u32, u64>,
    count: u64,
    recorded: u64,
    /// Lost with a session and published again: these may arrive more than once.
    pub(crate) republished: BTreeSet<u32>,
    /// Deleted by the application: these may never arrive.
    pub(crate) forgotten: BTreeSet<u32>,
    /// Refused by the peer's application, which this side may not know: these may arrive late.
    pub(crate) declined: BTreeSet<u32>,
    /// Refused by the peer: these need not arrive.
    pub(crate) refused: BTreeSet<u32>,
}

impl Ledger {
    /// Records that the application publishes the message again, as a new one.
    pub(crate) fn republished(&mut self, number: u32) {
        self.republished.insert(number);
        if let Some(order) = self.sent.remove(&number) {
            self.given_up.insert(number, order);
        }
    }

    /// Undoes `republished` after a crash.
    pub(crate) fn roll_back(&mut self) {
        self.sent.append(&mut self.given_up);
    }

    /// Makes `republished` permanent.
    pub(crate) fn commit(&mut self) {
        self.given_up.clear();
    }

    pub(crate) fn release(&mut self, id: PacketId) {
        self.uses.remove(&id);
    }

    /// Records that the session uses these identifiers and no others.
    pub(crate) fn keep_only(&mut self, ids: &BTreeSet<PacketId>) {
        self.uses.retain(|id, _| ids.contains(id));
    }

    /// Records that the session has ended: no identifier is in use.
    pub(crate) fn clear(&mut self) {
        self.uses.clear();
    }
}

/// One side of one connection.
pub(crate) struct Tap<V: Dialect> {
    side: Side,
    /// How many messages may be in flight: the smaller of this side's limit and the peer's.
    window: usize,
    /// The limits that the peer announced.
    announced: Announced,
    /// The Topic Names of the aliases that were sent.
    aliases: BTreeMap<u16, String>,
    outgoing: StreamDecoder<V, Vec<u8>>,
    incoming: StreamDecoder<V, Vec<u8>>,
    packets: u64,
    /// CONNACK was received.
    accepted: bool,
    /// Identifiers of messages that are in flight on this connection.
    in_flight: BTreeSet<PacketId>,
    requests: BTreeSet<PacketId>,
    /// The order of the message that was resent last, and of the PUBREC released last.
    resent: Option<u64>,
    released: Option<u64>,
    new_messages: bool,
    /// The received messages that await an acknowledgement, in order.
    to_acknowledge: VecDeque<(QoS, PacketId)>,
    to_release: VecDeque<PacketId>,
    to_complete: VecDeque<PacketId>,
}

impl<V: Dialect> Tap<V> {
    pub(crate) fn new(side: Side, window: u16) -> Self {
        let unlimited = Options::new()
            .max_packet_size(u32::MAX)
            .refuse_overlong_remaining_length(true);
        Self {
            side,
            window: usize::from(window),
            announced: Announced::NOTHING,
            aliases: BTreeMap::new(),
            outgoing: StreamDecoder::with_options(Vec::new(), unlimited),
            incoming: StreamDecoder::with_options(Vec::new(), unlimited),
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
        }
    }

    pub(crate) const fn window(&self) -> usize {
        self.window
    }

    pub(crate) fn is_in_flight(&self, id: PacketId) -> bool {
        self.in_flight.contains(&id)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Checks bytes that this side sends.
    pub(crate) fn sent(&mut self, ctx: &mut Context, mut bytes: &[u8]) -> Outcome {
        loop {
            let packet = match self.outgoing.decode(&mut bytes) {
                Ok(Some(packet)) => V::seen(packet),
                Ok(None) => return Ok(()),
                Err(error) => fail!("the {} has sent {error}", self.side),
            };
            ctx.note(self.side, format_args!("--> {packet:?}"));
            self.check(ctx, packet)?;
            self.packets += 1;
        }
    }

    fn check(&mut self, ctx: &mut Context, packet: Seen) -> Outcome {
        let side = self.side;
        let begins = match side {
            Side::Client => matches!(packet, Seen::Connect(_)),
            Side::Server => matches!(packet, Seen::ConnAck(_)),
        };
        ensure!(
            begins == (self.packets == 0),
            "[MQTT-3.1.0-1, MQTT-3.1.0-2, MQTT-3.2.0-1] the {side} begins once, and with it"
        );
        let early = side == Side::Client && !begins && !self.accepted;
        let closes = matches!(packet, Seen::Other(PacketType::Disconnect));
        ensure!(
            !early || closes || ctx.plan.client.early,
            "the client sends before CONNACK"
        );
        ctx.stats.early += u64::from(early);
        match packet {
            Seen::Publish(message) => {
                let message = self.check_alias(ctx, message)?;
                let number = number_of(&message.payload);
                let spec = number
                    .and_then(|number| ctx.plan.side(side).messages.get(number as usize).copied());
                ensure!(spec.is_some(), "the {side} sends a message of nobody");
                let spec = spec.filter(|spec| message.is::<V>(spec));
                ensure!(spec.is_some(), "the {side} sends another message");
                self.check_publish(ctx, message.delivery, number.unwrap_or_default())
            }
            Seen::Acknowledgement {
                packet_type,
                packet_id,
                ..
            } => match packet_type {
                PacketType::PubAck => self.check_acknowledgement(QoS::AtLeastOnce, packet_id),
                PacketType::PubRec => self.check_acknowledgement(QoS::ExactlyOnce, packet_id),
                PacketType::PubRel => self.check_pubrel(ctx, packet_id),
                _ => {
                    ensure!(
                        self.to_complete.pop_front() == Some(packet_id),
                        "PUBCOMP {packet_id:?} is not the answer to the next PUBREL"
                    );
                    Ok(())
                }
            },
            Seen::Request(packet_id) => self.check_request(ctx, packet_id),
            Seen::Other(PacketType::PingReq) => {
                ctx.stats.pings += 1;
                Ok(())
            }
            Seen::Connect(_) | Seen::ConnAck(_) | Seen::Answer(_) | Seen::Other(_) => Ok(()),
        }
    }

    /// Returns the message with its Topic Name.
    fn check_alias(&mut self, ctx: &mut Context, mut message: Message) -> Outcome<Message> {
        let side = self.side;
        let Some(alias) = message.alias else {
            return Ok(message);
        };
        ensure!(
            (1..=self.announced.topic_alias_maximum).contains(&alias),
            "[MQTT5-3.1.2-26, MQTT5-3.2.2-17] the {side} sends Topic Alias {alias}"
        );
        if message.topic.is_empty() {
            ctx.stats.aliases_used += 1;
            let Some(topic) = self.aliases.get(&alias) else {
                fail!("[MQTT5-3.3.2-7] the {side} sends Topic Alias {alias}, which is not known");
            };
            message.topic.clone_from(topic);
        } else {
            self.aliases.insert(alias, message.topic.clone());
        }
        Ok(message)
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
            // Sent for the first time; or earlier it was not sent, or acknowledged before a crash.
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
            "[MQTT5-3.3.4-7, MQTT5-3.3.4-9] {} messages in flight with a window of {}",
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
        // Unknown identifier: PUBCOMP was received, and lost in a crash.
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
        // It does not wait for the window, but occupies a place in it.
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

    /// Records received bytes that the library has handled.
    pub(crate) fn handed(&mut self, ctx: &mut Context, mut bytes: &[u8]) -> Outcome<Vec<Seen>> {
        let mut packets = Vec::new();
        loop {
            let packet = match self.incoming.decode(&mut bytes) {
                Ok(Some(packet)) => V::seen(packet),
                Ok(None) => return Ok(packets),
                Err(error) => fail!("the {} has handled {error}", self.side),
            };
            ctx.note(self.side, format_args!("<-- {packet:?}"));
            self.take(ctx, &packet);
            packets.push(packet);
        }
    }

    fn take(&mut self, ctx: &mut Context, packet: &Seen) {
        let ledger = ctx.ledger(self.side);
        match packet {
            Seen::Connect(announced) | Seen::ConnAck(announced) => {
                self.accepted = true;
                self.announced = *announced;
                self.window = self.window.min(usize::from(announced.receive_maximum));
            }
            Seen::Publish(message) => {
                if let Some(id) = message.delivery.packet_id() {
                    self.to_acknowledge.push_back((message.delivery.qos(), id));
                }
            }
            Seen::Acknowledgement {
                packet_type,
                packet_id,
                refused,
            } => match packet_type {
                PacketType::PubRec if !refused => {
                    self.to_release.push_back(*packet_id);
                    ledger.recorded += 1;
                    if let Some(held) = ledger.uses.get_mut(packet_id) {
                        held.recorded = Some(ledger.recorded);
                    }
                }
                PacketType::PubRel => self.to_complete.push_back(*packet_id),
                // The exchange is complete [MQTT5-4.3.3-4].
                _ => {
                    self.in_flight.remove(packet_id);
                    ledger.release(*packet_id);
                }
            },
            Seen::Answer(packet_id) => {
                self.requests.remove(packet_id);
            }
            Seen::Request(_) | Seen::Other(_) => {}
        }
    }
}
