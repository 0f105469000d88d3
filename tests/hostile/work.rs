//! Where nothing else can count, instructions are counted: twice the bytes cost twice the
//! instructions, however the bytes were chosen. `valgrind --tool=callgrind` counts them, in a run of
//! this same test file; without it that test says that it is skipped. `MQTT_VALGRIND=required`
//! makes that a failure, and with `MQTT_VALGRIND=none` it is not tried.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use mqtt_sansio::v3::Packet;
use mqtt_sansio::{TopicFilter, TopicName};

use crate::common::frame;
use crate::conversation::{AsClient, AsServer};
use crate::*;

/// Something that a peer of ill will can make this side do for `size` bytes.
struct Workload {
    name: &'static str,
    /// What is not counted: the bytes are made. Returns what is counted, which says how it ended.
    prepare: fn(usize) -> Box<dyn FnMut() -> bool>,
}

fn matching(filter: String, topic: String, expected: bool) -> Box<dyn FnMut() -> bool> {
    Box::new(move || {
        let filter = TopicFilter::new(black_box(&filter)).unwrap();
        filter.matches(&TopicName::new(&topic).unwrap()) == expected
    })
}

fn decoding(bytes: Vec<u8>, expected: bool) -> Box<dyn FnMut() -> bool> {
    let options = common::unlimited();
    Box::new(move || v3::decode(&mut black_box(&bytes[..]), &options).is_ok() == expected)
}

fn string(text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&len[..], text.as_bytes()].concat()
}

/// A PUBLISH whose topic is this text.
fn topic(text: &str, expected: bool) -> Box<dyn FnMut() -> bool> {
    decoding(frame(0x30, &string(text)), expected)
}

/// A list of entries behind a Packet Identifier.
fn list(
    first_byte: u8,
    entry: &[u8],
    size: usize,
    last: &[u8],
    ok: bool,
) -> Box<dyn FnMut() -> bool> {
    let entries = entry.repeat(size / entry.len());
    decoding(
        frame(first_byte, &[b"\0\x01", &entries[..], last].concat()),
        ok,
    )
}

/// A stream to a peer, in parts of a size.
fn stream<R: Role>(packets: &[u8], size: usize, part: usize) -> Box<dyn FnMut() -> bool>
where
    R::Peer<Counted>: 'static,
{
    let stream = packets.repeat(size / packets.len());
    let mut us = connected_with::<R>(CONFIG, 64);
    Box::new(move || {
        let mut decoder = decoder(Options::new());
        for mut part in black_box(&stream).chunks(part) {
            while let Some(packet) = decoder.decode(&mut part).unwrap() {
                if us.handle_packet(ms(0), packet).is_err() {
                    return false;
                }
                while us.poll_action().is_some() {}
            }
        }
        decoder.is_at_packet_boundary()
    })
}

fn workload(name: &'static str, prepare: fn(usize) -> Box<dyn FnMut() -> bool>) -> Workload {
    Workload { name, prepare }
}

fn workloads() -> Vec<Workload> {
    vec![
        // A Topic Filter against a Topic Name that is as long.
        workload("`/` against `/`", |n| {
            matching("/".repeat(n), "/".repeat(n), true)
        }),
        workload("`/` against `/`, one fewer", |n| {
            matching("/".repeat(n), "/".repeat(n - 1), false)
        }),
        workload("`+/` against `a/`", |n| {
            matching("+/".repeat(n / 2), "a/".repeat(n / 2), true)
        }),
        workload("`+/` against `/`", |n| {
            matching("+/".repeat(n / 2), "/".repeat(n / 2), true)
        }),
        workload("`+/` and another end", |n| {
            let (filter, topic) = ("+/".repeat(n / 2), "a/".repeat(n / 2));
            matching(filter + "x", topic + "y", false)
        }),
        workload("one `+` against one level", |n| {
            matching("+/x".to_owned(), "a".repeat(n) + "/y", false)
        }),
        workload("seven equal bytes and one `+`", |n| {
            matching("aaaaaa/+/".repeat(n / 9), "aaaaaa/b/".repeat(n / 9), true)
        }),
        workload("levels, then `#`", |n| {
            matching("a/".repeat(n / 2) + "#", "a/".repeat(n / 2), true)
        }),
        // Strings that are checked.
        workload("a topic of `/`", |n| topic(&"/".repeat(n), true)),
        workload("a topic of two-byte characters", |n| {
            topic(&"é".repeat(n / 2), true)
        }),
        workload("a topic of four-byte characters", |n| {
            topic(&"🐝".repeat(n / 4), true)
        }),
        workload("a topic of letters and others in turn", |n| {
            topic(&"aé".repeat(n / 3), true)
        }),
        workload("a topic with U+0000 at its end", |n| {
            topic(&("é".repeat(n / 2) + "\0"), false)
        }),
        workload("a topic with a wildcard at its end", |n| {
            topic(&("/".repeat(n) + "+"), false)
        }),
        workload("a filter of `+/`", |n| {
            let filter = [string(&"+/".repeat(n / 2)), vec![0]].concat();
            list(0x82, &filter, filter.len(), b"", true)
        }),
        workload("a filter with a fault at its end", |n| {
            let filter = [string(&("+/".repeat(n / 2) + "a+")), vec![0]].concat();
            list(0x82, &filter, filter.len(), b"", false)
        }),
        // Lists.
        workload("SUBSCRIBE", |n| list(0x82, b"\0\x01a\0", n, b"", true)),
        workload("SUBSCRIBE with a fault in its last byte", |n| {
            list(0x82, b"\0\x01a\0", n, b"\0\x01a\x03", false)
        }),
        workload("UNSUBSCRIBE", |n| list(0xa2, b"\0\x01a", n, b"", true)),
        workload("UNSUBSCRIBE that breaks off", |n| {
            list(0xa2, b"\0\x01a", n, b"\0\x02a", false)
        }),
        workload("SUBACK", |n| list(0x90, b"\x80", n, b"", true)),
        workload("SUBACK with a fault in its last byte", |n| {
            list(0x90, b"\x80", n, b"\x03", false)
        }),
        workload("the filters of a SUBSCRIBE, read", |n| {
            let bytes = frame(
                0x82,
                &[&b"\0\x01"[..], &b"\0\x01a\0".repeat(n / 4)].concat(),
            );
            Box::new(move || {
                let packet = v3::decode(&mut black_box(&bytes[..]), &Options::new());
                let Ok(Some(Packet::Subscribe(subscribe))) = packet else {
                    return false;
                };
                subscribe.subscriptions.iter().count() == n / 4
            })
        }),
        // Streams.
        workload("SUBSCRIBE in single bytes", |n| {
            let mut bytes = frame(
                0x82,
                &[&b"\0\x01"[..], &b"\0\x01a\0".repeat(n / 4)].concat(),
            );
            let last = bytes.pop().unwrap();
            Box::new(move || {
                let mut decoder = decoder(Options::new());
                let waits = black_box(&bytes)
                    .chunks(1)
                    .all(|mut byte| decoder.decode(&mut byte) == Ok(None));
                waits
                    && decoder
                        .decode(&mut &[last][..])
                        .is_ok_and(|packet| packet.is_some())
            })
        }),
        workload("PINGREQ", |n| stream::<AsServer>(b"\xc0\0", n, n)),
        workload("PINGREQ in single bytes", |n| {
            stream::<AsServer>(b"\xc0\0", n, 1)
        }),
        workload("PUBREC and PUBREL for nothing, to a client", |n| {
            stream::<AsClient>(b"\x50\x02\0\x09\x62\x02\0\x09", n, 1460)
        }),
        workload("PUBREC and PUBREL for nothing, to a server", |n| {
            stream::<AsServer>(b"\x50\x02\0\x09\x62\x02\0\x09", n, 1460)
        }),
        workload("one QoS 2 message again and again", |n| {
            stream::<AsServer>(b"\x3c\x05\0\x01t\0\x07", n, 1460)
        }),
    ]
}

