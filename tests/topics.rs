//! Topic Names, Topic Filters, and their matching (section 4.7).

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mqtt_sansio::{ErrorKind, TextError, TopicFilter, TopicName};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

fn matches(filter: &str, topic: &str) -> bool {
    TopicFilter::new(filter)
        .expect(filter)
        .matches(&TopicName::new(topic).expect(topic))
}

fn check(table: &[(&str, &str, bool)]) {
    for &(filter, topic, expected) in table {
        assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        assert_eq!(
            by_levels(filter, topic),
            expected,
            "the slow matcher: {filter} {topic}"
        );
    }
}

/// Section 4.7, level by level: slow, and independent of the library.
fn by_levels(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        if wanted == "#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == "+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

// Valid Topic Names and Topic Filters

/// [MQTT-3.3.2-2, MQTT-4.7.1-1, MQTT-4.7.3-1]
#[test]
fn a_topic_name_has_at_least_one_character_and_no_wildcard() {
    for name in [
        "/",
        "//",
        "a",
        "/a",
        "a/",
        "a//b",
        " ",
        "$",
        "$SYS/x",
        "é/€/😀",
        "\u{feff}",
        "\u{1}",
        "a b",
        "A",
        "*",
    ] {
        assert_eq!(
            TopicName::new(name).map(|name| name.as_str().to_owned()),
            Ok(name.to_owned())
        );
    }
    for (name, kind, offset, statement) in [
        ("", ErrorKind::EmptyTopic, 0, "MQTT-4.7.3-1"),
        ("+", ErrorKind::WildcardInTopicName, 0, "MQTT-3.3.2-2"),
        ("#", ErrorKind::WildcardInTopicName, 0, "MQTT-3.3.2-2"),
        ("a/+/b", ErrorKind::WildcardInTopicName, 2, "MQTT-3.3.2-2"),
        (
            "abcdefgh/i+",
            ErrorKind::WildcardInTopicName,
            10,
            "MQTT-3.3.2-2",
        ),
        ("é#", ErrorKind::WildcardInTopicName, 2, "MQTT-3.3.2-2"),
        ("a\0", ErrorKind::NullCharacter, 1, "MQTT-1.5.3-2"),
    ] {
        assert_eq!(
            fault(TopicName::new(name).err()),
            (kind, offset, Some(statement)),
            "{name}"
        );
    }
}

/// [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1]
#[test]
fn wildcards_in_a_topic_filter_fill_a_level_and_the_multi_level_one_is_last() {
    for filter in [
        "#",
        "+",
        "/",
        "//",
        "+/+",
        "/+",
        "+/",
        "+/#",
        "/#",
        "//#",
        "a/#",
        "a/+/b",
        "a//b",
        "$SYS/#",
        "+/+/+/#",
        "é/+",
        "\u{feff}/+",
        " ",
        "$share/g/+",
    ] {
        assert_eq!(
            TopicFilter::new(filter).map(|f| f.as_str().to_owned()),
            Ok(filter.to_owned())
        );
    }
    let (multi, single) = (
        ErrorKind::MisplacedMultiLevelWildcard,
        ErrorKind::MisplacedSingleLevelWildcard,
    );
    for (filter, kind, offset, statement) in [
        ("", ErrorKind::EmptyTopic, 0, "MQTT-4.7.3-1"),
        ("a#", multi, 1, "MQTT-4.7.1-2"),
        ("#a", multi, 0, "MQTT-4.7.1-2"),
        ("##", multi, 0, "MQTT-4.7.1-2"),
        ("#/", multi, 0, "MQTT-4.7.1-2"),
        ("a/#/b", multi, 2, "MQTT-4.7.1-2"),
        ("sport/tennis#", multi, 12, "MQTT-4.7.1-2"),
        ("sport/tennis/#/ranking", multi, 13, "MQTT-4.7.1-2"),
        ("a+", single, 1, "MQTT-4.7.1-3"),
        ("+a", single, 0, "MQTT-4.7.1-3"),
        ("++", single, 0, "MQTT-4.7.1-3"),
        ("sport+", single, 5, "MQTT-4.7.1-3"),
        ("a/b+/c", single, 3, "MQTT-4.7.1-3"),
        ("+#", single, 0, "MQTT-4.7.1-3"),
        ("é/+x", single, 3, "MQTT-4.7.1-3"),
        ("a/\0", ErrorKind::NullCharacter, 2, "MQTT-1.5.3-2"),
    ] {
        assert_eq!(
            fault(TopicFilter::new(filter).err()),
            (kind, offset, Some(statement)),
            "{filter}"
        );
    }
}

fn fault(error: Option<TextError>) -> (ErrorKind, usize, Option<&'static str>) {
    let error = error.expect("an error");
    (
        error.kind(),
        error.offset(),
        error.statement::<mqtt_sansio::v3::V3>(),
    )
}

#[test]
fn has_wildcards_says_whether_a_filter_is_for_more_than_one_topic() {
    for (filter, expected) in [
        ("a/b", false),
        ("$SYS", false),
        ("/", false),
        ("+", true),
        ("a/#", true),
        ("a/+/b", true),
    ] {
        assert_eq!(
            TopicFilter::new(filter).unwrap().has_wildcards(),
            expected,
            "{filter}"
        );
    }
}

// Matching

#[test]
fn the_multi_level_wildcard_is_for_the_level_above_it_and_all_below() {
    check(&[
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        (
            "sport/tennis/player1/#",
            "sport/tennis/player1/ranking",
            true,
        ),
        (
            "sport/tennis/player1/#",
            "sport/tennis/player1/score/wimbledon",
            true,
        ),
        ("sport/tennis/player1/#", "sport/tennis/player2", false),
        ("sport/#", "sport", true),
        ("sport/#", "sport/", true),
        ("sport/#", "sports", false),
        ("sport/#", "spor", false),
        ("#", "a", true),
        ("#", "/", true),
        ("#", "a/b/c", true),
        ("/#", "/", true),
        ("/#", "/a", true),
        ("/#", "a", false),
        ("a//#", "a/", true),
        ("a//#", "a", false),
        ("a//#", "a//b", true),
        ("a/+/#", "a", false),
        ("a/+/#", "a/b", true),
        ("a/+/#", "a/", true),
        ("+/#", "a", true),
        ("+/#", "/", true),
    ]);
}

#[test]
fn the_single_level_wildcard_is_for_exactly_one_level_which_may_be_empty() {
    check(&[
        ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player2", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("+", "finance", true),
        ("+/tennis/#", "sport/tennis", true),
        ("+/tennis/#", "sport/tennis/x/y", true),
        ("a/+/c", "a/b/c", true),
        ("a/+/c", "a//c", true),
        ("a/+/c", "a/b/b/c", false),
        ("a/+/c", "a/c", false),
        ("+/", "a/", true),
        ("+/", "a", false),
        ("+/+/+", "//", true),
        ("+/b", "a/bb", false),
    ]);
}

/// [MQTT-4.7.2-1]
#[test]
fn a_filter_that_starts_with_a_wildcard_is_for_no_topic_that_starts_with_a_dollar_sign() {
    check(&[
        ("#", "$SYS/a", false),
        ("#", "$", false),
        ("+", "$", false),
        ("+/a", "$SYS/a", false),
        ("+/#", "$SYS/a", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("a/#", "a/$SYS", true),
        ("a/+", "a/$SYS", true),
        ("/+", "/$SYS", true),
        ("+/+", "/$SYS", true),
    ]);
}

#[test]
fn a_filter_that_starts_with_a_literal_dollar_sign_is_for_its_topics() {
    check(&[
        ("$SYS/#", "$SYS/a", true),
        ("$SYS/#", "$SYS", true),
        ("$SYS/#", "$SYS/", true),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
        ("$SYS/+/x", "$SYS/a/x", true),
        ("$SYS/#", "$SYSTEM", false),
        ("$/+", "$/a", true),
    ]);
}

/// [MQTT-4.7.3-4]
#[test]
fn topics_are_compared_character_by_character_as_they_were_sent() {
    check(&[
        ("ACCOUNTS", "ACCOUNTS", true),
        ("ACCOUNTS", "Accounts", false),
        ("/finance", "finance", false),
        ("finance/", "finance", false),
        ("a b", "a b", true),
        ("a b", "a  b", false),
        // The same letter, composed and decomposed.
        ("\u{e9}", "\u{e9}", true),
        ("\u{e9}", "e\u{301}", false),
        // U+FEFF is a character of its own.
        ("\u{feff}a", "a", false),
        ("\u{feff}a", "\u{feff}a", true),
        ("a/../b", "b", false),
        ("abcdefgh", "abcdefgh", true),
        ("abcdefgh", "abcdefgi", false),
        ("abcdefghi", "abcdefgh", false),
        ("abcdefgh", "abcdefghi", false),
    ]);
}

#[test]
fn topics_of_65535_bytes_are_matched_to_the_last_level() {
    let slashes = "/".repeat(65_535);
    let pluses = "+/".repeat(32_767) + "+";
    let plus_hash = "+/".repeat(32_767) + "#";
    let levels = "a/".repeat(32_767) + "a";
    let other = "a/".repeat(32_767) + "b";
    let shorter = &slashes[1..];
    check(&[
        (&slashes, &slashes, true),
        (&slashes, shorter, false),
        (shorter, &slashes, false),
        (&pluses, &levels, true),
        (&pluses, &slashes[..32_767], true),
        (&pluses, &slashes[..32_766], false),
        (&pluses, &slashes[..32_768], false),
        (&pluses, &slashes, false),
        (&plus_hash, &slashes, true),
        (&plus_hash, &levels, true),
        (&plus_hash, &slashes[..32_766], true),
        (&plus_hash, &slashes[..32_765], false),
        (&levels, &levels, true),
        (&levels, &other, false),
        ("#", &slashes, true),
    ]);
}

#[test]
fn storage_makes_no_difference() {
    let filter = TopicFilter::from_bytes(b"a/+".to_vec()).unwrap();
    let topic = TopicName::from_bytes(Box::<[u8]>::from(&b"a/b"[..])).unwrap();
    assert!(filter.matches(&topic));
    assert!(filter.as_ref().matches(&topic.as_ref()));
}

// Comparison with the slow matcher

/// A few levels, so that filters and topics match often.
fn levels(with_wildcards: bool) -> impl Strategy<Value = String> {
    let mut levels = vec!["", "a", "b", "$", "$a", "ab", "abcdefghij", "é"];
    if with_wildcards {
        levels.extend(["+", "+", "+", "#"]);
    }
    prop::collection::vec(prop::sample::select(levels), 1..7).prop_map(|levels| levels.join("/"))
}

/// A filter made from a topic, so that most match, or nearly.
fn related() -> impl Strategy<Value = (String, String)> {
    (
        levels(false),
        prop::collection::vec(0..4_u8, 7),
        any::<u8>(),
    )
        .prop_map(|(topic, how, end)| {
            let mut filter: Vec<_> = topic
                .split('/')
                .zip(how)
                .map(|(level, how)| match how {
                    0 => "+",
                    1 => "ab",
                    _ => level,
                })
                .collect();
            match end % 4 {
                0 => filter.push("#"),
                1 => {
                    filter.pop();
                    filter.push("#");
                }
                _ => {}
            }
            (filter.join("/"), topic)
        })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        // The default is a directory next to the sources.
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_TARGET_TMPDIR"),
            "/topics.txt"
        )))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_filter_is_for_the_topics_that_the_slow_matcher_finds(
        (filter, topic) in prop_oneof![related(), (levels(true), levels(false))],
    ) {
        if let (Ok(filter), Ok(topic)) = (TopicFilter::new(&filter), TopicName::new(&topic)) {
            prop_assert_eq!(filter.matches(&topic), by_levels(filter.as_str(), topic.as_str()));
        }
    }

    #[test]
    fn a_topic_name_is_a_filter_for_itself_and_for_nothing_else(a in levels(false), b in levels(false)) {
        if let (Ok(filter), Ok(a), Ok(b)) = (TopicFilter::new(&a), TopicName::new(&a), TopicName::new(&b)) {
            prop_assert!(filter.matches(&a));
            prop_assert_eq!(filter.matches(&b), a == b);
        }
    }
}
