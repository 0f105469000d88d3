//! How packets print. Derives would ask `B: Debug` where `B: AsRef<[u8]>` is what it takes, and
//! would print messages as lists of numbers.

use super::{
    Connect, Credentials, EncodedConnect, EncodedMessage, Packet, Publish, PublishHeader, SubAck,
    Subscribe, Subscription, Unsubscribe, Will,
};

/// Bytes as Rust would write them, and how many more there are when there are many.
pub(crate) struct Message<'a>(pub(crate) &'a [u8]);

/// The Password, which does not belong into logs.
struct Hidden;

const SHOWN: usize = 64;

impl core::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let shown = self.0.get(..SHOWN).unwrap_or(self.0);
        write!(f, "b\"{}\"", shown.escape_ascii())?;
        match self.0.len().saturating_sub(shown.len()) {
            0 => Ok(()),
            more => write!(f, " and {more} bytes more"),
        }
    }
}

impl core::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("..")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Message<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=[u8]:a}", self.0.get(..SHOWN).unwrap_or(self.0));
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Hidden {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "..");
    }
}

/// `Debug` and `defmt::Format` for a struct, from its name and how to show each of its fields.
macro_rules! fields {
    ($Type:ident($this:ident) { $($field:ident: $value:expr),+ $(,)? }) => {
        impl<B: AsRef<[u8]>> core::fmt::Debug for $Type<B> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let $this = self;
                f.debug_struct(stringify!($Type))
                    $(.field(stringify!($field), &$value))+
                    .finish()
            }
        }

        #[cfg(feature = "defmt")]
        impl<B: AsRef<[u8]>> defmt::Format for $Type<B> {
            fn format(&self, f: defmt::Formatter<'_>) {
                let $this = self;
                defmt::write!(f, "{=str} {{ ", stringify!($Type));
                $(defmt::write!(f, "{=str}: {} ", stringify!($field), $value);)+
                defmt::write!(f, "}}");
            }
        }
    };
}

pub(crate) use fields;

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

impl<T: AsRef<[u8]>, P: AsRef<[u8]>> core::fmt::Debug for EncodedMessage<T, P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EncodedMessage")
            .field("topic", &Message(self.topic_name()))
            .field("payload", &Message(self.payload().as_ref()))
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl<T: AsRef<[u8]>, P: AsRef<[u8]>> defmt::Format for EncodedMessage<T, P> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "EncodedMessage {{ topic: {}, payload: {} }}",
            Message(self.topic_name()),
            Message(self.payload().as_ref())
        );
    }
}

/// A packet prints as the packet it is; CONNACK, which is an enum itself, behind its name; those
/// that have only a type, as its name.
macro_rules! packet {
    ($($Variant:ident)+; $Tagged:ident; $($Empty:ident)+) => {
        impl<B: AsRef<[u8]>> core::fmt::Debug for Packet<B> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $(Self::$Variant(packet) => packet.fmt(f),)+
                    Self::$Tagged(packet) => {
                        f.debug_tuple(stringify!($Tagged)).field(packet).finish()
                    }
                    $(Self::$Empty => f.write_str(stringify!($Empty)),)+
                }
            }
        }

        #[cfg(feature = "defmt")]
        impl<B: AsRef<[u8]>> defmt::Format for Packet<B> {
            fn format(&self, f: defmt::Formatter<'_>) {
                match self {
                    $(Self::$Variant(packet) => packet.format(f),)+
                    Self::$Tagged(packet) => {
                        defmt::write!(f, "{=str}({})", stringify!($Tagged), packet);
                    }
                    $(Self::$Empty => defmt::write!(f, "{=str}", stringify!($Empty)),)+
                }
            }
        }
    };
}

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
    fn a_long_message_prints_in_part() {
        assert_eq!(
            format!("{:?}", Message(&[b'x'; 70])),
            format!("b\"{}\" and 6 bytes more", "x".repeat(64))
        );
    }

    #[test]
    fn a_message_for_many_prints_as_text_too() {
        let message =
            EncodedMessage::encode_to_slice(&mut [0; 8], &TopicName::new("a").unwrap(), b"hi")
                .map(|message| format!("{message:?}"));
        let printed = r#"EncodedMessage { topic: b"a", payload: b"hi" }"#;
        assert_eq!(message.as_deref(), Ok(printed));
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
