//! The flows of section 4.3, the same for both roles.
//!
//! ```text
//! Sender (session.outbound)                    Receiver (session.inbound)
//!
//! QoS 1   publish --PUBLISH-->  Sent           --PUBLISH-->  deliver, acknowledge --PUBACK-->
//!         Sent    <--PUBACK--   done
//!
//! QoS 2   publish --PUBLISH-->  Sent           --PUBLISH-->  deliver, acknowledge --PUBREC--> Received
//!         Sent    <--PUBREC--   --PUBREL--> Released
//!                                              Received      --PUBLISH--> (again) --PUBREC-->
//!         Released <--PUBREC--  --PUBREL-->    Received      <--PUBREL--  done    --PUBCOMP-->
//!         Released <--PUBCOMP-- done           (not known)   <--PUBREL--          --PUBCOMP-->
//! ```
//!
//! | received | for an identifier that is | effect |
//! |---|---|---|
//! | PUBACK | Sent at QoS 1 | done |
//! | PUBREC | Sent at QoS 2 | Released, PUBREL |
//! | PUBREC | Released, or not in use | PUBREL |
//! | PUBCOMP | Released | done |
//! | PUBACK, PUBCOMP | not in use | nothing: it answers a resend of a complete exchange |
//! | PUBCOMP | in use for anything else | nothing, once for each PUBREL that no message needed |
//! | any of them | in use for anything else | a violation |
//! | PUBREL | Received, not known, or from an earlier connection | PUBCOMP, and it is forgotten |
//! | PUBREL | for a message of this connection, not acknowledged with PUBREC | a violation |

use super::super::config::Config;
use super::super::error::{Blocked, ProtocolError};
use super::super::reply::PendingReply;
use super::super::version::Progress;
use super::incoming::Rejection;
use crate::connection::config::{MANUAL_ACKNOWLEDGEMENT, RESEND_WITHOUT_DUP};
use crate::session::{Change, Outbound, Phase, Receipt, Session, Slots};
use crate::types::{Delivery, PacketId, QoS};
use crate::wire::PacketType;

/// The Reason Code of a PUBREL or PUBCOMP for an identifier that is in use, or is not: 0x00 success,
/// 0x92 Packet Identifier not found. The packets of MQTT 3.1.1 have none.
const fn reason(is_in_use: bool) -> u8 {
    if is_in_use { 0x00 } else { 0x92 }
}

/// The effect of an acknowledgement: at most one event, one change and one reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Effect {
    pub(super) progress: Option<Progress>,
    pub(super) change: Option<Change>,
    pub(super) reply: Option<PendingReply>,
}

/// The decision about a received PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Disposition {
    Deliver,
    /// It was delivered before [MQTT-4.3.3-2, MQTT5-4.3.3-10].
    Duplicate,
    /// It is acknowledged and its payload skipped: the event has only its header.
    Skip,
    /// No slot is free for it. It is not acknowledged, so the peer sends it again on the next
    /// connection.
    LeaveOut,
}

/// Handles PUBACK, PUBREC or PUBCOMP. Returns `None` if the identifier is in use for something
/// else.
///
/// `unmatched_pubrels` is the number of PUBRELs sent on this connection that no message needed, and
/// whose PUBCOMP was not received yet.
#[inline]
pub(super) fn acknowledgement<S: Slots>(
    session: &mut Session<S>,
    unmatched_pubrels: &mut u16,
    packet_type: PacketType,
    id: PacketId,
    refused: bool,
    puback_at_qos_2: bool,
) -> Option<Effect> {
    let outbound = &mut session.outbound;
    Some(match (packet_type, outbound.phase(id)) {
        // [MQTT-4.3.2-1, MQTT-4.3.3-1, MQTT5-4.3.2-3, MQTT5-4.3.3-5, MQTT5-4.4.0-2]
        (PacketType::PubAck, Some(Phase::Publish(QoS::AtLeastOnce)))
        | (PacketType::PubComp, Some(Phase::Released)) => completed(outbound, id),
        (PacketType::PubAck, Some(Phase::Publish(QoS::ExactlyOnce))) if puback_at_qos_2 => {
            completed(outbound, id)
        }
        // [MQTT5-4.3.3-4]
        (PacketType::PubRec, Some(Phase::Publish(QoS::ExactlyOnce) | Phase::Released))
            if refused =>
        {
            completed(outbound, id)
        }
        (PacketType::PubRec, None) if refused => Effect::default(),
        // [MQTT-4.3.3-1, MQTT5-4.3.3-3, MQTT5-4.3.3-4]
        (PacketType::PubRec, Some(Phase::Publish(QoS::ExactlyOnce))) => {
            outbound.release(id);
            Effect {
                progress: Some(Progress::AcceptedByPeer(id)),
                change: Some(Change::Released(id)),
                reply: Some(PendingReply::pubrel(id, 0)),
            }
        }
        // The PUBREL may have been lost with a connection. A peer that still holds an identifier
        // that is not in use here must be able to complete its exchange.
        (PacketType::PubRec, phase @ (Some(Phase::Released) | None)) => {
            if !outbound.mark_sent(id) {
                *unmatched_pubrels = unmatched_pubrels.saturating_add(1);
            }
            Effect {
                reply: Some(PendingReply::pubrel(id, reason(phase.is_some()))),
                ..Effect::default()
            }
        }
        // The identifier may have been used again since that PUBREL was sent.
        (PacketType::PubComp, _) if *unmatched_pubrels > 0 => {
            *unmatched_pubrels = unmatched_pubrels.saturating_sub(1);
            Effect::default()
        }
        (_, None) => Effect::default(),
        (_, Some(_)) => return None,
    })
}

