//! Runs one workload under callgrind and reads the counts.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::table::Count;

/// The counts of callgrind below `counted`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Instructions of this program.
    pub(crate) instructions: u64,
    /// Calls from it to the C library.
    pub(crate) calls: u64,
}

impl Counted {
    pub(crate) fn per(&self, packets: u64) -> Count {
        Count {
            instructions: self.instructions as f64 / packets as f64,
            calls: self.calls as f64 / packets as f64,
        }
    }
}

/// Returns the compiler and its target. Counts of different compilers are not comparable.
pub(crate) fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let version = text.lines().next().unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    format!("{version} {}", host.unwrap())
}

/// Returns `None` without valgrind.
pub(crate) fn count(workload: &str) -> Option<Counted> {
    let program = std::env::current_exe().unwrap();
    let file = program.with_file_name(format!("callgrind.{}", std::process::id()));
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg("--toggle-collect=instructions::counted")
        .arg(&program)
        .args(["--run", workload])
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("valgrind: {error}"),
    };
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{workload}: {messages}");
    let profile = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let counted = sum(&profile, &program);
    assert!(counted.instructions > 0, "{workload}: nothing was counted");
    Some(counted)
}

/// Sums a profile in the format of the Valgrind manual, "Callgrind Format Specification". A
/// function's own costs are lines of a position and a number. After a line `calls=` there is one
/// such line with the cost of the call.
pub(crate) fn sum(profile: &str, program: &Path) -> Counted {
    let mut names = HashMap::new();
    let mut is_program = |text: &str| {
        // `(number) name` the first time, `(number)` from then on.
        let (number, name) = text.split_once(')').unwrap();
        if !name.is_empty() {
            names.insert(number.to_owned(), Path::new(name.trim()) == program);
        }
        names[number]
    };
    let mut counted = Counted::default();
    let mut here = false;
    let mut callee = None;
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        if let Some(object) = line.strip_prefix("ob=") {
            here = is_program(object);
        } else if let Some(object) = line.strip_prefix("cob=") {
            callee = Some(is_program(object));
        } else if let Some(calls) = line.strip_prefix("calls=") {
            if here && callee.take() == Some(false) {
                let (number, _) = calls.split_once(' ').unwrap();
                counted.calls += number.parse::<u64>().unwrap();
            }
            callee = None;
            lines.next();
        } else if here && line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            let (_, cost) = line.split_once(' ').unwrap();
            counted.instructions += cost.parse::<u64>().unwrap();
        }
    }
    counted
}
