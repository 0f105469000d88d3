//! The ledger of conformance, CONFORMANCE.md: for each normative statement of the standard, the
//! sources that name it beside a check, and the tests that name it.
//!
//! `MQTT_WRITE=1 cargo test --test conformance` writes the file.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

#[path = "conformance/ledger.rs"]
mod ledger;

use ledger::{Statement, VERSIONS, ledger, mentions, named, root, statements, written};

#[test]
fn statements_in_brackets_are_found() {
    let named = |text| named(text).map(|found| Vec::from_iter(found).join(" "));
    assert_eq!(named("none: MQTT-3.1.2-24, [MQTT 5]"), Ok(String::new()));
    assert_eq!(
        named("x // [MQTT-3.1.2-24]."),
        Ok("MQTT-3.1.2-24".to_owned())
    );
    assert_eq!(
        named("[MQTT5-3.1.2-24, -5] is not [MQTT-3.1.2-24]"),
        Ok("MQTT-3.1.2-24 MQTT5-3.1.2-24 MQTT5-3.1.2-5".to_owned())
    );
    assert_eq!(
        named("[MQTT-3.1.2-11, -18, MQTT-4.7.1-2, -3]\n[MQTT-6.0.0-1]"),
        Ok("MQTT-3.1.2-11 MQTT-3.1.2-18 MQTT-4.7.1-2 MQTT-4.7.1-3 MQTT-6.0.0-1".to_owned())
    );
    for wrong in [
        "[MQTT-3.1.2]",
        "[MQTT5-3-2]",
        "[MQTT-3.1.2-1..4]",
        "[MQTT-3.1.2-1,-2]",
        "[MQTT-3.1.2-1, 4.6.0-1]",
        "[MQTT-3-8.3-4]",
        "[MQTT-4.4.0-1,",
    ] {
        assert!(named(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_statement_that_is_named_exists() {
    let known: BTreeSet<_> = VERSIONS
        .iter()
        .flat_map(|version| {
            let written = |statement: Statement| written(version, &statement.id);
            statements(version).into_iter().map(written)
        })
        .collect();
    let named = mentions();
    let unknown: Vec<_> = named
        .iter()
        .filter(|(id, _)| !known.contains(*id))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(named.len() > 100, "{named:?}");
}

#[test]
fn every_statement_has_a_test_and_those_that_bind_the_library_a_check() {
    let missing: Vec<_> = VERSIONS
        .iter()
        .flat_map(statements)
        .filter(|statement| {
            (statement.binds_the_library() && statement.checks.is_empty())
                || (!statement.is_tested() && !is_packaged())
        })
        .map(|statement| (statement.id, statement.checks, statement.tests))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn conformance_md_is_what_the_sources_say() {
    let path = root().join("CONFORMANCE.md");
    let expected = ledger();
    if std::env::var_os("MQTT_WRITE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    let lines = expected.lines().zip(found.lines());
    let different: Vec<_> = lines.filter(|(a, b)| a != b).collect();
    assert!(
        expected == found || is_packaged(),
        "`MQTT_WRITE=1 cargo test --test conformance` writes it: {different:#?}"
    );
}

/// Returns true in a package made by cargo, which does not contain the other members of the
/// workspace, to which the ledger links.
fn is_packaged() -> bool {
    root().join("Cargo.toml.orig").exists()
}
