//! What the user asks for.

use core::num::NonZeroUsize;
use std::collections::HashSet;

use lexopt::prelude::*;
use mqtt_sansio::TopicFilter;

use crate::queue::Limits;

pub(crate) const HELP: &str = "\
An MQTT broker in memory, for MQTT 3.1.1 and 3.1.

Usage: broker [OPTION...]

  --host HOST            the address to listen on; default 127.0.0.1
  --port PORT            the port to listen on; default 1883, 0 for any that is free
  --user NAME            clients have to say this User Name,
  --password PASSWORD      and this Password
  --deny FILTER          refuse subscriptions to just this Topic Filter (return code 0x80); may be
                           given more than once
  --connect-timeout N    how many seconds a client has for its CONNECT; default 10, 0
                           for as long as it likes
  --max-packet-size N    the largest packet to take, in bytes; default 1048576
  --max-queued N         the most messages to keep for a client that is absent or slow; default
                           100000. Beyond that messages with QoS 0 are dropped first, then the
                           oldest
  --max-sessions N       the most sessions to keep for clients that are absent; default 10000.
                           Beyond that the one goes whose client has been absent for the longest
  --max-retained-bytes N the most to keep of retained messages, with 256 bytes for each besides
                           its topic and payload; default 268435456. Beyond that messages are
                           delivered, but not retained
  --quiet                do not say on standard error who comes and goes
  -h, --help             print this

When it is ready it prints `listening on HOST:PORT`.
";

/// The options, or what is said without them.
pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<Login>,
    pub(crate) denied: HashSet<TopicFilter<Vec<u8>>>,
    /// In milliseconds.
    pub(crate) connect_timeout: u32,
    pub(crate) max_packet_size: u32,
    pub(crate) limits: Limits,
    pub(crate) max_sessions: usize,
    pub(crate) max_retained_bytes: usize,
    pub(crate) quiet: bool,
}

/// What a client has to say to be let in.
pub(crate) struct Login {
    pub(crate) user_name: String,
    pub(crate) password: Option<String>,
}

/// `None` if the user wants help.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Settings>, lexopt::Error> {
    let mut settings = Settings {
        host: "127.0.0.1".to_owned(),
        port: 1883,
        login: None,
        denied: HashSet::new(),
        connect_timeout: 10_000,
        max_packet_size: 1024 * 1024,
        limits: Limits::default(),
        max_sessions: 10_000,
        max_retained_bytes: 256 * 1024 * 1024,
        quiet: false,
    };
    let (mut user_name, mut password) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("host") => settings.host = parser.value()?.string()?,
            Long("port") => settings.port = parser.value()?.parse()?,
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
            Long("max-packet-size") => settings.max_packet_size = parser.value()?.parse()?,
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
    settings.login = match (user_name, password) {
        (Some(user_name), password) => Some(Login {
            user_name,
            password,
        }),
        (None, None) => None,
        (None, Some(_)) => return Err("--password goes with --user".into()),
    };
    Ok(Some(settings))
}
