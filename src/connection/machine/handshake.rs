//! How a connection begins, the requests of a client, and pings.

use super::super::error::{CommandError, ProtocolError};
use super::super::reply::PendingReply;
use super::super::state::State;
use super::Machine;
use super::incoming::Rejection;
use crate::connection::config::SEND_BEFORE_CONNACK;
use crate::session::{Phase, Slots};
use crate::time::Timestamp;
use crate::types::PacketId;
use crate::wire::PacketType;

impl<S: Slots> Machine<S> {
    // Client

    /// Records that CONNECT was sent: with Clean Start or Clean Session, and whether the session ends
    /// with the connection.
    pub(crate) fn request(
        &mut self,
        now: Timestamp,
        keep_alive: u16,
        clean_start: bool,
        session_ends: bool,
    ) {
        self.tick(now);
        self.sent_now();
        self.pending.set_state(State::Requested);
        self.keep_alive = keep_alive;
        self.clean_start = clean_start;
        self.session_ends = session_ends;
        self.deadline = self.after(self.config.connect_timeout);
        if !self.session.is_empty() {
            self.config = self.config.with(SEND_BEFORE_CONNACK, false);
        }
        self.resume();
        if clean_start {
            self.lose_session(true);
        }
    }

    /// Handles CONNACK: the server has accepted the connection.
    pub(crate) fn accepted(&mut self, session_present: bool) {
        self.begin();
        self.received_now();
        if !session_present {
            self.lose_session(true);
        }
    }

    /// Returns the identifier for a SUBSCRIBE or UNSUBSCRIBE, which shares the range of the
    /// messages [MQTT-2.3.1-2, MQTT5-2.2.1-3].
    pub(crate) fn next_request(&mut self) -> Result<PacketId, CommandError> {
        self.check_may_send()?;
        let next = self.session.outbound.next_id();
        next.ok_or(CommandError::WindowFull)
    }

    /// Records that a SUBSCRIBE or UNSUBSCRIBE was encoded.
    pub(crate) fn begin_request(&mut self, now: Timestamp, phase: Phase) {
        self.tick(now);
        self.sent_now();
        self.session.outbound.begin(phase);
    }

    /// Handles SUBACK or UNSUBACK, with its number of codes if it has any.
    pub(crate) fn finish_request(
        &mut self,
        packet_type: PacketType,
        packet_id: PacketId,
        codes: Option<usize>,
    ) -> Result<(), Rejection> {
        self.check_between_messages()?;
        let filters = match (self.session.outbound.phase(packet_id), packet_type) {
            (Some(Phase::Subscribe(filters)), PacketType::SubAck)
            | (Some(Phase::Unsubscribe(filters)), PacketType::UnsubAck) => filters,
            (None, _) => {
                return Err(Rejection::Protocol(ProtocolError::NoSuchRequest {
                    packet_type,
                    packet_id,
                }));
            }
            (Some(_), _) => {
                return Err(Rejection::Protocol(ProtocolError::WrongAcknowledgement {
                    packet_type,
                    packet_id,
                }));
            }
        };
        if codes.is_some_and(|codes| codes != usize::from(filters)) {
            return Err(ProtocolError::WrongNumberOfReturnCodes.into());
        }
        self.session.outbound.complete(packet_id);
        self.received_now();
        Ok(())
    }

    /// Handles PINGRESP.
    pub(crate) const fn handle_pingresp(&mut self) -> Result<(), Rejection> {
        if let Err(rejection) = self.check_between_messages() {
            return Err(rejection);
        }
        self.received_now();
        if !self.pending.is_over_limit() {
            self.deadline = None;
        }
        Ok(())
    }

    /// Checks whether DISCONNECT can be sent now.
    pub(crate) const fn check_may_disconnect(&self) -> Result<(), CommandError> {
        if let Err(error) = self.check_may_send() {
            return Err(error);
        }
        if self.pending.has_reply() {
            return Err(CommandError::ActionsPending);
        }
        Ok(())
    }

    /// Limits the messages in flight to the peer's Receive Maximum
    /// [MQTT5-3.3.4-7, MQTT5-3.3.4-9, MQTT5-4.9.0-1].
    pub(crate) fn limit_inflight(&mut self, receive_maximum: u16) {
        self.config.max_inflight = self.config.max_inflight.min(receive_maximum);
    }

    // Server

    /// Handles CONNECT.
    pub(crate) const fn requested_by_client(
        &mut self,
        keep_alive: u16,
        clean_start: bool,
        session_ends: bool,
        has_will: bool,
    ) {
        self.pending.set_state(State::Requested);
        self.deadline = None;
        self.keep_alive = keep_alive;
        self.clean_start = clean_start;
        self.session_ends = session_ends;
        self.has_will = has_will;
        self.received_now();
    }

    /// Records that CONNACK was sent: the connection is accepted.
    pub(crate) fn accept(&mut self, now: Timestamp) {
        self.tick(now);
        self.sent_now();
        // From now on the connection waits for the client, not for the application.
        self.received_now();
        self.begin();
    }

    /// Handles PINGREQ.
    pub(crate) const fn handle_pingreq(&mut self) -> Result<(), Rejection> {
        if let Err(rejection) = self.check_between_messages() {
            return Err(rejection);
        }
        self.reply(PendingReply::PINGRESP);
        self.received_now();
        Ok(())
    }
}
