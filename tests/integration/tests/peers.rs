//! Our programs against MQTT implementations that nobody here wrote, on the loopback interface.
//!
//! `client` and `client_tokio` talk to mosquitto; mosquitto's own clients, paho-mqtt, MQTT.js and
//! rumqttc talk to `broker`. All of it goes through a relay in the test, which writes down what
//! either side sends and cuts connections at chosen packets. What was written down is then decoded
//! strictly by the library, and by tshark.
//!
//! A test whose peer is not installed says so and passes, unless `MQTT_PEERS` is `required`. If it is
//! `none`, all of them are skipped.
//! `.ci/peers` installs all of them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]

#[path = "peers/broker.rs"]
mod broker;
#[path = "peers/client.rs"]
mod client;
#[path = "peers/dissect.rs"]
mod dissect;
#[path = "peers/installed.rs"]
mod installed;
#[path = "peers/process.rs"]
mod process;
#[path = "peers/programs.rs"]
mod programs;
#[path = "peers/relay.rs"]
mod relay;
