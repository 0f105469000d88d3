//! This library beside other MQTT 3.1.1 libraries for Rust, on the same packets, in one run.
//!
//! ```text
//! cargo run --release                           # tables of times, allocations and memory
//! cargo run --release -- --rounds 5 decode      # fewer rounds, workloads whose names begin so
//! cargo run -- --check                          # no times: do all of them see and write the same?
//! cargo run --release -- --list                 # what ./instructions goes through
//! ```
//!
//! `./instructions` makes a table of instructions, `./results` all of benches/RESULTS.md.
//!
//! Every library is used in the way that its documentation shows and that is the fastest; the
//! modules in `peers` say what is special about each. The libraries take turns, round by round, so
//! that what else the machine does hits all of them, and the fastest round counts.

mod heap;
mod job;
mod peers;
mod table;
#[path = "../../workload/mod.rs"]
mod workload;
mod workloads;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use job::{Idle, Job, Peer};
use table::{Cell, Table};
use workloads::{Expected, Purpose, Workload};

/// The functions of one library, to have all of them in one list.
pub struct Column {
    name: &'static str,
    work: fn(&Workload) -> job::Work,
    idle: fn() -> Option<Idle>,
}

fn column<P: Peer>() -> Column {
    Column {
        name: P::NAME,
        work: Workload::of::<P>,
        idle: P::idle,
    }
}

/// This library first.
fn columns() -> Vec<Column> {
    vec![
        column::<peers::mqtt_sansio::MqttSansio>(),
        column::<peers::mqttrs::Mqttrs>(),
        column::<peers::rumqtt::Mqttbytes>(),
        column::<peers::rumqtt::Rumqttc>(),
        column::<peers::mqtt_protocol_core::MqttProtocolCore>(),
        column::<peers::ntex_mqtt::NtexMqtt>(),
        column::<peers::flowsdk::Flowsdk>(),
    ]
}

/// Runs once and compares with what is expected.
fn verify(job: &mut dyn Job, expected: &Expected) -> Result<(), String> {
    let checked = catch_unwind(AssertUnwindSafe(|| {
        job.prepare();
        let seen = job.run();
        match expected {
            Expected::Seen(expected) if seen != *expected => {
                Err(format!("has seen {seen:?}, not {expected:?}"))
            }
            Expected::Written(expected) if job.written().as_ref() != Some(expected) => {
                Err("has written something else".to_owned())
            }
            _ => Ok(()),
        }
    }));
    checked.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        Err(text.unwrap_or_else(|| "has panicked".to_owned()))
    })
}

/// What callgrind counts: everything below this call.
#[inline(never)]
fn counted(job: &mut dyn Job) {
    std::hint::black_box(job.run());
}

/// The jobs of one workload that give the right result, by column; what the others got wrong.
type Jobs = Vec<Result<Option<Box<dyn Job>>, String>>;

fn jobs(columns: &[Column], workload: &Workload) -> Jobs {
    let expected = workload.expected();
    let job = |column: &Column| match (column.work)(workload) {
        Some(mut job) => verify(&mut *job, &expected).map(|()| Some(job)),
        None => Ok(None),
    };
    columns.iter().map(job).collect()
}

/// The fastest of several rounds, for each job; fewer rounds if they take long.
fn times(jobs: &mut Jobs, rounds: u32) -> Vec<Duration> {
    const ENOUGH: Duration = Duration::from_secs(6);
    let start = Instant::now();
    let mut best = vec![Duration::MAX; jobs.len()];
    for round in 0..rounds {
        for (job, best) in jobs.iter_mut().zip(&mut best) {
            if let Ok(Some(job)) = job {
                job.prepare();
                let start = Instant::now();
                counted(&mut **job);
                *best = start.elapsed().min(*best);
            }
        }
        if round >= 2 && start.elapsed() > ENOUGH {
            break;
        }
    }
    best
}

