//! The rules for strings on the wire: well-formed UTF-8 [MQTT-1.5.3-1] without U+0000
//! [MQTT-1.5.3-2], and the places of wildcards in Topic Names [MQTT-3.3.2-2] and Topic Filters.

use super::scan::{
    ANY_OR_LOW, NULL, NULL_OR_NON_ASCII, NULL_OR_WILDCARD, is_free_of,
    wildcards_have_levels_of_their_own,
};
use super::utf8::{after_character, is_utf8_without};
use crate::wire::{ErrorKind, OPTIMIZE_SIZE, TextError};

/// The largest value of a two-byte length.
const MAX_LEN: usize = 65_535;

/// The rules of one kind of string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(unnameable_types, reason = "seals `StringKind`")]
pub enum Rules {
    /// Well-formed UTF-8 without U+0000, at most 65,535 bytes.
    Text,
    /// As `Text`, with at least one character, and no wildcard.
    TopicName,
    /// As `Text`, with at least one character, and wildcards only where section 4.7.1 allows them.
    TopicFilter,
}

/// Validates a [`Text`](crate::Text).
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline)]
pub(super) fn text(bytes: &[u8]) -> Result<(), TextError> {
    if bytes.len() <= MAX_LEN && is_free_of::<NULL_OR_NON_ASCII>(bytes) {
        return Ok(());
    }
    uncommon_text(bytes)
}

/// Validates a [`TopicName`](crate::TopicName).
#[inline(always)]
pub(super) fn topic_name(bytes: &[u8]) -> Result<(), TextError> {
    // The length last: the search of 16 to 32 bytes, which most names have, implies that it is valid.
    if is_free_of::<ANY_OR_LOW>(bytes) && has_topic_len(bytes) {
        return Ok(());
    }
    uncommon_topic_name(bytes)
}

/// Validates a [`TopicFilter`](crate::TopicFilter).
#[inline(always)]
pub(super) fn topic_filter(bytes: &[u8]) -> Result<(), TextError> {
    if is_free_of::<ANY_OR_LOW>(bytes) && has_topic_len(bytes) {
        return Ok(());
    }
    uncommon_topic_filter(bytes)
}

#[inline(always)]
const fn has_topic_len(bytes: &[u8]) -> bool {
    bytes.len().wrapping_sub(1) < MAX_LEN
}

/// [`text`] for a string that is not ASCII, or not a Text.
#[inline(never)]
fn uncommon_text(bytes: &[u8]) -> Result<(), TextError> {
    if !OPTIMIZE_SIZE && bytes.len() <= MAX_LEN && is_utf8_without::<NULL>(bytes) {
        return Ok(());
    }
    first_fault(bytes, Rules::Text)
}

/// [`topic_name`] for a string with a space, `$` or another byte below `,`, one that is not ASCII, or not a
/// Topic Name.
#[inline(never)]
fn uncommon_topic_name(bytes: &[u8]) -> Result<(), TextError> {
    if !OPTIMIZE_SIZE && has_topic_len(bytes) && is_utf8_without::<NULL_OR_WILDCARD>(bytes) {
        return Ok(());
    }
    first_fault(bytes, Rules::TopicName)
}

/// [`topic_filter`] for a string with wildcards or other bytes below `,`, one that is not ASCII, or not a
/// Topic Filter.
#[inline(never)]
fn uncommon_topic_filter(bytes: &[u8]) -> Result<(), TextError> {
    if !OPTIMIZE_SIZE
        && has_topic_len(bytes)
        && (is_free_of::<NULL_OR_NON_ASCII>(bytes) || is_utf8_without::<NULL>(bytes))
        && wildcards_have_levels_of_their_own(bytes)
    {
        return Ok(());
    }
    first_fault(bytes, Rules::TopicFilter)
}

