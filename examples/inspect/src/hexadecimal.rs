//! Bytes as people write and paste them.

use crate::dump;

/// Said of what may be a dump that [`dump`] cannot read.
const HINT: &str = "If this is a dump, take its bytes without offsets and text: Copy as Hex Stream \
                    in Wireshark, or xxd -p.";

/// Reads an argument. Only one with several lines may be a dump: a shell makes one line of what
/// is not quoted, and then there is no telling where a row starts.
pub(crate) fn argument(text: &str) -> Result<Vec<u8>, String> {
    if text.contains('\n') {
        input(text)
    } else {
        digits(text).map_err(|error| hint(text, error))
    }
}

/// Reads a whole input: a dump if its first line is a row of one, otherwise [`digits`].
pub(crate) fn input(text: &str) -> Result<Vec<u8>, String> {
    dump::parse(text)
        .unwrap_or_else(|| digits(text))
        .map_err(|error| hint(text, error))
}

/// Reads `10 26 00`, `102600`, `0x10, 0x26, 0x00`, `10:26:00` and the like, over any number of
/// lines.
pub(crate) fn digits(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':')) {
        let digits = word
            .strip_prefix("0x")
            .or_else(|| word.strip_prefix("0X"))
            .unwrap_or(word);
        match decode(digits) {
            Some(read) => bytes.extend(read),
            None => return Err(fault(digits)),
        }
    }
    Ok(bytes)
}

/// The bytes of hexadecimal digits, two for each.
pub(crate) fn decode(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    pairs
        .map(|pair| {
            let [high, low] = pair else { return None };
            u8::try_from(digit(high)? << 4 | digit(low)?).ok()
        })
        .collect()
}

/// Two digits for each byte.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut digits = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0xf] {
            digits.extend(char::from_digit(nibble.into(), 16));
        }
    }
    digits
}

/// The error, with a hint if `text` looks like a dump.
fn hint(text: &str, error: String) -> String {
    if text.lines().any(dump::starts_like_a_row) {
        format!("{error}\n{HINT}")
    } else {
        error
    }
}

/// What is wrong with digits that cannot be read. They may go on for megabytes, so only their
/// start is repeated.
fn fault(digits: &str) -> String {
    match digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        Some(other) => format!("{other:?} is not a hexadecimal digit"),
        None => {
            let more = if digits.len() > 16 { ".." } else { "" };
            format!("{digits:.16}{more} has an odd number of hexadecimal digits")
        }
    }
}
