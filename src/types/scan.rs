//! The checks that every string on the wire has to pass: well-formed UTF-8 [MQTT-1.5.3-1] without
//! U+0000 [MQTT-1.5.3-2], and for Topic Names without wildcards [MQTT-3.3.2-2].

use crate::wire::{ErrorKind, TextError};

/// The most bytes that a two-byte length can announce.
const MAX_LEN: usize = 65_535;

/// Well-formed UTF-8 without U+0000, at most 65,535 bytes.
#[inline]
pub(super) fn text(bytes: &[u8]) -> Result<(), TextError> {
    if bytes.len() <= MAX_LEN && is_plain::<false>(bytes) {
        return Ok(());
    }
    every_character(bytes)
}

/// The same, and at least one character, and no wildcard.
#[inline]
pub(super) fn topic_name(bytes: &[u8]) -> Result<(), TextError> {
    if bytes.len().wrapping_sub(1) < MAX_LEN && is_plain::<true>(bytes) {
        return Ok(());
    }
    topic_name_with_care(bytes)
}

/// The same as [`text`], and at least one character, and wildcards only where they mean something
/// (section 4.7.1).
#[inline]
pub(super) fn topic_filter(bytes: &[u8]) -> Result<(), TextError> {
    if bytes.len().wrapping_sub(1) < MAX_LEN && is_plain::<true>(bytes) {
        return Ok(());
    }
    topic_filter_with_care(bytes)
}

/// True if every byte is ASCII, not zero, and (with `TOPIC`) neither `+` nor `#`. Eight bytes at a
/// time; the last eight may overlap those before them, so that there is no tail to loop over.
#[inline(always)]
fn is_plain<const TOPIC: bool>(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else {
        return short_is_plain::<TOPIC>(bytes);
    };
    let mut suspects = suspects::<TOPIC>(u64::from_ne_bytes(*last));
    let mut rest = bytes;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        suspects |= self::suspects::<TOPIC>(u64::from_ne_bytes(*chunk));
        rest = behind;
    }
    suspects == 0
}

/// [`is_plain`] for fewer than eight bytes.
#[inline(always)]
fn short_is_plain<const TOPIC: bool>(bytes: &[u8]) -> bool {
    let word = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_ne_bytes(*first)) | u64::from(u32::from_ne_bytes(*last)) << 32
        }
        _ => match *bytes {
            [a, b, c] => u64::from_le_bytes([a, b, c, a, a, a, a, a]),
            [a, b] => u64::from_le_bytes([a, b, a, a, a, a, a, a]),
            [a] => u64::from_le_bytes([a; 8]),
            _ => return true,
        },
    };
    suspects::<TOPIC>(word) == 0
}

/// Not zero if one of eight bytes is not plain.
///
/// The top bit of a byte is set if it is not ASCII. For a byte that is, subtracting one sets its
/// top bit only if it was zero (or if a zero below it borrowed, which makes no difference to the
/// outcome). `+` is 0x2B and `#` is 0x23, so setting bit 3 makes both 0x2B and nothing else.
#[inline(always)]
const fn suspects<const TOPIC: bool>(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    const BIT_3: u64 = u64::from_ne_bytes([0x08; 8]);
    const PLUS: u64 = u64::from_ne_bytes([b'+'; 8]);
    let mut found = word | word.wrapping_sub(ONES);
    if TOPIC {
        found |= ((word | BIT_3) ^ PLUS).wrapping_sub(ONES);
    }
    found & TOPS
}

#[cold]
#[inline(never)]
fn topic_name_with_care(bytes: &[u8]) -> Result<(), TextError> {
    if bytes.is_empty() {
        return Err(TextError::new(ErrorKind::EmptyTopic, 0)); // [MQTT-4.7.3-1]
    }
    let wildcard = bytes
        .iter()
        .position(|byte| matches!(byte, b'+' | b'#'))
        .unwrap_or(bytes.len());
    // What comes first is what is reported. A wildcard byte is never part of a longer character,
    // so a fault before it shows in the part before it.
    every_character(bytes.get(..wildcard).unwrap_or(bytes))?;
    if wildcard < bytes.len() {
        return Err(TextError::new(ErrorKind::WildcardInTopicName, wildcard)); // [MQTT-3.3.2-2]
    }
    every_character(bytes)
}

