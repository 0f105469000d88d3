//! What MQTT 5 adds to the machine that all versions share.

use core::num::NonZeroU16;

use super::{
    CloseReason, Event, HandleError, Limits, PeerError, Refusal, Reply, client, message, server,
};
use crate::connection::connection::Connection;
use crate::connection::error::{CommandError, ProtocolError};
use crate::connection::reply::PendingReply;
use crate::connection::role::{ClientRole, ServerRole};
use crate::connection::state::State;
use crate::connection::version::{Input, Outcome, Progress, Version};
use crate::decoder::{Buffer, Piece};
use crate::session::Slots;
use crate::types::{Delivery, QoS, TopicName};
use crate::v5::{
    AckProperties, ConnAck, ConnectReasonCode, DisconnectReasonCode, PROBLEM_INFORMATION, Packet,
    Properties, Publish, PublishProperties, Reaction, ReasonCode, SUBSCRIPTION_IDENTIFIER,
    TOPIC_ALIAS, V5, try_read_publish,
};
use crate::wire::{EncodeError, Header, PacketType};

/// Returns the Reason Code of a packet that the peer must not send.
pub(super) const fn protocol_reason_code(error: &ProtocolError) -> ReasonCode {
    match error {
        ProtocolError::TopicAliasInvalid => ReasonCode::TopicAliasInvalid,
        ProtocolError::ReceiveMaximumExceeded => ReasonCode::ReceiveMaximumExceeded,
        ProtocolError::QosNotSupported => ReasonCode::QosNotSupported,
        ProtocolError::RetainNotSupported => ReasonCode::RetainNotSupported,
        ProtocolError::WildcardSubscriptionsNotSupported => {
            ReasonCode::WildcardSubscriptionsNotSupported
        }
        ProtocolError::SharedSubscriptionsNotSupported => {
            ReasonCode::SharedSubscriptionsNotSupported
        }
        ProtocolError::SubscriptionIdentifiersNotSupported => {
            ReasonCode::SubscriptionIdentifiersNotSupported
        }
        ProtocolError::AuthenticationMethod => ReasonCode::BadAuthenticationMethod,
        _ => ReasonCode::ProtocolError,
    }
}

/// Reason Code and properties of an acknowledgement.
type Acknowledged<'a> = (u8, AckProperties<&'a [u8]>);

impl Version for V5 {
    type Event<B> = Event<B>;
    type Reply = Reply;
    type Refusal = Refusal;
    type Limits = Limits;

    const HAS_TOPIC_ALIASES: bool = true;

    fn packet_type(packet: &Self::Packet<'_>) -> PacketType {
        packet.packet_type()
    }

    #[inline]
    fn classify(packet: &Self::Packet<'_>) -> Input {
        let (packet_type, packet_id, refused) = match packet {
            Packet::Publish(publish) => return Input::Message(publish.delivery),
            Packet::PubAck(ack) => (PacketType::PubAck, ack.packet_id, false),
            Packet::PubRec(ack) => {
                let refused = ack.reason_code.is_error();
                (PacketType::PubRec, ack.packet_id, refused)
            }
            Packet::PubRel(ack) => (PacketType::PubRel, ack.packet_id, false),
            Packet::PubComp(ack) => (PacketType::PubComp, ack.packet_id, false),
            _ => return Input::Other,
        };
        Input::Acknowledgement {
            packet_type,
            packet_id,
            refused,
        }
    }

