//! MQTT 3.1.1 and 3.1.

use mqtt_sansio::v3::{self, V3};
use mqtt_sansio::v5::{self, ReasonCode};
use mqtt_sansio::{CommandError, PacketId, Timestamp};

use super::{Client, Connect, Event, Message, Protocol, Subscribe};

impl Protocol for V3 {
    type Outgoing<'a> = v3::Message<&'a [u8]>;

    fn outgoing(message: &Message) -> v3::Message<&[u8]> {
        v3::Message {
            topic: message.topic.as_ref(),
            payload: &message.payload,
            qos: message.qos,
            retain: message.retain,
        }
    }

    fn translate(event: Self::Event<&[u8]>) -> Event<'_> {
        match event {
            v3::Event::Connected { session_present } => Event::Connected {
                session_present,
                properties: v5::ConnAckProperties::EMPTY,
            },
            v3::Event::Refused(refusal) => Event::Ended(refusal.to_string()),
            v3::Event::Message(publish) => Event::Message(v5::Publish {
                delivery: publish.delivery,
                retain: publish.retain,
                topic: publish.topic,
                properties: v5::PublishProperties::EMPTY,
                payload: publish.payload,
            }),
            v3::Event::AcceptedByPeer(packet_id) => Event::Accepted(packet_id),
            v3::Event::Delivered(packet_id) => Event::Completed(packet_id, ReasonCode::Success),
            v3::Event::Subscribed(suback) => {
                let codes = suback.return_codes.iter();
                // The return codes are those of MQTT 5 with the same numbers.
                let codes = codes.filter_map(|code| ReasonCode::from_number(code.number()));
                Event::Subscribed(suback.packet_id, codes.collect())
            }
            v3::Event::Unsubscribed(packet_id) => Event::Unsubscribed(packet_id),
            _ => Event::Other,
        }
    }

    fn refusal_code(refusal: &v3::ConnectRefusal) -> u8 {
        refusal.return_code()
    }

    fn display(packet: &v3::Packet<&[u8]>) -> String {
        format!("{packet:?}")
    }

    fn connect(
        client: &mut Client<Self>,
        now: Timestamp,
        connect: &Connect,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let packet = connect.packet.as_ref();
        let connect = v3::Connect {
            protocol_level: connect.level,
            clean_session: packet.clean_start,
            keep_alive: packet.keep_alive,
            client_id: packet.client_id,
            will: packet.will.map(|will| v3::Will {
                topic: will.topic,
                message: will.payload,
                qos: will.qos,
                retain: will.retain,
            }),
            credentials: packet.user_name.map(|user_name| v3::Credentials {
                user_name,
                password: packet.password,
            }),
        };
        client.connect(now, &connect, out)
    }

    fn subscribe(
        client: &mut Client<Self>,
        now: Timestamp,
        subscribe: &Subscribe,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        let entries = subscribe.subscriptions.iter();
        let entries = entries.map(|entry| v3::Subscription {
            topic_filter: entry.topic_filter,
            qos: entry.qos,
        });
        client.subscribe(now, &v3::Subscriptions::encode_to_vec(entries)?, out)
    }

    fn unsubscribe(
        client: &mut Client<Self>,
        now: Timestamp,
        filters: &v5::TopicFilters<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<PacketId, CommandError> {
        let filters = v3::TopicFilters::encode_to_vec(filters.iter())?;
        client.unsubscribe(now, &filters, out)
    }

    fn disconnect(
        client: &mut Client<Self>,
        now: Timestamp,
        _: &v5::Disconnect<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        client.disconnect(now, out)
    }
}
