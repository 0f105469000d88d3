//! mqttbytes, and rumqttc, whose codec comes from it.

use std::rc::Rc;

use bytes::BytesMut;
use rumqttc::{MqttState, Request};

use crate::job::{
    From, Idle, MESSAGE, Peer, SMALL_MESSAGE, Work, Writer, decoding, feeding, idle, matching,
    repeating, writing,
};
use crate::workload::version::PacketFields;
use crate::workload::{Fields, Order, Seen};

const LIMIT: usize = 268_435_455;

/// The types of both have the same names and fields.
macro_rules! codec {
    ($codec:path) => {
        use bytes::{Bytes, BytesMut};
        use $codec as codec;

        use codec::v4::{
            Connect, LastWill, Login, Packet, PingReq, PubAck, Publish, SubAck, Subscribe,
            SubscribeFilter, SubscribeReasonCode,
        };
        use codec::{QoS, qos};

        use crate::workload::{Fields, Seen};

        pub fn see(packet: &Packet, seen: &mut Seen) {
            match packet {
                Packet::Publish(publish) => seen.publish(
                    publish.topic.as_bytes(),
                    &publish.payload,
                    publish.qos as u8,
                    publish.pkid,
                ),
                Packet::PubAck(puback) => seen.packet(puback.pkid),
                Packet::PingReq => seen.packet(0),
                Packet::Subscribe(subscribe) => {
                    seen.packet(subscribe.pkid);
                    for filter in &subscribe.filters {
                        seen.bytes(filter.path.as_bytes());
                        seen.number(filter.qos as u16);
                    }
                }
                Packet::SubAck(suback) => {
                    seen.packet(suback.pkid);
                    for code in &suback.return_codes {
                        seen.number(match code {
                            SubscribeReasonCode::Success(qos) => *qos as u16,
                            SubscribeReasonCode::Failure => 0x80,
                        });
                    }
                }
                Packet::Connect(connect) => {
                    seen.packet(0);
                    seen.number(connect.keep_alive);
                    seen.bytes(connect.client_id.as_bytes());
                    if let Some(will) = &connect.last_will {
                        seen.bytes(will.topic.as_bytes());
                        seen.bytes(&will.message);
                    }
                    if let Some(login) = &connect.login {
                        seen.bytes(login.username.as_bytes());
                        seen.bytes(login.password.as_bytes());
                    }
                }
                _ => seen.packet(0),
            }
        }

        pub fn build(fields: &Fields) -> Packet {
            match fields {
                Fields::Publish {
                    topic,
                    payload,
                    qos: number,
                    packet_id,
                } => {
                    let qos = qos(*number).unwrap();
                    let mut publish = Publish::new(topic.as_str(), qos, payload.as_slice());
                    publish.pkid = *packet_id;
                    Packet::Publish(publish)
                }
                Fields::PubAck { packet_id } => Packet::PubAck(PubAck::new(*packet_id)),
                Fields::PingReq => Packet::PingReq,
                Fields::Subscribe { packet_id, filters } => {
                    let mut subscribe =
                        Subscribe::new_many(filters.iter().map(|(filter, number)| {
                            SubscribeFilter::new(filter.clone(), qos(*number).unwrap())
                        }));
                    subscribe.pkid = *packet_id;
                    Packet::Subscribe(subscribe)
                }
                Fields::SubAck {
                    packet_id,
                    return_codes,
                } => {
                    let codes = return_codes
                        .iter()
                        .map(|code| SubscribeReasonCode::Success(qos(*code).unwrap()));
                    Packet::SubAck(SubAck::new(*packet_id, codes.collect()))
                }
                Fields::Connect {
                    client_id,
                    keep_alive,
                    will_topic,
                    will_message,
                    user_name,
                    password,
                } => {
                    let mut connect = Connect::new(client_id.as_str());
                    connect.keep_alive = *keep_alive;
                    connect.last_will = Some(LastWill {
                        topic: will_topic.clone(),
                        message: Bytes::copy_from_slice(will_message),
                        qos: QoS::AtLeastOnce,
                        retain: true,
                    });
                    connect.login = Some(Login::new(user_name.as_str(), password.as_str()));
                    Packet::Connect(connect)
                }
            }
        }

        pub fn write(packet: &mut Packet, out: &mut BytesMut) {
            match packet {
                Packet::Publish(publish) => publish.write(out),
                Packet::PubAck(puback) => puback.write(out),
                Packet::Subscribe(subscribe) => subscribe.write(out),
                Packet::SubAck(suback) => suback.write(out),
                Packet::Connect(connect) => {
                    // The encoder sets flags at an offset from the start of the buffer.
                    let mut tail = out.split_off(out.len());
                    let written = connect.write(&mut tail);
                    out.unsplit(tail);
                    written
                }
                _ => PingReq.write(out),
            }
            .unwrap();
        }
    };
}

mod mqttbytes_codec {
    codec!(mqttbytes);
}

mod rumqttc_codec {
    codec!(rumqttc::mqttbytes);
}

pub fn decode_with(
    stream: Rc<[u8]>,
    read: impl Fn(&mut BytesMut, &mut Seen) -> bool + 'static,
) -> Work {
    decoding(
        stream,
        |stream| BytesMut::from(stream),
        move |input, seen| while read(input, seen) {},
    )
}

pub fn feed_with(
    stream: Rc<[u8]>,
    chunk: usize,
    read: impl Fn(&mut BytesMut, &mut Seen) -> bool + 'static,
) -> Work {
    feeding(stream, chunk, BytesMut::new, move |buffer, chunk, seen| {
        buffer.extend_from_slice(chunk);
        while read(buffer, seen) {}
    })
}

