//! Runs a program from its command line, with a server that sends and expects exactly the bytes of a
//! test. The tests of `client_tokio` include this file too.

use std::env;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::PROGRAM;

/// The time limit of each step.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Returns a path for a file of this test run.
pub(crate) fn scratch(name: &str) -> PathBuf {
    env::temp_dir().join(format!("mqtt-sansio-{}-{name}", std::process::id()))
}

/// A process that is killed when the test ends.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let child = Command::new(PROGRAM)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    /// Writes its standard input, then closes it.
    pub(crate) fn input(&mut self, input: &[u8]) {
        self.0.stdin.take().unwrap().write_all(input).unwrap();
    }

    /// Waits until the process exits.
    pub(crate) fn end(mut self) -> Ended {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status.code();
            }
            assert!(Instant::now() < until, "it does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.0
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap();
        self.0
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        Ended {
            status,
            stdout,
            stderr,
        }
    }

    /// Waits until the process exits with success, and returns its output.
    pub(crate) fn succeed(self) -> String {
        let ended = self.end();
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        ended.stdout
    }
}

/// A server that the test controls.
pub(crate) struct Server(TcpListener);

impl Server {
    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    /// Starts the program with this command line, split at spaces, and the port of this server.
    pub(crate) fn client(&self, arguments: &str) -> Running {
        let port = self.port().to_string();
        let mut arguments: Vec<&str> = arguments.split(' ').collect();
        arguments.extend(["-p", &port]);
        Running::start(&arguments)
    }

    pub(crate) fn accept(&self) -> Peer {
        self.accept_within(PATIENCE).unwrap()
    }

    /// Returns `None` if nobody connects in this time.
    pub(crate) fn accept_within(&self, time: Duration) -> Option<Peer> {
        let until = Instant::now() + time;
        loop {
            match self.0.accept() {
                Ok((socket, _)) => {
                    socket.set_nonblocking(false).unwrap();
                    socket.set_read_timeout(Some(PATIENCE)).unwrap();
                    return Some(Peer(socket));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
            if Instant::now() >= until {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Accepts a connection with this CONNECT.
    pub(crate) fn accept_connect(&self, connect: &[u8]) -> Peer {
        let mut peer = self.accept();
        peer.expect(connect);
        peer.send(ACCEPTED);
        peer
    }

    /// Accepts a connection with this CONNECT of MQTT 5.
    pub(crate) fn accept_connect_5(&self, connect: &[u8]) -> Peer {
        let mut peer = self.accept();
        peer.expect(connect);
        peer.send(ACCEPTED_5);
        peer
    }
}

/// The server's side of a connection.
pub(crate) struct Peer(pub(crate) TcpStream);

impl Peer {
    /// Checks that these are the next bytes.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        let outcome = self.0.read_exact(&mut bytes);
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        outcome.unwrap();
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Checks that the client closes the connection and sends nothing before.
    #[track_caller]
    pub(crate) fn expect_end(mut self) {
        assert_eq!(self.0.read(&mut [0]).unwrap(), 0, "more before the end");
    }

    /// Checks that the client sends DISCONNECT and closes.
    #[track_caller]
    pub(crate) fn expect_disconnect(mut self) {
        self.expect(b"\xe0\x00");
        self.expect_end();
    }
}

/// What MQTT 5 adds: CONNECT without properties, with Clean Start, and CONNACK.
pub(crate) const CONNECT_5: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c";
/// Without properties.
pub(crate) const ACCEPTED_5: &[u8] = b"\x20\x03\x00\x00\x00";

/// Client Identifier `c`, Keep Alive 60, Clean Session.
pub(crate) const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c";
/// The same without Clean Session.
pub(crate) const CONNECT_AGAIN: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01c";
pub(crate) const ACCEPTED: &[u8] = b"\x20\x02\x00\x00";
pub(crate) const SESSION_PRESENT: &[u8] = b"\x20\x02\x01\x00";
