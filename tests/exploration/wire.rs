//! Checks of the packets that a side sends.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use mqtt_sansio::QoS;

use super::Outcome;
use super::plan::{Plan, Side};

/// The parts of a packet that the checks use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Publish {
        number: u8,
        qos: QoS,
        id: u16,
        dup: bool,
    },
    PubAck(u16),
    PubRec(u16),
    /// A PUBREC that refuses the message.
    Refusal(u16),
    PubRel(u16),
    PubComp(u16),
    Subscribe(u16),
    SubAck(u16),
    Other(u8),
}

/// Reads a packet with a body of less than 128 bytes.
pub(crate) fn read(bytes: &[u8]) -> Option<Sent> {
    let (&[first, len], body) = bytes.split_first_chunk::<2>()?;
    if usize::from(len) != body.len() || len > 127 {
        return None;
    }
    let id = |at: usize| Some(u16::from_be_bytes(*body.get(at..)?.first_chunk()?));
    Some(match first >> 4 {
        3 => {
            let qos = match first & 6 {
                0 => QoS::AtMostOnce,
                2 => QoS::AtLeastOnce,
                _ => QoS::ExactlyOnce,
            };
            Sent::Publish {
                number: body.last()?.wrapping_sub(b'a'),
                qos,
                // The fields after the Topic Name `t`.
                id: if qos == QoS::AtMostOnce { 0 } else { id(3)? },
                dup: first & 8 != 0,
            }
        }
        4 => Sent::PubAck(id(0)?),
        5 if body.get(2) >= Some(&0x80) => Sent::Refusal(id(0)?),
        5 => Sent::PubRec(id(0)?),
        6 => Sent::PubRel(id(0)?),
        7 => Sent::PubComp(id(0)?),
        8 => Sent::Subscribe(id(0)?),
        9 => Sent::SubAck(id(0)?),
        other => Sent::Other(other),
    })
}

/// The use of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Use {
    id: u16,
    number: u8,
    /// How many PUBRECs were received before the one for this message.
    recorded: Option<u8>,
    /// PUBREL was sent.
    released: bool,
}

/// What one side has sent in its session, on all connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    uses: Vec<Use>,
    /// The messages that were sent, in the order in which each was sent first.
    order: Vec<u8>,
    recorded: u8,
    /// The identifiers that became free, as long as their slots exist. Identifiers are used again in
    /// this order.
    freed: Vec<u16>,
}

/// Hashes the fields that matter, except those that matter only to a side that publishes more.
impl Hash for Ledger {
    fn hash<H: Hasher>(&self, to: &mut H) {
        (&self.uses, &self.order, self.recorded).hash(to);
    }
}

impl Ledger {
    fn held(&mut self, id: u16) -> Option<&mut Use> {
        self.uses.iter_mut().find(|held| held.id == id)
    }

    pub(crate) fn release(&mut self, id: u16) {
        self.uses.retain(|held| held.id != id);
    }

    pub(crate) fn freed(&self) -> &[u16] {
        &self.freed
    }

    /// Records that a message was published with this identifier.
    pub(crate) fn takes(&mut self, id: u16) {
        self.freed.retain(|freed| freed % 4 != id % 4);
    }

    /// Records that the exchange with this identifier is complete.
    pub(crate) fn frees(&mut self, id: u16) {
        self.freed.push(id);
    }

    /// Records that the session was restored: identifiers are assigned in sequence again.
    pub(crate) fn restored(&mut self) {
        self.freed.clear();
    }

    /// Records that the session has ended: no identifier is in use.
    pub(crate) fn clear(&mut self) {
        self.uses.clear();
    }

    /// Records that the application publishes this message again, as a new one.
    pub(crate) fn republished(&mut self, number: u8) {
        self.order.retain(|sent| *sent != number);
    }

    fn place(&mut self, number: u8) -> u8 {
        let place = self.order.iter().position(|sent| *sent == number);
        let place = place.unwrap_or_else(|| {
            self.order.push(number);
            self.order.len() - 1
        });
        u8::try_from(place).unwrap()
    }
}

