//! Inputs that both roles have: messages and acknowledgements that come.

use super::config::Config;
use super::core::Core;
use super::delivery::{self, Disposition, Effect, Progress, Rejection};
use super::error::{Blocked, HandleError, PeerError};
use super::event::Event;
use super::state::{Incoming, State};
use crate::session::Slots;
use crate::time::Timestamp;
use crate::types::PacketId;
use crate::v3::{Delivery, Publish, PublishHeader};
use crate::wire::{OPTIMIZE_SIZE, PacketType};

impl<S: Slots> Core<S> {
    /// Whether the next packet can be dealt with, whatever it is.
    pub(super) fn check_may_handle(&self) -> Result<(), HandleError> {
        if self.pending.is_over() {
            return Err(HandleError::Ended);
        }
        if self.has_answer() && self.is_sending_payload() {
            return Err(Blocked::SendingPayload.into());
        }
        if self.pending.has_store() || self.has_answer() {
            return Err(Blocked::ActionsPending.into());
        }
        Ok(())
    }

    /// PUBACK, PUBREC, PUBREL or PUBCOMP has come.
    #[inline(always)]
    pub(super) fn handle_acknowledgement<B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        packet_type: PacketType,
        id: PacketId,
    ) -> Result<Option<Event<B>>, HandleError> {
        Ok(match self.take_acknowledgement(now, packet_type, id)? {
            Some(Progress::Received(id)) => Some(Event::AcceptedByPeer(id)),
            Some(Progress::Delivered(id)) => Some(Event::Delivered(id)),
            None => None,
        })
    }

    /// [`handle_acknowledgement`](Self::handle_acknowledgement) without the event, which is larger
    /// than what fits into registers.
    #[inline(never)]
    fn take_acknowledgement(
        &mut self,
        now: Timestamp,
        packet_type: PacketType,
        id: PacketId,
    ) -> Result<Option<Progress>, HandleError> {
        self.tick(now);
        let effect = match packet_type {
            PacketType::PubRel => delivery::released(&mut self.session, id),
            _ => {
                let unmatched_pubrels = &mut self.unmatched_pubrels;
                delivery::acknowledgement(&mut self.session, unmatched_pubrels, packet_type, id)
            }
        };
        match effect {
            Some(effect) => Ok(self.take_effect(effect)),
            None => Err(self.violation(PeerError::WrongAcknowledgement {
                packet_type,
                packet_id: id,
            })),
        }
    }

    #[inline]
    const fn take_effect(&mut self, effect: Effect) -> Option<Progress> {
        self.set_change(effect.change);
        self.pending.set_answer(effect.answer);
        self.received_now();
        effect.progress
    }

    fn judge(&mut self, delivery: Delivery) -> Result<Disposition, HandleError> {
        let Config {
            manual,
            receive_maximum,
            ..
        } = self.config;
        match delivery::judge(&mut self.session, delivery, manual, receive_maximum) {
            Ok(verdict) => Ok(verdict),
            Err(Rejection::Blocked(later)) => Err(later.into()),
            Err(Rejection::Peer(error)) => Err(self.violation(error)),
        }
    }

    fn deliver(&mut self, delivery: Delivery, verdict: Disposition) {
        let Config {
            manual,
            receive_maximum,
            ..
        } = self.config;
        let session = &mut self.session;
        let effect = delivery::delivered(session, delivery, verdict, manual, receive_maximum);
        self.take_effect(effect);
        self.note_delivery();
    }

    /// PUBLISH has come.
    #[inline(always)]
    pub(super) fn handle_publish<B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        publish: Publish<B>,
    ) -> Result<Option<Event<B>>, HandleError> {
        Ok(match self.take_message(now, publish.delivery)? {
            Disposition::Deliver => Some(Event::Message(publish)),
            Disposition::Duplicate => None,
        })
    }

    /// [`handle_publish`](Self::handle_publish) without what the application gets of it, so that
    /// it need not be moved.
    #[inline(always)]
    pub(super) fn take_message(
        &mut self,
        now: Timestamp,
        delivery: Delivery,
    ) -> Result<Disposition, HandleError> {
        if !OPTIMIZE_SIZE
            && self.session.inbound.is_empty()
            && !delivery::is_to_be_held(delivery, self.config.manual)
        {
            // There is nothing that it could be a duplicate of.
            self.tick(now);
            self.pending.set_answer(delivery::passed_on(delivery));
            self.received_now();
            return Ok(Disposition::Deliver);
        }
        self.take_message_slow(now, delivery)
    }

    /// [`take_message`](Self::take_message) for every message.
    #[inline(never)]
    fn take_message_slow(
        &mut self,
        now: Timestamp,
        delivery: Delivery,
    ) -> Result<Disposition, HandleError> {
        self.tick(now);
        let verdict = self.judge(delivery)?;
        self.deliver(delivery, verdict);
        Ok(verdict)
    }

    pub(super) fn handle_publish_header<B: AsRef<[u8]>>(
        &mut self,
        header: PublishHeader<B>,
    ) -> Result<Option<Event<B>>, HandleError> {
        if self.state() != State::Connected {
            return Err(self.violation(PeerError::Unexpected(PacketType::Publish)));
        }
        if self.is_receiving_payload() {
            return Err(Blocked::ReceivingPayload.into());
        }
        let verdict = self.judge(header.delivery)?;
        self.received_now();
        if header.payload_len == 0 {
            self.deliver(header.delivery, verdict);
        } else {
            self.pending.set_incoming(Some(Incoming {
                delivery: header.delivery,
                duplicate: verdict == Disposition::Duplicate,
            }));
        }
        Ok(match verdict {
            Disposition::Deliver => Some(Event::MessageHeader(header)),
            Disposition::Duplicate => None,
        })
    }

    pub(super) fn handle_payload<B: AsRef<[u8]>>(
        &mut self,
        bytes: B,
        left: usize,
    ) -> Result<Option<Event<B>>, HandleError> {
        let Some(Incoming {
            delivery,
            duplicate,
        }) = self.pending.incoming()
        else {
            return Err(Blocked::HeaderFirst.into());
        };
        self.received_now();
        if left == 0 {
            self.pending.set_incoming(None);
            let verdict = if duplicate {
                Disposition::Duplicate
            } else {
                Disposition::Deliver
            };
            self.deliver(delivery, verdict);
        }
        Ok((!duplicate).then_some(Event::Payload { bytes, left }))
    }
}
