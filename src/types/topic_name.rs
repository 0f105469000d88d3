//! Topic Names (section 4.7).

use super::check::{self, Rules};
use super::checked::{Checked, StringKind, sealed::Validate};
use crate::wire::TextError;

/// The Topic Name of a message (section 4.7): at least one character, no wildcards, otherwise as
/// [`Text`](crate::Text). Levels are separated by `/` and may be empty.
///
/// ```
/// use mqtt_sansio::TopicName;
///
/// let topic = TopicName::new("sensors/kitchen/temperature")?;
/// assert_eq!(topic, "sensors/kitchen/temperature");
/// assert_eq!(TopicName::new("sensors/+").unwrap_err().offset(), 8);
/// # Ok::<(), mqtt_sansio::TextError>(())
/// ```
pub type TopicName<B> = Checked<B, TopicNameKind>;

/// Makes a [`Checked`] string a [`TopicName`].
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum TopicNameKind {}

impl StringKind for TopicNameKind {}

impl Validate for TopicNameKind {
    const RULES: Rules = Rules::TopicName;

    #[inline(always)]
    fn check(bytes: &[u8]) -> Result<(), TextError> {
        check::topic_name(bytes)
    }
}

impl TopicName<&[u8]> {
    /// Validates a Topic Name.
    #[inline(always)]
    pub(crate) fn check(bytes: &[u8]) -> Result<(), TextError> {
        check::topic_name(bytes)
    }

    /// Validates the Topic Name of an MQTT 5 PUBLISH, which is empty where a Topic Alias replaces it.
    #[inline(always)]
    pub(crate) fn check_v5(bytes: &[u8]) -> Result<(), TextError> {
        if bytes.is_empty() {
            return Ok(());
        }
        check::topic_name(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::V3;
    use crate::wire::ErrorKind;
    use std::format;

    #[test]
    fn strings_bytes_and_their_owners_are_checked_where_they_live() {
        let owned = ["a/\u{e9}"].concat();
        let vector = owned.as_bytes().to_vec();
        for topic in [
            TopicName::new("a/\u{e9}"),
            TopicName::new(b"a/\xc3\xa9"),
            TopicName::new(&owned),
            TopicName::new(&vector),
            TopicName::from_bytes(&vector[..]),
            TopicName::try_from("a/\u{e9}"),
        ] {
            assert_eq!(topic.unwrap().as_str(), "a/\u{e9}");
        }
        assert_eq!(TopicName::from_bytes(vector).unwrap(), "a/\u{e9}");
    }

    #[test]
    fn a_topic_name_has_at_least_one_character() {
        let error = TopicName::new("").unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::EmptyTopic, 0));
        assert_eq!(error.statement::<V3>(), Some("MQTT-4.7.3-1"));
    }

    #[test]
    fn a_topic_name_has_no_wildcards_in_any_place() {
        for (topic, at) in [
            ("+", 0),
            ("#", 0),
            ("a/+/b", 2),
            ("a/#", 2),
            ("a+b", 1),
            ("ab#", 2),
        ] {
            let error = TopicName::new(topic).unwrap_err();
            assert_eq!(
                (error.kind(), error.offset()),
                (ErrorKind::WildcardInTopicName, at)
            );
            assert_eq!(error.statement::<V3>(), Some("MQTT-3.3.2-2"));
        }
    }

    #[test]
    fn a_topic_name_has_no_null_character() {
        let error = TopicName::new("a/\0").unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::NullCharacter, 2)
        );
    }

    #[test]
    fn levels_may_be_empty_and_start_with_a_dollar_sign_and_hold_spaces() {
        // Section 4.7.3.
        for topic in [
            "/",
            "//",
            "/a",
            "a/",
            "$SYS/broker/load",
            "Accounts payable",
        ] {
            assert_eq!(TopicName::new(topic).unwrap().as_str(), topic);
        }
    }

    #[test]
    fn display_is_the_topic_and_debug_is_quoted_and_escaped() {
        let topic = TopicName::new("a/\t\"b\"").unwrap();
        assert_eq!(format!("{topic}"), "a/\t\"b\"");
        assert_eq!(format!("{topic:?}"), r#""a/\t\"b\"""#);
    }

    #[test]
    fn it_equals_the_string_that_it_is_and_no_other() {
        let topic = TopicName::new("a/b").unwrap();
        assert_eq!(topic, "a/b");
        assert_eq!(topic, *"a/b");
        assert_ne!(topic, "A/b");
        assert_ne!(topic, "a/b/");
    }

    #[test]
    fn map_and_into_inner_move_the_bytes() {
        let topic = TopicName::new("a/b").unwrap().map(<[u8]>::to_vec);
        assert_eq!(topic.as_ref(), TopicName::new("a/b").unwrap());
        assert_eq!(topic.into_inner(), b"a/b".to_vec());
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn to_owned_outlives_what_it_was_made_from() {
        let owned = {
            let buffer = *b"a/b";
            TopicName::new(&buffer).unwrap().to_owned()
        };
        assert_eq!(owned, "a/b");
    }
}
