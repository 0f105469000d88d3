//! The ledger of conformance: for each normative statement of MQTT 3.1.1 where it is kept, and the
//! tests that fail without it.
//!
//! It is put together from the statements that sources and tests name in brackets
//! (`conformance/scan.rs`), from what is whose duty (`conformance/duties.toml`), and from what is
//! taken away to see tests fail (`conformance/breakages.toml`, which `.ci/breakages` carries out).
//! `WRITE_LEDGER=1 cargo test --test conformance` writes CONFORMANCE.md.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;
use toml::Table;

mod common;
#[path = "conformance/scan.rs"]
mod scan;

use scan::{Mention, Place, Source, all_ids, bracketed_ids, files, root};

// What there is

/// A row of normative.tsv.
struct Statement {
    id: String,
    who: String,
    layer: String,
    paraphrase: String,
}

static STATEMENTS: LazyLock<Vec<Statement>> = LazyLock::new(|| {
    let table = common::read("conformance/normative.tsv");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("id\twho\tlayer\tparaphrase"));
    lines
        .map(|line| {
            let columns: Vec<_> = line.split('\t').map(str::to_owned).collect();
            let [id, who, layer, paraphrase] = columns.try_into().unwrap();
            Statement {
                id,
                who,
                layer,
                paraphrase,
            }
        })
        .collect()
});

/// What a test is called by: the test binary, or `lib`, and its own name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    path: String,
    name: String,
}

struct Duty {
    of: String,
    hook: String,
}

struct Breakage {
    statements: Vec<String>,
    file: String,
    find: String,
    replace: String,
    /// As they are written: binary and name.
    tests: Vec<String>,
}

fn strings(value: &toml::Value) -> Vec<String> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_str().unwrap().to_owned()).collect()
}

