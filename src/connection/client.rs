//! What clients of every version have in common.

use super::connection::Connection;
use super::error::{CommandError, HandleError};
use super::role::ClientRole;
use super::state::State;
use super::version::Version;
use crate::session::Slots;
use crate::time::Timestamp;
use crate::types::PacketId;
use crate::wire::PacketType;

impl<V: Version, S: Slots> Connection<V, ClientRole, S> {
    /// Sends PINGREQ now, also with Keep Alive 0, to find out whether the server is still there. The next
    /// [`Action::Transmit`](crate::Action::Transmit) contains it.
    ///
    /// The connection ends with [`CloseReason::PingTimeout`](crate::CloseReason::PingTimeout) if the
    /// server sends nothing within [`Config::ping_timeout`](crate::Config::ping_timeout), which
    /// [`poll_timeout`](Self::poll_timeout) includes. There is no event for PINGRESP.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotConnected`] before CONNACK, [`CommandError::SendingPayload`] in the middle of a
    /// payload, [`CommandError::ActionsPending`], [`CommandError::Ended`].
    pub fn ping(&mut self, now: Timestamp) -> Result<(), CommandError> {
        if self.machine.state() == State::Requested {
            return Err(CommandError::NotConnected);
        }
        self.machine.check_may_send()?;
        if self.machine.pending.has_reply() {
            return Err(CommandError::ActionsPending);
        }
        self.machine.tick(now);
        self.machine.ping();
        Ok(())
    }

    /// Handles the answer to a SUBSCRIBE or UNSUBSCRIBE, with this number of codes. UNSUBACK of MQTT
    /// 3.1.1 has none.
    pub(super) fn finish_request(
        &mut self,
        packet_type: PacketType,
        packet_id: PacketId,
        codes: Option<usize>,
    ) -> Result<(), HandleError<V>> {
        let finished = self.machine.finish_request(packet_type, packet_id, codes);
        finished.map_err(|rejection| self.reject(rejection))
    }
}
