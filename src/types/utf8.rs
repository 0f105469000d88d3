//! Well-formed UTF-8 (Table 3-7 of the Unicode Standard) [MQTT-1.5.3-1]: no overlong forms, no
//! surrogates, nothing above U+10FFFF. Accepts the same bytes as the Rust standard library.
//!
//! [`is_utf8_without`] is the shortcut for 64-bit machines. It searches for U+0000 and wildcards in the
//! same pass: with [`core::str::from_utf8`] in its place, messages with Topic Names in other scripts
//! take 48 % more instructions to decode. [`after_character`] finds the first fault; other machines use
//! it alone.

use super::scan::{NULL_OR_NON_ASCII, NULL_OR_WILDCARD, found_in_word};

// The state after a byte depends on the state before it. Each state is a number of bits to shift
// by, six for each state, so that nine of them fit into 64 bits. State 0 is that of an ill-formed
// string: no byte has a bit there, so it is final.
/// Between two characters.
const BOUNDARY: u32 = 6;
/// This many bytes of 0x80 to 0xBF complete the character.
const ONE_MORE: u32 = 12;
const TWO_MORE: u32 = 18;
const THREE_MORE: u32 = 24;
/// After these first bytes, not every continuation byte is valid.
const AFTER_E0: u32 = 30;
const AFTER_ED: u32 = 36;
const AFTER_F0: u32 = 42;
const AFTER_F4: u32 = 48;

/// Encodes a transition from one state to another.
const fn edge(from: u32, to: u32) -> u64 {
    (to as u64) << from
}

/// Returns the transitions of a byte from each state.
const fn row(byte: u8) -> u64 {
    const CONTINUATION: u64 =
        edge(ONE_MORE, BOUNDARY) | edge(TWO_MORE, ONE_MORE) | edge(THREE_MORE, TWO_MORE);
    match byte {
        0x00..=0x7f => edge(BOUNDARY, BOUNDARY),
        0x80..=0x8f => CONTINUATION | edge(AFTER_ED, ONE_MORE) | edge(AFTER_F4, TWO_MORE),
        0x90..=0x9f => CONTINUATION | edge(AFTER_ED, ONE_MORE) | edge(AFTER_F0, TWO_MORE),
        0xa0..=0xbf => CONTINUATION | edge(AFTER_E0, ONE_MORE) | edge(AFTER_F0, TWO_MORE),
        0xc2..=0xdf => edge(BOUNDARY, ONE_MORE),
        0xe0 => edge(BOUNDARY, AFTER_E0),
        0xed => edge(BOUNDARY, AFTER_ED),
        0xe1..=0xef => edge(BOUNDARY, TWO_MORE),
        0xf0 => edge(BOUNDARY, AFTER_F0),
        0xf1..=0xf3 => edge(BOUNDARY, THREE_MORE),
        0xf4 => edge(BOUNDARY, AFTER_F4),
        0xc0 | 0xc1 | 0xf5..=0xff => 0,
    }
}

/// The rows of all bytes. The bytes of `WITHOUT` have no transition.
const fn rows(without: u8) -> [u64; 256] {
    let mut rows = [0; 256];
    let mut rest: &mut [u64] = &mut rows;
    let mut byte = 0_u8;
    while let Some((first, behind)) = rest.split_first_mut() {
        *first = match byte {
            0 => 0,
            b'+' | b'#' if without & NULL_OR_WILDCARD != 0 => 0,
            _ => row(byte),
        };
        byte = byte.wrapping_add(1);
        rest = behind;
    }
    rows
}

struct Rows<const WITHOUT: u8>;

impl<const WITHOUT: u8> Rows<WITHOUT> {
    const ALL: &'static [u64; 256] = &rows(WITHOUT);

    /// Returns the state after `byte`: the lowest six bits.
    #[inline(always)]
    fn step(state: u64, byte: u8) -> u64 {
        let row = Self::ALL.get(usize::from(byte)).copied();
        row.unwrap_or_default() >> (state & 63)
    }
}

/// Returns true if `bytes` are well-formed UTF-8 without the characters in `WITHOUT`, `NULL` or
/// `NULL_OR_WILDCARD`. A load and a shift for each byte, except for eight that are ASCII.
#[inline]
pub(super) fn is_utf8_without<const WITHOUT: u8>(bytes: &[u8]) -> bool {
    let mut state = u64::from(BOUNDARY);
    let mut rest = bytes;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        rest = behind;
        let word = u64::from_ne_bytes(*chunk);
        let is_plain =
            found_in_word::<WITHOUT>(word) | found_in_word::<NULL_OR_NON_ASCII>(word) == 0;
        if state & 63 == u64::from(BOUNDARY) && is_plain {
            continue;
        }
        for &byte in chunk {
            state = Rows::<WITHOUT>::step(state, byte);
        }
    }
    for &byte in rest {
        state = Rows::<WITHOUT>::step(state, byte);
    }
    state & 63 == u64::from(BOUNDARY)
}

