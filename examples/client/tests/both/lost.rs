//! Lost connections, and the next connection.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::script::{CONNECT, CONNECT_AGAIN, Running, SESSION_PRESENT, Server};

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
    // The session is lost because the server forgot it, or because of Clean Session.
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
    peer.expect(b"\xa2\x05\x00\x03\x00\x01b");
    peer.send(b"\xb0\x02\x00\x03");
    peer.expect_disconnect();
    client.succeed();
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