    #[inline]
    fn event<'a>(packet: Self::Packet<'a>, outcome: Outcome) -> Option<Event<&'a [u8]>> {
        if let Outcome::Progress(progress) = outcome {
            return Some(Self::progress_event(progress, Some(packet)));
        }
        Some(match packet {
            Packet::Connect(connect) => Event::ConnectRequested(connect),
            Packet::Publish(publish) => Event::Message(publish),
            Packet::Subscribe(subscribe) => Event::SubscribeRequested(subscribe),
            Packet::SubAck(suback) => Event::Subscribed(suback),
            Packet::Unsubscribe(unsubscribe) => Event::UnsubscribeRequested(unsubscribe),
            Packet::UnsubAck(unsuback) => Event::Unsubscribed(unsuback),
            Packet::Disconnect(disconnect) => Event::Disconnected(disconnect),
            Packet::Auth(auth) => Event::Auth(auth),
            Packet::ConnAck(connack) => connack_event(connack),
            Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::PingReq
            | Packet::PingResp => return None,
        })
    }

    #[inline(always)]
    fn try_read_message<'a>(
        header: &Header,
        body: &'a [u8],
        limits: &Limits,
        is_server: bool,
    ) -> Option<(Delivery, Event<&'a [u8]>)> {
        let (publish, set): (Publish<&'a [u8]>, _) = try_read_publish(header, body)?;
        // The general route handles a Topic Alias.
        if set.has(TOPIC_ALIAS)
            || (is_server && set.has(SUBSCRIPTION_IDENTIFIER))
            || check_flags(limits, publish.delivery.qos(), publish.retain, is_server).is_err()
        {
            return None;
        }
        Some((publish.delivery, Event::Message(publish)))
    }

    fn payload_header(header: &Self::PayloadHeader<'_>) -> (Delivery, u32) {
        (header.delivery, header.payload_len)
    }

    fn header_event<'a>(header: Self::PayloadHeader<'a>) -> Event<&'a [u8]> {
        Event::MessageHeader(header)
    }

    fn skipped_event<'a>(header: Self::PayloadHeader<'a>) -> Event<&'a [u8]> {
        Event::MessageSkipped(header)
    }

    fn payload_event(bytes: &[u8], left: usize) -> Event<&[u8]> {
        Event::Payload { bytes, left }
    }

    fn map_event<B, C>(event: Event<B>, f: impl FnMut(B) -> C) -> Event<C> {
        event.map(f)
    }

    // Always, so that an acknowledgement of four bytes is known to be a success.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    fn progress_event<'a>(progress: Progress, packet: Option<Self::Packet<'a>>) -> Event<&'a [u8]> {
        let (code, properties): Acknowledged<'a> = match packet {
            Some(Packet::PubAck(ack)) => (ack.reason_code.number(), ack.properties),
            Some(Packet::PubRec(ack)) => (ack.reason_code.number(), ack.properties),
            Some(Packet::PubComp(ack)) => (ack.reason_code.number(), ack.properties),
            _ => (0, AckProperties::EMPTY),
        };
        acknowledged(progress, code, properties)
    }

    /// Acknowledgements have neither a Reason String nor a User Property, so none exceeds a limit
    /// [MQTT5-3.4.2-2, MQTT5-3.4.2-3, MQTT5-3.5.2-2, MQTT5-3.5.2-3, MQTT5-3.6.2-2, MQTT5-3.6.2-3]
    /// [MQTT5-3.7.2-2, MQTT5-3.7.2-3].
    #[inline]
    fn encode_reply(reply: PendingReply) -> Reply {
        let [first, code, high, low] = reply.parts();
        Reply::new(match (first, code) {
            (0x20, _) => [first, 3, 0, code, 0, 0, 0, 0],
            // PINGREQ, PINGRESP and DISCONNECT
            (0xc0.., 0) => [first, 0, 0, 0, 0, 0, 0, 0],
            (0xc0.., _) => [first, 1, code, 0, 0, 0, 0, 0],
            (_, 0) => [first, 2, high, low, 0, 0, 0, 0],
            _ => [first, 3, high, low, code, 0, 0, 0],
        })
    }

    fn handle_at_client<S: Slots>(
        connection: &mut Connection<Self, ClientRole, S>,
        packet: &Self::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError> {
        client::handle(connection, packet)
    }

    fn handle_at_server<S: Slots>(
        connection: &mut Connection<Self, ServerRole, S>,
        packet: &Self::Packet<'_>,
    ) -> Result<Option<Outcome>, HandleError> {
        server::handle(connection, packet)
    }

    /// Returns DISCONNECT with the Reason Code, or CONNACK of a server that has not accepted the
    /// connection [MQTT5-3.14.0-1, MQTT5-4.13.1-1].
    fn closing_reply(reason: &CloseReason, state: State, is_server: bool) -> Option<PendingReply> {
        let code = match reason {
            CloseReason::Violation(error) => error.reason_code(),
            CloseReason::KeepAliveTimeout => ReasonCode::KeepAliveTimeout,
            CloseReason::LimitExceeded { .. } => ReasonCode::QuotaExceeded,
            _ => return None,
        };
        match (state, is_server) {
            (State::Start, true) => match reason {
                CloseReason::Violation(PeerError::Malformed(error)) => match error.reaction() {
                    Reaction::ConnAckThenClose(code) => Some(PendingReply::connack(code.number())),
                    _ => None,
                },
                _ => None,
            },
            (State::Requested, true) => {
                let code = ConnectReasonCode::try_from(code);
                let code = code.unwrap_or(ConnectReasonCode::ProtocolError);
                Some(PendingReply::connack(code.number()))
            }
            // That packet closed the connection [MQTT5-3.14.0-1].
            (State::Requested, false) if is_disconnect(reason) => None,
            (State::Connected, _) | (State::Requested, false) => {
                let code = DisconnectReasonCode::try_from(code)
                    .ok()
                    .filter(|code| is_sent_by(*code, is_server))
                    .unwrap_or(DisconnectReasonCode::ProtocolError);
                Some(PendingReply::disconnect(code.number()))
            }
            (State::Start | State::Ending | State::Ended, _) => None,
        }
    }

    #[inline]
    fn check_agreed(
        limits: &Limits,
        packet: &Self::Packet<'_>,
        is_server: bool,
    ) -> Result<(), ProtocolError> {
        match packet {
            Packet::Publish(publish) => check_publish(limits, &Head::of(publish), is_server),
            Packet::Subscribe(subscribe) if is_server => {
                server::check_subscribe(&limits.own, subscribe)
            }
            // [MQTT5-3.1.2-29]
            Packet::PubAck(ack) => check_problem_information(limits, &ack.properties, is_server),
            Packet::PubRec(ack) => check_problem_information(limits, &ack.properties, is_server),
            Packet::PubRel(ack) => check_problem_information(limits, &ack.properties, is_server),
            Packet::PubComp(ack) => check_problem_information(limits, &ack.properties, is_server),
            Packet::SubAck(ack) => check_problem_information(limits, &ack.properties, is_server),
            Packet::UnsubAck(ack) => check_problem_information(limits, &ack.properties, is_server),
            Packet::Auth(auth) => check_problem_information(limits, &auth.properties, is_server),
            _ => Ok(()),
        }
    }

    fn check_payload_header(
        limits: &Limits,
        header: &Self::PayloadHeader<'_>,
        is_server: bool,
    ) -> Result<(), ProtocolError> {
        let head = Head {
            qos: header.delivery.qos(),
            retain: header.retain,
            properties: &header.properties,
        };
        check_publish(limits, &head, is_server)
    }

    #[inline]
    fn check_publish(
        limits: &Limits,
        qos: QoS,
        retain: bool,
        packet_len: Result<usize, EncodeError>,
    ) -> Result<(), CommandError> {
        message::check(limits, qos, retain, packet_len)
    }

    #[inline]
    fn maximum_packet_size(limits: &Limits) -> usize {
        limits.peer.maximum_packet_size as usize
    }

    fn topic_alias<'a>(
        piece: &Piece<'a, Self::Packet<'a>, Self::PayloadHeader<'a>>,
    ) -> Option<(NonZeroU16, &'a [u8])> {
        match *piece {
            Piece::Packet(Packet::Publish(publish)) => {
                alias_of(&publish.properties, publish.topic.into_inner())
            }
            Piece::PublishHeader(header) => alias_of(&header.properties, header.topic.into_inner()),
            _ => None,
        }
    }

    fn topic_alias_maximum(limits: &Limits) -> u16 {
        limits.own.topic_alias_maximum
    }

    fn resolve<'a, M: Buffer>(event: &mut Event<&'a [u8]>, buffer: &'a M) {
        let (topic, properties) = match event {
            Event::Message(publish) => (&mut publish.topic, &publish.properties),
            Event::MessageHeader(header) | Event::MessageSkipped(header) => {
                (&mut header.topic, &header.properties)
            }
            _ => return,
        };
        if topic.as_bytes().is_empty() {
            *topic = topic_of(properties, buffer);
        }
    }

    fn protocol_statement(error: &ProtocolError) -> Option<&'static str> {
        Some(match error {
            ProtocolError::SecondConnect => "MQTT-3.1.0-2",
            ProtocolError::SessionPresent => "MQTT-3.2.2-4",
            ProtocolError::WrongNumberOfReturnCodes => "MQTT-3.8.4-6",
            ProtocolError::PacketIdInUse(_) => "MQTT-2.2.1-3",
            ProtocolError::ReceiveMaximumExceeded => "MQTT-4.9.0-2",
            ProtocolError::QosNotSupported => "MQTT-3.2.2-11",
            ProtocolError::RetainNotSupported => "MQTT-3.2.2-14",
            ProtocolError::SubscriptionIdentifier => "MQTT-3.3.4-6",
            ProtocolError::ProblemInformation => "MQTT-3.1.2-29",
            ProtocolError::AuthenticationMethod => "MQTT-4.12.0-5",
            ProtocolError::NoSuchRequest { .. } => "MQTT-2.2.1-6",
            ProtocolError::WrongAcknowledgement { .. } => "MQTT-2.2.1-5",
            ProtocolError::SecondConnAck { .. } => "MQTT-3.2.0-2",
            ProtocolError::Unexpected(PacketType::Disconnect) => "MQTT-3.14.0-1",
            // The statement depends on the role or the state, or the rule has no number.
            _ => return None,
        })
    }
}

