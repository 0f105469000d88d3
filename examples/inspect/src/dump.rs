//! Dumps as Wireshark, `hexdump -C`, `xxd` and `tcpdump -X` print them: rows of an offset, bytes
//! and the same bytes as text.
//!
//! ```text
//! 0000  10 26 00 04 4d 51 54 54 04 c2 00 78 00 09 38 39   .&..MQTT...x..89
//! 00000000  10 26 00 04 4d 51 54 54  04 c2 00 78 00 09 38 39  |.&..MQTT...x..89|
//! 00000000: 1026 0004 4d51 5454 04c2 0078 0009 3839  .&..MQTT...x..89
//!     0x0000:  1026 0004 4d51 5454 04c2 0078 0009 3839  .&..MQTT...x..89
//! ```

use crate::hexadecimal;

/// Where a row says that it is.
struct Offset {
    value: usize,
    /// Whether a colon follows, as in what `xxd` and `tcpdump` print. Without one, digits in
    /// groups of four are not bytes in their order: `hexdump` and `od -x` swap them.
    colon: bool,
}

/// The bytes of a dump, or of several one after the other. `None` if `text` does not start with
/// the first row of one. No packet starts as such a row does, with a zero byte: if a later line is
/// not the next row, that is an error and not a reason to read the offsets as bytes.
pub(crate) fn parse(text: &str) -> Option<Result<Vec<u8>, String>> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !is_blank(line));
    let (_, first) = lines.next()?;
    let mut bytes = match row(first)? {
        (0, bytes) if !bytes.is_empty() => bytes,
        _ => return None,
    };
    // How much of the dump has been read, as opposed to those before it.
    let mut next = bytes.len();
    for (number, line) in lines {
        match row(line) {
            Some((offset, read)) if offset == next => {
                // Without bytes, it is the end as `hexdump` prints it.
                next = next.saturating_add(read.len());
                bytes.extend(read);
            }
            Some((0, read)) if !read.is_empty() => {
                next = read.len();
                bytes.extend(read);
            }
            _ => {
                return Some(Err(format!(
                    "line {number} is not the row at {next:04x} of the dump above it"
                )));
            }
        }
    }
    Some(Ok(bytes))
}

/// Whether there is something behind an offset.
pub(crate) fn starts_like_a_row(line: &str) -> bool {
    let (word, rest) = split_word(line.trim());
    offset(word).is_some() && !rest.is_empty()
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// The offset and the bytes of a row.
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
            // The gap in the middle of what `hexdump -C` prints.
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

/// Whether `column` shows `bytes` as text, with a dot for what cannot be shown.
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

/// The first word of a text, and what is behind it.
fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}
