//! Connections: what is sent and received between CONNECT and the end, for either role.
//!
//! `delivery.rs` holds the flows of QoS 1 and 2, `core.rs` what both roles share, `both_roles.rs` how
//! it is offered, `client.rs` and `server.rs` what only one of them does. `receive.rs` is for who would
//! rather hand in bytes than packets.

mod action;
mod both_roles;
mod client;
mod config;
mod core;
mod delivery;
mod error;
mod event;
mod receive;
mod server;

pub use self::core::State;
pub use action::{Action, CloseReason, Control};
pub use client::Client;
pub use config::Config;
pub use error::{HandleError, NotNow, PeerError, SendError};
pub use event::{Event, Message, MessageHeader};
pub use receive::Step;
pub use server::Server;
