//! The packets and the output of `pub` and `sub`.

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use crate::script::{CONNECT, PATIENCE, Server, scratch};

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
    // One message too many: it is not printed and not acknowledged, so the server resends it later.
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
