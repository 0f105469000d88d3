//! The device in MQTT 3.1.1.

use mqtt_sansio::v3::{Connect, Event, Message, Subscription, Subscriptions, V3, Will};
use mqtt_sansio::{CommandError, PacketId, QoS, Text, Timestamp, TopicFilter, TopicName};

use super::{Client, Protocol, Received};
use crate::modem::Modem;
use crate::outbox::Stored;

const KEEP_ALIVE: u16 = 2;

fn message(stored: &Stored) -> Result<Message<&[u8]>, CommandError> {
    let topic = TopicName::new(stored.topic()).map_err(|_| CommandError::NotAwaited)?;
    Ok(Message {
        topic,
        payload: stored.payload(),
        qos: stored.qos(),
        retain: stored.is_retained(),
    })
}

impl Protocol for V3 {
    type Aliases = ();

    fn connect(client: &mut Client<Self>, now: Timestamp, modem: &mut Modem) {
        let (Ok(client_id), Ok(topic)) = (Text::new("device-7"), TopicName::new("device/state"))
        else {
            return;
        };
        let mut connect = Connect::new(client_id);
        connect.clean_session = false;
        connect.keep_alive = KEEP_ALIVE;
        connect.will = Some(Will {
            topic,
            message: b"lost",
            qos: QoS::AtLeastOnce,
            retain: true,
        });
        // It fails only in a second call.
        let _ = client.connect(now, &connect, modem);
    }

    fn subscribe(client: &mut Client<Self>, now: Timestamp, modem: &mut Modem) {
        let mut buffer = [0; 32];
        let Ok(topic_filter) = TopicFilter::new("device/command") else {
            return;
        };
        let wanted = Subscription {
            topic_filter,
            qos: QoS::ExactlyOnce,
        };
        if let Ok(wanted) = Subscriptions::encode_to_slice(&mut buffer, [wanted]) {
            // A new session has a free slot.
            let _ = client.subscribe(now, &wanted, modem);
        }
    }

    fn publish(
        client: &mut Client<Self>,
        now: Timestamp,
        stored: &Stored,
        (): &mut (),
        modem: &mut Modem,
    ) -> Result<Option<PacketId>, CommandError> {
        client.publish(now, &message(stored)?, modem)
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
            Event::Connected { session_present } => Received::Connected { session_present },
            Event::Message(publish) => Received::Command(publish.payload),
            Event::Delivered(packet_id) => Received::Delivered(packet_id),
            _ => Received::Other,
        }
    }
}