fn toml(name: &str) -> Table {
    let path = root().join("tests/conformance").join(name);
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

static DUTIES: LazyLock<BTreeMap<String, Duty>> = LazyLock::new(|| {
    let mut duties = BTreeMap::new();
    for row in toml("duties.toml")["duty"].as_array().unwrap() {
        for id in strings(&row["statements"]) {
            let [of, hook] = ["of", "hook"].map(|key| row[key].as_str().unwrap().to_owned());
            let before = duties.insert(id.clone(), Duty { of, hook });
            assert!(before.is_none(), "{id} is somebody's duty twice");
        }
    }
    duties
});

static BREAKAGES: LazyLock<Vec<Breakage>> = LazyLock::new(|| {
    let table = toml("breakages.toml");
    let rows = table["breakage"].as_array().unwrap().iter();
    rows.map(|row| {
        let [file, find, replace] =
            ["file", "find", "replace"].map(|key| row[key].as_str().unwrap().to_owned());
        Breakage {
            statements: strings(&row["statements"]),
            file,
            find,
            replace,
            tests: strings(&row["tests"]),
        }
    })
    .collect()
});

struct Sources {
    files: Vec<Source>,
    mentions: BTreeSet<Mention>,
    tests: BTreeSet<Test>,
}

static SOURCES: LazyLock<Sources> = LazyLock::new(|| {
    let mut sources = Sources {
        files: ["src", "examples", "benches", "tests"]
            .into_iter()
            .flat_map(|directory| files(directory, ".rs"))
            // What is about statements as such, and not about one of them.
            .filter(|file| !ABOUT_STATEMENTS.contains(&&*file.path))
            .collect(),
        mentions: BTreeSet::new(),
        tests: BTreeSet::new(),
    };
    for file in &sources.files {
        let scanned = scan::scan(file);
        sources.mentions.extend(scanned.mentions);
        let tests = scanned.tests.into_iter().map(|name| Test {
            path: file.path.clone(),
            name,
        });
        sources.tests.extend(tests);
    }
    sources
});

const ABOUT_STATEMENTS: &[&str] = &["tests/conformance.rs", "tests/conformance/scan.rs"];

/// This test holds the decoder to rows of test data, and these say which statements they break.
const ROWS_OF_OUR_OWN: &str =
    "every_malformed_packet_of_our_own_gives_exactly_the_error_that_its_row_states";
/// This one looks at every packet that is sent, as tests/simulation says.
const WATCHED_BY_THE_SIMULATOR: &str = "simulator what_mqtt_promises_holds_over_a_bad_link";
const ROWS_OF_OTHERS: &str = "every_packet_of_the_sample_that_the_codec_must_refuse_is_refused";

/// How many malformed packets break each statement.
fn malformed(file: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in common::rows(file) {
        let also = row.json["also"].as_array().into_iter().flatten();
        let ids = also.chain([&row.json["statement"]]);
        for id in ids.filter_map(Value::as_str).collect::<BTreeSet<_>>() {
            *counts.entry(id.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

static MALFORMED: LazyLock<BTreeMap<String, usize>> =
    LazyLock::new(|| malformed("malformed_own.jsonl"));

/// The test that a breakage names.
fn named(binary_and_name: &str) -> Option<&'static Test> {
    let (binary, name) = binary_and_name.split_once(' ')?;
    let is_in = |path: &str| match binary {
        "lib" => path.starts_with("src/"),
        _ => {
            path == format!("tests/{binary}.rs")
                || path.starts_with(&format!("tests/{binary}/"))
                // Conversations are held by both.
                || (["client", "server"].contains(&binary) && path == "tests/conversation/both.rs")
        }
    };
    let found: Vec<_> = SOURCES
        .tests
        .iter()
        .filter(|test| test.name == name && is_in(&test.path))
        .collect();
    assert!(found.len() < 2, "{binary_and_name} is the name of several");
    found.first().copied()
}

/// A row of the ledger.
struct Row<'a> {
    statement: &'a Statement,
    duty: Option<&'a Duty>,
    /// In the library.
    kept: Vec<&'a Place>,
    /// In the examples, or in a test that is one.
    shown: Vec<&'a Place>,
    /// Seen to fail.
    tests: Vec<&'a Test>,
    /// Others that name the statement.
    others: Vec<&'a Test>,
}

fn row(statement: &Statement) -> Row<'_> {
    let id = &statement.id;
    let places = SOURCES.mentions.iter().filter(|mention| mention.id == *id);
    let places: Vec<_> = places.map(|mention| &mention.place).collect();
    let is_in = |place: &&&Place, directories: &[&str]| {
        let is_in = |directory: &&str| place.path.starts_with(*directory);
        !place.is_test && directories.iter().any(is_in)
    };
    let mut tests: Vec<&Test> = Vec::new();
    for breakage in BREAKAGES.iter().filter(|b| b.statements.contains(id)) {
        for test in breakage.tests.iter().filter_map(|name| named(name)) {
            if !tests.contains(&test) && is_linked(test, id) {
                tests.push(test);
            }
        }
    }
    let others = LINKS.get(&**id).into_iter().flatten().copied();
    let others = others.filter(|test| !tests.contains(test)).collect();
    // What helps with tests is in `mod tests` or in tests/.
    let kept = places.iter().filter(|place| is_in(place, &["src/"]));
    let kept = kept.filter(|place| !place.item.split("::").any(|part| part == "tests"));
    let shown = places.iter();
    let shown = shown.filter(|place| is_in(place, &["examples/", "tests/transport.rs"]));
    Row {
        statement,
        duty: DUTIES.get(id),
        kept: kept.copied().collect(),
        shown: shown.copied().collect(),
        tests,
        others,
    }
}

/// The tests that name each statement.
static LINKS: LazyLock<BTreeMap<&str, BTreeSet<&Test>>> = LazyLock::new(|| {
    let mut links: BTreeMap<&str, BTreeSet<&Test>> = BTreeMap::new();
    for Mention { id, place } in &SOURCES.mentions {
        let test = if place.path.starts_with("tests/simulation/") {
            named(WATCHED_BY_THE_SIMULATOR)
        } else {
            let is_it = |test: &&Test| test.name == place.item && test.path == place.path;
            SOURCES.tests.iter().find(is_it).filter(|_| place.is_test)
        };
        links.entry(id).or_default().extend(test);
    }
    for id in MALFORMED.keys() {
        let test = named(&format!("vectors {ROWS_OF_OUR_OWN}"));
        links.entry(id).or_default().extend(test);
    }
    links
});

/// Whether a test names a statement.
fn is_linked(test: &Test, id: &str) -> bool {
    LINKS.get(id).is_some_and(|tests| tests.contains(test))
}

// The ledger

const SECTIONS: &[(&str, &str)] = &[
    ("1.5", "Data representations"),
    ("2.2", "Fixed header"),
    ("2.3", "Variable header"),
    ("3.1", "CONNECT"),
    ("3.2", "CONNACK"),
    ("3.3", "PUBLISH"),
    ("3.6", "PUBREL"),
    ("3.8", "SUBSCRIBE"),
    ("3.9", "SUBACK"),
    ("3.10", "UNSUBSCRIBE"),
    ("3.12", "PINGREQ"),
    ("3.14", "DISCONNECT"),
    ("4.1", "Storing state"),
    ("4.3", "Quality of Service levels and protocol flows"),
    ("4.4", "Message delivery retry"),
    ("4.5", "Message receipt"),
    ("4.6", "Message ordering"),
    ("4.7", "Topic Names and Topic Filters"),
    ("4.8", "Handling errors"),
    ("6.0", "WebSocket as a network transport"),
    ("7.0", "Conformance"),
    ("7.1", "Conformance targets"),
];

/// `3.10` of `MQTT-3.10.4-1`.
fn section_of(id: &str) -> String {
    let numbers: Vec<_> = id["MQTT-".len()..].split('.').take(2).collect();
    numbers.join(".")
}

fn link(path: &str) -> String {
    format!("[{path}]({path})")
}

/// Items by their file.
fn by_file<'a>(items: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
    for (path, item) in items {
        let at = files.iter().position(|(other, _)| *other == path);
        let at = at.unwrap_or_else(|| {
            files.push((path, Vec::new()));
            files.len() - 1
        });
        if !item.is_empty() && !files[at].1.contains(&item) {
            files[at].1.push(item);
        }
    }
    let files = files.into_iter().map(|(path, items)| {
        let items: Vec<_> = items.iter().map(|item| format!("`{item}`")).collect();
        format!("{} {}", link(path), items.join(", "))
            .trim_end()
            .to_owned()
    });
    files.collect::<Vec<_>>().join("<br>")
}

fn places(places: &[&Place]) -> String {
    by_file(places.iter().map(|place| (&*place.path, &*place.item)))
}

fn tests(tests: &[&Test]) -> String {
    by_file(tests.iter().map(|test| (&*test.path, &*test.name)))
}

fn where_it_is_kept(row: &Row<'_>) -> String {
    let mut parts = vec![places(&row.kept)];
    if let Some(Duty { of, hook }) = row.duty {
        parts.push(format!("The {of}'s duty: {hook}"));
        parts.push(places(&row.shown));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("<br>")
}

fn what_shows_it(row: &Row<'_>) -> String {
    let mut parts = vec![tests(&row.tests)];
    if !row.others.is_empty() {
        parts.push(format!("also {}", tests(&row.others)));
    }
    if let Some(count) = MALFORMED.get(&row.statement.id) {
        let plural = if *count == 1 { "" } else { "s" };
        parts.push(format!(
            "{count} packet{plural} in [malformed_own.jsonl](testdata/malformed_own.jsonl)"
        ));
    }
    parts.join("<br>")
}

fn ledger() -> String {
    let rows: Vec<_> = STATEMENTS.iter().map(row).collect();
    let duties = rows.iter().filter(|row| row.duty.is_some()).count();
    let without = rows.iter().filter(|row| row.kept.is_empty()).count();
    let mut text = format!(
        "# Conformance\n\
         \n\
         The {} normative statements of MQTT 3.1.1 (OASIS, 29 October 2014): where each of them is kept, \
         and the tests that fail if it is not. {} are kept by the library, {without} by what uses it; \
         {duties} are somebody else's duty in whole or in part, and then the library's means for it are \
         named, and where an example shows it.\n\
         \n\
         `tests/conformance.rs` puts this file together and fails if it is out of date \
         (`WRITE_LEDGER=1 cargo test --test conformance` writes it). The first tests of each row have been \
         seen to fail: `.ci/breakages` takes the checks out of a copy of the sources one after the other, as \
         `tests/conformance/breakages.toml` lists them, and runs the tests. Of {} breakages, {} were seen to \
         make their tests fail.\n",
        rows.len(),
        rows.len() - without,
        BREAKAGES.len(),
        seen(),
    );
    for (section, title) in SECTIONS {
        write!(
            text,
            "\n## {section} {title}\n\n\
             | statement | binds | says | where it is kept | tests |\n\
             |---|---|---|---|---|\n"
        )
        .unwrap();
        for row in rows
            .iter()
            .filter(|r| section_of(&r.statement.id) == *section)
        {
            let Statement {
                id,
                who,
                paraphrase,
                ..
            } = row.statement;
            writeln!(
                text,
                "| {id} | {who} | {} | {} | {} |",
                paraphrase.replace('|', "\\|"),
                where_it_is_kept(row),
                what_shows_it(row)
            )
            .unwrap();
        }
    }
    text
}

/// How many breakages were seen to fail when all of them were last tried.
fn seen() -> usize {
    let seen = toml("breakages.toml")["seen"].as_integer().unwrap();
    usize::try_from(seen).unwrap()
}

// Tests of the reading

#[test]
fn statements_in_brackets_are_read_as_they_are_meant() {
    let ids = |line| bracketed_ids(line).map(|ids| ids.join(" "));
    assert_eq!(ids("/// none: MQTT-3.1.2-24"), Ok(String::new()));
    assert_eq!(ids("x // [MQTT-3.1.2-24]."), Ok("MQTT-3.1.2-24".to_owned()));
    assert_eq!(
        ids("[MQTT-3.1.2-11, -18, MQTT-4.7.1-2, -3] and [MQTT-6.0.0-1]"),
        Ok("MQTT-3.1.2-11 MQTT-3.1.2-18 MQTT-4.7.1-2 MQTT-4.7.1-3 MQTT-6.0.0-1".to_owned())
    );
    for wrong in [
        "[MQTT-3.1.2]",
        "[MQTT-3.1.2-1..4]",
        "[MQTT-3.1.2-1,-2]",
        "[MQTT-3.1.2-1, 4.6.0-1]",
        "[MQTT-3-8.3-4]",
        "[MQTT-4.4.0-1,",
    ] {
        let inside = wrong.trim_start_matches('[').trim_end_matches(']');
        assert_eq!(ids(wrong), Err(inside.to_owned()));
    }
    let all = all_ids("MQTT-3.8.3-4`, MQTT-5, MQTT-3-8.3-4, MQTT-3.1 [MQTT-4.7.1-2, -3]");
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    assert_eq!(all, ["MQTT-3.8.3-4", "MQTT-4.7.1-2", "MQTT-4.7.1-3"]);
}

#[test]
fn items_are_found_where_they_are() {
    let text = "\
//! About the file [MQTT-1.0.0-1].
/// Of a type [MQTT-1.0.0-2].
#[expect(
    dead_code,
    reason = \"x\"
)]
pub(crate) struct Type<T> {
    /// Of a field [MQTT-1.0.0-3].
    field: T,
}
impl<'a, T: Fn() -> u8> Trait for &'a Type<T>
where
    T: Copy,
{
    /// Of a method [MQTT-1.0.0-4].
    pub const fn method(
        &self,
    ) -> u8 {
        const X: u8 = 1; // [MQTT-1.0.0-5]
        // In it [MQTT-1.0.0-6].
        X
    }
}
type Long =
    u8;
fn free() {} // [MQTT-1.0.0-7]
// [MQTT-1.0.0-8]
const LIST: &[u8] = &[
    1, // [MQTT-1.0.0-9]
];
macro_rules! roles {
    () => {
        impl $Role<S> {
            fn of_both() {} // [MQTT-1.0.0-10]
        }
    };
}
mod tests {
    fn helper() {
        // [MQTT-1.0.0-11]
    }
    /// [MQTT-1.0.0-12]
    #[test]
    fn a_test() {
        helper(); // [MQTT-1.0.0-13]
    }
}
conversations! {
    /// [MQTT-1.0.0-14]
    fn a_conversation<S>() {
    }
}
static LAST: u8 = 1; // [MQTT-1.0.0-15]
";
    let scanned = scan::scan(&Source {
        path: "x.rs".to_owned(),
        text: text.to_owned(),
    });
    let found: BTreeMap<_, _> = scanned
        .mentions
        .iter()
        .map(|mention| {
            let number = mention.id.rsplit_once('-').unwrap().1;
            let place = &mention.place;
            let number: u8 = number.parse().unwrap();
            (number, (place.item.as_str(), place.is_test))
        })
        .collect();
    let expected = [
        (1, ("", false)),
        (2, ("Type", false)),
        (3, ("Type", false)),
        (4, ("Type::method", false)),
        (5, ("Type::method::X", false)),
        (6, ("Type::method", false)),
        (7, ("free", false)),
        (8, ("LIST", false)),
        (9, ("LIST", false)),
        (10, ("roles!::of_both", false)),
        (11, ("tests::helper", false)),
        (12, ("a_test", true)),
        (13, ("a_test", true)),
        (14, ("a_conversation", true)),
        (15, ("LAST", false)),
    ];
    assert_eq!(found, BTreeMap::from(expected));
    let tests: Vec<_> = scanned.tests.iter().map(String::as_str).collect();
    assert_eq!(tests, ["a_conversation", "a_test"]);
}

