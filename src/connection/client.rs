//! The client's side of a connection.

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
use crate::session::{Phase, Session, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS};
use crate::v3::DecodeError;
use crate::v3::{
    ConnAck, Connect, Decoder, EncodedMessage, Packet, PieceRef, ProtocolLevel, SubAck, Subscribe,
    SubscriberHeader, Subscriptions, TopicFilters, Unsubscribe, acknowledgement, try_read_publish,
};
use crate::wire::{Encode, OPTIMIZE_SIZE, Output, PacketType};

/// One connection of a client to a server, without the transport.
///
/// # How to drive it
///
/// The methods are of four kinds. **Commands** do what the application wants and write the packet
/// for it to an [`Output`]: all of it, or nothing and the reason. **Inputs** say what has
/// happened: a packet, a point in time, the end of the transport. **Outputs** say what is to be
/// done: actions, and one deadline. **Views** change nothing.
///
/// 1. After every command and every input, call [`poll_action`](Self::poll_action) until it
///    returns `None`, and do what it says, in order. What commands have encoded is sent before
///    what comes out then.
/// 2. Wait until bytes come, the deadline of [`poll_timeout`](Self::poll_timeout) passes, or the
///    application wants something; feed that in, and go back to 1.
/// 3. After [`Action::Close`], close the transport. [`into_session`](Self::into_session) gives
///    back what the next connection goes on with. It begins with a new `Client` and a new
///    decoder.
///
/// A call that is out of place is an error and changes nothing. No call waits.
///
/// [`receive`](Self::receive) is a shorter way to do what the loop of this example does:
///
/// ```
/// use mqtt_sansio::v3::{Connect, Decoder};
/// use mqtt_sansio::{Action, Client, Config, Event, Message, QoS, Session, Slot, SliceOutput, Text, Timestamp, TopicName};
///
/// let now = Timestamp::from_millis(0); // from the caller's clock
/// let mut client = Client::new(Session::<[Slot; 4]>::default(), Config::new(), now);
/// let mut decoder = Decoder::new([0; 256]);
/// let mut buffer = [0; 256];
/// let mut out = SliceOutput::new(&mut buffer); // what is to be sent
///
/// client.connect(now, &Connect::new(Text::new("device-7")?), &mut out)?;
/// assert_eq!(out.written()[..2], [0x10, 20]);
/// out.clear();
///
/// let mut received = &b"\x20\x02\x00\x00"[..]; // CONNACK, from the transport
/// while let Some(packet) = decoder.decode(&mut received)? {
///     if let Some(Event::Connected { .. }) = client.handle_packet(now, packet)? {
///         let message = Message {
///             topic: TopicName::new("kitchen/temperature")?,
///             payload: b"21.5",
///             qos: QoS::AtLeastOnce,
///             retain: false,
///         };
///         client.publish(now, &message, &mut out)?;
///     }
///     while let Some(action) = client.poll_action() {
///         match action {
///             Action::Transmit(packet) => println!("send {packet:?}"),
///             Action::Close(reason) => println!("close: {reason}"),
///             other => println!("{other:?}"),
///         }
///     }
/// }
/// assert_eq!(out.written()[..2], [0x32, 27]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Client<S> {
    core: Core<S>,
}

both_roles!(Client);

impl<S: Slots> Client<S> {
    /// A connection that has not begun. `session` is empty, or what an earlier connection left.
    pub const fn new(session: Session<S>, config: Config, now: Timestamp) -> Self {
        Self {
            core: Core::new(session, config, KeepAliveBasis::Sent, now),
        }
    }

    // Commands

