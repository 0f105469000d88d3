//! The bodies of the fuzz targets are in `../tests/fuzzing`, where `cargo test` compiles them and
//! runs the regressions. Only `differential` is here, because it needs the other decoders.

#![allow(
    dead_code,
    unused_imports,
    reason = "the tests use more of these files than the targets do"
)]

#[path = "../../tests/common/mod.rs"]
mod common;
mod differential;
#[path = "../../tests/fuzzing/mod.rs"]
pub mod fuzzing;
#[path = "../../tests/simulation/mod.rs"]
mod simulation;

pub use differential::differential;
