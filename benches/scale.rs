//! A million idle connections of a broker in one process: their memory, and the time to create them,
//! to find the next deadline, and to send one message to all. Then one message to 10,000 connections,
//! in four ways.
//!
//! ```sh
//! cargo bench -p benches --bench scale                # or another number of connections: -- 100000
//! ```

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

use allocation_counter::measure;
use mqtt_sansio::v5::{Property, SubscriptionIdentifiers};
use mqtt_sansio::{QoS, Receiver, Session, Slot, Slots, Timestamp};
use workload::fan_out_any::{self, encoded_message};
use workload::idle_any::Connection;

fn timed<T>(action: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (action(), start.elapsed())
}

/// Returns the resident memory of the process in bytes, where the system reports it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

/// Returns the shortest of several rounds, which other load disturbs least.
fn shortest(rounds: u32, mut action: impl FnMut()) -> Duration {
    (0..rounds).map(|_| timed(&mut action).1).min().unwrap()
}

fn each(duration: Duration, count: usize) -> f64 {
    duration.as_secs_f64() * 1e9 / count as f64
}

fn run<S: Slots>(name: &str, session: fn() -> Session<S>, count: usize) {
    let before = resident();
    let mut connections: Vec<Connection<S>> = Vec::with_capacity(count);
    let mut creating = Duration::ZERO;
    let heap = measure(|| {
        let numbers = 0..count;
        ((), creating) =
            timed(|| connections.extend(numbers.map(|n| Connection::idle(session(), n))));
    });
    let bytes = size_of::<Connection<S>>() as i64 + heap.bytes_current / count as i64;
    let resident = before
        .zip(resident())
        .map(|(before, now)| (now - before) / count as u64);

    let finding = shortest(10, || {
        let deadlines = connections.iter().filter_map(|it| it.server.poll_timeout());
        // One and a half times the Keep Alive after the first client has sent a packet.
        assert_eq!(deadlines.min(), Some(Timestamp::from_millis(90_000)));
    });

    println!(
        "| {name} | memory | {bytes} bytes each, {} of the process |",
        resident.map_or_else(|| "unknown".to_owned(), |bytes| bytes.to_string()),
    );
    println!(
        "| {name} | create: CONNECT, SUBSCRIBE, PUBLISH | {:.0} ms, {:.0} ns each |",
        creating.as_secs_f64() * 1e3,
        each(creating, count),
    );
    println!(
        "| {name} | next deadline of all | {:.1} ms, {:.1} ns each |",
        finding.as_secs_f64() * 1e3,
        each(finding, count),
    );

    let message = encoded_message();
    let mut room = [0; 8];
    let number = Property::SubscriptionIdentifier(7.try_into().unwrap());
    let identifiers = SubscriptionIdentifiers::encode_to_slice(&mut room, [number]).unwrap();
    let mut sending = Duration::ZERO;
    let mut len = 0;
    // The first message above QoS 0 allocates the slots on the heap, so there is only one round.
    for (qos, rounds) in [(QoS::AtMostOnce, 10), (QoS::AtLeastOnce, 1)] {
        let now = Timestamp::from_millis(count as u64);
        let heap = measure(|| {
            sending = shortest(rounds, || {
                for connection in &mut connections {
                    let receiver = Receiver::new(qos).subscription_identifiers(identifiers);
                    let server = &mut connection.server;
                    let header = server.publish_encoded(now, &message, receiver).unwrap();
                    let slices = black_box(message.slices(&header));
                    len += slices.iter().map(|slice| slice.len()).sum::<usize>();
                }
            });
        });
        println!(
            "| {name} | one message to all at QoS {} | {:.0} ms, {:.0} ns each, {} heap blocks |",
            qos.number(),
            sending.as_secs_f64() * 1e3,
            each(sending, count),
            heap.count_total,
        );
    }
    assert!(len > 2 * count * 64);
}

/// Measures one message to 10,000 receivers: the shortest of many rounds.
fn fan_out() {
    const COUNT: usize = 10_000;
    let fresh = fan_out_any::subscribers(COUNT);
    let mut subscribers = fresh.clone();
    let message = encoded_message();
    let ways: [(_, fan_out_any::Way); 4] = [
        ("shared", fan_out_any::shared),
        ("copied", fan_out_any::copied),
        ("copied, without the library", fan_out_any::output_only),
        ("encoded for each", fan_out_any::encoded_for_each),
    ];
    println!("\n### One message to {COUNT} receivers, every other one of MQTT 5\n");
    println!("| how | ns for each receiver |");
    println!("|---|--:|");
    for (name, publish) in ways {
        let rounds = (0..150).map(|_| {
            fan_out_any::begin_anew(&mut subscribers, &fresh);
            timed(|| publish(&message, &mut subscribers)).1
        });
        let shortest = rounds.min().unwrap();
        println!("| {name} | {:.1} |", each(shortest, COUNT));
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let count = arguments.iter().find_map(|argument| argument.parse().ok());
    let count = count.unwrap_or(1_000_000);
    let is_given = |slots: &str| arguments.iter().any(|argument| argument == slots);
    if is_given("vec") {
        return run("`Vec<Slot>`", Session::<Vec<Slot>>::default, count);
    }
    if is_given("array") {
        return run("`[Slot; 2]`", Session::<[Slot; 2]>::default, count);
    }
    println!("### {count} idle connections, every other one of MQTT 5\n");
    println!("| slots | what | measured |");
    println!("|---|---|---|");
    // Each in its own process, so that its memory is that of its connections.
    for slots in ["vec", "array"] {
        let program = std::env::current_exe().unwrap();
        let mut command = std::process::Command::new(program);
        let status = command.args([slots, &count.to_string()]).status().unwrap();
        assert!(status.success());
    }
    fan_out();
}
