//! Shared Subscriptions: filters of the form `$share/{ShareName}/{filter}` (MQTT 5, section 4.8.2).
//! All functions take the bytes of a valid Topic Filter, in which wildcards fill whole levels.

use crate::wire::{ErrorKind, TextError};

const PREFIX: &[u8] = b"$share/";

/// The share name and the filter after it, if both are there and valid.
pub(super) fn parts(filter: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = split(filter.strip_prefix(PREFIX)?);
    match (name, rest) {
        ([] | b"+" | b"#", _) | (_, None | Some([])) => None,
        (name, Some(rest)) => Some((name, rest)),
    }
}

/// The part of a filter that is held against topics.
#[inline(always)]
pub(super) fn matched_part(filter: &[u8]) -> &[u8] {
    match filter {
        [b'$', ..] => matched_part_of_dollar(filter),
        _ => filter,
    }
}

/// [`matched_part`] of a filter that starts with `$`, as few do.
#[cold]
#[inline(never)]
fn matched_part_of_dollar(filter: &[u8]) -> &[u8] {
    parts(filter).map_or(filter, |(_, rest)| rest)
}

/// The rules of MQTT 5 for filters that start with `$share/`.
pub(super) fn check(filter: &[u8]) -> Result<(), TextError> {
    let Some(after_prefix) = filter.strip_prefix(PREFIX) else {
        return Ok(());
    };
    let fault = |kind, offset| Err(TextError::new(kind, offset));
    match split(after_prefix) {
        ([], _) => fault(ErrorKind::EmptyShareName, PREFIX.len()), // [MQTT5-4.8.2-1]
        // [MQTT5-4.8.2-2]
        (b"+" | b"#", _) => fault(ErrorKind::WildcardInShareName, PREFIX.len()),
        (_, None | Some([])) => fault(ErrorKind::MissingSharedFilter, filter.len()),
        _ => Ok(()),
    }
}

/// The share name, and what follows its separator, if there is one.
fn split(after_prefix: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = after_prefix.splitn(2, |&byte| byte == b'/');
    (parts.next().unwrap_or_default(), parts.next())
}
