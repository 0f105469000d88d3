//! The server's side of a connection.

use super::action::{Action, CloseReason, Reply};
use super::both_roles::both_roles;
use super::config::Config;
use super::core::{Core, KeepAliveBasis};
use super::delivery::Disposition;
use super::error::{Blocked, CommandError, HandleError, PeerError};
use super::event::{Event, Message, MessageHeader};
use super::receive::{Outcome, Step, event_of};
use super::state::State;
use crate::decoder::Buffer;
use crate::session::{Session, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS};
use crate::v3::{
    ConnAck, ConnectRefusal, Decoder, EncodedMessage, Packet, PieceRef, ProtocolLevel, ReturnCodes,
    SubAck, SubscriberHeader, UnsubAck, acknowledgement, try_read_publish,
};
use crate::v3::{DecodeError, Reaction};
use crate::wire::{Encode, OPTIMIZE_SIZE, Output, PacketType};

/// One connection of a server with a client, without the transport.
///
/// It is driven as [`Client`](crate::Client) is: inputs, then actions until there are none, and
/// one deadline. What differs:
///
/// - It begins with [`Event::ConnectRequested`]. The application decides, by
///   [`accept`](Self::accept) or [`refuse`](Self::refuse), and finds the session that belongs to
///   the Client Identifier [MQTT-3.1.3-2]. If the identifier is empty, it makes one up
///   [MQTT-3.1.3-6].
/// - [`Event::SubscribeRequested`] and [`Event::UnsubscribeRequested`] are answered with
///   [`suback`](Self::suback) and [`unsuback`](Self::unsuback) before the next packet.
/// - When it ends, it says whether the Will is to be published or discarded.
///
/// Until a client has connected it may be anyone: give the decoder a small
/// [`Options::max_packet_size`](crate::Options::max_packet_size) until then.
///
/// ```
/// use mqtt_sansio::v3::Decoder;
/// use mqtt_sansio::{Config, Event, Server, Session, Slot, SliceOutput, Timestamp};
///
/// let now = Timestamp::from_millis(0);
/// let mut server = Server::new(Session::<[Slot; 4]>::default(), Config::new(), now);
/// let mut decoder = Decoder::new([0; 256]);
/// let mut buffer = [0; 256];
/// let mut out = SliceOutput::new(&mut buffer);
///
/// let mut received = &b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c"[..];
/// while let Some(packet) = decoder.decode(&mut received)? {
///     if let Some(Event::ConnectRequested(connect)) = server.handle_packet(now, packet)? {
///         assert_eq!(connect.to_connect().client_id, "c");
///         server.accept(now, &mut None, &mut out)?;
///     }
///     while let Some(action) = server.poll_action() {
///         println!("{action:?}");
///     }
/// }
/// assert_eq!(out.written(), [0x20, 2, 0, 0]);
/// // One and a half times the Keep Alive of 60 seconds.
/// assert_eq!(server.poll_timeout(), Some(Timestamp::from_millis(90_000)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Server<S> {
    core: Core<S>,
    /// What the application has not answered yet.
    request: Option<Request>,
}

both_roles!(Server);

#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Request {
    Subscribe { packet_id: PacketId, filters: u32 },
    Unsubscribe { packet_id: PacketId },
}

impl<S: Slots> Server<S> {
    /// A transport has been opened, and CONNECT is awaited. `session` is an empty one, for a client
    /// that has none.
    pub const fn new(session: Session<S>, config: Config, now: Timestamp) -> Self {
        let mut core = Core::new(session, config, KeepAliveBasis::Received, now);
        core.deadline = core.after(config.connect_timeout);
        // A client's liberty: nothing comes before CONNACK from here [MQTT-3.2.0-1].
        core.config.early = false;
        Self {
            core,
            request: None,
        }
    }

    // Commands