// Tests of the ledger

#[test]
fn every_statement_that_anything_names_exists() {
    let known: BTreeSet<_> = STATEMENTS.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(known.len(), 141);
    let data = files("testdata", ".jsonl");
    let documents = ["README.md", "ARCHITECTURE.md", "testdata/README.md"].map(|name| Source {
        path: name.to_owned(),
        text: std::fs::read_to_string(root().join(name)).unwrap(),
    });
    let mut named = 0;
    for file in SOURCES.files.iter().chain(&data).chain(&documents) {
        for id in all_ids(&file.text) {
            assert!(
                known.contains(&*id),
                "{} names {id}, which does not exist",
                file.path
            );
            named += 1;
        }
    }
    assert!(named > 400, "{named}");
    let in_tables = BREAKAGES.iter().flat_map(|breakage| &breakage.statements);
    for id in in_tables.chain(DUTIES.keys()) {
        assert!(known.contains(&**id), "{id} does not exist");
    }
}

#[test]
fn every_statement_is_kept_somewhere_or_is_somebody_elses_duty() {
    for row in STATEMENTS.iter().map(row) {
        let id = &row.statement.id;
        assert!(
            row.duty.is_some() || !row.kept.is_empty(),
            "no source names {id}, and duties.toml does not list it"
        );
        assert!(
            row.statement.layer != "codec" || !row.kept.is_empty(),
            "a codec is bound by {id}, and no source names it"
        );
    }
}

