//! The server's side of a connection of MQTT 5.

use super::limited::encode_within;
use super::limits::{NO_CLIENT_ID, WILL_QOS_1, WILL_QOS_2, WILL_RETAIN};
use super::{Capabilities, CloseReason, Connection, HandleError, Refusal};
use crate::connection::error::{CommandError, ProtocolError};
use crate::connection::role::{Request, ServerRole};
use crate::connection::state::State;
use crate::connection::version::Outcome;
use crate::session::{Session, Slots};
use crate::time::Timestamp;
use crate::types::QoS;
use crate::v5::{
    AckProperties, ConnAck, ConnAckProperties, ConnectReasonCode, Disconnect, DisconnectReasonCode,
    Packet, SubAck, Subscribe, SubscribeReasonCodes, UnsubAck, UnsubscribeReasonCodes, V5,
};
use crate::wire::{Encode, Output};

/// # Commands of a server of MQTT 5
impl<S: Slots> Connection<V5, ServerRole, S> {
    /// Accepts the connection with a new session: sends CONNACK with Reason Code 0x00, Session Present 0
    /// and no properties [MQTT5-3.1.2-4, MQTT5-3.1.2-6, MQTT5-3.1.4-5, MQTT5-3.2.0-2, MQTT5-3.2.2-3].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotConnected`] before CONNECT was received, [`CommandError::AlreadyConnected`]
    /// after it was answered.
    pub fn accept_new<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.accept_new_with(now, &ConnAckProperties::EMPTY, out)
    }

    /// [`accept_new`](Self::accept_new) with properties, which are valid for this connection: Server
    /// Keep Alive, Session Expiry Interval, Receive Maximum, Maximum QoS and so on are enforced. If
    /// CONNECT has an Authentication Method, CONNACK needs the same one.
    ///
    /// # Errors
    ///
    /// As `accept_new`; [`CommandError::Encode`], [`CommandError::PacketTooLarge`];
    /// [`CommandError::AuthenticationOrder`] without the client's Authentication Method, with another
    /// one, or while its AUTH is awaited [MQTT5-4.12.0-5, MQTT5-4.12.0-6];
    /// [`CommandError::AssignedClientIdentifier`] without one for a client that has no Client Identifier;
    /// [`CommandError::ResponseInformation`] if the client has not asked for it;
    /// [`CommandError::QosNotSupported`] and [`CommandError::RetainNotSupported`] if the server does not
    /// support the client's Will: then refuse the connection [MQTT5-3.2.2-12, MQTT5-3.2.2-13].
    pub fn accept_new_with<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.check_requested()?;
        self.send_connack(false, properties, out)?;
        self.machine.session.clear();
        self.set_session_expiry_interval(self.limits.session_expiry_interval);
        self.machine.accept(now);
        Ok(())
    }

    /// Accepts the connection and resumes the session that was kept for the client: sends CONNACK with
    /// Session Present 1 [MQTT5-3.1.2-5, MQTT5-3.2.2-3]. The connection takes the session and leaves its own empty one
    /// in `session`.
    ///
    /// # Errors
    ///
    /// [`CommandError::CleanSession`] if the client asked for Clean Start [MQTT5-3.2.2-2];
    /// [`CommandError::AssignedClientIdentifier`] if it has no Client Identifier, because no session has
    /// the one that the server assigns [MQTT5-3.2.2-16]; and those of [`accept_new`](Self::accept_new).
    /// Then `session` is unchanged.
    pub fn accept_resumed<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        session: &mut Session<S>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.accept_resumed_with(now, session, &ConnAckProperties::EMPTY, out)
    }

    /// [`accept_resumed`](Self::accept_resumed) with properties, as
    /// [`accept_new_with`](Self::accept_new_with).
    ///
    /// # Errors
    ///
    /// As `accept_resumed`; [`CommandError::Encode`].
    pub fn accept_resumed_with<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        session: &mut Session<S>,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.check_requested()?;
        if self.machine.clean_start {
            return Err(CommandError::CleanSession);
        }
        // The assigned identifier is one that no session has [MQTT5-3.2.2-16].
        if self.limits.has(NO_CLIENT_ID) {
            return Err(CommandError::AssignedClientIdentifier);
        }
        self.send_connack(true, properties, out)?;
        core::mem::swap(&mut self.machine.session, session);
        session.clear();
        self.machine.resume();
        self.set_session_expiry_interval(self.limits.session_expiry_interval);
        self.machine.accept(now);
        Ok(())
    }

    fn send_connack<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        session_present: bool,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        // The client's AUTH is awaited.
        if self.machine.awaits_auth {
            return Err(CommandError::AuthenticationOrder);
        }
        if !self.limits.authentication.fits_connack(properties) {
            return Err(CommandError::AuthenticationOrder);
        }
        // [MQTT5-3.1.3-7, MQTT5-3.2.2-16]
        if self.limits.has(NO_CLIENT_ID) && properties.assigned_client_identifier().is_none() {
            return Err(CommandError::AssignedClientIdentifier);
        }
        let own = Capabilities::of_server(properties);
        // [MQTT5-3.2.2-12]
        if (own.maximum_qos < QoS::ExactlyOnce && self.limits.has(WILL_QOS_2))
            || (own.maximum_qos < QoS::AtLeastOnce && self.limits.has(WILL_QOS_1))
        {
            return Err(CommandError::QosNotSupported);
        }
        // [MQTT5-3.2.2-13]
        if !own.retain_available && self.limits.has(WILL_RETAIN) {
            return Err(CommandError::RetainNotSupported);
        }
        // [MQTT5-3.1.2-28]
        if !self.limits.request_response_information && properties.response_information().is_some()
        {
            return Err(CommandError::ResponseInformation);
        }
        let connack = ConnAck {
            session_present,
            reason_code: ConnectReasonCode::Success,
            properties: properties.as_ref(),
        };
        encode_within(&self.limits, &connack, out)?;
        self.limits.connack(properties);
        self.limits.own = own; // with a Maximum QoS, if there is one [MQTT5-3.2.2-9]
        let limits = self.limits;
        if let Some(keep_alive) = properties.server_keep_alive() {
            self.machine.keep_alive = keep_alive; // [MQTT5-3.2.2-22]
        }
        self.machine.announced_receive_maximum = limits.own.receive_maximum;
        self.machine.limit_inflight(limits.peer.receive_maximum);
        Ok(())
    }

    /// Refuses the connection: sends CONNACK with this Reason Code, from 0x80 on, and closes. No other
    /// packet of the client is handled. This is possible at any step of an authentication
    /// [MQTT5-3.1.3-8, MQTT5-3.1.4-2, MQTT5-3.1.4-6, MQTT5-3.2.2-7, MQTT5-4.12.0-1, MQTT5-4.12.0-4].
    ///
    /// # Errors
    ///
    /// As [`accept_new`](Self::accept_new).
    pub fn refuse<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_code: ConnectReasonCode,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.refuse_with(now, reason_code, &ConnAckProperties::EMPTY, out)
    }

    /// [`refuse`](Self::refuse) with properties: Reason String, Server Reference. They are left out if
    /// the packet would exceed the client's Maximum Packet Size [MQTT5-3.2.2-19, MQTT5-3.2.2-20]. If
    /// that is below 5 bytes, nothing is sent [MQTT5-3.1.2-24].
    ///
    /// # Errors
    ///
    /// As `refuse`; [`CommandError::ReasonCodeOfPeer`] for a code that does not refuse.
    pub fn refuse_with<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_code: ConnectReasonCode,
        properties: &ConnAckProperties<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.check_requested()?;
        if !reason_code.is_error() {
            return Err(CommandError::ReasonCodeOfPeer);
        }
        let refusal = |properties| ConnAck {
            session_present: false,
            reason_code,
            properties,
        };
        let connack = refusal(properties.as_ref());
        let maximum = self.limits.peer.maximum_packet_size as usize;
        let shortest = refusal(ConnAckProperties::EMPTY);
        if connack.encoded_len()? <= maximum {
            connack.encode(out)?;
        } else if shortest.encoded_len()? <= maximum {
            shortest.encode(out)?;
        }
        self.machine.tick(now);
        self.end(CloseReason::Refused(Refusal(reason_code)));
        Ok(())
    }

    /// Answers [`Event::SubscribeRequested`]: one Reason Code for each filter, in their order
    /// [MQTT5-3.8.4-1, MQTT5-3.8.4-2, MQTT5-3.8.4-6, MQTT5-3.9.3-1, MQTT5-3.8.4-5].
    ///
    /// If SUBACK exceeds the client's Maximum Packet Size, nothing is sent, and the connection ends with
    /// [`CloseReason::ReplyTooLarge`], as no other answer is allowed [MQTT5-3.1.2-24].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if there was no such request,
    /// [`CommandError::WrongNumberOfReturnCodes`].
    ///
    /// [`Event::SubscribeRequested`]: super::Event::SubscribeRequested
    pub fn suback<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &SubscribeReasonCodes<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.suback_with(now, reason_codes, &AckProperties::EMPTY, out)
    }

    /// [`suback`](Self::suback) with a Reason String and User Properties. They are left out if the
    /// client does not accept them, or if the packet would exceed its Maximum Packet Size
    /// [MQTT5-3.1.2-29, MQTT5-3.9.2-1, MQTT5-3.9.2-2].
    ///
    /// # Errors
    ///
    /// As `suback`.
    pub fn suback_with<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &SubscribeReasonCodes<B>,
        properties: &AckProperties<P>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.machine.check_may_send()?;
        let Some(Request::Subscribe { packet_id, filters }) = self.role else {
            return Err(CommandError::NotAwaited);
        };
        if u32::try_from(reason_codes.len()) != Ok(filters) {
            return Err(CommandError::WrongNumberOfReturnCodes);
        }
        let suback = |properties| SubAck {
            packet_id,
            properties,
            reason_codes: reason_codes.as_ref(),
        };
        let with = suback(properties.as_ref());
        self.answer(now, &with, &suback(AckProperties::EMPTY), out)
    }

    /// Answers [`Event::UnsubscribeRequested`]: one Reason Code for each filter, in their order
    /// [MQTT5-3.10.4-4, MQTT5-3.10.4-5, MQTT5-3.11.3-1, MQTT5-3.10.4-6]. If UNSUBACK exceeds the
    /// client's Maximum Packet Size, the connection ends as with [`suback`](Self::suback).
    ///
    /// # Errors
    ///
    /// [`CommandError::NotAwaited`] if there was no such request,
    /// [`CommandError::WrongNumberOfReturnCodes`].
    ///
    /// [`Event::UnsubscribeRequested`]: super::Event::UnsubscribeRequested
    pub fn unsuback<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &UnsubscribeReasonCodes<B>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.unsuback_with(now, reason_codes, &AckProperties::EMPTY, out)
    }

    /// [`unsuback`](Self::unsuback) with a Reason String and User Properties, as
    /// [`suback_with`](Self::suback_with) [MQTT5-3.11.2-1, MQTT5-3.11.2-2].
    ///
    /// # Errors
    ///
    /// As `unsuback`.
    pub fn unsuback_with<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        reason_codes: &UnsubscribeReasonCodes<B>,
        properties: &AckProperties<P>,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.machine.check_may_send()?;
        let Some(Request::Unsubscribe { packet_id, filters }) = self.role else {
            return Err(CommandError::NotAwaited);
        };
        if u32::try_from(reason_codes.len()) != Ok(filters) {
            return Err(CommandError::WrongNumberOfReturnCodes);
        }
        let unsuback = |properties| UnsubAck {
            packet_id,
            properties,
            reason_codes: reason_codes.as_ref(),
        };
        let with = unsuback(properties.as_ref());
        self.answer(now, &with, &unsuback(AckProperties::EMPTY), out)
    }

    /// Sends the answer to a request with its Reason String and User Properties, or without them. If
    /// the client accepts neither, ends the connection: no other answer is allowed.
    fn answer<E: Encode, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        with: &E,
        without: &E,
        out: &mut O,
    ) -> Result<(), CommandError> {
        let mut encoded = Err(CommandError::PacketTooLarge);
        if self.limits.request_problem_information {
            encoded = encode_within(&self.limits, with, out);
        }
        if encoded == Err(CommandError::PacketTooLarge) {
            encoded = encode_within(&self.limits, without, out);
        }
        if encoded == Err(CommandError::PacketTooLarge) {
            // [MQTT5-3.1.2-24]
            self.machine.tick(now);
            self.end(CloseReason::ReplyTooLarge);
            return Ok(());
        }
        encoded?;
        self.answered(now);
        Ok(())
    }

    /// Returns how many seconds after [`Action::PublishWill`](crate::Action::PublishWill) to publish
    /// the Will, unless the client has connected again by then. If the session ends before the Will
    /// Delay Interval is over, publish the Will at the end of the session [MQTT5-3.1.3-9].
    pub fn will_delay_interval(&self) -> u32 {
        self.limits
            .will_delay_interval
            .min(self.limits.session_expiry_interval)
    }
}

