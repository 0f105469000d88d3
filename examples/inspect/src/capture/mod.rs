//! The MQTT conversations of a capture file.

mod connections;
mod conversation;
mod exchange;
mod file;
mod ladder;
mod segment;
mod stream;
mod v3;
mod v5;
mod version;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use mqtt_sansio::Options;
use mqtt_sansio::any::ProtocolVersion;

pub(crate) use connections::Connections;
use conversation::Conversation;
pub(crate) use segment::{ip_packet, segment};

/// What the user wants to see of a capture, and in which format.
pub(crate) struct Wanted {
    /// Ports of servers. A connection that starts with CONNECT is shown whatever its ports are.
    pub(crate) ports: Vec<u16>,
    pub(crate) options: Options,
    /// The version of a connection without CONNECT.
    pub(crate) version: ProtocolVersion,
    pub(crate) json: bool,
}

/// The conversations of a capture.
pub(crate) struct Capture {
    conversations: Vec<Conversation>,
    /// Descriptions of what was left out.
    pub(crate) warnings: Vec<String>,
    connections: usize,
}

impl Capture {
    /// Reads a capture. The error explains why that is not possible.
    pub(crate) fn read(source: impl Read + Send, wanted: &Wanted) -> Result<Self, String> {
        let mut connections = Connections::default();
        let mut unknown: BTreeMap<i32, u64> = BTreeMap::new();
        let is_cut = file::frames(source, |frame| match ip_packet(frame.link, frame.data) {
            Ok(packet) => {
                let segment = packet.and_then(|packet| segment(frame.time, packet));
                connections.add(frame.time, segment);
            }
            Err(link) => {
                let count = unknown.entry(link.0).or_default();
                *count = count.saturating_add(1);
            }
        })?;
        let mut warnings: Vec<String> = unknown
            .into_iter()
            .map(|(link, count)| {
                format!(
                    "{count} frames left out: link type {link} is none of Ethernet, Linux cooked, \
                     loopback and raw IP"
                )
            })
            .collect();
        if is_cut {
            warnings.push("the capture ends in the middle of a block".to_owned());
        }
        let number = connections.len();
        Ok(Self {
            conversations: connections.conversations(wanted),
            warnings,
            connections: number,
        })
    }

    /// Returns the reason if there is nothing to show.
    pub(crate) fn nothing(&self, wanted: &Wanted) -> Option<String> {
        if !self.conversations.is_empty() {
            return None;
        }
        let ports: Vec<_> = wanted.ports.iter().map(u16::to_string).collect();
        Some(format!(
            "no MQTT conversation: of {} TCP connections none has port {} or starts with CONNECT; \
             --port names another one, and what TLS encrypts cannot be read",
            self.connections,
            ports.join(" or "),
        ))
    }

    pub(crate) fn write(&self, wanted: &Wanted, out: &mut impl Write) -> io::Result<()> {
        for (number, conversation) in (1..).zip(&self.conversations) {
            if wanted.json {
                ladder::write_json(out, number, conversation)?;
            } else {
                if number > 1 {
                    writeln!(out)?;
                }
                ladder::write(out, number, conversation)?;
            }
        }
        Ok(())
    }

    /// Returns true if a side has broken the protocol.
    pub(crate) fn has_violations(&self) -> bool {
        self.conversations.iter().any(Conversation::has_violations)
    }
}

#[cfg(test)]
mod tests;
