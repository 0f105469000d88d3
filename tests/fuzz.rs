//! Runs the fuzz targets on the inputs that once found a fault, on the seeds of fuzzing, and on
//! random inputs.
//!
//! ```text
//! cargo test --test fuzz                                     all of that
//! MQTT_FUZZ_RUNS=100000 cargo test --release --test fuzz     this number of random inputs for each target
//! MQTT_FUZZ_CORPUS=fuzz/corpus cargo test --test fuzz        writes the seeds of fuzzing
//! ```

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_ref_mut,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the targets use a part of these files, and fuzz/ uses the targets from outside"
)]

mod common;
mod fuzzing;
mod simulation;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use common::{Version, json_lines, rows, testdata};
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::V5;

type Body = fn(&[u8]);

const TARGETS: &[(&str, Body)] = &[
    ("decode", fuzzing::decode),
    #[cfg(feature = "arbitrary")]
    ("roundtrip", fuzzing::roundtrip),
    ("split", fuzzing::split),
    ("session", fuzzing::session),
    ("client", fuzzing::client),
    ("server", fuzzing::server),
    ("simulation", fuzzing::simulation),
];

/// The targets that `cargo test` cannot run, and why.
const NOT_HERE: &[(&str, &str)] = &[
    (
        "differential",
        "it needs other decoders, which only fuzz/ depends on; .ci/fuzz replays its regressions",
    ),
    #[cfg(not(feature = "arbitrary"))]
    ("roundtrip", "it needs the feature `arbitrary`"),
];

/// How many random inputs each target runs.
const RUNS: u64 = 300;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(directory: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Runs one input. If it fails, prints how to run it again.
fn run(target: &str, body: Body, what: &str, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(input))) {
        println!("{target} fails with {what}: {}", hex::encode(input));
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_fuzz_target_is_replayed_here_or_has_a_reason_why_not() {
    let here = TARGETS.iter().map(|(name, _)| *name);
    let known: BTreeSet<_> = here
        .chain(NOT_HERE.iter().map(|(name, _)| *name))
        .map(|name| format!("{name}.rs"))
        .collect();
    let directory = root().join("fuzz/fuzz_targets");
    if !directory.is_dir() {
        println!("skipped: the package of the library does not hold fuzz/");
        return;
    }
    assert_eq!(names_in(&directory), known);
}

#[test]
fn what_fuzzing_once_found_stays_repaired() {
    let directory = root().join("tests/fuzzing/regressions");
    let mut count = 0;
    for target in names_in(&directory) {
        let Some((name, body)) = TARGETS.iter().find(|(name, _)| *name == target) else {
            let listed = NOT_HERE.iter().any(|(name, _)| *name == target);
            assert!(listed, "there is no target {target}");
            continue;
        };
        for file in names_in(&directory.join(name)) {
            let input = std::fs::read(directory.join(name).join(&file)).unwrap();
            run(name, *body, &file, &input);
            count += 1;
        }
    }
    assert!(count > 0, "there are regressions");
}

#[test]
fn what_fuzzing_starts_with_passes() {
    for (name, body) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() > 5, "{name}: {}", seeds.len());
        for (id, input) in seeds {
            run(name, *body, &id, &input);
        }
    }
}

#[test]
fn what_chance_has_made_passes() {
    let runs = std::env::var("MQTT_FUZZ_RUNS").ok();
    let runs = runs.map_or(RUNS, |runs| runs.parse().expect("a number"));
    for (name, body) in TARGETS {
        for seed in 0..runs {
            let mut rng = fastrand::Rng::with_seed(seed);
            let input: Vec<u8> = (0..rng.usize(0..500)).map(|_| rng.u8(..)).collect();
            run(name, *body, &format!("seed {seed}"), &input);
        }
    }
}

#[test]
fn what_fuzzing_starts_with_is_written_down_if_asked_for() {
    let Some(corpus) = std::env::var_os("MQTT_FUZZ_CORPUS") else {
        println!("skipped: MQTT_FUZZ_CORPUS does not say where");
        return;
    };
    let here = TARGETS.iter().map(|(name, _)| *name);
    for name in here.chain(NOT_HERE.iter().map(|(name, _)| *name)) {
        let directory = Path::new(&corpus).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        for (id, input) in seeds(name) {
            std::fs::write(directory.join(id), input).unwrap();
        }
        assert!(names_in(&directory).len() > 5, "{name}");
    }
}

