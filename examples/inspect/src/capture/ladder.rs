//! Prints conversations as text, a line for each packet, and as JSON.

use core::fmt::Write as _;
use std::io::{self, Write};

use mqtt_sansio::any::{Protocol, ProtocolVersion};
use serde_json::{Value, json};

use super::conversation::{Conversation, Entry, Kind, Note, Side};
use super::stream::Network;

/// The number of characters of a string, and of bytes of a payload, that are shown.
const SHOWN: usize = 60;

/// Formats a time as seconds with microseconds.
pub(crate) fn seconds(nanos: u64) -> String {
    let duration = core::time::Duration::from_nanos(nanos);
    format!("{}.{:06} s", duration.as_secs(), duration.subsec_micros())
}

/// Formats a short time, in the unit that suits it.
fn after(nanos: u64) -> String {
    format!("{:.3?}", core::time::Duration::from_nanos(nanos))
}

pub(crate) fn write(
    out: &mut impl Write,
    number: usize,
    conversation: &Conversation,
) -> io::Result<()> {
    let Conversation { client, server, .. } = conversation;
    write!(
        out,
        "Conversation {number}: client {client}, server {server}, "
    )?;
    write!(out, "{}", version(conversation))?;
    match &conversation.client_id {
        Some(id) => writeln!(out, ", Client Identifier {id:?}")?,
        None => writeln!(out)?,
    }
    if conversation.version.is_none() {
        writeln!(out, "  (packets of this version are not decoded)")?;
    }
    for entry in &conversation.entries {
        write_entry(out, conversation, entry)?;
    }
    if !conversation.unanswered.is_empty() {
        let unanswered = conversation.unanswered.join(", ");
        writeln!(out, "  Not answered: {unanswered}")?;
    }
    let Network {
        repeated,
        late,
        missing,
    } = conversation.network;
    if conversation.network != Network::default() {
        writeln!(
            out,
            "  TCP: {repeated} segments repeated, {late} out of order, {missing} bytes missing"
        )?;
    }
    Ok(())
}

fn version(conversation: &Conversation) -> String {
    match (conversation.protocol, conversation.version) {
        (Some(protocol), _) => protocol.to_string(),
        (None, Some(ProtocolVersion::V5)) => "no CONNECT, read as MQTT 5".to_owned(),
        (None, _) => "no CONNECT, read as MQTT 3.1.1".to_owned(),
    }
}

fn write_entry(out: &mut impl Write, conversation: &Conversation, entry: &Entry) -> io::Result<()> {
    let time = core::time::Duration::from_nanos(entry.time);
    write!(out, "{:>7}.{:06}  ", time.as_secs(), time.subsec_micros())?;
    let arrow = match (&entry.kind, entry.side) {
        (Kind::Deadline, _) => "   ",
        (_, Side::Client) => "-->",
        (_, Side::Server) => "<--",
    };
    write!(out, "{arrow}  ")?;
    let mut text = match &entry.kind {
        Kind::Packet { name, summary, .. } => format!("{name}{summary}"),
        Kind::Malformed => "a packet that cannot be decoded; the rest is left out".to_owned(),
        Kind::Transport(what) => format!("({} {what})", entry.side.name()),
        Kind::Missing(count) => format!("({count} bytes are missing in the capture)"),
        Kind::Skipped(count) => format!("({count} bytes skipped, to the start of a packet)"),
        Kind::Deadline => "(time passes)".to_owned(),
    };
    let mut rows = Vec::new();
    for note in &entry.notes {
        match note {
            Note::Answers { what, after: nanos } => {
                // Writing to a string does not fail.
                let _ = write!(text, "  [answers {what} after {}]", after(*nanos));
            }
            Note::Remark(what) => {
                let _ = write!(text, "  [{what}]");
            }
            Note::Violation { by, what, rule } => {
                let statement = rule.and_then(|rule| conversation.statement(rule));
                let statement = statement.map(|id| format!(" ({id})")).unwrap_or_default();
                rows.push(format!("violation by the {}: {what}{statement}", by.name()));
            }
        }
    }
    writeln!(out, "{text}")?;
    for row in rows {
        writeln!(out, "{:>14}  !!!  {row}", "")?;
    }
    Ok(())
}