/// Returns the event of CONNACK.
fn connack_event(connack: ConnAck<&[u8]>) -> Event<&[u8]> {
    let ConnAck {
        session_present,
        reason_code,
        properties,
    } = connack;
    if reason_code == ConnectReasonCode::Success {
        Event::Connected {
            session_present,
            properties,
        }
    } else {
        Event::Refused {
            reason_code,
            properties,
        }
    }
}

/// Returns the event of an acknowledgement of a message.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
fn acknowledged(progress: Progress, code: u8, properties: AckProperties<&[u8]>) -> Event<&[u8]> {
    let reason_code = ReasonCode::from_number(code).unwrap_or(ReasonCode::Success);
    match progress {
        Progress::AcceptedByPeer(packet_id) => Event::AcceptedByPeer {
            packet_id,
            reason_code,
            properties,
        },
        // PUBCOMP has 0x92 for a message that was delivered before.
        Progress::Completed(packet_id)
            if reason_code.is_error() && reason_code != ReasonCode::PacketIdentifierNotFound =>
        {
            Event::Rejected {
                packet_id,
                reason_code,
                properties,
            }
        }
        Progress::Completed(packet_id) => Event::Delivered {
            packet_id,
            reason_code,
            properties,
        },
    }
}

/// The fields of a message that are checked, with or without its payload.
struct Head<'p, 'a> {
    qos: QoS,
    retain: bool,
    properties: &'p PublishProperties<&'a [u8]>,
}

