//! Messages that the application sends, gives up, or acknowledges.

use super::super::error::CommandError;
use super::super::reply::PendingReply;
use super::super::state::State;
use super::Machine;
use crate::connection::config::SEND_BEFORE_CONNACK;
use crate::session::{Acknowledgement, Change, Phase, Slots};
use crate::time::Timestamp;
use crate::types::{Delivery, PacketId, QoS};
use crate::wire::Output;

impl<S: Slots> Machine<S> {
    /// Checks that a packet may be sent now: after CONNECT or CONNACK [MQTT-3.1.0-1, MQTT-3.2.0-1],
    /// and not after the end [MQTT-3.14.4-2].
    #[inline]
    pub(crate) const fn check_may_send(&self) -> Result<(), CommandError> {
        match self.state() {
            State::Connected => {}
            // Only CONNECT, or nothing at all, was sent on this connection before.
            State::Requested
                if self.config.has(SEND_BEFORE_CONNACK) && self.session.outbound.unsent() == 0 => {}
            State::Start | State::Requested => return Err(CommandError::NotConnected),
            State::Ending | State::Ended => return Err(CommandError::Ended),
        }
        if self.is_sending_payload() {
            return Err(CommandError::SendingPayload);
        }
        if self.pending.has_store() {
            return Err(CommandError::ActionsPending);
        }
        Ok(())
    }

    /// Returns the identifier and QoS for a new message.
    #[inline]
    pub(crate) fn next_delivery(&mut self, qos: QoS) -> Result<Delivery, CommandError> {
        if qos == QoS::AtMostOnce {
            return Ok(Delivery::AtMostOnce); // [MQTT-4.3.1-1, MQTT5-4.3.1-1]
        }
        let outbound = &mut self.session.outbound;
        if outbound.unsent() > 0 {
            return Err(CommandError::ResendPending);
        }
        // [MQTT5-4.9.0-2]
        if outbound.in_flight() >= self.config.max_inflight {
            return Err(CommandError::WindowFull);
        }
        let packet_id = outbound.next_id().ok_or(CommandError::WindowFull)?;
        // [MQTT-4.3.2-1, MQTT-4.3.3-1, MQTT5-2.2.1-3, MQTT5-2.2.1-4, MQTT5-4.3.2-1, MQTT5-4.3.2-2]
        // [MQTT5-4.3.3-1, MQTT5-4.3.3-2, MQTT5-3.3.1-3]
        Ok(Delivery::new(qos, packet_id, false))
    }

    pub(crate) fn can_publish(&mut self, qos: QoS) -> bool {
        self.check_may_send().is_ok() && self.next_delivery(qos).is_ok()
    }

    /// Records that a new message was encoded, of whose payload `payload_left` bytes follow in
    /// pieces.
    #[inline]
    pub(crate) fn commit(
        &mut self,
        now: Timestamp,
        delivery: Delivery,
        payload_left: u32,
    ) -> Option<PacketId> {
        self.tick(now);
        self.pending.set_outgoing(payload_left);
        self.sent_now();
        let packet_id = delivery.packet_id()?;
        let qos = delivery.qos();
        self.session.outbound.begin(Phase::Publish(qos));
        self.set_change(Some(Change::Sent { packet_id, qos }));
        Some(packet_id)
    }

    pub(crate) fn payload<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut O,
    ) -> Result<u32, CommandError> {
        self.payload_left(bytes.len())?;
        out.reserve(bytes.len())?;
        out.put(bytes)?;
        self.payload_sent(now, bytes.len())
    }

    pub(crate) fn payload_sent(&mut self, now: Timestamp, len: usize) -> Result<u32, CommandError> {
        let left = self.payload_left(len)?;
        if len > 0 {
            self.tick(now);
            self.sent_now();
            self.mark_backpressure();
            self.pending.set_outgoing(left);
        }
        Ok(left)
    }

    /// Returns how many bytes of payload are missing after `len` more.
    fn payload_left(&self, len: usize) -> Result<u32, CommandError> {
        if self.pending.is_over() {
            return Err(CommandError::Ended);
        }
        u32::try_from(len)
            .ok()
            .filter(|_| self.is_sending_payload())
            .and_then(|len| self.pending.outgoing().checked_sub(len))
            .ok_or(CommandError::PayloadTooLong)
    }

    /// Returns the delivery of the message with this identifier, if the connection has asked for
    /// it.
    pub(crate) fn requested(&self, id: PacketId, qos: QoS) -> Result<Delivery, CommandError> {
        self.check_may_send()?;
        if !self.session.outbound.is_asked(id) {
            return Err(CommandError::NotAwaited);
        }
        match self.session.outbound.phase(id) {
            Some(Phase::Publish(sent)) if sent == qos => {}
            _ => return Err(CommandError::QosChanged),
        }
        Ok(Delivery::new(qos, id, true)) // [MQTT-3.3.1-1, MQTT5-3.3.1-1]
    }

    /// Records that a message was encoded again, of whose payload `payload_left` bytes follow in
    /// pieces.
    pub(crate) fn commit_again(&mut self, now: Timestamp, id: PacketId, payload_left: u32) {
        self.tick(now);
        self.pending.set_outgoing(payload_left);
        self.sent_now();
        self.session.outbound.mark_sent(id);
    }

    pub(crate) fn forget(&mut self, id: PacketId) -> Result<(), CommandError> {
        if !self.session.outbound.is_asked(id) {
            return Err(CommandError::NotAwaited);
        }
        self.check_may_send()?;
        self.session.outbound.complete(id);
        self.set_change(Some(Change::Completed(id)));
        Ok(())
    }

    /// Returns the acknowledgement of the message with this identifier, if the message awaits one.
    pub(crate) fn acknowledgement(&self, id: PacketId) -> Option<Acknowledgement> {
        let inbound = &self.session.inbound;
        inbound.acknowledgement(id).or_else(|| {
            let is_pending = self.pending.acknowledgement_of(id).is_some();
            is_pending.then(|| inbound.acknowledgement_of_unheld(id))
        })
    }

    /// Returns true if this message is acknowledged automatically by the next reply.
    pub(crate) fn is_to_be_acknowledged(&self, acknowledgement: Acknowledgement) -> bool {
        self.automatic_acknowledgement(acknowledgement).is_some()
    }

    fn automatic_acknowledgement(&self, acknowledgement: Acknowledgement) -> Option<PendingReply> {
        let id = acknowledgement.packet_id();
        let is_unheld = acknowledgement == self.session.inbound.acknowledgement_of_unheld(id);
        self.pending.acknowledgement_of(id).filter(|_| is_unheld)
    }

    /// Acknowledges a message with a Reason Code. An automatic acknowledgement can get another code
    /// until it is polled.
    pub(crate) fn acknowledge(
        &mut self,
        acknowledgement: Acknowledgement,
        reason: u8,
    ) -> Result<(), CommandError> {
        if self.session.inbound.acknowledge(acknowledgement, reason) {
            return Ok(());
        }
        let id = acknowledgement.packet_id();
        let reply = self.automatic_acknowledgement(acknowledgement);
        let Some(reply) = reply.filter(|_| reason > 0) else {
            return Err(CommandError::NotAwaited);
        };
        self.pending.set_reply(Some(reply.with_code(reason)));
        if reason >= 0x80 {
            // The exchange ends: a refused QoS 2 message leaves nothing.
            let was_held = self.session.inbound.receipt(id).is_some();
            self.session.inbound.remove(id);
            if !self.pending.withdraw_received(id) && was_held {
                self.set_forgotten(Some(id)); // the receipt was stored before
            }
        }
        Ok(())
    }
}
