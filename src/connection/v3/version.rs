//! What MQTT 3.1 and 3.1.1 add to the machine that all versions share.

use super::{CloseReason, Event, HandleError, Limits, Reply, client, server};
use crate::connection::connection::Connection;
use crate::connection::error::ProtocolError;
use crate::connection::reply::PendingReply;
use crate::connection::role::{ClientRole, ServerRole};
use crate::connection::state::State;
use crate::connection::version::{Input, Outcome, Progress, Version};
use crate::session::Slots;
use crate::types::Delivery;
use crate::v3::{ConnAck, ConnectRefusal, Packet, Publish, PublishHeader, V3, try_read_publish};
use crate::wire::{Header, PacketType};

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
