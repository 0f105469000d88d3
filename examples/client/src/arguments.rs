//! What the user asks for.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;
use mqtt_sansio::v3::{
    Connect, Credentials, ProtocolLevel, Subscription, Subscriptions, TopicFilters, Will,
};
use mqtt_sansio::{Config, EncodeError, QoS, Text, TextError, TopicFilter, TopicName};

use crate::publisher::{self, Payload};
use crate::{Failure, subscriber};

pub(crate) const HELP: &str = "\
Publishes and subscribes by MQTT 3.1.1.

Usage:
  client sub -t FILTER... [OPTION...]
  client pub -t TOPIC (-m MESSAGE | -f FILE | -l | -s | -n) [OPTION...]

Connection:
  -h, --host HOST           default 127.0.0.1
  -p, --port PORT           default 1883
  -i, --id ID               Client Identifier; if there is none, the server makes one up
  -c, --disable-clean-session
                            go on with the session of this ID; needs -i
  -k, --keepalive SECONDS   default 60; 0 turns it off
  -u, --username NAME
  -P, --pw PASSWORD
  -V, --protocol-version V  mqttv311 (default) or mqttv31
  -M, --max-inflight N      messages under way at once, default 20
  --will-topic TOPIC, --will-payload MESSAGE, --will-qos QOS, --will-retain
  --session FILE            keep the session in FILE from one run to the next; needs -c
  --no-reconnect            end when the connection is lost, instead of connecting again
  -W SECONDS                end after this time, with exit status 27
  -d, --debug               print each packet that is sent or received to standard error

Both:
  -t, --topic TOPIC         for sub a filter; may be given more than once
  -q, --qos QOS             0 (default), 1 or 2

sub:
  -C COUNT                  end after so many messages
  -E                        end when the subscriptions are acknowledged
  -U, --unsubscribe FILTER  end this subscription after subscribing; may be given more than once
  -v, --verbose             print the topic before each message

pub:
  -m, --message MESSAGE
  -f, --file FILE           the message is what FILE holds
  -l, --stdin-line          each line of standard input is a message
  -s, --stdin-file          the message is what standard input holds
  -n, --null-message        the message is empty
  -r, --retain
  --repeat N                publish it so many times

  --help                    print this

Exit status: 0 if all is done; 1 to 5, the return code, if the server refuses the connection; 128 if
it grants no subscription; 27 if time is up; 64 if the command line cannot be understood, 65 if the
session cannot be, 66 if a file cannot be read or written, 69 if there is no connection, 70 if the
message cannot be sent, 74 if the output cannot be written, 76 if the server breaks the protocol.
";

pub(crate) struct Arguments {
    pub(crate) link: Link,
    pub(crate) command: Command,
}

pub(crate) enum Command {
    Publish(publisher::Options),
    Subscribe(subscriber::Options),
}

/// How to connect.
pub(crate) struct Link {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) connect: Connect<Vec<u8>>,
    pub(crate) config: Config,
    pub(crate) session: Option<PathBuf>,
    pub(crate) reconnect: bool,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) debug: bool,
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        usage(error.to_string())
    }
}

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        usage(error.to_string())
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        usage(error.to_string())
    }
}

