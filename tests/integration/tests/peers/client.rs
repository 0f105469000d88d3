//! Our clients with mosquitto.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use mqtt_sansio::PacketType;

use crate::installed::{
    Payloads, Server, Subscriber, at, directory, line, lines, mosquitto_pub, numbers, program,
};
use crate::process::{self, PATIENCE, Process};
use crate::relay::{Fault, Relay, Side, What};

const VERSIONS: [&str; 2] = ["mqttv31", "mqttv311"];
/// The last message, published so that duplicates before it are noticed.
const END: &str = "the end";

/// The test cuts connections on purpose, so the pauses are short.
const MAX_PAUSE: [&str; 2] = ["--max-pause", "0.1"];

fn client(what: &str, port: u16, arguments: &[&str]) -> Command {
    let mut command = program("client");
    command.arg(what).args(MAX_PAUSE);
    command.args(at(port)).args(arguments);
    command
}

/// Runs our client until its subscription is granted.
fn subscribe(relay: Relay, arguments: &[&str]) -> Subscriber {
    let mut command = program("client");
    command.arg("sub").args(MAX_PAUSE);
    Subscriber::start(relay, command, arguments)
}

/// Runs our client to publish, which must succeed.
fn publish(relay: &Relay, arguments: &[&str]) {
    process::run(&mut client("pub", relay.port(), arguments));
}

#[test]
fn what_the_client_publishes_arrives_at_every_qos() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let payloads = Payloads::new();
    for version in VERSIONS {
        let arguments = ["-t", "to/#", "-q", "2", "-C", "12"];
        let Some(subscriber) = Subscriber::mosquitto(mosquitto.port(), &arguments) else {
            return;
        };
        let relay = Relay::to(mosquitto.port());
        let mut expected = Vec::new();
        for qos in 0..=2 {
            for (payload, arguments) in payloads.all.iter().zip(payloads.arguments()) {
                let mut all = vec!["-V", version, "-t", "to/you"];
                let qos_argument = qos.to_string();
                all.extend(["-q", &qos_argument]);
                all.extend(arguments);
                publish(&relay, &all);
                expected.push(line("to/you", qos, 0, payload));
            }
        }
        assert!(subscriber.lines() == expected, "with {version}");
        relay.check(Side::Client);
    }
}

#[test]
fn what_mosquitto_pub_sends_arrives_at_the_client_at_every_qos() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let payloads = Payloads::new();
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let relay = Relay::to(mosquitto.port());
            let arguments = ["-V", version, "-v", "-t", "from/+", "-q", qos, "-C", "4"];
            let subscriber = subscribe(relay, &arguments);
            let mut expected = Vec::new();
            for (payload, arguments) in payloads.all.iter().zip(payloads.arguments()) {
                let mut all = vec!["-t", "from/me", "-q", qos];
                all.extend(arguments);
                if mosquitto_pub(mosquitto.port(), &all, "").is_none() {
                    return;
                }
                expected.extend([b"from/me ", &payload[..], b"\n"].concat());
            }
            let printed = subscriber.process.succeed();
            assert!(printed == expected, "with {version} at QoS {qos}");
            subscriber.relay.check(Side::Client);
        }
    }
}

#[test]
fn retained_messages_go_both_ways() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let relay = Relay::to(mosquitto.port());
    let port = mosquitto.port();
    publish(&relay, &["-t", "kept", "-m", "by us", "-r", "-q", "1"]);
    let Some(subscriber) = Subscriber::mosquitto(port, &["-t", "kept", "-C", "1", "-q", "1"])
    else {
        return;
    };
    assert_eq!(subscriber.lines(), [line("kept", 1, 1, b"by us")]);

    mosquitto_pub(port, &["-t", "kept", "-m", "by them", "-r"], "").unwrap();
    let subscriber = subscribe(relay, &["-t", "kept", "-C", "1"]);
    assert_eq!(lines(&subscriber.process.succeed()), ["by them"]);

    // An empty one ends it.
    publish(&subscriber.relay, &["-t", "kept", "-n", "-r"]);
    let subscriber = subscribe(subscriber.relay, &["-t", "kept", "-C", "1"]);
    mosquitto_pub(port, &["-t", "kept", "-m", "live"], "").unwrap();
    assert_eq!(lines(&subscriber.process.succeed()), ["live"]);
    subscriber.relay.check(Side::Client);
}

