//! The command line.

use core::num::{NonZeroU16, NonZeroUsize};
use std::collections::HashSet;

use lexopt::prelude::*;
use mqtt_sansio::TopicFilter;

use crate::queue::Limits;
use crate::subscriptions::Copies;

/// The most filters of one SUBSCRIBE that the broker grants.
pub(crate) const MAX_FILTERS: u32 = 1000;

pub(crate) const HELP: &str = "\
An MQTT broker in memory, for MQTT 5, 3.1.1 and 3.1.

Usage: broker [OPTION...]

  --host HOST            the address to listen on; default 127.0.0.1
  --port PORT            the port to listen on; default 1883, 0 for any that is free
  --listen-ws PORT       listen for MQTT over WebSocket too, at this port
  --cert FILE            use TLS with this certificate chain, in PEM,
  --key FILE               and this private key, on all ports
  --user NAME            clients must send this User Name,
  --password PASSWORD      and this Password
  --auth-command PROGRAM run PROGRAM for each client: MQTT_CLIENT_ID and MQTT_USER_NAME are in
                           its environment, the Password is its standard input, and it exits
                           with 0 to accept the client
  --deny FILTER          refuse subscriptions to just this Topic Filter (return code 0x80); may be
                           given more than once
  --connect-timeout N    how many seconds a client has for its CONNECT; default 10, 0
                           for no limit
  --max-packet-size N    the largest packet to accept, in bytes; default 1048576. CONNACK
                           announces it if it is given
  --topic-alias-maximum N
                         how many Topic Aliases a client may use; default 10
  --receive-maximum N    how many messages with QoS 1 and 2 a client may send at once; default 20
  --max-keep-alive N     the longest Keep Alive in seconds: clients of MQTT 5 with a longer one get
                           this as Server Keep Alive
  --max-session-expiry N how many seconds a session of MQTT 5 is kept at most; by default as
                           long as the client requests
  --accept-resend-without-dup
                         a QoS 2 message with DUP 0 is the one with its Packet Identifier that was
                         not released, also after the client has connected again: for clients that
                         do not set DUP when they resend, such as MQTT.js 5
  --copy-per-subscription
                           send a message once for each subscription that matches; by default a
                           client with overlapping subscriptions gets it once, with the highest QoS
                           and all Subscription Identifiers
  --max-connections N    the most clients at once; others get Quota exceeded (0x97, in MQTT 3.1.1
                           server unavailable). No limit by default
  --max-subscriptions N  the most subscriptions of one client; default 10000. Beyond that, and for
                           filters with more than 128 levels, SUBACK has Quota exceeded (0x97, in
                           MQTT 3.1.1 0x80), as for all filters after the first 1000 of one request
  --max-queued N         the most messages to keep for a client that is absent or slow; default
                           100000. Beyond that messages with QoS 0 are dropped first, then the
                           oldest
  --max-sessions N       the most sessions to keep for clients that are absent; default 10000.
                           Beyond that the session whose client is absent for the longest ends
  --max-retained-bytes N the most to keep of retained messages, with 256 bytes for each besides
                           its topic and payload; default 268435456. Beyond that messages are
                           delivered, but not retained. With 0, CONNACK has Retain Available 0
  --quiet                do not report connections and disconnections on standard error
  -h, --help             print this

When it is ready it prints `listening on HOST:PORT`, and in a second line, with --listen-ws,
`listening for WebSocket on HOST:PORT`.
";

/// The options and their defaults.
pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) websocket_port: Option<u16>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) login: Option<Login>,
    pub(crate) auth_command: Option<String>,
    pub(crate) denied: HashSet<TopicFilter<Vec<u8>>>,
    /// In milliseconds.
    pub(crate) connect_timeout: u32,
    pub(crate) announced_max_packet_size: Option<u32>,
    pub(crate) topic_alias_maximum: u16,
    pub(crate) receive_maximum: NonZeroU16,
    pub(crate) max_keep_alive: Option<NonZeroU16>,
    /// In seconds.
    pub(crate) max_session_expiry: u32,
    pub(crate) copies: Copies,
    /// For clients that violate [MQTT-3.3.1-1].
    pub(crate) accept_resend_without_dup: bool,
    pub(crate) max_connections: usize,
    pub(crate) max_subscriptions: usize,
    pub(crate) limits: Limits,
    pub(crate) max_sessions: usize,
    pub(crate) max_retained_bytes: usize,
    pub(crate) quiet: bool,
}

