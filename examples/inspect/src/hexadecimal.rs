//! Bytes as hexadecimal digits, two for each.

/// Decodes hexadecimal digits. Returns `None` for any other character, or an odd number of digits.
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
