//! Our programs with other MQTT implementations, on the loopback interface.
//!
//! `client` and `client_tokio` connect to mosquitto; mosquitto's own clients, paho-mqtt, MQTT.js and
//! rumqttc connect to `broker`, and with MQTT 5 mosquitto_rr, gmqtt and aiomqtt. A relay in the test records the bytes of both sides and cuts
//! connections at chosen packets. The library and tshark then decode the recorded bytes strictly.
//!
//! A test whose peer is not installed prints that and passes, unless `MQTT_PEERS` is `required`. With
//! `none` all of them are skipped.
//! `.ci/peers` installs all of them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "peers/broker.rs"]
mod broker;
#[path = "peers/client.rs"]
mod client;
#[path = "peers/dissect.rs"]
mod dissect;
#[path = "peers/installed.rs"]
mod installed;
#[path = "peers/mqtt5.rs"]
mod mqtt5;
#[path = "peers/process.rs"]
mod process;
#[path = "peers/programs.rs"]
mod programs;
#[path = "peers/relay.rs"]
mod relay;
