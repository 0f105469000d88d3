//! Publishes and subscribes from the command line, with most of the options of `mosquitto_pub`,
//! `mosquitto_sub` and `mosquitto_rr`, on `std`: one blocking socket, one thread that reads from it,
//! and one for standard input. TLS and WebSocket are those of `rustls` and `tungstenite`.
//!
//! ```text
//! $ cargo run -p client -- sub -v -t 'kitchen/#' -q 1 &
//! $ cargo run -p client -- pub -t kitchen/temperature -m 21.5 -q 1
//! kitchen/temperature 21.5
//! ```
//!
//! The part to copy is `connection/`: `driver.rs` drives the protocol, `mod.rs` adds the transport and
//! the clock. `transport.rs` is the socket with TLS and WebSocket. `reconnect.rs` opens one connection
//! after another, `store.rs` keeps the session for the next run, and `publisher.rs`, `subscriber.rs`
//! and `requester.rs` are the applications. The library of this package is the code that
//! `client_tokio` shares.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "the clock does not overflow"
)]
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program for an operating system"
)]

mod connection;
mod publisher;
mod reconnect;
mod requester;
mod store;
mod subscriber;
mod transport;

use std::env;
use std::process::ExitCode;

use client::Failure;
use client::arguments::{self, Arguments, Command, Link, Program};
use client::protocol::Protocol;
use client::time_limit::TimeLimit;
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;

use crate::publisher::Publisher;
use crate::reconnect::keep_connected;
use crate::requester::Requester;
use crate::subscriber::Subscriber;
use crate::transport::Inbox;

const PROGRAM: Program = Program::Client;

fn main() -> ExitCode {
    match arguments::parse(PROGRAM, env::args_os().skip(1)).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("client: {failure}");
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
    if link.is_v5 {
        carry_out::<V5>(&link, command, limit)
    } else {
        carry_out::<V3>(&link, command, limit)
    }
}

fn carry_out<V: Protocol>(link: &Link, command: Command, limit: TimeLimit) -> Result<(), Failure> {
    let inbox = Inbox::default();
    match command {
        Command::Publish(publish) => {
            let mut publisher = Publisher::new(publish, &inbox)?;
            keep_connected::<V>(link, limit, &inbox, &mut publisher)?;
            publisher.outcome()
        }
        Command::Subscribe(subscribe) => {
            let mut subscriber = Subscriber::new(subscribe);
            keep_connected::<V>(link, limit, &inbox, &mut subscriber)?;
            subscriber.outcome()
        }
        Command::Request(request) => {
            let mut requester = Requester::new(request)?;
            keep_connected::<V>(link, limit, &inbox, &mut requester)?;
            requester.outcome()
        }
        Command::Chat(..) => Err(Failure::Usage("use the command pub, sub or rr".to_owned())),
    }
}