/// Returns the first fault of a string, or `Ok`. The functions above are shortcuts of it; constants
/// use it directly.
#[cold]
#[inline(never)]
pub(super) const fn first_fault(bytes: &[u8], rules: Rules) -> Result<(), TextError> {
    if bytes.is_empty() && !matches!(rules, Rules::Text) {
        return Err(TextError::new(ErrorKind::EmptyTopic, 0)); // [MQTT-4.7.3-1] [MQTT5-4.7.3-1]
    }
    let mut before = b'/';
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        let at = bytes.len().saturating_sub(rest.len());
        if at >= MAX_LEN {
            break;
        }
        let kind = match (*byte, rules) {
            (0, _) => ErrorKind::NullCharacter, // [MQTT-1.5.3-2, MQTT-4.7.3-2] [MQTT5-1.5.4-2, MQTT5-4.7.3-2]
            // [MQTT-3.3.2-2, MQTT-4.7.1-1] [MQTT5-3.3.2-2, MQTT5-4.7.0-1]
            (b'+' | b'#', Rules::TopicName) => ErrorKind::WildcardInTopicName,
            (b'+', Rules::TopicFilter) if !fills_level(before, after) => {
                ErrorKind::MisplacedSingleLevelWildcard // [MQTT-4.7.1-3] [MQTT5-4.7.1-2]
            }
            (b'#', Rules::TopicFilter) if before != b'/' || !after.is_empty() => {
                ErrorKind::MisplacedMultiLevelWildcard // [MQTT-4.7.1-2] [MQTT5-4.7.1-1]
            }
            // U+FEFF, control characters and non-characters are allowed [MQTT-1.5.3-3]
            // [MQTT5-1.5.4-3].
            _ => match after_character(rest) {
                Some(after) => {
                    before = *byte;
                    rest = after;
                    continue;
                }
                None => ErrorKind::InvalidUtf8, // [MQTT-1.5.3-1] [MQTT5-1.5.4-1]
            },
        };
        return Err(TextError::new(kind, at));
    }
    if bytes.len() > MAX_LEN {
        return Err(TextError::new(ErrorKind::TooLong, MAX_LEN)); // [MQTT-4.7.3-3] [MQTT5-4.7.3-3]
    }
    Ok(())
}

