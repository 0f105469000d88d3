//! CONNECT and its answer, and the command line.

use std::io::Read;

use crate::script::{CONNECT, Running, Server};

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
