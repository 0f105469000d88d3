//! Encode and decode throughput: `cargo bench`, or `cargo bench -- --quick` for a first look.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a benchmark stops at the first thing that is wrong"
)]

use core::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mqtt_sansio::v3::{
    self, Connect, Credentials, Delivery, Packet, PacketRef, PubAck, Publish, ReturnCode,
    ReturnCodes, SubAck, Subscribe, Subscription, Subscriptions,
};
use mqtt_sansio::{Encode, Options, PacketId, QoS, Text, TopicFilter, TopicName};

fn publish(topic: &str, payload: usize, qos: QoS, id: u16) -> Packet<Vec<u8>> {
    let packet_id = PacketId::new(id).unwrap();
    Packet::Publish(Publish {
        delivery: match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce {
                packet_id,
                dup: false,
            },
            QoS::ExactlyOnce => Delivery::ExactlyOnce {
                packet_id,
                dup: false,
            },
        },
        retain: false,
        topic: TopicName::new(topic).unwrap().to_owned(),
        payload: vec![b'x'; payload],
    })
}

/// Small sensor readings at QoS 0.
fn sensors() -> Vec<Packet<Vec<u8>>> {
    (0..1000)
        .map(|n| {
            publish(
                &format!("site/{:08}/temp/{:05}", n * 7919, n),
                16,
                QoS::AtMostOnce,
                1,
            )
        })
        .collect()
}

/// What a broker sees: mostly QoS 1 messages and their acknowledgements.
fn broker() -> Vec<Packet<Vec<u8>>> {
    let filters = ["a/+/c", "$SYS/#", "site/00007919/temp/+"];
    (1..=1000_u16)
        .map(|n| {
            let packet_id = PacketId::new(n).unwrap();
            match n % 40 {
                0 => Packet::PingReq,
                1 => Packet::Subscribe(Subscribe {
                    packet_id,
                    subscriptions: Subscriptions::encode_to_vec(filters.map(|filter| {
                        Subscription {
                            topic_filter: TopicFilter::new(filter).unwrap(),
                            qos: QoS::AtLeastOnce,
                        }
                    }))
                    .unwrap(),
                }),
                2 => Packet::SubAck(SubAck {
                    packet_id,
                    return_codes: ReturnCodes::encode_to_vec(
                        [ReturnCode::Success(QoS::AtLeastOnce); 3],
                    )
                    .unwrap(),
                }),
                3 => {
                    let mut connect = Connect::new(Text::new("device-0123456789").unwrap());
                    connect.credentials = Some(Credentials {
                        user_name: Text::new("device").unwrap(),
                        password: Some(&b"correct horse battery staple"[..]),
                    });
                    Packet::Connect(connect.to_owned())
                }
                k if k % 2 == 0 => Packet::PubAck(PubAck { packet_id }),
                k => publish(
                    "site/00007919/temp/00001",
                    64 + usize::from(k) * 5,
                    QoS::AtLeastOnce,
                    n,
                ),
            }
        })
        .collect()
}

fn large() -> Vec<Packet<Vec<u8>>> {
    vec![publish(
        "firmware/image",
        1024 * 1024 - 64,
        QoS::AtLeastOnce,
        1,
    )]
}

fn encoded(packets: &[Packet<Vec<u8>>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for packet in packets {
        packet.encode(&mut stream).unwrap();
    }
    stream
}

fn see(packet: &PacketRef<'_>) -> usize {
    match packet {
        Packet::Publish(publish) => publish.topic.as_bytes().len() + publish.payload.len(),
        _ => 1,
    }
}

type Workload = (&'static str, fn() -> Vec<Packet<Vec<u8>>>);

const WORKLOADS: [Workload; 3] = [
    ("QoS 0, 24-byte topic, 16-byte payload", sensors),
    ("broker mix", broker),
    ("1 MiB payload", large),
];

fn decode(c: &mut Criterion) {
    for (name, packets) in WORKLOADS {
        let packets = packets();
        let stream = encoded(&packets);
        let options = Options::new();
        let mut group = c.benchmark_group(format!("decode: {name}"));
        group.throughput(Throughput::ElementsAndBytes {
            elements: packets.len() as u64,
            bytes: stream.len() as u64,
        });
        group.bench_function("whole", |b| {
            b.iter(|| {
                let mut input = black_box(&stream[..]);
                let mut seen = 0;
                while let Some(packet) = v3::decode(&mut input, &options).unwrap() {
                    seen += see(&packet);
                }
                seen
            });
        });
        for chunk in [1, 64, 1460] {
            if chunk == 1 && packets.len() == 1 {
                continue; // a million calls for one packet says nothing that the others do not
            }
            group.bench_function(BenchmarkId::new("chunks", chunk), |b| {
                let mut decoder = v3::Decoder::new(Vec::new());
                b.iter(|| {
                    let mut seen = 0;
                    for mut input in black_box(&stream[..]).chunks(chunk) {
                        while let Some(packet) = decoder.decode(&mut input).unwrap() {
                            seen += see(&packet);
                        }
                    }
                    seen
                });
            });
        }
        group.finish();
    }
}

fn encode(c: &mut Criterion) {
    for (name, packets) in WORKLOADS {
        let packets = packets();
        let mut out = Vec::with_capacity(encoded(&packets).len());
        let mut group = c.benchmark_group(format!("encode: {name}"));
        group.throughput(Throughput::ElementsAndBytes {
            elements: packets.len() as u64,
            bytes: out.capacity() as u64,
        });
        group.bench_function("to a vector", |b| {
            b.iter(|| {
                out.clear();
                for packet in black_box(&packets) {
                    packet.encode(&mut out).unwrap();
                }
                out.len()
            });
        });
        group.finish();
    }
    // What a vectored write needs: the payload is not touched.
    let [Packet::Publish(publish)] = &large()[..] else {
        return;
    };
    let mut out = Vec::with_capacity(64);
    c.bench_function("encode: header of a 1 MiB PUBLISH", |b| {
        b.iter(|| {
            out.clear();
            let header = black_box(publish).header().unwrap();
            header.encode(&mut out).unwrap();
            out.len()
        });
    });
}

fn matching(c: &mut Criterion) {
    let pairs = [
        ("site/+/temp/#", "site/00007919/temp/00001"),
        ("site/00007919/temp/00001", "site/00007919/temp/00001"),
        ("+/+/+/+", "site/00007919/temp/00001"),
        ("site/00007919/humidity/+", "site/00007919/temp/00001"),
    ]
    .map(|(filter, topic)| {
        (
            TopicFilter::new(filter).unwrap(),
            TopicName::new(topic).unwrap(),
        )
    });
    let mut group = c.benchmark_group("topics");
    group.throughput(Throughput::Elements(pairs.len() as u64));
    group.bench_function("match", |b| {
        b.iter(|| {
            black_box(&pairs)
                .iter()
                .filter(|(filter, topic)| filter.matches(topic))
                .count()
        });
    });
    group.finish();
}

criterion_group!(benches, decode, encode, matching);
criterion_main!(benches);
