//! An MQTT broker in memory, for MQTT 3.1.1 and 3.1: many clients, wildcards, retained messages,
//! Wills, sessions that outlive their connections.
//!
//! ```text
//! $ cargo run -p broker -- --port 1883
//! listening on 127.0.0.1:1883
//! ```
//!
//! | file | is about |
//! |---|---|
//! | `connection.rs` | one client: its socket, its [`Server`](mqtt_sansio::v3::Server), what it sends |
//! | `broker.rs` | all of them: sessions, who gets what |
//! | `subscriptions.rs` | which clients a topic goes to |
//! | `retained.rs` | messages that are kept for those who subscribe later |
//! | `queue.rs` | messages that wait for a client, and which of them go when there are too many |

#![allow(
    clippy::std_instead_of_alloc,
    reason = "tokio needs std, so there is no point in doing without"
)]

mod arguments;
mod broker;
mod connection;
mod queue;
mod retained;
mod subscriptions;

use core::time::Duration;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mqtt_sansio::Timestamp;
use tokio::net::TcpListener;

use arguments::Settings;
use broker::Broker;

/// What the connections have in common.
struct Shared {
    settings: Settings,
    started: Instant,
    broker: Mutex<Broker>,
}

impl Shared {
    /// The broker. Whatever is done with it is done at once: nothing waits while it is locked.
    fn broker(&self) -> MutexGuard<'_, Broker> {
        self.broker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock that all connections go by.
    fn now(&self) -> Timestamp {
        let millis = self.started.elapsed().as_millis();
        Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// The same moment on tokio's clock.
    fn instant(&self, time: Timestamp) -> tokio::time::Instant {
        let since_start = Duration::from_millis(time.as_millis());
        // Weeks ahead at the most, which no clock is too small for.
        let instant = self.started.checked_add(since_start);
        instant.unwrap_or(self.started).into()
    }

    /// Tells whoever looks on. That nobody does is no reason to stop.
    fn log(&self, line: core::fmt::Arguments<'_>) {
        if !self.settings.quiet {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

/// One thread does it all: between two awaits a connection has the broker to itself, and
/// connections take turns.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = match arguments::parse(lexopt::Parser::from_env()) {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            let printed = io::stdout().write_all(arguments::HELP.as_bytes());
            return ExitCode::from(if printed.is_ok() { 0 } else { 74 });
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "broker: {error}\nTry --help.");
            return ExitCode::from(64);
        }
    };
    let address = (settings.host.clone(), settings.port);
    match serve(settings).await {
        Ok(never) => match never {},
        Err(error) => {
            let (host, port) = address;
            let _ = writeln!(io::stderr(), "broker: {host}:{port}: {error}");
            ExitCode::from(69)
        }
    }
}

async fn serve(settings: Settings) -> io::Result<core::convert::Infallible> {
    let listener = TcpListener::bind((&*settings.host, settings.port)).await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let shared = Arc::new(Shared {
        broker: Mutex::new(Broker::new(&settings)),
        started: Instant::now(),
        settings,
    });
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(connection::serve(stream, peer, Arc::clone(&shared)));
            }
            Err(error) => {
                // The connection has gone already, or there are no file descriptors left: then
                // some will be when others close.
                shared.log(format_args!("accept: {error}"));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
