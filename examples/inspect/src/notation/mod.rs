//! Bytes as people write, print and paste them.
//!
//! ```text
//! 10 0c 00 04    100c0004    0x10, 0x0c    10:0c:00:04        digits
//! [16, 12]  [0x10, 12]  {0x10, 0x0c}  <<16,12>>  <Buffer 10 0c>  lists
//! \x10\x0c\x00\x04MQTT    b"\x10\x0c\0\x04MQTT"                strings with escapes
//! ```
//!
//! Dumps over several lines are for [`dump`](crate::dump).

mod escapes;
mod list;

use crate::dump::{self, Stream};
use crate::hexadecimal;

/// The hint for a text that may be a dump which [`dump`] cannot read.
const HINT: &str = "If this is a dump, take its bytes without offsets and text: Copy as Hex Stream \
                    in Wireshark, or xxd -p.";

/// Reads an argument. Only one with several lines may be a dump: without quotes a shell joins the
/// lines, and the starts of rows are lost.
pub(crate) fn argument(text: &str) -> Result<Vec<Stream>, String> {
    if text.contains('\n') {
        input(text)
    } else {
        let bytes = line(text).map_err(|error| hint(text, error))?;
        Ok(vec![Stream::from(bytes)])
    }
}

/// Reads a whole input: a dump if it starts like one, otherwise a notation of [`line`], over any
/// number of lines.
pub(crate) fn input(text: &str) -> Result<Vec<Stream>, String> {
    dump::parse(text)
        .unwrap_or_else(|| line(text).map(|bytes| vec![Stream::from(bytes)]))
        .map_err(|error| hint(text, error))
}

/// Reads everything but a dump.
pub(crate) fn line(text: &str) -> Result<Vec<u8>, String> {
    if let Some(reason) = refusal(text) {
        return Err(reason);
    }
    if escapes::is_one(text) {
        return escapes::parse(text);
    }
    match list::find(text) {
        Some(list) => list.parse(),
        None => digits(text),
    }
}

/// Reads `10 26 00`, `102600`, `0x10, 0x26, 0x00`, `10:26:00` and the like.
fn digits(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':')) {
        let digits = word
            .strip_prefix("0x")
            .or_else(|| word.strip_prefix("0X"))
            .unwrap_or(word);
        match hexadecimal::decode(digits) {
            Some(read) => bytes.extend(read),
            None => return Err(fault(digits)),
        }
    }
    Ok(bytes)
}

/// Returns advice for a text in a known notation that cannot be read.
fn refusal(text: &str) -> Option<String> {
    let text = text.trim();
    let is_base64 = text.len() >= 8
        && text.len() % 4 == 0
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
        && !text
            .trim_end_matches('=')
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
        && !is_shelled(text);
    if is_base64 {
        return Some(
            "this looks like base64: decode it first, base64 -d | inspect --binary -".to_owned(),
        );
    }
    is_shelled(text).then(|| {
        "this looks like escapes without their backslashes, which a shell removes: put them in \
         single quotes"
            .to_owned()
    })
}

/// Returns true if this is `\x10\x0c` without its backslashes, which a shell has removed.
fn is_shelled(text: &str) -> bool {
    let mut parts = text.split('x');
    parts.next() == Some("")
        && parts.next().is_some_and(|part| {
            let start = part.as_bytes().first_chunk::<2>();
            start.is_some_and(|start| start.iter().all(u8::is_ascii_hexdigit))
        })
}

/// Returns the error, with a hint if `text` looks like a dump.
fn hint(text: &str, error: String) -> String {
    if text.lines().any(dump::starts_like_a_row) {
        format!("{error}\n{HINT}")
    } else {
        error
    }
}

/// Describes why digits cannot be read. It repeats their start only, because there may be megabytes.
fn fault(digits: &str) -> String {
    match digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        Some(other) => format!("{other:?} is not a hexadecimal digit"),
        None => {
            let more = if digits.len() > 16 { ".." } else { "" };
            format!("{digits:.16}{more} has an odd number of hexadecimal digits")
        }
    }
}

#[cfg(test)]
mod tests;
