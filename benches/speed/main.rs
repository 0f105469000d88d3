//! Speed in bytes and packets: `cargo bench --bench speed`. `-- --quick` is a short run,
//! `-- decode` runs one subject.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

mod connections;
mod decode;
mod encode;
mod fan_out;
mod matching;
mod streaming;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use workload::Fields;

/// The packets that are encoded and decoded.
fn workloads() -> [(&'static str, Vec<Fields>); 4] {
    [
        ("small", workload::small(2000)),
        ("mix", workload::mix(2000)),
        ("64 KiB", workload::large(64 * 1024, 16)),
        ("1 MiB", workload::large(1024 * 1024, 2)),
    ]
}

/// Makes criterion print packets and bytes a second.
const fn throughput(packets: usize, bytes: usize) -> Throughput {
    Throughput::ElementsAndBytes {
        elements: packets as u64,
        bytes: bytes as u64,
    }
}

fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(core::time::Duration::from_millis(500))
        .measurement_time(core::time::Duration::from_secs(3))
}

criterion_group! {
    name = speed;
    config = settings();
    targets = decode::decode, streaming::streaming, encode::encode, connections::connections,
        matching::matching, fan_out::fan_out, fan_out::fan_out_any
}
criterion_main!(speed);
