//! Trees of Topic Filters and Topic Names, compared with a linear scan.

#![cfg(feature = "alloc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use allocation_counter::measure;
use fastrand::Rng;
use mqtt_sansio::{FilterTree, TopicFilter, TopicName, TopicTree};

fn filter(filter: &str) -> TopicFilter<&[u8]> {
    TopicFilter::new(filter).expect(filter)
}

fn topic(topic: &str) -> TopicName<&[u8]> {
    TopicName::new(topic).expect(topic)
}

fn filters<'a>(filters: impl IntoIterator<Item = &'a str>) -> FilterTree<&'a str> {
    let mut tree = FilterTree::new();
    for each in filters {
        assert_eq!(tree.insert(&filter(each), each), None, "{each}");
    }
    tree
}

fn topics<'a>(topics: impl IntoIterator<Item = &'a str>) -> TopicTree<&'a str> {
    let mut tree = TopicTree::new();
    for each in topics {
        assert_eq!(tree.insert(&topic(each), each), None, "{each}");
    }
    tree
}

/// Returns the filters that match, sorted.
fn matching<'a>(tree: &FilterTree<&'a str>, name: &str) -> Vec<&'a str> {
    let mut found: Vec<_> = tree
        .matches(&topic(name))
        .map(|found| *found.value)
        .collect();
    found.sort_unstable();
    found
}

/// Returns the topics that match, sorted.
fn matched<'a>(tree: &TopicTree<&'a str>, wanted: &str) -> Vec<&'a str> {
    let mut found: Vec<_> = tree.matches(&filter(wanted)).copied().collect();
    found.sort_unstable();
    found
}

// Filters

#[test]
fn a_filter_has_one_value_until_it_is_removed() {
    let mut tree = FilterTree::new();
    assert_eq!(tree.insert(&filter("a/+"), 1), None);
    assert_eq!(tree.insert(&filter("a/+"), 2), Some(1));
    assert_eq!((tree.len(), tree.is_empty()), (1, false));
    assert_eq!(tree.get(&filter("a/+")), Some(&2));
    *tree.get_mut(&filter("a/+")).unwrap() = 3;
    assert_eq!(tree.remove(&filter("a/+")), Some(3));
    assert_eq!(tree.remove(&filter("a/+")), None);
    assert!(tree.is_empty());
}

#[test]
fn a_filter_is_not_found_by_what_it_matches_or_starts_with() {
    let mut tree = filters(["a/+/b", "#"]);
    for other in ["a", "a/+", "a/x/b", "a/+/b/#", "+", "a/#"] {
        assert_eq!(tree.get(&filter(other)), None, "{other}");
        assert_eq!(tree.remove(&filter(other)), None, "{other}");
    }
    assert_eq!(tree.len(), 2);
}

#[test]
fn a_value_is_made_once_for_each_filter() {
    let mut tree = FilterTree::new();
    for each in ["a", "$share/g/a", "a", "$share/g/a", "$share/h/a"] {
        tree.get_or_insert_with(&filter(each), Vec::new).push(each);
    }
    assert_eq!(tree.len(), 3);
    assert_eq!(tree.get(&filter("a")), Some(&vec!["a"; 2]));
    let shared = tree.get(&filter("$share/g/a"));
    assert_eq!(shared, Some(&vec!["$share/g/a"; 2]));
}

#[test]
fn a_topic_finds_the_filters_of_its_levels_and_of_those_above() {
    let tree = filters([
        "sport/tennis/player1",
        "sport/tennis/+",
        "sport/+/player1",
        "+/+/+",
        "sport/tennis/player1/#",
        "sport/#",
        "#",
        "sport/tennis",
        "sport/+",
        "sport/tennis/player1/ranking",
        "Sport/#",
        "/sport/#",
    ]);
    assert_eq!(
        matching(&tree, "sport/tennis/player1"),
        [
            "#",
            "+/+/+",
            "sport/#",
            "sport/+/player1",
            "sport/tennis/+",
            "sport/tennis/player1",
            "sport/tennis/player1/#",
        ]
    );
    assert_eq!(matching(&tree, "sport"), ["#", "sport/#"]);
    assert_eq!(matching(&tree, "/"), ["#"]);
}

