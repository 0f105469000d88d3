//! What servers of every version have in common: the requests that the application answers.

use super::connection::Connection;
use super::error::{CommandError, HandleError};
use super::role::{Request, ServerRole};
use super::state::State;
use super::version::Version;
use crate::session::Slots;
use crate::time::Timestamp;

impl<V: Version, S: Slots> Connection<V, ServerRole, S> {
    /// Whether CONNECT has come and has not been answered.
    pub(super) const fn check_requested(&self) -> Result<(), CommandError> {
        match self.machine.state() {
            State::Requested => Ok(()),
            State::Start => Err(CommandError::NotConnected),
            State::Connected => Err(CommandError::AlreadyConnected),
            State::Ending | State::Ended => Err(CommandError::Ended),
        }
    }

    /// The same connection as one of another version, as long as nothing has come.
    pub(crate) fn into_version<W: Version>(self) -> Connection<W, ServerRole, S> {
        Connection::of_machine(self.machine, self.has_decoder)
    }

    /// SUBSCRIBE or UNSUBSCRIBE has come: the next packet waits for the answer.
    pub(super) fn open_request(&mut self, request: Request) -> Result<(), HandleError<V>> {
        self.machine.check_between_messages()?;
        self.role = Some(request);
        self.machine.pending.set_request(true);
        self.machine.received_now();
        Ok(())
    }

    /// The request has been answered.
    pub(super) fn answered(&mut self, now: Timestamp) {
        self.machine.tick(now);
        self.machine.sent_now();
        // What the client has sent meanwhile could not be handled: its silence counts from now.
        self.machine.received_now();
        self.role = None;
        self.machine.pending.set_request(false);
    }
}
