//! The server's side of a connection of MQTT 3.1.1.

use super::{CloseReason, Connection, HandleError, PeerError};
use crate::connection::error::{CommandError, ProtocolError};
use crate::connection::reply::PendingReply;
use crate::connection::role::{Request, ServerRole};
use crate::connection::state::State;
use crate::connection::version::Outcome;
use crate::session::{Session, Slots};
use crate::time::Timestamp;
use crate::v3::{
    ConnAck, ConnectRefusal, Packet, ProtocolLevel, Reaction, ReturnCode, ReturnCodes, SubAck,
    SubAckOf, UnsubAck, V3,
};
use crate::wire::{Encode, Output};

/// # Commands of a server
impl<S: Slots> Connection<V3, ServerRole, S> {
    /// Accepts the connection with a new session: sends CONNACK with return code 0 and Session Present
    /// 0 [MQTT-3.1.4-4, MQTT-3.2.2-3].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotConnected`] before CONNECT was received, [`CommandError::AlreadyConnected`]
    /// after it was answered.
    pub fn accept_new<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.check_requested()?;
        self.send_connack(false, out)?;
        self.machine.session.clear(); // [MQTT-3.1.2-6]
        self.machine.accept(now);
        Ok(())
    }

    /// Accepts the connection and resumes the session that was kept for the client: sends CONNACK with
    /// return code 0 and Session Present 1 [MQTT-3.1.4-4, MQTT-3.2.2-2]. The connection takes the
    /// session and leaves its own empty one in `session`.
    ///
    /// # Errors
    ///
    /// [`CommandError::CleanSession`] if the client asked for Clean Session [MQTT-3.2.2-1], and those of
    /// [`accept_new`](Self::accept_new). Then `session` is unchanged.
    pub fn accept_resumed<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        session: &mut Session<S>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.check_requested()?;
        if self.session_ends() {
            return Err(CommandError::CleanSession);
        }
        // In MQTT 3.1 the bit is reserved, but the session continues.
        self.send_connack(self.limits.has_session_present, out)?;
        core::mem::swap(&mut self.machine.session, session); // [MQTT-3.1.2-4]
        session.clear();
        self.machine.resume();
        self.machine.accept(now);
        Ok(())
    }

    fn send_connack<O: Output + ?Sized>(
        &self,
        session_present: bool,
        out: &mut O,
    ) -> Result<(), CommandError> {
        ConnAck::Accepted { session_present }.encode(out)?;
        Ok(())
    }

    /// Refuses the connection: sends CONNACK with this return code, and closes
    /// [MQTT-3.1.3-9, MQTT-3.2.2-4, MQTT-3.2.2-5]. To close without CONNACK [MQTT-3.2.2-6], use
    /// [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// As [`accept_new`](Self::accept_new).
    pub fn refuse<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        refusal: ConnectRefusal,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.check_requested()?;
        ConnAck::Refused(refusal).encode(out)?;
        self.machine.tick(now);
        self.end(CloseReason::Refused(refusal));
        Ok(())
    }

    /// Answers [`Event::SubscribeRequested`]: one return code for each filter, in their order
    /// [MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-5, MQTT-3.9.3-1].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if there was no such request,
    /// [`CommandError::WrongNumberOfReturnCodes`].
    ///
    /// [`Event::SubscribeRequested`]: super::Event::SubscribeRequested
    pub fn suback<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        return_codes: &ReturnCodes<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.machine.check_may_send()?;
        let Some(Request::Subscribe { packet_id, filters }) = self.role else {
            return Err(CommandError::NotAwaited);
        };
        if u32::try_from(return_codes.len()) != Ok(filters) {
            return Err(CommandError::WrongNumberOfReturnCodes);
        }
        let suback = SubAck {
            packet_id,
            return_codes: return_codes.as_ref(),
        };
        suback.encode(out)?;
        self.answered(now);
        Ok(())
    }

    /// [`suback`](Self::suback) with the return codes of an iterator.
    pub(crate) fn suback_each<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        return_codes: impl Iterator<Item = ReturnCode> + Clone,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.machine.check_may_send()?;
        let Some(Request::Subscribe { packet_id, filters }) = self.role else {
            return Err(CommandError::NotAwaited);
        };
        if u32::try_from(return_codes.clone().count()) != Ok(filters) {
            return Err(CommandError::WrongNumberOfReturnCodes);
        }
        let suback = SubAckOf {
            packet_id,
            return_codes,
        };
        suback.encode(out)?;
        self.answered(now);
        Ok(())
    }

    /// Answers [`Event::UnsubscribeRequested`], also if the subscriptions did not exist
    /// [MQTT-3.10.4-4, MQTT-3.10.4-5].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if there was no such request.
    ///
    /// [`Event::UnsubscribeRequested`]: super::Event::UnsubscribeRequested
    pub fn unsuback<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.machine.check_may_send()?;
        let Some(Request::Unsubscribe { packet_id, .. }) = self.role else {
            return Err(CommandError::NotAwaited);
        };
        UnsubAck { packet_id }.encode(out)?;
        self.answered(now);
        Ok(())
    }
}

