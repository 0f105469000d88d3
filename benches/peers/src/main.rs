//! Compares this library with other MQTT libraries for Rust, on the same packets, in one run.
//!
//! ```text
//! cargo run --release                           # tables of times, allocations and memory
//! cargo run --release -- --rounds 5 decode      # fewer rounds, workloads whose names begin so
//! cargo run -- --check                          # no times: checks that the results agree
//! cargo run --release -- --list                 # the workloads for ./instructions
//! ```
//!
//! `./instructions` makes a table of instructions, `./results` all of benches/RESULTS.md.
//!
//! Every library is used in the fastest way that its documentation shows; the modules in `peers`
//! describe what is special about each. The libraries take turns, round by round, so that other
//! load affects all of them, each runs twice in its turn, and the fastest run counts.

mod heap;
mod job;
mod peers;
mod table;
#[path = "../../workload/mod.rs"]
mod workload;
mod workloads;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use job::{Idle, Job, Peer};
use table::{Cell, Table};
use workload::version::PacketFields;
use workload::{Fields, v5};
use workloads::{Expected, Purpose, Workload};

/// The functions of one library.
pub struct Column<F: 'static> {
    name: &'static str,
    work: fn(&Workload<F>) -> job::Work,
    decode: fn(Rc<[u8]>) -> job::Work,
    faults: &'static [&'static str],
    idle: fn() -> Option<Idle>,
}

impl<F: PacketFields> Column<F> {
    fn is_known_fault(&self, workload: &Workload<F>) -> bool {
        let name = workload.name();
        self.faults.iter().any(|fault| name.starts_with(fault))
    }

    /// Returns how many of these packets the library decodes, if it decodes packets.
    fn accepted(&self, all: &[&'static str]) -> Option<usize> {
        (self.decode)(Rc::from(&[][..]))?;
        // A library that refuses a packet ends the job with a panic.
        let is_accepted = |packet: &Vec<u8>| {
            let seen = quietly(|| {
                let mut job = (self.decode)(Rc::from(&packet[..])).expect("as before");
                job.prepare();
                job.run()
            });
            seen.is_ok_and(|seen| seen.packets > 0)
        };
        let all = all.iter().flat_map(|lines| packets(lines));
        Some(all.filter(is_accepted).count())
    }
}

fn column<F: PacketFields, P: Peer<F>>() -> Column<F> {
    Column {
        name: P::NAME,
        work: Workload::of::<P>,
        decode: P::decode,
        faults: P::FAULTS,
        idle: P::idle,
    }
}

/// A version of MQTT: its libraries, its workloads, and packets that every library must refuse.
struct Comparison<F: 'static> {
    /// The prefix of the names of its tables.
    title: &'static str,
    /// This library first.
    columns: Vec<Column<F>>,
    workloads: fn(Purpose) -> Vec<Workload<F>>,
    /// One packet in a line, in hexadecimal after `"hex":`.
    malformed: &'static [&'static str],
    /// Packets that every library must accept, in the same form.
    valid: &'static [&'static str],
}

fn mqtt_5() -> Comparison<v5::Fields> {
    Comparison {
        title: "MQTT 5: ",
        columns: vec![
            column::<_, peers::mqtt_sansio::MqttSansio>(),
            column::<_, peers::rumqtt5::Mqttbytes>(),
            column::<_, peers::rumqtt5::Rumqttc>(),
            column::<_, peers::mqtt_protocol_core::MqttProtocolCore>(),
            column::<_, peers::ntex_mqtt::NtexMqtt>(),
            column::<_, peers::flowsdk::Flowsdk>(),
            column::<_, peers::mqtt5_protocol::Mqtt5Protocol>(),
            column::<_, peers::mqtt_codec_kit::MqttCodecKit>(),
            column::<_, peers::mqtt_proto::MqttProto>(),
        ],
        workloads: workloads::of_5,
        malformed: &[
            include_str!("../../../testdata/mqtt5/malformed.jsonl"),
            include_str!("../../../testdata/mqtt5/malformed_own.jsonl"),
        ],
        valid: &[include_str!("../../../testdata/mqtt5/valid.jsonl")],
    }
}

