//! The methods of connections of every role and version.

use super::action::Action;
use super::close_reason::CloseReason;
use super::config::Config;
use super::error::{Blocked, CommandError, HandleError, PeerError, ProtocolError};
use super::limit::Limit;
use super::machine::{Disposition, Machine, MachineAction, Rejection};
use super::outgoing::OutgoingMessage;
use super::reply::PendingReply;
use super::role::{Expired, Role};
use super::state::State;
use super::version::{Input, Outcome, Version};
use crate::decoder::Piece;
use crate::session::{Acknowledgement, Session, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS};
use crate::wire::{DecodeError, ErrorKind, Output};

/// One connection of a client or a server, without the transport: `V` is the version of MQTT, `R` the
/// role, `S` where the session's Packet Identifiers live. Users name it by its aliases,
/// [`v3::Client`](crate::v3::Client) and [`v3::Server`](crate::v3::Server).
///
/// # How to drive it
///
/// The methods are of four kinds. **Commands** write a packet to an [`Output`], whole, or return an
/// error. **Inputs** report received bytes, the time, or the end of the transport. **Outputs**
/// return events, actions and one deadline. **Views** change nothing.
///
/// 1. Wait until bytes arrive, the deadline of [`poll_timeout`](Self::poll_timeout) passes, or the
///    application wants to send something.
/// 2. Call [`receive`](Self::receive) until it returns `None`, with the received bytes, or with none
///    when the deadline has passed. Call commands.
/// 3. Carry out the actions that `receive` and [`poll_action`](Self::poll_action) return, in order.
///    Send the output of a command before the replies that follow it. Go back to 1.
/// 4. After [`Action::Close`], close the transport. [`take_session`](Self::take_session) returns the
///    session for the next connection, which begins with a new `Connection` and a new decoder.
///
/// No call blocks. A call that is not possible in the current state returns an error and changes
/// nothing.
///
/// ```
/// use mqtt_sansio::v3::{Action, Client, Connect, Decoder, Event, Message, Step};
/// use mqtt_sansio::{Config, QoS, Session, Slot, SliceOutput, Text, Timestamp, TopicName};
///
/// let now = Timestamp::from_millis(0); // from the caller's clock
/// let session = Session::<[Slot; 4]>::default();
/// let mut client = Client::new(session, Config::new(), now);
/// let mut decoder = Decoder::new([0; 256]);
/// let mut buffer = [0; 256];
/// let mut out = SliceOutput::new(&mut buffer); // what is to be sent
///
/// client.connect(now, &Connect::new(Text::new("device-7")?), &mut out)?;
/// assert_eq!(out.written()[..2], [0x10, 20]);
/// out.clear();
///
/// let mut received = &b"\x20\x02\x00\x00"[..]; // CONNACK, from the transport
/// while let Some(step) = client.receive(now, &mut decoder, &mut received)? {
///     match step {
///         Step::Event(Event::Connected { .. }) => {
///             let topic = TopicName::new("kitchen/temperature")?;
///             let message = Message::new(topic, b"21.5").qos(QoS::AtLeastOnce);
///             client.publish(now, &message, &mut out)?;
///         }
///         Step::Event(event) => println!("{event:?}"),
///         Step::Action(Action::Transmit(reply)) => println!("send {reply:?}"),
///         Step::Action(Action::Close(reason)) => println!("close: {reason}"),
///         Step::Action(action) => println!("{action:?}"),
///     }
/// }
/// assert_eq!(out.written()[..2], [0x32, 27]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Connection<V: Version, R: Role, S> {
    pub(crate) machine: Machine<S>,
    pub(super) limits: V::Limits,
    pub(super) role: R::State,
    reason: Option<CloseReason<V>>,
    /// True once the first bytes were received. The decoder was at the start of its stream then.
    pub(crate) has_decoder: bool,
}

impl<V: Version, R: Role, S: Slots> Connection<V, R, S> {
    /// Creates a connection that has not begun. `session` is empty, or at a client the session of
    /// its previous connection.
    pub fn new(session: Session<S>, config: Config, now: Timestamp) -> Self {
        let mut machine = Machine::new(session, config, R::KEEP_ALIVE_BASIS, now);
        R::start(&mut machine);
        Self::of_machine(machine, false)
    }

    /// Creates a connection that has not begun.
    pub(super) fn of_machine(machine: Machine<S>, has_decoder: bool) -> Self {
        Self {
            machine,
            limits: V::Limits::default(),
            role: R::State::default(),
            reason: None,
            has_decoder,
        }
    }

    // Commands

