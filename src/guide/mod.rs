//! Guides: how to write a client, a broker, and what goes around them. [`embedding`](crate::embedding)
//! is the one for firmware. The examples need the feature `alloc`.

#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("client.md"))]
pub mod client {}

#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("broker.md"))]
pub mod broker {}

#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("persistence.md"))]
pub mod persistence {}

#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("mqtt5.md"))]
pub mod mqtt5 {}

#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("coming_from.md"))]
pub mod coming_from {}