#[test]
fn every_statement_has_a_test_that_was_seen_to_fail_without_it() {
    let unseen: Vec<_> = STATEMENTS
        .iter()
        .map(row)
        .filter(|row| row.tests.is_empty())
        .map(|row| &row.statement.id)
        .collect();
    assert_eq!(unseen, [] as [&String; 0], "have no row in breakages.toml");
    assert_eq!(
        seen(),
        BREAKAGES.len(),
        "run .ci/breakages with what is new, and write into breakages.toml how many were seen"
    );
}

#[test]
fn every_breakage_still_fits_the_sources_and_names_tests_of_its_statements() {
    let mut wrong = Vec::new();
    for breakage in BREAKAGES.iter() {
        let Breakage {
            statements,
            file,
            find,
            replace,
            tests,
        } = breakage;
        let label = statements.join(", ");
        let source = std::fs::read_to_string(root().join(file)).unwrap();
        let times = source.matches(&**find).count();
        if times != 1 {
            wrong.push(format!("{label}: {file} has {find:?} {times} times"));
        }
        assert_ne!(find, replace, "{label}");
        let mut linked = BTreeSet::new();
        for name in tests {
            let Some(test) = named(name) else {
                wrong.push(format!("{label}: there is no test {name}"));
                continue;
            };
            let of_these: Vec<_> = statements.iter().filter(|id| is_linked(test, id)).collect();
            if of_these.is_empty() {
                wrong.push(format!("{label}: {name} names none of these statements"));
            }
            linked.extend(of_these);
        }
        for id in statements.iter().filter(|id| !linked.contains(id)) {
            wrong.push(format!("{id}: none of {tests:?} names it"));
        }
    }
    assert_eq!(wrong, [] as [&str; 0], "{wrong:#?}");
}