/// Checks a SUBSCRIBE against the limits that the server has announced.
pub(super) fn check_subscribe(
    own: &Capabilities,
    subscribe: &Subscribe<&[u8]>,
) -> Result<(), ProtocolError> {
    if own.takes_every_subscription() {
        return Ok(());
    }
    if !own.subscription_identifier_available
        && subscribe.properties.subscription_identifier().is_some()
    {
        return Err(ProtocolError::SubscriptionIdentifiersNotSupported);
    }
    for subscription in &subscribe.subscriptions {
        let topic_filter = subscription.topic_filter;
        if !own.shared_subscription_available && topic_filter.is_shared() {
            return Err(ProtocolError::SharedSubscriptionsNotSupported);
        }
        if !own.wildcard_subscription_available && topic_filter.has_wildcards() {
            return Err(ProtocolError::WildcardSubscriptionsNotSupported);
        }
    }
    Ok(())
}

/// Handles a packet that is neither a message nor an acknowledgement of one.
pub(super) fn handle<S: Slots>(
    server: &mut Connection<V5, ServerRole, S>,
    packet: &Packet<&[u8]>,
) -> Result<Option<Outcome>, HandleError> {
    match (server.state(), packet) {
        (State::Start, Packet::Connect(connect)) => {
            let fields = connect.to_connect();
            server.limits.connect(&fields.properties);
            server.limits.peer = Capabilities::of_client(&fields.properties);
            let will = fields.will.as_ref();
            server.limits.will_delay_interval =
                will.map_or(0, |will| will.properties.will_delay_interval());
            let will_qos = will.map_or(QoS::AtMostOnce, |will| will.qos);
            let will_retain = will.is_some_and(|will| will.retain);
            let has_no_id = fields.client_id.as_bytes().is_empty();
            server.limits.note(NO_CLIENT_ID, has_no_id);
            server.limits.note(WILL_QOS_1, will_qos >= QoS::AtLeastOnce);
            server.limits.note(WILL_QOS_2, will_qos == QoS::ExactlyOnce);
            server.limits.note(WILL_RETAIN, will_retain);
            let session_ends = server.limits.session_expiry_interval == 0;
            server.machine.requested_by_client(
                fields.keep_alive,
                fields.clean_start, // [MQTT5-3.1.4-4]
                session_ends,
                fields.will.is_some(), // [MQTT5-3.1.2-8]
            );
            Ok(Some(Outcome::Received))
        }
        // [MQTT5-3.1.0-2]
        (State::Requested | State::Connected, Packet::Connect(_)) => {
            Err(server.violation(ProtocolError::SecondConnect))
        }
        (State::Requested | State::Connected, Packet::Auth(auth)) => server.handle_auth(auth),
        (State::Connected, Packet::Subscribe(subscribe)) => {
            server.open_request(Request::Subscribe {
                packet_id: subscribe.packet_id,
                filters: count(subscribe.subscriptions.len()),
            })?;
            Ok(Some(Outcome::Received))
        }
        (State::Connected, Packet::Unsubscribe(unsubscribe)) => {
            server.open_request(Request::Unsubscribe {
                packet_id: unsubscribe.packet_id,
                filters: count(unsubscribe.topic_filters.len()),
            })?;
            Ok(Some(Outcome::Received))
        }
        (State::Connected, Packet::PingReq) => {
            server.machine.handle_pingreq()?; // [MQTT5-3.12.4-1]
            Ok(None)
        }
        (State::Requested | State::Connected, Packet::Disconnect(disconnect)) => {
            server.machine.check_between_messages()?;
            handle_disconnect(server, disconnect)
        }
        // Before CONNECT [MQTT5-3.1.0-1], before the end of an authentication [MQTT5-3.1.2-30], or a
        // packet that only a server sends.
        (_, packet) => Err(server.unexpected(packet)),
    }
}

fn handle_disconnect<S: Slots>(
    server: &mut Connection<V5, ServerRole, S>,
    disconnect: &Disconnect<&[u8]>,
) -> Result<Option<Outcome>, HandleError> {
    if let Some(expiry) = disconnect.properties.session_expiry_interval() {
        // An invalid DISCONNECT does not discard the Will.
        if !server.limits.allows_in_disconnect(expiry) {
            return Err(server.violation(ProtocolError::SessionExpiryInterval));
        }
        // CONNACK announced that the server does not keep the session. Nothing of it was stored, so it
        // stays ended.
        if !server.session_ends() {
            server.set_session_expiry_interval(expiry);
        }
    }
    // [MQTT5-3.1.2-10, MQTT5-3.14.4-3]
    let discards_will = disconnect.reason_code == DisconnectReasonCode::NormalDisconnection;
    server.end_with_will(CloseReason::Disconnected, discards_will);
    Ok(Some(Outcome::Received))
}

/// A packet cannot contain more filters.
fn count(filters: usize) -> u32 {
    u32::try_from(filters).unwrap_or(u32::MAX)
}
