//! What the user asks for.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, process};

use lexopt::prelude::*;
use mqtt_sansio::v3::ProtocolLevel;
use mqtt_sansio::v5::{self, Property};
use mqtt_sansio::{Config, QoS, Text, TextError, TopicFilter, TopicName};

use rustls::ClientConfig;

use crate::Failure;
use crate::address::Address;
use crate::property::{Given, Packet};
use crate::protocol::{Connect, Message, Subscribe};
use crate::retry::LONGEST_PAUSE;
use crate::tls;

/// What the programs have in common.
const HELP: &str = "\
Connection:
  -h, --host HOST           a name, an IP address, or SCHEME://HOST[:PORT][/PATH] with the scheme
                            mqtt, mqtts, ws or wss; default 127.0.0.1
  -p, --port PORT           default that of the scheme: 1883, 8883, 80 or 443
  -L, --url URL             SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC]; with ws and wss /PATH
  --cafile FILE             TLS, with a server whose certificate is signed by one in FILE (PEM)
  --cert FILE, --key FILE   the client's certificate and private key (PEM)
  -i, --id ID               Client Identifier; if there is none, the server makes one up
  -c, --disable-clean-session
                            go on with the session of this ID; needs -i
  -x SECONDS                MQTT 5: how long the server keeps the session after the connection;
                            default 0, with -c without end, which is -1 too
  -k, --keepalive SECONDS   default 60; 0 turns it off
  -u, --username NAME
  -P, --pw PASSWORD
  -V, --protocol-version V  3.1, 3.1.1 (default; 5 for rr) or 5; also mqttv31, mqttv311, mqttv5
  -D, --property PACKET PROPERTY VALUE
                            MQTT 5: a property of connect, will, publish, subscribe or disconnect,
                            such as message-expiry-interval 60, or user-property NAME VALUE; may
                            be given more than once
  -M, --max-inflight N      messages under way at once, default 20
  --will-topic TOPIC, --will-payload MESSAGE, --will-qos QOS, --will-retain
  --session FILE            keep the session in FILE from one run to the next; needs -c
                            (not in client_tokio)
  --no-reconnect            end when the connection is lost, instead of connecting again
  --max-pause SECONDS       the longest pause before an attempt to connect again, default 5; the first
                            is a tenth of a second, and each one twice the last until a connection
                            has lasted for six times the longest pause
  -W SECONDS                end after this time, with exit status 27
  -d, --debug               print each packet that is sent or received to standard error

All:
  -t, --topic TOPIC         for sub a filter, also $share/GROUP/FILTER; may be given more than once
  -q, --qos QOS             0 (default), 1 or 2

sub:
  -C COUNT                  end after so many messages
  -E                        end when the subscriptions are acknowledged
  -U, --unsubscribe FILTER  end this subscription after subscribing; may be given more than once
  -v, --verbose             print the topic before each message

rr (a request, which ends with its response):
  -e, --response-topic TOPIC
                            subscribe to TOPIC, publish the message with it as Response Topic, and
                            print the first message with the same Correlation Data
  -v, --verbose             print the topic before the response

pub and rr:
  -m, --message MESSAGE
  -f, --file FILE           the message is what FILE holds
  -l, --stdin-line          each line of standard input is a message (pub)
  -s, --stdin-file          the message is what standard input holds
  -n, --null-message        the message is empty
  -r, --retain
  --repeat N                publish it so many times (pub)

  --help                    print this

A message is given up when 5 connections were lost while it was the first that the server had not
acknowledged. Twenty attempts to connect in a row are the most.

Exit status: 0 if all is done; the return code, or in MQTT 5 the Reason Code, if the server refuses
the connection; 128 if it grants no subscription; 27 if time is up; 64 if the command line cannot be
understood, 65 if the session cannot be, 66 if a file cannot be read or written, 69 if there is no
connection, 70 if a message cannot be sent or is refused, 74 if the output cannot be written, 76 if
the server breaks the protocol.
";

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a program, not a library")]
pub enum Program {
    /// Blocking, over `std`.
    Client,
    /// On tokio.
    ClientTokio,
}

