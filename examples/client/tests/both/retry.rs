//! When the programs connect again, and when they give up.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use crate::script::{
    ACCEPTED, CONNECT, CONNECT_5, CONNECT_AGAIN, Running, SESSION_PRESENT, Server, scratch,
};

/// CONNECT of this Client Identifier of one letter, with Clean Session.
const CONNECT_LEN: usize = CONNECT.len();

#[test]
fn the_pauses_grow_although_the_server_accepts_each_connection() {
    let server = Server::new();
    let _client = server.client("sub -i c -t a");
    let mut last: Option<Instant> = None;
    for pause in [0, 100, 200, 400, 800] {
        let peer = server.accept_connect(CONNECT);
        if let Some(last) = last {
            let elapsed = last.elapsed();
            assert!(elapsed >= Duration::from_millis(pause), "{elapsed:?}");
        }
        drop(peer);
        last = Some(Instant::now());
    }
}

#[test]
fn two_clients_with_one_client_identifier_connect_less_and_less_often() {
    let server = Server::new();
    let _clients = [
        server.client("sub -i c -t a"),
        server.client("sub -i c -t a"),
    ];
    let mut connected = None;
    let mut connections = 0;
    let since = Instant::now();
    // As a server must, this one closes the earlier connection of the same client.
    while since.elapsed() < Duration::from_secs(3) {
        if let Some(mut peer) = server.accept_within(Duration::from_millis(100)) {
            let mut connect = [0; CONNECT_LEN];
            peer.0.read_exact(&mut connect).unwrap();
            peer.send(ACCEPTED);
            connected = Some(peer);
            connections += 1;
        }
    }
    drop(connected);
    // At 100 ms it would be 30.
    assert!((4..15).contains(&connections), "{connections}");
}

#[test]
fn a_message_for_which_the_server_ends_each_connection_is_given_up() {
    for (options, connect, answer) in [
        ("-c", CONNECT_AGAIN, SESSION_PRESENT),
        ("--retain", CONNECT, ACCEPTED), // with Clean Session
    ] {
        let server = Server::new();
        let mut client = server.client(&format!("pub -i c -t a -l -q 1 -M 2 {options}"));
        client.input(b"x\ny\n");
        for _ in 0..5 {
            let mut peer = server.accept();
            peer.expect(connect);
            peer.send(answer);
            let mut publish = [0; 8];
            peer.0.read_exact(&mut publish).unwrap();
            assert_eq!(publish[7], b'x');
            drop(peer);
        }
        let mut peer = server.accept();
        peer.expect(connect);
        peer.send(answer);
        let mut publish = [0; 8];
        peer.0.read_exact(&mut publish).unwrap();
        assert_eq!(publish[7], b'y');
        peer.send(&[0x40, 2, publish[5], publish[6]]);
        peer.expect_disconnect();
        let ended = client.end();
        assert_eq!(ended.status, Some(70), "{}", ended.stderr);
        let report = "message to a not delivered: given up after 5 connections";
        assert!(ended.stderr.contains(report), "{}", ended.stderr);
    }
}

#[test]
fn disconnect_of_the_server_is_a_reason_to_connect_again() {
    let server = Server::new();
    let client = server.client("sub -V 5 -i c -t a -C 1");
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x82\x07\x00\x01\x00\x00\x01a\x00");
    peer.send(b"\x90\x04\x00\x01\x00\x00");
    peer.send(b"\xe0\x08\x8b\x06\x1f\x00\x03bye"); // Server shutting down, Reason String
    peer.expect_end();
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x82\x07\x00\x02\x00\x00\x01a\x00");
    peer.send(b"\x90\x04\x00\x02\x00\x00\x30\x05\x00\x01a\x00x");
    peer.expect_disconnect();
    let ended = client.end();
    assert_eq!((ended.status, &*ended.stdout), (Some(0), "x\n"));
    let report = "the server has disconnected: Server shutting down (bye); connecting again";
    assert!(ended.stderr.contains(report), "{}", ended.stderr);
}

