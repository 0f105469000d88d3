//! The parsed command line.

mod combine;
mod options;
mod program;

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mqtt_sansio::Config;
use mqtt_sansio::v5;
use rustls::ClientConfig;

use crate::Failure;
use crate::address::Address;
use crate::protocol::{Connect, Message, Subscribe};
use crate::tls;

pub use self::options::parse;
pub use self::program::Program;

/// The parsed command line.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Arguments {
    /// The connection.
    pub link: Link,
    /// The command.
    pub command: Command,
}

/// The command.
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

/// Messages to publish.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Publish {
    /// The message, without its payload.
    pub message: Message,
    /// The source of the payload.
    pub source: Source,
    /// How many times to publish it, unless the payloads are lines.
    pub repeat: u64,
}

/// The source of a payload.
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
    /// Returns the payload, or `None` for lines.
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

/// Subscriptions, and when to end.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Subscriber {
    /// SUBSCRIBE.
    pub subscribe: Subscribe,
    /// UNSUBSCRIBE.
    pub unsubscribe: Option<v5::TopicFilters<Vec<u8>>>,
    /// End after this number of messages.
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
    /// SUBSCRIBE to the Response Topic.
    pub subscribe: Subscribe,
    /// Print the topic too.
    pub print_topic: bool,
}

impl Request {
    /// Returns true if this message is the response: if the request has Correlation Data, the
    /// response must have the same.
    #[must_use]
    pub fn is_answered_by(&self, response: &v5::PublishProperties<&[u8]>) -> bool {
        let asked = self.publish.message.properties.correlation_data();
        asked.is_none() || asked == response.correlation_data()
    }
}

/// The connection.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "a program, not a library")]
pub struct Link {
    /// The address of the server.
    pub address: Address,
    /// Files for TLS.
    pub tls: tls::Files,
    /// MQTT 5, not 3.1.1 or 3.1.
    pub is_v5: bool,
    /// CONNECT.
    pub connect: Connect,
    /// DISCONNECT, in MQTT 5.
    pub disconnect: v5::Disconnect<Vec<u8>>,
    /// The limits of the connection.
    pub config: Config,
    /// The file of the session.
    pub session: Option<PathBuf>,
    /// Connect again after the connection is lost.
    pub reconnect: bool,
    /// The longest pause between attempts.
    pub max_pause: Duration,
    /// When to end the program.
    pub time_limit: Option<Duration>,
    /// Print each packet.
    pub debug: bool,
}

impl Link {
    /// Returns the configuration of TLS, if the address requires TLS.
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
