//! `broker` over WebSocket and TLS.

#![allow(clippy::std_instead_of_alloc, reason = "sockets need std")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use common::{PATIENCE, Process};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const CONNECT: &[u8] = b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01c";
const CONNACK: &[u8] = b"\x20\x09\0\0\x06\x22\0\x0a\x21\0\x14";

/// Returns a stream after the opening handshake of WebSocket, and the server's answer to it.
fn open_websocket<S: Read + Write>(mut stream: S, subprotocol: &str) -> (S, String) {
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(read(&mut stream, 1)[0]);
    }
    (stream, String::from_utf8(answer).unwrap())
}

fn read<S: Read>(stream: &mut S, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Returns a frame of a client, with a mask of zeros.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).unwrap();
    [&[0x80 | opcode, 0x80 | len, 0, 0, 0, 0], payload].concat()
}

fn websocket(process: &Process) -> TcpStream {
    let port = process.websocket_port.unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// [MQTT5-6.0.0-2, MQTT5-6.0.0-3, MQTT5-6.0.0-4]
#[test]
fn packets_go_over_websocket_however_they_are_framed() {
    let process = Process::start(&["--listen-ws=0"]);
    let (mut stream, answer) = open_websocket(websocket(&process), "other, mqtt");
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let answer = answer.to_ascii_lowercase();
    assert!(
        answer.contains("sec-websocket-protocol: mqtt\r\n"),
        "{answer}"
    );
    for byte in CONNECT {
        stream.write_all(&frame(2, &[*byte])).unwrap();
    }
    assert_eq!(read(&mut stream, 2), b"\x82\x0b");
    assert_eq!(read(&mut stream, 11), CONNACK);
    stream.write_all(&frame(2, b"\xc0\0\xc0\0")).unwrap();
    assert_eq!(read(&mut stream, 6), b"\x82\x04\xd0\0\xd0\0");
    // A client on the other port reaches the same broker, and takes the session over.
    let mut tcp = process.open();
    tcp.write_all(CONNECT).unwrap();
    assert_eq!(read(&mut tcp, 11), CONNACK);
    assert_eq!(read(&mut stream, 5), b"\x82\x03\xe0\x01\x8e");
}

#[test]
fn another_subprotocol_is_refused() {
    let process = Process::start(&["--listen-ws=0"]);
    let (_, answer) = open_websocket(websocket(&process), "chat");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

/// [MQTT5-6.0.0-1]
#[test]
fn a_text_frame_ends_the_connection() {
    let process = Process::start(&["--listen-ws=0"]);
    let (mut stream, _) = open_websocket(websocket(&process), "mqtt");
    stream.write_all(&frame(1, CONNECT)).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    // Only a Close frame.
    assert!(rest.is_empty() || rest[0] == 0x88, "{rest:?}");
}

fn tls(stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/cert.pem");
    roots
        .add(CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, stream)
}

#[test]
fn with_a_certificate_all_ports_speak_tls() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
    let process = Process::start(&[
        "--listen-ws=0",
        &format!("--cert={directory}/cert.pem"),
        &format!("--key={directory}/key.pem"),
    ]);
    let mut stream = tls(process.open());
    stream.write_all(CONNECT).unwrap();
    assert_eq!(read(&mut stream, 11), CONNACK);
    // An answer larger than a socket accepts at once.
    stream.write_all(b"\x82\x07\0\x01\0\0\x01t\0").unwrap();
    assert_eq!(read(&mut stream, 6), b"\x90\x04\0\x01\0\0");
    let message = [&b"\x30\x84\x80\x20\0\x01t\0"[..], &[b'x'; 0x8_0000]].concat();
    stream.write_all(&message).unwrap();
    assert_eq!(read(&mut stream, message.len()), message);
    let (mut stream, answer) = open_websocket(tls(websocket(&process)), "mqtt");
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    stream.write_all(&frame(2, CONNECT)).unwrap();
    assert_eq!(read(&mut stream, 13)[2..], *CONNACK);
    // Without TLS there is no answer.
    let mut plain = process.open();
    plain.write_all(CONNECT).unwrap();
    let mut rest = Vec::new();
    let _ = plain.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"\x20"), "{rest:?}");
}
