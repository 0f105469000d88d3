//! Other clients of MQTT 5 with our broker.

use crate::installed::{Peer, Server, at, lines};
use crate::process::{self, Process};
use crate::relay::{Relay, Side};
use mqtt_sansio::PacketType;

/// The answer comes back by Response Topic, with the Correlation Data of the request.
#[test]
fn mosquitto_rr_gets_the_answer_to_its_request() {
    let broker = Server::ours(&[]);
    let relay = Relay::to(broker.port());
    let start = |peer: Peer, arguments: &[&str]| {
        let mut command = peer.command()?;
        command.args(at(relay.port())).args(["-V", "5", "-q", "1"]);
        Some(Process::start(command.args(arguments)))
    };
    let request = ["-t", "ask", "-C", "1", "-F", "%R %D %p"];
    let Some(responder) = start(Peer::MosquittoSub, &request) else {
        return;
    };
    relay.wait_for(Side::Server, PacketType::SubAck, 1);
    let request = ["-t", "ask", "-e", "answer/7", "-m", "question", "-W", "20"];
    let properties = ["-D", "publish", "correlation-data", "7"];
    let arguments = [&request[..], &properties, &["-F", "%t %D %p"]].concat();
    let Some(requester) = start(Peer::MosquittoRr, &arguments) else {
        return;
    };
    assert_eq!(lines(&responder.succeed()), ["answer/7 7 question"]);
    let answer = ["-t", "answer/7", "-m", "reply"];
    let Some(publisher) = start(Peer::MosquittoPub, &[&answer[..], &properties].concat()) else {
        return;
    };
    publisher.succeed();
    assert_eq!(lines(&requester.succeed()), ["answer/7 7 reply"]);
    relay.check(Side::Server);
}

#[test]
fn gmqtt_finds_every_feature_of_mqtt_5_in_order() {
    finds_every_feature(Peer::Gmqtt, "gmqtt");
}

#[test]
fn aiomqtt_finds_every_feature_of_mqtt_5_in_order() {
    finds_every_feature(Peer::Aiomqtt, "aiomqtt");
}

fn finds_every_feature(peer: Peer, library: &str) {
    let Some(mut script) = peer.command() else {
        return;
    };
    let broker = Server::ours(&["--deny", "denied"]);
    let relay = Relay::to(broker.port());
    script.args([library, "features", &relay.port().to_string()]);
    let expected = [
        "ok connect",
        "ok subscribe, with a filter that is denied",
        "ok 50 messages at QoS 0",
        "ok 50 messages at QoS 1",
        "ok 50 messages at QoS 2",
        "ok the lower QoS, and properties",
        "ok Topic Alias",
        "ok Subscription Identifier",
        "ok No Local",
        "ok retained messages, Retain Handling and Retain As Published",
        "ok Will with properties",
        "ok Session Expiry Interval",
        "ok Shared Subscription",
        "ok takeover",
    ];
    assert_eq!(lines(&process::run(&mut script)), expected);
    assert!(relay.count(Side::Server, PacketType::Disconnect) > 0);
    relay.check(Side::Server);
}