/// The smallest of the three sizes that each is tried with; the others are twice and four times it.
const SIZE: usize = 4_000;

/// What is counted.
#[inline(never)]
fn counted_from_here(action: &mut dyn FnMut() -> bool) -> bool {
    action()
}

/// Run by the next test in a process of its own. By itself it says that the workloads are what they
/// are meant to be.
#[test]
fn each_workload_ends_as_it_should() {
    let workloads = workloads();
    assert!(workloads.len() > 20);
    for workload in workloads {
        for size in [SIZE, 2 * SIZE, 4 * SIZE] {
            let mut action = (workload.prepare)(size);
            assert!(counted_from_here(&mut *action), "{}", workload.name);
        }
    }
}

#[test]
fn twice_the_bytes_cost_twice_the_instructions_however_they_were_chosen() {
    let Some(counts) = instructions() else {
        return;
    };
    let names: Vec<&str> = workloads().iter().map(|workload| workload.name).collect();
    assert_eq!(counts.len(), 3 * names.len());
    for (name, counts) in names.iter().zip(counts.chunks(3)) {
        let [once, twice, four_times] = counts[..] else {
            panic!("{counts:?}");
        };
        println!("{:>8} {:>8} {:>8} {name}", once, twice, four_times);
        // What does not depend on the size falls out of the differences.
        let (first, second) = (twice - once, four_times - twice);
        assert!(
            first > SIZE as u64 / 8,
            "{name}: {counts:?}: nothing was counted"
        );
        assert!(
            second <= 2 * first + first / 20,
            "{name} is not linear: {counts:?}"
        );
        assert!(
            four_times <= PER_BYTE * 4 * SIZE as u64,
            "{name}: {counts:?}"
        );
    }
}

/// The most instructions for a byte. Code that is not optimized takes many times as many.
const PER_BYTE: u64 = if cfg!(debug_assertions) { 6000 } else { 1000 };

/// The instructions of each call of [`counted_from_here`], if they can be counted here.
fn instructions() -> Option<Vec<u64>> {
    let wanted = std::env::var("MQTT_VALGRIND").unwrap_or_default();
    let valgrind = Command::new("valgrind").arg("--version").output();
    if wanted == "none" || !valgrind.is_ok_and(|output| output.status.success()) {
        assert_ne!(wanted, "required", "there is no valgrind");
        println!("skipped: no valgrind to count instructions with");
        return None;
    }
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("callgrind-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--collect-atstart=no",
            "--combine-dumps=no",
        ])
        .arg("--toggle-collect=hostile::work::counted_from_here")
        .arg("--dump-after=hostile::work::counted_from_here")
        .arg(format!(
            "--callgrind-out-file={}",
            directory.join("out").display()
        ))
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "work::each_workload_ends_as_it_should",
            "--test-threads=1",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let counts = (1..).map_while(|number| total(&directory.join(format!("out.{number}"))));
    let counts = counts.filter(|&count| count > 0).collect();
    std::fs::remove_dir_all(&directory).unwrap();
    Some(counts)
}

/// What a file of callgrind counts in all.
fn total(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    Some(line.trim().parse().unwrap())
}
