//! TLS and WebSocket, with a server that uses the same crates as the programs.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

use crate::script::{ACCEPTED, ACCEPTED_5, CONNECT, CONNECT_5, Server};

const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../broker/tests/tls");

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

fn tls(socket: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    let certificate = CertificateDer::from_pem_file(format!("{TLS}/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{TLS}/key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket)
}

/// A stream of bytes in frames of one byte each.
struct Frames(WebSocket<Box<dyn Stream>>);

impl Frames {
    fn accept(stream: Box<dyn Stream>) -> Self {
        let mut path = String::new();
        #[expect(clippy::result_large_err, reason = "the type is that of the crate")]
        let select = |request: &Request, mut response: Response| -> Result<_, ErrorResponse> {
            path = request.uri().path().to_owned();
            assert_eq!(request.headers()["Sec-WebSocket-Protocol"], "mqtt");
            let mqtt = HeaderValue::from_static("mqtt");
            response
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", mqtt);
            Ok(response)
        };
        let socket = tungstenite::accept_hdr(stream, select).unwrap();
        assert_eq!(path, "/the/path");
        Self(socket)
    }
}

impl Read for Frames {
    /// The next frame has to match exactly.
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self.0.read() {
            Ok(Message::Binary(bytes)) => {
                space[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            Ok(Message::Pong(_)) => self.read(space),
            Ok(Message::Close(_)) => Ok(0),
            other => panic!("{other:?}"),
        }
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            let frame = Message::Binary(vec![*byte].into());
            self.0.send(frame).map_err(io::Error::other)?;
        }
        self.0
            .send(Message::Ping(b"ping".to_vec().into()))
            .map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn expect(stream: &mut dyn Stream, expected: &[u8]) {
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    while received.len() < expected.len() {
        let len = stream.read(&mut buffer).unwrap();
        received.extend_from_slice(&buffer[..len]);
    }
    assert_eq!(received, expected);
}

/// [MQTT5-6.0.0-1, MQTT5-6.0.0-2, MQTT5-6.0.0-3]
#[test]
fn packets_go_over_tls_and_websocket() {
    for (scheme, version) in [
        ("ws", "3.1.1"),
        ("ws", "5"),
        ("mqtts", "3.1.1"),
        ("mqtts", "5"),
        ("wss", "3.1.1"),
        ("wss", "5"),
    ] {
        let server = Server::new();
        let path = if scheme == "mqtts" { "" } else { "/the/path" };
        let client = server.client(&format!(
            "pub -h {scheme}://localhost:{}{path} --cafile {TLS}/cert.pem -V {version} -i c -t a -m x -q 1",
            server.port()
        ));
        let socket = server.accept().0;
        let mut stream: Box<dyn Stream> = match scheme {
            "ws" => Box::new(socket),
            _ => Box::new(tls(socket)),
        };
        if scheme != "mqtts" {
            stream = Box::new(Frames::accept(stream));
        }
        if version == "5" {
            expect(&mut *stream, CONNECT_5);
            stream.write_all(ACCEPTED_5).unwrap();
            expect(&mut *stream, b"\x32\x07\x00\x01a\x00\x01\x00x");
        } else {
            expect(&mut *stream, CONNECT);
            stream.write_all(ACCEPTED).unwrap();
            expect(&mut *stream, b"\x32\x06\x00\x01a\x00\x01x");
        }
        stream.write_all(b"\x40\x02\x00\x01").unwrap();
        expect(&mut *stream, b"\xe0\x00");
        drop(stream);
        client.succeed();
    }
}

#[test]
fn a_server_whose_certificate_is_not_in_the_file_is_not_trusted() {
    let server = Server::new();
    let client = server.client(&format!("pub -h localhost --cafile {TLS}/key.pem -t a -n"));
    let mut stream = tls(server.accept().0);
    assert!(stream.read(&mut [0]).is_err());
    assert_eq!(client.end().status, Some(69));
}

#[test]
fn a_server_that_does_not_speak_websocket_is_left() {
    let server = Server::new();
    let client = server.client("pub -h ws://localhost/mqtt -t a -n");
    let mut peer = server.accept();
    peer.expect(b"GET /mqtt HTTP/1.1\r\n");
    peer.send(b"HTTP/1.1 404 Not Found\r\n\r\n");
    assert_eq!(client.end().status, Some(69));
}
