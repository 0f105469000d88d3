//! Where sources name statements of the standard.
//!
//! In brackets, a statement is named beside what keeps it or shows it: `[MQTT-3.1.2-24]`, several
//! with commas, and of the same section as the one before also `-5` for short. In a comment above
//! an item it is about that item, anywhere in an item about that one. An item is found by its
//! indentation, which rustfmt sees to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file that was read.
pub(crate) struct Source {
    /// From the root of the crate, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A statement in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mention {
    pub(crate) id: String,
    pub(crate) place: Place,
}

/// An item of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) path: String,
    /// Empty for the file itself.
    pub(crate) item: String,
    pub(crate) is_test: bool,
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a directory whose name ends like this.
pub(crate) fn files(directory: &str, ending: &str) -> Vec<Source> {
    fn visit(directory: &Path, ending: &str, found: &mut Vec<Source>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, ending, found);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy();
                found.push(Source {
                    path: name.replace('\\', "/"),
                    text: std::fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    let mut found = Vec::new();
    visit(&root().join(directory), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "{directory}");
    found
}

/// What is of the form `MQTT-1.2.3-4`, at the start of a text.
fn id_at(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("MQTT-")?;
    let mut parts = rest.splitn(2, '-');
    let section = parts.next()?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if section.split('.').count() != 3 || !section.split('.').all(is_number) {
        return None;
    }
    let number = parts.next()?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| &text[..5 + section.len() + 1 + digits])
}

/// Every statement that a text names, in brackets or not.
pub(crate) fn all_ids(text: &str) -> BTreeSet<String> {
    let mut ids: BTreeSet<_> = text
        .match_indices("MQTT-")
        .filter_map(|(at, _)| id_at(&text[at..]))
        .map(str::to_owned)
        .collect();
    for line in text.lines() {
        ids.extend(bracketed_ids(line).unwrap_or_default());
    }
    ids
}

/// The statements that a line names in brackets; what is in the bracket if it makes no sense.
pub(crate) fn bracketed_ids(line: &str) -> Result<Vec<String>, String> {
    let mut ids: Vec<String> = Vec::new();
    for (at, _) in line.match_indices("[MQTT-") {
        let inside = &line[at + 1..];
        let inside = inside.split(']').next().unwrap_or_default();
        let mut section = None;
        for part in inside.split(", ") {
            let id = match (part.strip_prefix('-'), section) {
                (Some(number), Some(section)) => format!("{section}-{number}"),
                _ => part.to_owned(),
            };
            if id_at(&id) != Some(&*id) {
                return Err(inside.to_owned());
            }
            section = part
                .starts_with("MQTT-")
                .then(|| part.rsplit_once('-').map(|(section, _)| section))
                .flatten()
                .or(section);
            ids.push(id);
        }
    }
    Ok(ids)
}

/// An item whose end has not come.
struct Open {
    indent: usize,
    /// How it shows in the name of what is in it; `None` if it does not.
    name: Option<String>,
    /// What is in it are tests, whether they say so or not.
    is_for_tests: bool,
    is_test: bool,
}

/// What a line starts: the name, and whether it names what is in it.
fn item(line: &str) -> Option<(String, bool)> {
    let mut words = line.trim_start();
    while let Some(rest) = ["pub ", "const fn", "async fn"]
        .iter()
        .find_map(|word| words.strip_prefix(word).map(|rest| (word, rest)))
    {
        match rest {
            (&"pub ", rest) => words = rest,
            (_, rest) => return Some((name_at(rest.trim_start())?, true)),
        }
    }
    if let Some(rest) = words.strip_prefix("pub(") {
        words = rest.split_once(") ")?.1;
        return item(words);
    }
    if let Some(rest) = words.strip_prefix("impl") {
        let rest = match rest.strip_prefix('<') {
            Some(rest) => &rest[closing(rest)..],
            None => rest.strip_prefix(' ')?,
        };
        let rest = rest.trim_start();
        let implementer = rest.split_once(" for ").map_or(rest, |(_, of)| of);
        let implementer = match implementer.strip_prefix("&'") {
            Some(borrowed) => borrowed.split_once(' ')?.1,
            None => implementer,
        };
        return Some((name_at(implementer)?, true));
    }
    for (keyword, names) in [
        ("fn ", true),
        ("struct ", true),
        ("enum ", true),
        ("trait ", true),
        ("union ", true),
        ("mod ", true),
        ("macro_rules! ", true),
        ("const ", true),
        ("static ", true),
        ("type ", true),
    ] {
        if let Some(rest) = words.strip_prefix(keyword) {
            let name = name_at(rest)?;
            return Some((
                if keyword == "macro_rules! " {
                    name + "!"
                } else {
                    name
                },
                names,
            ));
        }
    }
    // What a macro is given.
    let name = words.strip_suffix("! {")?;
    Some((name_at(name)?, false))
}

/// Behind the `>` that belongs to a `<` before the text.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
        before = c;
    }
    text.len()
}

