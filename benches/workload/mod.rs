//! The workloads of the benchmarks: the same packets, made in the same way, for this crate, for the
//! other libraries in `benches/peers`, which includes this file by its path, and for the instruction
//! counts.

#![allow(dead_code, reason = "each benchmark uses a part of it")]
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::indexing_slicing,
    clippy::missing_const_for_fn,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

pub mod fan_out;
pub mod fan_out_any;
pub mod idle;
pub mod idle_any;
pub mod packets;
pub mod pair;
pub mod v5;
pub mod version;

use version::PacketFields;

/// The fields of a packet of MQTT 3.1.1, as an application has them, independent of the library.
#[derive(Debug, Clone)]
pub enum Fields {
    Publish {
        topic: String,
        payload: Vec<u8>,
        qos: u8,
        packet_id: u16,
    },
    PubAck {
        packet_id: u16,
    },
    PingReq,
    Subscribe {
        packet_id: u16,
        filters: Vec<(String, u8)>,
    },
    SubAck {
        packet_id: u16,
        return_codes: Vec<u8>,
    },
    /// With Clean Session, a retained Will at QoS 1, User Name and Password.
    Connect {
        client_id: String,
        keep_alive: u16,
        will_topic: String,
        will_message: Vec<u8>,
        user_name: String,
        password: String,
    },
}

/// A summary of decoded packets. Two decoders of the same packets must agree in it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub packets: u64,
    /// The bytes of all strings and payloads.
    pub bytes: u64,
    /// First and last bytes, to detect fields at a wrong place.
    pub ends: u64,
    /// The sum of all Packet Identifiers, QoS, return codes and Keep Alives.
    pub numbers: u64,
}

impl Seen {
    #[inline(always)]
    pub fn packet(&mut self, packet_id: u16) {
        self.packets += 1;
        self.numbers += u64::from(packet_id);
    }

    #[inline(always)]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if let ([first, ..], [.., last]) = (bytes, bytes) {
            self.ends += u64::from(*first) + (u64::from(*last) << 8);
        }
    }

    #[inline(always)]
    pub fn number(&mut self, number: u16) {
        self.numbers += u64::from(number) << 16;
    }

    #[inline(always)]
    pub fn publish(&mut self, topic: &[u8], payload: &[u8], qos: u8, packet_id: u16) {
        // One addition for each sum, because this is part of every measured loop.
        self.packets += 1;
        self.bytes += (topic.len() + payload.len()) as u64;
        self.numbers += u64::from(packet_id) + (u64::from(qos) << 16);
        let (first, last) = (topic.first(), payload.last());
        self.ends += u64::from(*first.unwrap_or(&0)) + (u64::from(*last.unwrap_or(&0)) << 8);
    }

    /// Returns the summary of these packets.
    pub fn of<F: PacketFields>(packets: &[F]) -> Self {
        let mut seen = Self::default();
        for packet in packets {
            packet.see(&mut seen);
        }
        seen
    }

    /// Returns the summary of a packet of MQTT 3.1.1.
    fn fields(&mut self, packet: &Fields) {
        match packet {
            Fields::Publish {
                topic,
                payload,
                qos,
                packet_id,
            } => self.publish(topic.as_bytes(), payload, *qos, *packet_id),
            Fields::PubAck { packet_id } => self.packet(*packet_id),
            Fields::PingReq => self.packet(0),
            Fields::Subscribe { packet_id, filters } => {
                self.packet(*packet_id);
                for (filter, qos) in filters {
                    self.bytes(filter.as_bytes());
                    self.number(u16::from(*qos));
                }
            }
            Fields::SubAck {
                packet_id,
                return_codes,
            } => {
                self.packet(*packet_id);
                for code in return_codes {
                    self.number(u16::from(*code));
                }
            }
            Fields::Connect {
                client_id,
                keep_alive,
                will_topic,
                will_message,
                user_name,
                password,
            } => {
                self.packet(0);
                self.number(*keep_alive);
                for text in [client_id, will_topic, user_name, password] {
                    self.bytes(text.as_bytes());
                }
                self.bytes(will_message);
            }
        }
    }
}

/// A Topic Name of 24 bytes, the usual one in the benchmarks of this crate.
pub const TOPIC: &str = "sensors/site-042/temp/17";

fn topic(random: &mut fastrand::Rng) -> String {
    let (site, sensor) = (random.u32(0..1000), random.u32(10..100));
    format!("sensors/site-{site:03}/temp/{sensor}")
}

fn bytes(random: &mut fastrand::Rng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    random.fill(&mut bytes);
    bytes
}

