//! Strings with escapes: `\x10\x0c\x00\x04MQTT`, with or without quotes, as Rust, Python, C and
//! JavaScript print them and as Wireshark copies them, over several lines.

use core::iter::Peekable;
use core::str::Chars;

/// Returns true if a text is a string, and not digits or a list.
pub(crate) fn is_one(text: &str) -> bool {
    let quoted = without_prefix(text);
    // A quote can also be part of a list: `array('B', [..])`.
    let is_quoted = quoted.starts_with(['"', '\'']) && !text.trim().ends_with("])");
    text.contains('\\') || is_quoted
}

/// Removes a name before a quote, as in `b"..."` and `bytearray(b'...')`.
fn without_prefix(text: &str) -> &str {
    text.trim()
        .trim_start_matches(|c: char| c.is_ascii_alphabetic() || matches!(c, '(' | '$' | '&'))
}

pub(crate) fn parse(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let quoted = without_prefix(text);
    if !quoted.starts_with(['"', '\'']) {
        // Line breaks can be anywhere in an escape.
        return unescape(&text.replace(['\n', '\r'], ""), false);
    }
    let before = text.strip_suffix(quoted).unwrap_or_default();
    let is_bytes = before.ends_with('b');
    let mut bytes = Vec::new();
    let mut rest = quoted;
    while let Some(quote) = rest.chars().next() {
        let inner = rest.get(1..).unwrap_or_default();
        let end = end(inner, quote)
            .ok_or_else(|| format!("a string without its closing {quote}: add it"))?;
        let (string, after) = inner.split_at(end);
        bytes.extend(unescape(string, is_bytes)?);
        let after = after.get(1..).unwrap_or_default();
        // A continued line, or strings that are concatenated.
        rest = after.trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '\\' | '+' | ';' | ')' | 'b')
        });
        if !rest.is_empty() && !rest.starts_with(['"', '\'']) {
            let shown: String = rest.chars().take(16).collect();
            return Err(format!("{shown:?} comes after the end of a string"));
        }
    }
    Ok(bytes)
}

/// Returns the position of the closing quote. `inner` starts after the opening one.
fn end(inner: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    inner.char_indices().find_map(|(at, c)| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at)
    })
}

/// Decodes escapes. With `is_bytes` the string is from Rust or Python, where `\0` is one byte
/// whatever follows it. Elsewhere `\012` is octal.
fn unescape(string: &str, is_bytes: bool) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut chars = string.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' {
            escape(&mut chars, is_bytes, &mut bytes)?;
        } else {
            push(&mut bytes, c);
        }
    }
    Ok(bytes)
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Decodes what follows a backslash.
fn escape(
    chars: &mut Peekable<Chars<'_>>,
    is_bytes: bool,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    let c = chars.next().ok_or("a backslash at the end")?;
    bytes.push(match c {
        'x' => {
            let digits: String = chars.by_ref().take(2).collect();
            let byte = u8::from_str_radix(&digits, 16).ok();
            byte.filter(|_| digits.len() == 2)
                .ok_or_else(|| format!("\\x{digits} lacks two hexadecimal digits"))?
        }
        'u' => {
            let digits: String = if chars.next_if_eq(&'{').is_some() {
                chars.by_ref().take_while(|c| *c != '}').collect()
            } else {
                chars.by_ref().take(4).collect()
            };
            let number = u32::from_str_radix(&digits, 16).ok();
            let c = number.and_then(char::from_u32);
            push(
                bytes,
                c.ok_or_else(|| format!("\\u{digits} is not a character"))?,
            );
            return Ok(());
        }
        '0'..='7' => {
            let mut ahead = chars.clone();
            let digits: String = [c].into_iter().chain(ahead.by_ref().take(2)).collect();
            match u8::from_str_radix(&digits, 8) {
                Ok(byte) if digits.len() == 3 && !is_bytes => {
                    *chars = ahead;
                    byte
                }
                _ if c == '0' => 0,
                _ => return Err(format!("\\{digits} is not a byte in octal digits")),
            }
        }
        'a' => 0x07,
        'b' => 0x08,
        't' => b'\t',
        'n' => b'\n',
        'v' => 0x0b,
        'f' => 0x0c,
        'r' => b'\r',
        'e' => 0x1b,
        '\\' => b'\\',
        '"' => b'"',
        '\'' => b'\'',
        _ => {
            return Err(format!(
                "\\{c} is not an escape: write \\\\ for a backslash"
            ));
        }
    });
    Ok(())
}
