//! This library.

use std::rc::Rc;

use mqtt_sansio::v3::{self, Decoder, Packet, Publish, V3};
use mqtt_sansio::v5::V5;
use mqtt_sansio::{Encode, PacketId, Piece, QoS, Slot, StreamDecoder, TopicFilter, TopicName};

use crate::job::{
    From, Idle, Job, MESSAGE, Peer, Work, Writer, decoding, feeding, idle, matching, repeating,
    writing,
};
use crate::workload::fan_out::{Subscriber, begin_anew, shared, subscribers, written};
use crate::workload::idle::Connection;
use crate::workload::packets::{Built, UNLIMITED, build, see};
use crate::workload::pair::{Pair, pair_for, pair_with_properties, small_pair};
use crate::workload::version::{PacketFields, Version};
use crate::workload::{Fields, Order, Seen, v5};

pub struct MqttSansio;

fn decode_chunks<F: PacketFields>(stream: Rc<[u8]>, chunk: usize) -> Work {
    let decoder = || StreamDecoder::<F::Version, _>::with_options(Vec::new(), UNLIMITED);
    feeding(stream, chunk, decoder, |decoder, mut chunk, seen| {
        while let Some(packet) = decoder.decode(&mut chunk).unwrap() {
            F::see_packet(&packet, seen);
        }
    })
}

fn encode<F: PacketFields>(packets: &'static [F], from: From) -> Work {
    let writer = Writer {
        build: F::build,
        output: Vec::with_capacity,
        clear: Vec::clear,
        write: |packet: &mut F::Built<'static>, out: &mut Vec<u8>| F::encode(packet, out),
        read: |out: &mut Vec<u8>| out.clone(),
        consumes: false,
    };
    writing(packets, from, writer)
}

fn deliver<V: Version>(mut pair: Pair<V, [Slot; 16]>, qos: u8, messages: usize) -> Work {
    let qos = QoS::from_number(qos).unwrap();
    let (topic, payload) = MESSAGE;
    repeating(messages, move || pair.deliver(qos, topic, payload))
}

impl Peer<v5::Fields> for MqttSansio {
    const NAME: &'static str = "mqtt-sansio";

    fn decode(stream: Rc<[u8]>) -> Work {
        // Called directly, as the functions of the other libraries are: through the trait of the workloads
        // the compiler keeps a function of its own for it.
        decoding(stream, <[u8]>::to_vec, |input, seen| {
            let mut input = &input[..];
            while let Some(packet) = mqtt_sansio::v5::decode(&mut input, &UNLIMITED).unwrap() {
                v5::Fields::see_packet(&packet, seen);
            }
        })
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        decode_chunks::<v5::Fields>(stream, chunk)
    }

    fn encode(packets: &'static [v5::Fields], from: From) -> Work {
        encode(packets, from)
    }

    fn deliver(qos: u8, messages: usize) -> Work {
        deliver::<V5>(small_pair(), qos, messages)
    }

    fn deliver_properties(qos: u8, messages: usize) -> Work {
        deliver(pair_with_properties(), qos, messages)
    }

    fn idle() -> Option<Idle> {
        idle(|| {
            let (client, server) = Default::default();
            Pair::<V5, [Slot; 2]>::new(client, server).idle_server()
        })
    }
}

impl Peer for MqttSansio {
    const NAME: &'static str = "mqtt-sansio";

    fn decode(stream: Rc<[u8]>) -> Work {
        decoding(stream, <[u8]>::to_vec, |input, seen| {
            let mut input = &input[..];
            while let Some(packet) = v3::decode(&mut input, &UNLIMITED).unwrap() {
                see(&packet, seen);
            }
        })
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        decode_chunks::<Fields>(stream, chunk)
    }

    /// The decoder's buffer is much smaller than the packet.
    fn decode_in_pieces(stream: Rc<[u8]>, chunk: usize) -> Work {
        let decoder = || Decoder::with_options([0; 512], UNLIMITED);
        feeding(stream, chunk, decoder, |decoder, mut chunk, seen| {
            while let Some(piece) = decoder.decode_in_pieces(&mut chunk).unwrap() {
                match piece {
                    Piece::Packet(packet) => see(&packet, seen),
                    Piece::PublishHeader(header) => {
                        let (qos, packet_id) = (header.delivery.qos(), header.delivery.packet_id());
                        let packet_id = packet_id.map_or(0, PacketId::get);
                        seen.publish(header.topic.as_bytes(), &[], qos.number(), packet_id);
                    }
                    Piece::Payload { bytes, left } => {
                        seen.bytes += bytes.len() as u64;
                        if left == 0 {
                            seen.ends += u64::from(bytes[bytes.len() - 1]) << 8;
                        }
                    }
                }
            }
        })
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        encode(packets, from)
    }

    /// Encodes the headers to one buffer, and keeps the position of each payload.
    fn encode_by_reference(packets: &'static [Fields]) -> Work {
        type Out = (Vec<u8>, Vec<(usize, &'static [u8])>);
        let writer = Writer {
            build: |fields| match build(fields) {
                Built::Whole(Packet::Publish(publish)) => publish,
                other => panic!("{other:?} has no payload"),
            },
            output: |_| -> Out { (Vec::with_capacity(4096), Vec::with_capacity(64)) },
            clear: |(headers, payloads): &mut Out| {
                headers.clear();
                payloads.clear();
            },
            write: |publish: &mut Publish<&'static [u8]>, (headers, payloads): &mut Out| {
                publish.header().unwrap().encode(headers).unwrap();
                payloads.push((headers.len(), publish.payload));
            },
            read: |(headers, payloads): &mut Out| {
                let mut bytes = Vec::new();
                let mut start = 0;
                for (end, payload) in payloads {
                    bytes.extend_from_slice(&headers[start..*end]);
                    bytes.extend_from_slice(payload);
                    start = *end;
                }
                bytes
            },
            consumes: false,
        };
        writing(packets, From::Packets, writer)
    }

    fn deliver(qos: u8, messages: usize) -> Work {
        deliver::<V3>(small_pair(), qos, messages)
    }

    fn window(messages: usize, order: Order) -> Work {
        let mut pair = pair_for(messages);
        repeating(1, move || pair.deliver_window(messages, order))
    }

    /// Each subscriber has a connection, which the other libraries do without.
    fn fan_out(packets: &'static [Fields]) -> Work {
        struct FanOut {
            fresh: Vec<Subscriber>,
            subscribers: Vec<Subscriber>,
        }
        impl Job for FanOut {
            fn prepare(&mut self) {
                begin_anew(&mut self.subscribers, &self.fresh);
            }
            fn run(&mut self) -> Seen {
                shared(&mut self.subscribers);
                Seen::default()
            }
            fn written(&mut self) -> Option<Vec<u8>> {
                Some(written(&self.subscribers))
            }
        }
        Some(Box::new(FanOut {
            fresh: subscribers(packets.len()),
            subscribers: subscribers(packets.len()),
        }))
    }

    fn matching(repetitions: usize) -> Work {
        // Topics are validated when they are made here, as they otherwise are when they are decoded.
        matching(
            repetitions,
            |filter| TopicFilter::new(filter).unwrap(),
            |topic| TopicName::new(topic).unwrap(),
            |filter, topic| filter.matches(topic),
        )
    }

    /// Returns the bytes of a server's connection with its decoder.
    fn idle() -> Option<Idle> {
        let buffer = std::cell::RefCell::new(Vec::with_capacity(1024));
        idle(|| {
            let (server, client) = Default::default();
            Connection::<[Slot; 2]>::idle(server, client, &mut buffer.borrow_mut())
        })
    }
}