/// W1: PUBLISH at QoS 0, 24 bytes of topic, 16 of payload.
pub fn small(count: usize) -> Vec<Fields> {
    let random = &mut fastrand::Rng::with_seed(1);
    (0..count)
        .map(|_| Fields::Publish {
            topic: topic(random),
            payload: bytes(random, 16),
            qos: 0,
            packet_id: 0,
        })
        .collect()
}

/// Like [`small`], with topics that are not ASCII and of various lengths.
pub fn not_ascii(count: usize) -> Vec<Fields> {
    let random = &mut fastrand::Rng::with_seed(4);
    let levels = ["gebäude", "küche", "температура", "温度", "sensor", "7"];
    (0..count)
        .map(|_| {
            let topic: Vec<_> = (0..random.usize(1..6))
                .map(|_| levels[random.usize(..levels.len())])
                .collect();
            Fields::Publish {
                topic: topic.join("/"),
                payload: bytes(random, 16),
                qos: 0,
                packet_id: 0,
            }
        })
        .collect()
}

/// W2: the traffic of a broker. 45 % PUBLISH at QoS 1 with 64 to 256 bytes, 45 % PUBACK, the rest
/// PINGREQ, SUBSCRIBE, SUBACK and CONNECT.
pub fn mix(count: usize) -> Vec<Fields> {
    let random = &mut fastrand::Rng::with_seed(2);
    (0..count)
        .map(|_| {
            let packet_id = random.u16(1..);
            match random.u32(0..1000) {
                0..450 => {
                    let len = random.usize(64..=256);
                    Fields::Publish {
                        topic: topic(random),
                        payload: bytes(random, len),
                        qos: 1,
                        packet_id,
                    }
                }
                450..900 => Fields::PubAck { packet_id },
                900..925 => Fields::PingReq,
                925..950 => Fields::Subscribe {
                    packet_id,
                    filters: vec![
                        (format!("sensors/+/temp/{}", random.u32(10..100)), 1),
                        (format!("sensors/site-{:03}/#", random.u32(0..1000)), 0),
                        (topic(random), 2),
                    ],
                },
                950..975 => Fields::SubAck {
                    packet_id,
                    return_codes: vec![1, 0, 2],
                },
                _ => Fields::Connect {
                    client_id: format!("device-{:08x}", random.u32(..)),
                    keep_alive: 60,
                    will_topic: format!("status/device/{:03}", random.u32(0..1000)),
                    will_message: b"offline".to_vec(),
                    user_name: format!("user-{:03}", random.u32(0..1000)),
                    password: format!("secret-{:08x}", random.u32(..)),
                },
            }
        })
        .collect()
}

/// W3: PUBLISH at QoS 1 with a large payload.
pub fn large(payload: usize, count: usize) -> Vec<Fields> {
    let random = &mut fastrand::Rng::with_seed(3);
    (0..count)
        .map(|_| Fields::Publish {
            topic: topic(random),
            payload: bytes(random, payload),
            qos: 1,
            packet_id: random.u16(1..),
        })
        .collect()
}

/// The order of acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    AsSent,
    Reversed,
    Shuffled,
}

impl Order {
    pub const ALL: [Self; 3] = [Self::AsSent, Self::Reversed, Self::Shuffled];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AsSent => "in order",
            Self::Reversed => "reversed",
            Self::Shuffled => "shuffled",
        }
    }

    /// Puts acknowledgements of four bytes each into this order.
    pub fn apply(self, acknowledgements: &mut [u8]) {
        let count = acknowledgements.len() / 4;
        let mut random = fastrand::Rng::with_seed(7);
        for n in 1..count {
            match self {
                Self::AsSent => return,
                Self::Reversed if n <= count / 2 => swap(acknowledgements, n - 1, count - n),
                Self::Reversed => return,
                Self::Shuffled => swap(acknowledgements, n, random.usize(..=n)),
            }
        }
    }
}

fn swap(acknowledgements: &mut [u8], left: usize, right: usize) {
    for byte in 0..4 {
        acknowledgements.swap(4 * left + byte, 4 * right + byte);
    }
}

/// W7: each of these filters is matched with each of [`TOPICS`].
pub const FILTERS: [&str; 6] = [
    "a/+/c/#",
    "sensors/+/temp/+",
    TOPIC,
    "sensors/#",
    "+/+/+/+",
    "x/y/z/#",
];

/// See [`FILTERS`].
pub const TOPICS: [&str; 8] = [
    "a/b/c/d",
    "a/b/c",
    "a/b/d/e",
    TOPIC,
    "sensors/site-043/temp/99",
    "sensors/site-042/humidity/3",
    "x/y/z/very/deep/topic/name/with/levels",
    "buildings/7/floor/3/room/12/light",
];

/// How many of those 48 pairs match: of the topics 2, 2, 1, 3, 5 and 1, the filters in order.
pub const MATCHES: u64 = 14;