// The seeds of fuzzing

/// Returns every short vector of every version, by its id.
fn vectors() -> Vec<(String, Vec<u8>)> {
    let mut vectors = vectors_of::<V3>();
    vectors.extend(vectors_of::<V5>());
    vectors
}

fn vectors_of<V: Version>() -> Vec<(String, Vec<u8>)> {
    let mut vectors: Vec<_> = V::valid_rows()
        .iter()
        .chain(V::malformed_rows())
        .map(|row| (row.id.clone(), row.bytes.clone()))
        .filter(|(_, bytes)| bytes.len() < 600)
        .collect();
    for stream in json_lines(V::STREAMS) {
        for direction in ["c2s", "s2c"] {
            let name = stream["name"].as_str().unwrap();
            let bytes = hex::decode(stream[direction].as_str().unwrap()).unwrap();
            vectors.push((format!("{name}-{direction}"), bytes));
        }
    }
    vectors
}

/// Returns the vectors, each after the bytes that the target reads first.
fn behind(prefix: &[u8]) -> Vec<(String, Vec<u8>)> {
    let with_prefix = |(id, bytes): (String, Vec<u8>)| (id, [prefix, &bytes].concat());
    vectors().into_iter().map(with_prefix).collect()
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "decode" => {
            let mut seeds = behind(b"\0\0\0");
            let lenient = rows("device_lenient.jsonl").into_iter();
            seeds.extend(lenient.map(|row| (row.id, [b"\x0f\0\0", &row.bytes[..]].concat())));
            seeds
        }
        "roundtrip" | "differential" => behind(b""),
        // A buffer of 40 bytes, and six lengths.
        "split" => behind(b"\0\0\0\x28\x01\x03\x07\0\x14\xc8"),
        "session" => sessions(),
        // The steps of a connection: CONNECT and CONNACK, which arrive whole.
        "client" => conversations(&[37, 1, 0, 0], &[37, 1, 0, 0, 0, 0, 0]),
        "server" => conversations(&[37, 1, 0, 25], &[37, 1, 0, 0, 25, 0, 0]),
        "simulation" => (0..50).map(noise).collect(),
        _ => panic!("no seeds for {target}"),
    }
}

fn noise(seed: u64) -> (String, Vec<u8>) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let bytes = (0..rng.usize(20..300)).map(|_| rng.u8(..)).collect();
    (format!("noise-{seed}"), bytes)
}

/// Returns the saved sessions, with and without their checksum.
fn sessions() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for file in names_in(&testdata().join("sessions")) {
        let text: String = common::read(&format!("sessions/{file}"));
        let text: String = text.split_whitespace().collect();
        let saved = hex::decode(text).unwrap();
        seeds.push((file.clone(), [b"\0\0", &saved[..]].concat()));
        let content = &saved[..saved.len() - 4];
        seeds.push((format!("{file}-content"), [b"\0\0", content].concat()));
    }
    seeds
}

/// Returns connections that begin with these steps, of MQTT 3.1.1 and of MQTT 5, followed by a
/// vector or by random bytes. A server may also be one of any version.
fn conversations(v3_begin: &[u8], v5_begin: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for (kind, begin, vectors) in [
        (0, v3_begin, vectors_of::<V3>()),
        (64, v5_begin, vectors_of::<V5>()),
        (128, v5_begin, vectors_of::<V5>()),
        (192, v3_begin, vectors_of::<V3>()),
    ] {
        seeds.extend(conversations_of(kind, begin, vectors));
    }
    seeds
}

fn conversations_of(
    kind: u8,
    begin: &[u8],
    vectors: Vec<(String, Vec<u8>)>,
) -> Vec<(String, Vec<u8>)> {
    const RAW_BYTES: u8 = 12;
    let mut seeds = Vec::new();
    for (id, bytes) in vectors {
        if let Ok(len @ 0..32) = u8::try_from(bytes.len()) {
            let setup = [kind, 0, 0, 0, 0];
            let input = [&setup, begin, &[RAW_BYTES, len], &bytes, &[0]].concat();
            seeds.push((format!("{id}-{kind}"), input));
        }
    }
    for seed in 0..50 {
        let (id, noise) = noise(seed);
        let (setup, steps) = noise.split_at(5);
        let setup = [&[setup[0] & 63 | kind], &setup[1..]].concat();
        seeds.push((format!("{id}-{kind}"), [&setup, begin, steps].concat()));
    }
    seeds
}