/// `None` if the user wants help.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, Failure> {
    let is_publisher = match parser.next()? {
        Some(Value(command)) if command == "pub" => true,
        Some(Value(command)) if command == "sub" => false,
        Some(Long("help")) | None => return Ok(None),
        Some(other) => return Err(other.unexpected().into()),
    };
    let mut link = Link {
        host: "127.0.0.1".to_owned(),
        port: 1883,
        connect: Connect::new(Text::default()),
        config: Config::new().max_inflight(20),
        session: None,
        reconnect: true,
        time_limit: None,
        debug: false,
    };
    link.connect.keep_alive = 60;
    let (mut topics, mut unsubscribe) = (Vec::new(), Vec::new());
    let (mut qos, mut retain, mut repeat) = (QoS::AtMostOnce, false, 1);
    let (mut count, mut only_subscribe, mut print_topic) = (None, false, false);
    let mut payloads = Vec::new();
    let (mut user_name, mut password) = (None, None);
    let (mut will_topic, mut will_message) = (None, None);
    let (mut will_qos, mut will_retain) = (QoS::AtMostOnce, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("host") => link.host = parser.value()?.string()?,
            Short('p') | Long("port") => link.port = parser.value()?.parse()?,
            Short('i') | Long("id") => {
                link.connect.client_id = Text::from_bytes(bytes(&mut parser)?)?
            }
            Short('c') | Long("disable-clean-session") => link.connect.clean_session = false,
            Short('k') | Long("keepalive") => link.connect.keep_alive = parser.value()?.parse()?,
            Short('u') | Long("username") => {
                user_name = Some(Text::from_bytes(bytes(&mut parser)?)?)
            }
            Short('P') | Long("pw") => password = Some(bytes(&mut parser)?),
            Short('V') | Long("protocol-version") => {
                link.connect.protocol_level = protocol_level(&parser.value()?.string()?)?;
            }
            Short('M') | Long("max-inflight") => {
                link.config = link.config.max_inflight(parser.value()?.parse()?);
            }
            Long("will-topic") => will_topic = Some(TopicName::from_bytes(bytes(&mut parser)?)?),
            Long("will-payload") => will_message = Some(bytes(&mut parser)?),
            Long("will-qos") => will_qos = parse_qos(&mut parser)?,
            Long("will-retain") => will_retain = true,
            Long("session") => link.session = Some(parser.value()?.into()),
            Long("reconnect") => link.reconnect = true,
            Long("no-reconnect") => link.reconnect = false,
            Short('W') => link.time_limit = Some(Duration::from_secs(parser.value()?.parse()?)),
            Short('d') | Long("debug") => link.debug = true,
            Short('t') | Long("topic") => topics.push(bytes(&mut parser)?),
            Short('q') | Long("qos") => qos = parse_qos(&mut parser)?,

            Short('C') if !is_publisher => count = Some(parser.value()?.parse()?),
            Short('E') if !is_publisher => only_subscribe = true,
            Short('U') | Long("unsubscribe") if !is_publisher => {
                unsubscribe.push(bytes(&mut parser)?);
            }
            Short('v') | Long("verbose") if !is_publisher => print_topic = true,

            Short('m') | Long("message") if is_publisher => {
                payloads.push(Some(bytes(&mut parser)?))
            }
            Short('f') | Long("file") if is_publisher => {
                payloads.push(Some(read(parser.value()?.into())?));
            }
            Short('s') | Long("stdin-file") if is_publisher => {
                let mut message = Vec::new();
                io::stdin()
                    .read_to_end(&mut message)
                    .map_err(|error| Failure::File {
                        path: "standard input".into(),
                        error,
                    })?;
                payloads.push(Some(message));
            }
            Short('l') | Long("stdin-line") if is_publisher => payloads.push(None),
            Short('n') | Long("null-message") if is_publisher => payloads.push(Some(Vec::new())),
            Short('r') | Long("retain") if is_publisher => retain = true,
            Long("repeat") if is_publisher => repeat = parser.value()?.parse()?,

            Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }

    link.connect.credentials = match (user_name, password) {
        (Some(user_name), password) => Some(Credentials {
            user_name,
            password,
        }),
        (None, None) => None,
        (None, Some(_)) => return Err(usage("-P needs -u")),
    };
    link.connect.will = match (will_topic, will_message) {
        (Some(topic), message) => Some(Will {
            topic,
            message: message.unwrap_or_default(),
            qos: will_qos,
            retain: will_retain,
        }),
        (None, None) => None,
        (None, Some(_)) => return Err(usage("--will-payload needs --will-topic")),
    };
    complete_client_id(&mut link)?;

    let command = if is_publisher {
        Command::Publish(publisher::Options {
            topic: TopicName::from_bytes(only(topics, "-t")?)?,
            qos,
            retain,
            payload: match only(payloads, "-m, -f, -l, -s and -n")? {
                Some(payload) => Payload::Times(repeat, payload),
                None => Payload::Lines,
            },
        })
    } else {
        let filters = filters(&topics)?;
        if filters.is_empty() {
            return Err(usage("-t is missing"));
        }
        let subscription = |&topic_filter| Subscription { topic_filter, qos };
        let removed = self::filters(&unsubscribe)?;
        Command::Subscribe(subscriber::Options {
            subscribe: Subscriptions::encode_to_vec(filters.iter().map(subscription))?,
            unsubscribe: if removed.is_empty() {
                None
            } else {
                Some(TopicFilters::encode_to_vec(removed)?)
            },
            count,
            only_subscribe,
            print_topic,
        })
    };
    Ok(Some(Arguments { link, command }))
}

/// [MQTT-3.1.3-7]: without a Client Identifier there is no session to keep. MQTT 3.1 needs one.
fn complete_client_id(link: &mut Link) -> Result<(), Failure> {
    let Connect {
        client_id,
        clean_session,
        protocol_level,
        ..
    } = &mut link.connect;
    if link.session.is_some() && *clean_session {
        return Err(usage("--session needs -c"));
    }
    if client_id.as_bytes().is_empty() {
        if !*clean_session {
            return Err(usage("-c needs -i"));
        }
        if *protocol_level == ProtocolLevel::V3_1 {
            let unique = format!("mqtt-sansio-{}", std::process::id());
            *client_id = Text::from_bytes(unique.into_bytes())?;
        }
    }
    Ok(())
}

/// The one that there must be.
fn only<T>(mut given: Vec<T>, option: &str) -> Result<T, Failure> {
    match (given.pop(), given.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(usage(format!("give one of {option}"))),
    }
}

fn filters(filters: &[Vec<u8>]) -> Result<Vec<TopicFilter<&[u8]>>, Failure> {
    let checked: Result<_, TextError> = filters.iter().map(TopicFilter::new).collect();
    Ok(checked?)
}

fn bytes(parser: &mut lexopt::Parser) -> Result<Vec<u8>, Failure> {
    Ok(parser.value()?.into_encoded_bytes())
}

fn read(path: PathBuf) -> Result<Vec<u8>, Failure> {
    fs::read(&path).map_err(|error| Failure::File { path, error })
}

fn parse_qos(parser: &mut lexopt::Parser) -> Result<QoS, Failure> {
    let number = parser.value()?.parse()?;
    QoS::from_number(number).ok_or_else(|| usage("QoS is 0, 1 or 2"))
}

fn protocol_level(name: &str) -> Result<ProtocolLevel, Failure> {
    match name {
        "mqttv31" | "31" => Ok(ProtocolLevel::V3_1),
        "mqttv311" | "311" => Ok(ProtocolLevel::V3_1_1),
        _ => Err(usage(format!("-V does not know {name:?}"))),
    }
}