#[cold]
#[inline(never)]
fn topic_filter_with_care(bytes: &[u8]) -> Result<(), TextError> {
    if bytes.is_empty() {
        return Err(TextError::new(ErrorKind::EmptyTopic, 0)); // [MQTT-4.7.3-1]
    }
    every_character(bytes)?;
    let mut level_start = 0_usize;
    for level in bytes.split(|&byte| byte == b'/') {
        let level_end = level_start.saturating_add(level.len());
        let wildcard = level.iter().position(|byte| matches!(byte, b'+' | b'#'));
        if let Some(at) = wildcard {
            let offset = level_start.saturating_add(at);
            match level {
                b"+" => {}
                b"#" if level_end == bytes.len() => {}
                _ if level.get(at) == Some(&b'+') => {
                    let kind = ErrorKind::MisplacedSingleLevelWildcard;
                    return Err(TextError::new(kind, offset)); // [MQTT-4.7.1-3]
                }
                _ => {
                    let kind = ErrorKind::MisplacedMultiLevelWildcard;
                    return Err(TextError::new(kind, offset)); // [MQTT-4.7.1-2]
                }
            }
        }
        level_start = level_end.saturating_add(1);
    }
    Ok(())
}

/// The rules for any string, and where the first fault is.
#[cold]
#[inline(never)]
fn every_character(bytes: &[u8]) -> Result<(), TextError> {
    if bytes.len() > MAX_LEN {
        return Err(TextError::new(ErrorKind::TooLong, MAX_LEN)); // [MQTT-4.7.3-3]
    }
    // The standard library's notion of UTF-8 is the standard's: no overlong forms, no surrogates,
    // nothing above U+10FFFF. U+FEFF, control characters and non-characters pass [MQTT-1.5.3-3].
    let (well_formed, ill_formed) = match core::str::from_utf8(bytes) {
        Ok(_) => (bytes, None),
        Err(error) => {
            let at = error.valid_up_to();
            (bytes.get(..at).unwrap_or(bytes), Some(at))
        }
    };
    if let Some(at) = well_formed.iter().position(|&byte| byte == 0) {
        return Err(TextError::new(ErrorKind::NullCharacter, at)); // [MQTT-1.5.3-2]
    }
    match ill_formed {
        Some(at) => Err(TextError::new(ErrorKind::InvalidUtf8, at)), // [MQTT-1.5.3-1]
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;

    /// What the fast path replaces, a byte at a time.
    fn is_plain_by_byte(bytes: &[u8], topic: bool) -> bool {
        bytes
            .iter()
            .all(|&b| (1..0x80).contains(&b) && !(topic && matches!(b, b'+' | b'#')))
    }

    #[test]
    fn eight_at_a_time_finds_what_one_at_a_time_finds_in_every_place_of_every_length() {
        for len in 0..=40 {
            assert!(is_plain::<true>(&[b'a'; 40][..len]));
            for at in 0..len {
                for byte in 0..=255 {
                    let mut bytes = [b'a'; 40];
                    bytes[at] = byte;
                    let bytes = &bytes[..len];
                    assert_eq!(
                        is_plain::<true>(bytes),
                        is_plain_by_byte(bytes, true),
                        "{bytes:?}"
                    );
                    assert_eq!(
                        is_plain::<false>(bytes),
                        is_plain_by_byte(bytes, false),
                        "{bytes:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn two_odd_bytes_next_to_each_other_do_not_hide_each_other() {
        for first in 0..=255 {
            for second in 0..=255 {
                let bytes = [b'a', first, second, b'a', b'a', b'a', b'a', b'a'];
                assert_eq!(
                    is_plain::<true>(&bytes),
                    is_plain_by_byte(&bytes, true),
                    "{bytes:?}"
                );
            }
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
        }
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