    /// Sends CONNECT: once, and before anything else [MQTT-3.1.0-1].
    ///
    /// With Clean Session the session is forgotten [MQTT-3.1.2-6]; messages that were under way
    /// come out as [`Action::Lost`].
    ///
    /// # Errors
    ///
    /// [`CommandError::AlreadyConnected`], [`CommandError::Ended`], [`CommandError::Encode`].
    pub fn connect<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        connect: &Connect<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match self.core.state() {
            State::Start => {}
            State::Requested | State::Connected => return Err(CommandError::AlreadyConnected),
            State::Ending | State::Ended => return Err(CommandError::Ended),
        }
        connect.encode(out)?;
        self.core.tick(now);
        self.core.sent_now();
        self.core.pending.set_state(State::Requested);
        self.core.keep_alive = connect.keep_alive;
        self.core.clean_session = connect.clean_session;
        self.core.is_v3_1 = connect.protocol_level == ProtocolLevel::V3_1;
        self.core.deadline = self.core.after(self.core.config.connect_timeout);
        self.core.config.early &= self.core.session.is_empty();
        self.core.resume();
        if connect.clean_session {
            self.core.lose_session(true);
        }
        Ok(())
    }

    /// Asks for subscriptions. [`Event::Subscribed`] with the same identifier is the answer. It
    /// ends with the connection, answered or not.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); [`CommandError::WindowFull`] only if no slot is free.
    pub fn subscribe<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        subscriptions: &Subscriptions<B>,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        let filters =
            u16::try_from(subscriptions.len()).map_err(|_| CommandError::TooManyFilters)?;
        let packet_id = self.next_request()?;
        let subscribe = Subscribe {
            packet_id,
            subscriptions: subscriptions.as_ref(),
        };
        subscribe.encode(out)?;
        self.begin_request(now, Phase::Subscribe(filters));
        Ok(packet_id)
    }

    /// Ends subscriptions. [`Event::Unsubscribed`] with the same identifier is the answer.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn unsubscribe<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        topic_filters: &TopicFilters<B>,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        let packet_id = self.next_request()?;
        let unsubscribe = Unsubscribe {
            packet_id,
            topic_filters: topic_filters.as_ref(),
        };
        unsubscribe.encode(out)?;
        self.begin_request(now, Phase::Unsubscribe);
        Ok(packet_id)
    }

    /// The identifiers of requests are those of messages [MQTT-2.3.1-2].
    fn next_request(&mut self) -> Result<PacketId, CommandError> {
        self.core.check_may_send()?;
        let next = self.core.session.outbound.next_id();
        next.ok_or(CommandError::WindowFull)
    }

    fn begin_request(&mut self, now: Timestamp, phase: Phase) {
        self.core.tick(now);
        self.core.sent_now();
        self.core.session.outbound.begin(phase);
    }

    /// Sends DISCONNECT. The connection is over: the server discards the Will, and nothing more is
    /// sent [MQTT-3.14.4-1, MQTT-3.14.4-2].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotConnected`] before CONNACK, unless
    /// [`send_before_connack`](Config::send_before_connack) allows it; [`CommandError::SendingPayload`] in
    /// the middle of a payload, [`CommandError::ActionsPending`], [`CommandError::Ended`].
    /// [`close`](Self::close) is always possible.
    pub fn disconnect<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.core.check_may_send()?;
        if self.core.has_answer() {
            return Err(CommandError::ActionsPending);
        }
        Packet::<&[u8]>::Disconnect.encode(out)?;
        self.core.tick(now);
        self.core.end(CloseReason::Disconnected);
        Ok(())
    }

    /// Ends the connection without DISCONNECT, because of an error for example [MQTT-4.8.0-2]: the
    /// server publishes the Will.
    pub fn close(&mut self, now: Timestamp) {
        self.core.tick(now);
        self.core.end(CloseReason::Aborted);
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
            (State::Requested, Packet::ConnAck(connack)) => self.handle_connack(connack),
            (
                State::Connected,
                Packet::Publish(_)
                | Packet::PubAck(_)
                | Packet::PubRec(_)
                | Packet::PubRel(_)
                | Packet::PubComp(_),
            ) => Err(Blocked::ReceivingPayload.into()),
            (State::Connected, Packet::SubAck(suback)) => self.handle_suback(suback),
            (State::Connected, Packet::UnsubAck(unsuback)) => {
                self.finish_request(PacketType::UnsubAck, unsuback.packet_id, None)?;
                Ok(Some(Event::Unsubscribed(unsuback.packet_id)))
            }
            (State::Connected, Packet::PingResp) if self.core.is_receiving_payload() => {
                Err(Blocked::ReceivingPayload.into())
            }
            (State::Connected, Packet::PingResp) => {
                self.core.received_now();
                self.core.deadline = None;
                Ok(None)
            }
            // Before CONNECT, before CONNACK [MQTT-3.2.0-1], or what only a client sends
            // [MQTT-4.8.0-1].
            (_, packet) => {
                let error = PeerError::Unexpected(packet.packet_type());
                Err(self.core.violation(error))
            }
        }
    }

    fn check_may_handle(&self) -> Result<(), HandleError> {
        self.core.check_may_handle()
    }

    fn handle_connack<B: AsRef<[u8]>>(
        &mut self,
        connack: ConnAck,
    ) -> Result<Option<Event<B>>, HandleError> {
        match connack {
            ConnAck::Refused(refusal) => {
                self.core.end(CloseReason::Refused(refusal));
                Ok(Some(Event::Refused(refusal)))
            }
            ConnAck::Accepted { session_present } => {
                if session_present && self.core.clean_session {
                    return Err(self.core.violation(PeerError::SessionPresent)); // [MQTT-3.2.2-1]
                }
                // MQTT 3.1 has no such bit: without Clean Session the session goes on.
                let session_present =
                    session_present || (self.core.is_v3_1 && !self.core.clean_session);
                self.core.begin();
                self.core.received_now();
                if !session_present {
                    self.core.lose_session(true);
                }
                Ok(Some(Event::Connected { session_present }))
            }
        }
    }

    fn handle_suback<B: AsRef<[u8]>>(
        &mut self,
        suback: SubAck<B>,
    ) -> Result<Option<Event<B>>, HandleError> {
        let codes = suback.return_codes.len();
        self.finish_request(PacketType::SubAck, suback.packet_id, Some(codes))?;
        Ok(Some(Event::Subscribed(suback)))
    }

    /// SUBACK, with its number of return codes, or UNSUBACK has come.
    fn finish_request(
        &mut self,
        packet_type: PacketType,
        packet_id: PacketId,
        codes: Option<usize>,
    ) -> Result<(), HandleError> {
        if self.core.is_receiving_payload() {
            return Err(Blocked::ReceivingPayload.into());
        }
        let error = match (self.core.session.outbound.phase(packet_id), codes) {
            (Some(Phase::Subscribe(filters)), Some(codes)) if usize::from(filters) != codes => {
                PeerError::WrongNumberOfReturnCodes
            }
            (Some(Phase::Subscribe(_)), Some(_)) | (Some(Phase::Unsubscribe), None) => {
                self.core.session.outbound.complete(packet_id);
                self.core.received_now();
                return Ok(());
            }
            (None, _) => PeerError::NoSuchRequest {
                packet_type,
                packet_id,
            },
            (Some(_), _) => PeerError::WrongAcknowledgement {
                packet_type,
                packet_id,
            },
        };
        Err(self.core.violation(error))
    }

    /// The decoder has found a fault in what the server sends: the connection is over.
    pub fn handle_decode_error(&mut self, now: Timestamp, error: DecodeError) {
        self.core.tick(now);
        self.core.violation(PeerError::Malformed(error));
    }

    /// Bytes of a packet that is not complete yet, or a piece of a payload, have come: the server is
    /// there, only slow. This puts off the time limit for PINGRESP, which otherwise does not wait.
    /// Call it only when there is progress.
    pub fn handle_progress(&mut self, now: Timestamp) {
        self.core.tick(now);
        if self.core.state() == State::Connected && self.core.deadline.is_some() {
            self.expect_pingresp();
        }
    }

    /// PINGRESP has to come within the time for it from now on.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    const fn expect_pingresp(&mut self) {
        self.core.deadline = self.core.after(self.core.config.ping_timeout);
    }

    /// Time has passed. Too early, or twice, does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let now = self.core.tick(now);
        if self.answer_due().is_some_and(|due| due <= now) {
            if !self.core.use_keep_alive_extension() {
                self.core.end(match self.core.state() {
                    State::Connected => CloseReason::PingTimeout,
                    _ => CloseReason::ConnectTimeout,
                });
                return;
            }
            // PINGRESP may be behind what could not be taken until now.
            self.expect_pingresp();
        }
        // [MQTT-3.1.2-23]
        if self.ping_due().is_some_and(|due| due <= now) && !self.core.has_answer() {
            self.core.answer(Reply::PINGREQ);
            self.core.sent_now();
            if self.core.deadline.is_none() {
                self.core.use_keep_alive_extension();
                self.expect_pingresp();
            }
        }
    }

    /// The transport has been closed, by the server or by the network.
    pub fn handle_transport_closed(&mut self, now: Timestamp) {
        self.core.tick(now);
        self.core.end(CloseReason::TransportClosed);
    }

    // Outputs

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing happens before. Any
    /// command, input or action can change the answer; there is only this one deadline.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match (self.answer_due(), self.ping_due()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (deadline, due) => deadline.or(due),
        }
    }

    /// When CONNACK or PINGRESP is overdue: never as long as this side does not take what the server
    /// sends.
    fn answer_due(&self) -> Option<Timestamp> {
        self.core.deadline.filter(|_| !self.core.is_stalled())
    }

    /// When PINGREQ is due: counted from the last packet *sent* [MQTT-3.1.2-23], and an eighth of
    /// the Keep Alive early, for a timer that is late.
    fn ping_due(&self) -> Option<Timestamp> {
        if self.core.state() != State::Connected
            || self.core.keep_alive == 0
            // It could not be sent between the pieces of a payload.
            || self.core.is_sending_payload()
        {
            return None;
        }
        Some(self.core.keep_alive_end(875))
    }

    // Views

    /// Ends the connection, if it has not ended, and gives back the session for the next one. What has
    /// not been polled is not said any more: with a journal, poll until there is no action first.
    pub fn into_session(mut self) -> Session<S> {
        self.core.end(CloseReason::Aborted);
        self.core.into_session()
    }
}