fn mqtt_3_1_1() -> Comparison<Fields> {
    let columns = vec![
        column::<_, peers::mqtt_sansio::MqttSansio>(),
        column::<_, peers::mqttrs::Mqttrs>(),
        column::<_, peers::rumqtt::Mqttbytes>(),
        column::<_, peers::rumqtt::Rumqttc>(),
        column::<_, peers::mqtt_protocol_core::MqttProtocolCore>(),
        column::<_, peers::ntex_mqtt::NtexMqtt>(),
        column::<_, peers::flowsdk::Flowsdk>(),
        column::<_, peers::mqtt_codec_kit::MqttCodecKit>(),
        column::<_, peers::mqtt_proto::MqttProto>(),
    ];
    Comparison {
        title: "",
        columns,
        workloads: workloads::of_3_1_1,
        malformed: &[
            include_str!("../../../testdata/conformance/malformed.jsonl"),
            include_str!("../../../testdata/malformed_own.jsonl"),
        ],
        valid: &[include_str!("../../../testdata/conformance/valid.jsonl")],
    }
}

/// Calls `f` and returns its panic, which is not printed.
fn quietly<R>(f: impl FnOnce() -> R) -> std::thread::Result<R> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(f));
    std::panic::set_hook(hook);
    result
}

/// Runs a job once and compares its result with the expected one.
fn verify<F: PacketFields>(job: &mut dyn Job, expected: &Expected<F>) -> Result<(), String> {
    let checked = quietly(|| {
        job.prepare();
        let seen = job.run();
        expected.check(seen, job.written())
    });
    checked.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        Err(text.unwrap_or_else(|| "has panicked".to_owned()))
    })
}

/// The function that callgrind measures, with everything that it calls.
#[inline(never)]
fn counted(job: &mut dyn Job) {
    std::hint::black_box(job.run());
}

/// The jobs of one workload with the right result, by column, and the errors of the others.
type Jobs = Vec<Result<Option<Box<dyn Job>>, String>>;

