//! An MQTT broker in memory, for MQTT 5, 3.1.1 and 3.1 on one port: many clients, wildcards, retained
//! messages, Wills, Shared Subscriptions, sessions that outlive their connections.
//!
//! ```text
//! $ cargo run -p broker -- --port 1883
//! listening on 127.0.0.1:1883
//! ```
//!
//! | file | contains |
//! |---|---|
//! | `connection.rs` | one client: its [`Server`](mqtt_sansio::any::Server), from bytes to events and back |
//! | `connection/` | CONNECT; messages and requests of the client; messages to the client |
//! | `listener.rs` | the ports: TCP, TLS, WebSocket |
//! | `transport.rs`, `tls.rs`, `websocket.rs` | the byte stream of a connection |
//! | `admission.rs` | authentication |
//! | `broker.rs` | all clients, and the distribution of messages |
//! | `broker/` | how sessions and subscriptions begin and end |
//! | `client.rs` | the state of one client while its session is kept |
//! | `subscriptions.rs` | the receivers of a topic, and turns in Shared Subscriptions |
//! | `retained.rs` | retained messages |
//! | `queue.rs` | messages that wait for a client, and which are dropped |
//! | `message.rs` | a message, and its properties for a receiver |
//! | `timers.rs` | timers: sessions and messages expire, Wills are published |

#![allow(clippy::std_instead_of_alloc, reason = "tokio needs std")]

mod admission;
mod arguments;
mod broker;
mod client;
mod connection;
mod listener;
mod message;
mod queue;
mod retained;
mod subscriptions;
mod timers;
mod tls;
mod transport;
mod websocket;

use core::time::Duration;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mqtt_sansio::Timestamp;

use arguments::Settings;
use broker::Broker;
use listener::Listener;

/// How long connections may take to end when the broker stops.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The state that connections share.
struct Shared {
    settings: Settings,
    started: Instant,
    broker: Mutex<Broker>,
}

impl Shared {
    /// The broker. No task waits while it is locked.
    fn broker(&self) -> MutexGuard<'_, Broker> {
        self.broker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock of all connections.
    fn now(&self) -> Timestamp {
        let millis = self.started.elapsed().as_millis();
        Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// Converts a time to tokio's clock.
    fn instant(&self, time: Timestamp) -> tokio::time::Instant {
        let since_start = Duration::from_millis(time.as_millis());
        // At most weeks ahead, which every clock can represent.
        let instant = self.started.checked_add(since_start);
        instant.unwrap_or(self.started).into()
    }

    /// Writes a line to standard error. If that fails, the broker continues.
    fn log(&self, line: core::fmt::Arguments<'_>) {
        if !self.settings.quiet {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

/// Runs on one thread: between two awaits a connection has exclusive access to the broker.
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
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (host, port) = address;
            let _ = writeln!(io::stderr(), "broker: {host}:{port}: {error}");
            ExitCode::from(69)
        }
    }
}

async fn serve(settings: Settings) -> io::Result<()> {
    let tls = match &settings.tls {
        Some(files) => Some(tls::acceptor(&files.certificate, &files.key)?),
        None => None,
    };
    let listener = Listener::bind((&settings.host, settings.port), tls.clone(), false).await?;
    let websocket = match settings.websocket_port {
        Some(port) => Some(Listener::bind((&settings.host, port), tls, true).await?),
        None => None,
    };
    let mut ready = format!("listening on {}\n", listener.local_addr()?);
    if let Some(websocket) = &websocket {
        ready += &format!("listening for WebSocket on {}\n", websocket.local_addr()?);
    }
    // Written at once: a reader of the first line may close the pipe after it.
    io::stdout().write_all(ready.as_bytes())?;
    let shared = Arc::new(Shared {
        broker: Mutex::new(Broker::new(&settings)),
        started: Instant::now(),
        settings,
    });
    let accept_websocket = async {
        match &websocket {
            Some(websocket) => websocket.accept(&shared).await,
            None => core::future::pending().await,
        }
    };
    tokio::select! {
        () = listener.accept(&shared) => {}
        () = accept_websocket => {}
        () = keep_time(&shared) => {}
        stopped = stop_requested() => stopped?,
    }
    shut_down(&shared).await;
    Ok(())
}

/// Runs the timers of the broker: sessions and messages expire, Wills are published.
async fn keep_time(shared: &Shared) {
    loop {
        let now = shared.now();
        let (next, changed) = {
            let mut broker = shared.broker();
            broker.handle_time(now);
            broker.next_timer()
        };
        tokio::select! {
            () = connection::wait_until(next.map(|next| shared.instant(next))) => {}
            () = changed.notified() => {}
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn stop_requested() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Ends all connections, and waits for a moment until they have ended.
async fn shut_down(shared: &Shared) {
    let connections = shared.broker().shut_down();
    let all = async {
        for connection in connections {
            connection.closed().await;
        }
        // The connections send their last bytes after that.
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, all).await;
}