/// What one side has sent and received on one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tap {
    is_accepted: bool,
    packets: u8,
    /// PINGREQ was sent, and PINGRESP was not received.
    is_pinging: bool,
    /// Identifiers of messages that were sent and are not acknowledged.
    in_flight: Vec<u16>,
    /// The identifier of a SUBSCRIBE without a SUBACK.
    request: Option<u16>,
    /// The position of the message that was resent last.
    resent: Option<u8>,
    released: Option<u8>,
    has_new_messages: bool,
    to_puback: VecDeque<u16>,
    to_pubrec: VecDeque<u16>,
    to_release: VecDeque<u16>,
    to_complete: VecDeque<u16>,
}

macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err($crate::exploration::Halt::Failed(format!($($why)+)));
        }
    };
}
pub(crate) use ensure;

impl Tap {
    pub(crate) fn is_quiet(&self) -> bool {
        self.in_flight.is_empty()
            && self.request.is_none()
            && self.to_puback.is_empty()
            && self.to_pubrec.is_empty()
            && self.to_release.is_empty()
            && self.to_complete.is_empty()
    }

    /// Checks a packet that is sent.
    pub(crate) fn sends(
        &mut self,
        ledger: &mut Ledger,
        plan: &Plan,
        side: Side,
        bytes: &[u8],
    ) -> Outcome {
        let Some(packet) = read(bytes) else {
            ensure!(false, "the {side:?} sends no packet: {bytes:02x?}");
            return Ok(());
        };
        let begins = match side {
            Side::Client => packet == Sent::Other(1),
            Side::Server => packet == Sent::Other(2),
        };
        ensure!(
            begins == (self.packets == 0),
            "[MQTT-3.1.0-1, MQTT-3.1.0-2, MQTT-3.2.0-1] the {side:?} sends {packet:?}"
        );
        ensure!(
            begins || side == Side::Server || self.is_accepted,
            "the client sends {packet:?} before CONNACK"
        );
        self.packets = 1;
        match packet {
            Sent::Publish {
                number,
                qos,
                id,
                dup,
            } => {
                let planned = plan.side(side).messages.get(usize::from(number));
                ensure!(planned == Some(&qos), "the {side:?} sends another message");
                if qos > QoS::AtMostOnce {
                    return self.sends_message(ledger, plan, side, number, id, dup);
                }
                ensure!(!dup, "[MQTT-3.3.1-2] DUP at QoS 0");
            }
            Sent::PubAck(id) => {
                let due = self.to_puback.pop_front();
                ensure!(
                    due == Some(id),
                    "[MQTT-4.6.0-2] the {side:?} sends PUBACK {id}, and {due:?} is due"
                );
            }
            Sent::PubRec(id) | Sent::Refusal(id) => {
                let due = self.to_pubrec.pop_front();
                ensure!(
                    due == Some(id),
                    "[MQTT-4.6.0-3] the {side:?} sends PUBREC {id}, and {due:?} is due"
                );
            }
            Sent::PubRel(id) => return self.sends_pubrel(ledger, side, id),
            Sent::PubComp(id) => {
                let due = self.to_complete.pop_front();
                ensure!(
                    due == Some(id),
                    "the {side:?} sends PUBCOMP {id}, and {due:?} is due"
                );
            }
            Sent::Subscribe(id) => {
                ensure!(
                    ledger.held(id).is_none() && !self.in_flight.contains(&id),
                    "[MQTT-2.3.1-2] SUBSCRIBE takes identifier {id}, which is in use"
                );
                self.request = Some(id);
            }
            Sent::Other(12) => self.is_pinging = true,
            Sent::SubAck(_) | Sent::Other(_) => {}
        }
        Ok(())
    }

