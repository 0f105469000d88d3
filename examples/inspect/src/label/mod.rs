//! Labels packets: a row for each field, with its offset, its bytes, its name in the standard, and
//! its meaning. A fault is marked in the bytes around it.

mod v3;
mod v5;

use core::fmt::Display;
use core::iter;
use std::io::{self, Write};

use mqtt_sansio::any::{DecodeError, OtherProtocol, Packet, Protocol, ProtocolVersion};
use mqtt_sansio::{Delivery, Field, Header, Options, PacketId, PacketType};

use crate::{Found, hexadecimal};

/// The number of bytes in a row.
const ROW: usize = 8;

/// The number of bytes that are shown one by one. A longer field shows its start and its end.
const SHOWN: usize = 64;

/// The number of bytes that are shown around a fault in a longer packet.
const AROUND: usize = 32;

/// The number of characters of a string that are shown.
const QUOTED: usize = 64;

pub(crate) fn write(out: &mut impl Write, offset: u64, found: &Found<'_>) -> io::Result<()> {
    if offset > 0 {
        writeln!(out)?;
    }
    match found {
        Found::Packet {
            header,
            bytes,
            packet,
        } => write_packet(out, offset, *header, bytes, packet),
        Found::Malformed { rest, error } => {
            write_malformed(out, offset, rest, error)?;
            write_other_protocol(out, offset, rest)
        }
        Found::Incomplete { rest, version } => {
            write_incomplete(out, offset, rest, *version)?;
            write_other_protocol(out, offset, rest)
        }
    }
}

/// Describes an input that begins as another protocol.
fn write_other_protocol(out: &mut impl Write, offset: u64, rest: &[u8]) -> io::Result<()> {
    match Protocol::of(rest) {
        Some(Protocol::NotMqtt(OtherProtocol::Unknown)) => Ok(()),
        Some(protocol @ Protocol::NotMqtt(_)) if offset == 0 => {
            writeln!(out, "{:11}The input is {protocol}", "")
        }
        _ => Ok(()),
    }
}

fn write_packet(
    out: &mut impl Write,
    offset: u64,
    header: Header,
    bytes: &[u8],
    packet: &Packet<'_>,
) -> io::Result<()> {
    let packet_type = packet.packet_type();
    writeln!(out, "{packet_type} at {offset}, {}", count(bytes.len()))?;
    let mut labels = Labels {
        out,
        offset,
        rest: bytes,
    };
    labels.fixed_header(packet_type, header)?;
    match packet {
        Packet::V3(packet) => v3::label(&mut labels, packet),
        Packet::V5(packet) => v5::label(&mut labels, packet),
    }
}

/// Labels every byte of a packet.
struct Labels<'a, W> {
    out: &'a mut W,
    /// Where `rest` starts in the input.
    offset: u64,
    /// Bytes without a label.
    rest: &'a [u8],
}

