//! The command line.

use core::num::NonZeroUsize;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use lexopt::prelude::*;
use mqtt_sansio::Options;
use mqtt_sansio::any::ProtocolVersion;

use crate::Failure;

pub(crate) const HELP: &str = "\
Decodes packets of MQTT 3.1, 3.1.1 and 5: labels every byte of them, or prints them as JSON.

Usage:
  inspect [OPTION...] HEX...
  inspect [OPTION...] -
  inspect [OPTION...] --binary FILE
  inspect [OPTION...] --lines
  inspect [OPTION...] --pcap FILE

HEX is one stream of packets, in one of these forms; quote all but the first for the shell:
  10 0c 00, 100c00, 10:0c:00, 0x10, 0x0c        hexadecimal digits, two for each byte
  [16, 12], {0x10, 0x0c}, <<16,12>>, xxd -i     numbers, decimal without 0x
  <Buffer 10 0c 00>, [10, 0c, 00]               as Node.js, and Rust with {:02x?}, print bytes
  \\x10\\x0c\\0, b\"\\x10\\x0c\\0\", b'\\x10\\x0c'         strings with escapes
`-` reads it from standard input, and so does inspect without any argument unless that is a
terminal.

Standard input, or a quoted HEX of several lines, may also be a dump with offsets as Wireshark,
hexdump -C and xxd print it, what tcpdump -x, -X, -xx or -XX prints (the headers are left out), or
what tshark -z follow,tcp,hex,N or follow,tcp,raw,N does. Of Wireshark's, Copy as Hex Stream is the
simplest. Text with both directions of a connection is shown as two streams.

  --binary FILE  read the bytes as they are from FILE, `-` for standard input
  --lines        read each line of standard input by itself, as HEX, and print a JSON array for it
  --pcap FILE    show the conversations in a capture, pcap or pcapng, `-` for standard input, in MQTT 3.1,
                 3.1.1 and 5: each packet with its time, its direction and what it answers,
                 deadlines that have passed, and what the standard forbids
  --port N       with --pcap, the port of a server, instead of 1883; may be given more than once.
                 A connection that starts with CONNECT is shown with any port
  --json         print a JSON object for each packet, on a line of its own
  --mqtt VERSION the version of bytes without a CONNECT, 3.1, 3.1.1 or 5, instead of 3.1.1. A CONNECT
                 determines the version of itself and of later packets
  --chunk N      feed the decoder N bytes at a time; the output is the same
  --accept NAME  accept what faulty peers are known to send; NAME is
                   pubrel-flags           PUBREL with any flags, not just 0010
                   acknowledgement-flags  PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK with any flags
                   dup-on-requests        SUBSCRIBE and UNSUBSCRIBE with DUP
                   dup-at-qos-0           PUBLISH at QoS 0 with DUP
                 may be given more than once
  --refuse NAME  refuse what the standard allows; NAME is
                   overlong-remaining-length  a Remaining Length with more bytes than it needs
  -h, --help     print this

Exit status: 0 if the input holds whole packets, or with --lines; 1 if a packet is malformed, or with
--pcap if a side has broken the protocol; 2 if the last one is incomplete; 64 if the command line or
the HEX cannot be understood, or if there are no bytes to label; 66 if the input cannot be read, 74 if
the output cannot be written.
";

/// The port of MQTT without TLS.
const PORT: u16 = 1883;

pub(crate) struct Arguments {
    pub(crate) source: Source,
    pub(crate) format: Format,
    pub(crate) chunk: NonZeroUsize,
    pub(crate) options: Options,
    /// The version of bytes without a CONNECT before them.
    pub(crate) version: ProtocolVersion,
    /// The ports of servers in a capture.
    pub(crate) ports: Vec<u16>,
}

/// The source of the packets.
pub(crate) enum Source {
    Hexadecimal(String),
    StandardInput,
    Binary(PathBuf),
    /// Standard input, each line by itself.
    Lines,
    /// A capture file.
    Capture(PathBuf),
}

