//! Guides: how to write a client, a broker, and what goes around them. [`embedding`](crate::embedding)
//! is the one for firmware. The examples need the feature `alloc`.
//
// NAME.uri defines the picture that a guide shows, with its data, because a page of rustdoc cannot refer
// to files. Each guide ends with a definition that refers to the file. Markdown uses the first of both.

#[doc = include_str!("../../doc/pictures/application_loop.uri")]
#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("client.md"))]
pub mod client {}

#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("broker.md"))]
pub mod broker {}

#[doc = include_str!("../../doc/pictures/qos2.uri")]
#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("persistence.md"))]
pub mod persistence {}

#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("mqtt5.md"))]
pub mod mqtt5 {}

#[cfg_attr(any(not(doctest), feature = "alloc"), doc = include_str!("coming_from.md"))]
pub mod coming_from {}