    fn sends_message(
        &mut self,
        ledger: &mut Ledger,
        plan: &Plan,
        side: Side,
        number: u8,
        id: u16,
        dup: bool,
    ) -> Outcome {
        ensure!(
            !self.in_flight.contains(&id) && self.request != Some(id),
            "[MQTT-2.3.1-2] the {side:?} uses identifier {id} twice"
        );
        match ledger.held(id) {
            Some(held) => {
                ensure!(
                    held.number == number,
                    "[MQTT-2.3.1-2] the {side:?} uses identifier {id} for message {number}, and message {} has it",
                    held.number
                );
                ensure!(dup, "[MQTT-3.3.1-1] message {number} has no DUP");
                ensure!(
                    !held.released,
                    "[MQTT-4.3.3-1] PUBLISH {id} after its PUBREL"
                );
            }
            None => ledger.uses.push(Use {
                id,
                number,
                recorded: None,
                released: false,
            }),
        }
        ledger.uses.sort_by_key(|held| held.id);
        let place = ledger.place(number);
        if dup {
            ensure!(
                !self.has_new_messages && self.resent < Some(place),
                "[MQTT-4.6.0-1] message {number} is sent again out of order"
            );
            self.resent = Some(place);
        } else {
            self.has_new_messages = true;
        }
        self.goes_out(id);
        let quota = if plan.pair.is_v5() {
            plan.side(side)
                .window
                .min(plan.side(side.peer()).receive_maximum)
        } else {
            plan.side(side).window
        };
        ensure!(
            self.in_flight.len() <= usize::from(quota),
            "[MQTT5-3.3.4-7, MQTT5-3.3.4-9] the {side:?} has {:?} in flight, and may have {quota}",
            self.in_flight
        );
        Ok(())
    }

    fn sends_pubrel(&mut self, ledger: &mut Ledger, side: Side, id: u16) -> Outcome {
        if self.to_release.front() == Some(&id) {
            self.to_release.pop_front();
        } else {
            ensure!(
                !self.to_release.contains(&id),
                "[MQTT-4.6.0-4] the {side:?} sends PUBREL {id}, and {:?} are due",
                self.to_release
            );
            ensure!(
                !self.in_flight.contains(&id),
                "the {side:?} sends PUBREL {id} without a PUBREC"
            );
        }
        // Unknown identifier: PUBCOMP was received, and the process crashed before it was stored.
        if let Some(held) = ledger.held(id) {
            ensure!(
                held.recorded.is_some(),
                "[MQTT-4.3.3-1] PUBREL {id} without a PUBREC"
            );
            ensure!(
                self.released < held.recorded,
                "[MQTT-4.6.0-4] PUBREL {id} is not in the order of the PUBRECs"
            );
            held.released = true;
            self.released = held.recorded;
        }
        self.goes_out(id);
        Ok(())
    }

    fn goes_out(&mut self, id: u16) {
        if !self.in_flight.contains(&id) {
            self.in_flight.push(id);
            self.in_flight.sort_unstable();
        }
    }

    /// Records that PINGRESP was handled; a PINGREQ that was due was sent before it.
    pub(crate) const fn is_answered(&mut self) {
        self.is_pinging = false;
    }

    /// Records that a packet was handled.
    pub(crate) fn receives(&mut self, ledger: &mut Ledger, bytes: &[u8]) {
        match read(bytes) {
            Some(Sent::Publish {
                qos: QoS::AtLeastOnce,
                id,
                ..
            }) => self.to_puback.push_back(id),
            Some(Sent::Publish {
                qos: QoS::ExactlyOnce,
                id,
                ..
            }) => self.to_pubrec.push_back(id),
            // A refusal releases the quota [MQTT5-4.9.0-1].
            Some(Sent::PubAck(id) | Sent::PubComp(id) | Sent::Refusal(id)) => {
                self.in_flight.retain(|under_way| *under_way != id);
                ledger.release(id);
            }
            Some(Sent::PubRec(id)) => {
                self.to_release.push_back(id);
                ledger.recorded += 1;
                let recorded = ledger.recorded;
                if let Some(held) = ledger.held(id) {
                    held.recorded = Some(recorded);
                }
            }
            Some(Sent::PubRel(id)) => self.to_complete.push_back(id),
            Some(Sent::SubAck(_)) => self.request = None,
            Some(Sent::Other(2)) => self.is_accepted = true,
            Some(Sent::Publish { .. } | Sent::Subscribe(_) | Sent::Other(_)) | None => {}
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}