#[derive(Clone, Copy)]
pub(crate) enum Format {
    Text,
    Json,
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Returns `None` if the user wants help, or gave neither an argument nor an input.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, Failure> {
    let mut format = Format::Text;
    let mut chunk = NonZeroUsize::MAX;
    let mut options = Options::new()
        .max_packet_size(u32::MAX)
        .max_filters(u32::MAX);
    let mut version = ProtocolVersion::V3;
    let mut lines = false;
    let mut binary = None;
    let mut capture = None;
    let mut ports = Vec::new();
    let mut values = Vec::new();
    let mut any = false;
    while let Some(argument) = parser.next()? {
        any = true;
        match argument {
            Long("json") => format = Format::Json,
            Long("lines") => lines = true,
            Long("binary") => binary = Some(PathBuf::from(parser.value()?)),
            Long("pcap") => capture = Some(PathBuf::from(parser.value()?)),
            Long("port") => ports.push(parser.value()?.parse()?),
            Long("mqtt") => version = mqtt(&parser.value()?)?,
            Long("chunk") => chunk = parser.value()?.parse()?,
            Long("accept") => options = accept(options, &parser.value()?)?,
            Long("refuse") => options = refuse(options, &parser.value()?)?,
            Short('h') | Long("help") => return Ok(None),
            Value(value) => values.push(value.string()?),
            Short(_) | Long(_) => return Err(argument.unexpected().into()),
        }
    }
    if !any && io::stdin().is_terminal() {
        return Ok(None);
    }
    let standard_input = values.iter().any(|value| value == "-");
    let source = match (values.len(), binary, lines, capture) {
        (0, None, false, Some(path)) => Source::Capture(path),
        (0, Some(path), false, None) => Source::Binary(path),
        (0, None, false, None) if !any => Source::StandardInput,
        (0, None, true, None) => Source::Lines,
        (1, None, true, None) if standard_input => Source::Lines,
        (1, None, false, None) if standard_input => Source::StandardInput,
        (1.., None, false, None) if !standard_input => Source::Hexadecimal(values.join(" ")),
        _ => {
            let message = "give one of HEX, `-`, --binary FILE, --lines and --pcap FILE";
            return Err(Failure::Usage(message.to_owned()));
        }
    };
    if ports.is_empty() {
        ports.push(PORT);
    } else if !matches!(source, Source::Capture(_)) {
        return Err(Failure::Usage(
            "--port works only with --pcap FILE".to_owned(),
        ));
    }
    Ok(Some(Arguments {
        ports,
        format: match source {
            Source::Lines => Format::Json,
            _ => format,
        },
        source,
        chunk,
        options,
        version,
    }))
}

fn mqtt(version: &OsString) -> Result<ProtocolVersion, Failure> {
    match version.to_str() {
        Some("3.1" | "3.1.1") => Ok(ProtocolVersion::V3),
        Some("5" | "5.0") => Ok(ProtocolVersion::V5),
        _ => Err(Failure::Usage(format!(
            "--mqtt {version:?}: use 3.1, 3.1.1 or 5"
        ))),
    }
}

fn accept(options: Options, name: &OsString) -> Result<Options, Failure> {
    Ok(match name.to_str() {
        Some("pubrel-flags") => options.accept_pubrel_flags(true),
        Some("acknowledgement-flags") => options.accept_acknowledgement_flags(true),
        Some("dup-on-requests") => options.accept_dup_on_requests(true),
        Some("dup-at-qos-0") => options.accept_dup_at_qos_0(true),
        _ => return Err(unknown_name("--accept", name)),
    })
}

fn refuse(options: Options, name: &OsString) -> Result<Options, Failure> {
    Ok(match name.to_str() {
        Some("overlong-remaining-length") => options.refuse_overlong_remaining_length(true),
        _ => return Err(unknown_name("--refuse", name)),
    })
}

fn unknown_name(option: &str, name: &OsString) -> Failure {
    Failure::Usage(format!(
        "{option} has no name {name:?}: use one that --help lists"
    ))
}
