//! Bytes as people write and paste them.

/// Reads `10 26 00`, `102600`, `0x10, 0x26, 0x00`, `10:26:00` and the like, over any number of
/// lines.
pub(crate) fn parse(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':')) {
        let digits = word
            .strip_prefix("0x")
            .or_else(|| word.strip_prefix("0X"))
            .unwrap_or(word);
        match hex::decode(digits) {
            Ok(read) => bytes.extend(read),
            Err(_) => return Err(fault(digits)),
        }
    }
    Ok(bytes)
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
