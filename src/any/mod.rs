//! All versions of MQTT on one port. [`Protocol`] recognises the protocol of a connection by its
//! first bytes. [`Decoder`] decodes every version. [`Server`] is the server's side of a connection
//! of any version, with one set of events and commands.

// First, so that documentation lists the constructor before the methods of other files.
mod server;

mod action;
mod commands;
mod connect;
mod decoder;
mod event;
mod lowered;
mod protocol;
mod start;
mod step;

pub use action::{Action, CloseReason};
pub use connect::Connect;
pub use decoder::{DecodeError, Decoder, Packet};
pub use event::Event;
pub use protocol::{OtherProtocol, Protocol, ProtocolVersion};
pub use server::Server;
pub use step::Step;