#[test]
fn the_will_of_the_client_is_published_when_it_is_killed_and_only_then() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    for version in VERSIONS {
        let arguments = ["-t", "will/#", "-q", "2", "-C", "2"];
        let Some(observer) = Subscriber::mosquitto(mosquitto.port(), &arguments) else {
            return;
        };
        let will = |payload, more: &[&'static str]| {
            let mut arguments = vec!["-V", version, "-t", "nothing", "--will-topic", "will/ours"];
            arguments.extend(["--will-qos", "2", "--will-payload", payload]);
            arguments.extend(more);
            arguments
        };
        // This client sends DISCONNECT,
        let polite = subscribe(Relay::to(mosquitto.port()), &will("never", &["-E"]));
        polite.process.succeed();
        polite.relay.check(Side::Client);
        // this one does not, so its Will is published,
        let victim = subscribe(polite.relay, &will("dead", &[]));
        victim.process.kill();
        // and the Will of this one is retained.
        let victim = subscribe(victim.relay, &will("buried", &["--will-retain"]));
        observer.process.wait_for_lines(1);
        victim.process.kill();
        let expected = [b"dead", &b"buried"[..]].map(|payload| line("will/ours", 2, 0, payload));
        assert_eq!(observer.lines(), expected, "with {version}");
        let observer = Subscriber::mosquitto(mosquitto.port(), &["-t", "will/#", "-C", "1"]);
        assert_eq!(
            observer.unwrap().lines(),
            [line("will/ours", 0, 1, b"buried")]
        );
        publish(&victim.relay, &["-t", "will/ours", "-r", "-n"]);
    }
}

#[test]
fn a_refused_login_is_the_exit_status() {
    let Some(mosquitto) = Server::mosquitto(true) else {
        return;
    };
    let relay = Relay::to(mosquitto.port());
    let status = |arguments: &[&str]| {
        let mut command = client("pub", relay.port(), &["-t", "t", "-m", "m", "-q", "1"]);
        Process::start(command.args(arguments)).finish().0.code()
    };
    assert_eq!(status(&["-u", "ours", "-P", "secret"]), Some(0));
    assert_eq!(status(&["-u", "ours", "-P", "wrong"]), Some(5));
    assert_eq!(status(&["-u", "ours"]), Some(5));
    assert_eq!(status(&[]), Some(5));
    assert_eq!(
        status(&["-V", "mqttv31", "-u", "ours", "-P", "wrong"]),
        Some(5)
    );
    relay.check(Side::Client);
}

/// Sends every packet that a client can send, so that tshark checks all of them.
#[test]
fn an_idle_client_stays_connected() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let relay = Relay::to(mosquitto.port());
    let port = relay.port();
    // mosquitto would close after one and a half of these two seconds.
    let started = Instant::now();
    let arguments = ["-t", "wake/up", "-k", "2", "-q", "2", "-C", "2"];
    let idle = subscribe(relay, &arguments);
    idle.relay.wait_for(Side::Server, PacketType::PingResp, 3);
    assert!(started.elapsed() > Duration::from_secs(3), "in a hurry");
    assert_eq!(idle.relay.connections(), 1);

    let arguments = ["-i", "unsubscribes", "-t", "a", "-t", "b", "-U", "a", "-E"];
    process::run(&mut client("sub", port, &arguments));
    publish(&idle.relay, &["-t", "wake/up", "-m", "1", "-q", "1"]);
    publish(&idle.relay, &["-t", "wake/up", "-m", "2", "-q", "2"]);
    assert_eq!(lines(&idle.process.succeed()), ["1", "2"]);
    assert_eq!(idle.relay.connections(), 4);
    let types = idle.relay.check(Side::Client);
    assert_eq!(Vec::from_iter(types), [1, 3, 4, 5, 6, 7, 8, 10, 12, 14]);
}

