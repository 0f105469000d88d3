//! The table of counts in the repository, and its comparison with new counts.

use core::fmt::Write as _;
use std::path::PathBuf;

/// Instructions for each packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Count {
    pub(crate) instructions: f64,
    /// Calls to the C library: copying, and memory.
    pub(crate) calls: f64,
}

/// How much a count may differ.
const TOLERANCE: f64 = 0.03;

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) compiler: String,
    /// Build, workload, count.
    rows: Vec<(String, String, Count)>,
}

const HEAD: &str = "build\tworkload\tinstructions\tcalls";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.tsv")
}

impl Table {
    /// Returns the table in the repository, or an empty one if there is none.
    pub(crate) fn read() -> Self {
        Self::parse(&std::fs::read_to_string(path()).unwrap_or_default())
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter(|line| *line != HEAD) {
            if let Some(compiler) = line.strip_prefix("# ") {
                table.compiler = compiler.to_owned();
                continue;
            }
            let fields: Vec<_> = line.split('\t').collect();
            let [build, workload, instructions, calls] = fields[..] else {
                panic!("instructions.tsv: {line}");
            };
            let count = Count {
                instructions: instructions.parse().unwrap(),
                calls: calls.parse().unwrap(),
            };
            let row = (build.to_owned(), workload.to_owned(), count);
            table.rows.push(row);
        }
        table
    }

    /// Replaces the counts of the same build, and all counts of another compiler.
    pub(crate) fn set(&mut self, compiler: String, build: &str, counts: Vec<(String, Count)>) {
        if self.compiler != compiler {
            self.rows.clear();
            self.compiler = compiler;
        }
        self.rows.retain(|(other, ..)| other != build);
        for (workload, count) in counts {
            self.rows.push((build.to_owned(), workload, count));
        }
        // The sort is stable: workloads keep their order.
        self.rows.sort_by(|(left, ..), (right, ..)| left.cmp(right));
    }

    pub(crate) fn write(&self) {
        let mut text = format!("# {}\n{HEAD}\n", self.compiler);
        for (build, workload, count) in &self.rows {
            let Count {
                instructions,
                calls,
            } = count;
            writeln!(text, "{build}\t{workload}\t{instructions:.1}\t{calls:.2}").unwrap();
        }
        std::fs::write(path(), text).unwrap();
    }

    /// Returns the differences above the tolerance.
    pub(crate) fn compare(&self, build: &str, counts: &[(String, Count)]) -> Vec<String> {
        let rows = || self.rows.iter().filter(|(other, ..)| other == build);
        let mut complaints = Vec::new();
        for (workload, count) in counts {
            match rows().find(|(_, other, _)| other == workload) {
                Some((.., before)) => {
                    let each = [
                        ("instructions", before.instructions, count.instructions),
                        ("calls of the C library", before.calls, count.calls),
                    ];
                    for (what, before, now) in each {
                        let verdict = verdict(before, now);
                        complaints.extend(verdict.map(|verdict| {
                            format!(
                                "{workload}: {before:.2} {what} before, {now:.2} now: {verdict}"
                            )
                        }));
                    }
                }
                None => complaints.push(format!("{workload} is not in the table: {NEW_TABLE}")),
            }
        }
        for (_, workload, _) in rows() {
            if counts.iter().all(|(other, _)| other != workload) {
                complaints.push(format!("{workload} is in the table only: {NEW_TABLE}"));
            }
        }
        complaints
    }
}

const NEW_TABLE: &str = "write a new table with .ci/guard --write";

fn verdict(before: f64, now: f64) -> Option<String> {
    // The table is rounded.
    let tolerance = before * TOLERANCE + 0.06;
    if now > before + tolerance {
        Some("slower, more than may be".to_owned())
    } else if now < before - tolerance {
        Some(format!("faster: {NEW_TABLE}, so that it stays so"))
    } else {
        None
    }
}
