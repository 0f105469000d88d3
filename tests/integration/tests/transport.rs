//! The requirements of sections 6 and 7 on transports: MQTT over WebSocket, and a server that is a
//! client of another one.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::result_large_err,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and has std; tungstenite's errors are large"
)]

use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use mqtt_sansio::v3::{
    self, Action, Client, CloseReason, ConnAck, Connect, Decoder, Delivery, Event, Message, Packet,
    Publish, Server, Will,
};
use mqtt_sansio::{
    Config, Encode, Options, PacketId, QoS, Session, Slot, Text, Timestamp, TopicName,
};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::{HeaderValue, StatusCode};
use tungstenite::{Message as Frame, WebSocket};

const NOW: Timestamp = Timestamp::from_millis(0);
const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// Returns both ends of a TCP connection.
fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let far = listener.accept().unwrap().0;
    for stream in [&near, &far] {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
    }
    (near, far)
}

// A WebSocket as a transport

/// Performs the client's side of the handshake [MQTT-6.0.0-3].
fn open(stream: TcpStream, offered: &'static str) -> tungstenite::Result<WebSocket<TcpStream>> {
    let mut request = "ws://127.0.0.1/mqtt".into_client_request()?;
    let protocol = HeaderValue::from_static(offered);
    request.headers_mut().insert(PROTOCOL, protocol);
    let opened = tungstenite::client(request, stream);
    opened
        .map(|(socket, _)| socket)
        .map_err(|error| match error {
            tungstenite::HandshakeError::Failure(error) => error,
            tungstenite::HandshakeError::Interrupted(_) => panic!("the time is up"),
        })
}

/// Performs the server's side: selects `mqtt` [MQTT-6.0.0-4], and refuses a client that does not
/// offer it.
fn select(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get(PROTOCOL);
    let offered = offered.and_then(|value| value.to_str().ok()).unwrap_or("");
    if !offered.split(',').any(|name| name.trim() == "mqtt") {
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Err(refusal);
    }
    let selected = HeaderValue::from_static("mqtt");
    response.headers_mut().insert(PROTOCOL, selected);
    Ok(response)
}

/// The server's side of a connection.
struct Served {
    socket: WebSocket<TcpStream>,
    server: Server<Vec<Slot>>,
    decoder: Decoder<Vec<u8>>,
    actions: Vec<Action>,
    messages: Vec<String>,
}

impl Served {
    /// Runs until the connection ends.
    fn run(stream: TcpStream) -> Self {
        let mut this = Self {
            socket: tungstenite::accept_hdr(stream, select).unwrap(),
            server: Server::new(Session::default(), Config::new(), NOW),
            decoder: Decoder::new(Vec::new()),
            actions: Vec::new(),
            messages: Vec::new(),
        };
        while !matches!(this.actions.last(), Some(Action::Close(_))) {
            match this.socket.read() {
                // Frames have no meaning: their bytes go to the decoder in order [MQTT-6.0.0-2].
                Ok(Frame::Binary(bytes)) => this.receive(&bytes),
                // Another type of frame ends the connection [MQTT-6.0.0-1].
                Ok(Frame::Text(_)) => this.server.close(NOW),
                Ok(_) => {}
                Err(_) => this.server.handle_transport_closed(NOW),
            }
            this.act();
        }
        let _ = this.socket.close(None);
        let _ = this.socket.flush();
        this
    }

