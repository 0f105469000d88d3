//! Topic Filters (section 4.7).

use super::text::checked_string;
use super::{TopicName, check, matching};
use crate::wire::TextError;

/// Which Topic Names a subscription is for (section 4.7.1): `+` stands for one level, `#`, as the
/// last level, for the level above it and any number below.
///
/// ```
/// use mqtt_sansio::{TopicFilter, TopicName};
///
/// let filter = TopicFilter::new("sensors/+/temperature")?;
/// assert!(filter.matches(&TopicName::new("sensors/kitchen/temperature")?));
/// assert!(!filter.matches(&TopicName::new("sensors/temperature")?));
/// assert!(TopicFilter::new("sensors/#/temperature").is_err());
/// # Ok::<(), mqtt_sansio::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter<B>(B);

checked_string!(TopicFilter, check::topic_filter);

impl<B: AsRef<[u8]>> TopicFilter<B> {
    /// Whether a message published to `topic` is for this filter (section 4.7). Compares the
    /// characters as they were sent [MQTT-4.7.3-4]; a filter that starts with a wildcard matches
    /// no topic that starts with `$` [MQTT-4.7.2-1]. Takes time in proportion to the two
    /// together, and no memory.
    #[must_use]
    #[inline]
    pub fn matches<C: AsRef<[u8]>>(&self, topic: &TopicName<C>) -> bool {
        matching::matches(self.as_bytes(), topic.as_bytes())
    }

    /// Whether `+` or `#` is in it.
    #[must_use]
    pub fn has_wildcards(&self) -> bool {
        self.as_bytes()
            .iter()
            .any(|byte| matches!(byte, b'+' | b'#'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::V3;
    use crate::wire::ErrorKind;
    use std::format;

    fn filter(filter: &str) -> TopicFilter<&[u8]> {
        TopicFilter::new(filter).unwrap()
    }

    #[test]
    fn strings_bytes_and_their_owners_are_checked_where_they_live() {
        let owned = ["+/\u{e9}/#"].concat();
        let vector = owned.as_bytes().to_vec();
        for filter in [
            TopicFilter::new("+/\u{e9}/#"),
            TopicFilter::new(b"+/\xc3\xa9/#"),
            TopicFilter::new(&owned),
            TopicFilter::new(&vector),
            TopicFilter::from_bytes(&vector[..]),
            TopicFilter::try_from("+/\u{e9}/#"),
        ] {
            assert_eq!(filter.unwrap().as_str(), "+/\u{e9}/#");
        }
        assert_eq!(TopicFilter::from_bytes(vector).unwrap(), "+/\u{e9}/#");
    }

    #[test]
    fn a_topic_filter_has_at_least_one_character() {
        let error = TopicFilter::new("").unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::EmptyTopic, 0));
        assert_eq!(error.statement::<V3>(), Some("MQTT-4.7.3-1"));
    }

    #[test]
    fn the_examples_of_section_4_7_1_are_valid_or_not_as_it_says() {
        for valid in [
            "sport/tennis/#",
            "#",
            "+",
            "+/tennis/#",
            "sport/+/player1",
            "sport/#",
        ] {
            assert!(TopicFilter::new(valid).is_ok(), "{valid}");
        }
        for (invalid, statement) in [
            ("sport/tennis#", "MQTT-4.7.1-2"),
            ("sport/tennis/#/ranking", "MQTT-4.7.1-2"),
            ("sport+", "MQTT-4.7.1-3"),
        ] {
            let error = TopicFilter::new(invalid).unwrap_err();
            assert_eq!(error.statement::<V3>(), Some(statement), "{invalid}");
        }
    }

    #[test]
    fn a_filter_has_wildcards_if_either_is_in_it() {
        for with in ["+", "#", "a/+", "+/a", "a/#", "a/+/b/#"] {
            assert!(filter(with).has_wildcards(), "{with}");
        }
        for without in ["a", "/", "a/b", "$SYS/a", "*", "a/\u{ff0b}"] {
            assert!(!filter(without).has_wildcards(), "{without}");
        }
    }

    #[test]
    fn a_filter_is_for_a_topic_wherever_the_bytes_of_both_live() {
        let topic = TopicName::from_bytes(b"a/b".to_vec()).unwrap();
        assert!(filter("a/+").matches(&topic));
        assert!(filter("a/+").map(<[u8]>::to_vec).matches(&topic.as_ref()));
        assert!(!filter("+").matches(&topic));
    }

    #[test]
    fn display_is_the_filter_and_debug_is_quoted_and_escaped() {
        assert_eq!(format!("{}", filter("\"\n/#")), "\"\n/#");
        assert_eq!(format!("{:?}", filter("\"\n/#")), r#""\"\n/#""#);
    }

    #[test]
    fn it_equals_the_string_that_it_is_and_not_one_that_it_matches() {
        assert_eq!(filter("a/+"), "a/+");
        assert_eq!(filter("a/+"), *"a/+");
        assert_ne!(filter("a/+"), "a/b");
    }

    #[test]
    fn map_and_into_inner_move_the_bytes() {
        let moved = filter("a/#").map(<[u8]>::to_vec);
        assert_eq!(moved.as_ref(), filter("a/#"));
        assert_eq!(moved.into_inner(), b"a/#".to_vec());
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn to_owned_outlives_what_it_was_made_from() {
        let owned = {
            let buffer = *b"a/#";
            TopicFilter::new(&buffer).unwrap().to_owned()
        };
        assert_eq!(owned, "a/#");
    }
}
