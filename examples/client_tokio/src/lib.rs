//! An MQTT client with an asynchronous API, to copy: over any `AsyncRead + AsyncWrite`, in all
//! versions of MQTT, and with a connection that is opened again when it is lost.
//!
//! | file | is about |
//! |---|---|
//! | `client.rs` | the API: [`Client`], [`Delivery`], [`Subscription`] |
//! | `driver.rs` | the task behind it: one connection after another |
//! | `requests.rs` | subscriptions, and who gets their messages |
//! | `transport.rs` | TCP, TLS and WebSocket |
//! | `main.rs` | a program on top |
//!
//! It shares with the blocking program `client` what differs between the versions
//! (`examples/client/src/protocol.rs`) and when to connect again (`retry.rs`).
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
    reason = "the clock does not reach the end of time"
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
