//! MQTT 5, whose types the programs use.

use mqtt_sansio::v5::{self, ReasonCode, V5};
use mqtt_sansio::{CommandError, PacketId, Text, Timestamp};

use super::{Client, Connect, Event, Message, Protocol, Subscribe};

impl Protocol for V5 {
    type Outgoing<'a> = v5::Message<&'a [u8]>;

    fn outgoing(message: &Message) -> v5::Message<&[u8]> {
        message.as_ref()
    }

    fn translate(event: Self::Event<&[u8]>) -> Event<'_> {
        match event {
            v5::Event::Connected {
                session_present,
                properties,
            } => Event::Connected {
                session_present,
                properties,
            },
            v5::Event::Refused {
                reason_code,
                properties,
            } => Event::Ended(in_words(reason_code.into(), properties.reason_string())),
            v5::Event::Disconnected(v5::Disconnect {
                reason_code,
                properties,
            }) => Event::Ended(in_words(reason_code.into(), properties.reason_string())),
            v5::Event::Message(publish) => Event::Message(publish),
            v5::Event::AcceptedByPeer { packet_id, .. } => Event::Accepted(packet_id),
            v5::Event::Delivered {
                packet_id,
                reason_code,
                ..
            }
            | v5::Event::Rejected {
                packet_id,
                reason_code,
                ..
            } => Event::Completed(packet_id, reason_code),
            v5::Event::Subscribed(suback) => Event::Subscribed(
                suback.packet_id,
                suback.reason_codes.iter().map(Into::into).collect(),
            ),
            v5::Event::Unsubscribed(unsuback) => Event::Unsubscribed(unsuback.packet_id),
            v5::Event::Auth(_) => Event::Auth,
            _ => Event::Other,
        }
    }

    fn refusal_code(refusal: &v5::Refusal) -> u8 {
        refusal.0.number()
    }

    fn display(packet: &v5::Packet<&[u8]>) -> String {
        format!("{packet:?}")
    }

    fn connect(
        client: &mut Client<Self>,
        now: Timestamp,
        connect: &Connect,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        client.connect(now, &connect.packet, out)
    }

    fn subscribe(
        client: &mut Client<Self>,
        now: Timestamp,
        subscribe: &Subscribe,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        client.subscribe_with(now, &subscribe.subscriptions, &subscribe.properties, out)
    }

    fn unsubscribe(
        client: &mut Client<Self>,
        now: Timestamp,
        filters: &v5::TopicFilters<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        client.unsubscribe(now, filters, out)
    }

    fn disconnect(
        client: &mut Client<Self>,
        now: Timestamp,
        disconnect: &v5::Disconnect<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        client.disconnect_with(now, disconnect, out)
    }
}

/// Returns the name of the Reason Code, and the server's Reason String.
fn in_words(reason_code: ReasonCode, reason_string: Option<Text<&[u8]>>) -> String {
    match reason_string {
        Some(text) => format!("{reason_code} ({text})"),
        None => reason_code.to_string(),
    }
}
