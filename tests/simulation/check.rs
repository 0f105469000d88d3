//! Checks at the end of a run.

use std::collections::BTreeMap;

use mqtt_sansio::v3::{Client, ConnAck, Connect, Delivery, Message, Packet, Publish};
use mqtt_sansio::{Config, PacketId, QoS, Session, Text, Timestamp, TopicName};

use super::app::Arrival;
use super::context::{Context, Outcome, ensure, fail};
use super::plan::{Room, Sessions, Side, Storage};

/// Everything that `sender` published arrived as often, and in the order, that its QoS promises.
pub(crate) fn deliveries(ctx: &mut Context, sender: Side, delivered: &[Arrival]) -> Outcome {
    let plan = ctx.plan.clone();
    let messages = &plan.side(sender).messages;
    let ledger = ctx.ledger(sender);
    if plan.sessions == Sessions::Kept && !plan.client.early {
        ensure!(
            ledger.republished.is_empty(),
            "messages were lost although the session was kept: {:?}",
            ledger.republished
        );
    }
    let mut times = BTreeMap::<u32, u32>::new();
    let mut latest = BTreeMap::<(&str, u8), u32>::new();
    for arrival in delivered {
        let times = times.entry(arrival.number).or_default();
        *times += 1;
        if *times > 1 || ledger.declined.contains(&arrival.number) {
            continue;
        }
        let latest = latest.entry((arrival.topic, arrival.qos.number()));
        let latest = latest.or_insert(arrival.number);
        ensure!(
            *latest <= arrival.number,
            "[MQTT-4.6.0-5] message {} of the {sender} came before message {}",
            latest,
            arrival.number
        );
        *latest = arrival.number;
    }
    for message in messages {
        let number = message.number;
        let times = times.get(&number).copied().unwrap_or_default();
        let excused = ledger.republished.contains(&number);
        let refused = ledger.refused.contains(&number);
        let holds = match message.qos {
            QoS::AtMostOnce => times <= 1,
            QoS::AtLeastOnce => times >= 1 || ledger.forgotten.contains(&number) || refused,
            QoS::ExactlyOnce => times == 1 || excused && times > 1 || refused && times == 0,
        };
        ensure!(
            holds,
            "message {number} of the {sender} has come {times} times at {:?}",
            message.qos
        );
    }
    Ok(())
}

/// Nothing has leaked: every slot can be used.
pub(crate) fn slots(
    side: Side,
    session: Session<Storage>,
    outbound: Room,
    inbound: Room,
) -> Outcome {
    ensure!(session.is_empty(), "the session of the {side} is not empty");
    ensure!(
        session.saved_len() == 15,
        "the session of the {side} takes {} bytes",
        session.saved_len()
    );
    let now = Timestamp::from_millis(0);
    let mut out = Vec::new();
    let mut client = Client::new(session, Config::new(), now);
    let (Ok(client_id), Ok(topic)) = (Text::new("probe"), TopicName::new("probe")) else {
        fail!("a probe that is none");
    };
    let connect = Connect {
        clean_session: false,
        ..Connect::new(client_id)
    };
    let session_present = true;
    let connack = Packet::<Vec<u8>>::ConnAck(ConnAck::Accepted { session_present });
    ensure!(
        client.connect(now, &connect, &mut out).is_ok()
            && client.handle_packet(now, connack.as_ref()).is_ok(),
        "the session of the {side} is of no use"
    );
    let message = Message {
        topic,
        payload: b"".as_slice(),
        qos: QoS::AtLeastOnce,
        retain: false,
    };
    // Slots on the heap have no useful limit to exhaust.
    let most = |room: Room| match room {
        Room::Heap => 5,
        Room::Two | Room::Eight | Room::Slice(_) => room.slots().min(20),
    };
    let mut free = 0;
    while free < most(outbound) && client.publish(now, &message, &mut out).is_ok() {
        free += 1;
    }
    ensure!(
        free == most(outbound),
        "the {side} has {free} outbound slots left of {outbound:?}"
    );
    for number in 1..=most(inbound) {
        let packet_id = u16::try_from(number).ok().and_then(PacketId::new);
        let Some(packet_id) = packet_id else {
            fail!("{number} is no identifier");
        };
        let publish = Publish {
            delivery: Delivery::ExactlyOnce {
                packet_id,
                dup: false,
            },
            retain: false,
            topic,
            payload: b"".as_slice(),
        };
        let result = client.handle_packet(now, Packet::Publish(publish));
        ensure!(
            matches!(result, Ok(Some(_))),
            "the {side} has {} inbound slots left of {inbound:?}: {result:?}",
            number - 1
        );
        while client.poll_action().is_some() {}
    }
    Ok(())
}
