//! A version of MQTT as the harness sees it: packets, events and actions in one shape for all.

use std::fmt::Debug;

use mqtt_sansio::v3::{self, Delivery, V3};
use mqtt_sansio::v5::{self, AliasVec, OutboundAliases, Property, V5};
use mqtt_sansio::{
    Acknowledgement, Change, ClientRole, CommandError, Connection, PacketId, PacketType, Piece,
    QoS, Role, ServerRole, Session, Text, Timestamp, TopicFilter, TopicName, Version, any,
};

use super::plan::{Spec, Storage, number_of};

/// The limits that a side of MQTT 5 announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) receive_maximum: u16,
    pub(crate) topic_alias_maximum: u16,
}

impl Announced {
    /// What holds of a side that announces nothing.
    pub(crate) const NOTHING: Self = Self {
        receive_maximum: u16::MAX,
        topic_alias_maximum: 0,
    };
}

/// What a client asks for with CONNECT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) clean_start: bool,
    /// In seconds. MQTT 3.1.1: 0 with Clean Session, and without end otherwise.
    pub(crate) session_expiry: u32,
    pub(crate) keep_alive: u16,
    pub(crate) has_will: bool,
    pub(crate) announced: Announced,
}

impl Opening {
    pub(crate) const fn session_ends(&self) -> bool {
        self.session_expiry == 0
    }
}

/// What a server answers with CONNACK.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Server Keep Alive in seconds.
    pub(crate) keep_alive: u16,
    /// Session Expiry Interval in seconds, if it is another than the client has asked for.
    pub(crate) session_expiry: Option<u32>,
    pub(crate) announced: Announced,
}

/// How a client of MQTT 5 leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Farewell {
    /// The server is to publish the Will.
    pub(crate) with_will: bool,
    /// The session ends, whatever CONNECT said.
    pub(crate) ends_session: bool,
}

/// How a message is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Whole,
    /// The payload follows.
    InPieces,
    /// With a Topic Alias, where the version and the peer have them.
    Aliased,
}

/// A PUBLISH, or the part of it before a payload in pieces.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) delivery: Delivery,
    pub(crate) retain: bool,
    pub(crate) topic: String,
    pub(crate) alias: Option<u16>,
    /// Message Expiry Interval.
    pub(crate) expiry: Option<u32>,
    pub(crate) payload: Vec<u8>,
    pub(crate) payload_len: usize,
}

/// Without what is in the payload: that follows from its number.
impl Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            delivery, topic, ..
        } = self;
        let number = number_of(&self.payload);
        write!(f, "{delivery:?} {topic:?}, {number:?}")?;
        write!(f, ", retain: {}, alias: {:?}", self.retain, self.alias)
    }
}

impl Message {
    /// Whether it is this message, as the version `V` publishes it.
    pub(crate) fn is<V: Dialect>(&self, spec: &Spec) -> bool {
        self.payload == spec.payload()
            && self.topic == spec.topic
            && self.retain == spec.retain
            && self.delivery.qos() == spec.qos
            && self.expiry == V::expiry(spec)
    }
}

/// A packet on the wire.
#[derive(Debug)]
pub(crate) enum Seen {
    Connect(Announced),
    ConnAck(Announced),
    Publish(Message),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Acknowledgement {
        packet_type: PacketType,
        packet_id: PacketId,
        /// A Reason Code from 0x80 on, but not that of an identifier that is not found.
        refused: bool,
    },
    /// SUBSCRIBE or UNSUBSCRIBE.
    Request(PacketId),
    /// SUBACK or UNSUBACK.
    Answer(PacketId),
    Other(PacketType),
}

/// What the application is told.
#[derive(Debug)]
pub(crate) enum Event {
    ConnectRequested(Opening),
    Connected {
        session_present: bool,
    },
    Refused,
    Message(Message),
    MessageHeader(Message),
    Payload {
        bytes: Vec<u8>,
        left: usize,
    },
    AcceptedByPeer(PacketId),
    Delivered(PacketId),
    Rejected(PacketId),
    SubscribeRequested {
        filters: usize,
    },
    UnsubscribeRequested {
        filters: usize,
    },
    /// SUBACK or UNSUBACK.
    Answered(PacketId),
    Disconnected {
        discards_will: bool,
        ends_session: bool,
    },
}

/// What the library asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Store(Change),
    Transmit(Vec<u8>),
    Resend(PacketId),
    Lost { packet_id: PacketId, received: bool },
    Unanswered(PacketId),
    PublishWill,
    DiscardWill,
    Close(Close, String),
}

