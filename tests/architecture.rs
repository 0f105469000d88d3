//! Which part of the library may use which, held against the sources; and what the sources must
//! not contain.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test stops at what it does not expect"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each part may use, beside itself. A part that is not here, or a use that is not in its
/// row, is a change of architecture. `lib.rs`, which re-exports all of them, has none.
const MAY_USE: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("types", &["wire"]),
    ("decoder", &["wire"]),
    ("v3", &["wire", "types", "decoder"]),
    ("time", &[]),
    ("session", &["types", "time"]),
    (
        "connection",
        &["session", "v3", "decoder", "types", "time", "wire"],
    ),
    ("tokio_util", &["connection", "v3", "wire"]),
];

/// A part that may not use all of another.
struct Only {
    part: &'static str,
    uses: &'static str,
    /// These names of it.
    names: &'static [&'static str],
    /// In these files; in any if there are none.
    in_files: &'static [&'static str],
    why: &'static str,
}

const ONLY: &[Only] = &[
    Only {
        part: "types",
        uses: "wire",
        names: &["TextError", "ErrorKind"],
        in_files: &[],
        why: "a string that is refused says why, and needs nothing else of the wire",
    },
    Only {
        part: "v3",
        uses: "decoder",
        names: &["Decoder", "Piece"],
        in_files: &["v3/mod.rs"],
        why: "`v3::Decoder` is an alias; no packet knows of streams",
    },
    Only {
        part: "connection",
        uses: "decoder",
        names: &["Decoder", "Buffer", "Piece"],
        in_files: &[
            "connection/both_roles.rs",
            "connection/client.rs",
            "connection/server.rs",
        ],
        why: "a connection is handed what a decoder yields; only `receive` decodes",
    },
];

/// Files that use each other, and why that is so.
const USE_EACH_OTHER: &[(&str, &str, &str)] = &[];

