//! What happened outside: packets, the time, the end of the transport.

use super::close_reason::CloseReason;
use super::connection::Connection;
use super::error::{Blocked, HandleError, PeerError};
use super::limit::Limit;
use super::machine::Disposition;
use super::role::{Expired, Role};
use super::state::State;
use super::version::{Input, Outcome, Version};
use crate::decoder::Piece;
use crate::session::Slots;
use crate::time::Timestamp;
use crate::wire::{DecodeError, ErrorKind};
impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Handles one packet, for a driver that decodes by itself. [`receive`](Self::receive) decodes,
    /// handles and polls in one call.
    ///
    /// # Errors
    ///
    /// [`HandleError::Peer`] if the peer must not send the packet: the connection has ended.
    /// [`HandleError::Blocked`] if the application has to do something first: pass the packet again
    /// then.
    #[inline]
    pub fn handle_packet<'a>(
        &mut self,
        now: Timestamp,
        packet: V::Packet<'a>,
    ) -> Result<Option<V::Event<&'a [u8]>>, HandleError<V>> {
        let outcome = self.handle_any(now, &packet)?;
        Ok(outcome.and_then(|outcome| V::event(packet, outcome)))
    }

    /// [`handle_packet`](Self::handle_packet) without the event.
    #[inline]
    pub(super) fn handle_any(
        &mut self,
        now: Timestamp,
        packet: &V::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        if let Err(error) = V::check_agreed(&self.limits, packet, R::IS_SERVER) {
            self.check_may_handle()?;
            self.machine.tick(now);
            return Err(self.violation(error));
        }
        let handled = match V::classify(packet) {
            Input::Other => return self.handle_other(now, packet),
            _ if !self.machine.can_handle_message() => return self.refuse_message(now, packet),
            Input::Message(delivery) => match self.machine.handle_message(now, &delivery) {
                Ok(Disposition::Deliver) => Ok(Some(Outcome::Received)),
                Ok(_) => Ok(None),
                Err(rejection) => Err(rejection),
            },
            Input::Acknowledgement {
                packet_type,
                packet_id,
                refused,
            } => self
                .machine
                .handle_acknowledgement(now, packet_type, packet_id, refused)
                .map(|progress| progress.map(Outcome::Progress)),
        };
        handled.map_err(|rejection| self.reject(rejection))
    }

    /// Returns the error for a message or an acknowledgement that the peer must not send, or that
    /// is blocked.
    #[cold]
    fn refuse_message(
        &mut self,
        now: Timestamp,
        packet: &V::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        self.check_may_handle()?;
        self.machine.tick(now);
        Err(if self.state() == State::Connected {
            // Every other condition that blocks a message was excluded before.
            Blocked::ReceivingPayload.into()
        } else {
            self.unexpected(packet)
        })
    }

    /// Handles a packet that is neither a message nor an acknowledgement of one.
    #[inline(never)]
    fn handle_other(
        &mut self,
        now: Timestamp,
        packet: &V::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        self.check_may_handle()?;
        self.machine.tick(now);
        R::handle(self, packet)
    }

    pub(super) fn check_may_handle(&self) -> Result<(), HandleError<V>> {
        self.machine.check_may_handle()?;
        Ok(R::check_may_handle(&self.role, &self.machine)?)
    }

    /// Handles a packet or a piece of one: for
    /// [`decode_in_pieces`](crate::StreamDecoder::decode_in_pieces). A message in pieces is
    /// acknowledged after its last piece.
    ///
    /// # Errors
    ///
    /// As [`handle_packet`](Self::handle_packet).
    pub fn handle_piece<'a>(
        &mut self,
        now: Timestamp,
        piece: Piece<'a, V::Packet<'a>, V::PayloadHeader<'a>>,
    ) -> Result<Option<V::Event<&'a [u8]>>, HandleError<V>> {
        let outcome = self.handle_piece_or_skip(now, &piece, false)?;
        Ok(outcome.and_then(|outcome| Self::event_of(piece, outcome, true)))
    }

    /// [`handle_piece`](Self::handle_piece) without the event, or the same for a message whose payload
    /// is skipped.
    pub(super) fn handle_piece_or_skip<'a>(
        &mut self,
        now: Timestamp,
        piece: &Piece<'a, V::Packet<'a>, V::PayloadHeader<'a>>,
        skip: bool,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        match piece {
            Piece::Packet(packet) => self.handle_any(now, packet),
            Piece::PublishHeader(header) => self.handle_payload_header(now, header, skip),
            Piece::Payload { left, .. } => self.handle_payload(now, *left),
        }
    }

    fn handle_payload_header(
        &mut self,
        now: Timestamp,
        header: &V::PayloadHeader<'_>,
        skip: bool,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        self.check_may_handle()?;
        if let Err(error) = V::check_payload_header(&self.limits, header, R::IS_SERVER) {
            self.machine.tick(now);
            return Err(self.violation(error));
        }
        let (delivery, payload_len) = V::payload_header(header);
        match self.machine.begin_message(now, delivery, payload_len, skip) {
            Ok(Disposition::Deliver) => Ok(Some(Outcome::Received)),
            Ok(Disposition::Skip) => Ok(Some(Outcome::Skipped)),
            Ok(Disposition::Duplicate | Disposition::LeaveOut) => Ok(None),
            Err(rejection) => Err(self.reject(rejection)),
        }
    }

    fn handle_payload(
        &mut self,
        now: Timestamp,
        left: usize,
    ) -> Result<Option<Outcome>, HandleError<V>> {
        self.check_may_handle()?;
        match self.machine.handle_payload(now, left) {
            Ok(Disposition::Deliver) => Ok(Some(Outcome::Received)),
            Ok(_) => Ok(None),
            Err(rejection) => Err(self.reject(rejection)),
        }
    }

    /// Ends the connection because the decoder found a fault in the peer's bytes. A server sends
    /// CONNACK first if the fault is in CONNECT and the standard requires it
    /// [MQTT-3.1.2-2, MQTT-3.1.3-8]. [`receive`](Self::receive) calls this by itself.
    ///
    /// If the packet exceeds a limit of this side, the reason to close is
    /// [`CloseReason::LimitExceeded`].
    pub fn handle_decode_error(&mut self, now: Timestamp, error: DecodeError<V>) {
        self.handle_decode_error_at(now, error, 0);
    }

    /// [`handle_decode_error`](Self::handle_decode_error) with the value of the exceeded limit, if
    /// known.
    pub(super) fn handle_decode_error_at(
        &mut self,
        now: Timestamp,
        error: DecodeError<V>,
        value: u32,
    ) {
        self.machine.tick(now);
        let size = error.packet_size().unwrap_or(0);
        let cause = CloseReason::Violation(PeerError::Malformed(error));
        let reason = match error.kind() {
            ErrorKind::PacketTooLarge => CloseReason::LimitExceeded {
                limit: Limit::PacketSize,
                value,
                actual: size,
            },
            ErrorKind::OutOfMemory => CloseReason::LimitExceeded {
                limit: Limit::Memory,
                value: 0,
                actual: size,
            },
            ErrorKind::TooManyFilters => CloseReason::LimitExceeded {
                limit: Limit::TopicFilters,
                value,
                // The decoder stops at the first filter beyond the limit.
                actual: value.saturating_add(1),
            },
            _ => cause,
        };
        self.end_with_reply(reason, false, &cause);
    }

    /// Reports that bytes were received that do not complete a packet, so the peer is alive but slow. A
    /// server's Keep Alive starts again, a client waits longer for PINGRESP. The pieces of a payload
    /// have the same effect, and so has [`receive`](Self::receive) of a client.
    ///
    /// A server need not call this: the standard counts complete packets [MQTT-3.1.2-24]. If it
    /// reports each byte, a client that sends one byte a minute stays connected for ever.
    pub fn handle_progress(&mut self, now: Timestamp) {
        self.machine.tick(now);
        R::progress(&mut self.machine);
    }

    /// Handles a deadline that has passed. An early or repeated call has no effect.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let now = self.machine.tick(now);
        if self
            .machine
            .release_deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.end_at_limit();
            return;
        }
        if R::expiry(&self.role, &self.machine).is_some_and(|expiry| expiry <= now) {
            if let Some(expired) = R::expire(&mut self.machine) {
                self.end(match expired {
                    Expired::Connect => CloseReason::ConnectTimeout,
                    Expired::KeepAlive => CloseReason::KeepAliveTimeout, // [MQTT-3.1.2-24]
                    Expired::Ping => CloseReason::PingTimeout,
                });
                return;
            }
        }
        self.ping_if_due(now);
    }

    /// Sends PINGREQ if it is due [MQTT-3.1.2-23]. Returns true if it was.
    #[inline]
    pub(super) fn ping_if_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.is_ping_due(now);
        if is_due {
            self.machine.tick(now);
            self.machine.ping();
        }
        is_due
    }

    /// Returns true if PINGREQ is due and no reply has to be sent before it.
    #[inline]
    pub(super) fn is_ping_due(&self, now: Timestamp) -> bool {
        R::ping_due(&self.machine).is_some_and(|due| due <= now)
            && !self.machine.pending.has_reply()
    }

    /// Reports that the transport has been closed, by the peer or by the network.
    pub fn handle_transport_closed(&mut self, now: Timestamp) {
        self.machine.tick(now);
        self.end(CloseReason::TransportClosed);
    }
}