/// Returns true if the byte between these two is a whole level.
const fn fills_level(before: u8, after: &[u8]) -> bool {
    before == b'/' && matches!(after, [] | [b'/', ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;

    /// Returns every string of up to `len` of these parts: plain text, separators, wildcards,
    /// two-byte and ill-formed characters, and U+0000.
    fn strings(len: usize, each: &mut impl FnMut(&[u8])) {
        fn longer(string: &mut std::vec::Vec<u8>, left: usize, each: &mut impl FnMut(&[u8])) {
            each(string);
            if left == 0 {
                return;
            }
            for part in [
                &b"a"[..],
                b"/",
                b"+",
                b"#",
                "\u{e9}".as_bytes(),
                b"\0",
                b"\xff",
            ] {
                let len = string.len();
                string.extend(part);
                longer(string, left.wrapping_sub(1), each);
                string.truncate(len);
            }
        }
        longer(&mut std::vec::Vec::new(), len, each);
    }

    #[test]
    fn what_is_accepted_at_a_glance_is_what_has_no_fault() {
        strings(4, &mut |string| {
            for padding in [0, 3, 7, 8, 15, 16, 30] {
                for string in [
                    [&b"/".repeat(padding), string].concat(),
                    [string, &b"/".repeat(padding)].concat(),
                ] {
                    assert_eq!(
                        text(&string),
                        first_fault(&string, Rules::Text),
                        "{string:x?}"
                    );
                    assert_eq!(
                        topic_name(&string),
                        first_fault(&string, Rules::TopicName),
                        "{string:x?}"
                    );
                    let filter = topic_filter(&string);
                    assert_eq!(
                        filter,
                        first_fault(&string, Rules::TopicFilter),
                        "{string:x?}"
                    );
                }
            }
        });
    }

    #[test]
    fn a_string_of_65535_bytes_has_no_fault_and_one_more_is_too_long() {
        let long = [b'a'; MAX_LEN + 1];
        for rules in [Rules::Text, Rules::TopicName, Rules::TopicFilter] {
            assert_eq!(first_fault(&long[1..], rules), Ok(()));
            assert_eq!(fault(first_fault(&long, rules)), (TooLong, MAX_LEN));
        }
    }

    fn fault(result: Result<(), TextError>) -> (ErrorKind, usize) {
        let error = result.unwrap_err();
        (error.kind(), error.offset())
    }

    #[test]
    fn ill_formed_utf8_is_refused_where_it_starts() {
        for (bytes, at) in [
            (&b"ab\xc0\x80"[..], 2),      // overlong U+0000
            (b"ab\xe0\x80\xaf", 2),       // overlong '/'
            (b"ab\xf0\x8f\xbf\xbf", 2),   // overlong U+FFFF
            (b"\xed\xa0\x80", 0),         // U+D800
            (b"\xed\xbf\xbf", 0),         // U+DFFF
            (b"a\xf4\x90\x80\x80", 1),    // U+110000
            (b"a\xf5\x80\x80\x80", 1),    // no such lead byte
            (b"abc\xe2\x82", 3),          // cut short
            (b"\x80", 0),                 // a continuation alone
            (b"a\xff", 1),                // never in UTF-8
            (b"\xf8\x88\x80\x80\x80", 0), // five bytes
        ] {
            assert_eq!(fault(text(bytes)), (InvalidUtf8, at), "{bytes:x?}");
            assert_eq!(fault(topic_name(bytes)), (InvalidUtf8, at), "{bytes:x?}");
            assert_eq!(fault(topic_filter(bytes)), (InvalidUtf8, at), "{bytes:x?}");
        }
    }

    #[test]
    fn the_first_of_several_faults_is_the_one_reported() {
        assert_eq!(fault(text(b"a\0\xff")), (NullCharacter, 1));
        assert_eq!(fault(text(b"a\xff\0")), (InvalidUtf8, 1));
        assert_eq!(fault(topic_name(b"a+\0")), (WildcardInTopicName, 1));
        assert_eq!(fault(topic_name(b"a\0#")), (NullCharacter, 1));
        assert_eq!(fault(topic_name(b"a\xc3+")), (InvalidUtf8, 1));
        assert_eq!(
            fault(topic_filter(b"a#/\0")),
            (MisplacedMultiLevelWildcard, 1)
        );
        assert_eq!(
            fault(topic_filter(b"a/b+/\xff")),
            (MisplacedSingleLevelWildcard, 3)
        );
        assert_eq!(fault(topic_filter(b"+/\0/a#")), (NullCharacter, 2));
        assert_eq!(fault(topic_filter(b"+/\xff#")), (InvalidUtf8, 2));
    }

    #[test]
    fn control_characters_non_characters_and_u_feff_are_characters() {
        for string in [
            "\u{1}",
            "\u{7f}",
            "\u{9f}",
            "\u{feff}",
            "\u{fdd0}",
            "\u{ffff}",
            "\u{10ffff}",
        ] {
            assert_eq!(text(string.as_bytes()), Ok(()));
            assert_eq!(topic_name(string.as_bytes()), Ok(()));
            assert_eq!(topic_filter(string.as_bytes()), Ok(()));
        }
    }

    #[test]
    fn a_string_has_at_most_65535_bytes() {
        let long = [b'a'; 65_536];
        for check in [text, topic_name, topic_filter] {
            assert_eq!(check(&long[1..]), Ok(()));
            assert_eq!(fault(check(&long)), (TooLong, 65_535));
            // A shorter invalid string has another fault.
            let mut wrong = long;
            wrong[1] = 0xff;
            assert_eq!(fault(check(&wrong[1..])), (InvalidUtf8, 0));
        }
    }

    #[test]
    fn a_fault_in_a_string_that_is_too_long_is_reported_if_it_comes_first() {
        let mut wrong = [b'a'; 65_540];
        wrong[65_535] = 0;
        assert_eq!(fault(text(&wrong)), (TooLong, 65_535));
        wrong[65_534..65_536].copy_from_slice("\u{e9}".as_bytes());
        assert_eq!(fault(text(&wrong[..65_536])), (TooLong, 65_535));
        wrong[65_534] = 0;
        assert_eq!(fault(text(&wrong)), (NullCharacter, 65_534));
    }

    #[test]
    fn only_text_may_be_empty() {
        assert_eq!(text(b""), Ok(()));
        assert_eq!(fault(topic_name(b"")), (EmptyTopic, 0));
        assert_eq!(fault(topic_filter(b"")), (EmptyTopic, 0));
    }

    #[test]
    fn wildcards_in_a_filter_fill_a_level_and_the_multi_level_one_is_last() {
        for filter in [
            "#", "+", "/", "//", "a/#", "/#", "+/#", "a/+/b", "+/+", "/+", "+/", "a//b", "$SYS/#",
            "é/+",
        ] {
            assert_eq!(topic_filter(filter.as_bytes()), Ok(()), "{filter}");
        }
        for (filter, kind, at) in [
            ("a#", MisplacedMultiLevelWildcard, 1),
            ("#a", MisplacedMultiLevelWildcard, 0),
            ("##", MisplacedMultiLevelWildcard, 0),
            ("#/", MisplacedMultiLevelWildcard, 0),
            ("a/#/b", MisplacedMultiLevelWildcard, 2),
            ("#/+", MisplacedMultiLevelWildcard, 0),
            ("é/x#", MisplacedMultiLevelWildcard, 4),
            ("a+", MisplacedSingleLevelWildcard, 1),
            ("+a", MisplacedSingleLevelWildcard, 0),
            ("++", MisplacedSingleLevelWildcard, 0),
            ("a/b+/c", MisplacedSingleLevelWildcard, 3),
            ("+#", MisplacedSingleLevelWildcard, 0),
        ] {
            assert_eq!(
                fault(topic_filter(filter.as_bytes())),
                (kind, at),
                "{filter}"
            );
        }
    }
}
