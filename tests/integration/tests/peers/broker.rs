//! Other clients with our broker.

use mqtt_sansio::PacketType;

use crate::client::faults;
use crate::installed::{
    Payloads, Peer, Server, Subscriber, at, line, lines, mosquitto_pub, numbers,
};
use crate::process::{self, Process, at_once};
use crate::relay::{Relay, Side};

const VERSIONS: [&str; 2] = ["mqttv31", "mqttv311"];

/// The option for a packet with a payload of 1 MiB.
const LARGE: [&str; 2] = ["--max-packet-size", "1100000"];

#[test]
fn mosquitto_clients_send_to_each_other_at_every_qos() {
    let broker = Server::ours(&LARGE);
    let payloads = Payloads::new();
    for version in VERSIONS {
        for qos in 0..=2 {
            let number = qos.to_string();
            let arguments = ["-V", version, "-t", "+/mosquitto", "-q", &number, "-C", "4"];
            let Some(subscriber) = Subscriber::mosquitto(broker.port(), &arguments) else {
                return;
            };
            let relay = Relay::to(broker.port());
            let mut expected = Vec::new();
            for (payload, arguments) in payloads.all.iter().zip(payloads.arguments()) {
                let mut all = vec!["-V", version, "-t", "other/mosquitto", "-q", &number];
                all.extend(arguments);
                if mosquitto_pub(relay.port(), &all, "").is_none() {
                    return;
                }
                expected.push(line("other/mosquitto", qos, 0, payload));
            }
            let printed = lines(&subscriber.process.succeed());
            assert!(printed == expected, "with {version} at QoS {qos}");
            subscriber.relay.check(Side::Server);
            relay.check(Side::Server);
        }
    }
}

#[test]
fn mosquitto_sub_gets_what_is_retained() {
    let broker = Server::ours(&[]);
    let relay = Relay::to(broker.port());
    for version in VERSIONS {
        let publish = |arguments: &[&str]| {
            let all = [&["-V", version, "-q", "1"], arguments].concat();
            mosquitto_pub(relay.port(), &all, "")
        };
        let subscribe = |filter| {
            let arguments = ["-V", version, "-t", filter, "-q", "2", "-C", "2"];
            Subscriber::mosquitto(broker.port(), &arguments).unwrap()
        };
        for arguments in [
            ["-t", "kept/a", "-m", "first", "-r"],
            ["-t", "kept/a", "-m", "a", "-r"],
            ["-t", "kept/b", "-m", "b", "-r"],
            ["-t", "kept/c", "-m", "gone", "-r"],
        ] {
            if publish(&arguments).is_none() {
                return;
            }
        }
        publish(&["-t", "kept/c", "-r", "-n"]);
        if Peer::MosquittoSub.command().is_none() {
            return;
        }
        let subscriber = subscribe("kept/+");
        let mut printed = lines(&subscriber.process.succeed());
        printed.sort(); // In which order topics come is the broker's choice.
        let expected = [line("kept/a", 1, 1, b"a"), line("kept/b", 1, 1, b"b")];
        assert_eq!(printed, expected);
        subscriber.relay.check(Side::Server);

        let subscriber = subscribe("kept/a");
        publish(&["-t", "kept/a", "-m", "live", "-r"]);
        let expected = [line("kept/a", 1, 1, b"a"), line("kept/a", 1, 0, b"live")];
        assert_eq!(subscriber.lines(), expected);
    }
    relay.check(Side::Server);
}

#[test]
fn the_will_of_mosquitto_sub_is_published_when_it_is_killed_and_only_then() {
    let broker = Server::ours(&[]);
    for version in VERSIONS {
        let arguments = ["-t", "will/#", "-q", "2", "-C", "2"];
        let Some(observer) = Subscriber::mosquitto(broker.port(), &arguments) else {
            return;
        };
        let start = |payload, more: &[&'static str]| {
            let mut arguments = vec![
                "-V",
                version,
                "-t",
                "nothing",
                "--will-topic",
                "will/theirs",
            ];
            arguments.extend(["--will-qos", "2", "--will-payload", payload]);
            arguments.extend(more);
            Subscriber::mosquitto(broker.port(), &arguments).unwrap()
        };
        let polite = start("never", &["-E"]);
        polite.process.succeed();
        start("dead", &[]).process.kill();
        observer.process.wait_for_lines(1);
        start("buried", &["--will-retain"]).process.kill();
        let expected = [b"dead", &b"buried"[..]].map(|payload| line("will/theirs", 2, 0, payload));
        let printed = lines(&observer.process.succeed());
        assert_eq!(printed, expected, "with {version}");
        observer.relay.check(Side::Server);

        let arguments = ["-t", "will/#", "-C", "1"];
        let observer = Subscriber::mosquitto(broker.port(), &arguments).unwrap();
        assert_eq!(observer.lines(), [line("will/theirs", 0, 1, b"buried")]);
        mosquitto_pub(broker.port(), &["-t", "will/theirs", "-r", "-n"], "");
    }
}

