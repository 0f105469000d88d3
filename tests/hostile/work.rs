//! Counts instructions, where no other measure exists: twice the bytes must cost twice the
//! instructions, however a peer chooses them. `valgrind --tool=callgrind` counts, in a run of this
//! test binary. Without valgrind the test prints that it is skipped. `MQTT_VALGRIND=required` makes
//! that a failure; `MQTT_VALGRIND=none` skips it always.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workloads::workloads;

/// The smallest of the three sizes. The others are twice and four times as large.
const SIZE: usize = 4_000;

/// The function whose instructions are counted.
#[inline(never)]
fn counted_from_here(action: &mut dyn FnMut() -> bool) -> bool {
    action()
}

/// The next test runs this one in a process of its own. By itself it shows that the workloads do
/// what they are meant to do.
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
        // Costs that do not depend on the size cancel out.
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

/// The most instructions for a byte. Unoptimized code takes several times as many.
const PER_BYTE: u64 = if cfg!(debug_assertions) { 6000 } else { 1000 };

/// Returns the instructions of each call of [`counted_from_here`], if they can be counted here.
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

/// Returns the total count in a file of callgrind.
fn total(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    Some(line.trim().parse().unwrap())
}
