//! The fields of MQTT 5.

use core::fmt::Display;
use std::io::{self, Write};

use mqtt_sansio::Field;
use mqtt_sansio::v5::{
    Connect, DecodeError, Packet, PacketRef, Properties, Reaction, Subscription,
};

use super::{Labels, quote};
use crate::property::{PropertyValue, variable_len};

/// The Will Properties have a length of their own.
const WILL_PROPERTY_LENGTH: &str = "Will Property Length";

pub(super) fn label<W: Write>(
    labels: &mut Labels<'_, W>,
    packet: &PacketRef<'_>,
) -> io::Result<()> {
    match packet {
        Packet::Connect(packet) => connect(labels, &packet.to_connect()),
        Packet::ConnAck(connack) => {
            labels.connect_acknowledge_flags(connack.session_present)?;
            let code = connack.reason_code;
            reason_and_properties(labels, code.number(), code, &connack.properties)
        }
        Packet::Publish(publish) => {
            labels.publish_header(publish.topic.as_bytes(), publish.delivery)?;
            properties(labels, Field::PropertyLength.name(), &publish.properties)?;
            labels.payload(publish.payload)
        }
        Packet::PubAck(ack) => {
            labels.packet_id(ack.packet_id)?;
            let code = ack.reason_code;
            reason_and_properties(labels, code.number(), code, &ack.properties)
        }
        Packet::PubRec(ack) => {
            labels.packet_id(ack.packet_id)?;
            let code = ack.reason_code;
            reason_and_properties(labels, code.number(), code, &ack.properties)
        }
        Packet::PubRel(ack) => {
            labels.packet_id(ack.packet_id)?;
            let code = ack.reason_code;
            reason_and_properties(labels, code.number(), code, &ack.properties)
        }
        Packet::PubComp(ack) => {
            labels.packet_id(ack.packet_id)?;
            let code = ack.reason_code;
            reason_and_properties(labels, code.number(), code, &ack.properties)
        }
        Packet::Subscribe(subscribe) => {
            labels.packet_id(subscribe.packet_id)?;
            properties(labels, Field::PropertyLength.name(), &subscribe.properties)?;
            for entry in &subscribe.subscriptions {
                subscription(labels, &entry)?;
            }
            Ok(())
        }
        Packet::SubAck(suback) => {
            labels.packet_id(suback.packet_id)?;
            properties(labels, Field::PropertyLength.name(), &suback.properties)?;
            for code in &suback.reason_codes {
                reason(labels, code.number(), code)?;
            }
            Ok(())
        }
        Packet::Unsubscribe(unsubscribe) => {
            labels.packet_id(unsubscribe.packet_id)?;
            let length = Field::PropertyLength.name();
            properties(labels, length, &unsubscribe.properties)?;
            for filter in &unsubscribe.topic_filters {
                labels.string(Field::TopicFilter, filter.as_bytes())?;
            }
            Ok(())
        }
        Packet::UnsubAck(unsuback) => {
            labels.packet_id(unsuback.packet_id)?;
            properties(labels, Field::PropertyLength.name(), &unsuback.properties)?;
            for code in &unsuback.reason_codes {
                reason(labels, code.number(), code)?;
            }
            Ok(())
        }
        Packet::Disconnect(disconnect) => {
            let code = disconnect.reason_code;
            reason_and_properties(labels, code.number(), code, &disconnect.properties)
        }
        Packet::Auth(auth) => {
            let code = auth.reason_code;
            reason_and_properties(labels, code.number(), code, &auth.properties)
        }
        Packet::PingReq | Packet::PingResp => Ok(()),
    }
}

fn connect<W: Write>(labels: &mut Labels<'_, W>, connect: &Connect<&[u8]>) -> io::Result<()> {
    labels.connect_header("MQTT", 5, "Clean Start", connect.keep_alive)?;
    properties(labels, Field::PropertyLength.name(), &connect.properties)?;
    labels.string(Field::ClientIdentifier, connect.client_id.as_bytes())?;
    if let Some(will) = &connect.will {
        properties(labels, WILL_PROPERTY_LENGTH, &will.properties)?;
        labels.string(Field::WillTopic, will.topic.as_bytes())?;
        labels.string(Field::WillPayload, will.payload)?;
    }
    if let Some(user_name) = &connect.user_name {
        labels.string(Field::UserName, user_name.as_bytes())?;
    }
    if let Some(password) = connect.password {
        labels.string(Field::Password, password)?;
    }
    Ok(())
}

fn subscription<W: Write>(
    labels: &mut Labels<'_, W>,
    subscription: &Subscription<&[u8]>,
) -> io::Result<()> {
    labels.string(Field::TopicFilter, subscription.topic_filter.as_bytes())?;
    let options = labels.next_byte();
    let value = format!("{options:#04x}");
    labels.field(1, Field::SubscriptionOptions.name(), value)?;
    labels.bits(options, 3 << 6, "Reserved")?;
    labels.bits(options, 3 << 4, "Retain Handling")?;
    labels.bits(options, 1 << 3, "Retain As Published")?;
    labels.bits(options, 1 << 2, "No Local")?;
    labels.bits(options, 3, "Maximum QoS")
}

/// Labels the Property Length, and each property with a row.
fn properties<W: Write, B: AsRef<[u8]>, K>(
    labels: &mut Labels<'_, W>,
    length_name: &str,
    properties: &Properties<B, K>,
) -> io::Result<()> {
    let length = properties.as_bytes().len();
    labels.field(variable_len(length), length_name, length)?;
    for property in properties {
        let value = PropertyValue::from(&property);
        // The Property Identifier is a byte.
        let len = value.len().saturating_add(1);
        labels.field(len, property.field().name(), value.show(quote))?;
    }
    Ok(())
}

fn reason<W: Write>(labels: &mut Labels<'_, W>, code: u8, name: impl Display) -> io::Result<()> {
    let value = format!("{code:#04x}, {name}");
    labels.field(1, Field::ReasonCode.name(), value)
}

/// Labels Reason Code and properties, which may both be left out at the end of a packet.
fn reason_and_properties<W: Write, B: AsRef<[u8]>, K>(
    labels: &mut Labels<'_, W>,
    code: u8,
    name: impl Display,
    all: &Properties<B, K>,
) -> io::Result<()> {
    if labels.is_at_end() {
        return Ok(());
    }
    reason(labels, code, name)?;
    if labels.is_at_end() {
        return Ok(());
    }
    properties(labels, Field::PropertyLength.name(), all)
}

/// Describes what the standard requires after this error.
pub(super) fn reaction(error: &DecodeError) -> String {
    match error.reaction() {
        Reaction::Close => "the receiver closes the Network Connection".to_owned(),
        Reaction::ConnAckThenClose(code) => format!(
            "a server sends CONNACK with Reason Code {:#04x} ({code}), then closes the Network \
             Connection; a client closes it at once",
            code.number()
        ),
        Reaction::DisconnectThenClose(code) => format!(
            "the receiver sends DISCONNECT with Reason Code {:#04x} ({code}), then closes the \
             Network Connection",
            code.number()
        ),
        other => format!("{other:?}"),
    }
}
