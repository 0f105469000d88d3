//! Handles messages and acknowledgements of the peer.

use super::super::error::{Blocked, ProtocolError};
use super::super::state::State;
use super::super::version::Progress;
use super::Machine;
use super::delivery::{self, Disposition, Effect};
use super::pending::Incoming;
use crate::connection::config::{MANUAL_ACKNOWLEDGEMENT, PUBACK_AT_QOS_2};
use crate::session::Slots;
use crate::time::Timestamp;
use crate::types::{Delivery, PacketId};
use crate::wire::{OPTIMIZE_SIZE, PacketType};

/// The reason why a packet was not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The connection has ended.
    Ended,
    /// The application has to do something first. Nothing has changed.
    Blocked(Blocked),
    /// The peer must not send it.
    Protocol(ProtocolError),
}

impl From<Blocked> for Rejection {
    fn from(blocked: Blocked) -> Self {
        Self::Blocked(blocked)
    }
}

impl From<ProtocolError> for Rejection {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl<S: Slots> Machine<S> {
    /// Checks whether the next packet can be handled, of any type.
    pub(crate) const fn check_may_handle(&self) -> Result<(), Rejection> {
        if self.pending.is_over() {
            return Err(Rejection::Ended);
        }
        if self.pending.has_reply() && self.is_sending_payload() {
            return Err(Rejection::Blocked(Blocked::SendingPayload));
        }
        if self.pending.has_store() || self.pending.has_reply() {
            return Err(Rejection::Blocked(Blocked::ActionsPending));
        }
        Ok(())
    }

    /// Checks whether a message, or an acknowledgement of one, can be handled.
    #[inline]
    pub(crate) const fn can_handle_message(&self) -> bool {
        self.pending.can_handle_message()
    }

    /// Checks that no message is being received in pieces, between which no other packet is
    /// allowed.
    pub(crate) const fn check_between_messages(&self) -> Result<(), Rejection> {
        if self.is_receiving_payload() {
            return Err(Rejection::Blocked(Blocked::ReceivingPayload));
        }
        Ok(())
    }

    /// Handles PUBACK, PUBREC, PUBREL or PUBCOMP. `refused` is true for a PUBREC that refuses the
    /// message.
    #[inline(never)]
    pub(crate) fn handle_acknowledgement(
        &mut self,
        now: Timestamp,
        packet_type: PacketType,
        id: PacketId,
        refused: bool,
    ) -> Result<Option<Progress>, Rejection> {
        self.tick(now);
        let effect = match packet_type {
            PacketType::PubRel => {
                let effect = delivery::released(&mut self.session, id);
                if self.pending.is_over_limit() && effect.is_some_and(|e| e.change.is_some()) {
                    self.expect_pubrel();
                }
                effect
            }
            _ => delivery::acknowledgement(
                &mut self.session,
                &mut self.unmatched_pubrels,
                packet_type,
                id,
                refused,
                self.config.has(PUBACK_AT_QOS_2),
            ),
        };
        match effect {
            Some(effect) => Ok(self.take_effect(effect)),
            None => Err(Rejection::Protocol(ProtocolError::WrongAcknowledgement {
                packet_type,
                packet_id: id,
            })),
        }
    }

    #[inline]
    const fn take_effect(&mut self, effect: Effect) -> Option<Progress> {
        self.set_change(effect.change);
        self.pending.set_reply(effect.reply);
        self.received_now();
        effect.progress
    }

    /// Classifies a message. Also returns the identifier of the message that it replaces.
    fn classify(
        &mut self,
        delivery: Delivery,
    ) -> Result<(Disposition, Option<PacketId>), Rejection> {
        let is_over_limit = self.pending.is_over_limit();
        let disposition = delivery::classify(
            &mut self.session,
            delivery,
            &self.config,
            self.announced_receive_maximum,
            is_over_limit,
        )?;
        let given_up = match disposition {
            Disposition::Deliver => delivery::give_up(&mut self.session, delivery),
            Disposition::LeaveOut if !is_over_limit => {
                self.pending.set_over_limit();
                self.expect_pubrel();
                None
            }
            Disposition::Duplicate | Disposition::Skip | Disposition::LeaveOut => None,
        };
        Ok((disposition, given_up))
    }

    fn complete(&mut self, delivery: Delivery, disposition: Disposition) {
        let manual = self.config.has(MANUAL_ACKNOWLEDGEMENT);
        let effect = delivery::complete(&mut self.session, delivery, disposition, manual);
        self.take_effect(effect);
    }

    /// Handles PUBLISH.
    #[inline(always)]
    pub(crate) fn handle_message(
        &mut self,
        now: Timestamp,
        delivery: &Delivery,
    ) -> Result<Disposition, Rejection> {
        if !OPTIMIZE_SIZE
            && self.session.inbound.is_empty()
            && !delivery::is_to_be_held(delivery, self.config.has(MANUAL_ACKNOWLEDGEMENT))
        {
            // Without held identifiers there can be no duplicate.
            self.tick(now);
            self.pending.set_reply(delivery::puback(delivery));
            self.received_now();
            return Ok(Disposition::Deliver);
        }
        self.handle_held_message(now, *delivery)
    }

    /// [`handle_message`](Self::handle_message) for every message.
    #[inline(never)]
    fn handle_held_message(
        &mut self,
        now: Timestamp,
        delivery: Delivery,
    ) -> Result<Disposition, Rejection> {
        self.tick(now);
        let (disposition, forgotten) = self.classify(delivery)?;
        self.complete(delivery, disposition);
        self.set_forgotten(forgotten);
        Ok(disposition)
    }

    /// Handles the header of a PUBLISH whose payload follows in pieces.
    pub(crate) fn begin_message(
        &mut self,
        now: Timestamp,
        delivery: Delivery,
        payload_len: u32,
        skip: bool,
    ) -> Result<Disposition, Rejection> {
        self.check_may_handle()?;
        self.tick(now);
        if self.state() != State::Connected {
            return Err(ProtocolError::Unexpected(PacketType::Publish).into());
        }
        self.check_between_messages()?;
        let (disposition, forgotten) = self.classify(delivery)?;
        let disposition = match disposition {
            Disposition::Deliver if skip => Disposition::Skip,
            other => other,
        };
        self.received_now();
        if payload_len == 0 {
            self.complete(delivery, disposition);
        } else {
            self.pending.set_incoming(Some(Incoming {
                delivery,
                disposition,
            }));
        }
        self.set_forgotten(forgotten);
        Ok(disposition)
    }

    /// Handles a piece of a payload, of which `left` more bytes follow.
    pub(crate) fn handle_payload(
        &mut self,
        now: Timestamp,
        left: usize,
    ) -> Result<Disposition, Rejection> {
        self.check_may_handle()?;
        self.tick(now);
        let Some(Incoming {
            delivery,
            disposition,
        }) = self.pending.incoming()
        else {
            return Err(Blocked::HeaderFirst.into());
        };
        self.received_now();
        if left == 0 {
            self.pending.set_incoming(None);
            self.complete(delivery, disposition);
        }
        Ok(disposition)
    }
}