    fn receive(&mut self, mut bytes: &[u8]) {
        while let Some(packet) = self.decoder.decode(&mut bytes).unwrap() {
            let mut out = Vec::new();
            match self.server.handle_packet(NOW, packet).unwrap() {
                Some(Event::ConnectRequested(_)) => {
                    self.server.accept_new(NOW, &mut out).unwrap();
                }
                Some(Event::Message(publish)) => self
                    .messages
                    .push(String::from_utf8_lossy(publish.payload).into_owned()),
                _ => {}
            }
            if !out.is_empty() {
                self.socket.send(Frame::binary(out)).unwrap();
            }
            self.act();
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.server.poll_action() {
            if let Action::Transmit(packet) = action {
                let bytes = packet.as_bytes().to_vec();
                self.socket.send(Frame::binary(bytes)).unwrap();
            }
            self.actions.push(action);
        }
    }
}

/// A client's WebSocket, and the events of its server at the end.
fn over_websocket() -> (WebSocket<TcpStream>, thread::JoinHandle<Served>) {
    let (near, far) = tcp();
    let served = thread::spawn(move || Served::run(far));
    (open(near, "mqtt").unwrap(), served)
}

fn next_packet(socket: &mut WebSocket<TcpStream>) -> Packet<Vec<u8>> {
    let Frame::Binary(bytes) = socket.read().unwrap() else {
        panic!("not a binary frame");
    };
    let mut rest = &bytes[..];
    let packet = v3::decode(&mut rest, &Options::new()).unwrap().unwrap();
    assert_eq!(rest, [], "the server sends a packet a frame");
    packet.to_owned()
}

fn connect() -> Connect<&'static [u8]> {
    Connect {
        will: Some(Will {
            topic: TopicName::new("w").unwrap(),
            message: &b"gone"[..],
            qos: QoS::AtMostOnce,
            retain: false,
        }),
        ..Connect::new(Text::new("c").unwrap())
    }
}

fn publish(payload: &str, number: u16) -> Vec<u8> {
    let packet_id = PacketId::new(number).unwrap();
    let publish = Publish {
        delivery: Delivery::AtLeastOnce {
            packet_id,
            dup: false,
        },
        retain: false,
        topic: TopicName::new("t").unwrap(),
        payload: payload.as_bytes(),
    };
    publish.encode_to_vec().unwrap()
}

const ACCEPTED: Packet<Vec<u8>> = Packet::ConnAck(ConnAck::Accepted {
    session_present: false,
});

/// [MQTT-6.0.0-3, MQTT-6.0.0-4]
#[test]
fn over_websocket_the_client_offers_mqtt_and_the_server_selects_it() {
    let (near, far) = tcp();
    let server = thread::spawn(move || {
        let mut seen = None;
        let socket = tungstenite::accept_hdr(far, |request: &Request, response| {
            seen = request.headers().get(PROTOCOL).cloned();
            select(request, response)
        });
        socket.unwrap();
        seen
    });
    // `open` fails if the server selects none, or another one.
    open(near, "mqtt").unwrap();
    let offered = server.join().unwrap().unwrap();
    assert_eq!(offered, "mqtt");

    let (near, far) = tcp();
    let server = thread::spawn(move || tungstenite::accept_hdr(far, select).is_ok());
    open(near, "mqttv3.1").unwrap_err();
    assert!(!server.join().unwrap());
}

/// [MQTT-6.0.0-2]
#[test]
fn over_websocket_a_frame_may_hold_several_packets_or_part_of_one() {
    let (mut socket, served) = over_websocket();
    for byte in connect().encode_to_vec().unwrap() {
        socket.send(Frame::binary(vec![byte])).unwrap();
    }
    assert_eq!(next_packet(&mut socket), ACCEPTED);
    let mut bytes = [publish("one", 1), publish("two", 2), publish("three", 3)].concat();
    let rest = bytes.split_off(25);
    socket.send(Frame::binary(bytes)).unwrap();
    socket.send(Frame::binary(Vec::new())).unwrap();
    socket.send(Frame::Ping(rest[..1].to_vec().into())).unwrap();
    socket.send(Frame::binary(rest)).unwrap();
    socket.send(Frame::binary(b"\xe0\x00".to_vec())).unwrap();
    let served = served.join().unwrap();
    assert_eq!(served.messages, ["one", "two", "three"]);
    let reason = CloseReason::Disconnected;
    assert_eq!(served.actions.last(), Some(&Action::Close(reason)));
}

/// [MQTT-6.0.0-1]
#[test]
fn over_websocket_a_text_frame_ends_the_connection() {
    let (mut socket, served) = over_websocket();
    let connect = connect().encode_to_vec().unwrap();
    socket.send(Frame::binary(connect)).unwrap();
    assert_eq!(next_packet(&mut socket), ACCEPTED);
    // PINGREQ would be valid text, as would many PUBLISH packets.
    socket.send(Frame::text("0\u{5}\0\u{1}tx!")).unwrap();
    assert!(matches!(socket.read(), Ok(Frame::Close(_))));
    let served = served.join().unwrap();
    assert_eq!(served.messages, [] as [&str; 0]);
    assert_eq!(
        served.actions,
        [Action::PublishWill, Action::Close(CloseReason::Aborted)]
    );
}

