//! Runs `client_tokio` from its command line, with a server that sends and expects exactly the bytes
//! of a test.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "tests run on an operating system"
)]

#[path = "../../client/tests/both/mod.rs"]
mod both;
#[path = "../../client/tests/script/mod.rs"]
mod script;

use std::thread;
use std::time::Duration;

use script::{CONNECT, CONNECT_AGAIN, Running, SESSION_PRESENT, Server};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_client_tokio");

#[test]
fn lines_are_published_and_sent_again_with_dup() {
    let server = Server::new();
    let mut client = server.client("-i c -c -q 2 --publish a");
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
    /// The most messages in flight.
    const WINDOW: u8 = 20;
    let publish = |id: u8, letter: u8| [0x32, 6, 0, 1, b'a', 0, id, letter];
    let letters = b'A'..b'A' + WINDOW;
    let server = Server::new();
    let mut client = server.client("-i c -c -q 1 --publish a");
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
    let help = Running::start(&["--help"]).succeed();
    assert!(help.contains("Usage:"), "{help}");
    assert!(help.contains("--help"), "{help}");
}

#[test]
fn messages_are_printed_and_acknowledged() {
    let server = Server::new();
    let mut client = server.client("-i c -q 1 -t b --publish a");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x82\x06\x00\x01\x00\x01b\x01");
    peer.send(b"\x90\x03\x00\x01\x01");
    peer.send(b"\x32\x08\x00\x01b\x00\x05hey");
    peer.expect(b"\x40\x02\x00\x05");
    client.input(b"");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "b hey\n");
}

/// Otherwise later bytes would make the system discard the bytes sent last.
#[test]
fn the_client_does_not_close_before_the_server() {
    let server = Server::new();
    let mut client = server.client("-i c -t b --publish a");
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
