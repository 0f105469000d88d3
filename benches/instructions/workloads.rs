//! The workloads that are counted.

use core::hint::black_box;

use mqtt_sansio::v3::{Decoder, Packet, V3};
use mqtt_sansio::v5::V5;
use mqtt_sansio::{
    Buffer, Encode, EncodedMessage, Piece, QoS, SliceOutput, Slot, StreamDecoder, TopicFilter,
    TopicName,
};

use workload::fan_out::{
    self, Subscriber, Way, begin_anew, copied, encoded_for_each, shared, subscribers,
};
use workload::fan_out_any;
use workload::packets::{Built, UNLIMITED, build, stream};
use workload::pair::{Pair, pair_for, pair_with_properties, small_pair};
use workload::version::{PacketFields, Version};
use workload::{
    FILTERS, Fields, MATCHES, Order, Seen, TOPIC, TOPICS, large, mix, not_ascii, small, v5,
};

/// A workload that can be repeated.
pub(crate) trait Work {
    /// Preparation before each run, not counted.
    fn prepare(&mut self) {}
    fn run(&mut self);

    /// Checks the result, unless `run` does that itself.
    fn check(&self) {}
}

impl<F: FnMut()> Work for F {
    fn run(&mut self) {
        self();
    }
}

pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// The number of packets, messages, matches or subscribers in one run.
    pub(crate) packets: u64,
    pub(crate) work: Box<dyn Fn() -> Box<dyn Work>>,
}

/// The number of packets in most workloads.
const COUNT: usize = 1000;

fn workload<W: Work + 'static>(
    name: &'static str,
    packets: usize,
    work: impl Fn() -> W + 'static,
) -> Workload {
    Workload {
        name,
        packets: packets as u64,
        work: Box::new(move || Box::new(work())),
    }
}

fn decode<F: PacketFields>(packets: &[F]) -> impl FnMut() + use<F> {
    let (stream, expected) = (stream(packets), Seen::of(packets));
    move || {
        let mut seen = Seen::default();
        let mut input = black_box(&stream[..]);
        while let Some(packet) = F::decode(&mut input, &UNLIMITED).unwrap() {
            F::see_packet(&packet, &mut seen);
        }
        assert_eq!(seen, expected);
    }
}

fn decode_chunks<F: PacketFields, M: Buffer>(
    packets: &[F],
    chunk: usize,
    memory: M,
) -> impl FnMut() + use<F, M> {
    let (stream, expected) = (stream(packets), Seen::of(packets));
    let mut decoder = StreamDecoder::<F::Version, M>::with_options(memory, UNLIMITED);
    move || {
        let mut seen = Seen::default();
        for mut input in black_box(&stream[..]).chunks(chunk) {
            while let Some(packet) = decoder.decode(&mut input).unwrap() {
                F::see_packet(&packet, &mut seen);
            }
        }
        assert_eq!(seen, expected);
    }
}

/// A payload of 1 MiB, received through 512 bytes.
fn decode_in_pieces(packets: &[Fields], chunk: usize) -> impl FnMut() + use<> {
    let (stream, payload) = (stream(packets), 1024 * 1024);
    let mut decoder = Decoder::with_options([0; 512], UNLIMITED);
    move || {
        let mut bytes_seen = 0;
        for mut input in black_box(&stream[..]).chunks(chunk) {
            while let Some(piece) = decoder.decode_in_pieces(&mut input).unwrap() {
                if let Piece::Payload { bytes, .. } = piece {
                    bytes_seen += bytes.len();
                }
            }
        }
        assert_eq!(bytes_seen, payload);
    }
}

/// Fields that live as long as the process, for packets that borrow them.
fn kept<F>(packets: Vec<F>) -> &'static [F] {
    packets.leak()
}

fn encode<F: PacketFields>(packets: Vec<F>) -> impl FnMut() {
    let expected = stream(&packets);
    let packets: Vec<_> = kept(packets).iter().map(F::build).collect();
    let mut out = Vec::with_capacity(expected.len());
    move || {
        out.clear();
        for packet in black_box(&packets) {
            F::encode(packet, &mut out);
        }
        assert_eq!(out.len(), expected.len());
    }
}

fn encode_to_slice(packets: Vec<Fields>) -> impl FnMut() {
    let expected = stream(&packets);
    let packets: Vec<_> = kept(packets).iter().map(build).collect();
    let mut buffer = vec![0; expected.len()];
    move || {
        let mut out = SliceOutput::new(&mut buffer);
        for packet in black_box(&packets) {
            packet.encode(&mut out);
        }
        assert_eq!(out.written().len(), expected.len());
    }
}

