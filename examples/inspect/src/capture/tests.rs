//! Captures that are composed segment by segment, with the variations of real ones.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use mqtt_sansio::Options;
use mqtt_sansio::any::ProtocolVersion;

use super::{Capture, Wanted};

const CLIENT: u16 = 50_000;
const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01c";
const CONNECT_CLEAN_SESSION_0: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x0a\x00\x01c";
const ACCEPTED: &[u8] = b"\x20\x02\x00\x00";
const PUBLISH_1: &[u8] = b"\x32\x06\x00\x01a\x00\x01x";
const PUBLISH_1_DUP: &[u8] = b"\x3a\x06\x00\x01a\x00\x01x";
const PUBLISH_QOS_2: &[u8] = b"\x34\x06\x00\x01a\x00\x01x";
const PUBACK: &[u8] = b"\x40\x02\x00\x01";

/// A pcap file with frames of one link type.
struct File {
    bytes: Vec<u8>,
    link: u32,
    port: u16,
    is_v6: bool,
    /// The next sequence numbers of client and server.
    next: [u32; 2],
    millis: u64,
}

impl File {
    fn new() -> Self {
        Self::with_link(1)
    }

    fn with_link(link: u32) -> Self {
        let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        bytes.extend([0; 8]);
        bytes.extend(65_535_u32.to_le_bytes());
        bytes.extend(link.to_le_bytes());
        Self {
            bytes,
            link,
            port: 1883,
            is_v6: false,
            next: [1000, 4_294_967_290],
            millis: 0,
        }
    }

    /// Adds SYN, then SYN with ACK, and no ACK.
    fn open(mut self) -> Self {
        for (from, flags) in [(0, 0x02), (1, 0x12)] {
            let sequence = self.next[from];
            self.segment(from, sequence, flags, b"");
            self.next[from] = sequence.wrapping_add(1);
        }
        self
    }

    /// Adds CONNECT and CONNACK.
    fn connected(self) -> Self {
        self.open().client(CONNECT).server(ACCEPTED)
    }

    fn client(self, bytes: &[u8]) -> Self {
        self.send(0, bytes)
    }

    fn server(self, bytes: &[u8]) -> Self {
        self.send(1, bytes)
    }

    fn send(mut self, from: usize, bytes: &[u8]) -> Self {
        self.segment(from, self.next[from], 0x18, bytes);
        self.skip(from, bytes.len())
    }

    /// Skips bytes, which are then missing in the capture.
    fn skip(mut self, from: usize, count: usize) -> Self {
        self.next[from] = self.next[from].wrapping_add(count as u32);
        self
    }

    /// Adds a segment that starts `back` bytes before the next position.
    fn client_before(mut self, back: usize, bytes: &[u8]) -> Self {
        self.segment(0, self.next[0].wrapping_sub(back as u32), 0x18, bytes);
        self
    }

    fn end(mut self, from: usize, flags: u8) -> Self {
        self.segment(from, self.next[from], flags, b"");
        self
    }

    fn wait(mut self, millis: u64) -> Self {
        self.millis += millis;
        self
    }

