//! What comes in.

use mqtt_sansio::Blocked;
use mqtt_sansio::v3::{Delivery, Event, HandleError, Packet, Publish};

use super::super::app::Arrival;
use super::super::connection::{Connection, Request};
use super::super::context::{Context, Outcome, ensure, fail};
use super::super::endpoint::Incoming;
use super::super::plan::{Side, number_of};
use super::{Flow, Peer};

impl Peer {
    /// Reads some bytes, or the end of the connection. True if there were any.
    pub(crate) fn receive(&mut self, ctx: &mut Context, newcomer: bool) -> Outcome<bool> {
        let mut any = false;
        self.with(ctx, newcomer, |peer, ctx, connection| {
            let most = if ctx.calm {
                4096
            } else {
                ctx.rng.usize(1..=ctx.plan.max_chunk)
            };
            // While something is held back, nothing more is read.
            if connection.held.is_none() {
                let bytes = connection.socket.receive(most);
                any |= !bytes.is_empty();
                connection.input.extend(bytes);
            }
            let flow = peer.work_off(ctx, connection, &mut any)?;
            let is_over = connection.socket.is_at_end() && connection.held.is_none();
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
        connection: &mut Connection,
        any: &mut bool,
    ) -> Outcome<Flow> {
        loop {
            let held = connection.held.take();
            let incoming = match held {
                Some(held) => held,
                None => match connection.decode(ctx, self.plan.receives_pieces) {
                    Some(incoming) => incoming,
                    None => return self.drain(ctx, connection),
                },
            };
            let now = connection.now(ctx);
            match connection.endpoint.handle(now, &incoming) {
                Ok(event) => {
                    *any = true;
                    connection.last_received = connection.clock;
                    self.log_incoming(ctx, &incoming, event.as_ref());
                    connection.tap.handed(ctx, &incoming);
                    if self.side == Side::Server && connection.is_accepted {
                        self.app.memory.is_established = true;
                    }
                    count_pieces(ctx, &incoming, event.is_none());
                    if let Some(event) = event {
                        self.take(ctx, connection, event)?;
                    }
                }
                Err(HandleError::Blocked(reason)) => {
                    self.check_not_now(ctx, connection, reason)?;
                    connection.held = Some(incoming);
                    return Ok(Flow::Goes);
                }
                Err(HandleError::Ended) => {
                    ensure!(connection.closed, "ended before Close");
                    return Ok(Flow::Ended);
                }
                Err(HandleError::Peer(error)) => {
                    fail!("the {} finds fault with {incoming:?}: {error}", self.side)
                }
            }
            match self.drain(ctx, connection)? {
                Flow::Goes => {}
                over => return Ok(over),
            }
        }
    }

    fn log_incoming(&self, ctx: &mut Context, incoming: &Incoming, event: Option<&Event<Vec<u8>>>) {
        match incoming {
            Incoming::Packet(packet) => ctx.note(self.side, format_args!("<-- {packet:?}")),
            Incoming::Header(header) => ctx.note(self.side, format_args!("<-- {header:?}")),
            Incoming::Payload { bytes, left } => ctx.note(
                self.side,
                format_args!("<-- {} bytes of payload, {left} to come", bytes.len()),
            ),
        }
        match event {
            None | Some(Event::Message(_) | Event::MessageHeader(_) | Event::Payload { .. }) => {}
            Some(event) => ctx.note(self.side, format_args!("    {event:?}")),
        }
    }

    fn check_not_now(
        &self,
        ctx: &mut Context,
        connection: &Connection,
        reason: Blocked,
    ) -> Outcome {
        let holds = match reason {
            Blocked::InboundFull => {
                ctx.stats.inbound_full += 1;
                // Or they have been acknowledged, and a payload has to be finished first.
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

    fn take(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection,
        event: Event<Vec<u8>>,
    ) -> Outcome {
        match event {
            Event::ConnectRequested(connect) => {
                let connect = connect.to_connect();
                connection.has_will = connect.will.is_some();
                let clean = connect.clean_session;
                connection.request = Some(Request::Connect { clean });
            }
            Event::Connected { session_present } => {
                let memory = &mut self.app.memory;
                ensure!(
                    !(session_present && memory.is_clean),
                    "a kept clean session"
                );
                connection.is_accepted = true;
                memory.starts_over = false;
                if !session_present {
                    self.app.end_receiving();
                }
            }
            Event::Refused(_) => ctx.stats.refusals += 1,
            Event::Message(publish) => self.deliver(ctx, &publish)?,
            Event::MessageHeader(header) => connection.gathering = Some((header, Vec::new())),
            Event::Payload { bytes, left } => {
                let Some((header, mut payload)) = connection.gathering.take() else {
                    fail!("a payload without a header");
                };
                payload.extend(bytes);
                if left > 0 {
                    connection.gathering = Some((header, payload));
                } else {
                    let Some(publish) = header.with_payload(payload) else {
                        fail!("the pieces are not as long as they should be");
                    };
                    self.deliver(ctx, &publish)?;
                }
            }
            Event::AcceptedByPeer(id) => self.app.arrived(id)?,
            Event::Delivered(id) => {
                if !self.app.keeps_journal() {
                    self.app.memory.outbox.remove(id);
                }
            }
            Event::SubscribeRequested(subscribe) => {
                let filters = subscribe.subscriptions.len();
                connection.request = Some(Request::Subscribe { filters });
            }
            Event::UnsubscribeRequested(_) => connection.request = Some(Request::Unsubscribe),
            Event::Subscribed(suback) => {
                ensure!(
                    connection.requests.remove(&suback.packet_id),
                    "{suback:?} was not asked for"
                );
            }
            Event::Unsubscribed(id) => {
                ensure!(connection.requests.remove(&id), "{id:?} was not asked for");
            }
            Event::Disconnected => connection.disconnected = true,
            other => fail!("{other:?} is not known here"),
        }
        Ok(())
    }

    fn deliver(&mut self, ctx: &mut Context, publish: &Publish<Vec<u8>>) -> Outcome {
        let spec = number_of(&publish.payload)
            .and_then(|number| {
                ctx.plan
                    .side(self.side.other())
                    .messages
                    .get(number as usize)
            })
            .copied();
        let Some(spec) = spec else {
            fail!("a message of nobody: {publish:?}");
        };
        ensure!(
            publish.payload == spec.payload()
                && publish.topic == *spec.topic
                && publish.retain == spec.retain
                && publish.delivery.qos() == spec.qos,
            "{publish:?} is not what was published"
        );
        let arrival = Arrival {
            number: spec.number,
            topic: spec.topic,
            qos: spec.qos,
        };
        ctx.note(self.side, format_args!("    message {}", spec.number));
        self.app
            .delivered(ctx, publish.delivery.packet_id(), arrival);
        Ok(())
    }
}

fn count_pieces(ctx: &mut Context, incoming: &Incoming, no_event: bool) {
    let delivery = match incoming {
        Incoming::Packet(Packet::Publish(publish)) => publish.delivery,
        Incoming::Header(header) => {
            ctx.stats.pieces_received += 1;
            header.delivery
        }
        _ => return,
    };
    let suppressed = no_event && matches!(delivery, Delivery::ExactlyOnce { .. });
    ctx.stats.duplicates_suppressed += u64::from(suppressed);
}
