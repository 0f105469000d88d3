//! Trees of topics compared with a linear scan: time of a search, heap bytes for each key.
//! `cargo bench --bench topic_tree`

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use core::hint::black_box;
use std::time::Instant;

use allocation_counter::measure;
use fastrand::Rng;
use mqtt_sansio::{FilterTree, TopicFilter, TopicName, TopicTree};

type Filter = TopicFilter<Vec<u8>>;
type Topic = TopicName<Vec<u8>>;

/// A device that subscribes to its own commands, and a few subscribers to many devices.
fn filter(device: usize, random: &mut Rng) -> Filter {
    let site = device / 100;
    match random.u32(..100) {
        0 => format!("site/{site}/+/{device}/#"),
        1 => format!("site/+/device/{device}/state"),
        2 => format!("$share/workers/site/{site}/device/{device}/job"),
        _ => format!("site/{site}/device/{device}/command"),
    }
    .parse()
    .unwrap()
}

fn topic(device: usize) -> Topic {
    let site = device / 100;
    format!("site/{site}/device/{device}/command")
        .parse()
        .unwrap()
}

/// Returns the nanoseconds of one call, averaged over half a second.
fn time(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0_u32;
    while start.elapsed().as_millis() < 500 {
        call();
        calls += 1;
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn main() {
    let random = &mut Rng::with_seed(5);
    println!("| keys | search | tree, ns | linear scan, ns | heap bytes a key |");
    println!("|--:|---|--:|--:|--:|");
    for count in [100, 10_000, 1_000_000] {
        let filters: Vec<_> = (0..count).map(|device| filter(device, random)).collect();
        let topics: Vec<_> = (0..count).map(topic).collect();

        let mut tree = FilterTree::new();
        let heap = measure(|| {
            for (value, filter) in filters.iter().enumerate() {
                tree.insert(filter, value);
            }
        });
        let mut next = || &topics[random.usize(..count)];
        let in_tree = time(|| {
            black_box(tree.matches(next()).count());
        });
        let in_list = time(|| {
            let topic = next();
            black_box(
                filters
                    .iter()
                    .filter(|filter| filter.matches(topic))
                    .count(),
            );
        });
        let bytes = heap.bytes_current / count as i64;
        println!("| {count} | filters of a topic | {in_tree:.0} | {in_list:.0} | {bytes} |");

        let mut tree = TopicTree::new();
        let heap = measure(|| {
            for (value, topic) in topics.iter().enumerate() {
                tree.insert(topic, value);
            }
        });
        let mut next = || -> Filter {
            let site = random.usize(..count.div_ceil(100));
            format!("site/{site}/+/+/command").parse().unwrap()
        };
        let in_tree = time(|| {
            black_box(tree.matches(&next()).count());
        });
        let in_list = time(|| {
            let filter = next();
            black_box(topics.iter().filter(|topic| filter.matches(topic)).count());
        });
        let bytes = heap.bytes_current / count as i64;
        println!(
            "| {count} | topics of a filter, 100 found | {in_tree:.0} | {in_list:.0} | {bytes} |"
        );
    }
}
