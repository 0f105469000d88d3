//! Formatting of packets.

use super::{
    Connect, Credentials, EncodedConnect, Packet, Publish, PublishHeader, SubAck, Subscribe,
    Subscription, Unsubscribe, Will,
};
use crate::packet::fmt::{Hidden, Message, fields, packet};

fields!(Connect(this) {
    protocol_level: this.protocol_level,
    clean_session: this.clean_session,
    keep_alive: this.keep_alive,
    client_id: this.client_id,
    will: this.will,
    credentials: this.credentials,
});
impl<B: AsRef<[u8]>> core::fmt::Debug for EncodedConnect<B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.to_connect().fmt(f)
    }
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>> defmt::Format for EncodedConnect<B> {
    fn format(&self, f: defmt::Formatter<'_>) {
        self.to_connect().format(f);
    }
}

fields!(Will(this) {
    topic: this.topic,
    message: Message(this.message.as_ref()),
    qos: this.qos,
    retain: this.retain,
});
fields!(Credentials(this) {
    user_name: this.user_name,
    password: this.password.as_ref().map(|_| Hidden),
});
fields!(Publish(this) {
    delivery: this.delivery,
    retain: this.retain,
    topic: this.topic,
    payload: Message(this.payload.as_ref()),
});
fields!(PublishHeader(this) {
    delivery: this.delivery,
    retain: this.retain,
    topic: this.topic,
    payload_len: this.payload_len,
});
fields!(Subscribe(this) { packet_id: this.packet_id, subscriptions: this.subscriptions });
fields!(Subscription(this) { topic_filter: this.topic_filter, qos: this.qos });
fields!(SubAck(this) { packet_id: this.packet_id, return_codes: this.return_codes });
fields!(Unsubscribe(this) { packet_id: this.packet_id, topic_filters: this.topic_filters });

packet!(
    Connect Publish PubAck PubRec PubRel PubComp Subscribe SubAck Unsubscribe UnsubAck;
    ConnAck;
    PingReq PingResp Disconnect
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, TopicName, v3};
    use std::format;

    #[test]
    fn a_message_prints_as_text_where_it_is_text() {
        let publish = Publish {
            delivery: v3::Delivery::AtMostOnce,
            retain: true,
            topic: TopicName::new("a").unwrap(),
            payload: &b"hi\n\xff"[..],
        };
        assert_eq!(
            format!("{:?}", Packet::from(publish)),
            r#"Publish { delivery: AtMostOnce, retain: true, topic: "a", payload: b"hi\n\xff" }"#
        );
    }

    #[test]
    fn a_password_does_not_print() {
        let mut bytes = &b"\x10\x16\x00\x04MQTT\x04\xc2\x00\x00\x00\x01c\x00\x01u\x00\x04hush"[..];
        let packet = v3::decode(&mut bytes, &Options::new()).unwrap().unwrap();
        let printed = format!("{packet:?}");
        assert!(
            printed.contains(r#"user_name: "u", password: Some(..)"#),
            "{printed}"
        );
        assert!(!printed.contains("hush"), "{printed}");
    }
}