/// Handles a packet that is neither a message nor an acknowledgement of one.
pub(super) fn handle<S: Slots>(
    server: &mut Connection<V3, ServerRole, S>,
    packet: &Packet<&[u8]>,
) -> Result<Option<Outcome>, HandleError> {
    match (server.state(), packet) {
        (State::Start, Packet::Connect(connect)) => {
            let fields = connect.to_connect();
            server.limits.has_session_present = fields.protocol_level != ProtocolLevel::V3_1;
            server.machine.requested_by_client(
                fields.keep_alive,
                fields.clean_session, // [MQTT-3.1.4-3]
                fields.clean_session,
                fields.will.is_some(), // [MQTT-3.1.2-8, MQTT-3.1.2-12]
            );
            Ok(Some(Outcome::Received))
        }
        // [MQTT-3.1.0-2]
        (State::Connected, Packet::Connect(_)) => {
            Err(server.violation(ProtocolError::SecondConnect))
        }
        (State::Connected, Packet::Subscribe(subscribe)) => {
            server.open_request(Request::Subscribe {
                packet_id: subscribe.packet_id,
                filters: count(subscribe.subscriptions.len()),
            })?;
            Ok(Some(Outcome::Received))
        }
        (State::Connected, Packet::Unsubscribe(unsubscribe)) => {
            server.open_request(Request::Unsubscribe {
                packet_id: unsubscribe.packet_id,
                filters: count(unsubscribe.topic_filters.len()),
            })?;
            Ok(Some(Outcome::Received))
        }
        (State::Connected, Packet::PingReq) => {
            server.machine.handle_pingreq()?; // [MQTT-3.12.4-1]
            Ok(None)
        }
        (State::Connected, Packet::Disconnect) => {
            server.machine.check_between_messages()?;
            server.end(CloseReason::Disconnected);
            Ok(Some(Outcome::Received))
        }
        // Before CONNECT [MQTT-3.1.0-1], or a packet that only a server sends [MQTT-4.8.0-1].
        (_, packet) => Err(server.unexpected(packet)),
    }
}

/// Returns CONNACK, if the fault is in CONNECT and the standard requires one
/// [MQTT-3.1.2-2, MQTT-3.1.3-8]. Otherwise nothing is sent [MQTT-3.1.4-1].
pub(super) fn closing_reply(reason: &CloseReason, state: State) -> Option<PendingReply> {
    let CloseReason::Violation(PeerError::Malformed(error)) = reason else {
        return None;
    };
    match error.reaction() {
        Reaction::ConnAckThenClose(refusal) if state == State::Start => {
            Some(PendingReply::connack(refusal.return_code()))
        }
        _ => None,
    }
}

/// A packet cannot contain more filters.
fn count(filters: usize) -> u32 {
    u32::try_from(filters).unwrap_or(u32::MAX)
}