#[test]
fn an_unsubscribed_topic_is_not_in_the_session_any_more() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let relay = Relay::to(mosquitto.port());
    let session = ["-c", "-i", "ours", "-q", "1"];
    let topics = ["-t", "a", "-t", "b", "-t", "c", "-U", "b", "-E"];
    let arguments = [&session[..], &topics].concat();
    process::run(&mut client("sub", relay.port(), &arguments));
    for topic in ["a", "b", "c"] {
        let arguments = ["-t", topic, "-q", "1", "-m", "while away"];
        if mosquitto_pub(mosquitto.port(), &arguments, "").is_none() {
            return;
        }
    }
    let arguments = [&session[..], &["-t", "a", "-v", "-C", "2"]].concat();
    let printed = process::run(&mut client("sub", relay.port(), &arguments));
    assert_eq!(lines(&printed), ["a while away", "c while away"]);
    relay.check(Side::Client);
}

const fn fault(from: Side, packet: PacketType, what: What) -> Fault {
    Fault {
        from,
        packet,
        after: 2,
        what,
    }
}

/// Returns faults that cut one connection after another: at each packet of a delivery from `from`,
/// before and after it has arrived.
pub(crate) fn faults(from: Side, qos: u8) -> Vec<Fault> {
    let to = match from {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    };
    let packets = match qos {
        1 => vec![(from, PacketType::Publish), (to, PacketType::PubAck)],
        _ => vec![
            (from, PacketType::Publish),
            (to, PacketType::PubRec),
            (from, PacketType::PubRel),
            (to, PacketType::PubComp),
        ],
    };
    let cuts =
        |(side, packet)| [What::CutAfter, What::CutBefore].map(|what| fault(side, packet, what));
    packets.into_iter().flat_map(cuts).collect()
}

/// Checks that the messages `sent`, and then `END`, were received over the connections that were cut.
fn assert_delivered(mut received: Vec<String>, sent: &[String], qos: u8) {
    assert_eq!(received.pop().as_deref(), Some(END));
    if qos == 1 {
        // At QoS 1 a message may be repeated, but none may be missing, or first arrive out of order.
        let mut seen = Vec::new();
        for line in received {
            if !seen.contains(&line) {
                seen.push(line);
            }
        }
        received = seen;
    }
    assert_eq!(received, sent, "at QoS {qos}");
}

/// Returns the payloads in the output of `mosquitto_sub`.
fn payloads(lines: &[String]) -> Vec<String> {
    let payload = |line: &String| {
        let bytes = hex::decode(line.rsplit(' ').next().unwrap()).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    lines.iter().map(payload).collect()
}

/// Waits for the last message and ends the program.
fn read_to_end(subscriber: Subscriber) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    while !lines(&subscriber.process.printed())
        .iter()
        .any(|line| payloads(std::slice::from_ref(line)) == [END])
    {
        assert!(Instant::now() < deadline, "the end does not come");
        thread::sleep(Duration::from_millis(5));
    }
    payloads(&lines(&subscriber.process.kill()))
}

fn publisher_is_cut(qos: u8) {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let arguments = ["-t", "cut", "-q", "2"];
    let Some(observer) = Subscriber::mosquitto(mosquitto.port(), &arguments) else {
        return;
    };
    let relay = Relay::with_faults(mosquitto.port(), faults(Side::Client, qos));
    let number = qos.to_string();
    let arguments = [
        "-c", "-i", "ours", "-t", "cut", "-q", &number, "-l", "-M", "5",
    ];
    let mut publisher = Process::start(&mut client("pub", relay.port(), &arguments));
    let sent = numbers(100);
    publisher.write((sent.join("\n") + "\n").as_bytes());
    publisher.succeed();
    assert_eq!(relay.faults_left(), 0);
    publish(&relay, &["-t", "cut", "-q", "2", "-m", END]);
    assert_delivered(read_to_end(observer), &sent, qos);
    relay.check(Side::Client);
}

#[test]
fn a_publisher_that_is_cut_off_delivers_at_qos_1_at_least_once() {
    publisher_is_cut(1);
}

#[test]
fn a_publisher_that_is_cut_off_delivers_at_qos_2_exactly_once() {
    publisher_is_cut(2);
}

