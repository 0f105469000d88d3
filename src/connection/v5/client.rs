//! The client's side of a connection of MQTT 5.

use super::limited::encode_within;
use super::{Capabilities, CloseReason, Connection, HandleError, Limits, Refusal};
use crate::connection::config::{JOURNAL, NO_SESSION_STATE, SEND_BEFORE_CONNACK};
use crate::connection::error::{CommandError, ProtocolError};
use crate::connection::role::ClientRole;
use crate::connection::state::State;
use crate::connection::version::Outcome;
use crate::session::{Phase, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS, TopicFilter};
use crate::v5::{
    ConnAck, Connect, ConnectReasonCode, Packet, Subscribe, SubscribeOne, SubscribeProperties,
    Subscription, Subscriptions, TopicFilters, Unsubscribe, UnsubscribeOne, UnsubscribeProperties,
    V5,
};
use crate::wire::{Output, PacketType};

/// # Commands of a client of MQTT 5
impl<S: Slots> Connection<V5, ClientRole, S> {
    /// Sends CONNECT: once, and before anything else [MQTT5-3.1.0-1].
    ///
    /// The properties are valid for this connection: Receive Maximum, Maximum Packet Size, and Topic
    /// Alias Maximum, for which the decoder's buffer needs storage
    /// ([`WithTopicAliases`](crate::v5::WithTopicAliases)). With Clean Start the session is cleared;
    /// [`Action::Lost`](crate::Action::Lost) reports each message that was in flight [MQTT5-3.1.2-4].
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
        match self.state() {
            State::Start => {}
            State::Requested | State::Connected => return Err(CommandError::AlreadyConnected),
            State::Ending | State::Ended => return Err(CommandError::Ended),
        }
        // No limit is known before CONNACK.
        encode_within(&self.limits, connect, out)?;
        self.limits.connect(&connect.properties);
        self.limits.own = Capabilities::of_client(&connect.properties);
        let will = connect.will.as_ref();
        self.limits.will_delay_interval =
            will.map_or(0, |will| will.properties.will_delay_interval());
        self.machine.announced_receive_maximum = self.limits.own.receive_maximum;
        let session_ends = self.limits.session_expiry_interval == 0;
        // With an Authentication Method only AUTH and DISCONNECT are allowed until CONNACK
        // [MQTT5-3.1.2-30]. With a journal, CONNACK decides whether messages have to be stored.
        if self.limits.authentication.is_used() || session_ends && self.machine.config.has(JOURNAL)
        {
            self.machine.config = self.machine.config.with(SEND_BEFORE_CONNACK, false);
        }
        self.machine
            .request(now, connect.keep_alive, connect.clean_start, session_ends);
        Ok(())
    }

    /// Sends SUBSCRIBE. [`Event::Subscribed`] with the same identifier is the answer. The request
    /// ends with the connection, answered or not.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); [`CommandError::WindowFull`] only if no slot is free;
    /// [`CommandError::WildcardSubscriptionsNotSupported`],
    /// [`CommandError::SharedSubscriptionsNotSupported`],
    /// [`CommandError::SubscriptionIdentifiersNotSupported`] if the server does not support what is
    /// asked for.
    ///
    /// [`Event::Subscribed`]: super::Event::Subscribed
    pub fn subscribe<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        subscriptions: &Subscriptions<B>,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        self.subscribe_with(now, subscriptions, &SubscribeProperties::EMPTY, out)
    }

    /// [`subscribe`](Self::subscribe) with properties: a Subscription Identifier, User Properties.
    ///
    /// # Errors
    ///
    /// As `subscribe`.
    pub fn subscribe_with<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        subscriptions: &Subscriptions<B>,
        properties: &SubscribeProperties<P>,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        let filters =
            u16::try_from(subscriptions.len()).map_err(|_| CommandError::TooManyFilters)?;
        let packet_id = self.machine.next_request()?;
        if !self.limits.peer.takes_every_subscription() {
            let has_identifier = properties.subscription_identifier().is_some();
            for subscription in subscriptions {
                check_filter(&self.limits, &subscription.topic_filter, has_identifier)?;
            }
        }
        let subscribe = Subscribe {
            packet_id,
            properties: properties.as_ref(),
            subscriptions: subscriptions.as_ref(),
        };
        encode_within(&self.limits, &subscribe, out)?;
        self.machine.begin_request(now, Phase::Subscribe(filters));
        Ok(packet_id)
    }

    /// Sends SUBSCRIBE with one Topic Filter, and the other Subscription Options 0.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn subscribe_to<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        topic_filter: &TopicFilter<B>,
        qos: QoS,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        let packet_id = self.machine.next_request()?;
        let topic_filter = TopicFilter::as_ref(topic_filter);
        check_filter(&self.limits, &topic_filter, false)?;
        let subscribe = SubscribeOne {
            packet_id,
            subscription: Subscription::new(topic_filter, qos),
        };
        encode_within(&self.limits, &subscribe, out)?;
        self.machine.begin_request(now, Phase::Subscribe(1));
        Ok(packet_id)
    }

    /// Sends UNSUBSCRIBE. [`Event::Unsubscribed`] with the same identifier is the answer.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    ///
    /// [`Event::Unsubscribed`]: super::Event::Unsubscribed
    pub fn unsubscribe<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        topic_filters: &TopicFilters<B>,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        self.unsubscribe_with(now, topic_filters, &UnsubscribeProperties::EMPTY, out)
    }

    /// [`unsubscribe`](Self::unsubscribe) with User Properties.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn unsubscribe_with<B: AsRef<[u8]>, P: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        topic_filters: &TopicFilters<B>,
        properties: &UnsubscribeProperties<P>,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        let filters =
            u16::try_from(topic_filters.len()).map_err(|_| CommandError::TooManyFilters)?;
        let packet_id = self.machine.next_request()?;
        let unsubscribe = Unsubscribe {
            packet_id,
            properties: properties.as_ref(),
            topic_filters: topic_filters.as_ref(),
        };
        encode_within(&self.limits, &unsubscribe, out)?;
        self.machine.begin_request(now, Phase::Unsubscribe(filters));
        Ok(packet_id)
    }

    /// Sends UNSUBSCRIBE with one Topic Filter, which need not be encoded into a list first.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn unsubscribe_from<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        topic_filter: &TopicFilter<B>,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        let packet_id = self.machine.next_request()?;
        let unsubscribe = UnsubscribeOne {
            packet_id,
            topic_filter: TopicFilter::as_ref(topic_filter),
        };
        encode_within(&self.limits, &unsubscribe, out)?;
        self.machine.begin_request(now, Phase::Unsubscribe(1));
        Ok(packet_id)
    }
}

