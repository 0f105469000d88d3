//! Finds the TCP segments in frames of the usual link layers.

use core::net::{IpAddr, SocketAddr};

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::Linktype;

/// The captured part of a TCP segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Nanoseconds since 1970.
    pub(crate) time: u64,
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) sequence: u32,
    pub(crate) syn: bool,
    pub(crate) ack: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
    pub(crate) payload: Vec<u8>,
}

/// OpenBSD's number for raw IP packets.
const RAW_OPENBSD: Linktype = Linktype(14);
const LINUX_SLL2: Linktype = Linktype(276);

/// Returns the IP packet in a frame. The error is the unknown link layer.
pub(crate) fn ip_packet(link: Linktype, frame: &[u8]) -> Result<Option<&[u8]>, Linktype> {
    Ok(match link {
        // The number of the address family, which differs between systems, is skipped.
        Linktype::NULL | Linktype::LOOP => frame.get(4..),
        Linktype::ETHERNET => frame.get(12..).and_then(after_ether_type),
        Linktype::LINUX_SLL => frame.get(14..).and_then(after_ether_type),
        LINUX_SLL2 => match frame.first_chunk() {
            Some([0x08, 0x00] | [0x86, 0xdd]) => frame.get(20..),
            _ => None,
        },
        Linktype::RAW | RAW_OPENBSD | Linktype::IPV4 | Linktype::IPV6 | Linktype(12) => Some(frame),
        _ => return Err(link),
    })
}

/// Returns the bytes after an EtherType and VLAN tags, if they are an IP packet. `rest` starts with
/// the EtherType.
fn after_ether_type(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (ether_type, after) = rest.split_first_chunk()?;
        match ether_type {
            [0x08, 0x00] | [0x86, 0xdd] => return Some(after),
            [0x81, 0x00] | [0x88, 0xa8] | [0x91, 0x00] => rest = after.get(2..)?,
            _ => return None,
        }
    }
}

/// Returns the TCP segment in an IP packet.
pub(crate) fn segment(time: u64, packet: &[u8]) -> Option<Segment> {
    let sliced = LaxSlicedPacket::from_ip(packet).ok()?;
    let (from, to): (IpAddr, IpAddr) = match sliced.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
            )
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            (
                header.source_addr().into(),
                header.destination_addr().into(),
            )
        }
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Tcp(tcp)) = sliced.transport else {
        return None;
    };
    Some(Segment {
        time,
        from: SocketAddr::new(from, tcp.source_port()),
        to: SocketAddr::new(to, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        syn: tcp.syn(),
        ack: tcp.ack(),
        fin: tcp.fin(),
        rst: tcp.rst(),
        payload: tcp.payload().to_vec(),
    })
}
