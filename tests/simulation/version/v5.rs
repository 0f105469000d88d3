//! MQTT 5, and the parts of a server of any version that have the same shape.

use mqtt_sansio::v5::{self, AliasVec, OutboundAliases, Property, V5};
use mqtt_sansio::{
    Acknowledgement, CommandError, Connection, PacketId, PacketType, Piece, QoS, Role, Session,
    Timestamp, TopicFilter, any,
};

use super::{
    Announced, CLIENT_ID, Content, Dialect, Event, Farewell, How, Message, Opening, Seen, Terms,
    WILL, WILL_TOPIC, text,
};
use crate::simulation::plan::{Spec, Storage};

/// A PUBLISH of MQTT 5.
macro_rules! v5_message {
    ($publish:expr, $payload:expr, $payload_len:expr) => {
        Message {
            alias: $publish.properties.topic_alias().map(|alias| alias.get()),
            expiry: $publish.properties.message_expiry_interval(),
            delivery: $publish.delivery,
            retain: $publish.retain,
            topic: text(&$publish.topic),
            payload: $payload,
            payload_len: $payload_len,
        }
    };
}

/// The CONNECT of an opening.
pub(in crate::simulation) fn v5_opening(connect: &v5::Connect<&[u8]>) -> Opening {
    Opening {
        clean_start: connect.clean_start,
        session_expiry: connect.properties.session_expiry_interval(),
        keep_alive: connect.keep_alive,
        has_will: connect.will.is_some(),
        announced: Announced {
            receive_maximum: connect.properties.receive_maximum().get(),
            topic_alias_maximum: connect.properties.topic_alias_maximum(),
        },
    }
}

/// The properties of CONNACK.
pub(in crate::simulation) fn v5_terms(terms: &Terms) -> v5::ConnAckProperties<Vec<u8>> {
    let keep_alive = [Property::ServerKeepAlive(terms.keep_alive)];
    let expiry = terms.session_expiry.map(Property::SessionExpiryInterval);
    let properties = keep_alive.into_iter().chain(expiry);
    let properties = properties.chain(announces(terms.announced));
    v5::ConnAckProperties::encode_to_vec(properties).expect("short properties")
}

fn announces(announced: Announced) -> impl Iterator<Item = Property<'static>> + Clone {
    let receive_maximum = core::num::NonZeroU16::new(announced.receive_maximum);
    let alias_maximum = announced.topic_alias_maximum;
    receive_maximum
        .filter(|maximum| maximum.get() < u16::MAX)
        .map(Property::ReceiveMaximum)
        .into_iter()
        .chain((alias_maximum > 0).then_some(Property::TopicAliasMaximum(alias_maximum)))
}

/// Converts an event that has the same shape in `v5` and in `any`.
macro_rules! v5_told {
    ($event:expr, $Of:ident, $($others:tt)*) => {
        match $event {
            $Of::Message(it) => {
                Event::Message(v5_message!(it, it.payload.to_vec(), it.payload.len()))
            }
            $Of::MessageHeader(it) => {
                Event::MessageHeader(v5_message!(it, Vec::new(), it.payload_len as usize))
            }
            $Of::Payload { bytes, left } => Event::Payload {
                bytes: bytes.to_vec(),
                left,
            },
            $Of::AcceptedByPeer { packet_id, .. } => Event::AcceptedByPeer(packet_id),
            $Of::Delivered { packet_id, .. } => Event::Delivered(packet_id),
            $Of::Rejected { packet_id, .. } => Event::Rejected(packet_id),
            $Of::SubscribeRequested(it) => Event::SubscribeRequested {
                filters: it.subscriptions.len(),
            },
            $Of::UnsubscribeRequested(it) => Event::UnsubscribeRequested {
                filters: it.topic_filters.len(),
            },
            $Of::Disconnected(it) => Event::Disconnected {
                discards_will: it.reason_code == v5::DisconnectReasonCode::NormalDisconnection,
                ends_session: it.properties.session_expiry_interval() == Some(0),
            },
            $Of::ConnectRequested(connect) => {
                Event::ConnectRequested(v5_opening(&connect.to_connect()))
            }
            $($others)*
            other => panic!("{other:?} is not known here"),
        }
    };
}

