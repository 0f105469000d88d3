//! Combines the options to a command and a connection.

use std::process;

use mqtt_sansio::v3::ProtocolLevel;
use mqtt_sansio::v5::{self, Property};
use mqtt_sansio::{Text, TextError, TopicFilter, TopicName};

use super::options::{Kind, Options, Version, usage};
use super::{Command, Link, Publish, Request, Subscriber};
use crate::Failure;
use crate::property::Packet;
use crate::protocol::{Connect, Message, Subscribe};

impl Options {
    /// Returns the connection.
    pub(super) fn link(&self) -> Result<Link, Failure> {
        let default = match self.kind {
            Kind::Request => Version::V5,
            _ => Version::V3(ProtocolLevel::V3_1_1),
        };
        let version = self.version.unwrap_or(default);
        let is_v5 = version == Version::V5;
        if !is_v5 && (!self.given.is_empty() || self.session_expiry.is_some()) {
            return Err(usage("-D and -x need -V 5"));
        }
        let mut packet = self.connect.clone();
        if packet.password.is_some() && packet.user_name.is_none() && !is_v5 {
            return Err(usage("-P needs -u"));
        }
        let expiry = match self.session_expiry {
            None if !packet.clean_start && is_v5 => Some(u32::MAX),
            given => given.filter(|expiry| *expiry > 0),
        };
        let expiry = expiry.map(Property::SessionExpiryInterval);
        packet.properties = self.given.encode(Packet::Connect, expiry)?;
        packet.will = self.will()?;
        if self.session.is_some() && packet.clean_start {
            return Err(usage("--session needs -c"));
        }
        let level = match version {
            Version::V3(level) => level,
            Version::V5 => ProtocolLevel::default(),
        };
        // [MQTT-3.1.3-7]: without a Client Identifier there is no session to keep. MQTT 3.1 needs one.
        if packet.client_id.as_bytes().is_empty() {
            if !packet.clean_start {
                return Err(usage("-c needs -i"));
            }
            if level == ProtocolLevel::V3_1 {
                let unique = format!("mqtt-sansio-{}", process::id());
                packet.client_id = Text::from_bytes(unique.into_bytes())?;
            }
        }
        let mut address = self.address.clone();
        let has_authorities = self.tls.authorities.is_some();
        address.tls = address.tls.or(Some(has_authorities));
        let disconnect = v5::Disconnect {
            reason_code: v5::DisconnectReasonCode::NormalDisconnection,
            properties: self.given.encode(Packet::Disconnect, None)?,
        };
        // The decoder accepts what CONNECT has announced.
        let receive_maximum = packet.properties.receive_maximum().get();
        Ok(Link {
            address,
            tls: self.tls.clone(),
            is_v5,
            connect: Connect { packet, level },
            disconnect,
            config: self.config.receive_maximum(receive_maximum),
            session: self.session.clone(),
            reconnect: self.reconnect,
            max_pause: self.max_pause,
            time_limit: self.time_limit,
            debug: self.debug,
        })
    }

    fn will(&self) -> Result<Option<v5::Will<Vec<u8>>>, Failure> {
        let Some(topic) = &self.will_topic else {
            return match (&self.will_message, self.given.has(Packet::Will)) {
                (None, false) => Ok(None),
                (Some(_), _) => Err(usage("--will-payload needs --will-topic")),
                (None, true) => Err(usage("-D will needs --will-topic")),
            };
        };
        Ok(Some(v5::Will {
            properties: self.given.encode(Packet::Will, None)?,
            topic: topic.clone(),
            payload: self.will_message.clone().unwrap_or_default(),
            qos: self.will_qos,
            retain: self.will_retain,
        }))
    }

    /// Returns the command.
    pub(super) fn command(mut self, is_v5: bool) -> Result<Command, Failure> {
        match self.kind {
            Kind::Publish => Ok(Command::Publish(self.publish(None)?)),
            Kind::Subscribe => {
                let topics = std::mem::take(&mut self.topics);
                let subscribe = self
                    .subscribe(&topics)?
                    .ok_or_else(|| usage("-t is missing"))?;
                let removed = filters(&self.unsubscribe)?;
                Ok(Command::Subscribe(Subscriber {
                    subscribe,
                    unsubscribe: if removed.is_empty() {
                        None
                    } else {
                        Some(v5::TopicFilters::encode_to_vec(removed)?)
                    },
                    count: self.count,
                    only_subscribe: self.only_subscribe,
                    print_topic: self.print_topic,
                }))
            }
            Kind::Request => {
                let response = self
                    .response_topic
                    .take()
                    .ok_or_else(|| usage("-e is missing"))?;
                let subscribe = self.subscribe(std::slice::from_ref(&response))?;
                let subscribe = subscribe.ok_or_else(|| usage("-e is missing"))?;
                let topic = TopicName::new(&response)?;
                let print_topic = self.print_topic;
                let property = is_v5.then_some(Property::ResponseTopic(topic));
                Ok(Command::Request(Request {
                    publish: self.publish(property)?,
                    subscribe,
                    print_topic,
                }))
            }
            Kind::Chat => {
                let topics = std::mem::take(&mut self.topics);
                let subscribe = self.subscribe(&topics)?;
                let message = match self.publish_topic.take() {
                    Some(topic) => Some(self.message(topic, None)?),
                    None => None,
                };
                if subscribe.is_none() && message.is_none() {
                    return Err(usage("-t or --publish is missing"));
                }
                Ok(Command::Chat(subscribe, message))
            }
        }
    }

    fn publish(mut self, property: Option<Property<'_>>) -> Result<Publish, Failure> {
        let topic = only(std::mem::take(&mut self.topics), "-t")?;
        let sources = std::mem::take(&mut self.sources);
        Ok(Publish {
            message: self.message(topic, property)?,
            source: only(sources, "-m, -f, -l, -s and -n")?,
            repeat: self.repeat,
        })
    }

    /// Returns a message without a payload.
    fn message(&self, topic: Vec<u8>, property: Option<Property<'_>>) -> Result<Message, Failure> {
        Ok(Message {
            topic: TopicName::from_bytes(topic)?,
            payload: Vec::new(),
            qos: self.qos,
            retain: self.retain,
            properties: self.given.encode(Packet::Publish, property)?,
        })
    }

    /// Returns `None` without a filter.
    fn subscribe(&self, topics: &[Vec<u8>]) -> Result<Option<Subscribe>, Failure> {
        let filters = filters(topics)?;
        if filters.is_empty() {
            return Ok(None);
        }
        let entries = filters
            .iter()
            .map(|&filter| v5::Subscription::new(filter, self.qos));
        Ok(Some(Subscribe {
            subscriptions: v5::Subscriptions::encode_to_vec(entries)?,
            properties: self.given.encode(Packet::Subscribe, None)?,
        }))
    }
}

/// Returns the only filter, or an error.
fn only<T>(mut given: Vec<T>, option: &str) -> Result<T, Failure> {
    match (given.pop(), given.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(usage(format!("give one of {option}"))),
    }
}

/// Validates Shared Subscriptions too.
fn filters(filters: &[Vec<u8>]) -> Result<Vec<TopicFilter<&[u8]>>, Failure> {
    let checked = filters.iter().map(|filter| {
        let filter = TopicFilter::new(filter)?;
        filter.check_shared()?;
        Ok(filter)
    });
    let checked: Result<_, TextError> = checked.collect();
    Ok(checked?)
}