    /// Accepts the connection: sends CONNACK with return code 0 [MQTT-3.1.4-4]. `session` is the
    /// one that was kept for the client, or `None` if there is none or the client asked for Clean
    /// Session; it decides Session Present [MQTT-3.2.2-1, MQTT-3.2.2-2, MQTT-3.2.2-3]. It is taken
    /// out of the `Option` unless there is an error.
    ///
    /// # Errors
    ///
    /// [`CommandError::CleanSession`] if a client that asked for Clean Session is given a kept one;
    /// [`CommandError::NotConnected`] before CONNECT has come, [`CommandError::AlreadyConnected`] after
    /// it was answered.
    pub fn accept<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        session: &mut Option<Session<S>>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.check_requested()?;
        if session.is_some() && self.core.clean_session {
            return Err(CommandError::CleanSession);
        }
        ConnAck::Accepted {
            // In MQTT 3.1 the bit is reserved; the session goes on all the same.
            session_present: session.is_some() && !self.core.is_v3_1,
        }
        .encode(out)?;
        self.core.tick(now);
        self.core.sent_now();
        // From now on the client's silence counts, not the application's.
        self.core.received_now();
        if let Some(session) = session.take() {
            self.core.session = session; // [MQTT-3.1.2-4]
            self.core.resume();
        } else {
            self.core.session.clear(); // [MQTT-3.1.2-6]
        }
        self.core.begin();
        Ok(())
    }

    /// Refuses the connection: sends CONNACK with this return code, and closes
    /// [MQTT-3.1.3-9, MQTT-3.2.2-4, MQTT-3.2.2-5]. To close without CONNACK [MQTT-3.2.2-6], use
    /// [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn refuse<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        refusal: ConnectRefusal,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.check_requested()?;
        ConnAck::Refused(refusal).encode(out)?;
        self.core.tick(now);
        self.core.will = false;
        self.core.end(CloseReason::Refused(refusal));
        Ok(())
    }

    const fn check_requested(&self) -> Result<(), CommandError> {
        match self.core.state() {
            State::Requested => Ok(()),
            State::Start => Err(CommandError::NotConnected),
            State::Connected => Err(CommandError::AlreadyConnected),
            State::Ending | State::Ended => Err(CommandError::Ended),
        }
    }

    /// Answers [`Event::SubscribeRequested`]: one return code for each filter, in their order
    /// [MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-5, MQTT-3.9.3-1].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if there was no such request,
    /// [`CommandError::WrongNumberOfReturnCodes`].
    pub fn suback<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        return_codes: &ReturnCodes<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.core.check_may_send()?;
        let Some(Request::Subscribe { packet_id, filters }) = self.request else {
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

    /// Answers [`Event::UnsubscribeRequested`], also if there was nothing to end
    /// [MQTT-3.10.4-4, MQTT-3.10.4-5].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if there was no such request.
    pub fn unsuback<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.core.check_may_send()?;
        let Some(Request::Unsubscribe { packet_id }) = self.request else {
            return Err(CommandError::NotAwaited);
        };
        UnsubAck { packet_id }.encode(out)?;
        self.answered(now);
        Ok(())
    }

    fn answered(&mut self, now: Timestamp) {
        self.core.tick(now);
        self.core.sent_now();
        // What the client has sent meanwhile could not be taken: its silence counts from now.
        self.core.received_now();
        self.set_request(None);
    }

    const fn set_request(&mut self, request: Option<Request>) {
        self.request = request;
        self.core.pending.set_request(request.is_some());
    }

    /// Ends the connection: because the client has connected anew [MQTT-3.1.4-2], because the
    /// server goes down, because of something that it must not do, or because of an error
    /// [MQTT-4.8.0-2]. Its Will is published.
    pub fn close(&mut self, now: Timestamp) {
        self.core.tick(now);
        self.end(CloseReason::Aborted);
    }

    // Inputs

    /// What `handle_packet` does with all but a message or an acknowledgement that can be dealt
    /// with.
    #[inline(never)]
    fn handle_other<B: AsRef<[u8]>>(
        &mut self,
        now: Timestamp,
        packet: Packet<B>,
    ) -> Result<Option<Event<B>>, HandleError> {
        self.check_may_handle()?;
        self.core.tick(now);
        match (self.core.state(), packet) {
            (State::Start, Packet::Connect(connect)) => {
                self.core.pending.set_state(State::Requested);
                self.core.deadline = None;
                let fields = connect.to_connect();
                self.core.keep_alive = fields.keep_alive;
                self.core.clean_session = fields.clean_session; // [MQTT-3.1.4-3]
                self.core.is_v3_1 = fields.protocol_level == ProtocolLevel::V3_1;
                self.core.will = fields.will.is_some(); // [MQTT-3.1.2-8, MQTT-3.1.2-12]
                self.core.received_now();
                Ok(Some(Event::ConnectRequested(connect)))
            }
            // [MQTT-3.1.0-2]
            (State::Connected, Packet::Connect(_)) => Err(self.violation(PeerError::SecondConnect)),
            (
                State::Connected,
                Packet::Publish(_)
                | Packet::PubAck(_)
                | Packet::PubRec(_)
                | Packet::PubRel(_)
                | Packet::PubComp(_),
            ) => Err(Blocked::ReceivingPayload.into()),
            (
                State::Connected,
                Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::PingReq
                | Packet::Disconnect,
            ) if self.core.is_receiving_payload() => Err(Blocked::ReceivingPayload.into()),
            (State::Connected, Packet::Subscribe(subscribe)) => {
                self.set_request(Some(Request::Subscribe {
                    packet_id: subscribe.packet_id,
                    // A packet has no room for more.
                    filters: u32::try_from(subscribe.subscriptions.len()).unwrap_or(u32::MAX),
                }));
                self.core.received_now();
                Ok(Some(Event::SubscribeRequested(subscribe)))
            }
            (State::Connected, Packet::Unsubscribe(unsubscribe)) => {
                self.set_request(Some(Request::Unsubscribe {
                    packet_id: unsubscribe.packet_id,
                }));
                self.core.received_now();
                Ok(Some(Event::UnsubscribeRequested(unsubscribe)))
            }
            (State::Connected, Packet::PingReq) => {
                self.core.answer(Reply::PINGRESP); // [MQTT-3.12.4-1]
                self.core.received_now();
                Ok(None)
            }
            (State::Connected, Packet::Disconnect) => {
                self.end(CloseReason::Disconnected);
                Ok(Some(Event::Disconnected))
            }
            // Before CONNECT [MQTT-3.1.0-1], or what only a server sends [MQTT-4.8.0-1].
            (_, packet) => {
                let error = PeerError::Unexpected(packet.packet_type());
                Err(self.violation(error))
            }
        }
    }

    fn check_may_handle(&self) -> Result<(), HandleError> {
        self.core.check_may_handle()?;
        // What a client sends behind its CONNECT waits until that is accepted, and is not dealt
        // with if it is refused [MQTT-3.1.4-5].
        if self.request.is_some() || self.core.state() == State::Requested {
            return Err(Blocked::AnswerPending.into());
        }
        Ok(())
    }

    /// The decoder has found a fault in what the client sends: the connection is over. If it is in
    /// CONNECT and the standard asks for a CONNACK [MQTT-3.1.2-2, MQTT-3.1.3-8], that is sent
    /// first; otherwise none is [MQTT-3.1.4-1].
    pub fn handle_decode_error(&mut self, now: Timestamp, error: DecodeError) {
        self.core.tick(now);
        let reason = CloseReason::Violation(PeerError::Malformed(error));
        if let (State::Start, Reaction::ConnAckThenClose(refusal)) =
            (self.core.state(), error.reaction())
        {
            let connack = Reply::connack(ConnAck::Refused(refusal));
            self.core.end_with(connack, reason);
            return;
        }
        self.end(reason);
    }

    /// Bytes of a packet that is not complete yet have come: the client is there, only slow. It
    /// counts as a sign of life; pieces of a payload do so by themselves. The standard counts
    /// complete packets [MQTT-3.1.2-24]: whoever wants that does not call this. Call it only when
    /// there is progress, or a client that sends a byte a minute stays for ever.
    pub fn handle_progress(&mut self, now: Timestamp) {
        self.core.tick(now);
        if self.core.state() == State::Connected {
            self.core.received_now();
        }
    }

    /// Time has passed. Too early, or twice, does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let now = self.core.tick(now);
        if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
            if self.core.use_keep_alive_extension() {
                // What the client has sent meanwhile is still to be read.
                self.core.received_now();
                return;
            }
            self.end(match self.core.state() {
                State::Connected => CloseReason::KeepAliveTimeout, // [MQTT-3.1.2-24]
                _ => CloseReason::ConnectTimeout,
            });
        }
    }

    /// The transport has been closed, by the client or by the network.
    pub fn handle_transport_closed(&mut self, now: Timestamp) {
        self.core.tick(now);
        self.end(CloseReason::TransportClosed);
    }

    fn violation(&mut self, error: PeerError) -> HandleError {
        self.end(CloseReason::Violation(error));
        HandleError::Peer(error)
    }

    fn end(&mut self, reason: CloseReason) {
        self.set_request(None);
        if matches!(self.core.state(), State::Start | State::Requested) {
            // A Will counts once the connection is accepted.
            self.core.will = false;
        }
        self.core.end(reason);
    }

    // Outputs

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing happens before: the time
    /// limit for CONNECT, then one and a half times the Keep Alive after the last packet
    /// *received* [MQTT-3.1.2-24]. While the client has to wait for the application there is none: for
    /// an answer, because all inbound slots hold messages that are not acknowledged, or for the end of
    /// a payload behind which an acknowledgement or PINGRESP is to be sent. Any command or input can
    /// change the answer.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match self.core.state() {
            State::Start => self.core.deadline,
            State::Connected
                if self.core.keep_alive > 0
                    && self.request.is_none()
                    && !self.core.is_stalled() =>
            {
                Some(self.core.keep_alive_end(1500))
            }
            State::Requested | State::Connected | State::Ending | State::Ended => None,
        }
    }

    // Views

    /// Ends the connection, if it has not ended, and gives back the session, to be kept for the
    /// client unless it asked for Clean Session. What has not been polled, such as
    /// [`Action::PublishWill`], is not said any more.
    pub fn into_session(mut self) -> Session<S> {
        self.end(CloseReason::Aborted);
        self.core.into_session()
    }
}

impl<S> Server<S> {
    /// Whether the client asked for Clean Session: what [`into_session`](Self::into_session) gives
    /// back is empty then, and is not to be kept [MQTT-3.1.2-6].
    pub const fn is_clean_session(&self) -> bool {
        self.core.clean_session
    }
}
