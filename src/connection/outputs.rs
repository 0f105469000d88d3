//! What the application has to do: actions, and the next deadline.

use super::action::Action;
use super::close_reason::CloseReason;
use super::connection::Connection;
use super::machine::MachineAction;
use super::reply::PendingReply;
use super::role::Role;
use super::version::Version;
use crate::session::Slots;
use crate::time::Timestamp;
impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Returns the next action. Every command and every input may cause actions: after each, call
    /// this until it returns `None`. [`receive`](Self::receive) includes them.
    #[must_use = "actions are to be carried out"]
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action<V>> {
        Some(match self.machine.poll_action()? {
            MachineAction::Store(change) => Action::Store(change),
            MachineAction::Transmit(reply) => return self.transmit(reply),
            MachineAction::Resend(packet_id) => Action::Resend(packet_id),
            MachineAction::Lost {
                packet_id,
                received,
            } => Action::Lost {
                packet_id,
                received,
            },
            MachineAction::Unanswered(packet_id) => Action::Unanswered(packet_id),
            MachineAction::PublishWill => Action::PublishWill,
            MachineAction::DiscardWill => Action::DiscardWill,
            MachineAction::LimitReached => return self.poll_at_limit(),
            MachineAction::Close => Action::Close(self.reason.unwrap_or(CloseReason::Aborted)),
        })
    }

    /// Returns a reply for the peer. If it exceeds the peer's Maximum Packet Size, returns the first
    /// action of the end of the connection.
    #[inline]
    pub(super) fn transmit(&mut self, reply: PendingReply) -> Option<Action<V>> {
        match self.encode_reply(reply) {
            Some(reply) => Some(Action::Transmit(reply)),
            None => self.poll_without_reply(),
        }
    }

    /// Encodes a reply. Returns `None` if it exceeds the peer's Maximum Packet Size.
    #[inline]
    pub(super) fn encode_reply(&self, reply: PendingReply) -> Option<V::Reply> {
        let reply = V::encode_reply(reply);
        let fits = reply.as_ref().len() <= V::maximum_packet_size(&self.limits);
        fits.then_some(reply)
    }

    /// Ends the connection because the pending reply is too large for the peer.
    #[cold]
    fn poll_without_reply(&mut self) -> Option<Action<V>> {
        self.end(CloseReason::ReplyTooLarge);
        self.poll_action()
    }

    /// Ends the connection after a message was left out: every message that could be completed is
    /// complete.
    #[cold]
    fn poll_at_limit(&mut self) -> Option<Action<V>> {
        self.end_at_limit();
        self.poll_action()
    }

    /// Returns the time at which to call [`handle_timeout`](Self::handle_timeout), or
    /// [`receive`](Self::receive) with an empty input, if nothing happens before. Any command,
    /// input or action can change it; there is only this one deadline.
    ///
    /// A client sends PINGREQ when it has sent no other packet for seven eighths of the Keep Alive
    /// [MQTT-3.1.2-23], and ends the connection when CONNACK or PINGRESP is overdue. A server waits
    /// for CONNECT, then for one and a half times the Keep Alive after the last packet received
    /// [MQTT-3.1.2-24]. There is no deadline while the peer has to wait for this side.
    #[must_use]
    // Inlined, because `receive` calls it for each message.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let expiry = R::expiry(&self.role, &self.machine);
        let expiry = match (expiry, self.machine.release_deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (expiry, deadline) => expiry.or(deadline),
        };
        match (expiry, R::ping_due(&self.machine)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (expiry, due) => expiry.or(due),
        }
    }
}
