//! MQTT 3.1.1.

use mqtt_sansio::v3::{self, V3};
use mqtt_sansio::v5::{AliasVec, OutboundAliases};
use mqtt_sansio::{
    Acknowledgement, CommandError, Connection, PacketId, PacketType, QoS, Role, Session, Timestamp,
    TopicFilter,
};

use super::{
    Announced, CLIENT_ID, Content, Dialect, Event, Farewell, How, Message, Opening, Seen, Terms,
    WILL, WILL_TOPIC, text,
};
use crate::simulation::plan::{Spec, Storage};

/// A PUBLISH of MQTT 3.1.1.
macro_rules! v3_message {
    ($publish:expr, $payload:expr, $payload_len:expr) => {
        Message {
            delivery: $publish.delivery,
            retain: $publish.retain,
            topic: text(&$publish.topic),
            alias: None,
            expiry: None,
            payload: $payload,
            payload_len: $payload_len,
        }
    };
}

impl Dialect for V3 {
    const IS_V5: bool = false;

    fn seen(packet: v3::PacketRef<'_>) -> Seen {
        let acknowledgement = |packet_type, packet_id| Seen::Acknowledgement {
            packet_type,
            packet_id,
            refused: false,
        };
        match packet {
            v3::Packet::Connect(_) => Seen::Connect(Announced::NOTHING),
            v3::Packet::ConnAck(_) => Seen::ConnAck(Announced::NOTHING),
            v3::Packet::Publish(it) => {
                Seen::Publish(v3_message!(it, it.payload.to_vec(), it.payload.len()))
            }
            v3::Packet::PubAck(it) => acknowledgement(PacketType::PubAck, it.packet_id),
            v3::Packet::PubRec(it) => acknowledgement(PacketType::PubRec, it.packet_id),
            v3::Packet::PubRel(it) => acknowledgement(PacketType::PubRel, it.packet_id),
            v3::Packet::PubComp(it) => acknowledgement(PacketType::PubComp, it.packet_id),
            v3::Packet::Subscribe(it) => Seen::Request(it.packet_id),
            v3::Packet::Unsubscribe(it) => Seen::Request(it.packet_id),
            v3::Packet::SubAck(it) => Seen::Answer(it.packet_id),
            v3::Packet::UnsubAck(it) => Seen::Answer(it.packet_id),
            other => Seen::Other(other.packet_type()),
        }
    }

    fn shown(event: &v3::Event<&[u8]>) -> String {
        format!("{event:?}")
    }

    fn told(event: v3::Event<&[u8]>) -> Event {
        use v3::Event as Of;
        match event {
            Of::ConnectRequested(connect) => {
                let connect = connect.to_connect();
                Event::ConnectRequested(Opening {
                    clean_start: connect.clean_session,
                    session_expiry: if connect.clean_session { 0 } else { u32::MAX },
                    keep_alive: connect.keep_alive,
                    has_will: connect.will.is_some(),
                    announced: Announced::NOTHING,
                })
            }
            Of::Connected { session_present } => Event::Connected { session_present },
            Of::Refused(_) => Event::Refused,
            Of::Message(it) => {
                Event::Message(v3_message!(it, it.payload.to_vec(), it.payload.len()))
            }
            Of::MessageHeader(it) => {
                Event::MessageHeader(v3_message!(it, Vec::new(), it.payload_len as usize))
            }
            Of::Payload { bytes, left } => Event::Payload {
                bytes: bytes.to_vec(),
                left,
            },
            Of::AcceptedByPeer(packet_id) => Event::AcceptedByPeer(packet_id),
            Of::Delivered(packet_id) => Event::Delivered(packet_id),
            Of::SubscribeRequested(it) => Event::SubscribeRequested {
                filters: it.subscriptions.len(),
            },
            Of::UnsubscribeRequested(it) => Event::UnsubscribeRequested {
                filters: it.topic_filters.len(),
            },
            Of::Subscribed(it) => Event::Answered(it.packet_id),
            Of::Unsubscribed(packet_id) => Event::Answered(packet_id),
            Of::Disconnected => Event::Disconnected {
                discards_will: true,
                ends_session: false,
            },
            other => panic!("{other:?} is not known here"),
        }
    }