impl<'p, 'a> Head<'p, 'a> {
    #[inline(always)]
    const fn of(publish: &'p Publish<&'a [u8]>) -> Self {
        Self {
            qos: publish.delivery.qos(),
            retain: publish.retain,
            properties: &publish.properties,
        }
    }
}

/// Checks whether the peer may publish this. Only the Topic Alias of a server's message can be
/// wrong.
#[inline(always)]
fn check_publish(
    limits: &Limits,
    publish: &Head<'_, '_>,
    is_server: bool,
) -> Result<(), ProtocolError> {
    check_flags(limits, publish.qos, publish.retain, is_server)?;
    if publish.properties.is_empty() {
        return Ok(());
    }
    let alias = publish.properties.topic_alias();
    // [MQTT5-3.3.2-9, MQTT5-3.3.2-11]
    if alias.is_some_and(|alias| alias.get() > limits.own.topic_alias_maximum) {
        return Err(ProtocolError::TopicAliasInvalid);
    }
    // [MQTT5-3.3.4-6]
    if is_server && publish.properties.has(SUBSCRIPTION_IDENTIFIER) {
        return Err(ProtocolError::SubscriptionIdentifier);
    }
    Ok(())
}

/// Checks whether the peer may publish with these flags.
#[inline(always)]
fn check_flags(
    limits: &Limits,
    qos: QoS,
    retain: bool,
    is_server: bool,
) -> Result<(), ProtocolError> {
    let own = &limits.own;
    if is_server {
        if own.maximum_qos != QoS::ExactlyOnce && qos > own.maximum_qos {
            return Err(ProtocolError::QosNotSupported); // [MQTT5-3.2.2-11]
        }
        if retain && !own.retain_available {
            return Err(ProtocolError::RetainNotSupported); // [MQTT5-3.2.2-14]
        }
    }
    Ok(())
}

