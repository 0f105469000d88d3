//! The workloads of all libraries.

use std::rc::Rc;

use crate::job::{From, MESSAGE, Peer, Work};
use crate::workload::packets::{UNLIMITED, stream};
use crate::workload::version::PacketFields;
use crate::workload::{self, FILTERS, Fields, MATCHES, Order, Seen, TOPICS, v5};

#[derive(Debug, Clone, Copy)]
enum Task {
    Decode,
    /// In chunks of this size.
    Chunks(usize),
    /// The same, with payloads in pieces if the library supports it.
    Pieces(usize),
    Encode(From),
    ByReference,
    /// At this QoS.
    Deliver(u8),
    /// The same with properties.
    DeliverProperties(u8),
    Window(usize, Order),
    FanOut,
    Matching,
}

pub struct Workload<F: 'static> {
    task: Task,
    /// The name of the packets, and the packets.
    packets: (&'static str, &'static [F]),
}

/// The expected result.
pub enum Expected<F: 'static> {
    Seen(Seen),
    Written(&'static [F]),
}

impl<F: PacketFields> Expected<F> {
    /// Checks what a job has decoded or encoded. Other bytes are also right if they are packets with
    /// the same fields: properties have no order, and defaults may be present.
    pub fn check(&self, seen: Seen, written: Option<Vec<u8>>) -> Result<(), String> {
        match self {
            Self::Seen(expected) if seen != *expected => {
                Err(format!("has seen {seen:?}, not {expected:?}"))
            }
            Self::Seen(_) => Ok(()),
            Self::Written(packets) => {
                let written = written.unwrap_or_default();
                if written == stream(packets) {
                    return Ok(());
                }
                let (mut input, mut seen) = (&written[..], Seen::default());
                while let Ok(Some(packet)) = F::decode(&mut input, &UNLIMITED) {
                    F::see_packet(&packet, &mut seen);
                }
                if input.is_empty() && seen == Seen::of(packets) {
                    return Ok(());
                }
                Err("has written something else".to_owned())
            }
        }
    }
}

/// The number of messages, and how often all filters are matched with all topics.
const REPETITIONS: usize = 1000;

impl<F: PacketFields> Workload<F> {
    pub fn name(&self) -> String {
        let packets = self.packets.0;
        match self.task {
            Task::Decode => format!("decode {packets}"),
            Task::Chunks(chunk) => format!("decode {packets}, chunks of {chunk}"),
            Task::Pieces(chunk) => format!("decode {packets}, chunks of {chunk}, in pieces"),
            Task::Encode(From::Packets) => format!("encode {packets}"),
            Task::Encode(From::Fields) => format!("encode {packets} from fields"),
            Task::ByReference => format!("encode {packets}, payload by reference"),
            Task::Deliver(qos) => format!("message at QoS {qos}"),
            Task::DeliverProperties(qos) => format!("message with properties at QoS {qos}"),
            Task::Window(messages, order) => {
                format!(
                    "{messages} messages in flight, acknowledged {}",
                    order.name()
                )
            }
            Task::FanOut => format!("fan-out to {} subscribers", self.packets.1.len()),
            Task::Matching => "matching".to_owned(),
        }
    }

    /// Returns the number of packets, messages or matches.
    pub fn packets(&self) -> usize {
        match self.task {
            Task::Deliver(_) | Task::DeliverProperties(_) => REPETITIONS,
            Task::Window(messages, _) => messages,
            Task::Matching => REPETITIONS * FILTERS.len() * TOPICS.len(),
            _ => self.packets.1.len(),
        }
    }

    /// Returns the job of one library.
    pub fn of<P: Peer<F>>(&self) -> Work {
        let packets = self.packets.1;
        let stream = || Rc::from(stream(packets));
        match self.task {
            Task::Decode => P::decode(stream()),
            Task::Chunks(chunk) => P::decode_chunks(stream(), chunk),
            Task::Pieces(chunk) => P::decode_in_pieces(stream(), chunk),
            Task::Encode(from) => P::encode(packets, from),
            Task::ByReference => P::encode_by_reference(packets),
            Task::Deliver(qos) => P::deliver(qos, REPETITIONS),
            Task::DeliverProperties(qos) => P::deliver_properties(qos, REPETITIONS),
            Task::Window(messages, order) => P::window(messages, order),
            Task::FanOut => P::fan_out(packets),
            Task::Matching => P::matching(REPETITIONS),
        }
    }

