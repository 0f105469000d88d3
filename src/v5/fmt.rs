//! Formatting of packets.

use core::fmt;

use super::{
    Auth, ConnAck, Connect, Disconnect, EncodedConnect, Packet, Property, Publish, PublishHeader,
    Subscribe, Subscription, Unsubscribe, Will,
};
use crate::packet::fmt::{Hidden, Message, fields, packet};

fields!(Connect(this) {
    clean_start: this.clean_start,
    keep_alive: this.keep_alive,
    properties: this.properties,
    client_id: this.client_id,
    will: this.will,
    user_name: this.user_name,
    password: this.password.as_ref().map(|_| Hidden),
});

impl<B: AsRef<[u8]>> fmt::Debug for EncodedConnect<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    properties: this.properties,
    topic: this.topic,
    payload: Message(this.payload.as_ref()),
    qos: this.qos,
    retain: this.retain,
});
fields!(ConnAck(this) {
    session_present: this.session_present,
    reason_code: this.reason_code,
    properties: this.properties,
});
fields!(Publish(this) {
    delivery: this.delivery,
    retain: this.retain,
    topic: this.topic,
    properties: this.properties,
    payload: Message(this.payload.as_ref()),
});
fields!(PublishHeader(this) {
    delivery: this.delivery,
    retain: this.retain,
    topic: this.topic,
    properties: this.properties,
    payload_len: this.payload_len,
});
fields!(Subscribe(this) {
    packet_id: this.packet_id,
    properties: this.properties,
    subscriptions: this.subscriptions,
});
fields!(Subscription(this) {
    topic_filter: this.topic_filter,
    qos: this.qos,
    no_local: this.no_local,
    retain_as_published: this.retain_as_published,
    retain_handling: this.retain_handling,
});
fields!(Unsubscribe(this) {
    packet_id: this.packet_id,
    properties: this.properties,
    topic_filters: this.topic_filters,
});
fields!(Disconnect(this) { reason_code: this.reason_code, properties: this.properties });
fields!(Auth(this) { reason_code: this.reason_code, properties: this.properties });

packet!(
    Connect ConnAck Publish PubAck PubRec PubRel PubComp Subscribe SubAck Unsubscribe UnsubAck
    Disconnect Auth;
    ;
    PingReq PingResp
);

/// A property prints as its variant, with bytes as text, and without Authentication Data.
macro_rules! property {
    ($($Variant:ident)+) => {
        impl fmt::Debug for Property<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$Variant(value) => {
                        f.debug_tuple(stringify!($Variant)).field(value).finish()
                    })+
                    Self::CorrelationData(data) => {
                        f.debug_tuple("CorrelationData").field(&Message(data)).finish()
                    }
                    Self::AuthenticationData(_) => {
                        f.debug_tuple("AuthenticationData").field(&Hidden).finish()
                    }
                    Self::UserProperty { name, value } => f
                        .debug_struct("UserProperty")
                        .field("name", name)
                        .field("value", value)
                        .finish(),
                }
            }
        }

        #[cfg(feature = "defmt")]
        impl defmt::Format for Property<'_> {
            fn format(&self, f: defmt::Formatter<'_>) {
                match self {
                    $(Self::$Variant(value) => {
                        defmt::write!(f, "{=str}({})", stringify!($Variant), value);
                    })+
                    Self::CorrelationData(data) => {
                        defmt::write!(f, "CorrelationData({})", Message(data));
                    }
                    Self::AuthenticationData(_) => {
                        defmt::write!(f, "AuthenticationData({})", Hidden);
                    }
                    Self::UserProperty { name, value } => {
                        defmt::write!(f, "UserProperty {{ name: {}, value: {} }}", name, value);
                    }
                }
            }
        }
    };
}

property!(
    PayloadFormatIndicator MessageExpiryInterval ContentType ResponseTopic SubscriptionIdentifier SessionExpiryInterval AssignedClientIdentifier ServerKeepAlive AuthenticationMethod RequestProblemInformation WillDelayInterval RequestResponseInformation ResponseInformation ServerReference ReasonString ReceiveMaximum TopicAliasMaximum TopicAlias MaximumQos RetainAvailable MaximumPacketSize WildcardSubscriptionAvailable SubscriptionIdentifierAvailable SharedSubscriptionAvailable
);
