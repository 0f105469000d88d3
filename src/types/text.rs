//! UTF-8 encoded strings (section 1.5.3).

use super::check::{self, Rules};
use super::checked::{Checked, StringKind, sealed::Validate};
use crate::wire::TextError;

/// A UTF-8 string by the rules of MQTT (section 1.5.3): well-formed, without U+0000, at most 65,535
/// bytes. `B` is where the bytes live: `&[u8]`, `Vec<u8>`, `Bytes`, or any other type that always
/// returns the same bytes.
///
/// ```
/// use mqtt_sansio::Text;
///
/// let client_id = Text::new("device-7")?;
/// assert_eq!(client_id.as_str(), "device-7");
/// assert!(Text::new("no\0null").is_err());
/// # Ok::<(), mqtt_sansio::TextError>(())
/// ```
pub type Text<B> = Checked<B, TextKind>;

/// Makes a [`Checked`] string a [`Text`].
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a marker without a value")]
pub enum TextKind {}

impl StringKind for TextKind {}

impl Validate for TextKind {
    const RULES: Rules = Rules::Text;

    #[inline(always)]
    fn check(bytes: &[u8]) -> Result<(), TextError> {
        check::text(bytes)
    }
}

impl Text<&'static [u8]> {
    /// The empty string. As a Client Identifier it asks the server to choose one.
    pub const EMPTY: Self = Self::from_valid(&[]);
}

/// The empty string. Only for some `B`: the default of another type may have bytes that were not
/// validated.
macro_rules! empty_by_default {
    ($($(#[$attribute:meta])* $B:ty)+) => {$(
        $(#[$attribute])*
        impl Default for Text<$B> {
            fn default() -> Self {
                Self::from_valid(<$B>::default())
            }
        }
    )+};
}

empty_by_default! {
    &[u8]
    #[cfg(feature = "alloc")]
    alloc::vec::Vec<u8>
    #[cfg(feature = "bytes")]
    bytes::Bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v3::V3;
    use crate::wire::ErrorKind;
    use std::format;

    #[test]
    fn strings_bytes_and_their_owners_are_checked_where_they_live() {
        let owned = ["h\u{e9}llo"].concat();
        let vector = owned.as_bytes().to_vec();
        for text in [
            Text::new("h\u{e9}llo"),
            Text::new(b"h\xc3\xa9llo"),
            Text::new(&b"h\xc3\xa9llo"[..]),
            Text::new(&owned),
            Text::new(&vector),
        ] {
            assert_eq!(text.unwrap().as_bytes(), b"h\xc3\xa9llo");
        }
    }

    #[test]
    fn bytes_that_are_given_away_are_kept_and_come_back() {
        let vector = b"abc".to_vec();
        let at = vector.as_ptr();
        let text = Text::from_bytes(vector).unwrap();
        assert_eq!(text.as_str(), "abc");
        let vector = text.into_inner();
        assert_eq!(vector.as_ptr(), at);
    }

    #[test]
    fn an_array_may_be_where_the_bytes_live() {
        let text = Text::from_bytes(*b"abc").unwrap();
        assert_eq!(text.as_str(), "abc");
        assert_eq!(text.into_inner(), *b"abc");
    }

    #[test]
    fn every_constructor_makes_the_same_check() {
        for result in [
            Text::new("a\0b"),
            Text::new(b"a\0b"),
            Text::from_bytes(&b"a\0b"[..]),
            Text::try_from("a\0b"),
        ] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NullCharacter);
            assert_eq!(error.offset(), 1);
            assert_eq!(error.statement::<V3>(), Some("MQTT-1.5.3-2"));
        }
    }

    #[test]
    fn ill_formed_utf8_is_no_text() {
        let error = Text::new(b"ab\xed\xa0\x80").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUtf8);
        assert_eq!(error.offset(), 2);
        assert_eq!(error.statement::<V3>(), Some("MQTT-1.5.3-1"));
    }

    #[test]
    fn a_byte_order_mark_is_a_character_like_any_other() {
        // [MQTT-1.5.3-3]
        let text = Text::new(b"\xef\xbb\xbfa\xef\xbb\xbf").unwrap();
        assert_eq!(text.as_bytes(), b"\xef\xbb\xbfa\xef\xbb\xbf");
        assert_eq!(text.as_str(), "\u{feff}a\u{feff}");
    }

    #[test]
    fn text_may_be_empty_and_have_wildcards() {
        assert_eq!(Text::new("").unwrap(), Text::EMPTY);
        assert_eq!(Text::new("+/#").unwrap(), "+/#");
    }

    #[test]
    fn the_empty_text_is_empty_and_the_default() {
        assert_eq!(Text::EMPTY.as_bytes(), b"");
        assert_eq!(Text::EMPTY.as_str(), "");
        assert_eq!(Text::<&[u8]>::default(), Text::EMPTY);
    }

    #[test]
    fn display_is_the_string_itself() {
        let text = Text::new("a\"\n\u{e9}").unwrap();
        assert_eq!(format!("{text}"), "a\"\n\u{e9}");
        assert_eq!(format!("{text:>6}|"), "  a\"\n\u{e9}|");
    }

    #[test]
    fn debug_is_quoted_and_escaped() {
        let text = Text::new("a\"\n\u{1b}[2J\u{e9}\\").unwrap();
        assert_eq!(format!("{text:?}"), r#""a\"\n\u{1b}[2Jé\\""#);
    }

    #[test]
    fn it_equals_the_string_that_it_is_and_no_other() {
        let text = Text::new("abc").unwrap();
        assert_eq!(text, "abc");
        assert_eq!(text, *"abc");
        assert_ne!(text, "abcd");
        assert_ne!(text, "ABC");
        assert_ne!(text, "");
    }

    #[test]
    fn characters_that_look_the_same_are_not() {
        // Composed and decomposed: compared as sent, not normalised.
        assert_ne!(Text::new("\u{e9}").unwrap(), "e\u{301}");
    }

    #[test]
    fn it_is_ordered_by_its_bytes() {
        let [a, b, c] = ["Z", "a", "\u{e9}"].map(|string| Text::new(string).unwrap());
        assert!(a < b && b < c);
    }

    #[test]
    fn map_moves_the_bytes_elsewhere() {
        let text = Text::new("abc").unwrap().map(<[u8]>::to_vec);
        assert_eq!(text.as_str(), "abc");
        assert_eq!(text.into_inner(), b"abc".to_vec());
    }

    #[test]
    fn as_ref_borrows_the_same_bytes() {
        let text = Text::from_bytes(b"abc".to_vec()).unwrap();
        let borrowed: Text<&[u8]> = text.as_ref();
        assert_eq!(borrowed.as_bytes().as_ptr(), text.as_bytes().as_ptr());
        assert_eq!(borrowed, "abc");
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn to_owned_outlives_what_it_was_made_from() {
        let owned = {
            let buffer = *b"abc";
            Text::new(&buffer).unwrap().to_owned()
        };
        assert_eq!(owned, "abc");
    }

    #[test]
    fn a_string_of_65535_bytes_passes_and_a_longer_one_does_not() {
        let bytes = [b'a'; 65_536];
        assert_eq!(Text::new(&bytes[1..]).unwrap().as_bytes().len(), 65_535);
        let error = Text::new(&bytes).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::TooLong, 65_535));
    }
}
