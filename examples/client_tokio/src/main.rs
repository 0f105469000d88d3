//! Publishes and subscribes from the command line, with most of the options of `mosquitto_pub`,
//! `mosquitto_sub` and `mosquitto_rr`, on tokio. Without a command it does both at once.
//!
//! ```text
//! $ cargo run -p client_tokio -- -t 'chat/#' --publish chat/me
//! ```
//!
//! The part to copy is the library of this package. This program is an application of it.

#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program for an operating system"
)]

mod publisher;
mod subscriber;
mod traced;

use std::env;
use std::future::pending;
use std::process::ExitCode;
use std::time::Duration;

use client::Failure;
use client::arguments::{self, Arguments, Command, Link, Program};
use client::protocol::Protocol;
use client::time_limit::TimeLimit;
use client_tokio::{Client, Error, Options, Subscription, transport};
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use crate::traced::Traced;

const PROGRAM: Program = Program::ClientTokio;

fn main() -> ExitCode {
    match arguments::parse(PROGRAM, env::args_os().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("client_tokio: {failure}");
            ExitCode::from(failure.exit_status())
        }
    }
}

fn run(arguments: Option<Arguments>) -> Result<(), Failure> {
    let Some(Arguments { link, command }) = arguments else {
        print!("{}", PROGRAM.help());
        return Ok(());
    };
    let limit = TimeLimit::start(PROGRAM.name(), link.time_limit);
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::Unreachable)?;
    let outcome = if link.is_v5 {
        runtime.block_on(serve::<V5>(link, command, limit))
    } else {
        runtime.block_on(serve::<V3>(link, command, limit))
    };
    // Does not wait for the thread that may be blocked in reading a line.
    runtime.shutdown_background();
    outcome
}

/// Runs the command and the driver of its client concurrently.
async fn serve<V: Protocol>(link: Link, command: Command, limit: TimeLimit) -> Result<(), Failure> {
    let tls = link.tls_config()?;
    let (address, debug) = (link.address, link.debug);
    let dial = || {
        let stream = transport::connect(address.clone(), tls.clone());
        async move {
            let stream = stream.await?;
            let traced: Box<dyn transport::Stream> = match debug {
                true => Box::new(Traced::<V>::new(stream)),
                false => stream,
            };
            Ok(traced)
        }
    };
    let options = Options {
        connect: link.connect,
        config: link.config,
        reconnect: link.reconnect,
        max_pause: link.max_pause,
        on_lost: |lost| eprintln!("client_tokio: {lost}; connecting again"),
        max_queued: 10_000,
    };
    let (client, driver) = Client::new::<V, _, _, _>(options, dial);
    tokio::pin!(driver);
    // Kept until the connection has ended, because dropped messages are acknowledged.
    let mut subscription = None;
    let mut outcome = None;
    let application = async {
        outcome = Some(carry_out(&client, command, &mut subscription).await);
        // The driver returns how the connection ended.
        let _ = client.disconnect(link.disconnect.clone()).await;
        pending::<()>().await;
    };
    let time_is_up = async {
        match limit.left() {
            Some(left) => sleep(left).await,
            None => pending().await,
        }
    };
    let ended = tokio::select! {
        ended = &mut driver => Some(ended),
        () = application => None,
        () = time_is_up => None,
    };
    match (ended, outcome) {
        // Errors of the application follow from this failure.
        (Some(Err(failure)), _) => Err(failure),
        (Some(Ok(())), outcome) => outcome.unwrap_or(Ok(())),
        // The command is complete, and only the end of the connection is missing.
        (None, Some(outcome)) if subscription.is_some() => outcome,
        (None, _) => {
            let disconnect = client.disconnect(link.disconnect);
            let _ = timeout(Duration::from_secs(1), async {
                tokio::join!(disconnect, driver)
            })
            .await;
            Err(Failure::Timeout)
        }
    }
}

async fn carry_out(
    client: &Client,
    command: Command,
    subscription: &mut Option<Subscription>,
) -> Result<(), Failure> {
    match command {
        Command::Publish(publish) => publisher::publish(client, publish).await,
        Command::Subscribe(subscriber) => {
            subscriber::subscribe(client, subscriber, subscription).await
        }
        Command::Request(request) => subscriber::request(client, request, subscription).await,
        Command::Chat(subscribe, message) => {
            subscriber::chat(client, subscribe, message, subscription).await
        }
    }
}

/// Why a command failed. If the driver ended, its result has the reason.
fn failed(error: Error) -> Failure {
    match error {
        Error::Command(error) => Failure::Send(error),
        Error::Refused(_) => Failure::Denied,
        Error::Ended | Error::Undelivered(_) => Failure::Lost(error.to_string()),
    }
}
