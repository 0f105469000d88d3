//! The client's side of a connection of MQTT 3.1.1.

use super::{CloseReason, Connection, HandleError};
use crate::connection::error::{CommandError, ProtocolError};
use crate::connection::role::ClientRole;
use crate::connection::state::State;
use crate::connection::version::Outcome;
use crate::session::{Phase, Slots};
use crate::time::Timestamp;
use crate::types::{PacketId, QoS, TopicFilter};
use crate::v3::{
    ConnAck, Connect, Packet, ProtocolLevel, Subscribe, SubscribeOne, Subscription, Subscriptions,
    TopicFilters, Unsubscribe, UnsubscribeOne, V3,
};
use crate::wire::{Encode, Output, PacketType};

/// # Commands of a client
impl<S: Slots> Connection<V3, ClientRole, S> {
    /// Sends CONNECT: once, and before anything else [MQTT-3.1.0-1].
    ///
    /// With Clean Session the session is cleared [MQTT-3.1.2-6];
    /// [`Action::Lost`](crate::Action::Lost) reports each message that was in flight.
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
        connect.encode(out)?;
        // MQTT 3.1 has no Session Present: without Clean Session the session continues.
        self.limits.has_session_present = connect.protocol_level != ProtocolLevel::V3_1;
        self.machine.request(
            now,
            connect.keep_alive,
            connect.clean_session,
            connect.clean_session,
        );
        Ok(())
    }

    /// Sends SUBSCRIBE. [`Event::Subscribed`] with the same identifier is the answer. The request
    /// ends with the connection, answered or not.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); [`CommandError::WindowFull`] only if no slot is free.
    ///
    /// [`Event::Subscribed`]: super::Event::Subscribed
    pub fn subscribe<B: AsRef<[u8]>, O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        subscriptions: &Subscriptions<B>,
        out: &mut O,
    ) -> Result<PacketId, CommandError> {
        let filters =
            u16::try_from(subscriptions.len()).map_err(|_| CommandError::TooManyFilters)?;
        let packet_id = self.machine.next_request()?;
        let subscribe = Subscribe {
            packet_id,
            subscriptions: subscriptions.as_ref(),
        };
        subscribe.encode(out)?;
        self.machine.begin_request(now, Phase::Subscribe(filters));
        Ok(packet_id)
    }

    /// Sends SUBSCRIBE with one Topic Filter.
    ///
    /// ```
    /// # use mqtt_sansio::v3::{Client, Connect, Decoder, Event, Step};
    /// # use mqtt_sansio::{Config, QoS, Session, Slot, Text, Timestamp, TopicFilter};
    /// # let now = Timestamp::from_millis(0);
    /// # let mut client = Client::new(Session::<[Slot; 4]>::default(), Config::new(), now);
    /// # let mut out = [0; 64];
    /// # let mut out = mqtt_sansio::SliceOutput::new(&mut out);
    /// # client.connect(now, &Connect::new(Text::new("device-7")?), &mut out)?;
    /// # let mut decoder = Decoder::new([0; 64]);
    /// # let step = client.receive(now, &mut decoder, &mut &b"\x20\x02\0\0"[..])?;
    /// # assert!(matches!(step, Some(Step::Event(Event::Connected { .. }))));
    /// # out.clear();
    /// client.subscribe_to(now, &TopicFilter::new("a/+")?, QoS::AtLeastOnce, &mut out)?;
    /// assert_eq!(out.written(), b"\x82\x08\0\x01\0\x03a/+\x01");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
        let subscribe = SubscribeOne {
            packet_id,
            subscription: Subscription {
                topic_filter: TopicFilter::as_ref(topic_filter),
                qos,
            },
        };
        subscribe.encode(out)?;
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
        let filters =
            u16::try_from(topic_filters.len()).map_err(|_| CommandError::TooManyFilters)?;
        let packet_id = self.machine.next_request()?;
        let unsubscribe = Unsubscribe {
            packet_id,
            topic_filters: topic_filters.as_ref(),
        };
        unsubscribe.encode(out)?;
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
        unsubscribe.encode(out)?;
        self.machine.begin_request(now, Phase::Unsubscribe(1));
        Ok(packet_id)
    }

    /// Sends DISCONNECT. The connection has ended: the server discards the Will, and nothing more
    /// is sent [MQTT-3.14.4-1, MQTT-3.14.4-2].
    ///
    /// # Errors
    ///
    /// [`CommandError::NotConnected`] before CONNACK, unless
    /// [`send_before_connack`](crate::Config::send_before_connack) allows it;
    /// [`CommandError::SendingPayload`] in the middle of a payload, [`CommandError::ActionsPending`],
    /// [`CommandError::Ended`]. [`close`](Self::close) is always possible.
    pub fn disconnect<O: Output + ?Sized>(
        &mut self,
        now: Timestamp,
        out: &mut O,
    ) -> Result<(), CommandError> {
        self.machine.check_may_disconnect()?;
        Packet::<&[u8]>::Disconnect.encode(out)?;
        self.machine.tick(now);
        self.end(CloseReason::Disconnected);
        Ok(())
    }
}

/// Handles a packet that is neither a message nor an acknowledgement of one.
pub(super) fn handle<S: Slots>(
    client: &mut Connection<V3, ClientRole, S>,
    packet: &Packet<&[u8]>,
) -> Result<Option<Outcome>, HandleError> {
    match (client.state(), packet) {
        (State::Requested, Packet::ConnAck(connack)) => handle_connack(client, *connack).map(Some),
        (State::Connected, Packet::ConnAck(connack)) => {
            let code = connack.return_code();
            Err(client.violation(ProtocolError::SecondConnAck { code }))
        }
        (State::Connected, Packet::SubAck(suback)) => {
            let codes = suback.return_codes.len();
            client.finish_request(PacketType::SubAck, suback.packet_id, Some(codes))?;
            Ok(Some(Outcome::Received))
        }
        (State::Connected, Packet::UnsubAck(unsuback)) => {
            client.finish_request(PacketType::UnsubAck, unsuback.packet_id, None)?;
            Ok(Some(Outcome::Received))
        }
        (State::Connected, Packet::PingResp) => {
            client.machine.handle_pingresp()?;
            Ok(None)
        }
        // Before CONNECT or CONNACK [MQTT-3.2.0-1], or a packet that only a client sends
        // [MQTT-4.8.0-1].
        (_, packet) => Err(client.unexpected(packet)),
    }
}

fn handle_connack<S: Slots>(
    client: &mut Connection<V3, ClientRole, S>,
    connack: ConnAck,
) -> Result<Outcome, HandleError> {
    match connack {
        ConnAck::Refused(refusal) => {
            client.end(CloseReason::Refused(refusal));
            Ok(Outcome::Received)
        }
        ConnAck::Accepted { session_present } => {
            let clean_session = client.session_ends();
            if session_present && clean_session {
                return Err(client.violation(ProtocolError::SessionPresent)); // [MQTT-3.2.2-1]
            }
            let session_present =
                session_present || (!client.limits.has_session_present && !clean_session);
            client.machine.accepted(session_present);
            Ok(Outcome::Connected { session_present })
        }
    }
}
