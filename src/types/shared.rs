//! Shared Subscriptions: filters of the form `$share/{ShareName}/{filter}` (MQTT 5, section 4.8.2).
//! All functions but [`check`] take the bytes of a valid Topic Filter, in which wildcards fill whole
//! levels.

use crate::wire::{ErrorKind, TextError};

const PREFIX: &[u8] = b"$share/";

/// Returns true if a filter starts with `$share/`.
pub(super) fn is_shared(filter: &[u8]) -> bool {
    filter.starts_with(PREFIX)
}

/// Returns the share name and the filter after it, if both are present and valid.
pub(super) fn parts(filter: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = split(filter.strip_prefix(PREFIX)?);
    match (name, rest) {
        ([] | b"+" | b"#", _) | (_, None | Some([])) => None,
        (name, Some(rest)) => Some((name, rest)),
    }
}

/// Returns the part of a filter that is matched with topics.
#[inline(always)]
pub(super) fn matched_part(filter: &[u8]) -> &[u8] {
    match filter {
        [b'$', ..] => matched_part_of_dollar(filter),
        _ => filter,
    }
}

/// [`matched_part`] of a filter that starts with `$`, which is rare.
#[cold]
#[inline(never)]
fn matched_part_of_dollar(filter: &[u8]) -> &[u8] {
    parts(filter).map_or(filter, |(_, rest)| rest)
}

/// Checks the rules of MQTT 5 for filters that start with `$share/`, and no others.
pub(super) fn check(filter: &[u8]) -> Result<(), TextError> {
    let Some(after_prefix) = filter.strip_prefix(PREFIX) else {
        return Ok(());
    };
    let fault = |kind, offset| Err(TextError::new(kind, offset));
    let (name, rest) = split(after_prefix);
    if let Some(at) = name.iter().position(|byte| matches!(byte, b'+' | b'#')) {
        // [MQTT5-4.8.2-2]
        return fault(
            ErrorKind::WildcardInShareName,
            PREFIX.len().saturating_add(at),
        );
    }
    match (name, rest) {
        ([], _) => fault(ErrorKind::EmptyShareName, PREFIX.len()), // [MQTT5-4.8.2-1]
        (_, None | Some([])) => fault(ErrorKind::MissingSharedFilter, filter.len()), // [MQTT5-4.8.2-2]
        _ => Ok(()),
    }
}

/// Returns the share name, and the text after its separator, if there is one.
fn split(after_prefix: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = after_prefix.splitn(2, |&byte| byte == b'/');
    (parts.next().unwrap_or_default(), parts.next())
}
