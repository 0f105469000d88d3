//! Receiving.

use mqtt_sansio::{Blocked, QoS};

use super::super::app::Arrival;
use super::super::connection::{Connection, Received, Request};
use super::super::context::{Context, Outcome, ensure, fail};
use super::super::endpoint::{Endpoint, Step};
use super::super::plan::{Side, number_of};
use super::super::version::{Event, Message, Seen};
use super::{Flow, Peer};

impl<E: Endpoint> Peer<E> {
    /// Reads some bytes, or the end of the connection. Returns true if there were any.
    pub(crate) fn receive(&mut self, ctx: &mut Context, newcomer: bool) -> Outcome<bool> {
        let mut any = false;
        self.with(ctx, newcomer, |peer, ctx, connection| {
            let most = if ctx.calm {
                4096
            } else {
                ctx.rng.usize(1..=ctx.plan.max_chunk)
            };
            // While a packet is blocked, nothing more is read.
            if !connection.is_blocked {
                let bytes = connection.socket.receive(most);
                any |= !bytes.is_empty();
                connection.came(&bytes);
            }
            let flow = peer.work_off(ctx, connection, &mut any)?;
            let is_over = connection.socket.is_at_end() && !connection.is_blocked;
            if flow == Flow::Goes && is_over {
                any = true;
                ctx.note(peer.side, format_args!("reads the end of the connection"));
                let now = connection.now(ctx);
                connection.endpoint.handle_transport_closed(now);
                return peer.drain(ctx, connection);
            }
            Ok(flow)
        })?;
        Ok(any)
    }

    pub(super) fn work_off(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection<E>,
        any: &mut bool,
    ) -> Outcome<Flow> {
        loop {
            let Received { step, packets } = connection.receive(ctx)?;
            if !packets.is_empty() {
                *any = true;
                connection.last_received = connection.clock;
                if self.side == Side::Server && connection.is_accepted {
                    self.app.memory.is_established = true;
                }
            }
            let messages = packets.iter().filter(|packet| is_qos_2(packet)).count() as u64;
            let delivered = ctx.stats.delivered_qos_2;
            connection.is_blocked = false;
            let is_over = matches!(step, Ok(None));
            match step {
                Ok(Some(Step::Event(event))) => {
                    *any = true;
                    self.take(ctx, connection, event)?;
                }
                Ok(Some(Step::Action(action))) => {
                    *any = true;
                    if ctx.misfortune(ctx.plan.crashes) {
                        return Ok(Flow::Crashed);
                    }
                    self.carry_out(ctx, connection, action)?;
                }
                Ok(None) => {}
                Err(reason) => {
                    self.check_not_now(ctx, connection, reason)?;
                    connection.is_blocked = true;
                    return Ok(Flow::Goes);
                }
            }
            let delivered = ctx.stats.delivered_qos_2 - delivered;
            ctx.stats.duplicates_suppressed += messages.saturating_sub(delivered);
            match self.drain(ctx, connection)? {
                Flow::Goes if !is_over => {}
                flow => return Ok(flow),
            }
        }
    }

    fn check_not_now(
        &self,
        ctx: &mut Context,
        connection: &Connection<E>,
        reason: Blocked,
    ) -> Outcome {
        let holds = match reason {
            Blocked::InboundFull => {
                ctx.stats.inbound_full += 1;
                // Or they were acknowledged, and a payload has to be complete first.
                let waiting = !self.app.memory.unacknowledged.is_empty();
                self.plan.manual && (waiting || connection.sending.is_some())
            }
            Blocked::AnswerPending => connection.request.is_some(),
            // An acknowledgement that waits for the end of a payload.
            Blocked::SendingPayload => connection.sending.is_some(),
            _ => false,
        };
        ctx.stats.held_back += 1;
        ensure!(holds, "the {} is told {reason:?}", self.side);
        Ok(())
    }

    fn take(&mut self, ctx: &mut Context, connection: &mut Connection<E>, event: Event) -> Outcome {
        match &event {
            Event::Message(_) | Event::MessageHeader(_) | Event::Payload { .. } => {}
            event => ctx.note(self.side, format_args!("    {event:?}")),
        }
        match event {
            Event::ConnectRequested(opening) => {
                connection.has_will = opening.has_will;
                connection.request = Some(Request::Connect(opening));
            }
            Event::Connected { session_present } => {
                let memory = &mut self.app.memory;
                ensure!(
                    !(session_present && connection.clean_start),
                    "a session that was to start anew"
                );
                connection.is_accepted = true;
                memory.starts_over = false;
                if !session_present {
                    self.app.end_receiving();
                }
            }
            Event::Refused => ctx.stats.refusals += 1,
            Event::Message(message) => self.deliver(ctx, &message)?,
            Event::MessageHeader(header) => {
                ctx.stats.pieces_received += 1;
                connection.gathering = Some(header);
            }
            Event::Payload { bytes, left } => {
                let Some(mut message) = connection.gathering.take() else {
                    fail!("a payload without a header");
                };
                message.payload.extend(bytes);
                ensure!(
                    message.payload.len() + left == message.payload_len,
                    "the pieces are not as long as they should be"
                );
                if left > 0 {
                    connection.gathering = Some(message);
                } else {
                    self.deliver(ctx, &message)?;
                }
            }
            Event::AcceptedByPeer(id) => self.app.arrived(id)?,
            Event::Rejected(id) => self.app.rejected(ctx, id)?,
            Event::Delivered(id) => {
                if !self.app.keeps_journal() {
                    self.app.memory.outbox.remove(id);
                }
            }
            Event::SubscribeRequested { filters } => {
                connection.request = Some(Request::Subscribe { filters });
            }
            Event::UnsubscribeRequested { filters } => {
                connection.request = Some(Request::Unsubscribe { filters });
            }
            Event::Answered(id) => {
                ensure!(connection.requests.remove(&id), "{id:?} was not asked for");
            }
            Event::Disconnected {
                discards_will,
                ends_session,
            } => {
                connection.discards_will = discards_will;
                ctx.stats.ended_by_client += u64::from(ends_session);
                ensure!(
                    !ends_session || connection.endpoint.session_ends(),
                    "the session outlives a DISCONNECT with Session Expiry Interval 0"
                );
            }
        }
        Ok(())
    }

    fn deliver(&mut self, ctx: &mut Context, message: &Message) -> Outcome {
        let spec = number_of(&message.payload)
            .and_then(|number| {
                ctx.plan
                    .side(self.side.other())
                    .messages
                    .get(number as usize)
            })
            .copied();
        let Some(spec) = spec else {
            fail!("a message of nobody: {message:?}");
        };
        ensure!(
            message.is::<E::Version>(&spec),
            "{message:?} is not what was published"
        );
        let arrival = Arrival {
            number: spec.number,
            topic: spec.topic,
            qos: spec.qos,
        };
        ctx.note(self.side, format_args!("    message {}", spec.number));
        ctx.stats.delivered_qos_2 += u64::from(spec.qos == QoS::ExactlyOnce);
        self.app
            .delivered(ctx, message.delivery.packet_id(), arrival);
        Ok(())
    }
}

fn is_qos_2(packet: &Seen) -> bool {
    matches!(packet, Seen::Publish(message) if message.delivery.qos() == QoS::ExactlyOnce)
}
