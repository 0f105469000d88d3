//! One type for every kind of string on the wire, generic over its storage.

use core::marker::PhantomData;

use super::check::{self, Rules};
use crate::wire::{ErrorKind, TextError};

/// A validated string. `K` is its kind: [`Text`](crate::Text), [`TopicName`](crate::TopicName) or
/// [`TopicFilter`](crate::TopicFilter).
///
/// `B` is where the bytes live: `&[u8]`, `Vec<u8>`, `Bytes`, or any other type that returns the
/// same bytes each time. Strings of one kind compare across storages, and all of them with `str`.
pub struct Checked<B, K> {
    bytes: B,
    kind: PhantomData<fn() -> K>,
}

/// The kind of a [`Checked`] string. Implemented by this crate's markers only.
pub trait StringKind: sealed::Validate {}

pub(super) mod sealed {
    use super::{Rules, TextError};

    /// The validation of a kind of string.
    #[expect(unnameable_types, reason = "seals `StringKind`")]
    pub trait Validate {
        const RULES: Rules;

        /// The same rules, optimized for speed.
        fn check(bytes: &[u8]) -> Result<(), TextError>;
    }
}

impl<'a, K: StringKind> Checked<&'a [u8], K> {
    /// Validates a borrowed string.
    ///
    /// # Errors
    ///
    /// The first fault of the string.
    pub fn new<T: AsRef<[u8]> + ?Sized>(text: &'a T) -> Result<Self, TextError> {
        Self::from_bytes(text.as_ref())
    }
}

impl<K: StringKind> Checked<&'static [u8], K> {
    /// Validates a constant. In a `const` item an invalid string does not compile:
    ///
    /// ```
    /// use mqtt_sansio::TopicName;
    ///
    /// const STATE: TopicName<&[u8]> = TopicName::from_static("device/state");
    /// ```
    ///
    /// ```compile_fail
    /// # use mqtt_sansio::TopicName;
    /// const STATE: TopicName<&[u8]> = TopicName::from_static("device/+");
    /// ```
    ///
    /// # Panics
    ///
    /// If it is called at run time, with an invalid string. Use [`new`](Self::new) there.
    #[must_use]
    #[expect(
        clippy::panic,
        reason = "how a constant is refused when the program is compiled"
    )]
    pub const fn from_static(text: &'static str) -> Self {
        match check::first_fault(text.as_bytes(), K::RULES) {
            Ok(()) => Self::from_valid(text.as_bytes()),
            Err(fault) => panic!("{}", refusal(fault.kind())),
        }
    }
}

/// The error of the compiler for an invalid constant.
const fn refusal(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::EmptyTopic => "a Topic Name or Topic Filter has at least one character",
        ErrorKind::TooLong => "a string has at most 65,535 bytes",
        ErrorKind::NullCharacter => "a string does not contain U+0000",
        ErrorKind::WildcardInTopicName => "a Topic Name does not contain `+` or `#`",
        ErrorKind::MisplacedSingleLevelWildcard => "`+` has to fill a level of a Topic Filter",
        ErrorKind::MisplacedMultiLevelWildcard => "`#` has to be the last level of a Topic Filter",
        _ => "the string is not valid",
    }
}

impl<B: AsRef<[u8]>, K: StringKind> Checked<B, K> {
    /// Validates bytes in any storage.
    ///
    /// # Errors
    ///
    /// The first fault of the bytes.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline)]
    pub fn from_bytes(bytes: B) -> Result<Self, TextError> {
        K::check(bytes.as_ref())?;
        Ok(Self::from_valid(bytes))
    }
}

impl<B, K> Checked<B, K> {
    /// Creates a string from bytes that have passed [`check`](sealed::Validate::check).
    #[inline(always)]
    pub(crate) const fn from_valid(bytes: B) -> Self {
        Self {
            bytes,
            kind: PhantomData,
        }
    }

    pub(super) const fn storage(&self) -> &B {
        &self.bytes
    }

    /// Moves the bytes elsewhere. `f` must not change them: its results are not validated again.
    #[inline]
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> Checked<C, K> {
        Checked::from_valid(f(self.bytes))
    }

