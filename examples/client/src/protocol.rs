//! The interface to a version of MQTT, so that one program supports all of them. Messages, requests
//! and events have the shape of MQTT 5, and a [`Protocol`] converts them.

mod in_v3;
mod in_v5;

use mqtt_sansio::v3::ProtocolLevel;
use mqtt_sansio::v5::{self, ReasonCode};
use mqtt_sansio::{
    ClientRole, CommandError, Connection, Options, OutgoingMessage, PacketId, Slot, StreamDecoder,
    Timestamp, Version,
};

/// One connection to a server.
pub type Client<V> = Connection<V, ClientRole, Vec<Slot>>;

/// The decoder of a connection. Only MQTT 5 has Topic Aliases.
pub type Decoder<V> = StreamDecoder<V, v5::WithTopicAliases<Vec<u8>, v5::AliasVec>>;

/// A message to publish. MQTT 3.1.1 leaves out the properties.
pub type Message = v5::Message<Vec<u8>>;

/// CONNECT.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Connect {
    /// The fields of all versions. MQTT 3.1.1 leaves out the properties; Clean Start is its Clean
    /// Session.
    pub packet: v5::Connect<Vec<u8>>,
    /// MQTT 3.1.1 or 3.1, unless the version is MQTT 5.
    pub level: ProtocolLevel,
}

impl Connect {
    /// Returns a decoder with the limits that CONNECT announces.
    #[must_use]
    pub fn decoder<V: Version>(&self) -> Decoder<V> {
        let properties = &self.packet.properties;
        let aliases = v5::AliasVec::new(properties.topic_alias_maximum());
        // The user trusts the server: without a Maximum Packet Size there is no limit.
        let limit = properties.maximum_packet_size();
        let options = Options::new().max_packet_size(limit.map_or(u32::MAX, Into::into));
        let memory = v5::WithTopicAliases::new(Vec::new(), aliases);
        StreamDecoder::with_options(memory, options)
    }

    /// Prepares CONNECT to resume the session, if it outlives the connection: without Clean Start,
    /// and with the Client Identifier that the server assigned.
    pub fn resume_next(&mut self, session_ends: bool, connack: v5::ConnAckProperties<&[u8]>) {
        if !session_ends {
            self.packet.clean_start = false;
            if let Some(client_id) = connack.assigned_client_identifier() {
                self.packet.client_id = client_id.to_owned();
            }
        }
    }
}

/// SUBSCRIBE.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Subscribe {
    /// Topic Filters with their options. MQTT 3.1.1 has only the QoS.
    pub subscriptions: v5::Subscriptions<Vec<u8>>,
    /// The properties, in MQTT 5.
    pub properties: v5::SubscribeProperties<Vec<u8>>,
}

/// An event, as the application sees it.
#[expect(clippy::exhaustive_enums, reason = "a program, not a library")]
#[derive(Debug)]
pub enum Event<'a> {
    /// CONNACK.
    Connected {
        /// The server has kept the session.
        session_present: bool,
        /// The properties, in MQTT 5.
        properties: v5::ConnAckProperties<&'a [u8]>,
    },
    /// PUBLISH.
    Message(v5::Publish<&'a [u8]>),
    /// PUBREC: the server has this message.
    Accepted(PacketId),
    /// PUBACK or PUBCOMP, or a PUBREC that refuses the message.
    Completed(PacketId, ReasonCode),
    /// SUBACK, with a Reason Code for each subscription.
    Subscribed(PacketId, Vec<ReasonCode>),
    /// UNSUBACK.
    Unsubscribed(PacketId),
    /// CONNACK or DISCONNECT: the server's reason to end the connection, in its own words.
    Ended(String),
    /// AUTH. This client does not support enhanced authentication.
    Auth,
    /// An event of servers.
    Other,
}

/// A version of MQTT, with the parts of a client that differ between versions.
pub trait Protocol: Version {
    /// The message type of this version.
    type Outgoing<'a>: OutgoingMessage<Self>;

    /// Converts a message to this version, borrowed.
    fn outgoing(message: &Message) -> Self::Outgoing<'_>;

    /// Converts an event.
    fn translate(event: Self::Event<&[u8]>) -> Event<'_>;

    /// Returns the code of a refusal on the wire.
    fn refusal_code(refusal: &Self::Refusal) -> u8;

    /// Returns the packet as `Debug` prints it.
    fn display(packet: &Self::Packet<'_>) -> String;

    /// Sends CONNECT.
    ///
    /// # Errors
    ///
    /// As for [`v5::Client::connect`].
    fn connect(
        client: &mut Client<Self>,
        now: Timestamp,
        connect: &Connect,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;

    /// Sends SUBSCRIBE.
    ///
    /// # Errors
    ///
    /// As for [`v5::Client::subscribe_with`].
    fn subscribe(
        client: &mut Client<Self>,
        now: Timestamp,
        subscribe: &Subscribe,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError>;

    /// Sends UNSUBSCRIBE.
    ///
    /// # Errors
    ///
    /// As for [`v5::Client::unsubscribe`].
    fn unsubscribe(
        client: &mut Client<Self>,
        now: Timestamp,
        filters: &v5::TopicFilters<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError>;

    /// Sends DISCONNECT.
    ///
    /// # Errors
    ///
    /// As for [`v5::Client::disconnect_with`].
    fn disconnect(
        client: &mut Client<Self>,
        now: Timestamp,
        disconnect: &v5::Disconnect<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError>;
}
