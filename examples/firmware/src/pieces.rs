//! One MiB in one message, sent and received through buffers of 512 bytes, in both directions.

use mqtt_sansio::v3::{Action, Client, Connect, Decoder, Event, MessageHeader, Server};
use mqtt_sansio::{Config, Output, QoS, Session, Slot, Text, Timestamp, TopicName};

use crate::console;
use crate::link::Link;

const PAYLOAD: u32 = 1024 * 1024;
/// The size of a piece. With the header of the message it fits into the link.
const PIECE: usize = 480;

/// Returns the bytes of the payload; each position has different neighbours.
fn byte_at(place: u32) -> u8 {
    (place ^ (place >> 8) ^ (place >> 13)) as u8
}

/// The received part of the payload.
#[derive(Default)]
struct Incoming {
    announced: u32,
    bytes: u32,
    pieces: u32,
    wrong: u32,
}

impl Incoming {
    fn take(&mut self, event: &Event<&[u8]>) {
        match event {
            Event::MessageHeader(header) => self.announced = header.payload_len,
            Event::Payload { bytes, .. } => {
                self.pieces += 1;
                for byte in *bytes {
                    self.wrong += u32::from(*byte != byte_at(self.bytes));
                    self.bytes += 1;
                }
            }
            _ => {}
        }
    }

    fn is_complete(&self) -> bool {
        (self.announced, self.bytes, self.wrong) == (PAYLOAD, PAYLOAD, 0) && self.pieces > 2_000
    }
}

struct Connection {
    client: Client<[Slot; 1]>,
    server: Server<[Slot; 1]>,
    client_decoder: Decoder<[u8; 512]>,
    server_decoder: Decoder<[u8; 512]>,
    to_server: Link,
    to_client: Link,
    at_client: Incoming,
    at_server: Incoming,
    delivered: u32,
}

const NOW: Timestamp = Timestamp::from_millis(1);

impl Connection {
    fn server_receives(&mut self) -> Option<usize> {
        let mut arrived = [0; 512];
        let mut input = self.to_server.arrive(&mut arrived);
        let len = input.len();
        while let Some(piece) = self.server_decoder.decode_in_pieces(&mut input).ok()? {
            match self.server.handle_piece(NOW, piece).ok()? {
                Some(Event::ConnectRequested(_)) => {
                    self.server.accept_new(NOW, &mut self.to_client).ok()?;
                }
                Some(Event::Delivered(_)) => self.delivered += 1,
                Some(event) => self.at_server.take(&event),
                None => {}
            }
            while let Some(Action::Transmit(packet)) = self.server.poll_action() {
                self.to_client.put(packet.as_bytes()).ok()?;
            }
        }
        Some(len)
    }

    fn client_receives(&mut self) -> Option<usize> {
        let mut arrived = [0; 512];
        let mut input = self.to_client.arrive(&mut arrived);
        let len = input.len();
        while let Some(piece) = self.client_decoder.decode_in_pieces(&mut input).ok()? {
            match self.client.handle_piece(NOW, piece).ok()? {
                Some(Event::Delivered(_)) => self.delivered += 1,
                Some(event) => self.at_client.take(&event),
                None => {}
            }
            while let Some(Action::Transmit(packet)) = self.client.poll_action() {
                self.to_server.put(packet.as_bytes()).ok()?;
            }
        }
        Some(len)
    }

    fn settle(&mut self) -> Option<()> {
        while self.server_receives()? + self.client_receives()? > 0 {}
        Some(())
    }
}

/// Returns the next piece of the payload in `buffer`.
fn fill(buffer: &mut [u8; PIECE], place: u32) -> &[u8] {
    for (at, byte) in (place..PAYLOAD).zip(buffer.iter_mut()) {
        *byte = byte_at(at);
    }
    let left = (PAYLOAD - place) as usize;
    buffer.get(..left).unwrap_or(buffer)
}

fn transfer() -> Option<Connection> {
    let mut connection = Connection {
        client: Client::new(Session::default(), Config::new(), NOW),
        server: Server::new(Session::default(), Config::new(), NOW),
        client_decoder: Decoder::new([0; 512]),
        server_decoder: Decoder::new([0; 512]),
        to_server: Link::new(),
        to_client: Link::new(),
        at_client: Incoming::default(),
        at_server: Incoming::default(),
        delivered: 0,
    };
    let connect = Connect::new(Text::new("pieces").ok()?);
    let out = &mut connection.to_server;
    connection.client.connect(NOW, &connect, out).ok()?;
    connection.settle()?;
    let mut message = MessageHeader {
        topic: TopicName::new("firmware").ok()?,
        payload_len: PAYLOAD,
        qos: QoS::AtLeastOnce,
        retain: false,
    };
    let mut buffer = [0; PIECE];

    let out = &mut connection.to_server;
    connection.client.publish(NOW, &message, out).ok()?;
    let mut place = 0;
    while place < PAYLOAD {
        let piece = fill(&mut buffer, place);
        let left = connection
            .client
            .payload(NOW, piece, &mut connection.to_server);
        place = PAYLOAD - left.ok()?;
        connection.server_receives()?;
    }
    connection.settle()?;

    message.qos = QoS::ExactlyOnce;
    let out = &mut connection.to_client;
    connection.server.publish(NOW, &message, out).ok()?;
    let mut place = 0;
    while place < PAYLOAD {
        let piece = fill(&mut buffer, place);
        let left = connection
            .server
            .payload(NOW, piece, &mut connection.to_client);
        place = PAYLOAD - left.ok()?;
        connection.client_receives()?;
    }
    connection.settle()?;
    Some(connection)
}

/// Returns true if all of it arrived unchanged. Prints the number of bytes.
pub fn run() -> bool {
    let Some(connection) = transfer() else {
        console::print("the transfer broke off\n");
        return false;
    };
    let (there, back) = (&connection.at_server, &connection.at_client);
    console::print_count("bytes to the server", there.bytes as usize);
    console::print_count("bytes to the client", back.bytes as usize);
    console::print_count("pieces", (there.pieces + back.pieces) as usize);
    there.is_complete() && back.is_complete() && connection.delivered == 2
}