/// From some packet on, nothing arrives at the publisher, or from it. It is killed, and another one
/// continues with its file.
#[test]
fn a_publisher_that_is_killed_goes_on_with_its_session() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    for (from, packet) in [
        (Side::Client, PacketType::Publish),
        (Side::Server, PacketType::PubRec),
        (Side::Client, PacketType::PubRel),
        (Side::Server, PacketType::PubComp),
    ] {
        let arguments = ["-t", "killed", "-q", "2"];
        let Some(observer) = Subscriber::mosquitto(mosquitto.port(), &arguments) else {
            return;
        };
        let relay = Relay::with_faults(mosquitto.port(), [fault(from, packet, What::Silence)]);
        let directory = directory("session");
        let file = directory.path().join("session").display().to_string();
        let client = |more: &[&str]| {
            let mut arguments = vec!["-c", "-i", "ours", "--session", &file];
            arguments.extend(["-t", "killed", "-q", "2"]);
            arguments.extend(more);
            Process::start(&mut client("pub", relay.port(), &arguments))
        };
        let mut victim = client(&["-l"]);
        let sent = numbers(10);
        victim.write((sent.join("\n") + "\n").as_bytes());
        // All messages are in flight, some of them partly acknowledged.
        relay.wait_for(Side::Client, PacketType::Publish, 10);
        relay.wait_for(from, packet, 3);
        victim.kill();
        client(&["-m", END]).succeed();
        assert_delivered(read_to_end(observer), &sent, 2);
        relay.check(Side::Client);
    }
}

fn subscriber_is_cut(qos: u8) {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let relay = Relay::with_faults(mosquitto.port(), faults(Side::Server, qos));
    let number = qos.to_string();
    let arguments = ["-c", "-i", "ours", "-t", "cut", "-q", &number];
    let subscriber = subscribe(relay, &arguments);
    let sent = numbers(100);
    let arguments = ["-t", "cut", "-q", "2", "-l"];
    if mosquitto_pub(mosquitto.port(), &arguments, &(sent.join("\n") + "\n")).is_none() {
        return;
    }
    subscriber.process.wait_for_lines(100);
    mosquitto_pub(mosquitto.port(), &["-t", "cut", "-q", "2", "-m", END], "").unwrap();
    subscriber.process.wait_for_line(END);
    assert_eq!(subscriber.relay.faults_left(), 0);
    // Exactly once needs a sender that obeys the standard, too.
    let qos = if subscriber.relay.has_server_resent_what_was_released() {
        println!("mosquitto has sent PUBLISH again after PUBREL, so a message may arrive twice");
        1
    } else {
        qos
    };
    assert_delivered(lines(&subscriber.process.kill()), &sent, qos);
    subscriber.relay.check(Side::Client);
}

#[test]
fn a_subscriber_that_is_cut_off_receives_at_qos_1_at_least_once() {
    subscriber_is_cut(1);
}

#[test]
fn a_subscriber_that_is_cut_off_receives_at_qos_2_exactly_once() {
    subscriber_is_cut(2);
}