fn name_at(text: &str) -> Option<String> {
    let is_in_name = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let name: String = text.chars().take_while(is_in_name).collect();
    (!name.is_empty()).then_some(name)
}

/// A source, read for its tests and the statements that it names in brackets.
#[derive(Default)]
pub(crate) struct Scanned {
    pub(crate) mentions: BTreeSet<Mention>,
    /// The names of the tests.
    pub(crate) tests: BTreeSet<String>,
}

pub(crate) fn scan(source: &Source) -> Scanned {
    let mut scanned = Scanned::default();
    let mut open: Vec<Open> = Vec::new();
    // What comments and attributes say of the item that follows.
    let mut above: Vec<String> = Vec::new();
    let mut is_test = false;
    let mut attribute: Option<usize> = None;

    let place = |open: &[Open]| {
        let is_test = open.iter().any(|item| item.is_test);
        let names: Vec<_> = open.iter().filter_map(|item| item.name.clone()).collect();
        // A test is known by its own name.
        let names = match open.iter().rposition(|item| item.is_test) {
            Some(at) => open[at].name.iter().cloned().collect(),
            None => names,
        };
        Place {
            path: source.path.clone(),
            item: names.join("::"),
            is_test,
        }
    };

    for line in source.text.lines() {
        let indent = line.len() - line.trim_start().len();
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let ids = bracketed_ids(line)
            .unwrap_or_else(|inside| panic!("{}: [{inside}] is not understood", source.path));
        if let Some(at) = attribute {
            if indent == at && trimmed.ends_with(']') {
                attribute = None;
            }
            continue;
        }
        if trimmed.starts_with("//!") {
            let place = place(&open);
            let mention = |id| Mention {
                id,
                place: place.clone(),
            };
            scanned.mentions.extend(ids.into_iter().map(mention));
            continue;
        }
        if trimmed.starts_with("//") {
            above.extend(ids);
            continue;
        }
        if trimmed.starts_with("#[") || trimmed.starts_with("#![") {
            is_test |= trimmed == "#[test]";
            if !trimmed.ends_with(']') {
                attribute = Some(indent);
            }
            continue;
        }
        let trimmed = trimmed.split(" // ").next().unwrap_or(trimmed);
        let started = item(trimmed).filter(|_| !trimmed.ends_with(','));
        // A closing bracket where an item began ends it, unless more of its first line follows.
        let closes = trimmed.starts_with(['}', ']', ')'])
            && (trimmed.starts_with('}') || trimmed.ends_with(';'));
        let has_started = started.is_some();
        if let Some((name, names)) = started {
            open.retain(|item| item.indent < indent);
            let in_tests = open.last().is_some_and(|item| item.is_for_tests);
            let is_a_test = is_test || in_tests;
            if is_a_test {
                scanned.tests.insert(name.clone());
            }
            open.push(Open {
                indent,
                is_for_tests: name == "conversations",
                name: (names && !name.starts_with('$')).then_some(name),
                is_test: is_a_test,
            });
        }
        let place = place(&open);
        let all = above.drain(..).chain(ids);
        let mention = |id| Mention {
            id,
            place: place.clone(),
        };
        scanned.mentions.extend(all.map(mention));
        is_test = false;
        let is_one_line = trimmed.ends_with(';') || trimmed.ends_with('}');
        if closes || (has_started && is_one_line) {
            open.retain(|item| item.indent < indent);
        }
    }
    scanned
}