/// The fastest of several rounds, for each job; fewer rounds if they take long.
fn times(jobs: &mut Jobs, rounds: u32) -> Vec<Duration> {
    const ENOUGH: Duration = Duration::from_secs(6);
    let start = Instant::now();
    let mut best = vec![Duration::MAX; jobs.len()];
    for round in 0..rounds {
        for (job, best) in jobs.iter_mut().zip(&mut best) {
            let Ok(Some(job)) = job else { continue };
            // Twice: the others have evicted this library's buffers from the caches.
            for _ in 0..2 {
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

/// Returns the bytes after `"hex":` of each line.
fn packets(lines: &'static str) -> impl Iterator<Item = Vec<u8>> {
    // Packets that are malformed only in some state, or for some receivers, are left out.
    let others = [
        "\"kind\":\"state\"",
        "\"kind\":\"semantic\"",
        "\"expect\":[\"reject\",\"accept\"]",
    ];
    let is_malformed = move |line: &&str| !others.iter().any(|other| line.contains(other));
    // Large packets have another notation.
    let hex = |line: &'static str| line.split_once("\"hex\":").map(|(_, hex)| hex.trim_start());
    lines
        .lines()
        .filter(is_malformed)
        .filter_map(hex)
        .map(|hex| {
            let hex = hex.trim_start_matches('"');
            let hex = &hex[..hex.find('"').expect("the end of a packet")];
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
            (0..hex.len()).step_by(2).map(byte).collect()
        })
}

impl<F: PacketFields> Comparison<F> {
    fn name(&self, workload: &Workload<F>) -> String {
        format!("{}{}", self.title, workload.name())
    }

    fn jobs(&self, workload: &Workload<F>) -> Jobs {
        let expected = workload.expected();
        let job = |column: &Column<F>| match (column.work)(workload) {
            Some(mut job) => verify(&mut *job, &expected).map(|()| Some(job)),
            None => Ok(None),
        };
        self.columns.iter().map(job).collect()
    }

    fn compare(&self, rounds: u32, chosen: impl Fn(&str) -> bool) {
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        let title = |text: &str| format!("{}{text}", self.title);
        let each = title("Nanoseconds for each packet, message or match");
        let mut time = Table::comparing(&each, &names);
        let mut heap = Table::new(&title("Calls of the allocator for each"), &names);
        for workload in (self.workloads)(Purpose::Time) {
            let name = self.name(&workload);
            if !chosen(&name) {
                continue;
            }
            eprintln!("{name}");
            let mut jobs = self.jobs(&workload);
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
            time.row(name.clone(), times);
            heap.row(name, calls);
        }
        println!("{time}\n{heap}");

        let idle: Vec<_> = self.columns.iter().map(|column| (column.idle)()).collect();
        if idle.iter().any(Option::is_some) {
            let title = title("Bytes of an idle connection");
            let mut memory = Table::comparing(&title, &names);
            let row = |part: fn(&Idle) -> f64| {
                let cell = |idle: &Option<Idle>| {
                    idle.as_ref().map_or(Cell::None, |i| Cell::Number(part(i)))
                };
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

        let title = title("Packets that are accepted");
        let mut accepted = Table::new(&title, &names);
        for (what, all) in [("malformed", self.malformed), ("valid", self.valid)] {
            let of: usize = all.iter().map(|lines| packets(lines).count()).sum();
            let cells = self.columns.iter().map(|column| {
                let count = column.accepted(all);
                count.map_or(Cell::None, |count| Cell::Number(count as f64))
            });
            accepted.row(format!("{what}, of {of}"), cells.collect());
        }
        println!("{accepted}");
    }

    /// Returns how many results are as expected, and how many are not.
    fn check(&self) -> (usize, usize) {
        let (mut checked, mut wrong) = (0, 0);
        for workload in (self.workloads)(Purpose::Check) {
            for (column, job) in self.columns.iter().zip(self.jobs(&workload)) {
                let is_known = column.is_known_fault(&workload);
                match job {
                    Ok(None) => {}
                    Ok(Some(_)) if !is_known => checked += 1,
                    Err(_) if is_known => checked += 1,
                    outcome => {
                        wrong += 1;
                        let outcome = outcome.err().unwrap_or("is right".to_owned());
                        println!("{}, {}: {outcome}", self.name(&workload), column.name);
                    }
                }
            }
        }
        // This library accepts exactly the valid packets.
        let valid: usize = self.valid.iter().map(|lines| packets(lines).count()).sum();
        for (all, expected) in [(self.malformed, 0), (self.valid, valid)] {
            let accepted = self.columns.first().and_then(|own| own.accepted(all));
            if accepted == Some(expected) {
                checked += 1;
            } else {
                wrong += 1;
                println!("{}accepts {accepted:?} packets, not {expected}", self.title);
            }
        }
        (checked, wrong)
    }

    /// Runs one workload of one library once, for callgrind. Returns false if it belongs to another
    /// version.
    fn count(&self, name: &str, peer: &str) -> bool {
        let workloads = (self.workloads)(Purpose::Count);
        let Some(workload) = workloads.iter().find(|each| self.name(each) == name) else {
            return false;
        };
        let column = self.columns.iter().find(|column| column.name == peer);
        let mut job = (column.expect("no such library").work)(workload).expect("nothing to do");
        job.prepare();
        job.run();
        job.prepare();
        counted(&mut *job);
        true
    }

    /// Prints workload, number of packets and library, separated by tabs, for `./instructions`.
    fn list(&self) {
        for workload in (self.workloads)(Purpose::Count) {
            for column in &self.columns {
                if !column.is_known_fault(&workload) && (column.work)(&workload).is_some() {
                    let (name, packets) = (self.name(&workload), workload.packets());
                    println!("{name}\t{packets}\t{}", column.name);
                }
            }
        }
    }
}

fn check() -> ExitCode {
    let (of_3_1_1, of_5) = (mqtt_3_1_1().check(), mqtt_5().check());
    let (checked, wrong) = (of_3_1_1.0 + of_5.0, of_3_1_1.1 + of_5.1);
    println!("{checked} results are as expected, {wrong} are not");
    if wrong == 0 && checked > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn compare(rounds: u32, names: &[&str]) {
    mqtt_3_1_1().compare(rounds, |name| is_chosen(name, names));
    mqtt_5().compare(rounds, |name| is_chosen(name, names));
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--check"] => return check(),
        ["--list"] => {
            mqtt_3_1_1().list();
            mqtt_5().list();
        }
        ["--count", workload, peer] => {
            let counted = mqtt_3_1_1().count(workload, peer) || mqtt_5().count(workload, peer);
            assert!(counted, "no such workload");
        }
        ["--rounds", rounds, ref names @ ..] => {
            let rounds = rounds.parse().expect("a number of rounds");
            compare(rounds, names);
        }
        ref names => compare(200, names),
    }
    ExitCode::SUCCESS
}

fn is_chosen(name: &str, beginnings: &[&str]) -> bool {
    beginnings.is_empty() || beginnings.iter().any(|start| name.starts_with(start))
}
