//! The asynchronous API, over a stream in memory, with a server that sends and expects exactly the
//! bytes of a test.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "tests run on an operating system"
)]

use std::future::Future;
use std::io;
use std::time::Duration;

use client::Failure;
use client::outgoing::Undelivered;
use client::protocol::{Message, Subscribe};
use client_tokio::{Client, Error, Options, Subscription};
use futures_util::{FutureExt as _, StreamExt as _};
use mqtt_sansio::v3::V3;
use mqtt_sansio::v5::{self, ReasonCode, V5};
use mqtt_sansio::{QoS, Text, TopicFilter, TopicName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The time limit of each step.
const PATIENCE: Duration = Duration::from_secs(20);

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c";
const CONNECT_AGAIN: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01c";
const CONNECT_5: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c";

/// The server's side of one connection.
struct Peer(DuplexStream);

impl Peer {
    async fn expect(&mut self, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        let read = timeout(PATIENCE, self.0.read_exact(&mut bytes)).await;
        read.expect("nothing more was sent").unwrap();
        assert_eq!(
            bytes.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }

    /// Checks that nothing is sent for a while.
    async fn expect_silence(&mut self) {
        let read = timeout(Duration::from_millis(50), self.0.read_u8()).await;
        assert!(read.is_err(), "{read:?}");
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }
}

/// The connections that the client opens, for the test.
struct Server(mpsc::UnboundedReceiver<DuplexStream>);

impl Server {
    async fn accept(&mut self, connect: &[u8], connack: &[u8]) -> Peer {
        let accepted = timeout(PATIENCE, self.0.recv()).await;
        let mut peer = Peer(accepted.expect("nobody connects").unwrap());
        peer.expect(connect).await;
        peer.send(connack).await;
        peer
    }
}

/// Returns a function that connects in memory, and the connections that it opens.
fn dial() -> (
    impl FnMut() -> std::future::Ready<io::Result<DuplexStream>>,
    Server,
) {
    let (sender, accepted) = mpsc::unbounded_channel();
    let dial = move || {
        let (near, far) = duplex(64 * 1024);
        sender.send(far).unwrap();
        std::future::ready(Ok(near))
    };
    (dial, Server(accepted))
}

fn options() -> Options {
    Options::new(v5::Connect::new(Text::new("c").unwrap()))
}

/// Returns a client of MQTT 3.1.1 with a running driver.
fn start(options: Options) -> (Client, Server) {
    let (dial, server) = dial();
    let (client, driver) = Client::new::<V3, _, _, _>(options, dial);
    tokio::spawn(driver);
    (client, server)
}

fn message(payload: &[u8], qos: QoS) -> Message {
    let topic = TopicName::new("a").unwrap();
    v5::Message::new(topic, payload).qos(qos).to_owned()
}

fn filter(filter: &str) -> TopicFilter<&[u8]> {
    TopicFilter::new(filter).unwrap()
}

/// Waits for both futures, in either order.
async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    tokio::join!(a, b)
}

async fn next(messages: &mut Subscription) -> Option<Vec<u8>> {
    let next = timeout(PATIENCE, messages.next()).await;
    let next = next.expect("no message");
    next.map(|message| message.payload.clone())
}

#[tokio::test]
async fn publish_completes_when_the_message_is_acknowledged() {
    let (client, mut server) = start(options());
    let mut peer = server.accept(CONNECT, b"\x20\x02\x00\x00").await;
    client
        .publish(message(b"0", QoS::AtMostOnce))
        .await
        .unwrap();
    peer.expect(b"\x30\x04\x00\x01a0").await;

    let first = client.enqueue(message(b"1", QoS::AtLeastOnce)).await;
    let second = client.enqueue(message(b"2", QoS::ExactlyOnce)).await;
    let (mut first, mut second) = (first.unwrap(), second.unwrap());
    peer.expect(b"\x32\x06\x00\x01a\x00\x011\x34\x06\x00\x01a\x00\x022")
        .await;
    assert_eq!((&mut first).now_or_never(), None);
    peer.send(b"\x50\x02\x00\x02").await;
    assert_eq!((&mut second).await, Ok(()));
    assert_eq!((&mut first).now_or_never(), None);
    peer.send(b"\x40\x02\x00\x01").await;
    assert_eq!(first.await, Ok(()));
}

#[tokio::test]
async fn publish_outlives_a_connection() {
    let mut options = options();
    options.connect.packet.clean_start = false;
    let (client, mut server) = start(options);
    let mut peer = server.accept(CONNECT_AGAIN, b"\x20\x02\x00\x00").await;
    let delivery = client.enqueue(message(b"1", QoS::AtLeastOnce)).await;
    peer.expect(b"\x32\x06\x00\x01a\x00\x011").await;
    drop(peer);
    let mut peer = server.accept(CONNECT_AGAIN, b"\x20\x02\x01\x00").await;
    peer.expect(b"\x3a\x06\x00\x01a\x00\x011").await;
    peer.send(b"\x40\x02\x00\x01").await;
    assert_eq!(delivery.unwrap().await, Ok(()));
}

#[tokio::test]
async fn a_refused_message_is_an_error_of_publish() {
    let (dial, mut server) = dial();
    let (client, driver) = Client::new::<V5, _, _, _>(options(), dial);
    tokio::spawn(driver);
    let mut peer = server.accept(CONNECT_5, b"\x20\x03\x00\x00\x00").await;
    let publish = client.publish(message(b"1", QoS::AtLeastOnce));
    let answer = async {
        peer.expect(b"\x32\x07\x00\x01a\x00\x01\x001").await;
        peer.send(b"\x40\x03\x00\x01\x97").await;
    };
    let (published, ()) = both(publish, answer).await;
    let refused = Undelivered::Refused(ReasonCode::QuotaExceeded);
    assert_eq!(published, Err(Error::Undelivered(refused)));
}

#[tokio::test]
async fn each_subscription_gets_the_messages_that_match_it() {
    let (client, mut server) = start(options());
    let mut peer = server.accept(CONNECT, b"\x20\x02\x00\x00").await;
    let subscribe = both(
        client.subscribe_to(filter("a/#"), QoS::AtLeastOnce),
        client.subscribe_to(filter("$share/g/+/b"), QoS::AtLeastOnce),
    );
    let answer = async {
        peer.expect(b"\x82\x08\x00\x01\x00\x03a/#\x01\x82\x11\x00\x02\x00\x0c$share/g/+/b\x01")
            .await;
        peer.send(b"\x90\x03\x00\x02\x01\x90\x03\x00\x01\x01").await;
    };
    let ((first, second), ()) = both(subscribe, answer).await;
    let (mut first, mut second) = (first.unwrap(), second.unwrap());
    peer.send(b"\x30\x06\x00\x03a/c1\x30\x06\x00\x03c/b2").await;
    assert_eq!(next(&mut first).await.unwrap(), b"1");
    assert_eq!(next(&mut second).await.unwrap(), b"2");

    // The message is acknowledged when the last subscription has dropped it.
    peer.send(b"\x32\x08\x00\x03a/b\x00\x073").await;
    let held = first.next().await.unwrap();
    assert_eq!(next(&mut second).await.unwrap(), b"3");
    peer.expect_silence().await;
    drop(held);
    peer.expect(b"\x40\x02\x00\x07").await;
}

#[tokio::test]
async fn a_lost_session_is_subscribed_to_again_and_a_present_one_is_not() {
    let mut options = options();
    options.connect.packet.clean_start = false;
    let (client, mut server) = start(options);
    let mut peer = server.accept(CONNECT_AGAIN, b"\x20\x02\x00\x00").await;
    let subscribe = client.subscribe_to(filter("a"), QoS::AtMostOnce);
    let answer = async {
        peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00").await;
        peer.send(b"\x90\x03\x00\x01\x00").await;
    };
    let (subscribed, ()) = both(subscribe, answer).await;
    let mut messages = subscribed.unwrap();
    drop(peer);
    let mut peer = server.accept(CONNECT_AGAIN, b"\x20\x02\x01\x00").await;
    peer.expect_silence().await;
    peer.send(b"\x30\x04\x00\x01a1").await;
    assert_eq!(next(&mut messages).await.unwrap(), b"1");
    drop(peer);
    let mut peer = server.accept(CONNECT_AGAIN, b"\x20\x02\x00\x00").await;
    peer.expect(b"\x82\x06\x00\x02\x00\x01a\x00").await;
    peer.send(b"\x90\x03\x00\x02\x00\x30\x04\x00\x01a2").await;
    assert_eq!(next(&mut messages).await.unwrap(), b"2");
    drop(peer);
    // If the server refuses the subscription, the stream ends.
    let mut peer = server.accept(CONNECT_AGAIN, b"\x20\x02\x00\x00").await;
    peer.expect(b"\x82\x06\x00\x03\x00\x01a\x00").await;
    peer.send(b"\x90\x03\x00\x03\x80").await;
    assert_eq!(next(&mut messages).await, None);
}

#[tokio::test]
async fn a_subscription_that_was_ended_is_not_made_again() {
    let (client, mut server) = start(options());
    let mut peer = server.accept(CONNECT, b"\x20\x02\x00\x00").await;
    let entries = ["a", "b"].map(|name| v5::Subscription::new(filter(name), QoS::AtMostOnce));
    let subscribe = client.subscribe(Subscribe {
        subscriptions: v5::Subscriptions::encode_to_vec(entries).unwrap(),
        properties: v5::SubscribeProperties::EMPTY.to_owned(),
    });
    let answer = async {
        peer.expect(b"\x82\x0a\x00\x01\x00\x01a\x00\x00\x01b\x00")
            .await;
        peer.send(b"\x90\x04\x00\x01\x00\x80").await;
    };
    let (subscribed, ()) = both(subscribe, answer).await;
    let (mut messages, codes) = subscribed.unwrap();
    let failure = ReasonCode::UnspecifiedError;
    assert_eq!(codes, [ReasonCode::Success, failure]);

    let ended = v5::TopicFilters::encode_to_vec([filter("b")]).unwrap();
    let answer = async {
        peer.expect(b"\xa2\x05\x00\x02\x00\x01b").await;
        peer.send(b"\xb0\x02\x00\x02").await;
    };
    let (unsubscribed, ()) = both(client.unsubscribe(ended), answer).await;
    assert_eq!(unsubscribed, Ok(()));
    drop(peer);
    let mut peer = server.accept(CONNECT, b"\x20\x02\x00\x00").await;
    peer.expect(b"\x82\x06\x00\x03\x00\x01a\x00").await;
    peer.send(b"\x90\x03\x00\x03\x00").await;

    let ended = v5::TopicFilters::encode_to_vec([filter("a")]).unwrap();
    let answer = async {
        peer.expect(b"\xa2\x05\x00\x04\x00\x01a").await;
        peer.send(b"\xb0\x02\x00\x04").await;
    };
    let (unsubscribed, ()) = both(client.unsubscribe(ended), answer).await;
    assert_eq!(unsubscribed, Ok(()));
    assert_eq!(next(&mut messages).await, None);
}

#[tokio::test]
async fn a_refused_subscription_is_an_error() {
    let (client, mut server) = start(options());
    let mut peer = server.accept(CONNECT, b"\x20\x02\x00\x00").await;
    let answer = async {
        peer.expect(b"\x82\x06\x00\x01\x00\x01a\x00").await;
        peer.send(b"\x90\x03\x00\x01\x80").await;
    };
    let subscribe = client.subscribe_to(filter("a"), QoS::AtMostOnce);
    let (subscribed, ()) = both(subscribe, answer).await;
    let refused = Error::Refused(ReasonCode::UnspecifiedError);
    assert_eq!(subscribed.unwrap_err(), refused);
}

#[tokio::test]
async fn messages_of_a_resumed_session_reach_a_subscription_that_was_asked_for_before() {
    let mut options = options();
    options.connect.packet.clean_start = false;
    let (client, mut server) = start(options);
    let subscribe = client.subscribe_to(filter("a"), QoS::AtLeastOnce);
    let answer = async {
        let connack = b"\x20\x02\x01\x00\x32\x06\x00\x01a\x00\x051";
        let mut peer = server.accept(CONNECT_AGAIN, connack).await;
        peer.expect(b"\x82\x06\x00\x01\x00\x01a\x01").await;
        peer.send(b"\x90\x03\x00\x01\x01").await;
        peer
    };
    let (subscribed, mut peer) = both(subscribe, answer).await;
    assert_eq!(next(&mut subscribed.unwrap()).await.unwrap(), b"1");
    peer.expect(b"\x40\x02\x00\x05").await;
}

#[tokio::test]
async fn at_qos_0_a_slow_reader_loses_what_it_has_no_room_for() {
    let mut options = options();
    options.max_queued = 2;
    let (client, mut server) = start(options);
    let mut peer = server.accept(CONNECT, b"\x20\x02\x00\x00").await;
    let answer = async {
        peer.expect(b"\x82\x06\x00\x01\x00\x01a\x01").await;
        peer.send(b"\x90\x03\x00\x01\x01").await;
    };
    let subscribe = client.subscribe_to(filter("a"), QoS::AtLeastOnce);
    let (subscribed, ()) = both(subscribe, answer).await;
    let mut messages = subscribed.unwrap();
    for payload in *b"123" {
        peer.send(&[0x30, 4, 0, 1, b'a', payload]).await;
    }
    peer.send(b"\x32\x06\x00\x01a\x00\x054").await;
    peer.expect_silence().await; // all of it has arrived
    for payload in [b"1", b"2", b"4"] {
        assert_eq!(next(&mut messages).await.unwrap(), payload);
    }
    peer.expect(b"\x40\x02\x00\x05").await;
}

#[tokio::test]
async fn the_driver_disconnects_when_the_last_client_is_dropped_and_all_is_delivered() {
    let (dial, mut server) = dial();
    let (client, driver) = Client::new::<V3, _, _, _>(options(), dial);
    let driver = tokio::spawn(driver);
    let delivery = client.enqueue(message(b"1", QoS::AtLeastOnce)).await;
    let copy = client.clone();
    drop((client, copy));
    let mut peer = server.accept(CONNECT, b"\x20\x02\x00\x00").await;
    peer.expect(b"\x32\x06\x00\x01a\x00\x011").await;
    peer.expect_silence().await;
    peer.send(b"\x40\x02\x00\x01").await;
    peer.expect(b"\xe0\x00").await;
    drop(peer);
    assert_eq!(delivery.unwrap().await, Ok(()));
    assert!(driver.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_refused_connection_ends_the_driver_and_what_waits_for_it() {
    let (dial, mut server) = dial();
    let (client, driver) = Client::new::<V3, _, _, _>(options(), dial);
    let driver = tokio::spawn(driver);
    let delivery = client.enqueue(message(b"1", QoS::AtLeastOnce)).await;
    let _peer = server.accept(CONNECT, b"\x20\x02\x00\x05").await;
    let ended = driver.await.unwrap();
    assert!(
        matches!(ended, Err(Failure::Refused { code: 5, .. })),
        "{ended:?}"
    );
    assert_eq!(delivery.unwrap().await, Err(Error::Ended));
    let published = client.publish(message(b"2", QoS::AtMostOnce)).await;
    assert_eq!(published, Err(Error::Ended));
}
