//! Decoding of a split stream, whole packets or in pieces.

use core::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use mqtt_sansio::Piece;
use mqtt_sansio::v3::Decoder;

use workload::packets::{UNLIMITED, see, stream};
use workload::{self, Seen};

pub(crate) fn streaming(c: &mut Criterion) {
    let mut group = c.benchmark_group("streaming");
    let packets = workload::mix(2000);
    let mix = stream(&packets);
    group.throughput(crate::throughput(packets.len(), mix.len()));
    for chunk in [1, 7, 64, 1460] {
        group.bench_function(BenchmarkId::new("mix", chunk), |b| {
            let mut decoder = Decoder::with_options(Vec::new(), UNLIMITED);
            b.iter(|| whole(&mut decoder, black_box(&mix), chunk));
        });
    }
    for (size, name) in [(64 * 1024, "64 KiB"), (1024 * 1024, "1 MiB")] {
        let large = stream(&workload::large(size, 1));
        group.throughput(crate::throughput(1, large.len()));
        group.bench_function(BenchmarkId::new(format!("{name} gathered"), 1460), |b| {
            let mut decoder = Decoder::with_options(Vec::new(), UNLIMITED);
            b.iter(|| whole(&mut decoder, black_box(&large), 1460));
        });
        group.bench_function(BenchmarkId::new(format!("{name} in pieces"), 1460), |b| {
            let mut decoder = Decoder::with_options([0; 512], UNLIMITED);
            b.iter(|| {
                let mut seen = Seen::default();
                for mut input in black_box(&large).chunks(1460) {
                    while let Some(piece) = decoder.decode_in_pieces(&mut input).unwrap() {
                        match piece {
                            Piece::Packet(packet) => see(&packet, &mut seen),
                            Piece::PublishHeader(header) => seen.bytes(header.topic.as_bytes()),
                            Piece::Payload { bytes, .. } => seen.bytes(bytes),
                        }
                    }
                }
                seen
            });
        });
    }
    group.finish();
}

fn whole(decoder: &mut Decoder<Vec<u8>>, stream: &[u8], chunk: usize) -> Seen {
    let mut seen = Seen::default();
    for mut input in stream.chunks(chunk) {
        while let Some(packet) = decoder.decode(&mut input).unwrap() {
            see(&packet, &mut seen);
        }
    }
    seen
}
