//! mqttrs: packets that borrow; no connections, no matching.

use std::rc::Rc;

use mqttrs::{
    Connect, LastWill, Packet, Pid, Protocol, Publish, QoS, QosPid, Suback, Subscribe,
    SubscribeReturnCodes, SubscribeTopic, decode_slice, encode_slice,
};

use crate::job::{From, Peer, Work, Writer, decoding, feeding, writing};
use crate::workload::{Fields, Seen};

pub struct Mqttrs;

/// Returns the length of a packet, because `decode_slice` does not return how many bytes it used.
#[inline(always)]
pub fn packet_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    for n in 1..5 {
        len |= usize::from(bytes[n] & 0x7f) << (7 * (n - 1));
        if bytes[n] & 0x80 == 0 {
            return len + n + 1;
        }
    }
    panic!("Remaining Length has four bytes at most");
}

#[inline(always)]
fn see(packet: &Packet<'_>, seen: &mut Seen) {
    match packet {
        Packet::Publish(publish) => {
            let (qos, packet_id) = match publish.qospid {
                QosPid::AtMostOnce => (0, 0),
                QosPid::AtLeastOnce(id) => (1, id.get()),
                QosPid::ExactlyOnce(id) => (2, id.get()),
            };
            let topic = publish.topic_name.as_bytes();
            seen.publish(topic, publish.payload, qos, packet_id);
        }
        Packet::Puback(id) => seen.packet(id.get()),
        Packet::Pingreq => seen.packet(0),
        Packet::Subscribe(subscribe) => {
            seen.packet(subscribe.pid.get());
            for topic in &subscribe.topics {
                seen.bytes(topic.topic_path.as_bytes());
                seen.number(topic.qos as u16);
            }
        }
        Packet::Suback(suback) => {
            seen.packet(suback.pid.get());
            for code in &suback.return_codes {
                seen.number(match code {
                    SubscribeReturnCodes::Success(qos) => *qos as u16,
                    SubscribeReturnCodes::Failure => 0x80,
                });
            }
        }
        Packet::Connect(connect) => {
            seen.packet(0);
            seen.number(connect.keep_alive);
            seen.bytes(connect.client_id.as_bytes());
            if let Some(will) = &connect.last_will {
                seen.bytes(will.topic.as_bytes());
                seen.bytes(will.message);
            }
            seen.bytes(connect.username.unwrap_or_default().as_bytes());
            seen.bytes(connect.password.unwrap_or_default());
        }
        _ => seen.packet(0),
    }
}

fn qos(number: u8) -> QoS {
    [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][usize::from(number)]
}

fn id(number: u16) -> Pid {
    Pid::try_from(number).unwrap()
}

fn build(fields: &'static Fields) -> Packet<'static> {
    match fields {
        Fields::Publish {
            topic,
            payload,
            qos,
            packet_id,
        } => Packet::Publish(Publish {
            dup: false,
            retain: false,
            qospid: match qos {
                0 => QosPid::AtMostOnce,
                1 => QosPid::AtLeastOnce(id(*packet_id)),
                _ => QosPid::ExactlyOnce(id(*packet_id)),
            },
            topic_name: topic,
            payload,
        }),
        Fields::PubAck { packet_id } => Packet::Puback(id(*packet_id)),
        Fields::PingReq => Packet::Pingreq,
        Fields::Subscribe { packet_id, filters } => Packet::Subscribe(Subscribe {
            pid: id(*packet_id),
            topics: filters
                .iter()
                .map(|(filter, number)| SubscribeTopic {
                    topic_path: filter.clone(),
                    qos: qos(*number),
                })
                .collect(),
        }),
        Fields::SubAck {
            packet_id,
            return_codes,
        } => Packet::Suback(Suback {
            pid: id(*packet_id),
            return_codes: return_codes
                .iter()
                .map(|code| SubscribeReturnCodes::Success(qos(*code)))
                .collect(),
        }),
        Fields::Connect {
            client_id,
            keep_alive,
            will_topic,
            will_message,
            user_name,
            password,
        } => Packet::Connect(Connect {
            protocol: Protocol::MQTT311,
            keep_alive: *keep_alive,
            client_id,
            clean_session: true,
            last_will: Some(LastWill {
                topic: will_topic,
                message: will_message,
                qos: QoS::AtLeastOnce,
                retain: true,
            }),
            username: Some(user_name),
            password: Some(password.as_bytes()),
        }),
    }
}

impl Peer for Mqttrs {
    const NAME: &'static str = "mqttrs 0.4.1";

    fn decode(stream: Rc<[u8]>) -> Work {
        decoding(stream, <[u8]>::to_vec, |input, seen| {
            let mut input = &input[..];
            while !input.is_empty() {
                let (packet, rest) = input.split_at(packet_len(input));
                match decode_slice(packet) {
                    Ok(Some(packet)) => see(&packet, seen),
                    other => panic!("{other:?}"),
                }
                input = rest;
            }
        })
    }

    fn decode_chunks(stream: Rc<[u8]>, chunk: usize) -> Work {
        feeding(
            stream,
            chunk,
            Vec::new,
            |buffer: &mut Vec<u8>, chunk, seen| {
                buffer.extend_from_slice(chunk);
                let mut used = 0;
                while let Some(packet) = decode_slice(&buffer[used..]).unwrap() {
                    see(&packet, seen);
                    used += packet_len(&buffer[used..]);
                }
                buffer.drain(..used);
            },
        )
    }

    fn encode(packets: &'static [Fields], from: From) -> Work {
        type Out = (Vec<u8>, usize);
        let writer = Writer {
            build,
            output: |room| -> Out { (vec![0; room], 0) },
            clear: |(_, len): &mut Out| *len = 0,
            write: |packet: &mut Packet<'static>, (buffer, len): &mut Out| {
                *len += encode_slice(packet, &mut buffer[*len..]).unwrap();
            },
            read: |(buffer, len): &mut Out| buffer[..*len].to_vec(),
            consumes: false,
        };
        writing(packets, from, writer)
    }
}