    fn segment(&mut self, from: usize, sequence: u32, flags: u8, payload: &[u8]) {
        let ports = [[CLIENT, self.port], [self.port, CLIENT]][from];
        let mut tcp = ports.map(u16::to_be_bytes).concat();
        tcp.extend(sequence.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
        tcp.extend(payload);
        let hosts = [[1, 2], [2, 1]][from];
        let mut ip = Vec::new();
        if self.is_v6 {
            ip.extend([0x60, 0, 0, 0]);
            ip.extend((tcp.len() as u16).to_be_bytes());
            ip.extend([6, 64]);
            for host in hosts {
                ip.extend([0; 15]);
                ip.push(host);
            }
        } else {
            ip.extend([0x45, 0]);
            ip.extend((tcp.len() as u16 + 20).to_be_bytes());
            ip.extend([0, 0, 0, 0, 64, 6, 0, 0]);
            for host in hosts {
                ip.extend([10, 0, 0, host]);
            }
        }
        ip.extend(tcp);
        let ether_type: [u8; 2] = if self.is_v6 { [0x86, 0xdd] } else { [8, 0] };
        let mut frame = match self.link {
            0 => vec![2, 0, 0, 0],
            1 => vec![0; 12],
            101 => vec![],
            113 => vec![0; 14],
            276 => [&ether_type[..], &[0; 18]].concat(),
            link => panic!("{link}"),
        };
        if matches!(self.link, 1 | 113) {
            frame.extend(ether_type);
        }
        frame.extend(ip);
        if self.link == 1 && frame.len() < 60 {
            // The minimum of Ethernet.
            frame.resize(60, 0xee);
        }
        self.millis += 1;
        self.bytes
            .extend(((self.millis / 1000) as u32).to_le_bytes());
        self.bytes
            .extend(((self.millis % 1000 * 1000) as u32).to_le_bytes());
        self.bytes
            .extend((frame.len() as u32).to_le_bytes().repeat(2));
        self.bytes.extend(frame);
    }

    /// Returns what is printed, without times and the heading.
    fn rungs(&self) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().skip(1);
        lines
            .map(|line| {
                let rest = line.get(16..).filter(|_| line.starts_with("      "));
                let rest = rest.unwrap_or(line).trim();
                rest.split("  [answers")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    }

    fn text(&self) -> String {
        self.shown(&wanted()).unwrap()
    }

    fn shown(&self, wanted: &Wanted) -> Result<String, String> {
        let capture = Capture::read(&self.bytes[..], wanted)?;
        if let Some(reason) = capture.nothing(wanted) {
            return Err(reason);
        }
        let mut out = Vec::new();
        capture.write(wanted, &mut out).unwrap();
        Ok(String::from_utf8(out).unwrap())
    }

    /// Returns the lines about violations.
    fn violations(&self) -> Vec<String> {
        let rungs = self.rungs().into_iter();
        let violations = rungs.filter_map(|rung| Some(rung.strip_prefix("!!!  ")?.to_owned()));
        let violations: Vec<_> = violations.collect();
        let capture = Capture::read(&self.bytes[..], &wanted()).unwrap();
        assert_eq!(capture.has_violations(), !violations.is_empty());
        violations
    }
}

fn wanted() -> Wanted {
    Wanted {
        ports: vec![1883],
        options: Options::new(),
        version: ProtocolVersion::V3,
        json: false,
    }
}

const USUAL: [&str; 4] = [
    "-->  CONNECT \"c\", Keep Alive 10, Clean Session",
    "<--  CONNACK accepted, Session Present 0",
    "-->  PUBLISH 1 QoS 1 \"a\": 1 byte \"x\"",
    "<--  PUBACK 1",
];

#[test]
fn each_link_layer_is_read() {
    for link in [0, 1, 101, 113, 276] {
        for is_v6 in [false, true] {
            let mut file = File::with_link(link);
            file.is_v6 = is_v6;
            let file = file.connected().client(PUBLISH_1).server(PUBACK);
            assert_eq!(file.rungs(), USUAL, "link type {link}, IPv6: {is_v6}");
        }
    }
}

#[test]
fn frames_of_another_link_layer_are_counted() {
    let mut file = File::new().connected();
    file.bytes[20] = 105;
    let capture = Capture::read(&file.bytes[..], &wanted()).unwrap();
    assert!(capture.warnings[0].starts_with("4 frames left out: link type 105 is"));
    assert!(capture.nothing(&wanted()).is_some());
}

#[test]
fn a_file_that_is_no_capture_is_refused() {
    for bytes in [
        &b"MQTT is not pcap, and neither is this"[..],
        b"\x1f\x8b\x08",
        b"",
    ] {
        assert!(Capture::read(bytes, &wanted()).is_err());
    }
}

#[test]
fn a_file_that_ends_in_the_middle_of_a_frame_is_read_to_there() {
    let mut file = File::new().connected().client(PUBLISH_1).server(PUBACK);
    file.bytes.pop();
    let capture = Capture::read(&file.bytes[..], &wanted()).unwrap();
    assert_eq!(
        capture.warnings,
        ["the capture ends in the middle of a block"]
    );
    assert_eq!(
        file.rungs(),
        [&USUAL[..3], &["Not answered: PUBLISH 1 of the client"]].concat()
    );
}

#[test]
fn packets_in_several_segments_and_segments_with_several_packets_are_read() {
    let both = [CONNECT, PUBLISH_1].concat();
    let (start, end) = both.split_at(5);
    let file = File::new()
        .open()
        .client(start)
        .client(end)
        .server(ACCEPTED);
    let rungs = file.server(PUBACK).rungs();
    assert_eq!(rungs, [USUAL[0], USUAL[2], USUAL[1], USUAL[3]]);
}

#[test]
fn segments_out_of_order_are_put_in_order() {
    let (start, end) = PUBLISH_1.split_at(3);
    let file = File::new().connected().skip(0, 3).client(end);
    let file = file.client_before(PUBLISH_1.len(), start).server(PUBACK);
    let summary = "TCP: 0 segments repeated, 1 out of order, 0 bytes missing";
    assert_eq!(file.rungs(), [&USUAL[..], &[summary]].concat());
}

#[test]
fn segments_that_are_sent_again_are_read_once() {
    let file = File::new().connected().client(PUBLISH_1);
    // The same segment again, and its last byte together with the next packet.
    let file = file.client_before(PUBLISH_1.len(), PUBLISH_1);
    let file = file.client_before(1, b"x\xc0\x00").server(PUBACK);
    let summary = "TCP: 2 segments repeated, 0 out of order, 0 bytes missing";
    let expected = [
        USUAL[0],
        USUAL[1],
        USUAL[2],
        "-->  PINGREQ",
        USUAL[3],
        "Not answered: PINGREQ",
        summary,
    ];
    assert_eq!(file.rungs(), expected);
}

#[test]
fn after_missing_bytes_the_next_segment_that_starts_with_a_packet_is_read() {
    let file = File::new().connected().skip(0, 100).client(b"of a payload");
    let file = file.client(PUBLISH_1).server(PUBACK);
    let expected = [
        USUAL[0],
        USUAL[1],
        "-->  (100 bytes are missing in the capture)",
        "-->  (12 bytes skipped, to the start of a packet)",
        USUAL[2],
        USUAL[3],
        "TCP: 0 segments repeated, 0 out of order, 100 bytes missing",
    ];
    assert_eq!(file.rungs(), expected);
    assert_eq!(file.violations(), [""; 0]);
}

#[test]
fn sequence_numbers_wrap_around() {
    // The server's numbers wrap within the first packets; the client's also go back.
    let mut file = File::new();
    file.next = [u32::MAX, u32::MAX - 2];
    let file = file.connected().client(PUBLISH_1).server(PUBACK);
    assert_eq!(file.rungs(), USUAL);
}

#[test]
fn a_capture_that_starts_within_a_connection_says_so() {
    let file = File::new().client(PUBLISH_1).server(PUBACK);
    assert!(file.text().contains("no CONNECT, read as MQTT 3.1.1"));
    assert!(file.rungs()[0].ends_with("[the capture starts within the connection]"));
    assert_eq!(file.violations(), [""; 0]);
}

#[test]
fn any_port_is_found_by_connect_and_others_by_name() {
    let mut file = File::new();
    file.port = 8000;
    let file = file.connected();
    assert_eq!(file.rungs(), USUAL[..2]);

    let mut file = File::new();
    file.port = 8000;
    let file = file.client(PUBLISH_1);
    let reason = file.shown(&wanted()).unwrap_err();
    assert!(reason.starts_with("no MQTT conversation: of 1 TCP connections none has port 1883"));
    let text = file
        .shown(&Wanted {
            ports: vec![8000],
            ..wanted()
        })
        .unwrap();
    assert!(text.contains("server 10.0.0.2:8000"));
}

#[test]
fn two_connections_between_the_same_ports_are_two_conversations() {
    let mut file = File::new().connected().end(0, 0x11).end(1, 0x11);
    file.next = [77_000, 88_000];
    let text = file.connected().text();
    assert!(text.contains("Conversation 2: client 10.0.0.1:50000"));
    assert_eq!(text.matches("CONNECT \"c\"").count(), 2);
}

#[test]
fn the_version_is_that_of_connect() {
    let mut connect = CONNECT.to_vec();
    connect[8] = 9;
    let text = File::new().open().client(&connect).text();
    assert!(text.contains("Protocol Level 9"), "{text}");
    assert!(text.contains("not decoded"), "{text}");
    let text = File::new()
        .open()
        .client(b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x0a\x00\x01c")
        .text();
    assert!(
        text.contains("server 10.0.0.2:1883, MQTT 3.1, Client"),
        "{text}"
    );
}

#[test]
fn how_a_connection_ends_is_shown() {
    let file = File::new()
        .connected()
        .client(b"\xe0\x00")
        .end(0, 0x11)
        .end(1, 0x11);
    let expected = [
        "-->  DISCONNECT",
        "-->  (client closes the connection)",
        "<--  (server closes the connection)",
    ];
    assert_eq!(file.rungs()[2..], expected);
    let rungs = File::new().connected().end(0, 0x04).rungs();
    assert!(rungs[2].starts_with("-->  (client resets the connection)  [without DISCONNECT:"));
    let rungs = File::new().connected().end(1, 0x11).rungs();
    assert!(rungs[2].ends_with("[the server ends a connection that the client still uses]"));
}

#[test]
fn an_answer_names_what_it_answers_and_after_how_long() {
    let file = File::new()
        .connected()
        .client(PUBLISH_QOS_2)
        .wait(250)
        .server(b"\x50\x02\x00\x01");
    let file = file.client(b"\x62\x02\x00\x01").server(b"\x70\x02\x00\x01");
    let text = file.text();
    for answer in [
        "PUBREC 1  [answers PUBLISH 1 after 251.000ms]",
        "PUBREL 1  [answers PUBREC 1 after 1.000ms]",
        "PUBCOMP 1  [answers PUBREL 1 after 1.000ms]",
    ] {
        assert!(text.contains(answer), "{text}");
    }
}

#[test]
fn a_resend_is_told_from_a_message_of_an_earlier_connection() {
    let file = File::new()
        .connected()
        .client(PUBLISH_1)
        .client(PUBLISH_1_DUP)
        .server(PUBACK);
    assert!(file.rungs()[3].ends_with("[sent again 0.001000 s after PUBLISH 1]"));
    let file = File::new()
        .open()
        .client(CONNECT_CLEAN_SESSION_0)
        .server(b"\x20\x02\x01\x00");
    let file = file.client(PUBLISH_1_DUP).server(PUBACK);
    assert!(file.rungs()[2].ends_with("[sent again: the first time is not in this conversation]"));
    assert_eq!(file.violations(), [""; 0]);
}

#[test]
fn a_client_that_is_silent_for_too_long_is_noticed() {
    let file = File::new()
        .connected()
        .wait(10_050)
        .client(b"\xc0\x00")
        .server(b"\xd0\x00");
    assert_eq!(file.violations(), [""; 0]);
    let late = "violation by the client: the client has sent nothing for its Keep Alive, 10.000000 s (MQTT-3.1.2-23)";
    let file = File::new()
        .connected()
        .wait(12_000)
        .client(b"\xc0\x00")
        .server(b"\xd0\x00");
    assert_eq!(file.violations(), [late]);
    let file = File::new().connected().wait(20_000).end(1, 0x11);
    let server = "violation by the server: one and a half times the Keep Alive has passed: the server has to close the \
                  connection (MQTT-3.1.2-24)";
    assert_eq!(file.violations(), [late, server]);
    // An entry has the time of its deadline.
    assert!(
        file.text().contains("\n     10.002000       (time passes)"),
        "{}",
        file.text()
    );
}

#[test]
fn what_a_side_must_not_send_is_a_violation() {
    let subscribe = b"\x82\x06\x00\x01\x00\x01a\x00";
    for (file, expected) in [
        (
            File::new().open().client(PUBLISH_1),
            "client: the first packet of a client is CONNECT (MQTT-3.1.0-1)",
        ),
        (
            File::new().connected().client(CONNECT),
            "client: a second CONNECT on one connection (MQTT-3.1.0-2)",
        ),
        (
            File::new().open().client(CONNECT).server(PUBACK),
            "server: the first packet of a server is CONNACK (MQTT-3.2.0-1)",
        ),
        (
            File::new().connected().server(ACCEPTED),
            "server: a second CONNACK on one connection",
        ),
        (
            File::new()
                .open()
                .client(CONNECT)
                .server(b"\x20\x02\x01\x00"),
            "server: Session Present 1 although the client has asked for a new session (MQTT-3.2.2-1)",
        ),
        (
            File::new()
                .open()
                .client(CONNECT)
                .server(b"\x20\x02\x00\x05\xd0\x00"),
            "server: a server that has refused CONNECT closes the connection (MQTT-3.2.2-5)",
        ),
        (
            File::new().connected().client(b"\xe0\x00\xc0\x00"),
            "client: nothing more is sent after DISCONNECT (MQTT-3.14.4-2)",
        ),
        (
            File::new().connected().client(PUBLISH_1).client(PUBLISH_1),
            "client: Packet Identifier 1 is in use for a message in flight (MQTT-2.3.1-2)",
        ),
        (
            File::new().connected().server(PUBLISH_1).server(PUBLISH_1),
            "server: Packet Identifier 1 is in use for a message in flight (MQTT-2.3.1-4)",
        ),
        (
            File::new().connected().client(PUBLISH_1).client(subscribe),
            "client: Packet Identifier 1 is in use for another packet (MQTT-2.3.1-2)",
        ),
        (
            File::new()
                .connected()
                .client(subscribe)
                .server(b"\x90\x04\x00\x01\x00\x00"),
            "server: 2 codes for 1 Topic Filters (MQTT-3.8.4-5)",
        ),
        (
            File::new().connected().client(PUBLISH_QOS_2).server(PUBACK),
            "server: the answer to the message with identifier 1 is PUBREC",
        ),
        (
            File::new()
                .connected()
                .client(PUBLISH_QOS_2)
                .client(b"\x62\x02\x00\x01"),
            "client: PUBREL before PUBREC 1",
        ),
        (
            File::new().connected().server(b"\xc0\x00"),
            "server: a server does not send PINGREQ",
        ),
        (
            File::new().connected().client(b"\xd0\x00"),
            "client: a client does not send PINGRESP",
        ),
    ] {
        assert_eq!(file.violations(), [format!("violation by the {expected}")]);
    }
}

#[test]
fn a_malformed_packet_ends_what_is_read_of_its_side() {
    let file = File::new()
        .connected()
        .client(b"\x82\x02\x00\x01")
        .client(PUBLISH_1);
    assert_eq!(
        file.rungs()[2],
        "-->  a packet that cannot be decoded; the rest is left out"
    );
    let violations = file.violations();
    assert_eq!(violations.len(), 1);
    assert!(violations[0].contains("SUBSCRIBE"), "{violations:?}");
    assert!(violations[0].ends_with("(MQTT-3.8.3-3)"), "{violations:?}");
}

#[test]
fn what_is_not_answered_is_listed_at_the_end() {
    let file = File::new().connected();
    let file = file.client(b"\x82\x06\x00\x02\x00\x01a\x00\xa2\x05\x00\x03\x00\x01a\xc0\x00");
    let file = file
        .client(PUBLISH_QOS_2)
        .server(b"\x50\x02\x00\x01")
        .server(PUBLISH_1);
    let last = file.rungs().pop().unwrap();
    assert_eq!(
        last,
        "Not answered: PUBREC 1 of the server, PUBLISH 1 of the server, SUBSCRIBE 2, UNSUBSCRIBE 3, PINGREQ"
    );
}

#[test]
fn answers_without_a_question_are_remarked_on() {
    let text = File::new()
        .connected()
        .server(PUBACK)
        .server(b"\xd0\x00")
        .text();
    for rung in [
        "<--  PUBACK 1  [answers PUBLISH 1, which has not been sent or is answered already]",
        "<--  PINGRESP  [answers no PINGREQ of this capture]",
    ] {
        assert!(text.contains(rung), "{text}");
    }
}

const CONNECT_5: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x0a\x00\x00\x01c";
/// With Server Keep Alive 5.
const ACCEPTED_5: &[u8] = b"\x20\x06\x00\x00\x03\x13\x00\x05";
const PUBLISH_1_5: &[u8] = b"\x32\x07\x00\x01a\x00\x01\x00x";
const PUBLISH_1_DUP_5: &[u8] = b"\x3a\x07\x00\x01a\x00\x01\x00x";

#[test]
fn mqtt_5_has_reason_codes_and_properties() {
    let file = File::new().open().client(CONNECT_5).server(ACCEPTED_5);
    let file = file.client(PUBLISH_1_5).server(b"\x40\x03\x00\x01\x10");
    let file = file.server(b"\xe0\x02\x8e\x00").end(1, 0x11);
    let rungs = file.rungs();
    let expected = [
        "-->  CONNECT \"c\", Keep Alive 10, Clean Start",
        "<--  CONNACK Success, Session Present 0, Server Keep Alive 5",
        "-->  PUBLISH 1 QoS 1 \"a\": 1 byte \"x\"",
        "<--  PUBACK 1 No matching subscribers",
        "<--  DISCONNECT Session taken over",
    ];
    assert_eq!(rungs[..5], expected);
    assert!(file.text().contains("MQTT 5, Client Identifier \"c\""));
    let json = file
        .shown(&Wanted {
            json: true,
            ..wanted()
        })
        .unwrap();
    assert!(json.contains(r#""reason_code":142"#), "{json}");
    assert!(
        json.contains(r#""properties":{"server_keep_alive":5}"#),
        "{json}"
    );
}

#[test]
fn what_mqtt_5_forbids_has_its_own_numbers() {
    let connected = || File::new().open().client(CONNECT_5).server(ACCEPTED_5);
    for (file, expected) in [
        (
            connected().client(PUBLISH_1_5).client(PUBLISH_1_DUP_5),
            "client: sent again 0.001000 s after PUBLISH 1 (MQTT-4.4.0-1)",
        ),
        (
            connected().client(PUBLISH_1_5).client(PUBLISH_1_5),
            "client: Packet Identifier 1 is in use for a message in flight (MQTT-2.2.1-3)",
        ),
        (
            connected().server(b"\xe0\x00\xd0\x00"),
            "server: nothing more is sent after DISCONNECT (MQTT-3.14.4-1)",
        ),
        (
            connected()
                .client(b"\xa2\x07\x00\x03\x00\x00\x02a/")
                .server(b"\xb0\x05\x00\x03\x00\x00\x00"),
            "server: 2 codes for 1 Topic Filters (MQTT-3.11.3-2)",
        ),
        // Server Keep Alive counts.
        (
            connected()
                .wait(6000)
                .client(b"\xc0\x00")
                .server(b"\xd0\x00"),
            "client: the client has sent nothing for its Keep Alive, 5.000000 s (MQTT-3.1.2-20)",
        ),
    ] {
        assert_eq!(file.violations(), [format!("violation by the {expected}")]);
    }
}

#[test]
fn a_pubrec_with_an_error_ends_a_message() {
    let file = File::new().open().client(CONNECT_5).server(ACCEPTED_5);
    let file = file.client(b"\x34\x07\x00\x01a\x00\x01\x00x");
    let file = file.server(b"\x50\x03\x00\x01\x97").client(PUBLISH_1_5);
    let file = file.server(b"\x40\x02\x00\x01");
    assert_eq!(file.violations(), [""; 0]);
    let rungs = file.rungs();
    assert_eq!(rungs[3], "<--  PUBREC 1 Quota exceeded");
    assert_eq!(rungs.len(), 6, "{rungs:?}");
}

#[test]
fn without_connect_the_version_is_the_one_that_is_named() {
    let file = File::new()
        .client(PUBLISH_1_5)
        .server(b"\x40\x03\x00\x01\x10");
    let wanted = Wanted {
        version: ProtocolVersion::V5,
        ..wanted()
    };
    let text = file.shown(&wanted).unwrap();
    assert!(text.contains("no CONNECT, read as MQTT 5"), "{text}");
    assert!(text.contains("PUBACK 1 No matching subscribers"), "{text}");
    assert!(file.text().contains("no CONNECT, read as MQTT 3.1.1"));
}

#[test]
fn properties_are_shown_by_name() {
    let file = File::new()
        .open()
        .client(CONNECT_5)
        .server(b"\x20\x0a\x00\x00\x07\x26\x00\x01k\x00\x01v")
        .client(b"\x30\x0a\x00\x01a\x04\x09\x00\x01\xffxy");
    let rungs = file.rungs();
    let expected = [
        "<--  CONNACK Success, Session Present 0, User Property \"k\": \"v\"",
        "-->  PUBLISH QoS 0 \"a\": 2 bytes \"xy\", Correlation Data 1 byte b\"\\xff\"",
    ];
    assert_eq!(rungs[1..], expected);
}
