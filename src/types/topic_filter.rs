//! Topic Filters (section 4.7).

use super::check::{self, Rules};
use super::checked::{Checked, StringKind, sealed::Validate};
use super::{Text, TopicName, matching, shared};
use crate::wire::TextError;

/// The Topic Filter of a subscription (section 4.7.1): `+` matches one level; `#`, as the last
/// level, matches its parent level and any number of levels below.
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
pub type TopicFilter<B> = Checked<B, TopicFilterKind>;

/// Makes a [`Checked`] string a [`TopicFilter`].
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum TopicFilterKind {}

impl StringKind for TopicFilterKind {}

impl Validate for TopicFilterKind {
    const RULES: Rules = Rules::TopicFilter;

    #[inline(always)]
    fn check(bytes: &[u8]) -> Result<(), TextError> {
        check::topic_filter(bytes)
    }
}

/// The parts of a Shared Subscription, `$share/{ShareName}/{filter}` (MQTT 5, section 4.8.2):
/// each message that matches goes to one of the sessions that subscribed with the same two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_structs, reason = "the parts are the standard's")]
pub struct SharedFilter<'a> {
    /// The name that its subscribers share.
    pub share_name: Text<&'a [u8]>,
    /// The filter that is matched with topics. A `$share` in it has no meaning.
    pub topic_filter: TopicFilter<&'a [u8]>,
}

impl TopicFilter<&[u8]> {
    /// Validates a Topic Filter by the rules of MQTT 5: as [`from_bytes`](Checked::from_bytes) and
    /// [`check_shared`](Checked::check_shared) together.
    pub(crate) fn check_v5(bytes: &[u8]) -> Result<(), TextError> {
        shared::check(bytes)?;
        check::topic_filter(bytes)
    }

    /// Validates a Topic Filter without the rules for Shared Subscriptions.
    pub(crate) fn check_unshared(bytes: &[u8]) -> Result<(), TextError> {
        check::topic_filter(bytes)
    }
}

impl<B: AsRef<[u8]>> TopicFilter<B> {
    /// Returns true if a message published to `topic` matches this filter (section 4.7).
    ///
    /// Compares the characters without normalization [MQTT-4.7.3-4]. A filter that starts with a
    /// wildcard matches no topic that starts with `$` [MQTT-4.7.2-1]. Of a shared filter the part
    /// after the share name decides. Takes time in proportion to the lengths of both, and no
    /// memory.
    #[must_use]
    #[inline]
    pub fn matches<C: AsRef<[u8]>>(&self, topic: &TopicName<C>) -> bool {
        matching::matches(self.matched_part(), topic.as_bytes())
    }

    /// Returns true if the filter starts with `$share/`, valid or not.
    pub(crate) fn is_shared(&self) -> bool {
        shared::is_shared(self.as_bytes())
    }

    /// Returns the filter itself, or the part after its share name.
    #[inline]
    pub(crate) fn matched_part(&self) -> &[u8] {
        shared::matched_part(self.as_bytes())
    }

