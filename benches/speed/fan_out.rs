//! One message to 10,000 subscribers.

use core::time::Duration;
use std::time::Instant;

use criterion::Criterion;

use workload::fan_out::{
    PAYLOAD, Way, begin_anew, copied, encoded_for_each, packets, shared, subscribers, written,
};
use workload::packets::stream;

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
                    // Nobody has acknowledged anything: each round begins anew.
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
