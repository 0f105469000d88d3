//! Connections, from CONNECT to the end, for both roles and all versions.
//!
//! - `connection.rs`: [`Connection`]; `commands.rs`, `inputs.rs`, `outputs.rs`: the methods of all of
//!   them; `closing.rs`: how they end.
//! - `receive.rs`: from bytes to events and actions, [`Connection::receive`]; `step.rs`: its result;
//!   `topic_alias.rs`: the Topic Aliases that it learns.
//! - `encoded.rs`: messages that are encoded once for many connections.
//! - `machine/`: session, flows of QoS 1 and 2, time. It depends neither on role nor version.
//! - `role.rs`, `version.rs`: the two parameters. `client.rs`, `server.rs`: clients and
//!   servers of any version.
//! - `v3/`, `v5/`: the methods, events and messages of each version.
//! - `action.rs`, `close_reason.rs`, `limit.rs`, `reply.rs`, `error.rs`, `config.rs`, `state.rs`,
//!   `outgoing.rs`: parameters and results.

// First, so that documentation lists the constructor before the methods of other files.
#[expect(clippy::module_inception, reason = "the file of the type `Connection`")]
mod connection;

mod action;
mod client;
mod close_reason;
mod closing;
mod commands;
mod config;
mod encoded;
mod error;
mod inputs;
mod limit;
mod machine;
mod outgoing;
mod outputs;
mod receive;
mod reply;
mod role;
mod server;
mod state;
mod step;
mod topic_alias;
pub(crate) mod v3;
pub(crate) mod v5;
mod version;

pub use action::Action;
pub use close_reason::CloseReason;
pub use config::Config;
pub use connection::Connection;
pub use error::{Blocked, CommandError, HandleError, PeerError, ProtocolError};
pub use limit::Limit;
pub use outgoing::OutgoingMessage;
pub use reply::Reply;
pub use role::{ClientRole, Role, ServerRole};
pub use state::State;
pub use step::Step;
pub use version::Version;