    /// Returns the parts of a Shared Subscription, `$share/{ShareName}/{filter}`, or `None` for
    /// any other filter.
    ///
    /// MQTT 5 defines Shared Subscriptions (section 4.8.2); brokers offer them to clients of 3.1.1
    /// too. A filter that starts with `$share/` without a valid share name and filter is legal in
    /// 3.1.1 and stays a plain filter: this returns `None`, and
    /// [`check_shared`](Self::check_shared) returns what is wrong with it.
    ///
    /// ```
    /// use mqtt_sansio::{TopicFilter, TopicName};
    ///
    /// let filter = TopicFilter::new("$share/workers/jobs/+")?;
    /// let shared = filter.shared().unwrap();
    /// assert_eq!(shared.share_name, "workers");
    /// assert_eq!(shared.topic_filter, "jobs/+");
    /// assert!(filter.matches(&TopicName::new("jobs/7")?));
    /// # Ok::<(), mqtt_sansio::TextError>(())
    /// ```
    #[must_use]
    pub fn shared(&self) -> Option<SharedFilter<'_>> {
        shared::parts(self.as_bytes()).map(|(share_name, topic_filter)| SharedFilter {
            share_name: Text::from_valid(share_name),
            topic_filter: TopicFilter::from_valid(topic_filter),
        })
    }

    /// Validates a filter that starts with `$share/` by the rules of MQTT 5: a share name of at
    /// least one character [MQTT5-4.8.2-1], without wildcards, a `/` and a Topic Filter
    /// [MQTT5-4.8.2-2]. Any other filter is valid.
    ///
    /// # Errors
    ///
    /// The first fault of the filter.
    pub fn check_shared(&self) -> Result<(), TextError> {
        shared::check(self.as_bytes())
    }

    /// Returns true if the filter contains `+` or `#`.
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

    #[test]
    fn a_shared_filter_has_a_share_name_and_a_filter() {
        for (shared, name, rest) in [
            ("$share/g/a", "g", "a"),
            ("$share/g/#", "g", "#"),
            ("$share/g/+/b", "g", "+/b"),
            ("$share/g//", "g", "/"),
            ("$share/\u{e9} 1/a/b", "\u{e9} 1", "a/b"),
            ("$share/$share/$share/g/a", "$share", "$share/g/a"),
        ] {
            let expected = SharedFilter {
                share_name: Text::new(name).unwrap(),
                topic_filter: filter(rest),
            };
            assert_eq!(filter(shared).shared(), Some(expected), "{shared}");
            assert_eq!(filter(shared).check_shared(), Ok(()), "{shared}");
        }
    }

    #[test]
    fn a_filter_that_does_not_start_with_share_and_a_separator_is_not_shared() {
        for plain in [
            "a",
            "$",
            "$share",
            "$shared/g/a",
            "$Share/g/a",
            "/$share/g/a",
            "share/g/a",
            "+/g/a",
        ] {
            assert_eq!(filter(plain).shared(), None, "{plain}");
            assert_eq!(filter(plain).check_shared(), Ok(()), "{plain}");
        }
    }

    /// [MQTT5-4.8.2-1, MQTT5-4.8.2-2]
    #[test]
    fn a_shared_filter_without_a_valid_name_or_filter_is_refused_where_it_goes_wrong() {
        for (invalid, kind, at) in [
            ("$share/", ErrorKind::EmptyShareName, 7),
            ("$share//", ErrorKind::EmptyShareName, 7),
            ("$share//x", ErrorKind::EmptyShareName, 7),
            ("$share/+/x", ErrorKind::WildcardInShareName, 7),
            ("$share/+", ErrorKind::WildcardInShareName, 7),
            ("$share/#", ErrorKind::WildcardInShareName, 7),
            ("$share/g", ErrorKind::MissingSharedFilter, 8),
            ("$share/g/", ErrorKind::MissingSharedFilter, 9),
        ] {
            // It is a filter of MQTT 3.1.1.
            let filter = filter(invalid);
            assert_eq!(filter.shared(), None, "{invalid}");
            let error = filter.check_shared().unwrap_err();
            assert_eq!((error.kind(), error.offset()), (kind, at), "{invalid}");
        }
    }

    #[test]
    fn a_shared_filter_matches_what_the_filter_in_it_matches() {
        for (shared, topic, matched) in [
            ("$share/g/a/+", "a/b", true),
            ("$share/g/a/+", "b/b", false),
            ("$share/g/a/+", "$share/g/a/b", false),
            ("$share/g/#", "a", true),
            ("$share/g/#", "$SYS/a", false), // [MQTT-4.7.2-1]
            ("$share/g/+/a", "$SYS/a", false),
            ("$share/g/$SYS/#", "$SYS/a", true),
            ("$share/g/$share/g/a", "a", false),
            ("$share/g/$share/g/a", "$share/g/a", true),
        ] {
            let topic = TopicName::new(topic).unwrap();
            assert_eq!(filter(shared).matches(&topic), matched, "{shared} {topic}");
        }
    }

    #[test]
    fn a_filter_with_an_invalid_share_is_matched_as_a_plain_one() {
        for (plain, topic, matched) in [
            ("$share//x", "$share//x", true),
            ("$share//x", "x", false),
            ("$share/+/x", "$share/g/x", true),
            ("$share/+/x", "x", false),
            ("$share/#", "$share/g/x", true),
            ("$share/g", "$share/g", true),
            ("$share/g/", "$share/g/", true),
        ] {
            let topic = TopicName::new(topic).unwrap();
            assert_eq!(filter(plain).matches(&topic), matched, "{plain} {topic}");
        }
    }
}
