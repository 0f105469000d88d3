//! The parts of a version that the harness needs: packets, events and actions in one shape for all
//! versions.

mod action;
mod content;
mod v3;
mod v5;

use std::fmt::Debug;

use mqtt_sansio::v3::Delivery;
use mqtt_sansio::v5::{AliasVec, OutboundAliases};
use mqtt_sansio::{
    Acknowledgement, ClientRole, CommandError, Connection, PacketId, PacketType, Piece, Role,
    ServerRole, Session, Text, Timestamp, TopicFilter, TopicName, Version,
};

pub(crate) use action::{Action, Close};
pub(crate) use content::{Content, How};
pub(super) use v5::{DISMISSAL, outcome, told_by_any, v5_codes, v5_terms, v5_unsubscribe_codes};

use super::plan::{Spec, Storage, number_of};

/// The limits that a side of MQTT 5 announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) receive_maximum: u16,
    pub(crate) topic_alias_maximum: u16,
}

impl Announced {
    /// The limits of a side that announces none.
    pub(crate) const NOTHING: Self = Self {
        receive_maximum: u16::MAX,
        topic_alias_maximum: 0,
    };
}

/// The parameters of CONNECT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) clean_start: bool,
    /// In seconds. MQTT 3.1.1: 0 with Clean Session, otherwise unlimited.
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

/// The parameters of CONNACK.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Server Keep Alive in seconds.
    pub(crate) keep_alive: u16,
    /// Session Expiry Interval in seconds, if it differs from the client's.
    pub(crate) session_expiry: Option<u32>,
    pub(crate) announced: Announced,
}

/// The DISCONNECT of a client of MQTT 5.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Farewell {
    /// The server publishes the Will.
    pub(crate) with_will: bool,
    /// The session ends, whatever CONNECT requested.
    pub(crate) ends_session: bool,
}

/// A PUBLISH, or its header if the payload arrives in pieces.
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

/// Prints the message without its payload, which its number determines.
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
    /// Returns whether it is this message, as the version `V` publishes it.
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
        /// A Reason Code from 0x80 on, except Packet Identifier not found.
        refused: bool,
    },
    /// SUBSCRIBE or UNSUBSCRIBE.
    Request(PacketId),
    /// SUBACK or UNSUBACK.
    Answer(PacketId),
    Other(PacketType),
}

/// An event, as the application sees it.
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

/// The methods that the harness needs of a version.
pub(crate) trait Dialect: Version + Debug {
    const IS_V5: bool;

    fn seen(packet: Self::Packet<'_>) -> Seen;
    fn told(event: Self::Event<&[u8]>) -> Event;
    /// Returns the event with all its fields.
    fn shown(event: &Self::Event<&[u8]>) -> String;
    /// Returns whether a PUBLISH has no Topic Name.
    fn is_without_topic(piece: &Piece<'_, Self::Packet<'_>, Self::PayloadHeader<'_>>) -> bool;
    /// Returns the Message Expiry Interval of a message.
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
    /// In seconds; unlimited in MQTT 3.1.1.
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
    /// Ends the connection of a server: with DISCONNECT, or in MQTT 3.1.1 by closing.
    fn dismiss(
        server: &mut Connection<Self, ServerRole, Storage>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
}

fn text(topic: &TopicName<&[u8]>) -> String {
    topic.as_str().to_owned()
}

const CLIENT_ID: Text<&[u8]> = Text::from_static("sim");
const WILL_TOPIC: TopicName<&[u8]> = TopicName::from_static("will");
const WILL: &[u8] = b"gone";
