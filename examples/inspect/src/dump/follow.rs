//! One TCP connection, as `tshark -z follow,tcp,hex,0` and `raw` print it and as Wireshark's Follow TCP
//! Stream shows it: what one side sends is indented.

use super::{Stream, is_blank, row};
use crate::hexadecimal;

enum Mode {
    Hex,
    Raw,
}

/// Reads such a text. Returns `None` if it is something else.
pub(crate) fn parse(text: &str) -> Option<Result<Vec<Stream>, String>> {
    let head = text.lines().find_map(|line| line.strip_prefix("Follow: "));
    let mode = match head.and_then(|head| head.rsplit(',').next()).map(str::trim) {
        Some("hex") => Mode::Hex,
        Some("raw") => Mode::Raw,
        Some(mode) => {
            return Some(Err(format!(
                "follow in the mode {mode:?} does not show all bytes: take hex or raw"
            )));
        }
        None if is_in_two_directions(text) => Mode::Hex,
        None => return None,
    };
    let mut streams = [0, 1].map(|node| Stream {
        name: Some(name(text, node)),
        bytes: Vec::new(),
    });
    for (number, line) in (1..).zip(text.lines()) {
        let is_head = ["===", "Follow: ", "Filter: ", "Node "]
            .iter()
            .any(|start| line.starts_with(start));
        if is_head || is_blank(line) {
            continue;
        }
        let [first, second] = &mut streams;
        let stream = if is_indented(line) { second } else { first };
        let bytes = match mode {
            Mode::Hex => row(line).and_then(|(offset, bytes)| {
                // Another stream of the same text starts at offset 0 again.
                (offset == stream.bytes.len()).then_some(bytes)
            }),
            Mode::Raw => hexadecimal::decode(line.trim()),
        };
        match bytes {
            Some(bytes) => stream.bytes.extend(bytes),
            None => {
                return Some(Err(format!(
                    "line {number} does not continue this side of the stream: give one stream at a time"
                )));
            }
        }
    }
    let streams = streams
        .into_iter()
        .filter(|stream| !stream.bytes.is_empty());
    Some(Ok(streams.collect()))
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

/// Returns true if some rows are indented and others are not: tcpdump indents all, others none.
fn is_in_two_directions(text: &str) -> bool {
    let rows = || text.lines().filter(|line| !is_blank(line));
    rows().any(is_indented)
        && !rows().all(is_indented)
        && rows().all(|line| row(line).is_some_and(|(_, bytes)| !bytes.is_empty()))
}

fn name(text: &str, node: usize) -> String {
    let label = format!("Node {node}");
    let named = text.lines().find_map(|line| {
        let name = line.strip_prefix(&label)?.strip_prefix(':')?;
        Some(name.trim().to_owned())
    });
    match named {
        Some(name) => format!("from {name}"),
        None => label,
    }
}
