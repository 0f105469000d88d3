//! Searches the bytes of a string, eight or sixteen at a time.

use crate::wire::OPTIMIZE_SIZE;

// What to look for in a string: U+0000 in any case, and sums of these.
pub(super) const NULL: u8 = 0;
pub(super) const NULL_OR_WILDCARD: u8 = 1;
pub(super) const NULL_OR_NON_ASCII: u8 = 2;
/// Bytes below `,`, which follows the last wildcard. Most strings have none, and one comparison finds these
/// and those that are not ASCII. Not searched for where code has to be small.
const LOW: u8 = 4;
pub(super) const ANY_OR_LOW: u8 = NULL_OR_WILDCARD | NULL_OR_NON_ASCII | LOW;

/// True if the target has registers of sixteen bytes by default.
const WIDE: bool = cfg!(any(
    target_feature = "sse2",
    target_feature = "neon",
    target_feature = "simd128"
));

/// Returns true if `bytes` has none of `WHAT`. Reads the first and the last eight or sixteen bytes,
/// which may overlap: most strings have no others.
#[inline(always)]
pub(super) fn is_free_of<const WHAT: u8>(bytes: &[u8]) -> bool {
    if OPTIMIZE_SIZE {
        return none_of(bytes, WHAT);
    }
    if WIDE {
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            if bytes.len() > BLOCK {
                return long_is_free_of::<WHAT>(bytes);
            }
            return halves_are_free_of::<WHAT>(first, last);
        }
    }
    words_are_free_of::<WHAT>(bytes)
}

/// [`is_free_of`] eight bytes at a time.
#[inline(always)]
fn words_are_free_of<const WHAT: u8>(bytes: &[u8]) -> bool {
    let (Some((first, mut rest)), Some(last)) = (bytes.split_first_chunk(), bytes.last_chunk())
    else {
        return short_is_free_of::<WHAT>(bytes);
    };
    let found_in = |chunk: &[u8; 8]| found_in_word::<WHAT>(u64::from_ne_bytes(*chunk));
    let mut found = found_in(first) | found_in(last);
    while let Some((chunk, behind)) = rest.split_first_chunk() {
        found |= found_in(chunk);
        rest = behind;
    }
    found == 0
}

/// [`is_free_of`] one byte at a time, compiled once for every `WHAT`.
#[inline(never)]
fn none_of(bytes: &[u8], what: u8) -> bool {
    bytes.iter().all(|&byte| is_none_of(byte, what))
}

/// Returns true if the byte is none of `what`, those below `,` included.
#[inline(always)]
const fn byte_is_free_of(byte: u8, what: u8) -> bool {
    if what & LOW != 0 {
        return matches!(byte, b','..=0x7f);
    }
    is_none_of(byte, what)
}

/// Returns true if the byte is none of `what`. Bytes below `,` are not searched for.
#[inline(always)]
const fn is_none_of(byte: u8, what: u8) -> bool {
    // No branches, so that compilers compare sixteen bytes with one instruction.
    (byte != 0)
        & (byte < 0x80 || what & NULL_OR_NON_ASCII == 0)
        & (byte | 0x08 != b'+' || what & NULL_OR_WILDCARD == 0) // `#` and `+`
}

/// The number of bytes that are examined together in a long string: two registers.
const BLOCK: usize = 32;

/// [`is_free_of`] for the two halves of up to [`BLOCK`] bytes.
#[inline(always)]
fn halves_are_free_of<const WHAT: u8>(first: &[u8; 16], second: &[u8; 16]) -> bool {
    let pairs = first.iter().zip(second);
    pairs.fold(true, |is_free, (&a, &b)| {
        is_free & byte_is_free_of(a, WHAT) & byte_is_free_of(b, WHAT)
    })
}

