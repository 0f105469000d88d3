//! The device in MQTT 5: a session that outlives its connection for ten minutes, readings under a Topic
//! Alias, and the Keep Alive that the server wants.

use mqtt_sansio::v5::{
    AliasArray, Connect, ConnectProperties, Event, Message, OutboundAliases, Property, V5, Will,
    WillProperties,
};
use mqtt_sansio::{CommandError, PacketId, QoS, Text, Timestamp, TopicFilter, TopicName};

use super::{Client, Protocol, Received};
use crate::modem::Modem;
use crate::outbox::Stored;

/// Longer than the server accepts. Its CONNACK has a Server Keep Alive then.
const KEEP_ALIVE: u16 = 600;
const SESSION_EXPIRY_INTERVAL: u32 = 600;

fn message(stored: &Stored) -> Result<Message<&[u8]>, CommandError> {
    let topic = TopicName::new(stored.topic()).map_err(|_| CommandError::NotAwaited)?;
    let message = Message::new(topic, stored.payload());
    Ok(message.qos(stored.qos()).retain(stored.is_retained()))
}

impl Protocol for V5 {
    /// Three topics with names of up to 16 bytes.
    type Aliases = OutboundAliases<AliasArray<3, 16>>;

    fn connect(client: &mut Client<Self>, now: Timestamp, modem: &mut Modem) {
        let mut buffer = [0; 8];
        let expiry = [Property::SessionExpiryInterval(SESSION_EXPIRY_INTERVAL)];
        let (Ok(client_id), Ok(topic), Ok(properties)) = (
            Text::new("device-7"),
            TopicName::new("device/state"),
            ConnectProperties::encode_to_slice(&mut buffer, expiry),
        ) else {
            return;
        };
        let mut connect = Connect::new(client_id);
        connect.clean_start = false;
        connect.keep_alive = KEEP_ALIVE;
        connect.properties = properties;
        connect.will = Some(Will {
            properties: WillProperties::EMPTY,
            topic,
            payload: b"lost",
            qos: QoS::AtLeastOnce,
            retain: true,
        });
        // It fails only in a second call.
        let _ = client.connect(now, &connect, modem);
    }

    fn subscribe(client: &mut Client<Self>, now: Timestamp, modem: &mut Modem) {
        if let Ok(topic_filter) = TopicFilter::new("device/command") {
            // A new session has a free slot.
            let _ = client.subscribe_to(now, &topic_filter, QoS::ExactlyOnce, modem);
        }
    }

    fn publish(
        client: &mut Client<Self>,
        now: Timestamp,
        stored: &Stored,
        aliases: &mut Self::Aliases,
        modem: &mut Modem,
    ) -> Result<Option<PacketId>, CommandError> {
        client.publish_aliased(now, &message(stored)?, aliases, modem)
    }

    fn resend(
        client: &mut Client<Self>,
        now: Timestamp,
        packet_id: PacketId,
        stored: &Stored,
        modem: &mut Modem,
    ) -> Result<(), CommandError> {
        client.resend(now, packet_id, &message(stored)?, modem)
    }

    fn disconnect(client: &mut Client<Self>, now: Timestamp, modem: &mut Modem) {
        let _ = client.disconnect(now, modem);
    }

    fn received<'a>(event: Self::Event<&'a [u8]>) -> Received<'a> {
        match event {
            Event::Connected {
                session_present, ..
            } => Received::Connected { session_present },
            Event::Message(publish) => Received::Command(publish.payload),
            // A message that the server refuses is done with, too.
            Event::Delivered { packet_id, .. } | Event::Rejected { packet_id, .. } => {
                Received::Delivered(packet_id)
            }
            _ => Received::Other,
        }
    }
}