pub fn write_with<F: PacketFields, P: 'static>(
    packets: &'static [F],
    from: From,
    build: impl Fn(&'static F) -> P + 'static,
    write: impl Fn(&mut P, &mut BytesMut) + 'static,
) -> Work {
    let writer = Writer {
        build,
        output: BytesMut::with_capacity,
        clear: BytesMut::clear,
        write,
        read: |out: &mut BytesMut| out.to_vec(),
        consumes: false,
    };
    writing(packets, from, writer)
}

pub struct Mqttbytes;

/// Decodes a packet. Returns false if more bytes are needed.
fn read_mqttbytes(buffer: &mut BytesMut, seen: &mut Seen) -> bool {
    match mqttbytes::v4::read(buffer, LIMIT) {
        Ok(packet) => mqttbytes_codec::see(&packet, seen),
        Err(mqttbytes::Error::InsufficientBytes(missing)) => {
            buffer.reserve(missing);
            return false;
        }
        Err(error) => panic!("{error:?}"),
    }
    true
}

impl Peer for Mqttbytes {
    const NAME: &'static str = "mqttbytes 0.6.0";

    fn decode(stream: Rc<[u8]>) -> Work {
        decode_with(stream, read_mqttbytes)
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        feed_with(stream, chunk, read_mqttbytes)
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        write_with(
            packets,
            from,
            mqttbytes_codec::build,
            mqttbytes_codec::write,
        )
    }

    fn matching(repetitions: usize) -> Work {
        matching(
            repetitions,
            |filter| filter,
            |topic| topic,
            |filter, topic| mqttbytes::matches(topic, filter),
        )
    }
}

pub struct Rumqttc;

fn read_rumqttc(buffer: &mut BytesMut, seen: &mut Seen) -> bool {
    match rumqttc::Packet::read(buffer, LIMIT) {
        Ok(packet) => rumqttc_codec::see(&packet, seen),
        Err(rumqttc::mqttbytes::Error::InsufficientBytes(missing)) => {
            buffer.reserve(missing);
            return false;
        }
        Err(error) => panic!("{error:?}"),
    }
    true
}

/// A pair of clients: rumqttc has the state of a client only, which also receives and acknowledges
/// messages.
struct Pair {
    sender: MqttState,
    receiver: MqttState,
    to_sender: BytesMut,
    to_receiver: BytesMut,
}

impl Pair {
    fn new(window: u16) -> Self {
        Self {
            sender: MqttState::new(window, false),
            receiver: MqttState::new(window, false),
            to_sender: BytesMut::new(),
            to_receiver: BytesMut::new(),
        }
    }

    fn publish(&mut self, qos: u8, (topic, payload): (&str, &[u8])) {
        let qos = rumqttc::mqttbytes::qos(qos).unwrap();
        let publish = rumqttc::Publish::new(topic, qos, payload);
        let request = Request::Publish(publish);
        let packet = self.sender.handle_outgoing_packet(request).unwrap();
        packet.unwrap().write(&mut self.to_receiver, LIMIT).unwrap();
    }

    /// Decodes the received bytes and encodes the replies. Returns the number of payload bytes.
    fn read(state: &mut MqttState, input: &mut BytesMut, out: &mut BytesMut) -> usize {
        let mut bytes = 0;
        while !input.is_empty() {
            let packet = rumqttc::Packet::read(input, LIMIT).unwrap();
            if let rumqttc::Packet::Publish(publish) = &packet {
                bytes += publish.payload.len();
            }
            if let Some(answer) = state.handle_incoming_packet(packet).unwrap() {
                answer.write(out, LIMIT).unwrap();
            }
        }
        // The event loop would remove these.
        state.events.clear();
        bytes
    }

    fn receiver_reads(&mut self) -> usize {
        Self::read(
            &mut self.receiver,
            &mut self.to_receiver,
            &mut self.to_sender,
        )
    }

    fn sender_reads(&mut self) {
        Self::read(&mut self.sender, &mut self.to_sender, &mut self.to_receiver);
    }

    fn deliver(&mut self, qos: u8) -> usize {
        self.publish(qos, MESSAGE);
        let mut bytes = 0;
        while !self.to_receiver.is_empty() {
            bytes += self.receiver_reads();
            self.sender_reads();
        }
        assert_eq!(self.sender.inflight(), 0);
        bytes
    }
}

impl Peer for Rumqttc {
    const NAME: &'static str = "rumqttc 0.25.1";

    fn decode(stream: Rc<[u8]>) -> Work {
        decode_with(stream, read_rumqttc)
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        feed_with(stream, chunk, read_rumqttc)
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        write_with(packets, from, rumqttc_codec::build, rumqttc_codec::write)
    }

    fn deliver(qos: u8, messages: usize) -> Work {
        let mut pair = Pair::new(100);
        repeating(messages, move || pair.deliver(qos))
    }

    fn window(messages: usize, order: Order) -> Work {
        let mut pair = Pair::new(u16::try_from(messages).unwrap());
        repeating(1, move || {
            for _ in 0..messages {
                pair.publish(1, SMALL_MESSAGE);
            }
            pair.receiver_reads();
            order.apply(&mut pair.to_sender);
            pair.sender_reads();
            messages - usize::from(pair.sender.inflight())
        })
    }

    fn matching(repetitions: usize) -> Work {
        matching(
            repetitions,
            |filter| filter,
            |topic| topic,
            |filter, topic| rumqttc::matches(topic, filter),
        )
    }

    fn idle() -> Option<Idle> {
        idle(|| {
            let mut pair = Pair::new(100);
            pair.deliver(1);
            pair.receiver
        })
    }
}
