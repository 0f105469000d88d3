//! The fields of MQTT 3.1 and 3.1.1.

use std::io::{self, Write};

use mqtt_sansio::Field;
use mqtt_sansio::v3::{self, Connect, DecodeError, Packet, PacketRef, Reaction, ReturnCode};

use super::Labels;

pub(super) fn label<W: Write>(
    labels: &mut Labels<'_, W>,
    packet: &PacketRef<'_>,
) -> io::Result<()> {
    match packet {
        Packet::Connect(packet) => connect(labels, &packet.to_connect()),
        Packet::ConnAck(packet) => connack(labels, *packet),
        Packet::Publish(publish) => {
            labels.publish_header(publish.topic.as_bytes(), publish.delivery)?;
            labels.payload(publish.payload)
        }
        Packet::PubAck(v3::PubAck { packet_id })
        | Packet::PubRec(v3::PubRec { packet_id })
        | Packet::PubRel(v3::PubRel { packet_id })
        | Packet::PubComp(v3::PubComp { packet_id })
        | Packet::UnsubAck(v3::UnsubAck { packet_id }) => labels.packet_id(*packet_id),
        Packet::Subscribe(subscribe) => {
            labels.packet_id(subscribe.packet_id)?;
            for subscription in &subscribe.subscriptions {
                labels.string(Field::TopicFilter, subscription.topic_filter.as_bytes())?;
                labels.field(1, Field::RequestedQos.name(), subscription.qos.number())?;
            }
            Ok(())
        }
        Packet::SubAck(suback) => {
            labels.packet_id(suback.packet_id)?;
            for code in &suback.return_codes {
                let value = match code {
                    ReturnCode::Success(qos) => format!("{0}, maximum QoS {0}", qos.number()),
                    ReturnCode::Failure => format!("{}, failure", code.number()),
                };
                labels.field(1, Field::ReturnCode.name(), value)?;
            }
            Ok(())
        }
        Packet::Unsubscribe(unsubscribe) => {
            labels.packet_id(unsubscribe.packet_id)?;
            for filter in &unsubscribe.topic_filters {
                labels.string(Field::TopicFilter, filter.as_bytes())?;
            }
            Ok(())
        }
        Packet::PingReq | Packet::PingResp | Packet::Disconnect => Ok(()),
    }
}

fn connect<W: Write>(labels: &mut Labels<'_, W>, connect: &Connect<&[u8]>) -> io::Result<()> {
    let level = connect.protocol_level;
    labels.connect_header(
        level.protocol_name(),
        level.number(),
        "Clean Session",
        connect.keep_alive,
    )?;
    labels.string(Field::ClientIdentifier, connect.client_id.as_bytes())?;
    if let Some(will) = &connect.will {
        labels.string(Field::WillTopic, will.topic.as_bytes())?;
        labels.string(Field::WillMessage, will.message)?;
    }
    if let Some(credentials) = &connect.credentials {
        labels.string(Field::UserName, credentials.user_name.as_bytes())?;
        if let Some(password) = credentials.password {
            labels.string(Field::Password, password)?;
        }
    }
    Ok(())
}

fn connack<W: Write>(labels: &mut Labels<'_, W>, connack: v3::ConnAck) -> io::Result<()> {
    labels.connect_acknowledge_flags(connack.session_present())?;
    let code = connack.return_code();
    let value = match connack {
        v3::ConnAck::Accepted { .. } => format!("{code}, connection accepted"),
        v3::ConnAck::Refused(refusal) => format!("{code}, {refusal}"),
    };
    labels.field(1, Field::ConnectReturnCode.name(), value)
}

/// Describes what the standard requires after this error.
pub(super) fn reaction(error: &DecodeError) -> String {
    match error.reaction() {
        Reaction::Close => "the receiver closes the Network Connection".to_owned(),
        Reaction::ConnAckThenClose(refusal) => format!(
            "a server sends CONNACK with Connect Return Code {}, then closes the Network \
             Connection; a client closes it at once",
            refusal.return_code()
        ),
        other => format!("{other:?}"),
    }
}
