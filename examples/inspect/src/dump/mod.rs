//! Dumps as Wireshark, `hexdump -C`, `xxd` and `tcpdump -X` print them: rows of an offset, bytes
//! and the same bytes as text.
//!
//! ```text
//! 0000  10 26 00 04 4d 51 54 54 04 c2 00 78 00 09 38 39   .&..MQTT...x..89
//! 00000000  10 26 00 04 4d 51 54 54  04 c2 00 78 00 09 38 39  |.&..MQTT...x..89|
//! 00000000: 1026 0004 4d51 5454 04c2 0078 0009 3839  .&..MQTT...x..89
//!     0x0000:  1026 0004 4d51 5454 04c2 0078 0009 3839  .&..MQTT...x..89
//! ```

mod follow;
mod tcpdump;

use crate::hexadecimal;

/// The offset at the start of a row.
struct Offset {
    value: usize,
    /// Whether a colon follows, as in what `xxd` and `tcpdump` print. Without one, digits in
    /// groups of four are not bytes in their order: `hexdump` and `od -x` swap them.
    colon: bool,
}

/// The bytes of one stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    /// Sender and receiver, if the text has more than one stream.
    pub(crate) name: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl From<Vec<u8>> for Stream {
    fn from(bytes: Vec<u8>) -> Self {
        Self { name: None, bytes }
    }
}

/// Returns the bytes of a dump, or of several in sequence, or `None` if `text` does not start with
/// the first row of one. No packet starts with a zero byte, as such a row does. So a later line that
/// is not the next row is an error, and the offsets are never read as bytes.
pub(crate) fn parse(text: &str) -> Option<Result<Vec<Stream>, String>> {
    if let Some(followed) = follow::parse(text) {
        return Some(followed);
    }
    let is_printed = text.lines().any(tcpdump::is_summary);
    let lines = (1..).zip(text.lines());
    let mut lines = lines.filter(|(_, line)| !is_blank(line) && !tcpdump::is_summary(line));
    let Some((_, first)) = lines.next() else {
        return is_printed.then(|| Err(tcpdump::NO_BYTES.to_owned()));
    };
    let mut dumps = match row(first) {
        Some((0, bytes)) if !bytes.is_empty() => vec![bytes],
        _ if is_printed => return Some(Err(tcpdump::NO_BYTES.to_owned())),
        _ => return None,
    };
    for (number, line) in lines {
        let last = dumps.last_mut()?;
        match row(line) {
            // An offset without bytes is the last line of `hexdump`.
            Some((offset, read)) if offset == last.len() => last.extend(read),
            Some((0, read)) if !read.is_empty() => dumps.push(read),
            _ => {
                return Some(Err(format!(
                    "line {number} is not the row at {:04x} of the dump above it",
                    last.len()
                )));
            }
        }
    }
    Some(match tcpdump::streams(&dumps) {
        Some(streams) => streams,
        None => Ok(vec![Stream::from(dumps.concat())]),
    })
}

/// Returns true if an offset and something after it start the line.
pub(crate) fn starts_like_a_row(line: &str) -> bool {
    let (word, rest) = split_word(line.trim());
    offset(word).is_some() && !rest.is_empty()
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// Returns the offset and the bytes of a row.
fn row(line: &str) -> Option<(usize, Vec<u8>)> {
    let (word, mut rest) = split_word(line.trim());
    let offset = offset(word)?;
    let mut bytes = Vec::new();
    let mut all_pairs = true;
    rest = rest.trim_start();
    while !rest.is_empty() {
        let (group, after) = split_word(rest);
        match group.len() {
            2 => {}
            4 if offset.colon => all_pairs = false,
            _ => return None,
        }
        bytes.extend(hexadecimal::decode(group)?);
        rest = after.trim_start();
        let more = match after.strip_suffix(rest) {
            Some(" ") => !rest.starts_with('|'),
            // `hexdump -C` prints a gap after eight bytes.
            Some("  ") if all_pairs && bytes.len() == 8 => {
                hexadecimal::decode(split_word(rest).0).is_some_and(|read| read.len() == 1)
                    && !is_text_of(rest, &bytes)
            }
            _ => false,
        };
        if !more {
            break;
        }
    }
    Some((offset.value, bytes))
}

fn offset(word: &str) -> Option<Offset> {
    let (word, colon) = match word.strip_suffix(':') {
        Some(word) => (word, true),
        None => (word, false),
    };
    let digits = word.strip_prefix("0x").unwrap_or(word);
    if !(4..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let value = usize::from_str_radix(digits, 16).ok()?;
    Some(Offset { value, colon })
}

/// Returns true if `column` shows `bytes` as text, with a dot for each byte that cannot be shown.
fn is_text_of(column: &str, bytes: &[u8]) -> bool {
    let shown: String = bytes
        .iter()
        .map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        })
        .collect();
    shown.trim_end() == column
}

/// Returns the first word of a text, and the rest.
fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}
