//! A broker, and clients of MQTT 5 that consist of sockets and bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::common::Process;

// Properties: identifier, then value
pub(crate) const SESSION_EXPIRY: u8 = 0x11;
pub(crate) const MESSAGE_EXPIRY: u8 = 0x02;
pub(crate) const WILL_DELAY: u8 = 0x18;
pub(crate) const RECEIVE_MAXIMUM: u8 = 0x21;

/// CONNACK with Session Present 0 or 1 and the properties that this broker sends by default.
pub(crate) const NEW: &[u8] = b"\x20\x09\0\0\x06\x22\0\x0a\x21\0\x14";
pub(crate) const RESUMED: &[u8] = b"\x20\x09\x01\0\x06\x22\0\x0a\x21\0\x14";

/// A packet: Fixed Header and the parts of its body.
pub(crate) fn packet(first_byte: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut bytes = vec![first_byte];
    let mut len = body.len();
    while len > 0x7f {
        bytes.push(len as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
    [bytes, body].concat()
}

/// A string with its length.
pub(crate) fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

/// Properties with their length.
pub(crate) fn properties(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[body.len() as u8], &body[..]].concat()
}

/// A property whose value is four bytes.
pub(crate) fn four(identifier: u8, value: u32) -> Vec<u8> {
    [&[identifier], &value.to_be_bytes()[..]].concat()
}

pub(crate) const CLEAN_START: u8 = 2;

/// CONNECT with a Keep Alive of 60 seconds.
pub(crate) fn connect(client: &str, flags: u8, with: &[&[u8]], payload: &[u8]) -> Vec<u8> {
    let start = [&b"\0\x04MQTT\x05"[..], &[flags], b"\0\x3c"].concat();
    packet(0x10, &[&start, &properties(with), &text(client), payload])
}

/// SUBSCRIBE with Packet Identifier 1 to one filter with these options.
pub(crate) fn subscribe(with: &[&[u8]], filter: &str, options: u8) -> Vec<u8> {
    packet(
        0x82,
        &[b"\0\x01", &properties(with), &text(filter), &[options]],
    )
}

/// PUBLISH; with Packet Identifier `id` unless it is 0.
pub(crate) fn publish(flags: u8, topic: &str, id: u16, with: &[&[u8]], payload: &str) -> Vec<u8> {
    let id = id.to_be_bytes();
    let id = if id == [0, 0] { &[][..] } else { &id };
    let topic = text(topic);
    packet(
        0x30 | flags,
        &[&topic, id, &properties(with), payload.as_bytes()],
    )
}

pub(crate) const RETAIN: u8 = 1;
pub(crate) const QOS_1: u8 = 2;
pub(crate) const QOS_2: u8 = 4;

pub(crate) struct Broker(pub(crate) Process);

/// The client's side of a connection.
pub(crate) struct Peer {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Broker {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self(Process::start(arguments))
    }

    /// Returns a connection on which `connect` was sent.
    pub(crate) fn send(&self, connect: &[u8]) -> Peer {
        let stream = self.0.open();
        let mut peer = Peer {
            stream,
            received: Vec::new(),
        };
        peer.send(connect);
        peer
    }

    /// Returns a client with Clean Start whose session ends with the connection.
    pub(crate) fn clean(&self, client: &str) -> Peer {
        self.clean_with(client, &[])
    }

    pub(crate) fn clean_with(&self, client: &str, with: &[&[u8]]) -> Peer {
        let mut peer = self.send(&connect(client, CLEAN_START, with, &[]));
        peer.expect(NEW);
        peer
    }

    /// Returns a client without Clean Start whose session is kept for some seconds.
    pub(crate) fn kept(&self, client: &str, seconds: u32, connack: &[u8]) -> Peer {
        let expiry = four(SESSION_EXPIRY, seconds);
        let mut peer = self.send(&connect(client, 0, &[&expiry], &[]));
        peer.expect(connack);
        peer
    }
}

impl Peer {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Returns the next packet; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(len) = packet_len(&self.received) {
                if self.received.len() >= len {
                    return Some(self.received.drain(..len).collect());
                }
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.received.extend(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(crate) fn expect(&mut self, bytes: &[u8]) -> &mut Self {
        let next = self.next().expect("a packet, not the end");
        assert_eq!(
            next.escape_ascii().to_string(),
            bytes.escape_ascii().to_string()
        );
        self
    }

    /// Checks that the broker has handled everything and sent nothing else.
    pub(crate) fn expect_nothing(&mut self) {
        // With the first answer the broker empties the queue.
        for _ in 0..2 {
            self.send(b"\xc0\0");
            self.expect(b"\xd0\0");
        }
    }

    pub(crate) fn expect_end(mut self) {
        assert_eq!(self.next(), None);
    }

    pub(crate) fn subscribe(&mut self, filter: &str, options: u8) -> &mut Self {
        self.send(&subscribe(&[], filter, options));
        self.expect(&packet(0x90, &[b"\0\x01\0", &[options & 3]]))
    }

    /// Publishes at QoS 0, and waits until the broker has handled it.
    pub(crate) fn publish(&mut self, topic: &str, payload: &str) {
        self.send(&publish(0, topic, 0, &[], payload));
        self.expect_nothing();
    }

    pub(crate) fn disconnect(mut self) {
        self.send(b"\xe0\0");
        self.expect_end();
    }

    /// Breaks the connection.
    pub(crate) fn break_off(self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
        self.expect_end();
    }
}

/// Returns the length of the first packet, once it is known.
pub(crate) fn packet_len(bytes: &[u8]) -> Option<usize> {
    let mut len = 0;
    for (index, byte) in bytes.get(1..)?.iter().enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(2 + index + len);
        }
    }
    None
}
