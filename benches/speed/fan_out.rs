//! One message to 10,000 subscribers, of MQTT 3.1.1 and of both versions.

use core::time::Duration;
use std::time::Instant;

use criterion::Criterion;

use workload::fan_out::{
    PAYLOAD, Way, begin_anew, copied, encoded_for_each, packets, shared, subscribers, written,
};
use workload::fan_out_any as any;
use workload::packets::stream;

/// Through `any::Server`. Every other subscriber speaks MQTT 5 and has a Subscription Identifier.
pub(crate) fn fan_out_any(c: &mut Criterion) {
    const COUNT: usize = 10_000;
    let fresh = any::subscribers(COUNT);
    let message = any::encoded_message();
    let mut group = c.benchmark_group("fan-out to 10,000 of both versions");
    group.throughput(crate::throughput(COUNT, COUNT * PAYLOAD.len()));
    let ways: [(_, any::Way); 4] = [
        ("encoded for each", any::encoded_for_each),
        ("copied", any::copied),
        ("shared", any::shared),
        ("output only", any::output_only),
    ];
    for (name, publish) in ways {
        group.bench_function(name, |b| {
            b.iter_custom(|rounds| {
                let mut taken = Duration::ZERO;
                let mut subscribers = any::subscribers(COUNT);
                for _ in 0..rounds {
                    any::begin_anew(&mut subscribers, &fresh);
                    let start = Instant::now();
                    publish(&message, &mut subscribers);
                    taken += start.elapsed();
                }
                assert!(any::written(&subscribers).len() > COUNT * PAYLOAD.len());
                taken
            });
        });
    }
    group.finish();
}

pub(crate) fn fan_out(c: &mut Criterion) {
    const COUNT: usize = 10_000;
    let fresh = subscribers(COUNT);
    let len = stream(&packets(COUNT)).len();
    let mut group = c.benchmark_group("fan-out to 10,000");
    group.throughput(crate::throughput(COUNT, COUNT * PAYLOAD.len()));
    let ways: [(_, Way); 3] = [
        ("encoded for each", encoded_for_each),
        ("copied", copied),
        ("shared", shared),
    ];
    for (name, publish) in ways {
        group.bench_function(name, |b| {
            b.iter_custom(|rounds| {
                let mut taken = Duration::ZERO;
                let mut subscribers = subscribers(COUNT);
                for _ in 0..rounds {
                    // No message was acknowledged, so each round starts again.
                    begin_anew(&mut subscribers, &fresh);
                    let start = Instant::now();
                    publish(&mut subscribers);
                    taken += start.elapsed();
                }
                assert_eq!(written(&subscribers).len(), len);
                taken
            });
        });
    }
    group.finish();
}