fn encode_fields(fields: Vec<Fields>) -> impl FnMut() {
    let expected = stream(&fields);
    let mut out = Vec::with_capacity(expected.len());
    move || {
        out.clear();
        for fields in black_box(&fields) {
            build(fields).encode(&mut out);
        }
        assert_eq!(out.len(), expected.len());
    }
}

/// Everything except the payload, as before a vectored write.
fn encode_headers(packets: Vec<Fields>) -> impl FnMut() {
    let packets: Vec<_> = kept(packets).iter().map(build).collect();
    let mut out = Vec::with_capacity(64 * packets.len());
    move || {
        out.clear();
        for packet in black_box(&packets) {
            if let Built::Whole(Packet::Publish(publish)) = packet {
                publish.header().unwrap().encode(&mut out).unwrap();
            }
        }
        assert_eq!(out.len(), 32 * packets.len());
    }
}

fn deliver<V: Version>(mut pair: Pair<V, [Slot; 16]>, qos: QoS) -> impl FnMut() {
    let payload = [7; 64];
    move || {
        for _ in 0..COUNT {
            let delivered = pair.deliver(qos, black_box(TOPIC), black_box(&payload));
            assert_eq!(delivered, payload.len());
        }
    }
}

fn window(messages: usize, order: Order) -> impl FnMut() {
    let mut pair = pair_for(messages);
    move || assert_eq!(pair.deliver_window(messages, order), messages)
}

fn matching() -> impl FnMut() {
    let filters = FILTERS.map(|filter| TopicFilter::new(filter).unwrap());
    let topics = TOPICS.map(|topic| TopicName::new(topic).unwrap());
    move || {
        let mut matches = 0;
        for filter in black_box(&filters) {
            matches += topics.iter().filter(|topic| filter.matches(topic)).count();
        }
        assert_eq!(matches as u64, MATCHES);
    }
}

struct FanOut {
    publish: Way,
    fresh: Vec<Subscriber>,
    subscribers: Vec<Subscriber>,
}

impl Work for FanOut {
    fn check(&self) {
        let expected = stream(&fan_out::packets(self.subscribers.len()));
        assert_eq!(fan_out::written(&self.subscribers), expected);
    }

    fn prepare(&mut self) {
        begin_anew(&mut self.subscribers, &self.fresh);
    }

    fn run(&mut self) {
        (self.publish)(&mut self.subscribers);
    }
}

struct FanOutAny {
    publish: fan_out_any::Way,
    message: EncodedMessage<Vec<u8>, &'static [u8]>,
    fresh: Vec<fan_out_any::Subscriber>,
    subscribers: Vec<fan_out_any::Subscriber>,
}

impl Work for FanOutAny {
    fn check(&self) {
        let mut expected = self.fresh.clone();
        fan_out_any::copied(&self.message, &mut expected);
        let expected = fan_out_any::written(&expected);
        assert_eq!(fan_out_any::written(&self.subscribers), expected);
    }

    fn prepare(&mut self) {
        fan_out_any::begin_anew(&mut self.subscribers, &self.fresh);
    }

    fn run(&mut self) {
        (self.publish)(&self.message, &mut self.subscribers);
    }
}

fn publish_to_all_versions(publish: fan_out_any::Way) -> FanOutAny {
    FanOutAny {
        publish,
        message: fan_out_any::encoded_message(),
        fresh: fan_out_any::subscribers(SUBSCRIBERS),
        subscribers: fan_out_any::subscribers(SUBSCRIBERS),
    }
}

fn publish_to_all(publish: Way) -> FanOut {
    FanOut {
        publish,
        fresh: subscribers(SUBSCRIBERS),
        subscribers: subscribers(SUBSCRIBERS),
    }
}

const SUBSCRIBERS: usize = 10_000;
const WINDOW: usize = 10_000;

pub(crate) fn all() -> Vec<Workload> {
    let mut all = of_3_1_1();
    all.extend(of_5());
    all
}

