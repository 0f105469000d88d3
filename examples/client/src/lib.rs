//! The code that the programs `client` and `client_tokio` share: the command line, the versions of
//! MQTT, and when to connect again.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "the clock does not overflow"
)]
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "for programs on an operating system"
)]

pub mod address;
pub mod arguments;
pub mod failure;
pub mod outgoing;
pub mod output;
pub mod property;
pub mod protocol;
pub mod retry;
pub mod time_limit;
pub mod tls;
pub mod trace;

pub use failure::Failure;