impl Settings {
    /// The largest packet that is accepted, in bytes.
    pub(crate) fn max_packet_size(&self) -> u32 {
        self.announced_max_packet_size.unwrap_or(1024 * 1024)
    }

    /// True if the broker retains messages.
    pub(crate) const fn retains(&self) -> bool {
        self.max_retained_bytes > 0
    }
}

/// Files in PEM.
pub(crate) struct TlsFiles {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// How clients are authenticated.
pub(crate) struct Login {
    pub(crate) user_name: String,
    pub(crate) password: Option<String>,
}

/// Returns `None` if the user wants help.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Settings>, lexopt::Error> {
    let mut settings = Settings {
        host: "127.0.0.1".to_owned(),
        port: 1883,
        websocket_port: None,
        tls: None,
        login: None,
        auth_command: None,
        denied: HashSet::new(),
        connect_timeout: 10_000,
        announced_max_packet_size: None,
        topic_alias_maximum: 10,
        receive_maximum: const { NonZeroU16::new(20).unwrap() },
        max_keep_alive: None,
        max_session_expiry: u32::MAX,
        copies: Copies::One,
        accept_resend_without_dup: false,
        max_connections: usize::MAX,
        max_subscriptions: 10_000,
        limits: Limits::default(),
        max_sessions: 10_000,
        max_retained_bytes: 256 * 1024 * 1024,
        quiet: false,
    };
    let (mut user_name, mut password) = (None, None);
    let (mut certificate, mut key) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("host") => settings.host = parser.value()?.string()?,
            Long("port") => settings.port = parser.value()?.parse()?,
            Long("listen-ws") => settings.websocket_port = Some(parser.value()?.parse()?),
            Long("cert") => certificate = Some(parser.value()?.string()?),
            Long("key") => key = Some(parser.value()?.string()?),
            Long("user") => user_name = Some(parser.value()?.string()?),
            Long("password") => password = Some(parser.value()?.string()?),
            Long("deny") => {
                let filter = parser.value()?.parse_with(|filter| {
                    TopicFilter::new(filter).map(|filter| filter.to_owned())
                })?;
                settings.denied.insert(filter);
            }
            Long("connect-timeout") => {
                settings.connect_timeout = parser.value()?.parse::<u32>()?.saturating_mul(1000);
            }
            Long("auth-command") => settings.auth_command = Some(parser.value()?.string()?),
            Long("max-packet-size") => {
                settings.announced_max_packet_size = Some(parser.value()?.parse()?);
            }
            Long("topic-alias-maximum") => {
                settings.topic_alias_maximum = parser.value()?.parse()?;
            }
            Long("receive-maximum") => settings.receive_maximum = parser.value()?.parse()?,
            Long("max-keep-alive") => settings.max_keep_alive = Some(parser.value()?.parse()?),
            Long("max-session-expiry") => {
                settings.max_session_expiry = parser.value()?.parse()?;
            }
            Long("accept-resend-without-dup") => settings.accept_resend_without_dup = true,
            Long("copy-per-subscription") => settings.copies = Copies::EachSubscription,
            Long("max-connections") => settings.max_connections = parser.value()?.parse()?,
            Long("max-subscriptions") => settings.max_subscriptions = parser.value()?.parse()?,
            Long("max-queued") => {
                settings.limits.messages = parser.value()?.parse::<NonZeroUsize>()?.get();
            }
            Long("max-sessions") => settings.max_sessions = parser.value()?.parse()?,
            Long("max-retained-bytes") => {
                settings.max_retained_bytes = parser.value()?.parse()?;
            }
            Long("quiet") => settings.quiet = true,
            Short('h') | Long("help") => return Ok(None),
            Short(_) | Long(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    settings.tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (None, None) => None,
        _ => return Err("--cert and --key need each other".into()),
    };
    settings.login = match (user_name, password) {
        (Some(user_name), password) => Some(Login {
            user_name,
            password,
        }),
        (None, None) => None,
        (None, Some(_)) => return Err("--password needs --user".into()),
    };
    Ok(Some(settings))
}
