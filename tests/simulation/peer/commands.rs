//! The commands of the application. Each function returns whether it did anything.

use mqtt_sansio::v5::{AliasVec, OutboundAliases};
use mqtt_sansio::{CommandError, PacketId, QoS, TopicFilter};

use super::super::connection::{Connection, Request};
use super::super::context::{Context, Outcome, ensure, fail};
use super::super::endpoint::Endpoint;
use super::super::version::{Content, Dialect, How};
use super::{Flow, Peer};

impl<E: Endpoint> Peer<E> {
    pub(crate) fn publish(&mut self, ctx: &mut Context) -> Outcome<bool> {
        let mut done = false;
        let Some(spec) = self.app.next_message() else {
            return Ok(done);
        };
        self.with(ctx, false, |peer, ctx, connection| {
            let now = connection.now(ctx);
            let before = connection.out.len();
            let payload = spec.payload();
            let how = peer.how(ctx);
            if ctx.whim(10) {
                // Each alias has its own topic.
                let aliases = AliasVec::new(peer.plan.outbound_aliases);
                connection.aliases = OutboundAliases::new(aliases);
            }
            let content = Content::new(&spec, &payload, how);
            let (endpoint, aliases) = (&mut connection.endpoint, &mut connection.aliases);
            let result = endpoint.publish(now, &content, aliases, &mut connection.out);
            match result {
                Ok(id) => {
                    done = true;
                    ctx.note(
                        peer.side,
                        format_args!("publishes {} as {id:?}", spec.number),
                    );
                    ensure!(
                        id.is_some() == (spec.qos != QoS::AtMostOnce),
                        "{id:?} at {spec:?}"
                    );
                    peer.app.published(id, spec);
                    if how == How::InPieces {
                        connection.sending = Some(payload);
                    }
                }
                Err(error) => {
                    ensure!(connection.out.len() == before, "an error, and bytes");
                    peer.check_refused(ctx, connection, error)?;
                }
            }
            peer.drain(ctx, connection)
        })?;
        Ok(done)
    }

    /// Chooses how a message is published.
    fn how(&self, ctx: &mut Context) -> How {
        if self.plan.sends_pieces && E::SENDS_PIECES && ctx.rng.bool() {
            How::InPieces
        } else if self.plan.outbound_aliases > 0 && ctx.rng.u32(0..4) > 0 {
            How::Aliased
        } else {
            How::Whole
        }
    }

    /// Checks that a refused command has the reason that it names.
    fn check_refused(
        &self,
        ctx: &mut Context,
        connection: &Connection<E>,
        error: CommandError,
    ) -> Outcome {
        let session = connection.endpoint.session();
        let holds = match error {
            CommandError::NotConnected => !connection.is_accepted,
            CommandError::SendingPayload => connection.sending.is_some(),
            CommandError::ResendPending => {
                ctx.stats.resend_pending += 1;
                session
                    .outbound()
                    .any(|m| !connection.tap.is_in_flight(m.packet_id))
            }
            CommandError::WindowFull => {
                ctx.stats.window_full += 1;
                let messages = session.outbound().count();
                let window = connection.tap.window();
                ctx.stats.quota_full +=
                    u64::from(messages >= window && window < usize::from(self.plan.window));
                messages >= window
                    || messages + connection.requests.len() >= self.plan.outbound.slots()
            }
            _ => false,
        };
        ensure!(holds, "the {} is told {error:?}", self.side);
        Ok(())
    }

    /// Client: sends a request, which uses a Packet Identifier of the same range.
    pub(crate) fn request(&mut self, ctx: &mut Context) -> Outcome {
        self.with(ctx, false, |peer, ctx, connection| {
            let now = connection.now(ctx);
            let before = connection.out.len();
            let filters = ["#", "b/+", "c"];
            let filters: Vec<_> = filters[..ctx.rng.usize(1..=3)]
                .iter()
                .filter_map(|filter| TopicFilter::new(*filter).ok())
                .collect();
            let out = &mut connection.out;
            let result = if ctx.rng.bool() {
                connection.endpoint.subscribe(now, &filters, out)
            } else {
                connection.endpoint.unsubscribe(now, &filters, out)
            };
            match result {
                Ok(id) => {
                    ensure!(connection.requests.insert(id), "{id:?} is in use");
                }
                Err(error) => {
                    ensure!(connection.out.len() == before, "an error, and bytes");
                    peer.check_refused(ctx, connection, error)?;
                }
            }
            peer.drain(ctx, connection)
        })
    }

    /// Server: answers CONNECT, SUBSCRIBE or UNSUBSCRIBE.
    pub(crate) fn answer(&mut self, ctx: &mut Context, newcomer: bool) -> Outcome<bool> {
        let mut done = false;
        self.with(ctx, newcomer, |peer, ctx, connection| {
            if connection.sending.is_some() {
                return Ok(Flow::Goes);
            }
            let Some(request) = connection.request.take() else {
                return Ok(Flow::Goes);
            };
            done = true;
            let now = connection.now(ctx);
            let out = &mut connection.out;
            let result = match request {
                Request::Connect(opening) => return peer.accept(ctx, connection, opening),
                Request::Subscribe { filters } => connection.endpoint.suback(now, filters, out),
                Request::Unsubscribe { filters } => connection.endpoint.unsuback(now, filters, out),
            };
            ensure!(result.is_ok(), "answer: {result:?}");
            match peer.drain(ctx, connection)? {
                // Packets that were blocked can be handled.
                Flow::Goes => peer.work_off(ctx, connection, &mut false),
                over => Ok(over),
            }
        })?;
        Ok(done)
    }

