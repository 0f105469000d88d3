//! The methods that client and server of MQTT 5 share.

use super::limited::encode_within;
use super::limits::{ALIAS_ASSIGNED, Authentication, OWN_ALIAS, Turn};
use super::message::check_len;
use super::version::is_sent_by;
use super::{CloseReason, Connection, HandleError, Limits, Message, OutboundAliases, TopicAliases};
use crate::connection::error::{CommandError, ProtocolError};
use crate::connection::role::Role;
use crate::connection::state::State;
use crate::connection::version::Outcome;
use crate::fan_out::{EncodedMessage, Receiver, SubscriberHeader, TopicForm};
use crate::session::{Acknowledgement, Change, Slots};
use crate::time::Timestamp;
use crate::types::{Delivery, PacketId};
use crate::v5::{Auth, AuthReasonCode, Disconnect, PubAckReasonCode, Shortened, V5};
use crate::wire::{Encode, EncodeError, Output, PacketBody, PacketType, encode_bytes};

/// DISCONNECT with Reason Code 0x00 and no properties.
const DISCONNECT: [u8; 2] = [0xe0, 0];

/// # What both sides of MQTT 5 have
impl<R: Role, S: Slots> Connection<V5, R, S> {
    /// Returns the limits that CONNECT and CONNACK negotiated.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the Session Expiry Interval in seconds: how long the server keeps the session after this
    /// connection. 0 means not at all, `u32::MAX` for ever. A client's DISCONNECT may have changed it,
    /// so read it when the connection has ended.
    pub const fn session_expiry_interval(&self) -> u32 {
        self.limits.session_expiry_interval
    }

    /// Acknowledges a message with a Reason Code. A code from 0x80 on refuses the message: a refused
    /// QoS 2 message has no PUBREL.
    ///
    /// With manual acknowledgement this is [`acknowledge`](Self::acknowledge) with a code. Without
    /// it, call this right after the event, before the acknowledgement is polled, to send a code
    /// other than success.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if the message no longer awaits it;
    /// [`CommandError::ReasonCodeOfPeer`] for a code that only a server sends
    /// [MQTT5-3.4.2-1, MQTT5-3.5.2-1].
    pub fn acknowledge_with(
        &mut self,
        acknowledgement: Acknowledgement,
        reason_code: PubAckReasonCode,
    ) -> Result<(), CommandError> {
        if !R::IS_SERVER && reason_code == PubAckReasonCode::NoMatchingSubscribers {
            return Err(CommandError::ReasonCodeOfPeer);
        }
        self.machine
            .acknowledge(acknowledgement, reason_code.number())
    }