impl Program {
    /// How the user calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::ClientTokio => "client_tokio",
        }
    }

    /// What `--help` prints.
    #[must_use]
    pub fn help(self) -> String {
        let name = self.name();
        let mut help = format!(
            "Publishes and subscribes by MQTT 3.1, 3.1.1 and 5.\n\n\
             Usage:\n  \
             {name} sub -t FILTER... [OPTION...]\n  \
             {name} pub -t TOPIC (-m MESSAGE | -f FILE | -l | -s | -n) [OPTION...]\n  \
             {name} rr -t TOPIC -e RESPONSE_TOPIC (-m MESSAGE | -f FILE | -s | -n) [OPTION...]\n"
        );
        if self == Self::ClientTokio {
            help += "  client_tokio [-t FILTER]... [--publish TOPIC] [OPTION...]\n\n\
                     Without a command it subscribes, prints each message with its topic, and\n\
                     publishes each line of standard input to the TOPIC of --publish; it ends when\n\
                     they are delivered.\n";
        }
        help + "\n" + HELP
    }
}

/// What the user asks for.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Arguments {
    /// How to connect.
    pub link: Link,
    /// What to do.
    pub command: Command,
}

/// What to do.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a program, not a library")]
pub enum Command {
    /// `pub`.
    Publish(Publish),
    /// `sub`.
    Subscribe(Subscriber),
    /// `rr`.
    Request(Request),
    /// No command: both directions at once.
    Chat(Option<Subscribe>, Option<Message>),
}

/// What to publish.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Publish {
    /// The message; its payload is that of the source.
    pub message: Message,
    /// Where the payload comes from.
    pub source: Source,
    /// How many times, if it does not come from lines.
    pub repeat: u64,
}

/// Where a payload comes from.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "a program, not a library")]
pub enum Source {
    /// The command line.
    Given(Vec<u8>),
    /// A file.
    File(PathBuf),
    /// Standard input.
    Input,
    /// Each line of standard input is a payload.
    Lines,
}

impl Source {
    /// The payload, or `None` for lines.
    ///
    /// # Errors
    ///
    /// [`Failure::File`] if it cannot be read.
    pub fn read(&self) -> Result<Option<Vec<u8>>, Failure> {
        let (path, read) = match self {
            Self::Given(payload) => return Ok(Some(payload.clone())),
            Self::Lines => return Ok(None),
            Self::File(path) => (path.clone(), fs::read(path)),
            Self::Input => {
                let mut payload = Vec::new();
                let read = io::stdin().read_to_end(&mut payload);
                ("standard input".into(), read.map(|_| payload))
            }
        };
        match read {
            Ok(payload) => Ok(Some(payload)),
            Err(error) => Err(Failure::File { path, error }),
        }
    }
}

/// What to subscribe to, and for how long.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Subscriber {
    /// SUBSCRIBE.
    pub subscribe: Subscribe,
    /// UNSUBSCRIBE.
    pub unsubscribe: Option<v5::TopicFilters<Vec<u8>>>,
    /// End after so many messages.
    pub count: Option<u64>,
    /// End after SUBACK.
    pub only_subscribe: bool,
    /// Print the topic too.
    pub print_topic: bool,
}

/// A request and its response.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Request {
    /// The request.
    pub publish: Publish,
    /// To the Response Topic.
    pub subscribe: Subscribe,
    /// Print the topic too.
    pub print_topic: bool,
}

impl Request {
    /// True if this message is the response: it has the Correlation Data of the request, if there
    /// is any.
    #[must_use]
    pub fn is_answered_by(&self, response: &v5::PublishProperties<&[u8]>) -> bool {
        let asked = self.publish.message.properties.correlation_data();
        asked.is_none() || asked == response.correlation_data()
    }
}

