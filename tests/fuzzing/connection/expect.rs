//! The effects that a packet must have: the flows of section 4.3, as one side of a connection sees
//! them.

use mqtt_sansio::v5::Delivery;
use mqtt_sansio::{Blocked, PacketId, PacketType, ProtocolError, QoS};

use super::model::{Expected, Model, Request, Stage, State};
use super::wire::Packet;

impl Model {
    /// Returns why no packet is handled in this state.
    pub(super) fn blocked(&self) -> Option<Blocked> {
        if self.answer.is_some() && self.is_sending {
            return Some(Blocked::SendingPayload);
        }
        let awaits_answer = self.is_server() && self.state == State::Requested;
        (self.to_answer.is_some() || awaits_answer).then_some(Blocked::AnswerPending)
    }

    /// Returns the effect that this packet, or header of a PUBLISH, must have in this state.
    pub(super) fn expect(&self, packet: &Packet) -> Expected {
        let unexpected = || Expected::Fault(ProtocolError::Unexpected(packet.packet_type()));
        let is_client = !self.is_server();
        if let Some(blocked) = self.blocked() {
            return Expected::Blocked(blocked);
        }
        if let Some(error) = self.agreed.fault(self.is_server(), packet) {
            return Expected::Fault(error);
        }
        match (self.state, packet) {
            (State::Start, Packet::Connect(_)) if !is_client => Expected::Handled,
            (
                State::Requested,
                Packet::ConnAck {
                    session_present,
                    code,
                    properties,
                },
            ) => {
                if *session_present && self.clean_start {
                    Expected::Fault(ProtocolError::SessionPresent)
                } else if *code == 0 && properties.authentication_method().is_some() {
                    // [MQTT5-4.12.0-6]
                    Expected::Fault(ProtocolError::AuthenticationMethod)
                } else {
                    Expected::Handled
                }
            }
            (State::Start | State::Requested | State::Over, _) => unexpected(),
            (State::Connected, packet) => match packet {
                Packet::Publish(publish) => self.expect_delivery(publish.delivery),
                Packet::Ack(PacketType::PubRel, id, _) => self.expect_pubrel(*id),
                Packet::Ack(packet_type, id, _) => self.expect_ack(*packet_type, *id),
                Packet::SubAck {
                    packet_id, codes, ..
                } if is_client => self.expect_answer(
                    PacketType::SubAck,
                    *packet_id,
                    Request::Subscribe(codes.len()),
                ),
                Packet::UnsubAck {
                    packet_id, codes, ..
                } if is_client => self.expect_answer(
                    PacketType::UnsubAck,
                    *packet_id,
                    Request::Unsubscribe(codes.len()),
                ),
                Packet::PingResp if is_client => Expected::Handled,
                Packet::ConnAck { code, .. } if is_client => {
                    Expected::Fault(ProtocolError::SecondConnAck { code: *code })
                }
                Packet::Connect(_) if !is_client => Expected::Fault(ProtocolError::SecondConnect),
                Packet::Disconnect { properties, .. } if self.is_v5() => {
                    let expiry = properties.session_expiry_interval();
                    let is_allowed = match expiry {
                        None => true,
                        Some(expiry) => !is_client && (expiry == 0 || self.agreed.had_expiry),
                    };
                    if is_allowed {
                        Expected::Handled
                    } else {
                        Expected::Fault(ProtocolError::SessionExpiryInterval)
                    }
                }
                Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::PingReq
                | Packet::Disconnect { .. }
                    if !is_client =>
                {
                    Expected::Handled
                }
                _ => unexpected(),
            },
        }
    }

    /// Returns the effect that a piece of a payload must have.
    pub(super) fn expect_payload(&self) -> Expected {
        self.blocked().map_or(Expected::Handled, Expected::Blocked)
    }

    /// [MQTT-4.3.2-2, MQTT-4.3.3-2]
    fn expect_delivery(&self, delivery: Delivery) -> Expected {
        let new = Expected::Message { duplicate: false };
        let again = Expected::Message { duplicate: true };
        let Some(id) = delivery.packet_id() else {
            return new;
        };
        let qos = delivery.qos();
        // [MQTT5-3.3.4-9]
        let counts = self.inbound.get(&id).is_none_or(|held| held.is_stale);
        if counts && self.current() >= usize::from(self.agreed.own.receive_maximum) {
            return Expected::Fault(ProtocolError::ReceiveMaximumExceeded);
        }
        if let Some(held) = self.inbound.get(&id) {
            let same = held.qos == qos;
            let in_use = Expected::Fault(ProtocolError::PacketIdInUse(id));
            let sent_again = if held.is_stale {
                delivery.dup() || self.setup.resends_without_dup
            } else {
                delivery.dup() || held.stage == Stage::Received
            };
            return match held.is_stale {
                _ if same && sent_again => again,
                true => new,
                false => in_use,
            };
        }
        let most = self.inbound_limit();
        let needs_room = self.setup.manual || qos == QoS::ExactlyOnce;
        if needs_room && (self.inbound.len() >= most || self.release_by.is_some()) {
            return if self.queue.is_empty() || self.release_by.is_some() {
                again // It is left out.
            } else {
                Expected::Blocked(Blocked::InboundFull)
            };
        }
        new
    }

    fn expect_ack(&self, packet_type: PacketType, packet_id: PacketId) -> Expected {
        let wrong = || {
            if packet_type == PacketType::PubComp && self.unmatched_pubrels > 0 {
                return Expected::Handled;
            }
            Expected::Fault(ProtocolError::WrongAcknowledgement {
                packet_type,
                packet_id,
            })
        };
        if self.requests.contains_key(&packet_id) {
            return wrong();
        }
        let Some(held) = self.sent(packet_id) else {
            return Expected::Handled;
        };
        let qos = held.message.qos;
        let fits = match packet_type {
            PacketType::PubAck => qos == QoS::AtLeastOnce,
            PacketType::PubRec => qos == QoS::ExactlyOnce,
            _ => held.released,
        };
        if fits { Expected::Handled } else { wrong() }
    }

    fn expect_pubrel(&self, packet_id: PacketId) -> Expected {
        let fits = self.inbound.get(&packet_id).is_none_or(|held| {
            held.qos == QoS::ExactlyOnce && (held.stage == Stage::Received || held.is_stale)
        });
        if fits {
            Expected::Handled
        } else {
            Expected::Fault(ProtocolError::WrongAcknowledgement {
                packet_type: PacketType::PubRel,
                packet_id,
            })
        }
    }

    fn expect_answer(
        &self,
        packet_type: PacketType,
        packet_id: PacketId,
        answer: Request,
    ) -> Expected {
        let in_use = self.sent(packet_id).is_some();
        let has_codes = answer != Request::Unsubscribe(0);
        Expected::Fault(match (self.requests.get(&packet_id), answer) {
            (Some(request), answer) if *request == answer => return Expected::Handled,
            // UNSUBACK of MQTT 3.1.1 has no codes.
            (Some(Request::Unsubscribe(_)), _) if !has_codes => return Expected::Handled,
            (Some(Request::Subscribe(_)), Request::Subscribe(_))
            | (Some(Request::Unsubscribe(_)), Request::Unsubscribe(_)) => {
                ProtocolError::WrongNumberOfReturnCodes
            }
            (None, _) if !in_use => ProtocolError::NoSuchRequest {
                packet_type,
                packet_id,
            },
            _ => ProtocolError::WrongAcknowledgement {
                packet_type,
                packet_id,
            },
        })
    }
}