#[test]
fn the_means_that_duties_name_exist() {
    let library: String = SOURCES
        .files
        .iter()
        .filter(|file| file.path.starts_with("src/"))
        .map(|file| file.text.as_str())
        .collect();
    let words: BTreeSet<_> = library
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    for (id, Duty { of, hook }) in DUTIES.iter() {
        assert!(
            ["application", "transport", "network"].contains(&&**of),
            "{id}"
        );
        // What stands between backticks: every second part.
        for path in hook.split('`').skip(1).step_by(2) {
            for word in path.split("::") {
                assert!(words.contains(word), "{id}: src/ has no `{word}`");
            }
        }
    }
}

#[test]
fn every_section_has_statements_and_every_statement_a_section() {
    let known: BTreeSet<_> = SECTIONS.iter().map(|(section, _)| *section).collect();
    let used: BTreeSet<_> = STATEMENTS.iter().map(|s| section_of(&s.id)).collect();
    assert_eq!(
        used.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        known
    );
}

#[test]
fn the_malformed_packets_of_others_are_tests_too() {
    let names = [ROWS_OF_OUR_OWN, ROWS_OF_OTHERS].map(|name| format!("vectors {name}"));
    assert!(names.iter().all(|name| named(name).is_some()));
    let others = malformed("conformance/malformed.jsonl");
    let linked = |id: &&String| {
        !row(STATEMENTS.iter().find(|s| s.id == **id).unwrap())
            .tests
            .is_empty()
    };
    assert!(others.len() > 20 && others.keys().all(|id| linked(&id)));
}

#[test]
fn conformance_md_is_up_to_date() {
    let path = root().join("CONFORMANCE.md");
    let expected = ledger();
    if std::env::var_os("WRITE_LEDGER").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = expected.lines().zip(found.lines()).find(|(a, b)| a != b);
    assert!(
        found == expected,
        "CONFORMANCE.md is out of date; WRITE_LEDGER=1 cargo test --test conformance writes it: {differs:?}"
    );
}
