//! Publishes and subscribes from the command line, with most of the options of `mosquitto_pub`
//! and `mosquitto_sub`. Nothing but `std` beside the library: one blocking socket, one thread (and
//! one for standard input).
//!
//! ```text
//! $ cargo run -p client -- sub -v -t 'kitchen/#' -q 1 &
//! $ cargo run -p client -- pub -t kitchen/temperature -m 21.5 -q 1
//! kitchen/temperature 21.5
//! ```
//!
//! The part to copy is `connection/`: `driver.rs` drives the protocol, `mod.rs` is the socket and
//! the clock. `reconnect.rs` makes one connection after another of it, `store.rs` carries the
//! session from one run to the next, and `publisher.rs` and `subscriber.rs` are the two
//! applications.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "the clock does not reach the end of time"
)]
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program for an operating system"
)]

mod arguments;
mod connection;
mod publisher;
mod reconnect;
mod store;
mod subscriber;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{fmt, io};

use mqtt_sansio::CommandError;
use mqtt_sansio::v3::{ConnectRefusal, PeerError};

use arguments::{Arguments, Command};
use publisher::Publisher;
use subscriber::Subscriber;

/// Why the program has not done what it was asked to do.
#[derive(Debug)]
enum Failure {
    Usage(String),
    File {
        path: PathBuf,
        error: io::Error,
    },
    Session {
        path: PathBuf,
        reason: String,
    },
    Unreachable(io::Error),
    Refused(ConnectRefusal),
    /// The server has granted none of the subscriptions.
    Denied,
    Lost(String),
    Peer(PeerError),
    Send(CommandError),
    Output(io::Error),
    Timeout,
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Send(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => write!(f, "{message}; --help says more"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Session { path, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Unreachable(error) => write!(f, "cannot connect: {error}"),
            Self::Refused(refusal) => write!(f, "connection refused: {refusal}"),
            Self::Denied => f.write_str("the server has granted no subscription"),
            Self::Lost(reason) => write!(f, "connection lost: {reason}"),
            Self::Peer(error) => write!(f, "the server has broken the protocol: {error}"),
            Self::Send(error) => write!(f, "cannot send: {error}"),
            Self::Output(error) => write!(f, "cannot print: {error}"),
            Self::Timeout => f.write_str("time is up"),
        }
    }
}

impl Failure {
    const fn exit_status(&self) -> u8 {
        match self {
            Self::Refused(refusal) => refusal.return_code(),
            Self::Denied => 128, // the return code in SUBACK
            Self::Timeout => 27, // as `mosquitto_sub`
            // The rest as in sysexits.h.
            Self::Usage(_) => 64,
            Self::Session { .. } => 65,
            Self::File { .. } => 66,
            Self::Unreachable(_) | Self::Lost(_) => 69,
            Self::Send(_) => 70,
            Self::Output(_) => 74,
            Self::Peer(_) => 76,
        }
    }
}

fn main() -> ExitCode {
    match arguments::parse(lexopt::Parser::from_env()).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("client: {failure}");
            ExitCode::from(failure.exit_status())
        }
    }
}

fn run(arguments: Option<Arguments>) -> Result<(), Failure> {
    let Some(Arguments { command, link }) = arguments else {
        print!("{}", arguments::HELP);
        return Ok(());
    };
    match command {
        Command::Publish(options) => reconnect::keep_connected(&link, &mut Publisher::new(options)),
        Command::Subscribe(options) => {
            let mut subscriber = Subscriber::new(options);
            reconnect::keep_connected(&link, &mut subscriber)?;
            subscriber.outcome()
        }
    }
}