/// Checks that a server sends Reason Strings and User Properties only to a client that accepts them
/// [MQTT5-3.1.2-29].
fn check_problem_information<K>(
    limits: &Limits,
    properties: &Properties<&[u8], K>,
    is_server: bool,
) -> Result<(), ProtocolError> {
    if !is_server && !limits.request_problem_information && properties.has_any(&PROBLEM_INFORMATION)
    {
        return Err(ProtocolError::ProblemInformation);
    }
    Ok(())
}

/// Returns true if this side sends DISCONNECT with this Reason Code (Table 3-10) [MQTT5-3.14.2-1].
pub(super) const fn is_sent_by(code: DisconnectReasonCode, is_server: bool) -> bool {
    use DisconnectReasonCode as Code;
    match code {
        Code::DisconnectWithWillMessage => !is_server,
        Code::NormalDisconnection
        | Code::UnspecifiedError
        | Code::MalformedPacket
        | Code::ProtocolError
        | Code::ImplementationSpecificError
        | Code::TopicNameInvalid
        | Code::ReceiveMaximumExceeded
        | Code::TopicAliasInvalid
        | Code::PacketTooLarge
        | Code::MessageRateTooHigh
        | Code::QuotaExceeded
        | Code::AdministrativeAction
        | Code::PayloadFormatInvalid => true,
        _ => is_server,
    }
}

/// Returns true if the connection closes because of a DISCONNECT before CONNACK.
const fn is_disconnect(reason: &CloseReason) -> bool {
    matches!(
        reason,
        CloseReason::Violation(PeerError::Protocol(ProtocolError::Unexpected(
            PacketType::Disconnect
        )))
    )
}

fn alias_of<'a>(
    properties: &PublishProperties<&'a [u8]>,
    topic: &'a [u8],
) -> Option<(NonZeroU16, &'a [u8])> {
    if properties.is_empty() {
        return None;
    }
    Some((properties.topic_alias()?, topic))
}

fn topic_of<'a, M: Buffer>(
    properties: &PublishProperties<&[u8]>,
    buffer: &'a M,
) -> TopicName<&'a [u8]> {
    let topic = properties
        .topic_alias()
        .and_then(|alias| buffer.topic(alias));
    // It was validated as a Topic Name when it was learned.
    TopicName::from_valid(topic.unwrap_or_default())
}
