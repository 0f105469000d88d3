//! Decodes MQTT packets and labels every byte of them, or prints them as JSON. Shows the
//! conversations in a capture.
//!
//! ```text
//! $ cargo run -p inspect -- 32 0b 00 03 61 2f 62 00 0a 68 65 6c 6c
//! PUBLISH at 0, 13 bytes
//!         0  32                       Packet Type and Flags      PUBLISH
//!            0011 ....                  Packet Type              3
//!            .... 0...                  DUP                      0
//!            .... .01.                  QoS                      1
//!            .... ...0                  RETAIN                   0
//!         1  0b                       Remaining Length           11
//!         2  00 03                    Topic Name length          3
//!         4  61 2f 62                 Topic Name                 "a/b"
//!         7  00 0a                    Packet Identifier          10
//!         9  68 65 6c 6c              Payload                    "hell"
//! ```

#![allow(clippy::std_instead_of_alloc, reason = "a program has std")]

mod arguments;
mod capture;
mod dump;
mod hexadecimal;
mod json;
mod label;
mod notation;
mod property;

use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use mqtt_sansio::any::{DecodeError, Decoder, Packet, Protocol, ProtocolVersion};
use mqtt_sansio::{Header, Options, v3, v5};

use arguments::{Arguments, Format, Source};
use capture::{Capture, Wanted};
use dump::Stream;

/// What the decoder found at an offset of the input.
enum Found<'a> {
    /// A packet, with its fixed header and all of its bytes.
    Packet {
        header: Header,
        bytes: &'a [u8],
        packet: Packet<'a>,
    },
    /// A packet with a fault. `rest` is the input from its first byte on.
    Malformed { rest: &'a [u8], error: DecodeError },
    /// The start of a packet at the end of the input.
    Incomplete {
        rest: &'a [u8],
        version: ProtocolVersion,
    },
}

/// The result for the whole input.
enum Outcome {
    Complete,
    Malformed,
    Incomplete,
}

impl Outcome {
    /// Returns the result for two streams.
    const fn or(self, other: Self) -> Self {
        match self {
            Self::Complete => other,
            Self::Malformed | Self::Incomplete => self,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Complete => 0,
            Outcome::Malformed => 1,
            Outcome::Incomplete => 2,
        })
    }
}

/// The reason why nothing was printed.
enum Failure {
    Usage(String),
    Input(String),
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    /// Reports it to the user, and returns its exit status of `sysexits.h`.
    fn report(self) -> ExitCode {
        let (status, message) = match self {
            Self::Usage(message) => (64, format!("{message}\nTry --help.")),
            Self::Input(message) => (66, message),
            // The reader of the output has closed it: `inspect .. | head`.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return ExitCode::SUCCESS;
            }
            Self::Output(error) => (74, error.to_string()),
        };
        // If standard error is closed as well, only the status is left.
        let _ = writeln!(io::stderr(), "inspect: {message}");
        ExitCode::from(status)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(outcome) => outcome.into(),
        Err(failure) => failure.report(),
    }
}

fn run() -> Result<Outcome, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = match arguments::parse(lexopt::Parser::from_env())? {
        Some(arguments) => print(&arguments, &mut out)?,
        None => {
            out.write_all(arguments::HELP.as_bytes())?;
            Outcome::Complete
        }
    };
    out.flush()?;
    Ok(outcome)
}

fn print(arguments: &Arguments, out: &mut impl Write) -> Result<Outcome, Failure> {
    let streams = match &arguments.source {
        Source::Lines => return print_lines(arguments, out),
        Source::Capture(path) => return print_capture(path, arguments, out),
        Source::Hexadecimal(text) => notation::argument(text).map_err(Failure::Usage)?,
        Source::StandardInput => {
            let text = read(io::stdin(), "standard input")?;
            notation::input(&String::from_utf8_lossy(&text)).map_err(Failure::Usage)?
        }
        Source::Binary(path) if path.as_os_str() == "-" => {
            vec![Stream::from(read(io::stdin(), "standard input")?)]
        }
        Source::Binary(path) => {
            let name = path.display().to_string();
            let file = fs::File::open(path).map_err(|error| unreadable(&name, &error))?;
            vec![Stream::from(read(file, &name)?)]
        }
    };
    let is_empty = streams.iter().all(|stream| stream.bytes.is_empty());
    if is_empty && matches!(arguments.format, Format::Text) {
        return Err(Failure::Usage(
            "no bytes: give hexadecimal digits or another input".to_owned(),
        ));
    }
    let version = version_of(&streams).unwrap_or(arguments.version);
    let mut worst = Outcome::Complete;
    for (number, stream) in streams.iter().enumerate() {
        if let (Some(name), Format::Text) = (&stream.name, arguments.format) {
            if number > 0 {
                writeln!(out)?;
            }
            writeln!(out, "{name}\n")?;
        }
        let name = stream.name.as_deref();
        let outcome = inspect(
            &stream.bytes,
            arguments,
            version,
            |offset, found| match arguments.format {
                Format::Text => label::write(out, offset, &found),
                Format::Json => writeln!(out, "{}", json::object(name, offset, &found)),
            },
        )?;
        worst = worst.or(outcome);
    }
    Ok(worst)
}

/// Returns the version of the CONNECT that one of the streams begins with, because the server's
/// answer has none. `None` without a CONNECT, or if several connections differ.
fn version_of(streams: &[Stream]) -> Option<ProtocolVersion> {
    let mut versions = streams
        .iter()
        .filter_map(|stream| Protocol::of(&stream.bytes)?.version());
    let version = versions.next()?;
    versions.all(|other| other == version).then_some(version)
}

