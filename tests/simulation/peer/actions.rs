//! The actions of the library.

use mqtt_sansio::{Options, PacketId, PacketType, State, StreamDecoder};

use super::super::connection::Connection;
use super::super::context::{Context, Outcome, ensure};
use super::super::endpoint::Endpoint;
use super::super::plan::Sabotage;
use super::super::version::{Action, Close, Dialect, Seen};
use super::{Flow, Peer};

/// In milliseconds; see `Context::now`.
const MOST_SET_BACK: u64 = 500;

impl<E: Endpoint> Peer<E> {
    /// Carries out all actions, and sends. The process may crash after each action.
    pub(super) fn drain(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection<E>,
    ) -> Outcome<Flow> {
        loop {
            if ctx.misfortune(ctx.plan.crashes) {
                return Ok(Flow::Crashed);
            }
            self.follow_session(connection);
            let Some(action) = connection.endpoint.poll_action() else {
                break;
            };
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

    /// Records whether the session ends with the connection.
    fn follow_session(&mut self, connection: &Connection<E>) {
        if connection.owns_session() && connection.endpoint.state() != State::Start {
            let memory = &mut self.app.memory;
            memory.is_clean = connection.endpoint.session_ends();
            memory.session_expiry = connection.endpoint.session_expiry();
            memory.expires = None;
        }
    }

    pub(super) fn carry_out(
        &mut self,
        ctx: &mut Context,
        connection: &mut Connection<E>,
        action: Action,
    ) -> Outcome {
        self.follow_session(connection);
        ctx.note(self.side, format_args!("    {action:?}"));
        ensure!(!connection.closed, "{action:?} after Close");
        match action {
            Action::Store(change) => self.app.store(ctx, change)?,
            Action::Transmit(reply) => self.transmit(ctx, connection, reply)?,
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
                        && discards == connection.discards_will,
                    "{action:?}, discards: {}",
                    connection.discards_will
                );
                connection.has_will = false;
                ctx.stats.wills_published += u64::from(!discards);
            }
            Action::Close(close, reason) => {
                ensure!(
                    connection.requests.is_empty(),
                    "Close, and requests without an answer"
                );
                ensure!(
                    !connection.has_will || !connection.is_accepted,
                    "Close, and nothing about the Will"
                );
                self.check_close(ctx, connection, close, &reason)?;
                connection.closed = true;
            }
        }
        Ok(())
    }

    fn check_close(
        &self,
        ctx: &Context,
        connection: &Connection<E>,
        close: Close,
        reason: &str,
    ) -> Outcome {
        let silence = connection.clock.millis_since(connection.last_received);
        let holds = match close {
            Close::Violation => false,
            // A refused call does not pass the time to the library, so its clock may be late.
            Close::KeepAliveTimeout => {
                silence + MOST_SET_BACK >= u64::from(ctx.plan.keep_alive) * 1500
                    && ctx.plan.keep_alive > 0
            }
            Close::ConnectTimeout => !connection.is_accepted,
            Close::PingTimeout => connection.is_accepted && ctx.plan.keep_alive > 0,
            Close::Other => true,
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
        connection: &mut Connection<E>,
        reply: Vec<u8>,
    ) -> Outcome {
        let mut decoder = StreamDecoder::<E::Version, _>::with_options([0; 8], Options::new());
        let packet = decoder.decode(&mut &reply[..]).ok().flatten();
        if let Some(Seen::Acknowledgement {
            packet_type,
            packet_id,
            refused,
        }) = packet.map(E::Version::seen)
        {
            match packet_type {
                PacketType::PubAck if ctx.calm && ctx.sabotage(Sabotage::DropAcknowledgement) => {
                    return Ok(());
                }
                PacketType::PubRel if ctx.calm && ctx.sabotage(Sabotage::DropRelease) => {
                    return Ok(());
                }
                PacketType::PubAck => self.check_own(packet_id)?,
                PacketType::PubRec => {
                    self.check_own(packet_id)?;
                    if !refused && !self.app.keeps_journal() {
                        // In the order of the PUBRECs, also if the application acknowledged it
                        // while the session was still to be kept after the connection.
                        self.app.keep_received(ctx, packet_id);
                    }
                    ensure!(
                        refused || self.app.is_stored(packet_id),
                        "PUBREC {packet_id:?} before its change was stored"
                    );
                }
                PacketType::PubRel => ensure!(
                    self.app.memory.outbox.get(packet_id).is_none(),
                    "PUBREL {packet_id:?} before its change was stored"
                ),
                _ => {}
            }
        }
        connection.out.extend(&reply);
        // Everything written so far may be sent; without a journal it waits until all is saved.
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

    fn send(&mut self, ctx: &mut Context, connection: &mut Connection<E>) -> Outcome {
        if connection.socket.is_closed() {
            // The transport is closed, so the bytes cannot arrive.
            connection.out.clear();
            return Ok(());
        }
        let bytes = std::mem::take(&mut connection.out);
        let bytes = sabotaged(ctx, bytes);
        connection.socket.send(&bytes);
        connection.tap.sent(ctx, &bytes)
    }
}

/// Commits a fault of the transport or of the encoder, if a test asks for one.
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
