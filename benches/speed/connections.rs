//! Client and server connected with each other: messages from publishing to completion, through
//! bytes.

use core::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use mqtt_sansio::QoS;
use mqtt_sansio::v3::V3;

use workload::pair::{pair_for, small_pair};
use workload::{Order, TOPIC};

pub(crate) fn connections(c: &mut Criterion) {
    let mut group = c.benchmark_group("connections");
    let payload = [7; 64];
    group.throughput(crate::throughput(1, payload.len()));
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut pair = small_pair::<V3>();
        group.bench_function(format!("a message at {qos}"), |b| {
            b.iter(|| pair.deliver(qos, black_box(TOPIC), black_box(&payload)));
        });
    }
    for messages in [1, 10_000, 65_535] {
        let mut pair = pair_for(messages);
        group.throughput(crate::throughput(messages, 16 * messages));
        for order in Order::ALL {
            if messages == 1 && order != Order::AsSent {
                continue;
            }
            let name = format!("in flight, acknowledged {}", order.name());
            group.bench_function(BenchmarkId::new(name, messages), |b| {
                b.iter(|| assert_eq!(pair.deliver_window(messages, order), messages));
            });
        }
    }
    group.finish();
}