    /// Publishes a message to the peer. Above QoS 0 it returns the Packet Identifier under which the
    /// application keeps the message until it is delivered.
    ///
    /// A message without its payload (`MessageHeader`) announces the length of one, which
    /// [`payload`](Self::payload) sends in pieces. No other packet can be sent until it is
    /// complete.
    ///
    /// # Errors
    ///
    /// [`CommandError::WindowFull`] if as many messages as possible are in flight. The other errors
    /// name the condition that prevents it. Nothing has changed then.
    #[inline]
    pub fn publish<M: OutgoingMessage<V>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        message: &M,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError> {
        self.machine.check_may_send()?;
        let delivery = self.machine.next_delivery(message.qos())?;
        message.encode(delivery, &mut self.limits, R::IS_SERVER, out)?;
        Ok(self.machine.commit(now, delivery, message.payload_left()))
    }

    /// Sends the next piece of a payload. Returns the number of bytes that are still missing.
    ///
    /// # Errors
    ///
    /// [`CommandError::PayloadTooLong`] if `bytes` exceeds the announced length.
    pub fn payload<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        bytes: &[u8],
        out: &mut O,
    ) -> Result<u32, CommandError> {
        self.machine.payload(now, bytes, out)
    }

    /// Reports that the caller itself has sent or queued the next `len` bytes of a payload: for a
    /// vectored write, which does not copy them. Returns the number of bytes that are still
    /// missing.
    ///
    /// # Errors
    ///
    /// As [`payload`](Self::payload).
    pub fn payload_sent(&mut self, now: Timestamp, len: usize) -> Result<u32, CommandError> {
        self.machine.payload_sent(now, len)
    }

    /// Sends a message again that [`Action::Resend`] has asked for, with DUP [MQTT-3.3.1-1].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if no action asked for it, [`CommandError::QosChanged`] if it
    /// was sent at another QoS. The other errors name the condition that prevents it.
    pub fn resend<M: OutgoingMessage<V>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        packet_id: PacketId,
        message: &M,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let delivery = self.machine.requested(packet_id, message.qos())?;
        message.encode(delivery, &mut self.limits, R::IS_SERVER, out)?;
        self.machine
            .commit_again(now, packet_id, message.payload_left());
        Ok(())
    }

    /// Gives up a message that [`Action::Resend`] has asked for and that the application no longer has.
    /// Its Packet Identifier is free again.
    ///
    /// At QoS 2 the peer may still hold that identifier, and would discard a later message with it
    /// as a duplicate of this one. An application that keeps its messages never needs this.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if no action asked for it. The other errors name the condition
    /// that prevents it.
    pub fn forget(&mut self, packet_id: PacketId) -> Result<(), CommandError> {
        self.machine.forget(packet_id)
    }

    /// Returns the value that acknowledges the message with this Packet Identifier
    /// ([`Config::manual_acknowledgement`]). Call this at the event of the message, and keep the
    /// value with the message: it belongs to this delivery, and never acknowledges a later message
    /// with the same identifier. Returns `None` if no message awaits it, and before the last piece
    /// of a message in pieces.
    ///
    /// ```
    /// # use mqtt_sansio::v3::{Action, Client, Connect, Decoder, Event, Step};
    /// # use mqtt_sansio::{Config, Session, Slot, SliceOutput, Text, Timestamp};
    /// # let now = Timestamp::from_millis(0);
    /// # let config = Config::new().manual_acknowledgement(true);
    /// # let mut client = Client::new(Session::<[Slot; 4]>::default(), config, now);
    /// # let mut buffer = [0; 64];
    /// # client.connect(now, &Connect::new(Text::new("c")?), &mut SliceOutput::new(&mut buffer))?;
    /// # let mut decoder = Decoder::new([0; 64]);
    /// let mut received = &b"\x20\x02\0\0\x32\x06\0\x01a\0\x07x"[..];
    /// let mut to_do = None;
    /// while let Some(step) = client.receive(now, &mut decoder, &mut received)? {
    ///     if let Step::Event(Event::Message(publish)) = step {
    ///         to_do = publish.delivery.packet_id().and_then(|id| client.acknowledgement(id));
    ///     }
    /// }
    /// if let Some(acknowledgement) = to_do {
    ///     client.acknowledge(acknowledgement)?; // the message has been processed
    /// }
    /// assert!(matches!(client.poll_action(), Some(Action::Transmit(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn acknowledgement(&self, packet_id: PacketId) -> Option<Acknowledgement> {
        self.machine.acknowledgement(packet_id)
    }

    /// Acknowledges a message that the application has processed (with
    /// [`Config::manual_acknowledgement`]). For a QoS 2 message this may also be called between
    /// connections.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if the message does not await it any more.
    pub fn acknowledge(&mut self, acknowledgement: Acknowledgement) -> Result<(), CommandError> {
        self.machine.acknowledge(acknowledgement, 0)
    }

    /// Returns true if [`publish`](Self::publish) can send a message of this QoS now: the
    /// connection is accepted, no other packet or action has to come first, and limits and slots
    /// allow it. A `Vec` of slots may grow; nothing else changes.
    pub fn can_publish(&mut self, qos: QoS) -> bool {
        self.machine.can_publish(qos)
    }

    /// Ends the connection without DISCONNECT, for example because of an error [MQTT-4.8.0-2], or
    /// because the client has a new connection [MQTT-3.1.4-2]. The server publishes the Will.
    pub fn close(&mut self, now: Timestamp) {
        self.machine.tick(now);
        self.end(CloseReason::Aborted);
    }

    // Inputs

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
        let is_due = R::ping_due(&self.machine).is_some_and(|due| due <= now)
            && !self.machine.pending.has_reply();
        if is_due {
            self.machine.tick(now);
            self.machine.ping();
        }
        is_due
    }

    /// Returns true if [`receive`](Self::receive) would send PINGREQ.
    #[inline]
    pub(super) fn is_ping_due(&self, now: Timestamp) -> bool {
        R::ping_due(&self.machine).is_some_and(|due| due <= now && due < Timestamp::MAX)
            && !self.machine.pending.has_reply()
    }

    /// Reports that the transport has been closed, by the peer or by the network.
    pub fn handle_transport_closed(&mut self, now: Timestamp) {
        self.machine.tick(now);
        self.end(CloseReason::TransportClosed);
    }

    // The end of a connection

    pub(super) fn end(&mut self, reason: CloseReason<V>) {
        self.end_with_will(reason, matches!(reason, CloseReason::Disconnected));
    }

    /// Ends the connection, and decides whether the Will is discarded or published.
    pub(super) fn end_with_will(&mut self, reason: CloseReason<V>, discards_will: bool) {
        self.end_with_reply(reason, discards_will, &reason);
    }

    /// Ends the connection, with the reply that `cause` requires.
    fn end_with_reply(
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
    fn end_at_limit(&mut self) {
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

    // Outputs

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
    fn encode_reply(&self, reply: PendingReply) -> Option<V::Reply> {
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

    // State

    /// Returns the state of the connection.
    pub const fn state(&self) -> State {
        self.machine.state()
    }

    /// Returns the Keep Alive in seconds; 0 disables it. In MQTT 5 the server may have changed it.
    pub const fn keep_alive(&self) -> u16 {
        self.machine.keep_alive
    }

    /// Returns the session, for example to save it.
    pub const fn session(&self) -> &Session<S> {
        &self.machine.session
    }

    /// Ends the connection, if it has not ended, and returns the session for the next one. Actions not
    /// polled yet are discarded: with a journal, end the connection with [`close`](Self::close) and drain
    /// [`poll_action`](Self::poll_action) first.
    ///
    /// A session that ends with its connection ([`session_ends`](Self::session_ends)) is empty.
    pub fn into_session(mut self) -> Session<S> {
        self.end_session();
        self.machine.session
    }

    /// [`into_session`](Self::into_session) through a mutable reference. Leaves an empty session.
    pub fn take_session(&mut self) -> Session<S>
    where
        Session<S>: Default,
    {
        self.end_session();
        core::mem::take(&mut self.machine.session)
    }

    fn end_session(&mut self) {
        self.end(CloseReason::Aborted);
        self.machine.forget_lost();
    }

    /// Returns true if the session ends with the connection: with Clean Session, or in MQTT 5 with
    /// a Session Expiry Interval of 0. A server does not keep it then [MQTT-3.1.2-6].
    pub const fn session_ends(&self) -> bool {
        self.machine.session_ends
    }
}

/// Prints the state and the number of messages in flight, not every Packet Identifier.
impl<V: Version, R: Role, S> core::fmt::Debug for Connection<V, R, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Connection")
            .field("state", &self.machine.pending.state())
            .field("keep_alive", &self.machine.keep_alive)
            .field("session", &self.machine.session)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<V: Version, R: Role, S> defmt::Format for Connection<V, R, S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "Connection {{ state: {}, keep_alive: {=u16}, session: {} }}",
            self.machine.pending.state(),
            self.machine.keep_alive,
            self.machine.session
        );
    }
}
