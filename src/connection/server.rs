//! The part of servers that does not depend on the version: the requests that the application
//! answers.

use super::connection::Connection;
use super::error::{CommandError, HandleError};
use super::role::{Request, ServerRole};
use super::state::State;
use super::version::Version;
use crate::session::Slots;
use crate::time::Timestamp;

impl<V: Version, S: Slots> Connection<V, ServerRole, S> {
    /// Checks that CONNECT was received and has no answer yet.
    pub(super) const fn check_requested(&self) -> Result<(), CommandError> {
        match self.machine.state() {
            State::Requested => Ok(()),
            State::Start => Err(CommandError::NotConnected),
            State::Connected => Err(CommandError::AlreadyConnected),
            State::Ending | State::Ended => Err(CommandError::Ended),
        }
    }

    /// Converts the connection to another version, as long as nothing was received.
    pub(crate) fn into_version<W: Version>(self) -> Connection<W, ServerRole, S> {
        Connection::of_machine(self.machine, self.has_decoder)
    }

    /// Records that SUBSCRIBE or UNSUBSCRIBE was received: the next packet waits for the answer.
    pub(super) fn open_request(&mut self, request: Request) -> Result<(), HandleError<V>> {
        self.machine.check_between_messages()?;
        self.role = Some(request);
        self.machine.pending.set_request(true);
        self.machine.received_now();
        Ok(())
    }

    /// Records that the request was answered.
    pub(super) fn answered(&mut self, now: Timestamp) {
        self.machine.tick(now);
        self.machine.sent_now();
        // Packets that the client has sent meanwhile could not be handled, so its silence counts
        // from now.
        self.machine.received_now();
        self.role = None;
        self.machine.pending.set_request(false);
    }
}
