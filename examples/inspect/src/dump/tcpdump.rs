//! What `tcpdump -x`, `-X`, `-xx` and `-XX` print: for each packet a line in words, and a dump from the IP
//! header or the link layer on.

use core::net::SocketAddr;

use pcap_parser::Linktype;

use super::Stream;
use crate::capture::{Connections, ip_packet, segment};

pub(crate) const NO_BYTES: &str = "these are packets in words: tcpdump prints their bytes with -x, and \
                                   --pcap reads what tcpdump -w writes";

/// Returns true for the line in words, or for its first half, as `-v` prints it.
pub(crate) fn is_summary(line: &str) -> bool {
    let is_packet = line.contains(" > ") && line.contains("Flags [");
    is_packet || line.contains("IP (tos ") || line.contains("IP6 (")
}

/// Returns the bytes that TCP carries in each direction, or `None` if these are no IP packets.
pub(crate) fn streams(dumps: &[Vec<u8>]) -> Option<Result<Vec<Stream>, String>> {
    let mut connections = Connections::default();
    for (time, dump) in (0..).zip(dumps) {
        connections.add(time, Some(segment(time, packet(dump)?)?));
    }
    let streams = connections.streams().map(|(from, to, bytes, missing)| {
        if missing > 0 {
            return Err(format!(
                "{missing} bytes from {from} to {to} are missing in this dump"
            ));
        }
        Ok(Stream {
            name: Some(name(from, to)),
            bytes,
        })
    });
    let streams: Result<Vec<_>, _> = streams.collect();
    Some(match streams {
        Ok(streams) if streams.is_empty() => {
            Err("TCP carries no bytes in these packets".to_owned())
        }
        streams => streams,
    })
}

fn name(from: SocketAddr, to: SocketAddr) -> String {
    format!("{from} to {to}")
}

/// Returns the IP packet that a dump consists of, or that follows its link layer.
fn packet(dump: &[u8]) -> Option<&[u8]> {
    let layers = [
        Linktype::RAW,
        Linktype::ETHERNET,
        Linktype::NULL,
        Linktype::LINUX_SLL,
        Linktype(276),
    ];
    layers.into_iter().find_map(|layer| {
        let packet = ip_packet(layer, dump).ok().flatten()?;
        is_whole(packet).then_some(packet)
    })
}

/// Returns true if the IP header announces TCP, and as many bytes as there are.
fn is_whole(packet: &[u8]) -> bool {
    let (length, protocol) = match packet {
        [0x45..=0x4f, _, high, low, _, _, _, _, _, protocol, ..] => {
            (u16::from_be_bytes([*high, *low]), protocol)
        }
        [0x60..=0x6f, _, _, _, high, low, protocol, ..] => {
            let length = u16::from_be_bytes([*high, *low]);
            (length.saturating_add(40), protocol)
        }
        _ => return false,
    };
    // Ethernet pads short frames.
    let padding = packet.len().checked_sub(length.into());
    *protocol == 6 && padding.is_some_and(|padding| padding <= 26)
}
