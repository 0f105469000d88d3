//! Connections: what is sent and received between CONNECT and the end, for either role.
//!
//! `delivery.rs` holds the flows of QoS 1 and 2. `core.rs`, `commands.rs` and `inputs.rs` are what both
//! roles share, `both_roles.rs` how it is offered, `client.rs` and `server.rs` what only one of them
//! does. `state.rs` says what has to be done before the next packet. `receive.rs` is for who would rather
//! hand in bytes than packets.

mod action;
mod both_roles;
mod client;
mod commands;
mod config;
mod core;
mod delivery;
mod error;
mod event;
mod inputs;
mod receive;
mod server;
mod state;

pub use action::{Action, CloseReason, Reply};
pub use client::Client;
pub use config::Config;
pub use error::{Blocked, CommandError, HandleError, PeerError};
pub use event::{Event, Message, MessageHeader};
pub use receive::Step;
pub use server::Server;
pub use state::State;