fn compare(rounds: u32, chosen: impl Fn(&str) -> bool) {
    let columns = columns();
    let names: Vec<_> = columns.iter().map(|column| column.name).collect();
    let mut time = Table::comparing("Nanoseconds for each packet, message or match", &names);
    let mut heap = Table::new("Calls of the allocator for each", &names);
    for workload in workloads::all(Purpose::Time) {
        if !chosen(&workload.name()) {
            continue;
        }
        eprintln!("{}", workload.name());
        let mut jobs = jobs(&columns, &workload);
        let best = times(&mut jobs, rounds);
        let packets = workload.packets() as f64;
        let (mut times, mut calls) = (Vec::new(), Vec::new());
        for (job, best) in jobs.iter_mut().zip(best) {
            match job {
                Ok(Some(job)) => {
                    times.push(Cell::Number(best.as_secs_f64() * 1e9 / packets));
                    job.prepare();
                    let asked = heap::measure(|| counted(&mut **job));
                    calls.push(Cell::Number(asked.calls as f64 / packets));
                }
                Ok(None) => {
                    times.push(Cell::None);
                    calls.push(Cell::None);
                }
                Err(error) => {
                    eprintln!("{}: {error}", names[times.len()]);
                    times.push(Cell::Wrong);
                    calls.push(Cell::Wrong);
                }
            }
        }
        time.row(workload.name(), times);
        heap.row(workload.name(), calls);
    }
    println!("{time}\n{heap}");

    let mut memory = Table::comparing("Bytes of an idle connection", &names);
    let idle: Vec<_> = columns.iter().map(|column| (column.idle)()).collect();
    let row = |part: fn(&Idle) -> f64| {
        let cell =
            |idle: &Option<Idle>| idle.as_ref().map_or(Cell::None, |i| Cell::Number(part(i)));
        idle.iter().map(cell).collect()
    };
    memory.row("the connection itself".into(), row(|idle| idle.size as f64));
    memory.row("on the heap".into(), row(|idle| idle.heap as f64));
    memory.row(
        "both".into(),
        row(|idle| idle.size as f64 + idle.heap as f64),
    );
    println!("{memory}");
}

fn check() -> ExitCode {
    let columns = columns();
    let (mut checked, mut wrong) = (0, 0);
    for workload in workloads::all(Purpose::Check) {
        for (column, job) in columns.iter().zip(jobs(&columns, &workload)) {
            match job {
                Ok(Some(_)) => checked += 1,
                Ok(None) => {}
                Err(error) => {
                    wrong += 1;
                    println!("{}, {}: {error}", workload.name(), column.name);
                }
            }
        }
    }
    println!("{checked} results are as expected, {wrong} are not");
    if wrong == 0 && checked > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// For callgrind: one workload of one library, once.
fn count(workload: &str, peer: &str) {
    let workloads = workloads::all(Purpose::Count);
    let workload = workloads.iter().find(|each| each.name() == workload);
    let workload = workload.expect("no such workload");
    let column = columns().into_iter().find(|column| column.name == peer);
    let mut job = (column.expect("no such library").work)(workload).expect("nothing to do");
    job.prepare();
    job.run();
    job.prepare();
    counted(&mut *job);
}

/// Workload, number of packets, library: tab-separated, for `./instructions`.
fn list() {
    for workload in workloads::all(Purpose::Count) {
        for column in columns() {
            if (column.work)(&workload).is_some() {
                let (name, packets) = (workload.name(), workload.packets());
                println!("{name}\t{packets}\t{}", column.name);
            }
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--check"] => return check(),
        ["--list"] => list(),
        ["--count", workload, peer] => count(workload, peer),
        ["--rounds", rounds, ref names @ ..] => {
            let rounds = rounds.parse().expect("a number of rounds");
            compare(rounds, |name| is_chosen(name, names));
        }
        ref names => compare(200, |name| is_chosen(name, names)),
    }
    ExitCode::SUCCESS
}

fn is_chosen(name: &str, beginnings: &[&str]) -> bool {
    beginnings.is_empty() || beginnings.iter().any(|start| name.starts_with(start))
}