/// Why a connection ends, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    Violation,
    KeepAliveTimeout,
    ConnectTimeout,
    PingTimeout,
    Other,
}

impl<V: Version> From<mqtt_sansio::CloseReason<V>> for Close {
    fn from(reason: mqtt_sansio::CloseReason<V>) -> Self {
        use mqtt_sansio::CloseReason as Reason;
        match reason {
            Reason::Violation(_) => Self::Violation,
            Reason::KeepAliveTimeout => Self::KeepAliveTimeout,
            Reason::ConnectTimeout => Self::ConnectTimeout,
            Reason::PingTimeout => Self::PingTimeout,
            _ => Self::Other,
        }
    }
}

impl<V: Version> From<mqtt_sansio::Action<V>> for Action {
    fn from(action: mqtt_sansio::Action<V>) -> Self {
        use mqtt_sansio::Action as Of;
        match action {
            Of::Store(change) => Self::Store(change),
            Of::Transmit(reply) => Self::Transmit(reply.as_ref().to_vec()),
            Of::Resend(packet_id) => Self::Resend(packet_id),
            Of::Lost {
                packet_id,
                received,
            } => Self::Lost {
                packet_id,
                received,
            },
            Of::Unanswered(packet_id) => Self::Unanswered(packet_id),
            Of::PublishWill => Self::PublishWill,
            Of::DiscardWill => Self::DiscardWill,
            Of::Close(reason) => Self::Close(reason.into(), reason.to_string()),
        }
    }
}

impl From<any::Action> for Action {
    fn from(action: any::Action) -> Self {
        use any::Action as Of;
        match action {
            Of::Store(change) => Self::Store(change),
            Of::Transmit(reply) => Self::Transmit(reply.as_bytes().to_vec()),
            Of::Resend(packet_id) => Self::Resend(packet_id),
            Of::Lost {
                packet_id,
                received,
            } => Self::Lost {
                packet_id,
                received,
            },
            Of::PublishWill => Self::PublishWill,
            Of::DiscardWill => Self::DiscardWill,
            Of::Close(any::CloseReason::V3(reason)) => {
                Self::Close(reason.into(), reason.to_string())
            }
            Of::Close(any::CloseReason::V5(reason)) => {
                Self::Close(reason.into(), reason.to_string())
            }
        }
    }
}

/// What the harness needs of a version.
pub(crate) trait Dialect: Version + Debug {
    const IS_V5: bool;

