//! `client`, run as a user runs it, with a server that sends and expects exactly the bytes of a
//! test.

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

mod script;

use std::env;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use script::{CONNECT, CONNECT_AGAIN, PATIENCE, Running, SESSION_PRESENT, Server};

/// The program that is run.
const PROGRAM: &str = env!("CARGO_BIN_EXE_client");

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
    let client = Running::start(&["pub", "-t", "a", "-n", "-p", &port]);
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
        let ended = Running::start(arguments).end();
        assert_eq!(ended.status, Some(64), "{arguments:?}");
    }
    for arguments in [&[][..], &["--help"], &["pub", "--help"]] {
        let help = Running::start(arguments).succeed();
        assert!(help.contains("Usage:"), "{arguments:?}");
    }
}