#[test]
fn mosquitto_sub_finds_what_was_queued_in_its_session() {
    let broker = Server::ours(&[]);
    for version in VERSIONS {
        let session = [
            "-V", version, "-c", "-i", version, "-t", "queued", "-q", "2",
        ];
        let subscribe = |more: &[&str]| {
            let arguments = [&session[..], more].concat();
            Subscriber::mosquitto(broker.port(), &arguments)
        };
        let Some(first) = subscribe(&["-E"]) else {
            return;
        };
        first.process.succeed();
        let sent = numbers(200);
        let mut expected = Vec::new();
        for (qos, sent) in ["1", "2"].into_iter().zip(sent.chunks(100)) {
            let input = sent.join("\n") + "\n";
            let arguments = ["-t", "queued", "-q", qos, "-l"];
            if mosquitto_pub(broker.port(), &arguments, &input).is_none() {
                return;
            }
            let qos = qos.parse().unwrap();
            expected.extend(
                sent.iter()
                    .map(|sent| line("queued", qos, 0, sent.as_bytes())),
            );
        }
        let resumed = subscribe(&["-C", "201"]).unwrap();
        resumed.process.wait_for_lines(200);
        mosquitto_pub(broker.port(), &["-t", "queued", "-m", "now"], "");
        expected.push(line("queued", 0, 0, b"now"));
        let printed = lines(&resumed.process.succeed());
        assert_eq!(printed, expected, "with {version}");
        resumed.relay.check(Side::Server);
    }
}

#[test]
fn a_subscription_that_is_denied_fails_and_others_do_not() {
    let broker = Server::ours(&["--deny", "secret/#"]);
    let subscribe = |arguments: &[&str]| Subscriber::mosquitto(broker.port(), arguments);
    let Some(denied) = subscribe(&["-t", "secret/#"]) else {
        return;
    };
    assert!(denied.process.wait_for_error("denied"));
    denied.process.finish();
    denied.relay.check(Side::Server);

    let granted = subscribe(&["-t", "secret/#", "-t", "public", "-C", "1"]).unwrap();
    for topic in ["secret/1", "public"] {
        if mosquitto_pub(broker.port(), &["-t", topic, "-m", "m"], "").is_none() {
            return;
        }
    }
    let printed = lines(&granted.process.succeed());
    assert_eq!(printed, [line("public", 0, 0, b"m")]);
    granted.relay.check(Side::Server);
}

#[test]
fn mosquitto_pub_has_to_log_in() {
    let broker = Server::ours(&["--user", "theirs", "--password", "secret"]);
    let relay = Relay::to(broker.port());
    for (login, status) in [
        (&["-u", "theirs", "-P", "secret"][..], 0),
        (&["-u", "theirs", "-P", "wrong"], 4),
        (&["-u", "ours", "-P", "secret"], 4),
        (&[], 5),
    ] {
        for version in VERSIONS {
            let Some(mut command) = Peer::MosquittoPub.command() else {
                return;
            };
            command.args(at(relay.port())).args(login);
            command.args(["-V", version, "-t", "t", "-m", "m", "-q", "1"]);
            let (found, _) = Process::start(&mut command).finish();
            assert_eq!(found.code(), Some(status), "{login:?} with {version}");
        }
    }
    relay.check(Side::Server);
}

#[test]
fn paho_finds_every_feature_in_order() {
    finds_every_feature(Peer::Paho, &["overlapping subscriptions", "takeover"]);
}

