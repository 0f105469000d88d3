//! Decoding of whole packets.

use core::hint::black_box;

use criterion::Criterion;
use mqtt_sansio::v3;

use workload::packets::{UNLIMITED, see, stream};
use workload::{self, Seen};

pub(crate) fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    let not_ascii = ("topics that are not ASCII", workload::not_ascii(2000));
    for (name, packets) in crate::workloads().into_iter().chain([not_ascii]) {
        let stream = stream(&packets);
        group.throughput(crate::throughput(packets.len(), stream.len()));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut input = black_box(&stream[..]);
                let mut seen = Seen::default();
                while let Some(packet) = v3::decode(&mut input, &UNLIMITED).unwrap() {
                    see(&packet, &mut seen);
                }
                seen
            });
        });
    }
    group.finish();
}
