//! What the library asks for.

use mqtt_sansio::v3::{self, Action, CloseReason, Packet, Reply};
use mqtt_sansio::{Options, PacketId, State};

use super::super::connection::Connection;
use super::super::context::{Context, Outcome, ensure};
use super::super::plan::Sabotage;
use super::{Flow, Peer};

/// In milliseconds; see `Context::now`.
const MOST_SET_BACK: u64 = 500;

impl Peer {
    /// Carries out all actions, any of which may be the last before a crash; then sends.
    pub(super) fn drain(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection,
    ) -> Outcome<Flow> {
        loop {
            if ctx.misfortune(ctx.plan.crashes) {
                return Ok(Flow::Crashed);
            }
            let Some(action) = connection.endpoint.poll_action() else {
                break;
            };
            ctx.note(self.side, format_args!("    {action:?}"));
            ensure!(!connection.closed, "{action:?} after Close");
            self.carry_out(ctx, connection, action)?;
        }
        if connection.owns_session() && connection.endpoint.state() != State::Start {
            self.app.check(ctx, connection.endpoint.session())?;
            self.app.compact(ctx)?;
            if !connection.out.is_empty() {
                self.app.save(ctx, Some(connection.endpoint.session()));
            }
        }
        if ctx.misfortune(ctx.plan.crashes) {
            return Ok(Flow::Crashed);
        }
        self.send(ctx, connection)?;
        if connection.closed {
            connection.socket.close();
            return Ok(Flow::Ended);
        }
        Ok(Flow::Goes)
    }

    fn carry_out(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection,
        action: Action,
    ) -> Outcome {
        match action {
            Action::Store(change) => self.app.store(ctx, change)?,
            Action::Transmit(control) => self.transmit(ctx, connection, control)?,
            Action::Resend(id) => {
                if self.plan.resends_late || !connection.resends.is_empty() {
                    connection.resends.push_back(id);
                } else {
                    self.resend(ctx, connection, id)?;
                }
            }
            Action::Lost {
                packet_id,
                received,
            } => self.app.lost(ctx, packet_id, received)?,
            Action::Unanswered(id) => ensure!(
                connection.requests.remove(&id),
                "{id:?} was answered, or not asked for"
            ),
            Action::PublishWill | Action::DiscardWill => {
                let discards = action == Action::DiscardWill;
                ensure!(
                    connection.has_will
                        && connection.is_accepted
                        && discards == connection.disconnected,
                    "{action:?} after DISCONNECT: {}",
                    connection.disconnected
                );
                connection.has_will = false;
                ctx.stats.wills_published += u64::from(!discards);
            }
            Action::Close(reason) => {
                ensure!(
                    connection.requests.is_empty(),
                    "Close, and requests without an answer"
                );
                ensure!(
                    !connection.has_will || !connection.is_accepted,
                    "Close, and nothing about the Will"
                );
                self.check_close(ctx, connection, reason)?;
                connection.closed = true;
            }
        }
        Ok(())
    }

    fn check_close(&self, ctx: &Context, connection: &Connection, reason: CloseReason) -> Outcome {
        let silence = connection.clock.millis_since(connection.last_received);
        let holds = match reason {
            CloseReason::Violation(_) => false,
            // The clock may have been set back since a call that was refused, and so told nobody
            // the time.
            CloseReason::KeepAliveTimeout => {
                silence + MOST_SET_BACK >= u64::from(ctx.plan.keep_alive) * 1500
                    && ctx.plan.keep_alive > 0
            }
            CloseReason::ConnectTimeout => !connection.is_accepted,
            CloseReason::PingTimeout => connection.is_accepted && ctx.plan.keep_alive > 0,
            _ => true,
        };
        ensure!(
            holds,
            "the {} closes after {silence} ms of silence, since {:?}: {reason}",
            self.side,
            connection.last_received
        );
        Ok(())
    }

    fn transmit(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection,
        control: Reply,
    ) -> Outcome {
        let packet = v3::decode(&mut control.as_bytes(), &Options::new());
        let packet = packet.ok().flatten();
        match packet {
            Some(Packet::PubAck(_)) if ctx.calm && ctx.sabotage(Sabotage::DropAcknowledgement) => {
                return Ok(());
            }
            Some(Packet::PubRel(_)) if ctx.calm && ctx.sabotage(Sabotage::DropRelease) => {
                return Ok(());
            }
            Some(Packet::PubAck(ack)) => self.check_own(ack.packet_id)?,
            Some(Packet::PubRec(ack)) => {
                self.check_own(ack.packet_id)?;
                ensure!(
                    self.app.is_stored(ack.packet_id),
                    "PUBREC {:?} before its change was stored",
                    ack.packet_id
                );
            }
            Some(Packet::PubRel(ack)) => ensure!(
                self.app.memory.outbox.get(ack.packet_id).is_none(),
                "PUBREL {:?} before its change was stored",
                ack.packet_id
            ),
            _ => {}
        }
        connection.out.extend(control.as_bytes());
        // Everything so far may leave at once; without a journal it waits until all is saved.
        if self.plan.journal && ctx.whim(4) {
            self.send(ctx, connection)?;
        }
        Ok(())
    }

    fn check_own(&self, id: PacketId) -> Outcome {
        let waits = self
            .app
            .memory
            .unacknowledged
            .iter()
            .any(|(waiting, _)| *waiting == id);
        ensure!(
            !waits,
            "{id:?} is acknowledged before the application has said so"
        );
        Ok(())
    }

    fn send(&mut self, ctx: &mut Context, connection: &mut Connection) -> Outcome {
        if connection.socket.is_closed() {
            // Nobody will ever see it.
            connection.out.clear();
            return Ok(());
        }
        let bytes = std::mem::take(&mut connection.out);
        let bytes = sabotaged(ctx, bytes);
        connection.socket.send(&bytes);
        connection.tap.sent(ctx, &bytes)
    }
}

/// Faults of the transport and of the encoder, when a test asks for one.
fn sabotaged(ctx: &mut Context, mut bytes: Vec<u8>) -> Vec<u8> {
    const PUBLISH: u8 = 0x30;
    const DUP: u8 = 0x08;
    const QOS: u8 = 0x06;

    let first = bytes.first().copied().unwrap_or_default();
    if first & 0xf0 != PUBLISH || first & QOS == 0 {
        return bytes;
    }
    if first & DUP != 0 && ctx.sabotage(Sabotage::ClearDup) {
        bytes[0] &= !DUP;
    }
    if ctx.sabotage(Sabotage::SendTwice) {
        bytes.extend_from_within(..);
    }
    if ctx.sabotage(Sabotage::AlterPayload) {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    }
    bytes
}