impl<W: Write> Labels<'_, W> {
    /// Labels the next `len` bytes.
    fn field(&mut self, len: usize, name: &str, value: impl Display) -> io::Result<()> {
        let (bytes, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        let mut rows = rows(self.offset, bytes).into_iter();
        match rows.next() {
            Some(Row { offset, bytes }) => {
                writeln!(self.out, "{offset:>9}  {bytes:<23}  {name:<25}  {value}")?;
            }
            // An empty field can have a meaning, such as an empty Client Identifier.
            None => writeln!(self.out, "{:34}  {name:<25}  {value}", "")?,
        }
        for row in rows {
            writeln!(self.out, "{row}")?;
        }
        self.offset = self.offset.saturating_add(bytes.len() as u64);
        self.rest = rest;
        Ok(())
    }

    /// Explains some bits of the byte that was labelled last.
    fn bits(&mut self, byte: u8, mask: u8, name: &str) -> io::Result<()> {
        let value = (byte & mask) >> mask.trailing_zeros();
        let bits = bits(byte, mask);
        writeln!(self.out, "{:11}{bits:<23}    {name:<23}  {value}", "")
    }

    /// Labels a length of two bytes and the field that follows (sections 1.5.3 and 3.1.3.3).
    fn string(&mut self, field: Field, bytes: &[u8]) -> io::Result<()> {
        self.field(2, &format!("{field} length"), bytes.len())?;
        self.field(bytes.len(), field.name(), quote(bytes))
    }

    fn fixed_header(&mut self, packet_type: PacketType, header: Header) -> io::Result<()> {
        let first = header.first_byte();
        let prescribed = prescribed_first_byte(packet_type, first);
        let note = if first == prescribed {
            String::new()
        } else {
            format!(", which is {prescribed:02x} in the standard")
        };
        let value = format!("{packet_type}{note}");
        self.field(1, "Packet Type and Flags", value)?;
        self.bits(first, 0xf0, Field::PacketType.name())?;
        if packet_type == PacketType::Publish {
            self.bits(first, 0b1000, "DUP")?;
            self.bits(first, 0b0110, "QoS")?;
            self.bits(first, 0b0001, "RETAIN")?;
        } else {
            self.bits(first, 0x0f, "Reserved")?;
        }
        let value = header.remaining_length();
        self.field(
            header.len().saturating_sub(1),
            Field::RemainingLength.name(),
            value,
        )
    }

    /// Labels the variable header of CONNECT up to Keep Alive, which differs in the name of one
    /// flag.
    fn connect_header(
        &mut self,
        protocol_name: &str,
        protocol_level: u8,
        clean: &str,
        keep_alive: u16,
    ) -> io::Result<()> {
        self.string(Field::ProtocolName, protocol_name.as_bytes())?;
        self.field(1, Field::ProtocolLevel.name(), protocol_level)?;
        let flags = self.next_byte();
        self.field(1, Field::ConnectFlags.name(), format!("{flags:#04x}"))?;
        self.bits(flags, 1 << 7, "User Name Flag")?;
        self.bits(flags, 1 << 6, "Password Flag")?;
        self.bits(flags, 1 << 5, "Will Retain")?;
        self.bits(flags, 3 << 3, "Will QoS")?;
        self.bits(flags, 1 << 2, "Will Flag")?;
        self.bits(flags, 1 << 1, clean)?;
        self.bits(flags, 1, "Reserved")?;
        let keep_alive = match keep_alive {
            0 => "0, turned off".to_owned(),
            seconds => format!("{seconds} s"),
        };
        self.field(2, Field::KeepAlive.name(), keep_alive)
    }

    fn connect_acknowledge_flags(&mut self, session_present: bool) -> io::Result<()> {
        let flags = u8::from(session_present);
        let name = Field::ConnectAcknowledgeFlags.name();
        self.field(1, name, format!("{flags:#04x}"))?;
        self.bits(flags, 0xfe, "Reserved")?;
        self.bits(flags, 1, "Session Present")
    }

    fn publish_header(&mut self, topic: &[u8], delivery: Delivery) -> io::Result<()> {
        self.string(Field::TopicName, topic)?;
        match delivery.packet_id() {
            Some(packet_id) => self.packet_id(packet_id),
            None => Ok(()),
        }
    }

    fn payload(&mut self, payload: &[u8]) -> io::Result<()> {
        self.field(payload.len(), Field::Payload.name(), quote(payload))
    }

    fn packet_id(&mut self, packet_id: PacketId) -> io::Result<()> {
        self.field(2, Field::PacketIdentifier.name(), packet_id)
    }

    /// Returns the first byte without a label.
    fn next_byte(&self) -> u8 {
        self.rest.first().copied().unwrap_or_default()
    }

    /// Returns true if every byte has its label.
    const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

fn write_malformed(
    out: &mut impl Write,
    offset: u64,
    rest: &[u8],
    error: &DecodeError,
) -> io::Result<()> {
    write!(out, "Malformed ")?;
    match error.packet_type() {
        Some(packet_type) => write!(out, "{packet_type}")?,
        None => write!(out, "packet")?,
    }
    write!(out, " at {offset}")?;
    let bytes = match peek(rest, error.version()) {
        Some(header) => {
            let len = header.packet_len();
            let bytes = rest.get(..len).unwrap_or(rest);
            write_at_hand(out, bytes.len(), len)?;
            bytes
        }
        // The end of the packet is not known. The fault is in the fixed header or right after it.
        None => rest.get(..AROUND).unwrap_or(rest),
    };
    writeln!(out)?;
    write_marked(out, offset, bytes, error.offset())?;
    writeln!(out, "{:11}{error}", "")?;
    match error.statement() {
        Some(statement) => write!(out, "{:11}{statement}: ", "")?,
        None => write!(out, "{:11}No numbered statement: ", "")?,
    }
    let reaction = match error {
        DecodeError::V3(error) => v3::reaction(error),
        DecodeError::V5(error) => v5::reaction(error),
    };
    writeln!(out, "{reaction}")
}

/// Prints the bytes of a packet, or those around a fault in a long one, with the fault underlined.
fn write_marked(out: &mut impl Write, offset: u64, bytes: &[u8], fault: usize) -> io::Result<()> {
    let offset_of = |index: usize| offset.saturating_add(index as u64);
    let (start, end) = if bytes.len() <= SHOWN {
        (0, bytes.len())
    } else {
        let row = fault.saturating_sub(fault % ROW);
        let start = row.saturating_sub(AROUND / 2);
        (start, start.saturating_add(AROUND).min(bytes.len()))
    };
    if start > 0 {
        writeln!(out, "{}", Row::omitted(offset, start))?;
    }
    // If the fault is that bytes are missing, its position is after the last byte.
    for row in (start..end.max(fault.saturating_add(1))).step_by(ROW) {
        let row_end = row.saturating_add(ROW);
        let shown = bytes.get(row..row_end.min(end)).unwrap_or_default();
        writeln!(out, "{}", Row::new(offset_of(row), shown))?;
        if (row..row_end).contains(&fault) {
            let indent = fault.saturating_sub(row).saturating_mul(3);
            let offset = offset_of(fault);
            writeln!(out, "{:11}{:indent$}^^ offset {offset}", "", "")?;
        }
    }
    if end < bytes.len() {
        let omitted = bytes.len().saturating_sub(end);
        writeln!(out, "{}", Row::omitted(offset_of(end), omitted))?;
    }
    Ok(())
}

fn write_incomplete(
    out: &mut impl Write,
    offset: u64,
    rest: &[u8],
    version: ProtocolVersion,
) -> io::Result<()> {
    write!(out, "Incomplete ")?;
    match rest
        .first()
        .and_then(|first| PacketType::from_number(first >> 4))
    {
        Some(packet_type) => write!(out, "{packet_type}")?,
        None => write!(out, "packet")?,
    }
    write!(out, " at {offset}")?;
    match peek(rest, version) {
        Some(header) => {
            let len = header.packet_len();
            write_at_hand(out, rest.len(), len)?;
            writeln!(out, ": {} more needed", len.saturating_sub(rest.len()))?;
        }
        None => writeln!(out, ", {}: at least 1 more needed", count(rest.len()))?,
    }
    for row in rows(offset, rest) {
        writeln!(out, "{row}")?;
    }
    Ok(())
}

fn write_at_hand(out: &mut impl Write, at_hand: usize, len: usize) -> io::Result<()> {
    if at_hand < len {
        write!(out, ", {at_hand} of {}", count(len))
    } else {
        write!(out, ", {}", count(len))
    }
}

/// Returns the fixed header, if it is valid with every leniency.
fn peek(rest: &[u8], version: ProtocolVersion) -> Option<Header> {
    let lenient = Options::new()
        .max_packet_size(u32::MAX)
        .accept_pubrel_flags(true)
        .accept_acknowledgement_flags(true)
        .accept_dup_on_requests(true)
        .accept_dup_at_qos_0(true);
    crate::peek(rest, &lenient, version)
}

/// Returns the first byte that the standard prescribes for a packet of this type (Table 2.2). It
/// differs from the received one only if a leniency accepted that.
const fn prescribed_first_byte(packet_type: PacketType, received: u8) -> u8 {
    let without_flags = packet_type.number() << 4;
    match packet_type {
        // DUP is 0 at QoS 0 [MQTT-3.3.1-2].
        PacketType::Publish if received & 0b0110 == 0 => received & 0b1111_0111,
        PacketType::Publish => received,
        PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => {
            without_flags | 0b0010
        }
        _ => without_flags,
    }
}

/// Bytes as text, and the offset of the first.
struct Row {
    offset: u64,
    bytes: String,
}

impl Row {
    fn new(offset: u64, bytes: &[u8]) -> Self {
        let mut shown = String::new();
        for byte in bytes {
            if !shown.is_empty() {
                shown.push(' ');
            }
            shown.push_str(&hexadecimal::encode([*byte]));
        }
        Self {
            offset,
            bytes: shown,
        }
    }

    fn omitted(offset: u64, len: usize) -> Self {
        Self {
            offset,
            bytes: format!(".. {} ..", count(len)),
        }
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let line = format!("{:>9}  {}", self.offset, self.bytes);
        f.write_str(line.trim_end())
    }
}

/// Returns the rows of a field: all of its bytes, or start and end of a long one.
fn rows(offset: u64, bytes: &[u8]) -> Vec<Row> {
    let in_rows = |offset: u64, bytes: &[u8]| -> Vec<Row> {
        iter::zip((offset..).step_by(ROW), bytes.chunks(ROW))
            .map(|(offset, bytes)| Row::new(offset, bytes))
            .collect()
    };
    if bytes.len() <= SHOWN {
        return in_rows(offset, bytes);
    }
    let (start, rest) = bytes.split_at(3 * ROW);
    let (omitted, end) = rest.split_at(rest.len().saturating_sub(ROW));
    let omitted_at = offset.saturating_add(start.len() as u64);
    let end_at = omitted_at.saturating_add(omitted.len() as u64);
    let mut rows = in_rows(offset, start);
    rows.push(Row::omitted(omitted_at, omitted.len()));
    rows.extend(in_rows(end_at, end));
    rows
}

/// Formats the bits of `byte` that `mask` selects, in their positions: `.... .01.`.
fn bits(byte: u8, mask: u8) -> String {
    let mut shown = String::with_capacity(9);
    for bit in (0..8).rev() {
        shown.push(match (mask >> bit & 1, byte >> bit & 1) {
            (0, _) => '.',
            (_, 0) => '0',
            _ => '1',
        });
        if bit == 4 {
            shown.push(' ');
        }
    }
    shown
}

/// Formats bytes as a Rust literal, of a string if they are UTF-8. Characters that control a terminal
/// are escaped.
fn quote(bytes: &[u8]) -> String {
    let (quoted, shown) = match core::str::from_utf8(bytes) {
        Ok(text) => {
            let end = text.char_indices().nth(QUOTED).map(|(end, _)| end);
            let shown = end.and_then(|end| text.get(..end)).unwrap_or(text);
            (format!("{shown:?}"), shown.len())
        }
        Err(_) => {
            let shown = bytes.get(..QUOTED).unwrap_or(bytes);
            (format!("b\"{}\"", shown.escape_ascii()), shown.len())
        }
    };
    match bytes.len().saturating_sub(shown) {
        0 => quoted,
        more => format!("{quoted} and {} more", count(more)),
    }
}

fn count(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        _ => format!("{bytes} bytes"),
    }
}
