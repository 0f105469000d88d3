//! How a connection ends.

use super::close_reason::CloseReason;
use super::connection::Connection;
use super::error::{HandleError, ProtocolError};
use super::limit::Limit;
use super::machine::Rejection;
use super::role::Role;
use super::version::Version;
use crate::session::Slots;
impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    pub(super) fn end(&mut self, reason: CloseReason<V>) {
        self.end_with_will(reason, matches!(reason, CloseReason::Disconnected));
    }

    /// Ends the connection, and decides whether the Will is discarded or published.
    pub(super) fn end_with_will(&mut self, reason: CloseReason<V>, discards_will: bool) {
        self.end_with_reply(reason, discards_will, &reason);
    }

    /// Ends the connection, with the reply that `cause` requires.
    pub(super) fn end_with_reply(
        &mut self,
        reason: CloseReason<V>,
        discards_will: bool,
        cause: &CloseReason<V>,
    ) {
        let state = self.state();
        // No other packet may be sent between the pieces of a payload.
        let is_sending_payload = self.machine.is_sending_payload();
        R::before_end(&mut self.role, &mut self.machine);
        if self.machine.end(discards_will) {
            self.reason = Some(reason);
            if !is_sending_payload {
                let reply = V::closing_reply(cause, state, R::IS_SERVER);
                if let Some(reply) = reply.filter(|reply| self.encode_reply(*reply).is_some()) {
                    self.machine.reply(reply);
                }
            }
        }
    }

    /// Ends the connection after a message was left out because no slot was free, and no PUBREL can
    /// free one in time.
    #[cold]
    pub(super) fn end_at_limit(&mut self) {
        let limit = u32::from(self.machine.inbound_limit());
        self.end(CloseReason::LimitExceeded {
            limit: Limit::InboundMessages,
            value: limit,
            actual: limit.saturating_add(1),
        });
    }

    /// Returns the error for a rejected packet. If the peer must not send it, the connection ends.
    #[cold]
    pub(super) fn reject(&mut self, rejection: Rejection) -> HandleError<V> {
        let error = HandleError::from(rejection);
        if let HandleError::Peer(error) = error {
            self.end(CloseReason::Violation(error));
        }
        error
    }

    /// Ends the connection because the peer must not send this packet, or not in this state.
    pub(super) fn unexpected(&mut self, packet: &V::Packet<'_>) -> HandleError<V> {
        self.violation(ProtocolError::Unexpected(V::packet_type(packet)))
    }

    pub(super) fn violation(&mut self, error: ProtocolError) -> HandleError<V> {
        self.reject(Rejection::Protocol(error))
    }
}
