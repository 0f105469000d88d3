//! Inputs that both roles have: messages and acknowledgements that come.

use super::config::Config;
use super::core::Core;
use super::delivery::{self, Effect, Progress, Rejection, Verdict};
use super::error::{HandleError, NotNow, PeerError};
use super::event::Event;
use super::state::{Incoming, State};
use crate::session::Slots;
use crate::time::Timestamp;
use crate::types::PacketId;
use crate::v3::{Delivery, Publish, PublishHeader};
use crate::wire::{PacketType, SMALL};

impl<S: Slots> Core<S> {
    /// Whether the next packet can be dealt with, whatever it is.
    pub(super) fn check_may_handle(&self) -> Result<(), HandleError> {
        if self.pending.is_over() {
            return Err(HandleError::Ended);
        }
        if self.has_answer() && self.is_sending_payload() {
            return Err(NotNow::SendingPayload.into());
        }
        if self.pending.has_store() || self.has_answer() {
            return Err(NotNow::ActionsPending.into());
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
            Some(Progress::Received(id)) => Some(Event::Received(id)),
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
                let extra_pubrels = &mut self.extra_pubrels;
                delivery::acknowledgement(&mut self.session, extra_pubrels, packet_type, id)
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

    fn judge(&mut self, delivery: Delivery) -> Result<Verdict, HandleError> {
        let Config {
            manual,
            max_inbound,
            ..
        } = self.config;
        match delivery::judge(&mut self.session, delivery, manual, max_inbound) {
            Ok(verdict) => Ok(verdict),
            Err(Rejection::NotNow(later)) => Err(later.into()),
            Err(Rejection::Peer(error)) => Err(self.violation(error)),
        }
    }

    fn deliver(&mut self, delivery: Delivery, verdict: Verdict) {
        let Config {
            manual,
            max_inbound,
            ..
        } = self.config;
        let session = &mut self.session;
        let effect = delivery::delivered(session, delivery, verdict, manual, max_inbound);
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
            Verdict::Deliver => Some(Event::Message(publish)),
            Verdict::Duplicate => None,
        })
    }

    /// [`handle_publish`](Self::handle_publish) without what the application gets of it, so that
    /// it need not be moved.
    #[inline(always)]
    pub(super) fn take_message(
        &mut self,
        now: Timestamp,
        delivery: Delivery,
    ) -> Result<Verdict, HandleError> {
        if !SMALL
            && self.session.inbound.is_empty()
            && !delivery::is_to_be_held(delivery, self.config.manual)
        {
            // There is nothing that it could be a duplicate of.
            self.tick(now);
            self.pending.set_answer(delivery::passed_on(delivery));
            self.received_now();
            return Ok(Verdict::Deliver);
        }
        self.take_message_with_care(now, delivery)
    }

    /// [`take_message`](Self::take_message) for every message.
    #[inline(never)]
    fn take_message_with_care(
        &mut self,
        now: Timestamp,
        delivery: Delivery,
    ) -> Result<Verdict, HandleError> {
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
            return Err(NotNow::PayloadPending.into());
        }
        let verdict = self.judge(header.delivery)?;
        self.received_now();
        if header.payload_len == 0 {
            self.deliver(header.delivery, verdict);
        } else {
            self.pending.set_incoming(Some(Incoming {
                delivery: header.delivery,
                duplicate: verdict == Verdict::Duplicate,
            }));
        }
        Ok(match verdict {
            Verdict::Deliver => Some(Event::MessageHeader(header)),
            Verdict::Duplicate => None,
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
            return Err(NotNow::HeaderFirst.into());
        };
        self.received_now();
        if left == 0 {
            self.pending.set_incoming(None);
            let verdict = if duplicate {
                Verdict::Duplicate
            } else {
                Verdict::Deliver
            };
            self.deliver(delivery, verdict);
        }
        Ok((!duplicate).then_some(Event::Payload { bytes, left }))
    }
}