    /// Acknowledges one of the messages that await it.
    pub(crate) fn acknowledge(&mut self, ctx: &mut Context) -> Outcome<bool> {
        let mut done = false;
        self.with(ctx, false, |peer, ctx, connection| {
            if peer.app.memory.unacknowledged.is_empty() || !connection.is_accepted {
                return Ok(Flow::Goes);
            }
            done = true;
            peer.acknowledge_any(ctx, connection)?;
            match peer.drain(ctx, connection)? {
                Flow::Goes if connection.is_blocked => peer.work_off(ctx, connection, &mut false),
                flow => Ok(flow),
            }
        })?;
        Ok(done)
    }

    pub(super) fn acknowledge_any(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection<E>,
    ) -> Outcome {
        let keeps_journal = self.app.keeps_journal();
        let waiting = &mut self.app.memory.unacknowledged;
        // A saved session would keep the order of messages acknowledged out of order.
        let choices = if keeps_journal { waiting.len() } else { 1 };
        let at = ctx.rng.usize(0..choices);
        let (id, _) = waiting.remove(at);
        ctx.stats.late_acknowledgements += u64::from(at > 0);
        let refuses = E::Version::IS_V5 && self.plan.refuses && ctx.whim(3);
        ctx.note(
            self.side,
            format_args!("acknowledges {id:?}, refuses: {refuses}"),
        );
        let result = connection.endpoint.acknowledge(id, refuses);
        ensure!(result.is_ok(), "acknowledge {id:?}: {result:?}");
        self.app.acknowledged(ctx, id, refuses);
        let again = connection.endpoint.acknowledge(id, refuses);
        ensure!(
            again == Err(CommandError::NotAwaited),
            "{id:?} was acknowledged twice: {again:?}"
        );
        Ok(())
    }

    /// Handles an earlier `Action::Resend`.
    pub(crate) fn resend_next(&mut self, ctx: &mut Context) -> Outcome<bool> {
        let mut done = false;
        self.with(ctx, false, |peer, ctx, connection| {
            if connection.sending.is_some() {
                return Ok(Flow::Goes);
            }
            if let Some(id) = connection.resends.pop_front() {
                done = true;
                peer.resend(ctx, connection, id)?;
            }
            peer.drain(ctx, connection)
        })?;
        Ok(done)
    }

    pub(super) fn resend(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection<E>,
        id: PacketId,
    ) -> Outcome {
        let Some(spec) = self.app.memory.outbox.get(id).copied() else {
            fail!(
                "{id:?} is to be sent again, and the {} does not have it",
                self.side
            );
        };
        if self.plan.forgets && spec.qos == QoS::AtLeastOnce && ctx.whim(3) {
            ctx.note(self.side, format_args!("forgets {id:?}"));
            let result = connection.endpoint.forget(id);
            ensure!(result.is_ok(), "forget {id:?}: {result:?}");
            self.app.forgotten(ctx, id);
            return Ok(());
        }
        let now = connection.now(ctx);
        let payload = spec.payload();
        let how = self.how(ctx);
        let content = Content::new(&spec, &payload, how);
        let result = connection
            .endpoint
            .resend(now, id, &content, &mut connection.out);
        ensure!(result.is_ok(), "resend {id:?}: {result:?}");
        if how == How::InPieces {
            connection.sending = Some(payload);
        }
        Ok(())
    }

    /// Sends the next piece of a payload.
    pub(crate) fn send_piece(&mut self, ctx: &mut Context) -> Outcome<bool> {
        let mut done = false;
        self.with(ctx, false, |peer, ctx, connection| {
            let Some(mut payload) = connection.sending.take() else {
                return Ok(Flow::Goes);
            };
            done = true;
            ctx.stats.pieces_sent += 1;
            let rest = payload.split_off(ctx.rng.usize(1..=payload.len()));
            let now = connection.now(ctx);
            let result = connection
                .endpoint
                .payload(now, &payload, &mut connection.out);
            ensure!(
                result == Ok(u32::try_from(rest.len()).unwrap_or(u32::MAX)),
                "payload: {result:?} with {} bytes to come",
                rest.len()
            );
            if !rest.is_empty() {
                connection.sending = Some(rest);
            }
            match peer.drain(ctx, connection)? {
                Flow::Goes if connection.is_blocked => peer.work_off(ctx, connection, &mut false),
                flow => Ok(flow),
            }
        })?;
        Ok(done)
    }

    /// Calls `handle_timeout`. Before a deadline this must have no effect.
    pub(crate) fn look_at_clock(&mut self, ctx: &mut Context, newcomer: bool) -> Outcome {
        self.with(ctx, newcomer, |peer, ctx, connection| {
            let deadline = connection.endpoint.poll_timeout();
            let now = connection.now(ctx);
            let is_due = deadline.is_some_and(|deadline| deadline <= connection.clock);
            // A refused call does not give the library the time, so this call does if it matters.
            let now = if is_due { connection.clock } else { now };
            connection.endpoint.handle_timeout(now);
            if !is_due {
                ensure!(
                    connection.endpoint.poll_timeout() == deadline,
                    "too early a look at the clock has moved the deadline"
                );
                let action = connection.endpoint.poll_action();
                ensure!(action.is_none(), "too early, and {action:?}");
                return Ok(Flow::Goes);
            }
            ctx.stats.time_outs += 1;
            let flow = peer.drain(ctx, connection)?;
            let next = connection.endpoint.poll_timeout();
            let is_later = next.is_none_or(|next| next > connection.clock);
            ensure!(
                flow != Flow::Goes || is_later,
                "{deadline:?} has passed, and the next deadline is {next:?}"
            );
            Ok(flow)
        })
    }
}