/// Prints the conversations in a capture file.
fn print_capture(
    path: &Path,
    arguments: &Arguments,
    out: &mut impl Write,
) -> Result<Outcome, Failure> {
    let wanted = Wanted {
        ports: arguments.ports.clone(),
        options: arguments.options,
        version: arguments.version,
        json: matches!(arguments.format, Format::Json),
    };
    let name = path.display();
    let capture = if path.as_os_str() == "-" {
        Capture::read(io::stdin(), &wanted)
    } else {
        let file = fs::File::open(path).map_err(|error| unreadable(&name.to_string(), &error))?;
        Capture::read(file, &wanted)
    };
    let capture = capture.map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    for warning in &capture.warnings {
        // The output is useful even if nobody sees the warnings.
        let _ = writeln!(io::stderr(), "inspect: {name}: {warning}");
    }
    if let Some(reason) = capture.nothing(&wanted) {
        return Err(Failure::Input(format!("{name}: {reason}")));
    }
    capture.write(&wanted, out)?;
    Ok(if capture.has_violations() {
        Outcome::Malformed
    } else {
        Outcome::Complete
    })
}

/// Decodes each line of standard input by itself. An invalid line has its error in the answer, so
/// the status is always the same.
fn print_lines(arguments: &Arguments, out: &mut impl Write) -> Result<Outcome, Failure> {
    let mut input = BufReader::new(io::stdin());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        if read.map_err(|error| unreadable("standard input", &error))? == 0 {
            return Ok(Outcome::Complete);
        }
        let mut objects = Vec::new();
        match notation::line(&String::from_utf8_lossy(&line)) {
            Ok(bytes) => {
                inspect(&bytes, arguments, arguments.version, |offset, found| {
                    objects.push(json::object(None, offset, &found));
                    Ok(())
                })?;
            }
            Err(error) => objects.push(json::unreadable(error)),
        }
        writeln!(out, "{}", serde_json::Value::from(objects))?;
        // A program at the other end may wait for this answer before it sends the next line.
        if !input.buffer().contains(&b'\n') {
            out.flush()?;
        }
    }
}

/// The first byte of a CONNECT.
const CONNECT: u8 = 0x10;

/// Decodes `input` and reports its packets, up to the first fault. A CONNECT determines the version
/// of itself and of later packets; earlier ones are of `version`.
fn inspect(
    input: &[u8],
    arguments: &Arguments,
    mut version: ProtocolVersion,
    mut report: impl FnMut(u64, Found<'_>) -> io::Result<()>,
) -> io::Result<Outcome> {
    let options = arguments.options;
    let mut decoder = Decoder::of_version(Vec::new(), options, version);
    // The position at which the decoder started.
    let mut start = 0_u64;
    for mut chunk in input.chunks(arguments.chunk.get()) {
        loop {
            version = decoder.version().unwrap_or(version);
            if decoder.is_at_packet_boundary() && chunk.first() == Some(&CONNECT) {
                start = start.saturating_add(decoder.position());
                decoder = Decoder::with_options(Vec::new(), options, version);
            }
            let offset = start.saturating_add(decoder.position());
            let rest = from(input, offset);
            match decoder.decode(&mut chunk) {
                Ok(Some(packet)) => {
                    let (header, bytes) = frame(rest, &options, &packet);
                    let found = Found::Packet {
                        header,
                        bytes,
                        packet,
                    };
                    report(offset, found)?;
                }
                Ok(None) => break,
                Err(error) => {
                    report(offset, Found::Malformed { rest, error })?;
                    return Ok(Outcome::Malformed);
                }
            }
        }
    }
    if decoder.is_at_packet_boundary() {
        return Ok(Outcome::Complete);
    }
    let offset = start.saturating_add(decoder.position());
    let rest = from(input, offset);
    let version = decoder.version().unwrap_or(version);
    report(offset, Found::Incomplete { rest, version })?;
    Ok(Outcome::Incomplete)
}

/// Returns `input` from a position in it.
fn from(input: &[u8], position: u64) -> &[u8] {
    let position = usize::try_from(position).unwrap_or(usize::MAX);
    input.get(position..).unwrap_or_default()
}

/// Returns the fixed header and the bytes of the packet that `rest` starts with. The decoder cannot
/// return them: its packet may be in the decoder's buffer.
#[expect(
    clippy::expect_used,
    reason = "the decoder has read the packet with the same options"
)]
fn frame<'a>(rest: &'a [u8], options: &Options, packet: &Packet<'_>) -> (Header, &'a [u8]) {
    let version = match packet {
        Packet::V3(_) => ProtocolVersion::V3,
        Packet::V5(_) => ProtocolVersion::V5,
    };
    peek(rest, options, version)
        .and_then(|header| Some((header, rest.get(..header.packet_len())?)))
        .expect("a decoded packet has a fixed header and is all there")
}

/// Returns the fixed header that `rest` starts with, if it is valid.
fn peek(rest: &[u8], options: &Options, version: ProtocolVersion) -> Option<Header> {
    match version {
        ProtocolVersion::V3 => v3::peek(rest, options).ok(),
        ProtocolVersion::V5 => v5::peek(rest, options).ok(),
    }
    .flatten()
}

fn read(mut source: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match source.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(unreadable(name, &error)),
    }
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::Input(format!("{name}: {error}"))
}
