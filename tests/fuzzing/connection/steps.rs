//! The steps that connections return, in one shape for both versions and for a server of any
//! version.

use mqtt_sansio::any;
use mqtt_sansio::v5::{Publish, PublishHeader, Subscribe, Unsubscribe};
use mqtt_sansio::{
    Change, CloseReason, DecodeError, Limit, PacketId, PeerError, ProtocolError, Version, v3, v5,
};

use super::wire::{
    Connect, Outcome, lifted_header, lifted_publish, lifted_subscribe, lifted_unsubscribe,
};

#[derive(Debug, Clone, PartialEq)]
pub(in crate::fuzzing) enum Event {
    ConnectRequested(Connect),
    Connected { session_present: bool },
    Refused(u8),
    Message(Publish<Vec<u8>>),
    MessageHeader(PublishHeader<Vec<u8>>),
    Payload { bytes: Vec<u8>, left: usize },
    AcceptedByPeer(PacketId, Outcome),
    Delivered(PacketId, Outcome),
    Rejected(PacketId, Outcome),
    SubscribeRequested(Subscribe<Vec<u8>>),
    UnsubscribeRequested(Unsubscribe<Vec<u8>>),
    Subscribed(PacketId, Vec<u8>),
    Unsubscribed(PacketId, Vec<u8>),
    Disconnected(u8),
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::fuzzing) enum Action {
    Store(Change),
    Transmit(Vec<u8>),
    Resend(PacketId),
    Lost(PacketId, bool),
    Unanswered(PacketId),
    Will { publish: bool },
    Close(Reason),
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::fuzzing) enum Reason {
    Disconnected,
    TransportClosed,
    Aborted,
    /// With the Reason Code, or the return code of MQTT 3.1.1.
    Refused(u8),
    Violation(ProtocolError),
    Malformed(any::DecodeError),
    LimitExceeded {
        limit: Limit,
        value: u32,
        actual: u32,
    },
    ConnectTimeout,
    KeepAliveTimeout,
    PingTimeout,
    ReplyTooLarge,
}

pub(in crate::fuzzing) enum Step {
    Event(Event),
    Action(Action),
}

pub(in crate::fuzzing) fn v3_step(step: Option<v3::Step<&[u8]>>) -> Option<Step> {
    Some(match step? {
        v3::Step::Action(action) => Step::Action(v3_action(action)),
        v3::Step::Event(event) => Step::Event(match event {
            v3::Event::ConnectRequested(it) => {
                Event::ConnectRequested(any::Connect::V3(it.to_owned()))
            }
            v3::Event::Connected { session_present } => Event::Connected { session_present },
            v3::Event::Refused(refusal) => Event::Refused(refusal.return_code()),
            v3::Event::Message(publish) => Event::Message(lifted_publish(publish)),
            v3::Event::MessageHeader(header) => Event::MessageHeader(lifted_header(header)),
            v3::Event::Payload { bytes, left } => payload(bytes, left),
            v3::Event::AcceptedByPeer(id) => Event::AcceptedByPeer(id, Outcome::default()),
            v3::Event::Delivered(id) => Event::Delivered(id, Outcome::default()),
            v3::Event::SubscribeRequested(it) => Event::SubscribeRequested(lifted_subscribe(it)),
            v3::Event::UnsubscribeRequested(it) => {
                Event::UnsubscribeRequested(lifted_unsubscribe(it))
            }
            v3::Event::Subscribed(suback) => {
                let codes = suback.return_codes.iter().map(|it| it.number());
                Event::Subscribed(suback.packet_id, codes.collect())
            }
            v3::Event::Unsubscribed(id) => Event::Unsubscribed(id, Vec::new()),
            v3::Event::Disconnected => Event::Disconnected(0),
            other => panic!("{other:?}"),
        }),
    })
}

pub(in crate::fuzzing) fn v5_step(step: Option<v5::Step<&[u8]>>) -> Option<Step> {
    Some(match step? {
        v5::Step::Action(action) => Step::Action(v5_action(action)),
        v5::Step::Event(event) => Step::Event(match event.to_owned() {
            v5::Event::ConnectRequested(it) => Event::ConnectRequested(any::Connect::V5(it)),
            v5::Event::Connected {
                session_present, ..
            } => Event::Connected { session_present },
            v5::Event::Refused { reason_code, .. } => Event::Refused(reason_code.number()),
            v5::Event::Message(publish) => Event::Message(publish),
            v5::Event::MessageHeader(header) => Event::MessageHeader(header),
            v5::Event::Payload { bytes, left } => Event::Payload { bytes, left },
            v5::Event::AcceptedByPeer {
                packet_id,
                reason_code,
                properties,
            } => Event::AcceptedByPeer(packet_id, outcome(reason_code, properties)),
            v5::Event::Delivered {
                packet_id,
                reason_code,
                properties,
            } => Event::Delivered(packet_id, outcome(reason_code, properties)),
            v5::Event::Rejected {
                packet_id,
                reason_code,
                properties,
            } => Event::Rejected(packet_id, outcome(reason_code, properties)),
            v5::Event::SubscribeRequested(it) => Event::SubscribeRequested(it),
            v5::Event::UnsubscribeRequested(it) => Event::UnsubscribeRequested(it),
            v5::Event::Subscribed(it) => {
                let codes = it.reason_codes.iter().map(|code| code.number());
                Event::Subscribed(it.packet_id, codes.collect())
            }
            v5::Event::Unsubscribed(it) => {
                let codes = it.reason_codes.iter().map(|code| code.number());
                Event::Unsubscribed(it.packet_id, codes.collect())
            }
            v5::Event::Disconnected(it) => Event::Disconnected(it.reason_code.number()),
            other => panic!("{other:?}"),
        }),
    })
}

