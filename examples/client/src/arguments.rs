//! What the user asks for.

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