#[test]
fn mqtt_js_finds_every_feature_in_order() {
    finds_every_feature(Peer::MqttJs, &[]);
}

fn finds_every_feature(peer: Peer, more: &[&str]) {
    at_once(["3", "4"], |version| {
        let Some(mut script) = peer.command() else {
            return;
        };
        let arguments = [&LARGE[..], &["--deny", "denied"]].concat();
        let broker = Server::ours(&arguments);
        let relay = Relay::to(broker.port());
        script.args(["features", &relay.port().to_string(), version]);
        let printed = lines(&process::run(&mut script));
        let mut expected = vec![
            "connect",
            "subscribe, with a filter that is denied",
            "200 messages at QoS 0",
            "200 messages at QoS 1",
            "200 messages at QoS 2",
            "the lower QoS",
            "a payload of 1 MiB",
            "unsubscribe",
            "retained messages",
            "will",
            "persistent session",
        ];
        expected.extend(more);
        let mut found: Vec<_> = printed
            .iter()
            .map(|line| line.strip_prefix("ok ").unwrap())
            .collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        let types = relay.check(Side::Server);
        let without_pingresp = [2, 3, 4, 5, 6, 7, 9, 11];
        assert!(without_pingresp.iter().all(|packet| types.contains(packet)));
    });
}

#[test]
fn paho_keeps_a_connection_alive_and_loses_one_that_it_does_not() {
    at_once(["3", "4"], |version| {
        let Some(mut script) = Peer::Paho.command() else {
            return;
        };
        let broker = Server::ours(&[]);
        let relay = Relay::to(broker.port());
        script.args(["silence", &relay.port().to_string(), version]);
        assert_eq!(lines(&process::run(&mut script)), ["ok keep-alive"]);
        assert!(relay.count(Side::Server, PacketType::PingResp) > 0);
        relay.check(Side::Server);
    });
}

fn is_cut_off(peer: Peer, version: &str, qos: u8) {
    let Some(mut script) = peer.command() else {
        return;
    };
    let broker = match peer {
        // MQTT.js resends with DUP 0, which violates [MQTT-3.3.1-1].
        Peer::MqttJs => Server::ours(&["--accept-resend-without-dup"]),
        _ => Server::ours(&[]),
    };
    let from_publisher = Relay::with_faults(broker.port(), faults(Side::Client, qos));
    let to_subscriber = Relay::with_faults(broker.port(), faults(Side::Server, qos));
    let ports = [&from_publisher, &to_subscriber].map(|relay| relay.port().to_string());
    script
        .arg("cuts")
        .args(ports)
        .args([version, &qos.to_string()]);
    let expected = if qos == 1 {
        "ok at least once"
    } else {
        "ok exactly once"
    };
    assert_eq!(lines(&process::run(&mut script)), [expected]);
    for relay in [from_publisher, to_subscriber] {
        assert_eq!(relay.faults_left(), 0);
        relay.check(Side::Server);
    }
}

#[test]
fn paho_delivers_at_qos_1_at_least_once_when_it_is_cut_off() {
    at_once(["3", "4"], |version| is_cut_off(Peer::Paho, version, 1));
}

#[test]
fn paho_delivers_at_qos_2_exactly_once_when_it_is_cut_off() {
    at_once(["3", "4"], |version| is_cut_off(Peer::Paho, version, 2));
}

#[test]
fn mqtt_js_delivers_at_qos_1_at_least_once_when_it_is_cut_off() {
    at_once(["3", "4"], |version| is_cut_off(Peer::MqttJs, version, 1));
}

#[test]
fn mqtt_js_delivers_at_qos_2_exactly_once_when_it_is_cut_off() {
    at_once(["3", "4"], |version| is_cut_off(Peer::MqttJs, version, 2));
}

#[test]
fn rumqttc_sends_and_receives_500_messages_at_qos_1_and_2() {
    let Some(mut program) = Peer::Rumqttc.command() else {
        return;
    };
    let broker = Server::ours(&[]);
    let relay = Relay::to(broker.port());
    program.arg(relay.port().to_string());
    let expected = ["ok 500 messages at QoS 1", "ok 500 messages at QoS 2"];
    assert_eq!(lines(&process::run(&mut program)), expected);
    relay.check(Side::Server);
}