#[test]
fn pingresp_behind_a_slow_message_is_awaited() {
    // No more than the buffer of a pipe.
    const LEN: usize = 60_000;
    let server = Server::new();
    let client = server.client("sub -i c -t a -k 1 -C 1");
    let mut peer = server.accept_connect(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x01\x00\x01c");
    peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00");
    peer.send(b"\x90\x03\x00\x01\x00");
    // This takes longer than a server may need for PINGRESP.
    peer.send(b"\x30\xe3\xd4\x03\x00\x01a");
    for _ in 0..48 {
        thread::sleep(Duration::from_millis(250));
        peer.send(&[b'x'; LEN / 48]);
    }
    peer.send(&[b'x'; LEN % 48]);
    // Meanwhile it has sent PINGREQ only.
    let mut rest = Vec::new();
    peer.send(b"\xd0\x00");
    peer.0.read_to_end(&mut rest).unwrap();
    let (pings, disconnect) = rest.split_last_chunk().unwrap();
    assert_eq!(disconnect, b"\xe0\x00");
    assert!(!pings.is_empty() && pings.chunks(2).all(|ping| ping == b"\xc0\x00"));
    assert_eq!(client.succeed().len(), LEN + 1);
}

#[test]
fn twenty_thousand_lines_do_not_wait_for_a_clock() {
    let server = Server::new();
    let mut client = server.client("pub -i c -t a -l -q 0");
    let mut peer = server.accept_connect(CONNECT);
    let since = Instant::now();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.0.read_to_end(&mut bytes).unwrap();
        bytes
    });
    client.input(&b"line\n".repeat(20_000));
    let bytes = reader.join().unwrap();
    assert_eq!(bytes.len(), 20_000 * b"\x30\x07\x00\x01aline".len() + 2);
    client.succeed();
    // mosquitto_pub needs 250 ms, this client 100 ms.
    assert!(since.elapsed() < Duration::from_secs(5));
}

/// The program ends with status 27, soon after its limit of one or two seconds.
fn expect_timeout(client: Running) {
    let since = Instant::now();
    let ended = client.end();
    assert_eq!(ended.status, Some(27), "{}", ended.stderr);
    assert!(ended.stderr.contains("time is up"), "{}", ended.stderr);
    assert!(since.elapsed() < Duration::from_secs(6));
}

#[test]
fn the_time_limit_holds_for_connack_and_for_handshakes() {
    let server = Server::new();
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/../broker/tests/tls/cert.pem");
    let clients = [
        server.client("sub -i c -t a -W 1"),
        server.client(&format!("sub -i c -t a -W 1 --cafile {certificate}")),
        server.client("sub -i c -t a -W 1 -h ws://127.0.0.1"),
    ];
    clients.into_iter().for_each(expect_timeout);
}

#[test]
fn the_time_limit_holds_for_standard_input() {
    expect_timeout(Server::new().client("pub -i c -t a -s -W 1"));
    let server = Server::new();
    let client = server.client("pub -i c -t a -l -W 1");
    let peer = server.accept_connect(CONNECT);
    expect_timeout(client);
    peer.expect_disconnect();
}

#[test]
fn the_time_limit_holds_for_a_server_that_reads_nothing() {
    let file = scratch("slow");
    fs::write(&file, vec![0; 50_000_000]).unwrap();
    let server = Server::new();
    let client = server.client(&format!("pub -i c -t a -W 1 -f {}", file.display()));
    let peer = server.accept_connect(CONNECT);
    expect_timeout(client);
    drop(peer);
    fs::remove_file(&file).unwrap();
}

#[test]
fn the_time_limit_holds_for_output_that_nobody_reads() {
    let server = Server::new();
    let client = server.client("sub -i c -t a -W 2");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00");
    peer.send(b"\x90\x03\x00\x01\x00");
    let writer = thread::spawn(move || {
        let message = [&b"\x30\x83\xb5\x18\x00\x01a"[..], &[b'x'; 400_000]].concat();
        while peer.0.write_all(&message).is_ok() {}
    });
    expect_timeout(client);
    writer.join().unwrap();
}

#[test]
fn the_time_limit_holds_between_attempts_to_connect() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port().to_string();
    let client = Running::start(&["sub", "-i", "c", "-t", "a", "-W", "2", "-p", &port]);
    let (mut socket, _) = nobody.accept().unwrap();
    socket.read_exact(&mut [0; CONNECT_LEN]).unwrap();
    socket.write_all(ACCEPTED).unwrap();
    drop((socket, nobody));
    expect_timeout(client);
}
