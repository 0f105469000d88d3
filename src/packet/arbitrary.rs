//! Strings for structured fuzzing (feature `arbitrary`): everything that the types allow, with
//! unusual values more frequent than in real traffic.

use alloc::string::String;
use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::types::{Text, TopicFilter, TopicName};

/// Replaces a string that the rules do not allow.
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

/// Returns pseudo-random bytes, the same in every run (xorshift).
#[cfg(test)]
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        })
        .collect()
}

/// Values from inputs of all lengths up to a few hundred bytes.
#[cfg(test)]
pub(crate) fn samples<T: for<'a> Arbitrary<'a>>() -> impl Iterator<Item = T> {
    (0..6_000_u16).map(|number| {
        let bytes = noise(number.into(), usize::from(number % 300));
        T::arbitrary(&mut Unstructured::new(&bytes)).unwrap()
    })
}
