//! An MQTT client with an asynchronous API, as a starting point for your own. It runs over any
//! `AsyncRead + AsyncWrite`, supports all versions of MQTT, and opens a lost connection again.
//!
//! | file | contains |
//! |---|---|
//! | `client.rs` | the API: [`Client`], [`Delivery`], [`Subscription`] |
//! | `driver.rs` | the task that opens one connection after another |
//! | `requests.rs` | subscriptions, and the distribution of their messages |
//! | `transport.rs` | TCP, TLS and WebSocket |
//! | `main.rs` | a program that uses the library |
//!
//! It shares two files with the blocking program `client`: the differences between versions
//! (`examples/client/src/protocol.rs`), and when to connect again (`retry.rs`).
//!
//! ```no_run
//! use client::protocol::Message;
//! use client_tokio::{Client, Options};
//! use futures_util::StreamExt;
//! use mqtt_sansio::v5::{self, V5};
//! use mqtt_sansio::{QoS, Text, TopicFilter, TopicName};
//! use tokio::net::TcpStream;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options::new(v5::Connect::new(Text::new("device-7")?));
//! let (client, driver) = Client::new::<V5, _, _, _>(options, || TcpStream::connect("127.0.0.1:1883"));
//! tokio::spawn(driver);
//!
//! let mut messages = client.subscribe_to(TopicFilter::new("kitchen/#")?, QoS::AtLeastOnce).await?;
//! let message = v5::Message::new(TopicName::new("kitchen/temperature")?, &b"21.5"[..]);
//! client.publish(message.qos(QoS::AtLeastOnce).to_owned()).await?; // until it is acknowledged
//! while let Some(message) = messages.next().await {
//!     println!("{}: {}", message.topic, message.payload.escape_ascii());
//! } // the message is acknowledged when it is dropped
//! # Ok(())
//! # }
//! ```

#![allow(
    clippy::arithmetic_side_effects,
    reason = "the clock does not overflow"
)]
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "for programs on an operating system"
)]

mod client;
mod driver;
mod requests;
pub mod transport;

pub use self::client::{Client, Delivery, Error, Options, Received, Subscription};