/// How to connect.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Link {
    /// Where the server is.
    pub address: Address,
    /// The files for TLS.
    pub tls: tls::Files,
    /// MQTT 5, not 3.1.1 or 3.1.
    pub is_v5: bool,
    /// CONNECT.
    pub connect: Connect,
    /// DISCONNECT, in MQTT 5.
    pub disconnect: v5::Disconnect<Vec<u8>>,
    /// Limits.
    pub config: Config,
    /// The file of the session.
    pub session: Option<PathBuf>,
    /// Connect again when the connection is lost.
    pub reconnect: bool,
    /// The longest pause before that.
    pub max_pause: Duration,
    /// When to end.
    pub time_limit: Option<Duration>,
    /// Print each packet.
    pub debug: bool,
}

impl Link {
    /// What TLS needs, if the address asks for it.
    ///
    /// # Errors
    ///
    /// As for [`tls::Files::read`].
    pub fn tls_config(&self) -> Result<Option<Arc<ClientConfig>>, Failure> {
        if self.address.has_tls() {
            self.tls.read().map(Some)
        } else {
            Ok(None)
        }
    }
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

/// Which command was given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Publish,
    Subscribe,
    Request,
    Chat,
}

/// The options before they are put together.
struct Options {
    kind: Kind,
    address: Address,
    tls: tls::Files,
    connect: v5::Connect<Vec<u8>>,
    version: Option<Version>,
    session_expiry: Option<u32>,
    config: Config,
    session: Option<PathBuf>,
    reconnect: bool,
    max_pause: Duration,
    time_limit: Option<Duration>,
    debug: bool,
    topics: Vec<Vec<u8>>,
    unsubscribe: Vec<Vec<u8>>,
    response_topic: Option<Vec<u8>>,
    publish_topic: Option<Vec<u8>>,
    qos: QoS,
    retain: bool,
    repeat: u64,
    count: Option<u64>,
    only_subscribe: bool,
    print_topic: bool,
    sources: Vec<Source>,
    will_topic: Option<TopicName<Vec<u8>>>,
    will_message: Option<Vec<u8>>,
    will_qos: QoS,
    will_retain: bool,
    given: Given,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V3(ProtocolLevel),
    V5,
}

