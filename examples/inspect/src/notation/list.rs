//! Lists of numbers in brackets, as languages write and print them: `[16, 12]`, `{0x10, 0x0c}`,
//! `<<16,12>>`, `<Buffer 10 0c>`, and what xxd -i prints.

/// The text between the brackets.
pub(crate) struct List<'a> {
    items: &'a str,
    /// Whether every number is hexadecimal.
    is_hexadecimal: bool,
    rest: &'a str,
}

/// Returns the list in a text, if there is one. A name or a type may precede it.
pub(crate) fn find(text: &str) -> Option<List<'_>> {
    let text = text.trim();
    let list = |open: &str, close: &str, is_hexadecimal| {
        let (_, inner) = text.split_once(open)?;
        let (items, rest) = inner.split_once(close).unwrap_or((inner, ""));
        Some(List {
            items,
            is_hexadecimal,
            rest,
        })
    };
    if text.starts_with("<Buffer") {
        return list("<Buffer", ">", true);
    }
    if text.starts_with("<<") {
        return list("<<", ">>", false);
    }
    // As in `new byte[] {16, 12}`.
    let is_of_a_type = |at: usize| {
        let rest = text.get(at.saturating_add(1)..);
        rest.is_some_and(|rest| rest.starts_with(']'))
    };
    let (at, open) = text
        .char_indices()
        .find(|(at, c)| *c == '{' || *c == '[' && !is_of_a_type(*at))
        .or_else(|| text.char_indices().find(|(_, c)| *c == '('))?;
    let close = match open {
        '{' => '}',
        '[' => ']',
        _ => ')',
    };
    let (before, _) = text.split_at(at);
    let is_digit = |c: char| c.is_ascii_hexdigit() || c.is_whitespace();
    if !before.is_empty() && before.chars().all(is_digit) {
        return None;
    }
    let inner = text.get(at.saturating_add(1)..)?;
    let (items, rest) = match inner.find(close) {
        Some(end) => inner.split_at(end),
        None => (inner, ""),
    };
    Some(List {
        items,
        is_hexadecimal: false,
        rest,
    })
}

impl List<'_> {
    pub(crate) fn parse(&self) -> Result<Vec<u8>, String> {
        if self.items.contains("..") || self.items.contains("more byte") {
            return Err(
                "this list was shortened when it was printed; print all of it, in Node.js \
                        with buffer.toString('hex')"
                    .to_owned(),
            );
        }
        if self.rest.contains(['[', '{', '<']) {
            return Err("give one list at a time".to_owned());
        }
        let separated = self.items.replace("(byte)", " ");
        let items = || {
            let items = separated.split(|c: char| c == ',' || c.is_whitespace());
            items.filter(|item| !item.is_empty())
        };
        let is_bare_hexadecimal =
            |item: &str| item.len() <= 2 && item.bytes().all(|b| b.is_ascii_hexdigit());
        let has_letters = |item: &str| item.bytes().any(|b| b.is_ascii_alphabetic());
        // `[10, 0c]`, which Rust prints for {:02x?}, cannot be decimal.
        let is_hexadecimal =
            self.is_hexadecimal || items().all(is_bare_hexadecimal) && items().any(has_letters);
        items()
            .map(|item| {
                let byte = if is_hexadecimal {
                    u8::from_str_radix(item, 16).ok()
                } else {
                    number(item)
                };
                byte.ok_or_else(|| fault(item))
            })
            .collect()
    }
}

/// Reads a byte in decimal or, with 0x, in hexadecimal digits; Java's bytes have a sign.
fn number(item: &str) -> Option<u8> {
    let item = item.strip_suffix("u8").unwrap_or(item);
    let digits = item.strip_prefix("0x").or_else(|| item.strip_prefix("0X"));
    match digits {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => {
            let value: i16 = item.parse().ok()?;
            let signed = i8::try_from(value).map(|value| value as u8);
            u8::try_from(value).or(signed).ok()
        }
    }
}

fn fault(item: &str) -> String {
    let shown: String = item.chars().take(16).collect();
    format!(
        "{shown:?} is not a byte: in a list, numbers are decimal, or hexadecimal with 0x; without \
         brackets, two hexadecimal digits are a byte"
    )
}