    /// Returns the storage.
    #[inline]
    pub fn into_inner(self) -> B {
        self.bytes
    }
}

impl<B: AsRef<[u8]>, K> Checked<B, K> {
    /// Returns the bytes of the string.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Returns the string. Validates the UTF-8 again, because skipping it needs unsafe code;
    /// [`as_bytes`](Self::as_bytes) costs nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Returns the same string, borrowed.
    #[must_use]
    #[inline]
    pub fn as_ref(&self) -> Checked<&[u8], K> {
        Checked::from_valid(self.as_bytes())
    }

    /// Returns the same string in a `Vec` of its own (feature `alloc`).
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_owned(&self) -> Checked<alloc::vec::Vec<u8>, K> {
        Checked::from_valid(self.as_bytes().to_vec())
    }
}

impl<B: AsRef<[u8]>, K> core::fmt::Debug for Checked<B, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<B: AsRef<[u8]>, K> core::fmt::Display for Checked<B, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self.as_str(), f)
    }
}

#[cfg(feature = "defmt")]
impl<B: AsRef<[u8]>, K> defmt::Format for Checked<B, K> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.as_str());
    }
}

#[cfg(test)]
mod tests {
    use crate::{Text, TextError, TopicFilter, TopicName};

    const CLIENT_ID: Text<&[u8]> = Text::from_static("device-7");
    const TOPIC: TopicName<&[u8]> = TopicName::from_static("device/\u{e9}");
    const FILTER: TopicFilter<&[u8]> = TopicFilter::from_static("+/state/#");

    #[test]
    fn a_constant_is_the_string_that_it_was_made_from() {
        assert_eq!(CLIENT_ID, Text::new("device-7").unwrap());
        assert_eq!(TOPIC, TopicName::new("device/\u{e9}").unwrap());
        assert_eq!(FILTER, TopicFilter::new("+/state/#").unwrap());
        assert_eq!(Text::from_static(""), Text::EMPTY);
    }

    #[test]
    fn an_invalid_constant_is_refused_with_the_reason() {
        #[track_caller]
        fn refused<T>(constant: fn(&'static str) -> T, text: &'static str, why: &str) {
            let message = std::panic::catch_unwind(|| drop([constant(text)])).unwrap_err();
            let message = message.downcast_ref::<std::string::String>();
            assert_eq!(message.map(std::string::String::as_str), Some(why));
        }
        refused(Text::from_static, "\0", "a string does not contain U+0000");
        refused(
            Text::from_static,
            "a".repeat(65_536).leak(),
            "a string has at most 65,535 bytes",
        );
        refused(
            TopicName::from_static,
            "",
            "a Topic Name or Topic Filter has at least one character",
        );
        refused(
            TopicName::from_static,
            "a/+",
            "a Topic Name does not contain `+` or `#`",
        );
        refused(
            TopicFilter::from_static,
            "a+",
            "`+` has to fill a level of a Topic Filter",
        );
        refused(
            TopicFilter::from_static,
            "#/a",
            "`#` has to be the last level of a Topic Filter",
        );
    }

    #[test]
    fn a_checked_string_takes_the_room_of_its_storage() {
        assert_eq!(size_of::<TopicName<&[u8]>>(), size_of::<&[u8]>());
        assert_eq!(size_of::<TopicName<[u8; 3]>>(), 3);
        assert_eq!(
            size_of::<Option<TopicName<std::vec::Vec<u8>>>>(),
            size_of::<std::vec::Vec<u8>>()
        );
    }

    #[test]
    fn a_string_that_lives_longer_stands_in_for_one_that_lives_shorter() {
        fn shorter<'a>(
            topic: TopicName<&'a [u8]>,
            _: &'a std::string::String,
        ) -> TopicName<&'a [u8]> {
            topic
        }
        assert_eq!(shorter(TOPIC, &["a"].concat()), TOPIC);
    }

    #[test]
    fn a_checked_string_goes_to_other_threads() {
        fn sent<T: Send + Sync + Unpin>(_: T) {}
        sent(TOPIC);
        assert_eq!(TextError::clone(&Text::new("\0").unwrap_err()).offset(), 0);
    }
}
