//! All versions of MQTT on one port: [`Protocol`] tells from the first bytes of a connection which
//! one the peer speaks, and [`Decoder`] decodes the connection accordingly.

mod decoder;
mod protocol;
mod start;

pub use decoder::{DecodeError, Decoder, Packet};
pub use protocol::{OtherProtocol, Protocol, ProtocolVersion};
