//! The options of MQTT 5.

use crate::script::{ACCEPTED_5, CONNECT, CONNECT_5, Running, Server};

#[test]
fn a_message_is_published_at_each_qos_in_mqtt_5() {
    let server = Server::new();
    let client = server.client("pub -V 5 -i c -t a -m x");
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x30\x05\x00\x01a\x00x");
    peer.expect_disconnect();
    client.succeed();

    let client = server.client("pub -V mqttv5 -i c -t a -m x -q 1");
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x32\x07\x00\x01a\x00\x01\x00x");
    peer.send(b"\x40\x02\x00\x01");
    peer.expect_disconnect();
    client.succeed();

    let client = server.client("pub -V 5 -i c -t a -m x -q 2");
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x34\x07\x00\x01a\x00\x01\x00x");
    peer.send(b"\x50\x02\x00\x01");
    peer.expect(b"\x62\x02\x00\x01");
    peer.send(b"\x70\x02\x00\x01");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn connect_will_and_disconnect_have_the_properties_of_the_command_line() {
    let server = Server::new();
    let client = server.client(
        "pub -V 5 -i c -c -x 60 -t a -n --will-topic w --will-payload gone \
         -D connect receive-maximum 5 -D connect user-property k v \
         -D will will-delay-interval 9 -D disconnect session-expiry-interval 5",
    );
    let mut peer = server.accept_connect_5(
        b"\x10\x2c\x00\x04MQTT\x05\x04\x00\x3c\
          \x0f\x21\x00\x05\x26\x00\x01k\x00\x01v\x11\x00\x00\x00\x3c\
          \x00\x01c\x05\x18\x00\x00\x00\x09\x00\x01w\x00\x04gone",
    );
    peer.expect(b"\x30\x04\x00\x01a\x00");
    peer.expect(b"\xe0\x07\x00\x05\x11\x00\x00\x00\x05");
    peer.expect_end();
    client.succeed();
}

#[test]
fn without_clean_start_the_session_does_not_expire() {
    for options in ["-c", "-c -x -1", "-c -x 4294967295"] {
        let server = Server::new();
        let client = server.client(&format!("pub -V 5 -i c -t a -n {options}"));
        let mut peer = server.accept_connect_5(
            b"\x10\x13\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\xff\xff\xff\xff\x00\x01c",
        );
        peer.expect(b"\x30\x04\x00\x01a\x00");
        peer.expect_disconnect();
        client.succeed();
    }
}

#[test]
fn a_session_that_outlives_the_connection_is_resumed_with_the_assigned_client_identifier() {
    let server = Server::new();
    let client = server.client("sub -V 5 -t a -x 60 -C 1");
    let mut peer = server.accept();
    peer.expect(b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3c\x05\x11\x00\x00\x00\x3c\x00\x00");
    peer.send(b"\x20\x08\x00\x00\x05\x12\x00\x02s1");
    peer.expect(b"\x82\x07\x00\x01\x00\x00\x01a\x00");
    peer.send(b"\x90\x04\x00\x01\x00\x00");
    drop(peer);
    let mut peer = server.accept();
    peer.expect(b"\x10\x14\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\x00\x00\x00\x3c\x00\x02s1");
    peer.send(b"\x20\x03\x01\x00\x00\x30\x05\x00\x01a\x00x");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "x\n");
}

#[test]
fn a_message_has_the_properties_of_the_command_line() {
    let server = Server::new();
    let client = server.client(
        "pub -V 5 -i c -t a -m x -D publish message-expiry-interval 60 \
         --property publish content-type t",
    );
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x30\x0e\x00\x01a\x09\x02\x00\x00\x00\x3c\x03\x00\x01tx");
    peer.expect_disconnect();
    client.succeed();
}

#[test]
fn a_shared_subscription_has_the_properties_of_the_command_line() {
    let server = Server::new();
    let client = server
        .client("sub -V 5 -i c -t $share/g/a -q 1 -v -C 1 -D subscribe subscription-identifier 7");
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x82\x12\x00\x01\x02\x0b\x07\x00\x0a$share/g/a\x01");
    peer.send(b"\x90\x04\x00\x01\x00\x01");
    peer.send(b"\x32\x09\x00\x01a\x00\x05\x02\x0b\x07x");
    peer.expect(b"\x40\x02\x00\x05");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "a x\n");
}

#[test]
fn topic_aliases_of_the_server_are_resolved() {
    let server = Server::new();
    let client = server.client("sub -V 5 -i c -t # -v -C 2 -D connect topic-alias-maximum 5");
    let mut peer =
        server.accept_connect_5(b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x03\x22\x00\x05\x00\x01c");
    peer.expect(b"\x82\x07\x00\x01\x00\x00\x01#\x00");
    peer.send(b"\x90\x04\x00\x01\x00\x00");
    peer.send(b"\x30\x08\x00\x01a\x03\x23\x00\x011\x30\x07\x00\x00\x03\x23\x00\x012");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "a 1\na 2\n");
}