/// [`is_free_of`] for at least [`BLOCK`] bytes.
#[inline(never)]
fn long_is_free_of<const WHAT: u8>(bytes: &[u8]) -> bool {
    let is_free = |block: &[u8; BLOCK]| {
        let bytes = block.iter();
        bytes.fold(true, |is_free, &byte| is_free & byte_is_free_of(byte, WHAT))
    };
    let mut rest = bytes;
    while let Some((block, behind)) = rest.split_first_chunk() {
        if !is_free(block) {
            return false;
        }
        rest = behind;
    }
    bytes.last_chunk().is_some_and(is_free)
}

/// [`is_free_of`] for fewer than eight bytes.
#[inline(always)]
fn short_is_free_of<const WHAT: u8>(bytes: &[u8]) -> bool {
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
    found_in_word::<WHAT>(word) == 0
}

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
/// `+` is 0x2B and `#` is 0x23: setting this bit makes both 0x2B, and no other ASCII character.
const WILDCARD_BIT: u64 = u64::from_ne_bytes([0x08; 8]);
const COMMAS: u64 = u64::from_ne_bytes([b','; 8]);
const WILDCARDS: u64 = u64::from_ne_bytes([b'+'; 8]);

/// Returns a word that is not zero if one of eight bytes is one of `WHAT`.
///
/// Subtracting one sets the top bit of zero. For any other byte, a top bit that is set afterwards
/// was set before. A zero may borrow from the byte above it, which does not change the outcome.
#[inline(always)]
pub(super) const fn found_in_word<const WHAT: u8>(word: u64) -> u64 {
    if WHAT & LOW != 0 {
        return (word.wrapping_sub(COMMAS) | word) & TOPS;
    }
    let mut found = word.wrapping_sub(ONES);
    if WHAT & NULL_OR_WILDCARD != 0 {
        found |= ((word | WILDCARD_BIT) ^ WILDCARDS).wrapping_sub(ONES);
    }
    found = if WHAT & NULL_OR_NON_ASCII != 0 {
        found | word
    } else {
        found & !word
    };
    found & TOPS
}

