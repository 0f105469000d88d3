//! Matching of Topic Filters and Topic Names.

use core::hint::black_box;

use criterion::Criterion;
use mqtt_sansio::{TopicFilter, TopicName};

use workload::{FILTERS, MATCHES, TOPICS};

pub(crate) fn matching(c: &mut Criterion) {
    let filters = FILTERS.map(|filter| TopicFilter::new(filter).unwrap());
    let topics = TOPICS.map(|topic| TopicName::new(topic).unwrap());
    let bytes: usize = TOPICS.iter().map(|topic| topic.len()).sum();
    let mut group = c.benchmark_group("matching");
    group.throughput(crate::throughput(
        filters.len() * topics.len(),
        filters.len() * bytes,
    ));
    group.bench_function("6 filters on 8 topics", |b| {
        b.iter(|| {
            let mut matches = 0;
            for filter in black_box(&filters) {
                matches += topics.iter().filter(|topic| filter.matches(topic)).count();
            }
            assert_eq!(matches as u64, MATCHES);
        });
    });
    group.finish();
}