    fn seen(packet: Self::Packet<'_>) -> Seen;
    fn told(event: Self::Event<&[u8]>) -> Event;
    /// The event with everything that it has.
    fn shown(event: &Self::Event<&[u8]>) -> String;
    /// Whether a PUBLISH has no Topic Name.
    fn is_without_topic(piece: &Piece<'_, Self::Packet<'_>, Self::PayloadHeader<'_>>) -> bool;
    /// The Message Expiry Interval that a message has.
    fn expiry(spec: &Spec) -> Option<u32>;

    fn publish<R: Role>(
        connection: &mut Connection<Self, R, Storage>,
        now: Timestamp,
        content: &Content<'_>,
        aliases: &mut OutboundAliases<AliasVec>,
        out: &mut Vec<u8>,
    ) -> Result<Option<PacketId>, CommandError>;
    fn resend<R: Role>(
        connection: &mut Connection<Self, R, Storage>,
        now: Timestamp,
        packet_id: PacketId,
        content: &Content<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
    fn acknowledge<R: Role>(
        connection: &mut Connection<Self, R, Storage>,
        acknowledgement: Acknowledgement,
        refuses: bool,
    ) -> Result<(), CommandError>;
    /// In seconds, without end in MQTT 3.1.1.
    fn session_expiry<R: Role>(connection: &Connection<Self, R, Storage>) -> u32;

    fn connect(
        client: &mut Connection<Self, ClientRole, Storage>,
        now: Timestamp,
        opening: &Opening,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
    fn subscribe(
        client: &mut Connection<Self, ClientRole, Storage>,
        now: Timestamp,
        filters: &[TopicFilter<&[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError>;
    fn unsubscribe(
        client: &mut Connection<Self, ClientRole, Storage>,
        now: Timestamp,
        filters: &[TopicFilter<&[u8]>],
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError>;
    fn leave(
        client: &mut Connection<Self, ClientRole, Storage>,
        now: Timestamp,
        farewell: &Farewell,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;

    fn accept(
        server: &mut Connection<Self, ServerRole, Storage>,
        now: Timestamp,
        session: Option<Session<Storage>>,
        terms: &Terms,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
    fn refuse(
        server: &mut Connection<Self, ServerRole, Storage>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
    fn suback(
        server: &mut Connection<Self, ServerRole, Storage>,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
    fn unsuback(
        server: &mut Connection<Self, ServerRole, Storage>,
        now: Timestamp,
        filters: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
    /// DISCONNECT from the server; in MQTT 3.1.1 the connection is closed.
    fn dismiss(
        server: &mut Connection<Self, ServerRole, Storage>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
}

/// What is published, and how.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) payload: &'a [u8],
    pub(crate) how: How,
    /// The properties, encoded.
    properties: v5::PublishProperties<Vec<u8>>,
}

impl<'a> Content<'a> {
    pub(crate) fn new(spec: &'a Spec, payload: &'a [u8], how: How) -> Self {
        let expiry = V5::expiry(spec).map(Property::MessageExpiryInterval);
        Self {
            spec,
            payload,
            how,
            properties: v5::PublishProperties::encode_to_vec(expiry).expect("short properties"),
        }
    }

    fn topic(&self) -> TopicName<&'a [u8]> {
        TopicName::new(self.spec.topic).expect("a Topic Name")
    }

    fn payload_len(&self) -> u32 {
        u32::try_from(self.payload.len()).expect("a short payload")
    }

    /// The message of MQTT 5, which [`any::Server`] publishes to clients of every version.
    pub(crate) fn v5(&self) -> v5::Message<&'a [u8], &'a [u8], &[u8]> {
        v5::Message::new(self.topic(), self.payload)
            .qos(self.spec.qos)
            .retain(self.spec.retain)
            .properties(self.properties.as_ref())
    }

    fn v5_header(&self) -> v5::MessageHeader<&[u8]> {
        v5::MessageHeader {
            topic: self.topic(),
            payload_len: self.payload_len(),
            qos: self.spec.qos,
            retain: self.spec.retain,
            properties: self.properties.as_ref(),
        }
    }

    fn v3(&self) -> v3::Message<&'a [u8]> {
        v3::Message::new(self.topic(), self.payload)
            .qos(self.spec.qos)
            .retain(self.spec.retain)
    }

    fn v3_header(&self) -> v3::MessageHeader<&'a [u8]> {
        v3::MessageHeader {
            topic: self.topic(),
            payload_len: self.payload_len(),
            qos: self.spec.qos,
            retain: self.spec.retain,
        }
    }
}

fn text(topic: &TopicName<&[u8]>) -> String {
    topic.as_str().to_owned()
}

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

/// A PUBLISH of MQTT 5.
macro_rules! v5_message {
    ($publish:expr, $payload:expr, $payload_len:expr) => {
        Message {
            alias: $publish.properties.topic_alias().map(|alias| alias.get()),
            expiry: $publish.properties.message_expiry_interval(),
            ..v3_message!($publish, $payload, $payload_len)
        }
    };
}

const CLIENT_ID: Text<&[u8]> = Text::from_static("sim");
const WILL_TOPIC: TopicName<&[u8]> = TopicName::from_static("will");
const WILL: &[u8] = b"gone";

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

/// What CONNECT of MQTT 5 asks for.
pub(super) fn v5_opening(connect: &v5::Connect<&[u8]>) -> Opening {
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
pub(super) fn v5_terms(terms: &Terms) -> v5::ConnAckProperties<Vec<u8>> {
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

/// An event that has the same shape in `v5` and in `any`.
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

/// The event of an [`any::Server`].
pub(super) fn told_by_any(event: any::Event<&[u8]>) -> Event {
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

/// DISCONNECT of a server.
pub(super) const DISMISSAL: v5::Disconnect<&[u8]> =
    v5::Disconnect::new(v5::DisconnectReasonCode::SessionTakenOver);

/// What a message is acknowledged with.
pub(super) const fn outcome(refuses: bool) -> v5::PubAckReasonCode {
    if refuses {
        v5::PubAckReasonCode::QuotaExceeded
    } else {
        v5::PubAckReasonCode::Success
    }
}

pub(super) fn v5_codes(filters: usize) -> Result<v5::SubscribeReasonCodes<Vec<u8>>, CommandError> {
    let codes = (0..filters).map(|_| v5::SubscribeReasonCode::GrantedQos2);
    Ok(v5::SubscribeReasonCodes::encode_to_vec(codes)?)
}

pub(super) fn v5_unsubscribe_codes(
    filters: usize,
) -> Result<v5::UnsubscribeReasonCodes<Vec<u8>>, CommandError> {
    let codes = (0..filters).map(|_| v5::UnsubscribeReasonCode::Success);
    Ok(v5::UnsubscribeReasonCodes::encode_to_vec(codes)?)
}