/// Completes the exchange and frees the Packet Identifier.
fn completed<S: Slots>(outbound: &mut Outbound<S>, id: PacketId) -> Effect {
    outbound.complete(id);
    Effect {
        progress: Some(Progress::Completed(id)),
        change: Some(Change::Completed(id)),
        reply: None,
    }
}

/// Handles PUBREL. Returns `None` if it is too early.
/// [MQTT-2.3.1-6, MQTT-4.3.3-2, MQTT5-2.2.1-5, MQTT5-4.3.3-11, MQTT5-4.3.3-12, MQTT5-4.3.3-13]
pub(super) fn released<S: Slots>(session: &mut Session<S>, id: PacketId) -> Option<Effect> {
    let receipt = session.inbound.receipt(id);
    let change =
        match receipt {
            // Also for an unknown identifier, so that the peer can complete its exchange.
            None => None,
            Some(Receipt::Received) => Some(Change::Forgotten(id)),
            // PUBREL implies that the peer has received PUBREC. That can be from an earlier
            // connection.
            Some(
                Receipt::Delivered(QoS::ExactlyOnce) | Receipt::Acknowledged(QoS::ExactlyOnce),
            ) if session.inbound.is_stale(id) => Some(Change::Forgotten(id)),
            Some(_) => return None,
        };
    if change.is_some() {
        session.inbound.remove(id);
    }
    Some(Effect {
        progress: None,
        change,
        reply: Some(PendingReply::pubcomp(id, reason(receipt.is_some()))),
    })
}

/// Returns true if the identifier of a message is held until the peer, or the application, has
/// completed its part.
#[inline]
pub(super) const fn is_to_be_held(delivery: &Delivery, manual: bool) -> bool {
    match delivery.qos() {
        QoS::AtMostOnce => false,
        QoS::AtLeastOnce => manual && !has_packet_id_0(delivery),
        QoS::ExactlyOnce => true,
    }
}

/// Returns true for a message of a peer that uses Packet Identifier 0. It is not held, because the
/// next one has the same identifier.
const fn has_packet_id_0(delivery: &Delivery) -> bool {
    match delivery.packet_id() {
        Some(id) => id.is_zero(),
        None => false,
    }
}

/// Returns the reply to a message whose identifier is not held: PUBACK with its identifier, or
/// nothing [MQTT-2.3.1-6, MQTT-3.3.4-1, MQTT-4.3.2-2, MQTT5-2.2.1-5, MQTT5-3.3.4-1, MQTT5-4.3.2-4]
/// [MQTT5-4.3.2-5].
#[inline]
pub(super) const fn puback(delivery: &Delivery) -> Option<PendingReply> {
    match delivery.packet_id() {
        Some(id) => Some(PendingReply::puback(id, 0)),
        None => None,
    }
}

