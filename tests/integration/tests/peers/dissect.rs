//! Decodes recorded bytes with tshark.

use std::fs;

use crate::installed::{self, Peer};
use crate::process;
use crate::relay::{Sent, Side};

/// The port for which tshark decodes MQTT. The addresses are made up.
const PORT: u16 = 1883;
/// The largest part of a packet in a segment. tshark reassembles larger packets.
const SEGMENT: usize = 16 * 1024;
/// `PI_WARN`: more severe than a note.
const WARNING: u32 = 0x0060_0000;

/// The result of tshark for the packets of one side.
pub(crate) struct Dissection {
    /// The types of packets, for each connection.
    pub(crate) types: Vec<Vec<u8>>,
    pub(crate) complaints: Vec<String>,
}

/// Checks that tshark finds these types of packets in each connection, and no fault in them. If
/// tshark is not installed, only prints that.
pub(crate) fn check(connections: &[Vec<Sent>], ours: Side, types: &[Vec<u8>]) {
    if let Some(dissection) = dissect(connections, ours) {
        assert_eq!(dissection.complaints, [""; 0], "of tshark");
        assert_eq!(dissection.types, types, "by tshark and by the library");
    }
}

pub(crate) fn dissect(connections: &[Vec<Sent>], ours: Side) -> Option<Dissection> {
    let mut tshark = Peer::Tshark.command()?;
    let directory = installed::directory("tshark");
    let file = directory.path().join("sent.pcap");
    fs::write(&file, pcap(connections)).unwrap();
    tshark
        .args(["-n", "-d", &format!("tcp.port=={PORT},mqtt"), "-r"])
        .arg(file)
        .args(["-T", "fields", "-E", "separator=;"])
        .args([
            "-e",
            "tcp.srcport",
            "-e",
            "tcp.dstport",
            "-e",
            "mqtt.msgtype",
        ])
        .args(["-e", "_ws.malformed", "-e", "_ws.expert.severity"])
        .args(["-e", "_ws.expert.message"]);
    let printed = String::from_utf8(process::run(&mut tshark)).unwrap();

    let mut types = vec![Vec::new(); connections.len()];
    let mut complaints = Vec::new();
    for line in printed.lines() {
        let fields: Vec<_> = line.splitn(6, ';').collect();
        let [source, destination, packets, malformed, severities, _] = fields[..] else {
            panic!("{line:?} is not what tshark was asked for");
        };
        let (from, client) = if destination.parse() == Ok(PORT) {
            (Side::Client, source)
        } else {
            (Side::Server, destination)
        };
        if from != ours {
            continue;
        }
        let mut severities = severities.split(',').filter_map(|s| s.parse::<u32>().ok());
        if !malformed.is_empty() || severities.any(|severity| severity >= WARNING) {
            complaints.push(line.to_owned());
        }
        let connection = usize::from(client.parse::<u16>().unwrap() - FIRST_CLIENT);
        let packets = packets.split(',').filter(|packet| !packet.is_empty());
        types[connection].extend(packets.map(|packet| packet.parse::<u8>().unwrap()));
    }
    Some(Dissection { types, complaints })
}

/// The port of the first client. The others follow.
const FIRST_CLIENT: u16 = 20_000;

/// Writes the connections in the format of libpcap, with headers that are made up.
fn pcap(connections: &[Vec<Sent>]) -> Vec<u8> {
    let mut file = Vec::new();
    // In the byte order of the magic number: version 2.4, no time zone, whole packets, raw IP.
    for word in [0xA1B2_C3D4, 0x0002_0004, 0, 0, 0x0004_0000, 101_u32] {
        file.extend(word.to_be_bytes());
    }
    let mut millis = 0_u32;
    for (client, connection) in (FIRST_CLIENT..).zip(connections) {
        let (mut client_sent, mut server_sent) = (1_u32, 1_u32);
        for sent in connection {
            for part in sent.bytes.chunks(SEGMENT) {
                let (ports, addresses, sent, received) = match sent.from {
                    Side::Client => ([client, PORT], [1, 2], &mut client_sent, server_sent),
                    Side::Server => ([PORT, client], [2, 1], &mut server_sent, client_sent),
                };
                let packet = segment(ports, addresses, *sent, received, part);
                *sent += u32::try_from(part.len()).unwrap();
                millis += 1;
                let len = u32::try_from(packet.len()).unwrap();
                for word in [millis / 1000, millis % 1000 * 1000, len, len] {
                    file.extend(word.to_be_bytes());
                }
                file.extend(packet);
            }
        }
    }
    file
}

/// Returns an IPv4 packet with a TCP segment. The checksums are 0, as in captures of packets whose
/// checksums the network card adds.
fn segment(ports: [u16; 2], addresses: [u8; 2], sent: u32, received: u32, part: &[u8]) -> Vec<u8> {
    let len = u16::try_from(20 + 20 + part.len()).unwrap();
    let mut packet = vec![0x45, 0];
    packet.extend(len.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]); // not to be fragmented, 64 hops, TCP
    for address in addresses {
        packet.extend([192, 0, 2, address]); // which belong to nobody
    }
    for port in ports {
        packet.extend(port.to_be_bytes());
    }
    packet.extend(sent.to_be_bytes());
    packet.extend(received.to_be_bytes());
    packet.extend([0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]); // 20 bytes of header, PSH and ACK
    packet.extend(part);
    packet
}

#[test]
fn tshark_would_complain() {
    let sent = |bytes: &[u8]| {
        vec![Sent {
            from: Side::Client,
            has_arrived: true,
            bytes: bytes.to_vec(),
        }]
    };
    // A PUBLISH whose topic is longer than the packet, and a valid one.
    let broken = b"\x30\x05\x00\x09abc";
    let sound = b"\x30\x05\x00\x03abc";
    if let Some(dissection) = dissect(&[sent(broken), sent(sound)], Side::Client) {
        assert_eq!(dissection.complaints.len(), 1);
        assert_eq!(dissection.types[1], [3]);
    }
}
