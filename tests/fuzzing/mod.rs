//! What the fuzz targets do with their bytes. `cargo test --test fuzz` replays regressions and
//! seeds through them, `cargo +nightly fuzz run TARGET` makes up bytes of its own.
//!
//! A body stops with a panic at what it does not expect; that is its purpose.

mod codec;
mod connection;
mod decode;
mod input;
#[cfg(feature = "arbitrary")]
mod roundtrip;
mod session;
mod simulation;
mod split;

pub use connection::{client, server};
pub use decode::decode;
#[cfg(feature = "arbitrary")]
pub use roundtrip::roundtrip;
pub use session::session;
pub use simulation::simulation;
pub use split::split;