/// [MQTT-4.7.2-1]
#[test]
fn a_topic_that_starts_with_a_dollar_sign_finds_no_filter_that_starts_with_a_wildcard() {
    let tree = filters([
        "#",
        "+/a",
        "+/#",
        "$SYS/#",
        "$SYS/+",
        "$share/g/#",
        "a/#",
        "a/+",
    ]);
    assert_eq!(matching(&tree, "$SYS/a"), ["$SYS/#", "$SYS/+"]);
    assert_eq!(
        matching(&tree, "a/$SYS"),
        ["#", "$share/g/#", "+/#", "a/#", "a/+"]
    );
}

#[test]
fn one_search_finds_each_shared_subscription_with_its_share_name() {
    let tree = filters([
        "$share/g/a/+",
        "$share/h/a/+",
        "$share/g/#",
        "$share/g/b",
        "a/+",
        "$share//a/+",
    ]);
    let name = topic("a/b");
    let mut found: Vec<_> = tree
        .matches(&name)
        .map(|found| (found.share_name.map(|name| name.to_string()), *found.value))
        .collect();
    found.sort_unstable();
    let shared = |name: &str| Some(name.to_owned());
    assert_eq!(
        found,
        [
            (None, "a/+"),
            (shared("g"), "$share/g/#"),
            (shared("g"), "$share/g/a/+"),
            (shared("h"), "$share/h/a/+"),
        ]
    );
}

#[test]
fn a_share_name_is_part_of_the_filter_that_is_removed() {
    let mut tree = filters(["$share/g/a", "$share/h/a", "a"]);
    assert_eq!(tree.remove(&filter("$share/x/a")), None);
    assert_eq!(tree.remove(&filter("$share/g/a")), Some("$share/g/a"));
    assert_eq!(tree.get(&filter("$share/g/a")), None);
    assert_eq!(matching(&tree, "a"), ["$share/h/a", "a"]);
    assert_eq!(tree.remove(&filter("$share/h/a")), Some("$share/h/a"));
    assert_eq!(tree.remove(&filter("a")), Some("a"));
    assert!(tree.is_empty());
}

// Topics

#[test]
fn a_filter_finds_the_topics_that_it_matches() {
    let tree = topics([
        "a", "a/b", "a/c", "a/b/c", "b/b", "/", "a/", "$SYS/a", "$a", "%",
    ]);
    for (wanted, expected) in [
        ("a", &["a"][..]),
        ("+", &["%", "a"]),
        ("a/+", &["a/", "a/b", "a/c"]),
        ("a/#", &["a", "a/", "a/b", "a/b/c", "a/c"]),
        ("+/b", &["a/b", "b/b"]),
        ("+/+", &["/", "a/", "a/b", "a/c", "b/b"]),
        ("#", &["%", "/", "a", "a/", "a/b", "a/b/c", "a/c", "b/b"]),
        ("+/#", &["%", "/", "a", "a/", "a/b", "a/b/c", "a/c", "b/b"]),
        ("$SYS/#", &["$SYS/a"]),
        ("$share/g/a/+", &["a/", "a/b", "a/c"]),
        ("$share//a/+", &[]),
        ("c/#", &[]),
        ("a/b/c/d", &[]),
    ] {
        assert_eq!(matched(&tree, wanted), expected, "{wanted}");
    }
}

#[test]
fn a_topic_has_one_value_until_it_is_removed() {
    let mut tree = TopicTree::new();
    assert_eq!(tree.insert(&topic("a/b"), 1), None);
    assert_eq!(tree.insert(&topic("a/b"), 2), Some(1));
    *tree.get_mut(&topic("a/b")).unwrap() = 3;
    assert_eq!(tree.get(&topic("a/b")), Some(&3));
    assert_eq!(tree.get(&topic("a")), None);
    assert_eq!((tree.len(), tree.is_empty()), (1, false));
    assert_eq!(tree.remove(&topic("a/b")), Some(3));
    assert_eq!(tree.remove(&topic("a/b")), None);
    assert!(tree.is_empty());
}