/// Converts the event of an [`any::Server`].
pub(in crate::simulation) fn told_by_any(event: any::Event<&[u8]>) -> Event {
    use any::Event as Of;
    v5_told!(event, Of,)
}

impl Dialect for V5 {
    const IS_V5: bool = true;

    fn seen(packet: v5::PacketRef<'_>) -> Seen {
        let acknowledgement = |packet_type, packet_id, refused| Seen::Acknowledgement {
            packet_type,
            packet_id,
            refused,
        };
        match packet {
            v5::Packet::Connect(it) => Seen::Connect(v5_opening(&it.to_connect()).announced),
            v5::Packet::ConnAck(it) => Seen::ConnAck(Announced {
                receive_maximum: it.properties.receive_maximum().get(),
                topic_alias_maximum: it.properties.topic_alias_maximum(),
            }),
            v5::Packet::Publish(it) => {
                Seen::Publish(v5_message!(it, it.payload.to_vec(), it.payload.len()))
            }
            v5::Packet::PubAck(it) => {
                acknowledgement(PacketType::PubAck, it.packet_id, it.reason_code.is_error())
            }
            v5::Packet::PubRec(it) => {
                acknowledgement(PacketType::PubRec, it.packet_id, it.reason_code.is_error())
            }
            v5::Packet::PubRel(it) => acknowledgement(PacketType::PubRel, it.packet_id, false),
            v5::Packet::PubComp(it) => acknowledgement(PacketType::PubComp, it.packet_id, false),
            v5::Packet::Subscribe(it) => Seen::Request(it.packet_id),
            v5::Packet::Unsubscribe(it) => Seen::Request(it.packet_id),
            v5::Packet::SubAck(it) => Seen::Answer(it.packet_id),
            v5::Packet::UnsubAck(it) => Seen::Answer(it.packet_id),
            other => Seen::Other(other.packet_type()),
        }
    }

    fn shown(event: &v5::Event<&[u8]>) -> String {
        format!("{event:?}")
    }

    fn told(event: v5::Event<&[u8]>) -> Event {
        use v5::Event as Of;
        v5_told!(event, Of,
            Of::Connected { session_present, .. } => Event::Connected { session_present },
            Of::Refused { .. } => Event::Refused,
            Of::Subscribed(it) => Event::Answered(it.packet_id),
            Of::Unsubscribed(it) => Event::Answered(it.packet_id),
        )
    }

    fn is_without_topic(piece: &Piece<'_, v5::PacketRef<'_>, v5::PublishHeader<&[u8]>>) -> bool {
        match piece {
            Piece::Packet(v5::Packet::Publish(publish)) => publish.topic.as_bytes().is_empty(),
            Piece::PublishHeader(header) => header.topic.as_bytes().is_empty(),
            _ => false,
        }
    }

    fn expiry(spec: &Spec) -> Option<u32> {
        (spec.number % 3 == 0).then_some(1000 + spec.number)
    }

