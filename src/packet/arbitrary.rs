//! Strings for structured fuzzing (feature `arbitrary`): all that the types allow, with more weight
//! on the odd than real traffic has.

use alloc::string::String;
use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::types::{Text, TopicFilter, TopicName};

/// What stands in for a string that the rules do not allow.
pub(crate) const FALLBACK: &[u8] = b"x";

impl<'a> Arbitrary<'a> for Text<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let string: String = u.arbitrary()?;
        Ok(Self::from_bytes(string.into_bytes()).unwrap_or_default())
    }
}

impl<'a> Arbitrary<'a> for TopicName<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let string: String = u.arbitrary()?;
        let fallback = Self::from_bytes(FALLBACK.to_vec());
        Self::from_bytes(string.into_bytes())
            .or(fallback)
            .map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for TopicFilter<Vec<u8>> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        // Wildcards that fill a level are too rare in random strings.
        let levels: Vec<Option<&str>> = u.arbitrary()?;
        let mut filter = String::new();
        for level in levels {
            filter.push_str(level.unwrap_or("+"));
            filter.push('/');
        }
        if u.arbitrary()? {
            filter.push('#');
        }
        let fallback = Self::from_bytes(FALLBACK.to_vec());
        Self::from_bytes(filter.into_bytes())
            .or(fallback)
            .map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

/// At least one entry.
pub(crate) fn entries<'a, T: Arbitrary<'a>>(u: &mut Unstructured<'a>) -> Result<Vec<T>> {
    let mut entries: Vec<T> = u.arbitrary()?;
    if entries.is_empty() {
        entries.push(u.arbitrary()?);
    }
    Ok(entries)
}

pub(crate) fn refused<T>(_: T) -> arbitrary::Error {
    arbitrary::Error::IncorrectFormat
}
