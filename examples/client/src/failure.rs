//! Errors of the programs.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use mqtt_sansio::v5::InvalidSubscriptionIdentifier;
use mqtt_sansio::{CloseReason, CommandError, EncodeError, TextError};

use crate::protocol::Protocol;

/// Why a program failed.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a program, not a library")]
pub enum Failure {
    /// The command line is invalid.
    Usage(String),
    /// A file cannot be read or written.
    File {
        /// The name of the file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The file of the session is damaged.
    Session {
        /// The name of the file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// There is no connection to the server.
    Unreachable(io::Error),
    /// The server refused the connection.
    Refused {
        /// The name of the return code or Reason Code.
        reason: String,
        /// The return code, or the Reason Code of MQTT 5.
        code: u8,
    },
    /// The server granted none of the subscriptions.
    Denied,
    /// The server refused messages, or they were given up. Each was reported when it happened.
    NotDelivered(u64),
    /// The connection was lost too often.
    Lost(String),
    /// The server violated the protocol.
    Peer(String),
    /// A packet cannot be sent.
    Send(CommandError),
    /// Standard output cannot be written.
    Output(io::Error),
    /// The time limit has passed.
    Timeout,
}

impl Failure {
    /// Returns the failure for the end of a connection that is not opened again, with the server's
    /// reason, if any.
    #[must_use]
    pub fn of_close<V: Protocol>(
        reason: &CloseReason<V>,
        last_words: Option<&str>,
    ) -> Option<Self> {
        match reason {
            CloseReason::Refused(refusal) => Some(Self::Refused {
                reason: last_words.map_or_else(|| refusal.to_string(), str::to_owned),
                code: V::refusal_code(refusal),
            }),
            CloseReason::Violation(error) => Some(Self::Peer(error.to_string())),
            _ => None,
        }
    }

    /// Returns the failure for a lost connection, with the reason of the server's DISCONNECT, if
    /// any.
    #[must_use]
    pub fn of_loss<V: Protocol>(reason: &CloseReason<V>, last_words: Option<&str>) -> Self {
        Self::Lost(match last_words {
            Some(words) => format!("the server has disconnected: {words}"),
            None => reason.to_string(),
        })
    }

    /// Returns the failure for the file `path`.
    #[must_use]
    pub fn of_file(path: &Path, error: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            error,
        }
    }

    /// Returns the exit status of the program.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Denied => 128, // the return code in SUBACK
            Self::Timeout => 27, // as `mosquitto_sub`
            // The others are those of sysexits.h.
            Self::Usage(_) => 64,
            Self::Session { .. } => 65,
            Self::File { .. } => 66,
            Self::Unreachable(_) | Self::Lost(_) => 69,
            Self::Send(_) | Self::NotDelivered(_) => 70,
            Self::Output(_) => 74,
            Self::Peer(_) => 76,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => write!(f, "{message}; --help says more"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Session { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Unreachable(error) => write!(f, "cannot connect: {error}"),
            Self::Refused { reason, .. } => write!(f, "connection refused: {reason}"),
            Self::Denied => f.write_str("the server has granted no subscription"),
            Self::NotDelivered(1) => f.write_str("a message was not delivered"),
            Self::NotDelivered(count) => write!(f, "{count} messages were not delivered"),
            Self::Lost(reason) => write!(f, "connection lost: {reason}"),
            Self::Peer(error) => write!(f, "the server has broken the protocol: {error}"),
            Self::Send(error) => write!(f, "cannot send: {error}"),
            Self::Output(error) => write!(f, "cannot print: {error}"),
            Self::Timeout => f.write_str("time is up"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Send(error)
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<InvalidSubscriptionIdentifier> for Failure {
    fn from(error: InvalidSubscriptionIdentifier) -> Self {
        Self::Usage(error.to_string())
    }
}
