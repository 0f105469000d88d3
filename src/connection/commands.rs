//! Commands that both roles have: what the application wants to send, and what it gives up or
//! acknowledges.

use super::core::Core;
use super::error::CommandError;
use super::event::{Message, MessageHeader};
use super::state::State;
use crate::session::{Change, Phase, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS, TopicName};
use crate::v3::{Delivery, EncodedMessage, Publish, PublishHeader, SubscriberHeader};
use crate::wire::{Encode, OPTIMIZE_SIZE, Output};

impl<S: Slots> Core<S> {
    /// Whether anything may be sent now: after CONNECT or CONNACK [MQTT-3.1.0-1, MQTT-3.2.0-1], and
    /// not after the end [MQTT-3.14.4-2].
    #[inline]
    pub(super) const fn check_may_send(&self) -> Result<(), CommandError> {
        if !OPTIMIZE_SIZE && self.pending.may_send() {
            return Ok(());
        }
        self.check_slow()
    }

    /// [`check_may_send`](Self::check_may_send) where something may stand in the way.
    #[cfg_attr(target_pointer_width = "64", cold)]
    const fn check_slow(&self) -> Result<(), CommandError> {
        match self.state() {
            State::Connected => {}
            // Only what came before it is under way on this connection, or nothing at all.
            State::Requested if self.config.early && self.session.outbound.unsent() == 0 => {}
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

    /// The identifier and QoS for a new message.
    fn next_delivery(&mut self, qos: QoS) -> Result<Delivery, CommandError> {
        if qos == QoS::AtMostOnce {
            return Ok(Delivery::AtMostOnce); // [MQTT-4.3.1-1]
        }
        let outbound = &mut self.session.outbound;
        if outbound.unsent() > 0 {
            return Err(CommandError::ResendPending);
        }
        if outbound.in_flight() >= self.config.max_inflight {
            return Err(CommandError::WindowFull);
        }
        let packet_id = outbound.next_id().ok_or(CommandError::WindowFull)?;
        // [MQTT-4.3.2-1, MQTT-4.3.3-1]
        Ok(Delivery::new(qos, packet_id, false))
    }

    pub(super) fn can_publish(&mut self, qos: QoS) -> bool {
        self.check_may_send().is_ok() && self.next_delivery(qos).is_ok()
    }

    /// A new message has been encoded.
    fn commit(&mut self, delivery: Delivery) -> Option<PacketId> {
        self.sent_now();
        let packet_id = delivery.packet_id()?;
        let qos = delivery.qos();
        self.session.outbound.begin(Phase::Publish(qos));
        self.set_change(Some(Change::Sent { packet_id, qos }));
        Some(packet_id)
    }

    #[inline]
    pub(super) fn publish<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        message: &Message<B>,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError> {
        self.check_may_send()?;
        let delivery = self.next_delivery(message.qos)?;
        publish(message, delivery).encode(out)?;
        self.tick(now);
        Ok(self.commit(delivery))
    }

    #[inline]
    pub(super) fn publish_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        qos: QoS,
        retain: bool,
    ) -> Result<SubscriberHeader, CommandError> {
        self.check_may_send()?;
        let delivery = self.next_delivery(qos)?;
        self.tick(now);
        self.commit(delivery);
        Ok(message.subscriber_header(delivery, retain))
    }

    pub(super) fn publish_in_pieces<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        message: &MessageHeader<B>,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError> {
        self.check_may_send()?;
        let delivery = self.next_delivery(message.qos)?;
        publish_header(message, delivery).encode(out)?;
        self.tick(now);
        self.pending.set_outgoing(message.payload_len);
        Ok(self.commit(delivery))
    }

    pub(super) fn payload<O: Output + ?Sized>(
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

    pub(super) fn payload_sent(&mut self, now: Timestamp, len: usize) -> Result<u32, CommandError> {
        let left = self.payload_left(len)?;
        if len > 0 {
            self.tick(now);
            self.sent_now();
            self.mark_backpressure();
            self.pending.set_outgoing(left);
        }
        Ok(left)
    }

    /// How many bytes of payload are still to be sent after `len` more.
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

    /// The message with this identifier, as far as the connection has asked for it.
    fn asked(&self, id: PacketId, qos: QoS) -> Result<Delivery, CommandError> {
        self.check_may_send()?;
        if !self.session.outbound.is_asked(id) {
            return Err(CommandError::NotAwaited);
        }
        if self.session.outbound.phase(id) != Some(Phase::Publish(qos)) {
            return Err(CommandError::QosChanged);
        }
        Ok(Delivery::new(qos, id, true)) // [MQTT-3.3.1-1]
    }

    /// A message has been encoded again.
    fn commit_again(&mut self, now: Timestamp, id: PacketId) {
        self.tick(now);
        self.sent_now();
        self.session.outbound.mark_sent(id);
    }

    pub(super) fn resend<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &Message<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let delivery = self.asked(id, message.qos)?;
        publish(message, delivery).encode(out)?;
        self.commit_again(now, id);
        Ok(())
    }

    pub(super) fn resend_encoded<T: AsRef<[u8]>, P: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &EncodedMessage<T, P>,
        qos: QoS,
        retain: bool,
    ) -> Result<SubscriberHeader, CommandError> {
        let delivery = self.asked(id, qos)?;
        self.commit_again(now, id);
        Ok(message.subscriber_header(delivery, retain))
    }

    pub(super) fn resend_in_pieces<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        id: PacketId,
        message: &MessageHeader<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let delivery = self.asked(id, message.qos)?;
        publish_header(message, delivery).encode(out)?;
        self.pending.set_outgoing(message.payload_len);
        self.commit_again(now, id);
        Ok(())
    }

    pub(super) fn forget(&mut self, id: PacketId) -> Result<(), CommandError> {
        if !self.session.outbound.is_asked(id) {
            return Err(CommandError::NotAwaited);
        }
        self.check_may_send()?;
        self.session.outbound.complete(id);
        self.set_change(Some(Change::Completed(id)));
        Ok(())
    }

    pub(super) fn acknowledge(&mut self, id: PacketId) -> Result<(), CommandError> {
        if self.session.inbound.acknowledge(id) {
            Ok(())
        } else {
            Err(CommandError::NotAwaited)
        }
    }
}

#[inline]
fn publish<B: AsRef<[u8]>>(message: &Message<B>, delivery: Delivery) -> Publish<&[u8]> {
    Publish {
        delivery,
        retain: message.retain,
        topic: TopicName::as_ref(&message.topic),
        payload: message.payload.as_ref(),
    }
}

fn publish_header<B: AsRef<[u8]>>(
    message: &MessageHeader<B>,
    delivery: Delivery,
) -> PublishHeader<&[u8]> {
    PublishHeader {
        delivery,
        retain: message.retain,
        topic: TopicName::as_ref(&message.topic),
        payload_len: message.payload_len,
    }
}