// A server that is a client of another

macro_rules! act {
    ($role:expr, $out:expr) => {
        while let Some(action) = $role.poll_action() {
            match action {
                Action::Transmit(packet) => $out.extend_from_slice(packet.as_bytes()),
                other => panic!("{other:?}"),
            }
        }
    };
}

/// A server with one client, which forwards the client's messages to another server, as a client of
/// that server [MQTT-7.0.0-1].
struct Bridge {
    /// The connection with the client.
    server: Server<Vec<Slot>>,
    /// The connection with the other server.
    client: Client<Vec<Slot>>,
    from_client: Decoder<Vec<u8>>,
    from_server: Decoder<Vec<u8>>,
    to_client: Vec<u8>,
    to_server: Vec<u8>,
}

impl Bridge {
    fn new() -> Self {
        let mut bridge = Self {
            server: Server::new(Session::default(), Config::new(), NOW),
            client: Client::new(Session::default(), Config::new(), NOW),
            from_client: Decoder::new(Vec::new()),
            from_server: Decoder::new(Vec::new()),
            to_client: Vec::new(),
            to_server: Vec::new(),
        };
        let connect = Connect::new(Text::new("bridge").unwrap());
        bridge
            .client
            .connect(NOW, &connect, &mut bridge.to_server)
            .unwrap();
        bridge
    }

    fn client_sends(&mut self, mut bytes: &[u8]) {
        while let Some(packet) = self.from_client.decode(&mut bytes).unwrap() {
            match self.server.handle_packet(NOW, packet).unwrap() {
                Some(Event::ConnectRequested(_)) => {
                    self.server.accept_new(NOW, &mut self.to_client).unwrap()
                }
                Some(Event::Message(publish)) => {
                    let message = Message::from(publish);
                    let sent = self.client.publish(NOW, &message, &mut self.to_server);
                    sent.unwrap();
                }
                other => assert_eq!(other, None),
            }
            act!(self.server, self.to_client);
        }
    }

    fn server_sends(&mut self, mut bytes: &[u8]) {
        while let Some(packet) = self.from_server.decode(&mut bytes).unwrap() {
            self.client.handle_packet(NOW, packet).unwrap();
            act!(self.client, self.to_server);
        }
    }
}

/// [MQTT-7.0.0-1]
#[test]
fn a_server_that_is_a_client_of_another_keeps_the_rules_of_both() {
    let mut bridge = Bridge::new();
    assert_eq!(
        bridge.to_server, b"\x10\x12\x00\x04MQTT\x04\x02\x00\x3c\x00\x06bridge",
        "a client begins with CONNECT"
    );
    bridge.to_server.clear();
    bridge.server_sends(b"\x20\x02\x00\x00");

    bridge.client_sends(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c");
    assert_eq!(bridge.to_client, b"\x20\x02\x00\x00", "a server answers it");
    bridge.to_client.clear();

    // Each side has its own identifiers, and DUP and RETAIN belong to one side only.
    bridge.client_sends(b"\x3c\x06\x00\x01t\x01\x02x");
    assert_eq!(bridge.to_client, b"\x50\x02\x01\x02");
    assert_eq!(bridge.to_server, b"\x34\x06\x00\x01t\x00\x01x");
    bridge.to_client.clear();
    bridge.to_server.clear();

    bridge.server_sends(b"\x50\x02\x00\x01");
    assert_eq!(bridge.to_server, b"\x62\x02\x00\x01");
    assert_eq!(bridge.to_client, b"");
    bridge.client_sends(b"\x62\x02\x01\x02");
    assert_eq!(bridge.to_client, b"\x70\x02\x01\x02");
    bridge.server_sends(b"\x70\x02\x00\x01");
    assert!(bridge.client.session().is_empty());
    assert!(bridge.server.session().is_empty());
}
