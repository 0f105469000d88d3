//! Runs `client` from its command line, with a server that sends and expects exactly the bytes of a
//! test.

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

mod both;
mod script;

use std::fs;

use script::{CONNECT_AGAIN, SESSION_PRESENT, Server, scratch};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_client");

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
    // Leaves a message in flight, and a session file with this name.
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
    // A file that is written in place changes through the link too.
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
    // The status would be 65 if the file were read.
    fs::write(&file, b"something else").unwrap();
    assert_eq!(server.client(&arguments).end().status, Some(64));
    assert_eq!(fs::read(&file).unwrap(), b"something else");
    fs::remove_file(&file).unwrap();
}