pub(crate) fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// Formats a string in quotes, and escapes characters that control a terminal.
pub(crate) fn string(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}..", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

pub(crate) fn payload(payload: &[u8]) -> String {
    let bytes = match payload.len() {
        1 => "1 byte".to_owned(),
        len => format!("{len} bytes"),
    };
    match core::str::from_utf8(payload) {
        Ok("") => bytes,
        Ok(text) => format!("{bytes} {}", string(text)),
        Err(_) => {
            let shown = payload.get(..SHOWN).unwrap_or(payload);
            let more = if shown.len() < payload.len() {
                ".."
            } else {
                ""
            };
            format!("{bytes} b\"{}\"{more}", shown.escape_ascii())
        }
    }
}

/// Returns the Protocol Level of CONNECT.
const fn level(protocol: Protocol) -> Option<u8> {
    match protocol {
        Protocol::V3_1 => Some(3),
        Protocol::V3_1_1 => Some(4),
        Protocol::V5 => Some(5),
        Protocol::UnsupportedLevel(level) => Some(level),
        _ => None,
    }
}

/// Writes a line for the conversation, one for each entry, and one for the unanswered packets.
pub(crate) fn write_json(
    out: &mut impl Write,
    number: usize,
    conversation: &Conversation,
) -> io::Result<()> {
    let head = json!({
        "conversation": number,
        "client": conversation.client.to_string(),
        "server": conversation.server.to_string(),
        "protocol_level": conversation.protocol.and_then(level),
        "client_id": conversation.client_id,
        "decoded": conversation.version.is_some(),
    });
    writeln!(out, "{head}")?;
    for entry in &conversation.entries {
        writeln!(out, "{}", entry_object(number, conversation, entry))?;
    }
    let network = conversation.network;
    let end = json!({
        "conversation": number,
        "event": "end",
        "unanswered": conversation.unanswered,
        "repeated_segments": network.repeated,
        "late_segments": network.late,
        "missing_bytes": network.missing,
    });
    writeln!(out, "{end}")
}

fn entry_object(number: usize, conversation: &Conversation, entry: &Entry) -> Value {
    let time = entry.time.to_string();
    let split = time.len().saturating_sub(9);
    let (whole, fraction) = time.split_at(split);
    let whole = if whole.is_empty() { "0" } else { whole };
    let mut object: Vec<(&str, Value)> = vec![
        ("conversation", json!(number)),
        // A string, because a floating-point number of seconds would not be exact.
        ("time", json!(format!("{whole}.{fraction:0>9}"))),
    ];
    if !matches!(entry.kind, Kind::Deadline) {
        object.push(("from", json!(entry.side.name())));
    }
    match &entry.kind {
        Kind::Packet {
            name,
            length,
            fields,
            ..
        } => {
            object.push(("event", json!("packet")));
            object.push(("length", json!(length)));
            object.push(("type", json!(name)));
            object.extend(fields.iter().cloned());
        }
        Kind::Malformed => object.push(("event", json!("malformed"))),
        Kind::Transport(what) => {
            object.push(("event", json!("transport")));
            object.push(("what", json!(what)));
        }
        Kind::Missing(count) => {
            object.push(("event", json!("missing")));
            object.push(("bytes", json!(count)));
        }
        Kind::Skipped(count) => {
            object.push(("event", json!("skipped")));
            object.push(("bytes", json!(count)));
        }
        Kind::Deadline => object.push(("event", json!("deadline"))),
    }
    object.push((
        "notes",
        entry
            .notes
            .iter()
            .map(|note| note_object(conversation, note))
            .collect(),
    ));
    object.into_iter().collect()
}

fn note_object(conversation: &Conversation, note: &Note) -> Value {
    match note {
        Note::Answers { what, after } => json!({
            "answers": what,
            "after_nanoseconds": after,
        }),
        Note::Remark(what) => json!({ "remark": what }),
        Note::Violation { by, what, rule } => json!({
            "violation": what,
            "by": by.name(),
            "statement": rule.and_then(|rule| conversation.statement(rule)),
        }),
    }
}