#[test]
fn a_request_ends_with_the_response_that_has_its_correlation_data() {
    let server = Server::new();
    let client = server.client("rr -i c -t q -e r -m x -v -D publish correlation-data 77");
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x82\x07\x00\x01\x00\x00\x01r\x00");
    peer.send(b"\x90\x04\x00\x01\x00\x00");
    peer.expect(b"\x30\x0e\x00\x01q\x09\x09\x00\x0277\x08\x00\x01rx");
    peer.send(b"\x30\x0a\x00\x01r\x05\x09\x00\x0288n\x30\x0a\x00\x01r\x05\x09\x00\x0277y");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "r y\n");
}

#[test]
fn in_mqtt_3_1_1_a_request_ends_with_the_first_message_to_the_response_topic() {
    let server = Server::new();
    let client = server.client("rr -V 3.1.1 -i c -t q -e r -m x -q 1");
    let mut peer = server.accept_connect(CONNECT);
    peer.expect(b"\x82\x06\x00\x01\x00\x01r\x01");
    peer.send(b"\x90\x03\x00\x01\x01");
    peer.expect(b"\x32\x06\x00\x01q\x00\x02x");
    peer.send(b"\x40\x02\x00\x02\x32\x06\x00\x01r\x00\x09y");
    peer.expect(b"\x40\x02\x00\x09");
    peer.expect_disconnect();
    assert_eq!(client.succeed(), "y\n");
}

#[test]
fn refusals_are_printed_by_name() {
    let server = Server::new();
    let client = server.client("pub -V 5 -i c -t a -n");
    let mut peer = server.accept();
    peer.expect(CONNECT_5);
    peer.send(b"\x20\x08\x00\x87\x05\x1f\x00\x02no");
    peer.expect_end();
    let ended = client.end();
    assert_eq!(ended.status, Some(0x87));
    let report = "connection refused: Not authorized (no)";
    assert!(ended.stderr.contains(report), "{}", ended.stderr);

    let client = server.client("sub -V 5 -i c -t a -t b -E");
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x82\x0b\x00\x01\x00\x00\x01a\x00\x00\x01b\x00");
    peer.send(b"\x90\x05\x00\x01\x00\x87\x00");
    peer.expect_disconnect();
    let ended = client.end();
    assert_eq!(ended.status, Some(0));
    let report = "subscription to a: Not authorized";
    assert!(ended.stderr.contains(report), "{}", ended.stderr);

    for (qos, answer) in [
        ("1", b"\x40\x03\x00\x01\x97"),
        ("2", b"\x50\x03\x00\x01\x97"),
    ] {
        let client = server.client(&format!("pub -V 5 -i c -t a -m x -q {qos}"));
        let mut peer = server.accept_connect_5(CONNECT_5);
        let flags = if qos == "1" { 0x32 } else { 0x34 };
        peer.expect(&[flags, 7, 0, 1, b'a', 0, 1, 0, b'x']);
        peer.send(answer);
        peer.expect_disconnect();
        let ended = client.end();
        assert_eq!(ended.status, Some(70));
        let report = "message to a not delivered: the server has refused it: Quota exceeded";
        assert!(ended.stderr.contains(report), "{}", ended.stderr);
    }
}

#[test]
fn what_the_server_does_not_support_is_not_sent() {
    let server = Server::new();
    let client = server.client("pub -V 5 -i c -t a -m x -q 1");
    let mut peer = server.accept();
    peer.expect(CONNECT_5);
    peer.send(b"\x20\x05\x00\x00\x02\x24\x00"); // Maximum QoS 0
    peer.expect_disconnect();
    let ended = client.end();
    assert_eq!(ended.status, Some(70));
    assert!(ended.stderr.contains("Maximum QoS"), "{}", ended.stderr);
}

#[test]
fn a_server_that_breaks_mqtt_5_is_told_so() {
    let server = Server::new();
    let client = server.client("sub -V 5 -i c -t a");
    let mut peer = server.accept_connect_5(CONNECT_5);
    peer.expect(b"\x82\x07\x00\x01\x00\x00\x01a\x00");
    peer.send(ACCEPTED_5);
    peer.expect(b"\xe0\x01\x82");
    peer.expect_end();
    assert_eq!(client.end().status, Some(76));
}

#[test]
fn options_of_mqtt_5_that_make_no_sense_are_refused() {
    for arguments in [
        "sub -t a -x 5",
        "sub -t a -D subscribe subscription-identifier 7",
        "sub -t a -V 4",
        "sub -t a -V 5 -x soon",
        "sub -t a -V 5 -D connack receive-maximum 5",
        "sub -t a -V 5 -D connect colour red",
        "sub -t a -V 5 -D connect receive-maximum 0",
        "sub -t a -V 5 -D publish receive-maximum 5 -D connect receive-maximum 5 -D connect receive-maximum 5",
        "sub -t a -V 5 -D will will-delay-interval 5",
        "sub -t $share//a -V 5",
        "pub -t a -n -V 5 -D publish receive-maximum 5",
        "pub -t a -n -V 5 -D publish payload-format-indicator 2",
        "pub -t a -n -h http://localhost",
        "pub -t a -n -h mqtts://localhost",
        "rr -t a -m x",
        "rr -t a -e r/# -m x",
        "rr -t a -e r -l",
    ] {
        let ended = Running::start(&arguments.split(' ').collect::<Vec<_>>()).end();
        assert_eq!(ended.status, Some(64), "{arguments:?}: {}", ended.stderr);
    }
}