pub(in crate::fuzzing) fn any_step(step: Option<any::Step<&[u8]>>) -> Option<Step> {
    Some(match step? {
        any::Step::Action(action) => Step::Action(any_action(action)),
        any::Step::Event(event) => Step::Event(match event.to_owned() {
            any::Event::ConnectRequested(connect) => Event::ConnectRequested(connect),
            any::Event::Message(publish) => Event::Message(publish),
            any::Event::MessageHeader(header) => Event::MessageHeader(header),
            any::Event::Payload { bytes, left } => Event::Payload { bytes, left },
            any::Event::AcceptedByPeer {
                packet_id,
                reason_code,
                properties,
            } => Event::AcceptedByPeer(packet_id, outcome(reason_code, properties)),
            any::Event::Delivered {
                packet_id,
                reason_code,
                properties,
            } => Event::Delivered(packet_id, outcome(reason_code, properties)),
            any::Event::Rejected {
                packet_id,
                reason_code,
                properties,
            } => Event::Rejected(packet_id, outcome(reason_code, properties)),
            any::Event::SubscribeRequested(it) => Event::SubscribeRequested(it),
            any::Event::UnsubscribeRequested(it) => Event::UnsubscribeRequested(it),
            any::Event::Disconnected(it) => Event::Disconnected(it.reason_code.number()),
            other => panic!("{other:?}"),
        }),
    })
}

fn payload(bytes: &[u8], left: usize) -> Event {
    let bytes = bytes.to_vec();
    Event::Payload { bytes, left }
}

fn outcome(code: v5::ReasonCode, properties: v5::AckProperties<Vec<u8>>) -> Outcome {
    let code = code.number();
    Outcome { code, properties }
}

fn action<V: Version>(
    action: mqtt_sansio::Action<V>,
    reason: fn(CloseReason<V>) -> Reason,
) -> Action {
    use mqtt_sansio::Action as Of;
    match action {
        Of::Store(change) => Action::Store(change),
        Of::Transmit(reply) => Action::Transmit(reply.as_ref().to_vec()),
        Of::Resend(id) => Action::Resend(id),
        Of::Lost {
            packet_id,
            received,
        } => Action::Lost(packet_id, received),
        Of::Unanswered(id) => Action::Unanswered(id),
        Of::PublishWill => Action::Will { publish: true },
        Of::DiscardWill => Action::Will { publish: false },
        Of::Close(of) => Action::Close(reason(of)),
    }
}

pub(in crate::fuzzing) fn v3_action(it: v3::Action) -> Action {
    action(it, v3_reason)
}

pub(in crate::fuzzing) fn v5_action(it: v5::Action) -> Action {
    action(it, v5_reason)
}

pub(in crate::fuzzing) fn any_action(action: any::Action) -> Action {
    match action {
        any::Action::Store(change) => Action::Store(change),
        any::Action::Transmit(reply) => Action::Transmit(reply.as_bytes().to_vec()),
        any::Action::Resend(id) => Action::Resend(id),
        any::Action::Lost {
            packet_id,
            received,
        } => Action::Lost(packet_id, received),
        any::Action::PublishWill => Action::Will { publish: true },
        any::Action::DiscardWill => Action::Will { publish: false },
        any::Action::Close(any::CloseReason::V3(reason)) => Action::Close(v3_reason(reason)),
        any::Action::Close(any::CloseReason::V5(reason)) => Action::Close(v5_reason(reason)),
    }
}

fn reason<V: Version>(reason: CloseReason<V>, refused: fn(V::Refusal) -> u8) -> Reason
where
    any::DecodeError: From<DecodeError<V>>,
{
    match reason {
        CloseReason::Disconnected => Reason::Disconnected,
        CloseReason::TransportClosed => Reason::TransportClosed,
        CloseReason::Aborted => Reason::Aborted,
        CloseReason::Refused(refusal) => Reason::Refused(refused(refusal)),
        CloseReason::Violation(PeerError::Protocol(error)) => Reason::Violation(error),
        CloseReason::Violation(PeerError::Malformed(error)) => Reason::Malformed(error.into()),
        CloseReason::LimitExceeded {
            limit,
            value,
            actual,
        } => Reason::LimitExceeded {
            limit,
            value,
            actual,
        },
        CloseReason::ConnectTimeout => Reason::ConnectTimeout,
        CloseReason::KeepAliveTimeout => Reason::KeepAliveTimeout,
        CloseReason::PingTimeout => Reason::PingTimeout,
        CloseReason::ReplyTooLarge => Reason::ReplyTooLarge,
        other => panic!("{other:?}"),
    }
}

fn v3_reason(of: v3::CloseReason) -> Reason {
    reason(of, |refusal| refusal.return_code())
}

fn v5_reason(of: v5::CloseReason) -> Reason {
    reason(of, |refusal| refusal.0.number())
}