/// Reads the command line, without the name of the program. `None` if the user wants help.
///
/// # Errors
///
/// [`Failure::Usage`] if the command line cannot be understood.
pub fn parse(
    program: Program,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Option<Arguments>, Failure> {
    let mut arguments = arguments.into_iter().peekable();
    let kind = match arguments.peek().map(|first| first.to_str()) {
        None => return Ok(None),
        Some(Some("--help")) => return Ok(None),
        Some(Some("pub")) => Kind::Publish,
        Some(Some("sub")) => Kind::Subscribe,
        Some(Some("rr")) => Kind::Request,
        Some(_) if program == Program::ClientTokio => Kind::Chat,
        Some(_) => return Err(usage("the command is pub, sub or rr")),
    };
    if kind != Kind::Chat {
        arguments.next();
    }
    let mut options = Options::new(kind);
    if !options.read(&mut lexopt::Parser::from_args(arguments))? {
        return Ok(None);
    }
    if program == Program::ClientTokio && options.session.is_some() {
        return Err(usage("client_tokio has no --session"));
    }
    let link = options.link()?;
    let command = options.command(link.is_v5)?;
    Ok(Some(Arguments { link, command }))
}

impl Options {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            address: Address::tcp("127.0.0.1"),
            tls: tls::Files::default(),
            connect: v5::Connect::new(Text::default()).map(<[u8]>::to_vec),
            version: None,
            session_expiry: None,
            config: Config::new().max_inflight(20),
            session: None,
            reconnect: true,
            max_pause: LONGEST_PAUSE,
            time_limit: None,
            debug: false,
            topics: Vec::new(),
            unsubscribe: Vec::new(),
            response_topic: None,
            publish_topic: None,
            qos: QoS::AtMostOnce,
            retain: false,
            repeat: 1,
            count: None,
            only_subscribe: false,
            print_topic: false,
            sources: Vec::new(),
            will_topic: None,
            will_message: None,
            will_qos: QoS::AtMostOnce,
            will_retain: false,
            given: Given::default(),
        }
    }

    /// False if the user wants help.
    fn read(&mut self, parser: &mut lexopt::Parser) -> Result<bool, Failure> {
        let subscribes = self.kind == Kind::Subscribe;
        let publishes = matches!(self.kind, Kind::Publish | Kind::Request);
        let prints = matches!(self.kind, Kind::Subscribe | Kind::Request);
        let mut port = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') | Long("host") => self.address(&parser.value()?.string()?, false)?,
                Short('L') | Long("url") => self.address(&parser.value()?.string()?, true)?,
                Short('p') | Long("port") => port = Some(parser.value()?.parse()?),
                Long("cafile") => self.tls.authorities = Some(parser.value()?.into()),
                Long("cert") => self.tls.certificate = Some(parser.value()?.into()),
                Long("key") => self.tls.key = Some(parser.value()?.into()),
                Short('i') | Long("id") => {
                    self.connect.client_id = Text::from_bytes(bytes(parser)?)?;
                }
                Short('c') | Long("disable-clean-session") => self.connect.clean_start = false,
                Short('x') => self.session_expiry = Some(parse_expiry(&parser.value()?.string()?)?),
                Short('k') | Long("keepalive") => {
                    self.connect.keep_alive = parser.value()?.parse()?;
                }
                Short('u') | Long("username") => {
                    self.connect.user_name = Some(Text::from_bytes(bytes(parser)?)?);
                }
                Short('P') | Long("pw") => self.connect.password = Some(bytes(parser)?),
                Short('V') | Long("protocol-version") => {
                    self.version = Some(parse_version(&parser.value()?.string()?)?);
                }
                Short('D') | Long("property") => self.given.parse(parser)?,
                Short('M') | Long("max-inflight") => {
                    self.config = self.config.max_inflight(parser.value()?.parse()?);
                }
                Long("will-topic") => {
                    self.will_topic = Some(TopicName::from_bytes(bytes(parser)?)?);
                }
                Long("will-payload") => self.will_message = Some(bytes(parser)?),
                Long("will-qos") => self.will_qos = parse_qos(parser)?,
                Long("will-retain") => self.will_retain = true,
                Long("session") => self.session = Some(parser.value()?.into()),
                Long("reconnect") => self.reconnect = true,
                Long("no-reconnect") => self.reconnect = false,
                Long("max-pause") => {
                    let seconds = Duration::try_from_secs_f64(parser.value()?.parse()?);
                    self.max_pause = seconds.map_err(|error| usage(error.to_string()))?;
                }
                Short('W') => {
                    self.time_limit = Some(Duration::from_secs(parser.value()?.parse()?));
                }
                Short('d') | Long("debug") => self.debug = true,
                Short('t') | Long("topic") => self.topics.push(bytes(parser)?),
                Short('q') | Long("qos") => self.qos = parse_qos(parser)?,

                Short('C') if subscribes => self.count = Some(parser.value()?.parse()?),
                Short('E') if subscribes => self.only_subscribe = true,
                Short('U') | Long("unsubscribe") if subscribes => {
                    self.unsubscribe.push(bytes(parser)?);
                }
                Short('v') | Long("verbose") if prints => self.print_topic = true,

                Short('e') | Long("response-topic") if self.kind == Kind::Request => {
                    self.response_topic = Some(bytes(parser)?);
                }
                Short('m') | Long("message") if publishes => {
                    self.sources.push(Source::Given(bytes(parser)?));
                }
                Short('f') | Long("file") if publishes => {
                    self.sources.push(Source::File(parser.value()?.into()));
                }
                Short('s') | Long("stdin-file") if publishes => self.sources.push(Source::Input),
                Short('n') | Long("null-message") if publishes => {
                    self.sources.push(Source::Given(Vec::new()));
                }
                Short('r') | Long("retain") if publishes => self.retain = true,
                Short('l') | Long("stdin-line") if self.kind == Kind::Publish => {
                    self.sources.push(Source::Lines);
                }
                Long("repeat") if self.kind == Kind::Publish => {
                    self.repeat = parser.value()?.parse()?;
                }

                Long("publish") if self.kind == Kind::Chat => {
                    self.publish_topic = Some(bytes(parser)?);
                }
                Long("help") => return Ok(false),
                other => return Err(other.unexpected().into()),
            }
        }
        self.address.port = port.or(self.address.port);
        Ok(true)
    }

    fn address(&mut self, text: &str, has_topic: bool) -> Result<(), Failure> {
        let (address, extras) = Address::parse(text)?;
        self.address = address;
        if let Some(name) = extras.user_name {
            self.connect.user_name = Some(Text::from_bytes(name.into_bytes())?);
        }
        if let Some(password) = extras.password {
            self.connect.password = Some(password.into_bytes());
        }
        match extras.topic {
            Some(topic) if has_topic => self.topics.push(topic.into_bytes()),
            Some(_) => return Err(usage("a topic in the address needs -L")),
            None => {}
        }
        Ok(())
    }

    /// How to connect.
    fn link(&self) -> Result<Link, Failure> {
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
        // What the server may send at once is what CONNECT has announced.
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

    /// What to do.
    fn command(mut self, is_v5: bool) -> Result<Command, Failure> {
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

    /// A message without a payload.
    fn message(&self, topic: Vec<u8>, property: Option<Property<'_>>) -> Result<Message, Failure> {
        Ok(Message {
            topic: TopicName::from_bytes(topic)?,
            payload: Vec::new(),
            qos: self.qos,
            retain: self.retain,
            properties: self.given.encode(Packet::Publish, property)?,
        })
    }

    /// `None` without a filter.
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

/// The one that there must be.
fn only<T>(mut given: Vec<T>, option: &str) -> Result<T, Failure> {
    match (given.pop(), given.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(usage(format!("give one of {option}"))),
    }
}

/// Shared Subscriptions are checked too.
fn filters(filters: &[Vec<u8>]) -> Result<Vec<TopicFilter<&[u8]>>, Failure> {
    let checked = filters.iter().map(|filter| {
        let filter = TopicFilter::new(filter)?;
        filter.check_shared()?;
        Ok(filter)
    });
    let checked: Result<_, TextError> = checked.collect();
    Ok(checked?)
}

fn bytes(parser: &mut lexopt::Parser) -> Result<Vec<u8>, Failure> {
    Ok(parser.value()?.into_encoded_bytes())
}

fn parse_qos(parser: &mut lexopt::Parser) -> Result<QoS, Failure> {
    let number = parser.value()?.parse()?;
    QoS::from_number(number).ok_or_else(|| usage("QoS is 0, 1 or 2"))
}

fn parse_version(name: &str) -> Result<Version, Failure> {
    match name {
        "3.1" | "mqttv31" | "31" => Ok(Version::V3(ProtocolLevel::V3_1)),
        "3.1.1" | "mqttv311" | "311" => Ok(Version::V3(ProtocolLevel::V3_1_1)),
        "5" | "5.0" | "mqttv5" => Ok(Version::V5),
        _ => Err(usage(format!("-V does not know {name:?}"))),
    }
}

/// Seconds, or without end.
fn parse_expiry(text: &str) -> Result<u32, Failure> {
    match text {
        "-1" | "∞" => Ok(u32::MAX),
        _ => text
            .parse()
            .map_err(|error| usage(format!("-x {text:?}: {error}"))),
    }
}
