//! `-D PACKET PROPERTY VALUE`: properties on the command line, by the names of `mosquitto_pub`.

use std::fmt::Display;
use std::str::FromStr;

use mqtt_sansio::v5::{Properties, PropertiesKind, Property, SubscriptionIdentifier};
use mqtt_sansio::{Text, TopicName};

use crate::Failure;

/// The packet that a property belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a program, not a library")]
pub enum Packet {
    /// CONNECT.
    Connect,
    /// The Will in CONNECT.
    Will,
    /// PUBLISH.
    Publish,
    /// SUBSCRIBE.
    Subscribe,
    /// DISCONNECT.
    Disconnect,
}

/// The properties on the command line, for all packets.
#[derive(Debug, Default)]
pub struct Given(Vec<One>);

#[derive(Debug)]
struct One {
    packet: Packet,
    name: String,
    /// The name of a User Property.
    value: Vec<u8>,
    /// The value of a User Property.
    second: Vec<u8>,
}

impl Given {
    /// Parses the values of one `-D`.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] for an unknown packet or property.
    pub fn parse(&mut self, parser: &mut lexopt::Parser) -> Result<(), Failure> {
        use lexopt::ValueExt as _;
        let packet = match &*parser.value()?.string()? {
            "connect" => Packet::Connect,
            "will" => Packet::Will,
            "publish" => Packet::Publish,
            "subscribe" => Packet::Subscribe,
            "disconnect" => Packet::Disconnect,
            other => {
                return Err(Failure::Usage(format!(
                    "-D {other:?}: use connect, will, publish, subscribe or disconnect"
                )));
            }
        };
        let name = parser.value()?.string()?;
        let value = parser.value()?.into_encoded_bytes();
        let second = if name == "user-property" {
            parser.value()?.into_encoded_bytes()
        } else {
            Vec::new()
        };
        let one = One {
            packet,
            name,
            value,
            second,
        };
        one.property()?;
        self.0.push(one);
        Ok(())
    }

    /// Returns true if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if there is one for this packet.
    #[must_use]
    pub fn has(&self, packet: Packet) -> bool {
        self.0.iter().any(|one| one.packet == packet)
    }

    /// Returns the properties of one packet, with `others`, which the program sets itself.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if the packet cannot have one of them.
    pub fn encode<'a, K: PropertiesKind>(
        &'a self,
        packet: Packet,
        others: impl IntoIterator<Item = Property<'a>>,
    ) -> Result<Properties<Vec<u8>, K>, Failure> {
        let given = self.0.iter().filter(|one| one.packet == packet);
        let mut properties: Vec<_> = given.map(One::property).collect::<Result<_, _>>()?;
        properties.extend(others);
        Ok(Properties::encode_to_vec(properties)?)
    }
}

impl One {
    fn property(&self) -> Result<Property<'_>, Failure> {
        let Self {
            name,
            value,
            second,
            ..
        } = self;
        Ok(match &**name {
            "payload-format-indicator" => Property::PayloadFormatIndicator(self.flag()?),
            "message-expiry-interval" => Property::MessageExpiryInterval(self.number()?),
            "content-type" => Property::ContentType(Text::new(value)?),
            "response-topic" => Property::ResponseTopic(TopicName::new(value)?),
            "correlation-data" => Property::CorrelationData(value),
            "subscription-identifier" => Property::SubscriptionIdentifier(
                SubscriptionIdentifier::try_from(self.number::<u32>()?)?,
            ),
            "session-expiry-interval" => Property::SessionExpiryInterval(self.number()?),
            "authentication-method" => Property::AuthenticationMethod(Text::new(value)?),
            "authentication-data" => Property::AuthenticationData(value),
            "request-problem-information" => Property::RequestProblemInformation(self.flag()?),
            "request-response-information" => Property::RequestResponseInformation(self.flag()?),
            "will-delay-interval" => Property::WillDelayInterval(self.number()?),
            "receive-maximum" => Property::ReceiveMaximum(self.number()?),
            "topic-alias-maximum" => Property::TopicAliasMaximum(self.number()?),
            "topic-alias" => Property::TopicAlias(self.number()?),
            "maximum-packet-size" => Property::MaximumPacketSize(self.number()?),
            "reason-string" => Property::ReasonString(Text::new(value)?),
            "user-property" => Property::UserProperty {
                name: Text::new(value)?,
                value: Text::new(second)?,
            },
            _ => return Err(Failure::Usage(format!("-D: there is no property {name:?}"))),
        })
    }

    fn number<N: FromStr<Err: Display>>(&self) -> Result<N, Failure> {
        let text = String::from_utf8_lossy(&self.value);
        let number = text.parse();
        number.map_err(|error| Failure::Usage(format!("{} {text:?}: {error}", self.name)))
    }

    fn flag(&self) -> Result<bool, Failure> {
        match self.number::<u8>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Failure::Usage(format!("{}: use 0 or 1", self.name))),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use mqtt_sansio::v5::{
        ConnectProperties, DisconnectProperties, PublishProperties, SubscribeProperties,
        WillProperties,
    };

    use super::*;

    fn given(line: &str) -> Result<Given, Failure> {
        let mut given = Given::default();
        let mut parser = lexopt::Parser::from_args(line.split(' '));
        while parser.next()?.is_some() {
            given.parse(&mut parser)?;
        }
        Ok(given)
    }

    #[test]
    fn each_property_has_the_name_of_the_standard() {
        let given = given(
            "-D connect session-expiry-interval 1 -D connect receive-maximum 2 \
             -D connect maximum-packet-size 3 -D connect topic-alias-maximum 4 \
             -D connect request-response-information 1 -D connect request-problem-information 0 \
             -D connect authentication-method m -D connect authentication-data d \
             -D connect user-property k v \
             -D will will-delay-interval 5 \
             -D publish payload-format-indicator 1 -D publish message-expiry-interval 6 \
             -D publish topic-alias 7 -D publish response-topic r \
             -D publish correlation-data c -D publish content-type t \
             -D subscribe subscription-identifier 8 \
             -D disconnect reason-string bye",
        )
        .unwrap();
        let connect: ConnectProperties<_> = given.encode(Packet::Connect, None).unwrap();
        assert_eq!(
            connect.as_bytes(),
            b"\x11\0\0\0\x01\x21\0\x02\x27\0\0\0\x03\x22\0\x04\x19\x01\x17\0\
              \x15\0\x01m\x16\0\x01d\x26\0\x01k\0\x01v"
        );
        let will: WillProperties<_> = given.encode(Packet::Will, None).unwrap();
        assert_eq!(will.as_bytes(), b"\x18\0\0\0\x05");
        let publish: PublishProperties<_> = given.encode(Packet::Publish, None).unwrap();
        assert_eq!(
            publish.as_bytes(),
            b"\x01\x01\x02\0\0\0\x06\x23\0\x07\x08\0\x01r\x09\0\x01c\x03\0\x01t"
        );
        let subscribe: SubscribeProperties<_> = given.encode(Packet::Subscribe, None).unwrap();
        assert_eq!(subscribe.as_bytes(), b"\x0b\x08");
        let disconnect: DisconnectProperties<_> = given.encode(Packet::Disconnect, None).unwrap();
        assert_eq!(disconnect.as_bytes(), b"\x1f\0\x03bye");
    }

    #[test]
    fn a_property_that_the_packet_cannot_have_is_refused() {
        let given = given("-D publish receive-maximum 2").unwrap();
        let publish: Result<PublishProperties<_>, _> = given.encode(Packet::Publish, None);
        assert!(publish.is_err());
    }
}