    fn publish<R: Role>(
        connection: &mut Connection<Self, R, Storage>,
        now: Timestamp,
        content: &Content<'_>,
        aliases: &mut OutboundAliases<AliasVec>,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, CommandError> {
        match content.how {
            How::InPieces => connection.publish(now, &content.v5_header(), out),
            How::Whole => connection.publish(now, &content.v5(), out),
            How::Aliased => connection.publish_aliased(now, &content.v5(), aliases, out),
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
            How::InPieces => connection.resend(now, packet_id, &content.v5_header(), out),
            How::Whole | How::Aliased => connection.resend(now, packet_id, &content.v5(), out),
        }
    }

    fn acknowledge<R: Role>(
        connection: &mut Connection<Self, R, Storage>,
        acknowledgement: Acknowledgement,
        refuses: bool,
    ) -> Result<(), CommandError> {
        connection.acknowledge_with(acknowledgement, outcome(refuses))
    }

    fn session_expiry<R: Role>(connection: &Connection<Self, R, Storage>) -> u32 {
        connection.session_expiry_interval()
    }

    fn connect(
        client: &mut v5::Client<Storage>,
        now: Timestamp,
        opening: &Opening,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let expiry = (!opening.session_ends())
            .then_some(Property::SessionExpiryInterval(opening.session_expiry));
        let properties = expiry.into_iter().chain(announces(opening.announced));
        let properties = v5::ConnectProperties::encode_to_vec(properties)?;
        let connect = v5::Connect {
            clean_start: opening.clean_start,
            keep_alive: opening.keep_alive,
            client_id: CLIENT_ID,
            properties: properties.as_ref(),
            will: opening.has_will.then_some(v5::Will {
                properties: v5::WillProperties::EMPTY,
                topic: WILL_TOPIC,
                payload: WILL,
                qos: QoS::AtMostOnce,
                retain: false,
            }),
            user_name: None,
            password: None,
        };
        client.connect(now, &connect, out)
    }

    fn subscribe(
        client: &mut v5::Client<Storage>,
        now: Timestamp,
        filters: &[TopicFilter<&[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        let filters = filters.iter().copied();
        let list = filters.map(|filter| v5::Subscription::new(filter, QoS::ExactlyOnce));
        client.subscribe(now, &v5::Subscriptions::encode_to_vec(list)?, out)
    }

    fn unsubscribe(
        client: &mut v5::Client<Storage>,
        now: Timestamp,
        filters: &[TopicFilter<&[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        let list = v5::TopicFilters::encode_to_vec(filters.iter().copied())?;
        client.unsubscribe(now, &list, out)
    }

    fn leave(
        client: &mut v5::Client<Storage>,
        now: Timestamp,
        farewell: &Farewell,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let ends = Property::SessionExpiryInterval(0);
        let properties = farewell.ends_session.then_some(ends);
        let disconnect = v5::Disconnect {
            reason_code: if farewell.with_will {
                v5::DisconnectReasonCode::DisconnectWithWillMessage
            } else {
                v5::DisconnectReasonCode::NormalDisconnection
            },
            properties: v5::DisconnectProperties::encode_to_vec(properties)?,
        };
        client.disconnect_with(now, &disconnect, out)
    }

    fn accept(
        server: &mut v5::Server<Storage>,
        now: Timestamp,
        session: Option<Session<Storage>>,
        terms: &Terms,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let properties = v5_terms(terms);
        match session {
            Some(mut session) => server.accept_resumed_with(now, &mut session, &properties, out),
            None => server.accept_new_with(now, &properties, out),
        }
    }

    fn refuse(
        server: &mut v5::Server<Storage>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        server.refuse(now, v5::ConnectReasonCode::ServerUnavailable, out)
    }

    fn suback(
        server: &mut v5::Server<Storage>,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        server.suback(now, &v5_codes(filters)?, out)
    }

    fn unsuback(
        server: &mut v5::Server<Storage>,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        server.unsuback(now, &v5_unsubscribe_codes(filters)?, out)
    }

    fn dismiss(
        server: &mut v5::Server<Storage>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        server.disconnect_with(now, &DISMISSAL, out)
    }
}

/// Ends the connection of a server with DISCONNECT.
pub(in crate::simulation) const DISMISSAL: v5::Disconnect<&[u8]> =
    v5::Disconnect::new(v5::DisconnectReasonCode::SessionTakenOver);

/// Returns the Reason Code of an acknowledgement.
pub(in crate::simulation) const fn outcome(refuses: bool) -> v5::PubAckReasonCode {
    if refuses {
        v5::PubAckReasonCode::QuotaExceeded
    } else {
        v5::PubAckReasonCode::Success
    }
}

pub(in crate::simulation) fn v5_codes(
    filters: usize,
) -> Result<v5::SubscribeReasonCodes<Vec<u8>>, CommandError> {
    let codes = (0..filters).map(|_| v5::SubscribeReasonCode::GrantedQos2);
    Ok(v5::SubscribeReasonCodes::encode_to_vec(codes)?)
}

pub(in crate::simulation) fn v5_unsubscribe_codes(
    filters: usize,
) -> Result<v5::UnsubscribeReasonCodes<Vec<u8>>, CommandError> {
    let codes = (0..filters).map(|_| v5::UnsubscribeReasonCode::Success);
    Ok(v5::UnsubscribeReasonCodes::encode_to_vec(codes)?)
}