#[test]
fn what_is_not_retained_is_removed() {
    let mut subscriptions = filters(["a", "b", "$share/g/a", "$share/h/a", "$share/h/b"]);
    subscriptions.retain(|value| value.ends_with('b') || value.contains("/h/"));
    assert_eq!(subscriptions.len(), 3);
    assert_eq!(matching(&subscriptions, "a"), ["$share/h/a"]);
    assert_eq!(matching(&subscriptions, "b"), ["$share/h/b", "b"]);
    let mut retained = topics(["a", "a/b", "c"]);
    retained.retain(|value| *value != "a/b");
    assert_eq!(matched(&retained, "#"), ["a", "c"]);
}

#[test]
fn a_search_does_not_allocate() {
    let subscriptions = filters(["a/+/c", "#", "+/b/#", "$share/g/a/#"]);
    let name = topic("a/b/c");
    let heap = measure(|| assert_eq!(subscriptions.matches(&name).count(), 4));
    assert_eq!(heap.count_total, 0);
    let retained = topics(["a/b/c", "a/b", "b/c"]);
    let wanted = filter("+/b/#");
    let heap = measure(|| assert_eq!(retained.matches(&wanted).count(), 2));
    assert_eq!(heap.count_total, 0);
}

#[test]
fn clearing_a_tree_removes_all() {
    let mut subscriptions = filters(["a", "$share/g/a"]);
    subscriptions.clear();
    assert!(subscriptions.is_empty());
    assert_eq!(matching(&subscriptions, "a"), [""; 0]);
    let mut retained = topics(["a"]);
    retained.clear();
    assert!(retained.is_empty());
    assert_eq!(matched(&retained, "#"), [""; 0]);
}

#[test]
fn a_search_that_has_ended_stays_at_its_end() {
    let subscriptions = filters(["#", "$share/g/#"]);
    let name = topic("a");
    let mut found = subscriptions.matches(&name);
    assert_eq!(found.by_ref().count(), 2);
    assert_eq!(found.next(), None);
    let retained = topics(["a"]);
    let wanted = filter("#");
    let mut found = retained.matches(&wanted);
    assert_eq!(found.by_ref().count(), 1);
    assert_eq!(found.next(), None);
}

// Comparison with a linear scan

/// A few levels with few values, so that many match.
fn levels(random: &mut Rng, choices: &[&str]) -> String {
    let levels: Vec<_> = (0..random.usize(1..6))
        .map(|_| *random.choice(choices).unwrap())
        .collect();
    levels.join("/")
}

const LITERAL: &[&str] = &["", "a", "a", "b", "ab", "$", "$a", "\u{e9}", "%"];

fn random_topic(random: &mut Rng) -> Option<TopicName<Vec<u8>>> {
    levels(random, LITERAL).parse().ok()
}

fn random_filter(random: &mut Rng) -> Option<TopicFilter<Vec<u8>>> {
    let mut text = levels(random, &[LITERAL, &["+"; 6]].concat());
    if random.u8(..) < 80 {
        text.push_str("/#");
    }
    if random.u8(..) < 60 {
        let name = random.choice(["g", "h", "", "+"]).unwrap();
        text = format!("$share/{name}/{text}");
    }
    text.parse().ok()
}