/// Checks whether the server supports a subscription.
fn check_filter(
    limits: &Limits,
    topic_filter: &TopicFilter<&[u8]>,
    has_identifier: bool,
) -> Result<(), CommandError> {
    let peer = &limits.peer;
    if has_identifier && !peer.subscription_identifier_available {
        return Err(CommandError::SubscriptionIdentifiersNotSupported);
    }
    if topic_filter.is_shared() && !peer.shared_subscription_available {
        return Err(CommandError::SharedSubscriptionsNotSupported);
    }
    if topic_filter.has_wildcards() && !peer.wildcard_subscription_available {
        return Err(CommandError::WildcardSubscriptionsNotSupported);
    }
    Ok(())
}

/// Handles a packet that is neither a message nor an acknowledgement of one.
pub(super) fn handle<S: Slots>(
    client: &mut Connection<V5, ClientRole, S>,
    packet: &Packet<&[u8]>,
) -> Result<Option<Outcome>, HandleError> {
    match (client.state(), packet) {
        (State::Requested, Packet::ConnAck(connack)) => handle_connack(client, connack),
        // [MQTT5-3.2.0-2]
        (State::Connected, Packet::ConnAck(connack)) => {
            let code = connack.reason_code.number();
            Err(client.violation(ProtocolError::SecondConnAck { code }))
        }
        (State::Requested | State::Connected, Packet::Auth(auth)) => client.handle_auth(auth),
        (State::Connected, Packet::SubAck(suback)) => {
            let codes = suback.reason_codes.len();
            client.finish_request(PacketType::SubAck, suback.packet_id, Some(codes))?;
            Ok(Some(Outcome::Received))
        }
        (State::Connected, Packet::UnsubAck(unsuback)) => {
            let codes = unsuback.reason_codes.len();
            client.finish_request(PacketType::UnsubAck, unsuback.packet_id, Some(codes))?;
            Ok(Some(Outcome::Received))
        }
        (State::Connected, Packet::PingResp) => {
            client.machine.handle_pingresp()?;
            Ok(None)
        }
        (State::Connected, Packet::Disconnect(disconnect)) => {
            client.machine.check_between_messages()?;
            // [MQTT5-3.14.2-2]
            if disconnect.properties.session_expiry_interval().is_some() {
                return Err(client.violation(ProtocolError::SessionExpiryInterval));
            }
            client.end(CloseReason::Disconnected);
            Ok(Some(Outcome::Received))
        }
        // Before CONNECT or CONNACK [MQTT5-3.2.0-1], or a packet that only a client sends.
        (_, packet) => Err(client.unexpected(packet)),
    }
}

fn handle_connack<S: Slots>(
    client: &mut Connection<V5, ClientRole, S>,
    connack: &ConnAck<&[u8]>,
) -> Result<Option<Outcome>, HandleError> {
    let ConnAck {
        session_present,
        reason_code,
        properties,
    } = *connack;
    // [MQTT5-4.13.2-1]
    if reason_code != ConnectReasonCode::Success {
        client.end(CloseReason::Refused(Refusal(reason_code)));
        return Ok(Some(Outcome::Received));
    }
    // [MQTT5-3.2.2-2, MQTT5-3.2.2-4]
    if session_present
        && (client.machine.clean_start || client.machine.config.has(NO_SESSION_STATE))
    {
        return Err(client.violation(ProtocolError::SessionPresent));
    }
    if !client.limits.authentication.fits_connack(&properties) {
        return Err(client.violation(ProtocolError::AuthenticationMethod));
    }
    client.limits.connack(&properties);
    client.limits.peer = Capabilities::of_server(&properties);
    let limits = client.limits;
    client.set_session_expiry_interval(limits.session_expiry_interval);
    if let Some(keep_alive) = properties.server_keep_alive() {
        client.machine.keep_alive = keep_alive; // [MQTT5-3.1.2-21, MQTT5-3.2.2-21]
    }
    client.machine.limit_inflight(limits.peer.receive_maximum);
    client.machine.accepted(session_present); // [MQTT5-3.2.2-5]
    Ok(Some(Outcome::Received))
}
