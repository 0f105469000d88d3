//! Encoding: of complete packets, and from the fields of an application.

use core::hint::black_box;

use criterion::Criterion;
use mqtt_sansio::v3::Packet;
use mqtt_sansio::{Encode, SliceOutput};

use workload::packets::{Built, build, stream};

pub(crate) fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    for (name, fields) in crate::workloads() {
        let packets: Vec<_> = fields.iter().map(build).collect();
        let len = stream(&fields).len();
        group.throughput(crate::throughput(packets.len(), len));
        let mut vector = Vec::with_capacity(len);
        group.bench_function(format!("{name} to a vector"), |b| {
            b.iter(|| {
                vector.clear();
                for packet in black_box(&packets) {
                    packet.encode(&mut vector);
                }
                vector.len()
            });
        });
        let mut buffer = vec![0; len];
        group.bench_function(format!("{name} to a slice"), |b| {
            b.iter(|| {
                let mut out = SliceOutput::new(&mut buffer);
                for packet in black_box(&packets) {
                    packet.encode(&mut out);
                }
                out.written().len()
            });
        });
        group.bench_function(format!("{name} from fields"), |b| {
            b.iter(|| {
                vector.clear();
                for fields in black_box(&fields) {
                    build(fields).encode(&mut vector);
                }
                vector.len()
            });
        });
    }
    // For a vectored write, which does not copy the payload.
    let fields = workload::large(1024 * 1024, 1);
    let mut out = Vec::with_capacity(64);
    for fields in &fields {
        let Built::Whole(Packet::Publish(publish)) = build(fields) else {
            continue;
        };
        group.throughput(crate::throughput(1, publish.payload.len()));
        group.bench_function("1 MiB, payload by reference", |b| {
            b.iter(|| {
                out.clear();
                let header = black_box(&publish).header().unwrap();
                header.encode(&mut out).unwrap();
                out.len()
            });
        });
    }
    group.finish();
}