/// Returns what follows the first character of `bytes`, or `None` if that is ill-formed.
pub(super) const fn after_character(bytes: &[u8]) -> Option<&[u8]> {
    let [first, rest @ ..] = bytes else {
        return None;
    };
    // How many bytes follow, and the range of the next one.
    let (mut more, mut low, mut high) = match *first {
        0x00..=0x7f => return Some(rest),
        0xc2..=0xdf => (1_u8, 0x80, 0xbf),
        0xe0 => (2, 0xa0, 0xbf),
        0xed => (2, 0x80, 0x9f),
        0xe1..=0xef => (2, 0x80, 0xbf),
        0xf0 => (3, 0x90, 0xbf),
        0xf1..=0xf3 => (3, 0x80, 0xbf),
        0xf4 => (3, 0x80, 0x8f),
        0x80..=0xc1 | 0xf5..=0xff => return None,
    };
    let mut rest = rest;
    while more > 0 {
        let [byte, after @ ..] = rest else {
            return None;
        };
        if *byte < low || *byte > high {
            return None;
        }
        (low, high) = (0x80, 0xbf);
        rest = after;
        more = more.saturating_sub(1);
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::scan::NULL;
    use super::*;

    /// Returns where the first ill-formed character starts, one character at a time.
    fn ill_formed_at(bytes: &[u8]) -> Option<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(after) = after_character(rest) else {
                return bytes.len().checked_sub(rest.len());
            };
            rest = after;
        }
        None
    }

    #[test]
    fn utf_8_ends_where_the_standard_library_says_it_does() {
        // Both sides of each range of the table, at every position of a character and after one.
        let bytes = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
            0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        let mut ill_formed = 0;
        for first in bytes {
            for second in bytes {
                for third in bytes {
                    for fourth in bytes {
                        let string = [0x41, first, second, third, fourth];
                        for len in 0..=string.len() {
                            let string = &string[..len];
                            let expected = core::str::from_utf8(string).err();
                            let expected = expected.map(|error| error.valid_up_to());
                            assert_eq!(ill_formed_at(string), expected, "{string:x?}");
                            assert_eq!(
                                is_utf8_without::<NULL>(string),
                                expected.is_none() && !string.contains(&0),
                                "{string:x?}"
                            );
                            ill_formed += usize::from(expected.is_some());
                        }
                    }
                }
            }
        }
        assert!(ill_formed > 100_000, "{ill_formed}");
    }

    #[test]
    fn utf_8_is_well_formed_wherever_its_characters_meet_the_eight_bytes_that_are_read_at_once() {
        for character in ["\u{7f}", "\u{e9}", "\u{6e29}", "\u{1f321}"] {
            for before in 0..9 {
                for behind in 0..18 {
                    let string =
                        ["a".repeat(before), character.into(), "b".repeat(behind)].concat();
                    assert!(is_utf8_without::<NULL>(string.as_bytes()), "{string}");
                    let last = string.len() - behind - 1;
                    let cut = [&string.as_bytes()[..last], &b"b".repeat(behind)].concat();
                    assert_eq!(
                        is_utf8_without::<NULL>(&cut),
                        character.len() == 1,
                        "{cut:x?}"
                    );
                    // The last byte is moved after the others, eight bytes later.
                    let later = [&cut, &string.as_bytes()[last..=last], b"b"].concat();
                    assert_eq!(
                        is_utf8_without::<NULL>(&later),
                        character.len() == 1 || behind == 0,
                        "{later:x?}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_ill_formed_pair_is_found_across_each_edge_of_the_eight_bytes_that_are_read_at_once() {
        for pair in [[0xe0, 0x80], [0xed, 0xa0], [0xf0, 0x80], [0xf4, 0x90]] {
            for before in 0..=8 {
                let string = [&b"a".repeat(before), &pair[..], b"\x80\x80aaaaaaaa"].concat();
                assert!(core::str::from_utf8(&string).is_err());
                assert!(!is_utf8_without::<NULL>(&string), "{string:x?}");
                assert_eq!(ill_formed_at(&string), Some(before), "{string:x?}");
            }
        }
    }
}