/// [MQTT-4.7.1-2, MQTT-4.7.1-3]
pub(super) fn wildcards_have_levels_of_their_own(bytes: &[u8]) -> bool {
    let is_in_place = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let behind = bytes.get(at.saturating_add(1));
        matches!(before, None | Some(b'/'))
            && match behind {
                None => true,
                Some(b'/') => bytes.get(at) == Some(&b'+'),
                Some(_) => false,
            }
    };
    // Eight at a time, because most filters have few wildcards; the last eight may be read twice.
    let Some(last_start) = bytes.len().checked_sub(8) else {
        return (0..bytes.len())
            .all(|at| !matches!(bytes.get(at), Some(b'+' | b'#')) || is_in_place(at));
    };
    let mut start = 0;
    loop {
        let Some(chunk) = bytes.get(start..).and_then(<[u8]>::first_chunk::<8>) else {
            return true;
        };
        let word = u64::from_le_bytes(*chunk);
        // Exactly the top bits of the wildcards: no byte borrows or carries.
        let differs = (word | WILDCARD_BIT) ^ WILDCARDS;
        let mut wildcards = !((differs & !TOPS).wrapping_add(!TOPS) | differs) & TOPS;
        while wildcards != 0 {
            let at = wildcards.trailing_zeros() as usize / 8;
            if !is_in_place(start.saturating_add(at)) {
                return false;
            }
            wildcards &= wildcards.wrapping_sub(1);
        }
        if start >= last_start {
            return true;
        }
        start = start.saturating_add(8).min(last_start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result, computed one byte at a time.
    fn is_free_of_by_byte(bytes: &[u8], what: u8) -> bool {
        !bytes.iter().any(|&byte| {
            byte == 0
                || what & LOW != 0 && byte < b','
                || what & NULL_OR_WILDCARD != 0 && matches!(byte, b'+' | b'#')
                || what & NULL_OR_NON_ASCII != 0 && byte >= 0x80
        })
    }

    fn assert_by_byte<const WHAT: u8>(bytes: &[u8]) {
        let expected = if OPTIMIZE_SIZE { WHAT & !LOW } else { WHAT };
        let expected = is_free_of_by_byte(bytes, expected);
        assert_eq!(is_free_of::<WHAT>(bytes), expected, "{WHAT}: {bytes:x?}");
        // The code for fewer than 64 bits.
        assert_eq!(
            none_of(bytes, WHAT),
            is_free_of_by_byte(bytes, WHAT & !LOW),
            "{WHAT}: {bytes:x?}"
        );
        // The code for processors without wide registers.
        assert_eq!(
            words_are_free_of::<WHAT>(bytes),
            is_free_of_by_byte(bytes, WHAT),
            "{WHAT}: {bytes:x?}"
        );
    }

    fn assert_all_by_byte(bytes: &[u8]) {
        assert_by_byte::<NULL>(bytes);
        assert_by_byte::<NULL_OR_NON_ASCII>(bytes);
        assert_by_byte::<NULL_OR_WILDCARD>(bytes);
        assert_by_byte::<ANY_OR_LOW>(bytes);
    }

    #[test]
    fn many_at_a_time_find_what_one_at_a_time_finds_in_every_place_of_every_length() {
        for len in [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65] {
            for at in 0..len {
                for (around, bytes) in [(b'a', 0..=255), (0xe9, b' '..=b'0'), (b'/', 0..=1)] {
                    for byte in bytes {
                        let mut string = [around; 65];
                        string[at] = byte;
                        assert_all_by_byte(&string[..len]);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_that_a_topic_name_must_not_have_is_overlooked_one_byte_at_a_time() {
        for odd in [b"a\0b", b"a+b", b"a#b", b"a\xffb"] {
            assert!(!none_of(odd, ANY_OR_LOW), "{odd:x?}");
        }
        assert!(none_of(b"a b", ANY_OR_LOW));
    }

    #[test]
    fn two_odd_bytes_next_to_each_other_do_not_hide_each_other() {
        for first in 0..=255 {
            for second in 0..=255 {
                assert_all_by_byte(&[b'a', first, second, b'a', b'a', b'a', b'a', b'a']);
            }
        }
    }

    #[test]
    fn a_wildcard_is_in_place_between_separators_and_the_ends_wherever_it_is() {
        for len in 1..=40_usize {
            for at in 0..len {
                for (wildcard, neighbour, in_place) in [
                    (b'+', b'/', true),
                    (b'#', b'/', at.wrapping_add(1) == len),
                    (b'+', b'a', len == 1),
                    (b'#', b'a', len == 1),
                    (b'+', b'+', len == 1),
                    (b';', b'a', true),  // a bit away from '+'
                    (b'\"', b'a', true), // and from '#'
                ] {
                    let mut bytes = [neighbour; 40];
                    bytes[at] = wildcard;
                    assert_eq!(
                        wildcards_have_levels_of_their_own(&bytes[..len]),
                        in_place,
                        "{:?}",
                        &bytes[..len]
                    );
                }
            }
        }
    }

    #[test]
    fn a_byte_of_another_script_is_no_wildcard() {
        for odd in 0x80..=0xff {
            assert!(wildcards_have_levels_of_their_own(&[odd; 12]), "{odd:x}");
            let mut bytes = *b"aaaaaa/+/aaa";
            bytes[1] = odd;
            assert!(wildcards_have_levels_of_their_own(&bytes), "{odd:x}");
            bytes[6] = odd;
            assert!(!wildcards_have_levels_of_their_own(&bytes), "{odd:x}");
        }
    }

    #[test]
    fn of_several_wildcards_each_has_to_be_in_place() {
        for at in 0..20_usize {
            let mut bytes = *b"+/+/+/+/+/+/+/+/+/+/";
            assert!(wildcards_have_levels_of_their_own(&bytes));
            bytes[at] = b'a';
            let in_place = at % 2 == 0;
            assert_eq!(wildcards_have_levels_of_their_own(&bytes), in_place, "{at}");
        }
    }
}
