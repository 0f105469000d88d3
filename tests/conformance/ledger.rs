//! Collects the statements that the sources name, and writes the ledger from them.
//!
//! A statement of MQTT 3.1.1 is written as `MQTT-3.1.2-24` in brackets, one of MQTT 5 as
//! `MQTT5-3.1.2-24`. A comma and a space separate several statements; `-25` is short for another one
//! of the same section.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A version of the standard.
pub(crate) struct Version {
    pub(crate) title: &'static str,
    /// The prefix of a statement in the sources.
    pub(crate) prefix: &'static str,
    /// The table of its statements, in testdata.
    pub(crate) table: &'static str,
    /// Malformed packets in testdata that the tests decode. Each names the statement that it
    /// violates.
    pub(crate) malformed: &'static [&'static str],
}

pub(crate) const VERSIONS: &[Version] = &[
    Version {
        title: "MQTT 3.1.1",
        prefix: "MQTT-",
        table: "conformance/normative.tsv",
        malformed: &["malformed_own.jsonl", "conformance/malformed.jsonl"],
    },
    Version {
        title: "MQTT 5.0",
        prefix: "MQTT5-",
        table: "mqtt5/normative.tsv",
        malformed: &["mqtt5/malformed_own.jsonl", "mqtt5/malformed.jsonl"],
    },
];

/// The role of a source file in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Check,
    Test,
    Example,
}

/// A row of the ledger.
pub(crate) struct Statement {
    /// The id in the standard: `MQTT-3.1.2-24` in both versions.
    pub(crate) id: String,
    pub(crate) who: String,
    pub(crate) layer: String,
    pub(crate) paraphrase: String,
    /// The files that name it.
    pub(crate) checks: BTreeSet<String>,
    pub(crate) tests: BTreeSet<String>,
    pub(crate) examples: BTreeSet<String>,
    /// How many malformed packets violate it, by file.
    pub(crate) malformed: BTreeMap<&'static str, usize>,
}

impl Statement {
    /// Returns false if only the application, the transport or the network can meet it.
    pub(crate) fn binds_the_library(&self) -> bool {
        self.layer.contains("codec") || self.layer.contains("state machine")
    }

    pub(crate) fn is_tested(&self) -> bool {
        !self.tests.is_empty() || !self.malformed.is_empty()
    }
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns every Rust source below `directory`, with its path from the root.
fn sources(directory: &Path, found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy();
            found.push((name.replace('\\', "/"), read(&path)));
        }
    }
}

/// Returns the parts of a file with their roles. The unit tests of a source file are at its end.
fn parts<'a>(path: &str, text: &'a str) -> Vec<(Role, &'a str)> {
    let is_for_tests = |part| ["tests", "tests.rs", "testing.rs"].contains(&part);
    if path.split('/').any(is_for_tests) {
        vec![(Role::Test, text)]
    } else if !path.starts_with("src/") {
        vec![(Role::Example, text)]
    } else {
        match text.split_once("#[cfg(test)]\nmod tests {") {
            Some((checks, tests)) => vec![(Role::Check, checks), (Role::Test, tests)],
            None => vec![(Role::Check, text)],
        }
    }
}

/// Returns the statements that a text names in brackets.
///
/// # Errors
///
/// The content of the first bracket that begins like a statement but is none.
pub(crate) fn named(text: &str) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    for (_, inside) in text.match_indices("[MQTT").map(|(at, _)| text.split_at(at)) {
        let inside = inside[1..].split(']').next().unwrap_or_default();
        if !VERSIONS.iter().any(|v| inside.starts_with(v.prefix)) {
            continue;
        }
        let mut section = "";
        for part in inside.split(", ") {
            let statement = if part.starts_with('-') {
                format!("{section}{part}")
            } else {
                section = part.rsplit_once('-').map_or("", |(section, _)| section);
                part.to_owned()
            };
            if !is_statement(&statement) {
                return Err(inside.to_owned());
            }
            found.insert(statement);
        }
    }
    Ok(found)
}

/// Returns true for a prefix, a section of two or three numbers, and a number.
fn is_statement(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    VERSIONS.iter().any(|version| {
        text.strip_prefix(version.prefix)
            .and_then(|rest| rest.split_once('-'))
            .is_some_and(|(section, number)| {
                is_number(number)
                    && [2, 3].contains(&section.split('.').count())
                    && section.split('.').all(is_number)
            })
    })
}

