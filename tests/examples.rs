//! The examples `in_memory`, `client` and `client_tokio`, run as a user runs them. The clients talk
//! to a server that says and expects exactly what a test tells it to.

#![cfg(feature = "std")] // `client` needs it too.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, and that is all there is to it"
)]
#![allow(
    clippy::std_instead_of_core,
    reason = "tests run on an operating system"
)]

use std::env::consts::EXE_SUFFIX;
use std::env::{self};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where cargo puts an example. `cargo test` has built it; if a single test was asked for, it may
/// be missing.
fn example(name: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let example = profile.join(format!("examples/{name}{EXE_SUFFIX}"));
    let _one_at_a_time = BUILDING.lock();
    if !example.exists() {
        let profile_name = match profile.file_name().and_then(|name| name.to_str()).unwrap() {
            "debug" => "dev",
            name => name,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", name]);
        cargo.args(["--profile", profile_name, "--target-dir"]);
        cargo.arg(profile.parent().unwrap());
        if cfg!(feature = "tokio-util") {
            cargo.args(["--features", "tokio-util"]);
        }
        let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(status.unwrap().success());
    }
    example
}

/// A process that does not outlive the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Ended {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Running {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let child = Command::new(example(name))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    /// What it reads from standard input, which ends then.
    fn input(&mut self, input: &[u8]) {
        self.0.stdin.take().unwrap().write_all(input).unwrap();
    }

    /// Waits for its end.
    fn end(mut self) -> Ended {
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

    /// Waits for its end, which must be a good one, and returns what it has printed.
    fn succeed(self) -> String {
        let ended = self.end();
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        ended.stdout
    }
}

/// A server that does as it is told.
struct Server(TcpListener);

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    /// `client` with this command line, split at spaces.
    fn client(&self, arguments: &str) -> Running {
        self.start("client", arguments)
    }

    fn start(&self, name: &str, arguments: &str) -> Running {
        let port = self.0.local_addr().unwrap().port().to_string();
        let mut arguments: Vec<&str> = arguments.split(' ').collect();
        arguments.extend(["-p", &port]);
        Running::start(name, &arguments)
    }

    fn accept(&self) -> Peer {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.0.accept() {
                Ok((socket, _)) => {
                    socket.set_nonblocking(false).unwrap();
                    socket.set_read_timeout(Some(PATIENCE)).unwrap();
                    return Peer(socket);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
            assert!(Instant::now() < until, "nobody connects");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Takes a connection with this CONNECT, and accepts it.
    fn accept_connect(&self, connect: &[u8]) -> Peer {
        let mut peer = self.accept();
        peer.expect(connect);
        peer.send(ACCEPTED);
        peer
    }
}

/// A client, as the server sees it.
struct Peer(TcpStream);

impl Peer {
    /// The next bytes must be these.
    #[track_caller]
    fn expect(&mut self, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        let outcome = self.0.read_exact(&mut bytes);
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        outcome.unwrap();
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// DISCONNECT, and the end.
    #[track_caller]
    fn expect_disconnect(mut self) {
        self.expect(b"\xe0\x00");
        assert_eq!(self.0.read(&mut [0]).unwrap(), 0, "more after DISCONNECT");
    }
}

/// Client Identifier `c`, Keep Alive 60, Clean Session.
const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c";
/// The same without Clean Session.
const CONNECT_AGAIN: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01c";
const ACCEPTED: &[u8] = b"\x20\x02\x00\x00";
const SESSION_PRESENT: &[u8] = b"\x20\x02\x01\x00";

// in_memory

#[test]
fn in_memory_tells_its_story() {
    let story = Running::start("in_memory", &[]).succeed();
    let connect = "client sends Connect { protocol_level: V3_1_1, clean_session: false, \
                   keep_alive: 60, client_id: \"device-7\", will: None, credentials: None }";
    let publish = |dup| {
        format!(
            "client sends Publish {{ delivery: ExactlyOnce {{ packet_id: PacketId(1), dup: {dup} \
             }}, retain: false, topic: \"kitchen/temperature\", payload: b\"21.5\" }}"
        )
    };
    let expected = [
        ("0", connect),
        (
            "0",
            "server sends ConnAck(Accepted { session_present: false })",
        ),
        ("0", "client: Connected { session_present: false }"),
        ("0", &publish(false)),
        ("0", "server: kitchen/temperature is 21.5"),
        ("0", "(the connection is cut)"),
        ("0", "client: Close(TransportClosed)"),
        ("0", "server: Close(TransportClosed)"),
        ("5000", connect),
        (
            "5000",
            "server sends ConnAck(Accepted { session_present: true })",
        ),
        ("5000", "client: Connected { session_present: true }"),
        ("5000", &publish(true)),
        ("5000", "server sends PubRec { packet_id: PacketId(1) }"),
        ("5000", "client: AcceptedByPeer(PacketId(1))"),
        ("5000", "client sends PubRel { packet_id: PacketId(1) }"),
        ("5000", "server sends PubComp { packet_id: PacketId(1) }"),
        ("5000", "client: Delivered(PacketId(1))"),
        ("57500", "client sends PingReq"),
        ("57500", "server sends PingResp"),
        ("57500", "(the client is switched off)"),
        ("147500", "server: Close(KeepAliveTimeout)"),
    ];
    let expected: Vec<String> = expected
        .iter()
        .map(|(millis, line)| format!("{millis:>6} ms  {line}"))
        .collect();
    assert_eq!(story.lines().collect::<Vec<_>>(), expected);
}

// client pub

/// [MQTT-7.1.2-1]
#[test]
fn a_message_is_published_at_each_qos() {
    let server = Server::new();
    let client = server.client("pub -i c -t a/b -m hi -q 0");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x30\x07\x00\x03a/bhi");
    peer.expect_disconnect();
    client.succeed();

    let client = server.client("pub -i c -t a/b -m hi -q 1");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x32\x09\x00\x03a/b\x00\x01hi");
    peer.send(b"\x40\x02\x00\x01");
    peer.expect_disconnect();
    client.succeed();

    let client = server.client("pub -i c -t a/b -m hi -q 2");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x34\x09\x00\x03a/b\x00\x01hi");
    peer.send(b"\x50\x02\x00\x01");
    peer.expect(b"\x62\x02\x00\x01");
    peer.send(b"\x70\x02\x00\x01");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn messages_come_from_lines_files_and_nowhere() {
    let server = Server::new();
    let mut client = server.client("pub -i c -t a -l -q 1");
    client.input(b"one\ntwo");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x32\x08\x00\x01a\x00\x01one\x32\x08\x00\x01a\x00\x02two");
    peer.send(b"\x40\x02\x00\x01\x40\x02\x00\x02");
    peer.expect_disconnect();
    client.succeed();

    let file = scratch("message");
    fs::write(&file, b"\x00\xff\n").unwrap();
    let client = server.client(&format!("pub -i c -t a -f {}", file.display()));
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x30\x06\x00\x01a\x00\xff\n");
    peer.expect_disconnect();
    client.succeed();
    fs::remove_file(&file).unwrap();

    let client = server.client("pub -i c -t a -n -r --repeat 2");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x31\x03\x00\x01a\x31\x03\x00\x01a");
    peer.expect_disconnect();
    client.succeed();
}

/// A path for a file of this test run.
fn scratch(name: &str) -> PathBuf {
    env::temp_dir().join(format!("mqtt-sansio-{}-{name}", std::process::id()))
}

#[test]
fn no_more_are_under_way_than_the_window_allows() {
    let server = Server::new();
    let client = server.client("pub -i c -t a -m x -q 1 --repeat 3 -M 2");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x32\x06\x00\x01a\x00\x01x\x32\x06\x00\x01a\x00\x02x");
    peer.0
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    assert!(peer.0.read(&mut [0]).is_err(), "more than the window");
    peer.0.set_read_timeout(Some(PATIENCE)).unwrap();
    peer.send(b"\x40\x02\x00\x01");
    peer.expect(b"\x32\x06\x00\x01a\x00\x03x");
    peer.send(b"\x40\x02\x00\x02\x40\x02\x00\x03");
    peer.expect_disconnect();
    client.succeed();
}

// client sub

#[test]
fn messages_are_printed_and_acknowledged_at_each_qos() {
    let server = Server::new();
    let client = server.client("sub -i c -t a/# -t b -q 2 -v -C 3");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x82\x0c\x00\x01\x00\x03a/#\x02\x00\x01b\x02");
    peer.send(b"\x90\x04\x00\x01\x02\x01");
    peer.send(b"\x30\x04\x00\x01b0\x32\x06\x00\x01b\x00\x071");
    peer.expect(b"\x40\x02\x00\x07");
    peer.send(b"\x34\x08\x00\x03a/a\x00\x092");
    // One too many: it is not printed and not acknowledged, and comes again some other time.
    peer.send(b"\x32\x06\x00\x01b\x00\x0a3");
    peer.expect(b"\x50\x02\x00\x09");
    peer.send(b"\x62\x02\x00\x09");
    peer.expect(b"\x70\x02\x00\x09");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "b 0\nb 1\na/a 2\n");
}

#[test]
fn subscriptions_can_be_all_there_is_to_do() {
    let server = Server::new();
    let client = server.client("sub -i c -t a -U b -E");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00\xa2\x05\x00\x02\x00\x01b");
    peer.send(b"\x90\x03\x00\x01\x00\xb0\x02\x00\x02");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn a_denied_subscription_is_said_and_is_the_exit_status() {
    let server = Server::new();
    let client = server.client("sub -i c -t a");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00");
    peer.send(b"\x90\x03\x00\x01\x80");
    peer.expect_disconnect();
    let ended = client.end();
    assert_eq!(ended.status, Some(128));
    assert!(
        ended.stderr.contains("subscription to a"),
        "{}",
        ended.stderr
    );
}

#[test]
fn time_is_up_when_it_is_up() {
    let server = Server::new();
    let client = server.client("sub -i c -t a -W 1");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00");
    peer.send(b"\x90\x03\x00\x01\x00");
    peer.expect_disconnect();
    assert_eq!(client.end().status, Some(27));
}

#[test]
fn silence_is_broken_by_pingreq() {
    let server = Server::new();
    let client = server.client("sub -i c -t a -k 1 -C 1");
    let mut peer = server.accept_connect(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x01\x00\x01c");
    peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00");
    peer.send(b"\x90\x03\x00\x01\x00");
    for _ in 0..2 {
        let since = Instant::now();
        peer.expect(b"\xc0\x00");
        assert!(since.elapsed() < Duration::from_millis(1_500));
        peer.send(b"\xd0\x00");
    }
    peer.send(b"\x30\x04\x00\x01ax");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "x\n");
}

// Connections that break

#[test]
fn what_is_under_way_is_sent_again_with_dup() {
    let server = Server::new();
    let client = server.client("pub -i c -c -t a -m x -q 1");
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x32\x06\x00\x01a\x00\x01x");
    drop(peer);
    let mut peer = server.accept();
    peer.expect(CONNECT_AGAIN);
    peer.send(SESSION_PRESENT);
    peer.expect(b"\x3a\x06\x00\x01a\x00\x01x");
    peer.send(b"\x40\x02\x00\x01");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn after_pubrec_only_pubrel_is_sent_again() {
    let server = Server::new();
    let client = server.client("pub -i c -c -t a -m x -q 2 --repeat 2");
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x34\x06\x00\x01a\x00\x01x\x34\x06\x00\x01a\x00\x02x");
    peer.send(b"\x50\x02\x00\x01");
    peer.expect(b"\x62\x02\x00\x01");
    drop(peer);
    let mut peer = server.accept();
    peer.expect(CONNECT_AGAIN);
    peer.send(SESSION_PRESENT);
    peer.expect(b"\x62\x02\x00\x01\x3c\x06\x00\x01a\x00\x02x");
    peer.send(b"\x70\x02\x00\x01\x50\x02\x00\x02");
    peer.expect(b"\x62\x02\x00\x02");
    peer.send(b"\x70\x02\x00\x02");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn what_the_server_has_forgotten_is_published_anew() {
    let server = Server::new();
    let client = server.client("pub -i c -c -t a -m x -q 1");
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x32\x06\x00\x01a\x00\x01x");
    drop(peer);
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x32\x06\x00\x01a\x00\x02x");
    peer.send(b"\x40\x02\x00\x02");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn what_is_lost_is_published_anew_before_what_waits() {
    // The session is lost with the server's memory, or because of Clean Session.
    for (option, connect) in [("-c ", CONNECT_AGAIN), ("", CONNECT)] {
        let server = Server::new();
        let mut client = server.client(&format!("pub -i c {option}-t a -l -q 1 -M 3"));
        client.input(b"0\n1\n2\n3\n4\n");
        let mut peer = server.accept_connect(connect);
        peer.expect(b"\x32\x06\x00\x01a\x00\x010\x32\x06\x00\x01a\x00\x021");
        peer.expect(b"\x32\x06\x00\x01a\x00\x032");
        thread::sleep(Duration::from_millis(100)); // the next line waits
        drop(peer);
        let mut peer = server.accept_connect(connect);
        peer.expect(b"\x32\x06\x00\x01a\x00\x040\x32\x06\x00\x01a\x00\x051");
        peer.expect(b"\x32\x06\x00\x01a\x00\x062");
        peer.send(b"\x40\x02\x00\x04\x40\x02\x00\x05\x40\x02\x00\x06");
        peer.expect(b"\x32\x06\x00\x01a\x00\x073\x32\x06\x00\x01a\x00\x084");
        peer.send(b"\x40\x02\x00\x07\x40\x02\x00\x08");
        peer.expect_disconnect();
        client.succeed();
    }
}

#[test]
fn what_is_lost_but_was_received_is_not_published_anew() {
    let server = Server::new();
    let mut client = server.client("pub -i c -c -t a -l -q 2 -M 3");
    client.input(b"0\n1\n2\n3\n");
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x34\x06\x00\x01a\x00\x010\x34\x06\x00\x01a\x00\x021");
    peer.expect(b"\x34\x06\x00\x01a\x00\x032");
    peer.send(b"\x50\x02\x00\x02");
    peer.expect(b"\x62\x02\x00\x02");
    thread::sleep(Duration::from_millis(100)); // the last line waits
    drop(peer);
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x34\x06\x00\x01a\x00\x040\x34\x06\x00\x01a\x00\x052");
    peer.expect(b"\x34\x06\x00\x01a\x00\x063");
    peer.send(b"\x50\x02\x00\x04\x50\x02\x00\x05\x50\x02\x00\x06");
    peer.expect(b"\x62\x02\x00\x04\x62\x02\x00\x05\x62\x02\x00\x06");
    peer.send(b"\x70\x02\x00\x04\x70\x02\x00\x05\x70\x02\x00\x06");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn a_subscriber_subscribes_again_unless_its_session_is_present() {
    let server = Server::new();
    let client = server.client("sub -i c -c -t a -q 2 -C 1");
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x82\x06\x00\x01\x00\x01a\x02");
    peer.send(b"\x90\x03\x00\x01\x02");
    drop(peer);
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x82\x06\x00\x02\x00\x01a\x02");
    peer.send(b"\x90\x03\x00\x02\x02");
    drop(peer);
    let mut peer = server.accept();
    peer.expect(CONNECT_AGAIN);
    peer.send(SESSION_PRESENT);
    peer.send(b"\x30\x04\x00\x01ax");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "x\n");
}

#[test]
fn a_subscription_that_was_not_ended_before_the_connection_was_lost_is_ended_on_the_next() {
    let server = Server::new();
    let client = server.client("sub -i c -c -t a -U b -E");
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00\xa2\x05\x00\x02\x00\x01b");
    peer.send(b"\x90\x03\x00\x01\x00");
    drop(peer);
    let mut peer = server.accept();
    peer.expect(CONNECT_AGAIN);
    peer.send(SESSION_PRESENT);
    peer.expect(b"\x82\x06\x00\x03\x00\x01a\x00\xa2\x05\x00\x04\x00\x01b");
    peer.send(b"\x90\x03\x00\x03\x00\xb0\x02\x00\x04");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn a_session_in_a_file_outlives_the_process() {
    let file = scratch("session");
    let arguments = format!("pub -i c -c -t a -m x -q 2 --session {}", file.display());
    let server = Server::new();
    let killed = server.client(&arguments);
    let mut peer = server.accept_connect(CONNECT_AGAIN);
    peer.expect(b"\x34\x06\x00\x01a\x00\x01x");
    drop(killed);
    drop(peer);

    let client = server.client(&arguments);
    let mut peer = server.accept();
    peer.expect(CONNECT_AGAIN);
    peer.send(SESSION_PRESENT);
    peer.expect(b"\x3c\x06\x00\x01a\x00\x01x\x34\x06\x00\x01a\x00\x02x");
    peer.send(b"\x50\x02\x00\x01\x50\x02\x00\x02");
    peer.expect(b"\x62\x02\x00\x01\x62\x02\x00\x02");
    peer.send(b"\x70\x02\x00\x01\x70\x02\x00\x02");
    peer.expect_disconnect();
    client.succeed();

    fs::write(&file, b"something else").unwrap();
    assert_eq!(server.client(&arguments).end().status, Some(65));
    fs::remove_file(&file).unwrap();
}

#[test]
fn each_session_file_is_replaced_by_itself() {
    let folder = scratch("sessions");
    fs::create_dir(&folder).unwrap();
    let server = Server::new();
    // Leaves a message under way, and a session file with this name.
    let break_off = |name: &str| {
        let file = folder.join(name);
        let arguments = format!("pub -i c -c -t a -m x -q 2 --session {}", file.display());
        let killed = server.client(&arguments);
        let mut peer = server.accept_connect(CONNECT_AGAIN);
        peer.expect(b"\x34\x06\x00\x01a\x00\x01x");
        drop(killed);
        (arguments, file)
    };
    let (arguments, file) = break_off("sess.new");
    let before = fs::read(&file).unwrap();
    // What is written in place is seen through the link too.
    let link = folder.join("link");
    fs::hard_link(&file, &link).unwrap();
    break_off("sess.a");
    break_off("sess.b");
    assert_eq!(fs::read(&file).unwrap(), before);

    let client = server.client(&arguments);
    let mut peer = server.accept();
    peer.expect(CONNECT_AGAIN);
    peer.send(SESSION_PRESENT);
    peer.expect(b"\x3c\x06\x00\x01a\x00\x01x\x34\x06\x00\x01a\x00\x02x");
    peer.send(b"\x50\x02\x00\x01\x50\x02\x00\x02");
    peer.expect(b"\x62\x02\x00\x01\x62\x02\x00\x02");
    peer.send(b"\x70\x02\x00\x01\x70\x02\x00\x02");
    peer.expect_disconnect();
    client.succeed();
    assert_ne!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read(&link).unwrap(), before);

    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["link", "sess.a", "sess.b", "sess.new"]);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn with_clean_session_no_session_is_read_or_written() {
    let file = scratch("clean");
    let server = Server::new();
    let arguments = format!("pub -i c -t a -m x -q 2 --session {}", file.display());
    assert_eq!(server.client(&arguments).end().status, Some(64));
    assert!(!file.exists());
    // It would be status 65 if this were read.
    fs::write(&file, b"something else").unwrap();
    assert_eq!(server.client(&arguments).end().status, Some(64));
    assert_eq!(fs::read(&file).unwrap(), b"something else");
    fs::remove_file(&file).unwrap();
}

#[test]
fn without_reconnecting_a_lost_connection_is_a_failure() {
    let server = Server::new();
    let client = server.client("sub -i c -t a --no-reconnect");
    drop(server.accept_connect(CONNECT));
    assert_eq!(client.end().status, Some(69));
    drop(server);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port().to_string();
    drop(nobody);
    let client = Running::start("client", &["pub", "-t", "a", "-n", "-p", &port]);
    assert_eq!(client.end().status, Some(69));
}

// CONNECT and its answer

#[test]
fn a_refusal_is_the_exit_status() {
    let server = Server::new();
    for code in 1..=5 {
        let client = server.client("pub -i c -t a -m x");
        let mut peer = server.accept();
        peer.expect(CONNECT);
        peer.send(&[0x20, 2, 0, code]);
        assert_eq!(peer.0.read(&mut [0]).unwrap(), 0);
        let ended = client.end();
        assert_eq!(ended.status, Some(i32::from(code)));
        assert!(ended.stderr.contains("refused"), "{}", ended.stderr);
    }
}

#[test]
fn will_user_name_and_password_are_in_connect() {
    let server = Server::new();
    let client = server.client(
        "pub -i c -t a -n -u joe -P secret -k 10 \
         --will-topic w/t --will-payload gone --will-qos 2 --will-retain",
    );
    let mut peer = server.accept_connect(
        b"\x10\x25\x00\x04MQTT\x04\xf6\x00\x0a\x00\x01c\
          \x00\x03w/t\x00\x04gone\x00\x03joe\x00\x06secret",
    );
    peer.expect(b"\x30\x03\x00\x01a");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn mqtt_3_1_has_another_name_and_level() {
    let server = Server::new();
    let client = server.client("pub -i c -t a -n -V mqttv31");
    let mut peer = server.accept_connect(b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01c");
    peer.expect(b"\x30\x03\x00\x01a");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn without_a_client_identifier_the_server_makes_one_up() {
    let server = Server::new();
    let client = server.client("pub -t a -n");
    let mut peer = server.accept_connect(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00");
    peer.expect(b"\x30\x03\x00\x01a");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn a_server_that_breaks_the_protocol_is_left() {
    for fault in [
        &b"\xf0\x00"[..],
        b"\x40\x02\x00\x00",
        b"\x20\x02\x00\x00",
        b"\xc0\x00",
    ] {
        let server = Server::new();
        let client = server.client("sub -i c -t a");
        let mut peer = server.accept_connect(CONNECT);
        peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00");
        peer.send(fault);
        assert_eq!(peer.0.read(&mut [0]).unwrap(), 0);
        assert_eq!(client.end().status, Some(76));
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused() {
    for arguments in [
        &["sub"][..],
        &["pub", "-t", "a"],
        &["pub", "-t", "a", "-m", "x", "-n"],
        &["pub", "-t", "a/#", "-n"],
        &["sub", "-t", "a#"],
        &["sub", "-t", "a", "-c"],
        &["sub", "-t", "a", "-q", "3"],
        &["sub", "-t", "a", "-P", "x"],
        &["sub", "-t", "a", "--session", "x"],
        &["sub", "-t", "a", "--will-payload", "x"],
        &["sub", "-t", "a", "-m", "x"],
        &["listen"],
    ] {
        let ended = Running::start("client", arguments).end();
        assert_eq!(ended.status, Some(64), "{arguments:?}");
    }
    for arguments in [&[][..], &["--help"], &["pub", "--help"]] {
        let help = Running::start("client", arguments).succeed();
        assert!(help.contains("Usage:"), "{arguments:?}");
    }
}

#[cfg(feature = "tokio-util")]
mod client_tokio {
    use super::{ACCEPTED, CONNECT, CONNECT_AGAIN, Running, SESSION_PRESENT, Server};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn lines_are_published_and_sent_again_with_dup() {
        let server = Server::new();
        let mut client = server.start("client_tokio", "-i c -c -q 2 --publish a");
        client.input(b"one\ntwo\n");
        let mut peer = server.accept_connect(CONNECT_AGAIN);
        peer.expect(b"\x34\x08\x00\x01a\x00\x01one\x34\x08\x00\x01a\x00\x02two");
        peer.send(b"\x50\x02\x00\x01");
        peer.expect(b"\x62\x02\x00\x01");
        drop(peer);
        let mut peer = server.accept();
        peer.expect(CONNECT_AGAIN);
        peer.send(SESSION_PRESENT);
        peer.expect(b"\x62\x02\x00\x01\x3c\x08\x00\x01a\x00\x02two");
        peer.send(b"\x70\x02\x00\x01\x50\x02\x00\x02");
        peer.expect(b"\x62\x02\x00\x02");
        peer.send(b"\x70\x02\x00\x02");
        peer.expect_disconnect();
        client.succeed();
    }

    #[test]
    fn what_is_lost_is_published_anew_before_what_waits() {
        /// As many as may be under way.
        const WINDOW: u8 = 20;
        let publish = |id: u8, letter: u8| [0x32, 6, 0, 1, b'a', 0, id, letter];
        let letters = b'A'..b'A' + WINDOW;
        let server = Server::new();
        let mut client = server.start("client_tokio", "-i c -c -q 1 --publish a");
        let lines: Vec<u8> = letters
            .clone()
            .chain(*b"yz")
            .flat_map(|c| [c, b'\n'])
            .collect();
        client.input(&lines);
        let mut peer = server.accept_connect(CONNECT_AGAIN);
        for (id, letter) in (1..).zip(letters.clone()) {
            peer.expect(&publish(id, letter));
        }
        thread::sleep(Duration::from_millis(100)); // the next line waits
        drop(peer);
        let mut peer = server.accept_connect(CONNECT_AGAIN);
        for (id, letter) in (WINDOW + 1..).zip(letters.chain(*b"yz")) {
            peer.expect(&publish(id, letter));
            peer.send(&[0x40, 2, 0, id]);
        }
        peer.expect_disconnect();
        client.succeed();
    }

    #[test]
    fn help_lists_itself() {
        let help = Running::start("client_tokio", &["--help"]).succeed();
        assert!(help.contains("Usage:"), "{help}");
        assert!(help.contains("--help"), "{help}");
    }

    #[test]
    fn messages_are_printed_and_acknowledged() {
        let server = Server::new();
        let mut client = server.start("client_tokio", "-i c -q 1 -t b --publish a");
        let mut peer = server.accept_connect(CONNECT);
        peer.expect(b"\x82\x06\x00\x01\x00\x01b\x01");
        peer.send(b"\x90\x03\x00\x01\x01");
        peer.send(b"\x32\x08\x00\x01b\x00\x05hey");
        peer.expect(b"\x40\x02\x00\x05");
        client.input(b"");
        peer.expect_disconnect();
        assert_eq!(client.succeed(), "b hey\n");
    }

    /// If it did, what comes then would make the system throw away what was sent last.
    #[test]
    fn the_client_does_not_close_before_the_server() {
        let server = Server::new();
        let mut client = server.start("client_tokio", "-i c -t b --publish a");
        let mut peer = server.accept_connect(CONNECT);
        peer.expect(b"\x82\x06\x00\x01\x00\x01b\x00");
        peer.send(b"\x90\x03\x00\x01\x00");
        client.input(b"last\n");
        peer.expect(b"\x30\x07\x00\x01alast\xe0\x00");
        for _ in 0..20 {
            peer.send(b"\x30\x04\x00\x01bx");
            thread::sleep(Duration::from_millis(5));
        }
        drop(peer);
        client.succeed();
    }

    #[test]
    fn a_refusal_is_the_exit_status() {
        let server = Server::new();
        let client = server.start("client_tokio", "-i c -t b");
        let mut peer = server.accept();
        peer.expect(CONNECT);
        peer.send(b"\x20\x02\x00\x05");
        assert_eq!(client.end().status, Some(5));
    }

    #[test]
    fn a_server_that_breaks_the_protocol_is_left() {
        let server = Server::new();
        let client = server.start("client_tokio", "-i c -t b");
        let mut peer = server.accept();
        peer.expect(CONNECT);
        peer.send(ACCEPTED);
        peer.expect(b"\x82\x06\x00\x01\x00\x01b\x00");
        peer.send(b"\xf0\x00");
        assert_eq!(client.end().status, Some(1));
    }
}
