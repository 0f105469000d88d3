//! Matching of Topic Names and Topic Filters (section 4.7).

/// Compares bytes without normalization [MQTT5-4.7.3-4]. `filter` and `topic` are valid, so `+` and `#` are whole levels, and `topic` has none.
/// Each iteration removes at least one byte from one of them and never goes back.
#[inline]
pub(super) fn matches(mut filter: &[u8], mut topic: &[u8]) -> bool {
    // [MQTT-4.7.2-1, MQTT5-4.7.2-1]
    if let ([b'+' | b'#', ..], [b'$', ..]) = (filter, topic) {
        return false;
    }
    loop {
        // Eight equal bytes hold no wildcard, because the topic has none.
        while let (Some((a, filter_rest)), Some((b, topic_rest))) = (
            filter.split_first_chunk::<8>(),
            topic.split_first_chunk::<8>(),
        ) {
            if u64::from_ne_bytes(*a) != u64::from_ne_bytes(*b) {
                break;
            }
            filter = filter_rest;
            topic = topic_rest;
        }
        match (filter, topic) {
            ([b'#', ..], _) => return true,
            ([b'+', filter_rest @ ..], _) => {
                filter = filter_rest;
                while let [byte, topic_rest @ ..] = topic {
                    if *byte == b'/' {
                        break;
                    }
                    topic = topic_rest;
                }
            }
            ([a, filter_rest @ ..], [b, topic_rest @ ..]) if a == b => {
                filter = filter_rest;
                topic = topic_rest;
            }
            // `sport/#` matches `sport` too (section 4.7.1.2).
            (b"/#", []) | ([], []) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::ToOwned;
    use std::string::String;
    use std::vec::Vec;
    use std::{format, vec};

    /// Section 4.7, level by level: simple and slow.
    fn by_level(filter: &str, topic: &str) -> bool {
        if topic.starts_with('$') && filter.starts_with(['+', '#']) {
            return false;
        }
        let mut topic_levels = topic.split('/');
        for level in filter.split('/') {
            if level == "#" {
                return true;
            }
            match topic_levels.next() {
                Some(topic_level) if level == "+" || level == topic_level => {}
                _ => {
                    return false;
                }
            }
        }
        topic_levels.next().is_none()
    }

    /// `by_level` with the rule of section 4.7.1.2 that `#` includes the parent level.
    fn expected(filter: &str, topic: &str) -> bool {
        by_level(filter, topic)
            || filter
                .strip_suffix("/#")
                .is_some_and(|parent| by_level(parent, topic))
    }

    #[test]
    fn the_examples_of_section_4_7_hold() {
        for (filter, topic, matched) in [
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
            ("sport/#", "sport", true),
            ("sport/#", "sports", false),
            ("#", "anything/at/all", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/x", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("+/x", "$/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/#", "$SYS", true),
            ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
            ("a/$x", "a/$x", true),
            ("a/+", "a/$x", true),
            ("ACCOUNTS", "Accounts", false),
            ("/finance", "finance", false),
            ("a/+/b", "a/x/b", true),
            ("a/+/b", "a//b", true),
            ("a/+/+/b", "a/x/b", false),
            ("+/#", "a", true),
            ("+/#", "/", true),
            ("//", "//", true),
            ("a//#", "a", false),
            ("a//#", "a/", true),
            ("abcdefgh/+/x", "abcdefgh/ijklmnop/x", true),
            ("abcdefgh/+/x", "abcdefgi/ijklmnop/x", false),
            ("abcdefgh", "abcdefgh/", false),
        ] {
            assert_eq!(
                expected(filter, topic),
                matched,
                "the test's own rule: {filter} {topic}"
            );
            assert_eq!(
                matches(filter.as_bytes(), topic.as_bytes()),
                matched,
                "{filter} {topic}"
            );
        }
    }

    #[test]
    fn every_short_filter_and_topic_agree_with_the_rule_by_level() {
        fn strings(alphabet: &[&str], levels: usize) -> Vec<String> {
            let mut all = vec![String::new()];
            let mut result = Vec::new();
            for _ in 0..levels {
                all = all
                    .iter()
                    .flat_map(|prefix| {
                        alphabet
                            .iter()
                            .map(move |level| format!("{prefix}{level}/"))
                    })
                    .collect();
                result.extend(all.iter().map(|s| s[..s.len() - 1].to_owned()));
            }
            result.retain(|s| !s.is_empty());
            result
        }
        let topics = strings(&["", "a", "$", "$a", "abcdefghi"], 4);
        let filters: Vec<_> = strings(&["", "a", "$", "+", "#", "abcdefghi"], 4)
            .into_iter()
            .filter(|f| super::super::TopicFilter::new(f).is_ok())
            .collect();
        let mut matched = 0;
        for filter in &filters {
            for topic in &topics {
                let expected = expected(filter, topic);
                matched += usize::from(expected);
                assert_eq!(
                    matches(filter.as_bytes(), topic.as_bytes()),
                    expected,
                    "{filter} {topic}"
                );
            }
        }
        assert!(
            matched > 1_000,
            "{matched} of the pairs match: too few to say anything"
        );
    }
}