#[test]
fn random_filters_and_topics_are_found_as_a_linear_scan_finds_them() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let random = &mut Rng::with_seed(seed);
    let mut found_filters = 0;
    let mut found_topics = 0;
    for _ in 0..60 {
        let mut subscriptions = FilterTree::new();
        let mut subscription_list = BTreeMap::new();
        let mut retained = TopicTree::new();
        let mut retained_list = BTreeMap::new();
        for turn in 0..400 {
            let (Some(filter), Some(topic)) = (random_filter(random), random_topic(random)) else {
                continue;
            };
            // From the middle on, as many are removed as inserted.
            if random.u32(..400) > turn {
                let (inserted, kept) = (turn, filter.clone());
                let replaced = subscriptions.insert(&filter, inserted);
                assert_eq!(replaced, subscription_list.insert(kept, inserted));
                let replaced = retained.insert(&topic, turn);
                assert_eq!(replaced, retained_list.insert(topic.clone(), turn));
            } else {
                let of_list = subscription_list.keys().nth(random.usize(..20)).cloned();
                let removed = of_list.unwrap_or_else(|| filter.clone());
                let value = subscriptions.remove(&removed);
                assert_eq!(value, subscription_list.remove(&removed), "{removed}");
                let of_list = retained_list.keys().nth(random.usize(..20)).cloned();
                let removed = of_list.unwrap_or_else(|| topic.clone());
                let value = retained.remove(&removed);
                assert_eq!(value, retained_list.remove(&removed), "{removed}");
            }
            assert_eq!(subscriptions.len(), subscription_list.len());
            assert_eq!(subscriptions.get(&filter), subscription_list.get(&filter));
            assert_eq!(retained.len(), retained_list.len());
            assert_eq!(retained.get(&topic), retained_list.get(&topic));

            let mut found: Vec<_> = subscriptions
                .matches(&topic)
                .map(|found| *found.value)
                .collect();
            found.sort_unstable();
            let matching = |(filter, value): (&TopicFilter<_>, &u32)| {
                Some(*value).filter(|_| filter.matches(&topic))
            };
            let mut expected: Vec<u32> = subscription_list.iter().filter_map(matching).collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{topic}");
            found_filters += found.len();

            let mut found: Vec<_> = retained.matches(&filter).copied().collect();
            found.sort_unstable();
            let matched = |(topic, value): (&TopicName<_>, &u32)| {
                Some(*value).filter(|_| filter.matches(topic))
            };
            let mut expected: Vec<u32> = retained_list.iter().filter_map(matched).collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{filter}");
            found_topics += found.len();
        }
    }
    assert!(found_filters > 10_000, "{found_filters}");
    assert!(found_topics > 10_000, "{found_topics}");
}

// Hostile keys

#[test]
fn filters_and_topics_of_as_many_levels_as_there_can_be_are_kept_and_found() {
    let separators = "/".repeat(65_535);
    let wildcards = "+/".repeat(32_767) + "#";
    let name = &separators[..40_000];
    // A stack of the usual size is enough.
    let mut subscriptions = filters([separators.as_str(), &wildcards, "#"]);
    assert_eq!(matching(&subscriptions, &separators).len(), 3);
    assert_eq!(matching(&subscriptions, name).len(), 2);
    assert_eq!(matching(&subscriptions.clone(), name).len(), 2);
    assert!(subscriptions.remove(&filter(&separators)).is_some());
    assert_eq!(matching(&subscriptions, &separators).len(), 2);
    let retained = topics([separators.as_str(), name]);
    assert_eq!(matched(&retained, &wildcards).len(), 2);
    assert_eq!(matched(&retained, "#").len(), 2);
}

#[test]
fn each_combination_of_wildcards_that_matches_is_found_once() {
    let mut tree = FilterTree::new();
    for combination in 0..1_u32 << 12 {
        let levels = (0..12).map(|level| ["a", "+"][(combination >> level & 1) as usize]);
        let levels: Vec<_> = levels.collect();
        tree.insert(&filter(&levels.join("/")), combination);
    }
    let name = "a/".repeat(11) + "a";
    let mut found: Vec<_> = tree
        .matches(&topic(&name))
        .map(|found| *found.value)
        .collect();
    found.sort_unstable();
    assert_eq!(found, (0..1 << 12).collect::<Vec<_>>());
    assert_eq!(tree.matches(&topic(&(name + "/a"))).count(), 0);
}
