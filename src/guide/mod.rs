//! Guides: how to write a client, a broker, and what goes around them. [`embedding`](crate::embedding)
//! is the one for firmware.

#[doc = include_str!("client.md")]
pub mod client {}

#[doc = include_str!("broker.md")]
pub mod broker {}

#[doc = include_str!("persistence.md")]
pub mod persistence {}

#[doc = include_str!("mqtt5.md")]
pub mod mqtt5 {}

#[doc = include_str!("coming_from.md")]
pub mod coming_from {}