    pub fn expected(&self) -> Expected<F> {
        let repeated = |times: usize, each: usize| {
            Expected::Seen(Seen {
                packets: times as u64,
                bytes: (times * each) as u64,
                ..Seen::default()
            })
        };
        match self.task {
            Task::Decode | Task::Chunks(_) | Task::Pieces(_) => {
                Expected::Seen(Seen::of(self.packets.1))
            }
            Task::Encode(_) | Task::ByReference | Task::FanOut => Expected::Written(self.packets.1),
            Task::Deliver(_) | Task::DeliverProperties(_) => repeated(REPETITIONS, MESSAGE.1.len()),
            Task::Window(messages, _) => repeated(1, messages),
            Task::Matching => repeated(REPETITIONS, MATCHES as usize),
        }
    }
}

/// The purpose of the workloads, which decides their size.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Streams of 0.4 MiB, which stay in the cache as bytes from a socket do, so that the decoder
    /// is measured and not the memory.
    Time,
    /// Callgrind is slow, and needs few packets for an exact count.
    Count,
    /// For builds that may not be optimized.
    Check,
}

/// MQTT 5: workloads A to F of benches/README.md.
pub fn of_5(purpose: Purpose) -> Vec<Workload<v5::Fields>> {
    let count = match purpose {
        Purpose::Time => 4_500,
        Purpose::Count | Purpose::Check => 450,
    };
    let kept = |name, packets: Vec<v5::Fields>| (name, &*packets.leak());
    let small = kept("small", v5::small(count));
    let properties = kept("properties", v5::with_properties(count));
    let aliased = kept("aliased", v5::aliased(count));
    let mix = kept("mix", v5::mix(count));
    let mut all = Vec::new();
    for packets in [small, properties, aliased, mix] {
        all.push((Task::Decode, packets));
        all.push((Task::Encode(From::Packets), packets));
    }
    for chunk in [64, 1460] {
        all.push((Task::Chunks(chunk), mix));
    }
    for qos in [1, 2] {
        all.push((Task::Deliver(qos), small));
        all.push((Task::DeliverProperties(qos), small));
    }
    workloads(all)
}

fn workloads<F>(all: Vec<(Task, (&'static str, &'static [F]))>) -> Vec<Workload<F>> {
    let workload = |(task, packets)| Workload { task, packets };
    all.into_iter().map(workload).collect()
}

/// MQTT 3.1.1.
pub fn of_3_1_1(purpose: Purpose) -> Vec<Workload<Fields>> {
    let (scale, windows): (_, &[usize]) = match purpose {
        Purpose::Time => (1, &[10_000, 65_535]),
        Purpose::Count => (10, &[10_000]),
        Purpose::Check => (10, &[100, 1000]),
    };
    let kept = |name, packets: Vec<Fields>| (name, &*packets.leak());
    let small = kept("small", workload::small(10_000 / scale));
    let not_ascii = kept("not ASCII", workload::not_ascii(10_000 / scale));
    let mix = kept("mix", workload::mix(4_500 / scale));
    let large = kept("64 KiB", workload::large(64 * 1024, 16));
    let larger = kept("1 MiB", workload::large(1024 * 1024, 4));

    let to_all = kept("", workload::fan_out::packets(10_000));

    let mut all = vec![
        (Task::Decode, small),
        (Task::Decode, not_ascii),
        (Task::Decode, mix),
        (Task::Decode, large),
        (Task::Decode, larger),
        (Task::Chunks(1), mix),
        (Task::Chunks(7), mix),
        (Task::Chunks(64), mix),
        (Task::Chunks(1460), mix),
        (Task::Chunks(1460), larger),
        (Task::Pieces(1460), larger),
        (Task::Encode(From::Packets), small),
        (Task::Encode(From::Packets), mix),
        (Task::Encode(From::Fields), small),
        (Task::Encode(From::Fields), mix),
        (Task::Encode(From::Packets), large),
        (Task::Encode(From::Packets), larger),
        (Task::ByReference, large),
        (Task::ByReference, larger),
        (Task::FanOut, to_all),
        (Task::Matching, small),
    ];
    for qos in 0..=2 {
        all.push((Task::Deliver(qos), small));
    }
    for &messages in windows {
        for order in Order::ALL {
            all.push((Task::Window(messages, order), small));
        }
    }
    workloads(all)
}
