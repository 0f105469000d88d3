//! Sends QoS 1 messages through a broker on this machine and counts each one. Each publisher has its
//! own topic, and each topic has a number of subscribers. `benches/load/run` calls this program.
//!
//! ```sh
//! load PORT PROCESS PUBLISHERS SUBSCRIBERS MESSAGES
//! ```
//!
//! PROCESS is the process id of the broker, to read its memory and processor time. SUBSCRIBERS is the
//! number for each topic, MESSAGES the number for each publisher.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use core::net::Ipv4Addr;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use mqtt_sansio::v3::{Action, Client, Connect, Decoder, Event, Message, Step};
use mqtt_sansio::{Config, QoS, Session, Slot, Text, Timestamp, TopicFilter, TopicName};

/// The time limit of each step.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many messages a publisher has in flight at most.
const WINDOW: u16 = 100;
const PAYLOAD: usize = 64;

/// What a publisher or subscriber observes on its connection.
enum Happened {
    Connected,
    Subscribed,
    /// The number in the payload of a message.
    Message(u64),
    Delivered,
}

struct Peer {
    stream: TcpStream,
    client: Client<Vec<Slot>>,
    decoder: Decoder<Vec<u8>>,
    started: Instant,
    out: Vec<u8>,
}

impl Peer {
    fn connect(port: u16, client_id: &str) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let config = Config::new().max_inflight(WINDOW);
        let now = Timestamp::from_millis(0);
        let mut peer = Self {
            stream,
            client: Client::new(Session::default(), config, now),
            decoder: Decoder::new(Vec::new()),
            started: Instant::now(),
            out: Vec::new(),
        };
        let connect = Connect::new(Text::new(client_id).unwrap());
        peer.client.connect(now, &connect, &mut peer.out).unwrap();
        peer.wait_for(|happened| matches!(happened, Happened::Connected));
        peer
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.started.elapsed().as_millis() as u64)
    }

    fn send(&mut self) {
        self.stream.write_all(&self.out).unwrap();
        self.out.clear();
    }

    /// Sends pending bytes, receives once, and reports the events.
    fn turn(&mut self, mut report: impl FnMut(Happened)) {
        self.send();
        let mut buffer = [0; 16 * 1024];
        let len = self.stream.read(&mut buffer).expect("the broker is silent");
        assert!(len > 0, "the broker has closed the connection");
        let now = self.now();
        let mut input = &buffer[..len];
        while let Some(step) = self
            .client
            .receive(now, &mut self.decoder, &mut input)
            .unwrap()
        {
            match step {
                Step::Event(Event::Connected { .. }) => report(Happened::Connected),
                Step::Event(Event::Subscribed(_)) => report(Happened::Subscribed),
                Step::Event(Event::Delivered(_)) => report(Happened::Delivered),
                Step::Event(Event::Message(publish)) => {
                    let number = publish.payload.first_chunk().unwrap();
                    report(Happened::Message(u64::from_be_bytes(*number)));
                }
                Step::Action(Action::Transmit(reply)) => {
                    self.out.extend_from_slice(reply.as_bytes());
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn wait_for(&mut self, is_it: impl Fn(&Happened) -> bool) {
        let mut has_happened = false;
        while !has_happened {
            self.turn(|happened| has_happened |= is_it(&happened));
        }
    }
}

/// Publishes all messages, and waits until they are acknowledged.
fn publish(mut peer: Peer, topic: &str, messages: u64) {
    let topic = TopicName::new(topic).unwrap();
    let (mut sent, mut delivered) = (0, 0);
    while delivered < messages {
        while sent < messages && peer.client.can_publish(QoS::AtLeastOnce) {
            let mut payload = [0x5a; PAYLOAD];
            payload[..8].copy_from_slice(&u64::to_be_bytes(sent));
            let message = Message::new(topic, &payload[..]).qos(QoS::AtLeastOnce);
            let now = peer.now();
            let out = &mut peer.out;
            peer.client.publish(now, &message, out).unwrap();
            sent += 1;
        }
        peer.turn(|happened| delivered += u64::from(matches!(happened, Happened::Delivered)));
    }
}

/// Receives all messages, each once and in order.
fn subscribe(mut peer: Peer, messages: u64) {
    let mut received = 0;
    while received < messages {
        peer.turn(|happened| {
            if let Happened::Message(number) = happened {
                assert_eq!(number, received, "a message is missing, or has come twice");
                received += 1;
            }
        });
    }
    // Send the last acknowledgements.
    peer.send();
}

/// Returns the processor time of a process in seconds, and its peak memory in KiB, where the system
/// reports them.
fn used(process: u32) -> Option<(f64, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse().ok()?;
    let of_system: f64 = fields.next()?.parse().ok()?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak = peak.trim().trim_end_matches(" kB").parse().ok()?;
    // A tick is 10 ms on Linux, on every processor.
    Some(((ticks + of_system) / 100.0, peak))
}

fn main() {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .map(|argument| argument.parse().expect("a number"))
        .collect();
    let [port, process, publishers, subscribers, messages] = numbers[..] else {
        panic!("usage: load PORT PROCESS PUBLISHERS SUBSCRIBERS MESSAGES");
    };
    let (port, process) = (port as u16, process as u32);
    // Publishers, subscribers, and this thread.
    let threads = publishers * (1 + subscribers) + 1;
    let barrier = Barrier::new(threads as usize);
    let (before, taken) = thread::scope(|scope| {
        for number in 0..publishers {
            let topic = format!("load/{number}");
            for other in 0..subscribers {
                let (topic, barrier) = (topic.clone(), &barrier);
                scope.spawn(move || {
                    let mut peer = Peer::connect(port, &format!("subscriber-{number}-{other}"));
                    let (now, filter) = (peer.now(), TopicFilter::new(&topic).unwrap());
                    let out = &mut peer.out;
                    peer.client
                        .subscribe_to(now, &filter, QoS::AtLeastOnce, out)
                        .unwrap();
                    peer.wait_for(|happened| matches!(happened, Happened::Subscribed));
                    barrier.wait();
                    subscribe(peer, messages);
                    barrier.wait();
                });
            }
            let barrier = &barrier;
            scope.spawn(move || {
                let peer = Peer::connect(port, &format!("publisher-{number}"));
                barrier.wait();
                publish(peer, &topic, messages);
                barrier.wait();
            });
        }
        barrier.wait();
        let (before, start) = (used(process), Instant::now());
        barrier.wait();
        (before, start.elapsed())
    });
    let delivered = publishers * subscribers * messages;
    let a_second = delivered as f64 / taken.as_secs_f64();
    let Some(((before, _), (after, peak))) = before.zip(used(process)) else {
        println!("{delivered} | {a_second:.0} | unknown | unknown");
        return;
    };
    let each = (after - before) * 1e6 / delivered as f64;
    println!("{delivered} | {a_second:.0} | {each:.1} | {peak}");
}
