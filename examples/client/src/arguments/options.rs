//! The options of the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;
use mqtt_sansio::v3::ProtocolLevel;
use mqtt_sansio::v5;
use mqtt_sansio::{Config, QoS, Text, TopicName};

use super::{Arguments, Program, Source};
use crate::Failure;
use crate::address::Address;
use crate::property::Given;
use crate::retry::LONGEST_PAUSE;
use crate::tls;

pub(super) fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

/// The command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Publish,
    Subscribe,
    Request,
    Chat,
}

/// The options before they are combined.
pub(super) struct Options {
    pub(super) kind: Kind,
    pub(super) address: Address,
    pub(super) tls: tls::Files,
    pub(super) connect: v5::Connect<Vec<u8>>,
    pub(super) version: Option<Version>,
    pub(super) session_expiry: Option<u32>,
    pub(super) config: Config,
    pub(super) session: Option<PathBuf>,
    pub(super) reconnect: bool,
    pub(super) max_pause: Duration,
    pub(super) time_limit: Option<Duration>,
    pub(super) debug: bool,
    pub(super) topics: Vec<Vec<u8>>,
    pub(super) unsubscribe: Vec<Vec<u8>>,
    pub(super) response_topic: Option<Vec<u8>>,
    pub(super) publish_topic: Option<Vec<u8>>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) repeat: u64,
    pub(super) count: Option<u64>,
    pub(super) only_subscribe: bool,
    pub(super) print_topic: bool,
    pub(super) sources: Vec<Source>,
    pub(super) will_topic: Option<TopicName<Vec<u8>>>,
    pub(super) will_message: Option<Vec<u8>>,
    pub(super) will_qos: QoS,
    pub(super) will_retain: bool,
    pub(super) given: Given,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V3(ProtocolLevel),
    V5,
}

/// Parses the command line, without the name of the program. Returns `None` if the user wants help.
///
/// # Errors
///
/// [`Failure::Usage`] if the command line is invalid.
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
        Some(_) => return Err(usage("use the command pub, sub or rr")),
    };
    if kind != Kind::Chat {
        arguments.next();
    }
    let mut options = Options::new(kind);
    if !options.read(&mut lexopt::Parser::from_args(arguments))? {
        return Ok(None);
    }
    if program == Program::ClientTokio && options.session.is_some() {
        return Err(usage("client_tokio has no --session: use client"));
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

    /// Parses an option. Returns false if the user wants help.
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
}

fn bytes(parser: &mut lexopt::Parser) -> Result<Vec<u8>, Failure> {
    Ok(parser.value()?.into_encoded_bytes())
}

fn parse_qos(parser: &mut lexopt::Parser) -> Result<QoS, Failure> {
    let number = parser.value()?.parse()?;
    QoS::from_number(number).ok_or_else(|| usage("use QoS 0, 1 or 2"))
}

fn parse_version(name: &str) -> Result<Version, Failure> {
    match name {
        "3.1" | "mqttv31" | "31" => Ok(Version::V3(ProtocolLevel::V3_1)),
        "3.1.1" | "mqttv311" | "311" => Ok(Version::V3(ProtocolLevel::V3_1_1)),
        "5" | "5.0" | "mqttv5" => Ok(Version::V5),
        _ => Err(usage(format!("-V {name:?}: use 3.1, 3.1.1 or 5"))),
    }
}

/// Parses seconds, or no limit.
fn parse_expiry(text: &str) -> Result<u32, Failure> {
    match text {
        "-1" | "∞" => Ok(u32::MAX),
        _ => text
            .parse()
            .map_err(|error| usage(format!("-x {text:?}: {error}"))),
    }
}