/// The subscriber is silenced and killed, as the publisher above.
#[test]
fn a_subscriber_that_is_killed_goes_on_with_its_session() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    for (from, packet) in [
        (Side::Client, PacketType::PubRec),
        (Side::Server, PacketType::PubRel),
        (Side::Client, PacketType::PubComp),
    ] {
        let relay = Relay::with_faults(mosquitto.port(), [fault(from, packet, What::Silence)]);
        let directory = directory("session");
        let file = directory.path().join("session").display().to_string();
        // Each subscriber has its own session, so the next one does not get its queued messages.
        let id = format!("{from:?}-{packet:?}");
        let arguments = [
            "-c",
            "-i",
            &id,
            "--session",
            &file,
            "-t",
            "killed",
            "-q",
            "2",
        ];
        let victim = subscribe(relay, &arguments);
        let sent = numbers(10);
        let publish = ["-t", "killed", "-q", "2", "-l"];
        if mosquitto_pub(mosquitto.port(), &publish, &(sent.join("\n") + "\n")).is_none() {
            return;
        }
        // Wait until the subscriber is idle: it cannot print a message and store that in one step.
        // After the fault, the broker may wait for packets that do not arrive, but it has sent all
        // ten messages.
        victim.relay.wait_for(Side::Server, PacketType::Publish, 10);
        victim.relay.wait_for(from, packet, 3);
        victim.relay.wait_for_answers();
        let mut received = lines(&victim.process.kill());
        // The broker queues these for it.
        let queued = ["and another".to_owned(), END.to_owned()];
        for message in &queued {
            mosquitto_pub(
                mosquitto.port(),
                &["-t", "killed", "-q", "2", "-m", message],
                "",
            );
        }
        let resumed = subscribe(victim.relay, &arguments);
        resumed.process.wait_for_line(END);
        received.extend(lines(&resumed.process.kill()));
        let expected = [&sent[..], &queued[..1]].concat();
        assert_delivered(received, &expected, 2);
        resumed.relay.check(Side::Client);
    }
}

#[test]
fn what_is_queued_for_a_subscriber_that_is_killed_comes_once() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let arguments = ["-c", "-i", "ours", "-t", "queued", "-q", "2"];
    let victim = subscribe(Relay::to(mosquitto.port()), &arguments);
    victim.process.kill();
    let sent = numbers(50);
    let publish = ["-t", "queued", "-q", "2", "-l"];
    if mosquitto_pub(mosquitto.port(), &publish, &(sent.join("\n") + "\n")).is_none() {
        return;
    }
    let resumed = subscribe(victim.relay, &arguments);
    resumed.process.wait_for_lines(50);
    mosquitto_pub(
        mosquitto.port(),
        &["-t", "queued", "-q", "2", "-m", END],
        "",
    )
    .unwrap();
    resumed.process.wait_for_line(END);
    assert_delivered(lines(&resumed.process.kill()), &sent, 2);
    resumed.relay.check(Side::Client);
}

#[test]
fn the_tokio_client_goes_both_ways_at_every_qos() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    for qos in ["0", "1", "2"] {
        let arguments = ["-t", "there", "-q", qos, "-C", "10"];
        let Some(observer) = Subscriber::mosquitto(mosquitto.port(), &arguments) else {
            return;
        };
        let arguments = ["-t", "back", "-q", qos, "--publish", "there"];
        let relay = Relay::to(mosquitto.port());
        let mut ours = Subscriber::start(relay, program("client_tokio"), &arguments);
        let sent = numbers(10);
        let input = sent.join("\n") + "\n";
        ours.process.write(input.as_bytes());
        assert_eq!(payloads(&observer.lines()), sent);
        let arguments = ["-t", "back", "-q", qos, "-l"];
        mosquitto_pub(mosquitto.port(), &arguments, &input);
        ours.process.wait_for_lines(10);
        let printed = lines(&ours.process.succeed());
        assert!(
            printed
                .iter()
                .zip(&sent)
                .all(|(line, sent)| line.ends_with(&**sent))
        );
        ours.relay.check(Side::Client);
    }
}

#[test]
fn the_tokio_client_delivers_exactly_once_when_it_is_cut_off() {
    let Some(mosquitto) = Server::mosquitto(false) else {
        return;
    };
    let arguments = ["-t", "cut", "-q", "2"];
    let Some(observer) = Subscriber::mosquitto(mosquitto.port(), &arguments) else {
        return;
    };
    let relay = Relay::with_faults(mosquitto.port(), faults(Side::Client, 2));
    let mut command = program("client_tokio");
    command.args(at(relay.port())).args(MAX_PAUSE);
    command.args(["-c", "-i", "ours", "-q", "2", "--publish", "cut"]);
    let mut publisher = Process::start(&mut command);
    let sent = numbers(200);
    publisher.write((sent.join("\n") + "\n").as_bytes());
    publisher.succeed();
    assert_eq!(relay.faults_left(), 0);
    publish(&relay, &["-t", "cut", "-q", "2", "-m", END]);
    assert_delivered(read_to_end(observer), &sent, 2);
    relay.check(Side::Client);
}