    fn is_without_topic(_: &v3::PieceRef<'_>) -> bool {
        false
    }

    fn expiry(_: &Spec) -> Option<u32> {
        None
    }

    fn publish<R: Role>(
        connection: &mut Connection<Self, R, Storage>,
        now: Timestamp,
        content: &Content<'_>,
        _: &mut OutboundAliases<AliasVec>,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, CommandError> {
        match content.how {
            How::InPieces => connection.publish(now, &content.v3_header(), out),
            How::Whole | How::Aliased => connection.publish(now, &content.v3(), out),
        }
    }

    fn resend<R: Role>(
        connection: &mut Connection<Self, R, Storage>,
        now: Timestamp,
        packet_id: PacketId,
        content: &Content<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        match content.how {
            How::InPieces => connection.resend(now, packet_id, &content.v3_header(), out),
            How::Whole | How::Aliased => connection.resend(now, packet_id, &content.v3(), out),
        }
    }

    fn acknowledge<R: Role>(
        connection: &mut Connection<Self, R, Storage>,
        acknowledgement: Acknowledgement,
        _: bool,
    ) -> Result<(), CommandError> {
        connection.acknowledge(acknowledgement)
    }

    fn session_expiry<R: Role>(_: &Connection<Self, R, Storage>) -> u32 {
        u32::MAX
    }

    fn connect(
        client: &mut v3::Client<Storage>,
        now: Timestamp,
        opening: &Opening,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let connect = v3::Connect {
            clean_session: opening.clean_start,
            keep_alive: opening.keep_alive,
            will: opening.has_will.then_some(v3::Will {
                topic: WILL_TOPIC,
                message: WILL,
                qos: QoS::AtMostOnce,
                retain: false,
            }),
            ..v3::Connect::new(CLIENT_ID)
        };
        client.connect(now, &connect, out)
    }

    fn subscribe(
        client: &mut v3::Client<Storage>,
        now: Timestamp,
        filters: &[TopicFilter<&[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        let filters = filters.iter().copied();
        let list = filters.map(|filter| v3::Subscription::new(filter, QoS::ExactlyOnce));
        client.subscribe(now, &v3::Subscriptions::encode_to_vec(list)?, out)
    }

    fn unsubscribe(
        client: &mut v3::Client<Storage>,
        now: Timestamp,
        filters: &[TopicFilter<&[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        let list = v3::TopicFilters::encode_to_vec(filters.iter().copied())?;
        client.unsubscribe(now, &list, out)
    }

    fn leave(
        client: &mut v3::Client<Storage>,
        now: Timestamp,
        _: &Farewell,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        client.disconnect(now, out)
    }

    fn accept(
        server: &mut v3::Server<Storage>,
        now: Timestamp,
        session: Option<Session<Storage>>,
        _: &Terms,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        match session {
            Some(mut session) => server.accept_resumed(now, &mut session, out),
            None => server.accept_new(now, out),
        }
    }

    fn refuse(
        server: &mut v3::Server<Storage>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        server.refuse(now, v3::ConnectRefusal::ServerUnavailable, out)
    }

    fn suback(
        server: &mut v3::Server<Storage>,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let codes = (0..filters).map(|_| v3::ReturnCode::Success(QoS::ExactlyOnce));
        server.suback(now, &v3::ReturnCodes::encode_to_vec(codes)?, out)
    }

    fn unsuback(
        server: &mut v3::Server<Storage>,
        now: Timestamp,
        _: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        server.unsuback(now, out)
    }

    fn dismiss(
        server: &mut v3::Server<Storage>,
        now: Timestamp,
        _: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        server.close(now);
        Ok(())
    }
}