/// Returns every statement in the sources, as it is written there, with the files that name it.
pub(crate) fn mentions() -> BTreeMap<String, BTreeSet<(Role, String)>> {
    let mut files = Vec::new();
    for directory in ["src", "tests", "examples"] {
        sources(&root().join(directory), &mut files);
    }
    let mut mentions: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for (path, text) in &files {
        // That file tests the parser of brackets.
        if path == "tests/conformance.rs" {
            continue;
        }
        for (role, part) in parts(path, text) {
            let statements =
                named(part).unwrap_or_else(|inside| panic!("{path}: [{inside}] is no statement"));
            for statement in statements {
                mentions
                    .entry(statement)
                    .or_default()
                    .insert((role, path.clone()));
            }
        }
    }
    mentions
}

/// Returns how many packets of a file violate each statement.
fn malformed(file: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in read(&root().join("testdata").join(file)).lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        // Packets that are invalid in one state or role only have tests of their own.
        if ["state", "semantic"]
            .map(Some)
            .contains(&row["kind"].as_str())
        {
            continue;
        }
        let also = row["also"].as_array().into_iter().flatten();
        let ids = also.chain([&row["statement"]]).filter_map(Value::as_str);
        for id in ids.collect::<BTreeSet<_>>() {
            *counts.entry(id.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

/// Returns the statements of a version, with what the repository has on each.
pub(crate) fn statements(version: &Version) -> Vec<Statement> {
    let mentions = mentions();
    let malformed: Vec<_> = version
        .malformed
        .iter()
        .map(|&file| (file, malformed(file)))
        .collect();
    let table = read(&root().join("testdata").join(version.table));
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("id\twho\tlayer\tparaphrase"));
    lines
        .map(|line| {
            let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
            let [id, who, layer, paraphrase] = columns.try_into().unwrap();
            let files = |role| {
                let of_role = |(its, path): &(Role, String)| (*its == role).then(|| path.clone());
                let files = mentions.get(&written(version, &id)).into_iter().flatten();
                files.filter_map(of_role).collect()
            };
            let counts = malformed.iter();
            let counts = counts.filter_map(|(file, counts)| Some((*file, *counts.get(&id)?)));
            Statement {
                checks: files(Role::Check),
                tests: files(Role::Test),
                examples: files(Role::Example),
                malformed: counts.collect(),
                id,
                who,
                layer,
                paraphrase,
            }
        })
        .collect()
}

/// Returns the form of a statement in the sources.
pub(crate) fn written(version: &Version, id: &str) -> String {
    id.replacen("MQTT-", version.prefix, 1)
}

fn links<'a>(files: impl Iterator<Item = &'a String>) -> Vec<String> {
    files.map(|path| format!("[{path}]({path})")).collect()
}

/// Returns the text of CONFORMANCE.md.
pub(crate) fn ledger() -> String {
    let mut text = "# Conformance\n\
        \n\
        The normative statements of the standard: whom each binds, which source files name it beside the code that \
        meets it, and which test files name it beside the test that shows it. Statements of the application, the \
        transport or the network are shown by the examples.\n\
        \n\
        `MQTT_WRITE=1 cargo test --test conformance` writes this file. Without the variable the same test fails if \
        the file is out of date.\n"
        .to_owned();
    for version in VERSIONS {
        let statements = statements(version);
        let library = statements.iter().filter(|s| s.binds_the_library());
        let count = |met: fn(&Statement) -> bool| {
            library.clone().filter(|statement| met(statement)).count()
        };
        write!(
            text,
            "\n## {}\n\
             \n\
             Of {} statements, {} bind the library in whole or in part: {} of them have a check, {} a test.\n\
             \n\
             | statement | binds | layer | summary | checks | tests |\n\
             |---|---|---|---|---|---|\n",
            version.title,
            statements.len(),
            library.clone().count(),
            count(|s| !s.checks.is_empty()),
            count(|s| s.is_tested()),
        )
        .unwrap();
        for statement in &statements {
            let checks = links(statement.checks.iter().chain(&statement.examples));
            let mut tests = links(statement.tests.iter());
            for (file, count) in &statement.malformed {
                let packets = if *count == 1 { "packet" } else { "packets" };
                tests.push(format!("{count} {packets} in [{file}](testdata/{file})"));
            }
            let Statement {
                id,
                who,
                layer,
                paraphrase,
                ..
            } = statement;
            let (checks, tests) = (checks.join("<br>"), tests.join("<br>"));
            let summary = paraphrase.replace('|', "\\|");
            writeln!(
                text,
                "| {id} | {who} | {layer} | {summary} | {checks} | {tests} |"
            )
            .unwrap();
        }
    }
    text
}