// Reading the sources.

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file, by its path below `src`.
fn sources() -> BTreeMap<String, String> {
    fn visit(directory: &Path, base: &Path, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, base, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(base).unwrap().to_string_lossy();
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(name.replace('\\', "/"), text);
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(&root().join("src"), &root().join("src"), &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The source as words and signs, without comments and literals; `::` is one sign.
fn tokens(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or(' ');
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        match (at(i), at(i + 1)) {
            ('/', '/') => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            ('"', _) => {
                // A raw string ends at a quote and as many `#` as stand before it.
                let hashes = (1..=i).take_while(|&n| at(i - n) == '#').count();
                let raw = i > hashes && at(i - hashes - 1) == 'r';
                i += 1;
                while i < chars.len() {
                    if at(i) == '\\' && !raw {
                        i += 1;
                    } else if at(i) == '"' && (!raw || (1..=hashes).all(|n| at(i + n) == '#')) {
                        break;
                    }
                    i += 1;
                }
                i += 1;
            }
            ('\'', '\\') => {
                i += 3;
                while at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            ('\'', _) if at(i + 2) == '\'' => i += 3,
            (':', ':') => {
                tokens.push("::".to_owned());
                i += 2;
            }
            (c, _) if in_word(c) => {
                let word: String = chars[i..].iter().take_while(|c| in_word(**c)).collect();
                i += word.chars().count();
                tokens.push(word);
            }
            (c, _) => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                i += 1;
            }
        }
    }
    tokens
}

/// One source file, read for what it refers to.
#[derive(Default)]
struct File {
    /// Paths from the root of the crate that it names with `crate::` or `super::`.
    uses: BTreeSet<Vec<String>>,
    /// What it passes on of its child modules: name to path.
    passes_on: BTreeMap<String, Vec<String>>,
    /// Child modules for tests.
    test_modules: Vec<String>,
}

/// The module that a file is.
fn module_of(name: &str) -> Vec<String> {
    let path = name.trim_end_matches(".rs").trim_end_matches("/mod");
    match path {
        "lib" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

/// The paths of one `a::b::{c, d::e}`, and where it ends.
fn tree(
    tokens: &[String],
    mut i: usize,
    mut path: Vec<String>,
    out: &mut Vec<Vec<String>>,
) -> usize {
    while let Some(token) = tokens.get(i) {
        match token.as_str() {
            "{" => {
                i += 1;
                while tokens[i] != "}" {
                    i = tree(tokens, i, path.clone(), out);
                    if tokens[i] == "," {
                        i += 1;
                    }
                }
                return i + 1;
            }
            "self" => i += 1,
            word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push(word.to_owned());
                i += 1;
            }
            _ => break,
        }
        if tokens.get(i).is_some_and(|token| token == "::") {
            i += 1;
        } else {
            break;
        }
    }
    out.push(path);
    if tokens.get(i).is_some_and(|token| token == "*") {
        i += 1;
    }
    if tokens.get(i).is_some_and(|token| token == "as") {
        i += 2;
    }
    i
}

/// Behind the item that starts at `i`: its `;`, or the end of its braces.
fn behind_item(tokens: &[String], mut i: usize) -> usize {
    let mut depth = 0;
    loop {
        match tokens[i].as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => return i + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
        i += 1;
    }
}

fn parse(name: &str, source: &str) -> File {
    let tokens = tokens(source);
    let is = |i: usize, text: &str| tokens.get(i).is_some_and(|token| token == text);
    let starts =
        |i: usize, texts: &[&str]| texts.iter().enumerate().all(|(n, text)| is(i + n, text));
    let mut file = File::default();
    let mut module = module_of(name);
    // The depths at which inline modules began.
    let (mut depth, mut inline) = (0, Vec::new());
    let mut i = 0;
    while i < tokens.len() {
        if starts(i, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            if let Some(at) = (i + 7..i + 12).find(|&at| is(at, "mod") && is(at + 2, ";")) {
                file.test_modules.push(tokens[at + 1].clone());
            }
            i = behind_item(&tokens, i + 7);
        } else if is(i, "mod") && is(i + 2, "{") {
            module.push(tokens[i + 1].clone());
            depth += 1;
            inline.push(depth);
            i += 3;
        } else if (is(i, "crate") || is(i, "super")) && is(i + 1, "::") {
            let mut base = if is(i, "crate") {
                Vec::new()
            } else {
                module.clone()
            };
            while is(i, "super") {
                base.pop();
                i += 2;
            }
            if is(i, "crate") {
                i += 2;
            }
            let mut paths = Vec::new();
            i = tree(&tokens, i, base, &mut paths);
            file.uses.extend(paths);
        } else if is(i, "use") && inline.is_empty() && !is(i + 1, "crate") && !is(i + 1, "super") {
            let mut paths = Vec::new();
            i = tree(&tokens, i + 1, module.clone(), &mut paths);
            for path in paths {
                if let Some(item) = path.last() {
                    file.passes_on.insert(item.clone(), path);
                }
            }
        } else {
            match tokens[i].as_str() {
                "{" => depth += 1,
                "}" => {
                    if inline.last() == Some(&depth) {
                        inline.pop();
                        module.pop();
                    }
                    depth -= 1;
                }
                _ => {}
            }
            i += 1;
        }
    }
    file
}

/// Every file of the library proper.
fn parsed() -> BTreeMap<String, File> {
    let mut files: BTreeMap<_, _> = sources()
        .into_iter()
        .map(|(name, source)| (name.clone(), parse(&name, &source)))
        .collect();
    let for_tests: Vec<_> = files
        .iter()
        .flat_map(|(name, file)| {
            let parent = module_of(name);
            let path = |child: &String| {
                [&parent[..], core::slice::from_ref(child)]
                    .concat()
                    .join("/")
            };
            file.test_modules.iter().map(path).collect::<Vec<_>>()
        })
        .collect();
    for module in for_tests {
        files.retain(|name, _| {
            !name.starts_with(&format!("{module}.")) && !name.starts_with(&format!("{module}/"))
        });
    }
    files
}

/// The file that defines what a path leads to. A `mod.rs`, or `lib.rs`, that only passes a name on
/// is looked through.
fn defined_in(files: &BTreeMap<String, File>, path: &[String]) -> String {
    let file_of = |module: &[String]| match module.join("/") {
        path if path.is_empty() => Some("lib.rs".to_owned()),
        path => [format!("{path}.rs"), format!("{path}/mod.rs")]
            .into_iter()
            .find(|name| files.contains_key(name)),
    };
    for len in (0..=path.len()).rev() {
        let Some(file) = file_of(&path[..len]) else {
            continue;
        };
        let passed_on = path
            .get(len)
            .and_then(|item| files[&file].passes_on.get(item));
        return match passed_on {
            Some(further) if further[..] != *path => defined_in(files, further),
            _ => file,
        };
    }
    unreachable!("lib.rs is always there");
}

fn part(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// Which file uses which name of which other.
fn names_used() -> BTreeSet<(String, String, String)> {
    let files = parsed();
    let used = files.iter().flat_map(|(user, file)| {
        let name = |path: &Vec<String>| path.last().cloned().unwrap_or_default();
        let used = |path: &Vec<String>| (user.clone(), defined_in(&files, path), name(path));
        file.uses.iter().map(used).collect::<Vec<_>>()
    });
    used.filter(|(user, used, _)| user != used).collect()
}

/// Which file uses which other.
fn uses() -> BTreeSet<(String, String)> {
    names_used()
        .into_iter()
        .map(|(user, used, _)| (user, used))
        .collect()
}

#[test]
fn the_sources_are_read_as_they_are_meant() {
    let file = parse(
        "v3/publish.rs",
        r###"
            //! Not this: crate::comment::A
            use crate::wire::{Reader, error::{Field, Kind as Other}, self};
            use super::connect::read;
            use core::fmt;
            mod inner {
                use super::super::list::List;
                fn f() -> &'static str { "use crate::string::B; // '" }
            }
            const C: char = '"';
            const D: &str = r#"crate::raw::E \"#;
            fn g(x: crate::types::Text<'_>) { crate::v3::decode::<u8>(x) }
            #[cfg(test)]
            mod testing;
            #[cfg(test)]
            mod tests {
                use crate::only::ForTests;
            }
            use super::ack::Last;
        "###,
    );
    let uses: Vec<_> = file.uses.iter().map(|path| path.join("::")).collect();
    let expected = [
        "types::Text",
        "v3::ack::Last",
        "v3::connect::read",
        "v3::decode",
        "v3::list::List",
        "wire",
        "wire::Reader",
        "wire::error::Field",
        "wire::error::Kind",
    ];
    assert_eq!(uses, expected);
    assert_eq!(file.test_modules, ["testing"]);
}

// What must hold.

#[test]
fn every_use_is_in_the_table() {
    let uses = uses();
    assert!(uses.len() > 40, "{uses:?}");
    for (user, used) in &uses {
        let (from, to) = (part(user), part(used));
        if from == to || from == "lib" {
            continue;
        }
        let row = MAY_USE.iter().find(|(part, _)| *part == from);
        let (_, allowed) = row.unwrap_or_else(|| panic!("{user}: {from} is not in the table"));
        assert!(
            allowed.contains(&to),
            "{user} uses {used}, which {from} must not"
        );
    }
}

#[test]
fn what_may_be_used_in_part_only_is_used_in_that_part_only() {
    let mut seen = BTreeSet::new();
    for (user, used, name) in &names_used() {
        for only in ONLY {
            if part(user) == only.part && part(used) == only.uses {
                let why = only.why;
                assert!(
                    only.names.contains(&&**name),
                    "{user} uses {name} of {used}, but {why}"
                );
                let anywhere = only.in_files.is_empty();
                assert!(
                    anywhere || only.in_files.contains(&&**user),
                    "{user} uses {used}, but {why}"
                );
                seen.insert((only.part, only.uses));
            }
        }
    }
    assert!(seen.contains(&("types", "wire")), "{seen:?}");
}

#[test]
fn the_table_itself_leads_downward_only() {
    for (n, (part, allowed)) in MAY_USE.iter().enumerate() {
        for other in *allowed {
            let lower = MAY_USE[..n].iter().any(|(name, _)| name == other);
            assert!(
                lower,
                "{part} may use {other}, which must then stand above it in the table"
            );
        }
    }
}

#[test]
fn no_two_files_use_each_other_but_those_that_are_listed() {
    let uses = uses();
    let both = |(a, b): &&(String, String)| uses.contains(&(b.clone(), a.clone())) && a < b;
    let found: Vec<_> = uses
        .iter()
        .filter(both)
        .map(|(a, b)| (&**a, &**b))
        .collect();
    let listed: Vec<_> = USE_EACH_OTHER.iter().map(|(a, b, _)| (*a, *b)).collect();
    assert_eq!(
        found, listed,
        "what the sources say, and what USE_EACH_OTHER lists"
    );
}

#[test]
fn no_file_uses_itself_by_way_of_others() {
    let mut uses = uses();
    let listed = |a: &str, b: &str| USE_EACH_OTHER.iter().any(|(x, y, _)| (a, b) == (*x, *y));
    uses.retain(|(a, b)| !listed(a, b) && !listed(b, a));
    // Take away what leads nowhere and what nothing leads to, until only circles are left.
    loop {
        let users: BTreeSet<_> = uses.iter().map(|(user, _)| user.clone()).collect();
        let used: BTreeSet<_> = uses.iter().map(|(_, used)| used.clone()).collect();
        let before = uses.len();
        uses.retain(|(a, b)| users.contains(b) && used.contains(a));
        if uses.len() == before {
            break;
        }
    }
    assert_eq!(uses, BTreeSet::new(), "these go round in a circle");
}

#[test]
fn lib_rs_has_no_logic() {
    let lib = &sources()["lib.rs"];
    let words = tokens(lib);
    for word in ["fn", "impl", "enum", "trait", "const", "static", "match"] {
        assert!(!words.contains(&word.to_owned()), "lib.rs has a `{word}`");
    }
}

#[test]
fn there_is_no_unsafe_code_and_cargo_toml_forbids_it() {
    for (name, source) in sources() {
        let mut words = tokens(&source);
        if name == "lib.rs" {
            // `#![forbid(unsafe_code)]`
            words.retain(|word| word != "unsafe_code");
        }
        assert!(!words.iter().any(|word| word.contains("unsafe")), "{name}");
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}

#[test]
fn the_core_needs_no_atomics_no_waiting_and_no_printing() {
    for (name, source) in sources() {
        let words = tokens(&source);
        // Cortex-M0 has no compare-and-swap; nothing waits, so there is nothing to cancel; and a
        // library does not print.
        for word in [
            "Arc",
            "Mutex",
            "atomic",
            "async",
            "await",
            "thread",
            "println",
            "eprintln",
            "dbg",
            "SystemTime",
            "Instant",
        ] {
            assert!(!words.contains(&word.to_owned()), "{name} has `{word}`");
        }
    }
}
