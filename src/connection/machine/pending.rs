//! What has to be done, or has to come, before the next packet can be handled or sent.

use super::super::reply::PendingReply;
use super::super::state::State;
use super::delivery::Disposition;
use crate::session::Change;
use crate::types::{Delivery, PacketId};

/// A message that is being received in pieces.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Incoming {
    pub(super) delivery: Delivery,
    pub(super) disposition: Disposition,
}

/// What has to be done, or has to come, before the next packet can be handled or sent. For nearly
/// every packet and command that is nothing.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Pending {
    state: State,
    /// The application has not answered a SUBSCRIBE or UNSUBSCRIBE.
    request: bool,
    /// The messages not sent on this connection are lost.
    losing: bool,
    /// A message was left out because there was no room for it.
    over_limit: bool,
    /// A change of the session is to be stored.
    store: Option<Change>,
    /// That this message is forgotten is to be stored before that.
    forgotten: Option<PacketId>,
    reply: Option<PendingReply>,
    incoming: Option<Incoming>,
    /// How many bytes of a payload in pieces are still to be sent.
    outgoing: u32,
}

impl Pending {
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Start,
            request: false,
            losing: false,
            over_limit: false,
            store: None,
            forgotten: None,
            reply: None,
            incoming: None,
            outgoing: 0,
        }
    }

    /// True if the connection is accepted and nothing else is pending.
    #[inline]
    pub(crate) const fn is_nothing(&self) -> bool {
        self.can_handle_message() && self.outgoing == 0 && !self.losing && !self.over_limit
    }

    /// True if messages and acknowledgements can be handled.
    #[inline]
    pub(crate) const fn can_handle_message(&self) -> bool {
        matches!(self.state, State::Connected)
            && self.store.is_none()
            && self.reply.is_none()
            && self.incoming.is_none()
            && !self.request
    }

    #[inline]
    pub(crate) const fn state(&self) -> State {
        self.state
    }

    pub(crate) const fn set_state(&mut self, state: State) {
        self.state = state;
    }

    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.state, State::Ending | State::Ended)
    }

    #[inline]
    pub(crate) const fn has_store(&self) -> bool {
        self.store.is_some()
    }

    #[inline]
    pub(crate) const fn set_store(&mut self, change: Option<Change>) {
        self.store = change;
    }

    /// That a message is forgotten is to be stored before what [`set_store`](Self::set_store) was
    /// given.
    pub(crate) const fn set_forgotten(&mut self, id: PacketId) {
        if self.store.is_some() {
            self.forgotten = Some(id);
        } else {
            self.store = Some(Change::Forgotten(id));
        }
    }

    pub(crate) const fn take_store(&mut self) -> Option<Change> {
        if let Some(id) = self.forgotten.take() {
            return Some(Change::Forgotten(id));
        }
        self.store.take()
    }

    #[inline]
    pub(crate) const fn has_reply(&self) -> bool {
        self.reply.is_some()
    }

    #[inline]
    pub(crate) const fn set_reply(&mut self, reply: Option<PendingReply>) {
        self.reply = reply;
    }

    /// The PUBACK or PUBREC of this message, if it waits to be sent.
    pub(super) fn acknowledgement_of(&self, id: PacketId) -> Option<PendingReply> {
        let reply = self.reply?;
        let [first, _, high, low] = reply.parts();
        let is_this = matches!(first, 0x40 | 0x50) && [high, low] == id.get().to_be_bytes();
        is_this.then_some(reply)
    }

    /// The reply that is to be sent, unless a change has to be stored before it, or a payload is being
    /// sent: nothing may come between its pieces.
    #[inline]
    pub(crate) const fn take_reply(&mut self) -> Option<PendingReply> {
        if self.reply.is_none() || self.store.is_some() || self.outgoing > 0 {
            return None;
        }
        self.reply.take()
    }

    pub(crate) const fn incoming(&self) -> Option<Incoming> {
        self.incoming
    }

    pub(crate) const fn set_incoming(&mut self, incoming: Option<Incoming>) {
        self.incoming = incoming;
    }

    #[inline]
    pub(crate) const fn outgoing(&self) -> u32 {
        self.outgoing
    }

    #[inline]
    pub(crate) const fn set_outgoing(&mut self, bytes: u32) {
        self.outgoing = bytes;
    }

    pub(crate) const fn set_request(&mut self, is_open: bool) {
        self.request = is_open;
    }

    pub(crate) const fn is_over_limit(&self) -> bool {
        self.over_limit
    }

    pub(crate) const fn set_over_limit(&mut self) {
        self.over_limit = true;
    }

    pub(crate) const fn is_losing(&self) -> bool {
        self.losing
    }

    pub(crate) const fn set_losing(&mut self, is_losing: bool) {
        self.losing = is_losing;
    }
}