/// Classifies a PUBLISH, or its header if the payload arrives in pieces. Changes at most the number of
/// slots of a `Vec`. [`give_up`] follows for a message to deliver, and [`complete`] when it is
/// complete.
pub(super) fn classify<S: Slots>(
    session: &mut Session<S>,
    delivery: Delivery,
    config: &Config,
    announced: u16,
    is_over_limit: bool,
) -> Result<Disposition, Rejection> {
    let Some(id) = delivery.packet_id() else {
        return Ok(Disposition::Deliver);
    };
    let receipt = session.inbound.receipt(id);
    let is_stale = receipt.is_some() && session.inbound.is_stale(id);
    // A message counts once on each connection [MQTT5-3.3.4-9].
    if (receipt.is_none() || is_stale) && session.inbound.current() >= announced {
        return Err(Rejection::Protocol(ProtocolError::ReceiveMaximumExceeded));
    }
    if let Some(receipt) = receipt {
        let is_same_qos = receipt.qos() == delivery.qos();
        // A resent message has DUP [MQTT-3.3.1-1]. Between PUBREC and PUBREL every message with
        // this identifier is the same one [MQTT-4.3.3-2].
        let is_sent_again = delivery.dup()
            || (is_stale && config.has(RESEND_WITHOUT_DUP))
            || (!is_stale && receipt == Receipt::Received);
        return if is_same_qos && is_sent_again {
            Ok(Disposition::Duplicate)
        } else if is_stale {
            // A client that lost its session starts again at identifier 1. It will not release the
            // earlier message, so the slot is free for the new one.
            Ok(Disposition::Deliver)
        } else {
            // On the same connection the peer must not reuse the identifier [MQTT-2.3.1-2].
            Err(Rejection::Protocol(ProtocolError::PacketIdInUse(id)))
        };
    }
    let is_to_be_held = is_to_be_held(&delivery, config.has(MANUAL_ACKNOWLEDGEMENT));
    if is_to_be_held && is_over_limit {
        // After a message was left out, later ones are left out too, to keep the order of the
        // messages.
        return Ok(Disposition::LeaveOut);
    }
    if is_to_be_held && !session.inbound.has_room(config.receive_maximum) {
        if session.inbound.is_queue_empty() {
            return Ok(Disposition::LeaveOut);
        }
        return Err(Rejection::Blocked(Blocked::InboundFull));
    }
    Ok(Disposition::Deliver)
}

/// Gives up the message that an earlier connection left under this Packet Identifier, because the
/// peer has given it up. Called for a message to deliver. Returns the identifier.
pub(super) fn give_up<S: Slots>(session: &mut Session<S>, delivery: Delivery) -> Option<PacketId> {
    let id = delivery.packet_id()?;
    session.inbound.receipt(id)?;
    session.inbound.remove(id);
    Some(id)
}

/// Completes a classified PUBLISH. It is acknowledged with its own identifier
/// [MQTT-2.3.1-6, MQTT-3.3.4-1, MQTT-4.3.2-2, MQTT5-3.3.4-1, MQTT5-4.3.2-4, MQTT5-4.3.3-8], whether
/// or not the application accepts its content [MQTT-4.5.0-2, MQTT5-4.5.0-2].
pub(super) fn complete<S: Slots>(
    session: &mut Session<S>,
    delivery: Delivery,
    disposition: Disposition,
    manual: bool,
) -> Effect {
    // `classify` has checked for a free slot, and none was used since.
    let limit = u16::MAX;
    let Some(id) = delivery
        .packet_id()
        .filter(|_| disposition != Disposition::LeaveOut)
    else {
        return Effect::default();
    };
    let qos = delivery.qos();
    let inbound = &mut session.inbound;
    let held = inbound.receipt(id);
    if disposition == Disposition::Duplicate && held == Some(Receipt::Received) {
        // An earlier message whose refusal was lost may await the application again
        // [MQTT-4.6.0-3, MQTT5-4.6.0-3].
        if inbound.is_stale(id) && !inbound.is_queue_empty() {
            inbound.hold(id, Receipt::Acknowledged(qos), limit);
            inbound.enqueue(id);
            return Effect::default();
        }
        inbound.mark_current(id);
        return Effect {
            reply: Some(PendingReply::pubrec(id, 0)),
            ..Effect::default()
        };
    }
    if manual && !has_packet_id_0(&delivery) {
        // A skipped message is acknowledged in order too.
        let receipt = match disposition {
            Disposition::Deliver => Some(Receipt::Delivered(qos)),
            Disposition::Skip => Some(Receipt::Acknowledged(qos)),
            Disposition::Duplicate | Disposition::LeaveOut => None,
        };
        if let Some(receipt) = receipt {
            inbound.hold(id, receipt, limit);
        }
        inbound.enqueue(id);
        return Effect::default();
    }
    // The duplicate is from a connection with manual acknowledgement.
    if qos == QoS::ExactlyOnce {
        inbound.hold(id, Receipt::Received, limit);
        Effect {
            progress: None,
            change: Some(Change::InboundReceived(id)),
            reply: Some(PendingReply::pubrec(id, 0)),
        }
    } else {
        inbound.remove(id);
        Effect {
            reply: puback(&delivery),
            ..Effect::default()
        }
    }
}