    /// Publishes a message with a Topic Alias, if `aliases` and the peer allow another one: the Topic
    /// Name is sent the first time only (section 3.3.2.3.4). A Topic Alias among the message's own
    /// properties is left out. The Topic Name is sent without an alias:
    ///
    /// - if a new alias, which takes three bytes, would exceed the peer's Maximum Packet Size;
    /// - after [`publish`](Self::publish) has sent a Topic Alias of the application on this connection,
    ///   because it may have replaced one of `aliases`.
    ///
    /// ```
    /// # use mqtt_sansio::v5::{AliasArray, Client, Connect, Decoder, Event, Message, OutboundAliases, Step};
    /// # use mqtt_sansio::{Config, Session, Slot, SliceOutput, Text, Timestamp, TopicName};
    /// # let now = Timestamp::from_millis(0);
    /// # let mut client = Client::new(Session::<[Slot; 4]>::default(), Config::new(), now);
    /// # let mut buffer = [0; 64];
    /// # let mut out = SliceOutput::new(&mut buffer);
    /// # client.connect(now, &Connect::new(Text::new("c")?), &mut out)?;
    /// # let connack = b"\x20\x06\0\0\x03\x22\0\x0a"; // Topic Alias Maximum 10
    /// # client.receive(now, &mut Decoder::new([0; 64]), &mut &connack[..])?;
    /// # out.clear();
    /// let mut aliases = OutboundAliases::new(AliasArray::<4, 32>::new());
    /// let message = Message::new(TopicName::new("a/b")?, "1");
    /// client.publish_aliased(now, &message, &mut aliases, &mut out)?;
    /// client.publish_aliased(now, &message, &mut aliases, &mut out)?;
    /// assert_eq!(out.written(), b"\x30\x0a\0\x03a/b\x03\x23\0\x011\x30\x07\0\0\x03\x23\0\x011");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub fn publish_aliased<T, P, Q, A, O>(
        &mut self,
        now: Timestamp,
        message: &Message<T, P, Q>,
        aliases: &mut OutboundAliases<A>,
        out: &mut O,
    ) -> Result<Option<PacketId>, CommandError>
    where
        T: AsRef<[u8]>,
        P: AsRef<[u8]>,
        Q: AsRef<[u8]>,
        A: TopicAliases,
        O: Output + ?Sized,
    {
        self.machine.check_may_send()?;
        let delivery = self.machine.next_delivery(message.qos)?;
        let topic = message.topic.as_bytes();
        let form = self.topic_form(aliases, topic, |form| {
            message.edited(delivery, form).encoded_len()
        });
        let publish = message.edited(delivery, form);
        message.encode_edited(&publish, &self.limits, R::IS_SERVER, out)?;
        self.limits
            .note(ALIAS_ASSIGNED, aliases.commit(topic, form));
        Ok(self.machine.commit(now, delivery, 0))
    }

    /// [`publish_encoded`](Self::publish_encoded) with a Topic Alias, if `aliases` and the peer allow
    /// another one: see [`publish_aliased`](Self::publish_aliased). Send the returned header before the
    /// next packet, because the alias is valid from then on.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub fn publish_encoded_aliased<T, P, B, A>(
        &mut self,
        now: Timestamp,
        message: &EncodedMessage<T, P>,
        receiver: Receiver<B>,
        aliases: &mut OutboundAliases<A>,
    ) -> Result<SubscriberHeader<B>, CommandError>
    where
        T: AsRef<[u8]>,
        P: AsRef<[u8]>,
        B: AsRef<[u8]>,
        A: TopicAliases,
    {
        let topic = message.topic();
        let form = self.topic_form(aliases, topic.as_bytes(), |form| {
            let delivery = Delivery::new(receiver.qos, PacketId::MIN, false);
            let header = message.subscriber_header::<V5, _>(&delivery, receiver.as_ref(), form);
            header.map(|(_, len)| len)
        });
        let header = self.publish_encoded_as(now, message, receiver, form)?;
        let is_assigned = aliases.commit(topic.as_bytes(), form);
        self.limits.note(ALIAS_ASSIGNED, is_assigned);
        Ok(header)
    }

    /// Returns how to name the topic of a message: with an alias if the packet of this length fits.
    fn topic_form<A: TopicAliases>(
        &self,
        aliases: &mut OutboundAliases<A>,
        topic: &[u8],
        packet_len: impl FnOnce(TopicForm) -> Result<usize, EncodeError>,
    ) -> TopicForm {
        if topic.is_empty() || self.limits.has(OWN_ALIAS) {
            return TopicForm::Name;
        }
        if !self.limits.has(ALIAS_ASSIGNED) {
            aliases.clear();
        }
        let peer = &self.limits.peer;
        let form = aliases.choose(topic, peer.topic_alias_maximum);
        let is_limited = peer.maximum_packet_size < u32::MAX;
        if form != TopicForm::Name
            && is_limited
            && check_len(&self.limits, packet_len(form)).is_err()
        {
            return TopicForm::Name;
        }
        form
    }

    /// Sends DISCONNECT with Reason Code 0x00. The connection has ended, and nothing more is sent
    /// [MQTT5-3.14.4-1, MQTT5-3.14.4-2]. After that of a client, the server discards the Will.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotConnected`] before CONNACK [MQTT5-3.14.0-1],
    /// [`CommandError::SendingPayload`] in the middle of a payload, [`CommandError::ActionsPending`],
    /// [`CommandError::Ended`]. [`close`](Self::close) is always possible.
    pub fn disconnect<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.machine.check_may_disconnect()?;
        check_len(&self.limits, Ok(DISCONNECT.len()))?;
        encode_bytes(DISCONNECT, out)?;
        self.machine.tick(now);
        self.end_with_will(CloseReason::Disconnected, false);
        Ok(())
    }

    /// Sends DISCONNECT with a Reason Code and properties. Of a client's codes only 0x00 makes the
    /// server discard the Will. A server reports why it closes, and with Server Reference which
    /// server to use instead.
    ///
    /// Reason String and User Properties are left out if the packet would be larger than the peer's
    /// Maximum Packet Size [MQTT5-3.14.2-3, MQTT5-3.14.2-4]. A server's DISCONNECT does not discard the
    /// Will.
    ///
    /// # Errors
    ///
    /// As [`disconnect`](Self::disconnect); [`CommandError::SessionExpiryInterval`] if a server sets
    /// one, or a client whose CONNECT had none, or whose session the server does not keep
    /// [MQTT5-3.14.2-2]; [`CommandError::ReasonCodeOfPeer`] for a code that this side does not send
    /// [MQTT5-3.14.2-1]; [`CommandError::PacketTooLarge`].
    pub fn disconnect_with<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        disconnect: &Disconnect<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.machine.check_may_disconnect()?;
        let code = disconnect.reason_code;
        if !is_sent_by(code, R::IS_SERVER) {
            return Err(CommandError::ReasonCodeOfPeer);
        }
        let expiry = disconnect.properties.session_expiry_interval();
        if let Some(expiry) = expiry {
            // Nor does a session come back that CONNACK has ended: nothing of it was stored.
            let comes_back = expiry > 0 && self.session_ends();
            if R::IS_SERVER || comes_back || !self.limits.allows_in_disconnect(expiry) {
                return Err(CommandError::SessionExpiryInterval);
            }
        }
        let packet = Disconnect {
            reason_code: code,
            properties: disconnect.properties.as_ref(),
        };
        let shortened = Shortened {
            first_byte: packet.first_byte(),
            code: code.number(),
            properties: packet.properties,
        };
        match encode_within(&self.limits, &packet, out) {
            Err(CommandError::PacketTooLarge) => encode_within(&self.limits, &shortened, out)?,
            outcome => outcome?,
        }
        self.machine.tick(now);
        if let Some(expiry) = expiry {
            self.set_session_expiry_interval(expiry);
            // The client ends its session itself, whatever CONNACK would have decided.
            self.machine.clean_start |= expiry == 0;
        }
        // So ends a re-authentication that has failed [MQTT5-4.12.1-2]. Whatever a server says, only a
        // client's DISCONNECT discards the Will [MQTT5-3.14.4-3].
        self.end_with_will(CloseReason::Disconnected, false);
        Ok(())
    }

    /// Sets the Session Expiry Interval.
    pub(super) const fn set_session_expiry_interval(&mut self, expiry: u32) {
        self.limits.session_expiry_interval = expiry;
        let was_kept = !core::mem::replace(&mut self.machine.session_ends, expiry == 0);
        // The stored session must not outlive the session itself: changes stored on this connection, or
        // until CONNACK decided that the session ends with it.
        let is_decided = matches!(self.state(), State::Requested);
        let ends_now = (was_kept || is_decided) && self.machine.session_ends;
        if ends_now
            && self.machine.config.has(crate::connection::config::JOURNAL)
            && !self.machine.session.is_empty()
        {
            self.machine.pending.set_store(Some(Change::Cleared));
        }
    }

    /// Sends AUTH: the next step of an enhanced authentication, or, from a client with
    /// [`ReAuthenticate`](AuthReasonCode::ReAuthenticate), the first step of another one (section
    /// 4.12).
    ///
    /// Reason String and User Properties are left out if the client does not accept them, or if the
    /// packet would exceed the peer's Maximum Packet Size
    /// [MQTT5-3.1.2-29, MQTT5-3.15.2-2, MQTT5-3.15.2-3].
    ///
    /// # Errors
    ///
    /// [`CommandError::AuthenticationOrder`] if it is not this side's turn, CONNECT had no
    /// Authentication Method or another one [MQTT5-4.12.0-5, MQTT5-4.12.0-7];
    /// [`CommandError::PacketTooLarge`].
    pub fn auth<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        auth: &Auth<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        match self.state() {
            State::Requested | State::Connected => {}
            State::Start => return Err(CommandError::NotConnected),
            State::Ending | State::Ended => return Err(CommandError::Ended),
        }
        if self.machine.is_sending_payload() {
            return Err(CommandError::SendingPayload);
        }
        let is_connected = self.state() == State::Connected;
        let authentication = self.limits.authentication;
        let code = auth.reason_code;
        let turn = authentication.next_turn(self.limits.turn, !R::IS_SERVER, code, is_connected);
        let method = auth.properties.authentication_method();
        let (Some(turn), true) = (
            turn,
            authentication.has_method(method.as_ref().map(|method| method.as_bytes())),
        ) else {
            return Err(CommandError::AuthenticationOrder);
        };
        let takes_all = !R::IS_SERVER || self.limits.request_problem_information;
        let shortened = Shortened {
            first_byte: auth.first_byte(),
            code: code.number(),
            properties: auth.properties.as_ref(),
        };
        let encoded = if takes_all {
            encode_within(&self.limits, auth, out)
        } else {
            Err(CommandError::PacketTooLarge)
        };
        match encoded {
            Err(CommandError::PacketTooLarge) => encode_within(&self.limits, &shortened, out)?,
            outcome => outcome?,
        }
        self.machine.tick(now);
        self.machine.sent_now();
        self.authentication_goes_on(turn);
        Ok(())
    }

    /// Handles AUTH.
    pub(super) fn handle_auth(
        &mut self,
        auth: &Auth<&[u8]>,
    ) -> Result<Option<Outcome>, HandleError> {
        self.machine.check_between_messages()?;
        let is_connected = self.state() == State::Connected;
        let authentication = self.limits.authentication;
        let turn = authentication.next_turn(
            self.limits.turn,
            R::IS_SERVER,
            auth.reason_code,
            is_connected,
        );
        let Some(turn) = turn else {
            return Err(self.violation(ProtocolError::Unexpected(PacketType::Auth)));
        };
        let method = auth.properties.authentication_method();
        if !authentication.has_method(method.as_ref().map(|method| method.as_bytes())) {
            return Err(self.violation(ProtocolError::AuthenticationMethod)); // [MQTT5-4.12.0-5]
        }
        self.machine.received_now();
        self.authentication_goes_on(turn);
        Ok(Some(Outcome::Received))
    }

    fn authentication_goes_on(&mut self, turn: Turn) {
        self.limits.turn = turn;
        if self.state() == State::Requested {
            // Each step has its own time limit.
            self.machine.awaits_auth = R::IS_SERVER && turn == Turn::Client;
            self.machine.deadline = self.machine.after(self.machine.config.connect_timeout);
        }
    }
}

impl Authentication {
    /// Returns whose turn it is after an AUTH from the client, or from the server, or `None` if
    /// that AUTH is not allowed (section 4.12).
    const fn next_turn(
        &self,
        turn: Turn,
        from_client: bool,
        code: AuthReasonCode,
        is_connected: bool,
    ) -> Option<Turn> {
        if !self.is_used() {
            return None; // [MQTT5-4.12.0-6]
        }
        match (code, from_client, turn) {
            (AuthReasonCode::ContinueAuthentication, true, Turn::Client) => Some(Turn::Server),
            // [MQTT5-4.12.0-2, MQTT5-4.12.0-3]
            (AuthReasonCode::ContinueAuthentication, false, Turn::Server) => Some(Turn::Client),
            // [MQTT5-4.12.1-1]
            (AuthReasonCode::ReAuthenticate, true, Turn::Nobody) => Some(Turn::Server),
            (AuthReasonCode::Success, false, Turn::Server) if is_connected => Some(Turn::Nobody),
            _ => None,
        }
    }
}
