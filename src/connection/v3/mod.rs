//! Connections of MQTT 3.1 and 3.1.1.

mod client;
mod event;
mod message;
mod server;
#[cfg(test)]
mod tests;

pub use event::Event;
pub use message::{Message, MessageHeader};

use super::connection::Connection;
use super::error::{self, ProtocolError};
use super::reply::{self, PendingReply};
use super::role::{ClientRole, ServerRole};
use super::state::State;
use super::version::{Input, Outcome, Progress, Version};
use super::{action, close_reason, step};
use crate::session::Slots;
use crate::types::Delivery;
use crate::v3::{ConnAck, ConnectRefusal, Packet, Publish, PublishHeader, V3, try_read_publish};
use crate::wire::{Header, PacketType};

/// One connection of a client to a server that speaks MQTT 3.1.1 or 3.1: see
/// [`Connection`](crate::Connection).
#[cfg(feature = "alloc")]
pub type Client<S = alloc::vec::Vec<crate::Slot>> = Connection<V3, ClientRole, S>;
/// One connection of a client to a server that speaks MQTT 3.1.1 or 3.1: see
/// [`Connection`](crate::Connection).
#[cfg(not(feature = "alloc"))]
pub type Client<S> = Connection<V3, ClientRole, S>;

/// One connection of a server with a client that speaks MQTT 3.1.1 or 3.1: see
/// [`Connection`](crate::Connection).
///
/// - It begins with [`Event::ConnectRequested`]. The application decides by
///   [`accept_new`](Self::accept_new), [`accept_resumed`](Self::accept_resumed) or
///   [`refuse`](Self::refuse), and finds the session that belongs to the Client Identifier
///   [MQTT-3.1.3-2]. If the identifier is empty, it assigns one [MQTT-3.1.3-6].
/// - [`Event::SubscribeRequested`] and [`Event::UnsubscribeRequested`] are answered with
///   [`suback`](Self::suback) and [`unsuback`](Self::unsuback) before the next packet.
/// - When it ends, an action tells whether to publish or discard the Will.
///
/// Until CONNECT is accepted the client is unknown: give the decoder a small
/// [`Options::max_packet_size`](crate::Options::max_packet_size) until then.
#[cfg(feature = "alloc")]
pub type Server<S = alloc::vec::Vec<crate::Slot>> = Connection<V3, ServerRole, S>;
/// One connection of a server with a client that speaks MQTT 3.1.1 or 3.1: see
/// [`Connection`](crate::Connection).
#[cfg(not(feature = "alloc"))]
pub type Server<S> = Connection<V3, ServerRole, S>;

/// A task for the driver of a connection of MQTT 3.1.1.
pub type Action = action::Action<V3>;
/// The reason why a connection of MQTT 3.1.1 has ended.
pub type CloseReason = close_reason::CloseReason<V3>;
/// The reason why a packet of MQTT 3.1.1 was not handled.
pub type HandleError = error::HandleError<V3>;
/// A fault of a peer that speaks MQTT 3.1.1.
pub type PeerError = error::PeerError<V3>;
/// A packet of MQTT 3.1.1 that a connection sends by itself.
pub type Reply = reply::Reply<4>;
/// One step of a connection of MQTT 3.1.1.
pub type Step<B> = step::Step<V3, B>;

/// The fields of CONNECT that only this version has.
#[derive(Debug, Clone, Copy, Default)]
#[expect(unnameable_types, reason = "only connections of this version use it")]
pub struct Limits {
    /// CONNACK has Session Present, which MQTT 3.1 lacks.
    has_session_present: bool,
}

impl Version for V3 {
    type Event<B> = Event<B>;
    type Reply = Reply;
    type Refusal = ConnectRefusal;
    type Limits = Limits;

    fn packet_type(packet: &Self::Packet<'_>) -> PacketType {
        packet.packet_type()
    }

    #[inline]
    fn classify(packet: &Self::Packet<'_>) -> Input {
        let (packet_type, packet_id) = match packet {
            Packet::Publish(publish) => return Input::Message(publish.delivery),
            Packet::PubAck(ack) => (PacketType::PubAck, ack.packet_id),
            Packet::PubRec(ack) => (PacketType::PubRec, ack.packet_id),
            Packet::PubRel(ack) => (PacketType::PubRel, ack.packet_id),
            Packet::PubComp(ack) => (PacketType::PubComp, ack.packet_id),
            _ => return Input::Other,
        };
        Input::Acknowledgement {
            packet_type,
            packet_id,
            refused: false,
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
            Packet::UnsubAck(unsuback) => Event::Unsubscribed(unsuback.packet_id),
            Packet::ConnAck(ConnAck::Refused(refusal)) => Event::Refused(refusal),
            Packet::ConnAck(ConnAck::Accepted { .. }) => match outcome {
                Outcome::Connected { session_present } => Event::Connected { session_present },
                _ => return None,
            },
            Packet::Disconnect => Event::Disconnected,
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
        _: &Limits,
        _: bool,
    ) -> Option<(Delivery, Event<&'a [u8]>)> {
        let publish: Publish<&'a [u8]> = try_read_publish(header, body)?;
        Some((publish.delivery, Event::Message(publish)))
    }

    fn payload_header(header: &PublishHeader<&[u8]>) -> (Delivery, u32) {
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

    #[inline]
    fn progress_event<'a>(progress: Progress, _: Option<Self::Packet<'a>>) -> Event<&'a [u8]> {
        match progress {
            Progress::AcceptedByPeer(packet_id) => Event::AcceptedByPeer(packet_id),
            Progress::Completed(packet_id) => Event::Delivered(packet_id),
        }
    }

    #[inline]
    fn encode_reply(reply: PendingReply) -> Reply {
        let [first, code, high, low] = reply.parts();
        Reply::new(match first {
            0x20 => [first, 2, 0, code],
            // PINGREQ and PINGRESP
            0xc0.. => [first, 0, 0, 0],
            _ => [first, 2, high, low],
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

    fn closing_reply(reason: &CloseReason, state: State, is_server: bool) -> Option<PendingReply> {
        if is_server {
            return server::closing_reply(reason, state);
        }
        None
    }

    fn protocol_statement(error: &ProtocolError) -> Option<&'static str> {
        Some(match error {
            ProtocolError::Unexpected(_)
            | ProtocolError::SecondConnAck { .. }
            | ProtocolError::WrongAcknowledgement { .. } => "MQTT-4.8.0-1",
            ProtocolError::SecondConnect => "MQTT-3.1.0-2",
            ProtocolError::SessionPresent => "MQTT-3.2.2-1",
            ProtocolError::NoSuchRequest { .. } => "MQTT-2.3.1-7",
            ProtocolError::WrongNumberOfReturnCodes => "MQTT-3.8.4-5",
            ProtocolError::PacketIdInUse(_) => "MQTT-2.3.1-2",
            // Faults of MQTT 5 only.
            _ => return None,
        })
    }
}
