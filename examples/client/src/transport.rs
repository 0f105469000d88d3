//! The byte stream to the server: TCP, with TLS and WebSocket over it.
//!
//! A thread reads from the socket, so that the program can wait in one place, the [`Inbox`], for
//! the socket, standard input and deadlines. TLS and WebSocket run in memory, on received bytes and
//! bytes to send.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use client::address::Address;
use client::tls::server_name;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::handshake::{HandshakeError, MidHandshake};
use tungstenite::http::HeaderValue;
use tungstenite::{Bytes, Error, Message, WebSocket as Frames};

/// An input of the program.
pub(crate) enum Input {
    /// Bytes of the connection with this number; empty if it is closed.
    Received(u64, Vec<u8>),
    /// Lines of standard input; empty at its end.
    Lines(Vec<Vec<u8>>),
}

/// The queue of all inputs of the program.
pub(crate) struct Inbox {
    pub(crate) sender: SyncSender<Input>,
    pub(crate) receiver: Receiver<Input>,
}

impl Default for Inbox {
    fn default() -> Self {
        // The thread reads ahead a little only.
        let (sender, receiver) = sync_channel(8);
        Self { sender, receiver }
    }
}

/// Forwards received bytes until the connection is closed or the program has ended.
fn read_all(mut socket: TcpStream, connection: u64, inbox: &SyncSender<Input>) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let len = match socket.read(&mut buffer) {
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        let bytes = buffer.get(..len).unwrap_or_default().to_vec();
        if inbox.send(Input::Received(connection, bytes)).is_err() || len == 0 {
            return;
        }
    }
}

/// The two directions of the socket, in memory.
#[derive(Default)]
struct Pipe {
    received: VecDeque<u8>,
    is_closed: bool,
    sent: Vec<u8>,
}

#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Pipe>>);

impl Read for Wire {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.0.borrow_mut();
        if pipe.received.is_empty() && !pipe.is_closed {
            return Err(ErrorKind::WouldBlock.into());
        }
        pipe.received.read(space)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().sent.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream of bytes that does not block: it returns `WouldBlock`.
trait Stream: Read + Write {
    /// Ends the sending direction.
    fn close(&mut self) -> io::Result<()>;
}

impl Stream for Wire {
    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for StreamOwned<ClientConnection, Wire> {
    fn close(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()
    }
}

impl Stream for Box<dyn Stream> {
    fn close(&mut self) -> io::Result<()> {
        (**self).close()
    }
}

/// MQTT in binary frames, split anywhere [MQTT5-6.0.0-1, MQTT5-6.0.0-2].
struct WebSocket {
    state: Opening,
    /// Received bytes that were not read yet.
    received: Bytes,
}

enum Opening {
    Handshake(MidHandshake<ClientHandshake<Box<dyn Stream>>>),
    Open(Frames<Box<dyn Stream>>),
    Failed,
}

impl WebSocket {
    fn start(stream: Box<dyn Stream>, url: &str) -> io::Result<Self> {
        let mut request = url.into_client_request().map_err(to_io)?;
        let protocol = HeaderValue::from_static("mqtt"); // [MQTT5-6.0.0-3]
        let headers = request.headers_mut();
        headers.insert("Sec-WebSocket-Protocol", protocol);
        let handshake = ClientHandshake::start(stream, request, None).map_err(to_io)?;
        Ok(Self {
            state: Opening::Handshake(handshake),
            received: Bytes::new(),
        })
    }

    /// The open WebSocket, after the handshake.
    fn frames(&mut self) -> io::Result<&mut Frames<Box<dyn Stream>>> {
        if let Opening::Handshake(_) = self.state {
            if let Opening::Handshake(handshake) =
                std::mem::replace(&mut self.state, Opening::Failed)
            {
                self.state = match handshake.handshake() {
                    Ok((frames, _)) => Opening::Open(frames),
                    Err(HandshakeError::Interrupted(handshake)) => Opening::Handshake(handshake),
                    Err(HandshakeError::Failure(error)) => return Err(to_io(error)),
                };
            }
        }
        match &mut self.state {
            Opening::Open(frames) => Ok(frames),
            Opening::Handshake(_) => Err(ErrorKind::WouldBlock.into()),
            Opening::Failed => Err(ErrorKind::NotConnected.into()),
        }
    }
}

fn to_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

impl Read for WebSocket {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        while self.received.is_empty() {
            match self.frames()?.read() {
                Ok(Message::Binary(bytes)) => self.received = bytes,
                // The crate answers them.
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) | Err(Error::ConnectionClosed) => return Ok(0),
                Ok(Message::Text(_) | Message::Frame(_)) => {
                    return Err(ErrorKind::InvalidData.into());
                }
                Err(error) => return Err(to_io(error)),
            }
        }
        let len = space.len().min(self.received.len());
        (&*self.received.split_to(len)).read(space)
    }
}

impl Write for WebSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let frame = Message::Binary(Bytes::copy_from_slice(bytes));
        self.frames()?.send(frame).map_err(to_io)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.frames()?.flush().map_err(to_io)
    }
}

impl Stream for WebSocket {
    fn close(&mut self) -> io::Result<()> {
        let frames = self.frames()?;
        let _ = frames.close(None);
        let _ = frames.flush();
        frames.get_mut().close()
    }
}

/// The byte stream to the server.
pub(crate) struct Transport {
    socket: TcpStream,
    wire: Wire,
    stream: Box<dyn Stream>,
}

impl Drop for Transport {
    /// The reading thread ends with it.
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl Transport {
    /// Starts on an open socket. Received bytes arrive in the inbox with this number.
    pub(crate) fn open(
        socket: TcpStream,
        address: &Address,
        tls: Option<Arc<ClientConfig>>,
        connection: u64,
        inbox: &Inbox,
    ) -> io::Result<Self> {
        let wire = Wire::default();
        let mut stream: Box<dyn Stream> = match tls {
            Some(config) => {
                let name = server_name(&address.host)?;
                let tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
                Box::new(StreamOwned::new(tls, wire.clone()))
            }
            None => Box::new(wire.clone()),
        };
        if let Some(url) = address.websocket_url() {
            stream = Box::new(WebSocket::start(stream, &url)?);
        }
        let (reader, inbox) = (socket.try_clone()?, inbox.sender.clone());
        thread::spawn(move || read_all(reader, connection, &inbox));
        Ok(Self {
            socket,
            wire,
            stream,
        })
    }

    /// Decodes bytes of the socket and appends the bytes of MQTT to `received`. Returns false at
    /// the end of the stream.
    pub(crate) fn receive(&mut self, bytes: &[u8], received: &mut Vec<u8>) -> io::Result<bool> {
        {
            let mut pipe = self.wire.0.borrow_mut();
            pipe.received.extend(bytes);
            pipe.is_closed |= bytes.is_empty();
        }
        let outcome = match self.stream.read_to_end(received) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        };
        self.write_wire()?; // handshakes, and answers to pings of WebSocket
        outcome
    }

    /// Sends `out`. Bytes that have to wait for a handshake stay in it.
    pub(crate) fn send(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        while !out.is_empty() {
            match self.stream.write(out) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(len) => drop(out.drain(..len)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.write_wire()
    }

    fn write_wire(&mut self) -> io::Result<()> {
        let sent = std::mem::take(&mut self.wire.0.borrow_mut().sent);
        self.socket.write_all(&sent)
    }

    /// Ends the sending direction.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        let _ = self.stream.close();
        self.write_wire()?;
        self.socket.shutdown(Shutdown::Write)
    }
}