fn of_5() -> Vec<Workload> {
    vec![
        workload("MQTT 5: decode small", COUNT, || decode(&v5::small(COUNT))),
        workload("MQTT 5: decode properties", COUNT, || {
            decode(&v5::with_properties(COUNT))
        }),
        workload("MQTT 5: decode aliased", COUNT, || {
            decode(&v5::aliased(COUNT))
        }),
        workload("MQTT 5: decode mix", COUNT, || decode(&v5::mix(COUNT))),
        workload("MQTT 5: decode mix, chunks of 64", COUNT, || {
            decode_chunks(&v5::mix(COUNT), 64, Vec::new())
        }),
        workload("MQTT 5: decode mix, chunks of 1460", COUNT, || {
            decode_chunks(&v5::mix(COUNT), 1460, Vec::new())
        }),
        workload("MQTT 5: encode small", COUNT, || encode(v5::small(COUNT))),
        workload("MQTT 5: encode properties", COUNT, || {
            encode(v5::with_properties(COUNT))
        }),
        workload("MQTT 5: encode aliased", COUNT, || {
            encode(v5::aliased(COUNT))
        }),
        workload("MQTT 5: encode mix", COUNT, || encode(v5::mix(COUNT))),
        workload("MQTT 5: message at QoS 1", COUNT, || {
            deliver::<V5>(small_pair(), QoS::AtLeastOnce)
        }),
        workload("MQTT 5: message at QoS 2", COUNT, || {
            deliver::<V5>(small_pair(), QoS::ExactlyOnce)
        }),
        workload("MQTT 5: properties at QoS 1", COUNT, || {
            deliver(pair_with_properties(), QoS::AtLeastOnce)
        }),
        workload("MQTT 5: properties at QoS 2", COUNT, || {
            deliver(pair_with_properties(), QoS::ExactlyOnce)
        }),
    ]
}

fn of_3_1_1() -> Vec<Workload> {
    const MIB: usize = 1024 * 1024;
    vec![
        workload("decode small", COUNT, || decode(&small(COUNT))),
        workload("decode not ASCII", COUNT, || decode(&not_ascii(COUNT))),
        workload("decode mix", COUNT, || decode(&mix(COUNT))),
        workload("decode 64 KiB", 16, || decode(&large(65536, 16))),
        workload("decode small, chunks of 1460", COUNT, || {
            decode_chunks(&small(COUNT), 1460, Vec::new())
        }),
        workload("decode mix, chunks of 1", COUNT, || {
            decode_chunks(&mix(COUNT), 1, Vec::new())
        }),
        workload("decode mix, chunks of 1, array", COUNT, || {
            decode_chunks(&mix(COUNT), 1, [0; 512])
        }),
        workload("decode mix, chunks of 7", COUNT, || {
            decode_chunks(&mix(COUNT), 7, Vec::new())
        }),
        workload("decode mix, chunks of 64", COUNT, || {
            decode_chunks(&mix(COUNT), 64, Vec::new())
        }),
        workload("decode mix, chunks of 1460", COUNT, || {
            decode_chunks(&mix(COUNT), 1460, Vec::new())
        }),
        workload("decode 1 MiB, pieces of 1460", MIB / 1460, || {
            decode_in_pieces(&large(MIB, 1), 1460)
        }),
        workload("encode small", COUNT, || encode(small(COUNT))),
        workload("encode mix", COUNT, || encode(mix(COUNT))),
        workload("encode mix to a slice", COUNT, || {
            encode_to_slice(mix(COUNT))
        }),
        workload("encode small from fields", COUNT, || {
            encode_fields(small(COUNT))
        }),
        workload("encode mix from fields", COUNT, || {
            encode_fields(mix(COUNT))
        }),
        workload("encode headers of 64 KiB", 16, || {
            encode_headers(large(65536, 16))
        }),
        workload("message at QoS 0", COUNT, || {
            deliver::<V3>(small_pair(), QoS::AtMostOnce)
        }),
        workload("message at QoS 1", COUNT, || {
            deliver::<V3>(small_pair(), QoS::AtLeastOnce)
        }),
        workload("message at QoS 2", COUNT, || {
            deliver::<V3>(small_pair(), QoS::ExactlyOnce)
        }),
        workload("10,000 under way, in order", WINDOW, || {
            window(WINDOW, Order::AsSent)
        }),
        workload("10,000 under way, shuffled", WINDOW, || {
            window(WINDOW, Order::Shuffled)
        }),
        workload("matching", FILTERS.len() * TOPICS.len(), matching),
        workload("fan-out to 10,000, encoded for each", SUBSCRIBERS, || {
            publish_to_all(encoded_for_each)
        }),
        workload("fan-out to 10,000, copied", SUBSCRIBERS, || {
            publish_to_all(copied)
        }),
        workload("fan-out to 10,000, shared", SUBSCRIBERS, || {
            publish_to_all(shared)
        }),
        workload(
            "fan-out to 10,000 of both versions, copied",
            SUBSCRIBERS,
            || publish_to_all_versions(fan_out_any::copied),
        ),
        workload(
            "fan-out to 10,000 of both versions, shared",
            SUBSCRIBERS,
            || publish_to_all_versions(fan_out_any::shared),
        ),
    ]
}
